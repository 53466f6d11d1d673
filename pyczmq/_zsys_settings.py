"""Settings for the zsocks and zactors of the process: a part of `pyczmq.zsys`."""

from __future__ import annotations

from . import _room, _scheduling, _text
from ._cffi import C
from ._numbers import integer
from ._zsys_log import sending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import CData, Text

__all__ = [
    "set_io_threads",
    "set_thread_sched_policy",
    "set_thread_priority",
    "set_thread_name_prefix",
    "thread_name_prefix",
    "set_thread_name_prefix_str",
    "thread_name_prefix_str",
    "thread_affinity_cpu_add",
    "thread_affinity_cpu_remove",
    "set_max_sockets",
    "socket_limit",
    "set_max_msgsz",
    "max_msgsz",
    "set_linger",
    "set_sndhwm",
    "set_rcvhwm",
    "set_pipehwm",
    "pipehwm",
    "set_ipv6",
    "ipv6",
    "ipv6_available",
    "set_interface",
    "interface",
    "set_ipv6_address",
    "ipv6_address",
    "set_ipv6_mcast_address",
    "ipv6_mcast_address",
    "set_ipv4_mcast_address",
    "ipv4_mcast_address",
    "set_mcast_ttl",
    "mcast_ttl",
    "set_auto_use_fd",
    "auto_use_fd",
    "set_zero_copy_recv",
    "zero_copy_recv",
]

#: Options of a context.
_IO_THREADS = 1
_MAX_SOCKETS = 2
_PRIORITY = 3
_POLICY = 4
_CPU_ADD = 7
_CPU_REMOVE = 8
_NAME_PREFIX = 9

#: Most that libzmq takes where CZMQ takes a size_t; CZMQ aborts over what libzmq does not take.
_INT_MAX = 2**31 - 1

#: Longest prefix of the threads' names.
_LONGEST_PREFIX = 15


# ---------------------------------------------------------------- settings that count only before the first socket


def _before_sockets(function: str) -> CData:
    """Return the process-wide context if it has no sockets yet.

    C's own setters abort if it has, also over sockets that Python does not know of. So its context is set instead,
    which is what they do.
    """
    if sending():
        raise RuntimeError(f"zsys.{function}: the log is sent on a socket; zsys.set_logsender (None) closes it")
    _room.refuse_while_open(function)
    return _scheduling.process_wide()


def set_io_threads(io_threads: int) -> None:
    """Set how many I/O threads libzmq has, up to 255; 1, the default, is good for a gigabit a second.

    C: ``void zsys_set_io_threads (size_t io_threads)``
    """
    number = integer(io_threads, "io_threads", 0, _INT_MAX)
    _scheduling.check_limit(_IO_THREADS, number, "io_threads")
    C.zmq_ctx_set(_before_sockets("set_io_threads"), _IO_THREADS, number)


def set_thread_sched_policy(policy: int, priority: int = -1) -> None:
    """Set how the system schedules libzmq's threads: ``os.SCHED_FIFO`` and so on; below 0 nothing is done.

    A real-time policy needs a *priority*, which can be given with it. PermissionError, or another OSError, if the
    system does not allow that; C would abort at the first socket.

    C: ``void zsys_set_thread_sched_policy (int policy)``
    """
    _schedule("set_thread_sched_policy", {_POLICY: integer(policy, "policy"), _PRIORITY: integer(priority, "priority")})


def set_thread_priority(priority: int) -> None:
    """Set the priority of libzmq's threads under a real-time policy; below 0 nothing is done.

    Under any other policy it raises their nice value. PermissionError, or another OSError, if the system does not
    allow that; C would abort at the first socket.

    C: ``void zsys_set_thread_priority (int priority)``
    """
    _schedule("set_thread_priority", {_PRIORITY: integer(priority, "priority")})


def _schedule(function: str, changes: dict[int, int]) -> None:
    wanted = {option: value for option, value in changes.items() if value >= 0}
    if wanted:
        _scheduling.apply(_before_sockets(function), wanted)


def set_thread_name_prefix(prefix: int) -> None:
    """Set a number that the names of libzmq's threads begin with; below 0 nothing is done. On Linux only.

    C: ``void zsys_set_thread_name_prefix (int prefix)``
    """
    if integer(prefix, "prefix") >= 0:
        C.zmq_ctx_set(_before_sockets("set_thread_name_prefix"), _NAME_PREFIX, prefix)


def thread_name_prefix() -> int:
    """Return the number that the names of libzmq's threads begin with.

    C: ``int zsys_thread_name_prefix (void)``
    """
    return C.zsys_thread_name_prefix()


def set_thread_name_prefix_str(prefix: Text) -> None:
    """Set a text of 1 to 15 bytes that the names of libzmq's threads begin with. On Linux only. Draft.

    C: ``void zsys_set_thread_name_prefix_str (const char *prefix)``
    """
    name = _text.cstring(prefix, "prefix")
    if not 1 <= len(name) <= _LONGEST_PREFIX:
        raise ValueError(f"prefix must have from 1 to {_LONGEST_PREFIX} bytes, not {len(name)}")
    _before_sockets("set_thread_name_prefix_str")
    C.zsys_set_thread_name_prefix_str(name)


def thread_name_prefix_str() -> str | None:
    """Return the text that the names of libzmq's threads begin with. Draft.

    C: ``const char *zsys_thread_name_prefix_str (void)``
    """
    return _text.string(C.zsys_thread_name_prefix_str())


def thread_affinity_cpu_add(cpu: int) -> None:
    """Let libzmq's threads run on a CPU, and only on those that are given so; below 0 nothing is done. On Linux only.

    OSError for a CPU that the process may not run on.

    C: ``void zsys_thread_affinity_cpu_add (int cpu)``
    """
    if integer(cpu, "cpu") >= 0:
        _scheduling.check_cpu(cpu)
        C.zmq_ctx_set(_before_sockets("thread_affinity_cpu_add"), _CPU_ADD, cpu)


def thread_affinity_cpu_remove(cpu: int) -> None:
    """Undo `thread_affinity_cpu_add`; below 0 nothing is done. On Linux only.

    C: ``void zsys_thread_affinity_cpu_remove (int cpu)``
    """
    if integer(cpu, "cpu") >= 0:
        C.zmq_ctx_set(_before_sockets("thread_affinity_cpu_remove"), _CPU_REMOVE, cpu)


def set_max_sockets(max_sockets: int) -> None:
    """Set how many sockets there may be, up to a million; 0 is as many as `socket_limit` says. 1024 is the default.

    C: ``void zsys_set_max_sockets (size_t max_sockets)``
    """
    number = integer(max_sockets, "max_sockets", 0, _INT_MAX)
    _scheduling.check_limit(_MAX_SOCKETS, number, "max_sockets")
    C.zmq_ctx_set(_before_sockets("set_max_sockets"), _MAX_SOCKETS, number or socket_limit())


def socket_limit() -> int:
    """Return how many sockets the system has room for.

    C: ``size_t zsys_socket_limit (void)``
    """
    return C.zsys_socket_limit()


# ---------------------------------------------------------------- settings for new sockets


def set_max_msgsz(max_msgsz: int) -> None:
    """Set how many bytes a frame may have; below 0 nothing is done.

    C: ``void zsys_set_max_msgsz (int max_msgsz)``
    """
    C.zsys_set_max_msgsz(integer(max_msgsz, "max_msgsz"))


def max_msgsz() -> int:
    """Return how many bytes a frame may have.

    C: ``int zsys_max_msgsz (void)``
    """
    return C.zsys_max_msgsz()


def set_linger(linger: int) -> None:
    """Set for how many milliseconds new zsocks go on sending when they are closed; 0, the default, is not at all.

    C: ``void zsys_set_linger (size_t linger)``
    """
    C.zsys_set_linger(integer(linger, "linger", 0, _INT_MAX))


def set_sndhwm(sndhwm: int) -> None:
    """Set the high-water mark for sending of new zsocks, in messages; 0 is no limit, 1000 the default.

    C: ``void zsys_set_sndhwm (size_t sndhwm)``
    """
    C.zsys_set_sndhwm(integer(sndhwm, "sndhwm", 0, _INT_MAX))


def set_rcvhwm(rcvhwm: int) -> None:
    """Set the high-water mark for receiving of new zsocks, in messages; 0 is no limit, 1000 the default.

    C: ``void zsys_set_rcvhwm (size_t rcvhwm)``
    """
    C.zsys_set_rcvhwm(integer(rcvhwm, "rcvhwm", 0, _INT_MAX))


def set_pipehwm(pipehwm: int) -> None:
    """Set the high-water mark of the pipes to actors, in messages; 0 is no limit, 1000 the default.

    C: ``void zsys_set_pipehwm (size_t pipehwm)``
    """
    C.zsys_set_pipehwm(integer(pipehwm, "pipehwm", 0, _INT_MAX))


def pipehwm() -> int:
    """Return the high-water mark of the pipes to actors, in messages.

    C: ``size_t zsys_pipehwm (void)``
    """
    return C.zsys_pipehwm()


def set_ipv6(ipv6: bool) -> None:
    """Let new zsocks use IPv6 beside IPv4, or not; the default is not.

    C: ``void zsys_set_ipv6 (int ipv6)``
    """
    C.zsys_set_ipv6(1 if ipv6 else 0)


def ipv6() -> int:
    """Return 1 if new zsocks use IPv6 beside IPv4, else 0.

    C: ``int zsys_ipv6 (void)``
    """
    return C.zsys_ipv6()


def ipv6_available() -> bool:
    """Tell whether this machine has IPv6. Draft.

    C: ``bool zsys_ipv6_available (void)``
    """
    return C.zsys_ipv6_available()


def set_interface(value: Text) -> None:
    """Set the network interface that beacons use, by its name; "*" is all of them.

    C: ``void zsys_set_interface (const char *value)``
    """
    C.zsys_set_interface(_text.cstring(value, "value"))


def interface() -> str | None:
    """Return the network interface that beacons use, the empty string if none was set.

    C: ``const char *zsys_interface (void)``
    """
    return _text.string(C.zsys_interface())


def set_ipv6_address(value: Text) -> None:
    """Set the IPv6 address that beacons are received at.

    C: ``void zsys_set_ipv6_address (const char *value)``
    """
    C.zsys_set_ipv6_address(_text.cstring(value, "value"))


def ipv6_address() -> str | None:
    """Return the IPv6 address that beacons are received at, the empty string if none was set.

    C: ``const char *zsys_ipv6_address (void)``
    """
    return _text.string(C.zsys_ipv6_address())


def set_ipv6_mcast_address(value: Text) -> None:
    """Set the IPv6 multicast address that beacons are sent to.

    C: ``void zsys_set_ipv6_mcast_address (const char *value)``
    """
    C.zsys_set_ipv6_mcast_address(_text.cstring(value, "value"))


def ipv6_mcast_address() -> str | None:
    """Return the IPv6 multicast address that beacons are sent to, by default that of all nodes on the link.

    C: ``const char *zsys_ipv6_mcast_address (void)``
    """
    return _text.string(C.zsys_ipv6_mcast_address())


def set_ipv4_mcast_address(value: Text | None) -> None:
    """Set the IPv4 multicast address that beacons are sent to; None, the default, is to broadcast. Draft.

    C: ``void zsys_set_ipv4_mcast_address (const char *value)``
    """
    C.zsys_set_ipv4_mcast_address(_text.optional(value, "value"))


def ipv4_mcast_address() -> str | None:
    """Return the IPv4 multicast address that beacons are sent to, None if they are broadcast. Draft.

    C: ``const char *zsys_ipv4_mcast_address (void)``
    """
    return _text.string(C.zsys_ipv4_mcast_address())


def set_mcast_ttl(value: int) -> None:
    """Set how many hops multicast may travel, from 1, the default, to 255. Draft.

    C: ``void zsys_set_mcast_ttl (byte value)``
    """
    C.zsys_set_mcast_ttl(integer(value, "value", 1, 255))


def mcast_ttl() -> int:
    """Return how many hops multicast may travel. Draft.

    C: ``byte zsys_mcast_ttl (void)``
    """
    return C.zsys_mcast_ttl()


def set_auto_use_fd(auto_use_fd: bool) -> None:
    """Let zsocks that bind take over listening descriptors that systemd has opened for the process, or not.

    C: ``void zsys_set_auto_use_fd (int auto_use_fd)``
    """
    C.zsys_set_auto_use_fd(1 if auto_use_fd else 0)


def auto_use_fd() -> int:
    """Return 1 if zsocks take over descriptors that systemd has opened, else 0.

    C: ``int zsys_auto_use_fd (void)``
    """
    return C.zsys_auto_use_fd()


def set_zero_copy_recv(zero_copy: bool) -> None:
    """Let libzmq receive into the memory of messages, with no copy, or not. Draft.

    C: ``void zsys_set_zero_copy_recv (int zero_copy)``
    """
    C.zsys_set_zero_copy_recv(1 if zero_copy else 0)


def zero_copy_recv() -> int:
    """Return 1 if libzmq receives into the memory of messages, else 0. Draft.

    C: ``int zsys_zero_copy_recv (void)``
    """
    return C.zsys_zero_copy_recv()
