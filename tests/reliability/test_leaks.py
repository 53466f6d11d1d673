"""Nothing leaks: cycles of everything, 100,000 of each in the long form, leave no memory, descriptor or thread behind.

The cycles are in the package `cycles`, which runs them in child processes: `cycles.measure` says how it measures. In
the short form a few hundred of each do on CPython, where what malloc has handed out is told to the byte. On PyPy, whose
garbage collector has blocks of its own in there, the short form counts descriptors, threads and entries of tables
exactly, and memory coarsely.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import children
import cycles
import netns
import pytest
from cycles import measure

from pyczmq import _declarations

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is measured by way of /proc")

HERE = str(Path(__file__).parent)
PYPY = platform.python_implementation() == "PyPy"

PROGRAM = f"import sys; sys.path.insert(0, {HERE!r}); from cycles import measure; measure.main()"

#: One arena, and no caches: malloc's numbers then tell what is in use, to the byte. So do CPython's own objects.
ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    "PYTHONMALLOC": "malloc",
}
if os.path.isdir("/dev/shm"):
    # A disk would be what is waited for.
    ENVIRONMENT["TMPDIR"] = "/dev/shm"

#: Bytes a cycle that are a leak: malloc's smallest block takes 32, the smallest of CPython's own 16.
LIMIT = 8.0

#: The short form. Few cycles say little of resident memory, and on PyPy of the rest.
SHORT: dict[str, Any] = {
    "cycles": 50 if PYPY else 200,
    "seconds": 0.005 if PYPY else 0.02,
    "windows": 1 if PYPY else 5,
    "resident": 1e9,
    "used": 4096.0 if PYPY else LIMIT,
    "together": PYPY,
    "noise": 2e6 if PYPY else 4096.0,
}

#: The long form: resident memory, over so many windows. On PyPy that is the collector's to say; what malloc has
#: handed out moves with its blocks.
LONG: dict[str, Any] = {
    "cycles": cycles.LONG,
    "seconds": cycles.LONGEST,
    "windows": 16,
    "resident": LIMIT,
    "used": 1e9 if PYPY else LIMIT,
    "noise": 262_144.0,
}

#: Processes at a time: many cycles wait for threads most of the time.
AT_ONCE = 4

ALL = (*cycles.GROUPS, *cycles.BROADCASTS)


def run(group: str, options: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    """Run cycles of a group in a child process and return what it reports; a child that dies names the cycle."""
    command = [*children.python(), PROGRAM, group, json.dumps(options), *names]
    if group in cycles.BROADCASTS:
        with netns.network() as (host, _):
            done = _run(host.command(*command))
    else:
        done = _run(command)
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != 0 or "called" not in (reports or [{}])[-1]:
        begun = [report["begin"] for report in reports if "begin" in report]
        pytest.fail(f"{group}: the child ended with {done.returncode} in {begun[-1:]}\n{done.stderr}")
    return reports


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env={**os.environ, **ENVIRONMENT}, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )


def names(group: str) -> list[str]:
    """Return the names of a group's cycles."""
    return [report["begin"] for report in run(group, {"list": True}) if "begin" in report]


def check(reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Check that no cycle has failed or leaks, and return what was measured."""
    found = [report for report in reports if "cycle" in report]
    failed = [f"{report['cycle']}: {report['error']}" for report in found if "error" in report]
    assert not failed, "\n".join(failed)
    leaking = [
        f"{report['cycle']}: {report['growth']} in {report['looks']} looks" for report in found if report["leaks"]
    ]
    assert not leaking, "\n".join(leaking)
    return found


# A few seconds each, on a machine that has nothing else to do.
@pytest.mark.timeout(240)
@pytest.mark.parametrize("group", ALL)
def test_cycles_leave_nothing_behind(
    group: str, amount: Callable[[Any, Any], Any], figure: Callable[[str], None]
) -> None:
    """Memory, descriptors, threads and pyczmq's own tables are after many cycles what they were after a few."""
    if group in cycles.BROADCASTS and netns.unavailable():
        pytest.skip(netns.unavailable())
    options = amount(SHORT, LONG)
    if options is SHORT:
        found = check(run(group, options))
    else:
        # A process for each: what one has left behind would blur the next.
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            reports = list(pool.map(lambda name: run(group, options, name), names(group)))
        found = check([report for each in reports for report in each])
    assert len(found) >= 10
    counts = sorted(report["cycles"] for report in found)
    worst = max(found, key=lambda report: report["growth"]["resident"])
    figure(
        f"{len(found)} kinds of cycles, {sum(counts):,} in all, {counts[0]:,} to {counts[-1]:,} of each, in "
        f"{sum(report['seconds'] for report in found):.0f} s; resident memory grows by at most "
        f"{worst['growth']['resident']:.1f} bytes a cycle ({worst['cycle']})"
    )
    for report in found:
        if report["cycles"] < options["cycles"] * 9 // 10 and options is LONG:
            figure(f"{report['cycle']}: {report['cycles']:,} cycles of {report['each'] * 1000:.1f} ms")


# ---------------------------------------------------------------- the tests' tests

MEMORY = ("16 bytes of C's", "an object of Python's", "a frame of the raw floor")
COUNTED = ("a descriptor now and then", "a thread now and then", "an entry of a table now and then")


def leaks(options: dict[str, Any], *names: str) -> dict[str, bool]:
    """Return which of the cycles that leak on purpose are found to leak."""
    found = [report for report in run("calibration", options, *names) if "cycle" in report]
    failed = [report["error"] for report in found if "error" in report]
    assert not failed, failed
    return {report["cycle"]: report["leaks"] for report in found}


@pytest.mark.timeout(240)
def test_the_long_form_notices_a_leak_of_a_few_bytes(figure: Callable[[str], None]) -> None:
    """By resident memory alone it tells a leak of 16 bytes, at 100,000 cycles, from none."""
    options = {**LONG, "seconds": 10.0, "used": 1e9}
    # One does on PyPy, whose collector takes its time.
    leaking = MEMORY[:1] if PYPY else MEMORY
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        reports = list(pool.map(lambda name: run("calibration", options, name), ("nothing", *leaking)))
    found = {report["cycle"]: report for each in reports for report in each if "cycle" in report}
    assert {name: report["leaks"] for name, report in found.items()} == {
        "nothing": False,
        **dict.fromkeys(leaking, True),
    }
    for name, report in found.items():
        figure(f"{name}: {report['growth']['resident']:.1f} bytes a cycle, in {report['cycles']:,} cycles")


def test_the_short_form_notices_what_it_counts() -> None:
    options = {**SHORT, "together": False}
    expected = {"nothing": False, **dict.fromkeys(COUNTED, True)}
    if not PYPY:
        expected.update(dict.fromkeys(MEMORY, True))
    # Quickly: what is counted need not be waited for, as it will not go.
    assert leaks({**options, "patience": 0.05}, *expected) == expected


def test_a_group_at_once_notices_what_it_counts() -> None:
    """So does the short form of PyPy, which looks at a whole group before it looks at each cycle."""
    found = leaks({**SHORT, "together": True, "patience": 0.05})
    assert {name for name, leaking in found.items() if leaking} >= set(COUNTED)
    assert not found["nothing"]


#: What starts or ends something, sends it or receives it.
VERBS = re.compile(r"(new|destroy|dup|load|unpack|decode|recv|send|slurp|shadow|close|init|term|msg_|\w+_new)")

#: What has no cycle, and why.
WITHOUT_CYCLE = {
    "zsys.init": "once a process",
    "zsys.shutdown": "once a process: it ends CZMQ's context",
    "zctx.shadow_pyzmq_ctx": "needs PyZMQ on the system's libzmq",
    "zsocket.shadow_pyzmq_socket": "needs PyZMQ on the system's libzmq",
    "zgossip.load": "C's actor cannot forget what it has loaded",
    "zsock.new_dgram_checked": "C has it in every library, and DGRAM sockets only in one with drafts",
    "zsys.daemonize": "once a process",
    "zsys.run_as": "once a process",
}


@pytest.mark.timeout(240)
@pytest.mark.skipif(PYPY, reason="the cycles, and the functions that they must go through, are CPython's")
def test_every_constructor_destructor_send_and_receive_has_a_cycle(figure: Callable[[str], None]) -> None:
    """What the namespaces and the objects have is found by looking at them; what cycles call, by having it noted."""
    if netns.unavailable():
        pytest.skip(netns.unavailable())
    called: set[str] = set()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for reports in pool.map(lambda group: run(group, {"record": True}), ALL):
            assert not [report for report in reports if "error" in report], reports
            called.update(reports[-1]["called"])
    everything = measure.functions()
    wanted = {name for name in everything if _matters(name)}
    missing = wanted - called - set(WITHOUT_CYCLE)
    assert not missing, sorted(missing)
    assert not set(WITHOUT_CYCLE) - set(everything), "these are no functions any more"
    figure(f"cycles go through {len(called)} of the {len(everything)} functions and methods that this library has")


def _matters(name: str) -> bool:
    """Tell whether a function or method makes, ends, sends or receives something, with the loaded library."""
    namespace, _, function = name.rpartition(".")
    if not namespace.startswith(("types", "aio")):
        c_name = f"{namespace}_{function.rstrip('_')}"
        if c_name in _declarations.functions() and not cycles.has(c_name):
            return False
        return bool(VERBS.match(function)) and not any(draft in name for draft in DRAFT_NAMESPACES)
    return name.count(".") == 1 or bool(re.match(r"close$|send|recv|signal|wait", function))


#: Namespaces that only libraries with drafts have.
DRAFT_NAMESPACES = () if cycles.has("zosc_new") else ("zosc", "zproc", "zargs", "ztrie", "ztimerset", "zhttp")
