"""zproxy: CZMQ's proxy, its two sides, and all that would make C abort."""

from __future__ import annotations

import itertools
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import children
import pytest
from common import free_port

from pyczmq import C, ffi, zactor, zcert, zmq, zpoller, zproxy, zsocket, zstr

PATIENCE = 10000
GLANCE = 100
DRAFTS = hasattr(C, "zactor_set_destructor")

_names = itertools.count(1)


def name() -> str:
    """An inproc name that nobody has."""
    return f"inproc://test_zproxy.{next(_names)}"


@pytest.fixture
def proxy() -> Iterator[Any]:
    made = zactor.new(zproxy.actor)
    yield made
    if zactor.is_(made):
        zactor.destroy(made)


class Peers:
    """Sockets of the process-wide context."""

    def __init__(self) -> None:
        self.socks: list[Any] = []

    def new(self, kind: int, endpoint: str, bind: bool = False) -> Any:
        sock = C.zsock_new(kind)
        self.socks.append(sock)
        zsocket.set_rcvtimeo(C.zsock_resolve(sock), PATIENCE)
        text = ffi.new("char[]", endpoint.encode())
        assert (C.zsock_bind if bind else C.zsock_connect)(sock, b"%s", text) >= 0
        return sock

    def close(self, *socks: Any) -> None:
        for sock in socks or list(self.socks):
            self.socks.remove(sock)
            C.zsock_destroy(ffi.new("zsock_t **", sock))


@pytest.fixture
def peers() -> Iterator[Peers]:
    made = Peers()
    yield made
    made.close()


def test_replay_of_the_self_test(proxy: Any, peers: Peers) -> None:
    """CZMQ's own test: what is pushed in at the front comes out at the back; pause, resume and capture."""
    front, back, copies = name(), name(), name()
    zproxy.verbose(proxy)
    zproxy.frontend(proxy, "PULL", front)
    zproxy.backend(proxy, "PUSH", back)
    faucet, sink = peers.new(zmq.PUSH, front), peers.new(zmq.PULL, back)
    zstr.sendx(faucet, "Hello", "World")
    assert zstr.recvx(sink) == ["Hello", "World"]

    zproxy.pause(proxy)
    zstr.sendx(faucet, "Hello", "World")
    assert not zsocket.poll(sink, GLANCE)
    zproxy.resume(proxy)
    assert zstr.recvx(sink) == ["Hello", "World"]

    capture = peers.new(zmq.PULL, copies, bind=True)
    zproxy.capture(proxy, copies)
    zstr.sendx(faucet, "Hello", "World")
    assert zstr.recvx(sink) == ["Hello", "World"]
    assert zstr.recvx(capture) == ["Hello", "World"]


def test_subscriber_that_came_first(proxy: Any, peers: Peers) -> None:
    """The self-test's second half: a subscriber connects before the proxy binds, and is not turned away."""
    front, back = name(), name()
    sub = peers.new(zmq.SUB, back)
    zsocket.set_subscribe(C.zsock_resolve(sub), "")
    zproxy.backend(proxy, "XPUB", back)
    zproxy.frontend(proxy, "XSUB", front)
    pub = peers.new(zmq.XPUB, front)
    assert zstr.recv(pub) == "\x01"
    zstr.send(pub, "Hello")
    assert zstr.recv(sub) == "Hello"


def test_pusher_that_came_first(proxy: Any, peers: Peers) -> None:
    """What was sent before the proxy was there is not lost: an inproc name is not tried out by binding it."""
    front, back = name(), name()
    faucet = peers.new(zmq.PUSH, front)
    zstr.send(faucet, "early")
    sink = peers.new(zmq.PULL, back)
    zproxy.frontend(proxy, zmq.PULL, front)
    zproxy.backend(proxy, zmq.PUSH, back)
    assert zstr.recv(sink) == "early"


def test_requests_and_replies(proxy: Any, peers: Peers) -> None:
    """A ROUTER in front and a DEALER behind pass requests there and replies back."""
    front, back = name(), name()
    zproxy.frontend(proxy, b"ROUTER", front)
    zproxy.backend(proxy, b"DEALER", back)
    client, server = peers.new(zmq.REQ, front), peers.new(zmq.REP, back)
    zstr.send(client, "question")
    assert zstr.recv(server) == "question"
    zstr.send(server, "answer")
    assert zstr.recv(client) == "answer"


def test_endpoints(proxy: Any, peers: Peers) -> None:
    """A side has as many endpoints as it is given; those with > are connected to, others bound."""
    front, other, back = name(), name(), name()
    faucet = peers.new(zmq.PUSH, other, bind=True)
    zproxy.frontend(proxy, "PULL", f"@{front},tcp://127.0.0.1:*,>{other}")
    sink = peers.new(zmq.PULL, back, bind=True)
    zproxy.backend(proxy, "PUSH", f">{back},")
    zstr.send(faucet, "Hello")
    assert zstr.recv(sink) == "Hello"
    zstr.send(peers.new(zmq.PUSH, front), "World")
    assert zstr.recv(sink) == "World"


def test_tcp(peers: Peers) -> None:
    """A TCP port that was tried out is free again at once, and is the one that is bound."""
    for _ in range(10):
        # A new one each time: what a proxy has bound is free some time after its end.
        port = free_port()
        proxy, back = zactor.new(zproxy.actor), name()
        zproxy.frontend(proxy, "PULL", f"tcp://127.0.0.1:{port}")
        zproxy.backend(proxy, "PUSH", back)
        faucet, sink = peers.new(zmq.PUSH, f"tcp://127.0.0.1:{port}"), peers.new(zmq.PULL, back)
        zstr.send(faucet, "Hello")
        assert zstr.recv(sink) == "Hello"
        peers.close()
        zactor.destroy(proxy)


@pytest.mark.parametrize(
    "kind", ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"]
)
def test_all_types(kind: str, proxy: Any) -> None:
    """Each type that C knows can be given by name and by number, on either side."""
    zproxy.frontend(proxy, kind, name())
    zproxy.backend(proxy, getattr(zmq, kind), name())
    zproxy.pause(proxy)


@pytest.mark.parametrize(
    ("endpoints", "error", "text"),
    [
        ("", ValueError, "endpoints must be endpoints of 1 to 255 bytes"),
        (",", ValueError, "endpoints must be endpoints of 1 to 255 bytes"),
        ("@", ValueError, "endpoints must be endpoints of 1 to 255 bytes"),
        ("inproc://a,,inproc://b", ValueError, "endpoints must be endpoints of 1 to 255 bytes"),
        ("inproc://" + "x" * 300, ValueError, "endpoints must be endpoints of 1 to 255 bytes"),
        ("inproc://", ValueError, "endpoints: 'inproc://'"),
        ("nonsense", ValueError, "endpoints: 'nonsense'"),
        ("nosuch://x", ValueError, "endpoints: 'nosuch://x'"),
        (">nonsense", ValueError, "endpoints: 'nonsense'"),
        ("%s%n://x", ValueError, "endpoints: '%s%n://x'"),
        ("tcp://nosuchinterface:*", ValueError, "endpoints: 'tcp://nosuchinterface:"),
        ("tcp://127.0.0.1:*[5-4]", ValueError, "has no range of ports"),
        ("tcp://127.0.0.1:![1-70000]", ValueError, "has no range of ports"),
        ("norm://x", ValueError, "endpoints: 'norm://x'"),
        ("ipc:///nosuchfolder/x", OSError, "No such file or directory"),
        ("tcp://192.0.2.1:5555", OSError, "Cannot assign requested address"),
        ("inproc://a\0b", ValueError, "endpoints must not contain a NUL byte"),
        (None, TypeError, "endpoints must be str or bytes"),
        (5, TypeError, "endpoints must be str or bytes"),
    ],
)
def test_wrong_endpoints(endpoints: Any, error: type[Exception], text: str, proxy: Any) -> None:
    """What C would abort over is refused, and the side can be given once more."""
    with pytest.raises(error, match=text):
        zproxy.frontend(proxy, "PULL", endpoints)
    zproxy.frontend(proxy, "PULL", name())


def test_endpoints_in_use(proxy: Any, peers: Peers) -> None:
    """An address that somebody else has bound is an OSError; what has it goes on undisturbed."""
    taken = name()
    sink = peers.new(zmq.PULL, taken, bind=True)
    with pytest.raises(OSError, match="Address already in use"):
        zproxy.frontend(proxy, "PULL", taken)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(OSError, match="Address already in use"):
            zproxy.backend(proxy, "PUSH", f"tcp://127.0.0.1:{listener.getsockname()[1]}")
    twice = name()
    with pytest.raises(OSError, match="Address already in use"):
        zproxy.frontend(proxy, "PULL", f"{twice},{twice}")
    zproxy.frontend(proxy, "PULL", name())
    back = name()
    zproxy.backend(proxy, "PUSH", back)
    other = zactor.new(zproxy.actor)
    with pytest.raises(OSError, match="Address already in use"):
        zproxy.backend(other, "PUSH", back)
    zactor.destroy(other)
    zstr.send(peers.new(zmq.PUSH, taken), "Hello")
    assert zstr.recv(sink) == "Hello"


@pytest.mark.parametrize("kind", ["", "pull", "STREAM", "SERVER", "PULL ", b"\xff", -1, 11, 12, 2**40])
def test_wrong_types(kind: Any, proxy: Any) -> None:
    """A type that C does not know is a ValueError."""
    with pytest.raises(ValueError, match="type must be"):
        zproxy.frontend(proxy, kind, name())
    wrong: Any
    for wrong in None, 1.5, ():
        with pytest.raises(TypeError, match="type must be"):
            zproxy.frontend(proxy, wrong, name())


def test_a_side_is_given_once(proxy: Any) -> None:
    """C would abort over a second one."""
    zproxy.frontend(proxy, "PULL", name())
    with pytest.raises(ValueError, match="actor has its frontend already"):
        zproxy.frontend(proxy, "PULL", name())
    zproxy.backend(proxy, "PUSH", name())
    with pytest.raises(ValueError, match="actor has its backend already"):
        zproxy.backend(proxy, "PUSH", name())


def test_half_a_proxy(proxy: Any, peers: Peers) -> None:
    """With one side alone C would abort at its first message, once it was resumed."""
    front, back = name(), name()
    zproxy.resume(proxy)
    zproxy.pause(proxy)
    zproxy.frontend(proxy, "PULL", front)
    zproxy.pause(proxy)
    with pytest.raises(ValueError, match="actor has only one side yet"):
        zproxy.resume(proxy)
    sink = peers.new(zmq.PULL, back)
    zstr.send(peers.new(zmq.PUSH, front), "Hello")
    zproxy.backend(proxy, "PUSH", back)
    zproxy.resume(proxy)
    assert zstr.recv(sink) == "Hello"


def test_capture_is_given_once(proxy: Any) -> None:
    """C would lose the first socket; what it cannot connect to is refused."""
    for wrong in "nonsense", "", "nosuch://x":
        with pytest.raises(ValueError, match="endpoint"):
            zproxy.capture(proxy, wrong)
    zproxy.capture(proxy, name())
    with pytest.raises(ValueError, match="actor has a capture socket already"):
        zproxy.capture(proxy, name())


@pytest.mark.skipif(not DRAFTS, reason="libczmq is built without drafts")
def test_topics(proxy: Any, peers: Peers) -> None:
    """A SUB side gets what it subscribes to."""
    front, back = name(), name()
    zproxy.frontend(proxy, "SUB", front, "He", b"b")
    zproxy.backend(proxy, "PUB", back)
    pub, sub = peers.new(zmq.XPUB, front), peers.new(zmq.SUB, back)
    assert {zstr.recv(pub), zstr.recv(pub)} == {"\x01He", "\x01b"}
    zsocket.set_subscribe(C.zsock_resolve(sub), "")
    poller = zpoller.new(sub)
    while zpoller.wait(poller, 10) is None:
        zstr.sendx(pub, "Hello", "World")
    assert zstr.recvx(sub) == ["Hello", "World"]
    zpoller.destroy(poller)


def test_wrong_topics(proxy: Any) -> None:
    """Topics are for SUB, where C heeds them."""
    with pytest.raises(ValueError, match="topics are for a SUB socket"):
        zproxy.frontend(proxy, "XSUB", name(), "x")
    with pytest.raises(TypeError, match="topic must be str or bytes"):
        zproxy.frontend(proxy, "SUB", name(), 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at most" if DRAFTS else "built without drafts"):
        zproxy.frontend(proxy, "SUB", name(), "x" * 100_000)


# ---------------------------------------------------------------- security

SECURITY = """
import socket, sys
from pyczmq import C, ffi, zactor, zauth, zcert, zmq, zproxy, zsocket, zstr

PATIENCE, GLANCE = 10000, 300
auth = zactor.new(zauth.actor)
zauth.allow(auth, "127.0.0.1")
server = zcert.new()
keys = zcert.public_txt(server), zcert.secret_txt(server)

def passes(prepare, client=lambda sock: None, timeout=PATIENCE):
    '''Tell whether a message gets from one end of a proxy to the other.'''
    proxy = zactor.new(zproxy.actor)
    prepare(proxy)
    socks = [C.zsock_new(kind) for kind in (zmq.PULL, zmq.PUSH)]
    sink, faucet = socks
    try:
        port = zsocket.bind(sink, "tcp://127.0.0.1:*")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            front = probe.getsockname()[1]
        zproxy.frontend(proxy, "PULL", f"tcp://127.0.0.1:{front}")
        zproxy.backend(proxy, "PUSH", f">tcp://127.0.0.1:{port}")
        client(C.zsock_resolve(faucet))
        zsocket.connect(faucet, f"tcp://127.0.0.1:{front}")
        zsocket.set_sndtimeo(C.zsock_resolve(faucet), timeout)
        zsocket.set_linger(C.zsock_resolve(faucet), 0)
        zstr.send(faucet, "Hello, World")
        return zsocket.poll(sink, timeout)
    finally:
        for sock in socks:
            C.zsock_destroy(ffi.new("zsock_t **", sock))
        zactor.destroy(proxy)
"""


def secure(program: str, *arguments: str) -> None:
    children.check(SECURITY + program, *arguments)


def test_domain() -> None:
    """The self-test: with a domain, and only then, a side of no security asks the authenticator."""
    secure("""
def domain(proxy):
    zproxy.domain(proxy, zproxy.FRONTEND, "global")

assert passes(lambda proxy: None)
assert passes(domain)
zactor.destroy(auth)
auth = zactor.new(zauth.actor)
zauth.deny(auth, "127.0.0.1")
assert passes(lambda proxy: None)
assert not passes(domain, timeout=GLANCE)
zauth.allow(auth, "127.0.0.1")
assert passes(domain)
""")


def test_plain(tmp_path: Any) -> None:
    """The self-test: a PLAIN side lets those in whose password the authenticator knows."""
    (tmp_path / "passwords").write_text("admin=Password\n")
    secure(
        """
def plain(proxy):
    zproxy.domain(proxy, "FRONTEND", "global")
    zproxy.plain(proxy, "FRONTEND")

def client(password):
    def prepare(sock):
        zsocket.set_plain_username(sock, "admin")
        zsocket.set_plain_password(sock, password)
    return prepare

assert not passes(plain, client("Password"), GLANCE)
zauth.configure_plain(auth, "*", sys.argv[1])
assert passes(plain, client("Password"))
assert not passes(plain, client("Bogus"), GLANCE)
assert not passes(plain, timeout=GLANCE)
""",
        str(tmp_path / "passwords"),
    )


@pytest.mark.skipif(not C.zsys_has_curve(), reason="libzmq has no CURVE")
def test_curve(tmp_path: Any) -> None:
    """The self-test: a CURVE side lets those in whose key the authenticator knows."""
    secure(
        """
own = zcert.new()

def curve(proxy):
    zproxy.curve(proxy, "FRONTEND", *keys)

def curve_by_certificate(proxy):
    zproxy.curve(proxy, "FRONTEND", server)

def client(sock):
    zcert.apply(own, sock)
    zsocket.set_curve_serverkey(sock, keys[0])

assert not passes(curve, client, GLANCE)
zauth.configure_curve(auth, "*", zauth.CURVE_ALLOW_ANY)
assert passes(curve, client)
assert passes(curve_by_certificate, client)
zauth.configure_curve(auth, "*", sys.argv[1])
assert not passes(curve, client, GLANCE)
assert zcert.save_public(own, sys.argv[1] + "/mycert.txt") == 0
zauth.configure_curve(auth, "*", sys.argv[1])
assert passes(curve, client)
assert not passes(curve, timeout=GLANCE)
""",
        str(tmp_path),
    )


def test_security_comes_first(proxy: Any) -> None:
    """A side that is there would not heed security any more."""
    zproxy.backend(proxy, "PUSH", name())
    calls: list[Any] = [
        lambda side: zproxy.domain(proxy, side, "global"),
        lambda side: zproxy.plain(proxy, side),
        lambda side: zproxy.curve(proxy, side, zcert.new()),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="actor has its backend already: security must be set before"):
            call(zproxy.BACKEND)
        call(zproxy.FRONTEND)
        for wrong in "", "frontend", "FRONTEND ", b"\xff":
            with pytest.raises(ValueError, match="side must be FRONTEND or BACKEND"):
                call(wrong)
        with pytest.raises(TypeError, match="side must be str or bytes"):
            call(None)


def test_wrong_security(proxy: Any) -> None:
    """Domains and keys that libzmq does not take are refused."""
    for domain in "", "x" * 256, "a\0b":
        with pytest.raises(ValueError, match="domain must"):
            zproxy.domain(proxy, "FRONTEND", domain)
    zproxy.domain(proxy, "FRONTEND", "x" * 255)
    key = "x" * 40
    for wrong in "", "x" * 39, "x" * 41, "~" * 40, "ä" * 20, b"\xff" * 40:
        with pytest.raises(ValueError, match="public_key must be a key of 40 characters of Z85"):
            zproxy.curve(proxy, "FRONTEND", wrong, key)
        with pytest.raises(ValueError, match="secret_key must be a key of 40 characters of Z85"):
            zproxy.curve(proxy, "FRONTEND", key, wrong)
    with pytest.raises(TypeError, match="secret_key is missing"):
        zproxy.curve(proxy, "FRONTEND", key)
    with pytest.raises(TypeError, match="a certificate has both keys"):
        zproxy.curve(proxy, "FRONTEND", zcert.new(), key)
    with pytest.raises(TypeError, match="public_key must be"):
        zproxy.curve(proxy, "FRONTEND", 5, None)  # type: ignore[arg-type]
    zproxy.frontend(proxy, "PULL", name())


# ---------------------------------------------------------------- misuse

CALLS = {
    "frontend": lambda actor: zproxy.frontend(actor, "PULL", "inproc://x"),
    "backend": lambda actor: zproxy.backend(actor, "PUSH", "inproc://x"),
    "capture": lambda actor: zproxy.capture(actor, "inproc://x"),
    "pause": zproxy.pause,
    "resume": zproxy.resume,
    "verbose": zproxy.verbose,
    "domain": lambda actor: zproxy.domain(actor, "FRONTEND", "x"),
    "plain": lambda actor: zproxy.plain(actor, "FRONTEND"),
    "curve": lambda actor: zproxy.curve(actor, "FRONTEND", "x" * 40, "x" * 40),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_misuse(call: Any, proxy: Any) -> None:
    """Each function refuses what is no proxy, none any more, or another kind of actor."""

    def task(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        zstr.recv(pipe)

    for wrong in (None, 1, "actor", ffi.new("int *")):
        with pytest.raises(TypeError, match="actor must be a"):
            call(wrong)
    with pytest.raises(ValueError, match="actor is NULL"):
        call(ffi.cast("zactor_t *", 0))
    for other in task, C.zbeacon:
        actor = zactor.new(other)
        with pytest.raises(TypeError, match="actor is another kind of actor"):
            call(actor)
        zactor.destroy(actor)
    zstr.send(proxy, "$TERM")
    zsocket.wait(proxy)
    with pytest.raises(RuntimeError, match="the actor has ended"):
        call(proxy)
    zactor.destroy(proxy)
    with pytest.raises(ValueError, match="actor was destroyed"):
        call(proxy)


def test_proxy_of_the_raw_floor() -> None:
    """A proxy that C.zactor_new has made takes the commands, too."""
    proxy = C.zactor_new(C.zproxy, ffi.NULL)
    zproxy.frontend(proxy, "PULL", name())
    zproxy.backend(proxy, "PUSH", name())
    zactor.destroy(proxy)


def test_answers_that_nobody_has_waited_for() -> None:
    """An interrupt while a command waits for its answer leaves no answer behind for the next."""
    children.check(
        """
        import signal, os
        from pyczmq import C, _blocking, zactor, zproxy, zsocket

        proxy = zactor.new(zproxy.actor)
        wait = _blocking.wait
        interrupts = 0

        def interrupted(*arguments):
            global interrupts
            if arguments[1] == _blocking.POLLIN and interrupts < 3:
                interrupts += 1
                raise KeyboardInterrupt
            return wait(*arguments)

        _blocking.wait = interrupted
        for _ in range(6):
            try:
                zproxy.pause(proxy)
            except KeyboardInterrupt:
                pass
        assert interrupts == 3
        assert not zsocket.poll(proxy, 50)
        zactor.destroy(proxy)
        """
    )


def test_many_threads_want_one_port() -> None:
    """Of several proxies that are given the same address at once one gets it, and the others an error."""
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    results: list[Any] = []

    def work() -> None:
        proxy = zactor.new(zproxy.actor)
        try:
            zproxy.frontend(proxy, "PULL", endpoint)
            results.append(None)
        except OSError as error:
            results.append(error)
        done.wait()
        zactor.destroy(proxy)

    done = threading.Barrier(5)
    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(None) == 1
    assert len(results) == 5


def test_actor() -> None:
    """`actor` is C's proxy, and what C does not have is an AttributeError."""
    assert zproxy.actor == C.zproxy
    with pytest.raises(AttributeError, match=r"pyczmq\.zproxy has no 'frobnicate'"):
        zproxy.frobnicate  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.implementation.name != "cpython", reason="it is all C, and runs under CPython")
def test_self_test() -> None:
    """CZMQ's self-test passes."""
    zproxy.test()
