"""pyczmq.aio: the objects for asyncio. What waits is awaited; all else is as in `pyczmq.types`.

Each socket is driven by the running event loop's reader on the socket's own file descriptor: there is no thread behind
it, and no polling. It works with asyncio's own loops on POSIX systems, and with uvloop.

    >>> import asyncio
    >>> from pyczmq import aio, zmq
    >>> async def main():
    ...     async with aio.Socket(zmq.PULL, bind="inproc://jobs") as pull:
    ...         async with aio.Socket(zmq.PUSH, connect="inproc://jobs") as push:
    ...             await push.send_json({"job": 1})
    ...             return await pull.recv_json()
    >>> asyncio.run(main())
    {'job': 1}
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._actor import Actor, Pipe, actor
    from .beacon import Beacon
    from .gossip import Gossip
    from .monitor import Monitor
    from .peers import Peers
    from .poller import Poller
    from .socket import Socket

__all__ = ["Socket", "Poller", "Actor", "Pipe", "actor", "Beacon", "Peers", "Monitor", "Gossip"]

#: The modules of those that are not in a module of their own name.
_MODULES = {"Actor": "_actor", "Pipe": "_actor", "actor": "_actor"}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        module = _MODULES.get(name, name.lower())
        found = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
