"""Picture strings: what each letter of a picture makes of a Python value on the wire, and back.

There are two kinds of pictures, as in CZMQ: those of zsock.send, one frame a letter, and those of zsock.bsend, which
pack everything but frames and messages into the first frame. What comes back in is a peer's, and may be anything.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager

from . import _handles, _multipart, _text, zframe, zmsg
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Union

    from ._types import CData, Frame, Msg, Socketish, Text

    Data = Union[bytes, CData]

_CHUNK = ffi.typeof("zchunk_t *")
_FRAME = ffi.typeof("zframe_t *")
_HASH = ffi.typeof("zhashx_t *")
_LIST = ffi.typeof("zlistx_t *")
_MSG = ffi.typeof("zmsg_t *")
_UUID = ffi.typeof("zuuid_t *")
_POINTER_SIZE = ffi.sizeof("void *")
_UUID_SIZE = 16

#: The longest text and chunk of a packed frame, by the size of the number before it.
_LONGEST = {1: 2**8 - 1, 4: 2**32 - 1}

#: What C's strtol and its like take for a number: spaces, a sign, digits.
_NUMBER = re.compile(rb"\s*([+-]?)0*([0-9]*)")
_MOST_DIGITS = 20

_CAPACITY = 256


class Picture:
    """A picture that has been read."""

    __slots__ = ("count", "decoders", "has_handles", "names", "simple", "sized", "text")

    def __init__(self, text: str, kind: _Kind) -> None:
        self.text = text
        #: Of each letter, the argument that it takes, for error texts.
        self.names: list[str] = []
        #: The letters whose frame, if it is there, must have a certain size: (index, size).
        self.sized: list[tuple[int, int]] = []
        self.count = 0
        rest = False
        for index, letter in enumerate(text):
            if letter not in kind.letters:
                raise ValueError(f"picture has {letter!r} at index {index}, which is none of its letters")
            if letter == kind.last and index < len(text) - 1:
                raise ValueError(f"picture has {letter!r} at index {index}, where only the last letter may be that")
            self.count += letter != "z"
            self.names.append(f"argument {self.count} ({letter!r})")
            rest |= letter == "m"
            if letter in _SIZES and not rest:
                self.sized.append((index, _SIZES[letter]))
        self.has_handles = "f" in text or "m" in text
        #: Encoder and name of each letter, unless one of them is not one argument for one frame.
        self.simple = None
        #: Decoder of each letter, unless one of them is not one frame for one value.
        self.decoders = None
        if not set("mz") & set(text) and kind is SENT:
            self.simple = [(_ENCODERS[letter], name) for letter, name in zip(text, self.names)]
            if not self.has_handles and not self.sized:
                self.decoders = [_DECODERS[letter] for letter in text]

    def arguments(self, args: tuple[Any, ...]) -> Iterator[tuple[str, str, Any]]:
        """Return letter, name and value of each argument; those of a 'z' are there, too."""
        if len(args) != self.count:
            raise TypeError(f"picture {self.text!r} takes {self.count} arguments, not {len(args)}")
        values = iter(args)
        for letter, name in zip(self.text, self.names):
            yield letter, name, None if letter == "z" else next(values)


class _Kind:
    """One of the two kinds of pictures."""

    __slots__ = ("known", "last", "letters")

    def __init__(self, letters: str, last: str | None) -> None:
        self.letters = frozenset(letters)
        self.last = last
        self.known: dict[str, Picture] = {}


#: The pictures of zsock.send and recv, and those of zsock.bsend and brecv.
SENT = _Kind("i1248usbcfhlUpmz", None)
PACKED = _Kind("1248sScufmp", "m")


def read(picture: Text, kind: _Kind) -> Picture:
    """Return a picture that has been read; ValueError, with the letter and its place, for one that is wrong."""
    text = picture if type(picture) is str else _text.decode(_text.encode(picture, "picture"))
    found = kind.known.get(text)
    if found is None:
        # C's documentation has both for an empty frame, its code the latter.
        found = Picture(text.replace("n", "z") if kind is SENT else text, kind)
        if len(kind.known) >= _CAPACITY:
            kind.known.clear()
        kind.known[text] = found
    return found


# ---------------------------------------------------------------- from values to frames


def frames(picture: Picture, args: tuple[Any, ...]) -> list[Data]:
    """Return the frames that zsock.send makes of its arguments."""
    if picture.simple is not None and len(args) == picture.count:
        return [encode(value, name) for (encode, name), value in zip(picture.simple, args)]
    made: list[Data] = []
    for letter, name, value in picture.arguments(args):
        if letter == "z":
            made.append(b"")
        elif letter == "m":
            made += _message(value, name)
        else:
            made.append(_ENCODERS[letter](value, name))
    return made


def packed(picture: Picture, args: tuple[Any, ...]) -> list[Data]:
    """Return the frames that zsock.bsend makes of its arguments."""
    parts: list[Data] = []
    more: list[Data] = []
    for letter, name, value in picture.arguments(args):
        if letter == "f":
            more.append(_frame(value, name))
        elif letter == "m":
            more += [b""] if value is None else _message(value, name)
        else:
            parts.append(_PACKERS[letter](value, name))
    return [b"".join(parts), *more]  # type: ignore[arg-type]


def _digits(least: int, most: int) -> Callable[[Any, str], bytes]:
    def digits(value: Any, name: str) -> bytes:
        return b"%d" % (value if type(value) is int and least <= value <= most else integer(value, name, least, most))

    return digits


def _big_endian(size: int) -> Callable[[Any, str], bytes]:
    most = 2 ** (8 * size) - 1
    return lambda value, name: integer(value, name, 0, most).to_bytes(size, "big")


def _counted(size: int, encode: Callable[[Any, str], bytes]) -> Callable[[Any, str], bytes]:
    """Return the encoder that puts a number of *size* bytes, the length, before what *encode* returns."""

    def with_length(value: Any, name: str) -> bytes:
        data = b"" if value is None else encode(value, name)
        if len(data) > _LONGEST[size]:
            raise ValueError(f"{name} must be at most {_LONGEST[size]} bytes long, not {len(data)}")
        return len(data).to_bytes(size, "big") + data

    return with_length


def _memory(pointer: CData, size: int) -> bytes:
    return ffi.buffer(pointer, size)[:] if size else b""


def _chunk(value: Any, name: str) -> bytes:
    chunk = _handles.live(value, _CHUNK, name)
    return _memory(C.zchunk_data(chunk), C.zchunk_size(chunk))


def _frame(value: Any, name: str) -> bytes:
    frame = _handles.live(value, _FRAME, name)
    return _memory(C.zframe_data(frame), C.zframe_size(frame))


def _message(value: Any, name: str) -> list[bytes]:
    return [_frame(frame, name) for frame in zmsg._walk(_handles.live(value, _MSG, name))]


def _uuid(value: Any, name: str) -> bytes:
    return _memory(C.zuuid_data(_handles.live(value, _UUID, name)), _UUID_SIZE)


def _pointer(value: Any, name: str) -> bytes:
    if value is None:
        return bytes(_POINTER_SIZE)
    if not isinstance(value, ffi.CData) or ffi.typeof(value).kind not in ("pointer", "array", "function"):
        raise TypeError(f"{name} must be a pointer, not {type(value).__name__}")
    gone = _handles.fate(value)
    if gone is not None:
        raise ValueError(f"{name} {gone}")
    return int(ffi.cast("uintptr_t", value)).to_bytes(_POINTER_SIZE, sys.byteorder)


def _hash(value: Any, name: str) -> bytes:
    from . import _packed, zhashx

    if not isinstance(value, (dict, ffi.CData)):
        raise TypeError(f"{name} must be a dict or a zhashx_t *, not {type(value).__name__}")
    hash = None if isinstance(value, dict) else _handles.live(value, _HASH, name)
    with _naming(name):
        return _packed.write_pairs(list(value.items())) if hash is None else _taken(zhashx.pack(hash))


def _list(value: Any, name: str) -> bytes:
    from . import _packed, zlistx

    if not isinstance(value, (list, tuple, ffi.CData)):
        raise TypeError(f"{name} must be a list or a zlistx_t *, not {type(value).__name__}")
    handle = None if isinstance(value, (list, tuple)) else _handles.live(value, _LIST, name)
    with _naming(name):
        return _packed.write_strings(list(value)) if handle is None else _taken(zlistx.pack(handle))


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Name the argument in what is raised about a part of it."""
    try:
        yield
    except UnicodeError:
        raise
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None


def _taken(frame: Frame) -> bytes:
    """Return a frame's content, and destroy it."""
    content = _memory(C.zframe_data(frame), C.zframe_size(frame))
    zframe.destroy(frame)
    return content


_ENCODERS: dict[str, Callable[[Any, str], Data]] = {
    "i": _digits(-(2**31), 2**31 - 1),
    "1": _digits(0, 2**8 - 1),
    "2": _digits(0, 2**16 - 1),
    "4": _digits(0, 2**32 - 1),
    "8": _digits(0, 2**64 - 1),
    "u": _digits(0, 2**32 - 1),
    "s": _text.encode,
    "b": _text.data,
    "c": _chunk,
    "f": _frame,
    "h": _hash,
    "l": _list,
    "U": _uuid,
    "p": _pointer,
}

_PACKERS: dict[str, Callable[[Any, str], bytes]] = {
    "1": _big_endian(1),
    "2": _big_endian(2),
    "4": _big_endian(4),
    "8": _big_endian(8),
    "s": _counted(1, _text.encode),
    "S": _counted(4, _text.encode),
    "c": _counted(4, _chunk),
    "u": _uuid,
    "p": _pointer,
}


# ---------------------------------------------------------------- from frames to values


def values(picture: Picture, frames: list[bytes]) -> tuple[Any, ...] | None:
    """Return what zsock.recv makes of the frames of a message, by a picture with no handles; None if they do not fit.

    A handle here is one of a frame or of a message.
    """
    count = len(frames)
    if picture.decoders is not None and count >= picture.count:
        return tuple([decode(frame) for decode, frame in zip(picture.decoders, frames)])
    for index, size in picture.sized:
        if index < count and len(frames[index]) != size:
            return None
    return tuple(
        [
            _DECODERS[letter](frames[index]) if index < count else _MISSING.get(letter)
            for index, letter in enumerate(picture.text)
            if letter != "z"
        ]
    )


def handles(picture: Picture, message: Msg) -> tuple[Any, ...] | None:
    """Return what zsock.recv makes of a message, by any picture, and destroy the message; None if it does not fit."""
    left: list[Frame] = []
    frame = zmsg.pop(message)
    while frame is not None:
        left.append(frame)
        frame = zmsg.pop(message)
    found: list[Any] = []
    fits = all(C.zframe_size(left[index]) == size for index, size in picture.sized if index < len(left))
    if fits:
        left.reverse()
        for letter in picture.text:
            if letter == "m":
                found.append(_rest(message, left))
            elif not left:
                found += [] if letter == "z" else [_MISSING.get(letter)]
            elif letter == "f":
                found.append(left.pop())
            else:
                data = _taken(left.pop())
                found += [] if letter == "z" else [_DECODERS[letter](data)]
    for frame in left:
        zframe.destroy(frame)
    zmsg.destroy(message)
    return tuple(found) if fits else None


def _rest(message: Msg, left: list[Frame]) -> Msg:
    """Return a new message of the frames that are left, in reverse order."""
    rest = zmsg.new()
    if _handles.drafts():
        zmsg.set_routing_id(rest, zmsg.routing_id(message))
    while left:
        zmsg.append(rest, left.pop())
    return rest


def unpacked(picture: Picture, data: bytes) -> list[Any] | None:
    """Return what zsock.brecv finds in the first frame, and None where others follow; None if it is malformed."""
    pieces: list[bytes | None] = []
    start = 0
    for letter in picture.text:
        if letter in "fm":
            pieces.append(None)
            continue
        if letter in _COUNTS:
            after = start + _COUNTS[letter]
            size = int.from_bytes(data[start:after], "big")
            start = after
        else:
            size = _WIDTHS[letter]
        if start + size > len(data):
            return None
        pieces.append(data[start : start + size])
        start += size
    return [None if piece is None else _UNPACKERS[letter](piece) for letter, piece in zip(picture.text, pieces)]


def follow(picture: Picture, found: list[Any], sock: Socketish, more: bool) -> bool:
    """Receive the frames behind the first into what `unpacked` found; False, with nothing kept, if some are missing."""
    try:
        for index, letter in enumerate(picture.text if picture.has_handles else ""):
            if letter in "fm":
                if more:
                    found[index] = zframe.recv(sock) if letter == "f" else zmsg.recv(sock)
                if found[index] is None:
                    _forget(picture, found)
                    return False
                more = letter == "f" and zframe.more(found[index]) != 0
    except BaseException:
        _forget(picture, found)
        _multipart.drop_rest(_handles.socket(sock, "sock"))
        raise
    return True


def _forget(picture: Picture, found: list[Any]) -> None:
    """Destroy frames and messages that nobody will get."""
    for letter, value in zip(picture.text, found):
        if value is not None and letter in "fm":
            (zframe.destroy if letter == "f" else zmsg.destroy)(value)


def _parsed(data: bytes, least: int, most: int) -> int:
    """Return the number that *data* begins with, kept within the limits; 0 if there is none."""
    match = _NUMBER.match(data)
    sign, digits = match.groups() if match else (b"", b"")
    number = int(digits or b"0") if len(digits) <= _MOST_DIGITS else 2**64
    if least:
        return max(least, -number) if sign == b"-" else min(number, most)
    # strtoul wraps a negative number, but not one that is too large.
    return most if number > most else -number & most if sign == b"-" else number


def _int(data: bytes) -> int:
    if len(data) < 10 and data.isdigit():
        return int(data)
    number = _parsed(data, -(2**63), 2**63 - 1)
    return ((number + 2**31) & (2**32 - 1)) - 2**31


def _unsigned(mask: int, least: int, most: int) -> Callable[[bytes], int]:
    return lambda data: (int(data) if len(data) < 10 and data.isdigit() else _parsed(data, least, most)) & mask


def _new_chunk(data: bytes) -> Any:
    from . import zchunk

    return zchunk.new(data)


def _new_uuid(data: bytes) -> Any:
    from . import zuuid

    return zuuid.new_from(data)


def _new_pointer(data: bytes) -> CData | None:
    return ffi.cast("void *", int.from_bytes(data, sys.byteorder)) or None


def _new_hash(data: bytes) -> Any:
    from . import zhashx

    return _from_frame(data, zhashx.unpack)


def _new_list(data: bytes) -> Any:
    from . import zlistx

    return _from_frame(data, zlistx.unpack)


def _from_frame(data: bytes, unpack: Callable[[Frame], Any]) -> Any:
    frame = zframe.new(data)
    try:
        return unpack(frame)
    finally:
        zframe.destroy(frame)


_DECODERS: dict[str, Callable[[bytes], Any]] = {
    "i": _int,
    "1": _unsigned(2**8 - 1, -(2**63), 2**63 - 1),
    "2": _unsigned(2**16 - 1, -(2**63), 2**63 - 1),
    "4": _unsigned(2**32 - 1, 0, 2**64 - 1),
    "8": _unsigned(2**64 - 1, 0, 2**64 - 1),
    "u": _unsigned(2**32 - 1, 0, 2**64 - 1),
    "s": _text.decode,
    "b": bytes,
    "c": _new_chunk,
    "h": _new_hash,
    "l": _new_list,
    "U": _new_uuid,
    "p": _new_pointer,
}

#: What stands for the frames that a message lacks; None does for all others.
_MISSING = dict.fromkeys("i1248u", 0)

#: The letters whose frame must have a certain size, if it is there.
_SIZES = {"z": 0, "p": _POINTER_SIZE, "U": _UUID_SIZE}

#: In a packed frame, the sizes of the numbers, and those of the lengths that come before text and chunks.
_WIDTHS = {"1": 1, "2": 2, "4": 4, "8": 8, "u": _UUID_SIZE, "p": _POINTER_SIZE}
_COUNTS = {"s": 1, "S": 4, "c": 4}


def _from_big_endian(data: bytes) -> int:
    return int.from_bytes(data, "big")


_UNPACKERS: dict[str, Callable[[bytes], Any]] = {
    **dict.fromkeys("1248", _from_big_endian),
    "s": _text.decode,
    "S": _text.decode,
    "c": _new_chunk,
    "u": _new_uuid,
    "p": _new_pointer,
}
