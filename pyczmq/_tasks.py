"""Tasks: actors that run a Python function, from the start of their thread to its end."""

from __future__ import annotations

import os
import sys
import time
from _thread import allocate_lock, get_ident

from . import _actor_threads, _actors, _blocking, _handles, _room, _threads
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._types import Actor, CData, Sock

_ACTOR = ffi.typeof("zactor_t *")
_FUNCTION_TYPE = ffi.typeof("zactor_fn *")

#: Milliseconds between two looks whether a task has ended without a signal, at most: the first come sooner.
_SLICE = 10


class Task:
    """A Python function on an actor's thread."""

    __slots__ = ("arguments", "error", "finished", "function", "name", "pid", "pipe", "settled", "thread", "waits")

    def __init__(self, function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        self.name = str(getattr(function, "__qualname__", None) or repr(function))
        self.function: Any = function
        self.arguments = arguments
        self.pid = os.getpid()
        #: The thread that it runs on, 0 before and after.
        self.thread = 0
        #: Its end of the pipe, as C's functions and libzmq's know it.
        self.pipe: tuple[CData, ...] = ()
        #: Whether the function has come to its end, and what it has raised, until somebody is told.
        self.finished = False
        self.error: BaseException | None = None
        #: Whether it has come to wait for input on its pipe before it has given the ready signal.
        self.waits = False
        #: Held until the actor's maker knows whether the task has given the ready signal.
        self.settled = allocate_lock()
        self.settled.acquire()

    def run(self, pipe: Sock) -> None:
        """Run the function, on the actor's thread."""
        self.thread = get_ident()
        _threads.tasks.add(self.thread)
        self.pipe = ffi.cast("void *", pipe), C.zsock_resolve(pipe)
        _blocking.unready.update(dict.fromkeys(self.pipe, self.note_waits))
        # C's handshake is over with this: the maker waits for the task's own signal, open to signals.
        C.zsock_signal(pipe, 0)
        function, arguments = self.function, self.arguments
        self.function, self.arguments = None, ()
        try:
            function(pipe, *arguments)
        except SystemExit:
            pass
        except BaseException as error:
            # The caller's frame is this one, which is going on.
            self.error = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
        # What the function has left must not keep its own actor alive.
        del function, arguments
        if self.error is not None:
            _clear_frames(self.error)
        if os.getpid() != self.pid:
            self.leave_fork()
        _handles.kill(pipe, "was closed: its actor has ended")
        _threads.tasks.discard(self.thread)
        self.finished = True
        self.settled.acquire()
        self.thread = 0

    def note_waits(self) -> None:
        """Note that the task waits for input on its pipe: whoever waits for its signal would wait for ever."""
        self.waits = True

    def forget_waits(self) -> None:
        """Note that nobody waits for the ready signal any more."""
        for pointer in self.pipe:
            _blocking.unready.pop(pointer, None)

    def leave_fork(self) -> None:
        """End a forked child whose last thread this is: the pipe is the parent's."""
        if self.error is not None:
            sys.excepthook(type(self.error), self.error, self.error.__traceback__)
        for stream in sys.stdout, sys.stderr:
            try:
                stream.flush()
            except Exception:
                pass
        os._exit(1 if self.error is not None else 0)

    def raise_error(self) -> None:
        """Raise what the task has raised, if nobody was told yet."""
        # Kept any longer it would keep the frames that it goes through, and so the actor.
        error, self.error = self.error, None
        try:
            if error is not None:
                raise error
        finally:
            del error

    def report_error(self) -> None:
        """Report what the task has raised, if nobody was told: as Python reports what a thread has raised."""
        error, self.error = self.error, None
        if error is None:
            return
        import threading

        thread = threading.Thread(name=f"of the actor {self.name}")
        threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, thread)))


def _clear_frames(error: BaseException) -> None:
    import traceback

    traceback.clear_frames(error.__traceback__)


#: Tasks whose thread is about to start: number -> task.
_starting: dict[int, Task] = {}

_run_task: CData | None = None


def _on_thread(pipe: Sock, number: CData) -> None:
    """Run the task with this number, for C."""
    _threads.run_for_c(_starting.pop(int(ffi.cast("uintptr_t", number))).run, pipe)


def new(function: Callable[..., object], arguments: tuple[Any, ...]) -> Actor:
    """Start an actor that runs a Python function, and wait until that has given its ready signal.

    Raises what the function raises before it does.
    """
    global _run_task
    if _run_task is None:
        _run_task = ffi.callback(_FUNCTION_TYPE, _on_thread)
    _room.make(2)
    _actor_threads.check_thread()
    task = Task(function, arguments)
    state = _actors.State(task=task)
    number = id(task)
    _starting[number] = task
    actor: Actor | None = None
    try:
        actor = _actor_threads.start_owned(_run_task, ffi.cast("void *", number), state)
        _await_ready(actor, task)
    except BaseException:
        if actor is not None:
            _handles.disown(actor, "was not made")
            _actor_threads.leave(ffi.cast(_ACTOR, actor), state)
        raise
    finally:
        try:
            _starting.pop(number, None)
            task.forget_waits()
        finally:
            # Or its thread would never end.
            task.settled.release()
    return actor


def _await_ready(actor: Actor, task: Task) -> None:
    """Wait for the ready signal, or for the end of the task or its waiting for input; raise what it raises before."""
    handle = C.zsock_resolve(actor)
    item = _blocking.pollitem(handle, _blocking.POLLIN)
    message = _actors.new_message()
    reported = time.monotonic() + _actors.PATIENCE / 1000
    pause = 1
    while True:
        # A signal that was given before either is in the pipe by now.
        finished, waits = task.finished, task.waits
        rc = _blocking.poll(item, 1, 0 if finished or waits else pause)
        pause = min(2 * pause, _SLICE)
        if rc > 0 and _actors.receive(handle, message):
            return
        if rc < 0:
            raise RuntimeError("CZMQ's context has ended")
        if rc == 0 and finished:
            task.raise_error()
            return
        if rc == 0 and waits:
            return
        if time.monotonic() > reported:
            reported = float("inf")
            silence = f"has given no signal on its pipe for {_actors.PATIENCE} ms"
            _actor_threads.report(f"the task {task.name} {silence}; waiting for it goes on")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_starting.clear)
