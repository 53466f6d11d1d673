"""Beacon: presence and discovery on a local network, for asyncio."""

from __future__ import annotations

from .. import zbeacon
from ..types.beacon import Announcement, BaseBeacon
from ._events import AsyncEvents

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

    def _waited_for(self, handle: Any) -> Any:
        return zbeacon.socket(handle)

    def _destroy(self, handle: Any) -> None:
        self._release()
        super()._destroy(handle)
