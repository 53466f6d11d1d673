"""What libzmq cannot bear of inproc connections, and of high-water marks that reach into those that have ended.

An inproc connection is two sockets of one context that hold on to each other's memory. Where libzmq would abort, or
write into what is freed, the call is refused before C gets it.
"""

from __future__ import annotations

import weakref

from . import _blocking, _handles, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import CData, Socket, Socketish

_PREFIX = b"inproc:"
_LONGEST = 512
_VOID = ffi.typeof("void *")

_PAIR, _REP, _ROUTER, _STREAM = 0, 4, 6, 11
_FD, _EVENTS, _TYPE, _LAST_ENDPOINT = 14, 15, 16, 32
_POLLIN = 1
_ENOCOMPATPROTO = 156384764

#: Milliseconds in which libzmq's own thread ends a connection: where one may be ending, and where something has.
_MOMENT = 10
_LONG_MOMENT = 50

#: How often it is waited for.
_ROUNDS = 25

#: Steps in which the two ends of a connection take leave of each other.
_STEPS = 3

# Companions of a socket.
_USES = "the inproc names that it was bound or connected to, with how it waits for each"
_BEGAN = "how many connections had been ended between sockets that go on, when this one began with inproc"
CONTEXT = "the address of the libzmq context, where nothing else tells it"


class _Name:
    """An inproc name of a context: it is known for as long as a socket that has used it."""

    __slots__ = ("__weakref__", "binder", "connections", "waiting")

    def __init__(self) -> None:
        #: The handle of what has bound it.
        self.binder: weakref.ref[CData] | None = None
        #: How many connections to it were made.
        self.connections = 0
        #: Connections of REPs and ROUTERs that were made before anybody had bound it.
        self.waiting: weakref.WeakSet[_Wait] = weakref.WeakSet()

    def bound_by(self) -> CData | None:
        """Return the handle that has bound it and is alive, if any."""
        handle = None if self.binder is None else self.binder()
        return None if handle is None or _handles.fate(handle) is not None else handle


class _Wait:
    """A connection to a name that nobody had bound: what libzmq cannot take back."""

    __slots__ = ("__weakref__", "over")

    def __init__(self) -> None:
        #: Whether somebody has bound the name.
        self.over = False


_names: weakref.WeakValueDictionary[tuple[int, bytes], _Name] = weakref.WeakValueDictionary()

#: How many connections have been ended between sockets that go on.
_endings = 0


# ---------------------------------------------------------------- binding and connecting


def can_bind(sock: Socketish, handle: Socket, address: bytes) -> bool:
    """Tell whether libzmq bears that a socket binds *address*; errno is set if not.

    It aborts when a PAIR turns a waiting REP or ROUTER away, and when a STREAM, which is for tcp, is sent a message.
    """
    if not address.startswith(_PREFIX):
        return True
    kind = get_int(handle, _TYPE)
    name = _names.get((_context(sock, handle), address))
    ffi.errno = _ENOCOMPATPROTO
    return kind != _STREAM and (kind != _PAIR or name is None or not name.waiting)


def can_connect(handle: Socket, address: bytes) -> bool:
    """Tell whether libzmq bears that a socket connects to *address*; errno is set if not."""
    if not address.startswith(_PREFIX):
        return True
    ffi.errno = _ENOCOMPATPROTO
    return get_int(handle, _TYPE) != _STREAM


def bound(sock: Socketish, handle: Socket, address: bytes) -> None:
    """Note that a socket was bound to *address*, so that nobody waits for that any more."""
    if address.startswith(_PREFIX):
        name = _use(sock, handle, address)
        name.binder = weakref.ref(sock)
        _note_rejected(sock, handle, name)
        for wait in list(name.waiting):
            wait.over = True
        name.waiting.clear()


def unbound(sock: Socketish, handle: Socket, address: bytes) -> None:
    """Note that a socket was unbound."""
    name = _names.get((_context(sock, handle), address)) if address.startswith(_PREFIX) else None
    if name is not None:
        name.binder = None


def connected(sock: Socketish, handle: Socket, address: bytes) -> None:
    """Note that a socket was connected to *address*."""
    if address.startswith(_PREFIX):
        name = _use(sock, handle, address)
        name.connections += 1
        _note_rejected(sock, handle, name)
        if name.bound_by() is None:
            _blocking.awaited.add(_context(sock, handle))
            if get_int(handle, _TYPE) in (_REP, _ROUTER):
                wait = _Wait()
                name.waiting.add(wait)
                _handles.companions(sock)[_USES][name].append(wait)


def check_disconnect(sock: Socketish, handle: Socket, address: bytes) -> None:
    """Raise ValueError for a REP or ROUTER that waits for somebody to bind *address*.

    Whoever does so then finds a connection that cannot be written to, and libzmq aborts.
    """
    waits = _waits(sock, handle, address)
    if not all(wait.over for wait in waits) and not _is_bound(sock, handle, address):
        raise ValueError(
            f"endpoint {_text.decode(address)!r} was bound by nobody yet, and libzmq would abort once it is: "
            "close the socket instead"
        )


def disconnected(sock: Socketish, handle: Socket, address: bytes) -> None:
    """Note that a socket was disconnected."""
    global _endings
    if address.startswith(_PREFIX):
        _endings += 1
        _waits(sock, handle, address).clear()


def _use(sock: Socketish, handle: Socket, address: bytes) -> _Name:
    """Return what is known of a name, which a socket has something to do with from now on."""
    companions = _handles.companions(sock)
    companions.setdefault(_BEGAN, _endings)
    key = _context(sock, handle), address
    name = _names.get(key)
    if name is None:
        name = _names[key] = _Name()
    companions.setdefault(_USES, {}).setdefault(name, [])
    return name


def _waits(sock: Socketish, handle: Socket, address: bytes) -> list[_Wait]:
    """Return the connections of a socket that have waited for a name to be bound."""
    uses = (_handles.find_companions(sock) or {}).get(_USES) if address.startswith(_PREFIX) else None
    found: list[_Wait] = uses.get(_names.get((_context(sock, handle), address)), []) if uses else []
    return found


def _note_rejected(sock: Socketish, handle: Socket, name: _Name) -> None:
    """Note that a connection over inproc may have ended as soon as it was made: a PAIR takes no second one."""
    global _endings
    kind = get_int(handle, _TYPE)
    binder = name.bound_by()
    other = kind if binder is None else get_int(_handles.socket(binder), _TYPE)  # type: ignore[arg-type]
    uses = len(_handles.companions(sock)[_USES])
    if (name.connections > 1 and _PAIR in (kind, other)) or (uses > 1 and kind == _PAIR):
        _endings += 1


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


def get_int(handle: Socket, option: int) -> int:
    """Return an int option of a libzmq socket; 0 where it cannot be read."""
    value = ffi.new("int *")
    C.zmq_getsockopt(handle, option, value, ffi.new("size_t *", 4))
    return int(value[0])


# ---------------------------------------------------------------- high-water marks


def notice_ended(sock: Socketish, handle: Socket) -> None:
    """Have libzmq notice which connections have ended, before it is told other high-water marks.

    It tells them to the other end of each connection, and of one that is ending, too: freed memory, by then or soon.
    An end that belongs to one of libzmq's own threads, those of transports and that of closed sockets, is done with in
    a moment. One that belongs to a socket that goes on, which was disconnected over inproc, is when that is used, and
    nobody knows when: so ValueError is raised once there was such a one since this socket began with inproc.
    """
    endpoint = ffi.new("char[]", _LONGEST)
    rc = C.zmq_getsockopt(handle, _LAST_ENDPOINT, endpoint, ffi.new("size_t *", _LONGEST))
    if rc != 0 or endpoint[0] == b"\0":
        # Its context has ended, or it was never bound or connected.
        return
    began = (_handles.find_companions(sock) or {}).get(_BEGAN)
    if began is not None and began != _endings:
        raise ValueError(
            "sock has an inproc endpoint, and a socket was disconnected from one since: libzmq might write the mark to "
            "what it has freed; set it before the endpoint"
        )
    if began is not None:
        _await_closed(sock, handle)
    if began is not None or not ffi.string(endpoint).startswith(_PREFIX):
        _await_quiet(handle)


def _await_closed(sock: Socketish, handle: Socket) -> None:
    """Wait until what was closed at the other ends of a socket's inproc connections has let go of them.

    libzmq's thread for that closes the next socket once it has done all that it was asked to before.
    """
    from . import _room

    context = _context(sock, handle)
    for _ in range(_STEPS if context else 0):
        # That is when it looks, and answers.
        get_int(handle, _EVENTS)
        _room.await_closing(ffi.cast("void *", context))


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
        get_int(handle, _EVENTS)
        moment = _LONG_MOMENT
