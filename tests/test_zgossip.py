"""zgossip: pairs that spread through a network of nodes until all have the same."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import children
import netns
import pytest
from common import collect

from pyczmq import C, ffi, zactor, zcert, zgossip, zpoller, zsock, zsocket, zstr

#: Milliseconds for what must happen, and for what must not.
PATIENCE, QUIET = 5000, 150

LOCAL = "tcp://127.0.0.1:0"
DRAFTS = hasattr(C, "zsock_routing_id")
with_drafts = pytest.mark.skipif(not DRAFTS, reason="libczmq is built without drafts")
without_drafts = pytest.mark.skipif(DRAFTS, reason="libczmq is built with drafts")


def new(name: str = "") -> Any:
    return zactor.new(zgossip.actor, name)


def bound() -> tuple[Any, str]:
    """Return a node that others can connect to, and where."""
    node = new("bound")
    port = zgossip.bind(node, LOCAL)
    assert port > 0
    return node, f"tcp://127.0.0.1:{port}"


def connected(*endpoints: str) -> Any:
    node = new("connected")
    for endpoint in endpoints:
        zgossip.connect(node, endpoint)
    return node


def hear(node: Any, count: int) -> dict[str, str]:
    """Return the next pairs that a node delivers."""
    found = [zgossip.recv(node, PATIENCE) for _ in range(count)]
    return dict(pair for pair in found if pair is not None)


def wait_for(node: Any, key: str, value: str) -> None:
    """Wait until a node delivers this pair."""
    pair = zgossip.recv(node, PATIENCE)
    while pair != (key, value):
        assert pair is not None, f"no {key!r}"
        pair = zgossip.recv(node, PATIENCE)


# ---------------------------------------------------------------- gossip


def test_replay_of_czmqs_test_client_to_server() -> None:
    """A client that speaks the protocol itself says hello, and gets a pong for its ping."""
    server = new("server")
    assert zgossip.bind(server, "inproc://zgossip") == 0
    client = zsock.new(5)
    zsocket.set_rcvtimeo(client, PATIENCE)
    zsocket.connect(client, "inproc://zgossip")
    hello, ping, pong = (b"\xaa\xa0" + bytes([number, 1]) for number in (1, 3, 4))
    for message in hello, ping:
        zsocket.sendmem(client, message)
    assert zstr.recv(client) == pong.decode("utf-8", "surrogateescape")


def test_replay_of_czmqs_test_peer_to_peer() -> None:
    """Three nodes over inproc, two of them connected to the third: each has all pairs in the end."""
    base, alpha, beta = new("base"), new("alpha"), new("beta")
    zgossip.set(base, "server/timeout", "10000")
    assert zgossip.bind(base, "inproc://base") == 0
    zgossip.connect(alpha, "inproc://base")
    zgossip.publish(alpha, "inproc://alpha-1", "service1")
    zgossip.publish(alpha, "inproc://alpha-2", "service2")
    zgossip.connect(beta, "inproc://base")
    zgossip.publish(beta, "inproc://beta-1", "service1")
    zgossip.publish(beta, "inproc://beta-2", "service2")
    own = [zgossip.recv(alpha, PATIENCE) for _ in range(2)]
    assert own == [("inproc://alpha-1", "service1"), ("inproc://alpha-2", "service2")]
    others = [zgossip.recv(alpha, PATIENCE) for _ in range(2)]
    assert others == [("inproc://beta-1", "service1"), ("inproc://beta-2", "service2")]
    assert zgossip.status(alpha) == 4
    for node in base, beta:
        assert len(hear(node, 4)) == 4
        assert zgossip.status(node) == 4


def test_late_joiners_get_all() -> None:
    """Pairs stay: who connects later gets those that are there, with their last values, and passes on its own."""
    base, endpoint = bound()
    for value in "12":
        for key in "abc":
            zgossip.publish(base, key, value)
    assert hear(base, 6) == dict.fromkeys("abc", "2")
    late = new("late")
    zgossip.publish(late, "d", "own")
    zgossip.connect(late, endpoint)
    assert hear(late, 4) == {**dict.fromkeys("abc", "2"), "d": "own"}
    wait_for(base, "d", "own")
    assert zgossip.status(base) == zgossip.status(late) == 4


def test_chain_and_cycle() -> None:
    """Nodes pass on what they hear, along a chain, and a cycle does no harm."""
    first, endpoint = bound()
    second, further = bound()
    third, last = bound()
    zgossip.connect(second, endpoint)
    zgossip.connect(third, further)
    zgossip.publish(first, "from", "first")
    for node in second, third:
        assert zgossip.recv(node, PATIENCE) == ("from", "first")
    zgossip.connect(first, last)
    zgossip.publish(third, "back", "third")
    for node in first, second:
        wait_for(node, "back", "third")
    assert [zgossip.status(node) for node in (first, second, third)] == [2, 2, 2]
    assert zgossip.recv(second, QUIET) is None


def test_what_is_the_same_is_not_delivered_again() -> None:
    """A pair is delivered once, until its value changes."""
    node = new()
    for value in "x", "x", "y", "y", "x":
        zgossip.publish(node, "key", value)
    assert zgossip.status(node) == 1
    assert [zgossip.recv(node, 0) for _ in range(4)] == [("key", "x"), ("key", "y"), ("key", "x"), None]


def test_silence_does_not_end_it() -> None:
    """A node that has said nothing for longer than a second still hears what is new, and is heard."""
    base, endpoint = bound()
    node = connected(endpoint)
    zgossip.publish(base, "before", "1")
    assert zgossip.recv(node, PATIENCE) == ("before", "1")
    assert zgossip.recv(node, 1300) is None
    zgossip.publish(base, "after", "2")
    assert zgossip.recv(node, PATIENCE) == ("after", "2")
    zgossip.publish(node, "own", "3")
    assert hear(base, 3)["own"] == "3"


def test_reconnects_by_name_of_host() -> None:
    """A node that was started anew gets all again, and nobody aborts over the name of its host."""
    children.check("""
        import time
        from pyczmq import zactor, zgossip
        base = zactor.new(zgossip.actor, "base")
        port = zgossip.bind(base, "tcp://127.0.0.1:0")
        names = "localhost", "127.1", "0x7f000001", "127.0.0.1"
        nodes = [zactor.new(zgossip.actor, name) for name in names]
        for name, node in zip(names, nodes):
            zgossip.connect(node, f"tcp://{name}:0{port}")
            zgossip.publish(node, name, "here")
        heard = {zgossip.recv(base, 5000).key for _ in names}
        assert heard == set(names)
        zactor.destroy(base)
        base = zactor.new(zgossip.actor, "base again")
        deadline = time.monotonic() + 5
        while zgossip.bind(base, f"tcp://127.0.0.1:{port}") < 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        heard = {zgossip.recv(base, 5000).key for _ in names}
        assert heard == set(names)
        zgossip.publish(base, "news", "2")
        for node in nodes:
            pair = zgossip.recv(node, 5000)
            while pair != ("news", "2"):
                assert pair
                pair = zgossip.recv(node, 5000)
    """)


@pytest.mark.parametrize("transport", ["ipc", "abstract", "tcp over IPv6", "IPv4 over IPv6"])
def test_other_transports(transport: str, tmp_path: Path) -> None:
    """Nodes meet, and meet again after a restart, over ipc and IPv6 as well."""
    folder = f"ipc://{tmp_path}/node" if len(os.fsencode(tmp_path)) < 90 else "ipc://node"
    here, there = {
        "ipc": (folder, folder),
        "abstract": (f"ipc://@pyczmq.{os.getpid()}",) * 2,
        "tcp over IPv6": ("tcp://[::1]:0", "tcp://[::1]:%d"),
        "IPv4 over IPv6": ("tcp://127.0.0.1:0", "tcp://localhost:%d"),
    }[transport]
    done = children.run(
        """
        import sys, time
        from pyczmq import zactor, zgossip, zsys
        here, there, ipv6 = sys.argv[1:]
        zsys.set_ipv6(ipv6 == "True")
        base, node = zactor.new(zgossip.actor, "base"), zactor.new(zgossip.actor, "node")
        port = zgossip.bind(base, here)
        if port < 0:
            sys.exit("no such transport here")
        zgossip.connect(node, there % port if "%" in there else there)
        zgossip.publish(node, "key", "value")
        assert zgossip.recv(base, 5000) == ("key", "value")
        zactor.destroy(base)
        base = zactor.new(zgossip.actor, "again")
        deadline = time.monotonic() + 5
        while zgossip.bind(base, f"{here[:-2]}:{port}" if port else here) < 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert zgossip.recv(base, 5000) == ("key", "value")
        """,
        here,
        there,
        str("IPv6" in transport),
    )
    if "no such transport" in done.errors:
        pytest.skip(done.errors)
    assert (done.status, done.errors) == (0, ""), done


CONVERGE = """
import sys
from pyczmq import zactor, zgossip
name, own, *peers = sys.argv[1:]
nodes = [zactor.new(zgossip.actor, f"{name}-{number}") for number in range(2)]
assert zgossip.bind(nodes[0], f"tcp://{own}:5670") == 5670
zgossip.connect(nodes[1], f"tcp://{own}:5670")
for peer in peers:
    zgossip.connect(nodes[0], f"tcp://{peer}:5670")
for node, text in zip(nodes, ("first", "second")):
    zgossip.publish(node, f"{name}/{text}", own)
wanted = {f"{host}/{text}" for host in ("left", "right") for text in ("first", "second")}
for node in nodes:
    heard = {}
    while set(heard) != wanted:
        pair = zgossip.recv(node, 20000)
        assert pair, heard
        heard[pair.key] = pair.value
    print(sorted(heard.items()), flush=True)
# The other host must have heard all, too, before this one may go.
for node in nodes:
    zgossip.publish(node, f"{name}/done", "yes")
done = set()
while done != {"left/done", "right/done"}:
    pair = zgossip.recv(nodes[0], 20000)
    assert pair, done
    done |= {pair.key} & {"left/done", "right/done"}
zgossip.recv(nodes[0], 300)
print(zgossip.status(nodes[0]))
"""


def test_two_hosts_converge(hosts: tuple[netns.Host, netns.Host]) -> None:
    """Four nodes on two hosts, only one connection between the hosts, come to have the same pairs."""
    left, right = hosts
    programs = [
        right.popen(CONVERGE, "right", right.address, left.address),
        left.popen(CONVERGE, "left", left.address),
    ]
    outputs = [program.communicate(timeout=40) for program in programs]
    assert [program.returncode for program in programs] == [0, 0], outputs
    pairs = {f"{name}/{text}": host.address for name, host in (("left", left), ("right", right)) for text in TEXTS}
    for output, errors in outputs:
        assert errors == ""
        assert output.splitlines() == [str(sorted(pairs.items()))] * 2 + ["6"]


TEXTS = "first", "second"


def test_nobody_reads() -> None:
    """Thousands of pairs that nobody takes stop neither a node nor whoever publishes, and are all there later."""
    base, endpoint = bound()
    node = connected(endpoint)
    count = 2300
    for number in range(count):
        zgossip.publish(node, str(number), "x")
    assert zgossip.status(node) == count
    pairs = [zgossip.recv(node, 0) for _ in range(count)]
    assert [pair.key for pair in pairs if pair] == list(map(str, range(count)))
    assert len(hear(base, count)) == count


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("", ""),
        ("key", ""),
        ("k" * 255, "v"),
        ("\u20ac" * 85, "\u20ac" * 1000),
        ("\udcff\udc80", "\udcff\u20ac\udc00"[:2]),
        ("%s%n", "%s%n"),
        (" ", "\r\n\t"),
        ("key", "x" * 2**20),
    ],
    ids=["empty", "empty value", "longest key", "UTF-8", "not UTF-8", "format", "blanks", "1 MiB"],
)
def test_text(key: str, value: str) -> None:
    """Keys and values go through the network as they are, as str and as bytes."""
    base, endpoint = bound()
    node = connected(endpoint)
    zgossip.publish(node, key, value.encode("utf-8", "surrogateescape"))
    assert zgossip.recv(base, PATIENCE) == (key, value)
    assert zgossip.recv(node, PATIENCE) == zgossip.Delivery(key, value)


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("k" * 256, "v", "key must be at most 255 bytes long, not 256"),
        ("\u20ac" * 86, "v", "key must be at most 255 bytes long, not 258"),
        ("a\0b", "v", "key must not contain a NUL byte"),
        ("k", b"a\0b", "value must not contain a NUL byte"),
    ],
)
def test_text_that_does_not_fit(key: str, value: Any, error: str) -> None:
    """What C would cut is refused."""
    node = new()
    with pytest.raises(ValueError, match=error):
        zgossip.publish(node, key, value)
    assert zgossip.status(node) == 0
    for bad in (None, 1, ["x"]):
        with pytest.raises(TypeError, match="key"):
            zgossip.publish(node, bad, "v")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="value"):
            zgossip.publish(node, "k", bad)  # type: ignore[arg-type]


# ---------------------------------------------------------------- endpoints


def test_bind_and_port() -> None:
    """bind returns the port, 0 where there is none, and -1 where libzmq refuses; port tells the last one again."""
    node = new()
    assert zgossip.port(node) == 0
    port = zgossip.bind(node, "tcp://127.0.0.1:*")
    assert 49152 <= port <= 65535
    assert zgossip.port(node) == port
    assert zgossip.bind(node, "tcp://127.0.0.1:![60000-60100]") in range(60000, 60101)
    assert zgossip.bind(node, "inproc://zgossip.bind") == 0
    other = new()
    for bad in f"tcp://127.0.0.1:{port}", "nonsense", "", "tcp://", "udp://127.0.0.1:5":
        assert zgossip.bind(other, bad) == zgossip.port(other) == -1
    for bad in (
        "tcp://127.0.0.1:*[60010-60000]",
        "tcp://127.0.0.1:*[70000-]",
        "tcp://127.0.0.1:*[1",
        "tcp://127.0.0.1:70000",
        "x" * 256,
    ):
        with pytest.raises(ValueError, match="endpoint"):
            zgossip.bind(other, bad)
    with pytest.raises(ValueError, match="endpoint must not contain a NUL byte"):
        zgossip.bind(other, "inproc://a\0b")
    with pytest.raises(TypeError, match="endpoint"):
        zgossip.bind(other, 5670)  # type: ignore[arg-type]
    assert zgossip.bind(other, LOCAL) > 0


@pytest.mark.parametrize(
    "endpoint",
    [
        *("", "nonsense", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:", "tcp://127.0.0.1:0", "tcp://:5670"),
        *("tcp://127.0.0.1:65536", "tcp://127.0.0.1:*", "tcp://127.0.0.1:-1", "tcp://eth0;127.0.0.1:5670"),
        *("inproc://", "ipc://", "ipc://*", "ipc://@", "ipc://" + "x" * 108, "inproc://" + "x" * 255),
        *("udp://127.0.0.1:5670", "ws://127.0.0.1:5670", "norm://127.0.0.1:5670", "tcp://a\nb:5670"),
        *("tcp://\udcff:5670", "tcp://a..b:5670", "tcp://" + "a" * 100 + ".b:5670"),
    ],
)
def test_endpoints_that_are_none(endpoint: str) -> None:
    """connect refuses what libzmq would refuse, or what C might abort over."""
    node = new()
    with pytest.raises((ValueError, OSError)):
        zgossip.connect(node, endpoint)
    assert zgossip.status(node) == 0


def test_more_of_connect() -> None:
    """A NUL byte and other types are refused; a name that nobody knows is an OSError; nobody needs to be there."""
    node = new()
    with pytest.raises(ValueError, match="NUL"):
        zgossip.connect(node, "tcp://127.0.0.1:5670\0")
    for bad in (None, 5670, ["x"]):
        with pytest.raises(TypeError, match="endpoint"):
            zgossip.connect(node, bad)  # type: ignore[arg-type]
    with pytest.raises(OSError):
        zgossip.connect(node, "tcp://nobody.invalid:5670")
    zgossip.connect(node, "tcp://127.0.0.1:1")
    zgossip.connect(node, "inproc://zgossip.nobody")
    zgossip.publish(node, "key", "value")
    assert zgossip.recv(node, PATIENCE) == ("key", "value")


def test_connecting_twice_is_connecting_once() -> None:
    """C would lose the first socket over it if it were not connected just then."""
    children.check("""
        from pyczmq import zactor, zgossip
        node = zactor.new(zgossip.actor, "node")
        for _ in range(30):
            zgossip.connect(node, "tcp://127.0.0.1:1")
            zgossip.connect(node, b"tcp://localhost:1")
        base = zactor.new(zgossip.actor, "base")
        port = zgossip.bind(base, "tcp://127.0.0.1:0")
        for _ in range(3):
            zgossip.connect(node, f"tcp://127.0.0.1:{port}")
        zgossip.publish(node, "key", "value")
        assert zgossip.recv(base, 5000) == ("key", "value")
    """)


def test_no_room() -> None:
    """Where no more sockets can be had, connecting is an OSError, and no abort."""
    children.check("""
        from pyczmq import zactor, zgossip, zsys
        zsys.set_max_sockets(100)
        node = zactor.new(zgossip.actor, "node")
        made = 0
        try:
            for number in range(1, 100):
                zgossip.connect(node, f"tcp://127.0.0.1:{number}")
                made += 1
        except OSError:
            pass
        assert 10 <= made < 30, made
        zgossip.publish(node, "key", "value")
        assert zgossip.recv(node, 5000) == ("key", "value")
    """)


# ---------------------------------------------------------------- reports


def test_reports_and_answers() -> None:
    """What comes while an answer is waited for is kept, and received first, in its order."""
    node = new()
    for key in "abc":
        zgossip.publish(node, key, "1")
    assert zgossip.status(node) == 3
    zgossip.publish(node, "d", "1")
    assert zgossip.port(node) == 0
    pairs = [zgossip.recv(node, 0) for _ in range(5)]
    assert pairs == [*((key, "1") for key in "abcd"), None]


def test_poller() -> None:
    """A node can be polled among other readers."""
    node, other = new(), new()
    poller = zpoller.new(other, node)
    assert zpoller.wait(poller, 0) is None
    zgossip.publish(node, "key", "value")
    assert zpoller.wait(poller, PATIENCE) is node
    assert zgossip.recv(node) == ("key", "value")
    assert zpoller.wait(poller, 0) is None


def test_timeouts() -> None:
    """recv waits for its timeout, or for the actor's RCVTIMEO where it has none."""
    node = new()
    zsocket.set_rcvtimeo(node, 50)
    for arguments in ((), (None,), (50,)):
        start = time.monotonic()
        assert zgossip.recv(node, *arguments) is None
        assert 0.04 < time.monotonic() - start < 2
    for bad in 2**31, -(2**70):
        with pytest.raises(ValueError, match="timeout"):
            zgossip.recv(node, bad)
    with pytest.raises(TypeError, match="timeout"):
        zgossip.recv(node, "1")  # type: ignore[arg-type]


def test_ctrl_c() -> None:
    """Ctrl-C ends a wait for a pair within 200 ms."""
    children.check("""
        import os, signal, threading, time
        from pyczmq import zactor, zgossip
        node = zactor.new(zgossip.actor, "node")
        for timeout in None, -1, 60000:
            sent = []
            def interrupt():
                sent.append(time.monotonic())
                os.kill(os.getpid(), signal.SIGINT)
            threading.Timer(0.2, interrupt).start()
            try:
                zgossip.recv(node, timeout)
            except KeyboardInterrupt:
                assert time.monotonic() - sent[0] < 0.2
            else:
                raise AssertionError("not interrupted")
    """)


def test_handlers_that_raise() -> None:
    """However a call is interrupted, a command is given whole or not at all, and an answer is that to its question."""
    done = children.run("""
        import signal
        from pyczmq import zactor, zgossip
        node = zactor.new(zgossip.actor, "node")

        class Caught(Exception):
            pass

        def raise_now(*_):
            raise Caught

        signal.signal(signal.SIGALRM, raise_now)
        caught = 0
        for number in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.00005 + number % 30 / 100000)
                zgossip.publish(node, str(number), "x")
                zgossip.status(node)
                for _ in range(50):
                    zgossip.port(node)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Caught:
                caught += 1
        assert caught > 100, caught
        status = zgossip.status(node)
        assert zgossip.port(node) == 0
        assert 0 < status <= 300
        zgossip.publish(node, "last", "x")
        assert zgossip.status(node) == status + 1
        keys = [pair.key for pair in iter(lambda: zgossip.recv(node, 0), None)]
        assert keys[-1] == "last" and status - 10 < len(keys) <= status + 1, (len(keys), status)
    """)
    # Python may say that it had to ignore an exception in a destructor.
    assert done.status == 0, done


def test_garbage_from_a_peer() -> None:
    """A node that receives what is no gossip ends, by C's design: each call says so, and nothing hangs."""
    output = children.check("""
        from pyczmq import zactor, zgossip, zmq, zsock, zsocket, zstr
        calls = {
            "bind": lambda node: zgossip.bind(node, "tcp://127.0.0.1:0"), "port": zgossip.port,
            "status": zgossip.status, "recv": zgossip.recv, "recv soon": lambda node: zgossip.recv(node, 5000),
            "publish": lambda node: [zgossip.publish(node, "key", str(i)) for i in range(100000)],
            "verbose": lambda node: [zgossip.verbose(node) for _ in range(100000)],
        }
        for name, call in calls.items():
            node = zactor.new(zgossip.actor, name)
            port = zgossip.bind(node, "tcp://127.0.0.1:0")
            zgossip.publish(node, "before", "1")
            client = zsock.new(zmq.DEALER)
            zsocket.connect(client, f"tcp://127.0.0.1:{port}")
            zstr.send(client, "garbage")
            if name.startswith("recv"):
                assert zgossip.recv(node) == ("before", "1")
            for _ in range(2):
                try:
                    while True:
                        call(node)
                except RuntimeError as error:
                    assert "actor has ended by itself" in str(error)
            zactor.destroy(node)
    """)
    assert output.count("invalid signature") == 7


def test_garbage_from_a_server() -> None:
    """The same holds for what a node hears from the one that it has connected to."""
    children.check("""
        from pyczmq import zactor, zgossip, zmq, zsock, zsocket, zstr
        server = zsock.new(zmq.ROUTER)
        port = zsocket.bind(server, "tcp://127.0.0.1:0")
        node = zactor.new(zgossip.actor, "node")
        zgossip.connect(node, f"tcp://127.0.0.1:{port}")
        client = zstr.recvx(server)[0]
        zstr.sendx(server, client, "garbage")
        try:
            zgossip.recv(node)
        except RuntimeError as error:
            assert "actor has ended by itself" in str(error)
        else:
            raise AssertionError
    """)


def test_actor_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that wait for an answer do not do so for ever; the answer that comes later is not taken for another's."""
    from pyczmq import _dialogue

    def late(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        first = zstr.recv(pipe)
        zsocket.poll(pipe, PATIENCE)
        for word in first, zstr.recv(pipe):
            zstr.sendx(pipe, "ANSWER", str(word))
        zstr.recv(pipe)

    monkeypatch.setattr(_dialogue, "PATIENCE", 100)
    actor = zactor.new(late)
    talk = _dialogue.dialogue(actor, frozenset([b"ANSWER"]))
    with pytest.raises(TimeoutError, match=r"has not answered for 0\.1 seconds"):
        _dialogue.ask(actor, talk, b"first")
    monkeypatch.setattr(_dialogue, "PATIENCE", PATIENCE)
    assert _dialogue.ask(actor, talk, b"second") == [b"ANSWER", b"second"]
    zactor.destroy(actor)


HEADER = b"\xaa\xa0"
MALFORMED = {
    "empty": b"",
    "half a header": b"\xaa",
    "no such message": HEADER + b"\x63\1",
    "another version": HEADER + b"\1\2",
    "key too long": HEADER + b"\2\1\xffkey",
    "value too long": HEADER + b"\2\1\3key\xff\xff\xff\xffvalue",
    "no value": HEADER + b"\2\1\3key",
    "no time to live": HEADER + b"\2\1\3key\0\0\0\1v",
}
UNEXPECTED = {
    "publish before hello": [HEADER + b"\2\1\3key\0\0\0\1v\0\0\0\0"],
    "hello twice": [HEADER + b"\1\1"] * 2,
    "pong": [HEADER + b"\1\1", HEADER + b"\4\1"],
    "invalid": [HEADER + b"\5\1"],
    "NUL bytes": [HEADER + b"\1\1", HEADER + b"\2\1\3\0ab\0\0\0\3\0cd\0\0\0\0"],
    "garbage behind": [HEADER + b"\1\1" + b"x" * 1000],
}


def test_hostile_messages() -> None:
    """Nothing that a peer sends aborts the process; well-formed messages in the wrong order do no harm at all."""
    cases = [(name, [message], True) for name, message in MALFORMED.items()]
    cases += [(name, messages, False) for name, messages in UNEXPECTED.items()]
    children.check(f"CASES = {cases!r}\n" + HOSTILE)


HOSTILE = """
from pyczmq import zactor, zgossip, zmq, zsock, zsocket
for name, messages, ends in CASES:
    node = zactor.new(zgossip.actor, name)
    port = zgossip.bind(node, "tcp://127.0.0.1:0")
    client = zsock.new(zmq.DEALER)
    zsocket.connect(client, f"tcp://127.0.0.1:{port}")
    for message in [*messages, bytes.fromhex("aaa00301")]:
        zsocket.sendmem(client, message)
    if ends:
        try:
            zgossip.recv(node)
        except RuntimeError:
            pass
        else:
            raise AssertionError(name)
    else:
        assert zsocket.poll(client, 5000), name
        assert zgossip.status(node) in (0, 1), name
"""


# ---------------------------------------------------------------- configuration


def test_set_and_save(tmp_path: Path) -> None:
    """What was set is saved, in ZPL, and can be loaded again."""
    node, file = new(), tmp_path / "gossip.cfg"
    zgossip.set(node, "/server/timeout", "2500")
    zgossip.set(node, b"my/own/value", "50%s%n")
    zgossip.save(node, file)
    text = file.read_text()
    assert 'timeout = "2500"' in text
    assert 'value = "50%s%n"' in text
    zgossip.load(new(), str(file))
    zgossip.save(node, os.fsencode(file))
    assert file.read_text() == text


def test_load(tmp_path: Path) -> None:
    """A configuration binds the node, and is read again when it changes."""
    socket, file = f"ipc://@pyczmq.gossip.{os.getpid()}", tmp_path / "gossip.cfg"
    file.write_text(f"server\n    background = 1\nzgossip\n    bind\n        endpoint = {socket}\n")
    node = new()
    zgossip.load(node, file)
    other = connected(socket)
    zgossip.publish(other, "key", "value")
    assert zgossip.recv(node, PATIENCE) == ("key", "value")


@pytest.mark.parametrize(
    "text",
    [
        "no = 'end",
        "  bad\n",
        "a\n        too deep",
        "x\0y = 1",
        "a\n" * 1001,
        "a = " + "x" * 2**20,
        "server\n    timeout = -1\n",
        "server\n    timeout = soon\n",
        "server\n    timeout = 99999999999\n",
        "zgossip\n    bind\n        endpoint = tcp://127.0.0.1:*[9-1]\n",
        "zgossip\n    bind\n        endpoint = " + "x" * 300,
        pytest.param("zgossip\n    security\n        mechanism = curve\n", marks=with_drafts),
        pytest.param("zgossip\n    security\n        mechanism = curve\n        secret-key = no\n", marks=with_drafts),
    ],
)
def test_configurations_that_are_none(text: str, tmp_path: Path) -> None:
    """A file that C would not load, hang or abort over is a ValueError; the node goes on with what it has."""
    node, file = new(), tmp_path / "gossip.cfg"
    zgossip.set(node, "my/value", "1")
    file.write_text(text)
    with pytest.raises(ValueError, match=r"filename|endpoint|server/timeout"):
        zgossip.load(node, file)
    zgossip.save(node, file)
    assert 'value = "1"' in file.read_text()


def test_empty_configuration(tmp_path: Path) -> None:
    """A file with nothing in it is a configuration, too."""
    file = tmp_path / "empty"
    file.write_text("")
    node = new()
    zgossip.load(node, file)
    assert zgossip.status(node) == 0


def test_files_that_are_none(tmp_path: Path) -> None:
    """A file that is not there is a FileNotFoundError; a folder or a pipe is refused, where C might wait for ever."""
    node, pipe = new(), tmp_path / "pipe"
    with pytest.raises(FileNotFoundError):
        zgossip.load(node, tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        zgossip.save(node, tmp_path / "no folder" / "file")
    os.mkfifo(pipe)
    for function in zgossip.load, zgossip.save:
        for bad in tmp_path, pipe:
            with pytest.raises(ValueError, match="is not a file"):
                function(node, bad)
        with pytest.raises(ValueError, match="NUL"):
            function(node, "a\0b")
        for worse in (None, 1):
            with pytest.raises(TypeError, match="filename"):
                function(node, worse)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["", "/", "//", "a//b", "a/", "a b", "\u20ac", "x" * 256, "server/timeout/x", "a\nb"])
def test_paths_that_are_none(path: str) -> None:
    """A path that C would crash over, or that could not be saved, is a ValueError."""
    with pytest.raises(ValueError, match="path must"):
        zgossip.set(new(), path, "1")


def test_values_that_are_none() -> None:
    """The same holds for values; a timeout is a number of milliseconds."""
    node = new()
    for bad in 'a"b', "a\nb", "a\0b":
        with pytest.raises(ValueError, match="value must not contain"):
            zgossip.set(node, "my/value", bad)
    for bad in "", "-1", "soon", str(2**31), "1.5":
        with pytest.raises(ValueError, match="server/timeout must be a number"):
            zgossip.set(node, "server/timeout", bad)
    for path, value in (None, "1"), ("a", None), (1, "1"), ("a", 1):
        with pytest.raises(TypeError, match="must be str or bytes"):
            zgossip.set(node, path, value)  # type: ignore[arg-type]
    for name in "server/verbose", "server/background", "server/animate":
        zgossip.set(node, name, "")
    assert zgossip.status(node) == 0


def test_verbose() -> None:
    """A verbose node writes what it does to CZMQ's log, under its name, which is never a format."""
    output = children.check("""
        from pyczmq import zactor, zgossip
        node = zactor.new(zgossip.actor, "%s%n%s the node")
        zgossip.verbose(node)
        zgossip.publish(node, "key", "value")
        zgossip.status(node)
    """)
    assert "%s%n%s the node:     API command=PUBLISH" in output


# ---------------------------------------------------------------- certificates and other drafts


@without_drafts
def test_what_needs_drafts() -> None:
    """Without drafts C would ignore these commands: here they are a NotImplementedError."""
    node, cert = new(), zcert.new()
    key = zcert.public_txt(cert)
    for function, arguments in (
        (zgossip.set_publickey, (key,)),
        (zgossip.set_secretkey, (key,)),
        (zgossip.set_certificate, (cert,)),
        (zgossip.zap_domain, ("global",)),
        (zgossip.unpublish, ("key",)),
        (zgossip.connect, ("tcp://127.0.0.1:1", key)),
    ):
        with pytest.raises(NotImplementedError, match="built without drafts"):
            function(node, *arguments)


def test_keys_that_are_none() -> None:
    """What is no key, no certificate, or too long for a domain, is refused before anything else."""
    node = new()
    for function in zgossip.set_publickey, zgossip.set_secretkey:
        for bad in "", "x" * 40 + "x", "~" * 40, "x" * 39:
            with pytest.raises(ValueError, match="key must be a key of 40 characters"):
                function(node, bad)
        with pytest.raises(TypeError, match="key"):
            function(node, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="cert"):
        zgossip.set_certificate(node, "cert")  # type: ignore[arg-type]
    gone = zcert.new()
    zcert.destroy(gone)
    with pytest.raises(ValueError, match="cert was destroyed"):
        zgossip.set_certificate(node, gone)
    with pytest.raises(ValueError, match="domain must be at most 255"):
        zgossip.zap_domain(node, "x" * 256)
    with pytest.raises(ValueError, match="key must be at most 255"):
        zgossip.unpublish(node, "x" * 256)


@with_drafts
def test_certificates() -> None:
    """Nodes with certificates meet over CURVE; one that does not know the key stays outside."""
    server, client, cert = new("server"), new("client"), zcert.new()
    zgossip.set_certificate(server, cert)
    zgossip.zap_domain(server, "TEST")
    endpoint = f"tcp://127.0.0.1:{zgossip.bind(server, LOCAL)}"
    zgossip.set_certificate(client, zcert.new())
    zgossip.connect(client, endpoint, zcert.public_txt(cert))
    zgossip.publish(client, "key", "value")
    assert zgossip.recv(server, PATIENCE) == ("key", "value")
    wrong = new("wrong")
    zgossip.set_certificate(wrong, zcert.new())
    zgossip.connect(wrong, endpoint, zcert.public_txt(zcert.new()))
    zgossip.publish(wrong, "outside", "1")
    assert zgossip.recv(wrong, PATIENCE) == ("outside", "1")
    assert zgossip.recv(wrong, QUIET) is None
    assert zgossip.recv(server, QUIET) is None


@with_drafts
def test_half_of_a_certificate() -> None:
    """With half of its keys a node would abort: it is refused to bind or to connect with a key."""
    node, cert = new(), zcert.new()
    with pytest.raises(ValueError, match="no keys of its own"):
        zgossip.connect(node, "tcp://127.0.0.1:1", zcert.public_txt(cert))
    zgossip.set_secretkey(node, zcert.secret_txt(cert))
    with pytest.raises(ValueError, match="no public key"):
        zgossip.bind(node, LOCAL)
    with pytest.raises(ValueError, match="no keys of its own"):
        zgossip.connect(node, "tcp://127.0.0.1:1", zcert.public_txt(cert))
    zgossip.set_publickey(node, zcert.public_txt(cert))
    assert zgossip.bind(node, LOCAL) > 0


@with_drafts
def test_unpublish() -> None:
    """A pair can be forgotten, by one node."""
    node = new()
    for key in "ab":
        zgossip.publish(node, key, "1")
    zgossip.unpublish(node, "a")
    zgossip.unpublish(node, "nothing")
    assert zgossip.status(node) == 1


# ---------------------------------------------------------------- lifetimes and misuse


LIFETIMES = {
    "all forgotten": "",
    "destroyed": "[zactor.destroy(node) for node in nodes]",
    "destroyed from the last": "[zactor.destroy(node) for node in reversed(nodes)]",
    "collected": "nodes.clear(); collect()",
    "collected in a cycle": "nodes.append(nodes); del nodes; collect()",
    "forked": "child = os.fork(); child or (refused(), collect(), sys.exit()); assert os.waitpid(child, 0)[1] == 0",
}


@pytest.mark.parametrize("what", LIFETIMES)
def test_lifetimes(what: str) -> None:
    """Nodes end in any order, in the middle of gossip, and nothing hangs, crashes or is left behind."""
    done = children.run(
        """
        import gc, os, sys
        from pyczmq import zactor, zgossip
        nodes = [zactor.new(zgossip.actor, "node") for _ in range(4)]
        ports = [zgossip.bind(node, "tcp://127.0.0.1:0") for node in nodes]
        for node in nodes:
            for port in ports:
                zgossip.connect(node, f"tcp://127.0.0.1:{port}")
            for number in range(50):
                zgossip.publish(node, str(number), str(port))
        assert zgossip.recv(node, 5000)
        del node

        def collect():
            for _ in range(4): gc.collect()

        def refused():
            for node in nodes:
                try:
                    zgossip.publish(node, "key", "value")
                except ValueError as error:
                    assert "belongs to the parent" in str(error)
                else:
                    raise AssertionError
            mine = zactor.new(zgossip.actor, "mine")
            zgossip.connect(mine, f"tcp://127.0.0.1:{ports[0]}")
            assert zgossip.recv(mine, 5000)
        """
        + f"\n        {LIFETIMES[what]}\n"
    )
    assert (done.status, done.errors, done.output) == (0, "", ""), done
    assert done.seconds < 15


def test_name_lives_as_long_as_the_node() -> None:
    """C reads the node's name as long as it runs."""
    name = "name" * 100
    node = new(name)
    del name
    collect()
    zgossip.publish(node, "key", "value")
    assert zgossip.status(node) == 1


CALLS: dict[str, Callable[[Any], Any]] = {
    "bind": lambda node: zgossip.bind(node, LOCAL),
    "port": zgossip.port,
    "load": lambda node: zgossip.load(node, "file"),
    "set": lambda node: zgossip.set(node, "a", "b"),
    "save": lambda node: zgossip.save(node, "file"),
    "connect": lambda node: zgossip.connect(node, "inproc://a"),
    "publish": lambda node: zgossip.publish(node, "a", "b"),
    "status": zgossip.status,
    "verbose": zgossip.verbose,
    "recv": lambda node: zgossip.recv(node, 0),
    "set_publickey": lambda node: zgossip.set_publickey(node, "x" * 40),
    "set_secretkey": lambda node: zgossip.set_secretkey(node, "x" * 40),
    "set_certificate": lambda node: zgossip.set_certificate(node, zcert.new()),
    "zap_domain": lambda node: zgossip.zap_domain(node, "global"),
    "unpublish": lambda node: zgossip.unpublish(node, "a"),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_is_no_node(call: str) -> None:
    """Each function refuses other things, other actors, NULL, and what was destroyed."""
    function = CALLS[call]
    for thing in (None, 1, "node", b"", object(), zsock.new(0)):
        with pytest.raises(TypeError, match="actor must be"):
            function(thing)
    with pytest.raises(TypeError, match="another kind of actor"):
        function(zactor.new(C.zproxy))
    with pytest.raises(ValueError, match="actor is NULL"):
        function(ffi.cast("zactor_t *", 0))
    node = new()
    zactor.destroy(node)
    with pytest.raises(ValueError, match="actor was destroyed"):
        function(node)


def test_the_raw_commands() -> None:
    """A node of the raw floor, and commands as strings, mix with the functions here."""
    raw = C.zactor_new(C.zgossip, ffi.NULL)
    zgossip.publish(raw, "a", "1")
    zstr.sendx(raw, "PUBLISH", "b", "2")
    assert zstr.recvx(raw) == ["DELIVER", "a", "1"]
    assert zgossip.recv(raw, PATIENCE) == ("b", "2")
    zstr.send(raw, "STATUS")
    assert zstr.recvx(raw) == ["STATUS", "2"]
    C.zactor_destroy(ffi.new("zactor_t **", raw))


def test_alias_and_actor() -> None:
    """`actor` is C's function, and what C does not have is an AttributeError."""
    assert zgossip.actor == C.zgossip
    with pytest.raises(AttributeError, match="nonsense"):
        getattr(zgossip, "nonsense")  # noqa: B009


def test_czmqs_own_test() -> None:
    """CZMQ's self-test of its actor passes."""
    zgossip.test()
