"""Messages in and out of whatever has a socket, for coroutines: the blocking calls of the objects, awaited."""

from __future__ import annotations

from functools import partial

from .. import _multipart, _text
from .._numbers import integer
from ..types import _attempts, errors
from ..types._base import Object
from ._waiting import POLLIN, POLLOUT, Lock, Waiters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from .._types import Text
    from ..types._attempts import Part, Receive, Send
    from ..types.frame import Frame
    from ..types.message import Message


class Awaiting(Object):
    """What all objects for asyncio have in common: whoever waits for one is woken when it is closed."""

    __slots__ = ()
    _lock: Lock

    def _new_lock(self, handle: Any) -> Lock:
        return Lock(Waiters(self._waited_for(handle), self._also(handle)))

    def _waited_for(self, handle: Any) -> Any:
        """Return the socket that is waited for: the object's handle, if that has one."""
        return handle

    def _also(self, handle: Any) -> Callable[[], int] | None:
        """Return what tells which events nobody need wait for although the socket is not ready; None for no such."""
        return None

    def _release(self) -> None:
        """Wake those who wait, and forget the descriptor, before the socket is closed."""
        self._lock.waiters.close(self._closed_error())

    def _begin_waiting(self) -> None:
        """Note that somebody is about to wait for this."""

    async def poll(self, timeout: int = -1, events: int = POLLIN) -> bool:
        """Wait until there is something to receive, for *timeout* milliseconds, -1 for ever; return whether there is.

        With zmq.POLLOUT for *events* it is about sending.
        """
        from .poller import Poller

        milliseconds = integer(timeout, "timeout", -1)
        poller = Poller()
        poller.add(self, events)
        return bool(await poller.poll(milliseconds))

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncMessaging(Awaiting):
    """What sockets, actors and pipes for asyncio have in common: see `pyczmq.types` for what each method does.

    Each returns without a turn of the loop where it need not wait; after a hundred of those in a row other tasks get
    their turn. Those who wait for the same socket are served in the order in which they came. Being cancelled, as by
    ``asyncio.timeout``, loses no message. The options ``rcvtimeo`` and ``sndtimeo`` do not matter here.
    """

    __slots__ = ()

    async def _receive(self, attempt: Receive, what: str) -> Any:
        return await self._lock.waiters.run(self, attempt, POLLIN, what)

    async def _send(self, attempt: Send, what: str) -> int:
        await self._lock.waiters.run(self, attempt, POLLOUT, what)
        return 0

    async def send(self, text: Text) -> int:
        """Send text as a message of one frame."""
        return await self._send(partial(_attempts.send_frames, frames=[_text.encode(text, "text")]), "send")

    async def recv(self) -> str:
        """Receive the next frame as text."""
        return _text.decode(await self._receive(_attempts.recv_frame_bytes, "recv"))

    async def send_bytes(self, data: Part) -> int:
        """Send bytes, or anything else with the buffer protocol, as a message of one frame."""
        return await self._send(partial(_attempts.send_frames, frames=[_attempts.part(data)]), "send_bytes")

    async def recv_bytes(self) -> bytes:
        """Receive the next frame as bytes."""
        received: bytes = await self._receive(_attempts.recv_frame_bytes, "recv_bytes")
        return received

    async def send_parts(self, parts: Iterable[Part]) -> int:
        """Send a message of several frames, whole or not at all; no frames send nothing."""
        return await self._send(partial(_attempts.send_frames, frames=_attempts.parts(parts)), "send_parts")

    async def recv_parts(self) -> list[bytes]:
        """Receive a message, all its frames."""
        received: list[bytes] = await self._receive(_attempts.recv_parts, "recv_parts")
        return received

    async def send_frame(self, frame: Frame, flags: int = 0) -> int:
        """Send a frame, which is closed then; *flags* are ``Frame.MORE`` and ``Frame.REUSE``."""
        return await self._send(_attempts.send_frame(frame, flags), "send_frame")

    async def recv_frame(self) -> Frame:
        """Receive the next frame as an object, without copying it."""
        received: Frame = await self._receive(_attempts.recv_frame, "recv_frame")
        return received

    async def send_msg(self, message: Message) -> int:
        """Send a message, which is empty then, whole or not at all."""
        return await self._send(_attempts.send_message(message), "send_msg")

    async def recv_msg(self) -> Message:
        """Receive a message as an object, all its frames."""
        received: Message = await self._receive(_attempts.recv_message, "recv_msg")
        return received

    async def send_json(self, value: Any) -> int:
        """Send a value as JSON, in a message of one frame."""
        return await self._send(partial(_attempts.send_frames, frames=[_attempts.dumps(value)]), "send_json")

    async def recv_json(self) -> Any:
        """Receive the next frame and return the value that it has as JSON; ValueError for one that is no JSON."""
        return _attempts.loads(await self._receive(_attempts.recv_frame_bytes, "recv_json"))

    async def send_picture(self, picture: Text, *args: Any) -> int:
        """Send values as a picture says, a letter for each; see `pyczmq.zsock`."""
        frames = _attempts.picture(picture, args)
        return await self._send(partial(_attempts.send_frames, frames=frames), "send_picture")

    async def recv_picture(self, picture: Text) -> tuple[Any, ...]:
        """Receive a message and return its values, one for each letter of the picture; see `pyczmq.zsock`."""
        received: tuple[Any, ...] = await self._receive(_attempts.recv_picture(picture), "recv_picture")
        return received

    async def signal(self, status: int = 0) -> int:
        """Send a signal, a short message with a status from 0 to 255 that `wait` understands."""
        frames = [_multipart.signal_frame(status)]
        return await self._send(partial(_attempts.send_frames, frames=frames), "signal")

    async def wait(self) -> int:
        """Wait for a signal and return its status; messages that are none are dropped."""
        status: int = await self._receive(_attempts.recv_signal, "wait")
        return status

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Yield the messages that come in; it ends when the context has ended, or the object was closed."""
        while not self.closed:
            try:
                message = await self.recv_msg()
            except errors.ZMQError as error:
                if self.closed or isinstance(error, errors.ContextTerminated):
                    return
                raise
            yield message
