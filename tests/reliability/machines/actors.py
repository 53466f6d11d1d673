"""Actors: commands and answers, ends of their own accord and not, errors, destruction from another thread."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, precondition

from pyczmq import zactor, zmsg, zpoller, zsock, zsocket, zstr

from . import Call, Machine, Named, calls, initialize, refused, rule, same
from .sockets import PATIENCE


class Boom(Exception):
    """What tasks raise here."""


def echo(pipe: Any, greeting: str) -> None:
    """Answer what comes, until told to stop."""
    zsocket.signal(pipe, 0)
    while True:
        words = zstr.recvx(pipe)
        if not words or words[0] in ("$TERM", "stop"):
            return
        if words[0] == "fail":
            raise Boom
        if words[0] == "exit":
            raise SystemExit
        zstr.sendx(pipe, greeting, *words)


def fails(pipe: Any, *_: Any) -> None:
    """Raise before the task is ready."""
    raise Boom


def returns(pipe: Any, *_: Any) -> None:
    """Return before the task is ready."""


class Player(Named):
    """The model of an actor."""

    def __init__(self, name: str, handle: Any) -> None:
        super().__init__(name)
        self.handle = handle
        self.alive = True
        self.answers: deque[list[str]] = deque()
        #: Whether its task was told to end, or has; what it has raised that nobody was told.
        self.ended = False
        self.error = False
        self.signalled = False


class Actors(Machine):
    players: Bundle[Player] = Bundle("players")

    @initialize(target=players)
    def begin(self) -> Player:
        self.everything: list[Player] = []
        #: What nobody was told of goes to threading.excepthook.
        self.hook = threading.excepthook
        threading.excepthook = lambda args: None
        return self.new_player()

    def new_player(self) -> Player:
        player = Player(self.name("actor"), zactor.new(echo, "hello"))
        zsocket.set_rcvtimeo(player.handle, PATIENCE)
        self.everything.append(player)
        return player

    @rule(target=players)
    def new(self) -> Player:
        return self.new_player()

    @rule(task=st.sampled_from([fails, returns]))
    def new_that_ends(self, task: Any) -> None:
        if task is fails:
            refused(zactor.new, task, "x", error=Boom)
        else:
            zactor.destroy(zactor.new(task))

    @rule(
        player=players,
        call=calls(
            ("ask", st.lists(st.sampled_from(["a", "", "%s", "x" * 300]), min_size=1, max_size=3)),
            ("ask", st.lists(st.sampled_from(["a", "", "%s", "x" * 300]), min_size=1, max_size=3)),
            ("receive",),
            ("receive",),
            ("tell_to", st.sampled_from(["stop", "fail", "exit"])),
            ("look",),
            ("poll",),
            ("destroy",),
            ("destroy_part",),
            ("drop",),
        ),
    )
    def with_actor(self, player: Player, call: Call) -> None:
        if player.handle is None:
            return
        if player.alive:
            getattr(self, call[0])(player, *call[1:])
            return
        for function in zactor.destroy, zactor.recv, zactor.sock, zactor.resolve, zstr.recv, zpoller.new:
            refused(function, player.handle)
        refused(zstr.sendx, player.handle, "a", "b")
        message = zmsg.new()
        refused(zactor.send, player.handle, message)
        zmsg.destroy(message)
        same(zactor.is_(player.handle), False)
        player.handle = None

    @precondition(lambda self: self.may_fork and len(self.everything) > 1)
    @rule(main=True)
    def fork(self) -> None:
        """A child is refused its parent's actors, and has its own."""
        self.fork_for(self.be_child)

    def be_child(self) -> None:
        for player in self.everything:
            if player.handle is not None:
                for function in zactor.destroy, zactor.recv, zactor.sock, zstr.recv:
                    refused(function, player.handle)
        ours = self.new_player()
        self.ask(ours, ["hello"])
        self.receive(ours)
        self.destroy(ours)

    def ask(self, player: Player, words: list[str]) -> None:
        if not player.ended:
            same(zstr.sendx(player.handle, *words), 0)
            player.answers.append(["hello", *words])

    def tell_to(self, player: Player, word: str) -> None:
        if not player.ended:
            same(zstr.send(player.handle, word), 0)
            player.ended = True
            player.error = word == "fail"

    def receive(self, player: Player) -> None:
        """All answers come, in order; then a signal, or the task's error in place of it; then nothing."""
        if player.answers:
            message = zactor.recv(player.handle)
            same([zmsg.popstr(message) for _ in range(zmsg.size(message))], player.answers.popleft())
            zmsg.destroy(message)
        elif player.error:
            refused(zactor.recv, player.handle, error=Boom)
            player.error = False
            player.signalled = True
        elif player.ended and not player.signalled:
            message = zactor.recv(player.handle)
            assert message is not None and zmsg.signal(message) >= 0
            zmsg.destroy(message)
            player.signalled = True
        elif player.ended:
            same(zactor.recv(player.handle), None)

    def look(self, player: Player) -> None:
        same(zactor.is_(player.handle), True)
        assert zactor.sock(player.handle) is zactor.sock(player.handle)
        same(zsocket.type_str(zactor.resolve(player.handle)), "PAIR")

    def poll(self, player: Player) -> None:
        poller = zpoller.new(player.handle)
        if player.answers or (player.ended and not player.signalled):
            assert zpoller.wait(poller, PATIENCE) is player.handle
        zpoller.destroy(poller)

    def destroy(self, player: Player) -> None:
        """Whatever an actor still has to say, it is destroyed; what its task has raised comes out."""
        sock = zactor.sock(player.handle)
        if player.error:
            refused(zactor.destroy, player.handle, error=Boom)
        else:
            zactor.destroy(player.handle)
        player.alive = False
        refused(zstr.recv, sock)

    def destroy_part(self, player: Player) -> None:
        """The actor's end of the pipe is the actor's: to destroy its handle is to have no more of that one."""
        part = zactor.sock(player.handle)
        zsock.destroy(part)
        refused(zstr.recv, part)
        assert zactor.sock(player.handle) is not part
        self.look(player)

    def drop(self, player: Player) -> None:
        player.handle = None

    def finish(self) -> None:
        for player in getattr(self, "everything", []):
            if player.alive and player.handle is not None:
                while player.answers:
                    self.receive(player)
                self.destroy(player)
        if hasattr(self, "hook"):
            threading.excepthook = self.hook
