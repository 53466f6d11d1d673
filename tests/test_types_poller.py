"""Poller: which sources are ready, in which order, and what every misuse raises."""

from __future__ import annotations

import doctest
import gc
import io
import os
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import children
import pytest

from pyczmq import Context, Frame, Socket, ZMQError, zactor, zctx, zgossip, zmq, zsock, zsocket, zstr
from pyczmq.types import ContextTerminated, Gossip, Monitor, poller
from pyczmq.types.poller import Poller


class Wires:
    """PULL sockets, each with a PUSH socket that is connected to it."""

    def __init__(self) -> None:
        self.context = Context()
        self.pulls = [self.context.socket(zmq.PULL, bind=f"inproc://{i}") for i in range(3)]
        self.pushes = [self.context.socket(zmq.PUSH, connect=f"inproc://{i}") for i in range(3)]


@pytest.fixture
def wires() -> Iterator[Wires]:
    made = Wires()
    yield made
    made.context.close()


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


def identical(found: list[Any], wanted: list[Any]) -> bool:
    return len(found) == len(wanted) and all(one is other for one, other in zip(found, wanted))


def waiting(thread: threading.Thread) -> None:
    """Wait until a thread sleeps in C."""
    from pyczmq import _threads

    deadline = time.monotonic() + 10
    while thread.is_alive() and thread.ident not in _threads.waiting:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_examples() -> None:
    """The examples in the docstrings run as they stand."""
    assert doctest.testmod(poller).failed == 0


def test_exported() -> None:
    import pyczmq
    import pyczmq.types

    assert pyczmq.Poller is pyczmq.types.Poller is Poller


# ---------------------------------------------------------------- waiting


def test_ready_sources_come_in_the_order_in_which_they_were_added(wires: Wires) -> None:
    a, b, c = wires.pulls
    with Poller(c, a, b) as poller:
        assert poller.wait(timeout=0) == []
        wires.pushes[0].send("x")
        wires.pushes[2].send("x")
        assert identical(poller.wait(timeout=1000), [c, a])
        assert a.recv() == c.recv() == "x"
        wires.pushes[1].send("x")
        assert identical(poller.wait(), [b])
        assert poller.poll() == [(b, zmq.POLLIN)]


@pytest.mark.parametrize("timeout", [0, 1, 30, 150])
@pytest.mark.parametrize("number", [0, 2])
def test_timeout_gives_an_empty_list(wires: Wires, timeout: int, number: int) -> None:
    poller = Poller(*wires.pulls[:number])
    start = time.monotonic()
    assert poller.wait(timeout=timeout) == []
    assert time.monotonic() - start >= timeout / 1000


@pytest.mark.parametrize("thread", [False, True])
def test_wait_sleeps_until_something_comes(wires: Wires, thread: bool) -> None:
    """Without a timeout, on the main thread, which sleeps in slices, and on another."""
    found: list[Any] = []
    poller = Poller(*wires.pulls)

    def wait() -> None:
        found.extend(poller.wait())

    def send() -> None:
        waiting(receiver)
        wires.pushes[1].send("x")

    if thread:
        receiver = threading.Thread(target=wait)
        receiver.start()
        send()
    else:
        receiver = threading.main_thread()
        sender = threading.Thread(target=send)
        sender.start()
        wait()
        sender.join()
    if thread:
        receiver.join()
    assert identical(found, [wires.pulls[1]])


def test_sockets_of_both_kinds_handles_and_descriptors(wires: Wires, pipe: Pipe) -> None:
    """Each source comes back as the very object that was given."""
    left, right = socket.socketpair()
    one = Socket(zmq.PULL, bind="inproc://types.poller.both")
    other = Socket(zmq.PUSH, connect="inproc://types.poller.both")
    raw = zsock.new(zmq.PULL)
    zsock.bind(raw, "inproc://types.poller.raw")
    feed = zsock.new_push(">inproc://types.poller.raw")
    ctx = zctx.new()
    old, sink = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(old, "inproc://old")
    zsocket.connect(sink, "inproc://old")
    sources = [left, one, raw, pipe.read, old, wires.pulls[0]]
    with left, right, one, other, Poller(*sources) as poller:
        assert identical(list(poller), sources)
        assert poller.wait(0) == []
        right.send(b"x")
        other.send("x")
        zstr.send(feed, "x")
        os.write(pipe.write, b"x")
        zstr.send(sink, "x")
        wires.pushes[0].send("x")
        assert identical(poller.wait(1000), sources)
        assert [events for _, events in poller.poll()] == [zmq.POLLIN] * 6


def test_actor_is_ready_when_its_pipe_is() -> None:
    def task(pipe: Any) -> None:
        zstr.send(pipe, zstr.recv(pipe))
        zsock.wait(pipe)

    actor = zactor.new(task)
    poller = Poller(actor)
    assert poller.wait(0) == []
    zstr.send(actor, "x")
    assert identical(poller.wait(5000), [actor])
    assert zstr.recv(actor) == "x"
    zsock.signal(actor)
    zactor.destroy(actor)


def test_task_that_waits_in_a_poller_is_ready() -> None:
    """An actor whose task sends no signal counts as started once it waits for its pipe, in a poller, too."""

    def task(pipe: Any) -> None:
        assert identical(Poller(pipe).wait(), [pipe])

    zactor.destroy(zactor.new(task))


def test_actor_and_pipe_objects() -> None:
    from pyczmq import Actor

    def task(pipe: Any) -> None:
        poller = Poller(pipe)
        while True:
            assert identical(poller.wait(), [pipe])
            text = pipe.recv()
            if text == "$TERM":
                return
            pipe.send(text.upper())

    with Actor(task) as actor, Poller(actor) as poller:
        assert poller.wait(0) == []
        actor.send("x")
        assert identical(poller.wait(5000), [actor])
        assert actor.recv() == "X"


def test_monitor_is_ready_when_it_has_an_event() -> None:
    with Socket(zmq.PULL) as pull, Monitor(pull, "LISTENING") as monitor, Poller(pull, monitor) as poller:
        assert poller.wait(0) == []
        pull.bind("tcp://127.0.0.1:*")
        assert identical(poller.wait(5000), [monitor])
        assert monitor.recv(timeout=5000).event == "LISTENING"


def test_gossip_is_ready_while_it_holds_deliveries() -> None:
    """Also for those that it has received already, while it waited for something else."""
    with Gossip("one") as one, Gossip("two") as two, Poller(two) as poller:
        port = one.bind("tcp://127.0.0.1:*")
        two.connect(f"tcp://127.0.0.1:{port}")
        for key in "abc":
            one.publish(key, "value")
        found = []
        for _ in range(3):
            assert identical(poller.wait(5000), [two])
            found.append(two.recv(timeout=5000).key)
            two.status()
        assert sorted(found) == ["a", "b", "c"]
        assert poller.wait(0) == []
        for key in "def":
            one.publish(key, "value")
        while not zgossip._talk(two.handle).sort():
            two.status()
        assert poller.poll(0) == [(two, zmq.POLLIN)]
        poller.add(two, zmq.POLLOUT)
        assert poller.poll(0) == [(two, zmq.POLLOUT)]


def test_events_to_wait_for(wires: Wires) -> None:
    """A source that is added again has other events, and keeps its place."""
    push, pull = wires.pushes[0], wires.pulls[0]
    pair = wires.context.socket(zmq.PAIR, bind="inproc://pair")
    peer = wires.context.socket(zmq.PAIR, connect="inproc://pair")
    poller = Poller(pair)
    poller.add(pull)
    poller.add(push, zmq.POLLOUT)
    assert poller.poll(0) == [(push, zmq.POLLOUT)]
    peer.send("x")
    assert poller.poll(1000) == [(pair, zmq.POLLIN), (push, zmq.POLLOUT)]
    poller.add(pair, zmq.POLLIN | zmq.POLLOUT)
    assert len(poller) == 3
    assert poller.poll(0) == [(pair, zmq.POLLIN | zmq.POLLOUT), (push, zmq.POLLOUT)]
    assert poller.wait(0) == [pair, push]
    poller.add(push)
    poller.add(pair)
    pair.recv()
    assert poller.poll(0) == []


def test_descriptor_events(pipe: Pipe) -> None:
    read, write = pipe.read, pipe.write
    poller = Poller(read)
    poller.add(write, zmq.POLLOUT)
    assert poller.poll(0) == [(write, zmq.POLLOUT)]
    os.write(write, b"x")
    assert poller.poll(1000) == [(read, zmq.POLLIN), (write, zmq.POLLOUT)]


@pytest.mark.parametrize("events", [zmq.POLLIN, zmq.POLLERR])
def test_end_of_a_pipe_is_told(pipe: Pipe, events: int) -> None:
    """A descriptor at its end is ready: reading it tells; there is no endless wait."""
    poller = Poller()
    poller.add(pipe.read, events)
    pipe.close(pipe.write)
    assert poller.wait() == [pipe.read]
    assert poller.poll()[0][1] & zmq.POLLERR
    assert os.read(pipe.read, 1) == b""


def test_sources_of_the_same_descriptor(wires: Wires) -> None:
    """A socket, its handle and its duplicate are sources of their own."""
    pull = wires.pulls[0]
    left, right = socket.socketpair()
    with left, right, Poller(pull, pull.handle, left, left.fileno()) as poller:
        assert len(poller) == 4
        wires.pushes[0].send("x")
        right.send(b"x")
        assert identical(poller.wait(1000), [pull, pull.handle, left, left.fileno()])


def test_many_sources() -> None:
    """More than libzmq has room for without asking for memory."""
    with Context() as context:
        pulls = [context.socket(zmq.PULL, bind=f"inproc://{i}") for i in range(50)]
        push = context.socket(zmq.PUSH)
        poller = Poller(*pulls)
        for i in (49, 7, 20):
            push.connect(f"inproc://{i}")
        for _ in range(3):
            push.send("x")
        deadline = time.monotonic() + 5
        while len(found := poller.wait(1000)) < 3:
            assert time.monotonic() < deadline
        assert identical(found, [pulls[7], pulls[20], pulls[49]])


# ---------------------------------------------------------------- the collection


def test_add_remove_contains_iterate(wires: Wires, pipe: Pipe) -> None:
    a, b, _ = wires.pulls
    poller = Poller(a)
    assert (len(poller), a in poller, b in poller, pipe.read in poller) == (1, True, False, False)
    poller.add(b)
    poller.add(pipe.read)
    poller.add(a)
    assert list(poller) == [a, b, pipe.read]
    assert repr(poller) == "<Poller of 3 sources>"
    poller.remove(pipe.read)
    poller.remove(a)
    assert (list(poller), a in poller, b in poller) == ([b], False, True)
    assert repr(poller) == "<Poller of 1 source>"
    wires.pushes[0].send("x")
    wires.pushes[1].send("x")
    assert identical(poller.wait(1000), [b])
    poller.add(a)
    assert identical(poller.wait(1000), [b, a])
    for source in poller:
        poller.remove(source)
    assert not list(poller)
    assert None not in poller
    assert "x" not in poller


@pytest.mark.parametrize("source", [None, 7, "x", object()])
def test_remove_of_what_is_not_in_it(source: Any) -> None:
    with pytest.raises(ValueError, match="is not in the poller"):
        Poller().remove(source)


def test_descriptor_is_known_by_its_number(pipe: Pipe) -> None:
    number = int(str(pipe.read))
    poller = Poller(pipe.read)
    assert number in poller
    poller.remove(number)
    assert len(poller) == 0


def test_items_are_kept_between_calls(wires: Wires) -> None:
    """The handle is the array of poll items, for zmq.poll; it is made anew when the sources have changed."""
    poller = Poller(*wires.pulls[:2])
    items = poller.handle
    assert len(items) == 2
    wires.pushes[1].send("x")
    assert poller.wait(1000)
    assert poller.handle is items
    assert zmq.poll(items, 0) == 1
    assert [item.revents for item in items] == [0, zmq.POLLIN]
    poller.add(wires.pulls[2])
    assert len(poller.handle) == 3
    poller.remove(wires.pulls[0])
    assert len(poller.handle) == 2
    assert poller.wait(0) == [wires.pulls[1]]


def test_sources_are_kept_alive_and_let_go() -> None:
    class Pipe:
        def __init__(self) -> None:
            self.ends = os.pipe()

        def fileno(self) -> int:
            return self.ends[0]

        def __del__(self) -> None:
            os.close(self.ends[0])
            os.close(self.ends[1])

    pull = Socket(zmq.PULL, bind="inproc://types.poller.alive")
    push = Socket(zmq.PUSH, connect="inproc://types.poller.alive")
    references = [weakref.ref(pull)]
    poller = Poller(pull)
    pipe = Pipe()
    references.append(weakref.ref(pipe))
    poller.add(pipe)
    del pull, pipe
    for _ in range(4):
        gc.collect()
    push.send("x")
    found = poller.wait(1000)
    assert [source.recv() for source in found] == ["x"]
    del found
    for source in poller:
        poller.remove(source)
    del source
    poller.wait(0)
    for _ in range(4):
        gc.collect()
    assert [reference() for reference in references] == [None, None]
    push.close()


def test_close_lets_sources_go() -> None:
    pull = Socket(zmq.PULL)
    poller = Poller(pull)
    poller.wait(0)
    reference = weakref.ref(pull)
    poller.close()
    del pull
    for _ in range(4):
        gc.collect()
    assert reference() is None


# ---------------------------------------------------------------- closing


@pytest.mark.parametrize(
    "use",
    [
        lambda poller: poller.wait(0),
        lambda poller: poller.poll(0),
        lambda poller: poller.add(0),
        lambda poller: poller.remove(0),
        lambda poller: len(poller),
        lambda poller: list(poller),
        lambda poller: 0 in poller,
        lambda poller: poller.handle,
        lambda poller: poller.__enter__(),
    ],
)
def test_use_after_close(use: Any) -> None:
    poller = Poller()
    with poller:
        assert not poller.closed
    poller.close()
    assert poller.closed
    assert repr(poller) == "<Poller closed>"
    with pytest.raises(ValueError, match="the poller is closed"):
        use(poller)


def closed_by_hand(context: Context) -> Any:
    source = context.socket(zmq.PULL)
    return source, source.close


def closed_with_its_context(context: Context) -> Any:
    other = Context()
    return other.socket(zmq.PULL), other.close


def destroyed_handle(context: Context) -> Any:
    handle = zsock.new(zmq.PULL)
    return handle, lambda: zsock.destroy(handle)


def object_with_a_destroyed_handle(context: Context) -> Any:
    source = Socket(zmq.PULL)
    return source, lambda: zsock.destroy(source.handle)


def closed_monitor(context: Context) -> Any:
    monitor = Monitor(context.socket(zmq.PULL))
    return monitor, monitor.close


def closed_descriptor(context: Context) -> Any:
    read, write = os.pipe()

    def close() -> None:
        os.close(read)
        os.close(write)

    return read, close


def closed_file(context: Context) -> Any:
    read, write = os.pipe()
    file = os.fdopen(read, "rb")

    def close() -> None:
        file.close()
        os.close(write)

    return file, close


def closed_python_socket(context: Context) -> Any:
    left, right = socket.socketpair()

    def close() -> None:
        left.close()
        right.close()

    return left, close


CLOSED = [
    closed_by_hand,
    closed_with_its_context,
    destroyed_handle,
    object_with_a_destroyed_handle,
    closed_monitor,
    closed_descriptor,
    closed_file,
    closed_python_socket,
]


@pytest.mark.parametrize("make", CLOSED)
@pytest.mark.parametrize("timeout", [0, -1])
def test_source_that_was_closed_is_named(wires: Wires, make: Any, timeout: int) -> None:
    """A wait for a source that is closed raises, at once, and goes well again once it was removed."""
    source, close = make(wires.context)
    poller = Poller(wires.pulls[0], source)
    assert poller.wait(0) == []
    close()
    name = f"file descriptor {source}" if isinstance(source, int) else repr(source)
    for _ in range(2):
        with pytest.raises(ValueError, match="a source of the poller is closed") as caught:
            poller.wait(timeout)
        assert name in str(caught.value)
    poller.remove(source)
    assert poller.wait(0) == []


@pytest.mark.parametrize("make", CLOSED)
def test_closed_source_is_not_added(wires: Wires, make: Any) -> None:
    source, close = make(wires.context)
    close()
    poller = Poller()
    with pytest.raises((ValueError, ZMQError), match=r"closed|destroyed|not open"):
        poller.add(source)
    assert len(poller) == 0


def test_context_that_ends(wires: Wires) -> None:
    """Closing the context from another thread wakes the wait, and the sources belong to nobody then."""
    poller = Poller(*wires.pulls)
    me = threading.current_thread()

    def close() -> None:
        waiting(me)
        wires.context.close()

    closer = threading.Thread(target=close)
    closer.start()
    with pytest.raises(ContextTerminated, match=r"poll on <Poller of 3 sources>: Context was terminated"):
        poller.wait()
    closer.join()
    assert all(pull.closed for pull in wires.pulls)
    with pytest.raises(ValueError, match="a source of the poller is closed"):
        poller.wait()


# ---------------------------------------------------------------- threads


def test_poller_in_two_threads(wires: Wires) -> None:
    """While one thread waits, the poller is refused to another."""
    poller = Poller(wires.pulls[0])
    thread = threading.Thread(target=poller.wait)
    thread.start()
    waiting(thread)
    for use in (
        lambda: poller.wait(0),
        lambda: poller.poll(0),
        lambda: poller.add(0),
        lambda: poller.remove(0),
        lambda: len(poller),
        lambda: list(poller),
        lambda: 0 in poller,
        lambda: poller.handle,
        poller.close,
    ):
        with pytest.raises(RuntimeError, match="the poller is in use in another thread"):
            use()
    assert repr(poller) == "<Poller of 1 source>"
    wires.pushes[0].send("x")
    thread.join()
    assert poller.wait(0) == [wires.pulls[0]]


def test_sources_belong_to_the_thread_that_waits(wires: Wires) -> None:
    """Another thread can neither use nor close nor poll them, until the wait is over."""
    pull = wires.pulls[0]
    poller = Poller(*wires.pulls)
    thread = threading.Thread(target=poller.wait)
    thread.start()
    waiting(thread)
    for use in (pull.recv_nowait, pull.close, lambda: pull.poll(0), lambda: pull.rcvhwm):
        with pytest.raises(RuntimeError, match="the socket is in use in another thread"):
            use()
    with pytest.raises(RuntimeError, match=r"<Socket PULL: .*> is in use in another thread"):
        Poller(wires.pulls[1], pull).wait(0)
    wires.pushes[0].send("x")
    thread.join()
    assert Poller(pull).wait(0) == [pull]
    assert pull.recv() == "x"


def test_source_in_use_elsewhere(wires: Wires) -> None:
    """A wait for a socket that another thread receives from is refused, and holds none of the others."""
    thread = threading.Thread(target=wires.pulls[1].recv)
    thread.start()
    waiting(thread)
    poller = Poller(*wires.pulls)
    with pytest.raises(RuntimeError, match=r"<Socket PULL: .*> is in use in another thread"):
        poller.wait(0)
    errors: list[Any] = []

    def use() -> None:
        errors.extend([wires.pulls[0].recv_nowait(), wires.pulls[2].recv_nowait()])

    user = threading.Thread(target=use)
    user.start()
    user.join()
    assert errors == [None, None]
    wires.pushes[1].send("x")
    thread.join()
    assert poller.wait(0) == []


@pytest.mark.parametrize("failure", ["timeout", "closed", "terminated"])
def test_sources_are_given_back(wires: Wires, failure: str) -> None:
    """However the wait ends, other threads may use the sources afterwards."""
    spare = Socket(zmq.PULL)
    sources = [*wires.pulls, spare]
    poller = Poller(*sources)
    if failure == "terminated":
        zmq.ctx_shutdown(zctx.underlying(wires.context.handle))
        with pytest.raises(ContextTerminated):
            poller.wait()
    elif failure == "closed":
        wires.pulls[2].close()
        with pytest.raises(ValueError, match="is closed"):
            poller.wait()
    else:
        assert poller.wait(1) == []
    free: list[bool] = []

    def use() -> None:
        for source in sources:
            free.append(source._lock.acquire(False))
            source._lock.release()

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert free == [True] * 4
    spare.close()


# ---------------------------------------------------------------- misuse


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (None, TypeError, "source must have a socket"),
        ("x", TypeError, "source must have a socket"),
        (1.5, TypeError, "source must have a socket"),
        ([], TypeError, "source must have a socket"),
        (object(), TypeError, "source must have a socket"),
        (-1, ValueError, "file descriptor -1 is not open"),
        (999_999, ValueError, "file descriptor 999999 is not open"),
        (2**31, ValueError, "the file descriptor must be from"),
        (-(2**70), ValueError, "the file descriptor must be from"),
        (zmq.pollitem(fd=0), TypeError, "source must have a socket"),
        (Frame("x"), TypeError, "source must have a socket"),
        (Poller(), TypeError, "source must have a socket"),
        (Context(), TypeError, "source must have a socket"),
        (io.BytesIO(), io.UnsupportedOperation, "fileno"),
    ],
    ids=repr,
)
def test_what_is_no_source(source: Any, error: Any, message: str) -> None:
    with Poller() as poller:
        with pytest.raises(error, match=message):
            poller.add(source)
        assert len(poller) == 0
    with pytest.raises(error, match=message):
        Poller(source)


@pytest.mark.parametrize("number", [None, "1", 1.5])
def test_fileno_that_is_no_number(number: Any) -> None:
    class Odd:
        def fileno(self) -> Any:
            return number

    with pytest.raises(TypeError, match="the file descriptor must be an int"):
        Poller(Odd())


def test_object_for_asyncio_is_refused() -> None:
    import asyncio

    from pyczmq import aio

    async def main() -> None:
        with aio.Socket(zmq.PULL) as pull, pytest.raises(TypeError, match="is for asyncio"):
            Poller(pull)

    asyncio.run(main())


@pytest.mark.parametrize("events", [None, "1", 1.0, 0, -1, 4, 8, 2**40])
def test_bad_events_of_a_socket(wires: Wires, events: Any) -> None:
    poller = Poller(wires.pulls[0])
    with pytest.raises((TypeError, ValueError), match="events must be"):
        poller.add(wires.pulls[0], events)
    assert poller.poll(0) == []
    wires.pushes[0].send("x")
    assert poller.poll(1000) == [(wires.pulls[0], zmq.POLLIN)]


@pytest.mark.parametrize("events", [None, "1", 0, -1, 16, 2**40])
def test_bad_events_of_a_descriptor(pipe: Pipe, events: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="events must be"):
        Poller().add(pipe.read, events)


@pytest.mark.parametrize("timeout", [None, "1", 1.5, -2, 2**31, -(2**70), object()])
def test_bad_timeouts(wires: Wires, timeout: Any) -> None:
    poller = Poller(wires.pulls[0])
    for wait in (poller.wait, poller.poll):
        with pytest.raises((TypeError, ValueError), match="timeout must be"):
            wait(timeout)
    assert wires.pulls[0].recv_nowait() is None


def test_fork() -> None:
    """A forked child refuses its parent's sockets in a poller, and polls its own."""
    children.check(
        """
        import os
        from pyczmq import Context, Poller, Socket, zmq
        pull = Socket(zmq.PULL)
        poller = Poller(pull)
        child = os.fork()
        if not child:
            try:
                poller.wait(0)
            except ValueError as error:
                assert "a source of the poller is closed: <Socket PULL" in str(error), error
                with Context() as context, Poller(context.socket(zmq.PULL)) as mine:
                    assert mine.wait(1) == []
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert poller.wait(0) == []
        """
    )


# ---------------------------------------------------------------- signals, limits, exit


PROGRAM = """
import os, signal, threading, time
from pyczmq import Context, Poller, Socket, _threads, zmq

context = Context()
pull = context.socket(zmq.PULL, bind="inproc://pull")
push = context.socket(zmq.PUSH, connect="inproc://pull")
poller = Poller(pull, os.pipe()[0])

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
    children.check(
        PROGRAM
        + """
when_waiting(signal.SIGINT)
try:
    poller.wait()
    raise SystemExit("not interrupted")
except KeyboardInterrupt:
    pass
threading.Thread(target=lambda: pull.recv_nowait() is None or os._exit(1)).start()
"""
    )


def test_wait_goes_on_after_a_signal() -> None:
    """The handler runs, and the wait lasts for the rest of its time."""
    children.check(
        PROGRAM
        + """
handled = []
signal.signal(signal.SIGUSR1, lambda *_: handled.append(poller.wait(0)))
when_waiting(signal.SIGUSR1)
start = time.monotonic()
assert poller.wait(300) == []
assert time.monotonic() - start >= 0.3
assert handled == [[]], handled
when_waiting(signal.SIGUSR1, lambda: push.send("x"))
assert poller.wait() == [pull]
"""
    )


@pytest.mark.parametrize(
    ("act", "message"),
    [
        ("pull.close()", "a source of the poller is closed: {pull!r}"),
        ("context.close()", "a source of the poller is closed: {pull!r}"),
        ("poller.close()", "the poller is closed"),
        ("poller.remove(pull); poller.add(pull); push.send('x')", ""),
        ("poller.add(0); poller.wait(0); poller.remove(0); push.send('x')", ""),
    ],
)
def test_what_a_signals_handler_may_do(act: str, message: str) -> None:
    """A handler that closes what is waited for, or changes the poller, makes the wait raise, or leaves it be."""
    children.check(
        PROGRAM
        + f"""
def act(*_):
    {act}
signal.signal(signal.SIGUSR1, act)
when_waiting(signal.SIGUSR1)
try:
    assert poller.wait() == [pull]
    found = ""
except ValueError as error:
    found = str(error)
assert found == {message!r}.format(pull=pull), found
"""
    )


def test_more_sources_than_the_system_polls() -> None:
    """Sources beyond the limit of open files, with which libzmq would abort, are refused."""
    children.check(
        """
        import os, resource
        from pyczmq import Poller
        class Copy:
            def __init__(self, fd):
                self.fd = fd
            def fileno(self):
                return self.fd
        read = os.pipe()[0]
        poller = Poller(*(Copy(read) for _ in range(300)))
        assert poller.wait(0) == []
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        try:
            poller.wait(0)
            raise SystemExit("waited")
        except ValueError as error:
            assert "the system polls no more than 200" in str(error), error
        """
    )


def test_exit_while_a_daemon_thread_waits() -> None:
    """The interpreter ends well while daemon threads wait on sockets of both kinds, a descriptor and nothing."""
    children.check(
        """
        import os, threading, time
        from pyczmq import Context, Poller, Socket, _threads, zmq
        sources = [Socket(zmq.PULL)], [Context().socket(zmq.PULL)], [os.pipe()[0]]
        pollers = [Poller(*group) for group in sources]
        for poller in pollers:
            threading.Thread(target=poller.wait, daemon=True).start()
        threading.Thread(target=Poller().wait, daemon=True).start()
        while len(_threads.waiting) < 3:
            time.sleep(0.001)
        """
    )
