"""What the tests of the HTTP classes share: servers on ephemeral ports, workers, and peers on 127.0.0.1."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from pyczmq import C, zhttp_client, zhttp_request, zhttp_response, zhttp_server, zhttp_server_options, zsock

needs_drafts = pytest.mark.skipif(
    not hasattr(C, "zhttp_request_new"), reason="needs a libczmq that is built with drafts"
)

#: Milliseconds for what must happen.
PATIENCE = 10000

#: Text that goes through headers and content as it is.
ODD_TEXT: list[Any] = ["", "100%s %n", "ä€😀", b"\xff\xfe\x80", "\udcff", "a\tb=c;d", "x" * 2**20]


def text(given: Any) -> str:
    """What comes back where this went in."""
    return given.decode("utf-8", "surrogateescape") if isinstance(given, bytes) else str(given)


class Peers:
    """A server with one worker, and a client."""

    def __init__(self) -> None:
        options = zhttp_server_options.new()
        zhttp_server_options.set_port(options, 0)
        self.address = zhttp_server_options.backend_address(options)
        self.server = self.or_skip(zhttp_server.new, options)
        self.port = zhttp_server.port(self.server)
        self.url = f"http://127.0.0.1:{self.port}"
        self.worker = self.new_worker()
        self.client = self.or_skip(zhttp_client.new)

    @staticmethod
    def or_skip(new: Any, *args: Any) -> Any:
        """Make a client or server, where the library has the one and the other."""
        try:
            return new(*args)
        except RuntimeError as error:
            if "was built without" in str(error):
                pytest.skip(str(error))
            raise

    def new_worker(self) -> Any:
        """Return a socket for requests, which waits for them long enough."""
        worker: Any = zsock.new_dealer(f">{self.address}")
        zsock.set_rcvtimeo(worker, PATIENCE)
        return worker

    def ask(self, path: str = "/", content: Any = None, arg: Any = None, arg2: Any = None) -> None:
        """Send a request to the server: a POST if there is content."""
        request = zhttp_request.new()
        zhttp_request.set_url(request, self.url + path)
        if content is not None:
            zhttp_request.set_method(request, "POST")
            zhttp_request.set_content(request, content)
        assert zhttp_request.send(request, self.client, PATIENCE, arg, arg2) == 0

    def take(self) -> tuple[Any, Any]:
        """Receive a request; return it, and its connection."""
        request = zhttp_request.new()
        connection = zhttp_request.recv(request, self.worker)
        assert connection is not None
        return request, connection

    def answer(self, connection: Any, content: Any = None, status: int = 200) -> None:
        """Send a response."""
        response = zhttp_response.new()
        zhttp_response.set_status_code(response, status)
        if content is not None:
            zhttp_response.set_content(response, content)
        assert zhttp_response.send(response, self.worker, connection) == 0

    def hear(self) -> tuple[Any, Any, Any]:
        """Receive a response; return it, and the two objects that came with it."""
        response = zhttp_response.new()
        rc, arg, arg2 = zhttp_response.recv(response, self.client)
        assert rc == 0
        return response, arg, arg2

    def shout(self, data: bytes) -> socket.socket:
        """Open a connection of our own to the server, and send these bytes."""
        peer = socket.create_connection(("127.0.0.1", self.port), PATIENCE / 1000)
        peer.sendall(data)
        return peer

    def close(self) -> None:
        """Destroy it all."""
        zhttp_client.destroy(self.client)
        zsock.destroy(self.worker)
        zhttp_server.destroy(self.server)
