"""The way from PyZMQ's objects to libzmq's, for a PyZMQ that runs on the same libzmq as CZMQ does.

PyZMQ's binary wheels bring a libzmq of their own. The pointers of one copy mean nothing to the other and crash it, so
where there are two nothing is handed out.
"""

from __future__ import annotations

import sys

from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._types import CData


def context(ctx: Any) -> CData:
    """Return the libzmq context (``void *``) of a zmq.Context."""
    return _underlying(ctx, "Context", "ctx")


def socket(sock: Any) -> CData:
    """Return the libzmq socket (``void *``) of a zmq.Socket."""
    return _underlying(sock, "Socket", "sock")


def _underlying(thing: Any, kind: str, name: str) -> CData:
    wanted: Any = getattr(sys.modules.get("zmq"), kind, ())
    if not isinstance(thing, wanted):
        raise TypeError(f"{name} must be a zmq.{kind} of PyZMQ, not {type(thing).__name__}")
    if thing.closed:
        raise ValueError(f"{name} is closed")
    _check_library(type(thing))
    pointer: CData = ffi.cast("void *", thing.underlying)
    return pointer


def _check_library(kind: type) -> None:
    """Raise RuntimeError unless PyZMQ's extension module calls the very libzmq that CZMQ runs on."""
    theirs = _libzmq_of(kind)
    if theirs == ffi.cast("void *", C.zmq_ctx_new):
        return
    raise RuntimeError(
        "PyZMQ has loaded a libzmq of its own, as its binary wheels do, and CZMQ runs on another: neither can use the "
        "other's contexts and sockets. Install a PyZMQ that is built against the system's libzmq: the distribution's "
        "package (Debian: apt install python3-zmq), or pip install --no-binary pyzmq pyzmq"
    )


def _libzmq_of(kind: type) -> CData | None:
    """Return the address of zmq_ctx_new as the linker finds it from PyZMQ's extension module; None if it does not."""
    for base in kind.__mro__:
        if not base.__module__.startswith("zmq.backend."):
            continue
        package = base.__module__.rpartition(".")[0]
        for module in (base.__module__, f"{package}._zmq", f"{package}._cffi"):
            path = getattr(sys.modules.get(module), "__file__", None)
            if not path or path.endswith((".py", ".pyc")):
                continue
            try:
                address: CData = ffi.cast("void *", ffi.dlopen(path).zmq_ctx_new)
            except (OSError, AttributeError, ffi.error):
                continue
            return address
    return None
