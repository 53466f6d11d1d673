"""Actors: starting them, on threads that no signal reaches, giving them commands, and ending them; see also `_tasks`.

An actor's thread ends when it was told ``$TERM``. C's own `zactor_destroy` waits for that for ever, deaf to signals,
and does not wait at all where the pipe has no room for the word. Here the wait is open to signals, has an end, and
takes what the actor still sends out of its way.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import time
import weakref
from _thread import allocate_lock, get_ident, start_new_thread

from . import _blocking, _handles, _room, _scheduling, _threads
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

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
_TERM = b"$TERM"

#: Sockets that an actor takes: the two ends of its pipe, and what C's own actors open at their start.
_SOCKETS = 4

#: Milliseconds that an actor has to end once it was told to, before that is reported.
PATIENCE = 5000

#: Milliseconds that an actor has to take a message off its pipe, before somebody looks whether it is still there.
_GLANCE = 200

#: Milliseconds that the garbage collector gives an actor of C's to end, before it leaves that to the background.
_UNREACHABLE = 1000

#: Messages that are dropped in one go.
_MANY = 1000

#: Seconds between two looks at a pipe that is about to be closed.
_MOMENT = 0.0001


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
        self.dependents: list[_Dependent] = []
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


# ---------------------------------------------------------------- starting


#: Actors that were started and that nobody has taken into their care yet, each in a list of its own: what a signal's
#: handler raises may keep them from that. Left alone, they would abort when CZMQ closes their sockets at exit.
_fresh: list[list[Actor]] = []


def start(function: Any, argument: CData = ffi.NULL) -> Actor:
    """Start an actor of C's on a thread that no signal reaches; `taken` has to follow."""
    made: list[Actor] = []
    _start(made, function, argument)
    return made[0]


def _start(made: list[Actor], function: Any, argument: CData) -> None:
    """Start an actor, and have it in a list, whatever a signal's handler raises."""
    _fresh.append(made)
    _threads.masked(made.extend, _call(C.zactor_new, function, argument))


def taken(pointer: Actor) -> None:
    """Note that somebody takes care of an actor from now on."""
    _fresh[:] = [made for made in _fresh if pointer not in made]


def new(function: Any, argument: CData = ffi.NULL, *parents: CData) -> Actor:
    """Start an actor of C's in the garbage collector's care, once libzmq has room for it.

    *parents* are handles that the actor works with: it keeps them alive, and is ended when one of them is destroyed.
    It keeps its function and its argument, too.
    """
    _room.make(_SOCKETS)
    check_thread()
    return _start_owned(function, argument, State(function, keep=argument), *parents)


def _start_owned(function: Any, argument: CData, state: State, *parents: CData) -> Actor:
    """Start an actor in the garbage collector's care, whatever a signal's handler raises meanwhile.

    One that has come while signals were blocked is handled at the end of that, when the actor is there already.
    """
    made: list[Actor] = []
    try:
        _start(made, function, argument)
        return _own(made[0], state, *parents)
    except BaseException:
        # What was taken into care already may be gone by now.
        taken_care_of = {owner.pointer for owner in list(_handles._owned.values())}
        if made and any(found is made for found in _fresh) and made[0] not in taken_care_of:
            _leave(made[0], state)
        raise


def _own(pointer: Actor, state: State, *parents: CData) -> Actor:
    """Take an actor that has just been started into the garbage collector's care."""
    actor = _handles.own(pointer, lambda pointer: _leave(pointer, state), *parents)
    if actor is None:
        raise MemoryError("no memory for an actor")
    taken(pointer)
    _handles.companions(actor)[State] = state
    state.handle = weakref.ref(actor)
    if state.task is None:
        from . import _commands

        if _commands.needed(state.function):
            _handles.guard(actor)
    owner = _handles._owned[id(actor)]
    for parent in parents:
        parent_owner = _handles._owned.get(id(parent))
        if parent_owner is not None:
            state.dependents.append(_Dependent(owner, parent_owner, state))
    return actor


class _Dependent:
    """Stands for an actor among the children of what it works with, to be ended first and not just refused."""

    __slots__ = ("owner", "parent", "state")

    def __init__(self, owner: Any, parent: Any, state: State) -> None:
        self.owner = owner
        self.parent = parent
        self.state = state
        parent.children.discard(owner)
        parent.children.add(self)

    def retire(self, what: str) -> None:
        """End the actor, since what it works with is about to be destroyed."""
        self.parent.children.discard(self)
        if self.owner.retire("was ended with its socket"):
            _leave(self.owner.pointer, self.state, PATIENCE)

    def leave(self) -> None:
        """Forget the actor, which has ended."""
        self.parent.children.discard(self)


def check_thread() -> None:
    """Raise RuntimeError where no thread can be started: C does not look, and would wait for it for ever."""
    done = allocate_lock()
    done.acquire()
    start_new_thread(done.release, ())
    done.acquire()


# ---------------------------------------------------------------- looking at actors


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
    found = _handles.find_companions(actor)
    state = found.get(State) if found else None
    if state is not None and state.task is not None:
        state.task.raise_error()


def has_failed(actor: Actor) -> bool:
    """Tell whether an actor's task has raised, which nobody was told yet, and everything that it sent was received."""
    task = state_of(actor).task
    if task is None or task.error is None:
        return False
    return not _events(C.zsock_resolve(actor)) & _blocking.POLLIN


def has_ended(actor: Actor) -> bool:
    """Tell whether an actor's thread has ended, and everything that it sent was received."""
    handle = C.zsock_resolve(actor)
    task = state_of(actor).task
    while True:
        finished = bool(task is not None and task.finished)
        events = _events(handle)
        if not events & (_blocking.POLLIN | _blocking.POLLOUT):
            return _is_gone(actor, handle)
        if events & _blocking.POLLIN or not finished:
            return False
        # Its last signal is on its way, or was received, and the pipe is about to be closed.
        time.sleep(_MOMENT)


def _events(handle: Socket) -> int:
    """Return what a socket is ready for; nothing, once its context has ended."""
    events = ffi.new("int *")
    return int(events[0]) if C.zmq_getsockopt(handle, _EVENTS, events, ffi.new("size_t *", 4)) == 0 else 0


def _is_gone(actor: Actor, handle: Socket) -> bool:
    """Tell whether the other end of an actor's pipe, all of whose messages were received, is closed.

    A full pipe looks the same. But a PAIR socket takes a new peer only when it has none.
    """
    state = (_handles.find_companions(actor) or {}).get(State)
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
        _events(handle)
        gone = bool(_events(probe) & _blocking.POLLOUT)
    finally:
        probes.close()
    while gone and _events(handle) & _blocking.POLLOUT:
        time.sleep(_MOMENT)
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
                if _blocking.wait(handle, _blocking.POLLOUT, _GLANCE):
                    used.ledger[0].extend(_call(C.zmsg_send, reference, actor))
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
            if _blocking.wait(handle, _blocking.POLLIN, _GLANCE):
                _receive_noted(handle, received)
            elif has_ended(actor):
                raise RuntimeError("the actor has ended")


def _receive_noted(handle: Socket, received: list[_Received]) -> None:
    """Receive what is there, up to an answer, and note it.

    Each message is in the list before it is received: whatever a signal's handler raises, none is forgotten, which
    would be waited for in vain.
    """
    for _ in range(_MANY):
        message, result = frame = _new_message(), list[int]()
        received.append(frame)
        result.extend(_call(C.zmq_msg_recv, message, handle, _DONTWAIT))
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


def _call(function: Any, *args: Any) -> Iterator[Any]:
    """Return what calls a function once: a list that is extended by it has the result before Python does more."""
    return map(function, *zip(args))


def _new_message() -> CData:
    message: CData = ffi.new("zmq_msg_t *")
    C.zmq_msg_init(message)
    return message


def _receive(handle: Socket, message: CData) -> bool:
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


# ---------------------------------------------------------------- ending


def end(actor: Actor) -> None:
    """End an actor of C's, and wait for that.

    What it has sent is dropped until it can be told: one that nobody has listened to may be stuck, its pipe full both
    ways, and C would leave it behind.
    """
    _leave(actor, (_handles.find_companions(actor) or {}).get(State) or State(), PATIENCE)


def destroy(actor: Actor, timeout: int = PATIENCE) -> None:
    """End an actor, wait for that for *timeout* milliseconds, and raise what its task has raised."""
    _handles.live(actor, _ACTOR, "actor")
    task = state_of(actor).task
    if task is not None and task.thread == get_ident():
        raise ValueError("actor cannot be destroyed by its own task, which ends by returning")
    state = live(actor)
    if state.in_use():
        raise ValueError("actor is in use: it cannot be destroyed now")
    used = state
    state.busy = get_ident()
    try:
        if timeout < 0 and not _finish(actor, state, PATIENCE):
            _report(f"{state.overdue()}; waiting for it goes on")
        if not _finish(actor, state, timeout):
            raise TimeoutError(f"{state.overdue(timeout)}; it can be destroyed again")
        _refuse_lent(actor)
        _handles.disown(actor, "was destroyed")
    finally:
        used.busy = 0
    _dispose(actor, state)
    if task is not None:
        task.raise_error()


def _refuse_lent(actor: Actor) -> None:
    """Refuse the handles for parts of an actor from now on."""
    owner = _handles._owned.get(id(actor))
    for child in () if owner is None else list(owner.children):
        child.retire("was closed with its actor")


def _finish(actor: Actor, state: State, timeout: float) -> bool:
    """Tell an actor to end, if nobody has, and wait for that; tell whether it has within *timeout* milliseconds."""
    handle = C.zsock_resolve(actor)
    deadline = _blocking.deadline_after(timeout)
    message = _new_message()
    task = state.task
    signalled = False
    probe_at = 0.0
    while True:
        if not state.told:
            state.told = _tell(actor, handle, state)
        signalled |= _receive(handle, message)
        events = _events(handle)
        ended = signalled if task is None else task.finished
        if not events & (_blocking.POLLIN | _blocking.POLLOUT):
            if ended:
                return True
            now = time.monotonic()
            if now >= probe_at:
                if task is None and _is_gone(actor, handle):
                    return True
                probe_at = now + _GLANCE / 1000
        if time.monotonic() >= deadline:
            return False
        if events & _blocking.POLLIN:
            continue
        if ended:
            # The pipe is about to be closed, unless what came was the answer to a command that nobody has waited for.
            time.sleep(_MOMENT)
            continue
        left = _GLANCE if timeout < 0 else min(_GLANCE, max(0.0, (deadline - time.monotonic()) * 1000))
        wanted = _blocking.POLLIN if state.told else _blocking.POLLIN | _blocking.POLLOUT
        _blocking.poll(_blocking.pollitem(handle, wanted), 1, left)


def _tell(actor: Actor, handle: Socket, state: State) -> bool:
    """Tell an actor to end; tell whether there was room for that."""
    destructor, state.destructor = state.destructor, None
    if destructor is not None:
        destructor(actor)
        return True
    return bool(C.zmq_send(handle, _TERM, len(_TERM), _DONTWAIT) >= 0)


def _tell_again(state: State) -> bool:
    """Have an actor of C's told to end once more, by $TERM: what was to do so in its place may not have.

    C's monitor aborts if it is not, once its context ends.
    """
    if state.task is not None:
        return False
    state.told = False
    return True


def _dispose(actor: Actor, state: State) -> None:
    """Free an actor that has ended."""
    taken(actor)
    C.zactor_destroy(ffi.new("zactor_t **", actor))
    state.keep = None
    for dependent in state.dependents:
        dependent.leave()


# ---------------------------------------------------------------- actors that nobody can reach any more

#: Those that have not ended: pointer -> state.
_left: dict[CData, State] = {}

#: Those among them that were reported.
_reported: set[CData] = set()


def _leave(pointer: Actor, state: State, patience: float = _UNREACHABLE) -> None:
    """End an actor that nobody can reach any more: C's now, since they end at once, others in the background."""
    _left[pointer] = state
    taken(pointer)
    try:
        if state.task is None and _finish(pointer, state, patience):
            _left.pop(pointer, None)
            _dispose(pointer, state)
            return
    finally:
        if pointer in _left:
            try:
                _threads.start_helper(_reap, pointer, state)
            except RuntimeError:
                # No thread can be had: the interpreter is exiting.
                pass


def _reap(pointer: Actor, state: State) -> None:
    """End an actor in the background, however long that takes."""
    while True:
        try:
            if _finish(pointer, state, PATIENCE):
                break
            _tell_again(state)
            if pointer not in _reported:
                _reported.add(pointer)
                _report(f"{state.overdue()}; nobody refers to it any more")
        except Exception:
            # What was to end it in place of $TERM, or a warning that is an error.
            sys.excepthook(*sys.exc_info())
    _reported.discard(pointer)
    if _left.pop(pointer, None) is not None:
        _dispose(pointer, state)
        if state.task is not None:
            state.task.report_error()


def _report(text: str) -> None:
    """Warn of the first caller who is not in this package, be it a namespace's or an object's."""
    import warnings

    level, frame = 1, sys._getframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(f"{__package__}."):
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    warnings.warn(text, RuntimeWarning, stacklevel=level)


def _at_exit() -> None:
    """End all actors, youngest first, while what they work with is there; report those that do not end."""
    _threads.note_ending()
    deadline = time.monotonic() + PATIENCE / 1000
    stuck: list[tuple[Any, State]] = []
    known = {*_left, *(owner.pointer for owner in list(_handles._owned.values()))}
    for made in _fresh:
        for pointer in made:
            unknown = State()
            if not pointer or pointer in known:
                # It has an owner: that was all that there was time for.
                continue
            if _end_at_exit(pointer, unknown, deadline):
                _dispose(pointer, unknown)
            else:
                stuck.append((pointer, unknown))
    while (ending := _next_to_end()) is not None:
        try:
            _threads.hold([handle for owner, _ in ending for handle in _known_as(owner.pointer)])
        except KeyboardInterrupt:
            # What is still in use is left behind.
            pass
        for owner, state in ending:
            in_use = state.in_use() or _threads.users(_known_as(owner.pointer))
            if not in_use and _end_at_exit(owner.pointer, state, deadline):
                _dispose(owner.pointer, state)
                if state.task is not None:
                    state.task.report_error()
            else:
                stuck.append((owner.pointer, state))
    while any(pointer not in _reported for pointer in list(_left)) and time.monotonic() < deadline:
        time.sleep(0.001)
    moment = time.monotonic() + _GLANCE / 1000
    while any(state.task is None for state in list(_left.values())) and time.monotonic() < moment:
        # They were told once more.
        time.sleep(0.001)
    left = list(_left.items())
    if stuck or left:
        for _, state in stuck + left:
            if not state.in_use() and sys.stderr is not None:
                sys.stderr.write(f"pyczmq: {state.overdue()}; it is left behind\n")
        # CZMQ would complain of their sockets, too.
        C.zsys_set_logstream(ffi.NULL)
        _shut_down()
        for pointer, _ in stuck:
            # With its context gone, C waits for nothing any more. Those that are left have a thread that does this, and
            # may have come to it by now.
            C.zactor_destroy(ffi.new("zactor_t **", pointer))


def _known_as(pointer: Any) -> tuple[CData, CData]:
    """Return how C's functions that wait know an actor: by itself, or by its end of the pipe."""
    return pointer, C.zsock_resolve(pointer)


def _next_to_end() -> list[tuple[Any, State]] | None:
    """Take the actors that are to be ended next at exit, youngest first, from the garbage collector; None: all are.

    Those that a task has made, or waits for, are left to it: they come when it has ended, or does not end.
    """
    found: list[tuple[Any, State, bool]] = []
    for owner in reversed(list(_handles._owned.values())):
        if ffi.typeof(owner.pointer) is not _ACTOR:
            continue
        handle = owner.handle()
        if handle is None:
            # PyPy's garbage collector is about to come to it, which may be too late.
            owner.collect(owner.pointer)
            continue
        state = state_of(handle)
        users = {state.maker, *_threads.users(_known_as(owner.pointer))}
        found.append((owner, state, not users.isdisjoint(_threads.tasks)))
        del handle
    if not found:
        return None
    wanted = [(owner, state) for owner, state, is_used in found if not is_used] or [found[0][:2]]
    return [(owner, state) for owner, state in wanted if owner.retire("was destroyed at exit")]


def _end_at_exit(pointer: Any, state: State, deadline: float) -> bool:
    """Tell an actor to end and wait for that until *deadline*; tell whether it has."""
    for _ in range(2):
        try:
            ended = _finish(pointer, state, max(_GLANCE, (deadline - time.monotonic()) * 1000))
            if not ended and _tell_again(state):
                return _finish(pointer, state, _GLANCE)
            return ended
        except Exception:
            # What was to end it in place of $TERM.
            sys.excepthook(*sys.exc_info())
        except KeyboardInterrupt:
            break
    return False


def _shut_down() -> None:
    """Wake the threads of actors that are left behind, so that they do no harm while the process exits."""
    _threads.note_exiting()
    _scheduling.shut_down()
    time.sleep(0.05)


def _after_fork() -> None:
    _fresh.clear()
    _left.clear()
    _reported.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
