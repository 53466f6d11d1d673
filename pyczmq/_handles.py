"""Ownership: which handle is alive, who frees it, and what must stay alive with it.

A handle is a plain cffi pointer. The garbage collector owns those that `own` took in; messages and frames belong to
whoever made them until C takes them over. A pointer cannot be blanked once it is freed, so handles that are gone are
remembered in `dead`, by identity, until Python drops them: `live` refuses them. The raw floor has no such net.
"""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from _thread import RLock

from . import _blocking, _scheduling, _threads
from ._cffi import C, ffi

try:
    from __pypy__ import add_memory_pressure as _add_memory_pressure  # type: ignore[import-not-found]
except ImportError:
    _add_memory_pressure = None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import Any, TypeVar

    from ._types import CData, Socket, Socketish

    Handle = TypeVar("Handle", bound=CData)

_CDATA = ffi.CData
_typeof = ffi.typeof
_VOID = _typeof("void *")
_SOCK = _typeof("zsock_t *")
_ACTOR = _typeof("zactor_t *")
_FRAME = _typeof("zframe_t *")
_MSG = _typeof("zmsg_t *")
_reference = weakref.ref

#: Handles that must not reach C again: identity -> (weak reference to the handle, what happened to it).
#: What has happened is None for a ``void *`` that is alive and guarded, for `socket` to notice.
dead: dict[int, tuple[weakref.ref[Any], str | None]] = {}

#: The same for frames and messages, apart from the others: these come and go all the time, so what is no longer needed
#: is dropped by the hundred, and nobody who polls has to look here.
_spent: dict[int, tuple[weakref.ref[Any], str | None]] = {}
_SPENT_LIMIT = 256
_spent_limit = _SPENT_LIMIT

#: Handles of C's own actors, and of parts of them, to which nothing but commands may be sent: see `_commands`.
guarded: dict[int, weakref.ref[Any]] = {}

#: Handles that the garbage collector owns: identity -> owner, oldest first.
_owned: dict[int, _Owner] = {}

#: What a cffi object cannot carry as an attribute: identity -> (weak reference to the object, its companions).
_companions: dict[int, tuple[weakref.ref[Any], dict[Any, Any]]] = {}

#: Handles for frames inside messages: identity of the message's -> (weak reference to that, frame's pointer -> handle).
_contents: dict[int, tuple[weakref.ref[Any], dict[Any, Any]]] = {}

#: Identities of those handles for frames -> identity of the message's.
_inside: dict[int, int] = {}

#: Messages with a frame that was given another size, which C does not notice: identity -> weak reference to the handle.
_resized: dict[int, weakref.ref[Any]] = {}

#: Frames with a live view of their data: pointer -> pin. The garbage collector may run while a thread has the lock.
_pins: dict[CData, _Pin] = {}
_pins_lock = RLock()

#: Bytes that a frame takes beside its data, more or less.
_FRAME_OVERHEAD = 400


_drafts: bool | None = None


# ---------------------------------------------------------------- checks


def live(handle: Handle, ctype: Any, name: str) -> Handle:
    """Return *handle* if it is a pointer of *ctype* that is neither NULL nor gone, else raise.

    *name* is the argument's name. Raises TypeError for anything else than such a pointer, and ValueError for one that
    was destroyed, sent or handed over.
    """
    # A str is C's name of a type to typeof, which crashes over a lone surrogate in it.
    if isinstance(handle, _CDATA) and _typeof(handle) is ctype and handle:
        key = id(handle)
        if key not in _spent and key not in dead:
            return handle
        if fate(handle) is None:
            # A handle that is no more had the same identity.
            _spent.pop(key, None)
            return handle
    raise _refusal(handle, ctype, name)


def _wrong_type(handle: Any, wanted: str, name: str) -> TypeError:
    given = _typeof(handle).cname if isinstance(handle, _CDATA) else type(handle).__name__
    return TypeError(f"{name} must be a {wanted}, not {given}")


def _refusal(handle: CData, ctype: Any, name: str) -> Exception:
    """Say why `live` refused a handle."""
    if not isinstance(handle, _CDATA) or _typeof(handle) is not ctype:
        return _wrong_type(handle, ctype.cname, name)
    if not handle:
        return ValueError(f"{name} is NULL")
    return _gone(handle, name)


def _gone(handle: CData, name: str) -> ValueError:
    """Say what became of a handle, if anybody is left to hear it."""
    _threads.leave_if_ending()
    return ValueError(f"{name} {fate(handle)}")


def fate(handle: CData) -> str | None:
    """Return what became of a handle that must not reach C again; None for one that is alive."""
    for table in _spent, dead:
        found = table.get(id(handle))
        # A handle that is no more may have had the same identity.
        if found is not None and found[0]() is handle:
            return found[1]
    return None


def socket(handle: Socketish, name: str = "socket") -> Socket:
    """Return the libzmq socket (``void *``) behind a zsocket, zsock or zactor handle.

    Raises TypeError for anything else, and ValueError for a handle that is NULL or gone.
    """
    if not isinstance(handle, _CDATA):
        raise _wrong_type(handle, "zsocket, zsock or zactor handle", name)
    ctype = _typeof(handle)
    if not handle:
        raise ValueError(f"{name} is NULL")
    if dead and id(handle) in dead:
        if fate(handle) is not None:
            raise _gone(handle, name)
        if ctype is _VOID and is_guarded(handle):
            # Another than the handle, which tells whatever sends that there is more to it.
            other: Socket = ffi.cast("void *", handle)
            return other
    if ctype is _VOID:
        return handle  # type: ignore[no-any-return]
    if ctype is _SOCK or ctype is _ACTOR:
        return C.zsock_resolve(handle)
    raise _wrong_type(handle, "zsocket, zsock or zactor handle", name)


def drafts() -> bool:
    """Tell whether the libraries are built with drafts: only then there are SERVER sockets, and routing ids to note."""
    global _drafts
    if _drafts is None:
        _drafts = hasattr(C, "zsock_routing_id") and hasattr(C, "zmq_msg_routing_id")
    return _drafts


def looks_like(handle: object, ctype: Any, probe: Callable[[CData], bool]) -> bool:
    """Tell whether *handle* is a pointer that is alive, and whose memory C's *probe* recognizes.

    It may be a ``void *``, too.
    """
    if not isinstance(handle, _CDATA) or _typeof(handle) not in (ctype, _VOID) or not handle:
        return False
    return fate(handle) is None and probe(handle)


def kill(handle: CData, what: str) -> None:
    """Refuse *handle* from now on; *what* ends the sentence "the socket …" of the error text."""
    key = id(handle)
    ctype = _typeof(handle)
    if ctype is _FRAME or ctype is _MSG:
        _spent[key] = (_reference(handle), what)
        if len(_spent) > _spent_limit:
            _forget_spent()
        return

    _mark(handle, what)


def _mark(handle: CData, what: str | None) -> None:
    """Put a handle into `dead`, for as long as there is one."""
    key = id(handle)

    # As the interpreter ends the module may be empty by then.
    def forget(reference: weakref.ref[Any], dead: dict[int, tuple[weakref.ref[Any], str | None]] = dead) -> None:
        if dead.get(key, (None,))[0] is reference:
            dead.pop(key, None)

    dead[key] = (_reference(handle, forget), what)


def revive(handle: CData) -> None:
    """Take back what `kill` has said of a frame or message: it was not sent after all.

    They are refused before C gets them: whatever the handler of a signal raises, what C has taken over is not used.
    """
    found = _spent.get(id(handle))
    if found is not None and found[0]() is handle:
        _spent.pop(id(handle), None)


def guard(handle: CData) -> None:
    """Have `is_guarded` tell that there is more to a handle than a socket."""
    key = id(handle)

    def forget(reference: weakref.ref[Any], guarded: dict[int, weakref.ref[Any]] = guarded) -> None:
        if guarded.get(key) is reference:
            guarded.pop(key, None)

    guarded[key] = _reference(handle, forget)
    if _typeof(handle) is _VOID:
        _mark(handle, None)


def is_guarded(handle: CData) -> bool:
    """Tell whether nothing but commands may be sent to a handle."""
    found = guarded.get(id(handle))
    # A handle that is no more may have had the same identity.
    return found is not None and found() is handle


def _forget_spent() -> None:
    """Drop frames and messages that Python has dropped."""
    global _spent_limit
    for key, found in list(_spent.items()):
        if found[0]() is None and _spent.get(key) is found:
            _spent.pop(key, None)
    _spent_limit = max(_SPENT_LIMIT, 2 * len(_spent))


# ---------------------------------------------------------------- handles that the garbage collector owns


class _Owner:
    """Frees one pointer, once: by `destroy`, by the garbage collector or at exit, whichever comes first."""

    __slots__ = ("children", "fork_safe", "free", "handle", "key", "lease", "parents", "pointer")

    key: int
    handle: weakref.ref[Any]

    def __init__(
        self, pointer: CData, free: Callable[[CData], object], parents: tuple[CData, ...], fork_safe: bool
    ) -> None:
        self.pointer = pointer
        self.free = free
        self.parents = parents
        self.fork_safe = fork_safe
        # Until it is known what the handle's identity is.
        self.key = 0
        self.children: set[_Owner] = set()
        #: Whoever deletes it retires this: of several threads only one can.
        self.lease = None

    def collect(self, pointer: CData) -> None:
        """Free the pointer because no handle to it is left."""
        if self.retire(None):
            self.free(pointer)

    def retire(self, what: str | None, owned: dict[int, _Owner] = _owned) -> bool:
        """Give up ownership, and that of all that dies with it; return False if that was done before."""
        if owned.get(self.key) is not self:
            return False
        try:
            del self.lease
        except AttributeError:
            # Another thread's garbage collector, or the exit, has come first.
            return False
        owned.pop(self.key, None)
        handle = self.handle()
        if what is not None and handle is not None:
            kill(handle, what)
        children, self.children = self.children, set()
        for child in children:
            child.retire("was closed with its context")
        for parent in self.parents:
            owner = owned.get(id(parent))
            if owner is not None:
                owner.children.discard(self)
        self.parents = ()
        return True


def own(
    pointer: Handle,
    free: Callable[[Any], object],
    *parents: CData,
    fork_safe: bool = False,
    keeper: Callable[[CData], object] | None = None,
) -> Handle | None:
    """Take a fresh pointer into the garbage collector's care and return the handle to hand out; None for NULL.

    *free* is called once, with the pointer. *parents* are kept alive by the handle; when one of them is destroyed, the
    handle goes with it and *free* is not called. What is *fork_safe*, plain memory, stays usable in a forked child.
    *keeper*, which does nothing when called, is kept alive by the handle alone: objects that it holds may refer back to
    the handle, and the cycle is collected.
    """
    if not pointer:
        return None
    owner = _Owner(pointer, free, parents, fork_safe)
    handle = ffi.gc(pointer if keeper is None else ffi.gc(pointer, keeper), owner.collect)
    owner.key = id(handle)
    owner.handle = weakref.ref(handle)
    for parent in parents:
        parent_owner = _owned.get(id(parent))
        if parent_owner is not None:
            parent_owner.children.add(owner)
    _owned[owner.key] = owner
    return handle  # type: ignore[no-any-return]


def disown(handle: CData, what: str) -> None:
    """Stop caring for *handle*, whose pointer C has taken over or freed, and refuse it from now on."""
    owner = _owned.get(id(handle))
    if owner is None or not owner.retire(what):
        kill(handle, what)


def destroy(handle: CData | None, ctype: Any, free: Callable[[Any], object], name: str) -> None:
    """Free *handle* now, and only once; None is let through, as C lets NULL through."""
    if handle is None:
        return
    live(handle, ctype, name)
    owner = _owned.get(id(handle))
    disown(handle, "was destroyed")
    (free if owner is None else owner.free)(handle)


def freer(destructor: Any, ctype: str) -> Callable[[CData], None]:
    """Return the function that frees a pointer with a C destructor of the usual ``(T **self_p)`` kind."""
    reference = _typeof(f"{ctype} *")
    new = ffi.new

    def free(pointer: CData) -> None:
        destructor(new(reference, pointer))

    return free


# ---------------------------------------------------------------- companions: attributes for cffi objects


def companions(handle: CData) -> dict[Any, Any]:
    """Return the dict that goes with *handle*, made at first use; it lives as long as the handle."""
    found = find_companions(handle)
    if found is None:
        key = id(handle)

        def forget(reference: weakref.ref[Any], companions: Any = _companions) -> None:
            found = companions.get(key)
            if found is not None and found[0] is reference:
                companions.pop(key, None)
                # PyPy's dict may keep what was taken out of it.
                found[1].clear()

        found = {}
        _companions[key] = (_reference(handle, forget), found)
    return found


def find_companions(handle: CData) -> dict[Any, Any] | None:
    """Return the dict that goes with *handle*, or None if nothing was ever put there."""
    found = _companions.get(id(handle))
    # A handle that is no more may have had the same identity.
    return None if found is None or found[0]() is not handle else found[1]


# ---------------------------------------------------------------- frames inside messages


def _frames(message: CData) -> dict[CData, CData]:
    """Return the handles for frames inside *message*, by their pointers, in a dict that lives as long as its handle."""
    key = id(message)
    found = _contents.get(key)
    if found is not None and found[0]() is not message:
        # A handle that is no more had the same identity.
        _forget_contents(key, found[0])
        found = None
    if found is None:
        found = _contents[key] = (_reference(message, lambda reference: _forget_contents(key, reference)), {})
    return found[1]


def _forget_contents(key: int, reference: weakref.ref[Any]) -> None:
    """Forget the frames of a message whose handle is gone."""
    found = _contents.get(key)
    if found is not None and found[0] is reference:
        del _contents[key]
        for frame in found[1].values():
            _inside.pop(id(frame), None)


def contents(message: CData) -> dict[CData, CData]:
    """Return the handles that Python has for frames inside *message*, by their pointers."""
    found = _contents.get(id(message)) if _contents else None
    return {} if found is None or found[0]() is not message else found[1]


def lend(message: CData, pointer: Handle) -> Handle | None:
    """Return the one handle for a frame inside *message*, so that it can be refused once the message is gone."""
    if not pointer:
        return None
    handle = _frames(message).setdefault(pointer, pointer)
    # Each time: what the handler of a signal raises may have left it out.
    _inside[id(handle)] = id(message)
    return handle  # type: ignore[return-value]


def take_over(message: CData, frame: CData) -> None:
    """Note that *frame* now lives in *message* and dies with it."""
    _frames(message)[frame] = frame
    _inside[id(frame)] = id(message)


def give_back(message: CData, pointer: Handle) -> Handle | None:
    """Return the handle for a frame that left *message*; whoever asked for it owns it now."""
    if not pointer:
        return None
    handle = contents(message).pop(pointer, None)
    if handle is None:
        return pointer
    _inside.pop(id(handle), None)
    return handle  # type: ignore[return-value]


def inside(frame: CData) -> bool:
    """Tell whether *frame* is in a message, which owns it."""
    key = _inside.get(id(frame)) if _inside else None
    if key is None:
        return False
    # What the handler of a signal raises may leave the identity of a frame there that is no more.
    found = _contents.get(key)
    return found is not None and found[0]() is not None and found[1].get(frame) is frame


def note_resized(frame: CData) -> None:
    """Note that *frame* has another size: C counts the bytes of a message as frames are put in and taken out."""
    key = _inside.get(id(frame))
    found = None if key is None else _contents.get(key)
    message = None if found is None else found[0]()
    if key is None or message is None:
        return

    def forget(reference: weakref.ref[Any], resized: dict[int, weakref.ref[Any]] = _resized) -> None:
        if resized.get(key) is reference:
            del resized[key]

    _resized[key] = _reference(message, forget)


def is_resized(message: CData) -> bool:
    """Tell whether C's count of the bytes in *message* may be wrong."""
    found = _resized.get(id(message)) if _resized else None
    return found is not None and found() is message


def bury(message: CData, what: str) -> None:
    """Refuse *message*, and each frame in it, from now on."""
    for frame in contents(message).values():
        kill(frame, f"is in a message that {what}")
    kill(message, what)


def unbury(message: CData, left: Container[CData]) -> None:
    """Take back what `bury` has said of *message*, which was not sent, and of the frames that are *left* in it."""
    for pointer, frame in list(contents(message).items()):
        if pointer in left:
            revive(frame)
        else:
            give_back(message, pointer)
            kill(frame, "was sent")
    revive(message)


def forget_contents(message: CData) -> None:
    """Forget the frames in *message*, which has gone with them."""
    if contents(message):
        _forget_contents(id(message), _contents[id(message)][0])


# ---------------------------------------------------------------- views of a frame's data


class _Pin(weakref.ref):  # type: ignore[type-arg]
    """A weak reference to a view of a frame's data; it keeps the frame's memory, even when the frame was destroyed."""

    __slots__ = ("data", "frame", "free")

    data: CData
    frame: CData
    free: Callable[[CData], object] | None


def _unpin(pin: _Pin) -> None:
    with _pins_lock:
        if _pins.get(pin.frame) is pin:
            del _pins[pin.frame]
    if pin.free is not None:
        pin.free(pin.frame)


def view(frame: CData, data: CData, size: int) -> Any:
    """Return a writable buffer over the memory of *frame*, which it keeps; the same one for as long as it is alive."""
    pin = _pins.get(frame) if _pins else None
    if pin is not None and pin.data == data:
        alive = pin()
        if alive is not None and len(alive) == size:
            return alive
    fresh = ffi.buffer(data, size)
    pin = _Pin(fresh, _unpin)
    pin.data = data
    pin.frame = frame
    pin.free = None
    with _pins_lock:
        _pins[frame] = pin
    return fresh


def pinned(frame: CData) -> bool:
    """Tell whether a view of *frame* is alive."""
    return bool(_pins) and frame in _pins


def any_pinned() -> bool:
    """Tell whether a view of any frame is alive."""
    return bool(_pins)


def free_unpinned(frame: CData, free: Callable[[CData], object], size: Callable[[CData], int]) -> None:
    """Free *frame* now, or when the last view of it goes; *size* tells how many bytes wait for that."""
    if _pins:
        with _pins_lock:
            waiting = _pins.get(frame)
            if waiting is not None:
                waiting.free = free
                if _add_memory_pressure is not None:
                    _add_memory_pressure(size(frame) + _FRAME_OVERHEAD)
                return
    free(frame)


# ---------------------------------------------------------------- fork and exit


def _after_fork() -> None:
    """Start fresh in the child: the parent's sockets, threads and contexts are not the child's to touch."""
    global _pins_lock
    _pins_lock = RLock()
    # Youngest first: what goes with its context would be told to have been closed.
    owners = list(reversed(_owned.values()))
    # A context that only its sockets keep alive must not be collected, and ended in the child, before its turn.
    handles = [owner.handle() for owner in owners]
    for owner in owners:
        if not owner.fork_safe:
            owner.retire("belongs to the parent process")
    del handles
    C.zsys_handler_set(ffi.NULL)


def _retire_all() -> list[tuple[_Owner, CData | None]]:
    """Take all that is alive from the garbage collector, youngest first; return it with the handles."""
    # A parent that only its children keep alive must not be collected, and freed, before its turn.
    found = [(owner, owner.handle()) for owner in list(reversed(_owned.values()))]
    # Another thread's garbage collector may come first.
    return [(owner, handle) for owner, handle in found if owner.retire("was destroyed at exit")]


def _at_exit() -> None:
    """Destroy what is left, youngest first, before CZMQ's own exit handler looks for dangling sockets."""
    _threads.note_exiting()
    retired = _retire_all()
    _threads.stop_waiting()
    # What another thread was about to make.
    retired = _retire_all() + retired
    pointers = sys.modules.get(f"{__package__}._zmq_pointers")
    if pointers is not None:
        pointers.close_process_wide()
    for owner, _ in retired:
        try:
            owner.free(owner.pointer)
        except BaseException:
            # The others must not dangle for it.
            sys.excepthook(*sys.exc_info())
    _blocking.join_unfinished()
    _blocking.let_settle(_scheduling._process_wide)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
