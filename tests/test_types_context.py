"""Context: its sockets, shadows, the end of both, and threads that are in calls meanwhile."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from typing import Any

import children
import pytest

from pyczmq import Context, Socket, ZMQError, zctx, zmq
from pyczmq.types import ContextTerminated


def test_sockets_by_number_and_name() -> None:
    with Context() as context:
        pull = context.socket("PULL", bind="inproc://context")
        push = context.socket(zmq.PUSH, connect="inproc://context", linger=5)
        assert (push.context, push.linger) == (context, 5)
        push.send("x")
        assert pull.recv(timeout=5000) == "x"
    assert pull.closed and push.closed and context.closed


def test_contexts_do_not_see_each_others_inproc_endpoints() -> None:
    with Context() as one, Context() as other, Socket(zmq.PULL, bind="inproc://apart") as pull:
        pulls = [context.socket(zmq.PULL, bind="inproc://apart") for context in (one, other)]
        with one.socket(zmq.PUSH, connect="inproc://apart") as push:
            push.send("x", timeout=1000)
            assert pulls[0].recv(timeout=1000) == "x"
        assert pull.poll(20) is False
        assert pulls[1].poll(0) is False


def test_a_shadow_shares_endpoints_and_closes_its_own_sockets() -> None:
    with Context() as context:
        pull = context.socket(zmq.PULL, bind="inproc://shadow")
        with context.shadow() as shadow:
            push = shadow.socket(zmq.PUSH, connect="inproc://shadow")
            push.send("x")
            assert pull.recv(timeout=5000) == "x"
        assert push.closed and not pull.closed


def test_what_sockets_begin_with() -> None:
    with Context(linger=3, sndhwm=4, rcvhwm=5) as context:
        socket = context.socket(zmq.DEALER)
        assert (socket.linger, socket.sndhwm, socket.rcvhwm) == (3, 4, 5)
        context.set_linger(6)
        context.set_sndhwm(7)
        context.set_rcvhwm(8)
        context.set_pipehwm(9)
        socket = context.socket(zmq.DEALER)
        assert (socket.linger, socket.sndhwm, socket.rcvhwm) == (6, 7, 8)


@pytest.mark.parametrize("name", ["iothreads", "linger", "sndhwm", "rcvhwm", "pipehwm"])
@pytest.mark.parametrize("value", [None, "1", 1.5, -2, 2**31])
def test_values_that_it_does_not_take(name: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=name):
        Context(**{name: value})


def test_a_socket_keeps_its_context() -> None:
    socket = Context().socket(zmq.PULL, bind="inproc://kept")
    gc.collect()
    with socket.context.socket(zmq.PUSH, connect="inproc://kept") as push:  # type: ignore[union-attr]
        push.send("x")
    assert socket.recv(timeout=5000) == "x"


def test_contexts_and_sockets_are_collected() -> None:
    context = Context()
    context.socket(zmq.PULL)
    gone = weakref.ref(context)
    del context
    for _ in range(5):
        gc.collect()
    assert gone() is None


def test_closing_twice_and_using_it_after() -> None:
    context = Context()
    context.close()
    context.close()
    for use in (
        lambda: context.socket(zmq.PUSH),
        context.shadow,
        lambda: context.set_linger(1),
        lambda: context.handle,
        lambda: context.ctx,
        context.__enter__,
    ):
        with pytest.raises(ValueError, match="the context is closed"):
            use()
    assert repr(context) == "<Context closed>"


def test_repr() -> None:
    with Context() as context:
        assert repr(context) == "<Context with 0 sockets>"
        one = context.socket(zmq.PUSH)
        assert repr(context) == "<Context with 1 socket>"
        two = context.socket(zmq.PUSH)
        assert repr(context) == "<Context with 2 sockets>"
        one.close()
        two.close()
        assert repr(context) == "<Context with 0 sockets>"


def test_no_room_for_more_sockets_is_an_error() -> None:
    children.check(
        """
        import resource
        from pyczmq import Context, ZMQError, zmq
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        context, sockets = Context(), []
        try:
            while True:
                sockets.append(context.socket(zmq.PUSH))
        except (ZMQError, OSError) as error:
            assert "PUSH" in str(error) or error.errno == 24, error
        assert sockets
        """
    )


def test_as_many_sockets_as_it_was_told() -> None:
    with Context(max_sockets=2000) as context:
        context.socket(zmq.PUSH)
        underlying = zctx.underlying(context.handle)
        assert underlying is not None
        assert zmq.ctx_get(underlying, zmq.MAX_SOCKETS) == 2000
        with pytest.raises(RuntimeError, match="before the first socket"):
            context.set_max_sockets(3000)
    with Context() as context:
        context.set_max_sockets(3)
        sockets = [context.socket(zmq.PUSH) for _ in range(3)]
        with pytest.raises(ZMQError, match=r"see Context\.set_max_sockets.*Too many open files"):
            context.socket(zmq.PUSH)
        del sockets
    for wrong in 0, 2_000_000:
        with pytest.raises(ValueError, match="max_sockets must be"):
            Context(max_sockets=wrong)


def test_sockets_that_were_closed_make_room_for_others() -> None:
    """Although libzmq closes them in the background."""
    with Context(max_sockets=3) as context:
        for _ in range(1000):
            context.socket(zmq.PUSH).close()


def test_closing_ends_the_calls_of_other_threads() -> None:
    context = Context()
    socket = context.socket(zmq.PULL)
    ended: list[BaseException] = []

    def receive() -> None:
        try:
            socket.recv()
        except ZMQError as error:
            ended.append(error)

    thread = threading.Thread(target=receive)
    thread.start()
    while socket._lock.acquire(False):
        socket._lock.release()
        time.sleep(0.001)
    context.close()
    thread.join()
    assert [type(error) for error in ended] == [ContextTerminated]
    assert socket.closed


def test_iteration_ends_with_the_context() -> None:
    context = Context()
    socket = context.socket(zmq.PULL)
    thread = threading.Thread(target=list, args=(socket,))
    thread.start()
    while socket._lock.acquire(False):
        socket._lock.release()
        time.sleep(0.001)
    context.close()
    thread.join(10)
    assert not thread.is_alive()


def test_what_lingers_is_sent() -> None:
    with Socket(zmq.PULL, bind="tcp://127.0.0.1:*") as pull:
        with Context(linger=5000) as context:
            push = context.socket(zmq.PUSH, connect=pull.last_endpoint)
            for i in range(100):
                push.send(str(i))
        assert [pull.recv(timeout=5000) for _ in range(100)] == [str(i) for i in range(100)]


def test_a_program_that_closes_nothing_ends_quietly_and_at_once() -> None:
    done = children.run(
        """
        from pyczmq import Context, Socket, zmq
        context = Context()
        sockets = [context.socket(zmq.PUSH, connect="tcp://127.0.0.1:1"), Socket(zmq.PULL, bind="inproc://left")]
        sockets[0].linger = 0
        """
    )
    assert (done.status, done.output, done.errors) == (0, "", "")


def test_a_sockets_own_linger_wins_over_its_contexts() -> None:
    with Socket(zmq.PULL, bind="tcp://127.0.0.1:*") as pull, Context() as context:
        push = context.socket(zmq.PUSH, connect=pull.last_endpoint, linger=5000)
        for i in range(100):
            push.send(str(i))
        push.close()
        assert [pull.recv(timeout=5000) for _ in range(100)] == [str(i) for i in range(100)]
