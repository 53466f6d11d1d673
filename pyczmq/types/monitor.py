"""Monitor: what happens to a socket's connections: it listens, a peer is there, has been refused, has gone."""

from __future__ import annotations

import errno

from .. import _reports, zmonitor, zmq
from ..zmonitor import Event
from . import errors
from ._base import guarded
from ._events import Events, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._types import Socket, Socketish, Text
    from ._base import Object


def recv_event(source: Socketish, handle: Socket) -> Event | None:
    """Return a monitor's next event; None at once, with libzmq's errno set, if there is none.

    ENOTSOCK means that there will be none any more, since the socket that it watches was closed.
    """
    while True:
        event = zmonitor.recv(source, 0)  # type: ignore[arg-type]
        if event is None and _has_ended(source):
            _reports.note_end()
            return None
        if event is not None or _reports.none_yet(handle):
            return event


def _has_ended(monitor: Any) -> bool:
    """Tell whether everything was reported that there will ever be."""
    found = zmonitor._find(monitor)
    return found is not None and found.ended


class BaseMonitor(Source[Event]):
    """A monitor, whether its events are waited for in blocking calls or awaited."""

    __slots__ = ("_watched",)
    _noun = "monitor"
    _attempt = staticmethod(recv_event)

    def __init__(self, socket: Object | Socketish, *events: Text) -> None:
        """Watch a socket, of either kind, or an actor, from now on; *events* are names (see `Event`), by default all.

        Raises ValueError for what is no name of an event, and if the socket has a monitor already.
        """
        self._watched = socket
        super().__init__(zmonitor.new(getattr(socket, "handle", socket)))  # type: ignore[arg-type]
        try:
            zmonitor.listen(self._handle, *(events or ("ALL",)))
            zmonitor.start(self._handle)
            context = getattr(socket, "context", None)
            if context is not None:
                context._note(self)
        except BaseException:
            self.close()
            raise

    def _destroy(self, handle: Any) -> None:
        zmonitor.destroy(handle)

    def _pollable(self) -> Socketish:
        handle: Socketish = self.handle
        return handle

    def _is_over(self) -> bool:
        try:
            return self.closed or _has_ended(self._handle)
        except ValueError:
            # It was closed just now, with its context, by another thread.
            return True

    def _failed(self, what: str) -> Exception:
        code = zmq.errno()
        if code == errno.ENOTSOCK:
            return errors.ZMQError(code, f"{what} on {self!r}", "the socket was closed, and everything was reported")
        return errors.error(f"{what} on {self!r}", code)

    @guarded
    def verbose(self) -> None:
        """Have CZMQ's log tell of each event, too, when it is received."""
        zmonitor.verbose(self._handle)

    @property
    def socket(self) -> Object | Socketish:
        """The socket that is watched, as it was given."""
        return self._watched

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"<{name} closed>" if self.closed else f"<{name} of {self._watched!r}>"


class Monitor(BaseMonitor, Events[Event]):
    """A monitor: libzmq's events for one socket, as `Event` tuples of a name, a value and the endpoint.

    >>> from pyczmq import Monitor, Socket, zmq
    >>> with Socket(zmq.PULL) as pull, Monitor(pull, "LISTENING", "ACCEPTED") as monitor:
    ...     port = pull.bind("tcp://127.0.0.1:*")
    ...     monitor.recv().event
    'LISTENING'

    Iteration yields the events, and ends once the socket was closed and everything was reported; `recv` raises ZMQError
    with ENOTSOCK then. libzmq reports on tcp and ipc endpoints only. A socket has one monitor at a time, which keeps it
    alive, and may be used in another thread than the socket.
    """

    __slots__ = ()
