"""Monitor: the events of a socket's connections, as an object."""

from __future__ import annotations

import errno
import os
import select
import time
import weakref
from collections.abc import Callable
from typing import Any

import children
import pytest
from common import collect
from threads import while_in_use

from pyczmq import zactor, zctx, zmq, zpoller, zsock, zsocket, zstr
from pyczmq.types import Again, Context, ContextTerminated, Monitor, Socket, ZMQError
from pyczmq.types.monitor import recv_event
from pyczmq.zmonitor import Event

#: Milliseconds for what must happen.
PATIENCE = 5000
LOCAL = "tcp://127.0.0.1:0"

Opener = Callable[[int], Socket]


@pytest.fixture(params=["context", "shadow", "process-wide"])
def opener(request: pytest.FixtureRequest) -> Opener:
    """Make sockets of each kind."""
    if request.param == "process-wide":
        return Socket
    context = Context()
    return (context.shadow() if request.param == "shadow" else context).socket


def names(monitor: Monitor, last: str) -> list[str]:
    """Return the names of events up to *last*."""
    found: list[str] = []
    while not found or found[-1] != last:
        found.append(monitor.recv(timeout=PATIENCE).event)
    return found


# ---------------------------------------------------------------- events


def test_all_events_of_a_connection(opener: Opener) -> None:
    """With no names all events are reported, in their order, with libzmq's values and the endpoint."""
    server, client = opener(zmq.ROUTER), opener(zmq.DEALER)
    with server, client, Monitor(server) as at_server, Monitor(client) as at_client:
        server.bind(LOCAL)
        endpoint = server.last_endpoint
        client.connect(endpoint)
        listening = at_server.recv(timeout=PATIENCE)
        assert (listening.event, listening.address) == ("LISTENING", endpoint)
        assert listening.value > 0
        assert names(at_server, "HANDSHAKE_SUCCEEDED") == ["ACCEPTED", "HANDSHAKE_SUCCEEDED"]
        assert names(at_client, "HANDSHAKE_SUCCEEDED") == ["CONNECT_DELAYED", "CONNECTED", "HANDSHAKE_SUCCEEDED"]
        client.close()
        assert names(at_server, "DISCONNECTED") == ["DISCONNECTED"]


def test_only_the_events_that_are_named(opener: Opener) -> None:
    """Names are str or bytes, and other events are not reported."""
    with opener(zmq.PULL) as server, Monitor(server, "CLOSED", b"BIND_FAILED") as monitor:
        server.bind(LOCAL)
        server.unbind(server.last_endpoint)
        assert monitor.recv(timeout=PATIENCE).event == "CLOSED"
        assert monitor.recv_nowait() is None


def test_iteration_ends_with_the_socket(opener: Opener) -> None:
    """Iteration yields what has happened until the socket was closed, and ends then."""
    server = opener(zmq.PULL)
    monitor, ports = Monitor(server, "LISTENING"), []
    for _ in range(3):
        ports.append(server.bind(LOCAL))
    server.close()
    assert [event.address for event in monitor] == [f"tcp://127.0.0.1:{port}" for port in ports]
    assert list(monitor) == []
    for call in monitor.recv, monitor.recv_nowait:
        with pytest.raises(ZMQError, match=r"recv on .*: the socket was closed, and everything was reported") as raised:
            call()
        assert raised.value.errno == errno.ENOTSOCK


def test_all_events_end_with_monitor_stopped(opener: Opener) -> None:
    server = opener(zmq.PULL)
    monitor = Monitor(server)
    server.bind(LOCAL)
    server.close()
    events = list(monitor)
    assert events[0].event == "LISTENING"
    assert events[-1] == Event("MONITOR_STOPPED", 0, "")


def test_iteration_in_another_thread_ends_with_the_context() -> None:
    """A context can be closed while another thread waits for a monitor's next event."""
    context = Context()
    server = context.socket(zmq.PULL)
    monitor = Monitor(server, "LISTENING")
    events: list[Event] = []

    def watch() -> None:
        for event in monitor:
            events.append(event)

    def check() -> None:
        server.bind(LOCAL)
        deadline = time.monotonic() + PATIENCE / 1000
        while not events:
            assert time.monotonic() < deadline

    while_in_use(monitor, watch, context.close, check)
    assert [event.event for event in events] == ["LISTENING"]
    assert monitor.closed


def test_iteration_in_another_thread_ends_with_the_socket(opener: Opener) -> None:
    server = opener(zmq.PULL)
    monitor = Monitor(server, "LISTENING")
    events: list[Event] = []
    while_in_use(monitor, lambda: events.extend(monitor), server.close, lambda: server.bind(LOCAL))
    assert [event.event for event in events] == ["LISTENING"]


def test_context_that_has_ended() -> None:
    """recv raises ContextTerminated, and iteration ends."""
    context = Context()
    monitor = Monitor(context.socket(zmq.PULL), "LISTENING")
    underlying = zctx.underlying(context.handle)
    assert underlying is not None
    assert zmq.ctx_shutdown(underlying) == 0
    with pytest.raises(ContextTerminated, match="recv on <Monitor"):
        monitor.recv()
    assert list(monitor) == []


def test_iteration_ends_when_closed_meanwhile(opener: Opener) -> None:
    server = opener(zmq.PULL)
    monitor = Monitor(server, "LISTENING")
    server.bind(LOCAL)
    for event in monitor:
        assert event.event == "LISTENING"
        monitor.close()
    assert list(monitor) == []


# ---------------------------------------------------------------- waiting


def test_timeout(opener: Opener) -> None:
    """Again, which is a TimeoutError, once the time has passed."""
    with opener(zmq.PULL) as server, Monitor(server, "LISTENING") as monitor:
        for timeout in 0, 20:
            with pytest.raises(Again) as raised:
                monitor.recv(timeout=timeout)
            assert isinstance(raised.value, TimeoutError)
        assert monitor.recv_nowait() is None
        server.bind(LOCAL)
        assert monitor.recv(timeout=-1).event == "LISTENING"


def test_poll(opener: Opener) -> None:
    with opener(zmq.PULL) as server, Monitor(server, "LISTENING") as monitor:
        assert not monitor.poll()
        assert not monitor.poll(10)
        server.bind(LOCAL)
        assert monitor.poll(-1)
        assert monitor.poll(0)
        monitor.recv()
        assert not monitor.poll()


def test_handle_for_pollers(opener: Opener) -> None:
    with opener(zmq.PULL) as server, opener(zmq.PULL) as other, Monitor(server, "LISTENING") as monitor:
        poller = zpoller.new(other.handle, monitor._pollable())
        assert zpoller.wait(poller, 0) is None
        server.bind(LOCAL)
        assert zpoller.wait(poller, PATIENCE) is monitor.handle


@pytest.mark.skipif(not hasattr(select, "poll"), reason="no poll here")
def test_descriptor_tells_of_events_that_come_after_the_last_was_taken(opener: Opener) -> None:
    """What an event loop does: it takes events until there are none, and sleeps on the descriptor."""
    with opener(zmq.PULL) as server, Monitor(server, "LISTENING", "CLOSED") as monitor:
        handle = monitor._pollable()
        descriptor: Any = zsocket.fd(handle)
        sleep = select.poll()
        sleep.register(descriptor, select.POLLIN)
        events: list[Event] = []
        for _ in range(5):
            server.bind(LOCAL)
            server.unbind(server.last_endpoint)
            wanted = len(events) + 2
            while len(events) < wanted:
                event = recv_event(handle, handle)
                if event is not None:
                    events.append(event)
                    continue
                assert zmq.errno() == zmq.EAGAIN
                assert sleep.poll(PATIENCE)
        server.close()
        while recv_event(handle, handle) is not None or zmq.errno() == zmq.EAGAIN:
            pass
        assert zmq.errno() == errno.ENOTSOCK


def test_ctrl_c() -> None:
    """Ctrl-C ends a wait of any length, and the monitor goes on."""
    children.check("""
        import os, signal, threading
        from pyczmq import Context, Monitor, Socket, zmq
        for context in Context(), None:
            server = Socket(zmq.PULL, context=context)
            monitor = Monitor(server, "LISTENING")
            for wait in (
                lambda: monitor.recv(),
                lambda: monitor.recv(timeout=-1),
                lambda: monitor.recv(timeout=60000),
                lambda: monitor.poll(-1),
                lambda: list(monitor),
            ):
                timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
                timer.start()
                try:
                    wait()
                except KeyboardInterrupt:
                    pass
                else:
                    raise AssertionError("not interrupted")
                timer.join()
            port = server.bind("tcp://127.0.0.1:*")
            assert monitor.recv().address == f"tcp://127.0.0.1:{port}"
    """)


# ---------------------------------------------------------------- what is watched


def test_raw_handles_and_actors_are_watched() -> None:
    """Any handle of a namespace's does, and an object with one."""
    ctx = zctx.new()
    in_ctx = zsocket.new(ctx, zmq.PULL)
    assert in_ctx is not None
    for handle in in_ctx, zsock.new(zmq.PULL):
        with Monitor(handle, "LISTENING") as monitor:
            assert monitor.socket is handle
            zsocket.bind(handle, LOCAL)
            assert monitor.recv(timeout=PATIENCE).event == "LISTENING"

    def task(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        zstr.recv(pipe)

    actor = zactor.new(task)
    with Monitor(actor) as monitor:
        assert monitor.recv_nowait() is None
    zactor.destroy(actor)


def test_a_monitor_keeps_its_socket(opener: Opener) -> None:
    """A socket lives as long as its monitor, whoever else has forgotten it, and no longer."""
    server = opener(zmq.PULL)
    server.bind(LOCAL)
    endpoint = server.last_endpoint
    gone = weakref.ref(server.handle)
    monitor = Monitor(server, "ACCEPTED")
    del server
    collect()
    client = opener(zmq.PUSH)
    client.connect(endpoint)
    assert monitor.recv(timeout=PATIENCE).event == "ACCEPTED"
    assert gone() is not None
    monitor.close()
    del monitor
    collect()
    assert gone() is None


def test_a_socket_has_one_monitor_at_a_time(opener: Opener) -> None:
    """A second one is refused, and there can be another once the first is closed."""
    with opener(zmq.PULL) as server:
        with Monitor(server, "LISTENING") as first:
            for _ in range(2):
                with pytest.raises(ValueError, match="has a monitor already"):
                    Monitor(server)
            server.bind(LOCAL)
            assert first.recv(timeout=PATIENCE).event == "LISTENING"
        with Monitor(server, "CLOSED") as second:
            server.unbind(server.last_endpoint)
            assert second.recv(timeout=PATIENCE).event == "CLOSED"


@pytest.mark.parametrize("bad", ["listening", "", "NONSENSE", "ALL ", b"\xff", "\udcff", "LISTENING\0"])
def test_names_of_no_events(bad: Any, opener: Opener) -> None:
    """They are refused, and the socket can still be watched."""
    with opener(zmq.PULL) as server:
        with pytest.raises(ValueError, match="event"):
            Monitor(server, "LISTENING", bad)
        Monitor(server, "ALL").close()


@pytest.mark.parametrize("bad", [None, 1, ["LISTENING"], object()])
def test_names_that_are_no_text(bad: Any, opener: Opener) -> None:
    with opener(zmq.PULL) as server:
        with pytest.raises(TypeError, match="event must be str or bytes"):
            Monitor(server, bad)
        Monitor(server).close()


@pytest.mark.parametrize("bad", [None, 1, -1, 2**70, "socket", b"", object(), zmq])
def test_what_is_no_socket(bad: Any) -> None:
    with pytest.raises(TypeError, match="socket"):
        Monitor(bad)


def test_closed_socket(opener: Opener) -> None:
    server = opener(zmq.PULL)
    handle = server.handle
    server.close()
    with pytest.raises(ZMQError, match="the socket is closed"):
        Monitor(server)
    with pytest.raises(ValueError, match=r"closed|destroyed"):
        Monitor(handle)


# ---------------------------------------------------------------- the object

CALLS: dict[str, Callable[[Monitor], object]] = {
    "recv": lambda monitor: monitor.recv(),
    "recv with timeout": lambda monitor: monitor.recv(timeout=0),
    "recv_nowait": lambda monitor: monitor.recv_nowait(),
    "poll": lambda monitor: monitor.poll(),
    "verbose": lambda monitor: monitor.verbose(),
}
LOOKS: dict[str, Callable[[Monitor], object]] = {
    "handle": lambda monitor: monitor.handle,
    "_pollable": lambda monitor: monitor._pollable(),
    "with": lambda monitor: monitor.__enter__(),
}


@pytest.mark.parametrize("call", [*CALLS, *LOOKS])
def test_closed(call: str, opener: Opener) -> None:
    """Everything but another close is refused once it is closed."""
    with opener(zmq.PULL) as server, Monitor(server) as monitor:
        monitor.close()
        monitor.close()
        assert monitor.closed
        assert repr(monitor) == "<Monitor closed>"
        with pytest.raises(ValueError, match="the monitor is closed"):
            {**CALLS, **LOOKS}[call](monitor)
        assert not server.closed


@pytest.mark.parametrize("call", [*CALLS, "close"])
def test_two_threads(call: str, opener: Opener) -> None:
    """A thread that comes while another waits gets a RuntimeError; the one that waits is not disturbed."""
    with opener(zmq.PULL) as server, Monitor(server, "LISTENING") as monitor:
        events: list[Event] = []

        def check() -> None:
            with pytest.raises(RuntimeError, match="the monitor is in use in another thread"):
                {**CALLS, "close": Monitor.close}[call](monitor)

        while_in_use(monitor, lambda: events.append(monitor.recv()), lambda: server.bind(LOCAL), check)
        assert [event.event for event in events] == ["LISTENING"]


@pytest.mark.parametrize(
    ("timeout", "error"),
    [("1", TypeError), (1.5, TypeError), (object(), TypeError), (-2, ValueError), (2**31, ValueError)],
)
def test_timeouts_that_are_none(timeout: Any, error: type[Exception], opener: Opener) -> None:
    with opener(zmq.PULL) as server, Monitor(server) as monitor:
        for call in (lambda: monitor.recv(timeout=timeout), lambda: monitor.poll(timeout)):
            with pytest.raises(error, match="timeout must be"):
                call()


def test_repr() -> None:
    with Socket(zmq.PULL) as server, Monitor(server) as monitor:
        assert repr(monitor) == "<Monitor of <Socket PULL>>"


def test_verbose() -> None:
    """CZMQ's log tells of events, too."""
    output = children.check("""
        from pyczmq import Monitor, Socket, zmq
        with Socket(zmq.PULL) as server, Monitor(server, "LISTENING") as monitor:
            monitor.verbose()
            port = server.bind("tcp://127.0.0.1:*")
            assert monitor.recv(timeout=5000)
            print(port)
    """)
    log, port = output.splitlines()
    assert log.endswith(f"LISTENING - tcp://127.0.0.1:{port}")


@pytest.mark.parametrize("kept", ["monitor", "socket", "both", "closed"])
def test_the_interpreter_ends(kept: str) -> None:
    """A program that forgets its monitor ends in silence."""
    children.check(
        """
        import sys
        from pyczmq import Context, Monitor, zmq
        server = Context().socket(zmq.PULL)
        monitor = Monitor(server)
        server.bind("tcp://127.0.0.1:*")
        kept = sys.argv[1]
        if kept == "monitor":
            del server
        elif kept == "socket":
            del monitor
        elif kept == "closed":
            server.context.close()
        """,
        kept,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_children_have_none() -> None:
    """A child finds its parent's monitor closed, and makes its own; the parent's goes on."""
    children.check("""
        import os, sys
        from pyczmq import Context, Monitor, zmq
        server = Context().socket(zmq.PULL)
        monitor = Monitor(server, "LISTENING")
        child = os.fork()
        mine = server
        if not child:
            assert monitor.closed
            mine = Context().socket(zmq.PULL)
            monitor = Monitor(mine, "LISTENING")
        mine.bind("tcp://127.0.0.1:*")
        assert monitor.recv(timeout=5000).address == mine.last_endpoint
        if not child:
            sys.exit()
        assert os.waitpid(child, 0)[1] == 0
    """)
