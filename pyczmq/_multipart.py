"""Messages of several frames as lists of bytes, sent and received whole: nothing can cut them in two."""

from __future__ import annotations

import errno
import sys
from functools import partial
from itertools import repeat, takewhile

from . import _blocking, _handles, zstr
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._types import CData, Socket, Socketish

_DONTWAIT = 1
_SNDMORE = 2
_RCVMORE = 13
_SIGNAL = 0x7766554433221100
_SIGNAL_SIZE = 8
_ACTOR = ffi.typeof("zactor_t *")
_POLLIN = _blocking.POLLIN
_POLLOUT = _blocking.POLLOUT

#: Bytes above which a received frame's memory is given back at once.
_BIG = 65536

_begun = _blocking._begun
_guarded = _handles.guarded
_buffer = ffi.buffer
_msg_data = C.zmq_msg_data
_msg_more = C.zmq_msg_more
_msg_recv = C.zmq_msg_recv
_msg_size = C.zmq_msg_size
_zmq_send = C.zmq_send
_LONG = _blocking.LONGEST_TOPIC
_is_success = (0).__le__


def send(sock: Socketish, handle: Socket, frames: Sequence[bytes | CData]) -> int:
    """Send a message, blocking as the socket's SNDTIMEO says; return 0, or -1 if it was not sent.

    *handle* is the libzmq socket of *sock*. A SERVER sends to the client that the zsock's routing id names.
    """
    sent = send_now(sock, handle, frames)
    if sent is None:
        sent = _blocking.until(partial(send_now, sock, handle, frames), handle, _POLLOUT)
    return -1 if sent is None else sent


def send_now(sock: Socketish, handle: Socket, frames: Sequence[bytes | CData]) -> int | None:
    """Send a message as `send` does, but without waiting; return 0, or None, with errno set, if that cannot be."""
    count = len(frames)
    if not count:
        return 0
    if handle is not sock and (_guarded or _handles._drafts is not False):
        if _handles.is_guarded(sock):
            from . import _commands

            return _commands.send_now(sock, frames)
        if zstr._is_server(sock):
            return _answer(sock, frames)
    if count == 1:
        data = frames[0]
        if not _begun and len(data) <= _LONG:
            return 0 if _zmq_send(handle, data, len(data), _DONTWAIT) >= 0 else None
        return 0 if _blocking.send(handle, data, _DONTWAIT) >= 0 else None
    sizes = list(map(len, frames))
    if max(sizes) > _LONG:
        for frame, size in zip(frames, sizes):
            _blocking.refuse_topic(handle, frame, size)
    # What is sent to end a message that was begun before need not wait: see `_blocking.send_by`.
    ends = bool(_begun) and handle in _begun and _blocking._poll(_blocking.pollitem(handle, _POLLOUT), 1, 0) > 0
    flags = [_SNDMORE if ends else _SNDMORE | _DONTWAIT, *[_SNDMORE] * (count - 2), 0]
    sent: list[int] = []
    whole = False
    try:
        # A signal's handler runs between two steps of Python's, and this is one: whatever the handler raises, it is
        # known how much was sent.
        sent.extend(takewhile(_is_success, map(_zmq_send, repeat(handle), frames, sizes, flags)))
    finally:
        if sent:
            whole = _send_rest(handle, frames, sizes, flags, len(sent))
    return 0 if whole else None


def _send_rest(handle: Socket, frames: Sequence[bytes | CData], sizes: list[int], flags: list[int], done: int) -> bool:
    """Send the frames that a signal kept C from sending; False if the context has ended before the message did."""
    for index in range(done, len(frames)):
        if _blocking.send_rest(partial(_zmq_send, handle, frames[index], sizes[index]), flags[index]) < 0:
            return False
    if _begun:
        _begun.discard(handle)
    return True


def _answer(sock: Socketish, frames: Sequence[bytes | CData]) -> int | None:
    """Send a message of one frame to the client that a SERVER zsock last received from; no other can be sent."""
    if len(frames) != 1:
        ffi.errno = errno.EINVAL
        return None
    frame = frames[0]
    return 0 if zstr._answer(sock, frame if isinstance(frame, bytes) else bytes(_buffer(frame))) == 0 else None


def recv(sock: Socketish, handle: Socket) -> list[bytes] | None:
    """Receive a message, blocking as the socket's RCVTIMEO says; None if none came, or the context has ended.

    *handle* is the libzmq socket of *sock*. A SERVER notes the client that the message came from in the zsock.
    """
    frames = recv_now(sock, handle)
    if frames is None:
        frames = _blocking.until(partial(recv_now, sock, handle), handle, _POLLIN)
    return frames


def recv_now(sock: Socketish, handle: Socket) -> list[bytes] | None:
    """Receive a message as `recv` does, but without waiting; None, with errno set, if there is none."""
    message = zstr._borrow()
    try:
        size = _receive(sock, handle, message)
        if size < 0:
            return None
        frames = []
        while True:
            more = _msg_more(message)
            frames.append(_buffer(_msg_data(message), size)[:] if size <= _BIG else _big(message))
            if not more:
                return frames
            # All of a message comes at once: this waits only where a signal has come in between.
            size = _msg_recv(message, handle, _DONTWAIT)
            if size < 0:
                size = _blocking.receive(message, handle)
                if size < 0:
                    return None
    except BaseException:
        drop_rest(handle)
        raise
    finally:
        zstr._messages.append(message)


def recv_first(sock: Socketish, handle: Socket) -> tuple[bytes, bool] | None:
    """Receive one frame of a message, blocking as `recv` does; return it, and whether more follow."""
    first = recv_first_now(sock, handle)
    if first is None:
        first = _blocking.until(partial(recv_first_now, sock, handle), handle, _POLLIN)
    return first


def recv_first_now(sock: Socketish, handle: Socket) -> tuple[bytes, bool] | None:
    """Receive one frame as `recv_first` does, but without waiting; None, with errno set, if there is none."""
    message = zstr._borrow()
    try:
        size = _receive(sock, handle, message)
        if size < 0:
            return None
        more = bool(_msg_more(message))
        return _buffer(_msg_data(message), size)[:] if size <= _BIG else _big(message), more
    except BaseException:
        drop_rest(handle)
        raise
    finally:
        zstr._messages.append(message)


def recv_frame_now(sock: Socketish, handle: Socket) -> bytes | None:
    """Receive the next frame, of the message that is being received or a new one; None, with errno set, if none."""
    message = zstr._borrow()
    try:
        size = _receive(sock, handle, message)
        if size < 0:
            return None
        return _buffer(_msg_data(message), size)[:] if size <= _BIG else _big(message)
    finally:
        zstr._messages.append(message)


def _receive(sock: Socketish, handle: Socket, message: CData) -> int:
    """Receive a frame, and note the client that a SERVER has it from; return its size, -1 if there is none."""
    size: int = _msg_recv(message, handle, _DONTWAIT)
    if size >= 0 and handle is not sock and _handles._drafts is not False and zstr._is_server(sock):
        C.zsock_set_routing_id(sock, C.zmq_msg_routing_id(message))
    return size


def _big(message: CData) -> bytes:
    """Return the content of a big message, whose size zmq_msg_recv may not have told."""
    try:
        return _buffer(_msg_data(message), _msg_size(message))[:]  # type: ignore[no-any-return]
    finally:
        C.zmq_msg_close(message)
        C.zmq_msg_init(message)


def drop_rest(handle: Socket) -> None:
    """Receive and drop the frames that are left of a message that was received in part."""
    more, size = ffi.new("int *"), ffi.new("size_t *", 4)
    message = ffi.new("zmq_msg_t *")
    C.zmq_msg_init(message)
    while C.zmq_getsockopt(handle, _RCVMORE, more, size) == 0 and more[0]:
        if _msg_recv(message, handle, _DONTWAIT) < 0 and ffi.errno != errno.EINTR:
            break
    C.zmq_msg_close(message)


def is_signal(frame: bytes) -> bool:
    """Tell whether a message of one frame is a signal, as `zsock_signal` sends it."""
    return len(frame) == _SIGNAL_SIZE and int.from_bytes(frame, sys.byteorder) & ~0xFF == _SIGNAL


def signal_frame(status: int) -> bytes:
    """Return the one frame of a signal with a status from 0 to 255."""
    return (_SIGNAL + integer(status, "status", 0, 255)).to_bytes(_SIGNAL_SIZE, sys.byteorder)


def status(frame: bytes) -> int:
    """Return the status of the signal that a frame is."""
    return frame[0 if sys.byteorder == "little" else -1]


def signal(sock: Socketish, handle: Socket, status: int) -> int:
    """Send a signal; return 0, or -1."""
    return send(sock, handle, [signal_frame(status)])


def wait(sock: Socketish, handle: Socket) -> int:
    """Receive messages until there is a signal, and return its status; -1 if none came.

    Where it is the last of an actor whose task has raised, that exception is raised.
    """
    while True:
        frames = recv(sock, handle)
        if frames is None:
            return -1
        if len(frames) == 1 and is_signal(frames[0]):
            if ffi.typeof(sock) is _ACTOR:
                from . import _actors

                _actors.raise_error(sock)
            return status(frames[0])
