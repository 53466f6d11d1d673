"""Monitor: what happens to a socket's connections, for asyncio."""

from __future__ import annotations

from ..types.monitor import BaseMonitor
from ..zmonitor import Event
from ._events import AsyncEvents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Monitor(BaseMonitor, AsyncEvents[Event]):
    """A monitor, as `pyczmq.Monitor` is, whose events are awaited.

    >>> import asyncio
    >>> from pyczmq import aio, zmq
    >>> async def main():
    ...     async with aio.Socket(zmq.PULL) as pull, aio.Monitor(pull, "LISTENING") as monitor:
    ...         pull.bind("tcp://127.0.0.1:*")
    ...         async for event in monitor:
    ...             return event.event
    >>> asyncio.run(main())
    'LISTENING'
    """

    __slots__ = ()

    def _destroy(self, handle: Any) -> None:
        self._release()
        super()._destroy(handle)
