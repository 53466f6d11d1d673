"""A service that only known clients reach: encrypted with CURVE, who may connect is decided by `Auth`.

    python examples/secure_service.py

The server has a certificate, whose public key every client knows. Each client has one of its own, whose public half
lies in a folder of the server's: that is the list of who may connect. A client is told apart by its key, which libzmq
hands to the server with each frame. Here are three clients: one that is known, one that is not, and one that does not
even encrypt. The first is answered, the others are not.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from pyczmq import Again, Auth, Cert, Pipe, Poller, Socket, actor, zmq

#: Milliseconds after which a client gives up.
PATIENCE = 1000


@actor
def service(pipe: Pipe, endpoint: str, certificate: Cert) -> None:
    """Answer requests until told to end; the endpoint that was found for ``*`` is the first message on the pipe."""
    with Socket(zmq.REP) as server:
        certificate.apply(server, server=True)
        server.bind(endpoint)
        pipe.send(server.last_endpoint)
        with Poller(pipe, server) as poller:
            while pipe not in poller.wait():
                request = server.recv_frame()
                server.send(f"hello {request}, your key begins with {(request.user_id or '')[:5]}")


def ask(endpoint: str, name: str, certificate: Cert | None, server_key: str) -> str | None:
    """Return the service's answer to a client; None if there is none."""
    with Socket(zmq.REQ) as client:
        if certificate is not None:
            certificate.apply(client, server_key=server_key)
        client.connect(endpoint)
        try:
            # Whoever is turned away before it sends has nobody to send to.
            client.send(name, timeout=PATIENCE)
            return client.recv(timeout=PATIENCE)
        except Again:
            return None


def main() -> None:
    """Run the service and its clients."""
    server_certificate, ada, mallory = Cert(), Cert(), Cert()
    with tempfile.TemporaryDirectory() as folder, Auth() as auth:
        ada.save_public(Path(folder) / "ada.cert")
        auth.curve(folder)
        with service("tcp://127.0.0.1:*", server_certificate) as running:
            endpoint = running.recv()
            answers = {
                "ada": ask(endpoint, "ada", ada, server_certificate.public_key),
                "mallory": ask(endpoint, "mallory", mallory, server_certificate.public_key),
                "nobody": ask(endpoint, "nobody", None, server_certificate.public_key),
            }
    for name, answer in answers.items():
        print(f"{name}: {answer or 'no answer'}")
    assert answers["ada"] == f"hello ada, your key begins with {ada.public_key[:5]}"
    assert answers["mallory"] is answers["nobody"] is None


if __name__ == "__main__":
    main()
