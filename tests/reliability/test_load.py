"""Load: however many messages there are, none is lost, cut, doubled or out of order, and memory stays bounded."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import load_peers
import pytest
from load_peers import (
    MIB,
    PATIENCE,
    Peer,
    pull_messages,
    pull_numbers,
    pull_parts,
    push_messages,
    push_numbers,
    push_parts,
    start,
)

from pyczmq import Again, Socket, zmq

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measures memory as Linux tells it")

Amounts = Callable[[Any, Any], Any]
Figure = Callable[[str], None]


def seconds(amount: Amounts) -> float:
    """Return how long a child may take: less than the test has."""
    return float(amount(50, 3500))


# ---------------------------------------------------------------- streams


@contextlib.contextmanager
def stream(
    receive: Callable[..., None], send: Callable[..., None], limit: float, arguments: dict[str, Any], **receivers: Any
) -> Iterator[Peer]:
    """Connect a role that sends to one that receives, which is given *receivers* besides, and let both end well."""
    with contextlib.ExitStack() as stack:
        receiver = stack.enter_context(start(receive, limit, **arguments, **receivers))
        sender = stack.enter_context(start(send, limit, **arguments, to=receiver.hear()))
        yield receiver
        receiver.end()
        sender.tell("all is there")
        sender.end()


@pytest.mark.parametrize(
    ("floor", "curve", "short", "long"),
    [
        ("zstr", False, 20_000, 10_000_000),
        ("zstr", True, 20_000, 10_000_000),
        ("Socket", False, 20_000, 10_000_000),
        ("Socket", True, 20_000, 10_000_000),
        ("aio", False, 5_000, 2_000_000),
        ("aio", True, 5_000, 2_000_000),
        ("sendmem", False, 5_000, 2_000_000),
        ("zframe", False, 5_000, 2_000_000),
        ("zmsg", False, 5_000, 2_000_000),
    ],
)
def test_numbers_come_in_order_and_none_is_lost(
    floor: str, curve: bool, short: int, long: int, amount: Amounts, figure: Figure
) -> None:
    arguments = {"floor": floor, "count": amount(short, long)}
    with stream(pull_numbers, push_numbers, seconds(amount), arguments, curve=curve) as pull:
        figure(f"{arguments['count']:,} messages, {pull.hear():,.0f} a second")


@pytest.mark.parametrize("floor", ["zstr", "Socket"])
def test_senders_wait_at_the_high_water_mark_and_lose_nothing(floor: str, amount: Amounts) -> None:
    # While the receiver naps the sender has to wait for certain: what the system buffers is full in much less time.
    arguments = {"floor": floor, "count": amount(10_000, 1_000_000), "hwm": 3}
    with stream(pull_numbers, push_numbers, seconds(amount), arguments, curve=False, naps=amount(5, 100)) as pull:
        pull.hear()


@pytest.mark.parametrize("floor", load_peers.MULTIPART)
def test_messages_of_several_frames_come_whole(floor: str, amount: Amounts, figure: Figure) -> None:
    arguments = {"floor": floor, "count": amount(1_000, 200_000), "hwm": 10, "seed": random.randrange(2**32)}
    with stream(pull_messages, push_messages, seconds(amount), arguments) as pull:
        figure(f"{arguments['count']:,} messages of seed {arguments['seed']}, {pull.hear():,.0f} a second")


@pytest.mark.parametrize("floor", load_peers.MULTIPART)
def test_ten_thousand_frames_come_whole_and_in_order(floor: str, amount: Amounts, figure: Figure) -> None:
    """The high-water mark is one message: what is begun is never cut by it."""
    counts = amount([10_000, 10_000], [10_000, 10_000, 100_000, 10_000])
    arguments = {"floor": floor, "counts": counts, "hwm": 1}
    with stream(pull_parts, push_parts, seconds(amount), arguments) as pull:
        figure(", ".join(f"{count:,} frames in {pull.hear():.2f} s" for count in counts))


# ---------------------------------------------------------------- there and back


def connected(kind: int, to: tuple[str, str | None], **options: Any) -> Socket:
    """Return a socket that is connected to a peer, and gives up only when that has been silent for very long."""
    return Socket(kind, connect=to[0], rcvtimeo=PATIENCE, sndtimeo=PATIENCE, linger=-1, **options)


def test_each_request_gets_its_reply(amount: Amounts, figure: Figure) -> None:
    count = amount(2_000, 300_000)
    with start(load_peers.rep, seconds(amount), count=count) as rep, connected(zmq.REQ, rep.hear()) as client:
        begin = time.perf_counter()
        for number in range(count):
            client.send(f"request {number}")
            assert client.recv() == f"request {number}"
        figure(f"{count:,} requests, {count / (time.perf_counter() - begin):,.0f} a second")
        rep.tell("end")
        rep.end()


@pytest.mark.parametrize("hwm", [1, 1000])
def test_dealers_and_routers_lose_nothing_on_the_way_there_and_back(hwm: int, amount: Amounts, figure: Figure) -> None:
    """The ROUTER is mandatory: any other drops what the peer's high-water mark has no room for."""
    count, ahead = amount(5_000, 1_000_000), 2 * hwm
    with contextlib.ExitStack() as stack:
        router = stack.enter_context(start(load_peers.router, seconds(amount), count=count, hwm=hwm))
        dealer = stack.enter_context(connected(zmq.DEALER, router.hear(), sndhwm=hwm, rcvhwm=hwm))
        begin = time.perf_counter()
        for number in range(count + ahead):
            if number < count:
                dealer.send_parts([str(number), "body"])
            if number >= ahead:
                assert dealer.recv_parts() == [b"%d" % (number - ahead), b"body"]
        figure(f"{count:,} messages, {count / (time.perf_counter() - begin):,.0f} a second")
        router.tell("end")
        router.end()


def test_a_publisher_that_may_not_drop_loses_nothing(amount: Amounts, figure: Figure) -> None:
    count = amount(5_000, 1_000_000)
    with contextlib.ExitStack() as stack:
        publisher = stack.enter_context(start(load_peers.publisher, seconds(amount), count=count, hwm=5))
        sub = stack.enter_context(connected(zmq.SUB, publisher.hear(), subscribe="", rcvhwm=5))
        begin = time.perf_counter()
        for number in range(count):
            assert sub.recv() == str(number)
        figure(f"{count:,} messages, {count / (time.perf_counter() - begin):,.0f} a second")
        assert sub.recv() == load_peers.END
        publisher.tell("end")
        publisher.end()


# ---------------------------------------------------------------- a thousand clients


@pytest.mark.parametrize(("server", "client"), [("Socket", "REQ"), ("Socket", "DEALER"), ("aio", "DEALER")])
def test_each_of_many_clients_gets_its_answers_and_no_others(
    server: str, client: str, amount: Amounts, figure: Figure
) -> None:
    processes, clients, requests = amount((2, 100, 3), (4, 250, 100))
    total = processes * clients
    arguments = {"kind": server, "clients": total, "requests": requests, "backlog": total}
    with contextlib.ExitStack() as stack:
        router = stack.enter_context(start(load_peers.answer_clients, seconds(amount), **arguments))
        to = router.hear()
        arguments = {"kind": client, "clients": clients, "requests": requests, "to": to}
        peers = [
            stack.enter_context(start(load_peers.ask, seconds(amount), name=f"process {number}", **arguments))
            for number in range(processes)
        ]
        assert [peer.hear() for peer in peers] == ["answered"] * processes
        who, how_many, rate = router.hear()
        assert (who, how_many) == (total, [requests])
        for peer in peers:
            peer.tell("go on")
        assert [peer.hear() for peer in peers] == ["none too many"] * processes
        router.tell("end")
        for peer in *peers, router:
            peer.end()
        figure(f"{total:,} clients, {requests} requests each, {rate:,.0f} a second")


# ---------------------------------------------------------------- stuck peers


def test_a_publisher_keeps_no_more_for_a_stuck_subscriber_than_its_high_water_mark(
    amount: Amounts, figure: Figure
) -> None:
    hwm = 10
    count, size = amount((160, MIB), (2048, MIB))
    with contextlib.ExitStack() as stack:
        publisher = stack.enter_context(
            start(load_peers.publish_blocks, seconds(amount), count=count, size=size, hwm=hwm)
        )
        endpoints = publisher.hear()
        good = stack.enter_context(start(load_peers.follow_blocks, seconds(amount), endpoints=endpoints, count=count))
        arguments = {"endpoints": endpoints, "hwm": hwm, "end": count}
        stuck = stack.enter_context(start(load_peers.follow_some, seconds(amount), **arguments))
        assert publisher.hear() == "both are there"
        os.kill(stuck.process.pid, signal.SIGSTOP)
        publisher.tell("go on")
        grown = publisher.hear()
        assert good.hear() == "all"
        os.kill(stuck.process.pid, signal.SIGCONT)
        got = stuck.hear()
        for peer in good, stuck:
            peer.tell("end")
        for peer in publisher, good, stuck:
            peer.end()
    # What waits for the stuck one, and what is on its way to the other; both have a message in the encoder as well.
    assert grown <= (2 * hwm + 4) * size
    assert 0 < got < count
    figure(f"{count} messages of 1 MiB, high-water mark {hwm}: grew by {grown / MIB:.1f} MiB; the stuck one got {got}")


def test_pushing_to_a_stuck_puller_times_out_and_loses_nothing(amount: Amounts, figure: Figure) -> None:
    hwm = 10
    with contextlib.ExitStack() as stack:
        pull = stack.enter_context(start(load_peers.pull_blocks, seconds(amount), hwm=hwm))
        push = stack.enter_context(Socket(zmq.PUSH, sndhwm=hwm, connect=pull.hear(), linger=0))
        push.send_bytes("ready", timeout=PATIENCE)
        assert pull.hear() == "ready"
        os.kill(pull.process.pid, signal.SIGSTOP)
        sent, block = 0, bytearray(MIB)
        with pytest.raises(Again):
            # Both high-water marks, and what the system buffers: more than that nobody takes.
            while sent < 10 * hwm:
                push.send_bytes(load_peers.write_number(block, sent), timeout=500)
                sent += 1
        # The high-water mark counts "ready", too.
        assert sent >= hwm - 1
        os.kill(pull.process.pid, signal.SIGCONT)
        count = sent + amount(20, 500)
        for number in range(sent, count):
            push.send_bytes(load_peers.write_number(block, number), timeout=PATIENCE)
        push.send_bytes(b"", timeout=PATIENCE)
        assert pull.hear() == count
        pull.end()
    figure(f"took {sent} messages of 1 MiB, high-water mark {hwm}")


# ---------------------------------------------------------------- big messages

#: How many times its size a message takes at most, beside what the caller has: for sending and receiving over TCP, and
#: for both through inproc, each with what is returned. Text that is ASCII takes PyPy less.
COPIES = {
    "zstr": (2, 2, 2),
    "zmq.send": (1, 2, 2),
    "zmq.msg": (1, 1, 1),
    "zframe": (1, 1, 1),
    "zmsg": (1, 1, 1),
    "Socket.send": (2, 2, 2),
    "Socket.send_bytes": (1, 2, 2),
    "Socket.send_parts": (1, 2, 2),
    "Frame": (1, 1, 1),
    "Message": (1, 1, 1),
    "aio": (1, 2, 2),
}


def check_big(ways: list[str], size: int, limit: float, figure: Figure, curve: bool = False) -> None:
    grown = {}
    with contextlib.ExitStack() as stack:
        pull = stack.enter_context(start(load_peers.pull_big, limit, ways=ways, size=size, curve=curve))
        push = stack.enter_context(start(load_peers.push_big, limit, ways=ways, size=size))
        for way in ways:
            push.tell(pull.hear())
            received = pull.hear()
            push.tell("came")
            grown[way] = (push.hear(), received)
        push.end()
        pull.end()
    for way, (sent, received) in grown.items():
        figure(f"{way}: {size / MIB:,.0f} MiB, sending takes {sent:.2f} times as much, receiving {received:.2f}")
    # CURVE takes what it takes.
    if not curve:
        for way, (sent, received) in grown.items():
            assert round(sent) <= COPIES[way][0], way
            assert round(received) <= COPIES[way][1], way


def test_big_messages_come_whole(amount: Amounts, figure: Figure) -> None:
    check_big(list(load_peers.BIG), amount(16, 1024) * MIB, seconds(amount), figure)


@pytest.mark.parametrize("way", ["zstr", "Socket.send_bytes"])
def test_big_messages_come_whole_over_curve(way: str, amount: Amounts, figure: Figure) -> None:
    check_big([way], amount(4, 1024) * MIB, seconds(amount), figure, curve=True)


def test_big_messages_come_whole_through_inproc(amount: Amounts, figure: Figure) -> None:
    ways, size = list(load_peers.BIG), amount(16, 1024) * MIB
    with start(load_peers.big_inproc, seconds(amount), ways=ways, size=size) as peer:
        grown = {way: peer.hear() for way in ways}
        peer.end()
    for way, times in grown.items():
        figure(f"{way}: {size / MIB:,.0f} MiB, sending and receiving takes {times:.2f} times as much")
    assert all(round(times) <= COPIES[way][2] for way, times in grown.items())


@pytest.mark.parametrize("way", load_peers.BIG)
def test_messages_beyond_what_an_int_holds_come_whole(way: str, amount: Amounts, figure: Figure) -> None:
    """libzmq's functions that send and receive return an int."""
    if amount(True, False):
        pytest.skip("takes ten gigabytes of memory: a part of scripts/soak")
    check_big([way], 2560 * MIB, seconds(amount), figure)


# ---------------------------------------------------------------- short-lived sockets, and too many


@pytest.mark.parametrize("kind", load_peers.SHORT_LIVED)
def test_short_lived_sockets_leave_nothing_behind(kind: str, amount: Amounts, figure: Figure) -> None:
    # More connections in a minute than this would use up the system's ports.
    count = amount(1_000, 20_000 if "tcp" in kind else 100_000)
    with start(load_peers.live_shortly, seconds(amount), kind=kind, count=count) as peer:
        before, after, grown, rate = peer.hear()
        peer.end()
    figure(f"{count:,} sockets, {rate:,.0f} a second; memory grew by {grown / MIB:.1f} MiB")
    assert after <= before
    # Compiling takes memory under PyPy.
    assert grown < 16 * MIB


def test_too_few_descriptors_are_an_error_and_never_an_abort(amount: Amounts) -> None:
    kinds, most = amount((["Socket over tcp", "Context"], 12), (list(load_peers.GREEDY), 40))
    with start(load_peers.exhaust, seconds(amount), kinds=kinds, most=most) as peer:
        ended = [peer.hear() for _ in range(len(kinds) * most)]
        peer.end()
    assert not [attempt for attempt in ended if attempt[2] != 0]
    assert not [attempt for attempt in ended if "Too many open files" not in attempt[3] and "room" not in attempt[3]]
