"""Under valgrind the core leaks nothing and touches nothing that is not its own. CPython only.

A child process runs under valgrind's memcheck, with CPython's objects by malloc and free. What it reports is read as
XML: memory that is definitely lost, a read or write of what is not there (any more), a wrong free, a decision by what
was never set. It is ours if its stack goes through libczmq, libzmq, cffi or libffi, unless `valgrind.supp` says whose
it is, and why. In the short form the child goes through a tour of the core; in the long form it goes through the cycles
of every group, and pytest runs the tests of the core.
"""

from __future__ import annotations

import concurrent.futures
import os
import platform
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cycles
import pytest

HERE = Path(__file__).parent
VALGRIND = shutil.which("valgrind")

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="valgrind runs the tests on Linux"),
    pytest.mark.skipif(platform.python_implementation() != "CPython", reason="valgrind cannot see PyPy's memory"),
    pytest.mark.skipif(VALGRIND is None, reason="valgrind is not installed"),
]

#: What valgrind says of memory that is not a fault: it is in use when the program ends.
IN_USE = {"Leak_StillReachable", "Leak_IndirectlyLost", "Leak_PossiblyLost"}

#: A stack that goes through one of these is of a call that pyczmq has made; others are within the interpreter.
OURS = ("libczmq", "libzmq", "_cffi_backend", "libffi")


class Fault(NamedTuple):
    """An error that valgrind has found: its kind, what it says, and the functions of the stack, innermost first."""

    kind: str
    text: str
    stack: tuple[str, ...]

    def __str__(self) -> str:
        return "\n    ".join([f"{self.kind}: {self.text}", *self.stack[:30]])


def valgrind(report: Path, *command: str, timeout: float) -> tuple[list[Fault], subprocess.CompletedProcess[str]]:
    """Run a command under valgrind; return the faults that it reports, and how the command has ended."""
    done = subprocess.run(
        [
            str(VALGRIND),
            "--leak-check=full",
            "--show-leak-kinds=definite",
            "--num-callers=40",
            # cffi closes the libraries before valgrind looks for what is lost; their functions' names are wanted then.
            "--keep-debuginfo=yes",
            "--xml=yes",
            f"--xml-file={report}.%p",
            f"--suppressions={HERE / 'valgrind.supp'}",
            *command,
        ],
        env={**os.environ, "PYTHONMALLOC": "malloc", "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    faults: list[Fault] = []
    # A child that was forked, or a process that valgrind did not see the end of, has a file of its own.
    for path in report.parent.glob(f"{report.name}.*"):
        faults.extend(parse(path))
    return faults, done


def parse(path: Path) -> list[Fault]:
    """Read one of valgrind's reports, as far as it goes: a child that was forked may have been killed."""
    faults = []
    for error in _errors(path):
        kind = error.findtext("kind", "")
        if kind in IN_USE:
            continue
        text = error.findtext("what") or error.findtext("xwhat/text") or ""
        frames = error.find("stack")
        stack = [] if frames is None else [_frame(frame) for frame in frames.iter("frame")]
        if any(f"({library}" in line for line in stack for library in OURS):
            faults.append(Fault(kind, text, tuple(stack)))
    return faults


def _errors(path: Path) -> list[Any]:
    reader = ET.XMLPullParser()
    reader.feed(path.read_text(encoding="utf-8", errors="replace"))
    return [element for _, element in reader.read_events() if element.tag == "error"]


def _frame(frame: Any) -> str:
    function = frame.findtext("fn") or frame.findtext("ip") or "?"
    return f"{function} ({os.path.basename(frame.findtext('obj') or '?')})"


def check(faults: list[Fault], done: subprocess.CompletedProcess[str]) -> None:
    """Check that a program has ended well and that nothing is wrong."""
    assert done.returncode == 0, done
    assert not faults, "\n\n".join(map(str, faults))


def python(source: str, *arguments: str) -> list[str]:
    """Return the command that runs a program's source text; the interpreter itself, which valgrind must follow."""
    return [os.path.realpath(sys.executable) if _is_shim() else sys.executable, "-c", source, *arguments]


def _is_shim() -> bool:
    with open(sys.executable, "rb") as file:
        return file.read(2) == b"#!"


PROGRAM = """
import gc, os, sys, tempfile
import cycles
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    table = cycles.load(sys.argv[2])
    gc.collect()
    gc.freeze()
    for cycle in table.values():
        preparation = cycle.prepare()
        once = next(preparation)
        for _ in range(int(sys.argv[1])):
            once()
        for _ in preparation:
            raise AssertionError(cycle.name)
    gc.collect()
    os.chdir("/")
"""

#: Processes under valgrind at a time.
AT_ONCE = 2


# Some twenty times as slow as without valgrind, on a machine that may be busy.
@pytest.mark.timeout(240)
def test_the_core_is_clean(tmp_path: Path, amount: Callable[[Any, Any], Any], figure: Callable[[str], None]) -> None:
    """Each cycle of the groups, a few times over, in a process for each group."""
    times, groups = amount((1, ("messages", "transport")), (10, cycles.GROUPS))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        runs = pool.map(
            lambda group: valgrind(tmp_path / group, *python(PROGRAM, str(times), group), timeout=3000), groups
        )
    for faults, done in runs:
        check(faults, done)
    figure(f"the cycles of {', '.join(groups)}, {times} times each: nothing is lost, nothing invalid")


# ---------------------------------------------------------------- the tests' tests, on the raw floor


def test_a_frame_that_leaks_is_definitely_lost(tmp_path: Path) -> None:
    program = "from pyczmq import C; C.zframe_new(b'x' * 100, 100); C.zframe_new(b'y' * 100, 100); C.zframe_new(b'', 0)"
    faults, done = valgrind(tmp_path / "report", *python(program), timeout=60)
    assert done.returncode == 0
    lost = [fault for fault in faults if fault.kind == "Leak_DefinitelyLost"]
    assert any("zframe_new (libczmq" in line for fault in lost for line in fault.stack), faults


def test_a_frame_that_is_read_once_it_was_freed_is_an_invalid_read(tmp_path: Path) -> None:
    program = """
from pyczmq import C, ffi
frame = C.zframe_new(b"content", 7)
data = C.zframe_data(frame)
C.zframe_destroy(ffi.new("zframe_t **", frame))
print(C.zframe_size(frame))
"""
    faults, _ = valgrind(tmp_path / "report", *python(program), timeout=60)
    read = [fault for fault in faults if fault.kind == "InvalidRead"]
    assert any("zframe_size (libczmq" in line for fault in read for line in fault.stack), faults


# ---------------------------------------------------------------- the long form: the suite's core

#: The suite's files that run under valgrind.
SUITE = [
    "test_zframe.py",
    "test_zmsg.py",
    "test_zstr.py",
    "test_zsock.py",
    "test_zsocket.py",
    "test_zchunk.py",
    "test_zlist.py",
    "test_zlistx.py",
    "test_zhash.py",
    "test_zhashx.py",
    "test_zconfig.py",
    "test_zcert.py",
    "test_zpoller.py",
    "test_types_frame.py",
    "test_types_message.py",
]

#: Words in the names of tests that are left out, and why.
LEFT_OUT = {
    "interrupt": "its limits of time are those of a machine of full speed",
    "signal": "as above",
    "ctrl_c": "as above",
    "exit": "it starts processes, which valgrind does not follow",
    "fork": "the child's report would be the parent's, again",
    "selftest": "as exit",
    "own_test": "as exit",
    "can_be_dropped": "it forgets messages, which are lost then",
}


def test_the_suites_core_is_clean(
    tmp_path: Path, request: pytest.FixtureRequest, figure: Callable[[str], None]
) -> None:
    if not request.config.getoption("soak"):
        pytest.skip("the long form only: it takes some twenty minutes")
    folder = HERE.parent
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:faulthandler"),
        *("-o", "addopts=--import-mode=importlib", "-o", "timeout=0", "--rootdir", str(folder.parent)),
        *("-k", " and ".join(f"not {word}" for word in LEFT_OUT)),
        *(str(folder / name) for name in SUITE),
    ]
    faults, done = valgrind(tmp_path / "report", *command, timeout=3400)
    check(faults, done)
    figure(f"{done.stdout.strip().splitlines()[-1]}: nothing is lost, nothing invalid")
