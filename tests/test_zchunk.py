"""zchunk: blocks of memory."""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import sys
from array import array
from pathlib import Path
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, _handles, ffi, zchunk, zctx, zframe, zmq, zsocket

DRAFTS = hasattr(C, "zchunk_frommem")
drafts = pytest.mark.skipif(not DRAFTS, reason="this libczmq is built without drafts")
linux = pytest.mark.skipif(sys.platform != "linux", reason="how much memory a process has is looked up as on Linux")

CONTENTS = [b"", b"a", b"nul \0 in it\0", b"\xff\xfe", bytes(range(256)) * 256, b"x" * (1 << 20)]

CALLS: dict[str, Any] = {
    "destroy": zchunk.destroy,
    "resize": lambda chunk: zchunk.resize(chunk, 1),
    "size": zchunk.size,
    "max_size": zchunk.max_size,
    "data": zchunk.data,
    "set": lambda chunk: zchunk.set(chunk, b"x"),
    "fill": lambda chunk: zchunk.fill(chunk, 0, 1),
    "append": lambda chunk: zchunk.append(chunk, b"x"),
    "extend": lambda chunk: zchunk.extend(chunk, b"x"),
    "consume": lambda chunk: zchunk.consume(chunk, zchunk.new(b"x")),
    "exhausted": zchunk.exhausted,
    "write": lambda chunk: zchunk.write(chunk, io.BytesIO()),
    "dup": zchunk.dup,
    "strhex": zchunk.strhex,
    "strdup": zchunk.strdup,
    "streq": lambda chunk: zchunk.streq(chunk, "x"),
    "pack": zchunk.pack,
    "digest": zchunk.digest,
    "fprint": lambda chunk: zchunk.fprint(chunk, io.StringIO()),
    "print": zchunk.print,
    "packx": zchunk.packx,
}


def test_selftest_replayed() -> None:
    """What CZMQ's own test shows: append cuts, extend grows, pack and unpack, dup, and consume."""
    chunk = zchunk.new("1234567890", 10)
    assert zchunk.size(chunk) == 10
    assert zchunk.data(chunk) == b"1234567890"
    zchunk.destroy(chunk)

    chunk = zchunk.new(None, 10)
    assert [zchunk.append(chunk, text) for text in ("12345678", "90ABCDEF", "GHIJKLMN")] == [8, 10, 10]
    assert zchunk.data(chunk) == b"1234567890"
    assert zchunk.size(chunk) == 10
    assert zchunk.streq(chunk, "1234567890")
    assert zchunk.digest(chunk) == "01B307ACBA4F54F55AAFC33BB06BBBF6CA803E9A"
    assert zchunk.strdup(chunk) == "1234567890"
    assert zchunk.strhex(chunk) == "31323334353637383930"

    frame = zchunk.pack(chunk)
    chunk2 = zchunk.unpack(frame)
    assert zchunk.data(chunk2) == b"1234567890"
    zframe.destroy(frame)
    zchunk.destroy(chunk2)
    copy = zchunk.dup(chunk)
    assert (zchunk.data(copy), zchunk.size(copy)) == (b"1234567890", 10)

    chunk = zchunk.new(None, 0)
    assert [zchunk.extend(chunk, text) for text in ("12345678", "90ABCDEF", "GHIJKLMN")] == [8, 16, 24]
    assert zchunk.streq(chunk, "1234567890ABCDEFGHIJKLMN")

    copy = zchunk.new("1234567890abcdefghij")
    chunk = zchunk.new(None, 8)
    consumed = []
    while not zchunk.exhausted(copy):
        zchunk.set(chunk, None, 0)
        zchunk.consume(chunk, copy)
        consumed.append(zchunk.data(chunk))
    assert consumed == [b"12345678", b"90abcdef", b"ghij"]


def test_czmqs_own_test_passes() -> None:
    zchunk.test()


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_content_comes_out_as_it_went_in(content: bytes) -> None:
    """All bytes are kept, by each function, from none to a mebibyte."""
    chunk = zchunk.new(content)
    assert (zchunk.data(chunk), zchunk.size(chunk), zchunk.max_size(chunk)) == (content, len(content), len(content))
    assert type(zchunk.data(chunk)) is bytes
    assert zchunk.strhex(chunk) == content.hex().upper()
    assert zchunk.strdup(chunk) == content.decode("utf-8", "surrogateescape")
    assert zchunk.streq(chunk, content) and zchunk.streq(chunk, zchunk.strdup(chunk))
    assert not zchunk.streq(chunk, content + b"\0")
    assert zchunk.digest(chunk) == hashlib.sha1(content).hexdigest().upper()
    frame = zchunk.pack(chunk)
    assert zframe.data(frame)[:] == content
    assert zchunk.data(zchunk.unpack(frame)) == content
    zframe.destroy(frame)
    file = io.BytesIO()
    assert zchunk.write(chunk, file) == 0
    assert file.getvalue() == content
    other = zchunk.new(None, len(content))
    assert zchunk.set(other, content) == zchunk.size(other) == len(content)
    assert zchunk.data(other) == content
    assert zchunk.extend(zchunk.new(), content) == len(content)
    assert zchunk.append(zchunk.new(None, 1 << 20), content) == len(content)
    assert zchunk.data(zchunk.dup(chunk)) == content


@pytest.mark.parametrize(
    "data",
    ["ä\udcff", *(kind(b"\xc3\xa4\xff") for kind in (bytes, bytearray, memoryview)), array("B", b"\xc3\xa4\xff")],
)
def test_kinds_of_data(data: Any) -> None:
    """Data is text, as UTF-8, or any buffer."""
    chunk = zchunk.new(data)
    assert zchunk.set(chunk, data) == 3
    assert zchunk.extend(chunk, data) == 6
    assert zchunk.data(chunk) == b"\xc3\xa4\xff" * 2
    assert zchunk.append(zchunk.new(None, 9), data) == 3


def test_part_of_data() -> None:
    """With a size, it is so many bytes of the data; there must be as many."""
    chunk = zchunk.new(b"1234567890", 4)
    assert (zchunk.data(chunk), zchunk.max_size(chunk)) == (b"1234", 4)
    assert zchunk.set(chunk, b"abcdef", 2) == 2
    assert zchunk.data(chunk) == b"ab"
    for call in (lambda: zchunk.new(b"123", 4), lambda: zchunk.set(chunk, b"123", 4)):
        with pytest.raises(ValueError, match="size must be at most 3"):
            call()
    assert zchunk.data(chunk) == b"ab"


def test_room() -> None:
    """What is too much for the room is cut, and the room told; a chunk of no data is empty."""
    chunk = zchunk.new()
    assert (zchunk.size(chunk), zchunk.max_size(chunk), zchunk.data(chunk)) == (0, 0, b"")
    assert zchunk.append(chunk, b"x") == zchunk.set(chunk, b"x") == zchunk.fill(chunk, 1, 9) == 0
    chunk = zchunk.new(None, 5)
    assert (zchunk.size(chunk), zchunk.max_size(chunk), zchunk.data(chunk)) == (0, 5, b"")
    assert zchunk.set(chunk, b"1234567") == 5
    assert zchunk.data(chunk) == b"12345"
    assert zchunk.append(chunk, b"x") == 5
    assert zchunk.set(chunk, None) == 0
    assert zchunk.append(chunk, b"abc") == 3
    assert zchunk.append(chunk, b"defghi") == 5
    assert zchunk.data(chunk) == b"abcde"
    assert zchunk.set(chunk, None, 2) == 2
    assert zchunk.data(chunk) == b"ab"
    assert zchunk.set(chunk, None, 10**9) == 5


def test_fill() -> None:
    """A chunk is filled with one byte, a number or a character."""
    chunk = zchunk.new(b"abcdefgh")
    assert zchunk.fill(chunk, 0x2A, 3) == 3
    assert zchunk.data(chunk) == b"***"
    assert zchunk.fill(chunk, b"\xff", 100) == 8
    assert zchunk.data(chunk) == b"\xff" * 8
    assert zchunk.fill(chunk, "-", 2) == 2
    assert zchunk.data(chunk) == b"--"
    assert zchunk.fill(chunk, 0, 0) == 0
    for bad in (-1, 256, "", "ab", b"ab", "ä", None, 1.0):
        with pytest.raises((TypeError, ValueError), match="filler must be"):
            zchunk.fill(chunk, bad, 1)  # type: ignore[arg-type]


def test_growing() -> None:
    """A chunk grows many times over, and keeps what it has; resizing loses it."""
    chunk, expected = zchunk.new(b"<", 1), b"<"
    for number in range(300):
        piece = bytes([number % 256]) * number
        expected += piece
        assert zchunk.extend(chunk, piece) == len(expected) <= zchunk.max_size(chunk)
    assert zchunk.data(chunk) == expected
    for room in (10, 1 << 20, 0, 0, 1, 0, 100):
        zchunk.resize(chunk, room)
        assert (zchunk.size(chunk), zchunk.max_size(chunk), zchunk.data(chunk)) == (0, room, b"")
        assert zchunk.fill(chunk, 7, 50) == min(50, room)
    for room in (0, 0):
        zchunk.resize(chunk, room)
    for name, call in CALLS.items():
        if name not in ("destroy", "resize", "extend", "packx"):
            made = call(chunk)
            if name == "pack":
                zframe.destroy(made)
    assert zchunk.extend(chunk, b"again") == 5
    assert zchunk.data(chunk) == b"again"


def test_copy_of_a_chunk_that_is_not_full() -> None:
    """A copy has the same content and as much room, and is another chunk; C has it that the copy is full."""
    chunk = zchunk.new(None, 100)
    zchunk.append(chunk, b"abc")
    copy = zchunk.dup(chunk)
    assert (zchunk.data(copy), zchunk.max_size(copy)) == (b"abc", 100)
    zchunk.append(copy, b"def")
    zchunk.destroy(copy)
    assert zchunk.data(chunk) == b"abc"


def test_digest_again() -> None:
    """A digest can be asked for again, and after any change: C aborts at the second time."""
    chunk = zchunk.new(b"abc")
    for change in (zchunk.size, zchunk.size, *(CALLS[name] for name in ("set", "fill", "extend", "append", "resize"))):
        change(chunk)
        expected = hashlib.sha1(zchunk.data(chunk)).hexdigest().upper()
        assert zchunk.digest(chunk) == zchunk.digest(chunk) == expected
    done = children.run("from pyczmq import C; c = C.zchunk_new(b'', 0); C.zchunk_digest(c); C.zchunk_digest(c)")
    assert done.status != 0


class TestConsume:
    """What one chunk takes of another."""

    def test_piece_by_piece(self) -> None:
        """A source gives what was not taken before, to any number of chunks, and keeps it."""
        source = zchunk.new(b"abcdefgh")
        one, other = zchunk.new(None, 3), zchunk.new(b"<---")
        zchunk.set(other, None, 1)
        assert zchunk.consume(one, source) == 3
        assert zchunk.consume(one, source) == 3
        assert zchunk.consume(other, source) == 4
        assert (zchunk.data(one), zchunk.data(other)) == (b"abc", b"<def")
        assert not zchunk.exhausted(source)
        assert zchunk.consume(zchunk.new(None, 10), source) == 2
        assert zchunk.exhausted(source)
        assert zchunk.consume(zchunk.new(None, 10), source) == 0
        assert zchunk.data(source) == b"abcdefgh"
        assert zchunk.exhausted(zchunk.new(None, 5))
        assert not zchunk.exhausted(zchunk.dup(source))

    @pytest.mark.parametrize("shrink", ["set", "fill", "resize"])
    def test_source_that_shrinks(self, shrink: str) -> None:
        """A source that has less than was taken of it is exhausted: C aborts over it, or reads what is not there."""
        source = zchunk.new(b"abcdefgh")
        target = zchunk.new(None, 100)
        assert zchunk.consume(target, source) == 8
        if shrink == "set":
            zchunk.set(source, b"xyz")
        elif shrink == "fill":
            zchunk.fill(source, 0, 1)
        else:
            zchunk.resize(source, 20)
        assert zchunk.exhausted(source)
        assert zchunk.consume(target, source) == 8
        zchunk.extend(source, b"0123456789"[zchunk.size(source) :])
        assert not zchunk.exhausted(source)
        assert zchunk.consume(target, source) == 10
        assert zchunk.data(target) == b"abcdefgh89"
        assert zchunk.exhausted(source)

    def test_of_itself(self) -> None:
        """A chunk can take from itself."""
        chunk = zchunk.new(None, 7)
        zchunk.append(chunk, b"abc")
        assert zchunk.consume(chunk, chunk) == 6
        assert zchunk.consume(chunk, chunk) == 7
        assert zchunk.data(chunk) == b"abcabca"

    @pytest.mark.parametrize("bad", [None, b"x", ffi.NULL, 1])
    def test_of_what_is_no_chunk(self, bad: Any) -> None:
        with pytest.raises(TypeError, match="source must be a"):
            zchunk.consume(zchunk.new(), bad)

    def test_of_one_that_is_gone(self) -> None:
        gone = zchunk.new(b"x")
        zchunk.destroy(gone)
        with pytest.raises(ValueError, match="source was destroyed"):
            zchunk.consume(zchunk.new(None, 1), gone)


class TestFiles:
    """Reading and writing."""

    def test_read(self, tmp_path: Path) -> None:
        """So many bytes are read from where a file is, or as many as it has; the room is for all."""
        path = tmp_path / "file"
        path.write_bytes(bytes(range(256)))
        for buffering in (0, -1):
            with open(path, "rb", buffering) as file:
                assert file.read(1) == b"\0"
                chunk = zchunk.read(file, 10)
                assert (zchunk.data(chunk), zchunk.max_size(chunk)) == (bytes(range(1, 11)), 10)
                assert file.tell() == 11
                chunk = zchunk.read(file, 1000)
                assert (zchunk.data(chunk), zchunk.max_size(chunk)) == (bytes(range(11, 256)), 1000)
                assert zchunk.size(zchunk.read(file, 5)) == 0
                assert zchunk.max_size(zchunk.read(file, 0)) == 0

    def test_read_of_a_pipe(self) -> None:
        """What comes in pieces is put together."""
        reading, writing = os.pipe()
        with open(reading, "rb", 0) as file, open(writing, "wb", 0) as out:
            out.write(b"abc")
            out.close()
            assert zchunk.data(zchunk.read(file, 1 << 21)) == b"abc"

    def test_big_file(self, tmp_path: Path) -> None:
        """More than is read at a time."""
        content = os.urandom(3_000_001)
        assert zchunk.write(zchunk.new(content), io.BytesIO()) == 0
        assert zchunk.data(zchunk.read(io.BytesIO(content), 3_000_000)) == content[:-1]
        path = tmp_path / "big"
        with open(path, "wb", 0) as file:
            assert zchunk.write(zchunk.new(content), file) == 0
        chunk = zchunk.slurp(path)
        assert chunk is not None
        assert zchunk.data(chunk) == content

    @pytest.mark.parametrize("kind", [str, os.fsencode, Path])
    def test_slurp(self, tmp_path: Path, kind: Any) -> None:
        """A file's content, or the first bytes of it."""
        path = tmp_path / "file ä"
        path.write_bytes(b"0123456789")
        for maxsize, expected in ((0, b"0123456789"), (4, b"0123"), (100, b"0123456789"), (2**62, b"0123456789")):
            chunk = zchunk.slurp(kind(path), maxsize)
            assert chunk is not None
            assert (zchunk.data(chunk), zchunk.max_size(chunk)) == (expected, len(expected))
        path.write_bytes(b"")
        chunk = zchunk.slurp(kind(path))
        assert chunk is not None
        assert zchunk.size(chunk) == 0

    def test_slurp_of_what_cannot_be_read(self, tmp_path: Path) -> None:
        """None comes back for what is not there, or no file; a pipe would hang C."""
        assert zchunk.slurp(tmp_path / "nosuchfile") is None
        assert zchunk.slurp(tmp_path) is None
        assert zchunk.slurp("") is None
        assert zchunk.slurp("x" * 100_000) is None
        if hasattr(os, "mkfifo"):
            os.mkfifo(tmp_path / "pipe")
            assert zchunk.slurp(tmp_path / "pipe") is None
            assert zchunk.slurp(os.devnull) is None

    @pytest.mark.parametrize("bad", [None, 1, "a\0b", b"\0", object()])
    def test_what_is_no_filename(self, bad: Any) -> None:
        with pytest.raises((TypeError, ValueError), match="filename must"):
            zchunk.slurp(bad)

    @pytest.mark.parametrize("bad", [None, 1, "path", b"path", object(), ffi.NULL])
    def test_what_is_no_file(self, bad: Any) -> None:
        chunk = zchunk.new(b"x")
        for call in (lambda: zchunk.read(bad, 1), lambda: zchunk.write(chunk, bad), lambda: zchunk.fprint(chunk, bad)):
            with pytest.raises(TypeError, match=r"(handle|file) must be a Python file"):
                call()

    def test_files_of_text(self) -> None:
        """Bytes are neither read from a text file nor written to one."""
        with pytest.raises(TypeError, match="handle must be opened for reading bytes"):
            zchunk.read(io.StringIO("text"), 2)
        with pytest.raises(TypeError):
            zchunk.write(zchunk.new(b"x"), io.StringIO())

    def test_what_a_file_raises(self) -> None:
        """An exception of the file's comes out."""

        class Broken:
            def read(self, size: int) -> bytes:
                raise OSError("cannot read")

            def write(self, data: Any) -> int:
                raise OSError("cannot write")

        with pytest.raises(OSError, match="cannot read"):
            zchunk.read(Broken(), 1)
        with pytest.raises(OSError, match="cannot write"):
            zchunk.write(zchunk.new(b"x"), Broken())

    def test_file_that_gives_too_much(self) -> None:
        """A file object that does not keep to the size it is asked for is refused, C's memory is left alone."""

        class Generous:
            def read(self, size: int) -> bytes:
                return b"x" * (size + 1)

        with pytest.raises(ValueError, match="handle gave 4 bytes"):
            zchunk.read(Generous(), 3)


def test_print(capsys: pytest.CaptureFixture[str]) -> None:
    """A chunk is shown as C shows it, to a file of text or bytes, and on the standard error."""
    contents = {
        b"": "[000] ",
        b"Hello": "[005] Hello",
        b"x" * 71: "[071] " + "x" * 71,
        b"x" * 72: "[072] " + "x" * 72 + "...",
        b"x" * 100: "[100] " + "x" * 72 + "...",
        b"\0\xff": "[002] 00FF",
        b"\0" * 36: "[036] " + "00" * 36,
        b"\0" * 37: "[037] " + "00" * 37 + "...",
        b"\0" * 1000: "[1000] " + "00" * 37 + "...",
    }
    shown = ""
    for content, line in contents.items():
        expected = f"--------------------------------------\n{line}\n"
        chunk = zchunk.new(content)
        text, binary = io.StringIO(), io.BytesIO()
        zchunk.fprint(chunk, text)
        zchunk.fprint(chunk, binary)
        zchunk.print(chunk)
        assert text.getvalue() == binary.getvalue().decode() == capsys.readouterr().err == expected
        shown += expected
    done = children.run(
        f"""
        from pyczmq import C
        for content in {list(contents)}:
            C.zchunk_print(C.zchunk_new(content, len(content)))
        """
    )
    assert done.errors == shown


def test_is_() -> None:
    """Only a chunk that is alive is one."""
    chunk = zchunk.new(b"x")
    frame = zchunk.pack(chunk)
    assert zchunk.is_(chunk) is True
    assert zchunk.is_(ffi.cast("void *", chunk)) is True
    for other in (None, 1, "x", b"x", ffi.NULL, frame, ffi.cast("void *", frame), object(), ffi.new("int *")):
        assert zchunk.is_(other) is False
    zchunk.destroy(chunk)
    assert zchunk.is_(chunk) is False
    assert zchunk.is_(ffi.cast("zchunk_t *", 0)) is False
    zframe.destroy(frame)


def test_frames() -> None:
    """A chunk goes out as a frame, and comes in as one."""
    ctx = zctx.new()
    output: Any
    input: Any
    output, input = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
    zsocket.bind(output, "inproc://zchunk.test")
    zsocket.connect(input, "inproc://zchunk.test")
    assert zframe.send(zchunk.pack(zchunk.new(b"nul \0 in it")), output) == 0
    frame = zframe.recv(input)
    assert frame is not None
    chunk = zchunk.unpack(frame)
    zframe.destroy(frame)
    assert zchunk.data(chunk) == b"nul \0 in it"
    with pytest.raises(ValueError, match="frame was destroyed"):
        zchunk.unpack(frame)
    for bad in (None, b"x", chunk, ffi.NULL):
        with pytest.raises(TypeError, match="frame must be a"):
            zchunk.unpack(bad)  # type: ignore[arg-type]


SIZES: dict[str, Any] = {
    "new": lambda size: zchunk.new(None, size),
    "resize": lambda size: zchunk.resize(zchunk.new(b"x"), size),
    "set": lambda size: zchunk.set(zchunk.new(b"x"), None, size),
    "fill": lambda size: zchunk.fill(zchunk.new(b"x"), 0, size),
    "read": lambda size: zchunk.read(io.BytesIO(b"x"), size),
    "slurp": lambda size: zchunk.slurp("nosuchfile", size),
}


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("bad", [-1, 2**63, 2**64 - 1, 2**64, "1", 1.0, object()])
def test_sizes_that_cannot_be(name: str, bad: Any) -> None:
    """A size that is none is refused, also one that would wrap round in C."""
    with pytest.raises((TypeError, ValueError), match=r"(size|bytes|maxsize) must be"):
        SIZES[name](bad)


@pytest.mark.parametrize("name", ["new", "resize", "read"])
@pytest.mark.parametrize("size", [2**62, 2**60, 2**50])
def test_memory_that_there_is_not(name: str, size: int) -> None:
    """More than there can be is a MemoryError: C would write to NULL."""
    with pytest.raises(MemoryError):
        SIZES[name](size)


@linux
def test_no_memory_to_grow() -> None:
    """A chunk that cannot grow stays as it is."""
    children.check(
        """
        import mmap, resource
        from pyczmq import zchunk, zframe
        chunk = zchunk.new(b"abc")
        big = zchunk.new(None, 120 << 20)
        zchunk.fill(big, 0, 120 << 20)
        data = mmap.mmap(-1, 1 << 30)
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (100 << 20), resource.getrlimit(resource.RLIMIT_AS)[1]))
        for call in (
            lambda: zchunk.new(data),
            lambda: zchunk.extend(chunk, data),
            lambda: zchunk.extend(big, b"x"),
            lambda: zchunk.resize(chunk, 1 << 30),
            lambda: zchunk.dup(big),
            lambda: zchunk.pack(big),
            lambda: zchunk.data(big),
        ):
            try:
                call()
            except MemoryError:
                pass
            else:
                raise AssertionError
        assert zchunk.data(chunk) == b"abc" and zchunk.size(big) == 120 << 20
        assert zchunk.extend(chunk, b"def") == 6
        """
    )


class Spoiler:
    """An integer that destroys a chunk when it is looked at."""

    def __init__(self, chunk: Any) -> None:
        self.chunk = chunk

    def __index__(self) -> int:
        zchunk.destroy(self.chunk)
        return 1


@pytest.mark.parametrize(
    "call",
    [
        lambda chunk: zchunk.resize(chunk, Spoiler(chunk)),  # type: ignore[arg-type]
        lambda chunk: zchunk.set(chunk, None, Spoiler(chunk)),  # type: ignore[arg-type]
        lambda chunk: zchunk.set(chunk, b"xx", Spoiler(chunk)),  # type: ignore[arg-type]
        lambda chunk: zchunk.fill(chunk, Spoiler(chunk), 1),  # type: ignore[arg-type]
        lambda chunk: zchunk.fill(chunk, 1, Spoiler(chunk)),  # type: ignore[arg-type]
    ],
)
def test_arguments_that_destroy_the_chunk(call: Any) -> None:
    """An argument whose own code destroys the chunk gets it refused."""
    with pytest.raises(ValueError, match="chunk was destroyed"):
        call(zchunk.new(b"x"))


@pytest.mark.parametrize("name", CALLS)
def test_wrong_handles(name: str) -> None:
    """What is no chunk, NULL, or destroyed, is refused."""
    call = CALLS[name]
    for wrong in (1, "x", b"x", object(), ffi.NULL, ffi.new("int *")):
        with pytest.raises(TypeError, match="chunk must be a"):
            call(wrong)
    with pytest.raises(ValueError, match="chunk is NULL"):
        call(ffi.cast("zchunk_t *", 0))
    gone = zchunk.new(b"x")
    zchunk.destroy(gone)
    with pytest.raises(ValueError, match="chunk was destroyed"):
        call(gone)


def test_destroy_takes_none() -> None:
    """None is let through, as NULL is in C; any other function refuses it."""
    zchunk.destroy(None)
    for name, call in CALLS.items():
        if name != "destroy":
            with pytest.raises(TypeError, match="chunk must be a"):
                call(None)


PUTS: list[Any] = [zchunk.set, zchunk.append, zchunk.extend]


def test_what_is_no_data() -> None:
    """What is no contiguous buffer is refused."""
    chunk = zchunk.new(None, 5)
    wrong: Any
    for wrong in (1, 1.5, object(), [1], memoryview(b"abcd")[::2]):
        with pytest.raises((TypeError, ValueError), match="data must be"):
            zchunk.new(wrong)
        for put in PUTS:
            with pytest.raises((TypeError, ValueError), match="data must be"):
                put(chunk, wrong)
    for put in PUTS[1:]:
        with pytest.raises(TypeError, match="data must be"):
            put(chunk, None)
    with pytest.raises(TypeError, match="string must be"):
        zchunk.streq(chunk, None)  # type: ignore[arg-type]
    assert zchunk.size(chunk) == 0


def test_handles_of_the_raw_floor() -> None:
    """A handle that C returned works, too; and C reads what was written here."""
    chunk = C.zchunk_new(b"abc", 3)
    assert zchunk.extend(chunk, b"def") == 6
    assert ffi.buffer(C.zchunk_data(chunk), C.zchunk_size(chunk))[:] == b"abcdef"
    zchunk.destroy(chunk)
    with pytest.raises(ValueError, match="chunk was destroyed"):
        zchunk.data(chunk)


def test_collected_once() -> None:
    """The garbage collector frees each chunk, once, in any order."""
    before = len(_handles._owned)
    chunks = [zchunk.new(b"x" * number) for number in range(50)]
    chunks += [zchunk.dup(chunk) for chunk in chunks]
    for number in range(0, 100, 3):
        zchunk.consume(chunks[number], chunks[-number])
        zchunk.extend(chunks[number], b"x" * 100)
    zchunk.destroy(chunks[7])
    while chunks:
        chunks.pop(len(chunks) // 2)
    collect()
    assert len(_handles._owned) <= before


@linux
def test_no_leak() -> None:
    """Memory does not grow with chunks that came and went."""
    children.check(
        """
        import gc, io, resource
        from pyczmq import zchunk, zframe
        def work(count):
            for _ in range(count):
                chunk = zchunk.new(bytes(50_000))
                zchunk.extend(chunk, bytes(50_000))
                zchunk.resize(chunk, 100_000)
                zchunk.digest(zchunk.dup(chunk))
                frame = zchunk.pack(zchunk.read(io.BytesIO(bytes(50_000)), 100_000))
                zchunk.unpack(frame)
                zframe.destroy(frame)
                if _ % 10 == 0:
                    gc.collect()
            gc.collect()
            return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
        work(50)
        before = work(50)
        grown = work(400) - before
        assert grown < 20_000_000, grown
        """
    )


# ---------------------------------------------------------------- draft


@pytest.mark.skipif(DRAFTS, reason="this libczmq is built with drafts")
def test_drafts_that_are_not_there() -> None:
    """Without drafts, the functions say so when they are used, and nothing has happened."""
    chunk = zchunk.new(b"x")
    with pytest.raises(AttributeError, match="zchunk_frommem is not in this library"):
        zchunk.frommem(bytearray(3))
    with pytest.raises(AttributeError, match="zchunk_packx is not in this library"):
        zchunk.packx(chunk)
    assert zchunk.data(chunk) == b"x"


@drafts
class TestDrafts:
    """Memory of Python's, and frames that take over."""

    @pytest.mark.parametrize("memory", [bytearray(b"abc"), array("B", b"abc"), memoryview(bytearray(b"abc"))])
    def test_memory_is_shared(self, memory: Any) -> None:
        """A chunk over a buffer reads and writes there; when it is gone, the destructor is called, once."""
        called: list[str] = []
        chunk = zchunk.frommem(memory, called.append, "hint")
        assert (zchunk.data(chunk), zchunk.max_size(chunk)) == (b"abc", 3)
        memory[0] = ord("X")
        assert zchunk.data(chunk) == b"Xbc"
        zchunk.fill(chunk, ord("-"), 2)
        assert bytes(memory) == b"--c"
        assert called == []
        zchunk.destroy(chunk)
        assert called == ["hint"]
        del chunk
        collect()
        assert called == ["hint"]

    def test_memory_is_held(self) -> None:
        """A bytearray cannot change its size while a chunk has it, and can afterwards."""
        memory = bytearray(b"abc")
        chunk = zchunk.frommem(memory)
        if sys.implementation.name == "cpython":
            with pytest.raises(BufferError):
                memory.extend(b"x")
        zchunk.destroy(chunk)
        memory.extend(b"x")

    @pytest.mark.parametrize("let_go", ["collect", "resize", "extend", "raw"])
    def test_ways_to_let_go(self, let_go: str) -> None:
        """The destructor is called when a chunk is collected, or needs other memory."""
        called: list[int] = []
        memory = bytearray(b"abc")
        chunk = zchunk.frommem(memory, called.append, 7)
        if let_go == "collect":
            del chunk
            collect()
        elif let_go == "resize":
            zchunk.resize(chunk, 10)
            assert zchunk.append(chunk, b"0123456789ab") == 10
        elif let_go == "extend":
            assert zchunk.extend(chunk, b"def") == 6
            assert zchunk.data(chunk) == b"abcdef"
            assert zchunk.extend(chunk, b"x" * 100) == 106
        else:
            pointer = ffi.new("zchunk_t **", chunk)
            _handles.disown(chunk, "was destroyed")
            C.zchunk_destroy(pointer)
        assert called == [7]
        assert memory == b"abc"
        memory.extend(b"x")

    @pytest.mark.parametrize("let_go", [zchunk.destroy, CALLS["extend"], CALLS["resize"]])
    def test_exception_in_a_destructor(self, let_go: Any) -> None:
        """It comes out of the call that let the memory go; the chunk is sound."""

        def fail(hint: object) -> None:
            raise KeyError(hint)

        chunk = zchunk.frommem(bytearray(b"abc"), fail, "hint")
        with pytest.raises(KeyError, match="hint"):
            let_go(chunk)
        if let_go is not zchunk.destroy:
            zchunk.extend(chunk, b"x" * 100)
            zchunk.destroy(chunk)

    def test_destructor_that_uses_its_chunk(self) -> None:
        """A destructor may use the chunk that it is called for, and destroy it."""
        chunks: list[Any] = []

        def use(hint: object) -> None:
            zchunk.extend(chunks[0], b"x" * 1000)
            zchunk.destroy(chunks[0])

        chunks.append(zchunk.frommem(bytearray(b"abc"), use))
        assert zchunk.extend(chunks[0], b"def") == 6
        with pytest.raises(ValueError, match="chunk was destroyed"):
            zchunk.data(chunks[0])

    @pytest.mark.parametrize("bad", [b"abc", "abc", None, 1, memoryview(b"abc"), memoryview(bytearray(4))[::2]])
    def test_what_is_no_memory(self, bad: Any) -> None:
        """Memory that must not be written to is refused: a chunk writes to it."""
        with pytest.raises(TypeError, match="data must be a buffer that can be written to"):
            zchunk.frommem(bad)

    def test_what_is_no_destructor(self) -> None:
        with pytest.raises(TypeError, match="destructor must be callable"):
            zchunk.frommem(bytearray(3), 7)  # type: ignore[arg-type]

    def test_no_memory_at_all(self) -> None:
        """A buffer of no bytes is one."""
        called: list[int] = []
        chunk = zchunk.frommem(bytearray(), called.append, 1)
        assert zchunk.data(chunk) == b""
        assert zchunk.append(chunk, b"x") == 0
        frame = zchunk.packx(chunk)
        assert zframe.size(frame) == 0
        zframe.destroy(frame)
        assert called == [1]

    def test_frame_that_takes_over(self) -> None:
        """A chunk that was packed is gone, and its memory the frame's."""
        for chunk in (zchunk.new(b"abc"), zchunk.new(None, 10), zchunk.new()):
            zchunk.extend(chunk, b"def" * 10)
            expected = zchunk.data(chunk)
            frame = zchunk.packx(chunk)
            assert zframe.data(frame)[:] == expected
            with pytest.raises(ValueError, match="chunk was packed into a frame"):
                zchunk.data(chunk)
            with pytest.raises(ValueError, match="chunk was packed into a frame"):
                zchunk.destroy(chunk)
            del chunk
            collect()
            assert zframe.data(frame)[:] == expected
            zframe.destroy(frame)

    def test_chunk_that_has_no_memory(self) -> None:
        """Resized to nothing twice, a chunk has no memory at all, over which C would abort."""
        chunk = zchunk.new(b"x")
        for _ in range(3):
            zchunk.resize(chunk, 0)
        frame = zchunk.packx(chunk)
        assert zframe.size(frame) == 0
        zframe.destroy(frame)

    def test_lent_memory_is_sent(self) -> None:
        """Memory of Python's goes out as a frame, and its destructor is called once that is gone."""
        called: list[int] = []
        ctx = zctx.new()
        output: Any
        input: Any
        output, input = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
        zsocket.bind(output, "inproc://zchunk.lent")
        zsocket.connect(input, "inproc://zchunk.lent")
        memory = bytearray(b"x" * 100_000)
        frame = zchunk.packx(zchunk.frommem(memory, called.append, 1))
        assert zframe.send(frame, output) == 0
        received = zframe.recv(input)
        assert received is not None
        assert zframe.data(received)[:] == memory
        assert called == []
        zframe.destroy(received)
        collect()
        assert called == [1]

    def test_exception_with_nobody_to_catch_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where a frame lets the memory go, an exception goes to sys.unraisablehook."""
        seen: list[Any] = []
        monkeypatch.setattr(sys, "unraisablehook", seen.append)

        def fail(hint: object) -> None:
            raise KeyError(hint)

        frame = zchunk.packx(zchunk.frommem(bytearray(3), fail, "hint"))
        zframe.destroy(frame)
        assert [unraisable.exc_type for unraisable in seen] == [KeyError]

    def test_at_exit(self) -> None:
        """What is left at exit is destroyed, and its destructor called."""
        output = children.check(
            """
            from pyczmq import zchunk
            chunk = zchunk.frommem(bytearray(3), print, "let go")
            """
        )
        assert output == "let go\n"

    def test_nothing_is_kept(self) -> None:
        """What was lent is forgotten once it is given back."""
        collect()
        before = len(zchunk._lent)
        for _ in range(100):
            zchunk.frommem(mmap.mmap(-1, 100), lambda hint: None)
        collect()
        assert len(zchunk._lent) <= before
