"""zosc: messages of Open Sound Control, as synthesizers and lighting desks speak it.

A message has an address, such as ``/mixer/volume``, and values, with a type tag for each:

    i  an int of 32 bits            s  text                   T  True
    h  an int of 64 bits            c  a character, one byte  F  False
    f  a float of 32 bits           m  a MIDI packet, an      N  None
    d  a float of 64 bits              int of 32 bits         I  infinity

The last column has no data, and takes no value when a message is made. Read are also ``S`` (a symbol: text) and ``b``
(a blob: bytes), which CZMQ cannot write. Only libraries built with drafts have this class.

    message = zosc.create("/mixer/volume", "sfT", "left", 0.5)
    assert zosc.retr(message) == ("left", 0.5, True)
    frame = zosc.pack(message)              # to be sent, over UDP for instance
    again = zosc.unpack(frame)
    assert zosc.address(again) == "/mixer/volume"

The garbage collector owns messages. What is read is checked first: `frommem` and its like return None for data that are
no message, and a value that is not there is a ValueError.
"""

from __future__ import annotations

from . import _handles, _osc, _stdout, _text, zframe
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from ._osc import Value
    from ._types import Buffer, CData, Frame, Osc, Text

    Kind = TypeVar("Kind")

_OSC = ffi.typeof("zosc_t *")
_BOOLS = str.maketrans("F", "T")


def _free(pointer: CData) -> None:
    C.zosc_destroy(ffi.new("zosc_t **", pointer))


def _own(pointer: CData) -> Osc:
    osc = _handles.own(pointer, _free, fork_safe=True)
    if osc is None:
        raise MemoryError("no memory for a message")
    return osc  # type: ignore[return-value]


def new(address: Text) -> Osc:
    """Return a new message with no values, to be appended to.

    C: ``zosc_t *zosc_new (const char *address)``
    """
    where = _text.cstring(address, "address")
    # What C's own function makes has no format, and must not be appended to.
    return _own(C.zosc_fromframe(zframe.new(_osc.empty(where))))


def fromframe(frame: Frame) -> Osc | None:
    """Return the message in a frame, which is gone then; None, with the frame still there, if it is none.

    C: ``zosc_t *zosc_fromframe (zframe_t *frame)``
    """
    zframe.standing(frame)
    osc = frommem(ffi.buffer(C.zframe_data(frame), C.zframe_size(frame))[:])
    if osc is not None:
        _handles.kill(frame, "was unpacked")
        zframe._release(frame)
    return osc


def frommem(data: Buffer) -> Osc | None:
    """Return the message in a buffer, which is copied; None if it is none.

    C: ``zosc_t *zosc_frommem (char *data, size_t size)``
    """
    if isinstance(data, str):
        raise TypeError("data must be a buffer, not str")
    view = _text.data(data)
    content = view if isinstance(view, bytes) else ffi.buffer(view)[:]
    if _osc.parse(content) is None:
        return None
    # This copies to memory that C may free.
    return _own(C.zosc_fromframe(zframe.new(content)))


def create(address: Text, format: Text, *values: Any) -> Osc:
    """Return a new message with an address, and a value for each type tag of *format* that has data.

    C: ``zosc_t *zosc_create (const char *address, const char *format, ...)``
    """
    where, tags = _text.cstring(address, "address"), _text.cstring(format, "format")
    arguments = _osc.arguments(_text.decode(tags), values, len(where))
    if not tags:
        return new(where)
    return _own(C.zosc_create(where, tags, *arguments))


def destroy(osc: Osc | None) -> None:
    """Destroy a message now; None is let through.

    C: ``void zosc_destroy (zosc_t **self_p)``
    """
    _handles.destroy(osc, _OSC, _free, "osc")


def size(osc: Osc) -> int:
    """Return the number of bytes in a message.

    C: ``size_t zosc_size (zosc_t *self)``
    """
    return C.zosc_size(_live(osc))


def data(osc: Osc) -> bytes:
    """Return a message's bytes, as they are sent.

    C: ``byte *zosc_data (zosc_t *self)``
    """
    content: bytes = ffi.buffer(C.zosc_data(_live(osc)), C.zosc_size(osc))[:]
    return content


def address(osc: Osc) -> str:
    """Return a message's address.

    C: ``const char *zosc_address (zosc_t *self)``
    """
    return _parsed(osc).address


def format(osc: Osc) -> str:
    """Return the type tags of a message's values.

    C: ``const char *zosc_format (zosc_t *self)``
    """
    return _parsed(osc).format


def append(osc: Osc, format: Text, *values: Any) -> int:
    """Add a value to a message for each type tag of *format* that has data; return 0.

    C: ``int zosc_append (zosc_t *self, const char *format, ...)``
    """
    message = _parsed(osc)
    tags = _text.cstring(format, "format")
    arguments = _osc.arguments(_text.decode(tags), values, size(osc))
    if len(message.format) + len(tags) > _osc.MOST_TAGS:
        raise ValueError(f"format is too long: a message has room for {_osc.MOST_TAGS} type tags")
    return C.zosc_append(osc, tags, *arguments) if tags else 0


def retr(osc: Osc, format: Text | None = None) -> tuple[Value, ...]:
    """Return a message's values; those of the first type tags, if they are as *format* says.

    Raises ValueError if the message does not begin with these type tags (``T`` and ``F`` stand for either), or a value
    is not there or of a type that nobody knows.

    C: ``int zosc_retr (zosc_t *self, const char *format, ...)``
    """
    message = _parsed(osc)
    tags = message.format if format is None else _text.decode(_text.cstring(format, "format"))
    if not message.format.translate(_BOOLS).startswith(tags.translate(_BOOLS)):
        raise ValueError(f"format {tags!r} is not how the message's begins, which is {message.format!r}")
    if len(tags) > len(message.values):
        raise ValueError(f"osc {message.problem}")
    return tuple(message.values[: len(tags)])


def dup(osc: Osc | None) -> Osc | None:
    """Return a copy of a message; None for None.

    C: ``zosc_t *zosc_dup (zosc_t *self)``
    """
    if osc is None:
        return None
    _parsed(osc)
    return _own(C.zosc_dup(osc))


def pack(osc: Osc) -> Frame:
    """Return a new frame with a message in it, to be sent.

    C: ``zframe_t *zosc_pack (zosc_t *self)``
    """
    return C.zosc_pack(_live(osc))


def packx(osc: Osc) -> Frame:
    """Return a new frame with a message in it, which is gone then.

    C: ``zframe_t *zosc_packx (zosc_t **self_p)``
    """
    _live(osc)
    pack = C.zosc_packx
    _handles.disown(osc, "was packed")
    return pack(ffi.new("zosc_t **", osc))


def unpack(frame: Frame) -> Osc | None:
    """Return the message in a frame, which is gone then; None, with the frame still there, if it is none.

    C: ``zosc_t *zosc_unpack (zframe_t *frame)``
    """
    return fromframe(frame)


def print(osc: Osc) -> None:
    """Write a message to Python's standard output, on a line: its address, its format and its values.

    C: ``void zosc_print (zosc_t *self)``
    """
    message = _parsed(osc)
    shown = [_shown(tag, value) for tag, value in zip(message.format, message.values)]
    _stdout.write(_text.encode(" ".join([message.address, message.format, *shown])) + b"\n")


def _shown(tag: str, value: Any) -> str:
    """Return a value as C would print it."""
    if tag in "fd":
        return f"{value:.6f}"
    return f"0x{value:08x}" if tag == "m" else str(value)


def is_(handle: object) -> bool:
    """Tell whether *handle* is a message that is alive, with an address and a value. A ``void *`` is none.

    C: ``bool zosc_is (void *self)``
    """
    if not isinstance(handle, ffi.CData) or ffi.typeof(handle) is not _OSC or not handle:
        return False
    if _handles.fate(handle) is not None:
        return False
    message = _osc.parse(data(handle))
    return message is not None and bool(message.address and message.format)


def first(osc: Osc) -> tuple[str, Value] | None:
    """Return the type tag and the value of the first item; None if there is none.

    C: ``const void *zosc_first (zosc_t *self, char *type)``
    """
    return _move(osc, lambda cursor, count: 0)


def next(osc: Osc) -> tuple[str, Value] | None:
    """Return the type tag and the value of the next item, the first one to begin with; None after the last.

    C: ``const void *zosc_next (zosc_t *self, char *type)``
    """
    return _move(osc, lambda cursor, count: min(cursor + 1, count))


def last(osc: Osc) -> tuple[str, Value] | None:
    """Return the type tag and the value of the last item; None if there is none.

    C: ``const void *zosc_last (zosc_t *self, char *type)``
    """
    return _move(osc, lambda cursor, count: count - 1)


def pop_int32(osc: Osc) -> int | None:
    """Return the current item, the one that `first`, `next` or `last` returned; None if it is no ``i``.

    The item stays where it is, as with all functions of this kind.

    C: ``int zosc_pop_int32 (zosc_t *self, int *val)``
    """
    return _current(osc, "i", int)


def pop_int64(osc: Osc) -> int | None:
    """Return the current item; None if it is no ``h``.

    C: ``int zosc_pop_int64 (zosc_t *self, int64_t *val)``
    """
    return _current(osc, "h", int)


def pop_float(osc: Osc) -> float | None:
    """Return the current item; None if it is no ``f``.

    C: ``int zosc_pop_float (zosc_t *self, float *val)``
    """
    return _current(osc, "f", float)


def pop_double(osc: Osc) -> float | None:
    """Return the current item; None if it is no ``d``.

    C: ``int zosc_pop_double (zosc_t *self, double *val)``
    """
    return _current(osc, "d", float)


def pop_string(osc: Osc) -> str | None:
    """Return the current item; None if it is no ``s``.

    C: ``int zosc_pop_string (zosc_t *self, char **val)``
    """
    return _current(osc, "s", str)


def pop_char(osc: Osc) -> str | None:
    """Return the current item; None if it is no ``c``.

    C: ``int zosc_pop_char (zosc_t *self, char *val)``
    """
    return _current(osc, "c", str)


def pop_bool(osc: Osc) -> bool | None:
    """Return the current item; None if it is neither ``T`` nor ``F``.

    C: ``int zosc_pop_bool (zosc_t *self, bool *val)``
    """
    return _current(osc, "TF", bool)


def pop_midi(osc: Osc) -> int | None:
    """Return the current item; None if it is no ``m``.

    C: ``int zosc_pop_midi (zosc_t *self, uint32_t *val)``
    """
    return _current(osc, "m", int)


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails. It sends to a UDP port.

    C: ``void zosc_test (bool verbose)``
    """
    from ._selftest import run

    run("zosc_test", verbose)


def _live(osc: Osc) -> Osc:
    return _handles.live(osc, _OSC, "osc")


def _parsed(osc: Osc) -> _osc.Message:
    content = data(osc)
    companions = _handles.companions(osc)
    found: tuple[bytes, _osc.Message] | None = companions.get(_parsed)
    if found is None or found[0] != content:
        message = _osc.parse(content)
        if message is None:
            raise ValueError("osc has no sound message in it; one by the raw zosc_new has none")
        found = companions[_parsed] = (content, message)
    return found[1]


def _move(osc: Osc, move: Any) -> tuple[str, Value] | None:
    """Set the cursor, which is ours: C's must not be read before it is set, nor behind the end."""
    message = _parsed(osc)
    companions = _handles.companions(osc)
    companions[_move] = cursor = move(companions.get(_move, -1), len(message.format))
    return (message.format[cursor], _value(message, cursor)) if 0 <= cursor < len(message.format) else None


def _current(osc: Osc, tags: str, kind: type[Kind]) -> Kind | None:
    message = _parsed(osc)
    cursor = (_handles.find_companions(osc) or {}).get(_move, -1)
    if not 0 <= cursor < len(message.format) or message.format[cursor] not in tags:
        return None
    value = _value(message, cursor)
    return value if isinstance(value, kind) else None


def _value(message: _osc.Message, cursor: int) -> Value:
    if cursor >= len(message.values):
        raise ValueError(f"osc {message.problem}")
    return message.values[cursor]


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zosc")
