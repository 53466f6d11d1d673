"""Text and bytes on their way to C and back: nothing is lost, nothing is cut, no text is ever a printf format.

str is UTF-8 with `surrogateescape` both ways, so bytes that came in as text go out unchanged. Every function that takes
an argument of the user's also takes its name, for the error text.
"""

from __future__ import annotations

from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._types import Buffer, CData, Text

#: Characters of text that is not plain UTF-8 that are encoded at a time.
_PIECE = 64

_NULL = ffi.NULL
_from_buffer = ffi.from_buffer
_string = ffi.string


def encode(text: Text, name: str = "string") -> bytes:
    """Return *text* as bytes; str is UTF-8 with surrogateescape. Raises TypeError for anything else than str, bytes."""
    if type(text) is bytes:
        return text
    if isinstance(text, str):
        try:
            return text.encode()
        except UnicodeEncodeError:
            # In pieces: PyPy would take a time that grows with the square of the length.
            pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
            return b"".join([piece.encode("utf-8", "surrogateescape") for piece in pieces])
    if isinstance(text, bytes):
        return bytes(text)
    raise TypeError(f"{name} must be str or bytes, not {type(text).__name__}")


def decode(data: bytes) -> str:
    """Return bytes as text, the inverse of `encode`."""
    return data.decode("utf-8", "surrogateescape")


def cstring(text: Text, name: str = "string") -> bytes:
    """Return *text* for a ``char *`` that C reads up to its NUL; a NUL byte inside it is a ValueError."""
    data = encode(text, name)
    if b"\0" in data:
        raise ValueError(f"{name} must not contain a NUL byte")
    return data


def optional(text: Text | None, name: str = "string") -> bytes | CData:
    """Return *text* for a ``char *`` that may be NULL, as `cstring` does; NULL for None."""
    return _NULL if text is None else cstring(text, name)


def path(name_of_file: Any, name: str = "filename") -> bytes:
    """Return a str, bytes or os.PathLike file name for C."""
    import os
    import sys

    try:
        found = os.fspath(name_of_file)
        # Where they do the same, `encode` is the faster by far.
        return cstring(found if sys.getfilesystemencoding() == "utf-8" else os.fsencode(found), name)
    except TypeError:
        raise TypeError(f"{name} must be str, bytes or os.PathLike, not {type(name_of_file).__name__}") from None


def data(buffer: Text | Buffer, name: str = "data") -> bytes | CData:
    """Return binary data for C, with no copy where that is possible; `len` of the result is its size in bytes.

    Takes anything with the buffer protocol, and str as UTF-8. The result must be kept alive for as long as C reads it.
    """
    if type(buffer) is bytes:
        return buffer
    if isinstance(buffer, str):
        return encode(buffer, name)
    try:
        if type(buffer) is not bytearray and not memoryview(buffer).c_contiguous:
            # PyPy's cffi would not notice.
            raise BufferError
        view: CData = _from_buffer(buffer)
    except TypeError:
        raise TypeError(f"{name} must be str, bytes or a buffer, not {type(buffer).__name__}") from None
    except (BufferError, ValueError):
        raise ValueError(f"{name} must be a contiguous buffer") from None
    return view


def string(pointer: CData) -> str | None:
    """Return the text of a ``const char *`` that C keeps, or None for NULL."""
    if not pointer:
        return None
    return decode(_string(pointer))


def take(pointer: CData) -> str | None:
    """Return the text of a ``char *`` that C hands over, and free it; None for NULL."""
    if not pointer:
        return None
    text = decode(_string(pointer))
    C.zstr_free(ffi.new("char **", pointer))
    return text


def is_text(content: bytes, lowest: int = 9) -> bool:
    """Tell whether C prints bytes as text, and not in hexadecimal: none is below *lowest*, or above 127."""
    return not content.translate(None, bytes(range(lowest, 128)))


def sprintf(format: Text, *args: Any) -> bytes:
    """Return a C-style printf format filled in by Python, so that no argument can reach C as a format.

    All of C's conversions and length modifiers are understood; ``%n`` is a ValueError, and arguments that do not fit
    the format are a TypeError or ValueError. ``%s`` takes text; bytes go in unchanged.
    """
    import re

    def conversion(match: re.Match[str]) -> str:
        if match["kind"] == "n":
            raise ValueError("format must not contain %n")
        if match["kind"] == "p":
            return f"%{match['flags']}#x"
        return f"%{match['flags']}{'s' if match['kind'] == '%' and match['flags'] else match['kind']}"

    template = decode(encode(format, "format"))
    plain = re.sub(
        r"%(?P<flags>[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*)?)?)(?:hh|h|ll|l|j|z|t|L)?(?P<kind>[diouxXeEfFgGcspn%])",
        conversion,
        template,
    )
    return encode(plain % tuple(decode(arg) if isinstance(arg, bytes) else arg for arg in args))
