"""Commands that a program types by hand for one of C's own actors: vetted, since C ends the process over a wrong one.

``zstr.sendx(proxy, "FRONTEND", "PULL", "tcp://*:9999")`` is how programs in C drive a proxy, and how ported ones do. It
works here as it does there; but an actor aborts over a word that it does not know, one that has too few others with it,
and an endpoint that it cannot bind. So what is sent to an actor of C's is looked at first, by the same checks as those
of the functions in the actor's namespace, and a ValueError says what is wrong. Nothing of it is sent then.

Frames of a message that more are to follow wait here for the last one: the message is vetted, and sent, as a whole.

Whatever sends asks ``_handles.is_guarded`` before. That is true of the actor's handle, and of those for parts of it.
"""

from __future__ import annotations

import os
from importlib import import_module

from . import _actors, _handles, _multipart, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Optional

    from ._types import CData, Socketish

    State = _actors.State
    #: The frames as they are to be sent, and what is to be done once they are.
    Vetted = tuple[list[bytes], Optional[Callable[[], object]]]

_TERM = b"$TERM"

#: C's actors that need this, by name; the module that has `_vet`, which returns what is sent.
_NAMESPACES = {
    "zproxy": "zproxy",
    "zauth": "zauth",
    "zbeacon": "zbeacon",
    "zmonitor": "zmonitor",
    "zgossip": "zgossip",
    "zdir_watch": "zdir",
}


def guard(handle: CData, state: State) -> None:
    """Have whatever is sent to a handle vetted as a command for the actor of C's that *state* belongs to."""
    _handles.companions(handle)[_actors.State] = state
    _handles.guard(handle)


def guard_part(part: CData, whole: Socketish) -> None:
    """Guard a handle for a part of what *whole* is a handle of, if that is guarded."""
    if _handles.guarded and _handles.is_guarded(whole):
        guard(part, _state(whole))


def needed(function: Any) -> bool:
    """Tell whether an actor that runs this C function has to be guarded."""
    return _name(function) is not None


def _name(function: Any) -> str | None:
    """Return which of C's actors that need this a C function is, if any."""
    return next((name for name in _NAMESPACES if function == getattr(C, name, None)), None)


def refuse(dest: Socketish, name: str) -> None:
    """Raise TypeError for an actor of C's, where messages from elsewhere would be sent on to it."""
    if _handles.guarded and _handles.is_guarded(dest):
        raise TypeError(f"{name} is an actor of C's, which takes nothing but its commands")


def send(dest: Socketish, frames: Iterable[bytes | CData], more: bool = False) -> int:
    """Send a command, or some frames of one, as `_multipart.send` does: 0, or -1 if that could not be."""
    sent: int = _send(dest, frames, more, _multipart.send)
    return sent


def send_now(dest: Socketish, frames: Iterable[bytes | CData], more: bool = False) -> int | None:
    """Send a command, or some frames of one, without waiting; 0, or None if that cannot be."""
    sent: int | None = _send(dest, frames, more, _multipart.send_now)
    return sent


def _send(dest: Socketish, frames: Iterable[bytes | CData], more: bool, function: Callable[..., Any]) -> Any:
    state = _state(dest)
    words = [frame if isinstance(frame, bytes) else bytes(ffi.buffer(frame)) for frame in frames]
    waiting = [*state.begun, *words]
    if more or not waiting:
        state.begun = waiting
        return 0
    try:
        words, note = _vet(state, waiting)
    except BaseException:
        state.begun = []
        raise
    # Not the actor's own handle, which would lead back here.
    handle = ffi.cast("void *", _handles.socket(dest))
    sent = function(handle, handle, words)
    if sent == 0:
        state.begun = []
        if note is not None:
            note()
    return sent


def _state(handle: CData) -> State:
    found: State = (_handles.find_companions(handle) or {})[_actors.State]
    return found


def _vet(state: State, words: list[bytes]) -> Vetted:
    """Return a command as it is to be sent, or raise ValueError for what the actor must not get."""
    if words[0] == _TERM and len(words) == 1:
        return words, None
    if not words[0].isascii() or b"\0" in words[0]:
        raise unknown(state, words)
    name = _name(state.function)
    if name is None:
        return words, None
    vetted: Vetted = import_module(f".{_NAMESPACES[name]}", __package__)._vet(state, *words)
    return vetted


def unknown(state: State, words: Iterable[bytes]) -> ValueError:
    """Return what to raise for a command that an actor does not know."""
    name = _name(state.function) or "this actor"
    return ValueError(f"{name} has no command {_text.decode(next(iter(words), b''))!r}: C would abort")


def take(words: tuple[bytes, ...], least: int, most: int | None = None) -> list[bytes]:
    """Return what comes with a command, if it is as much as the command takes, and text."""
    given = list(words[1:])
    if len(given) < least or (most is not None and len(given) > most):
        number = f"{least}" if least == most else f"{least} to {most}" if most is not None else f"{least} or more"
        raise ValueError(f"the command {_text.decode(words[0])} takes {number} words, not {len(given)}")
    return [_text.cstring(word, f"a word of the command {_text.decode(words[0])}") for word in given]


def number(word: bytes, name: str, least: int, most: int = 2**31 - 1) -> int:
    """Return the number that a word is; ValueError for one that is none, or out of range."""
    if not word.isdigit() or len(word) > 10 or not least <= int(word) <= most:
        raise ValueError(f"{name} must be from {least} to {most}, not {_text.decode(word)!r}")
    return int(word)


def regular(path: bytes, name: str) -> bytes:
    """Return a path where C would find a file or nothing: at one end of a pipe it would wait for ever."""
    if not path or (os.path.exists(path) and not os.path.isfile(path)):
        raise ValueError(f"{name} {os.fsdecode(path)!r} is not a file")
    return path
