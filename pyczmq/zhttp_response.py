"""zhttp_response: HTTP responses, to be sent to a server's peer or received by a client. One can be used again.

    >>> from pyczmq import zhttp_response
    >>> response = zhttp_response.new()
    >>> zhttp_response.status_code(response), zhttp_response.content(response)
    (200, None)
    >>> zhttp_response.set_content(response, "Hello, World")
    >>> zhttp_response.content_length(response)
    12

Content is text to C: it ends at a NUL byte. Only libraries built with drafts have this class.
"""

from __future__ import annotations

from _thread import get_ident

from . import _blocking, _containers, _handles, _http, _text
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ._types import CData, HttpClient, HttpResponse, Sock, Text

#: What can be sent: over any other libmicrohttpd says nothing at all.
_LEAST_STATUS = 200
_MOST_STATUS = 999


def new() -> HttpResponse:
    """Return a new response: status 200, with no headers and no content.

    The garbage collector owns it, and it stays usable in a forked child. Only libraries built with drafts have this.

    C: ``zhttp_response_t *zhttp_response_new (void)``
    """
    response = _handles.own(C.zhttp_response_new(), _free, fork_safe=True)
    if response is None:
        raise MemoryError("no memory for a response")
    return response


def _free(pointer: CData) -> None:
    C.zhttp_response_destroy(ffi.new("zhttp_response_t **", pointer))


def destroy(response: HttpResponse | None) -> None:
    """Destroy the response now; None is let through. Only libraries built with drafts have this.

    C: ``void zhttp_response_destroy (zhttp_response_t **self_p)``
    """
    if response is not None:
        _handles.destroy(response, _http.RESPONSE, _free, "response")


def send(response: HttpResponse, sock: Sock, connection: CData) -> int:
    """Send the response on a *connection* of `zhttp_request.recv`, which is done with then; return 0, or -1.

    *sock* is a socket of a worker of that server, as in `zhttp_request.recv`. -1 means that its SNDTIMEO has passed, or
    that CZMQ's context has ended; the connection still waits then. The response loses its headers and content, and
    keeps its status. Headers that are none to libmicrohttpd are left out. Raises ValueError for a status that is not
    from 200 to 999, and for a connection that waits for no answer.

    C: ``int zhttp_response_send (zhttp_response_t *self, zsock_t *sock, void **connection)``
    """
    function = C.zhttp_response_send
    _live(response)
    server, handle = _http.find_server(sock)
    server.check(connection)
    status = C.zhttp_response_status_code(response)
    if not _LEAST_STATUS <= status <= _MOST_STATUS:
        raise ValueError(f"response must have a status from {_LEAST_STATUS} to {_MOST_STATUS}, not {status}")
    if not _http.wait_for_room(handle):
        return -1
    # While this was waiting, a signal's handler may have done anything.
    server.check(connection)
    _http.give_content(_live(response), C.zhttp_response_set_content)
    rc = function(response, sock, ffi.new("void **", connection))
    if rc == 0:
        server.answered(connection)
    return rc


def recv(response: HttpResponse, client: HttpClient) -> tuple[int, Any, Any]:
    """Receive the next response of a client, in place of what *response* was.

    Returns 0 and the two objects that its request was sent with. The first is -1 if there is no response to the
    request; ``ffi.errno`` is ETIMEDOUT then, or the number that libcurl has for what went wrong. Blocks until there is
    one, open to signals; returns (-1, None, None) if CZMQ's context ends.

    C: ``int zhttp_response_recv (zhttp_response_t *self, zhttp_client_t *client, void **arg, void **arg2)``
    """
    function = C.zhttp_response_recv
    _live(response)
    keeper = _http.find_client(client)
    outer, keeper.busy = keeper.busy, get_ident()
    try:
        if not _blocking.wait(_http.socket(client), _blocking.POLLIN, -1):
            return -1, None, None
        args = ffi.new("void *[2]")
        rc = function(_live(response), client, args, args + 1)
        error = ffi.errno
        _http.forget_content(response)
        given = keeper.recall(args[0], args[1])
    finally:
        keeper.busy = outer
    ffi.errno = error
    return (rc, *given)


def content_type(response: HttpResponse) -> str | None:
    """Return the header ``Content-Type``, written so, or None. Only libraries built with drafts have this.

    C: ``const char *zhttp_response_content_type (zhttp_response_t *self)``
    """
    return _text.string(C.zhttp_response_content_type(_live(response)))


def set_content_type(response: HttpResponse, value: Text) -> None:
    """Set the header ``Content-Type``, in place of what it was; ValueError for more than one line.

    Only libraries built with drafts have this.

    C: ``void zhttp_response_set_content_type (zhttp_response_t *self, const char *value)``
    """
    function = C.zhttp_response_set_content_type
    function(_live(response), _http.content_type(value, C.zhttp_response_headers(response)))


def status_code(response: HttpResponse) -> int:
    """Return the status: 200, if nothing else was set. Only libraries built with drafts have this.

    C: ``uint32_t zhttp_response_status_code (zhttp_response_t *self)``
    """
    return C.zhttp_response_status_code(_live(response))


def set_status_code(response: HttpResponse, status_code: int) -> None:
    """Set the status, any number of 32 bits; what can be sent is from 200 to 999.

    Only libraries built with drafts have this.

    C: ``void zhttp_response_set_status_code (zhttp_response_t *self, uint32_t status_code)``
    """
    function = C.zhttp_response_set_status_code
    function(_live(response), integer(status_code, "status_code", 0, 2**32 - 1))


def headers(response: HttpResponse) -> dict[str, str]:
    """Return the headers, as a copy; `set_headers` changes them.

    C gives the hash itself. Of several headers with one name C keeps the first. Only libraries built with drafts have
    this.

    C: ``zhash_t *zhttp_response_headers (zhttp_response_t *self)``
    """
    return _containers.peek_mapping(C.zhttp_response_headers(_live(response)))


def set_headers(response: HttpResponse, headers: Mapping[Text, Text]) -> None:
    """Set all headers, in place of those before; ValueError for what is no header's name, or for more than one line.

    There is no such function in C, whose `headers` lends the hash to be changed.
    """
    function = C.zhttp_response_headers
    _http.set_headers(function(_live(response)), headers)


def content_length(response: HttpResponse) -> int:
    """Return how many bytes the content has, up to its first NUL byte; 0 if there is none.

    Only libraries built with drafts have this.

    C: ``size_t zhttp_response_content_length (zhttp_response_t *self)``
    """
    return C.zhttp_response_content_length(_live(response))


def content(response: HttpResponse) -> str | None:
    """Return the content, up to its first NUL byte; None if there is none. Only libraries built with drafts have this.

    C: ``const char *zhttp_response_content (zhttp_response_t *self)``
    """
    return _text.string(C.zhttp_response_content(_live(response)))


def get_content(response: HttpResponse) -> str | None:
    """Take the content out of the response and return it; None if there is none.

    Only libraries built with drafts have this.

    C: ``char *zhttp_response_get_content (zhttp_response_t *self)``
    """
    found = _text.take(C.zhttp_response_get_content(_live(response)))
    _http.forget_content(response)
    return found


def set_content(response: HttpResponse, content: Text) -> None:
    """Set the content, of which C gets a copy; ValueError for a NUL byte in it.

    Only libraries built with drafts have this.

    C: ``void zhttp_response_set_content (zhttp_response_t *self, char **content)``
    """
    function = C.zhttp_response_set_content
    function(_live(response), _http.allocate(_text.cstring(content, "content")))
    _http.forget_content(response)


def set_content_const(response: HttpResponse, content: Text) -> None:
    """Set the content, which C does not copy, and which lives as long as C reads it; `send` copies it.

    Only libraries built with drafts have this.

    C: ``void zhttp_response_set_content_const (zhttp_response_t *self, const char *content)``
    """
    function = C.zhttp_response_set_content_const
    _http.lend_content(_live(response), function, _text.cstring(content, "content"))


def reset_content(response: HttpResponse) -> None:
    """Remove the content. Only libraries built with drafts have this.

    C: ``void zhttp_response_reset_content (zhttp_response_t *self)``
    """
    C.zhttp_response_reset_content(_live(response))
    _http.forget_content(response)


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process, of which there is nothing in CZMQ 4.2.

    Only libraries built with drafts have this.

    C: ``void zhttp_response_test (bool verbose)``
    """
    from ._selftest import run

    run("zhttp_response_test", verbose)


def _live(response: HttpResponse) -> HttpResponse:
    return _handles.live(response, _http.RESPONSE, "response")


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zhttp_response")
