"""What the tests of several namespaces need: examples out of docstrings, garbage collection, names of tests."""

from __future__ import annotations

import gc
import inspect
import socket


def collect() -> None:
    """Run the garbage collector until nothing is left for it, on PyPy too."""
    for _ in range(4):
        gc.collect()


def free_port() -> int:
    """Return a TCP port that nobody has: a plain socket, unlike one of libzmq's, gives it back at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def short(value: object) -> str:
    """Return what a test with this value is called."""
    return ascii(value)[:20]


def example(documentation: str | None) -> str:
    """Return the example in a docstring: its lines that are indented."""
    lines = [line for line in (documentation or "").splitlines() if line.startswith("    ")]
    assert lines
    return inspect.cleandoc("\n".join(lines))
