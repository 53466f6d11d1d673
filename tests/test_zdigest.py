"""zdigest: SHA-1 digests."""

from __future__ import annotations

import hashlib
from array import array
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, _handles, ffi, zdigest

CALLS: dict[str, Any] = {
    "update": lambda digest: zdigest.update(digest, b"x"),
    "data": zdigest.data,
    "size": zdigest.size,
    "string": zdigest.string,
    "destroy": zdigest.destroy,
}


def test_selftest_replayed() -> None:
    """What CZMQ's own test shows: the digest of 1024 times the same byte, as bytes and as text."""
    digest = zdigest.new()
    zdigest.update(digest, b"\xaa" * 1024)
    assert zdigest.data(digest)[:4] == b"\xde\xb2\x38\x07"
    assert zdigest.string(digest) == "DEB23807D4FE025E900FE9A9C7D8410C3DDE9671"
    assert zdigest.size(digest) == 20
    zdigest.destroy(digest)


def test_czmqs_own_test_passes() -> None:
    zdigest.test()


@pytest.mark.parametrize(
    "content",
    [b"", b"a", b"\0", b"nul \0 in it", b"\xff\xfe", b"x" * 55, b"x" * 56, b"x" * 63, b"x" * 64, bytes(1 << 20)],
    ids=len,
)
def test_digests_are_sha1(content: bytes) -> None:
    """The digest is what Python's hashlib says, in one piece, in several, and whichever is asked for first."""
    expected = hashlib.sha1(content)
    whole, pieces = zdigest.new(), zdigest.new()
    zdigest.update(whole, content)
    for start in range(0, len(content), 100_001):
        zdigest.update(pieces, memoryview(content)[start : start + 100_001])
    assert zdigest.data(whole) == expected.digest()
    assert zdigest.string(whole) == expected.hexdigest().upper()
    assert zdigest.string(pieces) == expected.hexdigest().upper()
    assert zdigest.data(pieces) == expected.digest()


@pytest.mark.parametrize("data", ["ä\udcff", b"\xc3\xa4\xff", bytearray(b"\xc3\xa4\xff"), array("B", b"\xc3\xa4\xff")])
def test_kinds_of_data(data: Any) -> None:
    """Data is text, as UTF-8, or any buffer."""
    digest = zdigest.new()
    zdigest.update(digest, data)
    assert zdigest.data(digest) == hashlib.sha1(b"\xc3\xa4\xff").digest()


@pytest.mark.parametrize("finish", [zdigest.data, zdigest.string])
def test_no_data_after_the_result(finish: Any) -> None:
    """A digest that was asked for takes no more data, over which C would abort; its size does not finish it."""
    digest = zdigest.new()
    zdigest.size(digest)
    zdigest.update(digest, "x")
    result = finish(digest)
    for _ in range(2):
        with pytest.raises(ValueError, match="digest is finished"):
            zdigest.update(digest, "")
    assert finish(digest) == result
    fresh = zdigest.new()
    zdigest.update(fresh, "x")
    assert finish(fresh) == result


def test_c_aborts_over_data_after_the_result() -> None:
    """The raw floor shows why."""
    done = children.run("from pyczmq import C; d = C.zdigest_new(); C.zdigest_data(d); C.zdigest_update(d, b'', 0)")
    assert done.status != 0


@pytest.mark.parametrize("bad", [None, 1, 1.5, [], object(), memoryview(b"abcd")[::2]])
def test_wrong_data(bad: Any) -> None:
    """What is no contiguous buffer is refused, and the digest goes on."""
    digest = zdigest.new()
    with pytest.raises((TypeError, ValueError), match="buffer must be"):
        zdigest.update(digest, bad)
    assert zdigest.data(digest) == hashlib.sha1().digest()


@pytest.mark.parametrize("name", CALLS)
def test_wrong_handles(name: str) -> None:
    """What is no digest, NULL, or destroyed, is refused."""
    call = CALLS[name]
    for wrong in (1, "x", b"x", object(), ffi.NULL, C.zframe_new_empty, ffi.new("int *")):
        with pytest.raises(TypeError, match="digest must be a"):
            call(wrong)
    with pytest.raises(ValueError, match="digest is NULL"):
        call(ffi.cast("zdigest_t *", 0))
    gone = zdigest.new()
    zdigest.destroy(gone)
    with pytest.raises(ValueError, match="digest was destroyed"):
        call(gone)


def test_destroy_takes_none() -> None:
    """None is let through, as NULL is in C; any other function refuses it."""
    zdigest.destroy(None)
    for name, call in CALLS.items():
        if name != "destroy":
            with pytest.raises(TypeError, match="digest must be a"):
                call(None)


def test_handles_of_the_raw_floor() -> None:
    """A handle that C returned works, too, and belongs to whoever made it."""
    digest = C.zdigest_new()
    zdigest.update(digest, "abc")
    assert zdigest.string(digest) == hashlib.sha1(b"abc").hexdigest().upper()
    zdigest.destroy(digest)
    with pytest.raises(ValueError, match="was destroyed"):
        zdigest.string(digest)


def test_collected_once() -> None:
    """The garbage collector frees a digest, once, in either order with others; one that was destroyed is not freed."""
    before = len(_handles._owned)
    digests = [zdigest.new() for _ in range(100)]
    for digest in digests[::2]:
        zdigest.data(digest)
    zdigest.destroy(digests[50])
    while digests:
        digests.pop(len(digests) // 2)
    del digest
    collect()
    assert len(_handles._owned) <= before
