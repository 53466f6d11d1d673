"""What zhash and zhashx have in common: tables whose keys are strings to C, whatever they are to Python."""

from __future__ import annotations

from . import _containers, _keeper, _packed, _stores, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._stores import Call, Destructor, Duplicator
    from ._types import CData, Text

_CHARS = ffi.typeof("char *")
_NULL = ffi.NULL
_VERBS = ("comment", "cursor", "delete", "first", "insert", "keys", "lookup", "new", "next", "rename", "size", "update")


class Verbs:
    """C's functions for one of the two classes."""

    __slots__ = (*_VERBS, "ctype", "free")

    ctype: Any
    free: Callable[[CData], None]

    def __init__(self, ctype: Any, prefix: str, **others: Any) -> None:
        self.ctype = ctype
        self.free = _containers.free
        for verb in _VERBS:
            setattr(self, verb, others.get(verb) or getattr(C, f"{prefix}_{verb}"))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Return one of the verbs."""


class Table(_stores.Store):
    """What goes with one hash."""

    __slots__ = ("duplicator", "file", "key_duplicator")

    noun = "hash"
    verbs: Verbs

    def __init__(self) -> None:
        super().__init__()
        self.file = _packed.File()
        self.duplicator: Duplicator | None = None
        self.key_duplicator: Duplicator | None = None

    def find(self, key: Any, name: str = "key") -> bytes | None:
        """Return the string that stands for a key in C; None if there is no such key for sure."""
        return _text.cstring(key, name)

    def make(self, key: Any, kept: Any) -> bytes:
        """Return the string that is to stand for a new key in C, and remember what is kept for it."""
        return _text.cstring(key, "key")

    def named(self, name: bytes) -> Any:
        """Return the key that a string of C's stands for."""
        return _text.decode(name)

    def forget(self, name: bytes) -> list[Call]:
        """Forget a key that has gone; return the calls that are due."""
        return []


def own(store: Table) -> Any:
    """Return a handle for a new hash."""
    return _stores.own(store.verbs.new(), store.verbs.free, store)


def find(hash: Any, kind: type[Table]) -> Any:
    """Return the store of a hash that is alive."""
    return _keeper.find(hash, kind.verbs.ctype, "hash", kind)


def change(hash: Any, kind: type[Table]) -> Any:
    """Return the store of a hash that is alive and can be changed now."""
    store = find(hash, kind)
    _stores.change(store)
    return store


# ---------------------------------------------------------------- items


def _add(hash: Any, store: Table, key: Any, item: Any) -> None:
    """Add an item under a key that is not there."""
    kept = _stores.duplicate(store, store.key_duplicator, key, "key")
    item = _stores.duplicate(store, store.duplicator, item)
    pointer = store.put(item)
    _put(hash, store, store.make(key, kept), item, pointer)


def _put(hash: Any, store: Table, name: bytes, item: Any, pointer: CData) -> CData:
    """Have C keep a pointer under a key; return what it keeps: another one if it made a copy."""
    verbs = store.verbs
    verbs.update(hash, name, pointer)
    inside: CData = verbs.lookup(hash, name)
    if store.copied(pointer, inside) and not isinstance(item, (str, bytes)):
        verbs.delete(hash, name)
        _stores.run(store.forget(name))
        raise TypeError(f"item of a hash of strings must be str or bytes, not {type(item).__name__}")
    return inside


def insert(hash: Any, store: Table, key: Any, item: Any) -> int:
    """Add an item under a new key; return 0, or -1 if the key is there."""
    name = store.find(key)
    _stores.check(item)
    if name is not None and store.verbs.lookup(hash, name):
        return -1
    _add(hash, store, key, item)
    return 0


def update(hash: Any, store: Table, key: Any, item: Any) -> None:
    """Add an item, or replace the one that the key has."""
    name = store.find(key)
    _stores.check(item)
    old = _NULL if name is None else store.verbs.lookup(hash, name)
    if name is None or not old:
        _add(hash, store, key, item)
        return
    item = _stores.duplicate(store, store.duplicator, item)
    pointer = store.put(item)
    # The function that is to be called for the old item stays with the key, as in C.
    known = store.items.get(old)
    free: Destructor | None = None if known is None else known.free
    gone = store.drop(old)
    inside = _put(hash, store, name, item, pointer)
    if free is not None:
        store.watch(inside, free)
    if gone is not None:
        _stores.run(store.farewell(gone))


def delete(hash: Any, store: Table, key: Any) -> None:
    """Remove the item under a key, if it is there."""
    name = store.find(key)
    old = _NULL if name is None else store.verbs.lookup(hash, name)
    if name is None or not old:
        return
    store.verbs.delete(hash, name)
    gone = store.drop(old)
    _stores.run([*(() if gone is None else store.farewell(gone)), *store.forget(name)])


def lookup(hash: Any, store: Table, key: Any) -> Any:
    """Return the item under a key; None if it is not there."""
    name = store.find(key)
    return None if name is None else store.get(store.verbs.lookup(hash, name))


def rename(hash: Any, store: Table, old_key: Any, new_key: Any) -> int:
    """Move an item to a new key; return 0, or -1 if there is no such item, or one under the new key."""
    verbs = store.verbs
    name = store.find(old_key, "old_key")
    other = store.find(new_key, "new_key")
    if name is None or not verbs.lookup(hash, name) or (other is not None and verbs.lookup(hash, other)):
        return -1
    fresh = store.make(new_key, _stores.duplicate(store, store.key_duplicator, new_key, "key"))
    rc: int = verbs.rename(hash, name, fresh)
    _stores.run(store.forget(name))
    return rc


def freefn(hash: Any, store: Table, key: Any, free: Destructor | None) -> Any:
    """Have a callable told when the item under a key goes; return the item, None if it is not there."""
    name = store.find(key)
    pointer = _NULL if name is None else store.verbs.lookup(hash, name)
    if not pointer:
        return None
    value = store.get(pointer)
    store.watch(pointer, free)
    return value


# ---------------------------------------------------------------- going through


def _cast(pointer: CData) -> CData:
    text: CData = ffi.cast(_CHARS, pointer)
    return text


def cursor(hash: Any, store: Table) -> Any:
    """Return the key at the cursor; None if it is at none."""
    pointer = store.verbs.cursor(hash)
    return store.named(ffi.string(_cast(pointer))) if pointer else None


def seek(hash: Any, store: Table, name: bytes) -> None:
    """Go through the hash up to a key of C's."""
    verbs = store.verbs
    verbs.first(hash)
    for _ in range(verbs.size(hash)):
        if ffi.string(_cast(verbs.cursor(hash))) == name:
            break
        verbs.next(hash)


def entries(hash: Any, store: Table) -> list[tuple[bytes, CData]]:
    """Return the keys of C's and the pointers that they have; the cursor stays where it is, if it is at an item."""
    verbs = store.verbs
    here = verbs.cursor(hash)
    name = ffi.string(_cast(here)) if here else None
    found = []
    step = verbs.first
    for _ in range(verbs.size(hash)):
        pointer = step(hash)
        found.append((ffi.string(_cast(verbs.cursor(hash))), pointer))
        step = verbs.next
    if name is not None:
        seek(hash, store, name)
    return found


def items(hash: Any, store: Table) -> list[tuple[Any, Any]]:
    """Return the keys and items."""
    return [(store.named(name), store.get(pointer)) for name, pointer in entries(hash, store)]


def strings(hash: Any, store: Table) -> dict[str, str]:
    """Return the keys and items, which must be strings."""
    return {text(store.named(name)): store.text(pointer) for name, pointer in entries(hash, store)}


def text(key: Any) -> str:
    """Return a key that must be a string."""
    return _text.decode(_text.encode(key, "each key"))


def keys(hash: Any, store: Table) -> list[Any]:
    """Return the keys."""
    return [store.named(_text.encode(name)) for name in _containers.take_strings(store.verbs.keys(hash))]


# ---------------------------------------------------------------- frames and files


def comment(hash: Any, store: Table, given: Text | None) -> None:
    """Add a line of comment, or delete all."""
    if given is None:
        store.verbs.comment(hash, _NULL)
        store.file.comments.clear()
        return
    line = _text.cstring(given, "comment")
    if b"\n" in line:
        raise ValueError("comment must be one line: it must not have a line feed")
    store.verbs.comment(hash, b"%s", ffi.new("char[]", line))
    store.file.comments.append(line)


def load(hash: Any, store: Table, path: bytes) -> int:
    """Add what is in a file; return 0, or -1 with errno set if it cannot be read."""
    pairs = store.file.load(path)
    if pairs is None:
        return -1
    for key, item in pairs.items():
        # What is told of an item that is replaced may destroy the hash.
        update(hash, change(hash, type(store)), key, item)
    return 0


def refresh(hash: Any, store: Table) -> int:
    """Read the file again that was loaded last, in place of all items, if it has changed; return 0 or -1."""
    path = store.file.path
    if path is None or not store.file.changed():
        return 0
    calls = empty(hash, store)
    try:
        return load(hash, store, path)
    finally:
        _stores.run(calls)


def empty(hash: Any, store: Table) -> list[Call]:
    """Remove all items; return the calls that are due."""
    names = [name for name, _ in entries(hash, store)]
    calls = store.clear()
    for name in names:
        store.verbs.delete(hash, name)
    return calls
