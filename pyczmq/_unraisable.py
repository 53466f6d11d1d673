"""Exceptions of Python's functions that C calls where nobody can catch them."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def report(error: BaseException, function: object) -> None:
    """Hand an exception that *function* has raised to ``sys.unraisablehook``."""
    import traceback
    from types import SimpleNamespace

    if sys.unraisablehook is sys.__unraisablehook__:
        # Python's own hook takes only what Python itself makes.
        sys.stderr.write(f"Exception ignored in: {function!r}\n")
        traceback.print_exception(type(error), error, error.__traceback__)
    else:
        unraisable: Any = SimpleNamespace(
            exc_type=type(error), exc_value=error, exc_traceback=error.__traceback__, err_msg=None, object=function
        )
        sys.unraisablehook(unraisable)
