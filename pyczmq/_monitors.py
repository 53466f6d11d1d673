"""Monitors of libzmq's own, read where they arise: in the context of the socket that is watched.

libzmq publishes a socket's events on a PAIR socket in that socket's context, whether anybody takes them or not: were
the reader full, or gone while the watched socket is not, the I/O thread with all its connections would hang. So the
reader has no high-water mark, and publishing ends before either of the two is closed.
"""

from __future__ import annotations

import itertools
import os
import struct
import time
import weakref

from . import _actor_threads, _dialogue, _handles, _room, _scheduling, _text, _zmq_pointers
from ._cffi import C, ffi
from ._czmq2 import zctx as _contexts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._types import Actor, CData, Ctx, Socket, Socketish

    #: An event as libzmq publishes it: its number, its value, the address.
    Published = tuple[int, int, bytes]

_PAIR = 0
_RCVHWM = 24
_STOPPED = 0x0400
_EVENT = struct.Struct("=Hi")
_CTX = ffi.typeof("zctx_t *")
_ACTOR = ffi.typeof("zactor_t *")
_VOID = _zmq_pointers.VOID

#: Seconds that libzmq has to free the endpoint of a monitor that has ended.
_PATIENCE = 1.0

#: A companion of CZMQ's monitors: whether it was started.
STARTED = "zmonitor was started"

_numbers = itertools.count(1)

#: Sockets that are watched, by the addresses of libzmq's; each with the handle of what watches it.
_watched: dict[int, weakref.ref[Any]] = {}


class Monitor:
    """What goes with a reader: which socket it watches, and for what."""

    __slots__ = ("ended", "events", "pid", "pointer", "publishing", "socket", "started", "verbose")

    def __init__(self, socket: Socketish, pointer: Socket) -> None:
        #: The handle of the socket that is watched, and libzmq's pointer.
        self.socket = socket
        self.pointer = pointer
        self.pid = os.getpid()
        self.events = 0
        self.verbose = False
        self.started = False
        #: Whether libzmq publishes.
        self.publishing = False
        #: Whether it did, and all was read.
        self.ended = False

    def start(self, reader: Socket) -> None:
        """Have libzmq publish, and connect the reader to that."""
        _handles.socket(self.socket, "the watched socket")
        refuse_watched(self.pointer)
        endpoint = b"inproc://pyczmq.zmonitor.%d.%d" % (self.pid, next(_numbers))
        # What ends publishing is an event too: nobody is to wait for more.
        events = self.events | _STOPPED
        # libzmq publishes by a socket of its own.
        if not _scheduling.make_socket(lambda: C.zmq_socket_monitor(self.pointer, endpoint, events) == 0):
            raise _failure()
        self.started = self.publishing = True
        if C.zmq_connect(reader, endpoint) != 0:
            failure = _failure()
            self.stop()
            raise failure
        watch(self.pointer, reader)

    def stop(self) -> None:
        """Have libzmq stop publishing; what it has published can still be read."""
        if self.publishing and self.pid == os.getpid():
            self.publishing = False
            C.zmq_socket_monitor(self.pointer, ffi.NULL, 0)

    def retire(self, what: str) -> None:
        """Stop, since the watched socket or the reader is about to be closed: their owners have this as a child."""
        self.stop()
        owner = _handles._owned.get(id(self.socket))
        if owner is not None:
            owner.children.discard(self)

    def receive(self, reader: Socket, timeout: int | None) -> Published | None:
        """Return the next event; None if there is none in time, or there will be none any more."""
        if not self.started:
            raise ValueError("monitor was not started")
        while not self.ended:
            frames = _dialogue.next_message(reader, timeout)
            if frames is None:
                return None
            event, value = _EVENT.unpack(frames[0])
            if event == _STOPPED:
                self.ended = True
                self.publishing = False
            if event & self.events:
                return event, value, frames[1]
        return None


def new(socket: Socketish) -> Socket:
    """Return a reader for the events of a socket, which the garbage collector owns."""
    pointer = _zmq_pointers.socket(socket, "socket")
    ctx = _context(socket, pointer)
    if ctx is None and ffi.typeof(socket) is _VOID:
        socket = _process_wide(socket, pointer)
    monitor = Monitor(socket, pointer)
    reader = _open_in_process() if ctx is None else _open_in(ctx)
    _dialogue.set_option(reader, _RCVHWM, 0)
    _handles.companions(reader)[Monitor] = monitor
    for handle in reader, socket:
        owner = _handles._owned.get(id(handle))
        if owner is not None:
            owner.children.add(monitor)  # type: ignore[arg-type]
    return reader


def _context(socket: Socketish, pointer: Socket) -> Ctx | None:
    """Return the zctx that a socket is in, None if it is in none."""
    owner = _handles._owned.get(id(socket))
    for parent in () if owner is None else owner.parents:
        if ffi.typeof(parent) is _CTX:
            return parent  # type: ignore[return-value]
    for found in list(_contexts._contexts.values()):
        if pointer in found.sockets:
            return _handle(found.pointer)
    return None


def _handle(ctx: Ctx) -> Ctx:
    """Return the handle of a context, or its bare pointer where there is none."""
    owners = (owner for owner in list(_handles._owned.values()) if owner.pointer == ctx)
    return next((handle for handle in (owner.handle() for owner in owners) if handle is not None), ctx)


def _owner(socket: Socketish, pointer: Socket) -> Socketish | None:
    """Return the handle of what owns a socket in the process-wide context; None for any other socket."""
    if pointer in _room.sockets:
        return socket
    owner = _zmq_pointers.owner_of(pointer)
    return None if owner is None or ffi.typeof(owner) is _VOID else owner  # type: ignore[return-value]


def _process_wide(socket: Socketish, pointer: Socket) -> Socketish:
    found = _owner(socket, pointer)
    if found is None:
        raise ValueError(
            "socket must be a zsock, or a socket of a zctx or of CZMQ's own context; zmq.socket_monitor does for others"
        )
    return found


def _open_in(ctx: Ctx) -> Socket:
    owner = ffi.cast("zctx_t *", ctx)

    def free(pointer: Socket) -> None:
        # Where the context was destroyed first it has closed the socket.
        if _contexts.is_alive(owner):
            C.zsocket_destroy(owner, pointer)

    return _own(_scheduling.make_socket(lambda: C.zsocket_new(ctx, _PAIR)), free, ctx)


def _open_in_process() -> Socket:
    def free(pointer: Socket) -> None:
        _room.sockets.discard(pointer)
        C.zsys_close(pointer, ffi.NULL, 0)

    pointer = _scheduling.make_socket(lambda: C.zsys_socket(_PAIR, ffi.NULL, 0))
    if pointer:
        _room.sockets.add(pointer)
    return _own(pointer, free)


def _own(pointer: Socket, free: Callable[[Any], object], *parents: CData) -> Socket:
    reader = _handles.own(pointer, free, *parents)
    if reader is None:
        raise _failure()
    return reader


def _failure() -> OSError:
    return OSError(ffi.errno, _text.string(C.zmq_strerror(ffi.errno)))


# ---------------------------------------------------------------- who watches what


def watch(pointer: Socket, watcher: CData) -> None:
    """Note the handle of what watches a socket."""
    for address in [address for address in list(_watched) if _watcher(address) is None]:
        _watched.pop(address, None)
    _watched[_address(pointer)] = weakref.ref(watcher)


def _address(pointer: CData) -> int:
    # Not the pointer itself, which may be the handle.
    return int(ffi.cast("uintptr_t", pointer))


def _watcher(address: int) -> CData | None:
    """Return the handle of what watches the socket at an address; None if nothing does any more."""
    reference = _watched.get(address)
    watcher = None if reference is None else reference()
    if watcher is None or _handles.fate(watcher) is not None:
        return None
    monitor = (_handles.find_companions(watcher) or {}).get(Monitor)
    return watcher if monitor is None or monitor.publishing else None


def refuse_watched(pointer: Socket) -> None:
    """Raise ValueError if something watches a socket: libzmq has one monitor for each.

    C aborts over a second, and ends the first when the second is destroyed.
    """
    if _watcher(_address(pointer)) is not None:
        raise ValueError("the socket has a monitor already")


# ---------------------------------------------------------------- C's own monitors


def new_actor(socket: Socketish) -> Actor:
    """Start C's monitor for a socket, which it keeps, and which has no other from now on."""
    pointer = _zmq_pointers.socket(socket, "the argument of the task")
    check_process_wide(socket)
    refuse_watched(pointer)
    refuse_interrupted()
    actor = _actor_threads.new(C.zmonitor, socket, socket)
    watch(pointer, actor)
    return actor


def refuse_unstarted() -> None:
    """Raise RuntimeError if one of C's monitors is alive that was not started: it aborts when its wait is cut short."""
    for reference in list(_watched.values()):
        watcher = reference()
        if watcher is None or _handles.fate(watcher) is not None or ffi.typeof(watcher) is not _ACTOR:
            continue
        if not _handles.companions(watcher).get(STARTED):
            raise RuntimeError("CZMQ would abort: there is a zmonitor that was not started")


def refuse_interrupted() -> None:
    """Raise RuntimeError while CZMQ is interrupted: its monitor would not wait to be started, and abort."""
    if C.zsys_interrupted:
        raise RuntimeError("CZMQ would abort: zsys.set_interrupted was called, which C.zsys_interrupted = 0 undoes")


def check_process_wide(socket: Socketish) -> None:
    """Raise ValueError for a socket in another context, of which C's monitor would report nothing."""
    if ffi.typeof(socket) is _VOID and _owner(socket, socket) is None:  # type: ignore[arg-type]
        raise ValueError("CZMQ's monitor reports nothing of a socket in another context: use zmonitor.new")


def await_endpoint(pointer: Socket) -> None:
    """Wait until the endpoint that C's monitor will take is free: a moment after the last one of this socket ended."""
    name = C.zsys_sprintf(b"inproc://zmonitor-%p", pointer)
    context = C.zsys_init()
    deadline = time.monotonic() + _PATIENCE
    try:
        while True:
            probe = C.zmq_socket(context, _PAIR)
            if not probe:
                raise _failure()
            free = C.zmq_bind(probe, name) == 0
            if free:
                # Closing alone would free the endpoint some time later.
                C.zmq_unbind(probe, name)
            C.zmq_close(probe)
            if free:
                return
            if time.monotonic() > deadline:
                raise ValueError("the socket has a monitor already")
            time.sleep(0.001)
    finally:
        C.zstr_free(ffi.new("char **", name))
