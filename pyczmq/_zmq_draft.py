"""The draft functions of libzmq, there only where it was built with its draft API: a part of `pyczmq.zmq`."""

from __future__ import annotations

from . import _text
from . import _zmq_pointers as _pointers
from ._cffi import C, ffi
from ._zmq_constants import EVENT_ALL_V2, PAIR, THREAD_NAME_PREFIX
from ._zmq_pointers import socket as _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import Buffer, CData, Socketish, Text

__all__ = [
    "ctx_set_ext",
    "ctx_get_ext",
    "join",
    "leave",
    "connect_peer",
    "disconnect_peer",
    "socket_get_peer_state",
    "socket_monitor_versioned",
    "socket_monitor_pipes_stats",
]

_CONTEXT = "context"


def ctx_set_ext(context: CData, option: int, optval: int | Text) -> int:
    """Set an option of a context, as `ctx_set` does; zmq.THREAD_NAME_PREFIX may be text, of up to 16 bytes. Draft.

    C: ``int zmq_ctx_set_ext (void *context, int option, const void *optval, size_t optvallen)``
    """
    if isinstance(optval, (str, bytes)):
        text = _text.cstring(optval, "optval")
        return C.zmq_ctx_set_ext(_pointers.check(context, _CONTEXT, "context"), option, text, len(text))
    from .zmq import ctx_set

    return ctx_set(context, option, optval)


def ctx_get_ext(context: CData, option: int) -> int | str | None:
    """Return an option of a context: text for zmq.THREAD_NAME_PREFIX, else an int; None if it cannot be read. Draft.

    C: ``int zmq_ctx_get_ext (void *context, int option, void *optval, size_t *optvallen)``
    """
    _pointers.check(context, _CONTEXT, "context")
    value = ffi.new("char[17]" if option == THREAD_NAME_PREFIX else "int *")
    size = ffi.new("size_t *", 16 if option == THREAD_NAME_PREFIX else 4)
    if C.zmq_ctx_get_ext(context, option, value, size) != 0:
        return None
    return _text.string(value) if option == THREAD_NAME_PREFIX else int(value[0])


def join(socket: Socketish, group: Text) -> int:
    """Let a DISH socket receive a group's messages; return 0, or -1 with `errno` set. Draft.

    C: ``int zmq_join (void *socket, const char *group)``
    """
    return C.zmq_join(_socket(socket), _text.cstring(group, "group"))


def leave(socket: Socketish, group: Text) -> int:
    """Let a DISH socket receive a group's messages no longer; return 0, or -1 with `errno` set. Draft.

    C: ``int zmq_leave (void *socket, const char *group)``
    """
    return C.zmq_leave(_socket(socket), _text.cstring(group, "group"))


def connect_peer(socket: Socketish, endpoint: Text) -> int:
    """Connect a PEER socket and return the routing id of the new peer, or 0 with `errno` set. Draft.

    C: ``uint32_t zmq_connect_peer (void *socket, const char *addr)``
    """
    return C.zmq_connect_peer(_socket(socket), _text.cstring(endpoint, "endpoint"))


def disconnect_peer(socket: Socketish, routing_id: int) -> int:
    """Disconnect a PEER or SERVER socket from one peer; return 0, or -1. Draft, newer than libzmq 4.3.5.

    C: ``int zmq_disconnect_peer (void *socket, uint32_t routing_id)``
    """
    return C.zmq_disconnect_peer(_socket(socket), routing_id)


def socket_get_peer_state(socket: Socketish, routing_id: Text | Buffer) -> int:
    """Return what one peer of a ROUTER is ready for, a sum of zmq.POLLIN and zmq.POLLOUT; -1 if there is none. Draft.

    C: ``int zmq_socket_get_peer_state (void *socket, const void *routing_id, size_t routing_id_size)``
    """
    data = _text.data(routing_id, "routing_id")
    return C.zmq_socket_get_peer_state(_socket(socket), data, len(data))


def socket_monitor_versioned(
    socket: Socketish, endpoint: Text | None, events: int = EVENT_ALL_V2, event_version: int = 2, type: int = PAIR
) -> int:
    """Publish what happens to a socket, as `socket_monitor` does, in either form of events; return 0, or -1. Draft.

    In version 2 an event comes as frames of 64 bits: its number, the number of its values, each value; then the local
    and the remote endpoint. The *type* of the publishing socket is zmq.PAIR, PUB or PUSH.

    C: ``int zmq_socket_monitor_versioned (void *socket, const char *addr, uint64_t events, int event_version, int type)``
    """  # noqa: E501
    return C.zmq_socket_monitor_versioned(
        _socket(socket), _text.optional(endpoint, "endpoint"), events, event_version, type
    )


def socket_monitor_pipes_stats(socket: Socketish) -> int:
    """Let a socket publish zmq.EVENT_PIPES_STATS, how much is queued for each peer; return 0, or -1. Draft.

    C: ``int zmq_socket_monitor_pipes_stats (void *socket)``
    """
    return C.zmq_socket_monitor_pipes_stats(_socket(socket))
