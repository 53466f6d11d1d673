"""What all objects have in common: a handle of a namespace's, `close`, the with statement, one thread at a time."""

from __future__ import annotations

import os
import sys
from _thread import RLock
from functools import wraps

from .. import _handles, zmq
from . import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Concatenate, TypeVar

    from typing_extensions import ParamSpec, Self

    Parameters = ParamSpec("Parameters")
    Returned = TypeVar("Returned")
    AnyObject = TypeVar("AnyObject", bound="Object")


_Root = object
if not TYPE_CHECKING:
    try:
        # What a class with `__buffer__` has to inherit under PyPy, before anything that has slots.
        from __pypy__.bufferable import bufferable as _Root
    except ImportError:
        pass

#: Seconds that another thread may be in a call with an object that is closed.
_MOMENT = 0.1


class Object(_Root):
    """An object over a handle, which it owns: `close`, or the end of a with block, frees it at once and only once.

    A method that another thread is in makes a method in this thread raise RuntimeError: two threads take turns. A
    closed object raises what `_closed_error` returns, ValueError unless a class says otherwise.
    """

    __slots__ = ("__weakref__", "_handle", "_lock")
    _lock: Any

    #: What the object is called in error texts.
    _noun = "object"

    if _Root is not object:

        def __buffer__(self, flags: int) -> memoryview:
            raise TypeError(f"a bytes-like object is required, not {type(self).__name__!r}")

    def __init__(self, handle: Any) -> None:
        self._lock = self._new_lock(handle)
        self._handle = handle

    def _new_lock(self, handle: Any) -> Any:
        """Return what makes two threads take turns; objects for asyncio have one that also tells their waiters."""
        return RLock()

    @property
    def handle(self) -> Any:
        """The cffi handle, for the functions of the namespaces; an error once the object is closed."""
        handle = self._handle
        if handle is None:
            raise self._closed_error()
        return handle

    @property
    def closed(self) -> bool:
        """Whether the object was closed, or its handle was destroyed by other means."""
        return self._handle is None or _handles.fate(self._handle) is not None

    def close(self) -> None:
        """Free what the object stands for, now; a second call does nothing."""
        # Another thread may be closing it at this moment.
        if not self._lock.acquire(timeout=_MOMENT) and not _reclaim(self._lock):
            raise self._in_use()
        try:
            handle = self._handle
            if handle is not None:
                if _handles.fate(handle) is None:
                    self._destroy(handle)
                self._handle = None
        finally:
            self._lock.release()

    def _destroy(self, handle: Any) -> None:
        """Free the handle, which is alive."""
        raise NotImplementedError

    def _closed_error(self) -> Exception:
        return ValueError(f"the {self._noun} is closed")

    def _in_use(self) -> RuntimeError:
        return RuntimeError(f"the {self._noun} is in use in another thread")

    def _failed(self, what: str) -> Exception:
        """Return the exception for the errno of libzmq's that a call has left."""
        code = zmq.errno()
        return errors.error(f"{what} on {self!r}", code)

    def __reduce__(self) -> Any:
        raise TypeError(f"a {self._noun} can be neither pickled nor copied")

    def __enter__(self) -> Self:
        self.handle  # noqa: B018
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


#: Whether this is a forked child.
_forked = False


def _reclaim(lock: Any) -> bool:
    """Take a lock that another thread of the parent's had when this child was forked; tell whether it was such a one.

    That thread is not there to give it back, and plain memory, such as a message, is the child's to use.
    """
    if not _forked:
        return False
    # There is no other way to ask for it.
    owner = repr(lock).partition("owner=")[2].partition(" ")[0]
    if not owner.isdecimal() or int(owner) in sys._current_frames():
        return False
    lock._at_fork_reinit()
    return bool(lock.acquire(False))


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def guarded(
    method: Callable[Concatenate[AnyObject, Parameters], Returned],
) -> Callable[Concatenate[AnyObject, Parameters], Returned]:
    """Make a method refuse a closed object, and RuntimeError of a call while another thread is in one."""

    @wraps(method)
    def guard(self: AnyObject, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
        if not self._lock.acquire(False) and not _reclaim(self._lock):
            raise self._in_use()
        try:
            if self._handle is None or (_handles.dead and _handles.fate(self._handle) is not None):
                raise self._closed_error()
            return method(self, *args, **kwargs)
        finally:
            self._lock.release()

    return guard  # type: ignore[return-value]
