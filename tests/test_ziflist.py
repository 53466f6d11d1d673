"""ziflist: the network interfaces of this machine."""

from __future__ import annotations

import socket
from typing import Any

import children
import netns
import pytest
from common import collect

from pyczmq import C, _handles, ffi, ziflist

DRAFTS = hasattr(C, "ziflist_new_ipv6")

CALLS: dict[str, Any] = {
    "destroy": ziflist.destroy,
    "reload": ziflist.reload,
    "size": ziflist.size,
    "first": ziflist.first,
    "next": ziflist.next,
    "address": ziflist.address,
    "broadcast": ziflist.broadcast,
    "netmask": ziflist.netmask,
    "print": ziflist.print,
    "reload_ipv6": ziflist.reload_ipv6,
    "is_ipv6": ziflist.is_ipv6,
    "interfaces": ziflist.interfaces,
}

#: What a host of the test network has.
ETH0 = "Interface(name='eth0', address={!r}, netmask='255.255.255.0', broadcast='10.77.0.255', is_ipv6=False)"


def test_selftest_replayed() -> None:
    """What CZMQ's own test shows: a walk over all interfaces, and a new snapshot that has as many."""
    iflist = ziflist.new()
    items = ziflist.size(iflist)
    walked = []
    name = ziflist.first(iflist)
    while name is not None:
        walked.append((name, ziflist.address(iflist), ziflist.netmask(iflist), ziflist.broadcast(iflist)))
        name = ziflist.next(iflist)
    assert len(walked) == items
    assert walked == [interface[:4] for interface in ziflist.interfaces(iflist)]
    ziflist.reload(iflist)
    assert ziflist.size(iflist) == items
    ziflist.destroy(iflist)


def test_czmqs_own_test_passes() -> None:
    ziflist.test()


def test_interfaces_of_this_machine() -> None:
    """Each has a name that the system knows, and addresses that are some; the loopback is none of them."""
    names = {name for _, name in socket.if_nameindex()} if hasattr(socket, "if_nameindex") else None
    for interface in ziflist.interfaces():
        assert names is None or interface.name in names
        assert not interface.is_ipv6
        for address in (interface.address, interface.netmask, interface.broadcast):
            assert len(socket.inet_aton(address)) == 4
        assert not interface.address.startswith("127.")


def test_host_with_one_interface(hosts: tuple[netns.Host, netns.Host]) -> None:
    """On a host that is known, the interface comes with the address, mask and broadcast address that it was given."""
    done = hosts[0].run(
        """
from pyczmq import ziflist
iflist = ziflist.new()
print(ziflist.interfaces(), ziflist.interfaces(iflist))
print(ziflist.first(iflist), ziflist.address(iflist), ziflist.netmask(iflist), ziflist.broadcast(iflist))
print(ziflist.next(iflist), ziflist.address(iflist), ziflist.next(iflist), ziflist.size(iflist))
"""
    )
    eth0 = ETH0.format(hosts[0].address)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"[{eth0}] [{eth0}]",
        f"eth0 {hosts[0].address} 255.255.255.0 10.77.0.255",
        "None None eth0 1",
    ]


def test_snapshot_is_taken_anew(hosts: tuple[netns.Host, netns.Host]) -> None:
    """An interface that goes down stays in the list until that is loaded again; none at all is no problem."""
    done = hosts[1].run(
        """
import subprocess
from pyczmq import ziflist
iflist = ziflist.new()
assert ziflist.first(iflist) == "eth0"
subprocess.run(["ip", "link", "set", "eth0", "down"], check=True)
print(ziflist.size(iflist), ziflist.address(iflist))
ziflist.reload(iflist)
print(ziflist.size(iflist), ziflist.address(iflist), ziflist.first(iflist), ziflist.next(iflist))
print(ziflist.interfaces(iflist), ziflist.interfaces())
ziflist.print(iflist)
"""
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"1 {hosts[1].address}", "0 None None None", "[] []"]


def test_cursor() -> None:
    """Before the first interface and after the last there is no address; `next` begins again after the last."""
    iflist = ziflist.new()

    def current() -> list[str | None]:
        return [ziflist.address(iflist), ziflist.netmask(iflist), ziflist.broadcast(iflist)]

    assert current() == [None] * 3
    names = [ziflist.next(iflist) for _ in range(ziflist.size(iflist) + 1)]
    assert names[-1] is None and None not in names[:-1]
    assert current() == [None] * 3
    assert ziflist.next(iflist) == ziflist.first(iflist)
    ziflist.interfaces(iflist)
    assert current() == [None] * 3
    ziflist.first(iflist)
    ziflist.reload(iflist)
    assert current() == [None] * 3


def test_texts_outlive_the_list() -> None:
    """What came out stays what it is when the list is loaded again or gone."""
    iflist = ziflist.new()
    before = ziflist.interfaces(iflist)
    copies = [tuple(f"{text}" for text in interface[:4]) for interface in before]
    for _ in range(20):
        ziflist.reload(iflist)
    ziflist.destroy(iflist)
    collect()
    assert [interface[:4] for interface in before] == copies


def test_print() -> None:
    """The list goes to CZMQ's log, a line for each text."""
    output = children.check(
        """
        from pyczmq import ziflist
        iflist = ziflist.new()
        ziflist.print(iflist)
        print(len(ziflist.interfaces(iflist)))
        """
    )
    lines = output.splitlines()
    count = int(next(line for line in lines if line.isdigit()))
    assert sum("interface" in line for line in lines) == 4 * count


def test_no_descriptor_left() -> None:
    """Where the system can tell nothing, since no file can be opened, that is an OSError: C frees what it never had."""
    pytest.importorskip("resource")
    children.check(
        """
        import errno, resource, socket
        from pyczmq import ziflist
        iflist = ziflist.new()
        ziflist.interfaces()
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        for call in (ziflist.new, ziflist.interfaces, lambda: ziflist.reload(iflist)):
            try:
                call()
            except OSError as error:
                assert error.errno == errno.EMFILE, error
            else:
                raise AssertionError(call)
        ziflist.interfaces(iflist)
        """
    )


@pytest.mark.skipif(DRAFTS, reason="this libczmq is built with drafts")
@pytest.mark.parametrize("call", [lambda: ziflist.new_ipv6(), lambda: ziflist.reload_ipv6(ziflist.new()),
                                  lambda: ziflist.is_ipv6(ziflist.new())])  # fmt: skip
def test_drafts_that_are_not_there(call: Any) -> None:
    """Without drafts, the functions say so when they are used."""
    with pytest.raises(AttributeError, match=r"ziflist_.*ipv6 is not in this library"):
        call()


@pytest.mark.skipif(not DRAFTS, reason="this libczmq is built without drafts")
def test_ipv6() -> None:
    """A list with IPv6 addresses has the others, too, and tells which are which."""
    iflist = ziflist.new_ipv6()
    interfaces = ziflist.interfaces(iflist)
    assert [interface for interface in interfaces if not interface.is_ipv6] == ziflist.interfaces()
    with pytest.raises(ValueError, match="iflist is at no interface"):
        ziflist.is_ipv6(iflist)
    for interface in interfaces:
        ziflist.next(iflist)
        assert ziflist.is_ipv6(iflist) is interface.is_ipv6
        socket.inet_pton(socket.AF_INET6 if interface.is_ipv6 else socket.AF_INET, interface.address.partition("%")[0])
    ziflist.reload(iflist)
    assert ziflist.interfaces(iflist) == ziflist.interfaces()
    ziflist.reload_ipv6(iflist)
    assert ziflist.interfaces(iflist) == interfaces


@pytest.mark.parametrize("name", CALLS)
def test_wrong_handles(name: str) -> None:
    """What is no list, NULL, or destroyed, is refused."""
    call = CALLS[name]
    for wrong in (1, "x", b"x", object(), ffi.NULL, ffi.new("int *")):
        with pytest.raises(TypeError, match="iflist must be a"):
            call(wrong)
    with pytest.raises(ValueError, match="iflist is NULL"):
        call(ffi.cast("ziflist_t *", 0))
    gone = ziflist.new()
    ziflist.destroy(gone)
    with pytest.raises(ValueError, match="iflist was destroyed"):
        call(gone)


def test_destroy_takes_none() -> None:
    """None is let through, as NULL is in C; most others refuse it."""
    ziflist.destroy(None)
    for name, call in CALLS.items():
        if name not in ("destroy", "interfaces"):
            with pytest.raises(TypeError, match="iflist must be a"):
                call(None)


def test_collected_once() -> None:
    """The garbage collector frees each list, once, and descriptors are closed."""
    before = len(_handles._owned)
    for _ in range(30):
        ziflist.interfaces()
    iflist: Any = C.ziflist_new()
    assert len(ziflist.interfaces(iflist)) == ziflist.size(iflist)
    ziflist.destroy(iflist)
    collect()
    assert len(_handles._owned) <= before
