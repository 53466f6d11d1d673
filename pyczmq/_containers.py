"""CZMQ's own lists and hashes, as Python's: what C hands out or wants, mostly of strings.

What Python itself keeps in a list or a hash is in _stores.py; `strings` and `mapping` read that, too.
"""

from __future__ import annotations

from . import _handles, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ._types import CData, Hash, List, Text

LIST = ffi.typeof("zlist_t *")
LISTX = ffi.typeof("zlistx_t *")
HASH = ffi.typeof("zhash_t *")
HASHX = ffi.typeof("zhashx_t *")
_CHARS = ffi.typeof("char *")

#: How to go through a container, how to tell where one is, and how to free it.
_VERBS = {
    LIST: (C.zlist_first, C.zlist_next, C.zlist_item, _handles.freer(C.zlist_destroy, "zlist_t *")),
    LISTX: (C.zlistx_first, C.zlistx_next, C.zlistx_cursor, _handles.freer(C.zlistx_destroy, "zlistx_t *")),
    HASH: (C.zhash_first, C.zhash_next, C.zhash_cursor, _handles.freer(C.zhash_destroy, "zhash_t *")),
    HASHX: (C.zhashx_first, C.zhashx_next, C.zhashx_cursor, _handles.freer(C.zhashx_destroy, "zhashx_t *")),
}


def free(container: CData) -> None:
    """Destroy a list or hash that C handed over; what it refers to goes with it only where C has said so."""
    _VERBS[ffi.typeof(container)][3](container)


def decode(item: CData) -> str:
    """Return the text at an item that is known to be a string of C's."""
    return _text.decode(ffi.string(ffi.cast(_CHARS, item)))


def peek(container: CData) -> list[CData]:
    """Return the pointers in a zlist or zlistx, which stays as it is but for its cursor."""
    first, following, _, _ = _VERBS[ffi.typeof(container)]
    found = []
    item = first(container)
    while item:
        found.append(item)
        item = following(container)
    return found


def peek_strings(container: CData) -> list[str]:
    """Return the items of a zlist or zlistx of C's that is known to hold strings; it stays, but for its cursor."""
    return [decode(item) for item in peek(container)]


def take_strings(container: CData) -> list[str]:
    """Return the items of a zlist or zlistx of strings that C hands over, and destroy it; nothing for NULL."""
    if not container:
        return []
    try:
        return peek_strings(container)
    finally:
        free(container)


def peek_mapping(container: CData) -> dict[str, str]:
    """Return the items of a zhash or zhashx of C's that is known to hold strings; it stays, but for its cursor."""
    first, following, cursor, _ = _VERBS[ffi.typeof(container)]
    found = {}
    item = first(container)
    while item:
        found[decode(cursor(container))] = decode(item)
        item = following(container)
    return found


def make_strings(items: Iterable[Text], name: str = "items") -> List:
    """Return a new zlist with C's copies of strings, for C to take over; *name* is the argument's, for the error."""
    # C would take the characters of a single string.
    if isinstance(items, (str, bytes)):
        raise TypeError(f"{name} must be a collection of strings, not {type(items).__name__}")
    texts = [_text.cstring(item, f"each of {name}") for item in items]
    made: List = C.zlist_new()
    C.zlist_autofree(made)
    for text in texts:
        C.zlist_append(made, ffi.new("char[]", text))
    return made


def make_mapping(items: Mapping[Any, Text], name: str = "items") -> Hash:
    """Return a new zhash with C's copies of strings, for C to take over; *name* is the argument's, for the error."""
    texts = [
        (_text.cstring(key, f"each key of {name}"), _text.cstring(item, f"each item of {name}"))
        for key, item in items.items()
    ]
    made: Hash = C.zhash_new()
    C.zhash_autofree(made)
    for key, text in texts:
        C.zhash_update(made, key, ffi.new("char[]", text))
    return made
