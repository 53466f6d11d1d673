"""What the ``void *`` of libzmq point to: sockets, contexts, pollers, timers …, which C itself cannot tell apart.

What `pyczmq.zmq` hands out is noted here by its address. So a context given as a socket is refused, whichever pointer
to it is given, and what was closed is refused; pointers that came from elsewhere are left to libzmq, which looks for a
mark inside what they point to.
"""

from __future__ import annotations

import os

from . import _handles
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ._keeper import Keeper
    from ._types import CData, Socket, Socketish

    Kind = TypeVar("Kind", bound=Keeper)

VOID = ffi.typeof("void *")

#: Sockets and contexts that were handed out and that their user closes: the handle, by its address.
handed_out: dict[CData, CData] = {}

#: What is not a socket: its kind, by its address.
kinds: dict[CData, str] = {}

_socket = _handles.socket

_LINGER = 17


def hand_out(pointer: CData, kind: str) -> CData | None:
    """Note a socket or context that its user will close, and return it; None for NULL."""
    if not pointer:
        return None
    handed_out[pointer] = pointer
    if kind != "socket":
        kinds[pointer] = kind
    return pointer


def own(pointer: CData, kind: str, free: Callable[[CData], object], keeper: Keeper | None = None) -> CData:
    """Note what the garbage collector shall free, with what is to live as long, and return its handle."""

    def release(pointer: CData) -> None:
        kinds.pop(pointer, None)
        free(pointer)

    kinds[pointer] = kind
    if keeper is not None:
        from . import _keeper

        return _keeper.own(pointer, release, keeper)  # type: ignore[return-value]
    return _handles.own(pointer, release, fork_safe=True)  # type: ignore[return-value]


def retire(handle: CData, what: str) -> None:
    """Refuse a socket or context that was handed out from now on."""
    original = handed_out.pop(handle, handle)
    kinds.pop(handle, None)
    for gone in {id(original): original, id(handle): handle}.values():
        _handles.kill(gone, what)


def socket(handle: Socketish, name: str = "socket") -> Socket:
    """Return the libzmq socket behind a handle, as `_handles.socket` does, and refuse other things of libzmq's."""
    pointer = _socket(handle, name)
    if kinds and pointer in kinds:
        raise TypeError(f"{name} must be a socket, not a {kinds[pointer]}")
    return pointer


def check(handle: CData, kind: str, name: str) -> CData:
    """Return *handle* unless it is known to be something else than a *kind*."""
    _handles.live(handle, VOID, name)
    found = kinds.get(handle)
    if found is None and (handle in handed_out or id(handle) in _handles._owned):
        from . import _czmq2

        found = "context" if handle in _czmq2.contexts() else "socket"
    if found is None:
        found = kind
    if found != kind:
        raise TypeError(f"{name} must be a {kind}, not a {found}")
    return handle


def check_own(handle: CData, kind: str, name: str) -> CData:
    """Return *handle* if it is a *kind* that `pyczmq.zmq` has made: in these libzmq has no mark, and frees anything."""
    if kinds.get(check(handle, kind, name)) != kind:
        raise TypeError(f"{name} must be a {kind} of pyczmq.zmq's; one of pyczmq.C's is for the functions of that")
    return handle


def keeper(handle: CData, kind: str, name: str, ctype: type[Kind]) -> Kind:
    """Return what goes with a set of timers or a poller, of the raw floor too."""
    from . import _keeper

    found = _keeper.find(check(handle, kind, name), VOID, name, ctype)
    if not isinstance(found, ctype):
        raise TypeError(f"{name} must be a {kind}")
    return found


def owner_of(handle: Socket) -> CData | None:
    """Return the handle that the garbage collector owns and whose socket *handle* is; None if there is none."""
    for owner in list(_handles._owned.values()):
        ctype = ffi.typeof(owner.pointer)
        if ctype is VOID:
            inner = owner.pointer
        elif ctype is _handles._SOCK or ctype is _handles._ACTOR:
            inner = C.zsock_resolve(owner.pointer)
        else:
            continue
        if inner == handle:
            return owner.handle()
    return None


def close_process_wide() -> None:
    """Close, at exit, sockets of `zmq.socket` in CZMQ's own context, which would wait for them for ever."""
    from . import _blocking, _inproc, _scheduling

    if not handed_out or not _scheduling.has_context():
        return
    context = int(ffi.cast("uintptr_t", C.zsys_init()))
    for handle in list(handed_out.values()):
        if (_handles.find_companions(handle) or {}).get(_inproc.CONTEXT) == context:
            handed_out.pop(handle, None)
            C.zmq_setsockopt(handle, _LINGER, ffi.new("int *", _blocking.EXIT_LINGER), 4)
            C.zmq_close(handle)


def _after_fork() -> None:
    for handle in list(handed_out):
        retire(handle, "belongs to the parent process")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
