"""zhashx: tables of strings, or of any Python objects, with a duplicator, a destructor, and keys of any kind.

A hash keeps its items alive, and gives back the very objects that were put in. C sees each item as a string: str and
bytes as their text, up to a NUL byte, and anything else as a stand-in; a pointer, such as a socket's handle, it sees as
that pointer. An item that C has put into a hash comes back as a ``void *``, which `zstr.str` reads if it is a string.

Keys are str or bytes with no NUL byte, which are the same to a hash, and come back as str. Once `set_key_hasher` or
`set_key_comparator` has been called for a hash that is still empty, keys are any Python objects, and C sees numbers.

    >>> from pyczmq import zhashx
    >>> ports = zhashx.new()
    >>> zhashx.insert(ports, "http", 80), zhashx.insert(ports, "https", 443), zhashx.insert(ports, "http", 8080)
    (0, 0, -1)
    >>> zhashx.lookup(ports, "http"), zhashx.lookup(ports, "gopher")
    (80, None)
    >>> sorted(zhashx.keys(ports)), sorted(zhashx.values(ports))
    (['http', 'https'], [80, 443])
    >>> squares = zhashx.new()
    >>> zhashx.set_key_hasher(squares, hash)
    >>> zhashx.insert(squares, (1, 4), "white"), zhashx.lookup(squares, (1, 4)), zhashx.first(squares)
    (0, 'white', 'white')
    >>> zhashx.cursor(squares)
    (1, 4)

The callables are Python's and act in the functions of this module: raw calls do not know of them. What they raise comes
out of the call that they were needed for. A hash belongs to one thread at a time, and cannot be changed while a hasher,
comparator or duplicator is at work.
"""

from __future__ import annotations

import sys
from _operator import index

from . import _containers, _hashes, _packed, _stores, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike
    from typing import Any, TypeVar, Union

    from ._stores import Call, Comparator, Destructor, Duplicator, Hasher, Item
    from ._types import CData, Frame, Hashx, Text

    Filename = Union[str, bytes, PathLike[str], PathLike[bytes]]
    Maybe = TypeVar("Maybe", Hashx, None)

_CHARS = ffi.typeof("char *")
_cast = ffi.cast
_string = ffi.string
_UNSIGNED = 2 * sys.maxsize + 1

#: What came up while C was at work with a hash: Ctrl-C.
_interrupted: list[BaseException] = []


def _guarded(verb: str) -> Any:
    """Return a C function that computes hashes, with what comes up meanwhile raised when it is done."""
    call = getattr(C, f"zhashx_{verb}")

    def guarded(*args: Any) -> Any:
        result = call(*args)
        if _interrupted:
            raise _interrupted.pop()
        return result

    return guarded


class _Store(_hashes.Table):
    """What goes with one hash: also the callables, and the keys that are not just strings, by the strings for them."""

    __slots__ = ("destructor", "hasher", "index", "key_comparator", "key_destructor", "keys", "number")

    verbs = _hashes.Verbs(
        _containers.HASHX,
        "zhashx",
        **{verb: _guarded(verb) for verb in ("delete", "insert", "lookup", "rename", "update")},
    )

    def __init__(self) -> None:
        super().__init__()
        self.destructor: Destructor | None = None
        self.key_destructor: Destructor | None = None
        self.key_comparator: Comparator | None = None
        self.hasher: Hasher | None = None
        #: C's string for a key -> what is kept, and its hash.
        self.keys: dict[bytes, tuple[Any, int]] = {}
        #: Hash -> C's strings for the keys that have it.
        self.index: dict[int, list[bytes]] = {}
        self.number = 0

    @property
    def any_keys(self) -> bool:
        """Whether keys are any objects."""
        return self.hasher is not None or self.key_comparator is not None

    def find(self, key: Any, name: str = "key") -> bytes | None:
        """Return the string that stands for a key in C; None if there is no such key for sure."""
        if not self.any_keys:
            return _text.cstring(key, name)
        _stores.check(key, name)
        known = self.index.get(self._hash(key), ())
        place = _stores.position(self, [self.keys[name][0] for name in known], key, self.key_comparator)
        return known[place] if place >= 0 else None

    def _hash(self, key: Any) -> int:
        if self.hasher is None:
            return 0
        result = self.guard(self.hasher, key)
        try:
            return index(result)
        except TypeError:
            raise TypeError(f"a hasher must return an int, not {type(result).__name__}") from None

    def make(self, key: Any, kept: Any) -> bytes:
        """Return the string that is to stand for a new key in C, and remember what is kept for it."""
        if not self.any_keys:
            name = _text.cstring(key, "key")
            if self.key_duplicator is not None or self.key_destructor is not None:
                self.keys[name] = kept, 0
            return name
        number = self._hash(key)
        self.number += 1
        name = b"#%d" % self.number
        self.keys[name] = kept, number
        self.index.setdefault(number, []).append(name)
        return name

    def named(self, name: bytes) -> Any:
        """Return the key that a string of C's stands for."""
        known = self.keys.get(name)
        return _text.decode(name) if known is None else known[0]

    def forget(self, name: bytes) -> list[Call]:
        """Forget a key that has gone; return the key destructor's call."""
        key = self.named(name)
        _, number = self.keys.pop(name, (None, 0))
        known = self.index.get(number)
        if known is not None and name in known:
            known.remove(name)
            if not known:
                del self.index[number]
        return [] if self.key_destructor is None else [(self.key_destructor, key)]

    def farewell(self, item: Item) -> list[Call]:
        """Return the calls that are due when an item goes: the destructor's, or else that of `freefn`."""
        if self.destructor is not None:
            return [(self.destructor, item.value)] * item.count
        return [*super().farewell(item)]

    def clear(self) -> list[Call]:
        """Forget all items and keys; return the destructors' calls that are due."""
        calls = super().clear()
        for name in [*self.keys]:
            calls += self.forget(name)
        return calls


def _hash_of(key: CData) -> int:
    # Any three keys that C's own function gives one hash make the table grow without end: it is easy to find some.
    return hash(_string(_cast(_CHARS, key))) & _UNSIGNED


def _failed(kind: type[BaseException], error: BaseException, traceback: Any) -> int:
    # Under another hash the key would never be found again.
    _interrupted.append(error.with_traceback(traceback))
    return _hash_of(traceback.tb_frame.f_locals["key"])


def new() -> Hashx:
    """Return a new, empty hash with strings for keys.

    The garbage collector owns it, and it stays usable in a forked child.

    C: ``zhashx_t *zhashx_new (void)``
    """
    return _copy((), _Store())


def unpack(frame: Frame) -> Hashx | None:
    """Return a new hash with the strings that `pack` has put into a frame; None if it is not packed so.

    None also if a key comes twice. A frame of less than four bytes gives an empty hash.

    C: ``zhashx_t *zhashx_unpack (zframe_t *frame)``
    """
    return unpack_own(frame, None)


def destroy(hash: Hashx | None) -> None:
    """Destroy the hash now, with its items and keys; None is let through.

    C: ``void zhashx_destroy (zhashx_t **self_p)``
    """
    _stores.destroy(hash, _containers.HASHX, _containers.free, _Store)


def insert(hash: Hashx, key: Any, item: Any) -> int:
    """Add an item under a new key; return 0, or -1 if the key is there: then nothing happens.

    What is kept is what the duplicators, if any, make of item and key.

    C: ``int zhashx_insert (zhashx_t *self, const void *key, void *item)``
    """
    return _hashes.insert(hash, _change(hash), key, item)


def update(hash: Hashx, key: Any, item: Any) -> None:
    """Add an item, or replace the one that the key has, which the destructor is told of.

    What is kept is what the duplicators, if any, make of item and key. What `freefn` has set stays with the key.

    C: ``void zhashx_update (zhashx_t *self, const void *key, void *item)``
    """
    _hashes.update(hash, _change(hash), key, item)


def delete(hash: Hashx, key: Any) -> None:
    """Remove a key and its item; nothing happens if it is not there. The destructors are told.

    C: ``void zhashx_delete (zhashx_t *self, const void *key)``
    """
    _hashes.delete(hash, _change(hash), key)


def purge(hash: Hashx) -> None:
    """Remove all items; the destructors are told of each item and each key.

    C: ``void zhashx_purge (zhashx_t *self)``
    """
    store = _change(hash)
    calls = store.clear()
    C.zhashx_purge(hash)
    _stores.run(calls)


def lookup(hash: Hashx, key: Any) -> Any:
    """Return the item under a key; None if it is not there.

    C: ``void *zhashx_lookup (zhashx_t *self, const void *key)``
    """
    return _hashes.lookup(hash, _find(hash), key)


def rename(hash: Hashx, old_key: Any, new_key: Any) -> int:
    """Move an item to a new key; return 0, or -1 if the old key is not there, or the new one is.

    C: ``int zhashx_rename (zhashx_t *self, const void *old_key, const void *new_key)``
    """
    return _hashes.rename(hash, _change(hash), old_key, new_key)


def freefn(hash: Hashx, key: Any, free_fn: Destructor | None) -> Any:
    """Have a callable told of the item under a key when it is deleted or replaced, or goes with the hash.

    It gets the item, unless there is a destructor for all items. Returns the item, or None if the key is not there.
    None for *free_fn* takes back what was set.

    C: ``void *zhashx_freefn (zhashx_t *self, const void *key, zhashx_free_fn free_fn)``
    """
    return _hashes.freefn(hash, _change(hash), key, _stores.function(free_fn, "free_fn"))


def size(hash: Hashx) -> int:
    """Return the number of items.

    C: ``size_t zhashx_size (zhashx_t *self)``
    """
    _find(hash)
    return C.zhashx_size(hash)


def keys(hash: Hashx) -> list[Any]:
    """Return the keys, in no order.

    C: ``zlistx_t *zhashx_keys (zhashx_t *self)``
    """
    return _hashes.keys(hash, _find(hash))


def values(hash: Hashx) -> list[Any]:
    """Return the items, in no order.

    C: ``zlistx_t *zhashx_values (zhashx_t *self)``
    """
    return [item for _, item in items(hash)]


def first(hash: Hashx) -> Any:
    """Return the first item, in no order, and put the cursor there; None if the hash is empty.

    `items` is the simple way to go through a hash.

    C: ``void *zhashx_first (zhashx_t *self)``
    """
    return _find(hash).get(C.zhashx_first(hash))


def next(hash: Hashx) -> Any:
    """Move the cursor on and return the item there; None after the last.

    In between, the hash should not be changed: items may come twice then, or not at all.

    C: ``void *zhashx_next (zhashx_t *self)``
    """
    return _find(hash).get(C.zhashx_next(hash))


def cursor(hash: Hashx) -> Any:
    """Return the key of the item that was added, looked up or returned by `first` or `next` last, if it is still there.

    C: ``const void *zhashx_cursor (zhashx_t *self)``
    """
    return _hashes.cursor(hash, _find(hash))


def comment(hash: Hashx, comment: Text | None) -> None:
    """Add a line of comment, which is never a format, for `save`; None deletes all comments.

    C: ``void zhashx_comment (zhashx_t *self, const char *format, ...)``
    """
    _hashes.comment(hash, _change(hash), comment)


def save(hash: Hashx, filename: Filename) -> int:
    """Write comments, keys and items to a file of name=value lines; return 0, or -1 with errno set.

    Raises TypeError for a key or item that is not a string, and ValueError for one that could not be read again,
    such as one with a line feed; the file is left alone then.

    C: ``int zhashx_save (zhashx_t *self, const char *filename)``
    """
    return _find(hash).file.save(items(hash), _text.path(filename))


def load(hash: Hashx, filename: Filename) -> int:
    """Add the items in a file of name=value lines to the hash; return 0, or -1 with errno set if it cannot be read.

    Items that have the same keys are replaced. Lines that begin with ``#`` and lines of another form are skipped.

    C: ``int zhashx_load (zhashx_t *self, const char *filename)``
    """
    return _hashes.load(hash, _change(hash), _text.path(filename))


def refresh(hash: Hashx) -> int:
    """Read the file again that `load` read, in place of all items, if it has changed; return 0, or -1.

    That is once it has stayed as it is for five seconds.

    C: ``int zhashx_refresh (zhashx_t *self)``
    """
    return _hashes.refresh(hash, _change(hash))


def pack(hash: Hashx) -> Frame:
    """Return a new frame, which belongs to the caller, with all keys and items, which must be strings.

    Raises TypeError for a key or item that is none, and ValueError for a key of more than 255 bytes or a NUL byte.

    C: ``zframe_t *zhashx_pack (zhashx_t *self)``
    """
    return pack_own(hash, None)


def dup(hash: Maybe) -> Maybe:
    """Return another hash with the same callables, and what the duplicators, if any, make of items and keys.

    None for None. `freefn` and comments are not copied.

    C: ``zhashx_t *zhashx_dup (zhashx_t *self)``
    """
    if hash is None:
        return None
    store = _find(hash)
    copy = _Store()
    copy.destructor = store.destructor
    copy.duplicator = store.duplicator
    copy.key_destructor = store.key_destructor
    copy.key_duplicator = store.key_duplicator
    copy.key_comparator = store.key_comparator
    copy.hasher = store.hasher
    return _copy(items(hash), copy)


def set_destructor(hash: Hashx, destructor: Destructor | None) -> None:
    """Have a callable told of each item that is removed or replaced, or that goes with the hash; None: nobody.

    It gets the item. Items that raw calls have put in are C's affair.

    C: ``void zhashx_set_destructor (zhashx_t *self, zhashx_destructor_fn destructor)``
    """
    _change(hash).destructor = _stores.function(destructor, "destructor")


def set_duplicator(hash: Hashx, duplicator: Duplicator | None) -> None:
    """Have a callable make what is kept for each item that is added, or copied by `dup`; None: the item itself.

    C: ``void zhashx_set_duplicator (zhashx_t *self, zhashx_duplicator_fn duplicator)``
    """
    _change(hash).duplicator = _stores.function(duplicator, "duplicator")


def set_key_destructor(hash: Hashx, destructor: Destructor | None) -> None:
    """Have a callable told of each key that is removed or renamed, or that goes with the hash; None: nobody.

    C: ``void zhashx_set_key_destructor (zhashx_t *self, zhashx_destructor_fn destructor)``
    """
    store = _change(hash)
    store.key_destructor = _stores.function(destructor, "destructor")
    if destructor is not None:
        for name, _ in _hashes.entries(hash, store):
            store.keys.setdefault(name, (_text.decode(name), 0))


def set_key_duplicator(hash: Hashx, duplicator: Duplicator | None) -> None:
    """Have a callable make what is kept for each key that is added, or copied by `dup`; None: the key itself.

    C: ``void zhashx_set_key_duplicator (zhashx_t *self, zhashx_duplicator_fn duplicator)``
    """
    _change(hash).key_duplicator = _stores.function(duplicator, "duplicator")


def set_key_comparator(hash: Hashx, comparator: Comparator | None) -> None:
    """Have a callable tell which keys are equal, which may be any objects then; None: Python's ``==`` does.

    It gets a key of the hash and another and returns 0 if they are equal. Without a hasher every key is compared.
    Raises ValueError for a hash with items in it.

    C: ``void zhashx_set_key_comparator (zhashx_t *self, zhashx_comparator_fn comparator)``
    """
    _empty(hash).key_comparator = _stores.function(comparator, "comparator")


def set_key_hasher(hash: Hashx, hasher: Hasher | None) -> None:
    """Have a callable return an int for each key, the same for equal ones; keys may be any objects then; None: nobody.

    Python's own ``hash`` is one. Raises ValueError for a hash with items in it.

    C: ``void zhashx_set_key_hasher (zhashx_t *self, zhashx_hash_fn hasher)``
    """
    _empty(hash).hasher = _stores.function(hasher, "hasher")


def _empty(hash: Hashx) -> _Store:
    store = _change(hash)
    if C.zhashx_size(hash):
        raise ValueError("hash must be empty: the keys that it has could not be found any more")
    return store


def dup_v2(hash: Maybe) -> Maybe:
    """Return another hash with the same keys and items, which must be strings, and no callables; None for None.

    C: ``zhashx_t *zhashx_dup_v2 (zhashx_t *self)``
    """
    return None if hash is None else _copy(_hashes.strings(hash, _find(hash)).items(), _Store())


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zhashx_test (bool verbose)``
    """
    from ._selftest import run

    run("zhashx_test", verbose)


def unpack_own(frame: Frame, deserializer: Callable[[str], Any] | None) -> Hashx | None:
    """Return a new hash as `unpack` does, with what a callable makes of each item; None: the strings themselves.

    Works with every libczmq, although C has it among the drafts.

    C: ``zhashx_t *zhashx_unpack_own (zframe_t *frame, zhashx_deserializer_fn deserializer)``
    """
    pairs = _packed.read_pairs(_stores.frame_data(frame))
    _stores.function(deserializer, "deserializer")
    if pairs is None:
        return None
    if deserializer is None:
        return _copy(pairs.items(), _Store())
    return _copy([(key, deserializer(item)) for key, item in pairs.items()], _Store())


def pack_own(hash: Hashx, serializer: Callable[[Any], Text] | None) -> Frame:
    """Return a new frame as `pack` does, with the string that a callable makes of each item; None: the items.

    Works with every libczmq, although C has it among the drafts.

    C: ``zframe_t *zhashx_pack_own (zhashx_t *self, zhashx_serializer_fn serializer)``
    """
    pairs = items(hash)
    _stores.function(serializer, "serializer")
    if serializer is not None:
        pairs = [(key, serializer(item)) for key, item in pairs]
    return _stores.frame(_packed.write_pairs(pairs))


# ---------------------------------------------------------------- helpers


def items(hash: Hashx) -> list[tuple[Any, Any]]:
    """Return the keys with their items as a Python list, to go through, in no order; ``dict(...)`` makes it a dict.

    The cursor stays where it is.
    """
    return _hashes.items(hash, _find(hash))


def strings(hash: Hashx) -> dict[str, str]:
    """Return the items, which must be strings, by their keys as a Python dict; the cursor stays where it is.

    Use it for hashes of strings that raw calls have made: that what C put in is a string, the caller warrants.
    TypeError for an item of Python's that is none.
    """
    return _hashes.strings(hash, _find(hash))


def _copy(pairs: Iterable[tuple[Any, Any]], store: _Store) -> Hashx:
    """Return a hash with the given keys and items."""
    hash: Hashx = _hashes.own(store)
    C.zhashx_set_key_hasher(hash, _on_hash)
    for key, item in pairs:
        _hashes.insert(hash, store, key, item)
    return hash


def _find(hash: Hashx) -> _Store:
    store: _Store = _hashes.find(hash, _Store)
    return store


def _change(hash: Hashx) -> _Store:
    store: _Store = _hashes.change(hash, _Store)
    return store


_on_hash = ffi.callback("zhashx_hash_fn *", _hash_of, onerror=_failed)


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zhashx")
