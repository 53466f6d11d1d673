"""Actors: what goes with one, whether it is alive, and commands for it; `_actor_threads` starts and ends them."""

from __future__ import annotations

import contextlib
import sys
import time
from _thread import get_ident

from . import _blocking, _handles, _room, _threads
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable, Iterator
    from typing import Any

    from ._actor_threads import Dependent
    from ._tasks import Task
    from ._types import Actor, CData, Socket

    #: A frame, and what receiving it has returned, once it has.
    _Received = tuple[CData, list[int]]

_DONTWAIT = 1
_EVENTS = 15
_PAIR = 0
_LINGER = 17
_LAST_ENDPOINT = 32
_LONGEST_ENDPOINT = 256
_ACTOR = ffi.typeof("zactor_t *")
_SIGNAL = b"\x11\x22\x33\x44\x55\x66\x77"
_SIGNAL_SIZE = 8

#: Milliseconds that an actor has to end once it was told to, before that is reported.
PATIENCE = 5000

#: Milliseconds that an actor has to take a message off its pipe, before somebody looks whether it is still there.
GLANCE = 200

#: Messages that are dropped in one go.
_MANY = 1000

#: Seconds between two looks at a pipe that is about to be closed.
MOMENT = 0.0001


class State:
    """What goes with one actor: what it runs, and how far it has come."""

    __slots__ = (
        *("begun", "busy", "dependents", "destructor", "function", "handle", "keep", "ledger", "maker", "notes"),
        *("task", "told"),
    )

    def __init__(self, function: Any = None, task: Task | None = None, keep: Any = None) -> None:
        #: The C function that the actor runs; None where it is not known.
        self.function = function
        #: The Python function that it runs; None for those of C.
        self.task = task
        #: What C reads for as long as the actor runs.
        self.keep = keep
        #: What stands for it among the children of what it works with.
        self.dependents: list[Dependent] = []
        #: What tells the actor to end, in place of $TERM.
        self.destructor: Callable[[Actor], object] | None = None
        #: Whether it was told to end.
        self.told = False
        #: The thread that is in a call with the actor, or 0.
        self.busy = 0
        #: Commands that were sent, 0 for each that worked, and what was received since.
        self.ledger: tuple[list[int], list[_Received]] = ([], [])
        #: Whatever the actor's namespace wants to remember.
        self.notes: dict[Any, Any] = {}
        #: The actor's handle, referred to weakly; None for what is no zactor.
        self.handle: weakref.ref[Any] | None = None
        #: The frames of a command that more were to follow: see `_commands`.
        self.begun: list[bytes] = []
        #: The thread that has made the actor.
        self.maker = get_ident()

    def in_use(self) -> bool:
        """Tell whether a thread is in a call with the actor.

        What says so may have been left behind, where a signal's handler has raised at the beginning or end of a call.
        """
        if _threads.is_held(self.busy):
            return False
        frame = sys._current_frames().get(self.busy) if self.busy else None
        while frame is not None:
            if frame.f_locals.get("used") is self:
                return True
            frame = frame.f_back
        return False

    def overdue(self, milliseconds: int | None = None) -> str:
        """Say that the actor does not end."""
        if milliseconds is None:
            milliseconds = PATIENCE
        name = "an actor of C's" if self.task is None else f"the actor of the task {self.task.name}"
        return f"{name} has not ended {milliseconds} ms after it was told to"


# ---------------------------------------------------------------- looking at actors


def find_state(actor: CData) -> State | None:
    """Return what goes with an actor, None where nothing is known of it; *actor* may be any handle."""
    found: State | None = (_handles.find_companions(actor) or {}).get(State)
    return found


def state_of(actor: Actor) -> State:
    """Return what goes with an actor, made now for one of the raw floor."""
    companions = _handles.companions(actor)
    found: State | None = companions.get(State)
    if found is None:
        found = companions[State] = State()
    return found


def live(actor: Actor, name: str = "actor") -> State:
    """Return what goes with an actor that is alive, and that no other thread is in a call with."""
    _handles.live(actor, _ACTOR, name)
    state = state_of(actor)
    if state.busy and state.busy != get_ident() and state.in_use():
        raise ValueError(f"{name} is in use in another thread")
    return state


@contextlib.contextmanager
def using(actor: Actor) -> Iterator[State]:
    """Keep an actor that is alive from being destroyed meanwhile, by another thread or a signal's handler.

    ``with using(actor) as used``, by this very name: see `State.in_use`.
    """
    state = live(actor)
    outer, state.busy = state.busy, get_ident()
    try:
        yield state
    finally:
        state.busy = outer


def running(actor: Actor, function: Any, name: str = "actor") -> Actor:
    """Return *actor* if it is alive and runs *function*, as far as is known: any other would not know its commands.

    Actors of the raw floor are let through.
    """
    state = live(actor, name)
    if state.task is not None or (state.function is not None and state.function != function):
        raise TypeError(f"{name} is another kind of actor")
    return actor


def raise_error(actor: CData) -> None:
    """Raise what an actor's task has raised, if nobody was told yet; *actor* may be any handle that is alive."""
    state = find_state(actor)
    if state is not None and state.task is not None:
        state.task.raise_error()


def has_failed(actor: Actor) -> bool:
    """Tell whether an actor's task has raised, which nobody was told yet, and everything that it sent was received."""
    task = state_of(actor).task
    if task is None or task.error is None:
        return False
    return not ready_for(C.zsock_resolve(actor)) & _blocking.POLLIN


def has_ended(actor: Actor) -> bool:
    """Tell whether an actor's thread has ended, and everything that it sent was received."""
    handle = C.zsock_resolve(actor)
    task = state_of(actor).task
    while True:
        finished = bool(task is not None and task.finished)
        events = ready_for(handle)
        if not events & (_blocking.POLLIN | _blocking.POLLOUT):
            return is_gone(actor, handle)
        if events & _blocking.POLLIN or not finished:
            return False
        # Its last signal is on its way, or was received, and the pipe is about to be closed.
        time.sleep(MOMENT)


def ready_for(handle: Socket) -> int:
    """Return what a socket is ready for; nothing, once its context has ended."""
    events = ffi.new("int *")
    return int(events[0]) if C.zmq_getsockopt(handle, _EVENTS, events, ffi.new("size_t *", 4)) == 0 else 0


def is_gone(actor: Actor, handle: Socket) -> bool:
    """Tell whether the other end of an actor's pipe, all of whose messages were received, is closed.

    A full pipe looks the same. But a PAIR socket takes a new peer only when it has none.
    """
    state = find_state(actor)
    if state is not None and state.task is not None:
        return bool(state.task.finished)
    probes = _room.Probes()
    try:
        (probe,) = probes.open(_PAIR, 1)
        if not probe:
            return bool(ffi.errno == _blocking.ETERM)
        C.zmq_setsockopt(probe, _LINGER, ffi.new("int *", 0), 4)
        endpoint = ffi.new("char[]", _LONGEST_ENDPOINT)
        C.zmq_getsockopt(handle, _LAST_ENDPOINT, endpoint, ffi.new("size_t *", _LONGEST_ENDPOINT))
        C.zmq_connect(probe, endpoint)
        ready_for(handle)
        gone = bool(ready_for(probe) & _blocking.POLLOUT)
    finally:
        probes.close()
    while gone and ready_for(handle) & _blocking.POLLOUT:
        time.sleep(MOMENT)
    return gone


# ---------------------------------------------------------------- commands


def command(actor: Actor, *frames: bytes) -> None:
    """Send a command to an actor, open to signals; RuntimeError if it has ended."""
    message = C.zmsg_new()
    for frame in frames:
        C.zmsg_addmem(message, frame, len(frame))
    reference = ffi.new("zmsg_t **", message)
    try:
        with using(actor) as used:
            handle = C.zsock_resolve(actor)
            deadline = _blocking.deadline_after(PATIENCE)
            # C sends whole messages or nothing, and says by the reference whether it has.
            while reference[0]:
                if _blocking.wait(handle, _blocking.POLLOUT, GLANCE):
                    used.ledger[0].extend(calling(C.zmsg_send, reference, actor))
                elif has_ended(actor):
                    raise RuntimeError("the actor has ended")
                elif time.monotonic() >= deadline:
                    raise TimeoutError("the actor takes no command: it has ended, or waits to be received from")
    finally:
        C.zmsg_destroy(reference)


def ask(actor: Actor, *frames: bytes) -> int:
    """Send a command that an actor answers with a signal, and return its status; RuntimeError if the actor has ended.

    An answer that nobody has waited for, since a signal's handler has raised, is taken by the next call; anything else
    that the actor sends is dropped.
    """
    with using(actor) as used:
        sent, received = used.ledger
        if sent.count(0) == len(_statuses(received)):
            used.ledger = sent, received = [], []
        command(actor, *frames)
        handle = C.zsock_resolve(actor)
        while True:
            statuses = _statuses(received)
            if len(statuses) >= sent.count(0):
                return statuses[-1]
            if _blocking.wait(handle, _blocking.POLLIN, GLANCE):
                _receive_noted(handle, received)
            elif has_ended(actor):
                raise RuntimeError("the actor has ended")


def _receive_noted(handle: Socket, received: list[_Received]) -> None:
    """Receive what is there, up to an answer, and note it.

    Each message is in the list before it is received: whatever a signal's handler raises, none is forgotten, which
    would be waited for in vain.
    """
    for _ in range(_MANY):
        message, result = frame = new_message(), list[int]()
        received.append(frame)
        result.extend(calling(C.zmq_msg_recv, message, handle, _DONTWAIT))
        if result[0] < 0 or frame in _signals(received):
            break
    if not C.zmq_msg_more(received[-1][0]):
        # All in one step, too.
        received[:] = _signals(received)


def _signals(received: list[_Received]) -> list[_Received]:
    """Return those of the frames that were received that are signals: messages of one frame."""
    found = []
    inside = False
    for frame in received:
        message, result = frame
        if result and result[0] >= 0:
            more = bool(C.zmq_msg_more(message))
            if not more and not inside and _content(message)[1:] == _SIGNAL:
                found.append(frame)
            inside = more
    return found


def _statuses(received: list[_Received]) -> list[int]:
    """Return the statuses of the signals among what was received."""
    return [_content(message)[0] for message, _ in _signals(received)]


def _content(message: CData) -> bytes:
    content: bytes = ffi.buffer(C.zmq_msg_data(message), C.zmq_msg_size(message))[:]
    return content


def calling(function: Any, *args: Any) -> Iterator[Any]:
    """Return what calls a function once: a list that is extended by it has the result before Python does more."""
    return map(function, *zip(args))


def new_message() -> CData:
    """Return a message to receive into."""
    message: CData = ffi.new("zmq_msg_t *")
    C.zmq_msg_init(message)
    return message


def receive(handle: Socket, message: CData) -> bool:
    """Receive and drop messages that are there until there was a signal; tell whether there was one."""
    inside = False
    # An actor may send faster than anybody can receive.
    for _ in range(_MANY):
        if C.zmq_msg_recv(message, handle, _DONTWAIT) < 0:
            return False
        more = C.zmq_msg_more(message)
        if not more and not inside and C.zmq_msg_size(message) == _SIGNAL_SIZE:
            content = ffi.buffer(C.zmq_msg_data(message), _SIGNAL_SIZE)[:]
            if content[1:] == _SIGNAL:
                return True
        inside = bool(more)
    return False
