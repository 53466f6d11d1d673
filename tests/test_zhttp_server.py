"""zhttp_server: a server, its workers, and peers of all kinds on 127.0.0.1."""

from __future__ import annotations

import contextlib
import gc
import socket
import time
from collections.abc import Iterator
from typing import Any

import children
import pytest
import without_drafts
from http_peers import Peers, needs_drafts

from pyczmq import C, ffi, zhttp_request, zhttp_response, zhttp_server, zhttp_server_options, zsock

FAKE = ffi.cast("zhttp_server_t *", 8)
#: Every function with arguments that are right, but for the handle.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "new": (ffi.cast("zhttp_server_options_t *", 8),),
    "destroy": (FAKE,),
    "port": (FAKE,),
    "test": (),
}
REQUEST = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def peers() -> Iterator[Peers]:
    """A server with a worker, and a client."""
    peers = Peers()
    yield peers
    peers.close()


def read(peer: socket.socket) -> bytes:
    """Return all that the server sends until it closes the connection."""
    with peer:
        return b"".join(iter(lambda: peer.recv(65536), b""))


@pytest.mark.parametrize("name", ARGUMENTS)
def test_without_drafts(name: str) -> None:
    """On a library without drafts each function names itself and the library's version."""
    without_drafts.refuses(zhttp_server, ARGUMENTS, name)


@needs_drafts
def test_replay_of_the_self_test(peers: Peers) -> None:
    """What CZMQ's self-test shows: a POST, received by a worker, and its response."""
    peers.ask("/", "Hello!")
    request, connection = peers.take()
    assert zhttp_request.method(request) == "POST"
    assert zhttp_request.url(request) == "/"
    assert zhttp_request.content(request) == "Hello!"
    response = zhttp_response.new()
    zhttp_response.set_content_const(response, "Welcome!")
    zhttp_response.set_status_code(response, 200)
    zhttp_response.set_content_type(response, "text/plain")
    assert zhttp_response.send(response, peers.worker, connection) == 0
    response, _, _ = peers.hear()
    assert zhttp_response.content(response) == "Welcome!"
    assert zhttp_response.content_type(response) == "text/plain"


@needs_drafts
def test_port(peers: Peers) -> None:
    """The port is the real one; a fixed one that is free is taken."""
    assert 0 < peers.port == zhttp_server.port(peers.server) < 65536
    with socket.create_server(("", 0)) as probe:
        port = probe.getsockname()[1]
    options = zhttp_server_options.new()
    zhttp_server_options.set_port(options, port)
    server = zhttp_server.new(options)
    zhttp_server_options.destroy(options)
    assert zhttp_server.port(server) == port
    zhttp_server.destroy(server)


@needs_drafts
def test_taken_ports_and_addresses(peers: Peers) -> None:
    """C aborts over a port that is taken, and is deaf with a backend address that is."""
    options = zhttp_server_options.new()
    zhttp_server_options.set_port(options, peers.port)
    with pytest.raises(OSError, match="in use"):
        zhttp_server.new(options)
    zhttp_server_options.set_port(options, 0)
    zhttp_server_options.set_backend_address(options, peers.address)
    with pytest.raises(OSError, match="is taken"):
        zhttp_server.new(options)


@needs_drafts
@pytest.mark.parametrize("port", [-1, 65536, 2**31 - 1])
def test_options_of_the_raw_floor(port: int) -> None:
    """What the options' own functions refuse is refused here, too."""
    options = zhttp_server_options.new()
    C.zhttp_server_options_set_port(options, port)
    with pytest.raises(ValueError, match="options must have a port from 0 to 65535"):
        zhttp_server.new(options)
    C.zhttp_server_options_set_port(options, 0)
    C.zhttp_server_options_set_backend_address(options, b"tcp://127.0.0.1:*")
    with pytest.raises(ValueError, match="the backend address of options must be inproc"):
        zhttp_server.new(options)


@needs_drafts
def test_too_many_files_for_select() -> None:
    """A server cannot work with descriptors beyond 1023: C would write beyond its sets."""
    children.check("""
        import os, resource
        from pyczmq import zhttp_server, zhttp_server_options
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most == resource.RLIM_INFINITY or most >= 1200:
            resource.setrlimit(resource.RLIMIT_NOFILE, (1200, most))
            options = zhttp_server_options.new()
            zhttp_server_options.set_port(options, 0)
            opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1020)]
            try:
                zhttp_server.new(options)
            except OSError as error:
                assert "less than 1024 files" in str(error), error
            else:
                raise AssertionError
    """)


@needs_drafts
def test_connections_are_answered_once(peers: Peers) -> None:
    """A connection that was answered, or that nobody has made, is refused: C's server aborts over it."""
    peers.ask()
    request, connection = peers.take()
    response = zhttp_response.new()
    with pytest.raises(ValueError, match="connection is none of this server's"):
        zhttp_response.send(response, peers.worker, ffi.cast("void *", connection))
    for wrong, error in (None, TypeError), (request, TypeError), (ffi.NULL, ValueError), (5, TypeError):
        with pytest.raises(error, match="connection"):
            zhttp_response.send(response, peers.worker, wrong)  # type: ignore[arg-type]
    assert zhttp_response.send(response, peers.worker, connection) == 0
    with pytest.raises(ValueError, match="connection was answered"):
        zhttp_response.send(response, peers.worker, connection)
    peers.hear()


@needs_drafts
@pytest.mark.parametrize("status", [0, 100, 199, 1000, 2**32 - 1])
def test_status_that_cannot_be_sent(peers: Peers, status: int) -> None:
    """Over a status like this libmicrohttpd would leave its peer without an answer; another can still be given."""
    peers.ask()
    _, connection = peers.take()
    response = zhttp_response.new()
    zhttp_response.set_status_code(response, status)
    with pytest.raises(ValueError, match="response must have a status from 200 to 999"):
        zhttp_response.send(response, peers.worker, connection)
    peers.answer(connection, None, 404)
    response, _, _ = peers.hear()
    assert zhttp_response.status_code(response) == 404


@needs_drafts
@pytest.mark.parametrize("status", [200, 204, 304, 599, 999])
def test_status_that_can_be_sent(peers: Peers, status: int) -> None:
    """All others arrive."""
    peers.ask()
    _, connection = peers.take()
    peers.answer(connection, "x", status)
    response, _, _ = peers.hear()
    assert zhttp_response.status_code(response) == status


@needs_drafts
def test_connections_end_with_the_server(peers: Peers) -> None:
    """A connection that waits is closed when its server goes, and refused from then on."""
    peer = peers.shout(REQUEST % b"waiting")
    _, connection = peers.take()
    other = Peers()
    with pytest.raises(ValueError, match="connection is none of this server's"):
        zhttp_response.send(zhttp_response.new(), other.worker, connection)
    zhttp_server.destroy(peers.server)
    assert read(peer) == b""
    with pytest.raises(ValueError, match="sock must be a DEALER zsock"):
        zhttp_response.send(zhttp_response.new(), peers.worker, connection)
    with pytest.raises(ValueError, match="connection was closed with its server"):
        zhttp_response.send(zhttp_response.new(), other.worker, connection)
    with pytest.raises(ValueError, match="was destroyed"):
        zhttp_server.port(peers.server)
    peers.server = None
    other.close()


@needs_drafts
def test_a_worker_of_two_servers(peers: Peers) -> None:
    """An answer could go to the wrong server, which aborts: such a socket is refused, and left with one of them."""
    other = Peers()
    zsock.connect(peers.worker, other.address)
    with pytest.raises(ValueError, match="sock must be connected to one server only"):
        zhttp_request.recv(zhttp_request.new(), peers.worker)
    other.close()


@needs_drafts
def test_several_workers(peers: Peers) -> None:
    """The server hands its requests to its workers in turn; each may answer what another has received."""
    worker = peers.new_worker()
    asked = [peers.shout(REQUEST % b"%d" % number) for number in range(4)]
    taken = []
    for sock in peers.worker, worker, peers.worker, worker:
        request = zhttp_request.new()
        connection: Any = zhttp_request.recv(request, sock)
        taken.append((request, connection))
    for request, connection in taken:
        response = zhttp_response.new()
        zhttp_response.set_content(response, zhttp_request.url(request))
        assert zhttp_response.send(response, worker, connection) == 0
    for number, peer in enumerate(asked):
        assert b"/%d" % number in peer.recv(65536)
        peer.close()


@needs_drafts
def test_receiving_keeps_its_deadline(peers: Peers) -> None:
    """With a RCVTIMEO a worker gets None when nothing comes, and the request stays what it was."""
    zsock.set_rcvtimeo(peers.worker, 50)
    request = zhttp_request.new()
    zhttp_request.set_url(request, "/mine")
    start = time.monotonic()
    assert zhttp_request.recv(request, peers.worker) is None
    assert 0.04 < time.monotonic() - start < 5
    assert zhttp_request.url(request) == "/mine"


@needs_drafts
def test_what_a_request_was_is_replaced(peers: Peers) -> None:
    """A received request has nothing left of what it was before."""
    request = zhttp_request.new()
    zhttp_request.set_headers(request, {"Old": "x"})
    zhttp_request.set_content_const(request, "old")
    peers.ask("/new?query")
    connection = zhttp_request.recv(request, peers.worker)
    assert "Old" not in zhttp_request.headers(request)
    assert zhttp_request.content(request) is None
    assert zhttp_request.url(request) == "/new"
    peers.answer(connection)
    peers.hear()


@needs_drafts
@pytest.mark.parametrize(
    "sent",
    [
        b"\0" * 5000,
        b"GET",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10000 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort",
        b"M" * 20000 + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"M" * 256 + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"M" * 300 + b" / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    ],
    ids=range(12),
)
def test_peers_that_ask_badly(peers: Peers, sent: bytes) -> None:
    """Nothing that a peer may send harms the server, or reaches a worker in a form that could."""
    bad = socket.create_connection(("127.0.0.1", peers.port))
    # The server may have closed it by then.
    with contextlib.suppress(OSError):
        bad.sendall(sent)
        bad.shutdown(socket.SHUT_WR)
    good = peers.shout(REQUEST % b"good")
    while True:
        request, connection = peers.take()
        peers.answer(connection, "answer")
        if zhttp_request.url(request) == "/good":
            break
    assert good.recv(65536).endswith(b"answer")
    good.close()
    if b"M" * 256 in sent[:300]:
        # The worker that looks for the next request answers what it cannot be told.
        zsock.set_rcvtimeo(peers.worker, 100)
        assert zhttp_request.recv(zhttp_request.new(), peers.worker) is None
    bad.close()


@needs_drafts
@pytest.mark.parametrize("size", [255, 256, 300, 1000])
def test_methods_that_are_too_long(peers: Peers, size: int) -> None:
    """C cannot tell a worker of a method of more than 255 bytes: such a request is answered with 501."""
    peer = peers.shout(b"M" * size + b" /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    if size < 256:
        request, connection = peers.take()
        assert zhttp_request.method(request) == "M" * size
        peers.answer(connection)
        assert read(peer).startswith(b"HTTP/1.1 200 ")
    else:
        zsock.set_rcvtimeo(peers.worker, 300)
        assert zhttp_request.recv(zhttp_request.new(), peers.worker) is None
        assert read(peer).startswith(b"HTTP/1.1 501 ")


@needs_drafts
def test_paths_of_every_kind(peers: Peers) -> None:
    """A path arrives as libmicrohttpd has decoded it, up to a NUL byte."""
    for sent, heard in (
        (b"%C3%A4%FF%25s", "/ä\udcff%s"),
        (b"a%00b", "/a"),
        (b"x" * 5000, "/" + "x" * 5000),
        (b"..//%2e/", "/..//./"),
    ):
        peer = peers.shout(REQUEST % sent)
        request, connection = peers.take()
        assert zhttp_request.url(request) == heard
        peers.answer(connection)
        assert peer.recv(65536)
        peer.close()


@needs_drafts
def test_a_server_that_waits_for_a_worker_can_be_destroyed() -> None:
    """While no worker is there the first request blocks C's thread, which would not hear that it is to end."""
    children.check("""
        import gc, socket, time
        from pyczmq import zhttp_server, zhttp_server_options
        for collect in False, True, None:
            options = zhttp_server_options.new()
            zhttp_server_options.set_port(options, 0)
            server = zhttp_server.new(options)
            peers = [socket.create_connection(("127.0.0.1", zhttp_server.port(server))) for _ in range(3)]
            for peer in peers:
                peer.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
            time.sleep(0.1)
            assert zhttp_server.port(server)
            start = time.monotonic()
            if collect is False:
                zhttp_server.destroy(server)
            elif collect:
                del server
                gc.collect()
            if collect is not None:
                assert time.monotonic() - start < 3
                assert all(peer.recv(100) == b"" for peer in peers)
    """)


@needs_drafts
def test_ctrl_c_ends_a_wait() -> None:
    """A worker without requests can be left with Ctrl-C."""
    children.check("""
        import os, signal, threading, time
        from pyczmq import zhttp_request, zhttp_server, zhttp_server_options, zsock
        options = zhttp_server_options.new()
        zhttp_server_options.set_port(options, 0)
        server = zhttp_server.new(options)
        worker = zsock.new_dealer(zhttp_server_options.backend_address(options))
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        start = time.monotonic()
        try:
            zhttp_request.recv(zhttp_request.new(), worker)
        except KeyboardInterrupt:
            assert time.monotonic() - start < 2
        else:
            raise AssertionError
    """)


@needs_drafts
def test_nothing_leaks_and_nothing_is_freed_twice() -> None:
    """Requests and responses of 1 MiB come and go, as do servers, in both orders, and what is left at exit."""
    children.check(
        """
        import gc, resource
        from http_peers import Peers
        from pyczmq import zhttp_server

        def work(rounds):
            for number in range(rounds):
                peers = Peers()
                for _ in range(5):
                    peers.ask("/", "x" * 2**20)
                    request, connection = peers.take()
                    peers.answer(connection, "y" * 2**20)
                    peers.hear()
                peers.ask("/", "x" * 2**20)
                peers.take()
                if number % 3 == 0:
                    peers.close()
                elif number % 3 == 1:
                    peers.worker = None
                    gc.collect()
                    peers.server = None
                gc.collect()
            return peers, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        _, before = work(4)
        left, after = work(9)
        assert after - before < 40_000, (before, after)
        """,
        PYTHONPATH=_path(),
    )


def _path() -> str:
    import os
    import sys

    return os.pathsep.join(filter(None, sys.path))


@needs_drafts
def test_forked_child() -> None:
    """A forked child has no server, and the parent's goes on."""
    children.check("""
        import os, socket
        from pyczmq import zhttp_request, zhttp_response, zhttp_server, zhttp_server_options, zsock
        options = zhttp_server_options.new()
        zhttp_server_options.set_port(options, 0)
        server = zhttp_server.new(options)
        child = os.fork()
        if not child:
            try:
                zhttp_server.port(server)
            except ValueError as error:
                os._exit(0 if "belongs to the parent process" in str(error) else 1)
            os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        worker = zsock.new_dealer(zhttp_server_options.backend_address(options))
        peer = socket.create_connection(("127.0.0.1", zhttp_server.port(server)))
        peer.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        connection = zhttp_request.recv(zhttp_request.new(), worker)
        zhttp_response.send(zhttp_response.new(), worker, connection)
        assert peer.recv(100).startswith(b"HTTP/1.1 200")
    """)


@needs_drafts
@pytest.mark.parametrize("name", ["new", "destroy", "port"])
def test_handles_that_are_refused(name: str) -> None:
    """A handle that is none, NULL or of another type never reaches C."""
    kind = "zhttp_server_options_t *" if name == "new" else "zhttp_server_t *"
    for handle, error in ("x", TypeError), (ffi.cast("zhash_t *", 8), TypeError), (ffi.cast(kind, 0), ValueError):
        with pytest.raises(error, match=r"options|server"):
            getattr(zhttp_server, name)(handle)
    zhttp_server.destroy(None)
    gc.collect()


@needs_drafts
def test_self_test() -> None:
    """CZMQ's own test passes."""
    zhttp_server.test()
