"""Which library is opened: never one that lies around, in the current folder, or where anybody may put a file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import children
import pytest

import pyczmq
from pyczmq import C, _cffi

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the names and the modes of Linux")

NAMES = ("libczmq.so.4", "libczmq.so.3", "libczmq.so", "libzmq.so.5", "libzmq.so")

#: What a program says that a library has been opened: each is a text, which no linker takes.
OPENED = ("file too short", "invalid ELF header", "not an ELF file")

SHOW = "from pyczmq import C; print(C._path)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that only its owner may write to, as are those above it, with a file of each name of a library."""
    made = tmp_path / "lib"
    made.mkdir(0o755)
    for name in NAMES:
        (made / name).write_text("this is no library, and whoever opens it says so")
        (made / name).chmod(0o644)
    return made


def tried(candidate: Path, chosen: bool = False) -> str:
    """Return what the error says of the only candidate."""
    with pytest.raises(ImportError) as caught:
        _cffi._open("czmq", [str(candidate)], chosen)
    return str(caught.value)


def was_opened(text: str) -> bool:
    return any(word in text for word in OPENED)


# ---------------------------------------------------------------- who may write there


def test_private_file_is_opened(folder: Path) -> None:
    """So that the tests below could fail."""
    assert was_opened(tried(folder / NAMES[0]))


@pytest.mark.parametrize("mode", [0o757, 0o777, 0o1777])
@pytest.mark.parametrize("what", ["file", "folder", "folder of a link", "folder behind a link", "folder above"])
def test_what_anybody_may_write_to_is_not_opened(what: str, mode: int, folder: Path, tmp_path: Path) -> None:
    """Be it the file, its folder, or one above it, on the way that leads there; the error says which."""
    candidate = folder / NAMES[0]
    if what == "file":
        exposed = candidate
    elif what == "folder":
        exposed = folder
    elif what == "folder of a link":
        exposed = tmp_path / "links"
        exposed.mkdir()
        (exposed / "link.so").symlink_to(candidate)
        candidate = exposed / "link.so"
    elif what == "folder behind a link":
        exposed = folder
        (tmp_path / "link.so").symlink_to(candidate)
        candidate = tmp_path / "link.so"
    else:
        if mode & 0o1000:
            pytest.skip("a folder in a folder with the sticky bit is its owner's")
        exposed = tmp_path / "above"
        exposed.mkdir()
        shutil.move(folder, exposed / "lib")
        candidate = exposed / "lib" / NAMES[0]
    exposed.chmod(mode)
    try:
        text = tried(candidate)
        assert f"{candidate}: not opened, since anybody may write to {exposed}" in text
        assert not was_opened(text)
        # What the user has named is opened all the same.
        assert was_opened(tried(candidate, chosen=True))
    finally:
        exposed.chmod(0o755)


def test_sticky_folder_above_is_none_of_anybodys(folder: Path) -> None:
    """Such as /tmp, in which everybody's folders are their owners'."""
    folder.parent.chmod(0o1777)
    assert was_opened(tried(folder / NAMES[0]))


def test_bundled_copy(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy in the wheel comes first, unless anybody may write to it; the others still have their turn then."""
    package = tmp_path / "package"
    package.mkdir()
    shutil.copytree(folder, package / ".libs")
    monkeypatch.setattr(_cffi, "__file__", str(package / "_cffi.py"))
    first = str(package / ".libs" / NAMES[0])
    assert _cffi._candidates("czmq", ("4", "3"))[0] == first
    (package / ".libs").chmod(0o777)
    library, path = _cffi._open("czmq", _cffi._candidates("czmq", ("4", "3")))
    assert library.zsys_version
    assert path == "libczmq.so.4"


# ---------------------------------------------------------------- names


def test_candidates_are_absolute_or_bare(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Nothing that is tried depends on the current folder, whatever Python was started with."""
    monkeypatch.chdir(folder)
    for prefix in (sys.prefix, ".", "", "lib", str(folder)):
        monkeypatch.setattr(sys, "prefix", prefix)
        monkeypatch.setattr(os.path, "isdir", lambda path: True)
        for library, versions in (("czmq", ("4", "3")), ("zmq", ("5",))):
            candidates = _cffi._candidates(library, versions)
            assert candidates
            for candidate in candidates:
                assert os.path.isabs(candidate) or os.path.basename(candidate) == candidate, candidate


@pytest.mark.parametrize(
    "value",
    [
        "./libczmq.so.4",
        "lib/libczmq.so.4",
        "../lib/libczmq.so.4",
        "libczmq.so.4/",
        "libczmq.so.4/.",
        "./",
        ".",
        "..",
        "~/libczmq.so.4",
        " /libczmq.so.4",
        "x//libczmq.so.4",
    ],
)
def test_variable_that_is_relative(value: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before anything is opened, however it is spelt."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYCZMQ_LIBRARY", value)
    with pytest.raises(ImportError, match="PYCZMQ_LIBRARY is the relative path") as caught:
        _cffi._open_czmq()
    assert not was_opened(str(caught.value))


@pytest.mark.parametrize("value", ["", "libczmq.so.4"])
def test_variable_that_is_bare(value: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the system's linker that looks it up, which does not look in the current folder."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYCZMQ_LIBRARY", value)
    assert _cffi._open_czmq()[1] == C._path  # type: ignore[attr-defined]


def test_variable_of_somebody_with_fewer_rights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may do more than who has started it does not follow the environment, as the linker does not."""
    monkeypatch.setenv("PYCZMQ_LIBRARY", str(folder / NAMES[0]))
    with pytest.raises(ImportError):
        _cffi._open_czmq()
    for name in "geteuid", "getegid":
        with monkeypatch.context() as patch:
            patch.setattr(os, name, lambda: 12345)
            assert _cffi._open_czmq()[1] == "libczmq.so.4"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_variable_of_a_process_that_has_changed_its_user(folder: Path) -> None:
    """The same, with a process that really has another effective user than its real one."""
    folder.parent.chmod(0o755)
    program = f"import os; os.setresuid(65534, 0, 0); {SHOW}"
    assert children.check(program, PYCZMQ_LIBRARY=str(folder / NAMES[0])) == "libczmq.so.4\n"
    assert children.run(SHOW, PYCZMQ_LIBRARY=str(folder / NAMES[0])).status == 1


# ---------------------------------------------------------------- hostile folders

#: Modules that nothing but pyczmq looks for, and that it must take from its own package only.
OURS = ("_abi", "_cffi", "_build", "_czmq2", "_library", "_text", "zctx", "zmq", "types_", "aio_", "_passwords")


def hostile(folder: Path) -> Path:
    """Put decoys of all that pyczmq looks for in a folder."""
    for name in OURS:
        (folder / f"{name}.py").write_text(f"raise SystemExit('decoy {name}')\n")
    (folder / "_cdef").mkdir()
    (folder / "_cdef" / "libc.h").write_text("decoy")
    (folder / ".libs").mkdir()
    for name in NAMES:
        shutil.copy(folder / name, folder / ".libs" / name)
    return folder


def run_there(folder: Path, *command: str, **environment: str) -> Any:
    """Run Python in a folder."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_hostile_folder(folder: Path) -> None:
    """With decoys in the current folder, and beside the script, the system's library is opened, and our own modules."""
    hostile(folder)
    script = folder / "script.py"
    script.write_text(f"import pyczmq; {SHOW}; print(pyczmq.__file__)\n")
    for command in (["-c", script.read_text()], [str(script)]):
        path, package = run_there(folder, *command).splitlines()
        assert path == C._path  # type: ignore[attr-defined]
        assert package == pyczmq.__file__
    # The command, too.
    assert "libczmq" in run_there(folder, "-m", "pyczmq", "coverage")


@pytest.mark.skipif(not shutil.which("cc"), reason="no compiler here for a decoy that works")
def test_decoy_that_works(folder: Path) -> None:
    """A library in the current folder that a linker would take, and that tells when it is loaded, is not."""
    source = folder / "decoy.c"
    source.write_text(
        "#include <unistd.h>\n"
        '__attribute__ ((constructor)) static void loaded (void) { if (write (1, "decoy\\n", 6) < 0) _exit (1); }\n'
    )
    for name in NAMES:
        subprocess.run(["cc", "-shared", "-fPIC", "-o", str(folder / name), str(source)], check=True)
    assert run_there(folder, "-c", SHOW) == f"{C._path}\n"  # type: ignore[attr-defined]
    # It works: the user may name it.
    done = children.run(SHOW, PYCZMQ_LIBRARY=str(folder / NAMES[0]))
    assert done.output.startswith("decoy\n")
    # Nobody has named it here, and anybody may have put it there.
    folder.chmod(0o777)
    assert "not opened, since anybody may write to" in tried(folder / NAMES[0])
