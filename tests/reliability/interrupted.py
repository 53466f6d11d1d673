"""Interrupt calls that block, in a process of their own, and say what came of it.

    python interrupted.py FLOOR SHARE ROUNDS SEED

makes the calls of one table below, or a share of them (0/2 is half of them), each *ROUNDS* times, and prints a line of
JSON for each: by how many seconds what was to happen was late, or what was wrong. Calls that the library lacks are left
out. The first round interrupts at fixed moments, and measures; any further one at a random moment, from before the call
begins until it has slept for a while, and then makes the call again.
"""

from __future__ import annotations

import asyncio
import faulthandler
import itertools
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import pyczmq
from pyczmq import C, _threads, aio, ffi, zactor, zframe, zmq, zmsg, zproxy, zsock, zsocket, zstr

#: Milliseconds after which timed calls end by themselves.
DEADLINE = 150

#: Seconds after the beginning of a call at which the signals come.
SIGNALS = (0.03, 0.07)

#: The same for raw calls: all but the first in case that one has woken nobody.
RAW_SIGNALS = (0.03, 1.03, 2.03, 3.03)

#: Seconds in which a signal's handler, and Ctrl-C, must get through.
PROMPT = 0.2

#: Tries that a measurement has, on a machine that is busy with other things.
TRIES = 4

#: Seconds that a call has before the process is ended, with a traceback that names it.
HANG = 20

#: Seconds, at most, before a random interrupt.
RANDOM = 0.004

#: A port at which nobody listens.
NOBODY = "tcp://127.0.0.1:9"

Call = Callable[[], object]


class Things(ExitStack):
    """What calls wait on: made when it is first asked for, closed at the end. *timeout* is -1 or `DEADLINE`."""

    def __init__(self, timeout: int) -> None:
        super().__init__()
        self.timeout = timeout

    def socket(self, kind: int, module: Any = pyczmq, **options: Any) -> Any:
        """Return a Socket; *module* says whether for calls that block or for asyncio."""
        timeouts = {"rcvtimeo": self.timeout, "sndtimeo": self.timeout}
        return self.enter_context(module.Socket(kind, **{**timeouts, **options}))

    def pull(self, module: Any = pyczmq) -> Any:
        """Return a socket that receives nothing."""
        return self.socket(zmq.PULL, module)

    def push(self, module: Any = pyczmq) -> Any:
        """Return a socket that has no peer."""
        return self.socket(zmq.PUSH, module)

    def raw(self, kind: int) -> Any:
        """Return a ``zsock_t *`` of the raw floor."""
        sock = C.zsock_new(kind)
        self.callback(lambda: C.zsock_destroy(ffi.new("zsock_t **", sock)))
        return sock

    def loop(self) -> Any:
        """Return a Loop that ends after the timeout."""
        loop = self.enter_context(pyczmq.Loop())
        # Its first start makes sockets, of which an interrupt may leave one behind.
        loop.stop()
        loop.start()
        if self.timeout >= 0:
            loop.timer(self.timeout, 1, lambda *_: -1)
        return loop

    def actor(self, module: Any = pyczmq) -> Any:
        """Return an Actor that sends nothing."""
        actor = module.Actor(_listen)
        self.callback(zactor.destroy, actor.handle)
        actor.rcvtimeo = self.timeout
        return actor

    def full_actor(self, module: Any = pyczmq) -> Any:
        """Return an Actor whose pipe has no room, and whose task takes nothing off it."""
        gate = threading.Event()

        def idle(pipe: Any) -> None:
            pipe.signal()
            gate.wait(HANG)

        actor = module.Actor(idle)
        self.callback(zactor.destroy, actor.handle)
        self.callback(gate.set)
        while zsocket.sendmem(C.zsock_resolve(actor.handle), b"x", zframe.DONTWAIT) == 0:
            pass
        actor.sndtimeo = self.timeout
        return actor

    def gate(self) -> threading.Event:
        """Return what is set at the end, for a task to wait for."""
        gate = threading.Event()
        self.callback(gate.set)
        return gate

    def folder(self) -> str:
        """Return an empty folder."""
        return self.enter_context(tempfile.TemporaryDirectory())


def _listen(pipe: Any) -> None:
    for _ in pipe:
        pass


# ---------------------------------------------------------------- the raw floor
#
# C returns when a signal has come, with errno EINTR, and Python raises after that, or goes on with what C has returned.


def _raw_destroy(things: Things) -> Call:
    gate = things.gate()

    @ffi.callback("zactor_fn")  # type: ignore[untyped-decorator]
    def run(pipe: Any, args: Any) -> None:
        C.zsock_signal(pipe, 0)
        gate.wait(HANG)

    actor = C.zactor_new(run, ffi.NULL)
    # C frees the pipe of an actor that has not ended; its thread goes on, and comes here at its end.
    _kept.append(run)
    return lambda: C.zactor_destroy(ffi.new("zactor_t **", actor))


#: Callbacks that C may call for as long as the process runs.
_kept: list[Any] = []


def _raw_frame(things: Things) -> Call:
    frame = ffi.new("zframe_t **", C.zframe_new(b"x", 1))
    things.callback(lambda: C.zframe_destroy(frame))
    return lambda: C.zframe_send(frame, things.raw(zmq.PUSH), 0)


def _raw_message(things: Things) -> Call:
    message = ffi.new("zmsg_t **", C.zmsg_new())
    C.zmsg_addstr(message[0], b"x")
    things.callback(lambda: C.zmsg_destroy(message))
    return lambda: C.zmsg_send(message, things.raw(zmq.PUSH))


def _raw_items(things: Things) -> Any:
    return ffi.new("zmq_pollitem_t[]", [{"socket": C.zsock_resolve(things.raw(zmq.PULL)), "events": zmq.POLLIN}])


def _raw_poller(things: Things) -> Call:
    poller = C.zpoller_new(things.raw(zmq.PULL), ffi.NULL)
    things.callback(lambda: C.zpoller_destroy(ffi.new("zpoller_t **", poller)))
    return lambda: C.zpoller_wait(poller, -1)


def _raw_loop(things: Things) -> Call:
    loop = C.zloop_new()
    things.callback(lambda: C.zloop_destroy(ffi.new("zloop_t **", loop)))
    return lambda: C.zloop_start(loop)


def _raw_buffer(function: Any, things: Things) -> Call:
    handle = C.zsock_resolve(things.raw(zmq.PULL))
    return lambda: function(handle, ffi.new("char[]", 8), 8, 0)


def _raw_msg(things: Things) -> Call:
    message = ffi.new("zmq_msg_t *")
    C.zmq_msg_init(message)
    return lambda: C.zmq_msg_recv(message, C.zsock_resolve(things.raw(zmq.PULL)), 0)


def _raw_term(things: Things) -> Call:
    context = C.zmq_ctx_new()
    socket = C.zmq_socket(context, zmq.PULL)
    things.callback(C.zmq_ctx_term, context)
    things.callback(C.zmq_close, socket)
    return lambda: C.zmq_ctx_term(context)


RAW: dict[str, Callable[[Things], Call]] = {
    "zstr_recv": lambda t: partial(C.zstr_recv, t.raw(zmq.PULL)),
    "zstr_recvx": lambda t: lambda: C.zstr_recvx(t.raw(zmq.PULL), ffi.new("char **"), ffi.NULL),
    "zstr_send": lambda t: partial(C.zstr_send, t.raw(zmq.PUSH), b"x"),
    "zstr_sendx": lambda t: lambda: C.zstr_sendx(t.raw(zmq.PUSH), b"x", ffi.NULL),
    "zframe_recv": lambda t: partial(C.zframe_recv, t.raw(zmq.PULL)),
    "zframe_send": _raw_frame,
    "zmsg_recv": lambda t: partial(C.zmsg_recv, t.raw(zmq.PULL)),
    "zmsg_send": _raw_message,
    "zsock_recv": lambda t: lambda: C.zsock_recv(t.raw(zmq.PULL), b"s", ffi.new("char **")),
    "zsock_brecv": lambda t: lambda: C.zsock_brecv(t.raw(zmq.PULL), b"s", ffi.new("char **")),
    "zsock_send": lambda t: lambda: C.zsock_send(t.raw(zmq.PUSH), b"s", ffi.new("char[]", b"x")),
    "zsock_wait": lambda t: partial(C.zsock_wait, t.raw(zmq.PULL)),
    "zsock_signal": lambda t: partial(C.zsock_signal, t.raw(zmq.PUSH), 0),
    "zpoller_wait": _raw_poller,
    "zloop_start": _raw_loop,
    "zactor_destroy": _raw_destroy,
    "zclock_sleep": lambda t: partial(C.zclock_sleep, 1000 * HANG),
    "zmq_recv": partial(_raw_buffer, C.zmq_recv),
    "zmq_msg_recv": _raw_msg,
    "zmq_send": lambda t: lambda: C.zmq_send(C.zsock_resolve(t.raw(zmq.PUSH)), b"x", 1, 0),
    "zmq_poll": lambda t: partial(C.zmq_poll, _raw_items(t), 1, -1),
    "zmq_proxy": lambda t: (
        lambda: C.zmq_proxy(C.zsock_resolve(t.raw(zmq.PULL)), C.zsock_resolve(t.raw(zmq.PUSH)), ffi.NULL)
    ),
    "zmq_ctx_term": _raw_term,
    "zmq_sleep": lambda t: partial(C.zmq_sleep, HANG),
}

# ---------------------------------------------------------------- namespaces
#
# What tests/test_signals.py has is not here again.


_numbers = itertools.count()


def _zmq_poller(things: Things) -> Any:
    poller = zmq.poller_new()
    zmq.poller_add(poller, things.pull().handle, None, zmq.POLLIN)
    return poller


def _end(function: Callable[[Any], object], things: Things) -> Call:
    """Return what ends a context in which a socket is open."""
    context: Any = zmq.ctx_new()
    socket: Any = zmq.socket(context, zmq.PULL)
    things.callback(zmq.close, socket)
    return partial(function, context)


def _zmq_msg() -> Any:
    return zmq.msg_init_data(b"x")


def _one_frame() -> Any:
    message = zmsg.new()
    zmsg.addstr(message, "x")
    return message


NAMESPACES: dict[str, Callable[[Things], Call]] = {
    "zstr.sendfm": lambda t: partial(zstr.sendfm, t.push().handle, "%d", 1),
    "zstr.send_compress": lambda t: partial(zstr.send_compress, t.push().handle, "x"),
    "zstr.recv_compress": lambda t: partial(zstr.recv_compress, t.pull().handle),
    "zmsg.sendm": lambda t: partial(zmsg.sendm, _one_frame(), t.push().handle),
    "zsock.vsend": lambda t: partial(zsock.vsend, t.push().handle, "s", ["x"]),
    "zsock.vrecv": lambda t: partial(zsock.vrecv, t.pull().handle, "s"),
    "zsock.signal": lambda t: partial(zsock.signal, t.push().handle, 0),
    "zactor.send": lambda t: partial(zactor.send, t.full_actor().handle, _one_frame()),
    "zstr.sendm_compress": lambda t: partial(zstr.sendm_compress, t.push().handle, "x"),
    "zmq.send_const": lambda t: partial(zmq.send_const, t.push().handle, b"x"),
    "zmq.sendmsg": lambda t: partial(zmq.sendmsg, t.push().handle, _zmq_msg(), 0),
    "zmq.recvmsg": lambda t: partial(zmq.recvmsg, t.pull().handle, zmq.msg_init(), 0),
    "zmq.sendiov": lambda t: partial(zmq.sendiov, t.push().handle, [b"x"], 0),
    "zmq.recviov": lambda t: partial(zmq.recviov, t.pull().handle, 1, 0),
    "zmq.poller_wait": lambda t: partial(zmq.poller_wait, _zmq_poller(t), t.timeout),
    "zmq.poller_wait_all": lambda t: partial(zmq.poller_wait_all, _zmq_poller(t), 1, t.timeout),
}

#: Calls that only a signal ends.
NAMESPACES_ENDLESS: dict[str, Callable[[Things], Call]] = {
    "zproxy.pause": lambda t: partial(zproxy.pause, _proxy(t).handle),
    "zmq.ctx_destroy": partial(_end, zmq.ctx_destroy),
    "zmq.term": partial(_end, zmq.term),
}


# ---------------------------------------------------------------- objects

#: Calls that receive, of whatever has messages.
RECEIVE: dict[str, Callable[[Any, int], Call]] = {
    **{
        name: lambda sock, timeout, name=name: partial(getattr(sock, name), timeout=timeout)  # type: ignore[misc]
        for name in ("recv", "recv_bytes", "recv_parts", "recv_frame", "recv_msg", "recv_json", "wait")
    },
    "recv_picture": lambda sock, timeout: partial(sock.recv_picture, "si", timeout=timeout),
    "poll": lambda sock, timeout: partial(sock.poll, timeout),
    "__iter__": lambda sock, timeout: lambda: next(iter(sock)),
}

#: Calls that send.
SEND: dict[str, Callable[[Any, int], Call]] = {
    "send": lambda sock, timeout: partial(sock.send, "x", timeout=timeout),
    "send_bytes": lambda sock, timeout: partial(sock.send_bytes, b"x", timeout=timeout),
    "send_parts": lambda sock, timeout: partial(sock.send_parts, [b"x", b"y"], timeout=timeout),
    "send_frame": lambda sock, timeout: partial(sock.send_frame, pyczmq.Frame("x"), timeout=timeout),
    "send_msg": lambda sock, timeout: partial(sock.send_msg, pyczmq.Message(["x", "y"]), timeout=timeout),
    "send_json": lambda sock, timeout: partial(sock.send_json, 1, timeout=timeout),
    "send_picture": lambda sock, timeout: partial(sock.send_picture, "s", "x", timeout=timeout),
    "signal": lambda sock, timeout: partial(sock.signal, timeout=timeout),
    "poll, for room": lambda sock, timeout: partial(sock.poll, timeout, zmq.POLLOUT),
}


def _poller(things: Things) -> Any:
    return things.enter_context(pyczmq.Poller(things.pull()))


def _in_a_handler(things: Things) -> Call:
    loop = things.loop()
    pull = things.pull()
    loop.timer(0, 1, lambda *_: pull.recv() and 0)
    start: Call = loop.start
    return start


def _monitor(things: Things, module: Any = pyczmq) -> Any:
    return things.enter_context(module.Monitor(things.pull(module)))


def _gossip(things: Things, module: Any = pyczmq) -> Any:
    return things.enter_context(module.Gossip("node"))


def _beacon(things: Things, module: Any = pyczmq) -> Any:
    return things.enter_context(module.Beacon(9999))


def _deaf(things: Things) -> Any:
    """Return an actor that does not end before `things` do."""
    gate = things.gate()

    def task(pipe: Any) -> None:
        pipe.signal()
        gate.wait(HANG)

    actor = pyczmq.Actor(task)
    things.callback(actor.close)
    things.callback(gate.set)
    return actor


def _slow_start(things: Things) -> Call:
    gate = things.gate()
    return lambda: pyczmq.Actor(lambda pipe: gate.wait(HANG))


def _lingering(things: Things) -> Call:
    """Return what closes a context with a message that cannot be sent."""
    context = pyczmq.Context(linger=things.timeout)
    context.socket(zmq.PUSH, connect=NOBODY).send("x")
    return context.close


def _close_with_a_thread(things: Things) -> Call:
    """Return what closes a context one of whose sockets another thread does not give back."""
    context = pyczmq.Context()
    pull = context.socket(zmq.PULL)
    gate, taken = things.gate(), threading.Event()

    def keep() -> None:
        with pull._lock:
            taken.set()
            gate.wait(HANG)

    threading.Thread(target=keep, daemon=True).start()
    taken.wait()
    return context.close


def _proxy(things: Things) -> Any:
    """Return a Proxy of C's that hears nothing."""
    name = f"inproc://stuck.{next(_numbers)}"
    proxy = pyczmq.Proxy(("PULL", f"{name}.in"), ("PUSH", f"{name}.out"))
    things.callback(proxy.close)
    # Whoever is there to receive sets it free; it may have ended before it came to the message.
    things.callback(lambda: things.socket(zmq.PULL, connect=f"{name}.out").poll(1000))
    things.socket(zmq.PUSH, connect=f"{name}.in", sndtimeo=-1).send("x")
    time.sleep(0.02)
    return proxy


OBJECTS: dict[str, Callable[[Things], Call]] = {
    **{f"Socket.{name}": lambda t, call=call: call(t.pull(), t.timeout) for name, call in RECEIVE.items()},  # type: ignore[misc]
    **{f"Socket.{name}": lambda t, call=call: call(t.push(), t.timeout) for name, call in SEND.items()},  # type: ignore[misc]
    "Socket.recv, with rcvtimeo": lambda t: t.pull().recv,
    "Socket.send, with sndtimeo": lambda t: partial(t.push().send, "x"),
    "Socket.recv, in a Context": lambda t: t.socket(zmq.PULL, context=t.enter_context(pyczmq.Context())).recv,
    **{f"Actor.{name}": lambda t, call=call: call(t.actor(), t.timeout) for name, call in RECEIVE.items()},  # type: ignore[misc]
    **{
        f"Actor.{name}": lambda t, call=call: call(t.full_actor(), t.timeout)  # type: ignore[misc]
        for name, call in SEND.items()
    },
    "Poller.wait": lambda t: partial(_poller(t).wait, t.timeout),
    "Poller.poll": lambda t: partial(_poller(t).poll, t.timeout),
    "Poller.wait, on nothing": lambda t: partial(t.enter_context(pyczmq.Poller()).wait, t.timeout),
    "Loop.start": lambda t: t.loop().start,
    "Loop.start, with a source": lambda t: _started(t.loop(), t.pull()),
    "Monitor.recv": lambda t: partial(_monitor(t).recv, timeout=t.timeout),
    "Monitor.poll": lambda t: partial(_monitor(t).poll, t.timeout),
    "Gossip.recv": lambda t: partial(_gossip(t).recv, timeout=t.timeout),
    "Gossip.poll": lambda t: partial(_gossip(t).poll, t.timeout),
    "Context.close": _lingering,
}

#: Calls that only a signal ends, or that do after seconds.
OBJECTS_ENDLESS: dict[str, Callable[[Things], Call]] = {
    "Loop.start, waiting in a handler": lambda t: _in_a_handler(t),
    "Actor.__init__": _slow_start,
    "Actor.close": lambda t: partial(_deaf(t).close, -1),
    "Proxy.pause": lambda t: _proxy(t).pause,
    "Proxy.resume": lambda t: _proxy(t).resume,
    "Proxy.close": lambda t: partial(_proxy(t).close, -1),
    "Context.close, with a busy thread": _close_with_a_thread,
    "Monitor.__iter__": lambda t: _looping(_monitor(t)),
    "Gossip.__iter__": lambda t: _looping(_gossip(t)),
}

#: What broadcasts, or could: for a network of its own.
BEACONS: dict[str, Callable[[Things], Call]] = {
    "Beacon.recv": lambda t: partial(_beacon(t).recv, timeout=t.timeout),
    "Beacon.poll": lambda t: partial(_beacon(t).poll, t.timeout),
    "Peers.recv": lambda t: partial(_beacon(t).peers().recv, timeout=t.timeout),
}

BEACONS_ENDLESS: dict[str, Callable[[Things], Call]] = {
    "Beacon.__iter__": lambda t: _looping(_beacon(t)),
    "Peers.__iter__": lambda t: _looping(_beacon(t).peers()),
}


def _looping(iterable: Any) -> Call:
    return lambda: next(iter(iterable))


def _started(loop: Any, source: Any) -> Call:
    loop.reader(source, lambda *_: 0)
    return loop.start  # type: ignore[no-any-return]


# ---------------------------------------------------------------- asyncio

Awaited = Callable[[], Awaitable[object]]


async def _anext(iterable: Any) -> object:
    return await iterable.__aiter__().__anext__()


def _aio_poller(things: Things) -> Any:
    return aio.Poller(things.pull(aio))


def _aio_close(things: Things) -> Awaited:
    gate = things.gate()

    def task(pipe: Any) -> None:
        pipe.signal()
        gate.wait(HANG)

    actor = aio.Actor(task)
    things.callback(gate.set)
    return partial(actor.close, 1000 * HANG)


def _aio_start(things: Things) -> Awaited:
    gate = things.gate()
    return lambda: aio.Actor.start(lambda pipe: gate.wait(HANG))


#: What is awaited of whatever has messages.
AIO_RECEIVE: dict[str, Callable[[Any], Awaited]] = {
    **{
        name: lambda sock, name=name: getattr(sock, name)  # type: ignore[misc]
        for name in ("recv", "recv_bytes", "recv_parts", "recv_frame", "recv_msg", "recv_json", "wait", "poll")
    },
    "recv_picture": lambda sock: partial(sock.recv_picture, "si"),
    "__aiter__": lambda sock: partial(_anext, sock),
}

AIO_SEND: dict[str, Callable[[Any], Awaited]] = {
    "send": lambda sock: partial(sock.send, "x"),
    "send_bytes": lambda sock: partial(sock.send_bytes, b"x"),
    "send_parts": lambda sock: partial(sock.send_parts, [b"x", b"y"]),
    "send_frame": lambda sock: partial(sock.send_frame, pyczmq.Frame("x")),
    "send_msg": lambda sock: partial(sock.send_msg, pyczmq.Message(["x"])),
    "send_json": lambda sock: partial(sock.send_json, 1),
    "send_picture": lambda sock: partial(sock.send_picture, "s", "x"),
    "signal": lambda sock: sock.signal,
    "poll, for room": lambda sock: partial(sock.poll, -1, zmq.POLLOUT),
}

AIO: dict[str, Callable[[Things], Awaited]] = {
    **{f"Socket.{name}": lambda t, call=call: call(t.pull(aio)) for name, call in AIO_RECEIVE.items()},  # type: ignore[misc]
    **{f"Socket.{name}": lambda t, call=call: call(t.push(aio)) for name, call in AIO_SEND.items()},  # type: ignore[misc]
    **{f"Actor.{name}": lambda t, call=call: call(t.actor(aio)) for name, call in AIO_RECEIVE.items()},  # type: ignore[misc]
    **{f"Actor.{name}": lambda t, call=call: call(t.full_actor(aio)) for name, call in AIO_SEND.items()},  # type: ignore[misc]
    "Actor.close": _aio_close,
    "Actor.start": _aio_start,
    "Poller.wait": lambda t: _aio_poller(t).wait,
    "Poller.poll": lambda t: _aio_poller(t).poll,
    "Poller.__aiter__": lambda t: partial(_anext, _aio_poller(t)),
    "Monitor.recv": lambda t: _monitor(t, aio).recv,
    "Monitor.poll": lambda t: _monitor(t, aio).poll,
    "Monitor.__aiter__": lambda t: partial(_anext, _monitor(t, aio)),
    "Gossip.recv": lambda t: _gossip(t, aio).recv,
    "Gossip.poll": lambda t: _gossip(t, aio).poll,
    "Gossip.__aiter__": lambda t: partial(_anext, _gossip(t, aio)),
}

AIO_BEACONS: dict[str, Callable[[Things], Awaited]] = {
    "Beacon.recv": lambda t: _beacon(t, aio).recv,
    "Beacon.poll": lambda t: _beacon(t, aio).poll,
    "Beacon.__aiter__": lambda t: partial(_anext, _beacon(t, aio)),
    "Peers.recv": lambda t: _beacon(t, aio).peers().recv,
    "Peers.__aiter__": lambda t: partial(_anext, _beacon(t, aio).peers()),
}


# ---------------------------------------------------------------- interrupting


class Failed(Exception):
    """A call that did not do what it should."""


class Sender:
    """The thread that sends signals to this process, at moments after each call of `arm`."""

    def __init__(self) -> None:
        self.sent: list[float] = []
        self._plans: list[list[tuple[int, float]]] = []
        self._armed = threading.Semaphore(0)
        self._enough = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        threading.Thread(target=self._run, daemon=True).start()

    def arm(self, *plan: tuple[int, float]) -> None:
        """Send signals from now on: (number, seconds from now)."""
        self.sent = []
        self._enough.clear()
        self._idle.clear()
        self._plans.append(list(plan))
        self._armed.release()

    def finish(self) -> None:
        """Wait until all signals are out."""
        self._idle.wait()

    def stop(self) -> None:
        """Send no more signals, and wait until the last one is out."""
        self._enough.set()
        self.finish()

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            self._armed.acquire()
            start = time.monotonic()
            for number, moment in self._plans.pop():
                if self._enough.wait(max(0.0, start + moment - time.monotonic())):
                    break
                self.sent.append(time.monotonic())
                os.kill(os.getpid(), number)
            self._idle.set()


class Bench:
    """Makes calls, interrupts them and measures."""

    def __init__(self, seed: int) -> None:
        self.sender = Sender()
        self.handled: list[float] = []
        self.random = random.Random(seed)
        signal.signal(signal.SIGUSR1, self._on_usr1)

    def _on_usr1(self, number: int, frame: object) -> None:
        self.handled.append(time.monotonic())
        # What a handler does to errno must not matter to the call that it interrupts.
        C.zmq_setsockopt(ffi.NULL, 0, ffi.NULL, 0)

    def timed(self, make: Callable[[Things], Call]) -> dict[str, float]:
        """Let handlers run in a call that has a deadline; return how late they were, and the call."""
        with Things(DEADLINE) as things:
            call = make(things)
            self.handled.clear()
            self.sender.arm(*[(signal.SIGUSR1, moment) for moment in SIGNALS])
            start = time.monotonic()
            with suppress(pyczmq.Again):
                call()
            took = time.monotonic() - start
            self.sender.finish()
            return {
                "handler": self._lateness(len(SIGNALS)),
                "early": DEADLINE / 1000 - took,
                "late": took - DEADLINE / 1000,
            }

    def interrupted(self, make: Callable[[Things], Call]) -> dict[str, float]:
        """Let a handler run in a call that has no deadline, then end it with Ctrl-C; return how late both were."""
        with Things(-1) as things:
            call = make(things)
            self.handled.clear()
            self.sender.arm((signal.SIGUSR1, SIGNALS[0]), (signal.SIGINT, SIGNALS[1]))
            try:
                result = call()
            except KeyboardInterrupt:
                late = time.monotonic() - self.sender.sent[-1]
            else:
                raise Failed(f"returned {result!r}")
            if len(self.sender.sent) < 2:
                raise Failed("KeyboardInterrupt before Ctrl-C")
            return {"handler": self._lateness(1), "interrupt": late}

    def raw(self, make: Callable[[Things], Call]) -> dict[str, float]:
        """Let a handler run in a raw call, which ends it, then Ctrl-C in another; return how late both were.

        A signal that comes just before C falls asleep wakes nobody: it comes again, and that is too late.
        """
        found: dict[str, float] = {}
        with Things(-1) as things:
            call = make(things)
            self.handled.clear()
            self.sender.arm(*[(signal.SIGUSR1, moment) for moment in RAW_SIGNALS])
            call()
            found["late"] = time.monotonic() - self.sender.sent[0]
            # C has returned, but PyPy may not have looked for signals yet, and nobody asks it to on this floor.
            _threads.check_signals()
            self.sender.stop()
            found["handler"] = self.handled[0] - self.sender.sent[0]
        with Things(-1) as things:
            call = make(things)
            self.sender.arm(*[(signal.SIGINT, moment) for moment in RAW_SIGNALS])
            try:
                result = call()
                _threads.check_signals()
            except KeyboardInterrupt:
                found["interrupt"] = time.monotonic() - self.sender.sent[0]
            else:
                raise Failed(f"returned {result!r}")
            finally:
                self._stop_interrupting()
        return found

    def _stop_interrupting(self) -> None:
        """Have the sender send no more, and let the last Ctrl-C come, which PyPy may notice only in the next call."""
        for _ in range(20):
            with suppress(KeyboardInterrupt):
                self.sender.stop()
                time.sleep(0.001)
                _threads.check_signals()

    def at_random(self, make: Callable[[Things], Call], moment: float, times: int) -> None:
        """End a call with Ctrl-C at any moment of it, and another of the same kind after it."""
        with Things(-1) as things:
            call = make(things)
            for _ in range(times):
                try:
                    self.sender.arm((signal.SIGINT, moment))
                    result = call()
                except KeyboardInterrupt:
                    continue
                raise Failed(f"returned {result!r}")

    def _lateness(self, count: int) -> float:
        if len(self.handled) > count:
            raise Failed(f"the handler ran {len(self.handled)} times, and not {count}")
        if len(self.handled) < count:
            # Signals that come at once are one, and Ctrl-C goes first: the other thread was late, and so is this.
            return float(HANG)
        return max(handled - sent for handled, sent in zip(self.handled, self.sender.sent))

    # ------------------------------------------------------------ asyncio

    def awaited(self, make: Callable[[Things], Awaited]) -> dict[str, float]:
        """Let a handler of the loop's run while something is awaited, then end it with Ctrl-C."""
        found: dict[str, float] = {}
        self.handled.clear()
        cancelled: list[bool] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGUSR1, lambda: self.handled.append(time.monotonic()))
            with Things(-1) as things:
                call = make(things)
                self.sender.arm((signal.SIGUSR1, SIGNALS[0]), (signal.SIGINT, SIGNALS[1]))
                try:
                    await call()
                except asyncio.CancelledError:
                    # On 3.11 and later Ctrl-C cancels the main task; before, asyncio.run does when it has come out.
                    cancelled.append(True)
                    found["interrupt"] = time.monotonic() - self.sender.sent[-1]
                    raise
                raise Failed("was not interrupted")

        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            pass
        else:
            raise Failed("asyncio.run was not interrupted")
        finally:
            signal.signal(signal.SIGUSR1, self._on_usr1)
        if not cancelled:
            raise Failed("the main task was not cancelled")
        return {"handler": self._lateness(1), **found}


def _best(tries: list[dict[str, float]]) -> dict[str, float]:
    return {key: min(found[key] for found in tries) for key in tries[0]}


def _is_good(found: dict[str, float]) -> bool:
    return all(-0.05 < value < PROMPT for value in found.values())


def measure(how: Callable[[Any], dict[str, float]], make: Any) -> dict[str, float]:
    """Return the best measurement of a few."""
    tries: list[dict[str, float]] = []
    for _ in range(TRIES):
        tries.append(how(make))
        if _is_good(tries[-1]):
            return tries[-1]
    return _best(tries)


#: Calls that do their work once, whether they are interrupted or not: what comes after is another matter.
ONCE = ("Context.close", "Actor.close", "Proxy.close", "zmq.ctx_destroy")

_bench: Bench


def _tables() -> dict[str, list[tuple[Callable[[Any], dict[str, float]], dict[str, Any]]]]:
    return {
        "raw": [(_bench.raw, RAW)],
        "namespaces": [(_bench.timed, NAMESPACES), (_bench.interrupted, {**NAMESPACES, **NAMESPACES_ENDLESS})],
        "objects": [(_bench.timed, OBJECTS), (_bench.interrupted, {**OBJECTS, **OBJECTS_ENDLESS})],
        "beacons": [(_bench.timed, BEACONS), (_bench.interrupted, {**BEACONS, **BEACONS_ENDLESS})],
        "asyncio beacons": [(_bench.awaited, AIO_BEACONS)],
        "asyncio": [(_bench.awaited, AIO)],
    }


def main(floor: str, share: str, rounds: int, seed: int) -> None:
    """Measure the calls of one floor, and print what came of it."""
    global _bench
    _bench = Bench(seed)
    tables = _tables()[floor]
    part, parts = map(int, share.split("/"))
    for current in [*dict.fromkeys(key for _, table in tables for key in table)][part::parts]:
        print(f"{floor}: {current}", file=sys.stderr, flush=True)
        faulthandler.dump_traceback_later(HANG, exit=True)
        result: dict[str, Any] = {"floor": floor, "name": current}
        try:
            for how, table in tables:
                if current in table:
                    for key, value in measure(how, table[current]).items():
                        result[key] = max(value, result.get(key, value))
            for _ in range(rounds - 1):
                faulthandler.dump_traceback_later(HANG, exit=True)
                _again(floor, current, tables[-1])
        except AttributeError as error:
            if "is not in this library" not in str(error):
                raise
            continue
        except Exception as error:
            result["error"] = repr(error)
        finally:
            # Ctrl-C may be under way for a call that has failed before it came.
            with suppress(KeyboardInterrupt):
                _bench.sender.finish()
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps(result), flush=True)


def _again(floor: str, name: str, last: tuple[Callable[[Any], dict[str, float]], dict[str, Any]]) -> None:
    """Interrupt a call once more, at a random moment where that can be."""
    how, table = last
    if floor.startswith(("raw", "asyncio")):
        how(table[name])
    else:
        _bench.at_random(table[name], _bench.random.random() * RANDOM, 1 if name.startswith(ONCE) else 2)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
