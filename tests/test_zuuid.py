"""zuuid: universally unique identifiers."""

from __future__ import annotations

import uuid as python_uuid
from array import array
from typing import Any

import children
import pytest
from common import collect, short

from pyczmq import C, _handles, ffi, zuuid

TEXT = "8CB3E9A9649B4BEF8DE225E9C2CEBB38"
VALUE = bytes.fromhex(TEXT)

CALLS: dict[str, Any] = {
    "destroy": zuuid.destroy,
    "set": lambda uuid: zuuid.set(uuid, VALUE),
    "set_str": lambda uuid: zuuid.set_str(uuid, TEXT),
    "data": zuuid.data,
    "size": zuuid.size,
    "str": zuuid.str,
    "str_canonical": zuuid.str_canonical,
    "export": zuuid.export,
    "eq": lambda uuid: zuuid.eq(uuid, VALUE),
    "neq": lambda uuid: zuuid.neq(uuid, VALUE),
    "dup": zuuid.dup,
    "print": zuuid.print,
}


def test_selftest_replayed() -> None:
    """What CZMQ's own test shows: a copy, the ways to write a UUID, what is none, export and the canonical text."""
    uuid = zuuid.new()
    assert zuuid.size(uuid) == zuuid.LEN == C.ZUUID_LEN
    assert len(zuuid.str(uuid)) == zuuid.STR_LEN == C.ZUUID_STR_LEN
    copy = zuuid.dup(uuid)
    assert zuuid.str(uuid) == zuuid.str(copy)
    for text in (TEXT, "8CB3E9A9-649B-4BEF-8DE2-25E9C2CEBB38", "{8CB3E9A9-649B-4BEF-8DE2-25E9C2CEBB38}"):
        assert zuuid.set_str(uuid, text) == 0
        assert zuuid.str(uuid) == TEXT
    assert zuuid.set_str(uuid, f"{TEXT}38") == -1
    exported = zuuid.export(uuid)
    zuuid.set(uuid, exported)
    assert zuuid.str(uuid) == TEXT
    assert zuuid.str_canonical(uuid) == "8cb3e9a9-649b-4bef-8de2-25e9c2cebb38"
    zuuid.destroy(uuid)
    zuuid.destroy(copy)


def test_czmqs_own_test_passes() -> None:
    zuuid.test()


def test_every_uuid_is_another() -> None:
    """New ones have nothing in common, and a copy is a UUID of its own."""
    assert len({zuuid.data(zuuid.new()) for _ in range(1000)}) == 1000
    uuid = zuuid.new()
    copy = zuuid.dup(uuid)
    zuuid.set(copy, VALUE)
    assert zuuid.data(uuid) != zuuid.data(copy) == VALUE


@pytest.mark.parametrize("value", [VALUE, bytearray(VALUE), memoryview(VALUE), array("B", VALUE), bytes(16)])
def test_values_of_sixteen_bytes(value: Any) -> None:
    """Any buffer of 16 bytes is a value, NUL bytes and all."""
    uuid = zuuid.new_from(value)
    assert zuuid.data(uuid) == zuuid.export(uuid) == bytes(value)
    other = zuuid.new()
    assert zuuid.neq(other, value) is True
    assert zuuid.eq(other, value) is False
    zuuid.set(other, value)
    assert zuuid.eq(other, value) is True
    assert zuuid.neq(other, value) is False


def test_uuids_of_pythons_own() -> None:
    """A uuid.UUID is taken wherever a value is, and one is made of the data; so is another zuuid."""
    theirs = python_uuid.uuid4()
    ours = zuuid.new_from(theirs)
    assert python_uuid.UUID(bytes=zuuid.data(ours)) == theirs
    assert python_uuid.UUID(zuuid.str(ours)) == theirs
    assert zuuid.str_canonical(ours) == str(theirs)
    assert zuuid.eq(ours, theirs)
    other = zuuid.new()
    zuuid.set(other, theirs)
    assert zuuid.eq(other, ours)
    assert not zuuid.neq(other, ours)
    assert zuuid.set_str(other, str(python_uuid.uuid1())) == 0
    assert zuuid.neq(other, ours)
    zuuid.set(other, other)
    zuuid.set(other, ours)
    assert zuuid.eq(zuuid.new_from(other), theirs)
    assert zuuid.eq(other, other)


@pytest.mark.parametrize("function", ["new_from", "set", "eq", "neq"])
@pytest.mark.parametrize("bad", [b"", b"x" * 15, b"x" * 17, bytes(1 << 20), TEXT, "x" * 16, None, 1, []], ids=short)
def test_other_values(function: str, bad: Any) -> None:
    """What has not 16 bytes is refused, C would read on in memory; so is text, which is for set_str."""
    call = getattr(zuuid, function)
    name = "compare" if function.endswith("eq") else "source"
    with pytest.raises((TypeError, ValueError), match=f"{name} must be"):
        call(bad) if function == "new_from" else call(zuuid.new(), bad)


@pytest.mark.parametrize("function", ["new_from", "set", "eq", "neq"])
def test_values_that_are_gone(function: str) -> None:
    """A zuuid as a value must be alive."""
    gone = zuuid.new()
    zuuid.destroy(gone)
    call = getattr(zuuid, function)
    for bad, text in ((gone, "was destroyed"), (ffi.cast("zuuid_t *", 0), "is NULL")):
        with pytest.raises(ValueError, match=f"(source|compare) {text}"):
            call(bad) if function == "new_from" else call(zuuid.new(), bad)


@pytest.mark.parametrize(
    "text",
    [TEXT, TEXT.lower(), TEXT.encode(), "-" * 100 + TEXT, "}{".join(TEXT), str(python_uuid.UUID(bytes=VALUE))],
    ids=short,
)
def test_texts_that_are_a_uuid(text: Any) -> None:
    """Digits may be capital or not, hyphens and braces anywhere."""
    uuid = zuuid.new()
    assert zuuid.set_str(uuid, text) == 0
    assert (zuuid.data(uuid), zuuid.str(uuid)) == (VALUE, TEXT)
    assert zuuid.str_canonical(uuid) == "8cb3e9a9-649b-4bef-8de2-25e9c2cebb38"


@pytest.mark.parametrize(
    "text",
    ["", "-", "8", "8CB", TEXT[:-1], TEXT[:-2], f"{TEXT}0", f" {TEXT}", f"{TEXT}\0", TEXT.replace("8", "g"), "é" * 16,
     "0x" + TEXT[2:], "+" + TEXT[1:], b"\xff" * 32, "\udcff" * 32, "٣" * 16, "x" * (1 << 20), TEXT * 1000],
    ids=short,
)  # fmt: skip
def test_texts_that_are_none(text: Any) -> None:
    """Any other text is -1, and leaves the value alone; over an odd number of digits C would read on in memory."""
    uuid = zuuid.new_from(VALUE)
    assert zuuid.set_str(uuid, text) == -1
    assert (zuuid.data(uuid), zuuid.str(uuid)) == (VALUE, TEXT)


@pytest.mark.parametrize("bad", [None, 1, bytearray(TEXT.encode()), python_uuid.uuid4()])
def test_what_is_no_text(bad: Any) -> None:
    with pytest.raises(TypeError, match="source must be str or bytes"):
        zuuid.set_str(zuuid.new(), bad)


def test_canonical_text_follows_the_value() -> None:
    """The canonical text is not one that was made before the value was changed."""
    uuid = zuuid.new_from(bytes(16))
    assert zuuid.str_canonical(uuid) == "00000000-0000-0000-0000-000000000000"
    zuuid.set(uuid, b"\xff" * 16)
    assert zuuid.str_canonical(uuid) == "ffffffff-ffff-ffff-ffff-ffffffffffff"
    zuuid.set_str(uuid, TEXT)
    assert zuuid.str_canonical(uuid) == "8cb3e9a9-649b-4bef-8de2-25e9c2cebb38"


def test_print(capsys: pytest.CaptureFixture[str]) -> None:
    """A UUID is printed in its canonical form, and nothing behind it."""
    zuuid.print(zuuid.new_from(VALUE))
    assert capsys.readouterr().out == "8cb3e9a9-649b-4bef-8de2-25e9c2cebb38"


@pytest.mark.parametrize("name", CALLS)
def test_wrong_handles(name: str) -> None:
    """What is no zuuid, NULL, or destroyed, is refused."""
    call = CALLS[name]
    for wrong in (1, TEXT, VALUE, python_uuid.uuid4(), ffi.NULL, ffi.new("int *")):
        with pytest.raises(TypeError, match="uuid must be a"):
            call(wrong)
    with pytest.raises(ValueError, match="uuid is NULL"):
        call(ffi.cast("zuuid_t *", 0))
    gone = zuuid.new()
    zuuid.destroy(gone)
    with pytest.raises(ValueError, match="uuid was destroyed"):
        call(gone)


def test_destroy_takes_none() -> None:
    """None is let through, as NULL is in C; any other function refuses it."""
    zuuid.destroy(None)
    for name, call in CALLS.items():
        if name != "destroy":
            with pytest.raises(TypeError, match="uuid must be a"):
                call(None)


def test_handles_of_the_raw_floor() -> None:
    """A handle that C returned works, too."""
    uuid = C.zuuid_new()
    assert zuuid.eq(uuid, bytes(ffi.buffer(C.zuuid_data(uuid), 16)))
    zuuid.destroy(uuid)
    with pytest.raises(ValueError, match="was destroyed"):
        zuuid.data(uuid)


def test_collected_once() -> None:
    """The garbage collector frees each, once, in any order."""
    before = len(_handles._owned)
    uuids = [zuuid.new() for _ in range(50)]
    uuids += [zuuid.dup(uuid) for uuid in uuids]
    for uuid in uuids:
        zuuid.str_canonical(uuid)
    zuuid.destroy(uuids[7])
    while uuids:
        uuids.pop(len(uuids) // 2)
    del uuid
    collect()
    assert len(_handles._owned) <= before


def test_usable_after_fork() -> None:
    """A UUID is plain memory: a forked child goes on with it."""
    pytest.importorskip("resource")
    children.check(
        """
        import os
        from pyczmq import zuuid
        uuid = zuuid.new()
        text = zuuid.str(uuid)
        child = os.fork()
        if not child:
            os._exit(0 if zuuid.str(uuid) == text else 1)
        assert os.waitpid(child, 0)[1] == 0
        """
    )
