"""Programs for the old pyczmq's types: what they did goes on to work, return codes and all."""

from __future__ import annotations

from typing import Any

import pytest

from pyczmq import Context, Frame, Loop, Message, zloop, zmq, zsocket
from pyczmq.types import ZMQError


def test_contexts_are_configured_by_calls() -> None:
    ctx = Context()
    ctx.set_iothreads(1)
    ctx.set_linger(5)
    ctx.set_pipehwm(500)
    ctx.set_sndhwm(500)
    ctx.set_rcvhwm(500)
    assert ctx.socket("PUSH").sndhwm == 500


def test_sockets_return_ports_and_zeros() -> None:
    ctx = Context()
    writer, reader = ctx.socket(zmq.PUSH), ctx.socket(zmq.PULL)
    assert (writer.type(), reader.type()) == ("PUSH", "PULL")
    port = writer.bind("tcp://*:*")
    assert zsocket.DYNFROM <= port <= zsocket.DYNTO
    assert writer.unbind("tcp://*:*") == 0
    port = writer.bind("tcp://*:*")
    assert reader.connect(f"tcp://localhost:{port}") == 0
    assert writer.send("HELLO") == 0
    assert reader.recv() == "HELLO"
    assert writer.poll(10) is False
    assert reader.recv_nowait() is None
    # This returned -1.
    with pytest.raises(ZMQError):
        reader.connect(f"txp://localhost:{port}")
    assert writer.send_frame(Frame("ABC"), Frame.MORE) == 0
    assert writer.send_frame(Frame("DEFG")) == 0
    frame = reader.recv_frame()
    assert frame == "ABC" and frame.more()
    frame = reader.recv_frame()
    assert frame == "DEFG" and not frame.more()


def test_options_are_set_by_calls() -> None:
    ctx = Context()
    pub, sub = ctx.socket("PUB"), ctx.socket("SUB")
    sub.set_subscribe("")
    sub.set_rcvhwm(7)
    assert sub.rcvhwm == 7
    pub.bind("inproc://zoop")
    sub.connect("inproc://zoop")
    pub.send("foo")
    sub.poll(1000)
    assert sub.recv() == "foo"


def test_frames_are_sent_again_and_again() -> None:
    ctx = Context()
    output, input = ctx.socket(zmq.PAIR), ctx.socket(zmq.PAIR)
    assert output.bind("inproc://zframe.test") >= 0
    assert input.connect("inproc://zframe.test") == 0
    for _ in range(5):
        assert output.send_frame(Frame("Hello"), Frame.MORE) == 0
    frame = Frame("Hello")
    for _ in range(5):
        assert output.send_frame(frame, Frame.MORE + Frame.REUSE) == 0
    copy = frame.dup()
    assert frame == copy
    frame.reset("")
    assert frame != copy and len(copy) == 5 and len(Frame()) == 0
    frame.reset("END")
    assert (frame.strhex(), frame.bytes(), str(frame)) == ("454E44", b"END", "END")
    assert output.send_frame(frame) == 0
    count = 0
    while True:
        frame = input.recv_frame()
        count += 1
        if frame == "END":
            break
        assert len(frame) == 5 and frame.bytes() == b"Hello" and frame.more()
        frame.set_more(0)
        assert frame.more() == 0
    assert count == 11
    assert input.recv_frame_nowait() is None


def test_messages_are_filled_walked_and_copied() -> None:
    ctx = Context()
    output, input = ctx.socket(zmq.PAIR), ctx.socket(zmq.PAIR)
    output.bind("inproc://zmsg.test")
    input.connect("inproc://zmsg.test")
    message = Message()
    message.push(Frame("Hello"))
    assert len(message) == 1 and message.content_size() == 5
    assert output.send_msg(message) == 0
    message = input.recv_msg()
    assert len(message) == 1 and message.content_size() == 5
    message = Message()
    for i in range(10):
        assert message.append(f"Frame{i}") == 0
    copy = message.dup()
    assert output.send_msg(copy) == 0 and output.send_msg(message) == 0
    for _ in range(2):
        message = input.recv_msg()
        assert len(message) == 10 and message.content_size() == 60
    for i in range(10):
        assert message.next() == f"Frame{i}"
    assert message.popstr() == "Frame0"
    assert message.pop() == "Frame1"


def test_loops_call_handlers_with_the_loop_what_and_an_argument() -> None:
    ctx = Context()
    output, input = ctx.socket(zmq.PAIR), ctx.socket(zmq.PAIR)
    output.bind("inproc://zloop.test")
    input.connect("inproc://zloop.test")
    seen: list[str] = []

    @zloop.timer_callback
    def on_cancel(loop: Any, timer_id: int, arg: Any) -> int:
        loop.timer_end(arg)
        return 0

    @zloop.timer_callback
    def on_timer(loop: Any, timer_id: int, arg: Any) -> int:
        arg.send("PING")
        return 0

    @zloop.poll_callback
    def on_socket(loop: Any, item: Any, arg: Any) -> int:
        seen.append(arg.recv())
        return -1

    loop = Loop()
    loop.set_verbose(False)
    cancelled = loop.timer(1000, 1, on_timer, None)
    loop.timer(5, 1, on_cancel, cancelled)
    loop.timer(20, 1, on_timer, output)
    item = zmq.pollitem(socket=input.sock, events=zmq.POLLIN)
    loop.poller(item, on_socket, input)
    loop.set_tolerant(item)
    loop.start()
    assert seen == ["PING"]
