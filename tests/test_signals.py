"""Signals: what Ctrl-C and other signals do to each call that blocks, and that CZMQ leaves Python's handlers alone."""

from __future__ import annotations

import signal

import children
import pytest

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no POSIX signals")

#: Milliseconds after which the timed calls end by themselves.
DEADLINE = 300

#: Seconds in which Ctrl-C must come out of a call.
PROMPT = 0.2

# One call that blocks: the lines that prepare it, then the expression. In them `timeout` is -1 or DEADLINE; so are the
# RCVTIMEO and SNDTIMEO of `pull`, which never receives, and of `push`, which has no peer.
CALLS = {
    "zstr.recv": "zstr.recv(pull)",
    "zstr.recvx": "zstr.recvx(pull)",
    "zstr.send": "zstr.send(push, 'x')",
    "zstr.sendm": "zstr.sendm(push, 'x')",
    "zstr.sendf": "zstr.sendf(push, '%d', 1)",
    "zstr.sendx": "zstr.sendx(push, 'x', 'y')",
    "zstr.recv from a zsock": "zstr.recv(zsock)",
    "zstr.recv from an actor": "zstr.recv(actor)",
    "zframe.recv": "zframe.recv(pull)",
    "zframe.send": "frame = zframe.new('x')\nzframe.send(frame, push)",
    "zmsg.recv": "zmsg.recv(pull)",
    "zmsg.send": "message = zmsg.new()\nzmsg.addstr(message, 'x')\nzmsg.send(message, push)",
    "zsocket.poll": "zsocket.poll(pull, timeout)",
    "zsocket.wait": "zsocket.wait(pull)",
    "zsocket.sendmem": "zsocket.sendmem(push, b'x')",
    "zsocket.signal": "zsocket.signal(push)",
    "zpoller.wait": "poller = zpoller.new(pull)\nzpoller.wait(poller, timeout)",
    "zpoller.wait on nothing": "poller = zpoller.new()\nzpoller.wait(poller, timeout)",
    "zpoller.wait on a descriptor": "poller = zpoller.new(os.pipe()[0])\nzpoller.wait(poller, timeout)",
    "zloop.start": "loop = ending_loop(timeout)\nzloop.start(loop)",
    "zloop.start with a socket": "loop = ending_loop(timeout)\nzloop.reader(loop, zsock, lambda *_: 0)\n"
    "zloop.start(loop)",
    "zloop.start with a poll item": "loop = ending_loop(timeout)\nitem = zmq.pollitem(socket=pull, events=zmq.POLLIN)\n"
    "zloop.poller(loop, item, lambda *_: 0)\nzloop.start(loop)",
    "zloop.start with busy timers": "loop = ending_loop(timeout)\nzloop.timer(loop, 0, 0, lambda *_: 0)\n"
    "zloop.start(loop)",
    "zmq.recv": "zmq.recv(pull)",
    "zmq.send": "zmq.send(push, b'x')",
    "zmq.msg_recv": "message = zmq.msg_init()\nzmq.msg_recv(message, pull)",
    "zmq.msg_send": "message = zmq.msg_init_data(b'x')\nzmq.msg_send(message, push)",
    "zmq.poll": "items = [zmq.pollitem(socket=pull, events=zmq.POLLIN)]\nzmq.poll(items, timeout)",
    "zmq.poll on nothing": "zmq.poll([], timeout)",
    "zmq.ppoll": "items = [zmq.pollitem(socket=pull, events=zmq.POLLIN)]\nzmq.ppoll(items, timeout)",
    "zsock.recv": "sockets.recv(pull, 'si')",
    "zsock.brecv": "sockets.brecv(pull, 's')",
    "zsock.send": "sockets.send(push, 'si', 'x', 1)",
    "zsock.bsend": "sockets.bsend(push, 's', 'x')",
    "zsock.wait": "sockets.wait(pull)",
    "zactor.recv": "zactor.recv(actor)",
    "zmonitor.recv": "monitor = zmonitor.new(pull)\nzmonitor.listen(monitor, 'ALL')\nzmonitor.start(monitor)\n"
    "zmonitor.recv(monitor, timeout)",
    "zmonitor.recv from an actor": "monitor = zactor.new(zmonitor.actor, zsock)\nzmonitor.listen(monitor, 'ALL')\n"
    "zmonitor.start(monitor)\nzmonitor.recv(monitor, timeout)",
    "zgossip.recv": "node = zactor.new(zgossip.actor, 'node')\nzgossip.recv(node, timeout)",
    "zdir.recv": "watcher = zactor.new(zdir.watch)\nzdir.recv(watcher, timeout)",
    "zctx.destroy": "zctx.set_linger(ctx, timeout)\nzsocket.connect(push, 'tcp://127.0.0.1:9')\nzstr.send(push, 'x')\n"
    "zctx.destroy(ctx)",
}

#: Calls that only a signal can end.
ENDLESS = {
    "zmq.proxy": "zmq.proxy(pull, push)",
    "zmq.proxy_steerable": "zmq.proxy_steerable(pull, push, None, pair)",
    "zmq.device": "zmq.device(zmq.QUEUE, pull, push)",
    "zmq.sleep": "zmq.sleep(20)",
    "zmq.threadclose": "thread = zmq.threadstart(lambda arg: zstr.recv(spare), None)\nzmq.threadclose(thread)",
    "zmq.ctx_term": "context = zmq.ctx_new()\nopen = zmq.socket(context, zmq.PULL)\nzmq.ctx_term(context)",
    "zclock.sleep": "zclock.sleep(20000)",
    "zactor.new": "gate = opened_at_exit()\nzactor.new(lambda pipe: gate.wait(20))",
    "zactor.destroy": "gate = opened_at_exit()\ndeaf = zactor.new(lambda pipe: zsocket.signal(pipe) or gate.wait(20))\n"
    "zactor.destroy(deaf, 20000)",
    "a recv in a handler of zloop": "loop = ending_loop(150)\nzloop.timer(loop, 0, 1, lambda *_: zstr.recv(pull))\n"
    "zloop.start(loop)",
    "a loop in a handler of zloop": "loop, inner = zloop.new(), zloop.new()\n"
    "zloop.timer(loop, 0, 1, lambda *_: zloop.start(inner))\nzloop.start(loop)",
}

PROGRAM = """
import atexit, os, signal, sys, threading, time
from pyczmq import C, ffi, zactor, zclock, zctx, zdir, zframe, zgossip, zloop, zmonitor, zmq, zmsg, zpoller, zsocket
from pyczmq import zsock as sockets, zstr

spare_ctx = zctx.new()
spare = zsocket.new(spare_ctx, zmq.PULL)
handled, sent, begun = [], [], []

def on_usr1(number, frame):
    handled.append(time.monotonic())
    # What a handler does to errno must not matter to the call that it interrupts.
    assert zsocket.connect(spare, "nonsense://nowhere") == -1

signal.signal(signal.SIGUSR1, on_usr1)

def ending_loop(timeout):
    loop = zloop.new()
    if timeout >= 0:
        zloop.timer(loop, timeout, 1, lambda *_: -1)
    return loop

def opened_at_exit():
    gate = threading.Event()
    atexit.register(gate.set)
    return gate

def begin(number, *moments):
    begun.append(time.monotonic())
    def run():
        for moment in moments:
            time.sleep(max(0, begun[-1] + moment - time.monotonic()))
            sent.append(time.monotonic())
            os.kill(os.getpid(), number)
    threading.Thread(target=run, daemon=True).start()

def block(timeout, number, *moments):
    ctx = zctx.new()
    pull, push, pair = (zsocket.new(ctx, kind) for kind in (zmq.PULL, zmq.PUSH, zmq.PAIR))
    zsocket.set_rcvtimeo(pull, timeout)
    zsocket.set_sndtimeo(push, timeout)
    zsocket.bind(pull, "inproc://pull")
    zsock, actor = C.zsock_new(zmq.PULL), C.zactor_new(C.zproxy, ffi.NULL)
    C.zsock_set_rcvtimeo(zsock, timeout)
    C.zsock_set_rcvtimeo(actor, timeout)
    try:
        {setup}
        begin(number, *moments)
        return {call}
    finally:
        begun.append(time.monotonic())
        C.zactor_destroy(ffi.new("zactor_t **", actor))
        C.zsock_destroy(ffi.new("zsock_t **", zsock))

"""

TIMED = """
block({deadline}, signal.SIGUSR1, 0.05, 0.2)
assert len(handled) == 2, handled
assert all(late < 0.2 for late in map(float.__sub__, handled, sent)), (handled, sent)
print(begun[1] - begun[0])
sent.clear()
begun.clear()
"""

INTERRUPTED = """
try:
    block(-1, signal.SIGINT, 0.1)
except KeyboardInterrupt:
    print(begun[1] - sent[0])
"""


def program(call: str, end: str) -> str:
    """Return the program that makes one call and tells how long that took."""
    *setup, expression = call.splitlines()
    prepared = PROGRAM.replace("{setup}", "\n        ".join(setup) or "pass").replace("{call}", expression)
    return prepared + end.replace("{deadline}", str(DEADLINE))


@pytest.mark.parametrize("name", CALLS)
def test_call_with_a_deadline(name: str) -> None:
    """A signal's handler runs at once, and the call keeps its deadline; Ctrl-C ends the same call without one."""
    took, interrupted = children.check(program(CALLS[name], TIMED + INTERRUPTED)).split()
    # The deadline of a loop begins a little before the call.
    assert DEADLINE / 1000 - 0.05 < float(took) < DEADLINE / 1000 + 0.2
    assert 0 <= float(interrupted) < PROMPT


@pytest.mark.parametrize("name", ENDLESS)
def test_call_without_a_deadline(name: str) -> None:
    """Ctrl-C comes out of the call as KeyboardInterrupt, at once, and the process ends well."""
    assert 0 <= float(children.check(program(ENDLESS[name], INTERRUPTED))) < PROMPT


@pytest.mark.parametrize(
    "name", ["zstr.recv", "zstr.send", "zsocket.poll", "zpoller.wait", "zloop.start", "zctx.destroy"]
)
def test_handler_that_raises(name: str) -> None:
    """What a signal's handler raises comes out of the call."""
    end = """
def fail(number, frame):
    raise LookupError("handler")

signal.signal(signal.SIGUSR1, fail)
try:
    block(-1, signal.SIGUSR1, 0.2)
except LookupError:
    print(begun[1] - sent[0])
"""
    assert 0 <= float(children.check(program(CALLS[name], end))) < PROMPT


@pytest.mark.parametrize("name", ["zstr.recv", "zpoller.wait", "zloop.start with a socket", "zctx.destroy"])
def test_hail_of_signals(name: str) -> None:
    """A signal every millisecond, which lands anywhere in the call, does not change when it ends."""
    end = """
count = []
signal.signal(signal.SIGALRM, lambda *_: count.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
block({deadline}, 0)
signal.setitimer(signal.ITIMER_REAL, 0)
assert len(count) > 20, len(count)
print(begun[1] - begun[0])
"""
    output = children.check(program(CALLS[name], end))
    assert DEADLINE / 1000 - 0.05 < float(output) < DEADLINE / 1000 + 0.3


@pytest.mark.parametrize("name", ["zstr.recv", "zpoller.wait", "zloop.start"])
def test_sigterm_ends_the_process(name: str) -> None:
    """SIGTERM, which has no handler in Python, ends the process as ever."""
    done = children.run(program(CALLS[name], "block(-1, signal.SIGTERM, 0.1)"))
    assert done.status == -signal.SIGTERM, done


def test_another_thread_is_left_alone() -> None:
    """A call that blocks in another thread does not notice signals; the main thread handles them at once."""
    children.check(
        PROGRAM.replace("{setup}", "pass").replace("{call}", "zstr.recv(pull)")
        + """
results = []
thread = threading.Thread(target=lambda: results.append(block(400, 0)))
thread.start()
while len(begun) < 1:
    time.sleep(0.001)
for _ in range(3):
    os.kill(os.getpid(), signal.SIGUSR1)
    time.sleep(0.05)
assert len(handled) == 3
thread.join()
assert results == [None]
assert 0.39 < begun[1] - begun[0] < 0.6
"""
    )


def test_ctrl_c_in_warm_loops() -> None:
    """Ctrl-C still comes out of a loop that has fired its handlers so often that PyPy has compiled them."""
    output = children.check(
        PROGRAM.replace("{setup}", "loop = zloop.new(); zloop.timer(loop, 0, 0, lambda *_: beats.append(1))").replace(
            "{call}", "zloop.start(loop)"
        )
        + """
beats = []
try:
    block(-1, signal.SIGINT, 1.5)
except KeyboardInterrupt:
    print(begun[1] - sent[0])
assert len(beats) > 5000, len(beats)
"""
    )
    assert 0 <= float(output) < PROMPT


ACTIONS = """
import os, signal, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from cffi import FFI

libc_ffi = FFI()
libc_ffi.cdef("int sigaction(int, const void *, void *);")
libc = libc_ffi.dlopen(None)

def actions():
    found = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        action = libc_ffi.new("char[1024]")
        assert libc.sigaction(number, libc_ffi.NULL, action) == 0
        # The handler comes first on every system.
        found.append((signal.getsignal(number), bytes(libc_ffi.buffer(action, libc_ffi.sizeof("void *")))))
    return found

before = actions()

def use_everything():
    from pyczmq import C, ffi, zcert, zctx, zloop, zmq, zpoller, zsocket, zstr
    assert actions() == before
    ctx = zctx.new()
    pull = zsocket.new(ctx, zmq.PULL)
    zsocket.bind(pull, "tcp://127.0.0.1:*")
    zsock, actor = C.zsock_new(zmq.PULL), C.zactor_new(C.zproxy, ffi.NULL)
    poller, loop, cert = zpoller.new(pull), zloop.new(), zcert.new()
    C.zsys_init()
    zloop.timer(loop, 1, 1, lambda *_: -1)
    zpoller.wait(poller, 1)
    zloop.start(loop)
    assert actions() == before
    C.zactor_destroy(ffi.new("zactor_t **", actor))
    C.zsock_destroy(ffi.new("zsock_t **", zsock))
    zctx.destroy(ctx)
    assert actions() == before
"""


@pytest.mark.parametrize(
    "program",
    [
        "use_everything()",
        "use_everything()\nchild = os.fork()\nuse_everything()\nif child:\n    assert os.waitpid(child, 0)[1] == 0",
        "child = os.fork()\nuse_everything()\nif child:\n    assert os.waitpid(child, 0)[1] == 0",
    ],
    ids=["once", "used before the fork", "used after the fork"],
)
def test_czmq_installs_no_handlers(program: str) -> None:
    """The handlers of SIGINT, SIGTERM and SIGPIPE are Python's and stay so, down in C too, and in a forked child."""
    children.check(ACTIONS + program)


def test_ctrl_c_in_a_forked_child() -> None:
    """In a forked child Ctrl-C works as it does in its parent."""
    children.check(
        """
        import os, signal, time, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from pyczmq import zctx, zmq, zsocket, zstr
        ctx = zctx.new()
        pull = zsocket.new(ctx, zmq.PULL)
        ready, tell = os.pipe()
        child = os.fork()
        if not child:
            mine = zctx.new()
            sock = zsocket.new(mine, zmq.PULL)
            os.write(tell, b"x")
            try:
                zstr.recv(sock)
            except KeyboardInterrupt:
                os._exit(7)
            os._exit(1)
        os.read(ready, 1)
        time.sleep(0.1)
        os.kill(child, signal.SIGINT)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        """
    )


def test_ctrl_c_at_the_terminal() -> None:
    """A program that does not catch it dies of Ctrl-C as any Python program does, with a traceback and nothing else."""
    done = children.run(program(CALLS["zstr.recv"], "block(-1, signal.SIGINT, 0.1)"))
    assert done.errors.rstrip().endswith("KeyboardInterrupt")
    assert "dangling" not in done.errors
    assert done.status == -signal.SIGINT
