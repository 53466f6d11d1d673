"""Small networks of their own for tests that broadcast, or break links: hosts are network namespaces.

`network` has two hosts, joined by a cable; `switched` has any number, joined by a switch. Each host has the interfaces
``lo`` and ``eth0``, with the addresses 10.77.0.1, 10.77.0.2 … and the broadcast address 10.77.0.255. No other interface
exists there, so nothing that is sent reaches a real network. What one process broadcasts also reaches the others on the
same host, as everywhere.

Python source runs on a host in a process of its own, under the interpreter that runs the tests::

    with netns.network() as (left, right):
        listener = left.popen(LISTEN)
        assert right.run(SPEAK).returncode == 0
        output, errors = listener.communicate(timeout=10)

or, where one host does, ``netns.run(SOURCE)``. Behind a switch a link can be cut and mended, hosts come and go, and
many programs start quickly, since one process forks them::

    with netns.switched(8) as lan:
        program = lan.hosts[0].start(SOURCE, "argument")
        program.expect("ready")
        lan.hosts[0].cut()
        lan.hosts[0].mend()
        program.kill()

Linux only, as root or where users may make namespaces; elsewhere
``@pytest.mark.requires_netns`` skips the test and says why (the fixture `hosts` does so by itself).
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import children
import pytest

BROADCAST = "10.77.0.255"

# A holder keeps its namespace alive until its standard input closes, which the death of the tests does as well.
_HOLD = ["sh", "-c", "echo ready; exec cat >/dev/null"]


class Namespace:
    """A network namespace, kept by a process that waits."""

    def __init__(self, command: list[str], enter: list[str]) -> None:
        pipe = subprocess.PIPE
        self._holder = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)
        self.pid = self._holder.pid
        self._enter = [_tool("nsenter"), f"--target={self.pid}", "--net", *enter]
        assert self._holder.stdout is not None
        answer = self._holder.stdout.readline()
        if answer != "ready\n":
            self.close()
            raise OSError(answer.strip())

    def command(self, *command: str) -> list[str]:
        """Return the command line that runs *command* in this namespace."""
        return [*self._enter, *command]

    def ip(self, *lines: str) -> None:
        """Run ``ip`` with the words of each line here."""
        batch = "\n".join(lines)
        subprocess.run(self.command(_tool("ip"), "-batch", "-"), input=batch, text=True, check=True)

    def close(self) -> None:
        """End the namespace."""
        with self._holder:  # closes the pipes, then waits
            pass


class Host(Namespace):
    """A host of a test network."""

    def __init__(self, address: str, command: list[str], enter: list[str], lan: Lan | None = None) -> None:
        self.address = address
        self._children: list[subprocess.Popen[str]] = []
        self._programs: list[Program] = []
        self._lan = lan
        super().__init__(command, enter)

    def configure(self) -> None:
        """Give the interfaces of this host their addresses."""
        self.ip(f"address add {self.address}/24 broadcast {BROADCAST} dev eth0", "link set lo up", "link set eth0 up")

    def popen(self, source: str, *args: str) -> subprocess.Popen[str]:
        """Start the Python *source* on this host, with its output on pipes; it ends with the network at the latest."""
        child = subprocess.Popen(
            self.command(*children.python(), source, *args),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._children.append(child)
        return child

    def run(self, source: str, *args: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Run the Python *source* on this host to its end, which it must reach within *timeout* seconds."""
        child = self.popen(source, *args)
        try:
            output, errors = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            output, errors = child.communicate()
            pytest.fail(f"not done after {timeout} s\n{output}\n{errors}")
        return subprocess.CompletedProcess(child.args, child.returncode, output, errors)

    @property
    def _port(self) -> str:
        """The switch's end of this host's cable."""
        return f"port{self.address.rpartition('.')[2]}"

    @property
    def lan(self) -> Lan:
        """The network behind whose switch this host is."""
        if self._lan is None:
            raise ValueError("this host is behind no switch")
        return self._lan

    def start(self, source: str, *args: str) -> Program:
        """Start the Python *source* on this host, forked from a process that has pyczmq imported already.

        Its output goes to files: see `Program`. It ends with the host at the latest.
        """
        program = self.lan._nursery.start(self, source, args)
        self._programs.append(program)
        return program

    def cut(self) -> None:
        """Cut the link at the switch: this host's interface stays up, and TCP sees nothing but silence."""
        self.lan._switch.ip(f"link set {self._port} down")

    def mend(self) -> None:
        """Mend the link that was cut."""
        self.lan._switch.ip(f"link set {self._port} up")

    def unplug(self) -> None:
        """Take this host's own interface down: with it go its routes, and what is sent here fails at once."""
        self.ip("link set eth0 down")

    def plug(self) -> None:
        """Take this host's interface up again."""
        self.ip("link set eth0 up")

    def kill(self) -> None:
        """End all that runs here, by kill -9."""
        for program in self._programs:
            program.kill()
        for child in self._children:
            if child.poll() is None:
                child.kill()
            child.communicate()

    def close(self) -> None:
        """End what still runs on this host, and the host."""
        try:
            self.kill()
        finally:
            super().close()


class Program:
    """A program that runs on a host behind a switch, and what it has printed."""

    def __init__(self, nursery: Nursery, pid: int, output: Path, errors: Path) -> None:
        self._nursery = nursery
        self.pid = pid
        self._output = output
        self._errors = errors

    @property
    def status(self) -> int | None:
        """What it has ended with, negative if by a signal; None if it runs."""
        return self._nursery.status(self.pid)

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._output.read_text(errors="replace")

    @property
    def errors(self) -> str:
        """What it has printed to its standard error."""
        return self._errors.read_text(errors="replace")

    @property
    def lines(self) -> list[str]:
        """The whole lines that it has printed."""
        return [line[:-1] for line in self.output.splitlines(keepends=True) if line.endswith("\n")]

    def kill(self, signum: int = signal.SIGKILL) -> None:
        """Send it a signal, and wait for its end if that is SIGKILL; nothing happens if it has ended."""
        if self.status is None:
            self._nursery.kill(self.pid, signum)
            if signum == signal.SIGKILL:
                self.wait()

    def wait(self, timeout: float = 30) -> int:
        """Return what it ends with; the test fails if it does not end within *timeout* seconds."""
        self.until(lambda: self.status is not None, timeout, "has not ended", ending=True)
        status = self.status
        assert status is not None
        return status

    def expect(self, beginning: str, timeout: float = 30) -> str:
        """Return the first line that begins like this, once there is one."""
        found: list[str] = []

        def look() -> bool:
            found.extend(line for line in self.lines if line.startswith(beginning))
            return bool(found)

        self.until(look, timeout, f"has not printed {beginning!r}")
        return found[0]

    def until(self, condition: Callable[[], bool], timeout: float, failure: str, *, ending: bool = False) -> None:
        """Wait for a condition; the test fails if that takes too long, or if the program ends before."""
        deadline = time.monotonic() + timeout
        while not condition():
            ended = self.status
            if ended is not None and not ending and not condition():
                pytest.fail(f"program {failure}, but ended with {ended}\n{self.output}\n{self.errors}")
            if time.monotonic() > deadline:
                pytest.fail(f"program {failure} after {timeout} s\n{self.output}\n{self.errors}")
            self._nursery.listen(0.02)


#: Forks a process for each line of its standard input, in the namespace that the line names. Starting an interpreter
#: and importing pyczmq takes a second on a busy machine, and several on PyPy: here that is done once.
_NURSERY = """
import ctypes, json, os, select, signal, sys, types
import asyncio, random, sqlite3, struct, threading, uuid
import pyczmq
for name in pyczmq.__all__:
    getattr(pyczmq, name)
from pyczmq import aio, zactor, zbeacon, zgossip, zstr
for name in aio.__all__:
    getattr(aio, name)

def tell(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def serve():
    "Return what is to be run, in the child."
    libc = ctypes.CDLL(None, use_errno=True)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    children, pending = set(), b""
    tell("ready")
    while True:
        readable, _, _ = select.select([0, wake], [], [])
        if wake in readable:
            os.read(wake, 4096)
        for pid in list(children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                children.discard(pid)
                tell("ended", pid, -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
        if 0 not in readable:
            continue
        data = os.read(0, 65536)
        if not data:
            for pid in children:
                os.kill(pid, signal.SIGKILL)
            os._exit(0)
        *lines, pending = (pending + data).split(b"\\n")
        for order in map(json.loads, lines):
            if "kill" in order:
                if order["kill"] in children:
                    os.kill(order["kill"], order["signal"])
                continue
            pid = os.fork()
            if pid:
                children.add(pid)
                tell("started", pid)
                continue
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(wake)
            os.close(waker)
            libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
            namespace = os.open(f"/proc/{order['namespace']}/ns/net", os.O_RDONLY)
            if libc.setns(namespace, 0):
                raise OSError(ctypes.get_errno(), "setns")
            os.close(namespace)
            for number, name, flags in (
                (0, os.devnull, os.O_RDONLY),
                (1, order["output"], os.O_WRONLY | os.O_APPEND),
                (2, order["errors"], os.O_WRONLY | os.O_APPEND),
            ):
                opened = os.open(name, flags)
                os.dup2(opened, number)
                os.close(opened)
            return order

order = serve()
sys.stdin = open(0, closefd=False)
sys.stdout = open(1, "w", buffering=1, closefd=False)
sys.stderr = open(2, "w", buffering=1, closefd=False)
sys.argv = ["program", *order["args"]]
main = types.ModuleType("__main__")
sys.modules["__main__"] = main
exec(compile(order["source"], "<program>", "exec"), main.__dict__)
"""


class Nursery:
    """A process that forks programs; see `_NURSERY`."""

    def __init__(self, namespace: Namespace) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._count = 0
        self._statuses: dict[int, int] = {}
        self._started: list[int] = []
        self._pending = b""
        pipe = subprocess.PIPE
        command = namespace.command(*children.python(), _NURSERY)
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0)
        self._ready = False
        deadline = time.monotonic() + 40
        while not self._ready:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise OSError("no nursery")
            self.listen(1)

    def start(self, host: Host, source: str, args: tuple[str, ...]) -> Program:
        """Start a program on a host."""
        self._count += 1
        output, errors = (Path(self._folder.name) / f"{self._count}.{kind}" for kind in ("out", "err"))
        output.touch()
        errors.touch()
        self._order(
            namespace=host.pid, source=source, args=[str(arg) for arg in args], output=str(output), errors=str(errors)
        )
        while not self._started:
            self.listen(1)
        return Program(self, self._started.pop(), output, errors)

    def kill(self, pid: int, signum: int) -> None:
        """Send a signal to a program, if it still runs."""
        self._order(kill=pid, signal=int(signum))

    def status(self, pid: int) -> int | None:
        """Return what a program has ended with, or None."""
        stdout = self._process.stdout
        if pid not in self._statuses and stdout is not None and not stdout.closed:
            self.listen(0)
        return self._statuses.get(pid)

    def listen(self, timeout: float) -> None:
        """Hear of starts and ends, for *timeout* seconds at most."""
        stdout = self._process.stdout
        assert stdout is not None
        if not select.select([stdout], [], [], timeout)[0]:
            return
        data = os.read(stdout.fileno(), 65536)
        if not data:
            raise OSError("the nursery has died")
        *lines, self._pending = (self._pending + data).split(b"\n")
        for what, *numbers in map(bytes.split, lines):
            if what == b"started":
                self._statuses.pop(int(numbers[0]), None)  # the system has used a number again
                self._started.append(int(numbers[0]))
            elif what == b"ended":
                self._statuses[int(numbers[0])] = int(numbers[1])
            else:
                self._ready = True

    def _order(self, **order: object) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(json.dumps(order).encode() + b"\n")

    def close(self) -> None:
        """End all programs, and the nursery."""
        with self._process:
            pass
        self._folder.cleanup()


class Lan:
    """Hosts behind a switch: a bridge, in a namespace of its own, with a cable to each."""

    def __init__(self) -> None:
        user, self._enter = _privileges()
        self._stack = contextlib.ExitStack()
        self.hosts: list[Host] = []
        self._count = 0
        # The first, whose user namespace all the others belong to.
        self._switch = Namespace([_tool("unshare"), "--net", *user, *_HOLD], self._enter)
        self._stack.callback(self._switch.close)
        try:
            self._switch.ip(
                "link add name switch type bridge stp_state 0 forward_delay 0 mcast_snooping 0", "link set switch up"
            )
        except BaseException:
            self._stack.close()
            raise

    @functools.cached_property
    def _nursery(self) -> Nursery:
        nursery = Nursery(self._switch)
        self._stack.callback(nursery.close)
        return nursery

    def add(self) -> Host:
        """Add a host, with the next address, and return it."""
        self._count += 1
        hold = self._switch.command(_tool("unshare"), "--net", *_HOLD)
        host = Host(f"10.77.0.{self._count}", hold, self._enter, self)
        self.hosts.append(host)
        port = host._port
        self._switch.ip(
            f"link add {port} type veth peer name eth0 netns {host.pid}",
            f"link set {port} master switch",
            f"link set {port} up",
        )
        host.configure()
        return host

    def remove(self, host: Host) -> None:
        """Take a host away, with all that runs on it; the others hear nothing of that."""
        # Its link goes first: no connection of its programs is closed in the others' view.
        host.cut()
        self._switch.ip(f"link delete {host._port}")
        self.hosts.remove(host)
        host.close()

    def close(self) -> None:
        """End the network."""
        with self._stack:
            for host in self.hosts:
                host.close()
            self.hosts.clear()


@contextlib.contextmanager
def switched(count: int) -> Iterator[Lan]:
    """Make *count* hosts behind a switch, for as long as the context lasts."""
    with contextlib.closing(Lan()) as lan:
        for _ in range(count):
            lan.add()
        yield lan


@contextlib.contextmanager
def network() -> Iterator[tuple[Host, Host]]:
    """Make two hosts that see nothing but each other, for as long as the context lasts."""
    user, enter = _privileges()
    unshare = [_tool("unshare"), "--net"]
    with contextlib.ExitStack() as stack:
        left = Host("10.77.0.1", [*unshare, *user, *_HOLD], enter)
        stack.callback(left.close)
        # From within the first, so that both belong to the one who may join them.
        right = Host("10.77.0.2", left.command(*unshare, *_HOLD), enter)
        stack.callback(right.close)
        left.ip(f"link add eth0 type veth peer name eth0 netns {right.pid}")
        for host in left, right:
            host.configure()
        yield left, right


def run(source: str, *args: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    """Run the Python *source* on one host of a network made for it."""
    with network() as (host, _):
        return host.run(source, *args, timeout=timeout)


@functools.cache
def unavailable() -> str:
    """Return why no test network can be made here, or the empty string where one can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    for tool in "unshare", "nsenter", "ip":
        if not shutil.which(tool, path=_path()):
            return f"no {tool} here to make a network namespace with"
    try:
        with network():
            return ""
    except (OSError, subprocess.SubprocessError) as error:
        return f"network namespaces cannot be made here: {error}"


@functools.cache
def unswitched() -> str:
    """Return why no network with a switch can be made here, or the empty string where one can."""
    reason = unavailable()
    if reason:
        return reason
    try:
        with switched(1):
            return ""
    except (OSError, subprocess.SubprocessError) as error:
        return f"a bridge cannot be made here: {error}"


def _privileges() -> tuple[list[str], list[str]]:
    """Return what unshare and nsenter need besides: nothing for root, a user namespace for others."""
    if os.geteuid() == 0:
        return [], []
    return ["--user", "--map-root-user"], ["--user", "--preserve-credentials"]


def _path() -> str:
    # Where ip is, and where a plain user's PATH does not look on Debian.
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def _tool(name: str) -> str:
    return shutil.which(name, path=_path()) or name
