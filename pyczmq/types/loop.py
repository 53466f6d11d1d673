"""Loop: a reactor, which calls handlers when sockets have input and when timers expire."""

from __future__ import annotations

from _thread import RLock
from functools import partial

from .. import _handles, _polling, zloop, zsock, zstr, zsys
from ._base import Object, guarded
from .poller import _POLLERR, _key, _name, _Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Optional, TypeVar, overload

    from .._types import CData, PollItem
    from .poller import Source

    #: Called ``handler(loop, what, arg)``; None or 0 to go on, -1 to end the loop.
    Handler = Callable[["Loop", Any, Any], Optional[int]]
    AnyHandler = TypeVar("AnyHandler", bound=Callable[["Loop", Any, Any], Optional[int]])


class Loop(Object):
    """Calls handlers: when a socket, an actor or a file descriptor has input, and when a timer expires.

        >>> from pyczmq import Loop, Socket, zmq
        >>> pull = Socket(zmq.PULL, bind="inproc://work")
        >>> push = Socket(zmq.PUSH, connect="inproc://work")
        >>> loop = Loop()
        >>> @loop.reader(pull)
        ... def on_work(loop, sock, arg):
        ...     print(sock.recv())
        ...     loop.stop()
        >>> @loop.timer(10, 1, arg="one job")
        ... def on_timer(loop, timer_id, job):
        ...     push.send(job)
        >>> loop.start()
        one job
        -1

    A handler is called ``handler(loop, what, arg)``, where *what* is the very source that was given, or the timer's id.
    It returns None or 0 to go on, and -1 to end the loop; an exception ends the loop and comes out of `start`. Handlers
    may do with the loop what they like, but close it, and start other loops.

    A loop belongs to the thread that runs it, and so do its sources while it runs: another thread that uses one of
    them, an object, then gets RuntimeError. `stop` alone is for every thread. The loop keeps its sources alive, but
    does not keep them open: who closes one calls `reader_end`, too, or the loop ends with a ValueError that names it.
    """

    __slots__ = ("_alarm", "_running", "_sources", "_stop_lock", "_stopping", "_taken")
    _noun = "loop"

    def __init__(self) -> None:
        super().__init__(zloop.new())
        self._sources: list[_Reader] = []
        #: The sources that this thread has taken while the loop runs.
        self._taken: list[_Reader] = []
        self._running = False
        #: Whether the loop is to end; under a lock, as `stop` is for every thread, and for signals' handlers.
        self._stopping = False
        self._stop_lock = RLock()
        #: The pipe by which `stop` wakes the loop: what it sends to, and what the loop reads.
        self._alarm: tuple[Any, Any] | None = None

    @property
    def loop(self) -> Any:
        """The handle: the old pyczmq's name for it."""
        return self.handle

    # ---------------------------------------------------------------- readers

    if TYPE_CHECKING:

        @overload
        def reader(self, source: Source, handler: Handler, arg: Any = None) -> int: ...
        @overload
        def reader(
            self, source: Source, handler: None = None, arg: Any = None
        ) -> Callable[[AnyHandler], AnyHandler]: ...

    def reader(self, source: Source, handler: Handler | None = None, arg: Any = None) -> Any:
        """Call ``handler(loop, source, arg)`` whenever *source* has input; return 0.

        A source is what `Poller` takes: an object with a socket, a handle, a file descriptor, anything with a
        ``fileno`` method. A file descriptor at its end, or with an error, counts as having input, until `reader_end`.
        With several handlers for one source, each is called.

        Without a handler this is a decorator: ``@loop.reader(source)``.
        """
        return self._decorate(partial(self._add_reader, source), handler, arg)

    @guarded
    def _add_reader(self, given: Source, handler: Handler, arg: Any) -> int:
        source = _Reader(given, _callable(handler), arg)
        if self._running:
            source.take()
            self._taken.append(source)
        self._sources.append(source)
        try:
            rc = zloop.poller(self._handle, source.item, self._on_input, source)
        except BaseException:
            self._forget([source])
            raise
        if source.handle is None:
            # Or C would cancel it, in silence, at the second error.
            zloop.poller_set_tolerant(self._handle, source.item)
        return rc

    @guarded
    def reader_end(self, source: Source) -> None:
        """Cancel all handlers of *source*, which may have been closed; ValueError if it is not in the loop."""
        key = _key(source)
        for found in self._sources:
            if _key(found.given) == key:
                self._end(found.item)
                return
        raise ValueError(f"{_name(source)} is not in the loop")

    def _end(self, item: Any) -> None:
        """Cancel whatever waits for the socket or file descriptor of a poll item."""
        zloop.poller_end(self._handle, item)
        self._forget([source for source in self._sources if _match(source.item, item)])

    def _forget(self, sources: list[_Reader]) -> None:
        for source in sources:
            self._sources.remove(source)
            if source in self._taken:
                self._taken.remove(source)
                source.give_back()

    @guarded
    def poller(self, item: PollItem | Source, handler: Handler, arg: Any = None) -> int:
        """Call ``handler(loop, item, arg)`` whenever a poll item, from `zmq.pollitem`, is ready; return 0.

        It is the very item that the handler gets, with ``revents`` set. An item can ask for other events than input. A
        source instead of an item is as with `reader`.
        """
        if not _polling.is_item(item):
            return self._add_reader(item, handler, arg)  # type: ignore[arg-type]
        return zloop.poller(self._handle, item, partial(self._call, _callable(handler), arg))  # type: ignore[arg-type]

    @guarded
    def poller_end(self, item: PollItem | Source) -> None:
        """Cancel all handlers of the item's socket or file descriptor."""
        if _polling.is_item(item):
            self._end(item)
        else:
            self.reader_end(item)  # type: ignore[arg-type]

    @guarded
    def set_tolerant(self, item: PollItem) -> None:
        """Keep the handlers of the item's socket or file descriptor after errors.

        Without this they are cancelled, in silence, at the second error; those of `reader` never are.
        """
        zloop.poller_set_tolerant(self._handle, item)

    # ---------------------------------------------------------------- timers

    if TYPE_CHECKING:

        @overload
        def timer(self, delay: int, times: int, handler: Handler, arg: Any = None) -> int: ...
        @overload
        def timer(
            self, delay: int, times: int, handler: None = None, arg: Any = None
        ) -> Callable[[AnyHandler], AnyHandler]: ...

    def timer(self, delay: int, times: int, handler: Handler | None = None, arg: Any = None) -> Any:
        """Call ``handler(loop, timer_id, arg)`` after *delay* milliseconds, and so *times* times, or for ever with 0.

        Returns the timer's id, for `timer_end`. Raises RuntimeError where `set_max_timers` allows no more.

        Without a handler this is a decorator: ``@loop.timer(1000, 0)``; the function gets the timer's id.
        """
        return self._decorate(partial(self._add_timer, delay, times), handler, arg)

    @guarded
    def _add_timer(self, delay: int, times: int, handler: Handler, arg: Any) -> int:
        timer_id = zloop.timer(self._handle, delay, times, partial(self._call, _callable(handler), arg))
        if timer_id < 0:
            raise RuntimeError("the loop has as many timers as set_max_timers allows")
        return timer_id

    @guarded
    def timer_end(self, timer_id: int) -> int:
        """Cancel a timer: its handler is not called again; return 0, also for an id that stands for no timer."""
        return zloop.timer_end(self._handle, timer_id)

    @guarded
    def set_max_timers(self, max_timers: int) -> None:
        """Allow no more than so many timers at a time, or any number with 0; tickets do not count."""
        zloop.set_max_timers(self._handle, max_timers)

    @guarded
    def ticket(self, handler: Handler, arg: Any = None) -> CData:
        """Call ``handler(loop, 0, arg)`` once, after the delay of `set_ticket_delay`; return a handle for the ticket.

        Tickets are timers that cost the same however many there are, for timeouts that are reset all the time. Raises
        ValueError if no delay was set.
        """
        return zloop.ticket(self._handle, partial(self._call, _callable(handler), arg))

    @guarded
    def ticket_reset(self, ticket: CData) -> None:
        """Let a ticket's delay begin anew; ValueError if it has expired or was deleted."""
        zloop.ticket_reset(self._handle, ticket)

    @guarded
    def ticket_delete(self, ticket: CData) -> None:
        """Cancel a ticket; ValueError if it has expired or was deleted."""
        zloop.ticket_delete(self._handle, ticket)

    @guarded
    def set_ticket_delay(self, ticket_delay: int) -> None:
        """Set the delay, in milliseconds, of tickets that are made from now on; it should not be made shorter."""
        zloop.set_ticket_delay(self._handle, ticket_delay)

    # ---------------------------------------------------------------- running

    @guarded
    def set_verbose(self, verbose: bool) -> None:
        """Trace, or not, what the loop does, in CZMQ's log."""
        zloop.set_verbose(self._handle, verbose)

    @guarded
    def start(self) -> int:
        """Run the loop in this thread; return -1 once a handler or `stop` has ended it, 0 once a context has ended.

        The first exception in a handler ends the loop and comes out of here. Ctrl-C raises KeyboardInterrupt; after any
        other signal the loop goes on. A loop that has ended may be started again. Raises ValueError if the loop runs
        already or if a source was closed and not cancelled, RuntimeError if another thread uses a source.
        """
        if self._running:
            raise ValueError("the loop is running already")
        try:
            self._running = True
            if self._alarm is None:
                sender, receiver = zsys.create_pipe()
                zloop.reader(self._handle, receiver, self._on_alarm)
                with self._stop_lock:
                    self._alarm = sender, receiver
            while zstr.recv_nowait(self._alarm[1]) is not None:
                # It rang for an earlier run, which had ended by itself.
                pass
            for source in self._sources:
                source.take()
                self._taken.append(source)
            self._check()
            return -1 if self._stopping else zloop.start(self._handle)
        finally:
            while self._taken:
                self._taken.pop().give_back()
            self._running = False
            with self._stop_lock:
                self._stopping = False

    def stop(self) -> None:
        """End the loop, once the handler that runs has returned.

        Any thread may call this, and a signal's handler. A loop that does not run ends at once when it is started next.
        """
        with self._stop_lock:
            if self.closed:
                raise self._closed_error()
            if not self._stopping:
                self._stopping = True
                if self._alarm is not None:
                    zstr.send(self._alarm[0], "")

    def _on_alarm(self, loop: Any, receiver: Any, arg: Any) -> int:
        zstr.recv(receiver)
        return -1 if self._stopping else 0

    def _on_input(self, loop: Any, item: Any, source: _Reader) -> Any:
        if source.handle is None and item.revents & _POLLERR:
            source.check("loop", True)
        return self._call(source.handler, source.arg, loop, source.given)

    def _call(self, handler: Handler, arg: Any, loop: Any, what: Any, none: None = None) -> Any:
        result = handler(self, what, arg)
        if self._stopping:
            return -1
        if result != -1 and _handles.dead:
            self._check()
        return result

    def _check(self) -> None:
        """Raise ValueError for a source that was closed: `zloop` would do so, but not say which."""
        for source in self._sources:
            source.check("loop")

    def _decorate(self, register: Callable[[Handler, Any], Any], handler: Handler | None, arg: Any) -> Any:
        """Register a handler, or return the decorator that will."""
        if handler is not None:
            return register(handler, arg)

        def decorate(handler: AnyHandler) -> AnyHandler:
            register(handler, arg)
            return handler

        return decorate

    def _destroy(self, handle: Any) -> None:
        zloop.destroy(handle)
        self._sources.clear()
        with self._stop_lock:
            alarm, self._alarm = self._alarm, None
        for sock in alarm or ():
            zsock.destroy(sock)

    def __repr__(self) -> str:
        number = len(self._sources)
        state = "closed" if self.closed else f"of {number} source{'s' * (number != 1)}"
        return f"<{type(self).__name__} {state}{', running' if self._running else ''}>"


class _Reader(_Source):
    """A source with its handler."""

    __slots__ = ("arg", "handler")

    def __init__(self, given: Any, handler: Handler, arg: Any) -> None:
        super().__init__(given)
        self.handler = handler
        self.arg = arg


def _callable(handler: Any) -> Any:
    if not callable(handler):
        raise TypeError(f"handler must be callable, not {type(handler).__name__}")
    return handler


def _match(one: Any, other: Any) -> bool:
    """Tell whether C takes two poll items for the same: by their sockets, or by their file descriptors without."""
    return bool(one.socket == other.socket and (other.socket or one.fd == other.fd))
