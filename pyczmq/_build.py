"""The build step: parses the C declarations of ``_cdef/*.h`` into the pure Python module ``pyczmq/_abi.py``.

No compiler runs: this is cffi's out-of-line ABI mode. `setup.py` runs it at build time; from a plain checkout, where
nothing is built, `pyczmq._cffi` calls `parse` at import. Only cffi and the standard library are used here, since the
module is run before the package is installed.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from cffi import FFI

HEADERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_cdef")

#: Headers that the others stand on; the rest follow in alphabetical order.
FIRST = (
    "libc.h",
    "windows.h" if sys.platform == "win32" else "posix.h",
    "types.h",
    "zmq_types.h",
    "zmq_constants.h",
)


def headers(folder: str = HEADERS) -> list[str]:
    """Return the paths of the C headers, in the order in which they are parsed."""
    rest = sorted(
        name for name in os.listdir(folder) if name.endswith(".h") and name not in (*FIRST, "posix.h", "windows.h")
    )
    return [os.path.join(folder, name) for name in (*FIRST, *rest)]


def parse() -> FFI:
    """Return a cffi.FFI that has parsed every header."""
    from cffi import FFI

    ffi = FFI()
    for path in headers():
        with open(path, encoding="utf-8") as header:
            ffi.cdef(header.read())
    return ffi


def emit(path: str) -> None:
    """Write the generated module to *path*."""
    from cffi.recompiler import make_py_source

    ffi = parse()
    ffi.set_source("pyczmq._abi", None)
    make_py_source(ffi, "pyczmq._abi", path)


def load() -> ModuleType:
    """Parse the headers now and return the module that a build would have written."""
    import tempfile
    from types import ModuleType

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "_abi.py")
        emit(path)
        with open(path, encoding="utf-8") as source:
            code = compile(source.read(), "<pyczmq._abi>", "exec")
    module = ModuleType("pyczmq._abi")
    exec(code, module.__dict__)
    return module
