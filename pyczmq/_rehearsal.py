"""Rehearsals: what an actor of C's is about to bind or connect to is tried out first, since it aborts if it cannot."""

from __future__ import annotations

import errno
import itertools
import re

from . import _blocking, _endpoints, _handles, _room, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import CData, Socket

_PAIR, _ROUTER = 0, 6
_LINGER, _LAST_ENDPOINT, _ROUTER_MANDATORY = 17, 32, 33
_EVENT_CLOSED = 0x80
_LONGEST = 255
_MOST_PORT = 65535
_INPROC = b"inproc://"

#: Sockets that a rehearsal takes at a time.
_SOCKETS = 4

#: Milliseconds that libzmq may take to give an address back.
_PATIENCE = 1000

_RANGE = re.compile(rb":[*!]\[(\d*)-(\d*)\]$")
_DYNAMIC = (0xC000, 0xFFFF)

#: What libzmq says of an endpoint that is none.
_NONSENSE = frozenset([errno.EINVAL, errno.EPROTONOSUPPORT, errno.ENODEV, 156384764])

_free = _handles.freer(C.zsock_destroy, "zsock_t *")
_numbers = itertools.count(1)


def attach(kind: int, endpoints: bytes, name: str) -> None:
    """Raise ValueError or OSError where a zsock could not be attached to *endpoints*, which it binds by default.

    Peers hardly notice: an address that is bound is given back at once, and an inproc name is not even bound.
    """
    _room.make(_SOCKETS)
    parts = endpoints.split(b",")
    if len(parts) > 1 and not parts[-1]:
        del parts[-1]
    probe = C.zsock_new(kind)
    if not probe:
        raise OSError(ffi.errno, "libzmq has no room for another socket")
    try:
        bound = [_try(probe, part, name) for part in parts]
        _give_back(C.zsock_resolve(probe), [endpoint for endpoint in bound if endpoint])
    finally:
        _free(probe)
    taken = [part[part.startswith(b"@") :] for part in parts if not part.startswith(b">")]
    for number, endpoint in enumerate(taken):
        if endpoint.startswith(_INPROC) and (endpoint in taken[:number] or is_bound(endpoint)):
            raise _failure(name, endpoint, errno.EADDRINUSE)


def connect(kind: int, endpoint: bytes, name: str) -> None:
    """Raise ValueError or OSError where a zsock could not be connected to *endpoint*."""
    attach(kind, b">" + endpoint, name)


def _try(probe: CData, part: bytes, name: str) -> bytes | None:
    """Bind or connect to one endpoint; return what was bound."""
    connects = part.startswith(b">")
    endpoint = part[1:] if part[:1] in (b">", b"@") else part
    if not endpoint or len(part) > _LONGEST:
        raise ValueError(f"{name} must be endpoints of 1 to {_LONGEST} bytes, with commas in between")
    is_wrong = not connects and _endpoints.breaks_authentication(C.zsock_resolve(probe), endpoint)
    if is_wrong or not _endpoints.is_usable(endpoint):
        raise _failure(name, endpoint, ffi.errno)
    found = _RANGE.search(endpoint)
    if found and not connects:
        first, last = (int(text or port) for text, port in zip(found.groups(), _DYNAMIC))
        if not first <= last <= _MOST_PORT:
            raise ValueError(f"{name}: {_text.decode(endpoint)!r} has no range of ports")
    if endpoint.startswith(_INPROC) and len(endpoint) > len(_INPROC):
        return None
    text = ffi.new("char[]", endpoint)
    if (C.zsock_connect if connects else C.zsock_bind)(probe, b"%s", text) == -1:
        raise _failure(name, endpoint, ffi.errno)
    if connects:
        return None
    size = ffi.new("size_t *", 2 * _LONGEST)
    last_endpoint = ffi.new("char[]", size[0])
    C.zmq_getsockopt(C.zsock_resolve(probe), _LAST_ENDPOINT, last_endpoint, size)
    return bytes(ffi.string(last_endpoint))


def _failure(name: str, endpoint: bytes, number: int) -> Exception:
    text = f"{name}: {_text.decode(endpoint)!r}: {_text.string(C.zmq_strerror(number))}"
    return ValueError(text) if number in _NONSENSE else OSError(number, text)


def _give_back(handle: Socket, bound: list[bytes]) -> None:
    """Unbind endpoints, and wait until another socket can bind them."""
    if not bound:
        return
    address = b"inproc://pyczmq.rehearsal.%d" % next(_numbers)
    C.zmq_socket_monitor(handle, address, _EVENT_CLOSED)
    events = C.zmq_socket(C.zsys_init(), _PAIR)
    try:
        C.zmq_connect(events, address)
        for endpoint in bound:
            C.zmq_unbind(handle, endpoint)
        message = ffi.new("zmq_msg_t *")
        C.zmq_msg_init(message)
        for _ in bound:
            if not _blocking.wait(events, _blocking.POLLIN, _PATIENCE):
                break
            while C.zmq_msg_recv(message, events, 1) >= 0 and C.zmq_msg_more(message):
                pass
        C.zmq_msg_close(message)
    finally:
        C.zmq_socket_monitor(handle, ffi.NULL, 0)
        C.zmq_close(events)


def is_bound(endpoint: bytes, context: CData | None = None) -> bool:
    """Tell whether an inproc name is taken in a libzmq context, by default the process-wide one.

    To bind it, as a test, would disconnect those who wait for it. A ROUTER that insists on routing is ready to send
    only once it knows its peer, which it learns at once from one that is there.
    """
    probe = C.zmq_socket(C.zsys_init() if context is None else context, _ROUTER)
    if not probe:
        return False
    C.zmq_setsockopt(probe, _LINGER, ffi.new("int *", 0), 4)
    C.zmq_setsockopt(probe, _ROUTER_MANDATORY, ffi.new("int *", 1), 4)
    C.zmq_connect(probe, endpoint)
    item = _blocking.pollitem(probe, _blocking.POLLOUT)
    taken: bool = C.zmq_poll(item, 1, 0) > 0
    # Closing alone would leave a connection to whoever binds next, to send a message into, for a moment.
    C.zmq_disconnect(probe, endpoint)
    C.zmq_poll(item, 1, 0)
    C.zmq_close(probe)
    return taken
