"""zsys: the process and its system. What changes the process is tried in child processes."""

from __future__ import annotations

import ctypes
import inspect
import logging
import os
import re
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import children
import pytest
from common import collect, example

from pyczmq import C, _declarations, ffi, zframe, zmq, zsys

has_drafts = hasattr(C, "zsys_mcast_ttl")
needs_drafts = pytest.mark.skipif(not has_drafts, reason="this libczmq has no draft API")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


# ---------------------------------------------------------------- the namespace


def test_example() -> None:
    """The example in the module's docstring runs as it stands."""
    assert "I: " in children.check("from pyczmq import zsys\n" + example(zsys.__doc__))


def test_every_function_is_wrapped_and_documented() -> None:
    """Each function of the C header has a function here whose docstring ends with its prototype."""
    for name, found in _declarations.functions().items():
        if found.header == "zsys.h":
            function = getattr(zsys, name[5:])
            assert inspect.isfunction(function), name
            assert function.__doc__ is not None
            assert function.__doc__.strip().splitlines()[-1].strip() == f"C: ``{found.text}``"
    with pytest.raises(AttributeError, match="nonsense"):
        zsys.nonsense  # noqa: B018


def test_self_test() -> None:
    """CZMQ's own self-test passes in a child process."""
    zsys.test()


def test_version() -> None:
    """The version is a tuple of three numbers."""
    assert zsys.version() >= (3, 0, 0) and len(zsys.version()) == 3
    assert zsys.has_curve() is zmq.has("curve")


@pytest.mark.skipif(has_drafts, reason="this libczmq has the draft API")
def test_drafts_that_are_not_there() -> None:
    """A draft function that the library lacks is an AttributeError that names it, at its use."""
    for call in (zsys.mcast_ttl, zsys.zero_copy_recv, zsys.ipv6_available, zsys.file_stable_age_msec):
        with pytest.raises(AttributeError, match="libczmq"):
            call()


# ---------------------------------------------------------------- the context and its sockets


def test_init_and_shutdown() -> None:
    """The environment can be stopped and started again, which sets the settings back."""
    program = """
        from pyczmq import zmq, zsys
        zsys.shutdown()
        context = zsys.init()
        assert zmq.ctx_get(context, zmq.IO_THREADS) == 1
        zsys.set_pipehwm(7)
        zsys.set_io_threads(3)
        assert zmq.ctx_get(zsys.init(), zmq.IO_THREADS) == 3
        zsys.shutdown()
        zsys.shutdown()
        assert zsys.pipehwm() == 1000 and zmq.ctx_get(zsys.init(), zmq.IO_THREADS) == 1
        front, back = zsys.create_pipe()
        for call in (lambda: zmq.close(zsys.init()), lambda: zmq.ctx_term(zsys.init())):
            try:
                call()
            except (TypeError, ValueError) as error:
                print(error)
    """
    assert children.check(program).count("context") == 2


def test_shutdown_is_refused_while_sockets_are_alive() -> None:
    """C would close the sockets of handles that are still in use."""
    program = """
        import gc
        from pyczmq import zmq, zsys
        front, back = zsys.create_pipe()
        for _ in range(2):
            try:
                zsys.shutdown()
            except RuntimeError as error:
                print(error)
            del front, back
            gc.collect(), gc.collect(), gc.collect()
            front = back = zsys.socket(zmq.PAIR, __file__ if "__file__" in globals() else "here", 5)
        zsys.close(front)
        zsys.shutdown()
    """
    lines = children.check(program).splitlines()
    assert [re.findall(r"zsys.shutdown .*: (\d)", line) for line in lines] == [["2"], ["1"]]


def test_socket_and_close() -> None:
    """A socket in the process-wide context is closed once, by its namespace, zmq's or the garbage collector."""
    pair, other = zsys.socket(zmq.PAIR), zsys.socket(zmq.PAIR, "file", 7)
    assert pair is not None and other is not None
    assert zmq.bind(pair, "inproc://zsys.socket") == 0 and zmq.connect(other, "inproc://zsys.socket") == 0
    zmq.send(pair, b"x")
    assert zmq.recv(other) == b"x"
    assert zsys.close(pair) == 0
    assert zmq.close(other) == 0
    for gone in (pair, other):
        with pytest.raises(ValueError, match="handle was"):
            zsys.close(gone)
    zsys.socket(zmq.PAIR)
    collect()
    assert zsys.socket(99) is None and zmq.errno() == zmq.EINVAL
    assert zsys.socket(-1) is None
    with pytest.raises(TypeError, match="type"):
        zsys.socket("PAIR")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="filename"):
        zsys.socket(zmq.PAIR, "a\0b")
    context = zmq.ctx_new()
    assert context is not None
    foreign = zmq.socket(context, zmq.PAIR)
    assert foreign is not None
    for wrong in (foreign, context):
        with pytest.raises(ValueError, match="not made by zsys"):
            zsys.close(wrong)  # type: ignore[arg-type]
    for bad in (None, 5, zsys.create_pipe()[0]):
        with pytest.raises(TypeError, match="handle"):
            zsys.close(bad)  # type: ignore[arg-type]
    zmq.close(foreign)
    zmq.ctx_term(context)


def test_sockname() -> None:
    """Every socket type has its name; a number that is none is refused, where C would abort."""
    assert zsys.sockname(zmq.PUSH) == "PUSH"
    assert {zsys.sockname(number): number for number in range(21)} == zmq.types
    for bad in (-1, 21, 2**40):
        with pytest.raises(ValueError, match="socktype"):
            zsys.sockname(bad)
    with pytest.raises(TypeError, match="socktype"):
        zsys.sockname("PUSH")  # type: ignore[arg-type]


def test_create_pipe() -> None:
    """A pipe is two zsocks that are connected, with the high-water mark that was set."""
    zsys.set_pipehwm(2500)
    try:
        front, back = zsys.create_pipe()
    finally:
        zsys.set_pipehwm(1000)
    assert ffi.typeof(front) is ffi.typeof("zsock_t *")
    assert zmq.send(front, "Hello") == 5 and zmq.recv(back) == b"Hello"
    assert zmq.send(back, "World") == 5 and zmq.recv(front) == b"World"
    assert zmq.getsockopt(front, zmq.SNDHWM) == zmq.getsockopt(back, zmq.SNDHWM) == 2500
    with pytest.raises(ValueError, match=r"belongs to a .*zsock_t"):
        zmq.close(C.zsock_resolve(front))
    del front
    collect()
    assert zmq.send(back, b"x", zmq.DONTWAIT) in (-1, 1)


def test_no_room_for_a_pipe() -> None:
    """Where libzmq has no room for more sockets a pipe is an OSError, and no abort."""
    program = """
        from pyczmq import zmq, zsys
        zsys.set_max_sockets(5)
        pipes = []
        try:
            while len(pipes) < 5:
                pipes.append(zsys.create_pipe())
        except OSError as error:
            print(len(pipes), error.errno == zmq.EMFILE)
        # What only the garbage collector can free is freed then.
        pipes.append(pipes)
        del pipes
        zsys.create_pipe()
    """
    assert children.check(program) == "2 True\n"


# ---------------------------------------------------------------- settings


def test_settings_before_the_first_socket() -> None:
    """Settings that count before the first socket are set, and are a RuntimeError after it."""
    program = """
        from pyczmq import _declarations, C, zmq, zsys
        context = zsys.init()
        zsys.set_io_threads(2)
        assert zmq.ctx_get(context, zmq.IO_THREADS) == 2
        zsys.set_max_sockets(100)
        assert zmq.ctx_get(context, zmq.MAX_SOCKETS) == 100
        zsys.set_max_sockets(0)
        assert zmq.ctx_get(context, zmq.MAX_SOCKETS) == zsys.socket_limit() > 1000
        zsys.set_max_sockets(100)
        zsys.set_thread_priority(-1)
        zsys.set_thread_sched_policy(-1)
        zsys.set_thread_name_prefix(7)
        assert zsys.thread_name_prefix() == 7
        zsys.set_thread_name_prefix(-1)
        assert zsys.thread_name_prefix() == 7
        zsys.thread_affinity_cpu_add(-1)
        zsys.thread_affinity_cpu_remove(0)
        pipe = zsys.create_pipe()
        calls = {
            "set_io_threads": 1, "set_max_sockets": 1, "set_thread_priority": 1, "set_thread_sched_policy": 0,
            "set_thread_name_prefix": 1, "thread_affinity_cpu_add": CPU, "thread_affinity_cpu_remove": CPU,
        }
        for name, value in calls.items():
            try:
                getattr(zsys, name)(value)
            except RuntimeError as error:
                assert f"zsys.{name} works only while there are no sockets: 2" in str(error)
            else:
                raise SystemExit(name)
        # What C thinks does not matter, and so neither do sockets that Python does not know.
        del pipe
        import gc
        gc.collect(); gc.collect(); gc.collect()
        raw = C.zsock_new(zmq.PAIR)
        zsys.set_io_threads(1)
        from pyczmq import ffi
        C.zsock_destroy(ffi.new("zsock_t **", raw))
    """
    cpu = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    children.check(program.replace("CPU", str(cpu)))


def test_settings_that_would_abort() -> None:
    """What CZMQ or libzmq would abort over, now or at the next socket, is refused by name."""
    ranges: list[tuple[Callable[[Any], None], str, list[int]]] = [
        (zsys.set_io_threads, "io_threads", [-1, 256, 2**40]),
        (zsys.set_max_sockets, "max_sockets", [-1, 1_000_001, 2**40]),
        (zsys.set_linger, "linger", [-1, 2**31, 2**64]),
        (zsys.set_sndhwm, "sndhwm", [-1, 2**31]),
        (zsys.set_rcvhwm, "rcvhwm", [-1, 2**31]),
        (zsys.set_pipehwm, "pipehwm", [-1, 2**31]),
        (zsys.set_max_msgsz, "max_msgsz", [2**31]),
        (zsys.set_thread_name_prefix, "prefix", [2**31]),
    ]
    if has_drafts:
        ranges.append((zsys.set_mcast_ttl, "value", [0, 256, -1]))
    for function, name, values in ranges:
        for value in values:
            with pytest.raises(ValueError, match=name):
                function(value)
        for wrong in (None, "1", 1.5):
            with pytest.raises(TypeError, match=name):
                function(wrong)
    for text in ("", "x" * 16, "a\0b"):
        with pytest.raises(ValueError, match="prefix"):
            zsys.set_thread_name_prefix_str(text)
    texts = (zsys.set_interface, zsys.set_ipv6_address, zsys.set_ipv6_mcast_address, zsys.set_logident)
    for set_text in texts:
        with pytest.raises(TypeError, match="value"):
            set_text(None)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="value"):
            set_text("a\0b")


def test_scheduling_that_is_not_allowed() -> None:
    """A policy, priority or CPU over which libzmq would abort is an OSError; sockets can be made after it."""
    program = """
        import os
        from pyczmq import zsys
        for call in (
            lambda: zsys.set_thread_sched_policy(77),
            lambda: zsys.set_thread_sched_policy(os.SCHED_FIFO),
            lambda: zsys.set_thread_sched_policy(os.SCHED_FIFO, 1000),
            lambda: zsys.thread_affinity_cpu_add(100000),
        ):
            try:
                call()
            except (OSError, ValueError) as error:
                print(type(error).__name__)
        zsys.create_pipe()
    """
    assert len(children.check(program).split()) == 4


def test_scheduling_that_is_allowed() -> None:
    """Where the system allows it, libzmq's threads get a real-time policy, or more priority, without an abort."""
    program = """
        import os
        from pyczmq import zsys
        try:
            zsys.set_thread_sched_policy(os.SCHED_FIFO, 1)
        except PermissionError:
            pass
        zsys.create_pipe()
        zsys.shutdown() if False else None
    """
    children.check(program)
    children.check(program.replace("set_thread_sched_policy(os.SCHED_FIFO, 1)", "set_thread_priority(1)"))


def test_settings_for_new_sockets() -> None:
    """High-water marks, linger and IPv6 hold for the sockets that are made after they were set."""
    program = """
        from pyczmq import zmq, zsys
        zsys.set_linger(5)
        zsys.set_sndhwm(6)
        zsys.set_rcvhwm(7)
        zsys.set_pipehwm(8)
        zsys.set_ipv6(2)
        zsys.set_max_msgsz(1000)
        zsys.set_max_msgsz(-1)
        zsys.set_auto_use_fd(True)
        assert (zsys.pipehwm(), zsys.ipv6(), zsys.max_msgsz(), zsys.auto_use_fd()) == (8, 1, 1000, 1)
        s = zsys.socket(zmq.PAIR)
        print([zmq.getsockopt(s, o) for o in (zmq.LINGER, zmq.SNDHWM, zmq.RCVHWM, zmq.IPV6)])
    """
    assert children.check(program) == "[5, 6, 7, 1]\n"


def test_texts_of_settings() -> None:
    """Addresses and interfaces are text, and come back as they were set."""
    program = """
        from pyczmq import zsys
        assert zsys.interface() == "" and zsys.ipv6_address() == ""
        zsys.init()
        assert zsys.ipv6_mcast_address() == "ff02:0:0:0:0:0:0:1"
        for name in ("interface", "ipv6_address", "ipv6_mcast_address"):
            for value in ("eth0", b"*", "x" * 10000, "ö\\udcff", ""):
                getattr(zsys, "set_" + name)(value)
                assert getattr(zsys, name)() == (value if isinstance(value, str) else value.decode())
        assert zsys.socket_limit() > 100
    """
    children.check(program)


@needs_drafts
def test_draft_settings() -> None:
    """The settings of the draft API are there."""
    program = """
        from pyczmq import zsys
        zsys.set_file_stable_age_msec(5123)
        assert zsys.file_stable_age_msec() == 5123
        zsys.set_file_stable_age_msec(-1)
        assert zsys.file_stable_age_msec() == 5123
        for value in (0, 1, 7):
            zsys.set_zero_copy_recv(value)
            assert zsys.zero_copy_recv() == min(value, 1)
        assert zsys.mcast_ttl() == 1
        zsys.set_mcast_ttl(255)
        assert zsys.mcast_ttl() == 255
        assert zsys.ipv4_mcast_address() is None
        zsys.set_ipv4_mcast_address("239.0.0.1")
        assert zsys.ipv4_mcast_address() == "239.0.0.1"
        zsys.set_ipv4_mcast_address(None)
        assert zsys.ipv4_mcast_address() is None
        assert zsys.thread_name_prefix_str() == "0"
        zsys.set_thread_name_prefix_str("prefix")
        assert zsys.thread_name_prefix_str() == "prefix"
        assert zsys.ipv6_available() in (True, False)
    """
    children.check(program)


# ---------------------------------------------------------------- signals


def test_interrupted() -> None:
    """The flag of CZMQ is read live, and can be set."""
    assert zsys.interrupted == 0 and zsys.is_interrupted() is False
    try:
        zsys.set_interrupted()
        assert zsys.interrupted == 1 and zsys.is_interrupted() is True and C.zctx_interrupted == 1
    finally:
        C.zsys_interrupted = C.zctx_interrupted = 0
    assert zsys.interrupted == 0
    assert "interrupted" in dir(zsys)


def test_handler_set() -> None:
    """A Python function is called at SIGINT and SIGTERM, until the handlers are reset to what they were."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    seen: list[int] = []
    zsys.handler_set(None)
    zsys.handler_reset()
    zsys.handler_set(print)
    zsys.handler_set(seen.append)
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
            zmq.sleep(0.001)
        assert seen == [signal.SIGINT, signal.SIGTERM]
    finally:
        zsys.handler_set(None)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    for wrong in (5, "x", ffi.callback("zsys_handler_fn", lambda number: None)):
        with pytest.raises(TypeError, match="handler_fn"):
            zsys.handler_set(wrong)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="KeyboardInterrupt"):
        zsys.catch_interrupts()
    assert signal.getsignal(signal.SIGINT) is before[0]


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_files(tmp_path: Path, kind: Callable[[str], Any]) -> None:
    """Files are looked at and deleted, with names of any kind."""
    path = tmp_path / "a file % s ö"
    name = kind(str(path))
    assert zsys.file_exists(name) is False
    assert (zsys.file_size(name), zsys.file_mode(name), zsys.file_modified(name), zsys.file_delete(name)) == (
        -1,
        -1,
        0,
        -1,
    )
    assert zsys.file_stable(name) is False
    path.write_bytes(b"12345")
    assert zsys.file_exists(name) is True
    assert zsys.file_size(name) == 5
    assert zsys.file_modified(name) == int(path.stat().st_mtime)
    assert zsys.file_mode(name) == path.stat().st_mode
    assert zsys.file_stable(name) is False
    os.utime(path, (1000, 1000))
    assert zsys.file_stable(name) is True
    assert zsys.file_delete(name) == 0 and not path.exists()
    mode = zsys.file_mode(".")
    assert stat.S_ISDIR(mode) and mode & stat.S_IRUSR and mode & stat.S_IWUSR


def test_folders(tmp_path: Path) -> None:
    """Folders are made with those above them and deleted when empty; names are formats only with arguments."""
    deep = tmp_path / "100%s" / "%n%n%n" / "c"
    assert zsys.dir_create(deep) == 0 and deep.is_dir()
    assert zsys.dir_create(str(deep)) == 0
    assert zsys.dir_delete(deep.parent) == -1
    assert zsys.dir_delete(deep) == 0 and not deep.exists()
    assert zsys.dir_create("%s/%s-%d", str(tmp_path), "x", 7) == 0 and (tmp_path / "x-7").is_dir()
    assert zsys.dir_delete("%s/%s-%d", str(tmp_path), "x", 7) == 0
    assert zsys.dir_create("/dev/null/x") == -1
    assert zsys.dir_delete(tmp_path / "nothing") == -1
    with pytest.raises((TypeError, ValueError)):
        zsys.dir_create("%s/%s", str(tmp_path))
    for call in (zsys.dir_create, zsys.dir_delete):
        with pytest.raises(ValueError, match="empty"):
            call("")


def test_file_names_that_are_none() -> None:
    """What is no file name is refused by name."""
    calls: list[tuple[Callable[[Any], object], str]] = [
        (zsys.file_exists, "filename"),
        (zsys.file_size, "filename"),
        (zsys.file_modified, "filename"),
        (zsys.file_mode, "filename"),
        (zsys.file_delete, "filename"),
        (zsys.file_stable, "filename"),
        (zsys.dir_create, "pathname"),
        (zsys.dir_delete, "pathname"),
        (zsys.dir_change, "pathname"),
        (zsys.daemonize, "workdir"),
        (zsys.run_as, "lockfile"),
    ]
    for call, name in calls:
        for wrong in (None, 5) if name != "workdir" and name != "lockfile" else (5,):
            with pytest.raises(TypeError, match=name):
                call(wrong)
        with pytest.raises(ValueError, match=name):
            call("a\0b")


def test_current_folder_and_umask(tmp_path: Path) -> None:
    """The current folder and the mode of new files are the process's."""
    program = """
        import os, sys
        from pyczmq import zsys
        os.umask(0o022)
        assert zsys.dir_change("nosuchfolder") == -1
        assert zsys.dir_change(sys.argv[1]) == 0 and os.path.samefile(".", sys.argv[1])
        zsys.file_mode_private()
        open("private", "w").close()
        zsys.file_mode_default()
        open("public", "w").close()
        print(*(oct(os.stat(name).st_mode & 0o777) for name in ("private", "public")))
    """
    assert children.check(program, str(tmp_path)) == "0o600 0o644\n"


# ---------------------------------------------------------------- text


def test_sprintf() -> None:
    """C's formats are filled in by Python."""
    assert zsys.sprintf("%s is %ld, %5.2f%%", "x", 42, 1.5) == "x is 42,  1.50%"
    assert zsys.sprintf(b"%s", b"bytes") == "bytes"
    assert zsys.sprintf("plain") == "plain" == zsys.vprintf("plain", ())
    assert zsys.vprintf("%d-%d", [1, 2]) == "1-2"
    assert zsys.sprintf_hint(10, "%s", "x" * 100000) == "x" * 100000
    for bad in (("%s",), ("%d", "x"), ("x", 1), ("%n", 1)):
        with pytest.raises((TypeError, ValueError)):
            zsys.sprintf(*bad)
    with pytest.raises(TypeError, match="format"):
        zsys.sprintf(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="hint"):
        zsys.sprintf_hint("x", "x")  # type: ignore[arg-type]


def test_zprintf() -> None:
    """Formats with names are filled in from a hash or a dict; what is wrong with them is told."""
    table = C.zhash_new()
    C.zhash_insert(table, b"key", ffi.new("char[]", b"gone"))
    value = ffi.new("char[]", b"value")
    C.zhash_update(table, b"key", value)
    handle = ffi.gc(table, lambda pointer: C.zhash_destroy(ffi.new("zhash_t **", pointer)))
    for args in (handle, {"key": "value"}):
        assert zsys.zprintf("a %(key)s, 100%% %(key)s", args) == "a value, 100% value"
        assert zsys.zprintf_error("a %(key)s", args) is None
        assert zsys.zprintf("%(none)s", args) is None
        assert zsys.zprintf_error("%(none)s", args) == "Key 'none' not found in hash"
        assert zsys.zprintf("%(key)d", args) is None
        assert zsys.zprintf_error("%(key)d", args) == "key: arguments other than 's' are not implemented"
        # C would loop for ever, or read where nothing is.
        assert zsys.zprintf("100% sure %(key", args) == "100% sure %(key"
        assert zsys.zprintf("", args) == ""
    for wrong in (None, 5, ffi.NULL):
        with pytest.raises(TypeError, match="args"):
            zsys.zprintf("x", wrong)  # type: ignore[arg-type]
    root = C.zconfig_new(b"root", ffi.NULL)
    C.zconfig_put(root, b"/server/port", b"5555")
    tree = ffi.gc(root, lambda pointer: C.zconfig_destroy(ffi.new("zconfig_t **", pointer)))
    assert zsys.zplprintf("port %(server/port)s", tree) == "port 5555"
    assert zsys.zplprintf_error("port %(server/port)s", tree) is None
    assert zsys.zplprintf("port %(server/host)s", tree) is None
    assert "server/host" in (zsys.zplprintf_error("port %(server/host)s", tree) or "")
    with pytest.raises(TypeError, match="args"):
        zsys.zplprintf("x", handle)


# ---------------------------------------------------------------- UDP


@pytest.fixture
def udp() -> Iterator[int]:
    """A UDP socket, bound to a port of this machine's own."""
    handle = zsys.udp_new(False)
    bound = socket.socket(fileno=os.dup(handle))
    bound.bind(("127.0.0.1", 0))
    bound.close()
    yield handle
    zsys.udp_close(handle)


def port_of(handle: int) -> int:
    with socket.socket(fileno=os.dup(handle)) as copy:
        return int(copy.getsockname()[1])


def test_udp(udp: int) -> None:
    """A frame goes to an address and arrives with its sender's; a long one is cut to 255 bytes, as in C."""
    for content in (b"hello", b"", b"\0\xff" * 10):
        frame = zframe.new(content)
        assert zsys.udp_send(udp, frame, ("127.0.0.1", port_of(udp))) == 0
        received = zsys.udp_recv(udp)
        assert received is not None and received[1] == ("127.0.0.1", port_of(udp))
        assert bytes(zframe.data(received[0])) == content
        zframe.destroy(received[0])
        zframe.destroy(frame)
    frame = zframe.new(b"x" * 1000)
    assert zsys.udp_send(udp, frame, ("127.0.0.1", port_of(udp))) == 0
    received = zsys.udp_recv(udp)
    assert received is not None and zframe.size(received[0]) == zsys.UDP_FRAME_MAX == 255
    zframe.destroy(received[0])
    zframe.destroy(frame)


def test_udp_options() -> None:
    """A UDP socket may broadcast and share its port."""
    handle = zsys.udp_new(True)
    with socket.socket(fileno=os.dup(handle)) as copy:
        assert copy.type == socket.SOCK_DGRAM and copy.family == socket.AF_INET
        assert copy.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST)
        assert copy.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    assert not os.get_inheritable(handle)
    assert zsys.udp_close(handle) == 0
    assert zsys.udp_close(handle) == -1


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
def test_udp_over_ipv6() -> None:
    """With IPv6 switched on, UDP sockets speak it, and cannot be routable."""
    program = """
        from pyczmq import zframe, zsys
        import os, socket
        zsys.set_ipv6(True)
        try:
            zsys.udp_new(True)
        except ValueError as error:
            assert "routable" in str(error)
        try:
            handle = zsys.udp_new(False)
            copy = socket.socket(fileno=os.dup(handle))
            copy.bind(("::1", 0))
        except OSError:
            raise SystemExit
        frame = zframe.new(b"six")
        assert zsys.udp_send(handle, frame, ("::1", copy.getsockname()[1])) == 0
        received, (host, port) = zsys.udp_recv(handle)
        assert host == "::1" and port == copy.getsockname()[1] and bytes(zframe.data(received)) == b"six"
    """
    children.check(program)


def test_udp_refuses(udp: int) -> None:
    """Bad descriptors, addresses and frames are refused or fail; nothing aborts."""
    frame = zframe.new(b"x")
    read, write = os.pipe()
    listener = socket.socket()
    for bad in (read, 99999, listener.fileno()):
        with pytest.raises(ValueError, match="udpsock"):
            zsys.udp_send(bad, frame, ("127.0.0.1", 1))
        with pytest.raises(ValueError, match="udpsock"):
            zsys.udp_recv(bad)
    assert listener.fileno() >= 0
    listener.close()
    os.close(read)
    os.close(write)
    for wrong in (None, "x", -1):
        with pytest.raises((TypeError, ValueError), match="udpsock"):
            zsys.udp_recv(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="address"):
        zsys.udp_send(udp, frame, "127.0.0.1")  # type: ignore[arg-type]
    for port in (-1, 65536):
        with pytest.raises(ValueError, match="port"):
            zsys.udp_send(udp, frame, ("127.0.0.1", port))
    with pytest.raises(ValueError, match="address"):
        zsys.udp_send(udp, frame, ("a\0b", 1))
    with pytest.raises(TypeError, match="frame"):
        zsys.udp_send(udp, b"x", ("127.0.0.1", 1))  # type: ignore[arg-type]
    assert zsys.udp_send(udp, frame, ("::1", port_of(udp))) == -1
    zframe.destroy(frame)
    with pytest.raises(ValueError, match="frame was destroyed"):
        zsys.udp_send(udp, frame, ("127.0.0.1", 1))
    os.set_blocking(udp, False)
    assert zsys.udp_recv(udp) is None and zmq.errno() == zmq.EAGAIN


def test_udp_recv_open_to_signals() -> None:
    """Another signal's handler runs and udp_recv goes on; Ctrl-C comes out of it as KeyboardInterrupt, soon."""
    program = """
        import os, signal, threading, time
        from pyczmq import zsys
        seen = []
        signal.signal(signal.SIGUSR1, lambda *_: seen.append("USR1"))
        def act():
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.3)
            seen.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=act).start()
        try:
            zsys.udp_recv(zsys.udp_new())
        except KeyboardInterrupt:
            assert seen[0] == "USR1" and time.monotonic() - seen[1] < 0.2
            print("interrupted")
    """
    assert children.check(program) == "interrupted\n"


def test_no_descriptor_for_udp() -> None:
    """Without a free file descriptor udp_new is an OSError, and no abort."""
    program = """
        import resource
        from pyczmq import zsys
        zsys.version()
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        zsys.udp_close(zsys.udp_new())
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            zsys.udp_new()
        except OSError as error:
            print("refused")
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    """
    assert children.check(program) == "refused\n"


def test_socket_error() -> None:
    """Errors that pass are passed over, others raised with what was tried, where C would abort."""
    for code in (0, zmq.EAGAIN, zmq.EINTR, zmq.ENETDOWN, zmq.ECONNRESET):
        ffi.errno = code
        zsys.socket_error("trying")
    ffi.errno = zmq.EBADF
    with pytest.raises(OSError, match="trying") as caught:
        zsys.socket_error("trying")
    assert caught.value.errno == zmq.EBADF
    with pytest.raises(TypeError, match="reason"):
        zsys.socket_error(None)  # type: ignore[arg-type]


def test_hostname() -> None:
    """The host's name is text, or None."""
    name = zsys.hostname()
    assert name is None or (isinstance(name, str) and name)


# ---------------------------------------------------------------- logging


def test_log_levels_go_to_stdout() -> None:
    """Each level has its letter; text is never a format, unless arguments follow it."""
    program = """
        from pyczmq import zsys
        for level in ("error", "warning", "notice", "info", "debug"):
            getattr(zsys, level)("100%s %n " + level)
        zsys.set_logident("me%s")
        zsys.info("%s and %d", b"bytes", 5)
        zsys.info("ö\\udcff")
        zsys.info("x" * 5000)
    """
    lines = children.check(program).splitlines()
    stamp = r"\d\d-\d\d-\d\d \d\d:\d\d:\d\d"
    for line, level in zip(lines, ("error", "warning", "notice", "info", "debug")):
        assert re.fullmatch(rf"{level[0].upper()}: {stamp} 100%s %n {level}", line)
    assert re.fullmatch(rf"I: \(me%s\) {stamp} bytes and 5", lines[5])
    assert lines[6].endswith("ö\udcff")
    assert lines[7].endswith("xxx") and len(lines) == 8


def test_log_refuses() -> None:
    """What is no text, or does not fit its format, is refused and not logged."""
    for log in (zsys.error, zsys.warning, zsys.notice, zsys.info, zsys.debug):
        for bad in ((None,), (5,), ("a\0b",), ("%d", "x"), ("%s", "a", "b")):
            with pytest.raises((TypeError, ValueError)):
                log(*bad)  # type: ignore[arg-type]
    for wrong in (5, "stdout", ffi.new("int *")):
        with pytest.raises(TypeError, match="stream"):
            zsys.set_logstream(wrong)  # type: ignore[arg-type]
    import io

    with pytest.raises(TypeError, match="stream"):
        zsys.set_logstream(io.StringIO())


def test_log_to_a_file(tmp_path: Path) -> None:
    """The log goes to any file object, which may be closed or forgotten; None logs to nothing."""
    program = """
        import gc, sys
        from pyczmq import zsys
        text = open(sys.argv[1] + "/text", "w")
        zsys.set_logstream(text)
        zsys.info("first")
        del text
        gc.collect(), gc.collect()
        zsys.info("second")
        binary = open(sys.argv[1] + "/binary", "ab")
        zsys.set_logstream(binary)
        binary.close()
        zsys.info("third")
        zsys.set_logstream(None)
        zsys.info("nowhere")
        zsys.set_logstream(sys.stderr)
        zsys.info("fourth")
        zsys.set_logstream(open(sys.argv[1] + "/last", "w"))
        zsys.info("fifth")
    """
    done = children.run(program, str(tmp_path))
    assert (done.status, done.output) == (0, ""), done
    assert done.errors.endswith("fourth\n")
    lines = (tmp_path / "text").read_text().splitlines()
    assert lines[0].endswith("first") and lines[1].endswith("second") and len(lines) == 2
    assert (tmp_path / "binary").read_text().endswith("third\n")
    assert (tmp_path / "last").read_text().endswith("fifth\n")


def test_log_to_files_that_come_and_go(tmp_path: Path) -> None:
    """No descriptor stays open for a file that the log went to once."""
    program = """
        import gc, os, sys
        from pyczmq import zsys
        def count():
            gc.collect(), gc.collect()
            return len(os.listdir("/proc/self/fd"))
        def log():
            with open(sys.argv[1] + "/log", "w") as file:
                zsys.set_logstream(file)
                zsys.info("text")
            zsys.set_logstream(None)
        log()
        before = count()
        for _ in range(10):
            log()
        print(count() - before)
    """
    if not os.path.exists("/proc/self/fd"):
        pytest.skip("descriptors are counted by way of /proc")
    assert children.check(program, str(tmp_path)) == "0\n"


def test_log_over_a_socket() -> None:
    """The log is published at one endpoint or several; those that cannot be bound are refused, where C would abort."""
    program = """
        import time
        from pyczmq import zmq, zsys
        zsys.set_logstream(None)
        zsys.set_logsender("inproc://log")
        sub = zsys.socket(zmq.SUB)
        zmq.setsockopt(sub, zmq.SUBSCRIBE, "")
        zmq.setsockopt(sub, zmq.RCVTIMEO, 20)
        zmq.connect(sub, "inproc://log")
        received = None
        while received is None:
            zsys.info("over %s", "the wire")
            received = zmq.recv(sub)
        assert received.endswith(b"over the wire"), received
        taken = zsys.socket(zmq.PUB)
        assert zmq.bind(taken, "tcp://127.0.0.1:*") == 0
        endpoint = zmq.getsockopt(taken, zmq.LAST_ENDPOINT)
        for bad in ("inproc://log", "nonsense", endpoint, "inproc://a,nonsense", "inproc://b,inproc://b", "a,,b",
                    "inproc://" + "x" * 250, "ipc:///nosuchfolder/x",
                    "foo://bar", "norm://x", ",", "@", ">"):
            try:
                zsys.set_logsender(bad)
            except ValueError as error:
                assert "endpoint" in str(error)
            else:
                raise SystemExit(bad)
        zmq.close(taken)
        zsys.set_logsender("inproc://two,@inproc://three,tcp://127.0.0.1:*,>tcp://127.0.0.1:9,")
        for _ in range(20):
            zsys.info("still there")
        sub = None
        for name in ("set_io_threads", "set_max_sockets"):
            try:
                getattr(zsys, name)(1)
            except RuntimeError:
                print("refused")
        zsys.set_logsender(None)
        zsys.set_logsender(None)
        zsys.set_logsender("ipc://@pyczmq-log")
    """
    assert children.check(program) == "refused\nrefused\n"


def test_log_sender_at_a_fixed_port() -> None:
    """A port that was free when it was tried is bound right after that."""
    program = """
        import socket
        from pyczmq import zsys
        for _ in range(20):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            zsys.set_logsender(f"tcp://127.0.0.1:{port}")
            with socket.create_connection(("127.0.0.1", port), 5):
                pass
            zsys.set_logsender(None)
    """
    children.check(program)


def test_log_from_many_threads(tmp_path: Path) -> None:
    """Threads and signal handlers log at once, over a socket too; no line is lost or mixed up."""
    program = """
        import signal, sys, threading
        from pyczmq import zsys
        zsys.set_logstream(open(sys.argv[1] + "/log", "w"))
        zsys.set_logsender("inproc://threads")
        signal.signal(signal.SIGALRM, lambda *_: zsys.debug("tick"))
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        def work(number):
            for i in range(200):
                zsys.info("%d-%d", number, i)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        work(4)
        for thread in threads:
            thread.join()
        signal.setitimer(signal.ITIMER_REAL, 0)
    """
    children.check(program, str(tmp_path))
    lines = [line.split(" ")[-1] for line in (tmp_path / "log").read_text().splitlines() if line.startswith("I")]
    assert sorted(lines) == sorted(f"{number}-{i}" for number in range(5) for i in range(200))


def test_log_to_the_system() -> None:
    """The system's log takes the place of all others, and can be switched off again."""
    program = """
        from pyczmq import zsys
        zsys.set_logident("pyczmq-test")
        zsys.set_logsystem(True)
        zsys.debug("pyczmq's tests")
        zsys.set_logident("other")
        zsys.set_logsystem(False)
        zsys.info("back")
    """
    output = children.check(program)
    assert output.endswith("back\n") and output.count("\n") == 1


# ---------------------------------------------------------------- daemons


def wait_for_file(path: Path) -> str:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return path.read_text()


@needs_fork
def test_daemonize(tmp_path: Path) -> None:
    """The program goes on in the background, in its folder, with its files closed; whoever waits is free at once."""
    program = """
        import os, signal, sys
        from pyczmq import zmq, zsys
        extra = os.open("/dev/null", os.O_RDONLY)
        parent = os.getpid()
        print("before")
        assert zsys.daemonize("/nosuchfolder") == -1 and os.getpid() == parent
        assert zsys.daemonize(sys.argv[1]) == 0
        assert os.getpid() != parent
        try:
            os.fstat(extra)
            closed = False
        except OSError:
            closed = True
        null = os.stat("/dev/null")
        streams = all(os.path.samestat(os.fstat(fd), null) for fd in range(3))
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        front, back = zsys.create_pipe()
        zmq.send(front, b"works")
        with open("working", "w") as result:
            print(closed, streams, ignored, os.getcwd(), oct(os.umask(0)), zmq.recv(back), file=result)
        os.rename("working", "result")
    """
    assert children.check(program, str(tmp_path)) == "before\n"
    expected = f"True True True {os.path.realpath(tmp_path)} 0o27 b'works'\n"
    assert wait_for_file(tmp_path / "result") == expected


@needs_fork
def test_daemonize_is_refused() -> None:
    """Sockets and threads would not get into the background."""
    pipe = zsys.create_pipe()
    with pytest.raises(RuntimeError, match="alive"):
        zsys.daemonize()
    del pipe
    program = """
        import threading
        from pyczmq import zsys
        done = threading.Event()
        thread = threading.Thread(target=done.wait)
        thread.start()
        try:
            zsys.daemonize()
        except RuntimeError as error:
            print(error)
        done.set()
    """
    assert "threads" in children.check(program)


@pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")
def test_run_as(tmp_path: Path) -> None:
    """The process id is in the lock file, which one process at a time can have; unknown users and groups are -1."""
    program = """
        import os, sys, subprocess
        from pyczmq import zsys
        zsys.set_logstream(None)
        assert zsys.run_as() == 0
        assert zsys.run_as(sys.argv[1]) == 0
        assert zsys.run_as(None, "no such group") == -1
        assert zsys.run_as(None, None, b"no such user") == -1
        assert zsys.run_as("/nosuchfolder/lock") == -1
        other = (
            "import sys; from pyczmq import zsys; zsys.set_logstream(None); "
            "print(zsys.run_as(sys.argv[1]), int(open(sys.argv[1]).read()))"
        )
        done = subprocess.run([sys.executable, "-c", other, sys.argv[1]], stdout=subprocess.PIPE, text=True)
        assert done.stdout.split() == ["-1", str(os.getpid())], done
    """
    children.check(program, str(tmp_path / "lock"))


def test_exit_in_order() -> None:
    """A program that destroys nothing ends well, and C complains of nothing."""
    program = """
        from pyczmq import zmq, zsys
        front, back = zsys.create_pipe()
        left = zsys.socket(zmq.PUSH, "somewhere.py", 5)
        zsys.set_logsender("inproc://left")
        zmq.send(front, b"unread")
        print("end")
    """
    done = children.run(program)
    assert (done.status, done.output, done.errors) == (0, "end\n", "")


@needs_fork
def test_a_forked_child_starts_fresh() -> None:
    """After a fork the child is refused the parent's sockets, and can make its own, and log."""
    program = """
        import os, warnings
        warnings.simplefilter("ignore")
        from pyczmq import zmq, zsys
        pair = zsys.socket(zmq.PAIR)
        zsys.set_logsender("inproc://fork")
        pid = os.fork()
        if not pid:
            try:
                zmq.send(pair, b"")
            except ValueError:
                zsys.set_io_threads(1)
                zsys.info("in the child")
                zsys.create_pipe()
                os._exit(0)
            os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
        zsys.close(pair)
    """
    assert "in the child" in children.check(program)


def test_contexts_of_zctx_are_apart() -> None:
    """The sockets of a zctx are not in the process-wide context, and do not keep it from being set up."""
    program = """
        from pyczmq import zctx, zmq, zsocket, zsys
        ctx = zctx.new()
        pair = zsocket.new(ctx, zmq.PAIR)
        zsys.set_io_threads(2)
        zsys.shutdown()
        assert zmq.bind(pair, "inproc://x") == 0
    """
    children.check(program)


# ---------------------------------------------------------------- the log in Python's logging


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger of its own, which takes all levels; afterwards CZMQ's log goes to the standard output again."""
    found = logging.getLogger("pyczmq.test")
    found.setLevel(logging.DEBUG)
    yield found
    zsys.log_to_logging(None)
    # C's own, as other systems name it otherwise.
    if sys.platform.startswith("linux"):
        address = ctypes.c_void_p.in_dll(ctypes.CDLL(None), "stdout").value
        zsys.set_logstream(ffi.cast("FILE *", address))


def test_log_goes_to_logging(logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    """Each line of CZMQ's log is a record, in order, with its level, whichever floor it was logged from."""
    zsys.log_to_logging(logger)
    zsys.error("an error")
    zsys.warning("a warning")
    zsys.notice("a notice")
    C.zsys_info(b"%s", ffi.new("char[]", b"from the raw floor"))
    zsys.debug("%d of %s", 1, "them")
    zsys.log_to_logging(None)
    assert caplog.record_tuples == [
        ("pyczmq.test", logging.ERROR, "an error"),
        ("pyczmq.test", logging.WARNING, "a warning"),
        ("pyczmq.test", logging.INFO, "a notice"),
        ("pyczmq.test", logging.INFO, "from the raw floor"),
        ("pyczmq.test", logging.DEBUG, "1 of them"),
    ]


def test_log_to_logging_takes_text_as_it_is(logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    """What looks like a format, a line of the log, an ident or no UTF-8 comes out unchanged, as one record."""
    forged = "first\nE: 26-11-21 10:00:00 second\n"
    texts = ["100%s %d", forged, "(ident) text", "", b"\xff\xfe".decode("utf-8", "surrogateescape"), "é" * 300]
    zsys.log_to_logging(logger)
    for text in texts:
        zsys.info(text)
    zsys.log_to_logging(None)
    assert [record.getMessage() for record in caplog.records] == texts


def test_log_to_logging_again(logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    """It can be ended and begun again, also while it runs, and after a stream took its place."""
    zsys.log_to_logging(logger)
    zsys.log_to_logging("pyczmq.test.other")
    zsys.info("to the other")
    zsys.log_to_logging(None)
    zsys.info("to nobody")
    zsys.log_to_logging(None)
    zsys.log_to_logging(logger)
    zsys.set_logstream(None)
    zsys.info("to nobody either")
    zsys.log_to_logging(logger)
    zsys.info("to the first")
    zsys.log_to_logging(None)
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("pyczmq.test.other", "to the other"),
        ("pyczmq.test", "to the first"),
    ]


def test_log_to_logging_loses_nothing_under_load(logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    """More lines than a socket holds, from several threads, all become records."""
    zsys.log_to_logging(logger)

    def log() -> None:
        for _ in range(1000):
            zsys.info("line")

    threads = [threading.Thread(target=log) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    zsys.log_to_logging(None)
    assert [record.getMessage() for record in caplog.records] == ["line"] * 4000


def test_log_to_logging_at_exit_and_after_fork() -> None:
    """What was logged last is not lost at exit; a forked child has records of its own."""
    errors = children.run(
        """
        import logging, os
        from pyczmq import zsys
        logging.basicConfig(format="%(process)d %(name)s %(message)s", level=logging.INFO)
        zsys.log_to_logging()
        child = os.fork()
        if child == 0:
            zsys.info("in the child")
            zsys.log_to_logging(None)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        zsys.info(f"the child was {child}")
        """
    ).errors.splitlines()
    child = errors[0].partition(" ")[0]
    assert errors[0] == f"{child} czmq in the child"
    assert errors[1].endswith(f" czmq the child was {child}")


@pytest.mark.parametrize("wrong", [1, b"czmq", object(), logging])
def test_log_to_logging_wants_a_logger(wrong: Any) -> None:
    """Anything else than a logger, a name or None is a TypeError."""
    with pytest.raises(TypeError, match="logger must be"):
        zsys.log_to_logging(wrong)


def test_udp_close_leaves_other_files() -> None:
    """A descriptor that is no UDP socket is refused and stays open: it may be libzmq's, which would abort."""
    reader, writer = os.pipe()
    try:
        with pytest.raises(ValueError, match="is no"):
            zsys.udp_close(reader)
        os.fstat(reader)
    finally:
        os.close(reader)
        os.close(writer)
    assert zsys.udp_close(reader) == -1
