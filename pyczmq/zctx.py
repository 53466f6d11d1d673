"""zctx: contexts. A context owns the sockets that are made in it, and closes them when it ends.

Each context is a world of its own: ``inproc`` names of one are unknown in the other. It has one I/O thread and gives
its sockets high-water marks of 1000 messages unless it is told otherwise, and when it closes a socket, what that socket
has not sent yet is dropped after the linger, 0 by default. These are the contexts of CZMQ 2; where the loaded libczmq
has them no more they are rebuilt over libzmq.

    ctx = zctx.new()
    push = zsocket.new(ctx, zmq.PUSH)
    zctx.destroy(ctx)

Nothing needs an explicit destroy: a context that nobody refers to ends in the background. A socket keeps its context
alive. A context may be shared by threads, a socket may not; a thread that wants contexts to be closed piece by piece
makes a shadow of its own.
"""

from __future__ import annotations

import weakref

from . import _handles
from ._cffi import C, ffi
from ._czmq2 import zctx as _rebuilt
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._types import CData, Ctx

    #: Whether CZMQ's own signal handler has seen SIGINT or SIGTERM; 0 as long as Python keeps its handlers.
    interrupted: int

_CTX = ffi.typeof("zctx_t *")
_VOID = ffi.typeof("void *")

#: More I/O threads than this are refused: libzmq aborts where the process has no descriptors left for them.
MOST_IOTHREADS = 255

#: No context is at an address in the first page of memory; smaller numbers are something else.
_LEAST_ADDRESS = 4096

#: Bytes of a libzmq context in which its mark is.
_CONTEXT_BYTES = 1024

#: Handles of shadows, by address.
_shadows: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def _address(pointer: CData) -> int:
    return int(ffi.cast("uintptr_t", pointer))


def _free(pointer: CData) -> None:
    C.zctx_destroy(ffi.new("zctx_t **", pointer))


def _collect(pointer: CData) -> None:
    """Free a context for the garbage collector, which must not wait for what lingers."""
    found = _rebuilt.find(pointer)
    if found is not None:
        found.destroy(background=True)
    elif _rebuilt.is_alive(pointer):
        _free(pointer)


def new() -> Ctx:
    """Return a new context; libzmq's context behind it is made with the first socket.

    The garbage collector owns it. When it is collected, what lingers is sent in the background.

    C: ``zctx_t *zctx_new (void)``
    """
    ctx = _handles.own(C.zctx_new(), _collect)
    if ctx is None:
        raise MemoryError("zctx_new")
    return ctx


def destroy(ctx: Ctx | None) -> None:
    """Close all sockets of a context and end it; None is let through.

    Waits as long as the linger of its sockets allows for what they still send; Ctrl-C ends the wait. The handles of the
    sockets are refused from now on. So are the shadows of this context, and their sockets, unless another thread uses
    them: there calls fail with ETERM, and this one waits until that thread has closed its sockets (it warns after some
    seconds). Destroying a shadow closes its own sockets and no more.

    C: ``void zctx_destroy (zctx_t **self_p)``
    """
    if ctx is None:
        return
    _handles.live(ctx, _CTX, "ctx")
    found = _rebuilt.find(ctx)
    for shadow in found.idle_shadows() if found is not None else ():
        handle = _shadows.get(_address(shadow.pointer))
        if handle is not None:
            _destroy(handle, "was destroyed with the context that it shadows")
    _destroy(ctx, "was destroyed")


def _destroy(ctx: Ctx, what: str) -> None:
    found = _rebuilt.find(ctx)
    owner = _handles._owned.get(id(ctx))
    _handles.disown(ctx, what)
    if found is not None and owner is None:
        # The sockets of a raw context are not known as its children.
        for child in list(_handles._owned.values()):
            if child.pointer in found.sockets:
                child.retire("was closed with its context")
    _free(ctx)


def shadow(ctx: Ctx) -> Ctx:
    """Return a shadow: a context with its own list of sockets that shares libzmq's context with *ctx*.

    Linger and high-water marks are copied. Threads that take part in an ``inproc`` conversation use shadows, so that
    each closes its own sockets. A shadow keeps the context that it shadows alive, and never ends it.

    C: ``zctx_t *zctx_shadow (zctx_t *self)``
    """
    return _own_shadow(C.zctx_shadow(_handles.live(ctx, _CTX, "ctx")), ctx)


def shadow_zmq_ctx(zmqctx: CData | int) -> Ctx:
    """Return a shadow of any libzmq context, given as ``void *`` or as its address.

    It must be a context of the libzmq that CZMQ runs on, and outlive the shadow's sockets; see `shadow_pyzmq_ctx` for
    PyZMQ's. Raises ValueError where libzmq sees that it is no context.

    C: ``zctx_t *zctx_shadow_zmq_ctx (void *zmqctx)``
    """
    if isinstance(zmqctx, int):
        integer(zmqctx, "zmqctx", _LEAST_ADDRESS, 2 ** (8 * ffi.sizeof("void *")) - 1)
        if not _is_readable(zmqctx):
            raise ValueError(f"zmqctx is {zmqctx}, an address with no memory behind it")
        return _shadow_pointer(ffi.cast("void *", zmqctx), None)
    return _shadow_pointer(_handles.live(zmqctx, _VOID, "zmqctx"), zmqctx)


def _is_readable(address: int) -> bool:
    """Tell whether libzmq can look for its mark at an address; True where that cannot be found out."""
    try:
        with open("/proc/self/maps", encoding="ascii", errors="replace") as maps:
            for line in maps:
                bounds, access = line.split(" ", 2)[:2]
                first, last = (int(bound, 16) for bound in bounds.split("-"))
                if first <= address <= last - _CONTEXT_BYTES:
                    return access.startswith("r")
    except OSError:
        return True
    return False


def _shadow_pointer(pointer: CData, keep: Any) -> Ctx:
    if C.zmq_ctx_get(pointer, C.ZMQ_IO_THREADS) < 0:
        raise ValueError("zmqctx is not a context of libzmq")
    return _own_shadow(C.zctx_shadow_zmq_ctx(pointer), keep)


def _own_shadow(pointer: Ctx, keep: Any) -> Ctx:
    """Return the handle for a fresh shadow, which keeps what it shadows."""

    def keeper(_: CData, keep: Any = keep) -> None:
        pass

    handle = _handles.own(pointer, _collect, keeper=keeper)
    if handle is None:
        raise MemoryError("zctx_shadow")
    _shadows[_address(handle)] = handle
    return handle


def set_iothreads(ctx: Ctx, iothreads: int) -> None:
    """Set the number of I/O threads, 1 by default; it must be set before the first socket is made.

    One is enough for a gigabyte per second. With 0 only ``inproc`` works.

    C: ``void zctx_set_iothreads (zctx_t *self, int iothreads)``
    """
    C.zctx_set_iothreads(_handles.live(ctx, _CTX, "ctx"), integer(iothreads, "iothreads", 0, MOST_IOTHREADS))


def set_linger(ctx: Ctx, linger: int) -> None:
    """Set how many milliseconds sockets that are closed go on sending; 0 by default, -1 is for ever.

    C: ``void zctx_set_linger (zctx_t *self, int linger)``
    """
    C.zctx_set_linger(_handles.live(ctx, _CTX, "ctx"), integer(linger, "linger", -1))


def set_pipehwm(ctx: Ctx, pipehwm: int) -> None:
    """Set the high-water mark of pipes between threads, 1000 messages by default; 0 is no limit.

    C: ``void zctx_set_pipehwm (zctx_t *self, int pipehwm)``
    """
    C.zctx_set_pipehwm(_handles.live(ctx, _CTX, "ctx"), integer(pipehwm, "pipehwm", 0))


def set_sndhwm(ctx: Ctx, sndhwm: int) -> None:
    """Set the high-water mark for sending of sockets made from now on, 1000 messages by default; 0 is no limit.

    C: ``void zctx_set_sndhwm (zctx_t *self, int sndhwm)``
    """
    C.zctx_set_sndhwm(_handles.live(ctx, _CTX, "ctx"), integer(sndhwm, "sndhwm", 0))


def set_rcvhwm(ctx: Ctx, rcvhwm: int) -> None:
    """Set the high-water mark for receiving of sockets made from now on, 1000 messages by default; 0 is no limit.

    C: ``void zctx_set_rcvhwm (zctx_t *self, int rcvhwm)``
    """
    C.zctx_set_rcvhwm(_handles.live(ctx, _CTX, "ctx"), integer(rcvhwm, "rcvhwm", 0))


def underlying(ctx: Ctx) -> CData | None:
    """Return libzmq's context as ``void *``, or None before the first socket or shadow is made.

    The pointer keeps *ctx* alive and is refused once *ctx* is destroyed. Sockets that are made in it by other means
    must be closed before that.

    C: ``void *zctx_underlying (zctx_t *self)``
    """
    return _handles.own(C.zctx_underlying(_handles.live(ctx, _CTX, "ctx")), _leave, ctx)


def _leave(_: CData) -> None:
    """Free nothing: it is the context's."""


def shadow_pyzmq_ctx(ctx: Any) -> Ctx:
    """Return a shadow of a PyZMQ context, so that both libraries' sockets meet over ``inproc``.

    The shadow keeps the PyZMQ object alive; close the shadow's sockets before its ``term``, which waits for them.
    Raises RuntimeError where PyZMQ runs on a libzmq of its own, as its binary wheels do; TypeError for anything but
    a ``zmq.Context``, and ValueError for one that is closed.
    """
    from . import _pyzmq

    return _shadow_pointer(_pyzmq.context(ctx), ctx)


if not TYPE_CHECKING:
    from ._alias import aliases

    _aliases = aliases("zctx")

    def __getattr__(name: str) -> Any:
        # A variable of C's, which must be read anew each time.
        return C.zctx_interrupted if name == "interrupted" else _aliases(name)
