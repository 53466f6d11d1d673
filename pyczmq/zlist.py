"""zlist: lists of strings, or of any Python objects, with one cursor each.

A list keeps its items alive, and gives back the very objects that were put in. C sees each item as a string: str and
bytes as their text, up to a NUL byte, and anything else as a stand-in; a pointer, such as a socket's handle, it sees as
that pointer. After `autofree`, the list takes strings only, which C then copies, and they come back as str. An item
that C has put into a list comes back as a ``void *``, which `zstr.str` reads if it is a string.

    >>> from pyczmq import zlist
    >>> basket = zlist.new()
    >>> for item in ("cheese", "bread", ("wine", 1961)):
    ...     _ = zlist.append(basket, item)
    >>> zlist.first(basket), zlist.next(basket), zlist.next(basket), zlist.next(basket)
    ('cheese', 'bread', ('wine', 1961), None)
    >>> zlist.exists(basket, "bread"), zlist.pop(basket), zlist.size(basket)
    (True, 'cheese', 2)
    >>> zlist.items(basket)
    ['bread', ('wine', 1961)]

Items are equal if Python's ``==`` says so, and str and bytes of the same text are, too; `comparefn` sets another rule.
A comparator and what `freefn` sets are Python callables that act in the functions of this module: raw calls do not know
of them. A list belongs to one thread at a time, and cannot be changed while a comparator looks at it.
"""

from __future__ import annotations

from _thread import get_ident

from . import _containers, _keeper, _stores
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from ._stores import Comparator, Destructor
    from ._types import CData, List

    Maybe = TypeVar("Maybe", List, None)

_LIST = _containers.LIST
_free = _containers.free


class _Store(_stores.Store):
    """What goes with one list."""

    __slots__ = ("comparator",)

    def __init__(self) -> None:
        super().__init__()
        self.comparator: Comparator | None = None


def new() -> List:
    """Return a new, empty list, which the garbage collector owns; it stays usable in a forked child.

    C: ``zlist_t *zlist_new (void)``
    """
    return _own(C.zlist_new(), _Store())


def destroy(list: List | None) -> None:
    """Destroy the list now, and let its items go; None is let through.

    C: ``void zlist_destroy (zlist_t **self_p)``
    """
    _stores.destroy(list, _LIST, _free, _Store)


def first(list: List) -> Any:
    """Return the first item and put the cursor there; None if the list is empty.

    C: ``void *zlist_first (zlist_t *self)``
    """
    return _find(list).get(C.zlist_first(list))


def next(list: List) -> Any:
    """Move the cursor on and return the item there; None at the end, after which the first item comes again.

    C: ``void *zlist_next (zlist_t *self)``
    """
    return _find(list).get(C.zlist_next(list))


def last(list: List) -> Any:
    """Return the last item and put the cursor there; None if the list is empty.

    C: ``void *zlist_last (zlist_t *self)``
    """
    return _find(list).get(C.zlist_last(list))


def head(list: List) -> Any:
    """Return the first item and leave the cursor as it is; None if the list is empty.

    C: ``void *zlist_head (zlist_t *self)``
    """
    return _find(list).get(C.zlist_head(list))


def tail(list: List) -> Any:
    """Return the last item and leave the cursor as it is; None if the list is empty.

    C: ``void *zlist_tail (zlist_t *self)``
    """
    return _find(list).get(C.zlist_tail(list))


def item(list: List) -> Any:
    """Return the item at the cursor; None if it is at no item.

    C: ``void *zlist_item (zlist_t *self)``
    """
    return _find(list).get(C.zlist_item(list))


def append(list: List, item: Any) -> int:
    """Add an item at the end; return 0, or -1 for None, which is no item. The cursor is at no item then.

    C: ``int zlist_append (zlist_t *self, void *item)``
    """
    return _add(list, item, C.zlist_append, C.zlist_tail)


def push(list: List, item: Any) -> int:
    """Add an item at the start; return 0, or -1 for None, which is no item. The cursor is at no item then.

    C: ``int zlist_push (zlist_t *self, void *item)``
    """
    return _add(list, item, C.zlist_push, C.zlist_head)


def _add(list: List, item: Any, verb: Any, end: Any) -> int:
    store = _change(list)
    if _stores.nothing(item):
        return -1
    pointer = store.put(item)
    rc: int = verb(list, pointer)
    if rc != 0:
        store.drop(pointer)
    elif store.copied(pointer, end(list)) and not isinstance(item, (str, bytes)):
        C.zlist_remove(list, end(list))
        raise TypeError(f"item of a list of strings must be str or bytes, not {type(item).__name__}")
    return rc


def pop(list: List) -> Any:
    """Remove the first item and return it; None if the list is empty. What `freefn` has set is not called.

    C: ``void *zlist_pop (zlist_t *self)``
    """
    store = _change(list)
    return store.pop(C.zlist_pop(list))


def exists(list: List, item: Any) -> bool:
    """Tell whether an item is in the list: one that is equal, or for which the comparator returns 0.

    C: ``bool zlist_exists (zlist_t *self, void *item)``
    """
    store = _find(list)
    _stores.check(item)
    return _stores.position(store, _values(store, _pointers(list, store)), item, store.comparator) >= 0


def remove(list: List, item: Any) -> None:
    """Remove the first item that is equal, or for which the comparator returns 0; nothing happens if there is none.

    C: ``void zlist_remove (zlist_t *self, void *item)``
    """
    store = _change(list)
    _stores.check(item)
    pointers = _pointers(list, store)
    place = _stores.position(store, _values(store, pointers), item, store.comparator)
    if place >= 0:
        C.zlist_remove(list, pointers[place])
        store.leave(pointers[place])


def dup(list: Maybe) -> Maybe:
    """Return another list with the same items, and the same comparator; None for None. `freefn` is not copied.

    C: ``zlist_t *zlist_dup (zlist_t *self)``
    """
    if list is None:
        return None
    store = _find(list)
    copy = _Store()
    copy.comparator = store.comparator
    copy.strings = store.strings
    handle = _own(C.zlist_dup(list), copy)
    for pointer in _containers.peek(handle):
        known = store.items.get(pointer)
        if known is not None and pointer in copy.items:
            copy.items[pointer].count += 1
        elif known is not None:
            copy.items[pointer] = _stores.Item(known.value, known.block)
    return handle


def purge(list: List) -> None:
    """Remove all items.

    C: ``void zlist_purge (zlist_t *self)``
    """
    store = _change(list)
    calls = store.clear()
    C.zlist_purge(list)
    _stores.run(calls)


def size(list: List) -> int:
    """Return the number of items.

    C: ``size_t zlist_size (zlist_t *self)``
    """
    _find(list)
    return C.zlist_size(list)


def sort(list: List, compare: Comparator | None = None) -> None:
    """Sort the list with a comparator; without one, with that of `comparefn`, or else text by its bytes.

    What is not text is then sorted by Python's ``<``. A comparator gets two items and returns a negative number, 0 or
    a positive one. If it raises, the list stays as it was. Unlike in C, equal items stay in their order.

    C: ``void zlist_sort (zlist_t *self, zlist_compare_fn compare)``
    """
    store = _change(list)
    comparator = _stores.function(compare, "compare") or store.comparator
    pointers = _pointers(list, store)
    places = _stores.order(store, _values(store, pointers), comparator)
    if places == [*range(len(places))]:
        return
    ranks: dict[CData, int] = {}
    for rank, place in enumerate(places):
        ranks.setdefault(pointers[place], rank)
    me = get_ident()
    outer = _sorting.get(me)
    _sorting[me] = ranks
    try:
        C.zlist_sort(list, _on_compare)
    finally:
        if outer is None:
            del _sorting[me]
        else:
            _sorting[me] = outer
    if _interrupted:
        raise _interrupted.pop()


def autofree(list: List) -> None:
    """Make the list one of strings: C takes copies of those that are added, and frees them. They come back as str.

    Raises ValueError for a list with items in it.

    C: ``void zlist_autofree (zlist_t *self)``
    """
    store = _change(list)
    if not store.strings:
        if C.zlist_size(list):
            raise ValueError("list must be empty: C would free items that it did not copy")
        C.zlist_autofree(list)
        store.strings = True


def comparefn(list: List, fn: Comparator | None) -> None:
    """Set the comparator for `exists`, `remove` and `sort`: it gets two items and returns a number; None: none.

    C: ``void zlist_comparefn (zlist_t *self, zlist_compare_fn fn)``
    """
    _change(list).comparator = _stores.function(fn, "fn")


def freefn(list: List, item: Any, fn: Destructor | None, at_tail: bool = False) -> Any:
    """Have *fn* called with an item when it is removed, or goes with the list; return the item, None if there is none.

    The item is the first that is equal; with *at_tail*, only the last one is looked at. After `autofree`, *fn* is never
    called. None for *fn* takes back what was set.

    C: ``void *zlist_freefn (zlist_t *self, void *item, zlist_free_fn fn, bool at_tail)``
    """
    store = _change(list)
    _stores.function(fn, "fn")
    _stores.check(item)
    tail = C.zlist_tail(list)
    pointers = [] if not tail else [tail] if at_tail else _pointers(list, store)
    place = _stores.position(store, _values(store, pointers), item, None)
    if place < 0:
        return None
    if not store.strings:
        store.watch(pointers[place], fn)
    return store.get(pointers[place])


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zlist_test (bool verbose)``
    """
    from ._selftest import run

    run("zlist_test", verbose)


# ---------------------------------------------------------------- helpers


def items(list: List) -> list[Any]:
    """Return the items as a Python list, to go through; the cursor stays where it is."""
    store = _find(list)
    return _values(store, _pointers(list, store))


def strings(list: List) -> list[str]:
    """Return the items, which must be strings, as a Python list of str; the cursor stays where it is.

    Use it for lists of strings that raw calls have made: that what C put in is a string, the caller warrants. TypeError
    for an item of Python's that is none.
    """
    store = _find(list)
    return [store.text(pointer) for pointer in _pointers(list, store)]


def _own(pointer: CData, store: _Store) -> List:
    handle: List = _stores.own(pointer, _free, store)
    return handle


def _find(list: List) -> _Store:
    return _keeper.find(list, _LIST, "list", _Store)


def _change(list: List) -> _Store:
    store = _keeper.find(list, _LIST, "list", _Store)
    _stores.change(store)
    return store


def _values(store: _Store, pointers: list[CData]) -> list[Any]:
    return [store.get(pointer) for pointer in pointers]


def _pointers(list: List, store: _Store) -> list[CData]:
    """Return the pointers in the list, and leave the cursor alone."""
    if not store.strings:
        copy = C.zlist_dup(list)
        try:
            # Unless a raw call has made it a list of strings, whose copy has copies.
            if C.zlist_head(copy) == C.zlist_head(list):
                return _containers.peek(copy)
        finally:
            _free(copy)
    here = C.zlist_item(list)
    pointers = _containers.peek(list)
    # Now the cursor is at no item. C's copies are all at places of their own.
    while here and C.zlist_next(list) != here:
        pass
    return pointers


#: The ranks of the pointers in the list that a thread sorts.
_sorting: dict[int, dict[CData, int]] = {}

#: What came up while C was at it: Ctrl-C.
_interrupted: list[BaseException] = []


def _compare(one: CData, other: CData) -> int:
    ranks = _sorting[get_ident()]
    return ranks[one] - ranks[other]


def _failed(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
    _interrupted.append(error.with_traceback(traceback))


_on_compare = ffi.callback("zlist_compare_fn *", _compare, error=0, onerror=_failed)


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zlist")
