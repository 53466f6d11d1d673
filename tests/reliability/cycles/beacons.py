"""Cycles of beacons. They broadcast, and so are run in a network namespace of their own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator

from cycles import SOCKETS, THREADS, both, cycle, prepared
from cycles.calls import close
from pyczmq import aio, zactor, zbeacon, zctx, zframe, zsocket, zstr, zsys
from pyczmq.types import Beacon

_ports = itertools.cycle(range(40_000, 41_000))


both("zbeacon.new", lambda: zbeacon.new(next(_ports)), lambda made: zbeacon.destroy(made), THREADS)
both("zbeacon.new of a context", lambda: zbeacon.new(zctx.new(), next(_ports)), lambda made: zbeacon.destroy(made), 20)
both("types.Beacon", lambda: Beacon(next(_ports)), close, THREADS)


@cycle("zactor.new, zbeacon", THREADS)
def _actor() -> None:
    actor = zactor.new(zbeacon.actor)
    zbeacon.configure(actor, next(_ports))
    zbeacon.verbose(actor)
    zactor.destroy(actor)


@prepared("zbeacon, a tour", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    speaker, listener = zbeacon.new(9999), zbeacon.new(9999)
    assert speaker is not None and listener is not None
    zbeacon.set_interval(speaker, 10)
    zbeacon.subscribe(listener, b"NODE")
    zbeacon.noecho(speaker)

    def once() -> None:
        zbeacon.publish(speaker, b"NODE")
        assert zsocket.poll(zbeacon.socket(listener), 10_000)
        assert len(zstr.recvx(zbeacon.socket(listener)) or ()) == 2
        zbeacon.silence(speaker)
        zbeacon.hostname(speaker)
        zbeacon.unsubscribe(speaker)
        zbeacon.subscribe(speaker, b"none")

    yield once
    zbeacon.destroy(speaker)
    zbeacon.destroy(listener)


@prepared("types.Beacon, a tour", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    with Beacon(9998, interval=10) as speaker, Beacon(9998) as listener:
        listener.subscribe("NODE")

        def once() -> None:
            speaker.publish("NODE")
            assert listener.poll(10_000)
            assert listener.recv(timeout=10_000).payload == b"NODE"
            speaker.set_interval(10)
            speaker.silence()
            listener.recv_nowait()
            speaker.unsubscribe()

        yield once


@prepared("aio.Beacon", THREADS)
def _() -> Iterator[Callable[[], object]]:
    loop = asyncio.new_event_loop()

    async def once() -> None:
        async with aio.Beacon(9997, interval=10) as speaker, aio.Beacon(9997) as listener:
            listener.subscribe("NODE")
            speaker.publish("NODE")
            assert (await listener.recv()).payload == b"NODE"

    yield lambda: loop.run_until_complete(once())
    loop.close()


@prepared("types.Peers", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    with Beacon(9995, interval=10) as speaker, Beacon(9995) as listener:
        listener.subscribe("NODE")
        speaker.publish("NODE")

        def once() -> None:
            peers = listener.peers(expiry=10_000)
            assert peers.recv(timeout=10_000).present
            assert peers.recv_nowait() is None

        yield once


@prepared("aio.Peers", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    loop = asyncio.new_event_loop()
    speaker, listener = aio.Beacon(9994, interval=10), aio.Beacon(9994)
    listener.subscribe("NODE")
    speaker.publish("NODE")

    async def once() -> None:
        assert (await listener.peers(expiry=10_000).recv()).present

    yield lambda: loop.run_until_complete(once())
    speaker.close()
    listener.close()
    loop.close()


@prepared("zsys.udp_send and udp_recv", SOCKETS)
def _() -> Iterator[Callable[[], object]]:
    def once() -> None:
        handle = zsys.udp_new()
        frame = zframe.new("text")
        zsys.udp_send(handle, frame, ("127.0.0.1", 9996))
        zframe.destroy(frame)
        zsys.udp_close(handle)

    yield once
