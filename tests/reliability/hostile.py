"""Hostile calls: everything public is called with arguments that nobody should give, in processes that may die of it.

One process, the keeper, loads pyczmq and forks a child for each batch of calls; a child makes its arguments, calls,
lets go of everything and exits as programs do. Before each call it writes down what it is about to do, in memory that
it shares with the keeper. So whatever becomes of it, the keeper can tell the call, its arguments, and how to repeat
them: everything follows from the seed and the batch's number.

    python tests/reliability/hostile.py --seed 1 --batch 17 --verbose

Run it in a network namespace of its own: endpoints are among the arguments.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import gc
import inspect
import json
import mmap
import os
import random
import re
import resource
import shutil
import signal
import struct
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from pyczmq import _threads

#: Calls in a batch.
BATCH = 80

#: Seconds after which a call is told to end; it is meant for those that wait for a peer.
ALARM = 0.1

#: Seconds without a new call after which a child hangs.
HANG = 30.0

#: Bytes of a child's address space. Sizes of 2**31 and more are to fail.
MEMORY = 3 << 30

_PAGE = 1 << 16
_HEADER = struct.Struct("=II")

#: How a batch makes its calls: on the main thread, on another, or in a forked child; the weights say how often.
MODES = ["main"] * 6 + ["thread", "fork"]

#: What may be raised. Anything else is a finding.
ALLOWED = (
    TypeError,
    ValueError,
    OverflowError,
    OSError,
    BufferError,
    LookupError,
    RuntimeError,
    MemoryError,
    StopIteration,
    StopAsyncIteration,
    EOFError,
    ArithmeticError,
)

#: What an AttributeError may say: that the library lacks something, or an object.
_LACKING = re.compile(
    r"is not in this library|can be set, but not read|has no |no setter|can't set|can't delete|read-only"
    r"|points to an opaque type|cannot (?:set|delete) attribute|context manager"
    r"|only where the libraries are built with drafts"
)


class Waited(BaseException):
    """Raised by the alarm in a call that waits."""


@dataclass
class Report:
    """What became of one batch."""

    batch: int
    mode: str
    calls: int = 0
    left: int = 0
    waited: int = 0
    status: int = 0
    problem: str = ""
    call: str = ""
    errors: str = ""
    findings: list[str] = field(default_factory=list)
    raised: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


class Journal:
    """Memory shared with the keeper, where a child writes down each call before it makes it."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _PAGE)

    def write(self, number: int, text: str) -> None:
        """Note the call that is about to be made."""
        data = text.encode("utf-8", "backslashreplace")[: _PAGE - _HEADER.size]
        self._memory[: _HEADER.size] = _HEADER.pack(number, len(data))
        self._memory[_HEADER.size : _HEADER.size + len(data)] = data

    def read(self) -> tuple[int, str]:
        """Return the number and the text of the last call."""
        number, size = _HEADER.unpack(self._memory[: _HEADER.size])
        return number, self._memory[_HEADER.size : _HEADER.size + size].decode("utf-8", "replace")


# ---------------------------------------------------------------- in the child


class Caller:
    """Makes the calls of one batch."""

    def __init__(self, targets: list[Any], generator: random.Random, mode: str, journal: Journal, options: Any) -> None:
        from hostile_arguments import Hostile, Pool

        self.targets = targets
        self.mode = mode
        self.journal = journal
        self.verbose = options.verbose
        self.pool = Pool(generator, mode == "thread", options.networked)
        self.random = generator
        self.hostile = Hostile
        self.raised: Counter[str] = Counter()
        self.findings: list[str] = []
        self.waited = 0
        self.number = 0
        self.loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> None:
        """Make the calls, one after another."""
        for target in self.targets:
            self.number += 1
            self.journal.write(self.number, f"{target.name}: making its arguments")
            given, named = self.pool.arguments(target.parameters, target.owner is not None)
            shown = ", ".join(
                [*(label for label, _ in given), *(f"{key}={label}" for key, (label, _) in named.items())]
            )
            text = f"{target.name}({shown})"
            self.journal.write(self.number, text)
            if self.verbose:
                print(
                    f"{self.number}: {text}".encode("utf-8", "backslashreplace").decode(), file=sys.stderr, flush=True
                )
            values = [value for _, value in given]
            keywords = {key: value for key, (_, value) in named.items()}
            self.pool.current = [*values, *keywords.values()]
            if not self._one(target, text, values, keywords):
                break
            self.pool.current = []

    def _one(self, target: Any, text: str, values: list[Any], keywords: dict[str, Any]) -> bool:
        """Make one call; tell whether there may be more."""
        if self.mode == "thread":
            done = threading.Event()
            thread = threading.Thread(
                target=lambda: (self._call(target, text, values, keywords), done.set()), daemon=True
            )
            thread.start()
            if not done.wait(20 * ALARM):
                # It waits for ever, and sockets are for one thread at a time.
                self.waited += 1
                return False
            thread.join()
            return True
        self._call(target, text, values, keywords)
        return True

    def _call(self, target: Any, text: str, values: list[Any], keywords: dict[str, Any]) -> None:
        # Python's own makes noise if the alarm comes while it is being made.
        loop = self._event_loop() if target.asynchronous else None
        try:
            with self._alarm():
                if loop is not None:
                    result = self._asynchronously(loop, target.function, values, keywords)
                else:
                    result = target.function(*values, **keywords)
                    if inspect.isgenerator(result) or hasattr(result, "__next__"):
                        for _ in zip(range(3), result):
                            pass
                    elif inspect.iscoroutine(result):
                        result.close()
            self.pool.keep(text.partition("(")[0], result)
            self.raised["nothing"] += 1
        except Waited:
            self.waited += 1
        except (self.hostile, SystemExit, GeneratorExit, KeyboardInterrupt) as error:
            self.raised[type(error).__name__] += 1
        except BaseException as error:
            self._judge(error, text)
        finally:
            # The alarm may have cut off what switches it off, or what a loop does at its end.
            _disarm()
            asyncio._set_running_loop(None)

    def _judge(self, error: BaseException, text: str) -> None:
        """Count what a call has raised, or note it where it should not have."""
        name = type(error).__name__
        self.raised[name] += 1
        if isinstance(error, asyncio.TimeoutError):
            self.waited += 1
        elif not _may_be_raised(error):
            self.findings.append(f"{name}: {error} from {text} {_where(error)}")

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        """Return the batch's event loop, or a new one once that was closed, or cut off."""
        if self.loop is None or self.loop.is_closed() or self.loop.is_running():
            self.loop = asyncio.new_event_loop()
            self.loop.set_exception_handler(self._note_unhandled)
        return self.loop

    def _asynchronously(
        self,
        loop: asyncio.AbstractEventLoop,
        function: Callable[..., Any],
        values: list[Any],
        keywords: dict[str, Any],
    ) -> Any:
        """Make a call inside a running loop, with a limit to what it may wait."""

        async def call() -> Any:
            result = function(*values, **keywords)
            if inspect.isawaitable(result):
                return await asyncio.wait_for(result, ALARM / 2)
            return result

        return loop.run_until_complete(call())

    def _note_unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        meant = isinstance(error, (asyncio.TimeoutError, self.hostile, Waited))
        if error is not None and not meant and not _may_be_raised(error):
            self.findings.append(f"unhandled in a loop: {context}")

    @contextlib.contextmanager
    def _alarm(self) -> Iterator[None]:
        """Have the alarm end what waits, where it can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        signal.setitimer(signal.ITIMER_REAL, ALARM, ALARM)
        try:
            yield
        finally:
            _disarm()

    def finish(self) -> None:
        """Let go of everything."""
        self.journal.write(self.number + 1, "letting go of everything")
        if self.loop is not None and not self.loop.is_closed() and not self.loop.is_running():
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            # The alarm may have come in the middle of what makes the loop run.
            with contextlib.suppress(Waited), self._alarm():
                self.loop.run_until_complete(asyncio.sleep(0))
            with contextlib.suppress(Waited), self._alarm():
                self.loop.close()
        _disarm()
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        self.pool.clear()
        gc.collect()
        self.journal.write(self.number + 2, "exiting")


def _may_be_raised(error: BaseException) -> bool:
    """Tell whether that is what a call may raise over its arguments."""
    if type(error) is AttributeError:
        return bool(_LACKING.search(str(error)))
    return isinstance(error, (*ALLOWED, AttributeError)) and not isinstance(error, UnicodeDecodeError)


def _disarm() -> None:
    """Switch the alarm off, though it may ring at that very moment, or have rung and PyPy not have noticed yet."""
    while True:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
            _threads.check_signals()
            return
        except Waited:
            pass


def _where(error: BaseException) -> str:
    """Return the last lines of a traceback, as file and line."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " < ".join(f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in reversed(frames))


#: Where an exception would be lost: what the garbage collector calls back, and Python's locks of modules.
_DEAF = {"forget", "_remove", "cb", "collect", "__del__", "release", "_unpin", "remove"}


def _is_deaf(frame: Any) -> bool:
    """Tell whether an exception would be lost here, or leave half a task of asyncio's, which complains."""
    name, file = frame.f_code.co_name, frame.f_code.co_filename
    return name in _DEAF or "importlib" in file or (name == "__init__" and "asyncio" in file)


def _ring(number: int, frame: Any) -> None:
    """End a call that waits; where that cannot be, the alarm comes again."""
    while frame is not None:
        if _is_deaf(frame):
            return
        frame = frame.f_back
    raise Waited


def run_batch(
    targets: list[Any], generator: random.Random, mode: str, journal: Journal, results: int, options: Any
) -> None:
    """Make the calls of a batch in this process, write what they came to, and exit as programs do."""
    signal.signal(signal.SIGALRM, _ring)
    faulthandler.register(signal.SIGUSR2, all_threads=True)
    _limit()
    caller = Caller(targets, generator, mode, journal, options)
    if mode == "fork":
        # With handles of the parent's, and then none of this in the parent.
        from hostile_arguments import Pool

        assert isinstance(caller.pool, Pool)
        for kind in sorted(caller.pool.makers):
            caller.pool.give(kind)
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            caller.pool.clear()
            gc.collect()
            sys.exit(0 if status == 0 else 3)
    caller.run()
    caller.finish()
    report = {
        "calls": caller.number,
        "left": len(targets) - caller.number,
        "waited": caller.waited,
        "raised": caller.raised,
        "findings": caller.findings,
    }
    os.write(results, json.dumps(report).encode())
    sys.exit(0)


def _limit() -> None:
    """Take from this process what could harm the machine."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 28, 1 << 28))
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    if MEMORY:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def furnish() -> None:
    """Put into the current directory what functions of files may find there."""
    for folder in "tree", "tree/two", "certs":
        os.mkdir(folder)
    for name, content in {
        "file": b"some text\nof two lines\n",
        "tree/one": b"1",
        "tree/two/three": b"3",
        "empty": b"",
        "binary": bytes(range(256)) * 20,
        "passwords": b"user=password\n",
        "config": b"root\n    a = b\n    c\n        d = e\n",
        "message": (3).to_bytes(8, sys.byteorder) + b"abc",
    }.items():
        with open(name, "wb") as file:
            file.write(content)
    os.mkfifo("fifo")
    os.symlink("loop", "loop")


# ---------------------------------------------------------------- in the keeper


def plan(seed: int, targets: list[Any], batch: int) -> tuple[list[Any], random.Random, str]:
    """Return the targets of a batch, the generator of its arguments, and its mode.

    Batches go through all targets evenly, in an order that each round shuffles anew.
    """
    per_round = -(-len(targets) // BATCH)
    number, part = divmod(batch, per_round)
    order = list(targets)
    random.Random(f"order {seed} {number}").shuffle(order)
    generator = random.Random(f"arguments {seed} {batch}")
    # Each round has all the modes, and a target another one each time.
    mode = MODES[(batch + number) % len(MODES)]
    return order[part::per_round], generator, mode


def keep(options: Any) -> None:
    """Run batches one after another, each in a child, and print a report of each as a line of JSON."""
    warnings.simplefilter("ignore")
    # Here, and not in each child: it takes longer than a batch. Nothing of it makes a socket, or a thread.
    import hostile_arguments  # noqa: F401
    from hostile_targets import targets as find

    targets = find()
    gc.collect()
    if hasattr(gc, "freeze"):
        gc.freeze()
    per_round = -(-len(targets) // BATCH)
    batches = range(options.first, options.rounds * per_round, options.step)
    for batch in batches if options.batch is None else [options.batch]:
        done, report = 0, one_batch(options, targets, batch)
        print(json.dumps(asdict(report)), flush=True)
        while report.left and not report.problem:
            # A thread waits for ever, and none may use its socket: go on in another process.
            done += report.calls
            report = one_batch(options, targets, batch, done)
            print(json.dumps(asdict(report)), flush=True)


def one_batch(options: Any, targets: list[Any], batch: int, done: int = 0) -> Report:
    """Run one batch in a child, but for the calls that were *done* before, and tell what became of it."""
    chosen, generator, mode = plan(options.seed, targets, batch)
    chosen = chosen[done:]
    if options.upto:
        chosen = chosen[: options.upto]
    with tempfile.TemporaryFile() as results, tempfile.TemporaryFile() as errors:
        directory = tempfile.mkdtemp(prefix="hostile-")
        try:
            return _in_child(options, chosen, generator, mode, batch, directory, results, errors)
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _in_child(
    options: Any,
    chosen: list[Any],
    generator: random.Random,
    mode: str,
    batch: int,
    directory: str,
    results: IO[bytes],
    errors: IO[bytes],
) -> Report:
    """Run a batch in a child that works in *directory*, and tell what became of it."""
    journal = Journal()
    start = time.monotonic()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        # A group of its own, so that what it leaves behind is found.
        os.setpgid(0, 0)
        os.chdir(directory)
        furnish()
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        if not options.verbose:
            os.dup2(errors.fileno(), 1)
            os.dup2(errors.fileno(), 2)
        else:
            os.dup2(2, 1)
        run_batch(chosen, generator, mode, journal, results.fileno(), options)
    status, hangs = _watch(child, journal)
    report = Report(batch, mode, status=status, seconds=time.monotonic() - start)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    number, report.call = journal.read()
    results.seek(0)
    content = results.read()
    errors.seek(0)
    report.errors = errors.read()[-20000:].decode("utf-8", "backslashreplace")
    if content:
        for key, value in json.loads(content).items():
            setattr(report, key, value)
    report.calls = report.calls or number
    if hangs:
        report.problem = "hangs"
    elif status:
        report.problem = f"ended with status {status}"
    elif not content:
        report.problem = "ended before its calls did"
    else:
        report.problem = suspicious(report.errors)
    return report


def _watch(child: int, journal: Journal) -> tuple[int, bool]:
    """Wait for the end of a child, and kill one that makes no progress; return its status, and whether that was so."""
    last, since = -1, time.monotonic()
    pause = 0.001
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status), False
        number, _ = journal.read()
        if number != last:
            last, since = number, time.monotonic()
        elif time.monotonic() - since > HANG:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGUSR2)
                time.sleep(0.5)
                os.killpg(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            return os.waitstatus_to_exitcode(status), True
        time.sleep(pause)
        pause = min(0.02, pause * 1.5)


#: What must not be printed.
_SIGNS = ("ssertion", "Exception ignored", "From cffi callback", "SystemError", "Fatal Python", "dangling", "corrupt")


#: What Python prints where a callback of the garbage collector's has raised what is ours: the alarm's, or that of a
#: hostile callable, which nobody else could be told of.
_OWN = re.compile(
    r"^Exception ignored (?:(?!^Exception ignored )[\s\S])*?^(?:\w+\.)?(?:Waited|Hostile|SystemExit)\b.*$", re.MULTILINE
)


def suspicious(errors: str) -> str:
    """Return what a child has printed that it should not have."""
    for line in _OWN.sub("", errors).splitlines():
        for sign in _SIGNS:
            if sign in line:
                return f"printed {line!r}"
    return ""


def parser() -> argparse.ArgumentParser:
    """Return what understands the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, help="this batch alone")
    parser.add_argument("--upto", type=int, help="only so many calls of each batch")
    parser.add_argument("--first", type=int, default=0, help="the first batch")
    parser.add_argument("--step", type=int, default=1, help="from one batch to the next: keepers can share them")
    parser.add_argument("--rounds", type=int, default=1, help="how often everything is called")
    parser.add_argument("--networked", action="store_true", help="this is a network namespace of its own")
    parser.add_argument("--verbose", action="store_true", help="print each call before it is made")
    parser.add_argument("--list", action="store_true", help="print the names of all targets")
    return parser


def main() -> None:
    """Run as the command line says."""
    options = parser().parse_args()
    if options.list:
        from hostile_targets import targets

        for target in targets():
            print(target.name)
        return
    keep(options)


if __name__ == "__main__":
    main()
