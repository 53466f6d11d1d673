"""zactor: actors of Python's and of C's: how they start, what they say, and how they end."""

from __future__ import annotations

import gc
import os
import platform
import signal
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import children
import pytest

from pyczmq import (
    C,
    _actor_threads,
    _actors,
    _blocking,
    _handles,
    _tasks,
    ffi,
    zactor,
    zframe,
    zloop,
    zmq,
    zmsg,
    zpoller,
    zproxy,
    zsock,
    zsocket,
    zstr,
)

PATIENCE = 10.0


def soon(condition: Any) -> bool:
    """Wait until a condition holds, with the garbage collector at work; tell whether it came to that."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        gc.collect()
        time.sleep(0.001)
    return True


def echo(pipe: Any, *args: Any) -> None:
    """Send back what comes, up to $TERM."""
    zsocket.signal(pipe, 0)
    while True:
        words = zstr.recvx(pipe)
        if words is None or words[0] == "$TERM":
            break
        zstr.sendx(pipe, *words)


def fail_when_told(pipe: Any) -> None:
    zsocket.signal(pipe, 0)
    zstr.recv(pipe)
    raise ZeroDivisionError("in the task")


def content(message: Any) -> list[bytes]:
    """Return the frames of a message, and destroy it."""
    frames = []
    for _ in range(zmsg.size(message)):
        frame: Any = zmsg.pop(message)
        frames.append(bytes(zframe.data(frame)))
        zframe.destroy(frame)
    zmsg.destroy(message)
    return frames


@pytest.fixture
def actor() -> Iterator[Any]:
    made = zactor.new(echo)
    yield made
    if zactor.is_(made):
        zactor.destroy(made)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have actors reported soon."""
    monkeypatch.setattr(_actors, "PATIENCE", 200)


# ---------------------------------------------------------------- Python's tasks


def test_replay_of_the_self_test() -> None:
    """CZMQ's own test: an actor that sends back what comes."""

    def echo_actor(pipe: Any, args: str) -> None:
        assert args == "Hello, World"
        zsocket.signal(pipe, 0)
        while True:
            message = zmsg.recv(pipe)
            if message is None:
                break
            command = zmsg.popstr(message)
            if command == "$TERM":
                zmsg.destroy(message)
                break
            assert command == "ECHO"
            zmsg.send(message, pipe)

    actor = zactor.new(echo_actor, "Hello, World")
    zstr.sendx(actor, "ECHO", "This is a string")
    assert zstr.recv(actor) == "This is a string"
    zactor.destroy(actor)


def test_arguments_are_any_objects() -> None:
    """A task gets its arguments as they are, and as many as it was given."""
    seen: list[Any] = []

    def task(pipe: Any, *args: Any) -> None:
        seen.extend(args)
        zsocket.signal(pipe, 0)

    given: tuple[Any, ...] = (object(), [1], None, b"\0", {})
    zactor.destroy(zactor.new(task, *given))
    assert len(seen) == len(given)
    assert all(one is other for one, other in zip(seen, given))


def test_runs_on_a_thread_of_its_own(actor: Any) -> None:
    """Two tasks and the main thread are three threads; signals come to none but the main one."""
    threads: list[int] = []
    masks: list[set[Any]] = []

    def task(pipe: Any) -> None:
        threads.append(threading.get_ident())
        masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        zsocket.signal(pipe, 0)
        zstr.recv(pipe)

    actors = [zactor.new(task) for _ in range(2)]
    for made in actors:
        zactor.destroy(made)
    assert len({*threads, threading.get_ident()}) == 3
    assert all({signal.SIGINT, signal.SIGTERM} <= mask for mask in masks)


def test_new_waits_for_the_signal() -> None:
    """new returns once the task has given its signal, and drops what was sent before."""
    begun = threading.Event()
    go = threading.Event()

    def task(pipe: Any) -> None:
        zstr.send(pipe, "too early")
        begun.set()
        go.wait(PATIENCE)
        zsocket.signal(pipe, 3)
        zstr.send(pipe, "after")
        zstr.recv(pipe)

    def release() -> None:
        begun.wait(PATIENCE)
        go.set()

    thread = threading.Thread(target=release)
    thread.start()
    made = zactor.new(task)
    assert go.is_set()
    thread.join()
    assert zstr.recv(made) == "after"
    zactor.destroy(made)


def test_raw_signal_will_do() -> None:
    """The signal may come from any function that gives one."""

    def task(pipe: Any) -> None:
        C.zsock_signal(pipe, 0)
        zstr.send(pipe, "ready")
        zstr.recv(pipe)

    made = zactor.new(task)
    assert zstr.recv(made) == "ready"
    zactor.destroy(made)


def test_task_that_returns_without_a_signal() -> None:
    """new does not wait for a signal that never comes; the actor has ended then."""
    made = zactor.new(lambda pipe: zstr.send(pipe, "lost"))
    message = zactor.recv(made)
    assert message is not None
    assert zmsg.signal(message) == 0
    zmsg.destroy(message)
    assert zactor.recv(made) is None
    zactor.destroy(made)


def wait_with_zstr(pipe: Any) -> Any:
    return zstr.recv(pipe)


def wait_with_zmsg(pipe: Any) -> Any:
    return zmsg.popstr(zmsg.recv(pipe) or zmsg.new())


def wait_with_zpoller(pipe: Any) -> Any:
    assert zpoller.wait(zpoller.new(pipe), 1000 * int(PATIENCE)) is pipe
    return zstr.recv(pipe)


def wait_with_zsocket_poll(pipe: Any) -> Any:
    assert not zsocket.poll(pipe, 0)
    assert zsocket.poll(pipe, 1000 * int(PATIENCE))
    return zstr.recv(pipe)


def wait_with_zloop(pipe: Any) -> Any:
    heard: list[Any] = []

    def on_pipe(loop: Any, reader: Any, arg: Any) -> int:
        heard.append(zstr.recv(reader))
        return -1

    loop = zloop.new()
    zloop.reader(loop, pipe, on_pipe, None)
    zloop.start(loop)
    return heard[0]


@pytest.mark.parametrize(
    "wait", [wait_with_zstr, wait_with_zmsg, wait_with_zpoller, wait_with_zsocket_poll, wait_with_zloop]
)
def test_task_that_waits_without_a_signal(wait: Any) -> None:
    """A task that waits for input on its pipe is ready, signal or not: nobody could send it anything before."""

    def task(pipe: Any) -> None:
        zstr.send(pipe, wait(pipe))

    actor = zactor.new(task)
    zstr.send(actor, "hello")
    assert zstr.recv(actor) == "hello"
    zactor.destroy(actor)
    assert _blocking.unready == {}


def test_task_that_gives_no_signal_is_reported(quick: None) -> None:
    """A task that neither signals nor waits is not waited for in silence."""
    go_on = threading.Event()

    def task(pipe: Any) -> None:
        go_on.wait(PATIENCE)
        zsocket.signal(pipe)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        timer = threading.Timer(0.6, go_on.set)
        timer.start()
        actor = zactor.new(task)
    timer.join()
    zactor.destroy(actor)
    assert [str(warning.message) for warning in caught] == [
        f"the task {task.__qualname__} has given no signal on its pipe for 200 ms; waiting for it goes on"
    ]
    assert caught[0].filename == __file__


def test_exception_before_the_signal_comes_out_of_new() -> None:
    """A task that cannot start is like a constructor that fails."""

    def task(pipe: Any) -> None:
        raise LookupError("no such thing")

    before = len(_handles._owned)
    with pytest.raises(LookupError, match="no such thing") as caught:
        zactor.new(task)
    assert caught.traceback[-1].name == "task"
    assert soon(lambda: not _actor_threads._left and len(_handles._owned) <= before)


def test_exception_after_the_signal_never_comes_out_of_new() -> None:
    """Once the signal was given, new returns, however fast the task fails."""

    def task(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        raise ZeroDivisionError

    for _ in range(50):
        made = zactor.new(task)
        with pytest.raises(ZeroDivisionError):
            zactor.destroy(made)


def test_exception_comes_out_of_destroy() -> None:
    """What ends the task comes out of destroy, with the task's lines in its traceback; the actor is gone then."""
    made = zactor.new(fail_when_told)
    with pytest.raises(ZeroDivisionError, match="in the task") as caught:
        zactor.destroy(made)
    assert caught.traceback[-1].name == "fail_when_told"
    assert not zactor.is_(made)
    with pytest.raises(ValueError, match="actor was destroyed"):
        zactor.destroy(made)


def test_exception_comes_out_of_recv() -> None:
    """Whoever receives from an actor that has failed is told, once, and destroy does not say it again."""

    def task(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        zstr.recv(pipe)
        zstr.send(pipe, "last words")
        raise ZeroDivisionError("in the task")

    made = zactor.new(task)
    zstr.send(made, "go")
    message = zactor.recv(made)
    assert message is not None
    assert zmsg.popstr(message) == "last words"
    zmsg.destroy(message)
    with pytest.raises(ZeroDivisionError, match="in the task"):
        zactor.recv(made)
    assert zactor.recv(made) is None
    zactor.destroy(made)


@pytest.mark.parametrize("wait", [zsock.wait, zsocket.wait])
def test_exception_comes_out_of_wait(wait: Any) -> None:
    """Who waits for a signal of an actor gets what its task has raised; the status, where it has not."""
    failing, sound = zactor.new(fail_when_told), zactor.new(echo)
    for actor in failing, sound:
        zstr.sendx(actor, "$TERM")
    with pytest.raises(ZeroDivisionError, match="in the task"):
        wait(failing)
    assert wait(sound) == 0
    for actor in failing, sound:
        zactor.destroy(actor)


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, MemoryError])
def test_any_exception_is_passed_on(error: type[BaseException]) -> None:
    """Also those that are no Exception."""

    def task(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        zstr.recv(pipe)
        raise error

    made = zactor.new(task)
    with pytest.raises(error):
        zactor.destroy(made)


def test_system_exit_ends_the_task_quietly() -> None:
    """SystemExit ends an actor as it ends a thread."""

    def task(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        sys.exit("ignored")

    zactor.destroy(zactor.new(task))
    zactor.destroy(zactor.new(lambda pipe: sys.exit(1)))


def test_collected_actor_reports_its_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an actor that nobody destroys threading.excepthook is told."""
    told: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    made = zactor.new(fail_when_told)
    del made
    assert soon(lambda: told)
    assert told[0].exc_type is ZeroDivisionError
    assert "fail_when_told" in told[0].thread.name


def test_the_end_is_a_signal(actor: Any) -> None:
    """An actor that has ended says so by a signal, and then has no more to say, however it is asked."""
    zstr.send(actor, "$TERM")
    message = zactor.recv(actor)
    assert message is not None
    assert zmsg.signal(message) == 0
    zmsg.destroy(message)
    assert zactor.recv(actor) is None
    assert zactor.recv(actor) is None
    message = zmsg.new()
    zmsg.addstr(message, "too late")
    assert zactor.send(actor, message) == -1
    zmsg.destroy(message)
    zactor.destroy(actor)


def test_end_that_somebody_else_received(actor: Any) -> None:
    """destroy does not wait for a signal that was received already."""
    zstr.send(actor, "$TERM")
    assert zsocket.wait(actor) == 0
    start = time.monotonic()
    zactor.destroy(actor)
    assert time.monotonic() - start < 1


def test_what_nobody_has_received() -> None:
    """An actor that is stuck, since nobody receives what it sends, is told to end all the same."""
    full = threading.Event()

    def task(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        zsocket.set_sndtimeo(C.zsock_resolve(pipe), 0)
        while zstr.send(pipe, "x") == 0:
            pass
        zsocket.set_sndtimeo(C.zsock_resolve(pipe), -1)
        full.set()
        zstr.send(pipe, "y")
        while zstr.recv(pipe) != "$TERM":
            pass

    made = zactor.new(task)
    assert full.wait(PATIENCE)
    zsocket.set_sndtimeo(zactor.resolve(made), 0)
    while zstr.send(made, "x") == 0:
        pass
    zactor.destroy(made)


def test_pipe_is_refused_after_the_end() -> None:
    """The pipe that a task has kept dies with it."""
    kept: list[Any] = []

    def task(pipe: Any) -> None:
        kept.append(pipe)
        zsocket.signal(pipe, 0)

    zactor.destroy(zactor.new(task))
    with pytest.raises(ValueError, match="was closed: its actor has ended"):
        zstr.send(kept[0], "x")


# ---------------------------------------------------------------- tasks that do not end


def test_task_that_ignores_the_end(quick: None) -> None:
    """A task that does not return is a TimeoutError; the actor stays alive, and can be destroyed again."""
    go = threading.Event()

    def stubborn(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        go.wait(PATIENCE)

    made = zactor.new(stubborn)
    for timeout in 0, 30:
        with pytest.raises(TimeoutError, match=f"stubborn has not ended {timeout} ms after it was told to"):
            zactor.destroy(made, timeout)
    assert zactor.is_(made)
    with pytest.warns(RuntimeWarning, match=r"stubborn has not ended 200 ms .* goes on"):
        timer = threading.Timer(0.3, go.set)
        timer.start()
        zactor.destroy(made, -1)
    timer.join()
    assert not zactor.is_(made)


def test_actor_that_floods(actor: Any) -> None:
    """Of a task that never stops sending destroy sees the end, or its own."""

    def flood(pipe: Any, heeds: bool) -> None:
        zsocket.signal(pipe, 0)
        while not (heeds and zstr.recv_nowait(pipe) == "$TERM") and not over.is_set():
            zstr.send(pipe, "x" * 100)

    over = threading.Event()
    zactor.destroy(zactor.new(flood, True))
    made = zactor.new(flood, False)
    with pytest.raises(TimeoutError):
        zactor.destroy(made, 50)
    over.set()
    zactor.destroy(made)


def test_collected_actor_that_does_not_end(quick: None) -> None:
    """The garbage collector waits for nobody; what does not end is reported."""
    go = threading.Event()

    def stubborn(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        go.wait(PATIENCE)

    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = zactor.new(stubborn)
        start = time.monotonic()
        del made
        gc.collect()
        assert time.monotonic() - start < 1
        assert soon(lambda: any("nobody refers to it any more" in str(warning.message) for warning in caught))
    go.set()
    assert soon(lambda: not _actor_threads._left)


EXIT = """
import sys, time
from pyczmq import C, _actors, zactor, zstr, zsocket
_actors.PATIENCE = 300

def sleeps(pipe):
    zsocket.signal(pipe, 0)
    time.sleep(60)

def spins(pipe):
    zsocket.signal(pipe, 0)
    while True:
        pass

def is_deaf(pipe):
    zsocket.signal(pipe, 0)
    while True:
        zstr.recv(pipe)

def is_deaf_in_c(pipe):
    zsocket.signal(pipe, 0)
    while True:
        C.zstr_recv(pipe)

def behaves(pipe):
    zsocket.signal(pipe, 0)
    zstr.recv(pipe)

def fails(pipe):
    behaves(pipe)
    1 / 0
"""


def test_exit_with_tasks_that_do_not_end() -> None:
    """At exit such a task is reported by its name, and left behind: the process ends, in good order."""
    done = children.run(
        EXIT + "actors = [zactor.new(task) for task in (sleeps, behaves, spins, is_deaf, behaves, is_deaf_in_c)]\n"
    )
    assert done.status == 0, done
    for task in "sleeps", "spins", "is_deaf", "is_deaf_in_c":
        assert f"the actor of the task {task} has not ended 300 ms" in done.errors
    assert "behaves" not in done.errors
    assert done.output == ""
    assert done.seconds < 10


def test_exit_tells_all_actors_to_end() -> None:
    """A program may forget its actors, of Python's and of C's; nothing is left, and nothing is printed."""
    children.check(EXIT + "actors = [zactor.new(task) for task in (behaves, C.zproxy, behaves, C.zauth)]\n")


def test_exit_ends_actors_that_are_about_to_be_collected() -> None:
    """PyPy forgets a handle some time before it calls what frees it; the exit may fall in between."""
    children.check(
        EXIT
        + """
from pyczmq import _handles
actors = [zactor.new(task) for task in (behaves, C.zproxy) * 10]
for actor in actors:
    _handles._owned[id(actor)].handle = lambda: None
"""
    )


def test_exit_reports_exceptions() -> None:
    """What a task raises when the interpreter exits is printed."""
    done = children.run(EXIT + "actor = zactor.new(fails)\n")
    assert done.status == 0
    assert "ZeroDivisionError" in done.errors
    assert "left behind" not in done.errors


def test_exit_ends_a_proxy_that_is_stuck() -> None:
    """A proxy that waits for a peer of its backend is reported at exit, and no more."""
    done = children.run(
        EXIT
        + """
from pyczmq import ffi, zmq, zproxy
proxy = zactor.new(zproxy.actor)
zproxy.frontend(proxy, "PULL", "inproc://front")
zproxy.backend(proxy, "PUSH", "inproc://back")
faucet = C.zsock_new(zmq.PUSH)
C.zsock_connect(faucet, b"%s", ffi.new("char[]", b"inproc://front"))
zstr.send(faucet, "stuck")
zstr.send(proxy, "VERBOSE")
while zsocket.poll(proxy, 200):
    # It has not come to the message yet.
    zsocket.wait(proxy)
    zstr.send(proxy, "VERBOSE")
try:
    zactor.destroy(proxy, 100)
except TimeoutError as error:
    print(error)
C.zsock_destroy(ffi.new("zsock_t **", faucet))
"""
    )
    assert done.status == 0, done
    assert "an actor of C's has not ended 100 ms" in done.output, done
    assert "left behind" in done.errors
    assert "dangling" not in done.errors


# ---------------------------------------------------------------- interrupts, threads, forks


def test_interrupts() -> None:
    """Ctrl-C comes through wherever an actor is waited for."""
    children.check(
        """
        import os, signal, sys, threading, time
        from pyczmq import _actors, zactor, zstr, zsocket

        go = threading.Event()

        def quiet(pipe):
            go.wait(10)

        def deaf_task(pipe):
            zsocket.signal(pipe, 0)
            go.wait(10)

        def idle_task(pipe):
            zsocket.signal(pipe, 0)
            zstr.recv(pipe)

        deaf, idle = zactor.new(deaf_task), zactor.new(idle_task)

        def interrupt():
            time.sleep(0.1)
            global sent
            sent = time.monotonic()
            os.kill(os.getpid(), signal.SIGINT)

        for call in (
            lambda: zactor.new(quiet),
            lambda: zactor.destroy(deaf, -1),
            lambda: zactor.recv(idle),
        ):
            thread = threading.Thread(target=interrupt)
            thread.start()
            try:
                call()
            except KeyboardInterrupt:
                assert time.monotonic() - sent < 0.3, time.monotonic() - sent
            else:
                raise AssertionError("no interrupt")
            finally:
                thread.join()
        go.set()
        for actor in deaf, idle:
            zactor.destroy(actor)
        """
    )


def test_other_signals_do_not_end_a_wait(actor: Any) -> None:
    """A handler runs while recv waits, and the wait goes on."""
    runs: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: runs.append(number))
    timers = [threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))]
    timers.append(threading.Timer(0.3, zstr.send, (actor, "x")))
    try:
        timers[0].start()
        zsocket.set_rcvtimeo(zactor.resolve(actor), 400)
        assert zactor.recv(actor) is None
        assert runs == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)
        timers[0].join()


def test_task_cannot_destroy_its_own_actor() -> None:
    """It would wait for itself."""
    box: list[Any] = []
    seen: list[str] = []

    def task(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        zstr.recv(pipe)
        try:
            zactor.destroy(box[0])
        except ValueError as error:
            seen.append(str(error))

    box.append(zactor.new(task))
    zstr.send(box[0], "go")
    zactor.destroy(box[0])
    assert seen == ["actor cannot be destroyed by its own task, which ends by returning"]


def test_destroy_while_in_use(actor: Any) -> None:
    """An actor that another thread receives from, or destroys, is refused."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(zactor.recv(actor)))
    thread.start()
    assert soon(lambda: _actors.state_of(actor).busy)
    with pytest.raises(ValueError, match="actor is in use in another thread"):
        zactor.recv(actor)
    with pytest.raises(ValueError, match="actor is in use in another thread"):
        zactor.destroy(actor)
    # Only this once: from here the actor cannot be told to do anything, so its task has to.
    zsocket.set_rcvtimeo(C.zsock_resolve(actor), 1)
    C.zstr_send(actor, b"go")
    thread.join()
    zmsg.destroy(results[0])


def test_destroy_in_a_signal_handler_is_refused(actor: Any) -> None:
    """A handler that runs inside recv cannot pull the actor away from under it."""
    seen: list[str] = []

    def handler(number: int, frame: Any) -> None:
        try:
            zactor.destroy(actor)
        except ValueError as error:
            seen.append(str(error))

    before = signal.signal(signal.SIGUSR1, handler)
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
    try:
        timer.start()
        zsocket.set_rcvtimeo(zactor.resolve(actor), 300)
        assert zactor.recv(actor) is None
    finally:
        signal.signal(signal.SIGUSR1, before)
        timer.join()
    assert seen == ["actor is in use: it cannot be destroyed now"]


def test_actor_is_made_and_destroyed_by_other_threads() -> None:
    """An actor may go from thread to thread, one at a time."""
    made: list[Any] = []
    for work in (
        lambda: made.append(zactor.new(echo)),
        lambda: made.append(zstr.send(made[0], "x")),
        lambda: made.append(zstr.recv(made[0])),
        lambda: zactor.destroy(made[0]),
    ):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert made[1:] == [0, "x"]
    assert not zactor.is_(made[0])


def test_actors_of_actors() -> None:
    """A task may have actors of its own."""

    def outer(pipe: Any) -> None:
        inner = zactor.new(echo)
        zsocket.signal(pipe, 0)
        while True:
            word = zstr.recv(pipe)
            if word == "$TERM":
                break
            zstr.send(inner, f"<{word}>")
            zstr.send(pipe, zstr.recv(inner) or "")
        zactor.destroy(inner)

    made = zactor.new(outer)
    zstr.send(made, "x")
    assert zstr.recv(made) == "<x>"
    zactor.destroy(made)


def test_fork() -> None:
    """A forked child has none of its parent's actors, but its own; a task that forks ends its child by returning."""
    children.check(
        """
        import os
        from pyczmq import zactor, zstr, zsocket

        def echo(pipe):
            zsocket.signal(pipe, 0)
            while True:
                word = zstr.recv(pipe)
                if word == "$TERM":
                    break
                zstr.send(pipe, word)

        actor = zactor.new(echo)
        pid = os.fork()
        if not pid:
            try:
                zstr.send(actor, "x")
            except ValueError as error:
                assert "belongs to the parent process" in str(error)
            else:
                os._exit(1)
            own = zactor.new(echo)
            zstr.send(own, "child")
            assert zstr.recv(own) == "child"
            zactor.destroy(own)
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        zstr.send(actor, "parent")
        assert zstr.recv(actor) == "parent"
        zactor.destroy(actor)

        def forks(pipe):
            zsocket.signal(pipe, 0)
            pid = os.fork()
            if pid:
                zstr.send(pipe, str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
                zstr.recv(pipe)

        actor = zactor.new(forks)
        assert zstr.recv(actor) == "0"
        zactor.destroy(actor)
        """
    )


# ---------------------------------------------------------------- C's actors


def test_actor_of_c() -> None:
    """One of C's actors runs with no Python in the loop, and ends like any other."""
    made = zactor.new(zproxy.actor)
    assert zactor.is_(made)
    zstr.send(made, "PAUSE")
    message = zactor.recv(made)
    assert message is not None
    assert zmsg.signal(message) == 0
    zmsg.destroy(message)
    zactor.destroy(made)


def test_unread_answers_do_not_end_the_wait_for_the_end() -> None:
    """The answer to a command is a signal as the end is; destroy is not taken in by it."""
    for _ in range(20):
        made = zactor.new(C.zproxy)
        for _ in range(3):
            zstr.send(made, "PAUSE")
        zactor.destroy(made)


def test_callback_of_cffis_is_an_actor() -> None:
    """A zactor_fn that was made with cffi is run as it is, with its argument, which is kept."""
    seen: list[Any] = []

    @ffi.callback("zactor_fn")  # type: ignore[untyped-decorator]
    def task(pipe: Any, args: Any) -> None:
        C.zsock_signal(pipe, 0)
        seen.append(bytes(ffi.string(ffi.cast("char *", args))))
        zstr.free(C.zstr_recv(pipe))

    made = zactor.new(task, "text")
    zactor.destroy(made)
    block = ffi.new("char[]", b"block")
    zactor.destroy(zactor.new(task, block))
    assert seen == [b"text", b"block"]


def test_actor_is_ended_with_what_it_works_with() -> None:
    """An actor of C's that was given a handle keeps it alive, and is ended before that is destroyed."""
    push = _handles.own(C.zsock_new(zmq.PUSH), _handles.freer(C.zsock_destroy, "zsock_t *"))
    made = zactor.new(C.zmonitor, push)
    _handles.destroy(push, ffi.typeof("zsock_t *"), _handles.freer(C.zsock_destroy, "zsock_t *"), "sock")
    with pytest.raises(ValueError, match="actor was ended with its socket"):
        zactor.destroy(made)

    push = _handles.own(C.zsock_new(zmq.PUSH), _handles.freer(C.zsock_destroy, "zsock_t *"))
    made = zactor.new(C.zmonitor, push)
    owner = _handles._owned[id(push)]
    assert len(owner.children) == 1
    zactor.destroy(made)
    assert not owner.children
    _handles.destroy(push, ffi.typeof("zsock_t *"), _handles.freer(C.zsock_destroy, "zsock_t *"), "sock")


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((None,), TypeError, "task must be callable, not NoneType"),
        (("zproxy",), TypeError, "task must be callable, not str"),
        ((C.zstr_send,), TypeError, "task must be a "),
        ((ffi.cast("zactor_fn *", 0),), ValueError, "task is NULL"),
        ((ffi.NULL,), TypeError, "task must be a "),
        ((C.zproxy, 1, 2), TypeError, "an actor of C's takes one argument, not 2"),
        ((C.zproxy, "x"), TypeError, "this actor takes no argument"),
        ((C.zbeacon, "x"), TypeError, "this actor takes no argument"),
        ((C.zmonitor,), TypeError, "the argument of the task must be a zsocket, zsock or zactor handle"),
        ((C.zmonitor, "x"), TypeError, "the argument of the task must be a zsocket, zsock or zactor handle"),
        ((C.zgossip, 1), TypeError, "the argument of the task must be str or bytes"),
        ((C.zgossip, "a\0b"), ValueError, "must not contain a NUL byte"),
        ((C.zauth, "x"), TypeError, "store must be a"),
    ],
)
def test_wrong_tasks(arguments: tuple[Any, ...], error: type[Exception], text: str) -> None:
    """What C would crash over is refused."""
    with pytest.raises(error, match=text):
        zactor.new(*arguments)


def test_no_room() -> None:
    """Where libzmq has no room for the sockets, or the system for the thread, that is an error and no abort."""
    children.check(
        """
        import gc
        from pyczmq import C, zactor, zsys
        C.zsys_set_max_sockets(20)
        actors = []
        try:
            while True:
                actors.append(zactor.new(lambda pipe: C.zsock_signal(pipe, 0)))
        except OSError as error:
            print(error)
        try:
            zactor.new(C.zproxy)
        except OSError as error:
            print(error)
        while actors:
            zactor.destroy(actors.pop())
        zactor.destroy(zactor.new(C.zproxy))
        """
    )
    children.check(
        """
        from pyczmq import C, _scheduling, zactor

        def none(function, args):
            raise RuntimeError("can't start new thread")

        start_new_thread, _scheduling.start_new_thread = _scheduling.start_new_thread, none
        try:
            zactor.new(C.zproxy)
        except OSError as error:
            assert "no threads can be started for libzmq" in str(error)
        else:
            raise AssertionError
        _scheduling.start_new_thread = start_new_thread
        zactor.destroy(zactor.new(C.zproxy))
        _scheduling.start_new_thread = none
        for task in C.zproxy, print:
            try:
                zactor.new(task)
            except RuntimeError as error:
                assert "can't start new thread" in str(error)
            else:
                raise AssertionError
        """
    )


# ---------------------------------------------------------------- the other functions


def test_send_and_recv(actor: Any) -> None:
    """Messages of any content go there and back; a message that was sent is gone."""
    for frames in ([b""], [b"\0", b"\xff" * 1000, b""], [bytes(2**20)]):
        message = zmsg.new()
        for frame in frames:
            zmsg.addmem(message, frame)
        assert zactor.send(actor, message) == 0
        with pytest.raises(ValueError, match="message was sent"):
            zmsg.size(message)
        back = zactor.recv(actor)
        assert back is not None
        assert content(back) == frames


def test_timeouts(actor: Any) -> None:
    """recv and send heed the actor's RCVTIMEO and SNDTIMEO."""
    zsocket.set_rcvtimeo(zactor.resolve(actor), 10)
    assert zactor.recv(actor) is None
    go = threading.Event()

    def busy(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        go.wait(PATIENCE)

    made = zactor.new(busy)
    zsocket.set_sndtimeo(zactor.resolve(made), 10)
    while True:
        message = zmsg.new()
        zmsg.addstr(message, "x")
        if zactor.send(made, message) != 0:
            break
    assert zmsg.size(message) == 1
    zmsg.destroy(message)
    go.set()
    zactor.destroy(made)


def test_actor_is_a_reader(actor: Any) -> None:
    """A poller takes actors."""
    poller = zpoller.new(actor)
    zstr.send(actor, "x")
    assert zpoller.wait(poller, 5000) is actor
    zpoller.destroy(poller)


def test_is(actor: Any) -> None:
    """is_ knows actors that are alive."""
    assert zactor.is_(actor)
    assert zactor.is_(ffi.cast("void *", actor))
    for other in (None, 1, "x", ffi.NULL, ffi.new("int *"), zactor.sock(actor)):
        assert not zactor.is_(other)
    assert not zactor.is_(ffi.cast("void *", zactor.sock(actor)))
    zactor.destroy(actor)
    assert not zactor.is_(actor)


def test_an_end_of_the_pipe_that_was_destroyed_is_lent_anew(actor: Any) -> None:
    """The actor keeps the pipe; only the handle is gone."""
    sock = zactor.sock(actor)
    zsock.destroy(sock)
    with pytest.raises(ValueError, match="was destroyed"):
        zsock.type_str(sock)
    assert zsock.type_str(zactor.sock(actor)) == "PAIR"


def test_resolve_and_sock(actor: Any) -> None:
    """The parts of an actor can be used in its place, and die with it; they keep it alive."""
    socket, sock = zactor.resolve(actor), zactor.sock(actor)
    assert socket == C.zsock_resolve(actor) == zactor.resolve(socket)
    assert ffi.typeof(sock) is ffi.typeof("zsock_t *")
    assert zactor.resolve(actor) is socket
    assert zactor.sock(actor) is sock
    for part in socket, sock:
        assert zstr.send(part, "x") == 0
        assert zstr.recv(part) == "x"
    zactor.destroy(actor)
    for part in socket, sock:
        with pytest.raises(ValueError, match="was closed with its actor"):
            zstr.send(part, "x")

    socket = zactor.resolve(zactor.new(echo))
    gc.collect()
    assert zstr.send(socket, "x") == 0
    assert zstr.recv(socket) == "x"


def test_destructor(actor: Any) -> None:
    """A destructor tells the actor to end in its own way, whether it waits or not, and does so once."""

    def until_bye(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        while zstr.recv(pipe) != "$KTHXBAI":
            pass

    def bye(actor: Any) -> None:
        calls.append(actor)
        message = zmsg.new()
        zmsg.addstr(message, "$KTHXBAI")
        assert zactor.send(actor, message) == 0
        assert waits == [] or zsocket.wait(actor) == 0

    calls: list[Any] = []
    waits: list[bool] = []
    for _ in range(2):
        calls = []
        made = zactor.new(until_bye)
        zactor.set_destructor(made, bye)
        zactor.destroy(made)
        assert calls == [made]
        waits = [True]

    waits = []
    calls = []
    made = zactor.new(until_bye)
    zactor.set_destructor(made, bye)
    del made
    assert soon(lambda: calls and not _actor_threads._left)

    calls = []
    zactor.set_destructor(actor, bye)
    zactor.set_destructor(actor, None)
    zactor.destroy(actor)
    assert calls == []


def test_destructor_of_c() -> None:
    """A destructor may be a C function; one that fails leaves the actor alive, to be destroyed without it."""

    @ffi.callback("zactor_destructor_fn")  # type: ignore[untyped-decorator]
    def end(actor: Any) -> None:
        seen.append(actor)
        C.zstr_send(actor, b"$TERM")
        C.zsock_wait(actor)

    seen: list[Any] = []
    made = zactor.new(C.zproxy)
    zactor.set_destructor(made, end)
    zactor.destroy(made)
    assert len(seen) == 1

    def fails(actor: Any) -> None:
        raise ZeroDivisionError

    made = zactor.new(echo)
    zactor.set_destructor(made, fails)
    with pytest.raises(ZeroDivisionError):
        zactor.destroy(made)
    assert zactor.is_(made)
    zactor.destroy(made)
    made = zactor.new(echo)
    wrong: Any
    for wrong in 1, ffi.NULL, C.zproxy:
        with pytest.raises(TypeError, match="destructor must be"):
            zactor.set_destructor(made, wrong)
    zactor.set_destructor(made, lambda actor: zactor.destroy(actor))
    with pytest.raises(ValueError, match="actor is in use: it cannot be destroyed now"):
        zactor.destroy(made)
    zactor.destroy(made)


FUNCTIONS = [
    zactor.destroy,
    lambda actor: zactor.send(actor, zmsg.new()),
    zactor.recv,
    zactor.resolve,
    zactor.sock,
    lambda actor: zactor.set_destructor(actor, None),
]
NAMES = ["destroy", "send", "recv", "resolve", "sock", "set_destructor"]


@pytest.mark.parametrize("function", FUNCTIONS, ids=NAMES)
def test_misuse(function: Any, actor: Any) -> None:
    """Each function refuses what is no actor, or none any more."""
    for wrong in (1, "actor", b"", object(), ffi.new("int *")):
        with pytest.raises(TypeError, match="must be a"):
            function(wrong)
    with pytest.raises(ValueError, match="is NULL"):
        function(ffi.cast("zactor_t *", 0))
    zactor.destroy(actor)
    with pytest.raises(ValueError, match="was destroyed"):
        function(actor)


def test_more_misuse(actor: Any) -> None:
    """None is let through by destroy; other arguments are checked."""
    zactor.destroy(None)
    for wrong, error in ((-2, ValueError), (2**31, ValueError), ("x", TypeError), (None, TypeError)):
        with pytest.raises(error, match="timeout must be"):
            zactor.destroy(actor, wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="message must be a"):
        zactor.send(actor, "x")  # type: ignore[arg-type]


def test_actor_of_the_raw_floor() -> None:
    """An actor that C.zactor_new has made is whoever made its; the functions take it."""
    made = C.zactor_new(C.zproxy, ffi.NULL)
    assert zactor.is_(made)
    zactor.destroy(made)
    with pytest.raises(ValueError, match="was destroyed"):
        zactor.recv(made)


@pytest.mark.timeout(120)
def test_self_test() -> None:
    """CZMQ's self-test passes."""
    zactor.test()


# ---------------------------------------------------------------- nothing is left


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("how", ["destroyed", "collected"])
def test_no_leak(how: str) -> None:
    """Actors come and go, and leave neither threads nor descriptors nor entries in any table."""

    def work() -> None:
        for number in range(30):
            made = zactor.new(echo if number % 2 else C.zproxy)
            zactor.sock(made)
            if how == "destroyed":
                zactor.destroy(made)
            del made
        assert soon(lambda: not _actor_threads._left)

    def count() -> tuple[int, ...]:
        gc.collect()
        tables: tuple[Any, ...] = (
            _handles._owned,
            _handles._companions,
            _handles.dead,
            _tasks._starting,
            _actor_threads._left,
        )
        return (threads(), len(os.listdir("/proc/self/fd")), *map(len, tables))

    work()
    before = count()
    work()
    assert soon(lambda: all(after <= first for after, first in zip(count(), before))), (before, count())


def test_cycles_are_collected() -> None:
    """A task whose arguments lead to its own actor does not keep that alive once it has ended."""

    class Thing:
        actor: Any = None

    thing = Thing()

    def task(pipe: Any, thing: Thing) -> None:
        zsocket.signal(pipe, 0)
        zstr.recv(pipe)
        raise ZeroDivisionError

    thing.actor = zactor.new(task, thing)
    zstr.send(thing.actor, "go")
    reference = weakref.ref(thing)
    with pytest.raises(ZeroDivisionError):
        zactor.recv(thing.actor)
    del thing
    assert soon(lambda: reference() is None)
    assert soon(lambda: not _actor_threads._left)


def test_exception_does_not_keep_the_actor() -> None:
    """A frame that an exception went through, and that refers to the actor, does not keep it alive."""

    def attempt() -> None:
        made = zactor.new(fail_when_told)
        references.append(weakref.ref(made))
        zstr.send(made, "go")
        try:
            zactor.recv(made)
        except ZeroDivisionError:
            pass

    references: list[Any] = []
    attempt()
    assert soon(lambda: references[0]() is None)


def test_collected_inside_its_own_task() -> None:
    """The last reference to an actor may go on the actor's own thread."""
    box: list[Any] = []
    done = threading.Event()

    def task(pipe: Any) -> None:
        zsocket.signal(pipe, 0)
        zstr.recv(pipe)
        box.clear()
        gc.collect()
        zstr.recv(pipe)
        done.set()

    box.append(zactor.new(task))
    zstr.send(box[0], "go")
    assert soon(done.is_set)
    assert soon(lambda: not _actor_threads._left)


@pytest.mark.skipif(platform.python_implementation() == "PyPy", reason="PyPy's memory comes and goes")
def test_memory() -> None:
    """Hundreds of actors in a row take no memory."""
    output = children.check(
        """
        import resource
        from pyczmq import C, zactor, zsocket, zstr

        def task(pipe):
            zsocket.signal(pipe, 0)
            zstr.recv(pipe)

        def work(count):
            for number in range(count):
                zactor.destroy(zactor.new(task if number % 2 else C.zproxy))

        work(100)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        work(300)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        """
    )
    assert int(output) < 2000


def test_an_actor_lost_to_a_signal_is_ended() -> None:
    """An actor whose maker is cut off by a signal's handler ends at once, also one that had an owner already."""
    children.check(
        """
        from pyczmq import _actor_threads, zactor, zgossip, zproxy
        originals = {"_own": _actor_threads._own, "taken": _actor_threads.taken}
        for function, name in ((zgossip.actor, "_own"), (zproxy.actor, "taken")):
            def interrupted(*args, name=name):
                setattr(_actor_threads, name, originals[name])
                raise KeyboardInterrupt
            setattr(_actor_threads, name, interrupted)
            try:
                zactor.new(function)
            except KeyboardInterrupt:
                pass
        assert not _actor_threads._left, _actor_threads._left
        """
    )


def test_an_actor_that_nobody_has_taken_is_ended_at_exit() -> None:
    """One whose maker was cut off before anybody could take care of it gives C nothing to abort over."""
    children.check(
        """
        from pyczmq import _actor_threads, zproxy
        _actor_threads.start(zproxy.actor)
        assert _actor_threads._fresh
        """
    )


def test_a_socket_lost_to_a_signal_does_not_hold_up_the_exit() -> None:
    """A socket that tries whether there is room, left open by what a signal's handler raises, is closed at exit."""
    done = children.run(
        """
        from pyczmq import _room, zactor, zproxy
        original = _room._descriptor
        def interrupted(probe):
            raise KeyboardInterrupt
        close = _room.Probes.close
        _room._descriptor, _room.Probes.close = interrupted, lambda self: None
        try:
            zactor.new(zproxy.actor)
        except KeyboardInterrupt:
            pass
        _room._descriptor, _room.Probes.close = original, close
        assert len(_room._probes) == 1
        """
    )
    assert (done.status, done.errors) == (0, ""), done


@pytest.mark.parametrize("name", ["zmonitor", "zproxy"])
@pytest.mark.parametrize("end", ["", "del actor"])
def test_destructor_that_does_not_end_an_actor_of_c(name: str, end: str) -> None:
    """At exit it is told by $TERM as well: C's monitor aborts if its context ends before it does."""
    children.check(
        f"""
        import warnings
        from pyczmq import C, _actors, zactor, zmq, zsock
        warnings.simplefilter("ignore", RuntimeWarning)
        _actors.PATIENCE = 100
        actor = zactor.new(C.{name}, *([zsock.new(zmq.PULL)] if {name!r} == "zmonitor" else []))
        zactor.set_destructor(actor, str)
        {end}
        """
    )
