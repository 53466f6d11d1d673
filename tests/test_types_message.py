"""Message: a list of frames, what CZMQ adds to one, and sending and receiving it whole."""

from __future__ import annotations

import copy
import doctest
import errno
import io
import pickle
import threading
from collections.abc import Callable, Iterator, MutableSequence
from pathlib import Path
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, _handles, ffi, zctx, zframe, zmq, zmsg, zpoller, zsock, zsocket, zstr
from pyczmq.types import frame as frames_module
from pyczmq.types import message as module
from pyczmq.types.frame import Frame
from pyczmq.types.message import Message

CONTENTS: list[list[bytes]] = [
    [b""],
    [b"one"],
    [b"nul \0 in it", b"", b"\xff\xfe"],
    [b"x" * 33, b"x" * 34, b"x" * (1 << 20), b""],
    [bytes([number]) * number for number in range(100)],
]


def has(name: str) -> bool:
    return hasattr(C, name)


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    """Two PAIR sockets that are connected."""
    ctx = zctx.new()
    output, input = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(output, "inproc://types.message")
    zsocket.connect(input, "inproc://types.message")
    yield output, input
    zctx.destroy(ctx)


def received(input: Any) -> Message:
    """Wait for a message, and receive it."""
    assert zsocket.poll(input, 5000)
    message = Message._recv_now(input)
    assert isinstance(message, Message)
    return message


# ---------------------------------------------------------------- a mutable sequence


def test_old_program(tmp_path: Path) -> None:
    """What programs for the old pyczmq do with a message."""
    message = Message()
    assert message.append("two") == 0 and message.push("one") == 0
    assert message.append(Frame("three")) == 0 and message.push(zframe.new("zero")) == 0
    assert len(message) == 4 and message.content_size() == 15
    assert message.first() == "zero" and message.next() == "one" and message.last() == "three"
    message.save(str(tmp_path / "message"))
    assert message.pop() == "zero" and message.popstr() == "one"
    copied = message.dup()
    message.load(str(tmp_path / "message"))
    assert message == ["zero", "one", "two", "three"] and copied == ["two", "three"]
    assert [str(frame) for frame in message] == ["zero", "one", "two", "three"]
    assert Message(msg=zmsg.new()) == [] and Message(zmsg.new()) == []


def test_example_in_the_docstring() -> None:
    test = doctest.DocTestFinder().find(Message, "Message", globs={"Message": Message})[0]
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize(
    "parts",
    [
        ["h\u00fc", b"h\xc3\xbc", bytearray(b"h\xc3\xbc"), memoryview(b"h\xc3\xbc"), Frame("h\u00fc")],
        ("h\u00fc",) * 5,
        (part for part in ["h\u00fc"] * 5),
        {"h\u00fc": None}.keys(),
        Message(["h\u00fc"] * 5),
        map(Frame, ["h\u00fc"] * 5),
    ],
    ids=lambda parts: type(parts).__name__,
)
def test_what_a_message_is_made_of(parts: Any) -> None:
    message = Message(parts)
    assert len(message) in (1, 5)
    assert all(type(frame) is Frame and frame == "h\u00fc" for frame in message)


def test_frames_are_put_in_as_they_are() -> None:
    """A frame is in the list itself, and not a copy of it."""
    frame = Frame("x")
    message = Message([frame])
    message.append(frame)
    message.insert(0, frame)
    message.push(frame)
    message[1:2] = [frame]
    message[0] = frame
    assert len(message) == 4 and all(item is frame for item in message)
    message[0], message[3] = message[3], message[0]
    frame.reset("y")
    assert message == ["y"] * 4


def test_like_a_list() -> None:
    """Everything that a list does is done like a list does it, but for pop()."""
    message, model = Message("abcdefgh"[i] for i in range(8)), list("abcdefgh")
    assert isinstance(message, MutableSequence)

    def agree() -> bool:
        return message == model and [str(frame) for frame in message] == model and len(message) == len(model)

    assert agree()
    for index in (0, 3, -1, -8, True):
        assert message[index] == model[index]
    for part in (slice(2, 5), slice(None), slice(None, None, -2), slice(10, 20)):
        assert type(message[part]) is Message and message[part] == model[part]
    assert message[2:4][0] is message[2]
    message[2] = model[2] = "C"
    message[-1] = model[-1] = "H"
    message[1:3] = model[1:3] = ["x", "y", "z"]
    assert agree()
    message[::2] = model[::2] = list("12345")
    assert agree()
    del message[0], model[0]
    del message[-2:], model[-2:]
    assert agree()
    for index in (0, 2, -1, 100, -100):
        message.insert(index, f"i{index}")
        model.insert(index, f"i{index}")
    message.extend(["e", "f"])
    model.extend(["e", "f"])
    message += ["g"]
    model += ["g"]
    assert agree()
    message.remove("e")
    model.remove("e")
    message.reverse()
    model.reverse()
    assert agree()
    assert message.pop(-1) == model.pop(-1) and message.pop(2) == model.pop(2) and message.pop(0) == model.pop(0)
    assert message.index("f") == model.index("f") and message.count("f") == model.count("f") == 1
    assert "f" in message and b"f" in message and "g" not in message
    assert [str(frame) for frame in reversed(message)] == model[::-1]
    assert agree() and bool(message)
    message.clear()
    model.clear()
    assert agree() and not message


def test_pop_takes_the_first() -> None:
    """As ``zmsg_pop`` does: from the front, where a list's takes from the end."""
    message = Message(["first", "second", "third"])
    assert message.pop() == "first"
    assert message.popstr() == "second"
    assert message.pop() == "third"
    with pytest.raises(IndexError):
        message.pop()
    assert message.popstr() is None
    message.append(b"\xff")
    assert message.popstr() == "\udcff"


@pytest.mark.parametrize(
    "use",
    [
        lambda message: message[2],
        lambda message: message[-3],
        lambda message: message.__setitem__(2, "x"),
        lambda message: message.__delitem__(2),
        lambda message: message.pop(2),
        lambda message: message[2**100],
    ],
)
def test_indices_that_are_out_of_range(use: Callable[[Message], Any]) -> None:
    message = Message("ab"[i] for i in range(2))
    with pytest.raises(IndexError):
        use(message)
    assert message == ["a", "b"]


def test_values_that_are_not_there() -> None:
    message = Message(["a"])
    with pytest.raises(ValueError):
        message.remove("b")
    with pytest.raises(ValueError):
        message.index("b")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Message(["a", "bb"]), True),
        (["a", "bb"], True),
        (("a", b"bb"), True),
        ([bytearray(b"a"), Frame("bb")], True),
        ([b"a"], False),
        ([b"a", b"bb", b""], False),
        ([b"bb", b"a"], False),
        (["a", 5], False),
        (["a", None], False),
        ([], False),
        (Message(), False),
        ("abb", False),
        (None, False),
        ({"a", "bb"}, False),
    ],
    ids=repr,
)
def test_equality(other: Any, same: bool) -> None:
    message = Message(["a", "bb"])
    assert (message == other) is same and (message != other) is not same
    assert (other == message) is same and (other != message) is not same
    assert message == message and Message() == [] == Message()


def test_unhashable() -> None:
    with pytest.raises(TypeError, match="unhashable type: 'Message'"):
        hash(Message())


def test_content() -> None:
    message = Message(["a", b"", "\u00fc"])
    assert message.parts == [b"a", b"", b"\xc3\xbc"]
    assert message.content_size() == 3
    message[0].reset("longer")
    assert message.content_size() == 8
    assert (Message().parts, Message().content_size()) == ([], 0)


def test_repr() -> None:
    assert repr(Message()) == "<Message of 0 frames>"
    assert repr(Message(["a"])) == "<Message of 1 frame: b'a'>"
    assert repr(Message(["a", "bb"])) == "<Message of 2 frames: b'a', b'bb'>"
    assert repr(Message(["x" * 100])) == f"<Message of 1 frame: b'{'x' * 32}'...>"
    assert repr(Message([""] * 9)) == f"<Message of 9 frames: {', '.join(['b' + repr('')] * 8)}, ...>"
    closed = Frame("x")
    closed.close()
    assert repr(Message([closed, "y"])) == "<Message of 2 frames: closed, b'y'>"
    with Message(["x"]) as message:
        pass
    assert repr(message) == "<Message closed>"


@pytest.mark.parametrize(
    "copied",
    [
        Message.copy,
        Message.dup,
        copy.copy,
        copy.deepcopy,
        *(lambda m, p=p: pickle.loads(pickle.dumps(m, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)),
    ],
)
def test_copies(copied: Callable[[Message], Message]) -> None:
    """The frames of a copy are copies."""
    message = Message(["a", b"\0\xff", ""])
    message[0].set_more(1)
    other = copied(message)
    assert type(other) is Message and other == message and other[0].more() == 1
    other[0].reset("b")
    other.append("c")
    assert message == ["a", b"\0\xff", ""]
    message.close()
    assert other == ["b", b"\0\xff", "", "c"]


# ---------------------------------------------------------------- the place that CZMQ's messages remember


def test_cursor_is_that_of_c() -> None:
    """`first`, `next` and `last` go through a message as C's functions do, and changes set them back."""
    handle = zmsg.new()
    for part in ("a", "b", "c"):
        zmsg.addstr(handle, part)
    message = Message(["a", "b", "c"])

    def text(frame: Any) -> str | None:
        return frame if frame is None else zframe.strdup(frame)

    for step in ["next"] * 6 + ["first", "next", "next", "next", "next", "last", "next", "next", "first", "first"]:
        frame = getattr(message, step)()
        assert (None if frame is None else str(frame)) == text(getattr(zmsg, step)(handle)), step
    for change, of_c in [
        (lambda: message.append("d"), lambda: zmsg.addstr(handle, "d")),
        (lambda: message.push("z"), lambda: zmsg.pushstr(handle, "z")),
        (message.popstr, lambda: zmsg.popstr(handle)),
        (message.pop, lambda: zframe.destroy(zmsg.pop(handle))),
    ]:
        assert str(message.first()) == text(zmsg.first(handle))
        assert str(message.next()) == text(zmsg.next(handle))
        change()
        of_c()
        assert str(message.next()) == text(zmsg.next(handle))
    zmsg.destroy(handle)


def test_cursor_of_an_empty_message() -> None:
    message = Message()
    assert message.first() is message.next() is message.last() is None
    message.append("x")
    assert message.next() == "x" and message.next() is None and message.next() == "x"
    message.clear()
    assert message.next() is None


# ---------------------------------------------------------------- files and buffers


@pytest.mark.parametrize("parts", [[], *CONTENTS], ids=len)
def test_files(tmp_path: Path, parts: list[bytes]) -> None:
    """They are those of zmsg: paths of all kinds, and Python files."""
    path = tmp_path / "message"
    message = Message(parts)
    message.save(path)
    handle = zmsg.load(path)
    assert Message(msg=handle) == parts
    for name in (path, str(path), str(path).encode()):
        other = Message(["before"])
        other.load(name)
        assert other == parts == Message.read(name).parts
    file = io.BytesIO()
    message.save(file)
    assert file.getvalue() == path.read_bytes()
    file.seek(0)
    assert Message.read(file) == parts


def test_files_that_are_none(tmp_path: Path) -> None:
    """The message stays as it is."""
    message = Message(["before"])
    whole = io.BytesIO()
    Message(["one", "two"]).save(whole)
    with pytest.raises(ValueError, match="there is no whole message in"):
        message.load(io.BytesIO(whole.getvalue()[:-1]))
    with pytest.raises(FileNotFoundError):
        message.load(tmp_path / "nothing")
    for bad in (None, object(), 5.5):
        with pytest.raises(TypeError, match="file must be a Python file or a path"):
            message.load(bad)
        with pytest.raises(TypeError, match="file must be a Python file or a path"):
            message.save(bad)
        with pytest.raises(TypeError, match="file must be a Python file or a path"):
            Message.read(bad)
    with pytest.raises(TypeError, match="bytes"):
        message.load(io.StringIO("text"))
    with pytest.raises(ValueError):
        message.load("nul \0")
    assert message == ["before"]


@pytest.mark.parametrize("parts", [[], *CONTENTS], ids=len)
def test_encoding(parts: list[bytes]) -> None:
    """It is that of zmsg."""
    message = Message(parts)
    encoded = message.encode()
    assert type(encoded) is bytes and message == parts
    assert Message(msg=zmsg.decode(encoded)) == parts
    for buffer in (encoded, bytearray(encoded), memoryview(encoded), Frame(encoded)):
        assert Message.decode(buffer) == parts


@pytest.mark.parametrize("bad", [None, "text", 5, [b"x"], object()], ids=repr)
def test_bad_buffers(bad: Any) -> None:
    with pytest.raises(TypeError, match="must be"):
        Message.decode(bad)


@pytest.mark.parametrize("bad", [b"\5four", b"\xff\0\0", b"\xff\xff\xff\xff\xff"], ids=repr)
def test_what_is_no_encoded_message(bad: bytes) -> None:
    for buffer in (bad, Frame(bad)):
        with pytest.raises(ValueError, match="buffer is no encoded message"):
            Message.decode(buffer)


# ---------------------------------------------------------------- handles


@pytest.mark.parametrize("take_over", [Message, lambda handle: Message(msg=handle)])
def test_handle_that_is_taken_over(take_over: Callable[[Any], Message]) -> None:
    """The zmsg is gone, and what Python knew of its frames is the message's."""
    handle = zmsg.new()
    zmsg.addstr(handle, "a")
    zmsg.addstr(handle, "b")
    lent = zmsg.last(handle)
    view = zframe.data(lent)
    message = take_over(handle)
    assert message == ["a", "b"] and message[1].handle is lent
    with pytest.raises(ValueError, match="message was destroyed"):
        zmsg.size(handle)
    message.close()
    assert bytes(view) == b"b"
    with pytest.raises(ValueError, match="frame was destroyed"):
        zframe.size(lent)


@pytest.mark.parametrize(
    ("bad", "error", "text"),
    [
        (ffi.NULL, TypeError, "msg must be a"),
        (ffi.cast("zmsg_t *", 0), ValueError, "msg is NULL"),
        (ffi.cast("zframe_t *", 0), TypeError, "msg must be a"),
        (5, TypeError, "msg must be a"),
        ("text", TypeError, "msg must be a"),
        (Message(), TypeError, "msg must be a"),
    ],
    ids=repr,
)
def test_handles_that_are_none(bad: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Message(msg=bad)


def test_handles_that_cannot_be_taken_over() -> None:
    handle = zmsg.new()
    with pytest.raises(TypeError, match="parts and msg must not both be given"):
        Message(["x"], msg=handle)
    zmsg.destroy(handle)
    for make in (Message, lambda msg: Message(msg=msg)):
        with pytest.raises(ValueError, match="msg was destroyed"):
            make(handle)


def test_no_handle() -> None:
    """A message has no handle of its own: it is a list."""
    with pytest.raises(AttributeError, match="a Message has no handle: its frames have"):
        Message().handle  # noqa: B018


# ---------------------------------------------------------------- closing


def test_close() -> None:
    """It closes the frames."""
    frame = Frame("x")
    message = Message([frame, "y"])
    other = message[:]
    with message:
        assert message == ["x", "y"] and not message.closed
    assert message.closed and frame.closed and other[1].closed
    message.close()
    with pytest.raises(ValueError, match="the message is closed"), message:
        pass


USES: dict[str, Callable[[Message], Any]] = {
    "with": lambda message: message.__enter__(),
    "len": len,
    "bool": bool,
    "get": lambda message: message[0],
    "slice": lambda message: message[:],
    "set": lambda message: message.__setitem__(0, "x"),
    "set slice": lambda message: message.__setitem__(slice(None), ["x"]),
    "del": lambda message: message.__delitem__(0),
    "iter": iter,
    "reversed": lambda message: list(reversed(message)),
    "in": lambda message: "x" in message,
    "insert": lambda message: message.insert(0, "x"),
    "append": lambda message: message.append("x"),
    "push": lambda message: message.push("x"),
    "extend": lambda message: message.extend(["x"]),
    "extend with it": lambda message: Message().extend(message),
    "+=": lambda message: message.__iadd__(["x"]),
    "pop": lambda message: message.pop(),
    "popstr": lambda message: message.popstr(),
    "remove": lambda message: message.remove("x"),
    "index": lambda message: message.index("x"),
    "count": lambda message: message.count("x"),
    "reverse": lambda message: message.reverse(),
    "clear": lambda message: message.clear(),
    "==": lambda message: message == ["x"],
    "Message ==": lambda message: Message() == message,
    "parts": lambda message: message.parts,
    "content_size": lambda message: message.content_size(),
    "copy": lambda message: message.copy(),
    "dup": lambda message: message.dup(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "Message(message)": Message,
    "first": lambda message: message.first(),
    "next": lambda message: message.next(),
    "last": lambda message: message.last(),
    "save": lambda message: message.save(io.BytesIO()),
    "load": lambda message: message.load(io.BytesIO()),
    "encode": lambda message: message.encode(),
    "routing_id": lambda message: message.routing_id,
    "routing_id =": lambda message: setattr(message, "routing_id", 1),
    "_send_now": lambda message: message._send_now(None),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_use_after_close(use: Callable[[Message], Any]) -> None:
    message = Message(["x"])
    message.close()
    with pytest.raises(ValueError, match="the message is closed"):
        use(message)


@pytest.mark.parametrize("use", [*USES.values(), Message.close], ids=[*USES, "close"])
def test_use_from_two_threads(use: Callable[[Message], Any]) -> None:
    """A message that another thread is using is refused, and nothing happens to it."""
    message = Message(["x"])
    with occupied(message):
        with pytest.raises(RuntimeError, match="the message is in use in another thread"):
            use(message)
        assert repr(message) == "<Message in use in another thread>"
    assert message == ["x"]


class occupied:
    """Use an object in another thread."""

    def __init__(self, used: Any) -> None:
        self.used = used
        self.inside, self.done = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.occupy)

    def occupy(self) -> None:
        with self.used._lock:
            self.inside.set()
            self.done.wait(30)

    def __enter__(self) -> None:
        self.thread.start()
        assert self.inside.wait(30)

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()


@pytest.mark.parametrize("count", [1, 2])
def test_frame_that_another_thread_uses(pair: tuple[Any, Any], count: int) -> None:
    """A message with such a frame is not sent."""
    message = Message(["x"] * count)
    with occupied(message[-1]):
        with pytest.raises(RuntimeError, match="the frame is in use in another thread"):
            message._send_now(pair[0])
        with pytest.raises(RuntimeError, match="the frame is in use in another thread"):
            message.parts  # noqa: B018
        assert repr(message).endswith("in use in another thread>")
    assert message == ["x"] * count
    assert message._send_now(pair[0]) == 0


def test_threads_that_quarrel() -> None:
    """Threads that change, read, send and close the same messages get errors, and the interpreter goes on."""
    output = children.check(
        """
        import threading
        from pyczmq import zctx, zmq, zsocket
        from pyczmq.types.message import Message
        ctx = zctx.new()
        push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
        zsocket.bind(push, "inproc://quarrel"); zsocket.connect(pull, "inproc://quarrel")
        shared = Message([b"0" * 100]).pop()
        messages = [Message([b"x" * 50, shared, b"y" * 100][number % 3:]) for number in range(400)]
        start = threading.Barrier(4)
        def quarrel(use):
            start.wait()
            for message in messages:
                for _ in range(4):
                    try:
                        use(message)
                    except (RuntimeError, ValueError, IndexError):
                        pass
        def change(message):
            message.append("a"); message.push("b"); message.pop(1).close(); message.reverse(); message[0].reset("c")
        def read(message):
            list(message), message.parts, message == ["a"], repr(message), message[0].data[:1], message.next()
        uses = [change, read, lambda message: message._send_now(push), lambda message: message[:].close()]
        threads = [threading.Thread(target=quarrel, args=[use]) for use in uses]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        while (message := Message._recv_now(pull)) is not None:
            assert message.content_size() < 1000
        print("done")
        """
    )
    assert output == "done\n"


# ---------------------------------------------------------------- misuse


@pytest.mark.parametrize("bad", ["text", b"bytes", bytearray(b"x"), memoryview(b"x"), Frame("x")], ids=repr)
def test_one_part_alone_is_no_list(bad: Any) -> None:
    message = Message(["before"])
    for use in (Message, message.extend, message.__iadd__, lambda value: message.__setitem__(slice(0, 1), value)):
        with pytest.raises(TypeError, match="is no list of frames: put it in a list"):
            use(bad)
    assert message == ["before"]


@pytest.mark.parametrize("bad", [None, 5, 1.5, object(), len], ids=repr)
def test_bad_lists(bad: Any) -> None:
    message = Message(["before"])
    for use in (Message, message.extend, lambda value: message.__setitem__(slice(0, 1), value)):
        with pytest.raises(TypeError, match="frames must come in a list"):
            use(bad)
    assert message == ["before"]


@pytest.mark.parametrize(
    "bad", [None, 5, 1.5, object(), ["x"], ffi.NULL, ffi.new("char[]", b"x")], ids=lambda bad: type(bad).__name__
)
def test_bad_parts(bad: Any) -> None:
    """Nothing of a list that has one is put in."""
    message = Message(["before"])
    for use in (
        lambda value: Message(["x", value]),
        message.append,
        message.push,
        lambda value: message.insert(0, value),
        lambda value: message.extend(["x", value]),
        lambda value: message.__setitem__(0, value),
        lambda value: message.__setitem__(slice(0, 1), ["x", value]),
    ):
        with pytest.raises(TypeError, match=r"(data|frame) must be"):
            use(bad)
    assert message == ["before"]


@pytest.mark.parametrize("bad", [None, "0", 1.5, object()], ids=repr)
def test_bad_indices(bad: Any) -> None:
    message = Message(["x"])
    for use in (
        message.__getitem__,
        message.__delitem__,
        message.pop,
        lambda index: message.insert(index, "y"),
        lambda index: message.__setitem__(index, "y"),
    ):
        with pytest.raises(TypeError):
            use(bad)
    assert message == ["x"]


@pytest.mark.parametrize("bad", [None, 0, "socket", object(), ffi.NULL], ids=repr)
def test_bad_sockets(bad: Any) -> None:
    for parts in (["x"], ["x", "y"]):
        message = Message(parts)
        with pytest.raises((TypeError, ValueError), match=r"socket (must be a zsocket|is NULL)"):
            message._send_now(bad)
        assert message == parts
    with pytest.raises((TypeError, ValueError), match=r"socket (must be a zsocket|is NULL)"):
        Message._recv_now(bad)


# ---------------------------------------------------------------- for sockets


@pytest.mark.parametrize("parts", CONTENTS, ids=len)
@pytest.mark.parametrize("handled", [False, True])
def test_sent_and_received(pair: tuple[Any, Any], parts: list[bytes], handled: bool) -> None:
    """A message is empty once it is sent, and its frames are gone; what is received is the same."""
    output, input = pair
    message = Message(parts)
    frames = list(message)
    handles = [frame.handle for frame in frames] if handled else []
    assert message._send_now(output) == 0
    assert message == [] and not message.closed
    for frame in frames:
        with pytest.raises(ValueError, match="the frame was sent"):
            frame.bytes()
    for handle in handles:
        with pytest.raises(ValueError, match="frame was sent"):
            zframe.size(handle)
    message.append("again")
    assert message._send_now(output) == 0
    other = received(input)
    assert other == parts
    assert [frame.more() for frame in other] == [1] * (len(parts) - 1) + [0]
    assert received(input) == ["again"]


def test_empty_message_sends_nothing(pair: tuple[Any, Any]) -> None:
    assert Message()._send_now(pair[0]) == 0
    assert Message._recv_now(pair[1]) is None


def test_namespaces_understand_it(pair: tuple[Any, Any]) -> None:
    output, input = pair
    assert Message(["a", "b"])._send_now(output) == 0
    handle = zmsg.recv(input)
    assert zmsg.popstr(handle) == "a" and zmsg.popstr(handle) == "b" and zmsg.pop(handle) is None
    zmsg.destroy(handle)
    assert zstr.sendx(output, "c", "d") == 0
    assert received(input) == ["c", "d"]


def test_zsocks() -> None:
    """CZMQ 4's sockets do as well, and actors."""
    server, client = zsock.new(zmq.PAIR), zsock.new(zmq.PAIR)
    port = zsock.bind(server, "tcp://127.0.0.1:*")
    assert zsock.connect(client, f"tcp://127.0.0.1:{port}") == 0
    assert Message(["a", "b"])._send_now(client) == 0
    poller = zpoller.new(server)
    assert zpoller.wait(poller, 5000) is server
    message = Message._recv_now(server)
    assert message == ["a", "b"] and message[0].socket_type == "PAIR"
    zpoller.destroy(poller)
    zsock.destroy(client)
    zsock.destroy(server)


def test_nothing_to_receive(pair: tuple[Any, Any]) -> None:
    assert Message._recv_now(pair[1]) is None
    assert zmq.errno() == errno.EAGAIN


@pytest.mark.parametrize("parts", [["x"], ["x", "y", "z"]], ids=len)
@pytest.mark.parametrize("viewed", [False, True])
def test_no_room_to_send(parts: list[str], viewed: bool) -> None:
    """None at once, with libzmq's errno; the message and its frames stay as they are."""
    ctx = zctx.new()
    push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
    message = Message(parts)
    frames, views = list(message), [frame.data for frame in message] if viewed else []
    for _ in range(2):
        assert message._send_now(push) is None
        assert zmq.errno() == errno.EAGAIN
        assert message == parts and all(a is b for a, b in zip(message, frames))
    zsocket.bind(push, "inproc://room")
    zsocket.connect(pull, "inproc://room")
    assert zsocket.events(push) & zmq.POLLOUT
    assert message._send_now(push) == 0 and message == []
    assert [bytes(view).decode() for view in views] == (parts if viewed else [])
    assert received(pull) == parts
    zctx.destroy(ctx)


def test_mandatory_router() -> None:
    """A peer that is not there, or is full, is None with the errno for that, and the message stays whole."""
    ctx = zctx.new()
    router, dealer = zsocket.new(ctx, zmq.ROUTER), zsocket.new(ctx, zmq.DEALER)
    zsocket.set_router_mandatory(router, 1)
    zsocket.set_hwm(router, 1)
    zsocket.set_hwm(dealer, 1)
    zsocket.set_identity(dealer, "peer")
    zsocket.bind(router, "inproc://router")
    zsocket.connect(dealer, "inproc://router")
    message = Message(["stranger", "body"])
    assert message._send_now(router) is None and zmq.errno() == errno.EHOSTUNREACH
    assert message == ["stranger", "body"]
    sent = 0
    while Message(["peer", str(sent)])._send_now(router) == 0:
        sent += 1
    assert zmq.errno() == errno.EAGAIN and 1 <= sent < 10
    assert [received(dealer) for _ in range(sent)] == [[str(number)] for number in range(sent)]
    zctx.destroy(ctx)


def test_views_outlive_what_was_sent(pair: tuple[Any, Any]) -> None:
    """A frame with a view is sent with no copy, too, and its memory stays."""
    output, input = pair
    content = bytes(range(256)) * 40
    message = Message([content, content, content])
    first, last = message[0].data, message[2].data
    assert message._send_now(output) == 0
    collect()
    assert first == last == content
    assert received(input) == [content] * 3
    del first, last
    collect()


def test_big_frames_are_moved(pair: tuple[Any, Any]) -> None:
    """The memory that is received is what was sent, where nothing but inproc is in between."""
    output, input = pair
    message = Message([b"a" * 100_000, b"b" * 100_000])
    before = [zframe._memory(frame.handle) for frame in message]
    assert message._send_now(output) == 0
    assert [zframe._memory(frame.handle) for frame in received(input)] == before


def test_handle_that_is_in_the_message_twice(pair: tuple[Any, Any]) -> None:
    handle = zframe.new("x")
    message = Message([Frame(frame=handle), Frame(frame=handle)])
    with pytest.raises(ValueError, match="in the message twice"):
        message._send_now(pair[0])
    assert message.pop(-1)._send_now(pair[0]) == 0
    with pytest.raises(ValueError, match="was sent"):
        message._send_now(pair[0])


def test_frame_that_is_in_the_message_twice(pair: tuple[Any, Any]) -> None:
    """It can be sent once only; a copy of it will do."""
    frame = Frame("x")
    message = Message([frame, "y", frame])
    with pytest.raises(ValueError, match="in the message twice"):
        message._send_now(pair[0])
    assert message == ["x", "y", "x"]
    message[2] = frame.dup()
    assert message._send_now(pair[0]) == 0
    assert received(pair[1]) == ["x", "y", "x"]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("end", ["closed", "sent", "destroyed"])
def test_frame_that_is_gone(pair: tuple[Any, Any], count: int, end: str) -> None:
    """Nothing of such a message is sent, and it stays as it is."""
    frame = Frame("gone")
    message = Message(["x", "y", frame][-count:])
    if end == "closed":
        frame.close()
    elif end == "sent":
        other = message[-1:]
        assert other._send_now(pair[0]) == 0 and other == []
        assert received(pair[1]) == ["gone"]
    else:
        zframe.destroy(frame.handle)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"frame (is|was) " + end):
            message._send_now(pair[0])
        assert len(message) == count and message[-1] is frame
    assert Message._recv_now(pair[1]) is None
    assert message.pop(-1) is frame
    assert message == ["x", "y"][: count - 1]


def test_frame_that_is_in_a_zmsg(pair: tuple[Any, Any]) -> None:
    message = Message(["x", "y"])
    handle = zmsg.new()
    zmsg.append(handle, message[1].handle)
    with pytest.raises(ValueError, match="frame is in a message, which owns it"):
        message._send_now(pair[0])
    assert message == ["x", "y"]
    zmsg.destroy(handle)


def test_message_after_one_that_was_begun(pair: tuple[Any, Any]) -> None:
    """It ends what was begun with the flag MORE."""
    output, input = pair
    assert Frame("begun")._send_now(output, Frame.MORE) == 0
    assert Message(["a", "b"])._send_now(output) == 0
    assert Message(["c", "d"])._send_now(output) == 0
    assert received(input) == ["begun", "a", "b"]
    assert received(input) == ["c", "d"]


def test_rest_of_a_message_that_was_received_in_part(pair: tuple[Any, Any]) -> None:
    output, input = pair
    assert Message(["a", "b", "c"])._send_now(output) == 0
    assert Frame._recv_now(input) == "a"
    assert received(input) == ["b", "c"]


def test_subscription_that_libzmq_could_not_bear() -> None:
    """It is refused, in any frame, as it would crash."""
    ctx = zctx.new()
    xsub = zsocket.new(ctx, zmq.XSUB)
    for parts in ([b"\1" + bytes(20_000)], ["x", b"\1" + bytes(20_000)]):
        message = Message(parts)
        with pytest.raises(ValueError, match="no subscription of more than"):
            message._send_now(xsub)
        assert message == parts
    zctx.destroy(ctx)


def test_context_that_ends() -> None:
    """None, with ETERM, both ways; what was to be sent stays."""
    ctx = zctx.new()
    push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
    zsocket.bind(push, "inproc://ends")
    zsocket.connect(pull, "inproc://ends")
    assert C.zmq_ctx_shutdown(zctx.underlying(ctx)) == 0
    for parts in (["a"], ["a", "b"]):
        message = Message(parts)
        assert message._send_now(push) is None and zmq.errno() == zmq.ETERM
        assert message == parts
    assert Message._recv_now(pull) is None and zmq.errno() == zmq.ETERM
    zctx.destroy(ctx)


# ---------------------------------------------------------------- interrupts


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_send_that_breaks_off_midway(pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch, failing: int) -> None:
    """If the context ends in the middle of a message, what was sent is gone and what was not is still there."""
    count = [0]

    def breaking(*args: Any) -> int:
        count[0] += 1
        return zframe._zframe_send(*args) if count[0] <= failing else -1

    message = Message(["a", "b", "c", "d"])
    frames = list(message)
    monkeypatch.setattr(frames_module, "_zframe_send", breaking)
    monkeypatch.setattr(zmq, "errno", lambda: zmq.ETERM)
    assert message._send_now(pair[0]) is None
    assert message == ["a", "b", "c", "d"][failing:]
    for frame in frames[:failing]:
        with pytest.raises(ValueError, match="the frame was sent"):
            frame.bytes()


@pytest.mark.parametrize("broken", [1, 2, 3])
def test_signal_in_the_middle_of_sending(pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch, broken: int) -> None:
    """EINTR in the middle of a message has the rest of it sent all the same."""
    count = [0]

    def interrupted(*args: Any) -> int:
        count[0] += 1
        return -1 if count[0] == broken + 1 else zframe._zframe_send(*args)

    message = Message(["a", "b", "c", "d"])
    monkeypatch.setattr(frames_module, "_zframe_send", interrupted)
    monkeypatch.setattr(zmq, "errno", lambda: errno.EINTR)
    assert message._send_now(pair[0]) == 0 and message == []
    assert received(pair[1]) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("broken", [0, 1, 3])
def test_exception_in_the_middle_of_sending(
    pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch, broken: int
) -> None:
    """Ctrl-C between two frames comes out once the message is sent whole; before the first one nothing is sent."""
    count = [0]

    def interrupted(*args: Any) -> int:
        count[0] += 1
        if count[0] == broken + 1:
            raise KeyboardInterrupt
        return zframe._zframe_send(*args)

    message = Message(["a", "b", "c", "d"])
    frames = list(message)
    monkeypatch.setattr(frames_module, "_zframe_send", interrupted)
    with pytest.raises(KeyboardInterrupt):
        message._send_now(pair[0])
    if broken:
        assert message == [] and all(frame.closed for frame in frames)
        assert received(pair[1]) == ["a", "b", "c", "d"]
    else:
        assert message == ["a", "b", "c", "d"]
    assert Message._recv_now(pair[1]) is None


def test_exception_in_the_middle_of_receiving(pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the message is dropped: nobody takes it for another one."""
    output, input = pair
    assert Message(["a", "b", "c"])._send_now(output) == 0
    assert Message(["next"])._send_now(output) == 0

    def interrupted(handle: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "_more", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Message._recv_now(input)
    assert received(input) == ["next"]


@pytest.mark.parametrize("count", [1, 3])
def test_handlers_that_raise(count: int) -> None:
    """Messages are sent and received whole or not at all, whenever a signal's handler raises."""
    done = children.run(
        """
        import signal, sys
        from pyczmq import zctx, zmq, zsocket
        from pyczmq.types.message import Message
        count = int(sys.argv[1])
        ctx = zctx.new()
        push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
        zsocket.set_hwm(push, 0); zsocket.set_hwm(pull, 0)
        zsocket.bind(push, "inproc://storm"); zsocket.connect(pull, "inproc://storm")
        class Interrupted(Exception):
            pass
        armed = raised = 0
        def handler(*_):
            global armed, raised
            if armed:
                armed, raised = 0, raised + 1
                raise Interrupted
        # What is loaded at first use takes its time.
        assert Message(["warm", "up"])._send_now(push) == 0
        assert Message._recv_now(pull) == ["warm", "up"]
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        sent = received = 0
        for number in range(1, 5001):
            message = Message([str(number)] * count)
            try:
                armed = 1
                message._send_now(push)
                armed = 0
            except Interrupted:
                assert len(message) in (0, count), message
                if len(message):
                    assert message == [str(number)] * count
            if not message:
                sent += 1
            if number % 50 == 0:
                for _ in range(50):
                    try:
                        armed = 1
                        message = Message._recv_now(pull)
                        armed = 0
                    except Interrupted:
                        continue
                    if message is not None:
                        received += 1
                        assert len(message) == count and len(set(message.parts)) == 1, message
        signal.setitimer(signal.ITIMER_REAL, 0)
        while (message := Message._recv_now(pull)) is not None:
            received += 1
            assert len(message) == count and len(set(message.parts)) == 1, message
        assert 0 < received <= sent and sent - received <= raised, (received, sent, raised)
        print("whole")
        """,
        str(count),
    )
    # What is raised while the garbage collector runs, Python writes to stderr.
    assert (done.status, done.output) == (0, "whole\n"), done


# ---------------------------------------------------------------- draft


@pytest.mark.skipif(has("zframe_routing_id"), reason="this libczmq has the drafts")
def test_routing_id_says_that_it_is_missing() -> None:
    message = Message(["x"])
    with pytest.raises(AttributeError, match="only where the libraries are built with drafts"):
        message.routing_id  # noqa: B018
    with pytest.raises(AttributeError, match="only where the libraries are built with drafts"):
        message.routing_id = 1
    assert not hasattr(message, "routing_id")


@pytest.mark.parametrize("count", [1, 2])
def test_routing_id(pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """It comes with what is received, stays when frames are taken out, and is given to the frames that are sent."""
    output, input = pair
    given: list[tuple[bytes, int]] = []
    monkeypatch.setattr(_handles, "_drafts", True)
    monkeypatch.setattr(zframe, "routing_id", lambda frame: 42)
    monkeypatch.setattr(zframe, "set_routing_id", lambda frame, number: given.append((zframe._bytes(frame), number)))
    message = Message(["request"])
    assert message.routing_id == 0
    assert message._send_now(output) == 0 and given == []
    request = received(input)
    assert request.routing_id == request.copy().routing_id == 42
    assert request.popstr() == "request"
    request.extend(["reply"] * count)
    assert request._send_now(output) == 0
    assert given == [(b"reply", 42)] * count
    for bad in (-1, 2**32, None, "1"):
        with pytest.raises((TypeError, ValueError), match="routing_id must be"):
            request.routing_id = bad  # type: ignore[assignment]
    request.routing_id = 2**32 - 1
    assert request.routing_id == 2**32 - 1


@pytest.mark.skipif(not has("zsock_new_server"), reason="only libraries with drafts have SERVER sockets")
def test_server() -> None:
    """A message knows which client it came from; SERVER and CLIENT refuse several frames, and leave them alone."""
    ctx = zctx.new()
    server, client = zsocket.new(ctx, zmq.SERVER), zsocket.new(ctx, zmq.CLIENT)
    zsocket.bind(server, "inproc://types.server")
    zsocket.connect(client, "inproc://types.server")
    assert Message(["Hello"])._send_now(client) == 0
    request = received(server)
    assert request.routing_id != 0
    reply = Message(["World"])
    reply.routing_id = request.routing_id
    assert reply._send_now(server) == 0
    assert received(client) == ["World"]
    for sock in (client, server):
        message = Message(["One", "Two"])
        assert message._send_now(sock) is None and message == ["One", "Two"]
    zctx.destroy(ctx)
