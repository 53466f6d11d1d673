"""zfile: a file on disk: its size, its age and its digest, and reading and writing at any place of it.

A file object can be made for a file that is not there yet. What it tells is what was so when it was made, or at the
last `restat`: this is how two looks at a folder can be compared (`zdir`).

    >>> import os, tempfile
    >>> from pyczmq import zfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = zfile.new(folder.name, "bilbo")
    >>> zfile.output(file), zfile.write(file, "Hello, World"), zfile.write(file, b"!", 12)
    (0, 0, 0)
    >>> zfile.read(file, 1000, 7), zfile.eof(file)
    (b'World!', True)
    >>> zfile.close(file)
    >>> zfile.cursize(file), zfile.is_regular(file), zfile.filename(file, folder.name)
    (13, True, 'bilbo')
    >>> zfile.remove(file)
    >>> os.listdir(folder.name)
    []
    >>> folder.cleanup()

A file whose name ends in ``.ln`` is a portable link: a text file whose first line is the name of another file. It is
that other file that is read then, and the ``.ln`` is dropped from the link's own name. The target's name is taken as it
stands: from the current folder on, and not from that of the link.

Names are str, bytes or os.PathLike. The garbage collector owns file objects, which close their files then, and which
stay usable in a forked child. Only files can be opened: pipes, devices and sockets, which CZMQ might wait for for ever,
are a ValueError. The functions from `exists` on take a name alone, and are those of `zsys`.
"""

from __future__ import annotations

import errno
import os
import weakref

from . import _files, _handles, _text, _zsys_files
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._files import Filename
    from ._types import Buffer, CData, Chunk, File, Text

_FILE = _files.FILE
_CHUNK = ffi.typeof("zchunk_t *")
_NULL = ffi.NULL
_MOST_BYTES = 2 ** (8 * ffi.sizeof("size_t")) - 1
_MOST_OFFSET = 2 ** (8 * ffi.sizeof("off_t") - 1) - 1
_MODE_NONE = 2 ** (8 * ffi.sizeof("mode_t")) - 1

#: Bytes that are read ahead for `readln`.
_AHEAD_BYTES = 1 << 16

# A companion of a file object.
_LINK = "whether the file object is a link"


def new(path: Filename | None, name: Filename) -> File:
    """Return a new file object for the file *name* in the folder *path*; with None for a folder *name* is the path.

    The file need not be there. Raises ValueError for a link (``.ln``) that CZMQ cannot read.

    C: ``zfile_t *zfile_new (const char *path, const char *name)``
    """
    folder = None if path is None else _text.path(path, "path")
    last = _text.path(name, "name")
    full = last if folder is None else folder + b"/" + last
    if not full:
        raise ValueError("name is empty")
    _files.check_link(full)
    pointer = C.zfile_new(_NULL if folder is None else folder, last)
    file = _handles.own(pointer, _files.free, fork_safe=True)
    if file is None:
        raise MemoryError("no memory for a file object")
    _handles.companions(file)[_LINK] = _files.name(file) != full
    return file


def destroy(file: File | None) -> None:
    """Destroy a file object now, and close its file; None is let through. The file stays on the disk.

    One that `zdir` or `zdir_patch` lent is only refused from now on.

    C: ``void zfile_destroy (zfile_t **self_p)``
    """
    if file is not None:
        _files.forget_stream(_live(file), "was destroyed with its file object")
    _handles.destroy(file, _FILE, _files.free, "file")


def dup(file: File) -> File:
    """Return a copy of a file object, which is closed, and takes over what is known of the file.

    Only whether the file is stable it does not know before a `restat`.

    C: ``zfile_t *zfile_dup (zfile_t *self)``
    """
    copy = _handles.own(C.zfile_dup(_live(file)), _files.free, fork_safe=True)
    if copy is None:
        raise MemoryError("no memory for a file object")
    known = (_handles.find_companions(file) or {}).get(_LINK)
    if known is not None:
        _handles.companions(copy)[_LINK] = known
    return copy


def filename(file: File, path: Filename | None = None) -> str:
    """Return the file's name with its folder; without *path*, and the slashes behind it, if the name begins so.

    C: ``const char *zfile_filename (zfile_t *self, const char *path)``
    """
    begin = _NULL if path is None else _text.path(path, "path")
    return _text.decode(ffi.string(C.zfile_filename(_live(file), begin)))


def restat(file: File) -> None:
    """Look up the file's size, age and kind on the disk again.

    C: ``void zfile_restat (zfile_t *self)``
    """
    C.zfile_restat(_live(file))


def modified(file: File) -> int:
    """Return when the file was modified, in seconds since 1970; 0 if it was not there. See `restat`.

    C: ``time_t zfile_modified (zfile_t *self)``
    """
    return C.zfile_modified(_live(file))


def cursize(file: File) -> int:
    """Return the size of the file in bytes; 0 if it was not there. See `restat`.

    C: ``off_t zfile_cursize (zfile_t *self)``
    """
    return C.zfile_cursize(_live(file))


def is_directory(file: File) -> bool:
    """Tell whether it is a folder. See `restat`.

    C: ``bool zfile_is_directory (zfile_t *self)``
    """
    return C.zfile_is_directory(_live(file))


def is_regular(file: File) -> bool:
    """Tell whether it is a regular file. See `restat`.

    C: ``bool zfile_is_regular (zfile_t *self)``
    """
    return C.zfile_is_regular(_live(file))


def is_readable(file: File) -> bool:
    """Tell whether the file's owner may read it. See `restat`.

    C: ``bool zfile_is_readable (zfile_t *self)``
    """
    return C.zfile_is_readable(_live(file))


def is_writeable(file: File) -> bool:
    """Tell whether the file's owner may write to it. See `restat`.

    C: ``bool zfile_is_writeable (zfile_t *self)``
    """
    return C.zfile_is_writeable(_live(file))


def is_stable(file: File) -> bool:
    """Tell whether the file was left alone for some time, by default 5 seconds, when that was last looked up.

    `zsys.set_file_stable_age_msec` and the environment variable ZSYS_FILE_STABLE_AGE_MSEC set the time.

    C: ``bool zfile_is_stable (zfile_t *self)``
    """
    return C.zfile_is_stable(_live(file))


def has_changed(file: File) -> bool:
    """Tell whether the file's size or age on the disk is another than that known; False if the file is gone.

    C: ``bool zfile_has_changed (zfile_t *self)``
    """
    return C.zfile_has_changed(_live(file))


def remove(file: File) -> None:
    """Close the file and delete it, if it is there and that is possible; of a link, the link itself.

    C: ``void zfile_remove (zfile_t *self)``
    """
    _files.forget_stream(_live(file))
    C.zfile_close(file)
    name = _files.name(file)
    # C would add the .ln in place, beyond the end of the name if the file object is a copy, or was removed before.
    try:
        os.unlink(name + b".ln" if _is_link(file) else name)
    except OSError:
        pass


def _is_link(file: File) -> bool:
    """Tell whether C reads another file than the one of the file object's name."""
    known: bool | None = (_handles.find_companions(file) or {}).get(_LINK)
    if known is not None:
        return known
    name = _files.name(file)
    if not os.path.isfile(name + b".ln"):
        return False
    try:
        found = os.stat(name)
    except OSError:
        return True
    # Both are there: C's idea of size and age is that of what it reads.
    probe = C.zfile_dup(file)
    C.zfile_restat(probe)
    size, age = C.zfile_cursize(probe), C.zfile_modified(probe)
    _files.free(probe)
    return bool((size, age) != (found.st_size, int(found.st_mtime)))


def input(file: File) -> int:
    """Open the file for reading; return 0, or -1 if that is not possible. What was open is closed.

    C: ``int zfile_input (zfile_t *self)``
    """
    _live(file)
    _files.check_readable(file)
    _files.forget_stream(file)
    return C.zfile_input(file)


def output(file: File) -> int:
    """Open the file for writing and reading, making it and its folders if needed; return 0, or -1 if that fails.

    What is in the file stays. A link becomes an ordinary file object, for the name without ``.ln``. Raises ValueError
    where CZMQ would get the name wrong: for a folder with a ``%`` in its name, and for a file right in the root folder.

    C: ``int zfile_output (zfile_t *self)``
    """
    _live(file)
    if not _prepare(_files.name(file)):
        return -1
    _files.forget_stream(file)
    rc = C.zfile_output(file)
    _handles.companions(file)[_LINK] = False
    return rc


def _prepare(name: bytes) -> bool:
    """Get a file's name past what C makes of it on its way to the folder, which it takes for a printf format."""
    folder, slash, _ = name.rpartition(b"/")
    if b"%" in (folder if slash else name):
        hint = "" if slash else ": put ./ before it"
        raise ValueError(f"file is in a folder with a % in its name, which CZMQ takes for a format{hint}")
    if not folder and (slash or not name):
        raise ValueError(f"file is right in the root folder: CZMQ finds that only by two slashes, /{os.fsdecode(name)}")
    _files.check_name(name)
    if not slash:
        # Of a name alone C makes a folder, unless there is something.
        try:
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY | getattr(os, "O_CLOEXEC", 0), 0o666))
        except OSError:
            return False
    return True


def read(file: File, bytes: int, offset: int = 0) -> bytes | None:
    """Read up to *bytes* bytes from the place *offset* on; None in case of an error.

    Fewer come back at the end of the file, which is where it was when the file was opened or last written to: `eof`
    tells. Raises ValueError for a file that is not open.

    C: ``zchunk_t *zfile_read (zfile_t *self, size_t bytes, off_t offset)``
    """
    count = integer(bytes, "bytes", 0, _MOST_BYTES)
    place = integer(offset, "offset", 0, _MOST_OFFSET)
    _open(file)
    _forget_lines(file)
    ffi.errno = 0
    chunk = C.zfile_read(file, count, place)
    if not chunk:
        if ffi.errno == errno.ENOMEM:
            raise MemoryError(f"no memory for {count} bytes")
        return None
    return _take(chunk)


def _take(chunk: Chunk) -> bytes:
    """Return the content of a chunk, and free it."""
    try:
        data: bytes = ffi.buffer(C.zchunk_data(chunk), C.zchunk_size(chunk))[:]
        return data
    finally:
        C.zchunk_destroy(ffi.new("zchunk_t **", chunk))


def eof(file: File) -> bool:
    """Tell whether the last `read` asked for more than there was up to the end of the file.

    C: ``bool zfile_eof (zfile_t *self)``
    """
    return C.zfile_eof(_live(file))


def write(file: File, chunk: Chunk | Text | Buffer, offset: int = 0) -> int:
    """Write a chunk, text or any buffer at the place *offset*; return 0, or -1 if that is not possible.

    It has reached the operating system then, and not only a buffer. The chunk stays the caller's. Raises ValueError for
    a file that is not open.

    C: ``int zfile_write (zfile_t *self, zchunk_t *chunk, off_t offset)``
    """
    place = integer(offset, "offset", 0, _MOST_OFFSET)
    if isinstance(chunk, ffi.CData) and ffi.typeof(chunk) is _CHUNK:
        return _write(_open(file), _handles.live(chunk, _CHUNK, "chunk"), place)
    data = _text.data(chunk, "chunk")  # type: ignore[arg-type]
    _open(file)
    made = C.zchunk_new(data, len(data))
    if not made:
        raise MemoryError(f"no memory for {len(data)} bytes")
    try:
        return _write(file, made, place)
    finally:
        C.zchunk_destroy(ffi.new("zchunk_t **", made))


def _write(file: File, chunk: CData, place: int) -> int:
    _forget_lines(file)
    rc = C.zfile_write(file, chunk, place)
    if rc == 0:
        # Moving on is what makes the C library hand over what it has, and say how that went.
        nothing = C.zchunk_new(_NULL, 0)
        rc = C.zfile_write(file, nothing, min(place + C.zchunk_size(chunk), _MOST_OFFSET))
        C.zchunk_destroy(ffi.new("zchunk_t **", nothing))
    # C would not read what is beyond the size that the file had when it was opened.
    C.zfile_restat(file)
    return rc


def readln(file: File) -> str | None:
    """Read the next line of text, without its end; None if there is nothing more.

    Carriage returns are dropped wherever they are, as C does; NUL bytes are kept. Lines are read ahead, so that the
    file's `handle` is somewhere behind the line; the next `read` or `write` goes where it says, and the line after that
    is the one there. Raises ValueError for a file that is not open.

    C: ``const char *zfile_readln (zfile_t *self)``
    """
    # C's own would crash over a line that there is no memory for.
    stream = _open(file, stream=True)
    ahead: bytearray = _handles.companions(file).setdefault(_files.AHEAD, bytearray())
    searched = 0
    while True:
        end = ahead.find(b"\n", searched)
        if end >= 0:
            line = ahead[:end]
            del ahead[: end + 1]
            return _line(line)
        searched = len(ahead)
        chunk = C.zchunk_read(stream, _AHEAD_BYTES)
        if not chunk:
            raise MemoryError("no memory to read a file")
        piece = _take(chunk)
        if not piece:
            line = ahead[:]
            ahead.clear()
            return _line(line) or None
        ahead += piece


def _line(data: bytearray) -> str:
    return _text.decode(bytes(data.replace(b"\r", b"")))


def close(file: File) -> None:
    """Close the file, if it is open, and look up its size and age.

    C: ``void zfile_close (zfile_t *self)``
    """
    _files.forget_stream(_live(file))
    C.zfile_close(file)


def handle(file: File) -> CData | None:
    """Return the ``FILE *`` of a file that is open, or None.

    It belongs to the file object, which it keeps alive, and is refused once the file is closed, or opened again.

    C: ``FILE *zfile_handle (zfile_t *self)``
    """
    stream = C.zfile_handle(_live(file))
    notes = _handles.companions(file)
    reference = notes.get(_files.STREAM)
    lent: CData | None = None if reference is None else reference()
    if lent is not None and lent == stream and _handles.fate(lent) is None:
        return lent
    lent = _handles.own(stream, _leave, file, fork_safe=True)
    if lent is not None:
        notes[_files.STREAM] = weakref.ref(lent)
    return lent


def digest(file: File) -> str | None:
    """Return the SHA-1 digest of the file's content, 40 capital letters and digits; None if it cannot be read.

    The file is read now, and closed if it was open.

    C: ``const char *zfile_digest (zfile_t *self)``
    """
    return _files.digest(_live(file))


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process, 5 seconds long; RuntimeError if it fails.

    C: ``void zfile_test (bool verbose)``
    """
    from ._selftest import run

    run("zfile_test", verbose)


# ---------------------------------------------------------------- functions that take a name


def exists(filename: Filename) -> bool:
    """Tell whether there is a file, folder or other thing of this name.

    C: ``bool zfile_exists (const char *filename)``
    """
    return C.zfile_exists(_text.path(filename))


def size(filename: Filename) -> int:
    """Return a file's size in bytes, or -1 if there is none.

    C: ``ssize_t zfile_size (const char *filename)``
    """
    return C.zfile_size(_text.path(filename))


def mode(filename: Filename) -> int:
    """Return a file's mode, as `os.stat` does, for the functions of `stat`; -1 if there is none.

    C: ``mode_t zfile_mode (const char *filename)``
    """
    found = C.zfile_mode(_text.path(filename))
    return -1 if found == _MODE_NONE else found


def delete(filename: Filename) -> int:
    """Delete a file; return 0, or -1 if that is not possible.

    C: ``int zfile_delete (const char *filename)``
    """
    return C.zfile_delete(_text.path(filename))


def stable(filename: Filename) -> bool:
    """Tell whether a file is there and was left alone for some time; see `is_stable`.

    C: ``bool zfile_stable (const char *filename)``
    """
    return C.zfile_stable(_text.path(filename))


def mkdir(pathname: Filename) -> int:
    """Create a folder, and those above it; return 0, also if it is there already, or -1 if that is not possible.

    C: ``int zfile_mkdir (const char *pathname)``
    """
    # C's zfile_mkdir takes the name for a printf format.
    return _zsys_files.dir_create(pathname)


def rmdir(pathname: Filename) -> int:
    """Delete a folder that is empty; return 0, or -1 if that is not possible.

    C: ``int zfile_rmdir (const char *pathname)``
    """
    return _zsys_files.dir_delete(pathname)


def mode_private() -> None:
    """Let files that the process creates from now on be readable and writable by their owner only.

    C: ``void zfile_mode_private (void)``
    """
    C.zfile_mode_private()


def mode_default() -> None:
    """Undo `mode_private`.

    C: ``void zfile_mode_default (void)``
    """
    C.zfile_mode_default()


# ---------------------------------------------------------------- draft


def tmp() -> File:
    """Return a file object for a new temporary file, open for writing and reading; the file goes with it.

    It is in Python's folder for such files. Works with every libczmq, although C has it among the drafts: C's own goes
    on to close the file's descriptor when that is another file's already.

    C: ``zfile_t *zfile_tmp (void)``
    """
    import tempfile

    descriptor, name = tempfile.mkstemp(prefix=b"czmq_zfile.")
    os.close(descriptor)
    owner = os.getpid()

    def free(pointer: CData) -> None:
        _files.free(pointer)
        # A forked child has the file object, but the file is its parent's.
        if os.getpid() == owner:
            delete(name)

    file = _handles.own(C.zfile_new(_NULL, name), free, fork_safe=True)
    if file is None:
        raise MemoryError("no memory for a file object")
    _handles.companions(file)[_LINK] = False
    try:
        if output(file) != 0:
            raise OSError(f"cannot open the temporary file {os.fsdecode(name)}")
    except BaseException:
        destroy(file)
        raise
    return file


# ---------------------------------------------------------------- helpers


def _live(file: File) -> File:
    return _handles.live(file, _FILE, "file")


def _open(file: File, stream: bool = False) -> Any:
    """Return *file*, or its stream, once it is clear that it is open: C would abort."""
    found = C.zfile_handle(_live(file))
    if not found:
        raise ValueError("file is not open: see input and output")
    return found if stream else file


def _forget_lines(file: File) -> None:
    notes = _handles.find_companions(file)
    if notes:
        notes.pop(_files.AHEAD, None)


def _leave(pointer: CData) -> None:
    """Do nothing: the file object closes its stream."""


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zfile")
