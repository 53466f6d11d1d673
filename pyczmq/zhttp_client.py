"""zhttp_client: an HTTP client, which has any number of requests under way at once.

A request is sent with `zhttp_request.send`, and its response comes back with `zhttp_response.recv`: not in the order of
the requests, but each with the two objects that its request was sent with.

    client = zhttp_client.new()
    request = zhttp_request.new()
    zhttp_request.set_url(request, "http://127.0.0.1:8080/")
    zhttp_request.send(request, client, 10000, "my first")
    response = zhttp_response.new()
    rc, name, _ = zhttp_response.recv(response, client)

The work is done by libcurl, on a thread of CZMQ's. A client belongs to one thread at a time. It knows the methods GET
and POST. Only libraries built with drafts, and with libcurl, have it.
"""

from __future__ import annotations

from . import _http, _keeper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import HttpClient


def new(verbose: bool = False) -> HttpClient:
    """Return a new client; *verbose* prints what libcurl does to the standard error.

    The garbage collector owns it. Only libraries built with drafts have this; RuntimeError where they have no libcurl.

    C: ``zhttp_client_t *zhttp_client_new (bool verbose)``
    """
    return _http.new_client(verbose)


def destroy(client: HttpClient | None) -> None:
    """Destroy the client, and drop what is under way and what was not received; None is let through.

    Only libraries built with drafts have this.

    C: ``void zhttp_client_destroy (zhttp_client_t **self_p)``
    """
    if client is not None:
        _keeper.destroy(client, _http.CLIENT, _http.free_client, "client", _http.Client)


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails. It opens a port.

    Only libraries built with drafts have this.

    C: ``void zhttp_client_test (bool verbose)``
    """
    from ._selftest import run

    run("zhttp_client_test", verbose)


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zhttp_client")
