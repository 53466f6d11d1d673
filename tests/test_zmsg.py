"""zmsg: messages of several frames, who owns which, and what becomes of them."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import children
import pytest
from common import collect, example

from pyczmq import C, _handles, ffi, zctx, zframe, zmq, zmsg, zsocket, zstr


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    """Two PAIR sockets that are connected."""
    ctx = zctx.new()
    output, input = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(output, "inproc://zmsg.test")
    zsocket.connect(input, "inproc://zmsg.test")
    zsocket.set_rcvtimeo(input, 5000)
    yield output, input
    zctx.destroy(ctx)


def message_of(*contents: bytes | str) -> Any:
    """Return a new message with a frame for each content."""
    message = zmsg.new()
    for content in contents:
        zmsg.addmem(message, content)
    return message


def contents(message: Any) -> list[bytes]:
    """Return the contents of a message's frames."""
    found = []
    frame = zmsg.first(message)
    while frame is not None:
        found.append(bytes(zframe.data(frame)))
        frame = zmsg.next(message)
    return found


def taken(message: Any) -> list[bytes]:
    """Return the contents of a message's frames, and destroy it."""
    found = contents(message)
    zmsg.destroy(message)
    return found


def test_selftest_in_python(pair: tuple[Any, Any], tmp_path: Path) -> None:
    """What CZMQ's self-test shows, step by step."""
    output, input = pair
    message = zmsg.new()
    zmsg.prepend(message, zframe.new("Hello"))
    assert zmsg.size(message) == 1 and zmsg.content_size(message) == 5
    assert zmsg.send(message, output) == 0
    message = zmsg.recv(input)
    assert zmsg.size(message) == 1 and zmsg.content_size(message) == 5
    zmsg.destroy(message)

    message = message_of(*(f"Frame{number}" for number in range(10)))
    copy = zmsg.dup(message)
    assert zmsg.send(copy, output) == 0 and zmsg.send(message, output) == 0
    copy, message = zmsg.recv(input), zmsg.recv(input)
    assert zmsg.size(copy) == 10 and zmsg.content_size(copy) == 60
    assert zmsg.eq(copy, message)
    zmsg.destroy(copy)

    file = tmp_path / "zmsg.test"
    assert zmsg.save(message, file) == 0
    zmsg.destroy(message)
    message = zmsg.load(file)
    assert zmsg.size(message) == 10 and zmsg.content_size(message) == 60

    for _ in range(8):
        zmsg.first(message)
        frame = zmsg.next(message)
        zmsg.remove(message, frame)
        zframe.destroy(frame)
    assert zmsg.size(message) == 2 and zmsg.content_size(message) == 12
    assert zframe.streq(zmsg.last(message), "Frame9")
    zmsg.prepend(message, zframe.new("Address"))
    assert zmsg.size(message) == 3
    assert zmsg.addstr(message, "Body") == 0
    assert zmsg.size(message) == 4
    zframe.destroy(zmsg.pop(message))
    assert zmsg.size(message) == 3
    assert zmsg.popstr(message) == "Frame0"
    zmsg.destroy(message)

    sizes = [0, 1, 253, 254, 255, 256, 65535, 65536, 65537]
    message = message_of(*(bytes(size) for size in sizes))
    frame = zmsg.encode(message)
    zmsg.destroy(message)
    message = zmsg.decode(frame)
    zframe.destroy(frame)
    assert [len(content) for content in taken(message)] == sizes

    message, submessage = zmsg.new(), zmsg.new()
    zmsg.pushstr(message, "matr")
    zmsg.pushstr(submessage, "joska")
    assert zmsg.addmsg(message, submessage) == 0
    assert zmsg.popmsg(message) is None
    submessage = zmsg.popmsg(message)
    assert zmsg.popstr(submessage) == "joska"
    zmsg.destroy(submessage)
    assert zmsg.pop(message) is None
    assert zmsg.popmsg(message) is None
    zmsg.destroy(message)

    message = message_of("One", "Two")
    frame = zframe.new("Three")
    zmsg.remove(message, frame)
    assert zmsg.content_size(message) == 6
    zframe.destroy(frame)
    zmsg.destroy(message)


def test_old_program() -> None:
    """The old pyczmq's test of zmsg runs, with bytes where Python 3 asks for them."""
    m = zmsg.new()
    foo = zframe.new("foo")
    zmsg.push(m, foo)
    assert zmsg.first(m) == foo
    bar = zframe.new("bar")
    zmsg.push(m, bar)
    assert zmsg.first(m) == bar
    assert zmsg.last(m) == foo
    zmsg.append(m, zframe.new("ding"))

    d = zframe.dup(zmsg.last(m))
    assert zframe.data(d)[:] == b"ding"
    zframe.data(d)[1] = b"o"
    assert zframe.data(d)[:] == b"dong"
    assert zframe.size(d) == 4
    zmsg.append(m, d)

    ctx = zctx.new()
    p = zsocket.new(ctx, zmq.PUB)
    u = zsocket.new(ctx, zmq.SUB)
    zsocket.set_subscribe(u, "")
    zsocket.bind(p, "inproc://qer")
    zsocket.connect(u, "inproc://qer")
    zmsg.send(m, p)
    zsocket.poll(u, 1)
    n = zmsg.recv(u)
    assert zmsg.size(n) == 4
    assert zframe.data(zmsg.next(n))[:] == b"bar"
    assert zframe.data(zmsg.next(n))[:] == b"foo"
    assert zframe.data(zmsg.next(n))[:] == b"ding"
    assert zframe.data(zmsg.next(n))[:] == b"dong"
    assert zmsg.next(n) is None
    zmsg.destroy(n)


def test_each_way_to_put_a_frame_in() -> None:
    """push… and prepend put it first, add… and append last, wrap first with an empty one behind it."""
    message = zmsg.new()
    assert zmsg.append(message, zframe.new("append")) == 0
    assert zmsg.add(message, zframe.new("add")) == 0
    assert zmsg.prepend(message, zframe.new("prepend")) == 0
    assert zmsg.push(message, zframe.new("push")) == 0
    assert zmsg.addmem(message, memoryview(b"addmem")) == 0
    assert zmsg.pushmem(message, bytearray(b"pushmem")) == 0
    assert zmsg.addstr(message, "addstr \0") == 0
    assert zmsg.pushstr(message, b"pushstr %s%n") == 0
    assert zmsg.addstrf(message, "%s-%d", "addstrf", 1) == 0
    assert zmsg.pushstrf(message, "pushstrf %%") == 0
    assert zmsg.wrap(message, zframe.new("wrap")) is None
    expected = ["wrap", "", "pushstrf %", "pushstr %s%n", "pushmem", "push", "prepend", "append", "add", "addmem"]
    expected += ["addstr \0", "addstrf-1"]
    assert zmsg.content_size(message) == sum(map(len, expected))
    assert [zmsg.popstr(message) for _ in expected] == expected
    assert zmsg.popstr(message) is None and zmsg.size(message) == zmsg.content_size(message) == 0
    zmsg.destroy(message)


def test_unwrap() -> None:
    """unwrap takes the first frame, and an empty one behind it; a handle to that is refused afterwards."""
    message = message_of("address", "", "", "body")
    zmsg.first(message)
    delimiter = zmsg.next(message)
    frame = zmsg.unwrap(message)
    assert zframe.strdup(frame) == "address"
    with pytest.raises(ValueError, match="frame was taken out of its message and destroyed"):
        zframe.size(delimiter)
    zframe.destroy(frame)
    assert contents(message) == [b"", b"body"]
    frame = zmsg.unwrap(message)
    assert zframe.size(frame) == 0
    zframe.destroy(frame)
    frame = zmsg.unwrap(message)
    assert zframe.strdup(frame) == "body"
    zframe.destroy(frame)
    assert zmsg.unwrap(message) is None
    zmsg.destroy(message)


def test_text_is_lossless(pair: tuple[Any, Any]) -> None:
    """Strings go in and out as they are, whatever bytes they stand for."""
    output, input = pair
    texts = ["", "nul \0", "snow ☃", b"\xff\xfe".decode("utf-8", "surrogateescape"), "x" * (1 << 20), "%s%n"]
    message = zmsg.new()
    for text in texts:
        zmsg.addstr(message, text)
    zmsg.send(message, output)
    message = zmsg.recv(input)
    assert [zmsg.popstr(message) for _ in texts] == texts
    zmsg.destroy(message)


# ---------------------------------------------------------------- ownership


def test_lent_frames_have_one_handle_each() -> None:
    """first, next and last return the same handle for the same frame, and that which was put in."""
    message = zmsg.new()
    frames = [zframe.new("one"), zframe.new("two"), zframe.new("three")]
    for frame in frames:
        zmsg.append(message, frame)
    zmsg.addstr(message, "four")
    assert zmsg.first(message) is frames[0]
    assert zmsg.next(message) is frames[1]
    assert zmsg.next(message) is frames[2]
    assert zmsg.next(message) is zmsg.last(message)
    assert zmsg.next(message) is None
    assert zmsg.pop(message) is frames[0]
    zframe.destroy(frames[0])
    zmsg.destroy(message)


@pytest.mark.parametrize("end", ["destroyed", "sent"])
def test_frames_die_with_their_message(pair: tuple[Any, Any], end: str) -> None:
    """A frame that was put in or lent can be used as long as the message lives, and is refused afterwards."""
    output, _ = pair
    message = message_of("lent", "also lent")
    put = zframe.new("put in")
    zmsg.append(message, put)
    frames = [zmsg.first(message), zmsg.next(message), put]
    assert [zframe.strdup(frame) for frame in frames] == ["lent", "also lent", "put in"]
    if end == "sent":
        assert zmsg.send(message, output) == 0
    else:
        zmsg.destroy(message)
    other = zmsg.new()
    for frame in frames:
        for call in (zframe.size, zframe.data, zframe.destroy, lambda frame: zmsg.append(other, frame)):
            with pytest.raises(ValueError, match=f"frame is in a message that was {end}"):
                call(frame)
    zmsg.destroy(other)
    for call in (zmsg.size, zmsg.first, zmsg.pop, zmsg.destroy, lambda message: zmsg.send(message, output)):
        with pytest.raises(ValueError, match=f"message was {end}"):
            call(message)
    assert not zmsg.is_(message)
    assert zmsg.destroy(None) is None


def test_frame_cannot_be_in_two_places() -> None:
    """A frame that is in a message, or is gone, cannot be put into one; C would free it twice."""
    message, other = zmsg.new(), zmsg.new()
    frame, gone = zframe.new("frame"), zframe.new("gone")
    zmsg.append(message, frame)
    zframe.destroy(gone)
    for put in (zmsg.append, zmsg.add, zmsg.prepend, zmsg.push, zmsg.wrap):
        for into in (message, other):
            with pytest.raises(ValueError, match="frame is in a message, which owns it"):
                put(into, frame)
            with pytest.raises(ValueError, match="frame was destroyed"):
                put(into, gone)
            with pytest.raises(ValueError, match="frame is in a message, which owns it"):
                put(into, zmsg.last(message))
    assert zmsg.size(message) == 1 and zmsg.size(other) == 0
    zmsg.remove(other, frame)
    with pytest.raises(ValueError, match="frame is in a message, which owns it"):
        zframe.destroy(frame)
    zmsg.remove(message, frame)
    zmsg.append(other, frame)
    assert zmsg.pop(other) is frame
    zframe.destroy(frame)
    for empty in (message, other):
        assert zmsg.size(empty) == 0
        zmsg.destroy(empty)


def test_frames_move_between_messages() -> None:
    """A frame that was popped or removed belongs to the caller, who can put it in elsewhere."""
    source, target = message_of("a", "b", "c"), zmsg.new()
    middle = (zmsg.first(source), zmsg.next(source))[1]
    zmsg.remove(source, middle)
    zmsg.append(target, middle)
    while (frame := zmsg.pop(source)) is not None:
        zmsg.append(target, frame)
    zmsg.destroy(source)
    assert zframe.strdup(middle) == "b"
    assert taken(target) == [b"b", b"a", b"c"]


def test_popstr_refuses_the_handle() -> None:
    """A handle for a frame that popstr or popmsg consumed is refused."""
    message = message_of("text", b"\x03sub")
    handles = [zmsg.first(message), zmsg.next(message)]
    assert zmsg.popstr(message) == "text"
    submessage = zmsg.popmsg(message)
    assert taken(submessage) == [b"sub"]
    for handle in handles:
        with pytest.raises(ValueError, match="frame was taken out of its message and destroyed"):
            zframe.size(handle)
    zmsg.destroy(message)


def test_submessages() -> None:
    """addmsg takes the submessage over; a message cannot be put into itself."""
    message, submessage = message_of("outer"), message_of("in", "", "ner" * 100)
    inside = zmsg.first(submessage)
    with pytest.raises(ValueError, match="submessage must not be the message itself"):
        zmsg.addmsg(message, message)
    zmsg.addmsg(message, submessage)
    with pytest.raises(ValueError, match="submessage was destroyed"):
        zmsg.addmsg(message, submessage)
    with pytest.raises(ValueError, match="in a message that was destroyed"):
        zframe.size(inside)
    assert zmsg.content_size(message) == 5 + 3 + 1 + 5 + 300
    assert zmsg.popstr(message) == "outer"
    assert taken(zmsg.popmsg(message)) == [b"in", b"", b"ner" * 100]
    zmsg.destroy(message)


def test_messages_can_be_dropped() -> None:
    """A message that a program forgets is lost, as in C, but nothing of it is remembered, and its frames go on."""
    collect()
    tables = (_handles._contents, _handles._inside, _handles._pins)
    before = [len(table) for table in tables]
    for _ in range(100):
        message = message_of("a", "b")
        zmsg.append(message, zframe.new("c"))
        frame = zmsg.first(message)
        del message
        assert zframe.strdup(frame) == "a"
    del frame
    collect()
    assert [len(table) for table in tables] == before


def test_handles_are_not_mixed_up(pair: tuple[Any, Any]) -> None:
    """New messages are never taken for those that went, however often memory is used again."""
    output, input = pair
    for number in range(3000):
        message = message_of(str(number))
        zmsg.append(message, zframe.new("tail"))
        zmsg.first(message)
        assert zmsg.send(message, output) == 0
        message = zmsg.recv(input)
        assert zframe.strdup(zmsg.first(message)) == str(number)
        frame = zmsg.pop(message)
        zframe.destroy(frame)
        zmsg.destroy(message)


def test_raw_and_namespace_calls_mix() -> None:
    """Frames that raw calls put in or take out do not confuse the namespace."""
    message = C.zmsg_new()
    frame = zframe.new("one")
    assert C.zmsg_append(message, ffi.new("zframe_t **", frame)) == 0
    zmsg.addstr(message, "two")
    assert [zframe.strdup(zmsg.first(message)), zframe.strdup(zmsg.next(message))] == ["one", "two"]
    popped = C.zmsg_pop(message)
    zframe.destroy(popped)
    assert zmsg.popstr(message) == "two"
    C.zmsg_destroy(ffi.new("zmsg_t **", message))


# ---------------------------------------------------------------- views


@pytest.mark.parametrize("end", ["destroy", "send", "sendm", "pop", "addmsg", "popstr"])
def test_views_outlive_their_message(pair: tuple[Any, Any], end: str) -> None:
    """The memory of a view of a frame stays, whatever becomes of the message."""
    output, input = pair
    bodies = [b"s" * 5, b"m" * 3000, b"b" * 100000]
    message = message_of(*bodies, "no view")
    frames = [zmsg.first(message), zmsg.next(message), zmsg.next(message)]
    views = [memoryview(zframe.data(frame)) for frame in frames]
    if end in ("send", "sendm"):
        assert getattr(zmsg, end)(message, output) == 0
        if end == "sendm":
            zstr.send(output, "last")
        received = [b"last"] if end == "sendm" else []
        assert taken(zmsg.recv(input)) == [*bodies, b"no view", *received]
    elif end == "destroy":
        zmsg.destroy(message)
    elif end == "addmsg":
        outer = zmsg.new()
        zmsg.addmsg(outer, message)
        zmsg.destroy(outer)
    else:
        for _ in frames:
            if end == "pop":
                zframe.destroy(zmsg.pop(message))
            else:
                zmsg.popstr(message)
        zmsg.destroy(message)
    del message, frames
    collect()
    others = [message_of(*(b"?" * len(body) for body in bodies)) for _ in range(20)]
    assert [bytes(view) for view in views] == bodies
    for view in views:
        view[:] = bytes(len(view))
    for other in others:
        assert taken(other) == [b"?" * len(body) for body in bodies]
    del view, views
    collect()
    assert not _handles._pins


def test_view_through_a_raw_handle() -> None:
    """A view that was had through a raw call's handle keeps the memory, too."""
    message = message_of("x" * 5000)
    view = zframe.data(C.zmsg_first(message))
    zmsg.destroy(message)
    other = message_of("y" * 5000)
    assert bytes(view) == b"x" * 5000
    zmsg.destroy(other)


# ---------------------------------------------------------------- sending


def test_empty_message_sends_nothing(pair: tuple[Any, Any]) -> None:
    """It is gone all the same."""
    output, input = pair
    for send in (zmsg.send, zmsg.sendm):
        message = zmsg.new()
        assert send(message, output) == 0
        with pytest.raises(ValueError, match="message was sent"):
            zmsg.size(message)
    assert zmsg.recv_nowait(input) is None
    # Nor does it count as the first part of a message, or as its last.
    assert zstr.sendm(output, "first") == 0
    assert zmsg.send(zmsg.new(), output) == 0
    assert zstr.send(output, "last") == 0
    assert zstr.recvx(input) == ["first", "last"]


def test_sendm_leaves_the_message_open(pair: tuple[Any, Any]) -> None:
    """What sendm sends is the first part of a longer message."""
    output, input = pair
    assert zmsg.sendm(message_of("a", "b"), output) == 0
    assert zmsg.sendm(message_of("c"), output) == 0
    assert zmsg.recv_nowait(input) is None
    assert zmsg.send(message_of("d", "e"), output) == 0
    assert taken(zmsg.recv(input)) == [b"a", b"b", b"c", b"d", b"e"]


@pytest.mark.parametrize("with_view", [False, True])
def test_message_stays_whole_when_it_cannot_be_sent(with_view: bool) -> None:
    """After -1 the message and its frames are as before, and can be sent later."""
    ctx = zctx.new()
    push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
    zsocket.set_sndtimeo(push, 20)
    message = message_of("one", "two", "three")
    frame = zmsg.first(message)
    view = zframe.data(frame) if with_view else None
    for send in (zmsg.send, zmsg.sendm):
        assert send(message, push) == -1
    assert zmsg.content_size(message) == 11 and contents(message) == [b"one", b"two", b"three"]
    assert zmsg.first(message) is frame
    with pytest.raises(ValueError, match="is in a message"):
        zframe.destroy(frame)
    zsocket.bind(pull, "inproc://zmsg.whole")
    zsocket.connect(push, "inproc://zmsg.whole")
    assert zmsg.send(message, push) == 0
    assert taken(zmsg.recv(pull)) == [b"one", b"two", b"three"]
    zsocket.set_rcvtimeo(pull, 20)
    assert zmsg.recv(pull) is None
    assert view is None or bytes(view) == b"one"
    zctx.destroy(ctx)


@pytest.mark.parametrize("size", [0, 5, 300])
def test_a_frame_that_is_reset_in_its_message_counts_as_it_is(size: int) -> None:
    """C goes on counting the frame's old size: less than nothing is left once the frame is taken out."""
    message = message_of("first", "123")
    zframe.reset(zmsg.first(message), b"x" * size)
    assert zmsg.content_size(message) == size + 3
    copy = zmsg.dup(message)
    assert zmsg.content_size(copy) == size + 3
    zframe.destroy(zmsg.pop(message))
    assert zmsg.content_size(message) == 3
    encoded = zmsg.encode(message)
    decoded, second = zmsg.decode(encoded), zmsg.dup(message)
    assert contents(decoded) == contents(second) == [b"123"]
    zframe.destroy(encoded)
    for each in message, copy, decoded, second:
        zmsg.destroy(each)


def test_a_signal_whose_frame_is_reset_is_none() -> None:
    """C would read eight bytes of a frame that has fewer."""
    message = zmsg.new_signal(7)
    zframe.reset(zmsg.first(message), b"")
    assert zmsg.signal(message) == -1
    zframe.reset(zmsg.first(message), (0x7766554433221100 + 9).to_bytes(8, sys.byteorder))
    assert zmsg.signal(message) == 9
    zmsg.destroy(message)


def test_mandatory_router() -> None:
    """A peer that is not there is -1 at once; one that is full is waited for as SNDTIMEO says. The message stays."""
    ctx = zctx.new()
    router, dealer = zsocket.new(ctx, zmq.ROUTER), zsocket.new(ctx, zmq.DEALER)
    zsocket.set_router_mandatory(router, 1)
    zsocket.set_hwm(router, 1)
    zsocket.set_hwm(dealer, 1)
    zsocket.set_sndtimeo(router, 30)
    zsocket.set_identity(dealer, "peer")
    zsocket.bind(router, "inproc://zmsg.router")
    zsocket.connect(dealer, "inproc://zmsg.router")
    message = message_of("stranger", "body")
    assert zmsg.send(message, router) == -1
    assert taken(message) == [b"stranger", b"body"]
    sent = 0
    while zmsg.send(message := message_of("peer", str(sent)), router) == 0:
        sent += 1
    assert 1 <= sent < 10
    assert contents(message) == [b"peer", str(sent).encode()]
    assert taken(zmsg.recv(dealer)) == [b"0"]
    zsocket.set_sndtimeo(router, 5000)
    for _ in range(sent - 1):
        zmsg.destroy(zmsg.recv(dealer))
    assert zmsg.send(message, router) == 0
    zctx.destroy(ctx)


def test_send_that_breaks_off_midway() -> None:
    """If the context ends in the middle of a message, what was sent is refused and what was not is still there."""
    ctx = zctx.new()
    push = zsocket.new(ctx, zmq.PUSH)
    pull = zsocket.new(ctx, zmq.PULL)
    zsocket.bind(pull, "inproc://zmsg.midway")
    zsocket.connect(push, "inproc://zmsg.midway")
    message = message_of("sent", "not sent")
    frames = [zmsg.first(message), zmsg.next(message)]
    view = zframe.data(frames[1])
    transmit, count = zframe.transmit, [0]

    def breaking(*args: Any) -> int:
        count[0] += 1
        return transmit(*args) if count[0] == 1 else -1

    zframe.transmit = breaking
    try:
        assert zmsg.send(message, push) == -1
    finally:
        zframe.transmit = transmit
    with pytest.raises(ValueError, match="frame was sent"):
        zframe.size(frames[0])
    assert zmsg.first(message) is frames[1] and bytes(view) == b"not sent"
    assert taken(message) == [b"not sent"]
    zctx.destroy(ctx)


@pytest.mark.parametrize("call", ["zmsg.recv(pull)", "zmsg.send(message, push)", "zmsg.sendm(message, push)"])
def test_interrupts(call: str) -> None:
    """Ctrl-C ends a wait with KeyboardInterrupt at once, and leaves the message whole; other handlers just run."""
    children.check_interrupts(
        call,
        before="message = zmsg.new(); zmsg.addstr(message, 'first'); zmsg.addstr(message, 'last')\n"
        "frame = zmsg.first(message)",
        after="assert zmsg.first(message) is frame and zmsg.size(message) == 2\n"
        "assert zmsg.popstr(message) == 'first' and zmsg.popstr(message) == 'last'",
    )


def test_zsock_handles() -> None:
    """CZMQ 4's sockets do as well."""
    left, right = C.zsock_new_pair(b"@inproc://zmsg.zsock"), C.zsock_new_pair(b">inproc://zmsg.zsock")
    assert zmsg.send(message_of("a", "b"), left) == 0
    assert taken(zmsg.recv(right)) == [b"a", b"b"]
    assert zmsg.recv_nowait(right) is None
    for sock in (left, right):
        C.zsock_destroy(ffi.new("zsock_t **", sock))


def test_signals(pair: tuple[Any, Any]) -> None:
    """Signals carry a status of 0 to 255, and nothing else is one."""
    for status in (0, 1, 255):
        message = zmsg.new_signal(status)
        assert zmsg.signal(message) == status
        zmsg.destroy(message)
    for bad in (-1, 256, 2**40):
        with pytest.raises(OverflowError):
            zmsg.new_signal(bad)
    for parts in ([], ["x"], ["8 bytes!"], ["8 bytes!", ""]):
        message = message_of(*parts)
        assert zmsg.signal(message) == -1
        zmsg.destroy(message)


def test_eq_and_dup() -> None:
    """Messages are equal if their frames are; a copy is equal and independent."""
    message = message_of("One", "Two", "")
    copy = zmsg.dup(message)
    others = [message_of("One", "Two"), message_of("One", "Two", "x"), message_of("One", "Tow", ""), zmsg.new()]
    assert zmsg.eq(message, copy) and zmsg.eq(message, message)
    assert not any(zmsg.eq(message, other) for other in others)
    assert not zmsg.eq(message, None) and not zmsg.eq(None, message) and not zmsg.eq(None, None)
    zframe.data(zmsg.first(copy))[0] = b"o"
    assert not zmsg.eq(message, copy)
    empty = zmsg.dup(others[-1])
    assert zmsg.eq(empty, others[-1])
    for each in (message, copy, empty, *others):
        zmsg.destroy(each)


def test_is() -> None:
    """Only a message that is alive is one."""
    frame, message = zframe.new("x"), zmsg.new()
    assert zmsg.is_(message) and zmsg.is_(ffi.cast("void *", message))
    for other in (frame, ffi.cast("void *", frame), None, 1, "message", ffi.NULL, ffi.new("int[3]")):
        assert not zmsg.is_(other)
    zframe.destroy(frame)
    zmsg.destroy(message)
    assert not zmsg.is_(message)


# ---------------------------------------------------------------- files and encodings


PARTS = [b"", b"a", b"nul \0", b"\xff" * 254, b"\xfe" * 255, bytes(range(256)) * 300]


@pytest.mark.parametrize("parts", [[], [b""], [b"x"], PARTS, PARTS * 20], ids=lambda parts: f"{len(parts)} frames")
def test_save_and_load(tmp_path: Path, parts: list[bytes]) -> None:
    """A message comes back from a path, an open file, an unbuffered one, and a file object, with its empty frames."""
    message = message_of(*parts)
    path = tmp_path / "message"
    for name in (path, str(path), str(path).encode()):
        assert zmsg.save(message, name) == 0
        assert taken(zmsg.load(name)) == parts
    for buffering in (-1, 0):
        with open(path, "wb", buffering=buffering) as file:
            zmsg.save(message, file)
        with open(path, "rb", buffering=buffering) as file:
            assert taken(zmsg.load(file)) == parts
    memory = io.BytesIO()
    assert zmsg.save(message, memory) == 0
    memory.seek(0)
    assert taken(zmsg.load(memory)) == parts
    memory.seek(0)
    assert taken(zmsg.load(None, memory)) == parts
    memory.seek(0)
    assert zmsg.load(message, memory) is message
    assert taken(message) == parts * 2


@pytest.mark.skipif(sys.platform == "win32", reason="takes C's own files")
def test_files_are_those_of_c(tmp_path: Path) -> None:
    """What C saves we load, and what we save C loads."""
    parts = [b"one", b"\0two", b"x" * 100000]
    message = message_of(*parts)
    with open(tmp_path / "c", "w+b") as file:
        assert C.zmsg_save(message, file) == 0
    assert taken(zmsg.load(tmp_path / "c")) == parts
    zmsg.save(message, tmp_path / "python")
    assert (tmp_path / "python").read_bytes() == (tmp_path / "c").read_bytes()
    with open(tmp_path / "python", "r+b") as file:
        assert taken(C.zmsg_load(file)) == parts
    zmsg.destroy(message)


def test_load_of_a_damaged_file() -> None:
    """A file that is cut off, or claims sizes that it does not have, is None, and the message is left alone."""
    message = message_of("first", "second frame")
    file = io.BytesIO()
    zmsg.save(message, file)
    whole = file.getvalue()
    ends = {8 + 5, 8 + 5 + 8 + 12, 0}
    for end in range(len(whole)):
        loaded = zmsg.load(io.BytesIO(whole[:end]))
        assert (loaded is not None) == (end in ends)
        zmsg.destroy(loaded)
    for size in (2**64 - 1, 2**63, 2**62, 2**40, 6):
        hostile = size.to_bytes(8, sys.byteorder) + b"short"
        assert zmsg.load(io.BytesIO(hostile)) is None
        assert zmsg.load(message, io.BytesIO(hostile)) is None
    assert taken(message) == [b"first", b"second frame"]


def test_load_from_a_file_that_gives_too_much() -> None:
    """A file object that does not keep to the size it is asked for is refused."""

    class Generous:
        def read(self, size: int) -> bytes:
            return b"x" * (size + 1)

    with pytest.raises(ValueError, match="file gave 9 bytes where at most 8 were asked for"):
        zmsg.load(Generous())


def test_files_that_are_none(tmp_path: Path) -> None:
    """What is no file is a TypeError that says so, and what a file raises comes out."""
    message = message_of("x")
    for bad in (None, 1.5, object(), [b"x"]):
        with pytest.raises(TypeError, match="file must be a Python file or a path"):
            zmsg.save(message, bad)
        with pytest.raises(TypeError, match="file must be a Python file or a path"):
            zmsg.load(bad)
    with pytest.raises(TypeError, match="file must be opened for reading bytes"):
        zmsg.load(io.StringIO("text"))
    with pytest.raises(TypeError):
        zmsg.save(message, io.StringIO())
    with pytest.raises(FileNotFoundError):
        zmsg.load(tmp_path / "missing")
    (tmp_path / "read only").write_bytes(b"")
    with open(tmp_path / "read only", "rb") as file, pytest.raises(io.UnsupportedOperation):
        zmsg.save(message, file)
    zmsg.destroy(message)


@pytest.mark.parametrize("parts", [[], [b""], [b"x"], PARTS, PARTS * 20], ids=lambda parts: f"{len(parts)} frames")
def test_encode_and_decode(parts: list[bytes]) -> None:
    """An encoded message comes back from its frame, and from any buffer with the same bytes, as C's does."""
    message = message_of(*parts)
    frame = zmsg.encode(message)
    encoded = bytes(zframe.data(frame))
    for given in (frame, encoded, bytearray(encoded), memoryview(encoded)):
        assert taken(zmsg.decode(given)) == parts
    assert taken(C.zmsg_decode(frame)) == parts
    zframe.destroy(frame)
    zmsg.destroy(message)


def test_decode_of_nonsense() -> None:
    """What is no encoded message is None, whatever lengths it claims; C would abort for some of them."""
    for nonsense in (
        b"\x01",
        b"\x05abcd",
        b"\xff",
        b"\xff\0\0\0",
        b"\xff\0\0\0\x05abcd",
        b"\xff\x7f\xff\xff\xffabcd",
        b"\xff\x80\0\0\0abcd",
        b"\xff\xff\xff\xff\xffabcd",
        b"\x01a\xff\xff\xff\xff\xff",
        b"\x01a\x02b",
    ):
        assert zmsg.decode(nonsense) is None
        frame = zframe.new(nonsense)
        assert zmsg.decode(frame) is None
        message = zmsg.new()
        zmsg.append(message, frame)
        assert zmsg.popmsg(message) is None
        assert zmsg.size(message) == 0
        zmsg.destroy(message)
    assert taken(zmsg.decode(b"\xff\0\0\0\x02ab")) == [b"ab"]
    for bad in (None, 1, ffi.NULL, ffi.new("char[3]"), zmsg.decode):
        with pytest.raises((TypeError, ValueError), match="frame"):
            zmsg.decode(bad)  # type: ignore[arg-type]


# ---------------------------------------------------------------- printing


def test_fprint() -> None:
    """fprint writes at most ten frames to text and binary files."""
    message = message_of("Hello", b"\0\xff", *(f"frame {number}" for number in range(20)))
    expected = "--------------------------------------\n[005] Hello\n[002] 00FF\n"
    expected += "".join(f"[007] frame {number}\n" for number in range(8))
    for write in (zmsg.fprint, zmsg.dump_to_stream):
        text, binary = io.StringIO(), io.BytesIO()
        write(message, text)
        write(message, binary)
        assert text.getvalue() == expected and binary.getvalue() == expected.encode()
        with pytest.raises(TypeError, match="file must be a Python file"):
            write(message, None)
    zmsg.destroy(message)


def test_print_to_the_log() -> None:
    """print, print_n and dump write each frame to CZMQ's log, and no content is taken for a format."""
    output = children.check(
        """
        from pyczmq import zmsg
        message = zmsg.new()
        zmsg.addstr(message, "%s%n%s%s%n")
        zmsg.addmem(message, bytes(3))
        zmsg.print(message)
        zmsg.dump(message)
        zmsg.print_n(message, 2)
        zmsg.destroy(message)
        """
    )
    lines = [line.split(" ", 3)[-1] for line in output.splitlines()]
    assert lines == ["[010] %s%n%s%s%n", "[003] 000000"] * 2 + ["[010] %s", "[003] 0000"]


# ---------------------------------------------------------------- misuse


@pytest.mark.parametrize(
    "bad", [None, 1, "message", b"message", object(), ffi.NULL, ffi.cast("zframe_t *", 8)], ids=repr
)
def test_bad_messages(pair: tuple[Any, Any], bad: Any) -> None:
    """What is no message is refused by every function, by the argument's name."""
    good, frame = zmsg.new(), zframe.new("x")
    calls: list[Any] = [
        zmsg.size,
        zmsg.content_size,
        zmsg.pop,
        zmsg.popstr,
        zmsg.popmsg,
        zmsg.first,
        zmsg.next,
        zmsg.last,
        zmsg.encode,
        zmsg.dup,
        zmsg.print,
        zmsg.print_n,
        zmsg.dump,
        zmsg.signal,
        zmsg.unwrap,
        lambda message: zmsg.send(message, pair[0]),
        lambda message: zmsg.sendm(message, pair[0]),
        *(
            lambda message, put=put: put(message, frame)
            for put in (zmsg.prepend, zmsg.append, zmsg.push, zmsg.add, zmsg.wrap, zmsg.remove)
        ),
        *(
            lambda message, put=put: put(message, "x")
            for put in (zmsg.pushmem, zmsg.addmem, zmsg.pushstr, zmsg.addstr, zmsg.pushstrf, zmsg.addstrf)
        ),
        lambda message: zmsg.addmsg(message, good),
        lambda message: zmsg.addmsg(good, message),
        lambda message: zmsg.save(message, io.BytesIO()),
        lambda message: zmsg.fprint(message, io.StringIO()),
        lambda message: zmsg.dump_to_stream(message, io.StringIO()),
    ]
    if bad is not None:
        calls += [
            zmsg.destroy,
            lambda message: zmsg.eq(message, good),
            lambda message: zmsg.load(message, io.BytesIO()),
        ]
        with pytest.raises((TypeError, ValueError), match="other"):
            zmsg.eq(good, bad)
    for call in calls:
        with pytest.raises((TypeError, ValueError), match="message"):
            call(bad)
    assert zmsg.size(good) == 0
    zframe.destroy(frame)
    zmsg.destroy(good)


@pytest.mark.parametrize("bad", [None, 1, "frame", b"frame", object(), ffi.NULL, ffi.cast("zmsg_t *", 8)], ids=repr)
def test_bad_frames_data_and_sockets(bad: Any) -> None:
    """Bad frames, data, text and sockets are refused by name, and the message is as it was."""
    message = message_of("kept")
    for put in (zmsg.prepend, zmsg.append, zmsg.push, zmsg.add, zmsg.wrap, zmsg.remove):
        with pytest.raises((TypeError, ValueError), match="frame"):
            put(message, bad)
    if not isinstance(bad, (str, bytes)):
        for put in (zmsg.pushmem, zmsg.addmem):
            with pytest.raises((TypeError, ValueError), match="data must be"):
                put(message, bad)
        for put in (zmsg.pushstr, zmsg.addstr):
            with pytest.raises(TypeError, match="string must be str or bytes"):
                put(message, bad)
        for put in (zmsg.pushstrf, zmsg.addstrf):
            with pytest.raises(TypeError, match="format must be str or bytes"):
                put(message, bad)
    for send in (zmsg.send, zmsg.sendm):
        with pytest.raises((TypeError, ValueError), match="dest"):
            send(message, bad)
    for receive in (zmsg.recv, zmsg.recv_nowait):
        with pytest.raises((TypeError, ValueError), match="source"):
            receive(bad)
    assert taken(message) == [b"kept"]


def test_bad_formats() -> None:
    """A format that its arguments do not fit is refused, and nothing is put in."""
    message = zmsg.new()
    for put in (zmsg.pushstrf, zmsg.addstrf):
        for format, arguments in [("%n", (1,)), ("%s", ()), ("%d", ("x",)), ("plain", (1,))]:
            with pytest.raises((TypeError, ValueError)):
                put(message, format, *arguments)
    assert taken(message) == []


def test_context_that_ends() -> None:
    """Sockets of a context that was shut down give None and -1, and the message stays."""
    ctx = zctx.new()
    sock = zsocket.new(ctx, zmq.PAIR)
    C.zmq_ctx_shutdown(C.zctx_underlying(ctx))
    message = message_of("a", "b")
    assert zmsg.recv(sock) is None and zmsg.recv_nowait(sock) is None
    assert zmsg.send(message, sock) == -1 and zmsg.sendm(message, sock) == -1
    assert taken(message) == [b"a", b"b"]
    zctx.destroy(ctx)


# ---------------------------------------------------------------- draft


@pytest.mark.skipif(hasattr(C, "zmsg_routing_id"), reason="this library has drafts")
def test_draft_functions_say_that_they_are_missing() -> None:
    """Without drafts, the functions that need them name the function and the library's version."""
    message = zmsg.new()
    with pytest.raises(AttributeError, match=r"zmsg_routing_id is not in this library: libczmq \d"):
        zmsg.routing_id(message)
    with pytest.raises(AttributeError, match=r"zmsg_set_routing_id is not in this library: libczmq \d"):
        zmsg.set_routing_id(message, 1)
    zmsg.destroy(message)


@pytest.mark.skipif(not hasattr(C, "zsock_new_server"), reason="only libraries with drafts have SERVER sockets")
def test_server_and_client() -> None:
    """A message knows which client it came from; SERVER and CLIENT refuse several frames, and leave them alone."""
    ctx = zctx.new()
    server, client = zsocket.new(ctx, zmq.SERVER), zsocket.new(ctx, zmq.CLIENT)
    zsocket.bind(server, "inproc://zmsg.server")
    zsocket.connect(client, "inproc://zmsg.server")
    assert zmsg.send(message_of("Hello"), client) == 0
    request = zmsg.recv(server)
    assert zmsg.routing_id(request) != 0
    reply = message_of("World")
    zmsg.set_routing_id(reply, zmsg.routing_id(request))
    assert zmsg.send(reply, server) == 0
    assert taken(request) == [b"Hello"]
    reply = zmsg.recv(client)
    assert zmsg.routing_id(reply) == 0
    assert taken(reply) == [b"World"]
    for sock in (client, server):
        message = message_of("One", "Two")
        assert zmsg.send(message, sock) == -1
        assert taken(message) == [b"One", b"Two"]
    message = zmsg.new()
    for bad in (-1, 2**32):
        with pytest.raises(OverflowError):
            zmsg.set_routing_id(message, bad)
    zmsg.destroy(message)
    zctx.destroy(ctx)


def test_selftest() -> None:
    """CZMQ's own self-test passes."""
    assert zmsg.test() is None


def test_example_in_the_docstring(pair: tuple[Any, Any]) -> None:
    """The module's example runs."""
    exec(example(zmsg.__doc__), {"zframe": zframe, "zmsg": zmsg, "output": pair[0], "input": pair[1]})
