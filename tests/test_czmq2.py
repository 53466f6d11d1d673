"""The CZMQ 2 functions of the raw floor, in C's own shapes: printf formats, pointers to pointers, text to be freed."""

from __future__ import annotations

import errno
import time
from typing import Any

import pytest
from common import collect

from pyczmq import C, _zsockopt_table, ffi, zsocket

PAIR, SUB, REQ, DEALER, ROUTER, PULL, PUSH = 0, 2, 3, 5, 6, 7, 8


@pytest.fixture
def ctx() -> Any:
    """A context of the raw floor, destroyed afterwards."""
    pointer = C.zctx_new()
    yield pointer
    destroy(pointer)


def destroy(pointer: Any) -> None:
    """Destroy a context as C does, through a pointer that becomes NULL."""
    reference = ffi.new("zctx_t **", pointer)
    C.zctx_destroy(reference)
    assert reference[0] == ffi.NULL
    C.zctx_destroy(reference)


def text(pointer: Any) -> bytes:
    """The text of a fresh ``char *``, which is freed."""
    found = ffi.string(pointer)
    C.zstr_free(ffi.new("char **", pointer))
    return found


def number(value: int) -> Any:
    """An int for the variadic part of a C function."""
    return ffi.cast("int", value)


# ---------------------------------------------------------------- zctx


def test_context_without_sockets() -> None:
    """A context is made, and destroyed through a pointer to it; NULL is let through."""
    pointer = C.zctx_new()
    assert ffi.typeof(pointer) is ffi.typeof("zctx_t *")
    assert C.zctx_underlying(pointer) == ffi.NULL
    destroy(pointer)


def test_context_with_busy_sockets(ctx: Any) -> None:
    """CZMQ 2's own example: many sockets that are connected to nobody are closed with their context."""
    C.zctx_set_iothreads(ctx, 1)
    C.zctx_set_linger(ctx, 5)
    for kind in (PAIR, DEALER, REQ, 4, 1, SUB):
        socket = C.zsocket_new(ctx, kind)
        assert socket
        assert C.zsocket_connect(socket, b"tcp://127.0.0.1:%d", number(9)) == 0
    assert C.zctx_underlying(ctx) != ffi.NULL


def test_settings(ctx: Any) -> None:
    """The settings of the context go into its sockets."""
    C.zctx_set_sndhwm(ctx, 3)
    C.zctx_set_rcvhwm(ctx, 4)
    C.zctx_set_pipehwm(ctx, 5)
    C.zctx_set_iothreads(ctx, 2)
    socket = C.zsocket_new(ctx, PUSH)
    assert (C.zsocket_sndhwm(socket), C.zsocket_rcvhwm(socket)) == (3, 4)
    assert C.zmq_ctx_get(C.zctx_underlying(ctx), C.ZMQ_IO_THREADS) == 2


def test_shadows(ctx: Any) -> None:
    """A shadow shares libzmq's context, copies the settings, closes its own sockets only, and never ends it."""
    C.zctx_set_sndhwm(ctx, 3)
    shadow = C.zctx_shadow(ctx)
    assert C.zctx_underlying(shadow) == C.zctx_underlying(ctx) != ffi.NULL
    mine, theirs = C.zsocket_new(ctx, PAIR), C.zsocket_new(shadow, PAIR)
    assert C.zsocket_sndhwm(theirs) == 3
    assert C.zsocket_bind(mine, b"inproc://czmq2.shadow") == 0
    assert C.zsocket_connect(theirs, b"inproc://czmq2.shadow") == 0
    assert C.zstr_send(theirs, b"hello") == 0
    assert text(C.zstr_recv(mine)) == b"hello"
    destroy(shadow)
    assert C.zsocket_new(ctx, PAIR) != ffi.NULL


def test_context_is_destroyed_before_its_shadow() -> None:
    """Where C would wait for ever for the shadow's sockets they are closed; the shadow is still C's to destroy."""
    pointer = C.zctx_new()
    shadow = C.zctx_shadow(pointer)
    assert C.zsocket_new(shadow, PAIR)
    destroy(pointer)
    assert C.zsocket_new(shadow, PAIR) == ffi.NULL
    assert ffi.errno == C.ETERM
    assert C.zctx_underlying(shadow) == ffi.NULL
    second = C.zctx_shadow(shadow)
    assert C.zsocket_new(second, PAIR) == ffi.NULL
    destroy(second)
    destroy(shadow)


def test_shadow_of_a_libzmq_context() -> None:
    """Any context of libzmq can be shadowed, and outlives its shadow."""
    underlying = C.zmq_ctx_new()
    shadow = C.zctx_shadow_zmq_ctx(underlying)
    assert C.zctx_underlying(shadow) == underlying
    assert C.zsocket_new(shadow, PAIR)
    destroy(shadow)
    assert C.zmq_ctx_term(underlying) == 0


def test_shadow_of_a_context_by_its_pointer() -> None:
    """A shadow of our own context's libzmq context is one of its shadows, too, and does not make it hang."""
    pointer = C.zctx_new()
    C.zsocket_new(pointer, PAIR)
    shadow = C.zctx_shadow_zmq_ctx(C.zctx_underlying(pointer))
    C.zsocket_new(shadow, PAIR)
    destroy(pointer)
    destroy(shadow)


def test_raw_context_belongs_to_its_maker() -> None:
    """The garbage collector leaves what the raw floor made alone."""
    pointer = C.zctx_new()
    left, right = C.zsocket_new(pointer, PAIR), C.zsocket_new(pointer, PAIR)
    address = int(ffi.cast("uintptr_t", pointer))
    del pointer
    collect()
    assert C.zsocket_bind(left, b"inproc://czmq2.owner") == 0
    assert C.zsocket_connect(right, b"inproc://czmq2.owner") == 0
    destroy(ffi.cast("zctx_t *", address))


def test_context_that_is_none() -> None:
    """A pointer to no context, or to one that was destroyed, is a ValueError where C would crash."""
    pointer = C.zctx_new()
    copy = ffi.cast("zctx_t *", pointer)
    destroy(pointer)
    for gone in (copy, ffi.cast("zctx_t *", 8)):
        with pytest.raises(ValueError, match="not a zctx_t that is alive"):
            C.zctx_set_linger(gone, 1)
        with pytest.raises(ValueError, match="not a zctx_t that is alive"):
            C.zsocket_new(gone, PAIR)


# ---------------------------------------------------------------- zsocket


def test_formats(ctx: Any) -> None:
    """Endpoints are printf formats, as in C."""
    server, client = C.zsocket_new(ctx, PULL), C.zsocket_new(ctx, PUSH)
    host = ffi.new("char[]", b"127.0.0.1")
    port = C.zsocket_bind(server, b"tcp://%s:*", host)
    assert zsocket.DYNFROM <= port <= zsocket.DYNTO
    assert C.zsocket_connect(client, b"tcp://%s:%d", host, number(port)) == 0
    assert C.zstr_send(client, b"through") == 0
    assert text(C.zstr_recv(server)) == b"through"
    assert C.zsocket_disconnect(client, b"tcp://%s:%d", host, number(port)) == 0
    assert C.zsocket_unbind(server, b"tcp://%s:%d", host, number(port)) == 0
    assert C.zsocket_unbind(server, b"tcp://%s:%d", host, number(port)) == -1
    assert C.zsocket_connect(client, b"txp://%s", host) == -1
    assert C.zsocket_bind(server, b"txp://%s", host) == -1
    again = C.zsocket_bind(server, b"tcp://%s:![%d-%d]", host, number(50000), number(60000))
    assert 50000 <= again <= 60000


def test_poll_and_sendmem(ctx: Any) -> None:
    """sendmem sends as many bytes as it is told; poll sees them come."""
    left, right = C.zsocket_new(ctx, PAIR), C.zsocket_new(ctx, PAIR)
    C.zsocket_bind(left, b"inproc://czmq2.poll")
    C.zsocket_connect(right, b"inproc://czmq2.poll")
    start = time.monotonic()
    assert C.zsocket_poll(right, 50) is False
    assert time.monotonic() - start > 0.04
    assert C.zsocket_sendmem(left, b"first|rest", 5, 1) == 0
    assert C.zsocket_sendmem(left, ffi.new("char[]", b"last"), 4, 0) == 0
    assert C.zsocket_poll(right, 1000) is True
    assert text(C.zstr_recv(right)) == b"first"
    assert C.zsocket_rcvmore(right) == 1
    assert text(C.zstr_recv(right)) == b"last"
    lonely = C.zsocket_new(ctx, PUSH)
    assert C.zsocket_sendmem(lonely, b"x", 1, 4) == -1
    assert ffi.errno == errno.EAGAIN


def test_signals(ctx: Any) -> None:
    """A signal is waited for."""
    left, right = C.zsocket_new(ctx, PAIR), C.zsocket_new(ctx, PAIR)
    C.zsocket_bind(left, b"inproc://czmq2.signal")
    C.zsocket_connect(right, b"inproc://czmq2.signal")
    assert C.zsocket_signal(left) == 0
    assert C.zsocket_wait(right) == 0


def test_type_names(ctx: Any) -> None:
    """The names are constants of C's: nobody frees them, and they stay."""
    names = [C.zsocket_type_str(C.zsocket_new(ctx, kind)) for kind in (PUSH, PULL, PUSH)]
    assert [ffi.string(name) for name in names] == [b"PUSH", b"PULL", b"PUSH"]
    assert names[0] == names[2]


def test_destroy_of_one_socket(ctx: Any) -> None:
    """A socket that is destroyed is closed; a pointer that is none of the context's is let be."""
    socket = C.zsocket_new(ctx, PAIR)
    assert C.zsocket_bind(socket, b"inproc://czmq2.destroy") == 0
    C.zsocket_destroy(ctx, socket)
    C.zsocket_destroy(ctx, socket)
    C.zsocket_destroy(ctx, ffi.NULL)


def test_unknown_type(ctx: Any) -> None:
    """NULL, with errno."""
    assert C.zsocket_new(ctx, 999) == ffi.NULL
    assert ffi.errno == errno.EINVAL


# ---------------------------------------------------------------- options


def test_number_options(ctx: Any) -> None:
    """Numbers go in and come out as C's int; what C asserts is a ValueError."""
    socket = C.zsocket_new(ctx, DEALER)
    for name, value in (("rcvhwm", 5), ("linger", 0), ("affinity", 1), ("maxmsgsize", 100), ("ipv6", 1), ("rate", 50)):
        getattr(C, f"zsocket_set_{name}")(socket, value)
        assert getattr(C, f"zsocket_{name}")(socket) == value
    assert C.zsocket_type(socket) == DEALER
    assert C.zsocket_fd(socket) >= 0
    with pytest.raises(ValueError, match="rcvhwm"):
        C.zsocket_set_rcvhwm(socket, -1)


def test_text_options(ctx: Any) -> None:
    """Text goes in as bytes or ``char *``, up to its NUL, and comes out as a ``char *`` to be freed."""
    socket = C.zsocket_new(ctx, DEALER)
    C.zsocket_set_identity(socket, b"me")
    assert text(C.zsocket_identity(socket)) == b"me"
    C.zsocket_set_identity(socket, ffi.new("char[]", b"somebody"))
    assert text(C.zsocket_routing_id(socket)) == b"somebody"
    C.zsocket_set_identity(socket, b"cut\0here")
    assert text(C.zsocket_identity(socket)) == b"cut"
    assert text(C.zsocket_last_endpoint(socket)) == b""
    assert C.zsocket_bind(socket, b"inproc://czmq2.text") == 0
    assert text(C.zsocket_last_endpoint(socket)) == b"inproc://czmq2.text"
    sub = C.zsocket_new(ctx, SUB)
    C.zsocket_set_subscribe(sub, b"")
    C.zsocket_set_unsubscribe(sub, b"")


@pytest.mark.skipif(not C.zmq_has(b"curve"), reason="this libzmq has no CURVE")
def test_keys(ctx: Any) -> None:
    """Keys are Z85 text, or 32 bytes."""
    socket = C.zsocket_new(ctx, DEALER)
    public, secret = ffi.new("char[41]"), ffi.new("char[41]")
    C.zmq_curve_keypair(public, secret)
    C.zsocket_set_curve_publickey(socket, public)
    assert text(C.zsocket_curve_publickey(socket)) == ffi.string(public)
    C.zsocket_set_curve_publickey_bin(socket, ffi.new("byte[32]"))
    assert text(C.zsocket_curve_publickey(socket)) == b"0" * 40
    C.zsocket_set_curve_publickey_bin(socket, bytes(range(32)))
    assert text(C.zsocket_curve_publickey(socket)) != b"0" * 40


def test_hwm(ctx: Any) -> None:
    """CZMQ 2's high-water mark sets both."""
    socket = C.zsocket_new(ctx, DEALER)
    C.zsocket_set_hwm(socket, 12)
    assert (C.zsocket_sndhwm(socket), C.zsocket_rcvhwm(socket), C.zsocket_hwm(socket)) == (12, 12, 12)


@pytest.mark.parametrize("name", [name for name in _zsockopt_table.functions() if not name.startswith("set_")])
def test_every_getter(ctx: Any, name: str) -> None:
    """Each getter can be called on any socket; an option that libzmq lacks gives 0 or an empty text, as in C."""
    socket = C.zsocket_new(ctx, DEALER)
    function = getattr(C, f"zsocket_{name}")
    assert function.__name__ == f"zsocket_{name}"
    result = function(socket)
    if not isinstance(result, int):
        text(result)


def test_missing_option(ctx: Any) -> None:
    """A name that is no option is an AttributeError."""
    for name in ("zsocket_frobnicate", "zsocket_set_rcvmore", "zsocket_test", "zctx_test"):
        with pytest.raises(AttributeError, match=name):
            getattr(C, name)
