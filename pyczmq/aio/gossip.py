"""Gossip: keys and values that spread through a network of nodes, for asyncio."""

from __future__ import annotations

from .. import zgossip
from ..types.gossip import BaseGossip
from ..zgossip import Delivery
from ._events import AsyncEvents
from ._waiting import POLLIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Gossip(BaseGossip, AsyncEvents[Delivery]):
    """A node of a gossip network, as `pyczmq.Gossip` is, whose deliveries are awaited.

    >>> import asyncio
    >>> from pyczmq import aio
    >>> async def main():
    ...     async with aio.Gossip("base") as base, aio.Gossip("node") as node:
    ...         port = base.bind("tcp://127.0.0.1:*")
    ...         node.connect(f"tcp://127.0.0.1:{port}")
    ...         node.publish("alpha", "inproc://service-1")
    ...         return await base.recv()
    >>> asyncio.run(main())
    Delivery(key='alpha', value='inproc://service-1')
    """

    __slots__ = ()

    def _also(self, handle: Any) -> Callable[[], int]:
        # What other calls have received.
        return lambda: POLLIN if zgossip._talk(handle).sort() > 0 else 0

    def _destroy(self, handle: Any) -> None:
        self._release()
        super()._destroy(handle)
