"""The CZMQ 2 functions that libczmq 4 no longer has, rebuilt in Python over libzmq and CZMQ 4, for the raw floor.

One module per class, each function under its full C name and with its C signature. `pyczmq.C` asks `lookup` for a name
only when the loaded libczmq has no such function.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._types import CData

_CLASSES = ("zctx", "zsocket", "zauth", "zbeacon")


def _module(class_name: str) -> Any:
    from importlib import import_module

    return import_module(f"{__name__}.{class_name}")


def _functions(class_name: str) -> dict[str, Callable[..., Any]]:
    functions: dict[str, Callable[..., Any]] = _module(class_name).FUNCTIONS
    return functions


def lookup(name: str) -> Callable[..., Any] | None:
    """Return the function that stands in for the C function *name*, or None."""
    class_name = name.partition("_")[0]
    found = _functions(class_name if class_name in _CLASSES else "renamed").get(name)
    if found is None and class_name == "zsocket":
        found = _module("zsocket").option_function(name)
    return found


def names() -> list[str]:
    """Return the names of all functions that are rebuilt here."""
    written = [name for class_name in (*_CLASSES, "renamed") for name in _functions(class_name)]
    return [*written, *_module("zsocket").option_names()]


def contexts() -> list[CData]:
    """Return the libzmq contexts of all zctx_t that are alive."""
    found: list[CData] = _module("zctx").underlying_contexts()
    return found
