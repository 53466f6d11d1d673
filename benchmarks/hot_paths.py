"""What the namespaces cost over the raw floor: sending and receiving through inproc, both sides in one run.

    python benchmarks/hot_paths.py [MESSAGES]

Each round measures the raw C calls and the namespace's, one after the other; the ratio is the median of the rounds'.
The raw side does the same work: text in, text out.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyczmq import C, ffi, zctx, zframe, zmq, zmsg, zsock, zsocket, zstr

if TYPE_CHECKING:
    from pyczmq._types import Socket

ROUNDS = 7


def raw_text(push: Socket, pull: Socket) -> None:
    """Send and receive text with C's zstr."""
    C.zstr_send(push, b"hello world")
    string = C.zstr_recv(pull)
    text = ffi.string(string)
    assert isinstance(text, bytes)
    text.decode()
    C.zstr_free(ffi.new("char **", string))


def namespace_text(push: Socket, pull: Socket) -> None:
    """Send and receive text with the namespace."""
    zstr.send(push, "hello world")
    zstr.recv(pull)


def raw_message(push: Socket, pull: Socket) -> None:
    """Send and receive a message of two frames with C's zmsg."""
    message = C.zmsg_new()
    C.zmsg_addmem(message, b"one", 3)
    C.zmsg_addmem(message, b"two", 3)
    C.zmsg_send(ffi.new("zmsg_t **", message), push)
    message = C.zmsg_recv(pull)
    frame = C.zmsg_first(message)
    bytes(ffi.buffer(C.zframe_data(frame), C.zframe_size(frame)))
    C.zmsg_destroy(ffi.new("zmsg_t **", message))


def namespace_message(push: Socket, pull: Socket) -> None:
    """Send and receive a message of two frames with the namespace."""
    message = zmsg.new()
    zmsg.addmem(message, b"one")
    zmsg.addmem(message, b"two")
    zmsg.send(message, push)
    received = zmsg.recv(pull)
    assert received is not None
    frame = zmsg.first(received)
    assert frame is not None
    bytes(zframe.data(frame))
    zmsg.destroy(received)


def raw_picture(push: Socket, pull: Socket) -> None:
    """Send and receive a string and an int with C's zsock."""
    C.zsock_send(push, b"si", ffi.new("char[]", b"hello world"), ffi.cast("int", 42))
    string, number = ffi.new("char **"), ffi.new("int *")
    C.zsock_recv(pull, b"si", string, number)
    text = ffi.string(string[0])
    assert isinstance(text, bytes)
    (text.decode(), number[0])
    C.zstr_free(string)


def namespace_picture(push: Socket, pull: Socket) -> None:
    """Send and receive a string and an int with the namespace."""
    zsock.send(push, "si", "hello world", 42)
    zsock.recv(pull, "si")


def nanoseconds(function: Callable[[Socket, Socket], None], messages: int, push: Socket, pull: Socket) -> float:
    """Return the time of one call."""
    start = time.perf_counter()
    for _ in range(messages):
        function(push, pull)
    return (time.perf_counter() - start) / messages * 1e9


def main() -> None:
    """Measure and print."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    ctx = zctx.new()
    push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
    assert push is not None and pull is not None
    zsocket.bind(push, "inproc://hot")
    zsocket.connect(pull, "inproc://hot")
    for name, raw, namespace in (
        ("zstr send + recv", raw_text, namespace_text),
        ("zmsg send + recv", raw_message, namespace_message),
        ("zsock send + recv", raw_picture, namespace_picture),
    ):
        pairs = [tuple(nanoseconds(side, messages, push, pull) for side in (raw, namespace)) for _ in range(ROUNDS)]
        raw_time, namespace_time = (statistics.median(side) for side in zip(*pairs))
        ratio = statistics.median(namespace / raw for raw, namespace in pairs)
        print(f"{name:<18} raw {raw_time:7.0f} ns, namespace {namespace_time:7.0f} ns, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
