"""zuuid: universally unique identifiers, 16 bytes that nobody else has.

Wherever a value of 16 bytes is taken, it may be any buffer of that size, a `uuid.UUID` of Python's, or another zuuid.

    >>> from pyczmq import zuuid
    >>> import uuid
    >>> one = zuuid.new()
    >>> zuuid.size(one), len(zuuid.data(one)), len(zuuid.str(one))
    (16, 16, 32)
    >>> zuuid.set_str(one, "{8CB3E9A9-649B-4BEF-8DE2-25E9C2CEBB38}")
    0
    >>> zuuid.str(one)
    '8CB3E9A9649B4BEF8DE225E9C2CEBB38'
    >>> zuuid.str_canonical(one)
    '8cb3e9a9-649b-4bef-8de2-25e9c2cebb38'
    >>> uuid.UUID(bytes=zuuid.data(one))
    UUID('8cb3e9a9-649b-4bef-8de2-25e9c2cebb38')
    >>> zuuid.eq(one, zuuid.new_from(zuuid.data(one)))
    True
"""

from __future__ import annotations

import builtins
import sys

from . import _handles, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union
    from uuid import UUID

    from ._types import Buffer, CData, Text, Uuid

    Value = Union[Buffer, UUID, Uuid]

#: Bytes of a UUID, and the hexadecimal digits of its text.
LEN = 16
STR_LEN = 32

_UUID = ffi.typeof("zuuid_t *")
_free = _handles.freer(C.zuuid_destroy, "zuuid_t *")

_DIGITS = frozenset(b"0123456789abcdefABCDEF")


def new() -> Uuid:
    """Return a new UUID, unlike any other.

    The garbage collector owns it, and it stays usable in a forked child.

    C: ``zuuid_t *zuuid_new (void)``
    """
    uuid = _own(C.zuuid_new())
    if uuid is None:
        raise RuntimeError("this system cannot make a UUID")
    return uuid


def new_from(source: Value) -> Uuid:
    """Return a UUID with a value of 16 bytes. The garbage collector owns it.

    C: ``zuuid_t *zuuid_new_from (const byte *source)``
    """
    uuid = _own(C.zuuid_new_from(_value(source, "source")))
    assert uuid is not None
    return uuid


def _own(pointer: Uuid) -> Uuid | None:
    return _handles.own(pointer, _free, fork_safe=True)


def _value(source: Value, name: builtins.str) -> bytes | CData:
    """Return the 16 bytes of a value for C."""
    if isinstance(source, ffi.CData) and ffi.typeof(source) is _UUID:
        return C.zuuid_data(_handles.live(source, _UUID, name))
    # As long as nobody has imported it, there are no objects of it.
    module = sys.modules.get("uuid")
    if module is not None and isinstance(source, module.UUID):
        content: bytes | CData = source.bytes
        return content
    if isinstance(source, builtins.str):
        raise TypeError(f"{name} must be {LEN} bytes, not str; set_str takes text")
    try:
        content = _text.data(source, name)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be a buffer, a UUID or a zuuid, not {type(source).__name__}") from None
    if len(content) != LEN:
        raise ValueError(f"{name} must be {LEN} bytes, not {len(content)}; set_str takes text")
    return content


def destroy(uuid: Uuid | None) -> None:
    """Destroy a UUID now, and only once; None is let through.

    C: ``void zuuid_destroy (zuuid_t **self_p)``
    """
    _handles.destroy(uuid, _UUID, _free, "uuid")


def set(uuid: Uuid, source: Value) -> None:
    """Give a UUID another value of 16 bytes.

    C: ``void zuuid_set (zuuid_t *self, const byte *source)``
    """
    value = _value(source, "source")
    C.zuuid_set(_live(uuid), value)


def set_str(uuid: Uuid, source: Text) -> int:
    """Give a UUID the value that a text stands for; return 0, or -1 for a text that is no UUID.

    The text has 32 hexadecimal digits, capital or not, and as many hyphens and braces among them as it likes. Unlike in
    C, -1 leaves the value alone, and a text with too few digits is none.

    C: ``int zuuid_set_str (zuuid_t *self, const char *source)``
    """
    text = _text.encode(source, "source").translate(None, b"-{}")
    _live(uuid)
    if len(text) != STR_LEN or not _DIGITS.issuperset(text):
        return -1
    return C.zuuid_set_str(uuid, text)


def data(uuid: Uuid) -> bytes:
    """Return the value, 16 bytes.

    C: ``const byte *zuuid_data (zuuid_t *self)``
    """
    return bytes(ffi.buffer(C.zuuid_data(_live(uuid)), LEN))


def size(uuid: Uuid) -> int:
    """Return the size of the value in bytes: 16.

    C: ``size_t zuuid_size (zuuid_t *self)``
    """
    return C.zuuid_size(_live(uuid))


def str(uuid: Uuid) -> builtins.str:
    """Return a UUID as 32 hexadecimal digits, in capitals.

    C: ``const char *zuuid_str (zuuid_t *self)``
    """
    return _text.decode(ffi.string(C.zuuid_str(_live(uuid))))


def str_canonical(uuid: Uuid) -> builtins.str:
    """Return a UUID as it is commonly written: 8-4-4-4-12 hexadecimal digits with hyphens between, in small letters.

    C: ``const char *zuuid_str_canonical (zuuid_t *self)``
    """
    return _text.decode(ffi.string(C.zuuid_str_canonical(_live(uuid))))


def export(uuid: Uuid) -> bytes:
    """Return the value, 16 bytes, which C stores where it is told to.

    C: ``void zuuid_export (zuuid_t *self, byte *target)``
    """
    target = ffi.new("byte[]", LEN)
    C.zuuid_export(_live(uuid), target)
    return bytes(target)


def eq(uuid: Uuid, compare: Value) -> bool:
    """Tell whether a UUID has a value of 16 bytes, or the same as another.

    C: ``bool zuuid_eq (zuuid_t *self, const byte *compare)``
    """
    value = _value(compare, "compare")
    return C.zuuid_eq(_live(uuid), value)


def neq(uuid: Uuid, compare: Value) -> bool:
    """Tell whether a UUID has another value than one of 16 bytes, or than another UUID.

    C: ``bool zuuid_neq (zuuid_t *self, const byte *compare)``
    """
    value = _value(compare, "compare")
    return C.zuuid_neq(_live(uuid), value)


def dup(uuid: Uuid) -> Uuid:
    """Return a copy of a UUID. The garbage collector owns it.

    C: ``zuuid_t *zuuid_dup (zuuid_t *self)``
    """
    copy = _own(C.zuuid_dup(_live(uuid)))
    assert copy is not None
    return copy


def test(verbose: bool = False) -> None:
    """Run CZMQ's own self-test of this class in a child process; RuntimeError with its output if it fails.

    C: ``void zuuid_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zuuid_test", verbose)


def print(uuid: Uuid) -> None:
    """Write a UUID to the standard output as `str_canonical` gives it, with no line feed behind it.

    C: ``void zuuid_print (zuuid_t *self)``
    """
    from . import _stdout

    _stdout.write(str_canonical(uuid).encode())


def _live(uuid: Uuid) -> Uuid:
    return _handles.live(uuid, _UUID, "uuid")


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zuuid")
