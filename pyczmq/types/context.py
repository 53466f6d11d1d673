"""Context: a world of sockets of its own."""

from __future__ import annotations

import errno
import time
import weakref

from .. import _scheduling, zctx, zmq, zsocket
from .._czmq2 import zctx as _rebuilt
from .._numbers import integer
from . import _registry, errors
from ._base import Object, guarded
from ._socket import BaseSocket
from .socket import Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: errno, where no socket could be made -> what more to say.
_HINTS = {
    errno.EMFILE: "see Context.set_max_sockets, and the system's limit of open files",
    errno.ENOMEM: _scheduling.NO_THREADS,
}

#: Seconds that the threads that are in calls with a context's sockets have to leave them when it is closed.
_PATIENCE = 5.0


class Context(Object):
    """A context: sockets of different contexts do not see each other's ``inproc`` endpoints.

    >>> from pyczmq import Context, zmq
    >>> with Context() as context:
    ...     pull = context.socket(zmq.PULL, bind="inproc://results")
    ...     push = context.socket(zmq.PUSH, connect="inproc://results")
    ...     push.send("42")
    ...     pull.recv()
    0
    '42'

    A socket keeps its context alive. A context may be shared by threads, its sockets not.
    """

    __slots__ = ("_is_shadow", "_sockets", "_world")
    _noun = "context"

    def __init__(
        self,
        iothreads: int = 1,
        *,
        linger: int = 0,
        sndhwm: int = 1000,
        rcvhwm: int = 1000,
        pipehwm: int = 1000,
        max_sockets: int = 1023,
    ) -> None:
        """Make a context with so many I/O threads; the rest is what its sockets begin with.

        *linger*: milliseconds for which a closed socket goes on sending, -1 for ever. *sndhwm*, *rcvhwm*: high-water
        marks, in messages per peer, 0 for no limit. *max_sockets*: how many sockets there may be at once.
        """
        super().__init__(zctx.new())
        self._is_shadow = False
        self.set_iothreads(iothreads)
        self.set_linger(linger)
        self.set_sndhwm(sndhwm)
        self.set_rcvhwm(rcvhwm)
        self.set_pipehwm(pipehwm)
        self.set_max_sockets(max_sockets)
        self._enter(_registry.World())

    def _enter(self, world: _registry.World) -> None:
        """Note which libzmq context this is one for, and that it is there."""
        #: The sockets, and what watches them: all that is to be closed with the context.
        self._sockets: weakref.WeakSet[Object] = weakref.WeakSet()
        self._world = world
        with _registry.lock:
            _registry.contexts.add(self)

    @property
    def ctx(self) -> Any:
        """The handle: the old pyczmq's name for it."""
        return self.handle

    def socket(self, type: int | str, **arguments: Any) -> Socket:
        """Return a new socket in this context; the arguments are those of `Socket`."""
        return Socket(type, context=self, **arguments)

    def shadow(self) -> Context:
        """Return a context with its own list of sockets that shares this one's ``inproc`` endpoints.

        Threads use one each, so that each closes its own sockets; closing it leaves the others be.
        """
        context = Context.__new__(Context)
        Object.__init__(context, zctx.shadow(self.handle))
        context._is_shadow = True
        context._enter(self._world)
        return context

    @guarded
    def set_iothreads(self, iothreads: int) -> None:
        """Set the number of I/O threads, before the first socket is made; one is enough for a gigabyte per second."""
        zctx.set_iothreads(self._handle, iothreads)

    @guarded
    def set_linger(self, linger: int) -> None:
        """Set how many milliseconds the sockets made from now on go on sending once they are closed; -1 is for ever."""
        zctx.set_linger(self._handle, linger)

    @guarded
    def set_sndhwm(self, sndhwm: int) -> None:
        """Set the high-water mark for sending of sockets made from now on, in messages; 0 is no limit."""
        zctx.set_sndhwm(self._handle, sndhwm)

    @guarded
    def set_rcvhwm(self, rcvhwm: int) -> None:
        """Set the high-water mark for receiving of sockets made from now on, in messages; 0 is no limit."""
        zctx.set_rcvhwm(self._handle, rcvhwm)

    @guarded
    def set_pipehwm(self, pipehwm: int) -> None:
        """Set the high-water mark of pipes between threads, in messages; 0 is no limit."""
        zctx.set_pipehwm(self._handle, pipehwm)

    @guarded
    def set_max_sockets(self, max_sockets: int) -> None:
        """Set how many sockets there may be at once, before the first socket is made; up to a million.

        The system must let the process have as many descriptors, and more for connections: see
        ``resource.setrlimit`` and RLIMIT_NOFILE.
        """
        number = integer(max_sockets, "max_sockets", 1)
        _scheduling.check_limit(_scheduling.MAX_SOCKETS, number, "max_sockets")
        found = _rebuilt.find(self._handle)
        if found is not None:
            if found.underlying is not None:
                raise RuntimeError("max_sockets can be set only before the first socket is made")
            found.max_sockets = number

    def _new_socket(self, socket: BaseSocket) -> Any:
        """Return the handle for a new socket, and note the socket."""
        with _registry.lock:
            handle = zsocket.new(self.handle, socket.type)
            if handle is None:
                code = zmq.errno()
                hint = f" ({_HINTS[code]})" if code in _HINTS else ""
                raise errors.error(f"make a {socket.type.name} socket{hint}", code)
            found = _rebuilt.find(self.handle)
            if found is not None:
                found.keep_linger(handle)
            auth = _registry.find_auth()
            if auth is not None:
                try:
                    auth._answer(self)
                except BaseException:
                    zsocket.destroy(self.handle, handle)
                    raise
            self._sockets.add(socket)
        return handle

    def _note(self, watcher: Object) -> None:
        """Note what watches one of the sockets, to be closed with the context."""
        with _registry.lock:
            self._sockets.add(watcher)

    def close(self) -> None:
        """Close all sockets of the context, with their linger, and end it.

        A thread that is in a call with one of the sockets gets `ContextTerminated`; one that does not come back within
        5 seconds makes this a RuntimeError. So does one that is in a call with a socket of a shadow: only the context
        that it shadows can end that.
        """
        with _registry.lock:
            # A signal's handler may have raised while one was being made.
            sockets = [socket for socket in self._sockets if hasattr(socket, "_handle")]
        if not self._lock.acquire(False):
            raise self._in_use()
        try:
            if not self.closed:
                self._close_sockets(sockets)
            super().close()
        finally:
            self._lock.release()

    def _close_sockets(self, sockets: list[Object]) -> None:
        busy = []
        for socket in sockets:
            try:
                socket.close()
            except RuntimeError:
                busy.append(socket)
        if not busy:
            return
        if self._is_shadow:
            raise RuntimeError(f"{busy[0]!r} is in use in another thread")
        underlying = zctx.underlying(self._handle)
        if underlying is not None:
            zmq.ctx_shutdown(underlying)
        deadline = time.monotonic() + _PATIENCE
        for socket in busy:
            if not socket._lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
                raise RuntimeError(f"{socket!r} is in use in another thread, which does not give it back")
            try:
                socket.close()
            finally:
                socket._lock.release()

    def _destroy(self, handle: Any) -> None:
        zctx.destroy(handle)

    def __repr__(self) -> str:
        if self.closed:
            return "<Context closed>"
        with _registry.lock:
            known = list(self._sockets)
        sockets = sum(isinstance(socket, BaseSocket) and not socket.closed for socket in known)
        return f"<Context with {sockets} socket{'s' * (sockets != 1)}>"
