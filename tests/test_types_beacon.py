"""Beacon: presence and discovery, as an object. It broadcasts, and so runs on networks made for the tests only."""

from __future__ import annotations

import netns
import pytest

pytestmark = pytest.mark.requires_netns

#: What the programs have in common. PATIENCE is for what must happen, QUIET for what must not; in milliseconds.
COMMON = """
import gc, os, select, signal, sys, threading
from pyczmq import C, zbeacon, zmq, zpoller, zsocket
from pyczmq.types import Again, Beacon, ContextTerminated, ZMQError
from pyczmq.types.beacon import Announcement, recv_announcement

PATIENCE, QUIET, PORT = 10000, 300, 9999

def raises(error, text, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except error as raised:
        assert text in str(raised), raised
        return raised
    raise AssertionError(f"no {error.__name__}: {text}")
"""


def run(program: str, *args: str) -> str:
    """Run a program on one host of a network of its own, and return what it printed; it must end well."""
    done = netns.run(COMMON + program, *args)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_two_hosts_find_each_other(hosts: tuple[netns.Host, netns.Host]) -> None:
    """Two programs on two hosts learn each other's address and announcement, by iteration."""
    program = (
        COMMON
        + """
name = sys.argv[1].encode()
with Beacon(PORT, interval=30) as beacon:
    beacon.publish(b"NODE/0" + name)
    beacon.subscribe("NODE/")
    for address, payload in beacon:
        print(beacon.hostname, address, payload[len("NODE/0"):], flush=True)
        break
    # The other one must have heard this one, too, before it may go.
    beacon.publish(b"NODE/1" + name)
    while not payload.startswith(b"NODE/1"):
        payload = beacon.recv(timeout=PATIENCE).payload
    beacon.poll(QUIET)
"""
    )
    children = [host.popen(program, name) for host, name in zip(hosts, ("left", "right"))]
    outputs = [child.communicate(timeout=30) for child in children]
    assert [child.returncode for child in children] == [0, 0], outputs
    left, right = hosts[0].address, hosts[1].address
    assert outputs[0] == (f"{left} {right} b'right'\n", "")
    assert outputs[1] == (f"{right} {left} b'left'\n", "")


def test_publish_and_hear() -> None:
    """An announcement is a named tuple of the address, and of any bytes; filters and silences hold."""
    run("""
speaker, listener = Beacon(PORT), Beacon(PORT, interval=1000)
speaker.publish("%s\\udcff\\0", 20)
assert not listener.poll(50)
listener.subscribe()
heard = listener.recv(timeout=PATIENCE)
assert isinstance(heard, Announcement)
assert heard == (heard.address, heard.payload) == (speaker.hostname, b"%s\\xff\\0")
listener.subscribe("other")
speaker.publish(memoryview(b"other"))
while heard.payload != b"other":
    heard = listener.recv(timeout=PATIENCE)
speaker.silence()
while listener.poll(QUIET):
    listener.recv()
assert listener.recv_nowait() is None
speaker.set_interval(10)
speaker.publish(b"other again")
assert listener.recv() == (speaker.hostname, b"other again")
listener.unsubscribe()
while listener.poll(QUIET):
    listener.recv()
assert repr(speaker) == f"<Beacon on port {PORT}>"
""")


def test_waiting() -> None:
    """Again once the time has passed; a poller, and the descriptor, tell of what comes after the last was taken."""
    run("""
speaker, listener = Beacon(PORT, interval=10), Beacon(PORT)
for timeout in 0, 20:
    error = raises(Again, "recv on <Beacon on port 9999>", listener.recv, timeout=timeout)
    assert isinstance(error, TimeoutError)
listener.subscribe("x")
assert listener.recv_nowait() is None
speaker.publish("x")
assert listener.poll(-1) and listener.poll()
assert listener.recv(timeout=-1).payload == b"x"
poller = zpoller.new(speaker._pollable(), listener._pollable())
assert zpoller.wait(poller, PATIENCE) is zbeacon.socket(listener.handle)

handle = listener._pollable()
sleep = select.poll()
sleep.register(zsocket.fd(handle), select.POLLIN)
heard = 0
while heard < 20:
    found = recv_announcement(handle, handle)
    if found is not None:
        assert found.payload == b"x"
        heard += 1
    else:
        assert zmq.errno() == zmq.EAGAIN
        assert sleep.poll(PATIENCE)
""")


def test_ctrl_c() -> None:
    """Ctrl-C ends a wait of any length, and the beacon goes on."""
    run("""
listener = Beacon(PORT)
for wait in (
    lambda: listener.recv(),
    lambda: listener.recv(timeout=-1),
    lambda: listener.recv(timeout=60000),
    lambda: listener.poll(-1),
    lambda: list(listener),
):
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    raises(KeyboardInterrupt, "", wait)
    timer.join()
speaker = Beacon(PORT, interval=10)
speaker.publish("x")
listener.subscribe()
assert listener.recv(timeout=PATIENCE).payload == b"x"
""")


def test_the_end_of_the_context() -> None:
    """recv raises ContextTerminated once CZMQ's process-wide context has ended, and iteration ends."""
    run("""
beacon = Beacon(PORT)
C.zmq_ctx_shutdown(C.zsys_init())
raises(ContextTerminated, "recv on <Beacon", beacon.recv)
assert list(beacon) == []
""")


def test_iteration_ends_when_closed() -> None:
    run("""
speaker, listener = Beacon(PORT, interval=10), Beacon(PORT)
speaker.publish("x")
listener.subscribe()
for address, payload in listener:
    listener.close()
assert list(listener) == []
""")


def test_no_interface() -> None:
    """Where no interface can broadcast there is an OSError that says so."""
    with netns.network() as (host, _):
        host.ip("link set eth0 down")
        done = host.run(COMMON + "raises(OSError, 'beacon on port 9999: no interface can broadcast', Beacon, PORT)")
        assert (done.returncode, done.stderr) == (0, ""), done


def test_closed() -> None:
    """Everything but another close is refused once it is closed, or its handle was destroyed by other means."""
    run("""
closed, destroyed = Beacon(PORT), Beacon(PORT)
assert closed.beacon is closed.handle
closed.close()
closed.close()
zbeacon.destroy(destroyed.handle)
assert repr(closed) == "<Beacon on port 9999 closed>"
for beacon in closed, destroyed:
    assert beacon.closed
    for call in (
        beacon.recv, beacon.recv_nowait, beacon.poll, beacon.silence, beacon.subscribe, beacon.unsubscribe,
        lambda: beacon.publish("x"), lambda: beacon.set_interval(10), lambda: beacon.hostname,
    ):
        raises(ValueError, "the beacon is closed", call)
for call in lambda: closed.handle, lambda: closed.beacon, closed._pollable, closed.__enter__:
    raises(ValueError, "the beacon is closed", call)
destroyed.close()
""")


def test_two_threads() -> None:
    """A thread that comes while another waits gets a RuntimeError; the one that waits is not disturbed."""
    run("""
speaker, listener = Beacon(PORT, interval=10), Beacon(PORT)
listener.subscribe()
heard = []
thread = threading.Thread(target=lambda: heard.append(listener.recv()))
thread.start()
while listener._lock.acquire(False):
    listener._lock.release()
for call in (
    listener.recv, listener.recv_nowait, listener.poll, listener.silence, listener.subscribe, listener.unsubscribe,
    listener.close, lambda: listener.publish("x"), lambda: listener.set_interval(10), lambda: listener.hostname,
):
    raises(RuntimeError, "the beacon is in use in another thread", call)
speaker.publish("x")
thread.join()
assert heard == [(speaker.hostname, b"x")]
""")


def test_misuse() -> None:
    """Arguments that are none are refused by their names, and the beacon goes on."""
    run("""
for bad in None, "9999", 1.5, object():
    raises(TypeError, "port must be an int", Beacon, bad)
for bad in 0, -1, 65536, 2**70:
    raises(ValueError, "port must be from", Beacon, bad)
for bad in "1", 1.5, object():
    raises(TypeError, "interval must be an int", Beacon, PORT, interval=bad)
for bad in -1, 2**31:
    raises(ValueError, "interval must be from", Beacon, PORT, interval=bad)
with Beacon(PORT) as beacon:
    for bad in None, 1, object(), []:
        raises(TypeError, "transmit must be", beacon.publish, bad)
        raises(TypeError, "filter must be", beacon.subscribe, bad)
        raises(TypeError, "interval must be", beacon.set_interval, "1")
    for bad in b"", b"x" * 256, memoryview(b"abcd")[::2]:
        raises(ValueError, "transmit must be", beacon.publish, bad)
    raises(ValueError, "filter must be", beacon.subscribe, "x" * 256)
    for bad in -1, 2**31:
        raises(ValueError, "interval", beacon.publish, "x", bad)
    for bad, error in ("1", TypeError), (1.5, TypeError), (-2, ValueError), (2**31, ValueError):
        raises(error, "timeout must be", beacon.recv, timeout=bad)
        raises(error, "timeout must be", beacon.poll, bad)
    with Beacon(PORT, interval=10) as speaker:
        beacon.subscribe()
        speaker.publish("x")
        assert beacon.recv(timeout=PATIENCE).payload == b"x"
""")


def test_forgotten_and_forked() -> None:
    """A beacon that nobody refers to is ended; a child makes its own; a program that forgets its beacons ends."""
    run("""
import weakref
beacon = Beacon(PORT)
gone = weakref.ref(beacon.handle)
del beacon
for _ in range(4):
    gc.collect()
assert gone() is None
beacon = Beacon(PORT)
child = os.fork()
if not child:
    assert beacon.closed
    beacon = Beacon(PORT)
beacon.publish("x")
beacon.subscribe("y")
beacon.recv_nowait()
if child:
    assert os.waitpid(child, 0)[1] == 0
""")
