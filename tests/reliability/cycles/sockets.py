"""Cycles of sockets, contexts and pollers: made, bound, connected, given options, watched, closed."""

from __future__ import annotations

import gc
import itertools
import socket as sockets
from collections.abc import Callable, Iterator
from typing import Any

from cycles import SOCKETS, add, both, cycle, has, optional, prepared, simple
from cycles.calls import refused
from pyczmq import zactor, zctx, zframe, zmonitor, zmq, zpoller, zsock, zsocket, zstr, zsys
from pyczmq._zsockopt_table import OPTIONS

_names = itertools.count()

#: The kinds of sockets that every libzmq has.
KINDS = ["pub", "sub", "req", "rep", "dealer", "router", "push", "pull", "xpub", "xsub", "pair", "stream"]
DRAFTS = ["server", "client", "radio", "dish", "gather", "scatter", "dgram"]


# ---------------------------------------------------------------- contexts


def _context() -> Any:
    """Return a context that has begun, with a socket in it."""
    ctx = zctx.new()
    zsocket.bind(zsocket.new(ctx, zmq.PULL), "inproc://context")
    return ctx


both("zctx.new, never used", lambda: zctx.new(), lambda made: zctx.destroy(made))
both("zctx.new, with a socket", _context, lambda made: zctx.destroy(made), SOCKETS)
simple("zctx.new, a socket keeps it", lambda: zsocket.new(zctx.new(), zmq.PUSH), SOCKETS)


@cycle("zmq.ctx_new, zmq.socket, closed and terminated", SOCKETS)
def _zmq_context() -> None:
    context = zmq.ctx_new()
    assert context is not None
    zmq.ctx_set(context, zmq.IO_THREADS, 1)
    zmq.ctx_get(context, zmq.IO_THREADS)
    sock = zmq.socket(context, zmq.PUSH)
    assert sock is not None
    zmq.setsockopt(sock, zmq.LINGER, 0)
    zmq.getsockopt(sock, zmq.LINGER)
    zmq.close(sock)
    zmq.ctx_shutdown(context)
    zmq.ctx_term(context)


simple("zmq.init, zmq.term", lambda: zmq.term(_begun(zmq.init(1))), SOCKETS)
simple("zmq.ctx_destroy", lambda: zmq.ctx_destroy(_begun(zmq.ctx_new())), SOCKETS)


def _begun(context: Any) -> Any:
    zmq.close(zmq.socket(context, zmq.PUSH))
    return context


@prepared("zctx.shadow, destroyed", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    ctx = _context()

    def once() -> None:
        shadow = zctx.shadow(ctx)
        zsocket.new(shadow, zmq.PUSH)
        zctx.destroy(shadow)

    yield once
    zctx.destroy(ctx)


@prepared("zctx.shadow, collected", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    ctx = _context()
    yield lambda: zsocket.new(zctx.shadow(ctx), zmq.PUSH)
    zctx.destroy(ctx)


@prepared("zctx.shadow_zmq_ctx", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    context = zmq.ctx_new()

    def once() -> None:
        zsocket.new(zctx.shadow_zmq_ctx(context), zmq.PUSH)
        zctx.destroy(zctx.shadow_zmq_ctx(context))

    yield once
    # Its sockets must be closed before it ends, which is for whoever made it to do.
    for _ in range(4):
        gc.collect()
    zmq.ctx_term(context)


@cycle("zctx, settings", SOCKETS)
def _zctx() -> None:
    ctx = zctx.new()
    zctx.set_iothreads(ctx, 1)
    zctx.set_linger(ctx, 0)
    zctx.set_pipehwm(ctx, 10)
    zctx.set_sndhwm(ctx, 10)
    zctx.set_rcvhwm(ctx, 10)
    zctx.underlying(ctx)
    sock = zsocket.new(ctx, zmq.PUSH)
    zctx.underlying(ctx)
    zctx.destroy(ctx)
    refused(zsocket.poll, sock, 0)
    refused(zctx.set_linger, ctx, 0)


# ---------------------------------------------------------------- sockets


@prepared("zsocket.new, destroyed", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    ctx = _context()

    def once() -> None:
        zsocket.destroy(ctx, zsocket.new(ctx, zmq.PUSH))

    yield once


@prepared("zsocket.new, collected", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    ctx = _context()
    yield lambda: zsocket.new(ctx, zmq.PUSH)


both("zsock.new", lambda: zsock.new(zmq.PUSH), lambda made: zsock.destroy(made), SOCKETS)
for _kind in KINDS + DRAFTS:
    for _suffix, _arguments in (("", ()), ("_checked", ("file", 1))):
        if not has(f"zsock_new_{_kind}{_suffix}") or (_kind in DRAFTS and not zmq.has("draft")):
            continue
        _first = (None, None) if _kind == "sub" else (None,)

        def _make(name: str = f"new_{_kind}{_suffix}", args: tuple[Any, ...] = (*_first, *_arguments)) -> Any:
            return getattr(zsock, name)(*args)

        both(f"zsock.new_{_kind}{_suffix}", _make, lambda made: zsock.destroy(made), SOCKETS)
simple(
    "zsock.new_checked, destroy_checked",
    lambda: zsock.destroy_checked(zsock.new_checked(zmq.PUSH, "file", 1), "file", 1),
    SOCKETS,
)
simple("zsock.new_pull, bound to inproc, destroyed", lambda: zsock.destroy(zsock.new_pull("@inproc://bound")), SOCKETS)
# A name of its own for each, since what nobody has any more is bound to its name until it is collected.
simple("zsock.new_pull, bound to inproc, collected", lambda: zsock.new_pull(f"@inproc://bound.{next(_names)}"), SOCKETS)
both("zsock.new_pull, bound to tcp", lambda: zsock.new_pull("@tcp://127.0.0.1:0"), lambda made: zsock.destroy(made), 50)
both("zsock.new_pull, bound to ipc", lambda: zsock.new_pull("@ipc://*"), lambda made: zsock.destroy(made), 50)
both("zsock.new_push, nobody there", lambda: zsock.new_push(">tcp://127.0.0.1:9"), lambda made: zsock.destroy(made), 50)
simple("zsys.socket, closed", lambda: zsys.close(zsys.socket(zmq.PUSH)), SOCKETS)
simple("zsys.socket, collected", lambda: zsys.socket(zmq.PUSH), SOCKETS)


@cycle("zsys.create_pipe", SOCKETS)
def _pipe() -> None:
    left, right = zsys.create_pipe()
    zstr.send(left, "text")
    assert zstr.recv(right) == "text"
    zsock.destroy(left)


@cycle("zsys.udp_*", SOCKETS)
def _udp() -> None:
    # Nothing is sent: that would be a broadcast.
    zsys.udp_close(zsys.udp_new())


@cycle("constructors that fail", SOCKETS)
def _failing() -> None:
    assert zsock.new_push(">nonsense") is None
    assert zsock.new_push("@tcp://192.0.2.1:9") is None
    assert zsock.new_pull("@tcp://127.0.0.1:nonsense") is None
    refused(zsock.new, 99)
    refused(zsock.new, None)
    refused(zsock.new_push, 5)
    refused(zpoller.new, "no socket")
    refused(zactor.new, None)


@prepared("bind and connect that fail", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    holder = zsock.new_pull("@tcp://127.0.0.1:*")
    taken = zsock.endpoint(holder)
    assert taken is not None
    ctx = zctx.new()
    sock, old = zsock.new(zmq.PUSH), zsocket.new(ctx, zmq.PUSH)
    assert old is not None

    def once() -> None:
        for endpoint in (taken, "nonsense", "tcp://nonsense", "inproc://", "tcp://192.0.2.1:9", "ipc://absent/absent"):
            assert zsock.bind(sock, endpoint) == zsocket.bind(old, endpoint) == -1, endpoint
        for endpoint in ("nonsense", "tcp://127.0.0.1", "tcp://:"):
            assert zsock.connect(sock, endpoint) == zsocket.connect(old, endpoint) == -1, endpoint
            assert zmq.connect(sock, endpoint) == -1
            assert zsock.unbind(sock, endpoint) == zsock.disconnect(sock, endpoint) == -1
            assert zsocket.unbind(old, endpoint) == zsocket.disconnect(old, endpoint) == -1
        assert zsock.attach(sock, "@nonsense") == -1
        refused(zsock.bind, sock, None)

    yield once


@prepared("bind, connect, disconnect, unbind", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    ctx = zctx.new()
    pull, push = zsock.new(zmq.PULL), zsock.new(zmq.PUSH)
    old_pull, old_push = zsocket.new(ctx, zmq.PULL), zsocket.new(ctx, zmq.PUSH)
    assert old_pull is not None and old_push is not None

    def once() -> None:
        for bound, connected, module in ((pull, push, zsock), (old_pull, old_push, zsocket)):
            port = module.bind(bound, "tcp://127.0.0.1:*")
            assert port > 0
            assert module.connect(connected, f"tcp://127.0.0.1:{port}") == 0
            zstr.send(connected, "text")
            assert zstr.recv(bound) == "text"
            assert module.disconnect(connected, f"tcp://127.0.0.1:{port}") == 0
            assert module.unbind(bound, f"tcp://127.0.0.1:{port}") == 0
        assert zsock.attach(pull, "@inproc://attached", True) == 0
        assert zsock.attach(push, "inproc://attached") == 0
        zsock.disconnect(push, "inproc://attached")
        zsock.unbind(pull, "inproc://attached")
        assert zmq.bind(pull, "inproc://zmq") == zmq.connect(push, "inproc://zmq") == 0
        assert zmq.disconnect(push, "inproc://zmq") == zmq.unbind(pull, "inproc://zmq") == 0

    yield once


@cycle("a whole conversation over tcp", 50)
def _conversation() -> None:
    server = zsock.new_rep("@tcp://127.0.0.1:!")
    assert server is not None
    client = zsock.new_req(f">{zsock.endpoint(server)}")
    zstr.send(client, "question")
    assert zstr.recv(server) == "question"
    zstr.send(server, "answer")
    assert zstr.recv(client) == "answer"


@cycle("zsock, a tour", SOCKETS)
def _zsock() -> None:
    sock = zsock.new(zmq.ROUTER)
    zsock.type_str(sock)
    zsocket.type_str(sock)
    zsock.endpoint(sock)
    zsock.set_unbounded(sock)
    zsocket.set_hwm(sock, 10)
    zsock.is_(sock)
    zsock.resolve(sock)
    zsocket.poll(sock, 0)
    optional(zsock.has_in, sock)
    optional(zsock.routing_id, sock)
    zsock.destroy(sock)
    refused(zsock.endpoint, sock)


# ---------------------------------------------------------------- options


def _options(module: Any, sock: Any) -> Callable[[], object]:
    """Return what reads each option of a socket and sets it to what it was."""
    readable = [name for name, row in OPTIONS.items() if "r" in row[2] and hasattr(module, name)]
    values = {}
    for name in readable:
        try:
            values[name] = getattr(module, name)(sock)
        except (OSError, AttributeError, ValueError):  # what this libzmq lacks, or this kind of socket
            continue
    settable = {}
    for name, value in values.items():
        setter = getattr(module, f"set_{name}", None)
        try:
            if setter is not None:
                setter(sock, value)
                settable[name] = value
        except (OSError, ValueError, TypeError):
            continue
    assert len(values) > 40 and len(settable) > 30, (len(values), len(settable))

    def once() -> None:
        for name in values:
            getattr(module, name)(sock)
        for name, value in settable.items():
            getattr(module, f"set_{name}")(sock, value)
        refused(module.set_linger, sock, "text")

    return once


@prepared("options of zsock, read and set")
def _() -> Iterator[Callable[[], object]]:
    yield _options(zsock, zsock.new(zmq.DEALER))


@prepared("options of zsocket, read and set")
def _() -> Iterator[Callable[[], object]]:
    ctx = zctx.new()
    yield _options(zsocket, zsocket.new(ctx, zmq.DEALER))


# ---------------------------------------------------------------- pollers

both("zpoller.new", lambda: zpoller.new(), lambda made: zpoller.destroy(made))


@prepared("zpoller, a tour", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    left, right = zsock.new_pair("@inproc://polled"), zsock.new_pair(">inproc://polled")
    ours, theirs = sockets.socketpair()
    assert left is not None and right is not None

    def once() -> None:
        poller = zpoller.new(left)
        zpoller.add(poller, right)
        zpoller.add(poller, ours.fileno())
        zpoller.set_nonstop(poller, True)
        zpoller.ignore_interrupts(poller)
        assert zpoller.wait(poller, 0) is None
        zpoller.expired(poller)
        zpoller.terminated(poller)
        zstr.send(left, "text")
        assert zpoller.wait(poller, 10_000) == right
        zstr.recv(right)
        theirs.send(b"x")
        assert zpoller.wait(poller, 10_000) == ours.fileno()
        ours.recv(1)
        zpoller.remove(poller, left)
        zpoller.remove(poller, left)
        zpoller.wait(poller, 1)
        refused(zpoller.add, poller, "no socket")

    yield once
    ours.close()
    theirs.close()


@prepared("zmq.poll", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    left, right = zsock.new_pair("@inproc://zmq.poll"), zsock.new_pair(">inproc://zmq.poll")
    assert left is not None

    def once() -> None:
        items = [zmq.pollitem(socket=sock, events=zmq.POLLIN) for sock in (left, right)]
        items.append(zmq.pollitem(fd=0, events=0))
        assert zmq.poll(items, timeout=0) == 0
        zstr.send(left, "text")
        assert zmq.poll(items, timeout=10_000) == 1
        zstr.recv(right)

    yield once


if has("zmq_poller_new"):

    @prepared("zmq.poller_new", SOCKETS * 10)
    def _() -> Iterator[Callable[[], object]]:
        sock = zsock.new(zmq.PULL)

        def once() -> None:
            poller = zmq.poller_new()
            zmq.poller_add(poller, sock, ["data"], zmq.POLLIN)
            zmq.poller_wait(poller, 0)
            zmq.poller_remove(poller, sock)
            zmq.poller_destroy(poller)
            zmq.poller_new()

        yield once


# ---------------------------------------------------------------- monitors


def _monitor(end: bool) -> Callable[[], Iterator[Callable[[], object]]]:
    def prepare() -> Iterator[Callable[[], object]]:
        def once() -> None:
            server = zsock.new_rep()
            assert server is not None
            monitor = zmonitor.new(server)
            zmonitor.listen(monitor, "LISTENING", "ACCEPTED")
            zmonitor.start(monitor)
            zsock.bind(server, "tcp://127.0.0.1:0")
            event = zmonitor.recv(monitor, 10_000)
            assert event is not None and event.event == "LISTENING", event
            if end:
                zmonitor.destroy(monitor)
                zsock.destroy(server)

        yield once

    return prepare


add("zmonitor.new, destroyed", _monitor(True), 20)
add("zmonitor.new, collected", _monitor(False), 20)


@cycle("zmq.socket_monitor", SOCKETS)
def _socket_monitor() -> None:
    name = f"inproc://monitor.{next(_names)}"
    server = zsock.new(zmq.PULL)
    assert zmq.socket_monitor(server, name) == 0
    pair = zsock.new_pair(f">{name}")
    zsock.bind(server, "tcp://127.0.0.1:0")
    for _ in range(2):
        zframe.destroy(zframe.recv(pair))
    zmq.socket_monitor(server, None)
