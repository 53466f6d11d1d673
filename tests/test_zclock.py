"""zclock: clocks and delays."""

from __future__ import annotations

import re
import signal
import threading
import time
from typing import Any

import children
import pytest

from pyczmq import zclock


def test_selftest_replayed() -> None:
    """What CZMQ's own test shows: after ten milliseconds each clock has gone on by that."""
    start = zclock.time()
    zclock.sleep(10)
    # It is the time of day: in milliseconds it is cut.
    assert zclock.time() - start >= 9
    start, usecs = zclock.mono(), zclock.usecs()
    zclock.sleep(10)
    assert zclock.mono() - start >= 10
    assert zclock.usecs() - usecs >= 10_000
    assert len(zclock.timestr()) == 19


def test_czmqs_own_test_passes() -> None:
    zclock.test()


def test_time_of_day() -> None:
    """The time of day is Python's, in milliseconds, and as text it is local."""
    before = time.time()
    now = zclock.time()
    assert before * 1000 - 1 <= now <= time.time() * 1000 + 1
    texts = {time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + shift)) for shift in (-1, 0, 1)}
    assert zclock.timestr() in texts


def test_clocks_for_measuring_agree() -> None:
    """`mono` and `usecs` tell the same time, in other units, and never go back."""
    before, between, after = zclock.mono(), zclock.usecs(), zclock.mono()
    assert before <= between // 1000 <= after
    times = [zclock.usecs() for _ in range(1000)]
    assert times == sorted(times)


@pytest.mark.parametrize("msecs", [0, -1, -(2**31)])
def test_no_time(msecs: int) -> None:
    """None, or less, is no time."""
    start = time.monotonic()
    zclock.sleep(msecs)
    assert time.monotonic() - start < 1


@pytest.mark.parametrize("bad", [None, 1.5, "1", b"1", 2**31, -(2**31) - 1, 2**64, object()])
def test_what_is_no_time(bad: Any) -> None:
    """What is no int of C's is refused."""
    with pytest.raises((TypeError, ValueError), match="msecs must be"):
        zclock.sleep(bad)


def test_other_threads_run_meanwhile() -> None:
    """One thread's sleep is not another's."""
    ticks = []
    thread = threading.Thread(target=lambda: zclock.sleep(300))
    start = time.monotonic()
    thread.start()
    while thread.is_alive():
        ticks.append(zclock.mono())
        zclock.sleep(1)
    assert len(ticks) > 5
    assert time.monotonic() - start >= 0.3


SIGNALS = """
import os, signal, threading, time
from pyczmq import zclock
seen = []
def send(number, *moments):
    def run():
        for moment in moments:
            time.sleep(max(0, start + moment - time.monotonic()))
            os.kill(os.getpid(), number)
    threading.Thread(target=run, daemon=True).start()
start = time.monotonic()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no POSIX signals")
class TestSignals:
    """What signals do to a sleep."""

    def test_deadline_is_kept(self) -> None:
        """A signal's handler runs at once, and the sleep goes on with what is left; C's own ends at the first."""
        children.check(
            SIGNALS
            + """
signal.signal(signal.SIGUSR1, lambda *_: seen.append(time.monotonic() - start))
send(signal.SIGUSR1, 0.1, 0.2, 0.25)
zclock.sleep(500)
took = time.monotonic() - start
assert 0.5 <= took < 1.5, took
assert len(seen) == 3 and seen[0] < 0.45, seen
"""
        )

    def test_ctrl_c(self) -> None:
        """Ctrl-C ends a sleep at once."""
        children.check(
            SIGNALS
            + """
send(signal.SIGINT, 0.2)
try:
    zclock.sleep(20_000)
except KeyboardInterrupt:
    took = time.monotonic() - start
    assert 0.2 <= took < 1, took
else:
    raise AssertionError("not interrupted")
"""
        )


def test_log(capsys: pytest.CaptureFixture[str]) -> None:
    """A line has the date and time before it; without arguments the text is none of a format."""
    zclock.log("Hello, %s! 100%")
    zclock.log("%s has %d of %5.1f%%", "grün", 7, 3.25)
    zclock.log(b"bytes \xc3\xa4")
    zclock.log("")
    lines = capsys.readouterr().out.splitlines()
    assert all(re.fullmatch(r"\d\d-\d\d-\d\d \d\d:\d\d:\d\d .*", line) for line in lines)
    assert [line[18:] for line in lines] == ["Hello, %s! 100%", "grün has 7 of   3.2%", "bytes ä", ""]


def test_log_takes_any_text() -> None:
    """What the output's encoding cannot write is escaped; NUL bytes and long lines come through whole."""
    output = children.check(
        """
        from pyczmq import zclock
        zclock.log("ä€\\udcff")
        zclock.log("a\\0b" + "x" * 100_000)
        """,
        PYTHONIOENCODING="ascii",
    )
    first, second = output.splitlines()
    assert first[18:] == r"\xe4\u20ac\udcff"
    assert second[18:] == "a\0b" + "x" * 100_000


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((None,), TypeError),
        ((1,), TypeError),
        (("%s %s", 1), TypeError),
        (("%d", "x"), TypeError),
        (("%n", 1), ValueError),
    ],
)
def test_formats_that_do_not_fit(arguments: tuple[Any, ...], error: type[Exception]) -> None:
    """A format and its arguments are checked by Python; C never sees them as a format."""
    with pytest.raises(error):
        zclock.log(*arguments)
