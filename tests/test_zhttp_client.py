"""zhttp_client: requests that a client sends, and the responses that it hears, from peers on 127.0.0.1."""

from __future__ import annotations

import errno
import gc
import socket
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import children
import pytest
import without_drafts
from http_peers import ODD_TEXT, PATIENCE, Peers, needs_drafts, text

from pyczmq import C, ffi, zhttp_client, zhttp_request, zhttp_response

FAKE = ffi.cast("zhttp_client_t *", 8)
#: Every function with arguments that are right, but for the handle.
ARGUMENTS: dict[str, tuple[Any, ...]] = {"new": (), "destroy": (FAKE,), "test": ()}

_CANNOT_CONNECT = 7


@pytest.fixture
def client() -> Any:
    """A new client."""
    return Peers.or_skip(zhttp_client.new)


@pytest.fixture
def peers() -> Iterator[Peers]:
    """A server with a worker, and a client."""
    peers = Peers()
    yield peers
    peers.close()


class Peer:
    """A server of our own, which answers each connection with the same bytes, and closes it."""

    def __init__(self, answer: bytes) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.answer = answer
        self.heard: list[bytes] = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            with connection:
                request = connection.recv(65536)
                if request == b"stop":
                    return
                self.heard.append(request)
                connection.sendall(self.answer)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        with socket.create_connection(self.listener.getsockname()) as last:
            last.sendall(b"stop")
        self.thread.join()
        self.listener.close()


def get(client: Any, url: Any, *arguments: Any, timeout: int = PATIENCE) -> tuple[Any, ...]:
    """Send a GET and return the response, with what came along."""
    request, response = zhttp_request.new(), zhttp_response.new()
    zhttp_request.set_url(request, url)
    assert zhttp_request.send(request, client, timeout, *arguments) == 0
    return (response, *zhttp_response.recv(response, client))


@pytest.mark.parametrize("name", ARGUMENTS)
def test_without_drafts(name: str) -> None:
    """On a library without drafts each function names itself and the library's version."""
    without_drafts.refuses(zhttp_client, ARGUMENTS, name)


@needs_drafts
def test_replay_of_the_self_test(peers: Peers) -> None:
    """What CZMQ's self-test shows: a GET, its answer by a worker, and the response."""
    peers.ask()
    request, connection = peers.take()
    assert zhttp_request.method(request) == "GET"
    peers.answer(connection, "Hello World!")
    response, arg, arg2 = peers.hear()
    assert zhttp_response.content(response) == "Hello World!"
    assert (arg, arg2) == (None, None)


@needs_drafts
def test_any_objects_come_back_with_the_response(peers: Peers) -> None:
    """Responses come in any order, each with the very objects of its request."""
    given = [(object(), {"number": number}) for number in range(20)]
    for number, pair in enumerate(given):
        peers.ask(f"/{number}", None, *pair)
    taken = [peers.take() for _ in given]
    for request, connection in reversed(taken):
        peers.answer(connection, zhttp_request.url(request))
    for _ in given:
        response, arg, arg2 = peers.hear()
        number = int((zhttp_response.content(response) or "").lstrip("/"))
        assert given[number][0] is arg
        assert given[number][1] is arg2
        given[number] = (None, {})
    assert {arg for arg, _ in given} == {None}


@needs_drafts
@pytest.mark.parametrize("content", ODD_TEXT, ids=range(len(ODD_TEXT)))
def test_content_goes_both_ways(peers: Peers, content: Any) -> None:
    """Content of any text arrives as it was sent: empty, no UTF-8, formats, 1 MiB."""
    peers.ask("/", content)
    request, connection = peers.take()
    assert zhttp_request.method(request) == "POST"
    assert (zhttp_request.content(request) or "") == text(content)
    peers.answer(connection, content)
    response, _, _ = peers.hear()
    assert (zhttp_response.content(response) or "") == text(content)


@needs_drafts
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("setter", ["set_content", "set_content_const"])
def test_a_request_can_be_used_again(peers: Peers, method: str, setter: str) -> None:
    """Sending takes headers and content out of a request, and leaves the rest; lent content may go at once."""
    request = zhttp_request.new()
    zhttp_request.set_method(request, method)
    zhttp_request.set_url(request, peers.url)
    for number in range(3):
        zhttp_request.set_headers(request, {"X-Number": str(number)})
        getattr(zhttp_request, setter)(request, "a" * 1000)
        assert zhttp_request.send(request, peers.client, PATIENCE) == 0
        assert zhttp_request.headers(request) == {}
        assert zhttp_request.content(request) is None
        gc.collect()
        heard, connection = peers.take()
        assert zhttp_request.headers(heard)["X-Number"] == str(number)
        assert zhttp_request.content(heard) == ("a" * 1000 if method == "POST" else None)
        peers.answer(connection)
        peers.hear()
    assert zhttp_request.method(request) == method


@needs_drafts
def test_post_without_content(peers: Peers) -> None:
    """A POST that has no content is one of nothing: libcurl would look for it elsewhere."""
    request = zhttp_request.new()
    zhttp_request.set_method(request, "POST")
    zhttp_request.set_url(request, peers.url)
    assert zhttp_request.send(request, peers.client, PATIENCE) == 0
    heard, connection = peers.take()
    assert (zhttp_request.method(heard), zhttp_request.content(heard)) == ("POST", None)
    peers.answer(connection)
    peers.hear()


@needs_drafts
@pytest.mark.parametrize("method", ["", "PUT", "get", "$TERM", "DELETE"])
def test_methods_that_the_client_does_not_know(client: Any, method: str) -> None:
    """C would send GET in place of them, or end the client."""
    request = zhttp_request.new()
    zhttp_request.set_method(request, method)
    with pytest.raises(ValueError, match="request must have the method GET or POST"):
        zhttp_request.send(request, client, 0)


@needs_drafts
def test_no_response(client: Any) -> None:
    """What libcurl says of a request that fails is in errno; a time that has passed is ETIMEDOUT."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        response, *rest = get(client, url, "slow", timeout=50)
        assert (rest, ffi.errno) == ([-1, "slow", None], errno.ETIMEDOUT)
    response, *rest = get(client, url, None, "closed")
    assert (rest, ffi.errno) == ([-1, None, "closed"], _CANNOT_CONNECT)
    assert zhttp_response.headers(response) == {}
    for bad in "", "no url", "nosuch://127.0.0.1/", b"http://\xff", "http://127.0.0.1:99999/":
        assert get(client, bad, "bad")[1:] == (-1, "bad", None)


@needs_drafts
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0" * 1000,
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nshort",
        b"HTTP/1.1 99999 ?\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n:\r\n::::\r\nA\r\n\xff: \xff\r\nB:\r\nB: again\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n\0\0\0",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X%d: %%s\r\n" % number for number in range(1000)) + b"\r\n%n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 50000 + b"\r\n\r\n" + b"y" * 2**20,
    ],
    ids=range(10),
)
def test_peers_that_answer_badly(client: Any, answer: bytes) -> None:
    """Nothing that a server may say harms the client: it is a response or it is none."""
    with Peer(answer) as peer:
        response, rc, arg, _ = get(client, peer.url, "mine")
        assert (rc, arg) in ((0, "mine"), (-1, "mine"))
        assert isinstance(zhttp_response.headers(response), dict)
        zhttp_response.content(response)
        assert peer.heard[0].startswith(b"GET / HTTP/1.1\r\n")


@needs_drafts
def test_content_ends_at_a_nul_byte(client: Any) -> None:
    """C does not say how long the content was."""
    with Peer(b"HTTP/1.1 201 OK\r\nA: b\r\nContent-Length: 3\r\n\r\na\0b") as peer:
        response, rc, _, _ = get(client, peer.url)
    assert (rc, zhttp_response.status_code(response), zhttp_response.content(response)) == (0, 201, "a")
    assert zhttp_response.headers(response)["A"] == "b"


@needs_drafts
def test_more_responses_than_fit_into_a_pipe() -> None:
    """Thousands of requests whose responses nobody receives neither block nor are lost."""
    children.check("""
        from pyczmq import zhttp_client, zhttp_request, zhttp_response
        client = zhttp_client.new()
        request, response = zhttp_request.new(), zhttp_response.new()
        for number in range(4000):
            # This fails at once.
            zhttp_request.set_url(request, "nosuch://x")
            assert zhttp_request.send(request, client, 0, number) == 0
        seen = {zhttp_response.recv(response, client)[1] for _ in range(4000)}
        assert seen == set(range(4000))
    """)


@needs_drafts
def test_arguments_are_dropped_with_the_client(client: Any) -> None:
    """What was sent along lives as long as the request is under way, at most as long as the client; also in a cycle."""

    class Thing:
        """Can be referenced weakly."""

        client: Any

    things = [Thing(), Thing()]
    references = [weakref.ref(thing) for thing in things]
    request = zhttp_request.new()
    zhttp_request.set_url(request, "nosuch://x")
    zhttp_request.send(request, client, 0, things[0])
    zhttp_response.recv(zhttp_response.new(), client)
    things[1].client = other = zhttp_client.new()
    zhttp_request.send(request, other, 0, None, things[1])
    del things, other
    for _ in range(10):
        gc.collect()
        if [reference() for reference in references] == [None, None]:
            break
    assert [reference() for reference in references] == [None, None]


@needs_drafts
def test_wrong_arguments(client: Any) -> None:
    """Each argument of sending and receiving is checked."""
    request, response = zhttp_request.new(), zhttp_response.new()
    for timeout, error in (-1, ValueError), (2**31, ValueError), ("1", TypeError), (None, TypeError):
        with pytest.raises(error, match="timeout"):
            zhttp_request.send(request, client, timeout)  # type: ignore[arg-type]
    gone = zhttp_client.new()
    zhttp_client.destroy(gone)
    null = ffi.cast("zhttp_client_t *", 0)
    for wrong, error in (None, TypeError), (request, TypeError), (null, ValueError), (gone, ValueError):
        with pytest.raises(error, match="client"):
            zhttp_request.send(request, wrong, 0)  # type: ignore[arg-type]
        with pytest.raises(error, match="client"):
            zhttp_response.recv(response, wrong)  # type: ignore[arg-type]
        if wrong is not None:
            with pytest.raises(error, match="client"):
                zhttp_client.destroy(wrong)  # type: ignore[arg-type]


@needs_drafts
def test_ctrl_c_ends_a_wait() -> None:
    """A client with nothing to say can be left: with Ctrl-C, at once, and by nobody else's signal."""
    children.check("""
        import os, signal, threading, time
        from pyczmq import zhttp_client, zhttp_response
        client, seen = zhttp_client.new(), []
        signal.signal(signal.SIGUSR1, lambda *_: seen.append(time.monotonic()))

        def disturb():
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=disturb).start()
        start = time.monotonic()
        try:
            zhttp_response.recv(zhttp_response.new(), client)
        except KeyboardInterrupt:
            assert 0.3 < time.monotonic() - start < 2 and seen
        else:
            raise AssertionError
        zhttp_client.destroy(client)
    """)


@needs_drafts
def test_in_use_in_another_thread(client: Any) -> None:
    """A client that another thread waits for cannot be destroyed under it."""
    response = zhttp_response.new()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        request = zhttp_request.new()
        zhttp_request.set_url(request, f"http://127.0.0.1:{listener.getsockname()[1]}")
        zhttp_request.send(request, client, PATIENCE)
        connection, _ = listener.accept()
        thread = threading.Thread(target=zhttp_response.recv, args=(response, client))
        thread.start()
        while True:
            try:
                zhttp_request.send(request, client, 1)
            except ValueError as error:
                assert "in use in another thread" in str(error)
                break
        with pytest.raises(ValueError, match="in use in another thread"):
            zhttp_client.destroy(client)
        connection.close()
        thread.join()
    zhttp_client.destroy(client)


@needs_drafts
def test_nothing_leaks_and_nothing_is_freed_twice() -> None:
    """Clients end with requests under way, with responses that nobody has received, in both orders, and at exit."""
    children.check(
        """
        import gc, resource
        from pyczmq import zhttp_client, zhttp_request, zhttp_response

        def work(rounds):
            for number in range(rounds):
                client, request, response = zhttp_client.new(), zhttp_request.new(), zhttp_response.new()
                for _ in range(4):
                    zhttp_request.set_method(request, "POST")
                    zhttp_request.set_url(request, "nosuch://x")
                    zhttp_request.set_content_const(request, "x" * 2**18)
                    zhttp_request.set_headers(request, {"A": "z" * 2**18})
                    zhttp_request.send(request, client, 0, number)
                if number % 2:
                    assert zhttp_response.recv(response, client) == (-1, number, None)
                if number % 3 == 0:
                    zhttp_client.destroy(client)
                    del request, response
                elif number % 3 == 1:
                    del client, response
                gc.collect()
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, client

        before, _ = work(30)
        after, _ = work(60)
        assert after - before < 30_000, (before, after)
        left = zhttp_client.new()
        """
    )


@needs_drafts
def test_no_room_for_another_client() -> None:
    """Where libzmq has no room for the sockets C would abort; here it is an OSError."""
    children.check("""
        from pyczmq import zhttp_client, zsys
        zsys.set_max_sockets(3)
        try:
            zhttp_client.new()
        except OSError as error:
            assert "no room" in str(error)
        else:
            raise AssertionError
    """)


@needs_drafts
def test_raw_handles_are_taken() -> None:
    """A client of the raw floor works with these functions, its user's pointers as they are."""
    client = C.zhttp_client_new(False)
    if not client:
        pytest.skip("libczmq was built without libcurl")
    request, response = zhttp_request.new(), zhttp_response.new()
    zhttp_request.set_url(request, "nosuch://x")
    data = ffi.new("int *", 5)
    C.zhttp_request_send(request, client, 0, data, ffi.NULL)
    assert zhttp_response.recv(response, client) == (-1, ffi.cast("void *", data), None)
    zhttp_request.send(request, client, 0, "object")
    assert zhttp_response.recv(response, client) == (-1, "object", None)
    zhttp_client.destroy(client)


@needs_drafts
def test_self_test() -> None:
    """CZMQ's own test passes."""
    zhttp_client.test()
