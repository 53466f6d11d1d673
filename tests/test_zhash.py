"""zhash: tables by keys that are strings. What zhashx has in common with it is tested here for both."""

from __future__ import annotations

import gc
import os
import random
import struct
import time
import weakref
from pathlib import Path
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, _containers, ffi, zframe, zhash, zhashx, zstr

TEXTS = ["", "plain", "ä€😀", "\udcff\udcfe", "100%s %n", "a\nb", "#=", "x" * 2**20]

#: Functions of both modules, called with a hash.
CALLS: dict[str, Any] = {
    "comment": lambda m, handle: m.comment(handle, "x"),
    "cursor": lambda m, handle: m.cursor(handle),
    "delete": lambda m, handle: m.delete(handle, "x"),
    "destroy": lambda m, handle: m.destroy(handle),
    "dup": lambda m, handle: m.dup(handle),
    "first": lambda m, handle: m.first(handle),
    "freefn": lambda m, handle: m.freefn(handle, "x", print),
    "insert": lambda m, handle: m.insert(handle, "x", 1),
    "items": lambda m, handle: m.items(handle),
    "keys": lambda m, handle: m.keys(handle),
    "load": lambda m, handle: m.load(handle, "/nowhere/at/all"),
    "lookup": lambda m, handle: m.lookup(handle, "x"),
    "next": lambda m, handle: m.next(handle),
    "pack": lambda m, handle: m.pack(handle),
    "refresh": lambda m, handle: m.refresh(handle),
    "rename": lambda m, handle: m.rename(handle, "x", "y"),
    "save": lambda m, handle: m.save(handle, "/nowhere/at/all"),
    "size": lambda m, handle: m.size(handle),
    "strings": lambda m, handle: m.strings(handle),
    "update": lambda m, handle: m.update(handle, "x", 1),
}

#: And those that only one of them has.
ONLY_ZHASH: dict[str, Any] = {
    "autofree": lambda m, handle: m.autofree(handle),
    "foreach": lambda m, handle: m.foreach(handle, print),
}
ONLY_ZHASHX: dict[str, Any] = {
    "dup_v2": lambda m, handle: m.dup_v2(handle),
    "pack_own": lambda m, handle: m.pack_own(handle, str),
    "purge": lambda m, handle: m.purge(handle),
    "set_destructor": lambda m, handle: m.set_destructor(handle, None),
    "set_duplicator": lambda m, handle: m.set_duplicator(handle, None),
    "set_key_comparator": lambda m, handle: m.set_key_comparator(handle, None),
    "set_key_destructor": lambda m, handle: m.set_key_destructor(handle, None),
    "set_key_duplicator": lambda m, handle: m.set_key_duplicator(handle, None),
    "set_key_hasher": lambda m, handle: m.set_key_hasher(handle, None),
    "values": lambda m, handle: m.values(handle),
}


class Thing:
    """An object that can be referenced weakly."""


@pytest.fixture(params=[zhash, zhashx], ids=["zhash", "zhashx"])
def hashes(request: Any) -> Any:
    """One of the two modules."""
    return request.param


def new(module: Any, items: Any = (), **more: Any) -> Any:
    """A hash with some items."""
    handle = module.new()
    for key, item in {**dict(items), **more}.items():
        assert module.insert(handle, key, item) == 0
    return handle


def contents(module: Any, handle: Any) -> dict[Any, Any]:
    return dict(module.items(handle))


def test_example_of_the_class(hashes: Any, tmp_path: Path) -> None:
    """What CZMQ's self-test shows: look-ups, renaming, copies, frames, files, deleting."""
    table = hashes.new()
    assert (hashes.size(table), hashes.first(table), hashes.cursor(table)) == (0, None, None)
    assert hashes.insert(table, "DEADBEEF", "dead beef") == 0
    assert (hashes.first(table), hashes.cursor(table)) == ("dead beef", "DEADBEEF")
    assert hashes.insert(table, "ABADCAFE", "a bad cafe") == 0
    assert hashes.insert(table, "C0DEDBAD", "coded bad") == 0
    assert hashes.insert(table, "DEADF00D", "dead food") == 0
    assert hashes.size(table) == 4
    assert hashes.lookup(table, "DEADBEEF") == "dead beef"
    assert hashes.lookup(table, "DEADF00D") == "dead food"
    assert hashes.lookup(table, "foo") is None
    assert hashes.insert(table, "DEADBEEF", "foo") == -1
    assert hashes.lookup(table, "DEADBEEF") == "dead beef"

    assert hashes.rename(table, "DEADBEEF", "LIVEBEEF") == 0
    assert hashes.lookup(table, "LIVEBEEF") == "dead beef"
    assert hashes.rename(table, "WHATBEEF", "NONESUCH") == -1
    assert hashes.rename(table, "WHATBEEF", "LIVEBEEF") == -1
    assert hashes.rename(table, "LIVEBEEF", "ABADCAFE") == -1
    assert hashes.rename(table, "LIVEBEEF", "LIVEBEEF") == -1
    assert hashes.lookup(table, "LIVEBEEF") == "dead beef"
    assert hashes.lookup(table, "ABADCAFE") == "a bad cafe"
    assert sorted(hashes.keys(table)) == ["ABADCAFE", "C0DEDBAD", "DEADF00D", "LIVEBEEF"]

    copy = hashes.dup(table)
    assert (hashes.size(copy), hashes.lookup(copy, "LIVEBEEF")) == (4, "dead beef")
    hashes.destroy(copy)
    frame = hashes.pack(table)
    copy = hashes.unpack(frame)
    zframe.destroy(frame)
    assert (hashes.size(copy), hashes.lookup(copy, "LIVEBEEF")) == (4, "dead beef")
    hashes.destroy(copy)

    hashes.comment(table, "This is a test file")
    hashes.comment(table, "Created by czmq_selftest")
    assert hashes.save(table, tmp_path / "cache") == 0
    copy = hashes.new()
    assert hashes.load(copy, tmp_path / "cache") == 0
    assert hashes.lookup(copy, "LIVEBEEF") == "dead beef"
    hashes.destroy(copy)

    hashes.delete(table, "LIVEBEEF")
    hashes.delete(table, "LIVEBEEF")
    assert (hashes.lookup(table, "LIVEBEEF"), hashes.size(table)) == (None, 3)
    hashes.destroy(table)


def test_random_use(hashes: Any) -> None:
    """Thousands of random calls leave what a Python dict has."""
    table = hashes.new()
    model: dict[str, int] = {}
    for number in range(3000):
        key = f"key {random.randrange(150):x}"
        what = random.randrange(5)
        if what == 0:
            assert hashes.insert(table, key, number) == (-1 if key in model else 0)
            model.setdefault(key, number)
        elif what == 1:
            hashes.update(table, key, number)
            model[key] = number
        elif what == 2:
            hashes.delete(table, key)
            model.pop(key, None)
        elif what == 3:
            other = f"key {random.randrange(150):x}"
            done = key in model and other not in model
            assert hashes.rename(table, key, other) == (0 if done else -1)
            if done:
                model[other] = model.pop(key)
        assert hashes.lookup(table, key) == model.get(key)
        if not number % 300:
            assert contents(hashes, table) == model
            assert sorted(hashes.keys(table)) == sorted(model)
    assert (hashes.size(table), contents(hashes, table)) == (len(model), model)


def test_self_test_passes() -> None:
    """CZMQ's own test of the class runs."""
    zhash.test()


# ---------------------------------------------------------------- keys


@pytest.mark.parametrize("text", TEXTS)
def test_keys_are_text(hashes: Any, text: str) -> None:
    """A key is the same as str and as bytes, of any length, and comes back as str."""
    data = text.encode("utf-8", "surrogateescape")
    table = new(hashes, {text: 1})
    assert (hashes.lookup(table, data), hashes.lookup(table, text)) == (1, 1)
    assert hashes.insert(table, data, 2) == -1
    hashes.update(table, data, 3)
    assert (hashes.keys(table), hashes.items(table)) == ([text], [(text, 3)])
    assert (hashes.first(table), hashes.cursor(table)) == (3, text)
    assert hashes.rename(table, data, b"new") == 0
    assert hashes.rename(table, "new", text) == 0
    hashes.delete(table, data)
    assert hashes.size(table) == 0


def test_keys_that_are_none(hashes: Any) -> None:
    """What is no text, or has a NUL byte, is refused by name."""
    table = new(hashes, a=1)
    calls: dict[str, list[Any]] = {
        "key": [
            lambda key: hashes.insert(table, key, 1),
            lambda key: hashes.update(table, key, 1),
            lambda key: hashes.delete(table, key),
            lambda key: hashes.lookup(table, key),
            lambda key: hashes.freefn(table, key, print),
        ],
        "old_key": [lambda key: hashes.rename(table, key, "b")],
        "new_key": [lambda key: hashes.rename(table, "a", key)],
    }
    for name, functions in calls.items():
        for function in functions:
            for wrong in (None, 1, ("a",), bytearray(b"a"), ffi.NULL):
                with pytest.raises(TypeError, match=f"^{name} must be str or bytes"):
                    function(wrong)
            with pytest.raises(ValueError, match=f"^{name} must not contain a NUL byte"):
                function("a\0b")
    assert contents(hashes, table) == {"a": 1}


# ---------------------------------------------------------------- items


def test_any_object_comes_back_itself(hashes: Any) -> None:
    """What was put in comes back: the very object; C sees a string."""
    items = [*TEXTS, b"\xff", "nul\0byte", 0, False, [], {}, Thing(), print, float("nan"), ffi.cast("int", 0)]
    table = new(hashes, {str(number): item for number, item in enumerate(items)})
    for number, item in enumerate(items):
        assert hashes.lookup(table, str(number)) is item
    assert all(item is items[int(key)] for key, item in hashes.items(table))
    lookup = C.zhash_lookup if hashes is zhash else C.zhashx_lookup
    for number, item in enumerate(items):
        seen = ffi.string(ffi.cast("char *", lookup(table, b"%d" % number)))
        if isinstance(item, str):
            item = item.encode("utf-8", "surrogateescape")
        assert seen == (item.partition(b"\0")[0] if isinstance(item, bytes) else b"<Python object>")


def test_none_is_no_item(hashes: Any) -> None:
    """None and NULL, which cannot be told from a key that is missing, are refused."""
    table = new(hashes, a=1)
    for nothing in (None, ffi.NULL, ffi.cast("zhash_t *", 0)):
        for function in (hashes.insert, hashes.update):
            with pytest.raises(TypeError, match="item must not be None"):
                function(table, "a", nothing)
    assert contents(hashes, table) == {"a": 1}


def test_pointers_stand_for_themselves(hashes: Any) -> None:
    """A pointer is in C what it is, and comes back as the very object; one of the raw floor comes back as void *."""
    pointer = ffi.new("int *", 7)
    table = new(hashes, a=pointer, b=pointer)
    assert (C.zhash_lookup if hashes is zhash else C.zhashx_lookup)(table, b"a") == pointer
    assert hashes.lookup(table, "a") is pointer
    hashes.delete(table, "a")
    hashes.update(table, "b", pointer)
    assert hashes.lookup(table, "b") is pointer
    (C.zhash_insert if hashes is zhash else C.zhashx_insert)(table, b"raw", ffi.cast("void *", 8))
    found = hashes.lookup(table, "raw")
    assert ffi.typeof(found) is ffi.typeof("void *")
    assert int(ffi.cast("uintptr_t", found)) == 8
    assert contents(hashes, table) == {"b": pointer, "raw": found}
    assert hashes.freefn(table, "raw", print) == found
    hashes.freefn(table, "raw", None)
    hashes.delete(table, "raw")
    assert hashes.size(table) == 1


def test_strings_of_the_raw_floor(hashes: Any) -> None:
    """`strings` reads a hash of strings that C has made; a Python object in it is refused."""
    text = ffi.new("char[]", b"raw")
    table = new(hashes, ours="text")
    (C.zhash_insert if hashes is zhash else C.zhashx_insert)(table, b"raw", text)
    assert hashes.strings(table) == {"ours": "text", "raw": "raw"}
    assert zstr.str(hashes.lookup(table, "raw")) == "raw"
    hashes.insert(table, "number", 1)
    with pytest.raises(TypeError, match="hash must hold strings only, not int"):
        hashes.strings(table)


@pytest.mark.parametrize("text", TEXTS)
def test_strings_of_c(text: str) -> None:
    """A hash with autofree has C's own copies of strings, which come back as str."""
    table = zhash.new()
    zhash.autofree(table)
    zhash.autofree(table)
    data = text.encode("utf-8", "surrogateescape")
    assert (zhash.insert(table, "a", data), zhash.insert(table, "b", text), zhash.insert(table, "a", "x")) == (0, 0, -1)
    assert contents(zhash, table) == zhash.strings(table) == {"a": text, "b": text}
    zhash.update(table, "a", "other")
    assert zhash.lookup(table, "a") == "other"
    copy = zhash.dup(table)
    assert copy is not None
    zhash.delete(table, "a")
    zhash.destroy(table)
    assert contents(zhash, copy) == {"a": "other", "b": text}
    with pytest.raises(TypeError, match="item of a hash of strings must be str or bytes"):
        zhash.insert(copy, "c", 1)


def test_only_strings_are_copied() -> None:
    """With autofree, what is no string is refused, and so is autofree for a hash with items in it."""
    table = zhash.new()
    zhash.autofree(table)
    wrong: Any
    for wrong in (1, ffi.new("char[]", b"x"), []):
        for function in (zhash.insert, zhash.update):
            with pytest.raises(TypeError, match="item of a hash of strings must be str or bytes"):
                function(table, "a", wrong)
    with pytest.raises(ValueError, match="NUL"):
        zhash.update(table, "a", "a\0b")
    assert zhash.size(table) == 0
    with pytest.raises(ValueError, match="hash must be empty"):
        zhash.autofree(new(zhash, a="static"))


def test_strings_that_raw_calls_ask_for() -> None:
    """A hash that a raw call has told to copy is found out: its items are C's then."""
    for table in (C.zhash_new(), zhash.new()):
        C.zhash_autofree(table)
        with pytest.raises(TypeError, match="item of a hash of strings must be str or bytes, not int"):
            zhash.insert(table, "a", 1)
        zhash.insert(table, "a", "copied")
        zhash.update(table, "a", "again")
        assert zhash.items(table) == [("a", "again")]
        zhash.destroy(table)


# ---------------------------------------------------------------- going through


def test_first_next_and_cursor(hashes: Any) -> None:
    """The cursor goes through all items once; keys and items in Python leave it alone."""
    model = {str(number): number for number in range(50)}
    table = new(hashes, model)
    found = {}
    item = hashes.first(table)
    while item is not None:
        found[hashes.cursor(table)] = item
        assert contents(hashes, table) == model
        assert sorted(hashes.keys(table)) == sorted(model)
        assert hashes.cursor(table) in found
        item = hashes.next(table)
    assert found == model
    assert hashes.next(table) is None
    hashes.delete(table, "7")
    assert hashes.cursor(table) is None


def test_cursor_survives_renaming(hashes: Any) -> None:
    """C keeps a pointer to the key that it frees when the item at the cursor is renamed; the cursor is put right."""
    table = new(hashes, {str(number): number for number in range(20)})
    assert hashes.first(table) is not None
    for number in range(50):
        before = hashes.cursor(table)
        assert hashes.rename(table, before, "x" * (number + 1)) == 0
        assert hashes.cursor(table) == "x" * (number + 1)
        assert hashes.rename(table, hashes.cursor(table), before) == 0
        if hashes.next(table) is None:
            hashes.first(table)
    assert sorted(hashes.keys(table)) == sorted(str(number) for number in range(20))


def test_foreach() -> None:
    """CZMQ 2's way to go through a hash: the callback gets key, item and argument, and ends it with another than 0."""
    table = new(zhash, a=1, b=2, c=3)
    seen: list[Any] = []
    assert zhash.foreach(table, lambda key, item, argument: seen.append((key, item, argument)), "arg") == 0
    assert sorted(seen) == [("a", 1, "arg"), ("b", 2, "arg"), ("c", 3, "arg")]
    assert zhash.foreach(table, lambda key, item, argument: 17 if item == 2 else None) == 17
    zhash.foreach(table, lambda key, item, argument: zhash.delete(table, key))
    assert zhash.size(table) == 0
    zhash.insert(table, "x", 0)
    with pytest.raises(ZeroDivisionError):
        zhash.foreach(table, lambda key, item, argument: 1 // item)
    wrong: Any
    for wrong in (None, 1, C.zhash_first):
        with pytest.raises(TypeError, match="callback must be a Python callable"):
            zhash.foreach(table, wrong)


# ---------------------------------------------------------------- ownership


def test_freefn(hashes: Any) -> None:
    """It is called with an item that is deleted, replaced, or goes with the hash, and stays with the key."""
    told: list[Any] = []
    table = new(hashes, a=1, b=2, c=3)
    for key, item in (("a", 1), ("b", 2), ("c", 3)):
        assert hashes.freefn(table, key, told.append) == item
    assert hashes.freefn(table, "x", told.append) is None
    assert hashes.insert(table, "a", 5) == -1
    hashes.update(table, "a", 4)
    assert told == [1]
    hashes.delete(table, "b")
    assert told == [1, 2]
    assert hashes.rename(table, "a", "z") == 0
    hashes.freefn(table, "c", None)
    copy = hashes.dup(table)
    hashes.destroy(table)
    assert told == [1, 2, 4]
    hashes.destroy(copy)
    assert told == [1, 2, 4]
    for wrong in (1, C.zhash_destroy):
        with pytest.raises(TypeError, match="free_fn must be a Python callable"):
            hashes.freefn(new(hashes, a=1), "a", wrong)


def test_freefn_of_strings_of_c() -> None:
    """In a hash with autofree it is told the text; C frees its copy."""
    told: list[Any] = []
    table = zhash.new()
    zhash.autofree(table)
    zhash.insert(table, "a", "one")
    assert zhash.freefn(table, "a", told.append) == "one"
    zhash.update(table, "a", "two")
    zhash.update(table, "a", b"three")
    zhash.delete(table, "a")
    assert told == ["one", "two", "three"]


def test_exceptions_of_freefn(hashes: Any) -> None:
    """They come out of the call that removed the item; all are told, and the hash works on."""
    told: list[int] = []

    def free(item: int) -> None:
        told.append(item)
        raise KeyError(item)

    table = new(hashes, a=1, b=2, c=3)
    for key in "abc":
        hashes.freefn(table, key, free)
    with pytest.raises(KeyError):
        hashes.update(table, "a", "new")
    with pytest.raises(KeyError):
        hashes.delete(table, "b")
    assert contents(hashes, table) == {"a": "new", "c": 3}
    with pytest.raises(KeyError) as caught:
        hashes.destroy(table)
    assert isinstance(caught.value.__context__, KeyError)
    assert sorted(map(str, told)) == ["1", "2", "3", "new"]


def test_freefn_may_do_as_it_likes(hashes: Any, tmp_path: Path) -> None:
    """C is done when it is called: it may change or destroy the hash, even while a file is loaded."""
    file = tmp_path / "file"
    file.write_text("a=1\nb=2\n")
    table = new(hashes, a=0)
    hashes.freefn(table, "a", lambda item: hashes.delete(table, "a"))
    hashes.delete(table, "a")
    assert hashes.size(table) == 0
    other = new(hashes, a=0)
    hashes.freefn(other, "a", lambda item: hashes.destroy(other))
    with pytest.raises(ValueError, match="hash was destroyed"):
        hashes.load(other, file)
    with pytest.raises(ValueError, match="hash was destroyed"):
        hashes.size(other)


def test_items_live_as_long_as_they_are_in(hashes: Any) -> None:
    """A hash keeps its items, and no longer than that."""
    table = new(hashes, a=Thing(), b=Thing(), c=Thing())
    references = [weakref.ref(hashes.lookup(table, key)) for key in "abc"]
    collect()
    assert all(reference() is not None for reference in references)
    hashes.delete(table, "a")
    hashes.update(table, "b", 1)
    collect()
    assert [reference() is None for reference in references] == [True, True, False]
    copy = hashes.dup(table)
    hashes.destroy(table)
    collect()
    assert hashes.lookup(copy, "c") is references[2]()
    del copy
    collect()
    assert references[2]() is None


@pytest.mark.parametrize("free", [False, True])
def test_hash_that_is_in_itself_is_collected(hashes: Any, free: bool) -> None:
    """A cycle of a hash and an item that refers to it is garbage like any other; freefn is called then."""
    told: list[Any] = []
    thing = Thing()
    table = new(hashes, thing=thing)
    hashes.insert(table, "self", table)
    thing.handle = table  # type: ignore[attr-defined]
    if free:
        hashes.freefn(table, "thing", lambda item: told.append(type(item)))
    reference, handle_reference = weakref.ref(thing), weakref.ref(table)
    del thing, table
    collect()
    assert (reference(), handle_reference()) == (None, None)
    assert told == [Thing] * free


def test_nothing_leaks(hashes: Any) -> None:
    """Many hashes and items leave nothing behind."""
    from pyczmq import _handles, _keeper

    def work() -> None:
        for _ in range(50):
            table = new(hashes, {str(number): Thing() for number in range(20)})
            copy = hashes.dup(table)
            for number in range(20):
                hashes.rename(table, str(number), f"n{number}")
                hashes.update(copy, str(number), "x")
            zframe.destroy(hashes.pack(copy))
            hashes.destroy(copy)

    work()
    collect()
    before = (len(_keeper.keepers), len(_handles._owned), len(_handles._companions), len(_handles.dead))
    work()
    collect()
    after = (len(_keeper.keepers), len(_handles._owned), len(_handles._companions), len(_handles.dead))
    assert all(now <= then for now, then in zip(after, before))
    assert sum(isinstance(thing, Thing) for thing in gc.get_objects()) == 0


def test_at_exit_and_after_fork(hashes: Any) -> None:
    """What is left at exit is destroyed then; a hash stays usable in a forked child."""
    program = """
        import os, sys
        from pyczmq import zhash, zhashx
        module = zhash if sys.argv[1] == "zhash" else zhashx
        table = module.new()
        for key in "abc":
            module.insert(table, key, key)
            module.freefn(table, key, lambda item: print(item, flush=True))
        pid = os.fork()
        if not pid:
            os._exit(dict(module.items(table)) == dict(zip("abc", "abc")))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
    """
    assert children.check(program, hashes.__name__.split(".")[-1]).split() == ["1", "a", "b", "c"]


# ---------------------------------------------------------------- frames


def packed(pairs: list[tuple[bytes, bytes]], count: int | None = None) -> bytes:
    """A dictionary as zproto has it."""
    entries = [struct.pack("!B", len(key)) + key + struct.pack("!I", len(item)) + item for key, item in pairs]
    return struct.pack("!I", len(pairs) if count is None else count) + b"".join(entries)


@pytest.mark.parametrize("item", TEXTS)
def test_pack_and_unpack(hashes: Any, item: str) -> None:
    """Strings go into a frame and come out as str; C reads it, and we read C's."""
    data = item.encode("utf-8", "surrogateescape")
    table = new(hashes, {"key": item, b"\xff" * 255: data, "": b""})
    frame = hashes.pack(table)
    copy = hashes.unpack(frame)
    expected = {"key": item, "\udcff" * 255: item, "": ""}
    assert contents(hashes, copy) == expected
    raw = (C.zhash_unpack if hashes is zhash else C.zhashx_unpack)(frame)
    assert hashes.strings(raw) == expected
    hashes.destroy(raw)
    theirs = (C.zhash_pack if hashes is zhash else C.zhashx_pack)(table)
    assert bytes(zframe.data(theirs)) == bytes(zframe.data(frame))
    assert contents(hashes, hashes.unpack(theirs)) == expected
    for used in (frame, theirs):
        zframe.destroy(used)


def test_only_strings_are_packed(hashes: Any) -> None:
    """Items that are none, NUL bytes, and keys too long for their length's one byte are refused."""
    for items, error, match in (
        ({"a": 1}, TypeError, "each item must be str or bytes"),
        ({"a": ffi.new("int *")}, TypeError, "each item must be str or bytes"),
        ({"a": "x\0y"}, ValueError, "each item must not contain a NUL byte"),
        ({"a" * 256: "x"}, ValueError, "each key must not be longer than 255 bytes"),
    ):
        with pytest.raises(error, match=match):
            hashes.pack(new(hashes, items))


@pytest.mark.parametrize(
    "data",
    [
        packed([(b"a", b"b")])[:-1],
        packed([(b"a", b"b")]) + b"x",
        packed([(b"a", b"b")], 2),
        packed([(b"a", b"b")], 2**32 - 1),
        packed([], 1),
        packed([], 2**32 - 1),
        packed([(b"a", b"b"), (b"a", b"c")]),
        packed([(b"a\0", b"b")]),
        packed([(b"a", b"\0")]),
        b"\0\0\0\1\xff",
        b"\0\0\0\1\1a\xff\xff\xff\xff",
    ],
)
def test_broken_frames(hashes: Any, data: bytes) -> None:
    """What is not packed so, or has a key twice, gives None; a frame too short for a number gives an empty hash."""
    frame = zframe.new(data)
    assert hashes.unpack(frame) is None
    zframe.destroy(frame)
    for short in (b"", data[:3], packed([])):
        frame = zframe.new(short)
        assert hashes.size(hashes.unpack(frame)) == 0
        zframe.destroy(frame)
    with pytest.raises(ValueError, match="frame was destroyed"):
        hashes.unpack(frame)
    for wrong in (None, data):
        with pytest.raises(TypeError, match="frame must be a struct _zframe_t"):
            hashes.unpack(wrong)


def test_random_frames(hashes: Any) -> None:
    """Whatever comes over the wire, unpack gives a hash or None."""
    whole = packed([(b"one", b"1"), (b"two", b"22"), (b"three", b"")])
    for _ in range(1000):
        data = bytearray(whole[: random.randrange(len(whole) + 1)])
        for _ in range(random.randrange(3)):
            where = random.randrange(len(data) + 1)
            data[where : where + 1] = bytes([random.randrange(256)])
        frame = zframe.new(data)
        found = hashes.unpack(frame)
        assert found is None or isinstance(hashes.strings(found), dict)
        zframe.destroy(frame)


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_save_and_load(hashes: Any, tmp_path: Path, kind: Any) -> None:
    """Comments and name=value lines are written, and read again as str; C reads the same."""
    file = kind(tmp_path / "fileä")
    table = new(hashes, {"key": "value", b"\xff": b"\xfe", "empty": "", "long": "x" * 2000, " a ": "b = c # d"})
    hashes.comment(table, "100%s %n")
    hashes.comment(table, b"\xff")
    assert hashes.save(table, file) == 0
    lines = Path(os.fsdecode(file)).read_bytes().splitlines()
    assert lines[:3] == [b"#   100%s %n", b"#   \xff", b""]
    assert sorted(lines[3:]) == [b" a =b = c # d", b"empty=", b"key=value", b"long=" + b"x" * 2000, b"\xff=\xfe"]
    copy = new(hashes, key="old", other=1)
    assert hashes.load(copy, file) == 0
    assert contents(hashes, copy) == {
        "key": "value",
        "\udcff": "\udcfe",
        "empty": "",
        "long": "x" * 2000,
        " a ": "b = c # d",
        "other": 1,
    }
    raw = (C.zhash_new if hashes is zhash else C.zhashx_new)()
    assert (C.zhash_load if hashes is zhash else C.zhashx_load)(raw, os.fsencode(file)) == 0
    assert hashes.strings(raw)["key"] == "value"
    hashes.destroy(raw)


def test_comments(hashes: Any, tmp_path: Path) -> None:
    """Comments are lines, never formats; None deletes them, also those that the raw floor would write."""
    file = tmp_path / "file"
    save = C.zhash_save if hashes is zhash else C.zhashx_save
    table = new(hashes, a="b")
    hashes.comment(table, "%s%s%n")
    assert save(table, os.fsencode(file)) == 0
    assert file.read_bytes() == b"#   %s%s%n\n\na=b\n"
    with pytest.raises(ValueError, match="comment must be one line"):
        hashes.comment(table, "a\nb=c")
    with pytest.raises(TypeError, match="comment must be str or bytes"):
        hashes.comment(table, 1)
    hashes.comment(table, None)
    for function, handle in ((save, table), (lambda *args: hashes.save(*args), table)):
        assert function(handle, os.fsencode(file)) == 0
        assert file.read_bytes() == b"a=b\n"


@pytest.mark.parametrize(
    ("key", "item", "error"),
    [
        ("", "x", ValueError),
        ("#a", "x", ValueError),
        ("a=b", "x", ValueError),
        ("a\nb", "x", ValueError),
        ("a", "x\ny", ValueError),
        ("a", "x\0y", ValueError),
        ("a", 1, TypeError),
        ("a", ffi.new("int *"), TypeError),
    ],
)
def test_what_no_file_could_keep(hashes: Any, tmp_path: Path, key: str, item: Any, error: type[Exception]) -> None:
    """What could not be read again is refused, and the file left alone."""
    file = tmp_path / "file"
    file.write_text("before")
    with pytest.raises(error):
        hashes.save(new(hashes, {"fine": "x", key: item}), file)
    assert file.read_text() == "before"


def test_files_that_cannot_be_used(hashes: Any, tmp_path: Path) -> None:
    """-1 and errno tell of a file that cannot be written or read; a pipe or a folder is none to read."""
    table = new(hashes, a="b")
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing/file", ".", "x" * 5000):
        assert hashes.save(table, tmp_path / name) == -1
        assert ffi.errno
    for name in ("missing", ".", "pipe", "x" * 5000):
        assert hashes.load(table, tmp_path / name) == -1
        assert ffi.errno
    for function in (hashes.save, hashes.load):
        for wrong in (None, 1):
            with pytest.raises(TypeError, match="filename must be"):
                function(table, wrong)
        with pytest.raises(ValueError, match="filename must not contain a NUL byte"):
            function(table, "a\0b")
    assert contents(hashes, table) == {"a": "b"}


def test_lines_that_say_nothing(hashes: Any, tmp_path: Path) -> None:
    """Comments and lines of another form are skipped; only the first equals sign counts, and the last line of a key."""
    file = tmp_path / "file"
    file.write_bytes(b"\n# a=b\nnothing\n=x\nz\0=1\nz=\0\nkey==a=b\nk=1\nk=2\r\n\xff=\nlast=line")
    table = hashes.new()
    assert hashes.load(table, file) == 0
    assert contents(hashes, table) == {"key": "=a=b", "k": "2\r", "\udcff": "", "last": "line"}


def test_refresh(hashes: Any, tmp_path: Path) -> None:
    """The file is read again, in place of all items, once it has changed and has been so for some seconds."""
    told: list[Any] = []
    file = tmp_path / "file"
    table = hashes.new()
    assert hashes.refresh(table) == 0
    assert hashes.load(table, file) == -1
    assert hashes.refresh(table) == 0
    file.write_text("a=1\nb=2\n")
    assert hashes.refresh(table) == 0
    assert hashes.size(table) == 0
    long_ago = time.time() - 1000
    os.utime(file, (long_ago, long_ago))
    assert hashes.refresh(table) == 0
    assert contents(hashes, table) == {"a": "1", "b": "2"}
    hashes.insert(table, "c", 3)
    hashes.freefn(table, "c", told.append)
    assert hashes.refresh(table) == 0
    assert hashes.size(table) == 3
    file.write_text("b=3\n")
    os.utime(file, (long_ago + 100, long_ago + 100))
    assert hashes.refresh(table) == 0
    assert contents(hashes, table) == {"b": "3"}
    assert told == [3]


# ---------------------------------------------------------------- hashes of C's


def test_hashes_for_c_and_from_c() -> None:
    """What the other namespaces use: a dict of strings becomes a hash of C's, and C's hash becomes a dict."""
    texts = {text: text for text in TEXTS}
    for items in ({}, texts):
        made = _containers.make_mapping(items)
        assert _containers.peek_mapping(made) == items
        assert zhash.strings(made) == items
        _containers.free(made)
    for wrong, error, match in (
        ({"a": 1}, TypeError, "^each item of env must be str or bytes, not int"),
        ({1: "a"}, TypeError, "^each key of env must be str or bytes, not int"),
        ({"a": "a\0b"}, ValueError, "^each item of env must not contain a NUL byte"),
    ):
        with pytest.raises(error, match=match):
            _containers.make_mapping(wrong, "env")  # type: ignore[arg-type]


# ---------------------------------------------------------------- handles


@pytest.mark.parametrize("name", [*CALLS, *ONLY_ZHASH, *ONLY_ZHASHX])
def test_handles_are_checked(name: str) -> None:
    """None, another type, NULL and a hash that was destroyed are refused by name, in every function."""
    call = {**CALLS, **ONLY_ZHASH, **ONLY_ZHASHX}[name]
    for module, other in ((zhash, zhashx), (zhashx, zhash)):
        if not hasattr(module, name):
            continue
        wanted = module.__name__.split(".")[-1]
        gone = module.new()
        module.destroy(gone)
        for wrong in (1, "hash", ffi.new("int *"), other.new(), ffi.NULL):
            with pytest.raises(TypeError, match=f"hash must be a struct _{wanted}_t"):
                call(module, wrong)
        with pytest.raises(ValueError, match="hash is NULL"):
            call(module, ffi.cast(f"{wanted}_t *", 0))
        with pytest.raises(ValueError, match="hash was destroyed"):
            call(module, gone)
        if name in ("destroy", "dup", "dup_v2"):
            assert call(module, None) is None
        else:
            with pytest.raises(TypeError, match=f"hash must be a struct _{wanted}_t"):
                call(module, None)


@pytest.mark.parametrize(("module", "more"), [(zhash, ONLY_ZHASH), (zhashx, ONLY_ZHASHX)])
def test_every_function_is_among_the_calls(module: Any, more: Any) -> None:
    """No function is forgotten above."""
    functions = {name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    named = {name for name in functions if not name.startswith("_")}
    assert named - {"new", "test", "unpack", "unpack_own"} == {*CALLS, *more}


def test_handles_of_the_raw_floor(hashes: Any) -> None:
    """A hash that a raw call made takes items, too, and is its maker's to destroy; C finds our keys."""
    handle = (C.zhash_new if hashes is zhash else C.zhashx_new)()
    thing = Thing()
    assert hashes.insert(handle, "ä", thing) == 0
    assert hashes.lookup(handle, "ä") is thing
    assert (C.zhash_lookup if hashes is zhash else C.zhashx_lookup)(handle, "ä".encode())
    assert not (C.zhash_lookup if hashes is zhash else C.zhashx_lookup)(handle, b"a")
    hashes.destroy(handle)
    with pytest.raises(ValueError, match="hash was destroyed"):
        hashes.size(handle)
