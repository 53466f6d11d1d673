"""Reactors whose handlers register, cancel, raise, destroy and nest: each handler does the next step of a program."""

from __future__ import annotations

import gc
import itertools
from typing import Any

from hypothesis import strategies as st

from pyczmq import zloop, zmq, zsock, zstr

from . import Call, Machine, Named, calls, initialize, refused, rule, same

#: Milliseconds after which a run ends whose handlers wait for nothing any more.
_END = 15

#: Sockets that there are.
_LINKS = 3

_numbers = itertools.count(1)


class Boom(Exception):
    """What handlers raise here."""


class Link(Named):
    """Two zsocks that are connected, the second of which a loop waits for, and how it does."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        endpoint = f"@inproc://loops.{next(_numbers)}"
        self.output, self.input = zsock.new_pair(endpoint), zsock.new_pair(">" + endpoint[1:])
        self.item = zmq.pollitem(socket=self.input, events=zmq.POLLIN)
        self.alive = True


class Handler(Named):
    """The model of a registration: what it is for, and how often it is to be called yet."""

    def __init__(self, name: str, kind: str, what: Any, times: int = 0) -> None:
        super().__init__(name)
        self.kind = kind
        self.what = what
        self.times = times
        self.active = True


STEP = calls(
    ("nothing",),
    ("send", st.integers(0, _LINKS - 1)),
    ("send", st.integers(0, _LINKS - 1)),
    ("add_reader", st.integers(0, _LINKS - 1)),
    ("add_reader", st.integers(0, _LINKS - 1)),
    ("end_reader", st.integers(0, _LINKS - 1)),
    ("add_poller", st.integers(0, _LINKS - 1)),
    ("end_poller", st.integers(0, _LINKS - 1)),
    ("add_timer", st.integers(0, 2), st.integers(0, 3)),
    ("add_timer", st.integers(0, 2), st.integers(0, 3)),
    ("end_timer", st.integers(0, 5)),
    ("add_ticket",),
    ("add_ticket",),
    ("reset_ticket", st.integers(0, 5)),
    ("delete_ticket", st.integers(0, 5)),
    ("cancel_and_destroy_socket", st.integers(0, _LINKS - 1)),
    ("destroy_socket", st.integers(0, _LINKS - 1)),
    ("destroy_loop",),
    ("start_again",),
    ("nest",),
    ("collect",),
    ("fail",),
    ("stop",),
)


class Loops(Machine):
    @initialize()
    def begin(self) -> None:
        self.links = [Link(f"link{number}") for number in range(_LINKS)]
        self.program: list[Call] = []
        self.running = False
        self.over = True
        self.last = ""
        self.failed: type[BaseException] | None = None
        self.new_loop()

    def new_loop(self) -> None:
        self.loop = zloop.new()
        zloop.set_ticket_delay(self.loop, 1)
        self.readers: list[Handler] = []
        self.pollers: list[Handler] = []
        self.timers: list[Handler] = []
        self.tickets: list[Handler] = []

    # ---------------------------------------------------------------- rules

    @rule(steps=st.lists(STEP, min_size=1, max_size=4))
    def make_steps(self, steps: list[Call]) -> None:
        """Do things with a loop that does not run."""
        for name, *arguments in steps:
            if name not in ("start_again", "destroy_loop", "fail", "stop"):
                getattr(self, name)(*arguments)

    @rule(program=st.lists(STEP, max_size=12))
    def run(self, program: list[Call]) -> None:
        self.program = list(reversed(program))
        self.stopped = False
        self.failed = None
        if self.gone():
            refused(zloop.start, self.loop)
            self.cancel_gone()
        self.running, self.over = True, False
        end = zloop.timer(self.loop, _END, 1, self.on_end)
        try:
            result: Any = zloop.start(self.loop)
        except (Boom, ValueError) as error:
            result = type(error)
        finally:
            self.running, self.over = False, True
        zloop.timer_end(self.loop, end)
        same(result, self.failed or -1, "result of the loop")

    @rule()
    def destroy(self) -> None:
        """Destroy the loop: its handlers are never called again."""
        zloop.destroy(self.loop)
        for function in zloop.start, zloop.destroy:
            refused(function, self.loop)
        refused(zloop.timer, self.loop, 1, 1, self.on_end)
        for handler in [*self.readers, *self.pollers, *self.timers, *self.tickets]:
            handler.active = False
        self.new_loop()

    @rule()
    def drop(self) -> None:
        """Leave the loop to the garbage collector."""
        for handler in [*self.readers, *self.pollers, *self.timers, *self.tickets]:
            handler.active = False
        self.new_loop()

    # ---------------------------------------------------------------- handlers

    def on_end(self, loop: Any, timer: int, arg: Any) -> int:
        self.over = True
        self.last = "timer"
        return -1

    def handle(self, loop: Any, what: Any, handler: Handler) -> int:
        # As in C, tickets are called once more in the round that a timer has ended the loop in.
        assert self.running, f"{handler} is called by a loop that does not run"
        assert not self.over or (self.last == "timer" and handler.kind == "ticket"), f"{handler} is called too late"
        if not self.over:
            self.last = handler.kind
        assert loop is self.loop
        assert handler.active, f"{handler} is called, but was cancelled"
        if handler.kind == "reader":
            assert what is handler.what.input
        elif handler.kind == "poller":
            assert what is handler.what.item and what.revents == zmq.POLLIN
        else:
            same(what, handler.what if handler.kind == "timer" else 0)
        if handler.kind in ("reader", "poller"):
            zstr.recv_nowait(handler.what.input)
        elif handler.kind == "timer" and handler.times:
            handler.times -= 1
            if not handler.times:
                handler.active = False
        if not self.program:
            self.over = True
            return -1
        name, *arguments = self.program.pop()
        result = getattr(self, name)(*arguments)
        if self.gone() and result != -1:
            # A socket that was destroyed is noticed once a handler is done.
            self.over, self.failed = True, ValueError
        elif handler.kind == "ticket" and result != -1:
            handler.active = False
        return -1 if result == -1 else 0

    def gone(self) -> list[Handler]:
        """Return the registrations whose socket was destroyed."""
        return [handler for handler in [*self.readers, *self.pollers] if handler.active and not handler.what.alive]

    def cancel_gone(self) -> None:
        for handler in self.gone():
            (self.cancel_reader if handler.kind == "reader" else self.cancel_poller)(handler.what)

    # ---------------------------------------------------------------- steps

    def nothing(self) -> None:
        pass

    def collect(self) -> None:
        gc.collect()

    def fail(self) -> None:
        self.over, self.failed = True, Boom
        raise Boom

    def stop(self) -> int:
        self.over = True
        return -1

    def send(self, number: int) -> None:
        link = self.links[number]
        if link.alive:
            same(zstr.send(link.output, "x"), 0)
        else:
            refused(zstr.send, link.input, "x")

    def add_reader(self, number: int) -> None:
        link = self.links[number]
        handler = Handler(self.name("reader"), "reader", link)
        if not link.alive:
            refused(zloop.reader, self.loop, link.input, self.handle, handler)
            return
        same(zloop.reader(self.loop, link.input, self.handle, handler), 0)
        self.readers.append(handler)

    def end_reader(self, number: int) -> None:
        self.cancel_reader(self.links[number])

    def cancel_reader(self, link: Link) -> None:
        found = [handler for handler in self.readers if handler.what is link and handler.active]
        if link.alive or found:
            zloop.reader_end(self.loop, link.input)
        else:
            refused(zloop.reader_end, self.loop, link.input)
        for handler in found:
            handler.active = False

    def add_poller(self, number: int) -> None:
        link = self.links[number]
        handler = Handler(self.name("poller"), "poller", link)
        if not link.alive:
            refused(zloop.poller, self.loop, link.item, self.handle, handler)
            return
        same(zloop.poller(self.loop, link.item, self.handle, handler), 0)
        self.pollers.append(handler)

    def end_poller(self, number: int) -> None:
        self.cancel_poller(self.links[number])

    def cancel_poller(self, link: Link) -> None:
        zloop.poller_end(self.loop, link.item)
        for handler in self.pollers:
            if handler.what is link:
                handler.active = False

    def add_timer(self, delay: int, times: int) -> None:
        handler = Handler(self.name("timer"), "timer", None, times)
        handler.what = zloop.timer(self.loop, delay, times, self.handle, handler)
        self.timers.append(handler)

    def end_timer(self, number: int) -> None:
        """End a timer, the present one or another, be it still there or not."""
        if self.timers:
            handler = self.timers[number % len(self.timers)]
            same(zloop.timer_end(self.loop, handler.what), 0)
            handler.active = False

    def add_ticket(self) -> None:
        # It is called once, or again if its handler has ended the loop.
        handler = Handler(self.name("ticket"), "ticket", None)
        handler.what = zloop.ticket(self.loop, self.handle, handler)
        self.tickets.append(handler)

    def ticket(self, number: int, function: Any) -> Handler | None:
        if not self.tickets:
            return None
        handler = self.tickets[number % len(self.tickets)]
        # In its own handler a ticket is there still.
        if handler.active:
            function(self.loop, handler.what)
        return handler

    def reset_ticket(self, number: int) -> None:
        self.ticket(number, zloop.ticket_reset)

    def delete_ticket(self, number: int) -> None:
        handler = self.ticket(number, zloop.ticket_delete)
        if handler:
            handler.active = False

    def cancel_and_destroy_socket(self, number: int) -> None:
        link = self.links[number]
        if link.alive:
            self.cancel_reader(link)
            self.cancel_poller(link)
            self.destroy_socket(number)
            self.links[number] = Link(self.name("link"))

    def destroy_socket(self, number: int) -> None:
        link = self.links[number]
        if link.alive:
            zsock.destroy(link.input)
            link.alive = False
        else:
            self.links[number] = Link(self.name("link"))

    def destroy_loop(self) -> None:
        refused(zloop.destroy, self.loop)

    def start_again(self) -> None:
        refused(zloop.start, self.loop)

    def nest(self) -> None:
        """Run another loop inside."""
        inner = zloop.new()
        called = []

        def on_timer(loop: Any, timer: int, arg: Any) -> int:
            called.append(timer)
            return -1

        zloop.timer(inner, 0, 1, on_timer)
        same(zloop.start(inner), -1)
        same(len(called), 1)
        zloop.destroy(inner)

    def finish(self) -> None:
        if hasattr(self, "links"):
            zloop.destroy(self.loop)
            for link in self.links:
                if link.alive:
                    zsock.destroy(link.input)
                zsock.destroy(link.output)
