"""The alias rule: `C.zframe_size` is `zframe.size`, also for functions that nobody has wrapped yet."""

from __future__ import annotations

from ._cffi import C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def aliases(class_name: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a namespace module: it finds C functions of the class that the module lacks.

    A trailing underscore, as in ``is_``, is dropped: it is there for names that are Python keywords.
    """

    def __getattr__(name: str) -> Any:
        if not name.startswith("_"):
            try:
                return getattr(C, f"{class_name}_{name.rstrip('_')}")
            except AttributeError as error:
                raise AttributeError(f"pyczmq.{class_name} has no {name!r}: {error}") from None
        raise AttributeError(f"module 'pyczmq.{class_name}' has no attribute {name!r}")

    return __getattr__
