"""zbeacon: CZMQ 2's beacons, driven over the CZMQ 4 beacon actor."""

from __future__ import annotations

import atexit
import os

from .. import _actor_threads, _blocking
from .._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._types import Actor, Beacon, CData, Socket

#: Milliseconds between two broadcasts.
DEFAULT_INTERVAL = 1000


class _Beacon:
    """What a ``zbeacon_t *`` stands for."""

    def __init__(self, actor: Actor, hostname: CData) -> None:
        self.actor = actor
        self.hostname = hostname
        self.interval = DEFAULT_INTERVAL
        self.transmit: bytes | None = None
        self.handle = ffi.new_handle(self)
        self.pointer: Beacon = ffi.cast("zbeacon_t *", self.handle)
        _beacons[self.pointer] = self

    def broadcast(self) -> None:
        """Tell the actor what to send and how often."""
        if self.transmit is not None:
            self.command(b"PUBLISH", self.transmit, b"%d" % self.interval)

    def command(self, *frames: bytes) -> None:
        """Send a command to the actor, open to signals: it reads none while its own pipe is full of beacons."""
        message = C.zmsg_new()
        for frame in frames:
            C.zmsg_addmem(message, frame, len(frame))
        reference = ffi.new("zmsg_t **", message)
        try:
            # C sends whole messages or nothing, and says by the reference whether it has.
            while reference[0] and _blocking.wait(C.zsock_resolve(self.actor), _blocking.POLLOUT, -1):
                C.zmsg_send(reference, self.actor)
        finally:
            C.zmsg_destroy(reference)

    def destroy(self) -> None:
        """End the actor."""
        if _beacons.pop(self.pointer, None) is not None:
            _actor_threads.end(self.actor)


_beacons: dict[CData, _Beacon] = {}


def _at_exit() -> None:
    """End what runs: C's own exit handler aborts over actors that are still there."""
    for beacon in list(_beacons.values()):
        beacon.destroy()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_beacons.clear)
atexit.register(_at_exit)


def find(pointer: CData) -> _Beacon | None:
    """Return the beacon behind a ``zbeacon_t *``; None if it is not one of ours that is alive."""
    return _beacons.get(pointer)


def _beacon(pointer: CData) -> _Beacon:
    found = _beacons.get(pointer)
    if found is None:
        raise ValueError("not a zbeacon_t that is alive")
    return found


def zbeacon_new(ctx: CData, port_nbr: int) -> Beacon:
    """C: ``zbeacon_t *zbeacon_new (zctx_t *ctx, int port_nbr)``.

    *ctx* is not used: the CZMQ 4 actor lives in the process-wide context. Returns NULL where there is no interface to
    broadcast on.
    """
    actor = _actor_threads.start(C.zbeacon)
    C.zsock_send(actor, b"si", ffi.new("char[]", b"CONFIGURE"), ffi.cast("int", port_nbr))
    hostname = C.zstr_recv(actor)
    try:
        text = ffi.string(hostname) if hostname else b""
    finally:
        C.zstr_free(ffi.new("char **", hostname))
    if not text:
        _actor_threads.end(actor)
        _actor_threads.taken(actor)
        return ffi.cast("zbeacon_t *", 0)  # type: ignore[no-any-return]
    beacon = _Beacon(actor, ffi.new("char[]", text))
    _actor_threads.taken(actor)
    return beacon.pointer


def zbeacon_destroy(self_p: CData) -> None:
    """C: ``void zbeacon_destroy (zbeacon_t **self_p)``."""
    if self_p[0]:
        _beacon(self_p[0]).destroy()
        self_p[0] = ffi.NULL


def zbeacon_hostname(self: CData) -> CData:
    """C: ``char *zbeacon_hostname (zbeacon_t *self)``."""
    return _beacon(self).hostname


def zbeacon_set_interval(self: CData, interval: int) -> None:
    """C: ``void zbeacon_set_interval (zbeacon_t *self, int interval)``."""
    beacon = _beacon(self)
    beacon.interval = interval
    beacon.broadcast()


def zbeacon_noecho(self: CData) -> None:
    """C: ``void zbeacon_noecho (zbeacon_t *self)``; CZMQ 4 always drops beacons that equal the own one."""
    _beacon(self)


def zbeacon_publish(self: CData, transmit: CData | bytes, size: int) -> None:
    """C: ``void zbeacon_publish (zbeacon_t *self, byte *transmit, size_t size)``."""
    beacon = _beacon(self)
    beacon.transmit = _bytes(transmit, size)
    beacon.broadcast()


def zbeacon_silence(self: CData) -> None:
    """C: ``void zbeacon_silence (zbeacon_t *self)``."""
    beacon = _beacon(self)
    beacon.transmit = None
    beacon.command(b"SILENCE")


def zbeacon_subscribe(self: CData, filter: CData | bytes, size: int) -> None:
    """C: ``void zbeacon_subscribe (zbeacon_t *self, byte *filter, size_t size)``."""
    _beacon(self).command(b"SUBSCRIBE", _bytes(filter, size))


def zbeacon_unsubscribe(self: CData) -> None:
    """C: ``void zbeacon_unsubscribe (zbeacon_t *self)``."""
    _beacon(self).command(b"UNSUBSCRIBE")


def zbeacon_socket(self: CData) -> Socket:
    """C: ``void *zbeacon_socket (zbeacon_t *self)``."""
    return C.zsock_resolve(_beacon(self).actor)


def _bytes(data: CData | bytes, size: int) -> bytes:
    if size == 0:
        return b""
    return bytes(ffi.buffer(ffi.from_buffer(data) if isinstance(data, bytes) else data, size))


FUNCTIONS = {
    function.__name__: function
    for function in (
        zbeacon_new,
        zbeacon_destroy,
        zbeacon_hostname,
        zbeacon_set_interval,
        zbeacon_noecho,
        zbeacon_publish,
        zbeacon_silence,
        zbeacon_subscribe,
        zbeacon_unsubscribe,
        zbeacon_socket,
    )
}
