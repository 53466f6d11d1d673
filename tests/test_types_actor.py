"""Actor and Pipe: how actors start, what they say, how they end, and what every misuse raises."""

from __future__ import annotations

import errno
import functools
import gc
import signal
import sys
import threading
import time
import traceback
import warnings
from typing import Any

import children
import pytest

from pyczmq import (
    Actor,
    Context,
    Frame,
    Message,
    Pipe,
    Poller,
    Socket,
    _actor_threads,
    _actors,
    _blocking,
    actor,
    zactor,
    zmq,
    zproxy,
)
from pyczmq.types import Again, ContextTerminated, ZMQError, _actor

PATIENCE = 10.0
TIMEOUT = 1000 * int(PATIENCE)

#: What a task's pipe.signal() sends, and what C sends when the task has ended.
SIGNAL = (0x7766554433221100).to_bytes(8, sys.byteorder)

#: Every method that sends or receives, with arguments that would do.
MESSAGING: dict[str, tuple[Any, ...]] = {
    "send": ("text",),
    "send_bytes": (b"data",),
    "send_parts": ([b"one", "two"],),
    "send_json": ({"a": 1},),
    "send_picture": ("si", "text", 1),
    "signal": (),
    "recv": (),
    "recv_bytes": (),
    "recv_parts": (),
    "recv_frame": (),
    "recv_msg": (),
    "recv_json": (),
    "recv_picture": ("s",),
    "wait": (),
}
RECEIVING = [name for name in MESSAGING if name.startswith(("recv", "wait"))]
SENDING = [name for name in MESSAGING if name.startswith(("send", "signal"))]
WITH_POLL = {**MESSAGING, "poll": (0,), "recv_nowait": (), "recv_frame_nowait": ()}


def soon(condition: Any) -> bool:
    """Wait until a condition holds, with the garbage collector at work; tell whether it came to that."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        gc.collect()
        time.sleep(0.001)
    return True


def echo(pipe: Pipe, *before: str) -> None:
    """Send back what comes."""
    for message in pipe:
        pipe.send_parts([*before, *message])


def fail_when_told(pipe: Pipe) -> None:
    pipe.recv()
    raise ZeroDivisionError("in the task")


def fail_at_once(pipe: Pipe) -> None:
    pipe.signal()
    raise ZeroDivisionError("in the task")


def say(pipe: Pipe, *texts: str) -> None:
    for text in texts:
        pipe.send(text)


def idle(pipe: Pipe) -> None:
    for _ in pipe:
        pass


# ---------------------------------------------------------------- messages there and back


def test_echo() -> None:
    """What is sent to an actor comes out of its task's pipe, and the other way round."""
    with Actor(echo, "Hello") as made:
        assert made.send_parts(["big", "world"]) == 0
        assert made.recv_parts() == [b"Hello", b"big", b"world"]


#: What sends, what receives it, and what comes out there.
EXCHANGES: dict[str, tuple[list[tuple[str, Any]], list[tuple[str, tuple[Any, ...], Any]]]] = {
    "text": ([("send", ("naïve",))], [("recv", (), "naïve")]),
    "bytes": ([("send_bytes", (b"\0\xff",))], [("recv_bytes", (), b"\0\xff")]),
    "parts": ([("send_parts", ([b"one", "two", b""],))], [("recv_parts", (), [b"one", b"two", b""])]),
    "frames": (
        [("send_frame", lambda: (Frame("one"), Frame.MORE)), ("send_frame", lambda: (Frame("two"),))],
        [("recv_frame", (), "one"), ("recv_frame", (), "two")],
    ),
    "messages": ([("send_msg", lambda: (Message(["one", "two"]),))], [("recv_msg", (), ["one", "two"])]),
    "json": ([("send_json", ({"a": [1, None]},))], [("recv_json", (), {"a": [1, None]})]),
    "pictures": ([("send_picture", ("si", "text", -1))], [("recv_picture", ("si",), ("text", -1))]),
    "frames in pictures": ([("send_picture", ("sb", "a", b"b"))], [("recv_picture", ("sf",), ("a", Frame("b")))]),
    "signals": ([("signal", (7,)), ("signal", ())], [("wait", (), 7), ("wait", (), 0)]),
    "signals between messages": (
        [("send", ("a",)), ("signal", (3,)), ("send", ("b",))],
        [("wait", (), 3), ("recv", (), "b")],
    ),
    "signals as messages": ([("signal", (0,)), ("send", ("b",))], [("recv_frame", (), SIGNAL), ("recv", (), "b")]),
    "what looks like the end": (
        [("send_bytes", (SIGNAL,)), ("signal", (0,))],
        [("recv_bytes", (), SIGNAL), ("recv_parts", (), [SIGNAL])],
    ),
}


def send_all(end: Any, name: str) -> None:
    for method, args in EXCHANGES[name][0]:
        assert getattr(end, method)(*(args() if callable(args) else args)) == 0


def receive_all(end: Any, name: str) -> None:
    for method, args, expected in EXCHANGES[name][1]:
        assert getattr(end, method)(*args, timeout=TIMEOUT) == expected


@pytest.mark.parametrize("name", EXCHANGES)
def test_messages_to_the_task(name: str) -> None:
    def task(pipe: Pipe) -> None:
        receive_all(pipe, name)
        pipe.send("done")

    with Actor(task) as made:
        send_all(made, name)
        assert made.recv(timeout=TIMEOUT) == "done"


@pytest.mark.parametrize("name", EXCHANGES)
@pytest.mark.parametrize("when", ["while the task goes on", "once it has ended"])
def test_messages_from_the_task(name: str, when: str) -> None:
    """Also those that a task has sent before it ended by itself; none is mistaken for the signal of its end."""

    def task(pipe: Pipe) -> None:
        pipe.signal()
        send_all(pipe, name)
        if when == "while the task goes on":
            pipe.recv()

    made = Actor(task)
    if when == "once it has ended":
        assert soon(lambda: made.ended)
    receive_all(made, name)
    if when == "once it has ended":
        with pytest.raises(EOFError):
            made.recv()
    else:
        assert made.recv_nowait() is None
    made.close()


def test_nothing_to_receive() -> None:
    with Actor(idle) as made:
        assert made.recv_nowait() is None
        assert made.recv_frame_nowait() is None
        assert not made.poll(0)
        assert made.poll(0, zmq.POLLOUT)


@pytest.mark.parametrize("name", RECEIVING)
def test_timeouts(name: str) -> None:
    """Time is given with the call, or by the option; Again says which actor it was."""
    with Actor(idle) as made:
        with pytest.raises(Again, match=f"{name} on <Actor idle running>: "):
            getattr(made, name)(*MESSAGING[name], timeout=0)
        made.rcvtimeo = 20
        with pytest.raises(Again):
            getattr(made, name)(*MESSAGING[name])
        for wrong, error in (-2, ValueError), (2**40, ValueError), ("1", TypeError), (1.5, TypeError):
            with pytest.raises(error, match="timeout must be"):
                getattr(made, name)(*MESSAGING[name], timeout=wrong)


def test_a_pipe_that_is_full() -> None:
    """Sending waits for room as long as it may, and goes on once there is some."""
    go_on = threading.Event()

    def task(pipe: Pipe) -> None:
        pipe.signal()
        go_on.wait(PATIENCE)
        count = sum(1 for _ in pipe)
        counts.append(count)

    counts: list[int] = []
    with Actor(task) as made:
        sent = 0
        with pytest.raises(Again, match="send on <Actor"):
            while True:
                made.send("x", timeout=0)
                sent += 1
        assert not made.poll(0, zmq.POLLOUT)
        made.sndtimeo = 10
        with pytest.raises(Again):
            made.send("x")
        go_on.set()
        assert made.poll(TIMEOUT, zmq.POLLOUT)
        made.send("x", timeout=TIMEOUT)
    assert counts == [sent + 1]


def test_loop_over_an_actor() -> None:
    """It yields messages, and ends when the task has, also if that was before."""
    made = Actor(say, "one", "two")
    assert soon(lambda: made.ended)
    assert [str(message[0]) for message in made] == ["one", "two"]
    assert list(made) == []
    made.close()
    assert list(made) == []


def test_loop_over_a_pipe() -> None:
    """It ends when the actor is told to end, and at no message that only has a word of that in it."""
    seen: list[list[bytes]] = []

    def task(pipe: Pipe) -> None:
        seen.extend(message.parts for message in pipe)
        seen.append([b"over"])

    with Actor(task) as made:
        for parts in [b"$TERM", b""], [b"", b"$TERM"], [b"$TERM "], [b"x"]:
            made.send_parts(parts)
    assert seen == [[b"$TERM", b""], [b"", b"$TERM"], [b"$TERM "], [b"x"], [b"over"]]


@pytest.mark.parametrize("told_by", ["close", "message"])
def test_the_word_to_end(told_by: str) -> None:
    """Received as text it is $TERM, as in C; an actor can be told by a message, too."""
    seen: list[str] = []
    made = Actor(lambda pipe: seen.append(pipe.recv()))
    if told_by == "message":
        made.send("$TERM")
        assert soon(lambda: made.ended)
    made.close()
    assert seen == ["$TERM"]


def test_poller_with_both_ends() -> None:
    """Actors and pipes are for pollers, as sockets are; a task that waits with a poller is ready."""

    def task(pipe: Pipe, endpoint: str) -> None:
        with Socket(zmq.PULL, connect=endpoint) as pull, Poller(pipe, pull) as poller:
            while True:
                for reader in poller.wait(timeout=TIMEOUT):
                    if reader is pipe:
                        return
                    pipe.send(pull.recv())

    with Socket(zmq.PUSH, bind="tcp://127.0.0.1:*") as push, Actor(task, push.last_endpoint) as made:
        push.send("news")
        with Poller(made) as poller:
            assert list(poller.wait(timeout=TIMEOUT)) == [made]
        assert made.recv() == "news"


def test_options_of_both_ends() -> None:
    def task(pipe: Pipe) -> None:
        pipe.rcvtimeo = 10
        with pytest.raises(Again):
            pipe.recv()
        pipe.send_json([pipe.rcvtimeo, pipe.linger, pipe.rcvmore])
        pipe.rcvtimeo = -1
        pipe.recv()

    with Actor(task) as made:
        made.sndtimeo = 500
        assert made.sndtimeo == 500
        assert made.recv_json() == [10, 0, False]
        with pytest.raises(AttributeError):
            made.no_such_option  # noqa: B018
        with pytest.raises(AttributeError):
            made.no_such_option = 1


# ---------------------------------------------------------------- starting


def test_arguments_are_any_objects() -> None:
    seen: list[Any] = []

    def task(pipe: Pipe, *args: Any, **kwargs: Any) -> None:
        seen.append((args, kwargs))

    given = [object(), None, b"\0"]
    Actor(task, *given, task=1, self=2, timeout=3).close()
    assert seen == [(tuple(given), {"task": 1, "self": 2, "timeout": 3})]


def test_runs_on_a_thread_of_its_own() -> None:
    threads: list[int] = []
    for _ in range(2):
        Actor(lambda pipe: threads.append(threading.get_ident())).close()
    assert threading.get_ident() not in threads
    assert len(threads) == 2


def test_ready_by_a_signal() -> None:
    """Actor(...) waits for the task's signal, which nobody receives."""
    go, ready = threading.Event(), []

    def task(pipe: Pipe) -> None:
        go.wait(PATIENCE)
        ready.append(True)
        pipe.signal(3)
        pipe.recv()

    timer = threading.Timer(0.05, go.set)
    timer.start()
    with Actor(task) as made:
        assert ready
        assert made.recv_nowait() is None
    timer.join()


def refused(error: type[Exception], call: Any, *args: Any, **kwargs: Any) -> None:
    with pytest.raises(error):
        call(*args, **kwargs)


FIRST_USES: dict[str, Any] = {
    "send": lambda pipe: pipe.send("first"),
    "recv_nowait": lambda pipe: pipe.recv_nowait(),
    "poll": lambda pipe: pipe.poll(0),
    "poll for sending": lambda pipe: pipe.poll(0, zmq.POLLOUT),
    "signal": lambda pipe: pipe.signal(),
    "recv": lambda pipe: refused(Again, pipe.recv, timeout=10),
    "poller": lambda pipe: list(Poller(pipe).wait(timeout=10)),
    "poller, briefly": lambda pipe: list(Poller(pipe).wait(timeout=0)),
    "waiting and a signal that is wrong": lambda pipe: refused(ValueError, pipe.signal, -1),
}


@pytest.mark.parametrize("use", FIRST_USES)
def test_ready_by_the_first_use_of_the_pipe(use: str) -> None:
    """However a task first uses its pipe, it is ready; nothing that it sends is lost, and no signal is left over."""

    def task(pipe: Pipe) -> None:
        FIRST_USES[use](pipe)
        pipe.send("next")
        assert soon_told(pipe)

    def soon_told(pipe: Pipe) -> bool:
        return pipe.recv(timeout=TIMEOUT) == "$TERM"

    for _ in range(20):
        with Actor(task) as made:
            if use == "send":
                assert made.recv(timeout=TIMEOUT) == "first"
            assert made.recv(timeout=TIMEOUT) == "next"
            assert made.recv_nowait() is None
    assert _blocking.unready == {}


def test_ready_by_the_end() -> None:
    with Actor(lambda pipe: None) as made, pytest.raises(EOFError):
        made.recv(timeout=TIMEOUT)


def test_what_a_short_task_has_sent() -> None:
    """A task may do its work and return: nothing that it has sent is lost."""
    for _ in range(50):
        with Actor(say, "one", "two") as made:
            assert [made.recv(timeout=TIMEOUT), made.recv(timeout=TIMEOUT)] == ["one", "two"]


def test_exception_before_it_is_ready() -> None:
    """A task that cannot start is like a constructor that fails."""

    def task(pipe: Pipe) -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing") as caught:
        Actor(task)
    assert caught.traceback[-1].name == "task"
    assert soon(lambda: not _actor_threads._left)


# ---------------------------------------------------------------- the decorator


@actor
def greeter(pipe: Pipe, greeting: str, *, mark: str = ".") -> None:
    """Greet whoever is named."""
    for message in pipe:
        pipe.send(f"{greeting} {message[0]}{mark}")


def test_decorator() -> None:
    """It makes of a function what starts an actor, with the name and the documentation of the function."""
    assert (greeter.__name__, greeter.__doc__) == ("greeter", "Greet whoever is named.")
    with greeter("Hello", mark="!") as made:
        assert type(made) is Actor
        assert repr(made) == "<Actor greeter running>"
        made.send("world")
        assert made.recv() == "Hello world!"
    with pytest.raises(TypeError, match="greeting"):
        greeter()  # type: ignore[call-arg]


def test_actor_is_the_decorator_wherever_it_is_imported() -> None:
    """No module stands in the way of the function."""
    children.check(
        """
        from pyczmq import Actor
        import pyczmq, pyczmq.types
        from pyczmq.types import actor
        assert callable(actor) and pyczmq.actor is actor is pyczmq.types.actor
        """
    )


# ---------------------------------------------------------------- the end


@pytest.mark.parametrize("name", [*RECEIVING, "recv_nowait", "recv_frame_nowait"])
def test_receiving_from_one_that_has_ended(name: str) -> None:
    """What it has sent comes first; then there is EOFError, and never the signal by which C ends an actor."""
    for attempt in range(3):
        made = Actor(say, "one") if attempt else Actor(lambda pipe: None)
        if attempt == 2:
            assert soon(functools.partial(getattr, made, "ended"))
        if attempt and name != "wait":
            assert made.recv(timeout=TIMEOUT) == "one"
        for _ in range(2):
            with pytest.raises(EOFError, match=r"the actor's task .* has ended"):
                while True:
                    # The last has ended only just, perhaps.
                    getattr(made, name)(*MESSAGING.get(name, ()))
                    assert name.endswith("nowait")
        assert made.poll(-1)
        assert made.ended
        made.close()


@pytest.mark.parametrize("name", [*SENDING, "send_frame", "send_msg"])
def test_sending_to_one_that_has_ended(name: str) -> None:
    """BrokenPipeError, also while there is something to receive; frames and messages are not lost."""
    made = Actor(say, "one")
    assert soon(lambda: made.ended)
    sent = {"send_frame": (Frame("x"),), "send_msg": (Message(["x"]),)}.get(name) or MESSAGING[name]
    with pytest.raises(BrokenPipeError, match="the actor's task say has ended") as caught:
        getattr(made, name)(*sent)
    assert caught.value.errno == errno.EPIPE
    if name == "send_frame":
        assert sent[0] == "x"
    if name == "send_msg":
        assert sent[0] == ["x"]
    assert made.recv() == "one"
    assert made.poll(-1, zmq.POLLOUT)
    made.close()


def test_blocked_sender_learns_of_the_end() -> None:
    """Whoever waits for room in the pipe is told that the task has ended."""
    go_on = threading.Event()

    def task(pipe: Pipe) -> None:
        pipe.signal()
        go_on.wait(PATIENCE)

    with Actor(task) as made:
        with pytest.raises(Again):
            while True:
                made.send("x", timeout=0)
        timer = threading.Timer(0.05, go_on.set)
        timer.start()
        with pytest.raises(BrokenPipeError):
            made.send("x", timeout=TIMEOUT)
        timer.join()


@pytest.mark.parametrize("full", [False, True])
def test_end_that_finds_no_room(full: bool) -> None:
    """A pipe that is full has no room for C's signal; the end is noticed all the same, and no message is lost."""
    counts: list[int] = []

    def task(pipe: Pipe) -> None:
        pipe.signal()
        count = 0
        with pytest.raises(Again):
            while True:
                pipe.send("x", timeout=0)
                count += 1
        counts.append(count)
        if not full:
            assert pipe.poll(TIMEOUT, zmq.POLLOUT)

    made = Actor(task)
    if full:
        assert soon(lambda: made.ended)
    received = sum(1 for _ in made)
    assert counts == [received]
    with pytest.raises(EOFError):
        made.recv()
    made.close()


@pytest.mark.parametrize("name", [*RECEIVING, *SENDING])
def test_exception_comes_out_of_calls(name: str) -> None:
    """Once: after that the actor is like any that has ended."""
    with Actor(fail_when_told) as made:
        made.send("go")
        if name in SENDING:
            assert soon(lambda: made.ended)
        with pytest.raises(ZeroDivisionError, match="in the task") as caught:
            getattr(made, name)(*MESSAGING[name])
        assert caught.traceback[-1].name == "fail_when_told"
        with pytest.raises(BrokenPipeError if name in SENDING else EOFError):
            getattr(made, name)(*MESSAGING[name])


def test_exception_comes_out_of_a_loop() -> None:
    """After what was sent before; and not as the end of the loop, whatever it is."""
    for error in EOFError("mine"), zmq_error(), StopIteration("x"):

        def task(pipe: Pipe) -> None:
            pipe.send("last words")
            raise error  # noqa: B023

        seen = []
        with Actor(task) as made, pytest.raises((type(error), RuntimeError)):
            for message in made:
                seen.append(str(message[0]))
        assert seen == ["last words"]


def zmq_error() -> Exception:
    return ContextTerminated(zmq.ETERM, "in the task")


def test_exception_comes_out_of_close() -> None:
    """The actor is closed then, and close does not say it again."""
    made = Actor(fail_when_told)
    with pytest.raises(ZeroDivisionError, match="in the task") as caught:
        made.close()
    assert caught.traceback[-1].name == "fail_when_told"
    assert made.closed
    made.close()


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, MemoryError])
def test_any_exception_is_passed_on(error: type[BaseException]) -> None:
    def task(pipe: Pipe) -> None:
        pipe.recv()
        raise error

    made = Actor(task)
    with pytest.raises(error):
        made.close()
    assert made.closed


def test_system_exit_ends_the_task_quietly() -> None:
    with Actor(lambda pipe: (pipe.signal(), sys.exit("ignored"))) as made, pytest.raises(EOFError):
        made.recv(timeout=TIMEOUT)


def test_collected_actor_reports_its_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody need close an actor: one that nobody refers to is told to end; what it raises then is reported."""
    told: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    made = Actor(fail_when_told)
    del made
    assert soon(lambda: told)
    assert told[0].exc_type is ZeroDivisionError
    assert "fail_when_told" in told[0].thread.name


# ---------------------------------------------------------------- closing


def test_close_twice() -> None:
    made = Actor(idle)
    assert not made.closed
    made.close()
    made.close(timeout=0)
    assert made.closed
    assert made.ended


def test_task_that_does_not_end() -> None:
    """It stays alive, and can be closed again."""
    go = threading.Event()

    def stubborn(pipe: Pipe) -> None:
        for message in pipe:
            pipe.send_msg(message)
        go.wait(PATIENCE)

    made = Actor(stubborn)
    for timeout in 0, 30:
        with pytest.raises(TimeoutError, match=f"stubborn has not ended {timeout} ms after it was told to"):
            made.close(timeout=timeout)
    assert not made.closed
    go.set()
    made.close(-1)
    assert made.closed


@pytest.mark.parametrize(
    ("timeout", "error"), [(-2, ValueError), (2**40, ValueError), ("1", TypeError), (None, TypeError)]
)
def test_wrong_timeouts_of_close(timeout: Any, error: type[Exception]) -> None:
    with Actor(idle) as made:
        with pytest.raises(error, match="timeout must be"):
            made.close(timeout)
        assert not made.closed


def test_what_nobody_has_received() -> None:
    """An actor whose pipe is full both ways can be closed."""
    full = threading.Event()

    def task(pipe: Pipe) -> None:
        pipe.signal()
        with pytest.raises(Again):
            while True:
                pipe.send("x", timeout=0)
        full.set()
        pipe.send("y")
        for _ in pipe:
            pass

    made = Actor(task)
    assert full.wait(PATIENCE)
    with pytest.raises(Again):
        while True:
            made.send("x", timeout=0)
    made.close()


def test_with_block_raises_what_the_task_has_raised() -> None:
    with pytest.raises(ZeroDivisionError), Actor(fail_when_told):
        pass


def test_exception_of_the_block_wins() -> None:
    """What goes wrong in a block comes out of it; what has gone wrong in the task is in the traceback before that."""
    with pytest.raises(LookupError, match="in the block") as caught, Actor(fail_when_told) as made:
        raise LookupError("in the block")
    assert made.closed
    assert isinstance(caught.value.__context__, ZeroDivisionError)
    text = "".join(traceback.format_exception(type(caught.value), caught.value, caught.value.__traceback__))
    assert text.index("ZeroDivisionError: in the task") < text.index("LookupError: in the block")


@pytest.mark.parametrize("hidden", [False, True])
def test_exception_of_the_block_that_has_a_context(hidden: bool) -> None:
    """The task's stands at the beginning of the chain, in place of one that was hidden."""
    with pytest.raises(LookupError) as caught, Actor(fail_when_told):
        try:
            raise ValueError("first")
        except ValueError:
            if hidden:
                raise LookupError from None
            raise LookupError  # noqa: B904
    error = caught.value.__context__
    assert not caught.value.__suppress_context__
    if not hidden:
        assert isinstance(error, ValueError)
        error = error.__context__
    assert isinstance(error, ZeroDivisionError)
    assert error.__context__ is None


def test_exception_of_the_block_that_has_a_cause() -> None:
    with pytest.raises(LookupError) as caught, Actor(fail_when_told):
        raise LookupError from ValueError("cause")
    assert isinstance(caught.value.__cause__, ValueError)
    assert isinstance(caught.value.__cause__.__context__, ZeroDivisionError)


def test_exception_of_the_task_that_the_block_has_seen() -> None:
    """It comes out once, as it is."""
    with pytest.raises(ZeroDivisionError) as caught, Actor(fail_at_once) as made:
        made.recv()
    assert caught.value.__context__ is None


def test_exception_of_the_block_where_the_task_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    monkeypatch.setattr(Actor.close, "__defaults__", (20,))
    with pytest.raises(LookupError) as caught, Actor(lambda pipe: (pipe.signal(), go.wait(PATIENCE))) as made:
        raise LookupError
    assert isinstance(caught.value.__context__, TimeoutError)
    assert not made.closed
    go.set()
    made.close(TIMEOUT)


# ---------------------------------------------------------------- misuse


@pytest.mark.parametrize("name", WITH_POLL)
def test_use_after_close(name: str) -> None:
    made = Actor(echo)
    made.close()
    with pytest.raises(ValueError, match="the actor is closed"):
        getattr(made, name)(*WITH_POLL[name])


def test_attributes_after_close() -> None:
    made = Actor(echo)
    made.close()
    for use in (
        lambda: made.handle,
        lambda: made.linger,
        lambda: setattr(made, "linger", 1),
        made.__enter__,
    ):
        with pytest.raises(ValueError, match="the actor is closed"):
            use()
    assert repr(made) == "<Actor echo closed>"
    assert made.name == "echo"


def test_handle_that_was_destroyed_by_other_means() -> None:
    made = Actor(echo)
    zactor.destroy(made.handle)
    assert made.closed
    with pytest.raises(ValueError, match="was destroyed"):
        made.recv()
    with pytest.raises(ValueError, match="the actor is closed"):
        made.poll()
    made.close()


def a_coroutine() -> Any:
    async def task(pipe: Pipe) -> None: ...

    return task


def a_generator() -> Any:
    def task(pipe: Pipe) -> Any:
        yield

    return task


def an_async_generator() -> Any:
    async def task(pipe: Pipe) -> Any:
        yield

    return task


@pytest.mark.parametrize(
    "task", [None, 5, "task", b"task", object(), [], a_coroutine(), a_generator(), an_async_generator()]
)
def test_what_is_no_task(task: Any) -> None:
    for make in Actor, actor:
        with pytest.raises(TypeError, match="task must be a"):
            make(task)


def test_no_task_at_all() -> None:
    with pytest.raises(TypeError):
        Actor()  # type: ignore[call-overload]


def test_arguments_that_do_not_fit() -> None:
    with pytest.raises(TypeError, match="fail_when_told"):
        Actor(fail_when_told, 1, 2)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("name", "args", "error"),
    [
        ("send", (None,), TypeError),
        ("send", (5,), TypeError),
        ("send_bytes", (None,), TypeError),
        ("send_bytes", (5,), TypeError),
        ("send_parts", ("text",), TypeError),
        ("send_parts", (None,), TypeError),
        ("send_parts", ([None],), TypeError),
        ("send_frame", (b"x",), TypeError),
        ("send_msg", ([b"x"],), TypeError),
        ("send_json", (object(),), TypeError),
        ("send_picture", ("q", 1), ValueError),
        ("send_picture", (None,), TypeError),
        ("signal", (256,), ValueError),
        ("signal", (-1,), ValueError),
        ("signal", ("1",), TypeError),
        ("recv_picture", ("q",), ValueError),
        ("poll", (-2,), ValueError),
        ("poll", ("1",), TypeError),
        ("poll", (0, 0), ValueError),
        ("poll", (0, 4), ValueError),
    ],
)
def test_wrong_arguments(name: str, args: Any, error: type[Exception]) -> None:
    """Of both ends; nothing of it arrives."""

    def task(pipe: Pipe) -> None:
        with pytest.raises(error):
            getattr(pipe, name)(*args)
        pipe.send("done")
        assert pipe.recv(timeout=TIMEOUT) == "well"

    with Actor(task) as made:
        with pytest.raises(error):
            getattr(made, name)(*args)
        assert made.recv(timeout=TIMEOUT) == "done"
        made.send("well")


@pytest.mark.parametrize("name", [*WITH_POLL, "close", "linger"])
def test_two_threads(name: str) -> None:
    """While one thread is in a call of the actor's another is refused; they may take turns."""
    go_on = threading.Event()

    def task(pipe: Pipe) -> None:
        pipe.signal()
        go_on.wait(PATIENCE)
        pipe.send("over")

    received: list[str] = []
    with Actor(task) as made:
        thread = threading.Thread(target=lambda: received.append(made.recv(timeout=TIMEOUT)))
        thread.start()
        assert soon(lambda: made._state.busy)
        with pytest.raises(RuntimeError, match="the actor is in use in another thread"):
            getattr(made, name)(*WITH_POLL.get(name, ()))
        go_on.set()
        thread.join()
        assert received == ["over"]
        with pytest.raises(EOFError):
            made.recv()


@pytest.mark.parametrize("name", [*WITH_POLL, "close", "linger", "set linger"])
def test_own_task(name: str) -> None:
    """A task has the pipe; the actor itself is not for it, and cannot be closed by it."""
    errors: list[BaseException] = []
    made: list[Actor] = []

    def task(pipe: Pipe) -> None:
        pipe.recv()
        try:
            if name == "set linger":
                made[0].linger = 1
            else:
                getattr(made[0], name)(*WITH_POLL.get(name, ()))
        except RuntimeError as error:
            errors.append(error)
        pipe.send("over")
        pipe.recv()

    made.append(Actor(task))
    made[0].send("go")
    assert soon(lambda: errors)
    assert "the actor is not for its own task" in str(errors[0])
    assert made[0].recv() == "over"
    made[0].close()


def test_signal_handler_that_closes_the_actor() -> None:
    """It cannot free what a call is at work with."""
    caught: list[Exception] = []
    go_on = threading.Event()

    def task(pipe: Pipe) -> None:
        pipe.signal()
        go_on.wait(PATIENCE)
        pipe.send("over")
        pipe.recv()

    def handler(*_: Any) -> None:
        try:
            made.close()
        except ValueError as error:
            caught.append(error)
        go_on.set()

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with Actor(task) as made:
            threading.Timer(0.1, signal.raise_signal, [signal.SIGUSR1]).start()
            assert made.recv(timeout=TIMEOUT) == "over"
            assert "actor is in use" in str(caught[0])
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.timeout(60, method="thread")
def test_ctrl_c_while_waiting() -> None:
    """It gets through, and the actor is as it was."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with Actor(echo) as made:
            for call in made.recv, made.wait, functools.partial(made.poll, -1), lambda: list(made):
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                with pytest.raises(KeyboardInterrupt):
                    call()
            made.send("still there")
            assert made.recv() == "still there"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# ---------------------------------------------------------------- the pipe


def kept_pipe(after: bool) -> tuple[Actor, Pipe]:
    """Return an actor whose task has let out its pipe, and has ended or not."""
    kept: list[Pipe] = []

    def task(pipe: Pipe) -> None:
        kept.append(pipe)
        if not after:
            idle(pipe)

    made = Actor(task)
    assert soon(lambda: made.ended or not after)
    return made, kept[0]


@pytest.mark.parametrize("name", [*WITH_POLL, "linger", "handle"])
def test_pipe_that_somebody_else_uses(name: str) -> None:
    """It belongs to the actor's thread."""
    made, pipe = kept_pipe(after=False)
    if name == "handle":
        made.close()
        return
    with made, pytest.raises(RuntimeError, match="the pipe belongs to the thread of its actor"):
        getattr(pipe, name)(*WITH_POLL.get(name, ()))


@pytest.mark.parametrize("name", [*WITH_POLL, "linger", "handle"])
def test_pipe_after_the_end(name: str) -> None:
    made, pipe = kept_pipe(after=True)
    with made, pytest.raises(ValueError, match="the pipe is closed: its task has ended"):
        attribute = getattr(pipe, name)
        attribute(*WITH_POLL.get(name, ()))
    assert pipe.closed
    assert list(pipe) == []
    pipe.close()


@pytest.mark.parametrize("name", WITH_POLL)
def test_pipe_that_the_task_has_closed(name: str) -> None:
    """The task has nothing more to say or to hear; what it has said arrives."""

    def task(pipe: Pipe) -> None:
        with pipe:
            pipe.send("last words")
        pipe.close()
        assert list(pipe) == []
        with pytest.raises(ValueError, match=r"the pipe is closed$"):
            getattr(pipe, name)(*WITH_POLL[name])

    with Actor(task) as made:
        assert made.recv(timeout=TIMEOUT) == "last words"
        with pytest.raises(EOFError):
            made.recv(timeout=TIMEOUT)


def test_names() -> None:
    """Of functions their names; of other callables their classes', with nothing of their arguments."""
    shown: list[str] = []

    def task(pipe: Pipe, secret: str = "") -> None:
        shown.extend([repr(pipe), pipe.name])
        with pipe:
            pass
        shown.append(repr(pipe))

    class Callable:
        def __call__(self, pipe: Pipe) -> None:
            pass

        def method(self, pipe: Pipe) -> None:
            pass

    made = Actor(task)
    assert soon(lambda: made.ended)
    assert repr(made) == "<Actor task ended>"
    assert shown == ["<Pipe of task>", "task", "<Pipe of task closed>"]
    made.close()
    named: Any
    for named, name in (
        (functools.partial(task, secret="xyzzy"), "partial"),
        (Callable(), "Callable"),
        (Callable().method, "method"),
        (lambda pipe: None, "<lambda>"),
    ):
        with Actor(named) as made:
            assert made.name == name
            assert "xyzzy" not in repr(made)


# ---------------------------------------------------------------- actors of C's


def test_actor_of_c() -> None:
    """Commands go in as messages, and are answered by signals."""
    with Actor(zproxy.actor) as made:
        assert repr(made) == "<Actor zproxy running>"
        made.send_parts(["FRONTEND", "PULL", "inproc://test_types_actor.front"])
        assert made.wait(timeout=TIMEOUT) == 0
        assert not made.ended
    assert made.closed


def test_end_of_an_actor_of_c() -> None:
    """The signal of its end is one as all others; after that it has ended."""
    with Actor(zproxy.actor) as made:
        made.send("$TERM")
        assert made.wait(timeout=TIMEOUT) == 0
        with pytest.raises(EOFError, match="the actor has ended"):
            made.recv(timeout=TIMEOUT)
        assert made.ended
        assert list(made) == []
        assert made.poll(-1)
        with pytest.raises(BrokenPipeError, match="the actor has ended"):
            made.send("x", timeout=TIMEOUT)


def test_actor_of_c_that_is_waited_for() -> None:
    """A wait that is going on notices the end."""
    with Actor(zproxy.actor) as made:
        made.send("$TERM")
        assert len(list(made)) <= 1
        assert made.ended


def test_argument_of_an_actor_of_c() -> None:
    """It may be an object, whose handle is taken."""
    from pyczmq import zmonitor

    with Socket(zmq.PULL) as pull, Actor(zmonitor.actor, pull) as made:
        made.send_parts(["LISTEN", "LISTENING"])
        made.send("START")
        assert made.wait(timeout=TIMEOUT) == 0
        pull.bind("tcp://127.0.0.1:*")
        assert made.recv_parts(timeout=TIMEOUT)[0] == b"LISTENING"


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        ((1,), {}, "takes no argument"),
        ((None, None), {}, "takes one argument, not 2"),
        ((), {"argument": 1}, "takes no arguments by name"),
    ],
)
def test_wrong_arguments_of_an_actor_of_c(args: Any, kwargs: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        Actor(zproxy.actor, *args, **kwargs)


def test_other_handles_are_no_task() -> None:
    with Actor(idle) as made, pytest.raises(TypeError, match=r"task must be a .*, not struct _zactor_t"):
        Actor(made.handle)


# ---------------------------------------------------------------- for objects that wait in their own way


def test_tries_that_do_not_wait() -> None:
    """recv_now and send_now return None with EAGAIN where nothing is to be had, END at the end, and raise once."""
    from pyczmq.types import _attempts

    with Actor(fail_when_told) as made:
        handle = zactor.resolve(made.handle)

        def receive() -> Any:
            return _actor.recv_now(made._state, _attempts.recv_parts, made.handle, handle)

        assert receive() is None
        assert zmq.errno() == errno.EAGAIN
        send = functools.partial(_attempts.send_frames, frames=[b"go"])
        assert _actor.send_now(made._state, send, made.handle, handle) == 0
        with pytest.raises(ZeroDivisionError):
            while receive() is None:
                assert zmq.errno() == errno.EAGAIN
        assert receive() is _actor.END
        with pytest.raises(BrokenPipeError):
            _actor.send_now(made._state, send, made.handle, handle)


def test_picture_that_does_not_fit_just_before_the_end() -> None:
    """It is told, and the end after it."""
    with Actor(lambda pipe: pipe.signal() or pipe.signal(1)) as made:
        assert soon(lambda: made.ended)
        with pytest.raises(ZMQError) as caught:
            made.recv_picture("s")
        assert caught.value.errno == errno.EBADMSG
        with pytest.raises(EOFError):
            made.recv_picture("s")


# ---------------------------------------------------------------- the end of the process, fork


TASKS = """
import os, sys, threading
from pyczmq import Actor, Socket, zmq, zproxy

def behaves(pipe):
    for message in pipe:
        pipe.send_msg(message)

def fails(pipe):
    pipe.recv()
    1 / 0

def waits(pipe):
    with Socket(zmq.PULL, bind="inproc://waits") as pull:
        pipe.poll(-1)
"""


def test_exit_ends_all_actors() -> None:
    """A program may forget its actors; nothing is left, and nothing is printed."""
    children.check(TASKS + "actors = [Actor(task) for task in (behaves, zproxy.actor, waits, behaves)]\n")


def test_exit_in_a_with_block() -> None:
    children.check(TASKS + "with Actor(behaves) as actor:\n    actor.send('x')\n    sys.exit(0)\n")


def test_exit_reports_exceptions() -> None:
    done = children.run(TASKS + "actor = Actor(fails)\n")
    assert done.status == 0
    assert "ZeroDivisionError" in done.errors
    assert "left behind" not in done.errors


def test_fork() -> None:
    """The actor is the parent's: in the child it is closed."""
    output = children.check(
        TASKS
        + """
actor = Actor(behaves)
pid = os.fork()
if pid == 0:
    assert actor.closed
    for call in actor.recv, actor.poll:
        try:
            call()
        except ValueError as error:
            print(error, flush=True)
    actor.close()
    with Actor(behaves) as other:
        other.send("in the child")
        print(other.recv(), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
actor.send("in the parent")
print(actor.recv())
"""
    )
    assert output.splitlines() == [
        "actor belongs to the parent process",
        "the actor is closed",
        "in the child",
        "in the parent",
    ]


def test_context_of_a_task() -> None:
    """A task has sockets of its own, in any context, and ends with that, by what it raises."""
    pulls: list[Socket] = []

    def task(pipe: Pipe, context: Context, endpoint: str) -> None:
        pulls.append(context.socket(zmq.PULL, bind=endpoint))
        pipe.signal()
        pipe.send(pulls[-1].recv())

    def is_waiting() -> bool:
        if pulls[-1]._lock.acquire(False):
            pulls[-1]._lock.release()
            return False
        return True

    with Context() as context:
        with Actor(task, context, "inproc://one") as made:
            context.socket(zmq.PUSH, connect="inproc://one").send("news")
            assert made.recv(timeout=TIMEOUT) == "news"
        made = Actor(task, context, "inproc://two")
        assert soon(is_waiting)
    with pytest.raises(ContextTerminated):
        made.recv(timeout=TIMEOUT)
    made.close()


def test_a_task_that_does_not_become_ready_is_reported_where_it_was_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_actors, "PATIENCE", 50)
    release = threading.Event()

    def idle(pipe: Any) -> None:
        release.wait(20)

    timer = threading.Timer(0.3, release.set)
    timer.start()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Actor(idle).close()
    timer.join()
    assert [str(each.message) for each in caught if "no signal" in str(each.message)]
    assert caught[0].filename == __file__
