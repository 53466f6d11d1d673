"""The wire format of Open Sound Control messages, for `zosc`: what a message has in it, and what C takes as arguments.

C's own parser trusts what it reads: it looks for text and numbers beyond the end of the data, takes a byte for each
``N`` and ``I``, which have none, and knows no blobs. So messages are read here.
"""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

from . import _text
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Union

    from ._types import CData

    Value = Union[int, float, str, bytes, bool, None]

#: Type tags that C can write, and how many there may be in a message: C has them on its stack.
WRITTEN = frozenset("ihfdscmTFNI")
MOST_TAGS = 5000

#: Bytes that a message may have: C does not look whether there is memory.
_MOST_BYTES = 2**26

_NUMBERS = {"i": ">i", "h": ">q", "f": ">f", "d": ">d", "m": ">I"}
_CONSTANTS: dict[str, Value] = {"T": True, "F": False, "N": None, "I": math.inf}
_KNOWN = frozenset([*_NUMBERS, *_CONSTANTS, "c", "s", "S", "b"])
_ALIGN = 4

_midi_swaps: bool | None = None


class Message(NamedTuple):
    """What is in a message."""

    address: str
    format: str
    values: list[Value]  #: up to the first one that cannot be read
    problem: str | None  #: why it cannot


def parse(data: bytes) -> Message | None:
    """Return what is in a message's data; None if that is none, or ends too early."""
    end = data.find(b"\0")
    comma = data.find(b",", end + 1)
    finish = data.find(b"\0", comma)
    if end < 0 or comma < 0 or finish < 0 or _aligned(finish + 1) > len(data):
        return None
    format = _text.decode(data[comma + 1 : finish])
    values: list[Value] = []
    problem = None
    position = _aligned(finish + 1)
    for tag in format:
        if tag not in _KNOWN:
            problem = f"has the type tag {tag!r}, which is not known"
            break
        try:
            value, position = _read(data, position, tag)
        except ValueError:
            return None
        values.append(value)
    return Message(_text.decode(data[:end]), format, values, problem)


def empty(address: bytes) -> bytes:
    """Return the data of a message with no values."""
    return address.ljust(_aligned(len(address) + 1), b"\0") + b",\0\0\0"


def _aligned(position: int) -> int:
    return -(-position // _ALIGN) * _ALIGN


def _read(data: bytes, position: int, tag: str) -> tuple[Value, int]:
    """Return the value of a type tag, and where the next one begins; ValueError if the data end before."""
    if tag in _CONSTANTS:
        return _CONSTANTS[tag], position
    if tag in _NUMBERS:
        size = struct.calcsize(_NUMBERS[tag])
        number: Value = struct.unpack(_NUMBERS[tag], _take(data, position, size))[0]
        return number, position + size
    if tag == "c":
        return _text.decode(_take(data, position, _ALIGN)[-1:]), position + _ALIGN
    if tag == "b":
        (size,) = struct.unpack(">I", _take(data, position, _ALIGN))
        return _take(data, position + _ALIGN, size), _aligned(position + _ALIGN + size)
    end = data.index(b"\0", position)
    return _text.decode(data[position:end]), _aligned(end + 1)


def _take(data: bytes, position: int, size: int) -> bytes:
    if position + size > len(data):
        raise ValueError("too little data")
    return data[position : position + size]


# ---------------------------------------------------------------- writing


def arguments(format: str, values: tuple[Any, ...], size: int) -> list[CData]:
    """Return what C is to be given for a format's values, to be added to *size* bytes."""
    unknown = [tag for tag in format if tag not in WRITTEN]
    if unknown:
        raise ValueError(f"format must consist of the type tags ihfdscmTFNI, and has {unknown[0]!r}")
    if len(format) > MOST_TAGS:
        raise ValueError(f"format has {len(format)} type tags, and there is room for {MOST_TAGS}")
    tags = [tag for tag in format if tag not in _CONSTANTS]
    if len(tags) != len(values):
        raise TypeError(f"format {format!r} takes {len(tags)} values, not {len(values)}")
    names = [f"value {number} ({tag})" for number, tag in enumerate(tags, 1)]
    found = [_ARGUMENTS[tag](value, name) for tag, value, name in zip(tags, values, names)]
    if size + sum(ffi.sizeof(argument) for argument in found) > _MOST_BYTES:
        raise ValueError(f"a message has room for {_MOST_BYTES} bytes")
    return found


def _i(value: Any, name: str) -> CData:
    return _cast("int", integer(value, name))


def _h(value: Any, name: str) -> CData:
    return _cast("int64_t", integer(value, name, -(2**63), 2**63 - 1))


def _d(value: Any, name: str) -> CData:
    try:
        return _cast("double", struct.unpack("d", struct.pack("d", value))[0])
    except (struct.error, OverflowError):
        raise TypeError(f"{name} must be a float, not {type(value).__name__}") from None


def _s(value: Any, name: str) -> CData:
    text: CData = ffi.new("char[]", _text.cstring(value, name))
    return text


def _c(value: Any, name: str) -> CData:
    content = _text.encode(value, name)
    if len(content) != 1:
        raise ValueError(f"{name} must be one byte, not {len(content)}")
    return _cast("int", content[0])


def _m(value: Any, name: str) -> CData:
    number = integer(value, name, 0, 2**32 - 1)
    if _swaps_midi():
        number = int.from_bytes(number.to_bytes(4, "little"), "big")
    return _cast("uint32_t", number)


def _cast(ctype: str, value: Any) -> CData:
    number: CData = ffi.cast(ctype, value)
    return number


def _swaps_midi() -> bool:
    """Tell whether C writes MIDI packets in this machine's order, and not in the network's, in which it reads them."""
    global _midi_swaps
    if _midi_swaps is None:
        probe = C.zosc_create(b"/", b"m", ffi.cast("uint32_t", 1))
        _midi_swaps = C.zosc_data(probe)[C.zosc_size(probe) - 1] != 1
        C.zosc_destroy(ffi.new("zosc_t **", probe))
    return _midi_swaps


_ARGUMENTS: dict[str, Callable[[Any, str], CData]] = {"i": _i, "h": _h, "f": _d, "d": _d, "s": _s, "c": _c, "m": _m}
