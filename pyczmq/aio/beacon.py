"""Beacon: presence and discovery on a local network, for asyncio."""

from __future__ import annotations

from .. import zbeacon
from ..types.beacon import Announcement, BaseBeacon, identify
from ..types.peers import EXPIRY
from ._events import AsyncEvents
from .peers import Peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Beacon(BaseBeacon, AsyncEvents[Announcement]):
    """A beacon, as `pyczmq.Beacon` is, whose announcements are awaited.

    For example::

        async with aio.Beacon(9999) as beacon:
            beacon.publish("SERVICE 5670")
            beacon.subscribe("SERVICE ")
            async for address, payload in beacon:
                print(address, payload)
    """

    __slots__ = ()

    def peers(self, expiry: int = EXPIRY) -> Peers[Announcement]:
        """Return what tells who is there, and who has not been heard for *expiry* milliseconds; see `aio.Peers`.

        Who announces the same from the same address is the same; who announces something else comes as another.
        """
        return Peers(self, expiry, identify)

    def _waited_for(self, handle: Any) -> Any:
        return zbeacon.socket(handle)

    def _destroy(self, handle: Any) -> None:
        self._release()
        super()._destroy(handle)
