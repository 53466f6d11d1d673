"""Proxies, which forward messages between two sockets: the part of `pyczmq.zmq` that never returns by itself.

C's proxy sees a signal only while it sleeps, and aborts on a command that it does not know. So it runs where no
signals are to be looked for, on any thread but the main one, and otherwise the forwarding is done here.
"""

from __future__ import annotations

import errno
import struct

from . import _blocking, _commands, _threads
from ._cffi import C, ffi
from ._numbers import integer
from ._zmq_msg import msg_init
from ._zmq_pointers import socket as _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import Socket, Socketish, ZmqMsg

__all__ = ["proxy", "proxy_steerable", "device"]

_POLLIN = _blocking.POLLIN
_POLLOUT = _blocking.POLLOUT
_DONTWAIT = 1
_SNDMORE = 2
_TYPE = 16
_REP = 4
_MAXMSGSIZE = 22

#: Messages that are forwarded in one go before the other direction gets its turn.
_BURST = 1000


def proxy(frontend: Socketish, backend: Socketish, capture: Socketish | None = None) -> int:
    """Forward messages between two sockets, both ways, until their context ends; returns -1 then.

    Every message is also sent to *capture*, if there is one. This blocks: a program that does other things as well
    runs it on a thread of its own, where it is all C, and fastest. On the main thread signals are looked for: Ctrl-C
    raises KeyboardInterrupt, and after any other signal the proxy goes on. Nobody else may use the sockets meanwhile.

    Subscriptions of more than 10,000 bytes, over which libzmq would crash, do not get from an XPUB to an XSUB socket.
    That needs Python's eye on them, unless the XPUB was given a `maxmsgsize` of no more before it was bound.

    C: ``int zmq_proxy (void *frontend, void *backend, void *capture)``
    """
    sockets = _sockets(frontend, backend, capture)
    if not all(map(_is_socket, sockets)):
        return -1
    if _threads.on_main_thread() or _can_crash(*sockets[:2]) or _can_crash(*sockets[1::-1]):
        return _Proxy(*sockets).run()
    while True:
        rc: int = _threads.call(C.zmq_proxy, sockets[0], sockets[1], sockets[2] or ffi.NULL, uses=lambda *used: used)
        if rc == 0 or ffi.errno != errno.EINTR:
            return rc


def proxy_steerable(
    frontend: Socketish, backend: Socketish, capture: Socketish | None = None, control: Socketish | None = None
) -> int:
    """Forward messages as `proxy` does, and obey commands that come in at *control*, a PAIR, PULL, SUB or REP socket.

    The commands are PAUSE, RESUME and TERMINATE, which ends the proxy with 0; STATISTICS is answered with eight
    frames, each a uint64 of this machine: messages and bytes received, messages and bytes sent, of the frontend and
    then of the backend. A REP socket gets an empty answer to the others. A command that it does not know is passed
    over, where C would abort. Works on libraries that dropped the C function, too.

    C: ``int zmq_proxy_steerable (void *frontend, void *backend, void *capture, void *control)``
    """
    if control is not None:
        _commands.refuse(control, "control")
    sockets = (*_sockets(frontend, backend, capture), None if control is None else _socket(control, "control"))
    if not all(map(_is_socket, sockets)):
        return -1
    return _Proxy(*sockets).run()


def device(type: int, frontend: Socketish, backend: Socketish) -> int:
    """Forward messages as `proxy` does; deprecated. The *type*, such as zmq.QUEUE, is not looked at.

    C: ``int zmq_device (int type, void *frontend, void *backend)``
    """
    integer(type, "type")
    return proxy(frontend, backend)


def _sockets(
    frontend: Socketish, backend: Socketish, capture: Socketish | None
) -> tuple[Socket, Socket, Socket | None]:
    _commands.refuse(frontend, "frontend")
    _commands.refuse(backend, "backend")
    if capture is not None:
        _commands.refuse(capture, "capture")
    return (
        _socket(frontend, "frontend"),
        _socket(backend, "backend"),
        None if capture is None else _socket(capture, "capture"),
    )


def _type(handle: Socket) -> int:
    """Return a socket's type, or -1 with errno set for what is no socket: C's proxy does not look."""
    kind = ffi.new("int *")
    return -1 if C.zmq_getsockopt(handle, _TYPE, kind, ffi.new("size_t *", 4)) else int(kind[0])


def _is_socket(handle: Socket | None) -> bool:
    return handle is None or _type(handle) >= 0


def _can_crash(source: Socket, target: Socket) -> bool:
    """Tell whether any peer of *source* can have *target* subscribe to so long a topic that libzmq crashes."""
    if not _blocking.is_xsub(target):
        return False
    limit = ffi.new("int64_t *")
    C.zmq_getsockopt(source, _MAXMSGSIZE, limit, ffi.new("size_t *", 8))
    return not 0 <= limit[0] <= _blocking.LONGEST_TOPIC


class _Side:
    """One end of a proxy, and what went through it."""

    def __init__(self, handle: Socket) -> None:
        self.handle = handle
        self.statistics = [0, 0, 0, 0]
        self.is_xsub = _blocking.is_xsub(handle)

    def count(self, which: int, size: int) -> None:
        self.statistics[which] += 1
        self.statistics[which + 1] += size


class _Proxy:
    """C's proxy, done here."""

    def __init__(
        self, frontend: Socket, backend: Socket, capture: Socket | None, control: Socket | None = None
    ) -> None:
        self.sides = [_Side(frontend)] if frontend == backend else [_Side(frontend), _Side(backend)]
        self.capture = capture
        self.control = control
        self.message = msg_init()
        self.paused = False
        self.ended = False
        controls = [] if control is None else [{"socket": control, "events": _POLLIN}]
        self.items = ffi.new("zmq_pollitem_t[]", [{"socket": side.handle} for side in self.sides] + controls)

    def run(self) -> int:
        """Forward until a command or an error ends it; return 0 or -1."""
        # Only what is ready at both ends is waited for: of a side that cannot be written to, the other is not read.
        count = len(self.sides)
        writable = [False] * count
        while not self.ended:
            for i in range(count):
                wanted = 0 if writable[i] else _POLLOUT
                if writable[count - 1 - i]:
                    wanted |= _POLLIN
                self.items[i].events = 0 if self.paused else wanted
            if _blocking.poll(self.items, len(self.items), -1) < 0:
                return -1
            if self.control is not None and self.items[count].revents and not self.obey():
                return -1
            readable = []
            for i in range(count):
                events = self.items[i].revents
                writable[i] = writable[i] or bool(events & _POLLOUT)
                if events & _POLLIN:
                    readable.append(i)
            for i in readable:
                if self.paused or self.ended:
                    break
                if not self.forward(self.sides[i], self.sides[count - 1 - i]):
                    return -1
                writable[count - 1 - i] = False
        return 0

    def forward(self, source: _Side, target: _Side) -> bool:
        """Forward what there is, up to a burst; False after an error."""
        for _ in range(_BURST):
            size = C.zmq_msg_recv(self.message, source.handle, _DONTWAIT)
            if size < 0:
                return ffi.errno in (errno.EAGAIN, errno.EINTR)
            total = size
            if size > _blocking.LONGEST_TOPIC and target.is_xsub:
                data = C.zmq_msg_data(self.message)
                if _blocking.is_long_topic(data, size):
                    if not self.drop(source):
                        return False
                    continue
            while True:
                flags = _SNDMORE if C.zmq_msg_more(self.message) else 0
                if self.capture is not None and not self.copy(flags):
                    return False
                if not self.send(self.message, target.handle, flags):
                    return False
                if not flags:
                    break
                size = _blocking.receive(self.message, source.handle)
                if size < 0:
                    return False
                total += size
            source.count(0, total)
            target.count(2, total)
        return True

    def drop(self, source: _Side) -> bool:
        """Drop the rest of a message; False after an error."""
        while C.zmq_msg_more(self.message):
            if _blocking.receive(self.message, source.handle) < 0:
                return False
        return True

    def copy(self, flags: int) -> bool:
        """Send a copy of the message to the capture socket."""
        copy = msg_init()
        C.zmq_msg_copy(copy, self.message)
        assert self.capture is not None
        return self.send(copy, self.capture, flags)

    @staticmethod
    def send(message: ZmqMsg, handle: Socket, flags: int) -> bool:
        """Send one frame; False after an error."""
        return _blocking.send_by(lambda zmq_flags: C.zmq_msg_send(message, handle, zmq_flags), handle, flags) >= 0

    def obey(self) -> bool:
        """Do what a command says; False after an error."""
        assert self.control is not None
        size = C.zmq_msg_recv(self.message, self.control, _DONTWAIT)
        if size < 0:
            return ffi.errno in (errno.EAGAIN, errno.EINTR)
        command = ffi.buffer(C.zmq_msg_data(self.message), size)[:]
        if command == b"STATISTICS":
            numbers = [number for side in (self.sides[0], self.sides[-1]) for number in side.statistics]
            frames = [struct.pack("@Q", number) for number in numbers]
            return all(
                _blocking.send(self.control, frame, 0 if i == 7 else _SNDMORE) >= 0 for i, frame in enumerate(frames)
            )
        if command in (b"PAUSE", b"RESUME"):
            self.paused = command == b"PAUSE"
        elif command == b"TERMINATE":
            self.ended = True
        return _type(self.control) != _REP or _blocking.send(self.control, b"", 0) >= 0
