"""zctx: CZMQ 2's contexts, each with a libzmq context of its own and a list of the sockets made in it."""

from __future__ import annotations

import errno
import os
import sys
import time
from _thread import RLock, get_ident
from functools import partial
from itertools import compress
from operator import is_not

from .. import _blocking, _scheduling, _threads
from .._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._types import CData, Ctx, Socket

_LINGER = 17
_SNDHWM = 23
_RCVHWM = 24
_IO_THREADS = 1
_MAX_SOCKETS = 2

#: Seconds after which `Context.destroy` says that it waits for other threads to close their sockets.
PATIENCE = 5.0

#: Seconds that threads have to come back from waiting on sockets that are about to be closed.
_GRACE = 0.01

_starting = RLock()

_is_known = partial(is_not, None)


class Context:
    """What a ``zctx_t *`` stands for.

    A shadow has sockets of its own in the libzmq context of its *root*; the root of any other context is itself. A
    libzmq context that came from elsewhere has no root here.
    """

    def __init__(self) -> None:
        self.underlying: CData | None = None
        self.root: Context | None = self
        self.shadows: dict[Context, None] = {}
        self.ended = False
        self.thread = 0
        self.iothreads = 1
        #: How many sockets libzmq lets there be; 0 is its own default.
        self.max_sockets = 0
        self.linger = 0
        self.pipehwm = 1000
        self.sndhwm = 1000
        self.rcvhwm = 1000
        #: The open sockets, youngest last, and whether each is closed with its own linger, not the context's.
        self.sockets: dict[CData, bool] = {}
        # The address of a handle to this very object is what C code sees; it is unique while the handle lives.
        self.handle = ffi.new_handle(self)
        self.pointer: Ctx = ffi.cast("zctx_t *", self.handle)
        _contexts[self.pointer] = self

    def start(self) -> CData:
        """Return the libzmq context, made at first use.

        Raises ValueError for a shadow whose root was destroyed, OSError where there are too few descriptors.
        """
        if self.underlying is None:
            if self.ended:
                raise ValueError("the context that this zctx_t shadows was destroyed")
            with _starting:
                if self.underlying is None:
                    made = C.zmq_ctx_new()
                    if not made:
                        raise OSError(ffi.errno, os.strerror(ffi.errno))
                    C.zmq_ctx_set(made, _IO_THREADS, self.iothreads)
                    if self.max_sockets:
                        C.zmq_ctx_set(made, _MAX_SOCKETS, self.max_sockets)
                    self.underlying = made
        return self.underlying

    def open(self, kind: int) -> Socket:
        """Return a new socket with the context's high-water marks, or NULL with errno set."""
        null: Socket = ffi.cast("void *", 0)
        if self.ended:
            ffi.errno = _blocking.ETERM
            return null
        try:
            underlying = self.start()
        except OSError as error:
            ffi.errno = error.errno or errno.EMFILE
            return null
        if not _scheduling.can_start(underlying):
            return null
        made: list[Socket] = []
        try:
            # In one step: whatever a signal's handler raises, no socket is forgotten. The context's end waits for each.
            made.extend(map(C.zmq_socket, (underlying,), (kind,)))
            handle = made[0]
            if handle:
                _scheduling.note_started(underlying)
                set_option(handle, _SNDHWM, self.sndhwm)
                set_option(handle, _RCVHWM, self.rcvhwm)
                self.thread = get_ident()
                self.sockets[handle] = False
        except BaseException:
            for handle in made:
                if handle and handle not in self.sockets:
                    C.zmq_close(handle)
            raise
        return handle

    def close(self, handle: CData) -> None:
        """Close one socket of this context, with the context's linger if not its own; any other pointer is let be."""
        keeps = self.sockets.get(handle)
        if keeps is not None:
            if not keeps:
                set_option(handle, _LINGER, self.linger)
            # In one step, as above: closed and forgotten, or neither.
            known = map(_is_known, map(self.sockets.pop, (handle,), (None,)))
            list(map(C.zmq_close, compress((handle,), known)))

    def keep_linger(self, handle: CData) -> None:
        """Begin a socket with the context's linger, and close it with what that is by then, as CZMQ 2 did not."""
        set_option(handle, _LINGER, self.linger)
        self.sockets[handle] = True

    def in_other_thread(self) -> bool:
        """Tell whether this context's sockets are in the hands of another thread, one that still runs."""
        return bool(self.sockets) and self.thread != get_ident() and self.thread in sys._current_frames()

    def idle_shadows(self) -> list[Context]:
        """Return the shadows that no other thread uses: they are destroyed with their root."""
        return [shadow for shadow in self.shadows if not shadow.in_other_thread()]

    def destroy(self, background: bool = False) -> None:
        """Close the sockets, youngest first, then terminate the libzmq context unless it is shared.

        Shadows go with their root, but a socket that another thread uses is not closed under its feet: calls on it fail
        with ETERM, as in C, and the root waits until its thread has closed it. In the *background* nobody waits.
        """
        if _contexts.pop(self.pointer, None) is None:
            return
        if self.root is not self:
            if self.root is not None:
                self.root.shadows.pop(self, None)
            self._close_all()
            return
        self._end(background)

    def _end(self, background: bool) -> None:
        """End the libzmq context, and what shares it."""
        ending = [*self.idle_shadows(), self]
        in_use = [shadow for shadow in self.shadows if shadow not in ending]
        underlying = self.underlying
        try:
            self._close_sockets(ending, in_use)
            if underlying is not None and not background:
                _await(in_use)
        except BaseException:
            background = True
            for context in ending:
                context._close_all()
            raise
        finally:
            if underlying is not None:
                _scheduling.forget(underlying)
                _blocking.terminate(underlying, background)

    def _close_sockets(self, ending: list[Context], in_use: list[Context]) -> None:
        """Close the sockets of those that end, and have calls on those in use fail."""
        underlying = self.underlying
        if underlying is not None and any(context.sockets for context in (*ending, *in_use)):
            # Once the context has ended no linger can be set any more.
            for context in (*ending, *in_use):
                for handle, keeps in list(context.sockets.items()):
                    if not keeps:
                        set_option(handle, _LINGER, context.linger)
            C.zmq_ctx_shutdown(underlying)
            _let_go()
        for context in ending:
            context._close_all()
        for context in (*ending, *in_use):
            context.ended = True
            context.underlying = None

    def _close_all(self) -> None:
        for handle in reversed(list(self.sockets)):
            self.close(handle)


def _let_go() -> None:
    """Give threads that wait on sockets of a context that has just been shut down the time to come back."""
    others = _threads.waiting.keys() - {get_ident()}
    deadline = time.monotonic() + _GRACE
    while others & _threads.waiting.keys() and time.monotonic() < deadline:
        time.sleep(0.0005)


def _await(shadows: list[Context]) -> None:
    """Wait for a while until other threads have closed the sockets of *shadows*; warn if they have not."""
    deadline = time.monotonic() + PATIENCE
    while any(shadow.sockets for shadow in shadows):
        if time.monotonic() > deadline:
            import warnings

            count = sum(len(shadow.sockets) for shadow in shadows)
            warnings.warn(
                f"a zctx that is being destroyed waits for other threads to close {count} sockets of its shadows",
                RuntimeWarning,
                stacklevel=2,
            )
            return
        time.sleep(0.001)


_contexts: dict[CData, Context] = {}


def _after_fork() -> None:
    """Forget the parent's contexts: the child must not touch them."""
    global _starting
    _starting = RLock()
    _contexts.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def find(pointer: CData) -> Context | None:
    """Return the context behind a ``zctx_t *``; None if it is not one of ours that is alive."""
    return _contexts.get(pointer)


def context(pointer: CData) -> Context:
    """Return the context behind a ``zctx_t *``; ValueError for any other pointer, where C would crash."""
    found = _contexts.get(pointer)
    if found is None:
        raise ValueError("not a zctx_t that is alive")
    return found


def is_alive(pointer: CData) -> bool:
    """Tell whether a context that was once alive still is; always, where libczmq itself has contexts."""
    return pointer in _contexts or C.zctx_new is not zctx_new


def underlying_contexts() -> list[CData]:
    """Return the libzmq contexts of all contexts that are alive."""
    return [found.underlying for found in list(_contexts.values()) if found.underlying is not None]


def set_option(handle: CData, option: int, value: int) -> None:
    """Set an int option of a libzmq socket."""
    C.zmq_setsockopt(handle, option, ffi.new("int *", value), 4)


def zctx_new() -> Ctx:
    """C: ``zctx_t *zctx_new (void)``."""
    return Context().pointer


def zctx_destroy(self_p: CData) -> None:
    """C: ``void zctx_destroy (zctx_t **self_p)``."""
    if self_p[0]:
        found = context(self_p[0])
        self_p[0] = ffi.NULL
        found.destroy()


def _shadow(root: Context | None, underlying: CData | None) -> Context:
    shadow = Context()
    shadow.root = root
    shadow.underlying = underlying
    shadow.ended = underlying is None
    if root is not None:
        root.shadows[shadow] = None
    return shadow


def zctx_shadow(self: CData) -> Ctx:
    """C: ``zctx_t *zctx_shadow (zctx_t *self)``."""
    parent = context(self)
    shadow = _shadow(parent.root, None if parent.ended else parent.start())
    shadow.linger = parent.linger
    shadow.pipehwm = parent.pipehwm
    shadow.sndhwm = parent.sndhwm
    shadow.rcvhwm = parent.rcvhwm
    return shadow.pointer


def zctx_shadow_zmq_ctx(zmqctx: CData) -> Ctx:
    """C: ``zctx_t *zctx_shadow_zmq_ctx (void *zmqctx)``."""
    roots = (found for found in _contexts.values() if found.root is found and found.underlying == zmqctx)
    return _shadow(next(roots, None), ffi.cast("void *", zmqctx)).pointer


def zctx_set_iothreads(self: CData, iothreads: int) -> None:
    """C: ``void zctx_set_iothreads (zctx_t *self, int iothreads)``."""
    context(self).iothreads = iothreads


def zctx_set_linger(self: CData, linger: int) -> None:
    """C: ``void zctx_set_linger (zctx_t *self, int linger)``."""
    context(self).linger = linger


def zctx_set_pipehwm(self: CData, pipehwm: int) -> None:
    """C: ``void zctx_set_pipehwm (zctx_t *self, int pipehwm)``."""
    context(self).pipehwm = pipehwm


def zctx_set_sndhwm(self: CData, sndhwm: int) -> None:
    """C: ``void zctx_set_sndhwm (zctx_t *self, int sndhwm)``."""
    context(self).sndhwm = sndhwm


def zctx_set_rcvhwm(self: CData, rcvhwm: int) -> None:
    """C: ``void zctx_set_rcvhwm (zctx_t *self, int rcvhwm)``."""
    context(self).rcvhwm = rcvhwm


def zctx_underlying(self: CData) -> CData:
    """C: ``void *zctx_underlying (zctx_t *self)``."""
    return context(self).underlying or ffi.NULL


FUNCTIONS = {
    function.__name__: function
    for function in (
        zctx_new,
        zctx_destroy,
        zctx_shadow,
        zctx_shadow_zmq_ctx,
        zctx_set_iothreads,
        zctx_set_linger,
        zctx_set_pipehwm,
        zctx_set_sndhwm,
        zctx_set_rcvhwm,
        zctx_underlying,
    )
}
