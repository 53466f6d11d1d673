"""Directory trees: C's zdir objects, loaded folder by folder.

C's own way down a tree aborts the process over a folder that it cannot open, also where that has just been deleted by
somebody else, and does not come back from symbolic links that lead in circles. It is safe for one folder alone. So here
each folder is loaded by C, alone, and hung up in the one above it, as C would have done. That needs to know how C
stores a zdir, which is looked at first on a small tree; where it is not as known, C loads the tree, once it was seen to
have nothing that C would trip over.
"""

from __future__ import annotations

import os

from . import _files, _handles
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._types import CData, Dir, DirPatch

DIR = ffi.typeof("zdir_t *")
free = _handles.freer(C.zdir_destroy, "zdir_t *")

#: Longest path, in bytes, that C looks at below a folder: anything beyond it passes over.
_LONGEST = 1023

#: The words of a zdir: path, files, subdirs, modified, cursize, count.
_PATH, _FILES, _SUBDIRS, _MODIFIED, _CURSIZE, _COUNT = range(6)
_WORDS = ffi.typeof("int64_t *")
_LIST = ffi.typeof("zlist_t *")

_known: bool | None = None


def load(path: bytes) -> Dir | None:
    """Return a new zdir of a folder and of all below it; None if it cannot be read.

    What cannot be read below it is passed over, and so are symbolic links that lead back to where they are.
    """
    if not _is_known():
        return _load_by_c(path)
    top = _open(path)
    if top is None:
        return None
    # From the top down to where the walk is.
    chain = [top]
    try:
        while True:
            folder = chain[-1]
            name = next(folder.subfolders, None)
            if name is not None:
                below = _open(folder.path + b"/" + name)
                if below is None:
                    continue
                if any(below.place == above.place for above in chain):
                    free(below.pointer)
                    continue
                chain.append(below)
            elif len(chain) > 1:
                _hang(chain[-2].pointer, chain.pop().pointer)
            else:
                return folder.pointer
    except BaseException:
        for folder in chain:
            free(folder.pointer)
        raise


class _Folder:
    """A folder on the way."""

    __slots__ = ("path", "place", "pointer", "subfolders")

    def __init__(self, pointer: Dir, place: tuple[int, int], subfolders: list[bytes]) -> None:
        self.pointer = pointer
        #: As C has it, with no slashes at the end.
        self.path = path_of(pointer)
        #: Where it is on the disk, by whatever name.
        self.place = place
        self.subfolders = iter([name for name in subfolders if len(self.path) + 1 + len(name) <= _LONGEST])


def _open(path: bytes) -> _Folder | None:
    """Let C load one folder alone."""
    try:
        found = os.stat(path)
        subfolders = look(path)
    except OSError:
        return None
    pointer = C.zdir_new(path, b"-")
    return _Folder(pointer, (found.st_dev, found.st_ino), subfolders) if pointer else None


def look(path: bytes) -> list[bytes]:
    """Return the names of the folders in a folder, but for hidden ones, as C does.

    Raises ValueError for a link over which C would go wrong.
    """
    subfolders = []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.startswith(b"."):
                continue
            try:
                is_folder = entry.is_dir()
            except OSError:
                continue
            if is_folder:
                subfolders.append(entry.name)
            else:
                _files.check_link(entry.path, length=False)
    return subfolders


def _hang(above: CData, below: CData) -> None:
    """Hang a folder up in the one above it, and add it to that one's sums, as C does."""
    words = ffi.cast(_WORDS, above)
    if C.zlist_append(ffi.cast(_LIST, words[_SUBDIRS]), below) != 0:
        raise MemoryError("no memory for a folder")
    words[_MODIFIED] = max(words[_MODIFIED], C.zdir_modified(below))
    words[_CURSIZE] = min(words[_CURSIZE] + C.zdir_cursize(below), 2**63 - 1)
    words[_COUNT] += C.zdir_count(below)


def _is_known() -> bool:
    """Tell whether C stores a zdir as is known here, seen on a tree of two files."""
    global _known
    if _known is None:
        import tempfile

        try:
            with tempfile.TemporaryDirectory() as folder:
                _known = _looks_known(os.fsencode(folder))
        except OSError:
            return False
    return _known


def _looks_known(path: bytes) -> bool:
    sizes = {ffi.sizeof(ctype) for ctype in ("void *", "time_t", "off_t", "size_t")}
    if sizes != {8}:
        return False
    os.mkdir(path + b"/below")
    for name, size, age in ((b"/file", 11, 1_000_000), (b"/below/file", 1300, 2_000_000)):
        with open(path + name, "wb") as file:
            file.write(bytes(size))
        os.utime(path + name, (age, age))
    tree = C.zdir_new(path, ffi.NULL)
    if not tree:
        return False
    try:
        words = ffi.cast(_WORDS, tree)
        pointers = [int(ffi.cast("intptr_t", C.zdir_path(tree))), 2_000_000, 1311, 2]
        if [words[index] for index in (_PATH, _MODIFIED, _CURSIZE, _COUNT)] != pointers:
            return False
        files, subdirs = (ffi.cast(_LIST, words[index]) for index in (_FILES, _SUBDIRS))
        if not files or not subdirs or (C.zlist_size(files), C.zlist_size(subdirs)) != (1, 1):
            return False
        return bool(C.zlist_first(files) == next(files_of(tree)) and C.zlist_first(subdirs) != C.zlist_first(files))
    finally:
        free(tree)


def _load_by_c(path: bytes) -> Dir | None:
    """Let C load a whole tree; ValueError for what C would trip over."""

    def check(path: bytes, above: tuple[tuple[int, int], ...]) -> None:
        try:
            found = os.stat(path)
            names = look(path)
        except OSError as error:
            raise ValueError(f"path has a folder below it that cannot be read: {error}") from None
        place = (found.st_dev, found.st_ino)
        if place in above:
            raise ValueError(f"path has a symbolic link below it that leads back: {os.fsdecode(path)!r}")
        for name in names:
            check(path + b"/" + name, (*above, place))

    if not os.path.isdir(path):
        return None
    if len(path) <= _LONGEST:
        check(path.rstrip(b"/") or b"/", ())
    return C.zdir_new(path, ffi.NULL) or None


# ---------------------------------------------------------------- what is in a tree


def path_of(folder: CData) -> bytes:
    """Return the path of a zdir."""
    text: bytes = ffi.string(C.zdir_path(folder))
    return text


def files_of(tree: CData) -> Iterator[Any]:
    """Return C's file objects in a zdir, and below it, in C's order."""
    array = C.zdir_flatten(tree)
    if not array:
        raise MemoryError("no memory for a list of files")
    try:
        found = ffi.unpack(array, C.zdir_count(tree))
    finally:
        C.zdir_flatten_free(ffi.new("zfile_t ***", array))
    return iter(found)


def folders_of(tree: CData) -> Iterator[bytes]:
    """Return the paths of a zdir and of the folders below it: where C's store is not known, of those with files."""
    if not _is_known():
        yield path_of(tree)
        for file in files_of(tree):
            yield _files.name(file).rpartition(b"/")[0]
        return
    waiting = [tree]
    while waiting:
        folder = waiting.pop()
        yield path_of(folder)
        subdirs = ffi.cast(_LIST, ffi.cast(_WORDS, folder)[_SUBDIRS])
        item = C.zlist_first(subdirs)
        while item:
            waiting.append(ffi.cast(DIR, item))
            item = C.zlist_next(subdirs)


# ---------------------------------------------------------------- differences


def differences(older: CData | None, newer: CData | None, alias: bytes) -> list[DirPatch]:
    """Return what became of the files from one look at a tree to the next, as patches sorted by the files' names.

    C compares the files in an order that is not that of their names where there are folders, and then takes files for
    deleted that are still there.
    """
    old, new = _sorted(older), _sorted(newer)
    patches = []
    while old or new:
        before = old[-1] if old and (not new or old[-1][0] <= new[-1][0]) else None
        after = new[-1] if new and (not old or new[-1][0] <= old[-1][0]) else None
        if before:
            old.pop()
        if after:
            new.pop()
            if _is_news(before and before[1], after[1]):
                patches.append(_files.patch(path_of(newer), after[1], C.ZDIR_PATCH_CREATE, alias))  # type: ignore[arg-type]
        elif before and C.zfile_is_stable(before[1]):
            patches.append(_files.patch(path_of(older), before[1], C.ZDIR_PATCH_DELETE, alias))  # type: ignore[arg-type]
    return patches


def _sorted(tree: CData | None) -> list[tuple[bytes, CData]]:
    """Return the files of a tree with their names, the first at the end."""
    files = [] if tree is None else [(_files.name(file), file) for file in files_of(tree)]
    return sorted(files, key=lambda named: named[0], reverse=True)


def _is_news(before: CData | None, after: CData) -> bool:
    """Tell whether a file that is there is worth a patch: once it is stable, if it is new or another than it was."""
    if not C.zfile_is_stable(after):
        return False
    if before is None or not C.zfile_is_stable(before):
        return True
    return (C.zfile_modified(before), C.zfile_cursize(before)) != (C.zfile_modified(after), C.zfile_cursize(after))
