"""What beacons, monitors and gossip nodes have in common: what they report is awaited."""

from __future__ import annotations

from ..types import errors
from ..types._events import Report, Source
from ._messaging import Awaiting
from ._waiting import POLLIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class AsyncEvents(Source[Report], Awaiting):
    """Reports that are awaited, in the order in which they come; being cancelled loses none."""

    __slots__ = ()

    async def recv(self) -> Report:
        """Receive the next report."""
        report: Report = await self._lock.waiters.run(self, self._attempt, POLLIN, "recv")
        return report

    async def __aiter__(self) -> AsyncIterator[Report]:
        """Yield what is reported; it ends when the context has ended, or the object was closed."""
        while not self._is_over():
            try:
                report = await self.recv()
            except errors.ContextTerminated:
                return
            except (errors.ZMQError, ValueError):
                if self._is_over():
                    return
                raise
            yield report
