"""zsocket: sockets. Makes libzmq sockets in a context, binds and connects them, and gets and sets their options.

A socket is a plain libzmq socket (``void *``), so that all of libzmq can be called on it. Messages go through it with
the functions of zstr, zframe and zmsg. Where it makes sense a ``zsock_t *`` or ``zactor_t *`` will do as well.

    ctx = zctx.new()
    reader = zsocket.new(ctx, zmq.PULL)
    port = zsocket.bind(reader, "tcp://127.0.0.1:*")
    writer = zsocket.new(ctx, zmq.PUSH)
    zsocket.set_sndhwm(writer, 10)
    zsocket.connect(writer, f"tcp://127.0.0.1:{port}")

Nothing needs an explicit destroy: a socket that nobody refers to is closed, with its context's linger. A socket keeps
its context alive, and is refused once the context was destroyed.

A socket belongs to one thread at a time, as in ZeroMQ: it may be made in one and used in another, but never in both at
once. This holds for destroying it, too.

Each socket option of libzmq has a function that reads it, named after the option, and one that sets it: `rcvhwm` and
`set_rcvhwm`; ``dir (zsocket)`` lists them. Text comes as str. Setting raises ValueError for a value that libzmq
refuses, or an option that it does not have, where C would abort. Reading raises OSError with libzmq's errno once the
context has ended.
"""

from __future__ import annotations

from . import _blocking, _endpoints, _handles, _scheduling, _text
from ._cffi import C, ffi
from ._czmq2 import zctx as _context
from ._czmq2 import zsocket as _rebuilt
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._types import Buffer, Ctx, Socket, Socketish, Text
    from ._zsockopt_functions import *  # noqa: F403
    from ._zsockopt_functions import set_curve_secretkey

    # The oldest programs look for these here.
    PAIR = PUB = SUB = REQ = REP = DEALER = ROUTER = PULL = PUSH = XPUB = XSUB = STREAM = XREQ = XREP = 0
    #: The old name of set_curve_secretkey.
    set_curve_secret = set_curve_secretkey

#: First and last port that a wildcard in an endpoint stands for.
DYNFROM = 0xC000
DYNTO = 0xFFFF

_CTX = ffi.typeof("zctx_t *")
_VOID = ffi.typeof("void *")


def new(ctx: Ctx, type: int) -> Socket | None:
    """Return a new socket in a context, of a type such as zmq.PUSH; None, with zmq.errno() set, if libzmq refuses.

    It has the context's high-water marks. A SUB socket gets nothing until `set_subscribe` says what. The garbage
    collector owns the socket.

    C: ``void *zsocket_new (zctx_t *self, int type)``
    """
    _handles.live(ctx, _CTX, "ctx")
    kind = integer(type, "type")
    _endpoints.refuse_draft_type(kind)
    owner = ffi.cast("zctx_t *", ctx)

    def free(pointer: Socket) -> None:
        # Where the context was collected first it has closed the socket.
        if _context.is_alive(owner):
            C.zsocket_destroy(owner, pointer)

    return _handles.own(_scheduling.make_socket(lambda: C.zsocket_new(ctx, kind)), free, ctx)


def destroy(ctx: Ctx, socket: Socket | None) -> None:
    """Close a socket of a context now, with the context's linger; None is let through.

    Raises ValueError for a socket of another context.

    C: ``void zsocket_destroy (zctx_t *self, void *socket)``
    """
    _handles.live(ctx, _CTX, "ctx")
    if socket is None:
        return
    _handles.live(socket, _VOID, "socket")
    found = _context.find(ctx)
    if found is not None and socket not in found.sockets:
        raise ValueError("socket belongs to another context")
    _handles.disown(socket, "was destroyed")
    C.zsocket_destroy(ctx, socket)


def bind(sock: Socketish, endpoint: Text) -> int:
    """Bind a socket to an endpoint; return the port, 0 where the endpoint has none, or -1 on failure.

    A tcp endpoint that ends in ``:*`` takes the first free port from `DYNFROM` to `DYNTO`, and one that ends in ``:!``
    a random one of them; ``:*[60000-60010]`` names the range. On failure zmq.errno() tells why. *endpoint* is never
    a format.

    C: ``int zsocket_bind (void *socket, const char *format, ...)``
    """
    return _endpoints.bind(sock, endpoint)


def unbind(sock: Socketish, endpoint: Text) -> int:
    """Unbind a socket from an endpoint, named as `last_endpoint` names it; return 0, or -1 on failure.

    C: ``int zsocket_unbind (void *socket, const char *format, ...)``
    """
    return _endpoints.unbind(sock, endpoint)


def connect(sock: Socketish, endpoint: Text) -> int:
    """Connect a socket to an endpoint; return 0, or -1 if the endpoint is not valid.

    The connection itself is made in the background, and made anew whenever it breaks.

    C: ``int zsocket_connect (void *socket, const char *format, ...)``
    """
    return _endpoints.connect(sock, endpoint)


def disconnect(sock: Socketish, endpoint: Text) -> int:
    """Disconnect a socket from an endpoint; return 0, or -1 if it was not connected to that.

    C: ``int zsocket_disconnect (void *socket, const char *format, ...)``
    """
    return _endpoints.disconnect(sock, endpoint)


def poll(sock: Socketish, msecs: int) -> bool:
    """Wait for input for at most *msecs* milliseconds, -1 for ever; return whether there is any.

    C: ``bool zsocket_poll (void *socket, int msecs)``
    """
    return _blocking.wait(_handles.socket(sock, "sock"), _blocking.POLLIN, integer(msecs, "msecs"))


def type_str(sock: Socketish) -> str:
    """Return the name of the socket's type, such as "PUSH".

    C: ``const char *zsocket_type_str (void *socket)``
    """
    return _rebuilt.type_name(_handles.socket(sock, "sock"))


def sendmem(sock: Socketish, data: Text | Buffer, flags: int = 0) -> int:
    """Send *data* as one frame; return 0, or -1 on failure, as when SNDTIMEO has passed.

    *flags* are those of zframe: MORE (1) if more frames of the message follow, DONTWAIT (4) not to block. C's argument
    *size* is not there, for Python knows how long *data* is: slice it, or a memoryview of it, to send a part.

    C: ``int zsocket_sendmem (void *socket, const void *data, size_t size, int flags)``
    """
    handle = _handles.socket(sock, "sock")
    zmq_flags = _rebuilt.zmq_flags(integer(flags, "flags"))
    if handle is not sock and _handles.guarded and _handles.is_guarded(sock):
        from . import _zmq_msg

        return 0 if _zmq_msg.command(sock, _text.data(data), zmq_flags) >= 0 else -1
    return 0 if _blocking.send(handle, _text.data(data), zmq_flags) >= 0 else -1


def signal(sock: Socketish, status: int = 0) -> int:
    """Send a signal, a short message with a status from 0 to 255 that `wait` understands; return 0, or -1 on failure.

    C: ``int zsocket_signal (void *socket)``
    """
    from . import _multipart

    return _multipart.signal(sock, _handles.socket(sock, "sock"), status)


def wait(sock: Socketish) -> int:
    """Wait for a signal and return its status; messages that are none are dropped.

    Returns -1 on failure, as when RCVTIMEO has passed. Raises what an actor's task has raised, once it has ended so.

    C: ``int zsocket_wait (void *socket)``
    """
    from . import _multipart

    return _multipart.wait(sock, _handles.socket(sock, "sock"))


def shadow_pyzmq_socket(sock: Any) -> Socket:
    """Return the libzmq socket of a PyZMQ socket, to be used here as well as there.

    It keeps the PyZMQ object alive, which goes on to own the socket: the handle must not be used once that is closed.
    Raises RuntimeError where PyZMQ runs on a libzmq of its own, as its binary wheels do; TypeError for anything but
    a ``zmq.Socket``, and ValueError for one that is closed.
    """
    from . import _pyzmq

    def keeper(_: Socket, keep: Any = sock) -> None:
        pass

    handle: Any = ffi.gc(_pyzmq.socket(sock), keeper)
    return handle  # type: ignore[no-any-return]


if not TYPE_CHECKING:
    from ._alias import aliases

    _aliases = aliases("zsocket")

    def __getattr__(name: str) -> Any:
        """Make the functions for options, and the socket types that the oldest programs look for here."""
        if name.isupper() and not name.startswith("_"):
            value = getattr(C, f"ZMQ_{name}", None)
        else:
            from . import _zsockopt

            value = _zsockopt.function("zsocket", "set_curve_secretkey" if name == "set_curve_secret" else name)
        if value is None:
            value = _aliases(name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        from ._zsockopt_table import functions

        return sorted({*globals(), *functions()})
