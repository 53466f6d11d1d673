"""The objects: frames, messages as lists, buffers that are exported meanwhile, contexts and sockets that close."""

from __future__ import annotations

import errno
import itertools
from collections import deque
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple

from pyczmq import zmq
from pyczmq.types import Context, Frame, Message, Poller, Socket, ZMQError

from . import CONTENTS, Call, Machine, Named, calls, initialize, made, refused, rule, same
from .messages import decoded, encoded
from .sockets import PATIENCE

_COPIED = 33

_numbers = itertools.count(1)


class Block(Named):
    """The model of a frame."""

    def __init__(self, name: str, frame: Frame, content: bytes) -> None:
        super().__init__(name)
        self.object = frame
        self.content = content
        self.alive = True
        self.shared = False
        self.views: list[Any] = []


class Letter(Named):
    """The model of a message: a list of blocks, which may be in several."""

    def __init__(self, name: str, message: Message, blocks: list[Block]) -> None:
        super().__init__(name)
        self.object = message
        self.blocks = blocks
        self.alive = True

    @property
    def contents(self) -> list[bytes]:
        return [block.content for block in self.blocks]


class Messages(Machine):
    frames: Bundle[Block] = Bundle("frames")
    messages: Bundle[Letter] = Bundle("messages")

    @initialize(target=frames, content=CONTENTS)
    def begin(self, content: bytes) -> Block:
        self.everything: list[Any] = []
        #: By identity: an object that is known is always the same model.
        self.models: dict[int, Block] = {}
        self.queue: deque[list[tuple[bytes, bool]]] = deque()
        self.context = Context(0, sndhwm=0, rcvhwm=0)
        endpoint = f"inproc://objects.{next(_numbers)}"
        self.output = self.context.socket(zmq.PAIR, bind=endpoint, sndtimeo=0)
        self.input = self.context.socket(zmq.PAIR, connect=endpoint)
        self.alone = self.context.socket(zmq.PAIR, sndtimeo=0)
        self.closed = self.context.socket(zmq.PAIR)
        self.closed.close()
        return self.block(Frame(content), content)

    def block(self, frame: Frame, content: bytes) -> Block:
        block = Block(self.name("frame"), frame, content)
        self.models[id(frame)] = block
        self.everything.append(block)
        return block

    def letter(self, message: Message, blocks: list[Block]) -> Letter:
        letter = Letter(self.name("message"), message, blocks)
        self.everything.append(letter)
        return letter

    def adopt(self, message: Message, contents: list[bytes]) -> Letter:
        """Return the model of a message whose frames are new."""
        same([frame.bytes() for frame in message], contents)
        return self.letter(message, [self.block(frame, content) for frame, content in zip(message, contents)])

    # ---------------------------------------------------------------- frames

    @rule(target=frames, content=CONTENTS)
    def new_frame(self, content: bytes) -> Block:
        return self.block(Frame(content), content)

    @rule(
        target=frames,
        block=frames,
        call=calls(
            ("read_frame",),
            ("reset_frame", CONTENTS),
            ("view_frame",),
            ("write_view", st.integers(0, 255)),
            ("drop_views",),
            ("dup_frame",),
            ("close_frame",),
            ("send_frame", st.booleans()),
            ("send_frame_nowhere",),
        ),
    )
    def with_frame(self, block: Block, call: Call) -> Any:
        result = getattr(self, call[0])(block, *call[1:])
        for view in block.views:
            same(view.tobytes(), block.content, f"view of {block}")
        return made(result)

    def read_frame(self, block: Block) -> None:
        repr(block.object)
        if not block.alive:
            for function in block.object.bytes, block.object.strhex, block.object.dup, block.object.more:
                refused(function)
            refused(len, block.object)
            refused(getattr, block.object, "data")
            same(block.object.closed, True)
            return
        same(block.object.bytes(), block.content)
        same(len(block.object), len(block.content))
        assert block.object == block.content
        same(block.object.closed, False)

    def reset_frame(self, block: Block, content: bytes) -> None:
        if not block.alive:
            refused(block.object.reset, content)
        elif block.views:
            refused(block.object.reset, content, error=BufferError)
        else:
            block.object.reset(content)
            block.content = content
            block.shared = False

    def view_frame(self, block: Block) -> None:
        if block.alive:
            block.views.append(block.object.data)

    def write_view(self, block: Block, byte: int) -> None:
        if block.views and block.content and not block.shared:
            block.views[0][0] = byte
            block.content = bytes([byte]) + block.content[1:]

    def drop_views(self, block: Block) -> None:
        for view in block.views:
            view.release()
        block.views.clear()

    def dup_frame(self, block: Block) -> Any:
        return self.block(block.object.dup(), block.content) if block.alive else None

    def close_frame(self, block: Block) -> None:
        block.object.close()
        block.object.close()
        block.alive = False

    def send_frame(self, block: Block, reuse: bool) -> None:
        flags = Frame.REUSE if reuse else 0
        if not block.alive:
            refused(self.output.send_frame, block.object, flags)
            return
        same(self.output.send_frame(block.object, flags), 0)
        self.note_sent([block], reuse)

    def note_sent(self, blocks: list[Block], reuse: bool) -> None:
        for block in blocks:
            block.shared = block.shared or ((reuse or bool(block.views)) and len(block.content) > _COPIED)
            block.alive = reuse
        self.queue.append([(block.content, block.shared) for block in blocks])

    def send_frame_nowhere(self, block: Block) -> None:
        if block.alive:
            refused(self.alone.send_frame, block.object, error=ZMQError)
            refused(self.closed.send_frame, block.object, error=ZMQError)
            self.read_frame(block)

    # ---------------------------------------------------------------- messages

    @rule(target=messages, contents=st.lists(CONTENTS, max_size=4))
    def new_message(self, contents: list[bytes]) -> Letter:
        return self.adopt(Message(contents), contents)

    @rule(target=messages, blocks=st.lists(frames, max_size=3))
    def new_message_of_frames(self, blocks: list[Block]) -> Letter:
        return self.letter(Message([block.object for block in blocks]), list(blocks))

    @rule(target=messages)
    def receive(self) -> Any:
        if not self.queue:
            same(self.input.poll(0), False)
            return multiple()
        parts = self.queue.popleft()
        letter = self.adopt(self.input.recv_msg(timeout=PATIENCE), [content for content, _ in parts])
        for block, (_, shared) in zip(letter.blocks, parts):
            block.shared = shared
        return letter

    @rule(
        target=messages,
        letter=messages,
        call=calls(
            ("encode",),
            ("dup",),
            ("slice", st.integers(-3, 3), st.integers(-3, 3)),
            ("clear",),
            ("reverse",),
            ("close",),
            ("send",),
            ("send_nowhere",),
            ("walk",),
            ("delete", st.integers(-3, 3)),
            ("copy_in", CONTENTS, st.sampled_from(["append", "push"])),
        ),
    )
    def with_message(self, letter: Letter, call: Call) -> Any:
        if not letter.alive:
            for function in letter.object.pop, letter.object.dup, letter.object.clear, letter.object.encode:
                refused(function)
            refused(len, letter.object)
            refused(letter.object.append, b"x")
            refused(self.output.send_msg, letter.object)
            letter.object.close()
            return multiple()
        result = getattr(self, call[0])(letter, *call[1:])
        self.check(letter)
        return made(result)

    @rule(target=frames, letter=messages, call=calls(("pop", st.integers(-3, 3)), ("get", st.integers(-3, 3))))
    def frame_of_message(self, letter: Letter, call: Call) -> Any:
        verb, index = call
        if not letter.alive:
            return multiple()
        function = letter.object.pop if verb == "pop" else letter.object.__getitem__
        if not -len(letter.blocks) <= index < len(letter.blocks):
            refused(function, index, error=IndexError)
            return multiple()
        block = letter.blocks.pop(index) if verb == "pop" else letter.blocks[index]
        assert function(index) is block.object
        self.check(letter)
        return block

    @rule(
        letter=messages,
        block=frames,
        verb=st.sampled_from(["append", "push", "insert", "set", "extend", "slice"]),
        index=st.integers(-3, 3),
    )
    def put_in(self, letter: Letter, block: Block, verb: str, index: int) -> None:
        """Put a frame into a message, be it alive or not: that matters when the message is sent."""
        if not letter.alive:
            return
        message, frame, blocks = letter.object, block.object, letter.blocks
        if verb == "set" and not -len(blocks) <= index < len(blocks):
            refused(message.__setitem__, index, frame, error=IndexError)
        elif verb == "set":
            message[index] = frame
            blocks[index] = block
        elif verb == "slice":
            message[index:] = [frame, frame]
            blocks[index:] = [block, block]
        elif verb == "insert":
            message.insert(index, frame)
            blocks.insert(index, block)
        elif verb == "extend":
            message.extend([frame])
            blocks.append(block)
        else:
            same(getattr(message, verb)(frame), 0)
            blocks.insert(len(blocks) if verb == "append" else 0, block)
        self.check(letter)

    def check(self, letter: Letter) -> None:
        repr(letter.object)
        if not letter.alive:
            return
        found = list(letter.object)
        same(len(found), len(letter.blocks), f"length of {letter}")
        for frame, block in zip(found, letter.blocks):
            assert frame is block.object
        if all(block.alive for block in letter.blocks):
            same(letter.object.parts, letter.contents)
            same(letter.object.content_size(), sum(map(len, letter.contents)))
        else:
            refused(getattr, letter.object, "parts")

    def encode(self, letter: Letter) -> Any:
        if not all(block.alive for block in letter.blocks):
            refused(letter.object.encode)
            return None
        data = letter.object.encode()
        same(data, encoded(letter.contents))
        contents = decoded(data)
        assert contents is not None
        return self.adopt(Message.decode(data), contents)

    def dup(self, letter: Letter) -> Any:
        if not all(block.alive for block in letter.blocks):
            refused(letter.object.dup)
            return None
        return self.adopt(letter.object.dup(), letter.contents)

    def slice(self, letter: Letter, start: int, stop: int) -> Letter:
        return self.letter(letter.object[start:stop], letter.blocks[start:stop])

    def clear(self, letter: Letter) -> None:
        letter.object.clear()
        letter.blocks.clear()

    def reverse(self, letter: Letter) -> None:
        letter.object.reverse()
        letter.blocks.reverse()

    def copy_in(self, letter: Letter, content: bytes, verb: str) -> None:
        same(getattr(letter.object, verb)(content), 0)
        place = len(letter.blocks) if verb == "append" else 0
        letter.blocks.insert(place, self.block(letter.object[place], content))

    def delete(self, letter: Letter, index: int) -> None:
        if -len(letter.blocks) <= index < len(letter.blocks):
            del letter.object[index]
            del letter.blocks[index]
        else:
            refused(letter.object.__delitem__, index, error=IndexError)

    def walk(self, letter: Letter) -> None:
        found = [letter.object.first()]
        while found[-1] is not None:
            found.append(letter.object.next())
        same(len(found) - 1, len(letter.blocks))

    def close(self, letter: Letter) -> None:
        letter.object.close()
        letter.alive = False
        for block in letter.blocks:
            block.alive = False

    def sendable(self, letter: Letter) -> bool:
        return all(block.alive for block in letter.blocks) and len(set(letter.blocks)) == len(letter.blocks)

    def send(self, letter: Letter) -> None:
        """A message is sent, and empty then; one with a frame that is gone, or twice, is left as it is."""
        if not self.sendable(letter):
            refused(self.output.send_msg, letter.object)
            return
        same(self.output.send_msg(letter.object), 0)
        if letter.blocks:
            self.note_sent(list(letter.blocks), False)
        letter.blocks.clear()

    def send_nowhere(self, letter: Letter) -> None:
        if self.sendable(letter) and letter.blocks:
            refused(self.alone.send_msg, letter.object, error=ZMQError)
            refused(self.closed.send_msg, letter.object, error=ZMQError)

    def finish(self) -> None:
        for thing in getattr(self, "everything", []):
            if isinstance(thing, Letter):
                self.check(thing)
            else:
                self.read_frame(thing)
                for view in thing.views:
                    same(view.tobytes(), thing.content, f"view of {thing}")
        if hasattr(self, "context"):
            self.context.close()


class End(Named):
    """The model of a socket."""

    def __init__(self, name: str, socket: Socket, world: World) -> None:
        super().__init__(name)
        self.object = socket
        self.world = world
        self.alive = True
        self.peer: End = self
        self.queue: deque[str] = deque()


class World(Named):
    """The model of a context."""

    def __init__(self, name: str, context: Context, root: World | None) -> None:
        super().__init__(name)
        self.object = context
        self.root = root or self
        self.ends: list[End] = []
        self.shadows: list[World] = []
        self.alive = True


class Sockets(Machine):
    worlds: Bundle[World] = Bundle("worlds")
    ends: Bundle[End] = Bundle("ends")

    @initialize(target=worlds)
    def begin(self) -> World:
        self.everything: list[Any] = []
        self.poller = Poller()
        self.polled: list[End] = []
        return self.world(Context(), None)

    def world(self, context: Context, root: World | None) -> World:
        world = World(self.name("context"), context, root)
        self.everything.append(world)
        return world

    @rule(target=worlds, world=worlds, verb=st.sampled_from(["new", "shadow", "with", "close"]))
    def with_context(self, world: World, verb: str) -> Any:
        repr(world.object)
        if verb == "new":
            return self.world(Context(), None)
        if not world.alive:
            refused(world.object.shadow)
            refused(world.object.socket, zmq.PAIR)
            refused(world.object.__enter__)
            world.object.close()
            return multiple()
        if verb == "shadow":
            shadow = self.world(world.object.shadow(), world.root)
            world.root.shadows.append(shadow)
            return shadow
        # Closing a context waits for sockets of its shadows that another thread has made.
        if any(shadow.alive for shadow in world.shadows if world.root is world):
            for shadow in world.shadows:
                self.close_context(shadow)
        if verb == "with":
            with world.object:
                pass
        self.close_context(world)
        return multiple()

    def close_context(self, world: World) -> None:
        world.object.close()
        world.alive = False
        for end in world.ends:
            end.alive = False

    @rule(target=ends, world=worlds)
    def connect(self, world: World) -> Any:
        if not world.alive:
            return multiple()
        endpoint = f"inproc://objects.{next(_numbers)}"
        bound, connected = (
            End(self.name("socket"), world.object.socket(zmq.PAIR, sndtimeo=0, **{how: endpoint}), world)
            for how in ("bind", "connect")
        )
        bound.peer, connected.peer = connected, bound
        world.ends += [bound, connected]
        self.everything += [bound, connected]
        return multiple(bound, connected)

    @rule(
        end=ends,
        call=calls(
            ("send", st.sampled_from(["", "a", "\udcff", "x" * 300])),
            ("send", st.sampled_from(["", "a", "\udcff", "x" * 300])),
            ("receive",),
            ("close",),
            ("set_options", st.integers(0, 100)),
            ("poll",),
            ("unpoll",),
            ("wait",),
        ),
    )
    def with_socket(self, end: End, call: Call) -> None:
        repr(end.object)
        if not end.alive:
            for function in (end.object.recv_nowait, end.object.recv, end.object.__enter__):
                self.gone(function)
            self.gone(end.object.send, "x")
            self.gone(end.object.poll, 0)
            self.gone(end.object.bind, "inproc://x")
            self.gone(getattr, end.object, "linger")
            end.object.close()
            same(end.object.closed, True)
        if end.alive or call[0] in ("wait", "unpoll"):
            getattr(self, call[0])(end, *call[1:])

    def gone(self, function: Any, *args: Any) -> None:
        try:
            function(*args)
        except ZMQError as error:
            same(error.errno, errno.ENOTSOCK)
        else:
            raise AssertionError(f"{function} was not refused")

    def send(self, end: End, text: str) -> None:
        if end.peer.alive:
            same(end.object.send(text), 0)
            end.peer.queue.append(text)

    def receive(self, end: End) -> None:
        if end.queue:
            same(end.object.recv(timeout=PATIENCE), end.queue.popleft(), f"received by {end}")
        else:
            same(end.object.recv_nowait(), None)

    def close(self, end: End) -> None:
        with end.object:
            end.object.poll(0)
        end.alive = False

    def set_options(self, end: End, value: int) -> None:
        end.object.rcvhwm = value
        same(end.object.rcvhwm, value)
        refused(setattr, end.object, "no_such_option", 1, error=AttributeError)

    def poll(self, end: End) -> None:
        if end not in self.polled:
            self.poller.add(end.object)
            self.polled.append(end)

    def unpoll(self, end: End) -> None:
        if end in self.polled:
            self.poller.remove(end.object)
            self.polled.remove(end)

    def wait(self, end: End) -> None:
        if any(not end.alive for end in self.polled):
            return
        ready = [end for end in self.polled if end.queue]
        found = self.poller.wait(PATIENCE if ready else 0)
        assert bool(found) == bool(ready), f"{found} were found, and {ready} should be ready"
        assert all(any(one is end.object for end in ready) for one in found)

    def finish(self) -> None:
        for thing in getattr(self, "everything", []):
            while isinstance(thing, End) and thing.alive and thing.queue:
                self.receive(thing)
        for thing in reversed(getattr(self, "everything", [])):
            thing.object.close()
        if hasattr(self, "poller"):
            self.poller.close()
