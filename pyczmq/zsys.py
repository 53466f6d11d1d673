"""zsys: the process and its system: settings for all zsocks and zactors, files, text, logging, signals, UDP.

The settings hold for the process-wide context, in which zsocks and zactors live, and not for the contexts of zctx.
Some count only before the first socket; set later they are a RuntimeError, where C would abort.

Python keeps its own handlers for SIGINT and SIGTERM: CZMQ's are never installed.

    zsys.set_io_threads(2)
    zsys.set_linger(1000)
    zsys.info("%s has %d I/O threads", zsys.hostname(), 2)
    front, back = zsys.create_pipe()
    assert not zsys.file_exists("nosuchfile")
"""

from __future__ import annotations

import itertools
import os
import sys

from . import _endpoints, _handles, _room, _scheduling, _text, _zsys_log
from ._cffi import C, ffi
from ._numbers import integer
from ._zsys_daemon import *  # noqa: F403
from ._zsys_files import *  # noqa: F403
from ._zsys_log import *  # noqa: F403
from ._zsys_logging import *  # noqa: F403
from ._zsys_settings import *  # noqa: F403
from ._zsys_text import *  # noqa: F403
from ._zsys_udp import *  # noqa: F403
from ._zsys_udp import UDP_FRAME_MAX as UDP_FRAME_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._types import CData, Sock, Socket, Text

    #: Whether SIGINT or SIGTERM came, or `set_interrupted` was called, as an int; read anew each time.
    interrupted: int

_VOID = ffi.typeof("void *")
_PAIR = 0

_free_sock = _handles.freer(C.zsock_destroy, "zsock_t *")
_pipes = itertools.count()

#: The handlers that `handler_set` replaced.
_replaced: dict[int, Any] = {}


# ---------------------------------------------------------------- the process-wide context and its sockets


def init() -> CData:
    """Return the process-wide context, made now if it was not there. There is no need to call this.

    C: ``void *zsys_init (void)``
    """
    from . import _zmq_pointers

    context = _scheduling.process_wide()
    _zmq_pointers.kinds[context] = "context"
    return context


def shutdown() -> None:
    """End the process-wide context and set all settings back; it starts anew when it is needed.

    RuntimeError while zsocks, zactors or other handles with sockets are alive: C would close their sockets behind
    their backs. What the raw floor has made must be destroyed before.

    C: ``void zsys_shutdown (void)``
    """
    from . import _blocking, _zmq_pointers

    _room.refuse_while_open("shutdown")
    context = _scheduling.process_wide()
    _blocking.let_settle(context)
    C.zsys_shutdown()
    _zmq_pointers.kinds.pop(context, None)
    _scheduling.forget(context)
    _zsys_log.was_shut_down()


def socket(type: int, filename: Text | None = None, line_nbr: int = 0) -> Socket | None:
    """Return a new libzmq socket in the process-wide context; None with zmq.errno() set if libzmq refuses.

    The garbage collector closes it. *filename* and *line_nbr* are for C's complaint about sockets that are left at
    exit.

    C: ``void *zsys_socket (int type, const char *filename, size_t line_nbr)``
    """
    kind = integer(type, "type")
    _endpoints.refuse_draft_type(kind)
    name = ffi.NULL if filename is None else ffi.new("char[]", _text.cstring(filename, "filename"))
    number = integer(line_nbr, "line_nbr", 0, 2**63 - 1)
    if not _scheduling.has_context():
        return None
    context = C.zsys_init()
    if not _scheduling.can_start(context):
        return None
    pointer = _scheduling.make_socket(lambda: C.zsys_socket(kind, name, number))
    if not pointer:
        return None
    _scheduling.note_started(context)

    def free(pointer: CData, name: CData = name) -> None:
        # C keeps a pointer to the name for as long as the socket is open.
        if pointer in _room.sockets:
            _room.sockets.remove(pointer)
            C.zsys_close(pointer, ffi.NULL, 0)

    _room.sockets.add(pointer)
    return _handles.own(pointer, free)


def close(handle: Socket, filename: Text | None = None, line_nbr: int = 0) -> int:
    """Close a socket that `socket` made, now and only once; return 0. Any other socket is a ValueError.

    C: ``int zsys_close (void *handle, const char *filename, size_t line_nbr)``
    """
    _handles.live(handle, _VOID, "handle")
    if id(handle) not in _handles._owned or handle not in _room.sockets:
        raise ValueError("handle was not made by zsys.socket")
    _handles.destroy(handle, _VOID, C.zmq_close, "handle")
    return 0


def sockname(socktype: int) -> str:
    """Return the name of a socket type: "PUSH" for zmq.PUSH. ValueError for a type that there is not.

    C: ``char *zsys_sockname (int socktype)``
    """
    from .zmq import types

    names = {number: name for name, number in types.items()}
    return names[integer(socktype, "socktype", 0, max(names))]


def create_pipe() -> tuple[Sock, Sock]:
    """Return two zsocks of type PAIR that are connected, front and back, with the high-water mark of `set_pipehwm`.

    The garbage collector destroys them. Raises OSError if libzmq has no room for two more sockets.

    C: ``zsock_t *zsys_create_pipe (zsock_t **backend_p)``
    """
    # As C does it, but C aborts where there is no room.
    _room.make(2)
    front, back = (_handles.own(C.zsock_new(_PAIR), _free_sock) for _ in range(2))
    assert front is not None and back is not None
    endpoint = ffi.new("char[]", b"inproc://pyczmq.pipe.%d.%d" % (os.getpid(), next(_pipes)))
    for sock, function in ((front, C.zsock_bind), (back, C.zsock_connect)):
        C.zsock_set_sndhwm(sock, C.zsys_pipehwm())
        function(sock, b"%s", endpoint)
    return front, back


# ---------------------------------------------------------------- signals


def handler_set(handler_fn: Callable[[int], object] | None) -> None:
    """Call ``handler_fn(signal_value)`` at SIGINT and SIGTERM, in place of what Python does at them; None undoes that.

    It is one of Python's handlers, called on the main thread; an exception comes out of what the thread is doing. Can
    be called on the main thread only.

    C: ``void zsys_handler_set (zsys_handler_fn *handler_fn)``
    """
    handler_reset()
    if handler_fn is None:
        return
    if not callable(handler_fn) or isinstance(handler_fn, ffi.CData):
        raise TypeError("handler_fn must be a Python callable or None; a C handler would take Ctrl-C away from Python")
    import signal

    def handle(signal_value: int, _: Any) -> None:
        handler_fn(signal_value)

    for number in (signal.SIGINT, signal.SIGTERM):
        _replaced[number] = signal.signal(number, handle)


def handler_reset() -> None:
    """Give SIGINT and SIGTERM the handlers back that `handler_set` replaced.

    C: ``void zsys_handler_reset (void)``
    """
    if _replaced:
        import signal

        for number, handler in list(_replaced.items()):
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
            del _replaced[number]


def catch_interrupts() -> None:
    """Raise RuntimeError: CZMQ's handlers would take SIGINT and SIGTERM, and so Ctrl-C, away from Python.

    Catch KeyboardInterrupt, or let `handler_set` call `set_interrupted`.

    C: ``void zsys_catch_interrupts (void)``
    """
    raise RuntimeError(
        "Python keeps its own handlers for SIGINT and SIGTERM: catch KeyboardInterrupt, or give zsys.handler_set "
        "a function that calls zsys.set_interrupted"
    )


# ---------------------------------------------------------------- the library


def version() -> tuple[int, int, int]:
    """Return the version of CZMQ as (major, minor, patch).

    C: ``void zsys_version (int *major, int *minor, int *patch)``
    """
    numbers = ffi.new("int[3]")
    C.zsys_version(numbers, numbers + 1, numbers + 2)
    return numbers[0], numbers[1], numbers[2]


def has_curve() -> bool:
    """Tell whether libzmq was built with CURVE security.

    C: ``bool zsys_has_curve (void)``
    """
    return C.zsys_has_curve()


def test(verbose: bool = False) -> None:
    """Run CZMQ's self-test of this class in a child process; RuntimeError with its output if it fails.

    C: ``void zsys_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zsys_test", verbose)


def is_interrupted() -> bool:
    """Tell whether `set_interrupted` was called, in C or here.

    C: ``bool zsys_is_interrupted (void)``
    """
    return C.zsys_interrupted != 0


def set_interrupted() -> None:
    """Let the loops and pollers of CZMQ end, those that are not told to go on. ``C.zsys_interrupted = 0`` undoes it.

    RuntimeError while there is a monitor, made with ``zactor.new(zmonitor.actor, …)``, that was not started: C would
    abort.

    C: ``void zsys_set_interrupted (void)``
    """
    monitors = sys.modules.get("pyczmq._monitors")
    if monitors is not None:
        monitors.refuse_unstarted()
    C.zctx_interrupted = 1
    C.zsys_interrupted = 1


if not TYPE_CHECKING:
    from ._alias import aliases

    _alias = aliases("zsys")

    def __getattr__(name):
        return C.zsys_interrupted if name == "interrupted" else _alias(name)

    def __dir__():
        return sorted({*globals(), "interrupted"})
