"""What libzmq offers beside sockets: the Z85 code, CURVE keys, counters, timers, stopwatches and threads.

This is the part of `pyczmq.zmq` that needs no socket. Counters, timers and stopwatches are freed by the garbage
collector where nobody does it before.
"""

from __future__ import annotations

import errno
import time
from _thread import allocate_lock, get_ident

from . import _handles, _keeper, _text, _threads
from ._cffi import C, ffi
from ._numbers import integer
from ._zmq_pointers import VOID, check, check_own, hand_out, keeper, kinds, own, retire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._types import Buffer, CData, Text

__all__ = [
    "z85_encode",
    "z85_decode",
    "curve_keypair",
    "curve_public",
    "atomic_counter_new",
    "atomic_counter_set",
    "atomic_counter_inc",
    "atomic_counter_dec",
    "atomic_counter_value",
    "atomic_counter_destroy",
    "timers_new",
    "timers_destroy",
    "timers_add",
    "timers_cancel",
    "timers_set_interval",
    "timers_reset",
    "timers_timeout",
    "timers_execute",
    "stopwatch_start",
    "stopwatch_intermediate",
    "stopwatch_stop",
    "sleep",
    "threadstart",
    "threadclose",
]

_Z85 = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#")
_KEY_SIZE = 40
_UINT_MAX = 2**32 - 1

#: Milliseconds that an interval may have at most, so that no sum of it and the time of day overflows.
_LONGEST = 2**53


def z85_encode(data: Text | Buffer) -> str | None:
    """Return bytes as Z85 text, five characters for four bytes; None if their number is not a multiple of four.

    C: ``char *zmq_z85_encode (char *dest, const uint8_t *data, size_t size)``
    """
    content = _text.data(data)
    size = len(content)
    if size > _UINT_MAX // 2:
        raise ValueError("data is too long")
    text = ffi.new("char[]", size * 5 // 4 + 1)
    start = ffi.cast("uint8_t *", content if isinstance(content, ffi.CData) else ffi.from_buffer(content))
    return _text.string(C.zmq_z85_encode(text, start, size))


def z85_decode(string: Text) -> bytes | None:
    """Return the bytes of a Z85 text, four for five characters.

    None if it is not Z85: if it is empty, its length is not a multiple of five, or there are other characters in it.

    C: ``uint8_t *zmq_z85_decode (uint8_t *dest, const char *string)``
    """
    text = _text.encode(string)
    if not text or len(text) % 5 or not _Z85.issuperset(text):
        ffi.errno = errno.EINVAL
        return None
    data = ffi.new("uint8_t[]", len(text) * 4 // 5)
    return bytes(ffi.buffer(data)) if C.zmq_z85_decode(data, text) else None


def curve_keypair() -> tuple[str, str] | None:
    """Return a new pair of CURVE keys, (public, secret), each 40 characters of Z85; None if libzmq has no CURVE.

    C: ``int zmq_curve_keypair (char *z85_public_key, char *z85_secret_key)``
    """
    public, secret = ffi.new("char[41]"), ffi.new("char[41]")
    if C.zmq_curve_keypair(public, secret) != 0:
        return None
    return _text.decode(ffi.string(public)), _text.decode(ffi.string(secret))


def curve_public(z85_secret_key: Text) -> str | None:
    """Return the public key that goes with a secret key of 40 characters of Z85; None if libzmq has no CURVE.

    Raises ValueError for anything else than such a key.

    C: ``int zmq_curve_public (char *z85_public_key, const char *z85_secret_key)``
    """
    secret = _text.encode(z85_secret_key, "z85_secret_key")
    if len(secret) != _KEY_SIZE or z85_decode(secret) is None:
        raise ValueError("z85_secret_key must be 40 characters of Z85")
    public = ffi.new("char[41]")
    return _text.decode(ffi.string(public)) if C.zmq_curve_public(public, secret) == 0 else None


def check_callable(function: Any, name: str) -> None:
    """Raise TypeError for what cannot be called; every pointer of cffi's says that it can."""
    if not callable(function) or (isinstance(function, ffi.CData) and ffi.typeof(function).kind != "function"):
        raise TypeError(f"{name} must be callable, not {type(function).__name__}")


# ---------------------------------------------------------------- atomic counters

_COUNTER = "counter"


def _free_counter(pointer: CData) -> None:
    C.zmq_atomic_counter_destroy(ffi.new("void **", pointer))


def atomic_counter_new() -> CData:
    """Return a new counter, at 0, that several threads can use at once.

    C: ``void *zmq_atomic_counter_new (void)``
    """
    return own(C.zmq_atomic_counter_new(), _COUNTER, _free_counter)


def atomic_counter_set(counter: CData, value: int) -> None:
    """Set a counter.

    C: ``void zmq_atomic_counter_set (void *counter, int value)``
    """
    C.zmq_atomic_counter_set(check_own(counter, _COUNTER, "counter"), value)


def atomic_counter_inc(counter: CData) -> int:
    """Add 1 to a counter and return what it was before.

    C: ``int zmq_atomic_counter_inc (void *counter)``
    """
    return C.zmq_atomic_counter_inc(check_own(counter, _COUNTER, "counter"))


def atomic_counter_dec(counter: CData) -> int:
    """Take 1 from a counter and return 0 if it is at 0 now, else 1.

    C: ``int zmq_atomic_counter_dec (void *counter)``
    """
    return C.zmq_atomic_counter_dec(check_own(counter, _COUNTER, "counter"))


def atomic_counter_value(counter: CData) -> int:
    """Return what a counter is at.

    C: ``int zmq_atomic_counter_value (void *counter)``
    """
    return C.zmq_atomic_counter_value(check_own(counter, _COUNTER, "counter"))


def atomic_counter_destroy(counter: CData | None) -> None:
    """Free a counter now, and only once; None is let through.

    C: ``void zmq_atomic_counter_destroy (void **counter_p)``
    """
    if counter is not None:
        _handles.destroy(check_own(counter, _COUNTER, "counter"), VOID, _free_counter, "counter")


# ---------------------------------------------------------------- timers

_TIMERS = "set of timers"


class Timers(_keeper.Keeper):
    """What goes with a set of timers: their handlers, and which of them are due."""

    __slots__ = ("due", "handlers", "self")

    def __init__(self) -> None:
        super().__init__()
        self.handlers: dict[int, tuple[Callable[[int, Any], object], Any]] = {}
        self.due: list[int] = []
        self.self = ffi.new_handle(self)

    def execute(self, function: Callable[[CData], int], timers: CData) -> int:
        """Let C find out which timers are due, then call their handlers; return what C did."""
        outer, self.busy = self.busy, get_ident()
        try:
            rc = function(timers)
        finally:
            self.busy = outer
        while self.due:
            timer_id = self.due.pop(0)
            if timer_id in self.handlers:
                handler, arg = self.handlers[timer_id]
                handler(timer_id, arg)
        return rc


@ffi.callback("zmq_timer_fn")  # type: ignore[untyped-decorator]
def fire(timer_id: int, arg: CData) -> None:
    # No handler runs inside C, which goes through its list meanwhile and must not have it changed.
    ffi.from_handle(arg).due.append(timer_id)


def _free_timers(pointer: CData) -> None:
    C.zmq_timers_destroy(ffi.new("void **", pointer))


def _state(timers: CData) -> Timers:
    return keeper(timers, _TIMERS, "timers", Timers)


def _interval(milliseconds: int) -> int:
    """Return a timer's interval; C would loop for ever over one of 0."""
    return integer(milliseconds, "interval", 1, _LONGEST)


def timers_new() -> CData:
    """Return a new set of timers, for a loop of one's own: wait for `timers_timeout`, then call `timers_execute`.

    C: ``void *zmq_timers_new (void)``
    """
    return own(C.zmq_timers_new(), _TIMERS, _free_timers, Timers())


def timers_destroy(timers: CData | None) -> int:
    """Free a set of timers now, and only once; None is let through. Returns 0.

    C: ``int zmq_timers_destroy (void **timers_p)``
    """
    if timers is not None:
        check(timers, _TIMERS, "timers")
        _keeper.destroy(timers, VOID, _free_timers, "timers", Timers)
    return 0


def timers_add(timers: CData, interval: int, handler: Callable[[int, Any], object], arg: Any = None) -> int:
    """Call ``handler(timer_id, arg)`` every *interval* milliseconds, from `timers_execute`; return the timer's id.

    C: ``int zmq_timers_add (void *timers, size_t interval, zmq_timer_fn handler, void *arg)``
    """
    state = _state(timers)
    check_callable(handler, "handler")
    timer_id = C.zmq_timers_add(timers, _interval(interval), fire, state.self)
    if timer_id >= 0:
        state.handlers[timer_id] = (handler, arg)
    return timer_id


def timers_cancel(timers: CData, timer_id: int) -> int:
    """Remove a timer, whose handler will not be called again; return 0, or -1 if there is no such timer.

    C: ``int zmq_timers_cancel (void *timers, int timer_id)``
    """
    state = _state(timers)
    rc = C.zmq_timers_cancel(timers, timer_id)
    if rc == 0:
        state.handlers.pop(timer_id, None)
    return rc


def timers_set_interval(timers: CData, timer_id: int, interval: int) -> int:
    """Change a timer's interval, in milliseconds, counting from now; return 0, or -1 if there is no such timer.

    C: ``int zmq_timers_set_interval (void *timers, int timer_id, size_t interval)``
    """
    _state(timers)
    return C.zmq_timers_set_interval(timers, timer_id, _interval(interval))


def timers_reset(timers: CData, timer_id: int) -> int:
    """Let a timer's interval begin anew; return 0, or -1 if there is no such timer.

    C: ``int zmq_timers_reset (void *timers, int timer_id)``
    """
    _state(timers)
    return C.zmq_timers_reset(timers, timer_id)


def timers_timeout(timers: CData) -> int:
    """Return in how many milliseconds the next timer is due; -1 if there is none.

    C: ``long zmq_timers_timeout (void *timers)``
    """
    return 0 if _state(timers).due else C.zmq_timers_timeout(timers)


def timers_execute(timers: CData) -> int:
    """Call the handlers of all timers that are due; return 0.

    A handler's exception comes out of here; handlers that were to be called after it are called by the next
    `timers_execute`. A handler may add, change and cancel timers, its own too.

    C: ``int zmq_timers_execute (void *timers)``
    """
    return _state(timers).execute(C.zmq_timers_execute, timers)


# ---------------------------------------------------------------- stopwatches, sleep and threads

_STOPWATCH = "stopwatch"


def stopwatch_start() -> CData:
    """Start a stopwatch and return it.

    C: ``void *zmq_stopwatch_start (void)``
    """
    return own(C.zmq_stopwatch_start(), _STOPWATCH, C.zmq_stopwatch_stop)


def stopwatch_intermediate(watch: CData) -> int:
    """Return the microseconds since a stopwatch was started.

    C: ``unsigned long zmq_stopwatch_intermediate (void *watch)``
    """
    return C.zmq_stopwatch_intermediate(check_own(watch, _STOPWATCH, "watch"))


def stopwatch_stop(watch: CData) -> int:
    """Stop and free a stopwatch; return the microseconds since it was started.

    C: ``unsigned long zmq_stopwatch_stop (void *watch)``
    """
    check_own(watch, _STOPWATCH, "watch")
    _handles.disown(watch, "was stopped")
    kinds.pop(watch, None)
    return C.zmq_stopwatch_stop(watch)


def sleep(seconds: float) -> None:
    """Sleep for a number of seconds, which need not be a whole one as in C; signal handlers run meanwhile.

    C: ``void zmq_sleep (int seconds)``
    """
    time.sleep(seconds)


class _Thread:
    """What goes with a thread: what it runs, and whether that has returned."""

    def __init__(self, func: Callable[[Any], object], arg: Any) -> None:
        self.func = func
        self.arg = arg
        self.done = allocate_lock()
        self.done.acquire()
        self.handle = ffi.new_handle(self)

    def run(self) -> None:
        """Call what it is to call, on the thread."""
        try:
            self.func(self.arg)
        except BaseException as error:
            import threading

            threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, None)))
        finally:
            self.done.release()


@ffi.callback("zmq_thread_fn")  # type: ignore[untyped-decorator]
def _run(arg: CData) -> None:
    _threads.run_for_c(ffi.from_handle(arg).run)


_running: dict[CData, _Thread] = {}


def threadstart(func: Callable[[Any], object], arg: Any = None) -> CData:
    """Call ``func(arg)`` on a new thread of libzmq's, and return the thread, for `threadclose`.

    An exception is reported as for any thread of Python's, by ``threading.excepthook``.

    C: ``void *zmq_threadstart (zmq_thread_fn *func, void *arg)``
    """
    check_callable(func, "func")
    state = _Thread(func, arg)
    thread = C.zmq_threadstart(_run, state.handle)
    _running[thread] = state
    return hand_out(thread, "thread")  # type: ignore[return-value]


def threadclose(thread: CData) -> None:
    """Wait until what a thread runs has returned, then free the thread. Each thread must be closed, once.

    C: ``void zmq_threadclose (void *thread)``
    """
    state = _running.get(check(thread, "thread", "thread"))
    if state is None:
        raise ValueError("thread was not started by zmq.threadstart")
    _threads.await_release(state.done)
    state.done.release()
    if _running.pop(thread, None) is state:
        retire(thread, "was closed")
        C.zmq_threadclose(thread)
