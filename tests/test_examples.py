"""The examples: each runs as it stands; what broadcasts does so on a network of its own."""

from __future__ import annotations

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
    tested = {"floors.py", "chat.py", "secure_service.py"}
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


@pytest.mark.requires_netns
def test_services_find_each_other(hosts: tuple[netns.Host, netns.Host]) -> None:
    source = (EXAMPLES / "discovery.py").read_text()
    running = [host.popen(source, name, "--seconds", "20") for host, name in zip(hosts, ("one", "two"))]
    outputs = [child.communicate(timeout=40) for child in running]
    assert [child.returncode for child in running] == [0, 0], outputs
    assert outputs[0][0].startswith(f"one met two at tcp://{hosts[1].address}:"), outputs
    assert outputs[1][0].startswith(f"two met one at tcp://{hosts[0].address}:"), outputs
