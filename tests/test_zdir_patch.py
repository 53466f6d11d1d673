"""zdir_patch: one difference between two looks at a folder."""

from __future__ import annotations

import gc
import hashlib
import os
from pathlib import Path
from typing import Any

import children
import pytest

from pyczmq import C, ffi, zdir_patch, zfile

CALLS: dict[str, Any] = {
    "destroy": zdir_patch.destroy,
    "dup": zdir_patch.dup,
    "path": zdir_patch.path,
    "file": zdir_patch.file,
    "op": zdir_patch.op,
    "vpath": zdir_patch.vpath,
    "digest_set": zdir_patch.digest_set,
    "digest": zdir_patch.digest,
}


@pytest.fixture
def patch(tmp_path: Path) -> Any:
    """A patch that creates a file with some content."""
    (tmp_path / "file").write_bytes(b"content")
    return zdir_patch.new(tmp_path, zfile.new(tmp_path, "file"), zdir_patch.CREATE, "alias")


def test_example_of_the_class() -> None:
    """What CZMQ's self-test shows: a patch outlives the file object that it was made from."""
    file = zfile.new(".", "bilbo")
    patch = zdir_patch.new(".", file, zdir_patch.CREATE, "/")
    zfile.destroy(file)
    assert zfile.filename(zdir_patch.file(patch), ".") == "bilbo"
    assert zdir_patch.vpath(patch) == "/bilbo"


def test_operations() -> None:
    """The operations have names, with C's values, and are kept; nothing else is taken."""
    assert (zdir_patch.CREATE, zdir_patch.DELETE) == (C.ZDIR_PATCH_CREATE, C.ZDIR_PATCH_DELETE) == (1, 2)
    file = zfile.new("a", "b")
    for op in (zdir_patch.CREATE, zdir_patch.DELETE):
        assert zdir_patch.op(zdir_patch.new("a", file, op)) == op
    for bad in (0, 3, -1, 2**31, 2**70):
        with pytest.raises(ValueError, match="op must be"):
            zdir_patch.new("a", file, bad)
    for other in (None, "1", 1.0):
        with pytest.raises(TypeError, match="op must be"):
            zdir_patch.new("a", file, other)


@pytest.mark.parametrize(
    ("path", "name", "alias", "vpath"),
    [
        ("a", "b", None, "/b"),
        ("a", "b", "", "/b"),
        ("a", "b", "/", "/b"),
        ("a", "b", "x", "x/b"),
        ("a", "b", "x/", "x/b"),
        ("a/", "b", "100%s", "100%s/b"),
        ("ä€", "\udcff", b"\xfe", "\udcfe/\udcff"),
        ("a", "b/c\nd", "x" * 5000, "x" * 5000 + "/b/c\nd"),
        ("", "b", "x", "x/b"),
    ],
)
def test_virtual_paths(path: str, name: str, alias: Any, vpath: str) -> None:
    """The alias stands in place of the folder; the same goes for copies."""
    file = zfile.new(path, name)
    for op in (zdir_patch.CREATE, zdir_patch.DELETE):
        patch = zdir_patch.new(path, file, op, alias)
        copy = zdir_patch.dup(patch)
        for each in (patch, copy, zdir_patch.dup(copy)):
            assert zdir_patch.vpath(each) == vpath
            assert zdir_patch.path(each) == path
            assert zdir_patch.op(each) == op
            assert zfile.filename(zdir_patch.file(each)) == zfile.filename(file)


def test_a_file_from_elsewhere() -> None:
    """C aborts over an absolute path that is not below the folder; a relative one it takes whole."""
    with pytest.raises(ValueError, match="file is not below path"):
        zdir_patch.new("a", zfile.new("/b", "c"), zdir_patch.CREATE, "")
    patch = zdir_patch.new("a", zfile.new("b", "c"), zdir_patch.CREATE, "x")
    assert zdir_patch.vpath(patch) == "x/b/c"
    whole = zdir_patch.new("/b/c", zfile.new("/b", "c"), zdir_patch.CREATE, "x")
    assert zdir_patch.vpath(whole) == "x/"


def test_arguments_of_another_type() -> None:
    """They are refused by name."""
    file = zfile.new("a", "b")
    with pytest.raises(TypeError, match="path must be"):
        zdir_patch.new(None, file, 1)
    with pytest.raises(TypeError, match="file must be"):
        zdir_patch.new("a", None, 1)
    with pytest.raises(ValueError, match="file is NULL"):
        zdir_patch.new("a", ffi.cast("zfile_t *", 0), 1)
    with pytest.raises(TypeError, match="alias must be"):
        zdir_patch.new("a", file, 1, 5)
    with pytest.raises(ValueError, match="alias must not contain a NUL"):
        zdir_patch.new("a", file, 1, "x\0y")
    zfile.destroy(file)
    with pytest.raises(ValueError, match="file was destroyed"):
        zdir_patch.new("a", file, 1)


# ---------------------------------------------------------------- digests


def test_digest(patch: Any, tmp_path: Path) -> None:
    """A patch has a digest once it was asked to, keeps it, and hands it on to copies."""
    assert zdir_patch.digest(patch) is None
    assert zdir_patch.digest(zdir_patch.dup(patch)) is None
    zdir_patch.digest_set(patch)
    digest = hashlib.sha1(b"content").hexdigest().upper()
    assert zdir_patch.digest(patch) == digest
    (tmp_path / "file").write_bytes(b"other")
    zdir_patch.digest_set(patch)
    assert zdir_patch.digest(patch) == digest
    assert zdir_patch.digest(zdir_patch.dup(patch)) == digest


def test_no_digest_to_delete(tmp_path: Path) -> None:
    """A patch that deletes has none."""
    (tmp_path / "file").write_bytes(b"content")
    patch = zdir_patch.new(tmp_path, zfile.new(tmp_path, "file"), zdir_patch.DELETE)
    zdir_patch.digest_set(patch)
    assert zdir_patch.digest(patch) is None


def test_digest_of_what_cannot_be_read(patch: Any, tmp_path: Path) -> None:
    """C crashes over a file that is gone; a pipe is refused, since C would wait for ever."""
    os.unlink(tmp_path / "file")
    zdir_patch.digest_set(patch)
    assert zdir_patch.digest(patch) is None
    (tmp_path / "file").mkdir()
    zdir_patch.digest_set(patch)
    assert zdir_patch.digest(patch) is None
    (tmp_path / "file").rmdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "file")
        with pytest.raises(ValueError, match="pipe"):
            zdir_patch.digest_set(patch)


# ---------------------------------------------------------------- ownership


@pytest.mark.parametrize("name", CALLS)
def test_misuse(name: str) -> None:
    """What is no patch, NULL, or destroyed, is refused by the argument's name."""
    for bad in (None, 1, "patch", ffi.cast("void *", 1), ffi.cast("zfile_t *", 1)):
        if bad is None and name == "destroy":
            continue
        with pytest.raises(TypeError, match="patch must be"):
            CALLS[name](bad)
    with pytest.raises(ValueError, match="patch is NULL"):
        CALLS[name](ffi.cast("zdir_patch_t *", 0))
    patch = zdir_patch.new("a", zfile.new("a", "b"), 1)
    assert zdir_patch.destroy(patch) is None
    with pytest.raises(ValueError, match="patch was destroyed"):
        CALLS[name](patch)
    assert zdir_patch.destroy(None) is None


def test_the_file_is_lent(patch: Any) -> None:
    """It is the same one each time, keeps the patch alive, is not freed by itself, and dies with the patch."""
    file = zdir_patch.file(patch)
    assert zdir_patch.file(patch) is file
    assert zfile.input(file) == 0
    stream = zfile.handle(file)
    zdir_patch.digest_set(patch)
    assert zfile.handle(file) is None
    with pytest.raises(ValueError, match="not open"):
        zfile.read(file, 1)
    assert stream is not None
    del patch
    gc.collect()
    assert zfile.input(file) == 0
    assert zfile.read(file, 10) == b"content"


def test_destroying_the_file_of_a_patch(patch: Any) -> None:
    """It only lets the handle go."""
    file = zdir_patch.file(patch)
    zfile.destroy(file)
    with pytest.raises(ValueError, match="file was destroyed"):
        zfile.cursize(file)
    again = zdir_patch.file(patch)
    assert zfile.cursize(again) == 7
    zdir_patch.destroy(patch)
    with pytest.raises(ValueError, match="file was destroyed with its patch"):
        zfile.cursize(again)


def test_links_in_patches(tmp_path: Path) -> None:
    """A patch has a copy of a link, whose removal takes C beyond the end of its name."""
    (tmp_path / "target").write_bytes(b"target")
    (tmp_path / "link.ln").write_text(f"{tmp_path}/target")
    patch = zdir_patch.new(tmp_path, zfile.new(tmp_path, "link.ln"), 1)
    file = zdir_patch.file(patch)
    zfile.remove(file)
    zfile.remove(file)
    assert os.listdir(tmp_path) == ["target"]


def test_raw_and_namespace_mix() -> None:
    """Patches and file objects of the raw floor are taken, and belong to their caller."""
    file = C.zfile_new(b"a", b"b")
    patch = zdir_patch.new("a", file, 1)
    assert ffi.string(C.zdir_patch_vpath(patch)) == b"/b"
    zfile.destroy(file)
    raw = C.zdir_patch_dup(zdir_patch.new("a", zfile.new("a", "b"), 2))
    lent = zdir_patch.file(raw)
    assert zfile.filename(lent) == "a/b"
    zdir_patch.destroy(raw)
    with pytest.raises(ValueError, match="destroyed"):
        zfile.filename(lent)


def test_garbage_collection() -> None:
    """Thousands of patches and their files that nobody destroys do no harm, whichever goes first."""
    file = zfile.new("a", "b")
    for number in range(500):
        patch = zdir_patch.new("a", file, 1 + number % 2, "x" * 1000)
        pair: list[Any] = [patch, zdir_patch.file(patch)]
        del patch
        while pair:
            pair.pop(number % 2 if len(pair) == 2 else 0)
    gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_children_share_them() -> None:
    """A patch is memory: a forked child uses and destroys its copy."""
    children.check(
        """
        import os
        from pyczmq import zdir_patch, zfile
        patch = zdir_patch.new("a", zfile.new("a", "b"), 1)
        file = zdir_patch.file(patch)
        child = os.fork()
        assert zfile.filename(file) == "a/b"
        zdir_patch.destroy(patch)
        if child:
            assert os.waitpid(child, 0)[1] == 0
        """
    )


def test_czmqs_own_test() -> None:
    """CZMQ's self-test of the class passes."""
    zdir_patch.test()
