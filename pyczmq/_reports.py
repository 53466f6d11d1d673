"""Looking whether there is a report, for whatever reports to Python and is waited for by its descriptor."""

from __future__ import annotations

import errno

from . import _blocking
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import Socket


def none_yet(handle: Socket) -> bool:
    """Tell whether nothing can be received; errno says why: EAGAIN, or that the context has ended.

    By looking, libzmq takes notice of what has come meanwhile, and its descriptor tells of that no more. So where this
    says that there is something, it is to be received before anybody sleeps.
    """
    ready: int = C.zmq_poll(_blocking.pollitem(handle, _blocking.POLLIN), 1, 0)
    if ready == 0:
        ffi.errno = errno.EAGAIN
    return ready <= 0


def note_end() -> None:
    """Say by errno that there will be nothing any more: ENOTSOCK."""
    ffi.errno = errno.ENOTSOCK
