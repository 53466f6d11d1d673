"""Cycles of sending and receiving: every path, one frame and several, small and of 64 KiB, and those that fail."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from cycles import SOCKETS, add, cycle, has, prepared
from cycles.calls import KIB64, SMALL, refused
from pyczmq import zchunk, zctx, zframe, zhashx, zmq, zmsg, zsock, zsocket, zstr, zuuid

_names = itertools.count()


def pair(kind: str) -> tuple[Any, Any]:
    """Return two connected sockets: zsocks or zsockets, over inproc or TCP."""
    if kind == "zsock":
        name = f"inproc://pair.{next(_names)}"
        left, right = zsock.new_pair(f"@{name}"), zsock.new_pair(f">{name}")
    elif kind == "zsock, tcp":
        left = zsock.new_pair("@tcp://127.0.0.1:*")
        assert left is not None
        right = zsock.new_pair(f">{zsock.endpoint(left)}")
    else:
        ctx = zctx.new()
        left, right = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
        assert left is not None and right is not None
        zsocket.bind(left, "inproc://pair")
        zsocket.connect(right, "inproc://pair")
    for sock in (left, right):
        zsocket.set_rcvtimeo(sock, 10_000)
        zsocket.set_sndtimeo(sock, 10_000)
    return left, right


def path(name: str, once: Callable[[Any, Any], object], *kinds: str) -> None:
    """Add a cycle for each kind of pair: *once* sends by one socket and receives by the other."""
    for kind in kinds or ("zsock", "zsocket"):

        def prepare(kind: str = kind) -> Iterator[Callable[[], object]]:
            left, right = pair(kind)
            yield lambda: once(left, right)

        add(f"{name}, {kind}", prepare, SOCKETS * 10)


def _expect(value: object, wanted: object) -> None:
    assert value == wanted, value


def _zstr(text: str) -> Callable[[Any, Any], object]:
    def once(left: Any, right: Any) -> None:
        zstr.send(left, text)
        _expect(zstr.recv(right), text)

    return once


def _zstr_nowait(left: Any, right: Any) -> None:
    zstr.send(left, SMALL)
    assert zsocket.poll(right, 10_000)
    _expect(zstr.recv_nowait(right), SMALL)
    _expect(zstr.recv_nowait(right), None)


def _zstr_parts(left: Any, right: Any) -> None:
    zstr.sendm(left, SMALL)
    zstr.sendfm(left, "%s", SMALL)
    zstr.sendf(left, "%d", 1)
    _expect(zstr.recvx(right), [SMALL, SMALL, "1"])
    zstr.sendx(left, SMALL, KIB64)
    _expect(zstr.recvx(right), [SMALL, KIB64])


def _zframe(data: str) -> Callable[[Any, Any], object]:
    def once(left: Any, right: Any) -> None:
        zframe.send(zframe.new(data), left)
        received = zframe.recv(right)
        assert zframe.streq(received, data)
        zframe.destroy(received)

    return once


def _zframe_reuse(left: Any, right: Any) -> None:
    frame = zframe.new(KIB64)
    view = zframe.data(frame)
    zframe.send(frame, left, zframe.REUSE + zframe.MORE)
    zframe.send(frame, left)
    first = zframe.recv(right)
    second = zframe.recv(right)
    assert zframe.more(first) and not zframe.more(second)
    zframe.destroy(first)
    zframe.destroy(second)
    assert len(view) == len(KIB64)


def _zframe_lent(left: Any, right: Any) -> None:
    zframe.send(zframe.frommem(bytearray(b"lent"), lambda hint: None, ["hint"]), left)
    zframe.destroy(zframe.recv(right))


def _zframe_nowait(left: Any, right: Any) -> None:
    _expect(zframe.recv_nowait(right), None)
    zframe.send(zframe.new(SMALL), left)
    assert zsocket.poll(right, 10_000)
    zframe.destroy(zframe.recv_nowait(right))


def _zmsg(data: str) -> Callable[[Any, Any], object]:
    def once(left: Any, right: Any) -> None:
        message = zmsg.new()
        for part in (data, b"", "last"):
            zmsg.addmem(message, part)
        lent = zmsg.first(message)
        zmsg.send(message, left)
        received = zmsg.recv(right)
        _expect(zmsg.size(received), 3)
        zmsg.first(received)
        zmsg.destroy(received)
        del lent

    return once


def _zmsg_sendm(left: Any, right: Any) -> None:
    first, second = zmsg.new(), zmsg.new()
    zmsg.addstr(first, "first")
    zmsg.addstr(second, "second")
    zmsg.sendm(first, left)
    zmsg.send(second, left)
    received = zmsg.recv(right)
    _expect(zmsg.size(received), 2)
    zmsg.destroy(received)


def _zmsg_nowait(left: Any, right: Any) -> None:
    _expect(zmsg.recv_nowait(right), None)
    message = zmsg.new()
    zmsg.addstr(message, SMALL)
    zmsg.send(message, left)
    assert zsocket.poll(right, 10_000)
    zmsg.destroy(zmsg.recv_nowait(right))


def _signals(left: Any, right: Any) -> None:
    zsocket.signal(left, 1)
    _expect(zsocket.wait(right), 1)
    zsock.signal(left, 2)
    _expect(zsock.wait(right), 2)


def _flush(left: Any, right: Any) -> None:
    zstr.sendx(left, *["text"] * 5)
    assert zsocket.poll(right, 10_000)
    zstr.recv(right)
    zsock.flush(right)
    _expect(zsocket.poll(right, 0), False)


def _pictures(left: Any, right: Any) -> None:
    # Sending takes a message or a frame over where it is the picture's last word, and copies them otherwise.
    chunk, frame, uuid, table = zchunk.new(b"chunk"), zframe.new(b"frame"), zuuid.new(), zhashx.new()
    zhashx.insert(table, "key", "value")
    message = zmsg.new()
    zmsg.addstr(message, "part")
    zsock.send(left, "i1248sbcfUhpzm", -1, 1, 2, 4, 8, KIB64, b"bytes", chunk, frame, uuid, table, chunk, message)
    received = zsock.recv(right, "i1248sbcfUhpzm")
    assert received is not None and received[5] == KIB64
    zframe.destroy(received[8])
    zmsg.destroy(received[12])
    for left_over in (frame, message):
        (zframe.destroy if left_over is frame else zmsg.destroy)(left_over)
    zsock.vsend(left, "ss", ["a", "b"])
    _expect(zsock.vrecv(right, "ss"), ("a", "b"))


def _binary_pictures(left: Any, right: Any) -> None:
    chunk, frame, message = zchunk.new(b"chunk"), zframe.new(b"frame"), zmsg.new()
    zmsg.addstr(message, "part")
    zsock.bsend(left, "1248sScfm", 1, 2, 4, 8, "short", KIB64, chunk, frame, message)
    received = zsock.brecv(right, "1248sScfm")
    assert received is not None and received[5] == KIB64
    zframe.destroy(received[7])
    zmsg.destroy(received[8])
    zframe.destroy(frame)
    zmsg.destroy(message)


def _pictures_refused(left: Any, right: Any) -> None:
    """What the picture does not say, or what came is not what it says."""
    for picture, args in (("si", ("text", "text")), ("?", (1,)), ("f", (None,)), ("ss", ("one",))):
        refused(zsock.send, left, picture, *args)
    zstr.send(left, "no number")
    zsock.recv(right, "8")
    zstr.send(left, "no binary picture")
    zsock.brecv(right, "SSm")


def _zmq_send(data: bytes) -> Callable[[Any, Any], object]:
    def once(left: Any, right: Any) -> None:
        zmq.send(left, data)
        _expect(zmq.recv(right), data)
        zmq.send_const(left, data, zmq.SNDMORE)
        zmq.send(left, memoryview(data))
        _expect((zmq.recv(right), zmq.recv(right)), (data, data))
        buffer = bytearray(len(data))
        zmq.send(left, data)
        _expect(zmq.recv(right, buffer, len(data), 0), len(data))

    return once


def _zmq_msg(data: bytes) -> Callable[[Any, Any], object]:
    def once(left: Any, right: Any) -> None:
        zmq.msg_send(zmq.msg_init_buffer(data), left, 0)
        zmq.msg_send(zmq.msg_init_data(bytearray(data)), left, 0)
        message = zmq.msg_init()
        _expect(zmq.msg_recv(message, right, 0), len(data))
        view = zmq.msg_data(message)
        _expect(zmq.msg_recv(message, right, 0), len(data))
        _expect(len(view), len(data))
        zmq.msg_close(message)
        zmq.sendmsg(left, zmq.msg_init_buffer(data))
        again = zmq.msg_init()
        zmq.recvmsg(right, again)
        zmq.sendiov(left, [data, data], zmq.SNDMORE)
        _expect(zmq.recviov(right, 2), [data, data])

    return once


def _sendmem(data: bytes) -> Callable[[Any, Any], object]:
    def once(left: Any, right: Any) -> None:
        zsocket.sendmem(left, data, zframe.MORE)
        zsocket.sendmem(left, data)
        _expect((zmq.recv(right), zmq.recv(right)), (data, data))

    return once


def _refused(left: Any, right: Any) -> None:
    """Nothing is sent by any of these."""
    gone = zframe.new(b"gone")
    zframe.destroy(gone)
    calls: list[tuple[Callable[..., object], tuple[Any, ...]]] = [
        (zstr.send, (left, None)),
        (zstr.sendx, (left, "one", None)),
        (zstr.sendf, (left, "%d", "text")),
        (zframe.send, (gone, left)),
        (zmsg.send, (None, left)),
        (zmq.send, (left, 1.5)),
        (zsocket.sendmem, (left, [1, 2])),
        (zstr.recv, ("no socket",)),
    ]
    for function, args in calls:
        refused(function, *args)
    _expect(zsocket.poll(right, 0), False)


for _size, _text in (("small", SMALL), ("64 KiB", KIB64)):
    path(f"zstr.send and recv, {_size}", _zstr(_text), "zsock", "zsocket", "zsock, tcp")
    path(f"zframe.send and recv, {_size}", _zframe(_text), "zsock", "zsocket", "zsock, tcp")
    path(f"zmsg.send and recv, {_size}", _zmsg(_text), "zsock", "zsocket", "zsock, tcp")
    path(f"zmq.send and recv, {_size}", _zmq_send(_text.encode()))
    path(f"zmq.msg_send and msg_recv, {_size}", _zmq_msg(_text.encode()))
    path(f"zsocket.sendmem, {_size}", _sendmem(_text.encode()))
path("zstr.recv_nowait", _zstr_nowait)
path("zstr, several frames", _zstr_parts)
path("zframe.send, reused", _zframe_reuse)
if has("zframe_frommem"):
    path("zframe.send, lent memory", _zframe_lent)
path("zframe.recv_nowait", _zframe_nowait)
path("zmsg.sendm", _zmsg_sendm)
path("zmsg.recv_nowait", _zmsg_nowait)
path("signal and wait", _signals)
path("zsock.flush", _flush)
path("zsock.send and recv, pictures", _pictures)
path("zsock.bsend and brecv", _binary_pictures)
path("pictures that are refused", _pictures_refused)
path("what is refused", _refused)

if has("zstr_send_compress"):

    def _compressed(left: Any, right: Any) -> None:
        zstr.sendm_compress(left, SMALL)
        zstr.send_compress(left, KIB64)
        _expect((zstr.recv_compress(right), zstr.recv_compress(right)), (SMALL, KIB64))

    path("zstr.send_compress", _compressed)


# ---------------------------------------------------------------- what does not get through


def _timeouts(sock: Any) -> None:
    """Receive by every call that waits, where nothing comes."""
    for receive in (zstr.recv, zstr.recvx, zframe.recv, zmsg.recv, zmq.recv):
        _expect(receive(sock), None)
    _expect(zsock.recv(sock, "s"), None)
    _expect(zsock.brecv(sock, "s"), None)
    _expect(zsock.wait(sock), -1)
    _expect(zmq.msg_recv(zmq.msg_init(), sock, 0), -1)
    _expect(zmq.recviov(sock, 2), None)


@prepared("every recv, RCVTIMEO 0", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    left, right = pair("zsock")
    zsock.set_rcvtimeo(right, 0)
    yield lambda: _timeouts(right)
    zsock.destroy(left)


@prepared("every recv that times out", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    left, right = pair("zsock")
    zsock.set_rcvtimeo(right, 1)
    turns = itertools.cycle((zstr.recv, zstr.recvx, zframe.recv, zmsg.recv, zmq.recv))

    def once() -> None:
        _expect(next(turns)(right), None)

    yield once
    zsock.destroy(left)


def _unsent(sock: Any) -> None:
    """Send by every call, where nobody takes it."""
    frame, message = zframe.new(KIB64), zmsg.new()
    zmsg.addstr(message, SMALL)
    for text in (SMALL, KIB64):
        _expect(zstr.send(sock, text), -1)
    _expect(zstr.sendx(sock, SMALL, SMALL), -1)
    _expect(zframe.send(frame, sock), -1)
    _expect(zmsg.send(message, sock), -1)
    _expect(zmq.send(sock, b"data"), -1)
    unsent = zmq.msg_init_buffer(KIB64)
    _expect(zmq.msg_send(unsent, sock, 0), -1)
    _expect(zsocket.sendmem(sock, b"data"), -1)
    _expect(zsock.send(sock, "sfm", SMALL, frame, message), -1)
    _expect(zsock.bsend(sock, "sfm", SMALL, frame, message), -1)
    _expect(zsock.signal(sock), -1)
    zframe.destroy(frame)
    zmsg.destroy(message)


@prepared("every send that nobody takes", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    push = zsock.new(zmq.PUSH)
    zsock.set_sndtimeo(push, 0)
    yield lambda: _unsent(push)


@prepared("several frames that meet the high-water mark", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    """Fill a pipe, then fail to send a message of several frames, then empty it."""
    push, pull = zsock.new(zmq.PUSH), zsock.new(zmq.PULL)
    zsock.set_sndhwm(push, 5)
    zsock.set_rcvhwm(pull, 5)
    zsock.set_sndtimeo(push, 0)
    zsock.set_rcvtimeo(pull, 0)
    zsock.bind(pull, "inproc://marked")
    zsock.connect(push, "inproc://marked")

    def once() -> None:
        while zstr.sendx(push, SMALL, KIB64) == 0:
            pass
        sent = 0
        while sent == 0:
            message = zmsg.new()
            zmsg.addstr(message, SMALL)
            zmsg.addstr(message, KIB64)
            sent = zmsg.send(message, push)
        zmsg.destroy(message)
        while zstr.recvx(pull):
            pass

    yield once


@cycle("sockets that are closed with messages unread", SOCKETS)
def _unread() -> None:
    push, pull = pair("zsock")
    for _ in range(5):
        zstr.sendx(push, SMALL, KIB64)
    zsock.destroy(pull)
    zsock.destroy(push)


@prepared("zmsg: REQ and REP over tcp", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    rep = zsock.new_rep("@tcp://127.0.0.1:*")
    req = zsock.new_req(f">{zsock.endpoint(rep)}")

    def once() -> None:
        zstr.sendx(req, SMALL, KIB64)
        question = zmsg.recv(rep)
        zmsg.send(question, rep)
        zmsg.destroy(zmsg.recv(req))

    yield once


@prepared("zmsg: ROUTER and DEALER over tcp, envelopes", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    router = zsock.new_router("@tcp://127.0.0.1:*")
    dealer = zsock.new_dealer(f">{zsock.endpoint(router)}")

    def once() -> None:
        zstr.sendx(dealer, "", SMALL)
        question = zmsg.recv(router)
        envelope = zmsg.unwrap(question)
        zmsg.wrap(question, envelope)
        zmsg.send(question, router)
        zmsg.destroy(zmsg.recv(dealer))

    yield once


@prepared("PUB and SUB: subscriptions come and go", SOCKETS * 10)
def _() -> Iterator[Callable[[], object]]:
    pub = zsock.new_xpub("@inproc://subscriptions")
    sub = zsock.new_sub(">inproc://subscriptions", "always")
    zframe.destroy(zframe.recv(pub))

    def once() -> None:
        zsock.set_subscribe(sub, "topic")
        zframe.destroy(zframe.recv(pub))
        zstr.send(pub, "topic")
        zstr.send(pub, "another")
        _expect(zstr.recv(sub), "topic")
        zsock.set_unsubscribe(sub, "topic")
        zframe.destroy(zframe.recv(pub))

    yield once
