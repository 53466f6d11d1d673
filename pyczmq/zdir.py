"""zdir: a folder with all that is below it, as it was at one moment; two such moments can be compared.

    >>> import os, tempfile
    >>> from pyczmq import zdir, zdir_patch, zfile
    >>> folder = tempfile.mkdtemp()
    >>> before = zdir.new(folder)
    >>> for name in ("a", "b/c"):
    ...     file = zfile.new(folder, name)
    ...     zfile.output(file), zfile.write(file, name)
    ...     zfile.close(file)
    ...     os.utime(zfile.filename(file), (0, 10**9))
    (0, 0)
    (0, 0)
    >>> after = zdir.new(folder)
    >>> zdir.count(after), zdir.cursize(after), zdir.modified(after)
    (2, 4, 1000000000)
    >>> [zfile.filename(file, folder) for file in zdir.list(after)]
    ['a', 'b/c']
    >>> [(zdir_patch.op(patch), zdir_patch.vpath(patch)) for patch in zdir.diff(before, after, "copy")]
    [(1, 'copy/a'), (1, 'copy/b/c')]
    >>> zdir.remove(after, True)
    >>> os.path.exists(folder)
    False

What begins with a dot is hidden: it is passed over, and so is what cannot be read, what has a path of more than 1023
bytes, and a symbolic link that leads back to a folder above itself. Symbolic links to other folders are followed, also
by `remove`. The garbage collector owns folders and patches, which stay usable in a forked child; the files of a folder
are lent, and keep it alive.

`watch` is an actor that reports what changes:

    actor = zactor.new(zdir.watch)
    zdir.subscribe(actor, "incoming")
    path, patches = zdir.recv(actor)
"""

from __future__ import annotations

import os

from . import _actors, _commands, _files, _handles, _stdout, _streams, _text, _trees, _watching
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from builtins import list as _list
    from typing import Any

    from ._files import Filename
    from ._types import Actor, CData, Dir, DirPatch, File, Sock, Text

_DIR = _trees.DIR
_STREAM = ffi.typeof("FILE *")
_FILES = ffi.typeof("zfile_t **")
_ALONE = b"-"


def new(path: Filename, parent: Filename | None = None) -> Dir | None:
    """Return a new look at the folder *path*, below the folder *parent* if that is given; None if it cannot be read.

    With ``"-"`` for a parent it is the folder alone, without those below it. Raises ValueError where there is a link
    (``.ln``) over which CZMQ would go wrong, such as a pipe of that name.

    C: ``zdir_t *zdir_new (const char *path, const char *parent)``
    """
    name = _text.path(path, "path")
    above = None if parent is None else _text.path(parent, "parent")
    if above is not None and above != _ALONE:
        name = above + b"/" + name
    if not name:
        raise ValueError("path is empty")
    if above == _ALONE:
        try:
            _trees.look(name)
        except OSError:
            return None
        pointer = C.zdir_new(name, _ALONE)
    else:
        pointer = _trees.load(name)  # type: ignore[assignment]
    return _handles.own(pointer, _trees.free, fork_safe=True) if pointer else None


def destroy(dir: Dir | None) -> None:
    """Destroy a folder object now, and its file objects; None is let through. What is on the disk stays.

    C: ``void zdir_destroy (zdir_t **self_p)``
    """
    if dir is not None:
        _files.take_back(_live(dir), "was destroyed with its folder")
    _handles.destroy(dir, _DIR, _trees.free, "dir")


def path(dir: Dir) -> str:
    """Return the folder's path, without slashes at its end.

    C: ``const char *zdir_path (zdir_t *self)``
    """
    return _text.decode(_trees.path_of(_live(dir)))


def modified(dir: Dir) -> int:
    """Return when the file that was modified last was modified, in seconds since 1970; 0 if there are no files.

    C: ``time_t zdir_modified (zdir_t *self)``
    """
    return C.zdir_modified(_live(dir))


def cursize(dir: Dir) -> int:
    """Return the sizes of all the files, in bytes, taken together.

    C: ``off_t zdir_cursize (zdir_t *self)``
    """
    return C.zdir_cursize(_live(dir))


def count(dir: Dir) -> int:
    """Return the number of files.

    C: ``size_t zdir_count (zdir_t *self)``
    """
    return C.zdir_count(_live(dir))


def list(dir: Dir) -> _list[File]:
    """Return the files: of each folder first its own, sorted by name, and then those of the folders below it.

    They belong to the folder, which they keep alive, and are refused once it is destroyed, or has removed them.

    C: ``zlist_t *zdir_list (zdir_t *self)``
    """
    return [_files.lend(dir, file) for file in _trees.files_of(_live(dir))]


def remove(dir: Dir, force: bool) -> None:
    """Delete the folder if it is empty; with *force* delete first all the files and folders that it knows of.

    What is hidden, or came later, stays, and so do the folders that it is in. Raises ValueError if there is a ``%`` in
    the name of one of the folders, which CZMQ would take for a format.

    C: ``void zdir_remove (zdir_t *self, bool force)``
    """
    for folder in _trees.folders_of(_live(dir)) if force else [_trees.path_of(_live(dir))]:
        if b"%" in folder:
            raise ValueError(f"dir has a folder with a % in its name: {os.fsdecode(folder)!r}")
    if force:
        _files.take_back(dir, "was removed with its folder")
    C.zdir_remove(dir, bool(force))


def diff(older: Dir | None, newer: Dir | None, alias: Text | None = None) -> _list[DirPatch]:
    """Return what became of the files from one look to the other, as patches, sorted by the files' names.

    A file that is new, or has another size or age, is a patch that creates it; one that is gone is a patch that deletes
    it. Files that are not stable yet are left for later (`zfile.is_stable`). None stands for a folder with nothing in
    it. The patches' virtual paths begin with *alias* in place of the folder's path.

    C: ``zlist_t *zdir_diff (zdir_t *older, zdir_t *newer, const char *alias)``
    """
    for handle, name in ((older, "older"), (newer, "newer")):
        if handle is not None:
            _handles.live(handle, _DIR, name)
    return _trees.differences(older, newer, _alias(alias))


def resync(dir: Dir, alias: Text | None = None) -> _list[DirPatch]:
    """Return all the files as patches that create them; see `diff`.

    C: ``zlist_t *zdir_resync (zdir_t *self, const char *alias)``
    """
    return _watching.take_patches(C.zdir_resync(_live(dir), _alias(alias)))


def cache(dir: Dir) -> dict[str, str]:
    """Return the SHA-1 digests of the files, by their paths from the folder on, and save them in its file ``.cache``.

    A file that is in ``.cache`` already is not read again, even if it has changed or is gone. Files that cannot be read
    are left out, and so is, from ``.cache``, a name with a line end in it.

    C: ``zhash_t *zdir_cache (zdir_t *self)``
    """
    # C's own crashes over a file that it cannot read, and loses names with an = in them.
    top = _trees.path_of(_live(dir))
    store = top + b"/.cache"
    digests = _load_cache(store)
    for file in list(dir):
        name = ffi.string(C.zfile_filename(file, top))
        if name not in digests:
            try:
                found = _files.digest(file)
            except ValueError:
                found = None
            if found is not None:
                digests[name] = found.encode()
    lines = [b"%s=%s\n" % item for item in digests.items() if b"\n" not in item[0]]
    try:
        _files.check_name(store)
        with open(store, "wb") as saved:
            saved.writelines(lines)
    except (OSError, ValueError):
        pass
    return {_text.decode(name): _text.decode(digest) for name, digest in digests.items()}


def _load_cache(store: bytes) -> dict[bytes, bytes]:
    """Return what is in a file of digests: lines with a name, =, and a digest."""
    digests = {}
    try:
        _files.check_name(store)
        with open(store, "rb") as saved:
            for line in saved:
                name, equals, digest = line.rstrip(b"\n").rpartition(b"=")
                if equals and name and not name.startswith(b"#"):
                    digests[name] = digest
    except (OSError, ValueError):
        pass
    return digests


def fprint(dir: Dir, file: Any, indent: int = 0) -> None:
    """Write the names of the files, one a line, to a Python file, text or binary, or to a ``FILE *``.

    Nothing is indented: C does not look at *indent*.

    C: ``void zdir_fprint (zdir_t *self, FILE *file, int indent)``
    """
    _live(dir)
    spaces = integer(indent, "indent")
    if isinstance(file, ffi.CData):
        C.zdir_fprint(dir, _handles.live(file, _STREAM, "file"), spaces)
    else:
        _streams.write_text(file, _listing(dir))


def print(dir: Dir, indent: int = 0) -> None:
    """Write the names of the files, one a line, to Python's standard output; see `fprint`.

    C: ``void zdir_print (zdir_t *self, int indent)``
    """
    _live(dir)
    integer(indent, "indent")
    _stdout.write(_listing(dir))


def _listing(dir: Dir) -> bytes:
    return b"".join([_files.name(file) + b"\n" for file in _trees.files_of(dir)])


def watch(pipe: Sock, unused: object = None) -> None:
    """Be an actor that watches folders: ``zactor.new(zdir.watch)``.

    The functions from `subscribe` to `recv` drive it. It looks at its folders every 250 milliseconds, and reports what
    `diff` finds. It is Python's: C's own (``C.zdir_watch``, which `zactor.new` takes, too) ends the process if somebody
    deletes a folder below one that it is looking at, or makes one that it cannot read. It answers each command by a
    signal, and reports as C does: a path, and a ``zlist_t *`` of patches, which belong to whoever receives them.

    C: ``void zdir_watch (zsock_t *pipe, void *unused)``
    """
    _handles.socket(pipe, "pipe")
    if ffi.typeof(pipe) is not ffi.typeof("zsock_t *"):
        raise TypeError("pipe must be a zsock_t *, the pipe of an actor: zactor.new(zdir.watch)")
    _watching.run(pipe)


def subscribe(actor: Actor, path: Filename) -> int:
    """Have a `watch` actor watch a folder; return 0, or 1 if that cannot be read, or is being watched already.

    What `subscribe` and the other commands find before their answer waits for `recv`, where a poller does not see it.
    """
    return _watching.ask(actor, b"SUBSCRIBE", _nonempty(path))


def unsubscribe(actor: Actor, path: Filename) -> int:
    """Have a `watch` actor stop watching a folder, named as it was before; return 0."""
    return _watching.ask(actor, b"UNSUBSCRIBE", _nonempty(path))


def set_timeout(actor: Actor, timeout: int) -> int:
    """Have a `watch` actor look at its folders every *timeout* milliseconds, 1 or more; return 0."""
    return _watching.ask(actor, b"TIMEOUT", b"%d" % integer(timeout, "timeout", 1))


def set_verbose(actor: Actor) -> int:
    """Have a `watch` actor log what it does; return 0."""
    return _watching.ask(actor, b"VERBOSE")


def recv(actor: Actor, timeout: int | None = None) -> tuple[str, _list[DirPatch]] | None:
    """Return what a `watch` actor reports next: a folder's path, and the patches; None if *timeout* has passed.

    *timeout* is in milliseconds, -1 waits for ever; None stands for the actor's RCVTIMEO, which is for ever if nobody
    has set it. Ctrl-C raises KeyboardInterrupt.
    """
    return _watching.receive(actor, None if timeout is None else integer(timeout, "timeout", -1))


def _nonempty(path: Filename) -> bytes:
    name = _text.path(path, "path")
    if not name:
        raise ValueError("path is empty")
    return name


def _vet(state: _actors.State, *words: bytes) -> _commands.Vetted:
    """Vet a command for C's own `watch` that was typed by hand; it bears words that it does not know, and none."""
    if words[0] in (b"SUBSCRIBE", b"UNSUBSCRIBE") and len(words) > 1:
        _nonempty(words[1])
    elif words[0] == b"TIMEOUT" and len(words) > 1:
        _commands.number(words[1], "timeout", 1)
    return [*words], None


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process, 16 seconds long; RuntimeError if it fails.

    C: ``void zdir_test (bool verbose)``
    """
    from ._selftest import run

    run("zdir_test", verbose)


def flatten(dir: Dir | None) -> _list[File]:
    """Return the files as `list` does; none for None.

    C: ``zfile_t **zdir_flatten (zdir_t *self)``
    """
    return [] if dir is None else list(dir)


def flatten_free(files: CData | _list[File] | None) -> None:
    """Free the array that a raw call, ``C.zdir_flatten``, has returned; once, and not the files themselves.

    What `flatten` returns needs no freeing: lists and None are let through.

    C: ``void zdir_flatten_free (zfile_t ***files_p)``
    """
    from builtins import list as _list

    if files is not None and not isinstance(files, _list):
        _handles.destroy(files, _FILES, _free_array, "files")


def _free_array(pointer: CData) -> None:
    C.zdir_flatten_free(ffi.new("zfile_t ***", pointer))


def _alias(alias: Text | None) -> bytes:
    return b"" if alias is None else _text.cstring(alias, "alias")


def _live(dir: Dir) -> Dir:
    return _handles.live(dir, _DIR, "dir")


# ---------------------------------------------------------------- CZMQ 2


def dump(dir: Dir, indent: int = 0) -> None:
    """Write the names of the files to Python's standard output: the old name of `print`.

    C: ``void zdir_dump (zdir_t *self, int indent)``
    """
    print(dir, indent)


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zdir")
