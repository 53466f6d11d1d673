"""What a stranger on the wire can see and do: record, replay, change bits, speak ZMTP by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import doors
import pytest
import wire
from doors import NULL, PLAIN, Door, Security, curve, plain
from test_security import FRIEND, KEY, NOBODY, SERVER, STRANGER, certificates, passwords

from pyczmq import zframe, zmq, zsocket
from pyczmq.types import Context, Monitor, Poller, Socket

#: Milliseconds that a client has for its handshake.
SHORT = {"handshake_ivl": 150}

FLOORS = ["objects", "process-wide objects"]


@contextmanager
def guarded_server(name: str, security: Security, folder: Path) -> Iterator[Door]:
    """Make a server that the authenticator guards, which knows FRIEND and admin."""
    with doors.open_floor(name) as floor:
        floor.curve(certificates(folder / "known", FRIEND))
        floor.plain(passwords(folder))
        with floor.server(security) as door:
            yield door


# ---------------------------------------------------------------- looking

#: What a session has in it that is nobody else's business.
TOPIC, PAYLOAD, PART, IDENTITY, REQUEST, ANSWER = (
    b"topic-that-is-subscribed-to",
    b"payload-in-one-frame",
    b"payload-in-the-second-of-two",
    b"identity-of-the-client",
    b"request-of-a-dealer",
    b"answer-of-a-router",
)
SECRETS = (TOPIC, PAYLOAD, PART, IDENTITY, REQUEST, ANSWER)

#: Metadata of every connection, which ZMTP sends with the handshake.
METADATA = (b"Socket-Type", b"SUB", b"DEALER", b"Identity")


def record(server: Security, client: Security) -> bytes:
    """Return all that is on the wire while a subscriber, and a dealer with an identity, talk to servers."""
    with ExitStack() as stack:
        enter = stack.enter_context
        context = enter(Context())

        def pair(first: int, second: int, **options: Any) -> tuple[Socket, Socket, wire.Relay]:
            made = context.socket(first, **server.options)
            if isinstance(server, doors.Curve):
                server.cert.apply(made, server=True)
            relay = enter(wire.Relay(made.bind("tcp://127.0.0.1:*")))
            other = context.socket(second, **client.options, **options)
            if isinstance(client, doors.Curve):
                client.cert.apply(other, server_key=client.server_key)
            other.connect(relay.endpoint)
            return made, other, relay

        publisher, subscriber, first = pair(zmq.XPUB, zmq.SUB, subscribe=TOPIC)
        assert publisher.recv_bytes(timeout=doors.PATIENCE) == b"\1" + TOPIC
        publisher.send_parts([TOPIC + PAYLOAD, PART])
        assert subscriber.recv_parts(timeout=doors.PATIENCE) == [TOPIC + PAYLOAD, PART]
        router, dealer, second = pair(zmq.ROUTER, zmq.DEALER, routing_id=IDENTITY.decode())
        dealer.send_bytes(REQUEST)
        assert router.recv_parts(timeout=doors.PATIENCE) == [IDENTITY, REQUEST]
        router.send_parts([IDENTITY, ANSWER])
        assert dealer.recv_bytes(timeout=doors.PATIENCE) == ANSWER
        return first.seen + second.seen


def test_curve_hides_everything_but_the_handshakes_names(figure: Callable[[str], None]) -> None:
    """Neither payloads, topics, identities, metadata nor anybody's long-term keys are on the wire, in any form."""
    seen = record(curve(SERVER), curve(FRIEND, KEY))
    keys = [key for cert in (SERVER, FRIEND) for key in (cert.public_bytes, cert.secret_bytes)]
    texts = [key.encode() for cert in (SERVER, FRIEND) for key in (cert.public_key, cert.secret_key or "")]
    for secret in (*SECRETS, *METADATA, *keys, *texts):
        assert secret not in seen, secret
    for word in SECRETS:
        # No six bytes of them, either.
        assert not any(word[start : start + 6] in seen for start in range(len(word) - 6)), word
    for name in (b"CURVE", b"HELLO", b"WELCOME", b"INITIATE", b"READY", b"MESSAGE"):
        assert name in seen
    figure(f"{len(seen)} bytes recorded of a CURVE session, none of them plaintext")


@pytest.mark.parametrize("mechanism", ["NULL", "PLAIN"])
def test_without_curve_the_same_relay_sees_all_of_it(mechanism: str, tmp_path: Path) -> None:
    """So that the test above could fail."""
    if mechanism == "NULL":
        seen = record(NOBODY, NOBODY)
    else:
        with doors.open_floor("objects") as floor:
            floor.plain(passwords(tmp_path))
            seen = record(PLAIN, plain("admin", "Password"))
            assert b"Password" in seen
    for secret in (*SECRETS, *METADATA):
        assert secret in seen, secret


# ---------------------------------------------------------------- changing


@pytest.mark.parametrize("name", FLOORS)
def test_replayed_session(name: str, tmp_path: Path, amount: Callable[[int, int], int]) -> None:
    """All that a client has sent, sent again, as it was or cut off anywhere, gets nothing in."""
    with guarded_server(name, curve(SERVER, **SHORT), tmp_path) as door:
        with wire.Relay(door.port) as relay:
            assert door.comes_to_admit(curve(FRIEND, KEY), port=int(relay.endpoint.rpartition(":")[2]))
        recorded = bytes(relay.sent)
        assert b"MESSAGE" in recorded
        ends = {len(recorded), *random.Random(1).sample(range(wire.GREETING, len(recorded)), amount(3, 200))}
        for end in ends:
            with wire.Peer(door.port) as peer:
                peer.send(recorded[:end])
                peer.drain(doors.PATIENCE / 1000)
            assert door.floor.receive(door.socket, 0) is None
        assert door.comes_to_admit(curve(FRIEND, KEY))


def test_changed_bits(figure: Callable[[str], None], amount: Callable[[int, int], int]) -> None:
    """One bit is changed on the way: what was sent arrives, or nothing does, and never anything else.

    Nothing arrives where the bit is in what is encrypted or in a key.
    """
    dropped = 0
    with doors.open_floor("objects", start=False) as floor:
        floor.end = lambda: None  # type: ignore[method-assign]
        with floor.server(curve(SERVER, **SHORT)) as door, wire.Relay(door.port) as relay:
            assert door.comes_to_admit(curve(FRIEND, KEY), port=int(relay.endpoint.rpartition(":")[2]))
            length = len(relay.sent)
            body = relay.sent.index(b"MESSAGE") + len("MESSAGE")
        positions = [*range(body, length, amount(5, 1))]
        positions += random.Random(2).sample(range(body), amount(8, body))
        for position in positions:
            dropped += not _arrives(position, 1 << position % 8, position >= body)
    figure(
        f"{len(positions)} connections with a bit changed: {dropped} were dropped, {len(positions) - dropped} unharmed"
    )


def _arrives(position: int, bit: int, encrypted: bool) -> bool:
    """Tell whether a message arrives of which a bit was changed, on the only connection that there is."""
    connections = []

    def change(start: int, chunk: bytes) -> bytes:
        if start == 0:
            connections.append(start)
        if len(connections) > 1:
            return b""
        if not start <= position < start + len(chunk):
            return chunk
        changed = bytearray(chunk)
        changed[position - start] ^= bit
        return bytes(changed)

    with ExitStack() as stack:
        context = stack.enter_context(Context())
        server = context.socket(zmq.PULL, **SHORT)
        SERVER.apply(server, server=True)
        monitor = stack.enter_context(Monitor(server, *doors.OUTCOMES, "DISCONNECTED"))
        relay = stack.enter_context(wire.Relay(server.bind("tcp://127.0.0.1:*"), change))
        client = context.socket(zmq.PUSH)
        FRIEND.apply(client, server_key=KEY)
        client.connect(relay.endpoint)
        client.send("friend")
        arrives = monitor.recv(timeout=doors.PATIENCE).event == doors.SUCCEEDED
        poller = stack.enter_context(Poller(server, monitor))
        if arrives and server not in poller.wait(doors.PATIENCE):
            assert monitor.recv().event in ("HANDSHAKE_FAILED_PROTOCOL", "DISCONNECTED")
            arrives = False
        if arrives:
            assert not encrypted
            assert server.recv(timeout=0) == "friend"
        assert not server.poll(0)
        return arrives


# ---------------------------------------------------------------- speaking by hand

READY = wire.command(b"READY", wire.properties(Socket_Type=b"PUSH", Identity=b""))
INITIATE = wire.command(b"INITIATE", wire.properties(Socket_Type=b"PUSH", Identity=b""))
MESSAGE = wire.message(b"intrusion")
AS_CURVE, AS_PLAIN, AS_NULL = map(wire.greeting, (b"CURVE", b"PLAIN", b"NULL"))

BY_HAND: dict[str, tuple[Security, list[bytes]]] = {
    "NULL's handshake": (curve(SERVER), [AS_NULL, READY, MESSAGE]),
    "an older ZMTP": (curve(SERVER), [b"\xff" + bytes(8) + b"\x7f\x01\x08", wire.message(b""), MESSAGE]),
    "the oldest ZMTP": (curve(SERVER), [b"\x01\x00\x0a\x00intrusion"]),
    "READY in clear": (curve(SERVER), [AS_CURVE, READY, MESSAGE]),
    "INITIATE in clear": (curve(SERVER), [AS_CURVE, INITIATE, MESSAGE]),
    "a message in clear": (curve(SERVER), [AS_CURVE, MESSAGE]),
    "half a HELLO": (curve(SERVER), [AS_CURVE, wire.command(b"HELLO", b"\1\0" + bytes(192))[:100]]),
    "an empty HELLO": (curve(SERVER), [AS_CURVE, wire.command(b"HELLO"), INITIATE, MESSAGE]),
    "zeros for a HELLO": (curve(SERVER), [AS_CURVE, wire.command(b"HELLO", b"\1\0" + bytes(192)), MESSAGE]),
    "a HELLO that is too long": (curve(SERVER), [AS_CURVE, wire.command(b"HELLO", bytes(1000)), MESSAGE]),
    "a HELLO of ever so much": (curve(SERVER), [AS_CURVE, b"\x06\x7f" + b"\xff" * 7 + bytes(1000)]),
    "a server": (curve(SERVER), [wire.greeting(b"CURVE", True), wire.command(b"WELCOME", bytes(160)), MESSAGE]),
    "no mechanism": (curve(SERVER), [wire.greeting(b""), READY, MESSAGE]),
    "a mechanism with more behind it": (curve(SERVER), [wire.greeting(b"CURVE\0NULL"), READY, MESSAGE]),
    "garbage": (curve(SERVER), [random.Random(3).randbytes(5000)]),
    "PLAIN: READY": (PLAIN, [AS_PLAIN, READY, MESSAGE]),
    "PLAIN: INITIATE at once": (PLAIN, [AS_PLAIN, INITIATE, MESSAGE]),
    "PLAIN: a message at once": (PLAIN, [AS_PLAIN, MESSAGE]),
    "PLAIN: NULL's handshake": (PLAIN, [AS_NULL, READY, MESSAGE]),
    "PLAIN: wrong password": (PLAIN, [AS_PLAIN, wire.hello(b"admin", b"wrong"), INITIATE, MESSAGE]),
    "PLAIN: empty password": (PLAIN, [AS_PLAIN, wire.hello(b"admin", b""), INITIATE, MESSAGE]),
    "PLAIN: no name": (PLAIN, [AS_PLAIN, wire.hello(b"", b""), INITIATE, MESSAGE]),
    "PLAIN: a NUL byte": (PLAIN, [AS_PLAIN, wire.hello(b"\0admin", b"\0Password"), INITIATE, MESSAGE]),
    "PLAIN: line feeds": (PLAIN, [AS_PLAIN, wire.hello(b"x\nadmin", b"Password\n"), INITIATE, MESSAGE]),
    "PLAIN: a format": (PLAIN, [AS_PLAIN, wire.hello(b"%n%s", b"%s%n"), INITIATE, MESSAGE]),
    "PLAIN: lengths that lie": (PLAIN, [AS_PLAIN, wire.command(b"HELLO", b"\xffadmin\xffPassword"), INITIATE, MESSAGE]),
    "PLAIN: wrong, then right": (
        PLAIN,
        [AS_PLAIN, wire.hello(b"admin", b"wrong"), wire.hello(b"admin", b"Password"), INITIATE, MESSAGE],
    ),
}


@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize("attack", BY_HAND)
def test_spoken_by_hand(name: str, attack: str, tmp_path: Path) -> None:
    """The server hangs up, at the latest when the time for the handshake is over; nothing gets in, and it goes on.

    On one floor each part is said once the one before has been answered, on the other all at once.
    """
    server, said = BY_HAND[attack]
    server = curve(SERVER, **SHORT) if isinstance(server, doors.Curve) else Security({**server.options, **SHORT})
    friend = curve(FRIEND, KEY) if isinstance(server, doors.Curve) else plain("admin", "Password")
    with guarded_server(name, server, tmp_path) as door:
        with wire.Peer(door.port) as peer:
            if name == "objects":
                peer.talk(*said, pause=0.03)
            else:
                peer.send(*said)
            peer.drain(doors.PATIENCE / 1000)
        assert door.floor.receive(door.socket, 0) is None
        assert door.comes_to_admit(friend)


def test_right_words_by_hand_get_in(tmp_path: Path) -> None:
    """So that the tests above could fail: who knows the password gets in by hand as well."""
    with guarded_server("objects", PLAIN, tmp_path) as door, wire.Peer(door.port) as peer:
        peer.send(AS_PLAIN, wire.hello(b"admin", b"Password")).hear(b"WELCOME").send(INITIATE).hear(b"READY").send(
            MESSAGE
        )
        assert door.floor.receive(door.socket, doors.PATIENCE) == "intrusion"


CLAIM = wire.properties(Socket_Type=b"PUSH", Identity=b"", User_Id=b"admin", role=b"admin")


@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize("mechanism", ["NULL", "PLAIN"])
def test_claimed_user(name: str, mechanism: str, tmp_path: Path) -> None:
    """Who a client says that it is does not matter where there was authentication; its other metadata is its own."""
    server, user = (NULL, "") if mechanism == "NULL" else (PLAIN, "guest")
    with guarded_server(name, server, tmp_path) as door, wire.Peer(door.port) as peer:
        if mechanism == "NULL":
            peer.send(AS_NULL).hear(b"READY").send(wire.command(b"READY", CLAIM))
        else:
            peer.send(AS_PLAIN, wire.hello(b"guest", b"guest")).hear(b"WELCOME")
            peer.send(wire.command(b"INITIATE", CLAIM)).hear(b"READY")
        peer.send(MESSAGE)
        assert zsocket.poll(doors.handle_of(door.socket), doors.PATIENCE)
        frame = zframe.recv(doors.handle_of(door.socket))
        assert (zframe.meta(frame, "User-Id") or "") == user
        assert zframe.meta(frame, "role") == "admin"
        zframe.destroy(frame)


def test_claims_of_a_certificate_hold(tmp_path: Path) -> None:
    """What a client's certificate says of it, at the server, is what counts."""
    friend = STRANGER.dup()
    friend.meta["role"] = "guest"
    with doors.open_floor("objects") as floor, floor.server(curve(SERVER)) as door:
        floor.curve(certificates(tmp_path / "known", friend))
        with door.client(curve(friend, KEY, metadata="X-role:admin"), "friend"):
            assert zsocket.poll(doors.handle_of(door.socket), doors.PATIENCE)
            frame = zframe.recv(doors.handle_of(door.socket))
        assert zframe.meta(frame, "role") == "guest"
        assert zframe.meta(frame, "User-Id") == friend.public_key
        assert zframe.meta(frame, "X-role") == "admin"
        zframe.destroy(frame)


def test_flood_of_half_handshakes(tmp_path: Path, amount: Callable[[int, int], int]) -> None:
    """Many strangers that never finish their handshakes keep nobody out, and none of them gets in."""
    with guarded_server("objects", curve(SERVER, **SHORT), tmp_path) as door, ExitStack() as stack:
        for number in range(amount(50, 500)):
            peer = stack.enter_context(wire.Peer(door.port))
            peer.send(AS_CURVE[: 64 - number % 3 * 20], wire.command(b"HELLO", bytes(194))[: number * 4])
        assert door.comes_to_admit(curve(FRIEND, KEY))
        assert door.floor.receive(door.socket, 0) is None
