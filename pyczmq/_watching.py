"""The actor that watches folders: its work, and the commands for it and for C's own, which understand the same.

C's own looks at the folders with no care (see _trees.py), so that whoever deletes a folder there may end the process.
So this one is Python's.
"""

from __future__ import annotations

import sys
import time
from functools import partial

from . import _actors, _blocking, _files, _handles, _text, _trees, zmsg
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._types import Actor, CData, Dir, DirPatch, Sock

#: Milliseconds between two looks, if nobody says otherwise.
_INTERVAL = 250

#: Milliseconds that an actor has to answer, before somebody looks whether it is still there.
_GLANCE = 200

_DONTWAIT = 1
_RCVTIMEO = 27
_LAST_ENDPOINT = 32
_PATH_BYTES = 256
_LIST = ffi.typeof("zlist_t *")
_POINTER_BYTES = ffi.sizeof("void *")

#: The pipes of the actors that watch, by libzmq's name for both of their ends.
_pipes: set[bytes] = set()


# ---------------------------------------------------------------- the actor's side


def run(pipe: Sock) -> None:
    """Watch, on an actor's thread, until that is told to end."""
    name = _endpoint(C.zsock_resolve(pipe))
    _pipes.add(name)
    try:
        watch = _Watch(pipe)
        C.zsock_signal(pipe, 0)
        while watch.listen():
            pass
    finally:
        _pipes.discard(name)


class _Watch:
    """What one actor watches."""

    __slots__ = ("folders", "interval", "next", "pipe", "verbose")

    def __init__(self, pipe: Sock) -> None:
        self.pipe = pipe
        #: What was seen last, by the path as it was subscribed to.
        self.folders: dict[bytes, Dir] = {}
        self.verbose = False
        self.interval = _INTERVAL
        self.next = 0.0
        self.rest()

    def rest(self) -> None:
        """Have the next look when the interval has passed."""
        self.next = time.monotonic() + self.interval / 1000

    def listen(self) -> bool:
        """Wait for a command until the time for the next look has come; tell whether to go on."""
        left = max(0.0, self.next - time.monotonic())
        if not _blocking.wait(C.zsock_resolve(self.pipe), _blocking.POLLIN, min(left * 1000, 2**31 - 1)):
            if time.monotonic() >= self.next:
                for path in list(self.folders):
                    self.look(path)
                self.rest()
            elif ffi.errno == _blocking.ETERM:
                return False
            return True
        message = zmsg.recv_nowait(self.pipe)
        if message is None:
            return bool(ffi.errno != _blocking.ETERM)
        frames = _frames(message)
        zmsg.destroy(message)
        if frames[:1] == [b"$TERM"]:
            return False
        C.zsock_signal(self.pipe, 0 if self.obey(frames) else 1)
        return True

    def obey(self, frames: list[bytes]) -> bool:
        """Do what a command says; tell whether that was possible."""
        command, argument = (*frames, b"", b"")[:2]
        self.say("command received: %s", command)
        # Up to its NUL, as C reads it.
        argument = argument.partition(b"\0")[0]
        if command == b"VERBOSE":
            self.verbose = True
        elif command == b"SUBSCRIBE" and argument:
            return self.subscribe(argument)
        elif command == b"UNSUBSCRIBE" and argument:
            self.folders.pop(argument, None)
        elif command == b"TIMEOUT" and argument.isdigit() and 0 < int(argument) < 2**31:
            self.interval = int(argument)
            self.rest()
        else:
            return False
        return True

    def subscribe(self, path: bytes) -> bool:
        """Begin to watch a folder."""
        folder = None if path in self.folders else self.load(path)
        if folder is None:
            self.say("cannot watch %s", path)
            return False
        self.folders[path] = folder
        return True

    def load(self, path: bytes) -> Dir | None:
        """Look at a folder; None if that is not possible."""
        try:
            pointer = _trees.load(path)
        except (MemoryError, OSError, ValueError) as error:
            self.say("%s", _text.encode(str(error)))
            return None
        return None if pointer is None else _handles.own(pointer, _trees.free, fork_safe=True)

    def look(self, path: bytes) -> None:
        """Tell what has changed in a folder since the last look."""
        newer = self.load(path)
        if newer is None:
            return
        patches = _trees.differences(self.folders[path], newer, b"")
        self.folders[path] = newer
        if patches:
            self.say("%d changes in %s", len(patches), path)
            self.report(_trees.path_of(newer), patches)

    def report(self, path: bytes, patches: list[DirPatch]) -> None:
        """Send a list of patches, which belongs to whoever receives it."""
        found = C.zlist_new()
        for patch in patches:
            C.zlist_append(found, patch)
            _handles.disown(patch, "was handed over")
        if C.zsock_send(self.pipe, b"sp", ffi.new("char[]", path), ffi.cast("void *", found)) != 0:
            take_patches(found)

    def say(self, format: str, *args: Any) -> None:
        if self.verbose:
            from . import zsys

            zsys.info(f"zdir_watch: {format}", *args)


# ---------------------------------------------------------------- the other side


class _Talk:
    """What was said to an actor, and what it has said.

    A signal's handler may raise at any moment. So what C returns goes into a list with no moment in between, and what
    is known follows from such lists alone.
    """

    __slots__ = ("state",)

    def __init__(self) -> None:
        #: What C has returned for commands, 0 for each that was sent; and what came: statuses, and reports as frames.
        self.state: tuple[list[int], list[Any]] = ([], [])

    def collect(self, actor: Actor) -> bool:
        """Take the next message, if there is one; tell whether there was."""
        inbox = self.state[1]
        before = len(inbox)
        inbox.extend(filter(None, map(C.zmsg_recv_nowait, [actor])))
        self.sort()
        return len(inbox) > before

    def sort(self) -> None:
        """See what the messages are that came."""
        inbox = self.state[1]
        for number, message in enumerate(inbox):
            if isinstance(message, ffi.CData):
                status = C.zmsg_signal(message)
                inbox[number] = _frames(message) if status < 0 else status
                C.zmsg_destroy(ffi.new("zmsg_t **", message))

    def statuses(self) -> list[int]:
        """Return the answers that came."""
        self.sort()
        return [message for message in self.state[1] if isinstance(message, int)]

    def settle(self) -> None:
        """Forget the commands and their answers."""
        self.state = ([], [message for message in self.state[1] if not isinstance(message, int)])

    def next_report(self) -> list[bytes] | None:
        """Take the first report out, if there is one."""
        self.sort()
        inbox = self.state[1]
        for number, message in enumerate(inbox):
            if not isinstance(message, int):
                report: list[bytes] = inbox.pop(number)
                return report
        return None


def ask(actor: Actor, *words: bytes) -> int:
    """Give a command, wait until it was obeyed, and return its status, 0 or 1; reports that come before are kept.

    Answers that nobody has waited for, since a signal's handler has raised, come first and are dropped.
    """
    talk = _talk(actor)
    handle = C.zsock_resolve(actor)
    frames = [ffi.new("char[]", word) for word in words]
    sent = talk.state[0]
    wanted = sent.count(0) + 1
    while sent.count(0) < wanted:
        if _blocking.wait(handle, _blocking.POLLOUT, _GLANCE):
            sent.extend(map(C.zstr_sendx, [actor], *([frame] for frame in frames), [ffi.NULL]))
        else:
            _check_running(actor)
    while len(talk.statuses()) < wanted:
        if not talk.collect(actor) and not _blocking.wait(handle, _blocking.POLLIN, _GLANCE):
            _check_running(actor)
    status = talk.statuses()[-1]
    talk.settle()
    return status


def receive(actor: Actor, timeout: int | None) -> tuple[str, list[DirPatch]] | None:
    """Return the next report: the folder's path, and patches; None if there is none in time.

    A *timeout* of None stands for the actor's RCVTIMEO.
    """
    talk = _talk(actor)
    handle = C.zsock_resolve(actor)
    if timeout is None:
        option = ffi.new("int *")
        C.zmq_getsockopt(handle, _RCVTIMEO, option, ffi.new("size_t *", 4))
        timeout = option[0]
    deadline = _blocking.deadline_after(timeout)
    while True:
        report = talk.next_report()
        if report is not None:
            break
        if talk.collect(actor):
            continue
        left = (deadline - time.monotonic()) * 1000
        if left <= 0:
            return None
        if not _blocking.wait(handle, _blocking.POLLIN, min(left, _GLANCE)):
            _check_running(actor)
    if len(report) != 2 or len(report[1]) != _POINTER_BYTES:
        raise RuntimeError("the actor has sent what is no list of patches")
    return _text.decode(report[0]), take_patches(_pointer(report[1]))


def _check_running(actor: Actor) -> None:
    """Raise what an actor's task has raised, or RuntimeError, if the actor has ended."""
    if _actors.has_ended(actor):
        _actors.raise_error(actor)
        raise RuntimeError("the actor has ended")


def _talk(actor: Actor) -> _Talk:
    """Return what was said to an actor that watches, and by it; TypeError if it is another kind."""
    state = _actors.live(actor)
    notes = _handles.companions(actor)
    known: _Talk | None = notes.get(_Talk)
    if known is not None:
        return known
    if state.task is None:
        _actors.running(actor, C.zdir_watch)
    elif _endpoint(C.zsock_resolve(actor)) not in _pipes:
        raise TypeError("actor is another kind of actor, or has ended")
    talk = notes[_Talk] = _Talk()
    if state.destructor is None:
        state.destructor = partial(_end, talk)
    return talk


def _end(talk: _Talk, actor: Actor) -> None:
    """Tell the actor to end, and free the patches of which nobody wants to hear any more."""
    while talk.collect(actor):
        pass
    report = talk.next_report()
    while report is not None:
        if len(report) == 2 and len(report[1]) == _POINTER_BYTES:
            take_patches(_pointer(report[1]))
        report = talk.next_report()
    C.zmq_send(C.zsock_resolve(actor), b"$TERM", 5, _DONTWAIT)


def _frames(message: CData) -> list[bytes]:
    frames = []
    frame = C.zmsg_first(message)
    while frame:
        frames.append(bytes(ffi.buffer(C.zframe_data(frame), C.zframe_size(frame))))
        frame = C.zmsg_next(message)
    return frames


def _pointer(frame: bytes) -> CData:
    pointer: CData = ffi.cast(_LIST, int.from_bytes(frame, sys.byteorder))
    return pointer


def take_patches(found: CData) -> list[DirPatch]:
    """Return the patches in a list that C hands over, and destroy the list."""
    patches = []
    while C.zlist_size(found):
        patches.append(_files.own_patch(ffi.cast(_files.PATCH, C.zlist_pop(found))))
    C.zlist_destroy(ffi.new("zlist_t **", found))
    return patches


def _endpoint(handle: CData) -> bytes:
    """Return libzmq's name for both ends of a pipe."""
    text = ffi.new("char[]", _PATH_BYTES)
    C.zmq_getsockopt(handle, _LAST_ENDPOINT, text, ffi.new("size_t *", _PATH_BYTES))
    name: bytes = ffi.string(text)
    return name
