"""A chat room over asyncio: a server, and people who join from any terminal.

    python examples/chat.py serve tcp://127.0.0.1:5599
    python examples/chat.py join Ada tcp://127.0.0.1:5599
    python examples/chat.py demo

The server's ROUTER knows each of its peers by an identity, and passes on what one of them says to all the others.
``demo`` runs a server and three people in one process, who say a few words and leave.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator

from pyczmq import aio, zmq

#: Seconds that the demo may take.
PATIENCE = 10


async def serve(room: aio.Socket, people: dict[bytes, str]) -> None:
    """Pass on what people say, for as long as the room is open; *people* are those who are there, by identity."""
    async for identity, kind, content in room:
        who, text = bytes(identity), str(content)
        if kind == "join":
            people[who] = text
            text = f"{text} is here"
        elif who not in people:
            continue
        elif kind == "leave":
            text = f"{people.pop(who)} has left"
        else:
            text = f"{people[who]}: {text}"
        for other in people:
            if other != who or kind != "say":
                await room.send_parts([other, text])


async def join(name: str, endpoint: str, says: AsyncIterator[str], heard: list[str]) -> None:
    """Say what comes from *says*, print what others say, and add it to *heard*."""
    async with aio.Socket(zmq.DEALER, connect=endpoint, linger=1000) as socket:

        async def listen() -> None:
            while True:
                heard.append(await socket.recv())
                print(f"[{name}] {heard[-1]}", flush=True)

        listener = asyncio.ensure_future(listen())
        try:
            await socket.send_parts(["join", name])
            async for text in says:
                await socket.send_parts(["say", text])
            await socket.send_parts(["leave", ""])
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)


async def keyboard() -> AsyncIterator[str]:
    """Yield the lines that are typed."""
    loop = asyncio.get_running_loop()
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            return
        yield line.rstrip("\n")


async def demo() -> None:
    """Let three people meet, talk, and leave."""
    people: dict[bytes, str] = {}
    met: set[str] = set()
    heard: dict[str, list[str]] = {"Ada": [], "Grace": [], "Edsger": []}

    def wanted(name: str) -> list[str]:
        return [f"{other}: hello from {other}" for other in heard if other != name]

    async def say(name: str) -> AsyncIterator[str]:
        while len(people) < len(heard):
            await asyncio.sleep(0.01)
        met.add(name)
        while len(met) < len(heard):
            await asyncio.sleep(0.01)
        yield f"hello from {name}"
        while not all(set(wanted(each)) <= set(heard[each]) for each in heard):
            await asyncio.sleep(0.01)

    async with aio.Socket(zmq.ROUTER, bind="tcp://127.0.0.1:*") as room:
        server = asyncio.ensure_future(serve(room, people))
        await asyncio.gather(*[join(name, room.last_endpoint, say(name), heard[name]) for name in heard])
    await server
    for name, words in heard.items():
        assert set(wanted(name)) <= set(words) and f"{name}: hello from {name}" not in words, (name, words)


async def open_room(endpoint: str) -> None:
    """Open a room and serve it until Ctrl-C."""
    async with aio.Socket(zmq.ROUTER, bind=endpoint) as room:
        print(f"the room is at {room.last_endpoint}", flush=True)
        await serve(room, {})


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="A chat room over asyncio.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="open a room").add_argument("endpoint")
    joining = commands.add_parser("join", help="go into a room")
    joining.add_argument("name")
    joining.add_argument("endpoint")
    commands.add_parser("demo", help="let three people meet")
    options = parser.parse_args()
    try:
        if options.command == "serve":
            asyncio.run(open_room(options.endpoint))
        elif options.command == "join":
            asyncio.run(join(options.name, options.endpoint, keyboard(), []))
        else:
            asyncio.run(asyncio.wait_for(demo(), PATIENCE))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
