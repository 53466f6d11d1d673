"""Services that find each other on a local network, with nobody told any address: a beacon each.

    python examples/discovery.py NAME [--count N] [--seconds S]

Run it on several machines of one network, or several times on one. Each binds a socket to a free port and announces
the port with its beacon. Who hears that connects, and introduces itself. It ends once *N* others were met, or after
*S* seconds. The beacon broadcasts over UDP, on port 5670 unless told otherwise.
"""

from __future__ import annotations

import argparse
import struct
import time

from pyczmq import Beacon, Poller, Socket, zmq

#: What begins our beacons. Behind it are the port, two bytes, and the name: a beacon does not hear what is its own.
PREFIX = b"HELLO"


def discover(name: str, udp_port: int, count: int, seconds: float) -> dict[str, str]:
    """Return the names of the others that were met, and where they are."""
    met: dict[str, str] = {}
    peers: dict[str, Socket] = {}
    deadline = time.monotonic() + seconds
    with Socket(zmq.PULL) as mailbox, Beacon(udp_port) as beacon, Poller(mailbox, beacon) as poller:
        port = mailbox.bind("tcp://*:*")
        ours = f"tcp://{beacon.hostname}:{port}"

        def introduce(endpoint: str) -> None:
            if endpoint not in peers:
                peers[endpoint] = Socket(zmq.PUSH, connect=endpoint, linger=1000)
                peers[endpoint].send_picture("ss", name, ours)

        beacon.subscribe(PREFIX)
        beacon.publish(PREFIX + struct.pack("!H", port) + name.encode(), interval=100)
        while len(met) < count and time.monotonic() < deadline:
            for source in poller.wait(timeout=100):
                if source is mailbox:
                    who, where = mailbox.recv_picture("ss")
                    met[who] = where
                    introduce(where)
                    print(f"{name} met {who} at {where}", flush=True)
                else:
                    address, payload = beacon.recv()
                    (peer_port,) = struct.unpack_from("!H", payload, len(PREFIX))
                    introduce(f"tcp://{address}:{peer_port}")
    for peer in peers.values():
        peer.close()
    return met


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Find others on the local network.")
    parser.add_argument("name")
    parser.add_argument("--port", type=int, default=5670, help="the beacon's UDP port")
    parser.add_argument("--count", type=int, default=1, help="how many others to wait for")
    parser.add_argument("--seconds", type=float, default=30, help="how long to wait for them")
    options = parser.parse_args()
    met = discover(options.name, options.port, options.count, options.seconds)
    if len(met) < options.count:
        raise SystemExit(f"{options.name} met only {len(met)} of {options.count}")


if __name__ == "__main__":
    main()
