"""Write the type stubs of the raw floor, ``pyczmq/_library.pyi`` and ``pyczmq/_types.pyi``, from the C headers.

With --check nothing is written; the exit status is 1 if a committed stub is not what would be written.
"""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path

import generated

from pyczmq import _declarations

PACKAGE = generated.ROOT / "pyczmq"

#: Classes whose Python name is more than the C name, capitalised.
NAMES = {
    "zcertstore_t": "CertStore",
    "zhttp_client_t": "HttpClient",
    "zhttp_request_t": "HttpRequest",
    "zhttp_response_t": "HttpResponse",
    "zhttp_server_options_t": "HttpServerOptions",
    "zhttp_server_t": "HttpServer",
    "zdir_patch_t": "DirPatch",
    "ztimerset_t": "TimerSet",
    "zmq_msg_t": "ZmqMsg",
    "zmq_pollitem_t": "PollItem",
}

INTEGERS = re.compile(r"(unsigned )?(byte|int|long|short|SOCKET|\w*(mode|off|size|time|fd|int\d+)_t)")
#: A pointer to these takes bytes too.
OCTETS = frozenset(["byte", "char", "uint8_t", "void"])

GENERATED = "# Written by scripts/make_stubs.py from the headers in pyczmq/_cdef; do not edit.\n"

# Functions whose void * is a socket of libzmq.
SOCKETS = {"zbeacon_socket", "zmq_socket", "zsock_resolve", "zsocket_new", "zsys_socket"}

TYPES_HEAD = f'''\
{GENERATED}"""Names for types only: there is no such module at run time, import it under TYPE_CHECKING."""

from typing import NewType, Union

from _cffi_backend import FFI
from typing_extensions import Buffer as _Buffer
from typing_extensions import TypeAlias

CData: TypeAlias = FFI.CData

Text: TypeAlias = Union[str, bytes]  # a C string; str is UTF-8
Buffer: TypeAlias = Union[bytes, bytearray, memoryview, _Buffer]  # whatever has the buffer protocol

Socket = NewType("Socket", CData)  # void *, a socket of libzmq
'''

TYPES_TAIL = """
# What CZMQ's functions take where they take any kind of socket.
Socketish: TypeAlias = Union[Socket, Sock, Actor]
"""

LIBRARY_HEAD = f'''\
{GENERATED}"""The type of `pyczmq.C`: every function, variable and constant, stable, draft and retired."""

from collections.abc import Callable
from typing import IO, Any

from ._types import (
    CData,
@IMPORTS@
)

# A function's first argument is not `self`: they are called on the library, and C has a `self` of its own.
class Library:
'''


def class_name(ctype: str) -> str:
    """Return the Python name of an opaque class: zframe_t is Frame."""
    return NAMES.get(ctype) or ctype[1:-2].capitalize()


class Stubs:
    """The stubs' texts; `types` and `library`."""

    def __init__(self) -> None:
        """Read the headers."""
        self.functions = _declarations.functions()
        self.callbacks = set()
        self.opaque = {"zmq_msg_t", "zmq_pollitem_t"}
        for name, declaration in _declarations.typedefs().items():
            if re.match(r"typedef struct _z\w+_t z\w+_t$", declaration.text):
                self.opaque.add(name)
            elif "(" in declaration.text:
                self.callbacks.add(name)
        self.used: set[str] = set()
        methods = [self.method(name, declaration.text) for name, declaration in self.functions.items()]
        attributes = [f"    {name}: int\n" for name in (*_declarations.variables(), *_declarations.constants())]
        # A class that no function takes or returns, such as zstr_t, needs no name.
        known = sorted(class_name(ctype) for ctype in self.used)
        imports = "\n".join(f"    {name}," for name in [*known, "Socket"])
        self.library = LIBRARY_HEAD.replace("@IMPORTS@", imports) + "".join(attributes) + "\n" + "".join(methods)
        self.types = TYPES_HEAD + "".join(
            f'{class_name(ctype)} = NewType("{class_name(ctype)}", CData)  # {ctype} *\n'
            for ctype in sorted(self.used, key=class_name)
        )
        self.types += TYPES_TAIL

    def method(self, name: str, prototype: str) -> str:
        """Return the stub of one function."""
        match = re.fullmatch(r"(.+?)\b" + name + r" \((.*)\)", prototype)
        assert match, prototype
        result = "Socket" if name in SOCKETS else self.result(match[1].strip())
        arguments = ["_"]
        variadic = False
        if match[2] != "void":
            for parameter in match[2].split(", "):
                if parameter == "...":
                    variadic = True
                    continue
                arguments.append(self.parameter(parameter))
        # cffi wants a cdata for each argument of the variadic part, whatever its type.
        arguments += ["/", "*args: CData"] if variadic else ["/"]
        return f"    def {name}({', '.join(arguments)}) -> {result}: ...\n"

    def parameter(self, declaration: str) -> str:
        """Return a parameter's stub."""
        match = re.fullmatch(r"(?:const )?(.+?) ?(\**)(\w+)", declaration)
        assert match, declaration
        ctype, stars, name = match.groups()
        if keyword.iskeyword(name) or name == "_":
            name += "_"
        return f"{name}: {self.accepted(ctype, stars)}"

    def accepted(self, ctype: str, stars: str) -> str:
        """Return the type of what cffi takes for a C type."""
        if stars == "*" and ctype in self.opaque:
            self.used.add(ctype)
            return f"{class_name(ctype)} | CData"
        if stars == "*" and ctype in OCTETS:
            return "CData | bytes"
        if stars == "*" and ctype == "FILE":
            return "CData | IO[Any]"
        if ctype in self.callbacks:
            # A callback of cffi's, or a C function such as C.zauth, which the stub shows as a method.
            return "CData | Callable[..., Any]"
        if stars or ctype == "va_list":
            return "CData"
        return self.plain(ctype)

    def result(self, declaration: str) -> str:
        """Return the type of a function's result."""
        match = re.fullmatch(r"(?:const )?(.+?) ?(\**)", declaration)
        assert match, declaration
        ctype, stars = match.groups()
        if stars == "*" and ctype in self.opaque:
            self.used.add(ctype)
            return class_name(ctype)
        if stars:
            return "CData"
        return "None" if ctype == "void" else self.plain(ctype)

    def plain(self, ctype: str) -> str:
        """Return the Python type of a C type that is no pointer."""
        if INTEGERS.fullmatch(ctype):
            return "int"
        return {"bool": "bool", "char": "bytes", "double": "float", "float": "float"}[ctype]


def wanted() -> dict[Path, str]:
    """Return the stubs and the text that each should have."""
    stubs = Stubs()
    return {PACKAGE / "_library.pyi": stubs.library, PACKAGE / "_types.pyi": stubs.types}


if __name__ == "__main__":
    sys.exit(generated.main(__doc__, wanted()))
