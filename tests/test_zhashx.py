"""zhashx: what it has beyond zhash: callables, keys of any kind. What both have is tested in test_zhash.py."""

from __future__ import annotations

import functools
import gc
import random
import signal
import weakref
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, ffi, zframe, zhashx, zlistx


class Thing:
    """An object that can be referenced weakly."""


def new(items: Any = (), **more: Any) -> Any:
    """A hash with some items."""
    handle = zhashx.new()
    for key, item in {**dict(items), **more}.items():
        assert zhashx.insert(handle, key, item) == 0
    return handle


def any_keys(items: Any = ()) -> Any:
    """A hash with keys of any kind, and some items."""
    handle = zhashx.new()
    zhashx.set_key_hasher(handle, hash)
    for key, item in dict(items).items():
        assert zhashx.insert(handle, key, item) == 0
    return handle


def contents(handle: Any) -> dict[Any, Any]:
    return dict(zhashx.items(handle))


def raise_(error: BaseException) -> Any:
    raise error


def ignore(*args: Any) -> None:
    """Keep what it is given alive, and no more."""


# ---------------------------------------------------------------- beside zhash


def test_values_and_purge() -> None:
    """Items come as a Python list; a purge leaves an empty hash that works on."""
    table = new({str(number): number for number in range(100)})
    assert sorted(zhashx.values(table)) == [*range(100)]
    zhashx.first(table)
    zhashx.purge(table)
    assert (zhashx.size(table), zhashx.values(table), zhashx.keys(table)) == (0, [], [])
    assert (zhashx.cursor(table), zhashx.next(table)) == (None, None)
    assert zhashx.insert(table, "a", 1) == 0
    assert contents(table) == {"a": 1}


def test_cursor_goes_with_what_was_found() -> None:
    """Adding and looking up put the cursor at the item."""
    table = new(a=1, b=2)
    assert zhashx.cursor(table) == "b"
    assert zhashx.lookup(table, "a") == 1
    assert zhashx.cursor(table) == "a"
    assert zhashx.lookup(table, "x") is None
    assert zhashx.cursor(table) == "a"
    assert zhashx.rename(table, "b", "c") == 0
    assert zhashx.cursor(table) == "c"


def test_keys_that_c_cannot_tell_apart() -> None:
    """Keys to which C's own hash function gives the same value do no harm: with them C's table would grow for ever."""
    program = """
        import resource
        from itertools import product
        from pyczmq import zhashx
        resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
        def bernstein(value, text):
            for byte in text:
                value = (33 * value ^ byte) % 2**64
            return value
        keys, value = [b""], 0
        for _ in range(6):
            twins = {}
            for pair in product(range(33, 127), repeat=2):
                twins.setdefault(bernstein(value, pair), []).append(bytes(pair))
            value, parts = max(twins.items(), key=lambda found: len(found[1]))
            keys = [key + part for key in keys for part in parts[:2]]
        assert {bernstein(0, key) for key in keys} == {value}
        table = zhashx.new()
        for key in keys:
            assert zhashx.insert(table, key, key) == 0
        assert all(zhashx.lookup(table, key) is key for key in keys for _ in range(3))
        print(len(keys))
    """
    assert children.check(program) == "64\n"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signals")
def test_signals_while_c_hashes() -> None:
    """A signal handler that raises loses no key: the exception comes out of the call, and the table is sound."""
    program = """
        import gc, random, signal
        from pyczmq import zhashx
        class Interrupt(Exception):
            pass
        def handler(number, frame):
            raise Interrupt
        signal.signal(signal.SIGALRM, handler)
        # What is imported at first use is imported now.
        zhashx.insert(zhashx.new(), "first", 1)
        # What a weak reference's callback raises on PyPy, whenever that is, is printed and no more.
        gc.collect()
        gc.disable()
        caught = 0
        while caught < 50:
            table = zhashx.new()
            keys = []
            for number in range(200):
                try:
                    signal.setitimer(signal.ITIMER_REAL, random.random() / 20000 + 1e-6)
                    zhashx.insert(table, str(number), number)
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except Interrupt:
                    caught += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
            items = zhashx.items(table)
            assert len(items) == zhashx.size(table)
            for key, item in items:
                assert zhashx.lookup(table, key) == item == int(key)
        print("sound")
    """
    assert children.check(program, timeout=60) == "sound\n"


# ---------------------------------------------------------------- callables


def test_duplicator_and_destructor() -> None:
    """What is kept is the duplicate; the destructor is told of each item that goes, instead of freefn."""
    told: list[Any] = []
    table = zhashx.new()
    zhashx.set_duplicator(table, lambda item: [*item])
    zhashx.set_destructor(table, told.append)
    original = [1]
    zhashx.insert(table, "a", original)
    assert zhashx.insert(table, "a", [0]) == -1
    assert zhashx.lookup(table, "a") == original
    assert zhashx.lookup(table, "a") is not original
    zhashx.freefn(table, "a", lambda item: raise_(AssertionError()))
    zhashx.update(table, "a", [2])
    assert told == [[1]]
    zhashx.insert(table, "b", [3])
    copy = zhashx.dup(table)
    assert copy is not None
    assert zhashx.lookup(copy, "b") is not zhashx.lookup(table, "b")
    zhashx.delete(table, "b")
    zhashx.purge(table)
    zhashx.destroy(table)
    assert told == [[1], [3], [2]]
    told.clear()
    zhashx.destroy(copy)
    assert sorted(told) == [[2], [3]]
    pointer = ffi.new("int *")
    table = new(a=pointer, b=pointer)
    told.clear()
    zhashx.set_destructor(table, told.append)
    zhashx.destroy(table)
    assert told == [pointer, pointer]


def test_key_duplicator_and_destructor() -> None:
    """Keys are kept as the duplicator makes them, and the destructor is told of each that goes."""
    told: list[Any] = []
    table = new(old=0)
    zhashx.set_key_destructor(table, told.append)
    zhashx.set_key_duplicator(table, lambda key: Key(key))
    zhashx.insert(table, "a", 1)
    zhashx.insert(table, "b", 2)
    assert zhashx.insert(table, b"a", 3) == -1
    zhashx.update(table, "a", 4)
    assert sorted(map(str, zhashx.keys(table))) == ["a", "b", "old"]
    assert [type(key) for key in zhashx.keys(table) if key != "old"] == [Key, Key]
    assert zhashx.lookup(table, "a") == 4
    assert zhashx.rename(table, "a", "c") == 0
    assert told == ["a"]
    assert zhashx.rename(table, "b", "c") == -1
    zhashx.delete(table, "b")
    assert told == ["a", "b"]
    copy = zhashx.dup(table)
    zhashx.purge(table)
    assert sorted(told) == ["a", "b", "c", "old"]
    zhashx.destroy(table)
    assert len(told) == 4
    zhashx.destroy(copy)
    assert sorted(told[4:]) == ["c", "old"]


class Key(str):
    """A copy of a key."""


@pytest.mark.parametrize("which", ["duplicator", "key_duplicator"])
def test_duplicators_that_fail(which: str) -> None:
    """An exception, or None, comes out of the call, and nothing was added or replaced."""
    for keys in ("text", "any"):
        table = new(a=1) if keys == "text" else any_keys({"a": 1})
        for duplicator, error in ((lambda value: raise_(KeyError("mine")), KeyError), (lambda value: None, TypeError)):
            getattr(zhashx, f"set_{which}")(table, duplicator)
            with pytest.raises(error):
                zhashx.insert(table, "b", 2)
            with pytest.raises(error):
                zhashx.update(table, "c", 2)
            if which == "duplicator":
                with pytest.raises(error):
                    zhashx.update(table, "a", 2)
            else:
                with pytest.raises(error):
                    zhashx.rename(table, "a", "b")
            with pytest.raises(error):
                zhashx.dup(table)
            assert contents(table) == {"a": 1}
        getattr(zhashx, f"set_{which}")(table, None)
        assert zhashx.insert(table, "b", 2) == 0


def test_destructors_that_fail() -> None:
    """All are told, of keys and items, and the first exception comes out of the call; the hash works on."""
    told: list[Any] = []

    def destructor(value: Any) -> None:
        told.append(value)
        raise KeyError(value)

    for end in (zhashx.purge, zhashx.destroy):
        told.clear()
        table = new(a=1, b=2)
        zhashx.set_destructor(table, destructor)
        zhashx.set_key_destructor(table, destructor)
        with pytest.raises(KeyError, match="1"):
            zhashx.update(table, "a", 3)
        with pytest.raises(KeyError, match="3") as caught:
            zhashx.delete(table, "a")
        assert isinstance(caught.value.__context__, KeyError)
        with pytest.raises(KeyError, match="2"):
            end(table)
        assert told == [1, 3, "a", 2, "b"]
    told.clear()
    table = new(a=1)
    zhashx.set_key_destructor(table, destructor)
    with pytest.raises(KeyError, match="a"):
        zhashx.rename(table, "a", "b")
    assert contents(table) == {"b": 1}
    zhashx.set_key_destructor(table, None)


def test_dropped_hash_tells_the_destructors() -> None:
    """The garbage collector destroys a hash that was dropped, also one in a cycle, and the destructors are told."""
    told: list[Any] = []
    table: Any = any_keys({(1,): "x"})
    zhashx.set_destructor(table, told.append)
    zhashx.set_key_destructor(table, told.append)
    del table
    collect()
    assert told == ["x", (1,)]
    told.clear()
    thing = Thing()
    table = any_keys({thing: "y"})
    thing.table = table  # type: ignore[attr-defined]
    zhashx.set_key_destructor(table, lambda key: told.append(type(key)))
    reference, handle_reference = weakref.ref(thing), weakref.ref(table)
    del thing, table
    collect()
    assert (reference(), handle_reference(), told) == (None, None, [Thing])


# ---------------------------------------------------------------- keys of any kind


def test_keys_of_any_kind() -> None:
    """With Python's own hash for a hasher, keys are what they are in a dict, and come back themselves."""
    thing, pointer = Thing(), ffi.new("int *")
    model = {1: "one", (2, 3): "tuple", thing: "thing", "text": "text", pointer: "pointer", frozenset(): "set"}
    table = any_keys(model)
    assert contents(table) == model
    for key, item in model.items():
        assert zhashx.lookup(table, key) == item
        assert zhashx.insert(table, key, "x") == -1
    assert zhashx.lookup(table, 1.0) == "one"
    assert zhashx.lookup(table, 2) is None
    assert zhashx.lookup(table, thing) and zhashx.cursor(table) is thing
    assert zhashx.rename(table, 1, "uno") == 0
    assert zhashx.rename(table, 1, "uno") == -1
    assert zhashx.rename(table, "uno", (2, 3)) == -1
    zhashx.delete(table, 5)
    zhashx.delete(table, (2, 3))
    zhashx.update(table, thing, "again")
    assert contents(zhashx.dup(table)) == contents(table)
    assert contents(table) == {"uno": "one", thing: "again", "text": "text", pointer: "pointer", frozenset(): "set"}
    with pytest.raises(TypeError, match="unhashable"):
        zhashx.lookup(table, [])
    for nothing in (None, ffi.NULL):
        with pytest.raises(TypeError, match=r"^key must not be None"):
            zhashx.insert(table, nothing, 1)
        with pytest.raises(TypeError, match=r"^new_key must not be None"):
            zhashx.rename(table, "uno", nothing)
    with pytest.raises(TypeError, match="each key must be str or bytes"):
        zhashx.pack(table)


def test_comparator_of_keys() -> None:
    """A comparator tells which keys are equal, with a hasher or without."""

    def comparator(one: str, other: str) -> int:
        return (one.lower() > other.lower()) - (one.lower() < other.lower())

    for hasher in (None, lambda key: hash(key.lower()), lambda key: -(2**100), lambda key: True):
        table = zhashx.new()
        zhashx.set_key_comparator(table, comparator)
        zhashx.set_key_hasher(table, hasher)
        assert zhashx.insert(table, "Key", 1) == 0
        assert zhashx.insert(table, "kEY", 2) == -1
        zhashx.update(table, "KEY", 3)
        assert zhashx.items(table) == [("Key", 3)]
        assert zhashx.rename(table, "key", "other") == 0
        assert zhashx.lookup(table, "OTHER") == 3
        zhashx.delete(table, "Other")
        assert zhashx.size(table) == 0


def test_hashers_that_make_no_sense() -> None:
    """One value for all keys is slow, another each time finds nothing; C would abort for want of memory."""
    table = zhashx.new()
    zhashx.set_key_hasher(table, lambda key: 1)
    for number in range(200):
        assert zhashx.insert(table, number, -number) == 0
    for number in range(200):
        assert zhashx.lookup(table, number) == -number
        assert zhashx.lookup(table, number + 1000) is None
    table = zhashx.new()
    zhashx.set_key_hasher(table, lambda key: random.randrange(2**70))
    for number in range(200):
        zhashx.update(table, number % 7, number)
        zhashx.delete(table, number % 5)
        zhashx.rename(table, number % 3, number % 4)
    assert len(zhashx.items(table)) == zhashx.size(table)
    zhashx.destroy(table)


def test_hashers_and_comparators_that_fail() -> None:
    """What they raise comes out of every call that needs them, as does a result that is no int."""
    for hasher, comparator, error, match in (
        (lambda key: raise_(KeyError("mine")), None, KeyError, "mine"),
        (lambda key: "1", None, TypeError, "a hasher must return an int, not str"),
        (lambda key: 1, lambda one, other: None, TypeError, "a comparator must return an int, not NoneType"),
        (lambda key: 1, lambda one, other: raise_(KeyError("mine")), KeyError, "mine"),
    ):
        behaves = True
        table = zhashx.new()
        hash_ = lambda key, hasher=hasher: 1 if behaves else hasher(key)  # noqa: B023, E731
        compare = lambda one, other, comparator=comparator: (  # noqa: E731
            int(one != other) if behaves or comparator is None else comparator(one, other)  # noqa: B023
        )
        zhashx.set_key_hasher(table, hash_)
        zhashx.set_key_comparator(table, compare)
        zhashx.insert(table, 1, "one")
        behaves = False
        for call in (
            lambda: zhashx.insert(table, 2, "x"),  # noqa: B023
            lambda: zhashx.update(table, 2, "x"),  # noqa: B023
            lambda: zhashx.lookup(table, 2),  # noqa: B023
            lambda: zhashx.delete(table, 2),  # noqa: B023
            lambda: zhashx.rename(table, 1, 2),  # noqa: B023
            lambda: zhashx.freefn(table, 1, print),  # noqa: B023
        ):
            with pytest.raises(error, match=match):
                call()
        behaves = True
        assert contents(table) == {1: "one"}
        assert zhashx.lookup(table, 1) == "one"


def test_no_changes_from_callables() -> None:
    """Hasher, comparator and duplicators may look at the hash, but neither change nor destroy it."""
    seen: list[str] = []
    table = zhashx.new()

    def check(what: str) -> Any:
        for call in (
            lambda: zhashx.destroy(table),
            lambda: zhashx.purge(table),
            lambda: zhashx.insert(table, 9, 9),
            lambda: zhashx.set_duplicator(table, None),
            lambda: zhashx.load(table, "/"),
        ):
            with pytest.raises(ValueError, match="hash is in use"):
                call()
        zhashx.items(table)
        seen.append(what)

    zhashx.set_key_hasher(table, lambda key: check("hasher") or 1)
    zhashx.set_key_comparator(table, lambda one, other: check("comparator") or one - other)
    zhashx.set_duplicator(table, lambda item: check("duplicator") or item)
    zhashx.set_key_duplicator(table, lambda key: check("key_duplicator") or key)
    zhashx.insert(table, 1, "one")
    zhashx.insert(table, 2, "two")
    assert zhashx.rename(table, 2, 3) == 0
    assert contents(table) == {1: "one", 3: "two"}
    assert {*seen} == {"hasher", "comparator", "duplicator", "key_duplicator"}


def test_rules_for_keys_are_set_once() -> None:
    """A hasher or comparator for a hash with items would lose them; taking both back makes keys text again."""
    table = new(a=1)
    for function in (zhashx.set_key_hasher, zhashx.set_key_comparator):
        with pytest.raises(ValueError, match="hash must be empty"):
            function(table, None)
    zhashx.purge(table)
    zhashx.set_key_hasher(table, hash)
    zhashx.insert(table, 1, "x")
    zhashx.delete(table, 1)
    zhashx.set_key_hasher(table, None)
    with pytest.raises(TypeError, match="key must be str or bytes"):
        zhashx.insert(table, 1, "x")
    assert zhashx.insert(table, "1", "x") == 0


@pytest.mark.parametrize("wrong", [1, "f", ffi.NULL, C.zstr_free])
def test_callables_must_be_pythons(wrong: Any) -> None:
    """Anything else is refused by the argument's name: C's functions are for the raw floor."""
    for function, name in (
        ("set_destructor", "destructor"),
        ("set_duplicator", "duplicator"),
        ("set_key_destructor", "destructor"),
        ("set_key_duplicator", "duplicator"),
        ("set_key_comparator", "comparator"),
        ("set_key_hasher", "hasher"),
        ("pack_own", "serializer"),
    ):
        with pytest.raises(TypeError, match=f"^{name} must be a Python callable"):
            getattr(zhashx, function)(zhashx.new(), wrong)
    frame = zhashx.pack(zhashx.new())
    with pytest.raises(TypeError, match=r"^deserializer must be a Python callable"):
        zhashx.unpack_own(frame, wrong)
    zframe.destroy(frame)


# ---------------------------------------------------------------- copies and frames


def test_copies() -> None:
    """A copy has the same callables and items; that of dup_v2 has strings only, and no callables."""
    told: list[Any] = []
    table = any_keys({"a": b"x", b"b": "y"})
    zhashx.set_destructor(table, told.append)
    copy = zhashx.dup(table)
    assert copy is not None
    assert zhashx.insert(copy, (1,), "tuple") == 0
    plain = zhashx.dup_v2(table)
    assert plain is not None
    assert contents(plain) == {"a": "x", "b": "y"}
    zhashx.destroy(plain)
    assert told == []
    for odd in (copy, new(a=1)):
        with pytest.raises(TypeError):
            zhashx.dup_v2(odd)


def test_own_packing() -> None:
    """Items go into a frame and out of it as a serializer and deserializer say, as CZMQ's self-test shows."""
    table = new(val1=25, val2=100)
    frame = zhashx.pack_own(table, lambda item: f"{item:d}")
    copy = zhashx.unpack_own(frame, int)
    assert copy is not None
    assert contents(copy) == {"val1": 25, "val2": 100}
    with pytest.raises(ValueError, match="invalid literal"):
        zhashx.unpack_own(frame, lambda item: int(f"x{item}"))
    with pytest.raises(TypeError, match="item must not be None"):
        zhashx.unpack_own(frame, lambda item: None)
    unpacked = zhashx.unpack_own(frame, None)
    assert unpacked is not None
    assert contents(unpacked) == {"val1": "25", "val2": "100"}
    zframe.destroy(frame)
    with pytest.raises(TypeError, match="each item must be str or bytes, not int"):
        zhashx.pack_own(table, None)
    with pytest.raises(TypeError, match="each item must be str or bytes, not NoneType"):
        zhashx.pack_own(table, lambda item: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(ZeroDivisionError):
        zhashx.pack_own(table, lambda item: 1 // 0)  # type: ignore[arg-type,return-value]


def test_lists_of_c_have_the_same() -> None:
    """C's own lists of keys and items agree with Python's."""
    table = new(a="x", b="y")
    keys, values = C.zhashx_keys(table), C.zhashx_values(table)
    assert zlistx.strings(keys) == zhashx.keys(table)
    assert zlistx.strings(values) == zhashx.values(table)
    for handle in (keys, values):
        zlistx.destroy(handle)


def test_nothing_leaks() -> None:
    """Neither keys nor callables stay behind."""

    def work() -> None:
        for _ in range(30):
            table = any_keys({Thing(): Thing() for _ in range(10)})
            zhashx.set_key_destructor(table, functools.partial(ignore, table))
            for key in zhashx.keys(table)[:5]:
                zhashx.rename(table, key, Thing())
            zhashx.destroy(zhashx.dup(table))

    work()
    del work
    collect()
    assert sum(isinstance(thing, Thing) for thing in gc.get_objects()) == 0
