"""zfile: files on disk, reading and writing them."""

from __future__ import annotations

import gc
import hashlib
import os
import resource
import stat
import tempfile
from pathlib import Path
from typing import Any

import children
import pytest

from pyczmq import C, ffi, zfile

NULL_FILE = ffi.cast("zfile_t *", 0)

#: Calls of every function that takes a file object.
CALLS: dict[str, Any] = {
    "dup": zfile.dup,
    "filename": zfile.filename,
    "restat": zfile.restat,
    "modified": zfile.modified,
    "cursize": zfile.cursize,
    "is_directory": zfile.is_directory,
    "is_regular": zfile.is_regular,
    "is_readable": zfile.is_readable,
    "is_writeable": zfile.is_writeable,
    "is_stable": zfile.is_stable,
    "has_changed": zfile.has_changed,
    "remove": zfile.remove,
    "input": zfile.input,
    "output": zfile.output,
    "read": lambda file: zfile.read(file, 1),
    "eof": zfile.eof,
    "write": lambda file: zfile.write(file, b""),
    "readln": zfile.readln,
    "close": zfile.close,
    "handle": zfile.handle,
    "digest": zfile.digest,
    "destroy": zfile.destroy,
}
NAMES: dict[str, Any] = {
    "exists": zfile.exists,
    "size": zfile.size,
    "mode": zfile.mode,
    "delete": zfile.delete,
    "stable": zfile.stable,
    "mkdir": zfile.mkdir,
    "rmdir": zfile.rmdir,
}


def written(folder: Path, content: bytes = b"", name: str = "file") -> Any:
    """A file object for a new file, closed."""
    (folder / name).write_bytes(content)
    return zfile.new(folder, name)


def opened(folder: Path, content: bytes = b"") -> Any:
    """A file object for a new file, open for reading."""
    file = written(folder, content)
    assert zfile.input(file) == 0
    return file


def test_example_of_the_class(tmp_path: Path) -> None:
    """What CZMQ's self-test shows: writing far out, closing, changes from outside, reading, lines, links, removal."""
    file = zfile.new(None, "bilbo")
    assert zfile.filename(file, ".") == "bilbo"
    assert zfile.is_readable(file) is False

    path = tmp_path / "this/is/a/test"
    file = zfile.new(path, "bilbo")
    assert zfile.output(file) == 0
    assert zfile.write(file, bytes(100), 1000000) == 0
    zfile.close(file)
    assert zfile.is_readable(file)
    assert zfile.cursize(file) == 1000100
    assert not zfile.is_stable(file)
    assert zfile.digest(file) == hashlib.sha1(bytes(1000100)).hexdigest().upper()

    (path / "bilbo").write_bytes(b"Hello, World\n")
    assert zfile.has_changed(file)
    os.utime(path / "bilbo", (0, 10**9))
    assert not zfile.is_stable(file)
    zfile.restat(file)
    assert zfile.is_stable(file) and not zfile.has_changed(file)
    assert zfile.modified(file) == 10**9
    assert zfile.digest(file) == "4AB299C8AD6ED14F31923DD94F8B5F5CB89DFB54"

    assert zfile.input(file) == 0
    assert zfile.read(file, 1000100, 0) == b"Hello, World\n"
    zfile.close(file)
    assert zfile.input(file) == 0
    assert zfile.readln(file) == "Hello, World"
    assert zfile.readln(file) is None
    zfile.close(file)

    link = zfile.new(path, "bilbo.ln")
    assert zfile.output(link) == 0
    assert zfile.write(link, f"{path}/bilbo\n") == 0
    zfile.destroy(link)
    link = zfile.new(path, "bilbo.ln")
    assert zfile.filename(link, path) == "bilbo"
    assert zfile.input(link) == 0
    assert zfile.read(link, 1000100, 0) == b"Hello, World\n"
    zfile.remove(link)
    assert os.listdir(path) == ["bilbo"]
    zfile.remove(file)
    assert os.listdir(path) == []

    assert zfile.is_readable(file)
    zfile.restat(file)
    assert not zfile.is_readable(file)
    assert zfile.input(file) == -1


def test_end_of_file(tmp_path: Path) -> None:
    """Reading beyond the end gives what there is, and eof tells."""
    file = opened(tmp_path, b"123456789")
    assert zfile.read(file, 1000, 0) == b"123456789"
    assert zfile.eof(file) is True
    assert zfile.read(file, 5, 0) == b"12345"
    assert zfile.eof(file) is False
    assert zfile.read(file, 5, 5) == b"6789"
    assert zfile.eof(file)
    assert zfile.read(file, 4, 5) == b"6789"
    assert not zfile.eof(file)
    assert zfile.read(file, 1, 100) == b""
    assert zfile.eof(file)
    assert zfile.read(file, 0) == b""
    assert zfile.read(file, 2**63, 0) == b"123456789"


# ---------------------------------------------------------------- reading and writing


@pytest.mark.parametrize("content", [b"", b"\0", b"a\0b", b"\xff\xfe", "ä€😀".encode(), bytes(range(256)) * 4096])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_what_is_written_is_read(tmp_path: Path, content: bytes, kind: type) -> None:
    """Any bytes in any buffer are written, are on the disk at once, and are read back while the file is open."""
    file = zfile.new(tmp_path, "file")
    assert zfile.output(file) == 0
    assert zfile.write(file, kind(content), 0) == 0
    assert (tmp_path / "file").read_bytes() == content
    assert zfile.cursize(file) == len(content)
    assert zfile.read(file, len(content) + 1) == content
    assert zfile.write(file, kind(content), len(content)) == 0
    assert zfile.read(file, 2 * len(content)) == content * 2


def test_text_and_chunks_are_written(tmp_path: Path) -> None:
    """Text goes in as UTF-8, with surrogates for other bytes, and a chunk stays the caller's."""
    file = zfile.new(tmp_path, "file")
    zfile.output(file)
    assert zfile.write(file, "ä\udcff100%s") == 0
    chunk = C.zchunk_new(b"chunk", 5)
    assert zfile.write(file, chunk, 20) == 0
    assert C.zchunk_size(chunk) == 5
    C.zchunk_destroy(ffi.new("zchunk_t **", chunk))
    zfile.close(file)
    assert (tmp_path / "file").read_bytes() == b"\xc3\xa4\xff100%s".ljust(20, b"\0") + b"chunk"


def test_output_keeps_what_is_there(tmp_path: Path) -> None:
    """Opening for output truncates nothing, and reading and writing take turns."""
    file = written(tmp_path, b"0123456789")
    assert zfile.output(file) == 0
    assert zfile.read(file, 3) == b"012"
    assert zfile.write(file, "xx", 3) == 0
    assert zfile.readln(file) == "56789"
    assert zfile.read(file, 10) == b"012xx56789"
    zfile.close(file)
    assert (tmp_path / "file").read_bytes() == b"012xx56789"


def test_writing_to_what_is_open_for_reading_fails(tmp_path: Path) -> None:
    """It is -1, as in C."""
    file = opened(tmp_path, b"abc")
    assert zfile.write(file, b"x") == -1
    assert zfile.read(file, 3) == b"abc"


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit of file sizes here")
def test_a_full_disk_is_noticed() -> None:
    """A write that fails in the operating system is -1 at once, and not lost when the file is closed."""
    with tempfile.TemporaryDirectory() as folder:
        children.check(
            """
            import resource, signal, sys
            from pyczmq import zfile
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            file = zfile.new(sys.argv[1], "file")
            assert zfile.output(file) == 0
            assert zfile.write(file, b"x" * 100) == 0
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
            assert zfile.write(file, b"y" * 10, 100) == -1
            assert zfile.read(file, 1000) == b"x" * 100
            """,
            folder,
        )


@pytest.mark.parametrize("call", ["read", "write", "readln"])
def test_a_file_that_is_not_open(tmp_path: Path, call: str) -> None:
    """C would abort: it is a ValueError, before it is opened, after it is closed, and after its digest was taken."""
    file = written(tmp_path, b"abc")
    with pytest.raises(ValueError, match="not open"):
        CALLS[call](file)
    for close in (zfile.close, zfile.digest, zfile.remove):
        assert zfile.output(file) == 0
        close(file)
        with pytest.raises(ValueError, match="not open"):
            CALLS[call](file)


@pytest.mark.parametrize("bad", [-1, 2**70, -(2**70)])
def test_offsets_and_sizes_out_of_range(tmp_path: Path, bad: int) -> None:
    """They are a ValueError that names the argument."""
    file = opened(tmp_path, b"abc")
    with pytest.raises(ValueError, match="bytes must be"):
        zfile.read(file, bad)
    with pytest.raises(ValueError, match="offset must be"):
        zfile.read(file, 1, bad)
    with pytest.raises(ValueError, match="offset must be"):
        zfile.write(file, b"", bad)


def test_arguments_of_another_type(tmp_path: Path) -> None:
    """They are a TypeError that names the argument."""
    file = opened(tmp_path, b"abc")
    for bad in (None, 1.5, "1", b"1"):
        with pytest.raises(TypeError, match="bytes"):
            zfile.read(file, bad)
        with pytest.raises(TypeError, match="offset"):
            zfile.read(file, 1, bad)
    for other in (None, 1, object(), [1]):
        with pytest.raises(TypeError, match="chunk"):
            zfile.write(file, other)
    with pytest.raises(ValueError, match="chunk is NULL"):
        zfile.write(file, ffi.cast("zchunk_t *", 0))
    with pytest.raises(ValueError, match="contiguous"):
        zfile.write(file, memoryview(b"abcd")[::2])


def test_far_out(tmp_path: Path) -> None:
    """The greatest offsets are errors of the operating system, or the end of the file, and no more."""
    file = opened(tmp_path, b"abc")
    assert zfile.read(file, 10, 2**62) in (None, b"")
    zfile.output(file)
    assert zfile.write(file, b"x", 2**63 - 1) == -1
    assert zfile.write(file, b"x", 2**63 - 2) == -1


def test_more_than_there_is_memory_for(tmp_path: Path) -> None:
    """A file that claims more bytes than there can be is a MemoryError."""
    with open(tmp_path / "file", "wb") as sparse:
        try:
            sparse.truncate(2**43)
        except OSError:
            pytest.skip("no sparse files of that size here")
    file = zfile.new(tmp_path, "file")
    zfile.input(file)
    with pytest.raises(MemoryError):
        zfile.read(file, 2**43)
    assert zfile.read(file, 2**43, 2**43 - 3) == bytes(3)


# ---------------------------------------------------------------- lines


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a", ["a"]),
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\n\r\nb\r", ["a", "", "b"]),
        (b"a\rb\n", ["ab"]),
        (b"\r", []),
        (b"a\0b\n\0\n", ["a\0b", "\0"]),
        (b"\xff\xfe\n", ["\udcff\udcfe"]),
        ("ä€😀".encode(), ["ä€😀"]),
        (b"x" * 2**20 + b"\n" + b"y" * 511 + b"\n" + b"z" * 512, ["x" * 2**20, "y" * 511, "z" * 512]),
        (b"line\n" * 50000, ["line"] * 50000),
    ],
)
def test_lines(tmp_path: Path, content: bytes, lines: list[str]) -> None:
    """Lines come without their ends, however long they are; carriage returns go, everything else stays."""
    file = opened(tmp_path, content)
    found = []
    line = zfile.readln(file)
    while line is not None:
        found.append(line)
        line = zfile.readln(file)
    assert found == lines
    assert zfile.readln(file) is None


def test_lines_after_reading(tmp_path: Path) -> None:
    """A read or a write says where the next line is."""
    file = opened(tmp_path, b"one\ntwo\nthree\nfour\n")
    assert zfile.readln(file) == "one"
    assert zfile.readln(file) == "two"
    assert zfile.read(file, 3, 4) == b"two"
    assert zfile.readln(file) == ""
    assert zfile.readln(file) == "three"
    zfile.input(file)
    assert zfile.readln(file) == "one"


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    "name", ["file", "ä€", "with space", "-", "100%s%n", "x" * 255, "line\nend", "\udcff", ".hidden"]
)
@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_names(tmp_path: Path, name: str, kind: Any) -> None:
    """Names are str, bytes or os.PathLike, and whatever the file system bears."""
    file = zfile.new(kind(str(tmp_path)), kind(name))
    assert zfile.output(file) == 0
    assert zfile.write(file, "x") == 0
    zfile.close(file)
    assert zfile.filename(file) == f"{tmp_path}/{name}"
    assert zfile.filename(file, kind(str(tmp_path))) == name
    full = kind(f"{tmp_path}/{name}")
    assert (zfile.exists(full), zfile.size(full), zfile.stable(full)) == (True, 1, False)
    assert stat.S_ISREG(zfile.mode(full))
    assert zfile.delete(full) == 0
    assert (zfile.exists(full), zfile.size(full), zfile.mode(full), zfile.delete(full)) == (False, -1, -1, -1)


def test_filename_without_a_path() -> None:
    """A path that the name does not begin with changes nothing; slashes behind it go."""
    file = zfile.new("a//b", "c")
    assert zfile.filename(file) == "a//b/c"
    assert zfile.filename(file, "a") == "b/c"
    assert zfile.filename(file, "x") == "a//b/c"
    assert zfile.filename(file, "") == "a//b/c"
    assert zfile.filename(file, "a//b/c") == ""
    assert zfile.filename(file, "a//b/cd") == "a//b/c"


def test_bad_names() -> None:
    """They are refused by the argument's name."""
    for bad in (1, object(), ["a"]):
        with pytest.raises(TypeError, match="path must be"):
            zfile.new(bad, "name")
        with pytest.raises(TypeError, match="name must be"):
            zfile.new(None, bad)
        for call in NAMES.values():
            with pytest.raises(TypeError, match="name must be"):
                call(bad)
    with pytest.raises(TypeError, match="name must be"):
        zfile.new(None, None)
    with pytest.raises(ValueError, match="name is empty"):
        zfile.new(None, "")
    for call in (*NAMES.values(), lambda bad: zfile.new(None, bad), lambda bad: zfile.new(bad, "x")):
        with pytest.raises(ValueError, match="NUL"):
            call("a\0b")


def test_long_names_are_errors(tmp_path: Path) -> None:
    """A name that the file system does not bear cannot be opened, and that is all."""
    file = zfile.new(tmp_path, "x" * 100000)
    assert zfile.output(file) == -1
    assert zfile.input(file) == -1
    assert zfile.digest(file) is None
    assert not zfile.exists("x/" * 50000)
    assert zfile.mkdir("x" * 100000) == -1


def test_folders(tmp_path: Path) -> None:
    """Folders are made with those above them, and deleted when empty; their names are no formats."""
    assert zfile.mkdir(tmp_path / "a%s" / "b%n") == 0
    assert zfile.mkdir(tmp_path / "a%s" / "b%n") == 0
    assert os.listdir(tmp_path / "a%s") == ["b%n"]
    assert zfile.rmdir(tmp_path / "a%s") == -1
    assert zfile.rmdir(tmp_path / "a%s" / "b%n") == 0
    (tmp_path / "file").touch()
    assert zfile.mkdir(tmp_path / "file" / "x") == -1
    with pytest.raises(ValueError, match="empty"):
        zfile.mkdir("")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """Its kind is told; it cannot be written, nor has it a digest, and there is nothing to read."""
    file = zfile.new(None, tmp_path)
    assert zfile.is_directory(file) and not zfile.is_regular(file)
    assert zfile.output(file) == -1
    assert zfile.digest(file) is None
    if zfile.input(file) == 0:
        assert zfile.readln(file) is None
        assert zfile.read(file, 10) == b""


@pytest.mark.parametrize("name", ["file", "100%"])
def test_a_name_alone(tmp_path: Path, name: str) -> None:
    """A file in the current folder is made and written: C would make a folder of that name. It takes % for a format."""
    children.check(
        """
        import os, sys
        from pyczmq import zfile
        os.chdir(sys.argv[1])
        name = sys.argv[2]
        file = zfile.new(None, name)
        try:
            assert zfile.output(file) == 0 and "%" not in name
        except ValueError as error:
            assert "put ./ before it" in str(error) and "%" in name
            file = zfile.new(".", name)
            assert zfile.output(file) == 0
        assert zfile.write(file, "x") == 0
        assert os.listdir(".") == [name]
        """,
        str(tmp_path),
        name,
    )


def test_a_folder_with_a_percent_sign(tmp_path: Path) -> None:
    """C takes the folder's name for a format when it opens a file for output, and only then."""
    (tmp_path / "100%s%n").mkdir()
    file = written(tmp_path / "100%s%n", b"abc")
    with pytest.raises(ValueError, match="%"):
        zfile.output(file)
    assert zfile.input(file) == 0
    assert zfile.read(file, 3) == b"abc"


def test_files_in_the_root_folder() -> None:
    """C looks for their folder in memory that is not its own."""
    with pytest.raises(ValueError, match="root folder"):
        zfile.output(zfile.new(None, "/file"))
    with pytest.raises(ValueError, match="root folder"):
        zfile.output(zfile.new("", "file"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
@pytest.mark.parametrize("call", [zfile.input, zfile.output, zfile.digest])
def test_pipes_and_devices_are_refused(tmp_path: Path, call: Any) -> None:
    """Opening a pipe would wait for ever, and reading a device may never end."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link.ln").write_text(f"{tmp_path}/pipe\n")
    for name in (tmp_path / "pipe", "/dev/zero", tmp_path / "link.ln"):
        if call is zfile.output and name == tmp_path / "link.ln":
            continue
        with pytest.raises(ValueError, match="pipe, a device or a socket"):
            call(zfile.new(None, name))


def test_private_mode(tmp_path: Path) -> None:
    """Files made between mode_private and mode_default are their owner's alone."""
    output = children.check(
        """
        import os, sys
        from pyczmq import zfile
        os.umask(0o022)
        for name, change in (("a", None), ("b", zfile.mode_private), ("c", zfile.mode_default)):
            if change:
                change()
            file = zfile.new(sys.argv[1], name)
            assert zfile.output(file) == 0
            zfile.close(file)
            print(oct(zfile.mode(zfile.filename(file)) & 0o777))
        """,
        str(tmp_path),
    )
    assert output.split() == ["0o644", "0o600", "0o644"]


# ---------------------------------------------------------------- links


def test_links_lead_to_another_file(tmp_path: Path) -> None:
    """What is told and read of a link is its target's; output makes it a file of its own."""
    target = written(tmp_path, b"target", "target")
    (tmp_path / "link.ln").write_text(zfile.filename(target))
    link = zfile.new(tmp_path, "link.ln")
    assert zfile.cursize(link) == 6
    assert zfile.digest(link) == zfile.digest(target)
    copy = zfile.dup(link)
    assert zfile.input(copy) == 0
    assert zfile.read(copy, 10) == b"target"
    assert zfile.output(link) == 0
    assert zfile.write(link, "own") == 0
    zfile.remove(link)
    assert sorted(os.listdir(tmp_path)) == ["link.ln", "target"]
    zfile.remove(copy)
    zfile.remove(copy)
    assert os.listdir(tmp_path) == ["target"]


def test_removing_a_link_again(tmp_path: Path) -> None:
    """C would write beyond the name's end: a link, and its copy, can be removed any number of times."""
    children.check(
        """
        import gc, os, sys
        from pyczmq import zfile
        open(sys.argv[1] + "/target", "w").close()
        for round in range(200):
            with open(sys.argv[1] + "/link.ln", "w") as link:
                link.write(sys.argv[1] + "/target")
            link = zfile.new(sys.argv[1], "link.ln")
            for file in (zfile.dup(link), link, link, zfile.dup(link)):
                zfile.remove(file)
                assert os.listdir(sys.argv[1]) == ["target"], os.listdir(sys.argv[1])
        """,
        str(tmp_path),
    )


@pytest.mark.parametrize(
    ("content", "error"), [(b"\0", "NUL"), (b"x" * 256, "more than 255"), (b"x" * 5000 + b"\n", "more than 255")]
)
def test_links_that_c_gets_wrong(tmp_path: Path, content: bytes, error: str) -> None:
    """C would look before its buffer, or cut the name."""
    (tmp_path / "link.ln").write_bytes(content)
    with pytest.raises(ValueError, match=error):
        zfile.new(tmp_path, "link.ln")


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * 255, b"x" * 255 + b"\nmore", b"nowhere"])
def test_links_to_nowhere(tmp_path: Path, content: bytes) -> None:
    """They cannot be opened, and nothing else happens; an empty one is an ordinary file."""
    (tmp_path / "link.ln").write_bytes(content)
    link = zfile.new(tmp_path, "link.ln")
    assert zfile.input(link) == (-1 if content else 0)
    assert (zfile.digest(link) is None) is bool(content)
    zfile.remove(link)
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_a_pipe_in_place_of_a_link(tmp_path: Path) -> None:
    """C would wait for ever to read where the link leads; a folder of such a name does no harm."""
    os.mkfifo(tmp_path / "pipe.ln")
    with pytest.raises(ValueError, match="pipe"):
        zfile.new(tmp_path, "pipe.ln")
    (tmp_path / "folder.ln").mkdir()
    assert zfile.is_directory(zfile.new(tmp_path, "folder.ln"))


@pytest.mark.parametrize("other", [b"", b"another", b"target"])
def test_removing_a_link_of_the_raw_floor(tmp_path: Path, other: bytes) -> None:
    """A link that Python has not made is told from a file of the same name by what C knows of it."""
    (tmp_path / "target").write_bytes(b"target")
    os.utime(tmp_path / "target", (0, 10**9))
    (tmp_path / "link.ln").write_text(f"{tmp_path}/target")
    if other:
        (tmp_path / "link").write_bytes(other)
    raw = C.zfile_new(os.fsencode(tmp_path), b"link.ln")
    zfile.remove(raw)
    assert sorted(os.listdir(tmp_path)) == (["link", "target"] if other else ["target"])
    zfile.destroy(raw)


# ---------------------------------------------------------------- the stream


def test_handle(tmp_path: Path) -> None:
    """The stream is there while the file is open, is the same one each time, and works with C."""
    file = written(tmp_path, b"content")
    assert zfile.handle(file) is None
    zfile.input(file)
    stream = zfile.handle(file)
    assert stream is not None
    assert ffi.typeof(stream) is ffi.typeof("FILE *")
    assert zfile.handle(file) is stream
    chunk = C.zchunk_read(stream, 3)
    assert ffi.buffer(C.zchunk_data(chunk), C.zchunk_size(chunk))[:] == b"con"
    C.zchunk_destroy(ffi.new("zchunk_t **", chunk))


@pytest.mark.parametrize("close", ["close", "input", "output", "digest", "remove", "destroy"])
def test_handle_is_refused_once_closed(tmp_path: Path, close: str) -> None:
    """Whatever closes the file ends the stream."""
    from pyczmq import zdir

    file = opened(tmp_path, b"content")
    stream = zfile.handle(file)
    folder = zdir.new(tmp_path)
    with tempfile.TemporaryFile() as other:
        zdir.fprint(folder, other)
    CALLS[close](file)
    with pytest.raises(ValueError, match=r"file was closed|file was destroyed"):
        zdir.fprint(folder, stream)


def test_handle_keeps_the_file_open(tmp_path: Path) -> None:
    """The stream keeps its file object alive."""
    stream = zfile.handle(opened(tmp_path, b"content"))
    gc.collect()
    chunk = C.zchunk_read(stream, 7)
    assert C.zchunk_size(chunk) == 7
    C.zchunk_destroy(ffi.new("zchunk_t **", chunk))
    del stream
    gc.collect()


# ---------------------------------------------------------------- digest


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 2**20, 2**20 + 1])
def test_digest(tmp_path: Path, size: int) -> None:
    """It is SHA-1, as C calculates it, and is taken anew each time."""
    content = os.urandom(size)
    file = written(tmp_path, content)
    assert zfile.digest(file) == hashlib.sha1(content).hexdigest().upper()
    assert zfile.digest(file) == ffi.string(C.zfile_digest(file)).decode()
    (tmp_path / "file").write_bytes(b"other")
    assert zfile.digest(file) == hashlib.sha1(b"other").hexdigest().upper()
    os.unlink(tmp_path / "file")
    assert zfile.digest(file) is None


# ---------------------------------------------------------------- temporary files


def test_tmp() -> None:
    """A temporary file is open for writing and reading, and goes with its file object."""
    file = zfile.tmp()
    name = zfile.filename(file)
    assert zfile.exists(name)
    assert zfile.mode(name) & 0o777 == 0o600
    assert zfile.write(file, b"HELLO\0") == 0
    assert zfile.read(file, 100) == b"HELLO\0"
    zfile.destroy(file)
    assert not zfile.exists(name)
    names = [zfile.filename(zfile.tmp()) for _ in range(10)]
    gc.collect()
    assert not any(zfile.exists(name) for name in names)


def test_tmp_leaves_other_descriptors_alone(tmp_path: Path) -> None:
    """C closes the descriptor again when it may be another file's."""
    file = zfile.tmp()
    zfile.close(file)
    others = [os.open(tmp_path / str(number), os.O_CREAT | os.O_RDWR) for number in range(5)]
    zfile.destroy(file)
    for other in others:
        os.close(other)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_tmp_is_the_parents() -> None:
    """A forked child that ends does not take its parent's temporary file along, nor write what the parent wrote."""
    children.check(
        """
        import os
        from pyczmq import zfile
        file = zfile.tmp()
        assert zfile.write(file, "once") == 0
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
            assert zfile.exists(zfile.filename(file))
            assert zfile.read(file, 100) == b"once"
            zfile.close(file)
            assert zfile.size(zfile.filename(file)) == 4
        else:
            assert zfile.read(file, 100) == b"once"
        """
    )


def test_tmp_in_a_folder_with_a_percent_sign(tmp_path: Path) -> None:
    """Where C cannot open it, nothing is left."""
    (tmp_path / "%s").mkdir()
    children.check(
        """
        from pyczmq import zfile
        try:
            zfile.tmp()
        except ValueError as error:
            assert "%" in str(error)
        else:
            raise AssertionError
        """,
        TMPDIR=str(tmp_path / "%s"),
    )
    assert os.listdir(tmp_path / "%s") == []


# ---------------------------------------------------------------- ownership


@pytest.mark.parametrize("name", CALLS)
def test_misuse(name: str, tmp_path: Path) -> None:
    """What is no file object, NULL, or destroyed, is refused by the argument's name."""
    for bad in (None, 1, "file", ffi.cast("void *", 1), ffi.cast("zdir_t *", 1)):
        if bad is None and name == "destroy":
            continue
        with pytest.raises(TypeError, match="file must be"):
            CALLS[name](bad)
    with pytest.raises(ValueError, match="file is NULL"):
        CALLS[name](NULL_FILE)
    file = zfile.new(tmp_path, "file")
    assert zfile.destroy(file) is None
    with pytest.raises(ValueError, match="file was destroyed"):
        CALLS[name](file)


def test_destroy_of_nothing() -> None:
    """None is let through."""
    assert zfile.destroy(None) is None


def test_copies_are_closed(tmp_path: Path) -> None:
    """A copy knows what was known, is not open, and outlives the first."""
    file = opened(tmp_path, b"content")
    copy = zfile.dup(file)
    zfile.destroy(file)
    assert (zfile.cursize(copy), zfile.filename(copy)) == (7, f"{tmp_path}/file")
    assert zfile.handle(copy) is None
    assert zfile.input(copy) == 0


def test_raw_and_namespace_mix(tmp_path: Path) -> None:
    """File objects of the raw floor are taken, and belong to their caller."""
    raw = C.zfile_new(ffi.NULL, os.fsencode(tmp_path / "file"))
    assert zfile.output(raw) == 0
    assert zfile.write(raw, "a\nb\n") == 0
    zfile.input(raw)
    assert zfile.readln(raw) == "a"
    stream = zfile.handle(raw)
    assert stream is not None
    zfile.destroy(raw)
    mine = zfile.new(tmp_path, "file")
    assert C.zfile_cursize(mine) == 4


def test_nothing_leaks(tmp_path: Path) -> None:
    """Thousands of files that nobody closes or destroys leave no descriptors behind, in either order of collection."""
    (tmp_path / "file").write_bytes(b"line\n" * 1000)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(5):
        kept = []
        for number in range(50):
            file = zfile.new(tmp_path, "file")
            zfile.input(file)
            zfile.readln(file)
            kept.append((zfile.handle(file), file) if number % 2 else (file, zfile.handle(file)))
        while kept:
            kept.pop()
        gc.collect()
    gc.collect()
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before + 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_children_share_them(tmp_path: Path) -> None:
    """A file object is memory: a forked child uses and destroys its copy."""
    children.check(
        """
        import os, sys
        from pyczmq import zfile
        file = zfile.new(sys.argv[1], "file")
        zfile.output(file)
        zfile.write(file, "x" * 10)
        child = os.fork()
        assert zfile.read(file, 100) == b"x" * 10
        zfile.destroy(file)
        if child:
            assert os.waitpid(child, 0)[1] == 0
            assert zfile.size(sys.argv[1] + "/file") == 10
        """,
        str(tmp_path),
    )


def test_out_of_descriptors(tmp_path: Path) -> None:
    """Where no more files can be opened it is -1, and no crash."""
    children.check(
        """
        import os, resource, sys
        from pyczmq import zfile
        with open(sys.argv[1] + "/file", "w") as file:
            file.write("x")
        files = [zfile.new(sys.argv[1], "file") for _ in range(100)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))
        results = [zfile.input(file) for file in files]
        assert set(results) == {0, -1}, results
        assert zfile.digest(files[-1]) is None
        assert zfile.output(files[-1]) == -1
        assert zfile.readln(files[0]) == "x"
        """,
        str(tmp_path),
    )


def test_czmqs_own_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """CZMQ's self-test of the class is there to be run; it takes five seconds, so that is not done here."""
    from pyczmq import _selftest

    asked = []
    monkeypatch.setattr(_selftest, "run", lambda *arguments: asked.append(arguments))
    zfile.test(True)
    assert asked == [("zfile_test", True)]
