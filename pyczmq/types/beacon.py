"""Beacon: presence and discovery on a local network, by UDP broadcasts."""

from __future__ import annotations

import errno
from typing import NamedTuple

from .. import _multipart, _text, zbeacon
from .._numbers import integer
from . import errors
from ._base import guarded
from ._events import Events, Source
from .peers import EXPIRY, Peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._types import Buffer, Socket, Socketish, Text


class Announcement(NamedTuple):
    """What a beacon has heard: the sender's IP address, and what it broadcasts."""

    address: str
    payload: bytes


def recv_announcement(source: Socketish, handle: Socket) -> Announcement | None:
    """Return what a beacon has heard next; None at once, with libzmq's errno set, if there is nothing."""
    frames = _multipart.recv_now(source, handle)
    if frames is None:
        return None
    if len(frames) != len(Announcement._fields):
        raise RuntimeError("the beacon has ended")
    address, payload = frames
    return Announcement(_text.decode(address), payload)


class BaseBeacon(Source[Announcement]):
    """A beacon, whether what it hears is waited for in blocking calls or awaited."""

    __slots__ = ("_port", "_socket")
    _noun = "beacon"
    _attempt = staticmethod(recv_announcement)

    def __init__(self, port: int, *, interval: int | None = None) -> None:
        """Make a beacon on a UDP port, from 1 to 65535, that broadcasts every *interval* milliseconds, 1000 by default.

        Raises ZMQError, an OSError, where no interface can broadcast; ValueError where one of CZMQ's network settings
        (multicast, IPv6) is such that it has no beacons.
        """
        number = integer(port, "port")
        handle = zbeacon.new(None, number)
        if handle is None:
            raise errors.ZMQError(errno.ENODEV, f"beacon on port {number}", "no interface can broadcast")
        super().__init__(handle)
        self._port = number
        self._socket = zbeacon.socket(handle)
        if interval is not None:
            try:
                zbeacon.set_interval(handle, interval)
            except BaseException:
                self.close()
                raise

    def _destroy(self, handle: Any) -> None:
        zbeacon.destroy(handle)

    def _pollable(self) -> Socketish:
        self.handle  # noqa: B018
        return self._socket

    @property
    def beacon(self) -> Any:
        """The handle: the old pyczmq's name for it."""
        return self.handle

    @property
    @guarded
    def hostname(self) -> str:
        """The address of the interface that the beacon works on, as others see it; ``*`` for all interfaces."""
        return zbeacon.hostname(self._handle)

    @guarded
    def set_interval(self, interval: int) -> None:
        """Broadcast every *interval* milliseconds; 0 stands for the 1000 that is the default."""
        zbeacon.set_interval(self._handle, interval)

    @guarded
    def publish(self, data: Text | Buffer, interval: int | None = None) -> None:
        """Broadcast these bytes, 1 to 255 of them, now and at each interval, in place of those before.

        The *interval*, in milliseconds, is that of `set_interval`, and stays as it is where it is not given. Text is
        sent as UTF-8.
        """
        zbeacon.publish(self._handle, data, interval)

    @guarded
    def silence(self) -> None:
        """Stop broadcasting."""
        zbeacon.silence(self._handle)

    @guarded
    def subscribe(self, prefix: Text | Buffer = b"") -> None:
        """Hear what begins with these bytes, at most 255 of them, in place of those before; by default everything.

        A beacon never hears what is the same as its own.
        """
        zbeacon.subscribe(self._handle, prefix)

    @guarded
    def unsubscribe(self) -> None:
        """Stop hearing others; what has come in already can still be received."""
        zbeacon.unsubscribe(self._handle)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"<{name} on port {self._port}{' closed' if self.closed else ''}>"


def identify(announcement: Announcement) -> Announcement:
    """Return what tells one announcing program from another: all of the announcement."""
    return announcement


class Beacon(BaseBeacon, Events[Announcement]):
    """A beacon: it broadcasts a few bytes over and over again, and hears what others broadcast on the same port.

    What is broadcast is up to the program: the name of a service and a TCP port, say. The sender's address comes with
    it::

        with Beacon(9999, interval=100) as beacon:
            beacon.publish("SERVICE 5670")
            beacon.subscribe("SERVICE ")
            for address, payload in beacon:
                print(address, payload)

    It uses the interface that the environment variable ZSYS_INTERFACE or `zsys.set_interface` names, else the first
    that can broadcast. A beacon belongs to one thread at a time.
    """

    __slots__ = ()

    def peers(self, expiry: int = EXPIRY) -> Peers[Announcement]:
        """Return what tells who is there, and who has not been heard for *expiry* milliseconds; see `Peers`.

        Who announces the same from the same address is the same; who announces something else comes as another.
        """
        return Peers(self, expiry, identify)
