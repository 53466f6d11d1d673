"""zclock: clocks and delays in milliseconds.

`time` is the time of day, which jumps when somebody sets it. `mono` and `usecs` only ever go forward, from no point in
particular: they are for measuring.

    >>> from pyczmq import zclock
    >>> start = zclock.mono()
    >>> zclock.sleep(10)
    >>> 10 <= zclock.mono() - start < 10_000
    True
    >>> len(zclock.timestr())
    19
"""

from __future__ import annotations

import time as _time

from . import _text
from ._cffi import C
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._types import Text


def sleep(msecs: int) -> None:
    """Sleep for a number of milliseconds; none, or less, is no time.

    Ctrl-C ends it. After any other signal it goes on with what is left of its time.

    C: ``void zclock_sleep (int msecs)``
    """
    # C's own would sleep through Python's handlers, and end at the first signal.
    _time.sleep(max(0, integer(msecs, "msecs")) / 1000)


def time() -> int:
    """Return the time of day as milliseconds since the beginning of 1970, UTC.

    C: ``int64_t zclock_time (void)``
    """
    return C.zclock_time()


def mono() -> int:
    """Return the time of a clock that is never set, in milliseconds.

    C: ``int64_t zclock_mono (void)``
    """
    return C.zclock_mono()


def usecs() -> int:
    """Return the time of a clock that is never set, in microseconds.

    C: ``int64_t zclock_usecs (void)``
    """
    return C.zclock_usecs()


def timestr() -> str:
    """Return the local date and time as text: "2026-01-31 23:59:59".

    C: ``char *zclock_timestr (void)``
    """
    return _text.take(C.zclock_timestr()) or ""


def test(verbose: bool = False) -> None:
    """Run CZMQ's own self-test of this class in a child process; RuntimeError with its output if it fails.

    C: ``void zclock_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zclock_test", verbose)


def log(format: Text, *args: Any) -> None:
    """Write a line to the standard output, after the local date and time: "26-01-31 23:59:59 the text".

    Only where arguments follow it is the text a C-style format, which Python fills in. `zsys.info` and the like have
    replaced it.

    C: ``void zclock_log (const char *format, ...)``
    """
    from . import _stdout

    text = _text.sprintf(format, *args) if args else _text.encode(format, "format")
    _stdout.write(_time.strftime("%y-%m-%d %H:%M:%S ").encode() + text + b"\n")


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zclock")
