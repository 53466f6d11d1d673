"""The tests' own network: two hosts that hear each other's broadcasts, and nothing else there."""

from __future__ import annotations

import netns
import pytest

LISTEN = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(20)
    s.bind(("", 9999))
    print("listening", flush=True)
    print(*s.recvfrom(100))
"""

SPEAK = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.bind(("", 9998))
    s.sendto(b"here", (sys.argv[1], 9999))
"""

INTERFACES = """
with open("/proc/net/dev") as lines:
    print(*sorted(line.split(":")[0].strip() for line in lines if ":" in line))
"""


def test_a_broadcast_reaches_the_other_host(hosts):
    left, right = hosts
    listener = left.popen(LISTEN)
    assert listener.stdout.readline() == "listening\n"
    spoken = right.run(SPEAK, netns.BROADCAST)
    assert spoken.returncode == 0, spoken.stderr
    output, errors = listener.communicate(timeout=20)
    assert output == f"b'here' ('{right.address}', 9998)\n", errors


def test_a_broadcast_reaches_the_same_host(hosts):
    left, _ = hosts
    listener = left.popen(LISTEN)
    assert listener.stdout.readline() == "listening\n"
    left.run(SPEAK, netns.BROADCAST)
    output, errors = listener.communicate(timeout=20)
    assert output == f"b'here' ('{left.address}', 9998)\n", errors


@pytest.mark.requires_netns
def test_nothing_else_is_there():
    done = netns.run(INTERFACES)
    assert done.stdout == "eth0 lo\n", done.stderr


@pytest.mark.requires_netns
def test_a_failing_program_gives_its_status_and_its_traceback():
    done = netns.run("import sys; sys.exit('no ' + sys.argv[1])", "way")
    assert (done.returncode, done.stderr) == (1, "no way\n")


@pytest.mark.requires_netns
def test_what_still_runs_ends_with_the_network():
    with netns.network() as (left, _):
        child = left.popen("import time; print('up', flush=True); time.sleep(100)")
        assert child.stdout.readline() == "up\n"
    assert child.returncode == -9
