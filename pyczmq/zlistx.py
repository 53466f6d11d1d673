"""zlistx: lists with handles for their items, a comparator, a duplicator and a destructor.

A list keeps its items alive, and gives back the very objects that were put in. C sees each item as a string: str and
bytes as their text, up to a NUL byte, and anything else as a stand-in; a pointer, such as a socket's handle, it sees as
that pointer. An item that C has put into a list comes back as a ``void *``, which `zstr.str` reads if it is a string.

    >>> from pyczmq import zlistx
    >>> words = zlistx.new()
    >>> handles = [zlistx.add_end(words, word) for word in ("world", "hello", "again")]
    >>> zlistx.sort(words)
    >>> zlistx.items(words)
    ['again', 'hello', 'world']
    >>> zlistx.move_end(words, handles[2])
    >>> zlistx.first(words), zlistx.last(words), zlistx.handle_item(handles[0])
    ('hello', 'again', 'world')
    >>> zlistx.delete(words, handles[0]), zlistx.size(words)
    (0, 2)

Whatever adds an item returns a handle for it, a ``void *`` that is good until the item goes. Items are equal if
Python's ``==`` says so, and str and bytes of the same text are, too; they are sorted by ``<``, and text by its bytes;
`set_comparator` sets another rule. Comparator, duplicator and destructor are Python callables that act in the functions
of this module: raw calls do not know of them. A list belongs to one thread at a time, and cannot be changed while a
comparator or duplicator is at work.
"""

from __future__ import annotations

import weakref

from . import _containers, _handles, _keeper, _packed, _stores
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from ._stores import Call, Comparator, Destructor, Duplicator, Item
    from ._types import CData, Frame, Listx

    Maybe = TypeVar("Maybe", Listx, None)

_LISTX = _containers.LISTX
_VOID = ffi.typeof("void *")
_free = _containers.free


class _Store(_stores.Store):
    """What goes with one list: also the handles that were handed out, by their pointers."""

    __slots__ = ("comparator", "destructor", "duplicator", "nodes")

    def __init__(self) -> None:
        super().__init__()
        self.comparator: Comparator | None = None
        self.destructor: Destructor | None = None
        self.duplicator: Duplicator | None = None
        self.nodes: dict[CData, CData] = {}

    def lend(self, node: CData) -> CData | None:
        """Return the one handle for a place in the list, so that it can be refused once the item is gone."""
        if not node:
            return None
        handle = self.nodes.setdefault(node, node)
        if handle is node:
            _handles.companions(handle)[_Store] = weakref.ref(self)
        return handle

    def bury(self, node: CData) -> None:
        """Refuse the handle for a place in the list that is no more."""
        handle = self.nodes.pop(node, None)
        if handle is not None:
            _handles.kill(handle, "was for an item that is gone")

    def farewell(self, item: Item) -> list[Call]:
        """Return the destructor's call for an item that goes, once for each time that it was in the list."""
        return [] if self.destructor is None else [(self.destructor, item.value)] * item.count

    def clear(self) -> list[Call]:
        """Forget all items and handles; return the destructor's calls that are due."""
        for node in [*self.nodes]:
            self.bury(node)
        return super().clear()


def new() -> Listx:
    """Return a new, empty list, which the garbage collector owns; it stays usable in a forked child.

    C: ``zlistx_t *zlistx_new (void)``
    """
    return _new(_Store())


def destroy(list: Listx | None) -> None:
    """Destroy the list now, and its items if there is a destructor; None is let through.

    C: ``void zlistx_destroy (zlistx_t **self_p)``
    """
    _stores.destroy(list, _LISTX, _free, _Store)


def add_start(list: Listx, item: Any) -> CData:
    """Add an item, or what the duplicator makes of it, at the start; return its handle. The cursor is at no item then.

    C: ``void *zlistx_add_start (zlistx_t *self, void *item)``
    """
    store = _change(list)
    _stores.check(item)
    return _add(list, store, _stores.duplicate(store, store.duplicator, item), C.zlistx_add_start)


def add_end(list: Listx, item: Any) -> CData:
    """Add an item, or what the duplicator makes of it, at the end; return its handle. The cursor is at no item then.

    C: ``void *zlistx_add_end (zlistx_t *self, void *item)``
    """
    store = _change(list)
    _stores.check(item)
    return _add(list, store, _stores.duplicate(store, store.duplicator, item), C.zlistx_add_end)


def _add(list: Listx, store: _Store, item: Any, verb: Any) -> CData:
    pointer = store.put(item)
    node = verb(list, pointer)
    if store.copied(pointer, C.zlistx_handle_item(node)) and not isinstance(item, (str, bytes)):
        C.zlistx_delete(list, node)
        raise TypeError(f"item of a list of strings must be str or bytes, not {type(item).__name__}")
    handle = store.lend(node)
    assert handle is not None
    return handle


def size(list: Listx) -> int:
    """Return the number of items.

    C: ``size_t zlistx_size (zlistx_t *self)``
    """
    _find(list)
    return C.zlistx_size(list)


def head(list: Listx) -> Any:
    """Return the first item and leave the cursor as it is; None if the list is empty.

    C: ``void *zlistx_head (zlistx_t *self)``
    """
    return _find(list).get(C.zlistx_head(list))


def tail(list: Listx) -> Any:
    """Return the last item and leave the cursor as it is; None if the list is empty.

    C: ``void *zlistx_tail (zlistx_t *self)``
    """
    return _find(list).get(C.zlistx_tail(list))


def first(list: Listx) -> Any:
    """Return the first item and put the cursor there; None if the list is empty.

    C: ``void *zlistx_first (zlistx_t *self)``
    """
    return _find(list).get(C.zlistx_first(list))


def next(list: Listx) -> Any:
    """Move the cursor on and return the item there; None at the end, after which the first item comes again.

    C: ``void *zlistx_next (zlistx_t *self)``
    """
    return _find(list).get(C.zlistx_next(list))


def prev(list: Listx) -> Any:
    """Move the cursor back and return the item there; None at the start, after which the last item comes again.

    C: ``void *zlistx_prev (zlistx_t *self)``
    """
    return _find(list).get(C.zlistx_prev(list))


def last(list: Listx) -> Any:
    """Return the last item and put the cursor there; None if the list is empty.

    C: ``void *zlistx_last (zlistx_t *self)``
    """
    return _find(list).get(C.zlistx_last(list))


def item(list: Listx) -> Any:
    """Return the item at the cursor; None if it is at no item.

    C: ``void *zlistx_item (zlistx_t *self)``
    """
    return _find(list).get(C.zlistx_item(list))


def cursor(list: Listx) -> CData | None:
    """Return the handle of the item at the cursor; None if it is at no item.

    C: ``void *zlistx_cursor (zlistx_t *self)``
    """
    return _find(list).lend(C.zlistx_cursor(list))


def handle_item(handle: CData | None) -> Any:
    """Return the item that a handle of this module's is for; None for None. ValueError once the item is gone.

    C: ``void *zlistx_handle_item (void *handle)``
    """
    if handle is None:
        return None
    _handles.live(handle, _VOID, "handle")
    reference = (_handles.find_companions(handle) or {}).get(_Store)
    store = None if reference is None else reference()
    if store is None or handle not in store.nodes:
        raise ValueError("handle is of no list that is known here")
    return store.get(C.zlistx_handle_item(handle))


def find(list: Listx, item: Any) -> CData | None:
    """Return the handle of the first item that is equal, or for which the comparator returns 0; None if there is none.

    The cursor is put there, if there is one.

    C: ``void *zlistx_find (zlistx_t *self, void *item)``
    """
    store = _find(list)
    _stores.check(item)
    nodes, pointers = _walk(list)
    place = _stores.position(store, _values(store, pointers), item, store.comparator)
    if place < 0:
        return None
    _seek(list, nodes[place])
    return store.lend(nodes[place])


def detach(list: Listx, handle: CData | None = None) -> Any:
    """Remove an item, the first without a handle, and return it; None if the list is empty.

    The destructor is not called. A cursor at the item goes back to the one before.

    C: ``void *zlistx_detach (zlistx_t *self, void *handle)``
    """
    store = _change(list)
    node = _first(list) if handle is None else _node(list, store, handle)
    if not node:
        return None
    store.bury(node)
    return store.pop(C.zlistx_detach(list, node))


def detach_cur(list: Listx) -> Any:
    """Remove the item at the cursor and return it, as `detach` does; the first item if the cursor is at none.

    C: ``void *zlistx_detach_cur (zlistx_t *self)``
    """
    return detach(list, cursor(list))


def delete(list: Listx, handle: CData | None = None) -> int:
    """Remove an item, the first without a handle, and tell the destructor; return 0, or -1 if the list is empty.

    A cursor at the item goes back to the one before, so items can be deleted while `next` goes through the list.

    C: ``int zlistx_delete (zlistx_t *self, void *handle)``
    """
    store = _change(list)
    node = _first(list) if handle is None else _node(list, store, handle)
    if not node:
        return -1
    store.bury(node)
    pointer = C.zlistx_handle_item(node)
    rc: int = C.zlistx_delete(list, node)
    store.leave(pointer)
    return rc


def move_start(list: Listx, handle: CData) -> None:
    """Move an item to the start of the list.

    C: ``void zlistx_move_start (zlistx_t *self, void *handle)``
    """
    C.zlistx_move_start(list, _node(list, _change(list), handle))


def move_end(list: Listx, handle: CData) -> None:
    """Move an item to the end of the list.

    C: ``void zlistx_move_end (zlistx_t *self, void *handle)``
    """
    C.zlistx_move_end(list, _node(list, _change(list), handle))


def purge(list: Listx) -> None:
    """Remove all items, and tell the destructor of each.

    C: ``void zlistx_purge (zlistx_t *self)``
    """
    store = _change(list)
    calls = store.clear()
    C.zlistx_purge(list)
    _stores.run(calls)


def sort(list: Listx) -> None:
    """Sort the list; if the comparator raises, it stays as it was.

    Unlike in C, equal items stay in their order, and each handle stays with its item.

    C: ``void zlistx_sort (zlistx_t *self)``
    """
    store = _change(list)
    nodes, pointers = _walk(list)
    places = _stores.order(store, _values(store, pointers), store.comparator)
    if places != [*range(len(places))]:
        for place in places:
            C.zlistx_move_end(list, nodes[place])


def insert(list: Listx, item: Any, low_value: bool = True) -> CData:
    """Add an item, or what the duplicator makes of it, to a sorted list, at its place; return its handle.

    With *low_value* the place is looked for from the start, else from the end. The cursor is at no item then.

    C: ``void *zlistx_insert (zlistx_t *self, void *item, bool low_value)``
    """
    store = _change(list)
    _stores.check(item)
    item = _stores.duplicate(store, store.duplicator, item)
    nodes, pointers = _walk(list)
    place = _place(store, _values(store, pointers), item, low_value)
    handle = _add(list, store, item, C.zlistx_add_end)
    _move(list, nodes, handle, place)
    return handle


def reorder(list: Listx, handle: CData, low_value: bool = True) -> None:
    """Move an item of a list that is sorted but for it to its place, looked for as `insert` does.

    C: ``void zlistx_reorder (zlistx_t *self, void *handle, bool low_value)``
    """
    store = _change(list)
    node = _node(list, store, handle)
    nodes, pointers = _walk(list)
    at = nodes.index(node)
    del nodes[at]
    item = store.get(pointers.pop(at))
    _move(list, nodes, node, _place(store, _values(store, pointers), item, low_value))


def _place(store: _Store, values: list[Any], item: Any, low_value: bool) -> int:
    """Return where in a sorted list an item belongs."""
    call = _stores.compare if store.comparator is None else _stores.checked(store.comparator)

    def find() -> int:
        if low_value:
            for place, value in enumerate(values):
                if call(item, value) <= 0:
                    return place
            return len(values)
        for place in range(len(values), 0, -1):
            if call(values[place - 1], item) <= 0:
                return place
        return 0

    return store.guard(find)


def _move(list: Listx, nodes: list[CData], node: CData, place: int) -> None:
    """Move an item to a place among the others, by moving those on the shorter side of it."""
    if place > len(nodes) // 2:
        C.zlistx_move_end(list, node)
        for other in nodes[place:]:
            C.zlistx_move_end(list, other)
    else:
        C.zlistx_move_start(list, node)
        for other in reversed(nodes[:place]):
            C.zlistx_move_start(list, other)


def dup(list: Maybe) -> Maybe:
    """Return another list with the same callables, and what the duplicator, if any, makes of the items; None for None.

    C: ``zlistx_t *zlistx_dup (zlistx_t *self)``
    """
    if list is None:
        return None
    store = _find(list)
    copy = _Store()
    copy.comparator = store.comparator
    copy.duplicator = store.duplicator
    copy.destructor = store.destructor
    handle = _new(copy)
    for item in items(list):
        _add(handle, copy, _stores.duplicate(store, store.duplicator, item), C.zlistx_add_end)
    return handle


def set_destructor(list: Listx, destructor: Destructor | None) -> None:
    """Have a callable told of each item that `delete` or `purge` removes, or that goes with the list; None: nobody.

    It gets the item. An exception of its comes out of the call that removed the item. Items that raw calls have put in
    are C's affair.

    C: ``void zlistx_set_destructor (zlistx_t *self, zlistx_destructor_fn destructor)``
    """
    _change(list).destructor = _stores.function(destructor, "destructor")


def set_duplicator(list: Listx, duplicator: Duplicator | None) -> None:
    """Have a callable make what is kept for each item that is added, or copied by `dup`; None: the item itself.

    C: ``void zlistx_set_duplicator (zlistx_t *self, zlistx_duplicator_fn duplicator)``
    """
    _change(list).duplicator = _stores.function(duplicator, "duplicator")


def set_comparator(list: Listx, comparator: Comparator | None) -> None:
    """Have a callable compare items for `find`, `sort`, `insert` and `reorder`; None: Python's own rules.

    It gets two items and returns a negative number, 0 or a positive one.

    C: ``void zlistx_set_comparator (zlistx_t *self, zlistx_comparator_fn comparator)``
    """
    _change(list).comparator = _stores.function(comparator, "comparator")


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zlistx_test (bool verbose)``
    """
    from ._selftest import run

    run("zlistx_test", verbose)


def unpack(frame: Frame) -> Listx | None:
    """Return a new list with the strings that `pack` has put into a frame; None if it is not packed so.

    A frame of less than four bytes gives an empty list. Works with every libczmq, although C has it among the drafts.

    C: ``zlistx_t *zlistx_unpack (zframe_t *frame)``
    """
    texts = _packed.read_strings(_stores.frame_data(frame))
    if texts is None:
        return None
    list = new()
    for text in texts:
        add_end(list, text)
    return list


def pack(list: Listx) -> Frame:
    """Return a new frame, which belongs to the caller, with all items, which must be strings; TypeError if one is not.

    Works with every libczmq, although C has it among the drafts.

    C: ``zframe_t *zlistx_pack (zlistx_t *self)``
    """
    return _stores.frame(_packed.write_strings(items(list)))


# ---------------------------------------------------------------- helpers


def items(list: Listx) -> list[Any]:
    """Return the items as a Python list, to go through; the cursor stays where it is."""
    return _values(_find(list), _walk(list)[1])


def strings(list: Listx) -> list[str]:
    """Return the items, which must be strings, as a Python list of str; the cursor stays where it is.

    Use it for lists of strings that raw calls have made: that what C put in is a string, the caller warrants. TypeError
    for an item of Python's that is none.
    """
    store = _find(list)
    return [store.text(pointer) for pointer in _walk(list)[1]]


def _new(store: _Store) -> Listx:
    handle: Listx = _stores.own(C.zlistx_new(), _free, store)
    return handle


def _find(list: Listx) -> _Store:
    return _keeper.find(list, _LISTX, "list", _Store)


def _change(list: Listx) -> _Store:
    store = _find(list)
    _stores.change(store)
    return store


def _values(store: _Store, pointers: list[CData]) -> list[Any]:
    return [store.get(pointer) for pointer in pointers]


def _node(list: Listx, store: _Store, handle: CData) -> CData:
    """Return a handle of an item in the list; ValueError for any other."""
    _handles.live(handle, _VOID, "handle")
    if handle not in store.nodes and handle not in _walk(list)[0]:
        raise ValueError("handle is not for an item of this list")
    return handle


def _first(list: Listx) -> CData:
    """Return the place of the first item, NULL if there is none, and leave the cursor alone."""
    here = C.zlistx_cursor(list)
    C.zlistx_first(list)
    node = C.zlistx_cursor(list)
    if here:
        _seek(list, here)
    else:
        C.zlistx_prev(list)
    return node


def _walk(list: Listx) -> tuple[list[CData], list[CData]]:
    """Return the places in the list, and the pointers there; leave the cursor alone."""
    here = C.zlistx_cursor(list)
    nodes = []
    pointers = []
    pointer = C.zlistx_first(list)
    node = C.zlistx_cursor(list)
    while node:
        nodes.append(node)
        pointers.append(pointer)
        pointer = C.zlistx_next(list)
        node = C.zlistx_cursor(list)
    if here:
        _seek(list, here)
    return nodes, pointers


def _seek(list: Listx, node: CData) -> None:
    """Put the cursor at a place in the list."""
    C.zlistx_first(list)
    while C.zlistx_cursor(list) != node:
        C.zlistx_next(list)


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zlistx")
