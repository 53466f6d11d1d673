"""Write what follows from the table of socket options: their type stubs and their C declarations.

The stubs are ``pyczmq/_zsock_functions.pyi``, the functions of zsock, ``pyczmq/_zsockopt_functions.pyi``, those that
only zsocket has, and ``pyczmq/types/_options.pyi``, the attributes of the objects; the declarations are the last part
of ``pyczmq/_cdef/zsocket.h``. With --check nothing is written; the exit status is 1 if a file is not what would be
written.
"""

from __future__ import annotations

import sys
from pathlib import Path

import generated

from pyczmq import _zsockopt_table as table

PACKAGE = generated.ROOT / "pyczmq"

STUBS_HEAD = '''\
# Written by scripts/make_option_stubs.py from the table in pyczmq/_zsockopt_table.py; do not edit.
"""The types of the option functions, which namespaces make at first use: there is no such module at run time."""

from ._types import Buffer, Frame, Socketish, Text
'''

OBJECTS_HEAD = '''\
# Written by scripts/make_option_stubs.py from the table in pyczmq/_zsockopt_table.py; do not edit.
"""The types of the properties for socket options, which are made at run time."""

from typing import Any

from .._types import Buffer, Text
from ._base import Object
from .frame import Frame

NAMES: frozenset[str]

class Options(Object):
    def _get_option(self, name: str) -> Any: ...
    def _set_option(self, name: str, value: Any) -> None: ...
'''

HEADER_MARK = "/* options: written by scripts/make_option_stubs.py from pyczmq/_zsockopt_table.py */\n"


def stub(function: str) -> str:
    """Return the stub of one option function."""
    access, option = table.split(function)
    kind = table.OPTIONS[table.ALIASES.get(option, option)][1]
    read, written = table.KINDS[kind][2:]
    if access == "r":
        return f"def {function}(sock: Socketish) -> {read}: ...\n"
    return f"def {function}(sock: Socketish, value: {written}) -> None: ...\n"


def stub_of_property(option: str) -> str:
    """Return the stub of the property for one option."""
    kind, access = table.OPTIONS[table.ALIASES.get(option, option)][1:3]
    read, written = table.KINDS[kind][2:]
    stubs = f"    @property\n    def {option}(self) -> {read if 'r' in access else 'Any'}: ...\n"
    if "w" in access:
        stubs += f"    @{option}.setter\n    def {option}(self, value: {written}) -> None: ...\n"
    return stubs


def wanted() -> dict[Path, str]:
    """Return the files and the text that each should have."""
    names = table.functions()
    shared = table.functions("zsock")
    header = PACKAGE / "_cdef" / "zsocket.h"
    own = header.read_text(encoding="utf-8").partition(HEADER_MARK)[0]
    declarations = [f"{table.prototype(name)};\n" for name in names]
    return {
        PACKAGE / "_zsock_functions.pyi": STUBS_HEAD + "\n" + "".join(stub(name) for name in shared),
        PACKAGE / "_zsockopt_functions.pyi": STUBS_HEAD
        + "from ._zsock_functions import *  # noqa: F403\n\n"
        + "".join(stub(name) for name in names if name not in shared),
        PACKAGE / "types" / "_options.pyi": OBJECTS_HEAD
        + "".join(stub_of_property(name) for name in table.properties()),
        header: own + HEADER_MARK + "".join(declarations),
    }


if __name__ == "__main__":
    sys.exit(generated.main(__doc__, wanted()))
