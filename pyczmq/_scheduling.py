"""What libzmq's threads may be asked for: it starts them at a context's first socket, and aborts where that fails.

So each wish is tried first, on a thread that ends right away, and so is whether there are enough file descriptors.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from _thread import RLock, allocate_lock, start_new_thread

from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable
    from typing import Any

    from ._types import CData

IO_THREADS = 1
MAX_SOCKETS = 2
PRIORITY = 3
POLICY = 4
CPU_ADD = 7

#: More I/O threads than this could use up a process's file descriptors, of which each one needs some: C would abort.
MOST_IO_THREADS = 255

#: libzmq makes a list of this many slots at the first socket.
MOST_SOCKETS = 1_000_000

#: File descriptors that each of libzmq's threads takes at most: one to wait by, and a pair for what is sent to it.
_DESCRIPTORS = 3

#: File descriptors that must be left where libzmq or CZMQ aborts for want of one: meanwhile libzmq's threads may accept
#: connections, each of which takes one.
SPARE = 8

#: Seconds that a thread may take to end that has nothing to do.
_PATIENCE = 5.0

#: How often to look, at most, whether threads that have ended are gone, and seconds between two looks.
_MOMENTS = 200
_MOMENT = 0.00005

#: What to say where libzmq can have no threads, with ENOMEM.
NO_THREADS = "no threads can be started for libzmq: see the limits of memory and of threads"

#: What Python says where no thread can be had.
_REFUSAL = "can't start new thread"

#: Contexts whose threads run.
_started: set[CData] = set()

#: CZMQ's own context, once it is known that there is one.
_process_wide: CData | None = None

_init_lock = RLock()

#: What was set for a context, by the context's address: option -> value.
_schedules: dict[CData, dict[int, int]] = {}

#: What was asked for and would not work yet, such as a policy that needs a priority.
_pending: dict[CData, dict[int, int]] = {}


def check_limit(option: int, value: int, name: str) -> None:
    """Raise ValueError for a number of threads or sockets with which libzmq could abort or take all memory."""
    most = {IO_THREADS: MOST_IO_THREADS, MAX_SOCKETS: MOST_SOCKETS}.get(option)
    if most is not None and value > most:
        raise ValueError(f"{name} must be at most {most}, not {value}")


def check_cpu(cpu: int) -> None:
    """Raise OSError for a CPU that this process may not run on."""
    if cpu < 0:
        return
    if hasattr(os, "sched_setaffinity"):
        _try(os.sched_setaffinity, 0, {cpu})
    elif os.path.exists("/proc/self/status") and cpu not in _allowed_cpus():
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def _allowed_cpus() -> set[int]:
    """Return the CPUs that Linux lets this process run on, for a Python that cannot ask: PyPy."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        text = next(line for line in status if line.startswith("Cpus_allowed_list:")).split(":")[1]
    ranges = [part.split("-") for part in text.strip().split(",")]
    return {cpu for ends in ranges for cpu in range(int(ends[0]), int(ends[-1]) + 1)}


def apply(context: CData, changes: dict[int, int]) -> None:
    """Set the scheduling policy or priority of a context's threads; OSError for what the system does not allow."""
    wanted = {**_schedules.get(context, {}), **changes}
    _try(_schedule, wanted.get(POLICY), wanted.get(PRIORITY))
    _schedules[context] = wanted
    for option, value in changes.items():
        C.zmq_ctx_set(context, option, value)


def postpone(context: CData, option: int, value: int) -> None:
    """Set one option of a context's schedule now, or at its first socket if it does not work by itself."""
    changes = {**_pending.pop(context, {}), option: value}
    try:
        apply(context, changes)
    except OSError:
        _pending[context] = changes


def settle(context: CData) -> None:
    """Set what was postponed; OSError for what the system does not allow."""
    if _pending and context in _pending:
        apply(context, _pending[context])
        del _pending[context]


def can_start(context: CData) -> bool:
    """Tell whether a context's threads run, or can be started by a socket.

    If they cannot, errno is set: to EMFILE for want of descriptors, or to ENOMEM for want of threads.
    """
    if context in _started:
        return True
    # The reaper's thread, the I/O threads, and the socket itself.
    threads = 1 + int(C.zmq_ctx_get(context, IO_THREADS))
    return has_descriptors(_DESCRIPTORS * threads + 2) and has_threads(threads)


def note_started(context: CData) -> None:
    """Note that a socket was made in a context."""
    _started.add(context)


def make_socket(attempt: Callable[[], Any]) -> Any:
    """Return what *attempt* does, which makes a socket; where there is no room it waits for that of closed sockets."""
    made = attempt()
    if not made and C.zmq_errno() == errno.EMFILE:
        from . import _room

        made = _room.wait_for(attempt)
    return made


def has_context() -> bool:
    """Tell whether CZMQ has its context, or can make it: zsys_init aborts if it cannot; errno is set to EMFILE then."""
    global _process_wide
    if _process_wide is None:
        # zsys_init goes on setting things up once it lets others have the context, and aborts if one makes a socket.
        with _init_lock:
            if _process_wide is None and has_descriptors(2):
                _process_wide = C.zsys_init()
    return _process_wide is not None


def shut_down() -> None:
    """Have all calls on sockets fail from now on, in the process-wide context and in those of CZMQ 2."""
    # Whatever is not loaded by now may find no descriptor to be loaded with.
    retired = sys.modules.get(f"{__package__}._czmq2")
    contexts = [] if retired is None else list(retired.contexts())
    if has_context():
        contexts.append(C.zsys_init())
    for context in contexts:
        C.zmq_ctx_shutdown(context)


def process_wide() -> CData:
    """Return CZMQ's own context, made now if it was not there; OSError where there is no descriptor for it."""
    if not has_context():
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return C.zsys_init()


def has_descriptors(count: int) -> bool:
    """Tell whether this process may open so many files more; errno is set to EMFILE if it may not."""
    opened: list[int] = []
    try:
        opened += os.pipe()
        while len(opened) < count:
            opened.append(os.dup(opened[0]))
        return True
    except OSError as error:
        ffi.errno = error.errno or errno.EMFILE
        return False
    finally:
        for number in opened:
            os.close(number)


def has_threads(count: int) -> bool:
    """Tell whether so many threads more can be started; errno is set to ENOMEM if they cannot."""
    try:
        try_threads(count)
    except RuntimeError as error:
        # From Python 3.12 on Python starts none while it exits either, which says nothing of libzmq.
        if str(error) == _REFUSAL:
            ffi.errno = errno.ENOMEM
            return False
    return True


def try_threads(count: int) -> None:
    """Start so many threads at once, which end at once; raise RuntimeError, as Python does, where that cannot be."""
    before = _tasks()
    gate = allocate_lock()
    gate.acquire()
    running: list[LockType] = []

    def run(ended: LockType) -> None:
        with gate:
            ended.release()

    try:
        for _ in range(count):
            ended = allocate_lock()
            ended.acquire()
            start_new_thread(run, (ended,))
            running.append(ended)
    finally:
        gate.release()
    for ended in running:
        # There may be a thread, and no memory for it to run in.
        if not ended.acquire(timeout=_PATIENCE):
            raise RuntimeError(_REFUSAL)
    # The system counts them for a moment longer than Python does.
    for _ in range(_MOMENTS):
        if _tasks() <= before:
            break
        time.sleep(_MOMENT)


def _tasks() -> int:
    """Return how many threads this process has, where Linux tells."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 0


def forget(context: CData) -> None:
    """Drop what is known of a context that ends, or whose address a new one has."""
    global _process_wide
    if context == _process_wide:
        _process_wide = None
    _started.discard(context)
    _schedules.pop(context, None)
    _pending.pop(context, None)


def _schedule(policy: int | None, priority: int | None) -> None:
    """Do to the calling thread what libzmq does to its own."""
    if not hasattr(os, "sched_setscheduler"):
        if hasattr(os, "fork"):
            raise PermissionError("this Python cannot tell whether the system allows that")
        return
    if policy is None:
        policy = os.sched_getscheduler(0)
    real_time = policy in (os.SCHED_FIFO, os.SCHED_RR)
    os.sched_setscheduler(0, policy, os.sched_param(priority or 0 if real_time else 0))
    # libzmq takes a nice value of -1 for an error.
    if priority is not None and not real_time and os.nice(-20) == -1:
        raise PermissionError("this process is too nice: libzmq would take its new priority for an error")


def _try(function: Callable[..., Any], *args: Any) -> None:
    """Call *function* on a thread of its own, and raise what it raises."""
    from threading import Thread

    errors = []

    def run() -> None:
        try:
            function(*args)
        except (OSError, ValueError, OverflowError) as error:
            errors.append(error)

    thread = Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


def _after_fork() -> None:
    global _process_wide, _init_lock
    _init_lock = RLock()
    _started.clear()
    _process_wide = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
