"""ztimerset: sets of timers. Only libraries built with drafts have the class."""

from __future__ import annotations

import gc
import inspect
import threading
import time
import weakref
from typing import Any

import children
import pytest

from pyczmq import C, ffi
from pyczmq import ztimerset as typed

#: With no types: much of what it is given here is of the wrong one.
ztimerset: Any = typed

DRAFTS = hasattr(C, "ztimerset_new")
draft = pytest.mark.skipif(not DRAFTS, reason="this libczmq has no drafts")

#: Every function that takes a set, with what does for the rest.
CALLS: dict[str, tuple[Any, ...]] = {
    "destroy": (),
    "add": (10, print),
    "cancel": (1,),
    "set_interval": (1, 10),
    "reset": (1,),
    "timeout": (),
    "execute": (),
}


@pytest.fixture
def timers() -> Any:
    """A set of timers, where there are some."""
    if not DRAFTS:
        pytest.skip("this libczmq has no drafts")
    return ztimerset.new()


class Called:
    """A handler that notes its calls."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def __call__(self, timer_id: int, arg: Any) -> None:
        self.calls.append((timer_id, arg))


def run_until(timers: Any, done: Any, seconds: float = 5) -> None:
    """Execute timers as they become due, until *done* says that it is enough."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        timeout = ztimerset.timeout(timers)
        assert timeout >= 0
        threading.Event().wait(timeout / 1000)
        assert ztimerset.execute(timers) == 0


@pytest.mark.skipif(DRAFTS, reason="this libczmq has drafts")
def test_class_that_is_not_there() -> None:
    """The class imports, documents itself, and says when it is used that the library lacks it."""
    assert "Only libraries built with drafts" in (ztimerset.__doc__ or "")
    assert all(inspect.getdoc(getattr(ztimerset, name)) for name in CALLS)
    with pytest.raises(AttributeError, match="ztimerset_new is not in this library: libczmq"):
        ztimerset.new()
    with pytest.raises(AttributeError, match="ztimerset_test is not in this library"):
        ztimerset.test()


def test_example_of_the_class(timers: Any) -> None:
    """What CZMQ's self-test shows: adding, cancelling, resetting, another interval."""
    called = Called()
    timer = ztimerset.add(timers, 100, called, "arg")
    assert timer > 0
    assert ztimerset.execute(timers) == 0
    assert called.calls == []
    assert 0 < ztimerset.timeout(timers) <= 100
    run_until(timers, lambda: called.calls)
    assert called.calls == [(timer, "arg")]

    assert ztimerset.timeout(timers) > 0
    assert ztimerset.cancel(timers, timer) == 0
    assert ztimerset.timeout(timers) == -1

    timer = ztimerset.add(timers, 10_000, called)
    time.sleep(0.02)
    before = ztimerset.timeout(timers)
    assert ztimerset.reset(timers, timer) == 0
    assert ztimerset.timeout(timers) > before
    assert ztimerset.set_interval(timers, timer, 20_000) == 0
    assert ztimerset.timeout(timers) > 10_000
    assert ztimerset.cancel(timers, timer) == 0


@draft
def test_c_test_passes() -> None:
    """CZMQ's own test of the class runs in a child."""
    ztimerset.test()


def test_timers_come_again(timers: Any) -> None:
    """A timer is called once an interval, each with its argument."""
    called, arg = Called(), object()
    one, other = ztimerset.add(timers, 5, called, arg), ztimerset.add(timers, 7, called)
    run_until(timers, lambda: len(called.calls) >= 6)
    assert set(called.calls) == {(one, arg), (other, None)}


def test_timers_that_are_not_there(timers: Any) -> None:
    """Timers that were never there, or are no more, are -1."""
    timer = ztimerset.add(timers, 1, print)
    assert ztimerset.cancel(timers, timer) == 0
    assert ztimerset.cancel(timers, timer) == -1
    for number in (0, -1, 2**31 - 1, -(2**31), timer + 1):
        assert ztimerset.cancel(timers, number) == -1
        assert ztimerset.reset(timers, number) == -1
        assert ztimerset.set_interval(timers, number, 10) == -1
    for bad in (2**31, -(2**100)):
        with pytest.raises(ValueError, match="timer_id must be from"):
            ztimerset.cancel(timers, bad)
        with pytest.raises(ValueError, match="timer_id must be from"):
            ztimerset.reset(timers, bad)
    for wrong in ("1", None, 1.0):
        with pytest.raises(TypeError, match="timer_id must be an int"):
            ztimerset.cancel(timers, wrong)


def test_intervals(timers: Any) -> None:
    """An interval of 0 would keep C busy for ever, and one too long has no timeout."""
    for bad in (0, -1, 2**31, 2**64):
        with pytest.raises(ValueError, match="interval must be from 1 to"):
            ztimerset.add(timers, bad, print)
    timer = ztimerset.add(timers, 2**31 - 1, print)
    assert 0 < ztimerset.timeout(timers) <= 2**31 - 1
    with pytest.raises(ValueError, match="interval must be from 1 to"):
        ztimerset.set_interval(timers, timer, 0)
    with pytest.raises(TypeError, match="interval must be an int"):
        ztimerset.add(timers, 1.5, print)


def test_handlers_that_are_none(timers: Any) -> None:
    """A handler can be called."""
    for bad in (None, 1, "x", ffi.NULL, ffi.new("int *")):
        with pytest.raises(TypeError, match="handler must be callable"):
            ztimerset.add(timers, 10, bad)
    assert ztimerset.timeout(timers) == -1


def test_exception_comes_out_of_execute(timers: Any) -> None:
    """What a handler raises comes out; those that were to follow are called the next time."""
    called = Called()

    def fails(timer_id: int, arg: Any) -> None:
        raise ZeroDivisionError(timer_id)

    failing = ztimerset.add(timers, 1, fails)
    ztimerset.add(timers, 1, called)
    with pytest.raises(ZeroDivisionError):
        run_until(timers, lambda: False)
    assert ztimerset.cancel(timers, failing) == 0
    assert ztimerset.timeout(timers) in (0, 1)
    run_until(timers, lambda: called.calls)


def test_handler_changes_the_set(timers: Any) -> None:
    """A handler may add and cancel timers, itself and others that are due."""
    called = Called()
    ids: list[int] = []

    def handler(timer_id: int, arg: Any) -> None:
        for other in ids:
            assert ztimerset.cancel(timers, other) == 0
        ids.clear()
        ids.append(ztimerset.add(timers, 1, called, "added"))

    ids += [ztimerset.add(timers, 1, handler), ztimerset.add(timers, 1, handler)]
    run_until(timers, lambda: len(called.calls) >= 2)
    assert called.calls[:2] == [(ids[0], "added")] * 2


def test_handler_executes_the_set(timers: Any) -> None:
    """A handler may execute the set itself."""
    calls = []

    def handler(timer_id: int, arg: Any) -> None:
        calls.append(timer_id)
        if len(calls) < 5:
            ztimerset.execute(timers)

    ztimerset.add(timers, 1, handler)
    run_until(timers, lambda: len(calls) >= 5)


def test_handler_destroys_the_set(timers: Any) -> None:
    """A handler that destroys the set is the last one."""
    calls = []

    def handler(timer_id: int, arg: Any) -> None:
        calls.append(timer_id)
        ztimerset.destroy(timers)

    ztimerset.add(timers, 1, handler)
    ztimerset.add(timers, 1, handler)
    run_until(timers, lambda: calls)
    assert len(calls) == 1
    with pytest.raises(ValueError, match="timers was destroyed"):
        ztimerset.execute(timers)


@draft
@pytest.mark.parametrize("function", CALLS)
def test_handles_that_are_none(function: str) -> None:
    """Every function refuses what is no set of timers, NULL, and one that was destroyed."""
    call, rest = getattr(ztimerset, function), CALLS[function]
    for bad in (1, "x", ffi.NULL, ffi.cast("zcert_t *", 0)):
        with pytest.raises(TypeError, match="timers must be a struct _ztimerset_t"):
            call(bad, *rest)
    with pytest.raises(ValueError, match="timers is NULL"):
        call(ffi.cast("ztimerset_t *", 0), *rest)
    gone = ztimerset.new()
    ztimerset.destroy(gone)
    with pytest.raises(ValueError, match="timers was destroyed"):
        call(gone, *rest)
    ztimerset.destroy(None)


@pytest.mark.parametrize("way", ["cancel", "destroy", "collect"])
def test_handlers_live_as_long_as_their_timer(timers: Any, way: str) -> None:
    """A handler and its argument are kept until the timer is cancelled or the set is gone, cycles included."""
    handler = Called()
    handler.calls.append(timers)
    timer = ztimerset.add(timers, 10_000, handler, handler)
    reference = weakref.ref(handler)
    del handler
    gc.collect()
    assert reference() is not None
    if way == "cancel":
        ztimerset.cancel(timers, timer)
    elif way == "destroy":
        ztimerset.destroy(timers)


@draft
def test_sets_in_cycles_are_freed() -> None:
    """Sets whose handlers refer to them are freed with these."""
    output = children.check(
        """
        import gc, resource, weakref
        from pyczmq import ztimerset
        class Handler:
            def __call__(self, timer_id, arg):
                pass
        alive = []
        def make(number):
            handler = Handler()
            handler.timers = ztimerset.new()
            handler.ballast = bytes(1000)
            ztimerset.add(handler.timers, 1000, handler, handler.timers)
            alive.append(weakref.ref(handler))
            if number % 2:
                ztimerset.destroy(handler.timers)
        for number in range(200):
            make(number)
        for _ in range(5):
            gc.collect()
        print(sum(found() is not None for found in alive))
        """
    )
    assert int(output) < 5
