"""zdir: folders and what is below them, the differences between two looks, and the actor that watches."""

from __future__ import annotations

import gc
import hashlib
import io
import itertools
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import children
import pytest

from pyczmq import C, ffi, zactor, zdir, zdir_patch, zfile, zpoller, zsock

AGES = itertools.count(10**9)
CREATE, DELETE = zdir_patch.CREATE, zdir_patch.DELETE

CALLS: dict[str, Any] = {
    "destroy": zdir.destroy,
    "path": zdir.path,
    "modified": zdir.modified,
    "cursize": zdir.cursize,
    "count": zdir.count,
    "list": zdir.list,
    "remove": lambda folder: zdir.remove(folder, True),
    "resync": zdir.resync,
    "cache": zdir.cache,
    "fprint": lambda folder: zdir.fprint(folder, io.StringIO()),
    "print": zdir.print,
    "dump": zdir.dump,
    "flatten": zdir.flatten,
}


def write(folder: Path, name: str, content: bytes = b"", stable: bool = True) -> Path:
    """Write a file, which is stable at once, each time with another age, or not for an hour."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (0, next(AGES) if stable else time.time() + 3600))
    return path


def load(folder: Path) -> Any:
    """Look at a folder that is there."""
    found = zdir.new(folder)
    assert found is not None
    return found


def names(folder: Any) -> list[str]:
    """The names of the files, from the folder on."""
    return [zfile.filename(file, zdir.path(folder)) for file in zdir.list(folder)]


def shown(patches: list[Any]) -> list[tuple[int, str]]:
    """What patches say."""
    return [(zdir_patch.op(patch), zdir_patch.vpath(patch)) for patch in patches]


def until(watcher: Any, wanted: list[tuple[int, str]], folder: Path) -> None:
    """Receive reports until they have said what is wanted."""
    seen: list[tuple[int, str]] = []
    while seen != wanted:
        report = zdir.recv(watcher, 10000)
        assert report is not None, seen
        assert report[0] == str(folder)
        seen += shown(report[1])
        assert len(seen) <= len(wanted), seen


def test_example_of_the_class(tmp_path: Path) -> None:
    """What CZMQ's self-test shows: looking, comparing, and watching a file come and go."""
    assert zdir.new(tmp_path / "does-not-exist") is None
    folder = tmp_path / "zdir-test-dir"
    write(folder, "initial_file", b"initial file\n")
    older, newer = load(folder), load(tmp_path)
    assert zdir.diff(older, newer, "/") == []
    watcher = zactor.new(zdir.watch)
    assert zdir.set_timeout(watcher, 10) == 0
    assert zdir.subscribe(watcher, folder) == 0
    assert zdir.unsubscribe(watcher, folder) == 0
    assert zdir.subscribe(watcher, folder) == 0
    write(folder, "test_abc", b"test file\n")
    poller = zpoller.new(watcher)
    assert zpoller.wait(poller, 10000) is watcher
    path, patches = zdir.recv(watcher) or ("", [])
    assert path == str(folder)
    assert shown(patches) == [(CREATE, "/test_abc")]
    assert zdir_patch.path(patches[0]) == path
    assert zfile.filename(zdir_patch.file(patches[0]), "") == f"{folder}/test_abc".lstrip("/")
    os.unlink(folder / "test_abc")
    until(watcher, [(DELETE, "/test_abc")], folder)
    zactor.destroy(watcher)
    zdir.remove(load(folder), True)
    assert os.listdir(tmp_path) == []


# ---------------------------------------------------------------- looking


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with folders below it."""
    folder = tmp_path / "tree"
    for name, size in (("z", 1), ("a", 2), ("sub/deep/x", 3), ("sub/y", 4), ("also/b", 5)):
        write(folder, name, bytes(size))
    (folder / "empty").mkdir()
    write(folder, ".hidden", b"hidden")
    write(folder, ".git/x", b"hidden")
    return folder


def test_a_tree(tree: Path) -> None:
    """All is counted but what is hidden; C sees the same, and what C itself loads is the same."""
    folder = load(tree)
    assert (zdir.path(folder), zdir.count(folder), zdir.cursize(folder)) == (str(tree), 5, 15)
    assert zdir.modified(folder) == int(os.stat(tree / "also/b").st_mtime)
    assert names(folder) == ["a", "z", "also/b", "sub/y", "sub/deep/x"]
    assert zdir.flatten(folder) == zdir.list(folder)
    raw = C.zdir_new(os.fsencode(tree), ffi.NULL)
    for function in (C.zdir_count, C.zdir_cursize, C.zdir_modified):
        assert function(folder) == function(raw)
    assert names(raw) == names(folder)
    zdir.destroy(raw)


def test_where_c_stores_it_in_another_way(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then C loads the whole tree; what it would trip over is a ValueError."""
    from pyczmq import _trees

    assert _trees._is_known()
    monkeypatch.setattr(_trees, "_known", False)
    folder = load(tree)
    assert names(folder) == ["a", "z", "also/b", "sub/y", "sub/deep/x"]
    assert zdir.new(tree / "nowhere") is None
    zdir.remove(zdir.new(tree, "-"), False)
    os.symlink(".", tree / "loop")
    with pytest.raises(ValueError, match="leads back"):
        zdir.new(tree)
    write(tree, "100%/x")
    os.unlink(tree / "loop")
    with pytest.raises(ValueError, match="%"):
        zdir.remove(load(tree), True)


def test_a_folder_alone(tree: Path) -> None:
    """With "-" for its parent the folders below are left out."""
    for parent in ("-", b"-"):
        folder = zdir.new(tree, parent)
        assert names(folder) == ["a", "z"]
        assert zdir.count(folder) == 2
    assert zdir.new(tree / "nowhere", "-") is None


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_parents_and_kinds_of_paths(tree: Path, kind: Any) -> None:
    """The path is below the parent; slashes at its end go."""
    assert zdir.path(zdir.new(kind("sub"), kind(str(tree)))) == f"{tree}/sub"
    assert zdir.path(zdir.new(f"{tree}/sub///")) == f"{tree}/sub"
    assert names(zdir.new(f"{tree}/sub///")) == ["y", "deep/x"]
    assert names(zdir.new(kind(str(tree / "sub")))) == ["y", "deep/x"]


def test_bad_paths(tree: Path) -> None:
    """They are refused by the argument's name; C aborts over an empty path. A file is no folder."""
    for bad in (None, 1, object()):
        with pytest.raises(TypeError, match="path must be"):
            zdir.new(bad)
        if bad is not None:
            with pytest.raises(TypeError, match="parent must be"):
                zdir.new("x", bad)
    for parent in (None, "-"):
        with pytest.raises(ValueError, match="path is empty"):
            zdir.new("", parent)
    with pytest.raises(ValueError, match="NUL"):
        zdir.new("a\0b")
    assert zdir.new(tree / "a") is None
    assert zdir.new("x" * 100000) is None
    assert zdir.new("", tree) is not None


def test_the_root_folder() -> None:
    """The path of one slash stays one."""
    for path in ("/", "///"):
        folder = zdir.new(path, "-")
        assert zdir.path(folder) == "/"
        assert zdir.remove(folder, False) is None


@pytest.mark.parametrize("name", ["ä€", "\udcff\udcfe", "line\nend", "100%s%n", " ", "a=b", "#c", "x" * 255])
def test_odd_names(tmp_path: Path, name: str) -> None:
    """Files and folders may have any name that the file system bears."""
    write(tmp_path, f"{name}/{name}", b"content")
    folder = load(tmp_path)
    assert names(folder) == [f"{name}/{name}"]
    assert zdir.cache(folder) == {f"{name}/{name}": hashlib.sha1(b"content").hexdigest().upper()}
    assert zdir.cache(folder) == zdir.cache(load(tmp_path))
    assert shown(zdir.resync(folder, "/x")) == [(CREATE, f"/x/{name}/{name}")]
    text = io.StringIO()
    zdir.fprint(folder, text)
    assert text.getvalue() == f"{tmp_path}/{name}/{name}\n"


def test_symbolic_links(tmp_path: Path) -> None:
    """Folders behind links are looked into, but not those above the link, where C would go in circles."""
    write(tmp_path, "real/file", b"x")
    os.symlink("real", tmp_path / "link")
    os.symlink("..", tmp_path / "real/up")
    os.symlink("..", tmp_path / "real/up2")
    os.symlink(".", tmp_path / "self")
    os.symlink("nowhere", tmp_path / "dangling")
    os.symlink("circle", tmp_path / "circle")
    assert names(load(tmp_path)) == ["link/file", "real/file"]


def test_a_deep_tree(tmp_path: Path) -> None:
    """A tree is looked at as deep as C does: to 1023 bytes of path. C aborts where it is out of descriptors."""
    children.check(
        """
        import os, resource, sys
        from pyczmq import zdir, zfile
        os.chdir(sys.argv[1])
        for depth in range(600):
            os.mkdir("d")
            os.chdir("d")
            open("f", "w").close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
        folder = zdir.new(sys.argv[1])
        longest = max(len(zfile.filename(file)) for file in zdir.list(folder))
        assert 1000 < longest <= 1023, longest
        assert zdir.count(folder) == len(zdir.list(folder)) > 400
        assert len(zdir.resync(folder)) == zdir.count(folder)
        zdir.destroy(folder)
        """,
        str(tmp_path),
    )
    # Deeper than Python goes down by itself.
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)


@pytest.mark.skipif(not hasattr(os, "seteuid") or os.getuid() != 0, reason="root only: it becomes somebody else")
def test_folders_that_cannot_be_read(tmp_path: Path) -> None:
    """They are passed over, where C aborts."""
    for above in [tmp_path, *tmp_path.parents][:3]:
        above.chmod(0o755)
    write(tmp_path, "open/file")
    write(tmp_path, "closed/file")
    (tmp_path / "closed").chmod(0)
    output = children.check(
        """
        import os, sys
        from pyczmq import zdir, zfile
        # All modules are loaded now: where they are, others may not read.
        zfile.filename(zdir.list(zdir.new(sys.argv[1]))[0], None)
        os.seteuid(65534)
        folder = zdir.new(sys.argv[1])
        print(*[zfile.filename(file, sys.argv[1]) for file in zdir.list(folder)])
        assert zdir.new(sys.argv[1] + "/closed") is None
        """,
        str(tmp_path),
    )
    assert output.split() == ["open/file"]


#: Makes and removes folders in the first argument's until its parent is gone.
CHURN = """
import os, sys
parent = os.getppid()
while os.getppid() == parent:
    for number in range(10):
        os.makedirs(f"{sys.argv[1]}/a{number}/b/c", exist_ok=True)
    for number in range(10):
        for name in "b/c", "b", "":
            try:
                os.rmdir(f"{sys.argv[1]}/a{number}/{name}")
            except OSError:
                pass
"""


@pytest.mark.parametrize("what", ["new", "watch"])
def test_folders_that_vanish(tmp_path: Path, what: str) -> None:
    """Folders that come and go while they are looked at do no harm, where C aborts within milliseconds."""
    children.check(
        """
        import subprocess, sys, time
        from pyczmq import zactor, zdir
        what, root, churn = sys.argv[1:]
        other = subprocess.Popen([sys.executable, "-c", churn, root])
        actor = zactor.new(zdir.watch)
        zdir.set_timeout(actor, 1)
        until = time.monotonic() + 1
        if what == "watch":
            assert zdir.subscribe(actor, root) == 0
            zdir.recv(actor, 1000)
        while time.monotonic() < until:
            zdir.diff(zdir.new(root), zdir.new(root))
        other.kill()
        other.wait()
        """,
        what,
        str(tmp_path),
        CHURN,
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_pipes(tmp_path: Path) -> None:
    """A pipe is a file like any other, unless it has the name of a link, which C would wait for ever to read."""
    os.mkfifo(tmp_path / "pipe")
    write(tmp_path, "file", b"x")
    folder = load(tmp_path)
    assert names(folder) == ["file", "pipe"]
    assert list(zdir.cache(folder)) == ["file"]
    os.mkfifo(tmp_path / "pipe.ln")
    for parent in (None, "-"):
        with pytest.raises(ValueError, match=r"pipe\.ln"):
            zdir.new(tmp_path, parent)


def test_portable_links(tmp_path: Path) -> None:
    """A link, .ln, is in the list with its target's size; both it and a file of that name can be there."""
    target = write(tmp_path, "elsewhere/target", b"target")
    (tmp_path / "folder").mkdir()
    write(tmp_path, "folder/link.ln", os.fsencode(target))
    write(tmp_path, "folder/link", b"a file")
    write(tmp_path, "folder/long.ln", b"x" * 5000)
    folder = load(tmp_path / "folder")
    assert sorted(names(folder)) == ["link", "link", "long"]
    assert zdir.cursize(folder) == 12
    again = load(tmp_path / "folder")
    assert zdir.diff(folder, again) == []
    zdir.remove(folder, True)
    assert os.listdir(tmp_path) == ["elsewhere"]
    assert os.listdir(tmp_path / "elsewhere") == ["target"]


# ---------------------------------------------------------------- removing


def test_remove(tree: Path) -> None:
    """Without force only an empty folder goes; with force the files and folders that are known go, and no others."""
    (tree / "nothing").mkdir()
    zdir.remove(load(tree / "nothing"), False)
    assert not (tree / "nothing").exists()
    folder = load(tree)
    zdir.remove(folder, False)
    assert zdir.count(folder) == 5
    write(tree, "sub/later")
    zdir.remove(folder, True)
    assert (zdir.count(folder), zdir.cursize(folder), zdir.list(folder)) == (0, 0, [])
    assert sorted(os.listdir(tree)) == [".git", ".hidden", "sub"]
    assert os.listdir(tree / "sub") == ["later"]
    zdir.remove(folder, True)


@pytest.mark.parametrize("name", ["100%", "%s%n/below", "sub/%d"])
def test_folders_with_a_percent_sign(tmp_path: Path, name: str) -> None:
    """C takes their names for formats when it removes them."""
    (tmp_path / name).mkdir(parents=True)
    with pytest.raises(ValueError, match="%"):
        zdir.remove(load(tmp_path), True)
    with pytest.raises(ValueError, match="%"):
        zdir.remove(load(tmp_path / name), False)
    assert (tmp_path / name).exists()


# ---------------------------------------------------------------- comparing


def test_differences(tmp_path: Path) -> None:
    """Files that are new, changed or gone are patches, sorted by name; unstable ones are left for later."""
    for name in ("same", "gone", "changed", "sub/same", "sub/gone"):
        write(tmp_path, name, b"1")
    older = load(tmp_path)
    for name in ("gone", "sub/gone"):
        os.unlink(tmp_path / name)
    write(tmp_path, "changed", b"2")
    write(tmp_path, "new", b"3")
    write(tmp_path, "sub/new/new", b"4")
    write(tmp_path, "unstable", b"5", stable=False)
    newer = load(tmp_path)
    assert shown(zdir.diff(older, newer, "/to")) == [
        (CREATE, "/to/changed"),
        (DELETE, "/to/gone"),
        (CREATE, "/to/new"),
        (DELETE, "/to/sub/gone"),
        (CREATE, "/to/sub/new/new"),
    ]
    assert zdir.diff(newer, newer) == []
    os.utime(tmp_path / "unstable", (0, 1))
    assert shown(zdir.diff(newer, load(tmp_path))) == [(CREATE, "/unstable")]
    assert shown(zdir.diff(None, older)) == [
        (CREATE, f"/{name}") for name in ("changed", "gone", "same", "sub/gone", "sub/same")
    ]
    assert [op for op, _ in shown(zdir.diff(older, None))] == [DELETE] * 5
    assert zdir.diff(None, None) == []


def test_a_file_behind_a_folder_is_not_deleted(tmp_path: Path) -> None:
    """C compares in an order in which it takes sub/a for new, and then for deleted, when z goes."""
    write(tmp_path, "sub/a")
    write(tmp_path, "z")
    older = load(tmp_path)
    os.unlink(tmp_path / "z")
    assert shown(zdir.diff(older, load(tmp_path))) == [(DELETE, "/z")]


def test_resync(tree: Path) -> None:
    """All the files come as patches, with no digests."""
    patches = zdir.resync(load(tree), "all")
    assert shown(patches) == [(CREATE, f"all/{name}") for name in ("a", "z", "also/b", "sub/y", "sub/deep/x")]
    assert {zdir_patch.digest(patch) for patch in patches} == {None}
    assert {zdir_patch.path(patch) for patch in patches} == {str(tree)}


def test_bad_arguments(tree: Path) -> None:
    """They are refused by name."""
    folder = load(tree)
    for name, call in (("older", lambda bad: zdir.diff(bad, folder)), ("newer", lambda bad: zdir.diff(folder, bad))):
        with pytest.raises(TypeError, match=f"{name} must be"):
            call(1)
        with pytest.raises(ValueError, match=f"{name} is NULL"):
            call(ffi.cast("zdir_t *", 0))
    for call in (zdir.resync, lambda folder, alias: zdir.diff(None, folder, alias)):
        with pytest.raises(TypeError, match="alias must be"):
            call(folder, 1)
        with pytest.raises(ValueError, match="alias must not contain a NUL"):
            call(folder, "\0")
    with pytest.raises(TypeError, match="indent"):
        zdir.print(folder, "x")
    with pytest.raises(ValueError, match="indent"):
        zdir.print(folder, 2**31)


# ---------------------------------------------------------------- digests


def test_cache(tree: Path) -> None:
    """Digests come by the names from the folder on, and are kept in a file that C understands."""
    folder = load(tree)
    wanted = {name: hashlib.sha1((tree / name).read_bytes()).hexdigest().upper() for name in names(folder)}
    assert zdir.cache(folder) == wanted
    assert (tree / ".cache").exists()
    write(tree, "a", b"changed")
    write(tree, "new", b"new")
    found = zdir.cache(load(tree))
    assert found == {**wanted, "new": hashlib.sha1(b"new").hexdigest().upper()}
    raw = C.zdir_cache(load(tree))
    assert C.zhash_size(raw) == 6
    assert ffi.string(ffi.cast("char *", C.zhash_lookup(raw, b"sub/y"))).decode() == wanted["sub/y"]
    C.zhash_destroy(ffi.new("zhash_t **", raw))


def test_cache_of_files_that_are_gone(tree: Path) -> None:
    """They have no digest, where C crashes; nor does it matter if nothing can be saved."""
    folder = load(tree)
    os.unlink(tree / "a")
    (tree / ".cache").mkdir()
    assert sorted(zdir.cache(folder)) == ["also/b", "sub/deep/x", "sub/y", "z"]
    shutil.rmtree(tree)
    assert zdir.cache(folder) == {}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_a_pipe_in_place_of_the_cache(tree: Path) -> None:
    """It is left alone: C would wait for ever."""
    os.mkfifo(tree / ".cache")
    assert len(zdir.cache(load(tree))) == 5


def test_odd_lines_in_the_cache(tree: Path) -> None:
    """Comments and what is no line of a cache are passed over, however long."""
    (tree / ".cache").write_bytes(b"# comment=1\n\0\n=x\nno digest\na=KNOWN\n" + b"x" * 5000 + b"=LONG\nz=LAST")
    found = zdir.cache(load(tree))
    assert (found["a"], found["z"], found["x" * 5000], len(found)) == ("KNOWN", "LAST", "LONG", 6)


# ---------------------------------------------------------------- printing


def test_printing(tree: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The names go to Python's standard output, to any Python file, and to a stream of C's."""
    folder = load(tree)
    wanted = "".join(f"{tree}/{name}\n" for name in ("a", "z", "also/b", "sub/y", "sub/deep/x"))
    zdir.print(folder)
    zdir.print(folder, 4)
    zdir.dump(folder, 4)
    assert capsys.readouterr().out == wanted * 3
    text, binary = io.StringIO(), io.BytesIO()
    zdir.fprint(folder, text)
    zdir.fprint(folder, binary, 2)
    assert (text.getvalue(), binary.getvalue()) == (wanted, wanted.encode())
    file = zfile.new(tmp_path, "listing")
    zfile.output(file)
    zdir.fprint(folder, zfile.handle(file), 0)
    zfile.close(file)
    assert (tmp_path / "listing").read_text() == wanted
    for bad in (None, 1, "name"):
        with pytest.raises(TypeError, match="file must be"):
            zdir.fprint(folder, bad)
    with pytest.raises(TypeError, match="file must be"):
        zdir.fprint(folder, ffi.cast("void *", 1))
    with pytest.raises(ValueError, match="file is NULL"):
        zdir.fprint(folder, ffi.cast("FILE *", 0))


# ---------------------------------------------------------------- ownership


@pytest.mark.parametrize("name", CALLS)
def test_misuse(name: str, tmp_path: Path) -> None:
    """What is no folder, NULL, or destroyed, is refused by the argument's name."""
    for bad in (None, 1, "dir", ffi.cast("void *", 1), ffi.cast("zfile_t *", 1)):
        if bad is None and name in ("destroy", "flatten"):
            continue
        with pytest.raises(TypeError, match="dir must be"):
            CALLS[name](bad)
    with pytest.raises(ValueError, match="dir is NULL"):
        CALLS[name](ffi.cast("zdir_t *", 0))
    folder = load(tmp_path)
    assert zdir.destroy(folder) is None
    with pytest.raises(ValueError, match="dir was destroyed"):
        CALLS[name](folder)
    assert zdir.destroy(None) is None


def test_files_are_lent(tree: Path) -> None:
    """The handles are the same each time, keep the folder alive, and are refused once it is destroyed."""
    folder = load(tree)
    files = zdir.list(folder)
    assert all(one is other for one, other in zip(files, zdir.list(folder)))
    zfile.destroy(files[0])
    with pytest.raises(ValueError, match="file was destroyed"):
        zfile.cursize(files[0])
    assert zfile.cursize(zdir.list(folder)[0]) == 2
    zfile.input(files[1])
    stream = zfile.handle(files[1])
    zdir.cache(folder)
    assert zfile.handle(files[1]) is None
    assert stream is not None
    file = files[2]
    del folder, files, stream
    gc.collect()
    assert zfile.cursize(file) == 5
    folder = load(tree)
    file, other = zdir.list(folder)[:2]
    copy = zfile.dup(file)
    zdir.destroy(folder)
    with pytest.raises(ValueError, match="file was destroyed with its folder"):
        zfile.cursize(file)
    with pytest.raises(ValueError, match="file was destroyed with its folder"):
        zfile.destroy(other)
    assert zfile.cursize(copy) == 2


def test_files_that_were_removed_with_their_folder(tree: Path) -> None:
    """C frees them then."""
    folder = load(tree)
    file = zdir.list(folder)[3]
    zfile.input(file)
    stream = zfile.handle(file)
    zdir.remove(folder, True)
    with pytest.raises(ValueError, match="file was removed with its folder"):
        zfile.cursize(file)
    with pytest.raises(ValueError, match="file was removed with its folder"):
        zdir.fprint(folder, stream)


def test_removing_files_of_a_folder(tree: Path) -> None:
    """A file that is removed by itself stays in the list."""
    folder = load(tree)
    for file in zdir.list(folder):
        zfile.remove(file)
    assert zdir.count(folder) == 5
    assert zdir.diff(folder, load(tree)) != []
    zdir.remove(folder, True)


def test_flatten_free(tree: Path) -> None:
    """Python's lists need no freeing; the raw floor's array is freed once."""
    folder = load(tree)
    assert zdir.flatten(None) == []
    zdir.flatten_free(zdir.flatten(folder))
    zdir.flatten_free(None)
    array = C.zdir_flatten(folder)
    zdir.flatten_free(array)
    with pytest.raises(ValueError, match="files was destroyed"):
        zdir.flatten_free(array)
    for bad in (1, "x", folder):
        with pytest.raises(TypeError, match="files must be"):
            zdir.flatten_free(bad)
    with pytest.raises(ValueError, match="files is NULL"):
        zdir.flatten_free(ffi.cast("zfile_t **", 0))


def test_raw_and_namespace_mix(tree: Path) -> None:
    """Folders of the raw floor are taken, and belong to their caller."""
    raw = C.zdir_new(os.fsencode(tree), ffi.NULL)
    file = zdir.list(raw)[0]
    assert len(zdir.diff(None, raw)) == 5
    zdir.destroy(raw)
    with pytest.raises(ValueError, match="destroyed"):
        zfile.cursize(file)
    mine = load(tree)
    listed = C.zdir_list(mine)
    assert C.zlist_size(listed) == 5
    C.zlist_destroy(ffi.new("zlist_t **", listed))


def test_garbage_collection(tree: Path) -> None:
    """Hundreds of folders, files and patches that nobody destroys do no harm, in either order of collection."""
    for number in range(100):
        folder = load(tree)
        kept: list[Any] = [folder, *zdir.list(folder), *zdir.diff(None, folder), *zdir.resync(folder)]
        kept.append(zdir_patch.file(kept[-1]))
        del folder
        while kept:
            kept.pop(0 if number % 2 else -1)
    gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_children_share_them(tree: Path) -> None:
    """A folder is memory: a forked child uses and destroys its copy."""
    children.check(
        """
        import os, sys
        from pyczmq import zdir, zfile
        folder = zdir.new(sys.argv[1])
        files = zdir.list(folder)
        child = os.fork()
        assert [zfile.cursize(file) for file in files] == [2, 1, 5, 4, 3]
        zdir.destroy(folder)
        if child:
            assert os.waitpid(child, 0)[1] == 0
        """,
        str(tree),
    )


# ---------------------------------------------------------------- watching


@pytest.fixture(params=["python", "c"])
def watcher(request: pytest.FixtureRequest) -> Any:
    """An actor that watches every 10 ms: Python's, and C's own."""
    actor = zactor.new(zdir.watch if request.param == "python" else C.zdir_watch)
    assert zdir.set_timeout(actor, 10) == 0
    yield actor
    try:
        zactor.destroy(actor)
    except ValueError:
        # A test has done so.
        pass


def test_watching(tmp_path: Path) -> None:
    """What comes, changes and goes is reported, also in folders below; what is there at first, and unstable, is not."""
    watcher = zactor.new(zdir.watch)
    zdir.set_timeout(watcher, 10)
    write(tmp_path, "old")
    assert zdir.subscribe(watcher, tmp_path) == 0
    assert zdir.recv(watcher, 50) is None
    write(tmp_path, "sub/new", b"x")
    until(watcher, [(CREATE, "/sub/new")], tmp_path)
    write(tmp_path, "unstable", stable=False)
    assert zdir.recv(watcher, 50) is None
    os.unlink(tmp_path / "old")
    until(watcher, [(DELETE, "/old")], tmp_path)
    assert zdir.unsubscribe(watcher, tmp_path) == 0
    os.unlink(tmp_path / "sub/new")
    assert zdir.recv(watcher, 50) is None


def test_two_folders(watcher: Any, tmp_path: Path) -> None:
    """Several folders are watched at a time, and each report names its own."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        assert zdir.subscribe(watcher, str(tmp_path / name)) == 0
        assert zdir.subscribe(watcher, os.fsencode(tmp_path / name)) == 1
    for name in ("two", "one"):
        write(tmp_path, f"{name}/file")
        until(watcher, [(CREATE, "/file")], tmp_path / name)


def test_refused_subscriptions(watcher: Any, tmp_path: Path) -> None:
    """A folder that is not there is a status; C aborts over an empty path."""
    assert zdir.subscribe(watcher, tmp_path / "nowhere") == 1
    assert zdir.unsubscribe(watcher, tmp_path / "nowhere") == 0
    for call in (zdir.subscribe, zdir.unsubscribe):
        with pytest.raises(ValueError, match="path is empty"):
            call(watcher, "")
        with pytest.raises(TypeError, match="path must be"):
            call(watcher, None)
        with pytest.raises(ValueError, match="NUL"):
            call(watcher, "a\0b")
    for bad in (0, -1, 2**31):
        with pytest.raises(ValueError, match="timeout must be"):
            zdir.set_timeout(watcher, bad)
    with pytest.raises(TypeError, match="timeout must be"):
        zdir.set_timeout(watcher, "1")
    with pytest.raises(ValueError, match="timeout must be"):
        zdir.recv(watcher, -2)


def test_reports_between_commands(watcher: Any, tmp_path: Path) -> None:
    """Reports that come before the answer to a command are kept, in their order."""
    (tmp_path / "a").mkdir()
    zdir.subscribe(watcher, tmp_path / "a")
    for name in ("1", "2", "3"):
        write(tmp_path, f"a/{name}")
        deadline = time.monotonic() + 10
        while not C.zsock_events(watcher) & 1 and time.monotonic() < deadline:
            time.sleep(0.001)
        assert zdir.set_timeout(watcher, 10) == 0
    until(watcher, [(CREATE, "/1"), (CREATE, "/2"), (CREATE, "/3")], tmp_path / "a")


def test_reports_are_cs(watcher: Any, tmp_path: Path) -> None:
    """A report is what C's own sends: a path, and a list of patches for the receiver to destroy."""
    zdir.subscribe(watcher, tmp_path)
    write(tmp_path, "file")
    path, pointer = zsock.recv(watcher, "sp")
    assert path == str(tmp_path)
    found = ffi.cast("zlist_t *", pointer)
    assert C.zlist_size(found) == 1
    zdir_patch.destroy(ffi.cast("zdir_patch_t *", C.zlist_pop(found)))
    C.zlist_destroy(ffi.new("zlist_t **", found))


def test_reports_that_nobody_receives(watcher: Any, tmp_path: Path) -> None:
    """An actor with reports left is destroyed all the same."""
    zdir.subscribe(watcher, tmp_path)
    write(tmp_path, "1")
    assert zpoller.wait(zpoller.new(watcher), 10000) is watcher
    zdir.set_timeout(watcher, 1)
    write(tmp_path, "2")
    assert zpoller.wait(zpoller.new(watcher), 10000) is watcher
    zactor.destroy(watcher)
    for call in (zdir.recv, zdir.set_verbose, lambda actor: zdir.subscribe(actor, tmp_path)):
        with pytest.raises(ValueError, match="actor was destroyed"):
            call(watcher)


def test_verbose() -> None:
    """A verbose actor logs what it does; names are no formats."""
    output = children.run(
        """
        import sys
        from pyczmq import zactor, zdir, C, zsys
        zsys.set_logstream(sys.stdout)
        for task in zdir.watch, C.zdir_watch:
            actor = zactor.new(task)
            assert zdir.set_verbose(actor) == 0
            assert zdir.subscribe(actor, "100%s%n") == 1
            zactor.destroy(actor)
        """
    )
    assert output.status == 0
    assert output.output.count("zdir_watch") >= 4
    assert "100%s%n" in output.output


@pytest.mark.parametrize("name", ["subscribe", "unsubscribe", "set_timeout", "set_verbose", "recv"])
def test_other_actors(name: str) -> None:
    """Commands for this actor do not get to any other, nor to what is none."""
    from pyczmq import zmsg, zsocket

    def task(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        zmsg.destroy(zmsg.recv(pipe))

    arguments: tuple[Any, ...] = {"set_timeout": (1,), "set_verbose": (), "recv": (0,)}.get(name, ("path",))
    call = getattr(zdir, name)
    for bad in (None, 1, ffi.cast("void *", 1)):
        with pytest.raises(TypeError, match="actor must be"):
            call(bad, *arguments)
    with pytest.raises(ValueError, match="actor is NULL"):
        call(ffi.cast("zactor_t *", 0), *arguments)
    for other in (zactor.new(task), zactor.new(C.zproxy)):
        with pytest.raises(TypeError, match="another kind of actor"):
            call(other, *arguments)
        zactor.destroy(other)


def test_watch_is_a_task() -> None:
    """It takes a pipe and nothing else."""
    for bad in (None, 1, ffi.cast("void *", 1)):
        with pytest.raises(TypeError, match="pipe must be"):
            zdir.watch(bad)


def test_unknown_commands(watcher: Any) -> None:
    """What the actors do not know is answered with a status, and no more."""
    from pyczmq import zstr

    for words in (["NONSENSE"], ["SUBSCRIBE"], ["UNSUBSCRIBE"], ["TIMEOUT"], ["VERBOSE", "x"]):
        zstr.sendx(watcher, *words)
        assert C.zsock_wait(watcher) == (words[0] != "VERBOSE")
    assert zdir.set_timeout(watcher, 10) == 0


def test_interrupts(watcher: Any) -> None:
    """Ctrl-C ends the wait for a report, and the actor goes on."""
    threading.Timer(0.1, signal.raise_signal, [signal.SIGINT]).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        zdir.recv(watcher)
    assert time.monotonic() - start < 5
    assert zdir.set_timeout(watcher, 20) == 0


def test_actors_that_nobody_destroys(tmp_path: Path) -> None:
    """They end with the process, whatever they have left to say."""
    children.check(
        """
        import sys, time
        from pyczmq import C, zactor, zdir, zpoller
        actors = [zactor.new(zdir.watch), zactor.new(C.zdir_watch)]
        for actor in actors:
            zdir.set_timeout(actor, 1)
            zdir.subscribe(actor, sys.argv[1])
        import os
        open(sys.argv[1] + "/file", "w").close()
        os.utime(sys.argv[1] + "/file", (0, 1))
        for actor in actors:
            assert zpoller.wait(zpoller.new(actor), 10000) is actor
        """,
        str(tmp_path),
    )


def test_czmqs_own_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """CZMQ's self-test of the class is there to be run; it takes 16 seconds, so that is not done here."""
    from pyczmq import _selftest

    asked = []
    monkeypatch.setattr(_selftest, "run", lambda *arguments: asked.append(arguments))
    zdir.test()
    assert asked == [("zdir_test", False)]
