"""Cycles of actors: Python's tasks and those of C."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

from cycles import SOCKETS, THREADS, both, cycle, has, prepared
from cycles.calls import fail, fails
from pyczmq import zactor, zauth, zctx, zdir, zgossip, zmonitor, zmq, zmsg, zproxy, zsock, zsocket, zstr

_names = itertools.count()


def _task(pipe: Any, *args: Any) -> None:
    zsocket.signal(pipe, 0)
    while True:
        words = zstr.recvx(pipe)
        if not words or words[0] == "$TERM":
            return
        zstr.sendx(pipe, *words)


def _raises_late(pipe: Any) -> None:
    zsocket.signal(pipe, 0)
    zstr.recv(pipe)
    fail()


both("zactor.new, a task", lambda: zactor.new(_task, ["arg"]), lambda made: zactor.destroy(made), THREADS)


@prepared("a task's messages", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    actor = zactor.new(_task)

    def once() -> None:
        zstr.sendx(actor, "big", "world")
        assert zstr.recvx(actor) == ["big", "world"]
        message = zmsg.new()
        zmsg.addstr(message, "text")
        assert zactor.send(actor, message) == 0
        zmsg.destroy(zactor.recv(actor))
        zactor.resolve(actor)
        zactor.sock(actor)
        zactor.is_(actor)

    yield once
    zactor.destroy(actor)


@cycle("zactor.new, a task that raises before it is ready", SOCKETS)
def _early() -> None:
    fails(zactor.new, fail)


@cycle("zactor.destroy, a task that has raised", SOCKETS)
def _late() -> None:
    actor = zactor.new(_raises_late)
    zstr.send(actor, "go")
    fails(zactor.destroy, actor)


@prepared("zactor, a task that raised and was forgotten", THREADS)
def _() -> Iterator[Callable[[], object]]:
    # It is told of this, sooner or later.
    threading.excepthook = lambda *_: None

    def once() -> None:
        actor = zactor.new(_raises_late)
        zstr.send(actor, "go")

    yield once


@cycle("zactor, a destructor", SOCKETS)
def _destructor() -> None:
    actor = zactor.new(_task)
    zactor.set_destructor(actor, lambda actor: zstr.send(actor, "$TERM"))
    zactor.destroy(actor)


both("zactor.new, zproxy", lambda: zactor.new(zproxy.actor), lambda made: zactor.destroy(made), THREADS)
both("zactor.new, zgossip", lambda: zactor.new(zgossip.actor, "node"), lambda made: zactor.destroy(made), THREADS)
both("zactor.new, zdir_watch", lambda: zactor.new(zdir.watch), lambda made: zactor.destroy(made), THREADS)


@prepared("zactor.new, zmonitor", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    sock = zsock.new(zmq.PULL)

    def once() -> None:
        actor = zactor.new(zmonitor.actor, sock)
        zmonitor.verbose(actor)
        zmonitor.listen(actor, "ALL")
        zmonitor.start(actor)
        zactor.destroy(actor)

    yield once


@cycle("zproxy, a tour", SOCKETS)
def _zproxy() -> None:
    # libzmq takes a moment to give an endpoint back.
    number = next(_names)
    proxy = zactor.new(zproxy.actor)
    zproxy.frontend(proxy, "PULL", f"inproc://frontend.{number}")
    zproxy.backend(proxy, "PUSH", f"inproc://backend.{number}")
    # Were it not bound, libzmq would keep the socket that connects to it: see docs/reliability.md.
    copies = zsock.new_pull(f"@inproc://copies.{number}")
    zproxy.capture(proxy, f"inproc://copies.{number}")
    push, pull = zsock.new_push(f">inproc://frontend.{number}"), zsock.new_pull(f">inproc://backend.{number}")
    zstr.sendx(push, "two", "frames")
    assert zstr.recvx(pull) == ["two", "frames"]
    assert zstr.recvx(copies) == ["two", "frames"]
    zproxy.pause(proxy)
    zproxy.resume(proxy)
    zactor.destroy(proxy)


@prepared("zproxy, messages through it", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    proxy = zactor.new(zproxy.actor)
    zproxy.frontend(proxy, "PULL", "inproc://through.frontend")
    zproxy.backend(proxy, "PUSH", "inproc://through.backend")
    push, pull = zsock.new_push(">inproc://through.frontend"), zsock.new_pull(">inproc://through.backend")

    def once() -> None:
        zstr.sendx(push, "two", "x" * 65536)
        assert len(zstr.recvx(pull) or ()) == 2

    yield once
    zactor.destroy(proxy)


@prepared("zmq.proxy_steerable", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    def once() -> None:
        front, back = zsock.new_pull("@inproc://steered.front"), zsock.new_push("@inproc://steered.back")
        control = zsock.new_pair("@inproc://steered.control")
        steer = zsock.new_pair(">inproc://steered.control")
        thread = threading.Thread(target=zmq.proxy_steerable, args=(front, back, None, control))
        thread.start()
        zstr.send(steer, "TERMINATE")
        thread.join()
        for sock in (front, back, control, steer):
            zsock.destroy(sock)

    yield once


@cycle("zgossip, a tour", SOCKETS)
def _zgossip() -> None:
    base, other = zactor.new(zgossip.actor, "base"), zactor.new(zgossip.actor)
    zgossip.bind(base, "inproc://gossip")
    zgossip.connect(other, "inproc://gossip")
    zgossip.set(base, "server/timeout", "1000")
    zgossip.publish(other, "key", "value")
    assert zgossip.recv(base, 10_000) == ("key", "value")
    zgossip.recv(base, 0)
    zgossip.port(base)
    zgossip.status(base)
    if has("zgossip_unpublish") or has("zactor_set_destructor"):
        zgossip.unpublish(other, "key")
    zactor.destroy(other)
    zactor.destroy(base)


@cycle("zdir.watch, a tour", SOCKETS)
def _watch() -> None:
    watcher = zactor.new(zdir.watch)
    zdir.set_timeout(watcher, 100)
    zdir.subscribe(watcher, ".")
    zdir.recv(watcher, 0)
    zdir.unsubscribe(watcher, ".")
    zactor.destroy(watcher)


# ---------------------------------------------------------------- the authenticator: one at a time


@cycle("zauth.new, destroyed", SOCKETS)
def _zauth() -> None:
    ctx = zctx.new()
    auth = zauth.new(ctx)
    zauth.allow(auth, "127.0.0.1")
    zauth.destroy(auth)
    zctx.destroy(ctx)


@cycle("zauth.new, collected", 1)
def _zauth_collected() -> None:
    zauth.new(zctx.new())


@cycle("zactor.new, zauth", SOCKETS)
def _zauth_actor() -> None:
    actor = zactor.new(zauth.actor)
    zauth.deny(actor, "127.0.0.1", "127.0.0.2")
    zactor.destroy(actor)


@prepared("zauth, commands", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    ctx = zctx.new()
    auth = zauth.new(ctx)
    with open("passwords", "w") as file:
        file.write("name=password\n")

    def once() -> None:
        zauth.allow(auth, "127.0.0.1", "127.0.0.2")
        zauth.deny(auth, "127.0.0.3")
        zauth.configure_plain(auth, "*", "passwords")
        zauth.configure_curve(auth, "*", ".")
        zauth.configure_gssapi(auth, "*")
        zauth.set_verbose(auth, False)
        # It would keep the context alive; one that is destroyed it forgets.
        attached = zctx.new()
        zauth.attach(auth, attached)
        zctx.destroy(attached)

    yield once
    zauth.destroy(auth)


@prepared("zauth: a PLAIN client is let in", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    ctx = zctx.new()
    auth = zauth.new(ctx)
    with open("passwords", "w") as file:
        file.write("name=password\n")
    zauth.configure_plain(auth, "*", "passwords")
    server = zsocket.new(ctx, zmq.PULL)
    assert server is not None
    zsocket.set_plain_server(server, True)
    zsocket.set_zap_domain(server, "global")
    port = zsocket.bind(server, "tcp://127.0.0.1:*")

    def once() -> None:
        client = zsocket.new(ctx, zmq.PUSH)
        assert client is not None
        zsocket.set_plain_username(client, "name")
        zsocket.set_plain_password(client, "password")
        zsocket.connect(client, f"tcp://127.0.0.1:{port}")
        zstr.send(client, "text")
        assert zstr.recv(server) == "text"
        zsocket.destroy(ctx, client)

    yield once
    zauth.destroy(auth)
