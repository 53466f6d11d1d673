"""The formats of lists and hashes of strings: packed into a frame, and in a file of name=value lines.

They are written and read here, as CZMQ does it, since CZMQ's own code takes any pointer for a string, writes lengths
that do not fit, and cuts lines.
"""

from __future__ import annotations

import errno
import os
import stat
import struct

from . import _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_NUMBER = struct.Struct("!I")
_LONGEST_KEY = 255
_LONGEST = 2**32 - 1


def _plain(value: Any, name: str) -> bytes:
    """Return a string that C can read whole."""
    data = _text.cstring(value, name)
    if len(data) > _LONGEST:
        raise ValueError(f"{name} must not be longer than {_LONGEST} bytes")
    return data


# ---------------------------------------------------------------- frames


def write_strings(items: list[Any]) -> bytes:
    """Return packed strings; TypeError for an item that is not str or bytes, ValueError for one with a NUL byte."""
    parts = [_NUMBER.pack(len(items))]
    for item in items:
        data = _plain(item, "each item")
        parts += (_NUMBER.pack(len(data)), data)
    return b"".join(parts)


def write_pairs(pairs: list[tuple[Any, Any]]) -> bytes:
    """Return packed keys and items, all strings; ValueError for a key of more than 255 bytes, or a NUL byte."""
    parts = [_NUMBER.pack(len(pairs))]
    for key, item in pairs:
        name = _plain(key, "each key")
        if len(name) > _LONGEST_KEY:
            raise ValueError(f"each key must not be longer than {_LONGEST_KEY} bytes, to be packed")
        data = _plain(item, "each item")
        parts += (bytes([len(name)]), name, _NUMBER.pack(len(data)), data)
    return b"".join(parts)


class _Reader:
    """Reads a packed frame from its start; ValueError beyond its end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        start = self.at
        if size > len(self.data) - start:
            raise ValueError
        self.at += size
        return self.data[start : self.at]

    def number(self) -> int:
        """Return the next number."""
        value: int = _NUMBER.unpack(self.take(_NUMBER.size))[0]
        return value

    def text(self, size: int) -> str:
        """Return the next string, which has no NUL byte."""
        data = self.take(size)
        if b"\0" in data:
            raise ValueError
        return _text.decode(data)


def read_strings(data: bytes) -> list[str] | None:
    """Return the strings in a packed frame, none for one that is too short for their number; None if it is broken."""
    if len(data) < _NUMBER.size:
        return []
    reader = _Reader(data)
    try:
        count = reader.number()
        # A list of so many might be made at once.
        if count > len(data):
            return None
        found = [reader.text(reader.number()) for _ in range(count)]
    except ValueError:
        return None
    return found if reader.at == len(data) else None


def read_pairs(data: bytes) -> dict[str, str] | None:
    """Return the keys and items in a packed frame, as `read_strings` does; None also if a key comes twice."""
    if len(data) < _NUMBER.size:
        return {}
    reader = _Reader(data)
    found = {}
    try:
        count = reader.number()
        for _ in range(count):
            key = reader.text(reader.take(1)[0])
            found[key] = reader.text(reader.number())
    except ValueError:
        return None
    return found if reader.at == len(data) and len(found) == count else None


# ---------------------------------------------------------------- files


class File:
    """What goes with a hash that is kept in a file: the comments, and where and when it was read."""

    __slots__ = ("comments", "modified", "path")

    def __init__(self) -> None:
        self.comments: list[bytes] = []
        self.path: bytes | None = None
        self.modified = 0

    def save(self, pairs: list[tuple[Any, Any]], path: bytes) -> int:
        """Write the comments, and keys and items, which are checked before; return 0, or -1 with errno set."""
        lines = [b"#   " + comment for comment in self.comments]
        if lines:
            lines.append(b"")
        for key, item in pairs:
            name, data = _plain(key, "each key"), _plain(item, "each item")
            if not name or name.startswith(b"#") or b"=" in name or b"\n" in name:
                raise ValueError(f"key {_text.decode(name)!r} could not be read again from a file")
            if b"\n" in data:
                raise ValueError(f"item of key {_text.decode(name)!r} has a line feed, which a file could not keep")
            lines.append(name + b"=" + data)
        try:
            with open(path, "wb") as file:
                file.write(b"\n".join([*lines, b""]))
        except OSError as error:
            ffi.errno = error.errno or errno.EIO
            return -1
        return 0

    def load(self, path: bytes) -> dict[str, str] | None:
        """Return the keys and items in a file, None with errno set if it cannot be read; note which file it was."""
        self.path = path
        self.modified = C.zsys_file_modified(path)
        try:
            # Of a pipe there might be no end.
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            with open(path, "rb") as file:
                return dict(_entries(file))
        except OSError as error:
            ffi.errno = error.errno or errno.EIO
            return None

    def changed(self) -> bool:
        """Tell whether the file that was read last is another now, and has been for some seconds."""
        path = self.path
        return path is not None and C.zsys_file_modified(path) > self.modified and C.zsys_file_stable(path)


def _entries(lines: Iterable[bytes]) -> Iterable[tuple[str, str]]:
    for line in lines:
        name, equals, data = line.partition(b"=")
        if equals and name and not line.startswith(b"#") and b"\0" not in line:
            yield _text.decode(name), _text.decode(data[:-1] if data.endswith(b"\n") else data)
