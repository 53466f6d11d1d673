"""UDP sockets, for programs that make beacons of their own: a part of `pyczmq.zsys`.

C aborts when a UDP call fails, and waits where no signal gets through. So these are Python's own calls, on the same
file descriptors.
"""

from __future__ import annotations

import errno
import os

from . import _handles, _text
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from ._types import Frame, Text

__all__ = ["udp_new", "udp_close", "udp_send", "udp_recv", "socket_error", "hostname"]

_FRAME = ffi.typeof("zframe_t *")

#: Bytes of a datagram that `udp_recv` takes, as in C.
UDP_FRAME_MAX = 255

#: Errors that pass, or that do not matter: `socket_error` says nothing about them.
_PASSING = (
    "EAGAIN",
    "ENETDOWN",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "EINTR",
    "EPIPE",
    "ECONNRESET",
    "ENOPROTOOPT",
    "EHOSTDOWN",
    "EOPNOTSUPP",
    "EWOULDBLOCK",
    "EPROTO",
    "ENONET",
)


def udp_new(routable: bool = False) -> int:
    """Return the file descriptor of a new UDP socket, which may broadcast and share its port; `udp_close` closes it.

    A *routable* one multicasts, as far as `set_mcast_ttl` says. It speaks IPv6 if `set_ipv6` says so; then it cannot
    be routable, which is a ValueError. Raises OSError where C would abort.

    C: ``SOCKET zsys_udp_new (bool routable)``
    """
    import socket

    ipv6 = C.zsys_ipv6()
    if routable and ipv6:
        raise ValueError("routable needs IPv4, and zsys.set_ipv6 has switched IPv6 on")
    with socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP) as udp:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        hops = getattr(C, "zsys_mcast_ttl", lambda: 1)()
        if routable and hops > 1:
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, hops)
        return udp.detach()


def udp_close(handle: int) -> int:
    """Close a UDP socket; return 0, or -1 if it is not open; ValueError for any other file that is.

    C: ``int zsys_udp_close (SOCKET handle)``
    """
    descriptor = integer(handle, "handle", 0)
    try:
        os.fstat(descriptor)
    except OSError:
        pass
    else:
        # It may be one of libzmq's, which would abort.
        _socket(descriptor).detach()
    return C.zsys_udp_close(descriptor)


def udp_send(udpsock: int, frame: Frame, address: tuple[str, int]) -> int:
    """Send a frame, which stays the caller's, to an address and port: ``("192.168.1.255", 5670)``.

    Returns 0, or -1 with zmq.errno() set if it could not be sent, as when the network interface has gone.

    C: ``int zsys_udp_send (SOCKET udpsock, zframe_t *frame, inaddr_t *address, int addrlen)``
    """
    _handles.live(frame, _FRAME, "frame")
    host, port = _address(address)
    data = ffi.buffer(C.zframe_data(frame), C.zframe_size(frame))[:]
    udp = _socket(udpsock)
    try:
        udp.sendto(data, (host, port))
    except OSError as error:
        ffi.errno = error.errno or errno.EINVAL
        return -1
    finally:
        udp.detach()
    return 0


def udp_recv(udpsock: int) -> tuple[Frame, tuple[str, int]] | None:
    """Wait for a datagram; return its first 255 bytes as a frame, the caller's to destroy, and its sender's address.

    The address is a host, as numbers, and a port. Waits as long as it takes; signal handlers run meanwhile. Returns
    None with zmq.errno() set after an error.

    C: ``zframe_t *zsys_udp_recv (SOCKET udpsock, char *peername, int peerlen)``
    """
    udp = _socket(udpsock)
    try:
        data, address = udp.recvfrom(UDP_FRAME_MAX)
    except OSError as error:
        ffi.errno = error.errno or errno.EINVAL
        return None
    finally:
        udp.detach()
    host, port = address[:2]
    if len(address) == 4 and address[3] and "%" not in host:
        import socket

        # PyPy has no name for it; the number does as well.
        host += "%" + getattr(socket, "if_indextoname", str)(address[3])
    return C.zframe_new(data, len(data)), (host, port)


def _address(address: tuple[str, int]) -> tuple[str, int]:
    if not isinstance(address, tuple) or len(address) != 2 or not isinstance(address[0], str):
        raise TypeError("address must be a tuple of a host and a port")
    if "\0" in address[0]:
        raise ValueError("address must not contain a NUL byte")
    return address[0], integer(address[1], "port", 0, 65535)


def _socket(udpsock: int) -> socket.socket:
    """Return a Python socket that borrows a file descriptor; ValueError for one that is no UDP socket."""
    import socket

    descriptor = integer(udpsock, "udpsock", 0)
    try:
        waits = not hasattr(os, "get_blocking") or os.get_blocking(descriptor)
        borrowed = socket.socket(fileno=descriptor)
    except OSError as error:
        raise ValueError(f"udpsock {descriptor} is no socket: {error.strerror}") from None
    if not waits:
        # PyPy has just made it wait.
        borrowed.setblocking(False)
    if borrowed.type != socket.SOCK_DGRAM or borrowed.family not in (socket.AF_INET, socket.AF_INET6):
        borrowed.detach()
        raise ValueError(f"udpsock {descriptor} is no UDP socket")
    return borrowed


def socket_error(reason: Text) -> None:
    """Raise OSError if the last call of C in this thread left an error that will not pass by itself.

    *reason* says what was tried. C logs such an error, and aborts.

    C: ``void zsys_socket_error (const char *reason)``
    """
    what = _text.decode(_text.encode(reason, "reason"))
    code = ffi.errno
    if code and code not in [getattr(errno, name) for name in _PASSING if hasattr(errno, name)]:
        raise OSError(code, f"{what}: {os.strerror(code)}")


def hostname() -> str | None:
    """Return this machine's name as the resolver has it, for endpoints; None if it has none.

    C: ``char *zsys_hostname (void)``
    """
    return _text.take(C.zsys_hostname())
