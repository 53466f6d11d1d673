"""aio.Socket: awaited messages, order, fairness, cancellation at each await, closing, and other event loops."""

from __future__ import annotations

import asyncio
import errno
import gc
import threading
from collections.abc import Callable
from typing import Any

import children
import loops
import pytest
from loops import until

from pyczmq import Context, Frame, Message, Socket, ZMQError, aio, zmq
from pyczmq.aio import _waiting
from pyczmq.types import ContextTerminated

Run = Callable[[Any], Any]

#: Every coroutine method that sends or receives, with arguments that would do, and what a peer sends to end it.
SENDING: dict[str, tuple[Any, ...]] = {
    "send": ("text",),
    "send_bytes": (b"data",),
    "send_parts": ([b"one", "two"],),
    "send_json": ({"a": 1},),
    "send_picture": ("si", "text", 1),
    "signal": (),
}
RECEIVING: dict[str, tuple[Any, ...]] = {
    "recv": (),
    "recv_bytes": (),
    "recv_parts": (),
    "recv_frame": (),
    "recv_msg": (),
    "recv_json": (),
    "recv_picture": ("s",),
    "wait": (),
    "poll": (),
}


@pytest.fixture(params=loops.KINDS)
def run(request: pytest.FixtureRequest) -> Run:
    return lambda main: loops.run(main, request.param)


def pair(**options: Any) -> tuple[aio.Socket, aio.Socket]:
    left = aio.Socket(zmq.PAIR, bind="tcp://127.0.0.1:*", **options)
    return left, aio.Socket(zmq.PAIR, connect=left.last_endpoint, **options)


async def cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# ---------------------------------------------------------------- messages


def test_messages_in_every_form(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right:
            assert await left.send("text ☃") == 0
            assert await right.recv() == "text ☃"
            await left.send_bytes(b"\0\xff")
            assert await right.recv_bytes() == b"\0\xff"
            await left.send_parts(["a", b"b", Frame("c")])
            assert await right.recv_parts() == [b"a", b"b", b"c"]
            await left.send_frame(Frame("frame"), Frame.MORE)
            await left.send_frame(Frame("end"))
            assert await right.recv_frame() == "frame"
            assert await right.recv_frame() == "end"
            await left.send_msg(Message(["a", "b"]))
            assert await right.recv_msg() == ["a", "b"]
            await left.send_json({"a": [1]})
            assert await right.recv_json() == {"a": [1]}
            await left.send_picture("sif", "text", 1, Frame("f"))
            assert await right.recv_picture("sif") == ("text", 1, Frame("f"))
            await left.send("dropped")
            await left.signal(7)
            assert await right.wait() == 7
            assert await right.poll(0) is False
            await left.send("x")
            assert await right.poll() is True
            assert await right.poll(5000, zmq.POLLOUT) is True
        assert left.closed and right.closed

    run(main())


@pytest.mark.parametrize("process_wide", [True, False])
def test_both_kinds_of_sockets(run: Run, process_wide: bool) -> None:
    async def main() -> None:
        context = None if process_wide else Context()
        rep = aio.Socket(zmq.REP, context=context, bind="inproc://aio.kinds")
        req = aio.Socket(zmq.REQ, context=context, connect="inproc://aio.kinds")
        async with rep, req:
            for i in range(1000):
                await req.send(str(i))
                await rep.send(await rep.recv())
                assert await req.recv() == str(i)

    run(main())


def test_it_wakes_up_for_what_comes_later(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right:
            task = asyncio.ensure_future(right.recv())
            await asyncio.sleep(0.01)
            assert not task.done()
            await left.send("later")
            assert await task == "later"

    run(main())


def test_it_wakes_up_for_what_another_thread_sends(run: Run) -> None:
    async def main() -> None:
        async with aio.Socket(zmq.PULL, bind="inproc://aio.thread") as pull:

            def work() -> None:
                with Socket(zmq.PUSH, connect="inproc://aio.thread") as push:
                    for i in range(500):
                        push.send(str(i))

            thread = threading.Thread(target=work)
            thread.start()
            assert [await pull.recv() for _ in range(500)] == [str(i) for i in range(500)]
            thread.join()

    run(main())


def test_what_is_there_is_returned_without_a_turn_of_the_loop(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right:
            await left.send("a")
            await left.send("b")
            await right.poll()
            turns = []
            asyncio.get_running_loop().call_soon(turns.append, 1)
            await right.recv()
            assert turns == []

    run(main())


def test_iteration_ends_when_the_socket_is_closed_meanwhile(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        seen = []

        async def read() -> None:
            async for message in right:
                seen.append(message.parts)

        task = asyncio.ensure_future(read())
        await left.send_parts(["a", "b"])
        await left.send("c")
        await until(lambda: len(seen) == 2)
        right.close()
        await task
        assert seen == [[b"a", b"b"], [b"c"]]
        left.close()

    run(main())


def test_a_full_pipe_makes_senders_wait_and_loses_nothing(run: Run) -> None:
    async def main() -> None:
        left, right = pair(sndhwm=5, rcvhwm=5)
        async with left, right:
            count = 20_000

            async def write() -> None:
                for i in range(count):
                    await left.send_bytes(b"%d" % i + b"x" * 100)

            task = asyncio.ensure_future(write())
            for i in range(count):
                assert (await right.recv_bytes()).startswith(b"%d" % i)
            await task

    run(main())


# ---------------------------------------------------------------- order and fairness


def test_concurrent_receivers_are_served_in_order(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right:
            served: list[int] = []

            async def receive(number: int) -> None:
                assert await right.recv() == str(number)
                served.append(number)

            tasks = [asyncio.ensure_future(receive(i)) for i in range(50)]
            await asyncio.sleep(0)
            for i in range(50):
                await left.send(str(i))
            await asyncio.gather(*tasks)
            assert served == list(range(50))

    run(main())


def test_who_comes_later_does_not_overtake(run: Run) -> None:
    """Also not at the moment when the first was woken, but has not run yet."""

    async def main() -> None:
        left, right = pair()
        async with left, right:
            moments = 0
            for i in range(100):
                first = asyncio.ensure_future(right.recv())
                await asyncio.sleep(0)
                turn = right._lock.waiters._queues[zmq.POLLIN][0]
                await left.send(f"first {i}")
                await left.send(f"second {i}")
                while not turn.done():
                    await asyncio.sleep(0)
                moments += not first.done()
                assert await right.recv() == f"second {i}"
                assert await first == f"first {i}"
            assert moments

    run(main())


def test_concurrent_senders_are_served_in_order(run: Run) -> None:
    async def main() -> None:
        push = aio.Socket(zmq.PUSH, sndhwm=1)
        tasks = [asyncio.ensure_future(push.send(str(i))) for i in range(50)]
        await asyncio.sleep(0)
        async with push, aio.Socket(zmq.PULL, bind="tcp://127.0.0.1:*") as pull:
            push.connect(pull.last_endpoint)
            assert [await pull.recv() for _ in range(50)] == [str(i) for i in range(50)]
            await asyncio.gather(*tasks)

    run(main())


def test_a_busy_socket_does_not_starve_the_rest(run: Run) -> None:
    async def main() -> None:
        pull = aio.Socket(zmq.PULL, bind="inproc://aio.busy", rcvhwm=0)
        push = aio.Socket(zmq.PUSH, connect="inproc://aio.busy", sndhwm=0)
        async with pull, push:
            turns = 0

            def turn() -> None:
                nonlocal turns
                turns += 1
                asyncio.get_running_loop().call_soon(turn)

            turn()
            for _ in range(_waiting.FAIR * 20):
                await push.send("x")
            assert turns >= 19
            before = turns
            for _ in range(_waiting.FAIR * 20):
                await pull.recv()
            assert turns - before >= 19

    run(main())


def test_a_hundred_tasks_on_one_router(run: Run) -> None:
    async def main() -> None:
        async with aio.Socket(zmq.ROUTER, bind="tcp://127.0.0.1:*") as router:
            clients = [aio.Socket(zmq.DEALER, connect=router.last_endpoint) for _ in range(20)]

            async def work() -> None:
                while True:
                    address, number = await router.recv_parts()
                    await asyncio.sleep(0)
                    await router.send_parts([address, b"%d" % (2 * int(number))])

            workers = [asyncio.ensure_future(work()) for _ in range(100)]

            async def ask(client: aio.Socket) -> None:
                for i in range(100):
                    await client.send(str(i))
                    assert await client.recv() == str(2 * i)

            await asyncio.gather(*map(ask, clients))
            for worker in workers:
                await cancel(worker)
            for client in clients:
                client.close()

    run(main())


def test_requests_of_many_tasks_on_one_dealer_all_get_through(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right:

            async def echo() -> None:
                for _ in range(2000):
                    await right.send(await right.recv())

            async def both(count: int) -> list[str]:
                got = []
                for i in range(count):
                    await left.send(str(i))
                    got.append(await left.recv())
                return got

            task = asyncio.ensure_future(echo())
            results = await asyncio.gather(*[both(20) for _ in range(100)])
            await task
            assert sorted(text for result in results for text in result) == sorted([str(i) for i in range(20)] * 100)

    run(main())


# ---------------------------------------------------------------- cancellation


@pytest.mark.parametrize("name", RECEIVING)
def test_cancelled_receivers_lose_no_message(run: Run, name: str) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right:
            task = asyncio.ensure_future(getattr(right, name)(*RECEIVING[name]))
            await asyncio.sleep(0.01)
            await cancel(task)
            await left.send("kept")
            assert await right.recv() == "kept"

    run(main())


@pytest.mark.parametrize("name", RECEIVING)
def test_cancelled_at_the_moment_of_waking_they_lose_none(run: Run, name: str) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right:
            task = asyncio.ensure_future(getattr(right, name)(*RECEIVING[name]))
            await asyncio.sleep(0)
            await left.send("kept")
            waiters = right._lock.waiters

            def woken() -> bool:
                futures = [*waiters._queues[zmq.POLLIN], *(future for _, future in waiters._watchers)]
                return futures[0].done()

            while not woken():
                await asyncio.sleep(0)
                if task.done():
                    pytest.skip("it had run before it could be cancelled")
            await cancel(task)
            assert await right.recv() == "kept"

    run(main())


@pytest.mark.parametrize("name", SENDING)
def test_cancelled_senders_have_sent_nothing(run: Run, name: str) -> None:
    async def main() -> None:
        async with aio.Socket(zmq.PUSH) as push, aio.Socket(zmq.PULL, bind="inproc://aio.cancel") as pull:
            task = asyncio.ensure_future(getattr(push, name)(*SENDING[name]))
            message, frame = Message(["m"]), Frame("f")
            others = [asyncio.ensure_future(push.send_msg(message)), asyncio.ensure_future(push.send_frame(frame))]
            await asyncio.sleep(0.01)
            for each in (task, *others):
                await cancel(each)
            assert (message, frame) == (["m"], "f")
            push.connect("inproc://aio.cancel")
            await push.send("only this")
            assert await pull.recv_parts() == [b"only this"]

    run(main())


def test_the_next_one_gets_the_turn_of_who_was_cancelled(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right:
            first, second = asyncio.ensure_future(right.recv()), asyncio.ensure_future(right.recv())
            await asyncio.sleep(0)
            await left.send("x")
            await until(lambda: right._lock.waiters._queues[zmq.POLLIN][0].done() or first.done())
            if not first.done():
                await cancel(first)
                assert await second == "x"
            else:
                await cancel(second)

    run(main())


def test_a_storm_of_timeouts_loses_nothing(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right:
            count = 300

            async def write() -> None:
                for i in range(count):
                    await left.send(str(i))
                    await asyncio.sleep(0.001)

            task = asyncio.ensure_future(write())
            got: list[str] = []
            while len(got) < count:
                try:
                    got.append(await _short(right))
                except asyncio.TimeoutError:
                    pass
            await task
            assert got == [str(i) for i in range(count)]

    async def _short(socket: aio.Socket) -> str:
        # asyncio.wait_for itself may lose what a task returns as the time runs out, before Python 3.12.
        receiver = asyncio.ensure_future(socket.recv())
        timer = asyncio.get_running_loop().call_later(0.001, receiver.cancel)
        try:
            return await receiver
        except asyncio.CancelledError:
            raise asyncio.TimeoutError from None
        finally:
            timer.cancel()

    run(main())


def test_polling_has_a_timeout_of_its_own(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right:
            assert await right.poll(1) is False
            assert right._lock.waiters._watchers == []
            for bad in (-2, "1", None, 1.5):
                with pytest.raises((TypeError, ValueError), match="timeout"):
                    await right.poll(bad)  # type: ignore[arg-type]
            with pytest.raises(ValueError, match="events"):
                await right.poll(0, 0)

    run(main())


# ---------------------------------------------------------------- the edge that is not told twice


def test_news_that_other_calls_take_off_the_descriptor_are_not_lost(run: Run) -> None:
    """While one task waits for input another one sends, polls, reads options, binds: each takes that off."""

    async def main() -> None:
        left, right = pair()
        async with left, right:
            for i in range(300):
                task = asyncio.ensure_future(right.recv())
                await asyncio.sleep(0)
                await left.send(str(i))
                kind = i % 5
                if kind == 0:
                    await right.send("other way")
                elif kind == 1:
                    _ = right.events
                elif kind == 2:
                    right.rcvhwm = 1000 + i
                elif kind == 3:
                    await right.poll(0)
                else:
                    right.unbind(f"tcp://127.0.0.1:{right.bind('tcp://127.0.0.1:*')}")
                assert await asyncio.wait_for(task, 5) == str(i)

    run(main())


def test_a_router_that_must_route_waits_for_its_full_peer(run: Run) -> None:
    async def main() -> None:
        router = aio.Socket(zmq.ROUTER, router_mandatory=True, sndhwm=2, bind="tcp://127.0.0.1:*")
        dealer = aio.Socket(zmq.DEALER, identity="slow", rcvhwm=2, connect=router.last_endpoint)
        async with router, dealer:
            await dealer.send("hello")
            await router.recv_parts()
            big = b"x" * 500_000

            async def flood() -> None:
                for _ in range(60):
                    await router.send_parts([b"slow", big])

            task = asyncio.ensure_future(flood())
            await asyncio.sleep(0.05)
            assert not task.done()
            for _ in range(60):
                assert await dealer.recv_bytes() == big
            await task
            with pytest.raises(ZMQError) as raised:
                await router.send_parts([b"nobody", b"x"])
            assert raised.value.errno == zmq.EHOSTUNREACH

    run(main())


# ---------------------------------------------------------------- closing


@pytest.mark.parametrize("name", [*SENDING, *RECEIVING])
def test_closing_wakes_who_waits_with_an_error(run: Run, name: str) -> None:
    async def main() -> None:
        socket = aio.Socket(zmq.DEALER, sndhwm=1)
        arguments = {**SENDING, **RECEIVING}[name]
        tasks = [asyncio.ensure_future(getattr(socket, name)(*arguments)) for _ in range(3)]
        await asyncio.sleep(0.01)
        socket.close()
        for task in tasks:
            with pytest.raises(ZMQError) as raised:
                await task
            assert raised.value.errno == errno.ENOTSOCK
        with pytest.raises(ZMQError) as raised:
            await getattr(socket, name)(*arguments)
        assert raised.value.errno == errno.ENOTSOCK

    run(main())


def test_the_end_of_the_context_wakes_who_waits(run: Run) -> None:
    async def main() -> None:
        context = Context()
        socket = aio.Socket(zmq.PULL, context=context)
        task = asyncio.ensure_future(socket.recv())
        await asyncio.sleep(0.01)
        zmq.ctx_shutdown(_underlying(context))
        with pytest.raises(ContextTerminated):
            await task
        with pytest.raises(ContextTerminated):
            await socket.recv()
        socket.close()
        context.close()

    run(main())


def _underlying(context: Context) -> Any:
    from pyczmq import zctx

    return zctx.underlying(context.handle)


def test_closing_the_context_closes_its_sockets(run: Run) -> None:
    async def main() -> None:
        context = Context()
        socket = aio.Socket(zmq.PULL, context=context)
        task = asyncio.ensure_future(socket.recv())
        await asyncio.sleep(0.01)
        context.close()
        with pytest.raises(ZMQError):
            await task
        assert socket.closed

    run(main())


def test_descriptors_can_be_used_again_after_closing(run: Run) -> None:
    """A loop that still watched a closed socket's descriptor would watch the wrong one, or fail."""

    async def main() -> None:
        for i in range(50):
            left, right = pair()
            task = asyncio.ensure_future(right.recv())
            await asyncio.sleep(0)
            await left.send(str(i))
            assert await task == str(i)
            if i % 2:
                left.close()
                right.close()
            else:
                del left, right
                gc.collect()

    run(main())


def test_a_forgotten_socket_is_collected_while_the_loop_runs(run: Run) -> None:
    import weakref

    async def main() -> None:
        left, right = pair()
        task = asyncio.ensure_future(right.recv())
        await left.send("x")
        await task
        gone = weakref.ref(right)
        del right, task
        for _ in range(100):
            gc.collect()
            await asyncio.sleep(0)
            if gone() is None:
                return
        raise AssertionError("it is still there")

    run(main())


# ---------------------------------------------------------------- loops and threads


def test_a_socket_may_move_to_another_loop(run: Run) -> None:
    left, right = pair()

    async def main(text: str) -> None:
        task = asyncio.ensure_future(right.recv())
        await asyncio.sleep(0)
        await left.send(text)
        assert await task == text

    for text in "one", "two", "three":
        run(main(text))
    left.close()
    right.close()


def test_a_loop_in_another_thread_is_refused_while_somebody_waits(run: Run) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right:
            task = asyncio.ensure_future(right.recv())
            await asyncio.sleep(0.01)
            errors: list[BaseException] = []

            def elsewhere(use: Any) -> None:
                async def wait() -> None:
                    await use()

                for _ in range(100):
                    try:
                        loops.run(wait(), limit=5)
                    except BaseException as error:
                        if "in use in another thread" in str(error):
                            # The loop that waits was looking at the socket at that very moment.
                            continue
                        errors.append(error)
                    return

            async def close() -> None:
                right.close()

            for use in (right.recv, right.poll, close):
                thread = threading.Thread(target=elsewhere, args=(use,))
                thread.start()
                await asyncio.get_running_loop().run_in_executor(None, thread.join)
            assert [type(error) for error in errors] == [RuntimeError] * 3, errors
            assert all("event loop" in str(error) for error in errors), errors
            await left.send("still fine")
            assert await task == "still fine"

    run(main())


def test_outside_of_a_loop() -> None:
    left, right = pair()
    coroutine = right.recv()
    with pytest.raises(RuntimeError, match="no running event loop"):
        coroutine.send(None)
    left.close()
    right.close()


def test_plain_methods_are_plain() -> None:
    with aio.Socket(zmq.SUB, subscribe="topic", linger=3) as socket:
        assert socket.linger == 3
        port = socket.bind("tcp://127.0.0.1:*")
        assert socket.connect("tcp://127.0.0.1:1") == 0
        assert repr(socket).startswith(f"<Socket SUB: bound to tcp://127.0.0.1:{port}")
        with pytest.raises(AttributeError):
            socket.no_option = 1  # type: ignore[attr-defined]
        with pytest.raises(ZMQError, match="bind txp"):
            socket.bind("txp://x")
    assert socket.closed


@pytest.mark.parametrize("value", [None, 1, object(), ["x"]])
def test_wrong_types(run: Run, value: Any) -> None:
    async def main() -> None:
        left, right = pair()
        async with left, right:
            for method in (left.send, left.send_bytes, left.send_frame, left.send_msg):
                with pytest.raises(TypeError):
                    await method(value)  # type: ignore[operator]
            with pytest.raises(TypeError):
                await left.send_parts("text")
            await left.send("fine")
            assert await right.recv_parts() == [b"fine"]

    run(main())


def test_a_program_that_leaves_everything_open_ends_quietly() -> None:
    output = children.check(
        """
        import asyncio
        from pyczmq import aio, zmq
        async def main():
            pull = aio.Socket(zmq.PULL, bind="inproc://left")
            task = asyncio.ensure_future(pull.recv())
            await asyncio.sleep(0.05)
            print("end")
        asyncio.run(main())
        """
    )
    assert output == "end\n"


def test_ctrl_c_ends_a_program_that_waits() -> None:
    children.check(
        """
        import asyncio, os, signal, threading
        from pyczmq import aio, zmq
        async def main():
            async with aio.Socket(zmq.PULL, bind="inproc://wait") as pull:
                threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
                await pull.recv()
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            pass
        else:
            raise SystemExit("not interrupted")
        """
    )
