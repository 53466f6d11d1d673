"""CZMQ's file objects and patches: who owns them, which files C can open without harm, and reading them.

A file object that is inside something of C's (a folder's list of files, a patch) is lent: its handle keeps that alive,
frees nothing, and is refused once that is gone.
"""

from __future__ import annotations

import os
import stat
import weakref

from . import _handles
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    from ._types import CData, DirPatch, File

    Filename = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]

FILE = ffi.typeof("zfile_t *")
PATCH = ffi.typeof("zdir_patch_t *")
free = _handles.freer(C.zfile_destroy, "zfile_t *")
free_patch = _handles.freer(C.zdir_patch_destroy, "zdir_patch_t *")

#: Longest first line of a portable link that C reads.
LONGEST_TARGET = 255

#: Bytes that are read at a time: memory is taken for what is there, and not for what is asked for.
_PIECE = 1 << 20

# Companions of a file object, and of what lends them.
STREAM = "the handle of a file's stream"
AHEAD = "what was read ahead of the last line"
_LENT = "handles for what is inside"


def name(file: CData) -> bytes:
    """Return the name of a file as C has it: of a portable link, without its ``.ln``."""
    text: bytes = ffi.string(C.zfile_filename(file, ffi.NULL))
    return text


def patch(path: bytes, file: CData, op: int, alias: bytes) -> DirPatch:
    """Return a new patch, which the garbage collector owns; *file* must be below the folder *path*."""
    return own_patch(C.zdir_patch_new(path, file, op, alias))


def own_patch(pointer: DirPatch) -> DirPatch:
    """Take a patch into the garbage collector's care."""
    made = _handles.own(pointer, free_patch, fork_safe=True)
    if made is None:
        raise MemoryError("no memory for a patch")
    return made


# ---------------------------------------------------------------- files that are lent


def lend(owner: CData, pointer: File) -> File:
    """Return the one handle for a file object inside *owner*, which it keeps alive."""
    lent = _handles.companions(owner).setdefault(_LENT, {})
    reference = lent.get(pointer)
    handle = None if reference is None else reference()
    if handle is None or _handles.fate(handle) is not None:
        handle = _handles.own(pointer, _leave, owner, fork_safe=True)
        lent[pointer] = weakref.ref(handle)
    return handle  # type: ignore[return-value]


def take_back(owner: CData, what: str) -> None:
    """Refuse the handles for files inside *owner* from now on."""
    lent = (_handles.find_companions(owner) or {}).pop(_LENT, {})
    for reference in lent.values():
        handle = reference()
        if handle is not None and _handles.fate(handle) is None:
            forget_stream(handle, what)
            _handles.disown(handle, what)


def forget_stream(file: CData, what: str = "was closed") -> None:
    """Refuse the stream of a file that is about to be closed, and drop what was read ahead."""
    notes = _handles.find_companions(file)
    if notes:
        reference = notes.pop(STREAM, None)
        lent = None if reference is None else reference()
        if lent is not None and _handles.fate(lent) is None:
            _handles.disown(lent, what)
        notes.pop(AHEAD, None)


def _leave(pointer: CData) -> None:
    """Do nothing: what the file object is inside of frees it."""


# ---------------------------------------------------------------- what C can open


def _special(filename: bytes) -> ValueError:
    return ValueError(f"{os.fsdecode(filename)!r} is a pipe, a device or a socket: CZMQ could wait for it for ever")


def check_name(filename: bytes) -> None:
    """Raise ValueError if there is something of this name that is neither a file nor a folder."""
    try:
        mode = os.stat(filename).st_mode
    except OSError:
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise _special(filename)


def check_readable(file: CData) -> bool:
    """Tell whether what C would read for *file*, the target of a link, is there and no folder.

    Raises ValueError for what is neither a file nor a folder.
    """
    probe = C.zfile_dup(file)
    C.zfile_restat(probe)
    regular, folder = C.zfile_is_regular(probe), C.zfile_is_directory(probe)
    there = C.zfile_modified(probe) or C.zfile_is_readable(probe) or C.zfile_is_writeable(probe)
    free(probe)
    if there and not regular and not folder:
        raise _special(name(file))
    return bool(regular)


def check_link(filename: bytes, length: bool = True) -> None:
    """Raise ValueError if C would go wrong over a portable link: a text file, ``.ln``, that holds another's name."""
    if not filename.endswith(b".ln") or len(filename) < 4:
        return
    check_name(filename)
    try:
        with open(filename, "rb") as link:
            line = link.readline(LONGEST_TARGET + 2).rstrip(b"\n")
    except OSError:
        return
    if line.startswith(b"\0"):
        raise ValueError(f"{os.fsdecode(filename)!r} is not a link: it starts with a NUL byte")
    if length and len(line) > LONGEST_TARGET:
        raise ValueError(f"{os.fsdecode(filename)!r} is a link to a name of more than {LONGEST_TARGET} bytes")


# ---------------------------------------------------------------- reading


def digest(file: CData) -> str | None:
    """Return the SHA-1 digest of a file, 40 capital letters and digits; None if it cannot be read. The file is closed.

    C's own function does not look whether reading goes well, and is deaf to Ctrl-C however large the file is.
    """
    forget_stream(file)
    if not check_readable(file) or C.zfile_input(file) != 0:
        return None
    found = ffi.new("zdigest_t **", C.zdigest_new())
    try:
        offset, size = 0, 1
        while size:
            chunk = C.zfile_read(file, _PIECE, offset)
            if not chunk:
                raise MemoryError("no memory to read a file")
            size = C.zchunk_size(chunk)
            C.zdigest_update(found[0], C.zchunk_data(chunk), size)
            C.zchunk_destroy(ffi.new("zchunk_t **", chunk))
            offset += size
        text: bytes = ffi.string(C.zdigest_string(found[0]))
    finally:
        C.zdigest_destroy(found)
        C.zfile_close(file)
    return text.decode()
