"""The functions for socket options, made from the table in `_zsockopt_table`, each when it is first used.

`function` makes those of the namespaces: text in and out, every handle and value checked. `raw_function` makes those of
the raw floor, with C's shapes.
"""

from __future__ import annotations

import errno

from . import _handles, _text
from ._blocking import ETERM, LONGEST_TOPIC
from ._cffi import C, ffi
from ._endpoints import plan_connection
from ._inproc import notice_ended
from ._numbers import integer
from ._zsockopt_table import ALIASES, KINDS, OPTIONS, docstring, is_function, prototype, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._types import Buffer, CData, Frame, Socket, Socketish, Text

#: Text options are read into buffers of these sizes, one after the other; only endpoints are ever long.
_SIZES = (256, 65536, 1 << 20)

_CTYPES = {
    "int": "int",
    "bool": "int",
    "int64": "int64_t",
    "uint64": "uint64_t",
    "uint32": "uint32_t",
    "fd": "zmq_fd_t",
}
_LIMITS = {
    "int": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
    "uint32": (0, 2**32 - 1),
}
_KEY_SIZE = 32
_KEY_TEXT = 40
_HWMS = (23, 24)
_CONNECT_ROUTING_ID = 61
_ZAP_DOMAIN, _ZAP_ENFORCE_DOMAIN = 55, 93

_NULL = ffi.NULL
_FRAME = ffi.typeof("zframe_t *")
_new = ffi.new
_socket = _handles.socket
_getsockopt = C.zmq_getsockopt
_setsockopt = C.zmq_setsockopt


class _Option:
    """One row of the table, under the name that the caller uses."""

    __slots__ = ("flags", "kind", "name", "number")

    def __init__(self, name: str) -> None:
        self.name = name
        self.number, self.kind, self.flags = OPTIONS[ALIASES.get(name, name)][:3]


# ---------------------------------------------------------------- what goes wrong


def _libzmq() -> str:
    numbers = _new("int[3]")
    C.zmq_version(numbers, numbers + 1, numbers + 2)
    return "libzmq " + ".".join(map(str, numbers))


def _unreadable(option: _Option) -> Exception:
    """Return the exception for an option that could not be read."""
    code = ffi.errno
    if code == errno.EINVAL:
        return ValueError(f"{_libzmq()} cannot read the socket option {option.name}: {_reason(option, code)}")
    return OSError(code, _reason(option, code))


def _refused(option: _Option, value: object) -> None:
    """Raise the exception for an option that could not be set; once the context has ended it does not matter."""
    code = ffi.errno
    if code == ETERM:
        return
    shown = "this value" if "s" in option.flags else repr(value)
    if len(shown) > 80:
        shown = shown[:77] + "..."
    raise ValueError(f"{_libzmq()} refuses {shown} for the socket option {option.name}: {_reason(option, code)}")


def _reason(option: _Option, code: int) -> str:
    text: str = ffi.string(C.zmq_strerror(code)).decode()
    if "d" in option.flags and code == errno.EINVAL:
        text += " (it is a draft option, which needs a libzmq built with its draft API)"
    return text


# ---------------------------------------------------------------- getters


def _number_getter(option: _Option) -> Callable[..., Any]:
    pointer = ffi.typeof(_CTYPES[option.kind] + " *")
    # libzmq writes the size back, always the same.
    size = _new("size_t *", ffi.sizeof(_CTYPES[option.kind]))
    number = option.number
    is_flag = option.kind == "bool"

    def get(sock: Socketish) -> int | bool:
        value = _new(pointer)
        if _getsockopt(_socket(sock, "sock"), number, value, size) != 0:
            raise _unreadable(option)
        return value[0] != 0 if is_flag else value[0]  # type: ignore[no-any-return]

    return get


def _text_getter(option: _Option) -> Callable[..., Any]:
    def get(sock: Socketish) -> str:
        data = _read(_socket(sock, "sock"), option)
        if data is None:
            raise _unreadable(option)
        return _text.decode(data)

    return get


def _read(handle: Socket, option: _Option) -> bytes | None:
    """Return the bytes of a text option, without C's NUL at the end; None, with errno set, if it cannot be read."""
    for capacity in (_KEY_TEXT + 1,) if option.kind == "key" else _SIZES:
        buffer = _new("char[]", capacity)
        size = _new("size_t *", capacity)
        if _getsockopt(handle, option.number, buffer, size) == 0:
            length = size[0] if option.kind == "binary" else max(0, size[0] - 1)
            return bytes(ffi.buffer(buffer, length))
        if ffi.errno != errno.EINVAL:
            break
    return None


# ---------------------------------------------------------------- setters

# Each of these returns what libzmq takes for a value of one kind, and its size; *name* is for the error text.


def _text_value(value: Text, name: str) -> tuple[Any, int]:
    data = _text.cstring(value, name)
    return data, len(data)


def _clearable_value(value: Text, name: str) -> tuple[Any, int]:
    data = _text.cstring(value, name)
    # NULL makes libzmq forget what was set before; an empty text is refused.
    return data or _NULL, len(data)


def _binary_value(value: Text | Buffer, name: str) -> tuple[Any, int]:
    data = _text.data(value, name)
    return data, len(data)


def _topic_value(value: Text | Buffer, name: str) -> tuple[Any, int]:
    data = _text.data(value, name)
    if len(data) > LONGEST_TOPIC:
        raise ValueError(f"{name} has {len(data)} bytes; more than {LONGEST_TOPIC} could crash libzmq")
    return data, len(data)


def _frame_value(value: Frame | Text | Buffer, name: str) -> tuple[Any, int]:
    if isinstance(value, ffi.CData) and ffi.typeof(value) is _FRAME:
        frame = _handles.live(value, _FRAME, name)
        return C.zframe_data(frame), C.zframe_size(frame)
    return _binary_value(value, name)  # type: ignore[arg-type]


def _key_value(value: Text, name: str) -> tuple[Any, int]:
    data = _text.cstring(value, name)
    if len(data) != _KEY_TEXT:
        raise ValueError(
            f"{name} must be {_KEY_TEXT} characters of Z85, not {len(data)}; set_{name}_bin takes {_KEY_SIZE} bytes"
        )
    return data + b"\0", _KEY_TEXT + 1


def _raw_key_value(value: Text | Buffer, name: str) -> tuple[Any, int]:
    data = _text.data(value, name)
    if len(data) != _KEY_SIZE:
        raise ValueError(f"{name} must be {_KEY_SIZE} bytes, not {len(data)}")
    return data, _KEY_SIZE


def check_domain(handle: Socket, number: int, data: Any) -> None:
    """Raise ValueError where a server would enforce that there is authentication, but has no domain for it.

    libzmq aborts then once a PLAIN client connects, and lets every CURVE client in with no question asked.
    """
    if number == _ZAP_ENFORCE_DOMAIN:
        wrong = bool(data[0]) and not _read(handle, _Option("zap_domain"))
    else:
        wrong = number == _ZAP_DOMAIN and len(data) == 0 and _enforces_domain(handle)
    if wrong:
        raise ValueError("zap_enforce_domain needs a zap_domain that is not empty, set before it and kept")


def _enforces_domain(handle: Socket) -> bool:
    value = _new("int *")
    return _getsockopt(handle, _ZAP_ENFORCE_DOMAIN, value, _new("size_t *", 4)) == 0 and value[0] != 0


def _number_value(kind: str) -> Callable[..., tuple[Any, int]]:
    pointer = ffi.typeof(_CTYPES[kind] + " *")
    size = ffi.sizeof(_CTYPES[kind])
    least, most = _LIMITS.get(kind, _LIMITS["int"])

    def number_value(value: int, name: str) -> tuple[Any, int]:
        return _new(pointer, integer(value, name, least, most)), size

    return number_value


_VALUES: dict[str, Callable[..., tuple[Any, int]]] = {
    "text": _text_value,
    "clearable": _clearable_value,
    "topic": _topic_value,
    "binary": _binary_value,
    "bytes": _binary_value,
    "frame": _frame_value,
    "key": _key_value,
    "rawkey": _raw_key_value,
}


def _setter(option: _Option) -> Callable[..., Any]:
    convert = _VALUES.get(option.kind) or _number_value(option.kind)
    numbers = _HWMS if option.name == "hwm" else (option.number,)

    def set_(sock: Socketish, value: Any) -> None:
        handle = _socket(sock, "sock")
        data, size = convert(value, option.name)
        if option.number == _CONNECT_ROUTING_ID:
            plan_connection(sock, bytes(data), option.name)
        check_domain(handle, option.number, data)
        if option.number in _HWMS:
            notice_ended(sock, handle)
        for number in numbers:
            if _setsockopt(handle, number, data, size) != 0:
                _refused(option, value)

    return set_


def function(class_name: str, name: str) -> Callable[..., Any] | None:
    """Make the option function *name* of a namespace, such as ``set_linger`` of zsocket; None if there is none."""
    if not is_function(name, class_name):
        return None
    access, option_name = split(name)
    option = _Option(option_name)
    read, written = KINDS[option.kind][2:]
    if access == "w":
        made = _setter(option)
        made.__annotations__ = {"sock": "Socketish", "value": written, "return": "None"}
    else:
        made = _number_getter(option) if option.kind in _CTYPES else _text_getter(option)
        made.__annotations__ = {"sock": "Socketish", "return": read}
    made.__name__ = made.__qualname__ = name
    made.__module__ = f"pyczmq.{class_name}"
    made.__doc__ = docstring(name, class_name)
    return made


# ---------------------------------------------------------------- the raw floor


def _raw_getter(option: _Option) -> Callable[..., Any]:
    if option.kind not in _CTYPES:
        return lambda zocket: C.zsys_sprintf(b"%s", _new("char[]", _read(zocket, option) or b""))
    ctype = _CTYPES[option.kind]

    def get(zocket: CData) -> int:
        value = _new(f"{ctype} *")
        _getsockopt(zocket, option.number, value, _new("size_t *", ffi.sizeof(ctype)))
        return int(ffi.cast("zmq_fd_t" if option.kind == "fd" else "int", value[0]))

    return get


def _raw_setter(option: _Option) -> Callable[..., Any]:
    def set_(zocket: CData, value: Any) -> None:
        if option.kind in _CTYPES:
            data, size = _number_value(option.kind)(value, option.name)
        elif option.kind in ("rawkey", "bytes"):
            data, size = value, _KEY_SIZE
        elif option.kind == "frame":
            data, size = C.zframe_data(value), C.zframe_size(value)
        else:
            data = ffi.string(ffi.from_buffer("char[]", value + b"\0") if isinstance(value, bytes) else value)
            size = len(data)
        for number in _HWMS if option.name == "hwm" else (option.number,):
            if _setsockopt(zocket, number, data, size) != 0:
                _refused(option, value)

    return set_


def raw_function(name: str) -> Callable[..., Any] | None:
    """Make a function of the raw floor, such as ``zsocket_set_linger``: where C would abort it raises ValueError.

    Text getters give a fresh ``char *``, to be freed with zstr_free.
    """
    short = name[len("zsocket_") :]
    if not is_function(short):
        return None
    access, option_name = split(short)
    made = _raw_getter(_Option(option_name)) if access == "r" else _raw_setter(_Option(option_name))
    made.__name__ = made.__qualname__ = name
    made.__doc__ = f"C: ``{prototype(short)}``."
    return made
