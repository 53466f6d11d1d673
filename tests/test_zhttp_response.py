"""zhttp_response: HTTP responses; on their way, see test_zhttp_client.py and test_zhttp_server.py."""

from __future__ import annotations

import gc
from typing import Any

import pytest
import without_drafts
from http_peers import ODD_TEXT, needs_drafts, text

from pyczmq import C, ffi, zhttp_response

FAKE = ffi.cast("zhttp_response_t *", 8)
#: Every function with arguments that are right, but for the handles.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "new": (),
    "destroy": (FAKE,),
    "send": (FAKE, ffi.cast("zsock_t *", 8), ffi.cast("void *", 8)),
    "recv": (FAKE, ffi.cast("zhttp_client_t *", 8)),
    "content_type": (FAKE,),
    "set_content_type": (FAKE, "text/plain"),
    "status_code": (FAKE,),
    "set_status_code": (FAKE, 200),
    "headers": (FAKE,),
    "content_length": (FAKE,),
    "content": (FAKE,),
    "get_content": (FAKE,),
    "set_content": (FAKE, "x"),
    "set_content_const": (FAKE, "x"),
    "reset_content": (FAKE,),
    "test": (),
}
WITH_HANDLE = [name for name, arguments in ARGUMENTS.items() if arguments and arguments[0] is FAKE]


@pytest.fixture
def response() -> Any:
    """A new response."""
    return zhttp_response.new()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_without_drafts(name: str) -> None:
    """On a library without drafts each function names itself and the library's version."""
    without_drafts.refuses(zhttp_response, ARGUMENTS, name)


@needs_drafts
def test_defaults(response: Any) -> None:
    """A new response is 200, with nothing in it."""
    assert zhttp_response.status_code(response) == 200
    assert zhttp_response.headers(response) == {}
    assert zhttp_response.content(response) is zhttp_response.content_type(response) is None
    assert zhttp_response.get_content(response) is None
    assert zhttp_response.content_length(response) == 0


@needs_drafts
@pytest.mark.parametrize("given", ODD_TEXT, ids=range(len(ODD_TEXT)))
def test_text_goes_through(response: Any, given: Any) -> None:
    """Content and headers keep any text: empty, no UTF-8, formats, 1 MiB."""
    for _ in range(2):
        zhttp_response.set_content_type(response, given)
        assert zhttp_response.content_type(response) == text(given)
    zhttp_response.set_headers(response, {"Some": given})
    assert zhttp_response.headers(response) == {"Some": text(given)}
    for set_content in zhttp_response.set_content, zhttp_response.set_content_const:
        for _ in range(2):
            set_content(response, given)
            assert zhttp_response.content(response) == text(given)
            assert zhttp_response.content_length(response) == len(text(given).encode("utf-8", "surrogateescape"))
        assert zhttp_response.get_content(response) == text(given)
        assert zhttp_response.content(response) is None
    zhttp_response.set_content_const(response, given)
    zhttp_response.reset_content(response)
    assert zhttp_response.content(response) is None


@needs_drafts
def test_status(response: Any) -> None:
    """A status is any number of 32 bits, until it is to be sent."""
    for status in 0, 404, 2**32 - 1:
        zhttp_response.set_status_code(response, status)
        assert zhttp_response.status_code(response) == status
    for wrong in -1, 2**32:
        with pytest.raises(ValueError, match="status_code"):
            zhttp_response.set_status_code(response, wrong)
    with pytest.raises(TypeError, match="status_code"):
        zhttp_response.set_status_code(response, "200")  # type: ignore[arg-type]


@needs_drafts
def test_headers_that_would_smuggle(response: Any) -> None:
    """A line end in a header, or in its name, would begin another one."""
    with pytest.raises(ValueError, match="each key of headers"):
        zhttp_response.set_headers(response, {"a\nb": ""})
    with pytest.raises(ValueError, match="each value of headers"):
        zhttp_response.set_headers(response, {"a": "\r\nSet-Cookie: x"})
    with pytest.raises(ValueError, match="one line"):
        zhttp_response.set_content_type(response, "\n")


@needs_drafts
@pytest.mark.parametrize("function", ["set_content_type", "set_content", "set_content_const"])
def test_no_text(response: Any, function: str) -> None:
    """Anything but text is a TypeError, and a NUL byte, at which C would stop, a ValueError."""
    for given in None, 5, bytearray(b"x"):
        with pytest.raises(TypeError, match="must be str or bytes"):
            getattr(zhttp_response, function)(response, given)
    with pytest.raises(ValueError, match="must not contain a NUL byte"):
        getattr(zhttp_response, function)(response, b"a\0b")


@needs_drafts
@pytest.mark.parametrize("name", WITH_HANDLE)
def test_handles_that_are_refused(name: str) -> None:
    """A handle that is none, NULL, of another type or destroyed never reaches C."""
    gone = zhttp_response.new()
    zhttp_response.destroy(gone)
    for handle, error in (
        ("response", TypeError),
        (ffi.cast("zhttp_request_t *", 8), TypeError),
        (ffi.cast("zhttp_response_t *", 0), ValueError),
        (gone, ValueError),
    ):
        with pytest.raises(error, match="response"):
            getattr(zhttp_response, name)(handle, *ARGUMENTS[name][1:])


@needs_drafts
def test_destroyed_once() -> None:
    """A response is freed once, whoever comes first, with a content that is its own or that was lent."""
    zhttp_response.destroy(None)
    for set_content in zhttp_response.set_content, zhttp_response.set_content_const:
        for explicit in True, False:
            response = zhttp_response.new()
            set_content(response, "x" * 1000)
            if explicit:
                zhttp_response.destroy(response)
            del response
            gc.collect()
    raw = C.zhttp_response_new()
    zhttp_response.set_content(raw, "x")
    zhttp_response.destroy(raw)


@needs_drafts
def test_self_test() -> None:
    """CZMQ's own test passes."""
    zhttp_response.test()
