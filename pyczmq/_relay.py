"""Relays: threads that carry messages from one socket to another, and bring them into the form that C can stand."""

from __future__ import annotations

import errno
import itertools
import time
from _thread import allocate_lock

from . import _blocking, _threads
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._types import CData, Sock, Socket

    Frames = list[bytes]

_DONTWAIT = 1
_SNDMORE = 2
_PAIR_TYPE = 0
_POLLERR = 4
_MOMENT = 0.001

#: Sockets that a pair takes.
PAIR = 2

_numbers = itertools.count()


def pair(limit: int | None = None) -> tuple[Sock, Sock]:
    """Return two zsocks that are connected to each other, for which there must be room.

    *limit* is the high-water mark of each, in place of CZMQ's.
    """
    name = ffi.new("char[]", b"inproc://pyczmq.relay.%d" % next(_numbers))
    ends = C.zsock_new(_PAIR_TYPE), C.zsock_new(_PAIR_TYPE)
    if limit is not None:
        for end in ends:
            C.zsock_set_sndhwm(end, limit)
            C.zsock_set_rcvhwm(end, limit)
    C.zsock_bind(ends[0], b"%s", name)
    C.zsock_connect(ends[1], b"%s", name)
    return ends


def close(*sockets: Sock) -> None:
    """Destroy zsocks."""
    for socket in sockets:
        C.zsock_destroy(ffi.new("zsock_t **", socket))


class Relay:
    """Carries messages from *source* to *sink*, which are its own from now until `stop` has returned.

    *reshape* makes of the frames of one message those of any number of messages. Each of these waits until *gate*, a
    file descriptor, can be written to, and is dropped if that never can be any more.
    """

    def __init__(
        self, source: Socket, sink: Socket, reshape: Callable[[Frames], Iterable[Frames]], gate: int = -1
    ) -> None:
        self._source = source
        self._sink = sink
        self._reshape = reshape
        self._gate = gate
        self._ends = pair()
        self._stopped = allocate_lock()
        self._stopped.acquire()
        try:
            _threads.start_helper(self._run)
        except BaseException:
            close(*self._ends)
            raise

    def stop(self) -> None:
        """End the relay and wait for that, which is soon; what it has not carried is left in the source."""
        C.zmq_send(C.zsock_resolve(self._ends[0]), b"", 0, _DONTWAIT)
        with self._stopped:
            pass
        close(*self._ends)

    def _run(self) -> None:
        order = C.zsock_resolve(self._ends[1])
        wanted = [{"socket": order, "events": _blocking.POLLIN}, {"socket": self._source, "events": _blocking.POLLIN}]
        items = ffi.new("zmq_pollitem_t[2]", wanted)
        room = ffi.new("zmq_pollitem_t[2]", [wanted[0], {"socket": self._sink, "events": _blocking.POLLOUT}])
        gate = ffi.new("zmq_pollitem_t[2]", [wanted[0], {"fd": max(0, self._gate), "events": _blocking.POLLOUT}])
        message = ffi.new("zmq_msg_t *")
        C.zmq_msg_init(message)
        try:
            while self._wait(items):
                frames = self._receive(message)
                for part in self._reshape(frames) if frames else ():
                    if self._gate >= 0:
                        if not self._wait(gate):
                            return
                        if gate[1].revents & _POLLERR:
                            continue
                    if not self._send(part, room):
                        return
        finally:
            C.zmq_msg_close(message)
            self._stopped.release()

    def _wait(self, items: CData) -> bool:
        """Wait for one of two sockets; tell whether to go on."""
        while C.zmq_poll(items, 2, -1) < 0:
            if ffi.errno != errno.EINTR:
                return False
        return not items[0].revents

    def _receive(self, message: CData) -> Frames:
        frames: Frames = []
        more = 1
        while more:
            if C.zmq_msg_recv(message, self._source, 0 if frames else _DONTWAIT) < 0:
                if ffi.errno == errno.EINTR:
                    continue
                return []
            frames.append(bytes(ffi.buffer(C.zmq_msg_data(message), C.zmq_msg_size(message))))
            more = C.zmq_msg_more(message)
        return frames

    def _send(self, frames: Frames, room: CData) -> bool:
        """Send a message once there is room; one that the sink cannot send at all is dropped, as C drops it."""
        flags = _SNDMORE if len(frames) > 1 else 0
        pause = 0.0
        while C.zmq_send(self._sink, frames[0], len(frames[0]), _DONTWAIT | flags) < 0:
            if ffi.errno not in (errno.EAGAIN, errno.EINTR):
                return True
            # Some sockets say that there is room for a message that they would not send.
            time.sleep(pause)
            pause = _MOMENT
            if not self._wait(room):
                return False
        for number, frame in enumerate(frames[1:], 2):
            flags = _SNDMORE if number < len(frames) else 0
            while C.zmq_send(self._sink, frame, len(frame), flags) < 0 and ffi.errno == errno.EINTR:
                pass
        return True
