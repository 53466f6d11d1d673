"""NORM endpoints: libzmq aborts over those that it cannot use, when it starts them on a thread of its own."""

from __future__ import annotations

import os
import re
import socket

_ENDPOINT = re.compile(rb"norm://(?:\d*,)?(?:(?P<interface>[^;]*);)?(?P<host>[^;,]+):(?P<port>\d{1,5})")


def is_usable(endpoint: bytes) -> bool:
    """Tell whether an endpoint has the form ``norm://[id,][interface;]address:port``, and its interface is there."""
    match = _ENDPOINT.fullmatch(endpoint)
    return (
        match is not None
        and _is_address(match["host"])
        and 0 < int(match["port"]) <= 65535
        and (not match["interface"] or _is_address(match["interface"]) or _is_interface(match["interface"]))
    )


def _is_address(text: bytes) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text.decode("ascii", "replace"))
            return True
        except OSError:
            pass
    return False


def _is_interface(name: bytes) -> bool:
    if not hasattr(socket, "if_nametoindex"):
        # PyPy.
        return b"/" not in name and os.path.exists(b"/sys/class/net/" + name)
    try:
        return socket.if_nametoindex(name.decode("utf-8", "replace")) > 0
    except OSError:
        return False
