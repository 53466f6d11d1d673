"""Peers: who is there, and who has fallen silent.

Most is shown with a gossip node in place of a beacon, since that broadcasts nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import netns
import pytest

from pyczmq import Again, Gossip, Peers, Poller, aio
from pyczmq.types.peers import Change
from pyczmq.zgossip import Delivery

#: Milliseconds after which a test's peers are gone.
EXPIRY = 150


def identify(delivery: Delivery) -> str:
    return delivery.key


def peers_of(node: Gossip, expiry: Any = EXPIRY) -> Peers[Delivery]:
    """Return what takes the keys that are given new values for peers, as beacons are."""
    return Peers(node, expiry, identify)


@pytest.fixture
def node() -> Iterator[Gossip]:
    with Gossip() as node:
        yield node


def test_who_publishes_comes_once_and_is_gone_after_a_silence(node: Gossip) -> None:
    peers = peers_of(node)
    node.publish("ada", "1")
    start = time.monotonic()
    assert peers.recv(timeout=10_000) == Change(True, Delivery("ada", "1"))
    node.publish("ada", "2")
    assert peers.recv(timeout=10_000) == Change(False, Delivery("ada", "2"))
    assert time.monotonic() - start >= EXPIRY / 1000
    assert peers.present == []
    node.publish("ada", "3")
    assert peers.recv(timeout=10_000) == (True, ("ada", "3"))


def test_who_is_heard_again_and_again_is_not_gone(node: Gossip) -> None:
    peers = peers_of(node)
    node.publish("quiet", "")
    deadline = time.monotonic() + 3 * EXPIRY / 1000
    changes = []
    count = 0
    while time.monotonic() < deadline:
        count += 1
        node.publish("loud", str(count))
        try:
            changes.append(peers.recv(timeout=5))
        except Again:
            pass
    assert [(present, delivery.key) for present, delivery in changes] == [
        (True, "quiet"),
        (True, "loud"),
        (False, "quiet"),
    ]
    assert [key for key, _ in peers.present] == ["loud"]


def test_a_program_that_was_busy_elsewhere_judges_nobody_before_it_has_heard_all(node: Gossip) -> None:
    """What has come in meanwhile is heard first, however long ago that was."""
    peers = peers_of(node)
    node.publish("ada", "1")
    assert peers.recv(timeout=10_000).present
    node.publish("ada", "2")
    node.status()
    time.sleep(2 * EXPIRY / 1000)
    assert peers.recv_nowait() is None
    assert peers.present == [("ada", "2")]
    assert not peers.recv(timeout=10_000).present


def test_nothing_happens_in_time(node: Gossip) -> None:
    peers = peers_of(node, 60_000)
    for timeout in 0, 20:
        with pytest.raises(Again, match="recv on <Peers of <Gossip>: 0 present>"):
            peers.recv(timeout=timeout)
    assert peers.timeout == -1
    node.publish("ada", "1")
    assert peers.recv(timeout=10_000).present
    with pytest.raises(Again, match="1 present"):
        peers.recv(timeout=20)
    assert 0 < peers.timeout <= 60_000


def test_a_poller_waits_as_long_as_peers_say(node: Gossip) -> None:
    peers = peers_of(node)
    changes: list[Change] = []
    with Poller(node) as poller:
        node.publish("ada", "1")
        node.publish("grace", "1")
        while len(changes) < 4:
            poller.wait(timeout=peers.timeout)
            change = peers.recv_nowait()
            while change is not None:
                changes.append(change)
                # Several are gone at the same time: the next need not wait.
                assert len(changes) != 3 or peers.timeout == 0
                change = peers.recv_nowait()
    assert changes == [(present, (key, "1")) for present in (True, False) for key in ("ada", "grace")]


def test_iteration_ends_with_the_node(node: Gossip) -> None:
    node.publish("ada", "1")
    heard = []
    for present, (key, _) in peers_of(node):
        heard.append((present, key))
        if not present:
            node.close()
    assert heard == [(True, "ada"), (False, "ada")]
    with pytest.raises(ValueError, match="closed"):
        peers_of(node).recv(timeout=0)


@pytest.mark.parametrize(("expiry", "error"), [(0, ValueError), (-1, ValueError), ("1", TypeError), (None, TypeError)])
def test_an_expiry_that_is_none(node: Gossip, expiry: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="expiry"):
        peers_of(node, expiry)


def test_what_is_no_beacon(node: Gossip) -> None:
    """Nor is one for asyncio, for peers that are not awaited."""
    for peers, wrong in (Peers, aio.Gossip()), (aio.Peers, node), (Peers, None), (Peers, object()):
        with pytest.raises(TypeError, match="source must be a beacon, not"):
            peers(wrong, EXPIRY, identify)  # type: ignore[operator]
    with pytest.raises(TypeError, match="identify must be a function, not str"):
        Peers(node, EXPIRY, "key")  # type: ignore[arg-type]


def test_peers_are_awaited() -> None:
    async def main() -> list[tuple[bool, str]]:
        async with aio.Gossip() as node:
            peers = aio.Peers(node, EXPIRY, identify)
            waiting = asyncio.ensure_future(peers.recv())
            await asyncio.sleep(0.01)
            waiting.cancel()
            node.publish("ada", "1")
            heard = []
            async for present, (key, value) in peers:
                heard.append((present, f"{key} {value}"))
                if value == "1" and present:
                    # Nobody is judged before what came meanwhile was heard.
                    node.publish("ada", "2")
                    node.status()
                    await asyncio.sleep(2 * EXPIRY / 1000)
                if not present:
                    node.close()
            return heard

    assert asyncio.run(asyncio.wait_for(main(), 20)) == [(True, "ada 1"), (False, "ada 2")]


BEACONS = """
import asyncio, sys
from pyczmq import Beacon, aio

async def listen():
    async with aio.Beacon(9999) as beacon:
        beacon.subscribe("NODE ")
        async for present, (address, payload) in beacon.peers(300):
            print("aio", present, address, payload.decode())
            if not present:
                return

with Beacon(9999, interval=50) as left, Beacon(9999) as right:
    left.publish("NODE left")
    right.subscribe("NODE ")
    peers = right.peers(expiry=300)
    print(*peers.recv(timeout=10000))
    loop = asyncio.new_event_loop()
    loop.call_later(1, left.silence)
    loop.run_until_complete(asyncio.wait_for(listen(), 20))
    loop.close()
    print(*peers.recv(timeout=10000))
"""


@pytest.mark.requires_netns
def test_a_beacon_that_falls_silent_is_noticed() -> None:
    done = netns.run(BEACONS)
    assert (done.returncode, done.stderr) == (0, ""), done
    announcement = "Announcement(address='10.77.0.1', payload=b'NODE left')"
    assert done.stdout.splitlines() == [
        f"True {announcement}",
        "aio True 10.77.0.1 NODE left",
        "aio False 10.77.0.1 NODE left",
        f"False {announcement}",
    ]


def test_peers_say_what_they_are(node: Gossip) -> None:
    assert repr(peers_of(node)) == "<Peers of <Gossip>: 0 present>"
    assert isinstance(peers_of(node), Peers)
