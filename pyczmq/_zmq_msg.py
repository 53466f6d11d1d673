"""The messages of libzmq, ``zmq_msg_t``: the part of `pyczmq.zmq` that makes, reads and moves them.

libzmq marks a message that is initialised inside the message itself, and clears the mark when the message is closed.
So a message is refused, where C would free garbage, whether the raw floor or this one made or closed it.
"""

from __future__ import annotations

import errno

from . import _blocking, _handles, _text
from ._cffi import C, ffi
from ._numbers import integer
from ._zmq_pointers import socket as _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, overload

    from ._types import Buffer, CData, Socket, Socketish, Text, ZmqMsg

__all__ = [
    "msg_init",
    "msg_init_size",
    "msg_init_data",
    "msg_send",
    "msg_recv",
    "msg_close",
    "msg_move",
    "msg_copy",
    "msg_data",
    "msg_size",
    "msg_more",
    "msg_get",
    "msg_set",
    "msg_gets",
    "sendmsg",
    "recvmsg",
    "sendiov",
    "recviov",
    "msg_set_routing_id",
    "msg_routing_id",
    "msg_set_group",
    "msg_group",
    "msg_init_buffer",
]

_MSG = ffi.typeof("zmq_msg_t *")
_FREE = ffi.typeof("zmq_free_fn *")
_DONTWAIT = 1
_SNDMORE = 2
_LONGEST_GROUP = 255
_MOST = 2**63 - 1
_INT_MAX = 2**31 - 1
_new = ffi.new
_close = C.zmq_msg_close
_msg_send = C.zmq_msg_send


def _find_mark() -> int:
    """Return where in a message its type is: the one byte of a fresh message that is not zero."""
    message = _new(_MSG)
    C.zmq_msg_init(message)
    return bytes(ffi.buffer(message)).rindex(max(bytes(ffi.buffer(message))))


_MARK = _find_mark()


def _is_initialised(msg: Any, mark: int = _MARK) -> bool:
    return bool(msg._[mark])


def _live(msg: ZmqMsg, name: str = "msg") -> ZmqMsg:
    """Return a message that is initialised; raise for one that is not, or that was closed."""
    if not _is_initialised(_handles.live(msg, _MSG, name)):
        raise ValueError(f"{name} is not initialised, or was closed")
    return msg


def _drop(msg: ZmqMsg, is_initialised: Any = _is_initialised, close: Any = _close) -> None:
    """Close a message that nobody refers to any more, be it after the end of this module."""
    if is_initialised(msg):
        close(msg)


def _made(msg: ZmqMsg | None, rc: int, fresh: ZmqMsg) -> ZmqMsg | int | None:
    """Return what a function that initialises returns: the fresh message, or C's code where *msg* was given."""
    if rc != 0:
        # libzmq leaves its mark in a message for which there is no memory.
        ffi.memmove(fresh, bytes(ffi.sizeof("zmq_msg_t")), ffi.sizeof("zmq_msg_t"))
    if msg is None:
        return fresh if rc == 0 else None
    return rc


def _fresh(msg: ZmqMsg | None) -> ZmqMsg:
    """Return memory to initialise: that of *msg*, closed first if it was in use, or what the garbage collector owns."""
    if msg is None:
        return ffi.gc(_new(_MSG), _drop)  # type: ignore[no-any-return]
    _handles.live(msg, _MSG, "msg")
    _drop(msg)
    return msg


if TYPE_CHECKING:

    @overload
    def msg_init() -> ZmqMsg: ...
    @overload
    def msg_init(msg: ZmqMsg) -> int: ...


def msg_init(msg: ZmqMsg | None = None) -> ZmqMsg | int | None:
    """Return a new message of no bytes, which is closed by `msg_close` or by the garbage collector.

    As in C, a message that was made with ``ffi.new("zmq_msg_t *")`` can be given, and 0 comes back. Whoever made it
    closes it.

    C: ``int zmq_msg_init (zmq_msg_t *msg)``
    """
    fresh = _fresh(msg)
    return _made(msg, C.zmq_msg_init(fresh), fresh)


if TYPE_CHECKING:

    @overload
    def msg_init_size(size: int, /) -> ZmqMsg | None: ...
    @overload
    def msg_init_size(msg: ZmqMsg, size: int, /) -> int: ...


def msg_init_size(*args: Any) -> ZmqMsg | int | None:
    """Return a new message of *size* bytes, whatever they are, to be written through `msg_data`; None without memory.

    As in C, a message to initialise can be given before the size, and 0 or -1 comes back.

    C: ``int zmq_msg_init_size (zmq_msg_t *msg, size_t size)``
    """
    msg, size = _split(args, "msg_init_size", "size")
    size = integer(size, "size", 0, _MOST)
    fresh = _fresh(msg)
    return _made(msg, C.zmq_msg_init_size(fresh, size), fresh)


if TYPE_CHECKING:

    @overload
    def msg_init_data(data: Text | Buffer, /) -> ZmqMsg | None: ...
    @overload
    def msg_init_data(msg: ZmqMsg, data: Text | Buffer, /) -> int: ...
    @overload
    def msg_init_data(msg: ZmqMsg, data: CData, size: int, ffn: CData | None, hint: CData | None, /) -> int: ...


def msg_init_data(*args: Any) -> ZmqMsg | int | None:
    """Return a new message with a copy of *data*, as `msg_init_buffer` does: ``msg_init_data(data)``.

    C would not copy: it would use memory that Python may free or move. To have that all the same, call as in C:
    ``msg_init_data(msg, data, size, ffn, hint)``, with *data* and *ffn* pointers of cffi. C then reads *size* bytes at
    *data* until it calls *ffn* with *data* and *hint*, on a thread of its own; returns 0 or -1. With None as *ffn* the
    bytes are copied.

    C: ``int zmq_msg_init_data (zmq_msg_t *msg, void *data, size_t size, zmq_free_fn *ffn, void *hint)``
    """
    if len(args) != 5:
        msg, data = _split(args, "msg_init_data", "data")
        return _copied(msg, _text.data(data))
    msg, pointer, count, ffn, hint = args
    size = integer(count, "size", 0, _MOST)
    if not isinstance(pointer, ffi.CData) or not pointer:
        raise TypeError("data must be a pointer of cffi that is not NULL")
    target = _fresh(msg)
    if ffn is None or ffn == ffi.NULL:
        return _copied(target, ffi.buffer(ffi.cast("char *", pointer), size)[:])
    if not isinstance(ffn, ffi.CData) or ffi.typeof(ffn) is not _FREE:
        raise TypeError("ffn must be None or a pointer to a C function of the type zmq_free_fn")
    return _made(target, C.zmq_msg_init_data(target, pointer, size, ffn, ffi.NULL if hint is None else hint), target)


def _split(args: tuple[Any, ...], function: str, name: str) -> tuple[ZmqMsg | None, Any]:
    """Tell ``(value)`` from C's ``(msg, value)``."""
    if len(args) == 1:
        return None, args[0]
    if len(args) == 2:
        return args[0], args[1]
    raise TypeError(f"zmq.{function} takes {name}, or msg and {name}")


def _copied(msg: ZmqMsg | None, content: bytes | CData) -> ZmqMsg | int | None:
    """Initialise a message with a copy of *content*."""
    fresh = _fresh(msg)
    rc = C.zmq_msg_init_size(fresh, len(content))
    if rc == 0:
        ffi.memmove(C.zmq_msg_data(fresh), content, len(content))
    return _made(msg, rc, fresh)


def msg_send(msg: ZmqMsg, socket: Socketish, flags: int = 0) -> int:
    """Send a message as one frame; return its size, or -1 if it could not be sent within the socket's SNDTIMEO.

    *flags* are zmq.SNDMORE (more frames of the message will follow) and zmq.DONTWAIT. What was sent is C's: the
    message is an empty one after that, which can be used again. After -1 it is as it was.

    C: ``int zmq_msg_send (zmq_msg_t *msg, void *socket, int flags)``
    """
    _live(msg)
    handle = _socket(socket)
    size = C.zmq_msg_size(msg)
    if handle is not socket and _handles.guarded and _handles.is_guarded(socket):
        sent = command(socket, ffi.buffer(C.zmq_msg_data(msg), size)[:], integer(flags, "flags"))
        if sent >= 0:
            C.zmq_msg_close(msg)
            C.zmq_msg_init(msg)
        return sent
    if size > _blocking.LONGEST_TOPIC:
        _blocking.refuse_topic(handle, C.zmq_msg_data(msg), size)
    sent = _blocking.send_by(lambda zmq_flags: _msg_send(msg, handle, zmq_flags), handle, integer(flags, "flags"))
    # C returns an int.
    return size if sent >= 0 else sent


def command(dest: Socketish, content: bytes | CData, flags: int) -> int:
    """Send a frame to one of C's own actors, whose commands are vetted; return its size, or -1."""
    from . import _commands

    send = _commands.send_now if flags & _DONTWAIT else _commands.send
    return len(content) if send(dest, [content], bool(flags & _SNDMORE)) == 0 else -1


def msg_recv(msg: ZmqMsg, socket: Socketish, flags: int = 0) -> int:
    """Receive one frame into a message; return its size, or -1 if there is none within the socket's RCVTIMEO.

    What was in the message is freed. *flags* may be zmq.DONTWAIT.

    C: ``int zmq_msg_recv (zmq_msg_t *msg, void *socket, int flags)``
    """
    received = receive(_live(msg), _socket(socket), integer(flags, "flags"))
    # C returns an int.
    return received if received < _INT_MAX else C.zmq_msg_size(msg)


def receive(msg: ZmqMsg, handle: Socket, flags: int) -> int:
    """Receive one frame into a message, waiting unless the flags say not to; return its size as C does, or -1."""
    if flags & _DONTWAIT:
        return C.zmq_msg_recv(msg, handle, flags)
    return _blocking.receive(msg, handle)


def msg_close(msg: ZmqMsg) -> int:
    """Free what is in a message, which must be initialised again before it is used; return 0.

    Views of its data stay valid.

    C: ``int zmq_msg_close (zmq_msg_t *msg)``
    """
    return _close(_live(msg))


def msg_move(dest: ZmqMsg, src: ZmqMsg) -> int:
    """Move what is in *src* to *dest*, and leave *src* empty; return 0.

    C: ``int zmq_msg_move (zmq_msg_t *dest, zmq_msg_t *src)``
    """
    return C.zmq_msg_move(*_two(dest, src))


def msg_copy(dest: ZmqMsg, src: ZmqMsg) -> int:
    """Make *dest* a copy of *src*; return 0.

    The content of long messages is not copied but shared: to write to one of them is to change both.

    C: ``int zmq_msg_copy (zmq_msg_t *dest, zmq_msg_t *src)``
    """
    return C.zmq_msg_copy(*_two(dest, src))


def _two(dest: ZmqMsg, src: ZmqMsg) -> tuple[ZmqMsg, ZmqMsg]:
    if _live(dest, "dest") == _live(src, "src"):
        raise ValueError("dest and src are the same message")
    return dest, src


def msg_data(msg: ZmqMsg) -> ffi.buffer:
    """Return a writable view of a message's bytes, with no copy: ``zmq.msg_data(msg)[:] = b"Hello"``.

    The view stays valid memory whatever becomes of the message; what it shows is the message's content until the
    message is sent, closed or received into. Do not write to it after that.

    C: ``void *zmq_msg_data (zmq_msg_t *msg)``
    """
    # A second message keeps the bytes for as long as the view lives: the buffer keeps `start`, which keeps `keeper`.
    keeper = _new(_MSG)
    C.zmq_msg_init(keeper)
    C.zmq_msg_copy(keeper, _live(msg))
    inside = (keeper, msg)
    start = ffi.gc(C.zmq_msg_data(msg), lambda _, close=_close: close(inside[0]))
    return ffi.buffer(start, C.zmq_msg_size(msg))


def msg_size(msg: ZmqMsg) -> int:
    """Return the number of bytes in a message.

    C: ``size_t zmq_msg_size (const zmq_msg_t *msg)``
    """
    return C.zmq_msg_size(_live(msg))


def msg_more(msg: ZmqMsg) -> int:
    """Return 1 if the message is a frame after which others of the same message follow, else 0.

    C: ``int zmq_msg_more (const zmq_msg_t *msg)``
    """
    return C.zmq_msg_more(_live(msg))


def msg_get(msg: ZmqMsg, property: int) -> int:
    """Return a property of a message: zmq.MORE, zmq.SHARED, or zmq.SRCFD; -1 for any other.

    SHARED is 1 for a message that shares its content with another, such as a view of its data does. SRCFD is the file
    descriptor that a received message came by; -1 where there is none.

    C: ``int zmq_msg_get (const zmq_msg_t *msg, int property)``
    """
    return C.zmq_msg_get(_live(msg), property)


def msg_set(msg: ZmqMsg, property: int, optval: int) -> int:
    """Set a property of a message; libzmq has none that can be set, so this returns -1.

    C: ``int zmq_msg_set (zmq_msg_t *msg, int property, int optval)``
    """
    return C.zmq_msg_set(_live(msg), property, optval)


def msg_gets(msg: ZmqMsg, property: Text) -> str | None:
    """Return a property of a received message's connection, such as "Peer-Address", "User-Id" or "Socket-Type".

    Returns None for what there is not.

    C: ``const char *zmq_msg_gets (const zmq_msg_t *msg, const char *property)``
    """
    return _text.string(C.zmq_msg_gets(_live(msg), _text.cstring(property, "property")))


def sendmsg(socket: Socketish, msg: ZmqMsg, flags: int = 0) -> int:
    """Send a message, as `msg_send` does. Deprecated.

    C: ``int zmq_sendmsg (void *socket, zmq_msg_t *msg, int flags)``
    """
    return msg_send(msg, socket, flags)


def recvmsg(socket: Socketish, msg: ZmqMsg, flags: int = 0) -> int:
    """Receive a message, as `msg_recv` does. Deprecated.

    C: ``int zmq_recvmsg (void *socket, zmq_msg_t *msg, int flags)``
    """
    return msg_recv(msg, socket, flags)


def sendiov(socket: Socketish, buffers: Iterable[Text | Buffer], flags: int = 0) -> int:
    """Send several frames, with zmq.SNDMORE among the *flags* as one message, else as a message each.

    Returns the size of the last one, or -1 if not all could be sent, or if there are none. Deprecated.

    C: ``int zmq_sendiov (void *socket, struct iovec *iov, size_t count, int flags)``
    """
    handle = _socket(socket)
    flags = integer(flags, "flags")
    frames = [_text.data(buffer, "a buffer") for buffer in buffers]
    if flags & _SNDMORE and frames and not (_handles.guarded and _handles.is_guarded(socket)):
        from . import _multipart

        send_all = _multipart.send_now if flags & _DONTWAIT else _multipart.send
        return len(frames[-1]) if send_all(handle, handle, frames) == 0 else -1
    ffi.errno = errno.EINVAL
    size = -1
    for left, frame in zip(range(len(frames) - 1, -1, -1), frames):
        size = _send_frame(socket, handle, frame, flags if left else flags & ~_SNDMORE)
        if size < 0:
            break
    return size


def _send_frame(socket: Socketish, handle: Socket, frame: bytes | CData, flags: int) -> int:
    if handle is not socket and _handles.guarded and _handles.is_guarded(socket):
        return command(socket, frame, flags)
    return _blocking.send(handle, frame, flags)


def recviov(socket: Socketish, count: int, flags: int = 0) -> list[bytes] | None:
    """Receive up to *count* frames of one message as a list of bytes.

    None if there was no message before the socket's RCVTIMEO has passed. Deprecated.

    C: ``int zmq_recviov (void *socket, struct iovec *iov, size_t *count, int flags)``
    """
    handle = _socket(socket)
    flags = integer(flags, "flags")
    message = msg_init()
    frames: list[bytes] = []
    for _ in range(integer(count, "count", 1)):
        if receive(message, handle, flags) < 0:
            return None
        frames.append(ffi.buffer(C.zmq_msg_data(message), C.zmq_msg_size(message))[:])
        if not C.zmq_msg_more(message):
            break
    return frames


def msg_set_routing_id(msg: ZmqMsg, routing_id: int) -> int:
    """Set the peer that a message for a SERVER socket goes to, an int above 0; return 0, or -1 for 0. Draft.

    C: ``int zmq_msg_set_routing_id (zmq_msg_t *msg, uint32_t routing_id)``
    """
    return C.zmq_msg_set_routing_id(_live(msg), routing_id)


def msg_routing_id(msg: ZmqMsg) -> int:
    """Return the peer that a message came from, if a SERVER socket received it; else 0. Draft.

    C: ``uint32_t zmq_msg_routing_id (zmq_msg_t *msg)``
    """
    return C.zmq_msg_routing_id(_live(msg))


def msg_set_group(msg: ZmqMsg, group: Text) -> int:
    """Set the group that a message of a RADIO socket goes to; return 0, or -1 for a name of more than 255 bytes. Draft.

    C: ``int zmq_msg_set_group (zmq_msg_t *msg, const char *group)``
    """
    name = _text.cstring(group, "group")
    if len(name) > _LONGEST_GROUP:
        # C would cut it.
        ffi.errno = errno.EINVAL
        return -1
    return C.zmq_msg_set_group(_live(msg), name)


def msg_group(msg: ZmqMsg) -> str | None:
    """Return the group of a message, the empty string where it has none. Draft.

    C: ``const char *zmq_msg_group (zmq_msg_t *msg)``
    """
    return _text.string(C.zmq_msg_group(_live(msg)))


if TYPE_CHECKING:

    @overload
    def msg_init_buffer(data: Text | Buffer, /) -> ZmqMsg | None: ...
    @overload
    def msg_init_buffer(msg: ZmqMsg, data: Text | Buffer, /) -> int: ...


def msg_init_buffer(*args: Any) -> ZmqMsg | int | None:
    """Return a new message with a copy of *data*: anything with the buffer protocol, or str, as UTF-8.

    As in C, a message to initialise can be given before the data, and 0 or -1 comes back. Works with libraries that
    lack the C function, too.

    C: ``int zmq_msg_init_buffer (zmq_msg_t *msg, const void *buf, size_t size)``
    """
    msg, data = _split(args, "msg_init_buffer", "data")
    return _copied(msg, _text.data(data))
