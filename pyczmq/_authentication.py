"""Starting CZMQ 4's authenticator, of which a process can have but one."""

from __future__ import annotations

from contextlib import suppress

from . import _actor_threads, _garbage, _handles
from ._cffi import C, ffi
from ._czmq2 import zauth as _rebuilt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ._types import Actor, CertStore

    Made = TypeVar("Made")

_NULL = ffi.NULL


def new(certstore: CertStore | None = None) -> Actor:
    """Start the authenticator, which takes over a store; RuntimeError if there is one already, where C would abort."""
    if certstore is not None:
        _check(certstore)

    def start() -> Actor:
        with _rebuilt._starting:
            _rebuilt.refuse_second()
            return _actor_threads.new(C.zauth, _NULL if certstore is None else certstore)

    actor = first(start)
    if certstore is not None:
        _handles.disown(certstore, "was handed over to an authenticator")
    return actor


def first(start: Callable[[], Made]) -> Made:
    """Start an authenticator, once any that nobody refers to is gone; raises the RuntimeError of *start* otherwise."""
    for _ in _garbage.rounds():
        with suppress(RuntimeError):
            return start()
    return start()


def _check(certstore: CertStore) -> None:
    """Raise TypeError or ValueError for a store that the authenticator must not have."""
    from . import zcertstore

    keeper = zcertstore._find(certstore)
    if keeper.busy:
        raise ValueError("the store is loading")
    if keeper.loader is not None:
        raise ValueError("the store has a loader of Python's, which cannot run in the authenticator")
    if keeper.folder is not None:
        keeper.folder.check()
