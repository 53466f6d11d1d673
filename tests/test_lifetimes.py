"""Lifetimes: who frees what, in which order, and what is left when a process forks or ends."""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, Frame, _handles, ffi, zactor, zctx, zframe, zloop, zmq, zmsg, zpoller, zsocket, zstr


def pair(endpoint: str) -> tuple[object, object, object]:
    """Return a context and two connected sockets in it."""
    ctx = zctx.new()
    left, right = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(left, endpoint)
    zsocket.connect(right, endpoint)
    return ctx, left, right


def test_socket_keeps_its_context_alive() -> None:
    """A program may drop the context and go on with its sockets."""
    ctx, left, right = pair("inproc://lifetimes.keep")
    del ctx
    collect()
    assert zstr.send(left, "still here") == 0
    assert zstr.recv(right) == "still here"


def test_collected_socket_is_closed() -> None:
    """A socket that nobody refers to any more is closed, and its endpoint is free again."""
    ctx = zctx.new()
    socket = zsocket.new(ctx, zmq.PAIR)
    assert zsocket.bind(socket, "inproc://lifetimes.closed") == 0
    del socket
    collect()
    poller = zpoller.new()
    again = zsocket.new(ctx, zmq.PAIR)
    # libzmq frees the endpoint on a thread of its own.
    for _ in range(200):
        if zsocket.bind(again, "inproc://lifetimes.closed") == 0:
            break
        zpoller.wait(poller, 10)
    else:
        pytest.fail("the endpoint was never freed")


@pytest.mark.parametrize("order", ["ctx left right", "left ctx right", "right left ctx", "ctx right left"])
def test_destroy_in_any_order(order: str) -> None:
    """Contexts and sockets may be destroyed in any order; what went with its context is refused."""
    ctx, left, right = pair("inproc://lifetimes.order")
    gone = False
    for name in order.split():
        if name == "ctx":
            zctx.destroy(ctx)
            gone = True
            continue
        socket = left if name == "left" else right
        try:
            zsocket.destroy(ctx, socket)
        except ValueError as error:
            assert gone, error
    with pytest.raises(ValueError, match=r"destroyed|closed"):
        zstr.send(left, "x")


@pytest.mark.parametrize("order", ["ctx left right", "left ctx right", "right left ctx", "all"])
def test_collect_in_any_order(order: str) -> None:
    """References may go in any order, alone or all at once."""
    things = dict(zip(("ctx", "left", "right"), pair("inproc://lifetimes.collect")))
    for name in order.split():
        if name == "all":
            things.clear()
        things.pop(name, None)
        collect()


def test_cycles_are_collected() -> None:
    """A reference cycle through Python objects does not keep sockets open."""

    class Holder:
        pass

    holder = Holder()
    holder.self = holder
    holder.things = pair("inproc://lifetimes.cycle")
    before = len(_owned())
    del holder
    collect()
    assert len(_owned()) == before - 3


def _owned() -> dict[int, object]:
    from pyczmq import _handles

    return _handles._owned


def test_nothing_is_left_behind() -> None:
    """A thousand contexts with sockets, messages and pollers leave no trace in the tables of handles."""
    from pyczmq import _handles

    collect()
    tables = (_handles._owned, _handles.dead, _handles._companions, _handles._pins)
    before = [len(table) for table in tables]
    for number in range(1000):
        ctx, left, right = pair(f"inproc://lifetimes.{number}")
        poller = zpoller.new(right)
        message = zmsg.new()
        frame = zframe.new(b"data")
        zmsg.append(message, frame)
        zmsg.send(message, left)
        assert zpoller.wait(poller, 1000) == right
        received = zmsg.recv(right)
        assert bytes(zframe.data(zmsg.first(received))) == b"data"
        zmsg.destroy(received)
        if number % 2:
            zctx.destroy(ctx)
        loop = zloop.new()
        zloop.timer(loop, 1000, 1, lambda *_: 0, loop)
        del ctx, left, right, poller, message, frame, received, loop
        if number % 100 == 0:
            collect()
    collect()
    assert [len(table) for table in tables] == before


@pytest.mark.parametrize("make", [zctx.new, zloop.new, zpoller.new], ids=["zctx", "zloop", "zpoller"])
def test_destroyed_once_and_only_once(make: object) -> None:
    """The second destroy of a handle is refused; None is let through."""
    handle = make()
    module = {"zctx_t": zctx, "zloop_t": zloop, "zpoller_t": zpoller}[
        ffi.typeof(handle).item.cname.replace("struct _", "")
    ]
    assert module.destroy(handle) is None
    with pytest.raises(ValueError, match="was destroyed"):
        module.destroy(handle)
    assert module.destroy(None) is None


def test_identity_of_an_earlier_frame() -> None:
    """A socket that got the identity of a frame that was sent long ago is refused all the same once it is destroyed."""
    ctx, left, _ = pair("inproc://lifetimes.identity")
    frame = zframe.new("x")
    assert frame is not None
    zframe.destroy(frame)
    spent = _handles._spent[id(frame)]
    del frame
    collect()
    zsocket.destroy(ctx, left)
    zctx.destroy(ctx)
    _handles._spent[id(left)] = _handles._spent[id(ctx)] = spent
    with pytest.raises(ValueError, match="was destroyed"):
        zstr.send(left, "x")
    with pytest.raises(ValueError, match="was destroyed"):
        zctx.set_linger(ctx, 0)


def test_raw_and_namespace_calls_mix() -> None:
    """A raw handle works in the namespaces, and a namespace's handle in the raw calls."""
    ctx = C.zctx_new()
    push, pull = C.zsocket_new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
    assert zsocket.bind(push, "inproc://lifetimes.raw") == 0
    assert C.zsocket_connect(pull, b"inproc://lifetimes.raw") == 0
    assert C.zstr_send(push, b"both") == 0
    assert zstr.recv(pull) == "both"
    frame = C.zframe_new(b"raw", 3)
    assert zframe.size(frame) == 3
    zframe.destroy(frame)
    with pytest.raises(ValueError, match="frame was destroyed"):
        zframe.size(frame)
    zctx.destroy(ctx)


def test_exit_with_everything_forgotten() -> None:
    """A program that destroys nothing ends well, at once and in silence."""
    done = children.run(
        """
        from pyczmq import zauth, zctx, zframe, zloop, zmq, zmsg, zpoller, zsocket, zstr, C
        ctx = zctx.new()
        push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
        zsocket.connect(push, f"tcp://127.0.0.1:{zsocket.bind(pull, 'tcp://127.0.0.1:*')}")
        zstr.send(push, "unread")
        shadow = zctx.shadow(ctx)
        other = zsocket.new(shadow, zmq.DEALER)
        auth = zauth.new(ctx)
        poller, loop = zpoller.new(pull), zloop.new()
        zloop.timer(loop, 1000, 0, lambda *_: 0, loop)
        message, frame = zmsg.new(), zframe.new("x")
        """
    )
    assert (done.status, done.output, done.errors) == (0, "", "")


@pytest.mark.parametrize("linger", [-1, 60000])
def test_exit_does_not_wait_for_what_cannot_be_sent(linger: int) -> None:
    """Messages to a peer that never comes do not hold up the exit, whatever the linger."""
    done = children.run(
        f"""
        from pyczmq import zctx, zmq, zsocket, zstr
        ctx = zctx.new()
        zctx.set_linger(ctx, {linger})
        push = zsocket.new(ctx, zmq.PUSH)
        zsocket.connect(push, "tcp://127.0.0.1:9")
        zstr.send(push, "to nobody")
        print("sent")
        """,
        timeout=20,
    )
    assert (done.status, done.output, done.errors) == (0, "sent\n", "")


def test_linger_is_kept_at_exit() -> None:
    """What a linger allows to be sent when the program ends still arrives."""
    ctx = zctx.new()
    pull = zsocket.new(ctx, zmq.PULL)
    port = zsocket.bind(pull, "tcp://127.0.0.1:*")
    children.check(
        """
        import sys
        from pyczmq import zctx, zmq, zsocket, zstr
        ctx = zctx.new()
        zctx.set_linger(ctx, 400)
        push = zsocket.new(ctx, zmq.PUSH)
        zsocket.connect(push, f"tcp://127.0.0.1:{sys.argv[1]}")
        for number in range(1000):
            zstr.send(push, str(number))
        """,
        str(port),
    )
    zsocket.set_rcvtimeo(pull, 5000)
    assert [zstr.recv(pull) for _ in range(1000)] == [str(number) for number in range(1000)]


@pytest.mark.parametrize(
    "ending",
    ["pass", "raise SystemExit(3)", "raise KeyError('x')", "import signal; signal.raise_signal(signal.SIGINT)"],
)
def test_exit_with_daemon_thread_blocked(ending: str) -> None:
    """A daemon thread that is blocked in recv neither holds up the exit nor crashes it."""
    done = children.run(
        f"""
        import threading
        from pyczmq import C, zctx, zmq, zsocket, zstr
        ctx = zctx.new()
        pull, ready = zsocket.new(ctx, zmq.PULL), threading.Event()
        def listen(sock):
            ready.set()
            while True:
                zstr.recv(sock)
        threading.Thread(target=listen, args=(pull,), daemon=True).start()
        threading.Thread(target=listen, args=(C.zsock_new(zmq.PULL),), daemon=True).start()
        ready.wait()
        {ending}
        """,
        timeout=20,
    )
    expected = {"pass": 0, "raise SystemExit(3)": 3, "raise KeyError('x')": 1}.get(ending, -2)
    assert done.status == expected, done
    assert "KeyError" in done.errors if "KeyError" in ending else True
    if expected in (0, 3):
        assert done.errors == ""


def test_fork_leaves_the_parents_sockets_alone() -> None:
    """A forked child refuses the parent's handles and works with its own; the parent goes on."""
    output = children.check(
        """
        import gc, os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from pyczmq import zcert, zctx, zframe, zmq, zsocket, zstr
        ctx = zctx.new()
        push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
        zsocket.bind(push, "inproc://fork"); zsocket.connect(pull, "inproc://fork")
        cert, frame = zcert.new(), zframe.new("memory")
        child = os.fork()
        if not child:
            try:
                try:
                    zstr.send(push, "stolen")
                except ValueError as error:
                    assert "belongs to the parent process" in str(error), error
                else:
                    os._exit(1)
                assert zframe.size(frame) == 6 and zcert.eq(cert, zcert.dup(cert))
                del ctx, push, pull
                gc.collect()
                mine = zctx.new()
                a, b = zsocket.new(mine, zmq.PUSH), zsocket.new(mine, zmq.PULL)
                zsocket.bind(a, "inproc://fork"); zsocket.connect(b, "inproc://fork")
                zstr.send(a, "child")
                assert zstr.recv(b) == "child"
                zctx.destroy(mine)
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(2)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        zstr.send(push, "parent")
        print(zstr.recv(pull))
        """
    )
    assert output == "0\nparent\n"


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_fork_ends_no_context_that_only_its_sockets_keep() -> None:
    """The child, which lets go of the parent's sockets, does not end their context on a thread that would never end."""
    output = children.check(
        """
        import gc, os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from pyczmq import zctx, zmq, zsocket
        push, shadowed = zsocket.new(zctx.new(), zmq.PUSH), zsocket.new(zctx.shadow(zctx.new()), zmq.PUSH)
        gc.collect()
        if not os.fork():
            gc.collect()
            os._exit(len(os.listdir("/proc/self/task")))
        print(os.waitstatus_to_exitcode(os.wait()[1]))
        """
    )
    assert output == "1\n"


def test_fork_and_ordinary_exit() -> None:
    """A child made by multiprocessing's fork ends through the ordinary way out, in silence."""
    output = children.check(
        """
        import os, sys, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from pyczmq import C, ffi, zauth, zctx, zmq, zsocket, zstr
        ctx = zctx.new()
        push = zsocket.new(ctx, zmq.PUSH)
        auth = zauth.new(ctx)
        if not os.fork():
            sys.exit(0)
        print(os.wait()[1])
        zauth.allow(auth, "127.0.0.1")
        """
    )
    assert output == "0\n"


def test_two_threads_that_free_a_handle_free_it_once() -> None:
    """Another thread's garbage collector comes in the middle: only one of the two is told to free."""
    handle: Any = _handles.own(C.zframe_new_empty(), lambda pointer: None)
    owner = _handles._owned[id(handle)]
    first: list[bool] = []

    class Raced(dict[int, Any]):
        def get(self, key: int, default: Any = None) -> Any:
            found = super().get(key, default)
            first.append(owner.retire(None))
            return found

    second = owner.retire(None, Raced(_handles._owned))
    assert (first, second) == ([True], False)
    zframe.destroy(handle)


def test_what_another_thread_frees_at_exit_is_not_freed_again() -> None:
    """The garbage collector may run in another thread while the process is about to free what is left."""
    output = children.check(
        """
        from pyczmq import C, _handles
        def own(name):
            handle = _handles.own(C.zframe_new_empty(), lambda pointer: print(name, flush=True))
            return handle, _handles._owned[id(handle)]
        handle, owner = own("once")
        other, racing = own("other")
        reference = racing.handle
        def race():
            if owner.retire(None):
                owner.free(owner.pointer)
            return reference()
        racing.handle = race
        """
    )
    assert output.split() == ["once", "other"]


def test_no_descriptor_is_left_at_exit() -> None:
    """CZMQ's context, which C would abort over, is not made for that; what asks for it gets an OSError."""
    children.check(
        """
        import os, resource, threading, time
        from pyczmq import zclock, zctx, zmq, zstr, zsys
        threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
        context = zmq.ctx_new()
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
        try:
            while True:
                os.dup(0)
        except OSError:
            pass
        for call in (zsys.init, zsys.shutdown, lambda: zsys.set_io_threads(2)):
            try:
                call()
            except OSError as error:
                assert error.errno == zmq.EMFILE
            else:
                raise AssertionError(call)
        assert zmq.ctx_term(context) == 0
        """
    )


def test_nothing_that_was_dropped_stays_open() -> None:
    """What the last objects refer to goes with them: PyPy's dicts may keep what was taken out of them."""
    children.check(
        """
        import gc
        from pyczmq import _handles, zmonitor, zsock
        def use():
            server = zsock.new_rep()
            monitor = zmonitor.new(server)
            zmonitor.listen(monitor, "LISTENING")
            zmonitor.start(monitor)
            zsock.bind(server, "tcp://127.0.0.1:*")
            assert zmonitor.recv(monitor, 10_000).event == "LISTENING"
        for number in range(300):
            use()
            if number % 20 == 0:
                gc.collect()
        for _ in range(10):
            gc.collect()
        assert not _handles._owned, _handles._owned
        """
    )


def test_what_threads_keep_to_themselves_goes_with_them() -> None:
    """A threading.local keeps nothing of a thread of C's that has ended: PyPy would, for good."""
    local = threading.local()
    kept: list[weakref.ref[Frame]] = []

    def keep(*args: object) -> None:
        local.frame = Frame("x")
        kept.append(weakref.ref(local.frame))

    for _ in range(5):
        zactor.destroy(zactor.new(keep))
        zmq.threadclose(zmq.threadstart(keep))
    deadline = time.monotonic() + 10
    while any(reference() is not None for reference in kept) and time.monotonic() < deadline:
        # The last thread may be about to end. Under CPython cffi clears up after it once another one begins.
        zactor.destroy(zactor.new(lambda pipe: None))
        collect()
    assert len(kept) == 10 and not any(reference() for reference in kept)
