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
    MULTIPART,
    PATIENCE,
    Peer,
    in_turn,
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
Run = dict[str, Any]


def seconds(amount: Amounts) -> float:
    """Return how long a child may take: less than the test has."""
    return float(amount(50, 3500))


# ---------------------------------------------------------------- streams


def streams(
    receive: Callable[..., None], send: Callable[..., None], limit: float, runs: list[Run], *receivers: Run
) -> Iterator[tuple[Run, Peer]]:
    """Let a role receive what another one sends, so many times with other arguments, and both end well.

    *receivers*, as many as there are runs if there are any, is what the one that receives is given besides.
    """
    with contextlib.ExitStack() as stack:
        more = [{**run, **given} for run, given in zip(runs, receivers)] or runs
        receiver = stack.enter_context(start(in_turn, limit, name=receive.__name__, runs=more))
        sender = stack.enter_context(start(in_turn, limit, name=send.__name__, runs=runs))
        for run in more:
            sender.tell(receiver.hear())
            yield run, receiver
            sender.tell("all is there")
        receiver.end()
        sender.end()


def test_numbers_come_in_order_and_none_is_lost(amount: Amounts, figure: Figure) -> None:
    runs = [
        ("zstr", False, amount(10_000, 10_000_000)),
        ("zstr", True, amount(10_000, 10_000_000)),
        ("Socket", False, amount(10_000, 10_000_000)),
        ("Socket", True, amount(10_000, 10_000_000)),
        ("aio", False, amount(3_000, 2_000_000)),
        ("aio", True, amount(3_000, 2_000_000)),
        ("sendmem", False, amount(3_000, 2_000_000)),
        ("zframe", False, amount(3_000, 2_000_000)),
        ("zmsg", False, amount(3_000, 2_000_000)),
    ]
    arguments = [{"floor": floor, "count": count} for floor, _, count in runs]
    curve = [{"curve": curve} for _, curve, _ in runs]
    for run, pull in streams(pull_numbers, push_numbers, seconds(amount), arguments, *curve):
        how = "with CURVE" if run["curve"] else "plain"
        figure(f"{run['floor']}, {how}: {run['count']:,} messages, {pull.hear():,.0f} a second")


def test_senders_wait_at_the_high_water_mark_and_lose_nothing(amount: Amounts) -> None:
    # While the receiver naps the sender has to wait for certain: what the system buffers is full in much less time.
    runs = [{"floor": floor, "count": amount(3_000, 1_000_000), "hwm": 3} for floor in ("zstr", "Socket", "aio")]
    naps = [{"floor": "zstr", "curve": False, "naps": amount(3, 100)} for _ in runs]
    for _, pull in streams(pull_numbers, push_numbers, seconds(amount), runs, *naps):
        pull.hear()


def test_messages_of_several_frames_come_whole(amount: Amounts, figure: Figure) -> None:
    arguments = {"count": amount(300, 50_000), "hwm": 10, "seed": random.randrange(2**32)}
    runs = [{"floor": floor, **arguments} for floor in MULTIPART]
    for run, pull in streams(pull_messages, push_messages, seconds(amount), runs):
        figure(f"{run['floor']}: {run['count']:,} messages of seed {run['seed']}, {pull.hear():,.0f} a second")


def test_ten_thousand_frames_come_whole_and_in_order(amount: Amounts, figure: Figure) -> None:
    """The high-water mark is one message: what is begun is never cut by it."""
    counts = amount([10_000, 10_000], [10_000, 10_000, 100_000, 10_000])
    runs = [{"floor": floor, "counts": counts, "hwm": 1} for floor in MULTIPART]
    for run, pull in streams(pull_parts, push_parts, seconds(amount), runs):
        took = ", ".join(f"{count:,} frames in {pull.hear():.2f} s" for count in counts)
        figure(f"{run['floor']}: {took}")


# ---------------------------------------------------------------- there and back


def connected(kind: int, to: tuple[str, str | None], **options: Any) -> Socket:
    """Return a socket that is connected to a peer, and gives up only when that has been silent for very long."""
    return Socket(kind, connect=to[0], rcvtimeo=PATIENCE, sndtimeo=PATIENCE, linger=-1, **options)


def test_each_request_gets_its_reply(amount: Amounts, figure: Figure) -> None:
    count = amount(1_000, 100_000)
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
    count, ahead = amount(1_000, 200_000), 2 * hwm
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
    count = amount(3_000, 1_000_000)
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


@pytest.mark.parametrize(("server", "client"), [("Socket", "REQ"), ("aio", "DEALER")])
def test_each_of_many_clients_gets_its_answers_and_no_others(
    server: str, client: str, amount: Amounts, figure: Figure
) -> None:
    processes, clients, requests = amount((2, 100, 2), (4, 250, 50))
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
    count, size = amount((80, MIB), (2048, MIB))
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
            push.send_bytes(load_peers.write_number(block, number), timeout=PATIENCE // 3)
        push.send_bytes(b"", timeout=PATIENCE // 3)
        assert pull.hear() == count
        pull.end()
    figure(f"took {sent} messages of 1 MiB, high-water mark {hwm}")


# ---------------------------------------------------------------- big messages

#: How many times its size a message takes at most, beside what the caller has: for sending and receiving over TCP, and
#: for both through inproc, each with what is returned. Text that is ASCII takes PyPy less; its collector lets pile up
#: what is much smaller than those here.
COPIES = {
    "zstr": (2, 2, 2),
    "zmq.send": (1, 2, 2),
    "zmq.recv (buf)": (1, 2, 2),
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


def test_big_messages_come_whole_over_curve(amount: Amounts, figure: Figure) -> None:
    check_big(["zstr", "Socket.send_bytes"], amount(16, 1024) * MIB, seconds(amount), figure, curve=True)


def test_big_messages_come_whole_through_inproc(amount: Amounts, figure: Figure) -> None:
    ways, size = list(load_peers.BIG), amount(16, 1024) * MIB
    with start(load_peers.big_inproc, seconds(amount), ways=ways, size=size) as peer:
        grown = {way: peer.hear() for way in ways}
        peer.end()
    for way, times in grown.items():
        figure(f"{way}: {size / MIB:,.0f} MiB, sending and receiving takes {times:.2f} times as much")
    for way, times in grown.items():
        assert round(times) <= COPIES[way][2], way


@pytest.mark.parametrize("way", load_peers.BIG)
def test_messages_beyond_what_an_int_holds_come_whole(way: str, amount: Amounts, figure: Figure) -> None:
    """libzmq's functions that send and receive return an int."""
    if amount(True, False):
        pytest.skip("takes ten gigabytes of memory: a part of scripts/soak")
    check_big([way], 2560 * MIB, seconds(amount), figure)


# ---------------------------------------------------------------- short-lived sockets, and too many


def test_short_lived_sockets_leave_nothing_behind(amount: Amounts, figure: Figure) -> None:
    # More connections in a minute than this would use up the system's ports.
    many = {kind: 20_000 if kind in load_peers.SLOW else 100_000 for kind in load_peers.SHORT_LIVED}
    runs = [{"kind": kind, "count": amount(250, count)} for kind, count in many.items()]
    with start(in_turn, seconds(amount), name="live_shortly", runs=runs) as peer:
        for run in runs:
            before, after, grown, rate = peer.hear()
            figure(f"{run['kind']}: {run['count']:,} sockets, {rate:,.0f} a second; grew by {grown / MIB:.1f} MiB")
            assert after <= before, run
            # Compiling takes memory under PyPy.
            assert grown < 16 * MIB, run
        peer.end()


def use_up(amount: Amounts, kinds: list[str], most: int, threads: bool = False) -> list[str]:
    """Use up descriptors or threads (see `load_peers.exhaust`); return how it ended each time, never by a signal."""
    with start(load_peers.exhaust, seconds(amount), kinds=kinds, most=most, threads=threads) as peer:
        ended = [peer.hear() for _ in range(len(kinds) * most)]
        peer.end()
    assert not [attempt for attempt in ended if attempt[2] != 0]
    return [attempt[3] for attempt in ended]


def test_too_few_descriptors_are_an_error_and_never_an_abort(amount: Amounts) -> None:
    kinds, most = amount((["Socket over tcp", "Context", "zsys.socket"], 12), (list(load_peers.GREEDY), 40))
    errors = use_up(amount, kinds, most)
    assert not [error for error in errors if "Too many open files" not in error and "room" not in error]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user, who has a limit of threads")
def test_too_few_threads_are_an_error_and_never_an_abort(amount: Amounts) -> None:
    """libzmq starts threads with a context's first socket, and aborts where it gets none."""
    kinds, most = amount((["Socket over tcp", "Context", "zsys.socket", "actor"], 8), (list(load_peers.GREEDY), 16))
    errors = {*use_up(amount, kinds, most, threads=True)} - {"NoneType None"}
    assert errors
    assert not [error for error in errors if "memory" not in error and "can't start new thread" not in error], errors
