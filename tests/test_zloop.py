"""zloop: the reactor, its handlers, and what becomes of them."""

from __future__ import annotations

import os
import socket
import threading
import time
import traceback
import weakref
from collections.abc import Iterator
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, ffi, zctx, zloop, zmq, zsocket, zstr


def stop(*_: Any) -> int:
    """End the loop."""
    return -1


def pass_on(*_: Any) -> None:
    """Go on."""


class Pair:
    """Two connected zsocks and two connected zsockets."""

    def __init__(self) -> None:
        self.output, self.input = C.zsock_new(zmq.PAIR), C.zsock_new(zmq.PAIR)
        name = b"inproc://zloop.%d" % id(self)
        assert C.zsock_bind(self.output, name) == 0
        assert C.zsock_connect(self.input, name) == 0
        self.ctx = zctx.new()
        self.left, self.right = zsocket.new(self.ctx, zmq.PAIR), zsocket.new(self.ctx, zmq.PAIR)
        zsocket.bind(self.left, "inproc://zloop")
        zsocket.connect(self.right, "inproc://zloop")

    @property
    def item(self) -> Any:
        return zmq.pollitem(socket=self.right, events=zmq.POLLIN)

    def close(self) -> None:
        for sock in (self.output, self.input):
            C.zsock_destroy(ffi.new("zsock_t **", sock))
        try:
            zctx.destroy(self.ctx)
        except ValueError:
            pass


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


@pytest.fixture
def loop() -> Any:
    return zloop.new()


def ended(loop: Any, timeout: int = 5000) -> int:
    """Run a loop that must end by itself within the timeout."""

    def too_late(*_: Any) -> None:
        pytest.fail("the loop did not end")

    limit = zloop.timer(loop, timeout, 1, too_late)
    try:
        return zloop.start(loop)
    finally:
        zloop.timer_end(loop, limit)


def test_selftest_replayed(pair: Pair, loop: Any) -> None:
    """What CZMQ's own test shows: a timer cancelled by a timer, tickets, a ping that ends the loop."""
    log: list[str] = []

    def ping(loop: Any, timer_id: int, socket: Any) -> int:
        zstr.send(socket, "PING")
        return 0

    def cancel(loop: Any, timer_id: int, other: int) -> int:
        log.append("cancel")
        return zloop.timer_end(loop, other)

    zloop.set_verbose(loop, False)
    timer_id = zloop.timer(loop, 1000, 1, ping, None)
    zloop.timer(loop, 5, 1, cancel, timer_id)
    zloop.timer(loop, 20, 1, ping, pair.output)
    zloop.set_ticket_delay(loop, 10000)
    tickets = [zloop.ticket(loop, ping, None) for _ in range(3)]
    assert zloop.reader(loop, pair.input, stop) == 0
    zloop.reader_set_tolerant(loop, pair.input)
    start = time.monotonic()
    assert zloop.start(loop) == -1
    assert 0.015 < time.monotonic() - start < 0.9
    assert log == ["cancel"]
    for ticket in tickets:
        zloop.ticket_delete(loop, ticket)
    zloop.destroy(loop)

    loop = zloop.new()
    called: list[str] = []
    zloop.timer(loop, 1, 1, lambda *_: called.append("timer") or -1)
    C.zsys_interrupted = 1
    try:
        assert zloop.start(loop) == 0
        assert called == []
        zloop.set_nonstop(loop, True)
        assert zloop.start(loop) == -1
    finally:
        C.zsys_interrupted = 0
    assert called == ["timer"]

    loop = zloop.new()
    C.zstr_free(ffi.new("char **", C.zstr_recv(pair.input)))
    called.clear()

    def remove(loop: Any, timer_id: int, sock: Any) -> None:
        zloop.reader_end(loop, sock)
        zloop.timer(loop, 1, 1, stop)

    zloop.reader(loop, pair.output, lambda *_: called.append("reader"))
    zloop.timer(loop, 0, 1, remove, pair.output)
    zstr.send(pair.input, "PING")
    assert ended(loop) == -1
    assert called == []


def test_old_program() -> None:
    """The old pyczmq's test of zloop, with its decorators, runs as it was."""
    ctx = zctx.new()
    output_s = zsocket.new(ctx, zmq.PAIR)
    input_s = zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(output_s, "inproc://lkj")
    zsocket.connect(input_s, "inproc://lkj")

    @zloop.timer_callback
    def on_cancel_timer_event(loop: Any, item: Any, arg: Any) -> int:
        cancel_timer_id = arg
        rc = zloop.timer_end(loop, cancel_timer_id)
        assert rc == 0
        return 0

    @zloop.timer_callback
    def on_timer_event(loop: Any, item: Any, arg: Any) -> int:
        zstr.send(arg, "PING")
        return 0

    @zloop.poll_callback
    def on_socket_event(loop: Any, item: Any, arg: Any) -> int:
        assert zstr.recv(item.socket) == "PING"
        assert arg == 3
        return -1

    loop = zloop.new()
    zloop.set_verbose(loop, False)
    cancel_timer_id = zloop.timer(loop, 1000, 1, on_timer_event, None)
    zloop.timer(loop, 5, 1, on_cancel_timer_event, cancel_timer_id)
    zloop.timer(loop, 20, 1, on_timer_event, output_s)
    poll_input = zmq.pollitem(socket=input_s, events=zmq.POLLIN)
    zloop.poller(loop, poll_input, on_socket_event, 3)
    zloop.set_tolerant(loop, poll_input)
    assert zloop.start(loop) == -1
    del loop
    del ctx


def test_older_program() -> None:
    """Callbacks made with ffi.callback, whose argument is a handle for a Python object, are handlers as ever."""
    ctx = zctx.new()
    output_s, input_s = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(output_s, "inproc://lkj")
    zsocket.connect(input_s, "inproc://lkj")
    seen = []

    @ffi.callback("zloop_fn *")
    def on_socket_event(loop: Any, item: Any, arg: Any) -> int:
        seen.append((zstr.recv(item.socket), ffi.from_handle(arg)))
        return -1

    @ffi.callback("zloop_timer_fn *")
    def on_timer_event(loop: Any, timer_id: int, arg: Any) -> int:
        zstr.send(arg, "PING")
        return 0

    loop = zloop.new()
    zloop.timer(loop, 10, 1, on_timer_event, output_s)
    zloop.poller(loop, zmq.pollitem(socket=input_s, events=zmq.POLLIN), on_socket_event, 3)
    collect()
    assert ended(loop) == -1
    assert seen == [("PING", 3)]


def test_czmq_selftest() -> None:
    """CZMQ's test of this class passes on this machine."""
    zloop.test()


def test_raw_callback_without_argument(loop: Any) -> None:
    """A callback of ffi's gets NULL where no argument was given."""
    seen = []

    @ffi.callback("int(zloop_t *, int, void *)")
    def on_timer(loop: Any, timer_id: int, arg: Any) -> int:
        seen.append(arg == ffi.NULL)
        return -1

    zloop.timer(loop, 0, 1, on_timer)
    assert ended(loop) == -1
    assert seen == [True]


@pytest.mark.parametrize("callback", [zloop.callback, zloop.poll_callback, zloop.timer_callback])
def test_decorators(callback: Any) -> None:
    """The decorators of the old API leave a callable a callable, and refuse anything else."""
    assert callback(stop)() == -1
    with pytest.raises(TypeError, match="handler must be callable, not int"):
        callback(5)


# ---------------------------------------------------------------- readers and pollers


def test_reader_arguments(pair: Pair, loop: Any) -> None:
    """A reader's handler gets the very loop, socket and argument, and is called for each message."""
    seen: list[Any] = []
    argument = object()

    def handler(*args: Any) -> int | None:
        seen.append((*args, zstr.recv(args[1])))
        return -1 if len(seen) == 2 else None

    zloop.reader(loop, pair.input, handler, argument)
    zstr.send(pair.output, "one")
    zstr.send(pair.output, "two")
    assert ended(loop) == -1
    assert [call[3] for call in seen] == ["one", "two"]
    assert all(call[0] is loop and call[1] is pair.input and call[2] is argument for call in seen)


def test_reader_of_an_actor(loop: Any) -> None:
    """A zactor is a reader, and comes to the handler as it was given."""
    actor = C.zactor_new(C.zproxy, ffi.NULL)
    try:
        seen: list[Any] = []
        zloop.set_verbose(loop, False)
        zloop.reader(loop, actor, lambda loop, sock, arg: seen.append(sock) or -1)
        C.zstr_send(actor, b"VERBOSE")
        assert ended(loop) == -1
        assert seen[0] is actor
        zloop.reader_set_tolerant(loop, actor)
        zloop.reader_end(loop, actor)
        zloop.timer(loop, 5, 1, stop)
        assert ended(loop) == -1
        assert len(seen) == 1
    finally:
        C.zactor_destroy(ffi.new("zactor_t **", actor))


def test_several_readers_of_one_socket(pair: Pair, loop: Any) -> None:
    """Each handler of a socket is called; reader_end cancels them all, and lets them go."""
    seen: list[str] = []

    class Handler:
        def __call__(self, loop: Any, sock: Any, arg: str) -> int:
            seen.append(arg)
            return -1 if len(seen) >= 4 else 0

    handler = Handler()
    gone = weakref.ref(handler)
    zloop.reader(loop, pair.input, handler, "a")
    zloop.reader(loop, pair.input, handler, "b")
    zstr.send(pair.output, "x")
    assert ended(loop) == -1
    assert seen == ["a", "b", "a", "b"]
    zloop.reader_end(loop, pair.input)
    del handler
    collect()
    assert gone() is None
    zloop.timer(loop, 5, 1, stop)
    assert ended(loop) == -1
    assert len(seen) == 4


def test_poller_arguments(pair: Pair, loop: Any) -> None:
    """A poller's handler gets the very item that was registered, with its revents."""
    item, seen = pair.item, []
    zloop.poller(loop, item, lambda loop, item, arg: seen.append((item, item.revents, arg)) or -1, "arg")
    zstr.send(pair.left, "x")
    assert ended(loop) == -1
    assert seen[0][0] is item
    assert seen[0][1:] == (zmq.POLLIN, "arg")


def test_items_in_an_array(pair: Pair, loop: Any) -> None:
    """An item inside an array is copied, so that the array may go."""
    items = ffi.new("zmq_pollitem_t[2]", [{}, {"socket": pair.right, "events": zmq.POLLIN}])
    seen: list[Any] = []
    zloop.poller(loop, items + 1, lambda loop, item, arg: seen.append(zstr.recv(item.socket)) or -1)
    del items
    collect()
    zstr.send(pair.left, "x")
    assert ended(loop) == -1
    assert seen == ["x"]


def test_poller_of_descriptors(loop: Any) -> None:
    """File descriptors can be polled for input and output; poller_end cancels them by number."""
    left, right = socket.socketpair()
    with left, right:
        seen: list[Any] = []
        readable = zmq.pollitem(fd=left.fileno(), events=zmq.POLLIN)
        writable = zmq.pollitem(fd=right.fileno(), events=zmq.POLLOUT)

        def write(loop: Any, item: Any, data: bytes) -> None:
            assert item.revents == zmq.POLLOUT
            right.send(data)
            zloop.poller_end(loop, item)

        def read(loop: Any, item: Any, arg: Any) -> int:
            seen.append(left.recv(10))
            return -1

        zloop.poller(loop, readable, read)
        zloop.poller(loop, writable, write, b"data")
        zloop.poller_set_tolerant(loop, readable)
        assert ended(loop) == -1
        assert seen == [b"data"]


def test_descriptor_zero_is_not_a_socket(pair: Pair, loop: Any) -> None:
    """Cancelling descriptor 0 leaves sockets registered, whose items have that number, too."""
    zloop.poller(loop, pair.item, stop)
    zloop.poller_end(loop, zmq.pollitem(fd=0, events=zmq.POLLIN))
    zstr.send(pair.left, "x")
    assert ended(loop) == -1


def test_descriptor_in_error_is_cancelled(loop: Any) -> None:
    """A descriptor that was closed calls its handler once, and is cancelled; if tolerant, it goes on."""
    read, write = os.pipe()
    os.close(read)
    os.close(write)
    seen: list[int] = []
    item = zmq.pollitem(fd=read, events=zmq.POLLIN)
    zloop.poller(loop, item, lambda loop, item, arg: seen.append(item.revents))
    zloop.timer(loop, 30, 1, stop)
    assert ended(loop) == -1
    assert seen == [zmq.POLLERR]
    zloop.poller(loop, item, lambda loop, item, arg: seen.append(item.revents))
    zloop.poller_set_tolerant(loop, item)
    zloop.timer(loop, 30, 1, stop)
    assert ended(loop) == -1
    assert len(seen) > 2


def test_poller_end(pair: Pair, loop: Any) -> None:
    """poller_end cancels all pollers of the socket, in a handler too, and lets their handlers go."""
    seen: list[Any] = []

    class Handler:
        def __call__(self, loop: Any, item: Any, arg: Any) -> None:
            seen.append(arg)
            zloop.poller_end(loop, item)
            zloop.timer(loop, 5, 1, stop)

    handler = Handler()
    gone = weakref.ref(handler)
    zloop.poller(loop, pair.item, handler, 1)
    zloop.poller(loop, pair.item, handler, 2)
    del handler
    zstr.send(pair.left, "x")
    assert ended(loop) == -1
    assert seen == [1]
    collect()
    assert gone() is None


# ---------------------------------------------------------------- timers


def test_timer_repeats(loop: Any) -> None:
    """A timer fires as often as it was told, with its id, and then lets its handler go."""
    seen: list[Any] = []

    class Handler:
        def __call__(self, loop: Any, timer_id: int, arg: Any) -> None:
            seen.append((timer_id, arg))

    handler = Handler()
    gone = weakref.ref(handler)
    timer_id = zloop.timer(loop, 1, 3, handler, "x")
    del handler
    zloop.timer(loop, 60, 1, stop)
    start = time.monotonic()
    assert ended(loop) == -1
    assert time.monotonic() - start >= 0.055
    assert seen == [(timer_id, "x")] * 3
    collect()
    assert gone() is None


def test_timer_for_ever(loop: Any) -> None:
    """times=0 repeats until the timer is cancelled."""
    seen: list[int] = []

    def handler(loop: Any, timer_id: int, arg: Any) -> None:
        seen.append(timer_id)
        if len(seen) == 10:
            zloop.timer_end(loop, timer_id)
            zloop.timer(loop, 20, 1, stop)

    zloop.timer(loop, 0, 0, handler)
    assert ended(loop) == -1
    assert len(seen) == 10


@pytest.mark.parametrize("delay", [2**31, 2**63, 2**64 - 1])
def test_huge_delays(loop: Any, delay: int) -> None:
    """A delay that C's clock could not hold is as good as never, not at once."""
    seen: list[str] = []
    zloop.timer(loop, delay, 0, lambda *_: seen.append("timer"))
    zloop.set_ticket_delay(loop, delay)
    zloop.ticket(loop, lambda *_: seen.append("ticket"))
    zloop.timer(loop, 20, 1, stop)
    assert ended(loop) == -1
    assert seen == []


@pytest.mark.parametrize("runs", [1, 2, 3])
def test_timer_ends_itself(loop: Any, runs: int) -> None:
    """A timer may cancel itself, its neighbours, and what is no timer at all, in any run of a loop."""
    for _ in range(runs - 1):
        zloop.timer(loop, 0, 1, stop)
        zloop.start(loop)
    seen: list[str] = []

    def handler(loop: Any, timer_id: int, name: str) -> None:
        seen.append(name)
        for other in (*ids, *ids, 0, -1, 2**31 - 1):
            assert zloop.timer_end(loop, other) == 0

    ids: list[int] = []
    for name in ("a", "b", "c"):
        ids.append(zloop.timer(loop, 1, 0, handler, name))
    zloop.timer(loop, 30, 1, stop)
    assert ended(loop) == -1
    assert seen == ["a"]


def test_timer_end_lets_the_handler_go(loop: Any) -> None:
    """The handler of a cancelled timer is not kept for the time that C keeps the timer."""

    class Handler:
        def __call__(self, *_: Any) -> None:
            raise AssertionError

    handler = Handler()
    gone = weakref.ref(handler)
    timer_id = zloop.timer(loop, 0, 0, handler)
    assert zloop.timer_end(loop, timer_id) == 0
    del handler
    collect()
    assert gone() is None
    zloop.timer(loop, 10, 1, stop)
    assert ended(loop) == -1


def test_timer_end_in_another_handler(pair: Pair, loop: Any) -> None:
    """Readers and tickets may cancel timers in the second run of a loop, where C frees them at once."""
    zloop.timer(loop, 0, 1, stop)
    zloop.start(loop)
    timers = [zloop.timer(loop, 5000, 1, stop) for _ in range(4)]
    zloop.set_ticket_delay(loop, 5)

    def on_input(loop: Any, sock: Any, arg: Any) -> None:
        zstr.recv(sock)
        zloop.timer_end(loop, timers[0])
        zloop.ticket(loop, on_ticket)

    def on_ticket(loop: Any, _: int, arg: Any) -> int:
        for timer_id in timers:
            zloop.timer_end(loop, timer_id)
        return -1

    zloop.reader(loop, pair.input, on_input)
    zstr.send(pair.output, "x")
    assert ended(loop) == -1


def test_max_timers(loop: Any, capfd: Any) -> None:
    """The limit counts the user's timers only, before a run and during it."""
    zloop.set_max_timers(loop, 3)
    ids = [zloop.timer(loop, 10000, 1, pass_on) for _ in range(2)]
    seen: list[int] = []

    def handler(loop: Any, timer_id: int, arg: Any) -> int:
        seen.append(zloop.timer(loop, 10000, 1, pass_on))
        zloop.set_max_timers(loop, 4)
        seen.append(zloop.timer(loop, 10000, 1, pass_on))
        seen.append(zloop.timer(loop, 10000, 1, pass_on))
        return -1

    zloop.timer(loop, 5, 1, handler)
    assert zloop.timer(loop, 5, 1, handler) == -1
    assert zloop.start(loop) == -1
    assert seen[0] == -1
    assert seen[1] > 0
    assert seen[2] == -1
    # The one that fired is gone, so there are three.
    assert zloop.timer(loop, 10000, 1, pass_on) > 0
    assert zloop.timer(loop, 10000, 1, pass_on) == -1
    zloop.set_max_timers(loop, 0)
    assert zloop.timer(loop, 10000, 1, pass_on) > 0
    assert len({*ids, *seen}) == 4


# ---------------------------------------------------------------- tickets


def test_tickets(loop: Any) -> None:
    """Tickets expire in order after their delay; a reset one later, a deleted one never."""
    seen: list[Any] = []
    start = time.monotonic()

    def handler(loop: Any, zero: int, name: str) -> int:
        seen.append((name, zero))
        return -1 if name == "reset" else 0

    def reset(loop: Any, timer_id: int, handle: Any) -> None:
        zloop.ticket_reset(loop, handle)

    zloop.set_ticket_delay(loop, 40)
    reset_one = zloop.ticket(loop, handler, "reset")
    deleted = zloop.ticket(loop, handler, "deleted")
    zloop.ticket(loop, handler, "plain")
    zloop.timer(loop, 20, 1, reset, reset_one)
    zloop.ticket_delete(loop, deleted)
    assert ended(loop) == -1
    assert seen == [("plain", 0), ("reset", 0)]
    assert time.monotonic() - start >= 0.055


def test_tickets_need_a_delay(loop: Any) -> None:
    """A ticket without a delay, where C would abort, is a ValueError."""
    for _ in range(2):
        with pytest.raises(ValueError, match="no delay for tickets"):
            zloop.ticket(loop, stop)
        zloop.set_ticket_delay(loop, 0)


def test_tickets_that_are_no_more(loop: Any) -> None:
    """A ticket that has expired or was deleted, or belongs elsewhere, is refused, where C would abort or crash."""
    other = zloop.new()
    for each in (loop, other):
        zloop.set_ticket_delay(each, 1)
    elsewhere, deleted, expired = zloop.ticket(other, stop), zloop.ticket(loop, stop), zloop.ticket(loop, pass_on)
    zloop.ticket_delete(loop, deleted)
    zloop.timer(loop, 20, 1, stop)
    assert ended(loop) == -1
    again = [zloop.ticket(loop, pass_on) for _ in range(10)]
    for handle in (elsewhere, deleted, expired, ffi.cast("void *", again[0]), ffi.new_handle(5)):
        for function in (zloop.ticket_reset, zloop.ticket_delete):
            with pytest.raises(ValueError, match="handle is not a ticket of this loop"):
                function(loop, handle)
    for handle in again:
        zloop.ticket_reset(loop, handle)
        zloop.ticket_delete(loop, handle)
    for handle in (None, 5, "x", ffi.NULL, ffi.new("int *")):
        with pytest.raises((TypeError, ValueError), match="handle"):
            zloop.ticket_reset(loop, handle)


def test_ticket_in_its_own_handler(loop: Any) -> None:
    """A ticket may be reset or deleted while its handler runs; after it, it is gone."""
    zloop.set_ticket_delay(loop, 1)
    handles: list[Any] = []
    seen: list[str] = []

    def reset(loop: Any, zero: int, index: int) -> None:
        seen.append("reset")
        zloop.ticket_reset(loop, handles[index])

    def delete(loop: Any, zero: int, index: int) -> None:
        seen.append("delete")
        zloop.ticket_delete(loop, handles[index])
        zloop.ticket_delete(loop, handles[index + 1])

    handles += [zloop.ticket(loop, handler, index) for index, handler in enumerate((reset, delete, reset, reset))]
    zloop.timer(loop, 40, 1, stop)
    assert ended(loop) == -1
    assert seen == ["reset", "delete", "reset"]
    for handle in handles:
        with pytest.raises(ValueError, match="has expired or was deleted"):
            zloop.ticket_reset(loop, handle)


def test_ticket_that_ends_the_loop_stays(loop: Any) -> None:
    """As in C, a ticket whose handler ended the loop fires again in the next run, until it is deleted."""
    zloop.set_ticket_delay(loop, 1)
    seen: list[int] = []
    handle = zloop.ticket(loop, lambda *_: seen.append(1) or -1)
    assert ended(loop) == -1
    assert ended(loop) == -1
    assert len(seen) == 2
    zloop.ticket_delete(loop, handle)
    zloop.timer(loop, 20, 1, stop)
    assert ended(loop) == -1
    assert len(seen) == 2


def test_ticket_that_cancels_a_timer_fires_once(loop: Any) -> None:
    """C's loop pauses to let the timer go, as if the ticket had ended it; only one that does fires again."""
    zloop.set_ticket_delay(loop, 1)
    seen: list[Any] = []

    def on_ticket(loop: Any, _: int, timer_id: int) -> None:
        seen.append(timer_id)
        zloop.timer_end(loop, timer_id)

    handle = zloop.ticket(loop, on_ticket, 999_999)
    zloop.timer(loop, 30, 1, stop)
    assert zloop.start(loop) == -1
    assert seen == [999_999]
    with pytest.raises(ValueError, match="handle is not a ticket of this loop"):
        zloop.ticket_delete(loop, handle)


def test_many_tickets(loop: Any) -> None:
    """Ten thousand tickets expire, and their handlers go."""

    class Handler:
        count = 0

        def __call__(self, *_: Any) -> int:
            Handler.count += 1
            return 0

    handler = Handler()
    gone = weakref.ref(handler)
    zloop.set_ticket_delay(loop, 20)
    handles = [zloop.ticket(loop, handler, number) for number in range(10000)]
    for handle in handles[::2]:
        zloop.ticket_delete(loop, handle)
    del handler
    zloop.timer(loop, 400, 1, stop)
    assert ended(loop) == -1
    assert Handler.count == 5000
    collect()
    assert gone() is None


# ---------------------------------------------------------------- how a run ends


@pytest.mark.parametrize("result", [None, 0, 1, -2, True, False, 2**40])
def test_results_that_go_on(loop: Any, result: Any) -> None:
    """Whatever a handler returns but -1, the loop goes on."""
    seen: list[int] = []
    zloop.timer(loop, 0, 3, lambda *_: (seen.append(1), result)[1])
    zloop.timer(loop, 20, 1, stop)
    assert ended(loop) == -1
    assert len(seen) == 3


@pytest.mark.parametrize("result", ["x", b"", 1.5, -1.0, [], ()])
def test_results_of_another_type(loop: Any, result: Any) -> None:
    """A handler that returns something else is a TypeError out of start."""
    zloop.timer(loop, 0, 1, lambda *_: result)
    with pytest.raises(TypeError, match=f"a handler must return None or an int, not {type(result).__name__}"):
        zloop.start(loop)


@pytest.mark.parametrize("kind", ["reader", "poller", "timer", "ticket"])
@pytest.mark.parametrize("error", [KeyError("x"), SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_exception_comes_out(pair: Pair, loop: Any, kind: str, error: BaseException) -> None:
    """A handler's exception comes out of start, the very object with its traceback; the loop can go on."""

    def failing_handler(*_: Any) -> None:
        raise error

    zstr.send(pair.output, "x")
    zstr.send(pair.left, "x")
    zloop.set_ticket_delay(loop, 1)
    register = {
        "reader": lambda handler: zloop.reader(loop, pair.input, handler),
        "poller": lambda handler: zloop.poller(loop, pair.item, handler),
        "timer": lambda handler: zloop.timer(loop, 0, 1, handler),
        "ticket": lambda handler: zloop.ticket(loop, handler),
    }[kind]
    register(failing_handler)
    with pytest.raises(type(error)) as caught:
        zloop.start(loop)
    assert caught.value is error
    assert "failing_handler" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    zloop.reader_end(loop, pair.input)
    zloop.poller_end(loop, pair.item)
    zloop.timer(loop, 0, 1, stop)
    if kind != "ticket":
        assert ended(loop) == -1


def test_first_exception_wins(loop: Any) -> None:
    """After an exception no further handler is called, though C goes on to the tickets first."""
    seen: list[str] = []

    def fail(loop: Any, what: Any, name: str) -> None:
        seen.append(name)
        raise KeyError(name)

    zloop.set_ticket_delay(loop, 1)
    zloop.ticket(loop, fail, "ticket")
    zloop.timer(loop, 1, 1, fail, "first")
    zloop.timer(loop, 1, 1, fail, "second")
    while C.zclock_mono() < 0:
        pass
    time.sleep(0.01)
    with pytest.raises(KeyError, match="first"):
        zloop.start(loop)
    assert seen == ["first"]


def test_exception_of_the_raw_start(loop: Any, capsys: Any) -> None:
    """Where the raw zloop_start runs the loop, an exception is printed and ends it."""

    def fail(*_: Any) -> None:
        raise KeyError("printed")

    zloop.timer(loop, 0, 1, fail)
    assert C.zloop_start(loop) == -1
    assert capsys.readouterr().err.endswith("KeyError: 'printed'\n")


def test_nested_loops(loop: Any) -> None:
    """A handler may run another loop, whose exceptions come out there."""
    inner = zloop.new()
    seen: list[Any] = []

    def fail(*_: Any) -> None:
        raise KeyError("inner")

    def nest(outer: Any, timer_id: int, arg: Any) -> None:
        zloop.timer(inner, 5, 1, lambda handle, *_: seen.append(handle is inner) or -1)
        seen.append(zloop.start(inner))
        zloop.timer(inner, 5, 1, fail)
        with pytest.raises(KeyError, match="inner"):
            zloop.start(inner)

    zloop.timer(loop, 0, 1, nest)
    zloop.timer(loop, 30, 1, stop)
    assert ended(loop) == -1
    assert seen == [True, -1]


def test_running_loop_is_not_started(loop: Any) -> None:
    """A loop cannot be started in its own handler."""
    zloop.timer(loop, 0, 1, lambda loop, *_: zloop.start(loop))
    with pytest.raises(ValueError, match="loop is running already"):
        zloop.start(loop)


def test_running_loop_is_not_destroyed(loop: Any) -> None:
    """A loop cannot be destroyed in its own handler; afterwards it can."""
    zloop.timer(loop, 0, 1, lambda loop, *_: zloop.destroy(loop))
    with pytest.raises(ValueError, match="loop is in use"):
        zloop.start(loop)
    assert zloop.destroy(loop) is None


def test_running_loop_belongs_to_its_thread(loop: Any) -> None:
    """Another thread cannot touch a loop that runs; a loop may run in any thread."""
    running, done = threading.Event(), threading.Event()
    results: list[int] = []
    zloop.timer(loop, 0, 1, lambda *_: running.set())
    zloop.timer(loop, 5, 0, lambda *_: -1 if done.is_set() else 0)
    thread = threading.Thread(target=lambda: results.append(zloop.start(loop)))
    thread.start()
    assert running.wait(10)
    for call in (
        lambda: zloop.timer(loop, 0, 1, stop),
        lambda: zloop.start(loop),
        lambda: zloop.destroy(loop),
        lambda: zloop.set_max_timers(loop, 1),
    ):
        with pytest.raises(ValueError, match="loop is in use in another thread"):
            call()
    done.set()
    thread.join()
    assert results == [-1]


def test_terminated_context_ends_the_loop(pair: Pair, loop: Any) -> None:
    """When the sockets' context is shut down, start returns 0."""
    zloop.poller(loop, pair.item, stop)
    timer = threading.Timer(0.1, C.zmq_ctx_shutdown, (zctx.underlying(pair.ctx),))
    timer.start()
    assert zloop.start(loop) == 0
    timer.join()
    assert zloop.start(loop) == 0


def test_interrupted_flag(loop: Any) -> None:
    """zsys_interrupted ends the loop with 0, unless it is nonstop, by its old name, too."""

    def interrupt(*_: Any) -> None:
        C.zsys_interrupted = 1

    zloop.timer(loop, 0, 1, interrupt)
    try:
        assert ended(loop) == 0
        zloop.ignore_interrupts(loop)
        zloop.timer(loop, 0, 1, stop)
        assert ended(loop) == -1
    finally:
        C.zsys_interrupted = 0


# ---------------------------------------------------------------- sockets that were destroyed


@pytest.mark.parametrize("kind", ["reader", "poller"])
@pytest.mark.parametrize("verbose", [False, True])
def test_socket_destroyed_before_the_run(pair: Pair, loop: Any, kind: str, verbose: bool, capfd: Any) -> None:
    """A socket that was destroyed while registered stops start before C looks at it; it can be cancelled then."""
    from pyczmq import _handles

    zloop.set_verbose(loop, verbose)
    item, sock = pair.item, C.zsock_new(zmq.PULL)
    if kind == "reader":
        zloop.reader(loop, sock, stop)
        _handles.destroy(sock, ffi.typeof("zsock_t *"), _handles.freer(C.zsock_destroy, "zsock_t *"), "sock")
    else:
        C.zsock_destroy(ffi.new("zsock_t **", sock))
        zloop.poller(loop, item, stop)
        zsocket.destroy(pair.ctx, pair.right)
    zloop.timer(loop, 5, 1, stop)
    with pytest.raises(ValueError, match="a socket of the loop was destroyed"):
        zloop.start(loop)
    if kind == "reader":
        zloop.reader_end(loop, sock)
        with pytest.raises(ValueError, match="sock was destroyed"):
            zloop.reader_end(loop, sock)
        with pytest.raises(ValueError, match="sock was destroyed"):
            zloop.reader(loop, sock, stop)
    else:
        zloop.poller_end(loop, item)
    assert ended(loop) == -1


def test_socket_destroyed_in_a_handler(pair: Pair, loop: Any) -> None:
    """A handler that destroys a registered socket, or its context, stops the loop with a ValueError."""
    zloop.poller(loop, pair.item, stop)
    zloop.timer(loop, 0, 1, lambda *_: zctx.destroy(pair.ctx))
    with pytest.raises(ValueError, match="a socket of the loop was closed with its context"):
        zloop.start(loop)


def test_socket_cancelled_and_destroyed_in_a_handler(pair: Pair, loop: Any) -> None:
    """A handler may cancel a socket and destroy it, in either order."""
    item = pair.item

    def end_first(loop: Any, timer_id: int, arg: Any) -> None:
        zloop.poller_end(loop, item)
        zsocket.destroy(pair.ctx, pair.right)

    def destroy_first(loop: Any, timer_id: int, arg: Any) -> None:
        zsocket.destroy(pair.ctx, pair.left)
        zloop.poller_end(loop, other)

    other = zmq.pollitem(socket=pair.left, events=zmq.POLLIN)
    zloop.poller(loop, item, stop)
    zloop.poller(loop, other, stop)
    zloop.timer(loop, 0, 1, end_first)
    zloop.timer(loop, 2, 1, destroy_first)
    zloop.timer(loop, 10, 1, pass_on)
    zloop.timer(loop, 20, 1, stop)
    assert ended(loop) == -1


# ---------------------------------------------------------------- lifetimes


def test_loop_keeps_what_is_registered(loop: Any) -> None:
    """Sockets, their context, handlers and arguments live as long as they are registered."""
    ctx = zctx.new()
    left, right = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(left, "inproc://keep")
    zsocket.connect(right, "inproc://keep")
    zloop.poller(loop, zmq.pollitem(socket=right, events=zmq.POLLIN), lambda loop, item, arg: arg[0], [-1])
    zloop.timer(loop, 5, 1, lambda loop, timer_id, arg: zstr.send(arg, "x") and None, left)
    del ctx, left, right
    collect()
    assert ended(loop) == -1


@pytest.mark.parametrize("how", ["collected", "destroyed", "raw"])
@pytest.mark.parametrize("started", [False, True])
def test_loop_lets_go(pair: Pair, how: str, started: bool) -> None:
    """When a loop goes, so does all that was registered, also what refers back to the loop."""

    class Holder:
        def handler(self, *_: Any) -> int:
            return -1

    holder = Holder()
    loop = C.zloop_new() if how == "raw" else zloop.new()
    if how != "raw":
        holder.loop = loop
    zloop.set_ticket_delay(loop, 100000)
    zloop.reader(loop, pair.input, holder.handler, holder)
    zloop.poller(loop, pair.item, holder.handler, holder)
    zloop.timer(loop, 100000, 0, holder.handler, holder)
    zloop.ticket(loop, holder.handler, holder)
    if started:
        zloop.timer(loop, 0, 1, stop)
        zloop.start(loop)
    holder_gone, loop_gone = weakref.ref(holder), weakref.ref(loop)
    if how != "collected":
        zloop.destroy(loop)
        del holder
        collect()
        assert holder_gone() is None or how == "destroyed"
        if how == "raw":
            with pytest.raises(ValueError, match="loop was destroyed"):
                zloop.start(loop)
        del loop
    else:
        del holder, loop
    collect()
    assert holder_gone() is None
    assert loop_gone() is None


def test_destroy_frees_handlers_at_once(loop: Any) -> None:
    """destroy lets the handlers go though the handle is still there."""

    class Handler:
        def __call__(self, *_: Any) -> None: ...

    handler = Handler()
    gone = weakref.ref(handler)
    zloop.timer(loop, 1, 1, handler)
    del handler
    zloop.destroy(loop)
    collect()
    assert gone() is None


def test_nothing_is_left_behind(pair: Pair) -> None:
    """A thousand loops leave no trace in the tables."""
    from pyczmq import _handles, _keeper, _reactor

    collect()
    tables = (_reactor._registered, _reactor._running, _keeper.keepers, _handles._owned, _handles._companions)
    before = [len(table) for table in tables]
    for number in range(1000):
        loop = zloop.new()
        zloop.reader(loop, pair.input, stop, loop)
        zloop.timer(loop, 0, 1, stop, loop)
        zloop.timer(loop, 1000, 1, stop, loop)
        assert zloop.start(loop) == -1
        if number % 2:
            zloop.destroy(loop)
    del loop
    collect()
    assert [len(table) for table in tables] == before


def test_raw_calls_mix(pair: Pair) -> None:
    """Raw calls work on our loops, and ours on raw ones; raw callbacks are called beside ours."""
    seen: list[Any] = []

    @ffi.callback("zloop_timer_fn *")
    def raw(loop: Any, timer_id: int, arg: Any) -> int:
        seen.append(timer_id)
        zloop.timer_end(loop, timer_id)
        return 0

    for loop in (zloop.new(), C.zloop_new()):
        seen.clear()
        zloop.timer(loop, 0, 1, stop)
        assert C.zloop_start(loop) == -1
        raw_id = C.zloop_timer(loop, 1, 0, raw, ffi.NULL)
        zloop.timer(loop, 10, 1, pass_on)
        zloop.timer(loop, 30, 1, stop)
        assert ended(loop) == -1
        # A raw callback cannot make C pause to let the timer go, but any handler can.
        assert set(seen) == {raw_id}
        assert len(seen) < 15
        assert zloop.destroy(loop) is None


def test_raw_callback_that_ends_the_loop(loop: Any) -> None:
    """-1 from a callback that a raw call registered ends start with -1."""

    @ffi.callback("zloop_timer_fn *")
    def raw(loop: Any, timer_id: int, arg: Any) -> int:
        return -1

    assert C.zloop_timer(loop, 1, 1, raw, ffi.NULL) > 0
    assert zloop.start(loop) == -1


def test_verbose(pair: Pair, loop: Any, capfd: Any) -> None:
    """A verbose loop tells what it does, with every kind of registration."""
    zloop.set_verbose(loop, True)
    zloop.set_ticket_delay(loop, 1)
    zloop.reader(loop, pair.input, lambda loop, sock, arg: zstr.recv(sock) and None)
    zloop.poller(loop, pair.item, lambda loop, item, arg: zloop.poller_end(loop, item))
    zloop.poller(loop, zmq.pollitem(fd=0, events=0), pass_on)
    zloop.ticket(loop, pass_on)
    timer_id = zloop.timer(loop, 1000, 1, pass_on)
    zstr.send(pair.output, "x")
    zstr.send(pair.left, "x")
    zloop.timer(loop, 30, 1, stop)
    assert ended(loop) == -1
    zloop.reader_end(loop, pair.input)
    zloop.timer_end(loop, timer_id)
    zloop.set_verbose(loop, False)
    said = capfd.readouterr()
    assert "zloop: call timer handler" in said.out + said.err


# ---------------------------------------------------------------- misuse

_SOCK = "zsock_t *"
_FUNCTIONS = {
    "reader": lambda loop: zloop.reader(loop, None, stop),
    "reader_end": lambda loop: zloop.reader_end(loop, None),
    "reader_set_tolerant": lambda loop: zloop.reader_set_tolerant(loop, None),
    "poller": lambda loop: zloop.poller(loop, None, stop),
    "poller_end": lambda loop: zloop.poller_end(loop, None),
    "poller_set_tolerant": lambda loop: zloop.poller_set_tolerant(loop, None),
    "set_tolerant": lambda loop: zloop.set_tolerant(loop, None),
    "timer": lambda loop: zloop.timer(loop, 0, 1, stop),
    "timer_end": lambda loop: zloop.timer_end(loop, 1),
    "ticket": lambda loop: zloop.ticket(loop, stop),
    "ticket_reset": lambda loop: zloop.ticket_reset(loop, None),
    "ticket_delete": lambda loop: zloop.ticket_delete(loop, None),
    "set_ticket_delay": lambda loop: zloop.set_ticket_delay(loop, 1),
    "set_max_timers": lambda loop: zloop.set_max_timers(loop, 1),
    "set_verbose": lambda loop: zloop.set_verbose(loop, True),
    "set_nonstop": lambda loop: zloop.set_nonstop(loop, True),
    "ignore_interrupts": lambda loop: zloop.ignore_interrupts(loop),
    "start": lambda loop: zloop.start(loop),
}


@pytest.mark.parametrize("name", _FUNCTIONS)
def test_bad_loops(name: str) -> None:
    """What is no loop, or was destroyed, is refused by name, by every function."""
    for handle in (None, 5, "loop", ffi.NULL, ffi.new("int *"), ffi.cast("zloop_t *", 0)):
        with pytest.raises((TypeError, ValueError), match="loop"):
            _FUNCTIONS[name](handle)
    destroyed = zloop.new()
    zloop.destroy(destroyed)
    with pytest.raises(ValueError, match="loop was destroyed"):
        _FUNCTIONS[name](destroyed)


@pytest.mark.parametrize("handle", [5, "loop", ffi.NULL, ffi.new("int *"), ffi.cast("zloop_t *", 0)])
def test_bad_loops_to_destroy(handle: Any) -> None:
    """destroy lets only None through, and destroys once."""
    with pytest.raises((TypeError, ValueError), match="loop"):
        zloop.destroy(handle)
    assert zloop.destroy(None) is None
    loop = zloop.new()
    assert zloop.destroy(loop) is None
    with pytest.raises(ValueError, match="loop was destroyed"):
        zloop.destroy(loop)


@pytest.mark.parametrize("sock", [None, 5, "x", ffi.NULL, ffi.new("int *"), ffi.cast(_SOCK, 0)])
def test_bad_socks(loop: Any, sock: Any) -> None:
    """What is no zsock is refused by name."""
    for function in (
        lambda: zloop.reader(loop, sock, stop),
        lambda: zloop.reader_end(loop, sock),
        lambda: zloop.reader_set_tolerant(loop, sock),
    ):
        with pytest.raises((TypeError, ValueError), match="sock"):
            function()


def test_zsocket_is_no_reader(pair: Pair, loop: Any) -> None:
    """A zsocket, which C would take for a zsock, is refused."""
    with pytest.raises(TypeError, match=r"sock must be a struct _zsock_t \*, not void \*"):
        zloop.reader(loop, pair.right, stop)


def test_sock_that_is_not_registered(pair: Pair, loop: Any) -> None:
    """Cancelling what was never registered does nothing, also when verbose."""
    zloop.set_verbose(loop, True)
    zloop.reader_end(loop, pair.input)
    zloop.reader_set_tolerant(loop, pair.input)
    zloop.poller_end(loop, pair.item)
    zloop.poller_set_tolerant(loop, pair.item)
    zloop.poller_end(loop, zmq.pollitem(fd=5))


def test_bad_items(pair: Pair, loop: Any) -> None:
    """What is no item, or has no socket that is open and no descriptor, is refused by name."""
    for item in (
        None,
        5,
        "x",
        ffi.NULL,
        ffi.new("int *"),
        ffi.new("zmq_pollitem_t[1]"),
        ffi.cast("zmq_pollitem_t *", 0),
    ):
        for function in (lambda item: zloop.poller(loop, item, stop), lambda item: zloop.poller_end(loop, item)):
            with pytest.raises((TypeError, ValueError), match="item"):
                function(item)
    with pytest.raises(ValueError, match="neither a socket nor a file descriptor"):
        zloop.poller(loop, ffi.new("zmq_pollitem_t *", {"fd": -1}), stop)
    closed = pair.item
    zsocket.destroy(pair.ctx, pair.right)
    with pytest.raises(ValueError, match="the socket of item was destroyed"):
        zloop.poller(loop, closed, stop)
    with pytest.raises(TypeError, match="the socket of item must be a socket, not a context"):
        zloop.poller(loop, ffi.new("zmq_pollitem_t *", {"socket": zmq.ctx_new()}), stop)
    block = ffi.new("char[65536]")
    with pytest.raises(ValueError, match="the socket of item is not open"):
        zloop.poller(loop, ffi.new("zmq_pollitem_t *", {"socket": block}), stop)


@pytest.mark.parametrize("handler", [None, 5, "stop", ffi.NULL, ffi.new("int *")])
def test_bad_handlers(pair: Pair, loop: Any, handler: Any) -> None:
    """What cannot be called is refused by name, by every function that takes a handler."""
    zloop.set_ticket_delay(loop, 1)
    for register in (
        lambda: zloop.reader(loop, pair.input, handler),
        lambda: zloop.poller(loop, pair.item, handler),
        lambda: zloop.timer(loop, 0, 1, handler),
        lambda: zloop.ticket(loop, handler),
    ):
        with pytest.raises(TypeError, match="handler must be"):
            register()
    zloop.timer(loop, 5, 1, stop)
    assert ended(loop) == -1


def test_raw_callback_of_another_type(loop: Any) -> None:
    """A C callback of another type, or NULL, is refused."""
    wrong = ffi.callback("zloop_fn *", stop)
    with pytest.raises(TypeError, match="handler must be a int"):
        zloop.timer(loop, 0, 1, wrong)
    with pytest.raises(ValueError, match="handler is NULL"):
        zloop.timer(loop, 0, 1, ffi.cast("zloop_timer_fn *", 0))


@pytest.mark.parametrize("number", [None, "1", 1.5, -1, 2**64, 2**70])
def test_bad_numbers(loop: Any, number: Any) -> None:
    """What does not fit C's number is refused by name."""
    for function, name in (
        (lambda: zloop.timer(loop, number, 1, stop), "delay"),
        (lambda: zloop.timer(loop, 1, number, stop), "times"),
        (lambda: zloop.set_ticket_delay(loop, number), "ticket_delay"),
        (lambda: zloop.set_max_timers(loop, number), "max_timers"),
    ):
        with pytest.raises((TypeError, ValueError), match=name):
            function()
    if number != -1:
        with pytest.raises((TypeError, ValueError), match="timer_id"):
            zloop.timer_end(loop, number)


# ---------------------------------------------------------------- processes


def test_more_sockets_than_the_system_polls() -> None:
    """Sockets beyond the limit of open files, with which libzmq would abort, are refused, and so is a lowered limit."""
    children.check(
        """
        import resource
        from pyczmq import C, zloop, zmq
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        loop, sock = zloop.new(), C.zsock_new(zmq.PULL)
        resource.setrlimit(resource.RLIMIT_NOFILE, (1000, limit))
        try:
            for _ in range(600):
                zloop.reader(loop, sock, print)
                zloop.poller(loop, zmq.pollitem(fd=0, events=zmq.POLLIN), print)
            raise SystemExit("added")
        except ValueError as error:
            assert "the system polls no more than 1000" in str(error), error
        resource.setrlimit(resource.RLIMIT_NOFILE, (400, limit))
        try:
            zloop.start(loop)
            raise SystemExit("started")
        except ValueError as error:
            assert "the system polls no more than 400" in str(error), error
        zloop.reader_end(loop, sock)
        zloop.poller_end(loop, zmq.pollitem(fd=0))
        C.zsock_destroy([sock])
        """
    )


def test_forked_child_refuses_it() -> None:
    """A forked child refuses its parent's loop and runs its own; one that forks in a handler stops there."""
    children.check(
        """
        import os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from pyczmq import C, zctx, zloop, zmq, zsocket
        ctx, loop = zctx.new(), zloop.new()
        pull = zsocket.new(ctx, zmq.PULL)
        zloop.poller(loop, zmq.pollitem(socket=pull, events=zmq.POLLIN), lambda *_: -1)
        zloop.timer(loop, 0, 1, lambda *_: children.append(os.fork()))
        zloop.timer(loop, 50, 1, lambda *_: -1)
        children = []
        try:
            assert zloop.start(loop) == -1
        except ValueError as error:
            assert "a socket of the loop" in str(error), error
            mine = zloop.new()
            zloop.timer(mine, 0, 1, lambda *_: -1)
            assert zloop.start(mine) == -1
            try:
                zloop.start(loop)
            except ValueError as error:
                assert "loop belongs to the parent process" in str(error), error
                os._exit(0)
            os._exit(1)
        assert os.waitpid(children[0], 0)[1] == 0
        """
    )


def test_exit_while_a_daemon_thread_runs_a_loop() -> None:
    """The interpreter ends well while loops run in daemon threads, asleep or with timers that fire all the time."""
    children.check(
        """
        import threading, time
        from pyczmq import _threads, zctx, zloop, zmq, zsocket
        asleep, busy, polling = zloop.new(), zloop.new(), zloop.new()
        zloop.timer(busy, 0, 0, lambda *_: None)
        pull = zsocket.new(zctx.new(), zmq.PULL)
        zloop.poller(polling, zmq.pollitem(socket=pull, events=zmq.POLLIN), lambda *_: None)
        for loop in (asleep, busy, polling):
            threading.Thread(target=zloop.start, args=(loop,), daemon=True).start()
        while len(_threads.waiting) < 3:
            time.sleep(0.001)
        """
    )


def test_exit_with_a_loop_that_is_forgotten() -> None:
    """A loop that was never destroyed is no trouble at exit, with all kinds of registrations, run or not."""
    children.check(
        """
        from pyczmq import C, zctx, zloop, zmq, zsocket
        ctx = zctx.new()
        for run in (False, True):
            loop = zloop.new()
            pull = zsocket.new(ctx, zmq.PULL)
            zloop.poller(loop, zmq.pollitem(socket=pull, events=zmq.POLLIN), lambda *_: -1, loop)
            zloop.timer(loop, 10000, 0, lambda *_: -1, loop)
            zloop.set_ticket_delay(loop, 1000)
            ticket = zloop.ticket(loop, lambda *_: -1, loop)
            zloop.timer(loop, 0, 1, lambda *_: -1, loop)
            if run:
                zloop.start(loop)
        """
    )
