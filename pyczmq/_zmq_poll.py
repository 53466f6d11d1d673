"""Polling many sockets and file descriptors at once, over ``zmq_pollitem_t``: a part of `pyczmq.zmq`."""

from __future__ import annotations

from . import _blocking, _handles
from . import _zmq_pointers as _pointers
from ._cffi import ffi
from ._numbers import integer as _integer
from ._zmq_pointers import socket as _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, Protocol, overload

    from ._types import CData, PollItem, Socketish

    class HasFileno(Protocol):
        """Sockets, pipes, files."""

        def fileno(self) -> int:
            """Return the file descriptor."""


__all__ = ["pollitem", "poll", "ppoll"]

_ITEM = ffi.typeof("zmq_pollitem_t *")
_ITEMS = ffi.typeof("zmq_pollitem_t[]")

#: Poll items of which no system has too few; more are counted against its limit.
FEW = 16


def pollitem(socket: Socketish | None = None, fd: int | HasFileno = 0, events: int = 0, revents: int = 0) -> PollItem:
    """Return a ``zmq_pollitem_t *`` for `poll`, for a socket or else for a file descriptor.

    *fd* may be anything with a ``fileno`` method. *events* is a sum of zmq.POLLIN, POLLOUT, POLLERR and POLLPRI. The
    item keeps its socket alive, and is refused once the socket was closed.
    """
    if hasattr(fd, "fileno") and not isinstance(fd, ffi.CData):
        fd = fd.fileno()
    number = _integer(fd, "fd")
    item: Any = ffi.new(_ITEM, {"fd": number, "events": events, "revents": revents})
    if socket is not None and socket != ffi.NULL:
        item.socket = _socket(socket)
        _handles.companions(item)["socket"] = (socket, item.socket)
    return item  # type: ignore[no-any-return]


if TYPE_CHECKING:

    @overload
    def poll(items: Sequence[PollItem] | PollItem | CData, timeout: int = -1) -> int: ...
    @overload
    def poll(items: Sequence[PollItem] | PollItem | CData, nitems: int, timeout: int, /) -> int: ...


def poll(items: Any, *args: int, timeout: int = -1) -> int:
    """Wait until an item is ready: ``zmq.poll(items, timeout)``; return how many are, 0 once *timeout* has passed.

    *items* is a list of what `pollitem` returns, one such item, or an array, ``ffi.new("zmq_pollitem_t[]", …)``. The
    timeout is in milliseconds; -1 waits for ever. What each item is ready for is in its ``revents`` then. Returns -1
    with `errno` set if a context has ended. The call of C, ``zmq.poll(items, nitems, timeout)``, works as well.

    C: ``int zmq_poll (zmq_pollitem_t *items, int nitems, long timeout)``
    """
    nitems = None
    if args:
        timeout = args[-1]
        if len(args) == 2:
            nitems = args[0]
        elif len(args) > 2:
            raise TypeError("zmq.poll takes items and timeout, or items, nitems and timeout")
    timeout = _integer(timeout, "timeout", -(2**63), 2**63 - 1)
    if isinstance(items, ffi.CData):
        array, count = items, _count(items, nitems)
        if ffi.typeof(items) is _ITEM:
            _check_item(items)
        return _poll(array, count, timeout)
    given = list(items) if nitems is None else list(items)[: _integer(nitems, "nitems", 0, len(items))]
    for item in given:
        _check_item(item)
    array = ffi.new(_ITEMS, [item[0] for item in given])
    ready = _poll(array, len(given), timeout)
    for i, item in enumerate(given):
        item.revents = array[i].revents
    return ready


def _count(items: CData, nitems: int | None) -> int:
    """Return how many items are polled, no more than there are."""
    kind = ffi.typeof(items)
    if kind is not _ITEM and (kind.kind != "array" or kind.item is not _ITEM.item):
        raise TypeError(f"items must be a list of zmq_pollitem_t *, or an array of zmq_pollitem_t, not {kind.cname}")
    if not items:
        raise ValueError("items is NULL")
    length = 1 if kind is _ITEM else len(items)
    return length if nitems is None else _integer(nitems, "nitems", 0, length)


def _check_item(item: Any) -> None:
    """Raise for anything but an item whose socket is alive."""
    _handles.live(item, _ITEM, "an item")
    if _handles.dead and item.socket:
        handle, pointer = (_handles.find_companions(item) or {}).get("socket", (None, None))
        if handle is not None and pointer == item.socket:
            _socket(handle, "the socket of an item")


def _poll(array: CData, count: int, timeout: int) -> int:
    if not count:
        return _nothing(timeout)
    if count > FEW:
        check_number(count)
    if _pointers.kinds:
        for i in range(count):
            if array[i].socket:
                _socket(array[i].socket, "the socket of an item")
    return _blocking.poll(array, count, timeout)


def _nothing(timeout: int) -> int:
    """Wait for no item, as the system's own poll does."""
    import time

    deadline = _blocking.deadline_after(timeout)
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return 0
        time.sleep(min(left, 3600.0))


def check_number(count: int) -> None:
    """Raise ValueError for more items than the system polls: libzmq would abort."""
    try:
        import resource
    except ImportError:
        return
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit not in (-1, resource.RLIM_INFINITY) and count > limit:
        raise ValueError(f"items are {count}, but the system polls no more than {limit}")


def ppoll(items: Any, timeout: int = -1, sigmask: Iterable[int] | None = None) -> int:
    """Wait as `poll` does, with the signals of *sigmask*, and no others, blocked meanwhile; None changes nothing.

    Works with libraries that lack the C function, too.

    C: ``int zmq_ppoll (zmq_pollitem_t *items, int nitems, long timeout, const sigset_t *sigmask)``
    """
    if sigmask is None:
        return poll(items, timeout)
    from signal import SIG_SETMASK, pthread_sigmask

    before = pthread_sigmask(SIG_SETMASK, sigmask)
    try:
        return poll(items, timeout)
    finally:
        pthread_sigmask(SIG_SETMASK, before)
