"""Eight hosts behind a switch: links are cut, workers killed, brokers started anew, ports flooded; the survivors go on.

What is promised differs. PUSH and PULL lose what a killed worker has taken with it, and nothing else. Clients that ask
again, over REQ and REP, get an answer to each request. With the reliable pattern, examples/reliable_service.py, each
request is answered exactly once, too.
"""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import garbage
import netns
import pytest

Amount = Callable[[Any, Any], Any]
Figure = Callable[[str], None]

#: The number of hosts.
HOSTS = 8

#: Seconds within which something must happen on a busy machine.
PATIENCE = 40

RELIABLE = (Path(__file__).resolve().parents[2] / "examples" / "reliable_service.py").read_text()
GARBAGE = Path(garbage.__file__).read_text()


@pytest.fixture(scope="module")
def switch() -> Iterator[netns.Lan]:
    if netns.unswitched():
        pytest.skip(netns.unswitched())
    with netns.switched(HOSTS) as lan:
        yield lan


@pytest.fixture
def lan(switch: netns.Lan) -> Iterator[netns.Lan]:
    """The network, with eight hosts on which nothing runs, and whose links are whole."""
    yield switch
    for host in switch.hosts:
        host.kill()
        host.mend()
        host.plug()
    while len(switch.hosts) > HOSTS:
        switch.remove(switch.hosts[-1])
    while len(switch.hosts) < HOSTS:
        switch.add()


def until(condition: Callable[[], object], failure: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, failure()
        time.sleep(0.02)


# ---------------------------------------------------------------- pipeline

#: Sends numbers until SIGTERM, then as many ends as anybody takes. A task is a kilobyte, so that few fit into the
#: buffers of a connection: those are what a killed worker takes with it.
VENTILATOR = """
import signal, time
from pyczmq import Socket, zmq
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
with Socket(zmq.PUSH, sndhwm=10, sndbuf=8192, bind="tcp://*:5001") as tasks:
    print("ready")
    count = 0
    while not stopped:
        tasks.send(str(count).ljust(1000))
        count += 1
    print("sent", count)
    while True:
        tasks.send("end")
        time.sleep(0.01)
"""

#: Prints each task that it gets. Results are sent in the order of the tasks, and the last is that it is done.
WORKER = """
import sys, time
from pyczmq import Socket, zmq
name, ventilator, sink = sys.argv[1:]
with Socket(zmq.PULL, rcvhwm=10, rcvbuf=8192) as tasks, Socket(zmq.PUSH, connect=f"tcp://{sink}:5002") as results:
    tasks.connect(f"tcp://{ventilator}:5001")
    is_done = False
    while True:
        task = tasks.recv().strip()
        if task != "end":
            print(task)
            time.sleep(0.002)
            results.send_parts(["result", name, task])
        elif not is_done:
            is_done = True
            results.send_parts(["result", name, "done"])
"""

SINK = """
from pyczmq import Socket, zmq
with Socket(zmq.PULL, bind="tcp://*:5002") as results:
    print("ready")
    while True:
        kind, *result = results.recv_parts()
        if kind == b"result":
            print(*map(bytes.decode, result))
"""


class Pipeline:
    """A ventilator and a sink on hosts of their own, and workers on the others."""

    def __init__(self, lan: netns.Lan) -> None:
        self._lan = lan
        self._count = 0
        self.ventilator = lan.hosts[0].start(VENTILATOR)
        self.sink = lan.hosts[1].start(SINK)
        self.ventilator.expect("ready")
        self.sink.expect("ready")
        #: Workers that are alive, with their names, by host; and those that were killed.
        self.workers: dict[netns.Host, tuple[str, netns.Program]] = {}
        self.killed: dict[str, netns.Program] = {}
        for host in lan.hosts[2:]:
            self.start_worker(host)
        for name, _ in self.workers.values():
            self.progress(name)

    def start_worker(self, host: netns.Host) -> None:
        """Start a worker."""
        self._count += 1
        name = f"worker{self._count}"
        program = host.start(WORKER, name, self._lan.hosts[0].address, self._lan.hosts[1].address)
        self.workers[host] = name, program

    def kill_worker(self, host: netns.Host) -> None:
        """Kill the worker of a host, by kill -9."""
        name, program = self.workers.pop(host)
        program.kill()
        self.killed[name] = program

    def results(self) -> list[tuple[str, str]]:
        """Return what has come to the sink: who has done what."""
        return [(name, task) for name, task in map(str.split, self.sink.lines[1:])]

    def progress(self, name: str) -> None:
        """Wait until something new comes from a worker."""
        before = sum(who == name for who, _ in self.results())
        until(
            lambda: sum(who == name for who, _ in self.results()) > before,
            lambda: f"nothing new from {name}: {self.ventilator.errors} {self.sink.errors}",
        )

    def finish(self) -> tuple[int, set[int]]:
        """Stop, and return how many tasks were sent and which have not arrived; the survivors' all have, and once."""
        self.ventilator.kill(signal.SIGTERM)
        sent = int(self.ventilator.expect("sent", PATIENCE).split()[1])
        alive = {name for name, _ in self.workers.values()}
        until(lambda: {name for name, what in self.results() if what == "done"} >= alive, self.results)
        arrived = Counter(int(task) for _, task in self.results() if task != "done")
        assert set(arrived.values()) == {1}
        assert set(arrived) <= set(range(sent))
        got = {int(line) for _, program in self.workers.values() for line in program.lines}
        missing = set(range(sent)) - set(arrived)
        assert not missing & got, "a worker that is alive has lost tasks"
        for _, program in self.workers.values():
            assert (program.status, program.errors) == (None, "")
        return sent, missing


def test_cut_links_lose_nothing_of_a_pipeline(lan: netns.Lan, amount: Amount, figure: Figure) -> None:
    """While a link is cut the other workers go on; then what was on its way to and from the one behind it arrives."""
    seconds, times = amount((0.7, 1), (6, 5))
    pipeline = Pipeline(lan)
    hosts = list(pipeline.workers)
    for number in range(times):
        cut = hosts[number % len(hosts)]
        cut.cut()
        deadline = time.monotonic() + seconds
        for host, (name, _) in pipeline.workers.items():
            if host is not cut:
                pipeline.progress(name)
        until(lambda end=deadline: time.monotonic() > end, lambda: "")  # type: ignore[misc]
        cut.mend()
        pipeline.progress(pipeline.workers[cut][0])
    sent, missing = pipeline.finish()
    assert not missing
    figure(f"a link cut {times} times for {seconds} s, {sent} tasks, all arrived")


def test_a_killed_worker_takes_with_it_what_it_had_and_no_more(lan: netns.Lan, amount: Amount, figure: Figure) -> None:
    """That is bounded by the high-water marks and the connection's buffers. Meanwhile both ports are flooded.

    The ventilator's is not by what completes a handshake: whoever does so as a PULL socket is a worker, and gets tasks.
    """
    kills, connections = amount((3, 300), (20, 20_000))
    pipeline = Pipeline(lan)
    hosts = list(pipeline.workers)
    floods = [
        lan.hosts[7].start(GARBAGE, lan.hosts[number].address, *arguments.split())
        for number, arguments in enumerate((f"5001 {connections} 1 refused", f"5002 {connections} 2"))
    ]
    for number in range(kills):
        host = hosts[number % len(hosts)]
        pipeline.kill_worker(host)
        pipeline.start_worker(host)
        pipeline.progress(pipeline.workers[host][0])
    for flood in floods:
        assert flood.wait(amount(PATIENCE, 1000)) == 0, flood.errors
    for name, _ in pipeline.workers.values():
        pipeline.progress(name)
    sent, missing = pipeline.finish()
    most = max(1, len(missing) / kills)
    assert most <= TAKEN
    figure(f"{kills} workers killed, {len(missing)} of {sent} tasks lost, {most:.0f} a kill")


#: The most tasks that a killed worker takes with it: two high-water marks, two reads of 8 KiB, and the buffers that the
#: kernel makes of 8 KiB for each side, which are a multiple of that; and the results that it could not send yet.
TAKEN = 150


# ---------------------------------------------------------------- request and reply

BROKER = """
from pyczmq import Proxy, Socket, zmq
import signal
frontend = Socket(zmq.ROUTER, bind="tcp://*:5003", linger=0, maxmsgsize=100_000)
backend = Socket(zmq.DEALER, bind="tcp://*:5004", linger=0, heartbeat_ivl=200, heartbeat_timeout=600)
with Proxy(frontend, backend):
    print("ready")
    signal.pause()
"""

REPLIER = """
import sys
from pyczmq import Socket, zmq
with Socket(zmq.REP, connect=f"tcp://{sys.argv[1]}:5004", heartbeat_ivl=200, heartbeat_timeout=600) as requests:
    print("ready")
    while True:
        request = requests.recv_parts()
        requests.send_parts([b"answer to", *request])
"""

#: Asks until SIGTERM, and each request until it is answered.
REQUESTER = """
import signal, sys
from pyczmq import Again, Socket, zmq
name, broker = sys.argv[1:]
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
options = dict(req_relaxed=1, req_correlate=1, linger=0, heartbeat_ivl=200, heartbeat_timeout=600, connect_timeout=500)
with Socket(zmq.REQ, connect=f"tcp://{broker}:5003", **options) as service:
    number = attempts = 0
    while not stopped:
        request = f"{name} {number}"
        while True:
            attempts += 1
            service.send(request)
            try:
                answer = service.recv_parts(timeout=200)
            except Again:
                continue
            assert answer == [b"answer to", request.encode()], answer
            break
        print(number)
        number += 1
    print("asked", number, attempts)
"""


def test_every_request_is_answered_that_is_asked_again(lan: netns.Lan, amount: Amount, figure: Figure) -> None:
    """ROUTER and DEALER between REQ and REP: clients go on after each fault, as none of them alone would."""
    kills, seconds, cuts, restarts = amount((3, 0.7, 1, 1), (20, 5, 5, 5))
    first, *others = lan.hosts
    broker = first.start(BROKER)
    broker.expect("ready")
    workers = {host: host.start(REPLIER, first.address) for host in others[:4]}
    clients = {host: host.start(REQUESTER, host.address, first.address) for host in others[4:]}

    def answers() -> dict[netns.Host, int]:
        return {host: len(client.lines) for host, client in clients.items()}

    def go_on(*but: netns.Host) -> None:
        before = answers()
        until(
            lambda: all(now > before[host] for host, now in answers().items() if host not in but),
            lambda: (answers(), [client.errors for client in clients.values()]),
        )

    go_on()
    flood = lan.hosts[4].start(GARBAGE, first.address, "5003", str(amount(300, 20_000)), "1")
    for number in range(kills):
        host = others[number % 4]
        workers[host].kill()
        workers[host] = host.start(REPLIER, first.address)
        go_on()
    for _ in range(cuts):
        # A worker's link, and a client's.
        for host in others[0], others[4]:
            host.cut()
        deadline = time.monotonic() + seconds
        go_on(others[4])
        until(lambda end=deadline: time.monotonic() > end, lambda: "")  # type: ignore[misc]
        for host in others[0], others[4]:
            host.mend()
        go_on()
    for _ in range(restarts):
        broker.kill()
        broker = first.start(BROKER)
        broker.expect("ready")
        go_on()
    assert flood.wait(amount(PATIENCE, 1000)) == 0, flood.errors
    for client in clients.values():
        client.kill(signal.SIGTERM)
    asked = attempts = 0
    for client in clients.values():
        assert client.wait(PATIENCE) == 0, client.errors
        *numbers, end = client.lines
        assert numbers == [str(number) for number in range(len(numbers))]
        assert int(end.split()[1]) == len(numbers)
        asked += len(numbers)
        attempts += int(end.split()[2])
    assert broker.status is None, broker.errors
    figure(
        f"{kills} workers killed, 2 links cut {cuts} times for {seconds} s, the broker restarted {restarts} times: "
        f"{asked} requests, all answered, in {attempts} attempts"
    )


# ---------------------------------------------------------------- the reliable pattern

#: Speaks ZMTP well, and sends to the port for clients what is no request.
NONSENSE = """
import sys, types
from pyczmq import Socket, ZMQError, zmq
source, endpoint, times = sys.argv[1:]
garbage = types.ModuleType("garbage")
exec(source, garbage.__dict__)
for _ in range(int(times)):
    with Socket(zmq.DEALER, connect=endpoint, linger=500, sndtimeo=500) as sender:
        for _, message in garbage.messages():
            try:
                sender.send_parts(message)
            except ZMQError:
                pass
"""


class Asker:
    """A client that is started again whenever it has all its answers, or was killed: a round has a name of its own."""

    def __init__(self, host: netns.Host, broker: str) -> None:
        self.host = host
        self._broker = broker
        self._round = 0
        #: All requests of rounds that have ended, and their answers; how often each round has asked.
        self.answers: dict[str, int] = {}
        self.attempts = 0
        self.start()

    def start(self) -> None:
        """Begin the round that is to be done, anew if it was begun before."""
        self._name = f"{self.host.address}-{self._round}"
        numbers = [str(number) for number in range(25)]
        self.program = self.host.start(RELIABLE, "ask", self._broker, "--name", self._name, *numbers)

    def look(self) -> bool:
        """Check a round that has ended; tell whether one has."""
        if self.program.status is None:
            return False
        assert (self.program.status, self.program.errors) == (0, ""), (self.program.output, self.program.errors)
        *lines, end = self.program.lines
        # Each is answered, once, and right.
        assert lines == [f"{number} {number**2}" for number in range(25)]
        self.answers.update({f"{self._name}/{number + 1}": number**2 for number in range(25)})
        self.attempts += int(end.split()[3])
        self._round += 1
        return True

    def kill(self) -> None:
        """Kill it, and have it ask for the same again."""
        self.program.kill()
        if self.program.status == 0:
            self.look()
        self.start()


def test_the_reliable_service_answers_each_request_once(
    lan: netns.Lan, tmp_path: Path, amount: Amount, figure: Figure
) -> None:
    """The example, as it stands: links are cut, all kinds of programs killed or stopped, and ports flooded, at once.

    The ledger has each request once, and its total has, too.
    """
    kills, seconds, restarts = amount((3, 1.1, 1), (20, 5, 5))
    chance = random.Random(5)
    ledger = tmp_path / "ledger.db"
    first, *others = lan.hosts
    frontend, backend = (f"tcp://{first.address}:{port}" for port in (5005, 5006))

    def start_broker() -> netns.Program:
        program = first.start(RELIABLE, "broker", frontend, backend, "--ledger", str(ledger))
        program.expect("broker at")
        return program

    broker = start_broker()
    workers = {host: host.start(RELIABLE, "worker", backend, "--effort", "0.01") for host in others[:4]}
    clients = [Asker(host, frontend) for host in others[4:]]

    def look() -> None:
        for client in clients:
            if client.look():
                client.start()

    def go_on(condition: Callable[[], object]) -> None:
        """Keep the clients asking until a condition holds."""

        def check() -> object:
            look()
            assert broker.status is None, broker.errors
            return condition()

        # The broker may have its hands full with the floods.
        until(check, lambda: [(client.program.lines, client.attempts) for client in clients], amount(PATIENCE, 600))

    def recorded() -> int:
        with contextlib.closing(sqlite3.connect(ledger, timeout=20)) as file:
            return int(file.execute("SELECT count FROM totals").fetchall()[0][0])

    def progress() -> None:
        """Wait until new requests have been recorded."""
        enough = recorded() + amount(1, 20)
        go_on(lambda: recorded() >= enough)

    progress()
    flooders = [
        others[6].start(GARBAGE, first.address, "5005", str(amount(300, 20_000)), "1"),
        others[5].start(GARBAGE, first.address, "5006", str(amount(100, 20_000)), "2"),
        others[4].start(NONSENSE, GARBAGE, frontend, str(amount(1, 200))),
    ]
    faults: list[Callable[[], None]] = []

    def kill_worker(host: netns.Host) -> None:
        workers[host].kill()
        workers[host] = host.start(RELIABLE, "worker", backend, "--effort", "0.01")

    def restart_broker() -> None:
        nonlocal broker
        broker.kill()
        broker = start_broker()

    def cut(*hosts: netns.Host, harshly: bool = False) -> None:
        for host in hosts:
            (host.unplug if harshly else host.cut)()
        deadline = time.monotonic() + seconds
        # A worker meanwhile dies at the other end of the network.
        kill_worker(others[3])
        go_on(lambda: time.monotonic() > deadline)
        for host in hosts:
            (host.plug if harshly else host.mend)()

    def stall() -> None:
        """Stop workers for so long that they are given up; then they go on, and answer what others have answered."""
        stalled = [workers[host] for host in others[:3]]
        for program in stalled:
            program.kill(signal.SIGSTOP)
        deadline = time.monotonic() + 1.3
        go_on(lambda: time.monotonic() > deadline)
        for program in stalled:
            program.kill(signal.SIGCONT)

    faults += [stall] * amount(1, 5)
    faults += [lambda number=number: kill_worker(others[number % 4]) for number in range(kills)]  # type: ignore[misc]
    faults += [restart_broker] * restarts
    faults += [lambda: chance.choice(clients).kill()] * amount(1, 10)
    faults.append(lambda: cut(others[0], others[5]))
    if amount(False, True):
        faults += [lambda: cut(first), lambda: cut(others[1], others[6], harshly=True)] * 3
    chance.shuffle(faults)
    for fault in faults:
        fault()
        progress()
    for flooder in flooders:
        go_on(lambda flooder=flooder: flooder.status is not None)  # type: ignore[misc]
        assert (flooder.status, flooder.errors) == (0, "")
    # All that was begun ends.
    for client in clients:
        until(client.look, lambda client=client: client.program.output)  # type: ignore[misc]
    answers = {ident: answer for client in clients for ident, answer in client.answers.items()}
    with contextlib.closing(sqlite3.connect(ledger, timeout=20)) as file:
        rows = file.execute("SELECT ident, answer FROM answers").fetchall()
        ((count, total),) = file.execute("SELECT count, total FROM totals").fetchall()
    assert {bytes(ident).decode(): int(answer) for ident, answer in rows} == answers
    assert (count, total) == (len(answers), sum(answers.values()))
    figure(
        f"{len(faults)} faults and {len(flooders)} floods: {count} requests, "
        f"each answered and recorded once, in {sum(client.attempts for client in clients)} attempts"
    )


# ---------------------------------------------------------------- discovery

#: Announces itself by a beacon, connects a gossip node with those that it finds and that have a lower address, and says
#: by gossip where it can be reached. It prints who comes and who is gone, by the beacon, and by connections to those
#: that gossip tells of: gossip forgets nobody, so a node's death is noticed by heartbeats. A second beacon counts.
DISCOVERER = """
import sys, time
from pyczmq import Beacon, Gossip, Monitor, Poller, Socket, zmq

name, interval, expiry = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def say(*words):
    print(*words, time.monotonic())

alive = Socket(zmq.PUB, bind="tcp://*:5011")
others = Socket(zmq.SUB, heartbeat_ivl=interval, heartbeat_timeout=expiry, connect_timeout=expiry, subscribe="")
monitor = Monitor(others, "HANDSHAKE_SUCCEEDED", "DISCONNECTED")
with Beacon(9999, interval=interval) as beacon, Gossip() as gossip, Beacon(9999) as counter:
    gossip.bind("tcp://*:5010")
    gossip.publish(name, f"tcp://{name}:5011")
    counter.subscribe("NODE ")
    hosts = beacon.peers(expiry)
    beacon.subscribe("NODE ")
    beacon.publish(f"NODE {name}")
    say("published", name)
    with Poller(beacon, gossip, counter, monitor) as poller:
        while True:
            poller.wait(timeout=hosts.timeout)
            while counter.poll():
                say("heard", counter.recv().address)
            while True:
                change = hosts.recv_nowait()
                if change is None:
                    break
                address = change.report.address
                say("beacon", "come" if change.present else "gone", address)
                if change.present and int(address.rpartition(".")[2]) < int(name.rpartition(".")[2]):
                    gossip.connect(f"tcp://{address}:5010")
            while gossip.poll():
                key, value = gossip.recv()
                say("gossip", "come", key)
                if key != name:
                    others.connect(value)
            while monitor.poll():
                event, _, endpoint = monitor.recv()
                say("alive", "gone" if event == "DISCONNECTED" else "come", endpoint[6:].partition(":")[0])
"""

#: The same on the floor below, which has no peers(), and so keeps a record of when it has heard whom.
DISCOVERER_BELOW = """
import sys, time
from pyczmq import zactor, zbeacon, zctx, zgossip, zmonitor, zmq, zpoller, zsocket, zstr

name, interval, expiry = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
last = {}

def say(*words):
    print(*words, time.monotonic())

ctx = zctx.new()
alive, others = zsocket.new(ctx, zmq.PUB), zsocket.new(ctx, zmq.SUB)
zsocket.bind(alive, "tcp://*:5011")
zsocket.set_heartbeat_ivl(others, interval)
zsocket.set_heartbeat_timeout(others, expiry)
zsocket.set_connect_timeout(others, expiry)
monitor = zmonitor.new(others)
zmonitor.listen(monitor, "HANDSHAKE_SUCCEEDED", "DISCONNECTED")
zmonitor.start(monitor)
beacon, gossip = zbeacon.new(9999), zactor.new(zgossip.actor)
socket = zbeacon.socket(beacon)
zgossip.bind(gossip, "tcp://*:5010")
zgossip.publish(gossip, name, f"tcp://{name}:5011")
zbeacon.set_interval(beacon, interval)
zbeacon.subscribe(beacon, "NODE ")
zbeacon.publish(beacon, f"NODE {name}")
say("published", name)
poller = zpoller.new(socket, gossip, monitor)
while True:
    zpoller.wait(poller, interval // 4)
    while zsocket.poll(socket, 0):
        address, _ = zstr.recvx(socket)
        if address not in last:
            say("beacon", "come", address)
            if int(address.rpartition(".")[2]) < int(name.rpartition(".")[2]):
                zgossip.connect(gossip, f"tcp://{address}:5010")
        last[address] = time.monotonic()
    for address, heard in list(last.items()):
        if time.monotonic() - heard > expiry / 1000:
            del last[address]
            say("beacon", "gone", address)
    while True:
        delivery = zgossip.recv(gossip, 0)
        if delivery is None:
            break
        say("gossip", "come", delivery.key)
        if delivery.key != name:
            zsocket.connect(others, delivery.value)
    while True:
        event = zmonitor.recv(monitor, 0)
        if event is None:
            break
        say("alive", "gone" if event.event == "DISCONNECTED" else "come", event.address[6:].partition(":")[0])
"""


class Discoverers:
    """A program on each host, on the two floors by turns, which finds the others."""

    def __init__(self, lan: netns.Lan, interval: int, expiry: int) -> None:
        self._lan = lan
        self._arguments = str(interval), str(expiry)
        self.programs: dict[netns.Host, netns.Program] = {}
        for host in lan.hosts:
            self.start(host)

    def start(self, host: netns.Host) -> None:
        """Start the program of a host."""
        source = (DISCOVERER, DISCOVERER_BELOW)[len(self.programs) % 2]
        self.programs[host] = host.start(source, host.address, *self._arguments)

    def found(self, host: netns.Host, kind: str) -> set[str]:
        """Return whom the program of a host takes to be there."""
        there: set[str] = set()
        for line in self.programs[host].lines:
            if line.startswith(kind):
                _, change, who, _ = line.split()
                (there.add if change == "come" else there.discard)(who)
        return there - {host.address}

    def wait(self, but: tuple[netns.Host, ...] = ()) -> None:
        """Wait until all find all others in each way; those in *but* find nobody alive, and are not found.

        Gossip does not forget: that those who are there are among those that it tells of is all that is to be said.
        """
        everybody = {host.address for host in self.programs if host not in but}

        def mistaken() -> dict[tuple[str, str], set[str]]:
            mistakes = {}
            for host in self.programs:
                wanted = set() if host in but else everybody - {host.address}
                for kind in "beacon", "alive":
                    mistakes[host.address, kind] = self.found(host, kind) ^ wanted
                mistakes[host.address, "gossip"] = wanted - self.found(host, "gossip")
            return {key: mistake for key, mistake in mistakes.items() if mistake}

        until(lambda: not mistaken(), lambda: (mistaken(), [program.errors for program in self.programs.values()]))
        for program in self.programs.values():
            assert (program.status, program.errors) == (None, "")

    def time_of(self, host: netns.Host, beginning: str) -> float:
        """Return when the program of a host has said first what begins like this."""
        return float(self.programs[host].expect(beginning, PATIENCE).split()[-1])


def test_all_find_all_and_notice_who_is_gone(lan: netns.Lan, amount: Amount, figure: Figure) -> None:
    """Beacons and gossip: a host killed is noticed, a new one found within two beacons, one cut off comes back."""
    interval, expiry, times = amount((150, 800, 1), (1000, 3500, 5))
    start = time.monotonic()
    discoverers = Discoverers(lan, interval, expiry)
    discoverers.wait()
    figure(f"all of {HOSTS} hosts have found all in {time.monotonic() - start:.1f} s, with beacons each {interval} ms")
    slowest = noticed = 0.0
    for number in range(times):
        # One goes, without a word.
        victim = lan.hosts[-1 - number % 2]
        start = time.monotonic()
        lan.remove(victim)
        del discoverers.programs[victim]
        discoverers.wait()
        noticed = max(noticed, time.monotonic() - start)
        # One comes. At every other host, at most two of its beacons' intervals pass; a busy machine gets a second more.
        new = lan.add()
        discoverers.programs[new] = new.start(DISCOVERER, new.address, str(interval), str(expiry))
        discoverers.wait()
        published = discoverers.time_of(new, f"published {new.address}")
        for host in discoverers.programs:
            if host is not new:
                taken = discoverers.time_of(host, f"beacon come {new.address}") - published
                slowest = max(slowest, taken)
                assert taken < 2 * interval / 1000 + 1, (host.address, taken)
        # And it has found all others before its second beacon, which counts, has heard any of them a third time.
        heard: Counter[str] = Counter()
        found = set()
        for line in discoverers.programs[new].lines:
            if line.startswith("beacon come"):
                found.add(line.split()[2])
            elif line.startswith("heard") and line.split()[1] != new.address:
                heard[line.split()[1]] += 1
                if max(heard.values()) > 2:
                    break
        assert found >= {host.address for host in lan.hosts if host is not new}, (found, heard)
        # One is cut off for so long that it is gone for the others, and they for it.
        cut = lan.hosts[1 + number]
        cut.cut()
        discoverers.wait((cut,))
        cut.mend()
        discoverers.wait()
    figure(
        f"{times} hosts gone, noticed after {noticed:.1f} s at most, with an expiry of {expiry} ms; "
        f"{times} new ones found {slowest * 1000:.0f} ms after their first beacon at most; {times} links cut and mended"
    )
