"""Logging: a part of `pyczmq.zsys`. What is logged goes to a file, to the system's log, or out on a PUB socket."""

from __future__ import annotations

import os
from _thread import RLock

from . import _room, _text
from ._cffi import C, ffi
from ._endpoints import is_usable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

    from ._types import CData, Text

__all__ = [
    "set_logident",
    "set_logstream",
    "set_logsender",
    "set_logsystem",
    "error",
    "warning",
    "notice",
    "info",
    "debug",
]

_FILE = ffi.typeof("FILE *")
_LINGER = 17
_PUB = 1

#: Longest endpoint that CZMQ has room for.
_LONGEST = 255

#: One line at a time: C formats and sends with no lock of its own. A signal's handler may log, too.
_lock = RLock()

#: The file that the log goes to, and what C writes to in its place, which must not be collected.
_stream: Any = None
_written: Any = None

#: Whether C has a socket to send the log on.
_sending = "ZSYS_LOGSENDER" in os.environ

_leaving = False


def set_logident(value: Text) -> None:
    """Set a text that each line of the log has before it, in parentheses.

    C: ``void zsys_set_logident (const char *value)``
    """
    with _lock:
        C.zsys_set_logident(_text.cstring(value, "value"))


def set_logstream(stream: IO[Any] | CData | None) -> None:
    """Log to a file object that has a file descriptor, or a ``FILE *`` of cffi's; None logs to no file.

    At first it is the standard output. The file stays open as far as the log is concerned: to close it does no harm.

    C: ``void zsys_set_logstream (FILE *stream)``
    """
    global _stream, _written
    if isinstance(stream, ffi.CData) and stream != ffi.NULL and ffi.typeof(stream) is not _FILE:
        raise TypeError(f"stream must be a file, a FILE * or None, not {ffi.typeof(stream).cname}")
    with _lock:
        try:
            written: Any = ffi.NULL if stream is None else stream
            if not isinstance(written, ffi.CData):
                written = _own(written)
            C.zsys_set_logstream(written)
        except (TypeError, AttributeError, OSError) as error:
            raise TypeError(f"stream must be a file with a descriptor, a FILE * or None: {error}") from None
        except ValueError as error:
            raise ValueError(f"stream: {error}") from None
        before, _stream, _written = _written, stream, written
        if before is not None and not isinstance(before, ffi.CData):
            before.close()
    _leave_in_order()


def _own(stream: IO[Any]) -> IO[Any]:
    """Return a file of our own that writes where *stream* does.

    From a file with a buffer PyPy would make C a ``FILE *`` that stays open for good.
    """
    descriptor = os.dup(stream.fileno())
    try:
        return open(descriptor, "wb", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


def is_stream(stream: IO[Any]) -> bool:
    """Tell whether the log goes to *stream*."""
    return _stream is stream


def set_logsender(endpoint: Text | None) -> None:
    """Publish the log on a PUB socket, bound to an endpoint, or to several with commas between them; None ends that.

    A ``>`` before an endpoint connects to it. Further calls add endpoints. Raises ValueError for an endpoint that
    cannot be bound, over which C would abort.

    C: ``void zsys_set_logsender (const char *endpoint)``
    """
    global _sending
    with _lock:
        if endpoint is None:
            C.zsys_set_logsender(ffi.NULL)
            _sending = False
            return
        endpoints = _text.cstring(endpoint, "endpoint")
        _check(endpoints)
        _room.make(1)
        C.zsys_set_logsender(endpoints)
        _sending = True
    _leave_in_order()


def _check(endpoints: bytes) -> None:
    """Try endpoints on sockets of our own; ValueError for one that does not work."""
    import re

    context = C.zmq_ctx_new()
    inside, outside = C.zmq_socket(C.zsys_init(), _PUB), C.zmq_socket(context, _PUB)
    bound = []
    try:
        if not inside or not outside:
            raise OSError(ffi.errno, "libzmq has no room for another socket")
        parts = endpoints.split(b",")
        for part in parts if parts[-1] else parts[:-1]:
            name = part[1:] if part[:1] in (b"@", b">") else part
            # The names of inproc are the context's own.
            probe = inside if name.startswith(b"inproc:") else outside
            wildcard = re.sub(rb"^(tcp://.*):[*!](\[\d*-\d*\])?$", rb"\1:*", name)
            function = C.zmq_connect if part.startswith(b">") else C.zmq_bind
            if len(part) > _LONGEST or not is_usable(name) or function(probe, wildcard) != 0:
                text = _text.decode(ffi.string(C.zmq_strerror(ffi.errno)))
                raise ValueError(f"endpoint {_text.decode(name)!r}: {'too long' if len(part) > _LONGEST else text}")
            if probe is inside:
                bound.append(wildcard)
    finally:
        # Closing alone would free an inproc name some time later; the rest is free once the context has ended.
        for name in bound:
            C.zmq_unbind(inside, name)
        for probe in filter(None, (inside, outside)):
            C.zmq_setsockopt(probe, _LINGER, ffi.new("int *"), 4)
            C.zmq_close(probe)
        C.zmq_ctx_term(context)


def sending() -> bool:
    """Tell whether there is a socket that the log is sent on."""
    return _sending


def was_shut_down() -> None:
    """Note that C has forgotten where the log goes."""
    global _sending, _stream
    _sending = False
    _stream = None


def set_logsystem(logsystem: bool) -> None:
    """Log to the system's log, and to nothing else, or stop doing so.

    C: ``void zsys_set_logsystem (bool logsystem)``
    """
    with _lock:
        C.zsys_set_logsystem(bool(logsystem))


def error(format: Text, *args: Any) -> None:
    """Log an error. Only where arguments follow it is the text a C-style format, which Python fills in.

    C: ``void zsys_error (const char *format, ...)``
    """
    _log(C.zsys_error, format, args)


def warning(format: Text, *args: Any) -> None:
    """Log a warning. Only where arguments follow it is the text a C-style format, which Python fills in.

    C: ``void zsys_warning (const char *format, ...)``
    """
    _log(C.zsys_warning, format, args)


def notice(format: Text, *args: Any) -> None:
    """Log something normal but significant. Only where arguments follow it is the text a C-style format.

    C: ``void zsys_notice (const char *format, ...)``
    """
    _log(C.zsys_notice, format, args)


def info(format: Text, *args: Any) -> None:
    """Log something for information. Only where arguments follow it is the text a C-style format.

    C: ``void zsys_info (const char *format, ...)``
    """
    _log(C.zsys_info, format, args)


def debug(format: Text, *args: Any) -> None:
    """Log something that helps to find errors. Only where arguments follow it is the text a C-style format.

    C: ``void zsys_debug (const char *format, ...)``
    """
    _log(C.zsys_debug, format, args)


def _log(function: Any, format: Text, args: tuple[Any, ...]) -> None:
    text = _text.cstring(_text.sprintf(format, *args) if args else format, "format")
    with _lock:
        function(b"%s", ffi.new("char[]", text))


def _leave_in_order() -> None:
    """Let C have no file at exit that Python closes before, and no socket."""
    global _leaving
    if not _leaving:
        import atexit

        _leaving = True
        atexit.register(_leave)


def _leave() -> None:
    with _lock:
        if _sending:
            C.zsys_set_logsender(ffi.NULL)
        if _stream is not None:
            C.zsys_set_logstream(ffi.NULL)


def _after_fork() -> None:
    global _lock
    _lock = RLock()
    was_shut_down()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
