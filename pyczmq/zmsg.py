"""zmsg: messages of several frames, as sockets send and receive them.

A message is a list of frames. Sending it takes it over, with its frames; whoever has a message that was not sent
destroys it. A frame that is put into a message belongs to it, and so does one that `first`, `next` and `last` lend: it
can be used for as long as the message lives. `pop` and its like hand a frame over: whoever has it destroys it, or gives
it away.

    message = zmsg.new()
    zmsg.addstr(message, "body")
    zmsg.prepend(message, zframe.new(b"address"))
    assert zmsg.size(message) == 2 and zmsg.content_size(message) == 11
    assert zmsg.send(message, output) == 0

    message = zmsg.recv(input)
    assert zmsg.popstr(message) == "address"
    assert zframe.data(zmsg.first(message))[:] == b"body"
    zmsg.destroy(message)

A message remembers one place for `next`, as C's does: `first` and `last` set it, and most other functions move it.
"""

from __future__ import annotations

from . import _blocking, _handles, _memory, _streams, _zmsg_formats, zframe
from ._cffi import C, ffi
from ._handles import live as _live
from ._handles import socket as _socket
from ._text import data as _data
from ._text import encode as _encode
from ._text import sprintf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._types import Buffer, CData, Frame, Msg, Socket, Socketish, Text

_MSG = ffi.typeof("zmsg_t *")
_FRAME = ffi.typeof("zframe_t *")
_REFERENCE = ffi.typeof("zmsg_t **")
_FRAME_REFERENCE = ffi.typeof("zframe_t **")
_new_cdata = ffi.new
_pop = C.zmsg_pop
_push = C.zmsg_push
_size = C.zmsg_size
_recv_nowait = C.zmsg_recv_nowait
_free = _handles.freer(C.zmsg_destroy, "zmsg_t *")

#: Frames that `fprint` shows.
_SHOWN = 10

#: Bytes of the longest frame that can be encoded.
_LONGEST = 2**32 - 1


def new() -> Msg:
    """Return a new message of no frames.

    C: ``zmsg_t *zmsg_new (void)``
    """
    return C.zmsg_new()


def recv(source: Socketish) -> Msg | None:
    """Receive a message, all its frames; None if the socket's RCVTIMEO has passed, or its context was destroyed.

    C: ``zmsg_t *zmsg_recv (void *source)``
    """
    return zframe.receive(source, _recv_nowait)


def load(message: Any, file: Any = None) -> Msg | None:
    """Read a message that `save` wrote, up to the end of a file; None if the file is cut off or no such file at all.

    ``load(file)`` returns a new message. ``load(message, file)``, CZMQ 2's form, adds the frames to *message*, if that
    is not None, and returns it. The file is a path, or a Python file opened for reading bytes.

    C: ``zmsg_t *zmsg_load (FILE *file)``
    """
    if file is None:
        message, file = None, message
    if message is not None:
        _live(message, _MSG, "message")
    frames = _zmsg_formats.load(file)
    if frames is None:
        return None
    into = new() if message is None else message
    for frame in frames:
        _copy_in(into, frame, C.zmsg_addmem)
    return into


def decode(frame: Frame | Buffer) -> Msg | None:
    """Return the message that was encoded into a frame, or any other buffer; None if it is not an encoded message.

    C: ``zmsg_t *zmsg_decode (zframe_t *frame)``
    """
    if isinstance(frame, ffi.CData):
        size, memory = zframe.size(frame), C.zframe_data(frame)
    else:
        content = _data(frame, "frame")  # type: ignore[arg-type]
        size, memory = len(content), content if isinstance(content, ffi.CData) else ffi.from_buffer(content)
    spans = _zmsg_formats.split(ffi.buffer(memory, size))
    if spans is None:
        return None
    message = new()
    for start, length in spans:
        _memory.afford(length, "a frame")
        C.zmsg_addmem(message, memory + start, length)
    return message


def new_signal(status: int) -> Msg:
    """Return a new message that is a signal with a status of 0 to 255; 0 means success, by convention.

    C: ``zmsg_t *zmsg_new_signal (byte status)``
    """
    return C.zmsg_new_signal(status)


def destroy(message: Msg | None) -> None:
    """Free a message with its frames, now and only once; None is let through.

    While a view of a frame's data is alive, its memory is.

    C: ``void zmsg_destroy (zmsg_t **self_p)``
    """
    if message is None:
        return
    _live(message, _MSG, "message")
    viewed = _viewed(message)
    for frame in viewed:
        C.zmsg_remove(message, frame)
    _handles.bury(message, "was destroyed")
    _handles.forget_contents(message)
    _free(message)
    for frame in viewed:
        zframe._release(frame)


def send(message: Msg, dest: Socketish) -> int:
    """Send a message, which is gone then; return 0, or -1 if it could not be sent, and is still there.

    Waits for as long as the socket's SNDTIMEO says. A message of no frames sends nothing, and is gone all the same.
    After -1 the message is whole, unless the context was destroyed while it was being sent.

    C: ``int zmsg_send (zmsg_t **self_p, void *dest)``
    """
    return _send(message, dest, 0, C.zmsg_send)


def sendm(message: Msg, dest: Socketish) -> int:
    """Send a message as the first part of a longer one, whose other frames must follow; return 0 or -1 as `send` does.

    C: ``int zmsg_sendm (zmsg_t **self_p, void *dest)``
    """
    return _send(message, dest, zframe.MORE, C.zmsg_sendm)


def size(message: Msg) -> int:
    """Return the number of frames in a message.

    C: ``size_t zmsg_size (zmsg_t *self)``
    """
    return _size(_live(message, _MSG, "message"))


def content_size(message: Msg) -> int:
    """Return the number of bytes in all frames of a message.

    C: ``size_t zmsg_content_size (zmsg_t *self)``
    """
    if _handles.is_resized(_live(message, _MSG, "message")):
        return sum(map(C.zframe_size, _walk(message)))
    return C.zmsg_content_size(message)


def prepend(message: Msg, frame: Frame) -> int:
    """Put a frame before all others; the message owns it from now on. Return 0.

    C: ``int zmsg_prepend (zmsg_t *self, zframe_t **frame_p)``
    """
    return _put(message, frame, _push)


def append(message: Msg, frame: Frame) -> int:
    """Put a frame behind all others; the message owns it from now on. Return 0.

    C: ``int zmsg_append (zmsg_t *self, zframe_t **frame_p)``
    """
    return _put(message, frame, C.zmsg_add)


def pop(message: Msg) -> Frame | None:
    """Take out the first frame and hand it over to the caller; None if there is none.

    C: ``zframe_t *zmsg_pop (zmsg_t *self)``
    """
    return _handles.give_back(message, _pop(_live(message, _MSG, "message")))


def pushmem(message: Msg, data: Text | Buffer) -> int:
    """Put a new frame with a copy of *data* before all others; return 0.

    C: ``int zmsg_pushmem (zmsg_t *self, const void *data, size_t size)``
    """
    return _copy_in(message, _data(data), C.zmsg_pushmem)


def addmem(message: Msg, data: Text | Buffer) -> int:
    """Put a new frame with a copy of *data* behind all others; return 0.

    C: ``int zmsg_addmem (zmsg_t *self, const void *data, size_t size)``
    """
    return _copy_in(message, _data(data), C.zmsg_addmem)


def pushstr(message: Msg, string: Text) -> int:
    """Put a new frame with text before all others; return 0.

    C: ``int zmsg_pushstr (zmsg_t *self, const char *string)``
    """
    return _copy_in(message, _encode(string), C.zmsg_pushmem)


def addstr(message: Msg, string: Text) -> int:
    """Put a new frame with text behind all others; return 0.

    C: ``int zmsg_addstr (zmsg_t *self, const char *string)``
    """
    return _copy_in(message, _encode(string), C.zmsg_addmem)


def pushstrf(message: Msg, format: Text, *args: Any) -> int:
    """Put a new frame with a C-style format, filled in by Python, before all others; return 0.

    C: ``int zmsg_pushstrf (zmsg_t *self, const char *format, ...)``
    """
    return _copy_in(message, sprintf(format, *args), C.zmsg_pushmem)


def addstrf(message: Msg, format: Text, *args: Any) -> int:
    """Put a new frame with a C-style format, filled in by Python, behind all others; return 0.

    C: ``int zmsg_addstrf (zmsg_t *self, const char *format, ...)``
    """
    return _copy_in(message, sprintf(format, *args), C.zmsg_addmem)


def popstr(message: Msg) -> str | None:
    """Take out the first frame and return its content as text, all of it, NUL bytes included; None if there is none.

    C: ``char *zmsg_popstr (zmsg_t *self)``
    """
    frame = _pop(_live(message, _MSG, "message"))
    if not frame:
        return None
    text = zframe.strdup(frame)
    _drop(message, frame)
    return text


def addmsg(message: Msg, submessage: Msg) -> int:
    """Put a new frame behind all others, into which *submessage* is encoded and which replaces it; return 0.

    C: ``int zmsg_addmsg (zmsg_t *self, zmsg_t **msg_p)``
    """
    _live(message, _MSG, "message")
    if _live(submessage, _MSG, "submessage") == message:
        raise ValueError("submessage must not be the message itself")
    C.zmsg_add(message, encode(submessage))
    destroy(submessage)
    return 0


def popmsg(message: Msg) -> Msg | None:
    """Take out the first frame and return the message that is encoded in it; None if there is no frame, or none such.

    C: ``zmsg_t *zmsg_popmsg (zmsg_t *self)``
    """
    frame = _pop(_live(message, _MSG, "message"))
    if not frame:
        return None
    submessage = decode(frame)
    _drop(message, frame)
    return submessage


def remove(message: Msg, frame: Frame) -> None:
    """Take a frame out of a message, wherever it is, and hand it over to the caller; a frame elsewhere is let be.

    C: ``void zmsg_remove (zmsg_t *self, zframe_t *frame)``
    """
    C.zmsg_remove(_live(message, _MSG, "message"), _live(frame, _FRAME, "frame"))
    _handles.give_back(message, frame)


def first(message: Msg) -> Frame | None:
    """Return the first frame, which stays the message's; None if there is none.

    C: ``zframe_t *zmsg_first (zmsg_t *self)``
    """
    return _handles.lend(message, C.zmsg_first(_live(message, _MSG, "message")))


def next(message: Msg) -> Frame | None:
    """Return the frame after the one that `first` or `next` returned, which stays the message's; None after the last.

    C: ``zframe_t *zmsg_next (zmsg_t *self)``
    """
    return _handles.lend(message, C.zmsg_next(_live(message, _MSG, "message")))


def last(message: Msg) -> Frame | None:
    """Return the last frame, which stays the message's; None if there is none.

    C: ``zframe_t *zmsg_last (zmsg_t *self)``
    """
    return _handles.lend(message, C.zmsg_last(_live(message, _MSG, "message")))


def save(message: Msg, file: Any) -> int:
    """Write a message to a file, for `load`: a path, or a Python file opened for writing bytes. Return 0.

    The format is CZMQ's own, and is not made to be read on another kind of machine. Unlike C, this saves empty frames,
    too. What the file raises comes out.

    C: ``int zmsg_save (zmsg_t *self, FILE *file)``
    """
    _live(message, _MSG, "message")
    _zmsg_formats.save((zframe.data(frame)[:] for frame in _walk(message)), file)
    return 0


def encode(message: Msg) -> Frame:
    """Return a new frame into which a message is encoded with all its frames, for `decode`; the caller owns it.

    Raises ValueError for a frame of 4 GiB or more.

    C: ``zframe_t *zmsg_encode (zmsg_t *self)``
    """
    total = content_size(message)
    if total > _LONGEST and any(C.zframe_size(frame) > _LONGEST for frame in _walk(message)):
        raise ValueError("message has a frame of 4 GiB or more, which cannot be encoded")
    _memory.afford(total + 5 * _size(message), "a frame")
    return C.zmsg_encode(message)


def dup(message: Msg) -> Msg:
    """Return a new message with the same content.

    C: ``zmsg_t *zmsg_dup (zmsg_t *self)``
    """
    _memory.afford(content_size(message), "a frame")
    return C.zmsg_dup(message)


def print(message: Msg) -> None:
    """Write a message to CZMQ's log, each frame as ``zframe.print`` does.

    C: ``void zmsg_print (zmsg_t *self)``
    """
    print_n(message, 0)


def eq(message: Msg | None, other: Msg | None) -> bool:
    """Tell whether two messages have the same frames; None equals nothing.

    C: ``bool zmsg_eq (zmsg_t *self, zmsg_t *other)``
    """
    if message is None or other is None:
        return False
    # C walks through both with the place that each remembers, so a message would not equal itself.
    same = _live(message, _MSG, "message") == _live(other, _MSG, "other")
    return same or C.zmsg_eq(message, other)


def signal(message: Msg) -> int:
    """Return the status, 0 to 255, of a message that is a signal; -1 for any other.

    C: ``int zmsg_signal (zmsg_t *self)``
    """
    if _handles.is_resized(_live(message, _MSG, "message")):
        # C goes by its count of bytes.
        from . import _multipart

        frames = [zframe._bytes(frame) for frame in _walk(message)]
        return _multipart.status(frames[0]) if len(frames) == 1 and _multipart.is_signal(frames[0]) else -1
    return C.zmsg_signal(message)


def is_(handle: object) -> bool:
    """Tell whether *handle* is a message that is alive. A ``void *`` must point at something: C has a look at it.

    C: ``bool zmsg_is (void *self)``
    """
    return _handles.looks_like(handle, _MSG, C.zmsg_is)


def test(verbose: bool = False) -> None:
    """Run CZMQ's own self-test of this class in a child process; RuntimeError with its output if it fails.

    C: ``void zmsg_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zmsg_test", verbose)


def unwrap(message: Msg) -> Frame | None:
    """Take out the first frame, and the next one too if that is empty; return the first, None if there is none.

    C: ``zframe_t *zmsg_unwrap (zmsg_t *self)``
    """
    frame = pop(message)
    delimiter = C.zmsg_first(message)
    if delimiter and C.zframe_size(delimiter) == 0:
        _drop(message, _pop(message))
    return frame


def recv_nowait(source: Socketish) -> Msg | None:
    """Receive a message if there is one; None at once if there is not.

    C: ``zmsg_t *zmsg_recv_nowait (void *source)``
    """
    return _recv_nowait(_socket(source, "source")) or None


def wrap(message: Msg, frame: Frame) -> None:
    """Put a frame, and an empty one behind it, before all others; the message owns it from now on.

    C: ``void zmsg_wrap (zmsg_t *self, zframe_t *frame)``
    """
    _put(message, frame, C.zmsg_wrap)


def push(message: Msg, frame: Frame) -> int:
    """Put a frame before all others: the older name of `prepend`.

    C: ``int zmsg_push (zmsg_t *self, zframe_t *frame)``
    """
    return _put(message, frame, _push)


def add(message: Msg, frame: Frame) -> int:
    """Put a frame behind all others: the older name of `append`.

    C: ``int zmsg_add (zmsg_t *self, zframe_t *frame)``
    """
    return _put(message, frame, C.zmsg_add)


def fprint(message: Msg, file: Any) -> None:
    """Write the first ten frames of a message to a Python file, text or binary, as ``zframe.fprint`` does.

    C: ``void zmsg_fprint (zmsg_t *self, FILE *file)``
    """
    frames = _walk(_live(message, _MSG, "message"))
    _streams.write_text(file, b"--------------------------------------\n")
    for frame in frames[:_SHOWN]:
        zframe.fprint(frame, None, file)


# ---------------------------------------------------------------- draft


def routing_id(message: Msg) -> int:
    """Return the routing id of the client that a message came from, if a SERVER socket received it, else 0.

    C: ``uint32_t zmsg_routing_id (zmsg_t *self)``
    """
    return C.zmsg_routing_id(_live(message, _MSG, "message"))


def set_routing_id(message: Msg, routing_id: int) -> None:
    """Set which client a SERVER socket sends a message to.

    C: ``void zmsg_set_routing_id (zmsg_t *self, uint32_t routing_id)``
    """
    C.zmsg_set_routing_id(_live(message, _MSG, "message"), routing_id)


def print_n(message: Msg, size: int = 0) -> None:
    """Write a message to CZMQ's log, the first *size* bytes of each frame as ``zframe.print_n`` does.

    C: ``void zmsg_print_n (zmsg_t *self, size_t size)``
    """
    for frame in _walk(_live(message, _MSG, "message")):
        zframe.print_n(frame, None, size)


# ---------------------------------------------------------------- CZMQ 2


def dump(message: Msg) -> None:
    """Write a message to CZMQ's log: the old name of `print`.

    C: ``void zmsg_dump (zmsg_t *self)``
    """
    print_n(message, 0)


def dump_to_stream(message: Msg, file: Any) -> None:
    """Write the first ten frames of a message to a Python file: the old name of `fprint`.

    C: ``void zmsg_dump_to_stream (zmsg_t *self, FILE *file)``
    """
    fprint(message, file)


# ---------------------------------------------------------------- helpers


def _send(message: Msg, dest: Socketish, flags: int, send_rest: Callable[[CData, CData], int]) -> int:
    """Send a message; *flags* are those of all its frames, and *send_rest* is C's function that sends and frees it."""
    _live(message, _MSG, "message")
    handle = _socket(dest, "dest")
    if handle is not dest and _handles.guarded and _handles.is_guarded(dest):
        return _command(message, dest, flags)
    if C.zmsg_content_size(message) > _blocking.LONGEST_TOPIC or _handles.is_resized(message):
        for frame in _walk(message):
            _blocking.refuse_topic(handle, C.zframe_data(frame), C.zframe_size(frame))
    whole = _new_cdata(_REFERENCE, message)
    heads: list[CData] = []
    try:
        _handles.bury(message, "was sent")
        return _go_on(message, whole, handle, flags, heads, send_rest)
    except BaseException:
        # Whatever the handler of a signal raises, a message that was begun is ended.
        if _has_begun(heads):
            _go_on(message, whole, handle, flags, heads, send_rest)
        raise
    finally:
        if whole[0]:
            _handles.unbury(message, set(_walk(message)))
        else:
            _handles.forget_contents(message)


def _command(message: Msg, dest: Socketish, flags: int) -> int:
    """Send a message to one of C's own actors, whose commands are vetted."""
    from . import _commands

    frames = [zframe._bytes(frame) for frame in _walk(message)]
    if _commands.send(dest, frames, bool(flags)) != 0:
        return -1
    _handles.bury(message, "was sent")
    _free(message)
    return 0


def _go_on(
    message: Msg, whole: CData, handle: Socket, flags: int, heads: list[CData], send_rest: Callable[[CData, CData], int]
) -> int:
    """Send what is left of a message, from its first frame on or from where a signal has cut this off."""
    # C would wait for as long as it takes, and can only have to for the first frame: that is sent from here. So are
    # frames whose memory has to stay.
    if not heads and not _send_head(message, handle, flags, heads):
        return -1
    while whole[0] and _viewed(message):
        if not _send_head(message, handle, flags, heads):
            return -1
    rc = send_rest(whole, handle) if whole[0] else 0
    if rc == 0 and heads and not flags:
        _blocking.note_sent(handle, 0)
    return rc


def _has_begun(heads: list[CData]) -> bool:
    """Tell whether the first frame was sent: its reference is NULL then."""
    return bool(heads) and not heads[0][0]


def _send_head(message: Msg, handle: Socket, flags: int, heads: list[CData]) -> bool:
    """Send the first frame of a message, whose reference is added to *heads*; False if that cannot be."""
    popped: list[CData] = []
    head = None
    try:
        # A signal's handler runs between two steps of Python's, and this is one: the frame is not lost.
        popped.extend(map(_pop, (message,)))
        frame = popped[0]
        if not frame:
            return True
        head = _new_cdata(_FRAME_REFERENCE, frame)
        heads.append(head)
        if _handles.drafts():
            C.zframe_set_routing_id(frame, C.zmsg_routing_id(message))
        more = flags or (zframe.MORE if _size(message) else 0)
        return zframe.transmit(head, handle, more) == 0
    finally:
        if popped and popped[0] and (head is None or head[0]):
            _push(message, popped[0])


def _put(message: Msg, frame: Frame, put: Callable[[CData, CData], int | None]) -> int:
    """Give a frame to a message; return 0."""
    _live(message, _MSG, "message")
    zframe.standing(frame)
    try:
        # First, or what the handler of a signal raises could leave the frame to two owners.
        _handles.take_over(message, frame)
        put(message, frame)
    except BaseException:
        if frame not in _walk(message):
            _handles.give_back(message, frame)
        raise
    return 0


def _copy_in(message: Msg, content: bytes | CData, put: Callable[[CData, bytes | CData, int], int]) -> int:
    """Put a copy of *content* into a message."""
    _live(message, _MSG, "message")
    size = len(content)
    _memory.afford(size, "a frame")
    return put(message, content, size)


def _drop(message: Msg, frame: CData) -> None:
    """Free a frame that was popped off a message."""
    handle = _handles.give_back(message, frame)
    if handle is not None and handle is not frame:
        _handles.kill(handle, "was taken out of its message and destroyed")
    zframe._release(frame)


def _walk(message: Msg) -> list[Frame]:
    """Return fresh pointers to the frames of a message."""
    frames = []
    frame = C.zmsg_first(message)
    while frame:
        frames.append(frame)
        frame = C.zmsg_next(message)
    return frames


def _viewed(message: Msg) -> list[Frame]:
    """Return the frames of a message that have views of their data."""
    return [frame for frame in _walk(message) if _handles.pinned(frame)] if _handles.any_pinned() else []


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zmsg")
