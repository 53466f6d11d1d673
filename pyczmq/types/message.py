"""Message: a message of several frames, as a mutable sequence of `Frame` objects."""

from __future__ import annotations

from _thread import RLock
from collections.abc import MutableSequence
from itertools import repeat, takewhile

from .. import _handles, _multipart, _text, _zmsg_formats, zframe, zmsg
from .._numbers import integer
from ._base import Object, guarded
from .frame import Frame, send_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, NoReturn, SupportsIndex, overload

    from typing_extensions import Self

    from .._types import Buffer, Socket, Socketish
    from .frame import Part

#: Frames that `repr` shows.
_SHOWN = 8

_new = Object.__new__
_socket = _handles.socket
_recv_nowait = zframe._recv_nowait
_more = zframe.more


class Message(Object, MutableSequence[Frame]):
    """A message: a list of frames. Text and buffers that are put into it become `Frame` objects.

    ``Message(["text", b"bytes", frame])`` makes one of any iterable; ``Message(msg=handle)`` takes over a ``zmsg_t *``
    of the namespace `zmsg` with its frames.

        >>> message = Message(["address", b""])
        >>> message.append("body")
        0
        >>> message
        <Message of 3 frames: b'address', b'', b'body'>
        >>> message == ["address", "", "body"], message[-1] == "body"
        (True, True)
        >>> message.pop()
        <Frame 7 bytes b'address'>

    `pop` takes out the *first* frame if it is not told which: that is where CZMQ's ``zmsg_pop`` takes frames from.

    As in any list, a frame is put in as it is: it may be in several messages, and a slice has the same frames. But a
    frame is sent once, and gone then. What is to be sent twice is put in as a copy (`Frame.dup`, or `copy` for all of a
    message).

    Sending a message empties it, and it can be filled anew. Closing it closes its frames, and it cannot be used any
    more.
    """

    __slots__ = ("_next", "_routing_id")

    _noun = "message"

    # Where other objects have a handle of C's, this one has its list.
    _handle: list[Frame]

    def __init__(self, parts: Iterable[Part] = (), *, msg: Any = None) -> None:
        if msg is None and isinstance(parts, _handles._CDATA):
            parts, msg = (), parts
        if msg is None:
            self._own(_frames(parts))
        elif parts == ():
            self._own([])
            self._take_over(msg)
        else:
            raise TypeError("parts and msg must not both be given")

    def _own(self, frames: list[Frame]) -> None:
        """Begin with these frames; the list is nobody else's."""
        self._lock = RLock()
        self._next = self._routing_id = 0
        self._handle = frames

    def _take_over(self, msg: Any) -> None:
        """Move the frames of a zmsg to the end of this message, and destroy the zmsg."""
        _handles.live(msg, zmsg._MSG, "msg")
        if _handles.drafts():
            self._routing_id = zmsg.routing_id(msg)
        while True:
            handle = zmsg.pop(msg)
            if handle is None:
                break
            self._handle.append(Frame(frame=handle))
        zmsg.destroy(msg)

    @property
    def handle(self) -> NoReturn:
        """A message has none: its frames do."""
        raise AttributeError("a Message has no handle: its frames have")

    @guarded
    def __enter__(self) -> Self:
        return self

    def _destroy(self, handle: list[Frame]) -> None:
        for frame in handle:
            frame.close()

    # ---------------------------------------------------------------- a mutable sequence

    @guarded
    def __len__(self) -> int:
        return len(self._handle)

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, index: SupportsIndex) -> Frame: ...
        @overload
        def __getitem__(self, index: slice) -> Self: ...

    @guarded
    def __getitem__(self, index: SupportsIndex | slice) -> Frame | Self:
        """Return a frame, or a message of the same frames for a slice."""
        found = self._handle[index]
        return found if isinstance(found, Frame) else self._like(found)

    if TYPE_CHECKING:

        @overload
        def __setitem__(self, index: SupportsIndex, value: Part) -> None: ...
        @overload
        def __setitem__(self, index: slice, value: Iterable[Part]) -> None: ...

    def __setitem__(self, index: Any, value: Any) -> None:
        self._set(index, _frames(value) if isinstance(index, slice) else _frame(value))

    @guarded
    def _set(self, index: Any, value: Any) -> None:
        self._handle[index] = value
        self._next = 0

    @guarded
    def __delitem__(self, index: SupportsIndex | slice) -> None:
        del self._handle[index]
        self._next = 0

    @guarded
    def __iter__(self) -> Iterator[Frame]:
        return iter(self._handle)

    def insert(self, index: SupportsIndex, value: Part) -> None:
        """Put a frame before the one at *index*."""
        self._insert(index, _frame(value))

    @guarded
    def _insert(self, index: SupportsIndex, frame: Frame) -> None:
        self._handle.insert(index, frame)
        self._next = 0

    def append(self, value: Part) -> int:  # type: ignore[override]
        """Put a frame behind all others; return 0, as CZMQ does."""
        self._extend([_frame(value)])
        return 0

    def push(self, value: Part) -> int:
        """Put a frame before all others; return 0, as CZMQ does."""
        self._insert(0, _frame(value))
        return 0

    def extend(self, values: Iterable[Part]) -> None:
        """Put frames behind all others: all of them, or none if one cannot be a frame."""
        self._extend(_frames(values))

    @guarded
    def _extend(self, frames: list[Frame]) -> None:
        self._handle.extend(frames)
        self._next = 0

    @guarded
    def pop(self, index: SupportsIndex = 0) -> Frame:
        """Take out a frame and return it: the FIRST one by default, unlike a list's; IndexError if there is none.

        C: ``zframe_t *zmsg_pop (zmsg_t *self)``
        """
        frame = self._handle.pop(index)
        self._next = 0
        return frame

    @guarded
    def popstr(self) -> str | None:
        """Take out the first frame and return its content as text; None if there is none."""
        frames = self._handle
        if not frames:
            return None
        self._next = 0
        return _text.decode(frames.pop(0).bytes())

    @guarded
    def clear(self) -> None:
        """Take out all frames; those that are nowhere else are freed."""
        self._handle.clear()
        self._next = 0

    @guarded
    def reverse(self) -> None:
        """Turn the order of the frames round."""
        self._handle.reverse()
        self._next = 0

    @guarded
    def __eq__(self, other: object) -> bool:
        """Tell whether the contents are the same as those of another message, or of a list or tuple of parts."""
        if isinstance(other, (Message, list, tuple)):
            return self._handle == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    # ---------------------------------------------------------------- content

    @property
    @guarded
    def parts(self) -> list[bytes]:
        """Copies of the frames' contents."""
        return [frame.bytes() for frame in self._handle]

    @guarded
    def content_size(self) -> int:
        """Return the number of bytes in all frames."""
        return sum(map(len, self._handle))

    @guarded
    def dup(self) -> Self:
        """Return a new message with copies of the frames."""
        message = self._like([frame.dup() for frame in self._handle])
        message._routing_id = self._routing_id
        return message

    copy = dup
    __copy__ = dup

    def __deepcopy__(self, memo: object) -> Self:
        return self.dup()

    @guarded
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self._handle),)

    def _like(self, frames: list[Frame]) -> Self:
        message = _new(type(self))
        message._own(frames)
        return message

    # ---------------------------------------------------------------- the place that CZMQ's messages remember

    @guarded
    def first(self) -> Frame | None:
        """Return the first frame, and go on with the second at `next`; None if there is none."""
        self._next = 0
        return self._advance()

    @guarded
    def next(self) -> Frame | None:
        """Return the next frame: the first one at first, and None, once, behind the last.

        `first` and `last` move the place, and whatever changes the message sets it to the beginning.
        """
        return self._advance()

    @guarded
    def last(self) -> Frame | None:
        """Return the last frame, behind which `next` finds nothing; None if there is none."""
        self._next = max(0, len(self._handle) - 1)
        return self._advance()

    def _advance(self) -> Frame | None:
        if self._next < len(self._handle):
            self._next += 1
            return self._handle[self._next - 1]
        self._next = 0
        return None

    # ---------------------------------------------------------------- files and buffers

    def save(self, filename: Any) -> None:
        """Write the message to a file in CZMQ's format, for `load`: a path, or a Python file opened for writing bytes.

        C: ``int zmsg_save (zmsg_t *self, FILE *file)``
        """
        _zmsg_formats.save(self.parts, filename)

    def load(self, filename: Any) -> None:
        """Replace the frames by those in a file that `save` wrote: a path, or a Python file opened for reading bytes.

        Raises ValueError, and leaves the message as it is, if the file is cut off or no such file at all.

        C: ``zmsg_t *zmsg_load (FILE *file)``
        """
        parts = _zmsg_formats.load(filename)
        if parts is None:
            raise ValueError(f"there is no whole message in {filename!r}")
        self[:] = parts

    @classmethod
    def read(cls, filename: Any) -> Self:
        """Return the message in a file that `save` wrote, as `load` does."""
        message = cls()
        message.load(filename)
        return message

    def encode(self) -> bytes:
        """Return the message as a block of bytes, for `decode`; ValueError for a frame of 4 GiB or more.

        C: ``zframe_t *zmsg_encode (zmsg_t *self)``
        """
        parts = self.parts
        message = zmsg.new()
        try:
            for part in parts:
                zmsg.addmem(message, part)
            return Frame(frame=zmsg.encode(message)).bytes()
        finally:
            zmsg.destroy(message)

    @classmethod
    def decode(cls, buffer: Buffer | Frame) -> Self:
        """Return the message that was encoded into a buffer or frame; ValueError for what is no encoded message.

        C: ``zmsg_t *zmsg_decode (zframe_t *frame)``
        """
        if isinstance(buffer, str):
            raise TypeError("buffer must be bytes-like or a Frame, not str")
        decoded = zmsg.decode(buffer.bytes() if isinstance(buffer, Frame) else buffer)
        if decoded is None:
            raise ValueError("buffer is no encoded message")
        return cls(msg=decoded)

    # ---------------------------------------------------------------- draft

    @property
    @guarded
    def routing_id(self) -> int:
        """The routing id of the client that a SERVER socket received the message from, or sends it to.

        0 leaves that to the frame's own. AttributeError where the library is built without drafts.
        """
        _need_drafts()
        return self._routing_id

    @routing_id.setter
    @guarded
    def routing_id(self, routing_id: int) -> None:
        _need_drafts()
        self._routing_id = integer(routing_id, "routing_id", 0, 2**32 - 1)

    def __repr__(self) -> str:
        name = type(self).__name__
        try:
            frames = list(self)
        except ValueError:
            return f"<{name} closed>"
        except RuntimeError:
            return f"<{name} in use in another thread>"
        shown = [frame._shown() for frame in frames[:_SHOWN]]
        if len(frames) > _SHOWN:
            shown.append("...")
        count = f"{len(frames)} frame{'' if len(frames) == 1 else 's'}"
        return f"<{name} of {count}{': ' if shown else ''}{', '.join(shown)}>"

    # ---------------------------------------------------------------- for sockets

    @classmethod
    def _recv_now(cls, sock: Socketish) -> Self | None:
        """Receive a message without waiting; None, with libzmq's errno as it is, if there is none."""
        socket = _socket(sock)
        drafts = _handles._drafts is not False and _handles.drafts()
        try:
            handle = _recv_nowait(socket)
            if not handle:
                return None
            message = _new(cls)
            message._own([Frame._of(handle)])
            if _more(handle) and not _recv_rest(socket, message._handle):
                return None
            if drafts:
                message._routing_id = zframe.routing_id(handle)
            return message
        except BaseException:
            _multipart.drop_rest(socket)
            raise

    @guarded
    def _send_now(self, sock: Socketish) -> int | None:
        """Send the message, whole or not at all, without waiting; return 0, and it is empty then.

        None, with libzmq's errno as it is, if that cannot be: then the message is as it was, unless the context has
        ended in the middle of it.
        """
        frames = self._handle
        if not frames:
            return 0
        socket = _socket(sock)
        if socket is not sock and _handles.guarded and _handles.is_guarded(sock):
            from .. import _commands

            sent = _commands.send_now(sock, self.parts)
            if sent == 0:
                self.clear()
            return sent
        self._next = 0
        locks = [frame._lock for frame in frames]
        locked: list[bool] = []
        try:
            locked.extend(takewhile(bool, map(RLock.acquire, locks, repeat(False))))
            if len(locked) < len(locks):
                raise frames[len(locked)]._in_use()
            if self._routing_id:
                for frame in frames:
                    zframe.set_routing_id(frame._sendable(), self._routing_id)
            return send_now(socket, frames)
        finally:
            list(map(RLock.release, locks[: len(locked)]))


def _frame(value: Part) -> Frame:
    """Return what is put in for one frame."""
    if isinstance(value, Frame):
        return value
    return Frame(frame=value) if isinstance(value, _handles._CDATA) else Frame(value)


def _frames(values: Iterable[Part]) -> list[Frame]:
    """Return what is put in for several frames; a text or bytes alone is none."""
    if isinstance(values, (str, bytes, bytearray, memoryview, Frame)):
        raise TypeError(f"one {type(values).__name__} is no list of frames: put it in a list")
    try:
        values = iter(values)
    except TypeError:
        raise TypeError(f"frames must come in a list or another iterable, not {type(values).__name__}") from None
    return [_frame(value) for value in values]


def _need_drafts() -> None:
    if not _handles.drafts():
        raise AttributeError("a message has a routing id only where the libraries are built with drafts")


def _recv_rest(socket: Socket, frames: list[Frame]) -> bool:
    """Receive the frames that are left of a message; False if its socket's context has ended before."""
    while True:
        # All of a message comes at once: this waits only where a signal has come in between.
        handle = _recv_nowait(socket) or zframe.recv(socket)
        if handle is None:
            return False
        frames.append(Frame._of(handle))
        if not _more(handle):
            return True
