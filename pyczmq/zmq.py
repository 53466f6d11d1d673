"""zmq: libzmq itself, its constants, contexts, sockets and messages, in the shapes that a Python program expects.

Every constant of libzmq is here without its ``ZMQ_``: ``zmq.PUSH``, ``zmq.RCVHWM``, ``zmq.POLLIN``, ``zmq.EAGAIN``. So
is every function. Contexts and sockets made here are C's: nothing closes them but `close` and `ctx_term`, and a
context ends only after its sockets were closed (``zctx`` and ``zsock`` do all that by themselves). What was closed is
refused from then on. A function that fails returns -1 or None as in C, and `errno` tells why. A socket belongs to one
thread at a time.

    context = zmq.ctx_new()
    push, pull = zmq.socket(context, zmq.PUSH), zmq.socket(context, zmq.PULL)
    zmq.bind(push, "inproc://zmq.example")
    zmq.connect(pull, "inproc://zmq.example")
    zmq.send(push, "Hello")
    item = zmq.pollitem(pull, events=zmq.POLLIN)
    assert zmq.poll([item], 1000) == 1 and item.revents == zmq.POLLIN
    assert zmq.recv(pull) == b"Hello"
    zmq.close(push)
    zmq.close(pull)
    zmq.ctx_term(context)
"""

from __future__ import annotations

from . import _blocking, _endpoints, _handles, _text, _zmq_msg
from . import _zmq_pointers as _pointers
from ._cffi import C, ffi
from ._numbers import integer as _integer
from ._zmq_constants import *  # noqa: F403
from ._zmq_constants import (
    CHANNEL,
    CLIENT,
    DEALER,
    DGRAM,
    DISH,
    DONTWAIT,
    ENOTSOCK,
    EVENT_ALL,
    GATHER,
    PAIR,
    PEER,
    PUB,
    PULL,
    PUSH,
    RADIO,
    REP,
    REQ,
    ROUTER,
    SCATTER,
    SERVER,
    STREAM,
    SUB,
    THREAD_AFFINITY_CPU_ADD,
    THREAD_PRIORITY,
    THREAD_SCHED_POLICY,
    XPUB,
    XSUB,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, overload

    from ._types import Buffer, CData, Socket, Socketish, Text, ZmqMsg
    from ._zmq_draft import *  # noqa: F403
    from ._zmq_msg import *  # noqa: F403
    from ._zmq_poll import *  # noqa: F403
    from ._zmq_poller import *  # noqa: F403
    from ._zmq_proxy import *  # noqa: F403
    from ._zmq_tools import *  # noqa: F403


#: Socket types by name; those from SERVER on are drafts.
types = {
    "PAIR": PAIR,
    "PUB": PUB,
    "SUB": SUB,
    "REQ": REQ,
    "REP": REP,
    "DEALER": DEALER,
    "ROUTER": ROUTER,
    "PULL": PULL,
    "PUSH": PUSH,
    "XPUB": XPUB,
    "XSUB": XSUB,
    "STREAM": STREAM,
    "SERVER": SERVER,
    "CLIENT": CLIENT,
    "RADIO": RADIO,
    "DISH": DISH,
    "GATHER": GATHER,
    "SCATTER": SCATTER,
    "DGRAM": DGRAM,
    "PEER": PEER,
    "CHANNEL": CHANNEL,
}

_CONTEXT = "context"

#: The most that C tells of a size where it returns an int.
_INT_MAX = 2**31 - 1

#: Frames that are larger are freed as soon as they were received, and not when the next one comes.
_BIG = 65536

_buffer = ffi.buffer
_socket = _pointers.socket
_send = _blocking.send
_guarded = _handles.guarded
_is_guarded = _handles.is_guarded
_receive = _blocking.receive
_msg_recv = C.zmq_msg_recv
_msg_data = C.zmq_msg_data

#: Messages that no call is using; a call takes one and puts it back.
_messages: list[ZmqMsg] = []


# ---------------------------------------------------------------- errors and the library


def errno() -> int:
    """Return the error code that the last call of C in this thread left, such as zmq.EAGAIN.

    C: ``int zmq_errno (void)``
    """
    return C.zmq_errno()


def strerror(errnum: int) -> str:
    """Return the text of an error code, libzmq's own ones too.

    C: ``const char *zmq_strerror (int errnum)``
    """
    return _text.decode(ffi.string(C.zmq_strerror(errnum)))


def version() -> tuple[int, int, int]:
    """Return the version of libzmq as (major, minor, patch).

    C: ``void zmq_version (int *major, int *minor, int *patch)``
    """
    numbers = ffi.new("int[3]")
    C.zmq_version(numbers, numbers + 1, numbers + 2)
    return numbers[0], numbers[1], numbers[2]


# ---------------------------------------------------------------- contexts


def ctx_new() -> CData | None:
    """Return a new context, which `ctx_term` ends once its sockets are closed.

    C: ``void *zmq_ctx_new (void)``
    """
    pointer = _pointers.hand_out(C.zmq_ctx_new(), _CONTEXT)
    if pointer is not None:
        _scheduling().forget(pointer)
    return pointer


def ctx_term(context: CData) -> int:
    """End a context: wait until its sockets are closed and have sent what lingers, then free it; return 0.

    Calls that wait on one of its sockets fail with zmq.ETERM. Ctrl-C interrupts the wait; the context goes on ending
    then, and is refused nevertheless. Returns -1 for what is no context. One that belongs to a zctx or to CZMQ is a
    ValueError.

    C: ``int zmq_ctx_term (void *context)``
    """
    _pointers.check(context, _CONTEXT, "context")
    if context not in _pointers.handed_out:
        _refuse_foreign(context, ending=True)
    if C.zmq_ctx_get(context, 1) < 0:
        return -1
    _pointers.retire(context, "was terminated")
    _scheduling().forget(context)
    _blocking.terminate(context)
    return 0


def ctx_shutdown(context: CData) -> int:
    """Let all calls that wait on a context's sockets, and all later ones but `close`, fail with zmq.ETERM.

    Returns 0, or -1 for what is no context.

    C: ``int zmq_ctx_shutdown (void *context)``
    """
    _refuse_foreign(_pointers.check(context, _CONTEXT, "context"), ending=False)
    return C.zmq_ctx_shutdown(context)


def _refuse_foreign(context: CData, ending: bool) -> None:
    """Raise ValueError for a context that a zctx, or CZMQ itself, will terminate."""
    from . import _czmq2, _scheduling

    if _scheduling.has_context() and context == C.zsys_init():
        raise ValueError("context is CZMQ's own, which ends with the process")
    if ending and context in _czmq2.contexts():
        raise ValueError("context belongs to a zctx: destroy that")


def _scheduling() -> Any:
    from . import _scheduling

    return _scheduling


def ctx_set(context: CData, option: int, optval: int) -> int:
    """Set an option of a context, such as zmq.IO_THREADS or zmq.MAX_SOCKETS; return 0, or -1 if libzmq refuses it.

    Most options count only before the first socket. What would abort libzmq then is refused now with a ValueError or
    OSError: more than 255 I/O threads, more than a million sockets, CPUs that the process may not run on. A scheduling
    policy or priority that the system does not allow comes out of the first `socket` as a PermissionError.

    C: ``int zmq_ctx_set (void *context, int option, int optval)``
    """
    _pointers.check(context, _CONTEXT, "context")
    optval = _integer(optval, "optval")
    scheduling = _scheduling()
    scheduling.check_limit(option, optval, "optval")
    if option == THREAD_AFFINITY_CPU_ADD:
        scheduling.check_cpu(optval)
    if option in (THREAD_PRIORITY, THREAD_SCHED_POLICY) and optval >= 0:
        scheduling.postpone(context, option, optval)
        return 0
    return C.zmq_ctx_set(context, option, optval)


def ctx_get(context: CData, option: int) -> int:
    """Return an option of a context, -1 for one that cannot be read.

    C: ``int zmq_ctx_get (void *context, int option)``
    """
    return C.zmq_ctx_get(_pointers.check(context, _CONTEXT, "context"), option)


def init(io_threads: int) -> CData | None:
    """Return a new context with a number of I/O threads; None for a negative number. Deprecated: see `ctx_new`.

    C: ``void *zmq_init (int io_threads)``
    """
    io_threads = _integer(io_threads, "io_threads")
    _scheduling().check_limit(1, io_threads, "io_threads")
    return _pointers.hand_out(C.zmq_init(io_threads), _CONTEXT)


def term(context: CData) -> int:
    """End a context, as `ctx_term` does. Deprecated.

    C: ``int zmq_term (void *context)``
    """
    return ctx_term(context)


def ctx_destroy(context: CData) -> int:
    """End a context, as `ctx_term` does. Deprecated.

    C: ``int zmq_ctx_destroy (void *context)``
    """
    return ctx_term(context)


# ---------------------------------------------------------------- sockets


def socket(context: CData, type: int) -> Socket | None:
    """Return a new socket, which `close` closes; None with `errno` set if there is no such type, or too many sockets.

    A draft type is a ValueError where libzmq is built without drafts.

    C: ``void *zmq_socket (void *context, int type)``
    """
    from . import _endpoints, _inproc

    _pointers.check(context, _CONTEXT, "context")
    _endpoints.refuse_draft_type(type)
    scheduling = _scheduling()
    scheduling.settle(context)
    if not scheduling.can_start(context):
        return None
    made = scheduling.make_socket(lambda: C.zmq_socket(context, type))
    if made:
        scheduling.note_started(context)
    handle: Socket | None = _pointers.hand_out(made, "socket")  # type: ignore[assignment]
    if handle is not None:
        _handles.companions(handle)[_inproc.CONTEXT] = int(ffi.cast("uintptr_t", context))
    return handle


def close(socket: Socket) -> int:
    """Close a socket, now and only once; return 0, or -1 for what is no socket.

    A zsocket is destroyed. The socket inside a zsock or zactor is a ValueError: destroy that.

    C: ``int zmq_close (void *socket)``
    """
    _pointers.check(socket, "socket", "socket")
    if socket not in _pointers.handed_out:
        owner = _pointers.owner_of(socket)
        if owner is not None and ffi.typeof(owner) is not _pointers.VOID:
            raise ValueError(f"socket belongs to a {ffi.typeof(owner).cname}: destroy that")
        if owner is not None:
            _handles.destroy(owner, _pointers.VOID, C.zmq_close, "socket")
            if owner is not socket:
                _handles.kill(socket, "was closed")
            return 0
        if C.zmq_getsockopt(socket, 16, ffi.new("int *"), ffi.new("size_t *", 4)) != 0 and errno() == ENOTSOCK:
            return -1
    # Before C is called: an exception of a signal's handler may come any time.
    _pointers.retire(socket, "was closed")
    return C.zmq_close(socket)


if TYPE_CHECKING:

    @overload
    def setsockopt(socket: Socketish, option: int, optval: int | Text | Buffer) -> int: ...
    @overload
    def setsockopt(socket: Socketish, option: int, optval: CData, optvallen: int) -> int: ...


def setsockopt(socket: Socketish, option: int, optval: Any, optvallen: int | None = None) -> int:
    """Set a socket option, ``zmq.setsockopt(socket, zmq.LINGER, 0)``; return 0, or -1 if libzmq refuses it.

    *optval* is an int, text or bytes, as the option wants: a TypeError if it is not, a ValueError for what could crash
    libzmq. CURVE keys are 40 characters of Z85, or 32 bytes. The call of C, with a pointer of cffi and a size, works
    as well.

    C: ``int zmq_setsockopt (void *socket, int option, const void *optval, size_t optvallen)``
    """
    from . import _zmq_options

    return _zmq_options.set_(_socket(socket), socket, _integer(option, "option"), optval, optvallen)


if TYPE_CHECKING:

    @overload
    def getsockopt(socket: Socketish, option: int) -> int | str | bytes | None: ...
    @overload
    def getsockopt(socket: Socketish, option: int, optval: CData, optvallen: CData) -> int: ...


def getsockopt(
    socket: Socketish, option: int, optval: CData | None = None, optvallen: CData | None = None
) -> int | str | bytes | None:
    """Return a socket option: an int, text, or, for zmq.ROUTING_ID, bytes; None for one that cannot be read.

    The call of C, with a pointer of cffi to memory and one to its size, works as well, and returns 0 or -1.

    C: ``int zmq_getsockopt (void *socket, int option, void *optval, size_t *optvallen)``
    """
    from . import _zmq_options

    handle = _socket(socket)
    option = _integer(option, "option")
    if optval is None:
        return _zmq_options.get(handle, option)
    return _zmq_options.read_into(handle, option, optval, optvallen)


def bind(socket: Socketish, endpoint: Text) -> int:
    """Accept connections at an endpoint such as "tcp://127.0.0.1:*"; return 0, or -1 with `errno` set.

    What a wildcard became is the option zmq.LAST_ENDPOINT.

    C: ``int zmq_bind (void *socket, const char *addr)``
    """
    from . import _endpoints

    _socket(socket)
    return _endpoints.bind(socket, endpoint, C.zmq_bind)


def connect(socket: Socketish, endpoint: Text) -> int:
    """Connect to an endpoint, which need not be there yet; return 0, or -1 with `errno` set.

    C: ``int zmq_connect (void *socket, const char *addr)``
    """
    from . import _endpoints

    _socket(socket)
    return _endpoints.connect(socket, endpoint)


def unbind(socket: Socketish, endpoint: Text) -> int:
    """Stop accepting connections at an endpoint; return 0, or -1 with `errno` set.

    C: ``int zmq_unbind (void *socket, const char *addr)``
    """
    _socket(socket)
    return _endpoints.unbind(socket, endpoint)


def disconnect(socket: Socketish, endpoint: Text) -> int:
    """Disconnect from an endpoint; return 0, or -1 with `errno` set.

    C: ``int zmq_disconnect (void *socket, const char *addr)``
    """
    _socket(socket)
    return _endpoints.disconnect(socket, endpoint)


if TYPE_CHECKING:

    @overload
    def send(socket: Socketish, data: Text | Buffer, flags: int = 0, /) -> int: ...
    @overload
    def send(socket: Socketish, data: Text | Buffer, len: int, flags: int, /) -> int: ...
    @overload
    def send(socket: Socketish, data: Text | Buffer, *, flags: int) -> int: ...


def send(socket: Socketish, data: Any, *args: int, flags: int = 0) -> int:
    """Send one frame: ``zmq.send(socket, data, flags)``; return its size, or -1 if the socket's SNDTIMEO has passed.

    *data* is anything with the buffer protocol, or str, as UTF-8. *flags* are zmq.SNDMORE (more frames of the message
    will follow) and zmq.DONTWAIT. The call of C, ``zmq.send(socket, data, len, flags)``, sends the first *len* bytes.

    C: ``int zmq_send (void *socket, const void *buf, size_t len, int flags)``
    """
    handle = _socket(socket)
    content = data if type(data) is bytes else _text.data(data)
    if args:
        flags = _integer(args[-1], "flags")
        if len(args) == 2:
            content = content[0 : _integer(args[0], "len", 0, len(content))]
        elif len(args) > 2:
            raise TypeError("zmq.send takes socket, data and flags, or socket, data, len and flags")
    if handle is not socket and _guarded and _is_guarded(socket):
        return _zmq_msg.command(socket, content, _integer(flags, "flags"))
    return _send(handle, content, flags) if len(content) < _INT_MAX else _send_huge(handle, content, flags)


def _send_huge(handle: Socket, content: bytes | CData, flags: int) -> int:
    """Send one frame of a size that C, which returns an int, does not tell."""
    return len(content) if _send(handle, content, flags) >= 0 else -1


def send_const(socket: Socketish, data: Any, *args: int, flags: int = 0) -> int:
    """Send one frame, as `send` does.

    C would not copy the data, and so would read memory that Python may have freed or moved: here it is copied.

    C: ``int zmq_send_const (void *socket, const void *buf, size_t len, int flags)``
    """
    return send(socket, data, *args, flags=flags)


if TYPE_CHECKING:

    @overload
    def recv(socket: Socketish, flags: int = 0) -> bytes | None: ...
    @overload
    def recv(socket: Socketish, buf: Buffer | CData, len: int, flags: int = 0, /) -> int: ...


def recv(socket: Socketish, *args: Any, flags: int = 0) -> bytes | int | None:
    """Receive one frame: ``zmq.recv(socket, flags)``; None if there is none before the socket's RCVTIMEO has passed.

    *flags* may be zmq.DONTWAIT. The call of C, ``zmq.recv(socket, buf, len, flags)``, writes up to *len* bytes into a
    buffer that can be written to, and returns the size of the frame, or -1.

    C: ``int zmq_recv (void *socket, void *buf, size_t len, int flags)``
    """
    handle = _socket(socket)
    if args:
        if len(args) > 1:
            return _recv_into(handle, *args)
        flags = args[0]
    try:
        message = _messages.pop()
    except IndexError:
        message = _message()
    try:
        size = _msg_recv(message, handle, flags) if flags & DONTWAIT else _receive(message, handle)
        if size < 0:
            return None
        if size <= _BIG:
            return _buffer(_msg_data(message), size)[:]  # type: ignore[no-any-return]
        # The size that is returned ends at 2 GiB.
        content: bytes = _buffer(_msg_data(message), C.zmq_msg_size(message))[:]
        C.zmq_msg_close(message)
        C.zmq_msg_init(message)
        return content
    finally:
        _messages.append(message)


def _recv_into(handle: Socket, buf: Any, size: int, flags: int = 0) -> int:
    """Receive one frame into a buffer and return its size, which may be more than fits; or -1."""
    if isinstance(buf, ffi.CData):
        view = _buffer(buf, size) if ffi.typeof(buf).kind == "pointer" else _buffer(buf)
    else:
        try:
            view = _buffer(ffi.from_buffer(buf, require_writable=True))
        except (TypeError, BufferError, ValueError):
            raise TypeError(f"buf must be a buffer that can be written to, not {type(buf).__name__}") from None
    size = _integer(size, "len", 0, len(view))
    message = _message()
    received = _msg_recv(message, handle, flags) if flags & DONTWAIT else _receive(message, handle)
    if received <= 0:
        return received
    try:
        whole: int = C.zmq_msg_size(message)
        ffi.memmove(view, _msg_data(message), min(whole, size))
        return whole
    finally:
        C.zmq_msg_close(message)


def _message() -> ZmqMsg:
    from ._zmq_msg import msg_init

    return msg_init()


def socket_monitor(socket: Socketish, endpoint: Text | None, events: int = EVENT_ALL) -> int:
    """Publish what happens to a socket at an inproc endpoint, for a PAIR socket to connect to; return 0, or -1.

    *events* is a sum of zmq.EVENT_CONNECTED and so on. Each event comes as two frames: its number (16 bits) and value
    (32 bits), in this machine's order of bytes, and the endpoint. None as the endpoint ends that.

    C: ``int zmq_socket_monitor (void *socket, const char *addr, int events)``
    """
    handle, address = _socket(socket), _text.optional(endpoint, "endpoint")
    # libzmq publishes by a socket of its own.
    return 0 if _scheduling().make_socket(lambda: C.zmq_socket_monitor(handle, address, events) == 0) else -1


def has(capability: Text) -> bool:
    """Tell whether libzmq was built with something: "ipc", "pgm", "tipc", "norm", "curve", "gssapi", "draft" ….

    C: ``int zmq_has (const char *capability)``
    """
    return C.zmq_has(_text.cstring(capability, "capability")) != 0


if not TYPE_CHECKING:
    from ._alias import aliases

    _alias = aliases("zmq")
    #: Modules that hold the rest of this namespace, loaded when something is looked up that is not here.
    _PARTS = ("_zmq_poll", "_zmq_msg", "_zmq_tools", "_zmq_proxy", "_zmq_draft", "_zmq_poller")

    def _parts():
        from importlib import import_module

        return [import_module(f"{__package__}.{name}") for name in _PARTS]

    def __getattr__(name):
        if not name.startswith("_"):
            for part in _parts():
                if name in part.__all__:
                    return globals().setdefault(name, getattr(part, name))
        return _alias(name)

    def __dir__():
        return sorted({*globals(), *(name for part in _parts() for name in part.__all__)})
