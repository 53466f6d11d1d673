"""Python files where C takes a ``FILE *``: read and written by Python, which has a buffer of its own over them."""

from __future__ import annotations

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
