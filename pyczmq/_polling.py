"""Poll items for the objects: many in one array, which is made once and polled over and over."""

from __future__ import annotations

from . import _handles
from ._cffi import ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._types import CData, PollItem

_ITEM = ffi.typeof("zmq_pollitem_t *")
_ITEMS = ffi.typeof("zmq_pollitem_t[]")


def array(items: Sequence[PollItem]) -> CData:
    """Return a copy of the items as an array for `zmq.poll`, which keeps their sockets alive as they do."""
    made: CData = ffi.new(_ITEMS, [item[0] for item in items])
    _handles.companions(made)["items"] = list(items)
    return made


def is_item(value: object) -> bool:
    """Tell whether *value* is a poll item, as `zmq.pollitem` returns it."""
    return isinstance(value, ffi.CData) and ffi.typeof(value) is _ITEM
