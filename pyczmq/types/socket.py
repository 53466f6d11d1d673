"""Socket: a socket whose calls block; `pyczmq.aio.Socket` is the one for asyncio."""

from __future__ import annotations

from ._messaging import Messaging
from ._socket import BaseSocket


class Socket(BaseSocket, Messaging):
    """A socket, of a type such as zmq.PUSH.

    >>> from pyczmq import Socket, zmq
    >>> with Socket(zmq.PULL, bind="tcp://127.0.0.1:*") as pull:
    ...     with Socket(zmq.PUSH, connect=pull.last_endpoint) as push:
    ...         push.send("hello")
    ...         pull.recv(timeout=1000)
    0
    'hello'

    ``Socket(zmq.PUSH)`` is in the one context that CZMQ has for all of the process, ``Context().socket(zmq.PUSH)`` in
    a context of its own. Every option of libzmq is an attribute: ``push.sndhwm = 10``.

    Iteration yields the messages that come in, as `Message` objects.
    """

    __slots__ = ()
