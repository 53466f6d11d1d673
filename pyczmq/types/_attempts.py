"""Sending and receiving without waiting: one try each, for objects that wait in their own way, blocking or asyncio's.

Each takes a handle and the libzmq socket behind it, and returns None, with libzmq's errno set, where nothing could be
sent or received now.
"""

from __future__ import annotations

import json

from .. import _multipart, _pictures, _text, zmsg, zsock
from .._numbers import integer
from .frame import Frame
from .message import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Union

    from .._types import Buffer, Socket, Socketish, Text

    Part = Union[Text, Buffer, Frame]
    Receive = Callable[[Socketish, Socket], Any]
    Send = Callable[[Socketish, Socket], "int | None"]

recv_frame_bytes = _multipart.recv_frame_now
recv_parts = _multipart.recv_now
send_frames = _multipart.send_now


def send_frame(frame: Frame, flags: int = 0) -> Send:
    """Return what sends a frame object."""
    if not isinstance(frame, Frame):
        raise TypeError(f"frame must be a Frame, not {type(frame).__name__}")
    kept = integer(flags, "flags", 0, 7) & ~Frame.DONTWAIT
    return lambda sock, handle: frame._send_now(sock, kept)


def send_message(message: Message) -> Send:
    """Return what sends a message object."""
    if not isinstance(message, Message):
        raise TypeError(f"message must be a Message, not {type(message).__name__}")
    return lambda sock, handle: message._send_now(sock)


def recv_frame(sock: Socketish, handle: Socket) -> Frame | None:
    """Receive the next frame."""
    return Frame._recv_now(sock)


def recv_message(sock: Socketish, handle: Socket) -> Message | None:
    """Receive a message."""
    return Message._recv_now(sock)


def recv_signal(sock: Socketish, handle: Socket) -> int | None:
    """Receive messages until one is a signal, and return its status."""
    while True:
        frames = _multipart.recv_now(sock, handle)
        if frames is None:
            return None
        if len(frames) == 1 and _multipart.is_signal(frames[0]):
            return _multipart.status(frames[0])


def recv_picture(picture: Text) -> Receive:
    """Return what receives the values that *picture* names, with objects for frames and messages."""
    wanted = _pictures.read(picture, _pictures.SENT)

    def receive(sock: Socketish, handle: Socket) -> tuple[Any, ...] | None:
        values = zsock._recv_now(sock, handle, wanted)
        if values is None or not wanted.has_handles:
            return values
        letters = wanted.text.replace("z", "").replace("n", "")
        return tuple(
            value if value is None or letter not in _OBJECTS else _OBJECTS[letter](value)
            for letter, value in zip(letters, values)
        )

    return receive


_OBJECTS: dict[str, Callable[[Any], Any]] = {
    "f": lambda handle: Frame(frame=handle),
    "m": lambda handle: Message(msg=handle),
}


def picture(picture: Text, args: tuple[Any, ...]) -> list[Any]:
    """Return the frames that *picture* makes of the arguments, which may be objects."""
    messages: list[Any] = []
    try:
        handles = [_handle(value, messages) for value in args]
        return _pictures.frames(_pictures.read(picture, _pictures.SENT), tuple(handles))
    finally:
        for message in messages:
            zmsg.destroy(message)


def _handle(value: Any, messages: list[Any]) -> Any:
    """Return what a picture takes for an object; handles that are made for that are added to *messages*."""
    if isinstance(value, Message):
        message = zmsg.new()
        messages.append(message)
        for part in value.parts:
            zmsg.addmem(message, part)
        return message
    return value.handle if isinstance(value, Frame) else value


def part(value: Part, name: str = "data") -> Any:
    """Return what is sent for one frame: str is UTF-8, anything else has the buffer protocol, or is a Frame."""
    return _text.data(value.data if isinstance(value, Frame) else value, name)


def parts(values: Iterable[Part]) -> list[Any]:
    """Return what is sent for the frames of a message; a text or bytes alone is no list of frames."""
    if isinstance(values, (str, bytes, bytearray, memoryview, Frame)):
        raise TypeError(f"parts must be a list of frames, not {type(values).__name__}")
    return [part(value, "each of the parts") for value in values]


def dumps(value: Any) -> bytes:
    """Return a value as JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


loads = json.loads
