"""Gossip: nodes of a gossip network, as objects."""

from __future__ import annotations

import os
import select
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import children
import pytest
from common import collect
from threads import while_in_use

from pyczmq import _handles, zactor, zcert, zgossip, zmq, zpoller, zsocket
from pyczmq.types import Again, Gossip, ZMQError
from pyczmq.types.gossip import recv_delivery
from pyczmq.zgossip import Delivery

#: Milliseconds for what must happen.
PATIENCE = 5000
LOCAL = "tcp://127.0.0.1:*"
DRAFTS = _handles.drafts()


# ---------------------------------------------------------------- gossip


def test_pairs_spread() -> None:
    """Each node delivers all pairs, its own too; who connects later gets those that are there."""
    with Gossip("base") as base, Gossip("alpha") as alpha, Gossip() as late:
        port = base.bind(LOCAL)
        assert port > 0
        alpha.connect(f"tcp://127.0.0.1:{port}")
        alpha.publish("key", "value")
        alpha.publish(b"\xff", "\udcfe")
        for node in alpha, base:
            assert node.recv(timeout=PATIENCE) == Delivery("key", "value")
            assert node.recv(timeout=-1) == ("\udcff", "\udcfe")
        late.connect(f"tcp://127.0.0.1:{port}")
        assert {late.recv().key for _ in range(2)} == {"key", "\udcff"}
        assert base.status() == late.status() == 2


def test_endpoints() -> None:
    """bind returns the port, 0 where there is none; what cannot be bound is a ZMQError that names it."""
    with Gossip("node") as node, Gossip() as other:
        assert node.port() == 0
        port = node.bind(LOCAL)
        assert node.port() == port
        assert node.bind("inproc://gossip.endpoints") == 0
        for bad in f"tcp://127.0.0.1:{port}", "nonsense", "":
            with pytest.raises(ZMQError, match=f"bind {bad}: the node cannot bind to this"):
                other.bind(bad)
        other.connect("inproc://gossip.endpoints")
        other.connect(b"inproc://gossip.endpoints")
        other.publish("over", "inproc")
        assert node.recv(timeout=PATIENCE) == ("over", "inproc")
        assert repr(node) == f"<Gossip 'node': bound to tcp://127.0.0.1:{port}, bound to inproc://gossip.endpoints>"
        assert repr(other) == "<Gossip: connected to inproc://gossip.endpoints>"
        assert (node.name, other.name) == ("node", "")


def test_iteration_delivers_until_closed() -> None:
    node = Gossip()
    for number in range(3):
        node.publish(f"key {number}", "value")
    keys = []
    for delivery in node:
        keys.append(delivery.key)
        if len(keys) == 3:
            node.close()
    assert keys == ["key 0", "key 1", "key 2"]
    assert list(node) == []


def test_what_came_while_others_waited_is_not_lost() -> None:
    """Calls that wait for the node's answer keep what it delivers meanwhile, for recv, poll and pollers."""
    with Gossip() as node:
        for number in range(50):
            node.publish(str(number), "x")
            assert node.status() == number + 1
        poller = zpoller.new(node._pollable())
        for number in range(50):
            assert node.poll()
            assert zpoller.wait(poller, PATIENCE) is node.handle
            assert node.recv(timeout=0).key == str(number)
        assert not node.poll()
        assert node.recv_nowait() is None


def test_configuration(tmp_path: Path) -> None:
    """What was set is saved, and can be loaded."""
    file = tmp_path / "gossip.cfg"
    with Gossip() as node, Gossip() as other:
        node.set("server/timeout", "2500")
        node.save(file)
        assert 'timeout = "2500"' in file.read_text()
        other.load(str(file))
        with pytest.raises(OSError):
            other.load(tmp_path / "nowhere")
        with pytest.raises(ValueError, match="must be a number of milliseconds"):
            node.set("server/timeout", "soon")


def test_verbose() -> None:
    """CZMQ's log tells what the node does, by its name."""
    output = children.check("""
        from pyczmq import Gossip
        with Gossip("chatterbox") as base, Gossip() as node:
            base.verbose()
            port = base.bind("tcp://127.0.0.1:*")
            node.connect(f"tcp://127.0.0.1:{port}")
            node.publish("key", "value")
            assert base.recv(timeout=5000)
    """)
    assert "chatterbox" in output


@pytest.mark.skipif(DRAFTS, reason="libczmq is built with drafts")
def test_without_drafts() -> None:
    """What libczmq has in its drafts only is a NotImplementedError; a certificate is an object or a handle."""
    from pyczmq.types import Cert

    calls: list[Callable[[Gossip], object]] = [
        lambda node: node.unpublish("key"),
        lambda node: node.zap_domain("global"),
        lambda node: node.set_certificate(zcert.new()),
        lambda node: node.set_certificate(Cert()),
        lambda node: node.connect("tcp://127.0.0.1:1", "x" * 40),
    ]
    with Gossip() as node:
        for call in calls:
            with pytest.raises(NotImplementedError, match="without drafts"):
                call(node)


@pytest.mark.skipif(not DRAFTS, reason="libczmq is built without drafts")
def test_drafts() -> None:
    """Nodes with certificates find each other; a pair can be forgotten."""
    from pyczmq.types import Cert

    own, other = zcert.new(), Cert()
    with Gossip("base") as base, Gossip("node") as node:
        base.set_certificate(own)
        base.zap_domain("global")
        node.set_certificate(other)
        node.connect(f"tcp://127.0.0.1:{base.bind(LOCAL)}", zcert.public_txt(own))
        node.publish("key", "value")
        assert base.recv(timeout=PATIENCE) == ("key", "value")
        base.unpublish("key")
        assert base.status() == 0


@pytest.mark.parametrize("bad", [None, 1, "cert", object()])
def test_what_is_no_certificate(bad: Any) -> None:
    with Gossip() as node, pytest.raises(TypeError, match="cert must be"):
        node.set_certificate(bad)


# ---------------------------------------------------------------- waiting


def test_timeout() -> None:
    """Again, which is a TimeoutError, once the time has passed."""
    with Gossip() as node:
        for timeout in 0, 20:
            with pytest.raises(Again, match="recv on <Gossip>") as raised:
                node.recv(timeout=timeout)
            assert isinstance(raised.value, TimeoutError)
        assert not node.poll(10)
        assert node.recv_nowait() is None
        node.publish("key", "value")
        assert node.poll(-1)
        assert node.recv() == ("key", "value")


@pytest.mark.skipif(not hasattr(select, "poll"), reason="no poll here")
def test_descriptor_tells_of_pairs_that_come_after_the_last_was_taken() -> None:
    """What an event loop does: it takes pairs until there are none, and sleeps on the descriptor of the actor."""
    with Gossip("base") as base, Gossip("node") as node:
        node.connect(f"tcp://127.0.0.1:{base.bind(LOCAL)}")
        actor: Any = base._pollable()
        handle: Any = zactor.resolve(actor)
        descriptor: Any = zsocket.fd(handle)
        sleep = select.poll()
        sleep.register(descriptor, select.POLLIN)
        keys: list[str] = []
        for number in range(50):
            # A call in between may take what the descriptor has told of; the answer to its marker is told again.
            if number % 3 == 0:
                assert base.status() >= len(keys)
            node.publish(str(number), "x")
            if number % 5 == 0:
                base.publish(f"own {number}", "x")
            wanted = len(keys) + 1 + (number % 5 == 0)
            delivery = recv_delivery(actor, handle)
            while True:
                if delivery is not None:
                    keys.append(delivery.key)
                    if len(keys) == wanted:
                        break
                else:
                    assert zmq.errno() == zmq.EAGAIN
                    assert sleep.poll(PATIENCE)
                delivery = recv_delivery(actor, handle)
        assert [key for key in keys if not key.startswith("own")] == [str(number) for number in range(50)]


def test_ctrl_c() -> None:
    """Ctrl-C ends a wait of any length, and the node goes on."""
    children.check("""
        import os, signal, threading
        from pyczmq import Gossip
        node = Gossip()
        for wait in (
            lambda: node.recv(),
            lambda: node.recv(timeout=-1),
            lambda: node.recv(timeout=60000),
            lambda: node.poll(-1),
            lambda: list(node),
        ):
            timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            try:
                wait()
            except KeyboardInterrupt:
                pass
            else:
                raise AssertionError("not interrupted")
            timer.join()
        node.publish("key", "value")
        assert node.recv(timeout=5000) == ("key", "value")
    """)


def test_context_that_has_ended() -> None:
    """recv raises ContextTerminated once CZMQ's process-wide context has ended, and iteration ends."""
    children.check("""
        from pyczmq import C, Gossip
        from pyczmq.types import ContextTerminated
        node = Gossip()
        C.zmq_ctx_shutdown(C.zsys_init())
        try:
            node.recv()
        except ContextTerminated:
            pass
        else:
            raise AssertionError
        assert list(node) == []
    """)


def test_node_that_has_ended() -> None:
    """One that was sent garbage has ended: each call says so, and it can be closed."""
    children.check("""
        from pyczmq import Gossip, Socket, zmq
        node = Gossip()
        with Socket(zmq.DEALER, connect=f"tcp://127.0.0.1:{node.bind('tcp://127.0.0.1:*')}") as client:
            client.send_bytes(b"garbage")
            for call in node.recv, node.status, lambda: list(node), node.recv_nowait:
                try:
                    call()
                except RuntimeError as error:
                    assert "ended by itself" in str(error)
                else:
                    raise AssertionError(call)
        node.close()
    """)


# ---------------------------------------------------------------- the object

CALLS: dict[str, Callable[[Gossip], object]] = {
    "recv": lambda node: node.recv(),
    "recv with timeout": lambda node: node.recv(timeout=0),
    "recv_nowait": lambda node: node.recv_nowait(),
    "poll": lambda node: node.poll(),
    "bind": lambda node: node.bind(LOCAL),
    "connect": lambda node: node.connect("tcp://127.0.0.1:1"),
    "publish": lambda node: node.publish("key", "value"),
    "unpublish": lambda node: node.unpublish("key"),
    "port": lambda node: node.port(),
    "status": lambda node: node.status(),
    "load": lambda node: node.load("file"),
    "save": lambda node: node.save("file"),
    "set": lambda node: node.set("path", "value"),
    "verbose": lambda node: node.verbose(),
    "set_certificate": lambda node: node.set_certificate(zcert.new()),
    "zap_domain": lambda node: node.zap_domain("global"),
}
LOOKS: dict[str, Callable[[Gossip], object]] = {
    "handle": lambda node: node.handle,
    "_pollable": lambda node: node._pollable(),
    "with": lambda node: node.__enter__(),
}


@pytest.mark.parametrize("call", [*CALLS, *LOOKS])
def test_closed(call: str) -> None:
    """Everything but another close is refused once it is closed, or its actor was destroyed by other means."""
    closed, destroyed = Gossip("node"), Gossip()
    closed.close()
    closed.close()
    zactor.destroy(destroyed.handle)
    assert repr(closed) == "<Gossip 'node' closed>"
    for node in closed, destroyed:
        assert node.closed
        if node is destroyed and call in LOOKS:
            continue
        with pytest.raises(ValueError, match="the gossip node is closed"):
            {**CALLS, **LOOKS}[call](node)
    destroyed.close()


@pytest.mark.parametrize("call", [*CALLS, "close"])
def test_two_threads(call: str) -> None:
    """A thread that comes while another waits gets a RuntimeError; the one that waits is not disturbed."""
    with Gossip("base") as base, Gossip("node") as node:
        node.connect(f"tcp://127.0.0.1:{base.bind(LOCAL)}")
        found: list[Delivery] = []

        def check() -> None:
            with pytest.raises(RuntimeError, match="the gossip node is in use in another thread"):
                {**CALLS, "close": Gossip.close}[call](base)

        while_in_use(base, lambda: found.append(base.recv()), lambda: node.publish("key", "value"), check)
        assert found == [("key", "value")]


@pytest.mark.parametrize("bad", [1, 1.5, [], object()])
def test_arguments_of_other_types(bad: Any) -> None:
    """They are a TypeError that names the argument, and nothing has reached the node."""
    calls: dict[str, Callable[[Gossip], object]] = {
        "endpoint": lambda node: node.bind(bad),
        "endpoint ": lambda node: node.connect(bad),
        "key": lambda node: node.publish(bad, "value"),
        "value": lambda node: node.publish("key", bad),
        "path": lambda node: node.set(bad, "value"),
        "filename": lambda node: node.load(bad),
        "filename ": lambda node: node.save(bad),
    }
    with Gossip() as node:
        for name, call in calls.items():
            with pytest.raises(TypeError, match=name.strip()):
                call(node)
        with pytest.raises(TypeError, match="the argument of the task"):
            Gossip(bad)
        assert node.status() == 0
        assert repr(node) == "<Gossip>"


@pytest.mark.parametrize(
    ("key", "value"), [("a\0b", "value"), ("key", b"a\0b"), ("k" * 256, "value"), ("\u20ac" * 86, "value")]
)
def test_pairs_that_cannot_be_sent(key: Any, value: Any) -> None:
    with Gossip() as node:
        with pytest.raises(ValueError, match=r"NUL byte|at most 255 bytes"):
            node.publish(key, value)
        assert node.status() == 0


@pytest.mark.parametrize(
    ("timeout", "error"),
    [("1", TypeError), (1.5, TypeError), (object(), TypeError), (-2, ValueError), (2**31, ValueError)],
)
def test_timeouts_that_are_none(timeout: Any, error: type[Exception]) -> None:
    with Gossip() as node:
        for call in (lambda: node.recv(timeout=timeout), lambda: node.poll(timeout)):
            with pytest.raises(error, match="timeout must be"):
                call()


def test_it_is_collected() -> None:
    """A node that nobody refers to is ended by the garbage collector."""
    node = Gossip()
    gone = weakref.ref(node.handle)
    del node
    collect()
    assert gone() is None


def test_the_interpreter_ends() -> None:
    """A program that forgets its nodes ends in silence."""
    children.check("""
        from pyczmq import Gossip
        base, node = Gossip("base"), Gossip("node")
        node.connect(f"tcp://127.0.0.1:{base.bind('tcp://127.0.0.1:*')}")
        node.publish("key", "value")
        base.recv(timeout=5000)
    """)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_children_have_none() -> None:
    """A child finds its parent's node closed, and makes its own; the parent's goes on."""
    children.check("""
        import os, sys
        from pyczmq import Gossip
        node = Gossip()
        child = os.fork()
        if not child:
            assert node.closed
            node = Gossip()
        node.publish("key", "value")
        assert node.recv(timeout=5000) == ("key", "value")
        if not child:
            sys.exit()
        assert os.waitpid(child, 0)[1] == 0
    """)


def test_namespace_functions_take_the_handle() -> None:
    with Gossip() as node:
        zgossip.publish(node.handle, "key", "value")
        assert zgossip.recv(node.handle, PATIENCE) == ("key", "value")
