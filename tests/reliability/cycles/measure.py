"""Repeat cycles, in a process of their own, and tell what grows: memory, descriptors, threads, pyczmq's own tables.

    python -c "…; measure.main()" GROUP '{"cycles": 100000, "seconds": 600, …}' [CYCLE ...]

What is found out is printed as lines of JSON. Memory counts in two ways. Resident memory is what a user sees. What
malloc has handed out and not got back, by mallinfo2, is exact to the byte, so that a few hundred cycles will do; on
PyPy the garbage collector's own blocks are in it, too. Growth is told from noise by two means: the slope over several
windows is the median of the slopes between any two of them, and what seems to grow is measured anew, with twice as
many cycles, up to four times: what settles down is no leak, and a leak does not settle down.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import inspect
import json
import math
import os
import statistics
import sys
import tempfile
import time
import traceback
import weakref
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import cycles

#: Bytes a cycle: the smallest block that malloc hands out takes 32, and Python's own take 16.
LIMIT = 8.0

#: How often growth must be seen before it is a leak.
LOOKS = 4

#: As many cycles warm everything up.
WARM = 10_000

#: Seconds that threads and sockets have to be gone.
PATIENCE = 10.0

_PAGE = os.sysconf("SC_PAGESIZE") if hasattr(os, "sysconf") else 4096
_PYPY = sys.implementation.name == "pypy"
_TABLES = (dict, list, set, deque, weakref.WeakValueDictionary, weakref.WeakKeyDictionary, weakref.WeakSet)

#: Messages to receive into, used again and again: as many as threads have been in such a call at the same time. And the
#: threads that are in a call at this moment.
_SPARE = {"_messages", "waiting"}
_CACHE = type(functools.lru_cache(maxsize=1)(int))


class _Mallinfo(ctypes.Structure):
    """C's ``struct mallinfo2``."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()  # noqa: SIM905
    ]


_libc = ctypes.CDLL(None)
_trim = getattr(_libc, "malloc_trim", None)
_mallinfo = getattr(_libc, "mallinfo2", None)
if _mallinfo is not None:
    _mallinfo.restype = _Mallinfo


def memory() -> tuple[int, int]:
    """Return the bytes that are resident, and those in use; what malloc keeps for later is given back first."""
    if _trim is not None:
        _trim(0)
    with open("/proc/self/statm", "rb") as file:
        resident = int(file.read().split()[1]) * _PAGE
    if _mallinfo is None:
        return resident, 0
    found = _mallinfo()
    return resident, found.uordblks + found.hblkhd


@functools.cache
def tables(modules: int) -> list[tuple[str, Any, str]]:
    """Return where pyczmq has its tables and caches, once so many modules are loaded: a module and a name in it."""
    return [
        (f"{name}.{key}", module, key)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == "pyczmq"
        for key, value in vars(module).items()
        if not key.startswith("__") and key not in _SPARE and (isinstance(value, _TABLES) or _is_cache(value))
    ]


def counts() -> dict[str, int]:
    """Return how much there is of what can be counted exactly: descriptors, threads, entries of pyczmq's tables."""
    # It is cleared by the hundred; what is left after this is what is still referred to.
    sys.modules["pyczmq._handles"]._forget_spent()
    found = {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": len(os.listdir("/proc/self/task")),
    }
    for name, module, key in tables(len(sys.modules)):
        table = getattr(module, key)
        found[name] = table.cache_info().currsize if _is_cache(table) else len(table)
    return found


def _is_cache(value: object) -> bool:
    return isinstance(value, _CACHE) and hasattr(value, "cache_info")


def grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """Return what there is more of now; tables of modules that were not loaded then do not count."""
    return {key: number - before[key] for key, number in after.items() if number > before.get(key, number)}


def settle(before: dict[str, int] | None) -> dict[str, int]:
    """Let the garbage collector and threads that are ending do their work, and return the counts after that."""
    deadline = time.monotonic() + PATIENCE
    if _PYPY:
        # What is freed here may let go of something else that has to be freed.
        gc.collect()
    while True:
        gc.collect()
        now = counts()
        if before is None or not grown(before, now) or time.monotonic() > deadline:
            return now
        time.sleep(0.001)


def repeat(once: Callable[[], object], times: int, collect: int) -> None:
    """Do something so many times; the garbage collector runs after each *collect* of them."""
    while times > 0:
        for _ in range(min(times, collect)):
            once()
        times -= collect
        if times > 0:
            gc.collect()


def slope(values: Sequence[int]) -> float:
    """Return the median slope between any two of them: neither a step nor a few outliers make much of a difference."""
    return statistics.median(
        (values[last] - values[first]) / (last - first) for last in range(len(values)) for first in range(last)
    )


class Growth(NamedTuple):
    """What a number of cycles have left behind: bytes a cycle, and counts."""

    cycles: int
    resident: float
    used: float
    counts: dict[str, int]


def look(once: Callable[[], object], number: int, windows: int, collect: int) -> Growth:
    """Measure what *number* cycles leave behind, after a fourth of them, or 10,000, to warm up."""
    size = max(1, number // windows)
    # Made beforehand, lest they grow with each window.
    resident, used = array("q", bytes(8 * (windows + 1))), array("q", bytes(8 * (windows + 1)))
    repeat(once, max(size, min(number // 4, WARM)), collect)
    before = settle(None)
    for window in range(windows + 1):
        if window:
            repeat(once, size, collect)
            settle(before)
        resident[window], used[window] = memory()
    return Growth(windows * size, slope(resident) / size, slope(used) / size, grown(before, counts()))


def pace(once: Callable[[], object], collect: int, seconds: float) -> float:
    """Return the seconds that a cycle takes at best, found out within some of *seconds*."""
    number, best, deadline = 1, math.inf, time.perf_counter() + min(seconds / 10, 0.5)
    while time.perf_counter() < deadline or number < 4:
        start = time.perf_counter()
        repeat(once, number, collect)
        best = min(best, (time.perf_counter() - start) / number)
        number = min(2 * number, 1000)
    return best


def together(table: dict[str, cycles.Cycle], options: dict[str, Any]) -> list[dict[str, Any]]:
    """Go through all cycles of a group, twice; one after the other they are watched only if something has grown.

    For a collector that takes its time: it has to run a few times a group, and not a few times a cycle.
    """
    numbers: dict[str, int] = {}

    def once() -> None:
        for name, cycle in table.items():
            preparation = cycle.prepare()
            step = next(preparation)
            if name not in numbers:
                each = pace(step, cycle.collect, options["seconds"])
                numbers[name] = max(1, min(options["cycles"], int(options["seconds"] / each)))
            repeat(step, numbers[name], cycle.collect)
            _finish(cycle, preparation)

    once()
    for looks in range(1, LOOKS + 1):
        start = time.perf_counter()
        before = settle(None)
        used = memory()[1]
        once()
        settle(before)
        left, counted = memory()[1] - used, grown(before, counts())
        if not counted and left < options["noise"]:
            seconds = (time.perf_counter() - start) / len(table)
            return [
                {
                    "cycle": name,
                    "cycles": number,
                    "seconds": seconds,
                    "each": seconds / number,
                    "looks": looks,
                    "leaks": False,
                    "growth": Growth(number, 0.0, 0.0, {})._asdict(),
                }
                for name, number in numbers.items()
            ]
    return [watch(cycle, options) for cycle in table.values()]


def watch(cycle: cycles.Cycle, options: dict[str, Any]) -> dict[str, Any]:
    """Repeat one cycle as often as the options say, and return what there is to report."""
    if _PYPY and options["cycles"] == cycles.LONG and not cycle.compiled:
        import pypyjit

        pypyjit.set_param("off")
    preparation = cycle.prepare()
    once = next(preparation)
    start = time.perf_counter()
    each = pace(once, cycle.collect, options["seconds"])
    number = max(options["windows"], min(options["cycles"], int(options["seconds"] / each)))
    seen: list[Growth] = []
    leaking = False
    while len(seen) < LOOKS:
        seen.append(look(once, number << len(seen), options["windows"], cycle.collect))
        leaking = _grows(seen[-1], options, options["noise"] * 2 ** (len(seen) - 1))
        if not leaking:
            break
    taken = time.perf_counter() - start
    _finish(cycle, preparation)
    return {
        "cycle": cycle.name,
        "cycles": number,
        "seconds": round(taken, 3),
        "each": each,
        "looks": len(seen),
        "leaks": leaking,
        "growth": seen[-1]._asdict(),
    }


def _grows(growth: Growth, options: dict[str, Any], noise: float) -> bool:
    """Tell whether growth is more than the options let through, in bytes a cycle, and more than noise in all."""
    return bool(growth.counts) or any(
        found > options[name] and found * growth.cycles > noise
        for name, found in (("resident", growth.resident), ("used", growth.used))
    )


# ---------------------------------------------------------------- which functions cycles go through


def functions() -> dict[str, tuple[Any, str, Callable[..., Any]]]:
    """Return each public function of the namespaces, and each method of the objects: where it is, and what it is."""
    import pyczmq

    found = {}
    for name in pyczmq.__all__:
        if not name.startswith("z"):
            continue
        module = import_module(f"pyczmq.{name}")
        # Some are made at first use, and a library may lack some.
        for key in dir(module):
            value = getattr(module, key, None)
            if key.startswith("_") or not inspect.isfunction(value) or not _of(name, key, value):
                continue
            found[f"{name}.{key}"] = (module, key, value)
    for floor in (pyczmq.types, pyczmq.aio):
        for name in floor.__all__:
            kind = getattr(floor, name)
            if not inspect.isclass(kind) or issubclass(kind, (int, BaseException)):
                continue
            for key in dir(kind):
                value = inspect.getattr_static(kind, key)
                where = f"{floor.__name__.partition('.')[2]}.{name}"
                if key == "__init__":
                    found[where] = (kind, key, value)
                elif not key.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod)):
                    found[f"{where}.{key}"] = (kind, key, value)
    return found


def _of(namespace: str, key: str, value: Any) -> bool:
    """Tell whether a function is the namespace's own, and no helper that it imports."""
    home = str(value.__module__)
    own = home == f"pyczmq.{namespace}" or home.startswith(f"pyczmq._{namespace}_")
    return own or cycles.has(f"{namespace}_{key.rstrip('_')}")


def record(names: set[str]) -> None:
    """Have each function and method that is called from now on add its name."""
    for name, (where, key, value) in functions().items():
        setattr(where, key, _recording(name, value, names))


def _recording(name: str, value: Any, names: set[str]) -> Any:
    function = value.__func__ if isinstance(value, classmethod) else value

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        names.add(name)
        return function(*args, **kwargs)

    return classmethod(called) if isinstance(value, classmethod) else called


def few(cycle: cycles.Cycle) -> dict[str, Any]:
    """Go through a cycle three times."""
    preparation = cycle.prepare()
    repeat(next(preparation), 3, 1)
    _finish(cycle, preparation)
    return {"cycle": cycle.name}


def _finish(cycle: cycles.Cycle, preparation: Iterator[object]) -> None:
    from pyczmq import _room, _scheduling

    for _ in preparation:
        raise AssertionError(f"{cycle.name} yields twice")
    if _scheduling._process_wide is not None:
        # Names that it has bound are free once libzmq's own thread has come to its sockets.
        _room.await_closing(_scheduling._process_wide)


# ---------------------------------------------------------------- the child's program


def main() -> None:
    """Do what the command line says."""
    global PATIENCE
    group, text, *names = sys.argv[1:]
    options = json.loads(text)
    PATIENCE = options.get("patience", PATIENCE)
    # What C prints is not for us.
    report = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    table = cycles.load(group)
    assert not set(names) - set(table), names
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        called: set[str] = set()
        if options.get("record"):
            record(called)
        gc.collect()
        if hasattr(gc, "freeze"):
            # What Python has loaded need not be looked at each time.
            gc.freeze()
        if options.get("together"):
            for found in together(table, options):
                print(json.dumps(found), file=report)
            table.clear()
        for name in names or table:
            print(json.dumps({"begin": name}), file=report)
            if options.get("list"):
                continue
            try:
                found = few(table[name]) if options.get("record") else watch(table[name], options)
            except Exception:
                found = {"cycle": name, "error": traceback.format_exc()}
            print(json.dumps(found), file=report)
        print(json.dumps({"called": sorted(called)}), file=report)
        os.chdir("/")
