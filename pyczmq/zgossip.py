"""zgossip: name and value pairs that spread through a network of nodes until all have the same.

Each node is an actor of CZMQ's, which runs with no Python in it. Nodes connect to one another in any shape; what one
publishes, or hears, it passes on. For configuration, presence and discovery that changes slowly, not for data.

    >>> from pyczmq import zactor, zgossip
    >>> base = zactor.new(zgossip.actor, "base")
    >>> port = zgossip.bind(base, "tcp://127.0.0.1:*")
    >>> node = zactor.new(zgossip.actor, "node")
    >>> zgossip.connect(node, f"tcp://127.0.0.1:{port}")
    >>> zgossip.publish(node, "alpha", "inproc://service-1")
    >>> zgossip.recv(base)
    Delivery(key='alpha', value='inproc://service-1')
    >>> zgossip.status(base)
    1

`actor` is C's function, ``zgossip (zsock_t *, void *)``, and the text beside it is what the node's log lines begin
with. A node delivers each pair that is new to it, its own too, to be received here as `Delivery`. Nodes keep all pairs
as long as they live: who connects later, or again, gets them all. The last value that a node hears of a key replaces
the others; if two nodes publish one key at the same time, they may end up with different values. What is published at
the moment at which a connection breaks may not get to its other side: CZMQ's nodes can lose their place then.

The node reports through the actor itself, which can be polled. What comes while another call waits for an answer is
kept, in its order, for `recv`; then ``STATUS`` messages are among what those see who read the actor by other means.

Nodes trust one another. One that receives anything but gossip ends, as CZMQ's log says, and each further call for it is
a RuntimeError; so bind where only nodes come, or use certificates (`set_certificate`). A port scanner's bytes will do:
without security libzmq takes whatever does not begin as ZMTP 3 does for the older ZMTP 1, and hands it on. One that is
telling something to what refuses it for good, such as a server of another kind or with other security, may get stuck in
C: calls that wait for its answer are a TimeoutError after 10 seconds then. A node belongs to one thread at a time.
"""

from __future__ import annotations

import os
from builtins import set as _set
from functools import partial
from typing import NamedTuple

from . import _actors, _certificates, _commands, _dialogue, _endpoints, _handles, _monitors, _room, _text
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._types import Actor, CData, Cert, Text
    from .zcert import Filename

    #: C's gossip node, for zactor.
    actor: CData

_PORT, _STATUS = b"PORT", b"STATUS"
_ANSWERS = frozenset([_PORT, _STATUS])

#: C has a byte for the length of a key, and room for that many bytes; longer ones are cut on their way.
_LONGEST_KEY = 255
_LONGEST_VALUE = 2**30

_LONGEST_ENDPOINT = 255
_LONGEST_PATH = 255
_LONGEST_IPC = 107
_LONGEST_DOMAIN = 255
_MOST_PORT = 65535

#: Sockets that C opens for a connection.
_SOCKETS = 6

#: Files of more lines C frees by so deep a recursion that the stack overflows.
_MOST_LINES = 1000
_MOST_BYTES = 2**20

_TIMEOUT = b"server/timeout"
_DRAFTS = (b"SET PUBLICKEY", b"SET SECRETKEY", b"ZAP DOMAIN", b"UNPUBLISH")
_NAME_CHARACTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789$-_@.&+")

_CERT = _certificates.CERT
_free_config = _handles.freer(C.zconfig_destroy, "zconfig_t *")


class Delivery(NamedTuple):
    """A pair that is new to a node, or has a new value."""

    key: str
    value: str


class _Node:
    """What was noted of a node."""

    __slots__ = ("endpoints", "has_public_key", "has_secret_key", "has_timeout")

    def __init__(self) -> None:
        #: What it was told to connect to.
        self.endpoints: _set[bytes] = _set()
        self.has_timeout = False
        self.has_public_key = False
        self.has_secret_key = False


def bind(actor: Actor, endpoint: Text) -> int:
    """Let other nodes connect to an endpoint; return its port, 0 where it has none, or -1 on failure.

    A tcp endpoint that ends in ``:*`` takes the first free port from 49152 on, and one that ends in ``:!`` or ``:0`` a
    random one of them; ``:*[60000-60010]`` names the range. A node may bind to several endpoints.

    CZMQ forgets a connected node that has been silent for a second, and what is published next never gets there; so
    unless `set` or `load` has set a ``server/timeout``, here it is switched off.
    """
    talk = _talk(actor)
    node = _node(actor)
    address = _check_bind(node, _text.cstring(endpoint, "endpoint"))
    if not _endpoints.is_usable(address):
        return -1
    if not node.has_timeout:
        _dialogue.send(actor, talk, b"SET", _TIMEOUT, b"0")
        node.has_timeout = True
    _dialogue.send(actor, talk, b"BIND", address)
    return port(actor)


def _check_bind(node: _Node, address: bytes) -> bytes:
    """Return an endpoint as C can bind it, or raise ValueError."""
    if len(address) > _LONGEST_ENDPOINT:
        raise ValueError(f"endpoint must be at most {_LONGEST_ENDPOINT} bytes long")
    if address.startswith(b"tcp://") and address.endswith(b":0"):
        address = address[:-1] + b"!"
    _check_ports(address)
    if node.has_secret_key and not node.has_public_key:
        raise ValueError("actor has a secret key, but no public key: see set_publickey")
    return address


def _check_ports(address: bytes) -> None:
    """Raise ValueError for a port that C would cut to 16 bits, and for a range that it would search for ever."""
    from ._czmq2.zsocket import _wildcard

    if not address.startswith(b"tcp://"):
        return
    last = address.rpartition(b":")[2]
    ports = _wildcard(last)
    if (last.isdigit() and int(last) > _MOST_PORT) or (last[:1] in (b"*", b"!") and not ports):
        raise ValueError(f"endpoint {_text.decode(address)!r} has no such port")


def port(actor: Actor) -> int:
    """Return the port that was bound last, 0 if there is none, or -1 if the last `bind` has failed."""
    return int(_dialogue.ask(actor, _talk(actor), _PORT)[1])


def load(actor: Actor, filename: Filename) -> None:
    """Load the node's configuration from a ZPL file, in place of the one before; C reads it again whenever it changes.

    It may have a section ``server`` with ``timeout`` (milliseconds for which a connected node may be silent before it
    is forgotten, 0 for ever), ``verbose`` and ``background``, and a section ``zgossip`` with ``echo``, ``bind`` and
    ``security``. Raises OSError if the file cannot be read, and ValueError for one that C would not load, or abort
    over.
    """
    talk = _talk(actor)
    path = _text.path(filename)
    has_timeout = _check_config(path)
    _dialogue.send(actor, talk, b"LOAD", path)
    if not has_timeout:
        _dialogue.send(actor, talk, b"SET", _TIMEOUT, b"0")
    _node(actor).has_timeout = True
    status(actor)


def _check_config(path: bytes) -> bool:
    """Raise an error if C must not load a file; tell whether it sets a timeout."""
    name = os.fsdecode(path)
    if path:
        _commands.regular(path, "filename")
    with open(path, "rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES or content.count(b"\n") >= _MOST_LINES:
        raise ValueError(f"filename {name!r} is too long for a configuration")
    config = ffi.NULL if b"\0" in content else C.zconfig_str_load(content)
    if not config:
        raise ValueError(f"filename {name!r} is not a configuration file; CZMQ's log says why")
    try:
        _check_service(config, name)
        timeout = C.zconfig_get(config, _TIMEOUT, ffi.NULL)
        if not timeout:
            return False
        _check_timeout(ffi.string(timeout))
        return True
    finally:
        _free_config(config)


def _check_service(config: CData, name: str) -> None:
    """Raise ValueError for sections that C would abort over, or hang."""
    section = C.zconfig_locate(config, b"zgossip")
    section = C.zconfig_child(section) if section else section
    while section:
        kind = ffi.string(C.zconfig_name(section))
        if kind == b"bind":
            endpoint = ffi.string(C.zconfig_get(section, b"endpoint", b""))
            _check_ports(endpoint)
            if len(endpoint) > _LONGEST_ENDPOINT or not _endpoints.is_usable(endpoint):
                raise ValueError(f"filename {name!r} has an endpoint that cannot be used")
        elif kind == b"security" and ffi.string(C.zconfig_get(section, b"mechanism", b"")) == b"curve":
            keys = ffi.string(C.zconfig_get(section, b"secret-key", b""))
            if _handles.drafts() and (not C.zsys_has_curve() or _certificates.load(keys) is None):
                raise ValueError(f"filename {name!r} names no certificate as secret-key for CURVE")
        section = C.zconfig_next(section)


def _check_timeout(value: bytes) -> None:
    text = _text.decode(value)
    if not value.isdigit() or int(value) >= 2**31:
        raise ValueError(f"server/timeout must be a number of milliseconds below 2**31, not {text!r}")


def set(actor: Actor, path: Text, value: Text) -> None:
    """Set one value of the node's configuration, such as ``server/timeout``: see `load`.

    A path consists of names of ASCII letters, digits and ``$-_@.&+`` with slashes between them, 255 bytes at most; a
    value has no double quote and no line feed, since `save` could not write it.
    """
    talk = _talk(actor)
    key, word = _check_setting(_text.cstring(path, "path"), _text.cstring(value, "value"))
    _dialogue.send(actor, talk, b"SET", key, word)
    if key == _TIMEOUT:
        _node(actor).has_timeout = True


def _check_setting(*words: bytes) -> tuple[bytes, bytes]:
    """Return a path and a value as C can have them, or raise ValueError."""
    key = words[0][1:] if words[0].startswith(b"/") else words[0]
    names = key.split(b"/")
    if len(key) > _LONGEST_PATH or not all(name and _NAME_CHARACTERS.issuperset(name) for name in names):
        raise ValueError(
            f"path must consist of names of ASCII letters, digits and $-_@.&+ with slashes between them, and at most "
            f"{_LONGEST_PATH} bytes, not {_text.decode(words[0])!r}"
        )
    if names[0] == b"server" and len(names) > 2 and names[1] in (b"timeout", b"verbose", b"background"):
        raise ValueError(f"path must not go below server/{names[1].decode()}, which has a value")
    if b'"' in words[1] or b"\n" in words[1]:
        raise ValueError("value must not contain a double quote or a line feed")
    if key == _TIMEOUT:
        _check_timeout(words[1])
    return key, words[1]


def save(actor: Actor, filename: Filename) -> None:
    """Save the node's configuration to a ZPL file, not its pairs; the name ``-`` stands for the standard output.

    Raises OSError if the file cannot be written.
    """
    talk = _talk(actor)
    path = _text.path(filename)
    _check_saving(path)
    _dialogue.send(actor, talk, b"SAVE", path)
    status(actor)


def _check_saving(path: bytes) -> None:
    """Raise OSError or ValueError where no file can be written."""
    if path != b"-":
        if path:
            _commands.regular(path, "filename")
        with open(path, "ab"):
            pass


def connect(actor: Actor, endpoint: Text, public_key: Text | None = None) -> None:
    """Connect to another node, and again whenever the connection breaks; it need not be there yet.

    An endpoint is ``tcp://host:port``, ``ipc://file`` or ``inproc://name``. The name of a host is looked up here and
    once, OSError if that fails: C would abort when it connects again. Connecting to one endpoint twice does nothing.

    With the other node's *public_key*, 40 characters of Z85, the connection is encrypted by CURVE, for which this node
    needs keys of its own (`set_certificate`). Only libraries built with drafts have this.
    """
    talk = _talk(actor)
    node = _node(actor)
    address = _resolve(_text.cstring(endpoint, "endpoint"))
    words = [b"CONNECT", address]
    if public_key is not None:
        words.append(_check_peer(node, public_key))
    if address in node.endpoints:
        return
    _monitors.refuse_interrupted()
    _room.make(_SOCKETS)
    node.endpoints.add(address)
    _dialogue.send(actor, talk, *words)
    # Nobody may look for room while C takes some.
    status(actor)


def _check_peer(node: _Node, public_key: Text) -> bytes:
    """Return another node's key as C can have it."""
    _need_drafts("CURVE")
    key = _key(public_key, "public_key")
    if not (node.has_public_key and node.has_secret_key):
        raise ValueError("actor has no keys of its own: see set_certificate")
    return key


def _resolve(endpoint: bytes) -> bytes:
    """Return an endpoint as libzmq will report it, since C aborts over any other name for it."""
    transport, _, address = endpoint.partition(b"://")
    if len(endpoint) <= _LONGEST_ENDPOINT and address:
        if transport == b"inproc":
            return endpoint
        if transport == b"ipc" and len(address) <= _LONGEST_IPC and address not in (b"*", b"@"):
            return endpoint
        if transport == b"tcp":
            host, _, number = address.rpartition(b":")
            host = host[1:-1] if host.startswith(b"[") and host.endswith(b"]") else host
            if host and b";" not in host and number.isdigit() and 0 < int(number) <= _MOST_PORT:
                return _resolve_host(host, int(number))
    raise ValueError(f"endpoint must be tcp://host:port, ipc://file or inproc://name, not {_text.decode(endpoint)!r}")


def _resolve_host(host: bytes, number: int) -> bytes:
    import socket

    name = _text.decode(host)
    if not name.isprintable():
        raise ValueError(f"endpoint has no name of a host: {name!r}")
    if C.zsys_ipv6():
        family, flags, form = socket.AF_INET6, getattr(socket, "AI_V4MAPPED", 0), "tcp://[{}]:{}"
    else:
        family, flags, form = socket.AF_INET, 0, "tcp://{}:{}"
    try:
        found = socket.getaddrinfo(name, number, family, socket.SOCK_STREAM, 0, flags)
    except UnicodeError:
        raise ValueError(f"endpoint has no name of a host: {name!r}") from None
    numeric = socket.getnameinfo(found[0][4], socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
    return form.format(numeric, number).encode()


def publish(actor: Actor, key: Text, value: Text) -> None:
    """Publish a pair: to this node, and to all that it is connected with, now and later.

    A key has at most 255 bytes. Neither may contain a NUL byte. A value must not change again before all nodes have the
    one before: two values of one key that are under way at the same time are passed on from node to node for ever.
    """
    talk = _talk(actor)
    words = _text.cstring(key, "key"), _text.cstring(value, "value")
    _check_pair(*words)
    _dialogue.send(actor, talk, b"PUBLISH", *words)


def _check_pair(key: bytes, value: bytes) -> None:
    _check_key(key)
    if len(value) > _LONGEST_VALUE:
        raise ValueError(f"value must be at most {_LONGEST_VALUE} bytes long, not {len(value)}")


def _check_key(key: bytes) -> None:
    if len(key) > _LONGEST_KEY:
        raise ValueError(f"key must be at most {_LONGEST_KEY} bytes long, not {len(key)}")


def status(actor: Actor) -> int:
    """Return how many pairs the node has; each command that was given before has been carried out then."""
    return int(_dialogue.ask(actor, _talk(actor), _STATUS)[1])


def verbose(actor: Actor) -> None:
    """Have the node write what it does to CZMQ's log."""
    _dialogue.send(actor, _talk(actor), b"VERBOSE")


def recv(actor: Actor, timeout: int | None = None) -> Delivery | None:
    """Return the next pair that is new to the node; None if there is none in *timeout* milliseconds, -1 for ever.

    With no timeout the actor's own RCVTIMEO holds, by default for ever. Raises RuntimeError if the node has ended.
    """
    if timeout is not None:
        timeout = integer(timeout, "timeout")
    frames = _dialogue.receive(actor, _talk(actor), timeout)
    if frames is None:
        return None
    _, key, value = frames
    return Delivery(_text.decode(key), _text.decode(value))


# ---------------------------------------------------------------- draft


def set_publickey(actor: Actor, key: Text) -> None:
    """Give the node its public key for CURVE, 40 characters of Z85. Only libraries built with drafts have this."""
    talk = _talk(actor)
    word = _key(key, "key")
    _need_drafts("SET PUBLICKEY")
    _dialogue.send(actor, talk, b"SET PUBLICKEY", word)
    _node(actor).has_public_key = True


def set_secretkey(actor: Actor, key: Text) -> None:
    """Give the node its secret key for CURVE, 40 characters of Z85. Only libraries built with drafts have this.

    What is bound after this takes encrypted connections only.
    """
    talk = _talk(actor)
    word = _key(key, "key")
    _need_drafts("SET SECRETKEY")
    _dialogue.send(actor, talk, b"SET SECRETKEY", word)
    _node(actor).has_secret_key = True


def set_certificate(actor: Actor, cert: Cert) -> None:
    """Give the node both keys of a certificate (`zcert`), before it binds or connects. Only with drafts.

    Who may connect is up to the authenticator of the process, ``zauth.actor`` or `zauth`; without one all may that know
    the public key.
    """
    _talk(actor)
    _handles.live(cert, _CERT, "cert")
    set_publickey(actor, _certificates.public_text(cert))
    set_secretkey(actor, _certificates.secret_text(cert))


def zap_domain(actor: Actor, domain: Text) -> None:
    """Set the domain that the authenticator is asked for, at most 255 bytes, before a bind; by default ``global``.

    Only libraries built with drafts have this.
    """
    talk = _talk(actor)
    word = _text.cstring(domain, "domain")
    _check_domain(word)
    _need_drafts("ZAP DOMAIN")
    _dialogue.send(actor, talk, b"ZAP DOMAIN", word)


def _check_domain(word: bytes) -> None:
    if len(word) > _LONGEST_DOMAIN:
        raise ValueError(f"domain must be at most {_LONGEST_DOMAIN} bytes long, not {len(word)}")


def unpublish(actor: Actor, key: Text) -> None:
    """Forget a pair, in this node alone; others keep it, and may bring it back. Only libraries built with drafts."""
    talk = _talk(actor)
    word = _text.cstring(key, "key")
    _check_key(word)
    _need_drafts("UNPUBLISH")
    _dialogue.send(actor, talk, b"UNPUBLISH", word)


# ---------------------------------------------------------------- all


def _vet(state: _actors.State, *words: bytes) -> _commands.Vetted:
    """Vet a command that was typed by hand."""
    command, node = words[0], _node_of(state)
    sent = [command]
    note: Callable[[], object] | None = None
    if command == b"BIND":
        sent.append(_check_bind(node, *_commands.take(words, 1, 1)))
        if not _endpoints.is_usable(sent[1]):
            raise ValueError(f"endpoint {_text.decode(sent[1])!r} cannot be used")
    elif command == b"CONNECT":
        endpoint, *keys = _commands.take(words, 1, 2)
        sent += [_resolve(endpoint), *[_check_peer(node, key) for key in keys]]
        _monitors.refuse_interrupted()
        _room.make(_SOCKETS)
        note = partial(node.endpoints.add, sent[1])
    elif command == b"PUBLISH":
        sent += _commands.take(words, 2, 2)
        _check_pair(*sent[1:])
    elif command in (b"LOAD", b"CONFIGURE"):
        sent += _commands.take(words, 1, 1)
        _check_config(sent[1])
        note = partial(setattr, node, "has_timeout", True)
    elif command == b"SET":
        sent += _check_setting(*_commands.take(words, 2, 2))
        note = partial(setattr, node, "has_timeout", node.has_timeout or sent[1] == _TIMEOUT)
    elif command == b"SAVE":
        sent += _commands.take(words, 1, 1)
        _check_saving(sent[1])
    elif command in _DRAFTS:
        sent += _commands.take(words, 1, 1)
        note = _vet_draft(node, *sent)
    elif command not in (b"STATUS", b"PORT", b"VERBOSE"):
        raise _commands.unknown(state, words)
    return sent, note


def _vet_draft(node: _Node, command: bytes, word: bytes) -> Callable[[], object] | None:
    _need_drafts(command.decode())
    if command == b"UNPUBLISH":
        _check_key(word)
    elif command == b"ZAP DOMAIN":
        _check_domain(word)
    else:
        _key(word, "key")
        return partial(setattr, node, "has_public_key" if command == b"SET PUBLICKEY" else "has_secret_key", True)
    return None


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zgossip_test (bool verbose)``
    """
    from ._selftest import run

    run("zgossip_test", verbose)


def _talk(actor: Actor) -> _dialogue.Dialogue:
    """Return the dialogue with a node that is alive."""
    return _dialogue.dialogue(_actors.running(actor, C.zgossip), _ANSWERS, _STATUS)


def _node(actor: Actor) -> _Node:
    return _node_of(_actors.state_of(actor))


def _node_of(state: _actors.State) -> _Node:
    notes = state.notes
    found: _Node | None = notes.get(_Node)
    if found is None:
        found = notes[_Node] = _Node()
    return found


def _key(key: Text, name: str) -> bytes:
    text = _text.cstring(key, name)
    if _certificates.decode(text) is None:
        raise ValueError(f"{name} must be a key of 40 characters of Z85")
    return text


def _need_drafts(what: str) -> None:
    if not _handles.drafts():
        raise NotImplementedError(f"this libczmq is built without drafts: its zgossip has no {what}")
    if what != "UNPUBLISH" and not C.zsys_has_curve():
        raise NotImplementedError("libzmq is built without CURVE")


if not TYPE_CHECKING:
    from ._alias import aliases

    _find = aliases("zgossip")

    def __getattr__(name: str) -> Any:
        return C.zgossip if name == "actor" else _find(name)
