"""Files that Python reads and writes in C's place.

Where C takes a ``FILE *`` that is a Python file, which has a buffer of its own over it. Where C takes a path it is a
file that C must not be let near before somebody has looked at it.
"""

from __future__ import annotations

import errno
import os
import stat
import time

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
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("is not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            # PyPy takes memory for all that is asked for; a file may have grown meanwhile.
            content = file.read(min(most, status.st_size + 1))
            return content if len(content) <= status.st_size else content + b"".join(pieces(file, most - len(content)))
    except OSError:
        return None
    finally:
        os.close(descriptor)


# ---------------------------------------------------------------- whole files

#: Beginning of the names of files that are being written; CZMQ's certificate stores look past a dot.
_TEMPORARY = b".pyczmq-"

#: Seconds after which such a file is what a process left that was killed.
_ABANDONED = 600.0

#: The mode of a file that nobody but its owner can read.
PRIVATE = 0o600


def temporary(folder: bytes) -> bytes:
    """Return a name for a file in a folder that is to be renamed once it is whole."""
    return os.path.join(folder, _TEMPORARY + os.urandom(8).hex().encode())


def target(path: bytes) -> bytes:
    """Return where a file is to be, behind links; OSError for no name, or if there is something else than a file."""
    if not path:
        raise FileNotFoundError(errno.ENOENT, "no name")
    found = os.path.realpath(path)
    if os.path.exists(found) and not os.path.isfile(found):
        raise OSError(errno.EISDIR if os.path.isdir(found) else errno.EINVAL, "not a regular file")
    return found


def replace(path: bytes, content: bytes, mode: int | None) -> None:
    """Write a file, whole or not at all: first beside *path*, then renamed, so that nobody ever reads half of it.

    It has its mode from its first byte on. *mode* is `PRIVATE`, whatever the umask is, or another less the umask; None
    keeps that of the file which was there, and its group, if there was one. OSError if anything goes wrong; the file of
    before is as it was then.
    """
    path = target(path)
    before = os.stat(path) if mode is None and os.path.exists(path) else None
    created = PRIVATE if before is not None else 0o666 if mode is None else mode
    folder = os.path.dirname(path)
    name = temporary(folder)
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), created)
    try:
        with open(descriptor, "wb") as file:
            if before is not None:
                _resemble(descriptor, before)
            elif mode == PRIVATE and hasattr(os, "fchmod"):
                os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    _sweep(folder)


def _resemble(descriptor: int, before: os.stat_result) -> None:
    """Give an open file the owner, the group and the mode of another, as far as that may be."""
    if not hasattr(os, "fchown"):
        return
    mode = stat.S_IMODE(before.st_mode)
    try:
        os.fchown(descriptor, before.st_uid, before.st_gid)
    except OSError:
        try:
            os.fchown(descriptor, -1, before.st_gid)
        except OSError:
            # What one group might do is nothing for another.
            mode &= ~stat.S_IRWXG
    os.fchmod(descriptor, mode)


def _sweep(folder: bytes) -> None:
    """Remove what a process has left in a folder that was killed while it wrote."""
    try:
        for entry in os.scandir(folder):
            if entry.name.startswith(_TEMPORARY) and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                # Only one's own: in a folder that others may write to, these may be anything.
                is_own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
                if is_own and status.st_mtime < time.time() - _ABANDONED:
                    os.unlink(entry.path)
    except OSError:
        return
