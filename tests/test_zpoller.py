"""zpoller: waiting on sockets and file descriptors."""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, ffi, zctx, zmq, zpoller, zsocket, zstr


class Wires:
    """A context with a PUSH socket and three PULL sockets that it can be connected to."""

    def __init__(self) -> None:
        self.ctx = zctx.new()
        self.vent = zsocket.new(self.ctx, zmq.PUSH)
        self.port = zsocket.bind(self.vent, "tcp://127.0.0.1:*")
        self.sink, self.bowl, self.dish = (zsocket.new(self.ctx, zmq.PULL) for _ in range(3))

    def connect(self, pull: Any) -> Any:
        assert zsocket.connect(pull, f"tcp://127.0.0.1:{self.port}") == 0
        return pull


@pytest.fixture
def wires() -> Iterator[Wires]:
    made = Wires()
    yield made
    zctx.destroy(made.ctx)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for fd in (read, write):
        try:
            os.close(fd)
        except OSError:
            pass


def test_selftest_replayed(wires: Wires) -> None:
    """What CZMQ's own test shows: add, wait, remove, an unknown reader, a descriptor, and nonstop."""
    poller = zpoller.new(wires.bowl, wires.dish)
    wires.connect(wires.sink)
    assert zpoller.add(poller, wires.sink) == 0
    zstr.send(wires.vent, "Hello, World")
    which = zpoller.wait(poller, 5000)
    assert which is wires.sink
    assert not zpoller.expired(poller)
    assert not zpoller.terminated(poller)
    assert zstr.recv(which) == "Hello, World"
    assert zpoller.remove(poller, wires.sink) == 0
    assert zpoller.remove(poller, wires.sink) == -1
    wires.connect(wires.bowl)
    fd = zsocket.fd(wires.bowl)
    assert zpoller.remove(poller, wires.bowl) == 0
    assert zpoller.add(poller, fd) == 0
    found = None
    while found is None:
        # Every second one is for it once it is connected.
        zstr.send(wires.vent, "Hello again, world")
        found = zpoller.wait(poller, 100)
    assert found == fd
    C.zsys_interrupted = 1
    try:
        assert zpoller.wait(poller, 0) is None
        assert zpoller.terminated(poller)
        zpoller.set_nonstop(poller, True)
        zpoller.wait(poller, 0)
        assert not zpoller.terminated(poller)
        zpoller.set_nonstop(poller, False)
        assert zpoller.wait(poller, 1000) is None
        zpoller.ignore_interrupts(poller)
        zpoller.wait(poller, 0)
        assert not zpoller.terminated(poller)
    finally:
        C.zsys_interrupted = 0


def test_old_program() -> None:
    """The old pyczmq's test of zpoller runs as it was."""
    ctx = zctx.new()
    vent = zsocket.new(ctx, zmq.PUSH)
    rc = zsocket.bind(vent, "tcp://127.0.0.1:*")
    assert rc != -1, "vent bind error"
    sink = zsocket.new(ctx, zmq.PULL)
    rc = zsocket.connect(sink, f"tcp://localhost:{rc}")
    assert rc != -1, "sink connect error"
    bowl = zsocket.new(ctx, zmq.PULL)
    dish = zsocket.new(ctx, zmq.PULL)
    poller = zpoller.new(bowl, sink, dish)
    assert poller, "poller create error"
    zstr.send(vent, "Hello, World")
    which = zpoller.wait(poller, 1000)
    assert which == sink, "expected message on sink only"
    assert not zpoller.expired(poller), "unexpected poll timer exipiry"
    assert not zpoller.terminated(poller), "unexpected poller termination (interrupted)"
    assert zstr.recv(which) == "Hello, World"
    poller = zpoller.destroy(poller)
    ctx = zctx.destroy(ctx)
    assert poller is None
    assert ctx is None


def test_czmq_selftest() -> None:
    """CZMQ's test of this class passes on this machine."""
    zpoller.test()


def test_first_reader_comes_first(wires: Wires) -> None:
    """Of several readers with input, the one that was given first is returned."""
    one, two = os.pipe(), os.pipe()
    try:
        os.write(one[1], b"x")
        os.write(two[1], b"x")
        assert zpoller.wait(zpoller.new(two[0], one[0]), 0) == two[0]
        assert zpoller.wait(zpoller.new(one[0], two[0]), 0) == one[0]
    finally:
        for fd in (*one, *two):
            os.close(fd)


@pytest.mark.parametrize("timeout", [0, 1, 30, 250])
def test_timeout(timeout: int) -> None:
    """Wait returns None after its time and not before, in slices too, with readers and without."""
    ctx = zctx.new()
    for poller in (zpoller.new(), zpoller.new(zsocket.new(ctx, zmq.PULL))):
        start = time.monotonic()
        assert zpoller.wait(poller, timeout) is None
        assert timeout <= (time.monotonic() - start) * 1000 < timeout + 200
        assert zpoller.expired(poller)
        assert not zpoller.terminated(poller)


@pytest.mark.parametrize("timeout", [-1, -(2**31), 2**31 - 1, 2**70])
def test_endless_timeouts(wires: Wires, timeout: int) -> None:
    """Negative timeouts wait for ever, huge ones as good as that; input that comes late ends both."""
    poller = zpoller.new(wires.connect(wires.sink))
    timer = threading.Timer(0.25, zstr.send, (wires.vent, "late"))
    timer.start()
    assert zpoller.wait(poller, timeout) is wires.sink
    timer.join()
    assert not zpoller.expired(poller)


def test_default_timeout_waits(wires: Wires) -> None:
    """Without a timeout, wait does not return before there is input."""
    poller = zpoller.new(wires.connect(wires.sink))
    zstr.send(wires.vent, "x")
    assert zpoller.wait(poller) is wires.sink


def test_zsock_and_zactor_readers() -> None:
    """Handles of zsocks and zactors are readers, and come back as they were given."""
    push, pull = C.zsock_new(zmq.PUSH), C.zsock_new(zmq.PULL)
    assert C.zsock_bind(push, b"inproc://zpoller.zsock") == 0
    assert C.zsock_connect(pull, b"inproc://zpoller.zsock") == 0
    actor = C.zactor_new(C.zproxy, ffi.NULL)
    try:
        poller = zpoller.new(actor, pull)
        assert zpoller.wait(poller, 0) is None
        C.zstr_send(push, b"x")
        assert zpoller.wait(poller, 5000) is pull
        C.zstr_free(ffi.new("char **", C.zstr_recv(pull)))
        C.zstr_send(actor, b"VERBOSE")
        assert zpoller.wait(poller, 5000) is actor
    finally:
        C.zactor_destroy(ffi.new("zactor_t **", actor))
        for sock in (push, pull):
            C.zsock_destroy(ffi.new("zsock_t **", sock))


def test_descriptors(pipe: tuple[int, int]) -> None:
    """An int and an object with fileno() are readers; the one that was given is returned."""
    read, write = pipe
    left, right = socket.socketpair()
    with left, right:
        poller = zpoller.new(read, left)
        assert zpoller.wait(poller, 0) is None
        right.send(b"x")
        assert zpoller.wait(poller, 1000) is left
        os.write(write, b"x")
        assert zpoller.wait(poller, 1000) == read
        assert zpoller.remove(poller, read) == 0
        assert zpoller.remove(poller, read) == -1
        assert zpoller.wait(poller, 1000) is left
        assert zpoller.remove(poller, left) == 0
        assert zpoller.wait(poller, 0) is None
        assert zpoller.expired(poller)


def test_end_of_file_is_input(pipe: tuple[int, int]) -> None:
    """A pipe whose other end was closed is returned, so that reading it tells."""
    read, write = pipe
    poller = zpoller.new(read)
    os.close(write)
    assert zpoller.wait(poller, 1000) == read
    assert os.read(read, 1) == b""


def test_closed_descriptor(pipe: tuple[int, int]) -> None:
    """A descriptor that is not open is refused, and one that was closed since is told of; it can be removed."""
    read, _ = pipe
    poller = zpoller.new(read)
    assert zpoller.wait(poller, 0) is None
    os.close(read)
    for timeout in (0, 100, -1):
        with pytest.raises(ValueError, match=f"not an open file descriptor any more: {read}"):
            zpoller.wait(poller, timeout)
    with pytest.raises(ValueError, match="reader is not an open file descriptor"):
        zpoller.add(poller, read)
    assert zpoller.remove(poller, read) == 0
    assert zpoller.wait(poller, 1) is None
    assert zpoller.expired(poller)


def test_closed_descriptor_never_polled(pipe: tuple[int, int]) -> None:
    """A descriptor that was closed before the first wait is told of, too."""
    poller = zpoller.new(pipe[0])
    os.close(pipe[0])
    with pytest.raises(ValueError, match="not an open file descriptor any more"):
        zpoller.wait(poller)


def test_reader_added_twice(wires: Wires) -> None:
    """A reader that was added twice is still there after it was removed once."""
    poller = zpoller.new(wires.connect(wires.sink), wires.sink)
    assert zpoller.remove(poller, wires.sink) == 0
    zstr.send(wires.vent, "x")
    assert zpoller.wait(poller, 5000) is wires.sink
    assert zpoller.remove(poller, wires.sink) == 0
    assert zpoller.remove(poller, wires.sink) == -1
    assert zpoller.wait(poller, 0) is None


def test_destroyed_reader(wires: Wires) -> None:
    """A reader that was destroyed is told of before C looks at it, and can be removed."""
    poller = zpoller.new(wires.connect(wires.sink), wires.bowl)
    zsocket.destroy(wires.ctx, wires.bowl)
    with pytest.raises(ValueError, match="a reader of the poller was destroyed"):
        zpoller.wait(poller, 1000)
    with pytest.raises(ValueError, match="reader was destroyed"):
        zpoller.add(poller, wires.bowl)
    assert zpoller.remove(poller, wires.bowl) == 0
    with pytest.raises(ValueError, match="reader was destroyed"):
        zpoller.remove(poller, wires.bowl)
    zstr.send(wires.vent, "x")
    assert zpoller.wait(poller, 5000) is wires.sink


def test_destroyed_context(wires: Wires) -> None:
    """Readers that went with their context are told of; the poller itself lives on."""
    ctx = zctx.new()
    poller = zpoller.new(zsocket.new(ctx, zmq.PULL))
    zctx.destroy(ctx)
    with pytest.raises(ValueError, match="a reader of the poller was closed with its context"):
        zpoller.wait(poller, 0)
    assert not zpoller.terminated(poller)


def test_terminated_context(wires: Wires) -> None:
    """When the readers' context is shut down, before or during the wait, it returns None, and terminated says why."""
    poller = zpoller.new(wires.sink)
    timer = threading.Timer(0.2, C.zmq_ctx_shutdown, (zctx.underlying(wires.ctx),))
    timer.start()
    for timeout in (-1, 1000, 0):
        assert zpoller.wait(poller, timeout) is None
        assert zpoller.terminated(poller)
        assert not zpoller.expired(poller)
    timer.join()
    assert zpoller.add(poller, wires.bowl) == 0


def test_readers_are_kept_alive(wires: Wires) -> None:
    """A poller keeps sockets, their context and Python objects alive, and lets go of what is removed."""
    left, right = socket.socketpair()
    poller = zpoller.new(zsocket.new(zctx.new(), zmq.PULL), left)
    left_gone = weakref.ref(left)
    fd = left.fileno()
    del left
    collect()
    right.send(b"x")
    which = zpoller.wait(poller, 1000)
    assert which.fileno() == fd
    assert zpoller.remove(poller, which) == 0
    which.close()
    right.close()
    del which
    collect()
    assert left_gone() is None
    assert zpoller.wait(poller, 0) is None


@pytest.mark.parametrize("destroy", [False, True], ids=["collected", "destroyed"])
def test_readers_are_let_go(destroy: bool) -> None:
    """When the poller goes, so do its readers, also those that refer back to it."""

    class Client:
        def __init__(self, fd: int) -> None:
            self.fd = fd
            self.poller = zpoller.new(self)

        def fileno(self) -> int:
            return self.fd

    read, write = os.pipe()
    client = Client(read)
    client_gone, poller_gone = weakref.ref(client), weakref.ref(client.poller)
    if destroy:
        zpoller.destroy(client.poller)
    del client
    collect()
    assert client_gone() is None
    assert poller_gone() is None
    os.close(read)
    os.close(write)


def test_raw_pollers(wires: Wires) -> None:
    """A poller of the raw floor works here; a reader that a raw call added comes back as C gives it."""
    poller = C.zpoller_new(wires.connect(wires.sink), ffi.NULL)
    zstr.send(wires.vent, "x")
    which = zpoller.wait(poller, 5000)
    assert which == wires.sink
    assert zstr.recv(which) == "x"
    assert zpoller.remove(poller, wires.sink) == 0
    read, write = os.pipe()
    assert zpoller.add(poller, read) == 0
    os.write(write, b"x")
    collect()
    assert zpoller.wait(poller, 1000) == read
    os.close(read)
    os.close(write)
    assert zpoller.destroy(poller) is None
    with pytest.raises(ValueError, match="poller was destroyed"):
        zpoller.wait(poller, 0)


def test_raw_calls_on_our_pollers(wires: Wires) -> None:
    """Raw calls work on a poller that was made here."""
    poller = zpoller.new()
    assert C.zpoller_add(poller, wires.connect(wires.sink)) == 0
    zstr.send(wires.vent, "x")
    assert C.zpoller_wait(poller, 5000) == wires.sink
    assert zpoller.wait(poller, 0) == wires.sink


@pytest.mark.parametrize(
    ("reader", "error", "message"),
    [
        (None, TypeError, "reader must be a zsocket, zsock or zactor handle, a file descriptor or an object"),
        ("tcp://127.0.0.1:1", TypeError, "not str"),
        (1.5, TypeError, "not float"),
        (-1, ValueError, "not an open file descriptor: -1"),
        (2**31 - 1, ValueError, "not an open file descriptor"),
        (2**80, (ValueError, OverflowError), "."),
        (ffi.NULL, ValueError, "reader is NULL"),
        (ffi.new("int *", 0), TypeError, "not int *"),
        (ffi.cast("zpoller_t *", 0), TypeError, "reader|NULL"),
    ],
)
def test_bad_readers(reader: Any, error: Any, message: str) -> None:
    """What is no reader is refused by name, everywhere."""
    poller = zpoller.new()
    if error is TypeError and "zpoller" in str(reader):
        error = (TypeError, ValueError)
    with pytest.raises(error, match=message):
        zpoller.add(poller, reader)
    with pytest.raises(error, match=message):
        zpoller.new(reader)
    if not isinstance(reader, ffi.CData):
        assert zpoller.remove(poller, reader) == -1
    assert zpoller.wait(poller, 0) is None


def test_void_pointer_that_is_no_socket() -> None:
    """A void * to something else is refused: C would take its first bytes for a file descriptor."""
    block = ffi.new("char[65536]")
    with pytest.raises(ValueError, match="reader is not a socket that is open"):
        zpoller.new(ffi.cast("void *", block))
    context = zmq.ctx_new()
    with pytest.raises(TypeError, match="reader must be a socket, not a context"):
        zpoller.new(context)
    assert context is not None and zmq.ctx_term(context) == 0


def test_fileno_that_fails() -> None:
    """A closed file is refused with the error that its fileno() raises, a closed socket as not open."""
    with open(os.devnull) as file:
        pass
    with pytest.raises(ValueError, match="closed file"):
        zpoller.new(file)
    with socket.socket() as sock:
        pass
    with pytest.raises(ValueError, match="not an open file descriptor"):
        zpoller.new(sock)


@pytest.mark.parametrize("handle", [None, 5, "poller", ffi.NULL, ffi.new("int *"), ffi.cast("zpoller_t *", 0)])
@pytest.mark.parametrize(
    "call",
    [
        lambda handle: zpoller.add(handle, 0),
        lambda handle: zpoller.remove(handle, 0),
        lambda handle: zpoller.set_nonstop(handle, True),
        lambda handle: zpoller.ignore_interrupts(handle),
        lambda handle: zpoller.wait(handle, 0),
        zpoller.expired,
        zpoller.terminated,
        lambda handle: zpoller.destroy(handle) if handle is not None else zpoller.wait(handle),
    ],
)
def test_bad_pollers(call: Any, handle: Any) -> None:
    """What is no poller is refused by name, by every function."""
    with pytest.raises((TypeError, ValueError), match=r"poller"):
        call(handle)


@pytest.mark.parametrize("timeout", [None, "1", 1.5, float("nan")])
def test_bad_timeouts(timeout: Any) -> None:
    """What is no number of milliseconds is refused by name."""
    with pytest.raises((TypeError, ValueError), match="timeout"):
        zpoller.wait(zpoller.new(), timeout)


def test_destroyed_poller_is_refused(wires: Wires) -> None:
    """After destroy, every function refuses the poller; destroying it twice is refused, too."""
    poller = zpoller.new(wires.sink)
    assert zpoller.destroy(poller) is None
    for call in (zpoller.wait, zpoller.expired, zpoller.terminated, zpoller.destroy, zpoller.ignore_interrupts):
        with pytest.raises(ValueError, match="poller was destroyed"):
            call(poller)
    with pytest.raises(ValueError, match="poller was destroyed"):
        zpoller.add(poller, wires.bowl)
    assert zpoller.destroy(None) is None


def test_one_thread_at_a_time() -> None:
    """While one thread waits, another cannot wait on the poller, change it or destroy it."""
    read, write = os.pipe()
    poller = zpoller.new(read)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(zpoller.wait(poller, 20000)))
    thread.start()
    while not zpoller._keeper.keepers[poller]().busy:
        time.sleep(0.001)
    for call in (
        lambda: zpoller.wait(poller, 0),
        lambda: zpoller.add(poller, write),
        lambda: zpoller.remove(poller, read),
        lambda: zpoller.destroy(poller),
    ):
        with pytest.raises(ValueError, match="poller is in use in another thread"):
            call()
    os.write(write, b"x")
    thread.join()
    assert found == [read]
    assert zpoller.destroy(poller) is None
    os.close(read)
    os.close(write)


def test_more_readers_than_the_system_polls() -> None:
    """Readers beyond the limit of open files, with which libzmq would abort, are refused, and so is a lowered limit."""
    children.check(
        """
        import os, resource
        from pyczmq import zpoller
        read = os.pipe()[0]
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        poller = zpoller.new(*[read] * 300)
        for soft in (1000, 200):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, limit))
            try:
                for _ in range(1000):
                    assert zpoller.add(poller, read) == 0
                raise SystemExit("added")
            except ValueError as error:
                assert "the system polls no more than" in str(error), error
        try:
            zpoller.wait(poller, 0)
            raise SystemExit("waited")
        except ValueError as error:
            assert "the system polls no more than 200" in str(error), error
        resource.setrlimit(resource.RLIMIT_NOFILE, (1000, limit))
        assert zpoller.wait(poller, 0) is None
        """
    )


def test_forked_child_refuses_it() -> None:
    """A forked child refuses its parent's poller and makes its own."""
    children.check(
        """
        import os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from pyczmq import zctx, zmq, zpoller, zsocket
        ctx = zctx.new()
        poller = zpoller.new(zsocket.new(ctx, zmq.PULL))
        child = os.fork()
        if not child:
            try:
                zpoller.wait(poller, 0)
            except ValueError as error:
                assert "belongs to the parent process" in str(error), error
            mine = zpoller.new(zsocket.new(zctx.new(), zmq.PULL), 0)
            assert zpoller.wait(zpoller.new(), 1) is None
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert zpoller.wait(poller, 0) is None and zpoller.expired(poller)
        """
    )


def test_exit_while_a_daemon_thread_waits() -> None:
    """The interpreter ends well while daemon threads wait on a descriptor and on a socket."""
    children.check(
        """
        import os, threading, time
        from pyczmq import _threads, zctx, zmq, zpoller, zsocket
        pollers = zpoller.new(os.pipe()[0]), zpoller.new(zsocket.new(zctx.new(), zmq.PULL)), zpoller.new()
        for poller in pollers:
            threading.Thread(target=zpoller.wait, args=(poller,), daemon=True).start()
        while len(_threads.waiting) < 3:
            time.sleep(0.001)
        """
    )
