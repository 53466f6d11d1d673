"""Cycles of the objects: each is closed, and left to the garbage collector; each way to send and to receive."""

from __future__ import annotations

import gc
import itertools
import os
import socket as sockets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cycles import SOCKETS, THREADS, add, both, cycle, has, prepared, simple
from cycles.calls import KIB64, RECEIVING, SENDING, SMALL, close, fail, fails, refused
from pyczmq import zmq
from pyczmq.types import (
    Actor,
    Auth,
    Cert,
    CertStore,
    Config,
    Context,
    Frame,
    Gossip,
    Loop,
    Message,
    Monitor,
    Pipe,
    Poller,
    Proxy,
    Socket,
    actor,
)

TREE = "root\n    server = one\n        port = 1\n    client = two\n"

_names = itertools.count()


# ---------------------------------------------------------------- what is memory

both("types.Frame", lambda: Frame("text"), close)
both("types.Frame, 64 KiB", lambda: Frame(KIB64), close)
both("types.Message", lambda: Message(["one", b"two", KIB64]), close)
both("types.Cert", lambda: Cert(), close)
both("types.CertStore", lambda: CertStore(), close)
both("types.Config", lambda: Config("root"), close)
both("types.Config.loads", lambda: Config.loads(TREE), close)
both("types.Poller", lambda: Poller(), close)
both("types.Loop", lambda: Loop(), close)


@cycle("types.Frame, a tour")
def _frame() -> None:
    with Frame(b"content") as frame:
        copy = frame.dup()
        copy.data[0:1] = b"C"
        assert bytes(copy) == copy.bytes() and str(copy) == "Content" and len(copy) == 7
        frame.meta("Socket-Type")
        frame.set_more(1 - frame.more())
        frame.strhex()
        # Not the one that had a view: PyPy's garbage collector would have to find out that nobody has it any more.
        frame.reset(KIB64)
        view = frame.data
        repr(frame)
        hash(copy) if Frame.__hash__ else None
        assert copy == b"Content" and copy != frame
    assert len(view) == len(KIB64)
    refused(frame.bytes)


@cycle("types.Message, a tour")
def _message() -> None:
    with Message(["a", b"b"]) as message:
        message.append(Frame("c"))
        message.push("z")
        message.extend(["d", "e"])
        message.insert(1, "i")
        first, last = message.first(), message.last()
        message.next()
        message[0] = "new"
        del message[1]
        message.pop().close()
        message.popstr()
        message.reverse()
        message.remove(b"e")
        message.index("c")
        message.count("c")
        message.content_size()
        assert message.copy() == message.dup() == message
        Message.decode(message.encode())
        message.save("message")
        Message.read("message")
        message.load("message")
        message.parts  # noqa: B018
        repr(message)
        list(message)
        refused(message.pop, 99)
        refused(message.append, None)
        message.clear()
    refused(message.first)
    del first, last


@cycle("types.Cert, a tour")
def _cert() -> None:
    cert = Cert.generate(name="value")
    cert.meta["other"] = "value"
    dict(cert.meta)
    assert cert.dup() == cert
    Cert(cert.public_key)
    cert.save("cert")
    cert.save_public("public")
    cert.save_secret("secret")
    Cert.load("cert")
    repr(cert)
    with Socket(zmq.PUSH) as socket:
        cert.apply(socket, server_key=cert)
    refused(Cert, "short")
    store = CertStore()
    store.insert(cert)
    store.lookup(store.lookup(cert.public_key) or "none")
    refused(Cert.load, "absent")


@cycle("types.Config, a tour")
def _config() -> None:
    config = Config.loads(TREE)
    config.add("added", "value").add("below")
    config["a/b"] = "c"
    config.get("a/b")
    config.get("none", "default")
    config.add_comment("a comment")
    config.comments  # noqa: B018
    config.at_depth(1)
    config.children  # noqa: B018
    config.dup().close()
    config.has_changed()
    config.locate("root/server/port")
    config.walk()
    config.save("config")
    again = Config.load("config")
    again.reload()
    config.dumps()
    repr(config)
    if has("zconfig_remove"):
        found = config.locate("root/server")
        assert found is not None
        found.remove()
        config.clear()
    refused(Config.loads, "=nonsense\0")


# ---------------------------------------------------------------- sockets and contexts

both("types.Context, never used", lambda: Context(), close, SOCKETS)
both("types.Context, with a socket", lambda: _with_socket(), close, SOCKETS)
both("types.Socket", lambda: Socket(zmq.PUSH, linger=0), close, SOCKETS)
both("types.Socket, bound to tcp", lambda: Socket(zmq.PULL, bind="tcp://127.0.0.1:0"), close, 50)
both("types.Socket of a context", lambda: Context().socket(zmq.PUSH), close, SOCKETS)


def _with_socket() -> Context:
    context = Context()
    context.socket(zmq.PULL, bind="inproc://context")
    return context


@prepared("types.Context.shadow", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    context = Context()
    kept = context.socket(zmq.PULL)

    def once() -> None:
        context.shadow().socket(zmq.PUSH)
        with context.shadow() as shadow:
            shadow.socket(zmq.PUSH)

    yield once
    kept.close()


@cycle("types.Context, settings", SOCKETS)
def _context() -> None:
    with Context(1, linger=0) as context:
        context.set_iothreads(1)
        context.set_linger(0)
        context.set_sndhwm(10)
        context.set_rcvhwm(10)
        context.set_pipehwm(10)
        repr(context)
    refused(context.socket, zmq.PUSH)


def pair() -> tuple[Socket, Socket]:
    """Return two connected sockets, which wait for 10 seconds at most."""
    name = f"inproc://objects.{next(_names)}"
    limits = {"rcvtimeo": 10_000, "sndtimeo": 10_000}
    return Socket(zmq.PAIR, bind=name, **limits), Socket(zmq.PAIR, connect=name, **limits)


def exchange(left: Any, right: Any) -> None:
    """Send by every method, and receive by every method."""
    for text in SMALL, KIB64:
        left.send(text)
        assert right.recv() == text
        left.send_bytes(text.encode())
        assert len(right.recv_bytes()) == len(text)
        left.send_parts([text, b"two"])
        assert len(right.recv_parts()) == 2
        left.send_frame(Frame(text))
        assert len(right.recv_frame()) == len(text)
        left.send_msg(Message([text, "two"]))
        with right.recv_msg() as message:
            assert message[0] == text
        left.send_json({"text": text})
        assert right.recv_json() == {"text": text}
        left.send_picture("sib", text, 1, b"bytes")
        assert right.recv_picture("sib")[1] == 1
    left.signal(1)
    assert right.wait() == 1
    left.send("now")
    assert right.poll(10_000)
    assert right.recv_nowait() == "now" and right.recv_nowait() is None
    left.send("now")
    assert right.poll(10_000)
    assert right.recv_frame_nowait() == "now" and right.recv_frame_nowait() is None


@prepared("types.Socket, every send and recv", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    left, right = pair()
    yield lambda: exchange(left, right)


@prepared("types.Socket, iteration", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    left, right = pair()

    def once() -> None:
        left.send_parts(["one", KIB64])
        for message in right:
            assert len(message) == 2
            break

    yield once


def _timed_out(timeout: int) -> Callable[[], Iterator[Callable[[], object]]]:
    def prepare() -> Iterator[Callable[[], object]]:
        _, right = pair()
        turns = itertools.cycle(RECEIVING.items())

        def once() -> None:
            for name, args in [next(turns)] if timeout else RECEIVING.items():
                refused(getattr(right, name), *args, timeout=timeout)

        yield once

    return prepare


add("types.Socket, every recv, nothing there", _timed_out(0), SOCKETS * 10)
add("types.Socket, every recv, timed out", _timed_out(1), SOCKETS * 10)


@prepared("types.Socket, every send that nobody takes", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    push = Socket(zmq.PUSH)

    def once() -> None:
        for name, args in SENDING.items():
            refused(getattr(push, name), *args, timeout=0)
        with Frame("text") as frame, Message(["text"]) as message:
            refused(push.send_frame, frame, timeout=0)
            refused(push.send_msg, message, timeout=0)

    yield once


@prepared("types.Socket, refused", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    left, right = pair()

    def once() -> None:
        refused(left.send, None)
        refused(left.send_parts, ["one", None])
        refused(left.bind, "nonsense")
        refused(left.connect, "nonsense")
        refused(Socket, zmq.PULL, bind="nonsense")
        refused(setattr, left, "nonsense", 1)
        refused(setattr, left, "linger", "text")
        left.send("no json")
        refused(right.recv_json)
        left.send("no picture")
        right.recv_picture("8")

    yield once


@prepared("types.Socket, bind, connect, disconnect, unbind, options", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    pull, push, sub = Socket(zmq.PULL), Socket(zmq.PUSH), Socket(zmq.SUB)

    def once() -> None:
        endpoint = f"tcp://127.0.0.1:{pull.bind('tcp://127.0.0.1:*')}"
        push.connect(endpoint)
        # Until it has come, what was connected and disconnected piles up in both sockets: they act when they are used.
        push.send("text")
        assert pull.recv(timeout=10_000) == "text"
        push.disconnect(endpoint)
        pull.unbind(endpoint)
        sub.subscribe("topic")
        sub.unsubscribe("topic")
        push.linger = push.linger
        push.type_str()
        repr(push)

    yield once


@cycle("types.Socket, a closed one is refused", SOCKETS)
def _closed() -> None:
    socket = Socket(zmq.PUSH)
    socket.close()
    for name, args in {**SENDING, **RECEIVING}.items():
        refused(getattr(socket, name), *args)


# ---------------------------------------------------------------- pollers and loops


@prepared("types.Poller, a tour", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    left, right = pair()
    ours, theirs = sockets.socketpair()

    def once() -> None:
        with Poller(left) as poller:
            poller.add(right)
            poller.add(ours)
            assert poller.wait(0) == []
            left.send("text")
            assert poller.wait(10_000) == [right]
            right.recv()
            theirs.send(b"x")
            assert poller.poll(10_000) == [(ours, zmq.POLLIN)]
            ours.recv(1)
            poller.remove(ours)
            poller.wait(1)
            refused(poller.add, "no socket")
        dropped = Poller(left, right, ours)
        assert dropped.wait(0) == []

    yield once
    ours.close()
    theirs.close()


@prepared("types.Loop, a tour", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    left, right = pair()

    def once() -> None:
        loop = Loop()

        def receive(*_: Any) -> None:
            right.recv()
            loop.stop()

        loop.reader(right, receive, ["arg"])
        loop.set_ticket_delay(1000)
        loop.ticket_delete(loop.ticket(receive))
        loop.timer_end(loop.timer(1000, 1, receive))
        left.send("text")
        loop.start()
        loop.reader_end(right)

    yield once


@prepared("types.Loop, a handler that raises", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    def once() -> None:
        loop = Loop()
        loop.timer(0, 1, fail, loop)
        fails(loop.start)

    yield once


# ---------------------------------------------------------------- actors


def _echo(pipe: Pipe, *args: Any) -> None:
    for message in pipe:
        pipe.send_msg(message)


both("types.Actor", lambda: Actor(_echo, ["arg"]), close, THREADS)
both("types.actor, decorated", lambda: actor(_echo)(), close, THREADS)


@cycle("types.Actor, an exception", SOCKETS)
def _failing() -> None:
    def fail_later(pipe: Pipe) -> None:
        pipe.signal()
        pipe.recv()
        fail()

    fails(Actor, fail)
    later = Actor(fail_later)
    later.send("go")
    fails(later.close)


@prepared("types.Pipe and types.Actor, every send and recv", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    def serve(pipe: Pipe) -> None:
        pipe.signal()
        while pipe.recv() == "go":
            exchange(pipe, pipe)
            pipe.send("done")

    def brief(pipe: Pipe) -> None:
        pipe.close()

    Actor(brief).close()
    with Actor(serve) as running:

        def once() -> None:
            running.send("go")
            send_back(running)
            assert running.recv() == "done"

        yield once


def send_back(side: Actor) -> None:
    """Send back what `exchange` sends at the other end, by the same kinds of calls."""
    for _ in SMALL, KIB64:
        side.send(side.recv())
        side.send_bytes(side.recv_bytes())
        side.send_parts(side.recv_parts())
        side.send_frame(side.recv_frame())
        side.send_msg(side.recv_msg())
        side.send_json(side.recv_json())
        side.send_picture("sib", *side.recv_picture("sib"))
    side.signal(side.wait())
    assert side.poll(10_000)
    side.send(side.recv_nowait() or "")
    assert side.poll(10_000)
    frame = side.recv_frame_nowait()
    assert frame is not None
    side.send_frame(frame)


@cycle("types.Proxy, closed", SOCKETS)
def _proxy() -> None:
    with Proxy(("PULL", "inproc://front"), ("PUSH", "inproc://back")) as proxy:
        proxy.pause()
        proxy.resume()
        repr(proxy)


@cycle("types.Proxy, collected", THREADS)
def _proxy_collected() -> None:
    Proxy(("PULL", "tcp://127.0.0.1:0"), ("PUSH", "tcp://127.0.0.1:0"))


def _monitor() -> Monitor:
    socket = Socket(zmq.PULL)
    monitor = Monitor(socket, "LISTENING")
    socket.bind("tcp://127.0.0.1:0")
    assert monitor.poll(10_000)
    assert monitor.recv(timeout=10_000).event == "LISTENING"
    assert monitor.recv_nowait() is None
    return monitor


both("types.Monitor", _monitor, close, THREADS)
both("types.Gossip", lambda: Gossip("node"), close, THREADS)


@cycle("types.Gossip, a tour", SOCKETS)
def _gossip() -> None:
    with Gossip("base") as base, Gossip() as other:
        base.bind("inproc://gossip")
        other.connect("inproc://gossip")
        other.publish("key", "value")
        assert base.recv(timeout=10_000) == ("key", "value")
        assert base.recv_nowait() is None
        base.poll(0)
        base.status()
        base.port()
        base.set("server/timeout", "1000")


# An Auth is never left to the garbage collector: were it collected, everybody would be let in.
@cycle("types.Auth, closed", SOCKETS)
def _auth() -> None:
    context = Context()
    with Auth(context) as auth:
        auth.allow("127.0.0.1")
        auth.deny("127.0.0.2")
        auth.plain({"name": "password"})
        auth.curve()
        auth.gssapi()
        auth.attach(Context())
        repr(auth)
    context.close()


@prepared("types.Auth: a CURVE client is let in", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    server_cert, client_cert = Cert(), Cert()
    folder = Path("known")
    folder.mkdir(exist_ok=True)
    client_cert.save_public(folder / "client")
    with Auth() as auth, Socket(zmq.PULL, rcvtimeo=10_000) as server:
        auth.curve(folder)
        server_cert.apply(server, server=True)
        server.bind("tcp://127.0.0.1:*")

        def once() -> None:
            with Socket(zmq.PUSH) as client:
                client_cert.apply(client, server_key=server_cert)
                client.connect(server.last_endpoint)
                client.send("secret")
                assert server.recv() == "secret"

        yield once
    gc.collect()


simple("the working directory stays", lambda: os.getcwd())
