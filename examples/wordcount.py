"""Count words with a parallel pipeline: a ventilator, N worker processes and a sink, all over encrypted ZeroMQ sockets.

    python examples/wordcount.py [--workers N] [--interpreter PATH] [--beacon]

The text is the Python standard library's own source. The ventilator sends each file over PUSH to the workers, which
send their counts over PUSH to the sink; a PUB socket tells the workers when it is over. Every connection is encrypted
with CURVE, with certificates made on the spot, and zauth lets in only the workers' certificate. In the end the result
is compared with a plain count in one process: equal, or the program fails.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pyczmq import zauth, zbeacon, zcert, zctx, zframe, zmq, zmsg, zpoller, zsocket, zstr

if TYPE_CHECKING:
    from pyczmq._types import Cert, Ctx, Socket

#: Files that may be under way to each worker; enough to keep it busy, few enough to share the work evenly.
WINDOW = 16

#: UDP port on which the ventilator's beacon is sent.
BEACON_PORT = 9997

#: Seconds without a result after which the workers are taken for lost.
PATIENCE = 60

SERVER, WORKER = "server.cert", "worker.cert"


def count_words(text: bytes) -> Counter[str]:
    """Return how often each word, a run of ASCII letters in lower case, occurs."""
    return Counter(word.decode("ascii") for word in re.findall(rb"[a-z]+", text.lower()))


def source_files() -> list[Path]:
    """Return the standard library's source files."""
    root = Path(sysconfig.get_path("stdlib"))
    files = (path for path in root.rglob("*.py") if not {"site-packages", "dist-packages"} & set(path.parts))
    return sorted(path for path in files if path.is_file())


# ---------------------------------------------------------------- a worker


def find_ventilator() -> list[str]:
    """Return the endpoints that the ventilator's beacon tells of."""
    beacon = zbeacon.new(None, BEACON_PORT)
    if beacon is None:
        sys.exit("no network interface to broadcast on")
    zbeacon.subscribe(beacon, "wordcount ")
    frames = zstr.recvx(zbeacon.socket(beacon))
    assert frames is not None
    address, announcement = frames
    return [f"tcp://{address}:{port}" for port in announcement.split()[1:]]


def client(ctx: Ctx, kind: int, endpoint: str, certificates: Path) -> Socket:
    """Return a socket that is connected to *endpoint* with the worker's certificate."""
    socket = zsocket.new(ctx, kind)
    certificate, server = zcert.load(certificates / WORKER), zcert.load(certificates / SERVER)
    assert socket is not None and certificate is not None and server is not None
    zcert.apply(certificate, socket)
    zsocket.set_curve_serverkey(socket, zcert.public_txt(server))
    zsocket.connect(socket, endpoint)
    return socket


def work(certificates: Path, endpoints: list[str]) -> None:
    """Count what comes from the ventilator until the control socket says that it is over."""
    ctx = zctx.new()
    source, sink, control = (
        client(ctx, kind, endpoint, certificates)
        for kind, endpoint in zip((zmq.PULL, zmq.PUSH, zmq.SUB), endpoints or find_ventilator())
    )
    zsocket.set_subscribe(control, "")
    zstr.send(sink, "ready")
    poller = zpoller.new(control, source)
    while zpoller.wait(poller) == source:
        message = zmsg.recv(source)
        assert message is not None
        name, contents = zmsg.popstr(message), zmsg.first(message)
        assert name is not None and contents is not None
        counts = count_words(bytes(zframe.data(contents)))
        zmsg.destroy(message)
        zstr.sendx(sink, name, json.dumps(counts))


# ---------------------------------------------------------------- the ventilator and the sink


class Pipeline:
    """The bound ends of the pipeline, in a context of their own, with its authenticator."""

    def __init__(self, certificates: Path, everywhere: bool) -> None:
        self.ctx = zctx.new()
        self.auth = zauth.new(self.ctx)
        zauth.configure_curve(self.auth, "*", certificates / "allowed")
        certificate = zcert.load(certificates / "secret" / SERVER)
        assert certificate is not None
        self.host = "*" if everywhere else "127.0.0.1"
        self.ports: list[int] = []
        self.ventilator = self.serve(zmq.PUSH, certificate)
        self.sink = self.serve(zmq.PULL, certificate)
        self.control = self.serve(zmq.PUB, certificate)
        self.poller = zpoller.new(self.sink)

    def serve(self, kind: int, certificate: Cert) -> Socket:
        """Return a bound socket that only the worker's certificate may connect to."""
        socket = zsocket.new(self.ctx, kind)
        assert socket is not None
        zcert.apply(certificate, socket)
        zsocket.set_curve_server(socket, 1)
        port = zsocket.bind(socket, f"tcp://{self.host}:*")
        if port < 0:
            sys.exit(f"cannot bind: {zmq.strerror(zmq.errno())}")
        self.ports.append(port)
        return socket

    def receive(self, workers: list[subprocess.Popen[bytes]]) -> list[str]:
        """Return the next message to the sink; fail where a worker has ended or none sends any more."""
        deadline = time.monotonic() + PATIENCE
        while zpoller.wait(self.poller, 1000) is None:
            for worker in workers:
                if worker.poll() is not None:
                    sys.exit(f"a worker ended with status {worker.returncode}")
            if time.monotonic() > deadline:
                sys.exit(f"no worker has sent anything for {PATIENCE} seconds")
        return zstr.recvx(self.sink) or []


def make_certificates(folder: Path) -> None:
    """Make the server's and the workers' key pairs, each known to the other side by its public half only."""
    for part in ("allowed", "secret"):
        (folder / part).mkdir()
    server, worker = zcert.new(), zcert.new()
    zcert.set_meta(server, "name", "wordcount server")
    zcert.set_meta(worker, "name", "wordcount worker")
    zcert.save(server, folder / "secret" / SERVER)
    zcert.save_public(server, folder / SERVER)
    zcert.save(worker, folder / WORKER)
    zcert.save_public(worker, folder / "allowed" / WORKER)


def start_workers(number: int, interpreter: str, certificates: Path, ports: list[int]) -> list[subprocess.Popen[bytes]]:
    """Start the worker processes; with no *ports* they look for the ventilator's beacon."""
    endpoints = [f"tcp://127.0.0.1:{port}" for port in ports]
    command = [interpreter, os.path.abspath(__file__), "--certificates", str(certificates), *endpoints]
    return [subprocess.Popen(command) for _ in range(number)]


def progress(done: int, total: int) -> None:
    """Draw the progress bar: in place on a terminal, else a line each tenth of the way."""
    terminal = sys.stderr.isatty()
    if done < total and done % (10 if terminal else max(1, total // 10)):
        return
    width = 40
    filled = width * done // total
    bar = f"[{'#' * filled}{'.' * (width - filled)}] {done}/{total} files"
    print(bar, end="\n" if done == total or not terminal else "\r", file=sys.stderr, flush=True)


def run(pipeline: Pipeline, texts: dict[str, bytes], workers: list[subprocess.Popen[bytes]]) -> Counter[str]:
    """Send all texts through the pipeline and return the sum of the counts."""
    for _ in workers:
        assert pipeline.receive(workers) == ["ready"]
    total: Counter[str] = Counter()
    waiting: Iterator[tuple[str, bytes]] = iter(texts.items())
    under_way: set[str] = set()
    for done in range(len(texts)):
        while len(under_way) < WINDOW * len(workers) and (item := next(waiting, None)):
            name, text = item
            message = zmsg.new()
            zmsg.addstr(message, name)
            zmsg.addmem(message, text)
            zmsg.send(message, pipeline.ventilator)
            under_way.add(name)
        name, counts = pipeline.receive(workers)
        under_way.remove(name)
        total.update(json.loads(counts))
        progress(done + 1, len(texts))
    return total


def main() -> None:
    """Parse the command line, run the pipeline and check its result."""
    parser = argparse.ArgumentParser(description="Count the words of the standard library over encrypted sockets.")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2, help="worker processes (one per processor)")
    parser.add_argument("--interpreter", default=sys.executable, help="the Python that the workers run on (this one)")
    parser.add_argument("--beacon", action="store_true", help="find the ventilator by a UDP broadcast, not by address")
    parser.add_argument("--certificates", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("endpoints", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.certificates:
        work(options.certificates, options.endpoints)
        return
    if options.workers < 1:
        parser.error("--workers must be at least 1")
    interpreter = shutil.which(options.interpreter) or parser.error(f"no interpreter {options.interpreter!r}")

    texts = {str(path): path.read_bytes() for path in source_files()}
    workers: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory() as folder:
        certificates = Path(folder)
        make_certificates(certificates)
        pipeline = Pipeline(certificates, everywhere=options.beacon)
        if options.beacon:
            beacon = zbeacon.new(pipeline.ctx, BEACON_PORT)
            if beacon is None:
                sys.exit("no network interface to broadcast on")
            zbeacon.set_interval(beacon, 100)
            zbeacon.publish(beacon, " ".join(map(str, ["wordcount", *pipeline.ports])))
        try:
            ports = [] if options.beacon else pipeline.ports
            workers = start_workers(options.workers, interpreter, certificates, ports)
            start = time.perf_counter()
            total = run(pipeline, texts, workers)
            seconds = time.perf_counter() - start
            zstr.send(pipeline.control, "over")
            for worker in workers:
                worker.wait(timeout=PATIENCE)
        finally:
            for worker in workers:
                worker.kill()

    size = sum(map(len, texts.values()))
    print(f"files          {len(texts):12,}")
    print(f"bytes          {size:12,}")
    print(f"words          {sum(total.values()):12,}")
    print("top ten        " + ", ".join(f"{word} {count:,}" for word, count in total.most_common(10)))
    print(f"workers        {options.workers:12,}")
    print(f"seconds        {seconds:12.2f}")
    print(f"megabytes/s    {size / 1e6 / seconds:12.1f}")
    print(f"messages/s     {2 * len(texts) / seconds:12,.0f}")

    plain: Counter[str] = Counter()
    for text in texts.values():
        plain.update(count_words(text))
    if plain != total:
        sys.exit("the pipeline's count differs from the plain one")
    print("The plain count in one process is equal.")


if __name__ == "__main__":
    main()
