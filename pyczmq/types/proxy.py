"""Proxy: passes messages on between two sockets, on a thread of its own."""

from __future__ import annotations

from contextlib import ExitStack

from .. import _actors, _forwarding, _handles, _text, zactor, zproxy, zsock
from . import errors
from ._actor import OverActor
from ._base import guarded
from ._socket import SocketType, _each, _socket_type
from .socket import Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Union

    from .._types import Sock, Text
    from ._socket import Endpoints

    #: A type, endpoints, and options.
    Side = Union[tuple[Union[int, str], Endpoints], tuple[Union[int, str], Endpoints, dict[str, Any]]]

_NAMES = ("frontend", "backend", "capture")

#: What the sides that C makes can have besides their type and endpoints.
_OPTIONS = ("domain", "plain", "curve", "topics")


class Proxy(OverActor):
    """A proxy: what comes in at its frontend goes out at its backend, and the other way round.

    Its two sides are either a type and endpoints each, and an endpoint for copies of all messages, if anybody wants
    them. Then the proxy is CZMQ's, with no Python in the loop, and the fastest::

        with Proxy(("XSUB", "tcp://127.0.0.1:5555"), ("XPUB", "tcp://127.0.0.1:5556")):
            ...

    It binds to the endpoints, one or a list; one that begins with ``>`` is connected to. To that for copies it connects
    a PUSH socket. A dict as the third of a side has its options: ``domain``, its ZAP domain; ``plain=True`` for a PLAIN
    server; ``curve``, a certificate, or a pair of keys, for a CURVE server; ``topics`` for a SUB socket, which only
    libraries built with drafts heed. Such a proxy comes to a stop, and hears nothing, while it cannot get rid of a
    message: a PUSH or DEALER side with no peers waits for one, and so do `pause`, `resume` and `close`.

    Or the sides, and where the copies go, are `Socket` objects, of either kind and with any options::

        router = Socket(zmq.ROUTER, bind="tcp://127.0.0.1:*")
        dealer = Socket(zmq.DEALER, bind="inproc://workers")
        with Proxy(router, dealer) as proxy:
            print(proxy.frontend_endpoint)

    These the proxy takes over: they are in use in its thread, and closed with it. It runs in Python on that thread, and
    always listens; where one way has no room for messages, the other goes on.

    A subscription of a megabyte, which anybody can send to an XPUB, crashes libzmq where it gets to an XSUB socket.
    Proxies of `Socket` objects drop those of more than 10,000 bytes. C's do not look: put them between XSUB and XPUB
    only where those who subscribe are trusted.

    Messages are passed on whole; what is not passed on yet waits in the sockets, as much as their high-water marks let
    in. A proxy works as long as somebody refers to it, until `close`, or until a socket's context has ended.
    """

    __slots__ = ("_endpoints", "_in_c", "_paused", "_types")
    _noun = "proxy"

    def __init__(self, frontend: Socket | Side, backend: Socket | Side, capture: Socket | Text | None = None) -> None:
        """Start a proxy; it is at work when this returns.

        Raises ZMQError where an endpoint cannot be bound or connected to, RuntimeError for a socket that is in use, and
        TypeError for sides that are not both the one or the other. Then no socket was taken over, and nothing is left.
        """
        given: list[Any] = [frontend, backend] if capture is None else [frontend, backend, capture]
        are_sockets = [isinstance(side, Socket) for side in given]
        if any(are_sockets) and not all(are_sockets):
            raise TypeError("frontend, backend and capture must either all be Socket objects, or none of them")
        self._paused = False
        self._in_c = not all(are_sockets)
        if self._in_c:
            self._start_in_c(
                [_Made(side, name) for side, name in zip(given, _NAMES[:2])], given[2] if given[2:] else None
            )
        else:
            self._start(given)

    def _start(self, sockets: list[Socket]) -> None:
        """Start a proxy of Python's."""
        for name, socket in zip(_NAMES, sockets):
            if socket.type > SocketType.STREAM:
                raise ValueError(f"{name} is a {socket.type_str()} socket: the draft types are not for proxies")
        if len(set(sockets)) < len(sockets):
            raise ValueError("frontend, backend and capture must be different sockets")
        self._types = [socket.type_str() for socket in sockets]
        self._endpoints = [socket.last_endpoint or None for socket in sockets]

        def forward(pipe: Sock) -> None:
            _forward(pipe, sockets)

        forward.__qualname__ = type(self).__name__
        super().__init__(zactor.new(forward))

    def _start_in_c(self, sides: list[_Made], capture: Text | None) -> None:
        """Start a proxy of C's."""
        self._types = [side.type.name for side in sides]
        self._endpoints = [side.last_endpoint() for side in sides]
        super().__init__(zactor.new(zproxy.actor))
        try:
            # First, since a proxy that is at work may be stuck with a message, and hears nothing then.
            if capture is not None:
                try:
                    zproxy.capture(self._handle, capture)
                except OSError as error:
                    raise _refused("capture", capture, error) from None
            for side in sides:
                side.attach(self._handle)
        except BaseException:
            self.close()
            raise

    @guarded
    def pause(self) -> None:
        """Stop passing messages on until `resume`; those that come wait in the sockets."""
        self._tell(_forwarding.PAUSE, zproxy.pause)
        self._paused = True

    @guarded
    def resume(self) -> None:
        """Go on after `pause`."""
        self._tell(_forwarding.RESUME, zproxy.resume)
        self._paused = False

    def _tell(self, command: bytes, function_in_c: Callable[[Any], None]) -> None:
        """Give the proxy a command, and wait until it has acted."""
        if self._in_c:
            function_in_c(self._handle)
            return
        task = self._state.task
        try:
            if task is None or not task.finished:
                _actors.ask(self._handle, command)
        except (RuntimeError, TimeoutError):
            if not self.ended:
                raise
        # The signal of its end looks like an answer.
        if self.ended:
            _actors.raise_error(self._handle)
            raise RuntimeError("the proxy has ended: the context of one of its sockets has")

    @property
    def paused(self) -> bool:
        """Whether the proxy was told to stop passing messages on."""
        return self._paused

    @property
    def frontend_endpoint(self) -> str | None:
        """The endpoint of the frontend, of several the last; None if there is none, or C alone knows its port."""
        return self._endpoints[0]

    @property
    def backend_endpoint(self) -> str | None:
        """The endpoint of the backend, as `frontend_endpoint` is that of the frontend."""
        return self._endpoints[1]

    def __repr__(self) -> str:
        ends = [f"{kind} {endpoint}" if endpoint else kind for kind, endpoint in zip(self._types, self._endpoints)]
        state = "closed" if self.closed else "ended" if self.ended else "paused" if self._paused else "running"
        return f"<{type(self).__name__} {ends[0]} <-> {ends[1]} {state}>"


def _forward(pipe: Sock, sockets: list[Socket]) -> None:
    """Take over sockets and forward between them, on the proxy's thread."""
    with ExitStack() as locks:
        for socket in sockets:
            if not socket._lock.acquire(False):
                raise socket._in_use()
            locks.callback(socket._lock.release)
        forwarder = _forwarding.Forwarder(pipe, *[_handles.socket(socket.handle) for socket in sockets])
        with ExitStack() as closing:
            for socket in sockets:
                closing.callback(socket.close)
            zsock.signal(pipe, 0)
            forwarder.run()


# ---------------------------------------------------------------- the sides that C makes


class _Made:
    """A side as it is to be made."""

    def __init__(self, given: Any, name: str) -> None:
        if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
            raise TypeError(f"{name} must be a Socket, or a type and endpoints, not {type(given).__name__}")
        self.name = name
        self.type = _socket_type(given[0])
        self.endpoints = [_text.decode(_text.encode(endpoint, f"{name}'s endpoint")) for endpoint in _each(given[1])]
        self.options: dict[str, Any] = given[2] if len(given) > 2 else {}
        if not isinstance(self.options, dict):
            raise TypeError(f"{name}'s options must be in a dict, not {type(self.options).__name__}")
        for option in self.options:
            if option not in _OPTIONS:
                raise TypeError(f"{name} has no option {option!r}: there are {', '.join(_OPTIONS)}")

    def last_endpoint(self) -> str | None:
        """Return the last endpoint, if it is known before it is bound."""
        last = ",".join(self.endpoints).rstrip(",").rpartition(",")[2]
        endpoint = last[1:] if last.startswith(("@", ">")) else last
        is_open = endpoint.rpartition(":")[2].lstrip("/").startswith(("*", "!"))
        return None if is_open else endpoint

    def attach(self, proxy: Any) -> None:
        """Give the proxy this side, with its security first."""
        side, options = self.name.upper(), self.options
        if "domain" in options:
            zproxy.domain(proxy, side, options["domain"])
        if options.get("plain"):
            zproxy.plain(proxy, side)
        if "curve" in options:
            keys = options["curve"]
            if not getattr(keys, "has_secret", True):
                raise ValueError(f"{self.name}'s certificate has no secret key")
            zproxy.curve(proxy, side, *(keys if isinstance(keys, tuple) else [getattr(keys, "handle", keys)]))
        endpoints = ",".join(self.endpoints)
        attach = zproxy.frontend if self.name == _NAMES[0] else zproxy.backend
        try:
            attach(proxy, self.type, endpoints, *_each(options.get("topics")))
        except OSError as error:
            raise _refused(self.name, endpoints, error) from None


def _refused(what: str, endpoints: Text, error: OSError) -> OSError:
    """Return the exception for endpoints that libzmq has refused."""
    if isinstance(error, TimeoutError):
        return error
    return errors.error(f"{what} {_text.decode(_text.encode(endpoints))}", error.errno)
