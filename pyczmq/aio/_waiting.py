"""Waiting for a libzmq socket in asyncio: in which order, and what the socket's descriptor has to do with it.

The descriptor becomes readable when there is news for the socket, and *any* call on the socket may take the news off:
after that the descriptor says nothing, however much there is to receive. So whoever is about to wait looks at the
socket first, and after each call on it whoever waits already is told to look again. No thread is needed, and nobody
looks without a reason.
"""

from __future__ import annotations

import asyncio
import weakref
from _thread import RLock, get_ident
from collections import deque
from functools import partial

from .. import _blocking, _handles, _threads, zmq, zsocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..types._base import Object

POLLIN = _blocking.POLLIN
POLLOUT = _blocking.POLLOUT
_AGAIN = (zmq.EAGAIN, zmq.EINTR)

#: Calls on one socket that go on at once, one after the other, before other tasks get their turn.
FAIR = 100

#: Seconds to the next try of a ROUTER that says that it is ready while the one peer it should send to is full.
_MOMENT = 0.001


class Lock:
    """An object's lock, which has whoever waits for the object look again after each call that it has guarded."""

    __slots__ = ("_release", "acquire", "waiters")

    def __init__(self, waiters: Waiters) -> None:
        self.waiters = waiters
        self.acquire = waiters.lock.acquire
        self._release = waiters.lock.release

    def release(self) -> None:
        """Release the lock."""
        self._release()
        if self.waiters.any():
            self.waiters.rouse_soon()


class Waiters:
    """Those who wait for one socket, in one event loop: for input, for room, or just to know of either.

    *sock* is the handle, of any kind of socket. *also* returns which events nobody need wait for although the socket is
    not ready, where that can be: what was received already, say.
    """

    __slots__ = (
        *("__weakref__", "_also", "_loop", "_number", "_queues", "_streak", "_thread"),
        *("_watchers", "lock", "sock"),
    )

    def __init__(self, sock: Any, also: Callable[[], int] | None = None) -> None:
        self.sock = sock
        self._also = also
        self.lock = RLock()
        self._queues: dict[int, deque[asyncio.Future[None]]] = {POLLIN: deque(), POLLOUT: deque()}
        #: Those who want to know of events: (events, what gets a result then).
        self._watchers: list[tuple[int, asyncio.Future[None]]] = []
        self._streak = 0
        #: The loop that watches the descriptor, None as long as nobody has waited.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._number = -1
        self._thread = 0

    def any(self) -> bool:
        """Tell whether anybody waits."""
        return bool(self._queues[POLLIN] or self._queues[POLLOUT] or self._watchers)

    async def run(self, owner: Object, attempt: Callable[[Any, Any], Any], events: int, what: str) -> Any:
        """Return what *attempt* does, once that is not None: at once if it can be, without a turn of the loop.

        Those who wait for the same *events* take turns, first come, first served. Being cancelled loses nothing: what
        was received is returned with no await in between.
        """
        queue = self._queues[events]
        yields = self._streak >= FAIR
        if not queue and not yields:
            self._streak += 1
            try:
                result = self._try(owner, attempt, what)
            finally:
                if self.any():
                    self.rouse()
            if result is not None:
                return result
        loop = self._attend(owner)
        self._streak = 0
        turn = loop.create_future()
        queue.append(turn)
        try:
            if yields:
                loop.call_soon(self.rouse)
            else:
                self.rouse()
            while True:
                await turn
                result = self._try(owner, attempt, what)
                if result is not None:
                    return result
                turn = queue[0] = loop.create_future()
                # The socket has said that it is ready, and is not: a look at it now would take off the news that its
                # descriptor is to tell.
                loop.call_later(_MOMENT, self.rouse)
        finally:
            queue.remove(turn)
            self.rouse()

    def look(self, owner: Object, events: int) -> int:
        """Return which of *events* the socket is ready for now."""
        ready: int = self._try(owner, lambda sock, handle: self._events() & events, "poll")
        self.rouse()
        return ready

    def watch(self, owner: Object, events: int, future: asyncio.Future[None]) -> None:
        """Give *future* a result when the socket is ready for one of *events*, until `unwatch`."""
        self._attend(owner)
        self._watchers.append((events, future))

    def unwatch(self, future: asyncio.Future[None]) -> None:
        """End what `watch` has begun."""
        self._watchers = [watcher for watcher in self._watchers if watcher[1] is not future]

    def rouse(self) -> None:
        """Wake whoever can go on: the first for input, the first for room, and all who want to know."""
        if not self.any() or self._loop is None or self._loop.is_closed():
            return
        if self._is_elsewhere():
            self.rouse_soon()
            return
        if not self.lock.acquire(False):
            # Another thread is in a call with the socket, against the rules; its release of the lock leads back here.
            return
        try:
            events = self._events()
        finally:
            self.lock.release()
        for wanted, queue in self._queues.items():
            if queue and events & wanted:
                _resolve(queue[0])
        for wanted, future in self._watchers:
            if events & wanted:
                _resolve(future)

    def rouse_soon(self) -> None:
        """Wake them in the loop's next turn, from whatever thread this is."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.rouse)

    def close(self, error: Exception) -> None:
        """Forget the descriptor, which is about to be closed, and give all who wait an error."""
        if self._is_elsewhere():
            raise RuntimeError("the event loop of another thread waits for this: close it there")
        self._forget()
        for queue in self._queues.values():
            for turn in queue:
                if not turn.done():
                    turn.set_exception(error)
        for _, future in self._watchers:
            if not future.done():
                future.set_exception(error)

    def _try(self, owner: Object, attempt: Callable[[Any, Any], Any], what: str) -> Any:
        """Return what *attempt* does, None if it must wait; any other error is raised."""
        if not self.lock.acquire(False):
            raise owner._in_use()
        try:
            if owner._handle is None:
                raise owner._closed_error()
            result = attempt(self.sock, _handles.socket(self.sock, owner._noun))
            if result is None and zmq.errno() not in _AGAIN:
                error = owner._failed(what)
                # The loop of a daemon thread's is none of those that are waited for at exit.
                _threads.leave_if_exiting()
                raise error
            return result
        finally:
            self.lock.release()

    def _events(self) -> int:
        """Return what the socket is ready for; everything once its context has ended: the next call tells."""
        if _handles.fate(self.sock) is not None:
            return POLLIN | POLLOUT
        # It may look at the socket itself, and take news off the descriptor that the look after it is to tell.
        also = 0 if self._also is None else self._also()
        try:
            events: int = zsocket.events(self.sock)
        except OSError:
            return POLLIN | POLLOUT
        return events | also

    # ------------------------------------------------------------ the descriptor

    def _attend(self, owner: Object) -> asyncio.AbstractEventLoop:
        """Have the running loop watch the descriptor, and return the loop."""
        loop = asyncio.get_running_loop()
        if not self.lock.acquire(False):
            raise owner._in_use()
        self.lock.release()
        if self._loop is not loop:
            if self._is_elsewhere() or (self.any() and self._loop is not None and not self._loop.is_closed()):
                raise RuntimeError(f"the {owner._noun} is waited for in another event loop")
            self._forget()
            number: int = zsocket.fd(self.sock)
            loop.add_reader(number, partial(_on_news, weakref.ref(self)))
            self._loop, self._number, self._thread = loop, number, get_ident()
        return loop

    def _is_elsewhere(self) -> bool:
        """Tell whether a loop that runs in another thread watches the descriptor."""
        return self._loop is not None and self._loop.is_running() and self._thread != get_ident()

    def _forget(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and not loop.is_closed():
            loop.remove_reader(self._number)

    def news(self) -> None:
        """Have a look at the socket, since its descriptor is readable; where nobody waits it is not watched on."""
        if self.any():
            self.rouse()
        else:
            self._forget()

    def __del__(self) -> None:
        # The descriptor's number may go to another file.
        if self._is_elsewhere():
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._loop.remove_reader, self._number)
        else:
            self._forget()


def _on_news(reference: weakref.ref[Waiters]) -> None:
    waiters = reference()
    if waiters is not None:
        waiters.news()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
