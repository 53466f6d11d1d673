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
