"""zframe: frames, the views of their memory, and who owns them."""

from __future__ import annotations

import gc
import io
import sys
from collections.abc import Iterator
from typing import Any

import children
import pytest
from common import collect, example

from pyczmq import C, _handles, ffi, zctx, zframe, zmq, zmsg, zsocket

#: Contents of every kind of message that libzmq has: empty, inside its struct (33 bytes at most), and on the heap.
CONTENTS = [b"", b"a", b"nul \0 in it\0", b"\xff\xfe", b"x" * 33, b"x" * 34, bytes(range(256)) * 256, b"x" * (1 << 20)]


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    """Two PAIR sockets that are connected."""
    ctx = zctx.new()
    output, input = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.connect(input, f"tcp://127.0.0.1:{zsocket.bind(output, 'tcp://127.0.0.1:*')}")
    zsocket.set_rcvtimeo(input, 5000)
    yield output, input
    zctx.destroy(ctx)


def drain(input: Any, count: int) -> list[bytes]:
    """Receive and destroy some frames; return their contents."""
    contents = []
    for _ in range(count):
        frame = zframe.recv(input)
        contents.append(bytes(zframe.data(frame)))
        zframe.destroy(frame)
    return contents


def test_selftest_in_python(pair: tuple[Any, Any]) -> None:
    """What CZMQ's self-test shows: MORE, REUSE, dup, reset, the strings, and what is received."""
    output, input = pair
    for _ in range(5):
        assert zframe.send(zframe.new(b"Hello"), output, zframe.MORE) == 0
    frame = zframe.new("Hello")
    for _ in range(5):
        assert zframe.send(frame, output, zframe.MORE + zframe.REUSE) == 0
    copy = zframe.dup(frame)
    assert zframe.eq(frame, copy)
    zframe.destroy(frame)
    assert zframe.size(copy) == 5
    assert not zframe.eq(None, copy)
    zframe.destroy(copy)

    frame = zframe.new_empty()
    assert zframe.size(frame) == 0
    zframe.destroy(frame)

    frame = zframe.new("NOT")
    zframe.reset(frame, "END")
    assert zframe.strhex(frame) == "454E44"
    assert zframe.strdup(frame) == "END"
    assert zframe.send(frame, output) == 0

    count = 0
    while True:
        frame = zframe.recv(input)
        if zframe.streq(frame, "END"):
            zframe.destroy(frame)
            break
        assert zframe.more(frame) == 1
        zframe.set_more(frame, 0)
        assert zframe.more(frame) == 0
        zframe.destroy(frame)
        count += 1
    assert count == 10

    zframe.send(zframe.new("Hello"), output)
    frame = zframe.recv(input)
    assert zframe.meta(frame, "Socket-Type") == "PAIR"
    assert zframe.meta(frame, b"Peer-Address") == "127.0.0.1"
    assert zframe.meta(frame, "nonexistent") is None
    assert zframe.meta(frame, "") is None
    zframe.destroy(frame)


def test_old_program() -> None:
    """The old pyczmq's test of zframe runs, with bytes where Python 3 asks for them."""
    ctx = zctx.new()
    test_endpoint = "inproc://zframe.test"
    output_s = zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(output_s, test_endpoint)
    input_s = zsocket.new(ctx, zmq.PAIR)
    zsocket.connect(input_s, test_endpoint)
    for _ in range(5):
        frame = zframe.new("Hello")
        rc = zframe.send(frame, output_s, zframe.MORE)
        assert rc == 0
    frame = zframe.new("Hello")
    for _ in range(5):
        rc = zframe.send(frame, output_s, zframe.MORE + zframe.REUSE)
        assert rc == 0
    assert frame
    copy = zframe.dup(frame)
    assert zframe.eq(frame, copy)
    zframe.reset(frame, "")
    assert not zframe.eq(frame, copy)
    assert zframe.size(copy) == 5
    zframe.destroy(frame)
    zframe.destroy(copy)
    frame = zframe.new("NOT")
    zframe.reset(frame, "END")
    hex_string = zframe.strhex(frame)
    assert hex_string == "454E44"
    frame_bytes = zframe.data(frame)[:]
    assert frame_bytes == b"END"
    string = zframe.strdup(frame)
    assert string == "END"
    rc = zframe.send(frame, output_s, 0)
    assert rc == 0
    frame_nbr = 0
    while True:
        frame = zframe.recv(input_s)
        frame_nbr += 1
        if zframe.streq(frame, "END"):
            zframe.destroy(frame)
            break
        assert zframe.size(frame) == 5
        assert zframe.data(frame)[:] == b"Hello"
        assert zframe.more(frame)
        zframe.set_more(frame, 0)
        assert zframe.more(frame) == 0
        zframe.destroy(frame)
    assert frame_nbr == 11
    frame = zframe.recv_nowait(input_s)
    assert frame is None


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: f"{len(content)} bytes")
def test_content_is_kept(pair: tuple[Any, Any], content: bytes) -> None:
    """Any bytes go in, across, and out as they are, whatever kind of buffer held them."""
    output, input = pair
    given: list[Any] = [content, bytearray(content), memoryview(content), content.decode("utf-8", "surrogateescape")]
    for data in given:
        frame = zframe.new(data)
        assert zframe.size(frame) == len(content)
        assert zframe.strhex(frame) == content.hex().upper()
        assert zframe.strdup(frame) == content.decode("utf-8", "surrogateescape")
        assert zframe.streq(frame, content) and zframe.streq(frame, zframe.strdup(frame))
        assert not zframe.streq(frame, content + b"\0")
        assert not zframe.streq(frame, content[:-1] + b"?")
        assert zframe.send(frame, output) == 0
    assert drain(input, 4) == [content] * 4
    frame = zframe.from_(content)
    zframe.reset(frame, b"other")
    assert bytes(zframe.data(frame)) == b"other"
    zframe.destroy(frame)


def test_buffers_of_other_shapes() -> None:
    """The bytes of any contiguous buffer are taken; one with gaps is a ValueError."""
    from array import array

    numbers = array("i", [1, 2, 3])
    frame = zframe.new(numbers)
    assert bytes(zframe.data(frame)) == numbers.tobytes()
    zframe.destroy(frame)
    for gaps in (memoryview(b"abcdef")[::2], memoryview(b"abcdef")[::-1]):
        with pytest.raises(ValueError, match="contiguous"):
            zframe.new(gaps)
    frame = zframe.new()
    assert zframe.size(frame) == 0
    zframe.destroy(frame)


# ---------------------------------------------------------------- views


def test_data_is_the_frame_itself() -> None:
    """Writing to the view changes the frame, in each of the ways that a cffi buffer can be written to."""
    frame = zframe.new(b"ding")
    zframe.data(frame)[1:2] = b"o"
    assert zframe.data(frame)[:] == b"dong"
    zframe.data(frame)[0] = b"s"
    assert zframe.strdup(frame) == "song"
    view = zframe.data(frame)
    memoryview(view)[3] = ord("k")
    assert bytes(view) == b"sonk" and len(view) == 4 and view[2] == b"n"
    with pytest.raises((IndexError, ValueError)):
        view[4] = b"x"
    with pytest.raises(ValueError):
        view[:] = b"longer"
    zframe.destroy(frame)


def test_view_outlives_its_frame(pair: tuple[Any, Any]) -> None:
    """The memory of a view stays when the frame is destroyed or sent, and is freed after the last use of the view."""
    output, input = pair
    collect()
    freed: list[object] = []
    free = zframe._free
    zframe._free = lambda frame: (freed.append(frame), free(frame))  # type: ignore[assignment]
    try:
        frames, views = [], []
        for size in (5, 5000):
            for end in (zframe.destroy, lambda frame: zframe.send(frame, output)):
                frames.append(zframe.new(b"v" * size))
                views.append(zframe.data(frames[-1]))
                end(frames[-1])
                with pytest.raises(ValueError, match=r"frame was (destroyed|sent)"):
                    zframe.data(frames[-1])
        others = [zframe.new(b"w" * len(view)) for view in views for _ in range(50)]
        assert [bytes(view) for view in views] == [b"v" * size for size in (5, 5, 5000, 5000)]
        pieces = [memoryview(view)[1:3] for view in views]
        del views
        collect()
        assert freed == [] and [bytes(piece) for piece in pieces] == [b"vv"] * 4
        del pieces, frames
        collect()
        assert len(freed) == 4
        for other in others:
            zframe.destroy(other)
        assert drain(input, 2) == [b"v" * 5, b"v" * 5000]
    finally:
        zframe._free = free
    collect()
    assert not _handles._pins


def test_view_of_a_frame_that_could_not_be_sent() -> None:
    """After a send that failed, the frame and its view go on as before."""
    ctx = zctx.new()
    push = zsocket.new(ctx, zmq.PUSH)
    frame = zframe.new(b"stays")
    view = zframe.data(frame)
    assert zframe.send(frame, push, zframe.DONTWAIT) == -1
    view[:] = b"still"
    assert zframe.strdup(frame) == "still"
    zframe.destroy(frame)
    assert bytes(view) == b"still"
    zctx.destroy(ctx)


def test_reset_with_a_view() -> None:
    """A frame with a live view cannot be reset; without it, it can."""
    frame = zframe.new(b"before")
    view = zframe.data(frame)
    with pytest.raises(BufferError, match="has a view"):
        zframe.reset(frame, b"after")
    assert bytes(view) == b"before"
    del view
    zframe.reset(frame, b"after")
    assert bytes(zframe.data(frame)) == b"after"
    zframe.destroy(frame)


def test_views_do_not_pile_up() -> None:
    """A program that looks at frames and destroys them runs in constant memory, on PyPy too."""
    output = children.check(
        """
        import resource
        from pyczmq import zframe
        content = b"x" * 100000
        def run(count):
            for _ in range(count):
                frame = zframe.new(content)
                assert zframe.data(frame)[:3] == b"xxx"
                zframe.destroy(frame)
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        before = run(2000)
        print((run(20000) - before) // 1024)
        """
    )
    # 2 GB went through; what is in use at one time is a small part of that.
    assert int(output) < 300


# ---------------------------------------------------------------- sending


def test_sent_frame_is_refused(pair: tuple[Any, Any]) -> None:
    """A frame that was sent is gone; with REUSE it is not."""
    output, input = pair
    frame = zframe.new("once")
    assert zframe.send(frame, output, zframe.REUSE) == 0
    assert zframe.send(frame, output) == 0
    for call in (zframe.size, zframe.data, zframe.destroy, zframe.dup, lambda frame: zframe.send(frame, output)):
        with pytest.raises(ValueError, match="frame was sent"):
            call(frame)  # type: ignore[no-untyped-call]
    assert not zframe.is_(frame)
    assert drain(input, 2) == [b"once", b"once"]
    assert zframe.recv_nowait(input) is None


def test_more_flag(pair: tuple[Any, Any]) -> None:
    """MORE joins frames into one message; set_more has no say in it."""
    output, input = pair
    first = zframe.new("first")
    zframe.set_more(first, 0)
    zframe.send(first, output, zframe.MORE)
    last = zframe.new("last")
    zframe.set_more(last, 1)
    zframe.send(last, output)
    frames = [zframe.recv(input), zframe.recv(input)]
    assert [zframe.more(frame) for frame in frames] == [1, 0]
    for frame in frames:
        zframe.destroy(frame)


def test_frame_stays_when_it_cannot_be_sent() -> None:
    """DONTWAIT and SNDTIMEO give up with -1 and leave the frame usable."""
    ctx = zctx.new()
    push = zsocket.new(ctx, zmq.PUSH)
    zsocket.set_sndtimeo(push, 20)
    frame = zframe.new("patient")
    for flags in (0, zframe.DONTWAIT, zframe.REUSE, zframe.MORE, zframe.REUSE | zframe.DONTWAIT | zframe.MORE):
        assert zframe.send(frame, push, flags) == -1
        assert zframe.strdup(frame) == "patient"
    pull = zsocket.new(ctx, zmq.PULL)
    zsocket.bind(pull, "inproc://zframe.patient")
    zsocket.connect(push, "inproc://zframe.patient")
    assert zframe.send(frame, push) == 0
    assert drain(pull, 1) == [b"patient"]
    zsocket.set_rcvtimeo(pull, 20)
    assert zframe.recv(pull) is None
    zctx.destroy(ctx)


def test_rest_of_a_message_whose_peer_is_gone() -> None:
    """The rest of a message is dropped if the peer that got its first frames is gone: no other peer gets half of it."""
    ctx = zctx.new()
    push, first, second = (zsocket.new(ctx, kind) for kind in (zmq.PUSH, zmq.PULL, zmq.PULL))
    zsocket.bind(push, "inproc://zframe.rest")
    zsocket.connect(first, "inproc://zframe.rest")
    zsocket.bind(first, "inproc://zframe.first")
    assert zframe.send(zframe.new("first half"), push, zframe.MORE) == 0
    zsocket.destroy(ctx, first)
    while zsocket.bind(second, "inproc://zframe.first") != 0:
        zsocket.poll(second, 10)
    zsocket.poll(second, 10)
    assert zsocket.events(push) & zmq.POLLOUT
    zsocket.connect(second, "inproc://zframe.rest")
    assert zframe.send(zframe.new("second half"), push) == 0
    assert zframe.send(zframe.new("whole"), push) == 0
    zsocket.set_rcvtimeo(second, 5000)
    assert drain(second, 1) == [b"whole"]
    zctx.destroy(ctx)


@pytest.mark.parametrize("call", ["zframe.recv(pull)", "zframe.send(zframe.new('x'), push)"])
def test_interrupts(call: str) -> None:
    """Ctrl-C ends a wait with KeyboardInterrupt at once; another signal's handler runs, and the wait goes on."""
    children.check_interrupts(call)


# ---------------------------------------------------------------- ownership


def test_destroyed_once_and_only_once() -> None:
    """destroy frees, returns None, and refuses to do it again; None is let through."""
    frame = zframe.new("x")
    assert zframe.destroy(frame) is None
    with pytest.raises(ValueError, match="frame was destroyed"):
        zframe.destroy(frame)
    assert zframe.destroy(None) is None


def test_handles_are_not_mixed_up() -> None:
    """A new frame is never taken for one that was destroyed, however often memory is used again."""
    for _ in range(30000):
        frame = zframe.new(b"x")
        assert zframe.size(frame) == 1
        zframe.destroy(frame)
    held = [zframe.new(b"x") for _ in range(1000)]
    for frame in held:
        zframe.destroy(frame)
    for frame in held:
        with pytest.raises(ValueError, match="was destroyed"):
            zframe.size(frame)


def test_spent_handles_are_forgotten() -> None:
    """What is remembered of frames that are gone does not grow."""
    for _ in range(20):
        for _ in range(1000):
            zframe.destroy(zframe.new(b"x"))
        gc.collect()
    assert len(_handles._spent) < 3000


def test_frame_inside_a_message_belongs_to_it(pair: tuple[Any, Any]) -> None:
    """It can be read, changed and sent with REUSE, but neither destroyed nor sent for good."""
    output, input = pair
    message, frame = zmsg.new(), zframe.new("inside")
    zmsg.append(message, frame)
    zframe.data(frame)[:2] = b"IN"
    assert zframe.strdup(zmsg.first(message)) == "INside"
    with pytest.raises(ValueError, match="frame is in a message"):
        zframe.destroy(frame)
    with pytest.raises(ValueError, match="frame is in a message"):
        zframe.send(frame, output)
    assert zframe.send(frame, output, zframe.REUSE) == 0
    assert drain(input, 1) == [b"INside"]
    zmsg.remove(message, frame)
    zframe.destroy(frame)
    zmsg.destroy(message)


def test_put_block() -> None:
    """put_block fills a frame piece by piece, and writes nothing that does not fit."""
    frame = zframe.new(bytes(6))
    assert zframe.put_block(frame, b"abc") == 0
    assert zframe.put_block(frame, "de") == 0
    assert zframe.put_block(frame, b"fg") == -1
    assert zframe.put_block(frame, b"") == 0
    assert bytes(zframe.data(frame)) == b"abcde\0"
    assert zframe.put_block(frame, b"f") == 0
    assert zframe.put_block(frame, b"g") == -1
    zframe.reset(frame, b"1234")
    assert zframe.put_block(frame, b"56") == 0
    assert zframe.strdup(frame) == "5634"
    zframe.destroy(frame)


def test_eq() -> None:
    """Frames are equal if their contents are."""
    frames = [zframe.new(data) for data in ("same", b"same", "Same", "longer same", "")]
    assert zframe.eq(frames[0], frames[1]) and zframe.eq(frames[4], frames[4])
    assert not any(zframe.eq(frames[0], frame) for frame in frames[2:])
    assert not zframe.eq(None, None) and not zframe.eq(frames[0], None)
    for frame in frames:
        zframe.destroy(frame)


def test_is() -> None:
    """Only a frame that is alive is one."""
    frame, message = zframe.new("x"), zmsg.new()
    assert zframe.is_(frame) and zframe.is_(ffi.cast("void *", frame))
    for other in (
        message,
        ffi.cast("void *", message),
        None,
        1,
        "frame",
        ffi.NULL,
        ffi.cast("int", 1),
        ffi.new("int[3]"),
    ):
        assert not zframe.is_(other)
    zframe.destroy(frame)
    zmsg.destroy(message)
    assert not zframe.is_(frame)


# ---------------------------------------------------------------- printing


def test_fprint() -> None:
    """fprint writes to text and binary files: 70 characters of text, 35 bytes of anything else."""
    cases = [
        (b"", None, "[000] \n"),
        (b"Hello\tworld", "prefix ", "prefix [011] Hello\tworld\n"),
        (b"100% %s %n", None, "[010] 100% %s %n\n"),
        (b"a" * 71, None, f"[071] {'a' * 70}...\n"),
        (b"\x00\xff" * 18, None, f"[036] {'00FF' * 17}00...\n"),
        ("☃".encode(), "☃", "☃[003] E29883\n"),
    ]
    for content, prefix, expected in cases:
        frame = zframe.new(content)
        for write in (zframe.fprint, zframe.print_to_stream):
            text, binary = io.StringIO(), io.BytesIO()
            write(frame, prefix, text)
            write(frame, prefix, binary)
            assert text.getvalue() == expected and binary.getvalue() == expected.encode()
        zframe.destroy(frame)


def test_fprint_refuses_what_is_no_file() -> None:
    frame = zframe.new("x")
    for bad in (None, 1, "path", b"path"):
        with pytest.raises(TypeError, match="file must be a Python file"):
            zframe.fprint(frame, None, bad)
    zframe.destroy(frame)


def test_print_to_the_log() -> None:
    """print and print_n write to CZMQ's log, and no content is taken for a format."""
    output = children.check(
        """
        from pyczmq import C, zframe
        for content in ("Hello", b"", "%s%n%d%s%s%n", "a" * 71, b"\\0" * 36):
            frame = zframe.new(content)
            zframe.print(frame, "prefix ")
            zframe.print(frame)
            zframe.destroy(frame)
        frame = zframe.new("b" * 150)
        zframe.print_n(frame, b"n ", 145)
        zframe.print_n(frame, None, 3)
        zframe.print_n(frame, "p" * 500 + "%n", 10000)
        """
    )
    lines = [line.split(" ", 3)[-1] for line in output.splitlines()]
    assert lines[:4] == ["prefix [005] Hello", "[005] Hello", "prefix [000] ", "[000] "]
    assert lines[4:6] == ["prefix [012] %s%n%d%s%s%n", "[012] %s%n%d%s%s%n"]
    assert lines[7] == f"[070] {'a' * 70}..."
    assert lines[9] == f"[035] {'00' * 35}..."
    assert lines[10:13] == [f"n [150] {'b' * 70}", f"n [150] {'b' * 70}", "n [150] bbbbb"]
    assert lines[13] == "[150] bbb"
    assert lines[14] == "p" * 500 + "%n[150] " + "b" * 70
    assert len(lines) == 17


# ---------------------------------------------------------------- misuse


@pytest.mark.parametrize("bad", [None, 1, "frame", b"frame", object(), ffi.NULL, ffi.cast("zmsg_t *", 8)], ids=repr)
def test_bad_frames(pair: tuple[Any, Any], bad: Any) -> None:
    """What is no frame is refused by every function, by the argument's name."""
    good = zframe.new("good")
    calls = [
        zframe.size,
        zframe.data,
        zframe.dup,
        zframe.strhex,
        zframe.strdup,
        zframe.more,
        zframe.print,
        zframe.print_n,
        lambda frame: zframe.send(frame, pair[0]),
        lambda frame: zframe.send(frame, pair[0], zframe.REUSE),
        lambda frame: zframe.meta(frame, "Socket-Type"),
        lambda frame: zframe.streq(frame, "x"),
        lambda frame: zframe.set_more(frame, 1),
        lambda frame: zframe.reset(frame, b"x"),
        lambda frame: zframe.put_block(frame, b"x"),
        lambda frame: zframe.fprint(frame, None, io.StringIO()),
        lambda frame: zframe.print_to_stream(frame, None, io.StringIO()),
    ]
    if bad is not None:
        calls += [zframe.destroy, lambda frame: zframe.eq(frame, good)]
        with pytest.raises((TypeError, ValueError), match="other"):
            zframe.eq(good, bad)
    for call in calls:
        with pytest.raises((TypeError, ValueError), match="frame"):
            call(bad)  # type: ignore[no-untyped-call]
    zframe.destroy(good)


def test_null_frame() -> None:
    with pytest.raises(ValueError, match="frame is NULL"):
        zframe.size(ffi.cast("zframe_t *", 0))


@pytest.mark.parametrize("bad", [None, 1, object(), ["x"]], ids=repr)
def test_bad_data(bad: Any) -> None:
    """What is neither text nor a buffer is a TypeError."""
    frame = zframe.new("kept")
    for call in (zframe.new, lambda data: zframe.reset(frame, data), lambda data: zframe.put_block(frame, data)):
        with pytest.raises(TypeError, match="data must be str, bytes or a buffer"):
            call(bad)
    for call in (zframe.from_, lambda string: zframe.streq(frame, string)):
        with pytest.raises(TypeError, match="string must be str or bytes"):
            call(bad)
    with pytest.raises(TypeError, match="property must be str or bytes"):
        zframe.meta(frame, bad)
    assert zframe.strdup(frame) == "kept"
    zframe.destroy(frame)


def test_bad_arguments(pair: tuple[Any, Any]) -> None:
    """Numbers that C asserts on, NUL bytes in C's strings, and sockets that are none."""
    frame = zframe.new("x")
    for more in (2, -1, 2**40, None, "1"):
        with pytest.raises(ValueError, match="more must be 0 or 1"):
            zframe.set_more(frame, more)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="property must not contain a NUL"):
        zframe.meta(frame, "Socket\0Type")
    with pytest.raises(ValueError, match="prefix must not contain a NUL"):
        zframe.print(frame, "a\0b")
    with pytest.raises(ValueError, match="length must not be negative"):
        zframe.print_n(frame, None, -1)
    with pytest.raises(TypeError, match="flags must be an int"):
        zframe.send(frame, pair[0], "1")  # type: ignore[arg-type]
    for bad in (None, 1, "socket", frame, ffi.NULL):
        with pytest.raises((TypeError, ValueError), match="dest"):
            zframe.send(frame, bad)  # type: ignore[arg-type]
        for receive in (zframe.recv, zframe.recv_nowait):
            with pytest.raises((TypeError, ValueError), match="source"):
                receive(bad)  # type: ignore[arg-type]
    assert zframe.send(frame, pair[0], ~zframe.DONTWAIT) == 0
    zframe.destroy(frame)


def test_context_that_ends(pair: tuple[Any, Any]) -> None:
    """Sockets of a context that was shut down give None and -1, and leave the frame alone."""
    ctx = zctx.new()
    sock = zsocket.new(ctx, zmq.PAIR)
    C.zmq_ctx_shutdown(C.zctx_underlying(ctx))
    frame = zframe.new("x")
    assert zframe.recv(sock) is None and zframe.recv_nowait(sock) is None
    assert zframe.send(frame, sock) == -1 and zframe.send(frame, sock, zframe.REUSE) == -1
    zframe.destroy(frame)
    zctx.destroy(ctx)


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory")
def test_no_memory() -> None:
    """Where C would abort for want of memory, there is a MemoryError, and the frame is as it was."""
    output = children.check(
        """
        import mmap, resource
        from pyczmq import zframe, zmsg
        big = mmap.mmap(-1, 1 << 30)
        message, frame = zmsg.new(), zframe.new("small")
        size = int(open("/proc/self/statm").read().split()[0]) * mmap.PAGESIZE
        resource.setrlimit(resource.RLIMIT_AS, (size + (200 << 20), -1))
        for call in (zframe.new, lambda data: zframe.reset(frame, data), lambda data: zmsg.addmem(message, data),
                     lambda data: zmsg.pushmem(message, data)):
            try:
                call(big)
            except MemoryError:
                print("MemoryError", end=" ")
        large = zframe.new(bytes(90 << 20))
        zmsg.append(message, large)
        for call in (lambda: zframe.dup(large), lambda: zmsg.dup(message), lambda: zmsg.encode(message)):
            try:
                kept = [call() for _ in range(2)]
            except MemoryError:
                print("MemoryError", end=" ")
        print(zframe.strdup(frame), zmsg.size(message))
        """
    )
    assert output == 7 * "MemoryError " + "small 1\n"


# ---------------------------------------------------------------- draft


@pytest.mark.skipif(hasattr(C, "zframe_routing_id"), reason="this library has drafts")
def test_draft_functions_say_that_they_are_missing() -> None:
    """Without drafts, the functions that need them name the function and the library's version."""
    frame = zframe.new("x")
    for call, name in [
        (lambda: zframe.routing_id(frame), "zframe_routing_id"),
        (lambda: zframe.set_routing_id(frame, 1), "zframe_set_routing_id"),
        (lambda: zframe.group(frame), "zframe_group"),
        (lambda: zframe.set_group(frame, "x"), "zframe_set_group"),
        (lambda: zframe.frommem(b"x"), "zframe_frommem"),
    ]:
        with pytest.raises(AttributeError, match=rf"{name} is not in this library: libczmq \d"):
            call()
    zframe.destroy(frame)


@pytest.mark.skipif(not hasattr(C, "zframe_routing_id"), reason="only libraries with drafts have them")
def test_routing_ids_and_groups() -> None:
    """They are kept, and checked before C sees them."""
    frame = zframe.new("x")
    assert zframe.routing_id(frame) == 0
    zframe.set_routing_id(frame, 2**32 - 1)
    assert zframe.routing_id(frame) == 2**32 - 1
    for bad in (-1, 2**32):
        with pytest.raises(OverflowError):
            zframe.set_routing_id(frame, bad)
    assert zframe.group(frame) == ""
    assert zframe.set_group(frame, "group") == 0
    assert zframe.group(frame) == "group"
    assert zframe.set_group(frame, "g" * 1000) == -1
    assert zframe.group(frame) == "group"
    with pytest.raises(ValueError, match="group must not contain a NUL"):
        zframe.set_group(frame, "a\0b")
    zframe.destroy(frame)


@pytest.mark.skipif(not hasattr(C, "zframe_frommem"), reason="only libraries with drafts have it")
def test_frommem(pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The frame is Python's memory, and the destructor is called once when C is done with it."""
    output, input = pair
    called: list[object] = []
    memory = bytearray(b"Hello " * 20)
    frame = zframe.frommem(memory, called.append, "hint")
    memory[0:1] = b"J"
    assert zframe.streq(frame, bytes(memory))
    assert called == []
    zframe.destroy(frame)
    assert called == ["hint"]
    assert zframe.send(zframe.frommem(memory, called.append, "sent"), output) == 0
    assert drain(input, 1) == [bytes(memory)]
    zframe.destroy(zframe.frommem(b"no destructor"))
    empty = zframe.frommem(b"", called.append, "empty")
    assert zframe.size(empty) == 0
    zframe.destroy(empty)
    assert called[-1] == "empty"

    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)

    def fail(hint: object) -> None:
        raise KeyError(hint)

    zframe.destroy(zframe.frommem(b"x", fail, "lost"))
    assert repr(reported[0].exc_value) == "KeyError('lost')" and reported[0].object is fail
    with pytest.raises(TypeError, match="destructor must be callable"):
        zframe.frommem(b"x", 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="data must be a buffer"):
        zframe.frommem("text")  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(C, "zframe_frommem"), reason="only libraries with drafts have it")
def test_frommem_at_exit() -> None:
    """Memory that sockets still have when the program ends is given back before Python is gone."""
    done = children.run(
        """
        from pyczmq import C, zctx, zframe, zmq, zsocket
        ctx = zctx.new()
        push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
        zsocket.bind(push, "inproc://exit"); zsocket.connect(pull, "inproc://exit")
        zframe.send(zframe.frommem(bytes(1000), print, "released"), push)
        def fail(hint):
            raise KeyError(hint)
        zframe.send(zframe.frommem(bytes(1000), fail, "lost"), push)
        """
    )
    assert (done.status, done.output) == (0, "released\n")
    assert "KeyError: 'lost'" in done.errors


@pytest.mark.skipif(not hasattr(C, "zsock_new_server"), reason="only libraries with drafts have SERVER sockets")
def test_server_and_radio() -> None:
    """A frame knows which client, and which group, it came from."""
    ctx = zctx.new()
    server, client = zsocket.new(ctx, zmq.SERVER), zsocket.new(ctx, zmq.CLIENT)
    zsocket.bind(server, "inproc://zframe.server")
    zsocket.connect(client, "inproc://zframe.server")
    assert zframe.send(zframe.new("Hello"), client) == 0
    request = zframe.recv(server)
    reply = zframe.new("World")
    zframe.set_routing_id(reply, zframe.routing_id(request))
    assert zframe.send(reply, server, zframe.REUSE) == 0
    assert zframe.send(reply, server) == 0
    assert drain(client, 2) == [b"World"] * 2
    stranger = zframe.new("Who?")
    assert zframe.send(stranger, server) == -1
    zframe.destroy(stranger)
    zframe.destroy(request)
    radio, dish = zsocket.new(ctx, zmq.RADIO), zsocket.new(ctx, zmq.DISH)
    zsocket.bind(dish, "inproc://zframe.dish")
    assert C.zmq_join(dish, b"World") == 0
    zsocket.connect(radio, "inproc://zframe.dish")
    news = zframe.new("news")
    zframe.set_group(news, "World")
    zsocket.set_rcvtimeo(dish, 20)
    received = None
    while received is None:
        # The radio has to hear of the dish's group first.
        assert zframe.send(news, radio, zframe.REUSE) == 0
        received = zframe.recv(dish)
    zframe.destroy(news)
    assert zframe.group(received) == "World"
    zframe.destroy(received)
    zctx.destroy(ctx)


def test_selftest() -> None:
    """CZMQ's own self-test passes."""
    assert zframe.test() is None


def test_example_in_the_docstring(pair: tuple[Any, Any]) -> None:
    """The module's example runs."""
    exec(example(zframe.__doc__), {"zframe": zframe, "output": pair[0], "input": pair[1]})
    assert drain(pair[1], 1) == [b"Jello"]
