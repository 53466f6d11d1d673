"""Two threads at one object: what must be refused, and must disturb nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def while_in_use(thing: Any, use: Callable[[], object], end: Callable[[], object], check: Callable[[], object]) -> None:
    """Run *check* while another thread is inside *use*, a call of the object's that *end* lets return."""
    thread = threading.Thread(target=use)
    thread.start()
    try:
        while thing._lock.acquire(False):
            thing._lock.release()
            assert thread.is_alive()
        check()
    finally:
        end()
        thread.join()


@contextmanager
def in_use(thing: Any) -> Iterator[None]:
    """Have another thread inside a method of an object."""
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with thing._lock:
            inside.set()
            leave.wait()

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    try:
        yield
    finally:
        leave.set()
        thread.join()
