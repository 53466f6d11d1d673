"""Endpoints and connections that libzmq aborts over: each is stopped before."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import children
import common
import pytest

import pyczmq
from pyczmq import C, zctx, zmq, zsock, zsocket, zstr

_names = (f"inproc://endpoints.{number}" for number in itertools.count())


@pytest.fixture
def ctx() -> Iterator[Any]:
    made = zctx.new()
    yield made
    zctx.destroy(made)


def in_zctx(kind: int) -> Any:
    """Return a socket of a zctx, which it keeps alive."""
    return zsocket.new(_CONTEXT, kind)


_CONTEXT = zctx.new()
_RAW = zmq.ctx_new()


def in_libzmqs_context(kind: int) -> Any:
    return zmq.socket(_RAW, kind)


#: How sockets are made, bound, connected and disconnected on each floor.
FLOORS: dict[str, tuple[Callable[..., Any], ...]] = {
    "zsocket": (in_zctx, zsocket.bind, zsocket.connect, zsocket.disconnect),
    "zsock": (zsock.new, zsock.bind, zsock.connect, zsock.disconnect),
    "zmq": (in_libzmqs_context, zmq.bind, zmq.connect, zmq.disconnect),
}


@pytest.mark.parametrize("floor", FLOORS)
def test_stream_has_no_inproc(floor: str) -> None:
    """A STREAM, which is for tcp, neither binds nor connects to inproc: libzmq would abort at the first message."""
    new, bind, connect, _ = FLOORS[floor]
    stream = new(zmq.STREAM)
    for function in bind, connect:
        assert function(stream, next(_names)) == -1
        assert zmq.errno() == zmq.ENOCOMPATPROTO
    assert bind(stream, "tcp://127.0.0.1:*") >= 0
    if floor == "zmq":
        zmq.close(stream)


@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize("kind", [zmq.REP, zmq.ROUTER])
def test_waiting_connection_cannot_be_taken_back(floor: str, kind: int) -> None:
    """A REP or ROUTER that waits for its inproc peer refuses to disconnect; once somebody has bound the name, it does.

    libzmq would abort as soon as anybody binds the name.
    """
    new, bind, connect, disconnect = FLOORS[floor]
    waits, binds, name = new(kind), new(zmq.DEALER), next(_names)
    assert connect(waits, name) == 0
    with pytest.raises(ValueError, match="was bound by nobody yet"):
        disconnect(waits, name)
    assert bind(binds, name) == 0
    assert disconnect(waits, name) == 0
    # Bound before it connects: nothing waits, whatever becomes of the peer.
    assert connect(waits, name) == 0
    if floor == "zmq":
        zmq.close(binds)
    del binds
    assert disconnect(waits, name) == 0
    if floor == "zmq":
        zmq.close(waits)


def test_name_bound_by_c_is_noticed() -> None:
    """A waiting connection can be taken back once C has bound its name."""
    router, name = zsock.new(zmq.ROUTER), next(_names)
    zsock.connect(router, name)
    binder = C.zsock_new_dealer(f"@{name}".encode())
    assert zsock.disconnect(router, name) == 0
    C.zsock_destroy(pyczmq.ffi.new("zsock_t **", binder))


@pytest.mark.parametrize("kind", [zmq.PAIR, zmq.PUB, zmq.SUB, zmq.REQ, zmq.DEALER, zmq.PULL, zmq.PUSH])
def test_others_that_wait_may_disconnect(ctx: Any, kind: int) -> None:
    """Sockets of other types disconnect before and after their inproc peer is there."""
    socket, name = zsocket.new(ctx, kind), next(_names)
    assert zsocket.connect(socket, name) == 0
    assert zsocket.disconnect(socket, name) == 0
    assert zsocket.bind(zsocket.new(ctx, zmq.ROUTER), name) == 0


def test_pair_does_not_bind_where_a_router_waits(ctx: Any) -> None:
    """A PAIR would turn the second ROUTER away, and libzmq abort; where the ROUTER has gone it can bind."""
    routers, name = [zsocket.new(ctx, zmq.ROUTER) for _ in range(2)], next(_names)
    for router in routers:
        zsocket.connect(router, name)
    pair = zsocket.new(ctx, zmq.PAIR)
    assert zsocket.bind(pair, name) == -1
    assert zmq.errno() == zmq.ENOCOMPATPROTO
    assert zsocket.bind(pair, next(_names)) == 0


@pytest.mark.parametrize("transport", ["inproc", "tcp"])
def test_no_disconnecting_within_a_message(ctx: Any, transport: str) -> None:
    """While a message was received in part its socket does not disconnect: libzmq would abort, looking for the rest."""
    push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
    endpoint = next(_names)
    port = zsocket.bind(push, endpoint if transport == "inproc" else "tcp://127.0.0.1:*")
    if transport == "tcp":
        endpoint = f"tcp://127.0.0.1:{port}"
    zsocket.connect(pull, endpoint)
    zstr.sendx(push, "one", "two", "three")
    assert zstr.recv(pull) == "one"
    with pytest.raises(ValueError, match="received a message in part"):
        zsocket.disconnect(pull, endpoint)
    zsock.flush(pull)
    assert zsocket.disconnect(pull, endpoint) == 0
    zsocket.set_rcvtimeo(pull, 0)
    assert zstr.recv(pull) is None


def test_high_water_mark_after_an_inproc_peer_was_disconnected(ctx: Any) -> None:
    """Once one was disconnected, a socket with an inproc endpoint keeps its marks: its peer may be freed by then."""
    push, pull, name = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL), next(_names)
    zsocket.bind(push, name)
    zsocket.connect(pull, name)
    zsocket.set_sndhwm(push, 5)
    zsocket.disconnect(pull, name)
    for change in (
        lambda: zsocket.set_sndhwm(push, 7),
        lambda: zsocket.set_hwm(push, 7),
        lambda: zsock.set_unbounded(push),
        lambda: zmq.setsockopt(push, zmq.RCVHWM, 7),
    ):
        with pytest.raises(ValueError, match="a socket was disconnected from one since"):
            change()
    assert zsocket.sndhwm(push) == 5
    zsocket.set_sndhwm(zsocket.new(ctx, zmq.PUSH), 7)


def test_high_water_mark_of_a_pair_that_has_turned_one_away(ctx: Any) -> None:
    """A PAIR takes no second connection: that ends at once, and the marks stay as they are from then on."""
    pair, name = zsocket.new(ctx, zmq.PAIR), next(_names)
    zsocket.bind(pair, name)
    others = [zsocket.new(ctx, zmq.PAIR) for _ in range(2)]
    zsocket.connect(others[0], name)
    zsocket.set_sndhwm(pair, 5)
    zsocket.connect(others[1], name)
    for socket in pair, *others[:1]:
        with pytest.raises(ValueError, match="a socket was disconnected from one since"):
            zsocket.set_sndhwm(socket, 7)


@pytest.mark.parametrize("world", ["zctx", "zsys", "zmq"])
def test_high_water_mark_while_inproc_peers_are_closed(world: str) -> None:
    """The marks of a socket with an inproc endpoint can be changed when its peers were closed."""
    children.check(
        f"world = {world!r}"
        """
from pyczmq import zctx, zmq, zsock, zsocket, zstr, zsys
if world == "zctx":
    ctx = zctx.new()
    new, close = (lambda kind: zsocket.new(ctx, kind)), (lambda socket: zsocket.destroy(ctx, socket))
elif world == "zsys":
    new, close = zsock.new, zsock.destroy
else:
    context = zmq.ctx_new()
    new, close = (lambda kind: zmq.socket(context, kind)), zmq.close
module = zsock if world == "zsys" else zsocket
server = new(zmq.DEALER)
zsock.set_rcvtimeo(server, 10000)
assert module.bind(server, "inproc://server") == 0
for number in range(100):
    clients = [new(zmq.DEALER) for _ in range(3)]
    for client in clients:
        module.connect(client, "inproc://server")
        zstr.send(client, "x")
        assert zstr.recv(server) == "x"
    for client in clients[number % 2:]:
        close(client)
    zsock.set_sndhwm(server, 10 + number)
    zsock.set_rcvhwm(server, 10 + number)
    for client in clients[:number % 2]:
        zsock.set_sndhwm(client, 10 + number)
        close(client)
close(server)
""",
        MALLOC_PERTURB_="165",
    )


def test_high_water_mark_while_tcp_peers_come_and_go() -> None:
    """The marks of a socket with a tcp endpoint can be changed at any time."""
    children.check(
        """
        from pyczmq import zctx, zmq, zsocket, zstr
        ctx = zctx.new()
        server = zsocket.new(ctx, zmq.DEALER)
        port = zsocket.bind(server, "tcp://127.0.0.1:*")
        for number in range(40):
            client = zsocket.new(ctx, zmq.PUSH if number % 2 else zmq.DEALER)
            zsocket.connect(client, f"tcp://127.0.0.1:{port}")
            if number % 2 == 0:
                zstr.send(client, "x")
                assert zstr.recv(server) == "x"
            zsocket.destroy(ctx, client)
            zsocket.set_sndhwm(server, 10 + number)
        """
    )


def test_names_are_forgotten_with_their_sockets(ctx: Any) -> None:
    """What is known of inproc names, bound or not, goes with the sockets that have used them."""
    from pyczmq import _inproc

    common.collect()
    before = len(_inproc._names)
    for number in range(100):
        for kind in zmq.PUSH, zmq.ROUTER, zmq.PAIR:
            sock = zsocket.new(ctx, kind)
            assert zsocket.connect(sock, f"inproc://{number}") == 0
            zsocket.destroy(ctx, sock)
    del sock
    common.collect()
    assert len(_inproc._names) == before


@pytest.mark.parametrize("floor", ["zctx", "zmq", "objects", "process-wide"])
def test_contexts_end_while_sockets_wait_for_a_name(floor: str) -> None:
    """libzmq binds the names that are waited for as a context ends, and frees twice what is being closed meanwhile."""
    children.check(
        f"""
        import random
        from pyczmq import Context, zctx, zmq, zsock, zsocket, zsys
        dice = random.Random(7)
        kinds = zmq.PAIR, zmq.DEALER, zmq.PUSH, zmq.PULL, zmq.ROUTER, zmq.SUB, zmq.PUB, zmq.REQ, zmq.REP

        def in_zctx(sizes):
            ctx = zctx.new()
            for size in sizes:
                sock = zsocket.new(ctx, dice.choice(kinds))
                for _ in range(size):
                    zsocket.connect(sock, f"inproc://{{dice.randint(0, 1)}}")
            zctx.destroy(ctx)

        def in_libzmqs(sizes):
            ctx = zmq.ctx_new()
            socks = [zmq.socket(ctx, dice.choice(kinds)) for _ in sizes]
            for sock, size in zip(socks, sizes):
                for _ in range(size):
                    zmq.connect(sock, f"inproc://{{dice.randint(0, 1)}}")
            for sock in socks:
                zmq.close(sock)
            zmq.ctx_term(ctx)

        def in_objects(sizes):
            with Context() as context:
                for size in sizes:
                    sock = context.socket(dice.choice(kinds))
                    for _ in range(size):
                        sock.connect(f"inproc://{{dice.randint(0, 1)}}")

        def in_process_wide(sizes):
            socks = [zsock.new(dice.choice(kinds)) for _ in sizes]
            for sock, size in zip(socks, sizes):
                for _ in range(size):
                    zsock.connect(sock, f"inproc://{{dice.randint(0, 1)}}")
            for sock in socks:
                zsock.destroy(sock)
            zsys.shutdown()

        once = {{"zctx": in_zctx, "zmq": in_libzmqs, "objects": in_objects, "process-wide": in_process_wide}}[{floor!r}]
        for _ in range(100):
            once([dice.randint(1, 3) for _ in range(dice.randint(2, 10))])
        """
    )
