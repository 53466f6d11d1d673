"""Frame: one frame of a message, a block of bytes, as an object that owns it."""

from __future__ import annotations

import errno
import sys
from _thread import RLock
from itertools import repeat, takewhile

from .. import _blocking, _handles, _text, zframe, zmq
from .._numbers import integer
from ._base import Object, guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from builtins import bytes as Bytes
    from collections.abc import Callable
    from typing import Any, Union

    from typing_extensions import Self

    from .._types import Buffer, CData, Socket, Socketish, Text

    #: What a frame can be made of: str (as UTF-8), whatever has the buffer protocol, another frame.
    Part = Union[Text, Buffer, "Frame"]

#: What ZMTP says of a connection, and the names by which libzmq knows it: 4.3 has the identity under its old one.
_PROPERTIES = {
    "Socket-Type": ("Socket-Type",),
    "Routing-Id": ("Routing-Id", "Identity"),
    "User-Id": ("User-Id",),
    "Peer-Address": ("Peer-Address",),
}

#: Bytes that `repr` shows.
_SHOWN = 32

_new = Object.__new__
_new_cdata = zframe._new_cdata
_begun = _blocking._begun
_pins = _handles._pins
_buffer = zframe._buffer
_free = zframe._free
_memory = zframe._memory
_size = zframe._size
_zframe_send = zframe._zframe_send
_is_success = (0).__eq__
_REFERENCE = zframe._REFERENCE
_MORE = zframe.MORE
_REUSE = zframe.REUSE
_DONTWAIT = zframe.DONTWAIT
_SNDMORE = _blocking._SNDMORE

#: Handles that others may know of, by the identity of the frame that owns them. What became of a handle is found by a
#: weak reference to it, and PyPy would clear that before it calls `__del__`, if the frame alone kept the handle.
_shared: dict[int, CData] = {}

#: PyPy's garbage collector has to be told of memory that it does not see, or it would let frames pile up.
_add_memory_pressure: Callable[[int], object] | None = getattr(_handles, "_add_memory_pressure", None)


class Frame(Object):
    """A block of bytes: ``Frame("text")``, ``Frame(b"bytes")``, a copy of any other buffer or of another frame.

    ``Frame(frame=handle)`` takes over a ``zframe_t *`` of the namespace `zframe`, unless that is in a message.

        >>> frame = Frame("Hello")
        >>> frame == "Hello", len(frame), bytes(frame), str(frame)
        (True, 5, b'Hello', 'Hello')
        >>> frame.data[:1] = b"J"
        >>> frame
        <Frame 5 bytes b'Jello'>

    Text is UTF-8 with `surrogateescape`, both ways, so any bytes that come in as text go out unchanged. From Python
    3.12 on, and under PyPy, a frame has the buffer protocol itself; `data` is a view of it on every Python.

    A frame that was sent is gone: using it afterwards is a ValueError, as with a closed one. What is neither sent nor
    closed is freed by the garbage collector.
    """

    __slots__ = ("_known", "_sent")

    _noun = "frame"

    #: Flags for sending: further frames of the message will follow; the frame stays; do not wait.
    MORE = zframe.MORE
    REUSE = zframe.REUSE
    DONTWAIT = zframe.DONTWAIT

    def __init__(self, data: Part = b"", *, frame: Any = None) -> None:
        if frame is None:
            self._own(data._dup() if isinstance(data, Frame) else zframe.new(data))
        elif isinstance(data, bytes) and not data:
            self._share(zframe.standing(frame))
            self._own(frame, True)
        else:
            raise TypeError("data and frame must not both be given")

    @classmethod
    def _of(cls, handle: CData) -> Self:
        """Return the frame for a zframe that nobody else knows of."""
        frame = _new(cls)
        frame._own(handle)
        return frame

    def _own(self, handle: CData, known: bool = False) -> None:
        """Begin to own a zframe, which others may know of."""
        self._lock = RLock()
        self._known = known
        self._sent = False
        self._handle = handle
        if _add_memory_pressure is not None:
            _add_memory_pressure(_size(handle) + _handles._FRAME_OVERHEAD)

    @property
    def handle(self) -> Any:
        """The ``zframe_t *``, for the functions of the namespaces; an error once the frame is closed or sent.

        It stays the frame's own, until a function takes it over (``zframe.send``, ``zmsg.append``).
        """
        handle = super().handle
        self._share(handle)
        return handle

    #: The old name of `handle`.
    frame = handle

    def _share(self, handle: CData) -> None:
        """Look from now on at what became of the handle, before it is used or freed."""
        _shared[id(self)] = handle
        self._known = True

    def _sendable(self) -> Any:
        """Return the zframe, if it can be sent, else raise."""
        if self._handle is None:
            raise self._closed_error()
        return zframe.standing(self._handle) if self._known else self._handle

    def _destroy(self, handle: Any) -> None:
        # First, or what an interrupt cuts off would be freed twice.
        self._handle = None
        if not self._known:
            (zframe._release if _pins else _free)(handle)
        elif _handles.fate(handle) is None and not _handles.inside(handle):
            zframe.destroy(handle)

    def __del__(self, exiting: Callable[[], bool] = sys.is_finalizing) -> None:
        if exiting():
            # What is needed here may be gone already, as the memory will be.
            return
        try:
            handle, known = self._handle, self._known
        except AttributeError:
            # It was never made.
            return
        if handle is not None:
            self._destroy(handle)
        if known:
            _shared.pop(id(self), None)

    def _closed_error(self) -> Exception:
        fate = "was sent" if self._sent else _handles.fate(self._handle)
        return super()._closed_error() if fate is None else ValueError(f"the frame {fate}")

    # ---------------------------------------------------------------- content

    @guarded
    def bytes(self) -> Bytes:
        """Return a copy of the content."""
        handle = self._handle
        if self._known:
            _handles.live(handle, zframe._FRAME, "frame")
        content: Bytes = _buffer(_memory(handle), _size(handle))[:]
        return content

    __bytes__ = bytes

    def __str__(self) -> str:
        return _text.decode(self.bytes())

    @guarded
    def __len__(self) -> int:
        return zframe.size(self._handle)

    @property
    @guarded
    def data(self) -> memoryview:
        """The content as a memoryview, with no copy: writing to it changes the frame.

        The memory lives for as long as the view does, also when the frame is closed or sent meanwhile.
        """
        return memoryview(zframe.data(self._handle))

    def __buffer__(self, flags: int) -> memoryview:
        return self.data

    @guarded
    def strhex(self) -> str:
        """Return the content as hexadecimal digits, two a byte, in capitals."""
        return zframe.strhex(self._handle)

    def reset(self, data: Part) -> None:
        """Give the frame new content, of any size, which is copied; BufferError while a view of it is alive."""
        self._reset(data.bytes() if isinstance(data, Frame) else data)

    @guarded
    def _reset(self, data: Text | Buffer) -> None:
        zframe.reset(self._handle, data)

    def __eq__(self, other: object) -> bool:
        """Tell whether the content is the same as that of another frame, text (as UTF-8), or any buffer."""
        if isinstance(other, Frame):
            return self.bytes() == other.bytes()
        if isinstance(other, str):
            try:
                return self.bytes() == _text.encode(other)
            except UnicodeEncodeError:
                # No bytes come in as this text.
                return False
        try:
            view = memoryview(other)  # type: ignore[arg-type]
        except TypeError:
            return NotImplemented
        return self.bytes() == view.tobytes()

    __hash__ = None  # type: ignore[assignment]

    # ---------------------------------------------------------------- copies

    def dup(self) -> Self:
        """Return a new frame with the same content."""
        return self._of(self._dup())

    __copy__ = dup

    @guarded
    def _dup(self) -> CData:
        """Return a zframe with the same content."""
        handle = zframe.dup(self._handle)
        # C leaves that out.
        zframe.set_more(handle, zframe.more(self._handle))
        return handle

    def __deepcopy__(self, memo: object) -> Self:
        return self.dup()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.bytes(),), self.more()

    def __setstate__(self, more: int) -> None:
        self.set_more(more)

    # ---------------------------------------------------------------- what comes with the content

    @guarded
    def more(self) -> int:
        """Return 1 if further frames of the message follow, else 0: as received, or as `set_more` set it."""
        return zframe.more(self._handle)

    @guarded
    def set_more(self, val: int = 0) -> None:
        """Set what `more` returns. Sending does not look at it, but at the flag MORE."""
        zframe.set_more(self._handle, 1 if val else 0)

    @guarded
    def meta(self, name: Text) -> str | None:
        """Return a property of the connection that the frame came by, such as "Peer-Address", or None.

        These are the properties of ZMTP and those that an authenticator has set. Only what came over a network has any.
        """
        return zframe.meta(self._handle, name)

    @property
    def metadata(self) -> dict[str, str]:
        """Which of the properties "Socket-Type", "Routing-Id", "User-Id" and "Peer-Address" the connection has."""
        values = {name: self._meta(*names) for name, names in _PROPERTIES.items()}
        return {name: value for name, value in values.items() if value is not None}

    def _meta(self, *names: str) -> str | None:
        """Return the first of these properties that there is."""
        return next((value for value in map(self.meta, names) if value is not None), None)

    @property
    def socket_type(self) -> str | None:
        """The type of the socket that sent the frame, such as "DEALER"."""
        return self.meta("Socket-Type")

    @property
    def identity(self) -> str | None:
        """The identity (routing id) that the socket that sent the frame has set; "" if it could have."""
        return self._meta(*_PROPERTIES["Routing-Id"])

    @property
    def user_id(self) -> str | None:
        """Who sent the frame, as the authenticator says: the user name with PLAIN, the public key with CURVE."""
        return self.meta("User-Id")

    @property
    def peer_address(self) -> str | None:
        """The network address of the peer that the frame came from."""
        return self.meta("Peer-Address")

    @property
    @guarded
    def routing_id(self) -> int:
        """The routing id of the client that a SERVER socket received the frame from, or sends it to; 0 is none.

        AttributeError where the library is built without drafts.
        """
        return zframe.routing_id(self._handle)

    @routing_id.setter
    @guarded
    def routing_id(self, routing_id: int) -> None:
        zframe.set_routing_id(self._handle, integer(routing_id, "routing_id", 0, 2**32 - 1))

    @property
    @guarded
    def group(self) -> str | None:
        """The group that a DISH socket received the frame from, or a RADIO socket sends it to; "" is none.

        AttributeError where the library is built without drafts; ValueError for a name that is too long.
        """
        return zframe.group(self._handle)

    @group.setter
    @guarded
    def group(self, group: Text) -> None:
        if zframe.set_group(self._handle, group) != 0:
            raise ValueError(f"group is too long: {group!r}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._shown(True)}>"

    def _shown(self, with_size: bool = False) -> str:
        """Return the beginning of the content as `repr` shows it, or why there is none to show."""
        try:
            size, start = self._start()
        except ValueError:
            return "sent" if self._sent else "closed"
        except RuntimeError:
            return "in use in another thread"
        shown = f"{start!r}{'...' if size > len(start) else ''}"
        return f"{size} byte{'' if size == 1 else 's'} {shown}" if with_size else shown

    @guarded
    def _start(self) -> tuple[int, Bytes]:
        view = zframe.data(self._handle)
        return len(view), view[:_SHOWN]

    # ---------------------------------------------------------------- for sockets

    @classmethod
    def _recv_now(cls, sock: Socketish) -> Self | None:
        """Receive a frame without waiting; None, with libzmq's errno as it is, if there is none."""
        handle = zframe.recv_nowait(sock)
        return None if handle is None else cls._of(handle)

    @guarded
    def _send_now(self, sock: Socketish, flags: int = 0) -> int | None:
        """Send the frame without waiting; return 0, or None, with libzmq's errno as it is, if that cannot be."""
        socket = _handles.socket(sock)
        if socket is not sock and _handles.guarded and _handles.is_guarded(sock):
            from .. import _commands

            sent = _commands.send_now(sock, [zframe._bytes(self._sendable())], bool(flags & _MORE))
            if sent == 0 and not flags & _REUSE:
                self._destroy(self._handle)
                self._handle, self._sent = None, True
            return sent
        return send_now(socket, [self], flags)


def send_now(socket: Socket, frames: list[Frame], flags: int = 0) -> int | None:
    """Send frames, which this thread has locked, as one message, without waiting; return 0 and empty the list.

    *flags* are those of the last frame: MORE, or REUSE for a frame that is alone. None, with libzmq's errno as it is,
    if nothing can be sent: then the list is as it was, unless the context has ended in the middle of the message. What
    the handler of a signal raises comes out once the message is whole, or nothing of it was sent.
    """
    if len(frames) == 1 and not flags and not _begun and not _pins and not frames[0]._known:
        return _send_plain(socket, frames)
    taken = list(frames)
    handles = [frame._sendable() for frame in taken]
    count = len(handles)
    if len(set(handles)) < count:
        raise ValueError("a frame is in the message twice, but can be sent only once: put a copy of it there")
    sizes = list(map(_size, handles))
    if max(sizes) > _blocking.LONGEST_TOPIC:
        for handle, size in zip(handles, sizes):
            _blocking.refuse_topic(socket, _memory(handle), size)
    all_flags = [_MORE] * count
    all_flags[-1] = flags & ~_DONTWAIT
    # What has a view stays until that goes.
    viewed = [index for index in range(count) if _handles.pinned(handles[index])] if _pins else []
    for index in viewed:
        all_flags[index] |= _REUSE
    # What ends a message that was begun before need not wait, nor need the frames after the first: see
    # `_blocking.send_by`.
    if not (_begun and socket in _begun and _blocking.wait(socket, _blocking.POLLOUT, 0)):
        all_flags[0] |= _DONTWAIT
    references = list(map(_new_cdata, repeat(_REFERENCE), handles))
    sent: list[int] = []

    def send() -> None:
        # A signal's handler runs between two steps of Python's, and this is one: whatever the handler raises, it is
        # known how much was sent.
        start = len(sent)
        sent.extend(takewhile(_is_success, map(_zframe_send, references[start:], repeat(socket), all_flags[start:])))

    def settle() -> None:
        """Send what a signal kept C from sending, and note what is gone; done twice, it does no harm."""
        while 0 < len(sent) < count:
            send()
            if len(sent) < count and zmq.errno() != errno.EINTR:
                break
        done = 0 if flags & _REUSE else len(sent)
        for frame, handle in zip(taken[:done], handles):
            if frame._known:
                _handles.kill(handle, "was sent")
            frame._sent = True
        for frame, handle in zip(taken[done:], handles[done:]):
            frame._handle = handle
        while viewed:
            index = viewed.pop()
            if index < done:
                zframe._release(handles[index])
        frames[:] = taken[done:]
        if len(sent) == count and (_begun or flags & _MORE):
            _blocking.note_sent(socket, _SNDMORE if flags & _MORE else 0)

    try:
        try:
            # Until it is known what C has taken over: whatever cuts this off, nothing is freed twice.
            for frame in taken:
                frame._handle = None
            send()
        finally:
            settle()
    except BaseException:
        settle()
        raise
    return 0 if len(sent) == count else None


def _send_plain(socket: Socket, frames: list[Frame]) -> int | None:
    """Send one frame, as `send_now` does, where nothing is special."""
    frame = frames[0]
    handle = frame._sendable()
    size = _size(handle)
    if size > _blocking.LONGEST_TOPIC:
        _blocking.refuse_topic(socket, _memory(handle), size)
    reference = _new_cdata(_REFERENCE, handle)
    try:
        try:
            frame._handle = None
            _zframe_send(reference, socket, _DONTWAIT)
        finally:
            _settle_plain(reference, frames, frame, handle)
    except BaseException:
        _settle_plain(reference, frames, frame, handle)
        raise
    return None if frames else 0


def _settle_plain(reference: CData, frames: list[Frame], frame: Frame, handle: CData) -> None:
    """Note whether the frame is gone, as C's reference to it tells; done twice, it does no harm."""
    if reference[0]:
        frame._handle = handle
    else:
        frame._sent = True
        frames.clear()
