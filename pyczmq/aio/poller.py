"""Poller: waits on several objects for asyncio, and on file descriptors, and tells which of them are ready."""

from __future__ import annotations

import asyncio
import os

from .. import _blocking, zmq
from .._numbers import integer
from ..types import poller as blocking
from ._messaging import Awaiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from types import TracebackType
    from typing import Any, Union

    from typing_extensions import Self

    from .._zmq_poll import HasFileno

    #: Objects for asyncio, file descriptors, files and the like.
    Source = Union[Awaiting, int, HasFileno]

_POLLIN = _blocking.POLLIN
_POLLOUT = _blocking.POLLOUT


class Poller:
    """Waits until some of its sources are ready: sockets and other objects of `pyczmq.aio`, file descriptors.

    >>> import asyncio
    >>> from pyczmq import aio, zmq
    >>> async def main():
    ...     async with aio.Socket(zmq.PULL, bind="inproc://a") as a, aio.Socket(zmq.PULL, bind="inproc://b") as b:
    ...         async with aio.Socket(zmq.PUSH, connect="inproc://b") as push, aio.Poller(a, b) as poller:
    ...             await push.send("hello")
    ...             return [(sock is b, await sock.recv()) for sock in await poller.wait(timeout=1000)]
    >>> asyncio.run(main())
    [(True, 'hello')]

    It takes nothing from its sources, and others may wait for these at the same time. A source that is closed makes
    `wait` raise what a call on it raises.
    """

    __slots__ = ("_sources",)

    def __init__(self, *sources: Source) -> None:
        """Make a poller that waits for input on *sources*; `add` takes more, and other events."""
        self._sources: dict[Any, _Waited] | None = {}
        for source in sources:
            self.add(source)

    @property
    def closed(self) -> bool:
        """Whether the poller was closed."""
        return self._sources is None

    def close(self) -> None:
        """Forget the sources, which stay open; a second call does nothing."""
        self._sources = None

    def _open(self) -> dict[Any, _Waited]:
        if self._sources is None:
            raise ValueError("the poller is closed")
        return self._sources

    def add(self, source: Source, events: int = _POLLIN) -> None:
        """Wait for *source*, too; *events* is a sum of zmq.POLLIN and POLLOUT.

        For a source that is in the poller this changes the events.
        """
        sources = self._open()
        wanted = integer(events, "events", 1, _POLLIN | _POLLOUT)
        sources[blocking._key(source)] = (_Object if isinstance(source, Awaiting) else _Descriptor)(source, wanted)

    def remove(self, source: Source) -> None:
        """Wait no longer for *source*, which may have been closed; ValueError if it is not in the poller."""
        if self._open().pop(blocking._key(source), None) is None:
            raise ValueError(f"{blocking._name(source)} is not in the poller")

    async def wait(self, timeout: int = -1) -> list[Any]:
        """Wait until a source is ready and return all that are, in the order in which they were added.

        The list is empty once *timeout* milliseconds have passed; -1 waits for ever.
        """
        return [source for source, _ in await self.poll(timeout)]

    async def poll(self, timeout: int = -1) -> list[tuple[Any, int]]:
        """Wait as `wait` does, and return pairs: each source that is ready, with its events."""
        milliseconds = integer(timeout, "timeout", -1)
        sources = list(self._open().values())
        ready = _ready(sources)
        if ready or not milliseconds:
            return ready
        loop = asyncio.get_running_loop()
        deadline = None if milliseconds < 0 else loop.time() + milliseconds / 1000
        while not ready and (deadline is None or loop.time() < deadline):
            await _news(loop, sources, deadline)
            ready = _ready(sources)
        return ready

    def __contains__(self, source: object) -> bool:
        return blocking._key(source) in self._open()

    def __len__(self) -> int:
        return len(self._open())

    def __iter__(self) -> Iterator[Any]:
        """Yield the sources in the order in which they were added."""
        return iter([source.given for source in self._open().values()])

    async def __aiter__(self) -> AsyncIterator[Any]:
        """Yield each source whenever it is ready, for as long as the poller is open: who gets one receives from it."""
        while not self.closed:
            for source in await self.wait():
                yield source

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._sources is None:
            return f"<{type(self).__name__} closed>"
        number = len(self._sources)
        return f"<{type(self).__name__} of {number} source{'s' * (number != 1)}>"


def _ready(sources: Sequence[_Waited]) -> list[tuple[Any, int]]:
    """Return the sources that are ready now, with their events."""
    looks = [(source.given, source.look()) for source in sources]
    return [(given, events) for given, events in looks if events]


async def _news(loop: asyncio.AbstractEventLoop, sources: Sequence[_Waited], deadline: float | None) -> None:
    """Wait until a source may be ready, or the time has come."""
    future: asyncio.Future[None] = loop.create_future()
    timer = None if deadline is None else loop.call_at(deadline, _resolve, future)
    ends: list[Callable[[], object]] = []
    try:
        for source in sources:
            ends.append(source.watch(loop, future))
        await future
    finally:
        for end in ends:
            end()
        if timer is not None:
            timer.cancel()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class _Waited:
    """A source, and what is waited for."""

    __slots__ = ("events", "given")

    def __init__(self, given: Any, events: int) -> None:
        self.given = given
        self.events = events

    def look(self) -> int:
        """Return which of the events are there now."""
        raise NotImplementedError

    def watch(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]) -> Callable[[], object]:
        """Give *future* a result when one is there; return what ends that."""
        raise NotImplementedError


class _Object(_Waited):
    """An object for asyncio."""

    __slots__ = ()

    def look(self) -> int:
        self.given._begin_waiting()
        return self.given._lock.waiters.look(self.given, self.events)  # type: ignore[no-any-return]

    def watch(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]) -> Callable[[], object]:
        waiters = self.given._lock.waiters
        waiters.watch(self.given, self.events, future)
        waiters.rouse()
        return lambda: waiters.unwatch(future)


class _Descriptor(_Waited):
    """A file descriptor, or what has one."""

    __slots__ = ("_source",)

    def __init__(self, given: Any, events: int) -> None:
        if not isinstance(given, int) and not hasattr(given, "fileno"):
            raise TypeError(f"source must be an object of pyczmq.aio or have a file descriptor, not {given!r}")
        super().__init__(given, events)
        self._source = blocking._Source(given, events)

    def look(self) -> int:
        self._source.check("poller", True)
        zmq.poll([self._source.item], 0)
        events: int = self._source.item.revents
        return events

    def watch(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]) -> Callable[[], object]:
        # The loop has one reader for each number, which may be the program's own.
        number = os.dup(self._source.fd)
        if self.events & _POLLIN:
            loop.add_reader(number, _resolve, future)
        if self.events & _POLLOUT:
            loop.add_writer(number, _resolve, future)

        def end() -> None:
            loop.remove_reader(number)
            loop.remove_writer(number)
            os.close(number)

        return end
