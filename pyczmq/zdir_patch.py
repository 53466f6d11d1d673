"""zdir_patch: one difference between two looks at a folder: a file that is to be created, or deleted.

Patches come from `zdir.diff`, `zdir.resync` and `zdir.recv`. Each has the path of the folder, the file, and a virtual
path: the file's, with an alias in place of the folder's path.

    >>> from pyczmq import zdir_patch, zfile
    >>> patch = zdir_patch.new("music", zfile.new("music", "bolero.flac"), zdir_patch.DELETE, "/backup")
    >>> zdir_patch.path(patch), zdir_patch.vpath(patch), zdir_patch.op(patch) == zdir_patch.DELETE
    ('music', '/backup/bolero.flac', True)
    >>> zfile.filename(zdir_patch.file(patch))
    'music/bolero.flac'

The garbage collector owns patches, which stay usable in a forked child. A patch has a file object of its own, which it
lends.
"""

from __future__ import annotations

import os

from . import _files, _handles, _text
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._files import Filename
    from ._types import DirPatch, File, Text

_PATCH = _files.PATCH

#: The operations: a file is to be created, or written anew; a file is to be deleted.
CREATE = 1
DELETE = 2


def new(path: Filename, file: File, op: int, alias: Text | None = None) -> DirPatch:
    """Return a new patch for a file in the folder *path*, or below it; *op* is CREATE or DELETE.

    The file object is copied. The virtual path is that of the file, with *alias* in place of *path*. Raises ValueError
    if the file's path is absolute and not below *path*.

    C: ``zdir_patch_t *zdir_patch_new (const char *path, zfile_t *file, int op, const char *alias)``
    """
    folder = _text.path(path, "path")
    _handles.live(file, _files.FILE, "file")
    integer(op, "op", CREATE, DELETE)
    name = _files.name(file)
    if not name.startswith(folder) and name.startswith(b"/"):
        raise ValueError(f"file is not below path: {os.fsdecode(name)!r}")
    return _files.patch(folder, file, int(op), b"" if alias is None else _text.cstring(alias, "alias"))


def destroy(patch: DirPatch | None) -> None:
    """Destroy a patch now, and its file object; None is let through. What is on the disk stays.

    C: ``void zdir_patch_destroy (zdir_patch_t **self_p)``
    """
    if patch is not None:
        _files.take_back(_live(patch), "was destroyed with its patch")
    _handles.destroy(patch, _PATCH, _files.free_patch, "patch")


def dup(patch: DirPatch) -> DirPatch:
    """Return a copy of a patch, with its digest if it has one.

    C: ``zdir_patch_t *zdir_patch_dup (zdir_patch_t *self)``
    """
    _live(patch)
    if C.zdir_patch_op(patch) == CREATE and not C.zdir_patch_digest(patch):
        # C gives up there.
        file = C.zdir_patch_file(patch)
        folder = ffi.string(C.zdir_patch_path(patch))
        virtual = ffi.string(C.zdir_patch_vpath(patch))
        alias = virtual[: len(virtual) - len(ffi.string(C.zfile_filename(file, folder)))]
        return _files.patch(folder, file, CREATE, alias)
    return _files.own_patch(C.zdir_patch_dup(patch))


def path(patch: DirPatch) -> str:
    """Return the path of the folder.

    C: ``const char *zdir_patch_path (zdir_patch_t *self)``
    """
    return _text.decode(ffi.string(C.zdir_patch_path(_live(patch))))


def file(patch: DirPatch) -> File:
    """Return the file object, which belongs to the patch: it keeps that alive, and is refused once it is destroyed.

    C: ``zfile_t *zdir_patch_file (zdir_patch_t *self)``
    """
    return _files.lend(patch, C.zdir_patch_file(_live(patch)))


def op(patch: DirPatch) -> int:
    """Return the operation: CREATE or DELETE.

    C: ``int zdir_patch_op (zdir_patch_t *self)``
    """
    return C.zdir_patch_op(_live(patch))


def vpath(patch: DirPatch) -> str:
    """Return the virtual path.

    C: ``const char *zdir_patch_vpath (zdir_patch_t *self)``
    """
    return _text.decode(ffi.string(C.zdir_patch_vpath(_live(patch))))


def digest_set(patch: DirPatch) -> None:
    """Calculate the digest of the file, if it is to be created and has none yet; one that cannot be read gets none.

    C: ``void zdir_patch_digest_set (zdir_patch_t *self)``
    """
    if C.zdir_patch_op(_live(patch)) != CREATE or C.zdir_patch_digest(patch):
        return
    own = file(patch)
    _files.forget_stream(own)
    # Once the file object has its digest, C cannot come to grief over the file any more.
    if _files.check_readable(own) and C.zfile_digest(own):
        C.zdir_patch_digest_set(patch)


def digest(patch: DirPatch) -> str | None:
    """Return the SHA-1 digest, 40 capital letters and digits, or None if there is none: see `digest_set`.

    C: ``const char *zdir_patch_digest (zdir_patch_t *self)``
    """
    return _text.string(C.zdir_patch_digest(_live(patch)))


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zdir_patch_test (bool verbose)``
    """
    from ._selftest import run

    run("zdir_patch_test", verbose)


def _live(patch: DirPatch) -> DirPatch:
    return _handles.live(patch, _PATCH, "patch")


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zdir_patch")
