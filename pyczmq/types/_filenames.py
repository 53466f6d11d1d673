"""File names, and the OSErrors of files that could not be read or written."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Union

    Filename = Union[str, bytes, PathLike[str], PathLike[bytes]]


def unreadable(filename: Filename) -> OSError | None:
    """Return the error that comes of reading a file, or None: it can be read, so it is what is in it."""
    try:
        with open(os.fsdecode(filename), "rb", opener=_open):
            return None
    except OSError as error:
        return error


def _open(path: str, flags: int) -> int:
    # A FIFO would block, without the flag that some systems have not and need not.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def unwritten(code: int, filename: Filename) -> OSError:
    """Return the error for a file that could not be written, for the errno that C has left."""
    code = code or errno.EIO
    return OSError(code, os.strerror(code), os.fsdecode(filename))
