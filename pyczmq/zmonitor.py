"""zmonitor: what happens to a socket's connections: it listens, a peer is there, has been refused, has gone.

libzmq reports such events for tcp and ipc endpoints. They come as named tuples, with libzmq's names.

    >>> from pyczmq import zctx, zmonitor, zmq, zsocket
    >>> ctx = zctx.new()
    >>> server, client = zsocket.new(ctx, zmq.DEALER), zsocket.new(ctx, zmq.DEALER)
    >>> monitor = zmonitor.new(server)
    >>> zmonitor.listen(monitor, "LISTENING", "ACCEPTED", "HANDSHAKE_SUCCEEDED")
    >>> zmonitor.start(monitor)
    >>> port = zsocket.bind(server, "tcp://127.0.0.1:*")
    >>> event, value, address = zmonitor.recv(monitor)
    >>> event, address == f"tcp://127.0.0.1:{port}"
    ('LISTENING', True)
    >>> zsocket.connect(client, f"tcp://127.0.0.1:{port}")
    0
    >>> zmonitor.recv(monitor).event, zmonitor.recv(monitor).event
    ('ACCEPTED', 'HANDSHAKE_SUCCEEDED')

There are two kinds of monitors, and all functions here take both. `new` makes one for any socket: of a zctx, a zsock,
an actor. It is a socket itself, in the context of the one that it watches, to be polled and to be read with `recv`.
`actor` is CZMQ's own monitor, ``zmonitor (zsock_t *, void *)``, to be started with ``zactor.new(zmonitor.actor,
sock)``: a thread that reads the events in CZMQ's process-wide context, and so for zsocks only.

A socket has one monitor at a time. A monitor keeps its socket alive; when the socket is destroyed a monitor of `new`
has no more to report than what has happened before, and CZMQ's is ended. A monitor may be made and used in another
thread than its socket: libzmq guards that. Each belongs to one thread at a time.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from . import _actors, _commands, _dialogue, _handles, _monitors, _text, _zmq_constants
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from ._types import Actor, CData, Socket, Socketish, Text

    Monitor = Union[Socket, Actor]

    #: C's monitor, for zactor.
    actor: CData

_VOID = ffi.typeof("void *")
_ALL = "ALL"
_ANSWERS = frozenset([_dialogue.SIGNAL])

#: Number -> name.
_NAMES = {
    number: name[len("EVENT_") :]
    for name, number in vars(_zmq_constants).items()
    if name.startswith("EVENT_") and not name.startswith("EVENT_ALL") and number < 0x10000
}
_NUMBERS = {**{name: number for number, name in _NAMES.items()}, _ALL: _zmq_constants.EVENT_ALL}


class Event(NamedTuple):
    """What has happened to a socket.

    *event* is libzmq's name for it: CONNECTED, CONNECT_DELAYED, CONNECT_RETRIED, LISTENING, BIND_FAILED, ACCEPTED,
    ACCEPT_FAILED, CLOSED, CLOSE_FAILED, DISCONNECTED, MONITOR_STOPPED, HANDSHAKE_FAILED_NO_DETAIL,
    HANDSHAKE_SUCCEEDED, HANDSHAKE_FAILED_PROTOCOL or HANDSHAKE_FAILED_AUTH; UNKNOWN for one of a later libzmq.
    *value* is what libzmq says with it: a file descriptor, an errno, milliseconds to the next try, a status of ZAP, one
    of zmq.PROTOCOL_ERROR. *address* is the endpoint.
    """

    event: str
    value: int
    address: str


def new(socket: Socketish) -> Socket:
    """Return a monitor for a socket of a zctx, a zsock or an actor, to be given its events (`listen`) and started.

    It is a socket in the same context, and ends with that. The garbage collector owns it. Raises ValueError for a
    socket of a context that CZMQ does not know, which `zmq.socket_monitor` does for.
    """
    return _monitors.new(socket)


def listen(monitor: Monitor, event: Text, *more: Text) -> None:
    """Report these events from `start` on, besides those named before; ALL stands for all of them.

    Raises ValueError for what is no name of an event (see `Event`), and once the monitor was started.
    """
    names = [_text.decode(_text.encode(name, "event")) for name in (event, *more)]
    for name in names:
        if name not in _NUMBERS:
            raise ValueError(f"event must be one of {', '.join(_NUMBERS)}, not {name!r}")
    found = _find(monitor)
    if found is None:
        _dialogue.send(*_not_started(monitor), b"LISTEN", *map(str.encode, names))
        return
    if found.started:
        raise ValueError("monitor was started before")
    for name in names:
        found.events |= _NUMBERS[name]


def start(monitor: Monitor) -> None:
    """Begin to report; what happens from the return of this call on is not missed.

    Raises ValueError if the monitor was started before, or the socket has another one, and OSError if libzmq cannot.
    """
    found = _find(monitor)
    if found is not None:
        if found.started:
            raise ValueError("monitor was started before")
        found.start(monitor)  # type: ignore[arg-type]
        return
    actor, talk = _not_started(monitor)
    _make_ready(actor)
    _handles.companions(actor)[_monitors.STARTED] = True
    _dialogue.ask(actor, talk, b"START")


def _make_ready(actor: Actor) -> None:
    """Wait until C's monitor can start."""
    socket = _watched(actor)
    if socket is not None:
        from . import _room

        pointer = _handles.socket(socket, "the watched socket")
        _room.make(2)
        _monitors.await_endpoint(pointer)


def verbose(monitor: Monitor) -> None:
    """Have CZMQ's log tell of each event, too.

    A monitor of `new` writes there when it is read.
    """
    found = _find(monitor)
    if found is None:
        _dialogue.send(*_actor(monitor), b"VERBOSE")
    else:
        found.verbose = True


def recv(monitor: Monitor, timeout: int | None = None) -> Event | None:
    """Return the next event; None if there is none in *timeout* milliseconds, -1 for ever.

    With no timeout the monitor's own RCVTIMEO holds, by default for ever. None also means that there is nothing to come
    any more, since the socket was destroyed. Raises ValueError for a monitor of `new` that was not started.
    """
    if timeout is not None:
        timeout = integer(timeout, "timeout")
    found = _find(monitor)
    if found is not None:
        published = found.receive(monitor, timeout)  # type: ignore[arg-type]
        if published is None:
            return None
        number, value, address = published
        event = Event(_NAMES.get(number, "UNKNOWN"), value, _text.decode(address))
        if found.verbose:
            text = _text.encode(f"zmonitor: {event.event} - {event.address}")
            C.zsys_info(b"%s", ffi.new("char[]", text))
        return event
    frames = _dialogue.receive(*_actor(monitor), timeout)
    if frames is None:
        return None
    name, value_text, address = frames
    return Event(_text.decode(name), int(value_text), _text.decode(address))


def destroy(monitor: Monitor | None) -> None:
    """End a monitor now, of either kind; None is let through. The socket that it watched goes on.

    For a monitor of `new` ``zsocket.destroy`` does as well, and for CZMQ's ``zactor.destroy``.
    """
    if monitor is None:
        return
    if _find(monitor) is None:
        from . import zactor

        zactor.destroy(_actor(monitor)[0])
    else:
        _handles.destroy(monitor, _VOID, C.zmq_close, "monitor")


def _vet(state: _actors.State, *words: bytes) -> _commands.Vetted:
    """Vet a command that was typed by hand."""
    command = words[0]
    note = None
    if command == b"LISTEN":
        _commands.take(words, 0)
    elif command == b"START":
        actor = state.handle() if state.handle is not None else None
        if actor is not None:
            _check_not_started(actor)
            _make_ready(actor)
            note = partial(_handles.companions(actor).__setitem__, _monitors.STARTED, True)
    elif command != b"VERBOSE":
        raise _commands.unknown(state, words)
    return list(words), note


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zmonitor_test (bool verbose)``
    """
    from ._selftest import run

    run("zmonitor_test", verbose)


def _find(monitor: Monitor) -> _monitors.Monitor | None:
    """Return what goes with a monitor of `new`, None for an actor."""
    if not isinstance(monitor, ffi.CData) or ffi.typeof(monitor) is not _VOID:
        return None
    _handles.live(monitor, _VOID, "monitor")
    found: _monitors.Monitor | None = (_handles.find_companions(monitor) or {}).get(_monitors.Monitor)
    if found is None:
        raise TypeError("monitor must be a monitor or a zactor_t *, not another socket")
    return found


def _actor(monitor: Monitor) -> tuple[Actor, _dialogue.Dialogue]:
    """Return CZMQ's monitor, and the dialogue with it."""
    actor = _actors.running(monitor, C.zmonitor, "monitor")  # type: ignore[arg-type]
    return actor, _dialogue.dialogue(actor, _ANSWERS)


def _not_started(monitor: Monitor) -> tuple[Actor, _dialogue.Dialogue]:
    """Return CZMQ's monitor if it can be started: C aborts when it is started twice."""
    actor, talk = _actor(monitor)
    _check_not_started(actor)
    return actor, talk


def _check_not_started(actor: Actor) -> None:
    if _handles.companions(actor).get(_monitors.STARTED):
        raise ValueError("monitor was started before")
    socket = _watched(actor)
    if socket is not None:
        # A bare pointer keeps no zsock alive: C aborts when it is started for one that is gone.
        _monitors.check_process_wide(socket)


def _watched(actor: Actor) -> Socketish | None:
    """Return the handle of the socket that an actor was made for; None for an actor of the raw floor."""
    owner = _handles._owned.get(id(actor))
    parents: Any = () if owner is None else owner.parents
    return next(iter(parents), None)


if not TYPE_CHECKING:
    from ._alias import aliases

    _find_alias = aliases("zmonitor")

    def __getattr__(name: str) -> Any:
        return C.zmonitor if name == "actor" else _find_alias(name)
