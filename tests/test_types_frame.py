"""Frame: content in and out, views, who owns the zframe, and what becomes of a frame that was sent."""

from __future__ import annotations

import array
import copy
import doctest
import errno
import pickle
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, _handles, ffi, zctx, zframe, zmq, zmsg, zsocket
from pyczmq.types import frame as module
from pyczmq.types.frame import Frame


def has(name: str) -> bool:
    return hasattr(C, name)


CONTENTS = [b"", b"a", b"nul \0 in it\0", b"\xff\xfe", b"x" * 33, b"x" * 34, bytes(range(256)) * 256, b"x" * (1 << 20)]


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    """Two PAIR sockets that are connected over TCP."""
    ctx = zctx.new()
    output, input = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.connect(input, f"tcp://127.0.0.1:{zsocket.bind(output, 'tcp://127.0.0.1:*')}")
    assert zframe.send(zframe.new("connected"), output) == 0
    zsocket.set_rcvtimeo(input, 5000)
    zframe.destroy(zframe.recv(input))
    yield output, input
    zctx.destroy(ctx)


def received(input: Any) -> Frame:
    """Wait for a frame, and receive it."""
    assert zsocket.poll(input, 5000)
    frame = Frame._recv_now(input)
    assert isinstance(frame, Frame)
    return frame


@pytest.fixture
def freed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The zframes that were freed, as often as they were."""
    # Those of other tests.
    collect()
    freed: list[Any] = []

    def count(free: Callable[[Any], None]) -> Callable[[Any], None]:
        def counting(handle: Any) -> None:
            freed.append(int(ffi.cast("uintptr_t", handle)))
            free(handle)

        return counting

    free = zframe._free
    monkeypatch.setattr(zframe, "_free", count(free))
    monkeypatch.setattr(module, "_free", count(free))
    return freed


# ---------------------------------------------------------------- content


def test_old_program() -> None:
    """What programs for the old pyczmq do with a frame."""
    frame = Frame("text")
    assert frame == "text" and str(frame) == "text" and len(frame) == 4
    assert frame.bytes() == b"text" and type(frame.bytes()) is bytes
    assert frame.strhex() == "74657874"
    assert zframe.streq(frame.frame, "text") and frame.frame is frame.handle
    copied = frame.dup()
    assert isinstance(copied, Frame) and copied == frame
    frame.reset("other")
    assert frame == "other" and copied == "text"
    assert frame.more() == 0
    frame.set_more(5)
    assert frame.more() == 1
    frame.set_more()
    assert frame.more() == 0
    assert (Frame.MORE, Frame.REUSE, Frame.DONTWAIT) == (1, 2, 4)
    assert Frame(frame=zframe.new("taken over")) == "taken over"
    assert Frame() == "" and Frame(data="x") == "x"


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_content_is_kept(pair: tuple[Any, Any], content: bytes) -> None:
    """Any bytes, on the wire and back, as bytes, text and views."""
    output, input = pair
    assert Frame(content)._send_now(output) == 0
    frame = received(input)
    assert frame.bytes() == bytes(frame) == content
    assert len(frame) == len(content)
    assert frame == content and frame.data == content
    assert Frame(str(frame)) == content
    assert bool(frame) is bool(content)


@pytest.mark.parametrize(
    "data",
    [
        "h\u00fc",
        "h\u00fc".encode(),
        bytearray("h\u00fc".encode()),
        memoryview("h\u00fc".encode()),
        array.array("B", "h\u00fc".encode()),
        Frame("h\u00fc"),
    ],
    ids=lambda data: type(data).__name__,
)
def test_what_a_frame_is_made_of(data: Any) -> None:
    frame = Frame(data)
    assert bytes(frame) == "h\u00fc".encode()
    other = Frame("before")
    other.reset(data)
    assert other == data == frame
    if isinstance(data, Frame):
        frame.data[:1] = b"H"
        assert data == "h\u00fc"


def test_text_that_is_no_utf8() -> None:
    """It comes out as surrogates, and those go in again as the bytes that they were."""
    text = str(Frame(b"\xff\0\xfe"))
    assert text == "\udcff\0\udcfe"
    assert bytes(Frame(text)) == b"\xff\0\xfe" and Frame(b"\xff\0\xfe") == text


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("abc", True),
        ("ab", False),
        ("", False),
        ("\ud800", False),
        (b"abc", True),
        (b"abd", False),
        (bytearray(b"abc"), True),
        (memoryview(b"abc"), True),
        (memoryview(b"a-b-c")[::2], True),
        (array.array("B", b"abc"), True),
        (Frame("abc"), True),
        (Frame("abcd"), False),
        (None, False),
        (0, False),
        (["abc"], False),
        (object(), False),
    ],
    ids=repr,
)
def test_equality(other: Any, same: bool) -> None:
    frame = Frame("abc")
    assert (frame == other) is same and (frame != other) is not same
    assert (other == frame) is same and (other != frame) is not same


def test_unhashable() -> None:
    """What can change has no hash."""
    with pytest.raises(TypeError, match="unhashable type: 'Frame'"):
        hash(Frame("x"))


def test_neither_indexed_nor_iterated() -> None:
    frame: Any = Frame("abc")
    with pytest.raises(TypeError):
        frame[0]
    with pytest.raises(TypeError):
        iter(frame)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "<Frame 0 bytes b''>"),
        (b"h", "<Frame 1 byte b'h'>"),
        (b"hello", "<Frame 5 bytes b'hello'>"),
        (b"\0\xff", r"<Frame 2 bytes b'\x00\xff'>"),
        (b"x" * 32, f"<Frame 32 bytes b'{'x' * 32}'>"),
        (b"x" * 33, f"<Frame 33 bytes b'{'x' * 32}'...>"),
    ],
    ids=len,
)
def test_repr(content: bytes, expected: str) -> None:
    frame = Frame(content)
    assert repr(frame) == expected
    frame.close()
    assert repr(frame) == "<Frame closed>"


def test_example_in_the_docstring() -> None:
    test = doctest.DocTestFinder().find(Frame, "Frame", globs={"Frame": Frame})[0]
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


# ---------------------------------------------------------------- views


def test_data_is_the_frame_itself() -> None:
    """Writing to the view changes the frame; it has bytes as its items."""
    frame = Frame("Hello")
    view = frame.data
    assert isinstance(view, memoryview) and not view.readonly
    assert view.nbytes == 5 and view[0:1] == b"H" and bytes(view) == b"Hello"
    view[:1] = b"J"
    assert frame == "Jello"
    assert Frame().data.nbytes == 0


@pytest.mark.parametrize("end", ["close", "send", "reuse", "collect"])
def test_view_outlives_its_frame(pair: tuple[Any, Any], end: str) -> None:
    """Its memory stays, whatever becomes of the frame."""
    output, input = pair
    content = bytes(range(256)) * 40
    frame = Frame(content)
    view = frame.data
    if end == "close":
        frame.close()
    elif end == "send":
        assert frame._send_now(output) == 0 and frame.closed
    elif end == "reuse":
        assert frame._send_now(output, Frame.REUSE) == 0 and frame == content
    del frame
    collect()
    others = [Frame(b"!" * len(content)) for _ in range(20)]
    assert view == content and others[0] != content
    if end in ("send", "reuse"):
        assert received(input) == content
    view[:1] = b"!"
    assert view[:1] == b"!"


def test_view_of_a_closed_frame_is_freed_with_it(freed: list[Any]) -> None:
    """The memory goes when the last view of it goes, and once."""
    frame = Frame(b"x" * 100)
    view = frame.data
    second = memoryview(view)[10:]
    frame.close()
    collect()
    assert freed == []
    del view
    collect()
    assert freed == [] and second.nbytes == 90
    del second
    collect()
    assert len(freed) == 1


def test_reset_with_a_view() -> None:
    frame = Frame("Hello")
    view = frame.data
    with pytest.raises(BufferError, match="view of its data"):
        frame.reset("other")
    assert frame == "Hello" and view == b"Hello"
    del view
    frame.reset(frame)
    frame.reset("x" * 1000)
    assert frame == "x" * 1000


@pytest.mark.skipif(
    sys.version_info < (3, 12) and sys.implementation.name == "cpython",
    reason="in CPython classes can have the buffer protocol from 3.12 on",
)
def test_buffer_protocol() -> None:
    """Whatever takes a buffer takes a frame, with no copy."""
    frame: Any = Frame("Hello")
    view = memoryview(frame)
    view[:1] = b"J"
    assert frame == "Jello" and bytearray(frame) == b"Jello" and b"".join([frame, frame]) == b"JelloJello"
    frame.close()
    assert view == b"Jello"
    with pytest.raises(ValueError, match="the frame is closed"):
        memoryview(frame)


def test_buffer_method_on_every_python() -> None:
    assert Frame("Hello").__buffer__(0) == b"Hello"


# ---------------------------------------------------------------- ownership


def test_frames_are_freed_once(freed: list[Any]) -> None:
    """By close, by the with statement, or by the garbage collector, whichever comes first."""
    frame = Frame("closed")
    frame.close()
    frame.close()
    assert len(freed) == 1 and frame.closed
    with Frame("with") as frame:
        assert frame == "with" and not frame.closed
    assert len(freed) == 2 and frame.closed
    frame = Frame("collected")
    del frame
    collect()
    assert len(freed) == 3
    cycle: list[Any] = [Frame("in a cycle")]
    cycle.append(cycle)
    del cycle
    collect()
    assert len(freed) == 4


def test_sent_frames_are_not_freed(pair: tuple[Any, Any], freed: list[Any]) -> None:
    """C has done that."""
    frame = Frame("sent")
    assert frame._send_now(pair[0]) == 0
    frame.close()
    del frame
    collect()
    assert freed == []


def test_handle_that_is_taken_over() -> None:
    """It is the frame's from then on, and goes with it."""
    handle = zframe.new("Hello")
    frame = Frame(frame=handle)
    assert frame.handle is handle and frame == "Hello"
    frame.close()
    with pytest.raises(ValueError, match="frame was destroyed"):
        zframe.size(handle)
    handle = Frame("collected").handle
    collect()
    with pytest.raises(ValueError, match="frame was destroyed"):
        zframe.size(handle)


def test_two_frames_for_one_handle(freed: list[Any]) -> None:
    """The first one to close frees it, and the other one is closed with it."""
    handle = zframe.new("Hello")
    first, second = Frame(frame=handle), Frame(frame=handle)
    first.close()
    assert second.closed and repr(second) == "<Frame closed>"
    with pytest.raises(ValueError, match="frame was destroyed"):
        second.bytes()
    second.close()
    del first, second
    collect()
    assert len(freed) == 1


def test_handle_that_goes_to_a_message(pair: tuple[Any, Any], freed: list[Any]) -> None:
    """What a zmsg has taken over can be used for as long as that lives, and is the zmsg's to free."""
    frame = Frame("Hello")
    message = zmsg.new()
    zmsg.append(message, frame.handle)
    assert frame == "Hello"
    with pytest.raises(ValueError, match="in a message"):
        frame._send_now(pair[0])
    frame.close()
    collect()
    assert freed == [] and zmsg.popstr(message) == "Hello"
    zmsg.destroy(message)
    frame = Frame("Hello")
    message = zmsg.new()
    zmsg.append(message, frame.handle)
    zmsg.destroy(message)
    with pytest.raises(ValueError, match="in a message that was destroyed"):
        frame.bytes()
    assert frame.closed


@pytest.mark.parametrize("end", ["zframe.destroy(frame.handle)", "zframe.send(frame.handle, output)"])
def test_handle_that_ends_elsewhere(pair: tuple[Any, Any], end: str) -> None:
    """A frame whose handle is gone is closed."""
    frame = Frame("Hello")
    exec(end, {"zframe": zframe, "frame": frame, "output": pair[0]})
    assert frame.closed
    for name, use in USES.items():
        if name.startswith(("routing_id", "group")) and not has("zframe_group"):
            continue
        with pytest.raises(ValueError, match=r"frame (was|is)"):
            use(frame) if name != "_send_now" else frame._send_now(pair[0])
    frame.close()


@pytest.mark.parametrize(
    ("bad", "error", "text"),
    [
        (ffi.NULL, TypeError, "frame must be a struct _zframe_t"),
        (ffi.cast("zframe_t *", 0), ValueError, "frame is NULL"),
        ("zframe", TypeError, "frame must be a struct _zframe_t"),
        (0, TypeError, "frame must be a struct _zframe_t"),
        (Frame("x"), TypeError, "frame must be a struct _zframe_t"),
        (ffi.new("char[]", b"zframe"), TypeError, "frame must be a struct _zframe_t"),
    ],
    ids=repr,
)
def test_handles_that_are_none(bad: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Frame(frame=bad)
    collect()


def test_handles_that_cannot_be_taken_over(pair: tuple[Any, Any]) -> None:
    """One that is in a message, destroyed or sent."""
    message = zmsg.new()
    zmsg.addstr(message, "x")
    with pytest.raises(ValueError, match="frame is in a message, which owns it"):
        Frame(frame=zmsg.first(message))
    zmsg.destroy(message)
    handle = zframe.new("x")
    zframe.destroy(handle)
    with pytest.raises(ValueError, match="frame was destroyed"):
        Frame(frame=handle)
    handle = zframe.new("x")
    zframe.send(handle, pair[0])
    with pytest.raises(ValueError, match="frame was sent"):
        Frame(frame=handle)
    handle = zframe.new("x")
    with pytest.raises(TypeError, match="data and frame must not both be given"):
        Frame("data", frame=handle)
    zframe.destroy(handle)


@pytest.mark.parametrize("known", [False, True])
def test_interrupt_in_the_middle_of_sending(
    pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch, freed: list[Any], known: bool
) -> None:
    """Ctrl-C right after C has taken the frame over: it is gone, and not freed a second time."""
    takewhile, settle = module.takewhile, module._settle_plain

    def interrupted(*args: Any) -> Iterator[int]:
        yield from takewhile(*args)
        raise KeyboardInterrupt

    def interrupting(*args: Any) -> None:
        monkeypatch.setattr(module, "_settle_plain", settle)
        raise KeyboardInterrupt

    frame = Frame("sent")
    handle = frame.handle if known else None
    monkeypatch.setattr(module, "takewhile", interrupted)
    monkeypatch.setattr(module, "_settle_plain", interrupting)
    with pytest.raises(KeyboardInterrupt):
        frame._send_now(pair[0])
    with pytest.raises(ValueError, match="the frame was sent"):
        frame.bytes()
    if known:
        with pytest.raises(ValueError, match="frame was sent"):
            zframe.size(handle)
    del frame
    collect()
    assert freed == [] and received(pair[1]) == "sent"


def test_interrupt_in_the_middle_of_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a frame is freed does not have it freed again."""
    collect()
    calls = []

    def interrupted(handle: Any) -> None:
        calls.append(handle)
        zframe._free(handle)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_free", interrupted)
    frame = Frame("x")
    with pytest.raises(KeyboardInterrupt):
        frame.close()
    frame.close()
    del frame
    collect()
    assert len(calls) == 1


def test_frame_that_was_never_made() -> None:
    """An object whose __init__ has failed, or was not called, is collected in silence."""
    children.check(
        """
        import gc
        from pyczmq.types.frame import Frame
        Frame.__new__(Frame)
        try:
            Frame(5)
        except TypeError:
            pass
        for _ in range(4):
            gc.collect()
        """
    )


@pytest.mark.parametrize(
    "places",
    [
        """
        import atexit, builtins, sys, pyczmq
        frame = Frame("x"); view = frame.data
        builtins.kept = [Frame("x"), Frame(frame=zframe.new("y"))]
        Frame.kept = Frame("x"); Frame.kept.handle
        cycle = [Frame("x")]; cycle.append(cycle); other = cycle[0].data
        sys.kept = Frame("x"), Frame("y").data
        pyczmq.kept = Frame("x"); zframe.kept = Frame("y"); zframe.kept.data
        atexit.register(lambda frame: print(end=str(frame)), Frame(""))
        """,
        """
        import threading
        def use(frame):
            while frame.bytes() == b"x":
                pass
        threading.Thread(target=use, args=[Frame("x")], daemon=True).start()
        """,
        """
        class Late:
            def __del__(self):
                Frame("made at exit").data
        late = Late(); late.self = late
        """,
    ],
    ids=["everywhere", "thread", "late"],
)
def test_exit_with_frames_left(places: str) -> None:
    """Nothing is printed, nothing crashes, whatever has frames when the interpreter exits."""
    head = "from pyczmq import zframe\nfrom pyczmq.types.frame import Frame\n"
    assert children.check(head + textwrap.dedent(places)) == ""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_fork() -> None:
    """Frames are plain memory: both processes go on with theirs."""
    output = children.check(
        """
        import gc, os
        from pyczmq.types.frame import Frame
        frames = [Frame(f"frame {number}") for number in range(10)]
        view = frames[0].data
        child = os.fork()
        assert frames[0] == "frame 0" and view == b"frame 0"
        frames[1].close()
        frames[2].reset("other")
        assert Frame(frames[2]) == "other"
        del frames, view
        for _ in range(4):
            gc.collect()
        if child:
            assert os.waitpid(child, 0)[1] == 0
            print("both")
        """
    )
    assert output == "both\n"


def test_frames_do_not_pile_up() -> None:
    """A program that drops what it receives needs no close, on PyPy either: its collector knows of C's memory."""
    pytest.importorskip("resource")
    output = children.check(
        """
        import resource
        from pyczmq import zctx, zmq, zsocket
        from pyczmq.types.frame import Frame
        ctx = zctx.new()
        push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
        zsocket.bind(push, "inproc://pile"); zsocket.connect(pull, "inproc://pile")
        content = bytes(1 << 20)
        for _ in range(1500):
            assert Frame(content)._send_now(push) == 0
            assert len(Frame._recv_now(pull)) == len(content)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        """
    )
    # The unit is KiB, or bytes on macOS.
    assert int(output) < (1 << 20) * (1024 if sys.platform == "darwin" else 1)


# ---------------------------------------------------------------- copies


@pytest.mark.parametrize(
    "copied",
    [
        Frame.dup,
        copy.copy,
        copy.deepcopy,
        *(lambda f, p=p: pickle.loads(pickle.dumps(f, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)),
    ],
)
@pytest.mark.parametrize("more", [0, 1])
def test_copies(copied: Callable[[Frame], Frame], more: int) -> None:
    """A copy has the content and the flag, and is independent."""
    frame = Frame(b"nul \0 \xff")
    frame.set_more(more)
    other = copied(frame)
    assert type(other) is Frame and other == frame and other.more() == more
    other.data[:1] = b"N"
    assert frame == b"nul \0 \xff"
    frame.close()
    assert other == b"Nul \0 \xff"


def test_copies_of_a_subclass() -> None:
    class Special(Frame):
        __slots__ = ()

    assert type(Special("x").dup()) is type(copy.copy(Special("x"))) is Special


# ---------------------------------------------------------------- metadata


def test_metadata(pair: tuple[Any, Any]) -> None:
    """What ZMTP says of the connection; a frame that no network has seen has none."""
    output, input = pair
    assert Frame("x")._send_now(output) == 0
    frame = received(input)
    assert frame.meta("Socket-Type") == frame.meta(b"Socket-Type") == frame.socket_type == "PAIR"
    assert frame.meta("Peer-Address") == frame.peer_address == "127.0.0.1"
    assert frame.meta("nonexistent") is None and frame.user_id is None
    assert frame.metadata["Socket-Type"] == "PAIR" and "User-Id" not in frame.metadata
    own = Frame("x")
    assert own.metadata == {} and own.peer_address is own.socket_type is own.identity is None


def test_identity() -> None:
    ctx = zctx.new()
    router, dealer = zsocket.new(ctx, zmq.ROUTER), zsocket.new(ctx, zmq.DEALER)
    zsocket.set_identity(dealer, "somebody")
    zsocket.connect(dealer, f"tcp://127.0.0.1:{zsocket.bind(router, 'tcp://127.0.0.1:*')}")
    assert Frame("x")._send_now(dealer) == 0
    assert received(router) == "somebody"
    frame = received(router)
    assert frame.identity == frame.metadata["Routing-Id"] == "somebody"
    zctx.destroy(ctx)


@pytest.mark.skipif(has("zframe_routing_id"), reason="this libczmq has the drafts")
def test_draft_properties_say_that_they_are_missing() -> None:
    frame = Frame("x")
    for call, name in [
        (lambda: frame.routing_id, "zframe_routing_id"),
        (lambda: setattr(frame, "routing_id", 1), "zframe_set_routing_id"),
        (lambda: frame.group, "zframe_group"),
        (lambda: setattr(frame, "group", "x"), "zframe_set_group"),
    ]:
        with pytest.raises(AttributeError, match=rf"{name} is not in this library: libczmq \d"):
            call()
    assert not hasattr(frame, "routing_id")


@pytest.mark.skipif(not has("zframe_routing_id"), reason="only libraries with drafts have them")
def test_routing_ids_and_groups() -> None:
    frame = Frame("x")
    assert frame.routing_id == 0 and frame.group == ""
    frame.routing_id, frame.group = 2**32 - 1, "group"
    assert frame.routing_id == 2**32 - 1 and frame.group == "group"
    with pytest.raises(ValueError, match="group is too long"):
        frame.group = "g" * 1000
    assert frame.group == "group"


@pytest.mark.parametrize("bad", [-1, 2**32, None, "1", 1.5])
def test_bad_routing_ids(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="routing_id must be"):
        Frame("x").routing_id = bad


@pytest.mark.skipif(not has("zsock_new_server"), reason="only libraries with drafts have SERVER sockets")
def test_server() -> None:
    """A frame knows which client it came from, and the reply is given that."""
    ctx = zctx.new()
    server, client = zsocket.new(ctx, zmq.SERVER), zsocket.new(ctx, zmq.CLIENT)
    zsocket.bind(server, "inproc://types.frame")
    zsocket.connect(client, "inproc://types.frame")
    assert Frame("Hello")._send_now(client) == 0
    request, reply = received(server), Frame("World")
    assert reply._send_now(server) is None and reply == "World"
    reply.routing_id = request.routing_id
    assert reply._send_now(server) == 0 and received(client) == "World"
    zctx.destroy(ctx)


# ---------------------------------------------------------------- for sockets


def test_nothing_to_receive(pair: tuple[Any, Any]) -> None:
    """None at once, with libzmq's errno."""
    assert Frame._recv_now(pair[1]) is None
    assert zmq.errno() == errno.EAGAIN


def test_no_room_to_send() -> None:
    """None at once, with libzmq's errno; the frame stays as it is."""
    ctx = zctx.new()
    push = zsocket.new(ctx, zmq.PUSH)
    frame = Frame("x")
    for view in (None, frame.data):
        assert frame._send_now(push) is None
        assert zmq.errno() == errno.EAGAIN
        assert frame == "x" and not frame.closed
        del view
    with pytest.raises(ValueError, match=r"socket is NULL|dest is NULL"):
        frame._send_now(ffi.cast("zsock_t *", 0))
    assert frame == "x"
    zctx.destroy(ctx)


def test_flags(pair: tuple[Any, Any]) -> None:
    """MORE joins frames to one message, REUSE keeps the frame."""
    output, input = pair
    assert Frame("first")._send_now(output, Frame.MORE) == 0
    last = Frame("last")
    assert last._send_now(output, Frame.REUSE) == 0 and last == "last"
    assert last._send_now(output) == 0 and last.closed
    first = received(input)
    assert first == "first" and first.more() == 1
    second = received(input)
    assert second == "last" and second.more() == 0
    assert received(input) == "last"


def test_subclass_is_received(pair: tuple[Any, Any]) -> None:
    class Special(Frame):
        __slots__ = ()

    assert Special("x")._send_now(pair[0]) == 0
    assert zsocket.poll(pair[1], 5000)
    assert type(Special._recv_now(pair[1])) is Special


@pytest.mark.parametrize("bad", [None, 0, "socket", object(), Frame("x")], ids=repr)
def test_bad_sockets(bad: Any) -> None:
    frame = Frame("x")
    with pytest.raises(TypeError, match="must be a zsocket, zsock or zactor handle"):
        frame._send_now(bad)
    with pytest.raises(TypeError, match="must be a zsocket, zsock or zactor handle"):
        Frame._recv_now(bad)
    assert frame == "x"


# ---------------------------------------------------------------- misuse

#: Everything that can be done with a frame.
USES: dict[str, Callable[[Frame], Any]] = {
    "handle": lambda frame: zframe.size(frame.handle),
    "frame": lambda frame: zframe.size(frame.frame),
    "with": lambda frame: zframe.size(frame.__enter__().handle),
    "bytes()": lambda frame: frame.bytes(),
    "__bytes__": bytes,
    "str": str,
    "len": len,
    "bool": bool,
    "data": lambda frame: frame.data,
    "__buffer__": lambda frame: frame.__buffer__(0),
    "strhex": lambda frame: frame.strhex(),
    "reset": lambda frame: frame.reset("x"),
    "reset to it": lambda frame: Frame("x").reset(frame),
    "== str": lambda frame: frame == "x",
    "== bytes": lambda frame: frame == b"x",
    "== Frame": lambda frame: frame == Frame("x"),
    "Frame ==": lambda frame: Frame("x") == frame,
    "!=": lambda frame: frame != "x",
    "dup": lambda frame: frame.dup(),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "Frame(frame)": Frame,
    "more": lambda frame: frame.more(),
    "set_more": lambda frame: frame.set_more(1),
    "meta": lambda frame: frame.meta("x"),
    "metadata": lambda frame: frame.metadata,
    "socket_type": lambda frame: frame.socket_type,
    "identity": lambda frame: frame.identity,
    "user_id": lambda frame: frame.user_id,
    "peer_address": lambda frame: frame.peer_address,
    "routing_id": lambda frame: frame.routing_id,
    "routing_id =": lambda frame: setattr(frame, "routing_id", 1),
    "group": lambda frame: frame.group,
    "group =": lambda frame: setattr(frame, "group", "x"),
    "_send_now": lambda frame: frame._send_now(None),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_use_after_close(use: Callable[[Frame], Any]) -> None:
    frame = Frame("x")
    frame.close()
    with pytest.raises(ValueError, match="the frame is closed"):
        use(frame)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_use_after_sending(pair: tuple[Any, Any], use: Callable[[Frame], Any]) -> None:
    frame = Frame("x")
    assert frame._send_now(pair[0]) == 0
    assert frame.closed and repr(frame) == "<Frame sent>"
    with pytest.raises(ValueError, match="the frame was sent"):
        use(frame)
    frame.close()


@pytest.mark.parametrize("use", [*USES.values(), Frame.close], ids=[*USES, "close"])
def test_use_from_two_threads(use: Callable[[Frame], Any]) -> None:
    """A frame that another thread is using is refused, and nothing happens to it."""
    frame = Frame("x")
    inside, done = threading.Event(), threading.Event()

    def occupy() -> None:
        with frame._lock:
            inside.set()
            done.wait(30)

    thread = threading.Thread(target=occupy)
    thread.start()
    assert inside.wait(30)
    try:
        if use not in (USES["handle"], USES["frame"], USES["with"]):
            with pytest.raises(RuntimeError, match="the frame is in use in another thread"):
                use(frame)
        assert repr(frame) == "<Frame in use in another thread>"
    finally:
        done.set()
        thread.join()
    assert frame == "x"


def test_threads_that_quarrel() -> None:
    """Threads that use, reset, send and close the same frames get errors, and the interpreter goes on."""
    output = children.check(
        """
        import threading
        from pyczmq import zctx, zmq, zsocket
        from pyczmq.types.frame import Frame
        ctx = zctx.new()
        push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
        zsocket.bind(push, "inproc://quarrel"); zsocket.connect(pull, "inproc://quarrel")
        frames = [Frame(bytes(100)) for _ in range(500)]
        start = threading.Barrier(4)
        def quarrel(use):
            start.wait()
            for frame in frames:
                for _ in range(5):
                    try:
                        use(frame)
                    except (RuntimeError, ValueError, BufferError):
                        pass
        uses = [Frame.bytes, lambda f: f.data[:5], lambda f: f.reset(b"x" * 200), lambda f: f._send_now(push)]
        threads = [threading.Thread(target=quarrel, args=[use]) for use in uses]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        count = 0
        while (frame := Frame._recv_now(pull)) is not None:
            assert len(frame) in (100, 200)
            count += 1
        assert count + sum(not frame.closed for frame in frames) == 500
        print("done")
        """
    )
    assert output == "done\n"


@pytest.mark.parametrize("bad", [None, 0, 1.5, object(), ["x"], zframe, _handles], ids=lambda bad: type(bad).__name__)
def test_bad_data(bad: Any) -> None:
    with pytest.raises(TypeError, match="data must be str, bytes or a buffer"):
        Frame(bad)
    frame = Frame("before")
    with pytest.raises(TypeError, match="data must be str, bytes or a buffer"):
        frame.reset(bad)
    assert frame == "before"


def test_data_that_is_not_contiguous() -> None:
    with pytest.raises(ValueError, match="contiguous"):
        Frame(memoryview(b"abcd")[::2])


def test_text_that_no_bytes_come_in_as() -> None:
    with pytest.raises(UnicodeEncodeError):
        Frame("\ud800")


@pytest.mark.parametrize("bad", [None, 0, b"a\0b", "a\0b", object()], ids=repr)
def test_bad_names_of_metadata(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="property must"):
        Frame("x").meta(bad)


def test_attributes_that_do_not_exist() -> None:
    """A misspelt attribute is an error, as everywhere."""
    frame: Any = Frame("x")
    with pytest.raises(AttributeError):
        frame.routing = 1
    with pytest.raises(AttributeError):
        frame.data = b"x"


def test_del_called_by_hand() -> None:
    """Whatever `__del__` is called with, and how often, the memory is freed once."""
    frame = Frame(b"data")
    frame.__del__(frame.close)
    frame.__del__()
    assert frame.closed
