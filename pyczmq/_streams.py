"""Files that Python reads and writes in C's place.

Where C takes a ``FILE *`` that is a Python file, which has a buffer of its own over it. Where C takes a path it is a
file that C must not be let near before somebody has looked at it.
"""

from __future__ import annotations

import os
import stat

from ._text import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

#: Bytes that are read at a time: memory is taken for what is there, and not for what is asked for.
_PIECE = 1 << 20


def pieces(file: Any, count: int, name: str = "file") -> Iterator[bytes]:
    """Read *count* bytes, or as many as there are, from a Python file; yield them piece by piece."""
    read = getattr(file, "read", None)
    if read is None:
        raise TypeError(f"{name} must be a Python file, not {type(file).__name__}")
    while count > 0:
        piece = read(min(count, _PIECE))
        if not piece:
            return
        if isinstance(piece, str):
            raise TypeError(f"{name} must be opened for reading bytes, not text")
        if len(piece) > count:
            raise ValueError(f"{name} gave {len(piece)} bytes where at most {count} were asked for")
        count -= len(piece)
        yield bytes(piece)


def write(file: Any, content: bytes, name: str = "file") -> None:
    """Write bytes to a Python file, all of them."""
    if not hasattr(file, "write"):
        raise TypeError(f"{name} must be a Python file, not {type(file).__name__}")
    left = memoryview(content)
    while left:
        written = file.write(left)
        # Only an unbuffered file writes less than it is asked to.
        left = left[written:] if written else left[:0]


def write_text(file: Any, text: bytes) -> None:
    """Write to a Python file, be it text or binary."""
    if not hasattr(file, "write"):
        raise TypeError(f"file must be a Python file, not {type(file).__name__}")
    try:
        file.write(decode(text))
    except TypeError:
        file.write(text)


def read_regular(path: bytes, most: int) -> bytes | None:
    """Return the first *most* bytes of a file; None if it cannot be read, ValueError if it is no regular one."""
    try:
        # A FIFO would block, without the flag that some systems have not and need not.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("is not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(most)
    except OSError:
        return None
    finally:
        os.close(descriptor)
