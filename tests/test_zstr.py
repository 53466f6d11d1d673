"""zstr: strings over sockets, lossless, with their blocking calls open to signals."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import children
import pytest
from common import example

from pyczmq import C, ffi, zctx, zframe, zmq, zmsg, zsocket, zstr

#: What must come through as it is, as bytes.
TEXTS = [
    b"",
    b"plain",
    "naïve ☃ 𝄞".encode(),
    b"nul \0 in \0 it\0",
    b"100%s %n %d",
    b"\n",
    b"\xff\xfe invalid",
    b"x" * 33,
    b"x" * 34,
    b"y" * 65536,
    b"z" * 65537,
    b"m" * (1 << 20),
    # PyPy's encoder would need minutes for this text if it were given all of it at once.
    b"\xff" * (1 << 18),
]


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    """Two PAIR sockets that are connected."""
    ctx = zctx.new()
    output, input = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(output, "inproc://zstr.test")
    zsocket.connect(input, "inproc://zstr.test")
    yield output, input
    zctx.destroy(ctx)


def zsock(kind: int, endpoint: bytes) -> Any:
    """A zsock_t of the raw floor."""
    sock = C.zsock_new(kind)
    assert C.zsock_attach(sock, endpoint, False) == 0
    return sock


def close(*socks: Any) -> None:
    for sock in socks:
        C.zsock_destroy(ffi.new("zsock_t **", sock))


def test_strings_and_messages(pair: tuple[Any, Any]) -> None:
    """What CZMQ's self-test shows: ten strings, then six frames of one message, all read one by one."""
    output, input = pair
    for number in range(10):
        assert zstr.sendf(output, "this is string %d", number) == 0
    assert zstr.sendx(output, "This", "is", "almost", "the", "very", "END") == 0
    received = []
    while "END" not in received:
        received.append(zstr.recv(input))
    assert len(received) == 16
    assert received[3] == "this is string 3"


def test_old_program() -> None:
    """The old pyczmq's test of zstr runs as it was."""
    ctx = zctx.new()
    output_s = zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(output_s, "inproc://zstr.test")
    input_s = zsocket.new(ctx, zmq.PAIR)
    zsocket.connect(input_s, "inproc://zstr.test")
    for i in range(10):
        rc = zstr.send(output_s, f"this is string {i}")
        assert rc == 0
    zstr.sendx(output_s, "This", "is", "almost", "the", "very", "END")
    string_nbr = 0
    while True:
        string = zstr.recv(input_s)
        if string == "END":
            break
        string_nbr += 1
    assert string_nbr == 15


@pytest.mark.parametrize("data", TEXTS, ids=lambda data: repr(data[:12]))
def test_text_is_lossless(pair: tuple[Any, Any], data: bytes) -> None:
    """Each text comes out as it went in, as str and as bytes, through every function."""
    output, input = pair
    text = data.decode("utf-8", "surrogateescape")
    for given in (text, data):
        assert zstr.send(output, given) == 0
        assert zstr.recv(input) == text
    assert zstr.sendm(output, text) == 0
    assert zstr.send(output, data) == 0
    assert zstr.recvx(input) == [text, text]
    assert zstr.sendx(output, text, data) == 0
    assert zstr.recvx(input) == [text, text]
    assert zstr.sendfm(output, "%s", text) == 0
    assert zstr.sendf(output, "%s|%s", text, data) == 0
    assert zstr.recv(input) == text
    assert zstr.recv_nowait(input) == f"{text}|{text}"


def test_bytes_go_out_as_they_are(pair: tuple[Any, Any]) -> None:
    """A frame holds the bytes of the string and nothing else."""
    output, input = pair
    zstr.send(output, "snow ☃\0")
    frame = zframe.recv(input)
    assert zframe.data(frame)[:] == "snow ☃\0".encode()
    zframe.destroy(frame)


def test_text_that_no_bytes_stand_for_is_refused(pair: tuple[Any, Any]) -> None:
    """A lone surrogate that stands for no byte is a ValueError, and nothing is sent."""
    output, input = pair
    with pytest.raises(ValueError, match="surrogates not allowed"):
        zstr.send(output, "\ud800")
    with pytest.raises(ValueError, match="surrogates not allowed"):
        zstr.sendx(output, "first", "\ud800")
    assert zstr.recv_nowait(input) is None


def test_formats_are_filled_in_by_python(pair: tuple[Any, Any]) -> None:
    """A C-style format works; what does not fit it is refused before anything is sent."""
    output, input = pair
    assert zstr.sendf(output, "%s: %5.2f %ld 0x%04lx %c%%", "pi", 3.14159, 42, 255, "!") == 0
    assert zstr.recv(input) == "pi:  3.14 42 0x00ff !%"
    for wrong, arguments in [("%n", (1,)), ("%s", ()), ("%d", ("x",)), ("plain", (1,))]:
        with pytest.raises((TypeError, ValueError)):
            zstr.sendf(output, wrong, *arguments)
        with pytest.raises((TypeError, ValueError)):
            zstr.sendfm(output, wrong, *arguments)
    assert zstr.recv_nowait(input) is None


def test_recv_reads_one_frame_and_recvx_the_rest(pair: tuple[Any, Any]) -> None:
    """The functions can be mixed within a message."""
    output, input = pair
    zstr.sendx(output, "one", "two", "", "four")
    assert zstr.recv(input) == "one"
    assert zstr.recvx(input) == ["two", "", "four"]
    assert zstr.recv_nowait(input) is None


def test_sendx_of_none_and_of_one(pair: tuple[Any, Any]) -> None:
    """No strings send nothing; one string is a message of one frame."""
    output, input = pair
    assert zstr.sendx(output) == 0
    assert zstr.recv_nowait(input) is None
    assert zstr.sendx(output, "alone") == 0
    assert zstr.recvx(input) == ["alone"]


def test_recvx_takes_signals_for_none(pair: tuple[Any, Any]) -> None:
    """A signal is no message, as in C; eight bytes of text are."""
    output, input = pair
    zmsg.send(zmsg.new_signal(3), output)
    zstr.send(output, "8 bytes!")
    zstr.sendx(output, "8 bytes!", "and more")
    assert zstr.recvx(input) is None
    assert zstr.recvx(input) == ["8 bytes!"]
    assert zstr.recvx(input) == ["8 bytes!", "and more"]


def test_zsock_and_zactor_handles() -> None:
    """The functions take CZMQ 4's sockets and actors, too, and understand the other side's C."""
    left, right = zsock(zmq.PAIR, b"@inproc://zstr.zsock"), zsock(zmq.PAIR, b">inproc://zstr.zsock")
    assert zstr.send(left, "hello") == 0
    assert zstr.recv(right) == "hello"
    assert zstr.sendx(left, "a", "b") == 0
    assert zstr.recvx(right) == ["a", "b"]
    assert zstr.recv_nowait(right) is None
    assert C.zstr_send(left, b"from C") == 0
    assert zstr.recv_nowait(right) == "from C"
    assert zstr.sendm(right, "more") == 0
    assert zstr.send(right, "last") == 0
    pointer = C.zstr_recv(left)
    assert zstr.str(pointer) == "more"
    zstr.free(pointer)
    close(left, right)
    actor = C.zactor_new(C.zproxy, ffi.NULL)
    assert zstr.send(actor, "VERBOSE") == 0
    answer = zmsg.recv(actor)
    assert zmsg.signal(answer) == 0
    zmsg.destroy(answer)
    C.zactor_destroy(ffi.new("zactor_t **", actor))


def test_timeouts(pair: tuple[Any, Any]) -> None:
    """RCVTIMEO and SNDTIMEO end the waits, with None and -1."""
    output, input = pair
    zsocket.set_rcvtimeo(input, 50)
    start = time.monotonic()
    assert zstr.recv(input) is None
    assert 0.04 < time.monotonic() - start < 5
    assert zstr.recvx(input) is None
    zsocket.set_sndtimeo(output, 50)
    sent = 0
    while zstr.send(output, "x") == 0:
        sent += 1
    assert sent >= 1000
    assert zstr.sendm(output, "x") == -1
    assert zstr.sendx(output, "x", "y") == -1
    assert zstr.sendx(output, "x") == -1
    assert zstr.sendf(output, "x") == -1
    assert zstr.recv(input) == "x"


def test_wrong_state(pair: tuple[Any, Any]) -> None:
    """A socket that cannot send or receive now says so at once."""
    ctx = zctx.new()
    req = zsocket.new(ctx, zmq.REQ)
    zsocket.bind(req, "inproc://zstr.req")
    assert zstr.recv(req) is None
    sub = zsocket.new(ctx, zmq.SUB)
    assert zstr.send(sub, "x") == -1
    assert zstr.sendx(sub, "x", "y") == -1
    zctx.destroy(ctx)


def test_context_that_ends_wakes_the_receiver() -> None:
    """recv comes back with None when the context is shut down."""
    ctx = zctx.new()
    pull = zsocket.new(ctx, zmq.PULL)
    zsocket.bind(pull, "inproc://zstr.shutdown")
    timer = threading.Timer(0.05, C.zmq_ctx_shutdown, [C.zctx_underlying(ctx)])
    timer.start()
    assert zstr.recv(pull) is None
    assert zstr.recvx(pull) is None
    assert zstr.send(pull, "x") == -1
    timer.join()


def test_rest_of_a_message_whose_peer_is_gone() -> None:
    """The rest of a message is dropped if the peer that got its first frames is gone: no other peer gets half of it."""
    ctx = zctx.new()
    push, first, second = (zsocket.new(ctx, kind) for kind in (zmq.PUSH, zmq.PULL, zmq.PULL))
    zsocket.bind(push, "inproc://zstr.rest")
    zsocket.connect(first, "inproc://zstr.rest")
    zsocket.bind(first, "inproc://zstr.first")
    assert zstr.sendm(push, "first half") == 0
    zsocket.destroy(ctx, first)
    # It is gone, some time later, when its name is free; then push must have a look.
    while zsocket.bind(second, "inproc://zstr.first") != 0:
        zsocket.poll(second, 10)
    zsocket.poll(second, 10)
    assert zsocket.events(push) & zmq.POLLOUT
    zsocket.connect(second, "inproc://zstr.rest")
    assert zstr.send(push, "second half") == 0
    assert zstr.sendx(push, "whole", "message") == 0
    zsocket.set_rcvtimeo(second, 5000)
    assert zstr.recvx(second) == ["whole", "message"]
    zctx.destroy(ctx)


@pytest.mark.parametrize(
    "call", ["zstr.recv(pull)", "zstr.recvx(pull)", "zstr.send(push, 'x')", "zstr.sendx(push, 'x', 'y')"]
)
def test_interrupts(call: str) -> None:
    """Ctrl-C ends a wait with KeyboardInterrupt at once; another signal's handler runs, and the wait goes on."""
    children.check_interrupts(call)


def test_signal_handler_may_use_zstr(pair: tuple[Any, Any]) -> None:
    """A handler that itself receives strings does not disturb the call that it interrupts."""
    output, input = pair

    def handler(*_: object) -> None:
        zstr.send(output, "from the handler")
        assert zstr.recv(input) == "from the handler"
        zstr.sendx(output, "big" * 50000, "rest")

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        timer = threading.Timer(0.05, signal.raise_signal, [signal.SIGUSR1])
        timer.start()
        assert zstr.recv(input) == "big" * 50000
        assert zstr.recv(input) == "rest"
        timer.join()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_threads_share_no_message() -> None:
    """Many threads, each with its own sockets, never see each other's strings."""
    failures: list[object] = []

    def run(number: int) -> None:
        ctx = zctx.new()
        output, input = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
        zsocket.bind(output, "inproc://zstr.threads")
        zsocket.connect(input, "inproc://zstr.threads")
        for turn in range(500):
            text = f"{number}/{turn}" * (1 + turn % 40)
            zstr.send(output, text)
            received = zstr.recv(input)
            if received != text:
                failures.append((text, received))
        zctx.destroy(ctx)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_big_frames_leave_no_memory_behind(pair: tuple[Any, Any]) -> None:
    """The message that is received into does not keep the memory of a big frame."""
    output, input = pair
    zstr.send(output, "x" * (1 << 20))
    assert zstr.recv(input) == "x" * (1 << 20)
    assert all(C.zmq_msg_size(message) <= 65536 for message in zstr._messages)


@pytest.mark.parametrize("bad", [None, 1, "socket", b"socket", object(), ffi.NULL, ffi.cast("zframe_t *", 8)], ids=repr)
def test_bad_sockets(bad: object) -> None:
    """What is no socket is refused, by the argument's name."""
    for call in (zstr.recv, zstr.recvx, zstr.recv_nowait):
        with pytest.raises((TypeError, ValueError), match="source"):
            call(bad)  # type: ignore[operator]
    for call in (zstr.send, zstr.sendm, zstr.sendf, zstr.sendfm, zstr.sendx):
        with pytest.raises((TypeError, ValueError), match="dest"):
            call(bad, "text")  # type: ignore[operator]


def test_destroyed_sockets_are_refused() -> None:
    """A socket that was destroyed, or went with its context, never reaches C."""
    ctx = zctx.new()
    gone, with_context = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.destroy(ctx, gone)
    zctx.destroy(ctx)
    for sock in (gone, with_context):
        with pytest.raises(ValueError, match=r"dest was (destroyed|closed)"):
            zstr.send(sock, "x")
        with pytest.raises(ValueError, match=r"source was (destroyed|closed)"):
            zstr.recv(sock)


@pytest.mark.parametrize("bad", [None, 1, 1.5, object(), ["x"], bytearray(b"x")], ids=repr)
def test_bad_strings(pair: tuple[Any, Any], bad: Any) -> None:
    """What is no text is a TypeError, and nothing of the message is sent."""
    output, input = pair
    for call in (zstr.send, zstr.sendm):
        with pytest.raises(TypeError, match="string must be str or bytes"):
            call(output, bad)
    for call in (zstr.sendf, zstr.sendfm):
        with pytest.raises(TypeError, match="format must be str or bytes"):
            call(output, bad)
    with pytest.raises(TypeError, match="string must be str or bytes"):
        zstr.sendx(output, "first", bad)
    assert zstr.recv_nowait(input) is None


def test_subclasses_of_text(pair: tuple[Any, Any]) -> None:
    """Subclasses of str and bytes are text, too."""
    output, input = pair

    class Name(str):
        pass

    class Block(bytes):
        pass

    zstr.sendx(output, Name("name"), Block(b"block"))
    zstr.send(output, Name("name"))
    assert zstr.recvx(input) == ["name", "block"]
    assert zstr.recv(input) == "name"


def test_free_only_once() -> None:
    """free takes what a raw call handed over, once; text of Python's is let through."""
    pointer = C.zsys_sprintf(b"text")
    zstr.free(pointer)
    with pytest.raises(ValueError, match="string was destroyed"):
        zstr.free(pointer)
    for harmless in (None, "text", b"text"):
        zstr.free(harmless)
    with pytest.raises(ValueError, match="memory of Python's"):
        zstr.free(ffi.new("char *"))
    with pytest.raises(TypeError, match="string must be a char \\*"):
        zstr.free(ffi.new("char[]", b"text"))
    with pytest.raises(TypeError, match="string must be a char \\*"):
        zstr.free(1)  # type: ignore[arg-type]


def test_str_of_pointers() -> None:
    """str turns C's pointers into text, and what is none into an error."""
    memory = ffi.new("char[]", "snow ☃".encode())
    assert zstr.str(memory) == "snow ☃"
    assert zstr.str(ffi.cast("char *", memory)) == "snow ☃"
    assert zstr.str(ffi.cast("void *", memory)) == "snow ☃"
    assert zstr.str(None) == zstr.str(ffi.NULL) == zstr.str(ffi.cast("char *", 0)) == ""
    assert zstr.str(b"bytes") == zstr.str("bytes") == "bytes"
    for bad in (1, ffi.new("int *"), ffi.cast("int", 1), ffi.cast("zframe_t *", 8), [memory]):
        with pytest.raises(TypeError, match="source must be"):
            zstr.str(bad)  # type: ignore[arg-type]
    pointer = C.zsys_sprintf(b"text")
    zstr.free(pointer)
    with pytest.raises(ValueError, match="source was destroyed"):
        zstr.str(pointer)


@pytest.mark.skipif(hasattr(C, "zstr_send_compress"), reason="this library has drafts")
def test_draft_functions_say_that_they_are_missing(pair: tuple[Any, Any]) -> None:
    """Without drafts, the functions that need them name the function and the library's version."""
    output, _ = pair
    for call, name in [
        (lambda: zstr.send_compress(output, "x"), "zstr_send_compress"),
        (lambda: zstr.sendm_compress(output, "x"), "zstr_sendm_compress"),
        (lambda: zstr.recv_compress(output), "zstr_recv_compress"),
    ]:
        with pytest.raises(AttributeError, match=rf"{name} is not in this library: libczmq \d"):
            call()


@pytest.mark.skipif(not hasattr(C, "zstr_send_compress"), reason="only libraries with drafts have it")
def test_compressed_text(pair: tuple[Any, Any]) -> None:
    """Compressed text comes through; what only claims to be compressed is None and does not reach C."""
    output, input = pair
    text = "loooong " * 1000
    if zstr.send_compress(output, text) == 0:
        assert zstr.recv_compress(input) == text
        assert zstr.send_compress(output, "") == 0
        assert zstr.recv_compress(input) == ""
    for size in (2**64 - 1, 2**63, 2**31, 10**6):
        zstr.sendx(output, size.to_bytes(8, sys.byteorder), b"\x10a")
        assert zstr.recv_compress(input) is None
    zstr.sendx(output, b"short", b"\x10a")
    zstr.send(output, "alone")
    zmsg.send(zmsg.new_signal(0), output)
    for _ in range(3):
        assert zstr.recv_compress(input) is None
    with pytest.raises(ValueError, match="NUL"):
        zstr.send_compress(output, "a\0b")


@pytest.mark.skipif(not hasattr(C, "zsock_new_server"), reason="only libraries with drafts have SERVER sockets")
def test_server_answers_the_client_that_asked() -> None:
    """A SERVER zsock notes whom a string came from, and sends its answer there."""
    server, client = zsock(zmq.SERVER, b"@inproc://zstr.server"), zsock(zmq.CLIENT, b">inproc://zstr.server")
    for ask, answer in ((zstr.recv, zstr.send), (zstr.recvx, zstr.sendx), (zstr.recv_nowait, zstr.sendf)):
        assert zstr.send(client, "Hello") == 0
        assert ask(server) in ("Hello", ["Hello"])
        assert C.zsock_routing_id(server)
        assert answer(server, "World") == 0
        assert zstr.recv(client) == "World"
    assert zstr.sendm(client, "no multipart") == -1
    assert zstr.sendx(server, "no", "multipart") == -1
    close(client, server)


def test_selftest() -> None:
    """CZMQ's own self-test passes."""
    assert zstr.test() is None


def test_example_in_the_docstring() -> None:
    """The module's example runs."""
    exec(example(zstr.__doc__), {"zctx": zctx, "zmq": zmq, "zsocket": zsocket, "zstr": zstr})
