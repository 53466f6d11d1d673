"""zarmour: binary data as plain text and back: base64, base32, base16 and Z85.

An armour holds what is wanted: the mode, whether to pad, whether to break the text into lines. Base 64, 32 and 16 are
those of RFC 4648, Z85 is ZeroMQ's own: 4 bytes are 5 characters, with no padding and no lines.

    >>> from pyczmq import zarmour
    >>> armour = zarmour.new()
    >>> zarmour.encode(armour, b"Hello")
    'SGVsbG8='
    >>> zarmour.decode(armour, "SGVsbG8=")
    b'Hello'
    >>> zarmour.set_mode(armour, zarmour.MODE_Z85)
    >>> zarmour.mode_str(armour)
    'z85'
    >>> zarmour.encode(armour, bytes.fromhex("864FD26FB559F75B"))
    'HelloWorld'

What is decoded comes as bytes, and without the NUL byte that C puts behind it.
"""

from __future__ import annotations

from . import _handles, _memory, _text
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import Armour, Buffer, Text

#: Modes.
MODE_BASE64_STD = 0
MODE_BASE64_URL = 1
MODE_BASE32_STD = 2
MODE_BASE32_HEX = 3
MODE_BASE16 = 4
MODE_Z85 = 5

_ARMOUR = ffi.typeof("zarmour_t *")
_free = _handles.freer(C.zarmour_destroy, "zarmour_t *")
_free_chunk = _handles.freer(C.zchunk_destroy, "zchunk_t *")

_DIGITS = b"0123456789"
_CAPITALS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SMALL = _CAPITALS.lower()
_SPACE = b" \t\r\n\v\f"

#: By mode, the characters that it writes.
_ALPHABETS = (
    _CAPITALS + _SMALL + _DIGITS + b"+/",
    _CAPITALS + _SMALL + _DIGITS + b"-_",
    _CAPITALS + b"234567",
    _DIGITS + _CAPITALS[:22],
    _DIGITS + _CAPITALS[:6],
    _DIGITS + _SMALL + _CAPITALS + b".-:+=^!/*?&<>()[]{}@%$#",
)

#: By mode: the bytes in a full group, and how many bytes a group of so many characters stands for.
_GROUPS = (
    (3, {0: 0, 2: 1, 3: 2, 4: 3}),
    (3, {0: 0, 2: 1, 3: 2, 4: 3}),
    (5, {0: 0, 2: 1, 4: 2, 5: 3, 7: 4, 8: 5}),
    (5, {0: 0, 2: 1, 4: 2, 5: 3, 7: 4, 8: 5}),
    (1, {0: 0, 2: 1}),
    (4, {0: 0, 5: 4}),
)


def new() -> Armour:
    """Return a new armour: base64, with padding, in one line.

    The garbage collector owns it, and it stays usable in a forked child.

    C: ``zarmour_t *zarmour_new (void)``
    """
    armour = _handles.own(C.zarmour_new(), _free, fork_safe=True)
    assert armour is not None
    return armour


def destroy(armour: Armour | None) -> None:
    """Destroy an armour now, and only once; None is let through.

    C: ``void zarmour_destroy (zarmour_t **self_p)``
    """
    _handles.destroy(armour, _ARMOUR, _free, "armour")


def encode(armour: Armour, data: Text | Buffer) -> str:
    """Return data as text: anything with the buffer protocol, or str, as UTF-8.

    Raises ValueError in the mode Z85 for data whose size in bytes is no multiple of 4.

    C: ``char *zarmour_encode (zarmour_t *self, const byte *data, size_t size)``
    """
    content = _text.data(data)
    size = len(content)
    if mode(armour) == MODE_Z85 and size % 4:
        raise ValueError(f"data must be a multiple of 4 bytes for Z85, not {size}")
    _memory.afford(2 * size, "text")
    broken = C.zarmour_line_breaks(armour)
    # C's own way to break lines takes a time that grows with the square of the length.
    C.zarmour_set_line_breaks(armour, False)
    try:
        text = _text.take(C.zarmour_encode(armour, content if size else b"", size))
    finally:
        C.zarmour_set_line_breaks(armour, broken)
    if text is None:
        raise MemoryError(f"no memory for {size} bytes as text")
    length = C.zarmour_line_length(armour)
    if not broken or not length or mode(armour) == MODE_Z85:
        return text
    return "\n".join([text[start : start + length] for start in range(0, len(text), length)])


def decode(armour: Armour, data: Text) -> bytes:
    """Return the bytes that a text stands for, in the armour's mode.

    Base 32 and 16 take small letters, too. But for Z85, white space is skipped, and padding at the end, with the
    armour's pad character or ``=``, is neither needed nor counted. Raises ValueError for a text with other characters
    or of a length that cannot be, where C would skip them, abort, or write where it must not.

    C: ``zchunk_t *zarmour_decode (zarmour_t *self, const char *data)``
    """
    text = _text.encode(data, "data")
    kind = mode(armour)
    alphabet = _ALPHABETS[kind]
    padding = C.zarmour_pad_char(armour) + b"="
    if kind in (MODE_BASE32_STD, MODE_BASE32_HEX, MODE_BASE16):
        text, padding = text.upper(), padding.upper()
    if kind != MODE_Z85:
        text = text.translate(None, _SPACE).rstrip(padding.translate(None, alphabet))
    foreign = text.translate(None, alphabet)
    if foreign:
        raise ValueError(f"data must be {mode_str(armour)}, which has no {_text.decode(foreign[:1])!r}")
    group, sizes = _GROUPS[kind]
    full, rest = divmod(len(text), max(sizes))
    if rest not in sizes:
        raise ValueError(f"data must be {mode_str(armour)}, which cannot have {len(text)} characters")
    expected = full * group + sizes[rest]
    if not expected:
        # Of no characters at all, libzmq does not know what to make.
        return b""
    # C has the bytes twice.
    _memory.afford(2 * expected, "data")
    chunk = C.zarmour_decode(armour, text)
    if not chunk:
        raise MemoryError(f"no memory for {expected} bytes")
    try:
        # A NUL byte comes behind them.
        if C.zchunk_size(chunk) != expected + 1:
            raise ValueError("data must be z85, in which a group of 5 characters stands for no more than 32 bits")
        return bytes(ffi.buffer(C.zchunk_data(chunk), expected))
    finally:
        _free_chunk(chunk)


def mode(armour: Armour) -> int:
    """Return the mode, one of the constants MODE_BASE64_STD to MODE_Z85.

    C: ``int zarmour_mode (zarmour_t *self)``
    """
    kind = C.zarmour_mode(_live(armour))
    if not MODE_BASE64_STD <= kind <= MODE_Z85:
        raise ValueError(f"armour has mode {kind}, which does not exist")
    return kind


def mode_str(armour: Armour) -> str:
    """Return the mode as text: "base64", "base64url", "base32", "base32hex", "base16" or "z85".

    C: ``const char *zarmour_mode_str (zarmour_t *self)``
    """
    mode(armour)
    return _text.decode(ffi.string(C.zarmour_mode_str(armour)))


def set_mode(armour: Armour, mode: int) -> None:
    """Set the mode, one of the constants MODE_BASE64_STD to MODE_Z85; any other is a ValueError.

    C: ``void zarmour_set_mode (zarmour_t *self, int mode)``
    """
    number = integer(mode, "mode", MODE_BASE64_STD, MODE_Z85)
    C.zarmour_set_mode(_live(armour), number)


def pad(armour: Armour) -> bool:
    """Tell whether texts are padded to whole groups; at first they are.

    C: ``bool zarmour_pad (zarmour_t *self)``
    """
    return C.zarmour_pad(_live(armour))


def set_pad(armour: Armour, pad: bool) -> None:
    """Set whether texts are padded to whole groups; base16 and Z85 never are.

    C: ``void zarmour_set_pad (zarmour_t *self, bool pad)``
    """
    wanted = bool(pad)
    C.zarmour_set_pad(_live(armour), wanted)


def pad_char(armour: Armour) -> str:
    """Return the character that texts are padded with; at first it is ``=``.

    C: ``char zarmour_pad_char (zarmour_t *self)``
    """
    return _text.decode(C.zarmour_pad_char(_live(armour)))


def set_pad_char(armour: Armour, pad_char: Text) -> None:
    """Set the character that texts are padded with; it must be a single byte.

    C: ``void zarmour_set_pad_char (zarmour_t *self, char pad_char)``
    """
    character = _text.cstring(pad_char, "pad_char")
    if len(character) != 1:
        raise ValueError(f"pad_char must be one byte, not {len(character)}")
    C.zarmour_set_pad_char(_live(armour), character)


def line_breaks(armour: Armour) -> bool:
    """Tell whether texts are broken into lines; at first they are not.

    C: ``bool zarmour_line_breaks (zarmour_t *self)``
    """
    return C.zarmour_line_breaks(_live(armour))


def set_line_breaks(armour: Armour, line_breaks: bool) -> None:
    """Set whether texts are broken into lines, with a line feed between two; Z85 never is.

    C: ``void zarmour_set_line_breaks (zarmour_t *self, bool line_breaks)``
    """
    wanted = bool(line_breaks)
    C.zarmour_set_line_breaks(_live(armour), wanted)


def line_length(armour: Armour) -> int:
    """Return the number of characters in a line; at first it is 72.

    C: ``size_t zarmour_line_length (zarmour_t *self)``
    """
    return C.zarmour_line_length(_live(armour))


def set_line_length(armour: Armour, line_length: int) -> None:
    """Set the number of characters in a line; 0 is one line for all.

    C: ``void zarmour_set_line_length (zarmour_t *self, size_t line_length)``
    """
    length = integer(line_length, "line_length", 0, 2**63 - 1)
    C.zarmour_set_line_length(_live(armour), length)


def print(armour: Armour) -> None:
    """Write what an armour is set to into CZMQ's log.

    C: ``void zarmour_print (zarmour_t *self)``
    """
    mode(armour)
    C.zarmour_print(armour)


def test(verbose: bool = False) -> None:
    """Run CZMQ's own self-test of this class in a child process; RuntimeError with its output if it fails.

    C: ``void zarmour_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zarmour_test", verbose)


def _live(armour: Armour) -> Armour:
    return _handles.live(armour, _ARMOUR, "armour")


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zarmour")
