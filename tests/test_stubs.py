"""Generated files: those that are committed are what their scripts would write."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: The scripts, with what they write and a change to it.
SCRIPTS = [
    pytest.param("make_stubs.py", "_library.pyi", ("-> bool", "-> int"), id="make_stubs"),
    pytest.param("make_option_stubs.py", "_zsock_functions.pyi", ("-> int", "-> str"), id="make_option_stubs"),
    pytest.param("make_option_stubs.py", "_zsockopt_functions.pyi", ("-> int", "-> str"), id="make_option_stubs, old"),
    pytest.param("make_option_stubs.py", "_cdef/zsocket.h", ("int zsocket_tos", "long zsocket_tos"), id="declarations"),
]


def run(script: Path, *arguments: str) -> tuple[int, str]:
    """Run a script; return its status and its output."""
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.mark.parametrize("script", ["make_stubs.py", "make_option_stubs.py"])
def test_generated_files_are_up_to_date(script: str) -> None:
    """After a change of a header or of the table of socket options, run the script."""
    assert run(ROOT / "scripts" / script, "--check") == (0, "")


@pytest.mark.parametrize(("script", "name", "change"), SCRIPTS)
def test_outdated_file_is_found_and_written(script: str, name: str, change: tuple[str, str], tmp_path: Path) -> None:
    """A generated file that is missing or differs by one word is named by --check, and written without it."""
    for folder in ("scripts", "pyczmq"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    copy, path = tmp_path / "scripts" / script, tmp_path / "pyczmq" / name
    right = path.read_text(encoding="utf-8")
    path.write_text(right.replace(*change, 1), encoding="utf-8")
    named = str(Path("pyczmq", name))
    assert run(copy, "--check") == (1, f"{named} is out of date\n")
    assert run(copy) == (0, f"wrote {named}\n")
    assert path.read_text(encoding="utf-8") == right
    if path.suffix == ".pyi":
        path.unlink()
        assert run(copy, "--check") == (1, f"{named} is out of date\n")
        assert run(copy) == (0, f"wrote {named}\n")
    assert run(copy, "--check") == (0, "")


@pytest.mark.parametrize(
    ("name", "stub"),
    [
        ("zframe_new", "(_, data: CData | bytes, size: int, /) -> Frame"),
        ("zframe_destroy", "(_, self_p: CData, /) -> None"),
        ("zframe_eq", "(_, self: Frame | CData, other: Frame | CData, /) -> bool"),
        ("zframe_fprint", "(_, self: Frame | CData, prefix: CData | bytes, file: CData | IO[Any], /) -> None"),
        ("zstr_sendf", "(_, dest: CData | bytes, format: CData | bytes, /, *args: CData) -> int"),
        ("zrex_hit", "(_, self: Rex | CData, index: int, /) -> CData"),
        ("zmq_version", "(_, major: CData, minor: CData, patch: CData, /) -> None"),
        ("zmq_poll", "(_, items: PollItem | CData, nitems: int, timeout: int, /) -> int"),
        (
            "zloop_timer",
            "(_, self: Loop | CData, delay: int, times: int, handler: CData | Callable[..., Any], "
            "arg: CData | bytes, /) -> int",
        ),
        ("zctx_new", "(_, /) -> Ctx"),
        ("ztrie_new", "(_, delimiter: bytes, /) -> Trie"),
    ],
)
def test_a_prototype_becomes_a_method(name: str, stub: str) -> None:
    """Integers, pointers, text, callbacks and variadic parts get the types that cffi takes and gives."""
    lines = (ROOT / "pyczmq" / "_library.pyi").read_text(encoding="utf-8").splitlines()
    assert f"    def {name}{stub}: ..." in lines
