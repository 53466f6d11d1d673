"""The two formats of a whole message: what ``zmsg.save`` writes to a file, and what ``zmsg.encode`` puts into a frame.

Both are read here and not by C, which believes any length that it reads, and aborts if it cannot have as much memory.
"""

from __future__ import annotations

import sys

from . import _streams
from ._cffi import ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

#: In an encoded message, the length that says that four bytes of length follow.
_LONG = 255

#: Bytes of a length in a file.
_HEADER = ffi.sizeof("size_t")


def split(encoded: Any) -> list[tuple[int, int]] | None:
    """Return where each frame of an encoded message starts, and its size; None if it is no encoded message.

    *encoded* is a cffi buffer.
    """
    spans = []
    position, end = 0, len(encoded)
    while position < end:
        size = encoded[position][0]
        position += 1
        if size == _LONG:
            if end - position < 4:
                return None
            size = int.from_bytes(encoded[position : position + 4], "big")
            position += 4
        if size > end - position:
            return None
        spans.append((position, size))
        position += size
    return spans


def load(file: Any) -> list[bytes] | None:
    """Read the frames of a message, each behind its size, from a path or Python file; None if it ends too early."""
    if not hasattr(file, "read"):
        with open(_path(file), "rb") as opened:
            return load(opened)
    frames: list[bytes] = []
    while True:
        header = _read(file, _HEADER)
        if not header:
            return frames
        size = int.from_bytes(header, sys.byteorder)
        content = _read(file, size) if len(header) == _HEADER else b""
        if len(content) != size:
            return None
        frames.append(content)


def save(frames: Iterable[bytes], file: Any) -> None:
    """Write the frames of a message, each behind its size, to a path or Python file."""
    if not hasattr(file, "write"):
        with open(_path(file), "wb") as opened:
            return save(frames, opened)
    for frame in frames:
        _streams.write(file, len(frame).to_bytes(_HEADER, sys.byteorder))
        _streams.write(file, frame)
    return None


def _path(file: Any) -> Any:
    """Return a path for `open`."""
    import os

    try:
        return os.fspath(file)
    except TypeError:
        raise TypeError(f"file must be a Python file or a path, not {type(file).__name__}") from None


def _read(file: Any, count: int) -> bytes:
    """Read *count* bytes, or as many as there are."""
    return b"".join(_streams.pieces(file, count))
