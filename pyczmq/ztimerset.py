"""ztimerset: sets of timers, for a loop of one's own; a `zloop` has timers itself.

Wait for what else there is to do for as long as `timeout` says, then call the handlers of all timers that are due with
`execute`. Only libraries built with drafts have this class; the functions ``timers_…`` of `zmq` are there with any.

    timers = ztimerset.new()
    ztimerset.add(timers, 1000, lambda timer_id, arg: print(arg), "another second")
    while True:
        zpoller.wait(poller, ztimerset.timeout(timers))
        ztimerset.execute(timers)

A handler and its argument, any Python objects, live as long as their timer.
"""

from __future__ import annotations

from . import _keeper
from ._cffi import C, ffi
from ._numbers import integer

# libzmq's timers are the ones that C has in a set.
from ._zmq_tools import Timers, check_callable, fire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._types import CData, TimerSet

_TIMERSET = ffi.typeof("ztimerset_t *")


def _free(pointer: CData) -> None:
    C.ztimerset_destroy(ffi.new("ztimerset_t **", pointer))


def new() -> TimerSet:
    """Return a new set of timers; the garbage collector destroys it.

    C: ``ztimerset_t *ztimerset_new (void)``
    """
    timers = _keeper.own(C.ztimerset_new(), _free, Timers())
    if timers is None:
        raise RuntimeError("this libczmq is built without timers")
    return timers


def destroy(timers: TimerSet | None) -> None:
    """Destroy a set of timers now; None is let through.

    C: ``void ztimerset_destroy (ztimerset_t **self_p)``
    """
    if timers is not None:
        state = _state(timers)
        _keeper.destroy(timers, _TIMERSET, _free, "timers", Timers)
        state.handlers.clear()
        state.due.clear()


def add(timers: TimerSet, interval: int, handler: Callable[[int, Any], object], arg: Any = None) -> int:
    """Call ``handler(timer_id, arg)`` every *interval* milliseconds, from `execute`; return the timer's id.

    C: ``int ztimerset_add (ztimerset_t *self, size_t interval, ztimerset_fn handler, void *arg)``
    """
    state = _state(timers)
    check_callable(handler, "handler")
    timer_id = C.ztimerset_add(timers, _interval(interval), fire, state.self)
    if timer_id >= 0:
        state.handlers[timer_id] = (handler, arg)
    return timer_id


def cancel(timers: TimerSet, timer_id: int) -> int:
    """Remove a timer, whose handler will not be called again; return 0, or -1 if there is no such timer.

    C: ``int ztimerset_cancel (ztimerset_t *self, int timer_id)``
    """
    state = _state(timers)
    rc = C.ztimerset_cancel(timers, integer(timer_id, "timer_id"))
    if rc == 0:
        state.handlers.pop(timer_id, None)
    return rc


def set_interval(timers: TimerSet, timer_id: int, interval: int) -> int:
    """Change a timer's interval, in milliseconds, counting from now; return 0, or -1 if there is no such timer.

    C: ``int ztimerset_set_interval (ztimerset_t *self, int timer_id, size_t interval)``
    """
    _state(timers)
    return C.ztimerset_set_interval(timers, integer(timer_id, "timer_id"), _interval(interval))


def reset(timers: TimerSet, timer_id: int) -> int:
    """Let a timer's interval begin anew; return 0, or -1 if there is no such timer.

    C: ``int ztimerset_reset (ztimerset_t *self, int timer_id)``
    """
    _state(timers)
    return C.ztimerset_reset(timers, integer(timer_id, "timer_id"))


def timeout(timers: TimerSet) -> int:
    """Return in how many milliseconds the next timer is due, for `zpoller.wait`; -1 if there is none.

    C: ``int ztimerset_timeout (ztimerset_t *self)``
    """
    state = _state(timers)
    return 0 if state.due else C.ztimerset_timeout(timers)


def execute(timers: TimerSet) -> int:
    """Call the handlers of all timers that are due; return 0.

    A handler's exception comes out of here; handlers that were to be called after it are called by the next `execute`.
    A handler may add, change and cancel timers, its own too, and destroy the set.

    C: ``int ztimerset_execute (ztimerset_t *self)``
    """
    return _state(timers).execute(C.ztimerset_execute, timers)


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void ztimerset_test (bool verbose)``
    """
    from ._selftest import run

    run("ztimerset_test", verbose)


def _state(timers: TimerSet) -> Timers:
    return _keeper.find(timers, _TIMERSET, "timers", Timers)


def _interval(milliseconds: int) -> int:
    """Return a timer's interval; C would loop for ever over one of 0, and its `timeout` is an int."""
    return integer(milliseconds, "interval", 1)


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("ztimerset")
