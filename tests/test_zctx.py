"""zctx: contexts and their shadows, who ends with whom, and that nothing hangs or crashes on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import ModuleType

import children
import pytest
from common import collect

from pyczmq import C, ffi, zctx, zsocket, zstr

NULL_CTX = ffi.cast("zctx_t *", 0)


def pair(ctx: object, endpoint: str, other: object = None) -> tuple[object, object]:
    """Two connected PAIR sockets, the second one in another context if it is given."""
    left = zsocket.new(ctx, zsocket.PAIR)
    right = zsocket.new(ctx if other is None else other, zsocket.PAIR)
    assert zsocket.bind(left, endpoint) == 0
    assert zsocket.connect(right, endpoint) == 0
    return left, right


def can_talk(left: object, right: object) -> bool:
    """Whether a message sent on the left comes out on the right."""
    zstr.send(left, "talk")
    return zsocket.poll(right, 1000) and zstr.recv(right) == "talk"


# ---------------------------------------------------------------- the class's own example, and the old program


def test_unused_context_is_destroyed() -> None:
    """A context without sockets ends at once."""
    ctx = zctx.new()
    assert ffi.typeof(ctx) is ffi.typeof("zctx_t *")
    assert zctx.destroy(ctx) is None


def test_context_with_many_busy_sockets() -> None:
    """Whatever its sockets are connected to, a context closes them all and ends."""
    ctx = zctx.new()
    zctx.set_iothreads(ctx, 1)
    zctx.set_linger(ctx, 5)
    for kind in (zsocket.PAIR, zsocket.XREQ, zsocket.REQ, zsocket.REP, zsocket.PUB, zsocket.SUB):
        assert zsocket.connect(zsocket.new(ctx, kind), "tcp://127.0.0.1:9") == 0
    zctx.destroy(ctx)


def test_old_program() -> None:
    """The old pyczmq's calls, as its test had them."""
    ctx = zctx.new()
    zctx.set_iothreads(ctx, 2)
    zctx.set_iothreads(ctx, 1)
    zctx.set_linger(ctx, 1)
    zctx.set_pipehwm(ctx, 500)
    zctx.set_sndhwm(ctx, 500)
    zctx.set_rcvhwm(ctx, 500)
    assert zctx.underlying(ctx) is None
    ctx = zctx.destroy(ctx)
    assert ctx is None
    assert zctx.destroy(ctx) is None


# ---------------------------------------------------------------- settings


def test_settings_reach_the_sockets() -> None:
    """Sockets that are made later have the context's high-water marks; the defaults are 1000."""
    ctx = zctx.new()
    before = zsocket.new(ctx, zsocket.PUSH)
    zctx.set_sndhwm(ctx, 11)
    zctx.set_rcvhwm(ctx, 0)
    after = zsocket.new(ctx, zsocket.PUSH)
    assert (zsocket.sndhwm(before), zsocket.rcvhwm(before)) == (1000, 1000)
    assert (zsocket.sndhwm(after), zsocket.rcvhwm(after)) == (11, 0)


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_iothreads_reach_libzmq(threads: int) -> None:
    """The number of I/O threads is libzmq's; without any, nothing but inproc can be bound."""
    ctx = zctx.new()
    zctx.set_iothreads(ctx, threads)
    socket = zsocket.new(ctx, zsocket.PAIR)
    assert C.zmq_ctx_get(zctx.underlying(ctx), C.ZMQ_IO_THREADS) == threads
    assert (zsocket.bind(socket, "tcp://127.0.0.1:*") > 0) is bool(threads)
    assert zsocket.bind(socket, "inproc://zctx.iothreads") == 0


def test_linger_delays_the_end() -> None:
    """A context waits for as long as its linger says for messages that cannot be sent, and no longer."""
    ctx = zctx.new()
    zctx.set_linger(ctx, 200)
    push = zsocket.new(ctx, zsocket.PUSH)
    zsocket.connect(push, "tcp://127.0.0.1:9")
    zstr.send(push, "to nobody")
    start = time.monotonic()
    zctx.destroy(ctx)
    assert 0.15 < time.monotonic() - start < 5


def test_linger_is_used_to_send() -> None:
    """What was sent just before the end arrives, if the linger allows it."""
    theirs, ours = zctx.new(), zctx.new()
    pull = zsocket.new(theirs, zsocket.PULL)
    port = zsocket.bind(pull, "tcp://127.0.0.1:*")
    zctx.set_linger(ours, 5000)
    push = zsocket.new(ours, zsocket.PUSH)
    zsocket.connect(push, f"tcp://127.0.0.1:{port}")
    for number in range(500):
        zstr.send(push, str(number))
    zctx.destroy(ours)
    zsocket.set_rcvtimeo(pull, 5000)
    assert [zstr.recv(pull) for _ in range(500)] == [str(number) for number in range(500)]


@pytest.mark.parametrize(
    ("setter", "value"),
    [
        (zctx.set_iothreads, -1),
        (zctx.set_iothreads, zctx.MOST_IOTHREADS + 1),
        (zctx.set_iothreads, 10**30),
        (zctx.set_linger, -2),
        (zctx.set_linger, 2**31),
        (zctx.set_pipehwm, -1),
        (zctx.set_sndhwm, -1),
        (zctx.set_rcvhwm, -1),
        (zctx.set_rcvhwm, 2**31),
    ],
)
def test_settings_out_of_range(setter: object, value: int) -> None:
    """A value that C would assert about, or run out of descriptors with, is a ValueError that names the argument."""
    ctx = zctx.new()
    with pytest.raises(ValueError, match=setter.__name__[len("set_") :]):
        setter(ctx, value)


@pytest.mark.parametrize(
    "setter", [zctx.set_iothreads, zctx.set_linger, zctx.set_pipehwm, zctx.set_sndhwm, zctx.set_rcvhwm]
)
@pytest.mark.parametrize("value", [None, "1", 1.0, b"1"])
def test_settings_of_a_wrong_type(setter: object, value: object) -> None:
    """A value that is no int is a TypeError that names the argument."""
    ctx = zctx.new()
    with pytest.raises(TypeError, match=setter.__name__[len("set_") :]):
        setter(ctx, value)


# ---------------------------------------------------------------- libzmq's context


def test_contexts_do_not_see_each_others_names() -> None:
    """An inproc name belongs to one context: another can bind it too, and connects to its own."""
    one, two = zctx.new(), zctx.new()
    left, right = pair(one, "inproc://zctx.names")
    other_left, other_right = pair(two, "inproc://zctx.names")
    assert can_talk(left, right)
    assert can_talk(other_left, other_right)
    lonely = zsocket.new(zctx.new(), zsocket.PAIR)
    zsocket.connect(lonely, "inproc://zctx.names")
    zstr.send(left, "not for you")
    assert zsocket.poll(lonely, 50) is False


def test_underlying() -> None:
    """libzmq's context is made with the first socket; the pointer to it keeps the context alive, and dies with it."""
    ctx = zctx.new()
    assert zctx.underlying(ctx) is None
    socket = zsocket.new(ctx, zsocket.PAIR)
    underlying = zctx.underlying(ctx)
    assert ffi.typeof(underlying) is ffi.typeof("void *")
    assert underlying == zctx.underlying(ctx)
    assert C.zmq_ctx_get(underlying, C.ZMQ_IO_THREADS) == 1
    del ctx, socket
    collect()
    assert C.zmq_ctx_get(underlying, C.ZMQ_IO_THREADS) == 1
    shadow = zctx.shadow_zmq_ctx(underlying)
    zctx.destroy(shadow)
    ctx = zctx.new()
    zsocket.new(ctx, zsocket.PAIR)
    underlying = zctx.underlying(ctx)
    zctx.destroy(ctx)
    with pytest.raises(ValueError, match="zmqctx was closed with its context"):
        zctx.shadow_zmq_ctx(underlying)


def test_interrupted_is_read_anew() -> None:
    """zctx.interrupted is C's variable as it is at the moment."""
    assert zctx.interrupted == 0
    C.zctx_interrupted = 1
    try:
        assert zctx.interrupted == 1
    finally:
        C.zctx_interrupted = 0
    assert zctx.interrupted == 0


def test_unknown_name() -> None:
    """A name that is neither here nor in C is an AttributeError that says so."""
    with pytest.raises(AttributeError, match=r"pyczmq\.zctx has no 'frobnicate'"):
        _ = zctx.frobnicate


# ---------------------------------------------------------------- destroy


def test_destroyed_context_is_refused_everywhere() -> None:
    """After destroy every function refuses the context, and its sockets, with a ValueError that says why."""
    ctx = zctx.new()
    socket = zsocket.new(ctx, zsocket.PAIR)
    zctx.destroy(ctx)
    calls = [
        lambda: zctx.destroy(ctx),
        lambda: zctx.shadow(ctx),
        lambda: zctx.underlying(ctx),
        lambda: zctx.set_linger(ctx, 1),
        lambda: zsocket.new(ctx, zsocket.PAIR),
        lambda: zsocket.destroy(ctx, socket),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="ctx was destroyed"):
            call()
    with pytest.raises(ValueError, match="sock was closed with its context"):
        zsocket.rcvhwm(socket)


@pytest.mark.parametrize("bad", ["ctx", 1, b"", object(), ffi.new("int *"), ffi.cast("zsock_t *", 8)])
def test_wrong_handles(bad: object) -> None:
    """What is no zctx_t is a TypeError that names the argument."""
    for call in (zctx.destroy, zctx.shadow, zctx.underlying, lambda it: zctx.set_linger(it, 1)):
        with pytest.raises(TypeError, match=r"ctx must be a .*zctx_t"):
            call(bad)


def test_null_and_none() -> None:
    """NULL is refused, and None where it is not a destructor's."""
    for call in (zctx.destroy, zctx.shadow, zctx.underlying, lambda it: zctx.set_linger(it, 1)):
        with pytest.raises(ValueError, match="ctx is NULL"):
            call(NULL_CTX)
    with pytest.raises(TypeError, match="ctx must be"):
        zctx.shadow(None)
    assert zctx.destroy(None) is None


def test_raw_context_in_the_namespace() -> None:
    """A context from the raw floor is destroyed here once, with the sockets that were made here."""
    ctx = C.zctx_new()
    raw, owned = C.zsocket_new(ctx, zsocket.PUSH), zsocket.new(ctx, zsocket.PULL)
    assert raw
    zctx.destroy(ctx)
    with pytest.raises(ValueError, match="ctx was destroyed"):
        zctx.destroy(ctx)
    with pytest.raises(ValueError, match="sock was closed with its context"):
        zsocket.poll(owned, 0)


def test_raw_end_of_a_namespace_context() -> None:
    """Where the raw floor destroyed a context, the garbage collector frees nothing twice."""
    ctx = zctx.new()
    socket = zsocket.new(ctx, zsocket.PAIR)
    C.zctx_destroy(ffi.new("zctx_t **", ctx))
    del ctx, socket
    collect()


def test_collected_context_does_not_block() -> None:
    """The garbage collector does not wait for what lingers: that is sent in the background."""
    theirs = zctx.new()
    pull = zsocket.new(theirs, zsocket.PULL)
    port = zsocket.bind(pull, "tcp://127.0.0.1:*")
    ctx = zctx.new()
    zctx.set_linger(ctx, 10000)
    push, blocked = zsocket.new(ctx, zsocket.PUSH), zsocket.new(ctx, zsocket.PUSH)
    zsocket.connect(push, f"tcp://127.0.0.1:{port}")
    zsocket.connect(blocked, "tcp://127.0.0.1:9")
    zstr.send(blocked, "to nobody")
    zstr.send(push, "later")
    start = time.monotonic()
    del ctx, push, blocked
    collect()
    assert time.monotonic() - start < 3
    assert zsocket.poll(pull, 5000)
    assert zstr.recv(pull) == "later"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no interval timer")
@pytest.mark.timeout(60, method="thread")
def test_interrupt_ends_the_wait() -> None:
    """Ctrl-C comes out of a destroy that waits for what lingers, at once."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    ctx = zctx.new()
    zctx.set_linger(ctx, 3000)
    push = zsocket.new(ctx, zsocket.PUSH)
    zsocket.connect(push, "tcp://127.0.0.1:9")
    zstr.send(push, "to nobody")
    before = signal.signal(signal.SIGALRM, interrupt)
    start = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            zctx.destroy(ctx)
        assert time.monotonic() - start < 0.1 + 0.2 + 0.5
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(ValueError, match="ctx was destroyed"):
        zctx.destroy(ctx)


def test_thread_that_waits_on_a_destroyed_context() -> None:
    """A thread that is blocked on a socket when its context is destroyed comes back, and nothing crashes."""
    children.check(
        """
        import threading, time
        from pyczmq import _threads, zctx, zsocket, zstr
        for round in range(30):
            ctx = zctx.new()
            pulls = [zsocket.new(ctx, zsocket.PULL) for _ in range(4)]
            ready = threading.Barrier(5)
            got = []
            def listen(sock):
                ready.wait()
                got.append(zstr.recv(sock))
            threads = [threading.Thread(target=listen, args=(pull,)) for pull in pulls]
            for thread in threads:
                thread.start()
            ready.wait()
            while len(_threads.waiting) < 4:
                time.sleep(0.001)
            zctx.destroy(ctx)
            for thread in threads:
                thread.join(10)
                assert not thread.is_alive()
            assert got == [None] * 4
        """
    )


def test_sockets_from_many_threads_share_one_context() -> None:
    """Threads that make their first sockets at the same moment get them in the same libzmq context."""
    ctx = zctx.new()
    ready = threading.Barrier(8)
    sockets = []

    def make() -> None:
        ready.wait()
        sockets.append(zsocket.new(ctx, zsocket.PAIR))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(0, 8, 2):
        endpoint = f"inproc://zctx.threads.{number}"
        assert zsocket.bind(sockets[number], endpoint) == 0
        assert zsocket.connect(sockets[number + 1], endpoint) == 0
        assert can_talk(sockets[number], sockets[number + 1])


# ---------------------------------------------------------------- shadows


def test_shadow_shares_the_names_and_copies_the_settings() -> None:
    """A shadow's sockets meet the context's over inproc, and have its settings as they were."""
    ctx = zctx.new()
    zctx.set_sndhwm(ctx, 7)
    zctx.set_rcvhwm(ctx, 8)
    shadow = zctx.shadow(ctx)
    zctx.set_sndhwm(ctx, 9)
    assert zctx.underlying(shadow) == zctx.underlying(ctx)
    left, right = pair(ctx, "inproc://zctx.shadow", shadow)
    assert can_talk(left, right)
    assert can_talk(right, left)
    assert (zsocket.sndhwm(right), zsocket.rcvhwm(right)) == (7, 8)


def test_shadow_closes_its_own_sockets_only() -> None:
    """Destroying a shadow leaves the context, its sockets and other shadows as they are."""
    ctx = zctx.new()
    shadow, other = zctx.shadow(ctx), zctx.shadow(ctx)
    mine = zsocket.new(shadow, zsocket.PAIR)
    left, right = pair(ctx, "inproc://zctx.own", other)
    zctx.destroy(shadow)
    with pytest.raises(ValueError, match="sock was closed with its context"):
        zsocket.poll(mine, 0)
    assert can_talk(left, right)
    assert zsocket.new(ctx, zsocket.PAIR)


def test_shadow_keeps_its_context_alive() -> None:
    """A program may drop the context and go on with the shadow, or with a shadow of it."""
    ctx = zctx.new()
    shadow = zctx.shadow(zctx.shadow(ctx))
    del ctx
    collect()
    left, right = pair(shadow, "inproc://zctx.alive")
    assert can_talk(left, right)


@pytest.mark.parametrize("order", ["ctx shadow", "shadow ctx", "all"])
def test_shadows_are_collected_in_any_order(order: str) -> None:
    """Contexts, shadows and their sockets may go in any order."""
    ctx = zctx.new()
    shadow = zctx.shadow(ctx)
    things = {"ctx": ctx, "shadow": shadow, "sockets": pair(ctx, "inproc://zctx.order", shadow)}
    del ctx, shadow
    for name in order.split():
        if name == "all":
            things.clear()
        things.pop(name, None)
        collect()


def test_destroy_takes_the_shadows_along() -> None:
    """Where C would wait for ever for a shadow's open sockets, they are closed, and the shadow is refused."""
    ctx = zctx.new()
    shadow = zctx.shadow(ctx)
    second = zctx.shadow(shadow)
    sockets = [zsocket.new(each, zsocket.PAIR) for each in (ctx, shadow, second)]
    zctx.destroy(ctx)
    for each in (shadow, second):
        with pytest.raises(ValueError, match="was destroyed with the context that it shadows"):
            zctx.destroy(each)
    for socket in sockets:
        with pytest.raises(ValueError, match="sock was closed with its context"):
            zsocket.poll(socket, 0)


def test_destroy_waits_for_shadows_of_other_threads() -> None:
    """A thread that works with a shadow gets None once the context ends, and closes its sockets itself, as in C."""
    ctx = zctx.new()
    ready = threading.Event()
    seen = []

    def work() -> None:
        shadow = zctx.shadow(ctx)
        socket = zsocket.new(shadow, zsocket.PAIR)
        ready.set()
        seen.append(zstr.recv(socket))
        seen.append(zstr.send(socket, "too late"))
        zctx.destroy(shadow)

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(10)
    zctx.destroy(ctx)
    thread.join(10)
    assert not thread.is_alive()
    assert seen == [None, -1]


def test_destroy_closes_shadows_of_finished_threads() -> None:
    """What a thread has left open when it ended is closed."""
    ctx = zctx.new()
    left = []

    def work() -> None:
        left.append(zctx.shadow(ctx))
        left.append(zsocket.new(left[0], zsocket.PAIR))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    zctx.destroy(ctx)
    with pytest.raises(ValueError, match="closed with its context"):
        zsocket.poll(left[1], 0)


def test_destroy_says_that_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that does not close its shadow's sockets is waited for, but not in silence."""
    from pyczmq._czmq2 import zctx as rebuilt

    monkeypatch.setattr(rebuilt, "PATIENCE", 0.05)
    ctx = zctx.new()
    ready, finish = threading.Event(), threading.Event()

    def work() -> None:
        shadow = zctx.shadow(ctx)
        socket = zsocket.new(shadow, zsocket.PAIR)
        ready.set()
        finish.wait(30)
        zsocket.destroy(shadow, socket)

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(10)
    # With warnings as errors, as in these tests, destroy comes back and libzmq waits in the background.
    with pytest.raises(RuntimeWarning, match="waits for other threads to close 1 sockets"):
        zctx.destroy(ctx)
    finish.set()
    thread.join(10)
    assert not thread.is_alive()


def test_shadow_of_any_libzmq_context() -> None:
    """shadow_zmq_ctx takes libzmq's context as a pointer or as an address, and never ends it."""
    underlying = C.zmq_ctx_new()
    first = zctx.shadow_zmq_ctx(underlying)
    second = zctx.shadow_zmq_ctx(int(ffi.cast("uintptr_t", underlying)))
    left, right = pair(first, "inproc://zctx.any", second)
    assert can_talk(left, right)
    assert zctx.underlying(first) == underlying
    zctx.destroy(first)
    zctx.destroy(second)
    third = C.zmq_socket(underlying, zsocket.PAIR)
    assert third
    C.zmq_close(third)
    assert C.zmq_ctx_term(underlying) == 0


@pytest.mark.parametrize("bad", [None, "0x1234", b"ctx", 1.5, object()])
def test_shadow_of_something_else(bad: object) -> None:
    """What is neither a pointer nor an address is a TypeError."""
    with pytest.raises(TypeError, match="zmqctx must be"):
        zctx.shadow_zmq_ctx(bad)


@pytest.mark.parametrize("bad", [0, 1, -1, 2**64, 10**30, ffi.NULL])
def test_shadow_of_an_impossible_address(bad: object) -> None:
    """Addresses at which no context can be, and NULL, are a ValueError."""
    with pytest.raises(ValueError, match="zmqctx"):
        zctx.shadow_zmq_ctx(bad)


def test_shadow_of_a_pointer_to_something_else() -> None:
    """libzmq recognizes its contexts: a socket, or other memory, is a ValueError."""
    ctx = zctx.new()
    socket = zsocket.new(ctx, zsocket.PAIR)
    memory = ffi.new("char[]", 4096)
    for pointer in (socket, ffi.cast("void *", memory)):
        with pytest.raises(ValueError, match="not a context of libzmq"):
            zctx.shadow_zmq_ctx(pointer)


# ---------------------------------------------------------------- PyZMQ

PYZMQ = """
    import sys
    import zmq as pyzmq
    from pyczmq import zctx, zsocket, zstr

    theirs = pyzmq.Context()
    try:
        ours = zctx.shadow_pyzmq_ctx(theirs)
    except RuntimeError as error:
        try:
            zsocket.shadow_pyzmq_socket(theirs.socket(pyzmq.PAIR))
        except RuntimeError:
            print("two copies:", error)
        sys.exit(0)

    left = theirs.socket(pyzmq.PAIR)
    left.bind("inproc://pyzmq")
    right = zsocket.new(ours, zsocket.PAIR)
    zsocket.connect(right, "inproc://pyzmq")
    left.send_string("there")
    assert zstr.recv(right) == "there"
    zstr.send(right, "and back")
    assert left.recv_string() == "and back"

    shadow = zsocket.shadow_pyzmq_socket(left)
    assert zsocket.type_str(shadow) == "PAIR" and zsocket.last_endpoint(shadow) == "inproc://pyzmq"
    zstr.send(shadow, "from the same socket")
    assert zstr.recv(right) == "from the same socket"
    del shadow
    left.send_string("still open")
    assert zstr.recv(right) == "still open"

    for refused, call in ((ValueError, zsocket.shadow_pyzmq_socket), (TypeError, zctx.shadow_pyzmq_ctx)):
        left.close()
        try:
            call(left)
        except refused:
            continue
        sys.exit("a closed socket was taken")
    zctx.destroy(ours)
    theirs.term()
    try:
        zctx.shadow_pyzmq_ctx(theirs)
    except ValueError:
        print("one copy")
"""


def run_with(python: str, folder: Path) -> str:
    """Run the program above with another interpreter, which sees pyczmq and no other package of ours."""
    import pyczmq

    (folder / "pyczmq").symlink_to(Path(pyczmq.__file__).resolve().parent, target_is_directory=True)
    done = subprocess.run(
        [python, "-c", textwrap.dedent(PYZMQ)],
        env={**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def pyzmq() -> ModuleType:
    """PyZMQ, or skip the test."""
    return pytest.importorskip("zmq", reason="PyZMQ is not installed here")


def copies_of_libzmq() -> int:
    """How many libraries of that name a process with PyZMQ and CZMQ has loaded; Linux tells."""
    if not os.path.exists("/proc/self/maps"):
        pytest.skip("only Linux tells which libraries a process has loaded")
    maps = children.check(
        """
        import zmq
        from pyczmq import C
        C.zmq_errno()
        print(open("/proc/self/maps").read())
        """
    )
    return len({line.split()[-1] for line in maps.splitlines() if "/libzmq" in line})


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what memory there is")
@pytest.mark.parametrize("address", [4096, 2**47 - 4096, 2**63, 2**64 - 1])
def test_an_address_without_memory_is_no_context(address: int) -> None:
    with pytest.raises(ValueError, match="no memory behind it"):
        zctx.shadow_zmq_ctx(address)


def test_pyzmq_of_this_interpreter() -> None:
    """Where PyZMQ has brought a libzmq of its own that is a RuntimeError that explains it; else messages cross."""
    pyzmq()
    output = children.check(PYZMQ)
    if copies_of_libzmq() > 1:
        assert "two copies" in output
        assert "apt install python3-zmq" in output
    else:
        assert output == "one copy\n"


def test_pyzmq_of_the_distribution(tmp_path: Path) -> None:
    """With the distribution's PyZMQ, which runs on the system's libzmq as CZMQ does, messages cross both ways."""
    python = "/usr/bin/python3"
    if not os.path.exists(python):
        pytest.skip(f"there is no {python}")
    asked = subprocess.run([python, "-c", "import zmq, cffi"], capture_output=True, text=True, check=False)
    if asked.returncode:
        pytest.skip(f"{python} has no PyZMQ or no cffi (Debian: apt install python3-zmq python3-cffi)")
    assert run_with(python, tmp_path) == "one copy\n"


def test_pyzmq_objects_only() -> None:
    """What is no object of PyZMQ's is a TypeError, also where PyZMQ is not even imported."""
    ctx = zctx.new()
    for bad in (None, 1, "ctx", object(), ctx):
        with pytest.raises(TypeError, match=r"ctx must be a zmq\.Context"):
            zctx.shadow_pyzmq_ctx(bad)
        with pytest.raises(TypeError, match=r"sock must be a zmq\.Socket"):
            zsocket.shadow_pyzmq_socket(bad)


def test_closed_pyzmq_objects() -> None:
    """Objects of PyZMQ that are closed are a ValueError, whichever libzmq they had."""
    zmq = pyzmq()
    context = zmq.Context()
    socket = context.socket(zmq.PAIR)
    socket.close()
    context.term()
    with pytest.raises(ValueError, match="sock is closed"):
        zsocket.shadow_pyzmq_socket(socket)
    with pytest.raises(ValueError, match="ctx is closed"):
        zctx.shadow_pyzmq_ctx(context)
