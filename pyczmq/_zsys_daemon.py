"""Daemons: a part of `pyczmq.zsys`."""

from __future__ import annotations

import os
import signal
import sys

from . import _room, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import Text
    from ._zsys_files import Path

__all__ = ["daemonize", "run_as"]

_UMASK = 0o027


def daemonize(workdir: Path | None = None) -> int:
    """Move the process into the background, and into a folder if one is given; return 0 there, -1 if that failed.

    The process that called ends at once, with status 0: what follows runs in its child, which belongs to init. All
    file descriptors are closed, and the standard ones lead to the null device; SIGHUP is ignored; files are created
    with a umask of 027. Call it before anything is opened: RuntimeError while sockets are alive or other threads run.
    C would fork behind Python's back, so Python does it. On Windows nothing is done.

    C: ``int zsys_daemonize (const char *workdir)``
    """
    folder = None if workdir is None else _text.path(workdir, "workdir")
    if not hasattr(os, "fork"):
        return 0
    from _thread import _count

    _room.refuse_while_open("daemonize")
    if _count():
        raise RuntimeError("zsys.daemonize: other threads are running, which would not get into the background")
    # Tried before the fork, so that there is somebody to be told; C finds out after it.
    if folder is not None and not (os.path.isdir(folder) and os.access(folder, os.X_OK)):
        return -1
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    if os.fork():
        os._exit(0)
    if folder is not None:
        os.chdir(folder)
    _close_files()
    os.umask(_UMASK)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    os.close(null)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return 0


def _close_files() -> None:
    """Close all file descriptors but the standard ones."""
    try:
        descriptors = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:
        descriptors = list(range(3, min(os.sysconf("SC_OPEN_MAX"), 65536)))
    for descriptor in descriptors:
        if descriptor > 2:
            try:
                os.close(descriptor)
            except OSError:
                pass


def run_as(lockfile: Path | None = None, group: Text | None = None, user: Text | None = None) -> int:
    """Write the process id to a file, which is locked from then on, and become another group and user.

    None leaves that out; without a user the process goes back to the one who started it. Returns 0, or -1 if any of
    that failed, such as when another process has the lock. Run it after `daemonize`. The lock is lost when the process
    opens the file once more and closes it.

    C: ``int zsys_run_as (const char *lockfile, const char *group, const char *user)``
    """
    return C.zsys_run_as(
        ffi.NULL if lockfile is None else _text.path(lockfile, "lockfile"),
        _text.optional(group, "group"),
        _text.optional(user, "user"),
    )
