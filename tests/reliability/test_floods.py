"""Garbage: bytes that are no ZMTP, messages that no program expects, connections by the hundred, strange datagrams.

Servers run in child processes: what they bind is flooded, and whoever behaves is served all the same, before, meanwhile
and after.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import children
import garbage
import netns
import pytest

from pyczmq import Again, Cert, Socket, ZMQError, zmq

Amount = Callable[[Any, Any], Any]
Figure = Callable[[str], None]

#: Milliseconds within which whoever behaves is served, on a busy machine.
PATIENCE = 20_000

#: Binds a socket of each type, with each kind of security, and serves them all from one thread. What it has to say goes
#: to the PUSH socket: endpoints, and what PULL and SUB sockets have received. It ends well once its input has ended.
SERVER = """
import sys
from pyczmq import Auth, Cert, Poller, Socket, ZMQError, zmq

report = Socket(zmq.PUSH, connect=sys.argv[1])
limits = dict(handshake_ivl=int(sys.argv[2]), sndtimeo=0)
auth, cert = Auth(), Cert()
auth.plain({"good": "secret"})
auth.curve()
report.send_parts(["key", cert.public_key])
sockets = {}
for security in sys.argv[3].split():
    for kind in sys.argv[4].split():
        if kind == "STREAM" and security != "null":
            continue
        found = Socket(getattr(zmq, kind), **limits)
        found.zap_domain = "global"
        if security == "plain":
            found.plain_server = 1
        elif security == "curve":
            cert.apply(found, server=True)
        if kind == "SUB":
            found.subscribe("")
        if kind == "XPUB":
            found.xpub_verbose = 1
        found.bind("tcp://127.0.0.1:*")
        sockets[found] = kind, f"{security} {kind}"
        report.send_parts(["endpoint", f"{security} {kind}", found.last_endpoint])
report.send_parts(["ready"])
with Poller(*sockets, sys.stdin) as poller:
    while True:
        for source in poller.wait():
            if source is sys.stdin:
                sys.exit()
            kind, name = sockets[source]
            try:
                # A REP that is ready may have got no more than a message without a delimiter, which libzmq drops.
                parts = source.recv_parts(timeout=0)
                if kind == "XPUB":
                    if parts[0][:1] == b"\\1":
                        source.send_parts([parts[0][1:], b"news"])
                elif kind in ("PULL", "SUB"):
                    if parts[0][:4] == b"good":
                        report.send_parts([b"received", name, parts[0]])
                elif kind != "STREAM" or parts[1]:
                    source.send_parts(parts)
            except ZMQError:
                pass  # that, or the peer does not read, or is gone
"""

PEERS = {"ROUTER": zmq.DEALER, "REP": zmq.REQ, "PULL": zmq.PUSH, "XPUB": zmq.SUB, "SUB": zmq.PUB}


class Server:
    """The server, in a process of its own."""

    def __init__(self, security: str, kinds: str, *, handshake: int = 30_000, prefix: str = "") -> None:
        self.reports = Socket(zmq.PULL, bind="tcp://127.0.0.1:*")
        source = textwrap.dedent(prefix) + SERVER
        command = [*children.python(), source, self.reports.last_endpoint, str(handshake), security, kinds]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.endpoints: dict[str, str] = {}
        self.received: set[tuple[str, str]] = set()
        while True:
            try:
                what, *rest = self.hear(PATIENCE)
            except Again:
                self.process.kill()
                raise AssertionError(self.process.communicate()) from None
            if what == "ready":
                break
            if what == "key":
                (self.key,) = rest
            else:
                self.endpoints[rest[0]] = rest[1]

    def hear(self, timeout: int) -> list[str]:
        """Return the next thing that it says."""
        words = [part.decode() for part in self.reports.recv_parts(timeout=timeout)]
        if words[0] == "received":
            self.received.add((words[1], words[2]))
        return words

    def port(self, name: str) -> int:
        """Return the port of one of its sockets."""
        return int(self.endpoints[name].rpartition(":")[2])

    def descriptors(self) -> int:
        """Return how many files and connections it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def close(self) -> None:
        """Have it end, which it must do well."""
        try:
            output, errors = self.process.communicate(timeout=20)
            assert (self.process.returncode, output, errors) == (0, "", "")
        finally:
            self.process.kill()
            self.process.communicate()
            self.reports.close()


class Client:
    """Whoever behaves, and is served by one of the server's sockets."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._name = name
        self._count = 0
        security, self._kind = name.split()
        if self._kind == "STREAM":
            self._stream = socket.create_connection(("127.0.0.1", server.port(name)), PATIENCE / 1000)
            return
        self.socket = Socket(PEERS[self._kind], linger=0)
        if security == "plain":
            self.socket.plain_username, self.socket.plain_password = "good", "secret"
        elif security == "curve":
            Cert().apply(self.socket, server_key=server.key)
        if self._kind == "REP":
            self.socket.req_relaxed, self.socket.req_correlate = 1, 1
        self.socket.connect(server.endpoints[name])

    def check(self) -> None:
        """Be served."""
        self._count += 1
        token = f"good {id(self)} {self._count}"
        try:
            self._check(token)
        except (Again, TimeoutError) as error:
            raise AssertionError(f"{self._name} does not serve any more: {self._server.process.poll()}") from error

    def _check(self, token: str) -> None:
        if self._kind == "STREAM":
            self._stream.sendall(token.encode())
            answer = b""
            while len(answer) < len(token):
                answer += self._stream.recv(1000)
            assert answer == token.encode()
        elif self._kind == "ROUTER":
            self.socket.send_parts(["", token], timeout=PATIENCE)
            assert self.socket.recv_parts(timeout=PATIENCE)[-1] == token.encode()
        elif self._kind == "REP":
            # The reply to the request after one with no delimiter, whose sender is gone, libzmq drops: so ask again.
            deadline = time.monotonic() + PATIENCE / 1000
            heard = ""
            while not heard:
                self.socket.send(token, timeout=PATIENCE)
                if self.socket.poll(300):
                    heard = self.socket.recv(timeout=0)
                elif time.monotonic() > deadline:
                    raise TimeoutError
            assert heard == token
        elif self._kind == "XPUB":
            self.socket.subscribe(token)
            assert self.socket.recv_parts(timeout=PATIENCE) == [token.encode(), b"news"]
        else:
            deadline = time.monotonic() + PATIENCE / 1000
            self.socket.send(token, timeout=PATIENCE)
            while (self._name, token) not in self._server.received:
                if time.monotonic() > deadline:
                    raise TimeoutError
                with contextlib.suppress(Again):
                    self._server.hear(50)
                if self._kind == "SUB":
                    self.socket.send(token)  # it may not have been connected before

    def close(self) -> None:
        """Close the connection."""
        if self._kind == "STREAM":
            self._stream.close()
        else:
            self.socket.close()


@contextlib.contextmanager
def serving(*args: str, **kwargs: Any) -> Iterator[tuple[Server, list[Client]]]:
    """Run a server, with a client that is being served at each of its sockets."""
    server = Server(*args, **kwargs)
    clients: list[Client] = []
    try:
        for name in server.endpoints:
            clients.append(Client(server, name))
            clients[-1].check()
        yield server, clients
        for client in clients:
            client.check()
        for name in server.endpoints:
            clients.append(Client(server, name))
            clients[-1].check()
    except BaseException:
        server.process.kill()
        raise
    finally:
        for client in clients:
            client.close()
        if sys.exc_info()[0] is None:
            server.close()
        else:
            output, errors = server.process.communicate()
            print(server.process.returncode, output, errors)
            server.reports.close()


def until(condition: Callable[[], bool], failure: Callable[[], str]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < deadline, failure()
        time.sleep(0.02)


@pytest.mark.parametrize("security", ["null", "plain", "curve"])
def test_bytes_that_are_no_zmtp_hurt_nobody_else(security: str, amount: Amount, figure: Figure) -> None:
    """Meanwhile clients are served; afterwards no connection is left open."""
    count, rounds = amount((70, 1), (2000, 5))
    sent: Counter[str] = Counter()
    with serving(security, "ROUTER REP PULL XPUB SUB STREAM") as (server, clients):
        before = server.descriptors()

        def attack() -> None:
            for seed in range(rounds):
                for name in server.endpoints:
                    sent.update(garbage.flood("127.0.0.1", server.port(name), count, seed))

        attacker = threading.Thread(target=attack, daemon=True)
        attacker.start()
        served = 0
        while attacker.is_alive():
            for client in clients:
                client.check()
                served += 1
        attacker.join()
        until(
            lambda: server.descriptors() <= before,
            lambda: f"{server.descriptors()} descriptors, {before} of them before",
        )
    assert sum(sent.values()) == count * rounds * len(server.endpoints)
    figure(f"{sum(sent.values())} connections with {len(sent)} kinds of garbage, {served} requests served meanwhile")


def test_connections_that_never_speak_are_closed(amount: Amount, figure: Figure) -> None:
    """Hundreds at a time, each of which is closed after the time that a handshake may take."""
    count = amount(200, 2000)
    with serving("null curve", "ROUTER REP", handshake=300) as (server, clients), contextlib.ExitStack() as stack:
        silent = []
        for number in range(count):
            port = server.port(list(server.endpoints)[number % len(server.endpoints)])
            silent.append(socket.create_connection(("127.0.0.1", port), PATIENCE / 1000))
            stack.callback(silent[-1].close)
        for client in clients:
            client.check()
        for connection in silent:
            with contextlib.suppress(ConnectionResetError):
                while connection.recv(1000):  # the greeting of the server
                    pass
    figure(f"{count} connections that never spoke were closed")


def test_more_connections_than_the_server_may_have(amount: Amount) -> None:
    """Where no descriptor is left, the server goes on with those who are connected, and takes others in later."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (120, 120))\n"
    with serving("null", "ROUTER REP", prefix=limit) as (server, clients):
        before = server.descriptors()
        for _ in range(amount(1, 10)):
            for name in server.endpoints:
                held = []
                for _ in range(150):
                    held.append(socket.socket())
                    held[-1].setblocking(False)
                    held[-1].connect_ex(("127.0.0.1", server.port(name)))
                until(lambda: server.descriptors() >= 119, lambda: f"only {server.descriptors()} descriptors in use")
                for client in clients:
                    client.check()
                for connection in held:
                    connection.close()
                until(lambda: server.descriptors() <= before, lambda: f"{server.descriptors()} descriptors left")


#: For each type of socket the types of peers that may connect to it.
SENDERS = {
    "ROUTER": [zmq.DEALER, zmq.REQ, zmq.ROUTER],
    "REP": [zmq.DEALER, zmq.REQ],
    "PULL": [zmq.PUSH],
    "XPUB": [zmq.XSUB, zmq.SUB],
    "SUB": [zmq.PUB, zmq.XPUB],
}


@pytest.mark.parametrize("security", ["null", "curve"])
def test_messages_that_no_program_expects(security: str, amount: Amount, figure: Figure) -> None:
    """Peers that speak ZMTP well, and are let in, but send nonsense: frames by the thousand, or no delimiter."""
    count = 0
    many = amount(10_000 if security == "null" else 1000, 10_000)
    with serving(security, "ROUTER REP PULL XPUB SUB") as (server, clients):
        for _ in range(amount(1, 20)):
            for (name, endpoint), client in zip(server.endpoints.items(), clients):
                for kind in SENDERS[name.split()[1]]:
                    with Socket(kind, linger=1000, sndtimeo=1000) as sender:
                        if security == "curve":
                            Cert().apply(sender, server_key=server.key)
                        sender.connect(endpoint)
                        for _, message in garbage.messages(many):
                            # A SUB sends nothing, a ROUTER does not know anybody yet, a REQ waits for answers, and
                            # an XSUB would crash over too long a topic, which is refused here.
                            with contextlib.suppress(ZMQError, ValueError):
                                sender.send_parts(message)
                                count += 1
                client.check()
    figure(f"{count} messages")


def test_peers_of_the_wrong_type(amount: Amount) -> None:
    """Each type connects to each other: whom the type does not fit is refused, and disturbs nobody."""
    types = ["REQ", "REP", "DEALER", "ROUTER", "PUSH", "PULL", "PUB", "SUB", "XPUB", "XSUB", "PAIR", "STREAM"]
    with serving("null", "ROUTER REP PULL XPUB SUB STREAM") as (server, clients):
        for _ in range(amount(1, 20)):
            for (_, endpoint), client in zip(server.endpoints.items(), clients):
                with contextlib.ExitStack() as stack:
                    for kind in types:
                        wrong = stack.enter_context(Socket(getattr(zmq, kind), linger=0, sndtimeo=0, connect=endpoint))
                        for _ in range(10):
                            with contextlib.suppress(ZMQError):
                                wrong.send("nonsense")
                    client.check()


#: Subscribes over the wire to a topic that is far too long: libzmq's XPUB bears that, its XSUB does not.
LONG_TOPIC = r"""
import socket, struct, sys, threading
from pyczmq import Again, Proxy, Socket, zmq
sys.path.insert(0, sys.argv[1])
import garbage

def check(name, frontend, backend):
    "Subscribe to too long a topic, and see that the proxy goes on."
    with Socket(zmq.PUB, connect=frontend) as publisher, Socket(zmq.SUB, connect=backend) as subscriber:
        host, _, port = backend[6:].rpartition(":")
        with socket.create_connection((host, int(port)), 20) as attacker:
            attacker.sendall(garbage.handshake(b"SUB"))
            while b"READY" not in attacker.recv(1000):
                pass
            try:
                for start in b"\1", b"\0", b"\1":
                    body = start + b"x" * int(sys.argv[2])
                    attacker.sendall(b"\2" + struct.pack("!Q", len(body)) + body)
                attacker.sendall(b"\0\6\1hello")
            except ConnectionError:
                pass  # it is more than the XPUB's maxmsgsize
            for _ in range(2):
                subscriber.subscribe("hello")
                for _ in range(400):
                    publisher.send("hello")
                    try:
                        assert subscriber.recv(timeout=50) == "hello"
                        break
                    except Again:
                        pass
                else:
                    raise AssertionError(f"{name}: nothing is passed on any more")
    print(name, "goes on")

with Proxy(*(Socket(kind, bind="tcp://127.0.0.1:*") for kind in (zmq.XSUB, zmq.XPUB))) as proxy:
    check("Proxy", proxy.frontend_endpoint, proxy.backend_endpoint)

def run(name, limit, work):
    "Run a proxy on another thread, check it, and end it with its context."
    context = zmq.ctx_new()
    frontend, backend = zmq.socket(context, zmq.XSUB), zmq.socket(context, zmq.XPUB)
    zmq.setsockopt(backend, zmq.MAXMSGSIZE, limit)
    for side in frontend, backend:
        zmq.bind(side, "tcp://127.0.0.1:*")
    endpoints = [zmq.getsockopt(side, zmq.LAST_ENDPOINT) for side in (frontend, backend)]
    thread = threading.Thread(target=work, args=(frontend, backend), daemon=True)
    thread.start()
    check(name, *endpoints)
    zmq.ctx_shutdown(context)
    thread.join(20)
    assert not thread.is_alive()
    for side in frontend, backend:
        zmq.setsockopt(side, zmq.LINGER, 0)
        zmq.close(side)
    zmq.ctx_term(context)

# That is C's proxy where the XPUB has a limit, and Python's where it has none.
run("zmq.proxy", -1, zmq.proxy)
run("zmq.proxy turned round", -1, lambda frontend, backend: zmq.proxy(backend, frontend))
run("zmq.proxy in C", 10_000, zmq.proxy)
run("zmq.proxy_steerable", -1, zmq.proxy_steerable)
"""


def test_no_proxy_crashes_over_a_topic_that_is_far_too_long(amount: Amount) -> None:
    """Not even a proxy of C's, if its XPUB lets in no such message."""
    output = children.check(LONG_TOPIC, str(Path(garbage.__file__).parent), str(amount(300_000, 10**7)), timeout=50)
    names = ["Proxy", "zmq.proxy", "zmq.proxy turned round", "zmq.proxy in C", "zmq.proxy_steerable"]
    assert output.splitlines() == [f"{name} goes on" for name in names]


#: Receives nonsense in every way that a socket has; what does not fit is an error of ours.
EVERY_WAY = """
import sys
from pyczmq import Socket, ZMQError, zmq
sys.path.insert(0, sys.argv[1])
import garbage

pictures = ["s", "i", "1248", "sib", "zz", "f", "m", "sm", "bb", "uu", "p"]
ways = [Socket.recv, Socket.recv_bytes, Socket.recv_parts, Socket.recv_frame, Socket.recv_msg, Socket.recv_json]
ways += [lambda s, p=p, **k: s.recv_picture(p, **k) for p in pictures]
# What is no signal is not what it waits for.
ways.append(lambda s, **k: s.wait(timeout=50))
with Socket(zmq.PULL, bind="tcp://127.0.0.1:*") as pull, Socket(zmq.PUSH, linger=-1) as push:
    push.connect(pull.last_endpoint)
    for way in ways:
        for name, message in garbage.messages(many=int(sys.argv[2])):
            push.send_parts(message)
            try:
                way(pull, timeout=20000)
            except (ValueError, TypeError, ZMQError):
                pass
            # What was left of a message of several frames is dropped, and the next one is what it is.
            push.send("the end")
            while pull.recv_parts(timeout=20000)[-1] != b"the end":
                pass
    print("ended well")
"""


def test_nonsense_is_an_error_of_ours_in_every_way_of_receiving(amount: Amount) -> None:
    where = str(Path(garbage.__file__).parent)
    assert children.check(EVERY_WAY, where, str(amount(500, 10_000)), timeout=amount(40, 1000)) == "ended well\n"


# ---------------------------------------------------------------- CZMQ's actors

#: Three nodes in a row; the middle one is what the flood goes to.
GOSSIP = """
import sys, time
from pyczmq import Gossip, Socket, zmq
sys.path.insert(0, sys.argv[1])
import garbage

def converged(nodes, count, patience=20):
    deadline = time.monotonic() + patience
    while any(node.status() < count for node in nodes):
        assert time.monotonic() < deadline, [node.status() for node in nodes]
        time.sleep(0.01)

left, middle, right = nodes = [Gossip(name) for name in ("left", "middle", "right")]
port = middle.bind("tcp://127.0.0.1:*")
for node in left, right:
    node.connect(f"tcp://127.0.0.1:{port}")
    node.publish(node.name, "here")
converged(nodes, 2)
"""


def test_a_gossip_node_stands_bytes_that_are_no_zmtp(amount: Amount) -> None:
    """What libzmq does not take for messages does not get to CZMQ."""
    program = (
        GOSSIP
        + """
for seed in range(int(sys.argv[2])):
    garbage.flood("127.0.0.1", port, 100, seed, let_in=False)
    left.publish(f"left {seed}", "still here")
    right.publish(f"right {seed}", "still here")
    converged(nodes, 4 + 2 * seed)
for node in nodes:
    node.close()
print("ended well")
"""
    )
    where = str(Path(garbage.__file__).parent)
    assert children.check(program, where, str(amount(2, 100)), timeout=amount(40, 1000)) == "ended well\n"


def test_a_gossip_node_that_ends_over_a_message_says_so_and_can_be_replaced() -> None:
    """A message that is no gossip ends the node it comes to (C's design), and so do bytes that pass for one.

    Each call says so, the others go on, find a node that takes its place, and tell it all that they know.
    """
    program = (
        GOSSIP
        + """
def send_message(message):
    with Socket(zmq.DEALER, connect=f"tcp://127.0.0.1:{port}", linger=1000) as peer:
        peer.send_parts(message)
        return wait_for_end()

def send_bytes(seed):
    try:
        garbage.flood("127.0.0.1", port, 200, seed)
    except ConnectionError:
        pass  # the node has ended: nobody listens any more, or listened for the last time
    return wait_for_end()

def wait_for_end():
    "Tell whether the node ends soon."
    deadline = time.monotonic() + 0.2
    try:
        while time.monotonic() < deadline:
            middle.status()
            time.sleep(0.01)
        return False
    except RuntimeError as error:
        assert "ended by itself" in str(error), error
        return True

attacks = [(send_message, message) for _, message in garbage.messages(many=100)] + [(send_bytes, 1), (send_bytes, 2)]
ends = 0
for attack, what in attacks:
    if not attack(what):
        continue
    try:
        while middle.recv(timeout=1000):
            pass  # what it had to deliver before
    except RuntimeError as error:
        assert "ended by itself" in str(error), error
    ends += 1
    middle.close()
    middle = Gossip("middle")
    deadline = time.monotonic() + 20
    while True:
        try:
            assert middle.bind(f"tcp://127.0.0.1:{port}") == port
            break
        except OSError:  # libzmq closes the port of the one before a moment later
            assert time.monotonic() < deadline
            time.sleep(0.01)
    # What is published while a connection breaks may be lost, so it is published again, with another value.
    for attempt in range(100):
        left.publish(f"left {ends}", f"still here {attempt}")
        right.publish(f"right {ends}", f"still here {attempt}")
        try:
            converged((left, middle, right), 2 + 2 * ends, patience=0.3)
            break
        except AssertionError:
            assert attempt < 99
assert ends > 10, ends
for node in left, middle, right:
    node.close()
print("ended well")
"""
    )
    done = children.run(program, str(Path(garbage.__file__).parent), timeout=50)
    assert done.status == 0, done
    # CZMQ's log, which a node turns to the standard output, says why it has ended.
    assert done.output.endswith("ended well\n") and "zgossip_msg malformed message" in done.output, done


#: Datagrams that are no beacons, among those that are; both floors hear the good one, and all the rest whole or cut.
BEACONS = """
import os, random, socket, sys, time
from pyczmq import Beacon, zbeacon, zstr, zsocket

chance = random.Random(1)
good = Beacon(9999, interval=50)
good.publish("GOOD")
hears_all, hears_good = Beacon(9999), Beacon(9999)
hears_all.subscribe()
hears_good.subscribe("GOOD")
below = zbeacon.new(9999)
zbeacon.subscribe(below, "GOOD")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sizes = [0, 1, 3, 4, 254, 255, 256, 1000, 1472, 1473, 8000, 65507]
    for round in range(int(sys.argv[1])):
        for size in sizes:
            udp.sendto(os.urandom(size), ("10.77.0.255", 9999))
            udp.sendto((b"GOOD" * 20000)[:size], ("10.77.0.255", 9999))
        assert hears_good.recv(timeout=20000).payload.startswith(b"GOOD")
        assert zsocket.poll(zbeacon.socket(below), 20000)
        address, payload = zstr.recvx(zbeacon.socket(below))
        assert address == "10.77.0.1" and payload.startswith("GOOD"), payload
seen = set()
while not {0, 1, 254, 255} <= seen:
    address, payload = hears_all.recv(timeout=20000)
    assert address == "10.77.0.1"
    assert len(payload) <= 255
    seen.add(len(payload))
# And the good one, once what was queued has been heard.
while hears_good.recv(timeout=20000).payload != b"GOOD":
    pass
for beacon in good, hears_all, hears_good:
    beacon.close()
zbeacon.destroy(below)
print("ended well")
"""


@pytest.mark.requires_netns
def test_datagrams_that_are_no_beacons(amount: Amount) -> None:
    """Empty ones, and such of 64 KiB, of which C takes the first 255 bytes, harm neither floor's beacons."""
    done = netns.run(BEACONS, str(amount(5, 500)), timeout=amount(40, 1000))
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended well\n", "")


def test_the_garbage_is_of_many_kinds_and_repeatable() -> None:
    first, second = (list(zip(range(200), garbage.kinds(random.Random(7)))) for _ in range(2))
    assert first == second
    assert len({name for _, (name, _) in first}) > 25
