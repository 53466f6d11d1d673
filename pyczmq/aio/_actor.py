"""Actor and Pipe: a function, or a coroutine, on a thread of its own, and the two ends of the pipe to it."""

from __future__ import annotations

import asyncio
import inspect
from functools import partial, wraps

from .. import _actors, _handles, zactor
from .._numbers import integer
from ..types import _actor as blocking
from ._messaging import AsyncMessaging
from ._waiting import POLLIN, POLLOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from types import TracebackType
    from typing import Any, Concatenate, Union, overload

    from typing_extensions import ParamSpec, Self

    from .._types import CData, Sock
    from ..types._actor import Pipe as BlockingPipe
    from ..types._attempts import Receive, Send
    from ..types.message import Message

    P = ParamSpec("P")

    #: A function that is called with a blocking pipe, or a coroutine function that is called with one for asyncio.
    Task = Union[
        Callable[Concatenate[BlockingPipe, P], object], Callable[Concatenate["Pipe", P], Coroutine[Any, Any, object]]
    ]


class Actor(blocking.BaseActor, AsyncMessaging):
    """An actor, as `pyczmq.Actor` is, whose messages are awaited.

    >>> import asyncio
    >>> from pyczmq import aio
    >>> async def echo(pipe, greeting):
    ...     async for message in pipe:
    ...         await pipe.send_parts([greeting, *message])
    >>> async def main():
    ...     async with aio.Actor(echo, "Hello") as actor:
    ...         await actor.send_parts(["big", "world"])
    ...         return await actor.recv_parts()
    >>> asyncio.run(main())
    [b'Hello', b'big', b'world']

    A task that is a coroutine function runs in an event loop on the actor's thread, with an `aio.Pipe`; any other is
    called with a `pyczmq.Pipe`. ``Actor(...)`` returns once the task is ready, which is when it first uses its pipe;
    `start` awaits that, for tasks that take long to begin.
    """

    __slots__ = ("_ending",)

    if TYPE_CHECKING:

        @overload
        def __init__(self, task: Task[P], /, *args: P.args, **kwargs: P.kwargs) -> None: ...
        @overload
        def __init__(self, task: CData, argument: Any = None, /) -> None: ...

    def __init__(self, task: Any, /, *args: Any, **kwargs: Any) -> None:
        self._begin(*blocking.start(task, args, kwargs, _run_task))

    def _begin(self, handle: Any, name: str) -> None:
        self._ending: asyncio.Future[None] | None = None
        super().__init__(handle, name)

    @classmethod
    async def start(cls, task: Task[P], /, *args: P.args, **kwargs: P.kwargs) -> Self:
        """Start an actor, as ``Actor(...)`` does, while other tasks have their turn."""
        loop = asyncio.get_running_loop()
        started = await loop.run_in_executor(None, blocking.start, task, args, kwargs, _run_task)
        actor = cls.__new__(cls)
        actor._begin(*started)
        return actor

    def _also(self, handle: Any) -> Callable[[], int]:
        state = _actors.state_of(handle)

        def also() -> int:
            over = [events for events in (POLLIN, POLLOUT) if blocking.is_over(state, handle, events)]
            return sum(over)

        return also

    async def _receive(self, attempt: Receive, what: str) -> Any:
        self._refuse_own_task()
        received = await super()._receive(partial(blocking.recv_now, self._state, attempt), what)
        if received is blocking.END:
            self._over = True
            raise EOFError(blocking.end_of(self._state))
        return received

    async def _send(self, attempt: Send, what: str) -> int:
        self._refuse_own_task()
        return await super()._send(partial(blocking.send_now, self._state, attempt), what)

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Yield the messages that come from the task until that has ended; raise what it has raised."""
        messages = super().__aiter__()
        while True:
            try:
                message = await messages.__anext__()
            except (EOFError, StopAsyncIteration):
                return
            yield message

    async def close(self, timeout: int = _actors.PATIENCE) -> None:  # type: ignore[override]
        """Tell the actor to end, and wait for that; a second call does nothing.

        Those who wait for it are woken with an error, and what it sends meanwhile is dropped. Raises what its task has
        raised, if nobody was told yet; TimeoutError if it has not ended within *timeout* milliseconds (-1: for ever):
        it stays alive, and can be closed again. Being cancelled does not keep it from ending.
        """
        timeout = integer(timeout, "timeout", -1)
        if self._ending is None and self._handle is not None:
            self._refuse_own_task()
            if not self._lock.acquire(False):
                raise self._in_use()
            try:
                self._release()
                handle, self._handle = self._handle, None
            finally:
                self._lock.release()
            if _handles.fate(handle) is None:
                loop = asyncio.get_running_loop()
                self._ending = loop.run_in_executor(None, zactor.destroy, handle, timeout)
                self._ending.add_done_callback(partial(self._ended, handle))
        if self._ending is not None:
            await asyncio.shield(self._ending)

    def _ended(self, handle: Any, ending: asyncio.Future[None]) -> None:
        """Go on with an actor that did not end in time."""
        self._ending = None
        if _handles.fate(handle) is None:
            self._handle = handle

    def __enter__(self) -> Self:
        raise TypeError("an actor for asyncio is used with async with")

    async def __aenter__(self) -> Self:
        self.handle  # noqa: B018
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.close()
        except Exception as failure:
            if error is None:
                raise
            blocking._add_context(error, failure)


def actor(task: Task[P]) -> Callable[P, Actor]:
    """Make a function or a coroutine function start an actor that runs it.

    >>> import asyncio
    >>> from pyczmq import aio
    >>> @aio.actor
    ... async def squares(pipe, count):
    ...     for number in range(count):
    ...         await pipe.send_json(number**2)
    >>> async def main():
    ...     async with squares(3) as numbers:
    ...         return [str(message[0]) async for message in numbers]
    >>> asyncio.run(main())
    ['0', '1', '4']
    """
    function: Any = task
    if not inspect.iscoroutinefunction(task):
        blocking.check_task(task)

    @wraps(function)
    def make(*args: P.args, **kwargs: P.kwargs) -> Actor:
        return Actor(task, *args, **kwargs)

    return make


def _run_task(name: str, task: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[Sock], None]:
    """Return what runs a task of either kind, for zactor."""
    if not inspect.iscoroutinefunction(task):
        blocking.check_task(task)
        return blocking.run_task(name, task, args, kwargs)

    def run(handle: Sock) -> None:
        async def main() -> None:
            pipe = Pipe(handle, name)
            try:
                await task(pipe, *args, **kwargs)
            finally:
                pipe._end()

        asyncio.run(main())

    run.__qualname__ = name
    return run


class Pipe(blocking.BasePipe, AsyncMessaging):
    """The end of an actor's pipe that a coroutine has: as `pyczmq.Pipe`, with messages that are awaited.

    A loop over it yields messages, and ends when the actor is told to end.
    """

    __slots__ = ()

    def _begin_waiting(self) -> None:
        if not self._used:
            self._make_ready()

    async def _receive(self, attempt: Receive, what: str) -> Any:
        self._begin_waiting()
        return await super()._receive(attempt, what)

    async def _send(self, attempt: Send, what: str) -> int:
        if not self._used:
            self._make_ready(signals=what != "signal")
        await super()._send(attempt, what)
        self._used = True
        return 0

    def _end(self) -> None:
        self._ended = True
        self._release()
        super()._end()

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Yield the messages that come in until the actor is told to end, or the context has ended."""
        async for message in super().__aiter__():
            if blocking.is_told_to_end(message):
                return
            yield message
