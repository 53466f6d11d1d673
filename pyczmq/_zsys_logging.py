"""CZMQ's log in Python's `logging`: a part of `pyczmq.zsys`.

C writes each line, with one system call, to one end of a pair of sockets that keeps them apart, and a thread reads them
at the other end: so C's threads wait for no Python code, and a line feed in a line makes no second one.
"""

from __future__ import annotations

import os
from _thread import get_ident

from . import _text, _threads, _unraisable, _zsys_log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from logging import Logger, LoggerAdapter
    from typing import Any, Union

    Target = Union[Logger, LoggerAdapter[Any]]

__all__ = ["log_to_logging"]

#: Seconds for which a thread of C's may wait where nobody reads: Python may be busy, or ended.
_PATIENCE = 1

#: More than C's longest line, in bytes.
_LINE = 4096

_reader: _Reader | None = None

#: Whether the log went to the reader when the process was forked.
_in_use = False


def log_to_logging(logger: Target | str | None = "czmq") -> None:
    """Send CZMQ's log to Python's `logging`: to *logger*, or to the one of that name; None ends that.

    Each line becomes a record, in order, made by a thread of its own shortly after: errors, warnings and debug texts
    with the level of that name, notices and informations with ``INFO``. C's time stamp is dropped, since records have
    one; what `set_logident` says stays before the text, and C cuts a line after 1023 bytes. The passwords that a
    verbose authenticator logs become ``***``.

    This takes the place of a stream (`set_logstream`) and of the system's log (`set_logsystem`). None returns once all
    that was logged has become records, and leaves the log with no stream. A forked child logs to its own `logging`.

    Not on Windows (OSError).
    """
    global _reader
    if logger is None:
        if _reader is not None:
            _reader.stop()
        return
    import logging

    if isinstance(logger, str):
        logger = logging.getLogger(logger)
    elif not isinstance(logger, (logging.Logger, logging.LoggerAdapter)):
        raise TypeError(f"logger must be a logging.Logger, the name of one or None, not {type(logger).__name__}")
    if _reader is None:
        _reader = _Reader()
    _reader.start(logger)


class _Reader:
    """The pair of sockets and the thread that reads; there is one in a process."""

    logger: Target

    def __init__(self) -> None:
        import atexit
        import re
        import socket
        import struct
        from queue import SimpleQueue
        from threading import Thread

        if not hasattr(socket, "AF_UNIX"):
            raise OSError("this system has no sockets that CZMQ could write its log to")
        self.lines, self.log = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.log.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _PATIENCE, 0))
        self.stream = os.fdopen(os.dup(self.log.fileno()), "wb", buffering=0)
        self.pattern = re.compile(rb"([EWNID]): (\(.*?\) )?\d\d-\d\d-\d\d \d\d:\d\d:\d\d (.*)\n", re.DOTALL)
        self.password = re.compile(rb"(zauth: - \w+ \(PLAIN\) username=.*? password=).*", re.DOTALL)
        self.ends = 0
        self.ended: SimpleQueue[int] = SimpleQueue()
        Thread(target=self.read, name="pyczmq log", daemon=True).start()
        atexit.register(_leave)

    def start(self, logger: Target) -> None:
        """Read for *logger*."""
        self.logger = logger
        _zsys_log.set_logsystem(False)
        _zsys_log.set_logstream(self.stream)

    def stop(self) -> None:
        """Take the log away, and wait until what was logged has become records."""
        from queue import Empty

        if _zsys_log.is_stream(self.stream):
            _zsys_log.set_logstream(None)
        try:
            # No line of C's looks like this.
            self.ends += 1
            self.log.send(b"%d" % self.ends)
            while self.ended.get(timeout=_PATIENCE) != self.ends:
                pass
        except (BlockingIOError, Empty):
            # A handler is stuck: its records have to wait.
            return

    def read(self) -> None:
        """Make records of lines, for as long as the process runs."""
        from logging import DEBUG, ERROR, INFO, WARNING

        _threads.helpers.add(get_ident())
        levels = {b"E": ERROR, b"W": WARNING, b"D": DEBUG}
        while True:
            line = self.lines.recv(_LINE)
            found = self.pattern.fullmatch(line)
            if found is None:
                self.ended.put(int(line))
                continue
            text = _text.decode((found[2] or b"") + self.password.sub(rb"\1***", found[3]))
            try:
                self.logger.log(levels.get(found[1], INFO), "%s", text)
            except SystemExit:
                # It would end this thread, and nobody would read any more. From any other thread it is as quiet.
                continue
            except BaseException as error:
                _unraisable.report(error, self.logger.log)


def _leave() -> None:
    if _reader is not None:
        _reader.stop()


def _before_fork() -> None:
    global _in_use
    _in_use = _reader is not None and _zsys_log.is_stream(_reader.stream)


def _after_fork() -> None:
    global _reader
    logger = _reader.logger if _reader is not None and _in_use else None
    # The thread and the sockets are the parent's.
    _reader = None
    if logger is not None:
        log_to_logging(logger)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
