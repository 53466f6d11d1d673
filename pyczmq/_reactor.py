"""The reactor behind `zloop`: what is registered with a loop, and how C's calls reach Python's handlers.

C calls three callbacks of ours, with a number for the handler. A number whose registration is over stands for nothing,
so it does not matter when C lets go of it.
"""

from __future__ import annotations

import itertools
import sys
import weakref
from _thread import get_ident

from . import _blocking, _handles, _keeper, _threads, _zmq_pointers
from ._cffi import C, ffi
from ._zmq_poll import FEW, check_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._types import Actor, CData, Loop, Sock

_SOCK = ffi.typeof("zsock_t *")
_ACTOR = ffi.typeof("zactor_t *")
_ITEM = ffi.typeof("zmq_pollitem_t *")
_READER_FN = ffi.typeof("zloop_reader_fn *")
_POLL_FN = ffi.typeof("zloop_fn *")
_TIMER_FN = ffi.typeof("zloop_timer_fn *")
_NULL = ffi.NULL
_NO_DESCRIPTOR = int(ffi.cast("zmq_fd_t", -1))
_EVENTS = 15
_dead = _handles.dead
_cdata = ffi.CData

_numbers = itertools.count(1)
_registered: dict[CData, weakref.ref[Registration]] = {}

#: The loop that each thread runs, the innermost one.
_running: dict[int, Reactor] = {}


class Reactor(_keeper.Keeper):
    """What goes with one loop: the registrations, and how its run goes."""

    __slots__ = (
        "beat",
        "current",
        "ended",
        "error",
        "heart",
        "max_timers",
        "nonstop",
        "pollers",
        "readers",
        "stopped",
        "ticket_delay",
        "tickets",
        "timers",
        "verbose",
    )

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[Reader] = []
        self.pollers: list[Poller] = []
        self.timers: dict[int, Timer] = {}
        self.tickets: dict[CData, Ticket] = {}
        self.max_timers = 0
        self.ticket_delay = 0
        self.verbose = False
        self.nonstop = False
        #: The id of the timer whose handler runs, and the timers that C must end, but not while it goes through them.
        self.current = 0
        self.ended: list[int] = []
        #: How the run ended: with an exception in a handler, or with a handler's -1.
        self.error: BaseException | None = None
        self.stopped = False
        #: The timer that lets Python's signal handlers run, and its id, or 0.
        self.heart = Registration(self, _beat, None, _TIMER_FN)
        self.beat = 0

    def call(self, handler: Any, what: Any, arg: Any) -> int:
        """Call a handler and return for C whether to go on (0) or not (-1)."""
        if self.error is not None or _threads.must_leave():
            return -1
        result = handler(self.handle(), what, arg)
        if result is not None and result != 0:
            if not isinstance(result, int):
                raise TypeError(f"a handler must return None or an int, not {type(result).__name__}")
            if result == -1:
                self.stopped = True
                return -1
        if _dead:
            self.check()
        return -1 if self.ended else 0

    def check(self) -> None:
        """Raise ValueError if a socket of the loop was destroyed: C would poll memory that was freed."""
        for registration in self._with_sockets():
            fate = _handles.fate(registration.socket)
            if fate is not None:
                _threads.leave_if_ending()
                raise ValueError(f"a socket of the loop {fate}")

    def check_number(self, more: int) -> None:
        """Raise ValueError for more sockets than the system polls: libzmq would abort."""
        count = len(self.readers) + len(self.pollers) + more
        if count > FEW:
            check_number(count)

    def start(self, loop: Loop) -> int:
        """Run the loop, and return what C's would."""
        if self.busy:
            raise ValueError("loop is running already")
        self.check_number(0)
        me = get_ident()
        outer = _running.get(me)
        # A callback of ffi's gets a pointer of its own: what it calls must find this.
        raw = loop not in _keeper.keepers
        self.busy = me
        try:
            self.error = None
            self.stopped = False
            _running[me] = self
            if raw:
                _keeper.keepers[loop] = weakref.ref(self)
            self._start_heart(loop)
            return self._run(loop)
        finally:
            self.busy = 0
            if raw:
                _keeper.keepers.pop(loop, None)
            self.error = None
            if outer is None:
                _running.pop(me, None)
            else:
                _running[me] = outer
            self._stop_heart(loop)

    def _run(self, loop: Loop) -> int:
        """Run C's loop to its end: once or, where it ended for a signal or to let timers go, again and again."""
        if _blocking.unready:
            for found in self._with_sockets():
                if isinstance(found, Reader) or found.registered.events & _blocking.POLLIN:
                    _blocking.note_waiting(found.underlying)
        while True:
            if _dead:
                self.check()
            rc: int = _threads.call(C.zloop_start, loop, uses=self._used)
            paused = bool(self.ended)
            while self.ended:
                C.zloop_timer_end(loop, self.ended.pop())
            if self.error is not None:
                raise self.error
            if self.stopped:
                return -1
            if not (rc == -1 and paused) and (rc != 0 or self._over()):
                return rc

    def _over(self) -> bool:
        """Tell whether C's loop, which ended by itself, did so for good, and not for a signal."""
        # Not by EINTR: a signal's handler has run since, and may have left its own errno.
        if ffi.errno == _blocking.ETERM or (C.zsys_interrupted and not self.nonstop):
            return True
        if _dead:
            self.check()
        return not all(_works(found.underlying) for found in self._with_sockets() if found.underlying)

    def _used(self, loop: Loop) -> list[CData]:
        """Return the sockets that C uses while the loop runs."""
        return [found.underlying for found in self._with_sockets()]

    def _with_sockets(self) -> list[Reader | Poller]:
        return [*self.readers, *self.pollers]

    def limit_timers(self, loop: Loop) -> None:
        """Tell C how many timers there may be; ours does not count."""
        C.zloop_set_max_timers(loop, self.max_timers + 1 if self.max_timers and self.beat else self.max_timers)

    def _start_heart(self, loop: Loop) -> None:
        """Let Python's signal handlers run from time to time: a signal that comes just before C sleeps wakes nobody."""
        if self.beat or not _threads.on_main_thread():
            return
        if self.max_timers:
            C.zloop_set_max_timers(loop, 0)
        self.beat = max(0, C.zloop_timer(loop, _threads.SLICE, 0, on_timer, self.heart.token))
        if self.max_timers:
            self.limit_timers(loop)

    def _stop_heart(self, loop: Loop) -> None:
        if self.beat:
            C.zloop_timer_end(loop, self.beat)
            self.beat = 0
            if self.max_timers:
                self.limit_timers(loop)

    def clear(self) -> None:
        """Let go of all handlers."""
        self.readers.clear()
        self.pollers.clear()
        self.timers.clear()
        self.tickets.clear()


# ---------------------------------------------------------------- registrations


class Registration:
    """A handler and its argument, and the number that stands for them in C."""

    __slots__ = ("__weakref__", "arg", "handler", "reactor", "token")

    def __init__(self, reactor: Reactor, handler: Any, arg: Any, kind: Any) -> None:
        if isinstance(handler, _cdata):
            _handles.live(handler, kind, "handler")
            if not isinstance(arg, _cdata):
                arg = _NULL if arg is None else ffi.new_handle(arg)
        elif not callable(handler):
            raise TypeError(f"handler must be callable, not {type(handler).__name__}")
        self.handler = handler
        self.arg = arg
        self.reactor = weakref.ref(reactor)
        self.token = token = ffi.cast("void *", next(_numbers))
        _registered[token] = weakref.ref(self, lambda _, pop=_registered.pop: pop(token, None))  # type: ignore[misc]

    def cancel(self) -> None:
        """Let the number stand for nothing: the handler is not called again."""
        _registered.pop(self.token, None)

    def fire(self, what: Any) -> int:
        """Call the handler for C."""
        reactor = self.reactor()
        return 0 if reactor is None else reactor.call(self.handler, what, self.arg)


class SocketRegistration(Registration):
    """A handler that waits for a socket: the handle, which must not be destroyed, and libzmq's socket behind it."""

    __slots__ = ("socket", "underlying")

    socket: Any
    underlying: Any


class Reader(SocketRegistration):
    """The handler of a zsock or zactor."""

    __slots__ = ("sock",)

    def __init__(self, reactor: Reactor, sock: Sock | Actor, handler: Any, arg: Any) -> None:
        super().__init__(reactor, handler, arg, _READER_FN)
        self.socket = sock
        self.sock = zsock(sock)
        self.underlying = _handles.socket(sock, "sock")

    def fire(self, what: Any) -> int:
        """Call the handler with the handle that was registered."""
        return super().fire(self.socket)


class Poller(SocketRegistration):
    """The handler of a poll item, whose socket may be NULL."""

    __slots__ = ("item", "registered")

    def __init__(self, reactor: Reactor, item: Any, handler: Any, arg: Any) -> None:
        super().__init__(reactor, handler, arg, _POLL_FN)
        self.item = ffi.new("zmq_pollitem_t *", _handles.live(item, _ITEM, "item")[0])
        self.underlying = item.socket
        self.socket = None
        if item.socket:
            self.socket = _handle_of(item)
            if not _works(_zmq_pointers.socket(self.socket, "the socket of item")) and ffi.errno != _blocking.ETERM:
                raise ValueError("the socket of item is not open")
            # C looks for a descriptor in items that have a socket, too.
            self.item.fd = _NO_DESCRIPTOR
        elif item.fd == _NO_DESCRIPTOR:
            raise ValueError("item has neither a socket nor a file descriptor")
        # A pointer into an array does not keep the array alive.
        self.registered = item if "owning" in repr(item) else ffi.new("zmq_pollitem_t *", item[0])

    def fire(self, what: Any) -> int:
        """Call the handler with the item that was registered."""
        self.registered.revents = what.revents
        return super().fire(self.registered)

    def matches(self, item: Any) -> bool:
        """Tell whether C would find this one for *item*: by its socket, or by its descriptor where it has none."""
        return bool(self.item.socket == item.socket if item.socket else self.item.fd == item.fd)


class Timer(Registration):
    """The handler of a timer."""

    __slots__ = ("times",)

    def __init__(self, reactor: Reactor, times: int, handler: Any, arg: Any) -> None:
        super().__init__(reactor, handler, arg, _TIMER_FN)
        self.times = times

    def fire(self, what: Any) -> int:
        """Call the handler with the timer's id; after the last shot, the registration is over."""
        reactor = self.reactor()
        if reactor is None:
            return 0
        reactor.current = what
        try:
            return super().fire(what)
        finally:
            reactor.current = 0
            self.times -= 1
            if self.times == 0:
                reactor.timers.pop(what, None)


class Ticket(Registration):
    """The handler of a ticket."""

    __slots__ = ("handle",)

    handle: CData

    def __init__(self, reactor: Reactor, handler: Any, arg: Any) -> None:
        super().__init__(reactor, handler, arg, _TIMER_FN)

    def fire(self, what: Any) -> int:
        """Call the handler; unless it ends the loop, C frees the ticket then, or once it finds nobody to call."""
        reactor = self.reactor()
        if reactor is None:
            return 0
        before, reactor.stopped = reactor.stopped, False
        try:
            result = super().fire(what)
            if not reactor.stopped and reactor.error is None:
                reactor.tickets.pop(self.handle, None)
                if result:
                    # C's loop only pauses, to let timers go, and would call this again.
                    self.cancel()
        finally:
            reactor.stopped |= before
        return result


def _beat(loop: Loop, timer_id: int, arg: Any) -> None:
    """Let Python run its signal handlers: that this is called is enough for CPython."""
    _threads.check_signals()


def _handle_of(item: Any) -> Any:
    """Return the handle of an item's socket, whose end can be noticed, or the bare socket if there is none."""
    handle, socket = (_handles.find_companions(item) or {}).get("socket", (None, None))
    if handle is not None and socket == item.socket:
        return handle
    return _zmq_pointers.handed_out.get(item.socket) or _zmq_pointers.owner_of(item.socket) or item.socket


def _works(socket: CData) -> bool:
    """Tell whether libzmq could poll a socket: it is one, and its context was not terminated."""
    return C.zmq_getsockopt(socket, _EVENTS, ffi.new("int *"), ffi.new("size_t *", 4)) == 0


def zsock(sock: Sock | Actor) -> Any:
    """Return a zsock or zactor handle as the ``zsock_t *`` that C wants."""
    if isinstance(sock, _cdata) and ffi.typeof(sock) is _ACTOR:
        return C.zactor_sock(_handles.live(sock, _ACTOR, "sock"))
    return _handles.live(sock, _SOCK, "sock")


# ---------------------------------------------------------------- what C calls


def _fire(loop: CData, what: Any, token: CData) -> int:
    reference = _registered.get(token)
    registration = reference() if reference is not None else None
    return 0 if registration is None else registration.fire(what)


def _failed(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
    """Keep the first exception of a loop's handlers for its `start`; C is told -1."""
    reactor = _running.get(get_ident())
    if reactor is None:
        # The raw zloop_start runs the loop.
        sys.excepthook(kind, error, traceback)
    elif reactor.error is None:
        reactor.error = error.with_traceback(traceback)


on_reader = ffi.callback(_READER_FN, _fire, error=-1, onerror=_failed)
on_poll = ffi.callback(_POLL_FN, _fire, error=-1, onerror=_failed)
on_timer = ffi.callback(_TIMER_FN, _fire, error=-1, onerror=_failed)
