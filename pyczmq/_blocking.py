"""Blocking calls that signals can end: waiting, sending, receiving and terminating over libzmq.

The C functions that block would sleep through Python's signal handlers. So a call first tries without blocking, and
only if that finds nothing does it wait here, in slices on the main thread, with the handlers run in between: Ctrl-C
comes out as KeyboardInterrupt, and after any other signal the wait goes on with what is left of its time (PEP 475).
"""

from __future__ import annotations

import errno
import os
import time
from _thread import allocate_lock

from . import _threads
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._types import CData, PollItem, Socket, ZmqMsg

POLLIN = 1
POLLOUT = 2
_DONTWAIT = 1
_SNDMORE = 2
_XSUB = 10
_FD = 14
_TYPE = 16
_RCVTIMEO = 27
_SNDTIMEO = 28
ETERM = 156384765

#: Milliseconds to the next try of a socket that says that it is ready, and is not.
_MOMENT = 1

#: Milliseconds that are left to contexts to send what lingers when the interpreter exits.
EXIT_LINGER = 500

#: Seconds in which libzmq's thread that closes sockets has done what it can do, where the context takes no more.
_SETTLING = 0.02

#: Longest subscription that is let through: libzmq walks down its trie by recursion, one call per byte, and a long one
#: overflows the stack; 50 000 bytes do where a thread has 1 MiB.
LONGEST_TOPIC = 10_000

#: Give-up value of `again`.
NEVER = -1.0

_EAGAIN = errno.EAGAIN
_EINTR = errno.EINTR
_FOREVER = float("inf")
_monotonic = time.monotonic
_msg_recv = C.zmq_msg_recv
_send = C.zmq_send
_poll = C.zmq_poll

#: Sockets that have sent the first frames of a message, but not its last.
_begun: set[CData] = set()

#: Pipes of actors' tasks that have not given their ready signal -> what to call when one waits for input there.
unready: dict[CData, Callable[[], object]] = {}

#: What is sent, or freed, by others yet, for which the exit waits a little.
unfinished: set[object] = set()

#: Addresses of libzmq contexts in which a socket has connected to an inproc name that nobody had bound.
awaited: set[int] = set()


def poll(items: CData, count: int, timeout: float) -> int:
    """Poll *count* zmq_pollitem_t for *timeout* milliseconds (negative: for ever), open to signals.

    Returns the number of items that are ready; 0 after the timeout; -1 with errno set after any error but EINTR.
    """
    return _poll_until(items, count, deadline_after(timeout))


def deadline_after(timeout: float) -> float:
    """Return when *timeout* milliseconds from now have passed; negative: never."""
    return _FOREVER if timeout < 0 else _monotonic() + timeout / 1000


def step(deadline: float) -> int:
    """Return for how many milliseconds this thread may sleep in C now, on its way to *deadline*."""
    longest = _threads.SLICE if _threads.on_main_thread() else 2**31 - 1
    left = max(0.0, deadline - _monotonic()) * 1000
    return longest if left > longest else -int(-left // 1)


def note_waiting(handle: CData) -> None:
    """Note that this thread is about to wait for input on a socket: a task that does so on its pipe is ready."""
    ready = unready.pop(handle, None)
    if ready is not None:
        ready()


def _poll_until(items: CData, count: int, deadline: float) -> int:
    if unready and deadline > _monotonic():
        for index in range(count):
            if items[index].events & POLLIN:
                note_waiting(items[index].socket)
    while True:
        rc: int = _threads.call(_poll, items, count, step(deadline))
        if rc < 0 and ffi.errno != _EINTR:
            # A signal's handler may have run in between and left its own errno. A true error comes again.
            rc = _poll(items, count, 0)
            if rc < 0:
                return rc
        if rc > 0:
            return rc
        if rc == 0 and _monotonic() >= deadline:
            return 0


def wait(handle: Socket, events: int, timeout: float) -> bool:
    """Wait until *handle* is ready for *events*, for *timeout* milliseconds (negative: for ever)."""
    return poll(pollitem(handle, events), 1, timeout) > 0


def pollitem(handle: Socket, events: int) -> PollItem:
    """Return a fresh ``zmq_pollitem_t *`` for a libzmq socket."""
    item: PollItem = ffi.new("zmq_pollitem_t *", {"socket": handle, "events": events})
    return item


def again(handle: Socket, events: int, deadline: float, patience: int | None = None) -> float:
    """After a call that would have blocked, wait until *handle* is ready; return the deadline, or NEVER to give up.

    Begin with a deadline of 0.0: it is set by *patience* (milliseconds; negative: for ever) or, with None, by the
    socket's own (RCVTIMEO or SNDTIMEO). errno is left as the failed call set it, EAGAIN after a timeout.
    """
    error = ffi.errno
    if error == _EINTR:
        return deadline
    if error != _EAGAIN:
        return NEVER
    if not deadline and patience is not None:
        deadline = deadline_after(patience)
    elif not deadline:
        timeout = ffi.new("int *")
        C.zmq_getsockopt(handle, _RCVTIMEO if events == POLLIN else _SNDTIMEO, timeout, ffi.new("size_t *", 4))
        deadline = _FOREVER if timeout[0] < 0 else _monotonic() + timeout[0] / 1000
    elif events == POLLOUT:
        _await_news(handle)
    rc = _poll_until(pollitem(handle, events), 1, deadline)
    if rc > 0 and _monotonic() < deadline:
        return deadline
    if rc >= 0:
        ffi.errno = _EAGAIN
    return NEVER


def _await_news(handle: Socket) -> None:
    """Wait until a peer has told *handle* something, such as that it has room again, or for a moment.

    A ROUTER that must route says that it is ready while the one peer it should send to is full, as does an XPUB that
    may not drop. But its descriptor tells that there is news.
    """
    number = ffi.new("zmq_fd_t *")
    if C.zmq_getsockopt(handle, _FD, number, ffi.new("size_t *", ffi.sizeof("zmq_fd_t"))) == 0:
        _threads.call(_poll, ffi.new("zmq_pollitem_t *", {"fd": number[0], "events": POLLIN}), 1, _MOMENT)


def receive(message: ZmqMsg, handle: Socket) -> int:
    """Receive one frame into *message*, blocking as the socket's RCVTIMEO says; return its size, or -1."""
    size = _msg_recv(message, handle, _DONTWAIT)
    deadline = 0.0
    while size < 0:
        deadline = again(handle, POLLIN, deadline)
        if deadline < 0:
            return -1
        size = _msg_recv(message, handle, _DONTWAIT)
    return size


def until(attempt: Callable[[], Any], handle: Socket, events: int, timeout: int | None = None) -> Any:
    """Go on after *attempt*, which does not wait, has returned None for the first time: wait, and call it anew.

    Returns what it does, or None, with errno set, once *timeout* has passed (see `again`) or for any other error.
    """
    deadline = 0.0
    while True:
        deadline = again(handle, events, deadline, timeout)
        if deadline < 0:
            return None
        result = attempt()
        if result is not None:
            return result


def refuse_topic(handle: Socket, content: bytes | CData, size: int) -> None:
    """Raise ValueError for a frame by which an XSUB socket would subscribe to so long a topic that libzmq crashes."""
    if is_long_topic(content, size) and is_xsub(handle):
        raise ValueError(f"libzmq can bear no subscription of more than {LONGEST_TOPIC} bytes, and this has {size}")


def is_long_topic(content: bytes | CData, size: int) -> bool:
    """Tell whether a frame would be such a subscription, or the end of one, to an XSUB socket."""
    start = ffi.cast("char *", ffi.from_buffer(content) if isinstance(content, bytes) else content)
    return size > LONGEST_TOPIC and start[0] in (b"\0", b"\1")


def is_xsub(handle: Socket) -> bool:
    """Tell whether a socket subscribes by what is sent to it."""
    kind = ffi.new("int *")
    return C.zmq_getsockopt(handle, _TYPE, kind, ffi.new("size_t *", 4)) == 0 and bool(kind[0] == _XSUB)


def send(handle: Socket, data: bytes | CData, flags: int) -> int:
    """Send *data* as one frame, blocking as the socket's SNDTIMEO says; return its size, or -1."""
    if len(data) > LONGEST_TOPIC:
        refuse_topic(handle, data, len(data))
    if not _begun:
        sent = _send(handle, data, len(data), flags | _DONTWAIT)
        if sent >= 0:
            if flags & _SNDMORE:
                note_sent(handle, flags)
            return sent
    return send_by(lambda zmq_flags: _send(handle, data, len(data), zmq_flags), handle, flags)


def send_by(attempt: Callable[[int], int], handle: Socket, flags: int) -> int:
    """Send one frame by *attempt*, which takes libzmq's flags, blocking as SNDTIMEO says; return its result, or -1."""
    if _begun and handle in _begun and _poll(pollitem(handle, POLLOUT), 1, 0) > 0:
        sent = send_rest(attempt, flags)
    else:
        sent = attempt(flags | _DONTWAIT)
        deadline = 0.0
        while sent < 0 and not flags & _DONTWAIT:
            deadline = again(handle, POLLOUT, deadline)
            if deadline < 0:
                return -1
            sent = attempt(flags | _DONTWAIT)
    if sent >= 0:
        note_sent(handle, flags)
    return sent


def send_rest(attempt: Callable[[int], int], flags: int) -> int:
    """Send a further frame of a message, which need not wait; return what *attempt* does.

    It must not be sent with DONTWAIT: where the peer has gone meanwhile, libzmq drops the rest of a message in silence,
    but with DONTWAIT it would report that, and take the next try for a new message.
    """
    while True:
        sent = attempt(flags & ~_DONTWAIT)
        if sent >= 0 or ffi.errno != _EINTR:
            return sent


def note_sent(handle: Socket, flags: int) -> None:
    """Note whether the message that a frame was sent of goes on."""
    if flags & _SNDMORE:
        # Not the handle itself, which must stay free to be collected.
        _begun.add(ffi.cast("void *", handle))
    elif _begun:
        _begun.discard(handle)


def sleep_until_ready(handle: Socket, events: int) -> bool:
    """Block until *handle* is ready; False, with errno EAGAIN, once its RCVTIMEO or SNDTIMEO has passed."""
    ffi.errno = _EAGAIN
    return _poll(pollitem(handle, events), 1, 0) > 0 or again(handle, events, 0.0) != NEVER


# ---------------------------------------------------------------- the end of contexts


def terminate(context: CData, background: bool = False) -> None:
    """Terminate a libzmq context on a thread of its own and wait for that, open to signals.

    What lingers is sent first. In the *background* nobody waits: for the garbage collector, which must not hang.
    """
    done = allocate_lock()
    done.acquire()

    def run() -> None:
        let_settle(context)
        while C.zmq_ctx_term(context) != 0 and ffi.errno == _EINTR:
            pass
        unfinished.discard(done)
        done.release()

    unfinished.add(done)
    try:
        _threads.start_helper(run)
    except RuntimeError:
        # No thread can be had (the interpreter is exiting): leave the context to the operating system.
        unfinished.discard(done)
        return
    if not background:
        _threads.await_release(done)


def let_settle(context: CData | None) -> None:
    """Let libzmq's thread that closes sockets come to rest, for a context that is about to be terminated.

    A context that ends binds the inproc names that sockets wait for, on whatever thread that is. Where such a socket
    was closed a moment before, libzmq's own thread works on the same connection, and frees it twice.
    """
    if context is not None and awaited:
        address = int(ffi.cast("uintptr_t", context))
        if address in awaited:
            # Loaded by now: what notes such a context needs it.
            from . import _room

            # That thread comes to the sockets of before no later than in its turn after the one with the first probe.
            if not (_room.await_closing(context) and _room.await_closing(context)):
                time.sleep(_SETTLING)
            awaited.discard(address)


def join_unfinished() -> None:
    """Wait, but not for long, for contexts that are still sending what lingers."""
    deadline = _monotonic() + EXIT_LINGER / 1000
    while unfinished and _monotonic() < deadline:
        time.sleep(0.001)


def _after_fork() -> None:
    """Forget the contexts of the parent's."""
    unfinished.clear()
    awaited.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
