"""Loop: readers, timers, tickets, how a run ends, who owns the sources meanwhile, and what every misuse raises."""

from __future__ import annotations

import doctest
import gc
import os
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import children
import pytest

from pyczmq import Context, Frame, Socket, ZMQError, zactor, zctx, zgossip, zloop, zmq, zsock, zsocket, zstr
from pyczmq.types import Gossip, Monitor
from pyczmq.types import loop as module
from pyczmq.types.loop import Loop


class Wire:
    """A PUSH socket that is connected to a PULL socket."""

    def __init__(self) -> None:
        self.context = Context()
        self.pull = self.context.socket(zmq.PULL, bind="inproc://wire")
        self.push = self.context.socket(zmq.PUSH, connect="inproc://wire")


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.context.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    with Loop() as made:
        yield made


class Pipe:
    """The two ends of a pipe, each of which is closed once: its number may be another's then."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        self.open = {self.read, self.write}

    def close(self, end: int) -> None:
        self.open.remove(end)
        os.close(end)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    for end in list(made.open):
        made.close(end)


def stop(*_: Any) -> int:
    return -1


def pass_on(*_: Any) -> None:
    pass


def ended(loop: Loop, timeout: int = 10000) -> int:
    """Run a loop that must end by itself within the timeout."""

    def too_late(*_: Any) -> None:
        pytest.fail("the loop did not end")

    limit = loop.timer(timeout, 1, too_late)
    try:
        return loop.start()
    finally:
        if not loop.closed:
            loop.timer_end(limit)


def in_thread(function: Any) -> Any:
    """Call a function in another thread; return what it returned, or the exception."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(function())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def test_examples() -> None:
    """The examples in the docstrings run as they stand."""
    assert doctest.testmod(module).failed == 0


def test_exported() -> None:
    import pyczmq
    import pyczmq.types

    assert pyczmq.Loop is pyczmq.types.Loop is Loop


def test_old_program() -> None:
    """What programs for the old pyczmq do with a Loop."""
    ctx = zctx.new()
    output, input = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(output, "inproc://lp.test")
    zsocket.connect(input, "inproc://lp.test")
    loop = Loop()
    item = zmq.pollitem(socket=input, events=zmq.POLLIN)
    events: list[Any] = []

    @zloop.timer_callback
    def on_timer(loop: Loop, timer_id: int, arg: Any) -> int:
        events.append(timer_id)
        zstr.send(arg, "PING")
        return 0

    @zloop.poll_callback
    def on_input(loop: Loop, found: Any, arg: Any) -> int:
        assert found is item
        assert found.revents == zmq.POLLIN
        events.append((zstr.recv(found.socket), arg))
        return -1

    loop.set_verbose(False)
    timer_id = loop.timer(10, 1, on_timer, output)
    assert loop.poller(item, on_input, "arg") == 0
    loop.set_tolerant(item)
    assert loop.start() == -1
    assert events == [timer_id, ("PING", "arg")]
    loop.poller_end(item)
    assert zloop.timer(loop.loop, 0, 1, stop) > 0
    assert loop.loop is loop.handle
    assert ended(loop) == -1


# ---------------------------------------------------------------- readers


def test_reader_gets_loop_source_and_argument(loop: Loop, wire: Wire) -> None:
    found: list[Any] = []

    def on_input(*args: Any) -> int:
        found.append((*args, wire.pull.recv()))
        return -1

    argument = object()
    assert loop.reader(wire.pull, on_input, argument) == 0
    wire.push.send("x")
    assert ended(loop) == -1
    assert found == [(loop, wire.pull, argument, "x")]
    loop.reader_end(wire.pull)
    loop.reader(wire.pull, on_input)
    wire.push.send("y")
    assert ended(loop) == -1
    assert found[1:] == [(loop, wire.pull, None, "y")]


def test_reader_as_decorator(loop: Loop, wire: Wire) -> None:
    """It registers the function and returns it unchanged."""
    found: list[Any] = []

    def on_input(loop: Loop, sock: Socket, arg: Any) -> None:
        found.append((sock.recv(), arg))
        loop.stop()

    assert loop.reader(wire.pull, arg="argument")(on_input) is on_input
    wire.push.send("x")
    assert ended(loop) == -1
    assert found == [("x", "argument")]


def test_sources_of_all_kinds(loop: Loop, wire: Wire, pipe: Pipe) -> None:
    """Each handler gets the very object that was given."""
    left, right = socket.socketpair()
    one = Socket(zmq.PULL, bind="inproc://types.loop.both")
    other = Socket(zmq.PUSH, connect="inproc://types.loop.both")
    raw = zsock.new(zmq.PULL)
    zsock.bind(raw, "inproc://types.loop.raw")
    feed = zsock.new_push(">inproc://types.loop.raw")

    def task(pipe: Any) -> None:
        zsock.signal(pipe)
        zstr.send(pipe, "x")
        zsock.wait(pipe)

    actor = zactor.new(task)
    sources = {
        "socket": one,
        "socket in a context": wire.pull,
        "zsock": raw,
        "actor": actor,
        "descriptor": pipe.read,
        "python socket": left,
    }
    read = {
        "socket": one.recv,
        "socket in a context": wire.pull.recv,
        "zsock": lambda: zstr.recv(raw),
        "actor": lambda: zstr.recv(actor),
        "descriptor": lambda: os.read(pipe.read, 1),
        "python socket": lambda: left.recv(1),
    }
    missing = set(sources)

    def on_input(loop: Loop, source: Any, name: str) -> Any:
        assert source is sources[name]
        assert read[name]() in ("x", b"x")
        missing.remove(name)
        return None if missing else -1

    for name, source in sources.items():
        loop.reader(source, on_input, name)
    assert repr(loop) == "<Loop of 6 sources>"
    other.send("x")
    wire.push.send("x")
    zstr.send(feed, "x")
    os.write(pipe.write, b"x")
    right.send(b"x")
    with left, right, one, other:
        assert ended(loop) == -1
    assert not missing
    zsock.signal(actor)
    zactor.destroy(actor)


def test_task_that_runs_a_loop_is_ready() -> None:
    """An actor whose task sends no signal counts as started once it waits for its pipe, in a loop, too."""

    def task(pipe: Any) -> None:
        with Loop() as loop:
            loop.reader(pipe, stop)
            assert ended(loop) == -1

    zactor.destroy(zactor.new(task))


def test_actor_and_pipe_objects(loop: Loop) -> None:
    from pyczmq import Actor

    def task(pipe: Any) -> None:
        def on_command(loop: Loop, source: Any, arg: Any) -> Any:
            assert source is pipe
            text = pipe.recv()
            return -1 if text == "$TERM" else pipe.send(text.upper())

        with Loop() as inner:
            inner.reader(pipe, on_command)
            inner.start()

    with Actor(task) as actor:

        @loop.reader(actor)
        def on_answer(loop: Loop, source: Any, arg: Any) -> int:
            assert source is actor
            assert actor.recv() == "X"
            return -1

        actor.send("x")
        assert ended(loop) == -1


def test_monitor_and_gossip(loop: Loop) -> None:
    """Gossip also for what it has received already, while it waited for something else."""
    found: list[Any] = []
    with Socket(zmq.PULL) as pull, Monitor(pull, "LISTENING") as monitor, Gossip("one") as one, Gossip("two") as two:

        @loop.reader(monitor)
        def on_event(loop: Loop, source: Monitor, arg: Any) -> None:
            found.append(source.recv(timeout=5000).event)
            one.publish("a", "value")
            one.publish("b", "value")
            while not zgossip._talk(two.handle).sort():
                two.status()

        @loop.reader(two)
        def on_delivery(loop: Loop, source: Gossip, arg: Any) -> int:
            found.append(source.recv(timeout=5000).key)
            return -1 if len(found) == 3 else 0

        two.connect(f"tcp://127.0.0.1:{one.bind('tcp://127.0.0.1:*')}")
        loop.timer(0, 1, lambda *_: pull.bind("tcp://127.0.0.1:*") and None)
        assert ended(loop) == -1
        assert found[0] == "LISTENING"
        assert sorted(found[1:]) == ["a", "b"]
        loop.close()


def test_several_handlers_of_one_source(loop: Loop, wire: Wire) -> None:
    """Each is called, and `reader_end` cancels them all."""
    found: list[int] = []
    for number in range(3):
        loop.reader(wire.pull, lambda loop, sock, number: found.append(number), number)
    wire.push.send("x")
    loop.timer(0, 0, lambda *_: -1 if len(found) >= 6 else 0)
    assert ended(loop) == -1
    assert found[:6] == [0, 1, 2, 0, 1, 2]
    loop.reader_end(wire.pull)
    assert repr(loop) == "<Loop of 0 sources>"
    del found[:]
    assert wire.pull.poll(0)
    for timer_id in range(1, 20):
        loop.timer_end(timer_id)
    loop.timer(5, 1, stop)
    assert ended(loop) == -1
    assert found == []


def test_reader_end_leaves_the_others(loop: Loop, wire: Wire, pipe: Pipe) -> None:
    """Sockets are told from descriptors, and descriptors from each other."""
    found: list[Any] = []

    def on_input(loop: Loop, source: Any, arg: Any) -> int:
        found.append(source)
        return -1

    other = os.pipe()
    for source in (wire.pull, pipe.read, other[0]):
        loop.reader(source, on_input)
    loop.reader_end(pipe.read)
    os.write(pipe.write, b"x")
    wire.push.send("x")
    assert ended(loop) == -1
    loop.reader_end(wire.pull)
    os.write(other[1], b"x")
    assert ended(loop) == -1
    assert found == [wire.pull, other[0]]
    loop.reader_end(other[0])
    for end in other:
        os.close(end)


def test_reader_registered_and_cancelled_in_handlers(loop: Loop, wire: Wire, pipe: Pipe) -> None:
    found: list[Any] = []

    def on_socket(loop: Loop, sock: Socket, arg: Any) -> None:
        found.append(sock.recv())
        loop.reader_end(sock)
        loop.reader(pipe.read, on_pipe)
        os.write(pipe.write, b"y")

    def on_pipe(loop: Loop, fd: int, arg: Any) -> int:
        found.append(os.read(fd, 1))
        return -1

    loop.reader(wire.pull, on_socket)
    wire.push.send("x")
    assert ended(loop) == -1
    assert found == ["x", b"y"]


@pytest.mark.parametrize("raw", [False, True])
def test_poller_for_output_and_for_sources(loop: Loop, wire: Wire, raw: bool) -> None:
    """The old name takes a poll item, which tells the events, or any source."""
    found: list[Any] = []

    def on_ready(loop: Loop, what: Any, arg: Any) -> int:
        found.extend([what, arg])
        return -1

    source = wire.pull.handle if raw else wire.pull
    item = zmq.pollitem(socket=wire.push.handle, events=zmq.POLLOUT)
    loop.poller(item, on_ready, "out")
    assert ended(loop) == -1
    loop.poller_end(item)
    loop.poller(source, on_ready, "in")
    wire.push.send("x")
    assert ended(loop) == -1
    assert found[0] is item
    assert found[0].revents == zmq.POLLOUT
    assert found[2] is source
    assert (found[1], found[3]) == ("out", "in")
    loop.poller_end(source)
    loop.timer(0, 1, stop)
    assert ended(loop) == -1
    assert len(found) == 4


def test_poller_end_of_an_item_cancels_readers(loop: Loop, wire: Wire, pipe: Pipe) -> None:
    """C tells them by socket or descriptor: they are gone from the loop, and other threads may use the socket."""
    loop.reader(wire.pull, pass_on)
    loop.reader(pipe.read, pass_on)

    @loop.timer(0, 1)
    def on_timer(loop: Loop, timer_id: int, arg: Any) -> int:
        loop.poller_end(zmq.pollitem(socket=wire.pull.handle, events=zmq.POLLIN))
        assert in_thread(wire.pull.recv_nowait) is None
        loop.poller_end(zmq.pollitem(fd=pipe.read, events=zmq.POLLIN))
        return -1

    assert ended(loop) == -1
    assert repr(loop) == "<Loop of 0 sources>"
    for source in (wire.pull, pipe.read):
        with pytest.raises(ValueError, match="is not in the loop"):
            loop.reader_end(source)


def test_end_of_a_pipe_is_told_until_the_reader_ends(loop: Loop, pipe: Pipe) -> None:
    """Unlike zloop's own, which cancels the handler in silence at the second time."""
    found: list[Any] = []

    def on_input(loop: Loop, fd: int, arg: Any) -> None:
        found.append(fd)
        if len(found) == 3:
            assert os.read(fd, 1) == b""
            loop.reader_end(fd)
            loop.timer(5, 1, stop)

    loop.reader(pipe.read, on_input)
    pipe.close(pipe.write)
    assert ended(loop) == -1
    assert found == [pipe.read] * 3


# ---------------------------------------------------------------- timers, tickets


def test_timer_repeats_and_gets_its_id(loop: Loop) -> None:
    found: list[Any] = []
    timer_id = loop.timer(1, 3, lambda *args: found.append(args), "arg")
    assert timer_id > 0
    loop.timer(60, 1, stop)
    assert ended(loop) == -1
    assert found == [(loop, timer_id, "arg")] * 3


def test_timer_as_decorator(loop: Loop) -> None:
    """It returns the function; the handler gets the id, and may end the timer with it."""
    found: list[Any] = []

    def on_timer(loop: Loop, timer_id: int, arg: Any) -> None:
        found.append((timer_id, arg))
        if len(found) == 4:
            assert loop.timer_end(timer_id) == 0
            loop.timer(5, 1, stop)

    assert loop.timer(1, 0, arg="arg")(on_timer) is on_timer
    assert ended(loop) == -1
    assert len(found) == 4
    assert len(set(found)) == 1
    assert found[0][1] == "arg"


def test_timer_end(loop: Loop) -> None:
    timer_id = loop.timer(0, 1, lambda *_: pytest.fail("it was cancelled"))
    assert loop.timer_end(timer_id) == 0
    assert loop.timer_end(timer_id) == 0
    assert loop.timer_end(12345) == 0
    loop.timer(5, 1, stop)
    assert ended(loop) == -1


def test_more_timers_than_allowed(loop: Loop, capfd: Any) -> None:
    loop.set_max_timers(2)
    loop.timer(0, 1, stop)
    loop.timer(0, 1, stop)
    with pytest.raises(RuntimeError, match="the loop has as many timers as set_max_timers allows"):
        loop.timer(0, 1, stop)
    with pytest.raises(RuntimeError, match="the loop has as many timers as set_max_timers allows"):
        loop.timer(0, 1)(stop)
    capfd.readouterr()
    loop.set_max_timers(0)
    loop.timer(0, 1, stop)
    assert ended(loop) == -1


def test_tickets(loop: Loop) -> None:
    found: list[Any] = []
    with pytest.raises(ValueError, match="no delay for tickets"):
        loop.ticket(stop)
    loop.set_ticket_delay(5)

    def on_ticket(*args: Any) -> int:
        found.append(args)
        return -1

    kept, deleted = loop.ticket(on_ticket, "kept"), loop.ticket(on_ticket, "deleted")
    loop.ticket_reset(deleted)
    loop.ticket_delete(deleted)
    for use in loop.ticket_reset, loop.ticket_delete:
        with pytest.raises(ValueError, match="not a ticket of this loop"):
            use(deleted)
        for wrong in None, 1, "x":
            with pytest.raises(TypeError, match="handle must be a void"):
                use(wrong)
    loop.ticket_reset(kept)
    assert ended(loop) == -1
    assert found == [(loop, 0, "kept")]


def test_set_verbose(loop: Loop, capfd: Any) -> None:
    loop.set_verbose(True)
    loop.timer(0, 1, stop)
    loop.start()
    output = capfd.readouterr()
    assert "zloop" in output.out + output.err


# ---------------------------------------------------------------- how a run ends


@pytest.mark.parametrize("result", [None, 0, 1, 2**40, True, -2])
def test_results_that_go_on(loop: Loop, result: Any) -> None:
    loop.timer(0, 1, lambda *_: result)
    found: list[int] = []
    loop.timer(10, 1, lambda *_: found.append(1) or -1)
    assert ended(loop) == -1
    assert found == [1]


@pytest.mark.parametrize("result", ["text", b"", 1.5, [], object()])
def test_results_of_another_type(loop: Loop, result: Any) -> None:
    loop.timer(0, 1, lambda *_: result)
    with pytest.raises(TypeError, match="a handler must return None or an int, not"):
        ended(loop)


@pytest.mark.parametrize("error", [ValueError("mine"), KeyError("mine"), KeyboardInterrupt("mine"), SystemExit("mine")])
@pytest.mark.parametrize("kind", ["timer", "reader", "ticket", "poller"])
def test_exception_comes_out(loop: Loop, wire: Wire, kind: str, error: BaseException) -> None:
    """And the loop can be started again."""

    def fail(*_: Any) -> None:
        wire.pull.recv_nowait()
        raise error

    wire.push.send("x")
    if kind == "timer":
        loop.timer(0, 1, fail)
    elif kind == "ticket":
        loop.set_ticket_delay(1)
        loop.ticket(fail)
    elif kind == "poller":
        loop.poller(zmq.pollitem(socket=wire.pull.handle, events=zmq.POLLIN), fail)
    else:
        loop.reader(wire.pull, fail)
    with pytest.raises(type(error)) as caught:
        ended(loop)
    assert caught.value is error
    loop.timer(5, 1, stop)
    if kind == "ticket":
        # zloop keeps a ticket that has ended the loop.
        with pytest.raises(type(error)):
            ended(loop)
    else:
        assert ended(loop) == -1


def test_stop_in_a_handler_ends_the_loop_after_it(loop: Loop, wire: Wire) -> None:
    """Twice does no harm, no other handler is called, and the loop can be started again."""
    found: list[Any] = []

    def on_timer(loop: Loop, timer_id: int, arg: Any) -> int:
        loop.stop()
        loop.stop()
        found.append(arg)
        return 0

    for number in range(3):
        loop.timer(0, 1, on_timer, number)
    assert ended(loop) == -1
    assert found == [0]
    assert ended(loop) == -1
    assert found == [0, 1]
    loop.reader(wire.pull, lambda loop, sock, arg: found.append(sock.recv()) or loop.stop())
    wire.push.send("x")
    wire.push.send("y")
    while len(found) < 5:
        assert ended(loop) == -1
    assert sorted(found[2:], key=str) == [2, "x", "y"]


def test_stop_thousands_of_times(loop: Loop) -> None:
    """What one run leaves unread does not pile up."""
    for _ in range(3000):
        loop.timer(0, 1, lambda loop, timer_id, arg: loop.stop())
        loop.start()


@pytest.mark.parametrize("main", [True, False])
def test_stop_in_another_thread(loop: Loop, wire: Wire, main: bool) -> None:
    """A loop that sleeps, on the main thread or another, with a source or without, ends for good and at once."""
    for _ in range(3):
        running = threading.Event()
        loop.timer(0, 1, lambda loop, timer_id, running: running.set(), running)
        results: list[int] = []

        def run(results: list[int] = results) -> None:
            results.append(loop.start())

        def end(running: threading.Event = running) -> None:
            assert running.wait(10)
            loop.stop()

        thread = threading.Thread(target=end if main else run)
        thread.start()
        (run if main else end)()
        thread.join()
        assert results == [-1]
        if not main:
            loop.reader(wire.pull, pass_on)


def test_stop_before_start(loop: Loop) -> None:
    """A loop that does not run ends at once when it is started: a thread that is about to start it is stopped, too."""
    loop.timer(0, 1, lambda *_: pytest.fail("the loop was to end at once"))
    for _ in range(3):
        loop.stop()
        assert loop.start() == -1
    with pytest.raises(pytest.fail.Exception):
        ended(loop)


def test_stop_from_many_threads(loop: Loop) -> None:
    """However the calls fall, each run ends, and no thread waits for ever."""
    over = threading.Event()

    def bother() -> None:
        while not over.is_set():
            loop.stop()
            time.sleep(0)

    threads = [threading.Thread(target=bother) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(200):
            assert ended(loop) == -1
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_context_that_ends(loop: Loop, wire: Wire) -> None:
    """Closing the context from another thread ends the loop with 0, and the sockets belong to nobody then."""
    loop.reader(wire.pull, pass_on)
    threads: list[threading.Thread] = []

    @loop.timer(0, 1)
    def on_timer(loop: Loop, timer_id: int, arg: Any) -> None:
        threads.append(threading.Thread(target=wire.context.close))
        threads[0].start()

    assert ended(loop) == 0
    threads[0].join()
    assert wire.pull.closed


def test_start_again_and_again(loop: Loop) -> None:
    found: list[int] = []
    for number in range(5):
        loop.timer(0, 1, lambda loop, timer_id, number: found.append(number) or -1, number)
        assert ended(loop) == -1
    assert found == [0, 1, 2, 3, 4]


def test_nested_loops(loop: Loop, wire: Wire) -> None:
    """A handler runs another loop, also with a source of the outer one, which keeps it."""
    found: list[Any] = []

    def on_input(loop: Loop, sock: Socket, arg: Any) -> int:
        found.append((sock.recv(), arg))
        return -1

    def on_timer(outer: Loop, timer_id: int, arg: Any) -> None:
        wire.push.send("x")
        with Loop() as inner:
            inner.reader(wire.pull, on_input, "inner")
            assert ended(inner) == -1
        assert isinstance(in_thread(wire.pull.recv_nowait), RuntimeError)
        wire.push.send("y")

    loop.reader(wire.pull, on_input, "outer")
    loop.timer(0, 1, on_timer)
    assert ended(loop) == -1
    assert found == [("x", "inner"), ("y", "outer")]


def test_inner_loop_stops_the_outer_one(loop: Loop) -> None:
    """The outer loop ends once its own handler has returned."""
    found: list[str] = []

    def on_timer(outer: Loop, timer_id: int, arg: Any) -> None:
        with Loop() as inner:
            inner.timer(0, 1, lambda *_: outer.stop())
            inner.timer(5, 1, lambda *_: found.append("inner") or -1)
            assert ended(inner) == -1
        found.append("outer")

    loop.timer(0, 1, on_timer)
    loop.timer(10, 1, lambda *_: pytest.fail("the loop was to end"))
    assert ended(loop) == -1
    assert found == ["inner", "outer"]


# ---------------------------------------------------------------- sources that are closed


def test_source_that_was_closed_before_the_run_is_named(loop: Loop, wire: Wire) -> None:
    """It can be cancelled all the same, and the loop goes well then."""
    loop.reader(wire.pull, pass_on)
    wire.pull.close()
    loop.timer(0, 1, stop)
    for _ in range(2):
        with pytest.raises(ValueError, match="a source of the loop is closed") as caught:
            loop.start()
        assert repr(wire.pull) in str(caught.value)
    loop.reader_end(wire.pull)
    assert ended(loop) == -1


@pytest.mark.parametrize("close", ["socket", "context", "handle", "raw handle", "file", "descriptor"])
def test_source_that_a_handler_closes_is_named(loop: Loop, wire: Wire, pipe: Pipe, close: str) -> None:
    """The loop ends, with no other look at the source."""
    single = Socket(zmq.PULL)
    raw = zsock.new(zmq.PULL)
    file = os.fdopen(os.dup(pipe.read), "rb")
    source, action = {
        "socket": (single, single.close),
        "context": (wire.pull, wire.context.close),
        "handle": (single, lambda: zsock.destroy(single.handle)),
        "raw handle": (raw, lambda: zsock.destroy(raw)),
        "file": (file, file.close),
        "descriptor": (pipe.read, lambda: pipe.close(pipe.read)),
    }[close]
    loop.reader(source, lambda *_: pytest.fail("the source is closed"))
    loop.timer(0, 1, lambda *_: action())
    with file, single, pytest.raises(ValueError, match="a source of the loop is closed") as caught:
        ended(loop)
    assert (f"file descriptor {source}" if close == "descriptor" else repr(source)) in str(caught.value)
    loop.reader_end(source)
    loop.timer(0, 1, stop)
    assert ended(loop) == -1


@pytest.mark.parametrize("order", ["cancel, close", "close, cancel", "close, end"])
def test_handler_may_close_and_cancel_a_source(loop: Loop, wire: Wire, order: str) -> None:
    """In either order; one that ends the loop need not cancel it."""

    def on_input(loop: Loop, sock: Socket, arg: Any) -> int:
        for action in order.split(", "):
            if action == "cancel":
                loop.reader_end(sock)
            elif action == "close":
                sock.close()
            else:
                return -1
        loop.timer(5, 1, stop)
        return 0

    loop.reader(wire.pull, on_input)
    wire.push.send("x")
    assert ended(loop) == -1
    assert wire.pull.closed


def test_closed_source_of_a_poll_item(loop: Loop, wire: Wire) -> None:
    item = zmq.pollitem(socket=wire.pull.handle, events=zmq.POLLIN)
    loop.poller(item, pass_on)
    wire.pull.close()
    with pytest.raises(ValueError, match="a socket of the loop was destroyed"):
        ended(loop)
    loop.poller_end(item)
    loop.timer(0, 1, stop)
    assert ended(loop) == -1


# ---------------------------------------------------------------- threads


def test_sources_belong_to_the_thread_that_runs_the_loop(loop: Loop, wire: Wire) -> None:
    """Until they are cancelled, or the loop has ended; those that are registered meanwhile, too."""
    late = wire.context.socket(zmq.PULL)

    def refused(socket: Socket) -> bool:
        return all(
            isinstance(in_thread(use), RuntimeError)
            for use in (socket.recv_nowait, socket.close, lambda: socket.poll(0), lambda: socket.rcvhwm)
        )

    @loop.timer(0, 1)
    def on_timer(loop: Loop, timer_id: int, arg: Any) -> int:
        assert refused(wire.pull)
        assert wire.pull.recv_nowait() is None
        assert in_thread(late.recv_nowait) is None
        loop.reader(late, pass_on)
        assert refused(late)
        loop.reader_end(late)
        assert in_thread(late.recv_nowait) is None
        loop.reader(late, pass_on)
        loop.reader(late, pass_on)
        loop.reader_end(wire.pull)
        assert in_thread(wire.pull.recv_nowait) is None
        loop.reader(wire.pull, pass_on)
        return -1

    loop.reader(wire.pull, pass_on)
    assert in_thread(wire.pull.recv_nowait) is None
    assert ended(loop) == -1
    for source in (wire.pull, late):
        assert in_thread(source.recv_nowait) is None


def test_source_in_use_elsewhere(loop: Loop, wire: Wire) -> None:
    """A loop with a socket that another thread receives from does not start, and holds none of the others."""
    from pyczmq import _threads

    other = Socket(zmq.PULL)
    loop.reader(other, pass_on)
    loop.reader(wire.pull, pass_on)
    thread = threading.Thread(target=wire.pull.recv)
    thread.start()
    while thread.ident not in _threads.waiting:
        time.sleep(0.001)
    with pytest.raises(RuntimeError, match=r"<Socket PULL: .*> is in use in another thread"):
        loop.start()
    assert in_thread(other.recv_nowait) is None

    @loop.timer(0, 1)
    def on_timer(loop: Loop, timer_id: int, arg: Any) -> int:
        with pytest.raises(RuntimeError, match=r"<Socket PULL: .*> is in use in another thread"):
            loop.reader(wire.pull, pass_on)
        return -1

    loop.reader_end(wire.pull)
    assert ended(loop) == -1
    assert repr(loop) == "<Loop of 1 source>"
    wire.push.send("x")
    thread.join()
    other.close()
    loop.reader_end(other)


@pytest.mark.parametrize(
    "use",
    [
        lambda loop: loop.reader(0, pass_on),
        lambda loop: loop.reader(0)(pass_on),
        lambda loop: loop.reader_end(0),
        lambda loop: loop.poller(0, pass_on),
        lambda loop: loop.poller_end(0),
        lambda loop: loop.set_tolerant(0),
        lambda loop: loop.timer(1, 1, pass_on),
        lambda loop: loop.timer(1, 1)(pass_on),
        lambda loop: loop.timer_end(1),
        lambda loop: loop.ticket(pass_on),
        lambda loop: loop.ticket_reset(None),
        lambda loop: loop.ticket_delete(None),
        lambda loop: loop.set_ticket_delay(1),
        lambda loop: loop.set_max_timers(1),
        lambda loop: loop.set_verbose(False),
        lambda loop: loop.start(),
        lambda loop: loop.close(),
    ],
)
def test_running_loop_belongs_to_its_thread(loop: Loop, use: Any) -> None:
    """All but stop and repr."""
    found: list[Any] = []

    @loop.timer(0, 1)
    def on_timer(loop: Loop, timer_id: int, arg: Any) -> int:
        found.append(in_thread(lambda: use(loop)))
        found.append(in_thread(lambda: repr(loop)))
        return -1

    assert ended(loop) == -1
    assert isinstance(found[0], RuntimeError)
    assert str(found[0]) == "the loop is in use in another thread"
    assert found[1] == "<Loop of 0 sources, running>"


# ---------------------------------------------------------------- closing


@pytest.mark.parametrize(
    "use",
    [
        lambda loop: loop.reader(0, pass_on),
        lambda loop: loop.reader(0)(pass_on),
        lambda loop: loop.reader_end(0),
        lambda loop: loop.poller(0, pass_on),
        lambda loop: loop.poller_end(0),
        lambda loop: loop.set_tolerant(0),
        lambda loop: loop.timer(1, 1, pass_on),
        lambda loop: loop.timer(1, 1)(pass_on),
        lambda loop: loop.timer_end(1),
        lambda loop: loop.ticket(pass_on),
        lambda loop: loop.ticket_reset(None),
        lambda loop: loop.ticket_delete(None),
        lambda loop: loop.set_ticket_delay(1),
        lambda loop: loop.set_max_timers(1),
        lambda loop: loop.set_verbose(False),
        lambda loop: loop.start(),
        lambda loop: loop.stop(),
        lambda loop: loop.handle,
        lambda loop: loop.loop,
        lambda loop: loop.__enter__(),
    ],
)
@pytest.mark.parametrize("started", [False, True])
def test_use_after_close(use: Any, started: bool) -> None:
    loop = Loop()
    if started:
        loop.timer(0, 1, stop)
        loop.start()
    loop.close()
    loop.close()
    assert loop.closed
    assert repr(loop) == "<Loop closed>"
    with pytest.raises(ValueError, match="the loop is closed"):
        use(loop)


def test_running_loop_is_not_closed(loop: Loop) -> None:
    def on_timer(loop: Loop, timer_id: int, arg: Any) -> int:
        with pytest.raises(ValueError, match="loop is in use"):
            loop.close()
        assert not loop.closed
        return -1

    loop.timer(0, 1, on_timer)
    assert ended(loop) == -1


def test_running_loop_is_not_started(loop: Loop) -> None:
    def on_timer(loop: Loop, timer_id: int, arg: Any) -> None:
        with pytest.raises(ValueError, match="the loop is running already"):
            loop.start()
        assert repr(loop) == "<Loop of 0 sources, running>"
        loop.stop()

    loop.timer(0, 1, on_timer)
    assert ended(loop) == -1
    assert repr(loop) == "<Loop of 0 sources>"


@pytest.mark.parametrize("how", ["close", "forget"])
def test_loop_lets_go(how: str) -> None:
    """Of its sources, handlers and arguments, when it is closed or forgotten, though handlers refer to it."""

    class Thing:
        def __call__(self, *args: Any) -> int:
            return -1

    loop = Loop()
    pull, handler, argument = Socket(zmq.PULL), Thing(), Thing()
    handler.loop = loop  # type: ignore[attr-defined]
    loop.reader(pull, handler, argument)
    loop.timer(0, 1, handler)
    assert loop.start() == -1
    references = [weakref.ref(thing) for thing in (pull, handler, argument)]
    del pull, argument
    for _ in range(4):
        gc.collect()
    assert None not in [reference() for reference in references]
    if how == "close":
        loop.close()
    else:
        references.append(weakref.ref(loop))
        del loop
    del handler
    if how == "close":
        del loop
    for _ in range(4):
        gc.collect()
    assert [reference() for reference in references] == [None] * len(references)


# ---------------------------------------------------------------- misuse


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (None, TypeError, "source must have a socket"),
        ("x", TypeError, "source must have a socket"),
        (1.5, TypeError, "source must have a socket"),
        (object(), TypeError, "source must have a socket"),
        (-1, ValueError, "file descriptor -1 is not open"),
        (999_999, ValueError, "file descriptor 999999 is not open"),
        (2**70, ValueError, "the file descriptor must be from"),
        (Frame("x"), TypeError, "source must have a socket"),
        (Loop(), TypeError, "source must have a socket"),
    ],
    ids=repr,
)
def test_what_is_no_source(loop: Loop, source: Any, error: Any, message: str) -> None:
    for register in (loop.reader, loop.poller):
        with pytest.raises(error, match=message):
            register(source, pass_on)
    with pytest.raises(error, match=message):
        loop.reader(source)(pass_on)
    for end in (loop.reader_end, loop.poller_end):
        with pytest.raises(ValueError, match="is not in the loop"):
            end(source)
    with pytest.raises(TypeError, match=r"item must be a .*zmq_pollitem_t"):
        loop.set_tolerant(source)


def test_closed_source_is_not_registered(loop: Loop, wire: Wire) -> None:
    wire.pull.close()
    with pytest.raises(ZMQError, match="the socket is closed"):
        loop.reader(wire.pull, pass_on)
    assert repr(loop) == "<Loop of 0 sources>"


@pytest.mark.parametrize("handler", [1, "x", [], object()])
def test_what_is_no_handler(loop: Loop, wire: Wire, handler: Any) -> None:
    loop.set_ticket_delay(1)
    item = zmq.pollitem(socket=wire.pull.handle, events=zmq.POLLIN)
    for register in (
        lambda: loop.reader(wire.pull, handler),
        lambda: loop.reader(wire.pull)(handler),
        lambda: loop.poller(wire.pull, handler),
        lambda: loop.poller(item, handler),
        lambda: loop.timer(1, 1, handler),
        lambda: loop.timer(1, 1)(handler),
        lambda: loop.ticket(handler),
    ):
        with pytest.raises(TypeError, match="handler must be callable, not"):
            register()
    assert repr(loop) == "<Loop of 0 sources>"


def test_none_is_no_handler_where_there_is_no_decorator(loop: Loop, wire: Wire) -> None:
    loop.set_ticket_delay(1)
    for register in (lambda: loop.poller(wire.pull, None), lambda: loop.ticket(None)):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="handler must be callable, not NoneType"):
            register()


@pytest.mark.parametrize("number", [None, "1", 1.5, -1, 2**70, object()])
def test_bad_numbers(loop: Loop, number: Any) -> None:
    for call in (
        lambda: loop.timer(number, 1, pass_on),
        lambda: loop.timer(1, number, pass_on),
        lambda: loop.timer(number, number)(pass_on),
        lambda: loop.set_max_timers(number),
        lambda: loop.set_ticket_delay(number),
    ):
        with pytest.raises((TypeError, ValueError), match="must be"):
            call()
    if number != -1:
        with pytest.raises((TypeError, ValueError), match="timer_id must be"):
            loop.timer_end(number)


# ---------------------------------------------------------------- signals, fork, exit


PROGRAM = """
import os, signal, threading, time
from pyczmq import Context, Loop, _threads, zmq

context = Context()
pull = context.socket(zmq.PULL, bind="inproc://pull")
push = context.socket(zmq.PUSH, connect="inproc://pull")
loop = Loop()
loop.reader(pull, lambda loop, sock, arg: print(sock.recv()) or -1)

def when_waiting(number, then=lambda: None):
    main = threading.main_thread().ident
    def send():
        while main not in _threads.waiting:
            time.sleep(0.001)
        os.kill(os.getpid(), number)
        then()
    threading.Thread(target=send).start()
"""


def test_interrupt_gets_through() -> None:
    """The sources belong to nobody then, and the loop can be started again."""
    children.check(
        PROGRAM
        + """
when_waiting(signal.SIGINT)
try:
    loop.start()
    raise SystemExit("not interrupted")
except KeyboardInterrupt:
    pass
thread = threading.Thread(target=lambda: pull.recv_nowait() is None or os._exit(1))
thread.start()
thread.join()
push.send("x")
assert loop.start() == -1
"""
    )


def test_loop_goes_on_after_a_signal() -> None:
    output = children.check(
        PROGRAM
        + """
signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
when_waiting(signal.SIGUSR1, lambda: push.send("x"))
assert loop.start() == -1
"""
    )
    assert sorted(output.split()) == ["handled", "x"]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        ("loop.stop()", "-1"),
        ("pull.close()", "a source of the loop is closed|a socket of the loop was destroyed"),
        ("loop.reader_end(pull); pull.close(); loop.timer(0, 1, lambda *_: -1)", "-1"),
        ("loop.close()", "loop is in use"),
        ("loop.start()", "the loop is running already"),
    ],
)
def test_what_a_signals_handler_may_do(act: str, message: str) -> None:
    children.check(
        PROGRAM
        + f"""
import re
def act(*_):
    {act}
signal.signal(signal.SIGUSR1, act)
when_waiting(signal.SIGUSR1)
try:
    found = str(loop.start())
except ValueError as error:
    found = str(error)
assert re.match({message!r}, found), found
"""
    )


def test_signals_handler_stops_a_loop_on_another_thread() -> None:
    children.check(
        PROGRAM
        + """
signal.signal(signal.SIGUSR1, lambda *_: loop.stop())
results = []
thread = threading.Thread(target=lambda: results.append(loop.start()))
thread.start()
os.kill(os.getpid(), signal.SIGUSR1)
thread.join()
assert results == [-1]
"""
    )


def test_forked_child_refuses_it() -> None:
    """A forked child refuses its parent's loop and makes its own."""
    children.check(
        """
        import os
        from pyczmq import Loop
        loop = Loop()
        loop.timer(0, 1, lambda *_: -1)
        loop.start()
        child = os.fork()
        if not child:
            for use in loop.start, loop.stop:
                try:
                    use()
                    os._exit(1)
                except ValueError as error:
                    assert str(error) == "the loop is closed", error
            mine = Loop()
            mine.timer(0, 1, lambda loop, timer_id, arg: loop.stop())
            assert mine.start() == -1
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        loop.timer(0, 1, lambda *_: -1)
        assert loop.start() == -1
        """
    )


def test_exit_with_loops_that_are_forgotten() -> None:
    """The interpreter ends well, with loops that run on daemon threads, and one that does not run."""
    children.check(
        """
        import threading, time
        from pyczmq import Context, Loop, Socket, zmq
        loops = [Loop(), Loop(), Loop()]
        loops[1].reader(Socket(zmq.PULL), print)
        loops[2].reader(Context().socket(zmq.PULL), print)
        running = []
        for loop in loops:
            loop.timer(0, 1, lambda *_: running.append(1))
            threading.Thread(target=loop.start, daemon=True).start()
        forgotten = Loop()
        forgotten.timer(0, 1, lambda *_: -1)
        forgotten.start()
        while len(running) < 3:
            time.sleep(0.001)
        """
    )
