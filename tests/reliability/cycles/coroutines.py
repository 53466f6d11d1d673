"""Cycles of pyczmq.aio: what is awaited, cancelled, iterated over, closed, and left to the garbage collector."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from cycles import SOCKETS, prepared
from cycles.calls import KIB64, RECEIVING, SENDING, SMALL, OnPurposeError, fail
from pyczmq import aio, zactor, zmq
from pyczmq.types import Frame, Message, ZMQError

_names = itertools.count()

Coroutines = Callable[[], Coroutine[Any, Any, Any]]


def awaited(
    name: str, collect: int = SOCKETS * 10, compiled: bool = True
) -> Callable[[Callable[[], Iterator[Coroutines]]], None]:
    """Decorate a generator that prepares a cycle that is a coroutine function; it runs in an event loop of its own."""

    def decorate(prepare: Callable[[], Iterator[Coroutines]]) -> None:
        @prepared(name, collect, compiled)
        def _() -> Iterator[Callable[[], object]]:
            loop = asyncio.new_event_loop()
            preparation = prepare()
            once = next(preparation)
            yield lambda: loop.run_until_complete(once())
            for _ in preparation:
                raise AssertionError(f"{name} yields twice")
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    return decorate


def pair() -> tuple[aio.Socket, aio.Socket]:
    """Return two connected sockets."""
    name = f"inproc://coroutines.{next(_names)}"
    return aio.Socket(zmq.PAIR, bind=name), aio.Socket(zmq.PAIR, connect=name)


@awaited("aio.Socket, closed", SOCKETS)
def _() -> Iterator[Coroutines]:
    async def once() -> None:
        async with aio.Socket(zmq.PULL, bind="inproc://aio.closed") as socket:
            assert not await socket.poll(0)

    yield once


@awaited("aio.Socket, collected", SOCKETS)
def _() -> Iterator[Coroutines]:
    async def once() -> None:
        socket = aio.Socket(zmq.PULL)
        assert not await socket.poll(0)

    yield once


async def exchange(left: Any, right: Any) -> None:
    """Send by every method, and receive by every method."""
    for text in SMALL, KIB64:
        await left.send(text)
        assert await right.recv() == text
        await left.send_bytes(text.encode())
        assert len(await right.recv_bytes()) == len(text)
        await left.send_parts([text, b"two"])
        assert len(await right.recv_parts()) == 2
        await left.send_frame(Frame(text))
        assert len(await right.recv_frame()) == len(text)
        await left.send_msg(Message([text, "two"]))
        assert (await right.recv_msg())[0] == text
        await left.send_json({"text": text})
        assert await right.recv_json() == {"text": text}
        await left.send_picture("si", text, 1)
        assert (await right.recv_picture("si"))[1] == 1
    await left.signal(1)
    assert await right.wait() == 1


@awaited("aio.Socket, every send and recv, at once")
def _() -> Iterator[Coroutines]:
    left, right = pair()
    yield lambda: exchange(left, right)


@awaited("aio.Socket, every recv that waits")
def _() -> Iterator[Coroutines]:
    left, right = pair()
    sends = {
        "recv": left.send,
        "recv_bytes": left.send_bytes,
        "recv_parts": left.send,
        "recv_frame": left.send,
        "recv_msg": left.send,
    }

    async def once() -> None:
        for name, send in sends.items():
            waiting = asyncio.ensure_future(getattr(right, name)())
            await asyncio.sleep(0)
            assert not waiting.done()
            await send(b"text")
            await waiting

    yield once


@awaited("aio.Socket, every recv, cancelled")
def _() -> Iterator[Coroutines]:
    _, right = pair()

    async def once() -> None:
        for name, args in RECEIVING.items():
            await cancelled(getattr(right, name)(*args))

    yield once


@awaited("aio.Socket, every send, cancelled")
def _() -> Iterator[Coroutines]:
    push = aio.Socket(zmq.PUSH)

    async def once() -> None:
        for name, args in SENDING.items():
            await cancelled(getattr(push, name)(*args))
        with Frame("text") as frame, Message(["text"]) as message:
            await cancelled(push.send_frame(frame))
            await cancelled(push.send_msg(message))

    yield once


async def cancelled(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Cancel a coroutine once it waits."""
    task = asyncio.ensure_future(coroutine)
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return
    raise AssertionError("it was not cancelled")


@awaited("aio.Socket, a recv that times out")
def _() -> Iterator[Coroutines]:
    _, right = pair()

    async def once() -> None:
        try:
            await asyncio.wait_for(right.recv(), 0.001)
        except asyncio.TimeoutError:
            return
        raise AssertionError("it did not time out")

    yield once


@awaited("aio.Socket, closed while somebody waits", SOCKETS)
def _() -> Iterator[Coroutines]:
    async def once() -> None:
        socket = aio.Socket(zmq.PULL)
        waiting = asyncio.ensure_future(socket.recv())
        await asyncio.sleep(0)
        socket.close()
        try:
            await waiting
        except ZMQError:
            return
        raise AssertionError("it did not raise")

    yield once


@awaited("aio.Socket, iteration", SOCKETS)
def _() -> Iterator[Coroutines]:
    left, right = pair()

    async def once() -> None:
        await left.send_parts(["one", KIB64])
        async for message in right:
            assert len(message) == 2
            break

    yield once


@awaited("aio.Socket, errors")
def _() -> Iterator[Coroutines]:
    left, right = pair()

    async def once() -> None:
        for coroutine in (left.send(None), left.send_parts([None]), left.send_json(object())):  # type: ignore[arg-type, list-item]
            try:
                await coroutine
            except TypeError:
                continue
            raise AssertionError("it did not raise")
        await left.send("no json")
        try:
            await right.recv_json()
        except ValueError:
            return
        raise AssertionError("it did not raise")

    yield once


@awaited("aio.Poller, a tour", SOCKETS)
def _() -> Iterator[Coroutines]:
    left, right = pair()

    async def once() -> None:
        async with aio.Poller(left) as poller:
            poller.add(right)
            assert await poller.wait(0) == []
            await left.send("text")
            assert await poller.wait() == [right]
            await right.recv()
            assert await poller.poll(1) == []
            poller.remove(left)
            waiting = asyncio.ensure_future(poller.wait())
            await asyncio.sleep(0)
            waiting.cancel()
        aio.Poller(left, right)

    yield once


async def _task(pipe: aio.Pipe, *args: Any) -> None:
    async for message in pipe:
        await pipe.send_msg(message)


async def _brief(pipe: aio.Pipe) -> None:
    pipe.close()


# PyPy goes on compiling an event loop that is a new one, on a new thread, each time: kilobytes a cycle, for tens of
# thousands of them.
@awaited("aio.Actor, closed", SOCKETS, compiled=False)
def _() -> Iterator[Coroutines]:
    async def once() -> None:
        async with aio.Actor(_task, ["arg"]) as actor:
            await actor.send("text")
            assert await actor.recv() == "text"
        async with aio.actor(_task)():
            pass
        started = await aio.Actor.start(_task)
        await started.close()
        await aio.Actor(_brief).close()

    yield once


@awaited("aio.Actor, an exception", SOCKETS, compiled=False)
def _() -> Iterator[Coroutines]:
    async def failing(pipe: aio.Pipe) -> None:
        fail()

    async def once() -> None:
        try:
            async with aio.Actor(failing) as actor:
                await actor.recv()
        except OnPurposeError:
            return
        raise AssertionError("no exception came out")

    yield once


@awaited("aio.Actor and aio.Pipe, every send and recv")
def _() -> Iterator[Coroutines]:
    async def task(pipe: aio.Pipe) -> None:
        async for _ in pipe:
            await back(pipe)
            await exchange(pipe, pipe)

    async def back(side: Any) -> None:
        for _ in SMALL, KIB64:
            await side.send(await side.recv())
            await side.send_bytes(await side.recv_bytes())
            await side.send_parts(await side.recv_parts())
            await side.send_frame(await side.recv_frame())
            await side.send_msg(await side.recv_msg())
            await side.send_json(await side.recv_json())
            await side.send_picture("si", *await side.recv_picture("si"))
        await side.signal(await side.wait())

    actor = aio.Actor(task)

    async def once() -> None:
        await actor.send("go")
        await exchange(actor, actor)
        await back(actor)

    yield once
    zactor.destroy(actor.handle)


@awaited("aio.Monitor", SOCKETS)
def _() -> Iterator[Coroutines]:
    async def once() -> None:
        async with aio.Socket(zmq.PULL) as socket, aio.Monitor(socket, "LISTENING") as monitor:
            socket.bind("tcp://127.0.0.1:*")
            assert (await monitor.recv()).event == "LISTENING"
            await cancelled(monitor.recv())

    yield once


@awaited("aio.Gossip", SOCKETS)
def _() -> Iterator[Coroutines]:
    async def once() -> None:
        async with aio.Gossip("base") as base, aio.Gossip() as other:
            base.bind("inproc://aio.gossip")
            other.connect("inproc://aio.gossip")
            other.publish("key", "value")
            assert await base.recv() == ("key", "value")
            await cancelled(base.recv())

    yield once
