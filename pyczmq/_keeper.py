"""Keepers: Python objects that go with a handle, such as the readers of a poller and the handlers of a loop.

What a keeper holds may refer back to the handle: nothing but the handle keeps the keeper alive, so the cycle is garbage
once nobody else refers to it. A keeper also knows which thread is inside C with the handle: nobody may free it then.
"""

from __future__ import annotations

import weakref
from _thread import get_ident

from . import _handles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from ._handles import Handle
    from ._types import CData

    Kind = TypeVar("Kind", bound="Keeper")

#: Keepers of the handles that `own` made: the pointer -> the keeper.
keepers: dict[CData, weakref.ref[Keeper]] = {}


class Keeper:
    """What goes with one handle."""

    __slots__ = ("__weakref__", "busy", "handle")

    #: Returns the handle, or None once it is gone.
    handle: Callable[[], Any]

    def __init__(self) -> None:
        #: The thread that is inside C with the handle, or 0.
        self.busy = 0

    def __call__(self, pointer: CData) -> None:
        """Do nothing: cffi calls its destructor, which this is to it, when the handle is gone."""


def own(pointer: Handle, free: Callable[[Any], object], keeper: Keeper) -> Handle | None:
    """Take a fresh pointer into the garbage collector's care, as `_handles.own` does, with a keeper."""
    reference = weakref.ref(keeper)

    def release(pointer: CData) -> None:
        keepers.pop(pointer, None)
        found = reference()
        # At exit a daemon thread may still be inside C with it.
        if found is None or not found.busy:
            free(pointer)

    handle = _handles.own(pointer, release, keeper=keeper)
    if handle is not None:
        keepers[pointer] = reference
        keeper.handle = weakref.ref(handle)
    return handle


def find(handle: CData, ctype: Any, name: str, kind: type[Kind]) -> Kind:
    """Return the keeper of a handle that is alive, made now for a handle of the raw floor.

    Raises what `_handles.live` does, and ValueError while another thread is inside C with the handle.
    """
    _handles.live(handle, ctype, name)
    reference = keepers.get(handle)
    keeper = None if reference is None else reference()
    if keeper is None:
        companions = _handles.companions(handle)
        keeper = companions.get(Keeper)
        if keeper is None:
            keeper = companions[Keeper] = kind()
            keeper.handle = weakref.ref(handle)
    if keeper.busy and keeper.busy != get_ident():
        raise ValueError(f"{name} is in use in another thread")
    return keeper  # type: ignore[return-value]


def destroy(handle: CData | None, ctype: Any, free: Callable[[Any], object], name: str, kind: type[Keeper]) -> None:
    """Free *handle* now, and only once, unless C is at work with it; None is let through."""
    if handle is not None and find(handle, ctype, name, kind).busy:
        raise ValueError(f"{name} is in use: it cannot be destroyed now")
    _handles.destroy(handle, ctype, free, name)
