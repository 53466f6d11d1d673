r"""zhash: tables of strings, or of any Python objects, by keys that are strings.

A hash keeps its items alive, and gives back the very objects that were put in. C sees each item as a string: str and
bytes as their text, up to a NUL byte, and anything else as a stand-in; a pointer, such as a socket's handle, it sees as
that pointer. After `autofree`, the hash takes strings only, which C then copies, and they come back as str. An item
that C has put into a hash comes back as a ``void *``, which `zstr.str` reads if it is a string. Keys are str or bytes
with no NUL byte, which are the same to a hash, and come back as str.

    >>> from pyczmq import zframe, zhash
    >>> ports = zhash.new()
    >>> zhash.insert(ports, "http", 80), zhash.insert(ports, "https", 443), zhash.insert(ports, "http", 8080)
    (0, 0, -1)
    >>> zhash.lookup(ports, "http"), zhash.lookup(ports, "gopher")
    (80, None)
    >>> sorted(zhash.items(ports))
    [('http', 80), ('https', 443)]
    >>> zhash.update(ports, "http", "eighty")
    >>> zhash.delete(ports, "https")
    >>> frame = zhash.pack(ports)
    >>> bytes(zframe.data(frame))
    b'\x00\x00\x00\x01\x04http\x00\x00\x00\x06eighty'
    >>> zframe.destroy(frame)

A hash of strings goes into a frame and comes out of it (`pack`, `unpack`), and into a file of name=value lines and out
of it (`save`, `load`). What `freefn` sets is a Python callable that acts in the functions of this module: raw calls do
not know of it. A hash belongs to one thread at a time.
"""

from __future__ import annotations

from . import _containers, _hashes, _packed, _stores, _text
from ._cffi import C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike
    from typing import Any, TypeVar, Union

    from ._stores import Destructor
    from ._types import Frame, Hash, Text

    Filename = Union[str, bytes, PathLike[str], PathLike[bytes]]
    Maybe = TypeVar("Maybe", Hash, None)


class _Store(_hashes.Table):
    """What goes with one hash."""

    __slots__ = ()

    verbs = _hashes.Verbs(_containers.HASH, "zhash")


def new() -> Hash:
    """Return a new, empty hash, which the garbage collector owns; it stays usable in a forked child.

    C: ``zhash_t *zhash_new (void)``
    """
    hash: Hash = _hashes.own(_Store())
    return hash


def unpack(frame: Frame) -> Hash | None:
    """Return a new hash with the strings that `pack` has put into a frame; None if it is not packed so.

    None also if a key comes twice. A frame of less than four bytes gives an empty hash.

    C: ``zhash_t *zhash_unpack (zframe_t *frame)``
    """
    pairs = _packed.read_pairs(_stores.frame_data(frame))
    return None if pairs is None else _fill(new(), pairs.items())


def destroy(hash: Hash | None) -> None:
    """Destroy the hash now, and let its items go; None is let through.

    C: ``void zhash_destroy (zhash_t **self_p)``
    """
    _stores.destroy(hash, _containers.HASH, _containers.free, _Store)


def insert(hash: Hash, key: Text, item: Any) -> int:
    """Add an item under a new key; return 0, or -1 if the key is there: then nothing happens.

    C: ``int zhash_insert (zhash_t *self, const char *key, void *item)``
    """
    return _hashes.insert(hash, _change(hash), key, item)


def update(hash: Hash, key: Text, item: Any) -> None:
    """Add an item, or replace the one that the key has; what `freefn` has set stays with the key.

    C: ``void zhash_update (zhash_t *self, const char *key, void *item)``
    """
    _hashes.update(hash, _change(hash), key, item)


def delete(hash: Hash, key: Text) -> None:
    """Remove a key and its item; nothing happens if it is not there.

    C: ``void zhash_delete (zhash_t *self, const char *key)``
    """
    _hashes.delete(hash, _change(hash), key)


def lookup(hash: Hash, key: Text) -> Any:
    """Return the item under a key; None if it is not there.

    C: ``void *zhash_lookup (zhash_t *self, const char *key)``
    """
    return _hashes.lookup(hash, _find(hash), key)


def rename(hash: Hash, old_key: Text, new_key: Text) -> int:
    """Move an item to a new key; return 0, or -1 if the old key is not there, or the new one is.

    C: ``int zhash_rename (zhash_t *self, const char *old_key, const char *new_key)``
    """
    store = _change(hash)
    here = _hashes.cursor(hash, store)
    rc = _hashes.rename(hash, store, old_key, new_key)
    if rc == 0 and here == _hashes.text(old_key):
        # C forgets that its cursor is at the key that it has just freed.
        _hashes.seek(hash, store, _text.encode(new_key))
    return rc


def freefn(hash: Hash, key: Text, free_fn: Destructor | None) -> Any:
    """Have a callable told of the item under a key when it is deleted or replaced, or goes with the hash.

    It gets the item. Returns the item, or None if the key is not there. None for *free_fn* takes back what was set.

    C: ``void *zhash_freefn (zhash_t *self, const char *key, zhash_free_fn free_fn)``
    """
    return _hashes.freefn(hash, _change(hash), key, _stores.function(free_fn, "free_fn"))


def size(hash: Hash) -> int:
    """Return the number of items.

    C: ``size_t zhash_size (zhash_t *self)``
    """
    _find(hash)
    return C.zhash_size(hash)


def dup(hash: Maybe) -> Maybe:
    """Return another hash with the same items, a hash of strings if this is one; None for None.

    Unlike in C, items need not be strings. `freefn` and comments are not copied.

    C: ``zhash_t *zhash_dup (zhash_t *self)``
    """
    if hash is None:
        return None
    store = _find(hash)
    pairs = _hashes.items(hash, store)
    copy = new()
    if store.strings:
        autofree(copy)
    return _fill(copy, pairs)


def keys(hash: Hash) -> list[str]:
    """Return the keys, in no order.

    C: ``zlist_t *zhash_keys (zhash_t *self)``
    """
    return _hashes.keys(hash, _find(hash))


def first(hash: Hash) -> Any:
    """Return the first item, in no order, and put the cursor there; None if the hash is empty.

    `items` is the simple way to go through a hash.

    C: ``void *zhash_first (zhash_t *self)``
    """
    return _find(hash).get(C.zhash_first(hash))


def next(hash: Hash) -> Any:
    """Move the cursor on and return the item there; None after the last.

    In between, the hash should not be changed: items may come twice then, or not at all.

    C: ``void *zhash_next (zhash_t *self)``
    """
    return _find(hash).get(C.zhash_next(hash))


def cursor(hash: Hash) -> str | None:
    """Return the key of the item that `first` or `next` returned last; None if an item was deleted since.

    C: ``const char *zhash_cursor (zhash_t *self)``
    """
    key: str | None = _hashes.cursor(hash, _find(hash))
    return key


def comment(hash: Hash, comment: Text | None) -> None:
    """Add a line of comment, which is never a format, for `save`; None deletes all comments.

    C: ``void zhash_comment (zhash_t *self, const char *format, ...)``
    """
    _hashes.comment(hash, _change(hash), comment)


def pack(hash: Hash) -> Frame:
    """Return a new frame, which belongs to the caller, with all keys and items, which must be strings.

    Raises TypeError for an item that is none, and ValueError for a key of more than 255 bytes or a NUL byte.

    C: ``zframe_t *zhash_pack (zhash_t *self)``
    """
    return _stores.frame(_packed.write_pairs(items(hash)))


def save(hash: Hash, filename: Filename) -> int:
    """Write comments, keys and items to a file of name=value lines; return 0, or -1 with errno set.

    Raises TypeError for an item that is not a string, and ValueError for a key or item that could not be read again,
    such as one with a line feed; the file is left alone then.

    C: ``int zhash_save (zhash_t *self, const char *filename)``
    """
    return _find(hash).file.save(items(hash), _text.path(filename))


def load(hash: Hash, filename: Filename) -> int:
    """Add the items in a file of name=value lines to the hash; return 0, or -1 with errno set if it cannot be read.

    Items that have the same keys are replaced. Lines that begin with ``#`` and lines of another form are skipped.

    C: ``int zhash_load (zhash_t *self, const char *filename)``
    """
    return _hashes.load(hash, _change(hash), _text.path(filename))


def refresh(hash: Hash) -> int:
    """Read the file again that `load` read, in place of all items, if it has changed; return 0, or -1.

    That is once it has stayed as it is for five seconds.

    C: ``int zhash_refresh (zhash_t *self)``
    """
    return _hashes.refresh(hash, _change(hash))


def autofree(hash: Hash) -> None:
    """Make the hash one of strings: C takes copies of those that are added, and frees them. They come back as str.

    Raises ValueError for a hash with items in it.

    C: ``void zhash_autofree (zhash_t *self)``
    """
    store = _change(hash)
    if not store.strings:
        if C.zhash_size(hash):
            raise ValueError("hash must be empty: C would free items that it did not copy")
        C.zhash_autofree(hash)
        store.strings = True


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zhash_test (bool verbose)``
    """
    from ._selftest import run

    run("zhash_test", verbose)


# ---------------------------------------------------------------- CZMQ 2


def foreach(hash: Hash, callback: Callable[[str, Any, Any], int | None], argument: Any = None) -> int:
    """Call ``callback(key, item, argument)`` for each item until it returns another than 0 or None; return that, or 0.

    The items are those that there are at the start: the callback may change the hash.

    C: ``int zhash_foreach (zhash_t *self, zhash_foreach_fn *callback, void *argument)``
    """
    if _stores.function(callback, "callback") is None:
        raise TypeError("callback must be a Python callable, not NoneType")
    for key, item in items(hash):
        rc = callback(key, item, argument)
        if rc is not None and rc != 0:
            return rc
    return 0


# ---------------------------------------------------------------- helpers


def items(hash: Hash) -> list[tuple[str, Any]]:
    """Return the keys with their items as a Python list, to go through, in no order; ``dict(...)`` makes it a dict.

    The cursor stays where it is.
    """
    return _hashes.items(hash, _find(hash))


def strings(hash: Hash) -> dict[str, str]:
    """Return the items, which must be strings, by their keys as a Python dict; the cursor stays where it is.

    Use it for hashes of strings that raw calls have made: that what C put in is a string, the caller warrants.
    TypeError for an item of Python's that is none.
    """
    return _hashes.strings(hash, _find(hash))


def _fill(hash: Hash, pairs: Iterable[tuple[str, Any]]) -> Hash:
    for key, item in pairs:
        insert(hash, key, item)
    return hash


def _find(hash: Hash) -> _Store:
    store: _Store = _hashes.find(hash, _Store)
    return store


def _change(hash: Hash) -> _Store:
    store: _Store = _hashes.change(hash, _Store)
    return store


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zhash")
