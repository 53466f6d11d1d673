"""What sockets have in common, whether their calls block or are awaited: types, endpoints, subscriptions, closing."""

from __future__ import annotations

import errno
from enum import IntEnum

from .. import _text, zmq, zsock, zsocket
from . import errors
from ._base import guarded
from ._options import NAMES, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Union

    from .._types import Buffer, Text
    from .context import Context

    Endpoints = Union[Text, Sequence[Text]]


class SocketType(IntEnum):
    """The types of sockets: numbers as libzmq has them, with names. Those from SERVER on are drafts."""

    PAIR = zmq.PAIR
    PUB = zmq.PUB
    SUB = zmq.SUB
    REQ = zmq.REQ
    REP = zmq.REP
    DEALER = zmq.DEALER
    ROUTER = zmq.ROUTER
    PULL = zmq.PULL
    PUSH = zmq.PUSH
    XPUB = zmq.XPUB
    XSUB = zmq.XSUB
    STREAM = zmq.STREAM
    SERVER = zmq.SERVER
    CLIENT = zmq.CLIENT
    RADIO = zmq.RADIO
    DISH = zmq.DISH
    GATHER = zmq.GATHER
    SCATTER = zmq.SCATTER
    DGRAM = zmq.DGRAM
    PEER = zmq.PEER
    CHANNEL = zmq.CHANNEL

    def __call__(self) -> str:
        """Return the name: programs for the old pyczmq call ``socket.type()``."""
        return self.name

    def __str__(self) -> str:
        return self.name


class BaseSocket(Options):
    """A socket of either kind: in a context of its own, or in CZMQ's process-wide one.

    It belongs to one thread at a time, as in ZeroMQ. What has not been sent when it is closed is dropped after its
    ``linger``, in milliseconds, which is the context's: 0 unless set.
    """

    __slots__ = ("_bound", "_connected", "_context", "_type")
    _noun = "socket"

    def __init__(
        self,
        type: int | str,
        *,
        bind: Endpoints | None = None,
        connect: Endpoints | None = None,
        subscribe: Text | Buffer | Sequence[Text | Buffer] | None = None,
        context: Context | None = None,
        **options: Any,
    ) -> None:
        """Make a socket of a type such as zmq.PUSH or "PUSH", set its options, then bind, connect and subscribe it.

        *bind*, *connect* and *subscribe* take one value or a list. Any option may be given by its name
        (``linger=100``). Raises ValueError for what is no type, TypeError for what is no option, ZMQError where libzmq
        refuses an endpoint.
        """
        self._type = _socket_type(type)
        self._context = context
        #: The endpoints that were bound, in libzmq's words -> as they were given.
        self._bound: dict[str, str] = {}
        self._connected: list[str] = []
        for name in options:
            if name not in NAMES:
                raise TypeError(f"{name} is no socket option")
        super().__init__(self._make())
        try:
            for name, value in options.items():
                setattr(self, name, value)
            for topic in _each(subscribe):
                self.subscribe(topic)
            for endpoint in _each(bind):
                self.bind(endpoint)
            for endpoint in _each(connect):
                self.connect(endpoint)
        except BaseException:
            self.close()
            raise

    def _make(self) -> Any:
        if self._context is None:
            return zsock.new(self._type)
        return self._context._new_socket(self)

    def _destroy(self, handle: Any) -> None:
        if self._context is None:
            zsock.destroy(handle)
        else:
            zsocket.destroy(self._context.handle, handle)

    def _closed_error(self) -> Exception:
        return errors.error("the socket is closed", errno.ENOTSOCK)

    @property
    def sock(self) -> Any:
        """The handle: the old pyczmq's name for it."""
        return self.handle

    @property
    def type(self) -> SocketType:
        """The socket's type: a number, such as zmq.PUSH, with a name."""
        return self._type

    @property
    def context(self) -> Context | None:
        """The context that the socket is in; None for CZMQ's process-wide one."""
        return self._context

    def type_str(self) -> str:
        """Return the name of the socket's type, such as "PUSH"."""
        return self._type.name

    @guarded
    def bind(self, endpoint: Text) -> int:
        """Bind to an endpoint and return the port, 0 where the endpoint has none.

        ``tcp://127.0.0.1:*`` takes the first free port from 49152 to 65535, ``:!`` a random one; `last_endpoint` is the
        endpoint with that port.
        """
        port = zsocket.bind(self._handle, endpoint)
        if port < 0:
            raise _refused("bind", endpoint)
        given = _text.decode(_text.encode(endpoint))
        self._bound[self._last_endpoint() or given] = given
        return port

    def _last_endpoint(self) -> str:
        last: str = zsocket.last_endpoint(self._handle)
        return last

    @guarded
    def connect(self, endpoint: Text) -> int:
        """Connect to an endpoint, in the background and again whenever the connection breaks."""
        if zsocket.connect(self._handle, endpoint) < 0:
            raise _refused("connect", endpoint)
        self._connected.append(_text.decode(_text.encode(endpoint)))
        return 0

    @guarded
    def unbind(self, endpoint: Text) -> int:
        """Unbind from an endpoint, named as `bind` or `last_endpoint` named it."""
        given = _text.decode(_text.encode(endpoint, "endpoint"))
        # libzmq knows no wildcards here.
        bound = next((bound for bound, name in reversed(list(self._bound.items())) if name == given), given)
        if zsocket.unbind(self._handle, bound) < 0:
            raise _refused("unbind", endpoint)
        self._bound.pop(bound, None)
        return 0

    @guarded
    def disconnect(self, endpoint: Text) -> int:
        """Disconnect from an endpoint, named as `connect` named it."""
        if zsocket.disconnect(self._handle, endpoint) < 0:
            raise _refused("disconnect", endpoint)
        text = _text.decode(_text.encode(endpoint))
        if text in self._connected:
            self._connected.remove(text)
        return 0

    def subscribe(self, topic: Text | Buffer = b"") -> None:
        """Receive messages that begin with *topic*, besides those subscribed to before; all with none. For SUB."""
        self._set_option("subscribe", topic)

    def unsubscribe(self, topic: Text | Buffer = b"") -> None:
        """Undo one subscription to *topic*."""
        self._set_option("unsubscribe", topic)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Find the setters of the old pyczmq: ``socket.set_linger(0)`` is ``socket.linger = 0``."""
            option = name[len("set_") :]
            if name.startswith("set_") and option in ("subscribe", "unsubscribe"):
                return getattr(self, option)
            if name.startswith("set_") and option in NAMES:
                return lambda value: setattr(self, option, value)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        parts = [type(self).__name__, self._type.name]
        if self.closed:
            parts.append("closed")
        else:
            parts += [f"bound to {endpoint}" for endpoint in self._bound]
            parts += [f"connected to {endpoint}" for endpoint in self._connected]
        return f"<{parts[0]} {parts[1]}{': ' if parts[2:] else ''}{', '.join(parts[2:])}>"


def _socket_type(type: int | str) -> SocketType:
    if isinstance(type, str):
        if type in SocketType.__members__:
            return SocketType[type]
        raise ValueError(f"type must be one of {', '.join(SocketType.__members__)}, not {type!r}")
    from .._numbers import integer

    number = integer(type, "type")
    try:
        return SocketType(number)
    except ValueError:
        raise ValueError(f"type is {number}, which is no type of socket") from None


def _each(values: Any) -> Sequence[Any]:
    """Return the values of an argument that takes one or a list."""
    if values is None:
        return ()
    return values if isinstance(values, (list, tuple)) else (values,)


def _refused(what: str, endpoint: Text) -> errors.ZMQError:
    code = zmq.errno()
    return errors.error(f"{what} {_text.decode(_text.encode(endpoint))}", code)
