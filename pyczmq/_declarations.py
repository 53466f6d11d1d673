"""What pyczmq declares: a light reader of ``_cdef/*.h``, for the coverage page, the stubs and the tests.

The headers are written so that no real parser is needed: a prototype is one line that ends in ``);``, a constant is one
``#define`` of an integer literal, and a comment on a line of its own says what the declarations after it are:
``/* draft */``, ``/* retired */``, ``/* newer than 4.2.1 */``. Until the first of these they are stable.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from . import _build

_MARK = re.compile(r"/\* (draft|retired|newer) ?.*\*/$")
_FUNCTION = re.compile(r"(?!typedef\b)[\w ]+[ *]+(\w+) \(.*\);$")
_VARIABLE = re.compile(r"extern [\w ]+[ *](\w+);$")
_CONSTANT = re.compile(r"#define (\w+) (-?\w+)$")
_TYPEDEF = re.compile(r"typedef [\w *]+?(?:\((\w+)\) \(.*\)|(\w+));$")

#: Headers of no class: what CZMQ exports by accident, and functions of several classes that were renamed.
_OTHERS = ("internal", "renamed")


class Declaration(NamedTuple):
    """A function, a variable or a constant."""

    text: str  #: the prototype without its semicolon, or the constant's value
    header: str  #: the file's name
    state: str  #: stable, draft, newer or retired


def headers(where: Path | None = None) -> list[Path]:
    """Return the headers in the order in which they are parsed."""
    return [Path(path) for path in _build.headers(str(where or _build.HEADERS))]


def _search(pattern: re.Pattern[str], where: Path | None) -> dict[str, Declaration]:
    found = {}
    for path in headers(where):
        state = "stable"
        for line in path.read_text(encoding="utf-8").splitlines():
            mark = _MARK.match(line)
            if mark:
                state = mark[1]
                continue
            match = pattern.match(line)
            if match:
                text = match[2] if pattern is _CONSTANT else line.rstrip(";")
                found[match[1] or match[2]] = Declaration(text, path.name, state)
    return found


def functions(where: Path | None = None) -> dict[str, Declaration]:
    """Return every declared function by name, with its prototype, in the order of the headers."""
    return _search(_FUNCTION, where)


def variables(where: Path | None = None) -> dict[str, Declaration]:
    """Return the variables that libczmq exports."""
    return _search(_VARIABLE, where)


def constants(where: Path | None = None) -> dict[str, Declaration]:
    """Return every constant."""
    return _search(_CONSTANT, where)


def typedefs(where: Path | None = None) -> dict[str, Declaration]:
    """Return the types that are declared on one line: opaque classes, integers and callbacks."""
    return _search(_TYPEDEF, where)


@cache
def classes() -> tuple[str, ...]:
    """Return the names of CZMQ's classes, and zmq, which stands for libzmq: each has a header and a namespace."""
    stems = (path.stem for path in headers() if path.name not in _build.FIRST)
    return tuple(stem for stem in stems if stem not in _OTHERS and not stem.endswith("_v2"))


def class_of(name: str) -> str | None:
    """Return the class of a function or variable; None for what belongs to none, such as `sha1_init`."""
    owners = [owner for owner in classes() if name == owner or name.startswith(f"{owner}_")]
    return max(owners, key=len, default=None)
