"""zsocket: making, binding, connecting and polling sockets, signals between them, and what they refuse."""

from __future__ import annotations

import errno
import os
import signal
import socket as plain
import threading
import time

import children
import pytest
from common import collect, free_port

from pyczmq import C, ffi, zctx, zmq, zsocket, zstr, zsys

_free_names = iter(range(10**6))


def name() -> str:
    """An inproc endpoint that nobody else uses."""
    return f"inproc://test_zsocket.{next(_free_names)}"


@pytest.fixture
def ctx() -> object:
    """A context."""
    return zctx.new()


def pair(ctx: object, left: int = zsocket.PAIR, right: int = zsocket.PAIR) -> tuple[object, object]:
    """Two sockets that are connected over inproc."""
    endpoint = name()
    one, two = zsocket.new(ctx, left), zsocket.new(ctx, right)
    assert zsocket.bind(one, endpoint) == 0
    assert zsocket.connect(two, endpoint) == 0
    return one, two


# ---------------------------------------------------------------- the class's own example, and the old program


@pytest.mark.parametrize("port", ["65536", "99999999", "9" * 30])
def test_a_port_that_is_too_large(port: str) -> None:
    """libzmq would take it for another one."""
    socket = zsocket.new(zctx.new(), zmq.PUSH)
    assert socket is not None
    for function in zsocket.bind, zsocket.connect:
        assert function(socket, f"tcp://127.0.0.1:{port}") == -1
        assert zmq.errno() == zmq.EINVAL


def test_class_example(ctx: object) -> None:
    """A writer on a fixed port and a reader that connects to it; then a port that is chosen."""
    writer, reader = zsocket.new(ctx, zsocket.PUSH), zsocket.new(ctx, zsocket.PULL)
    assert zsocket.type_str(writer) == "PUSH"
    assert zsocket.type_str(reader) == "PULL"
    # A port that was free a moment ago stands for the example's 5560.
    service = free_port()
    assert zsocket.bind(writer, f"tcp://127.0.0.1:{service}") == service
    assert zsocket.connect(reader, f"tcp://127.0.0.1:{service}") == 0
    zstr.send(writer, "HELLO")
    assert zstr.recv(reader) == "HELLO"
    port = zsocket.bind(writer, "tcp://127.0.0.1:*")
    assert zsocket.DYNFROM <= port <= zsocket.DYNTO
    assert zsocket.poll(writer, 100) is False
    assert zsocket.connect(reader, "txp://127.0.0.1:5560") == -1
    assert zsocket.unbind(writer, f"tcp://127.0.0.1:{port}") == 0
    zsocket.destroy(ctx, writer)


def test_old_readme(ctx: object) -> None:
    """The pipeline of the old README, with its zsocket.PUSH."""
    push = zsocket.new(ctx, zsocket.PUSH)
    pull = zsocket.new(ctx, zsocket.PULL)
    zsocket.bind(push, "inproc://test")
    zsocket.connect(pull, "inproc://test")
    zstr.send(push, "foo")
    assert zstr.recv(pull) == "foo"
    zstr.send(push, "foo")
    zsocket.poll(pull, 1)
    assert zstr.recv_nowait(pull) == "foo"
    ctx = zctx.destroy(ctx)


# ---------------------------------------------------------------- new and destroy


@pytest.mark.parametrize(
    "kind", ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB", "STREAM"]
)
def test_every_type(ctx: object, kind: str) -> None:
    """A socket of each type can be made, knows its type, and is a plain libzmq socket."""
    socket = zsocket.new(ctx, getattr(zsocket, kind))
    assert ffi.typeof(socket) is ffi.typeof("void *")
    assert zsocket.type_str(socket) == kind
    assert zsocket.type(socket) == getattr(C, f"ZMQ_{kind}")


def test_unknown_type(ctx: object) -> None:
    """A type that libzmq does not know gives None, and libzmq's errno tells why."""
    for kind in (-1, 999, 2**31 - 1):
        assert zsocket.new(ctx, kind) is None
        assert ffi.errno == errno.EINVAL


def test_types_that_are_none(ctx: object) -> None:
    """A type that is no int is a TypeError, one that does not fit a ValueError; both name the argument."""
    for kind in (None, "PUSH", 8.0):
        with pytest.raises(TypeError, match="type must be"):
            zsocket.new(ctx, kind)
    with pytest.raises(ValueError, match="type must be"):
        zsocket.new(ctx, 2**31)


@pytest.mark.parametrize("kind", range(12, 21))
def test_draft_type_that_aborts(ctx: object, kind: int) -> None:
    """The draft types, over which a libzmq without drafts aborts sooner or later, are refused there."""
    if C.zmq_has(b"draft"):
        pytest.skip("this libzmq has its drafts")
    with pytest.raises(ValueError, match=f"type is {kind}, a draft"):
        zsocket.new(ctx, kind)
    with pytest.raises(ValueError, match=f"type is {kind}, a draft"):
        zsys.socket(kind)


def test_more_sockets_than_libzmq_allows() -> None:
    """At libzmq's limit new returns None, and a socket that is closed makes room."""
    ctx = zctx.new()
    first = zsocket.new(ctx, zsocket.PAIR)
    limit = C.zmq_ctx_get(zctx.underlying(ctx), C.ZMQ_MAX_SOCKETS)
    sockets = [first]
    while len(sockets) < limit + 10:
        socket = zsocket.new(ctx, zsocket.PAIR)
        if socket is None:
            assert ffi.errno == errno.EMFILE
            break
        sockets.append(socket)
    else:
        pytest.fail("there was no limit")
    zsocket.destroy(ctx, sockets.pop())
    deadline = time.monotonic() + 10
    while zsocket.new(ctx, zsocket.PAIR) is None:
        assert time.monotonic() < deadline


def test_destroy(ctx: object) -> None:
    """A destroyed socket is refused everywhere; None is let through."""
    socket = zsocket.new(ctx, zsocket.PAIR)
    assert zsocket.destroy(ctx, socket) is None
    calls = [
        lambda: zsocket.destroy(ctx, socket),
        lambda: zsocket.bind(socket, name()),
        lambda: zsocket.unbind(socket, name()),
        lambda: zsocket.connect(socket, name()),
        lambda: zsocket.disconnect(socket, name()),
        lambda: zsocket.poll(socket, 0),
        lambda: zsocket.type_str(socket),
        lambda: zsocket.sendmem(socket, b"x"),
        lambda: zsocket.signal(socket),
        lambda: zsocket.wait(socket),
        lambda: zsocket.set_hwm(socket, 1),
        lambda: zsocket.rcvhwm(socket),
        lambda: zsocket.set_rcvhwm(socket, 1),
        lambda: zsocket.identity(socket),
        lambda: zsocket.set_identity(socket, "me"),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"(socket|sock) was destroyed"):
            call()
    assert zsocket.destroy(ctx, None) is None


def test_destroy_in_another_context(ctx: object) -> None:
    """A socket of another context, or of none, is refused and stays open."""
    other = zctx.new()
    left, right = pair(ctx)
    with pytest.raises(ValueError, match="socket belongs to another context"):
        zsocket.destroy(other, left)
    with pytest.raises(ValueError, match="socket belongs to another context"):
        zsocket.destroy(zctx.shadow(ctx), left)
    with pytest.raises(ValueError, match="socket belongs to another context"):
        zsocket.destroy(ctx, zctx.underlying(ctx))
    assert zsocket.sendmem(left, b"open") == 0
    assert zstr.recv(right) == "open"


def test_destroy_of_a_raw_socket(ctx: object) -> None:
    """A socket of the raw floor is destroyed here, once."""
    socket = C.zsocket_new(ctx, zsocket.PAIR)
    zsocket.destroy(ctx, socket)
    with pytest.raises(ValueError, match="socket was destroyed"):
        zsocket.destroy(ctx, socket)


def test_endpoint_is_free_after_destroy(ctx: object) -> None:
    """What a destroyed or collected socket had bound can be bound anew."""
    endpoint = name()
    for _ in range(3):
        socket = zsocket.new(ctx, zsocket.PAIR)
        deadline = time.monotonic() + 10
        while zsocket.bind(socket, endpoint) != 0:
            assert time.monotonic() < deadline
        zsocket.destroy(ctx, socket)
    for _ in range(3):
        socket = zsocket.new(ctx, zsocket.PAIR)
        deadline = time.monotonic() + 10
        while zsocket.bind(socket, endpoint) != 0:
            assert time.monotonic() < deadline
        del socket
        collect()


WRONG = [None, 1, "sock", b"", object(), ffi.new("int *"), ffi.cast("zctx_t *", 8), ffi.cast("zframe_t *", 8)]


@pytest.mark.parametrize("bad", WRONG)
def test_wrong_handles(ctx: object, bad: object) -> None:
    """What is no socket is a TypeError that names the argument, and so is what is no context."""
    calls = [
        lambda: zsocket.bind(bad, name()),
        lambda: zsocket.unbind(bad, name()),
        lambda: zsocket.connect(bad, name()),
        lambda: zsocket.disconnect(bad, name()),
        lambda: zsocket.poll(bad, 0),
        lambda: zsocket.type_str(bad),
        lambda: zsocket.sendmem(bad, b"x"),
        lambda: zsocket.signal(bad),
        lambda: zsocket.wait(bad),
        lambda: zsocket.set_hwm(bad, 1),
        lambda: zsocket.rcvhwm(bad),
        lambda: zsocket.set_rcvhwm(bad, 1),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="sock must be a zsocket"):
            call()
    if bad is not None:
        with pytest.raises(TypeError, match="socket must be a void"):
            zsocket.destroy(ctx, bad)
    if not isinstance(bad, ffi.CData) or ffi.typeof(bad) is not ffi.typeof("zctx_t *"):
        with pytest.raises(TypeError, match=r"ctx must be a .*zctx_t"):
            zsocket.new(bad, zsocket.PAIR)
        with pytest.raises(TypeError, match=r"ctx must be a .*zctx_t"):
            zsocket.destroy(bad, None)


def test_null(ctx: object) -> None:
    """NULL is a ValueError."""
    with pytest.raises(ValueError, match="sock is NULL"):
        zsocket.poll(ffi.NULL, 0)
    with pytest.raises(ValueError, match="socket is NULL"):
        zsocket.destroy(ctx, ffi.NULL)
    with pytest.raises(ValueError, match="ctx is NULL"):
        zsocket.new(ffi.cast("zctx_t *", 0), zsocket.PAIR)


# ---------------------------------------------------------------- endpoints


def test_bind_returns_the_port(ctx: object) -> None:
    """Whatever way the port is given, bind returns it; 0 where an endpoint has none."""
    socket = zsocket.new(ctx, zsocket.PULL)
    assert zsocket.DYNFROM <= zsocket.bind(socket, "tcp://127.0.0.1:*") <= zsocket.DYNTO
    assert zsocket.DYNFROM <= zsocket.bind(socket, "tcp://127.0.0.1:!") <= zsocket.DYNTO
    assert zsocket.DYNFROM <= zsocket.bind(socket, b"tcp://*:*") <= zsocket.DYNTO
    chosen = zsocket.bind(socket, "tcp://127.0.0.1:0")
    assert zsocket.last_endpoint(socket) == f"tcp://127.0.0.1:{chosen}"
    assert chosen > 0
    assert zsocket.bind(socket, name()) == 0
    assert zsocket.bind(socket, "inproc://looks:like:55") == 0
    assert zsocket.bind(socket, "inproc://looks:like:*") == 0
    assert zsocket.last_endpoint(socket) == "inproc://looks:like:*"


@pytest.mark.skipif(os.name == "nt", reason="ipc needs Unix sockets")
def test_bind_to_a_file(ctx: object, tmp_path: object) -> None:
    """ipc endpoints have no port, not even where the path ends like one."""
    left, right = zsocket.new(ctx, zsocket.PAIR), zsocket.new(ctx, zsocket.PAIR)
    endpoint = f"ipc://{os.path.relpath(tmp_path)}/socket:55"
    assert zsocket.bind(left, endpoint) == 0
    assert zsocket.connect(right, endpoint) == 0
    assert zsocket.sendmem(left, b"file") == 0
    assert zstr.recv(right) == "file"


def test_bind_takes_the_first_free_port(ctx: object) -> None:
    """`*` goes up from the first port of the range and passes over those in use; a full range is -1."""
    sockets = [zsocket.new(ctx, zsocket.PULL) for _ in range(3)]
    base = zsocket.bind(sockets[0], "tcp://127.0.0.1:*")
    endpoint = f"tcp://127.0.0.1:*[{base}-{base + 50}]"
    second = zsocket.bind(sockets[1], endpoint)
    assert base < second <= base + 50
    assert second < zsocket.bind(sockets[2], endpoint) <= base + 50
    assert zsocket.bind(sockets[1], f"tcp://127.0.0.1:*[{base}-{base}]") == -1
    assert ffi.errno == errno.EADDRINUSE
    assert zsocket.bind(sockets[1], f"tcp://127.0.0.1:![{base}-{base}]") == -1


def test_bind_takes_a_random_port(ctx: object) -> None:
    """`!` takes any port of its range, sooner or later all of them."""
    socket = zsocket.new(ctx, zsocket.PULL)
    base = zsocket.bind(socket, "tcp://127.0.0.1:*[57000-]")
    taken = {base}
    for _ in range(4):
        port = zsocket.bind(socket, f"tcp://127.0.0.1:![{base}-{base + 200}]")
        assert base < port <= base + 200
        taken.add(port)
    assert len(taken) == 5
    assert taken != set(range(base, base + 5))


@pytest.mark.parametrize("size", [1, 2, 9, 12, 31])
def test_bind_tries_every_random_port(ctx: object, size: int) -> None:
    """`!` fails only once there is no free port in its range, and then no port is there for `*` either."""
    socket = zsocket.new(ctx, zsocket.PULL)
    base = zsocket.bind(socket, "tcp://127.0.0.1:*[58000-]")
    ports = f"[{base}-{base + size - 1}]"
    taken = set()
    while (port := zsocket.bind(socket, f"tcp://127.0.0.1:!{ports}")) != -1:
        assert base < port < base + size
        assert port not in taken
        taken.add(port)
    assert ffi.errno == errno.EADDRINUSE
    assert zsocket.bind(socket, f"tcp://127.0.0.1:*{ports}") == -1


@pytest.mark.parametrize(
    "port",
    [
        "*[-]",
        "*[9-5]",
        "![9-5]",
        "*[99999-]",
        "*[-1]",
        "*[0-99999999999999999999]",
        "*[1-1",
        "*[a-b]",
        "*[]",
        "%d",
        "70000",
        "-1",
    ],
)
def test_bind_to_strange_ports(ctx: object, port: str) -> None:
    """A range that is empty or out of bounds, or no range at all, neither crashes nor hangs."""
    result = zsocket.bind(zsocket.new(ctx, zsocket.PULL), f"tcp://127.0.0.1:{port}")
    assert result == -1 or 0 < result <= 65535


ENDPOINTS = [
    "",
    "tcp",
    "tcp://",
    "tcp://:",
    "tcp://127.0.0.1",
    "tcp://127.0.0.1:",
    "tcp://127.0.0.1:99999999999999",
    "tcp://[:1",
    "tcp://%s%n%s%n:1",
    "tcp://" + "a" * 5000 + ":1",
    "nosuch://here",
    "://",
    "ipc://",
    "ipc://" + "x" * 500,
    "inproc://",
    "udp://127.0.0.1:9",
    "\udcff\udcfe://x",
    "☃",
    "tcp://☃:1",
]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("call", ["bind", "connect", "unbind", "disconnect"])
def test_strange_endpoints(ctx: object, call: str, endpoint: str) -> None:
    """An endpoint that makes no sense is -1 with libzmq's errno, and never a crash; no text is a format."""
    result = getattr(zsocket, call)(zsocket.new(ctx, zsocket.DEALER), endpoint)
    if result == -1:
        assert ffi.errno != 0
    else:
        # libzmq resolves some names only later, and cuts a port that is too large to 16 bits.
        assert call == "connect" or 0 < result < 65536


@pytest.mark.parametrize("call", ["bind", "connect", "unbind", "disconnect"])
def test_endpoints_that_are_no_text(ctx: object, call: str) -> None:
    """No text is a TypeError, a NUL byte inside a ValueError; both name the argument."""
    socket = zsocket.new(ctx, zsocket.DEALER)
    for endpoint in (None, 5560, bytearray(b"inproc://x"), object()):
        with pytest.raises(TypeError, match="endpoint must be"):
            getattr(zsocket, call)(socket, endpoint)
    with pytest.raises(ValueError, match="endpoint must not contain a NUL"):
        getattr(zsocket, call)(socket, "inproc://x\0y")


def test_unbind_and_disconnect(ctx: object) -> None:
    """0 for an endpoint that was bound or connected, -1 for any other."""
    server, client = zsocket.new(ctx, zsocket.PULL), zsocket.new(ctx, zsocket.PUSH)
    port = zsocket.bind(server, "tcp://127.0.0.1:*")
    endpoint = f"tcp://127.0.0.1:{port}"
    assert zsocket.connect(client, endpoint) == 0
    assert zsocket.disconnect(client, endpoint) == 0
    assert zsocket.disconnect(client, endpoint) == -1
    assert zsocket.unbind(server, endpoint) == 0
    assert zsocket.unbind(server, endpoint) == -1
    assert zsocket.unbind(server, "tcp://127.0.0.1:1") == -1


@pytest.mark.parametrize("kind", [zsocket.ROUTER, zsocket.STREAM])
@pytest.mark.parametrize("setter", ["set_connect_routing_id", "set_connect_rid", "set_connect_rid_bin"])
def test_routing_id_for_two_connections(ctx: object, kind: int, setter: str) -> None:
    """libzmq would assert that no two connections of a socket get the same routing id; here it is a ValueError."""
    server = zsocket.new(ctx, zsocket.DEALER if kind == zsocket.ROUTER else zsocket.STREAM)
    endpoint = f"tcp://127.0.0.1:{zsocket.bind(server, 'tcp://127.0.0.1:*')}"
    socket = zsocket.new(ctx, kind)
    set_ = getattr(zsocket, setter)
    set_(socket, b"peer")
    # Setting it twice for one connection, or after a connection that was not made, does no harm.
    assert zsocket.connect(socket, "nosuch://here") == -1
    set_(socket, b"peer")
    assert zsocket.connect(socket, endpoint) == 0
    with pytest.raises(ValueError, match="was used for another connection"):
        set_(socket, b"peer")
    set_(socket, b"another")
    assert zsocket.connect(socket, endpoint) == 0


@pytest.mark.skipif(os.name == "nt", reason="descriptors of Windows are others")
def test_use_fd(ctx: object) -> None:
    """A bind takes over a listening descriptor, once; libzmq would assert about any other."""
    listener = plain.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server, other, client = (zsocket.new(ctx, kind) for kind in (zsocket.PULL, zsocket.PULL, zsocket.PUSH))
    zsocket.set_use_fd(server, listener.fileno())
    with pytest.raises(ValueError, match="does not listen"):
        zsocket.bind(server, f"tcp://127.0.0.1:{port}")
    listener.listen()
    assert zsocket.bind(server, name()) == 0
    assert zsocket.bind(server, f"tcp://127.0.0.1:{port}") == port
    assert zsocket.use_fd(server) == -1
    zsocket.set_use_fd(other, listener.detach())
    with pytest.raises(ValueError, match="was handed over before"):
        zsocket.bind(other, f"tcp://127.0.0.1:{port}")
    assert zsocket.connect(client, f"tcp://127.0.0.1:{port}") == 0
    assert zsocket.sendmem(client, b"through") == 0
    assert zstr.recv(server) == "through"
    # The next bind makes a socket of its own.
    assert zsocket.bind(server, "tcp://127.0.0.1:*") > 0


@pytest.mark.skipif(os.name == "nt", reason="descriptors of Windows are others")
def test_use_fd_that_is_no_socket(ctx: object) -> None:
    """A file, or a descriptor that is closed, is a ValueError before libzmq can assert."""
    socket = zsocket.new(ctx, zsocket.PULL)
    reader, writer = os.pipe()
    try:
        for descriptor in (reader, writer, 2**31 - 1):
            zsocket.set_use_fd(socket, descriptor)
            with pytest.raises(ValueError, match=f"the descriptor {descriptor} is no socket"):
                zsocket.bind(socket, "tcp://127.0.0.1:*")
    finally:
        os.close(reader)
        os.close(writer)
    zsocket.set_use_fd(socket, -1)
    assert zsocket.bind(socket, "tcp://127.0.0.1:*") > 0


# ---------------------------------------------------------------- poll


def test_poll(ctx: object) -> None:
    """poll tells whether there is input, at once if there is and else after its time."""
    left, right = pair(ctx)
    start = time.monotonic()
    assert zsocket.poll(right, 60) is False
    assert time.monotonic() - start >= 0.05
    assert zsocket.poll(right, 0) is False
    zsocket.sendmem(left, b"x")
    assert zsocket.poll(right, 10000) is True
    assert zsocket.poll(right, 0) is True
    assert zsocket.poll(right, -1) is True


@pytest.mark.parametrize("msecs", [None, "10", 1.5])
def test_poll_for_no_time(ctx: object, msecs: object) -> None:
    """A time that is no int is a TypeError that names the argument, and one that does not fit a ValueError."""
    socket = zsocket.new(ctx, zsocket.PAIR)
    with pytest.raises(TypeError, match="msecs must be"):
        zsocket.poll(socket, msecs)
    with pytest.raises(ValueError, match="msecs must be"):
        zsocket.poll(socket, 2**31)


INTERRUPTED = """
    import signal, sys, threading, time, os
    from pyczmq import zctx, zsocket
    ctx = zctx.new()
    left, right = zsocket.new(ctx, zsocket.PAIR), zsocket.new(ctx, zsocket.PAIR)
    zsocket.bind(left, "inproc://x"); zsocket.connect(right, "inproc://x")
    zsocket.set_hwm(left, 1); full = zsocket.new(ctx, zsocket.PUSH)
    calls = {
        "poll": lambda: zsocket.poll(right, -1),
        "wait": lambda: zsocket.wait(right),
        "sendmem": lambda: zsocket.sendmem(full, b"x"),
        "signal": lambda: zsocket.signal(full),
    }
    sent = []
    def interrupt():
        time.sleep(0.2)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        calls[sys.argv[1]]()
    except KeyboardInterrupt:
        print(time.monotonic() - sent[0] < 1)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill")
@pytest.mark.parametrize("call", ["poll", "wait", "sendmem", "signal"])
def test_interrupt(call: str) -> None:
    """Ctrl-C comes out of each call that blocks."""
    assert children.check(INTERRUPTED, call) == "True\n"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no interval timer")
@pytest.mark.timeout(60, method="thread")
def test_poll_goes_on_after_a_signal(ctx: object) -> None:
    """A signal whose handler returns does not shorten the wait, nor lengthen it."""
    seen = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    start = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        assert zsocket.poll(zsocket.new(ctx, zsocket.PAIR), 300) is False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert 0.29 < time.monotonic() - start < 5
    assert len(seen) >= 2


# ---------------------------------------------------------------- sendmem, signal, wait


@pytest.mark.parametrize(
    ("data", "received"),
    [
        (b"", b""),
        (b"\0a\0", b"\0a\0"),
        (bytearray(b"array"), b"array"),
        (memoryview(b"a view")[2:], b"view"),
        ("text ☃", "text ☃".encode()),
        ("\udcff", b"\xff"),
        (b"x" * 2**20, b"x" * 2**20),
    ],
)
def test_sendmem(ctx: object, data: object, received: bytes) -> None:
    """Any bytes go out as one frame, whole; text as UTF-8."""
    left, right = pair(ctx)
    assert zsocket.sendmem(left, data) == 0
    frame = C.zframe_recv(right)
    assert bytes(ffi.buffer(C.zframe_data(frame), C.zframe_size(frame))) == received
    assert C.zframe_more(frame) == 0
    C.zframe_destroy(ffi.new("zframe_t **", frame))


def test_sendmem_flags(ctx: object) -> None:
    """MORE announces further frames, DONTWAIT does not block; both are zframe's."""
    left, right = pair(ctx)
    assert zsocket.sendmem(left, b"first", 1) == 0
    assert zsocket.sendmem(left, b"last", flags=0) == 0
    assert zstr.recv(right) == "first"
    assert zsocket.rcvmore(right) is True
    assert zstr.recv(right) == "last"
    assert zsocket.rcvmore(right) is False
    lonely = zsocket.new(ctx, zsocket.PUSH)
    assert zsocket.sendmem(lonely, b"nobody", 4) == -1
    assert ffi.errno == errno.EAGAIN
    zsocket.set_sndtimeo(lonely, 20)
    assert zsocket.sendmem(lonely, b"nobody") == -1
    assert zsocket.sendmem(right, b"PULL cannot send") == 0
    assert zsocket.sendmem(zsocket.new(ctx, zsocket.PULL), b"x") == -1


def test_sendmem_of_a_buffer_with_gaps(ctx: object) -> None:
    """A buffer whose bytes do not lie side by side is a ValueError, or goes out as what it shows."""
    left, right = pair(ctx)
    try:
        zsocket.sendmem(left, memoryview(b"abcdef")[::2])
    except ValueError as error:
        assert "contiguous" in str(error)
    else:
        assert zstr.recv(right) == "ace"


@pytest.mark.parametrize("data", [None, 5, ["x"], object()])
def test_sendmem_of_no_data(ctx: object, data: object) -> None:
    """What is neither text nor a buffer is a TypeError, and so are flags that are no int."""
    socket = zsocket.new(ctx, zsocket.PAIR)
    with pytest.raises(TypeError, match="data must be"):
        zsocket.sendmem(socket, data)
    with pytest.raises(TypeError, match="flags must be"):
        zsocket.sendmem(socket, b"x", "MORE")


def test_signals(ctx: object) -> None:
    """wait drops messages until a signal comes, and returns its status."""
    left, right = pair(ctx)
    for status in (0, 1, 255):
        assert zsocket.signal(left, status) == 0
        assert zsocket.wait(right) == status
    zsocket.sendmem(left, b"no signal")
    zsocket.sendmem(left, b"12345678")
    zsocket.sendmem(left, b"two", 1)
    zsocket.sendmem(left, b"frames")
    assert zsocket.signal(left) == 0
    assert zsocket.wait(right) == 0
    assert zsocket.poll(right, 0) is False


def test_signals_are_czmqs(ctx: object) -> None:
    """Signals from here are understood by CZMQ's own functions, and the other way round."""
    left, right = pair(ctx)
    zsocket.signal(left, 42)
    assert C.zsock_wait(right) == 42
    C.zsock_signal(right, 43)
    assert zsocket.wait(left) == 43


def test_signal_inside_a_message_is_none(ctx: object) -> None:
    """A frame that looks like a signal is none if it is a part of a longer message."""
    left, right = pair(ctx)
    looks = (0x7766554433221100).to_bytes(8, "little")
    zsocket.sendmem(left, looks, 1)
    zsocket.sendmem(left, looks)
    zsocket.signal(left, 7)
    assert zsocket.wait(right) == 7


def test_wait_gives_up(ctx: object) -> None:
    """wait is -1 once RCVTIMEO has passed, and on a socket that cannot receive."""
    left, _ = pair(ctx)
    zsocket.set_rcvtimeo(left, 20)
    assert zsocket.wait(left) == -1
    assert ffi.errno == errno.EAGAIN
    assert zsocket.wait(zsocket.new(ctx, zsocket.PUSH)) == -1


@pytest.mark.parametrize("status", [-1, 256, 10**30])
def test_signal_status_out_of_range(ctx: object, status: int) -> None:
    """A status is one byte."""
    with pytest.raises(ValueError, match="status must be"):
        zsocket.signal(zsocket.new(ctx, zsocket.PAIR), status)
    with pytest.raises(TypeError, match="status must be"):
        zsocket.signal(zsocket.new(ctx, zsocket.PAIR), "0")


# ---------------------------------------------------------------- other sockets, other threads


def test_zsock_and_zactor_handles() -> None:
    """The functions take zsock_t and zactor_t handles, too."""
    sock = C.zsock_new(zsocket.PULL)
    port = zsocket.bind(sock, "tcp://127.0.0.1:*")
    assert port > 0
    assert zsocket.type_str(sock) == "PULL"
    zsocket.set_rcvhwm(sock, 5)
    assert zsocket.rcvhwm(sock) == 5
    assert zsocket.poll(sock, 0) is False
    C.zsock_destroy_checked(ffi.new("zsock_t **", sock), b"", 0)


def test_terminated_context(ctx: object) -> None:
    """On a socket whose context has ended calls fail with libzmq's errno, and none crashes or hangs."""
    left, right = pair(ctx)
    C.zmq_ctx_shutdown(zctx.underlying(ctx))
    assert zsocket.sendmem(left, b"x") == -1
    assert zsocket.wait(right) == -1
    assert zsocket.poll(right, 1000) is False
    assert zsocket.bind(left, name()) == -1
    assert zsocket.connect(left, name()) == -1
    assert zsocket.signal(left) == -1
    assert zsocket.type_str(left) == "UNKNOWN"
    zsocket.set_rcvhwm(left, 5)
    with pytest.raises(OSError, match="terminated") as caught:
        zsocket.rcvhwm(left)
    assert caught.value.errno == C.ETERM
    assert zsocket.new(ctx, zsocket.PAIR) is None


def test_socket_made_in_one_thread_and_used_in_another(ctx: object) -> None:
    """A socket may change hands."""
    left, right = pair(ctx)
    thread = threading.Thread(target=lambda: zsocket.signal(left, 9))
    thread.start()
    assert zsocket.wait(right) == 9
    thread.join()


def test_unknown_name() -> None:
    """A name that is no function, option or type is an AttributeError that says so."""
    for missing in ("frobnicate", "set_rcvmore", "FROBNICATE", "_frob"):
        with pytest.raises(AttributeError, match=missing):
            getattr(zsocket, missing)


@pytest.mark.parametrize(
    "call",
    [
        "zstr.send(sock, topic)",
        "zstr.sendm(sock, topic)",
        "zstr.sendx(sock, 'first', topic)",
        "zsocket.sendmem(sock, bytearray(topic))",
        "zmq.send(sock, topic)",
        "zmq.msg_send(zmq.msg_init_data(topic), sock)",
        "zframe.send(zframe.new(topic), sock)",
        "message = zmsg.new(); zmsg.addstr(message, 'first'); zmsg.addmem(message, topic); zmsg.send(message, sock)",
    ],
)
def test_subscription_that_libzmq_cannot_bear(call: str) -> None:
    """An XSUB socket subscribes by what it sends; each send refuses a topic that would overflow libzmq's stack."""
    children.check(
        f"""
        from pyczmq import zctx, zframe, zmq, zmsg, zsocket, zstr
        ctx = zctx.new()
        sock, other = zsocket.new(ctx, zmq.XSUB), zsocket.new(ctx, zmq.PAIR)
        zsocket.bind(sock, "inproc://xsub")
        topic = b"\\1" + b"x" * 300000
        try:
            {call}
        except ValueError as error:
            assert "subscription" in str(error), error
        else:
            raise AssertionError("it was sent")
        topic = b"\\2" + topic
        zsocket.set_sndtimeo(sock, 0)
        {call}
        """
    )
