"""Signals in every blocking call of every floor: Ctrl-C, handlers that run meanwhile, and handlers that raise.

`tests/test_signals.py` has the calls of the namespaces, one in each process; here many share one.
"""

from __future__ import annotations

import fnmatch
import importlib
import json
import platform
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import blocking_calls
import children
import interrupted
import netns
import pytest
import test_signals

import pyczmq
from pyczmq import aio, types

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no POSIX signals")

HERE = Path(__file__).parent

#: Public functions that lead to a place where something waits, and that no test interrupts as such, with the reason.
ELSEWHERE = {
    "z*.test": "runs CZMQ's own test in a child process",
    "zauth.*": "asks the authenticator, which answers at once: hailed on in test_hail_of_commands",
    "zbeacon.*": "commands an actor of C's that always takes them",
    "zdir.*": "asks an actor that answers at once: hailed on",
    "zgossip.*": "asks an actor that answers at once: hailed on",
    "zmonitor.*": "asks an actor that answers at once: hailed on",
    "zproxy.*": "asks an actor, as zproxy.pause does",
    "zctx.new": "waits only where it frees, as zctx.destroy does",
    "zctx.shadow*": "waits only where it frees, as zctx.destroy does",
    "zframe.receive": "is zframe.recv under the name of newer libraries",
    "zframe.transmit": "is zframe.send under the name of newer libraries",
    "zhttp_*.*": "draft: tests/test_zhttp_client.py has it",
    "zmq.close": "does not wait",
    "zsock.new*": "does not wait",
    "zsock.destroy*": "does not wait",
    "zsock.has_in": "looks, and does not wait",
    "Context.__init__": "does not wait",
    "Context.shadow": "does not wait",
    "Socket.__init__": "does not wait",
    "Socket.bind": "does not wait",
    "Socket.close": "does not wait",
    "Socket.connect": "does not wait",
    "*.recv_nowait": "does not wait",
    "*.recv_frame_nowait": "does not wait",
    "Frame.close": "does not wait",
    "Message.close": "does not wait",
    "Poller.__init__": "does not wait",
    "Poller.close": "does not wait",
    "Loop.__init__": "does not wait",
    "Loop.close": "does not wait",
    "Loop.stop": "does not wait",
    "Cert.*": "waits for nothing but files",
    "CertStore.*": "waits for nothing but files",
    "Config.close": "does not wait",
    "Pipe.*": "waits on an actor's thread, which no signal reaches",
    "Beacon.*": "commands an actor of C's that always takes them",
    "Auth.*": "asks the authenticator, which answers at once: hailed on",
    "Monitor.*": "asks an actor that answers at once",
    "Gossip.*": "asks an actor that answers at once: hailed on",
    "Proxy.__init__": "asks an actor, as Proxy.pause does",
    "Actor.__init__": "of asyncio: it blocks, as that of pyczmq does",
}


#: What is read off the source is the same under each interpreter.
once = pytest.mark.skipif(platform.python_implementation() != "CPython", reason="done under CPython")


def tried(tables: Iterable[Iterable[str]]) -> set[str]:
    """Return the names of the calls that tables have, without what sets one case apart from another."""
    return {name.partition(",")[0].partition(" ")[0] for table in tables for name in table}


def missing(found: Iterable[tuple[str, str]], known: set[str]) -> list[str]:
    """Return those public functions that can block and are neither tried nor listed above."""
    can_block = blocking_calls.blocking(but_for_actors=True)
    return [
        name
        for name, key in found
        if key in can_block and name not in known and not any(fnmatch.fnmatch(name, one) for one in ELSEWHERE)
    ]


@once
def test_each_function_that_can_block_is_tried() -> None:
    """Each function of a namespace that can block, read off the source, is among those that are interrupted."""
    tables: list[Any] = [test_signals.CALLS, test_signals.ENDLESS]
    known = tried([*tables, interrupted.NAMESPACES, interrupted.NAMESPACES_ENDLESS])
    root = Path(pyczmq.__file__).parent
    modules = [importlib.import_module(f"pyczmq.{path.stem}") for path in sorted(root.glob("z*.py"))]
    assert "zstr.recv" in known
    assert [name for module in modules for name in missing(blocking_calls.functions(module), known)] == []


@once
@pytest.mark.parametrize("floor", ["types", "aio"])
def test_each_method_that_can_block_is_tried(floor: str) -> None:
    """Each method of an object that can block, read off the source, is among those that are interrupted."""
    tables: list[Any] = [interrupted.AIO, interrupted.AIO_BEACONS]
    if floor == "types":
        tables = [interrupted.OBJECTS, interrupted.OBJECTS_ENDLESS, interrupted.BEACONS, interrupted.BEACONS_ENDLESS]
    module: Any = types if floor == "types" else aio
    classes = [getattr(module, name) for name in module.__all__ if isinstance(getattr(module, name), type)]
    assert [name for kind in classes for name in missing(blocking_calls.methods(kind), tried(tables))] == []


@once
def test_what_can_block_is_found() -> None:
    """The look at the source finds what blocks, on each floor, and not what does not."""
    found = blocking_calls.blocking()
    assert {"zstr.recv", "zpoller.wait", "zactor.destroy", "types._messaging.Messaging.recv", "zloop.start"} <= found
    assert not {"zstr.str", "zframe.size", "zclock.time", "zmsg.append"} & found


# ---------------------------------------------------------------- each call


def run(script: str, *words: list[str], timeout: float) -> list[dict[str, Any]]:
    """Run a script of this folder with words, several at a time; return the lines of JSON that they print."""
    command = [*children.python()[:-1], str(HERE / script)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = [subprocess.Popen([*command, *each], **pipes) for each in words]  # type: ignore[call-overload]
    found = []
    for each, process in zip(words, running):
        try:
            output, errors = process.communicate(timeout=timeout)
        finally:
            process.kill()
        assert process.returncode == 0, f"{script} {' '.join(each)}: status {process.returncode}\n{errors}"
        lines = output.splitlines()
        strange = [line for line in lines if not line.startswith("{")]
        assert not strange, f"{script} {' '.join(each)} prints {strange}"
        found += [json.loads(line) for line in lines]
    return found


def check_results(floor: str, results: list[dict[str, Any]], rounds: int, figure: Callable[[str], None]) -> None:
    """Check what `interrupted` has printed, and note the slowest."""
    assert results
    wrong = [result for result in results if "error" in result]
    late = [
        f"{result['name']}: {key} {value:.3f} s late"
        for result in results
        for key, value in result.items()
        if isinstance(value, float) and not -0.05 < value < interrupted.PROMPT
    ]
    assert not wrong and not late, "\n".join([*map(str, wrong), *late])
    slowest = max(result.get("interrupt", 0) for result in results)
    figure(f"{floor}: {len(results)} calls, {rounds} times each; Ctrl-C came out after {slowest * 1000:.0f} ms at most")


#: In how many processes at a time the calls of a floor are made.
SHARES = {"raw": 1, "namespaces": 1, "objects": 4, "asyncio": 1}


def test_signals_in_each_call(amount: Callable[[int, int], int], figure: Callable[[str], None]) -> None:
    """A handler runs at once, and the call goes on and keeps its deadline; Ctrl-C comes out within 200 ms.

    On the raw floor the call ends, with EINTR, and Python raises after it.
    """
    rounds = amount(1, 300)
    words = [
        [floor, f"{share}/{shares}", str(rounds), str(share)]
        for floor, shares in SHARES.items()
        for share in range(shares)
    ]
    results = run("interrupted.py", *words, timeout=50 if rounds == 1 else 3000)
    for floor in SHARES:
        check_results(floor, [result for result in results if result["floor"] == floor], rounds, figure)


@pytest.mark.requires_netns
@pytest.mark.parametrize("floor", ["beacons", "asyncio beacons"])
def test_signals_in_beacons(floor: str, amount: Callable[[int, int], int], figure: Callable[[str], None]) -> None:
    """The same holds for what waits for a beacon."""
    rounds = amount(1, 300)
    source = f"import runpy, sys; sys.argv = ['interrupted.py', {floor!r}, '0/1', '{rounds}', '1']; "
    source += (
        f"sys.path.insert(0, {str(HERE)!r}); runpy.run_path({str(HERE / 'interrupted.py')!r}, run_name='__main__')"
    )
    done = netns.run(source, timeout=50 if rounds == 1 else 3000)
    assert done.returncode == 0, done.stderr
    check_results(floor, [json.loads(line) for line in done.stdout.splitlines()], rounds, figure)


# ---------------------------------------------------------------- handlers that raise at any moment


@pytest.mark.parametrize("way", ["receive", "send", "commands"])
def test_hail_of_handlers_that_raise(
    way: str, amount: Callable[[int, int], int], figure: Callable[[str], None]
) -> None:
    """Whatever a handler raises, and when, no message is cut, twice or out of order, and no call hangs.

    None is lost where the handler has raised while the call waited. At any other moment it may cost the one message
    that the call was about to return, and no more.
    """
    count = amount(60, 20_000)
    results = run("hailed.py", [way, str(count), "1"], timeout=50 if count < 1000 else 3000)
    for result in results:
        allowed = 0 if way != "receive" or result["only_waiting"] else result["hits"]
        assert result["lost"] <= allowed, result
        assert not result["only_waiting"] or not result.get("extra"), result
    hits = sum(result["hits"] for result in results)
    assert hits > 20
    lost = sum(result["lost"] for result in results)
    figure(f"{way}: {count} times each of {len(results)} calls, {hits} exceptions, {lost} messages lost to them")


# ---------------------------------------------------------------- the handlers in C

_CAUGHT = """
import os, re, signal, sys
def caught():
    status = open("/proc/self/status").read()
    # Beyond 31 there are those by which the threads of libc's talk to one another.
    masks = [int(re.search(rf"^{name}:(.*)$", status, re.M)[1], 16) for name in ("SigCgt", "SigIgn")]
    return [hex(mask & 0x7FFFFFFF) for mask in masks]
before = caught()

def check(what):
    assert caught() == before, (what, caught(), before)

def use_everything(beacon):
    import asyncio, pyczmq
    from pyczmq import C, ffi, zactor, zctx, zloop, zmq, zpoller, zsock, zsocket, zstr, zsys, aio
    # Of asyncio's own there is one for Ctrl-C, which is gone when it ends.
    check("import")
    sock = C.zsock_new(zmq.PULL)
    C.zsys_init()
    C.zsock_destroy(ffi.new("zsock_t **", sock))
    proxy = C.zactor_new(C.zproxy, ffi.NULL)
    C.zactor_destroy(ffi.new("zactor_t **", proxy))
    check("raw")
    pull = zsock.new(zmq.PULL)
    zpoller.wait(zpoller.new(pull), 1)
    loop = zloop.new()
    zloop.timer(loop, 1, 1, lambda *_: -1)
    zloop.start(loop)
    zactor.destroy(zactor.new(lambda pipe: zstr.recv(pipe)))
    ctx = zctx.new()
    zsocket.new(ctx, zmq.PULL)
    zctx.destroy(ctx)
    check("namespaces")
    with pyczmq.Context() as context, context.socket(zmq.PULL) as one, pyczmq.Socket(zmq.PULL) as other:
        with pyczmq.Monitor(one), pyczmq.Poller(other) as poller, pyczmq.Gossip("x"), pyczmq.Auth():
            poller.wait(1)
    with pyczmq.Actor(lambda pipe: list(pipe)) as actor:
        actor.send("x")
    with pyczmq.Loop() as loop:
        loop.timer(1, 1, lambda *_: -1)
        loop.start()
    if beacon:
        with pyczmq.Beacon(9999) as heard:
            heard.publish("x")
            heard.poll(10)
    check("objects")
    async def main():
        async with aio.Socket(zmq.PULL) as sock, aio.Actor(lambda pipe: list(pipe)) as actor:
            await sock.poll(1)
    asyncio.run(main())
    check("asyncio")

beacon = BEACON
if FORK == "before":
    child = os.fork()
    use_everything(beacon)
    if not child:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
else:
    use_everything(beacon)
    if FORK == "after":
        child = os.fork()
        check("fork")
        use_everything(beacon)
        if not child:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells in /proc which signals are caught")
@pytest.mark.parametrize("fork", ["before", "after"])
def test_no_handler_of_czmqs(fork: str) -> None:
    """Whatever was used, on each floor, beacons and forked children included, the kernel knows of no other handler."""
    beacon = not netns.unavailable()
    program = re.sub("BEACON", str(beacon), _CAUGHT).replace("FORK", repr(fork))
    if beacon:
        done = netns.run(program)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    else:
        children.check(program)
