"""Proxy: of C's and of Python's: what it passes on, when it waits, how it ends, and what every misuse raises."""

from __future__ import annotations

import errno
import gc
import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

import children
import pytest
from common import free_port

from pyczmq import Cert, Context, Proxy, Socket, _handles, zmq, zsys
from pyczmq.types import Again, ContextTerminated, ZMQError

PATIENCE = 10.0
TIMEOUT = 1000 * int(PATIENCE)
GLANCE = 100

_numbers = itertools.count(1)


def name() -> str:
    """An inproc name that nobody has."""
    return f"inproc://test_types_proxy.{next(_numbers)}"


def soon(condition: Any) -> bool:
    """Wait until a condition holds, with the garbage collector at work; tell whether it came to that."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        gc.collect()
        time.sleep(0.001)
    return True


class Setup:
    """Makes proxies of one form or the other, and peers for them."""

    def __init__(self, form: str) -> None:
        self.form = form
        self.made: list[Any] = []

    def proxy(self, front: str, back: str, capture: str | None = None) -> Proxy:
        """Make a proxy with sides of these types; *capture* is the endpoint for copies."""
        if self.form == "C":
            proxy = Proxy((front, name()), (back, name()), capture)
        else:
            sockets = [Socket(front, bind=name()), Socket(back, bind=name())]
            proxy = Proxy(*sockets, None if capture is None else Socket("PUSH", connect=capture))
        self.made.append(proxy)
        return proxy

    def peer(self, kind: str, endpoint: str | None, **options: Any) -> Socket:
        assert endpoint is not None
        socket = Socket(kind, connect=endpoint, rcvtimeo=TIMEOUT, sndtimeo=TIMEOUT, **options)
        self.made.append(socket)
        return socket

    def bound(self, kind: str, **options: Any) -> Socket:
        socket = Socket(kind, bind=name(), rcvtimeo=TIMEOUT, sndtimeo=TIMEOUT, **options)
        self.made.append(socket)
        return socket

    def close(self) -> None:
        # Peers first, lest C's proxy waits for one.
        for made in reversed(self.made):
            made.close()


@pytest.fixture(params=["C", "Python"])
def setup(request: pytest.FixtureRequest) -> Iterator[Setup]:
    made = Setup(request.param)
    yield made
    made.close()


@pytest.fixture
def python() -> Iterator[Setup]:
    made = Setup("Python")
    yield made
    made.close()


# ---------------------------------------------------------------- both forms


def test_one_way(setup: Setup) -> None:
    """What is pushed in at the front comes out at the back, in order, messages whole."""
    proxy = setup.proxy("PULL", "PUSH")
    push, pull = setup.peer("PUSH", proxy.frontend_endpoint), setup.peer("PULL", proxy.backend_endpoint)
    sent = [[b"%d" % number] * (1 + number % 3) for number in range(3000)]
    thread = threading.Thread(target=lambda: [push.send_parts(parts) for parts in sent])
    thread.start()
    assert [pull.recv_parts() for _ in sent] == sent
    thread.join()


def test_both_ways(setup: Setup) -> None:
    """Requests go there, replies come back to those who have asked."""
    proxy = setup.proxy("ROUTER", "DEALER")
    server = setup.peer("REP", proxy.backend_endpoint)
    clients = [setup.peer("REQ", proxy.frontend_endpoint) for _ in range(3)]
    for number, client in enumerate(clients):
        client.send(f"question {number}")
    for _ in clients:
        server.send(server.recv().replace("question", "answer"))
    assert [client.recv() for client in clients] == ["answer 0", "answer 1", "answer 2"]


def test_subscriptions(setup: Setup) -> None:
    """They go through to the publishers, and what is published comes back."""
    proxy = setup.proxy("XSUB", "XPUB")
    pub = setup.peer("XPUB", proxy.frontend_endpoint)
    sub = setup.peer("SUB", proxy.backend_endpoint, subscribe="news")
    assert pub.recv_bytes() == b"\1news"
    pub.send("other")
    pub.send("news")
    assert sub.recv() == "news"


@pytest.mark.parametrize("size", [0, 10, 100_000, 3_000_000])
def test_sizes(setup: Setup, size: int) -> None:
    proxy = setup.proxy("PULL", "PUSH")
    push, pull = setup.peer("PUSH", proxy.frontend_endpoint), setup.peer("PULL", proxy.backend_endpoint)
    parts = [b"x" * size, b"", b"y" * size]
    push.send_parts(parts)
    assert pull.recv_parts() == parts


def test_capture(setup: Setup) -> None:
    """A copy of each message, of either way, goes to the third socket."""
    copies = setup.bound("PULL")
    proxy = setup.proxy("ROUTER", "DEALER", copies.last_endpoint)
    client, server = setup.peer("REQ", proxy.frontend_endpoint), setup.peer("REP", proxy.backend_endpoint)
    client.send_parts(["Hello", "World"])
    server.send(",".join(part.decode() for part in server.recv_parts()))
    assert client.recv() == "Hello,World"
    there, back = copies.recv_parts(), copies.recv_parts()
    assert there[1:] == [b"", b"Hello", b"World"]
    assert back == [there[0], b"", b"Hello,World"]


def test_pause_and_resume(setup: Setup) -> None:
    """What comes meanwhile waits."""
    proxy = setup.proxy("PULL", "PUSH")
    push, pull = setup.peer("PUSH", proxy.frontend_endpoint), setup.peer("PULL", proxy.backend_endpoint)
    push.send("one")
    assert pull.recv() == "one"
    for _ in range(2):
        proxy.pause()
        proxy.pause()
        assert proxy.paused
        push.send("two")
        assert not pull.poll(GLANCE)
        proxy.resume()
        proxy.resume()
        assert not proxy.paused
        assert pull.recv() == "two"


def test_names(setup: Setup) -> None:
    proxy = setup.proxy("XSUB", "XPUB")
    text = f"<Proxy XSUB {proxy.frontend_endpoint} <-> XPUB {proxy.backend_endpoint}"
    assert repr(proxy) == f"{text} running>"
    proxy.pause()
    assert repr(proxy) == f"{text} paused>"
    assert not proxy.ended
    proxy.close()
    assert repr(proxy) == f"{text} closed>"
    assert proxy.ended


def test_close(setup: Setup) -> None:
    """It ends the proxy, whose endpoints are free then; closing it again does nothing."""
    endpoint = name()
    for _ in range(3):
        if setup.form == "C":
            proxy = Proxy(("PULL", endpoint), ("PUSH", name()))
        else:
            proxy = Proxy(Socket("PULL", bind=endpoint), Socket("PUSH", bind=name()))
        with proxy as same:
            assert same is proxy
        assert proxy.closed
        proxy.close()
        proxy.close(timeout=0)


@pytest.mark.parametrize("use", ["pause", "resume", "__enter__", "handle"])
def test_use_after_close(setup: Setup, use: str) -> None:
    proxy = setup.proxy("PULL", "PUSH")
    proxy.close()
    with pytest.raises(ValueError, match="the proxy is closed"):
        getattr(proxy, use)()


def test_two_threads(setup: Setup) -> None:
    proxy = setup.proxy("PULL", "PUSH")
    errors: list[str] = []

    def use() -> None:
        for call in proxy.pause, proxy.resume, proxy.close:
            try:
                call()
            except RuntimeError as error:
                errors.append(str(error))

    with proxy._lock:
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert errors == ["the proxy is in use in another thread"] * 3
    assert not proxy.closed


def test_collected(setup: Setup) -> None:
    """A proxy that nobody refers to ends, and gives its endpoints back."""
    proxy = setup.proxy("PULL", "PUSH")
    endpoint = proxy.frontend_endpoint
    setup.made.clear()
    del proxy

    def is_free() -> bool:
        try:
            Socket("PULL", bind=endpoint).close()
        except ZMQError:
            return False
        return True

    assert soon(is_free)


@pytest.mark.parametrize(("timeout", "error"), [(-2, ValueError), ("1", TypeError), (None, TypeError)])
def test_wrong_timeouts(setup: Setup, timeout: Any, error: type[Exception]) -> None:
    proxy = setup.proxy("PULL", "PUSH")
    with pytest.raises(error, match="timeout must be"):
        proxy.close(timeout)
    assert not proxy.closed


def test_exit() -> None:
    """A program may forget its proxies."""
    children.check(
        """
        from pyczmq import Context, Proxy, Socket
        context = Context()
        proxies = [
            Proxy(("PULL", "inproc://a"), ("PUSH", "inproc://b")),
            Proxy(Socket("PULL", bind="inproc://c"), Socket("PUSH", bind="inproc://d")),
            Proxy(context.socket("PULL", bind="inproc://c"), context.socket("PUSH", bind="inproc://d")),
        ]
        proxies[1].pause()
        push = Socket("PUSH", connect="inproc://c")
        push.send("x")
        """
    )


# ---------------------------------------------------------------- of C's


@pytest.fixture
def in_c() -> Iterator[Setup]:
    made = Setup("C")
    yield made
    made.close()


def test_types_and_endpoints_of_c(in_c: Setup) -> None:
    """A type is a name or a number; endpoints are one or several, to bind or to connect to."""
    front, back = name(), name()
    far = in_c.bound("PUSH")
    with Proxy((zmq.PULL, [front, f">{far.last_endpoint}"]), ["PUSH", f"@{back}"]) as proxy:
        pull = in_c.peer("PULL", back)
        for push in far, in_c.peer("PUSH", front):
            push.send("x")
            assert pull.recv() == "x"
        assert (proxy.frontend_endpoint, proxy.backend_endpoint) == (far.last_endpoint, back)


@pytest.mark.parametrize(
    "endpoint", ["tcp://127.0.0.1:*", "tcp://127.0.0.1:!", "tcp://127.0.0.1:*[50000-60000]", "ipc://*"]
)
def test_endpoint_that_c_alone_knows(endpoint: str) -> None:
    with Proxy(("PULL", endpoint), ("PUSH", name())) as proxy:
        assert proxy.frontend_endpoint is None
        assert repr(proxy).startswith("<Proxy PULL <-> PUSH inproc://")


@pytest.mark.parametrize(
    ("frontend", "backend", "capture", "error", "text"),
    [
        (("PULL",), ("PUSH", "x"), None, TypeError, "frontend must be a Socket, or a type and endpoints"),
        ("PULL", ("PUSH", "x"), None, TypeError, "frontend must be a Socket, or a type and endpoints, not str"),
        (("PULL", "inproc://x"), None, None, TypeError, "backend must be a Socket, or a type and endpoints, not None"),
        (("PULL", "a", {}, 1), ("PUSH", "x"), None, TypeError, "frontend must be a Socket, or a type and endpoints"),
        (("PULL", "a", "domain"), ("PUSH", "x"), None, TypeError, "frontend's options must be in a dict, not str"),
        (("PULL", "a", {"linger": 1}), ("PUSH", "x"), None, TypeError, "frontend has no option 'linger'"),
        (("PULL", "a", {1: 1}), ("PUSH", "x"), None, TypeError, "frontend has no option 1"),
        (("pull", "inproc://x"), ("PUSH", "x"), None, ValueError, "type must be one of PAIR, .*, not 'pull'"),
        ((None, "inproc://x"), ("PUSH", "x"), None, TypeError, "type must be"),
        ((99, "inproc://x"), ("PUSH", "x"), None, ValueError, "type is 99"),
        (("STREAM", "inproc://x"), ("PUSH", "x"), None, ValueError, "type must be one of"),
        (("SERVER", "inproc://x"), ("PUSH", "x"), None, ValueError, "type must be one of"),
        (("PULL", 5), ("PUSH", "x"), None, TypeError, "frontend's endpoint must be str or bytes, not int"),
        (("PULL", None), ("PUSH", "x"), None, ValueError, "endpoints must be endpoints of 1 to 255 bytes"),
        (("PULL", []), ("PUSH", "x"), None, ValueError, "endpoints must be endpoints of 1 to 255 bytes"),
        (("PULL", "nonsense"), ("PUSH", "x"), None, ValueError, "endpoints: 'nonsense': Invalid argument"),
        (("PULL", "inproc://a\0b"), ("PUSH", "x"), None, ValueError, "NUL"),
        (("PULL", "inproc://x"), ("PUSH", "nonsense"), None, ValueError, "endpoints: 'nonsense'"),
        (("PULL", "inproc://x"), ("PUSH", "inproc://y"), "nonsense", ValueError, "endpoint: 'nonsense'"),
        (("PULL", "inproc://x"), ("PUSH", "inproc://y"), 5, TypeError, "endpoint must be str or bytes"),
        (("PULL", "a", {"domain": ""}), ("PUSH", "x"), None, ValueError, "domain must be 1 to 255 bytes long"),
        (("PULL", "a", {"domain": None}), ("PUSH", "x"), None, TypeError, "domain must be str or bytes"),
        (("PULL", "a", {"curve": ("x", "y")}), ("PUSH", "x"), None, ValueError, "public_key must be a key"),
        (("PULL", "a", {"curve": None}), ("PUSH", "x"), None, TypeError, "public_key must be a"),
        (("PULL", "a", {"curve": Cert(Cert().public_key)}), ("PUSH", "x"), None, ValueError, "has no secret key"),
        (("PULL", "a", {"topics": "x"}), ("PUSH", "x"), None, ValueError, "topics are for a SUB socket"),
    ],
)
def test_wrong_sides(frontend: Any, backend: Any, capture: Any, error: type[Exception], text: str) -> None:
    """Nothing is left of what was begun."""
    before = len(_handles._owned)
    with pytest.raises(error, match=text):
        Proxy(frontend, backend, capture)
    assert len(_handles._owned) == before


@pytest.mark.parametrize("which", ["frontend", "backend", "capture"])
def test_endpoint_that_libzmq_refuses(which: str) -> None:
    """ZMQError, with what was being done; the other half is given back."""
    with Socket("PULL", bind="tcp://127.0.0.1:*") as taken:
        sides = {"frontend": name(), "backend": name()}
        wrong = "ipc:///nosuchfolder/" + "x" * 200 if which == "capture" else taken.last_endpoint
        good = dict(sides)
        sides[which] = wrong
        code = errno.ENAMETOOLONG if which == "capture" else errno.EADDRINUSE
        for _ in range(3):
            with pytest.raises(ZMQError) as caught:
                Proxy(("PULL", sides["frontend"]), ("PUSH", sides["backend"]), sides.get("capture"))
            assert caught.value.errno == code
            assert str(caught.value).startswith(f"{which} {wrong}: ")
        assert caught.value.__suppress_context__
        with Proxy(("PULL", good["frontend"]), ("PUSH", good["backend"])):
            pass


def test_curve_of_c(in_c: Setup) -> None:
    """A side that is a CURVE server, by a certificate or by keys, lets clients of its key in, and nobody else."""
    if not zsys.has_curve():
        pytest.skip("libzmq has no CURVE")
    cert, own = Cert(), Cert()
    for curve in cert, cert.handle, (cert.public_key, cert.secret_key):
        sink = in_c.bound("PULL")
        endpoint = f"tcp://127.0.0.1:{free_port()}"
        with Proxy(("PULL", endpoint, {"curve": curve}), ("PUSH", f">{sink.last_endpoint}")) as proxy:
            assert str(cert.secret_key) not in repr(proxy)
            with Socket("PUSH", connect=endpoint) as stranger:
                stranger.send("stranger")
                with Socket("PUSH") as push:
                    own.apply(push)
                    push.curve_serverkey = cert.public_key
                    push.connect(endpoint)
                    push.send("friend")
                    assert sink.recv() == "friend"
                    assert not sink.poll(GLANCE)


def test_plain_and_domain_of_c() -> None:
    """They are for the authenticator, of which a process has but one."""
    children.check(
        """
        from pyczmq import Auth, Proxy, Socket
        import socket

        def passes(options, timeout, **client):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                endpoint = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
            with Socket("PULL", bind="inproc://sink") as sink:
                with Proxy(("PULL", endpoint, options), ("PUSH", ">inproc://sink")):
                    with Socket("PUSH", connect=endpoint, **client) as push:
                        push.send("x")
                        return sink.poll(timeout)

        right = {"plain_username": "me", "plain_password": "right"}
        with Auth() as auth:
            auth.plain({"me": "right"})
            assert passes({"plain": True}, 10000, **right)
            assert not passes({"plain": True}, 200, **{**right, "plain_password": "wrong"})
            assert not passes({"plain": False}, 200, **right)
            auth.deny("127.0.0.1")
            assert passes({}, 10000)
            assert not passes({"domain": "global"}, 200)
        """
    )


def test_proxy_of_c_that_is_stuck() -> None:
    """With nobody to send to it hears nothing, and does not end in time; it can be closed once there is somebody."""
    front, back = name(), name()
    proxy = Proxy(("PULL", front), ("PUSH", back))
    with Socket("PUSH", connect=front, sndhwm=1) as push:
        filled(push)
        with pytest.raises(TimeoutError, match="has not ended 20 ms after it was told to"):
            proxy.close(timeout=20)
        assert not proxy.closed
        with Socket("PULL", connect=back):
            proxy.close()
        assert proxy.closed


# ---------------------------------------------------------------- of Python's


@pytest.mark.parametrize(
    "arguments",
    [
        lambda socket: (socket("PULL"), ("PUSH", name())),
        lambda socket: (("PULL", name()), socket("PUSH")),
        lambda socket: (("PULL", name()), ("PUSH", name()), socket("PUB")),
        lambda socket: (socket("PULL"), socket("PUSH"), name()),
        lambda socket: (socket("PULL"), None),
        lambda socket: (socket("PULL"), socket("PUSH").handle),
    ],
)
def test_mixed_forms(python: Setup, arguments: Any) -> None:
    """The sides are of one form; the sockets stay the caller's."""
    before = len(python.made)
    with pytest.raises(TypeError, match="must either all be Socket objects, or none of them"):
        Proxy(*arguments(python.bound))
    assert not any(socket.closed for socket in python.made[before:])


def test_sockets_are_taken_over(python: Setup) -> None:
    """Nobody else may use them, and they are closed with the proxy."""
    front, back = python.bound("PULL"), python.bound("PUSH")
    proxy = Proxy(front, back)
    assert (proxy.frontend_endpoint, proxy.backend_endpoint) != (None, None)
    for use in front.recv, front.close, lambda: front.linger, lambda: front.connect(name()), lambda: front.poll(0):
        with pytest.raises(RuntimeError, match="the socket is in use in another thread"):
            use()
    with pytest.raises(RuntimeError, match="the socket is in use in another thread"):
        Proxy(back, python.bound("PULL"))
    proxy.close()
    assert front.closed
    assert back.closed
    front.close()


@pytest.mark.parametrize("position", [0, 1, 2])
def test_sockets_that_cannot_be_taken_over(python: Setup, position: int) -> None:
    """Then none of them is: one that is closed, and one that is in use in another thread."""
    for why in "closed", "in use":
        sockets = [python.bound("PULL"), python.bound("PUSH"), python.bound("PUB")]
        begun, over = threading.Event(), threading.Event()

        def hold(socket: Socket, begun: threading.Event, over: threading.Event) -> None:
            with socket._lock:
                begun.set()
                over.wait(PATIENCE)

        wrong = sockets[position]
        if why == "closed":
            wrong.close()
            with pytest.raises(ZMQError, match="the socket is closed"):
                Proxy(*sockets)
        else:
            thread = threading.Thread(target=hold, args=(wrong, begun, over))
            thread.start()
            assert begun.wait(PATIENCE)
            with pytest.raises(RuntimeError, match="the socket is in use in another thread"):
                Proxy(*sockets)
            over.set()
            thread.join()
        for socket in sockets:
            if why == "in use" or socket is not wrong:
                assert socket.linger == 0


def test_one_socket_twice(python: Setup) -> None:
    front, back = python.bound("PULL"), python.bound("PUSH")
    for sockets in (front, front), (front, back, back):
        with pytest.raises(ValueError, match="must be different sockets"):
            Proxy(*sockets)


def test_draft_types_are_refused(python: Setup) -> None:
    try:
        server = Socket("SERVER")
    except Exception:
        pytest.skip("libzmq is built without drafts")
    with server, pytest.raises(ValueError, match="frontend is a SERVER socket: the draft types are not for proxies"):
        Proxy(server, python.bound("PUSH"))


def test_sockets_of_two_contexts(python: Setup) -> None:
    """A proxy is a bridge between contexts."""
    with Context() as one, Context() as other:
        proxy = Proxy(one.socket("PULL", bind="inproc://x"), other.socket("PUSH", bind="inproc://x"))
        one.socket("PUSH", connect="inproc://x").send("through")
        assert other.socket("PULL", connect="inproc://x").recv(timeout=TIMEOUT) == "through"
        proxy.close()


@pytest.mark.parametrize("state", ["idle", "paused", "full", "crowded"])
def test_context_that_ends(state: str) -> None:
    """It ends the proxy, in whatever state, and says so; the sockets are closed."""
    context = Context()
    capture = context.socket("PUSH", bind=name())
    sockets = [context.socket("PULL", bind=name()), context.socket("PUSH", bind=name())]
    proxy = Proxy(*sockets, *([capture] if state == "crowded" else []))
    if state == "paused":
        proxy.pause()
    elif state != "idle":
        context.socket("PUSH", connect=proxy.frontend_endpoint).send("x")
        assert soon(lambda: not proxy.pause() and not proxy.resume())
    start = time.monotonic()
    context.close()
    assert time.monotonic() - start < 4
    assert all(socket.closed for socket in sockets)
    assert soon(lambda: proxy.ended)
    assert repr(proxy).endswith(" ended>")
    for call in proxy.pause, proxy.resume:
        with pytest.raises(RuntimeError, match="the proxy has ended: the context of one of its sockets has"):
            call()
    proxy.close()


def filled(push: Socket) -> int:
    """Send numbers until there is no room, for a while; return how many."""
    count = 0
    with pytest.raises(Again):
        while True:
            push.send(str(count), timeout=GLANCE)
            count += 1
    return count


SMALL = {"sndhwm": 5, "rcvhwm": 5}


def test_no_room(python: Setup) -> None:
    """Where nobody takes messages, those who send wait; the proxy still listens, and nothing is lost."""
    proxy = Proxy(python.bound("PULL", **SMALL), python.bound("PUSH", **SMALL))
    push = python.peer("PUSH", proxy.frontend_endpoint, **SMALL)
    count = filled(push)
    assert 0 < count < 50
    proxy.pause()
    proxy.resume()
    pull = python.peer("PULL", proxy.backend_endpoint, **SMALL)
    assert [pull.recv() for _ in range(count)] == [str(number) for number in range(count)]
    count = filled(push)
    assert [pull.recv() for _ in range(count)] == [str(number) for number in range(count)]
    filled(push)
    proxy.close()


def test_no_room_one_way(python: Setup) -> None:
    """The other way goes on."""
    proxy = Proxy(python.bound("DEALER", **SMALL), python.bound("DEALER", **SMALL))
    front = python.peer("DEALER", proxy.frontend_endpoint, **SMALL)
    back = python.peer("DEALER", proxy.backend_endpoint, **SMALL)
    count = filled(front)
    for number in range(100):
        back.send_parts([str(number), "more"])
        assert front.recv_parts() == [b"%d" % number, b"more"]
    assert [back.recv() for _ in range(count)] == [str(number) for number in range(count)]
    proxy.close()


def test_no_room_for_copies(python: Setup) -> None:
    """A proxy waits for whoever takes the copies, both ways; it still listens."""
    capture = python.bound("PUSH", **SMALL)
    copies = capture.last_endpoint
    proxy = Proxy(python.bound("DEALER", **SMALL), python.bound("DEALER", **SMALL), capture)
    front = python.peer("DEALER", proxy.frontend_endpoint)
    back = python.peer("DEALER", proxy.backend_endpoint)
    for number in range(10):
        front.send_parts([str(number), "there"])
        back.send_parts([str(number), "back"])
    assert not back.poll(GLANCE)
    proxy.pause()
    proxy.resume()
    pull = python.peer("PULL", copies)
    got = [pull.recv_parts() for _ in range(20)]
    assert [parts for parts in got if parts[1] == b"there"] == [[b"%d" % number, b"there"] for number in range(10)]
    assert [parts for parts in got if parts[1] == b"back"] == [[b"%d" % number, b"back"] for number in range(10)]
    assert [back.recv_parts()[0] for _ in range(10)] == [b"%d" % number for number in range(10)]
    assert [front.recv_parts()[0] for _ in range(10)] == [b"%d" % number for number in range(10)]
    proxy.close()


def test_copies_that_nobody_can_get(python: Setup) -> None:
    """A capture socket that publishes never holds a proxy up."""
    capture = python.bound("PUB")
    copies = capture.last_endpoint
    proxy = Proxy(python.bound("PULL"), python.bound("PUSH"), capture)
    push, pull = python.peer("PUSH", proxy.frontend_endpoint), python.peer("PULL", proxy.backend_endpoint)
    for number in range(2000):
        push.send_parts([str(number), "x"])
        assert pull.recv_parts() == [b"%d" % number, b"x"]
    sub = python.peer("SUB", copies, subscribe="")
    while not sub.poll(1):
        push.send_parts(["last", "x"])
        pull.recv_parts()
    assert sub.recv_parts() == [b"last", b"x"]
    proxy.close()


def test_copies_that_are_refused(python: Setup) -> None:
    """Copies for somebody whom the capture socket does not know are lost, and the messages go on."""
    capture = python.bound("ROUTER", router_mandatory=True)
    somebody = python.peer("DEALER", capture.last_endpoint, identity="somebody")
    proxy = Proxy(python.bound("PULL"), python.bound("PUSH"), capture)
    push, pull = python.peer("PUSH", proxy.frontend_endpoint), python.peer("PULL", proxy.backend_endpoint)
    for _ in range(3):
        push.send_parts(["nobody", "x", "y"])
        assert pull.recv_parts() == [b"nobody", b"x", b"y"]
    push.send_parts(["somebody", "z"])
    assert somebody.recv_parts() == [b"z"]
    proxy.close()


def test_router_that_must_route(python: Setup) -> None:
    """What is for nobody is dropped; what is for one who is slow waits, and the proxy still listens."""
    proxy = Proxy(python.bound("PULL"), python.bound("ROUTER", router_mandatory=True, sndhwm=1))
    push = python.peer("PUSH", proxy.frontend_endpoint)
    slow = python.peer("DEALER", proxy.backend_endpoint, identity="slow", rcvhwm=1)
    # The ROUTER knows its peer once that can be sent to.
    while not slow.poll(1):
        push.send_parts(["slow", "first"])
    for number in range(30):
        push.send_parts(["nobody", "slow", "lost"])
        push.send_parts(["slow", str(number), "z"])
    proxy.pause()
    proxy.resume()
    got = []
    while len(got) < 30:
        parts = slow.recv_parts()
        if parts != [b"first"]:
            got.append(parts)
    assert got == [[b"%d" % number, b"z"] for number in range(30)]
    proxy.close()


def test_sockets_that_take_turns(python: Setup) -> None:
    """A REQ that waits for its reply takes no other request: that waits."""
    proxy = Proxy(python.bound("DEALER"), python.bound("REQ"))
    client, server = python.peer("DEALER", proxy.frontend_endpoint), python.peer("REP", proxy.backend_endpoint)
    for number in range(3):
        client.send(str(number))
    for number in range(3):
        assert server.recv() == str(number)
        server.send(f"reply {number}")
        assert client.recv() == f"reply {number}"
    proxy.close()


def test_side_that_sends_nothing(python: Setup) -> None:
    """What comes in for it waits where it is, and the other way goes on."""
    proxy = Proxy(python.bound("PULL"), python.bound("DEALER", rcvhwm=1))
    push, back = python.peer("PUSH", proxy.frontend_endpoint), python.peer("DEALER", proxy.backend_endpoint, sndhwm=1)
    assert filled(back) < 10
    for number in range(100):
        push.send(str(number))
        assert back.recv() == str(number)
    spent = time.process_time()
    assert not back.poll(GLANCE)
    assert time.process_time() - spent < GLANCE / 1000 / 2
    proxy.close()


def test_command_that_is_none(python: Setup) -> None:
    """Whatever comes by other means is let pass."""
    from pyczmq import zstr

    proxy = python.proxy("PULL", "PUSH")
    zstr.send(proxy.handle, "NONSENSE")
    zstr.sendx(proxy.handle, "NON", "SENSE")
    proxy.pause()
    proxy.resume()


def test_error_in_the_proxy(python: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the proxy, comes out once, of whatever is called, and the sockets are closed."""
    from pyczmq import _forwarding

    def fail(*_: Any) -> None:
        raise MemoryError("in the proxy")

    monkeypatch.setattr(_forwarding.Forwarder, "carry", fail)
    for use in "pause", "close":
        sockets = [python.bound("PULL"), python.bound("PUSH")]
        proxy = Proxy(*sockets)
        with Socket("PUSH", connect=proxy.frontend_endpoint) as push:
            push.send("x")
        assert soon(lambda proxy=proxy: proxy.ended)
        with pytest.raises(MemoryError, match="in the proxy"):
            getattr(proxy, use)()
        assert all(socket.closed for socket in sockets)
        proxy.close()


def test_exception_of_the_block_wins(python: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyczmq import _forwarding

    def fail(*_: Any) -> None:
        raise MemoryError("in the proxy")

    monkeypatch.setattr(_forwarding.Forwarder, "obey", fail)
    with pytest.raises(LookupError) as caught, Proxy(python.bound("PULL"), python.bound("PUSH")):
        raise LookupError
    assert isinstance(caught.value.__context__, MemoryError)


def test_context_that_ends_while_others_wait() -> None:
    """Peers in the context are told, and the proxy gives its sockets back."""
    context = Context()
    proxy = Proxy(context.socket("PULL", bind="inproc://a"), context.socket("PUSH", bind="inproc://b"))
    pull = context.socket("PULL", connect="inproc://b")
    errors: list[Exception] = []

    def wait() -> None:
        try:
            pull.recv()
        except ContextTerminated as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert soon(lambda: not pull._lock.acquire(False) or pull._lock.release())
    context.close()
    thread.join()
    assert errors
    proxy.close()
