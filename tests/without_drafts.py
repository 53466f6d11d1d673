"""What draft classes do on a library that has none of them: they import, are documented, and say so when used."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pyczmq import C, zsys


def refuses(module: Any, arguments: dict[str, tuple[Any, ...]], name: str) -> None:
    """Show that a function of a namespace raises the AttributeError that names its C function and the library."""
    function = f"{module.__name__.rpartition('.')[2]}_{name}"
    if hasattr(C, function):
        pytest.skip("this libczmq has the drafts")
    version = ".".join(map(str, zsys.version()))
    with pytest.raises(AttributeError, match=rf"{function}\b.*{re.escape(version)}"):
        getattr(module, name)(*arguments[name])
