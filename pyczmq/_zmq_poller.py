"""The draft pollers of libzmq: the part of `pyczmq.zmq` that waits for many sockets at once, thread-safe ones too.

They are there only in a libzmq that was built with its draft API: ``zmq.has("draft")``.
"""

from __future__ import annotations

import errno
import time

from . import _blocking, _handles, _keeper, _threads
from ._cffi import C, ffi
from ._numbers import integer
from ._zmq_pointers import VOID, check, keeper, own
from ._zmq_pointers import socket as _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from ._types import CData, Socketish

    Event = tuple[Union[Socketish, int], Any, int]

__all__ = [
    "poller_new",
    "poller_destroy",
    "poller_size",
    "poller_add",
    "poller_modify",
    "poller_remove",
    "poller_wait",
    "poller_wait_all",
    "poller_fd",
    "poller_add_fd",
    "poller_modify_fd",
    "poller_remove_fd",
]

_POLLER = "poller"

_TYPE = 16


class _Polled(_keeper.Keeper):
    """What a poller polls: socket or file descriptor -> (handle, user data)."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[CData | int, tuple[Any, Any]] = {}

    def usable(self) -> bool:
        """Tell whether every socket's context goes on; C would abort over one that has ended."""
        kind, size = ffi.new("int *"), ffi.new("size_t *", 4)
        return all(isinstance(key, int) or C.zmq_getsockopt(key, _TYPE, kind, size) == 0 for key in self.entries)


def _free(pointer: CData) -> None:
    C.zmq_poller_destroy(ffi.new("void **", pointer))


def _polled(poller: CData) -> _Polled:
    """Return what a poller polls, all of which must be alive: C would look at what a dead socket left."""
    polled = keeper(poller, _POLLER, "poller", _Polled)
    if _handles.dead:
        for handle, _ in polled.entries.values():
            if not isinstance(handle, int):
                _socket(handle, "a socket in poller")
    return polled


def _entries(poller: CData) -> dict[CData | int, tuple[Any, Any]]:
    return _polled(poller).entries


def poller_new() -> CData:
    """Return a new poller, which `poller_destroy` or the garbage collector frees. Draft.

    C: ``void *zmq_poller_new (void)``
    """
    return own(C.zmq_poller_new(), _POLLER, _free, _Polled())


def poller_destroy(poller: CData | None) -> int:
    """Free a poller now, and only once; None is let through. Returns 0. Draft.

    C: ``int zmq_poller_destroy (void **poller_p)``
    """
    if poller is not None:
        check(poller, _POLLER, "poller")
        _keeper.destroy(poller, VOID, _free, "poller", _Polled)
    return 0


def poller_size(poller: CData) -> int:
    """Return how many sockets and file descriptors a poller has. Draft; libzmq 4.3.3 and later.

    C: ``int zmq_poller_size (void *poller)``
    """
    _entries(poller)
    return C.zmq_poller_size(poller)


def poller_add(poller: CData, socket: Socketish, user_data: Any, events: int) -> int:
    """Let a poller wait for *events* of a socket; *user_data*, anything, comes back with them. Draft.

    *events* is a sum of zmq.POLLIN, POLLOUT, POLLERR and POLLPRI. Returns 0, or -1 if the poller has that socket.

    C: ``int zmq_poller_add (void *poller, void *socket, void *user_data, short events)``
    """
    entries = _entries(poller)
    handle = _socket(socket)
    rc = C.zmq_poller_add(poller, handle, ffi.NULL, events)
    if rc == 0:
        entries[handle] = (socket, user_data)
    return rc


def poller_modify(poller: CData, socket: Socketish, events: int) -> int:
    """Change which events of a socket a poller waits for; return 0, or -1 if it does not have that socket. Draft.

    C: ``int zmq_poller_modify (void *poller, void *socket, short events)``
    """
    _entries(poller)
    return C.zmq_poller_modify(poller, _socket(socket), events)


def poller_remove(poller: CData, socket: Socketish) -> int:
    """Take a socket out of a poller; return 0, or -1 if it is not there. Draft. To be done before the socket is closed.

    C: ``int zmq_poller_remove (void *poller, void *socket)``
    """
    entries = _entries(poller)
    handle = _socket(socket)
    rc = C.zmq_poller_remove(poller, handle)
    if rc == 0:
        del entries[handle]
    return rc


def poller_wait(poller: CData, timeout: int = -1) -> Event | None:
    """Return the first event, or None once *timeout* (milliseconds; -1 waits for ever) has passed. Draft.

    An event is a tuple: the socket or file descriptor as it was added, its user data, and what it is ready for.

    C: ``int zmq_poller_wait (void *poller, zmq_poller_event_t *event, long timeout)``
    """
    found = poller_wait_all(poller, 1, timeout)
    return found[0] if found else None


def poller_wait_all(poller: CData, n_events: int, timeout: int = -1) -> list[Event] | None:
    """Return up to *n_events* events, tuples as those of `poller_wait`. Draft.

    The list is empty once *timeout* (milliseconds; -1 waits for ever) has passed. None after an error: a poller
    without sockets cannot wait for ever.

    C: ``int zmq_poller_wait_all (void *poller, zmq_poller_event_t *events, int n_events, long timeout)``
    """
    polled = _polled(poller)
    events = ffi.new("zmq_poller_event_t[]", integer(n_events, "n_events", 1, 1_000_000))
    deadline = _blocking.deadline_after(integer(timeout, "timeout"))
    while polled.usable() and (polled.entries or timeout >= 0):
        step = _blocking.step(deadline)
        count = _threads.call(
            C.zmq_poller_wait_all, poller, events, n_events, step, uses=lambda *_: list(polled.entries)
        )
        if count > 0:
            return [_event(polled.entries, events[i]) for i in range(count)]
        if count < 0 and ffi.errno not in (errno.EAGAIN, errno.EINTR):
            break
        if time.monotonic() >= deadline:
            return []
    return None


def _event(entries: dict[CData | int, tuple[Any, Any]], event: Any) -> Event:
    handle, user_data = entries[event.socket or event.fd]
    return handle, user_data, event.events


def poller_fd(poller: CData) -> int | None:
    """Return a file descriptor that is readable when a thread-safe socket of the poller is ready; None without. Draft.

    C: ``int zmq_poller_fd (void *poller, zmq_fd_t *fd)``
    """
    _entries(poller)
    fd = ffi.new("zmq_fd_t *")
    return int(fd[0]) if C.zmq_poller_fd(poller, fd) == 0 else None


def poller_add_fd(poller: CData, fd: int, user_data: Any, events: int) -> int:
    """Let a poller wait for *events* of a file descriptor, as `poller_add` does for a socket. Draft.

    C: ``int zmq_poller_add_fd (void *poller, zmq_fd_t fd, void *user_data, short events)``
    """
    entries = _entries(poller)
    rc = C.zmq_poller_add_fd(poller, fd, ffi.NULL, events)
    if rc == 0:
        entries[fd] = (fd, user_data)
    return rc


def poller_modify_fd(poller: CData, fd: int, events: int) -> int:
    """Change which events of a file descriptor a poller waits for; return 0, or -1 if it does not have it. Draft.

    C: ``int zmq_poller_modify_fd (void *poller, zmq_fd_t fd, short events)``
    """
    _entries(poller)
    return C.zmq_poller_modify_fd(poller, fd, events)


def poller_remove_fd(poller: CData, fd: int) -> int:
    """Take a file descriptor out of a poller; return 0, or -1 if it is not there. Draft.

    C: ``int zmq_poller_remove_fd (void *poller, zmq_fd_t fd)``
    """
    entries = _entries(poller)
    rc = C.zmq_poller_remove_fd(poller, fd)
    if rc == 0:
        del entries[fd]
    return rc
