"""Servers that clients try to get into, the same on each floor: zsocket, zsock, objects, asyncio.

A floor has an authenticator, and makes servers (PULL) and clients (PUSH)::

    with doors.open_floor("zsocket") as floor:
        floor.curve(known)
        with floor.server(doors.Curve(SERVER)) as door:
            assert not door.admits(doors.Curve(STRANGER, SERVER.public_key))

A client sends a message at once, which gets to the server only with the handshake done. What libzmq tells of that
handshake is waited for, so no test waits for nothing to happen.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pyczmq import zactor, zauth, zcert, zctx, zmonitor, zmq, zsock, zsocket, zstr
from pyczmq.aio import Socket as AioSocket
from pyczmq.types import Auth, Cert, Context, Socket

HOST = "127.0.0.1"

#: Milliseconds for what must happen.
PATIENCE = 10_000

SUCCEEDED = "HANDSHAKE_SUCCEEDED"
OUTCOMES = (SUCCEEDED, "HANDSHAKE_FAILED_AUTH", "HANDSHAKE_FAILED_PROTOCOL", "HANDSHAKE_FAILED_NO_DETAIL")

Options = dict[str, Any]


@dataclass
class Security:
    """How a socket is secured: by nothing at all, unless it has options."""

    options: Options = field(default_factory=dict)


@dataclass
class Curve(Security):
    """CURVE, with the socket's own certificate: a client's if it has a server's key, else a server's."""

    cert: Cert = field(default_factory=Cert)
    server_key: str | None = None


NULL = Security({"zap_domain": "global"})
PLAIN = Security({"plain_server": True})


def curve(cert: Cert, server_key: str | None = None, **options: Any) -> Curve:
    """Return CURVE security with a certificate."""
    return Curve(options, cert, server_key)


def plain(name: str, password: str) -> Security:
    """Return the security of a client with a password."""
    return Security({"plain_username": name, "plain_password": password})


class Floor(ABC):
    """A floor, with an authenticator that runs."""

    #: Whether requests go to CZMQ's authenticator through a relay of pyczmq's, which knows what is gone.
    relayed = True

    @abstractmethod
    def start(self) -> None:
        """Start the authenticator."""

    @abstractmethod
    def end(self) -> None:
        """End the authenticator, unless that was done."""

    @abstractmethod
    def close(self) -> None:
        """End all of it."""

    @abstractmethod
    def configure(self, what: str, *args: Any) -> None:
        """Have the authenticator do one of curve, plain, allow, deny."""

    @abstractmethod
    def socket(self, kind: int, security: Security) -> Any:
        """Make a socket."""

    @abstractmethod
    def drop(self, socket: Any) -> None:
        """Close a socket."""

    def curve(self, folder: os.PathLike[str] | str) -> None:
        """Let in whose certificate is in a folder."""
        self.configure("curve", folder)

    def plain(self, file: os.PathLike[str]) -> None:
        """Let in whose name and password are in a file."""
        self.configure("plain", file)

    @contextlib.contextmanager
    def server(self, security: Security) -> Iterator[Door]:
        """Make a server that is bound, and watched."""
        socket = self.socket(zmq.PULL, security)
        try:
            yield Door(self, socket)
        finally:
            self.drop(socket)

    def receive(self, socket: Any, patience: int) -> str | None:
        """Return what a socket receives within some milliseconds."""
        return zstr.recv(handle_of(socket)) if zsocket.poll(handle_of(socket), patience) else None


def handle_of(socket: Any) -> Any:
    """Return the handle of a socket of any floor."""
    return zsock.resolve(getattr(socket, "handle", socket))


class _Namespaces(Floor):
    auth: Any = None

    def configure(self, what: str, *args: Any) -> None:
        domain = ("*",) if what in ("curve", "plain") else ()
        function = getattr(zauth, f"configure_{what}" if domain else what)
        function(self.auth, *domain, *args)

    def end(self) -> None:
        if self.auth is not None:
            zauth.destroy(self.auth)
            self.auth = None

    def secure(self, socket: Any, security: Security) -> Any:
        for name, value in security.options.items():
            getattr(zsocket, f"set_{name}")(socket, value)
        if isinstance(security, Curve):
            zcert.apply(security.cert.handle, socket)
            if security.server_key is None:
                zsocket.set_curve_server(socket, True)
            else:
                zsocket.set_curve_serverkey(socket, security.server_key)
        return socket


class ZsocketFloor(_Namespaces):
    def __init__(self) -> None:
        self.ctx = zctx.new()

    def start(self) -> None:
        self.auth = zauth.new(self.ctx)

    def close(self) -> None:
        self.end()
        zctx.destroy(self.ctx)

    def socket(self, kind: int, security: Security) -> Any:
        return self.secure(zsocket.new(self.ctx, kind), security)

    def drop(self, socket: Any) -> None:
        zsocket.destroy(self.ctx, socket)


class ZsockFloor(_Namespaces):
    relayed = False

    def start(self) -> None:
        self.auth = zactor.new(zauth.actor)

    def close(self) -> None:
        self.end()

    def socket(self, kind: int, security: Security) -> Any:
        return self.secure(zsock.new(kind), security)

    def drop(self, socket: Any) -> None:
        zsock.destroy(socket)


class ObjectFloor(Floor):
    make: Any = Socket

    def __init__(self) -> None:
        self.context: Context | None = Context()

    def start(self) -> None:
        self.auth = Auth()

    def end(self) -> None:
        self.auth.close()

    def close(self) -> None:
        self.end()
        if self.context is not None:
            self.context.close()

    def configure(self, what: str, *args: Any) -> None:
        getattr(self.auth, what)(*args)

    def socket(self, kind: int, security: Security) -> Any:
        made = self.make(kind, context=self.context, **security.options)
        if isinstance(security, Curve):
            security.cert.apply(made, server=security.server_key is None, server_key=security.server_key)
        return made

    def drop(self, socket: Any) -> None:
        socket.close()


class ProcessWideFloor(ObjectFloor):
    relayed = False

    def __init__(self) -> None:
        self.context = None


class AioFloor(ObjectFloor):
    make = AioSocket

    def receive(self, socket: Any, patience: int) -> str | None:
        async def receive() -> Any:
            return await asyncio.wait_for(socket.recv(), max(patience, 1) / 1000)

        try:
            text: str = asyncio.run(receive())
            return text
        except asyncio.TimeoutError:
            return None


FLOORS: dict[str, type[Floor]] = {
    "zsocket": ZsocketFloor,
    "zsock": ZsockFloor,
    "objects": ObjectFloor,
    "process-wide objects": ProcessWideFloor,
    "aio": AioFloor,
}


@contextlib.contextmanager
def open_floor(name: str, start: bool = True) -> Iterator[Floor]:
    """Make a floor, with the authenticator started unless that is left to the test."""
    floor = FLOORS[name]()
    if start:
        floor.start()
    try:
        yield floor
    finally:
        floor.close()


class Door:
    """A server that is bound, and what happens at it."""

    def __init__(self, floor: Floor, socket: Any) -> None:
        self.floor = floor
        self.socket = socket
        handle = handle_of(socket)
        self.monitor = zmonitor.new(handle)
        zmonitor.listen(self.monitor, *OUTCOMES)
        zmonitor.start(self.monitor)
        self.port = zsocket.bind(handle, f"tcp://{HOST}:*")
        assert self.port > 0

    def next_event(self, patience: int = PATIENCE) -> str | None:
        """Return the name of what happens next, None if nothing does."""
        zsocket.set_rcvtimeo(zsock.resolve(self.monitor), patience)
        event = zmonitor.recv(self.monitor)
        return None if event is None else event.event

    @contextlib.contextmanager
    def client(self, security: Security, message: str, source: str = HOST, port: int = 0) -> Iterator[Any]:
        """Make a client from an address, which connects and sends; *port* is that of a relay, if there is one."""
        socket = self.floor.socket(zmq.PUSH, security)
        try:
            handle = handle_of(socket)
            self._knock(handle, message, source, port or self.port)
            yield socket
        finally:
            self.floor.drop(socket)

    @staticmethod
    def _knock(handle: Any, message: str, source: str, port: int) -> None:
        # One that was refused before it could send has nobody to send to any more: it must not wait for that.
        zsocket.set_sndtimeo(handle, 0)
        assert zsocket.connect(handle, f"tcp://{source}:0;{HOST}:{port}") == 0
        zstr.send(handle, message)

    def outcome(self, security: Security, source: str = HOST, port: int = 0) -> str:
        """Return what libzmq says of a client's first attempt, which got a message in if, and only if, it succeeded.

        Where a client was refused before, its last attempt may be told of now: see `comes_to_admit`.
        """
        while self.next_event(0) is not None:
            pass
        with self.client(security, "knock", source, port):
            found = self.next_event()
            assert found is not None, "libzmq says nothing"
            got = self.floor.receive(self.socket, PATIENCE if found == SUCCEEDED else 0)
            assert got == ("knock" if found == SUCCEEDED else None), (found, got)
        return found

    def admits(self, security: Security, source: str = HOST) -> bool:
        """Tell whether a client gets in at its first attempt."""
        return self.outcome(security, source) == SUCCEEDED

    def comes_to_admit(self, security: Security, source: str = HOST, port: int = 0) -> bool:
        """Tell whether a client gets in, also after others who were refused; nothing of theirs comes with it."""
        with self.client(security, "friend", source, port):
            got = self.floor.receive(self.socket, PATIENCE)
        assert got in ("friend", None)
        return got is not None

    def refuses(self, security: Security, source: str = HOST) -> bool:
        """Tell whether a client is refused at least once, and gets nothing in, while others are refused all the time.

        Its refusals cannot be told from theirs, but for those that libzmq tells its own socket of.
        """
        socket = self.floor.socket(zmq.PUSH, security)
        monitor = zmonitor.new(handle_of(socket))
        try:
            zmonitor.listen(monitor, *OUTCOMES, "DISCONNECTED")
            zmonitor.start(monitor)
            zsocket.set_rcvtimeo(zsock.resolve(monitor), PATIENCE)
            self._knock(handle_of(socket), "intrusion", source, self.port)
            event = zmonitor.recv(monitor)
            assert event is not None
            return event.event != SUCCEEDED and self.floor.receive(self.socket, 0) is None
        finally:
            zmonitor.destroy(monitor)
            self.floor.drop(socket)
