"""zpoller: waits on any number of readers and tells which of them has input.

A reader is a zsocket, zsock or zactor handle, a file descriptor, or a Python object with a ``fileno`` method. The
poller keeps its readers alive, but does not keep them open: one that was destroyed must be removed. A poller belongs to
the thread that its sockets belong to.

    >>> from pyczmq import zctx, zmq, zpoller, zsocket, zstr
    >>> ctx = zctx.new()
    >>> vent, sink, bowl = (zsocket.new(ctx, kind) for kind in (zmq.PUSH, zmq.PULL, zmq.PULL))
    >>> port = zsocket.bind(vent, "tcp://127.0.0.1:*")
    >>> zsocket.connect(sink, f"tcp://127.0.0.1:{port}")
    0
    >>> poller = zpoller.new(bowl, sink)
    >>> zstr.send(vent, "Hello, World")
    0
    >>> which = zpoller.wait(poller, 1000)
    >>> which is sink, zstr.recv(which)
    (True, 'Hello, World')
    >>> zpoller.wait(poller, 0) is None, zpoller.expired(poller), zpoller.terminated(poller)
    (True, True, False)
"""

from __future__ import annotations

import errno
import itertools
import os
import time
from _thread import get_ident

from . import _blocking, _handles, _keeper, _threads, _zmq_pointers
from ._cffi import C, ffi
from ._numbers import integer
from ._zmq_poll import FEW, check_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol, Union

    from ._types import CData, Poller, Socketish

    class HasFileno(Protocol):
        """Sockets, pipes, files."""

        def fileno(self) -> int:
            """Return the file descriptor."""

    Reader = Union[Socketish, int, HasFileno]

_POLLER = ffi.typeof("zpoller_t *")
_TYPE = 16
_NULL = ffi.NULL
_free = _handles.freer(C.zpoller_destroy, "zpoller_t *")
_dead = _handles.dead
_wait = C.zpoller_wait
_expired = C.zpoller_expired
_monotonic = time.monotonic


class _Readers(_keeper.Keeper):
    """The readers of one poller: the pointer that C was given -> what the caller gave, once for each time."""

    __slots__ = ("count", "given", "over")

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[CData, list[Any]] = {}
        self.count = 0
        #: Whether the context had ended at the last wait: a libczmq with drafts does not tell.
        self.over = False

    def check_number(self, count: int) -> None:
        """Raise ValueError for more readers than the system polls: libzmq would abort."""
        if count > FEW:
            check_number(count)

    def descriptors(self) -> list[tuple[CData, Any]]:
        """Return the pointers to file descriptors, each with what the caller gave for it."""
        return [(pointer, given[0]) for pointer, given in self.given.items() if not isinstance(given[0], ffi.CData)]

    def check_descriptors(self) -> None:
        """Raise ValueError if a file descriptor is not open any more."""
        for pointer, given in self.descriptors():
            if not _is_open(int(pointer[0])):
                raise ValueError(f"a reader of the poller is not an open file descriptor any more: {given!r}")

    def unreported(self) -> Any:
        """Return the first file descriptor in a state that zpoller says nothing of, such as the end of a pipe."""
        for pointer, _ in self.descriptors():
            item = ffi.new("zmq_pollitem_t *", {"fd": pointer[0], "events": _blocking.POLLIN})
            if C.zmq_poll(item, 1, 0) > 0:
                return pointer
        return _NULL

    def check(self) -> None:
        """Raise ValueError if a reader was destroyed: C would look into memory that was freed."""
        for handle in itertools.chain.from_iterable(self.given.values()):
            fate = _handles.fate(handle)
            if fate is not None:
                _threads.leave_if_ending()
                raise ValueError(f"a reader of the poller {fate}")

    def attempt(self, poller: Poller, deadline: float) -> Any:
        """Wait for one slice of the time; return what C does."""
        if _dead:
            self.check()
        return _threads.call(_wait, poller, _blocking.step(deadline), uses=lambda *_: list(self.given))


def new(*readers: Reader) -> Poller:
    """Return a new poller for *readers*; more can be added later.

    The garbage collector destroys it. Raises ValueError if libczmq refuses a reader.

    C: ``zpoller_t *zpoller_new (void *reader, ...)``
    """
    poller = _keeper.own(C.zpoller_new(_NULL), _free, _Readers())
    if poller is None:
        raise MemoryError("zpoller_new")
    for reader in readers:
        if add(poller, reader) != 0:
            raise ValueError(f"libczmq refuses the reader {reader!r}")
    return poller


def destroy(poller: Poller | None) -> None:
    """Destroy the poller now, and let its readers go.

    C: ``void zpoller_destroy (zpoller_t **self_p)``
    """
    if poller is not None:
        given = _readers(poller).given
        _keeper.destroy(poller, _POLLER, _free, "poller", _Readers)
        given.clear()


def add(poller: Poller, reader: Reader) -> int:
    """Add *reader* to those that are waited on; return 0, or -1 if libczmq refuses it.

    A reader that is added twice must be removed twice. Raises ValueError for a file descriptor that is not open.

    C: ``int zpoller_add (zpoller_t *self, void *reader)``
    """
    readers = _readers(poller)
    pointer = _socket(reader) if isinstance(reader, ffi.CData) else _descriptor(reader)
    readers.check_number(readers.count + 1)
    rc = C.zpoller_add(poller, pointer)
    if rc == 0:
        readers.count += 1
        readers.given.setdefault(pointer, []).append(reader)
    return rc


def remove(poller: Poller, reader: Reader) -> int:
    """Stop waiting on *reader*, which may have been destroyed since; return 0, or -1 if it is not in the poller.

    C: ``int zpoller_remove (zpoller_t *self, void *reader)``
    """
    readers = _readers(poller)
    given = readers.given
    if isinstance(reader, ffi.CData):
        pointer = reader if reader in given else _socket(reader)
    else:
        found = [pointer for pointer, known in given.items() if known[0] is reader or known[0] == reader]
        if not found:
            ffi.errno = errno.EINVAL
            return -1
        pointer = found[0]
    rc = C.zpoller_remove(poller, pointer)
    if rc == 0 and pointer in given:
        readers.count -= 1
        given[pointer].pop(0)
        if not given[pointer]:
            del given[pointer]
    return rc


def set_nonstop(poller: Poller, nonstop: bool) -> None:
    """Go on, or not, when the C variable ``zsys_interrupted`` is set, which Python's own signal handlers never do.

    C: ``void zpoller_set_nonstop (zpoller_t *self, bool nonstop)``
    """
    C.zpoller_set_nonstop(_handles.live(poller, _POLLER, "poller"), bool(nonstop))


def wait(poller: Poller, timeout: int = -1) -> Any:
    """Return the first reader with input, or None once *timeout* (milliseconds; -1 waits for ever) has passed.

    Readers are checked in the order in which they were given, and the very object that was given is returned (for a
    reader that a raw call added, its pointer). None also means that the context was destroyed: `expired` and
    `terminated` tell which. A file descriptor at its end, or in an error that reading it will tell, counts as input.

    Ctrl-C raises KeyboardInterrupt; after any other signal the wait goes on. Raises ValueError if a reader was
    destroyed, or its file descriptor closed, and not removed.

    C: ``void *zpoller_wait (zpoller_t *self, int timeout)``
    """
    readers = _readers(poller)
    if type(timeout) is not int:
        timeout = integer(timeout, "timeout")
    outer = readers.busy
    readers.busy = get_ident()
    readers.over = False
    try:
        if _dead:
            readers.check()
        if readers.count > FEW:
            readers.check_number(readers.count)
        which = _wait(poller, 0)
        if not which:
            which = _sleep(poller, readers, timeout)
    finally:
        readers.busy = outer
    if not which:
        return None
    given = readers.given.get(which)
    return which if given is None else given[0]


def _sleep(poller: Poller, readers: _Readers, timeout: int) -> Any:
    """Wait, in slices, after a first look that found nothing."""
    if _blocking.unready and timeout:
        for pointer in readers.given:
            _blocking.note_waiting(pointer)
    deadline = _blocking.deadline_after(min(timeout, 2**53))
    while True:
        if not _expired(poller):
            # A signal, or something that does not go away: that comes again.
            which = readers.attempt(poller, 0.0)
            if not which and not _expired(poller):
                readers.over = ffi.errno == _blocking.ETERM
                readers.check_descriptors()
                if readers.over or C.zpoller_terminated(poller):
                    return _NULL
                which = readers.unreported()
        elif timeout == 0 or _monotonic() >= deadline:
            return _NULL
        else:
            which = readers.attempt(poller, deadline)
        if which:
            return which


def expired(poller: Poller) -> bool:
    """Tell whether the last `wait` ended because its time had passed.

    C: ``bool zpoller_expired (zpoller_t *self)``
    """
    return C.zpoller_expired(_handles.live(poller, _POLLER, "poller"))


def terminated(poller: Poller) -> bool:
    """Tell whether the last `wait` ended because the context was destroyed or ``zsys_interrupted`` was set.

    C: ``bool zpoller_terminated (zpoller_t *self)``
    """
    return _readers(poller).over or C.zpoller_terminated(poller)


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of this class in a child process; RuntimeError if it fails.

    C: ``void zpoller_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zpoller_test", verbose)


# ---------------------------------------------------------------- CZMQ 2


def ignore_interrupts(poller: Poller) -> None:
    """Go on when ``zsys_interrupted`` is set; `set_nonstop` is its name since CZMQ 4.

    C: ``void zpoller_ignore_interrupts (zpoller_t *self)``
    """
    set_nonstop(poller, True)


# ---------------------------------------------------------------- readers


def _readers(poller: Poller) -> _Readers:
    return _keeper.find(poller, _POLLER, "poller", _Readers)


def _socket(reader: CData) -> CData:
    """Return a socket handle for C, once it is clear that it is one: C would take anything else for a descriptor."""
    size = ffi.new("size_t *", 4)
    underlying = _zmq_pointers.socket(reader, "reader")  # type: ignore[arg-type]
    if C.zmq_getsockopt(underlying, _TYPE, ffi.new("int *"), size) != 0 and ffi.errno != _blocking.ETERM:
        raise ValueError("reader is not a socket that is open")
    return reader


def _descriptor(reader: Any) -> Any:
    """Return a file descriptor for C: a block that starts with it."""
    if isinstance(reader, int):
        descriptor = reader
    elif hasattr(reader, "fileno"):
        descriptor = reader.fileno()
    else:
        raise TypeError(
            "reader must be a zsocket, zsock or zactor handle, a file descriptor or an object with fileno(), not "
            + type(reader).__name__
        )
    if descriptor < 0 or not _is_open(descriptor):
        raise ValueError(f"reader is not an open file descriptor: {reader!r}")
    # C tells descriptors from sockets by looking for the tags of sockets, far beyond the descriptor itself.
    return ffi.new("zmq_fd_t[2048]", [descriptor])


def _is_open(descriptor: int) -> bool:
    if os.name == "nt":
        # There fstat knows files only, and descriptors are sockets.
        return True
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zpoller")
