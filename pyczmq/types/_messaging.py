"""Messages in and out of whatever has a socket, for calls that block: sockets, actors and their pipes."""

from __future__ import annotations

from functools import partial

from .. import _blocking, _handles, _multipart, _text
from .._numbers import integer
from . import _attempts, errors
from ._base import Object, guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from .._types import Text
    from ._attempts import Part, Receive, Send
    from .frame import Frame
    from .message import Message

_socket = _handles.socket
_until = _blocking.until
_POLLIN = _blocking.POLLIN
_POLLOUT = _blocking.POLLOUT


class Messaging(Object):
    """What sockets, actors and pipes have in common.

    Each call that may block takes a *timeout* in milliseconds, -1 being for ever; without one the socket's own options
    ``rcvtimeo`` and ``sndtimeo`` hold, by default for ever. `Again` is raised once the time has passed,
    `ContextTerminated` when the context has ended meanwhile. Ctrl-C gets through.

    Text is str, as UTF-8 with `surrogateescape`: any bytes that come in as text go out unchanged. What is sent returns
    0, as in CZMQ.
    """

    __slots__ = ()

    def _receive(self, attempt: Receive, timeout: int | None, what: str) -> Any:
        """Return what *attempt* receives, once there is something."""
        if timeout is not None:
            timeout = integer(timeout, "timeout", -1)
        if not self._lock.acquire(False):
            raise self._in_use()
        try:
            sock = self._handle
            if sock is None:
                raise self._closed_error()
            handle = _socket(sock, self._noun)
            received = attempt(sock, handle)
            if received is None:
                received = _until(partial(attempt, sock, handle), handle, _POLLIN, timeout)
                if received is None:
                    raise self._failed(what)
            return received
        finally:
            self._lock.release()

    def _send(self, attempt: Send, timeout: int | None, what: str) -> int:
        """Send with *attempt*, once there is room."""
        if timeout is not None:
            timeout = integer(timeout, "timeout", -1)
        if not self._lock.acquire(False):
            raise self._in_use()
        try:
            sock = self._handle
            if sock is None:
                raise self._closed_error()
            handle = _socket(sock, self._noun)
            if (
                attempt(sock, handle) is None
                and _until(partial(attempt, sock, handle), handle, _POLLOUT, timeout) is None
            ):
                raise self._failed(what)
            return 0
        finally:
            self._lock.release()

    def send(self, text: Text, *, timeout: int | None = None) -> int:
        """Send text as a message of one frame."""
        return self._send(partial(_attempts.send_frames, frames=[_text.encode(text, "text")]), timeout, "send")

    def recv(self, *, timeout: int | None = None) -> str:
        """Receive the next frame as text.

        Of a message with several frames this reads one; ``socket.rcvmore`` tells whether there are more. `recv_parts`
        reads them all.
        """
        return _text.decode(self._receive(_attempts.recv_frame_bytes, timeout, "recv"))

    def send_bytes(self, data: Part, *, timeout: int | None = None) -> int:
        """Send bytes, or anything else with the buffer protocol, as a message of one frame."""
        return self._send(partial(_attempts.send_frames, frames=[_attempts.part(data)]), timeout, "send_bytes")

    def recv_bytes(self, *, timeout: int | None = None) -> bytes:
        """Receive the next frame as bytes."""
        received: bytes = self._receive(_attempts.recv_frame_bytes, timeout, "recv_bytes")
        return received

    def send_parts(self, parts: Iterable[Part], *, timeout: int | None = None) -> int:
        """Send a message of several frames, whole or not at all; no frames send nothing."""
        return self._send(partial(_attempts.send_frames, frames=_attempts.parts(parts)), timeout, "send_parts")

    def recv_parts(self, *, timeout: int | None = None) -> list[bytes]:
        """Receive a message, all its frames."""
        received: list[bytes] = self._receive(_attempts.recv_parts, timeout, "recv_parts")
        return received

    def send_frame(self, frame: Frame, flags: int = 0, *, timeout: int | None = None) -> int:
        """Send a frame, which is closed then, without copying it.

        *flags* are ``Frame.MORE``, if more frames of the message follow, ``Frame.REUSE`` to keep the frame, and
        ``Frame.DONTWAIT``, which is a timeout of 0.
        """
        attempt = _attempts.send_frame(frame, flags)
        return self._send(attempt, 0 if flags & frame.DONTWAIT else timeout, "send_frame")

    def recv_frame(self, *, timeout: int | None = None) -> Frame:
        """Receive the next frame as an object, without copying it."""
        received: Frame = self._receive(_attempts.recv_frame, timeout, "recv_frame")
        return received

    def send_msg(self, message: Message, *, timeout: int | None = None) -> int:
        """Send a message, which is empty then, whole or not at all."""
        return self._send(_attempts.send_message(message), timeout, "send_msg")

    def recv_msg(self, *, timeout: int | None = None) -> Message:
        """Receive a message as an object, all its frames."""
        received: Message = self._receive(_attempts.recv_message, timeout, "recv_msg")
        return received

    def send_json(self, value: Any, *, timeout: int | None = None) -> int:
        """Send a value as JSON, in a message of one frame; TypeError or ValueError for one that has no JSON."""
        return self._send(partial(_attempts.send_frames, frames=[_attempts.dumps(value)]), timeout, "send_json")

    def recv_json(self, *, timeout: int | None = None) -> Any:
        """Receive the next frame and return the value that it has as JSON; ValueError for one that is no JSON."""
        return _attempts.loads(self._receive(_attempts.recv_frame_bytes, timeout, "recv_json"))

    def send_picture(self, picture: Text, *args: Any, timeout: int | None = None) -> int:
        """Send values as a picture says, a letter for each: ``send_picture("si", "answer", 42)``.

        `pyczmq.zsock` has the letters. Objects are taken for ``f`` (a `Frame`) and ``m`` (a `Message`).
        """
        frames = _attempts.picture(picture, args)
        return self._send(partial(_attempts.send_frames, frames=frames), timeout, "send_picture")

    def recv_picture(self, picture: Text, *, timeout: int | None = None) -> tuple[Any, ...]:
        """Receive a message and return its values, one for each letter of the picture; see `pyczmq.zsock`.

        Frames and messages come as objects. Raises ZMQError with EBADMSG for a message that does not fit, which is
        dropped.
        """
        received: tuple[Any, ...] = self._receive(_attempts.recv_picture(picture), timeout, "recv_picture")
        return received

    def signal(self, status: int = 0, *, timeout: int | None = None) -> int:
        """Send a signal, a short message with a status from 0 to 255 that `wait` understands."""
        frames = [_multipart.signal_frame(status)]
        return self._send(partial(_attempts.send_frames, frames=frames), timeout, "signal")

    def wait(self, *, timeout: int | None = None) -> int:
        """Wait for a signal and return its status; messages that are none are dropped."""
        status: int = self._receive(_attempts.recv_signal, timeout, "wait")
        return status

    def poll(self, timeout: int = 0, events: int = _POLLIN) -> bool:
        """Wait until a message can be received, for *timeout* milliseconds (-1: for ever); return whether one can.

        With zmq.POLLOUT for *events* it is about sending.
        """
        return self._poll(integer(timeout, "timeout", -1), integer(events, "events", 1, _POLLIN | _POLLOUT))

    @guarded
    def _poll(self, timeout: int, events: int) -> bool:
        return _blocking.wait(_socket(self._handle, self._noun), events, timeout)

    def recv_nowait(self) -> str | None:
        """Receive the next frame as text if there is one; None at once if there is not."""
        try:
            return self.recv(timeout=0)
        except errors.Again:
            return None

    def recv_frame_nowait(self) -> Frame | None:
        """Receive the next frame as an object if there is one; None at once if there is not."""
        try:
            return self.recv_frame(timeout=0)
        except errors.Again:
            return None

    def __iter__(self) -> Iterator[Message]:
        """Yield the messages that come in; it ends when the context has ended, or the object was closed."""
        while not self.closed:
            try:
                message = self.recv_msg()
            except errors.ContextTerminated:
                return
            yield message
