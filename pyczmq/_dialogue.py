"""Commands for C's own actors, sent whole or not at all, and what comes back: message by message, open to signals.

An actor reports over the pipe that takes its commands, and answers there, too. The pipe has no high-water mark on the
way back: an actor whose reports nobody reads would stop, and with it whoever gives it the next command.

A signal's handler may raise at any moment. So what C returns goes into a list with no moment in between, and what is
known of an actor follows from such lists alone.
"""

from __future__ import annotations

import errno
from collections import deque

from . import _blocking, _handles, zmsg
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._types import Actor, CData, Msg, Socket, Socketish

    Frames = list[bytes]

_RCVHWM = 24
_SNDTIMEO = 28

#: What stands for an answer that is a signal.
SIGNAL = b""

#: Milliseconds for which an actor may neither take a command nor say anything while an answer is waited for.
PATIENCE = 10_000


class Dialogue:
    """What is known of one actor: the commands that it is to answer, and what it has said that nobody has asked for."""

    __slots__ = ("answers", "ended", "inbox", "ledger", "marker", "reports")

    def __init__(self, answers: frozenset[bytes], marker: bytes | None) -> None:
        #: What answers to commands begin with; all else are reports.
        self.answers = answers
        #: A command to be answered that changes nothing.
        self.marker = marker
        self.ended = False
        #: What C has returned for commands that are answered, 0 for each that was sent; and the answers.
        self.ledger: tuple[list[int], deque[Msg]] = ([], deque())
        #: What has come, and is to be sorted; what of that was reports.
        self.inbox: deque[Msg] = deque()
        self.reports: deque[Msg] = deque()

    def sort(self) -> int:
        """Sort what has come into answers and reports; return how many reports there are."""
        inbox = self.inbox
        while inbox:
            name = _name(inbox[0])
            if name in self.answers and (name != SIGNAL or self.owes()):
                self.ledger[1].extend(_call(deque.popleft, inbox))
            elif name == SIGNAL:
                # Its last word.
                self.ended = True
                zmsg.destroy(inbox.popleft())
            else:
                self.reports.extend(_call(deque.popleft, inbox))
        return len(self.reports)

    def owes(self) -> bool:
        """Tell whether there are answers to come."""
        sent, answers = self.ledger
        return len(answers) < sent.count(0)

    def settle(self) -> None:
        """Forget the answers, all of which have come."""
        answers, self.ledger = self.ledger[1], ([], deque())
        for message in answers:
            zmsg.destroy(message)

    def check(self) -> None:
        """Raise RuntimeError if the actor has ended."""
        self.sort()
        if self.ended:
            raise RuntimeError("actor has ended by itself; CZMQ's log says why")


def dialogue(actor: Actor, answers: frozenset[bytes], marker: bytes | None = None) -> Dialogue:
    """Return the dialogue with an actor, begun now if it was not; *answers* are what its answers begin with.

    Reports that came while somebody waited for an answer are not in the pipe any more, for a poller to see. A *marker*,
    a command that is answered, is what makes it look again.
    """
    notes = _handles.companions(actor)
    found: Dialogue | None = notes.get(Dialogue)
    if found is None:
        set_option(C.zsock_resolve(actor), _RCVHWM, 0)
        found = notes[Dialogue] = Dialogue(answers, marker)
    return found


def set_option(handle: Socket, option: int, value: int) -> None:
    """Set an int option of a libzmq socket."""
    C.zmq_setsockopt(handle, option, ffi.new("int *", value), 4)


# ---------------------------------------------------------------- sending


def send(actor: Actor, talk: Dialogue, *words: bytes, results: list[int] | None = None) -> None:
    """Send a command, in words with no NUL bytes; RuntimeError if the actor has ended, TimeoutError if it is stuck."""
    handle = C.zsock_resolve(actor)
    frames = [ffi.new("char[]", word) for word in words]
    item: Any = _blocking.pollitem(handle, _blocking.POLLIN | _blocking.POLLOUT)
    results = [] if results is None else results
    before = results.count(0)
    while results.count(0) == before:
        talk.check()
        if _blocking.poll(item, 1, PATIENCE) <= 0:
            raise _silence(handle)
        if item.revents & _blocking.POLLOUT:
            _send_now(actor, handle, frames, results)
        else:
            _collect(actor, talk)


def _send_now(actor: Actor, handle: Socket, frames: list[CData], results: list[int]) -> None:
    """Send a command unless that would have to wait; its result goes into *results*."""
    before = ffi.new("int *")
    C.zmq_getsockopt(handle, _SNDTIMEO, before, ffi.new("size_t *", 4))
    set_option(handle, _SNDTIMEO, 0)
    try:
        results.extend(_call(C.zstr_sendx, actor, *frames, ffi.NULL))
    finally:
        set_option(handle, _SNDTIMEO, before[0])


def _call(function: Any, *args: Any) -> Iterator[Any]:
    """Return what calls a function once when a list is extended by it."""
    return map(function, *zip(args))


def _silence(handle: Socket) -> OSError:
    """Return what to raise where an actor is not heard of."""
    if C.zmq_poll(_blocking.pollitem(handle, 0), 1, 0) < 0:
        return OSError(errno.ECANCELED, "CZMQ's process-wide context has ended")
    return TimeoutError(f"actor has not answered for {PATIENCE / 1000:g} seconds: it is very busy, or stuck")


# ---------------------------------------------------------------- receiving


def ask(actor: Actor, talk: Dialogue, *words: bytes) -> Frames:
    """Send a command and return its answer; reports that come before it are kept for `receive`.

    Answers that nobody has waited for, since a signal's handler has raised, come first and are dropped.
    """
    send(actor, talk, *words, results=talk.ledger[0])
    _await_answers(actor, talk)
    answer = _frames(talk.ledger[1][-1])
    talk.settle()
    if talk.sort():
        _mark(actor, talk)
    return answer


def _await_answers(actor: Actor, talk: Dialogue) -> None:
    talk.sort()
    while talk.owes():
        talk.check()
        handle = C.zsock_resolve(actor)
        if not _blocking.wait(handle, _blocking.POLLIN, PATIENCE):
            raise _silence(handle)
        _collect(actor, talk)
        talk.sort()


def _mark(actor: Actor, talk: Dialogue) -> None:
    """Have something put into the pipe, for a poller to see."""
    if talk.marker is not None and not talk.ended:
        send(actor, talk, talk.marker, results=talk.ledger[0])


def _collect(actor: Actor, talk: Dialogue) -> None:
    """Take the next message, if there is one."""
    talk.inbox.extend(filter(None, _call(C.zmsg_recv_nowait, actor)))


def receive(actor: Actor, talk: Dialogue, timeout: int | None) -> Frames | None:
    """Return the next report; None once *timeout* has passed, the actor's RCVTIMEO where it is None.

    Raises RuntimeError if the actor has ended.
    """
    handle = C.zsock_resolve(actor)
    deadline = _deadline(handle, timeout)
    while not talk.sort():
        talk.check()
        if talk.ledger[1] and not talk.owes():
            talk.settle()
        _collect(actor, talk)
        if not talk.inbox and not wait(handle, deadline):
            return None
    if talk.owes() and len(talk.reports) == 1 and not talk.ended:
        # The marker goes with the last of those that it stands for.
        _await_answers(actor, talk)
    if talk.ledger[1] and not talk.owes():
        talk.settle()
        if len(talk.reports) > 1:
            _mark(actor, talk)
    return take(talk.reports.popleft())


def next_message(source: Socketish, timeout: int | None) -> Frames | None:
    """Return the frames of a socket's next message; None once *timeout* has passed, its RCVTIMEO where it is None."""
    handle = _handles.socket(source, "source")
    message = zmsg.recv_nowait(source)
    if message is None:
        deadline = _deadline(handle, timeout)
        while message is None:
            if not wait(handle, deadline):
                return None
            message = zmsg.recv_nowait(source)
    return take(message)


def _deadline(handle: Socket, timeout: int | None) -> float:
    if timeout is None:
        found = ffi.new("int *")
        C.zmq_getsockopt(handle, _blocking._RCVTIMEO, found, ffi.new("size_t *", 4))
        timeout = found[0]
    return _blocking.deadline_after(timeout)


def wait(handle: Socket, deadline: float) -> bool:
    """Wait for input until the deadline; tell whether there is any."""
    return _blocking._poll_until(_blocking.pollitem(handle, _blocking.POLLIN), 1, deadline) > 0


def take(message: Msg) -> Frames:
    """Return the frames of a message, `SIGNAL` alone for a signal, and destroy it."""
    try:
        return _frames(message)
    finally:
        zmsg.destroy(message)


def _name(message: Msg) -> bytes:
    """Return the first frame of a message, or `SIGNAL`."""
    return SIGNAL if C.zmsg_signal(message) >= 0 else _content(C.zmsg_first(message))


def _frames(message: Msg) -> Frames:
    """Return the frames of a message; `SIGNAL` alone for a signal."""
    if C.zmsg_signal(message) >= 0:
        return [SIGNAL]
    frames = []
    frame = C.zmsg_first(message)
    while frame:
        frames.append(_content(frame))
        frame = C.zmsg_next(message)
    return frames


def _content(frame: CData) -> bytes:
    return bytes(ffi.buffer(C.zframe_data(frame), C.zframe_size(frame))) if frame else b"?"
