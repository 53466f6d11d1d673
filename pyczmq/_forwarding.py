"""Forwarding: messages from socket to socket, both ways, by a thread that also listens to its actor's pipe.

C's proxy cannot be ended while its context goes on, and waits for as long as a socket takes nothing. This one never
waits for one socket alone: a message that finds no room is held, and its way is not read from until there is some.
"""

from __future__ import annotations

import errno

from . import _blocking, _text
from ._cffi import C, ffi
from ._zmq_constants import EFSM
from ._zmq_msg import msg_init

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from ._types import Sock, Socket

_POLLIN = _blocking.POLLIN
_POLLOUT = _blocking.POLLOUT

#: Asked for alone, it wakes for nothing but the end of a socket's context.
_POLLERR = 4
_DONTWAIT = 1
_SNDMORE = 2
_SIGNAL = 0
_TERM = b"$TERM"

PAUSE = b"PAUSE"
RESUME = b"RESUME"

#: Messages that are forwarded in one go before the other direction, and the pipe, get their turn.
_BURST = 1000

#: What zmq_msg_recv returns is an int.
_ANY_SIZE = 2**31

#: Milliseconds until the next try to send what a socket refuses although it is ready.
_MOMENT = 1

#: By which a socket says that it can take no message now.
_FULL = frozenset([errno.EAGAIN, errno.ENOTSUP, EFSM])

#: By which a socket says that it never will be of use again.
_GONE = frozenset([_blocking.ETERM, errno.ENOTSOCK])

_msg_recv = C.zmq_msg_recv
_msg_send = C.zmq_msg_send
_msg_more = C.zmq_msg_more


class _Gone(Exception):
    """A socket's context has ended."""


class _Way:
    """One direction."""

    __slots__ = ("held", "longest", "message", "refused", "source", "source_item", "target", "target_item")

    def __init__(self, source_item: Any, target_item: Any) -> None:
        self.source = source_item.socket
        self.target = target_item.socket
        self.source_item = source_item
        self.target_item = target_item
        self.message = msg_init()
        #: Frames of more bytes are looked at: what any peer of an XPUB sends would have an XSUB crash.
        self.longest = _blocking.LONGEST_TOPIC if _blocking.is_xsub(self.target) else _ANY_SIZE
        #: Whether there is a frame in the message that the target had no room for; and that although it was ready.
        self.held = False
        self.refused = False


class Forwarder:
    """Forwards between two sockets, with a copy of each message to a third, as its pipe tells it."""

    def __init__(self, pipe: Sock, frontend: Socket, backend: Socket, capture: Socket | None = None) -> None:
        sockets = [C.zsock_resolve(pipe), frontend, backend] + ([] if capture is None else [capture])
        self.items: Any = ffi.new("zmq_pollitem_t[]", [{"socket": socket, "events": _POLLERR} for socket in sockets])
        self.items[0].events = _POLLIN
        self.count = len(sockets)
        self.pipe = pipe
        self.capture = capture
        self.room = None if capture is None else _blocking.pollitem(capture, _POLLOUT)
        self.ways = [_Way(self.items[1], self.items[2]), _Way(self.items[2], self.items[1])]
        self.copy = msg_init()
        self.paused = False
        #: Whether a way waits for room at the capture socket.
        self.crowded = False

    def run(self) -> None:
        """Forward until the pipe tells to end, or the context of a socket has ended."""
        try:
            while True:
                if _blocking.poll(self.items, self.count, self.prepare()) < 0:
                    _fail()
                if self.items[0].revents and not self.obey():
                    return
                if not self.paused:
                    self.forward()
        except _Gone:
            pass

    def prepare(self) -> int:
        """Set what to wait for; return for how many milliseconds."""
        items, timeout = self.items, -1
        for index in range(1, self.count):
            items[index].events = _POLLERR
        if self.paused:
            pass
        elif self.crowded:
            items[3].events |= _POLLOUT
        else:
            for way in self.ways:
                if way.refused:
                    timeout = _MOMENT
                elif way.held:
                    way.target_item.events |= _POLLOUT
                else:
                    way.source_item.events |= _POLLIN
        return timeout

    def obey(self) -> bool:
        """Do what the pipe says; False if that is to end."""
        message = msg_init()
        if _msg_recv(message, self.items[0].socket, _DONTWAIT) < 0:
            return True
        command = ffi.buffer(C.zmq_msg_data(message), C.zmq_msg_size(message))[:]
        if command in (PAUSE, RESUME):
            self.paused = command == PAUSE
            C.zsock_signal(self.pipe, _SIGNAL)
        return bool(command != _TERM)

    def forward(self) -> None:
        """Forward what there is and what there is room for."""
        if self.crowded:
            self.crowded = not self.items[3].revents & _POLLOUT
            return
        for way in self.ways:
            if way.refused or (way.target_item.revents & _POLLOUT if way.held else way.source_item.revents & _POLLIN):
                self.carry(way)

    def carry(self, way: _Way) -> None:
        """Forward one way, up to a burst, until there is nothing or no room."""
        message, source, target, room = way.message, way.source, way.target, self.room
        again = way.held
        for _ in range(_BURST):
            if not way.held:
                size = _msg_recv(message, source, _DONTWAIT)
                if size < 0:
                    if ffi.errno in _GONE:
                        raise _Gone
                    return
                if size > way.longest and _blocking.is_long_topic(C.zmq_msg_data(message), size):
                    self.drop_rest(way, _msg_more(message))
                    continue
                way.held = True
            if room is not None:
                if C.zmq_poll(room, 1, 0) <= 0:
                    self.crowded = True
                    return
                C.zmq_msg_copy(self.copy, message)
            more = _msg_more(message)
            if _msg_send(message, target, _SNDMORE | _DONTWAIT if more else _DONTWAIT) >= 0:
                way.held = way.refused = again = False
                if more or room is not None:
                    self.complete(way, more)
            elif ffi.errno in _FULL:
                way.refused = again
                return
            elif ffi.errno in _GONE:
                raise _Gone
            elif ffi.errno != errno.EINTR:
                # A ROUTER that must route knows of no such peer: other ROUTERs drop such messages, too.
                way.held = way.refused = again = False
                self.drop_rest(way, more)

    def drop_rest(self, way: _Way, more: int) -> None:
        """Drop the rest of a message whose first frame was not sent."""
        while more:
            more = self.receive_rest(way)

    def complete(self, way: _Way, more: int) -> None:
        """Forward the rest of a message whose first frame was sent, and the copy, for which there is room."""
        capture = self.capture
        if capture is not None and not self.send_copy(capture, _SNDMORE | _DONTWAIT if more else _DONTWAIT):
            capture = None
        while more:
            more = self.receive_rest(way)
            flags = _SNDMORE if more else 0
            if capture is not None:
                C.zmq_msg_copy(self.copy, way.message)
            if _blocking.send_rest(lambda flags: _msg_send(way.message, way.target, flags), flags) < 0:
                _fail()
            if capture is not None:
                self.send_copy(capture, flags)

    def receive_rest(self, way: _Way) -> int:
        """Receive the next frame of a message, all of which has come in; return whether there are more."""
        if _blocking.receive(way.message, way.source) < 0:
            _fail()
        return int(_msg_more(way.message))

    def send_copy(self, capture: Socket, flags: int) -> bool:
        """Send a frame to the capture socket; False if that does not take it: what nobody can get is not waited for."""
        if _blocking.send_rest(lambda _: _msg_send(self.copy, capture, flags), flags) >= 0:
            return True
        if ffi.errno in _GONE:
            raise _Gone
        return False


def _fail() -> NoReturn:
    """Raise what the last call has failed for."""
    if ffi.errno in _GONE:
        raise _Gone
    raise OSError(ffi.errno, _text.string(C.zmq_strerror(ffi.errno)))
