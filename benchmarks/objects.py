"""What objects cost over namespaces, and asyncio over blocking calls, both sides of each pair in one run.

    python benchmarks/objects.py [MESSAGES]

Each round measures both sides of a pair, one after the other; the ratio is the median of the rounds'. Where PyZMQ is
installed its asyncio sockets are measured as well.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from pyczmq import Socket, aio, zmq, zmsg, zsock, zstr

ROUNDS = 7


def measure(*sides: Callable[[int], float], count: int) -> tuple[list[float], float]:
    """Return each side's best time for one message, in microseconds, and the median ratio of the last to the first."""
    for side in sides:
        side(count // 10)
    rounds = [[side(count) for side in sides] for _ in range(ROUNDS)]
    best = [min(times) / count * 1e6 for times in zip(*rounds)]
    return best, statistics.median(times[-1] / times[0] for times in rounds)


def timed(body: Callable[[], object]) -> Callable[[int], float]:
    """Return what runs *body* so many times, and says how long that takes."""

    def run(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            body()
        return time.perf_counter() - start

    return run


def timed_in_loop(body: Callable[[], Awaitable[object]], loop: asyncio.AbstractEventLoop) -> Callable[[int], float]:
    """Return the same for a coroutine function, in one event loop."""

    async def repeat(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            await body()
        return time.perf_counter() - start

    return lambda count: loop.run_until_complete(repeat(count))


def report(what: str, best: list[float], ratio: float) -> None:
    """Print one pair."""
    print(f"{what:48} {best[0]:8.2f} {best[-1]:8.2f} us {ratio:6.2f}", flush=True)


def blocking(count: int) -> None:
    """Compare objects with namespaces."""
    left, right = Socket(zmq.PAIR, bind="inproc://objects"), Socket(zmq.PAIR, connect="inproc://objects")
    below, above = left.handle, right.handle

    def text() -> None:
        zstr.send(below, "hello world")
        zstr.recv(above)

    def text_objects() -> None:
        left.send("hello world")
        right.recv()

    def picture() -> None:
        zsock.send(below, "ss", "one", "two")
        zsock.recv(above, "ss")

    def parts_objects() -> None:
        left.send_parts([b"one", b"two"])
        right.recv_parts()

    def message() -> None:
        zstr.sendx(below, "one", "two")
        received = zmsg.recv(above)
        assert received is not None
        zmsg.popstr(received)
        zmsg.destroy(received)

    def message_objects() -> None:
        left.send_parts(["one", "two"])
        str(right.recv_msg()[0])

    report("text: zstr, Socket.send and recv", *measure(timed(text), timed(text_objects), count=count))
    report("two frames: zsock 'ss', send_parts", *measure(timed(picture), timed(parts_objects), count=count))
    report("two frames as objects: zmsg, recv_msg", *measure(timed(message), timed(message_objects), count=count))
    left.close()
    right.close()


def awaited(count: int) -> None:
    """Compare asyncio with blocking calls, and with PyZMQ's asyncio."""
    loop = asyncio.new_event_loop()
    left, right = Socket(zmq.PAIR, bind="inproc://blocking"), Socket(zmq.PAIR, connect="inproc://blocking")
    ours = aio.Socket(zmq.PAIR, bind="inproc://awaited"), aio.Socket(zmq.PAIR, connect="inproc://awaited")

    def text() -> None:
        left.send("hello world")
        right.recv()

    async def text_awaited() -> None:
        await ours[0].send("hello world")
        await ours[1].recv()

    async def echo(sock: Any) -> None:
        while True:
            await sock.send(await sock.recv())

    async def turn(sock: Any, data: Any) -> None:
        await sock.send(data)
        await sock.recv()

    pair = timed(text), timed_in_loop(text_awaited, loop)
    report("text: blocking, aio, no waiting", *measure(*pair, count=count))
    task = loop.create_task(echo(ours[1]))
    best, _ = measure(timed_in_loop(lambda: turn(ours[0], "hello world"), loop), count=count // 10)
    print(f"{'there and back between two tasks: aio':48} {best[0]:8.2f} us")
    try:
        import zmq as pyzmq
        import zmq.asyncio as pyzmq_asyncio
    except ImportError:
        print("PyZMQ is not installed: nothing to compare with")
    else:

        async def connect() -> tuple[Any, Any]:
            context = pyzmq_asyncio.Context()
            one, other = context.socket(pyzmq.PAIR), context.socket(pyzmq.PAIR)
            one.bind("inproc://pyzmq")
            other.connect("inproc://pyzmq")
            return one, other

        theirs = loop.run_until_complete(connect())

        async def bytes_theirs() -> None:
            await theirs[0].send(b"hello world")
            await theirs[1].recv()

        async def bytes_ours() -> None:
            await fresh[0].send_bytes(b"hello world")
            await fresh[1].recv_bytes()

        fresh = aio.Socket(zmq.PAIR, bind="inproc://fresh"), aio.Socket(zmq.PAIR, connect="inproc://fresh")
        sides = timed_in_loop(bytes_theirs, loop), timed_in_loop(bytes_ours, loop)
        report("bytes, no waiting: PyZMQ's asyncio, aio", *measure(*sides, count=count // 10))
        their_task = loop.create_task(echo(theirs[1]))
        sides = (
            timed_in_loop(lambda: turn(theirs[0], b"hello world"), loop),
            timed_in_loop(lambda: turn(ours[0], "hello world"), loop),
        )
        report("there and back: PyZMQ's asyncio, aio", *measure(*sides, count=count // 20))
        their_task.cancel()
        loop.run_until_complete(asyncio.gather(their_task, return_exceptions=True))
        for sock in theirs:
            sock.close()
        for ours_too in fresh:
            ours_too.close()
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    for sock in (*ours, left, right):
        sock.close()
    loop.close()


def main() -> None:
    """Measure everything."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    print(f"{'first and second side, microseconds; ratio':48}")
    blocking(count)
    awaited(count)


if __name__ == "__main__":
    main()
