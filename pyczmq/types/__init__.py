"""pyczmq.types: objects over the namespaces, for programs that need not know C.

Contexts, sockets, messages, actors and all the rest as Python has them: with blocks, iteration, attributes for options,
exceptions. Each is in a module of its own, which is loaded when it is first used; `pyczmq` has all of them, too.

    >>> from pyczmq import Socket, zmq
    >>> with Socket(zmq.REP, bind="inproc://greeter") as server, Socket(zmq.REQ, connect="inproc://greeter") as client:
    ...     client.send("world")
    ...     server.send(f"hello {server.recv()}")
    ...     client.recv()
    0
    0
    'hello world'

Each object has a `handle`, for the functions of the namespaces. Using a closed object raises ZMQError or ValueError,
and using one in two threads at once RuntimeError.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._actor import Actor, Pipe, actor
    from ._socket import SocketType
    from .auth import Auth
    from .beacon import Beacon
    from .cert import Cert
    from .certstore import CertStore
    from .config import Config
    from .context import Context
    from .errors import Again, ContextTerminated, ZMQError
    from .frame import Frame
    from .gossip import Gossip
    from .loop import Loop
    from .message import Message
    from .monitor import Monitor
    from .peers import Peers
    from .poller import Poller
    from .proxy import Proxy
    from .socket import Socket

__all__ = [
    "Context",
    "Socket",
    "SocketType",
    "Frame",
    "Message",
    "Poller",
    "Loop",
    "Actor",
    "Pipe",
    "actor",
    "Beacon",
    "Peers",
    "Auth",
    "Cert",
    "CertStore",
    "Proxy",
    "Monitor",
    "Gossip",
    "Config",
    "ZMQError",
    "Again",
    "ContextTerminated",
]

#: The modules of those that are not in a module of their own name.
_MODULES = {
    "SocketType": "_socket",
    "Actor": "_actor",
    "Pipe": "_actor",
    # A module of this name would stand in the way of the function.
    "actor": "_actor",
    "ZMQError": "errors",
    "Again": "errors",
    "ContextTerminated": "errors",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module(f"{__name__}.{_MODULES.get(name, name.lower())}"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
