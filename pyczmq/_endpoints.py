"""Sockets' types, binding and connecting, with what libzmq would assert about them caught first."""

from __future__ import annotations

import errno
import time

from . import _handles, _inproc, _scheduling, _text
from ._cffi import C, ffi
from ._czmq2 import zsocket as _zsocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ._types import Socket, Socketish, Text

_USE_FD = 89

#: Where libzmq asks for authentication, and the types of sockets that it asks: REP, ROUTER, SERVER.
_ZAP = b"inproc://zeromq.zap.01"
_ANSWERING = (4, 6, 12)

#: The transports whose listeners and connections a socket owns.
_OWNED = (b"tcp:", b"ipc:", b"ws:", b"wss:")

#: Seconds that a signal of libzmq's may take: its thread may have to wait for a processor.
_SIGNAL_PATIENCE = 1.0

_LARGEST_PORT = 2**16 - 1

#: The types of sockets that only a libzmq with drafts can use: from SERVER to CHANNEL.
_DRAFT_TYPES = range(12, 21)

_POLLIN = 1
_RCVMORE, _FD, _EVENTS, _TYPE = 13, 14, 15, 16

# Companions of a socket.
_NEXT = "the routing id of the next connection"
_USED = "the routing ids of earlier connections"

#: Listening descriptors that libzmq has taken over, as (device, inode).
_handed_over: set[tuple[int, int]] = set()


def refuse_draft_type(kind: int) -> None:
    """Raise ValueError for a draft type where libzmq is built without drafts.

    It makes such a socket, but aborts when it has to name the type to a peer, or when a DGRAM sends unbound.
    """
    if kind in _DRAFT_TYPES and not C.zmq_has(b"draft"):
        raise ValueError(f"type is {kind}, a draft that this libzmq cannot use")


def bind(sock: Socketish, endpoint: Text, function: Callable[[Socket, bytes], int] = _zsocket.bind) -> int:
    """Bind to *endpoint* with zsocket's function, or with libzmq's; return what that does, -1 on failure."""
    handle = _handles.socket(sock, "sock")
    address = _text.cstring(endpoint, "endpoint")
    if not is_usable(address) or breaks_authentication(handle, address):
        return -1
    if not _inproc.can_bind(sock, handle, address):
        return -1
    taken = hand_over(handle, address)
    port = function(handle, address)
    if port >= 0:
        settle(handle, address)
        if taken is not None:
            handed_over(handle, taken)
        _inproc.bound(sock, handle, address)
    return port


def unbind(sock: Socketish, endpoint: Text) -> int:
    """Unbind from *endpoint*; return 0, or -1 on failure."""
    handle = _handles.socket(sock, "sock")
    address = _text.cstring(endpoint, "endpoint")
    rc = C.zmq_unbind(handle, address)
    if rc == 0:
        _inproc.unbound(sock, handle, address)
    return rc


def connect(sock: Socketish, endpoint: Text) -> int:
    """Connect to *endpoint*; return 0, or -1 on failure."""
    handle = _handles.socket(sock, "sock")
    address = _text.cstring(endpoint, "endpoint")
    if not is_usable(address) or not _inproc.can_connect(handle, address):
        return -1
    rc = C.zmq_connect(handle, address)
    if rc == 0:
        settle(handle, address)
        connected(sock)
        _inproc.connected(sock, handle, address)
    return rc


def settle(handle: Socket, endpoint: bytes) -> None:
    """Have a socket take note of what listens or connects for it, so that `unbind` or `disconnect` ends that.

    libzmq sends it to the socket as a command. To be seen, a command takes a signal, which is given for one that comes
    just before it too, by the thread that has sent that one, and so maybe later. An unbind or disconnect before then
    finds nothing to end: it returns 0, and the listener or connection lives for as long as the socket.
    """
    if not endpoint.startswith(_OWNED):
        return
    descriptor = ffi.new("zmq_fd_t *")
    # A socket for several threads has none.
    if C.zmq_getsockopt(handle, _FD, descriptor, ffi.new("size_t *", ffi.sizeof("zmq_fd_t"))) == 0:
        item = ffi.new("zmq_pollitem_t *", {"fd": descriptor[0], "events": _POLLIN})
        deadline = time.monotonic() + _SIGNAL_PATIENCE
        while C.zmq_poll(item, 1, int(_SIGNAL_PATIENCE * 1000)) < 0 and time.monotonic() < deadline:
            pass
        C.zmq_getsockopt(handle, _EVENTS, ffi.new("int *"), ffi.new("size_t *", ffi.sizeof("int")))


def disconnect(sock: Socketish, endpoint: Text) -> int:
    """Disconnect from *endpoint*; return 0, or -1 on failure.

    Raises ValueError where libzmq would abort: while a message was received in part, whose rest would be gone when it
    looks for that; and for a REP or ROUTER that waits for somebody to bind an inproc name, since whoever does so then
    finds a connection that cannot be written to.
    """
    handle = _handles.socket(sock, "sock")
    address = _text.cstring(endpoint, "endpoint")
    if _inproc.get_int(handle, _RCVMORE):
        raise ValueError("sock has received a message in part: receive the rest of it before, or drop that (flush)")
    _inproc.check_disconnect(sock, handle, address)
    rc = C.zmq_disconnect(handle, address)
    if rc == 0:
        _inproc.disconnected(sock, handle, address)
    return rc


def is_usable(endpoint: bytes) -> bool:
    """Tell whether libzmq can be given *endpoint*; errno is set if not.

    It aborts over NORM endpoints that do not work, takes a port that is too large for another one, and, to look for a
    network interface of that name, opens a descriptor that it must get.
    """
    if endpoint.startswith((b"tcp:", b"udp:")):
        if not _scheduling.has_descriptors(_scheduling.SPARE):
            return False
        port = endpoint.rpartition(b":")[2]
        ffi.errno = errno.EINVAL
        return not port.isdigit() or int(port) <= _LARGEST_PORT
    if not endpoint.startswith(b"norm:"):
        return True
    from . import _norm

    ffi.errno = errno.EINVAL
    return _norm.is_usable(endpoint)


def breaks_authentication(handle: Socket, endpoint: bytes) -> bool:
    """Tell whether a socket is about to be bound where libzmq asks for authentication, and cannot answer; sets errno.

    libzmq asserts that it is of another type once a client comes.
    """
    if endpoint != _ZAP:
        return False
    kind = _inproc.get_int(handle, _TYPE)
    ffi.errno = errno.EINVAL
    return kind not in _ANSWERING


def plan_connection(sock: Socketish, routing_id: bytes, name: str) -> None:
    """Note the routing id for the next connection; libzmq asserts that none is used twice."""
    plans = _handles.companions(sock)
    if routing_id in plans.get(_USED, ()):
        raise ValueError(f"{name} {routing_id!r} was used for another connection of this socket")
    plans[_NEXT] = routing_id


def connected(sock: Socketish) -> None:
    """Note that a connection was made, which used up the routing id that was set for it."""
    plans = _handles.find_companions(sock)
    if plans and _NEXT in plans:
        plans.setdefault(_USED, set()).add(plans.pop(_NEXT))


def hand_over(handle: Socket, endpoint: bytes) -> tuple[int, int] | None:
    """Check the descriptor of `zsocket.set_use_fd` that a bind is about to take over; None where it takes none.

    libzmq asserts that it listens, and that it was not handed over before. Returns what `handed_over` wants.
    """
    number = ffi.new("int *")
    if C.zmq_getsockopt(handle, _USE_FD, number, ffi.new("size_t *", 4)) != 0 or number[0] < 0:
        return None
    if endpoint.startswith(b"inproc:"):
        return None
    import os
    import socket

    what = f"use_fd: the descriptor {number[0]}"
    try:
        status = os.fstat(number[0])
        with socket.socket(fileno=os.dup(number[0])) as probe:
            listens = probe.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise ValueError(f"{what} is no socket: {error}") from None
    if not listens:
        raise ValueError(f"{what} does not listen")
    identity = (status.st_dev, status.st_ino)
    if identity in _handed_over:
        raise ValueError(f"{what} was handed over before")
    return identity


def handed_over(handle: Socket, identity: tuple[int, int]) -> None:
    """Note that libzmq owns a descriptor now, so that no other bind takes it over too."""
    _handed_over.add(identity)
    C.zmq_setsockopt(handle, _USE_FD, ffi.new("int *", -1), 4)
