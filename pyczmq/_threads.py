"""Threads: which wait in C, which work for this package, their signals, and how none is in the way at exit.

Daemon threads go on while handles are destroyed at exit, and libzmq is at its end where two threads are in one socket.
So whatever waits in C does so through `call`, which notes it; at exit those threads are woken, and held for good.
"""

from __future__ import annotations

# Not signal, which makes a member of an enumeration of each number; and not where it is needed: PyPy leaves an import's
# lock held where a signal's handler raises in it.
import _signal  # type: ignore[import-not-found]
import os
import sys
import time
from _thread import _count, allocate_lock, get_ident, start_new_thread

# Imported later, on another thread than the main one, it would take that for the main one, and wait for it at exit.
from threading import main_thread

from . import _scheduling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable, Collection
    from types import FrameType
    from typing import Any

    from ._types import CData

#: Milliseconds for which the main thread sleeps at most before it looks for signals.
SLICE = 100

#: Seconds that other threads have, when the interpreter exits, to make the sockets that they are about to make.
_MAKING = 0.03

#: Seconds that they have to come back from calls that do not wait, as a rule and at most, and when a signal woke them.
_RETURNING = 0.01
_MOST = 0.1
_PATIENCE = 2.0

_PYPY = sys.implementation.name == "pypy"

#: ``pthread_sigmask``, None where there is no such thing.
_sigmask: Any = getattr(_signal, "pthread_sigmask", None)

_monotonic = time.monotonic

#: Threads that are in a C function that waits -> its arguments, and what tells by them which sockets it uses.
waiting: dict[int, tuple[tuple[Any, ...], Callable[..., Collection[Any]]]] = {}

#: Threads that run the tasks of actors, which have some last things to do while the interpreter exits.
tasks: set[int] = set()

#: Threads that work for this package. They end by themselves, or are told to.
helpers: set[int] = set()

#: Threads that do not come back from what they wait for, since the interpreter exits.
_held: set[int] = set()

#: Sockets, and handles of actors, that are being destroyed at exit.
_closing: set[CData] = set()

_ending = False

#: Whether the interpreter has come to where it destroys what is left.
exiting = False


def on_main_thread() -> bool:
    """Tell whether this is the thread that Python runs signal handlers in."""
    return get_ident() == main_thread().ident


def check_signals() -> None:
    """Have PyPy run the handlers of signals that have come, if this is the main thread.

    A signal that comes while another thread runs it may notice only thousands of bytecodes later: after seconds, where
    the main thread does little but wait. CPython always does at once.
    """
    if _PYPY and _sigmask is not None:
        # After this PyPy looks for signals.
        _sigmask(_signal.SIG_BLOCK, ())


def await_release(lock: LockType) -> None:
    """Acquire a lock that another thread will release, open to signals."""
    while not lock.acquire(timeout=SLICE / 1000):
        check_signals()


def masked(function: Any, *args: Any) -> Any:
    """Call a C function that starts or asks an actor with all signals blocked: the actor's thread inherits that.

    Over a signal, C ends a beacon, or loses an answer.
    """
    if _sigmask is None:
        return function(*args)
    before = _sigmask(_signal.SIG_BLOCK, ())
    try:
        _sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
        return function(*args)
    finally:
        _sigmask(_signal.SIG_SETMASK, before)


def start_helper(function: Callable[..., object], *args: object) -> None:
    """Run a function of this package's on a thread of its own; RuntimeError where none can be had."""

    def run() -> None:
        helpers.add(get_ident())
        try:
            function(*args)
        finally:
            helpers.discard(get_ident())

    start_new_thread(run, ())


def run_for_c(function: Callable[..., object], *args: object) -> None:
    """Run a function that a thread of C's has called back for; under PyPy on a thread of Python's, and wait for it.

    What a thread of C's leaves in a `threading.local`, as asyncio does, PyPy 7.3.11 keeps for good.
    """
    if not _PYPY:
        function(*args)
        return
    ended = allocate_lock()
    ended.acquire()

    def run() -> None:
        try:
            function(*args)
        finally:
            ended.release()

    try:
        start_new_thread(run, ())
    except RuntimeError:
        # No more can be had.
        run()
    helpers.add(get_ident())
    try:
        ended.acquire()
    finally:
        helpers.discard(get_ident())


def polled(items: CData, count: int, timeout: int) -> list[CData]:
    """Return the sockets that zmq_poll uses, by its arguments."""
    return [items[index].socket for index in range(count)]


def call(function: Any, *args: Any, uses: Callable[..., Collection[Any]] = polled) -> Any:
    """Call a C function that waits, with the knowledge of `hold` and `stop_waiting`: at exit, threads do not come back.

    *uses* tells by the arguments which sockets, as C knows them, the function uses.
    """
    me = get_ident()
    outer = waiting.get(me)
    waiting[me] = args, uses
    try:
        if _closing and me in users(_closing):
            leave_if_ending()
        result = function(*args)
        if not result and _PYPY:
            check_signals()
        return result
    finally:
        if outer is None:
            waiting.pop(me, None)
        else:
            waiting[me] = outer
        leave_if_exiting()


def must_leave() -> bool:
    """Tell whether this is a daemon thread that is not to go on, since the interpreter exits."""
    return (exiting or (_ending and get_ident() in _held)) and not on_main_thread()


def leave_if_exiting() -> None:
    """Hold a daemon thread for good once the interpreter exits: it must not touch what is being destroyed."""
    if must_leave():
        _held.add(get_ident())
        waiting.pop(get_ident(), None)
        lock = allocate_lock()
        lock.acquire()
        lock.acquire()


def leave_if_ending() -> None:
    """Hold a thread that is about to be refused a handle, if that is so since the interpreter exits.

    Threads that run actors' tasks are told: they have to come to an end.
    """
    if _ending and get_ident() not in tasks:
        _held.add(get_ident())
    leave_if_exiting()


def is_held(thread: int) -> bool:
    """Tell whether a thread does not come back any more."""
    return thread in _held


def users(handles: Collection[CData]) -> list[int]:
    """Return the threads that wait in C and use one of these sockets or actors meanwhile."""
    return [thread for thread, (args, uses) in list(waiting.items()) if any(used in handles for used in uses(*args))]


def note_ending() -> None:
    """Note that the interpreter exits: what is refused from now on may be so because of that."""
    global _ending
    _ending = True


def hold(handles: Collection[CData]) -> None:
    """Get daemon threads off sockets that are about to be destroyed at exit, and hold them.

    A socket is for one thread at a time, so there is no word by which libzmq would do that, short of ending its
    context. A signal ends what they wait in. Those that run actors' tasks are let be.
    """
    _closing.update(handles)
    if not _count():
        return
    _await_returns(_RETURNING)
    if users(handles):
        _wake(handles)


def _wake(handles: Collection[CData]) -> None:
    import signal

    if not hasattr(signal, "pthread_kill") or not on_main_thread():
        return
    before = signal.signal(signal.SIGURG, lambda number, frame: None)
    try:
        deadline = _monotonic() + _PATIENCE
        while _monotonic() < deadline:
            found = [thread for thread in users(handles) if thread not in tasks]
            if not found:
                break
            _held.update(found)
            for thread in found:
                # One that is on this list still cannot end any more.
                if thread in waiting:
                    signal.pthread_kill(thread, signal.SIGURG)
            # It may have come just before C fell asleep.
            time.sleep(0.001)
    finally:
        signal.signal(signal.SIGURG, before)


def _await_returns(least: float) -> None:
    """Give threads whose calls do not wait the time to come back from them, at *least* so many seconds."""
    deadline = _monotonic() + _MOST
    time.sleep(least)
    while _monotonic() < deadline and any(map(_is_inside, sys._current_frames().items())):
        time.sleep(0.001)


def _is_inside(found: tuple[int, FrameType]) -> bool:
    """Tell whether a thread is in a call of this package that does not wait."""
    thread, frame = found
    if thread == get_ident() or any(thread in known for known in (waiting, tasks, helpers, _held)):
        return False
    return str(frame.f_globals.get("__name__")).startswith(f"{__package__}.")


def note_exiting() -> None:
    """Note that all other threads are to be held from now on."""
    global exiting
    note_ending()
    exiting = True


def stop_waiting() -> None:
    """Wake the threads that wait here, for ever blocked otherwise, and let calls in flight come back."""
    if not _count():
        return
    # A thread that is about to make a socket must have made it: C would abort. No other begins with that any more.
    _await_returns(_MAKING)
    # Also for threads in calls of the raw floor, of which nothing is known.
    _scheduling.shut_down()
    deadline = _monotonic() + 0.1
    while waiting and _monotonic() < deadline:
        time.sleep(0.001)
    _await_returns(_RETURNING)


def _after_fork() -> None:
    """Forget the threads of the parent's."""
    for table in waiting, tasks, helpers, _held, _closing:
        table.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
