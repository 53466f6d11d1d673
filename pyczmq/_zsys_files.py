"""Files and folders: a part of `pyczmq.zsys`.

Names are str, bytes or os.PathLike, and never a printf format.
"""

from __future__ import annotations

from ._cffi import C, ffi
from ._numbers import integer
from ._text import encode, path, sprintf

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any, Union

    Path = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]

__all__ = [
    "file_exists",
    "file_size",
    "file_modified",
    "file_mode",
    "file_delete",
    "file_stable",
    "dir_create",
    "dir_delete",
    "dir_change",
    "file_mode_private",
    "file_mode_default",
    "set_file_stable_age_msec",
    "file_stable_age_msec",
]


def file_exists(filename: Path) -> bool:
    """Tell whether there is a file, folder or other thing of this name.

    C: ``bool zsys_file_exists (const char *filename)``
    """
    return C.zsys_file_exists(path(filename))


def file_size(filename: Path) -> int:
    """Return a file's size in bytes, or -1 if there is none.

    C: ``ssize_t zsys_file_size (const char *filename)``
    """
    return C.zsys_file_size(path(filename))


def file_modified(filename: Path) -> int:
    """Return when a file was modified, in seconds since 1970, or 0 if there is none.

    C: ``time_t zsys_file_modified (const char *filename)``
    """
    return C.zsys_file_modified(path(filename))


def file_mode(filename: Path) -> int:
    """Return a file's mode, as `os.stat` does, for the functions of `stat`; -1 if there is none.

    C: ``int zsys_file_mode (const char *filename)``
    """
    return C.zsys_file_mode(path(filename))


def file_delete(filename: Path) -> int:
    """Delete a file; return 0, or -1 if that is not possible.

    C: ``int zsys_file_delete (const char *filename)``
    """
    return C.zsys_file_delete(path(filename))


def file_stable(filename: Path) -> bool:
    """Tell whether a file was left alone for some time, by default 5 seconds: `set_file_stable_age_msec`.

    C: ``bool zsys_file_stable (const char *filename)``
    """
    return C.zsys_file_stable(path(filename))


def dir_create(pathname: Path, *args: Any) -> int:
    """Create a folder, and those above it; return 0, also if it is there already, or -1 if that is not possible.

    Only where arguments follow it is the name a C-style format, which Python fills in.

    C: ``int zsys_dir_create (const char *pathname, ...)``
    """
    return C.zsys_dir_create(b"%s", _folder(pathname, args))


def dir_delete(pathname: Path, *args: Any) -> int:
    """Delete a folder that is empty; return 0, or -1 if that is not possible.

    Only where arguments follow it is the name a C-style format, which Python fills in.

    C: ``int zsys_dir_delete (const char *pathname, ...)``
    """
    return C.zsys_dir_delete(b"%s", _folder(pathname, args))


def _folder(pathname: Path, args: tuple[Any, ...]) -> Any:
    name = path(sprintf(encode(pathname, "pathname"), *args) if args else pathname, "pathname")  # type: ignore[arg-type]
    if not name:
        raise ValueError("pathname is empty")
    return ffi.new("char[]", name)


def dir_change(pathname: Path) -> int:
    """Make a folder the current one of the whole process; return 0, or -1 if that is not possible.

    C: ``int zsys_dir_change (const char *pathname)``
    """
    return C.zsys_dir_change(path(pathname, "pathname"))


def file_mode_private() -> None:
    """Let files that the process creates from now on be readable and writable by their owner only.

    C: ``void zsys_file_mode_private (void)``
    """
    C.zsys_file_mode_private()


def file_mode_default() -> None:
    """Undo `file_mode_private`.

    C: ``void zsys_file_mode_default (void)``
    """
    C.zsys_file_mode_default()


def set_file_stable_age_msec(file_stable_age_msec: int) -> None:
    """Set for how many milliseconds a file must be left alone to be stable; anything below 1 is passed over. Draft.

    C: ``void zsys_set_file_stable_age_msec (int64_t file_stable_age_msec)``
    """
    C.zsys_set_file_stable_age_msec(integer(file_stable_age_msec, "file_stable_age_msec", -(2**63), 2**63 - 1))


def file_stable_age_msec() -> int:
    """Return for how many milliseconds a file must be left alone to be stable. Draft.

    C: ``int64_t zsys_file_stable_age_msec (void)``
    """
    return C.zsys_file_stable_age_msec()
