"""Memory that C takes without a look at whether there is any: asked for here first, so that Python can say no."""

from __future__ import annotations

from ._cffi import C, ffi

#: Bytes from which on it is made sure that there is memory.
_BIG = 1 << 20

#: Most bytes that anything may be told to have: with its own overhead it still fits into C's sizes.
MOST = 2**62


def afford(count: int, what: str) -> None:
    """Raise MemoryError if there are not *count* bytes to be had for *what*: C would abort, or write to NULL."""
    if count >= _BIG:
        probe = ffi.new("zmq_msg_t *")
        if count > MOST or C.zmq_msg_init_size(probe, count) != 0:
            raise MemoryError(f"no memory for {what} of {count} bytes")
        C.zmq_msg_close(probe)
