"""zhttp_request: HTTP requests; on their way, see test_zhttp_client.py and test_zhttp_server.py."""

from __future__ import annotations

import gc
from typing import Any

import children
import pytest
import without_drafts
from http_peers import ODD_TEXT, needs_drafts, text

from pyczmq import C, ffi, zhttp_request, zsock

FAKE = ffi.cast("zhttp_request_t *", 8)
#: Every function with arguments that are right, but for the handles.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "new": (),
    "destroy": (FAKE,),
    "recv": (FAKE, ffi.cast("zsock_t *", 8)),
    "send": (FAKE, ffi.cast("zhttp_client_t *", 8), 0),
    "method": (FAKE,),
    "set_method": (FAKE, "GET"),
    "url": (FAKE,),
    "set_url": (FAKE, "/"),
    "content_type": (FAKE,),
    "set_content_type": (FAKE, "text/plain"),
    "content_length": (FAKE,),
    "headers": (FAKE,),
    "content": (FAKE,),
    "get_content": (FAKE,),
    "set_content": (FAKE, "x"),
    "set_content_const": (FAKE, "x"),
    "reset_content": (FAKE,),
    "match": (FAKE, "GET", "/"),
    "test": (),
}
WITH_HANDLE = [name for name, arguments in ARGUMENTS.items() if arguments and arguments[0] is FAKE]


@pytest.fixture
def request_() -> Any:
    """A new request."""
    return zhttp_request.new()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_without_drafts(name: str) -> None:
    """On a library without drafts each function names itself and the library's version."""
    without_drafts.refuses(zhttp_request, ARGUMENTS, name)


@needs_drafts
def test_replay_of_the_self_test(request_: Any) -> None:
    """What CZMQ's self-test shows: which paths match, and what stands for their wildcards."""
    zhttp_request.set_method(request_, "GET")
    zhttp_request.set_url(request_, "/send/hello/world")
    assert zhttp_request.match(request_, "GET", "/send/%s/%s") == ("hello", "world")
    assert zhttp_request.match(request_, "GET", "/send/hello/world") == ()
    assert zhttp_request.match(request_, "POST", "/send/hello/world") is None
    assert zhttp_request.match(request_, "GET", "/xsend/%s/%s") is None
    assert zhttp_request.match(request_, "GET", "/end/%s/%s") is None


@needs_drafts
def test_match_leaves_the_url_whole(request_: Any) -> None:
    """C cuts the URL apart; here it can be matched again, bytes that are no UTF-8 and all."""
    url = b"/a\xff%s%n/100%/?query=/x"
    zhttp_request.set_url(request_, url)
    for _ in range(2):
        assert zhttp_request.match(request_, b"GET", b"/%s/%s/") == (text(b"a\xff%s%n"), "100%")
        assert zhttp_request.url(request_) == text(url)


@needs_drafts
@pytest.mark.parametrize("path", ["%", "/%", "/%d", "/%%", "/%s/%%s", "/%S", "%n%s"])
def test_match_with_a_percent_sign(request_: Any, path: str) -> None:
    """C aborts over conversions that it does not know, and has the wrong idea of a doubled percent sign."""
    with pytest.raises(ValueError, match="path must have no % but in %s"):
        zhttp_request.match(request_, "GET", path)


@needs_drafts
@pytest.mark.parametrize(
    ("url", "path", "found"),
    [
        ("/", "/", ()),
        ("", "", ()),
        ("", "%s", None),
        ("/", "/%s", None),
        ("/a", "%s", None),
        ("a", "%s", ("a",)),
        ("/a//b", "/%s/%s/%s", None),
        ("/ab", "/%sb", None),
        ("/a?b/c", "/%s", ("a",)),
        ("?", "", ()),
        ("/a/b", "/%s", None),
        ("/a", "/%s/", None),
        ("/a", "/%s%s", None),
        ("/" + "x" * 2**20, "/%s", ("x" * 2**20,)),
        ("/x" * 250, "/%s" * 250, ("x",) * 250),
    ],
)
def test_match_of_odd_paths(request_: Any, url: str, path: str, found: Any) -> None:
    """Paths and URLs of every kind match or do not, and harm nobody."""
    zhttp_request.set_url(request_, url)
    assert zhttp_request.match(request_, "GET", path) == found


@needs_drafts
def test_match_has_a_limit(request_: Any) -> None:
    """The parts come back over C's stack: there can be 250."""
    with pytest.raises(ValueError, match="path must have at most 250 times %s, not 251"):
        zhttp_request.match(request_, "GET", "/%s" * 251)


@needs_drafts
@pytest.mark.parametrize("given", ODD_TEXT, ids=range(len(ODD_TEXT)))
def test_text_goes_through(request_: Any, given: Any) -> None:
    """URL, content and headers keep any text: empty, no UTF-8, formats, 1 MiB."""
    zhttp_request.set_url(request_, given)
    assert zhttp_request.url(request_) == text(given)
    zhttp_request.set_content_type(request_, given)
    assert zhttp_request.content_type(request_) == text(given)
    zhttp_request.set_headers(request_, {"Some": given, b"Other": b""})
    assert zhttp_request.headers(request_) == {"Some": text(given), "Other": ""}
    for set_content in zhttp_request.set_content, zhttp_request.set_content_const:
        for _ in range(2):
            set_content(request_, given)
            assert zhttp_request.content(request_) == text(given)
            assert zhttp_request.content_length(request_) == len(text(given).encode("utf-8", "surrogateescape"))
        assert zhttp_request.get_content(request_) == text(given)
        assert zhttp_request.get_content(request_) is zhttp_request.content(request_) is None
    zhttp_request.set_content_const(request_, given)
    zhttp_request.reset_content(request_)
    assert zhttp_request.content_length(request_) == 0


@needs_drafts
def test_headers(request_: Any) -> None:
    """Headers come as a copy, and are set all at once; the content type is replaced, which C does not do."""
    assert zhttp_request.headers(request_) == {}
    assert zhttp_request.content_type(request_) is None
    zhttp_request.set_content_type(request_, "text/plain")
    zhttp_request.set_content_type(request_, "text/html")
    zhttp_request.headers(request_)["X"] = "y"
    assert zhttp_request.headers(request_) == {"Content-Type": "text/html"}
    many: dict[Any, Any] = {f"X-{number}": str(number) for number in range(1000)}
    zhttp_request.set_headers(request_, many)
    assert zhttp_request.headers(request_) == many
    zhttp_request.set_headers(request_, {})
    assert zhttp_request.headers(request_) == {}


@needs_drafts
def test_headers_that_would_smuggle(request_: Any) -> None:
    """A line end in a header, or in its name, would begin another one; what was there stays."""
    zhttp_request.set_headers(request_, {"X": "y"})
    for name in "", "a b", "a:b", "a\r\nb", "ä":
        with pytest.raises(ValueError, match="each key of headers"):
            zhttp_request.set_headers(request_, {name: ""})
    for value in "a\nb", "\r", b"\r\nX: y":
        with pytest.raises(ValueError, match="each value of headers must be one line"):
            zhttp_request.set_headers(request_, {"Z": "", "X": value})
        with pytest.raises(ValueError, match="one line"):
            zhttp_request.set_content_type(request_, value)
    assert zhttp_request.headers(request_) == {"X": "y"}


@needs_drafts
def test_method(request_: Any) -> None:
    """A method has at most 255 bytes: C copies it into a buffer without a look."""
    assert zhttp_request.method(request_) == "GET"
    zhttp_request.set_method(request_, b"\xff" * 255)
    assert zhttp_request.method(request_) == "\udcff" * 255
    for size in 256, 2**20:
        with pytest.raises(ValueError, match="method must be at most 255 bytes long"):
            zhttp_request.set_method(request_, "x" * size)


@needs_drafts
@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("set_method", "method"),
        ("set_url", "url"),
        ("set_content_type", "each value of headers"),
        ("set_content", "content"),
        ("set_content_const", "content"),
    ],
)
def test_no_text(request_: Any, function: str, name: str) -> None:
    """Anything but text is a TypeError, and a NUL byte, at which C would stop, a ValueError."""
    for given in None, 5, bytearray(b"x"):
        with pytest.raises(TypeError, match=name):
            getattr(zhttp_request, function)(request_, given)
    with pytest.raises(ValueError, match="must not contain a NUL byte"):
        getattr(zhttp_request, function)(request_, b"a\0b")


@needs_drafts
def test_receiving_from_what_is_no_server(request_: Any) -> None:
    """Whatever else a socket is connected to could send pointers: it is refused."""
    pair = zsock.new_dealer("@inproc://no-server"), zsock.new_dealer(">inproc://no-server")
    for sock in (*pair, zsock.new_dealer()):
        with pytest.raises(ValueError, match="sock must be a DEALER zsock"):
            zhttp_request.recv(request_, sock)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="sock"):
        zhttp_request.recv(request_, zsock.resolve(pair[0]))  # type: ignore[arg-type]


@needs_drafts
@pytest.mark.parametrize("name", WITH_HANDLE)
def test_handles_that_are_refused(name: str) -> None:
    """A handle that is none, NULL, of another type or destroyed never reaches C."""
    gone = zhttp_request.new()
    zhttp_request.destroy(gone)
    for handle, error in (
        ("request", TypeError),
        (ffi.cast("zhttp_response_t *", 8), TypeError),
        (ffi.cast("zhttp_request_t *", 0), ValueError),
        (gone, ValueError),
    ):
        with pytest.raises(error, match="request"):
            getattr(zhttp_request, name)(handle, *ARGUMENTS[name][1:])


@needs_drafts
def test_destroyed_once() -> None:
    """A request is freed once, whoever comes first, with a content that is its own or that was lent."""
    zhttp_request.destroy(None)
    for set_content in zhttp_request.set_content, zhttp_request.set_content_const:
        for explicit in True, False:
            request = zhttp_request.new()
            set_content(request, "x" * 1000)
            if explicit:
                zhttp_request.destroy(request)
            del request
            gc.collect()
    raw = C.zhttp_request_new()
    zhttp_request.set_content_const(raw, "x")
    zhttp_request.destroy(raw)


@needs_drafts
def test_nothing_leaks() -> None:
    """Contents and headers that are replaced, taken out or dropped with their request are freed."""
    children.check("""
        import gc, resource
        from pyczmq import zhttp_request

        def work(rounds):
            for number in range(rounds):
                request = zhttp_request.new()
                for _ in range(2):
                    zhttp_request.set_content(request, "x" * 2**17)
                    zhttp_request.set_content_const(request, "y" * 2**17)
                    zhttp_request.set_headers(request, {"A": "z" * 2**17})
                    zhttp_request.set_content_type(request, "z" * 2**17)
                    zhttp_request.set_url(request, "z" * 2**17)
                    zhttp_request.match(request, "GET", "%s")
                if number % 2:
                    zhttp_request.get_content(request)
                if number % 3:
                    zhttp_request.destroy(request)
                if number % 10 == 0:
                    gc.collect()
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        before = work(100)
        after = work(200)
        assert after - before < 40_000, (before, after)
    """)


@needs_drafts
def test_self_test() -> None:
    """CZMQ's own test passes."""
    zhttp_request.test()
