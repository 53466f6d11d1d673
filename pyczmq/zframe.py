"""zframe: single message frames, the binary blocks that sockets send and receive.

A frame is one block of bytes. Received as part of a message of several frames, it says whether `more` follow. Sending a
frame takes it over, unless the flag REUSE keeps it; whoever has a frame that was neither sent nor put into a message
destroys it. A frame inside a message (appended to it, or lent by ``zmsg.first``, ``next`` and ``last``) can be read and
changed for as long as the message lives, but belongs to it.

    frame = zframe.new("Hello")
    assert zframe.send(frame, output, zframe.REUSE) == 0
    zframe.data(frame)[:1] = b"J"
    assert zframe.send(frame, output) == 0

    frame = zframe.recv(input)
    assert zframe.streq(frame, "Hello") and zframe.size(frame) == 5
    zframe.destroy(frame)
"""

from __future__ import annotations

from . import _blocking, _garbage, _handles, _streams, _unraisable
from ._cffi import C, ffi
from ._handles import live as _live
from ._handles import socket as _socket
from ._memory import afford as _afford
from ._text import cstring, decode, encode
from ._text import data as _data
from ._text import is_text as _is_text
from ._text import string as _string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from _cffi_backend import buffer

    from ._types import Buffer, CData, Frame, Socket, Socketish, Text

    Hint = TypeVar("Hint")
    Received = TypeVar("Received", bound=CData)

#: Flags of `send`.
MORE = 1
REUSE = 2
DONTWAIT = 4

#: The same as libzmq has them, and back.
_ZMQ_FLAGS = {0: 0, MORE: 2, DONTWAIT: 1, MORE | DONTWAIT: 3}
_FLAGS = {zmq_flags: flags for flags, zmq_flags in _ZMQ_FLAGS.items()}

_FRAME = ffi.typeof("zframe_t *")
_REFERENCE = ffi.typeof("zframe_t **")
_POLLIN = _blocking.POLLIN
_new_cdata = ffi.new
_buffer = ffi.buffer
_kill = _handles.kill
_size = C.zframe_size
_memory = C.zframe_data
_zframe_send = C.zframe_send
_begun = _blocking._begun
_recv_nowait = C.zframe_recv_nowait
_free = _handles.freer(C.zframe_destroy, "zframe_t *")

#: Characters that are printed of a frame, as text and as hexadecimal digits.
_TEXT_WIDTH = 70
_HEX_WIDTH = 35

#: What C still uses of Python's memory: number -> (the memory, the destructor to call then and its argument).
_lent: dict[int, tuple[Any, Callable[[Any], object] | None, Any]] = {}

#: The C function that calls Python's destructors, once it is there.
_callback: CData | None = None


def new(data: Text | Buffer = b"") -> Frame:
    """Return a new frame with a copy of *data*: anything with the buffer protocol, or str, as UTF-8.

    C: ``zframe_t *zframe_new (const void *data, size_t size)``
    """
    content = _data(data)
    _afford(len(content), "a frame")
    return C.zframe_new(content, len(content))


def new_empty() -> Frame:
    """Return a new frame of no bytes.

    C: ``zframe_t *zframe_new_empty (void)``
    """
    return C.zframe_new_empty()


def from_(string: Text) -> Frame:
    """Return a new frame with text as its content, all of it, NUL bytes included.

    C: ``zframe_t *zframe_from (const char *string)``
    """
    return new(encode(string))


def recv(source: Socketish) -> Frame | None:
    """Receive the next frame; None if the socket's RCVTIMEO has passed, or its context was destroyed.

    C: ``zframe_t *zframe_recv (void *source)``
    """
    return receive(source, _recv_nowait)


def destroy(frame: Frame | None) -> None:
    """Free a frame that is in no message, now and only once; None is let through.

    While a view of its data is alive, its memory is.

    C: ``void zframe_destroy (zframe_t **self_p)``
    """
    if frame is not None:
        _handles.kill(standing(frame), "was destroyed")
        _release(frame)


def send(frame: Frame, dest: Socketish, flags: int = 0) -> int:
    """Send a frame, which is gone then; return 0, or -1 if it could not be sent, and is still there.

    *flags* are MORE (further frames of the message will follow), REUSE (the frame stays: it can be sent again, and must
    be destroyed some time) and DONTWAIT (do not wait for as long as the socket's SNDTIMEO says). What REUSE sends is
    not copied: to write to the frame afterwards is to change what is on its way. The same goes for a view of its data.

    C: ``int zframe_send (zframe_t **self_p, void *dest, int flags)``
    """
    handle = _socket(dest, "dest")
    if not isinstance(flags, int):
        raise TypeError(f"flags must be an int, not {type(flags).__name__}")
    sendable = _live(frame, _FRAME, "frame") if flags & REUSE else standing(frame)
    if handle is not dest and _handles.guarded and _handles.is_guarded(dest):
        return _command(frame, dest, flags)
    reference = _new_cdata(_REFERENCE, sendable)
    if flags & REUSE:
        return transmit(reference, handle, flags)
    try:
        _kill(frame, "was sent")
        return transmit(reference, handle, flags)
    finally:
        if reference[0]:
            _handles.revive(frame)


def size(frame: Frame) -> int:
    """Return the number of bytes in a frame.

    C: ``size_t zframe_size (zframe_t *self)``
    """
    return _size(_live(frame, _FRAME, "frame"))


def data(frame: Frame) -> buffer:
    """Return a view of a frame's bytes, with no copy: writing to it changes the frame. A copy is ``bytes(view)``.

    The view is a cffi buffer; memoryview takes it. The memory lives for as long as the view does, also when the frame
    is sent or destroyed meanwhile.

    C: ``byte *zframe_data (zframe_t *self)``
    """
    _live(frame, _FRAME, "frame")
    view: buffer = _handles.view(frame, _memory(frame), _size(frame))
    return view


def meta(frame: Frame, property: Text) -> str | None:
    """Return a property of the connection that a frame came by, such as "Socket-Type" or "Peer-Address", or None.

    C: ``const char *zframe_meta (zframe_t *self, const char *property)``
    """
    return _string(C.zframe_meta(_live(frame, _FRAME, "frame"), cstring(property, "property")))


def dup(frame: Frame) -> Frame:
    """Return a new frame with the same content.

    C: ``zframe_t *zframe_dup (zframe_t *self)``
    """
    _afford(size(frame), "a frame")
    return C.zframe_dup(frame)


def strhex(frame: Frame) -> str:
    """Return a frame's bytes as hexadecimal digits, two a byte, in capitals.

    C: ``char *zframe_strhex (zframe_t *self)``
    """
    return _bytes(frame).hex().upper()


def strdup(frame: Frame) -> str:
    """Return a frame's bytes as text, all of them, NUL bytes included.

    C: ``char *zframe_strdup (zframe_t *self)``
    """
    return decode(_bytes(frame))


def streq(frame: Frame, string: Text) -> bool:
    """Tell whether a frame's bytes are those of *string*.

    C: ``bool zframe_streq (zframe_t *self, const char *string)``
    """
    return _bytes(frame) == encode(string)


def more(frame: Frame) -> int:
    """Return 1 if further frames of the message follow, else 0: as received, or as `set_more` set it.

    C: ``int zframe_more (zframe_t *self)``
    """
    return C.zframe_more(_live(frame, _FRAME, "frame"))


def set_more(frame: Frame, more: int) -> None:
    """Set what `more` returns, 0 or 1. `send` does not look at it, but at its flag MORE.

    C: ``void zframe_set_more (zframe_t *self, int more)``
    """
    _live(frame, _FRAME, "frame")
    if more not in (0, 1):
        raise ValueError(f"more must be 0 or 1, not {more!r}")
    C.zframe_set_more(frame, more)


def eq(frame: Frame | None, other: Frame | None) -> bool:
    """Tell whether two frames have the same content; None equals nothing.

    C: ``bool zframe_eq (zframe_t *self, zframe_t *other)``
    """
    if frame is None or other is None:
        return False
    return C.zframe_eq(_live(frame, _FRAME, "frame"), _live(other, _FRAME, "other"))


def reset(frame: Frame, data: Text | Buffer) -> None:
    """Give a frame new content, of any size, which is copied.

    Raises BufferError while a view of the frame's data is alive.

    C: ``void zframe_reset (zframe_t *self, const void *data, size_t size)``
    """
    _live(frame, _FRAME, "frame")
    content = _data(data)
    if _handles.pinned(frame) and _still_pinned(frame):
        raise BufferError("frame has a view of its data that is alive, so it cannot be reset")
    _afford(len(content), "a frame")
    if _handles.inside(frame):
        _handles.note_resized(frame)
    C.zframe_reset(frame, content, len(content))
    written = _handles.find_companions(frame)
    if written is not None:
        written.clear()


def print(frame: Frame, prefix: Text | None = None) -> None:
    """Write a frame to CZMQ's log, after *prefix*: its size, and the first 70 characters or 35 bytes in hexadecimal.

    C: ``void zframe_print (zframe_t *self, const char *prefix)``
    """
    print_n(frame, prefix, 0)


def is_(handle: object) -> bool:
    """Tell whether *handle* is a frame that is alive. A ``void *`` must point at something: C has a look at it.

    C: ``bool zframe_is (void *self)``
    """
    return _handles.looks_like(handle, _FRAME, C.zframe_is)


def test(verbose: bool = False) -> None:
    """Run CZMQ's own self-test of this class in a child process; RuntimeError with its output if it fails.

    C: ``void zframe_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zframe_test", verbose)


def recv_nowait(source: Socketish) -> Frame | None:
    """Receive the next frame if there is one; None at once if there is not.

    C: ``zframe_t *zframe_recv_nowait (void *source)``
    """
    return _recv_nowait(_socket(source, "source")) or None


def fprint(frame: Frame, prefix: Text | None, file: Any) -> None:
    """Write a frame to a Python file, text or binary: *prefix*, the size, and what `print` shows of the content.

    C: ``void zframe_fprint (zframe_t *self, const char *prefix, FILE *file)``
    """
    content = _bytes(frame)
    is_text = _is_text(content)
    width = _TEXT_WIDTH if is_text else _HEX_WIDTH
    head = b"" if prefix is None else encode(prefix, "prefix")
    dots = b"..." if len(content) > width else b""
    _streams.write_text(file, b"%s[%03d] %s%s\n" % (head, len(content), _shown(content[:width], is_text), dots))


# ---------------------------------------------------------------- draft


def frommem(data: Buffer, destructor: Callable[[Hint], object] | None = None, hint: Hint | None = None) -> Frame:
    """Return a new frame over Python's own memory, which is not copied, and must not change size while it is in use.

    Once C is done with it, ``destructor(hint)`` is called: on whichever thread that happens, which may be one of
    libzmq's, if the frame was sent. What it raises goes to ``sys.unraisablehook``. Only libraries built with drafts
    have this.

    C: ``zframe_t *zframe_frommem (void *data, size_t size, zframe_destructor_fn destructor, void *hint)``
    """
    if destructor is not None and not callable(destructor):
        raise TypeError(f"destructor must be callable, not {type(destructor).__name__}")
    make = C.zframe_frommem
    try:
        memory = ffi.from_buffer(data)
    except TypeError:
        raise TypeError(f"data must be a buffer, not {type(data).__name__}") from None
    record = (memory, destructor, hint)
    number = id(record)
    _lent[number] = record
    # The interpreter's exit waits a little for these, too: afterwards the destructor could not be called.
    _blocking.unfinished.add(number)
    return make(memory, len(memory), _destructor(), ffi.cast("void *", number))


def routing_id(frame: Frame) -> int:
    """Return the routing id of the client that a frame came from, if a SERVER socket received it, else 0.

    C: ``uint32_t zframe_routing_id (zframe_t *self)``
    """
    return C.zframe_routing_id(_live(frame, _FRAME, "frame"))


def set_routing_id(frame: Frame, routing_id: int) -> None:
    """Set which client a SERVER socket sends a frame to.

    C: ``void zframe_set_routing_id (zframe_t *self, uint32_t routing_id)``
    """
    C.zframe_set_routing_id(_live(frame, _FRAME, "frame"), routing_id)


def group(frame: Frame) -> str | None:
    """Return the group that a frame was sent to, if a DISH socket received it, or that `set_group` set, else "".

    C: ``const char *zframe_group (zframe_t *self)``
    """
    return _string(C.zframe_group(_live(frame, _FRAME, "frame")))


def set_group(frame: Frame, group: Text) -> int:
    """Set which group a RADIO socket sends a frame to; return 0, or -1 if the name is too long.

    C: ``int zframe_set_group (zframe_t *self, const char *group)``
    """
    return C.zframe_set_group(_live(frame, _FRAME, "frame"), cstring(group, "group"))


def print_n(frame: Frame, prefix: Text | None = None, length: int = 0) -> None:
    """Write the first *length* bytes of a frame to CZMQ's log, in lines as `print` writes one; 0 is just that one line.

    C: ``void zframe_print_n (zframe_t *self, const char *prefix, size_t length)``
    """
    content = _bytes(frame)
    head = b"" if prefix is None else cstring(prefix, "prefix")
    if length < 0:
        raise ValueError(f"length must not be negative, not {length}")
    is_text = _is_text(content, 32)
    width = _TEXT_WIDTH if is_text else _HEX_WIDTH
    dots = b"..." if not length and len(content) > width else b""
    shown = content[: length or width]
    for start in range(0, len(shown) or 1, width):
        line = b"%s[%03d] %s%s" % (
            head,
            len(shown) if dots else len(content),
            _shown(shown[start : start + width], is_text),
            dots,
        )
        C.zsys_debug(b"%s", _new_cdata("char[]", line))


# ---------------------------------------------------------------- CZMQ 2


def print_to_stream(frame: Frame, prefix: Text | None, file: Any) -> None:
    """Write a frame to a Python file: the old name of `fprint`.

    C: ``void zframe_print_to_stream (zframe_t *self, const char *prefix, FILE *file)``
    """
    fprint(frame, prefix, file)


def put_block(frame: Frame, data: Text | Buffer) -> int:
    """Write *data* into a frame, behind what earlier calls wrote; return 0, or -1 if it is more than there is room for.

    The first call writes at the frame's beginning, and so does the first after `reset`.

    C: ``int zframe_put_block (zframe_t *self, byte *data, size_t size)``
    """
    _live(frame, _FRAME, "frame")
    content = _data(data)
    written = _handles.companions(frame)
    start = written.get(put_block, 0)
    if start + len(content) > _size(frame):
        return -1
    ffi.memmove(_memory(frame) + start, content, len(content))
    written[put_block] = start + len(content)
    return 0


# ---------------------------------------------------------------- helpers, also for zmsg


def receive(source: Socketish, receive_now: Callable[[CData], Received]) -> Received | None:
    """Return what *receive_now*, which does not wait, gets from a socket within its RCVTIMEO, or None."""
    handle = _socket(source, "source")
    received = receive_now(handle)
    deadline = 0.0
    while not received:
        deadline = _blocking.again(handle, _POLLIN, deadline)
        if deadline < 0:
            return None
        received = receive_now(handle)
    return received


def transmit(reference: CData, handle: Socket, flags: int) -> int:
    """Send the frame in a ``zframe_t **``, which is NULL once that is sent, unless REUSE keeps it; return 0 or -1."""
    frame = reference[0]
    size = _size(frame)
    if size > _blocking.LONGEST_TOPIC:
        _blocking.refuse_topic(handle, _memory(frame), size)
    if not flags & REUSE and _handles.pinned(frame):
        return _transmit_viewed(reference, handle, flags)
    if not _begun and not flags & MORE and _zframe_send(reference, handle, flags | DONTWAIT) == 0:
        return 0

    def attempt(zmq_flags: int) -> int:
        return _zframe_send(reference, handle, _FLAGS[zmq_flags] | flags & REUSE)

    return 0 if _blocking.send_by(attempt, handle, _ZMQ_FLAGS[flags & (MORE | DONTWAIT)]) >= 0 else -1


def _transmit_viewed(reference: CData, handle: Socket, flags: int) -> int:
    """Send a frame as `transmit` does that has a view, which keeps its memory."""
    frame = reference[0]
    results: list[int] = []
    kept = _new_cdata(_REFERENCE, frame)

    def attempt(zmq_flags: int) -> int:
        # A signal's handler runs between two steps of Python's, and this is one: it is known whether this was sent.
        results.extend(map(_zframe_send, (kept,), (handle,), (_FLAGS[zmq_flags] | REUSE,)))
        return results[-1]

    try:
        reference[0] = ffi.NULL
        _blocking.send_by(attempt, handle, _ZMQ_FLAGS[flags & (MORE | DONTWAIT)])
    finally:
        if 0 not in results:
            reference[0] = frame
    if reference[0]:
        return -1
    _release(frame)
    return 0


def _command(frame: Frame, dest: Socketish, flags: int) -> int:
    """Send a frame to one of C's own actors, whose commands are vetted."""
    from . import _commands

    send = _commands.send_now if flags & DONTWAIT else _commands.send
    if send(dest, [_bytes(frame)], bool(flags & MORE)) != 0:
        return -1
    if not flags & REUSE:
        _handles.kill(frame, "was sent")
        _release(frame)
    return 0


def standing(frame: Frame) -> Frame:
    """Return a frame that is alive and in no message, else raise."""
    if _handles.inside(_live(frame, _FRAME, "frame")):
        raise ValueError("frame is in a message, which owns it")
    return frame


def _release(frame: CData) -> None:
    """Free a frame's memory, once no view of it is alive."""
    _handles.free_unpinned(frame, _free, _size)


def _bytes(frame: Frame) -> bytes:
    """Return a copy of a frame's content."""
    _live(frame, _FRAME, "frame")
    content: bytes = _buffer(_memory(frame), _size(frame))[:]
    return content


def _still_pinned(frame: Frame) -> bool:
    """Tell whether a view of a frame is alive once the garbage collector has had its say."""
    return all(_handles.pinned(frame) for _ in _garbage.rounds())


def _shown(content: bytes, is_text: bool) -> bytes:
    return content if is_text else content.hex().upper().encode()


def _destructor() -> CData:
    """Return the C function that calls Python's destructors."""
    global _callback
    if _callback is None:
        _callback = ffi.callback("void(void **)", _run_destructor)
    return _callback


def _run_destructor(hint: CData) -> None:
    number = int(ffi.cast("uintptr_t", hint[0]))
    _, destructor, argument = _lent.pop(number)
    try:
        if destructor is not None:
            destructor(argument)
    except BaseException as error:
        _unraisable.report(error, destructor)
    finally:
        _blocking.unfinished.discard(number)


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zframe")
