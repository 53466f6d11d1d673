"""The examples: each runs as it stands; what broadcasts does so on a network of its own."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import netns
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

#: Those that a test of its own runs, and those that scripts/demo is about.
ELSEWHERE = {"wordcount.py", "discovery.py"}


def run(name: str, *arguments: str) -> str:
    """Run an example to its end, which must be a good one, and return what it prints."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_every_example_is_run() -> None:
    tested = {"floors.py", "chat.py", "secure_service.py", "reliable_service.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested | ELSEWHERE


def test_the_three_floors_do_the_same() -> None:
    lines = run("floors.py").splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["raw", "namespaces", "objects"]
    assert len({line.partition(": ")[2] for line in lines}) == 1


def test_people_chat() -> None:
    output = run("chat.py", "demo")
    for name in "Ada", "Grace", "Edsger":
        for other in "Ada", "Grace", "Edsger":
            assert (f"[{name}] {other}: hello from {other}" in output) == (name != other)


def test_chat_of_several_processes() -> None:
    """A server, and two who type; the second one sees what the first types after it has come."""
    chat = [sys.executable, str(EXAMPLES / "chat.py")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with subprocess.Popen([*chat, "serve", "tcp://127.0.0.1:*"], **pipes) as server:  # type: ignore[call-overload]
        endpoint = server.stdout.readline().split()[-1]
        people = []
        for name in "one", "two":
            people.append(subprocess.Popen([*chat, "join", name, endpoint], **pipes))  # type: ignore[call-overload]
            # The first one hears of both.
            while f"{name} is here" not in people[0].stdout.readline():
                pass
        one, two = people
        one.stdin.write("hello\n")
        while "one: hello" not in two.stdout.readline():
            pass
        for person in people:
            person.communicate(timeout=20)
            assert person.returncode == 0
        server.terminate()


def test_only_the_known_client_is_answered() -> None:
    lines = dict(line.split(": ", 1) for line in run("secure_service.py").splitlines())
    assert lines["ada"].startswith("hello ada")
    assert (lines["mallory"], lines["nobody"]) == ("no answer", "no answer")


def test_each_request_is_answered_once_while_workers_and_the_broker_die() -> None:
    """tests/reliability has it on eight hosts, whose links break."""
    *clients, ledger = run("reliable_service.py", "demo").splitlines()
    assert [line.split(" in ")[0] for line in clients] == ["a client: 20 answers", "a client: 30 answers"]
    assert ledger.startswith("the ledger: 50 requests,")


def test_a_client_started_again_gets_the_same_answers(tmp_path: Path) -> None:
    """And so it does from a broker that was started again; the total does not change. Its name is what counts."""
    service = [sys.executable, str(EXAMPLES / "reliable_service.py")]
    outputs = []
    endpoints = ["tcp://127.0.0.1:*"] * 2
    for name in "ada", "ada", "grace":
        command = [*service, "broker", *endpoints, "--ledger", str(tmp_path / "ledger.db")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as broker:
            assert broker.stdout is not None
            endpoints = broker.stdout.readline().split()[2:]
            with subprocess.Popen([*service, "worker", endpoints[1]]) as worker:
                outputs.append(
                    run("reliable_service.py", "ask", endpoints[0], "--name", name, "6", "7").splitlines()[:2]
                )
                worker.kill()
            broker.kill()
    assert outputs == [["6 36", "7 49"]] * 3
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as ledger:
        assert ledger.execute("SELECT * FROM totals").fetchall() == [(4, 2 * (36 + 49))]


@pytest.mark.requires_netns
def test_services_find_each_other(hosts: tuple[netns.Host, netns.Host]) -> None:
    source = (EXAMPLES / "discovery.py").read_text()
    running = [host.popen(source, name, "--seconds", "20") for host, name in zip(hosts, ("one", "two"))]
    outputs = [child.communicate(timeout=40) for child in running]
    assert [child.returncode for child in running] == [0, 0], outputs
    assert outputs[0][0].startswith(f"one met two at tcp://{hosts[1].address}:"), outputs
    assert outputs[1][0].startswith(f"two met one at tcp://{hosts[0].address}:"), outputs
