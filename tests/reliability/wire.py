"""What is on the wire: a relay that records TCP connections and may change them, and ZMTP spoken by hand.

The relay stands between a client and a server::

    with wire.Relay(port) as relay:
        client.connect(relay.endpoint)
        ...
    assert b"secret" not in relay.seen

`Peer` is a client with no ZeroMQ in it, for what no honest library sends (rfc.zeromq.org/spec:23).
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType

HOST = "127.0.0.1"

#: Bytes of ZMTP's greeting.
GREETING = 64

_PIECE = 65536
_PATIENCE = 20.0

#: Gets the number of a chunk's first byte in its direction, and the chunk; returns what goes on.
Change = Callable[[int, bytes], bytes]


class Relay:
    """Hands on what comes over TCP connections to a port, both ways, and keeps it."""

    def __init__(self, port: int, change: Change | None = None) -> None:
        self._port = port
        self._change = change
        #: All that clients have sent, and all that servers have.
        self.sent = bytearray()
        self.answered = bytearray()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((HOST, 0))
        self.endpoint = f"tcp://{HOST}:{self._listener.getsockname()[1]}"
        self._start(self._accept)

    @property
    def seen(self) -> bytes:
        """All that was on the wire."""
        return bytes(self.sent + self.answered)

    def _start(self, function: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=function, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((HOST, self._port))
                self._sockets += [client, server]
                self._start(self._pump, client, server, self.sent, self._change)
                self._start(self._pump, server, client, self.answered, None)

    def _pump(self, source: socket.socket, target: socket.socket, kept: bytearray, change: Change | None) -> None:
        position = 0
        with contextlib.suppress(OSError):
            while True:
                chunk = source.recv(_PIECE)
                if not chunk:
                    break
                kept += chunk
                target.sendall(chunk if change is None else change(position, chunk))
                position += len(chunk)
        for end in source, target:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_PATIENCE)
        for end in self._sockets:
            end.close()


def greeting(mechanism: bytes, as_server: bool = False, minor: int = 0) -> bytes:
    """Return the 64 bytes with which a peer of ZMTP 3 begins."""
    head = b"\xff" + bytes(8) + b"\x7f" + bytes([3, minor])
    return (head + mechanism.ljust(20, b"\0") + bytes([as_server])).ljust(GREETING, b"\0")


def command(name: bytes, content: bytes = b"") -> bytes:
    """Return a command frame, such as READY."""
    body = bytes([len(name)]) + name + content
    return b"\x04" + bytes([len(body)]) + body if len(body) < 256 else b"\x06" + struct.pack(">Q", len(body)) + body


def message(content: bytes) -> bytes:
    """Return a message of one frame."""
    return b"\0" + bytes([len(content)]) + content


def properties(**values: bytes) -> bytes:
    """Return the metadata of a READY or INITIATE command; an underscore stands for a hyphen."""
    return b"".join(
        bytes([len(name)]) + name.replace("_", "-").encode() + struct.pack(">I", len(value)) + value
        for name, value in values.items()
    )


def hello(name: bytes, password: bytes) -> bytes:
    """Return PLAIN's first command."""
    return command(b"HELLO", bytes([len(name)]) + name + bytes([len(password)]) + password)


class Peer:
    """A TCP client that sends what it is told to."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), _PATIENCE)
        #: What the server has answered last.
        self.heard = b""

    def send(self, *parts: bytes) -> Peer:
        """Send bytes; a server that has hung up already is no error here."""
        with contextlib.suppress(OSError):
            self._socket.sendall(b"".join(parts))
        return self

    def talk(self, *parts: bytes, pause: float) -> Peer:
        """Send one part after the other, each once the server has answered to that before, or after a pause."""
        for part in parts[:-1]:
            self.send(part)
            deadline = time.monotonic() + pause
            self.heard = b""
            # Of a greeting all is waited for, of anything else something.
            while len(self.heard) < (GREETING if len(part) == GREETING else 1) and time.monotonic() < deadline:
                self._socket.settimeout(pause)
                try:
                    chunk = self._socket.recv(_PIECE)
                except (ConnectionError, socket.timeout):
                    break
                if not chunk:
                    break
                self.heard += chunk
        return self.send(parts[-1])

    def hear(self, word: bytes) -> Peer:
        """Wait until the server has said *word*, such as the name of a command."""
        heard = b""
        while word not in heard:
            chunk = self._socket.recv(_PIECE)
            assert chunk, f"the server has hung up, and said {heard!r}"
            heard += chunk
        return self

    def drain(self, seconds: float) -> bytes:
        """Return all that comes until the server hangs up; socket.timeout if it does not in time."""
        self._socket.settimeout(seconds)
        found = b""
        while True:
            try:
                chunk = self._socket.recv(_PIECE)
            except ConnectionError:
                return found
            if not chunk:
                return found
            found += chunk

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()
