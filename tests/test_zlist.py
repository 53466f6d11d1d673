"""zlist: lists of strings or any objects. What zlistx has in common with it is tested here for both."""

from __future__ import annotations

import functools
import gc
import random
import signal
import weakref
from types import ModuleType
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, _containers, ffi, zlist, zlistx, zstr

TEXTS = ["", "plain", "ä€😀", "\udcff\udcfe", "100%s %n", "a\nb", "x" * 2**20]

#: Every function of each module, called with a list where that comes first.
CALLS: dict[str, Any] = {
    "append": lambda m, handle: m.append(handle, "x"),
    "autofree": lambda m, handle: m.autofree(handle),
    "comparefn": lambda m, handle: m.comparefn(handle, None),
    "destroy": lambda m, handle: m.destroy(handle),
    "dup": lambda m, handle: m.dup(handle),
    "exists": lambda m, handle: m.exists(handle, "x"),
    "first": lambda m, handle: m.first(handle),
    "freefn": lambda m, handle: m.freefn(handle, "x", print),
    "head": lambda m, handle: m.head(handle),
    "item": lambda m, handle: m.item(handle),
    "items": lambda m, handle: m.items(handle),
    "last": lambda m, handle: m.last(handle),
    "next": lambda m, handle: m.next(handle),
    "pop": lambda m, handle: m.pop(handle),
    "purge": lambda m, handle: m.purge(handle),
    "push": lambda m, handle: m.push(handle, "x"),
    "remove": lambda m, handle: m.remove(handle, "x"),
    "size": lambda m, handle: m.size(handle),
    "sort": lambda m, handle: m.sort(handle),
    "strings": lambda m, handle: m.strings(handle),
    "tail": lambda m, handle: m.tail(handle),
}


class Thing:
    """An object that can be referenced weakly."""


@pytest.fixture(params=[zlist, zlistx], ids=["zlist", "zlistx"])
def lists(request: Any) -> Any:
    """One of the two modules."""
    return request.param


def add(module: ModuleType, handle: Any, *items: Any) -> Any:
    """Add items at the end."""
    for item in items:
        (module.append if module is zlist else module.add_end)(handle, item)
    return handle


def new(module: ModuleType, *items: Any) -> Any:
    """A list with some items."""
    return add(module, module.new(), *items)


def raise_(error: BaseException) -> Any:
    raise error


def test_example_of_the_class() -> None:
    """What CZMQ's self-test shows: the cursor, removal, sorting, copies, lists in a list."""
    cheese, bread, wine = "boursin", "baguette", "bordeaux"
    basket = zlist.new()
    assert zlist.size(basket) == 0
    for count, item in enumerate((cheese, bread, wine), 1):
        assert not zlist.exists(basket, item)
        assert zlist.append(basket, item) == 0
        assert zlist.exists(basket, item)
        assert zlist.size(basket) == count

    assert zlist.head(basket) == cheese
    assert zlist.next(basket) == cheese
    assert (zlist.first(basket), zlist.tail(basket), zlist.next(basket)) == (cheese, wine, bread)
    assert zlist.first(basket) == cheese
    assert [zlist.next(basket) for _ in range(4)] == [bread, wine, None, cheese]

    zlist.remove(basket, wine)
    assert zlist.size(basket) == 2
    assert zlist.first(basket) == cheese
    zlist.remove(basket, cheese)
    assert zlist.first(basket) == bread
    zlist.remove(basket, bread)
    assert zlist.size(basket) == 0

    add(zlist, basket, cheese, bread)
    assert zlist.last(basket) == bread
    zlist.remove(basket, bread)
    assert zlist.last(basket) == cheese
    zlist.remove(basket, cheese)
    assert zlist.last(basket) is None

    zlist.push(basket, cheese)
    zlist.push(basket, bread)
    assert (zlist.first(basket), zlist.item(basket)) == (bread, bread)
    zlist.append(basket, wine)
    assert zlist.item(basket) is None

    sub_list = zlist.dup(basket)
    zlist.sort(basket)
    assert [zlist.pop(basket) for _ in range(4)] == [bread, wine, cheese, None]
    assert zlist.items(sub_list) == [bread, cheese, wine]

    zlist.push(basket, sub_list)
    sub_list_2 = zlist.dup(sub_list)
    zlist.append(basket, sub_list_2)
    assert zlist.freefn(basket, sub_list, zlist.destroy, False) is sub_list
    assert zlist.freefn(basket, sub_list_2, zlist.destroy, True) is sub_list_2
    zlist.destroy(basket)
    for gone in (sub_list, sub_list_2):
        with pytest.raises(ValueError, match="was destroyed"):
            zlist.size(gone)

    basket = zlist.new()
    zlist.autofree(basket)
    zlist.push(basket, bread)
    add(zlist, basket, cheese, wine)
    assert zlist.exists(basket, wine)
    zlist.remove(basket, wine)
    assert not zlist.exists(basket, wine)
    assert [zlist.first(basket), zlist.pop(basket), zlist.pop(basket)] == [bread, bread, cheese]
    zlist.destroy(basket)


def test_self_test_passes(lists: Any) -> None:
    """CZMQ's own test of the class runs."""
    lists.test()


# ---------------------------------------------------------------- items


def test_any_object_comes_back_itself(lists: Any) -> None:
    """What was put in comes back: the very object, with no look at what it is like."""
    items = [*TEXTS, *(text.encode("utf-8", "surrogateescape") for text in TEXTS), "nul\0byte", b"\0", 0, False, 1.5]
    items += [[], {}, Thing(), Thing, print, (), ..., float("nan"), ffi.cast("int", 0), ffi.new("int *")[0]]
    handle = new(lists, *items)
    assert lists.size(handle) == len(items)
    assert all(found is item for found, item in zip(lists.items(handle), items))
    found = lists.first(handle)
    for item in items:
        assert found is item
        found = lists.next(handle)
    assert found is None
    assert (lists.head(handle), lists.tail(handle)) == (items[0], items[-1])


def test_none_is_no_item() -> None:
    """None and NULL are no items to C, which says so for zlist and aborts for zlistx."""
    handle = zlist.new()
    nothing: Any
    for nothing in (None, ffi.NULL, ffi.cast("char *", 0)):
        assert (zlist.append(handle, nothing), zlist.push(handle, nothing)) == (-1, -1)
        for function in (zlist.exists, zlist.remove):
            with pytest.raises(TypeError, match="item must not be None"):
                function(handle, nothing)
    assert zlist.size(handle) == 0


def test_c_sees_strings(lists: Any) -> None:
    """To C, text is a string, and any other object is one, too, which is not looked at."""
    handle = new(lists, "text", b"bytes", "cut\0here", "ä", 42)
    walk = (C.zlist_first, C.zlist_next) if lists is zlist else (C.zlistx_first, C.zlistx_next)
    found = [zstr.str(walk[0](handle))] + [zstr.str(walk[1](handle)) for _ in range(4)]
    assert found == ["text", "bytes", "cut", "ä", "<Python object>"]


def test_pointers_stand_for_themselves(lists: Any) -> None:
    """A pointer, such as a handle, is in C what it is, and comes back as the very object that was put in."""
    numbers = ffi.new("int[3]", [1, 2, 3])
    other = zlist.new()
    handle = new(lists, numbers, other, other)
    head = C.zlist_head(handle) if lists is zlist else C.zlistx_head(handle)
    assert head == numbers
    assert lists.head(handle) is numbers
    assert lists.tail(handle) is other
    reference = weakref.ref(other)
    del other
    collect()
    assert reference() is not None
    assert zlist.size(lists.tail(handle)) == 0


def test_pointer_that_is_in_twice_stays_until_it_is_out_twice() -> None:
    """Each occurrence counts; `freefn` is called once."""
    told: list[Any] = []
    pointer = ffi.new("int *")
    handle = new(zlist, pointer, "x", pointer)
    zlist.freefn(handle, pointer, told.append)
    zlist.remove(handle, pointer)
    assert told == [pointer]
    assert zlist.items(handle) == ["x", pointer]
    assert zlist.tail(handle) is pointer
    zlist.destroy(handle)
    assert told == [pointer]


def test_items_of_the_raw_floor_come_back_as_pointers(lists: Any) -> None:
    """What raw calls put in is never looked at: it may be anything. `strings` is told that they are strings."""
    text = ffi.new("char[]", b"raw")
    handle = new(lists, "ours")
    (C.zlist_append if lists is zlist else C.zlistx_add_end)(handle, ffi.cast("void *", 8))
    found = lists.tail(handle)
    assert ffi.typeof(found) is ffi.typeof("void *")
    assert int(ffi.cast("uintptr_t", found)) == 8
    assert lists.items(handle) == ["ours", found]
    lists.purge(handle)
    (C.zlist_append if lists is zlist else C.zlistx_add_end)(handle, text)
    add(lists, handle, "ours", b"\xff")
    assert lists.strings(handle) == ["raw", "ours", "\udcff"]
    assert zstr.str(lists.head(handle)) == "raw"
    add(lists, handle, 7)
    with pytest.raises(TypeError, match="list must hold strings only, not int"):
        lists.strings(handle)


def test_items_leave_the_cursor_alone(lists: Any) -> None:
    """Going through a list in Python does not disturb the cursor, wherever it is."""
    pointer = ffi.new("int *")
    everything = [pointer, "b", pointer, "c", pointer]
    handle = new(lists, *everything)
    assert lists.items(handle) == everything
    assert lists.item(handle) is None
    lists.first(handle)
    for index, item in enumerate(everything):
        assert lists.items(handle) == everything
        assert (zlist.exists if lists is zlist else zlistx.find)(handle, "nope") in (False, None)
        assert lists.item(handle) is item
        assert lists.next(handle) is (everything[index + 1] if index < 4 else None)


# ---------------------------------------------------------------- strings


@pytest.mark.parametrize("text", TEXTS)
def test_strings_of_c(text: str) -> None:
    """A list with autofree has C's own copies of strings, which come back as str."""
    handle = zlist.new()
    zlist.autofree(handle)
    zlist.autofree(handle)
    data = text.encode("utf-8", "surrogateescape")
    assert zlist.append(handle, data) == 0
    assert zlist.push(handle, text) == 0
    assert (zlist.items(handle), zlist.strings(handle)) == ([text, text], [text, text])
    assert (zlist.first(handle), zlist.last(handle)) == (text, text)
    assert zlist.exists(handle, data) and zlist.exists(handle, text)
    copy = zlist.dup(handle)
    zlist.remove(handle, data)
    assert zlist.pop(handle) == text
    assert zlist.size(handle) == 0
    zlist.destroy(handle)
    assert zlist.items(copy) == [text, text]


def test_only_strings_are_copied() -> None:
    """With autofree, what is no string is refused, also a pointer and a string with a NUL byte."""
    handle = zlist.new()
    zlist.autofree(handle)
    wrong: Any
    for wrong in (1, ffi.new("char[]", b"x"), [], bytearray(b"x")):
        with pytest.raises(TypeError, match="item of a list of strings must be str or bytes"):
            zlist.append(handle, wrong)
    with pytest.raises(ValueError, match="NUL"):
        zlist.push(handle, "a\0b")
    with pytest.raises(ValueError, match="list must be empty"):
        zlist.autofree(new(zlist, "static"))


def test_strings_that_raw_calls_ask_for() -> None:
    """A list that a raw call has told to copy is found out: its items are C's then."""
    for handle in (C.zlist_new(), zlist.new()):
        C.zlist_autofree(handle)
        assert zlist.append(handle, "copied") == 0
        assert zlist.items(handle) == ["copied"]
        with pytest.raises(TypeError, match="item of a list of strings"):
            zlist.append(handle, 42)
        assert zlist.pop(handle) == "copied"
        zlist.destroy(handle)
    handle = C.zlist_new()
    C.zlist_autofree(handle)
    with pytest.raises(TypeError, match="item of a list of strings must be str or bytes, not int"):
        zlist.push(handle, 42)
    assert zlist.size(handle) == 0
    zlist.destroy(handle)


# ---------------------------------------------------------------- comparing


def test_equal_is_what_python_says() -> None:
    """Without a comparator items are equal if == says so; text is also equal as str and as bytes."""
    handle = new(zlist, "text", 1, (1, 2), b"bytes")
    item: Any
    for item in ("text", b"text", 1.0, True, (1, 2), "bytes", b"bytes"):
        assert zlist.exists(handle, item), item
    for item in ("Text", 2, (1,), ffi.new("int *"), b""):
        assert not zlist.exists(handle, item), item
    zlist.remove(handle, 1.0)
    zlist.remove(handle, "missing")
    zlist.remove(handle, "bytes")
    assert zlist.items(handle) == ["text", (1, 2)]


def test_the_first_equal_item_is_removed() -> None:
    """Of equal items one goes, and a cursor there goes back."""
    handle = new(zlist, "a", "b", "a")
    zlist.first(handle)
    zlist.next(handle)
    zlist.remove(handle, "b")
    assert zlist.item(handle) == "a"
    assert zlist.next(handle) == "a"
    zlist.remove(handle, "a")
    assert zlist.items(handle) == ["a"]


def test_comparator_of_python() -> None:
    """`comparefn` decides for exists, remove and sort; a comparator given to sort goes before it."""
    handle = new(zlist, "b", "A", "c")
    zlist.comparefn(handle, lambda one, other: (one.lower() > other.lower()) - (one.lower() < other.lower()))
    assert zlist.exists(handle, "B")
    zlist.sort(handle)
    assert zlist.items(handle) == ["A", "b", "c"]
    assert zlist.items(zlist.dup(handle)) == ["A", "b", "c"]
    assert zlist.exists(zlist.dup(handle), "C")
    zlist.sort(handle, lambda one, other: (one < other) - (one > other))
    assert zlist.items(handle) == ["c", "b", "A"]
    zlist.remove(handle, "B")
    zlist.comparefn(handle, None)
    assert not zlist.exists(handle, "a")
    assert zlist.items(handle) == ["c", "A"]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 100, 1000])
def test_sorting(lists: Any, count: int) -> None:
    """Lists of any length are sorted, whatever is in them."""
    numbers = [random.randrange(count) for _ in range(count)]
    handle = new(lists, *numbers)
    lists.sort(handle)
    assert lists.items(handle) == sorted(numbers)
    texts = [bytes([random.randrange(1, 256)]) for _ in range(count)]
    mixed = [text.decode("utf-8", "surrogateescape") if random.random() < 0.5 else text for text in texts]
    handle = new(lists, *mixed)
    lists.sort(handle)
    assert lists.strings(handle) == [text.decode("utf-8", "surrogateescape") for text in sorted(texts)]


def test_sorting_c_strings() -> None:
    """A list of C's strings is sorted as C would."""
    handle = zlist.new()
    zlist.autofree(handle)
    add(zlist, handle, "b", "ä", "a", "B", "")
    zlist.sort(handle)
    assert zlist.items(handle) == ["", "B", "a", "b", "ä"]


def test_sorting_keeps_the_order_of_equal_items(lists: Any) -> None:
    """Equal items stay in their order, and so does a list that cannot be sorted."""
    pairs = [(random.randrange(3), number) for number in range(50)]
    handle = new(lists, *pairs)
    comparator = lambda one, other: one[0] - other[0]  # noqa: E731
    if lists is zlist:
        zlist.sort(handle, comparator)
    else:
        zlistx.set_comparator(handle, comparator)
        zlistx.sort(handle)
    assert lists.items(handle) == sorted(pairs, key=lambda pair: pair[0])
    handle = new(lists, 1, "a", 0)
    with pytest.raises(TypeError, match="not supported"):
        lists.sort(handle)
    assert lists.items(handle) == [1, "a", 0]


def compare_with(module: ModuleType, handle: Any, comparator: Any) -> None:
    """Set a comparator."""
    (zlist.comparefn if module is zlist else zlistx.set_comparator)(handle, comparator)


@pytest.mark.parametrize("result", [1, -1, 0, 2**100, True])
def test_comparators_that_make_no_sense(lists: Any, result: int) -> None:
    """Sorting ends, and loses nothing, whatever a comparator returns: C would go on for ever."""
    handle = new(lists, *range(20))
    compare_with(lists, handle, lambda one, other: result)
    lists.sort(handle)
    assert sorted(lists.items(handle)) == [*range(20)]
    compare_with(lists, handle, lambda one, other: random.choice([-1, 0, 1]))
    lists.sort(handle)
    assert sorted(lists.items(handle)) == [*range(20)]


@pytest.mark.parametrize("wrong", [None, "0", 1.5])
def test_comparators_must_return_an_int(lists: Any, wrong: Any) -> None:
    """Another result is a TypeError that comes out of the call that needed it."""
    handle = new(lists, 1, 2)
    compare_with(lists, handle, lambda one, other: wrong)
    for call in (lambda: lists.sort(handle), lambda: (zlist.exists if lists is zlist else zlistx.find)(handle, 1)):
        with pytest.raises(TypeError, match="a comparator must return an int"):
            call()
    assert lists.items(handle) == [1, 2]


def test_exceptions_of_comparators_come_out(lists: Any) -> None:
    """An exception comes out of the call, the list stays as it was, and works on."""
    handle = new(lists, 3, 1, 2)
    compare_with(lists, handle, lambda one, other: raise_(KeyError("mine")))
    with pytest.raises(KeyError, match="mine"):
        lists.sort(handle)
    with pytest.raises(KeyError, match="mine"):
        (zlist.remove if lists is zlist else zlistx.find)(handle, 1)
    assert lists.items(handle) == [3, 1, 2]
    compare_with(lists, handle, None)
    lists.sort(handle)
    assert lists.items(handle) == [1, 2, 3]


def test_exceptions_of_equality_come_out(lists: Any) -> None:
    """So do those of an item's own ==."""

    class Odd:
        def __eq__(self, other: object) -> bool:
            raise KeyError("odd")

        __hash__ = None  # type: ignore[assignment]

    handle = new(lists, Odd())
    with pytest.raises(KeyError, match="odd"):
        (zlist.exists if lists is zlist else zlistx.find)(handle, 1)
    assert lists.size(handle) == 1


def test_no_changes_from_a_comparator(lists: Any) -> None:
    """A comparator may look at the list, but neither change nor destroy it; another list is no matter."""
    handle = new(lists, 2, 1)
    seen = []
    changes: list[Any] = [lambda: lists.destroy(handle), lambda: lists.purge(handle), lambda: lists.sort(handle)]
    changes += [lambda: add(lists, handle, 3), lambda: compare_with(lists, handle, None)]
    if lists is zlist:
        changes += [lambda: zlist.pop(handle), lambda: zlist.remove(handle, 1), lambda: zlist.autofree(handle)]
    else:
        changes += [lambda: zlistx.detach(handle), lambda: zlistx.delete(handle), lambda: zlistx.insert(handle, 1)]

    def comparator(one: int, other: int) -> int:
        for change in changes:
            with pytest.raises(ValueError, match=r"list is in use: it cannot be (changed|destroyed) now"):
                change()
        seen.append((lists.items(handle), lists.size(handle)))
        lists.first(handle)
        lists.destroy(new(lists, "other"))
        return one - other

    compare_with(lists, handle, comparator)
    lists.sort(handle)
    assert lists.items(handle) == [1, 2]
    assert seen and all(entry == ([2, 1], 2) for entry in seen)
    compare_with(lists, handle, None)
    lists.destroy(handle)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signals")
def test_signals_while_sorting() -> None:
    """A signal handler that raises loses no item, wherever it comes: the exception comes out of the call."""
    program = """
        import gc, random, signal
        from pyczmq import zlist
        class Interrupt(Exception):
            pass
        def handler(number, frame):
            raise Interrupt
        signal.signal(signal.SIGALRM, handler)
        handle = zlist.new()
        for number in range(500):
            zlist.append(handle, number)
        # What it imports is no place for a handler that raises.
        zlist.sort(handle, lambda one, other: one - other)
        # What a weak reference's callback raises on PyPy, whenever that is, is printed and no more.
        gc.collect()
        gc.disable()
        caught = 0
        while caught < 10:
            shuffled = [*range(500)]
            random.shuffle(shuffled)
            try:
                signal.setitimer(signal.ITIMER_REAL, random.random() / 200 + 1e-6)
                zlist.sort(handle, lambda one, other: shuffled[one] - shuffled[other])
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Interrupt:
                caught += 1
            assert sorted(zlist.items(handle)) == [*range(500)]
        zlist.sort(handle)
        assert zlist.items(handle) == [*range(500)]
        print("whole")
    """
    assert children.check(program, timeout=60) == "whole\n"


@pytest.mark.parametrize("wrong", [1, "f", ffi.NULL, C.zlist_sort])
def test_callables_must_be_pythons(wrong: Any) -> None:
    """Anything else is refused by the argument's name: C's functions are for the raw floor."""
    handle = new(zlist, 1)
    for name, call in (
        ("fn", lambda: zlist.comparefn(handle, wrong)),
        ("fn", lambda: zlist.freefn(handle, 1, wrong)),
        ("compare", lambda: zlist.sort(handle, wrong)),
    ):
        with pytest.raises(TypeError, match=f"^{name} must be a Python callable"):
            call()


# ---------------------------------------------------------------- ownership


def test_freefn_is_called_once_for_each_item() -> None:
    """What it has set is called for an item that is removed or purged or goes with the list, but not popped."""
    told: list[Any] = []
    handle = new(zlist, *"abcdef")
    for item in "abcdef":
        assert zlist.freefn(handle, item, told.append) == item
    assert zlist.freefn(handle, "f", None) == "f"
    assert zlist.freefn(handle, "x", told.append) is None
    assert zlist.freefn(handle, "a", raise_, True) is None
    assert zlist.pop(handle) == "a"
    zlist.remove(handle, "c")
    assert told == ["c"]
    copy = zlist.dup(handle)
    zlist.purge(handle)
    assert told == [*"cbde"]
    zlist.destroy(handle)
    zlist.destroy(copy)
    assert told == [*"cbde"]
    strings = zlist.new()
    assert zlist.freefn(strings, "x", told.append, True) is None
    zlist.autofree(strings)
    zlist.append(strings, "x")
    assert zlist.freefn(strings, "x", told.append) == "x"
    zlist.destroy(strings)
    assert told == [*"cbde"]


def test_freefn_for_an_item_of_the_raw_floor() -> None:
    """It is called with the pointer."""
    told: list[Any] = []
    handle = zlist.new()
    C.zlist_append(handle, ffi.cast("void *", 8))
    assert zlist.freefn(handle, ffi.cast("void *", 8), told.append) == ffi.cast("void *", 8)
    zlist.purge(handle)
    assert told == [ffi.cast("void *", 8)]


def watch(module: ModuleType, handle: Any, destructor: Any) -> None:
    """Have a callable told of each item of a list that goes."""
    if module is zlistx:
        zlistx.set_destructor(handle, destructor)
    else:
        for item in zlist.items(handle):
            zlist.freefn(handle, item, destructor)


def test_all_are_told_and_the_first_exception_comes_out(lists: Any) -> None:
    """A destructor that raises stops nobody; its exception comes out of the call, with the next one as its context."""
    told: list[int] = []

    def destructor(item: int) -> None:
        told.append(item)
        if item < 3:
            raise KeyError(item)

    for end in (lists.destroy, lists.purge):
        told.clear()
        handle = new(lists, 1, 2, 3)
        watch(lists, handle, destructor)
        with pytest.raises(KeyError) as caught:
            end(handle)
        assert caught.value.args == (1,)
        assert isinstance(caught.value.__context__, KeyError)
        assert caught.value.__context__.args == (2,)
        assert told == [1, 2, 3]


def test_destructor_may_do_as_it_likes(lists: Any) -> None:
    """C is done when a destructor is called: it may change or destroy the list."""
    handle = new(lists, 1, 2)
    watch(lists, handle, lambda item: add(lists, handle, "new"))
    lists.purge(handle)
    assert lists.items(handle) == ["new", "new"]
    watch(lists, handle, None)
    other = new(lists, 1, 2)
    watch(lists, other, lambda item: lists.destroy(other) if item == 1 else None)
    if lists is zlist:
        zlist.remove(other, 1)
    else:
        assert zlistx.delete(other) == 0
    with pytest.raises(ValueError, match="list was destroyed"):
        lists.size(other)


def test_items_live_as_long_as_they_are_in(lists: Any) -> None:
    """A list keeps its items, and no longer than that."""
    handle = new(lists, Thing(), Thing(), Thing())
    references = [weakref.ref(thing) for thing in lists.items(handle)]
    collect()
    assert all(reference() is not None for reference in references)
    (zlist.pop if lists is zlist else zlistx.detach)(handle)
    collect()
    assert [reference() is None for reference in references] == [True, False, False]
    copy = lists.dup(handle)
    lists.destroy(handle)
    collect()
    assert [reference() is None for reference in references] == [True, False, False]
    assert lists.first(copy) is references[1]()
    del copy
    collect()
    assert all(reference() is None for reference in references)


def test_dropped_list_tells_the_destructor(lists: Any) -> None:
    """The garbage collector destroys a list that was dropped, once, and the destructor is told."""
    told: list[int] = []
    handle = new(lists, 1, 2, 3)
    watch(lists, handle, told.append)
    del handle
    collect()
    assert told == [1, 2, 3]


@pytest.mark.parametrize("destructor", [False, True])
def test_list_that_is_in_itself_is_collected(lists: Any, destructor: bool) -> None:
    """A cycle of a list, an item that refers to it and its callables is garbage like any other."""
    told: list[str] = []
    thing = Thing()
    handle = new(lists, thing, "x")
    thing.handle = handle  # type: ignore[attr-defined]
    add(lists, handle, handle)
    compare_with(lists, handle, functools.partial(cmp, handle))
    if destructor:
        watch(lists, handle, lambda item: told.append(type(item).__name__))
    reference, handle_reference = weakref.ref(thing), weakref.ref(handle)
    del thing, handle
    collect()
    assert (reference(), handle_reference()) == (None, None)
    assert len(told) == (3 if destructor else 0)


def cmp(_: Any, one: Any, other: Any) -> int:
    return 0 if one is other else 1


def test_nothing_leaks(lists: Any) -> None:
    """Many lists and items leave nothing behind: neither objects nor what goes with their handles."""
    from pyczmq import _handles, _keeper

    def work() -> None:
        for _ in range(50):
            handle = new(lists, *map(str, range(20)))
            lists.sort(handle)
            add(lists, handle, Thing())
            copy = lists.dup(handle)
            lists.purge(handle)
            lists.destroy(copy)
            if lists is zlist:
                zlist.autofree(handle)
            add(lists, handle, "a", "b")

    work()
    collect()
    before = (len(_keeper.keepers), len(_handles._owned), len(_handles._companions), len(_handles.dead))
    work()
    collect()
    after = (len(_keeper.keepers), len(_handles._owned), len(_handles._companions), len(_handles.dead))
    assert all(now <= then for now, then in zip(after, before))
    assert sum(isinstance(thing, Thing) for thing in gc.get_objects()) == 0


def test_at_exit_and_after_fork(lists: Any) -> None:
    """What is left at exit is destroyed then, and the destructor told; a list stays usable in a forked child."""
    program = """
        import os, sys
        sys.path.insert(0, sys.argv[2])
        from pyczmq import zlist, zlistx
        module = zlist if sys.argv[1] == "zlist" else zlistx
        handle = module.new()
        say = lambda item: (print(item, flush=True), 1 / item)
        if module is zlistx:
            zlistx.set_destructor(handle, say)
        for item in (1, 0, 2):
            (module.append if module is zlist else module.add_end)(handle, item)
            if module is zlist:
                zlist.freefn(handle, item, say)
        pid = os.fork()
        if not pid:
            module.sort(handle)
            os._exit(module.items(handle) == [0, 1, 2])
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
        cycle = [handle]
        cycle.append(cycle)
    """
    done = children.run(program, lists.__name__.split(".")[-1], "")
    assert (done.status, done.output.split()) == (0, ["1", "1", "0", "2"]), done
    assert done.errors.count("Traceback") == 1
    assert "ZeroDivisionError" in done.errors


# ---------------------------------------------------------------- lists of C's


@pytest.mark.parametrize("texts", [[], TEXTS])
def test_lists_for_c_and_from_c(texts: list[str]) -> None:
    """What the other namespaces use: Python's strings become a list of C's, and C's list becomes Python's."""
    made = _containers.make_strings(iter(texts))
    assert _containers.peek_strings(made) == texts
    assert zlist.strings(made) == texts
    assert _containers.take_strings(made) == texts
    assert _containers.take_strings(ffi.cast("zlist_t *", 0)) == []
    for wrong, error, match in (
        ("text", TypeError, "^args must be a collection of strings, not str"),
        ([1], TypeError, "^each of args must be str or bytes, not int"),
        (["a\0b"], ValueError, "^each of args must not contain a NUL byte"),
    ):
        with pytest.raises(error, match=match):
            _containers.make_strings(wrong, "args")  # type: ignore[arg-type]


# ---------------------------------------------------------------- handles


@pytest.mark.parametrize("name", CALLS)
def test_handles_are_checked(name: str) -> None:
    """None, another type, NULL and a list that was destroyed are refused by name, in every function."""
    call = CALLS[name]
    gone = zlist.new()
    zlist.destroy(gone)
    for wrong in (1, "list", ffi.new("int *"), zlistx.new(), ffi.NULL):
        with pytest.raises(TypeError, match="list must be a struct _zlist_t"):
            call(zlist, wrong)
    with pytest.raises(ValueError, match="list is NULL"):
        call(zlist, ffi.cast("zlist_t *", 0))
    with pytest.raises(ValueError, match="list was destroyed"):
        call(zlist, gone)
    if name in ("destroy", "dup"):
        assert call(zlist, None) is None
    else:
        with pytest.raises(TypeError, match="list must be a struct _zlist_t"):
            call(zlist, None)


def test_every_function_is_among_the_calls() -> None:
    """No function is forgotten above."""
    functions = {name for name, value in vars(zlist).items() if getattr(value, "__module__", "") == zlist.__name__}
    assert {name for name in functions if not name.startswith("_")} - {"new", "test"} == set(CALLS)


def test_handles_of_the_raw_floor() -> None:
    """A list that a raw call made takes items, too, and is whoever made it's to destroy, in either floor."""
    handle = C.zlist_new()
    add(zlist, handle, "a", Thing())
    assert zlist.first(handle) == "a"
    zlist.remove(handle, "a")
    assert zlist.size(handle) == 1
    zlist.destroy(handle)
    with pytest.raises(ValueError, match="list was destroyed"):
        zlist.first(handle)
    handle = new(zlist, "mixed")
    assert zstr.str(C.zlist_pop(handle)) == "mixed"
    assert zlist.items(handle) == []


def test_list_in_use_in_another_thread() -> None:
    """While a comparator is at work, another thread is refused."""
    import threading

    handle = new(zlist, 1, 2)
    caught: list[BaseException] = []

    def meddle() -> None:
        try:
            zlist.append(handle, 3)
        except ValueError as error:
            caught.append(error)

    def comparator(one: int, other: int) -> int:
        thread = threading.Thread(target=meddle)
        thread.start()
        thread.join()
        return one - other

    zlist.sort(handle, comparator)
    assert "list is in use in another thread" in str(caught[0])
    assert zlist.items(handle) == [1, 2]
