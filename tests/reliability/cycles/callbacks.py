"""Cycles of callbacks: the reactor's handlers, handlers of logs, threads and timers."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from cycles import SOCKETS, both, cycle, optional, prepared
from cycles.calls import fail, fails
from pyczmq import zloop, zmq, zsock, zstr, zsys

_names = itertools.count()


def _stop(*_: Any) -> int:
    return -1


def _go_on(*_: Any) -> int:
    return 0


both("zloop.new", lambda: zloop.new(), lambda made: zloop.destroy(made))


def _loop_with_everything(sock: Any) -> Any:
    """Return a reactor with handlers of every kind, each of which refers back to it."""
    loop = zloop.new()
    zloop.reader(loop, sock, _go_on, loop)
    zloop.poller(loop, zmq.pollitem(fd=0), lambda *_: loop and 0, ["arg"])
    zloop.timer(loop, 1000, 1, _go_on, loop)
    zloop.set_ticket_delay(loop, 1000)
    zloop.ticket(loop, _go_on, loop)
    return loop


@prepared("zloop with handlers, destroyed", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    sock = zsock.new(zmq.PULL)
    yield lambda: zloop.destroy(_loop_with_everything(sock))


@prepared("zloop with handlers, collected", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    sock = zsock.new(zmq.PULL)
    yield lambda: _loop_with_everything(sock)


@prepared("zloop, a tour", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    left, right = zsock.new_pair("@inproc://loop"), zsock.new_pair(">inproc://loop")
    assert left is not None and right is not None

    def receive(loop: Any, reader: Any, arg: Any) -> int:
        zstr.recv(reader)
        return -1

    def once() -> None:
        loop = zloop.new()
        zloop.reader(loop, right, receive, ["arg"])
        zloop.reader_set_tolerant(loop, right)
        item = zmq.pollitem(socket=left, events=zmq.POLLIN)
        zloop.poller(loop, item, _go_on)
        zloop.poller_set_tolerant(loop, item)
        zloop.set_tolerant(loop, item)
        zloop.poller_end(loop, item)
        timer = zloop.timer(loop, 1000, 2, _go_on, ["arg"])
        zloop.timer_end(loop, timer)
        zloop.set_ticket_delay(loop, 1000)
        ticket = zloop.ticket(loop, _go_on, ["arg"])
        zloop.ticket_reset(loop, ticket)
        zloop.ticket_delete(loop, ticket)
        zloop.set_max_timers(loop, 10)
        zloop.set_verbose(loop, False)
        zloop.set_nonstop(loop, True)
        zloop.ignore_interrupts(loop)
        zstr.send(left, "text")
        assert zloop.start(loop) == -1
        zloop.reader_end(loop, right)

    yield once


@cycle("zloop, a timer that ends the loop")
def _timer() -> None:
    loop = zloop.new()
    zloop.timer(loop, 0, 1, _go_on)
    zloop.timer(loop, 1, 1, _stop)
    assert zloop.start(loop) == -1


@cycle("zloop, a timer that raises")
def _timer_raises() -> None:
    loop = zloop.new()
    zloop.timer(loop, 0, 1, fail, loop)
    fails(zloop.start, loop)


@prepared("zloop, a reader that raises", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    left, right = zsock.new_pair("@inproc://raises"), zsock.new_pair(">inproc://raises")
    assert left is not None and right is not None

    def once() -> None:
        loop = zloop.new()
        zloop.reader(loop, right, fail, ["arg"])
        zstr.send(left, "text")
        fails(zloop.start, loop)
        zstr.recv(right)

    yield once


@prepared("zsys: logs to a handler of logging")
def _() -> Iterator[Callable[[], object]]:
    seen: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    logger = logging.getLogger("cycles")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(Handler())
    zsys.log_to_logging(logger)

    def once() -> None:
        for log in (zsys.error, zsys.warning, zsys.notice, zsys.info, zsys.debug):
            log("%s %d", "text", 1)
        deadline = time.monotonic() + 10
        while len(seen) < 5 and time.monotonic() < deadline:
            time.sleep(0.0001)
        assert len(seen) == 5, seen
        seen.clear()

    yield once
    zsys.log_to_logging(None)


@prepared("zsys: where logs go is set", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    def once() -> None:
        zsys.log_to_logging("cycles")
        zsys.log_to_logging(None)
        with open("log", "w") as file:
            zsys.set_logstream(file)
            zsys.info("text")
            zsys.set_logstream(None)
        zsys.set_logident("identity")

    yield once


@cycle("zsys.set_logsender", SOCKETS)
def _logsender() -> None:
    # libzmq takes a moment to give an endpoint back.
    zsys.set_logsender(f"inproc://logs.{next(_names)}")
    zsys.info("text")
    zsys.set_logsender(None)


@cycle("zsys.handler_set")
def _handler() -> None:
    zsys.handler_set(lambda number: None)
    zsys.handler_set(None)
    zsys.handler_reset()
    optional(zsys.set_interrupted)


@cycle("zmq.threadstart", SOCKETS)
def _thread() -> None:
    done: list[int] = []
    zmq.threadclose(zmq.threadstart(done.append, 1))
    assert done == [1]
