"""Who answers for authentication: nobody, somebody who is slow or talks nonsense, a second one, another context's.

Whatever goes wrong there keeps clients out. Where libzmq has it otherwise, as nobody is there to ask, a test says so.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Optional

import doors
import pytest
from doors import NULL, PLAIN, Floor, Security, curve, plain
from test_security import FRIEND, KEY, NOBODY, SERVER, STRANGER, certificates, passwords

from pyczmq import zactor, zauth, zctx, zmq, zsock, zsocket, zstr
from pyczmq.types import Again, Auth, Context, Socket, ZMQError

ZAP = "inproc://zeromq.zap.01"

#: Milliseconds that a client has for its handshake, where the server is to give up.
SHORT = {"handshake_ivl": 200}

CURVE = curve(SERVER)
#: Each mechanism: the server, the client.
MECHANISMS: dict[str, tuple[Security, Security]] = {
    "NULL": (Security({**NULL.options, **SHORT}), NOBODY),
    "PLAIN": (Security({**PLAIN.options, **SHORT}), plain("admin", "Password")),
    "CURVE": (curve(SERVER, **SHORT), curve(FRIEND, KEY)),
}

#: What a handler answers, after the delimiter, to a request with a sequence number; None if it does not.
Answer = Callable[[bytes], Optional[list[bytes]]]


def answer(*frames: bytes, version: bytes = b"1.0") -> Answer:
    """Return an answer of these frames after the sequence number."""
    return lambda sequence: [b"", version, sequence, *frames]


NONSENSE: dict[str, Answer] = {
    "silence": lambda sequence: None,
    "nothing": lambda sequence: [b""],
    "no delimiter": lambda sequence: [b"1.0", sequence, b"200", b"OK", b"admin", b""],
    "something for a delimiter": lambda sequence: [b"x", b"1.0", sequence, b"200", b"OK", b"admin", b""],
    "another version": answer(b"200", b"OK", b"admin", b"", version=b"1.1"),
    "another's request": lambda sequence: [b"", b"1.0", b"x" + sequence, b"200", b"OK", b"admin", b""],
    "a frame too few": answer(b"200", b"OK", b"admin"),
    "a frame too many": answer(b"200", b"OK", b"admin", b"", b""),
    "no status": answer(b"", b"OK", b"admin", b""),
    "half a status": answer(b"20", b"OK", b"admin", b""),
    "more than a status": answer(b"2000", b"OK", b"admin", b""),
    "another status": answer(b"201", b"OK", b"admin", b""),
    "a status out of range": answer(b"600", b"OK", b"admin", b""),
    "broken metadata": answer(b"200", b"OK", b"admin", b"\xff\xff\xff\xff"),
    "refused for now": answer(b"300", b"later", b"", b""),
    "refused": answer(b"400", b"no", b"", b""),
    "an error": answer(b"500", b"broken", b"", b""),
}


@contextmanager
def handler(context: Context, reply: Answer, wait: threading.Event | None = None) -> Iterator[threading.Event]:
    """Answer for authentication in a context, badly; yield what is set once there was a request."""
    asked = threading.Event()
    socket = context.socket(zmq.ROUTER, bind=ZAP)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                identity, _, _, sequence, *_ = socket.recv_parts(timeout=20)
            except Again:
                continue
            asked.set()
            if wait is not None and not wait.wait(doors.PATIENCE / 1000):
                return
            frames = reply(sequence)
            if frames is not None:
                socket.send_parts([identity, *frames])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield asked
    finally:
        stop.set()
        thread.join()
        socket.unbind(ZAP)
        socket.close()


@contextmanager
def nobody() -> Iterator[Floor]:
    """Make a floor of objects with no authenticator."""
    with doors.open_floor("objects", start=False) as floor:
        floor.end = lambda: None  # type: ignore[method-assign]
        yield floor


def context_of(floor: Floor) -> Context:
    """Return the context of a floor of objects."""
    context: Context = floor.context  # type: ignore[attr-defined]
    return context


# ---------------------------------------------------------------- handlers that are no good


@pytest.mark.parametrize("reply", NONSENSE)
def test_nonsense_lets_nobody_in(reply: str) -> None:
    """A handler that does not answer, or not as ZAP has it, keeps everybody out, whatever the mechanism."""
    with nobody() as floor, handler(context_of(floor), NONSENSE[reply]) as asked:
        for mechanism, (server, client) in MECHANISMS.items():
            asked.clear()
            with floor.server(server) as door:
                assert door.refuses(client), mechanism
                assert asked.is_set(), mechanism


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_slow_handler_lets_nobody_in_before_it_answers(mechanism: str, amount: Callable[[int, int], int]) -> None:
    """A client waits for as long as the handler is busy, and gets in by its answer only."""
    server, client = MECHANISMS[mechanism]
    patient = Security({**server.options, "handshake_ivl": 0})
    if isinstance(server, doors.Curve):
        patient = curve(SERVER, handshake_ivl=0)
    for _ in range(amount(1, 50)):
        go = threading.Event()
        with ExitStack() as stack:
            floor = stack.enter_context(nobody())
            asked = stack.enter_context(handler(context_of(floor), answer(b"200", b"OK", b"", b""), go))
            door = stack.enter_context(floor.server(patient))
            stack.enter_context(door.client(client, "friend"))
            assert asked.wait(doors.PATIENCE / 1000)
            assert floor.receive(door.socket, 50) is None
            go.set()
            assert floor.receive(door.socket, doors.PATIENCE) == "friend"


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_handler_that_dies_while_it_is_asked(mechanism: str, amount: Callable[[int, int], int]) -> None:
    """A client that was being asked about when the handler went does not get in by that."""
    server, client = MECHANISMS[mechanism]
    for _ in range(amount(1, 50)):
        with nobody() as floor, floor.server(server) as door:
            socket = context_of(floor).socket(zmq.ROUTER, bind=ZAP)
            with door.client(client, "intrusion"):
                assert socket.recv_parts(timeout=doors.PATIENCE)
                socket.close()
                assert door.next_event() in doors.OUTCOMES[1:]
                assert floor.receive(door.socket, 0) is None


def test_nobody_answers() -> None:
    """With nobody to ask, libzmq refuses PLAIN clients, and lets NULL and CURVE clients in, these with any key."""
    with nobody() as floor:
        with floor.server(Security({**PLAIN.options, **SHORT})) as door:
            assert door.refuses(plain("admin", "Password"))
        with floor.server(NULL) as door:
            assert door.admits(NOBODY)
        with floor.server(CURVE) as door:
            assert door.admits(curve(STRANGER, KEY))


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("name", ["objects", "zsocket", "zsock"])
def test_nobody_answers_where_that_is_enforced(name: str, mechanism: str) -> None:
    """A server that enforces its domain lets nobody in, be it that the authenticator has gone or was never there."""
    server, client = MECHANISMS[mechanism]
    enforced: Any = {"zap_domain": "global", "zap_enforce_domain": True}
    server = (
        curve(SERVER, **SHORT, **enforced)
        if isinstance(server, doors.Curve)
        else Security({**server.options, **enforced})
    )
    with doors.open_floor(name) as floor:
        floor.configure("curve", "*")
        floor.configure("plain", {"admin": "Password"}) if name == "objects" else None
        with floor.server(server) as door:
            if mechanism != "PLAIN" or name == "objects":
                assert door.admits(client)
            floor.end()
            assert door.refuses(client)


@pytest.mark.parametrize("name", ["objects", "process-wide objects", "aio"])
def test_certificate_of_a_server_holds_after_the_authenticator(name: str, tmp_path: Path) -> None:
    """A server that `Cert.apply` secured while an Auth answered lets nobody in once that is closed, until the next."""
    known = certificates(tmp_path / "known", FRIEND)
    with doors.open_floor(name) as floor:
        floor.curve(known)
        with floor.server(curve(SERVER, **SHORT)) as door:
            assert door.admits(curve(FRIEND, KEY))
            floor.end()
            assert door.refuses(curve(STRANGER, KEY))
            assert door.refuses(curve(FRIEND, KEY))
            floor.start()
            floor.curve(known)
            assert door.refuses(curve(STRANGER, KEY))
            assert door.comes_to_admit(curve(FRIEND, KEY))


def test_enforcing_an_empty_domain_is_refused() -> None:
    """libzmq would abort once a PLAIN client comes, and ask nobody about CURVE clients: it does not come to that."""
    ctx = zctx.new()
    for socket in zsocket.new(ctx, zmq.PULL), zsock.new(zmq.PULL):
        with pytest.raises(ValueError, match="needs a zap_domain"):
            zsocket.set_zap_enforce_domain(socket, True)
        with pytest.raises(ValueError, match="needs a zap_domain"):
            zmq.setsockopt(socket, zmq.ZAP_ENFORCE_DOMAIN, 1)
        zsocket.set_zap_enforce_domain(socket, False)
        zsocket.set_zap_domain(socket, "global")
        zsocket.set_zap_enforce_domain(socket, True)
        with pytest.raises(ValueError, match="needs a zap_domain"):
            zsocket.set_zap_domain(socket, "")
        zsocket.set_zap_domain(socket, "other")
        assert zsocket.zap_enforce_domain(socket)
    with pytest.raises(ValueError, match="needs a zap_domain"), Socket(zmq.PULL, zap_enforce_domain=True):
        pass


# ---------------------------------------------------------------- who else is there


@pytest.mark.parametrize("name", doors.FLOORS)
def test_second_authenticator(name: str, tmp_path: Path) -> None:
    """A second one is refused before C would abort, whichever floor it is made on, and the first goes on."""
    with doors.open_floor(name) as floor:
        floor.curve(certificates(tmp_path / "known", FRIEND))
        ctx = zctx.new()
        attempts: list[Callable[[], object]] = [Auth, lambda: zauth.new(ctx), lambda: zactor.new(zauth.actor)]
        for make in attempts:
            with pytest.raises(RuntimeError, match=r"this process has an (authenticator|Auth) already"):
                make()
        with floor.server(CURVE) as door:
            assert not door.admits(curve(STRANGER, KEY))
            assert door.comes_to_admit(curve(FRIEND, KEY))


@pytest.mark.parametrize("name", ["objects", "zsocket"])
def test_forged_answers(name: str, tmp_path: Path) -> None:
    """Another socket of the context can neither answer in the authenticator's place nor through it."""
    with doors.open_floor(name) as floor, floor.server(CURVE) as door:
        floor.curve(certificates(tmp_path / "known", FRIEND))
        forger = floor.socket(zmq.DEALER, NOBODY)
        handle = doors.handle_of(forger)
        assert zsocket.connect(handle, ZAP) == 0
        with door.client(curve(STRANGER, KEY), "intrusion"):
            for _ in range(200):
                assert zstr.sendx(handle, "", "1.0", "1", "200", "OK", KEY, "") == 0
            assert door.next_event() == "HANDSHAKE_FAILED_AUTH"
        while zsocket.poll(handle, 0):
            # They were taken for requests, at most.
            assert "200" not in (zstr.recvx(handle) or ["200"])
        assert door.comes_to_admit(curve(FRIEND, KEY))
        usurper = floor.socket(zmq.REP, NOBODY)
        assert zsocket.bind(doors.handle_of(usurper), ZAP) == -1
        floor.drop(usurper)
        floor.drop(forger)


# ---------------------------------------------------------------- several contexts


def test_contexts_that_were_not_chosen(tmp_path: Path) -> None:
    """An authenticator of some contexts opens no server of another: PLAIN clients are refused there.

    libzmq asks nobody about CURVE clients there, so they get in with any key, unless the server enforces its domain.
    """
    chosen, other = Context(), Context()
    with Auth(chosen) as auth, nobody() as floor:
        auth.plain({"admin": "Password"})
        auth.curve(certificates(tmp_path / "known", FRIEND))
        floor.context = other  # type: ignore[attr-defined]
        with floor.server(Security({**PLAIN.options, **SHORT})) as door:
            assert door.refuses(plain("admin", "Password"))
        with floor.server(CURVE) as door:
            assert door.admits(curve(STRANGER, KEY))
        with floor.server(curve(SERVER, zap_domain="global", zap_enforce_domain=True, **SHORT)) as door:
            assert door.refuses(curve(STRANGER, KEY))
            assert door.refuses(curve(FRIEND, KEY))
        auth.attach(other)
        with floor.server(CURVE) as door:
            assert not door.admits(curve(STRANGER, KEY))
            assert door.comes_to_admit(curve(FRIEND, KEY))
        floor.context = chosen  # type: ignore[attr-defined]
        with floor.server(PLAIN) as door:
            assert door.admits(plain("admin", "Password"))
    chosen.close()


def test_contexts_of_before_and_after(tmp_path: Path) -> None:
    """One policy holds for all contexts, those made before the authenticator and after, and those hooked to it."""
    before = zctx.new()
    with doors.open_floor("zsocket") as floor:
        floor.curve(certificates(tmp_path / "known", FRIEND))
        zauth.attach(floor.auth, before)  # type: ignore[attr-defined]
        after = zctx.new()
        zauth.attach(floor.auth, after)  # type: ignore[attr-defined]
        own = floor.ctx  # type: ignore[attr-defined]
        for ctx in before, after, own, zctx.shadow(after):
            floor.ctx = ctx  # type: ignore[attr-defined]
            with floor.server(CURVE) as door:
                assert not door.admits(curve(STRANGER, KEY))
                assert door.comes_to_admit(curve(FRIEND, KEY))
        floor.ctx = own  # type: ignore[attr-defined]


def test_domains_that_are_mixed_up(tmp_path: Path) -> None:
    """CZMQ has no domains. Who configures a second one is told that it takes the place of the first for all servers."""
    with doors.open_floor("zsocket") as floor:
        auth = floor.auth  # type: ignore[attr-defined]
        first, second = passwords(tmp_path), tmp_path / "second"
        second.write_text("other=other\n")
        zauth.configure_plain(auth, "A", first)
        zauth.configure_plain(auth, "A", first)
        with pytest.warns(RuntimeWarning, match=r"no domains: .* 'B' takes the place of .* 'A', for P"):
            zauth.configure_plain(auth, "B", second)
        with floor.server(Security({**PLAIN.options, "zap_domain": "A"})) as door:
            assert not door.admits(plain("admin", "Password"))
            assert door.comes_to_admit(plain("other", "other"))
        zauth.configure_curve(auth, "A", tmp_path / "known")
        with pytest.warns(RuntimeWarning, match="for CURVE clients of all servers"):
            zauth.configure_curve(auth, "B", "*")


def test_context_with_a_handler_of_its_own() -> None:
    """An Auth cannot answer in a context where another socket does: it does not start, or no socket is made there."""
    context = Context()
    with context.socket(zmq.REP, bind=ZAP), pytest.raises(RuntimeError, match="ctx has an authenticator already"):
        Auth()
    with Auth() as auth:
        with pytest.raises(ZMQError, match="Address already in use"):
            Socket(zmq.REP, bind=ZAP)
        assert not auth.closed
    context.close()


@pytest.mark.parametrize("kind", [kind for kind in range(12) if kind not in (zmq.REP, zmq.ROUTER)])
def test_handler_of_another_type(kind: int) -> None:
    """libzmq aborts, once a client comes, where what answers for authentication is of a type that cannot: none is."""
    ctx = zctx.new()
    for socket in zsocket.new(ctx, kind), zsock.new(kind):
        assert zsocket.bind(socket, ZAP) == -1
        assert zmq.errno() == errno.EINVAL
        assert zmq.bind(socket, ZAP) == -1
    with pytest.raises(ZMQError, match="Invalid argument"):
        Socket(kind, bind=ZAP)
    if kind == zmq.PULL:
        assert zsock.new_pull(f"@{ZAP}") is None
