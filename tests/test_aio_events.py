"""aio.Poller, Monitor, Gossip and Beacon: awaiting, iterating, cancelling, closing, and what every misuse raises."""

from __future__ import annotations

import asyncio
import errno
import os
import socket as sockets
import textwrap
from collections.abc import Callable
from typing import Any

import children
import loops
import netns
import pytest
from common import collect
from loops import until

from pyczmq import Context, Poller, Socket, ZMQError, aio, zmq

Run = Callable[[Any], Any]


@pytest.fixture(params=loops.KINDS)
def run(request: pytest.FixtureRequest) -> Run:
    return lambda main: loops.run(main, request.param)


async def cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def pair() -> tuple[aio.Socket, aio.Socket]:
    left = aio.Socket(zmq.PAIR, bind="tcp://127.0.0.1:*")
    return left, aio.Socket(zmq.PAIR, connect=left.last_endpoint)


# ---------------------------------------------------------------- Poller


def test_a_poller_returns_what_is_ready_in_the_order_of_adding(run: Run) -> None:
    async def main() -> None:
        a, peer_of_a = pair()
        b, peer_of_b = pair()
        async with a, peer_of_a, b, peer_of_b, aio.Poller(a, b) as poller:
            assert await poller.wait(timeout=0) == []
            assert await poller.wait(timeout=5) == []
            await peer_of_b.send("x")
            assert await poller.wait() == [b]
            await peer_of_a.send("x")
            await a.poll()
            assert await poller.poll(1000) == [(a, zmq.POLLIN), (b, zmq.POLLIN)]
            assert (await a.recv(), await b.recv()) == ("x", "x")
            assert await poller.wait(timeout=0) == []

    run(main())


def test_it_wakes_up_for_what_comes_later_and_leaves_it_there(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right, aio.Poller(right) as poller:
            for i in range(50):
                task = asyncio.ensure_future(poller.wait())
                await asyncio.sleep(0)
                await left.send(str(i))
                assert await task == [right]
                assert await right.recv() == str(i)

    run(main())


def test_a_loop_over_a_poller_yields_what_is_ready(run: Run) -> None:
    async def main() -> None:
        a, peer_of_a = pair()
        b, peer_of_b = pair()
        async with a, peer_of_a, b, peer_of_b, aio.Poller(a, b) as poller:
            await peer_of_b.send("1")
            await peer_of_a.send("2")
            seen = []
            async for sock in poller:
                seen.append(await sock.recv())
                if len(seen) == 2:
                    await peer_of_a.send("3")
                if len(seen) == 3:
                    poller.close()
            assert sorted(seen) == ["1", "2", "3"] and seen[2] == "3"

    run(main())


def test_two_may_wait_for_the_same_socket(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right, aio.Poller(right) as poller:
            waiting, receiving = asyncio.ensure_future(poller.wait()), asyncio.ensure_future(right.recv())
            await asyncio.sleep(0.01)
            await left.send("one")
            assert await receiving == "one"
            await left.send("two")
            assert await waiting == [right]
            assert await right.recv() == "two"

    run(main())


def test_events_can_be_chosen_and_changed(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right:
            poller = aio.Poller()
            poller.add(left, zmq.POLLOUT)
            assert await poller.poll() == [(left, zmq.POLLOUT)]
            poller.add(left, zmq.POLLIN)
            assert await poller.poll(1) == []
            assert (left in poller, right in poller, len(poller), list(poller)) == (True, False, 1, [left])
            poller.remove(left)
            assert len(poller) == 0
            with pytest.raises(ValueError, match="not in the poller"):
                poller.remove(left)
            assert await poller.wait(timeout=1) == []

    run(main())


def test_file_descriptors(run: Run) -> None:
    async def main() -> None:
        ours, theirs = sockets.socketpair()
        reader, writer = os.pipe()
        with ours, theirs:
            left, right = pair()
            async with left, right, aio.Poller(right, ours, reader) as poller:
                asyncio.get_running_loop().call_later(0.01, theirs.send, b"x")
                assert await poller.wait() == [ours]
                ours.recv(1)
                asyncio.get_running_loop().call_later(0.01, os.write, writer, b"x")
                assert await poller.wait() == [reader]
                os.read(reader, 1)
                # The program's own reader on the same descriptor goes on.
                seen: list[int] = []
                asyncio.get_running_loop().add_reader(reader, lambda: seen.append(len(os.read(reader, 1))))
                assert await poller.wait(timeout=5) == []
                os.write(writer, b"x")
                await until(lambda: seen)
                asyncio.get_running_loop().remove_reader(reader)
                poller.add(writer, zmq.POLLOUT)
                assert await poller.poll() == [(writer, zmq.POLLOUT)]
                os.close(writer)
                with pytest.raises(ValueError, match="closed"):
                    await poller.wait()
        os.close(reader)

    run(main())


def test_closing_a_source_wakes_the_poller_with_an_error(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        poller = aio.Poller(right)
        task = asyncio.ensure_future(poller.wait())
        await asyncio.sleep(0.01)
        right.close()
        for attempt in (task, poller.wait()):
            with pytest.raises(ZMQError) as raised:
                await attempt
            assert raised.value.errno == errno.ENOTSOCK
        left.close()

    run(main())


def test_a_cancelled_poller_leaves_no_trace(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        ours, theirs = sockets.socketpair()
        with ours, theirs:
            async with left, right, aio.Poller(right, ours) as poller:
                # What other tests have left goes now, and not between two looks.
                collect()
                descriptors = []
                for timeout in (-1, 10_000, -1, -1):
                    task = asyncio.ensure_future(poller.wait(timeout))
                    await asyncio.sleep(0.01)
                    await cancel(task)
                    assert right._lock.waiters._watchers == []
                    descriptors.append(len(os.listdir("/proc/self/fd")))
                assert descriptors == [descriptors[0]] * 4
                await left.send("kept")
                assert await right.recv() == "kept"

    run(main())


@pytest.mark.parametrize("source", [None, "x", 1.5, object(), -1, 10**6])
def test_what_is_no_source(source: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        aio.Poller(source)


def test_blocking_objects_and_those_for_asyncio_are_told_apart() -> None:
    with Socket(zmq.PULL) as blocking, aio.Socket(zmq.PULL) as awaited:
        with pytest.raises(TypeError, match=r"pyczmq\.aio"):
            aio.Poller(blocking)
        with pytest.raises(TypeError, match=r"aio\.Poller"):
            Poller(awaited)


def test_a_closed_poller(run: Run) -> None:
    async def main() -> None:
        poller = aio.Poller()
        poller.close()
        poller.close()
        assert (poller.closed, repr(poller)) == (True, "<Poller closed>")
        for use in (lambda: poller.add(1), lambda: poller.remove(1), lambda: len(poller), lambda: 1 in poller):
            with pytest.raises(ValueError, match="closed"):
                use()
        with pytest.raises(ValueError, match="closed"):
            await poller.wait()

    run(main())


@pytest.mark.parametrize("timeout", [-2, "1", 1.5, None])
def test_timeouts_that_are_none(run: Run, timeout: Any) -> None:
    async def main() -> None:
        with pytest.raises((TypeError, ValueError), match="timeout"):
            await aio.Poller().wait(timeout)

    run(main())


# ---------------------------------------------------------------- Monitor


def test_a_monitor_tells_of_connections(run: Run) -> None:
    async def main() -> None:
        for context in None, Context():
            server = aio.Socket(zmq.PULL, context=context)
            async with server, aio.Monitor(server, "LISTENING", "ACCEPTED", "DISCONNECTED") as monitor:
                server.bind("tcp://127.0.0.1:*")
                assert (await monitor.recv()).event == "LISTENING"
                task = asyncio.ensure_future(monitor.recv())
                await asyncio.sleep(0.01)
                client = Socket(zmq.PUSH, connect=server.last_endpoint)
                assert (await task).event == "ACCEPTED"
                client.close()
                assert await monitor.poll() is True
                assert (await monitor.recv()).event == "DISCONNECTED"

    run(main())


def test_iteration_over_a_monitor_ends_with_the_socket(run: Run) -> None:
    async def main() -> None:
        server = aio.Socket(zmq.PULL)
        events = []
        async with aio.Monitor(server) as monitor:

            async def read() -> None:
                async for event in monitor:
                    events.append(event.event)

            task = asyncio.ensure_future(read())
            server.bind("tcp://127.0.0.1:*")
            await until(lambda: events)
            server.close()
            await asyncio.wait_for(task, 10)
        assert "LISTENING" in events

    run(main())


def test_closing_a_monitor_ends_who_waits(run: Run) -> None:
    async def main() -> None:
        async with aio.Socket(zmq.PULL) as server:
            monitor = aio.Monitor(server)
            reading = asyncio.ensure_future(monitor.recv())
            iterating = asyncio.ensure_future(_all(monitor))
            await asyncio.sleep(0.01)
            monitor.close()
            with pytest.raises(ValueError, match="closed"):
                await reading
            assert await iterating == []
            with pytest.raises(ValueError, match="closed"):
                await monitor.recv()
            async with aio.Monitor(server):
                pass

    run(main())


async def _all(source: Any) -> list[Any]:
    return [report async for report in source]


# ---------------------------------------------------------------- Gossip


def test_gossip_spreads(run: Run) -> None:
    async def main() -> None:
        async with aio.Gossip("base") as base, aio.Gossip("one") as one, aio.Gossip() as two:
            port = base.bind("tcp://127.0.0.1:*")
            for node in one, two:
                node.connect(f"tcp://127.0.0.1:{port}")
            one.publish("key", "value")
            for node in base, one, two:
                assert await asyncio.wait_for(node.recv(), 10) == ("key", "value")

    run(main())


def test_deliveries_that_another_call_has_received_wake_who_waits(run: Run) -> None:
    async def main() -> None:
        async with aio.Gossip() as node:
            for i in range(30):
                task = asyncio.ensure_future(node.recv())
                await asyncio.sleep(0)
                node.publish(f"key {i}", "value")
                # Waits for the answer, and puts aside whatever comes before it.
                assert node.status() == i + 1
                assert (await asyncio.wait_for(task, 10)).key == f"key {i}"

    run(main())


def test_a_cancelled_receiver_loses_no_delivery(run: Run) -> None:
    async def main() -> None:
        async with aio.Gossip() as node:
            task = asyncio.ensure_future(node.recv())
            await asyncio.sleep(0.01)
            await cancel(task)
            node.publish("key", "kept")
            assert await asyncio.wait_for(node.recv(), 10) == ("key", "kept")

    run(main())


def test_closing_a_node_ends_who_waits(run: Run) -> None:
    async def main() -> None:
        node = aio.Gossip()
        reading, iterating = asyncio.ensure_future(node.recv()), asyncio.ensure_future(_all(node))
        await asyncio.sleep(0.01)
        node.close()
        with pytest.raises(ValueError, match="closed"):
            await reading
        assert await iterating == []
        with pytest.raises(ValueError, match="closed"):
            node.publish("a", "b")

    run(main())


# ---------------------------------------------------------------- Beacon

BEACONS = """
    import asyncio, sys
    from pyczmq import aio

    async def main():
        name, other = sys.argv[1:]
        async with aio.Beacon(9995, interval=50) as beacon:
            beacon.subscribe("HELLO ")
            beacon.publish(f"HELLO {name}")
            task = asyncio.ensure_future(beacon.recv())
            await asyncio.sleep(0.01)
            task.cancel()
            async for address, payload in beacon:
                if payload == f"HELLO {other}".encode():
                    print(address)
                    break
            # The other one has to hear us, too.
            await asyncio.sleep(1)

    asyncio.run(asyncio.wait_for(main(), 20))
"""


@pytest.mark.requires_netns
def test_beacons_hear_each_other(hosts: tuple[netns.Host, netns.Host]) -> None:
    program = textwrap.dedent(BEACONS)
    running = [host.popen(program, *names) for host, names in zip(hosts, (("a", "b"), ("b", "a")))]
    heard = [child.communicate(timeout=30)[0].strip() for child in running]
    assert heard == [hosts[1].address, hosts[0].address]


def test_a_port_that_is_none() -> None:
    for port in (0, -1, 65536, None, "9999"):
        with pytest.raises((TypeError, ValueError), match="port"):
            aio.Beacon(port)  # type: ignore[arg-type]


def test_a_program_that_leaves_all_of_them_open_ends_quietly() -> None:
    output = children.check(
        """
        import asyncio
        from pyczmq import aio, zmq
        async def main():
            server = aio.Socket(zmq.PULL)
            left = [server, aio.Monitor(server), aio.Gossip(), aio.Poller(server)]
            tasks = [asyncio.ensure_future(each.recv()) for each in left[:3]]
            await asyncio.sleep(0.05)
            print("end")
        asyncio.run(main())
        """
    )
    assert output == "end\n"
