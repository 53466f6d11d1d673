"""Routes behind `ztrie`: how CZMQ takes a path apart, what a route's data are, and what became of the last match.

C takes routes that it crashes over later: one whose brace is not closed, one with more groups than names, the root by
itself. So each is taken apart here first, the way C does it.
"""

from __future__ import annotations

import itertools
import weakref
from typing import NamedTuple

from . import _handles, _slre, _text, zrex
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._types import CData, Trie

#: Tokens that a route may have: C goes through them by recursion.
MOST_TOKENS = 200

#: Steps that a match may take at most, more or less: C cannot be interrupted.
_MOST_STEPS = 1e9

#: Lengths of texts for which the number of steps is remembered.
_MOST_LENGTHS = 1000

TRIE = ffi.typeof("ztrie_t *")

_numbers = itertools.count(1)

_forgetful: bool | None = None


class Token(NamedTuple):
    """A part of a route between two delimiters."""

    text: bytes  #: without braces and names
    names: list[str]
    expression: bool


class Route(NamedTuple):
    """A route that Python has inserted."""

    tokens: list[Token]
    data: Any
    destroy_data: Callable[[Any], object] | None

    def end(self) -> None:
        """Call the destructor of its data."""
        if isinstance(self.destroy_data, ffi.CData):
            self.destroy_data(ffi.new("void **", self.data))
        elif self.destroy_data is not None:
            self.destroy_data(self.data)


class Routes:
    """What goes with one trie; nothing but the trie's handle keeps it alive."""

    __slots__ = ("__weakref__", "asterisks", "delimiter", "expressions", "keys", "match", "routes", "steps")

    def __init__(self, delimiter: bytes) -> None:
        self.delimiter = delimiter
        #: The routes by the numbers that C has for their data, and these by the routes' tokens.
        self.routes: dict[int, Route] = {}
        self.keys: dict[tuple[bytes, ...], int] = {}
        #: The parts of the path that was matched last, until the route may be gone.
        self.match: list[bytes] | None = None
        #: What C has for the asterisk at the end of a route, by the route's number.
        self.asterisks: dict[int, CData] = {}
        #: The expressions of all routes, and how many steps they take, by the length of the text.
        self.expressions: list[_slre.Expression] = []
        self.steps: dict[int, float] = {}

    def __call__(self, pointer: CData) -> None:
        """Do nothing: cffi calls its destructor, which this is to it, when the handle is gone."""

    def __del__(self) -> None:
        # It comes to this in a reference cycle only, with the handle gone and the exception nobody's.
        self.end()

    def add(self, route: Route) -> int:
        """Note a route and return the number for it."""
        number = next(_numbers)
        self.routes[number] = route
        return number

    def takes_too_long(self, length: int) -> bool:
        """Tell whether the expressions may take too long over a part of a path of *length* bytes."""
        if length not in self.steps:
            if len(self.steps) > _MOST_LENGTHS:
                self.steps.clear()
            self.steps[length] = sum(expression.steps(length) for expression in self.expressions)
        return self.steps[length] > _MOST_STEPS

    def remember(self, number: int, asterisk: CData) -> None:
        """Free what C had for a route's asterisk at the match before, and has forgotten."""
        if number in self.routes and _forgets():
            before = self.asterisks.get(number)
            if before is not None and before != asterisk:
                C.zstr_free(ffi.new("char **", before))
            self.asterisks[number] = asterisk

    def remove(self, found: list[Token]) -> None:
        """Forget a route that C has removed, and call the destructor of its data."""
        number = self.keys.pop(key(found), 0)
        self.match = None
        self.asterisks.pop(number, None)
        route = self.routes.pop(number, None)
        if route is not None:
            route.end()

    def end(self) -> None:
        """Call the destructors of all data; raise the first of their exceptions afterwards."""
        routes = list(self.routes.values())
        self.routes.clear()
        self.keys.clear()
        self.asterisks.clear()
        self.match = None
        errors = []
        for route in routes:
            try:
                route.end()
            except BaseException as error:
                errors.append(error)
        if errors:
            raise errors[0]


def _forgets() -> bool:
    """Tell whether C forgets, without freeing it, what the asterisk of a route stood for at the match before."""
    global _forgetful
    if _forgetful is None:
        version = ffi.new("int[3]")
        C.zsys_version(version, version + 1, version + 2)
        _forgetful = tuple(version) <= (4, 2, 1)
    return _forgetful


def own(pointer: CData, routes: Routes) -> Trie | None:
    """Take a trie into the garbage collector's care; None for NULL."""
    reference = weakref.ref(routes)

    def release(pointer: CData) -> None:
        C.ztrie_destroy(ffi.new("ztrie_t **", pointer))
        found = reference()
        if found is not None:
            found.end()

    handle = _handles.own(pointer, release, fork_safe=True, keeper=routes)
    if handle is not None:
        _handles.companions(handle)[Routes] = reference
    return handle  # type: ignore[return-value]


def find(trie: Trie) -> Routes:
    """Return what goes with a trie; ValueError for one of the raw floor, whose delimiter only C knows."""
    reference = (_handles.find_companions(trie) or {}).get(Routes)
    routes: Routes | None = None if reference is None else reference()
    if routes is None:
        raise ValueError("trie was not made by ztrie.new: its delimiter is not known")
    return routes


# ---------------------------------------------------------------- paths


def parts(path: bytes, delimiter: bytes) -> list[bytes] | None:
    """Return the parts of a path to be matched; None if C finds nothing for it: it is empty, or has an empty part."""
    first = path.find(delimiter)
    stop = len(path) - path.endswith(delimiter)
    if not path or first < 0 or stop <= first:
        return [] if path else None
    found = path[first + 1 : stop].split(delimiter)
    return None if b"" in found else found


def tokens(path: bytes, delimiter: bytes) -> list[Token] | None:
    """Return the tokens of a route; None if C finds one that is empty. ValueError for what C must not be given."""
    first = path.find(delimiter)
    stop = len(path) - path.endswith(delimiter)
    if not path:
        raise ValueError("path must not be empty")
    found: list[Token] = []
    if first < 0 or stop <= first:
        return found
    begin = first + 1
    braced = within = False
    names: list[str] = []
    start = begin
    for position in range(begin, stop + 1):
        at_end = position == stop
        byte = path[position : position + 1]
        if byte == delimiter or at_end:
            if within:
                if at_end:
                    raise ValueError("path has a brace that is not closed")
                continue
            text = path[start : position - braced]
            if not text:
                return None
            asterisk = at_end and text.startswith(b"*")
            # Of a token that begins with an asterisk C knows the last byte.
            found.append(Token(path[position - 1 : position] if asterisk else text, names, braced and not asterisk))
            start, braced, names = position + 1, False, []
        elif within and byte == b":":
            names = [*names, _text.decode(path[start:position])]
            start = position + 1
        elif within and byte == b"}":
            within = False
        elif not within and byte == b"{":
            start, braced, within = position + 1, True, True
    if len(found) > MOST_TOKENS:
        raise ValueError(f"path has {len(found)} parts, and there is room for {MOST_TOKENS}")
    return found


def expressions(found: list[Token]) -> list[_slre.Expression]:
    """Return the expressions of a route; ValueError for one that C must not be given."""
    return [_expression(token) for token in found if token.expression]


def _expression(token: Token) -> _slre.Expression:
    shown = repr(_text.decode(token.text))
    rex = zrex.new(token.text)
    if not zrex.valid(rex):
        raise ValueError(f"path has {shown} in it, which is not a valid expression: {zrex.strerror(rex)}")
    expression = _slre.Expression(token.text)
    groups = _groups(expression._tree, shown, False) - 1
    if token.names and groups > len(token.names):
        raise ValueError(f"path has {groups} groups in {shown}, and less names for them")
    return expression


def _groups(node: _slre.Node, shown: str, optional: bool) -> int:
    """Count groups, that around everything too; ValueError for one that may have no part in a match.

    For such a one C takes what it matched in a former text, whose memory is free by now.
    """
    if isinstance(node, _slre.Repeat):
        return _groups(node.node, shown, optional or node.quantifier == ord("?"))
    if not isinstance(node, _slre.Group):
        return 0
    if optional:
        raise ValueError(f"path has {shown} in it, with a group that can be left out")
    optional = len(node.alternatives) > 1
    return 1 + sum(_groups(part, shown, optional) for sequence in node.alternatives for part in sequence)


def key(found: list[Token]) -> tuple[bytes, ...]:
    """Return what C knows a route by."""
    return tuple(token.text for token in found)


def parameters(route: Route, path: list[bytes]) -> dict[str, str | None]:
    """Return the values of a route's parameters in a path that matches it."""
    values: dict[str, str | None] = {}
    # The last ones first, as C has it: a name that comes twice has its last value.
    for token, part in reversed(list(zip(route.tokens, path))):
        if token.names:
            texts = _hits(token.text, part) if token.expression else []
            for name, text in itertools.zip_longest(token.names, texts):
                values.setdefault(name, text)
    return values


def _hits(expression: bytes, part: bytes) -> list[str | None]:
    """Return what the groups of an expression match in a part of a path; without groups, what all of it matches."""
    rex = zrex.new(expression)
    return (zrex.fetch(rex) or [zrex.hit(rex, 0)]) if zrex.matches(rex, part) else []
