"""State machines over pyczmq: rules that Hypothesis puts into sequences, and models of what must come of them.

A model is plain Python: a message is a list of bytes, a chunk a bytearray, a hash a dict. It also says who owns what,
so which handles must be refused and which must work. The machines run in child processes (see ``sequences.py``): each
step is written down before it is made, so that the steps to a crash are known.
"""

from __future__ import annotations

import atexit
import functools
import gc
import os
import signal
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hypothesis import stateful
from hypothesis import strategies as st

#: What pyczmq raises for handles and objects that are gone.
REFUSALS = ValueError

#: Contents of frames, items and the like: none, few bytes that libzmq copies, many that it shares, what is no text.
CONTENTS = st.one_of(
    st.sampled_from([b"", b"a", b"\0", b"\xff\xfe", b"%s%n", b"s" * 33, b"m" * 34, b"L" * 255, b"x" * 300]),
    st.binary(max_size=40),
)


#: Steps between two rounds of the garbage collector, or changes of threads, at least.
_BETWEEN_PAUSES = 4

#: Seconds that a forked child has.
_CHILD = 20.0


class Journal:
    """Where the steps of the present example are written down, and how many there were in all."""

    def __init__(self) -> None:
        self.file = -1
        self.examples = self.steps = 0

    def open(self, path: str) -> None:
        """Write to a file from now on."""
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)

    def begin(self) -> None:
        """Begin with a new example."""
        self.examples += 1
        if self.file >= 0:
            os.ftruncate(self.file, 0)
            os.lseek(self.file, 0, os.SEEK_SET)

    def note(self, step: str) -> None:
        """Write a step down."""
        self.steps += 1
        if self.file >= 0:
            os.write(self.file, f"{step}\n".encode(errors="backslashreplace"))


journal = Journal()

#: Called at the beginning of each example, to arm what ends one that hangs.
watchdogs: list[Callable[[], object]] = []


class Named:
    """Something that a machine has made, by the name that it has in the steps."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 200 else f"{text[:200]}... of {len(text)} characters"


def rule(main: bool = False, **arguments: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make a method a rule whose steps are written down, and made on whichever thread it is the turn of.

    *main* is for those that can only be made on the main thread.
    """
    return _step(functools.partial(stateful.rule, **arguments), main)


def initialize(**arguments: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make a method the first step of an example; like `rule`."""
    return _step(functools.partial(stateful.initialize, **arguments), False)


def _step(kind: Callable[..., Any], main: bool) -> Callable[[Callable[..., Any]], Any]:
    def decorate(function: Callable[..., Any]) -> Any:
        @functools.wraps(function)
        def step(self: Machine, **arguments: Any) -> Any:
            thread = " on the other thread" if self.other and not main else ""
            shown = ", ".join(f"{name}={_shown(value)}" for name, value in arguments.items())
            journal.note(f"{function.__name__}({shown}){thread}")
            if thread:
                return self.pool.submit(function, self, **arguments).result()
            return function(self, **arguments)

        return kind()(step)

    return decorate


#: A method of a machine, by name, and its arguments.
Call = tuple[Any, ...]


def calls(*methods: tuple[Any, ...]) -> st.SearchStrategy[Call]:
    """Draw one of some methods, each a name and strategies for its arguments.

    Hypothesis leaves out rules at random, so few rules that do many things mix better than many that do one.
    """
    return st.one_of(*(st.tuples(st.just(name), *arguments) for name, *arguments in methods))


def made(result: Any) -> Any:
    """Return what a rule is to put into its bundle: nothing for None."""
    return stateful.multiple() if result is None else result


class Machine(stateful.RuleBasedStateMachine):
    """What all machines share: the journal, two threads that take turns, the garbage collector at any time."""

    def __init__(self) -> None:
        super().__init__()
        journal.begin()
        for watchdog in watchdogs:
            watchdog()
        self.made = 0
        self.paused = journal.steps
        self.forked = False
        #: Whether it is the other thread's turn.
        self.other = False
        self._pool: ThreadPoolExecutor | None = None

    @property
    def pool(self) -> ThreadPoolExecutor:
        """The other thread."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1)
        return self._pool

    def name(self, kind: str) -> str:
        """Return the name for the next thing."""
        self.made += 1
        return f"{kind}{self.made}"

    @stateful.precondition(lambda self: self.paused + _BETWEEN_PAUSES < journal.steps)
    @rule(main=True, what=st.sampled_from(["change threads", "collect garbage"]))
    def pause(self, what: str) -> None:
        """Collect garbage, or make the steps on the other of two threads from now on."""
        self.paused = journal.steps
        if what == "collect garbage":
            gc.collect()
        else:
            self.other = not self.other

    @property
    def may_fork(self) -> bool:
        """Whether this example has not forked yet: it takes long, compared to other steps."""
        return not self.forked

    def fork_for(self, function: Callable[[], object]) -> None:
        """Run a function in a forked child, which ends as Python does, and check that it ends well."""
        self.forked = True
        child = os.fork()
        if child == 0:
            try:
                function()
                atexit._run_exitfuncs()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        deadline = time.monotonic() + _CHILD
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                raise AssertionError("the child hangs")
            time.sleep(0.002)
        assert status == 0, f"the child has ended with {status}"

    def finish(self) -> None:
        """Destroy what is left at the end of an example."""

    def teardown(self) -> None:
        journal.note("teardown()")
        journal.steps -= 1
        self.finish()
        if self._pool is not None:
            self._pool.shutdown()


def refused(
    function: Callable[..., Any],
    *args: Any,
    error: type[BaseException] | tuple[type[BaseException], ...] = REFUSALS,
) -> None:
    """Check that a call is refused."""
    try:
        result = function(*args)
    except error:
        return
    name = getattr(function, "__qualname__", repr(function))
    raise AssertionError(f"{name}{args!r} was not refused, and returned {result!r}")


def same(found: Any, wanted: Any, what: str = "result") -> None:
    """Check a result against the model's: an assert that says what it has found where pytest does not rewrite it."""
    if found != wanted or type(found) is not type(wanted):
        raise AssertionError(f"{what} is {_shown(found)}, and should be {_shown(wanted)}")
