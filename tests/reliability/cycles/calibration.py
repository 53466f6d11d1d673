"""Cycles that leak on purpose, and one that does not: what `measure` must tell from one another."""

from __future__ import annotations

import ctypes
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

from cycles import cycle, prepared
from pyczmq import C, _handles, zframe

_numbers = itertools.count()
_kept: list[Any] = []
_libc = ctypes.CDLL(None)
_libc.malloc.restype = ctypes.c_void_p
_libc.free.argtypes = [ctypes.c_void_p]


@cycle("nothing", 100_000)
def _nothing() -> None:
    zframe.destroy(zframe.new(b"content"))
    _libc.free(_libc.malloc(16))


@cycle("16 bytes of C's", 100_000)
def _bytes_of_c() -> None:
    _libc.malloc(16)


@cycle("an object of Python's", 100_000)
def _object() -> None:
    _kept.append(object())


@cycle("a frame of the raw floor", 100_000)
def _frame() -> None:
    C.zframe_new(b"content", 7)


@cycle("a descriptor now and then", 50)
def _descriptor() -> None:
    if next(_numbers) % 20 == 0:
        os.dup(0)


@prepared("a thread now and then", 50)
def _() -> Iterator[Callable[[], object]]:
    end = threading.Event()

    def once() -> None:
        if next(_numbers) % 20 == 0:
            threading.Thread(target=end.wait, daemon=True).start()

    yield once
    end.set()


@cycle("an entry of a table now and then")
def _entry() -> None:
    if next(_numbers) % 20 == 0:
        _handles._inside[next(_numbers)] = 0
