"""Socket: sending and receiving in all forms, options, endpoints, timeouts, and what every misuse raises."""

from __future__ import annotations

import errno
import pickle
import threading
import time
from collections.abc import Iterator
from typing import Any

import children
import pytest

from pyczmq import Context, Frame, Message, Socket, SocketType, ZMQError, zmq, zsock, zsocket
from pyczmq import types as objects
from pyczmq.types import Again, ContextTerminated

#: Every method that sends or receives, with arguments that would do.
MESSAGING: dict[str, tuple[Any, ...]] = {
    "send": ("text",),
    "send_bytes": (b"data",),
    "send_parts": ([b"one", "two"],),
    "send_json": ({"a": 1},),
    "send_picture": ("si", "text", 1),
    "signal": (),
    "recv": (),
    "recv_bytes": (),
    "recv_parts": (),
    "recv_frame": (),
    "recv_msg": (),
    "recv_json": (),
    "recv_picture": ("s",),
    "wait": (),
    "recv_nowait": (),
    "recv_frame_nowait": (),
    "poll": (0,),
}
RECEIVING = [name for name in MESSAGING if name.startswith(("recv", "wait")) and not name.endswith("nowait")]
SENDING = [name for name in MESSAGING if name.startswith(("send", "signal"))]


@pytest.fixture(params=["process-wide", "context"])
def make(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Make sockets of either kind: in the process-wide context, or in one of their own."""
    made: list[Socket] = []
    context = Context() if request.param == "context" else None

    def make(*args: Any, **kwargs: Any) -> Socket:
        made.append(Socket(*args, context=context, **kwargs))
        return made[-1]

    yield make
    for socket in made:
        socket.close()
    if context is not None:
        context.close()


@pytest.fixture
def pair(make: Any) -> tuple[Socket, Socket]:
    left = make(zmq.PAIR, bind="tcp://127.0.0.1:*")
    return left, make(zmq.PAIR, connect=left.last_endpoint)


# ---------------------------------------------------------------- messages


@pytest.mark.parametrize("text", ["hello", "", "naïve ☃", "nul\0inside", "100%s", "\udc80 any byte"])
def test_text_goes_through_unchanged(pair: Any, text: str) -> None:
    assert pair[0].send(text) == 0
    assert pair[1].recv(timeout=5000) == text


@pytest.mark.parametrize("data", [b"", b"\0\xff", bytearray(b"array"), memoryview(b"view"), "text", b"x" * 200_000])
def test_bytes_of_any_kind(pair: Any, data: Any) -> None:
    pair[0].send_bytes(data)
    received = pair[1].recv_bytes(timeout=5000)
    assert type(received) is bytes
    assert received == (data.encode() if isinstance(data, str) else bytes(data))


def test_parts_of_every_kind_are_one_message(pair: Any) -> None:
    pair[0].send_parts(["text", b"bytes", bytearray(b"array"), Frame("frame"), b""])
    assert pair[1].recv_parts(timeout=5000) == [b"text", b"bytes", b"array", b"frame", b""]


def test_no_parts_send_nothing(pair: Any) -> None:
    assert pair[0].send_parts([]) == 0
    pair[0].send("next")
    assert pair[1].recv_parts(timeout=5000) == [b"next"]


def test_frames_one_by_one(pair: Any) -> None:
    frame = Frame(b"first")
    pair[0].send_frame(frame, Frame.MORE)
    assert frame.closed
    kept = Frame(b"second")
    pair[0].send_frame(kept, Frame.REUSE)
    assert bytes(kept) == b"second"
    first = pair[1].recv_frame(timeout=5000)
    assert (first == b"first", bool(first.more()), pair[1].rcvmore) == (True, True, True)
    second = pair[1].recv_frame(timeout=5000)
    assert (second == "second", bool(second.more()), pair[1].rcvmore) == (True, False, False)


def test_messages_are_moved(pair: Any) -> None:
    message = Message(["one", b"two"])
    assert pair[0].send_msg(message) == 0
    assert len(message) == 0
    received = pair[1].recv_msg(timeout=5000)
    assert isinstance(received, Message)
    assert received == [b"one", b"two"]


@pytest.mark.parametrize("value", [None, True, 1.5, "text ☃", [1, [2]], {"a": {"b": None}}])
def test_json(pair: Any, value: Any) -> None:
    pair[0].send_json(value)
    assert pair[1].recv_json(timeout=5000) == value


def test_what_is_no_json_is_an_error_and_the_socket_goes_on(pair: Any) -> None:
    with pytest.raises(TypeError):
        pair[0].send_json(object())
    pair[0].send("{")
    with pytest.raises(ValueError):
        pair[1].recv_json(timeout=5000)
    pair[0].send_json(1)
    assert pair[1].recv_json(timeout=5000) == 1


def test_pictures_with_objects(pair: Any) -> None:
    pair[0].send_picture("sifzm", "text", -1, Frame(b"frame"), Message(["a", "b"]))
    text, number, frame, message = pair[1].recv_picture("sifzm", timeout=5000)
    assert (text, number) == ("text", -1)
    assert isinstance(frame, Frame) and frame == b"frame"
    assert isinstance(message, Message) and message == ["a", "b"]


def test_a_message_that_does_not_fit_its_picture(pair: Any) -> None:
    pair[0].send("not a uuid")
    with pytest.raises(ZMQError) as raised:
        pair[1].recv_picture("U", timeout=5000)
    assert raised.value.errno == errno.EBADMSG


def test_signals(pair: Any) -> None:
    pair[0].send("dropped")
    pair[0].signal(42)
    assert pair[1].wait(timeout=5000) == 42


def test_poll(pair: Any) -> None:
    assert pair[1].poll() is False
    pair[0].send("x")
    assert pair[1].poll(5000) is True
    assert pair[1].poll(0, zmq.POLLOUT) is True


def test_iteration_yields_whole_messages_and_ends_with_the_socket(pair: Any) -> None:
    pair[0].send_parts(["topic", "body"])
    pair[0].send("end")
    seen = []
    for message in pair[1]:
        seen.append(message.parts)
        if message == ["end"]:
            pair[1].close()
    assert seen == [[b"topic", b"body"], [b"end"]]


def test_objects_and_namespaces_share_the_handle(pair: Any) -> None:
    from pyczmq import zstr

    zstr.send(pair[0].handle, "from below")
    assert pair[1].recv(timeout=5000) == "from below"
    assert pair[0].sock is pair[0].handle


def test_big_messages(pair: Any) -> None:
    big = b"x" * 20_000_000
    pair[0].send_parts([b"head", big])
    head, body = pair[1].recv_parts(timeout=20_000)
    assert (head, body == big) == (b"head", True)


def test_a_message_of_many_parts(pair: Any) -> None:
    parts = [b"%d" % i for i in range(10_000)]
    pair[0].send_parts(parts)
    assert pair[1].recv_parts(timeout=20_000) == parts


# ---------------------------------------------------------------- time


@pytest.mark.parametrize("name", RECEIVING)
def test_a_timeout_raises_again(pair: Any, name: str) -> None:
    with pytest.raises(Again) as raised:
        getattr(pair[1], name)(*MESSAGING[name], timeout=1)
    assert isinstance(raised.value, TimeoutError)
    assert raised.value.errno == errno.EAGAIN
    assert name in str(raised.value)


@pytest.mark.parametrize("name", SENDING)
def test_a_timeout_of_sending_raises_again_and_loses_nothing(make: Any, name: str) -> None:
    push = make(zmq.PUSH)
    with pytest.raises(Again):
        getattr(push, name)(*MESSAGING[name], timeout=1)
    with pytest.raises(Again):
        message = Message(["kept", "whole"])
        push.send_msg(message, timeout=1)
    assert message == ["kept", "whole"]
    with pytest.raises(Again):
        frame = Frame("kept")
        push.send_frame(frame, timeout=1)
    assert frame == "kept"
    with pytest.raises(Again):
        push.send_frame(frame, Frame.DONTWAIT)


def test_without_a_timeout_the_options_hold(make: Any) -> None:
    pull = make(zmq.PULL, rcvtimeo=1)
    with pytest.raises(Again):
        pull.recv()
    push = make(zmq.PUSH, sndtimeo=1)
    with pytest.raises(Again):
        push.send("x")


def test_a_timeout_wins_over_the_option(pair: Any) -> None:
    pair[1].rcvtimeo = 0
    timer = threading.Timer(0.05, pair[0].send, ("late",))
    timer.start()
    assert pair[1].recv(timeout=10_000) == "late"
    timer.join()


def test_recv_nowait(pair: Any) -> None:
    assert pair[1].recv_nowait() is None
    assert pair[1].recv_frame_nowait() is None
    pair[0].send("a")
    pair[0].send("b")
    assert pair[1].poll(5000)
    assert pair[1].recv_nowait() == "a"
    assert pair[1].poll(5000)
    assert pair[1].recv_frame_nowait() == "b"


@pytest.mark.parametrize("timeout", ["1", 1.5, -2, 2**31, object()])
def test_timeouts_that_are_none(pair: Any, timeout: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="timeout"):
        pair[1].recv(timeout=timeout)
    with pytest.raises((TypeError, ValueError), match="timeout"):
        pair[0].send("x", timeout=timeout)
    with pytest.raises((TypeError, ValueError), match="timeout"):
        pair[0].poll(timeout)


def test_ctrl_c_ends_a_wait_and_the_socket_goes_on() -> None:
    children.check(
        """
        import signal, threading, os
        from pyczmq import Socket, zmq
        pull = Socket(zmq.PULL, bind="inproc://x")
        push = Socket(zmq.PUSH, connect="inproc://x")
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            pull.recv()
            raise SystemExit("not interrupted")
        except KeyboardInterrupt:
            pass
        push.send("still there")
        assert pull.recv() == "still there"
        """
    )


# ---------------------------------------------------------------- endpoints and options


def test_bind_returns_the_port(make: Any) -> None:
    socket = make(zmq.PUSH)
    port = socket.bind("tcp://127.0.0.1:*")
    assert 49152 <= port <= 65535
    assert socket.last_endpoint == f"tcp://127.0.0.1:{port}"
    assert socket.bind("inproc://types.port") == 0


def test_lists_of_endpoints_and_topics(make: Any) -> None:
    first, second = make(zmq.PUB, bind="tcp://127.0.0.1:*"), make(zmq.PUB, bind=["inproc://types.list"])
    sub = make(zmq.SUB, connect=[first.last_endpoint, "inproc://types.list"], subscribe=["a", b"b"])
    for publisher, topic in (first, "b"), (second, "a"):
        for _ in range(500):
            publisher.send("not wanted")
            publisher.send(topic)
            if sub.poll(10):
                break
        assert sub.recv(timeout=5000) == topic
        while sub.poll(50):
            assert sub.recv() == topic


def test_unsubscribe(make: Any) -> None:
    pub = make(zmq.XPUB, bind="inproc://types.unsubscribe")
    sub = make(zmq.SUB, connect="inproc://types.unsubscribe")
    sub.subscribe("topic")
    assert pub.recv_bytes(timeout=5000) == b"\x01topic"
    sub.unsubscribe("topic")
    assert pub.recv_bytes(timeout=5000) == b"\x00topic"


def test_unbind_and_disconnect(make: Any) -> None:
    left = make(zmq.PAIR)
    port = left.bind("tcp://127.0.0.1:*")
    endpoint = f"tcp://127.0.0.1:{port}"
    right = make(zmq.PAIR, connect=endpoint)
    assert (right.disconnect(endpoint), left.unbind(endpoint)) == (0, 0)
    assert "tcp" not in repr(left) + repr(right)


def test_unbind_knows_an_endpoint_as_it_was_given(make: Any) -> None:
    """libzmq itself has forgotten the wildcards."""
    socket = make(zmq.PUSH)
    for endpoint in "tcp://*:*", "tcp://127.0.0.1:*", "inproc://types.given":
        ports = {socket.bind(endpoint) for _ in range(1 if "inproc" in endpoint else 2)}
        for _ in ports:
            assert socket.unbind(endpoint) == 0
        with pytest.raises(ZMQError):
            socket.unbind(endpoint)
    assert repr(socket) == "<Socket PUSH>"
    port = socket.bind("tcp://*:*")
    assert socket.unbind(f"tcp://0.0.0.0:{port}") == 0


@pytest.mark.parametrize("method", ["bind", "connect", "unbind", "disconnect"])
def test_errors_say_what_was_done(make: Any, method: str) -> None:
    socket = make(zmq.PUSH)
    with pytest.raises(ZMQError) as raised:
        getattr(socket, method)("txp://nowhere")
    error = raised.value
    assert isinstance(error, OSError)
    assert str(error) == f"{method} txp://nowhere: {error.strerror}"
    assert error.errno == zmq.EPROTONOSUPPORT


def test_an_address_in_use(make: Any) -> None:
    first = make(zmq.REP, bind="tcp://127.0.0.1:*")
    with pytest.raises(ZMQError, match=f"bind {first.last_endpoint}: Address already in use") as raised:
        make(zmq.REP, bind=first.last_endpoint)
    assert raised.value.errno == errno.EADDRINUSE


def test_options_are_attributes_of_the_right_type(make: Any) -> None:
    socket = make(zmq.DEALER, linger=7, immediate=True, identity="me")
    assert (socket.linger, socket.immediate, socket.identity, socket.routing_id) == (7, True, "me", "me")
    socket.rcvhwm = 10
    assert socket.rcvhwm == 10 == zsocket.rcvhwm(socket.handle)
    assert (socket.type, socket.rcvmore) == (zmq.DEALER, False)
    assert isinstance(socket.fd, int)


@pytest.mark.parametrize("name", ["rcvhmw", "no_such_option", "_private", "handle"])
def test_an_unknown_option_is_an_attribute_error(make: Any, name: str) -> None:
    socket = make(zmq.PUSH)
    with pytest.raises(AttributeError):
        setattr(socket, name, 1)
    if name != "handle":
        with pytest.raises(AttributeError, match=name):
            getattr(socket, name)
    with pytest.raises(TypeError, match=name):
        make(zmq.PUSH, **{name: 1})


@pytest.mark.parametrize("name", ["fd", "events", "rcvmore", "last_endpoint", "mechanism", "type", "thread_safe"])
def test_what_can_only_be_read(make: Any, name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(make(zmq.PUSH), name, 1)


def test_what_can_only_be_set(make: Any) -> None:
    router = make(zmq.ROUTER, router_mandatory=True)
    with pytest.raises(AttributeError, match="router_mandatory"):
        _ = router.router_mandatory


@pytest.mark.parametrize("value", [None, "x", 1.5, 2**40, object()])
def test_values_that_an_option_does_not_take(make: Any, value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="rcvhwm"):
        make(zmq.PUSH).rcvhwm = value


def test_every_option_has_a_docstring_and_can_be_used_safely(make: Any) -> None:
    socket = make(zmq.DEALER)
    names = [name for name in dir(type(socket)) if isinstance(getattr(type(socket), name), property)]
    assert len(names) > 80
    for name in names:
        assert getattr(type(socket), name).__doc__
        try:
            value = getattr(socket, name)
        except (AttributeError, ValueError):
            continue
        assert value is None or isinstance(value, (bool, int, str, Context)) or name in ("handle", "sock")


def test_setters_of_the_old_pyczmq(make: Any) -> None:
    sub = make("SUB")
    sub.set_subscribe("")
    sub.set_linger(3)
    assert sub.linger == 3
    with pytest.raises(AttributeError, match="set_nothing"):
        sub.set_nothing(1)


# ---------------------------------------------------------------- types and representation


def test_types_are_those_of_libzmq() -> None:
    assert {kind.name: kind.value for kind in SocketType} == zmq.types


@pytest.mark.parametrize("name", ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB"])
def test_types_by_name_and_number(make: Any, name: str) -> None:
    socket = make(name)
    assert socket.type == getattr(zmq, name)
    assert (socket.type.name, socket.type(), socket.type_str(), str(socket.type)) == (name,) * 4
    assert socket.type is SocketType[name]


@pytest.mark.parametrize("kind", [None, -1, 99, "push", "", 1.5, object(), 2**40])
def test_what_is_no_type(make: Any, kind: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="type"):
        make(kind)


def test_repr_shows_type_endpoints_and_state_but_no_secret(make: Any) -> None:
    from pyczmq import zcert

    cert = zcert.new()
    socket = make(zmq.PUSH, curve_secretkey=zcert.secret_txt(cert), curve_publickey=zcert.public_txt(cert))
    assert repr(socket) == "<Socket PUSH>"
    socket.bind("inproc://types.repr")
    socket.connect("tcp://127.0.0.1:5555")
    assert repr(socket) == "<Socket PUSH: bound to inproc://types.repr, connected to tcp://127.0.0.1:5555>"
    assert zcert.secret_txt(cert) not in repr(socket)
    socket.close()
    assert repr(socket) == "<Socket PUSH: closed>"


def test_errors_can_be_pickled() -> None:
    for error in (ZMQError(errno.EADDRINUSE, "bind x"), Again(errno.EAGAIN, "recv"), ContextTerminated(zmq.ETERM)):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), copy.errno) == (type(error), str(error), error.errno)


# ---------------------------------------------------------------- closing


@pytest.mark.parametrize("name", [*MESSAGING, "bind", "connect", "unbind", "disconnect", "subscribe", "unsubscribe"])
def test_after_close_every_method_raises(make: Any, name: str) -> None:
    socket = make(zmq.PAIR)
    socket.close()
    socket.close()
    assert socket.closed
    arguments = MESSAGING.get(name, ("tcp://127.0.0.1:1",))
    with pytest.raises(ZMQError) as raised:
        getattr(socket, name)(*arguments)
    assert raised.value.errno == errno.ENOTSOCK


@pytest.mark.parametrize("name", ["linger", "fd", "last_endpoint", "handle", "sock"])
def test_after_close_every_option_raises(make: Any, name: str) -> None:
    socket = make(zmq.PAIR)
    socket.close()
    with pytest.raises(ZMQError, match="closed"):
        getattr(socket, name)
    with pytest.raises(ZMQError, match="closed"):
        socket.rcvhwm = 1
    with pytest.raises(ZMQError, match="closed"):
        socket.__enter__()


def test_the_with_statement_closes(make: Any) -> None:
    with make(zmq.PUSH) as socket:
        assert not socket.closed
    assert socket.closed


def test_a_handle_that_was_destroyed_below_is_refused() -> None:
    socket = Socket(zmq.PUSH)
    zsock.destroy(socket.handle)
    assert socket.closed
    for use in (lambda: socket.send("x"), lambda: socket.linger, lambda: socket.bind("inproc://x"), socket.poll):
        with pytest.raises((ValueError, ZMQError)):
            use()
    socket.close()


def test_a_socket_that_cannot_be_made_whole_is_closed(make: Any) -> None:
    with pytest.raises(ZMQError):
        make(zmq.REP, bind=["inproc://types.whole", "txp://nowhere"])
    deadline = time.monotonic() + 5
    while True:
        try:
            make(zmq.REP, bind="inproc://types.whole")
            break
        except ZMQError:
            # libzmq gives the name back in the background.
            assert time.monotonic() < deadline


# ---------------------------------------------------------------- misuse


@pytest.mark.parametrize("value", [None, 1, 1.5, object(), ["x"], {"a": 1}])
def test_what_is_no_text_or_data(pair: Any, value: Any) -> None:
    with pytest.raises(TypeError):
        pair[0].send(value)
    with pytest.raises(TypeError):
        pair[0].send_bytes(value)
    with pytest.raises(TypeError):
        pair[0].send_parts([b"fine", value])
    with pytest.raises(TypeError):
        pair[0].send_frame(value)
    with pytest.raises(TypeError):
        pair[0].send_msg(value)
    pair[0].send("after all")
    assert pair[1].recv_parts(timeout=5000) == [b"after all"]


@pytest.mark.parametrize("value", ["text", b"bytes", None, 5, Frame("x")])
def test_what_is_no_list_of_parts(pair: Any, value: Any) -> None:
    with pytest.raises(TypeError):
        pair[0].send_parts(value)


@pytest.mark.parametrize("endpoint", [None, 5, "nul\0inside", object(), b""])
def test_what_is_no_endpoint(make: Any, endpoint: Any) -> None:
    socket = make(zmq.PUSH)
    for method in (socket.bind, socket.connect, socket.unbind, socket.disconnect):
        with pytest.raises((TypeError, ValueError, ZMQError)):
            method(endpoint)


@pytest.mark.parametrize("flags", [8, -1, "1", None])
def test_flags_that_there_are_not(pair: Any, flags: Any) -> None:
    frame = Frame("kept")
    with pytest.raises((TypeError, ValueError), match="flags"):
        pair[0].send_frame(frame, flags)
    assert frame == "kept"


def test_a_receiver_of_a_socket_that_only_sends(make: Any) -> None:
    push = make(zmq.PUSH)
    for name in RECEIVING:
        with pytest.raises(ZMQError) as raised:
            getattr(push, name)(*MESSAGING[name])
        assert raised.value.errno == errno.ENOTSUP


def test_a_second_thread_is_refused_while_the_first_is_in_a_call(pair: Any) -> None:
    entered = threading.Event()
    received: list[str] = []

    def receive() -> None:
        entered.set()
        received.append(pair[1].recv())

    thread = threading.Thread(target=receive)
    thread.start()
    entered.wait()
    while pair[1]._lock.acquire(False):
        pair[1]._lock.release()
    for use in (
        lambda: pair[1].recv(),
        lambda: pair[1].send("x"),
        lambda: pair[1].poll(),
        lambda: pair[1].linger,
        lambda: setattr(pair[1], "linger", 1),
        lambda: pair[1].bind("inproc://x"),
        lambda: pair[1].close(),
    ):
        with pytest.raises(RuntimeError, match="in use in another thread"):
            use()
    pair[0].send("done")
    thread.join()
    assert received == ["done"]
    pair[1].send("free again")
    assert pair[0].recv(timeout=5000) == "free again"


def test_threads_may_take_turns(pair: Any) -> None:
    for i in range(20):
        thread = threading.Thread(target=pair[0].send, args=(str(i),))
        thread.start()
        thread.join()
        assert pair[1].recv(timeout=5000) == str(i)


def test_many_threads_on_one_socket_never_crash_the_interpreter() -> None:
    children.check(
        """
        import threading
        from pyczmq import Socket, ZMQError, zmq
        pull = Socket(zmq.PULL, bind="inproc://x")
        push = Socket(zmq.PUSH, connect="inproc://x")
        refused = 0
        def hammer():
            global refused
            for _ in range(2000):
                for use in (lambda: push.send("x", timeout=0), lambda: pull.recv(timeout=0), lambda: pull.linger):
                    try:
                        use()
                    except RuntimeError:
                        refused += 1
                    except ZMQError:
                        pass
        threads = [threading.Thread(target=hammer) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """
    )


def test_a_forked_child_is_refused_the_parents_sockets() -> None:
    children.check(
        """
        import os
        from pyczmq import Context, Socket, zmq
        sockets = [Socket(zmq.PUSH), Context().socket(zmq.PUSH)]
        child = os.fork()
        if not child:
            for socket in sockets:
                try:
                    socket.send("x", timeout=0)
                    os._exit(1)
                except ValueError as error:
                    if "parent" not in str(error):
                        os._exit(2)
                socket.close()
            with Socket(zmq.PUSH, bind="inproc://mine") as push, Socket(zmq.PULL, connect="inproc://mine") as pull:
                push.send("x")
                os._exit(0 if pull.recv(timeout=5000) == "x" else 3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        """
    )


def test_names_that_are_exported() -> None:
    import pyczmq

    for name in objects.__all__:
        assert getattr(pyczmq, name) is getattr(objects, name)
        assert name in dir(objects) and name in dir(pyczmq)
    with pytest.raises(AttributeError, match="Sockets"):
        _ = objects.Sockets  # type: ignore[attr-defined]
