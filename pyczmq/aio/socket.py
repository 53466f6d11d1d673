"""Socket: a socket for asyncio."""

from __future__ import annotations

from ..types._socket import BaseSocket
from ._messaging import AsyncMessaging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Socket(BaseSocket, AsyncMessaging):
    """A socket whose messages are awaited; all else, such as binding, options and closing, is as in `pyczmq.Socket`.

    >>> import asyncio
    >>> from pyczmq import aio, zmq
    >>> async def main():
    ...     async with aio.Socket(zmq.REP, bind="tcp://127.0.0.1:*") as server:
    ...         async with aio.Socket(zmq.REQ, connect=server.last_endpoint) as client:
    ...             await client.send("world")
    ...             await server.send(f"hello {await server.recv()}")
    ...             return await client.recv()
    >>> asyncio.run(main())
    'hello world'

    ``aio.Socket(zmq.REP, context=context)`` is in a `Context` of its own. A socket belongs to the event loop that it is
    awaited in; it may move to another one once nobody waits. ``async for`` yields messages, as `Message` objects.
    """

    __slots__ = ()

    def _destroy(self, handle: Any) -> None:
        self._release()
        super()._destroy(handle)
