"""zloop: an event-driven reactor for sockets, file descriptors and timers.

Handlers are Python callables, with any Python object as their argument. They are called ``handler(loop, what, arg)``,
where *what* is the socket, the poll item or the timer's id, and return None or 0 to go on, -1 to end the loop. A
handler and its argument live as long as they are registered. An exception in a handler ends the loop and comes out of
`start`. A callback made with ``ffi.callback`` is a handler too; its argument is passed on as it is if it is a cffi
pointer, else as ``ffi.new_handle(arg)``.

A loop belongs to the thread that its sockets belong to; it keeps its sockets alive, but does not keep them open.

    >>> from pyczmq import zloop, zmq, zctx, zsocket, zstr
    >>> ctx = zctx.new()
    >>> output, input = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    >>> zsocket.bind(output, "inproc://zloop.example"), zsocket.connect(input, "inproc://zloop.example")
    (0, 0)
    >>> def on_timer(loop, timer_id, socket):
    ...     zstr.send(socket, "PING")
    >>> def on_input(loop, item, word):
    ...     print(zstr.recv(item.socket), word)
    ...     return -1
    >>> loop = zloop.new()
    >>> zloop.timer(loop, 10, 1, on_timer, output)
    1
    >>> zloop.poller(loop, zmq.pollitem(socket=input, events=zmq.POLLIN), on_input, "came")
    0
    >>> zloop.start(loop)
    PING came
    -1
"""

from __future__ import annotations

from . import _handles, _keeper
from ._cffi import C, ffi
from ._numbers import integer
from ._reactor import Poller, Reactor, Reader, Ticket, Timer, on_poll, on_reader, on_timer, zsock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Optional, TypeVar, Union

    from ._types import Actor, CData, Loop, PollItem, Sock

    #: None or 0 to go on, -1 to end the loop.
    Outcome = Optional[int]
    ReaderHandler = Union[Callable[[Loop, Any, Any], Outcome], CData]
    PollHandler = Union[Callable[[Loop, PollItem, Any], Outcome], CData]
    TimerHandler = Union[Callable[[Loop, int, Any], Outcome], CData]
    Handler = TypeVar("Handler", bound=Callable[..., Outcome])

_LOOP = ffi.typeof("zloop_t *")
_ITEM = ffi.typeof("zmq_pollitem_t *")
_TICKET = ffi.typeof("void *")
_free = _handles.freer(C.zloop_destroy, "zloop_t *")

_SIZE_MAX = 2 ** (8 * ffi.sizeof("size_t")) - 1

#: Milliseconds beyond which C's clock could overflow.
_LONGEST = min(_SIZE_MAX, 2**60)


def new() -> Loop:
    """Return a new loop; the garbage collector destroys it.

    C: ``zloop_t *zloop_new (void)``
    """
    return _keeper.own(C.zloop_new(), _free, Reactor())  # type: ignore[return-value]


def destroy(loop: Loop | None) -> None:
    """Destroy the loop now, and let its sockets and handlers go; ValueError while it runs.

    C: ``void zloop_destroy (zloop_t **self_p)``
    """
    if loop is not None:
        reactor = _reactor(loop)
        _keeper.destroy(loop, _LOOP, _free, "loop", Reactor)
        reactor.clear()


def reader(loop: Loop, sock: Sock | Actor, handler: ReaderHandler, arg: Any = None) -> int:
    """Call ``handler(loop, sock, arg)`` whenever *sock* has input; return 0.

    A socket that is registered several times calls each of its handlers. For a zsocket, see `poller`. The socket must
    be cancelled before it is destroyed: a loop that finds it destroyed stops with a ValueError.

    C: ``int zloop_reader (zloop_t *self, zsock_t *sock, zloop_reader_fn handler, void *arg)``
    """
    reactor = _reactor(loop)
    registration = Reader(reactor, sock, handler, arg)
    reactor.check_number(1)
    rc = C.zloop_reader(loop, registration.sock, on_reader, registration.token)
    if rc == 0:
        reactor.readers.append(registration)
    return rc


def reader_end(loop: Loop, sock: Sock | Actor) -> None:
    """Cancel all readers of *sock*, which may have been destroyed since it was registered.

    C: ``void zloop_reader_end (zloop_t *self, zsock_t *sock)``
    """
    reactor = _reactor(loop)
    found = [registration for registration in reactor.readers if registration.socket == sock]
    pointer = found[0].sock if found else zsock(sock)
    _quietly(loop, reactor, C.zloop_reader_end, pointer)
    reactor.readers[:] = [registration for registration in reactor.readers if registration not in found]


def reader_set_tolerant(loop: Loop, sock: Sock | Actor) -> None:
    """Keep the readers of *sock* after errors; without this they are cancelled, in silence, at the second one.

    C: ``void zloop_reader_set_tolerant (zloop_t *self, zsock_t *sock)``
    """
    _reactor(loop)
    C.zloop_reader_set_tolerant(loop, zsock(sock))


def poller(loop: Loop, item: PollItem, handler: PollHandler, arg: Any = None) -> int:
    """Call ``handler(loop, item, arg)`` whenever *item* is ready; return 0.

    *item*, from `zmq.pollitem`, tells a socket or a file descriptor, and the events; it is the very item that the
    handler gets, with ``revents`` set. C has a copy, so changes to it have no effect. A socket must be cancelled before
    it is destroyed: a loop that finds it destroyed stops with a ValueError.

    C: ``int zloop_poller (zloop_t *self, zmq_pollitem_t *item, zloop_fn handler, void *arg)``
    """
    reactor = _reactor(loop)
    registration = Poller(reactor, item, handler, arg)
    reactor.check_number(1)
    rc = C.zloop_poller(loop, registration.item, on_poll, registration.token)
    if rc == 0:
        reactor.pollers.append(registration)
    return rc


def poller_end(loop: Loop, item: PollItem) -> None:
    """Cancel all pollers of the item's socket, or of its file descriptor where it has no socket.

    C: ``void zloop_poller_end (zloop_t *self, zmq_pollitem_t *item)``
    """
    reactor = _reactor(loop)
    _quietly(loop, reactor, C.zloop_poller_end, _handles.live(item, _ITEM, "item"))
    reactor.pollers[:] = [registration for registration in reactor.pollers if not registration.matches(item)]


def poller_set_tolerant(loop: Loop, item: PollItem) -> None:
    """Keep the pollers of the item's socket or file descriptor after errors.

    Without this they are cancelled, in silence, at the second error.

    C: ``void zloop_poller_set_tolerant (zloop_t *self, zmq_pollitem_t *item)``
    """
    _reactor(loop)
    C.zloop_poller_set_tolerant(loop, _handles.live(item, _ITEM, "item"))


def timer(loop: Loop, delay: int, times: int, handler: TimerHandler, arg: Any = None) -> int:
    """Call ``handler(loop, timer_id, arg)`` after *delay* milliseconds, and so *times* times, or for ever with 0.

    Returns the timer's id, for `timer_end`, or -1 where `set_max_timers` allows no more.

    C: ``int zloop_timer (zloop_t *self, size_t delay, size_t times, zloop_timer_fn handler, void *arg)``
    """
    reactor = _reactor(loop)
    delay = min(integer(delay, "delay", 0, _SIZE_MAX), _LONGEST)
    registration = Timer(reactor, integer(times, "times", 0, _SIZE_MAX), handler, arg)
    timer_id = C.zloop_timer(loop, delay, registration.times, on_timer, registration.token)
    if timer_id != -1:
        reactor.timers[timer_id] = registration
    return timer_id


def timer_end(loop: Loop, timer_id: int) -> int:
    """Cancel a timer: its handler is not called again; return 0, also for an id that stands for no timer.

    C: ``int zloop_timer_end (zloop_t *self, int timer_id)``
    """
    reactor = _reactor(loop)
    timer_id = integer(timer_id, "timer_id")
    known = reactor.timers.pop(timer_id, None)
    if known is not None:
        # C goes through its timers once more before it lets go of this one.
        known.cancel()
    if timer_id > 0 and timer_id != reactor.beat:
        if reactor.busy and (timer_id == reactor.current or known is None):
            # C may free the timer at once, and go on with it as its handler returns; or lose its place in the list.
            reactor.ended.append(timer_id)
        else:
            C.zloop_timer_end(loop, timer_id)
    return 0


def ticket(loop: Loop, handler: TimerHandler, arg: Any = None) -> CData:
    """Call ``handler(loop, 0, arg)`` once, after the delay of `set_ticket_delay`; return a handle for the ticket.

    Tickets are timers that cost the same however many there are, for timeouts that are reset all the time. The handle
    is for `ticket_reset` and `ticket_delete`, until the ticket has expired. Raises ValueError if no delay was set.

    C: ``void *zloop_ticket (zloop_t *self, zloop_timer_fn handler, void *arg)``
    """
    reactor = _reactor(loop)
    if not reactor.ticket_delay:
        raise ValueError("the loop has no delay for tickets: see zloop.set_ticket_delay")
    registration = Ticket(reactor, handler, arg)
    handle = registration.handle = C.zloop_ticket(loop, on_timer, registration.token)
    reactor.tickets[handle] = registration
    return handle


def ticket_reset(loop: Loop, handle: CData) -> None:
    """Let a ticket's delay begin anew; ValueError if it has expired or was deleted.

    C: ``void zloop_ticket_reset (zloop_t *self, void *handle)``
    """
    _pending(_reactor(loop), handle)
    C.zloop_ticket_reset(loop, handle)


def ticket_delete(loop: Loop, handle: CData) -> None:
    """Cancel a ticket; ValueError if it has expired or was deleted.

    C: ``void zloop_ticket_delete (zloop_t *self, void *handle)``
    """
    reactor = _reactor(loop)
    _pending(reactor, handle)
    C.zloop_ticket_delete(loop, handle)
    del reactor.tickets[handle]


def set_ticket_delay(loop: Loop, ticket_delay: int) -> None:
    """Set the delay, in milliseconds, of the tickets that are made from now on.

    It should not be made shorter while there are tickets: C takes them for sorted.

    C: ``void zloop_set_ticket_delay (zloop_t *self, size_t ticket_delay)``
    """
    reactor = _reactor(loop)
    reactor.ticket_delay = min(integer(ticket_delay, "ticket_delay", 0, _SIZE_MAX), _LONGEST)
    C.zloop_set_ticket_delay(loop, reactor.ticket_delay)


def set_max_timers(loop: Loop, max_timers: int) -> None:
    """Allow no more than so many timers at a time, or any number with 0; tickets do not count.

    C: ``void zloop_set_max_timers (zloop_t *self, size_t max_timers)``
    """
    reactor = _reactor(loop)
    reactor.max_timers = integer(max_timers, "max_timers", 0, _SIZE_MAX - 1)
    reactor.limit_timers(loop)


def set_verbose(loop: Loop, verbose: bool) -> None:
    """Trace, or not, what the loop does, in CZMQ's log.

    C: ``void zloop_set_verbose (zloop_t *self, bool verbose)``
    """
    reactor = _reactor(loop)
    reactor.verbose = bool(verbose)
    C.zloop_set_verbose(loop, reactor.verbose)


def set_nonstop(loop: Loop, nonstop: bool) -> None:
    """Go on, or not, when the C variable ``zsys_interrupted`` is set, which Python's own signal handlers never do.

    C: ``void zloop_set_nonstop (zloop_t *self, bool nonstop)``
    """
    reactor = _reactor(loop)
    reactor.nonstop = bool(nonstop)
    C.zloop_set_nonstop(loop, reactor.nonstop)


def start(loop: Loop) -> int:
    """Run the loop in this thread; return -1 once a handler has ended it, 0 once the context was terminated.

    Handlers may register and cancel what they like, and start other loops. The first exception in a handler ends the
    loop and comes out of here. Ctrl-C raises KeyboardInterrupt; after any other signal the loop goes on. A loop that
    has ended may be started again. Raises ValueError if a socket was destroyed and not cancelled, or if the loop
    runs already.

    C: ``int zloop_start (zloop_t *self)``
    """
    return _reactor(loop).start(loop)


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of this class in a child process; RuntimeError if it fails.

    C: ``void zloop_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zloop_test", verbose)


# ---------------------------------------------------------------- CZMQ 2


def ignore_interrupts(loop: Loop) -> None:
    """Go on when ``zsys_interrupted`` is set; `set_nonstop` is its name since CZMQ 4.

    C: ``void zloop_ignore_interrupts (zloop_t *self)``
    """
    set_nonstop(loop, True)


def set_tolerant(loop: Loop, item: PollItem) -> None:
    """Keep pollers after errors; `poller_set_tolerant` is its name since CZMQ 3.

    C: ``void zloop_set_tolerant (zloop_t *self, zmq_pollitem_t *item)``
    """
    poller_set_tolerant(loop, item)


def callback(handler: Handler) -> Handler:
    """Mark a function as a handler, as programs for the old pyczmq do; any callable is one without it."""
    if not callable(handler):
        raise TypeError(f"handler must be callable, not {type(handler).__name__}")
    return handler


poll_callback = timer_callback = callback


# ---------------------------------------------------------------- helpers


def _reactor(loop: Loop) -> Reactor:
    return _keeper.find(loop, _LOOP, "loop", Reactor)


def _pending(reactor: Reactor, handle: CData) -> None:
    """Raise ValueError for anything but a ticket's own handle while the ticket is to come: C would abort."""
    _handles.live(handle, _TICKET, "handle")
    registration = reactor.tickets.get(handle)
    if registration is None or registration.handle is not handle:
        raise ValueError("handle is not a ticket of this loop, or one that has expired or was deleted")


def _quietly(loop: Loop, reactor: Reactor, function: Any, argument: CData) -> None:
    """Call C with no trace: to tell the type of a socket it would look into one that may be gone."""
    if reactor.verbose:
        C.zloop_set_verbose(loop, False)
    function(loop, argument)
    if reactor.verbose:
        C.zloop_set_verbose(loop, True)


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zloop")
