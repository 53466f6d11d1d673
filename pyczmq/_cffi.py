"""The dlopen layer: finds libczmq and libzmq, and hands out `ffi` and `C`.

`C` answers for every function, variable and constant of libczmq, for those of the libzmq that this libczmq runs on, and
for the CZMQ 2 functions that libczmq 4 dropped (`pyczmq._czmq2`). This is the raw floor: exactly C, nothing is checked,
the caller owns and destroys.
"""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._library import Library

    # What cffi makes of a C type is written in that type's name, where no checker can read it.
    ffi: Any
else:
    try:
        from ._abi import ffi
    except ImportError:
        from ._build import load

        ffi = load().ffi
    if ffi.sizeof("zmq_fd_t") != ffi.sizeof("void *" if sys.platform == "win32" else "int"):
        # The wheel was built on another kind of system, where file descriptors have another type.
        from ._build import load

        ffi = load().ffi

__all__ = ["C", "ffi"]

_VARIABLES = ("zsys_interrupted", "zctx_interrupted")

_INSTALL = """\
Install CZMQ with one of:
  apt install libczmq4            (Debian, Ubuntu)
  dnf install czmq                (Fedora, RHEL with EPEL)
  brew install czmq               (macOS)
  conda install -c conda-forge czmq
or set the environment variable PYCZMQ_LIBRARY to the library's absolute path."""


def _file_names(library: str, versions: tuple[str, ...]) -> list[str]:
    """Return the names under which this platform's linker knows a library, newest interface first."""
    if sys.platform == "win32":
        return [f"lib{library}.dll", f"{library}.dll", *(f"lib{library}-{v}.dll" for v in versions)]
    if sys.platform == "darwin":
        return [*(f"lib{library}.{v}.dylib" for v in versions), f"lib{library}.dylib"]
    return [*(f"lib{library}.so.{v}" for v in versions), f"lib{library}.so"]


def _folders() -> list[str]:
    """Return folders that the system's linker may not search: conda's, and Homebrew's on a Mac."""
    folders = []
    if os.path.isdir(os.path.join(sys.prefix, "conda-meta")):
        folders.append(os.path.join(sys.prefix, *(("Library", "bin") if os.name == "nt" else ("lib",))))
    if sys.platform == "darwin":
        folders += ["/opt/homebrew/lib", "/usr/local/lib", "/opt/local/lib"]
    return folders


def _candidates(library: str, versions: tuple[str, ...]) -> list[str]:
    """Return what to open, in order: the copy bundled in the wheel, the system's, conda's or Homebrew's.

    Each is an absolute path or a bare name, which the system's linker looks up where it always does.
    """
    names = _file_names(library, versions)
    bundled = os.path.join(os.path.dirname(os.path.abspath(__file__)), ".libs")
    found = [os.path.join(bundled, name) for name in names if os.path.exists(os.path.join(bundled, name))]
    found += names
    for folder in filter(os.path.isabs, _folders()):
        found += [os.path.join(folder, name) for name in names if os.path.exists(os.path.join(folder, name))]
    return found


def _exposed(path: str) -> str | None:
    """Return the file or folder by which anybody could put another library where this one is; None if there is none."""
    if os.name == "nt":
        return None
    for name in {os.path.abspath(path), os.path.realpath(path)}:
        places = [name]
        while os.path.dirname(places[-1]) != places[-1]:
            places.append(os.path.dirname(places[-1]))
        for number, place in enumerate(places):
            mode = os.stat(place).st_mode
            # With the sticky bit, as in /tmp, a folder in there is its owner's; a file in there may be anybody's.
            if mode & stat.S_IWOTH and not (number > 1 and mode & stat.S_ISVTX):
                return place
    return None


#: Never unload a library: Python would, at its very end, and threads of libzmq's that still run would be left without
#: their code.
_STAYS = getattr(os, "RTLD_NOW", 0) | getattr(os, "RTLD_NODELETE", 0)


def _open(library: str, candidates: list[str], chosen: bool = False) -> tuple[Any, str]:
    """Open the first candidate that can be opened; raise an ImportError that says why none could.

    A path that the user has not *chosen* is passed over where anybody could have put the file there.
    """
    failures = []
    for candidate in candidates:
        try:
            exposed = None if chosen or not os.path.isabs(candidate) else _exposed(candidate)
            if exposed is None:
                return ffi.dlopen(candidate, _STAYS), candidate
            failures.append(f"  {candidate}: not opened, since anybody may write to {exposed}")
        except OSError as error:
            failures.append(f"  {candidate}: {error}")
    tried = "\n".join(failures)
    raise ImportError(f"pyczmq found no lib{library} that it can open. It tried:\n{tried}\n{_INSTALL}")


def _privileged() -> bool:
    """Tell whether this process may do more than who has started it: its environment is not to be trusted then."""
    return hasattr(os, "geteuid") and (os.getuid(), os.getgid()) != (os.geteuid(), os.getegid())


def _open_czmq() -> tuple[Any, str]:
    chosen = os.environ.get("PYCZMQ_LIBRARY")
    if not chosen or _privileged():
        return _open("czmq", _candidates("czmq", ("4", "3")))
    if not os.path.isabs(chosen) and (os.path.basename(chosen) != chosen or chosen in (os.curdir, os.pardir)):
        raise ImportError(
            f"PYCZMQ_LIBRARY is the relative path {chosen!r}; give an absolute path, or a bare file name to let the "
            "system's linker search for it"
        )
    return _open("czmq", [chosen], True)


def _open_zmq(czmq: Any, path: str) -> Any:
    """Return the library that answers for libzmq: the very copy that libczmq runs on.

    On POSIX systems dlsym searches a library's dependencies too, so libczmq's own handle finds it. Windows does not,
    and there the DLL is already loaded under its name.
    """
    try:
        _ = czmq.zmq_errno
    except ffi.error:
        folder = os.path.dirname(path)
        beside = [os.path.join(folder, name) for name in _file_names("zmq", ("5",))] if folder else []
        return _open("zmq", [*filter(os.path.exists, beside), *_candidates("zmq", ("5",))])[0]
    return czmq


class _Libraries:
    """`pyczmq.C`: looks a name up in libczmq, in its libzmq, then among the CZMQ 2 functions, and remembers it."""

    def __init__(self) -> None:
        self._czmq, self._path = _open_czmq()
        self._zmq = _open_zmq(self._czmq, self._path)

    def __getattr__(self, name: str) -> Any:
        if not name.isascii():
            # cffi makes a SystemError of a lone surrogate.
            raise AttributeError(f"pyczmq.C has no {name!r}")
        for library in (self._czmq, self._zmq):
            try:
                value = getattr(library, name)
                break
            except (AttributeError, ffi.error):
                continue
        else:
            value = self._retired(name)
        self.__dict__[name] = value
        return value

    def _retired(self, name: str) -> Any:
        from . import _czmq2

        function = _czmq2.lookup(name)
        if function is not None:
            return function
        if name in dir(self._czmq):
            raise AttributeError(f"{name} is not in this library: {self._describe()}")
        raise AttributeError(f"pyczmq.C has no {name!r}: neither CZMQ nor libzmq declares it")

    def _describe(self) -> str:
        """Say which libraries are open, for error texts."""
        numbers = ffi.new("int[3]")
        self.zsys_version(numbers, numbers + 1, numbers + 2)
        czmq = ".".join(map(str, numbers))
        self.zmq_version(numbers, numbers + 1, numbers + 2)
        zmq = ".".join(map(str, numbers))
        return f"libczmq {czmq} ({self._path}) on libzmq {zmq}"

    def __dir__(self) -> list[str]:
        from . import _czmq2

        return sorted({*dir(self._czmq), *_czmq2.names()})

    def __repr__(self) -> str:
        return f"<pyczmq.C: {self._describe()}>"


def _variable(name: str) -> property:
    """Return a property for one of libczmq's variables, which must be read and written in place, never remembered."""

    def read(self: _Libraries) -> Any:
        return getattr(self._czmq, name)

    def write(self: _Libraries, value: int) -> None:
        setattr(self._czmq, name, value)

    return property(read, write)


for _name in _VARIABLES:
    setattr(_Libraries, _name, _variable(_name))

C: Library = _Libraries()  # type: ignore[assignment]

# CZMQ takes over SIGINT and SIGTERM at its first socket unless it is told not to, once and for all.
C.zsys_handler_set(ffi.NULL)
