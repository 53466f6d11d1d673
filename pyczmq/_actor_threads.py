"""The threads of actors: starting them, so that no signal reaches them, and ending them; see also `_actors`, `_tasks`.

An actor's thread ends when it was told ``$TERM``. C's own `zactor_destroy` waits for that for ever, deaf to signals,
and does not wait at all where the pipe has no room for the word. Here the wait is open to signals, has an end, and
takes what the actor still sends out of its way.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
import weakref
from _thread import get_ident

from . import _actors, _blocking, _handles, _room, _scheduling, _threads
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._types import Actor, CData, Socket

_DONTWAIT = 1
_ACTOR = ffi.typeof("zactor_t *")
_TERM = b"$TERM"

#: Sockets that an actor takes: the two ends of its pipe, and what C's own actors open at their start.
_SOCKETS = 4

#: Milliseconds that the garbage collector gives an actor of C's to end, before it leaves that to the background.
_UNREACHABLE = 1000


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
    _threads.masked(made.extend, _actors.calling(C.zactor_new, function, argument))


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
    return start_owned(function, argument, _actors.State(function, keep=argument), *parents)


def start_owned(function: Any, argument: CData, state: _actors.State, *parents: CData) -> Actor:
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
            leave(made[0], state)
        raise


def _own(pointer: Actor, state: _actors.State, *parents: CData) -> Actor:
    """Take an actor that has just been started into the garbage collector's care."""
    actor = _handles.own(pointer, lambda pointer: leave(pointer, state), *parents)
    if actor is None:
        raise MemoryError("no memory for an actor")
    taken(pointer)
    _handles.companions(actor)[_actors.State] = state
    state.handle = weakref.ref(actor)
    if state.task is None:
        from . import _commands

        if _commands.needed(state.function):
            _handles.guard(actor)
    owner = _handles._owned[id(actor)]
    for parent in parents:
        parent_owner = _handles._owned.get(id(parent))
        if parent_owner is not None:
            state.dependents.append(Dependent(owner, parent_owner, state))
    return actor


class Dependent:
    """Stands for an actor among the children of what it works with, to be ended first and not just refused."""

    __slots__ = ("owner", "parent", "state")

    def __init__(self, owner: Any, parent: Any, state: _actors.State) -> None:
        self.owner = owner
        self.parent = parent
        self.state = state
        parent.children.discard(owner)
        parent.children.add(self)

    def retire(self, what: str) -> None:
        """End the actor, since what it works with is about to be destroyed."""
        self.parent.children.discard(self)
        if self.owner.retire("was ended with its socket"):
            leave(self.owner.pointer, self.state, _actors.PATIENCE)

    def leave(self) -> None:
        """Forget the actor, which has ended."""
        self.parent.children.discard(self)


def check_thread() -> None:
    """Raise RuntimeError where no thread can be started: C does not look, and would wait for it for ever."""
    _scheduling.try_threads(1)


# ---------------------------------------------------------------- ending


def end(actor: Actor) -> None:
    """End an actor of C's, and wait for that.

    What it has sent is dropped until it can be told: one that nobody has listened to may be stuck, its pipe full both
    ways, and C would leave it behind.
    """
    leave(actor, _actors.find_state(actor) or _actors.State(), _actors.PATIENCE)


def destroy(actor: Actor, timeout: int = _actors.PATIENCE) -> None:
    """End an actor, wait for that for *timeout* milliseconds, and raise what its task has raised."""
    _handles.live(actor, _ACTOR, "actor")
    task = _actors.state_of(actor).task
    if task is not None and task.thread == get_ident():
        raise ValueError("actor cannot be destroyed by its own task, which ends by returning")
    state = _actors.live(actor)
    if state.in_use():
        raise ValueError("actor is in use: it cannot be destroyed now")
    used = state
    state.busy = get_ident()
    try:
        if timeout < 0 and not _finish(actor, state, _actors.PATIENCE):
            report(f"{state.overdue()}; waiting for it goes on")
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


def _finish(actor: Actor, state: _actors.State, timeout: float) -> bool:
    """Tell an actor to end, if nobody has, and wait for that; tell whether it has within *timeout* milliseconds."""
    handle = C.zsock_resolve(actor)
    deadline = _blocking.deadline_after(timeout)
    message = _actors.new_message()
    task = state.task
    signalled = False
    probe_at = 0.0
    while True:
        if not state.told:
            state.told = _tell(actor, handle, state)
        signalled |= _actors.receive(handle, message)
        events = _actors.ready_for(handle)
        ended = signalled if task is None else task.finished
        if not events & (_blocking.POLLIN | _blocking.POLLOUT):
            if ended:
                return True
            now = time.monotonic()
            if now >= probe_at:
                if task is None and _actors.is_gone(actor, handle):
                    return True
                probe_at = now + _actors.GLANCE / 1000
        if time.monotonic() >= deadline:
            return False
        if events & _blocking.POLLIN:
            continue
        if ended:
            # The pipe is about to be closed, unless what came was the answer to a command that nobody has waited for.
            time.sleep(_actors.MOMENT)
            continue
        left = _actors.GLANCE if timeout < 0 else min(_actors.GLANCE, max(0.0, (deadline - time.monotonic()) * 1000))
        wanted = _blocking.POLLIN if state.told else _blocking.POLLIN | _blocking.POLLOUT
        _blocking.poll(_blocking.pollitem(handle, wanted), 1, left)


def _tell(actor: Actor, handle: Socket, state: _actors.State) -> bool:
    """Tell an actor to end; tell whether there was room for that."""
    destructor, state.destructor = state.destructor, None
    if destructor is not None:
        destructor(actor)
        return True
    return bool(C.zmq_send(handle, _TERM, len(_TERM), _DONTWAIT) >= 0)


def _tell_again(state: _actors.State) -> bool:
    """Have an actor of C's told to end once more, by $TERM: what was to do so in its place may not have.

    C's monitor aborts if it is not, once its context ends.
    """
    if state.task is not None:
        return False
    state.told = False
    return True


def _dispose(actor: Actor, state: _actors.State) -> None:
    """Free an actor that has ended."""
    taken(actor)
    C.zactor_destroy(ffi.new("zactor_t **", actor))
    state.keep = None
    for dependent in state.dependents:
        dependent.leave()


# ---------------------------------------------------------------- actors that nobody can reach any more

#: Those that have not ended: pointer -> state.
_left: dict[CData, _actors.State] = {}

#: Those among them that were reported.
_reported: set[CData] = set()


def leave(pointer: Actor, state: _actors.State, patience: float = _UNREACHABLE) -> None:
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


def _reap(pointer: Actor, state: _actors.State) -> None:
    """End an actor in the background, however long that takes."""
    while True:
        try:
            if _finish(pointer, state, _actors.PATIENCE):
                break
            _tell_again(state)
            if pointer not in _reported:
                _reported.add(pointer)
                report(f"{state.overdue()}; nobody refers to it any more")
        except Exception:
            # What was to end it in place of $TERM, or a warning that is an error.
            sys.excepthook(*sys.exc_info())
    _reported.discard(pointer)
    if _left.pop(pointer, None) is not None:
        _dispose(pointer, state)
        if state.task is not None:
            state.task.report_error()


def report(text: str) -> None:
    """Warn of the first caller who is not in this package, be it a namespace's or an object's."""
    import warnings

    level, frame = 1, sys._getframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(f"{__package__}."):
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    warnings.warn(text, RuntimeWarning, stacklevel=level)


def _at_exit() -> None:
    """End all actors, youngest first, while what they work with is there; report those that do not end."""
    _threads.note_ending()
    deadline = time.monotonic() + _actors.PATIENCE / 1000
    stuck: list[tuple[Any, _actors.State]] = []
    known = {*_left, *(owner.pointer for owner in list(_handles._owned.values()))}
    for made in _fresh:
        for pointer in made:
            unknown = _actors.State()
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
    moment = time.monotonic() + _actors.GLANCE / 1000
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


def _next_to_end() -> list[tuple[Any, _actors.State]] | None:
    """Take the actors that are to be ended next at exit, youngest first, from the garbage collector; None: all are.

    Those that a task has made, or waits for, are left to it: they come when it has ended, or does not end.
    """
    found: list[tuple[Any, _actors.State, bool]] = []
    for owner in reversed(list(_handles._owned.values())):
        if ffi.typeof(owner.pointer) is not _ACTOR:
            continue
        handle = owner.handle()
        if handle is None:
            # PyPy's garbage collector is about to come to it, which may be too late.
            owner.collect(owner.pointer)
            continue
        state = _actors.state_of(handle)
        users = {state.maker, *_threads.users(_known_as(owner.pointer))}
        found.append((owner, state, not users.isdisjoint(_threads.tasks)))
        del handle
    if not found:
        return None
    wanted = [(owner, state) for owner, state, is_used in found if not is_used] or [found[0][:2]]
    return [(owner, state) for owner, state in wanted if owner.retire("was destroyed at exit")]


def _end_at_exit(pointer: Any, state: _actors.State, deadline: float) -> bool:
    """Tell an actor to end and wait for that until *deadline*; tell whether it has."""
    for _ in range(2):
        try:
            ended = _finish(pointer, state, max(_actors.GLANCE, (deadline - time.monotonic()) * 1000))
            if not ended and _tell_again(state):
                return _finish(pointer, state, _actors.GLANCE)
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
