"""Run Python programs in child processes, so that a crash, a hang or what is printed at exit is seen and survived."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass


@dataclass
class Finished:
    """How a child process ended."""

    status: int
    output: str
    errors: str
    seconds: float


def python() -> list[str]:
    """Return the command that runs a program text, which may fork: Python 3.12 would warn of threads."""
    return [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c"]


def run(program: str, *arguments: str, timeout: float = 30, **environment: str) -> Finished:
    """Run a program's source text with this interpreter and return how it ended; *environment* is added to ours."""
    start = time.monotonic()
    done = subprocess.run(
        [*python(), textwrap.dedent(program), *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=timeout,
    )
    return Finished(done.returncode, done.stdout, done.stderr, time.monotonic() - start)


def check(program: str, *arguments: str, timeout: float = 30, **environment: str) -> str:
    """Run a program that must end well and print no errors; return its output."""
    done = run(program, *arguments, timeout=timeout, **environment)
    assert (done.status, done.errors) == (0, ""), done
    return done.output


_INTERRUPTS = """
import os, signal, threading, time
from pyczmq import zctx, zframe, zmq, zmsg, zsocket, zstr
ctx = zctx.new()
push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
{before}
handled = []
signal.signal(signal.SIGUSR1, lambda *_: handled.append(time.monotonic()))
threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGUSR1]).start()
threading.Timer(0.4, os.kill, [os.getpid(), signal.SIGINT]).start()
start = time.monotonic()
try:
    {call}
except KeyboardInterrupt:
    taken = time.monotonic() - start
    assert 0.35 < taken < 0.65, taken
    assert len(handled) == 1 and handled[0] - start < 0.35, handled
    print("interrupted")
{after}
"""


def check_interrupts(call: str, before: str = "", after: str = "") -> None:
    """Check that Ctrl-C ends a call at once, and that another signal's handler runs while the call goes on waiting.

    It waits on `push`, which has no peer, or `pull`, which receives nothing; *before* and *after* it other lines run.
    """
    assert check(_INTERRUPTS.format(call=call, before=before, after=after)) == "interrupted\n"
