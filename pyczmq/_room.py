"""The sockets in the process-wide context: how many there are, and whether there is room for more.

CZMQ aborts when it is called with sockets open, or without room for another one, where it should not be.
"""

from __future__ import annotations

import gc
import os
import time

from . import _handles
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import CData

_PAIR = 0
_FD = 14
_EMFILE = "libzmq has no room for another socket: see zsys.set_max_sockets, and the limit of open files"

#: Seconds that a closed socket, or an actor that nobody refers to, may take to give its room back.
_PATIENCE = 0.25

#: Types whose handles have sockets in the process-wide context.
_HOLDERS = frozenset(
    ffi.typeof(f"{name}_t *")
    for name in ("zsock", "zactor", "zauth", "zbeacon", "zproc", "zhttp_client", "zhttp_server")
)

#: Sockets that zsys.socket made.
sockets: set[CData] = set()


def refuse_while_open(function: str) -> None:
    """Raise RuntimeError if there are sockets, as far as Python knows: those of the raw floor it does not know."""
    owned = sum(ffi.typeof(owner.pointer) in _HOLDERS for owner in list(_handles._owned.values()))
    if owned + len(sockets):
        raise RuntimeError(
            f"zsys.{function} works only while there are no sockets: {owned + len(sockets)} zsocks, zactors or "
            "the like are alive, to be destroyed before"
        )


def make(count: int) -> None:
    """Raise OSError unless *count* more sockets can be made now, other threads aside.

    Where they cannot, what nobody refers to is given up, and is given time to close.
    """
    try:
        return _try(count)
    except OSError:
        gc.collect()
        deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return _try(count)
        except OSError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(0.001)


def _try(count: int) -> None:
    """Raise OSError unless *count* more sockets can be made now."""
    context = C.zsys_init()
    probes = [C.zmq_socket(context, _PAIR) for _ in range(count)]
    error = ffi.errno
    descriptors = [_descriptor(probe) for probe in probes if probe]
    for probe in probes:
        if probe:
            C.zmq_close(probe)
    # A socket's room is free by the time that its descriptor is closed, which another thread does.
    deadline = time.monotonic() + _PATIENCE
    for descriptor in descriptors:
        while _is_open(descriptor) and time.monotonic() < deadline:
            time.sleep(0.0001)
    if not all(probes):
        raise OSError(error, _EMFILE)


def _descriptor(handle: CData) -> int:
    found = ffi.new("zmq_fd_t *")
    C.zmq_getsockopt(handle, _FD, found, ffi.new("size_t *", ffi.sizeof("zmq_fd_t")))
    return int(found[0])


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=sockets.clear)
