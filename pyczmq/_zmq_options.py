"""The socket options of `pyczmq.zmq`, by number; the table of all the namespaces says what each holds."""

from __future__ import annotations

import errno

from . import _text, _zsockopt
from ._cffi import C, ffi
from ._endpoints import plan_connection
from ._inproc import notice_ended
from ._numbers import integer
from ._zsockopt_table import OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._types import CData, Socket, Socketish

_KEY_SIZE = 32
_CONNECT_ROUTING_ID = 61

#: Number -> (name, kind) of each option; a key's name for its bytes is left out.
_ROWS = {number: (name, kind) for name, (number, kind, *_) in OPTIONS.items() if kind not in ("rawkey", "bytes")}
_UNKNOWN = ("optval", "int")


def set_(handle: Socket, socket: Socketish, option: int, value: Any, size: int | None) -> int:
    """Set an option; return 0 or -1."""
    name, kind = _ROWS.get(option, _UNKNOWN)
    if size is not None:
        value = _content(value, size)
        if kind in _zsockopt._CTYPES:
            if len(value) == ffi.sizeof("int"):
                _zsockopt.check_domain(handle, option, ffi.from_buffer("int[]", value))
            return C.zmq_setsockopt(handle, option, value, len(value))
    if kind == "key" and not isinstance(value, str) and len(_text.data(value, name)) == _KEY_SIZE:
        kind = "rawkey"
    convert = _zsockopt._VALUES.get(kind) or _zsockopt._number_value(kind)
    data, length = convert(value, name)
    if option == _CONNECT_ROUTING_ID:
        plan_connection(socket, bytes(data), name)
    _zsockopt.check_domain(handle, option, data)
    if option in _zsockopt._HWMS:
        notice_ended(socket, handle)
    return C.zmq_setsockopt(handle, option, data, length)


def _content(value: Any, size: int) -> bytes:
    """Return the bytes that C's call gives: *size* of them, at a pointer or in a buffer."""
    content = ffi.buffer(value) if isinstance(value, ffi.CData) and value else ffi.buffer(ffi.from_buffer(value))
    return content[: integer(size, "optvallen", 0, len(content))]  # type: ignore[no-any-return]


def get(handle: Socket, option: int) -> int | str | bytes | None:
    """Return an option, None if it cannot be read."""
    row = _ROWS.get(option, _UNKNOWN)
    if row[1] in _zsockopt._CTYPES:
        value = ffi.new(_zsockopt._CTYPES[row[1]] + " *")
        size = ffi.new("size_t *", ffi.sizeof(_zsockopt._CTYPES[row[1]]))
        return int(value[0]) if C.zmq_getsockopt(handle, option, value, size) == 0 else None
    data = _zsockopt._read(handle, _zsockopt._Option(row[0]))
    if data is None:
        return None
    return data if row[1] == "binary" else _text.decode(data)


def read_into(handle: Socket, option: int, value: CData, size: CData | None) -> int:
    """Read an option into the caller's memory, as C does; return 0 or -1."""
    if not isinstance(value, ffi.CData) or not isinstance(size, ffi.CData):
        raise TypeError("optval and optvallen must be pointers of cffi to memory, and to its size")
    if not value or not size:
        ffi.errno = errno.EINVAL
        return -1
    integer(size[0], "optvallen", 0, len(ffi.buffer(value)))
    return C.zmq_getsockopt(handle, option, value, size)
