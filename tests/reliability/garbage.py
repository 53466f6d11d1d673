"""What no peer in its right mind would send: bytes for a port on which ZeroMQ listens, and messages for its sockets.

`flood` is for the bytes, and uses nothing but the standard library. It runs in a test's process or, as a program with
the arguments ADDRESS PORT COUNT SEED [refused], on a host of a test's network.
"""

from __future__ import annotations

import random
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator

#: How long a connection may take, in seconds: the other side may be slow, but not dead.
PATIENCE = 20


def greeting(mechanism: bytes, version: bytes = b"\3\1", as_server: bool = False) -> bytes:
    """Return a greeting of ZMTP 3: a signature, the version, a mechanism."""
    signature = b"\xff" + bytes(7) + b"\1\x7f"
    return signature + version + mechanism.ljust(20, b"\0") + bytes([as_server]) + bytes(31)


def command(name: bytes, data: bytes = b"") -> bytes:
    """Return a command of ZMTP 3, in a frame as short as can be."""
    body = bytes([len(name)]) + name + data
    if len(body) < 256:
        return b"\4" + bytes([len(body)]) + body
    return b"\6" + struct.pack("!Q", len(body)) + body


def metadata(**properties: bytes) -> bytes:
    """Return properties, as in a READY command."""
    return b"".join(
        bytes([len(name)]) + name.replace("_", "-").encode() + struct.pack("!I", len(value)) + value
        for name, value in properties.items()
    )


def handshake(kind: bytes = b"DEALER") -> bytes:
    """Return a whole handshake without security, as a socket of this kind would begin."""
    return greeting(b"NULL") + command(b"READY", metadata(Socket_Type=kind, Identity=b""))


def kinds(chance: random.Random, let_in: bool = True) -> Iterator[tuple[str, bytes]]:
    """Yield what is sent, each with its name, for ever; not *let_in*: nothing that libzmq takes for a peer's messages.

    Without security that is what follows a good handshake, and whatever does not begin as ZMTP 3 does: libzmq takes
    that for ZMTP 1, in which a peer says next to nothing before its messages.
    """
    for name, data in _kinds(chance):
        is_other_version = bool(data) and not greeting(b"")[:11].startswith(data[:11])
        if let_in or not (is_other_version or data.startswith(greeting(b"NULL"))):
            yield name, data


def _kinds(chance: random.Random) -> Iterator[tuple[str, bytes]]:
    types = [b"DEALER", b"REQ", b"REP", b"ROUTER", b"PUSH", b"PULL", b"PUB", b"SUB", b"XPUB", b"XSUB", b"PAIR"]
    huge = [2**31 - 1, 2**32 - 1, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1]
    while True:
        noise = chance.getrandbits(8 * 600).to_bytes(600, "big")[: chance.randrange(1, 600)]
        mechanism = chance.choice([b"NULL", b"PLAIN", b"CURVE", b"GSSAPI", b"NONSENSE", b"\xff" * 20, noise[:20]])
        whole = greeting(mechanism)
        shaken = handshake(chance.choice(types))
        size = struct.pack("!Q", chance.choice(huge))
        yield "random bytes", noise
        yield "nothing", b""
        yield "part of a greeting", whole[: chance.randrange(1, len(whole))]
        yield "greeting and random bytes", whole + noise
        yield "greeting of another version", greeting(mechanism, noise[:2].ljust(2, b"\0")) + noise
        yield "greeting of ZMTP 1", b"\1\0" + b"\5\1" + noise
        yield "length that is huge, in ZMTP 1", b"\1\0\xff" + size + noise
        yield "greeting of ZMTP 2", b"\xff" + bytes(8) + b"\x7f\1" + bytes([chance.randrange(256)]) + noise
        yield "handshake and random bytes", shaken + noise
        yield "message that is huge", shaken + b"\2" + size + noise
        yield "command that is huge", whole + b"\6" + size + noise
        yield "flags that do not exist", shaken + bytes([chance.randrange(8, 256)]) + noise
        yield "message that never ends", shaken + b"\1\1x" * 300
        yield "READY again", shaken + command(b"READY", metadata(Socket_Type=b"DEALER")) * 3
        yield "READY with random bytes", whole + command(b"READY", noise[:200])
        yield "READY with lengths that are wrong", whole + command(b"READY", b"\x0bSocket-Type" + size[:4] + noise[:20])
        yield "READY with a type that does not exist", whole + command(b"READY", metadata(Socket_Type=noise[:100]))
        yield (
            "READY with an identity of all bytes",
            whole + command(b"READY", metadata(Socket_Type=b"DEALER", Identity=noise[:255])),
        )
        yield "READY that is huge", whole + command(b"READY", metadata(Socket_Type=b"DEALER", X=noise * 100))
        yield "ERROR", whole + command(b"ERROR", bytes([chance.randrange(256)]) + noise[:200])
        yield "command with a name that is too long", whole + b"\4\5\xffREAD"
        yield "command that is empty", whole + b"\4\0" * 10
        yield "heartbeats", shaken + command(b"PING", noise[: chance.randrange(40)]) + command(b"PONG", noise[:20])
        yield "subscriptions", handshake(b"SUB") + command(b"SUBSCRIBE", noise) + command(b"CANCEL", b"never") + b"\0\0"
        yield "HELLO for PLAIN", greeting(b"PLAIN") + command(b"HELLO", noise[:100])
        yield "INITIATE for PLAIN", greeting(b"PLAIN") + command(b"INITIATE", noise[:200])
        yield "HELLO for CURVE", greeting(b"CURVE") + command(b"HELLO", b"\1\0" + noise.ljust(192, b"\0")[:192])
        yield "HELLO for CURVE that is short", greeting(b"CURVE") + command(b"HELLO", b"\1\0" + noise[:50])
        yield "INITIATE for CURVE", greeting(b"CURVE") + command(b"INITIATE", noise[:300])
        yield "MESSAGE for CURVE", greeting(b"CURVE") + command(b"MESSAGE", noise[:300])
        yield "HTTP", b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
        yield "TLS", b"\x16\3\1\2\0\1\0\1\xfc\3\3" + noise


def flood(
    address: str, port: int, count: int, seed: int, *, at_once: int = 200, let_in: bool = True, patience: float = 0
) -> Counter[str]:
    """Open *count* connections, *at_once* of them at a time, and send garbage; return how much of each kind.

    A server that is not there may come back within *patience* seconds.
    """
    chance = random.Random(seed)
    source = kinds(chance, let_in)
    sent: Counter[str] = Counter()
    held: list[socket.socket] = []
    try:
        for _ in range(count):
            name, data = next(source)
            held.append(_connect(address, port, patience))
            sent[name] += 1
            try:
                # In two pieces, since what comes in one is often looked at in one.
                middle = chance.randrange(len(data) + 1)
                held[-1].sendall(data[:middle])
                held[-1].sendall(data[middle:])
            except OSError:
                pass  # it has seen enough, or is gone
            if len(held) >= at_once:
                _close(held, chance)
    finally:
        _close(held, chance)
    return sent


def _connect(address: str, port: int, patience: float) -> socket.socket:
    deadline = time.monotonic() + patience
    while True:
        try:
            return socket.create_connection((address, port), PATIENCE)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _close(held: list[socket.socket], chance: random.Random) -> None:
    for connection in held:
        if chance.random() < 0.5:
            # A reset, and not an orderly end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    held.clear()


def messages(many: int = 10_000) -> Iterator[tuple[str, list[bytes]]]:
    """Yield messages that a peer may well send, but that no program expects; *many* are the most frames of one."""
    yield "one empty frame", [b""]
    yield "two empty frames", [b"", b""]
    yield "no delimiter", [b"request"]
    yield "no delimiter, three frames", [b"a", b"b", b"c"]
    yield "delimiter at the end", [b"a", b"b", b""]
    yield "many frames", [b"frame"] * many
    yield "many empty frames", [b""] * many
    yield "many frames behind a delimiter", [b"", *[b"x"] * many]
    yield "many frames before a delimiter", [*[b"x"] * many, b"", b"request"]
    yield "what is no text", [b"", b"\xff\xfe\0%s%n"]
    yield "a big frame", [b"", bytes(2**20)]
    yield "a signal", [struct.pack("<q", 0x7766554433221100)]
    yield "a subscription to everything", [b"\1"]
    yield "a subscription", [b"\1something"]
    yield "an end of a subscription", [b"\0never"]
    yield "a long subscription", [b"\1" * 5000]
    yield "$TERM", [b"$TERM"]


if __name__ == "__main__":
    address, port, count, seed, *let_in = sys.argv[1:]
    sent = flood(address, int(port), int(count), int(seed), let_in=let_in != ["refused"], patience=60)
    print(sum(sent.values()))
