"""zlistx: what it has beyond zlist: handles, duplicators, sorted lists, packed frames. The rest is in test_zlist.py."""

from __future__ import annotations

import random
import struct
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, ffi, zframe, zlist, zlistx, zstr

#: Every function, called with a list.
CALLS: dict[str, Any] = {
    "add_end": lambda handle: zlistx.add_end(handle, "x"),
    "add_start": lambda handle: zlistx.add_start(handle, "x"),
    "cursor": zlistx.cursor,
    "delete": zlistx.delete,
    "destroy": zlistx.destroy,
    "detach": zlistx.detach,
    "detach_cur": zlistx.detach_cur,
    "dup": zlistx.dup,
    "find": lambda handle: zlistx.find(handle, "x"),
    "first": zlistx.first,
    "head": zlistx.head,
    "insert": lambda handle: zlistx.insert(handle, "x"),
    "item": zlistx.item,
    "items": zlistx.items,
    "last": zlistx.last,
    "move_end": lambda handle: zlistx.move_end(handle, ffi.cast("void *", 8)),
    "move_start": lambda handle: zlistx.move_start(handle, ffi.cast("void *", 8)),
    "next": zlistx.next,
    "pack": zlistx.pack,
    "prev": zlistx.prev,
    "purge": zlistx.purge,
    "reorder": lambda handle: zlistx.reorder(handle, ffi.cast("void *", 8)),
    "set_comparator": lambda handle: zlistx.set_comparator(handle, None),
    "set_destructor": lambda handle: zlistx.set_destructor(handle, None),
    "set_duplicator": lambda handle: zlistx.set_duplicator(handle, None),
    "size": zlistx.size,
    "sort": zlistx.sort,
    "strings": zlistx.strings,
    "tail": zlistx.tail,
}

#: Functions that take the handle of an item.
WITH_HANDLE: dict[str, Any] = {
    "delete": zlistx.delete,
    "detach": zlistx.detach,
    "move_end": zlistx.move_end,
    "move_start": zlistx.move_start,
    "reorder": zlistx.reorder,
}


def new(*items: Any) -> Any:
    """A list with some items."""
    handle = zlistx.new()
    for item in items:
        zlistx.add_end(handle, item)
    return handle


def descending(one: Any, other: Any) -> int:
    return int(one < other) - int(one > other)


def frame_of(data: bytes) -> Any:
    return zframe.new(data)


def test_example_of_the_class() -> None:
    """What CZMQ's self-test shows: empty lists, sorting, finding, moving, copies, deleting while going through."""
    words = zlistx.new()
    assert zlistx.size(words) == 0
    for function in (zlistx.head, zlistx.first, zlistx.last, zlistx.next, zlistx.prev, zlistx.tail, zlistx.item):
        assert function(words) is None
    assert zlistx.find(words, "hello") is None
    for _ in range(2):
        assert zlistx.delete(words) == -1
        assert zlistx.detach(words) is None
    assert zlistx.detach_cur(words) is None
    zlistx.purge(words)
    zlistx.sort(words)

    assert zlistx.next(words) is None
    zlistx.add_end(words, "world")
    assert (zlistx.next(words), zlistx.head(words)) == ("world", "world")
    zlistx.add_end(words, "hello")
    assert zlistx.prev(words) == "hello"
    zlistx.sort(words)
    assert zlistx.size(words) == 2
    handle = zlistx.find(words, "hello")
    assert zlistx.item(words) == zlistx.handle_item(handle) == "hello"
    assert zlistx.delete(words, handle) == 0
    assert zlistx.size(words) == 1
    assert zlistx.detach(words, None) == "world"
    assert zlistx.size(words) == 0

    for start, end in (("five", "six"), ("four", "seven"), ("three", "eight"), ("two", "nine"), ("one", "ten")):
        zlistx.add_start(words, start)
        zlistx.add_end(words, end)
    assert zlistx.size(words) == 10
    assert [zlistx.last(words)] + [zlistx.prev(words) for _ in range(5)] == [
        "ten",
        "nine",
        "eight",
        "seven",
        "six",
        "five",
    ]
    assert [zlistx.first(words)] + [zlistx.next(words) for _ in range(3)] == ["one", "two", "three", "four"]

    zlistx.sort(words)
    assert (zlistx.first(words), zlistx.last(words)) == ("eight", "two")
    handle = zlistx.find(words, "six")
    assert handle is not None
    zlistx.move_start(words, handle)
    assert zlistx.first(words) == "six"
    zlistx.move_end(words, handle)
    assert zlistx.last(words) == "six"
    zlistx.sort(words)
    assert zlistx.last(words) == "two"

    copy = zlistx.dup(words)
    assert copy is not None
    assert zlistx.size(copy) == 10
    assert (zlistx.first(copy), zlistx.last(copy)) == ("eight", "two")
    zlistx.destroy(copy)

    assert (zlistx.first(words), zlistx.next(words)) == ("eight", "five")
    assert zlistx.delete(words, zlistx.cursor(words)) == 0
    assert zlistx.next(words) == "four"

    frame = zlistx.pack(words)
    unpacked = zlistx.unpack(frame)
    zframe.destroy(frame)
    assert unpacked is not None
    assert zlistx.items(unpacked) == zlistx.items(words)
    zlistx.purge(words)
    zlistx.destroy(words)


# ---------------------------------------------------------------- handles of items


def test_handles_stay_with_their_items() -> None:
    """A handle is for one item, wherever it is moved to, also by sorting, as long as it is there."""
    words = zlistx.new()
    handles = {word: zlistx.add_start(words, word) for word in ("d", "a", "c", "b")}
    zlistx.sort(words)
    zlistx.move_end(words, handles["b"])
    zlistx.move_end(words, handles["b"])
    zlistx.move_start(words, handles["d"])
    zlistx.move_start(words, handles["d"])
    assert zlistx.items(words) == ["d", "a", "c", "b"]
    for word, handle in handles.items():
        assert zlistx.handle_item(handle) == word
        assert zlistx.find(words, word) is handle
        assert zlistx.cursor(words) is handle
    zlistx.purge(words)
    assert zlistx.cursor(words) is None
    assert zlistx.handle_item(None) is None


@pytest.mark.parametrize("end", ["delete", "detach", "detach_cur", "purge", "destroy", "drop"])
def test_handles_die_with_their_items(end: str) -> None:
    """A handle whose item is gone is refused by every function: C would look into memory that was freed."""
    words = new("a")
    handle = zlistx.find(words, "a")
    if end in ("delete", "detach"):
        getattr(zlistx, end)(words, handle)
    elif end == "drop":
        words = new("b")
        collect()
    else:
        getattr(zlistx, end)(words)
    with pytest.raises(ValueError, match=r"handle (was for an item that is gone|is of no list)"):
        zlistx.handle_item(handle)
    for name, function in WITH_HANDLE.items():
        with pytest.raises(ValueError, match=r"handle|list was destroyed"):
            function(words, handle)
            pytest.fail(name)


@pytest.mark.parametrize("name", WITH_HANDLE)
def test_handles_are_checked(name: str) -> None:
    """A handle of another list, of no list, NULL, or of another type is refused."""
    words, others = new("a", "b"), new("c")
    function = WITH_HANDLE[name]
    for wrong in (zlistx.find(others, "c"), ffi.cast("void *", 8), ffi.cast("void *", words), ffi.NULL):
        with pytest.raises(ValueError, match=r"handle (is not for an item of this list|is NULL)"):
            function(words, wrong)
    for mistyped in (1, "a", words, ffi.new("char[]", b"a")):
        with pytest.raises(TypeError, match="handle must be a void"):
            function(words, mistyped)
    for odd in (ffi.cast("void *", 8), ffi.cast("void *", words), ffi.NULL):
        with pytest.raises(ValueError, match=r"handle (is of no list|is NULL)"):
            zlistx.handle_item(odd)
    assert zlistx.items(words) == ["a", "b"]


@pytest.mark.parametrize("name", ["move_end", "move_start", "reorder"])
def test_handles_that_must_be_given(name: str) -> None:
    """Where C aborts for NULL, None is refused."""
    with pytest.raises(TypeError, match="handle must be a void"):
        WITH_HANDLE[name](new("a"), None)


def test_handles_of_raw_calls() -> None:
    """Handles go both ways between the floors."""
    words = new("a", "b", "c")
    C.zlistx_first(words)
    handle = C.zlistx_cursor(words)
    zlistx.move_end(words, handle)
    assert zlistx.items(words) == ["b", "c", "a"]
    text = ffi.new("char[]", b"raw")
    raw = C.zlistx_add_end(words, text)
    zlistx.move_start(words, raw)
    assert zstr.str(zlistx.head(words)) == "raw"
    assert zlistx.detach(words, raw) == text
    found = zlistx.find(words, "c")
    assert found is not None
    assert C.zlistx_handle_item(found) == C.zlistx_item(words)
    assert zlistx.delete(words, found) == 0
    assert zlistx.items(words) == ["b", "a"]


def test_cursor_of_detached_items() -> None:
    """A cursor at an item that is removed goes back; at any other it stays, also when the first item goes."""
    words = new(*"abcdef")
    zlistx.first(words)
    zlistx.next(words)
    zlistx.next(words)
    assert zlistx.detach(words) == "a"
    assert zlistx.item(words) == "c"
    assert zlistx.detach_cur(words) == "c"
    assert zlistx.item(words) == "b"
    assert zlistx.delete(words) == 0
    assert zlistx.item(words) is None
    assert zlistx.delete(words) == 0
    assert (zlistx.item(words), zlistx.next(words)) == (None, "e")
    assert zlistx.find(words, "x") is None
    assert zlistx.item(words) == "e"
    assert zlistx.find(words, "f") is not None
    assert zlistx.item(words) == "f"


# ---------------------------------------------------------------- sorted lists


@pytest.mark.parametrize("low_value", [True, False])
@pytest.mark.parametrize("comparator", [None, descending])
def test_insert_and_reorder(low_value: bool, comparator: Any) -> None:
    """A list that grows by insert is sorted at each time, from whichever end; reorder puts one item right."""
    numbers = zlistx.new()
    zlistx.set_comparator(numbers, comparator)
    values = [random.randrange(50) for _ in range(100)]
    for count, value in enumerate(values, 1):
        handle = zlistx.insert(numbers, value, low_value)
        assert zlistx.handle_item(handle) == value
        assert zlistx.items(numbers) == sorted(values[:count], reverse=comparator is not None)
        assert zlistx.cursor(numbers) is None
    for _ in range(20):
        found = zlistx.find(numbers, random.choice(values))
        assert found is not None
        random.choice([zlistx.move_start, zlistx.move_end])(numbers, found)
        zlistx.reorder(numbers, found, low_value)
        assert zlistx.items(numbers) == sorted(values, reverse=comparator is not None)
        assert zlistx.cursor(numbers) is found


def test_low_value_tells_on_which_side_of_its_equals() -> None:
    """From the start, an item comes before those that are equal; from the end, behind them."""
    numbers = new(1, 2, 2, 3)
    zlistx.insert(numbers, 2.0, True)
    zlistx.insert(numbers, True, False)
    assert [type(item) for item in zlistx.items(numbers)] == [int, bool, float, int, int, int]
    texts = new(b"a", "c")
    zlistx.insert(texts, "b")
    assert zlistx.strings(texts) == ["a", "b", "c"]


def test_insert_that_fails_changes_nothing() -> None:
    """An exception of the comparator or duplicator comes out, and nothing was added; None is no item."""
    words = new("a", "b")
    with pytest.raises(TypeError, match="not supported"):
        zlistx.insert(words, 1)
    zlistx.set_comparator(words, lambda one, other: "x")  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError, match="a comparator must return an int"):
        zlistx.insert(words, "c")
    with pytest.raises(TypeError, match="a comparator must return an int"):
        zlistx.reorder(words, zlistx.add_end(words, "c"))
    zlistx.set_duplicator(words, lambda item: None)
    for function in (zlistx.insert, zlistx.add_end, zlistx.add_start):
        with pytest.raises(TypeError, match="duplicate of item must not be None"):
            function(words, "d")
        for nothing in (None, ffi.NULL):
            with pytest.raises(TypeError, match="item must not be None"):
                function(words, nothing)
    assert zlistx.items(words) == ["a", "b", "c"]


# ---------------------------------------------------------------- callables


def test_duplicator_and_destructor() -> None:
    """What is kept is the duplicate; the destructor is told of each that is deleted or purged, not of one detached."""
    made: list[Any] = []
    told: list[Any] = []

    def duplicator(item: list[int]) -> Any:
        made.append([*item])
        return made[-1]

    handle = zlistx.new()
    zlistx.set_duplicator(handle, duplicator)
    zlistx.set_destructor(handle, told.append)
    original = [1]
    zlistx.add_end(handle, original)
    zlistx.add_start(handle, [2])
    zlistx.insert(handle, [3])
    assert all(found is copy for found, copy in zip(zlistx.items(handle), (made[1], made[0], made[2])))
    assert zlistx.first(handle) == [2] and zlistx.find(handle, [1]) is not None
    copy = zlistx.dup(handle)
    assert len(made) == 6
    assert zlistx.detach(handle) == [2]
    assert zlistx.delete(handle) == 0
    assert told == [[1]] and told[0] is made[0]
    zlistx.purge(handle)
    assert told == [[1], [3]]
    zlistx.destroy(handle)
    assert told == [[1], [3]]
    zlistx.destroy(copy)
    assert told == [[1], [3], [2], [1], [3]]
    assert original == [1]


def test_the_same_object_many_times() -> None:
    """The destructor is told as often as the object was in the list; a pointer is counted."""
    told: list[Any] = []
    pointer, thing = ffi.new("int *"), object()
    handle = new(pointer, thing, pointer, thing, pointer)
    zlistx.set_destructor(handle, told.append)
    zlistx.delete(handle)
    assert told == [pointer]
    assert zlistx.items(handle) == [thing, pointer, thing, pointer]
    zlistx.destroy(handle)
    assert sorted(map(id, told)) == sorted(map(id, [pointer, pointer, thing, thing, pointer]))


def test_exceptions_of_a_duplicator_come_out() -> None:
    """Nothing was added then, and a copy that was begun is destroyed."""
    told: list[Any] = []

    def duplicator(item: int) -> float:
        return 1 / item

    handle = new(1, 2, 0)
    zlistx.set_duplicator(handle, duplicator)
    zlistx.set_destructor(handle, told.append)
    with pytest.raises(ZeroDivisionError):
        zlistx.add_end(handle, 0)
    assert zlistx.size(handle) == 3
    with pytest.raises(ZeroDivisionError):
        zlistx.dup(handle)
    collect()
    assert told == [1.0, 0.5]


def test_no_changes_from_a_duplicator() -> None:
    """A duplicator can look at the list, but not change or destroy it."""
    handle = new("a")

    def duplicator(item: str) -> str:
        for call in (lambda: zlistx.destroy(handle), lambda: zlistx.purge(handle), lambda: zlistx.delete(handle)):
            with pytest.raises(ValueError, match="list is in use"):
                call()
        return item + str(zlistx.head(handle))

    zlistx.set_duplicator(handle, duplicator)
    zlistx.add_end(handle, "b")
    assert zlistx.items(handle) == ["a", "ba"]


@pytest.mark.parametrize("wrong", [1, "f", ffi.NULL, C.zstr_free])
def test_callables_must_be_pythons(wrong: Any) -> None:
    """Anything else is refused by the argument's name."""
    for name in ("destructor", "duplicator", "comparator"):
        with pytest.raises(TypeError, match=f"^{name} must be a Python callable"):
            getattr(zlistx, f"set_{name}")(new(), wrong)


def test_list_with_c_functions() -> None:
    """A list that raw calls have told to copy strings, as C's own are, is found out, and is read as strings."""
    keys = C.zhashx_new()
    C.zhashx_insert(keys, b"raw", ffi.cast("void *", 8))
    handle = C.zhashx_keys(keys)
    assert zlistx.strings(handle) == ["raw"]
    assert zlistx.add_end(handle, "copied") is not None
    assert zlistx.items(handle) == ["raw", "copied"]
    with pytest.raises(TypeError, match="item of a list of strings"):
        zlistx.add_end(handle, 1)
    assert zlistx.detach(handle) == "raw"
    zlistx.destroy(handle)
    handle = C.zhashx_keys(keys)
    with pytest.raises(TypeError, match="item of a list of strings"):
        zlistx.add_start(handle, 1)
    assert zlistx.size(handle) == 1
    zlistx.destroy(handle)
    C.zhashx_destroy(ffi.new("zhashx_t **", keys))


# ---------------------------------------------------------------- frames


@pytest.mark.parametrize("texts", [[], [""], ["a", b"\xff", "ä€😀"], ["x" * 2**20, ""], ["same", "same"]])
def test_pack_and_unpack(texts: list[Any]) -> None:
    """Strings go into a frame, as zproto has them, and come out as str."""
    frame = zlistx.pack(new(*texts))
    data = [text if isinstance(text, bytes) else text.encode() for text in texts]
    expected = struct.pack("!I", len(data)) + b"".join(struct.pack("!I", len(text)) + text for text in data)
    assert bytes(zframe.data(frame)) == expected
    unpacked = zlistx.unpack(frame)
    assert unpacked is not None
    assert zlistx.items(unpacked) == [text.decode("utf-8", "surrogateescape") for text in data]
    zframe.destroy(frame)
    assert zlistx.size(unpacked) == len(texts)


@pytest.mark.skipif(not hasattr(C, "zlistx_pack"), reason="this libczmq has no drafts")
def test_c_packs_the_same() -> None:
    """C reads our frames, and we read C's."""
    handle = new("one", "two", "")
    ours, theirs = zlistx.pack(handle), C.zlistx_pack(handle)
    assert bytes(zframe.data(ours)) == bytes(zframe.data(theirs))
    unpacked = C.zlistx_unpack(ours)
    assert zlistx.strings(unpacked) == ["one", "two", ""]
    zlistx.destroy(unpacked)
    for frame in (ours, theirs):
        zframe.destroy(frame)


@pytest.mark.parametrize(
    ("item", "error"), [(1, TypeError), (ffi.new("int *"), TypeError), ("a\0b", ValueError), (b"\0", ValueError)]
)
def test_only_strings_are_packed(item: Any, error: type[Exception]) -> None:
    """What C would read wrongly, or beyond its end, is refused."""
    with pytest.raises(error, match="each item must"):
        zlistx.pack(new("a", item))


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\1",
        b"\0\0\0\1\0\0\0",
        b"\0\0\0\1\0\0\0\2a",
        b"\0\0\0\1\xff\xff\xff\xffa",
        b"\xff\xff\xff\xff\0\0\0\0",
        b"\0\0\0\0a",
        b"\0\0\0\1\0\0\0\1aa",
        b"\0\0\0\1\0\0\0\1\0",
    ],
)
def test_broken_frames(data: bytes) -> None:
    """What is not packed so gives None; a frame too short for a number gives an empty list."""
    frame = frame_of(data)
    assert zlistx.unpack(frame) is None
    zframe.destroy(frame)
    for short in (b"", data[:3]):
        frame = frame_of(short)
        found = zlistx.unpack(frame)
        assert found is not None
        assert zlistx.size(found) == 0
        zframe.destroy(frame)


def test_random_frames() -> None:
    """Whatever comes over the wire, unpack gives a list or None."""
    for _ in range(2000):
        data = bytes(random.choice([0, 0, 0, 1, 2, 97]) for _ in range(random.randrange(24)))
        frame = frame_of(data)
        found = zlistx.unpack(frame)
        assert found is None or all(isinstance(item, str) for item in zlistx.items(found))
        zframe.destroy(frame)


@pytest.mark.parametrize("wrong", [None, b"data", 1, ffi.NULL])
def test_unpack_takes_frames(wrong: Any) -> None:
    """Anything but a live frame is refused."""
    with pytest.raises(TypeError, match="frame must be a struct _zframe_t"):
        zlistx.unpack(wrong)
    frame = frame_of(b"")
    zframe.destroy(frame)
    with pytest.raises(ValueError, match="frame was destroyed"):
        zlistx.unpack(frame)


# ---------------------------------------------------------------- handles of lists


@pytest.mark.parametrize("name", CALLS)
def test_lists_are_checked(name: str) -> None:
    """None, another type, NULL and a list that was destroyed are refused by name, in every function."""
    call: Any = CALLS[name]
    gone = zlistx.new()
    zlistx.destroy(gone)
    for wrong in (1, "list", ffi.new("int *"), zlist.new(), ffi.NULL):
        with pytest.raises(TypeError, match="list must be a struct _zlistx_t"):
            call(wrong)
    with pytest.raises(ValueError, match="list is NULL"):
        call(ffi.cast("zlistx_t *", 0))
    with pytest.raises(ValueError, match="list was destroyed"):
        call(gone)
    if name in ("destroy", "dup"):
        assert call(None) is None
    else:
        with pytest.raises(TypeError, match="list must be a struct _zlistx_t"):
            call(None)


def test_every_function_is_among_the_calls() -> None:
    """No function is forgotten above."""
    functions = {name for name, value in vars(zlistx).items() if getattr(value, "__module__", "") == zlistx.__name__}
    named = {name for name in functions if not name.startswith("_")}
    assert named - {"new", "test", "handle_item", "unpack"} == set(CALLS)


def test_random_use_in_a_child() -> None:
    """Thousands of random calls with good, stale and foreign handles end well, and agree with a Python list."""
    program = """
        import random
        from pyczmq import zlistx
        handle, other = zlistx.new(), zlistx.new()
        model, stale = [], [zlistx.add_end(other, "x")]
        for turn in range(4000):
            what = random.randrange(8)
            if what < 3:
                value = random.randrange(1000)
                if what:
                    model.append((value, zlistx.add_end(handle, value)))
                else:
                    model.insert(0, (value, zlistx.add_start(handle, value)))
            elif what == 3 and model:
                value, node = model.pop(random.randrange(len(model)))
                assert zlistx.detach(handle, node) == value
                stale.append(node)
            elif what == 4 and model:
                value, node = model.pop(random.randrange(len(model)))
                assert zlistx.delete(handle, node) == 0
                stale.append(node)
            elif what == 5 and model:
                found = model.pop(random.randrange(len(model)))
                model.append(found)
                zlistx.move_end(handle, found[1])
            elif what == 6 and not turn % 50:
                model.sort(key=lambda found: found[0])
                zlistx.sort(handle)
            elif what == 7:
                try:
                    random.choice([zlistx.delete, zlistx.move_start])(handle, random.choice(stale))
                except ValueError:
                    pass
                else:
                    raise AssertionError
            if not turn % 100:
                assert zlistx.items(handle) == [value for value, _ in model]
        print("done")
    """
    assert children.check(program) == "done\n"
