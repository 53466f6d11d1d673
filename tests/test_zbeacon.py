"""zbeacon: beacons, which broadcast, and so do it on networks made for the tests only."""

from __future__ import annotations

import re
import time

import netns
import pytest

pytestmark = pytest.mark.requires_netns

#: What the programs have in common. PATIENCE is for what must happen, QUIET for what must not; in milliseconds.
COMMON = """
import gc, os, signal, sys, time
from pyczmq import C, ffi, zactor, zbeacon, zctx, zframe, zmq, zpoller, zsocket, zstr

PATIENCE, QUIET, PORT = 10000, 400, 9999

def hear(beacon, timeout=PATIENCE):
    socket = zbeacon.socket(beacon)
    return zstr.recvx(socket) if zsocket.poll(socket, timeout) else None

def drain(beacon):
    while hear(beacon, 0):
        pass

def raises(error, text, function, *args):
    try:
        function(*args)
    except error as raised:
        assert text in str(raised), raised
    else:
        raise AssertionError(f"no {error.__name__}: {text}")
"""


def run(program: str, *args: str) -> str:
    """Run a program on one host of a network of its own, and return what it printed; it must end well."""
    done = netns.run(COMMON + program, *args)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_two_hosts_find_each_other(hosts: tuple[netns.Host, netns.Host]) -> None:
    """Two programs on two hosts learn each other's address and announcement."""
    program = (
        COMMON
        + """
beacon = zbeacon.new(PORT)
zbeacon.set_interval(beacon, 50)
zbeacon.publish(beacon, b"NODE/0")
zbeacon.subscribe(beacon, b"NODE/")
address, announcement = hear(beacon)
print(zbeacon.hostname(beacon), address, flush=True)
# The other one must have heard this one, too, before it may go.
zbeacon.publish(beacon, b"NODE/1" + sys.argv[1].encode())
while not announcement.startswith("NODE/1"):
    address, announcement = hear(beacon)
print(announcement)
hear(beacon, QUIET)
"""
    )
    # Equal announcements are taken for the own ones, so each says who it is.
    program = program.replace('b"NODE/0"', 'b"NODE/0" + sys.argv[1].encode()')
    children = [host.popen(program, name) for host, name in zip(hosts, ("left", "right"))]
    outputs = [child.communicate(timeout=30) for child in children]
    assert [child.returncode for child in children] == [0, 0], outputs
    left, right = hosts[0].address, hosts[1].address
    assert outputs[0] == (f"{left} {right}\nNODE/1right\n", "")
    assert outputs[1] == (f"{right} {left}\nNODE/1left\n", "")


def test_replay_of_the_old_test() -> None:
    """The old pyczmq's own test: a service announces its port, a client finds it."""
    run("""
ctx = zctx.new()
service = zsocket.new(ctx, zmq.PUSH)
port_nbr = zsocket.bind(service, "tcp://127.0.0.1:*")
service_beacon = zbeacon.new(PORT)
zbeacon.set_interval(service_beacon, 100)
zbeacon.publish(service_beacon, str(port_nbr))

client_beacon = zbeacon.new(ctx, PORT)
zbeacon.subscribe(client_beacon, "")
beacon_socket = zbeacon.socket(client_beacon)
zsocket.set_rcvtimeo(beacon_socket, PATIENCE)
ipaddress = zstr.recv(beacon_socket)
content = zframe.recv(beacon_socket)
assert ipaddress == zbeacon.hostname(service_beacon) == "10.77.0.1"
assert int(zframe.data(content)[:]) == port_nbr
zframe.destroy(content)
zbeacon.destroy(service_beacon)
zctx.destroy(ctx)
""")


def test_filters() -> None:
    """Of three nodes one hears those that its filter fits: not the third's, and never its own."""
    run("""
node1, node2, node3 = (zbeacon.new(None, 5670) for _ in range(3))
for node, text in (node1, b"NODE/1"), (node2, b"NODE/2"), (node3, b"GARBAGE"):
    zbeacon.set_interval(node, 50)
    zbeacon.publish(node, text)
zbeacon.subscribe(node1, b"NODE")
poller = zpoller.new(*map(zbeacon.socket, (node1, node2, node3)))
for _ in range(5):
    which = zpoller.wait(poller, PATIENCE)
    assert which is zbeacon.socket(node1)
    assert zstr.recvx(which) == [zbeacon.hostname(node2), "NODE/2"]
zbeacon.subscribe(node1, "GARBAGE")
while hear(node1)[1] != "GARBAGE":
    pass
zbeacon.subscribe(node1, bytearray(b"x" * 255))
drain(node1)
while hear(node1, QUIET):
    pass
zbeacon.subscribe(node1)
heard = set()
while heard != {"NODE/2", "GARBAGE"}:
    heard.add(hear(node1)[1])
""")


def test_silence_and_unsubscribe() -> None:
    """A beacon that is silenced is heard no more, and one that has unsubscribed hears nothing; both can begin again."""
    run("""
speaker, listener = zbeacon.new(PORT), zbeacon.new(PORT)
zbeacon.set_interval(speaker, 30)
assert hear(listener, 100) is None
zbeacon.subscribe(listener)
assert hear(listener, 100) is None
zbeacon.publish(speaker, "Hello")
assert hear(listener)[1] == "Hello"
zbeacon.silence(speaker)
while hear(listener, QUIET):
    pass
zbeacon.silence(speaker)
# Silence does not end at a new interval.
zbeacon.set_interval(speaker, 20)
assert hear(listener, 100) is None
zbeacon.publish(speaker, "Again")
assert hear(listener)[1] == "Again"
zbeacon.unsubscribe(listener)
while hear(listener, QUIET):
    pass
zbeacon.subscribe(listener, "Ag")
assert hear(listener)[1] == "Again"
""")


def test_interval() -> None:
    """Beacons come at the interval; a new one holds at once, and one that is set before publishing holds, too."""
    run("""
def count(seconds):
    end, beacons = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        beacons += hear(listener, 10) is not None
    return beacons

speaker, listener = zbeacon.new(PORT), zbeacon.new(PORT)
zbeacon.subscribe(listener)
zbeacon.publish(speaker, "x")
assert hear(listener)
assert hear(listener, 500) is None
zbeacon.set_interval(speaker, 100)
assert 3 <= count(1) <= 12
zbeacon.set_interval(speaker, 10)
assert count(1) > 15
zbeacon.set_interval(speaker, 0)
hear(listener), drain(listener)
assert count(0.5) <= 1
""")


def test_own_beacons_are_not_heard() -> None:
    """A beacon never hears what is the same as its own, be it from another; it hears all else on the same host."""
    run("""
one, other = zbeacon.new(PORT), zbeacon.new(PORT)
for beacon in one, other:
    zbeacon.noecho(beacon)
    zbeacon.set_interval(beacon, 30)
    zbeacon.subscribe(beacon)
zbeacon.publish(one, "same")
assert hear(other)[1] == "same"
zbeacon.publish(other, "same")
drain(other)
assert hear(one, QUIET) is None
zbeacon.publish(other, "different")
assert hear(one)[1] == "different"
""")


def test_bytes_of_any_kind() -> None:
    """An announcement is any 1 to 255 bytes, from any buffer, and arrives as it was sent."""
    run("""
speaker, listener = zbeacon.new(PORT), zbeacon.new(PORT)
zbeacon.set_interval(speaker, 20)
zbeacon.subscribe(listener)
for sent in (
    b"x", b"\\0", bytes(range(255)), b"\\xff" * 255, bytearray(b"a\\0b"), memoryview(b"view"), "\\udcff\\u20ac",
    "%s%n", 255 * "x",
):
    zbeacon.publish(speaker, sent)
    wanted = sent.encode("utf-8", "surrogateescape") if isinstance(sent, str) else bytes(sent)
    while True:
        address, frame = zstr.recv(zbeacon.socket(listener)), zframe.recv(zbeacon.socket(listener))
        content = zframe.data(frame)[:]
        zframe.destroy(frame)
        if content == wanted:
            break
""")


def test_no_interface() -> None:
    """Where no interface can broadcast there is no beacon, but None, as often as one asks; later there may be one."""
    with netns.network() as (host, _):
        host.ip("link set eth0 down")
        done = host.run(COMMON + "print([zbeacon.new(PORT) for _ in range(3)])")
        assert (done.returncode, done.stderr) == (0, ""), done
        assert "[None, None, None]" in done.stdout
        host.ip("link set eth0 up")
        done = host.run(COMMON + "print(zbeacon.hostname(zbeacon.new(PORT)))")
        assert done.stdout == "10.77.0.1\n"


SETTINGS = [
    ("C.zsys_set_interface(b'*')", r"\*"),
    ("C.zsys_set_interface(b'0')", r"10\.77\.0\.1"),
    ("C.zsys_set_interface(b'eth0')", r"10\.77\.0\.1"),
    ("C.zsys_set_interface(b'10.77.0.1')", r"10\.77\.0\.1"),
    ("C.zsys_set_interface(b'7')", "None"),
    ("C.zsys_set_interface(b'%s%n')", "None"),
    ("C.zsys_set_ipv6(1)", "None|fe80::.*%eth0"),
    ("C.zsys_set_ipv6(1); C.zsys_set_ipv6_mcast_address(b'nonsense')", "ValueError"),
    ("C.zsys_set_ipv6(1); C.zsys_set_ipv6_mcast_address(b'::1')", "ValueError"),
    ("C.zsys_set_ipv6(1); C.zsys_set_interface(b'eth0'); C.zsys_set_ipv6_address(b'nonsense')", "ValueError"),
    ("os.environ['ZSYS_IPV6'] = '1'; os.environ['ZSYS_IPV6_MCAST_ADDRESS'] = '::1'", "ValueError"),
    ("os.environ['ZSYS_IPV4_MCAST_ADDRESS'] = 'nonsense'; C.zsys_set_interface(b'*')", "ValueError"),
    ("os.environ['ZSYS_IPV4_MCAST_ADDRESS'] = '10.0.0.1'; C.zsys_set_interface(b'*')", "ValueError"),
    ("os.environ['ZSYS_IPV4_MCAST_ADDRESS'] = '239.0.0.1'", "ValueError"),
    ("os.environ['ZSYS_IPV4_MCAST_ADDRESS'] = '239.0.0.1'; C.zsys_set_ipv6(1)", "ValueError"),
]


@pytest.mark.parametrize(("setting", "outcome"), SETTINGS)
def test_network_settings(setting: str, outcome: str) -> None:
    """CZMQ's network settings choose the interface; those that its actor aborts at are a ValueError."""
    output = run(f"""
{setting}
try:
    beacon = zbeacon.new(PORT)
    print(beacon and zbeacon.hostname(beacon))
except ValueError as error:
    assert "CZMQ's network settings" in str(error)
    print("ValueError")
""")
    assert re.fullmatch(outcome, output.splitlines()[-1]), output


def test_ctrl_c_while_receiving() -> None:
    """Ctrl-C ends the wait for a beacon at once; the beacon goes on."""
    run("""
import threading
listener, speaker = zbeacon.new(PORT), zbeacon.new(PORT)
zbeacon.subscribe(listener)
socket = zbeacon.socket(listener)
for receive in zstr.recv, zframe.recv, lambda socket: zsocket.poll(socket, -1):
    sent = []
    def interrupt():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)
    threading.Timer(0.3, interrupt).start()
    try:
        receive(socket)
    except KeyboardInterrupt:
        assert time.monotonic() - sent[0] < 0.2
    else:
        raise AssertionError("not interrupted")
zbeacon.publish(speaker, "Hello")
assert hear(listener)[1] == "Hello"
""")


def test_signals_do_not_end_it() -> None:
    """A storm of signals reaches Python's handler, and neither the beacon's thread nor half a command."""
    run("""
caught = []
signal.signal(signal.SIGALRM, lambda *_: caught.append(1))
speaker, listener = zbeacon.new(PORT), zbeacon.new(PORT)
zbeacon.subscribe(listener)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)
for number in range(500):
    zbeacon.publish(speaker, str(number))
    zbeacon.set_interval(speaker, 20)
while hear(listener)[1] != "499":
    pass
signal.setitimer(signal.ITIMER_REAL, 0)
assert len(caught) > 20
""")


def test_nobody_listens_to_the_socket() -> None:
    """A beacon whose socket nobody reads stops at its high-water mark; its commands can be interrupted, and it ends."""
    start = time.monotonic()
    output = run("""
import threading
C.zsys_init()
C.zsys_set_pipehwm(2)
speaker, listener = zbeacon.new(PORT), zbeacon.new(PORT)
zbeacon.set_interval(speaker, 5)
zbeacon.publish(speaker, "x")
zbeacon.subscribe(listener)
end = time.monotonic() + 1
threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    while True:
        zbeacon.subscribe(listener)
except KeyboardInterrupt:
    pass
assert time.monotonic() < end + 1
zbeacon.destroy(listener)
""")
    assert output == ""
    assert time.monotonic() - start < 8


# ---------------------------------------------------------------- lifetimes


def test_socket_and_beacon() -> None:
    """There is one handle for the socket; it keeps the beacon alive, and is refused once the beacon is destroyed."""
    run("""
import weakref
speaker = zbeacon.new(PORT)
zbeacon.set_interval(speaker, 30)
zbeacon.publish(speaker, "Hello")
beacon = zbeacon.new(PORT)
zbeacon.subscribe(beacon)
socket = zbeacon.socket(beacon)
assert zbeacon.socket(beacon) is socket
gone = weakref.ref(beacon)
del beacon
for _ in range(4): gc.collect()
assert gone() is not None
assert zstr.recvx(socket)[1] == "Hello"
zbeacon.destroy(gone())
raises(ValueError, "was closed with its beacon", zstr.recv, socket)
raises(ValueError, "was closed with its beacon", zsocket.poll, socket, 0)
del socket
for _ in range(4): gc.collect()
assert gone() is None

beacon = zbeacon.new(PORT)
socket = zbeacon.socket(beacon)
socket_gone, gone = weakref.ref(socket), weakref.ref(beacon)
del socket
for _ in range(4): gc.collect()
assert socket_gone() is None
zbeacon.subscribe(beacon)
assert hear(beacon)[1] == "Hello"
del beacon
for _ in range(4): gc.collect()
assert gone() is None
""")


def test_destroy_once() -> None:
    """A beacon is destroyed once and refused afterwards by every function; None is let through."""
    run("""
assert zbeacon.destroy(None) is None
beacon = zbeacon.new(PORT)
assert zbeacon.destroy(beacon) is None
for function, *args in (
    (zbeacon.destroy,), (zbeacon.hostname,), (zbeacon.set_interval, 1), (zbeacon.noecho,), (zbeacon.publish, "x"),
    (zbeacon.silence,), (zbeacon.subscribe,), (zbeacon.unsubscribe,), (zbeacon.socket,),
):
    raises(ValueError, "beacon was destroyed", function, beacon, *args)
""")


def test_many_in_a_row() -> None:
    """Beacons come and go, and leave no socket behind; the garbage collector ends those that nobody refers to."""
    run("""
def use():
    beacon = zbeacon.new(PORT)
    zbeacon.publish(beacon, "x")
    zbeacon.socket(beacon)
    return beacon

zbeacon.destroy(use())
descriptors = len(os.listdir("/proc/self/fd"))
for _ in range(30):
    zbeacon.destroy(use())
for _ in range(30):
    cycle = [use()]
    cycle.append(cycle)
del cycle
deadline = time.monotonic() + 10
while len(os.listdir("/proc/self/fd")) > descriptors:
    gc.collect()
    assert time.monotonic() < deadline
""")


@pytest.mark.parametrize("alive", ["owned", "raw", "with socket"])
def test_the_interpreter_ends(alive: str) -> None:
    """A program that forgets its beacon ends at once, in silence and with status 0."""
    output = run(
        """
beacon = C.zbeacon_new(ffi.NULL, PORT) if sys.argv[1] == "raw" else zbeacon.new(PORT)
zbeacon.publish(beacon, "x")
zbeacon.subscribe(beacon)
if sys.argv[1] == "with socket":
    socket = zbeacon.socket(beacon)
    socket_too = [socket, beacon]
print(time.time())
""",
        alive,
    )
    assert len(output.split()) == 1, output
    # What is left is the end of the network that was made for it.
    assert time.time() - float(output) < 2


def test_forked_children_make_their_own() -> None:
    """A forked child refuses its parent's beacon and socket, and makes a beacon of its own; the parent's goes on."""
    output = run("""
beacon = zbeacon.new(PORT)
socket = zbeacon.socket(beacon)
zbeacon.subscribe(beacon)
child = os.fork()
if not child:
    raises(ValueError, "belongs to the parent", zbeacon.publish, beacon, "x")
    raises(ValueError, "belongs to the parent", zstr.recv, socket)
    mine = zbeacon.new(PORT)
    zbeacon.set_interval(mine, 30)
    zbeacon.subscribe(mine)
    zbeacon.publish(mine, "child")
    assert hear(mine)[1] == "parent"
    print("child", flush=True)
    zbeacon.publish(mine, "goodbye")
    hear(mine, QUIET)
    sys.exit()
assert hear(beacon)[1] == "child"
zbeacon.set_interval(beacon, 30)
zbeacon.publish(beacon, "parent")
while hear(beacon)[1] != "goodbye":
    pass
assert os.waitpid(child, 0)[1] == 0
print("parent")
""")
    assert output.split() == ["child", "parent"]


# ---------------------------------------------------------------- misuse


def test_ports() -> None:
    """A port is from 1 to 65535, in either shape of the call: C would abort at any other."""
    run("""
for port in 0, -1, 65536, 2**31, 2**70, -2**70:
    raises(ValueError, "port must be from 1 to 65535", zbeacon.new, port)
    raises(ValueError, "port must be from 1 to 65535", zbeacon.new, None, port)
for port in "9999", 1.5, b"x", [], zctx.new:
    raises(TypeError, "port must be an int", zbeacon.new, port)
    raises(TypeError, "port must be an int", zbeacon.new, None, port)
raises(TypeError, "port", zbeacon.new)
raises(TypeError, "port", zbeacon.new, None)
ctx = zctx.new()
raises(TypeError, "port", zbeacon.new, ctx)
for bad in 1, "ctx", ffi.cast("void *", 1):
    raises(TypeError, "ctx must be", zbeacon.new, bad, 9999)
zctx.destroy(ctx)
raises(ValueError, "ctx was destroyed", zbeacon.new, ctx, 9999)
for port in 1, 65535:
    zbeacon.destroy(zbeacon.new(port))
    zbeacon.destroy(zbeacon.new(ctx=zctx.new(), port=port))
    zbeacon.destroy(zbeacon.new(port=port))
""")


def test_arguments_that_are_none() -> None:
    """Too many bytes, none, another type, a negative interval: errors that name the argument; the beacon goes on."""
    run("""
beacon, listener = zbeacon.new(PORT), zbeacon.new(PORT)
for bad in b"", "", b"x" * 256, "ä" * 128, b"x" * 2**20:
    raises(ValueError, "transmit must be 1 to 255 bytes", zbeacon.publish, beacon, bad)
for bad in b"x" * 256, b"x" * 2**20:
    raises(ValueError, "filter must be at most 255 bytes", zbeacon.subscribe, beacon, bad)
for bad in None, 1, object(), [1]:
    raises(TypeError, "transmit", zbeacon.publish, beacon, bad)
    raises(TypeError, "filter", zbeacon.subscribe, beacon, bad)
for bad in -1, 2**31, -2**70:
    raises(ValueError, "interval", zbeacon.set_interval, beacon, bad)
for bad in None, "1", 0.5:
    raises(TypeError, "interval", zbeacon.set_interval, beacon, bad)
for bad in None, 1, "beacon", zctx.new(), ffi.cast("void *", 1):
    raises(TypeError, "beacon must be", zbeacon.publish, bad, "x")
    if bad is not None:
        raises(TypeError, "beacon must be", zbeacon.destroy, bad)
raises(ValueError, "beacon is NULL", zbeacon.publish, ffi.cast("zbeacon_t *", 0), "x")
raises(ValueError, "not a zbeacon_t", zbeacon.publish, ffi.cast("zbeacon_t *", 4096), "x")
zbeacon.subscribe(listener)
zbeacon.set_interval(beacon, 2**31 - 1)
zbeacon.publish(beacon, "Hello")
assert hear(listener)[1] == "Hello"
""")


def test_the_raw_floor() -> None:
    """The raw functions work as in CZMQ 2, and their handles mix with the namespace."""
    run("""
raw, listener = C.zbeacon_new(ffi.NULL, PORT), zbeacon.new(PORT)
assert ffi.string(C.zbeacon_hostname(raw)).decode() == zbeacon.hostname(raw) == "10.77.0.1"
C.zbeacon_set_interval(raw, 50)
C.zbeacon_noecho(raw)
C.zbeacon_publish(raw, b"NODE/1", 6)
C.zbeacon_subscribe(raw, b"NODE/2xyz", 6)
zbeacon.subscribe(listener, "NODE")
assert hear(listener)[1] == "NODE/1"
zbeacon.publish(listener, b"NODE/2")
assert hear(raw)[1] == "NODE/2"
C.zbeacon_unsubscribe(raw)
C.zbeacon_subscribe(raw, ffi.NULL, 0)
assert zsocket.poll(C.zbeacon_socket(raw), PATIENCE)
C.zbeacon_silence(raw)
pointer = ffi.new("zbeacon_t **", raw)
C.zbeacon_destroy(pointer)
assert not pointer[0]
C.zbeacon_destroy(pointer)
raises(ValueError, "not a zbeacon_t that is alive", C.zbeacon_silence, raw)
again = C.zbeacon_new(ffi.NULL, PORT)
zbeacon.destroy(again)
raises(ValueError, "destroyed", zbeacon.silence, again)
""")


def test_actor() -> None:
    """`actor` is the beacon of CZMQ 4, and what C does not have is an AttributeError."""
    run("""
assert zbeacon.actor == C.zbeacon
raises(AttributeError, "nonsense", getattr, zbeacon, "nonsense")
""")


# ---------------------------------------------------------------- the actor of CZMQ 4


def test_replay_of_the_self_test() -> None:
    """CZMQ 4's own test: a speaker and a listener, then three nodes, as actors."""
    run("""
speaker, listener = (zactor.new(zbeacon.actor) for _ in range(2))
zbeacon.verbose(speaker)
assert zbeacon.configure(speaker, PORT) == zbeacon.configure(listener, PORT) == "10.77.0.1"
assert zbeacon.hostname(listener) == "10.77.0.1"
zbeacon.publish(speaker, bytes([0xCA, 0xFE]), 50)
zbeacon.subscribe(listener)
zsocket.set_rcvtimeo(zactor.resolve(listener), PATIENCE)
assert zstr.recv(listener) == "10.77.0.1"
content = zframe.recv(listener)
assert zframe.data(content)[:] == bytes([0xCA, 0xFE])
zframe.destroy(content)
zbeacon.silence(speaker)
zbeacon.destroy(listener)
zbeacon.destroy(speaker)

nodes = node1, node2, node3 = [zactor.new(zbeacon.actor) for _ in range(3)]
for node, text in (node1, b"NODE/1"), (node2, bytearray(b"NODE/2")), (node3, "RANDOM"):
    assert zbeacon.configure(node, 5670)
    zbeacon.set_interval(node, 50)
    zbeacon.publish(node, text)
zbeacon.subscribe(node1, "NODE")
poller = zpoller.new(*nodes)
for _ in range(5):
    assert zpoller.wait(poller, PATIENCE) is node1
    assert zstr.recvx(node1) == ["10.77.0.1", "NODE/2"]
zbeacon.unsubscribe(node1)
while zpoller.wait(poller, QUIET) is not None:
    zstr.recvx(node1)
for node in nodes:
    zactor.destroy(node)
""")


def test_actor_and_beacon_hear_each_other() -> None:
    """The two kinds of beacons speak the same language."""
    run("""
old, new = zbeacon.new(PORT), zactor.new(zbeacon.actor)
zbeacon.configure(new, PORT)
zbeacon.publish(old, b"OLD", 50)
zbeacon.publish(new, memoryview(b"NEW"), 50)
for beacon in old, new:
    zbeacon.noecho(beacon)
    zbeacon.subscribe(beacon, memoryview(b""))
assert hear(old) == ["10.77.0.1", "NEW"]
assert hear(new) == ["10.77.0.1", "OLD"]
assert zbeacon.socket(new) == C.zsock_resolve(new)
""")


def test_actor_is_configured_first() -> None:
    """Nothing is sent before there is a port, where C would abort; another port can be given, while beacons come in."""
    run("""
beacon, speaker = (zactor.new(zbeacon.actor) for _ in range(2))
for function, *arguments in (zbeacon.publish, b"x"), (zbeacon.set_interval, 1), (zbeacon.hostname,):
    raises(ValueError, "beacon was not given a port yet", function, beacon, *arguments)
zbeacon.silence(beacon)
zbeacon.subscribe(beacon)
zbeacon.unsubscribe(beacon)
for wrong in 0, -1, 65536:
    raises(ValueError, "port must be from 1 to 65535", zbeacon.configure, beacon, wrong)
raises(TypeError, "port must be an int", zbeacon.configure, beacon, "9999")
zbeacon.configure(beacon, PORT)
zbeacon.set_interval(beacon, 20)
zbeacon.subscribe(beacon)
zbeacon.configure(speaker, PORT)
zbeacon.publish(speaker, b"x", 1)
assert zsocket.poll(beacon, PATIENCE)
for _ in range(5):
    assert zbeacon.configure(beacon, PORT) == "10.77.0.1"
    assert hear(beacon) == ["10.77.0.1", "x"]
assert zbeacon.configure(beacon, PORT + 1) == "10.77.0.1"
drain(beacon)
zbeacon.publish(speaker, b"y", 1)
assert not hear(beacon, QUIET)
for wrong in b"", b"x" * 256:
    raises(ValueError, "transmit must be 1 to 255 bytes", zbeacon.publish, beacon, wrong)
raises(ValueError, "filter must be at most 255 bytes", zbeacon.subscribe, beacon, b"x" * 256)
raises(ValueError, "interval must be from 0", zbeacon.publish, beacon, b"x", -1)
raises(ValueError, "interval must be from 0", zbeacon.set_interval, beacon, -1)
""")


def test_actor_without_an_interface() -> None:
    """Where no interface can broadcast the address is empty; with settings that C aborts at it is a ValueError."""
    output = run("""
from pyczmq import zsys
zsys.set_interface("nosuch")
beacon = zactor.new(zbeacon.actor)
assert zbeacon.configure(beacon, PORT) == zbeacon.hostname(beacon) == ""
zbeacon.publish(beacon, b"x", 10)
zbeacon.silence(beacon)
zactor.destroy(beacon)
os.environ["ZSYS_IPV4_MCAST_ADDRESS"] = "nonsense"
if hasattr(C, "zsys_set_ipv4_mcast_address"):
    C.zsys_set_ipv4_mcast_address(b"nonsense")
raises(ValueError, "network settings", zbeacon.configure, zactor.new(zbeacon.actor), PORT)
""")
    assert "No broadcast interface found" in output


def test_misuse_of_actors() -> None:
    """Each function refuses actors of another kind, and those that have ended or are destroyed."""
    run("""
from pyczmq import _actors
functions = [
    (zbeacon.configure, PORT),
    (zbeacon.verbose,),
    (zbeacon.publish, b"x"),
    (zbeacon.set_interval, 10),
    (zbeacon.silence,),
    (zbeacon.subscribe,),
    (zbeacon.unsubscribe,),
    (zbeacon.noecho,),
    (zbeacon.hostname,),
    (zbeacon.socket,),
    (zbeacon.destroy,),
]
other = zactor.new(C.zproxy)
for function, *arguments in functions:
    raises(TypeError, "is another kind of actor", function, other, *arguments)
    raises(ValueError, "is NULL", function, ffi.cast("zactor_t *", 0), *arguments)
for function, *arguments in functions:
    beacon = zactor.new(zbeacon.actor)
    zbeacon.configure(beacon, PORT)
    zbeacon.publish(beacon, b"x")
    C.zstr_send(beacon, b"$TERM")
    C.zsock_wait(beacon)
    while not _actors.has_ended(beacon):
        pass
    if function not in (zbeacon.noecho, zbeacon.hostname, zbeacon.socket, zbeacon.destroy):
        raises(RuntimeError, "the actor has ended", function, beacon, *arguments)
    zactor.destroy(beacon)
    raises(ValueError, "was destroyed", function, beacon, *arguments)
raises(TypeError, "actor must be a", zbeacon.configure, zbeacon.new(PORT), PORT)
""")


def test_actor_whose_beacons_nobody_receives() -> None:
    """It can be told to end all the same, while it is stuck with a full pipe."""
    run("""
from pyczmq import zsys
zsys.set_pipehwm(1)
zsys.set_rcvhwm(1)
listener, speaker = (zactor.new(zbeacon.actor) for _ in range(2))
zbeacon.configure(listener, PORT)
zbeacon.configure(speaker, PORT)
zbeacon.subscribe(listener)
zbeacon.publish(speaker, b"x", 1)
assert zsocket.poll(listener, PATIENCE)
time.sleep(0.2)
start = time.monotonic()
zactor.destroy(listener)
assert time.monotonic() - start < 2
""")


def test_czmqs_own_test() -> None:
    """CZMQ's self-test of its actor passes."""
    run("zbeacon.test()")
