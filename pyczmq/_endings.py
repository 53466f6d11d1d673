"""Ending C's actors that send pointers, or wait for others: what they still send is freed, and is not in their way.

`zactor_destroy` drops what an actor has sent, and waits for ever for one that is stuck in a full pipe of its own.
"""

from __future__ import annotations

import errno
import time

from . import _blocking
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ._types import Actor, CData, Socket

_DONTWAIT = 1
_EVENTS = 15
_SNDHWM = 23
_RCVHWM = 24
_TERM = b"$TERM"

#: Milliseconds between two looks at an actor that is to end.
_GLANCE = 5


def unbound(actor: Actor) -> Actor:
    """Let an actor's pipe take any number of messages both ways, and return the actor.

    So the actor never waits for room to report; and a pipe that takes no more is one whose other end is closed.
    """
    handle = C.zsock_resolve(actor)
    for option in _SNDHWM, _RCVHWM:
        C.zmq_setsockopt(handle, option, ffi.new("int *", 0), ffi.sizeof("int"))
    return actor


def has_ended(actor: Actor) -> bool:
    """Tell whether the thread of an actor with such a pipe has ended, and all that it has sent was received."""
    events = ffi.new("int *", _blocking.POLLOUT)
    C.zmq_getsockopt(C.zsock_resolve(actor), _EVENTS, events, ffi.new("size_t *", ffi.sizeof("int")))
    return not events[0] & (_blocking.POLLIN | _blocking.POLLOUT)


def messages(handle: Socket) -> list[list[bytes]]:
    """Return the messages that a socket has now."""
    found: list[list[bytes]] = []
    message = ffi.new("zmq_msg_t *")
    C.zmq_msg_init(message)
    more = 0
    while True:
        if C.zmq_msg_recv(message, handle, 0 if more else _DONTWAIT) < 0:
            if ffi.errno == errno.EINTR:
                continue
            break
        content = bytes(ffi.buffer(C.zmq_msg_data(message), C.zmq_msg_size(message)))
        if more:
            found[-1].append(content)
        else:
            found.append([content])
        more = C.zmq_msg_more(message)
    C.zmq_msg_close(message)
    return found


def end(
    actor: Actor,
    patience: float,
    take: Callable[[bytes], object] | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> bool:
    """Tell an actor of C's with an `unbound` pipe to end, and wait until its thread has; False if it has not in time.

    That is *patience*, in milliseconds. What it still sends, in messages of one frame, goes to *take*; *meanwhile* is
    called over and over, to set one free that is stuck.
    """
    handle = C.zsock_resolve(actor)
    deadline = _blocking.deadline_after(patience)
    told = False
    while True:
        told = told or C.zmq_send(handle, _TERM, len(_TERM), _DONTWAIT) >= 0
        if not told and ffi.errno == _blocking.ETERM:
            # Its thread may still be at work.
            return False
        for frames in messages(handle):
            if take is not None and len(frames) == 1:
                take(frames[0])
        if has_ended(actor):
            return True
        if time.monotonic() >= deadline:
            return False
        if meanwhile is not None:
            meanwhile()
        _blocking.wait(handle, _blocking.POLLIN, _GLANCE)


def actor(handle: CData) -> Actor:
    """Return the actor that a handle of another type is to C."""
    found: Actor = ffi.cast("zactor_t *", handle)
    return found
