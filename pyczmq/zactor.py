"""zactor: actors: threads with a pipe to whoever made them, which both sides use like any socket.

An actor runs a task: a Python function, or one of CZMQ's own actors (`zproxy.actor`, `zbeacon.actor`, `zauth.actor` …),
which run with no Python in the loop. The functions of zstr, zframe, zmsg and zpoller take an actor as they take a
socket: what is sent to it arrives at the task's end of the pipe.

    >>> from pyczmq import zactor, zsocket, zstr
    >>> def echo(pipe, greeting):
    ...     zsocket.signal(pipe, 0)
    ...     while True:
    ...         words = zstr.recvx(pipe)
    ...         if not words or words[0] == "$TERM":
    ...             break
    ...         zstr.sendx(pipe, greeting, *words)
    >>> actor = zactor.new(echo, "Hello")
    >>> zstr.sendx(actor, "big", "world")
    0
    >>> zstr.recvx(actor)
    ['Hello', 'big', 'world']
    >>> zactor.destroy(actor)

What a task must do is what CZMQ asks of it:

- It gives a signal on its pipe once it is ready: `new` waits for that, open to Ctrl-C. What it raises before comes out
  of `new`. One that returns before does not hold `new` up, nor one that waits for input on its pipe, which in C would
  wait for ever; one that does neither for 5 seconds is reported with a RuntimeWarning.
- It listens to its pipe, and returns when it is told ``$TERM``, or when it receives None: `destroy` waits for that.
- It leaves the actor's handle to the other side, and everything else that it uses to itself: sockets belong to one
  thread at a time.

An exception that leaves the task ends the actor. It comes out of `destroy` or `recv`, once; where nobody calls them,
`threading.excepthook` reports it. SystemExit ends the task quietly, as it does a thread. When the task ends its pipe is
closed, and the last that comes from the actor is a signal.

Python runs signal handlers on the main thread, so no Ctrl-C reaches a task: the main thread gets it, and ends actors.
At exit all actors are told to end; one that has not after 5 seconds is reported, and left behind.
"""

from __future__ import annotations

import errno
import time
import weakref

from . import _actor_threads, _actors, _blocking, _commands, _handles, _tasks, _text, zmsg
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Union

    from ._types import Actor, CData, Msg, Sock, Socket

    #: A Python function, called as task(pipe, *args), or one of C's actors.
    Task = Union[Callable[..., object], CData]

_ACTOR = ffi.typeof("zactor_t *")
_FUNCTION = ffi.typeof("zactor_fn *")
_DESTRUCTOR = ffi.typeof("zactor_destructor_fn *")
_SNDTIMEO = 28
_SLICE = 100


def new(task: Task, *args: Any) -> Actor:
    """Start an actor and return it once its task is ready.

    A Python task is called as ``task(pipe, *args)`` on the actor's thread. One of C's takes at most one argument: text,
    None, or a pointer, which the actor keeps alive; the actor is ended when it is destroyed. Raises what a Python task
    raises before its ready signal, OSError where libzmq has no room for more sockets, and RuntimeError where no thread
    can be started. The garbage collector owns the actor: it tells a Python task to end, and does not wait for that.

    C: ``zactor_t *zactor_new (zactor_fn task, void *args)``
    """
    if not isinstance(task, ffi.CData):
        if not callable(task):
            raise TypeError(f"task must be callable, not {type(task).__name__}")
        return _tasks.new(task, args)
    _handles.live(task, _FUNCTION, "task")
    if len(args) > 1:
        raise TypeError(f"an actor of C's takes one argument, not {len(args)}")
    argument = args[0] if args else None
    if task == C.zauth:
        from . import _authentication

        return _authentication.new(argument)
    if task == C.zmonitor:
        from . import _monitors

        return _monitors.new_actor(argument)  # type: ignore[arg-type]
    _check_argument(task, argument)
    if argument is None:
        return _actor_threads.new(task)
    if isinstance(argument, ffi.CData):
        if _handles.fate(argument) is not None:
            raise ValueError(f"the argument of the task {_handles.fate(argument)}")
        return _actor_threads.new(task, argument, argument)
    return _actor_threads.new(task, ffi.new("char[]", _text.cstring(argument, "the argument of the task")))


def _check_argument(task: CData, argument: Any) -> None:
    """Raise TypeError or ValueError for an argument that one of C's own actors cannot stand."""
    if task == C.zgossip:
        if argument is not None:
            _text.cstring(argument, "the argument of the task")
    elif argument is not None and task in (C.zproxy, C.zbeacon, C.zdir_watch):
        raise TypeError("this actor takes no argument")


def destroy(actor: Actor | None, timeout: int = _actors.PATIENCE) -> None:
    """Tell the actor to end, wait for that, and free it; None is let through.

    What it sends meanwhile is dropped. Raises what its task has raised, if nobody was told yet; the actor is destroyed
    then all the same. Where C waits for ever, TimeoutError is raised for an actor that has not ended within *timeout*
    milliseconds: it stays alive, and can be destroyed again. -1 does wait for ever, with a RuntimeWarning after 5
    seconds. A task cannot destroy its own actor (ValueError).

    C: ``void zactor_destroy (zactor_t **self_p)``
    """
    milliseconds = integer(timeout, "timeout", -1)
    if actor is not None:
        _actor_threads.destroy(actor, milliseconds)


def send(actor: Actor, msg: Msg) -> int:
    """Send a message to the actor; return 0, or -1 if it could not be sent, and is still there.

    Waits for as long as the actor's SNDTIMEO says. An actor that has ended takes no more: -1, or what its task has
    raised.

    C: ``int zactor_send (zactor_t *self, zmsg_t **msg_p)``
    """
    with _actors.using(actor) as used:  # noqa: F841
        handle = C.zsock_resolve(actor)
        if not _blocking.wait(handle, _blocking.POLLOUT, 0):
            deadline = _blocking.deadline_after(_option(handle, _SNDTIMEO))
            while True:
                left = (deadline - time.monotonic()) * 1000
                if _blocking.wait(handle, _blocking.POLLOUT, max(0.0, min(_SLICE, left))):
                    break
                if _actors.has_ended(actor):
                    _actors.raise_error(actor)
                    return -1
                if left <= 0:
                    # Not left to C, which would wait as long again.
                    ffi.errno = errno.EAGAIN
                    return -1
        return zmsg.send(msg, actor)


def recv(actor: Actor) -> Msg | None:
    """Receive a message from the actor; None if its RCVTIMEO has passed, or CZMQ's context has ended.

    The last message is the signal by which the actor ends (`zmsg.signal` tells), or, where the task has raised, its
    exception is raised in place of that. After that there is None.

    C: ``zmsg_t *zactor_recv (zactor_t *self)``
    """
    with _actors.using(actor) as used:  # noqa: F841
        if _actors.has_ended(actor):
            _actors.raise_error(actor)
            return None
        message = zmsg.recv(actor)
        if message is not None and zmsg.signal(message) >= 0 and _actors.has_failed(actor):
            zmsg.destroy(message)
            _actors.raise_error(actor)
        return message


def is_(self: object) -> bool:
    """Tell whether *self* is an actor that is alive. A ``void *`` must point at something: C has a look at it.

    C: ``bool zactor_is (void *self)``
    """
    return _handles.looks_like(self, _ACTOR, C.zactor_is)


def resolve(self: Actor | Socket) -> Socket:
    """Return the libzmq socket behind an actor, which is refused once the actor is destroyed; a socket is its own.

    C: ``void *zactor_resolve (void *self)``
    """
    if not isinstance(self, ffi.CData) or ffi.typeof(self) is not _ACTOR:
        return _handles.socket(self, "self")
    handle: Socket = _lend(self, resolve, C.zactor_resolve)
    return handle


def sock(actor: Actor) -> Sock:
    """Return the actor's end of the pipe as a zsock, which is refused once the actor is destroyed.

    It belongs to the actor: it is for functions that take nothing but a zsock.

    C: ``zsock_t *zactor_sock (zactor_t *self)``
    """
    handle: Sock = _lend(actor, sock, C.zactor_sock)
    return handle


def _lend(actor: Actor, key: Any, function: Callable[[CData], Any]) -> Any:
    """Return one handle for a part of the actor, which keeps the actor alive."""
    _actors.live(actor)
    lent = _handles.companions(actor)
    reference = lent.get(key)
    handle = None if reference is None else reference()
    if handle is None or _handles.fate(handle) is not None:
        handle = _handles.own(function(actor), _leave, actor)
        if handle is not None:
            _commands.guard_part(handle, actor)
        lent[key] = weakref.ref(handle)
    return handle


def _leave(pointer: CData) -> None:
    """Do nothing: the actor closes its pipe."""


def _option(handle: Socket, option: int) -> int:
    value = ffi.new("int *")
    C.zmq_getsockopt(handle, option, value, ffi.new("size_t *", 4))
    return int(value[0])


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zactor_test (bool verbose)``
    """
    from ._selftest import run

    run("zactor_test", verbose)


def set_destructor(actor: Actor, destructor: Callable[[Actor], object] | CData | None) -> None:
    """Have *destructor* tell the actor to end, in place of ``$TERM``; None goes back to that.

    It is called with the actor, once, by whoever destroys that, and need not wait. What it raises comes out of
    `destroy`, and the actor stays alive. It must not refer to the actor itself, or the garbage collector never finds
    that. Works with every libczmq, although C has it among the drafts.

    C: ``void zactor_set_destructor (zactor_t *self, zactor_destructor_fn destructor)``
    """
    state = _actors.live(actor)
    if isinstance(destructor, ffi.CData):
        _handles.live(destructor, _DESTRUCTOR, "destructor")
    elif destructor is not None and not callable(destructor):
        raise TypeError(f"destructor must be callable, not {type(destructor).__name__}")
    state.destructor = destructor


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zactor")
