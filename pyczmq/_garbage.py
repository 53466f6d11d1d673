"""What nobody refers to, and has something that is wanted now: the garbage collector is asked to free it."""

from __future__ import annotations

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Rounds that leave nothing. What PyPy frees in one may be the last that refers to what it frees in the next.
_ROUNDS = 4 if sys.implementation.name == "pypy" else 1


def rounds() -> Iterator[None]:
    """Yield for an attempt, and for another one after each round of the garbage collector; leave off once one works."""
    yield
    for _ in range(_ROUNDS):
        gc.collect()
        yield
