"""What of CZMQ and libzmq is reached from Python, class by class: ``python -m pyczmq coverage``."""

from __future__ import annotations

import inspect
import keyword
import os
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from . import _declarations
from ._cffi import C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

_PAGE = """\
# Coverage

What of CZMQ and libzmq is reached from Python, with {libraries}. This page was written by
`python -m pyczmq coverage --markdown`.

- **exported**: functions and variables of the class that the loaded library exports
- **declared**: those that pyczmq declares, for this and for other versions of the library
- **wrapped**: those written for Python in the class's namespace, with their types, checks and documentation
- **aliased**: those reached through the namespace, also what needs no wrapper: actors, which are C functions for
  `zactor.new`, and variables
- **draft**: those that only libraries built with drafts have
- **missing**: those that neither the loaded library has nor pyczmq rebuilds; they say so when they are used

{table}
"""


class Row(NamedTuple):
    """The count of one class."""

    name: str
    exported: int
    declared: int
    wrapped: int
    aliased: int
    draft: int
    missing: int


class Coverage(NamedTuple):
    """The whole count."""

    rows: list[Row]
    undeclared: list[str] | None  #: exported and not declared; None where the libraries' symbols cannot be listed
    unaliased: list[str]  #: declared, of a class, and not in its namespace
    internal: list[str]  #: of no class: what the library exports by accident, reached through C only


# ---------------------------------------------------------------- counting


def alias(name: str, owner: str) -> str:
    """Return the name that a C function or variable of class *owner* has in its namespace."""
    short = name[len(owner) + 1 :] or "actor"
    return f"{short}_" if keyword.iskeyword(short) else short


def count() -> Coverage:
    """Count what there is, with the libraries that are loaded."""
    declared = {**_declarations.functions(), **_declarations.variables()}
    present = {name for name in declared if hasattr(C, name)}
    listed = exported()
    # Where nobody can list the symbols, those that are there are at least these.
    symbols = listed if listed is not None else {name for name in present if declared[name].state != "retired"}
    owners = {name: _declarations.class_of(name) for name in {*declared, *symbols}}
    rows = []
    unaliased = []
    for owner in _declarations.classes():
        namespace = import_module(f"pyczmq.{owner}")
        mine = [name for name in declared if owners[name] == owner]
        wrapped = [name for name in mine if _is_wrapped(namespace, alias(name, owner), declared[name].text)]
        reached = {*wrapped, *(name for name in mine if hasattr(namespace, alias(name, owner)))}
        unaliased += [name for name in mine if name not in reached]
        rows.append(
            Row(
                owner,
                exported=sum(owners[name] == owner for name in symbols),
                declared=len(mine),
                wrapped=len(wrapped),
                aliased=len(reached),
                draft=sum(declared[name].state == "draft" for name in mine),
                missing=sum(name not in present for name in mine),
            )
        )
    return Coverage(
        rows,
        undeclared=None if listed is None else sorted(listed - set(declared)),
        unaliased=unaliased,
        internal=[name for name in declared if owners[name] is None],
    )


def _is_wrapped(namespace: ModuleType, name: str, prototype: str) -> bool:
    """Tell whether a namespace has a function that says that it stands on this prototype."""
    documentation = inspect.getdoc(getattr(namespace, name, None))
    return documentation is not None and documentation.endswith(f"C: ``{prototype}``")


def exported() -> set[str] | None:
    """Return the public symbols of the loaded libraries, or None where they cannot be listed."""
    nm = shutil.which("nm")
    paths = [file(library) for library in ("czmq", "zmq")]
    if nm is None or None in paths:
        return None
    symbols: set[str] = set()
    for path in paths:
        listing = subprocess.run([nm, "-D", "--defined-only", str(path)], capture_output=True, text=True, check=False)
        if listing.returncode:
            return None
        for line in listing.stdout.splitlines():
            kind, name = line.split()[-2:]
            # A name that begins with an underscore is the linker's or C++'s.
            if kind in "TDBRVW" and not name.startswith("_"):
                symbols.add(name.partition("@")[0])
    return symbols


def file(library: str) -> str | None:
    """Return the path of a loaded library, where the system tells; only Linux does."""
    try:
        maps = Path("/proc/self/maps").read_bytes()
    except OSError:
        return None
    for line in maps.splitlines():
        path = os.fsdecode(line.split(None, 5)[-1])
        if os.path.basename(path).startswith(f"lib{library}"):
            return path
    return None


# ---------------------------------------------------------------- showing


def _cells(coverage: Coverage) -> Iterator[tuple[str, ...]]:
    yield ("class", *Row._fields[1:])
    for row in coverage.rows:
        yield (row.name, *map(str, row[1:]))
    yield ("all", *(str(sum(column)) for column in list(zip(*coverage.rows))[1:]))


def _remarks(coverage: Coverage) -> Iterator[str]:
    if coverage.undeclared is None:
        yield "Exported and not declared: unknown, since nothing here lists a library's symbols; exported may be more."
    else:
        yield f"Exported and not declared: {_listed(coverage.undeclared)}"
    yield f"Declared, public and without a namespace alias: {_listed(coverage.unaliased)}"
    yield f"Of no class, reached through C only: {_listed(coverage.internal)}"


def _listed(names: list[str]) -> str:
    return f"{len(names)}: {', '.join(names)}" if names else "0"


def text(coverage: Coverage) -> str:
    """Return the count as a table for a terminal, with the libraries above it."""
    lines = [f"{name:<22}" + "".join(f"{cell:>10}" for cell in cells) for name, *cells in _cells(coverage)]
    return "\n".join([_versions(), "", *lines, "", *_remarks(coverage)])


def markdown(coverage: Coverage) -> str:
    """Return the count as a page of the documentation."""
    head, *rows = _cells(coverage)
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ("---", *["---:"] * (len(head) - 1)), *rows)]
    remarks = "\n".join(f"- {remark}" for remark in _remarks(coverage))
    return _PAGE.format(libraries=_versions(), table="\n".join(lines) + f"\n\n{remarks}")


def _versions() -> str:
    from . import zmq, zsys

    def dotted(numbers: Any) -> str:
        return ".".join(map(str, numbers))

    return f"libczmq {dotted(zsys.version())} and libzmq {dotted(zmq.version())}"
