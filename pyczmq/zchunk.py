"""zchunk: blocks of memory that can grow, be filled piece by piece, and be read from and written to files.

A chunk has a size, what is in it, and a maximum, what there is room for. `set`, `fill` and `append` never go beyond the
maximum, and cut what is too much; `extend` makes room.

    >>> from pyczmq import zchunk
    >>> chunk = zchunk.new(None, 10)
    >>> zchunk.append(chunk, b"12345678")
    8
    >>> zchunk.append(chunk, b"90ABCDEF")
    10
    >>> zchunk.data(chunk)
    b'1234567890'
    >>> zchunk.extend(chunk, "ABCDEF")
    16
    >>> zchunk.digest(zchunk.new("1234567890"))
    '01B307ACBA4F54F55AAFC33BB06BBBF6CA803E9A'

Data comes out as bytes, a copy: a view would be left without memory when the chunk grows. For views there are frames
(`pack`, and ``zframe.data``). Like any handle of plain memory, a chunk is to be used by one thread at a time.
"""

from __future__ import annotations

import sys

from . import _handles, _memory, _streams, _text, _unraisable
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from typing import Any, TypeVar, Union

    from ._types import Buffer, CData, Chunk, Frame, Text

    Filename = Union[str, bytes, PathLike[str], PathLike[bytes]]
    Hint = TypeVar("Hint")

_CHUNK = ffi.typeof("zchunk_t *")
_FRAME = ffi.typeof("zframe_t *")
_free = _handles.freer(C.zchunk_destroy, "zchunk_t *")

#: What `fprint` shows at most: characters of text, or bytes in hexadecimal.
_TEXT_WIDTH = 72
_HEX_WIDTH = 37

#: Memory of Python's that chunks use: number -> what goes with it.
_lent: dict[int, _Lent] = {}

#: The C function that is told that C is done with such memory, once it is there.
_callback: CData | None = None


def new(data: Text | Buffer | None = None, size: int | None = None) -> Chunk:
    """Return a new chunk with a copy of *data*, or of its first *size* bytes; with None an empty one with that room.

    Data is anything with the buffer protocol, or str, as UTF-8. The garbage collector owns the chunk, and it stays
    usable in a forked child. Raises MemoryError if there is no such memory.

    C: ``zchunk_t *zchunk_new (const void *data, size_t size)``
    """
    if data is None:
        return _own(_make(ffi.NULL, 0 if size is None else _size(size, "size")))
    return _own(_make(*_content(data, size)))


def _content(data: Text | Buffer, size: int | None) -> tuple[bytes | CData, int]:
    """Return data for C, and how many bytes of it are meant."""
    content = _text.data(data)
    count = len(content) if size is None else _size(size, "size")
    if count > len(content):
        raise ValueError(f"size must be at most {len(content)}, the size of data, not {count}")
    return content, count


def _size(value: int, name: str) -> int:
    return integer(value, name, 0, _memory.MOST)


def _make(content: bytes | CData, count: int) -> CData:
    pointer = C.zchunk_new(content, count)
    if not pointer:
        raise MemoryError(f"no memory for a chunk of {count} bytes")
    return pointer


def _own(pointer: CData, free: Callable[[CData], object] = _free) -> Chunk:
    chunk = _handles.own(pointer, free, fork_safe=True)
    assert chunk is not None
    return chunk  # type: ignore[return-value]


def destroy(chunk: Chunk | None) -> None:
    """Destroy a chunk now, and only once; None is let through.

    C: ``void zchunk_destroy (zchunk_t **self_p)``
    """
    _handles.destroy(chunk, _CHUNK, _free, "chunk")


def resize(chunk: Chunk, size: int) -> None:
    """Give a chunk room for *size* bytes, and nothing in it: what it had is gone.

    C: ``void zchunk_resize (zchunk_t *self, size_t size)``
    """
    count = _size(size, "size")
    _live(chunk)
    _memory.afford(count, "a chunk")
    _letting_go(chunk, C.zchunk_resize, chunk, count)


def size(chunk: Chunk) -> int:
    """Return the number of bytes in a chunk.

    C: ``size_t zchunk_size (zchunk_t *self)``
    """
    return C.zchunk_size(_live(chunk))


def max_size(chunk: Chunk) -> int:
    """Return the number of bytes that a chunk has room for.

    C: ``size_t zchunk_max_size (zchunk_t *self)``
    """
    return C.zchunk_max_size(_live(chunk))


def data(chunk: Chunk) -> bytes:
    """Return a copy of the bytes in a chunk.

    C: ``byte *zchunk_data (zchunk_t *self)``
    """
    content: bytes = ffi.buffer(C.zchunk_data(_live(chunk)), C.zchunk_size(chunk))[:]
    return content


def set(chunk: Chunk, data: Text | Buffer | None, size: int | None = None) -> int:
    """Put *data*, or its first *size* bytes, into a chunk in place of what it has; return the new size.

    What is more than the maximum is cut. None, with a size, sets nothing but the size: what is between the old one and
    the new is whatever the memory holds.

    C: ``size_t zchunk_set (zchunk_t *self, const void *data, size_t size)``
    """
    content: Any = ffi.NULL
    if data is None:
        count = 0 if size is None else _size(size, "size")
    else:
        content, count = _content(data, size)
    return C.zchunk_set(_live(chunk), content, count)


def fill(chunk: Chunk, filler: int | Text, size: int) -> int:
    """Put *size* times the byte *filler*, a number or a single byte, into a chunk; return the new size.

    What is more than the maximum is cut.

    C: ``size_t zchunk_fill (zchunk_t *self, byte filler, size_t size)``
    """
    if isinstance(filler, (str, bytes)):
        text = _text.encode(filler, "filler")
        if len(text) != 1:
            raise ValueError(f"filler must be one byte, not {len(text)}")
        byte = text[0]
    else:
        byte = integer(filler, "filler", 0, 255)
    count = _size(size, "size")
    return C.zchunk_fill(_live(chunk), byte, count)


def append(chunk: Chunk, data: Text | Buffer) -> int:
    """Put *data* behind what a chunk has; return the new size. What is more than the maximum is cut.

    C: ``size_t zchunk_append (zchunk_t *self, const void *data, size_t size)``
    """
    content = _text.data(data)
    return C.zchunk_append(_live(chunk), content, len(content))


def extend(chunk: Chunk, data: Text | Buffer) -> int:
    """Put *data* behind what a chunk has, all of it: the maximum grows where it must; return the new size.

    C: ``size_t zchunk_extend (zchunk_t *self, const void *data, size_t size)``
    """
    content = _text.data(data)
    count = C.zchunk_size(_live(chunk)) + len(content)
    if count > C.zchunk_max_size(chunk):
        _memory.afford(2 * count, "a chunk")
    total: int = _letting_go(chunk, C.zchunk_extend, chunk, content, len(content))
    return total


def consume(chunk: Chunk, source: Chunk) -> int:
    """Copy from *source* what was not copied before, as much as the chunk has room for; return the chunk's new size.

    The source keeps its bytes, and knows how many of them were copied, see `exhausted`. That stays so when it is given
    other content.

    C: ``size_t zchunk_consume (zchunk_t *self, zchunk_t *source)``
    """
    _live(chunk)
    _handles.live(source, _CHUNK, "source")
    before = C.zchunk_size(chunk)
    if _consumed(source) >= C.zchunk_size(source):
        return before
    after = C.zchunk_consume(chunk, source)
    if after > before:
        _handles.companions(source)["consumed"] = _consumed(source) + after - before
    return after


def _consumed(chunk: Chunk) -> int:
    """Return how much of a chunk was consumed; C aborts, or reads what is not there, if that is more than it has."""
    found = _handles.find_companions(chunk)
    return 0 if found is None else found.get("consumed", 0)


def exhausted(chunk: Chunk) -> bool:
    """Tell whether others have consumed all of a chunk's bytes, or there are none.

    C: ``bool zchunk_exhausted (zchunk_t *self)``
    """
    return _consumed(_live(chunk)) >= C.zchunk_size(chunk) or C.zchunk_exhausted(chunk)


def read(handle: Any, bytes: int) -> Chunk:
    """Return a new chunk with the next *bytes* bytes of a Python file opened for reading bytes, or as many as it has.

    The chunk has room for *bytes* in any case. What the file raises comes out. A path is for `slurp`.

    C: ``zchunk_t *zchunk_read (FILE *handle, size_t bytes)``
    """
    count = _size(bytes, "bytes")
    chunk = new(None, count)
    for piece in _streams.pieces(handle, count, "handle"):
        append(chunk, piece)
    return chunk


def write(chunk: Chunk, handle: Any) -> int:
    """Write a chunk's bytes to a Python file opened for writing bytes; return 0. What the file raises comes out.

    C: ``int zchunk_write (zchunk_t *self, FILE *handle)``
    """
    _streams.write(handle, data(chunk), "handle")
    return 0


def slurp(filename: Filename, maxsize: int = 0) -> Chunk | None:
    """Return a new chunk with the content of a file, or its first *maxsize* bytes; 0 is all of it.

    Returns None if the file cannot be read, or is none: a folder, a pipe, a device.

    C: ``zchunk_t *zchunk_slurp (const char *filename, size_t maxsize)``
    """
    import os
    import stat

    path = _text.path(filename)
    most = _size(maxsize, "maxsize")
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            return None
        with open(path, "rb") as file:
            return read(file, min(found.st_size, most or found.st_size))
    except OSError:
        return None


def dup(chunk: Chunk) -> Chunk:
    """Return a new chunk with the same content and as much room, of which nothing was consumed.

    C: ``zchunk_t *zchunk_dup (zchunk_t *self)``
    """
    count = C.zchunk_size(_live(chunk))
    copy = C.zchunk_dup(chunk)
    if not copy:
        raise MemoryError(f"no memory for a chunk of {C.zchunk_max_size(chunk)} bytes")
    # C has it that the copy is full.
    C.zchunk_set(copy, ffi.NULL, count)
    return _own(copy)


def strhex(chunk: Chunk) -> str:
    """Return a chunk's bytes as hexadecimal digits, two a byte, in capitals.

    C: ``char *zchunk_strhex (zchunk_t *self)``
    """
    return data(chunk).hex().upper()


def strdup(chunk: Chunk) -> str:
    """Return a chunk's bytes as text, all of them, NUL bytes included.

    C: ``char *zchunk_strdup (zchunk_t *self)``
    """
    return _text.decode(data(chunk))


def streq(chunk: Chunk, string: Text) -> bool:
    """Tell whether a chunk's bytes are those of *string*.

    C: ``bool zchunk_streq (zchunk_t *self, const char *string)``
    """
    return data(chunk) == _text.encode(string)


def pack(chunk: Chunk) -> Frame:
    """Return a new frame with a copy of a chunk's bytes; the caller owns it, until it is sent.

    C: ``zframe_t *zchunk_pack (zchunk_t *self)``
    """
    _memory.afford(C.zchunk_size(_live(chunk)), "a frame")
    return C.zchunk_pack(chunk)


def unpack(frame: Frame) -> Chunk:
    """Return a new chunk with a copy of a frame's bytes; the frame stays the caller's.

    C: ``zchunk_t *zchunk_unpack (zframe_t *frame)``
    """
    pointer = C.zchunk_unpack(_handles.live(frame, _FRAME, "frame"))
    if not pointer:
        raise MemoryError(f"no memory for a chunk of {C.zframe_size(frame)} bytes")
    return _own(pointer)


def digest(chunk: Chunk) -> str:
    """Return the SHA-1 digest of a chunk's bytes as 40 hexadecimal digits, in capitals.

    C: ``const char *zchunk_digest (zchunk_t *self)``
    """
    from . import zdigest

    # C does not do it twice: it aborts.
    result = zdigest.new()
    C.zdigest_update(result, C.zchunk_data(_live(chunk)), C.zchunk_size(chunk))
    return zdigest.string(result)


def fprint(chunk: Chunk, file: Any) -> None:
    """Write a chunk to a Python file, text or binary: its size and its first 72 characters or 37 bytes in hexadecimal.

    C: ``void zchunk_fprint (zchunk_t *self, FILE *file)``
    """
    content = data(chunk)
    is_text = _text.is_text(content)
    width = _TEXT_WIDTH if is_text else _HEX_WIDTH
    shown = content[:width] if is_text else content[:width].hex().upper().encode()
    dots = b"..." if len(content) >= width else b""
    _streams.write_text(file, b"-" * 38 + b"\n[%03d] %s%s\n" % (len(content), shown, dots))


def print(chunk: Chunk) -> None:
    """Write a chunk to the standard error, as `fprint` does.

    C: ``void zchunk_print (zchunk_t *self)``
    """
    _live(chunk)
    if sys.stderr is not None:
        fprint(chunk, sys.stderr)


def is_(handle: object) -> bool:
    """Tell whether *handle* is a chunk that is alive. A ``void *`` must point at something: C has a look at it.

    C: ``bool zchunk_is (void *self)``
    """
    return _handles.looks_like(handle, _CHUNK, C.zchunk_is)


def test(verbose: bool = False) -> None:
    """Run CZMQ's own self-test of this class in a child process; RuntimeError with its output if it fails.

    C: ``void zchunk_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zchunk_test", verbose)


# ---------------------------------------------------------------- draft


def frommem(data: Buffer, destructor: Callable[[Hint], object] | None = None, hint: Hint | None = None) -> Chunk:
    """Return a new chunk over Python's own memory, which is not copied: a buffer that can be written to.

    What is done to the chunk is done to that memory, which must not change size meanwhile. Once C is done with it,
    because the chunk was destroyed or needed more room, ``destructor(hint)`` is called; what that raises comes out of
    the call that let the memory go, and goes to ``sys.unraisablehook`` where there is none. Only libraries built with
    drafts have this.

    C: ``zchunk_t *zchunk_frommem (void *data, size_t size, zchunk_destructor_fn destructor, void *hint)``
    """
    if destructor is not None and not callable(destructor):
        raise TypeError(f"destructor must be callable, not {type(destructor).__name__}")
    make = C.zchunk_frommem
    try:
        memory = ffi.from_buffer("char[]", data, require_writable=True)
    except (TypeError, BufferError, ValueError):
        raise TypeError(f"data must be a buffer that can be written to, not {type(data).__name__}") from None
    lent = _Lent(memory, destructor, hint)
    pointer = make(memory if len(memory) else ffi.new("char[]", 1), len(memory), _done(), lent.key())

    def free(pointer: CData) -> None:
        lent.run(_free, pointer)

    _lent[id(lent)] = lent
    chunk = _own(pointer, free)
    _handles.companions(chunk)["lent"] = lent
    return chunk


def packx(chunk: Chunk) -> Frame:
    """Turn a chunk into a frame, which takes over its memory without a copy; the chunk is gone then.

    The caller owns the frame, until it is sent. Only libraries built with drafts have this.

    C: ``zframe_t *zchunk_packx (zchunk_t **self_p)``
    """
    _live(chunk)
    pack = C.zchunk_packx
    if not C.zchunk_data(chunk):
        # Resized to nothing it has no memory at all, over which C would abort.
        C.zchunk_resize(chunk, 1)
    reference = ffi.new("zchunk_t **", chunk)
    lent = (_handles.find_companions(chunk) or {}).get("lent")
    if lent is not None:
        lent.wait_at_exit()
    _handles.disown(chunk, "was packed into a frame")
    return pack(reference)


class _Lent:
    """Memory of Python's under a chunk, with the destructor that its lender wants to have called."""

    __slots__ = ("at_work", "destructor", "finished", "hint", "memory")

    def __init__(self, memory: CData, destructor: Callable[[Any], object] | None, hint: Any) -> None:
        self.memory: CData | None = memory
        self.destructor: Callable[[Any], object] | None = destructor
        self.hint = hint
        self.at_work = False
        self.finished = False

    def key(self) -> CData:
        """Return what C hands back with the memory."""
        key: CData = ffi.cast("void *", id(self))
        return key

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a C function that may let the memory go, and then the destructor, when the chunk is whole again."""
        self.at_work = True
        try:
            result = function(*args)
        finally:
            self.at_work = False
        if self.finished:
            self.finished = False
            self.destroy()
        return result

    def destroy(self) -> None:
        """Call the destructor, and keep nothing of it."""
        destructor, hint = self.destructor, self.hint
        self.memory = self.destructor = self.hint = None
        if destructor is not None:
            destructor(hint)

    def wait_at_exit(self) -> None:
        """Let the interpreter's exit wait a little: a frame that is on its way has the memory now."""
        from . import _blocking

        _blocking.unfinished.add(id(self))


def _letting_go(chunk: Chunk, function: Callable[..., Any], *args: Any) -> Any:
    """Call a C function that may let go of the memory under a chunk."""
    found = _handles.find_companions(chunk)
    lent = None if found is None else found.get("lent")
    return function(*args) if lent is None else lent.run(function, *args)


def _done() -> CData:
    """Return the C function that is told that C is done with memory."""
    global _callback
    if _callback is None:
        _callback = ffi.callback("void(void **)", _is_done)
    return _callback


def _is_done(hint: CData) -> None:
    from . import _blocking

    number = int(ffi.cast("uintptr_t", hint[0]))
    lent = _lent.pop(number)
    _blocking.unfinished.discard(number)
    if lent.at_work:
        lent.finished = True
        return
    # The raw floor, or a frame on its way: there is no call of ours for it to come out of.
    destructor = lent.destructor
    try:
        lent.destroy()
    except BaseException as error:
        _unraisable.report(error, destructor)


def _live(chunk: Chunk) -> Chunk:
    return _handles.live(chunk, _CHUNK, "chunk")


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zchunk")
