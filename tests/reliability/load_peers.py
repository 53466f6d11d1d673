"""The other ends of what test_load does: each runs in a process of its own and speaks with the test over pipes.

A role is a function here. `start` runs one in a child, by its name, with arguments of JSON; in the child the role says
things to the test with `say`, and the test hears them with `Peer.hear`. A child ends itself, with a traceback, when its
time is up, so whoever listens to it never waits for ever; and it is killed, whatever it does, when the test is done
with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import importlib
import itertools
import json
import mmap
import os
import pkgutil
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pyczmq
from pyczmq import (
    Cert,
    Context,
    Frame,
    Loop,
    Message,
    Monitor,
    Pipe,
    Poller,
    Proxy,
    Socket,
    _text,
    actor,
    aio,
    zctx,
    zframe,
    zmq,
    zmsg,
    zsock,
    zsocket,
    zstr,
    zsys,
)

MIB = 1 << 20

#: Milliseconds without a message after which a role gives up: far longer than a busy machine needs.
PATIENCE = 60_000

#: How many frames a message of several has at most, and how many bytes each of them.
_PARTS = 8
_PART_BYTES = 3000


# ---------------------------------------------------------------- in the test


class Peer:
    """A role that runs in a child process."""

    def __init__(self, role: str, seconds: float, arguments: dict[str, Any]) -> None:
        self.role = role
        self.process = subprocess.Popen(
            [sys.executable, __file__, role, str(seconds), json.dumps(arguments)],
            # So that large blocks that are freed go back to the system, and what is measured is what is in use.
            env={**os.environ, "MALLOC_MMAP_THRESHOLD_": str(MIB)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def hear(self) -> Any:
        """Return the next thing that the peer says; it must say one."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            _, errors = self.process.communicate()
            raise AssertionError(f"{self.role} ended with status {self.process.returncode}: {errors}")
        return json.loads(line)

    def tell(self, value: Any) -> None:
        """Tell the peer something, which it gets from `listen`."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(value) + "\n")
        self.process.stdin.flush()

    def end(self) -> None:
        """Wait for the peer's end, which must be a good one and print no errors."""
        output, errors = self.process.communicate()
        assert (self.process.returncode, output, errors) == (0, "", ""), self.role


@contextlib.contextmanager
def start(role: Callable[..., object], seconds: float, **arguments: Any) -> Iterator[Peer]:
    """Run a role in a child for the time of the with block, and for so many seconds at most."""
    peer = Peer(role.__name__, seconds, arguments)
    try:
        yield peer
    finally:
        peer.process.kill()
        peer.process.communicate()


def resident(pid: int | str = "self", peak: bool = False) -> int:
    """Return the bytes of memory that a process has, or had at most."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:" if peak else "VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no process {pid}")


# ---------------------------------------------------------------- in the child


def say(value: Any) -> None:
    """Say something to the test."""
    print(json.dumps(value), flush=True)


def listen() -> Any:
    """Return the next thing that the test tells."""
    return json.loads(sys.stdin.readline())


def in_turn(name: str, runs: list[dict[str, Any]]) -> None:
    """Play a role several times, each time with other arguments: to start a process takes a while."""
    for arguments in runs:
        globals()[name](**arguments)


# ---------------------------------------------------------------- floors: the ways to send and receive text


def _zsocket(kind: int) -> Any:
    return zsocket.new(zctx.new(), kind)


def _send_mem(push: Any, text: str) -> int:
    return zsocket.sendmem(push, text)


def _recv_mem(pull: Any) -> str:
    received: Any = zmq.recv(pull)
    return "" if received is None else received.decode()


def _send_zframe(push: Any, text: str) -> int:
    return zframe.send(zframe.new(text), push)


def _recv_zframe(pull: Any) -> str:
    frame: Any = zframe.recv(pull)
    text = zframe.strdup(frame)
    zframe.destroy(frame)
    return text


def _send_zmsg(push: Any, text: str) -> int:
    message = zmsg.new()
    zmsg.addstr(message, text)
    return zmsg.send(message, push)


def _recv_zmsg(pull: Any) -> str | None:
    message: Any = zmsg.recv(pull)
    text = zmsg.popstr(message)
    zmsg.destroy(message)
    return text


#: Name -> what makes a socket, sends text (and returns 0) and receives it. A coroutine does so for "aio".
FLOORS: dict[str, tuple[Callable[[int], Any], Callable[[Any, str], Any], Callable[[Any], Any]]] = {
    "zstr": (zsock.new, zstr.send, zstr.recv),
    "sendmem": (_zsocket, _send_mem, _recv_mem),
    "zframe": (zsock.new, _send_zframe, _recv_zframe),
    "zmsg": (zsock.new, _send_zmsg, _recv_zmsg),
    "Socket": (Socket, Socket.send, Socket.recv),
    "aio": (aio.Socket, aio.Socket.send, aio.Socket.recv),
}


def _handle(sock: Any) -> Any:
    """Return the handle of a socket, be it an object or a handle."""
    return getattr(sock, "handle", sock)


def _set_up(sock: Any, hwm: int | None) -> None:
    handle = _handle(sock)
    if hwm is not None:
        zsocket.set_sndhwm(handle, hwm)
        zsocket.set_rcvhwm(handle, hwm)
    zsocket.set_rcvtimeo(handle, PATIENCE)
    zsocket.set_sndtimeo(handle, PATIENCE)
    zsocket.set_linger(handle, -1)


def _serve(sock: Any, curve: bool = False, hwm: int | None = None) -> None:
    """Bind a socket, and say where, with the public key that clients need if there is one."""
    _set_up(sock, hwm)
    key = None
    if curve:
        cert = Cert()
        cert.apply(sock, server=True)
        key = cert.public_key
    assert zsocket.bind(_handle(sock), "tcp://127.0.0.1:*") > 0
    say([zsocket.last_endpoint(_handle(sock)), key])


def _connect(sock: Any, to: tuple[str, str | None], hwm: int | None = None) -> None:
    """Connect a socket to where another role says that it has bound."""
    _set_up(sock, hwm)
    endpoint, key = to
    if key is not None:
        Cert().apply(sock, server_key=key)
    assert zsocket.connect(_handle(sock), endpoint) == 0


# ---------------------------------------------------------------- a stream of numbers, one way

#: What ends a stream: whatever is there twice would come before it.
END = "end"


def pull_numbers(floor: str, count: int, curve: bool, hwm: int | None = None, naps: int = 0) -> None:
    """Receive so many numbers in order, sleep a little that many times meanwhile, and say how many a second came."""
    make, _, recv = FLOORS[floor]
    pull = make(zmq.PULL)
    _serve(pull, curve, hwm)
    if floor == "aio":
        say(asyncio.run(_pull_numbers(pull, count)))
        return
    pause_at = {count * nap // (naps + 1) for nap in range(1, naps + 1)}
    assert recv(pull) == "0", "the first is lost"
    start = time.perf_counter()
    for number in range(1, count):
        text = recv(pull)
        if text != str(number):
            raise AssertionError(f"{text} came in place of {number}")
        if number in pause_at:
            time.sleep(0.05)
    rate = (count - 1) / (time.perf_counter() - start)
    assert recv(pull) == END
    say(rate)


async def _pull_numbers(pull: aio.Socket, count: int) -> float:
    assert await pull.recv() == "0", "the first is lost"
    start = time.perf_counter()
    for number in range(1, count):
        text = await pull.recv()
        if text != str(number):
            raise AssertionError(f"{text} came in place of {number}")
    rate = (count - 1) / (time.perf_counter() - start)
    assert await pull.recv() == END
    return rate


def push_numbers(floor: str, count: int, hwm: int | None = None) -> None:
    """Send so many numbers in order, to where the test says."""
    make, send, _ = FLOORS[floor]
    push = make(zmq.PUSH)
    _connect(push, listen(), hwm)
    if floor == "aio":
        asyncio.run(_push_numbers(push, count))
    else:
        for number in range(count):
            if send(push, str(number)) != 0:
                raise AssertionError(f"{number} was not sent: {zmq.strerror(zmq.errno())}")
        assert send(push, END) == 0
    listen()


async def _push_numbers(push: aio.Socket, count: int) -> None:
    for number in range(count):
        await push.send(str(number))
    await push.send(END)


# ---------------------------------------------------------------- messages of several frames


def messages(seed: int, count: int) -> Iterator[list[bytes]]:
    """Yield messages of one frame to several, of random sizes, the first being the message's number."""
    generator = random.Random(seed)
    for number in range(count):
        sizes = [generator.choice((0, 1, 32, 33, 255, 256, generator.randrange(_PART_BYTES))) for _ in range(_PARTS)]
        yield [b"%d" % number, *(random_bytes(generator, size) for size in sizes[: generator.randrange(_PARTS)])]


def random_bytes(generator: random.Random, size: int) -> bytes:
    """Return so many random bytes."""
    return generator.getrandbits(8 * size).to_bytes(size, "big") if size else b""


def _send_parts_by_zmsg(push: Any, parts: list[bytes]) -> int:
    message = zmsg.new()
    for part in parts:
        zmsg.addmem(message, part)
    return zmsg.send(message, push)


def _recv_parts_by_zmsg(pull: Any) -> list[bytes]:
    message: Any = zmsg.recv(pull)
    parts = []
    frame = zmsg.first(message)
    while frame is not None:
        parts.append(zframe.data(frame)[:])
        frame = zmsg.next(message)
    zmsg.destroy(message)
    return parts


def _send_parts_by_zstr(push: Any, parts: list[bytes]) -> int:
    return zstr.sendx(push, *parts)


def _recv_parts_by_zstr(pull: Any) -> list[bytes]:
    texts = zstr.recvx(pull)
    assert texts is not None
    return list(map(_text.encode, texts))


def _send_parts_by_message(push: Socket, parts: list[bytes]) -> int:
    return push.send_msg(Message(parts))


def _recv_parts_by_message(pull: Socket) -> list[bytes]:
    return pull.recv_msg().parts


#: The same for messages of several frames.
MULTIPART: dict[str, tuple[Callable[[int], Any], Callable[[Any, list[bytes]], Any], Callable[[Any], Any]]] = {
    "zmsg": (zsock.new, _send_parts_by_zmsg, _recv_parts_by_zmsg),
    "zstr": (_zsocket, _send_parts_by_zstr, _recv_parts_by_zstr),
    "Socket": (Socket, Socket.send_parts, Socket.recv_parts),
    "Message": (Socket, _send_parts_by_message, _recv_parts_by_message),
    "aio": (aio.Socket, aio.Socket.send_parts, aio.Socket.recv_parts),
}


async def _awaited(value: Any) -> Any:
    return await value if isinstance(value, Awaitable) else value


def pull_messages(floor: str, seed: int, count: int, hwm: int) -> None:
    """Receive the messages of a seed, compare each of their frames, and say how many a second came."""
    make, _, recv = MULTIPART[floor]
    pull = make(zmq.PULL)
    _serve(pull, hwm=hwm)

    async def run() -> None:
        start = time.perf_counter()
        for expected in messages(seed, count):
            received = await _awaited(recv(pull))
            assert received == expected, f"message {expected[0]!r} came as {received!r:.200}"
        say(count / (time.perf_counter() - start))

    asyncio.run(run())


def push_messages(floor: str, seed: int, count: int, hwm: int) -> None:
    """Send the messages of a seed, to where the test says."""
    make, send, _ = MULTIPART[floor]
    push = make(zmq.PUSH)
    _connect(push, listen(), hwm)

    async def run() -> None:
        for message in messages(seed, count):
            assert await _awaited(send(push, message)) == 0

    asyncio.run(run())
    listen()


def pull_parts(floor: str, counts: list[int], hwm: int) -> None:
    """Receive messages of so many numbered frames each, all of them in order; say the seconds for each."""
    make, _, recv = MULTIPART[floor]
    pull = make(zmq.PULL)
    _serve(pull, hwm=hwm)

    async def run() -> None:
        for count in counts:
            start = time.perf_counter()
            assert await _awaited(recv(pull)) == numbered(count), count
            say(time.perf_counter() - start)

    asyncio.run(run())


def numbered(count: int) -> list[bytes]:
    """Return so many numbered frames."""
    return [b"%d" % number for number in range(count)]


def push_parts(floor: str, counts: list[int], hwm: int) -> None:
    """Send messages of so many numbered frames each, to where the test says."""
    make, send, _ = MULTIPART[floor]
    push = make(zmq.PUSH)
    _connect(push, listen(), hwm)

    async def run() -> None:
        for count in counts:
            assert await _awaited(send(push, numbered(count))) == 0

    asyncio.run(run())
    listen()


# ---------------------------------------------------------------- there and back


def rep(count: int) -> None:
    """Answer so many requests with themselves, through objects."""
    with Socket(zmq.REP) as server:
        _serve(server)
        for _ in range(count):
            server.send(server.recv())
        listen()


def router(count: int, hwm: int) -> None:
    """Send so many messages back to where they came from, through a zmsg, and wait where that is slow to take them."""
    server = zsock.new(zmq.ROUTER)
    zsocket.set_router_mandatory(server, 1)
    _serve(server, hwm=hwm)
    for _ in range(count):
        message = zmsg.recv(server)
        assert message is not None and zmsg.send(message, server) == 0
    listen()


def publisher(count: int, hwm: int) -> None:
    """Publish so many numbers to one subscriber, and wait where that is too slow, so that none is lost."""
    with Socket(zmq.XPUB, xpub_nodrop=True) as xpub:
        _serve(xpub, hwm=hwm)
        assert xpub.recv_bytes() == b"\1"
        for number in range(count):
            xpub.send(str(number))
        xpub.send(END)
        listen()


# ---------------------------------------------------------------- a thousand clients


def _answer(request: str) -> str:
    return request[::-1]


def _raise_limit_of_files(needed: int) -> None:
    """Raise this process's limit of open files to what so many take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def answer_clients(kind: str, clients: int, requests: int, backlog: int) -> None:
    """Answer so many requests of each of so many clients on one ROUTER; say how many came from whom, and the rate."""
    _raise_limit_of_files(2 * clients + 100)
    with Context(max_sockets=clients + 100) as context:
        make: Any = aio.Socket if kind == "aio" else Socket
        with make(zmq.ROUTER, context=context, backlog=backlog, router_mandatory=True) as server:
            _serve(server, hwm=0)
            serve = _answer_aio if kind == "aio" else _answer_blocking
            seen: dict[bytes, int] = {}
            start = time.perf_counter()
            asyncio.run(serve(server, clients * requests, seen))
            say([len(seen), sorted(set(seen.values())), clients * requests / (time.perf_counter() - start)])
            listen()


async def _answer_blocking(server: Socket, count: int, seen: dict[bytes, int]) -> None:
    for _ in range(count):
        *envelope, request = server.recv_parts()
        seen[envelope[0]] = seen.get(envelope[0], 0) + 1
        server.send_parts([*envelope, _answer(request.decode())])


async def _answer_aio(server: aio.Socket, count: int, seen: dict[bytes, int]) -> None:
    async def answer(envelope: list[bytes], request: bytes) -> None:
        await asyncio.sleep(0)
        await server.send_parts([*envelope, _answer(request.decode())])

    tasks = []
    for _ in range(count):
        *envelope, request = await server.recv_parts()
        seen[envelope[0]] = seen.get(envelope[0], 0) + 1
        tasks.append(asyncio.create_task(answer(envelope, request)))
    await asyncio.gather(*tasks)


def ask(kind: str, name: str, clients: int, requests: int, to: tuple[str, str | None]) -> None:
    """Be so many clients: each asks so many times, and gets the answer to what it asked each time, and no other."""
    _raise_limit_of_files(2 * clients + 100)
    with contextlib.ExitStack() as stack:
        context = stack.enter_context(Context(max_sockets=clients + 100))
        sockets = [stack.enter_context(context.socket(kind)) for _ in range(clients)]
        for sock in sockets:
            _connect(sock, to)
        for turn in range(requests):
            for number, sock in enumerate(sockets):
                sock.send(f"{name} {number} {turn}")
            for number, sock in enumerate(sockets):
                answer = sock.recv()
                assert answer == _answer(f"{name} {number} {turn}"), (number, turn, answer)
        say("answered")
        # An answer too many would come now: the server has sent them all by then.
        listen()
        assert not [number for number, sock in enumerate(sockets) if sock.poll(0)]
        say("none too many")


# ---------------------------------------------------------------- stuck peers


def write_number(block: bytearray, number: int) -> bytearray:
    """Write a message's number at both of its ends: the same memory each time, which Python need not collect."""
    block[:8] = block[-8:] = number.to_bytes(8, "big")
    return block


def block_number(message: bytes) -> int:
    """Return the number of a message that is whole."""
    assert message[:8] == message[-8:]
    return int.from_bytes(message[:8], "big")


def publish_blocks(count: int, size: int, hwm: int) -> None:
    """Publish so many messages, in step with whoever says what it got; say by how many bytes memory grew at most."""
    with Socket(zmq.XPUB, sndhwm=hwm, xpub_verbose=True) as pub, Socket(zmq.PULL, rcvtimeo=PATIENCE) as got:
        ports = []
        for sock in pub, got:
            sock.bind("tcp://127.0.0.1:*")
            ports.append(sock.last_endpoint)
        say(ports)
        for _ in range(2):
            assert pub.recv_bytes(timeout=PATIENCE) == b"\1"
        say("both are there")
        listen()
        block = bytearray(size)
        for number in range(hwm // 2):
            pub.send_bytes(write_number(block, number))
            assert int(got.recv()) == number
        gc.collect()
        before = most = resident()
        for number in range(hwm // 2, count):
            pub.send_bytes(write_number(block, number))
            assert int(got.recv()) == number
            most = max(most, resident())
        say(most - before)
        # For the one that was stuck: it is told the end until it has it.
        while True:
            pub.send_bytes(write_number(block, count))
            if got.poll(100):
                assert got.recv() == END
                break


@contextlib.contextmanager
def _follower(endpoints: list[str], **options: Any) -> Iterator[tuple[Socket, Socket]]:
    """Make what follows a publisher, and what tells it so."""
    sub = Socket(zmq.SUB, subscribe="", connect=endpoints[0], rcvtimeo=PATIENCE, **options)
    with sub, Socket(zmq.PUSH, connect=endpoints[1], linger=-1) as got:
        yield sub, got


def follow_blocks(endpoints: list[str], count: int) -> None:
    """Get all of the messages, and say so for each to the publisher."""
    with _follower(endpoints) as (sub, got):
        for number in range(count):
            assert block_number(sub.recv_bytes()) == number
            got.send(str(number))
        say("all")
        listen()


def follow_some(endpoints: list[str], hwm: int, end: int) -> None:
    """Get some of the messages, in order, up to the last one; say how many."""
    with _follower(endpoints, rcvhwm=hwm) as (sub, got):
        numbers = [-1]
        while numbers[-1] != end:
            numbers.append(block_number(sub.recv_bytes()))
            assert numbers[-1] > numbers[-2]
        say(len(numbers) - 1)
        got.send(END)
        listen()


def pull_blocks(hwm: int) -> None:
    """Receive numbered messages up to an empty one, say how many came, each as the next."""
    with Socket(zmq.PULL, rcvhwm=hwm, rcvtimeo=PATIENCE) as pull:
        pull.bind("tcp://127.0.0.1:*")
        say(pull.last_endpoint)
        assert pull.recv_bytes() == b"ready"
        say("ready")
        count = 0
        while True:
            message = pull.recv_bytes()
            if not message:
                break
            assert block_number(message) == count
            count += 1
        say(count)


# ---------------------------------------------------------------- big messages

_PIECE = MIB // 4


def piece(number: int) -> bytes:
    """Return a quarter of a MiB of a big message; no two pieces are the same."""
    return (b"%08d" % number) * (_PIECE // 8)


def content(size: int) -> bytes:
    """Return a big message."""
    return b"".join(map(piece, range(size // _PIECE)))


def is_content(received: Any, size: int) -> bool:
    """Tell whether all of a big message is there, be it text or bytes; little memory is needed for that."""
    whole = received if isinstance(received, str) else memoryview(received)
    return len(whole) == size and all(
        whole[number * _PIECE : (number + 1) * _PIECE]
        == (piece(number).decode() if isinstance(whole, str) else piece(number))
        for number in range(size // _PIECE)
    )


def _send_msg(push: Any, data: bytes) -> int:
    message: Any = zmq.msg_init_buffer(data)
    return zmq.msg_send(message, push) - len(data)


def _send_bytes(push: Any, data: bytes) -> int:
    return zmq.send(push, data) - len(data)


def _recv_into(pull: Any, size: int) -> mmap.mmap:
    # A bytearray of PyPy's takes twice its size.
    received = mmap.mmap(-1, size)
    assert zmq.recv(pull, received, size) == size
    return received


def _recv_msg(pull: Any) -> tuple[Any, Any]:
    message: Any = zmq.msg_init()
    assert zmq.msg_recv(message, pull) == zmq.msg_size(message)
    return zmq.msg_data(message), lambda: zmq.msg_close(message)


def _recv_view_of_zframe(pull: Any) -> tuple[Any, Any]:
    frame: Any = zframe.recv(pull)
    return zframe.data(frame), lambda: zframe.destroy(frame)


def _recv_view_of_zmsg(pull: Any) -> tuple[Any, Any]:
    message: Any = zmsg.recv(pull)
    frame: Any = zmsg.first(message)
    return zframe.data(frame), lambda: zmsg.destroy(message)


def _recv_view_of_frame(pull: Socket) -> tuple[Any, Any]:
    frame = pull.recv_frame()
    return frame.data, frame.close


def _recv_view_of_message(pull: Socket) -> tuple[Any, Any]:
    message = pull.recv_msg()
    return message[0].data, message.close


def _send_zframe_of(push: Any, data: bytes) -> int:
    return zframe.send(zframe.new(data), push)


def _send_zmsg_of(push: Any, data: bytes) -> int:
    return _send_parts_by_zmsg(push, [data])


def _send_frame(push: Socket, data: bytes) -> int:
    return push.send_frame(Frame(data))


def _send_message(push: Socket, data: bytes) -> int:
    return push.send_msg(Message([data]))


#: Name -> what makes a socket, sends a big message and receives it: its content, or a view of that and what frees it.
BIG: dict[str, tuple[Callable[[int], Any], Callable[[Any, Any], Any], Callable[..., Any]]] = {
    "zstr": (zsock.new, zstr.send, zstr.recv),
    "zmq.send": (_zsocket, _send_bytes, zmq.recv),
    "zmq.recv (buf)": (_zsocket, _send_bytes, _recv_into),
    "zmq.msg": (_zsocket, _send_msg, _recv_msg),
    "zframe": (zsock.new, _send_zframe_of, _recv_view_of_zframe),
    "zmsg": (zsock.new, _send_zmsg_of, _recv_view_of_zmsg),
    "Socket.send": (Socket, Socket.send, Socket.recv),
    "Socket.send_bytes": (Socket, Socket.send_bytes, Socket.recv_bytes),
    "Socket.send_parts": (Socket, lambda push, data: push.send_parts([data]), lambda pull: pull.recv_parts()[0]),
    "Frame": (Socket, _send_frame, _recv_view_of_frame),
    "Message": (Socket, _send_message, _recv_view_of_message),
    "aio": (aio.Socket, aio.Socket.send_bytes, aio.Socket.recv_bytes),
}

#: Those that send text: what they are given is str.
TEXTS = ("zstr", "Socket.send")


def _forget_peak() -> int:
    """Free what nobody needs, let the peak of memory begin anew, and return the memory in use."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return resident()


def _check_big(way: str, received: Any, size: int) -> None:
    """Check what was received, and free that of which there is a view."""
    if isinstance(received, tuple):
        view, free = received
        assert is_content(view, size), way
        free()
    else:
        assert is_content(received, size), way


def push_big(ways: list[str], size: int) -> None:
    """Send a big message in each of these ways, to where the test says.

    Say how many times the message's size memory grew over the caller's data.
    """

    async def run() -> None:
        data = content(size)
        for way in ways:
            make, send, _ = BIG[way]
            push = make(zmq.PUSH)
            _connect(push, listen())
            given = data.decode() if way in TEXTS else data
            before = _forget_peak()
            assert await _awaited(send(push, given)) == 0
            listen()
            say((resident(peak=True) - before) / size)
            del given

    asyncio.run(run())


def pull_big(ways: list[str], size: int, curve: bool = False) -> None:
    """Receive a big message in each of these ways; say how many times its size memory grew, with what is returned."""

    async def run() -> None:
        for way in ways:
            make, _, recv = BIG[way]
            pull = make(zmq.PULL)
            before = _forget_peak()
            _serve(pull, curve)
            # The other end makes gigabytes first.
            zsocket.set_rcvtimeo(_handle(pull), 10 * PATIENCE)
            received = await _awaited(recv(pull, size) if recv is _recv_into else recv(pull))
            grown = (resident(peak=True) - before) / size
            _check_big(way, received, size)
            del received
            say(grown)

    asyncio.run(run())


def big_inproc(ways: list[str], size: int) -> None:
    """Send a big message through inproc and receive it; say for each way how many times its size memory grew."""

    async def run() -> None:
        data = content(size)
        for way in ways:
            make, send, recv = BIG[way]
            context = zctx.new()
            if make is _zsocket:
                pull, push = zsocket.new(context, zmq.PULL), zsocket.new(context, zmq.PUSH)
            else:
                pull, push = make(zmq.PULL), make(zmq.PUSH)
            assert zsocket.bind(_handle(pull), f"inproc://{way}") == 0
            assert zsocket.connect(_handle(push), f"inproc://{way}") == 0
            given = data.decode() if way in TEXTS else data
            before = _forget_peak()
            assert await _awaited(send(push, given)) == 0
            received = await _awaited(recv(pull, size) if recv is _recv_into else recv(pull))
            say((resident(peak=True) - before) / size)
            _check_big(way, received, size)
            del given, received

    asyncio.run(run())


# ---------------------------------------------------------------- short-lived sockets, and too many


def _one_zsocket(context: Any) -> int:
    zsocket.destroy(context, zsocket.new(context, zmq.PUSH))
    return 1


def _one_zsock(context: Any) -> int:
    zsock.destroy(zsock.new(zmq.PUSH))
    return 1


def _collected_zsocket(context: Any) -> int:
    assert zsocket.new(context, zmq.PUSH) is not None
    return 1


def _pair(context: Context | None, bind: str) -> int:
    pull = Socket(zmq.PULL, context=context, bind=bind, rcvtimeo=PATIENCE)
    with pull, Socket(zmq.PUSH, context=context, connect=pull.last_endpoint, linger=-1) as push:
        push.send("hello")
        assert pull.recv() == "hello"
    return 2


_names = itertools.count()


def _inproc_pair(context: Context | None) -> int:
    return _pair(context, f"inproc://short-lived-{next(_names)}")


def _tcp_pair(context: Context | None) -> int:
    return _pair(context, "tcp://127.0.0.1:*")


def _one_in_own_context(context: None) -> int:
    with Context() as own, own.socket(zmq.PUSH):
        pass
    return 1


#: Name -> what makes a context, and what makes sockets in it, closes them, and returns how many.
SHORT_LIVED: dict[str, tuple[Callable[[], Any], Callable[[Any], int]]] = {
    "zsocket": (zctx.new, _one_zsocket),
    "zsocket, collected": (zctx.new, _collected_zsocket),
    "zsock": (lambda: None, _one_zsock),
    "Socket over inproc, own context": (Context, _inproc_pair),
    "Socket over inproc": (lambda: None, _inproc_pair),
    "Socket over tcp, own context": (Context, _tcp_pair),
    "Socket over tcp": (lambda: None, _tcp_pair),
    "a context each": (lambda: None, _one_in_own_context),
}


#: Those of them that take long, or use up the system's ports.
SLOW = ("Socket over tcp, own context", "Socket over tcp", "a context each")


def descriptors() -> int:
    """Return how many descriptors are open."""
    return len(os.listdir("/proc/self/fd"))


def live_shortly(kind: str, count: int) -> None:
    """Make so many sockets, one after the other; say the descriptors before and after, the growth, and the rate."""
    make, once = SHORT_LIVED[kind]
    context = make()
    once(context)
    gc.collect()
    before = descriptors()
    # What comes up to the tenth part warms the allocators up.
    made = grown = 0
    start = time.perf_counter()
    for limit in count // 10, count:
        while made < limit:
            made += once(context)
        gc.collect()
        grown = resident() - grown
    seconds = time.perf_counter() - start
    # libzmq closes descriptors in the background.
    deadline = time.monotonic() + PATIENCE / 1000
    while descriptors() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    say([before, descriptors(), grown, made / seconds])


# ---------------------------------------------------------------- too few descriptors or threads


def _zmq_socket() -> Any:
    context = zmq.ctx_new()
    return _or_error(None if context is None else zmq.socket(context, zmq.PUSH))


def _or_error(made: Any) -> Any:
    if made is None:
        raise OSError(zmq.errno(), zmq.strerror(zmq.errno()))
    return made


def _connected(context: Context | None) -> Any:
    pull = Socket(zmq.PULL, context=context, bind="tcp://127.0.0.1:*")
    return pull, Socket(zmq.PUSH, context=context, connect=pull.last_endpoint)


def _actor() -> Any:
    @actor
    def task(pipe: Pipe) -> None:
        pipe.signal()
        pipe.recv()

    return task()


#: Name -> what uses up descriptors, and threads.
GREEDY: dict[str, Callable[[], Any]] = {
    "zsocket.new": lambda: _or_error(zsocket.new(zctx.new(), zmq.PUSH)),
    "zsock.new": lambda: zsock.new(zmq.PUSH),
    "zmq.socket": _zmq_socket,
    "zsys.socket": lambda: _or_error(zsys.socket(zmq.PUSH)),
    "Socket": lambda: Socket(zmq.PUSH),
    "Socket over tcp": lambda: _connected(None),
    "Socket over tcp, own context": lambda: _connected(Context()),
    "aio.Socket": lambda: aio.Socket(zmq.PULL, bind="tcp://127.0.0.1:*"),
    "Context": lambda: Context().socket(zmq.PUSH),
    "actor": _actor,
    "Monitor": lambda: Monitor(Socket(zmq.PUSH)),
    "Poller": lambda: Poller(Socket(zmq.PUSH)),
    "Loop": lambda: [Loop(), Socket(zmq.PUSH)],
    "Proxy": lambda: Proxy(("PULL", "tcp://127.0.0.1:*"), ("PUSH", "tcp://127.0.0.1:*")),
}


#: The first of the users that attempts to use up threads are.
_NOBODY = 54_321


def exhaust(kinds: list[str], most: int, threads: bool = False) -> None:
    """Use up descriptors, or *threads*, in each of these ways, with 0 to *most* free; say how each attempt has ended.

    Each attempt is in a forked child, before anything was started here; those of one kind go on at once.
    """
    limit, times = (_limit_threads, 10) if threads else (_limit_descriptors, 10_000)
    if threads:
        _load_everything()
    for kind in kinds:
        attempts = []
        for free in range(most):
            reader, writer = os.pipe()
            child = os.fork()
            if not child:
                try:
                    # The child ends by a signal if it hangs.
                    signal.alarm(30)
                    limit(free)
                    error = _use_up(GREEDY[kind], times)
                    os.write(writer, f"{type(error).__name__} {error}".encode())
                finally:
                    os._exit(0)
            os.close(writer)
            attempts.append((child, free, reader))
        for child, free, reader in attempts:
            with open(reader) as ended:
                text = ended.read()
            say([kind, free, os.waitpid(child, 0)[1], text])


def _limit_descriptors(free: int) -> None:
    limit = descriptors() - 1 + free
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def _load_everything() -> None:
    """Import what is loaded at first use as a rule: another user may not be able to read it."""
    for module in pkgutil.walk_packages(pyczmq.__path__, "pyczmq."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _limit_threads(free: int) -> None:
    """Become a user that nobody else is, since root has no such limit."""
    os.setgid(_NOBODY + free)
    os.setuid(_NOBODY + free)
    resource.setrlimit(resource.RLIMIT_NPROC, (1 + free, 1 + free))


def _use_up(greedy: Callable[[], Any], times: int) -> BaseException | None:
    made = []
    try:
        for _ in range(times):
            made.append(greedy())
    except BaseException as error:
        return error
    return None


if __name__ == "__main__":
    name, seconds, arguments = sys.argv[1:]
    faulthandler.dump_traceback_later(float(seconds), exit=True)
    globals()[name](**json.loads(arguments))
