"""Fork, spawn, threads and exit: each process ends at once, with the right status, and says nothing of CZMQ's."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import children
import pytest

from pyczmq import Socket, zmq

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

#: Seconds in which a process ends, from when it begins to.
PROMPT = 1.0

#: Tries that a process has to end in time, on a machine that is busy with other things.
TRIES = 4

#: Processes at a time.
AT_ONCE = 4

#: What is never printed: CZMQ's own complaints, and those of Python's about threads that die hard.
UNWANTED = ("dangling", "E: ", "W: ", "assert", "Assert", "Fatal", "Segmentation", "abort")

#: Begins each program: `ending` notes when the exit begins.
PRELUDE = """
import atexit, os, random, signal, sys, threading, time
import pyczmq
import pyczmq._threads
from pyczmq import Actor, C, Context, Gossip, Loop, Message, Monitor, Pipe, Poller, Socket, aio, ffi
from pyczmq import zactor, zctx, zgossip, zlist, zloop, zmq, zpoller, zproxy, zsock, zsocket, zstr, zsys
SEED = int(sys.argv[1])
dice = random.Random(SEED)

def ending():
    if SEED:
        time.sleep(dice.random() * 0.01)
    sys.stderr.write(f"ending {time.monotonic()}\\n")
    sys.stderr.flush()

def await_waiting(count):
    \"\"\"Wait until so many threads wait in pyczmq, or until it is plain that they will not.\"\"\"
    deadline = time.monotonic() + 2
    while len(pyczmq._threads.waiting) < count and time.monotonic() < deadline:
        time.sleep(0.001)

def blocked(target, *args):
    \"\"\"Call a function on a daemon thread.\"\"\"
    threading.Thread(target=target, args=args, daemon=True).start()

"""


class Program:
    """A program, and how it is to end."""

    def __init__(
        self, source: str, status: int = 0, errors: str = "", patience: float = PROMPT, before: str = ""
    ) -> None:
        self.source = PRELUDE + before + textwrap.dedent(source)
        self.status = status
        self.errors = errors
        self.patience = patience

    def fault(self, seed: int) -> str:
        """Run it once; return what was wrong, or the empty string."""
        done = children.run(self.source, str(seed), timeout=60)
        ended = time.monotonic()
        printed = done.output + done.errors
        before, found, after = done.errors.partition("ending ")
        if done.status != self.status or not found:
            return f"status {done.status}, and not {self.status}: {printed}"
        began, _, rest = after.partition("\n")
        if any(word in printed for word in UNWANTED):
            return f"prints {printed}"
        if self.errors not in before + rest or (not self.errors and before + rest):
            return f"prints {before + rest!r}, and not {self.errors!r}"
        if ended - float(began) > self.patience:
            return f"took {ended - float(began):.2f} s to end"
        return ""

    def check(self, seed: int) -> str:
        """Run it, and again where only the time was wrong."""
        for _ in range(TRIES):
            fault = self.fault(seed)
            if not fault.startswith("took "):
                break
        return fault


def check_all(programs: dict[str, Program], times: int) -> int:
    """Check that programs end as they should, some at a time; return how many processes there were."""
    runs = [(name, seed) for name in programs for seed in range(times)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        faults = list(pool.map(lambda run: programs[run[0]].check(run[1]), runs))
    found = [f"{name}, seed {seed}: {fault}" for (name, seed), fault in zip(runs, faults) if fault]
    assert not found, "\n".join(found)
    return len(runs)


# ---------------------------------------------------------------- daemon threads that block

_BLOCKED = """
def waits(what):
    if what == "zstr.recv":
        zstr.recv(zsock.new_pull("@inproc://a"))
    elif what == "zpoller.wait":
        zpoller.wait(zpoller.new(zsock.new_pull("@inproc://b")))
    elif what == "zmq.poll":
        zmq.poll([zmq.pollitem(socket=zsock.new_pull("@inproc://c"), events=zmq.POLLIN)], -1)
    elif what == "zloop.start":
        loop = zloop.new()
        zloop.reader(loop, zsock.new_pull("@inproc://d"), lambda *_: 0)
        zloop.start(loop)
    elif what == "zactor.recv":
        zactor.recv(zactor.new(lambda pipe: zstr.recv(pipe)))
    elif what == "zstr.recv from an actor":
        zstr.recv(zactor.new(zgossip.actor, "gossip"))
    elif what == "zpoller.wait for an actor":
        zpoller.wait(zpoller.new(zactor.new(zproxy.actor)))
    elif what == "Gossip.recv":
        Gossip().recv()
    elif what == "Monitor.recv":
        Monitor(Socket(zmq.PULL)).recv()
    elif what == "Loop.start over an actor":
        loop = Loop()
        loop.reader(Actor(lambda pipe: list(pipe)), lambda *_: 0)
        loop.start()
    elif what == "Socket.recv":
        Socket(zmq.PULL).recv()
    elif what == "Socket.send":
        Socket(zmq.PUSH).send("x")
    elif what == "a loop over Socket":
        list(Socket(zmq.PULL))
    elif what == "Poller.wait":
        Poller(Socket(zmq.PULL)).wait()
    elif what == "Loop.start":
        loop = Loop()
        loop.reader(Socket(zmq.PULL), lambda *_: 0)
        loop.start()
    elif what == "Actor.recv":
        Actor(lambda pipe: list(pipe)).recv()
    elif what == "a socket of a Context":
        Context().socket(zmq.PULL).recv()
    elif what == "asyncio":
        async def main():
            async with aio.Socket(zmq.PULL) as pull:
                asyncio.get_running_loop().call_later(0.01, awaiting.set)
                await pull.recv()
        asyncio.run(main())
    elif what == "raw zstr_recv":
        C.zstr_recv(zsock.new(zmq.PULL))
    elif what == "zmq.proxy":
        zmq.proxy(zsock.new_pull("@inproc://e"), zsock.new_push("@inproc://f"))
    elif what == "zctx.destroy":
        ctx = zctx.new()
        zctx.set_linger(ctx, -1)
        push = zsocket.new(ctx, zmq.PUSH)
        zsocket.connect(push, "tcp://127.0.0.1:9")
        zstr.send(push, "x")
        zctx.destroy(ctx)
"""

WAITS = (
    *("zstr.recv", "zpoller.wait", "zmq.poll", "zloop.start", "zactor.recv", "Socket.recv", "Socket.send"),
    *("a loop over Socket", "Poller.wait", "Loop.start", "Actor.recv", "a socket of a Context", "asyncio"),
    *("raw zstr_recv", "zmq.proxy", "zctx.destroy", "zstr.recv from an actor", "zpoller.wait for an actor"),
    *("Gossip.recv", "Monitor.recv", "Loop.start over an actor"),
)


def daemons(names: tuple[str, ...], end: str = "pass", status: int = 0, errors: str = "") -> Program:
    """Return a program that ends while daemon threads are blocked in these calls."""
    # Two of them wait elsewhere.
    count = len(set(names) - {"raw zstr_recv", "zctx.destroy", "asyncio"})
    before = after = ""
    if "asyncio" in names:
        # In time, and not on the thread: its import runs code from text, and so CPython forgets that Ctrl-C came.
        before, after = "import asyncio\nawaiting = threading.Event()\n", "awaiting.wait()\n"
    start = f"{before}for what in {names!r}:\n    blocked(waits, what)\nawait_waiting({count})\n{after}"
    return Program(f"{_BLOCKED}{start}time.sleep(0.05)\nending()\n{end}", status, errors)


def test_daemon_threads_at_exit(amount: Callable[[int, int], int], figure: Callable[[str], None]) -> None:
    """Daemon threads that are blocked, in any call, neither hold up nor crash the exit, whatever ends the program."""
    programs = {
        "all of them": daemons(WAITS),
        "sys.exit": daemons(WAITS[::2], "sys.exit(3)", 3),
        "an exception": daemons(WAITS[1::2], "raise KeyError('x')", 1, "KeyError"),
        "Ctrl-C": daemons(WAITS[::3], "signal.raise_signal(signal.SIGINT)", -signal.SIGINT, "KeyboardInterrupt"),
        "SIGTERM": daemons(WAITS[1::3], "os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(9)", -signal.SIGTERM),
        "os._exit": daemons(WAITS, "os._exit(5)", 5),
    }
    if amount(0, 1):
        programs |= {name: daemons((name,)) for name in WAITS}
    else:
        programs = {name: programs[name] for name in ("all of them", "an exception", "Ctrl-C")}
    figure(f"{check_all(programs, amount(1, 100))} processes with blocked daemon threads ended well")


# ---------------------------------------------------------------- sys.exit in what C or an object calls back

_LEAVE = "ending() or sys.exit(3)"

CALLBACKS = {
    "a timer of zloop": Program(
        f"loop = zloop.new()\nzloop.timer(loop, 1, 1, lambda *_: {_LEAVE})\nzloop.start(loop)", 3
    ),
    "a reader of zloop": Program(
        f"""
        push, pull = zsock.new_push("@inproc://a"), zsock.new_pull(">inproc://a")
        loop = zloop.new()
        zloop.reader(loop, pull, lambda *_: {_LEAVE})
        zstr.send(push, "x")
        zloop.start(loop)
        """,
        3,
    ),
    "a poller of zloop": Program(
        f"""
        push, pull = zsock.new_push("@inproc://a"), zsock.new_pull(">inproc://a")
        loop = zloop.new()
        item = zmq.pollitem(pull, events=zmq.POLLIN)
        zloop.poller(loop, item, lambda *_: {_LEAVE})
        zstr.send(push, "x")
        zloop.start(loop)
        """,
        3,
    ),
    "a timer of Loop": Program(f"loop = Loop()\nloop.timer(1, 1, lambda *_: {_LEAVE})\nloop.start()", 3),
    "a reader of Loop": Program(
        f"""
        push, pull = Socket(zmq.PUSH, bind="inproc://a"), Socket(zmq.PULL, connect="inproc://a")
        loop = Loop()
        loop.reader(pull, lambda *_: {_LEAVE})
        push.send("x")
        loop.start()
        """,
        3,
    ),
    "a loop in a loop": Program(
        f"""
        outer, inner = Loop(), zloop.new()
        zloop.timer(inner, 1, 1, lambda *_: {_LEAVE})
        outer.timer(1, 1, lambda *_: zloop.start(inner))
        outer.start()
        """,
        3,
    ),
    "a comparator of zlist": Program(
        f"""
        items = zlist.new()
        for text in "b", "a", "c":
            zlist.append(items, text)
        zlist.sort(items, lambda one, other: {_LEAVE})
        """,
        3,
    ),
    "a handler of a signal": Program(
        f"""
        signal.signal(signal.SIGALRM, lambda *_: {_LEAVE})
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        Socket(zmq.PULL).recv()
        """,
        3,
    ),
    "a handler of SIGTERM": Program(
        f"""
        signal.signal(signal.SIGTERM, lambda *_: {_LEAVE})
        threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGTERM]).start()
        zpoller.wait(zpoller.new(zsock.new_pull("@inproc://a")))
        """,
        3,
    ),
    "asyncio": Program(
        f"""
        import asyncio
        async def main():
            async with aio.Socket(zmq.PULL) as pull:
                asyncio.get_running_loop().call_later(0.02, lambda: {_LEAVE})
                await pull.recv()
        asyncio.run(main())
        """,
        3,
    ),
    # A thread ends by SystemExit, and nothing else does.
    "a task of zactor": Program(
        """
        actor = zactor.new(lambda pipe: zsock.signal(pipe, 0) or sys.exit(3))
        zactor.destroy(actor)
        ending()
        """
    ),
    "a task of Actor": Program("Actor(lambda pipe: pipe.signal() or sys.exit(3)).close()\nending()"),
    "a thread of zmq": Program("zmq.threadclose(zmq.threadstart(lambda arg: sys.exit(3)))\nending()"),
    # Python's own logging lets SystemExit through; CZMQ's log comes to it on a thread.
    "a handler of the log": Program(
        """
        import logging
        class Handler(logging.Handler):
            def emit(self, record):
                done.set()
                sys.exit(3)
        done = threading.Event()
        logging.getLogger("czmq").addHandler(Handler())
        zsys.log_to_logging("czmq")
        zsys.error("x")
        done.wait(5)
        ending()
        """
    ),
}


def test_sys_exit_in_a_callback(amount: Callable[[int, int], int], figure: Callable[[str], None]) -> None:
    """sys.exit in whatever is called back ends the program with its status, a thread quietly."""
    programs = CALLBACKS
    if not amount(0, 1):
        quiet = "a handler of the log", "a task of Actor"
        programs = {"all but these": all_in_one(CALLBACKS), **{name: CALLBACKS[name] for name in quiet}}
    figure(f"{check_all(programs, amount(1, 100))} processes that sys.exit was called in callbacks of ended well")


def all_in_one(programs: dict[str, Program]) -> Program:
    """Return a program that is those that end with status 3, one after the other: the last one ends it."""
    sources = [program.source[len(PRELUDE) :] for program in programs.values() if program.status == 3]
    sources = [source.replace("inproc://a", f"inproc://{number}") for number, source in enumerate(sources)]
    caught = "".join(f"part({source.replace('ending() or ', '')!r})\n" for source in sources[:-1])
    return Program(
        """
        def part(source):
            try:
                exec(source, dict(globals()))
            except SystemExit as error:
                assert error.code == 3
            else:
                raise AssertionError(source)
        """
        + textwrap.indent(f"{caught}{sources[-1]}", " " * 8),
        3,
    )


# ---------------------------------------------------------------- things left open

_EVERYTHING = """
def task(pipe):
    for message in pipe:
        pipe.send_msg(message)

context = Context(linger=LINGER)
inside = context.socket(zmq.PUSH, connect="tcp://127.0.0.1:9")
inside.send("x")
ctx = zctx.new()
zctx.set_linger(ctx, LINGER)
old = zsocket.new(ctx, zmq.PUSH)
zsocket.connect(old, "tcp://127.0.0.1:9")
zstr.send(old, "x")
sock = zsock.new(zmq.PUSH)
zsock.set_linger(sock, LINGER)
zsock.connect(sock, "tcp://127.0.0.1:9")
zstr.send(sock, "x")
socket = Socket(zmq.PUSH, connect="tcp://127.0.0.1:9", linger=LINGER)
socket.send("x")
actor, poller, loop = Actor(task), Poller(socket), Loop()
raw = zactor.new(lambda pipe: zstr.recv(pipe))
actor.send("x")
"""


def left_open(end: str, status: int = 0, errors: str = "", linger: int = -1) -> Program:
    """Return a program that ends with everything open, and messages that nobody will take."""
    return Program(_EVERYTHING.replace("LINGER", str(linger)) + f"\nending()\n{end}", status, errors)


LEFT_OPEN = {
    # As is documented, it is waited for, five seconds, then left behind, and reported.
    "an actor that does not heed $TERM": Program(
        """
        zactor.new(lambda pipe: zsock.signal(pipe, 0) or time.sleep(60))
        kept = Actor(lambda pipe: pipe.signal() or time.sleep(60))
        ending()
        """,
        errors="has not ended 5000 ms after it was told to",
        patience=5 + PROMPT,
    ),
    "the end": left_open("pass"),
    "a long linger": left_open("pass", linger=60_000),
    "an exception": left_open("raise KeyError('x')", 1, "KeyError"),
    "sys.exit": left_open("sys.exit('reason')", 1, "reason"),
    "Ctrl-C": left_open("signal.raise_signal(signal.SIGINT)", -signal.SIGINT, "KeyboardInterrupt"),
    "SIGTERM": left_open("os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(9)", -signal.SIGTERM),
    "os._exit": left_open("os._exit(5)", 5),
    "os.abort": left_open("os.abort()", -signal.SIGABRT),
    "a thread at work": left_open("threading.Thread(target=lambda: time.sleep(0.05)).start()"),
    "sockets in atexit": Program(
        """
        def goodbye():
            push, pull = Socket(zmq.PUSH, bind="inproc://late"), Socket(zmq.PULL, connect="inproc://late")
            push.send("late")
            assert pull.recv() == "late"
            with Actor(lambda pipe: pipe.send("hi")) as actor:
                assert actor.recv() == "hi"
            early.send("x")
        early = Socket(zmq.PUSH, bind="inproc://early")
        taker = Socket(zmq.PULL, connect="inproc://early")
        atexit.register(goodbye)
        ending()
        """
    ),
}


def test_things_left_open(amount: Callable[[int, int], int], figure: Callable[[str], None]) -> None:
    """A program that closes nothing ends at once, with messages that cannot be sent, whatever ends it."""
    programs = LEFT_OPEN
    if not amount(0, 1):
        short = "an actor that does not heed $TERM", "the end", "an exception", "Ctrl-C", "sockets in atexit"
        programs = {name: LEFT_OPEN[name] for name in short}
    figure(f"{check_all(programs, amount(1, 100))} processes that left everything open ended well")


@pytest.mark.parametrize("kind", ["zctx", "zsock", "Socket", "Context"])
def test_linger_at_exit(kind: str) -> None:
    """What a short linger lets be sent arrives at a peer that is there, of each kind of socket."""
    source = {
        "zctx": "ctx = zctx.new()\nzctx.set_linger(ctx, 400)\npush = zsocket.new(ctx, zmq.PUSH)\n"
        "zsocket.connect(push, sys.argv[2])\nsend = lambda text: zstr.send(push, text)",
        "zsock": "push = zsock.new(zmq.PUSH)\nzsock.set_linger(push, 400)\nzsock.connect(push, sys.argv[2])\n"
        "send = lambda text: zstr.send(push, text)",
        "Socket": "send = Socket(zmq.PUSH, connect=sys.argv[2], linger=400).send",
        "Context": "send = Context(linger=400).socket(zmq.PUSH, connect=sys.argv[2]).send",
    }[kind]
    with Socket(zmq.PULL, bind="tcp://127.0.0.1:*", rcvhwm=0) as pull:
        program = f"{PRELUDE}{source}\nfor number in range(500):\n    send(str(number))\n"
        children.check(program, "0", pull.last_endpoint)
        assert [pull.recv(timeout=5000) for _ in range(500)] == [str(number) for number in range(500)]


# ---------------------------------------------------------------- fork and spawn

_USE = """
def use_own():
    \"\"\"Make sockets, pass a message on each floor, and close them.\"\"\"
    push, pull = zsock.new_push("@inproc://own"), zsock.new_pull(">inproc://own")
    zstr.send(push, "one")
    assert zstr.recv(pull) == "one"
    zsock.unbind(push, "inproc://own")
    with Context() as context:
        one, other = context.socket(zmq.PUSH, bind="inproc://own"), context.socket(zmq.PULL, connect="inproc://own")
        one.send("two")
        assert other.recv() == "two"
    with Actor(lambda pipe: pipe.send("three")) as actor:
        assert actor.recv() == "three"

def refuses(function, *args):
    \"\"\"Tell whether a call says that what it got is the parent's.\"\"\"
    try:
        function(*args)
    except (ValueError, OSError) as error:
        return "parent process" in str(error) or "closed" in str(error)
    return False

context = Context()
push, pull = Socket(zmq.PUSH, bind="inproc://parent"), Socket(zmq.PULL, connect="inproc://parent")
old = zsock.new_pull("@inproc://old")
inside = context.socket(zmq.PULL)

def check_child():
    assert refuses(zstr.recv, old) and refuses(zstr.recv, inside.handle)
    assert refuses(pull.recv) and refuses(inside.recv) and refuses(push.send, "x")
    assert refuses(zpoller.new, old)
    use_own()
    return os.getpid()
"""

_POOLS = (
    _USE
    + """
import multiprocessing, concurrent.futures

def check(number):
    return number, check_child()

def check_spawned(number):
    use_own()
    return number, os.getpid()

def main(method):
    ways = multiprocessing.get_context(method)
    work = check if method == "fork" else check_spawned
    with ways.Pool(2 if method == 'fork' else 1) as pool:
        assert [number for number, _ in pool.map(work, range(6))] == list(range(6))
    process = ways.Process(target=work, args=(1,))
    process.start()
    process.join()
    assert process.exitcode == 0, process.exitcode
    if method == "fork" or SEED:
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=ways) as pool:
            assert [number for number, _ in pool.map(work, range(4))] == list(range(4))
    push.send("still here")
    assert pull.recv() == "still here"
"""
)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method: str, tmp_path: Path, amount: Callable[[int, int], int]) -> None:
    """Workers of each kind use sockets of their own at once, and refuse the parent's; the parent goes on."""
    # A spawned child imports the main program, which must be a file.
    main = tmp_path / "program.py"
    main.write_text(
        f"{PRELUDE}{_POOLS}\nif __name__ == '__main__':\n    for _ in range({amount(1, 30)}):\n"
        f"        main({method!r})\n    ending()\n"
    )
    seed = str(amount(0, 1))
    starter = (
        f"import runpy, sys; sys.argv = [{str(main)!r}, {seed!r}]; runpy.run_path({str(main)!r}, run_name='__main__')"
    )
    if method == "fork":
        program = Program("")
        program.source = starter
        assert program.check(0) == ""
        return
    done = subprocess.run([sys.executable, str(main), seed], capture_output=True, text=True, timeout=1000)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr.startswith("ending") and done.stderr.count("\n") == 1, done.stderr


FORKS = {
    "while threads are in calls": Program(
        """
        stop = threading.Event()
        message, config = Message(["x"] * 10), pyczmq.Config("root")
        frame, cert = pyczmq.Frame("x"), pyczmq.Cert()

        def work(number):
            # All that has a lock, over and over.
            from pyczmq import zproxy, zrex
            while not stop.is_set():
                with Context() as context, context.socket(zmq.PULL) as sock:
                    sock.poll(1)
                try:
                    message.append("x")
                    message.pop()
                    config["a"] = "b"
                    frame.data
                    repr(cert)
                except (RuntimeError, IndexError):
                    pass
                zsys.set_logident("x")
                proxy = zactor.new(zproxy.actor)
                zproxy.frontend(proxy, "PULL", f"inproc://front.{number}.{time.monotonic()}")
                zactor.destroy(proxy)

        def wait():
            Socket(zmq.PULL).recv()

        workers = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for worker in workers:
            worker.start()
            blocked(wait)
        for _ in range(4):
            time.sleep(dice.random() * 0.05)
            child = os.fork()
            if not child:
                signal.alarm(20)
                check_child()
                message.append("x")
                config["a"] = "c"
                frame.data
                repr(cert)
                zsys.set_logident("y")
                from pyczmq import zproxy
                proxy = zactor.new(zproxy.actor)
                zproxy.frontend(proxy, "PULL", "inproc://front")
                zactor.destroy(proxy)
                sys.exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            assert status == 0, status
        stop.set()
        for worker in workers:
            worker.join()
        push.send("still here")
        assert pull.recv() == "still here"
        ending()
        """,
        before=_USE,
    ),
    "while a thread is in a method": Program(
        """
        things = Message(["x"]), pyczmq.Config("root"), pyczmq.Frame("x"), pyczmq.Cert()
        held, done = threading.Event(), threading.Event()
        def hold():
            # As a method does that another thread is in at the moment of the fork.
            for thing in things:
                thing._lock.acquire()
            held.set()
            done.wait()
        blocked(hold)
        held.wait()
        child = os.fork()
        if not child:
            things[0].append("y")
            things[1]["a"] = "b"
            things[2].data
            for thing in things:
                thing.close()
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        for thing in things:
            try:
                thing.close()
            except RuntimeError as error:
                assert "in use in another thread" in str(error)
            else:
                sys.exit("not refused in the parent")
        done.set()
        ending()
        """,
        before=_USE,
    ),
    "from a thread": Program(
        """
        statuses = []
        def fork():
            child = os.fork()
            if not child:
                status = 1
                try:
                    check_child()
                    status = 0
                finally:
                    os._exit(status)
            statuses.append(os.waitpid(child, 0)[1])
        blocked(lambda: Socket(zmq.PULL).recv())
        thread = threading.Thread(target=fork)
        thread.start()
        thread.join()
        assert statuses == [0]
        ending()
        """,
        before=_USE,
    ),
    "from an actor": Program(
        """
        def task(pipe):
            pipe.signal()
            child = os.fork()
            if not child:
                check_child()
                return
            pipe.send(str(os.waitpid(child, 0)[1]))
        with Actor(task) as actor:
            assert actor.recv() == "0"
        ending()
        """,
        before=_USE,
    ),
    "with an actor and a context open": Program(
        """
        actor, loop = Actor(lambda pipe: list(pipe)), Loop()
        with actor:
            child = os.fork()
            if not child:
                assert refuses(actor.send, "x")
                check_child()
                sys.exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            actor.send("x")
        ending()
        """,
        before=_USE,
    ),
}


def test_fork(amount: Callable[[int, int], int], figure: Callable[[str], None]) -> None:
    """A fork at any moment, from any thread, finds no lock of ours held in the child; the parent goes on."""
    figure(f"{check_all(FORKS, amount(1, 100))} processes that fork ended well")


# ---------------------------------------------------------------- threads

THREADS = {
    "eight threads with sockets of their own": Program(
        """
        COUNT = 400
        def worker(number):
            pull = Socket(zmq.PULL, bind=f"inproc://worker.{number}")
            barrier.wait()
            pushes = [Socket(zmq.PUSH, connect=f"inproc://worker.{other}", sndhwm=0) for other in range(8)]
            for turn in range(COUNT):
                for push in pushes:
                    push.send_parts([b"%d" % number, b"%d" % turn])
            turns = [0] * 8
            for _ in range(8 * COUNT):
                sender, turn = map(int, pull.recv_parts(timeout=20000))
                assert turns[sender] == turn, (sender, turn)
                turns[sender] += 1
            assert turns == [COUNT] * 8 and not pull.poll(0)
            done.append(number)
            for sock in (pull, *pushes):
                sock.close()
        barrier, done = threading.Barrier(8), []
        threads = [threading.Thread(target=worker, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(done) == list(range(8))
        ending()
        """
    ),
    "threads that make and close contexts and sockets": Program(
        """
        def worker(number):
            for turn in range(15):
                name = f"inproc://{number}.{turn}"
                with Context() as context:
                    push = context.socket(zmq.PUSH, bind=name)
                    with context.shadow() as shadow:
                        pull = shadow.socket(zmq.PULL, connect=name)
                        push.send("x")
                        assert pull.recv(timeout=20000) == "x"
                one, other = zsock.new_push("@" + name), zsock.new_pull(">" + name)
                zstr.send(one, "y")
                assert zstr.recv(other) == "y"
                zsock.destroy(one)
            done.append(number)
        done = []
        threads = [threading.Thread(target=worker, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(done) == list(range(8))
        ending()
        """
    ),
    "a subinterpreter": Program(
        """
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            ending()
            sys.exit(0)
        one = interpreters.create()
        try:
            # cffi's C part may refuse; whatever comes of it, nothing crashes.
            interpreters.run_string(one, "import pyczmq; pyczmq.zstr")
        except Exception:
            pass
        interpreters.destroy(one)
        with Socket(zmq.PUSH, bind="inproc://a") as push, Socket(zmq.PULL, connect="inproc://a") as pull:
            push.send("x")
            assert pull.recv() == "x"
        ending()
        """
    ),
}


def test_threads(amount: Callable[[int, int], int], figure: Callable[[str], None]) -> None:
    """Threads with sockets of their own exchange messages, none lost, and make and close them all at the same time."""
    figure(f"{check_all(THREADS, amount(1, 50))} processes with eight threads ended well")


_FIRST = """
import threading
from pyczmq import zmq, zsock
for _ in range(int(sys.argv[1])):
    child = os.fork()
    if not child:
        barrier = threading.Barrier(12)
        def make():
            barrier.wait()
            zsock.destroy(zsock.new(zmq.PAIR))
        threads = [threading.Thread(target=make) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def test_first_sockets_of_several_threads(amount: Callable[[int, int], int], figure: Callable[[str], None]) -> None:
    """CZMQ sets itself up with the first socket, and aborts if another thread makes one meanwhile."""
    processes = amount(50, 2000)
    done = children.run(f"import os, sys\n{_FIRST}", str(processes), timeout=600)
    assert done.status == 0, done.output
    figure(f"{processes} processes whose threads made their first sockets at the same time ended well")
