"""zsocket: CZMQ 2's functions for plain libzmq sockets; the options among them come from the table in `_zsockopt`."""

from __future__ import annotations

import errno
from functools import partial

from .. import _blocking
from .._cffi import C, ffi
from .zctx import context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from .._types import CData, Socket

DYNFROM = 0xC000
DYNTO = 0xFFFF

_TYPE = 16
_LAST_ENDPOINT = 32
_MORE = 1
_DONTWAIT = 4
_NAMES = (
    *("PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB", "STREAM"),
    *("SERVER", "CLIENT", "RADIO", "DISH", "GATHER", "SCATTER", "DGRAM", "PEER", "CHANNEL"),
)
_names: dict[int, CData] = {}


def _format(format: CData | bytes, args: tuple[Any, ...]) -> bytes:
    """Return a C format filled in by C itself, as the original did."""
    text = C.zsys_sprintf(format, *args)
    try:
        return bytes(ffi.string(text))
    finally:
        C.zstr_free(ffi.new("char **", text))


def _wildcard(port: bytes) -> range | None:
    """Return the ports that ``*`` or ``!``, alone or with a range as in ``*[60000-60010]``, stands for."""
    if port in (b"*", b"!"):
        return range(DYNFROM, DYNTO + 1)
    first, dash, last = port[2:-1].partition(b"-")
    if port[:2] not in (b"*[", b"![") or port[-1:] != b"]" or not dash or not (b"0" + first + last).isdigit():
        return None
    return range(max(1, min(int(first or DYNFROM), DYNTO + 1)), min(int(last or DYNTO), DYNTO) + 1)


def _shuffled(ports: range) -> Iterator[int]:
    """Yield each of the ports once: from a random one on, in steps of a random size, which is prime to their number."""
    import math
    import random

    number = len(ports)
    start = step = random.randrange(max(1, number))
    while math.gcd(step, number) > 1:
        step = random.randrange(number)
    for turn in range(number):
        yield ports[(start + turn * step) % number]


def bind(handle: Socket, endpoint: bytes, attempt: Callable[[bytes], int] | None = None) -> int:
    """Bind to *endpoint*; return its port, 0 where it has none, -1 on failure.

    In a tcp endpoint the port ``*`` stands for the first free one, and ``!`` for a random one, of a range. *attempt*
    binds to one endpoint in place of libzmq's function, and returns a negative number if it cannot.
    """
    try_one = attempt or partial(C.zmq_bind, handle)
    base, _, port = endpoint.rpartition(b":")
    ports = _wildcard(port) if endpoint.startswith(b"tcp://") else None
    candidates: Iterable[bytes] = (endpoint,)
    if ports is not None:
        numbers: Iterable[int] = _shuffled(ports) if port.startswith(b"!") else ports
        candidates = (b"%s:%d" % (base, number) for number in numbers)
    ffi.errno = errno.EINVAL
    for candidate in candidates:
        if try_one(candidate) >= 0:
            return 0 if endpoint.startswith((b"inproc:", b"ipc:")) else _bound_port(handle)
        if ffi.errno not in (errno.EADDRINUSE, errno.EACCES):
            break
    return -1


def _bound_port(handle: Socket) -> int:
    """Return the port that was bound last; libzmq chooses one for 0, and cuts larger ones to 16 bits."""
    text = ffi.new("char[]", 256)
    C.zmq_getsockopt(handle, _LAST_ENDPOINT, text, ffi.new("size_t *", 256))
    port = ffi.string(text).rpartition(b":")[2].partition(b"/")[0]
    return int(port) if port.isdigit() else 0


def type_name(handle: Socket) -> str:
    """Return the name of a socket's type, UNKNOWN if it cannot be told."""
    kind = ffi.new("int *", -1)
    C.zmq_getsockopt(handle, _TYPE, kind, ffi.new("size_t *", 4))
    return _NAMES[kind[0]] if 0 <= kind[0] < len(_NAMES) else "UNKNOWN"


def zmq_flags(flags: int) -> int:
    """Return libzmq's flags for those of CZMQ's zframe: MORE is 1, DONTWAIT is 4."""
    return (2 if flags & _MORE else 0) | (1 if flags & _DONTWAIT else 0)


def zsocket_new(self: CData, type: int) -> Socket:
    """C: ``void *zsocket_new (zctx_t *self, int type)``."""
    return context(self).open(type)


def zsocket_destroy(self: CData, socket: CData) -> None:
    """C: ``void zsocket_destroy (zctx_t *self, void *socket)``."""
    context(self).close(socket)


def zsocket_bind(socket: Socket, format: CData | bytes, *args: Any) -> int:
    """C: ``int zsocket_bind (void *socket, const char *format, ...)``."""
    return bind(socket, _format(format, args))


def zsocket_unbind(socket: Socket, format: CData | bytes, *args: Any) -> int:
    """C: ``int zsocket_unbind (void *socket, const char *format, ...)``."""
    return C.zmq_unbind(socket, _format(format, args))


def zsocket_connect(socket: Socket, format: CData | bytes, *args: Any) -> int:
    """C: ``int zsocket_connect (void *socket, const char *format, ...)``."""
    return C.zmq_connect(socket, _format(format, args))


def zsocket_disconnect(socket: Socket, format: CData | bytes, *args: Any) -> int:
    """C: ``int zsocket_disconnect (void *socket, const char *format, ...)``."""
    return C.zmq_disconnect(socket, _format(format, args))


def zsocket_poll(socket: Socket, msecs: int) -> bool:
    """C: ``bool zsocket_poll (void *socket, int msecs)``."""
    return C.zmq_poll(_blocking.pollitem(socket, _blocking.POLLIN), 1, msecs) > 0


def zsocket_type_str(socket: Socket) -> CData:
    """C: ``const char *zsocket_type_str (void *socket)``."""
    name = type_name(socket)
    return _names.setdefault(hash(name), ffi.new("char[]", name.encode()))


def zsocket_sendmem(socket: Socket, data: CData | bytes, size: int, flags: int) -> int:
    """C: ``int zsocket_sendmem (void *socket, const void *data, size_t size, int flags)``."""
    return 0 if C.zmq_send(socket, data, size, zmq_flags(flags)) >= 0 else -1


def zsocket_signal(socket: Socket) -> int:
    """C: ``int zsocket_signal (void *socket)``."""
    return C.zsock_signal(socket, 0)


def zsocket_wait(socket: Socket) -> int:
    """C: ``int zsocket_wait (void *socket)``."""
    return C.zsock_wait(socket)


FUNCTIONS = {
    function.__name__: function
    for function in (
        zsocket_new,
        zsocket_destroy,
        zsocket_bind,
        zsocket_unbind,
        zsocket_connect,
        zsocket_disconnect,
        zsocket_poll,
        zsocket_type_str,
        zsocket_sendmem,
        zsocket_signal,
        zsocket_wait,
    )
}


def option_function(name: str) -> Callable[..., Any] | None:
    """Make the function for a socket option, such as zsocket_set_linger; None if there is none of that name."""
    from .. import _zsockopt

    return _zsockopt.raw_function(name)


def option_names() -> list[str]:
    """Return the names of all functions for socket options."""
    from .. import _zsockopt_table

    return [f"zsocket_{name}" for name in _zsockopt_table.functions()]
