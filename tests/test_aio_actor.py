"""aio.Actor and aio.Pipe: tasks of both kinds, their errors and ends, closing, cancelling, and every misuse."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import children
import loops
import pytest
from loops import until

from pyczmq import aio, zmq, zproxy, zsocket, zstr
from pyczmq.types import _actor as blocking

Run = Callable[[Any], Any]


@pytest.fixture(params=loops.KINDS)
def run(request: pytest.FixtureRequest) -> Run:
    return lambda main: loops.run(main, request.param)


def echo(pipe: Any, prefix: str = "") -> None:
    """Send back whatever comes, on a thread."""
    for message in pipe:
        pipe.send_parts([prefix + str(message[0]), *message[1:]])


async def echo_awaited(pipe: Any, prefix: str = "") -> None:
    """Send back whatever comes, in an event loop."""
    async for message in pipe:
        await pipe.send_parts([prefix + str(message[0]), *message[1:]])


TASKS = pytest.mark.parametrize("task", [echo, echo_awaited])


async def cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@TASKS
def test_both_kinds_of_tasks(run: Run, task: Any) -> None:
    async def main() -> None:
        async with aio.Actor(task, "> ") as actor:
            for i in range(100):
                await actor.send_parts([str(i), "x"])
                assert await actor.recv_parts() == [f"> {i}".encode(), b"x"]
            assert repr(actor) == f"<Actor {task.__name__} running>"
        assert (actor.closed, repr(actor)) == (True, f"<Actor {task.__name__} closed>")

    run(main())


@TASKS
def test_start_lets_others_have_their_turn(run: Run, task: Any) -> None:
    async def main() -> None:
        release = threading.Event()

        def slow(pipe: Any) -> None:
            release.wait(10)
            echo(pipe)

        starting = asyncio.ensure_future(aio.Actor.start(slow))
        await asyncio.sleep(0.01)
        assert not starting.done()
        release.set()
        async with await starting as actor:
            await actor.send("x")
            assert await actor.recv() == "x"

    run(main())


def test_the_decorator_takes_both_kinds(run: Run) -> None:
    @aio.actor
    async def awaited(pipe: aio.Pipe, text: str) -> None:
        await pipe.send(text)

    @aio.actor
    def blocking(pipe: Any, text: str) -> None:
        pipe.send(text)

    async def main() -> None:
        for make in awaited, blocking:
            async with make("hello") as actor:
                assert [message.parts async for message in actor] == [[b"hello"]]

    run(main())


def test_signals_and_polling(run: Run) -> None:
    async def task(pipe: aio.Pipe) -> None:
        await pipe.signal()
        assert await pipe.poll()
        assert await pipe.recv() == "go"
        await pipe.signal(7)
        await pipe.recv()

    async def main() -> None:
        async with aio.Actor(task) as actor, aio.Poller(actor) as poller:
            assert await poller.wait(timeout=10) == []
            await actor.send("go")
            assert await poller.wait() == [actor]
            assert await actor.wait() == 7

    run(main())


def test_what_was_sent_before_the_end_can_still_be_received(run: Run) -> None:
    async def task(pipe: aio.Pipe) -> None:
        for i in range(3):
            await pipe.send(str(i))

    async def main() -> None:
        actor = aio.Actor(task)
        assert [await actor.recv() for _ in range(3)] == ["0", "1", "2"]
        for _ in range(2):
            with pytest.raises(EOFError, match=r"task .* has ended"):
                await actor.recv()
        with pytest.raises(BrokenPipeError):
            await actor.send("x")
        assert actor.ended
        assert await actor.poll(1000) is True
        assert [message async for message in actor] == []
        await actor.close()

    run(main())


def test_who_waits_learns_that_the_task_has_ended(run: Run) -> None:
    async def main() -> None:
        release = threading.Event()

        def task(pipe: Any) -> None:
            pipe.signal()
            release.wait(10)

        actor = aio.Actor(task)
        receivers = [asyncio.ensure_future(actor.recv()) for _ in range(3)]
        polling = asyncio.ensure_future(actor.poll())
        await asyncio.sleep(0.01)
        release.set()
        for receiver in receivers:
            with pytest.raises(EOFError):
                await receiver
        assert await polling is True
        await actor.close()

    run(main())


def test_a_sender_that_waits_for_room_learns_that_the_task_has_ended(run: Run) -> None:
    async def main() -> None:
        release = threading.Event()

        def task(pipe: Any) -> None:
            pipe.signal()
            release.wait(20)

        actor = aio.Actor(task)
        sent = 0

        async def flood() -> None:
            nonlocal sent
            while True:
                await actor.send("x")
                sent += 1

        flooding = asyncio.ensure_future(flood())
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.05)
        assert not flooding.done()
        release.set()
        with pytest.raises(BrokenPipeError):
            await flooding
        await actor.close()

    run(main())


@pytest.mark.parametrize("awaited", [True, False])
def test_errors_of_the_task_come_out_once(run: Run, awaited: bool) -> None:
    def blocking(pipe: Any, early: bool) -> None:
        if not early:
            pipe.signal()
            pipe.recv()
        raise KeyError("task")

    async def coroutine(pipe: aio.Pipe, early: bool) -> None:
        if not early:
            await pipe.signal()
            await pipe.recv()
        raise KeyError("task")

    task = coroutine if awaited else blocking

    async def main() -> None:
        with pytest.raises(KeyError, match="task"):
            aio.Actor(task, True)
        with pytest.raises(KeyError, match="task"):
            await aio.Actor.start(task, True)
        actor = aio.Actor(task, False)
        await actor.send("go")
        with pytest.raises(KeyError, match="task"):
            await actor.recv()
        with pytest.raises(EOFError):
            await actor.recv()
        await actor.close()
        actor = aio.Actor(task, False)
        with pytest.raises(KeyError, match="task"):
            await actor.close()
        assert actor.closed

    run(main())


def test_the_body_of_a_block_wins_over_the_task(run: Run) -> None:
    def task(pipe: Any) -> None:
        pipe.recv()
        raise KeyError("task")

    async def main() -> None:
        with pytest.raises(ValueError, match="body") as raised:
            async with aio.Actor(task):
                raise ValueError("body")
        assert isinstance(raised.value.__context__, KeyError)

    run(main())


# ---------------------------------------------------------------- closing


@TASKS
def test_closing_wakes_who_waits_and_may_be_done_twice(run: Run, task: Any) -> None:
    async def main() -> None:
        actor = aio.Actor(task)
        receiving, polling = asyncio.ensure_future(actor.recv()), asyncio.ensure_future(actor.poll())
        await asyncio.sleep(0.01)
        await asyncio.gather(actor.close(), actor.close())
        await actor.close()
        for waiting in receiving, polling:
            with pytest.raises(ValueError, match="the actor is closed"):
                await waiting
        for use in (actor.recv, actor.poll, lambda: actor.send("x"), actor.__aenter__):
            with pytest.raises(ValueError, match="the actor is closed"):
                await use()
        with pytest.raises(ValueError, match="the actor is closed"):
            _ = actor.handle

    run(main())


def test_one_that_does_not_end_can_be_closed_again(run: Run) -> None:
    async def main() -> None:
        release = threading.Event()

        def deaf(pipe: Any) -> None:
            pipe.signal()
            release.wait(20)
            pipe.send("after all")
            pipe.recv()

        actor = aio.Actor(deaf)
        with pytest.raises(TimeoutError, match="deaf has not ended"):
            await actor.close(timeout=10)
        assert not actor.closed
        release.set()
        assert await actor.recv() == "after all"
        await actor.close()
        assert actor.closed

    run(main())


def test_what_comes_during_the_look_whether_the_task_has_ended(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """That look takes off the descriptor what would wake whoever waits, so it is not the last one."""
    is_over = blocking.is_over

    async def main() -> None:
        release = threading.Event()

        def task(pipe: Any) -> None:
            pipe.signal()
            release.wait(20)
            pipe.send("result")

        def look(state: Any, handle: Any, events: int) -> bool:
            # The first look is that of the call, which has not begun to wait.
            looks.append(events)
            if len(looks) > 1:
                release.set()
                while not state.task.finished:
                    time.sleep(0.001)
            return is_over(state, handle, events)

        async with aio.Actor(task) as actor:
            looks: list[int] = []
            monkeypatch.setattr(blocking, "is_over", look)
            assert await asyncio.wait_for(actor.recv(), 10) == "result"
            assert len(looks) > 1

    run(main())


def test_a_cancelled_close_goes_on(run: Run) -> None:
    async def main() -> None:
        release = threading.Event()

        def slow(pipe: Any) -> None:
            pipe.recv()
            release.wait(20)

        actor = aio.Actor(slow)
        closing = asyncio.ensure_future(actor.close())
        await asyncio.sleep(0.05)
        await cancel(closing)
        release.set()
        await actor.close()
        await until(lambda: actor._ending is None)
        assert actor.closed

    run(main())


def test_cancelled_calls_lose_nothing(run: Run) -> None:
    async def main() -> None:
        async with aio.Actor(echo) as actor:
            receiving = asyncio.ensure_future(actor.recv())
            await asyncio.sleep(0.01)
            await cancel(receiving)
            await actor.send("kept")
            assert await actor.recv() == "kept"

    run(main())


# ---------------------------------------------------------------- C's actors, misuse


def test_an_actor_of_cs(run: Run) -> None:
    async def main() -> None:
        async with aio.Actor(zproxy.actor) as actor:
            assert repr(actor) == "<Actor zproxy running>"
            zproxy.frontend(actor.handle, "PULL", "inproc://aio.front")
            zproxy.backend(actor.handle, "PUSH", "inproc://aio.back")
            push = aio.Socket(zmq.PUSH, connect="inproc://aio.front")
            pull = aio.Socket(zmq.PULL, connect="inproc://aio.back")
            async with push, pull:
                await push.send("through")
                assert await pull.recv() == "through"

    run(main())


@pytest.mark.parametrize("task", [None, 1, "x", object()])
def test_what_is_no_task(task: Any) -> None:
    with pytest.raises(TypeError, match="task"):
        aio.Actor(task)
    with pytest.raises(TypeError, match="task"):
        aio.actor(task)


def test_generators_are_no_tasks() -> None:
    def generator(pipe: Any) -> Any:
        yield

    async def asynchronous(pipe: Any) -> Any:
        yield

    for task in generator, asynchronous:
        with pytest.raises(TypeError, match="generator"):
            aio.Actor(task)


def test_blocking_with_blocks_are_refused(run: Run) -> None:
    async def main() -> None:
        async with aio.Actor(echo) as actor:
            with pytest.raises(TypeError, match="async with"), actor:
                pass

    run(main())


def test_the_pipe_belongs_to_its_thread_and_ends_with_it(run: Run) -> None:
    kept: list[aio.Pipe] = []

    async def keep(pipe: aio.Pipe) -> None:
        kept.append(pipe)
        await echo_awaited(pipe)

    async def main() -> None:
        async with aio.Actor(keep) as actor:
            await actor.send("x")
            await actor.recv()
            for use in (kept[0].recv, lambda: kept[0].send("x"), kept[0].poll):
                with pytest.raises(RuntimeError, match="thread"):
                    await use()
        with pytest.raises(ValueError, match="its task has ended"):
            await kept[0].recv()
        assert kept[0].closed

    run(main())


def test_options_are_attributes(run: Run) -> None:
    async def main() -> None:
        async with aio.Actor(echo) as actor:
            actor.linger = 5
            assert actor.linger == 5 == zsocket.linger(actor.handle)
            assert zstr.send(actor.handle, "from below") == 0
            assert await actor.recv() == "from below"

    run(main())


def test_a_forgotten_actor_is_ended(run: Run) -> None:
    async def main() -> None:
        ended = threading.Event()

        def task(pipe: Any) -> None:
            for _ in pipe:
                pass
            ended.set()

        actor: Any = aio.Actor(task)
        receiving = asyncio.ensure_future(actor.recv())
        await asyncio.sleep(0.01)
        await cancel(receiving)
        del actor, receiving
        import gc

        deadline = time.monotonic() + 20
        while not ended.is_set():
            gc.collect()
            await asyncio.sleep(0.01)
            assert time.monotonic() < deadline

    run(main())


def test_a_program_that_leaves_it_open_ends_quietly() -> None:
    output = children.check(
        """
        import asyncio
        from pyczmq import aio
        async def echo(pipe):
            async for message in pipe:
                await pipe.send_msg(message)
        async def main():
            actor = aio.Actor(echo)
            await actor.send("x")
            print(await actor.recv())
            task = asyncio.ensure_future(actor.recv())
            await asyncio.sleep(0.05)
        asyncio.run(main())
        """
    )
    assert output == "x\n"
