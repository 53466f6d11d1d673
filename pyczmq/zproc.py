r"""zproc: runs another program, and carries its standard input and output over sockets.

    >>> from pyczmq import zproc, zmsg
    >>> proc = zproc.new()
    >>> zproc.set_args(proc, ["/bin/echo", "hello"])
    >>> zproc.set_stdout(proc)
    >>> zproc.run(proc)
    0
    >>> message = zmsg.recv(zproc.stdout(proc))
    >>> zmsg.popstr(message), zmsg.popstr(message)
    ('', 'hello\n')
    >>> zproc.wait(proc)
    0

A message from the program's output has two frames: an empty one, and what was read, as it came: up to 4096 bytes, cut
anywhere. What is sent to its input may have any number of frames; an empty one at the start is left out. The end of
the output is no message, and the end of the input cannot be told: a program that reads its input to the end, such as
``cat``, goes on until it is killed.

One thread of CZMQ's looks after each program. It looks for the end of the program every 500 ms. It waits for whoever is
to receive the output, and for the program to read its input: one whose output nobody receives goes on for ever. A proc
belongs to one thread at a time.

The program has the signal mask of the thread that calls `run`, and the ignored signals of this process: Python ignores
SIGPIPE. No PATH is searched for it. Only libraries built with drafts have this class; on Windows most of it does
nothing.
"""

from __future__ import annotations

import errno
import os
import signal
import stat
import sys
import time
import weakref
from _thread import allocate_lock

from . import _actor_threads, _blocking, _containers, _endings, _handles, _relay, _room, _text
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ._types import CData, Proc, Sock, Text

_PROC = ffi.typeof("zproc_t *")
_SOCK = ffi.typeof("zsock_t *")
_DONTWAIT = 1
_FREE = ffi.typeof("zmq_free_fn *")

#: What C says of a program that is running, in place of its return code.
_RUNNING = -42

#: What a program is given to end, in milliseconds, before it is killed; and then to be gone.
_PATIENCE = 5000

#: Seconds between two looks at a program.
_LOOK = 0.01
_ACCESS_MODE = 3

#: Bytes that are written to a program at a time. C's thread must not wait for the program to read them: it would not
#: read the program's output meanwhile. A pipe that can be written to has room for 4096 bytes, and with this high-water
#: mark three pieces are under way.
_PIECE = 1024
_UNDER_WAY = 1

#: Arguments that C is given on its stack.
_MOST_VARIADIC = 1000

#: Bytes of one argument, or of one environment variable, that Linux takes.
_LONGEST_ARGUMENT = 131072

_LAST_SIGNAL = signal.NSIG - 1

#: Sockets of an actor, and those that may be open beside it.
_ACTOR_SOCKETS = 4


class _State:
    """What goes with one proc: its streams, and the threads that carry them."""

    __slots__ = (
        "destructor",
        "environment",
        "gate",
        "given",
        "held",
        "inner",
        "kept",
        "lent",
        "outer",
        "relays",
        "started",
    )

    def __init__(self) -> None:
        self.destructor = _handles.freer(C.zproc_destroy, "zproc_t *")
        #: The streams that were set: name -> the caller's socket, or None for one of our own.
        self.given: dict[str, Sock | None] = {}
        #: The input's two pairs: what the caller sends to, and what that is carried from; the same for C's thread.
        self.outer: tuple[Sock, ...] = ()
        self.inner: tuple[Sock, ...] = ()
        #: Our end of the input's pipe, which is C's; -1 if it is not known.
        self.gate = -1
        #: The program's ends of the output's pipes: C would lose what is still in them when the last one is closed.
        self.held: list[int] = []
        #: Handles that were handed out.
        self.lent: dict[str, weakref.ref[Any]] = {}
        #: Bytes of the environment.
        self.environment = 0
        self.relays: list[_relay.Relay] = []
        #: Sockets of the caller's, which are ours since the program was started.
        self.kept: list[Sock] = []
        self.started = False

    def start(self, proc: Proc) -> None:
        """Start what carries the streams that C does not carry itself."""
        for name, given in self.given.items():
            if name == "stdin":
                self._carry(given or self.outer[1], self.inner[0], _reshape, self.gate)
            elif given is not None:
                self._carry(getattr(C, f"zproc_{name}")(proc), given, _as_it_is)

    def _carry(self, source: CData, sink: CData, reshape: Any, gate: int = -1) -> None:
        ends = [C.zsock_resolve(end) for end in (source, sink)]
        self.relays.append(_relay.Relay(ends[0], ends[1], reshape, gate))

    def take_over(self) -> None:
        """Refuse the caller's sockets from now on: threads work with them."""
        for given in self.given.values():
            if given is not None:
                self.kept.append(ffi.cast(_SOCK, given))
                _handles.disown(given, "was handed over to a process")

    def stop(self) -> None:
        """End what carries the streams."""
        while self.relays:
            self.relays.pop().stop()

    def free(self, pointer: Proc) -> None:
        """End the program and free the proc."""
        self.stop()
        if _end_program(pointer) and _end_actor(pointer):
            self.destructor(pointer)
            # Else C's thread may still be at work with them, and goes on for ever: see `wait`.
            _relay.close(*self.inner)
        _relay.close(*self.outer, *self.kept)
        self.outer, self.inner, self.kept = (), (), []
        while self.held:
            os.close(self.held.pop())


def new() -> Proc:
    """Return a new proc, with nothing to run yet.

    The garbage collector owns it: the program ends with it, as `destroy` says. Only libraries built with drafts have
    this.

    C: ``zproc_t *zproc_new (void)``
    """
    function = C.zproc_new
    state = _State()
    proc = _handles.own(function(), state.free)
    if proc is None:
        raise RuntimeError("libczmq cannot run programs over this libzmq")
    _handles.companions(proc)[_State] = state
    return proc


def destroy(proc: Proc | None) -> None:
    """End the program, and destroy the proc with all its sockets; None is let through.

    A program that is running gets SIGTERM, and SIGKILL where it has not ended 5 seconds later. What it has written and
    nobody has received is dropped. Only libraries built with drafts have this.

    C: ``void zproc_destroy (zproc_t **self_p)``
    """
    if proc is not None:
        state = _state(proc)
        state.stop()
        # Ctrl-C may end this, and not what comes then.
        _end_program(proc)
        _handles.destroy(proc, _PROC, state.free, "proc")


def args(proc: Proc) -> list[str] | None:
    """Return the program and its arguments, or None if they were not set.

    Only libraries built with drafts have this.

    C: ``zlist_t *zproc_args (zproc_t *self)``
    """
    found = C.zproc_args(_live(proc))
    return _containers.take_strings(found) if found else None


def set_args(proc: Proc, arguments: Iterable[Text]) -> None:
    """Set the program and its arguments, any number of strings; the first is the program's file.

    Only libraries built with drafts have this.

    C: ``void zproc_set_args (zproc_t *self, zlist_t **arguments)``
    """
    function = C.zproc_set_args
    function(_live(proc), ffi.new("zlist_t **", _containers.make_strings(arguments, "arguments")))


def set_argsx(proc: Proc, *arguments: Text) -> None:
    """Set the program and its arguments, 1000 strings at most, as `set_args` does.

    Only libraries built with drafts have this.

    C: ``void zproc_set_argsx (zproc_t *self, const char *arguments, ...)``
    """
    function = C.zproc_set_argsx
    _live(proc)
    if len(arguments) > _MOST_VARIADIC:
        raise ValueError(f"arguments must be {_MOST_VARIADIC} at most, not {len(arguments)}; set_args takes more")
    texts = [ffi.new("char[]", _text.cstring(text, "each of arguments")) for text in arguments]
    first, *others = [*texts, ffi.NULL]
    function(proc, first, *others, *([ffi.NULL] if others else []))


def set_env(proc: Proc, arguments: Mapping[Text, Text]) -> None:
    """Set the program's environment: all of it, and nothing of this process's, which it has if this is not called.

    Raises ValueError for a name that is empty or has a ``=``. Only libraries built with drafts have this.

    C: ``void zproc_set_env (zproc_t *self, zhash_t **arguments)``
    """
    function = C.zproc_set_env
    state = _state(proc)
    variables: dict[Text, Text] = {
        _text.cstring(key, "each key of arguments"): _text.cstring(value, "each value of arguments")
        for key, value in arguments.items()
    }
    for name in variables:
        if not name or b"=" in _text.encode(name):
            raise ValueError(f"each key of arguments must be the name of a variable, not {name!r}")
    function(proc, ffi.new("zhash_t **", _containers.make_mapping(variables, "arguments")))
    lengths = [len(name) + len(value) + 2 for name, value in variables.items()]
    # One that is too long counts as more than all can be.
    state.environment = sum(lengths) if max(lengths, default=0) <= _LONGEST_ARGUMENT else sys.maxsize


def set_stdin(proc: Proc, socket: Sock | None = None) -> None:
    """Feed the program's standard input from *socket*, a zsock to receive from; with None, from what `stdin` returns.

    From `run` on the socket is the proc's, which destroys it; nobody else may use it then. It can be set once, and not
    after `run`. Only libraries built with drafts have this.

    C: ``void zproc_set_stdin (zproc_t *self, void *socket)``
    """
    _set_stream(proc, C.zproc_set_stdin, "stdin", socket)


def set_stdout(proc: Proc, socket: Sock | None = None) -> None:
    """Send the program's standard output to *socket*, a zsock to send to; with None, to what `stdout` returns.

    From `run` on the socket is the proc's, which destroys it; nobody else may use it then. It can be set once, and not
    after `run`. Only libraries built with drafts have this.

    C: ``void zproc_set_stdout (zproc_t *self, void *socket)``
    """
    _set_stream(proc, C.zproc_set_stdout, "stdout", socket)


def set_stderr(proc: Proc, socket: Sock | None = None) -> None:
    """Send the program's standard error to *socket*, a zsock to send to; with None, to what `stderr` returns.

    From `run` on the socket is the proc's, which destroys it; nobody else may use it then. It can be set once, and not
    after `run`. Only libraries built with drafts have this.

    C: ``void zproc_set_stderr (zproc_t *self, void *socket)``
    """
    _set_stream(proc, C.zproc_set_stderr, "stderr", socket)


def _set_stream(proc: Proc, function: Any, name: str, socket: Sock | None) -> None:
    state = _state(proc)
    if socket is not None:
        _handles.live(socket, _SOCK, "socket")
        owner = _handles._owned.get(id(socket))
        if owner is not None and owner.parents:
            raise ValueError("socket must be one of its own, and not part of something else, such as another proc")
    if C.zproc_actor(proc):
        raise ValueError(f"proc was run: its {name} cannot be set any more")
    if name in state.given:
        raise ValueError(f"proc has a {name} already")
    if socket is not None and any(given is not None and given == socket for given in state.given.values()):
        raise ValueError("socket is another stream of the proc already")
    # C would abort where it finds no room for two more descriptors, or for two sockets.
    descriptors: list[int] = []
    try:
        for _ in range(2):
            descriptors += os.pipe()
        _room.make(2 * _relay.PAIR if name == "stdin" else _relay.PAIR)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    # C's thread gets no socket of the caller's: it crashes over messages of another form, and never ends where it
    # cannot send.
    if name == "stdin":
        state.inner = _relay.pair(_UNDER_WAY)
        if socket is None:
            state.outer = _relay.pair()
    before = _pipes()
    function(proc, state.inner[1] if name == "stdin" else ffi.NULL)
    made = _pipes() - before
    # Another thread may have made pipes at the same time.
    if len(made) == 2 and len({inode for _, inode, _ in made}) == 1:
        (end,) = (descriptor for descriptor, _, mode in made if mode == os.O_WRONLY)
        if name == "stdin":
            state.gate = end
        else:
            state.held.append(os.dup(end))
    state.given[name] = socket


def stdin(proc: Proc) -> Sock | None:
    """Return the zsock to send the program's input to; None if it was not set, or is another socket.

    It keeps the proc alive, and is refused once that is destroyed. Only libraries built with drafts have this.

    C: ``void *zproc_stdin (zproc_t *self)``
    """
    function = C.zproc_stdin
    state = _state(proc)
    return _lend(proc, state, "stdin", lambda: state.outer[0] if state.outer else function(proc))


def stdout(proc: Proc) -> Sock | None:
    """Return the zsock to receive the program's output from; None if it was not set, or is another socket.

    It keeps the proc alive, and is refused once that is destroyed. Only libraries built with drafts have this.

    C: ``void *zproc_stdout (zproc_t *self)``
    """
    function = C.zproc_stdout
    return _lend(proc, _state(proc), "stdout", lambda: function(proc))


def stderr(proc: Proc) -> Sock | None:
    """Return the zsock to receive what the program writes to its standard error from; see `stdout`.

    Only libraries built with drafts have this.

    C: ``void *zproc_stderr (zproc_t *self)``
    """
    function = C.zproc_stderr
    return _lend(proc, _state(proc), "stderr", lambda: function(proc))


def _lend(proc: Proc, state: _State, name: str, find: Callable[[], CData]) -> Sock | None:
    """Return the handle for a socket of the proc's."""
    if state.given.get(name) is not None:
        return None
    reference = state.lent.get(name)
    handle: Sock | None = None if reference is None else reference()
    if handle is None or _handles.fate(handle) is not None:
        handle = _handles.own(ffi.cast(_SOCK, find()), _leave, proc)
        if handle is not None:
            state.lent[name] = weakref.ref(handle)
    return handle


def _leave(pointer: CData) -> None:
    """Do nothing: the proc closes its sockets."""


def run(proc: Proc) -> int:
    """Start the program and return 0; -1 if it has no arguments, or its file is not there or not to be executed.

    A program that the system starts to execute but cannot (a text file with no interpreter, say) is one that ends at
    once, with some return code that is not 0. Raises ValueError if the proc was run before, or if one of its sockets
    was destroyed, and RuntimeError where SIGCHLD is ignored: the end of a program would go unnoticed.

    C: ``int zproc_run (zproc_t *self)``
    """
    function = C.zproc_run
    state = _state(proc)
    if C.zproc_actor(proc) or state.started:
        raise ValueError("proc was run before: a proc can be run once")
    if hasattr(signal, "SIGCHLD") and signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN:
        raise RuntimeError("no program can be run while SIGCHLD is ignored")
    for given in state.given.values():
        if given is not None:
            _handles.live(given, _SOCK, "socket of the proc")
    if not _is_executable(proc, state):
        return -1
    _room.make(_ACTOR_SOCKETS + _relay.PAIR * len(state.given))
    _actor_threads.check_thread()
    state.started = True
    try:
        rc = function(proc)
    finally:
        if C.zproc_actor(proc):
            _hold_signals(proc)
    if rc == 0:
        state.take_over()
        state.start(proc)
    return rc


def _is_executable(proc: Proc, state: _State) -> bool:
    """Tell whether the system will execute the program, as far as that is known: C's forked child may abort."""
    arguments = args(proc)
    if not arguments:
        return False
    sizes = [len(_text.encode(argument)) + 1 for argument in arguments]
    pointers = ffi.sizeof("void *") * (len(sizes) + 1)
    if os.name == "posix":
        most = os.sysconf("SC_ARG_MAX")
        if max(sizes) > _LONGEST_ARGUMENT or 0 <= most < sum(sizes) + pointers + state.environment:
            ffi.errno = errno.E2BIG
            return False
    if not os.path.isfile(arguments[0]):
        ffi.errno = errno.ENOENT
        return False
    ffi.errno = errno.EACCES
    return os.access(arguments[0], os.X_OK)


#: Locks that threads of C's are to release: number -> lock.
_holding: dict[int, Any] = {}

_hold: CData | None = None


def _on_thread(data: CData, number: CData) -> None:
    """Block all signals, for the thread that this runs on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    lock = _holding.pop(int(ffi.cast("uintptr_t", number)), None)
    if lock is not None:
        lock.release()


def _hold_signals(proc: Proc) -> None:
    """Let no signal reach C's thread from now on: one that did would end what carries the streams.

    The program inherits the mask of that thread, so this can only be done once it is there. Nothing else runs code on
    that thread than the message that it frees.
    """
    global _hold
    if not hasattr(signal, "pthread_sigmask"):
        return
    if _hold is None:
        _hold = ffi.callback(_FREE, _on_thread)
    lock = allocate_lock()
    lock.acquire()
    number = id(lock)
    _holding[number] = lock
    pipe = C.zsock_resolve(_endings.unbound(_endings.actor(C.zproc_actor(proc))))
    message = ffi.new("zmq_msg_t *")
    C.zmq_msg_init_data(message, _hold, 0, _hold, ffi.cast("void *", number))
    deadline = time.monotonic() + _PATIENCE / 1000
    try:
        if C.zmq_msg_send(message, pipe, _DONTWAIT) < 0:
            # Its end has come already.
            _holding.pop(number, None)
            C.zmq_msg_close(message)
            return
        # By then it has also started the program, for which C waits only until a signal comes.
        while not lock.acquire(timeout=_LOOK) and time.monotonic() < deadline:
            if _endings.has_ended(_endings.actor(C.zproc_actor(proc))):
                return
    finally:
        _holding.pop(number, None)


def returncode(proc: Proc) -> int:
    """Return what the program has returned; less the signal's number if a signal has ended it; -42 while it runs.

    Raises ValueError if it was not run. Only libraries built with drafts have this.

    C: ``int zproc_returncode (zproc_t *self)``
    """
    function = C.zproc_returncode
    if not C.zproc_pid(_live(proc)):
        raise ValueError("proc was not run")
    return function(proc)


def pid(proc: Proc) -> int:
    """Return the number of the program's process; 0 if it was not run.

    Only libraries built with drafts have this.

    C: ``int zproc_pid (zproc_t *self)``
    """
    return C.zproc_pid(_live(proc))


def running(proc: Proc) -> bool:
    """Tell whether the program is running; its end is noticed up to 500 ms later.

    Only libraries built with drafts have this.

    C: ``bool zproc_running (zproc_t *self)``
    """
    return C.zproc_running(_live(proc))


def wait(proc: Proc, timeout: int = -1) -> int:
    """Wait until the program has ended, for *timeout* milliseconds (-1: for ever), and return what `returncode` does.

    That is -42 if the time has passed. Returns 0 at once if the program was not run. Its output must be received
    meanwhile. Ctrl-C raises KeyboardInterrupt, and ends the wait only; the terminal sends it to the program, too.
    Raises ChildProcessError if somebody else has asked the system for the program's end: C is never told then.

    C: ``int zproc_wait (zproc_t *self, int timeout)``
    """
    function = C.zproc_wait
    _live(proc)
    _wait(proc, integer(timeout, "timeout"))
    return function(proc, 0)


def _wait(proc: Proc, timeout: float, meanwhile: Callable[[], object] | None = None) -> None:
    deadline = _blocking.deadline_after(timeout)
    while C.zproc_running(proc):
        if _has_vanished(proc):
            raise ChildProcessError("the program has ended, but somebody else than its proc was told how")
        left = deadline - time.monotonic()
        if left <= 0:
            return
        if meanwhile is not None:
            meanwhile()
        time.sleep(min(_LOOK, left))


def _has_vanished(proc: Proc) -> bool:
    """Tell whether there is no such process any more, although C waits for its end."""
    for _ in range(2):
        try:
            os.kill(C.zproc_pid(proc), 0)
            return False
        except PermissionError:
            return False
        except ProcessLookupError:
            # C may have been told in this moment.
            time.sleep(_LOOK)
    return bool(C.zproc_running(proc))


def shutdown(proc: Proc, timeout: int) -> None:
    """End the program: SIGTERM, and SIGKILL where it has not ended *timeout* milliseconds later; wait as long again.

    Less than 0 is 0. Ctrl-C raises KeyboardInterrupt. Only libraries built with drafts have this.

    C: ``void zproc_shutdown (zproc_t *self, int timeout)``
    """
    function = C.zproc_shutdown
    _live(proc)
    _shut_down(proc, max(0, integer(timeout, "timeout")))
    if not C.zproc_running(proc):
        function(proc, 0)


def _shut_down(proc: Proc, timeout: float, meanwhile: Callable[[], object] | None = None) -> None:
    for number in signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM):
        if C.zproc_running(proc) and not _has_vanished(proc):
            C.zproc_kill(proc, number)
            _wait(proc, timeout, meanwhile)


def actor(proc: Proc) -> Sock | None:
    """Return the pipe of the thread that looks after the program, to poll: it has input when the program has ended.

    None if the program was not run. C returns the actor itself; here it is the zsock of it, since nothing else is to be
    done with it. It keeps the proc alive, and is refused once that is destroyed.

    C: ``void *zproc_actor (zproc_t *self)``
    """
    found = C.zproc_actor(_live(proc))
    return _lend(proc, _state(proc), "actor", lambda: C.zactor_sock(_endings.actor(found))) if found else None


def kill(proc: Proc, signal: int) -> None:
    """Send the program a signal; nothing happens if it is not running.

    Not signal 42: C takes what has died of it for running, for ever. Only libraries built with drafts have this.

    C: ``void zproc_kill (zproc_t *self, int signal)``
    """
    function = C.zproc_kill
    _live(proc)
    number = integer(signal, "signal", 0, _LAST_SIGNAL)
    if number == -_RUNNING:
        raise ValueError("signal must not be 42: C would never notice that the program has ended")
    if C.zproc_running(proc) and not _has_vanished(proc):
        function(proc, number)


def set_verbose(proc: Proc, verbose: bool) -> None:
    """Write what is done with the program to CZMQ's log, or not. Only libraries built with drafts have this.

    C: ``void zproc_set_verbose (zproc_t *self, bool verbose)``
    """
    C.zproc_set_verbose(_live(proc), bool(verbose))


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    It does nothing where it does not find CZMQ's program ``zsp``. Only libraries built with drafts have this.

    C: ``void zproc_test (bool verbose)``
    """
    from ._selftest import run

    run("zproc_test", verbose)


# ---------------------------------------------------------------- streams


def _reshape(frames: list[bytes]) -> list[list[bytes]]:
    """Return what C's thread takes of a message for the program's input: messages of an empty frame and a short one."""
    if len(frames) > 1 and not frames[0]:
        frames = frames[1:]
    pieces = (frame[start : start + _PIECE] for frame in frames for start in range(0, len(frame), _PIECE))
    return [[b"", piece] for piece in pieces]


def _pipes() -> set[tuple[int, int, int]]:
    """Return the ends of pipes that are open here: file descriptor, number of the pipe, O_RDONLY or O_WRONLY."""
    found = set()
    try:
        import fcntl

        for name in os.listdir("/dev/fd"):
            try:
                status = os.fstat(int(name))
                if stat.S_ISFIFO(status.st_mode):
                    mode = fcntl.fcntl(int(name), fcntl.F_GETFL) & _ACCESS_MODE
                    found.add((int(name), status.st_ino, mode))
            except OSError:
                # That which the list was read from.
                pass
    except (ImportError, OSError):
        pass
    return found


def _as_it_is(frames: list[bytes]) -> list[list[bytes]]:
    return [frames]


# ---------------------------------------------------------------- ending


def _drain(proc: Proc) -> None:
    """Drop what the program has written: C's thread may be waiting for room."""
    for handle in (C.zproc_stdout(proc), C.zproc_stderr(proc)):
        if handle:
            _endings.messages(C.zsock_resolve(handle))


def _end_program(proc: Proc) -> bool:
    """End the program; False if its end cannot be seen."""
    try:
        _shut_down(proc, _PATIENCE, lambda: _drain(proc))
    except ChildProcessError:
        return False
    return not C.zproc_running(proc)


def _end_actor(proc: Proc) -> bool:
    found = C.zproc_actor(proc)
    return not found or _endings.end(_endings.actor(found), _PATIENCE, meanwhile=lambda: _drain(proc))


def _state(proc: Proc) -> _State:
    """Return what goes with a proc that is alive, made now for one of the raw floor."""
    companions = _handles.companions(_live(proc))
    state: _State | None = companions.get(_State)
    if state is None:
        state = companions[_State] = _State()
    return state


def _live(proc: Proc) -> Proc:
    return _handles.live(proc, _PROC, "proc")


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zproc")
