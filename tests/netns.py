"""A small network of its own for the tests that broadcast: two hosts, as network namespaces joined by a cable.

Each host has the interfaces ``lo`` and ``eth0``, with the addresses 10.77.0.1 and 10.77.0.2 and the broadcast address
10.77.0.255. No other interface exists there, so nothing that is sent reaches a real network. What one process
broadcasts also reaches the others on the same host, as everywhere.

Python source runs on a host in a process of its own, under the interpreter that runs the tests::

    with netns.network() as (left, right):
        listener = left.popen(LISTEN)
        assert right.run(SPEAK).returncode == 0
        output, errors = listener.communicate(timeout=10)

or, where one host does, ``netns.run(SOURCE)``. Linux only, as root or where users may make namespaces; elsewhere
``@pytest.mark.requires_netns`` skips the test and says why (the fixture `hosts` does so by itself).
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import children
import pytest

BROADCAST = "10.77.0.255"

# A holder keeps its namespace alive until its standard input closes, which the death of the tests does as well.
_HOLD = ["sh", "-c", "echo ready; exec cat >/dev/null"]


class Host:
    """A host of a test network: a network namespace, kept by a process that waits."""

    def __init__(self, address: str, command: list[str], enter: list[str]) -> None:
        self.address = address
        pipe = subprocess.PIPE
        self._holder = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)
        self.pid = self._holder.pid
        self._enter = [_tool("nsenter"), f"--target={self.pid}", "--net", *enter]
        self._children: list[subprocess.Popen[str]] = []
        assert self._holder.stdout is not None
        answer = self._holder.stdout.readline()
        if answer != "ready\n":
            self.close()
            raise OSError(answer.strip())

    def command(self, *command: str) -> list[str]:
        """Return the command line that runs *command* on this host."""
        return [*self._enter, *command]

    def ip(self, line: str) -> None:
        """Run ``ip`` with the words of *line* on this host."""
        subprocess.run(self.command(_tool("ip"), *line.split()), check=True)

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

    def close(self) -> None:
        """End what still runs on this host, and the host."""
        for child in self._children:
            if child.poll() is None:
                child.kill()
            child.communicate()
        with self._holder:  # closes the pipes, then waits
            pass


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
            host.ip(f"address add {host.address}/24 broadcast {BROADCAST} dev eth0")
            host.ip("link set lo up")
            host.ip("link set eth0 up")
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
