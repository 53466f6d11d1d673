"""Cycles: what a program does again and again, each of which must leave nothing behind.

A cycle is a function with no arguments, or a generator function that prepares something, yields such a function, and
cleans up afterwards. The modules of this package have one group of them each. `measure` repeats them, in a child
process, and looks for what grows.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pyczmq import C, _declarations

#: The modules with cycles, by the names of their groups.
GROUPS = ("data", "files", "messages", "transport", "sockets", "callbacks", "actors", "objects", "coroutines")

#: Those that broadcast, and so run in a network namespace of their own.
BROADCASTS = ("beacons",)

#: Cycles of the long form, and the seconds that they may take: what takes longer is repeated less often.
LONG = 100_000
LONGEST = float(os.environ.get("PYCZMQ_SOAK_SECONDS", "600"))

#: After so many cycles the garbage collector runs: those that leave it memory only, those that leave it sockets or
#: descriptors, and those that leave it threads. PyPy's takes some hundred times as long as a cycle.
MEMORY, SOCKETS, THREADS = (10_000, 200, 60) if sys.implementation.name == "pypy" else (1000, 100, 20)

#: A generator function of the second kind.
Prepare = Callable[[], Iterator[Callable[[], object]]]


@dataclass
class Cycle:
    """Something to be repeated."""

    name: str
    prepare: Prepare
    #: After so many of them the garbage collector runs.
    collect: int
    #: Whether PyPy may compile it in the long form.
    compiled: bool = True


#: The cycles of the group that is loaded, by name.
cycles: dict[str, Cycle] = {}


def add(name: str, prepare: Prepare, collect: int = MEMORY, compiled: bool = True) -> None:
    """Add a cycle to the group, unless it is named for a function that the loaded library lacks."""
    assert name not in cycles, name
    named = re.match(r"(z\w+)\.(\w+)", name)
    if named and f"{named[1]}_{named[2]}" in _declarations.functions() and not has(f"{named[1]}_{named[2]}"):
        return
    cycles[name] = Cycle(name, prepare, collect, compiled)


def prepared(name: str, collect: int = MEMORY, compiled: bool = True) -> Callable[[Prepare], Prepare]:
    """Decorate a generator function that prepares a cycle."""

    def decorate(prepare: Prepare) -> Prepare:
        add(name, prepare, collect, compiled)
        return prepare

    return decorate


def simple(name: str, once: Callable[[], object], collect: int = MEMORY) -> None:
    """Add a cycle that needs no preparation."""

    def prepare() -> Iterator[Callable[[], object]]:
        yield once

    add(name, prepare, collect)


def cycle(name: str, collect: int = MEMORY) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Decorate a function that needs no preparation."""

    def decorate(once: Callable[[], object]) -> Callable[[], object]:
        simple(name, once, collect)
        return once

    return decorate


def both(name: str, make: Callable[[], Any], destroy: Callable[[Any], object], collect: int = MEMORY) -> None:
    """Add two cycles: what is made is destroyed, and what is made is left to the garbage collector."""
    simple(f"{name}, destroyed", lambda: destroy(make()), min(10 * collect, MEMORY))
    simple(f"{name}, collected", make, collect)


def has(function: str) -> bool:
    """Tell whether the loaded library has a C function."""
    return hasattr(C, function)


def optional(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function of a namespace if the loaded library has it."""
    namespace = function.__module__.rpartition(".")[2]
    return function(*args) if has(f"{namespace}_{function.__name__}") else None


def load(group: str) -> dict[str, Cycle]:
    """Return the cycles of a group."""
    cycles.clear()
    import_module(f"cycles.{group}")
    return cycles
