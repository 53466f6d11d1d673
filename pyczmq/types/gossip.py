"""Gossip: keys and values that spread through a network of nodes until all have the same."""

from __future__ import annotations

import errno

from .. import _reports, _text, zactor, zgossip
from ..zgossip import Delivery
from . import errors
from ._base import guarded
from ._events import Events, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._types import Cert as CertHandle
    from .._types import Socket, Socketish, Text
    from ..zcert import Filename
    from .cert import Cert


def recv_delivery(source: Socketish, handle: Socket) -> Delivery | None:
    """Return the next pair that is new to a node; None at once, with libzmq's errno set, if there is none.

    What other calls have received meanwhile counts as well. Raises RuntimeError if the node has ended.
    """
    while True:
        delivery = zgossip.recv(source, 0)  # type: ignore[arg-type]
        if delivery is not None or _reports.none_yet(handle):
            return delivery


class BaseGossip(Source[Delivery]):
    """A gossip node, whether what it delivers is waited for in blocking calls or awaited."""

    __slots__ = ("_bound", "_connected", "_name")
    _noun = "gossip node"
    _attempt = staticmethod(recv_delivery)

    def __init__(self, name: Text | None = None) -> None:
        """Start a node; its lines in CZMQ's log begin with *name*."""
        super().__init__(zactor.new(zgossip.actor, name))
        self._name = "" if name is None else _text.decode(_text.encode(name))
        self._bound: list[str] = []
        self._connected: list[str] = []

    def _destroy(self, handle: Any) -> None:
        zactor.destroy(handle)

    def _pollable(self) -> Socketish:
        handle: Socketish = self.handle
        return handle

    def _has_some(self) -> bool:
        return zgossip._talk(self._handle).sort() > 0

    @property
    def name(self) -> str:
        """What the node's lines in CZMQ's log begin with."""
        return self._name

    @guarded
    def bind(self, endpoint: Text) -> int:
        """Let other nodes connect to an endpoint; return its port, 0 where it has none.

        A tcp endpoint that ends in ``:*`` takes the first free port from 49152 on, and one that ends in ``:!`` or
        ``:0`` a random one of them. A node may bind to several endpoints. Raises ZMQError where that is not possible.
        """
        port = zgossip.bind(self._handle, endpoint)
        text = _text.decode(_text.encode(endpoint))
        if port < 0:
            raise errors.ZMQError(errno.EADDRNOTAVAIL, f"bind {text}", "the node cannot bind to this")
        self._bound.append(f"{text.rpartition(':')[0]}:{port}" if port else text)
        return port

    @guarded
    def connect(self, endpoint: Text, public_key: Text | None = None) -> None:
        """Connect to another node, and again whenever the connection breaks; it need not be there yet.

        An endpoint is ``tcp://host:port``, ``ipc://file`` or ``inproc://name``; OSError where there is no such host.
        With the other node's *public_key*, 40 characters of Z85, the connection is encrypted by CURVE, for which this
        node needs a certificate of its own. Only libraries built with drafts have this.
        """
        zgossip.connect(self._handle, endpoint, public_key)
        text = _text.decode(_text.encode(endpoint))
        if text not in self._connected:
            self._connected.append(text)

    @guarded
    def publish(self, key: Text, value: Text) -> None:
        """Publish a pair: to this node, and to all that it is connected with, now and later.

        A key has at most 255 bytes. Neither may contain a NUL byte. A value must not change again before all nodes have
        the one before: two values of one key that are under way at the same time are passed on from node to node for
        ever.
        """
        zgossip.publish(self._handle, key, value)

    @guarded
    def unpublish(self, key: Text) -> None:
        """Forget a pair, in this node alone; others keep it, and may bring it back.

        Only libraries built with drafts have this.
        """
        zgossip.unpublish(self._handle, key)

    @guarded
    def port(self) -> int:
        """Return the port that was bound last, 0 if there is none, or -1 if the last `bind` has failed."""
        return zgossip.port(self._handle)

    @guarded
    def status(self) -> int:
        """Return how many pairs the node has; each command that was given before has been carried out then."""
        return zgossip.status(self._handle)

    @guarded
    def load(self, filename: Filename) -> None:
        """Load the node's configuration from a ZPL file, in place of the one before; see `zgossip.load`.

        Raises OSError if the file cannot be read, ValueError for one that cannot be loaded.
        """
        zgossip.load(self._handle, filename)

    @guarded
    def save(self, filename: Filename) -> None:
        """Save the node's configuration to a ZPL file, not its pairs; OSError if that cannot be written."""
        zgossip.save(self._handle, filename)

    @guarded
    def set(self, path: Text, value: Text) -> None:
        """Set one value of the node's configuration, such as ``server/timeout``; see `zgossip.set`."""
        zgossip.set(self._handle, path, value)

    @guarded
    def verbose(self) -> None:
        """Have the node write what it does to CZMQ's log, for good."""
        zgossip.verbose(self._handle)

    @guarded
    def set_certificate(self, cert: Cert | CertHandle) -> None:
        """Give the node a certificate, before it binds or connects. Only libraries built with drafts have this.

        Who may connect is up to the authenticator of the process (`Auth`); without one all may that know the public
        key.
        """
        zgossip.set_certificate(self._handle, getattr(cert, "handle", cert))  # type: ignore[arg-type]

    @guarded
    def zap_domain(self, domain: Text) -> None:
        """Set the domain that the authenticator is asked for, before a bind. Only libraries built with drafts."""
        zgossip.zap_domain(self._handle, domain)

    def __repr__(self) -> str:
        name = f"{type(self).__name__} {self._name!r}" if self._name else type(self).__name__
        if self.closed:
            return f"<{name} closed>"
        places = [f"bound to {endpoint}" for endpoint in self._bound]
        places += [f"connected to {endpoint}" for endpoint in self._connected]
        return f"<{name}{': ' if places else ''}{', '.join(places)}>"


class Gossip(BaseGossip, Events[Delivery]):
    """A node of a gossip network, which delivers each pair that is new to it, its own too, as `Delivery`.

    >>> from pyczmq import Gossip
    >>> with Gossip("base") as base, Gossip("node") as node:
    ...     port = base.bind("tcp://127.0.0.1:*")
    ...     node.connect(f"tcp://127.0.0.1:{port}")
    ...     node.publish("alpha", "inproc://service-1")
    ...     base.recv()
    Delivery(key='alpha', value='inproc://service-1')

    Nodes connect to one another in any shape; what one publishes, or hears, it passes on. Who connects later gets all
    pairs. Iteration yields the deliveries. Nodes trust one another: one that receives anything but gossip ends, and
    each further call is a RuntimeError. A node belongs to one thread at a time.
    """

    __slots__ = ()
