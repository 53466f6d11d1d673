"""The tests' own networks: hosts that hear each other's broadcasts, and nothing else there; links that break."""

from __future__ import annotations

from collections.abc import Iterator

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


#: Joins a multicast group and tells what comes, by broadcast, by multicast and over TCP.
LISTEN_TO_ALL = """
import select, socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.create_server(("", 9999)) as tcp:
    udp.bind(("", 9999))
    udp.setsockopt(
        socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.7.7.7") + socket.inet_aton("10.77.0.1")
    )
    print("listening")
    while True:
        for source in select.select([udp, tcp], [], [])[0]:
            if source is udp:
                data, (address, _) = udp.recvfrom(100)
                print(data.decode(), address)
            else:
                connection, (address, _) = tcp.accept()
                print("tcp", address)
"""

SPEAK_TO_ALL = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(sys.argv[1]))
    s.sendto(b"broadcast", ("10.77.0.255", 9999))
    s.sendto(b"multicast", ("239.7.7.7", 9999))
socket.create_connection(("10.77.0.1", 9999), 10).close()
"""

#: Sends a line a moment over one TCP connection, and prints what the other side returns.
ECHO = """
import socket
with socket.create_server(("", 9998)) as server:
    print("listening")
    connection, _ = server.accept()
    while True:
        connection.sendall(connection.recv(1000))
"""

TALK = """
import socket, sys
with socket.create_connection(("10.77.0.1", 9998), 10) as s:
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(0.05)
    for number in range(100000):
        s.sendall(b"x")
        try:
            s.recv(1000)
            print("heard", number)
        except socket.timeout:  # not yet a TimeoutError in Python 3.9
            print("silence", number)
"""

#: Tells whether the interface is up, whether its cable leads anywhere or not.
UP = """
import fcntl, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    answer = fcntl.ioctl(s.fileno(), 0x8913, struct.pack("16sh14x", b"eth0", 0))  # SIOCGIFFLAGS
    print(bool(struct.unpack_from("h", answer, 16)[0] & 1))
"""


@pytest.fixture(scope="module")
def switch() -> Iterator[netns.Lan]:
    if netns.unswitched():
        pytest.skip(netns.unswitched())
    with netns.switched(3) as lan:
        yield lan


@pytest.fixture
def lan(switch: netns.Lan) -> Iterator[netns.Lan]:
    yield switch
    for host in switch.hosts:
        host.kill()


def test_all_behind_a_switch_hear_each_other(lan: netns.Lan) -> None:
    listener = lan.hosts[0].start(LISTEN_TO_ALL)
    listener.expect("listening")
    for host in lan.hosts[1:]:
        speaker = host.start(SPEAK_TO_ALL, host.address)
        assert speaker.wait() == 0, speaker.errors
        for kind in "broadcast", "multicast", "tcp":
            listener.expect(f"{kind} {host.address}")
    listener.kill()
    assert listener.status == -9


def test_nothing_else_is_behind_a_switch(lan: netns.Lan) -> None:
    program = lan.hosts[1].start(INTERFACES)
    assert (program.wait(), program.output, program.errors) == (0, "eth0 lo\n", "")


@pytest.mark.parametrize(("breaks", "repairs"), [("cut", "mend"), ("unplug", "plug")])
def test_a_connection_outlives_a_link_that_is_cut_and_mended(lan: netns.Lan, breaks: str, repairs: str) -> None:
    """While it is cut there is silence; the interface stays up, or goes down where it is unplugged; no error either."""
    echo = lan.hosts[0].start(ECHO)
    echo.expect("listening")
    host = lan.hosts[2]
    talker = host.start(TALK)
    talker.expect("heard")
    getattr(host, breaks)()
    before = len(talker.lines)
    talker.until(lambda: [line[:7] for line in talker.lines[-3:]] == ["silence"] * 3, 10, "still hears something")
    flags = host.start(UP)
    assert flags.wait() == 0, flags.errors
    assert flags.output == f"{breaks == 'cut'}\n"
    getattr(host, repairs)()
    talker.until(lambda: any(line.startswith("heard") for line in talker.lines[before + 4 :]), 10, "hears nothing")
    host.kill()
    assert talker.status == -9


def test_a_host_is_taken_away_and_another_one_added(lan: netns.Lan) -> None:
    """The one that is added has an address of its own; who was connected with the one taken away is not told."""
    listener = lan.hosts[0].start(ECHO)
    listener.expect("listening")
    new = lan.add()
    assert new.address not in [host.address for host in lan.hosts if host is not new]
    talker = new.start(TALK)
    talker.expect("heard")
    lan.remove(new)
    assert talker.status == -9
    assert new not in lan.hosts
    assert listener.status is None


def test_a_program_behind_a_switch_tells_how_it_ends(lan: netns.Lan) -> None:
    """Its arguments, output, status and traceback are those of any program, and atexit runs."""
    program = lan.hosts[0].start(
        "import atexit, sys\natexit.register(print, 'bye')\nprint(*sys.argv[1:])\nraise LookupError('no way')",
        "a",
        "b c",
    )
    assert program.wait() == 1
    assert program.lines == ["a b c", "bye"]
    assert program.errors.endswith("LookupError: no way\n")


def test_what_still_runs_behind_a_switch_ends_with_it() -> None:
    if netns.unswitched():
        pytest.skip(netns.unswitched())
    with netns.switched(1) as lan:
        program = lan.hosts[0].start("import time; print('up'); time.sleep(100)")
        program.expect("up")
    assert program.status == -9


def test_a_host_on_a_cable_has_no_switch(hosts: tuple[netns.Host, netns.Host]) -> None:
    with pytest.raises(ValueError, match="behind no switch"):
        hosts[0].cut()
