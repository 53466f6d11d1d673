"""Checks of integer arguments, whose errors name the argument."""

from __future__ import annotations

from _operator import index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import SupportsIndex


def integer(value: SupportsIndex, name: str, least: int = -(2**31), most: int = 2**31 - 1) -> int:
    """Return *value* as an int; TypeError if it is none, ValueError if it is not from *least* to *most*."""
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, not {type(value).__name__}") from None
    if least <= number <= most:
        return number
    raise ValueError(f"{name} must be from {least} to {most}, not {number}")
