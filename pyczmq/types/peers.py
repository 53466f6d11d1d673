"""Peers: who is there, by what a beacon hears, and who has fallen silent."""

from __future__ import annotations

import errno
import math
import time
from collections import deque
from typing import Any, Generic, NamedTuple, TypeVar

from .._numbers import integer
from . import errors
from ._events import Events, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

#: Milliseconds of silence after which a peer is gone: three of a beacon's default intervals.
EXPIRY = 3000

#: Reports that are taken at a time. Nobody is judged while there are more.
_MOST = 1000

Report = TypeVar("Report")


class Change(NamedTuple):
    """Somebody has come, or is gone: what was heard first, or last."""

    present: bool
    report: Any


class BasePeers(Generic[Report]):
    """Who is there, whether changes are waited for in blocking calls or awaited."""

    __slots__ = ("_changes", "_expiry", "_identify", "_seen", "_source")
    _source: Source[Report]
    _kind: type[Source[Any]] = Source

    def __init__(self, source: Source[Report], expiry: int, identify: Callable[[Report], Hashable]) -> None:
        """Take what comes from a *source*; *identify* returns what tells one peer from another."""
        if not isinstance(source, self._kind):
            raise TypeError(f"source must be a beacon, not {type(source).__name__}")
        if not callable(identify):
            raise TypeError(f"identify must be a function, not {type(identify).__name__}")
        self._source = source
        self._expiry = integer(expiry, "expiry", 1) / 1000
        self._identify = identify
        #: When each was heard last, and what was heard; who has been silent for longest is first.
        self._seen: dict[Hashable, tuple[float, Report]] = {}
        self._changes: deque[Change] = deque()

    @property
    def present(self) -> list[Report]:
        """What was heard last of each that is there; whoever was silent for longest is first."""
        return [report for _, report in self._seen.values()]

    @property
    def timeout(self) -> int:
        """Milliseconds until the next one may be gone, -1 where nobody is there: how long a poller may wait."""
        if self._changes:
            return 0
        for heard, _ in self._seen.values():
            return max(0, math.ceil((heard + self._expiry - time.monotonic()) * 1000))
        return -1

    def _note(self, report: Report) -> None:
        """Note that somebody was heard."""
        who = self._identify(report)
        if self._seen.pop(who, None) is None:
            self._changes.append(Change(True, report))
        self._seen[who] = time.monotonic(), report

    def _listen(self) -> Change | None:
        """Take what has come in, and only then see who was silent for too long; return the next change, if any."""
        if not self._changes:
            for _ in range(_MOST):
                report = self._source._take()
                if report is None:
                    self._expire(time.monotonic() - self._expiry)
                    break
                self._note(report)
        return self._changes.popleft() if self._changes else None

    def _expire(self, earliest: float) -> None:
        for who, (heard, report) in list(self._seen.items()):
            if heard > earliest:
                break
            del self._seen[who]
            self._changes.append(Change(False, report))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._source!r}: {len(self._seen)} present>"


class Peers(BasePeers[Report]):
    """Who is there, by what a beacon hears; `Beacon.peers` returns it.

    No beacon tells when somebody is gone: a host that dies says nothing any more. So whoever was silent for a while,
    the expiry, is gone, and comes again once it is heard again. What is heard is taken from the beacon, and so nobody
    else is to receive from that::

        with Beacon(9999, interval=100) as beacon:
            beacon.publish("SERVICE 5670")
            beacon.subscribe("SERVICE ")
            for present, (address, payload) in beacon.peers(expiry=500):
                print(address, payload, "is here" if present else "is gone")

    With a poller, wait for the beacon for the time that `timeout` tells, and call `recv_nowait` until it returns
    None. Timeouts are in milliseconds; None and -1 are for ever.
    """

    __slots__ = ()
    _source: Events[Report]
    _kind = Events

    def recv(self, *, timeout: int | None = None) -> Change:
        """Return the next change; `Again` is raised once the time has passed."""
        wait = -1 if timeout is None else integer(timeout, "timeout", -1)
        deadline = math.inf if wait < 0 else time.monotonic() + wait / 1000
        while True:
            change = self._listen()
            if change is not None:
                return change
            left = deadline - time.monotonic()
            if left <= 0:
                raise errors.error(f"recv on {self!r}", errno.EAGAIN)
            until_next = self.timeout
            if math.isfinite(left):
                milliseconds = math.ceil(left * 1000)
                until_next = milliseconds if until_next < 0 else min(until_next, milliseconds)
            self._source.poll(until_next)

    def recv_nowait(self) -> Change | None:
        """Return the next change if there is one; None at once if there is not."""
        return self._listen()

    def __iter__(self) -> Iterator[Change]:
        """Yield the changes; it ends when the context has ended, or the beacon was closed."""
        while not self._source._is_over():
            try:
                change = self.recv()
            except errors.ContextTerminated:
                return
            except (errors.ZMQError, ValueError):
                if self._source._is_over():
                    return
                raise
            yield change
