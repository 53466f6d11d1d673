"""A service that answers each request exactly once, whatever breaks: links, workers, the broker.

    python examples/reliable_service.py broker tcp://127.0.0.1:5601 tcp://127.0.0.1:5602 --ledger /tmp/ledger.db
    python examples/reliable_service.py worker tcp://127.0.0.1:5602
    python examples/reliable_service.py ask tcp://127.0.0.1:5601 6 7
    python examples/reliable_service.py demo

The service squares numbers, and keeps a total of the squares. Clients ask the broker, which has workers do the work.

- A client's REQ socket is relaxed and correlates: with no answer in time it asks again, a bit later each time and not
  for ever, and takes no late answer for that to the next question. Each request has an id, the same in each attempt.
- The broker hands each request to one worker at a time. Both sides send heartbeats; a worker that was silent for a
  while is given up, and its request goes to another one. A worker that does not hear the broker connects anew.
- The ledger, a file of the broker's, has the answers by the ids of the requests. An answer goes into it together with
  what it does, here to the total, in one transaction; then the client is told. What is in there already is not done
  again, but told again.

What is promised: a client gets one answer for each request, or NoAnswer once its attempts are used up; all attempts,
also those of a client that was started again with the same name, get the same answer; and the total contains the
request once, however often it was asked, worked on, or told. That survives the death of clients, workers and the broker
at any moment, as long as the ledger's file does. What is not: a worker may begin a request that another one has begun
before, so what a worker does beside its answer can happen twice; and a client that gives up does not know whether its
request was done. Nobody can promise these. The ledger grows: what is in it may go once no client asks for it any more.
Clients may send what they like, but workers are believed: where others can reach their endpoint, give it security, as
in examples/secure_service.py.

``demo`` runs it all on this machine, kills workers, and starts the broker anew, while clients ask.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pyczmq import Again, Poller, Socket, ZMQError, zmq

READY, HEARTBEAT, WORK, DONE, UNKNOWN = b"READY", b"HEARTBEAT", b"WORK", b"DONE", b"UNKNOWN"

#: Milliseconds between two heartbeats, and how many of them may be missing.
INTERVAL = 250
LIVENESS = 4

#: Milliseconds that a client waits for an answer at first and at most, and how often it asks.
PATIENCE, MOST_PATIENCE = 500, 4000
ATTEMPTS = 30

#: Limits of what is let in: bytes of an id, bytes of a message, requests that wait.
LONGEST_ID = 64
LONGEST_MESSAGE = 2**20
LONGEST_NUMBER = 12
MOST_REQUESTS = 10_000


def open_socket(kind: int) -> Socket:
    """Return a socket that notices a connection that is dead but not closed, and that keeps nothing for later."""
    return Socket(
        kind,
        linger=0,
        maxmsgsize=LONGEST_MESSAGE,
        heartbeat_ivl=INTERVAL,
        heartbeat_timeout=INTERVAL * LIVENESS,
        connect_timeout=INTERVAL * LIVENESS,
        handshake_ivl=INTERVAL * LIVENESS,
    )


# ---------------------------------------------------------------- client


class NoAnswer(Exception):
    """No answer came to any attempt. The request may have been done, or may yet be."""


class Client:
    """Asks, and asks again. Who may be started anew to go on where it was has a *name* of its own."""

    def __init__(self, endpoint: str, name: str | None = None) -> None:
        self._name = uuid.uuid4().hex if name is None else name
        self._count = 0
        #: How often it has asked.
        self.attempts = 0
        self._socket = open_socket(zmq.REQ)
        self._socket.req_relaxed = 1
        self._socket.req_correlate = 1
        self._socket.connect(endpoint)

    def ask(self, number: int) -> int:
        """Return the service's answer; NoAnswer once all attempts are used up."""
        self._count += 1
        ident = f"{self._name}/{self._count}".encode()
        patience: float = PATIENCE
        for _ in range(ATTEMPTS):
            self.attempts += 1
            with contextlib.suppress(Again):
                self._socket.send_parts([ident, b"%d" % number], timeout=round(patience))
                answered, answer = self._socket.recv_parts(timeout=round(patience))
                # Correlation leaves nothing else; a service that mixes up its answers would be no use.
                assert answered == ident, (answered, ident)
                return int(answer)
            # Not all at the same moment, should the broker come back from the dead.
            patience = min(patience * random.uniform(1.2, 1.8), MOST_PATIENCE)
        raise NoAnswer(f"no answer to {number} in {ATTEMPTS} attempts")

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


# ---------------------------------------------------------------- worker


def work(endpoint: str, effort: float) -> None:
    """Square numbers, each of which takes *effort* seconds."""
    while True:
        with open_socket(zmq.DEALER) as broker, Poller(broker) as poller:
            broker.connect(endpoint)
            broker.send_parts([READY])
            serve(broker, poller, effort)


def serve(broker: Socket, poller: Poller, effort: float) -> None:
    """Work for a broker until that is silent, or does not know us."""
    heard = spoken = time.monotonic()
    while time.monotonic() - heard < INTERVAL * LIVENESS / 1000:
        if poller.wait(timeout=INTERVAL):
            message = broker.recv_parts()
            heard = time.monotonic()
            if message == [UNKNOWN]:
                return
            if message[0] == WORK:
                _, ident, number = message
                time.sleep(effort)
                broker.send_parts([DONE, ident, b"%d" % int(number) ** 2])
                heard = time.monotonic()
        if time.monotonic() - spoken >= INTERVAL / 1000:
            broker.send_parts([HEARTBEAT])
            spoken = time.monotonic()


# ---------------------------------------------------------------- broker


class Ledger:
    """What has been answered, in a file that outlives the broker."""

    def __init__(self, path: str) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL").fetchall()  # a row that is not fetched keeps it from committing
        self._file.execute("PRAGMA synchronous = FULL")
        self._file.execute("CREATE TABLE IF NOT EXISTS answers (ident BLOB PRIMARY KEY, answer BLOB NOT NULL)")
        self._file.execute("CREATE TABLE IF NOT EXISTS totals (count INTEGER NOT NULL, total INTEGER NOT NULL)")
        self._file.execute("INSERT INTO totals SELECT 0, 0 WHERE NOT EXISTS (SELECT * FROM totals)")

    def answer(self, ident: bytes) -> bytes | None:
        """Return what a request was answered, None if it was not."""
        rows = self._file.execute("SELECT answer FROM answers WHERE ident = ?", [ident]).fetchall()
        return bytes(rows[0][0]) if rows else None

    def record(self, ident: bytes, answer: bytes) -> bytes:
        """Record an answer, and what it does, both or neither; return the one that is recorded: the first."""
        with self._transaction():
            if self._file.execute("INSERT OR IGNORE INTO answers VALUES (?, ?)", [ident, answer]).rowcount:
                self._file.execute("UPDATE totals SET count = count + 1, total = total + ?", [int(answer)])
        recorded = self.answer(ident)
        assert recorded is not None
        return recorded

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def totals(self) -> tuple[int, int]:
        """Return how many requests were answered, and the total of the answers."""
        ((count, total),) = self._file.execute("SELECT count, total FROM totals").fetchall()
        return count, total

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def is_number(text: bytes) -> bool:
    """Tell whether a text is a number that the ledger can add up."""
    return text.isdigit() and len(text) <= LONGEST_NUMBER


@dataclass
class Request:
    """A request that is to be answered, and the way to whoever asked last."""

    number: bytes
    way: list[bytes]


@dataclass
class Worker:
    """A worker: when it was heard last, and what it has to do."""

    heard: float
    ident: bytes | None = None


class Broker:
    """Between clients and workers. All that must not be lost is in the ledger; the rest the others say again."""

    def __init__(self, frontend: Socket, backend: Socket, ledger: Ledger) -> None:
        self._frontend = frontend
        self._backend = backend
        self._ledger = ledger
        self._requests: dict[bytes, Request] = {}
        self._queue: deque[bytes] = deque()
        self._workers: dict[bytes, Worker] = {}

    def serve(self) -> None:
        """Go on for ever."""
        with Poller(self._frontend, self._backend) as poller:
            spoken = time.monotonic()
            while True:
                for source in poller.wait(timeout=INTERVAL):
                    if source is self._backend:
                        self._hear_worker(self._backend.recv_parts())
                    else:
                        self._hear_client(self._frontend.recv_parts())
                self._dispatch()
                now = time.monotonic()
                if now - spoken >= INTERVAL / 1000:
                    spoken = now
                    self._look_after_workers(now)

    def _hear_client(self, message: list[bytes]) -> None:
        # Anybody may connect here: what is no request is dropped.
        if b"" not in message[1:]:
            return
        end = message.index(b"", 1) + 1
        way, words = message[:end], message[end:]
        if len(words) != 2 or not 0 < len(words[0]) <= LONGEST_ID or not is_number(words[1]):
            return
        ident, number = words
        answer = self._ledger.answer(ident)
        if answer is not None:
            self._frontend.send_parts([*way, ident, answer])
        elif ident in self._requests:
            self._requests[ident].way = way
        elif len(self._requests) < MOST_REQUESTS:
            self._requests[ident] = Request(number, way)
            self._queue.append(ident)

    def _hear_worker(self, message: list[bytes]) -> None:
        name, *words = message
        now = time.monotonic()
        if words[:1] == [DONE] and len(words) == 3 and is_number(words[2]):
            _, ident, answer = words
            answer = self._ledger.record(ident, answer)
            request = self._requests.pop(ident, None)
            if request is not None:
                self._frontend.send_parts([*request.way, ident, answer])
            if name in self._workers:
                self._workers[name] = Worker(now)
        elif words == [READY]:
            self._give_up(name)
            self._workers[name] = Worker(now)
        elif words == [HEARTBEAT] and name in self._workers:
            self._workers[name].heard = now
        elif words == [HEARTBEAT]:
            # Its READY was lost, or went to the broker that was here before.
            self._tell(name, UNKNOWN)

    def _dispatch(self) -> None:
        idle = [name for name, worker in self._workers.items() if worker.ident is None]
        while idle and self._queue:
            ident = self._queue.popleft()
            request = self._requests.get(ident)
            if request is None:
                continue  # somebody who was given up has answered it all the same
            name = idle.pop()
            self._workers[name].ident = ident
            self._tell(name, WORK, ident, request.number)

    def _tell(self, name: bytes, *words: bytes) -> None:
        try:
            self._backend.send_parts([name, *words], timeout=0)
        except ZMQError:
            self._give_up(name)  # there is no connection with it any more, or it does not read

    def _give_up(self, name: bytes) -> None:
        """Forget a worker; what it had to do another one does, and next."""
        worker = self._workers.pop(name, None)
        if worker is not None and worker.ident in self._requests:
            self._queue.appendleft(worker.ident)

    def _look_after_workers(self, now: float) -> None:
        for name, worker in list(self._workers.items()):
            if now - worker.heard > INTERVAL * LIVENESS / 1000:
                self._give_up(name)
            else:
                self._tell(name, HEARTBEAT)


def broker(frontend_endpoint: str, backend_endpoint: str, path: str) -> None:
    """Run a broker, which says where it is."""
    with closing(Ledger(path)) as ledger, open_socket(zmq.ROUTER) as frontend, open_socket(zmq.ROUTER) as backend:
        backend.router_mandatory = 1
        frontend.bind(frontend_endpoint)
        backend.bind(backend_endpoint)
        print(f"broker at {frontend.last_endpoint} {backend.last_endpoint}", flush=True)
        Broker(frontend, backend, ledger).serve()


# ---------------------------------------------------------------- command line


def demo() -> None:
    """Ask, while workers and the broker die."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, __file__, *arguments]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return running[-1]

    def start_broker(*endpoints: str) -> tuple[subprocess.Popen[str], list[str]]:
        process = start("broker", *endpoints, "--ledger", ledger)
        assert process.stdout is not None
        return process, process.stdout.readline().split()[2:]

    with tempfile.TemporaryDirectory() as folder:
        ledger = str(Path(folder) / "ledger.db")
        try:
            first, endpoints = start_broker("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")
            workers = [start("worker", endpoints[1]) for _ in range(3)]
            clients = [start("ask", endpoints[0], *map(str, range(count))) for count in (20, 30)]
            for step in range(6):
                time.sleep(0.3)
                workers[step % 3].kill()
                workers[step % 3] = start("worker", endpoints[1])
                if step == 2:
                    first.kill()
                    first.wait()
                    start_broker(*endpoints)
            for count, client in zip((20, 30), clients):
                output, _ = client.communicate(timeout=30)
                *answers, end = output.splitlines()
                print(f"a client: {end}")
                assert answers == [f"{number} {number**2}" for number in range(count)], output
        finally:
            for process in running:
                process.kill()
                process.communicate()
        with closing(Ledger(ledger)) as read:
            count, total = read.totals()
    print(f"the ledger: {count} requests, the total of their answers is {total}")
    assert (count, total) == (50, sum(n**2 for n in range(20)) + sum(n**2 for n in range(30)))


def ask(endpoint: str, name: str | None, numbers: list[int]) -> None:
    """Ask for the squares of these numbers, and print them."""
    with closing(Client(endpoint, name)) as client:
        for number in numbers:
            print(number, client.ask(number), flush=True)
        print(f"{len(numbers)} answers in {client.attempts} attempts", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="A service that answers each request exactly once.")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("broker", help="stand between clients and workers")
    serving.add_argument("frontend", help="the endpoint for clients")
    serving.add_argument("backend", help="the endpoint for workers")
    serving.add_argument("--ledger", required=True, help="the file with what was answered")
    working = commands.add_parser("worker", help="work for a broker")
    working.add_argument("backend")
    working.add_argument("--effort", type=float, default=0.02, help="seconds that a request takes")
    asking = commands.add_parser("ask", help="ask for the squares of numbers")
    asking.add_argument("frontend")
    asking.add_argument("--name", help="who asks: the same again to go on after a crash")
    asking.add_argument("numbers", nargs="+", type=int, help="natural numbers below a million")
    commands.add_parser("demo", help="let all of it run, and break")
    options = parser.parse_args()
    try:
        if options.command == "broker":
            broker(options.frontend, options.backend, options.ledger)
        elif options.command == "worker":
            work(options.backend, options.effort)
        elif options.command == "ask":
            ask(options.frontend, options.name, options.numbers)
        else:
            demo()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
