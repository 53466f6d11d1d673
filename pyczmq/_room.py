"""Room for sockets, above all in the process-wide context: how many there are, and whether there can be more.

CZMQ aborts when it is called with sockets open, or without room for another one, where it should not be. And libzmq
closes sockets in the background, so that there may be room soon for what there is none for now.
"""

from __future__ import annotations

import atexit
import errno
import os
import time
from itertools import repeat

from . import _garbage, _handles, _scheduling, _threads
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ._types import CData, Socket

    Made = TypeVar("Made")

_PAIR = 0
_FD = 14
_EMFILE = "libzmq has no room for another socket: see zsys.set_max_sockets, and the limit of open files"

#: Seconds that a closed socket, or an actor that nobody refers to, may take to give its room back.
_PATIENCE = 0.25

#: Seconds in which libzmq has closed the sockets of a program that does nothing but open and close them.
_GLANCE = 0.01

#: Types whose handles have sockets in the process-wide context.
_HOLDERS = frozenset(
    ffi.typeof(f"{name}_t *")
    for name in ("zsock", "zactor", "zauth", "zbeacon", "zproc", "zhttp_client", "zhttp_server")
)

#: Sockets that zsys.socket made.
sockets: set[CData] = set()


class Probes:
    """Sockets, in the process-wide context as a rule, that are there to try something out, and are closed again.

    What a signal's handler raises may come at any moment, and one that stays open would hold up the end of the process
    for ever: so each step is one of Python's, and what is left then is closed at exit.
    """

    __slots__ = ("_closed", "_made")

    def __init__(self) -> None:
        self._made: list[Socket] = []
        self._closed: list[int] = []
        _probes.append(self)

    def open(self, kind: int, count: int, context: CData | None = None) -> list[Socket]:
        """Open sockets of a type, also in another context; NULL stands for one that could not be."""
        context = C.zsys_init() if context is None else context
        self._made.extend(map(C.zmq_socket, repeat(context, count), repeat(kind)))
        return self._made

    def close(self) -> None:
        """Close them, those that are not closed yet."""
        self._closed.extend(map(C.zmq_close, self._made[len(self._closed) :]))
        if self in _probes:
            _probes.remove(self)


_probes: list[Probes] = []


def close_probes() -> None:
    """Close, at exit, what was left open."""
    for probes in list(_probes):
        probes.close()


def refuse_while_open(function: str) -> None:
    """Raise RuntimeError if there are sockets, as far as Python knows: those of the raw floor it does not know."""
    owned = sum(ffi.typeof(owner.pointer) in _HOLDERS for owner in list(_handles._owned.values()))
    if owned + len(sockets):
        raise RuntimeError(
            f"zsys.{function} works only while there are no sockets: {owned + len(sockets)} zsocks, zactors or "
            "the like are alive, to be destroyed before"
        )


def make(count: int) -> None:
    """Raise OSError unless *count* more sockets can be made now, other threads aside.

    Where they cannot, what nobody refers to is given up, and is given time to close.
    """
    error = _try(count)
    if error and not wait_for(lambda: not _try(count)):
        error = _try(count) or error
        raise OSError(error, _scheduling.NO_THREADS if error == errno.ENOMEM else _EMFILE)


def wait_for(attempt: Callable[[], Made]) -> Made:
    """Call *attempt*, for which there was no room, until it returns something true, or for a moment: return that.

    What nobody refers to is given up, and is given time to close.
    """
    for _ in _garbage.rounds():
        made = _repeat(attempt, _GLANCE)
        if made:
            return made
    return _repeat(attempt, _PATIENCE)


def _repeat(attempt: Callable[[], Made], seconds: float) -> Made:
    deadline = time.monotonic() + seconds
    made = attempt()
    while not made and time.monotonic() < deadline:
        time.sleep(0.0005)
        made = attempt()
    return made


def _try(count: int) -> int:
    """Return 0 if *count* more sockets can be made now, else libzmq's errno."""
    if not _scheduling.has_context():
        return int(ffi.errno)
    context = C.zsys_init()
    if not _scheduling.can_start(context):
        return int(ffi.errno)
    probes = Probes()
    try:
        made = probes.open(_PAIR, count)
        error = int(ffi.errno)
        enough = all(made)
        if enough and not _scheduling.has_descriptors(_scheduling.SPARE):
            error, enough = int(ffi.errno), False
        if any(made):
            _scheduling.note_started(context)
        descriptors = [_descriptor(probe) for probe in made if probe]
    finally:
        probes.close()
    _await_closed(descriptors)
    # Everything is about to end, or has ended: see `_threads.stop_waiting`.
    _threads.leave_if_exiting()
    return 0 if enough else error


def await_closing(context: CData) -> bool:
    """Wait until libzmq's thread that closes a context's sockets has closed one that is given to it now.

    Tell whether it has; False where the context has no room for one, or is about to end.
    """
    probes = Probes()
    try:
        descriptors = [_descriptor(probe) for probe in probes.open(_PAIR, 1, context) if probe]
    finally:
        probes.close()
    return bool(descriptors) and _await_closed(descriptors)


def _await_closed(descriptors: list[int]) -> bool:
    """Wait for a while until another thread has closed sockets, which have given their room back by then."""
    deadline = time.monotonic() + _PATIENCE
    for descriptor in descriptors:
        while _is_open(descriptor):
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.0001)
    return True


def _descriptor(handle: CData) -> int:
    found = ffi.new("zmq_fd_t *")
    C.zmq_getsockopt(handle, _FD, found, ffi.new("size_t *", ffi.sizeof("zmq_fd_t")))
    return int(found[0])


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=sockets.clear)
    os.register_at_fork(after_in_child=_probes.clear)
atexit.register(close_probes)
