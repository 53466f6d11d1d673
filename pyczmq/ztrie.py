r"""ztrie: routes, such as the paths of URLs, in a tree that tells which of them matches a path.

A route consists of tokens behind delimiters; what comes before the first delimiter counts for nothing, and neither does
a delimiter at the end. A token in braces is a regular expression (of the kind that `zrex` has), with names for the
parameters that it finds in front, each with a colon behind it: the first is the value of the first group, or of all
that was matched if there is no group. A last token ``*`` matches whatever comes. Plain tokens are tried first. Only
libraries built with drafts have this class.

    trie = ztrie.new("/")
    ztrie.insert_route(trie, r"/users/{id:\d+}/{first:last:(\a+)-(\a+)}", "a user")
    ztrie.insert_route(trie, "/static/*", "a file")
    assert ztrie.matches(trie, "/users/42/grace-hopper")
    assert ztrie.hit_data(trie) == "a user"
    assert ztrie.hit_parameters(trie) == {"id": "42", "first": "grace", "last": "hopper"}
    assert ztrie.matches(trie, "/static/css/all.css")
    assert ztrie.hit_asterisk_match(trie) == "css/all.css"

The garbage collector owns tries.
"""

from __future__ import annotations

from . import _handles, _text, _trie
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Union

    from ._types import CData, Text, Trie

    Destructor = Union[Callable[[Any], object], CData]

_TRIE = _trie.TRIE
_VOID = ffi.typeof("void *")
_DESTRUCTOR = ffi.typeof("ztrie_destroy_data_fn *")
_NULL = ffi.NULL


def _free(pointer: CData) -> None:
    C.ztrie_destroy(ffi.new("ztrie_t **", pointer))


def new(delimiter: Text = "/") -> Trie:
    """Return a new trie for routes whose tokens are separated by *delimiter*, one byte.

    C: ``ztrie_t *ztrie_new (char delimiter)``
    """
    byte = _text.cstring(delimiter, "delimiter")
    if len(byte) != 1:
        raise ValueError(f"delimiter must be one byte, not {len(byte)}")
    trie = _trie.own(C.ztrie_new(byte), _trie.Routes(byte))
    assert trie is not None
    return trie


def destroy(trie: Trie | None) -> None:
    """Destroy a trie now, and the data of its routes with their destructors; None is let through.

    C: ``void ztrie_destroy (ztrie_t **self_p)``
    """
    _handles.destroy(trie, _TRIE, _free, "trie")


def insert_route(trie: Trie, path: Text, data: Any = None, destroy_data_fn: Destructor | None = None) -> int:
    """Insert a route with any Python object as its data; return 0, or -1 if it is there already or not possible.

    Once the route is removed or the trie destroyed, ``destroy_data_fn(data)`` is called; what it raises comes out of
    the call that did that. If -1 is returned, it is never called. A C function gets a pointer to *data*, a ``void *``.

    Not possible is a route with an empty token, behind a ``*``, or with a last ``*`` beside other tokens. Raises
    ValueError for a path with a brace that is not closed, with an expression that is not valid, has more groups than
    names, or a group that can be left out, or with too many tokens.

    C: ``int ztrie_insert_route (ztrie_t *self, const char *path, void *data, ztrie_destroy_data_fn destroy_data_fn)``
    """
    _live(trie)
    text = _text.cstring(path, "path")
    if isinstance(destroy_data_fn, ffi.CData):
        _handles.live(destroy_data_fn, _DESTRUCTOR, "destroy_data_fn")
        if not isinstance(data, ffi.CData) or ffi.typeof(data) is not _VOID:
            raise TypeError("data must be a void * for a destructor in C")
    elif destroy_data_fn is not None and not callable(destroy_data_fn):
        raise TypeError(f"destroy_data_fn must be callable, not {type(destroy_data_fn).__name__}")
    routes = _trie.find(trie)
    tokens = _trie.tokens(text, routes.delimiter)
    if tokens is None:
        return -1
    expressions = _trie.expressions(tokens)
    number = routes.add(_trie.Route(tokens, data, destroy_data_fn))
    # C has no destructor to call: it would do so in the midst of its work.
    rc = C.ztrie_insert_route(trie, text, ffi.cast("void *", number), _NULL)
    routes.expressions += expressions
    routes.steps.clear()
    if rc == 0:
        routes.keys[_trie.key(tokens)] = number
    else:
        del routes.routes[number]
    return rc


def remove_route(trie: Trie, path: Text) -> int:
    """Remove a route, written as it was inserted, and destroy its data; return 0, or -1 if it is not there.

    A route with a ``*`` at its end is not found, and stays.

    C: ``int ztrie_remove_route (ztrie_t *self, const char *path)``
    """
    _live(trie)
    text = _text.cstring(path, "path")
    routes = _trie.find(trie)
    tokens = _trie.tokens(text, routes.delimiter)
    if tokens is None:
        return -1
    # C crashes when it removes the root and there is nothing else.
    below = routes.delimiter + b"\1"
    alone = not tokens and C.ztrie_insert_route(trie, below, _NULL, _NULL) == 0
    rc = C.ztrie_remove_route(trie, text)
    if alone:
        C.ztrie_remove_route(trie, below)
    if rc == 0:
        routes.remove(tokens)
    return rc


def matches(trie: Trie, path: Text) -> bool:
    """Tell whether a path matches a route; the functions ``hit_…`` tell more about it, until the next call.

    Raises ValueError for a path so long that CZMQ could take very long over it, given the routes' expressions.

    C: ``bool ztrie_matches (ztrie_t *self, const char *path)``
    """
    _live(trie)
    text = _text.cstring(path, "path")
    routes = _trie.find(trie)
    routes.match = None
    parts = _trie.parts(text, routes.delimiter)
    if parts is None:
        return False
    longest = max(map(len, parts), default=0)
    if routes.expressions and routes.takes_too_long(longest):
        raise ValueError(f"path has a part of {longest} bytes, which is too much for the routes' expressions")
    found = C.ztrie_matches(trie, text)
    if found:
        routes.match = parts
        asterisk = C.ztrie_hit_asterisk_match(trie)
        if asterisk:
            routes.remember(_number(trie), asterisk)
    return found


def hit_data(trie: Trie) -> Any:
    """Return the data of the route that was matched last; None if none was, or a route was removed since.

    C: ``void *ztrie_hit_data (ztrie_t *self)``
    """
    if _matched(trie) is None:
        return None
    route = _route(trie)
    return (C.ztrie_hit_data(trie) or None) if route is None else route.data


def hit_parameter_count(trie: Trie) -> int:
    """Return the number of parameters of the route that was matched last; 0 if none was.

    C: ``size_t ztrie_hit_parameter_count (ztrie_t *self)``
    """
    if _matched(trie) is None:
        return 0
    route = _route(trie)
    return C.ztrie_hit_parameter_count(trie) if route is None else sum(len(token.names) for token in route.tokens)


def hit_parameters(trie: Trie) -> dict[str, str | None] | None:
    """Return the parameters of the route that was matched last, by name; None if none was.

    A name with no group of its own, where others have one, has the value None.

    C: ``zhashx_t *ztrie_hit_parameters (ztrie_t *self)``
    """
    parts = _matched(trie)
    if parts is None:
        return None
    # C's own values have remains of former ones at their ends.
    route = _route(trie)
    return {} if route is None else _trie.parameters(route, parts)


def hit_asterisk_match(trie: Trie) -> str | None:
    """Return what the ``*`` at the end of the route stands for, if such a route was matched last, else None.

    C: ``const char *ztrie_hit_asterisk_match (ztrie_t *self)``
    """
    return None if _matched(trie) is None else _text.string(C.ztrie_hit_asterisk_match(trie))


def print(trie: Trie) -> None:
    """Write the tree of tokens to C's standard output, whose buffer is not Python's.

    C: ``void ztrie_print (ztrie_t *self)``
    """
    C.ztrie_print(_live(trie))


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void ztrie_test (bool verbose)``
    """
    from ._selftest import run

    run("ztrie_test", verbose)


def _live(trie: Trie) -> Trie:
    return _handles.live(trie, _TRIE, "trie")


def _matched(trie: Trie) -> list[bytes] | None:
    """Return the parts of the path that was matched last, if its route is there still: C does not look."""
    return _trie.find(_live(trie)).match


def _route(trie: Trie) -> _trie.Route | None:
    """Return the route that was matched last; None for one of the raw floor."""
    return _trie.find(trie).routes.get(_number(trie))


def _number(trie: Trie) -> int:
    """Return what C has as the data of the route that was matched last: the number of one of ours."""
    return int(ffi.cast("uintptr_t", C.ztrie_hit_data(trie)))


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("ztrie")
