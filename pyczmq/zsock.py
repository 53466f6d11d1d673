"""zsock: sockets in the process-wide context, with several ways to send whole messages of typed values.

A zsock needs no context: all of a process's share one, so their ``inproc`` endpoints meet. The constructor of each type
takes the endpoints, a list separated by commas. One that starts with ``@`` is bound, one that starts with ``>`` is
connected, and for others it depends on the type.

>>> from pyczmq import zsock
>>> pull = zsock.new_pull("@inproc://zsock.example")
>>> push = zsock.new_push(">inproc://zsock.example")

A picture tells what a message is made of, one letter for each value:

>>> zsock.send(push, "si8", "three", -3, 2**40)
0
>>> zsock.recv(pull, "si8")
('three', -3, 1099511627776)

The letters of `send` and `recv`, one frame each:

=========  =================================================================================
``i``      an int of 32 bits with a sign, as decimal digits
``1248``   an int of so many bytes without a sign, as decimal digits
``u``      the same as ``4``, an older name
``s``      text: str, or bytes to be sent; all of the frame, NUL bytes included
``b``      bytes, or anything with the buffer protocol to be sent
``c``      a ``zchunk_t *``
``f``      a ``zframe_t *``
``h``      a ``zhashx_t *`` of text, or a dict of text to be sent
``l``      a ``zlistx_t *`` of text, or a list of text to be sent: a draft in C, here always there
``U``      a ``zuuid_t *``
``p``      a pointer, which makes sense within one process alone: ``void *`` when received
``m``      a ``zmsg_t *``: all of its frames are sent, all that are left are received
``z``      an empty frame, for which there is no value; ``n`` is the same
=========  =================================================================================

Those of `bsend` and `brecv`, which pack all but ``f`` and ``m`` into one frame, in the format of CZMQ's zproto: ``1``,
``2``, ``4``, ``8``, ``c``, ``f``, ``p`` and ``m`` (the last, if at all) are as above, ``s`` is text of up to 255 bytes,
``S`` longer text and ``u`` a ``zuuid_t *``.

What is sent is copied: frames, messages and the like stay the caller's. Those that are received are the caller's to
destroy, as if `zframe.recv`, `zmsg.recv`, ``zchunk.new`` and so on had returned them. A pointer keeps nothing alive,
and one that comes from another process is but a number: nothing here ever looks where it points.

Nothing needs an explicit destroy: a socket that nobody refers to is closed, with its own linger (0 unless
`zsys.set_linger` or `set_linger` says otherwise). A socket belongs to one thread at a time, as in ZeroMQ. Every
function of zstr, zframe, zmsg, zpoller and zloop takes zsocks, too, and those functions here whose C prototype says
``void *self`` take zsocket and zactor handles.

Each socket option of libzmq has a function that reads it and one that sets it, `rcvhwm` and `set_rcvhwm`, as in
zsocket; ``dir (zsock)`` lists them.
"""

from __future__ import annotations

import errno
import os
import re
import weakref
from functools import partial

from . import (
    _blocking,
    _commands,
    _endpoints,
    _handles,
    _inproc,
    _multipart,
    _pictures,
    _room,
    _text,
    _threads,
    zmsg,
    zstr,
)
from . import _zmq_constants as _types
from ._cffi import C, ffi
from ._czmq2 import zsocket as _rebuilt
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ._types import Buffer, CData, Msg, Sock, Socket, Socketish, Text
    from ._zsock_functions import *  # noqa: F403

_SOCK = ffi.typeof("zsock_t *")
_VOID = ffi.typeof("void *")
_SENT = _pictures.SENT
_PACKED = _pictures.PACKED
_LINGER = 17
_HWMS = (23, 24)
_INT_MAX = 2**31 - 1

#: What CZMQ sets on each new socket, and the limits.
_SETTINGS = {
    "ZSYS_LINGER": (-1, _INT_MAX),
    "ZSYS_SNDHWM": (0, _INT_MAX),
    "ZSYS_RCVHWM": (0, _INT_MAX),
    "ZSYS_IPV6": (0, 1),
}

_UNBOUND = "over which libzmq aborts when it sends unbound"

#: No tcp endpoint is longer; C takes a regular expression to it.
_LONGEST_TCP = 1024

_live = _handles.live
_socket = _handles.socket
_free_now = _handles.freer(C.zsock_destroy, "zsock_t *")


def new(type: int) -> Sock:
    """Return a new socket of a type such as zmq.PUSH, which the garbage collector owns.

    Raises ValueError for a number that is no type of socket here, and OSError when there is no room for more sockets.

    C: ``zsock_t *zsock_new (int type)``
    """
    kind = integer(type, "type")
    if kind == _types.DGRAM:
        raise ValueError(f"type is DGRAM, {_UNBOUND}: new_dgram makes one that is bound")
    return _new(kind)


def new_pub(endpoint: Text | None = None) -> Sock | None:
    """Return a new PUB socket, which by default binds to its endpoints; None if that fails.

    C: ``zsock_t *zsock_new_pub (const char *endpoint)``
    """
    return _opened(_types.PUB, endpoint, True)


def new_sub(endpoint: Text | None = None, subscribe: Text | Buffer | None = None) -> Sock | None:
    """Return a new SUB socket, which by default connects to its endpoints; None if that fails.

    It gets messages that begin with *subscribe*, '' being all; with None it gets nothing until `set_subscribe`.

    C: ``zsock_t *zsock_new_sub (const char *endpoint, const char *subscribe)``
    """
    return _opened(_types.SUB, endpoint, False, subscribe)


def new_req(endpoint: Text | None = None) -> Sock | None:
    """Return a new REQ socket, which by default connects to its endpoints; None if that fails.

    C: ``zsock_t *zsock_new_req (const char *endpoint)``
    """
    return _opened(_types.REQ, endpoint, False)


def new_rep(endpoint: Text | None = None) -> Sock | None:
    """Return a new REP socket, which by default binds to its endpoints; None if that fails.

    C: ``zsock_t *zsock_new_rep (const char *endpoint)``
    """
    return _opened(_types.REP, endpoint, True)


def new_dealer(endpoint: Text | None = None) -> Sock | None:
    """Return a new DEALER socket, which by default connects to its endpoints; None if that fails.

    C: ``zsock_t *zsock_new_dealer (const char *endpoint)``
    """
    return _opened(_types.DEALER, endpoint, False)


def new_router(endpoint: Text | None = None) -> Sock | None:
    """Return a new ROUTER socket, which by default binds to its endpoints; None if that fails.

    C: ``zsock_t *zsock_new_router (const char *endpoint)``
    """
    return _opened(_types.ROUTER, endpoint, True)


def new_push(endpoint: Text | None = None) -> Sock | None:
    """Return a new PUSH socket, which by default connects to its endpoints; None if that fails.

    C: ``zsock_t *zsock_new_push (const char *endpoint)``
    """
    return _opened(_types.PUSH, endpoint, False)


def new_pull(endpoint: Text | None = None) -> Sock | None:
    """Return a new PULL socket, which by default binds to its endpoints; None if that fails.

    C: ``zsock_t *zsock_new_pull (const char *endpoint)``
    """
    return _opened(_types.PULL, endpoint, True)


def new_xpub(endpoint: Text | None = None) -> Sock | None:
    """Return a new XPUB socket, which by default binds to its endpoints; None if that fails.

    C: ``zsock_t *zsock_new_xpub (const char *endpoint)``
    """
    return _opened(_types.XPUB, endpoint, True)


def new_xsub(endpoint: Text | None = None) -> Sock | None:
    """Return a new XSUB socket, which by default connects to its endpoints; None if that fails.

    C: ``zsock_t *zsock_new_xsub (const char *endpoint)``
    """
    return _opened(_types.XSUB, endpoint, False)


def new_pair(endpoint: Text | None = None) -> Sock | None:
    """Return a new PAIR socket, which by default connects to its endpoints; None if that fails.

    C: ``zsock_t *zsock_new_pair (const char *endpoint)``
    """
    return _opened(_types.PAIR, endpoint, False)


def new_stream(endpoint: Text | None = None) -> Sock | None:
    """Return a new STREAM socket, which by default connects to its endpoints; None if that fails.

    C: ``zsock_t *zsock_new_stream (const char *endpoint)``
    """
    return _opened(_types.STREAM, endpoint, False)


def destroy(sock: Sock | None) -> None:
    """Close a socket now, with its linger, and only once; None is let through.

    C: ``void zsock_destroy (zsock_t **self_p)``
    """
    if sock is not None:
        known = _known_handle(_live(sock, _SOCK, "sock"))
        if known is not None:
            _handles.disown(known, "was closed with its zsock")
        _handles.destroy(sock, _SOCK, _free_now, "sock")


def bind(sock: Sock, endpoint: Text) -> int:
    """Bind a socket to an endpoint; return the port, 0 where the endpoint has none, or -1 on failure.

    A tcp endpoint that ends in ``:*`` takes the first free port from 49152 to 65535, and one that ends in ``:!`` a
    random one of them; ``:*[60000-60010]`` names the range. On failure zmq.errno() tells why. *endpoint* is never
    a format.

    C: ``int zsock_bind (zsock_t *self, const char *format, ...)``
    """
    return _endpoints.bind(_live(sock, _SOCK, "sock"), endpoint, partial(_bind, sock))


def endpoint(sock: Sock) -> str | None:
    """Return the endpoint that was bound last, with the port that was found for a wildcard; None if there is none.

    C: ``const char *zsock_endpoint (zsock_t *self)``
    """
    return _text.string(C.zsock_endpoint(_live(sock, _SOCK, "sock")))


def unbind(sock: Sock, endpoint: Text) -> int:
    """Unbind a socket from an endpoint, named as `last_endpoint` names it; return 0, or -1 on failure.

    C: ``int zsock_unbind (zsock_t *self, const char *format, ...)``
    """
    _bound_for_good(sock)
    return _endpoints.unbind(sock, endpoint)


def connect(sock: Sock, endpoint: Text) -> int:
    """Connect a socket to an endpoint; return 0, or -1 if the endpoint is not valid.

    The connection itself is made in the background, and made anew whenever it breaks. *endpoint* is never a format.

    C: ``int zsock_connect (zsock_t *self, const char *format, ...)``
    """
    return _endpoints.connect(_live(sock, _SOCK, "sock"), endpoint)


def disconnect(sock: Sock, endpoint: Text) -> int:
    """Disconnect a socket from an endpoint; return 0, or -1 if it was not connected to that.

    C: ``int zsock_disconnect (zsock_t *self, const char *format, ...)``
    """
    _bound_for_good(sock)
    return _endpoints.disconnect(sock, endpoint)


def attach(sock: Sock, endpoints: Text | None, serverish: bool = False) -> int:
    """Bind or connect a socket to each of a list of endpoints, separated by commas; return 0, or -1 if one failed.

    One that starts with ``@`` is bound, one that starts with ``>`` connected, any other bound if *serverish*, else
    connected. None and "" are no endpoints. Those before the one that failed stay attached, those behind it are not
    looked at. C's limit of 255 bytes for an endpoint is not there.

    C: ``int zsock_attach (zsock_t *self, const char *endpoints, bool serverish)``
    """
    _live(sock, _SOCK, "sock")
    if endpoints is None:
        return 0
    addresses = _text.cstring(endpoints, "endpoints").split(b",")
    if not addresses[-1]:
        del addresses[-1]
    for address in addresses:
        is_marked = address.startswith((b"@", b">"))
        binds = address.startswith(b"@") if is_marked else serverish
        if (bind if binds else connect)(sock, address[is_marked:]) < 0:
            return -1
    return 0


def type_str(sock: Sock) -> str:
    """Return the name of the socket's type, such as "PUSH".

    C: ``const char *zsock_type_str (zsock_t *self)``
    """
    return _rebuilt.type_name(_socket(_live(sock, _SOCK, "sock"), "sock"))


def send(sock: Socketish, picture: Text, *args: Any) -> int:
    """Send the arguments as the picture says, in one message; return 0, or -1 if nothing could be sent.

    It blocks as the socket's SNDTIMEO says. Raises ValueError for a picture with a letter that there is not, TypeError
    where the arguments are not as many as the picture takes, and either for an argument that its letter does not take.
    A picture without letters sends nothing. To a SERVER's client, the one that `routing_id` names, goes one frame.

    C: ``int zsock_send (void *self, const char *picture, ...)``
    """
    handle = _socket(sock, "sock")
    return _multipart.send(sock, handle, _pictures.frames(_pictures.read(picture, _SENT), args))


def vsend(sock: Socketish, picture: Text, args: Iterable[Any]) -> int:
    """Send as `send` does, with the arguments in a sequence; return 0 or -1.

    C: ``int zsock_vsend (void *self, const char *picture, va_list argptr)``
    """
    if isinstance(args, (str, bytes)):
        raise TypeError(f"args must be a sequence of arguments, not {args.__class__.__name__}")
    return send(sock, picture, *args)


def recv(sock: Socketish, picture: Text) -> tuple[Any, ...] | None:
    """Receive a message and return its values, as the picture says: a tuple with one for each letter but 'z'.

    It blocks as the socket's RCVTIMEO says. As in C, a message that has too few frames gives 0 for each number and
    None for anything else that is not there, and frames that the picture does not name are dropped; a frame that is
    no number counts as 0 or as the number that it begins with, cut to its size; an 'h' or 'l' that is malformed is
    None. Returns None, with zmq.errno() EAGAIN, once the time has passed; None with ETERM when the context has ended;
    None with EBADMSG for a message that is dropped because it is a signal, such as an actor's when it ends, or where
    a 'z' is not empty or a 'p' or 'U' has not the right size.

    C: ``int zsock_recv (void *self, const char *picture, ...)``
    """
    handle = _socket(sock, "sock")
    wanted = _pictures.read(picture, _SENT)
    if wanted.has_handles:
        message = zmsg.recv(sock)
        return None if message is None else _handles_in(message, wanted, sock, handle)
    frames = _multipart.recv(sock, handle)
    return None if frames is None else _values_in(frames, wanted)


def _recv_now(sock: Socketish, handle: Socket, wanted: _pictures.Picture) -> tuple[Any, ...] | None:
    """Receive as `recv` does, but without waiting."""
    if wanted.has_handles:
        message = zmsg.recv_nowait(sock)
        return None if message is None else _handles_in(message, wanted, sock, handle)
    frames = _multipart.recv_now(sock, handle)
    return None if frames is None else _values_in(frames, wanted)


def _handles_in(message: Msg, wanted: _pictures.Picture, sock: Socketish, handle: Socket) -> tuple[Any, ...] | None:
    """Return the values in a message, which is the caller's no more, some of which are handles."""
    if handle is not sock and zstr._is_server(sock):
        C.zsock_set_routing_id(sock, C.zmsg_routing_id(message))
    if C.zmsg_signal(message) < 0:
        found = _pictures.handles(wanted, message)
    else:
        zmsg.destroy(message)
        found = None
    if found is None:
        ffi.errno = errno.EBADMSG
    return found


def _values_in(frames: list[bytes], wanted: _pictures.Picture) -> tuple[Any, ...] | None:
    """Return the values in the frames of a message, none of which is a handle."""
    is_signal = len(frames) == 1 and _multipart.is_signal(frames[0])
    found = None if is_signal else _pictures.values(wanted, frames)
    if found is None:
        ffi.errno = errno.EBADMSG
    return found


def vrecv(sock: Socketish, picture: Text) -> tuple[Any, ...] | None:
    """Receive as `recv` does, which returns a tuple anyway.

    C: ``int zsock_vrecv (void *self, const char *picture, va_list argptr)``
    """
    return recv(sock, picture)


def bsend(sock: Socketish, picture: Text, *args: Any) -> int:
    """Send the arguments packed in zproto's format, as the picture says; return 0, or -1 if nothing could be sent.

    None stands for an empty 's', 'S', 'c' or 'm', which last then is an empty frame. C's brecv does not take a 'S' or
    'c' of more than 1 MiB. Blocks, and raises, as `send` does.

    C: ``int zsock_bsend (void *self, const char *picture, ...)``
    """
    handle = _socket(sock, "sock")
    return _multipart.send(sock, handle, _pictures.packed(_pictures.read(picture, _PACKED), args))


def brecv(sock: Socketish, picture: Text) -> tuple[Any, ...] | None:
    """Receive a message packed in zproto's format, and return its values, as the picture says, in a tuple.

    As in C, what the first frame has beyond the picture is dropped, and frames that the picture does not name are left
    on the socket, to be received or for `flush`. Returns None, with zmq.errno() EAGAIN or ETERM, as `recv` does; None
    with EBADMSG for a message that has less than the picture, all of which is dropped. Signals are not looked for.

    C: ``int zsock_brecv (void *self, const char *picture, ...)``
    """
    handle = _socket(sock, "sock")
    wanted = _pictures.read(picture, _PACKED)
    received = _multipart.recv_first(sock, handle)
    if received is None:
        return None
    data, more = received
    found = _pictures.unpacked(wanted, data)
    if found is None or not _pictures.follow(wanted, found, sock, more):
        _multipart.drop_rest(handle)
        ffi.errno = errno.EBADMSG
        return None
    return tuple(found)


def set_unbounded(sock: Socketish) -> None:
    """Let the socket queue any number of messages, both ways: its high-water marks are 0.

    C: ``void zsock_set_unbounded (void *self)``
    """
    handle = _socket(sock, "sock")
    _inproc.notice_ended(sock, handle)
    for option in _HWMS:
        C.zmq_setsockopt(handle, option, ffi.new("int *"), ffi.sizeof("int"))


def signal(sock: Socketish, status: int = 0) -> int:
    """Send a signal, a short message with a status from 0 to 255 that `wait` understands; return 0, or -1 on failure.

    C: ``int zsock_signal (void *self, byte status)``
    """
    return _multipart.signal(sock, _socket(sock, "sock"), status)


def wait(sock: Socketish) -> int:
    """Wait for a signal and return its status; messages that are none are dropped.

    Returns -1 on failure, as when RCVTIMEO has passed. Raises what an actor's task has raised, once it has ended so.

    C: ``int zsock_wait (void *self)``
    """
    return _multipart.wait(sock, _socket(sock, "sock"))


def flush(sock: Socketish) -> None:
    """Drop what is left of a message of which some frames were received; without such there is nothing to do.

    C: ``void zsock_flush (void *self)``
    """
    _multipart.drop_rest(_socket(sock, "sock"))


def is_(handle: object) -> bool:
    """Tell whether *handle* is a zsock that is alive; anything may be asked about.

    A ``void *`` is one if it points at a zsock that the garbage collector owns: C would look wherever it points.

    C: ``bool zsock_is (void *self)``
    """
    if not isinstance(handle, ffi.CData) or not handle or _handles.fate(handle) is not None:
        return False
    if ffi.typeof(handle) is _VOID:
        owners = list(_handles._owned.values())
        return any(ffi.typeof(owner.pointer) is _SOCK and owner.pointer == handle for owner in owners)
    return ffi.typeof(handle) is _SOCK and C.zsock_is(handle)


def resolve(sock: Socketish) -> Socket:
    """Return the libzmq socket behind a zsock or zactor, and a libzmq socket as it is.

    It keeps the zsock or zactor alive, and is refused once that is destroyed. Raises TypeError for anything else, where
    C would look what it points at.

    C: ``void *zsock_resolve (void *self)``
    """
    handle = _socket(sock, "sock")
    if handle is sock:
        return handle
    known = _known_handle(sock)
    if known is None:
        known = _handles.own(handle, _leave, sock)
        if known is None:
            raise ValueError("sock has no socket")
        _commands.guard_part(known, sock)
        _handles.companions(sock)[resolve] = weakref.ref(known)
    return known


def test(verbose: bool = False) -> None:
    """Run CZMQ's own self-test of this class in a child process; RuntimeError with its output if it fails.

    C: ``void zsock_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zsock_test", verbose)


def new_checked(type: int, filename: Any, line_nbr: int) -> Sock:
    """Return a new socket, as `new` does, on behalf of a line of a source file.

    C notes the place, to name it if the socket is left open when the process ends. The garbage collector leaves none,
    so it is checked and forgotten here, as in all functions of this kind.

    C: ``zsock_t *zsock_new_checked (int type, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    return new(type)


def destroy_checked(sock: Sock | None, filename: Any, line_nbr: int) -> None:
    """Close a socket, as `destroy` does, on behalf of a line of a source file.

    C: ``void zsock_destroy_checked (zsock_t **self_p, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    destroy(sock)


def new_pub_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new PUB socket, as `new_pub` does, on behalf of a line of a source file; see `new_checked`.

    C: ``zsock_t *zsock_new_pub_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    return _opened(_types.PUB, endpoint, True)


def new_sub_checked(
    endpoint: Text | None, subscribe: Text | Buffer | None, filename: Any, line_nbr: int
) -> Sock | None:
    """Return a new SUB socket, as `new_sub` does, on behalf of a line of a source file; see `new_checked`.

    C: ``zsock_t *zsock_new_sub_checked (const char *endpoint, const char *subscribe, const char *filename, size_t line_nbr)``
    """  # noqa: E501
    _check_place(filename, line_nbr)
    return _opened(_types.SUB, endpoint, False, subscribe)


def new_req_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new REQ socket, as `new_req` does, on behalf of a line of a source file; see `new_checked`.

    C: ``zsock_t *zsock_new_req_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    return _opened(_types.REQ, endpoint, False)


def new_rep_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new REP socket, as `new_rep` does, on behalf of a line of a source file; see `new_checked`.

    C: ``zsock_t *zsock_new_rep_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    return _opened(_types.REP, endpoint, True)


def new_dealer_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new DEALER socket, as `new_dealer` does, on behalf of a line of a source file; see `new_checked`.

    C: ``zsock_t *zsock_new_dealer_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    return _opened(_types.DEALER, endpoint, False)


def new_router_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new ROUTER socket, as `new_router` does, on behalf of a line of a source file; see `new_checked`.

    C: ``zsock_t *zsock_new_router_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    return _opened(_types.ROUTER, endpoint, True)


def new_push_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new PUSH socket, as `new_push` does, on behalf of a line of a source file; see `new_checked`.

    C: ``zsock_t *zsock_new_push_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    return _opened(_types.PUSH, endpoint, False)


def new_pull_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new PULL socket, as `new_pull` does, on behalf of a line of a source file; see `new_checked`.

    C: ``zsock_t *zsock_new_pull_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    return _opened(_types.PULL, endpoint, True)


def new_xpub_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new XPUB socket, as `new_xpub` does, on behalf of a line of a source file; see `new_checked`.

    C: ``zsock_t *zsock_new_xpub_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    return _opened(_types.XPUB, endpoint, True)


def new_xsub_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new XSUB socket, as `new_xsub` does, on behalf of a line of a source file; see `new_checked`.

    C: ``zsock_t *zsock_new_xsub_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    return _opened(_types.XSUB, endpoint, False)


def new_pair_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new PAIR socket, as `new_pair` does, on behalf of a line of a source file; see `new_checked`.

    C: ``zsock_t *zsock_new_pair_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    return _opened(_types.PAIR, endpoint, False)


def new_stream_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new STREAM socket, as `new_stream` does, on behalf of a line of a source file; see `new_checked`.

    C: ``zsock_t *zsock_new_stream_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    return _opened(_types.STREAM, endpoint, False)


def new_dgram_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new DGRAM socket, as `new_dgram` does, on behalf of a line of a source file; see `new_checked`.

    C: ``zsock_t *zsock_new_dgram_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _check_place(filename, line_nbr)
    if not _handles.drafts():
        ffi.errno = errno.ENOTSUP
        return None
    return _opened(_types.DGRAM, endpoint, True)


def option_test(verbose: bool = False) -> None:
    """Run CZMQ's own self-test of the socket options in a child process; RuntimeError with its output if it fails.

    C: ``void zsock_option_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zsock_option_test", verbose)


# ---------------------------------------------------------------- draft


def new_server(endpoint: Text | None = None) -> Sock | None:
    """Return a new SERVER socket, which by default binds to its endpoints; None if that fails.

    Only libraries built with drafts have this.

    C: ``zsock_t *zsock_new_server (const char *endpoint)``
    """
    _needs("zsock_new_server")
    return _opened(_types.SERVER, endpoint, True)


def new_client(endpoint: Text | None = None) -> Sock | None:
    """Return a new CLIENT socket, which by default connects to its endpoints; None if that fails.

    Only libraries built with drafts have this.

    C: ``zsock_t *zsock_new_client (const char *endpoint)``
    """
    _needs("zsock_new_client")
    return _opened(_types.CLIENT, endpoint, False)


def new_radio(endpoint: Text | None = None) -> Sock | None:
    """Return a new RADIO socket, which by default binds to its endpoints; None if that fails.

    Only libraries built with drafts have this.

    C: ``zsock_t *zsock_new_radio (const char *endpoint)``
    """
    _needs("zsock_new_radio")
    return _opened(_types.RADIO, endpoint, True)


def new_dish(endpoint: Text | None = None) -> Sock | None:
    """Return a new DISH socket, which by default connects to its endpoints; None if that fails.

    Only libraries built with drafts have this.

    C: ``zsock_t *zsock_new_dish (const char *endpoint)``
    """
    _needs("zsock_new_dish")
    return _opened(_types.DISH, endpoint, False)


def new_gather(endpoint: Text | None = None) -> Sock | None:
    """Return a new GATHER socket, which by default binds to its endpoints; None if that fails.

    Only libraries built with drafts have this.

    C: ``zsock_t *zsock_new_gather (const char *endpoint)``
    """
    _needs("zsock_new_gather")
    return _opened(_types.GATHER, endpoint, True)


def new_scatter(endpoint: Text | None = None) -> Sock | None:
    """Return a new SCATTER socket, which by default connects to its endpoints; None if that fails.

    Only libraries built with drafts have this.

    C: ``zsock_t *zsock_new_scatter (const char *endpoint)``
    """
    _needs("zsock_new_scatter")
    return _opened(_types.SCATTER, endpoint, False)


def new_dgram(endpoint: Text | None = None) -> Sock | None:
    """Return a new DGRAM socket, which by default binds to its endpoints; None if that fails.

    Raises ValueError unless the first endpoint is one of udp to bind to, for libzmq aborts when a DGRAM sends unbound.
    Only libraries built with drafts have this.

    C: ``zsock_t *zsock_new_dgram (const char *endpoint)``
    """
    _needs("zsock_new_dgram")
    return _opened(_types.DGRAM, endpoint, True)


def routing_id(sock: Sock) -> int:
    """Return the routing id of the client that a SERVER last received from, or that `set_routing_id` set; 0 if none.

    The socket option that zsocket has under this name is `identity` here. Only libraries built with drafts have this.

    C: ``uint32_t zsock_routing_id (zsock_t *self)``
    """
    return C.zsock_routing_id(_live(sock, _SOCK, "sock"))


def set_routing_id(sock: Sock, routing_id: int) -> None:
    """Set which client a SERVER sends to. Only libraries built with drafts have this.

    C: ``void zsock_set_routing_id (zsock_t *self, uint32_t routing_id)``
    """
    C.zsock_set_routing_id(_live(sock, _SOCK, "sock"), integer(routing_id, "routing_id", 0, 2**32 - 1))


def join(sock: Socketish, group: Text) -> int:
    """Join a DISH to a group of up to 255 bytes; return 0, or -1 on failure.

    Only libraries built with drafts have this.

    C: ``int zsock_join (void *self, const char *group)``
    """
    return C.zsock_join(_socket(sock, "sock"), _text.cstring(group, "group"))


def leave(sock: Socketish, group: Text) -> int:
    """Let a DISH leave a group; return 0, or -1 if it was not in it.

    Only libraries built with drafts have this.

    C: ``int zsock_leave (void *self, const char *group)``
    """
    return C.zsock_leave(_socket(sock, "sock"), _text.cstring(group, "group"))


def has_in(sock: Socketish) -> bool:
    """Tell whether there is a message to receive. Only libraries built with drafts have this.

    C: ``bool zsock_has_in (void *self)``
    """
    _needs("zsock_has_in")
    return _blocking.wait(_socket(sock, "sock"), _blocking.POLLIN, 0)


def new_server_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new SERVER socket, as `new_server` does, on behalf of a line of a source file; see `new_checked`.

    Only libraries built with drafts have this.

    C: ``zsock_t *zsock_new_server_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _needs("zsock_new_server_checked")
    _check_place(filename, line_nbr)
    return _opened(_types.SERVER, endpoint, True)


def new_client_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new CLIENT socket, as `new_client` does, on behalf of a line of a source file; see `new_checked`.

    Only libraries built with drafts have this.

    C: ``zsock_t *zsock_new_client_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _needs("zsock_new_client_checked")
    _check_place(filename, line_nbr)
    return _opened(_types.CLIENT, endpoint, False)


def new_radio_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new RADIO socket, as `new_radio` does, on behalf of a line of a source file; see `new_checked`.

    Only libraries built with drafts have this.

    C: ``zsock_t *zsock_new_radio_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _needs("zsock_new_radio_checked")
    _check_place(filename, line_nbr)
    return _opened(_types.RADIO, endpoint, True)


def new_dish_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new DISH socket, as `new_dish` does, on behalf of a line of a source file; see `new_checked`.

    Only libraries built with drafts have this.

    C: ``zsock_t *zsock_new_dish_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _needs("zsock_new_dish_checked")
    _check_place(filename, line_nbr)
    return _opened(_types.DISH, endpoint, False)


def new_gather_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new GATHER socket, as `new_gather` does, on behalf of a line of a source file; see `new_checked`.

    Only libraries built with drafts have this.

    C: ``zsock_t *zsock_new_gather_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _needs("zsock_new_gather_checked")
    _check_place(filename, line_nbr)
    return _opened(_types.GATHER, endpoint, True)


def new_scatter_checked(endpoint: Text | None, filename: Any, line_nbr: int) -> Sock | None:
    """Return a new SCATTER socket, as `new_scatter` does, on behalf of a line of a source file; see `new_checked`.

    Only libraries built with drafts have this.

    C: ``zsock_t *zsock_new_scatter_checked (const char *endpoint, const char *filename, size_t line_nbr)``
    """
    _needs("zsock_new_scatter_checked")
    _check_place(filename, line_nbr)
    return _opened(_types.SCATTER, endpoint, False)


# ---------------------------------------------------------------- helpers


def _needs(name: str) -> None:
    """Raise AttributeError if the library lacks a function."""
    getattr(C, name)


def _check_place(filename: Any, line_nbr: int) -> None:
    """Check the name of a source file and a line in it."""
    if filename is not None:
        _text.path(filename)
    integer(line_nbr, "line_nbr", 0, 2**63 - 1)


def _check_environment() -> None:
    """Raise ValueError where CZMQ would abort over what its environment says of new sockets."""
    for name, (least, most) in _SETTINGS.items():
        text = os.environ.get(name, "")
        match = re.match(r"\s*[+-]?[0-9]{1,19}", text)
        if match and not least <= int(match[0]) <= most:
            raise ValueError(f"the environment variable {name} is {text!r}, which no socket takes")


def _check_type(kind: int) -> None:
    """Raise ValueError for a type of socket over which C would abort."""
    if 0 <= kind <= _types.STREAM:
        return
    # Without drafts libzmq makes sockets of the draft types, too, but cannot name them to a peer, and aborts.
    probe = C.zmq_socket(C.zsys_init(), kind) if C.zmq_has(b"draft") else ffi.NULL
    if probe:
        C.zmq_close(probe)
    elif ffi.errno == errno.EINVAL or not C.zmq_has(b"draft"):
        raise ValueError(f"type is {kind}, which is no type of socket that this libzmq can use")


def _new(kind: int) -> Sock:
    """Return a new socket, once all is such that C does not abort."""
    _check_environment()
    _check_type(kind)
    _room.make(1)
    sock = _handles.own(C.zsock_new(kind), _free)
    if sock is None:
        raise MemoryError("no memory for a socket")
    return sock


def _bound_for_good(sock: Sock) -> None:
    """Raise ValueError for a socket that must stay bound."""
    if C.zsock_type(_live(sock, _SOCK, "sock")) == _types.DGRAM:
        raise ValueError(f"sock is a DGRAM, {_UNBOUND}")


def _opened(kind: int, endpoints: Text | None, serverish: bool, subscribe: Any = None) -> Sock | None:
    """Return a new socket that is attached to endpoints, or None."""
    addresses = b"" if endpoints is None else _text.cstring(endpoints, "endpoint")
    if kind == _types.DGRAM and not addresses.startswith((b"udp:", b"@udp:")):
        raise ValueError(f"endpoint must begin with one to bind a DGRAM to by udp, {_UNBOUND}")
    sock = _new(kind)
    try:
        if attach(sock, endpoints, serverish) == 0:
            if subscribe is not None:
                _set_subscribe(sock, subscribe)
            return sock
    except BaseException:
        destroy(sock)
        raise
    error = ffi.errno
    destroy(sock)
    ffi.errno = error
    return None


def _set_subscribe(sock: Sock, topic: Any) -> None:
    from . import _zsockopt

    set_option: Any = _zsockopt.function("zsock", "set_subscribe")
    set_option(sock, topic)


def _bind(sock: Sock, handle: Socket, address: bytes) -> int:
    """Bind by C's function, which notes the endpoint; the wildcards, of which C makes endless searches, are ours."""
    if address.startswith(b"tcp://") and len(address) > _LONGEST_TCP:
        ffi.errno = errno.EINVAL
        return -1
    return _rebuilt.bind(handle, address, lambda address: C.zsock_bind(sock, b"%s", ffi.new("char[]", address)))


def _free(pointer: CData) -> None:
    """Close a socket that nobody refers to; at exit, nothing that it still has to send may hold up the process."""
    if _threads.exiting:
        handle = C.zsock_resolve(pointer)
        linger = ffi.new("int *")
        C.zmq_getsockopt(handle, _LINGER, linger, ffi.new("size_t *", 4))
        if not 0 <= linger[0] <= _blocking.EXIT_LINGER:
            C.zmq_setsockopt(handle, _LINGER, ffi.new("int *", _blocking.EXIT_LINGER), 4)
    _free_now(pointer)


def _leave(pointer: CData) -> None:
    """Do nothing: the zsock or zactor closes its socket."""


def _known_handle(sock: Sock | Socketish) -> Socket | None:
    """Return the handle that `resolve` gave out, if it is alive."""
    reference = (_handles.find_companions(sock) or {}).get(resolve)
    return None if reference is None else reference()


if not TYPE_CHECKING:
    from ._alias import aliases

    _aliases = aliases("zsock")

    def __getattr__(name: str) -> Any:
        """Make the functions for options."""
        from . import _zsockopt

        value = _zsockopt.function("zsock", name)
        if value is None:
            value = _aliases(name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        from ._zsockopt_table import functions

        return sorted({*globals(), *functions("zsock")})
