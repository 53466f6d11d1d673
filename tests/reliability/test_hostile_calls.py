"""Hostile calls: whatever a public function is given, the interpreter survives, and goes on to exit as it should."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import children
import hostile
import hostile_targets
import netns
import pytest

import pyczmq

HERE = Path(hostile.__file__).resolve()

#: Rounds of the short form and of the long one: each calls everything once.
ROUNDS = 1, 14

#: Keepers that share the batches: their children wait, or end, most of the time.
KEEPERS = 2

SEED = 205


def test_nothing_public_is_left_out(figure: Callable[[str], None]) -> None:
    """All that the namespaces and the objects offer is called, but for what is excluded by name."""
    targets = {target.name for target in hostile_targets.targets()}
    functions = {id(target.function) for target in hostile_targets.targets()}
    methods = {(target.owner, target.function) for target in hostile_targets.targets()}
    for module in hostile_targets.namespaces():
        short = module.__name__.rpartition(".")[2]
        for name in dir(module):
            thing = getattr(module, name, None)
            if name.startswith("_") or not callable(thing) or isinstance(thing, pyczmq.ffi.CData):
                continue
            if str(thing.__module__).startswith("pyczmq") and f"{short}.{name}" not in hostile_targets.EXCLUDED:
                assert id(thing) in functions, f"{short}.{name}"
    for short, cls in hostile_targets.classes():
        assert short in targets or id(cls) in functions
        for name in dir(cls):
            if not name.startswith("_") and not hasattr(object, name):
                known = f"{short}.{name}" in targets or (cls, getattr(cls, name)) in methods
                assert known or _is_pythons(cls, name), f"{short}.{name}"
    for name in hostile_targets.EXCLUDED:
        module_name, _, function = name.partition(".")
        assert callable(getattr(getattr(pyczmq, module_name), function))
    assert len(hostile_targets.EXCLUDED) < 10
    figure(f"{len(targets)} targets; {len(hostile_targets.EXCLUDED)} excluded: {', '.join(hostile_targets.EXCLUDED)}")


def _is_pythons(cls: type, name: str) -> bool:
    """Tell whether Python itself has made an attribute."""
    where = next(base for base in cls.__mro__ if name in vars(base))
    return where.__module__ in ("builtins", "enum", "typing")


_ONE_CALL = """
import json, os, signal
import hostile, hostile_arguments, hostile_targets
hostile.HANG = 3
def bad():
    {body}
report = hostile.one_batch(hostile.parser().parse_args([]), [hostile_targets.Target("a.call", bad, ())], 0)
print(json.dumps(hostile.asdict(report)))
"""


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("pass", ""),
        ("raise ValueError", ""),
        ("os.abort()", "ended with status -6, in a.call()"),
        ("os._exit(0)", "ended before its calls did, in a.call()"),
        ("os._exit(3)", "ended with status 3, in a.call()"),
        ("os.write(2, b'Assertion failed: x')", "printed 'Assertion failed: x'"),
        ("os.write(2, b'Exception ignored in: x')", "printed 'Exception ignored in: x'"),
        ("os.kill(os.getpid(), signal.SIGSTOP)", "hangs, in a.call()"),
        ("raise SystemError('as cffi has it')", "SystemError: as cffi has it from a.call()"),
        ("raise AttributeError('x')", "AttributeError: x from a.call()"),
        ("raise AssertionError", "AssertionError:  from a.call()"),
    ],
)
def test_what_goes_wrong_is_told_with_the_call(body: str, problem: str) -> None:
    """The harness notices a death, a hang, an assertion, a wrong exit and a wrong exception."""
    program = _ONE_CALL.replace("{body}", body)
    done = children.run(program, PYTHONPATH=str(HERE.parent))
    report = json.loads(done.output)
    told = "; ".join(problems_in(report))
    assert told.startswith(problem) and bool(told) == bool(problem), done


def problems_in(report: dict[str, Any]) -> list[str]:
    """Say what has gone wrong in a batch, and how to see it again."""
    again = f"again: python {HERE.name} --networked --seed {SEED} --batch {report['batch']} --verbose"
    found = [f"{finding}\n{again}" for finding in report["findings"]]
    if report["problem"]:
        what = f"{report['problem']}, in {report['call']} ({report['mode']})"
        found.append(f"{what}\n{again}\n{report['errors'][-1500:]}")
    return found


@pytest.mark.timeout(300)
def test_hostile_calls(amount: Callable[[Any, Any], Any], figure: Callable[[str], None]) -> None:
    """Everything public, called with hostile arguments: no child dies, hangs, or prints an assertion."""
    shared = ["--seed", str(SEED), "--rounds", str(amount(*ROUNDS)), "--step", str(KEEPERS)]
    with contextlib.ExitStack() as sandboxes, concurrent.futures.ThreadPoolExecutor(KEEPERS) as pool:
        commands = [
            [*sandboxes.enter_context(sandbox()), sys.executable, str(HERE), *shared, "--first", str(first)]
            for first in range(KEEPERS)
        ]
        reports = [report for kept in pool.map(keep, commands) for report in kept]
    problems = [problem for report in reports for problem in problems_in(report)]
    assert not problems, "\n\n".join(problems)
    raised: collections.Counter[str] = collections.Counter()
    modes: collections.Counter[str] = collections.Counter()
    for report in reports:
        raised.update(report["raised"])
        modes[report["mode"]] += report["calls"]
    calls, waited = sum(modes.values()), sum(report["waited"] for report in reports)
    assert calls >= amount(len(hostile_targets.targets()), 50_000)
    how = ", ".join(f"{number} {mode}" for mode, number in sorted(modes.items()))
    what = ", ".join(f"{number} {name}" for name, number in raised.most_common(6))
    figure(
        f"{calls} calls in {len(reports)} processes ({how}), "
        f"of which {waited} waited until they were interrupted; {what}"
    )


def keep(command: list[str]) -> list[dict[str, Any]]:
    """Run a keeper, which is to come to its end, and return what it reports."""
    if not netns.unavailable():
        command = [*command, "--networked"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, reports[-1:]
    return reports


@contextlib.contextmanager
def sandbox() -> Iterator[list[str]]:
    """Yield the start of a command line that runs a command where it can do no harm, as far as that can be had.

    That is a network namespace of its own, and where we may mount, one in which all file systems are read-only but for
    a temporary folder.
    """
    folder = tempfile.mkdtemp(prefix="hostile-calls-")
    environment = ["env", f"TMPDIR={folder}", "PYTHONDONTWRITEBYTECODE=1", "PYTHONHASHSEED=0"]
    try:
        if netns.unavailable():
            # Without one, nothing that broadcasts is called, and there are no endpoints but this machine's.
            yield environment
            return
        with netns.network() as (host, _):
            yield [*host.command(*_read_only(folder)), *environment]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read_only(folder: str) -> list[str]:
    """Return what starts a command with all file systems read-only, but for a folder."""
    unshare = ["unshare", "--mount", "--propagation", "private"]
    if os.geteuid() != 0 or subprocess.run([*unshare, "true"], stderr=subprocess.DEVNULL).returncode != 0:
        return []
    script = (
        f'mount -t tmpfs none "{folder}" && cut -d" " -f2 /proc/self/mounts | sort -u | while read -r where; do '
        f'case "$where" in /proc*|/sys*|/dev*|"{folder}") ;; '
        '*) mount -o remount,bind,ro "$where" 2>/dev/null || : ;; esac; done; exec "$@"'
    )
    return [*unshare, "sh", "-c", script, "sh"]
