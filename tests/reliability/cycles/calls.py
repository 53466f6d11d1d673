"""What the cycles of several groups call: functions that must refuse, callbacks that must raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SMALL = "text"
KIB64 = "x" * 65536

#: Every method of an object that receives, with its arguments, and every one that sends text or data.
RECEIVING: dict[str, tuple[Any, ...]] = {
    "recv": (),
    "recv_bytes": (),
    "recv_parts": (),
    "recv_frame": (),
    "recv_msg": (),
    "recv_json": (),
    "recv_picture": ("s",),
    "wait": (),
}
SENDING: dict[str, tuple[Any, ...]] = {
    "send": ("text",),
    "send_bytes": (b"data",),
    "send_parts": ([b"one", "two"],),
    "send_json": ({"a": 1},),
    "send_picture": ("si", "text", 1),
    "signal": (),
}

REFUSALS = (TypeError, ValueError, OverflowError, OSError, AttributeError, IndexError)


def refused(function: Callable[..., object], *args: Any, **kwargs: Any) -> None:
    """Call a function that must refuse its arguments."""
    try:
        function(*args, **kwargs)
    except REFUSALS:
        return
    raise AssertionError(f"{function} did not refuse {args} {kwargs}")


class OnPurposeError(Exception):
    """What `fail` raises."""


def fail(*_: Any) -> Any:
    """Raise an exception: a callback that goes wrong."""
    raise OnPurposeError


def fails(function: Callable[..., object], *args: Any) -> None:
    """Call a function out of which the exception of a callback must come."""
    try:
        function(*args)
    except OnPurposeError:
        return
    raise AssertionError(f"no exception came out of {function}")


def close(made: Any) -> None:
    """Close an object."""
    made.close()
