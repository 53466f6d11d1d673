"""zbeacon: presence and discovery on a local network, by UDP broadcasts.

A beacon announces a few bytes, over and over again, and hears what others announce on the same port. Which bytes they
are is up to the program: the name of a service and a TCP port, say. The sender's address comes with them.

    beacon = zbeacon.new(None, 9999)
    zbeacon.publish(beacon, b"SERVICE 5670")
    zbeacon.subscribe(beacon, b"SERVICE ")
    address, announcement = zstr.recvx(zbeacon.socket(beacon))

The work is done by a thread of CZMQ's. It uses the interface that the environment variable ZSYS_INTERFACE or
`zsys.set_interface` names, else the first that can broadcast. A beacon belongs to one thread at a time.

`actor` is the beacon as CZMQ 4 has it: ``zbeacon (zsock_t *, void *)``, for `zactor`. It begins with `configure`, and
the other functions here take it as well; what it hears comes from the actor itself:

    beacon = zactor.new(zbeacon.actor)
    address = zbeacon.configure(beacon, 9999)
    zbeacon.publish(beacon, b"SERVICE 5670", 100)
    zbeacon.subscribe(beacon, b"SERVICE ")
    address, announcement = zstr.recvx(beacon)
"""

from __future__ import annotations

import weakref
from functools import partial

from . import _actor_threads, _actors, _blocking, _commands, _handles, _text, zstr
from ._cffi import C, ffi
from ._czmq2 import zbeacon as _rebuilt
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Union

    from ._types import Actor, Beacon, Buffer, CData, Ctx, Socket, Text

    #: A beacon: CZMQ 2's, or the actor of CZMQ 4.
    AnyBeacon = Union[Beacon, Actor]

    #: C's beacon, for zactor.
    actor: CData

_BEACON = ffi.typeof("zbeacon_t *")
_ACTOR = ffi.typeof("zactor_t *")
_CTX = ffi.typeof("zctx_t *")
_GLANCE = 200
_MOST_BYTES = 255
_MOST_PORT = 65535


def new(ctx: Ctx | int | None = None, port: int | None = None) -> Beacon | None:
    """Return a new beacon on a UDP port, from 1 to 65535; None where no interface can broadcast.

    Both shapes of CZMQ 2 and the old pyczmq do: ``new(ctx, port)`` and ``new(port)``. The context is not used, and may
    be None. The garbage collector owns the beacon. Raises ValueError where one of CZMQ's network settings (multicast,
    IPv6) is such that C would abort.

    C: ``zbeacon_t *zbeacon_new (zctx_t *ctx, int port_nbr)``
    """
    if port is None and not isinstance(ctx, ffi.CData):
        ctx, port = None, ctx
    if ctx is not None:
        _handles.live(ctx, _CTX, "ctx")  # type: ignore[type-var]
    number = integer(port, "port", 1, _MOST_PORT)  # type: ignore[arg-type]
    _check_settings(number)
    return _handles.own(C.zbeacon_new(ffi.cast(_CTX, 0), number), _free)


def _free(pointer: CData) -> None:
    # It may have been ended at exit, before CZMQ's own context.
    found = _rebuilt.find(pointer)
    if found is not None:
        found.destroy()


def destroy(beacon: AnyBeacon | None) -> None:
    """End a beacon now, and its socket; None is let through.

    C: ``void zbeacon_destroy (zbeacon_t **self_p)``
    """
    if beacon is None:
        return
    if _is_actor(_live(beacon)):
        _actor_threads.destroy(beacon)  # type: ignore[arg-type]
    else:
        handle = _known_socket(beacon)
        if handle is not None:
            _handles.disown(handle, "was closed with its beacon")
        _handles.destroy(beacon, _BEACON, _free, "beacon")


def hostname(beacon: AnyBeacon) -> str:
    """Return the address of the interface that the beacon works on, as others see it; ``*`` for all interfaces.

    C: ``char *zbeacon_hostname (zbeacon_t *self)``
    """
    if _is_actor(_live(beacon)):
        return _settings(beacon).hostname
    return _text.decode(ffi.string(C.zbeacon_hostname(beacon)))


def set_interval(beacon: AnyBeacon, interval: int) -> None:
    """Broadcast every *interval* milliseconds; 0 stands for the 1000 that is the default.

    C: ``void zbeacon_set_interval (zbeacon_t *self, int interval)``
    """
    number = integer(interval, "interval", 0)
    if not _is_actor(_live(beacon)):
        C.zbeacon_set_interval(beacon, number)
        return
    settings = _settings(beacon)
    settings.interval = number
    settings.broadcast(beacon)


def noecho(beacon: AnyBeacon) -> None:
    """Do not hear beacons that are the same as the own one: nothing needs to be done, CZMQ 4 never hears them.

    C: ``void zbeacon_noecho (zbeacon_t *self)``
    """
    if not _is_actor(_live(beacon)):
        C.zbeacon_noecho(beacon)


def publish(beacon: AnyBeacon, transmit: Text | Buffer, interval: int | None = None) -> None:
    """Broadcast these bytes, 1 to 255 of them, now and at each interval, in place of those before.

    The *interval*, in milliseconds, is that of `set_interval`, and stays as it is where it is not given.

    C: ``void zbeacon_publish (zbeacon_t *self, byte *transmit, size_t size)``
    """
    _live(beacon)
    data = _text.data(transmit, "transmit")
    if not 1 <= len(data) <= _MOST_BYTES:
        raise ValueError(f"transmit must be 1 to {_MOST_BYTES} bytes long, not {len(data)}")
    number = None if interval is None else integer(interval, "interval", 0)
    if not _is_actor(beacon):
        if number is not None:
            C.zbeacon_set_interval(beacon, number)
        C.zbeacon_publish(beacon, data, len(data))
        return
    settings = _settings(beacon)
    if number is not None:
        settings.interval = number
    settings.transmit = _copy(data)
    settings.broadcast(beacon)


def silence(beacon: AnyBeacon) -> None:
    """Stop broadcasting.

    C: ``void zbeacon_silence (zbeacon_t *self)``
    """
    if _is_actor(_live(beacon)):
        _actors.command(beacon, b"SILENCE")  # type: ignore[arg-type]
        settings = _actors.state_of(beacon).notes.get(_Settings)  # type: ignore[arg-type]
        if settings is not None:
            settings.transmit = None
    else:
        C.zbeacon_silence(beacon)


def subscribe(beacon: AnyBeacon, filter: Text | Buffer = b"") -> None:
    """Hear beacons that begin with these bytes, at most 255 of them, in place of those before; by default all.

    C: ``void zbeacon_subscribe (zbeacon_t *self, byte *filter, size_t size)``
    """
    _live(beacon)
    data = _text.data(filter, "filter")
    if len(data) > _MOST_BYTES:
        raise ValueError(f"filter must be at most {_MOST_BYTES} bytes long, not {len(data)}")
    if _is_actor(beacon):
        _actors.command(beacon, b"SUBSCRIBE", _copy(data))  # type: ignore[arg-type]
    else:
        C.zbeacon_subscribe(beacon, data, len(data))


def unsubscribe(beacon: AnyBeacon) -> None:
    """Stop hearing beacons; those that have come in already can still be received.

    C: ``void zbeacon_unsubscribe (zbeacon_t *self)``
    """
    if _is_actor(_live(beacon)):
        _actors.command(beacon, b"UNSUBSCRIBE")  # type: ignore[arg-type]
    else:
        C.zbeacon_unsubscribe(beacon)


def socket(beacon: AnyBeacon) -> Socket:
    """Return the socket to poll, and to receive beacons from: two frames, the sender's address and the beacon.

    It keeps the beacon alive, and is refused once the beacon is destroyed. It belongs to the beacon: nothing else is to
    be done with it.

    C: ``void *zbeacon_socket (zbeacon_t *self)``
    """
    if _is_actor(_live(beacon)):
        from . import zactor

        return zactor.resolve(beacon)  # type: ignore[arg-type]
    handle = _known_socket(beacon)
    if handle is None:
        handle = _handles.own(C.zbeacon_socket(beacon), _leave, beacon)
        if handle is None:
            raise RuntimeError("the beacon has no socket")
        state = _actors.State(C.zbeacon)
        state.notes[_Settings] = _Settings()
        _commands.guard(handle, state)
        _handles.companions(beacon)[socket] = weakref.ref(handle)
    return handle


def configure(actor: Actor, port: int) -> str:
    """Have a beacon that is an actor work on a UDP port, from 1 to 65535, and return its address, as `hostname` does.

    The address is empty where no interface can broadcast; the actor tries again at each interval then. Beacons that it
    has heard and that nobody has received are dropped. Raises ValueError as `new` does.
    """
    _actors.running(actor, C.zbeacon)
    number = integer(port, "port", 1, _MOST_PORT)
    _check_settings(number)
    with _actors.using(actor) as used:
        _actors.command(actor, b"CONFIGURE", b"%d" % number)
        handle = C.zsock_resolve(actor)
        answer: list[str] = []
        while len(answer) != 1:
            if _blocking.wait(handle, _blocking.POLLIN, _GLANCE):
                answer = zstr.recvx(actor) or []
            elif _actors.has_ended(actor):
                raise RuntimeError("the actor has ended")
        used.notes.setdefault(_Settings, _Settings()).hostname = answer[0]
        return answer[0]


def verbose(actor: Actor) -> None:
    """Have a beacon that is an actor log what it does, for good."""
    _actors.command(_actors.running(actor, C.zbeacon), b"VERBOSE")


class _Settings:
    """What an actor was told."""

    __slots__ = ("hostname", "interval", "transmit")

    def __init__(self) -> None:
        self.hostname = ""
        self.interval = 0
        self.transmit: bytes | None = None

    def broadcast(self, beacon: AnyBeacon) -> None:
        """Tell the actor what to send and how often."""
        if self.transmit is not None:
            _actors.command(beacon, b"PUBLISH", self.transmit, b"%d" % self.interval)  # type: ignore[arg-type]


def _settings(beacon: AnyBeacon) -> _Settings:
    """Return what an actor was told; C would abort over one that knows no port yet."""
    found: _Settings | None = _actors.state_of(beacon).notes.get(_Settings)  # type: ignore[arg-type]
    if found is None:
        raise ValueError("beacon was not given a port yet, by configure")
    return found


def _live(beacon: AnyBeacon) -> AnyBeacon:
    """Return a beacon of either kind that is alive."""
    if _is_actor(beacon):
        return _actors.running(beacon, C.zbeacon, "beacon")  # type: ignore[arg-type]
    return _handles.live(beacon, _BEACON, "beacon")


def _copy(data: bytes | CData) -> bytes:
    return data if isinstance(data, bytes) else bytes(ffi.buffer(data))


def _is_actor(beacon: AnyBeacon) -> bool:
    return isinstance(beacon, ffi.CData) and ffi.typeof(beacon) is _ACTOR


def _known_socket(beacon: AnyBeacon) -> Socket | None:
    """Return the socket's handle, if there is one."""
    reference = (_handles.find_companions(beacon) or {}).get(socket)
    return None if reference is None else reference()


def _leave(pointer: CData) -> None:
    """Do nothing: the beacon closes its socket."""


def _vet(state: _actors.State, *words: bytes) -> _commands.Vetted:
    """Vet a command that was typed by hand; C reads it frame by frame, and would take one too many for the next."""
    command = words[0]
    note: Callable[[], object] | None = None
    if command == b"CONFIGURE":
        (port,) = _commands.take(words, 1, 1)
        _check_settings(_commands.number(port, "port", 1, _MOST_PORT))
        note = partial(state.notes.setdefault, _Settings, _Settings())
    elif command == b"PUBLISH":
        note = _vet_publish(state, words)
    elif command == b"SUBSCRIBE":
        if len(words) != 2 or len(words[1]) > _MOST_BYTES:
            raise ValueError(f"the command SUBSCRIBE takes one frame of at most {_MOST_BYTES} bytes")
    elif command in (b"VERBOSE", b"SILENCE", b"UNSUBSCRIBE"):
        _commands.take(words, 0, 0)
    else:
        raise _commands.unknown(state, words)
    return list(words), note


def _vet_publish(state: _actors.State, words: tuple[bytes, ...]) -> Callable[[], object]:
    settings = state.notes.get(_Settings)
    if settings is None:
        raise ValueError("the beacon was not given a port yet, by CONFIGURE")
    if len(words) != 3 or not 1 <= len(words[1]) <= _MOST_BYTES:
        raise ValueError(f"the command PUBLISH takes 1 to {_MOST_BYTES} bytes and an interval")
    interval = _commands.number(words[2], "interval", 0)

    def note() -> None:
        settings.transmit, settings.interval = words[1], interval

    return note


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails. It broadcasts.

    C: ``void zbeacon_test (bool verbose)``
    """
    from ._selftest import run

    run("zbeacon_test", verbose)


def _check_settings(port: int) -> None:
    """Raise ValueError where CZMQ's network settings are such that its beacon aborts."""
    C.zsys_init()  # reads the environment
    interface = _text.string(C.zsys_interface()) or ""
    ipv6 = C.zsys_ipv6()
    group = _multicast_group()
    if group is None and not ipv6:
        return
    import socket as sockets

    try:
        if group is not None:
            if ipv6:
                raise OSError("multicast over IPv4 excludes IPv6")
            if interface != "*":
                raise OSError("multicast over IPv4 needs the interface *")
            with sockets.socket(sockets.AF_INET, sockets.SOCK_DGRAM) as probe:
                probe.setsockopt(sockets.IPPROTO_IP, sockets.IP_ADD_MEMBERSHIP, sockets.inet_aton(group) + bytes(4))
        else:
            _check_ipv6(sockets, interface, port)
    except OSError as error:
        raise ValueError(f"CZMQ's network settings do not allow for beacons: {error}") from None


def _multicast_group() -> str | None:
    """Return the address for multicast over IPv4, if there is one; libraries without drafts have no way to ask."""
    import os

    if hasattr(C, "zsys_ipv4_mcast_address"):
        return _text.string(C.zsys_ipv4_mcast_address())
    return os.environ.get("ZSYS_IPV4_MCAST_ADDRESS")


def _check_ipv6(sockets: Any, interface: str, port: int) -> None:
    """Raise OSError where one of the addresses for IPv6 is none."""
    addresses = [_text.string(C.zsys_ipv6_mcast_address()) or ""]
    own = _text.string(C.zsys_ipv6_address()) or ""
    named = bool(interface) and interface != "*" and not (len(interface) == 1 and interface in "0123456789")
    if own and named:
        addresses.append(own)
        if own.lower().startswith(("fe8", "fe9", "fea", "feb")) and "%" not in own:
            # CZMQ adds the interface to link-local addresses.
            addresses.append(f"{own}%{interface}")
    for address in addresses:
        sockets.getaddrinfo(
            address, port, sockets.AF_INET6, sockets.SOCK_DGRAM, sockets.IPPROTO_UDP, sockets.AI_NUMERICHOST
        )
    if not addresses[0].lower().startswith("ff"):
        raise OSError(f"{addresses[0]} is no address for multicast")


if not TYPE_CHECKING:
    from ._alias import aliases

    _find = aliases("zbeacon")

    def __getattr__(name: str) -> Any:
        return C.zbeacon if name == "actor" else _find(name)
