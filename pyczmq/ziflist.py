"""ziflist: the network interfaces of this machine, those that can broadcast: not the loopback, nor tunnels.

A list is a snapshot, with a cursor that `first` and `next` move: they return an interface's name, and `address`,
`netmask` and `broadcast` tell of the same interface. `interfaces` returns them all at once, as named tuples. An
interface with several addresses is in the list once for each.

    >>> from pyczmq import ziflist
    >>> iflist = ziflist.new()
    >>> len(ziflist.interfaces(iflist)) == ziflist.size(iflist)
    True
    >>> ziflist.Interface._fields
    ('name', 'address', 'netmask', 'broadcast', 'is_ipv6')
"""

from __future__ import annotations

from typing import NamedTuple

from . import _handles, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import CData, Iflist

_IFLIST = ffi.typeof("ziflist_t *")
_free = _handles.freer(C.ziflist_destroy, "ziflist_t *")


class Interface(NamedTuple):
    """A network interface, with one of its addresses; for IPv6, *broadcast* is the multicast address that zsys has."""

    name: str
    address: str
    netmask: str
    broadcast: str
    is_ipv6: bool


def new() -> Iflist:
    """Return a list of the interfaces that there are now, with their IPv4 addresses.

    The garbage collector owns it, and it stays usable in a forked child. Raises OSError if the system does not tell.

    C: ``ziflist_t *ziflist_new (void)``
    """
    _ask()
    return _own(C.ziflist_new())


def _ask() -> None:
    """Raise OSError where C, told nothing by the system, would free what it never had."""
    import socket

    family = getattr(socket, "AF_NETLINK", None)
    if family is None:
        family = socket.AF_INET
    socket.socket(family, socket.SOCK_RAW if family != socket.AF_INET else socket.SOCK_DGRAM).close()


def _own(pointer: Iflist) -> Iflist:
    iflist = _handles.own(pointer, _free, fork_safe=True)
    assert iflist is not None
    return iflist


def destroy(iflist: Iflist | None) -> None:
    """Destroy a list now, and only once; None is let through.

    C: ``void ziflist_destroy (ziflist_t **self_p)``
    """
    _handles.destroy(iflist, _IFLIST, _free, "iflist")


def reload(iflist: Iflist) -> None:
    """Take a new snapshot, of IPv4 addresses; the cursor is before the first interface then.

    C: ``void ziflist_reload (ziflist_t *self)``
    """
    _live(iflist)
    _ask()
    C.ziflist_reload(iflist)


def size(iflist: Iflist) -> int:
    """Return the number of interfaces in a list.

    C: ``size_t ziflist_size (ziflist_t *self)``
    """
    return C.ziflist_size(_live(iflist))


def first(iflist: Iflist) -> str | None:
    """Go to the first interface and return its name; None if there is none.

    C: ``const char *ziflist_first (ziflist_t *self)``
    """
    return _text.string(C.ziflist_first(_live(iflist)))


def next(iflist: Iflist) -> str | None:
    """Go to the next interface and return its name; None after the last, and then it begins again with the first.

    C: ``const char *ziflist_next (ziflist_t *self)``
    """
    return _text.string(C.ziflist_next(_live(iflist)))


def address(iflist: Iflist) -> str | None:
    """Return the address of the current interface as text; None before the first and after the last.

    C: ``const char *ziflist_address (ziflist_t *self)``
    """
    return _text.string(C.ziflist_address(_live(iflist)))


def broadcast(iflist: Iflist) -> str | None:
    """Return the broadcast address of the current interface as text; None before the first and after the last.

    C: ``const char *ziflist_broadcast (ziflist_t *self)``
    """
    return _text.string(C.ziflist_broadcast(_live(iflist)))


def netmask(iflist: Iflist) -> str | None:
    """Return the network mask of the current interface as text; None before the first and after the last.

    C: ``const char *ziflist_netmask (ziflist_t *self)``
    """
    return _text.string(C.ziflist_netmask(_live(iflist)))


def print(iflist: Iflist) -> None:
    """Write the interfaces to CZMQ's log. The cursor is after the last then.

    C: ``void ziflist_print (ziflist_t *self)``
    """
    C.ziflist_print(_live(iflist))


def test(verbose: bool = False) -> None:
    """Run CZMQ's own self-test of this class in a child process; RuntimeError with its output if it fails.

    C: ``void ziflist_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("ziflist_test", verbose)


# ---------------------------------------------------------------- draft


def new_ipv6() -> Iflist:
    """Return a list as `new` does, of IPv6 addresses as well. Only libraries built with drafts have this.

    C: ``ziflist_t *ziflist_new_ipv6 (void)``
    """
    make = C.ziflist_new_ipv6
    _ask()
    return _own(make())


def reload_ipv6(iflist: Iflist) -> None:
    """Take a new snapshot, of IPv6 addresses as well. Only libraries built with drafts have this.

    C: ``void ziflist_reload_ipv6 (ziflist_t *self)``
    """
    _live(iflist)
    load = C.ziflist_reload_ipv6
    _ask()
    load(iflist)


def is_ipv6(iflist: Iflist) -> bool:
    """Tell whether the address of the current interface is one of IPv6. Only libraries built with drafts have this.

    Raises ValueError before the first interface and after the last. `interfaces` tells it with any library.

    C: ``bool ziflist_is_ipv6 (ziflist_t *self)``
    """
    _live(iflist)
    ask = C.ziflist_is_ipv6
    if not C.ziflist_address(iflist):
        raise ValueError("iflist is at no interface: first and next go to one")
    return ask(iflist)


# ---------------------------------------------------------------- all at once


def interfaces(iflist: Iflist | None = None) -> list[Interface]:
    """Return the interfaces in a list as named tuples; None makes a list for it. The cursor is after the last then."""
    handle = new() if iflist is None else _live(iflist)
    found = []
    name = C.ziflist_first(handle)
    while name:
        address = _string(C.ziflist_address(handle))
        found.append(
            Interface(
                name=_string(name),
                address=address,
                netmask=_string(C.ziflist_netmask(handle)),
                broadcast=_string(C.ziflist_broadcast(handle)),
                is_ipv6=":" in address,
            )
        )
        name = C.ziflist_next(handle)
    return found


def _string(pointer: CData) -> str:
    return _text.decode(ffi.string(pointer))


def _live(iflist: Iflist) -> Iflist:
    return _handles.live(iflist, _IFLIST, "iflist")


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("ziflist")
