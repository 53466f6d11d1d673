"""Actor and Pipe: a Python function on a thread of its own, and the two ends of the pipe to it."""

from __future__ import annotations

import errno
import time
from _thread import get_ident
from functools import wraps

from .. import _actors, _blocking, _handles, _multipart, zactor, zmq, zsock, zsocket
from .._numbers import integer
from . import _attempts, errors
from ._base import Object, guarded
from ._messaging import Messaging
from ._options import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any, Concatenate, overload

    from typing_extensions import ParamSpec

    from .. import _types
    from .._types import CData, Socket
    from ._attempts import Receive, Send
    from .message import Message

    P = ParamSpec("P")

    Runner = Callable[[str, Any, tuple[Any, ...], dict[str, Any]], Callable[[_types.Sock], None]]

_POLLIN = _blocking.POLLIN
_POLLOUT = _blocking.POLLOUT
_TERM = "$TERM"

#: Milliseconds between two looks whether an actor has ended, by which an actor of C's wakes nobody.
_GLANCE = 200

#: Seconds between two looks whether an actor's maker has seen that it is ready.
_MOMENT = 0.001

#: What a coroutine function, a generator and an asynchronous one have in their flags.
_SUSPENDS = 0x80 | 0x20 | 0x200

#: The modules with actors of C's.
_IN_C = ("zauth", "zbeacon", "zgossip", "zmonitor", "zproxy")


# ---------------------------------------------------------------- one try each, for objects that wait in their own way


class _End:
    """What `recv_now` returns in place of a message."""

    def __repr__(self) -> str:
        return "END"


END = _End()

#: The signal by which C ends an actor, in all forms in which it is received.
_LAST = (0, _multipart.signal_frame(0), [_multipart.signal_frame(0)])


def is_over(state: _actors.State, actor: _types.Actor, events: int) -> bool:
    """Tell whether an actor has ended, so that no call will wait for *events*, although its socket is not ready."""
    task = state.task
    if task is None or (task.finished and not events & _POLLOUT):
        return _actors.has_ended(actor)
    return task.finished


def recv_now(state: _actors.State, attempt: Receive, actor: _types.Actor, handle: Socket) -> Any:
    """Receive with *attempt* from an actor; END if that has ended and everything that it sent was received.

    In place of END, what its task has raised is raised, once. None, with libzmq's errno set, if nothing is there. Of an
    actor of C's the last signal cannot be told from others, and comes out.
    """
    task = state.task
    if is_over(state, actor, _POLLIN):
        return _end(actor)
    received = attempt(actor, handle)
    if task is not None and task.finished:
        if received is None:
            # The last signal fits no picture either.
            if zmq.errno() == errno.EBADMSG:
                if _actors.has_ended(actor):
                    return _end(actor)
                raise errors.error("recv_picture", errno.EBADMSG)
        elif received in _LAST and _actors.has_ended(actor):
            return _end(actor)
    return received


def _end(actor: _types.Actor) -> _End:
    _actors.raise_error(actor)
    return END


def send_now(state: _actors.State, attempt: Send, actor: _types.Actor, handle: Socket) -> int | None:
    """Send with *attempt* to an actor; None, with libzmq's errno set, if there is no room.

    Raises what its task has raised, once, and BrokenPipeError if it has ended.
    """
    if is_over(state, actor, _POLLOUT):
        _actors.raise_error(actor)
        raise BrokenPipeError(errno.EPIPE, end_of(state))
    return attempt(actor, handle)


def end_of(state: _actors.State) -> str:
    """Say that an actor has ended."""
    return "the actor has ended" if state.task is None else f"the actor's task {state.task.name} has ended"


# ---------------------------------------------------------------- what stands on an actor


class OverActor(Object):
    """An object over a handle of zactor's: the actor ends with it."""

    __slots__ = ("_state",)

    def __init__(self, handle: Any) -> None:
        self._state = _actors.state_of(handle)
        super().__init__(handle)

    def close(self, timeout: int = _actors.PATIENCE) -> None:
        """Tell the actor to end, and wait for that; a second call does nothing.

        What it sends meanwhile is dropped. Raises what its task has raised, if nobody was told yet; it is closed then
        all the same. TimeoutError is raised if it has not ended within *timeout* milliseconds (-1: for ever): it stays
        alive, and can be closed again.
        """
        timeout = integer(timeout, "timeout", -1)
        self._refuse_own_task()
        if not self._lock.acquire(False):
            raise self._in_use()
        try:
            handle = self._handle
            if handle is not None:
                try:
                    if _handles.fate(handle) is None:
                        zactor.destroy(handle, timeout)
                finally:
                    if _handles.fate(handle) is not None:
                        self._handle = None
        finally:
            self._lock.release()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.close()
        except Exception as failure:
            if error is None:
                raise
            # What has gone wrong in the block comes out of it; it may well be due to the other.
            _add_context(error, failure)

    def _refuse_own_task(self) -> None:
        """Raise RuntimeError on the actor's own thread."""
        task = self._state.task
        if task is not None and task.thread == get_ident():
            raise RuntimeError(f"the {self._noun} is not for its own task, which has the pipe, and ends by returning")

    @property
    def ended(self) -> bool:
        """Whether the actor has ended, as far as is known; what it has sent can still be received."""
        return self.closed or (self._state.task is not None and self._state.task.finished)


def _add_context(error: BaseException, failure: BaseException) -> None:
    """Have the traceback of *error* begin with that of *failure*."""
    # Python has noted that it was raised while the other was on its way.
    failure.__context__ = None
    seen = {id(failure)}
    last: BaseException | None = error
    while last is not None and id(last) not in seen:
        seen.add(id(last))
        first, last = last, last.__cause__ if last.__suppress_context__ else last.__context__
    if last is None:
        first.__context__ = failure
        first.__suppress_context__ = False


# ---------------------------------------------------------------- the actor


class BaseActor(OverActor, Options):
    """An actor, whether its messages are waited for in blocking calls or awaited."""

    __slots__ = ("_name", "_over")
    _noun = "actor"

    def __init__(self, handle: Any, name: str) -> None:
        """Take over an actor that `start` has started."""
        self._name = name
        #: Whether everything that it has sent was received.
        self._over = False
        super().__init__(handle)

    @property
    def name(self) -> str:
        """The name of the task."""
        return self._name

    @property
    def ended(self) -> bool:
        """Whether the task has ended; what it has sent can still be received. Of C's it is known once that was."""
        return self._over or super().ended

    def _has_some(self) -> bool:
        """Tell whether a poller need not wait, since the actor has ended."""
        return is_over(self._state, self._handle, _POLLIN)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "ended" if self.ended else "running"
        return f"<{type(self).__name__} {self.name} {state}>"

    def _get_option(self, name: str) -> Any:
        self._refuse_own_task()
        return super()._get_option(name)

    def _set_option(self, name: str, value: Any) -> None:
        self._refuse_own_task()
        super()._set_option(name, value)


def start(task: Any, args: tuple[Any, ...], kwargs: dict[str, Any], runner: Runner | None = None) -> tuple[Any, str]:
    """Start an actor, wait until it is ready, and return its handle and its name; raise what its task raises before.

    *runner* makes of a task, its name and its arguments what runs it; by default that is called with a `Pipe`.
    """
    if isinstance(task, _handles._CDATA):
        if kwargs:
            raise TypeError("an actor of C's takes no arguments by name")
        handle = zactor.new(task, *[getattr(argument, "handle", argument) for argument in args])
        return handle, _name_in_c(task)
    name = check_task(task) if runner is None else _name(task)
    return zactor.new((runner or run_task)(name, task, args, kwargs)), name


class Actor(BaseActor, Messaging):
    """A thread of its own that runs a function, its task, with a pipe in between that both sides use like a socket.

    >>> from pyczmq import Actor
    >>> def echo(pipe, greeting):
    ...     for message in pipe:
    ...         pipe.send_parts([greeting, *message])
    >>> with Actor(echo, "Hello") as actor:
    ...     actor.send_parts(["big", "world"])
    ...     actor.recv_parts()
    0
    [b'Hello', b'big', b'world']

    The task is called as ``task(pipe, *args, **kwargs)``, with a `Pipe`. ``Actor(...)`` returns once the task is ready:
    when it first uses its pipe, be it for ``pipe.signal()``, or has ended. The task is to end when it is told to: when
    the loop over its pipe ends, or the message ``$TERM`` comes in.

    When a task ends by itself, everything that it has sent can still be received. After that receiving raises EOFError,
    and a loop over the actor ends; sending raises BrokenPipeError. What the task has raised is raised instead, once, by
    ``Actor(...)``, by a call that receives or sends, or by `close`; where nobody calls any of them,
    `threading.excepthook` reports it. SystemExit ends the task quietly.

    ``Actor(zbeacon.actor)`` runs one of C's actors, which takes at most one argument. The last that is received from
    such a one is the signal by which it ends. CZMQ ends the process over a command that its actor does not know.

    An actor belongs to one thread at a time. Python runs signal handlers on the main thread: no Ctrl-C reaches a task.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __init__(
            self, task: Callable[Concatenate[Pipe, P], object], /, *args: P.args, **kwargs: P.kwargs
        ) -> None: ...
        @overload
        def __init__(self, task: CData, argument: Any = None, /) -> None: ...

    def __init__(self, task: Any, /, *args: Any, **kwargs: Any) -> None:
        super().__init__(*start(task, args, kwargs))

    def _receive(self, attempt: Receive, timeout: int | None, what: str) -> Any:
        received = self._try(recv_now, attempt, _POLLIN, timeout)
        if received is END:
            raise EOFError(end_of(self._state))
        if received is None:
            raise self._failed(what)
        return received

    def _send(self, attempt: Send, timeout: int | None, what: str) -> int:
        if self._try(send_now, attempt, _POLLOUT, timeout) is None:
            raise self._failed(what)
        return 0

    def _try(self, function: Callable[..., Any], attempt: Any, events: int, timeout: int | None) -> Any:
        """Return what *attempt* receives or sends by *function*, once it can; None, with errno set, if it cannot."""
        if timeout is not None:
            timeout = integer(timeout, "timeout", -1)
        self._refuse_own_task()
        if not self._lock.acquire(False):
            raise self._in_use()
        try:
            actor = self._handle
            if actor is None:
                raise self._closed_error()
            handle = _handles.socket(actor, self._noun)
            used = self._state
            outer, me = used.busy, get_ident()
            if outer and outer != me:
                raise self._in_use()
            # No signal's handler may destroy it meanwhile.
            used.busy = me
            try:
                deadline = None
                while True:
                    done = function(used, attempt, actor, handle)
                    if done is not None:
                        self._over |= done is END
                        return done
                    if zmq.errno() == errno.EINTR:
                        continue
                    if zmq.errno() != errno.EAGAIN:
                        return None
                    if deadline is None:
                        if timeout is None:
                            timeout = (zsocket.rcvtimeo if events == _POLLIN else zsocket.sndtimeo)(handle)
                        deadline = _blocking.deadline_after(timeout)
                    left = (deadline - time.monotonic()) * 1000
                    if left <= 0:
                        return None
                    _blocking.wait(handle, events, min(left, _GLANCE))
            finally:
                used.busy = outer
        finally:
            self._lock.release()

    def _poll(self, timeout: int, events: int) -> bool:
        self._refuse_own_task()
        return self._wait_for(timeout, events)

    @guarded
    def _wait_for(self, timeout: int, events: int) -> bool:
        """Wait as `poll` does; an actor that has ended is ready, since no call will wait for it."""
        with _actors.using(self._handle) as used:
            handle = _handles.socket(self._handle, self._noun)
            deadline = _blocking.deadline_after(timeout)
            pause = 0.0
            while not _blocking.wait(handle, events, pause):
                if is_over(used, self._handle, events):
                    return True
                pause = min((deadline - time.monotonic()) * 1000, _GLANCE)
                if pause <= 0:
                    return False
            return True

    def __iter__(self) -> Iterator[Message]:
        """Yield the messages that come from the task until that has ended; raise what it has raised."""
        while not self.closed:
            message = self._try(recv_now, _attempts.recv_message, _POLLIN, None)
            if message is END:
                return
            if message is None:
                error = self._failed("iterate")
                if isinstance(error, errors.ContextTerminated):
                    return
                raise error
            yield message


def actor(task: Callable[Concatenate[Pipe, P], object]) -> Callable[P, Actor]:
    """Make a function start an actor that runs it.

    >>> from pyczmq import actor
    >>> @actor
    ... def squares(pipe, count):
    ...     for number in range(count):
    ...         pipe.send_json(number**2)
    >>> with squares(3) as numbers:
    ...     [str(message[0]) for message in numbers]
    ['0', '1', '4']
    """
    check_task(task)

    @wraps(task)
    def make(*args: P.args, **kwargs: P.kwargs) -> Actor:
        return Actor(task, *args, **kwargs)

    return make


def _name(task: Any) -> str:
    """Return the name of a task, a function of some kind."""
    if not callable(task) or isinstance(task, _handles._CDATA):
        raise TypeError(f"task must be a function, not {type(task).__name__}")
    return str(getattr(task, "__name__", None) or type(task).__name__)


def check_task(task: Any) -> str:
    """Return the name of a task that blocking calls are for."""
    name = _name(task)
    if getattr(getattr(task, "__code__", None), "co_flags", 0) & _SUSPENDS:
        raise TypeError(f"task must be a plain function, but {name} is a coroutine function or a generator")
    return name


def run_task(name: str, task: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[_types.Sock], None]:
    """Return what runs a task, for zactor."""

    def run(handle: _types.Sock) -> None:
        pipe = Pipe(handle, name)
        try:
            task(pipe, *args, **kwargs)
        finally:
            pipe._end()

    run.__qualname__ = name
    return run


def _name_in_c(function: Any) -> str:
    """Return the name of one of C's actors."""
    from importlib import import_module

    for name in _IN_C:
        if getattr(import_module(f"pyczmq.{name}"), "actor", None) == function:
            return name
    return "of C's"


# ---------------------------------------------------------------- the task's end of the pipe


def is_told_to_end(message: Message) -> bool:
    """Tell whether a message is the one by which an actor is told to end."""
    return message == [_TERM]


class BasePipe(Options):
    """A task's end of the pipe, whether its messages are waited for in blocking calls or awaited."""

    __slots__ = ("_ended", "_name", "_used")
    _noun = "pipe"

    def __init__(self, handle: _types.Sock, name: str) -> None:
        super().__init__(handle)
        self._name = name
        self._used = self._ended = False
        # Held until the task ends: no other thread has any business here.
        self._lock.acquire()

    @property
    def name(self) -> str:
        """The name of the task."""
        return self._name

    def _end(self) -> None:
        """Refuse the pipe from now on: its task has ended."""
        self._ended = True
        self._handle = None
        self._lock.release()

    def _destroy(self, handle: Any) -> None:
        """Leave the pipe to C, which closes it when the task ends."""

    def _closed_error(self) -> Exception:
        return ValueError(f"the pipe is closed{': its task has ended' if self._ended else ''}")

    def _in_use(self) -> RuntimeError:
        return RuntimeError("the pipe belongs to the thread of its actor")

    @guarded
    def _make_ready(self, signals: bool = True) -> None:
        """Let the actor's maker go on, who drops what comes before; without *signals*, a signal is about to be sent."""
        pointers = self._handle, zsock.resolve(self._handle)
        unready = _blocking.unready
        if all(pointer in unready for pointer in pointers):
            if signals:
                zsock.signal(self._handle, 0)
                self._used = True
        else:
            # A poller of the task's has let it go on already, and a signal may come too late for that.
            while any(pointer in unready for pointer in pointers):
                time.sleep(_MOMENT)
            self._used = True

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._name}{' closed' if self.closed else ''}>"


class Pipe(BasePipe, Messaging):
    """The end of an actor's pipe that its task has: what it sends comes out of the actor, and the other way round.

    A loop over it yields messages, as `Message` objects, and ends when the actor is told to end: it is all that most
    tasks need. Receiving in other ways, the task is told by ``$TERM``, a message of one frame, and returns then.

    The pipe belongs to the actor's thread, and is closed when the task ends. A task may `close` it before, if it has
    nothing more to say or to hear: the actor learns of that when the task has ended.
    """

    __slots__ = ()

    def _receive(self, attempt: Receive, timeout: int | None, what: str) -> Any:
        if not self._used:
            self._make_ready()
        return super()._receive(attempt, timeout, what)

    def _send(self, attempt: Send, timeout: int | None, what: str) -> int:
        if not self._used:
            self._make_ready(signals=what != "signal")
        super()._send(attempt, timeout, what)
        self._used = True
        return 0

    def _poll(self, timeout: int, events: int) -> bool:
        if not self._used:
            self._make_ready()
        return super()._poll(timeout, events)

    def __iter__(self) -> Iterator[Message]:
        """Yield the messages that come in until the actor is told to end, or the context has ended."""
        for message in super().__iter__():
            if is_told_to_end(message):
                return
            yield message
