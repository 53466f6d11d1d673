"""Contexts, sockets and pollers of the namespaces, in any order of destruction: no message is lost, nothing dangles."""

from __future__ import annotations

import functools
import gc
import itertools
import os
import threading
from collections import deque
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple, precondition

from pyczmq import zctx, zframe, zmq, zmsg, zpoller, zsock, zsocket, zstr

from . import Call, Machine, Named, calls, initialize, made, refused, rule, same

#: Milliseconds for what must come.
PATIENCE = 10_000

_numbers = itertools.count(1)

TEXTS = st.sampled_from(["", "a", "100%s", "\udcff", "x" * 300])


class World(Named):
    """The model of a context; None for CZMQ's process-wide one."""

    def __init__(self, name: str, handle: Any, root: World | None) -> None:
        super().__init__(name)
        self.handle = handle
        self.alive = True
        self.root = root or self
        self.shadows: list[World] = []
        self.ends: list[End] = []
        #: The thread that has made the last socket: who destroys the root waits for it if it is another one.
        self.thread: Any = None


class End(Named):
    """The model of a socket, and what it is to receive."""

    def __init__(self, name: str, handle: Any, world: World | None) -> None:
        super().__init__(name)
        self.handle = handle
        self.world = world
        self.alive = True
        self.peer: End = self
        self.sends = self.receives = True
        self.queue: deque[list[str]] = deque()

    def die(self) -> None:
        self.alive = False


class Watch(Named):
    """The model of a poller."""

    def __init__(self, name: str, handle: Any) -> None:
        super().__init__(name)
        self.handle = handle
        self.alive = True
        self.ends: list[End] = []


class Sockets(Machine):
    worlds: Bundle[World] = Bundle("worlds")
    ends: Bundle[End] = Bundle("ends")
    watches: Bundle[Watch] = Bundle("watches")

    @initialize(target=worlds)
    def begin(self) -> World:
        self.everything: list[Any] = []
        return self.keep(World(self.name("context"), zctx.new(), None))

    def keep(self, thing: Any) -> Any:
        self.everything.append(thing)
        return thing

    # ---------------------------------------------------------------- contexts

    @rule(
        target=worlds,
        world=worlds,
        call=calls(("new_context",), ("shadow",), ("set_defaults", st.integers(0, 5)), ("destroy_context",), ("drop",)),
    )
    def with_context(self, world: World, call: Call) -> Any:
        return made(getattr(self, call[0])(world, *call[1:]) if world.handle is not None else None)

    def new_context(self, world: World) -> World:
        return self.keep(World(self.name("context"), zctx.new(), None))

    def shadow(self, world: World) -> Any:
        if not world.alive:
            refused(zctx.shadow, world.handle)
            return None
        fresh = World(self.name("shadow"), zctx.shadow(world.handle), world.root)
        world.root.shadows.append(fresh)
        return self.keep(fresh)

    def set_defaults(self, world: World, linger: int) -> None:
        for function in zctx.set_linger, zctx.set_pipehwm:
            if world.alive:
                function(world.handle, linger)
            else:
                refused(function, world.handle, linger)

    def destroy_context(self, world: World) -> None:
        if not world.alive:
            refused(zctx.destroy, world.handle)
            refused(zctx.underlying, world.handle)
            return
        ending = [world, *(world.shadows if world.root is world else [])]
        # A root waits for the sockets of a shadow that another thread has made, and here they would never be closed.
        others = {shadow.thread for shadow in ending[1:] if any(end.alive for end in shadow.ends)}
        if others - {threading.get_ident()}:
            return
        zctx.destroy(world.handle)
        for ended in ending:
            ended.alive = False
            for end in ended.ends:
                end.die()

    def drop(self, thing: Any) -> None:
        """Leave something to the garbage collector, or forget the handle of what is dead."""
        thing.handle = None
        if isinstance(thing, (End, Watch)):
            thing.die() if isinstance(thing, End) else None
            thing.alive = False

    # ---------------------------------------------------------------- sockets

    @rule(target=ends, world=st.none() | worlds, other=st.integers(0, 3), pipeline=st.booleans())
    def connect(self, world: World | None, other: int, pipeline: bool) -> Any:
        """Make two sockets that are connected, in one context or in two that share a world."""
        if world and world.handle is None:
            return multiple()
        if world and not world.alive:
            refused(zsocket.new, world.handle, zmq.PAIR)
            return multiple()
        there = world
        if world:
            sharing = [near for near in (world.root, *world.root.shadows) if near.alive and near.handle is not None]
            there = sharing[other % len(sharing)] if sharing else world
        kinds = (zmq.PUSH, zmq.PULL) if pipeline else (zmq.PAIR, zmq.PAIR)
        endpoint = f"inproc://sequences.{os.getpid()}.{next(_numbers)}"
        out, into = (self.socket(where, kind) for where, kind in zip((world, there), kinds))
        first, second = (out, into) if other % 2 else (into, out)
        same(zsocket.bind(first.handle, endpoint), 0)
        same(zsocket.connect(second.handle, endpoint), 0)
        out.peer, into.peer = into, out
        into.sends = out.receives = not pipeline
        return multiple(out, into)

    def socket(self, world: World | None, kind: int) -> End:
        handle = zsocket.new(world.handle, kind) if world else zsock.new(kind)
        end = self.keep(End(self.name("socket" if world else "zsock"), handle, world))
        zsocket.set_sndtimeo(handle, 0)
        if world:
            world.ends.append(end)
            world.thread = threading.get_ident()
        return end

    @rule(
        target=ends,
        end=ends,
        call=calls(
            ("send", st.lists(TEXTS, min_size=1, max_size=3), st.sampled_from(["zstr", "zmsg", "zsock", "zframe"])),
            ("send", st.lists(TEXTS, min_size=1, max_size=3), st.sampled_from(["zstr", "zmsg", "zsock", "zframe"])),
            ("receive", st.sampled_from(["zstr", "zmsg", "zframe"])),
            ("receive", st.sampled_from(["zstr", "zmsg", "zframe"])),
            ("poll",),
            ("set_options", st.integers(0, 1000)),
            ("close",),
            ("close_in_wrong_context",),
            ("drop",),
        ),
    )
    def with_socket(self, end: End, call: Call) -> Any:
        return made(getattr(self, call[0])(end, *call[1:]) if end.handle is not None else None)

    def send(self, end: End, parts: list[str], how: str) -> None:
        functions: dict[str, Any] = {
            "zstr": lambda: zstr.sendx(end.handle, *parts),
            "zsock": lambda: zsock.send(end.handle, "s" * len(parts), *parts),
            "zmsg": lambda: self.send_message(end, parts),
            "zframe": lambda: self.send_frames(end, parts),
        }
        if not end.alive:
            refused(functions[how])
        elif end.sends and end.peer.alive:
            same(functions[how](), 0)
            end.peer.queue.append(parts)

    def send_message(self, end: End, parts: list[str]) -> int:
        message = zmsg.new()
        for part in parts:
            zmsg.addstr(message, part)
        try:
            return zmsg.send(message, end.handle)
        except ValueError:
            zmsg.destroy(message)
            raise

    def send_frames(self, end: End, parts: list[str]) -> int:
        for part in parts[:-1]:
            frame = zframe.new(part)
            try:
                same(zframe.send(frame, end.handle, zframe.MORE), 0)
            except ValueError:
                zframe.destroy(frame)
                raise
        return zstr.send(end.handle, parts[-1])

    def receive(self, end: End, how: str) -> None:
        """What was sent comes, in order, also after the sender was destroyed."""
        if not end.alive:
            refused({"zstr": zstr.recv_nowait, "zmsg": zmsg.recv_nowait, "zframe": zframe.recv_nowait}[how], end.handle)
        elif end.receives:
            # What a thread of libzmq has to tell meanwhile may keep it from being seen at once.
            if end.queue:
                assert zsocket.poll(end.handle, PATIENCE), f"a message to {end} is lost"
            same(self.receive_now(end, how), end.queue.popleft() if end.queue else None, f"received by {end}")

    def receive_now(self, end: End, how: str) -> list[str] | None:
        if how == "zstr":
            first = zstr.recv_nowait(end.handle)
            if first is None:
                return None
            return [first, *(zstr.recv_nowait(end.handle) for _ in self.rest(end))]
        if how == "zmsg":
            message = zmsg.recv_nowait(end.handle)
            if message is None:
                return None
            parts = [zmsg.popstr(message) for _ in range(zmsg.size(message))]
            zmsg.destroy(message)
            return parts
        frames = []
        while not frames or zframe.more(frames[-1]):
            frame = zframe.recv_nowait(end.handle)
            if frame is None:
                break
            frames.append(frame)
        parts = [zframe.strdup(frame) for frame in frames]
        for frame in frames:
            zframe.destroy(frame)
        return parts or None

    def rest(self, end: End) -> Any:
        while zsocket.rcvmore(end.handle):
            yield

    def poll(self, end: End) -> None:
        if not end.alive:
            refused(zsocket.poll, end.handle, 0)
        elif end.receives:
            same(zsocket.poll(end.handle, PATIENCE if end.queue else 0), bool(end.queue))

    def set_options(self, end: End, value: int) -> None:
        if not end.alive:
            refused(zsocket.set_sndhwm, end.handle, value)
            refused(zsocket.sndhwm, end.handle)
            refused(zsocket.bind, end.handle, "inproc://x")
            refused(zsocket.disconnect, end.handle, "inproc://x")
            return
        zsocket.set_rcvtimeo(end.handle, value)
        same(zsocket.rcvtimeo(end.handle), value)

    def close(self, end: End) -> None:
        if end.world and end.world.handle is None:
            return
        arguments = (end.world.handle, end.handle) if end.world else (end.handle,)
        destroy = zsocket.destroy if end.world else zsock.destroy
        if not end.alive:
            refused(destroy, *arguments)
            return
        destroy(*arguments)
        end.die()

    def close_in_wrong_context(self, end: End) -> None:
        if end.world and end.alive:
            other = zctx.new()
            refused(zsocket.destroy, other, end.handle)

    # ---------------------------------------------------------------- pollers

    @rule(target=watches)
    def new_poller(self) -> Watch:
        return self.keep(Watch(self.name("poller"), zpoller.new()))

    @rule(watch=watches, end=ends, verb=st.sampled_from(["add", "add", "remove", "wait", "wait", "destroy", "drop"]))
    def with_poller(self, watch: Watch, end: End, verb: str) -> None:
        if watch.handle is None:
            return
        if not watch.alive:
            refused(zpoller.wait, watch.handle, 0)
            refused(zpoller.destroy, watch.handle)
            if end.handle is not None:
                refused(zpoller.add, watch.handle, end.handle)
        elif verb == "wait":
            self.wait(watch)
        elif verb == "destroy":
            zpoller.destroy(watch.handle)
            watch.alive = False
        elif verb == "drop":
            self.drop(watch)
        elif end.handle is not None and verb == "add":
            if not end.alive:
                refused(zpoller.add, watch.handle, end.handle)
            elif end.receives:
                same(zpoller.add(watch.handle, end.handle), 0)
                watch.ends.append(end)
        elif end.handle is not None and end in watch.ends:
            same(zpoller.remove(watch.handle, end.handle), 0)
            watch.ends.remove(end)
        elif end.handle is not None and end.alive:
            same(zpoller.remove(watch.handle, end.handle), -1)

    def wait(self, watch: Watch) -> None:
        # One that was only left to the garbage collector is kept alive by the poller.
        if any(not end.alive and end.handle is not None for end in watch.ends):
            refused(zpoller.wait, watch.handle, 0)
            return
        if any(not end.alive for end in watch.ends):
            return
        ready = [end for end in watch.ends if end.queue]
        found = zpoller.wait(watch.handle, PATIENCE if ready else 0)
        assert (found is None) == (not ready), f"{watch} has found {found}, and {ready} should be ready"
        assert found is None or any(found is end.handle for end in ready)
        if not ready:
            same(zpoller.expired(watch.handle), True)

    # ---------------------------------------------------------------- fork

    @precondition(lambda self: self.may_fork and len(self.everything) > 3)
    @rule(main=True)
    def fork(self) -> None:
        """A child is refused all that its parent has, and works with what it makes itself."""
        self.fork_for(self.be_child)

    def be_child(self) -> None:
        for thing in self.everything:
            if thing.handle is None:
                continue
            if isinstance(thing, World):
                refused(zsocket.new, thing.handle, zmq.PAIR)
                refused(zctx.shadow, thing.handle)
                refused(zctx.destroy, thing.handle)
            elif isinstance(thing, End):
                refused(zstr.send, thing.handle, "from the child")
                refused(zstr.recv, thing.handle)
                refused(zsocket.poll, thing.handle, 0)
                refused(zsocket.sndhwm, thing.handle)
                refused(zpoller.new, thing.handle)
            else:
                refused(zpoller.wait, thing.handle, 0)
        ctx = zctx.new()
        for make in functools.partial(zsocket.new, ctx), zsock.new:
            ours, theirs = make(zmq.PAIR), make(zmq.PAIR)
            zsocket.bind(ours, "inproc://child")
            zsocket.connect(theirs, "inproc://child")
            zstr.send(ours, "hello")
            same(zstr.recv(theirs), "hello")
            poller = zpoller.new(ours)
            zstr.send(theirs, "world")
            assert zpoller.wait(poller, PATIENCE) is ours
        gc.collect()

    def finish(self) -> None:
        things = getattr(self, "everything", [])
        for end in [thing for thing in things if isinstance(thing, End)]:
            while end.alive and end.handle is not None and end.receives and end.queue:
                self.receive(end, "zstr")
        for thing in things:
            if isinstance(thing, End) and thing.world is None and thing.alive and thing.handle is not None:
                zsock.destroy(thing.handle)
            if isinstance(thing, Watch) and thing.alive and thing.handle is not None:
                zpoller.destroy(thing.handle)
        for thing in things:
            if isinstance(thing, World) and thing.root is not thing and thing.alive and thing.handle is not None:
                zctx.destroy(thing.handle)
        for thing in things:
            if isinstance(thing, World) and thing.root is thing and thing.alive and thing.handle is not None:
                others = [shadow for shadow in thing.shadows if any(end.alive for end in shadow.ends)]
                if all(shadow.handle is not None for shadow in others):
                    zctx.destroy(thing.handle)
