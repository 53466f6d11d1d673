"""Text made of formats and arguments, by Python, so that nothing reaches C's printf: a part of `pyczmq.zsys`."""

from __future__ import annotations

from . import _handles, _text
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Union

    from ._types import Config, Hash, Text

    Lookup = Callable[[str], Union[str, None]]

__all__ = [
    "sprintf",
    "vprintf",
    "sprintf_hint",
    "zprintf",
    "zprintf_error",
    "zplprintf",
    "zplprintf_error",
]

_HASH = ffi.typeof("zhash_t *")
_CONFIG = ffi.typeof("zconfig_t *")


def sprintf(format: Text, *args: Any) -> str:
    """Return a C-style format filled in: ``zsys.sprintf("%s is %ld", name, 42)``.

    Arguments that do not fit the format are a TypeError or ValueError.

    C: ``char *zsys_sprintf (const char *format, ...)``
    """
    return _text.decode(_text.sprintf(format, *args))


def vprintf(format: Text, argptr: Iterable[Any]) -> str:
    """Return a C-style format filled in with the arguments of a list, as `sprintf` does.

    C: ``char *zsys_vprintf (const char *format, va_list argptr)``
    """
    return sprintf(format, *argptr)


def sprintf_hint(hint: int, format: Text, *args: Any) -> str:
    """Return a C-style format filled in, as `sprintf` does. The *hint*, how long it will be, is C's affair.

    C: ``char *zsys_sprintf_hint (int hint, const char *format, ...)``
    """
    integer(hint, "hint")
    return sprintf(format, *args)


def zprintf(format: Text, args: Hash | Mapping[str, str]) -> str | None:
    """Return a format with each ``%(key)s`` replaced by what a hash of strings, or a dict, has for the key.

    ``%%`` is a percent sign. None for a key that is not there, or another conversion than s: `zprintf_error` tells.

    C: ``char *zsys_zprintf (const char *format, zhash_t *args)``
    """
    return _fill(format, _hash(args))[0]


def zprintf_error(format: Text, args: Hash | Mapping[str, str]) -> str | None:
    """Return what is wrong with a format for `zprintf`, None if nothing is.

    C: ``char *zsys_zprintf_error (const char *format, zhash_t *args)``
    """
    return _fill(format, _hash(args))[1]


def zplprintf(format: Text, args: Config) -> str | None:
    """Return a format with each ``%(path)s`` replaced by the value at that path of a zconfig tree, as `zprintf` does.

    C: ``char *zsys_zplprintf (const char *format, zconfig_t *args)``
    """
    return _fill(format, _config(args))[0]


def zplprintf_error(format: Text, args: Config) -> str | None:
    """Return what is wrong with a format for `zplprintf`, None if nothing is.

    C: ``char *zsys_zplprintf_error (const char *format, zconfig_t *args)``
    """
    return _fill(format, _config(args))[1]


def _hash(args: Any) -> Lookup:
    if hasattr(args, "keys"):
        return lambda key: args.get(key)
    from . import zhash

    return zhash.strings(_handles.live(args, _HASH, "args")).get


def _config(args: Config) -> Lookup:
    root = _handles.live(args, _CONFIG, "args")

    def look_up(key: str) -> str | None:
        found = C.zconfig_locate(root, _text.cstring(key, "key"))
        return _text.string(C.zconfig_value(found)) if found else None

    return look_up


def _fill(format: Text, look_up: Lookup) -> tuple[str | None, str | None]:
    """Return the text, or what is wrong with the format."""
    import re

    done = []
    text = _text.decode(_text.encode(format, "format"))
    for match in re.finditer(r"%\((?P<key>[^)]*)\)(?P<kind>.?)|%%|%|[^%]+", text, re.DOTALL):
        key = match["key"]
        if key is None:
            done.append("%" if match[0] == "%%" else match[0])
            continue
        value = look_up(key)
        if value is None:
            return None, f"Key '{key}' not found in hash"
        if match["kind"] != "s":
            return None, f"{key}: arguments other than 's' are not implemented"
        done.append(value)
    return "".join(done), None
