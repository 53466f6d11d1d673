"""Send, receive and give commands in a hail of signals whose handler raises at any moment, and count what came of it.

    python hailed.py receive|send|commands COUNT SEED

A handler that raises while a call waits must cost nothing. One that raises at any other moment may cost what the call
was about to return, as with any function of Python's: the one message of that call, and never a part of one.
"""

from __future__ import annotations

import faulthandler
import itertools
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import pyczmq
from pyczmq import _blocking, _threads, zactor, zdir, zframe, zmonitor, zmq, zmsg, zsock, zstr

#: Seconds that each part has before the process is ended with a traceback.
HANG = 60

#: Seconds, at most, from one signal to the next.
INTERVAL = 0.001

#: What a message ends with.
TAIL = b"tail" * 100

Frames = list[bytes]


class Hit(Exception):
    """What the handler raises."""


class Hail:
    """Signals at random moments while the context lasts, whose handler raises `Hit` in calls of pyczmq's from `on`.

    If *only_waiting* it does so only where they wait, and not while they send or receive.
    """

    def __init__(self, dice: random.Random, only_waiting: bool) -> None:
        self.dice = dice
        self.only_waiting = only_waiting
        self.hits = 0
        self.signals = 0
        self.is_on = False

    def on(self, call: Callable[[], Any], results: list[Any]) -> bool:
        """Make a call, and append what it returns; tell whether it came to its end."""
        try:
            self.is_on = True
            # In one step of Python's: what has been returned cannot get lost on its way into the list.
            results.extend(itertools.starmap(call, [()]))
            self.is_on = False
        except Hit:
            return False
        return True

    def strike(self, number: int, frame: Any) -> None:
        """Handle the signal."""
        self.signals += 1
        signal.setitimer(signal.ITIMER_REAL, self.dice.uniform(1e-5, INTERVAL))
        if self.is_on and (_waits(frame) if self.only_waiting else _is_ours(frame)):
            self.is_on = False
            self.hits += 1
            raise Hit

    def __enter__(self) -> Hail:
        signal.signal(signal.SIGALRM, self.strike)
        signal.setitimer(signal.ITIMER_REAL, INTERVAL)
        return self

    def __exit__(self, *_: object) -> None:
        # One that is on its way comes to nothing.
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _is_ours(frame: Any) -> bool:
    """Tell whether a signal has come while code of pyczmq's runs, or something that it has called.

    What frees things does not count: Python ignores what is raised there. Nor does Python's own import: cut off while
    it takes its lock, it may never let go of it, and whoever imports next waits for ever.
    """
    ours = False
    while frame is not None:
        ours |= str(frame.f_code.co_filename).startswith(_PACKAGE)
        is_import = str(frame.f_code.co_filename).startswith("<frozen importlib")
        if is_import or frame.f_code.co_name in ("__del__", "collect", "forget"):
            return False
        frame = frame.f_back
    return ours


def _waits(frame: Any) -> bool:
    """Tell whether a signal has come while something waits, and not while it sends or receives."""
    where = {_blocking.__file__: ("_poll_until", "step"), _threads.__file__: ("call",)}
    return frame.f_code.co_name in where.get(frame.f_code.co_filename, ())


_PACKAGE = os.path.dirname(pyczmq.__file__) + os.sep


def numbered(number: int) -> Frames:
    """Return a message by which it can be told whether it is whole."""
    return [b"%d" % number, b"%d" % -number, TAIL]


def number_of(frames: Frames) -> int:
    """Return the number of a message; ValueError if it is not whole."""
    if len(frames) != 3 or frames[2] != TAIL or int(frames[0]) != -int(frames[1]):
        raise ValueError(f"a message that is cut: {frames}")
    return int(frames[0])


def _taken(message: Any) -> Frames:
    """Return the frames of a zmsg, and destroy it."""
    frames = []
    while True:
        frame = zmsg.pop(message)
        if frame is None:
            break
        frames.append(bytes(zframe.data(frame)))
        zframe.destroy(frame)
    zmsg.destroy(message)
    return frames


def _encoded(values: Any) -> Frames:
    return [value.encode() for value in values]


#: What receives a message from a socket: the call, and what makes frames of what it returns.
RECEIVERS: dict[str, tuple[Callable[[Any], Callable[[], Any]], Callable[[Any], Frames]]] = {
    "zmsg.recv": (lambda sock: partial(zmsg.recv, sock.handle), _taken),
    "zstr.recvx": (lambda sock: partial(zstr.recvx, sock.handle), _encoded),
    "zsock.recv": (lambda sock: partial(zsock.recv, sock.handle, "sss"), _encoded),
    "Socket.recv_parts": (lambda sock: sock.recv_parts, list),
    "Socket.recv_msg": (lambda sock: sock.recv_msg, lambda message: [bytes(part) for part in message.parts]),
    "Socket.recv_picture": (lambda sock: partial(sock.recv_picture, "sss"), _encoded),
    "Socket.__iter__": (lambda sock: lambda: next(iter(sock)), lambda message: [bytes(part) for part in message.parts]),
}


def _zmsg(frames: Frames) -> Any:
    message = zmsg.new()
    for frame in frames:
        zmsg.addmem(message, frame)
    return message


#: What sends a message on a socket: made before the call is hailed on.
SENDERS: dict[str, Callable[[Any, Frames], Callable[[], Any]]] = {
    "zmsg.send": lambda sock, frames: partial(zmsg.send, _zmsg(frames), sock.handle),
    "zstr.sendx": lambda sock, frames: partial(zstr.sendx, sock.handle, *frames),
    "zsock.send": lambda sock, frames: partial(zsock.send, sock.handle, "sss", *frames),
    "Socket.send_parts": lambda sock, frames: partial(sock.send_parts, frames),
    "Socket.send_msg": lambda sock, frames: partial(sock.send_msg, pyczmq.Message(frames)),
    "Socket.send_picture": lambda sock, frames: partial(sock.send_picture, "sss", *frames),
}


def receive(name: str, count: int, dice: random.Random, only_waiting: bool) -> dict[str, object]:
    """Receive *count* messages in a hail, and then those that are left; tell how many are missing."""
    make, read = RECEIVERS[name]
    with pyczmq.Socket(zmq.PULL, bind="inproc://hailed", rcvhwm=10) as pull:
        feeder = threading.Thread(target=_feed, args=(count, random.Random(dice.random())), daemon=True)
        call: Any = make(pull)
        results: list[Any] = []
        with Hail(dice, only_waiting) as hail:
            feeder.start()
            while feeder.is_alive():
                hail.on(call, results)
        feeder.join()
        numbers = [number_of(read(result)) for result in results]
        while pull.poll(50):
            numbers.append(number_of(pull.recv_parts()))
    if numbers != sorted(set(numbers)):
        raise ValueError(f"messages twice, or out of order: {numbers}")
    return {"count": count, "hits": hail.hits, "lost": count - len(numbers)}


def _feed(count: int, dice: random.Random) -> None:
    """Send numbered messages in bursts, so that the other side now waits and now does not."""
    with pyczmq.Socket(zmq.PUSH, connect="inproc://hailed", linger=-1, sndhwm=10) as push:
        for number in range(1, count + 1):
            push.send_parts(numbered(number))
            if dice.random() < 0.2:
                time.sleep(dice.random() * 0.002)


def send(name: str, count: int, dice: random.Random, only_waiting: bool) -> dict[str, object]:
    """Send *count* messages in a hail; tell how many were sent although the call has raised, and how many are lost."""
    make = SENDERS[name]
    received: list[int] = []
    results: list[Any] = []
    done: list[int] = []
    with pyczmq.Socket(zmq.PUSH, bind="inproc://hailed", sndhwm=10) as push:
        eater = threading.Thread(target=_eat, args=(received, random.Random(dice.random())), daemon=True)
        with Hail(dice, only_waiting) as hail:
            eater.start()
            for number in range(1, count + 1):
                if hail.on(make(push, numbered(number)), results):
                    done.append(number)
        push.send_parts(numbered(count + 1))
        eater.join()
    received.pop()
    if any(results):
        raise ValueError(f"a send has failed: {results}")
    if received != sorted(set(received)):
        raise ValueError(f"messages twice, or out of order: {received}")
    lost, extra = set(done) - set(received), set(received) - set(done)
    return {"count": count, "hits": hail.hits, "lost": len(lost), "extra": len(extra)}


def _eat(received: list[int], dice: random.Random) -> None:
    """Receive numbered messages, now slowly and now fast; the one who sends them has sent one more at the end."""
    with pyczmq.Socket(zmq.PULL, connect="inproc://hailed", rcvhwm=10) as pull:
        while True:
            if not pull.poll(5000):
                raise ValueError("nothing more comes")
            received.append(number_of(pull.recv_parts()))
            if len(_ends) and received[-1] == _ends[0]:
                return
            if dice.random() < 0.2:
                time.sleep(dice.random() * 0.002)


# ---------------------------------------------------------------- commands


def _sockets() -> str:
    """Make a context and sockets, pass a message, and close it all."""
    with pyczmq.Context() as context:
        push = context.socket(zmq.PUSH, bind="inproc://commands")
        pull = context.socket(zmq.PULL, connect="inproc://commands")
        push.send("hello")
        return str(pull.recv())


def _gossip(stack: ExitStack) -> Callable[[], object]:
    node = stack.enter_context(pyczmq.Gossip("node"))
    node.publish("key", "value")
    return node.status


def _watch(stack: ExitStack) -> Callable[[], object]:
    watcher = zactor.new(zdir.watch)
    stack.callback(zactor.destroy, watcher)
    return lambda: zdir.set_timeout(watcher, 1000)


def _monitor(stack: ExitStack) -> Callable[[], object]:
    pull = stack.enter_context(pyczmq.Socket(zmq.PULL))
    monitor = zactor.new(zmonitor.actor, pull.handle)
    stack.callback(zactor.destroy, monitor)
    return lambda: zmonitor.listen(monitor, "ALL")


def _proxy(stack: ExitStack) -> Callable[[], object]:
    proxy = stack.enter_context(pyczmq.Proxy(("PULL", "inproc://one"), ("PUSH", "inproc://other")))
    return lambda: (proxy.pause(), proxy.resume())


def _python_proxy(stack: ExitStack) -> Callable[[], object]:
    sides = pyczmq.Socket(zmq.PULL, bind="inproc://three"), pyczmq.Socket(zmq.PUSH, bind="inproc://four")
    proxy = stack.enter_context(pyczmq.Proxy(*sides))
    return lambda: (proxy.pause(), proxy.resume())


def _allow(stack: ExitStack) -> Callable[[], object]:
    auth = stack.enter_context(pyczmq.Auth())
    return lambda: auth.allow("127.0.0.1")


#: Calls that wait for an actor only for a moment: what makes one, and what it returns.
COMMANDS: dict[str, tuple[Callable[[ExitStack], Callable[[], object]], object]] = {
    "Gossip.status": (_gossip, 1),
    "zdir.set_timeout": (_watch, 0),
    "zmonitor.listen": (_monitor, None),
    "Proxy.pause and resume": (_proxy, (None, None)),
    "Proxy.pause and resume, in Python": (_python_proxy, (None, None)),
    "Auth.allow": (_allow, None),
    "a context's life": (lambda stack: _sockets, "hello"),
}


def command(name: str, count: int, dice: random.Random, only_waiting: bool) -> dict[str, object]:
    """Make a call over and over in a hail; each that comes to its end must do what it should, and so the one after."""
    make, expected = COMMANDS[name]
    results: list[Any] = []
    with ExitStack() as stack:
        call = make(stack)
        with Hail(dice, only_waiting) as hail:
            for _ in range(count):
                hail.on(call, results)
        results.append(call())
    if any(result != expected for result in results):
        raise ValueError(f"returned {results}, and not {expected}")
    return {"count": count, "hits": hail.hits, "lost": 0}


_TABLES: dict[str, tuple[Callable[[str, int, random.Random, bool], dict[str, object]], dict[str, Any]]] = {
    "receive": (receive, RECEIVERS),
    "send": (send, SENDERS),
    "commands": (command, COMMANDS),
}


def main(what: str, count: int, seed: int) -> None:
    """Hail on one table's calls, and print a line of JSON for each."""
    function, table = _TABLES[what]
    _ends[:] = [count + 1]
    for name in table:
        for only_waiting in (False, True) if what != "commands" else (False,):
            print(f"{name}, {only_waiting=}", file=sys.stderr, flush=True)
            faulthandler.dump_traceback_later(HANG, exit=True)
            found = function(name, count, random.Random(seed), only_waiting)
            print(json.dumps({"name": name, "only_waiting": only_waiting, **found}), flush=True)


#: The number of the message after which nothing comes.
_ends: list[int] = []

if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
