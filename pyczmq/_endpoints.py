"""Sockets' types, binding and connecting, with what libzmq would assert about them caught first."""

from __future__ import annotations

import errno
import time
import weakref

from . import _handles, _scheduling, _text
from ._cffi import C, ffi
from ._czmq2 import zsocket as _zsocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ._types import CData, Socket, Socketish, Text

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
_PAIR, _REP, _ROUTER, _STREAM = 0, 4, 6, 11
_RCVMORE, _FD, _EVENTS, _TYPE, _LAST_ENDPOINT = 13, 14, 15, 16, 32
_ENOCOMPATPROTO = 156384764

#: Milliseconds in which libzmq's own thread ends a connection: where one may be ending, and where something has.
_MOMENT = 10
_LONG_MOMENT = 50

#: How often it is waited for.
_ROUNDS = 25

_INPROC = b"inproc:"
_LONGEST = 512
_VOID = ffi.typeof("void *")

# Companions of a socket.
_NEXT = "the routing id of the next connection"
_USED = "the routing ids of earlier connections"
_WAITS = "the connections that waited for somebody to bind their inproc name"
_BEGAN = "how many sockets had ended when this one began with inproc"
_CONNECTIONS = "the inproc names that it was bound or connected to"
CONTEXT = "the address of the libzmq context, where nothing else tells it"

#: A context's address, and an inproc name in it.
_Name = tuple[int, bytes]


class _Wait:
    """A connection of a REP or ROUTER to an inproc name that nobody had bound: what libzmq cannot take back."""

    __slots__ = ("__weakref__", "over")

    def __init__(self) -> None:
        #: Whether somebody has bound the name.
        self.over = False


#: How often an inproc name was connected to, in any context.
_connections: dict[bytes, int] = {}

_waiting: dict[_Name, weakref.WeakSet[_Wait]] = {}

#: The handles of what has bound inproc names.
_bound: dict[_Name, weakref.ref[CData]] = {}

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
    is_inproc = address.startswith(_INPROC)
    if is_inproc and not _can_bind(sock, handle, address):
        ffi.errno = _ENOCOMPATPROTO
        return -1
    taken = hand_over(handle, address)
    port = function(handle, address)
    if port >= 0:
        settle(handle, address)
        if taken is not None:
            handed_over(handle, taken)
        if is_inproc:
            _note_inproc(sock)
            _note_rejected(sock, handle, address)
            _note_bound((_context(sock, handle), address), sock)
    return port


def unbind(sock: Socketish, endpoint: Text) -> int:
    """Unbind from *endpoint*; return 0, or -1 on failure."""
    handle = _handles.socket(sock, "sock")
    address = _text.cstring(endpoint, "endpoint")
    rc = C.zmq_unbind(handle, address)
    if rc == 0 and address.startswith(_INPROC):
        _bound.pop((_context(sock, handle), address), None)
    return rc


def connect(sock: Socketish, endpoint: Text) -> int:
    """Connect to *endpoint*; return 0, or -1 on failure."""
    handle = _handles.socket(sock, "sock")
    address = _text.cstring(endpoint, "endpoint")
    if not is_usable(address):
        return -1
    kind = _type(handle) if address.startswith(_INPROC) else None
    if kind == _STREAM:
        ffi.errno = _ENOCOMPATPROTO
        return -1
    rc = C.zmq_connect(handle, address)
    if rc == 0:
        settle(handle, address)
        connected(sock)
        if kind is not None:
            _note_inproc(sock)
            _connections[address] = _connections.get(address, 0) + 1
            _note_rejected(sock, handle, address)
        if kind in (_REP, _ROUTER):
            _note_wait(sock, handle, address)
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
    if _get_int(handle, _RCVMORE):
        raise ValueError("sock has received a message in part: receive the rest of it before, or drop that (flush)")
    waits = (_handles.find_companions(sock) or {}).get(_WAITS, {})
    if not all(wait.over for wait in waits.get(address, ())) and not _is_bound(sock, handle, address):
        raise ValueError(
            f"endpoint {_text.decode(address)!r} was bound by nobody yet, and libzmq would abort once it is: "
            "close the socket instead"
        )
    rc = C.zmq_disconnect(handle, address)
    if rc == 0:
        _handles.endings[0] += 1
        waits.pop(address, None)
    return rc


def _can_bind(sock: Socketish, handle: Socket, address: bytes) -> bool:
    """Tell whether libzmq bears that a socket binds an inproc name.

    It aborts when a PAIR turns a waiting REP or ROUTER away, and when a STREAM, which is for tcp, is sent a message.
    """
    kind = _type(handle)
    if kind == _STREAM:
        return False
    return kind != _PAIR or not _waiting or not _waiting.get((_context(sock, handle), address))


def _note_bound(name: _Name, sock: Socketish) -> None:
    """Note that an inproc name is bound, so that nobody waits for that any more."""

    def forget(reference: weakref.ref[CData], bound: dict[_Name, weakref.ref[CData]] = _bound) -> None:
        if bound.get(name) is reference:
            bound.pop(name, None)

    _bound[name] = weakref.ref(sock, forget)
    for wait in _waiting.pop(name, ()):
        wait.over = True


def _note_wait(sock: Socketish, handle: Socket, address: bytes) -> None:
    """Note that a connection waits for somebody to bind an inproc name, if that is so."""
    name = _context(sock, handle), address
    reference = _bound.get(name)
    binder = None if reference is None else reference()
    if binder is not None and _handles.fate(binder) is None:
        return
    wait = _Wait()
    _waiting.setdefault(name, weakref.WeakSet()).add(wait)
    _handles.companions(sock).setdefault(_WAITS, {}).setdefault(address, []).append(wait)


def _is_bound(sock: Socketish, handle: Socket, address: bytes) -> bool:
    """Tell whether something of C's has bound an inproc name meanwhile; True where that cannot be found out."""
    from . import _rehearsal

    context = _context(sock, handle)
    return not context or _rehearsal.is_bound(address, ffi.cast("void *", context))


def _context(sock: Socketish, handle: Socket) -> int:
    """Return the address of a socket's libzmq context, 0 where that is not known."""
    from . import _room
    from ._czmq2 import zctx

    if ffi.typeof(sock) is not _VOID or handle in _room.sockets:
        return int(ffi.cast("uintptr_t", C.zsys_init()))
    for found in list(zctx._contexts.values()):
        if handle in found.sockets:
            return int(ffi.cast("uintptr_t", found.underlying))
    return int((_handles.find_companions(sock) or {}).get(CONTEXT, 0))


def _type(handle: Socket) -> int:
    return _get_int(handle, _TYPE)


def _get_int(handle: Socket, option: int) -> int:
    """Return an int option of a libzmq socket; 0 where it cannot be read."""
    value = ffi.new("int *")
    C.zmq_getsockopt(handle, option, value, ffi.new("size_t *", 4))
    return int(value[0])


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
    kind = ffi.new("int *")
    C.zmq_getsockopt(handle, _TYPE, kind, ffi.new("size_t *", 4))
    ffi.errno = errno.EINVAL
    return kind[0] not in _ANSWERING


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


def notice_ended(sock: Socketish, handle: Socket) -> None:
    """Have libzmq notice which connections have ended, before it is told other high-water marks.

    It tells them to the other end of each connection, and of one that is ending, too: freed memory, by then or soon.
    libzmq's own thread, at the other end of any transport but inproc, ends in a moment. There, another socket has to
    be used for that, and nobody knows when it is: so once a socket has ended since this one began with inproc,
    ValueError is raised.
    """
    endpoint = ffi.new("char[]", _LONGEST)
    rc = C.zmq_getsockopt(handle, _LAST_ENDPOINT, endpoint, ffi.new("size_t *", _LONGEST))
    if rc != 0 or endpoint[0] == b"\0":
        # Its context has ended, or it was never bound or connected.
        return
    began = (_handles.find_companions(sock) or {}).get(_BEGAN)
    if began is not None and began != _handles.endings[0]:
        raise ValueError(
            "sock has an inproc endpoint, and sockets were closed since: libzmq might write the mark to what "
            "it has freed; set it before the endpoint"
        )
    if began is not None or not ffi.string(endpoint).startswith(_INPROC):
        _await_quiet(handle)


def _await_quiet(handle: Socket) -> None:
    """Wait until libzmq has had nothing to tell a socket for a moment, a longer one after it has.

    A socket that is busy has messages all the time; there it has to do that nothing has ended lately.
    """
    number, size = ffi.new("zmq_fd_t *"), ffi.new("size_t *", ffi.sizeof("zmq_fd_t"))
    if C.zmq_getsockopt(handle, _FD, number, size) != 0:
        return
    item = ffi.new("zmq_pollitem_t *", {"fd": number[0], "events": _POLLIN})
    moment = _MOMENT
    for _ in range(_ROUNDS):
        if C.zmq_poll(item, 1, moment) <= 0:
            break
        # That is when it looks.
        _get_int(handle, _EVENTS)
        moment = _LONG_MOMENT


def _note_rejected(sock: Socketish, handle: Socket, address: bytes) -> None:
    """Note that a connection over inproc may have ended as soon as it was made: a PAIR takes no second one."""
    binder = _bound.get((_context(sock, handle), address))
    other = None if binder is None else binder()
    ends = handle if other is None or _handles.fate(other) is not None else _handles.socket(other)  # type: ignore[arg-type]
    seen = _handles.companions(sock).setdefault(_CONNECTIONS, [])
    seen.append(address)
    if (_connections.get(address, 0) > 1 and _PAIR in (_type(handle), _type(ends))) or (
        len(seen) > 1 and _type(handle) == _PAIR
    ):
        _handles.endings[0] += 1


def _note_inproc(sock: Socketish) -> None:
    """Note that a socket has something to do with inproc from now on."""
    _handles.companions(sock).setdefault(_BEGAN, _handles.endings[0])
