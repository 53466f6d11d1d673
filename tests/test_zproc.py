"""zproc: other programs, with sockets for their standard input and output."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import children
import pytest
import without_drafts

from pyczmq import C, ffi, zmsg, zpoller, zproc, zsock, zstr

FAKE = ffi.cast("zproc_t *", 8)
#: Every function with arguments that are right, but for the handle.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "new": (),
    "destroy": (FAKE,),
    "args": (FAKE,),
    "set_args": (FAKE, ["/bin/true"]),
    "set_argsx": (FAKE, "/bin/true"),
    "set_env": (FAKE, {}),
    "set_stdin": (FAKE,),
    "set_stdout": (FAKE,),
    "set_stderr": (FAKE,),
    "stdin": (FAKE,),
    "stdout": (FAKE,),
    "stderr": (FAKE,),
    "run": (FAKE,),
    "returncode": (FAKE,),
    "pid": (FAKE,),
    "running": (FAKE,),
    "wait": (FAKE,),
    "shutdown": (FAKE, 0),
    "actor": (FAKE,),
    "kill": (FAKE, 0),
    "set_verbose": (FAKE, True),
    "test": (),
}
WITH_HANDLE = [name for name, arguments in ARGUMENTS.items() if arguments and arguments[0] is FAKE]
ODD_ARGUMENTS: list[Any] = ["", "100%s %n", "ä€😀", b"\xff\xfe\x80", "\udcff", "a b\t$HOME '\"\n", "x" * 100_000]

RUNNING = -42
PATIENCE = 10000

needs_drafts = pytest.mark.skipif(not hasattr(C, "zproc_new"), reason="needs a libczmq that is built with drafts")
needs_unix = pytest.mark.skipif(os.name != "posix", reason="on Windows C runs programs in another way, and hardly")


def text(given: Any) -> str:
    """What comes back where this went in."""
    return given.decode("utf-8", "surrogateescape") if isinstance(given, bytes) else str(given)


#: What the tests have started: it is ended at their end, all at once, since C takes up to 500 ms to notice.
_started: list[Any] = []


@pytest.fixture(scope="module", autouse=True)
def programs() -> Iterator[None]:
    """End all programs."""
    yield
    left = []
    while _started:
        proc = _started.pop()
        try:
            zproc.kill(proc, signal.SIGKILL)
        except ValueError:
            continue
        left.append(proc)
    for proc in left:
        zproc.wait(proc, PATIENCE)


def start(*arguments: Any, **streams: Any) -> Any:
    """Run a program with these streams set."""
    proc = zproc.new()
    _started.append(proc)
    zproc.set_args(proc, arguments)
    for name, socket in streams.items():
        getattr(zproc, f"set_{name}")(proc, socket)
    assert zproc.run(proc) == 0
    for name in streams:
        if getattr(zproc, name)(proc) is not None:
            zsock.set_rcvtimeo(getattr(zproc, name)(proc), PATIENCE)
    return proc


def script(program: str, *arguments: Any, **streams: Any) -> Any:
    """Run a shell's program."""
    return start("/bin/sh", "-c", program, "sh", *arguments, **streams)


def take(sock: Any, size: int) -> bytes:
    """Return so many bytes of what a program has written."""
    found = b""
    while len(found) < size:
        message = zmsg.recv(sock)
        assert message is not None, found
        assert zmsg.size(message) == 2
        assert zmsg.popstr(message) == ""
        found += (zmsg.popstr(message) or "").encode("utf-8", "surrogateescape")
        zmsg.destroy(message)
    return found


def is_there(pid: int) -> bool:
    """Tell whether there is such a process, if only as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("name", ARGUMENTS)
def test_without_drafts(name: str) -> None:
    """On a library without drafts each function names itself and the library's version."""
    without_drafts.refuses(zproc, ARGUMENTS, name)


pytestmark = [needs_unix]


@needs_drafts
def test_replay_output() -> None:
    """The self-test's first case: run a program to its end and have its output."""
    proc = zproc.new()
    assert zproc.stdout(proc) is None
    zproc.set_stdout(proc)
    assert zproc.stdout(proc) is not None
    zproc.set_argsx(proc, "/bin/echo", "hello")
    assert zproc.args(proc) == ["/bin/echo", "hello"]
    assert zproc.run(proc) == 0
    assert take(zproc.stdout(proc), 6) == b"hello\n"
    assert zproc.wait(proc) == zproc.returncode(proc) == 0
    zproc.destroy(proc)


@needs_drafts
def test_replay_input_to_output() -> None:
    """The second case: what goes in comes out, here on both outputs; a signal ends the program."""
    proc = start("/usr/bin/tee", "/dev/stderr", stdin=None, stdout=None, stderr=None)
    zstr.sendx(zproc.stdin(proc), "", "Lorem ipsum\0\0")  # type: ignore[arg-type]
    assert take(zproc.stdout(proc), 13) == take(zproc.stderr(proc), 13) == b"Lorem ipsum\0\0"
    zproc.kill(proc, signal.SIGTERM)
    assert zproc.wait(proc) == -signal.SIGTERM


@needs_drafts
@pytest.mark.parametrize("arguments", [["/not/existing/file"], ["/"], ["/etc/passwd"], [], [""], ["sh"], ["/bin/sh/x"]])
def test_replay_no_such_program(arguments: list[str]) -> None:
    """The third case: what is not there, is no file or is not to be executed is not run, but can be replaced."""
    proc = zproc.new()
    zproc.set_args(proc, arguments)
    assert zproc.run(proc) == -1
    assert (zproc.pid(proc), zproc.running(proc), zproc.wait(proc), zproc.actor(proc)) == (0, False, 0, None)
    zproc.set_args(proc, ["/bin/true"])
    _started.append(proc)
    assert zproc.run(proc) == 0


@needs_drafts
def test_replay_abort() -> None:
    """The fourth case: a program that a signal ends."""
    proc = script("echo before; kill -ABRT $$", stdin=None, stdout=None, stderr=None)
    assert take(zproc.stdout(proc), 7) == b"before\n"
    assert zproc.wait(proc, PATIENCE) == -signal.SIGABRT
    assert zproc.returncode(proc) == -signal.SIGABRT


@needs_drafts
def test_replay_environment_and_poller() -> None:
    """The fifth case: a program that never ends, with an environment of its own, and a poller on its output."""
    proc = zproc.new()
    zproc.set_stdout(proc)
    zproc.set_args(proc, ["/bin/sh", "-c", 'while :; do echo "$ZSP_MESSAGE"; done'])
    zproc.set_env(proc, {"ZSP_MESSAGE": "czmq is great"})
    assert zproc.run(proc) == 0
    poller = zpoller.new(zproc.stdout(proc))  # type: ignore[arg-type]
    assert zpoller.wait(poller, PATIENCE) is zproc.stdout(proc)
    assert take(zproc.stdout(proc), 28).startswith(b"czmq is great\nczmq is great\n")
    zproc.destroy(proc)


@needs_drafts
def test_replay_wait_and_shutdown() -> None:
    """The sixth and seventh case: a wait for a program that goes on ends, as does the program when it must."""
    proc = start("/bin/sleep", "1000")
    begin = time.monotonic()
    assert zproc.wait(proc, 300) == RUNNING
    assert 0.25 < time.monotonic() - begin < 5
    assert zproc.wait(proc, 0) == zproc.returncode(proc) == RUNNING
    assert zproc.running(proc)
    zproc.shutdown(proc, PATIENCE)
    assert not zproc.running(proc)
    assert zproc.returncode(proc) == -signal.SIGTERM
    zproc.shutdown(proc, -1)
    begin = time.monotonic()
    assert zproc.wait(script("exit 7"), PATIENCE) == 7
    assert time.monotonic() - begin < 5


@needs_drafts
def test_a_program_that_will_not_end_is_killed() -> None:
    """SIGTERM is followed by SIGKILL."""
    proc = script("trap '' TERM; echo ready; exec sleep 1000", stdout=None)
    take(zproc.stdout(proc), 6)
    zproc.shutdown(proc, 1000)
    assert zproc.wait(proc, PATIENCE) == -signal.SIGKILL


@needs_drafts
def test_any_argument_arrives() -> None:
    """Arguments and variables arrive as they were given: empty, no UTF-8, formats, 100 000 bytes; and no others."""
    proc = zproc.new()
    zproc.set_args(proc, ["/usr/bin/printf", "<%s>", *ODD_ARGUMENTS])
    assert zproc.args(proc) == ["/usr/bin/printf", "<%s>", *map(text, ODD_ARGUMENTS)]
    zproc.set_stdout(proc)
    assert zproc.run(proc) == 0
    wanted = "".join(f"<{text(argument)}>" for argument in ODD_ARGUMENTS).encode("utf-8", "surrogateescape")
    assert take(zproc.stdout(proc), len(wanted)) == wanted
    proc = zproc.new()
    zproc.set_args(proc, ["/usr/bin/env", "-0"])
    zproc.set_env(proc, {f"V{number}": value for number, value in enumerate(ODD_ARGUMENTS)})
    zproc.set_stdout(proc)
    assert zproc.run(proc) == 0
    pairs = [f"V{number}={text(value)}\0" for number, value in enumerate(ODD_ARGUMENTS)]
    wanted = "".join(pairs).encode("utf-8", "surrogateescape")
    found = take(zproc.stdout(proc), len(wanted))
    assert sorted(found.split(b"\0")) == sorted(wanted.split(b"\0"))


@needs_drafts
def test_wrong_arguments_and_variables() -> None:
    """What cannot be an argument or a variable is refused before C, and too much of it before the system does."""
    proc = zproc.new()
    for arguments, error in ("ab", TypeError), (b"ab", TypeError), (None, TypeError), ([5], TypeError):
        with pytest.raises(error, match=r"argument|iter"):
            zproc.set_args(proc, arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="each of arguments must not contain a NUL byte"):
        zproc.set_args(proc, ["a\0b"])
    with pytest.raises(ValueError, match="each of arguments must not contain a NUL byte"):
        zproc.set_argsx(proc, "x", "a\0b")
    with pytest.raises(ValueError, match="arguments must be 1000 at most"):
        zproc.set_argsx(proc, *["x"] * 1001)
    for name in "", "a=b", "=":
        with pytest.raises(ValueError, match="each key of arguments must be the name of a variable"):
            zproc.set_env(proc, {name: "x"})
    with pytest.raises(ValueError, match="NUL"):
        zproc.set_env(proc, {"x": "\0"})
    with pytest.raises(TypeError, match="each value of arguments"):
        zproc.set_env(proc, {"x": 5})  # type: ignore[dict-item]
    assert zproc.args(proc) is None
    for too_many in (["/bin/echo", "x" * 2**18], ["/bin/echo", *["x" * 100_000] * 1000]):
        zproc.set_args(proc, too_many)
        assert zproc.run(proc) == -1
    zproc.set_args(proc, ["/bin/true"])
    zproc.set_env(proc, {"x": "y" * 2**18})
    assert zproc.run(proc) == -1
    zproc.set_env(proc, {})
    assert zproc.run(proc) == 0


@needs_drafts
def test_argsx_with_many() -> None:
    """Up to 1000 strings go over C's stack, or none at all."""
    proc = zproc.new()
    zproc.set_argsx(proc, *map(str, range(1000)))
    assert zproc.args(proc) == list(map(str, range(1000)))
    zproc.set_argsx(proc)
    assert zproc.args(proc) == []
    assert zproc.run(proc) == -1


@needs_drafts
def test_input_in_any_number_of_frames() -> None:
    """C crashes over any message but an empty frame and another one; here all frames are written, in their order."""
    proc = start("/bin/cat", stdin=None, stdout=None)
    for shape in ["data"], ["", "data"], ["da", "ta"], ["", "da", "", "ta"], ["", "", "data", ""]:
        for _ in range(3):
            zstr.sendx(zproc.stdin(proc), *shape)  # type: ignore[arg-type]
            assert take(zproc.stdout(proc), 4) == b"data"
        zstr.send(zproc.stdin(proc), "")  # type: ignore[arg-type]


@needs_drafts
def test_a_lot_through_a_program() -> None:
    """A program that writes while it reads gets all of its input: C's thread would wait for it, and it for that."""
    proc = start("/bin/cat", stdin=None, stdout=None)
    for size in 1, 4096, 65537, 2**20, 2**20:
        data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        message = zmsg.new()
        zmsg.addmem(message, data)
        assert zmsg.send(message, zproc.stdin(proc)) == 0  # type: ignore[arg-type]
        assert take(zproc.stdout(proc), size) == data


@needs_drafts
def test_all_that_was_written_before_the_end() -> None:
    """What a program has written when it ends is heard to the last byte: C would read once more, and no further."""
    for program in "head -c 60000 /dev/zero", "head -c 60000 /dev/zero >&2":
        for _ in range(2):
            proc = script(program, stdout=None, stderr=None)
            stream = zproc.stderr(proc) if "&2" in program else zproc.stdout(proc)
            assert take(stream, 60000) == bytes(60000)


@needs_drafts
def test_input_that_nobody_reads() -> None:
    """A program that does not read its input, or has closed it, is heard all the same, and its end is noticed."""
    proc = script("exec <&-; echo ready; sleep 0.2; echo more; exit 3", stdin=None, stdout=None)
    assert take(zproc.stdout(proc), 6) == b"ready\n"
    zstr.send(zproc.stdin(proc), "x" * 2**20)  # type: ignore[arg-type]
    assert take(zproc.stdout(proc), 5) == b"more\n"
    assert zproc.wait(proc, PATIENCE) == 3
    proc = script("echo ready; sleep 0.2; echo more; exit 4", stdin=None, stdout=None)
    zstr.send(zproc.stdin(proc), "x" * 2**20)  # type: ignore[arg-type]
    assert take(zproc.stdout(proc), 11) == b"ready\nmore\n"
    assert zproc.wait(proc, PATIENCE) == 4


@needs_drafts
def test_sockets_of_the_callers() -> None:
    """Streams can go to and come from sockets of the caller's, of any type; they are the proc's once it runs."""
    push, reader = zsock.new_push("@inproc://zproc-in"), zsock.new_pull(">inproc://zproc-in")
    writer, pull = zsock.new_push("@inproc://zproc-out"), zsock.new_pull(">inproc://zproc-out")
    zsock.set_rcvtimeo(pull, PATIENCE)  # type: ignore[arg-type]
    proc = start("/bin/cat", stdin=reader, stdout=writer)
    assert zproc.stdin(proc) is zproc.stdout(proc) is zproc.stderr(proc) is None
    for socket in reader, writer:
        with pytest.raises(ValueError, match="was handed over to a process"):
            zsock.destroy(socket)
    zstr.send(push, "hello")  # type: ignore[arg-type]
    assert take(pull, 5) == b"hello"
    zproc.destroy(proc)


@needs_drafts
def test_a_pipeline() -> None:
    """What one program writes another reads, over a pair of sockets."""
    writer, reader = zsock.new_push("@inproc://pipeline"), zsock.new_pull(">inproc://pipeline")
    first = script("head -c 100000 /dev/zero | tr '\\0' x", stdout=writer)
    second = start("/usr/bin/tr", "x", "y", stdin=reader, stdout=None)
    # It writes what it has once it has much.
    assert take(zproc.stdout(second), 50_000).strip(b"y") == b""
    assert zproc.wait(first, PATIENCE) == 0


@needs_drafts
def test_a_socket_that_cannot_send() -> None:
    """With output that goes nowhere a program can be ended all the same, which C cannot: it waits for room."""
    for socket in (zsock.new_push(), zsock.new_pull(), zsock.new_router()):
        proc = script("while :; do echo x; done", stdout=socket)
        begin = time.monotonic()
        zproc.destroy(proc)
        assert time.monotonic() - begin < 4


@needs_drafts
def test_output_that_nobody_receives() -> None:
    """A program that waits for somebody to receive its output is ended by destroying it; what is left is dropped."""
    proc = start("/usr/bin/yes", stdout=None)
    assert zproc.wait(proc, 700) == RUNNING
    begin = time.monotonic()
    zproc.destroy(proc)
    assert time.monotonic() - begin < 4


@needs_drafts
def test_streams_are_set_once_and_in_time() -> None:
    """A stream cannot be set twice, nor after the program was started, nor to what is no zsock."""
    for name in "stdin", "stdout", "stderr":
        proc = zproc.new()
        set_stream = getattr(zproc, f"set_{name}")
        for wrong in "x", 1, proc, ffi.cast("void *", 8):
            with pytest.raises(TypeError, match="socket"):
                set_stream(proc, wrong)
        gone = zsock.new_pair(f"@inproc://gone-{name}")
        zsock.destroy(gone)
        for wrong in ffi.cast("zsock_t *", 0), gone:
            with pytest.raises(ValueError, match="socket"):
                set_stream(proc, wrong)
        set_stream(proc, None)
        with pytest.raises(ValueError, match=f"proc has a {name} already"):
            set_stream(proc, None)
    proc = start("/bin/true")
    for set_stream in zproc.set_stdin, zproc.set_stdout, zproc.set_stderr:
        with pytest.raises(ValueError, match="proc was run"):
            set_stream(proc)
    with pytest.raises(ValueError, match="socket must be one of its own"):
        zproc.set_stdin(zproc.new(), zproc.actor(proc))
    both = zsock.new_pair("@inproc://both")
    proc = zproc.new()
    zproc.set_stdout(proc, both)
    with pytest.raises(ValueError, match="socket is another stream of the proc already"):
        zproc.set_stderr(proc, both)
    zproc.set_args(proc, ["/bin/true"])
    zsock.destroy(both)
    with pytest.raises(ValueError, match=r"socket of the proc was (closed|destroyed)"):
        zproc.run(proc)


@needs_drafts
def test_run_once() -> None:
    """C aborts where a proc is run twice, or is asked for a return code before."""
    proc = zproc.new()
    with pytest.raises(ValueError, match="proc was not run"):
        zproc.returncode(proc)
    zproc.kill(proc, signal.SIGTERM)
    zproc.shutdown(proc, 0)
    assert zproc.run(proc) == -1
    zproc.set_args(proc, ["/bin/sleep", "1000"])
    zproc.set_verbose(proc, False)
    assert zproc.run(proc) == 0
    with pytest.raises(ValueError, match="proc was run before"):
        zproc.run(proc)
    zproc.shutdown(proc, PATIENCE)
    with pytest.raises(ValueError, match="proc was run before"):
        zproc.run(proc)


@needs_drafts
def test_wrong_numbers() -> None:
    """Signals and times are checked; signal 42 would make C wait for ever."""
    proc = start("/bin/sleep", "1000")
    with pytest.raises(ValueError, match="signal must not be 42"):
        zproc.kill(proc, 42)
    for number, error in (-1, ValueError), (signal.NSIG, ValueError), ("9", TypeError), (None, TypeError):
        with pytest.raises(error, match="signal"):
            zproc.kill(proc, number)  # type: ignore[arg-type]
    for timeout, error in (2**31, ValueError), ("9", TypeError), (None, TypeError):
        for function in zproc.wait, zproc.shutdown:
            with pytest.raises(error, match="timeout"):
                function(proc, timeout)  # type: ignore[arg-type]
    zproc.kill(proc, 0)
    assert zproc.running(proc)


@needs_drafts
def test_actor_tells_of_the_end() -> None:
    """The actor's pipe has input when the program has ended; it cannot be used to end the actor."""
    proc = script("read line", stdin=None)
    pipe = zproc.actor(proc)
    assert pipe is zproc.actor(proc)
    poller = zpoller.new(pipe)  # type: ignore[arg-type]
    zstr.send(zproc.stdin(proc), "line\n")  # type: ignore[arg-type]
    while zproc.running(proc):
        assert zpoller.wait(poller, PATIENCE) is pipe
    zsock.destroy(pipe)
    assert zproc.returncode(proc) == 0
    zproc.destroy(proc)


@needs_drafts
def test_the_program_begins_with_our_signal_mask() -> None:
    """C's threads have all signals blocked, but not the programs that they start; and no signal reaches them later."""
    tasks = {int(task) for task in os.listdir("/proc/self/task")} if os.path.isdir("/proc/self/task") else set()
    proc = start("/bin/sleep", "1000")
    if tasks:
        status = Path(f"/proc/{zproc.pid(proc)}/status").read_text(encoding="ascii")
        assert "SigBlk:\t0000000000000000\n" in status
        masks = [
            int(Path(f"/proc/self/task/{task}/status").read_text(encoding="ascii").split("SigBlk:")[1].split()[0], 16)
            for task in {int(task) for task in os.listdir("/proc/self/task")} - tasks
        ]
        assert any(mask >> (signal.SIGINT - 1) & 1 and mask >> (signal.SIGCHLD - 1) & 1 for mask in masks), masks
    zproc.kill(proc, signal.SIGINT)
    assert zproc.wait(proc, PATIENCE) == -signal.SIGINT


@needs_drafts
def test_signals_all_the_time() -> None:
    """In a storm of signals programs start, are heard, waited for and ended; handlers of Python's run, none of C's."""
    children.check("""
        import os, signal, threading, time
        from pyczmq import zmsg, zproc
        seen, done = [], threading.Event()
        signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))

        def storm():
            while not done.wait(0.0005):
                os.kill(os.getpid(), signal.SIGUSR1)

        thread = threading.Thread(target=storm)
        thread.start()
        for _ in range(3):
            proc = zproc.new()
            zproc.set_args(proc, ["/bin/cat"])
            zproc.set_stdin(proc)
            zproc.set_stdout(proc)
            assert zproc.run(proc) == 0
            assert zproc.pid(proc)
            time.sleep(0.1)
            for _ in range(20):
                message = zmsg.new()
                zmsg.addstr(message, "hello")
                zmsg.send(message, zproc.stdin(proc))
                message = zmsg.recv(zproc.stdout(proc))
                assert zmsg.popstr(message) == "" and zmsg.popstr(message) == "hello"
            start = time.monotonic()
            assert zproc.wait(proc, 300) == -42
            assert 0.25 < time.monotonic() - start < 2
            zproc.kill(proc, signal.SIGTERM)
            assert zproc.wait(proc) == -signal.SIGTERM
            zproc.destroy(proc)
        done.set()
        thread.join()
        assert len(seen) > 100
    """)


@needs_drafts
def test_ctrl_c_ends_a_wait() -> None:
    """Ctrl-C comes out of a wait and out of a shutdown, and the program goes on."""
    children.check("""
        import os, signal, threading, time
        from pyczmq import zproc
        for function in lambda: zproc.wait(proc), lambda: zproc.shutdown(proc, 100000):
            proc = zproc.new()
            zproc.set_args(proc, ["/bin/sh", "-c", "trap '' TERM; exec sleep 1000"])
            assert zproc.run(proc) == 0
            time.sleep(0.2)
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            start = time.monotonic()
            try:
                function()
            except KeyboardInterrupt:
                assert time.monotonic() - start < 1
            else:
                raise AssertionError
            assert zproc.running(proc)
            zproc.kill(proc, signal.SIGKILL)
            zproc.wait(proc)
    """)


@needs_drafts
def test_an_end_that_somebody_else_was_told_of() -> None:
    """C would wait for ever for a program whose end another call was told of; none is run where nobody is told."""
    children.check("""
        import os, signal, time
        from pyczmq import zproc
        proc = zproc.new()
        zproc.set_args(proc, ["/bin/sleep", "1000"])
        assert zproc.run(proc) == 0
        os.kill(zproc.pid(proc), signal.SIGKILL)
        try:
            assert os.waitpid(zproc.pid(proc), 0)[0] == zproc.pid(proc)
        except ChildProcessError:
            # C's thread was the first.
            assert zproc.wait(proc) == -signal.SIGKILL
        else:
            for function in lambda: zproc.wait(proc), lambda: zproc.wait(proc, 1000):
                try:
                    function()
                except ChildProcessError as error:
                    assert "somebody else" in str(error)
                else:
                    raise AssertionError
            zproc.kill(proc, signal.SIGTERM)
            zproc.shutdown(proc, 1000)
            start = time.monotonic()
            zproc.destroy(proc)
            assert time.monotonic() - start < 2
            # What C's thread still uses is left behind, for CZMQ to complain of.
            os._exit(0)
    """)
    children.check("""
        import signal
        from pyczmq import zproc
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        proc = zproc.new()
        zproc.set_args(proc, ["/bin/true"])
        try:
            zproc.run(proc)
        except RuntimeError as error:
            assert "SIGCHLD is ignored" in str(error)
        else:
            raise AssertionError
    """)


@needs_drafts
def test_a_file_that_cannot_be_executed(tmp_path: Path) -> None:
    """What the system finds out too late is a program that ends at once, not well; this process goes on."""
    file = tmp_path / "rubbish"
    file.write_text("rubbish")
    file.chmod(0o755)
    children.run(
        """
        import sys
        from pyczmq import zproc
        proc = zproc.new()
        zproc.set_args(proc, [sys.argv[1]])
        zproc.set_stdout(proc)
        assert zproc.run(proc) == 0
        assert zproc.wait(proc, 10000) not in (0, -42)
        zproc.destroy(proc)
        """,
        str(file),
    )


@needs_drafts
def test_programs_end_with_their_procs() -> None:
    """Whether destroyed, collected or left until exit: no program outlives its proc, and nothing is freed twice."""
    done = children.check("""
        import gc
        from pyczmq import zproc

        def start():
            proc = zproc.new()
            zproc.set_args(proc, ["/bin/cat"])
            zproc.set_stdin(proc)
            zproc.set_stdout(proc)
            assert zproc.run(proc) == 0
            print(zproc.pid(proc))
            return proc

        proc, pipe = start(), None
        zproc.destroy(proc)
        for function in zproc.pid, zproc.stdout, zproc.destroy:
            try:
                function(proc)
            except ValueError as error:
                assert "was destroyed" in str(error)
            else:
                raise AssertionError
        del proc
        proc = start()
        pipe = zproc.stdout(proc)
        del proc
        gc.collect()
        pipe = None
        gc.collect()
        left = start()
        out = zproc.stdout(left)
        never_run = zproc.new()
        zproc.set_stdin(never_run)
        zproc.set_stdout(never_run)
    """)
    pids = [int(line) for line in done.split()]
    assert len(pids) == 3
    assert not any(map(is_there, pids))


@needs_drafts
def test_a_stream_keeps_its_proc_and_dies_with_it() -> None:
    """A stream's socket is good for as long as the proc, which it keeps alive."""
    stream = zproc.stdout(start("/bin/echo", "hello", stdout=None))
    _started.pop()
    gc.collect()
    assert take(stream, 6) == b"hello\n"
    proc = start("/bin/cat", stdin=None, stdout=None, stderr=None)
    streams = [zproc.stdin(proc), zproc.stdout(proc), zproc.stderr(proc), zproc.actor(proc)]
    assert streams == [zproc.stdin(proc), zproc.stdout(proc), zproc.stderr(proc), zproc.actor(proc)]
    zsock.destroy(streams[1])
    assert zproc.stdout(proc) is not None
    zproc.destroy(proc)
    for handle in streams:
        with pytest.raises(ValueError, match="was"):
            zsock.type(handle)  # type: ignore[arg-type]


@needs_drafts
def test_nothing_leaks() -> None:
    """Procs that were run, and that were not, leave neither memory nor descriptors nor threads."""
    children.check("""
        import gc, os
        from pyczmq import zproc, zsock

        def work(rounds, run):
            for number in range(rounds):
                proc = zproc.new()
                zproc.set_args(proc, ["/bin/true", "x" * 100])
                zproc.set_env(proc, {"A": "b"})
                zproc.set_stdin(proc)
                zproc.set_stdout(proc)
                zproc.set_stderr(proc, zsock.new_push())
                if run:
                    assert zproc.run(proc) == 0
                if number % 2:
                    zproc.destroy(proc)
                del proc
                gc.collect()
                gc.collect()
            return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

        if os.path.isdir("/proc/self/fd"):
            first = work(2, True)
            again = work(2, True)
            work(30, False)
            third = work(0, False)
            assert abs(again[0] - first[0]) < 5 and abs(third[0] - first[0]) < 5, (first, again, third)
            assert again[1] <= first[1] + 1, (first, again)
    """)


@needs_drafts
def test_no_room_for_streams() -> None:
    """Where no more files can be opened C would abort; here it is an OSError, and nothing is half set."""
    children.check("""
        import os, resource
        from pyczmq import zproc, zsock
        # CZMQ's context itself needs some.
        first = zsock.new_push()
        proc = zproc.new()
        zproc.set_args(proc, ["/bin/true"])
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        opened = []
        try:
            while True:
                opened.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pass
        for spare in range(4):
            for set_stream in zproc.set_stdin, zproc.set_stdout:
                try:
                    set_stream(proc)
                except OSError:
                    pass
                else:
                    raise AssertionError
            os.close(opened.pop())
        for descriptor in opened:
            os.close(descriptor)
        zproc.set_stdin(proc)
        zproc.set_stdout(proc)
        assert zproc.run(proc) == 0
    """)


@needs_drafts
def test_forked_child() -> None:
    """A forked child has no procs, and its end does not end the parent's programs."""
    children.check("""
        import os
        from pyczmq import zmsg, zproc, zstr
        proc = zproc.new()
        zproc.set_args(proc, ["/bin/cat"])
        zproc.set_stdin(proc)
        zproc.set_stdout(proc)
        assert zproc.run(proc) == 0
        child = os.fork()
        if not child:
            try:
                zproc.running(proc)
            except ValueError as error:
                assert "belongs to the parent process" in str(error)
                raise SystemExit
            raise AssertionError
        assert os.waitpid(child, 0)[1] == 0
        zstr.send(zproc.stdin(proc), "hello")
        message = zmsg.recv(zproc.stdout(proc))
        assert zmsg.popstr(message) == "" and zmsg.popstr(message) == "hello"
    """)


@needs_drafts
@pytest.mark.parametrize("name", WITH_HANDLE)
def test_handles_that_are_refused(name: str) -> None:
    """A handle that is none, NULL, of another type or destroyed never reaches C."""
    gone = zproc.new()
    zproc.destroy(gone)
    for handle, error in (
        ("proc", TypeError),
        (ffi.cast("zactor_t *", 8), TypeError),
        (ffi.cast("zproc_t *", 0), ValueError),
        (gone, ValueError),
    ):
        with pytest.raises(error, match="proc"):
            getattr(zproc, name)(handle, *ARGUMENTS[name][1:])
    zproc.destroy(None)


@needs_drafts
def test_raw_handles_are_taken() -> None:
    """A proc of the raw floor works with these functions."""
    proc = C.zproc_new()
    zproc.set_args(proc, ["/bin/echo", "raw"])
    zproc.set_stdout(proc)
    assert zproc.run(proc) == 0
    assert take(zproc.stdout(proc), 4) == b"raw\n"
    zproc.destroy(proc)


@needs_drafts
def test_beside_python_s_own_children() -> None:
    """Programs of Python's own are none of C's business, and the other way round."""
    proc = start("/bin/sleep", "1000")
    other = subprocess.Popen(["/bin/sh", "-c", "exit 5"])
    assert other.wait(PATIENCE / 1000) == 5
    thread = threading.Thread(target=subprocess.run, args=(["/bin/true"],))
    thread.start()
    thread.join()
    assert zproc.running(proc)


@needs_drafts
def test_self_test() -> None:
    """CZMQ's own test passes, or finds nothing to run."""
    zproc.test()
