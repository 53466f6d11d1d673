"""zmq: libzmq's constants, contexts, sockets, messages and tools."""

from __future__ import annotations

import ast
import errno
import gc
import inspect
import os
import re
import signal
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import children
import pytest
from common import collect, example

from pyczmq import C, _declarations, _zmq_constants, ffi, zctx, zmq, zrex, zsocket

MS = 0.001
needs_drafts = pytest.mark.skipif(not zmq.has("draft"), reason="this libzmq has no draft API")


@pytest.fixture
def context() -> Iterator[Any]:
    made = zmq.ctx_new()
    yield made
    for handle in list(zmq._pointers.handed_out):
        if handle != made and handle not in zmq._pointers.kinds:
            zmq.setsockopt(handle, zmq.LINGER, 0)
            zmq.close(handle)
    if made in zmq._pointers.handed_out:
        zmq.ctx_term(made)


Pair = Callable[..., tuple[Any, Any]]


@pytest.fixture
def pair(context: Any) -> Pair:
    """Make two connected sockets of the given types."""

    def make(first: int = zmq.PAIR, second: int = zmq.PAIR) -> tuple[Any, Any]:
        a, b = zmq.socket(context, first), zmq.socket(context, second)
        for handle in (a, b):
            assert zmq.setsockopt(handle, zmq.RCVTIMEO, 5000) == 0
        endpoint = f"inproc://zmq.{id(a)}"
        assert zmq.bind(a, endpoint) == 0
        assert zmq.connect(b, endpoint) == 0
        return a, b

    return make


# ---------------------------------------------------------------- the namespace


def test_example() -> None:
    """The example in the module's docstring runs as it stands."""
    exec(example(zmq.__doc__), {"zmq": zmq})


def test_sockets_that_were_closed_make_room_for_others() -> None:
    """Although libzmq closes them in the background."""
    context = zmq.ctx_new()
    assert context is not None
    zmq.ctx_set(context, zmq.MAX_SOCKETS, 3)
    for _ in range(1000):
        socket = zmq.socket(context, zmq.PUSH)
        assert socket is not None
        zmq.close(socket)
    zmq.ctx_term(context)


def test_constants_are_those_of_the_header() -> None:
    """Each constant of libzmq is here, without ZMQ_, as a plain int of the same value."""
    header = {
        name: ast.literal_eval(found.text)
        for name, found in _declarations.constants().items()
        if found.header == "zmq_constants.h"
    }
    assert len(header) > 220
    for name, value in header.items():
        ours = getattr(zmq, name[4:] if name.startswith("ZMQ_") else name)
        assert (name, ours) == (name, value)
        assert getattr(C, name) == value
    known = {name[4:] if name.startswith("ZMQ_") else name for name in header}
    extra = {name for name in vars(_zmq_constants) if name.isupper()} - known
    assert all(getattr(errno, name) == getattr(zmq, name) for name in extra)
    assert {"EAGAIN", "EINTR", "EINVAL", "ENOTSOCK", "EADDRINUSE", "EHOSTUNREACH"} <= extra


def test_every_function_is_wrapped_and_documented() -> None:
    """Each function of the C header has a function here whose docstring ends with its prototype."""
    for name, found in _declarations.functions().items():
        if found.header == "zmq.h":
            function = getattr(zmq, name[4:])
            assert inspect.isfunction(function), name
            assert function.__doc__ is not None
            assert function.__doc__.strip().splitlines()[-1].strip() == f"C: ``{found.text}``"
            assert name[4:] in dir(zmq)


def test_types() -> None:
    """`types` maps the names of the socket types to their numbers."""
    assert zmq.types["PUSH"] == zmq.PUSH == 8
    assert list(zmq.types)[:12] == [
        "PAIR",
        "PUB",
        "SUB",
        "REQ",
        "REP",
        "DEALER",
        "ROUTER",
        "PULL",
        "PUSH",
        "XPUB",
        "XSUB",
        "STREAM",
    ]
    assert sorted(zmq.types.values()) == list(range(21))


def test_unknown_name() -> None:
    """A name that neither zmq nor C has is an AttributeError that says so."""
    with pytest.raises(AttributeError, match="nonsense"):
        zmq.nonsense  # noqa: B018


def test_version_errors_capabilities() -> None:
    """version is a tuple, strerror text, has a bool."""
    assert zmq.version() >= (4, 0, 0) and len(zmq.version()) == 3
    assert zmq.strerror(zmq.ETERM) == "Context was terminated"
    assert zmq.strerror(zmq.EINVAL) == os.strerror(errno.EINVAL)
    assert zmq.has("ipc") is True and zmq.has("no such thing") is False and zmq.has(b"") is False
    with pytest.raises(ValueError, match="capability"):
        zmq.has("a\0b")
    with pytest.raises(TypeError, match="capability"):
        zmq.has(None)  # type: ignore[arg-type]


# ---------------------------------------------------------------- contexts


def test_context_options(context: Any) -> None:
    """Options of a context are set and read; unknown ones are refused as in C."""
    assert zmq.ctx_get(context, zmq.IO_THREADS) == 1
    assert zmq.ctx_set(context, zmq.IO_THREADS, 2) == 0
    assert zmq.ctx_get(context, zmq.IO_THREADS) == 2
    assert zmq.ctx_set(context, zmq.MAX_SOCKETS, 1) == 0
    assert zmq.ctx_set(context, 999, 1) == -1 and zmq.errno() == zmq.EINVAL
    assert zmq.ctx_get(context, 999) == -1
    assert zmq.ctx_set(context, zmq.THREAD_AFFINITY_CPU_REMOVE, 7) == -1
    assert zmq.ctx_set(context, zmq.THREAD_PRIORITY, -1) == -1
    first = zmq.socket(context, zmq.PAIR)
    assert first is not None
    assert zmq.socket(context, zmq.PAIR) is None and zmq.errno() == zmq.EMFILE
    assert zmq.close(first) == 0


def test_context_options_that_would_abort(context: Any) -> None:
    """What libzmq would abort over at the first socket is refused before."""
    with pytest.raises(ValueError, match="optval must be at most 255"):
        zmq.ctx_set(context, zmq.IO_THREADS, 256)
    with pytest.raises(ValueError, match="at most 1000000"):
        zmq.ctx_set(context, zmq.MAX_SOCKETS, 2**31 - 1)
    with pytest.raises((OSError, ValueError)):
        zmq.ctx_set(context, zmq.THREAD_AFFINITY_CPU_ADD, 100000)
    assert zmq.ctx_set(context, zmq.THREAD_SCHED_POLICY, 77) == 0
    with pytest.raises(OSError):
        zmq.socket(context, zmq.PAIR)
    with pytest.raises(ValueError, match="io_threads"):
        zmq.init(100000)
    with pytest.raises(TypeError, match="optval"):
        zmq.ctx_set(context, zmq.IO_THREADS, "1")  # type: ignore[arg-type]


def test_schedule_that_works_only_as_a_whole() -> None:
    """A real-time policy may be set before its priority, and the other way round."""
    program = """
        import os
        from pyczmq import zmq
        for options in ((zmq.THREAD_SCHED_POLICY, zmq.THREAD_PRIORITY), (zmq.THREAD_PRIORITY, zmq.THREAD_SCHED_POLICY)):
            context = zmq.ctx_new()
            for option in options:
                assert zmq.ctx_set(context, option, 1) == 0
            try:
                assert zmq.close(zmq.socket(context, zmq.PAIR)) == 0
            except PermissionError:
                pass
            zmq.ctx_term(context)
        print(os.SCHED_FIFO)
    """
    assert children.check(program).strip() == "1"


def test_old_names_of_contexts() -> None:
    """init, term and ctx_destroy are still there."""
    context = zmq.init(2)
    assert context is not None and zmq.ctx_get(context, zmq.IO_THREADS) == 2
    assert zmq.term(context) == 0
    assert zmq.init(-1) is None
    other = zmq.ctx_new()
    assert other is not None and zmq.ctx_destroy(other) == 0


def test_a_terminated_context_is_refused() -> None:
    """Nothing takes a context that ended."""
    context = zmq.ctx_new()
    assert context is not None and zmq.ctx_term(context) == 0
    calls: list[Callable[[], object]] = [
        lambda: zmq.ctx_term(context),
        lambda: zmq.ctx_shutdown(context),
        lambda: zmq.ctx_set(context, 1, 1),
        lambda: zmq.ctx_get(context, 1),
        lambda: zmq.socket(context, zmq.PAIR),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="context was terminated"):
            call()


def test_contexts_of_others_are_not_terminated() -> None:
    """A zctx's context, and CZMQ's own, end with their owners."""
    ctx = zctx.new()
    zsocket.new(ctx, zmq.PAIR)
    with pytest.raises(ValueError, match="zctx"):
        zmq.ctx_term(C.zctx_underlying(ctx))
    with pytest.raises(ValueError, match="CZMQ"):
        zmq.ctx_term(C.zsys_init())
    with pytest.raises(ValueError, match="CZMQ"):
        zmq.ctx_shutdown(C.zsys_init())


def test_shutdown_ends_waits(context: Any) -> None:
    """ctx_shutdown wakes what waits on the context's sockets, with ETERM."""
    pull = zmq.socket(context, zmq.PULL)
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append((zmq.recv(pull), zmq.errno())))
    thread.start()
    assert zmq.ctx_shutdown(context) == 0
    thread.join(5)
    assert seen == [(None, zmq.ETERM)]
    assert zmq.socket(context, zmq.PAIR) is None and zmq.errno() == zmq.ETERM


def test_term_waits_for_sockets_open_to_signals() -> None:
    """ctx_term waits for open sockets; Ctrl-C interrupts it, and nothing hangs at exit."""
    program = """
        import os, signal, threading, time
        from pyczmq import zmq
        context = zmq.ctx_new()
        socket = zmq.socket(context, zmq.PUSH)
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        start = time.monotonic()
        try:
            zmq.ctx_term(context)
        except KeyboardInterrupt:
            assert time.monotonic() - start < 1
            print("interrupted")
        assert zmq.close(socket) == 0
    """
    assert children.check(program) == "interrupted\n"


def test_wrong_kinds_are_refused(context: Any) -> None:
    """What is no context is refused as one; what is no socket as one, before C looks into it."""
    pair = zmq.socket(context, zmq.PAIR)
    counter = zmq.atomic_counter_new()
    for wrong in (pair, counter):
        with pytest.raises(TypeError, match="context must be a context, not a"):
            zmq.socket(wrong, zmq.PAIR)
    for wrong in (context, counter, zmq.timers_new()):
        for call in (zmq.close, zmq.recv, lambda s: zmq.send(s, b""), lambda s: zmq.pollitem(s)):
            with pytest.raises(TypeError, match="socket must be a socket, not a"):
                call(wrong)
    with pytest.raises(TypeError, match="counter must be a counter, not a context"):
        zmq.atomic_counter_value(context)
    for wrong in (None, 1, "x", ffi.NULL, ffi.new("int *"), ffi.cast("zsock_t *", 0)):
        for call in (zmq.close, zmq.recv, lambda s: zmq.bind(s, "inproc://x"), zmq.ctx_term, zmq.ctx_shutdown):
            with pytest.raises((TypeError, ValueError), match=r"socket|context"):
                call(wrong)
    with pytest.raises(TypeError):
        zmq.socket(context, "PUSH")  # type: ignore[arg-type]


# ---------------------------------------------------------------- sockets


def test_close_only_once(context: Any) -> None:
    """A closed socket is refused, under any pointer that Python has to it, and never reaches C again."""
    pair = zmq.socket(context, zmq.PAIR)
    item: Any = zmq.pollitem(pair)
    assert zmq.close(item.socket) == 0
    for call in (zmq.close, zmq.recv):
        with pytest.raises(ValueError, match="socket was closed"):
            call(pair)
    with pytest.raises(ValueError, match="was closed"):
        zmq.poll([item], 0)


def test_close_of_sockets_that_others_own() -> None:
    """A zsocket is destroyed, once; the socket inside a zsock is left to the zsock."""
    ctx = zctx.new()
    handle = zsocket.new(ctx, zmq.PAIR)
    assert handle is not None
    alias: Any = zmq.pollitem(handle)
    assert zmq.close(alias.socket) == 0
    with pytest.raises(ValueError, match="was destroyed"):
        zmq.recv(handle)
    zctx.destroy(ctx)


def test_no_such_socket_type(context: Any) -> None:
    """A type that libzmq does not have gives None; one that it has but cannot use is refused."""
    assert zmq.socket(context, 99) is None and zmq.errno() == zmq.EINVAL
    assert zmq.socket(context, -1) is None
    if not zmq.has("draft"):
        for kind in (zmq.SERVER, zmq.DGRAM, zmq.CHANNEL):
            with pytest.raises(ValueError, match=f"type is {kind}, a draft"):
                zmq.socket(context, kind)


def test_bind_connect_unbind_disconnect(context: Any) -> None:
    """Endpoints are bound, resolved, connected, and left again."""
    push, pull = zmq.socket(context, zmq.PUSH), zmq.socket(context, zmq.PULL)
    assert push is not None and pull is not None
    assert zmq.bind(push, b"tcp://127.0.0.1:*") == 0
    endpoint = zmq.getsockopt(push, zmq.LAST_ENDPOINT)
    assert isinstance(endpoint, str) and re.fullmatch(r"tcp://127\.0\.0\.1:\d+", endpoint)
    assert zmq.connect(pull, endpoint) == 0
    assert zmq.send(push, "x") == 1
    assert zmq.recv(pull) == b"x"
    assert zmq.disconnect(pull, endpoint) == 0
    assert zmq.unbind(push, endpoint) == 0
    assert zmq.unbind(push, endpoint) == -1 and zmq.errno() == zmq.ENOENT
    for bad in ("", "nonsense", "tcp://", "foo://bar"):
        assert zmq.bind(push, bad) == -1
        assert zmq.connect(push, bad) == -1
    assert zmq.errno() in (zmq.EPROTONOSUPPORT, zmq.EINVAL)
    pub = zmq.socket(context, zmq.PUB)
    assert pub is not None
    for norm in ("norm://x", "norm://nosuchhost:5", "norm://1,nosuchinterface;239.0.0.1:5", "norm://127.0.0.1:0"):
        # libzmq accepts these, and then aborts on a thread of its own.
        assert zmq.bind(pub, norm) == zmq.connect(pub, norm) == -1
    for call in (zmq.bind, zmq.connect, zmq.unbind, zmq.disconnect):
        with pytest.raises(ValueError, match="endpoint"):
            call(push, "inproc://a\0b")
        with pytest.raises(TypeError, match="endpoint"):
            call(push, None)  # type: ignore[arg-type]


def test_options(context: Any) -> None:
    """Options are ints, text or bytes, as the option is."""
    dealer = zmq.socket(context, zmq.DEALER)
    assert dealer is not None
    assert zmq.setsockopt(dealer, zmq.LINGER, 5) == 0 and zmq.getsockopt(dealer, zmq.LINGER) == 5
    assert zmq.setsockopt(dealer, zmq.AFFINITY, 2**63) == 0 and zmq.getsockopt(dealer, zmq.AFFINITY) == 2**63
    assert zmq.setsockopt(dealer, zmq.MAXMSGSIZE, -1) == 0 and zmq.getsockopt(dealer, zmq.MAXMSGSIZE) == -1
    assert zmq.setsockopt(dealer, zmq.IDENTITY, b"me\0\xff") == 0
    assert zmq.getsockopt(dealer, zmq.ROUTING_ID) == b"me\0\xff"
    assert zmq.setsockopt(dealer, zmq.PLAIN_USERNAME, "ö") == 0
    assert zmq.getsockopt(dealer, zmq.PLAIN_USERNAME) == "ö"
    assert zmq.getsockopt(dealer, zmq.TYPE) == zmq.DEALER
    assert zmq.setsockopt(dealer, zmq.IPV6, True) == 0 and zmq.getsockopt(dealer, zmq.IPV6) == 1
    assert zmq.getsockopt(dealer, 9999) is None and zmq.errno() == zmq.EINVAL
    assert zmq.getsockopt(dealer, zmq.SUBSCRIBE) is None
    assert zmq.setsockopt(dealer, 9999, 1) == -1
    assert zmq.setsockopt(dealer, zmq.SNDHWM, -5) == -1 and zmq.errno() == zmq.EINVAL
    assert zmq.setsockopt(dealer, zmq.TYPE, 1) == -1
    for value in (None, "1", b"1", 1.5):
        with pytest.raises(TypeError, match="linger"):
            zmq.setsockopt(dealer, zmq.LINGER, value)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="linger"):
        zmq.setsockopt(dealer, zmq.LINGER, 2**31)
    with pytest.raises(TypeError, match="option"):
        zmq.setsockopt(dealer, "linger", 1)  # type: ignore[call-overload]


@pytest.mark.skipif(not zmq.has("curve"), reason="this libzmq has no CURVE")
def test_key_options(context: Any) -> None:
    """A CURVE key is 40 characters of Z85, or its 32 bytes; it reads as text."""
    pair = zmq.socket(context, zmq.PAIR)
    keys = zmq.curve_keypair()
    assert pair is not None and keys is not None
    raw = zmq.z85_decode(keys[0])
    assert raw is not None
    for key in (keys[0], keys[0].encode(), raw, bytearray(raw)):
        assert zmq.setsockopt(pair, zmq.CURVE_PUBLICKEY, key) == 0
        assert zmq.getsockopt(pair, zmq.CURVE_PUBLICKEY) == keys[0]
    for bad in ("", "x" * 41, "x" * 39, b"x" * 41 * 100):
        with pytest.raises(ValueError, match="curve_publickey"):
            zmq.setsockopt(pair, zmq.CURVE_PUBLICKEY, bad)


def test_options_as_in_c(context: Any) -> None:
    """The calls of C, with pointers and sizes, work; sizes that are not there are refused."""
    pair = zmq.socket(context, zmq.PAIR)
    assert pair is not None
    value, size = ffi.new("int *", 77), ffi.new("size_t *", 4)
    assert zmq.setsockopt(pair, zmq.SNDHWM, value, 4) == 0
    value[0] = 0
    assert zmq.getsockopt(pair, zmq.SNDHWM, value, size) == 0 and (value[0], size[0]) == (77, 4)
    name = ffi.new("char[]", b"name")
    assert zmq.setsockopt(pair, zmq.ROUTING_ID, name, 4) == 0
    assert zmq.getsockopt(pair, zmq.ROUTING_ID) == b"name"
    assert zmq.setsockopt(pair, zmq.SNDHWM, value, 2) == -1
    with pytest.raises(ValueError, match="optvallen"):
        zmq.setsockopt(pair, zmq.SNDHWM, value, 400)
    size[0] = 400
    with pytest.raises(ValueError, match="optvallen"):
        zmq.getsockopt(pair, zmq.LAST_ENDPOINT, value, size)
    with pytest.raises(TypeError, match="optval"):
        zmq.getsockopt(pair, zmq.LINGER, 4, 4)  # type: ignore[call-overload]


def test_send_and_recv(pair: Pair) -> None:
    """What is sent arrives: bytes, buffers and text, of any size."""
    a, b = pair()
    megabyte = os.urandom(1 << 20)
    for data, expected in (
        (b"", b""),
        ("Grüße \0", "Grüße \0".encode()),
        ("\udcff", b"\xff"),
        (b"\xff\0", b"\xff\0"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"abcdef")[1:3], b"bc"),
        (megabyte, megabyte),
    ):
        assert zmq.send(a, data) == len(expected)
        assert zmq.recv(b) == expected
        assert zmq.send_const(b, data) == len(expected)
        assert zmq.recv(a) == expected
    assert zmq.send(a, "1", zmq.SNDMORE) == 1
    assert zmq.getsockopt(b, zmq.RCVMORE) == 0
    assert zmq.send(a, "2", flags=zmq.DONTWAIT) == 1
    assert (zmq.recv(b), zmq.getsockopt(b, zmq.RCVMORE)) == (b"1", 1)
    assert (zmq.recv(b, zmq.DONTWAIT), zmq.getsockopt(b, zmq.RCVMORE)) == (b"2", 0)
    for bad in (None, 5, [b"x"]):
        with pytest.raises((TypeError, ValueError), match="data"):
            zmq.send(a, bad)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        zmq.send(a, b"", "1")  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        zmq.send(a, b"", 1, 2, 3)  # type: ignore[call-overload]


def test_send_and_recv_as_in_c(pair: Pair) -> None:
    """With a length, send sends a part, and recv writes to a buffer, no further than its end."""
    a, b = pair()
    assert zmq.send(a, b"abcdef", 3, 0) == 3
    assert zmq.recv(b) == b"abc"
    into = bytearray(5)
    zmq.send(a, "1234567")
    assert zmq.recv(b, into, 4, 0) == 7 and into == b"1234\0"
    memory = ffi.new("char[]", 4)
    zmq.send(a, "xy")
    assert zmq.recv(b, memory, 4) == 2 and bytes(ffi.buffer(memory)) == b"xy\0\0"
    assert zmq.recv(b, into, 4, zmq.DONTWAIT) == -1 and zmq.errno() == zmq.EAGAIN
    for size in (-1, 6):
        with pytest.raises(ValueError, match="len"):
            zmq.recv(b, into, size, 0)
        with pytest.raises(ValueError, match="len"):
            zmq.send(b, b"abcde", size, 0)
    with pytest.raises(TypeError, match="buf must be"):
        zmq.recv(b, b"read only", 1, 0)


def test_timeouts(pair: Pair) -> None:
    """RCVTIMEO and SNDTIMEO are honoured, and told by EAGAIN."""
    _, b = pair(zmq.PUSH, zmq.PULL)
    zmq.setsockopt(b, zmq.RCVTIMEO, 50)
    start = time.monotonic()
    assert zmq.recv(b) is None and zmq.errno() == zmq.EAGAIN
    assert 0.045 < time.monotonic() - start < 2
    lonely = zmq.socket(zmq.ctx_new(), zmq.PUSH)  # type: ignore[arg-type]
    assert lonely is not None
    zmq.setsockopt(lonely, zmq.SNDTIMEO, 50)
    assert zmq.send(lonely, b"x") == -1 and zmq.errno() == zmq.EAGAIN
    assert zmq.send(lonely, b"x", zmq.DONTWAIT) == -1
    zmq.close(lonely)


def test_iov(pair: Pair) -> None:
    """sendiov sends frames or messages; recviov returns one message's frames."""
    a, b = pair()
    assert zmq.sendiov(a, ["one", b"two", bytearray(b"three")], zmq.SNDMORE) == 5
    assert zmq.recviov(b, 2) == [b"one", b"two"]
    assert zmq.recviov(b, 9) == [b"three"]
    assert zmq.sendiov(a, ["one", "two"]) == 3
    assert zmq.recviov(b, 9) == [b"one"] and zmq.recviov(b, 9, zmq.DONTWAIT) == [b"two"]
    assert zmq.recviov(b, 1, zmq.DONTWAIT) is None
    assert zmq.sendiov(a, []) == -1 and zmq.errno() == zmq.EINVAL
    with pytest.raises(ValueError, match="count"):
        zmq.recviov(b, 0)
    with pytest.raises(TypeError, match="a buffer"):
        zmq.sendiov(a, [b"x", 5])  # type: ignore[list-item]


def test_socket_monitor(context: Any) -> None:
    """A monitor tells of events in two frames; wrong endpoints are refused as in C."""
    rep = zmq.socket(context, zmq.REP)
    watcher = zmq.socket(context, zmq.PAIR)
    assert rep is not None and watcher is not None
    zmq.setsockopt(watcher, zmq.RCVTIMEO, 5000)
    assert zmq.socket_monitor(rep, "inproc://monitor.zmq", zmq.EVENT_LISTENING) == 0
    assert zmq.connect(watcher, "inproc://monitor.zmq") == 0
    assert zmq.bind(rep, "tcp://127.0.0.1:*") == 0
    frames = zmq.recviov(watcher, 2)
    assert frames is not None
    assert struct.unpack("=Hi", frames[0])[0] == zmq.EVENT_LISTENING
    assert frames[1].decode() == zmq.getsockopt(rep, zmq.LAST_ENDPOINT)
    assert zmq.socket_monitor(rep, None) == 0
    assert zmq.socket_monitor(rep, "tcp://127.0.0.1:*") == -1 and zmq.errno() == zmq.EPROTONOSUPPORT
    assert zmq.socket_monitor(rep, "inproc://x", -1) == -1
    with pytest.raises(TypeError, match="endpoint"):
        zmq.socket_monitor(rep, 5)  # type: ignore[arg-type]


# ---------------------------------------------------------------- messages


def test_message_of_bytes() -> None:
    """A message has data that can be written, a size, and no more frames after it."""
    message = zmq.msg_init()
    assert zmq.msg_size(message) == 0 and bytes(zmq.msg_data(message)) == b""
    for size in (0, 1, 33, 34, 1 << 20):
        sized = zmq.msg_init_size(size)
        assert sized is not None and zmq.msg_size(sized) == size
        zmq.msg_data(sized)[:] = b"x" * size
        assert bytes(zmq.msg_data(sized)) == b"x" * size
    assert zmq.msg_more(message) == 0
    for data in (b"a\0b", "a\0b", bytearray(b"a\0b")):
        for make in (zmq.msg_init_buffer, zmq.msg_init_data):
            assert bytes(zmq.msg_data(make(data))) == b"a\0b"
    assert zmq.msg_init_size(2**62) is None and zmq.errno() == zmq.ENOMEM
    for bad in (-1, 2**64):
        with pytest.raises(ValueError, match="size"):
            zmq.msg_init_size(bad)
    with pytest.raises(TypeError, match="size"):
        zmq.msg_init_size("5")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="data"):
        zmq.msg_init_buffer(None)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="takes"):
        zmq.msg_init_size()  # type: ignore[call-overload]


def test_messages_as_in_c(pair: Pair) -> None:
    """A message of the caller's own memory is initialised, filled and closed as in C, and as often as one likes."""
    a, b = pair()
    message: Any = ffi.new("zmq_msg_t *")
    assert zmq.msg_init(message) == 0
    zmq.send(a, b"hello")
    assert zmq.msg_recv(message, b, 0) == 5
    assert zmq.msg_init_size(message, 100) == 0 and zmq.msg_size(message) == 100
    assert zmq.msg_init_buffer(message, b"x" * 200) == 0 and zmq.msg_size(message) == 200
    assert zmq.msg_init_data(message, b"abc") == 0 and bytes(zmq.msg_data(message)) == b"abc"
    assert zmq.msg_init_size(message, 2**62) == -1
    with pytest.raises(ValueError, match="not initialised"):
        zmq.msg_size(message)
    assert zmq.msg_init(message) == 0 and zmq.msg_close(message) == 0


def test_messages_with_the_callers_memory() -> None:
    """msg_init_data uses memory of cffi's if a C function is to free it, and copies it otherwise."""
    freed = []

    @ffi.callback("zmq_free_fn")
    def free(data: Any, hint: Any) -> None:
        freed.append((data, hint))

    memory = ffi.new("char[]", b"x" * 100)
    message = zmq.msg_init()
    assert zmq.msg_init_data(message, memory, 100, free, None) == 0
    memory[0] = b"y"
    assert bytes(zmq.msg_data(message))[:2] == b"yx"
    collect()
    assert zmq.msg_close(message) == 0
    collect()
    assert freed == [(memory, ffi.NULL)]
    zmq.msg_init(message)
    assert zmq.msg_init_data(message, memory, 100, None, None) == 0
    memory[0] = b"z"
    assert bytes(zmq.msg_data(message))[:1] == b"y"
    for wrong in (free, b"x", ffi.NULL):
        with pytest.raises(TypeError, match=r"data|ffn"):
            zmq.msg_init_data(message, wrong if wrong is not free else b"x", 1, free, None)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="ffn"):
        zmq.msg_init_data(message, memory, 1, memory, None)


@pytest.mark.parametrize("size", [5, 100, 100000])
def test_a_view_outlives_its_message(pair: Pair, size: int) -> None:
    """Views of a message stay valid memory when it is closed, received into, sent, moved, or dropped."""
    a, b = pair()
    content = b"v" * size
    ends: list[Callable[[Any], object]] = [
        zmq.msg_close,
        lambda message: (zmq.send(a, b"other"), zmq.msg_recv(message, b)),
        lambda message: zmq.msg_send(message, a),
        lambda message: zmq.msg_move(zmq.msg_init(), message),
        lambda message: None,
    ]
    views = []
    for end in ends:
        message = zmq.msg_init_buffer(content)
        views.append(zmq.msg_data(message))
        end(message)
        del message
    collect()
    for view in views:
        zmq.msg_init_buffer(b"w" * size)
        if size > 33:
            assert bytes(view) == content
        view[:1] = b"x"
    del view, views
    gc.collect()
    while zmq.recv(b, zmq.DONTWAIT) is not None:
        pass


def test_messages_go_and_come(pair: Pair) -> None:
    """A message that was sent is empty and can be used again; one that could not be sent is as it was."""
    a, b = pair(zmq.PUSH, zmq.PULL)
    message = zmq.msg_init_buffer(b"first")
    assert message is not None
    assert zmq.msg_send(message, a, zmq.SNDMORE) == 5
    assert zmq.msg_size(message) == 0
    assert zmq.msg_send(message, a) == 0
    assert zmq.msg_recv(message, b) == 5 and zmq.msg_more(message) == 1 and zmq.msg_get(message, zmq.MORE) == 1
    assert zmq.recvmsg(b, message, zmq.DONTWAIT) == 0 and zmq.msg_more(message) == 0
    assert zmq.msg_recv(message, b, zmq.DONTWAIT) == -1 and zmq.errno() == zmq.EAGAIN
    assert zmq.msg_init_buffer(message, b"again") == 0
    assert zmq.sendmsg(a, message) == 5 and zmq.recv(b) == b"again"
    zmq.msg_init_buffer(message, b"kept")
    assert zmq.msg_send(message, b) == -1 and zmq.errno() == zmq.ENOTSUP
    assert bytes(zmq.msg_data(message)) == b"kept"


def test_copy_and_move() -> None:
    """A copy has the same bytes; what was moved leaves an empty message."""
    source, target = zmq.msg_init_buffer(b"s" * 100), zmq.msg_init()
    assert source is not None
    assert zmq.msg_copy(target, source) == 0
    assert bytes(zmq.msg_data(target)) == bytes(zmq.msg_data(source)) == b"s" * 100
    assert zmq.msg_get(source, zmq.SHARED) == 1
    assert zmq.msg_close(source) == 0
    assert bytes(zmq.msg_data(target)) == b"s" * 100
    other = zmq.msg_init()
    assert zmq.msg_move(other, target) == 0
    assert (zmq.msg_size(other), zmq.msg_size(target)) == (100, 0)
    for call in (zmq.msg_copy, zmq.msg_move):
        with pytest.raises(ValueError, match="same message"):
            call(other, other)
        with pytest.raises(ValueError, match="src is not initialised"):
            call(other, source)
        with pytest.raises(ValueError, match="dest is not initialised"):
            call(source, other)


def test_message_properties(pair: Pair, context: Any) -> None:
    """Properties of a message and of the connection that it came by."""
    server, client = zmq.socket(context, zmq.PULL), zmq.socket(context, zmq.PUSH)
    assert server is not None and client is not None
    zmq.bind(server, "tcp://127.0.0.1:*")
    zmq.connect(client, zmq.getsockopt(server, zmq.LAST_ENDPOINT))  # type: ignore[arg-type]
    zmq.send(client, b"x")
    message = zmq.msg_init()
    assert zmq.msg_recv(message, server) == 1
    assert zmq.msg_gets(message, "Peer-Address") == "127.0.0.1"
    assert zmq.msg_gets(message, b"Socket-Type") == "PUSH"
    assert zmq.msg_gets(message, "nothing") is None
    assert zmq.msg_get(message, zmq.SRCFD) > 0
    assert zmq.msg_get(message, 99) == -1 and zmq.errno() == zmq.EINVAL
    assert zmq.msg_set(message, zmq.MORE, 1) == -1
    assert zmq.msg_gets(zmq.msg_init(), "Peer-Address") is None
    with pytest.raises(TypeError, match="property"):
        zmq.msg_gets(message, None)  # type: ignore[arg-type]


def test_messages_that_are_none() -> None:
    """What is no initialised message is refused by name, where C would free garbage."""
    closed = zmq.msg_init_buffer(b"x" * 100)
    assert closed is not None and zmq.msg_close(closed) == 0
    socket = object()
    calls: list[Callable[[Any], object]] = [
        zmq.msg_close,
        zmq.msg_data,
        zmq.msg_size,
        zmq.msg_more,
        lambda m: zmq.msg_get(m, 1),
        lambda m: zmq.msg_set(m, 1, 1),
        lambda m: zmq.msg_gets(m, "x"),
        lambda m: zmq.msg_send(m, socket),  # type: ignore[arg-type]
        lambda m: zmq.msg_recv(m, socket),  # type: ignore[arg-type]
        lambda m: zmq.msg_copy(m, zmq.msg_init()),
    ]
    for call in calls:
        for message in (closed, ffi.new("zmq_msg_t *"), ffi.cast("zmq_msg_t *", 0)):
            with pytest.raises(ValueError, match=r"(msg|dest) is (not initialised|NULL)"):
                call(message)
        for wrong in (None, b"x", 5, ffi.new("int *"), ffi.NULL):
            with pytest.raises(TypeError, match=r"(msg|dest) must be a (struct )?zmq_msg_t \*"):
                call(wrong)
    assert C.zmq_msg_init(closed) == 0 and zmq.msg_size(closed) == 0


def test_dropped_messages_are_closed() -> None:
    """Messages that nobody closes are closed by the garbage collector: memory does not grow."""
    program = """
        import gc, resource
        from pyczmq import zmq
        peak = []
        for turn in range(3):
            for _ in range(200):
                message = zmq.msg_init_buffer(bytes(1 << 20))
                view = zmq.msg_data(message)
                del message, view
                gc.collect(0)
            gc.collect(); gc.collect()
            peak.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        assert peak[-1] - peak[0] < 100000, peak
    """
    children.check(program)


@needs_drafts
def test_draft_message_functions() -> None:
    """Messages have a group and a routing id."""
    message = zmq.msg_init()
    assert zmq.msg_routing_id(message) == 0
    assert zmq.msg_set_routing_id(message, 5) == 0 and zmq.msg_routing_id(message) == 5
    assert zmq.msg_set_routing_id(message, 0) == -1
    assert zmq.msg_group(message) == ""
    assert zmq.msg_set_group(message, "g" * 255) == 0 and zmq.msg_group(message) == "g" * 255
    assert zmq.msg_set_group(message, "g" * 256) == -1
    with pytest.raises(TypeError, match="group"):
        zmq.msg_set_group(message, None)  # type: ignore[arg-type]


@pytest.mark.skipif(zmq.has("draft"), reason="this libzmq has the draft API")
def test_drafts_that_are_not_there() -> None:
    """A draft function that the library lacks is an AttributeError that names it, at its use."""
    with pytest.raises(AttributeError, match=r"zmq_poller_new.*libzmq"):
        zmq.poller_new()
    with pytest.raises(AttributeError, match="zmq_msg_group"):
        zmq.msg_group(zmq.msg_init())


# ---------------------------------------------------------------- polling


def test_poll_shapes(pair: Pair) -> None:
    """A list of items, one item and an array can be polled, with C's count of them or without."""
    a, b = pair()
    item: Any = zmq.pollitem(b, events=zmq.POLLIN)
    idle: Any = zmq.pollitem(a, events=zmq.POLLIN, revents=7)
    assert zmq.poll([item, idle], 0) == 0 and (item.revents, idle.revents) == (0, 0)
    zmq.send(a, b"x")
    assert zmq.poll([idle, item], 1000) == 1 and (item.revents, idle.revents) == (zmq.POLLIN, 0)
    assert zmq.poll((item,), timeout=1000) == 1
    assert zmq.poll(item, 1000) == zmq.poll(item, 1, 1000) == zmq.poll([item], 1, 1000) == 1
    assert zmq.poll([idle, item], 1, 0) == 0
    array = ffi.new("zmq_pollitem_t[]", 2)
    array[0].socket, array[0].events = b, zmq.POLLIN | zmq.POLLOUT
    array[1].socket, array[1].events = a, zmq.POLLIN
    assert zmq.poll(array, 2, 1000) == zmq.poll(array, 1000) == zmq.poll(array) == 1
    assert array[0].revents == zmq.POLLIN | zmq.POLLOUT and array[1].revents == 0


def test_poll_descriptors() -> None:
    """File descriptors and objects that have one are polled, too; a closed one is an error event."""
    read, write = os.pipe()
    with os.fdopen(read, "rb") as file:
        item: Any = zmq.pollitem(fd=file, events=zmq.POLLIN)
        assert item.fd == read
        assert zmq.poll([item], 0) == 0
        os.write(write, b"x")
        assert zmq.poll([item], 1000) == 1 and item.revents == zmq.POLLIN
        os.close(write)
    assert zmq.poll([item], 1000) == 1 and item.revents == zmq.POLLERR


def test_poll_with_nothing_to_poll() -> None:
    """Polling nothing takes the time that it is given."""
    start = time.monotonic()
    assert zmq.poll([], 50) == 0
    assert time.monotonic() - start >= 0.045
    assert zmq.poll([], 0) == 0


def test_poll_refuses(context: Any) -> None:
    """What is no list of items is refused, and so are counts that are not there."""
    item = zmq.pollitem(zmq.socket(context, zmq.PAIR), events=zmq.POLLIN)
    for items in (None, 5, "ab", [None], [item, b"x"], ffi.new("int *"), ffi.new("int[3]"), [ffi.new("int *")]):
        with pytest.raises(TypeError):
            zmq.poll(items, 0)  # type: ignore[call-overload]
    for items in (ffi.cast("zmq_pollitem_t *", 0), [ffi.cast("zmq_pollitem_t *", 0)]):
        with pytest.raises(ValueError, match="NULL"):
            zmq.poll(items, 0)
    for count in (-1, 2):
        for items in (item, [item], ffi.new("zmq_pollitem_t[1]")):
            with pytest.raises(ValueError, match="nitems"):
                zmq.poll(items, count, 0)
    with pytest.raises(TypeError, match="timeout"):
        zmq.poll([item], None)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        zmq.poll([item], 1, 2, 3)  # type: ignore[call-overload]
    wrong: Any = zmq.pollitem()
    wrong.socket = context
    with pytest.raises(TypeError, match="not a context"):
        zmq.poll([wrong], 0)
    with pytest.raises(OverflowError):
        zmq.pollitem(fd=1, events=2**20)
    with pytest.raises(ValueError, match="items are"):
        zmq.poll(ffi.new("zmq_pollitem_t[]", 2_000_000), 0)


def test_poll_keeps_the_socket() -> None:
    """A poll item keeps its socket alive, and refuses one that was destroyed."""
    ctx = zctx.new()
    sockets = [zsocket.new(ctx, zmq.PAIR)]
    item: Any = zmq.pollitem(sockets[0], events=zmq.POLLOUT | zmq.POLLIN)
    sockets.clear()
    collect()
    assert zmq.poll([item], 0) == 0
    zctx.destroy(ctx)
    with pytest.raises(ValueError, match="closed with its context"):
        zmq.poll([item], 0)
    item.socket = ffi.NULL
    item.fd = -1
    assert zmq.poll([item], 0) == 0


def test_poll_after_shutdown(context: Any) -> None:
    """Polling a socket whose context was shut down returns -1 with ETERM."""
    item = zmq.pollitem(zmq.socket(context, zmq.PAIR), events=zmq.POLLIN)
    zmq.ctx_shutdown(context)
    assert zmq.poll([item], 1000) == -1 and zmq.errno() == zmq.ETERM


BLOCKING_CALLS = {
    "poll": "zmq.poll([zmq.pollitem(pull, events=zmq.POLLIN)])",
    "poll nothing": "zmq.poll([])",
    "ppoll": "zmq.ppoll([zmq.pollitem(pull, events=zmq.POLLIN)], -1, [])",
    "recv": "zmq.recv(pull)",
    "recv into": "zmq.recv(pull, bytearray(5), 5)",
    "recviov": "zmq.recviov(pull, 5)",
    "msg_recv": "zmq.msg_recv(zmq.msg_init(), pull)",
    "send": "zmq.send(push, b'x')",
    "msg_send": "zmq.msg_send(zmq.msg_init(), push)",
    "sendiov": "zmq.sendiov(push, ['x', 'y'])",
    "proxy": "zmq.proxy(pull, push)",
    "proxy_steerable": "zmq.proxy_steerable(pull, push, None, zmq.socket(context, zmq.PAIR))",
    "device": "zmq.device(zmq.STREAMER, pull, push)",
    "sleep": "zmq.sleep(60)",
    "threadclose": "zmq.threadclose(zmq.threadstart(lambda _: zmq.recv(pull)))",
}


@pytest.mark.parametrize("call", BLOCKING_CALLS.values(), ids=BLOCKING_CALLS)
def test_signals(call: str) -> None:
    """Another signal's handler runs and the call goes on; Ctrl-C comes out of it as KeyboardInterrupt, soon."""
    program = f"""
        import os, signal, sys, threading, time
        from pyczmq import zmq
        context = zmq.ctx_new()
        push, pull = zmq.socket(context, zmq.PUSH), zmq.socket(context, zmq.PULL)
        seen = []
        def act():
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.3)
            seen.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
        signal.signal(signal.SIGUSR1, lambda *_: seen.append("USR1"))
        threading.Thread(target=act).start()
        try:
            {call}
        except KeyboardInterrupt:
            assert seen[0] == "USR1" and time.monotonic() - seen[1] < 0.2, (seen, time.monotonic())
            print("interrupted")
    """
    assert children.check(program) == "interrupted\n"


def test_ppoll_blocks_signals() -> None:
    """The signals of ppoll's mask wait until it has returned."""
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(time.monotonic()))
    try:
        timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
        # A thread that does not block the signal would get it.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        timer.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        start = time.monotonic()
        assert zmq.ppoll([], 200, [signal.SIGUSR1]) == 0
        timer.join()
        assert seen and seen[0] - start >= 0.19
    finally:
        signal.signal(signal.SIGUSR1, before)
    with pytest.raises((TypeError, ValueError)):
        zmq.ppoll([], 0, [9999])


# ---------------------------------------------------------------- proxies


class Street:
    """A proxy's sockets and their peers: client - frontend | backend - worker."""

    def __init__(self, context: Any) -> None:
        kinds = (zmq.DEALER, zmq.ROUTER, zmq.DEALER, zmq.REP, zmq.PULL, zmq.PUSH, zmq.PAIR, zmq.PAIR)
        made: list[Any] = [zmq.socket(context, kind) for kind in kinds]
        self.client, self.frontend, self.backend, self.worker, self.tap, self.capture, self.remote, self.control = made
        pairs = ((1, 0), (2, 3), (5, 4), (7, 6))
        for server, client in pairs:
            endpoint = f"inproc://street.{id(self)}.{server}"
            assert zmq.bind(made[server], endpoint) == 0 and zmq.connect(made[client], endpoint) == 0
        for handle in made:
            zmq.setsockopt(handle, zmq.RCVTIMEO, 5000)

    def ask(self) -> None:
        """Send a request through the proxy, and get the answer."""
        zmq.sendiov(self.client, [b"", b"question", b"2"], zmq.SNDMORE)
        assert zmq.recviov(self.worker, 9) == [b"question", b"2"]
        zmq.send(self.worker, b"answer")
        assert zmq.recviov(self.client, 9) == [b"", b"answer"]

    def command(self, text: str) -> None:
        zmq.send(self.remote, text)


def run(function: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append((function(), zmq.errno())))
    thread.start()
    return thread, results


@pytest.mark.parametrize("how", ["in C", "in Python"])
def test_proxy(context: Any, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """A proxy forwards both ways, copies to the capture socket, and ends with the context."""
    from pyczmq import _threads

    street = Street(context)
    if how == "in Python":
        monkeypatch.setattr(_threads, "on_main_thread", lambda: True)
    thread, results = run(lambda: zmq.proxy(street.frontend, street.backend, street.capture))
    for _ in range(3):
        street.ask()
    frames = zmq.recviov(street.tap, 9)
    assert frames is not None and frames[1:] == [b"", b"question", b"2"]
    frames = zmq.recviov(street.tap, 9)
    assert frames is not None and frames[2:] == [b"answer"]
    zmq.ctx_shutdown(context)
    thread.join(5)
    assert results == [(-1, zmq.ETERM)]


def test_proxy_keeps_order_under_load(context: Any) -> None:
    """Thousands of messages go through the proxy of the main thread, in order and complete."""
    source, front, back, sink = (zmq.socket(context, kind) for kind in (zmq.PUSH, zmq.PULL, zmq.PUSH, zmq.PULL))
    assert source is not None and front is not None and back is not None and sink is not None
    for a, b, name in ((front, source, "in"), (back, sink, "out")):
        assert zmq.bind(a, f"inproc://load.{name}") == 0 and zmq.connect(b, f"inproc://load.{name}") == 0
    received = []

    def produce() -> None:
        for i in range(5000):
            zmq.sendiov(source, [b"%d" % i, b"x" * 100], zmq.SNDMORE)

    def consume() -> None:
        while len(received) < 5000:
            received.append(zmq.recviov(sink, 9))
        zmq.ctx_shutdown(context)

    threads = [threading.Thread(target=produce), threading.Thread(target=consume)]
    for thread in threads:
        thread.start()
    assert zmq.proxy(front, back) == -1 and zmq.errno() == zmq.ETERM
    for thread in threads:
        thread.join(5)
    assert received == [[b"%d" % i, b"x" * 100] for i in range(5000)]


def test_proxy_steerable(context: Any) -> None:
    """Commands pause, resume and end the proxy, and ask for its statistics; unknown ones are passed over."""
    street = Street(context)
    thread, results = run(lambda: zmq.proxy_steerable(street.frontend, street.backend, None, street.control))
    street.ask()
    street.command("NONSENSE")
    street.command("PAUSE")
    street.command("STATISTICS")
    frames = zmq.recviov(street.remote, 9)
    assert frames is not None
    numbers = [struct.unpack("@Q", frame)[0] for frame in frames]
    assert numbers[0] == numbers[2] == numbers[4] == numbers[6] == 1 and numbers[1] == numbers[7]
    zmq.sendiov(street.client, [b"", b"later"], zmq.SNDMORE)
    zmq.setsockopt(street.worker, zmq.RCVTIMEO, 50)
    assert zmq.recv(street.worker) is None
    street.command("RESUME")
    zmq.setsockopt(street.worker, zmq.RCVTIMEO, 5000)
    assert zmq.recv(street.worker) == b"later"
    street.command("TERMINATE")
    thread.join(5)
    assert [result[0] for result in results] == [0]


def test_proxy_steerable_with_rep(context: Any) -> None:
    """A REP control socket answers each command."""
    street = Street(context)
    asker, control = zmq.socket(context, zmq.REQ), zmq.socket(context, zmq.REP)
    assert asker is not None and control is not None
    zmq.bind(control, "inproc://steer.rep")
    zmq.connect(asker, "inproc://steer.rep")
    thread, results = run(lambda: zmq.proxy_steerable(street.frontend, street.backend, None, control))
    for command, count in (("PAUSE", 1), ("whatever", 1), ("STATISTICS", 8), ("TERMINATE", 1)):
        zmq.send(asker, command)
        frames = zmq.recviov(asker, 9)
        assert frames is not None and len(frames) == count
    thread.join(5)
    assert [result[0] for result in results] == [0]


def test_proxy_refuses(context: Any) -> None:
    """What is no socket never reaches C's proxy, which does not look."""
    pair = zmq.socket(context, zmq.PAIR)
    assert pair is not None
    for wrong in (None, context, 5, ffi.NULL):
        with pytest.raises((TypeError, ValueError), match="frontend"):
            zmq.proxy(wrong, pair)  # type: ignore[arg-type]
        with pytest.raises((TypeError, ValueError), match="backend"):
            zmq.proxy(pair, wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="capture"):
        zmq.proxy(pair, pair, context)
    with pytest.raises(TypeError, match="control"):
        zmq.proxy_steerable(pair, pair, None, context)
    zmq.ctx_shutdown(context)
    assert zmq.proxy(pair, pair) == -1 and zmq.errno() == zmq.ETERM


# ---------------------------------------------------------------- tools


def test_z85() -> None:
    """Z85 encodes four bytes as five characters; what does not fit gives None."""
    data = bytes([0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B])
    assert zmq.z85_encode(data) == "HelloWorld"
    assert zmq.z85_encode(bytearray(data)) == "HelloWorld"
    assert zmq.z85_decode("HelloWorld") == zmq.z85_decode(b"HelloWorld") == data
    assert zmq.z85_encode(b"") == ""
    assert zmq.z85_encode(b"abc") is None and zmq.errno() == zmq.EINVAL
    blob = os.urandom(1 << 20)
    text = zmq.z85_encode(blob)
    assert text is not None and zmq.z85_decode(text) == blob
    for bad in ("", "Hell", "HelloWorl", "Hell\0", "Hell ", "Hellö", "Hell~", "\x7f" * 5, "#####", b"\xff" * 5):
        assert zmq.z85_decode(bad) is None and zmq.errno() == zmq.EINVAL
    for call in (zmq.z85_encode, zmq.z85_decode):
        with pytest.raises(TypeError, match=r"data|string"):
            call(None)  # type: ignore[arg-type]


@pytest.mark.skipif(not zmq.has("curve"), reason="this libzmq has no CURVE")
def test_curve() -> None:
    """A key pair is two texts of 40 characters, and the public key follows from the secret one."""
    keys = zmq.curve_keypair()
    assert keys is not None
    public, secret = keys
    assert len(public) == len(secret) == 40
    assert zmq.curve_public(secret) == zmq.curve_public(secret.encode()) == public
    assert zmq.curve_keypair() != keys
    for bad in ("", secret[:39], secret + "12345", "\0" * 40, "~" * 40, "ö" * 20, "#" * 40):
        with pytest.raises(ValueError, match="z85_secret_key must be 40") as caught:
            zmq.curve_public(bad)
        assert not bad or bad not in str(caught.value)
    with pytest.raises(TypeError, match="z85_secret_key"):
        zmq.curve_public(None)  # type: ignore[arg-type]


def test_atomic_counter() -> None:
    """A counter counts, from several threads too."""
    counter = zmq.atomic_counter_new()
    assert zmq.atomic_counter_value(counter) == 0
    assert [zmq.atomic_counter_inc(counter) for _ in range(3)] == [0, 1, 2]
    assert [zmq.atomic_counter_dec(counter) for _ in range(3)] == [1, 1, 0]
    zmq.atomic_counter_set(counter, -7)
    assert zmq.atomic_counter_value(counter) == -7
    threads = [threading.Thread(target=lambda: [zmq.atomic_counter_inc(counter) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert zmq.atomic_counter_value(counter) == 1993
    with pytest.raises(OverflowError):
        zmq.atomic_counter_set(counter, 2**31)
    assert zmq.atomic_counter_destroy(counter) is None
    zmq.atomic_counter_destroy(None)
    for call in (zmq.atomic_counter_destroy, zmq.atomic_counter_value, zmq.atomic_counter_inc):
        with pytest.raises(ValueError, match="counter was destroyed"):
            call(counter)


def test_memory_without_a_mark_is_not_freed() -> None:
    """libzmq would free whatever is given for a counter or a stopwatch: only what zmq has made is let through."""
    rex: Any = zrex.new("a")
    for call in zmq.atomic_counter_destroy, zmq.atomic_counter_inc, zmq.stopwatch_stop, zmq.stopwatch_intermediate:
        with pytest.raises(TypeError, match=r"of pyczmq\.zmq's"):
            call(ffi.cast("void *", rex))  # type: ignore[arg-type]
    assert zrex.matches(rex, "a")


def wait_for(timers: Any, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not done():
        assert time.monotonic() < deadline
        zmq.sleep(max(0, zmq.timers_timeout(timers)) * MS)
        assert zmq.timers_execute(timers) == 0


def test_timers() -> None:
    """Timers call their handlers again and again, until they are cancelled."""
    timers = zmq.timers_new()
    assert zmq.timers_timeout(timers) == -1 and zmq.timers_execute(timers) == 0
    calls: list[Any] = []
    timer = zmq.timers_add(timers, 5, lambda *args: calls.append(args), "argument")
    assert 0 <= zmq.timers_timeout(timers) <= 5
    wait_for(timers, lambda: len(calls) >= 3)
    assert calls[0] == (timer, "argument")
    assert zmq.timers_set_interval(timers, timer, 100000) == 0 and zmq.timers_timeout(timers) > 9000
    assert zmq.timers_reset(timers, timer) == 0
    assert zmq.timers_cancel(timers, timer) == 0
    assert zmq.timers_cancel(timers, timer) == -1 and zmq.errno() == zmq.EINVAL
    assert zmq.timers_timeout(timers) == -1
    assert zmq.timers_set_interval(timers, timer, 5) == zmq.timers_reset(timers, timer) == -1
    assert zmq.timers_destroy(timers) == 0 == zmq.timers_destroy(None)
    for call in (zmq.timers_destroy, zmq.timers_execute, zmq.timers_timeout):
        with pytest.raises(ValueError, match="timers was destroyed"):
            call(timers)


def test_timers_refuse() -> None:
    """An interval of 0, over which C would loop for ever, is refused; so is a handler that cannot be called."""
    timers = zmq.timers_new()
    timer = zmq.timers_add(timers, 1000, print)
    for interval in (0, -1, 2**64):
        with pytest.raises(ValueError, match="interval"):
            zmq.timers_add(timers, interval, print)
        with pytest.raises(ValueError, match="interval"):
            zmq.timers_set_interval(timers, timer, interval)
    with pytest.raises(TypeError, match="handler"):
        zmq.timers_add(timers, 1, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="timers"):
        zmq.timers_add(None, 1, print)  # type: ignore[arg-type]


def test_timer_handlers_may_do_anything() -> None:
    """A handler may change, cancel and add timers, its own too, and destroy them all."""
    timers = zmq.timers_new()
    calls: list[str] = []
    ids: dict[str, int] = {}

    def first(timer_id: int, _: Any) -> None:
        calls.append("first")
        zmq.timers_reset(timers, timer_id)
        zmq.timers_set_interval(timers, timer_id, 100000)
        zmq.timers_cancel(timers, ids["second"])
        zmq.timers_add(timers, 1, third)

    def third(timer_id: int, _: Any) -> None:
        calls.append("third")
        zmq.timers_destroy(timers)

    ids["first"] = zmq.timers_add(timers, 1, first)
    ids["second"] = zmq.timers_add(timers, 1, lambda *_: calls.append("second"))
    time.sleep(0.01)
    zmq.timers_execute(timers)
    assert calls == ["first"]
    time.sleep(0.01)
    zmq.timers_execute(timers)
    assert calls == ["first", "third"]


def test_timer_exceptions_come_out() -> None:
    """A handler's exception comes out of timers_execute, which takes up the rest at the next call."""
    timers = zmq.timers_new()
    calls = []

    def fail(*_: Any) -> None:
        raise LookupError("told")

    zmq.timers_add(timers, 1, fail)
    zmq.timers_add(timers, 1, lambda *_: calls.append(1))
    time.sleep(0.01)
    with pytest.raises(LookupError, match="told"):
        zmq.timers_execute(timers)
    assert calls == [] and zmq.timers_timeout(timers) == 0
    try:
        zmq.timers_execute(timers)
    except LookupError:
        pass
    assert calls


def test_timers_are_garbage_collected() -> None:
    """Timers whose handlers refer to them are garbage all the same."""
    import weakref

    class Owner:
        def __init__(self) -> None:
            self.timers = zmq.timers_new()
            zmq.timers_add(self.timers, 1000, self.handle)

        def handle(self, timer_id: int, arg: Any) -> None:
            pass

    owner = Owner()
    gone = weakref.ref(owner)
    del owner
    collect()
    assert gone() is None


def test_stopwatch_and_sleep() -> None:
    """A stopwatch tells microseconds; sleep takes fractions of a second."""
    watch = zmq.stopwatch_start()
    zmq.sleep(0.02)
    middle = zmq.stopwatch_intermediate(watch)
    assert 15_000 < middle <= zmq.stopwatch_stop(watch)
    for call in (zmq.stopwatch_stop, zmq.stopwatch_intermediate):
        with pytest.raises(ValueError, match="watch was stopped"):
            call(watch)
        with pytest.raises(TypeError, match="watch"):
            call(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        zmq.sleep(-1)
    zmq.stopwatch_start()
    collect()


def test_threads(pair: Pair) -> None:
    """A thread runs a Python function with its argument; closing waits for its end, once."""
    a, b = pair()
    thread = zmq.threadstart(lambda argument: zmq.send(b, argument), "from the thread")
    assert zmq.recv(a) == b"from the thread"
    assert zmq.threadclose(thread) is None
    with pytest.raises(ValueError, match="thread was closed"):
        zmq.threadclose(thread)
    with pytest.raises(TypeError, match="func"):
        zmq.threadstart(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="thread"):
        zmq.threadclose(5)  # type: ignore[arg-type]


def test_thread_exceptions_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception goes to threading.excepthook, as for any thread."""
    seen: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.append(args.exc_type))

    def fail(_: Any) -> None:
        raise LookupError

    zmq.threadclose(zmq.threadstart(fail))
    assert seen == [LookupError]


def test_threads_that_go_on_do_not_hold_up_the_exit() -> None:
    """A program ends well with threads that nobody closed, asleep, at work, or waiting on a socket."""
    program = """
        import sys, time
        from pyczmq import zmq
        context = zmq.ctx_new()
        pull, push = zmq.socket(context, zmq.PULL), zmq.socket(context, zmq.PUSH)
        def work(_):
            while True:
                time.sleep(0.001)
        zmq.threadstart(work)
        zmq.threadstart(lambda _: zmq.recv(pull))
        zmq.threadstart(lambda _: zmq.proxy(push, push))
        time.sleep(0.05)
        print("end")
    """
    for _ in range(3):
        assert children.check(program) == "end\n"


def test_a_forked_child_starts_fresh() -> None:
    """After a fork the child is refused the parent's sockets and contexts, and can make its own."""
    program = """
        import os, warnings
        warnings.simplefilter("ignore")
        from pyczmq import zmq
        context = zmq.ctx_new()
        pair = zmq.socket(context, zmq.PAIR)
        pid = os.fork()
        if not pid:
            for call in (lambda: zmq.send(pair, b""), lambda: zmq.close(pair), lambda: zmq.ctx_term(context)):
                try:
                    call()
                except ValueError as error:
                    assert "parent process" in str(error)
                else:
                    os._exit(1)
            own = zmq.ctx_new()
            assert zmq.close(zmq.socket(own, zmq.PAIR)) == 0 and zmq.ctx_term(own) == 0
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert zmq.close(pair) == 0 and zmq.ctx_term(context) == 0
    """
    children.check(program)


# ---------------------------------------------------------------- drafts


@needs_drafts
def test_context_options_as_text(context: Any) -> None:
    """ctx_set_ext takes the prefix of the threads' names as text."""
    assert zmq.ctx_set_ext(context, zmq.THREAD_NAME_PREFIX, "prefix") == 0
    assert zmq.ctx_get_ext(context, zmq.THREAD_NAME_PREFIX) == "prefix"
    assert zmq.ctx_set_ext(context, zmq.IO_THREADS, 3) == 0 and zmq.ctx_get_ext(context, zmq.IO_THREADS) == 3
    assert zmq.ctx_set_ext(context, zmq.THREAD_NAME_PREFIX, "x" * 17) == -1
    assert zmq.ctx_set_ext(context, zmq.THREAD_NAME_PREFIX, "") == -1
    assert zmq.ctx_get_ext(context, 999) is None
    with pytest.raises(ValueError, match="at most 255"):
        zmq.ctx_set_ext(context, zmq.IO_THREADS, 1000)


@needs_drafts
def test_draft_sockets(context: Any) -> None:
    """RADIO and DISH, PEER, ROUTER's peer state and the monitor of version 2 are there."""
    radio, dish = zmq.socket(context, zmq.RADIO), zmq.socket(context, zmq.DISH)
    assert radio is not None and dish is not None
    assert zmq.join(dish, "movies") == 0 and zmq.join(dish, "movies") == -1
    assert zmq.bind(radio, "inproc://radio") == 0 and zmq.connect(dish, "inproc://radio") == 0
    message = zmq.msg_init_buffer(b"film")
    assert message is not None and zmq.msg_set_group(message, "movies") == 0
    assert zmq.msg_send(message, radio) == 4
    assert zmq.msg_recv(message, dish) == 4 and zmq.msg_group(message) == "movies"
    assert zmq.leave(dish, "movies") == 0 and zmq.leave(dish, "movies") == -1
    assert zmq.join(radio, "x") == -1
    one, two = zmq.socket(context, zmq.PEER), zmq.socket(context, zmq.PEER)
    assert one is not None and two is not None
    assert zmq.bind(one, "inproc://peer") == 0
    assert zmq.connect_peer(two, "inproc://peer") > 0
    assert zmq.connect_peer(radio, "inproc://peer") == 0
    router = zmq.socket(context, zmq.ROUTER)
    assert router is not None
    assert zmq.socket_get_peer_state(router, b"nobody") == -1
    watcher = zmq.socket(context, zmq.PAIR)
    assert watcher is not None
    assert zmq.socket_monitor_versioned(router, "inproc://versioned") == 0
    assert zmq.connect(watcher, "inproc://versioned") == 0
    assert zmq.bind(router, "tcp://127.0.0.1:*") == 0
    frames = zmq.recviov(watcher, 9)
    assert frames is not None and struct.unpack("@Q", frames[0])[0] == zmq.EVENT_LISTENING
    assert zmq.socket_monitor_pipes_stats(router) in (0, -1)


@needs_drafts
def test_poller(pair: Pair) -> None:
    """A poller tells what is ready, with the object that was given for it."""
    a, b = pair()
    poller = zmq.poller_new()
    read, write = os.pipe()
    marker = object()
    assert zmq.poller_wait(poller, 0) is None and zmq.poller_wait_all(poller, 1, -1) is None
    assert zmq.poller_add(poller, b, marker, zmq.POLLIN) == 0
    assert zmq.poller_add(poller, b, marker, zmq.POLLIN) == -1
    assert zmq.poller_add_fd(poller, read, "pipe", zmq.POLLIN) == 0
    assert zmq.poller_size(poller) == 2
    assert zmq.poller_wait(poller, 10) is None and zmq.poller_wait_all(poller, 5, 0) == []
    zmq.send(a, b"x")
    event = zmq.poller_wait(poller, 1000)
    assert event is not None and event[0] is b and event[1] is marker and event[2] == zmq.POLLIN
    os.write(write, b"x")
    events = zmq.poller_wait_all(poller, 5, 1000)
    assert events is not None and events[1] == (read, "pipe", zmq.POLLIN)
    assert zmq.poller_modify(poller, b, 0) == zmq.poller_modify_fd(poller, read, 0) == 0
    assert zmq.poller_wait(poller, 0) is None
    assert zmq.poller_fd(poller) is None
    assert zmq.poller_remove_fd(poller, read) == 0 and zmq.poller_remove_fd(poller, read) == -1
    assert zmq.poller_modify(poller, b, zmq.POLLIN) == 0
    zmq.close(b)
    with pytest.raises(ValueError, match="a socket in poller was closed"):
        zmq.poller_wait(poller, 0)
    assert zmq.poller_destroy(poller) == 0 == zmq.poller_destroy(None)
    with pytest.raises(ValueError, match="poller was destroyed"):
        zmq.poller_size(poller)
    os.close(read)
    os.close(write)


@needs_drafts
def test_poller_after_shutdown(context: Any) -> None:
    """A poller over sockets of a context that ended returns None, where C would abort."""
    poller = zmq.poller_new()
    assert zmq.poller_add(poller, zmq.socket(context, zmq.PAIR), None, zmq.POLLIN) == 0  # type: ignore[arg-type]
    zmq.ctx_shutdown(context)
    assert zmq.poller_wait(poller, 1000) is None


def test_old_program() -> None:
    """The old pyczmq's calls, which are C's, still work."""
    version = zmq.version()
    assert version and len(version) == 3
    ctx = zmq.ctx_new()
    assert ctx is not None
    zmq.ctx_set(ctx, zmq.IO_THREADS, zmq.IO_THREADS_DFLT)
    push, pull = zmq.socket(ctx, zmq.PUSH), zmq.socket(ctx, zmq.PULL)
    assert push is not None and pull is not None
    zmq.bind(push, "inproc://old")
    zmq.connect(pull, "inproc://old")
    msg: Any = ffi.new("zmq_msg_t *")
    zmq.msg_init_size(msg, 3)
    zmq.msg_data(msg)[:] = b"foo"
    assert zmq.msg_send(msg, push, 0) == 3
    item: Any = zmq.pollitem(socket=pull, events=zmq.POLLIN)
    assert zmq.poll(item, 1, 1000) == 1
    assert zmq.msg_recv(msg, pull, 0) == 3
    zmq.msg_close(msg)
    zmq.close(push)
    zmq.close(pull)
    zmq.ctx_term(ctx)


def test_messages_that_are_left_at_exit_say_nothing() -> None:
    """They are closed after the end of the module that does so."""
    program = """
        import os
        from pyczmq import _zmq_msg, zmq
        os.kept = (zmq.msg_init_buffer(b"x" * 1000), _zmq_msg)
    """
    assert children.check(program) == ""


def test_forgotten_socket_in_czmqs_context_does_not_hold_up_the_exit() -> None:
    """A socket that nobody has closed in the process-wide context is closed at exit, which would wait for it."""
    children.check("from pyczmq import zmq, zsys; sockets = [zmq.socket(zsys.init(), zmq.PUSH) for _ in range(3)]")
