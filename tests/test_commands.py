"""Commands typed by hand to C's own actors: right ones work as in C, and what C would abort over is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import netns
import pytest

import pyczmq
from pyczmq import C, ffi, zactor, zframe, zgossip, zmonitor, zmq, zmsg, zproxy, zsock, zsocket, zstr


@pytest.fixture
def proxy() -> Iterator[Any]:
    made = zactor.new(zproxy.actor)
    yield made
    zactor.destroy(made)


def message(*words: str) -> Any:
    made = zmsg.new()
    for word in words:
        zmsg.addstr(made, word)
    return made


def zmq_message(word: bytes) -> Any:
    made = zmq.msg_init_size(len(word))
    zmq.msg_data(made)[:] = word
    return made


#: Each way to send one word.
SENDERS: dict[str, Callable[[Any, str], object]] = {
    "zstr.send": zstr.send,
    "zstr.sendf": lambda dest, word: zstr.sendf(dest, "%s", word),
    "zstr.sendx": zstr.sendx,
    "zstr.sendm": lambda dest, word: [zstr.sendm(dest, word), zstr.send(dest, "")],
    "zframe.send": lambda dest, word: zframe.send(zframe.new(word), dest),
    "zframe.send DONTWAIT": lambda dest, word: zframe.send(zframe.new(word), dest, zframe.DONTWAIT),
    "zmsg.send": lambda dest, word: zmsg.send(message(word), dest),
    "zmsg.sendm": lambda dest, word: [zmsg.sendm(message(word), dest), zstr.send(dest, "")],
    "zactor.send": lambda dest, word: zactor.send(dest, message(word)),
    "zsock.send": lambda dest, word: zsock.send(dest, "s", word),
    "zsock.bsend": lambda dest, word: zsock.bsend(dest, "s", word),
    "zsock.signal": lambda dest, word: zsock.signal(dest, 1),
    "zsocket.sendmem": zsocket.sendmem,
    "zmq.send": zmq.send,
    "zmq.sendiov": lambda dest, word: zmq.sendiov(dest, [word]),
    "zmq.msg_send": lambda dest, word: zmq.msg_send(zmq_message(word.encode()), dest),
}

#: Handles for parts of an actor, to which commands can be sent as well.
PARTS: dict[str, Callable[[Any], Any]] = {
    "actor": lambda actor: actor,
    "resolve": zactor.resolve,
    "sock": zactor.sock,
    "zsock.resolve": zsock.resolve,
    "resolve of sock": lambda actor: zsock.resolve(zactor.sock(actor)),
}


# What takes nothing but a zactor is not for parts of one.
WAYS = [(sender, part) for sender in SENDERS for part in PARTS if sender != "zactor.send" or part == "actor"]


@pytest.mark.parametrize(("sender", "part"), WAYS)
def test_wrong_command_is_refused(proxy: Any, sender: str, part: str) -> None:
    """Whatever sends it, to whichever handle, a word that the actor does not know is an error, and no more."""
    dest = PARTS[part](proxy)
    with pytest.raises(ValueError, match="zproxy has no command"):
        SENDERS[sender](dest, "TYPO")
    assert zstr.send(dest, "PAUSE") == 0
    assert zsock.wait(dest) == 0


#: Those that send something else than the word alone.
NO_WORDS = ("zsock.signal", "zsock.bsend", "zstr.sendm", "zmsg.sendm")


@pytest.mark.parametrize(("sender", "part"), [(sender, part) for sender, part in WAYS if sender not in NO_WORDS])
def test_right_command_is_obeyed(proxy: Any, sender: str, part: str) -> None:
    """A word that the actor knows is sent as it is, and answered."""
    dest = PARTS[part](proxy)
    SENDERS[sender](dest, "PAUSE")
    assert zsock.wait(dest) == 0


def test_proxy_is_driven_by_hand(proxy: Any) -> None:
    """As in C: strings, frame by frame too, and messages; then the functions of zproxy know what was done."""
    assert zstr.sendx(proxy, "FRONTEND", "PULL", "inproc://commands.front") == 0
    assert zsock.wait(proxy) == 0
    with pytest.raises(ValueError, match="only one side"):
        zstr.send(proxy, "RESUME")
    assert zstr.sendm(proxy, "BACKEND") == 0
    assert zframe.send(zframe.new("PUSH"), proxy, zframe.MORE) == 0
    assert zstr.send(proxy, "inproc://commands.back") == 0
    assert zsock.wait(proxy) == 0
    with pytest.raises(ValueError, match="has its backend already"):
        zproxy.backend(proxy, "PUSH", "inproc://commands.other")
    push, pull = zsock.new_push(">inproc://commands.front"), zsock.new_pull(">inproc://commands.back")
    zstr.send(push, "through")
    assert zstr.recv(pull) == "through"


@pytest.mark.parametrize(
    "words",
    [
        ["FRONTEND"],
        ["FRONTEND", "PULL"],
        ["FRONTEND", "NONSENSE", "inproc://commands.x"],
        ["FRONTEND", "7", "inproc://commands.x"],
        ["FRONTEND", "PULL", "nonsense"],
        ["CAPTURE"],
        ["CAPTURE", "nonsense"],
        ["DOMAIN", "FRONTEND"],
        ["DOMAIN", "SIDE", "global"],
        ["PLAIN"],
        ["PLAIN", "SIDE"],
        ["CURVE", "FRONTEND", "key"],
        ["CURVE", "FRONTEND", "~" * 40, "~" * 40],
        ["PAUSE\0"],
        ["", "PAUSE"],
        ["$TERM", "x"],
        ["\udcff"],
    ],
    ids=repr,
)
def test_what_the_proxy_would_abort_over_is_refused(proxy: Any, words: list[str]) -> None:
    """A command with too few words, or wrong ones, is a ValueError, and nothing of it is sent."""
    with pytest.raises(ValueError):
        zstr.sendx(proxy, *words)
    assert zsock.send(proxy, "s", "VERBOSE") == 0
    assert zsock.wait(proxy) == 0


def test_a_command_begun_is_forgotten_with_its_actor() -> None:
    """An actor with half a command still ends when it is told to."""
    made = zactor.new(zproxy.actor)
    zstr.sendm(made, "FRONTEND")
    zactor.destroy(made, 2000)


def test_what_is_refused_stays_the_callers(proxy: Any) -> None:
    """A frame or message that is refused was not sent, and can be used again; one that is sent is gone."""
    frame, words = zframe.new("TYPO"), message("TYPO")
    for send in (lambda: zframe.send(frame, proxy), lambda: zmsg.send(words, proxy)):
        with pytest.raises(ValueError, match="no command"):
            send()
    assert zframe.strdup(frame) == "TYPO" and zmsg.size(words) == 1
    zframe.destroy(frame)
    zmsg.destroy(words)
    frame, words = zframe.new("PAUSE"), message("PAUSE")
    assert zframe.send(frame, proxy, zframe.REUSE) == 0
    assert zframe.send(frame, proxy) == 0
    assert zmsg.send(words, proxy) == 0
    for handle, size in ((frame, zframe.size), (words, zmsg.size)):
        with pytest.raises(ValueError, match="was sent"):
            size(handle)
    assert [zsock.wait(proxy) for _ in range(3)] == [0, 0, 0]


def test_actors_of_c_are_no_ends_of_a_proxy(proxy: Any) -> None:
    """What comes in elsewhere is not passed on to an actor of C's."""
    other = zsock.new_pair("@inproc://commands.pair")
    for arguments in ((proxy, other), (other, proxy), (other, other, proxy)):
        with pytest.raises(TypeError, match="actor of C's"):
            zmq.proxy(*arguments)
    with pytest.raises(TypeError, match="control is an actor of C's"):
        zmq.proxy_steerable(other, other, None, proxy)


def test_actors_of_the_raw_floor_are_let_through() -> None:
    """Of an actor that C was told to make nothing is known, and nothing is looked at."""
    made = C.zactor_new(C.zproxy, ffi.NULL)
    assert zstr.send(made, "PAUSE") == 0
    assert zsock.wait(made) == 0
    C.zactor_destroy(ffi.new("zactor_t **", made))


def test_authenticator(tmp_path: Path) -> None:
    """The commands of zauth."""
    passwords = tmp_path / "passwords"
    passwords.write_text("name=word\n")
    auth = zactor.new(pyczmq.zauth.actor)
    for words in (
        ["ALLOW", "127.0.0.1", "127.0.0.2"],
        ["ALLOW"],
        ["DENY", "127.0.0.3"],
        ["PLAIN", str(passwords)],
        ["CURVE", "*"],
        ["CURVE", str(tmp_path / "missing")],
        ["GSSAPI"],
    ):
        assert zstr.sendx(auth, *words) == 0
        assert zsock.wait(auth) == 0
    for words in (["PLAIN"], ["PLAIN", str(tmp_path)], ["PLAIN", ""], ["CURVE"], ["ALLOW", "a\0b"], ["TYPO"]):
        with pytest.raises(ValueError):
            zstr.sendx(auth, *words)
    zactor.destroy(auth)


def test_monitor() -> None:
    """The commands of zmonitor; it cannot be started twice, by hand or otherwise."""
    server = zsock.new_rep(None)
    monitor = zactor.new(zmonitor.actor, server)
    assert zstr.sendx(monitor, "LISTEN", "LISTENING", "NO SUCH EVENT") == 0
    for words in (["TYPO"], ["LISTEN", "a\0"]):
        with pytest.raises(ValueError):
            zstr.sendx(monitor, *words)
    assert zstr.send(monitor, "START") == 0
    assert zsock.wait(monitor) == 0
    zsock.bind(server, "tcp://127.0.0.1:*")
    received = zstr.recvx(monitor)
    assert received is not None and received[0] == "LISTENING"
    with pytest.raises(ValueError, match="started before"):
        zstr.send(monitor, "START")
    with pytest.raises(ValueError, match="started before"):
        zmonitor.start(monitor)


def test_gossip(tmp_path: Path) -> None:
    """The commands of zgossip."""
    node = zactor.new(zgossip.actor)
    assert zstr.sendx(node, "BIND", "inproc://commands.gossip") == 0
    assert zsock.send(node, "sss", "PUBLISH", "key", "value") == 0
    assert zstr.recvx(node) == ["DELIVER", "key", "value"]
    assert zstr.send(node, "STATUS") == 0
    assert zstr.recvx(node) == ["STATUS", "1"]
    assert zstr.sendx(node, "SET", "server/timeout", "0") == 0
    assert zstr.sendx(node, "SAVE", str(tmp_path / "saved")) == 0
    assert zstr.send(node, "PORT") == 0
    assert zstr.recvx(node) == ["PORT", "0"]
    for words in (
        ["BIND"],
        ["CONNECT"],
        ["CONNECT", "nonsense"],
        ["PUBLISH", "key"],
        ["PUBLISH", "k" * 256, "value"],
        ["SET", "path"],
        ["SET", "server/timeout", "x"],
        ["SAVE"],
        ["LOAD"],
        ["TYPO"],
    ):
        with pytest.raises(ValueError):
            zstr.sendx(node, *words)
    with pytest.raises(OSError):
        zstr.sendx(node, "LOAD", str(tmp_path / "missing"))
    assert zgossip.status(node) == 1
    zactor.destroy(node)


@pytest.mark.requires_netns
def test_beacon() -> None:
    """The commands of zbeacon, which C reads frame by frame: none may have one too many or too few."""
    done = netns.run(
        """
from pyczmq import zactor, zbeacon, zsock, zstr
beacon = zactor.new(zbeacon.actor)
def refused(*words):
    try:
        zstr.sendx(beacon, *words)
    except ValueError as error:
        return str(error)
print(refused("PUBLISH", "x", "100"))
assert zsock.send(beacon, "si", "CONFIGURE", 9999) == 0
print(zstr.recv(beacon))
assert zsock.send(beacon, "sbi", "PUBLISH", b"\\0\\1", 100) == 0
assert zsock.send(beacon, "sb", "SUBSCRIBE", b"") == 0
for words in (["CONFIGURE"], ["CONFIGURE", "x"], ["CONFIGURE", "0"], ["CONFIGURE", "99999"], ["SILENCE", "x"], ["TYPO"],
              ["PUBLISH"], ["PUBLISH", "x"], ["PUBLISH", "x" * 256, "1"], ["SUBSCRIBE"], ["SUBSCRIBE", "a", "b"]):
    assert refused(*words), words
assert zstr.send(beacon, "SILENCE") == 0
zactor.destroy(beacon)
raw = zbeacon.new(9998)
try:
    zstr.send(zbeacon.socket(raw), "TYPO")
except ValueError as error:
    print(error)
zbeacon.destroy(raw)
"""
    )
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "the beacon was not given a port yet, by CONFIGURE",
            "10.77.0.1",
            "zbeacon has no command 'TYPO': C would abort",
        ],
    ), done


def test_objects() -> None:
    """The objects' actors, made of one of C's, vet what they send, too."""
    with pyczmq.Actor(zproxy.actor) as actor:
        for send in (
            lambda: actor.send("TYPO"),
            lambda: actor.send_parts(["FRONTEND", "PULL"]),
            lambda: actor.send_frame(pyczmq.Frame("TYPO")),
            lambda: actor.send_msg(pyczmq.Message(["TYPO"])),
        ):
            with pytest.raises(ValueError):
                send()
        for send in (
            lambda: actor.send("PAUSE"),
            lambda: actor.send_parts(["PAUSE"]),
            lambda: actor.send_frame(pyczmq.Frame("PAUSE")),
            lambda: actor.send_msg(pyczmq.Message(["PAUSE"])),
        ):
            send()
            assert actor.wait() == 0
