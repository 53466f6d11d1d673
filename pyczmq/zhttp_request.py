"""zhttp_request: HTTP requests, to be sent by a client or received from a server. One can be used again.

    >>> from pyczmq import zhttp_request
    >>> request = zhttp_request.new()
    >>> zhttp_request.set_url(request, "/send/hello/world")
    >>> zhttp_request.match(request, "GET", "/send/%s/%s")
    ('hello', 'world')
    >>> zhttp_request.match(request, "GET", "/send/%s") is None
    True
    >>> zhttp_request.set_headers(request, {"Accept": "text/plain"})
    >>> zhttp_request.headers(request)
    {'Accept': 'text/plain'}

Content is text to C: it ends at a NUL byte. Only libraries built with drafts have this class.
"""

from __future__ import annotations

import errno

from . import _blocking, _containers, _handles, _http, _text
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ._types import CData, HttpClient, HttpRequest, Sock, Text

_LONGEST_METHOD = 255
_MOST_PARAMETERS = 250

#: What C's client knows; it would send GET in place of any other.
_METHODS = (b"GET", b"POST")


def new() -> HttpRequest:
    """Return a new request: GET of ``/``, with no headers and no content.

    The garbage collector owns it, and it stays usable in a forked child. Only libraries built with drafts have this.

    C: ``zhttp_request_t *zhttp_request_new (void)``
    """
    request = _handles.own(C.zhttp_request_new(), _free, fork_safe=True)
    if request is None:
        raise MemoryError("no memory for a request")
    return request


def _free(pointer: CData) -> None:
    C.zhttp_request_destroy(ffi.new("zhttp_request_t **", pointer))


def destroy(request: HttpRequest | None) -> None:
    """Destroy the request now; None is let through. Only libraries built with drafts have this.

    C: ``void zhttp_request_destroy (zhttp_request_t **self_p)``
    """
    if request is not None:
        _handles.destroy(request, _http.REQUEST, _free, "request")


def recv(request: HttpRequest, sock: Sock) -> CData | None:
    """Receive a request from a server, in place of what *request* was; return the connection to answer it on, or None.

    *sock* is a DEALER zsock that is connected to the backend address of a server, and to no other; else ValueError.
    None means that its RCVTIMEO has passed, or that CZMQ's context has ended. The connection is for one
    `zhttp_response.send`; it ends with the server. The URL is the path. Blocks, open to signals.

    C: ``void *zhttp_request_recv (zhttp_request_t *self, zsock_t *sock)``
    """
    _http.need("zhttp_request_recv")
    hash = C.zhttp_request_headers(_live(request))
    server, handle = _http.find_server(sock)
    while True:
        parcel = _http.receive(handle)
        if parcel is None:
            return None
        if parcel.is_sound:
            break
        parcel.free()
        _http.refuse(sock, parcel.connection, 501)
    # C's own function does the same, but does not look what it was sent, and cannot be interrupted.
    connection = server.lend(parcel.connection)
    C.zhttp_request_set_method(request, parcel.method)
    C.zhttp_request_set_url(request, parcel.url)
    _http.clear(hash)
    item = C.zhash_first(parcel.headers)
    while item:
        C.zhash_update(hash, C.zhash_cursor(parcel.headers), item)
        item = C.zhash_next(parcel.headers)
    reset_content(request)
    if parcel.text:
        text = ffi.new("char **", parcel.text)
        parcel.text = ffi.NULL
        C.zhttp_request_set_content(request, text)
    parcel.free()
    return connection


def send(request: HttpRequest, client: HttpClient, timeout: int, arg: Any = None, arg2: Any = None) -> int:
    """Send the request with a client, and return 0, or -1; its response comes with `zhttp_response.recv`.

    The response must have come after *timeout* milliseconds; 0 stands for no limit. *arg* and *arg2* are any two
    objects, and come back with the response. The request loses its headers and content, and keeps the rest. Raises
    ValueError for a method that C's client does not know: anything but GET and POST.

    C: ``int zhttp_request_send (zhttp_request_t *self, zhttp_client_t *client, int timeout, void *arg, void *arg2)``
    """
    function = C.zhttp_request_send
    _live(request)
    keeper = _http.find_client(client)
    milliseconds = integer(timeout, "timeout", 0)
    wanted = ffi.string(C.zhttp_request_method(request))
    if wanted not in _METHODS:
        raise ValueError(f"request must have the method GET or POST, not {_text.decode(wanted)!r}")
    if not _blocking.wait(_http.socket(client), _blocking.POLLOUT, 0):
        ffi.errno = errno.EAGAIN
        return -1
    # libcurl would read the content of a POST that has none from somewhere else.
    missing = wanted == b"POST" and not C.zhttp_request_content(request)
    _http.give_content(request, C.zhttp_request_set_content, missing)
    note = keeper.note(arg, arg2)
    rc = function(request, client, milliseconds, note, ffi.NULL)
    if rc != 0:
        keeper.recall(note, ffi.NULL)
    return rc


def method(request: HttpRequest) -> str:
    """Return the method: ``GET``, if nothing else was set. Only libraries built with drafts have this.

    C: ``const char *zhttp_request_method (zhttp_request_t *self)``
    """
    return _text.string(C.zhttp_request_method(_live(request))) or ""


def set_method(request: HttpRequest, method: Text) -> None:
    """Set the method, of at most 255 bytes. Only libraries built with drafts have this.

    C: ``void zhttp_request_set_method (zhttp_request_t *self, const char *method)``
    """
    function = C.zhttp_request_set_method
    text = _text.cstring(method, "method")
    if len(text) > _LONGEST_METHOD:
        raise ValueError(f"method must be at most {_LONGEST_METHOD} bytes long, not {len(text)}")
    function(_live(request), text)


def url(request: HttpRequest) -> str:
    """Return the URL: the path alone in a request that came from a server.

    Only libraries built with drafts have this.

    C: ``const char *zhttp_request_url (zhttp_request_t *self)``
    """
    return _text.string(C.zhttp_request_url(_live(request))) or ""


def set_url(request: HttpRequest, url: Text) -> None:
    """Set the URL: a whole one, to send the request with a client. Only libraries built with drafts have this.

    C: ``void zhttp_request_set_url (zhttp_request_t *self, const char *url)``
    """
    function = C.zhttp_request_set_url
    function(_live(request), _text.cstring(url, "url"))


def content_type(request: HttpRequest) -> str | None:
    """Return the header ``Content-Type``, written so, or None. Only libraries built with drafts have this.

    C: ``const char *zhttp_request_content_type (zhttp_request_t *self)``
    """
    return _text.string(C.zhttp_request_content_type(_live(request)))


def set_content_type(request: HttpRequest, content_type: Text) -> None:
    """Set the header ``Content-Type``, in place of what it was; ValueError for more than one line.

    Only libraries built with drafts have this.

    C: ``void zhttp_request_set_content_type (zhttp_request_t *self, const char *content_type)``
    """
    function = C.zhttp_request_set_content_type
    function(_live(request), _http.content_type(content_type, C.zhttp_request_headers(request)))


def content_length(request: HttpRequest) -> int:
    """Return how many bytes the content has, up to its first NUL byte; 0 if there is none.

    Only libraries built with drafts have this.

    C: ``size_t zhttp_request_content_length (zhttp_request_t *self)``
    """
    return C.zhttp_request_content_length(_live(request))


def headers(request: HttpRequest) -> dict[str, str]:
    """Return the headers, as a copy; `set_headers` changes them.

    C gives the hash itself. Of several headers with one name C keeps the first. Only libraries built with drafts have
    this.

    C: ``zhash_t *zhttp_request_headers (zhttp_request_t *self)``
    """
    return _containers.peek_mapping(C.zhttp_request_headers(_live(request)))


def set_headers(request: HttpRequest, headers: Mapping[Text, Text]) -> None:
    """Set all headers, in place of those before; ValueError for what is no header's name, or for more than one line.

    There is no such function in C, whose `headers` lends the hash to be changed.
    """
    function = C.zhttp_request_headers
    _http.set_headers(function(_live(request)), headers)


def content(request: HttpRequest) -> str | None:
    """Return the content, up to its first NUL byte; None if there is none. Only libraries built with drafts have this.

    C: ``const char *zhttp_request_content (zhttp_request_t *self)``
    """
    return _text.string(C.zhttp_request_content(_live(request)))


def get_content(request: HttpRequest) -> str | None:
    """Take the content out of the request and return it; None if there is none.

    Only libraries built with drafts have this.

    C: ``char *zhttp_request_get_content (zhttp_request_t *self)``
    """
    found = _text.take(C.zhttp_request_get_content(_live(request)))
    _http.forget_content(request)
    return found


def set_content(request: HttpRequest, content: Text) -> None:
    """Set the content, of which C gets a copy; ValueError for a NUL byte in it.

    Only libraries built with drafts have this.

    C: ``void zhttp_request_set_content (zhttp_request_t *self, char **content)``
    """
    function = C.zhttp_request_set_content
    function(_live(request), _http.allocate(_text.cstring(content, "content")))
    _http.forget_content(request)


def set_content_const(request: HttpRequest, content: Text) -> None:
    """Set the content, which C does not copy, and which lives as long as C reads it; `send` copies it.

    Only libraries built with drafts have this.

    C: ``void zhttp_request_set_content_const (zhttp_request_t *self, const char *content)``
    """
    function = C.zhttp_request_set_content_const
    _http.lend_content(_live(request), function, _text.cstring(content, "content"))


def reset_content(request: HttpRequest) -> None:
    """Remove the content. Only libraries built with drafts have this.

    C: ``void zhttp_request_reset_content (zhttp_request_t *self)``
    """
    C.zhttp_request_reset_content(_live(request))
    _http.forget_content(request)


def match(request: HttpRequest, method: Text, path: Text) -> tuple[str, ...] | None:
    """Return what stands for each ``%s`` of *path* in the request's URL; None if that or the method is another.

    A ``%s`` stands for one part of the path, up to a ``/``. What comes after a ``?`` in the URL does not matter. A path
    with no ``%s`` gives an empty tuple: compare with None. C cuts the URL apart; here it stays whole. Raises ValueError
    for any other ``%`` (C matches ``%%`` with anything but a percent sign), and for more than 250 of them.

    C: ``bool zhttp_request_match (zhttp_request_t *self, const char *method, const char *path, ...)``
    """
    function = C.zhttp_request_match
    _live(request)
    wanted, pattern = _text.cstring(method, "method"), _text.cstring(path, "path")
    count = pattern.count(b"%s")
    if pattern.count(b"%") != count:
        raise ValueError("path must have no % but in %s")
    if count > _MOST_PARAMETERS:
        raise ValueError(f"path must have at most {_MOST_PARAMETERS} times %s, not {count}")
    before = ffi.string(C.zhttp_request_url(request))
    found = ffi.new("char *[]", count)
    if not function(request, wanted, pattern, *(found + index for index in range(count))):
        return None
    parts = tuple(_text.decode(ffi.string(found[index])) for index in range(count))
    C.zhttp_request_set_url(request, before)
    return parts


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    Only libraries built with drafts have this.

    C: ``void zhttp_request_test (bool verbose)``
    """
    from ._selftest import run

    run("zhttp_request_test", verbose)


def _live(request: HttpRequest) -> HttpRequest:
    return _handles.live(request, _http.REQUEST, "request")


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zhttp_request")
