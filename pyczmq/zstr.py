"""zstr: sending and receiving strings over sockets, one string a frame.

A string goes out as it is, with no NUL behind it, and comes back as it came: str is UTF-8 with `surrogateescape`, so
that whatever bytes arrive can be sent on unchanged. The functions take zsocket, zsock and zactor handles alike, and
block as the socket's SNDTIMEO and RCVTIMEO say; Ctrl-C ends any wait with KeyboardInterrupt. A socket belongs to one
thread at a time.

    ctx = zctx.new()
    output, input = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(output, "inproc://zstr.example")
    zsocket.connect(input, "inproc://zstr.example")
    zstr.send(output, "one string")
    zstr.sendx(output, "This", "is", "the", "END")
    assert zstr.recv(input) == "one string"
    assert zstr.recvx(input) == ["This", "is", "the", "END"]
"""

from __future__ import annotations

import atexit
import sys
from builtins import str as _str

from . import _blocking, _handles, _multipart
from ._cffi import C, ffi
from ._handles import live as _live
from ._handles import socket as _socket
from ._text import cstring, decode, encode, sprintf, take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._types import CData, Msg, Socket, Socketish, Text, ZmqMsg

_DONTWAIT = 1
_SNDMORE = 2
_SERVER = 12

#: Bytes above which a received frame's memory is given back at once, and not when the next frame takes its place.
_BIG = 65536

_typeof = ffi.typeof
_SOCK = _typeof("zsock_t *")
_CHAR = _typeof("char *")
_VOID = _typeof("void *")
_buffer = ffi.buffer
_msg_recv = C.zmq_msg_recv
_msg_data = C.zmq_msg_data
_receive = _blocking.receive
_send = _blocking.send
_begun = _blocking._begun
_guarded = _handles.guarded
_is_guarded = _handles.is_guarded
_LONG = _blocking.LONGEST_TOPIC
_zmq_send = C.zmq_send

#: Messages that no call is using; a call takes one and puts it back, so that threads and signal handlers share them.
_messages: list[ZmqMsg] = []


def recv(source: Socketish) -> _str | None:
    """Receive one frame as text; None if the socket's RCVTIMEO has passed, or its context was destroyed.

    Of a message of several frames this reads the next one. All of the frame is returned, NUL bytes included.

    C: ``char *zstr_recv (void *source)``
    """
    handle = _socket(source, "source")
    try:
        message = _messages.pop()
    except IndexError:
        message = _new_message()
    try:
        size = _msg_recv(message, handle, _DONTWAIT)
        if size < 0:
            size = _receive(message, handle)
            if size < 0:
                return None
        if size > _BIG or handle is not source:
            return _take(source, handle, message, size)
        text: _str = _buffer(_msg_data(message), size)[:].decode("utf-8", "surrogateescape")
        return text
    finally:
        _messages.append(message)


def recvx(source: Socketish) -> list[_str] | None:
    """Receive all frames of one message as a list of text.

    Returns None if the socket's RCVTIMEO has passed, if its context was destroyed, and, as in C, for a signal, such as
    an actor sends when it ends.

    C: ``int zstr_recvx (void *source, char **string_p, ...)``
    """
    handle = _socket(source, "source")
    frames = _multipart.recv(source, handle)
    if frames is None or (len(frames) == 1 and _multipart.is_signal(frames[0])):
        return None
    return [decode(frame) for frame in frames]


def send(dest: Socketish, string: Text) -> int:
    """Send text as one frame; return 0, or -1 if it could not be sent within the socket's SNDTIMEO.

    C: ``int zstr_send (void *dest, const char *string)``
    """
    handle = _socket(dest, "dest")
    data = encode(string)
    if handle is not dest and (_guarded or _handles._drafts is not False):
        if _is_guarded(dest):
            return _command(dest, [data])
        if _is_server(dest):
            return _answer(dest, data)
    if not _begun and len(data) <= _LONG and _zmq_send(handle, data, len(data), _DONTWAIT) >= 0:
        return 0
    return 0 if _send(handle, data, 0) >= 0 else -1


def sendm(dest: Socketish, string: Text) -> int:
    """Send text as one frame of a message to which more frames will follow; return 0, or -1 as `send` does.

    C: ``int zstr_sendm (void *dest, const char *string)``
    """
    handle = _socket(dest, "dest")
    data = encode(string)
    if handle is not dest and _guarded and _is_guarded(dest):
        return _command(dest, [data], True)
    return 0 if _send(handle, data, _SNDMORE) >= 0 else -1


def sendf(dest: Socketish, format: Text, *args: Any) -> int:
    """Send text made of a C-style format and its arguments, as one frame; return 0, or -1 as `send` does.

    The format is filled in by Python: ``zstr.sendf(socket, "%s is %d", name, 42)``. Arguments that do not fit it are a
    TypeError or ValueError.

    C: ``int zstr_sendf (void *dest, const char *format, ...)``
    """
    return send(dest, sprintf(format, *args))


def sendfm(dest: Socketish, format: Text, *args: Any) -> int:
    """Send text as `sendf` does, in a message to which more frames will follow; return 0, or -1 as `send` does.

    C: ``int zstr_sendfm (void *dest, const char *format, ...)``
    """
    return sendm(dest, sprintf(format, *args))


def sendx(dest: Socketish, *strings: Text) -> int:
    """Send strings as the frames of one message; return 0, or -1 if it could not be sent within the socket's SNDTIMEO.

    With no strings nothing is sent.

    C: ``int zstr_sendx (void *dest, const char *string, ...)``
    """
    handle = _socket(dest, "dest")
    frames = [encode(string) for string in strings]
    if len(frames) < 2:
        return send(dest, frames[0]) if frames else 0
    return _multipart.send(dest, handle, frames)


def free(string: CData | Text | None) -> None:
    """Free a ``char *`` that a raw call, such as ``C.zstr_recv``, handed over; once and only once.

    Text that this module's functions return needs no freeing: str, bytes and None are let through.

    C: ``void zstr_free (char **string_p)``
    """
    if string is None or isinstance(string, (_str, bytes)):
        return
    if "owning" in repr(_live(string, _CHAR, "string")):
        raise ValueError("string is memory of Python's, which frees it by itself")
    _handles.destroy(string, _CHAR, _handles.freer(C.zstr_free, "char *"), "string")


def test(verbose: bool = False) -> None:
    """Run CZMQ's own self-test of this class in a child process; RuntimeError with its output if it fails.

    C: ``void zstr_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zstr_test", verbose)


def recv_nowait(source: Socketish) -> _str | None:
    """Receive one frame as text if there is one; None at once if there is not.

    C: ``char *zstr_recv_nowait (void *source)``
    """
    handle = _socket(source, "source")
    message = _borrow()
    try:
        size = _msg_recv(message, handle, _DONTWAIT)
        return _take(source, handle, message, size) if size >= 0 else None
    finally:
        _messages.append(message)


# ---------------------------------------------------------------- draft


def recv_compress(source: Socketish) -> _str | None:
    """Receive text that `send_compress` sent; None if the socket's RCVTIMEO has passed, and for any other message.

    Only libraries built with drafts have this, and only those built with LZ4 do more than return None.

    C: ``char *zstr_recv_compress (void *source)``
    """
    from . import zmsg

    decompress = C.zstr_recv_compress
    handle = _socket(source, "source")
    message = zmsg.recv(source)
    if message is None:
        return None
    if handle is not source and _is_server(source):
        C.zsock_set_routing_id(source, C.zmsg_routing_id(message))
    # C believes whatever size the peer claims, so it gets to see only what makes sense.
    if not _is_compressed(message):
        zmsg.destroy(message)
        return None
    endpoint = b"inproc://pyczmq.zstr.compress.%d" % int(ffi.cast("uintptr_t", message))
    ends = [C.zsock_new_pair(b"@" + endpoint), C.zsock_new_pair(b">" + endpoint)]
    try:
        zmsg.send(message, ends[0])
        return take(decompress(ends[1]))
    finally:
        for end in ends:
            C.zsock_destroy(ffi.new("zsock_t **", end))


def send_compress(dest: Socketish, string: Text) -> int:
    """Send text compressed with LZ4, as a message of two frames; return 0, or -1 if it could not be sent.

    Text with a NUL byte in it is a ValueError. Only libraries built with drafts have this, and only those built with
    LZ4 do more than return -1.

    C: ``int zstr_send_compress (void *dest, const char *string)``
    """
    return _compress(C.zstr_send_compress, dest, string)


def sendm_compress(dest: Socketish, string: Text) -> int:
    """Send text as `send_compress` does, in a message to which more frames will follow; return 0 or -1.

    C: ``int zstr_sendm_compress (void *dest, const char *string)``
    """
    return _compress(C.zstr_sendm_compress, dest, string)


def str(source: CData | Text | None) -> _str:
    """Return the text at a pointer, up to its NUL, and "" for None or NULL; str and bytes come back as text.

    *source* is a ``char *``, an array of char, or a ``void *`` that points at text: what zlist and zhash items are.

    C: ``char *zstr_str (void *source)``
    """
    if source is None:
        return ""
    if isinstance(source, (_str, bytes)):
        return decode(encode(source, "source"))
    if not isinstance(source, ffi.CData):
        raise TypeError(f"source must be a pointer, str or bytes, not {type(source).__name__}")
    ctype = _typeof(source)
    if ctype.kind == "array" and ctype.item is _CHAR.item:
        return decode(ffi.string(source))
    if ctype is not _VOID and ctype is not _CHAR:
        raise TypeError(f"source must be a char * or void *, not {ctype.cname}")
    return decode(ffi.string(ffi.cast("char *", _live(source, ctype, "source")))) if source else ""


# ---------------------------------------------------------------- helpers


def _new_message() -> ZmqMsg:
    message: ZmqMsg = ffi.new("zmq_msg_t *")
    C.zmq_msg_init(message)
    return message


def _close_messages() -> None:
    """Give back at exit what the last strings have left in memory."""
    while _messages:
        C.zmq_msg_close(_messages.pop())


atexit.register(_close_messages)


def _borrow() -> ZmqMsg:
    """Return a message that no call is using; it goes back to `_messages`."""
    try:
        return _messages.pop()
    except IndexError:
        return _new_message()


def _take(source: Socketish, handle: Socket, message: ZmqMsg, size: int) -> _str:
    """Return the content of a received message as text; *size* is what zmq_msg_recv said, INT_MAX at most."""
    if handle is not source and _is_server(source):
        C.zsock_set_routing_id(source, C.zmq_msg_routing_id(message))
    if size <= _BIG:
        return decode(_buffer(_msg_data(message), size)[:])
    try:
        # Straight from the message's memory: it may be a gigabyte.
        return _str(_buffer(_msg_data(message), C.zmq_msg_size(message)), "utf-8", "surrogateescape")
    finally:
        C.zmq_msg_close(message)
        C.zmq_msg_init(message)


def _is_server(handle: Socketish) -> bool:
    """Tell whether *handle* is a zsock of type SERVER, which remembers whom to answer."""
    return _handles.drafts() and _typeof(handle) is _SOCK and C.zsock_type(handle) == _SERVER


def _command(dest: Socketish, frames: list[bytes], more: bool = False) -> int:
    """Send a command to an actor of C's, or some frames of one."""
    from . import _commands

    return _commands.send(dest, frames, more)


def _refuse_guarded(dest: Socketish) -> None:
    """Raise TypeError for an actor of C's."""
    if _guarded:
        from . import _commands

        _commands.refuse(dest, "dest")


def _answer(dest: Socketish, data: bytes) -> int:
    """Send text to the client that a SERVER zsock last received from."""
    from . import zframe

    frame = zframe.new(data)
    zframe.set_routing_id(frame, C.zsock_routing_id(dest))
    if zframe.send(frame, dest) == 0:
        return 0
    zframe.destroy(frame)
    return -1


def _is_compressed(message: Msg) -> bool:
    """Tell whether a message has the form of compressed text: its size, and as much as LZ4 could have made of it."""
    from . import zframe, zmsg

    header, body = zmsg.first(message), zmsg.next(message)
    if header is None or body is None or zmsg.size(message) != 2 or zframe.size(header) != ffi.sizeof("size_t"):
        return False
    claimed = int.from_bytes(zframe.data(header)[:], sys.byteorder)
    # 255 is the best that LZ4 can do.
    return bool(claimed < min(2**31 - 1, 255 * zframe.size(body) + 1))


def _compress(function: Callable[[CData, bytes], int], dest: Socketish, string: Text) -> int:
    handle = _socket(dest, "dest")
    data = cstring(string)
    _refuse_guarded(dest)
    return function(dest, data) if _blocking.sleep_until_ready(handle, _blocking.POLLOUT) else -1


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zstr")
