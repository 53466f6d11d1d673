"""zproxy: a proxy: an actor of CZMQ's that passes messages on between two sockets, its frontend and its backend.

It runs on a thread of its own with no Python in the loop. What comes in at either side goes out at the other, and a
copy of it to a third socket, if there is one (`capture`). Each side may demand authentication of its peers.

    >>> from pyczmq import zactor, zmq, zproxy
    >>> proxy = zactor.new(zproxy.actor)
    >>> zproxy.frontend(proxy, "PULL", "tcp://127.0.0.1:*")
    >>> zproxy.backend(proxy, zmq.PUSH, "inproc://workers")
    >>> zproxy.pause(proxy)
    >>> zproxy.resume(proxy)
    >>> zactor.destroy(proxy)

Each function returns once the proxy has acted, and that is never while it cannot get rid of a message: a PUSH or DEALER
side with no peer blocks the proxy for as long as something is to go out there. And it does not look at what it passes
on: libzmq crashes over a subscription of a megabyte that gets from an XPUB to an XSUB side, so put it between those
only where those who subscribe are trusted. `zmq.proxy` and a `pyczmq.Proxy` of two sockets drop such.

`actor` is the proxy as CZMQ has it: ``zproxy (zsock_t *, void *)``, for `zactor`. A proxy belongs to one thread at a
time.
"""

from __future__ import annotations

import os
from _thread import RLock
from functools import partial

from . import _actors, _blocking, _certificates, _commands, _handles, _rehearsal, _text, _zmq_constants
from ._cffi import C
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from ._types import Actor, CData, Cert, Text

    #: A socket type, by its name or its number.
    Type = Union[Text, int]

    #: C's proxy, for zactor.
    actor: CData

#: The sides of a proxy, for `domain`, `plain` and `curve`.
FRONTEND = "FRONTEND"
BACKEND = "BACKEND"

#: The types that C knows, in the order of their numbers.
_TYPES = (b"PAIR", b"PUB", b"SUB", b"REQ", b"REP", b"DEALER", b"ROUTER", b"PULL", b"PUSH", b"XPUB", b"XSUB")

_LONGEST_DOMAIN = 255
_CAPTURE = "CAPTURE"

#: Held from the look at an address to its use: no other proxy may take it meanwhile. A signal's handler may attach.
_attaching = RLock()


def frontend(actor: Actor, type: Type, endpoints: Text, *topics: Text) -> None:
    """Give the proxy its frontend: a socket of *type*, bound to *endpoints*; once both sides are there, it is at work.

    The type is a name such as "PULL", or a number such as zmq.PULL; the draft types are not for proxies. Endpoints are
    divided by commas, and one that begins with ``>`` is connected to. *topics* are what a SUB socket subscribes to:
    only libraries built with drafts do that, with others a SUB side gets nothing, and XSUB is to be used.

    C ends the process where an endpoint cannot be bound, so that is tried out first: ValueError for what is no
    endpoint, OSError for one that is in use. A side can be given only once (ValueError).
    """
    _attach(actor, FRONTEND, type, endpoints, topics)


def backend(actor: Actor, type: Type, endpoints: Text, *topics: Text) -> None:
    """Give the proxy its backend, as `frontend` does the frontend."""
    _attach(actor, BACKEND, type, endpoints, topics)


def _attach(actor: Actor, side: str, type: Type, endpoints: Text, topics: tuple[Text, ...]) -> None:
    notes = _notes(actor)
    number, *words = _check_side(notes, side, type, endpoints, topics)
    with _attaching:
        _rehearsal.attach(number, words[1], "endpoints")
        _actors.ask(actor, side.encode(), *words)
        notes[side] = True


def _check_side(
    notes: dict[Any, Any], side: str, type: Type, endpoints: Text, topics: tuple[Text, ...]
) -> tuple[Any, ...]:
    """Return the number of a side's type, and the words that C is told, all but the first."""
    number = _number(type)
    addresses = _text.cstring(endpoints, "endpoints")
    subscriptions = [_text.cstring(topic, "topic") for topic in topics]
    if subscriptions:
        _check_topics(number, subscriptions)
    if side in notes:
        raise ValueError(f"actor has its {side.lower()} already")
    return number, _TYPES[number], addresses, *subscriptions


def _number(type: Type) -> int:
    if not isinstance(type, (str, bytes)):
        number = integer(type, "type")
        if 0 <= number < len(_TYPES):
            return number
    else:
        name = _text.cstring(type, "type")
        if name in _TYPES:
            return _TYPES.index(name)
    raise ValueError(f"type must be one of {', '.join(map(_text.decode, _TYPES))}, not {type!r}")


def _check_topics(number: int, topics: list[bytes]) -> None:
    if number != _zmq_constants.SUB:
        raise ValueError("topics are for a SUB socket")
    if not hasattr(C, "zactor_set_destructor"):
        raise ValueError("topics are ignored by a libczmq that is built without drafts, as this one is: use XSUB")
    if any(len(topic) > _blocking.LONGEST_TOPIC for topic in topics):
        raise ValueError(f"topics must be at most {_blocking.LONGEST_TOPIC} bytes long")


def capture(actor: Actor, endpoint: Text) -> None:
    """Have the proxy send a copy of each message to a PULL socket, to which it connects a PUSH socket; once only.

    Where nobody takes the copies, the proxy comes to a stop after a thousand or so.
    """
    notes = _notes(actor)
    _actors.ask(actor, b"CAPTURE", _check_capture(notes, endpoint))
    notes[_CAPTURE] = True


def _check_capture(notes: dict[Any, Any], endpoint: Text) -> bytes:
    address = _text.cstring(endpoint, "endpoint")
    if _CAPTURE in notes:
        raise ValueError("actor has a capture socket already")
    _rehearsal.connect(_zmq_constants.PUSH, address, "endpoint")
    return address


def _after_fork() -> None:
    """Start fresh in the child: another thread of the parent's may have had the lock."""
    global _attaching
    _attaching = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def pause(actor: Actor) -> None:
    """Stop passing messages on; those that come wait in the sockets, as many as their high-water marks let in.

    A proxy that has only one side yet does not stay so: it begins once it gets the other.
    """
    _notes(actor)
    _actors.ask(actor, b"PAUSE")


def resume(actor: Actor) -> None:
    """Go on after `pause`. Raises ValueError for a proxy that has only one side: C would abort at its next message."""
    _check_resume(_notes(actor))
    _actors.ask(actor, b"RESUME")


def _check_resume(notes: dict[Any, Any]) -> None:
    if (FRONTEND in notes) != (BACKEND in notes):
        raise ValueError("actor has only one side yet")


def verbose(actor: Actor) -> None:
    """Have the proxy log its commands, for good."""
    _notes(actor)
    _actors.ask(actor, b"VERBOSE")


def domain(actor: Actor, side: Text, domain: Text) -> None:
    """Set the ZAP domain of a side, `FRONTEND` or `BACKEND`, before that is given: 1 to 255 bytes.

    With a domain even peers of no security are put before the authenticator (`zauth`), if there is one.
    """
    which = _side(_notes(actor), side)
    _actors.ask(actor, b"DOMAIN", which, _check_domain(domain))


def _check_domain(domain: Text) -> bytes:
    name = _text.cstring(domain, "domain")
    if not 1 <= len(name) <= _LONGEST_DOMAIN:
        raise ValueError(f"domain must be 1 to {_LONGEST_DOMAIN} bytes long, not {len(name)}")
    return name


def plain(actor: Actor, side: Text) -> None:
    """Make a side, `FRONTEND` or `BACKEND`, a PLAIN server, before that is given."""
    _actors.ask(actor, b"PLAIN", _side(_notes(actor), side))


def curve(actor: Actor, side: Text, public_key: Text | Cert, secret_key: Text | None = None) -> None:
    """Make a side, `FRONTEND` or `BACKEND`, a CURVE server, before that is given.

    The keys are 40 characters of Z85 each; a certificate in place of the public key has both.
    """
    which = _side(_notes(actor), side)
    if isinstance(public_key, (str, bytes)):
        if secret_key is None:
            raise TypeError("secret_key is missing")
        keys = [_text.cstring(public_key, "public_key"), _text.cstring(secret_key, "secret_key")]
    else:
        cert = _handles.live(public_key, _certificates.CERT, "public_key")
        if secret_key is not None:
            raise TypeError("a certificate has both keys")
        keys = [_certificates.public_text(cert), _certificates.secret_text(cert)]
    _check_keys(keys)
    _actors.ask(actor, b"CURVE", which, *keys)


def _check_keys(keys: list[bytes]) -> None:
    for name, key in zip(("public_key", "secret_key"), keys):
        if _certificates.decode(key) is None:
            raise ValueError(f"{name} must be a key of 40 characters of Z85")
    if not C.zsys_has_curve():
        raise ValueError("this libzmq has no CURVE")


def _side(notes: dict[Any, Any], side: Text) -> bytes:
    """Return a side's name for C, if the side is not there yet: later it would not even notice."""
    name = _text.decode(_text.cstring(side, "side"))
    if name not in (FRONTEND, BACKEND):
        raise ValueError(f"side must be {FRONTEND} or {BACKEND}, not {name!r}")
    if name in notes:
        raise ValueError(f"actor has its {name.lower()} already: security must be set before")
    return name.encode()


def _notes(actor: Actor) -> dict[Any, Any]:
    """Return what is known of a proxy that is alive."""
    return _actors.state_of(_actors.running(actor, C.zproxy)).notes


def _vet(state: _actors.State, *words: bytes) -> _commands.Vetted:
    """Vet a command that was typed by hand."""
    command, notes = words[0], state.notes
    note = None
    if command in (b"FRONTEND", b"BACKEND"):
        type, endpoints, *topics = _commands.take(words, 2, None)
        side = command.decode()
        number = _check_side(notes, side, type, endpoints, tuple(topics))[0]
        _rehearsal.attach(number, endpoints, "endpoints")
        note = partial(notes.__setitem__, side, True)
    elif command == b"CAPTURE":
        _check_capture(notes, *_commands.take(words, 1, 1))
        note = partial(notes.__setitem__, _CAPTURE, True)
    elif command == b"RESUME":
        _check_resume(notes)
    elif command == b"DOMAIN":
        side_name, domain = _commands.take(words, 2, 2)
        _side(notes, side_name)
        _check_domain(domain)
    elif command == b"PLAIN":
        _side(notes, *_commands.take(words, 1, 1))
    elif command == b"CURVE":
        side_name, *keys = _commands.take(words, 3, 3)
        _side(notes, side_name)
        _check_keys(keys)
    elif command not in (b"PAUSE", b"VERBOSE"):
        raise _commands.unknown(state, words)
    return list(words), note


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zproxy_test (bool verbose)``
    """
    from ._selftest import run

    run("zproxy_test", verbose)


if not TYPE_CHECKING:
    from ._alias import aliases

    _find = aliases("zproxy")

    def __getattr__(name: str) -> Any:
        return C.zproxy if name == "actor" else _find(name)
