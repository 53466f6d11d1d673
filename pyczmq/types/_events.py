"""What beacons, monitors and gossip nodes have in common: they report, and whoever made them waits for that."""

from __future__ import annotations

import errno
from functools import partial
from typing import Generic, TypeVar

from .. import _blocking, _handles, zmq
from .._numbers import integer
from . import errors
from ._base import Object, guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._types import Socket, Socketish

Report = TypeVar("Report")


class Source(Object, Generic[Report]):
    """Where reports come from, whether they are waited for in a blocking call or awaited."""

    __slots__ = ()

    def _pollable(self) -> Socketish:
        """Return the handle that is ready for input when there is a report; an error once the object is closed."""
        raise NotImplementedError

    @staticmethod
    def _attempt(source: Socketish, handle: Socket) -> Report | None:
        """Return the next report; None at once, with libzmq's errno set, if there is none.

        *source* is what `_pollable` returns, *handle* the libzmq socket behind it.
        """
        raise NotImplementedError

    @guarded
    def _take(self) -> Report | None:
        """Return the next report if there is one; None at once if there is not."""
        source = self._pollable()
        handle = _handles.socket(source, self._noun)
        report: Report | None = self._attempt(source, handle)
        if report is None and zmq.errno() not in (errno.EAGAIN, errno.EINTR):
            raise self._failed("recv")
        return report

    def _has_some(self) -> bool:
        """Tell whether there are reports that a poller does not see, since they were received already."""
        return False

    def _is_over(self) -> bool:
        """Tell whether there will be no more reports."""
        return self.closed


class Events(Source[Report]):
    """Reports that are waited for in blocking calls.

    Timeouts are in milliseconds; None and -1 are for ever. `Again` is raised once the time has passed,
    `ContextTerminated` when the context has ended meanwhile. Ctrl-C gets through.
    """

    __slots__ = ()

    def recv(self, *, timeout: int | None = None) -> Report:
        """Receive the next report."""
        return self._receive(-1 if timeout is None else integer(timeout, "timeout", -1))

    @guarded
    def _receive(self, timeout: int) -> Report:
        source = self._pollable()
        handle = _handles.socket(source, self._noun)
        attempt = partial(self._attempt, source, handle)
        received: Report | None = attempt()
        if received is None:
            received = _blocking.until(attempt, handle, _blocking.POLLIN, timeout)
            if received is None:
                raise self._failed("recv")
        return received

    def recv_nowait(self) -> Report | None:
        """Receive the next report if there is one; None at once if there is not."""
        try:
            return self.recv(timeout=0)
        except errors.Again:
            return None

    def poll(self, timeout: int = 0) -> bool:
        """Wait until there is a report, for *timeout* milliseconds (-1: for ever); return whether there is one."""
        return self._poll(integer(timeout, "timeout", -1))

    @guarded
    def _poll(self, timeout: int) -> bool:
        return self._has_some() or _blocking.wait(
            _handles.socket(self._pollable(), self._noun), _blocking.POLLIN, timeout
        )

    def __iter__(self) -> Iterator[Report]:
        """Yield what is reported; it ends when the context has ended, or the object was closed."""
        while not self._is_over():
            try:
                report = self.recv()
            except errors.ContextTerminated:
                return
            except (errors.ZMQError, ValueError):
                if self._is_over():
                    return
                raise
            yield report
