"""Frames and messages of the namespaces: a message is a list of bytes, and a frame is in one of them or in none."""

from __future__ import annotations

import io
import struct
from collections import deque
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple

from pyczmq import zctx, zframe, zmq, zmsg, zsocket

from . import CONTENTS, Call, Machine, Named, calls, initialize, made, refused, rule, same

#: Bytes up to which libzmq copies a frame's content; larger ones are shared by what is sent with REUSE and what comes.
_COPIED = 33


class Block(Named):
    """The model of a frame; *handle* is None as long as nobody but its message has had it, or once it was dropped."""

    def __init__(self, name: str, handle: Any, content: bytes) -> None:
        super().__init__(name)
        self.handle = handle
        self.content = content
        self.inside: Letter | None = None
        self.alive = True
        #: Whether another frame has the same memory.
        self.shared = False
        self.views: list[Any] = []


class Letter(Named):
    """The model of a message."""

    def __init__(self, name: str, handle: Any) -> None:
        super().__init__(name)
        self.handle = handle
        self.blocks: list[Block] = []
        self.alive = True
        #: Where `next` goes on; None where C does not say.
        self.place: int | None = None

    @property
    def contents(self) -> list[bytes]:
        return [block.content for block in self.blocks]

    def changed(self) -> Letter:
        self.place = None
        return self


def encoded(contents: list[bytes]) -> bytes:
    """Return what `zmsg.encode` makes of a message."""
    sizes = (bytes([len(part)]) if len(part) < 255 else b"\xff" + struct.pack("!I", len(part)) for part in contents)
    return b"".join(size + part for size, part in zip(sizes, contents))


def decoded(data: bytes) -> list[bytes] | None:
    """Return the message that is encoded in some bytes, None if there is none."""
    contents = []
    while data:
        size, data = data[0], data[1:]
        if size == 255:
            if len(data) < 4:
                return None
            size, data = struct.unpack("!I", data[:4])[0], data[4:]
        if size > len(data):
            return None
        contents.append(data[:size])
        data = data[size:]
    return contents


class Messages(Machine):
    frames: Bundle[Block] = Bundle("frames")
    messages: Bundle[Letter] = Bundle("messages")

    @initialize(target=frames, content=CONTENTS)
    def begin(self, content: bytes) -> Block:
        self.ctx = zctx.new()
        zctx.set_iothreads(self.ctx, 0)
        zctx.set_sndhwm(self.ctx, 0)
        zctx.set_rcvhwm(self.ctx, 0)
        self.output, self.input, self.alone, self.gone = (zsocket.new(self.ctx, zmq.PAIR) for _ in range(4))
        zsocket.destroy(self.ctx, self.gone)
        zsocket.set_sndtimeo(self.alone, 0)
        zsocket.bind(self.output, "inproc://messages")
        zsocket.connect(self.input, "inproc://messages")
        #: Messages on their way, as (content, whether the memory is shared); the one that was not ended; that is read.
        self.queue: deque[list[tuple[bytes, bool]]] = deque()
        self.begun: list[tuple[bytes, bool]] = []
        self.rest: list[tuple[bytes, bool]] = []
        self.all_frames: list[Block] = []
        self.all_messages: list[Letter] = []
        return self.new_frame_of(content)

    # ---------------------------------------------------------------- the rules

    @rule(target=frames, content=CONTENTS)
    def new_frame(self, content: bytes) -> Block:
        return self.new_frame_of(content)

    @rule(target=messages, contents=st.lists(CONTENTS, max_size=4))
    def new_message(self, contents: list[bytes]) -> Letter:
        handle = zmsg.new()
        for content in contents:
            same(zmsg.addmem(handle, content), 0)
        return self.message(handle, contents)

    @rule(
        target=frames,
        frame=frames,
        call=calls(
            ("read_frame",),
            ("reset_frame", CONTENTS),
            ("view_frame",),
            ("read_views",),
            ("write_view", st.integers(0, 255)),
            ("drop_views",),
            ("dup_frame",),
            ("destroy_frame",),
            ("drop_dead_frame",),
            ("send_frame", st.booleans(), st.booleans()),
            ("send_frame_nowhere",),
        ),
    )
    def with_frame(self, frame: Block, call: Call) -> Any:
        return made(getattr(self, call[0])(frame, *call[1:]) if frame.handle is not None else None)

    @rule(
        target=frames,
        message=messages,
        call=calls(
            ("read_message",),
            ("lend", st.sampled_from(["first", "last", "next"])),
            ("copy_in", CONTENTS, st.sampled_from(["addmem", "pushmem", "addstr", "pushstr"])),
            ("pop",),
            ("popstr",),
            ("unwrap",),
            ("encode",),
            ("destroy_message",),
            ("drop_dead_message",),
            ("send_message", st.booleans()),
            ("send_message_nowhere",),
        ),
    )
    def with_message(self, message: Letter, call: Call) -> Any:
        return made(getattr(self, call[0])(message, *call[1:]) if message.handle is not None else None)

    @rule(target=messages, message=messages, verb=st.sampled_from(["dup_message", "popmsg"]))
    def new_from_message(self, message: Letter, verb: str) -> Any:
        return made(getattr(self, verb)(message) if message.handle is not None and message.alive else None)

    @rule(
        message=messages,
        frame=frames,
        verb=st.sampled_from(["append", "prepend", "push", "add", "wrap", "remove"]),
    )
    def with_message_and_frame(self, message: Letter, frame: Block, verb: str) -> None:
        if message.handle is not None and frame.handle is not None:
            (self.remove if verb == "remove" else self.put_in)(message, frame, verb)

    @rule(message=messages, other=messages, verb=st.sampled_from(["compare_messages", "addmsg"]))
    def with_messages(self, message: Letter, other: Letter, verb: str) -> None:
        if message.handle is not None and other.handle is not None:
            getattr(self, verb)(message, other)

    @rule(frame=frames, other=frames)
    def compare_frames(self, frame: Block, other: Block) -> None:
        if frame.alive and other.alive and frame.handle is not None and other.handle is not None:
            same(zframe.eq(frame.handle, other.handle), frame.content == other.content)

    @rule(target=frames)
    def receive_frame(self) -> Any:
        handle = zframe.recv_nowait(self.input)
        parts = self.rest or (self.queue.popleft() if self.queue else [])
        if not parts:
            assert handle is None
            return multiple()
        content, shared = parts[0]
        self.rest = parts[1:]
        same(zframe.data(handle)[:], content)
        same(zframe.more(handle), 1 if self.rest else 0)
        block = self.frame(handle, content)
        block.shared = shared
        return block

    @rule(target=messages)
    def receive_message(self) -> Any:
        handle = zmsg.recv_nowait(self.input)
        parts = self.rest or (self.queue.popleft() if self.queue else [])
        self.rest = []
        if not parts:
            assert handle is None
            return multiple()
        letter = self.message(handle, [content for content, _ in parts])
        for block, (_, shared) in zip(letter.blocks, parts):
            block.shared = shared
        return letter

    @rule(target=messages, frame=frames)
    def decode(self, frame: Block) -> Any:
        if frame.handle is None:
            return multiple()
        if not frame.alive:
            refused(zmsg.decode, frame.handle)
            return multiple()
        return made(self.decoded(zmsg.decode(frame.handle), frame.content))

    # ---------------------------------------------------------------- the model

    def new_frame_of(self, content: bytes) -> Block:
        return self.frame(zframe.new(content), content)

    def frame(self, handle: Any, content: bytes) -> Block:
        block = Block(self.name("frame"), handle, content)
        self.all_frames.append(block)
        return block

    def message(self, handle: Any, contents: list[bytes]) -> Letter:
        letter = Letter(self.name("message"), handle)
        letter.blocks = [self.frame(None, content) for content in contents]
        for block in letter.blocks:
            block.inside = letter
        self.all_messages.append(letter)
        return letter

    def bury(self, letter: Letter) -> None:
        letter.alive = False
        for block in letter.blocks:
            block.alive = False

    def known(self, block: Block, handle: Any) -> Block:
        """Check that a frame has one handle, always the same."""
        assert handle is not None
        if block.handle is None:
            block.handle = handle
        assert handle is block.handle, f"{block} has a second handle"
        return block

    def put(self, letter: Letter, place: int, block: Block) -> None:
        letter.changed().blocks.insert(place, block)
        block.inside = letter

    def take(self, letter: Letter, place: int) -> Block:
        block = letter.changed().blocks.pop(place)
        block.inside = None
        return block

    # ---------------------------------------------------------------- frames

    def dup_frame(self, frame: Block) -> Any:
        if not frame.alive:
            refused(zframe.dup, frame.handle)
            return None
        return self.frame(zframe.dup(frame.handle), frame.content)

    def read_frame(self, frame: Block) -> None:
        if not frame.alive:
            for function in zframe.size, zframe.data, zframe.strhex, zframe.strdup, zframe.more:
                refused(function, frame.handle)
            refused(zframe.streq, frame.handle, "x")
            refused(zframe.eq, frame.handle, frame.handle)
            assert not zframe.is_(frame.handle)
            return
        same(zframe.size(frame.handle), len(frame.content))
        same(zframe.strhex(frame.handle), frame.content.hex().upper())
        same(zframe.data(frame.handle)[:], frame.content)
        assert zframe.streq(frame.handle, frame.content)
        assert zframe.is_(frame.handle)

    def reset_frame(self, frame: Block, content: bytes) -> None:
        if not frame.alive:
            refused(zframe.reset, frame.handle, content)
        elif frame.views:
            refused(zframe.reset, frame.handle, content, error=BufferError)
        else:
            zframe.reset(frame.handle, content)
            frame.content = content
            frame.shared = False

    def view_frame(self, frame: Block) -> None:
        if frame.alive:
            frame.views.append(zframe.data(frame.handle))

    def read_views(self, frame: Block) -> None:
        """A view has the frame's bytes, also once the frame was sent or destroyed."""
        for view in frame.views:
            same(view[:], frame.content, f"view of {frame}")

    def write_view(self, frame: Block, byte: int) -> None:
        if frame.views and frame.content and not frame.shared:
            frame.views[0][:1] = bytes([byte])
            frame.content = bytes([byte]) + frame.content[1:]

    def drop_views(self, frame: Block) -> None:
        frame.views.clear()

    def destroy_frame(self, frame: Block) -> None:
        if not frame.alive or frame.inside:
            refused(zframe.destroy, frame.handle)
            return
        zframe.destroy(frame.handle)
        frame.alive = False

    def drop_dead_frame(self, frame: Block) -> None:
        """Handles that are made afterwards may have the identity of one that is no more."""
        if not frame.alive:
            frame.handle = None

    def send_frame(self, frame: Block, reuse: bool, more: bool) -> None:
        flags = (zframe.REUSE if reuse else 0) | (zframe.MORE if more else 0)
        if not frame.alive or (frame.inside and not reuse):
            refused(zframe.send, frame.handle, self.output, flags)
            return
        same(zframe.send(frame.handle, self.output, flags), 0)
        shared = (reuse or bool(frame.views)) and len(frame.content) > _COPIED
        frame.shared = frame.shared or shared
        frame.alive = reuse
        self.sent([(frame.content, frame.shared)], more)

    def sent(self, parts: list[tuple[bytes, bool]], more: bool) -> None:
        self.begun += parts
        if not more:
            self.queue.append(self.begun)
            self.begun = []

    def send_frame_nowhere(self, frame: Block) -> None:
        """A frame that cannot be sent is still there."""
        if frame.alive and not frame.inside:
            same(zframe.send(frame.handle, self.alone, zframe.DONTWAIT), -1)
            same(zframe.send(frame.handle, self.alone), -1)
            refused(zframe.send, frame.handle, self.gone)
            same(zframe.data(frame.handle)[:], frame.content)

    # ---------------------------------------------------------------- messages

    def read_message(self, message: Letter) -> None:
        if not message.alive:
            for function in (zmsg.size, zmsg.content_size, zmsg.first, zmsg.next, zmsg.last, zmsg.pop, zmsg.popstr):
                refused(function, message.handle)
            for function in zmsg.encode, zmsg.dup, zmsg.unwrap, zmsg.popmsg, zmsg.signal, zmsg.destroy:
                refused(function, message.handle)
            refused(zmsg.addmem, message.handle, b"x")
            refused(zmsg.pushstr, message.handle, "x")
            assert not zmsg.is_(message.handle)
            return
        same(zmsg.size(message.handle), len(message.blocks))
        same(zmsg.content_size(message.handle), sum(map(len, message.contents)), "content_size")
        file = io.BytesIO()
        same(zmsg.save(message.handle, file), 0)
        file.seek(0)
        copy = zmsg.load(file)
        assert zmsg.eq(copy, message.handle)
        zmsg.destroy(copy)
        message.changed()

    def lend(self, message: Letter, verb: str) -> Any:
        if not message.alive:
            return None
        place = {"first": 0, "last": len(message.blocks) - 1, "next": message.place}[verb]
        handle = getattr(zmsg, verb)(message.handle)
        if not message.blocks:
            assert handle is None
            return None
        if place is None:
            # Where C does not say what comes, it is a frame of this message all the same.
            if handle is not None:
                assert zframe.data(handle)[:] in message.contents
            return None
        if place == len(message.blocks):
            assert handle is None
            message.changed()
            return None
        message.place = place + 1
        block = self.known(message.blocks[place], handle)
        same(zframe.data(handle)[:], block.content)
        return block

    def copy_in(self, message: Letter, content: bytes, verb: str) -> None:
        if not message.alive:
            return
        same(getattr(zmsg, verb)(message.handle, content), 0)
        self.put(message, 0 if verb.startswith("push") else len(message.blocks), self.frame(None, content))

    def put_in(self, message: Letter, frame: Block, verb: str) -> None:
        function = getattr(zmsg, verb)
        if not message.alive or not frame.alive or frame.inside:
            refused(function, message.handle, frame.handle)
            return
        same(function(message.handle, frame.handle), None if verb == "wrap" else 0)
        if verb == "wrap":
            self.put(message, 0, self.frame(None, b""))
        self.put(message, len(message.blocks) if verb in ("append", "add") else 0, frame)

    def pop(self, message: Letter) -> Any:
        if not message.alive:
            return None
        handle = zmsg.pop(message.handle)
        if not message.blocks:
            assert handle is None
            return None
        return self.known(self.take(message, 0), handle)

    def popstr(self, message: Letter) -> None:
        if not message.alive:
            return
        text = zmsg.popstr(message.handle)
        if not message.blocks:
            assert text is None
            return
        block = self.take(message, 0)
        same(text, block.content.decode(errors="surrogateescape"))
        block.alive = False

    def unwrap(self, message: Letter) -> Any:
        if not message.alive:
            return None
        handle = zmsg.unwrap(message.handle)
        if not message.blocks:
            assert handle is None
            return None
        block = self.known(self.take(message, 0), handle)
        if message.blocks and not message.blocks[0].content:
            self.take(message, 0).alive = False
        return block

    def remove(self, message: Letter, frame: Block, _: str) -> None:
        if not message.alive or not frame.alive:
            refused(zmsg.remove, message.handle, frame.handle)
            return
        zmsg.remove(message.handle, frame.handle)
        message.changed()
        if frame.inside is message:
            self.take(message, message.blocks.index(frame))

    def dup_message(self, message: Letter) -> Any:
        if not message.alive:
            return None
        return self.message(zmsg.dup(message.changed().handle), message.contents)

    def compare_messages(self, message: Letter, other: Letter) -> None:
        if not message.alive or not other.alive:
            refused(zmsg.eq, message.handle, other.handle)
            return
        same(zmsg.eq(message.handle, other.handle), message.contents == other.contents)
        message.changed()
        other.changed()

    def encode(self, message: Letter) -> Any:
        if not message.alive:
            return None
        block = self.frame(zmsg.encode(message.changed().handle), encoded(message.contents))
        same(zframe.data(block.handle)[:], block.content)
        return block

    def decoded(self, handle: Any, content: bytes) -> Any:
        contents = decoded(content)
        if contents is None:
            assert handle is None
            return None
        return self.message(handle, contents)

    def addmsg(self, message: Letter, submessage: Letter) -> None:
        if not message.alive or not submessage.alive or message is submessage:
            refused(zmsg.addmsg, message.handle, submessage.handle)
            return
        content = encoded(submessage.contents)
        same(zmsg.addmsg(message.handle, submessage.handle), 0)
        self.bury(submessage)
        self.put(message, len(message.blocks), self.frame(None, content))

    def popmsg(self, message: Letter) -> Any:
        if not message.alive:
            return None
        handle = zmsg.popmsg(message.handle)
        if not message.blocks:
            assert handle is None
            return None
        block = self.take(message, 0)
        block.alive = False
        return self.decoded(handle, block.content)

    def destroy_message(self, message: Letter) -> None:
        if message.alive:
            zmsg.destroy(message.handle)
            self.bury(message)

    def drop_dead_message(self, message: Letter) -> None:
        if not message.alive:
            message.handle = None

    def send_message(self, message: Letter, more: bool) -> None:
        send = zmsg.sendm if more else zmsg.send
        if not message.alive:
            refused(send, message.handle, self.output)
            return
        same(send(message.handle, self.output), 0)
        parts = []
        for block in message.blocks:
            block.shared = block.shared or (bool(block.views) and len(block.content) > _COPIED)
            parts.append((block.content, block.shared))
        if parts:
            self.sent(parts, more)
        self.bury(message)

    def send_message_nowhere(self, message: Letter) -> None:
        """A message that cannot be sent is whole, and its frames are still there."""
        if not message.alive:
            return
        refused(zmsg.send, message.handle, self.gone)
        if message.blocks:
            same(zmsg.send(message.changed().handle, self.alone), -1)
            same(zmsg.size(message.handle), len(message.blocks))

    # ---------------------------------------------------------------- the end

    def finish(self) -> None:
        if not hasattr(self, "ctx"):
            return
        for letter in self.all_messages:
            if letter.alive and letter.handle is not None:
                same(zmsg.content_size(letter.handle), sum(map(len, letter.contents)), f"content_size of {letter}")
                walked = zmsg.first(letter.handle)
                for block in letter.blocks:
                    same(zframe.data(self.known(block, walked).handle)[:], block.content, f"content of {block}")
                    walked = zmsg.next(letter.handle)
                assert walked is None
                zmsg.destroy(letter.handle)
                self.bury(letter)
        for block in self.all_frames:
            self.read_views(block)
            if block.alive and not block.inside and block.handle is not None:
                same(zframe.data(block.handle)[:], block.content, f"content of {block}")
                zframe.destroy(block.handle)
        zctx.destroy(self.ctx)
