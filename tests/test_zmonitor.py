"""zmonitor: what happens to a socket's connections, told by libzmq's names, for sockets in any of CZMQ's contexts."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, ffi, zactor, zauth, zctx, zmonitor, zmq, zpoller, zsocket, zsys

#: Milliseconds for what must happen, and for what must not.
PATIENCE, QUIET = 5000, 150

Opener = Callable[[int], Any]
Watcher = Callable[[Any], Any]


def open_in(ctx: Any, kind: int) -> Any:
    return zsocket.new(ctx, kind)


def open_zsock(kind: int) -> Any:
    from pyczmq import zsock

    return zsock.new(kind)


@pytest.fixture(params=["zctx", "shadow", "zsock", "zsys"])
def opener(request: pytest.FixtureRequest) -> Opener:
    """Make sockets: of a zctx, of its shadow, or of CZMQ's process-wide context."""
    ctx = zctx.new()
    shadow = zctx.shadow(ctx)
    makers: dict[str, Opener] = {
        "zctx": lambda kind: open_in(ctx, kind),
        "shadow": lambda kind: open_in(shadow, kind),
        "zsock": open_zsock,
        "zsys": zsys.socket,
    }
    return makers[request.param]


def actor_for(socket: Any) -> Any:
    return zactor.new(zmonitor.actor, socket)


@pytest.fixture(params=["zctx and new", "zsock and new", "zsock and actor"])
def pair(request: pytest.FixtureRequest) -> tuple[Opener, Watcher]:
    """Make sockets, and a monitor for one: each way that there is."""
    if request.param.startswith("zctx"):
        ctx = zctx.new()
        return lambda kind: open_in(ctx, kind), zmonitor.new
    return open_zsock, zmonitor.new if request.param.endswith("new") else actor_for


def started(monitor: Any, *events: str) -> Any:
    zmonitor.listen(monitor, *(events or ("ALL",)))
    zmonitor.start(monitor)
    return monitor


def wait(monitor: Any, event: str) -> zmonitor.Event:
    """Return the next event, which must be this one."""
    found = zmonitor.recv(monitor, PATIENCE)
    assert found is not None, f"no {event}"
    assert found.event == event, found
    return found


def wait_until(monitor: Any, event: str, *at_work: Any) -> list[str]:
    """Return the names of events up to this one; meanwhile other sockets get to do what they have to."""
    names: list[str] = []
    deadline = time.monotonic() + PATIENCE / 1000
    while not names or names[-1] != event:
        found = zmonitor.recv(monitor, 20 if at_work else PATIENCE)
        for socket in at_work:
            zsocket.poll(socket, 0)
        if at_work and found is None and time.monotonic() < deadline:
            continue
        assert found is not None, f"no {event} after {names}"
        names.append(found.event)
    return names


def connect(server: Any, client: Any) -> str:
    port = zsocket.bind(server, "tcp://127.0.0.1:0")
    endpoint = f"tcp://127.0.0.1:{port}"
    assert zsocket.connect(client, endpoint) == 0
    return endpoint


# ---------------------------------------------------------------- events


def test_replay_of_czmqs_test(pair: tuple[Opener, Watcher]) -> None:
    """What CZMQ's own test shows: a server listens and accepts, a client connects."""
    opener, watcher = pair
    client, server = opener(zmq.DEALER), opener(zmq.DEALER)
    clientmon = watcher(client)
    zmonitor.listen(clientmon, "LISTENING", "ACCEPTED")
    zmonitor.listen(clientmon, b"HANDSHAKE_SUCCEEDED")
    zmonitor.start(clientmon)
    servermon = started(watcher(server), "CONNECTED", "DISCONNECTED")
    port = zsocket.bind(client, "tcp://127.0.0.1:0")
    endpoint = f"tcp://127.0.0.1:{port}"
    assert wait(clientmon, "LISTENING").address == endpoint
    zsocket.connect(server, endpoint)
    connected = wait(servermon, "CONNECTED")
    assert connected.address == endpoint
    assert connected.value > 0
    assert wait(clientmon, "ACCEPTED").value > 0
    assert wait(clientmon, "HANDSHAKE_SUCCEEDED") == ("HANDSHAKE_SUCCEEDED", 0, endpoint)
    zmonitor.destroy(clientmon)
    zmonitor.destroy(servermon)


def test_events_of_a_client_and_a_server(opener: Opener) -> None:
    """A connection is made and ends: both sides tell it in libzmq's order, and say which endpoint."""
    server, client = opener(zmq.ROUTER), opener(zmq.DEALER)
    at_server, at_client = started(zmonitor.new(server)), started(zmonitor.new(client))
    endpoint = connect(server, client)
    assert wait_until(at_client, "HANDSHAKE_SUCCEEDED") == ["CONNECT_DELAYED", "CONNECTED", "HANDSHAKE_SUCCEEDED"]
    assert wait_until(at_server, "HANDSHAKE_SUCCEEDED") == ["LISTENING", "ACCEPTED", "HANDSHAKE_SUCCEEDED"]
    assert zsocket.disconnect(client, endpoint) == 0
    assert wait_until(at_server, "DISCONNECTED", client) == ["DISCONNECTED"]
    assert zsocket.unbind(server, endpoint) == 0
    closed = wait(at_server, "CLOSED")
    assert closed.address == endpoint
    assert zmonitor.recv(at_server, QUIET) is None


def test_failures_and_retries(pair: tuple[Opener, Watcher]) -> None:
    """A port that is taken, a server that is not there: the value is an errno, or the time to the next try."""
    opener, watcher = pair
    server, client = opener(zmq.PULL), opener(zmq.PUSH)
    monitor = started(watcher(server), "BIND_FAILED", "LISTENING")
    port = zsocket.bind(server, "tcp://127.0.0.1:0")
    wait(monitor, "LISTENING")
    assert zsocket.bind(opener(zmq.PULL), f"tcp://127.0.0.1:{port}") == -1
    assert C.zmq_bind(C.zsock_resolve(server), f"tcp://127.0.0.1:{port}".encode()) == -1
    import errno

    assert wait(monitor, "BIND_FAILED").value == errno.EADDRINUSE
    monitor = started(watcher(client), "CONNECT_RETRIED", "CLOSED")
    zsocket.unbind(server, f"tcp://127.0.0.1:{port}")
    zsocket.connect(client, f"tcp://127.0.0.1:{port}")
    retried = wait(monitor, "CLOSED"), wait(monitor, "CONNECT_RETRIED")
    assert retried[1].value >= zsocket.reconnect_ivl(client)


def test_handshake_failures() -> None:
    """Mechanisms that do not match are a protocol error; a wrong password is told with the status of ZAP."""
    ctx = zctx.new()
    server, client = open_in(ctx, zmq.PULL), open_in(ctx, zmq.PUSH)
    zsocket.set_plain_server(server, True)
    monitor = started(zmonitor.new(server), "HANDSHAKE_FAILED_PROTOCOL", "HANDSHAKE_FAILED_AUTH")
    endpoint = connect(server, client)
    assert wait(monitor, "HANDSHAKE_FAILED_PROTOCOL").value == zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH
    zsocket.destroy(ctx, client)
    auth = zauth.new(ctx)
    client = open_in(ctx, zmq.PUSH)
    zsocket.set_plain_username(client, "nobody")
    zsocket.set_plain_password(client, "wrong")
    at_client = started(zmonitor.new(client), "HANDSHAKE_FAILED_AUTH")
    zsocket.connect(client, endpoint)
    failed = zmonitor.recv(at_client, PATIENCE)
    assert failed == ("HANDSHAKE_FAILED_AUTH", 400, endpoint)
    zauth.destroy(auth)


def test_ipc(pair: tuple[Opener, Watcher], tmp_path: Any) -> None:
    """Events of ipc endpoints carry their names, also those that are not UTF-8."""
    opener, watcher = pair
    server = opener(zmq.PULL)
    monitor = started(watcher(server), "LISTENING")
    endpoint = f"ipc://{tmp_path}/\udcff\u20ac"
    if len(os.fsencode(endpoint)) > 100:
        pytest.skip("the temporary folder's name is too long for an ipc endpoint")
    assert zsocket.bind(server, endpoint) == 0
    assert wait(monitor, "LISTENING").address == endpoint


def test_only_what_was_listened_to(pair: tuple[Opener, Watcher]) -> None:
    """Other events are not reported, and where nothing was listened to none is."""
    opener, watcher = pair
    server, deaf = opener(zmq.PULL), opener(zmq.PULL)
    monitor = started(watcher(server), "CLOSED")
    silent = watcher(deaf)
    zmonitor.start(silent)
    for socket in server, deaf:
        port = zsocket.bind(socket, "tcp://127.0.0.1:0")
        zsocket.unbind(socket, f"tcp://127.0.0.1:{port}")
    wait(monitor, "CLOSED")
    assert zmonitor.recv(silent, QUIET) is None


def test_events_of_inproc_are_none(opener: Opener) -> None:
    """libzmq reports nothing of inproc endpoints."""
    server = opener(zmq.PULL)
    monitor = started(zmonitor.new(server))
    zsocket.bind(server, "inproc://zmonitor.test")
    assert zmonitor.recv(monitor, QUIET) is None


def test_nobody_reads(pair: tuple[Opener, Watcher]) -> None:
    """Thousands of events that nobody reads stop neither the socket nor its context, and can be read later."""
    opener, watcher = pair
    server = opener(zmq.PULL)
    monitor = started(watcher(server), "LISTENING", "CLOSED")
    # One pipe holds 2000 of them, and CZMQ's monitor has two.
    count = 1200 if watcher is zmonitor.new else 2400
    for _ in range(count):
        port = zsocket.bind(server, "tcp://127.0.0.1:0")
        assert zsocket.unbind(server, f"tcp://127.0.0.1:{port}") == 0
    names = []
    while len(names) < 2 * count:
        event = zmonitor.recv(monitor, PATIENCE)
        if event is None:
            break
        names.append(event.event)
    assert (names.count("LISTENING"), names.count("CLOSED")) == (count, count)


_LATE_SIGNALS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t write (int fd, const void *data, size_t size)
{
    static ssize_t (*function) (int, const void *, size_t);
    static unsigned count;
    if (!function)
        function = (ssize_t (*) (int, const void *, size_t)) dlsym (RTLD_NEXT, "write");
    if (size == 8 && syscall (SYS_gettid) != getpid () && ++count % 10 == 0)
        usleep (3000);
    return function (fd, data, size);
}
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="libzmq signals with other means elsewhere")
@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is installed")
def test_unbind_ends_what_was_just_bound(tmp_path: Path) -> None:
    """A listener ends though one of libzmq's threads is late to signal, as it may be on a busy machine.

    libzmq alone would not find it, return 0, and go on listening.
    """
    (tmp_path / "late.c").write_text(_LATE_SIGNALS)
    library = tmp_path / "late.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "late.c", "-ldl"], check=True)
    children.check(
        """
        from pyczmq import zctx, zmonitor, zmq, zsock, zsocket
        ctx = zctx.new()
        for server in zsocket.new(ctx, zmq.PULL), zsock.new(zmq.PULL):
            monitor = zmonitor.new(server)
            zmonitor.listen(monitor, "CLOSED")
            zmonitor.start(monitor)
            for _ in range(100):
                port = zsocket.bind(server, "tcp://127.0.0.1:0")
                assert zsocket.unbind(server, f"tcp://127.0.0.1:{port}") == 0
            closed = 0
            while closed < 100 and zmonitor.recv(monitor, 5000) is not None:
                closed += 1
            assert closed == 100, closed
        """,
        LD_PRELOAD=str(library),
    )


def test_poller(pair: tuple[Opener, Watcher]) -> None:
    """A poller takes both kinds of monitors among its readers."""
    opener, watcher = pair
    server, other = opener(zmq.PULL), opener(zmq.PULL)
    monitor = started(watcher(server), "LISTENING")
    poller = zpoller.new(other, monitor)
    assert zpoller.wait(poller, 0) is None
    zsocket.bind(server, "tcp://127.0.0.1:0")
    assert zpoller.wait(poller, PATIENCE) is monitor
    wait(monitor, "LISTENING")
    assert zpoller.wait(poller, 0) is None


def test_timeouts(pair: tuple[Opener, Watcher]) -> None:
    """recv waits for its timeout, or for the monitor's RCVTIMEO where it has none."""
    opener, watcher = pair
    monitor = started(watcher(opener(zmq.PULL)))
    zsocket.set_rcvtimeo(monitor, 50)
    for arguments in ((), (None,), (50,)):
        start = time.monotonic()
        assert zmonitor.recv(monitor, *arguments) is None
        assert 0.04 < time.monotonic() - start < 2
    assert zmonitor.recv(monitor, 0) is None


def test_ctrl_c() -> None:
    """Ctrl-C ends the wait for an event within 200 ms; the monitor goes on, over a storm of other signals too."""
    children.check("""
        import os, signal, threading, time
        from pyczmq import zactor, zctx, zmonitor, zmq, zsock, zsocket

        ctx = zctx.new()
        plain, sock = zsocket.new(ctx, zmq.PULL), zsock.new(zmq.PULL)
        for socket, monitor in (plain, zmonitor.new(plain)), (sock, zactor.new(zmonitor.actor, sock)):
            zmonitor.listen(monitor, "LISTENING")
            zmonitor.start(monitor)
            for timeout in None, -1, 60000:
                sent = []
                def interrupt():
                    sent.append(time.monotonic())
                    os.kill(os.getpid(), signal.SIGINT)
                threading.Timer(0.2, interrupt).start()
                try:
                    zmonitor.recv(monitor, timeout)
                except KeyboardInterrupt:
                    assert time.monotonic() - sent[0] < 0.2
                else:
                    raise AssertionError("not interrupted")
            signal.signal(signal.SIGALRM, lambda *_: None)
            signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
            start = time.monotonic()
            assert zmonitor.recv(monitor, 200) is None
            assert 0.19 < time.monotonic() - start < 1
            port = zsocket.bind(socket, "tcp://127.0.0.1:0")
            assert zmonitor.recv(monitor).address == f"tcp://127.0.0.1:{port}"
            signal.setitimer(signal.ITIMER_REAL, 0)
    """)


def test_verbose() -> None:
    """Both kinds of monitors tell CZMQ's log of events, and a percent sign in an address is no format."""
    output = children.check("""
        from pyczmq import zactor, zctx, zmonitor, zmq, zsock, zsocket
        ctx = zctx.new()
        plain, sock = zsocket.new(ctx, zmq.PULL), zsock.new(zmq.PULL)
        for name, socket, monitor in ("a", plain, zmonitor.new(plain)), ("b", sock, zactor.new(zmonitor.actor, sock)):
            zmonitor.verbose(monitor)
            zmonitor.listen(monitor, "LISTENING")
            zmonitor.start(monitor)
            assert zsocket.bind(socket, f"ipc://@pyczmq%n%s{name}") == 0
            assert zmonitor.recv(monitor).address == f"ipc://@pyczmq%n%s{name}"
    """)
    lines = [line.split("zmonitor: ")[1] for line in output.splitlines() if "LISTENING - " in line]
    assert lines == ["LISTENING - ipc://@pyczmq%n%sa", "LISTENING - ipc://@pyczmq%n%sb"]


def test_in_another_thread(opener: Opener) -> None:
    """A monitor may be made, used and destroyed on a thread of its own, while its socket is at work on another."""
    server = opener(zmq.PULL)
    names: list[str] = []
    ready = threading.Event()

    def watch() -> None:
        for _ in range(20):
            monitor = started(zmonitor.new(server), "LISTENING")
            ready.set()
            names.append(wait(monitor, "LISTENING").event)
            zmonitor.destroy(monitor)

    thread = threading.Thread(target=watch)
    thread.start()
    ready.wait()
    while thread.is_alive():
        port = zsocket.bind(server, "tcp://127.0.0.1:0")
        zsocket.unbind(server, f"tcp://127.0.0.1:{port}")
    thread.join()
    assert names == ["LISTENING"] * 20


def test_the_raw_commands() -> None:
    """An actor of the raw floor, and commands as strings, mix with the functions here."""
    from pyczmq import zstr

    server = open_zsock(zmq.PULL)
    raw = C.zactor_new(C.zmonitor, server)
    zmonitor.listen(raw, "LISTENING")
    zmonitor.start(raw)
    zsocket.bind(server, "tcp://127.0.0.1:0")
    wait(raw, "LISTENING")
    C.zactor_destroy(ffi.new("zactor_t **", raw))
    monitor = actor_for(server)
    zstr.sendx(monitor, "LISTEN", "LISTENING")
    zmonitor.start(monitor)
    port = zsocket.bind(server, "tcp://127.0.0.1:0")
    strings = zstr.recvx(monitor)
    assert strings is not None
    assert (strings[0], strings[2]) == ("LISTENING", f"tcp://127.0.0.1:{port}")


# ---------------------------------------------------------------- lifetimes


def test_one_monitor_after_the_other(pair: tuple[Opener, Watcher]) -> None:
    """A socket may be watched again once its monitor has ended, at once and as often as one likes."""
    opener, watcher = pair
    server = opener(zmq.PULL)
    for number in range(15):
        monitor = started(watcher(server), "LISTENING")
        port = zsocket.bind(server, "tcp://127.0.0.1:0")
        wait(monitor, "LISTENING")
        zsocket.unbind(server, f"tcp://127.0.0.1:{port}")
        if number % 2:
            zmonitor.destroy(monitor)
        del monitor
        gc.collect()


def test_second_monitor_is_refused(opener: Opener) -> None:
    """A socket has one monitor: the second is refused when it starts, of either kind, and the first goes on."""
    server = opener(zmq.PULL)
    first = started(zmonitor.new(server), "LISTENING")
    second = zmonitor.new(server)
    with pytest.raises(ValueError, match="has a monitor already"):
        zmonitor.start(second)
    zsocket.bind(server, "tcp://127.0.0.1:0")
    wait(first, "LISTENING")
    zmonitor.destroy(first)
    started(second)


def test_second_actor_is_refused() -> None:
    """A second monitor would end the first one's work, and C aborts over one that is started twice."""
    server = open_zsock(zmq.PULL)
    first = started(actor_for(server), "LISTENING")
    with pytest.raises(ValueError, match="was started before"):
        zmonitor.start(first)
    with pytest.raises(ValueError, match="has a monitor already"):
        actor_for(server)
    second = zmonitor.new(server)
    with pytest.raises(ValueError, match="has a monitor already"):
        zmonitor.start(second)
    zmonitor.destroy(second)
    zactor.destroy(first)
    zmonitor.start(actor_for(server))
    again = open_zsock(zmq.PULL)
    raw = C.zactor_new(C.zmonitor, again)
    zmonitor.start(raw)
    with pytest.raises(ValueError, match="has a monitor already"):
        zmonitor.start(actor_for(again))
    C.zactor_destroy(ffi.new("zactor_t **", raw))


def test_actor_for_a_bare_pointer_whose_socket_is_gone() -> None:
    """A bare pointer keeps no socket alive; C aborts when it is started for one that is gone, so it is refused."""
    children.check("""
        from pyczmq import C, zactor, zmonitor, zmq, zsock
        server = zsock.new(zmq.PULL)
        actor = zactor.new(zmonitor.actor, C.zsock_resolve(server))
        zsock.destroy(server)
        try:
            zmonitor.start(actor)
        except ValueError as error:
            assert "another context" in str(error), error
        else:
            raise AssertionError
    """)


def test_interrupt_of_an_actor_that_was_not_started() -> None:
    """C's monitor aborts when its wait ends before it was started, so nobody may interrupt it then."""
    children.check("""
        from pyczmq import C, zactor, zmonitor, zmq, zsock, zsys
        actor = zactor.new(zmonitor.actor, zsock.new(zmq.PULL))
        try:
            zsys.set_interrupted()
        except RuntimeError as error:
            assert "zmonitor that was not started" in str(error)
        else:
            raise AssertionError
        zmonitor.listen(actor, "ALL")
        zmonitor.start(actor)
        zsys.set_interrupted()
        C.zsys_interrupted = 0
        zactor.destroy(actor)
    """)


def test_socket_is_destroyed_first() -> None:
    """A monitor of `new` still tells what came before its socket was destroyed, then has no more; CZMQ's is ended."""
    from pyczmq import zsock

    ctx = zctx.new()
    plain, sock = open_in(ctx, zmq.PULL), zsock.new(zmq.PULL)
    monitor, second = started(zmonitor.new(plain), "LISTENING"), started(zmonitor.new(sock), "ALL")
    zsocket.bind(plain, "tcp://127.0.0.1:0")
    zsocket.bind(sock, "tcp://127.0.0.1:0")
    zsocket.destroy(ctx, plain)
    zsock.destroy(sock)
    wait(monitor, "LISTENING")
    assert [zmonitor.recv(monitor) for _ in range(3)] == [None] * 3
    wait(second, "LISTENING")
    wait(second, "MONITOR_STOPPED")
    assert zmonitor.recv(second) is None
    for ended in monitor, second:
        with pytest.raises(ValueError, match="was started before"):
            zmonitor.start(ended)
        zmonitor.destroy(ended)
    sock = zsock.new(zmq.PULL)
    actor, fresh = started(actor_for(sock)), zmonitor.new(sock)
    zsock.destroy(sock)
    with pytest.raises(ValueError, match="monitor was ended"):
        zmonitor.recv(actor)
    with pytest.raises(ValueError, match="the watched socket was destroyed"):
        zmonitor.start(fresh)


def test_monitor_is_destroyed_first(pair: tuple[Opener, Watcher]) -> None:
    """The socket goes on without its monitor: libzmq's I/O thread does not wait for a reader that has gone."""
    opener, watcher = pair
    server, client = opener(zmq.ROUTER), opener(zmq.DEALER)
    monitors = [started(watcher(socket)) for socket in (server, client)]
    endpoint = connect(server, client)
    for monitor in monitors:
        zmonitor.destroy(monitor)
        with pytest.raises(ValueError, match="was destroyed"):
            zmonitor.recv(monitor)
    later = started(watcher(server), "DISCONNECTED", "ACCEPTED")
    zsocket.disconnect(client, endpoint)
    wait_until(later, "DISCONNECTED", client)
    zsocket.connect(client, endpoint)
    wait(later, "ACCEPTED")
    zmonitor.destroy(None)


LIFETIMES = {
    "context destroyed": "zctx.destroy(ctx)",
    "shadow destroyed": "zctx.destroy(shadow); zctx.destroy(ctx)",
    "monitors closed as sockets": "[zsocket.destroy(c, m) for c, m in zip((ctx, shadow), monitors)]; churn()",
    "monitors collected": "monitors.clear(); collect(); churn()",
    "sockets destroyed": "[zsocket.destroy(c, s) for c, s in zip((ctx, shadow), sockets)]; "
    "[zsock.destroy(s) for s in socks]",
    "sockets collected": "sockets.clear(); socks.clear(); collect(); monitors.clear(); actors.clear(); collect()",
    "all collected in a cycle": "cycle = [*sockets, *socks, *monitors, *actors, ctx, shadow]; cycle.append(cycle); "
    "sockets.clear(); socks.clear(); monitors.clear(); actors.clear(); del cycle, ctx, shadow; collect()",
    "all forgotten": "",
    "actors destroyed": "[zactor.destroy(a) for a in actors]; churn()",
    "forked": "child = os.fork(); child or (refused(), collect(), sys.exit()); "
    "assert os.waitpid(child, 0)[1] == 0; churn()",
}


@pytest.mark.parametrize("what", LIFETIMES)
def test_lifetimes(what: str) -> None:
    """Sockets, monitors and contexts end in any order, in the middle of events, and nothing hangs, crashes or leaks."""
    seconds = children.run(
        """
        import gc, os, sys, threading
        from pyczmq import zactor, zctx, zmonitor, zmq, zsock, zsocket

        ctx = zctx.new()
        shadow = zctx.shadow(ctx)
        sockets = [zsocket.new(c, zmq.ROUTER) for c in (ctx, shadow)]
        socks = [zsock.new(zmq.ROUTER) for _ in range(2)]
        monitors = [zmonitor.new(s) for s in (*sockets, socks[0])]
        actors = [zactor.new(zmonitor.actor, socks[1])]
        for monitor in (*monitors, *actors):
            zmonitor.listen(monitor, "ALL")
            zmonitor.start(monitor)
        other = zctx.new()
        clients = []
        for socket in (*sockets, *socks):
            port = zsocket.bind(socket, "tcp://127.0.0.1:0")
            for _ in range(5):
                clients.append(zsocket.new(other, zmq.DEALER))
                zsocket.connect(clients[-1], f"tcp://127.0.0.1:{port}")
        del monitor, socket
        assert all(zmonitor.recv(monitor, 5000) for monitor in (*monitors, *actors))

        def collect():
            for _ in range(4): gc.collect()

        def churn():
            # libzmq waits for ever where nobody takes an event.
            for socket in (*sockets, *socks):
                for _ in range(20):
                    port = zsocket.bind(socket, "tcp://127.0.0.1:0")
                    zsocket.unbind(socket, f"tcp://127.0.0.1:{port}")

        def refused():
            for monitor in (*monitors, *actors):
                try:
                    zmonitor.recv(monitor, 0)
                except ValueError as error:
                    assert "belongs to the parent" in str(error)
                else:
                    raise AssertionError
            mine = zsock.new(zmq.PULL)
            monitor = zmonitor.new(mine)
            zmonitor.listen(monitor, "LISTENING")
            zmonitor.start(monitor)
            zsocket.bind(mine, "tcp://127.0.0.1:0")
            assert zmonitor.recv(monitor, 5000)
        """
        + f"\n        {LIFETIMES[what]}\n        zctx.destroy(other)\n"
    )
    assert (seconds.status, seconds.errors, seconds.output) == (0, "", ""), seconds
    assert seconds.seconds < 15


def test_monitor_keeps_its_socket(opener: Opener) -> None:
    """A monitor keeps its socket alive, and lets it go."""
    import weakref

    server = opener(zmq.PULL)
    monitor = started(zmonitor.new(server), "LISTENING")
    gone = weakref.ref(server)
    del server
    collect()
    server = gone()
    assert server is not None
    zsocket.bind(server, "tcp://127.0.0.1:0")
    wait(monitor, "LISTENING")
    del server, monitor
    collect()
    assert gone() is None


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors as Linux lists them")
def test_nothing_leaks(pair: tuple[Opener, Watcher]) -> None:
    """Monitors come and go, started or not, and leave no socket behind."""
    opener, watcher = pair
    before = 0
    for number in range(25):
        server = opener(zmq.PULL)
        monitor = watcher(server)
        if number % 2:
            started(monitor)
        if number % 3:
            zmonitor.destroy(monitor)
        del server, monitor
        if number == 4:
            gc.collect()
            before = descriptors()
    deadline = time.monotonic() + 10
    while descriptors() > before + 2:
        gc.collect()
        assert time.monotonic() < deadline


# ---------------------------------------------------------------- misuse


@pytest.fixture
def monitor() -> Iterator[Any]:
    ctx = zctx.new()
    made = zmonitor.new(open_in(ctx, zmq.PULL))
    yield made
    zctx.destroy(ctx)


@pytest.mark.parametrize("kind", ["new", "actor"])
@pytest.mark.parametrize("event", ["", "connected", "LISTENING ", "NONSENSE", "ALL\0", "\udcff", "PIPES_STATS", "%s%n"])
def test_unknown_events(kind: str, event: str) -> None:
    """What is no name of an event is a ValueError that lists those that are."""
    server = open_zsock(zmq.PULL)
    monitor = zmonitor.new(server) if kind == "new" else actor_for(server)
    with pytest.raises(ValueError, match=r"event must be one of CONNECTED, .*ALL"):
        zmonitor.listen(monitor, "LISTENING", event)
    for bad in (None, 1, ["ALL"]):
        with pytest.raises(TypeError, match="event must be str or bytes"):
            zmonitor.listen(monitor, bad)  # type: ignore[arg-type]
    zmonitor.start(monitor)
    with pytest.raises(ValueError, match="was started before"):
        zmonitor.listen(monitor, "ALL")


def test_names_are_those_of_libzmq() -> None:
    """Each event of libzmq's first form has its name, as `Event` says."""
    names = {
        name[len("EVENT_") :]
        for name in dir(zmq)
        if name.startswith("EVENT_") and "ALL" not in name and getattr(zmq, name) <= 0xFFFF
    }
    assert len(names) == 15
    assert zmonitor.Event.__doc__
    assert [name for name in names if name not in zmonitor.Event.__doc__] == []
    zmonitor.listen(zmonitor.new(open_zsock(zmq.PULL)), "ALL", *sorted(names))


def test_not_started(monitor: Any) -> None:
    """A monitor that was not started has nothing to wait for."""
    with pytest.raises(ValueError, match="was not started"):
        zmonitor.recv(monitor)


@pytest.mark.parametrize("timeout", [2**31, -(2**31) - 1, 2**70])
def test_timeout_out_of_range(monitor: Any, timeout: int) -> None:
    """A timeout is a C int."""
    with pytest.raises(ValueError, match="timeout"):
        zmonitor.recv(monitor, timeout)
    with pytest.raises(TypeError, match="timeout"):
        zmonitor.recv(monitor, "1")  # type: ignore[arg-type]


CALLS: dict[str, Callable[[Any], Any]] = {
    "listen": lambda monitor: zmonitor.listen(monitor, "ALL"),
    "start": zmonitor.start,
    "verbose": zmonitor.verbose,
    "recv": lambda monitor: zmonitor.recv(monitor, 0),
    "destroy": zmonitor.destroy,
}


@pytest.mark.parametrize("call", CALLS)
def test_what_is_no_monitor(call: str, monitor: Any) -> None:
    """Each function refuses other things, other sockets and actors, NULL, and what was destroyed."""
    function = CALLS[call]
    bad: list[Any] = [1, "monitor", b"", object(), zctx.new(), open_zsock(zmq.PULL)]
    if call != "destroy":
        bad.append(None)
    for thing in bad:
        with pytest.raises(TypeError, match="monitor"):
            function(thing)
    ctx = zctx.new()
    with pytest.raises(TypeError, match="not another socket"):
        function(open_in(ctx, zmq.PULL))
    with pytest.raises(TypeError, match="another kind of actor"):
        function(zactor.new(C.zproxy))
    for null in ffi.cast("void *", 0), ffi.cast("zactor_t *", 0):
        with pytest.raises(ValueError, match="monitor is NULL"):
            function(null)
    actor = actor_for(open_zsock(zmq.PULL))
    for gone in monitor, actor:
        zmonitor.destroy(gone)
        with pytest.raises(ValueError, match="monitor was destroyed"):
            function(gone)


def test_what_cannot_be_watched() -> None:
    """What is no socket, was destroyed, or is in a context that CZMQ does not know, is refused."""
    bad: list[Any] = [None, 1, "socket", zctx.new()]
    for thing in bad:
        with pytest.raises(TypeError, match="socket"):
            zmonitor.new(thing)
    with pytest.raises(ValueError, match="socket is NULL"):
        zmonitor.new(ffi.cast("void *", 0))
    ctx = zctx.new()
    socket = open_in(ctx, zmq.PULL)
    assert socket is not None
    zsocket.destroy(ctx, socket)
    with pytest.raises(ValueError, match="was destroyed"):
        zmonitor.new(socket)
    context: Any = zmq.ctx_new()
    foreign: Any = zmq.socket(context, zmq.PULL)
    with pytest.raises(ValueError, match=r"zmq\.socket_monitor does"):
        zmonitor.new(foreign)
    with pytest.raises(TypeError, match="the argument of the task must be a socket, not a context"):
        actor_for(context)
    zmq.close(foreign)
    zmq.ctx_term(context)


def test_handles_of_the_raw_floor() -> None:
    """Sockets that raw calls made are watched, too, in a zctx of the raw floor as well."""
    raw_ctx = C.zctx_new()
    raw = C.zsocket_new(raw_ctx, zmq.PULL)
    monitor = started(zmonitor.new(raw), "LISTENING")
    zsocket.bind(raw, "tcp://127.0.0.1:0")
    wait(monitor, "LISTENING")
    zmonitor.destroy(monitor)
    C.zctx_destroy(ffi.new("zctx_t **", raw_ctx))
    sock = C.zsock_new(zmq.PULL)
    monitor = started(zmonitor.new(sock), "LISTENING")
    zsocket.bind(sock, "tcp://127.0.0.1:0")
    wait(monitor, "LISTENING")
    zmonitor.destroy(monitor)
    C.zsock_destroy(ffi.new("zsock_t **", sock))


def test_inner_socket_of_a_zsock() -> None:
    """The libzmq socket inside a zsock is watched as the zsock is, which is kept alive."""
    sock = open_zsock(zmq.PULL)
    monitor = started(zmonitor.new(C.zsock_resolve(sock)), "LISTENING")
    zsocket.bind(sock, "tcp://127.0.0.1:0")
    wait(monitor, "LISTENING")


def test_actor_for_another_context() -> None:
    """CZMQ's monitor would never report on a socket of a zctx: it says what does."""
    socket = open_in(zctx.new(), zmq.PULL)
    with pytest.raises(ValueError, match=r"use zmonitor\.new"):
        actor_for(socket)


def test_context_is_destroyed() -> None:
    """A monitor goes with its context."""
    ctx = zctx.new()
    monitor = started(zmonitor.new(open_in(ctx, zmq.PULL)))
    zctx.destroy(ctx)
    with pytest.raises(ValueError, match="was closed with its context"):
        zmonitor.recv(monitor)


def test_room_of_sockets_that_are_being_closed() -> None:
    """Monitors come and go where there is room for few sockets: libzmq closes those of before in the background."""
    output = children.check("""
        from pyczmq import Context, Monitor, zmq
        with Context(max_sockets=6) as context:
            for _ in range(100):
                with context.socket(zmq.PULL) as socket, Monitor(socket, "ALL"):
                    pass
            with context.socket(zmq.PULL) as socket:
                for number in range(100):
                    assert zmq.socket_monitor(socket.handle, f"inproc://{number}", zmq.EVENT_LISTENING) == 0, number
                    assert zmq.socket_monitor(socket.handle, None) == 0
        print("room")
    """)
    assert output == "room\n"


def test_no_room() -> None:
    """Without room for more sockets there is an OSError, from libzmq's errno, and no abort."""
    children.check("""
        from pyczmq import zactor, zctx, zmonitor, zmq, zsock, zsys
        zsys.set_max_sockets(9)
        sock = zsock.new(zmq.PULL)
        actor = zactor.new(zmonitor.actor, sock)
        other = zsock.new(zmq.PULL)
        monitor = zmonitor.new(other)
        more = []
        try:
            while True:
                more.append(zsys.socket(zmq.PULL))
                assert more[-1]
        except AssertionError:
            pass
        for function, argument in (zmonitor.new, other), (zmonitor.start, monitor), (zmonitor.start, actor):
            try:
                function(argument)
            except OSError:
                pass
            else:
                raise AssertionError(function)
    """)


def test_alias_and_actor() -> None:
    """`actor` is C's function, and what C does not have is an AttributeError."""
    assert zmonitor.actor == C.zmonitor
    with pytest.raises(AttributeError, match="nonsense"):
        getattr(zmonitor, "nonsense")  # noqa: B009


def test_czmqs_own_test() -> None:
    """CZMQ's self-test of its actor passes."""
    zmonitor.test()


def test_no_monitor_of_c_while_interrupted() -> None:
    """After zsys.set_interrupted C's monitor would abort before it could be started: it is refused, as is gossip's."""
    children.check(
        """
        from pyczmq import C, zactor, zgossip, zmonitor, zsock, zsys, zstr
        server, node = zsock.new_rep(None), zactor.new(zgossip.actor)
        zsys.set_interrupted()
        for call in (
            lambda: zactor.new(zmonitor.actor, server),
            lambda: zgossip.connect(node, "inproc://nobody"),
            lambda: zstr.sendx(node, "CONNECT", "inproc://nobody"),
        ):
            try:
                call()
            except RuntimeError as error:
                assert "zsys.set_interrupted was called" in str(error), error
            else:
                raise AssertionError
        C.zsys_interrupted = 0
        zactor.destroy(zactor.new(zmonitor.actor, server))
        """
    )
