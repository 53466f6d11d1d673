"""Peers: who is there, by what a beacon hears, for asyncio."""

from __future__ import annotations

import asyncio
from typing import Generic

from ..types import errors
from ..types.peers import BasePeers, Change, Report
from ._events import AsyncEvents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Peers(BasePeers[Report], Generic[Report]):
    """Who is there, as `pyczmq.Peers`, with changes that are awaited; `aio.Beacon.peers` returns it.

    For example::

        async with aio.Beacon(9999) as beacon:
            beacon.publish("SERVICE 5670")
            beacon.subscribe("SERVICE ")
            async for present, (address, payload) in beacon.peers():
                print(address, payload, "is here" if present else "is gone")
    """

    __slots__ = ()
    _source: AsyncEvents[Report]
    _kind = AsyncEvents

    async def recv(self) -> Change:
        """Return the next change."""
        while True:
            change = self._listen()
            if change is not None:
                return change
            timeout = self.timeout
            if timeout == 0:
                await asyncio.sleep(0)  # there is more to take than is taken at a time
                continue
            try:
                self._note(await asyncio.wait_for(self._source.recv(), None if timeout < 0 else timeout / 1000))
            except asyncio.TimeoutError:
                pass

    async def __aiter__(self) -> AsyncIterator[Change]:
        """Yield the changes; it ends when the context has ended, or the beacon was closed."""
        while not self._source._is_over():
            try:
                change = await self.recv()
            except errors.ContextTerminated:
                return
            except (errors.ZMQError, ValueError):
                if self._source._is_over():
                    return
                raise
            yield change
