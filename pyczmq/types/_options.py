"""Socket options as properties, made from the table that also makes the functions of zsock and zsocket."""

from __future__ import annotations

from .. import _handles, zsocket
from .._zsockopt_table import docstring, is_function, properties
from . import errors
from ._base import Object, guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: The names of the options that are attributes.
NAMES = frozenset(properties())


class Options(Object):
    """Whatever has a libzmq socket, with all of libzmq's options: ``socket.linger = 0``.

    The types of the properties are in ``_options.pyi``, which ``scripts/make_option_stubs.py`` writes.
    """

    __slots__ = ()

    @guarded
    def _get_option(self, name: str) -> Any:
        handle = self._handle
        _handles.socket(handle)
        try:
            return getattr(zsocket, name)(handle)
        except OSError as error:
            raise errors.error(f"get {name}", error.errno) from None

    @guarded
    def _set_option(self, name: str, value: Any) -> None:
        getattr(zsocket, f"set_{name}")(self._handle, getattr(value, "handle", value))


def _property(name: str) -> property:
    is_readable, is_writable = is_function(name), is_function(f"set_{name}")

    def get(self: Options) -> Any:
        if not is_readable:
            raise AttributeError(f"the option {name} can be set, but not read")
        return self._get_option(name)

    def set_(self: Options, value: Any) -> None:
        self._set_option(name, value)

    text = docstring(name if is_readable else f"set_{name}").partition("\n\nC: ")[0]
    for verb in "Return ", "Set ":
        text = text[len(verb) :] if text.startswith(verb) else text
    return property(get, set_ if is_writable else None, doc=text[0].upper() + text[1:])


for _name in NAMES:
    setattr(Options, _name, _property(_name))
