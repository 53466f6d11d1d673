"""zhttp_server: an HTTP server, whose requests are answered by any number of workers.

A worker has a DEALER zsock that is connected to the server's backend address. It receives requests with
`zhttp_request.recv` and answers them, in any order, with `zhttp_response.send`.

    options = zhttp_server_options.new()
    zhttp_server_options.set_port(options, 8080)
    server = zhttp_server.new(options)
    worker = zsock.new_dealer(zhttp_server_options.backend_address(options))
    request, response = zhttp_request.new(), zhttp_response.new()
    while True:
        connection = zhttp_request.recv(request, worker)
        zhttp_response.set_content(response, "Hello, World")
        zhttp_response.send(response, worker, connection)

The work is done by libmicrohttpd, on a thread of CZMQ's; it speaks HTTP only, and listens on all interfaces. Nothing
else may be sent to the backend address than answers: the server's thread takes what comes for pointers. While no worker
is connected, the first request makes the server wait for one, and leave all others alone. It puts no limit to what a
peer may upload, and knows no body where the peer writes ``content-length`` in small letters. Only libraries built with
drafts, and with libmicrohttpd, have it.
"""

from __future__ import annotations

from . import _handles, _http, _threads
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import HttpServer, HttpServerOptions


def new(options: HttpServerOptions) -> HttpServer:
    """Return a new server, which has begun to listen.

    The garbage collector owns it. *options* can be changed or destroyed afterwards: the server has its own. Raises
    ValueError for options that C would abort over, and OSError if the port or the backend address is taken. Only
    libraries built with drafts have this; RuntimeError where they have no libmicrohttpd.

    C: ``zhttp_server_t *zhttp_server_new (zhttp_server_options_t *options)``
    """
    return _http.new_server(_handles.live(options, _http.OPTIONS, "options"))


def destroy(server: HttpServer | None) -> None:
    """Destroy the server; connections that wait for an answer are closed without one. None is let through.

    What workers have not received of its requests is lost; close their sockets. Only libraries built with drafts have
    this.

    C: ``void zhttp_server_destroy (zhttp_server_t **self_p)``
    """
    if server is not None:
        _handles.destroy(server, _http.SERVER, _free, "server")


def _free(server: HttpServer) -> None:
    """Free a server of the raw floor."""
    C.zhttp_server_destroy(ffi.new("zhttp_server_t **", server))


def port(server: HttpServer) -> int:
    """Return the port that the server listens on, also where its options leave the choice to the system.

    Only libraries built with drafts have this.

    C: ``int zhttp_server_port (zhttp_server_t *self)``
    """
    function = C.zhttp_server_port
    _handles.live(server, _http.SERVER, "server")
    known = (_handles.find_companions(server) or {}).get(_http.Server)
    return _threads.masked(function, server) if known is None else known.port  # type: ignore[no-any-return]


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails. It opens a port.

    Only libraries built with drafts have this.

    C: ``void zhttp_server_test (bool verbose)``
    """
    from ._selftest import run

    run("zhttp_server_test", verbose)


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zhttp_server")
