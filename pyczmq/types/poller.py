"""Poller: waits on sockets, actors and file descriptors, and tells which of them are ready."""

from __future__ import annotations

import time

from .. import _blocking, _handles, _polling, _threads, _zmq_pointers, zmq, zpoller
from .._numbers import integer
from . import errors
from ._base import Object, guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Union

    from .._types import Socketish
    from .._zmq_poll import HasFileno

    #: Objects with a socket, the handles of sockets and actors, file descriptors, files and the like.
    Source = Union[Object, Socketish, int, HasFileno]

_POLLIN = _blocking.POLLIN
_POLLOUT = _blocking.POLLOUT
_POLLERR = 4
_POLLPRI = 8
_MOST = _POLLIN | _POLLOUT | _POLLERR | _POLLPRI
_monotonic = time.monotonic


class Poller(Object):
    """Waits until some of its sources are ready: sockets, actors and other objects with a socket, file descriptors.

        >>> from pyczmq import Poller, Socket, zmq
        >>> with Socket(zmq.PULL, bind="inproc://a") as a, Socket(zmq.PULL, bind="inproc://b") as b:
        ...     with Socket(zmq.PUSH, connect="inproc://b") as push, Poller(a, b) as poller:
        ...         push.send("hello")
        ...         for sock in poller.wait(timeout=1000):
        ...             print(sock is b, sock.recv())
        0
        True hello

    A source is an object such as `Socket`, `Actor` or `Beacon`, the handle of a socket or actor, a file descriptor, or
    anything with a ``fileno`` method. The poller keeps its sources alive, but does not keep them open: one that was
    closed and not removed makes a wait a ValueError that names it. A poller belongs to the thread that its sources
    belong to; while it waits, another thread that uses one of its objects gets RuntimeError.
    """

    __slots__ = ("_polled", "_sources")
    _noun = "poller"

    def __init__(self, *sources: Source) -> None:
        """Make a poller that waits for input on *sources*; `add` takes more, and other events."""
        super().__init__(_polling.array([]))
        self._sources: dict[Any, _Source] = {}
        #: The sources of the last wait, and their poll items.
        self._polled: tuple[list[_Source], Any] = [], self._handle
        for source in sources:
            self.add(source)

    @property
    @guarded
    def handle(self) -> Any:
        """The poll items of the sources, in their order, as an array for `zmq.poll`."""
        return self._items(list(self._sources.values()))

    def _items(self, sources: list[_Source]) -> Any:
        polled, items = self._polled
        if polled != sources:
            self._handle = items = _polling.array([source.item for source in sources])
            self._polled = sources, items
        return items

    @guarded
    def add(self, source: Source, events: int = _POLLIN) -> None:
        """Wait for *source*, too; *events* is a sum of zmq.POLLIN and POLLOUT, and, for file descriptors, POLLPRI.

        For a source that is in the poller this changes the events. Raises TypeError for what cannot be polled, and
        ValueError, or ZMQError, for what is not open.
        """
        self._sources[_key(source)] = _Source(source, events)

    @guarded
    def remove(self, source: Source) -> None:
        """Wait no longer for *source*, which may have been closed; ValueError if it is not in the poller."""
        if self._sources.pop(_key(source), None) is None:
            raise ValueError(f"{_name(source)} is not in the poller")

    def wait(self, timeout: int = -1) -> list[Any]:
        """Wait until a source is ready and return all that are, in the order in which they were added.

        The list is empty once *timeout* milliseconds have passed; -1 waits for ever. Each source is the very object
        that was added; a file descriptor is ready at its end and after an error as well, which reading it will tell.

        Ctrl-C raises KeyboardInterrupt; after any other signal the wait goes on. Raises `ContextTerminated` when the
        context of a source has ended, ValueError for a source that was closed, RuntimeError for one that another
        thread uses.
        """
        return [source for source, _ in self.poll(timeout)]

    @guarded
    def poll(self, timeout: int = -1) -> list[tuple[Any, int]]:
        """Wait as `wait` does, and return pairs: each source that is ready, with its events.

        These are a sum of zmq.POLLIN, POLLOUT, POLLPRI and POLLERR. POLLERR comes unasked: a file descriptor has an
        error, or its other end is closed.
        """
        timeout = integer(timeout, "timeout", -1)
        sources = list(self._sources.values())
        taken: list[_Source] = []
        try:
            for source in sources:
                source.take()
                taken.append(source)
            return self._poll(sources, self._items(sources), timeout)
        finally:
            for source in taken:
                source.give_back()

    def _poll(self, sources: list[_Source], items: Any, timeout: int) -> list[tuple[Any, int]]:
        deadline = _blocking.deadline_after(timeout)
        patience = 0
        while True:
            # Anew before each slice of the time: a signal's handler may have closed what it likes.
            if self._handle is None:
                raise self._closed_error()
            for source in sources:
                source.check("poller")
            known = {source for source in sources if source.has_some()}
            if zmq.poll(items, 0 if known else patience) < 0:
                code = zmq.errno()
                for source in sources:
                    source.check("poller", True)
                raise errors.error(f"poll on {self!r}", code)
            ready = []
            for source, item in zip(sources, items):
                events = item.revents | _POLLIN if source in known else item.revents
                if events:
                    if events & _POLLERR:
                        source.check("poller", True)
                    ready.append((source.given, events))
            if ready or timeout == 0 or _monotonic() >= deadline:
                return ready
            patience = _blocking.step(deadline)

    @guarded
    def __contains__(self, source: object) -> bool:
        return _key(source) in self._sources

    @guarded
    def __len__(self) -> int:
        return len(self._sources)

    @guarded
    def __iter__(self) -> Iterator[Any]:
        """Yield the sources in the order in which they were added."""
        return iter([source.given for source in self._sources.values()])

    def _destroy(self, handle: Any) -> None:
        self._sources.clear()
        self._polled = [], None

    def __repr__(self) -> str:
        number = len(self._sources)
        state = "closed" if self.closed else f"of {number} source{'s' * (number != 1)}"
        return f"<{type(self).__name__} {state}>"


def _key(source: object) -> object:
    """Return what tells sources apart: a file descriptor's number, an object's identity."""
    return source if isinstance(source, int) else (id(source),)


def _name(given: object) -> str:
    """Return what a source is called in error texts."""
    return f"file descriptor {given}" if isinstance(given, int) else repr(given)


class _Source:
    """One source: what was given, and the handle of a socket or else the file descriptor that stands for it."""

    __slots__ = ("_has_some", "fd", "given", "handle", "item")

    #: The poll item for `zmq.poll` and `zloop.poller`.
    item: Any

    def __init__(self, given: Any, events: int = _POLLIN) -> None:
        self.given = given
        self.handle: Any = None
        self.fd = -1
        self._has_some: Callable[[], bool] | None = None
        is_object = isinstance(given, Object)
        if not is_object and (isinstance(given, int) or hasattr(given, "fileno")):
            self.fd = integer(given if isinstance(given, int) else given.fileno(), "the file descriptor")
            if not self._is_open():
                raise ValueError(f"{_name(given)} is not open")
            # libzmq with drafts tells of no error that was not asked for.
            self.item = zmq.pollitem(fd=self.fd, events=integer(events, "events", 1, _MOST) | _POLLERR)
        else:
            if is_object and given.closed:
                raise given._closed_error()
            if hasattr(given, "__aenter__"):
                # What C polls here, asyncio would wait for in vain.
                raise TypeError(f"{given!r} is for asyncio: pyczmq.aio.Poller takes it")
            self.handle = given._pollable() if hasattr(given, "_pollable") else getattr(given, "handle", given)
            self._check_handle()
            self._has_some = getattr(given, "_has_some", None)
            self.item = zmq.pollitem(self.handle, events=integer(events, "events", 1, _POLLIN | _POLLOUT))

    def _check_handle(self) -> None:
        """Raise TypeError for the handle of anything but a socket or actor, ValueError for one that is not open."""
        try:
            _zmq_pointers.socket(self.handle, "source")
        except TypeError:
            raise TypeError(
                "source must have a socket, or be the handle of one, a file descriptor or something with fileno(), "
                f"not {self.given!r}"
            ) from None
        zpoller._socket(self.handle)

    def check(self, owner: str, thoroughly: bool = False) -> None:
        """Raise ValueError if the source was closed; *thoroughly* asks the system about a bare file descriptor."""
        given = self.given
        if self.handle is None:
            is_open = self._is_open() if thoroughly else isinstance(given, int) or self._fileno() == self.fd
        elif _handles.dead:
            is_open = not (isinstance(given, Object) and given.closed) and _handles.fate(self.handle) is None
        else:
            is_open = not (isinstance(given, Object) and given._handle is None)
        if not is_open:
            _threads.leave_if_ending()
            raise ValueError(f"a source of the {owner} is closed: {_name(given)}")

    def has_some(self) -> bool:
        """Tell whether the object has received something that it has not handed out, and C does not see any more."""
        return self._has_some is not None and bool(self.item.events & _POLLIN) and self._has_some()

    def _is_open(self) -> bool:
        return self._fileno() == self.fd and self.fd >= 0 and zpoller._is_open(self.fd)

    def _fileno(self) -> int:
        """Return the file descriptor that the source has now; -1 if it was closed."""
        if isinstance(self.given, int):
            return self.fd
        try:
            return int(self.given.fileno())
        except (OSError, ValueError):
            return -1

    def take(self) -> None:
        """Keep other threads from using an object; RuntimeError if one does already."""
        if isinstance(self.given, Object) and not self.given._lock.acquire(False):
            raise RuntimeError(f"{self.given!r} is in use in another thread")

    def give_back(self) -> None:
        """Let other threads use the object again."""
        if isinstance(self.given, Object):
            self.given._lock.release()
