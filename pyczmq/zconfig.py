"""zconfig: configuration trees, in memory and in files, written in ZPL (rfc.zeromq.org/spec:4).

A tree has a root, whose name does not matter, and named items below it, each with a value or items of its own, or both.
A path such as ``/server/port`` names an item; its first slash may be left out.

    >>> from pyczmq import zconfig
    >>> config = zconfig.new("root")
    >>> zconfig.put(config, "server/port", "5555")
    >>> zconfig.put(config, "server/verbose", "true")
    >>> zconfig.set_comment(config, " An example")
    >>> zconfig.get(config, "/server/port"), zconfig.get(config, "/server/host", "localhost")
    ('5555', 'localhost')
    >>> [zconfig.name(item) for item in zconfig.children(zconfig.locate(config, "server"))]
    ['port', 'verbose']
    >>> zconfig.print(config)
    # An example
    <BLANKLINE>
    server
        port = "5555"
        verbose = "true"

The garbage collector owns a root. The items below it belong to it: a handle of one keeps the whole tree alive, and is
refused once the root was destroyed or reloaded. A tree has 10000 items at most: CZMQ becomes slow with more. Trees
belong to one thread at a time.

A file has an item a line, indented by four spaces a level, with its value behind ``=``, in quotes if need be, and
comments behind ``#``. Reading one keeps the comments that have a line of their own, with no indentation, all of them as
the root's. Names consist of ASCII letters, digits and ``$-_@.&+/`` with no slash at either end, and a value can have
neither a double quote nor a line feed in it: a tree with any other can be used, but not be saved (ValueError).
"""

from __future__ import annotations

import errno
import os

from . import _config, _handles, _stdout, _streams, _text
from ._cffi import C, ffi
from ._config import lend as _lend
from ._config import live as _live
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike
    from typing import Any, Optional, Union

    from ._types import Buffer, CData, Chunk, Config, Text

    Filename = Union[str, bytes, PathLike[str], PathLike[bytes]]
    Handler = Union[Callable[[Config, Any, int], Optional[int]], CData]

_CONFIG = _config.CONFIG
_CHUNK = ffi.typeof("zchunk_t *")
_HANDLER = ffi.typeof("zconfig_fct *")
_NULL = ffi.NULL
_STDOUT = b"-"
_free_chunk = _handles.freer(C.zchunk_destroy, "zchunk_t *")


def new(name: Text | None, parent: Config | None = None) -> Config:
    """Return a new item: a root of its own, or the last one below *parent*, to which it belongs.

    Only a root can do without a name.

    C: ``zconfig_t *zconfig_new (const char *name, zconfig_t *parent)``
    """
    if parent is None:
        root = _config.own(C.zconfig_new(_text.optional(name, "name"), _NULL))
        assert root is not None
        return root
    _live(parent, "parent")
    text = _item_name(name)
    _config.grow(parent, 1)
    return _lend(parent, C.zconfig_new(text, parent))  # type: ignore[return-value]


def _item_name(name: Text | None) -> bytes:
    if name is None:
        raise ValueError("name must not be None: only a root can do without one")
    return _text.cstring(name, "name")


def load(filename: Filename) -> Config | None:
    """Return the tree in a file; None if there is no such file, it cannot be read, or it is not sound.

    What is wrong in it is said on C's standard output, though not what is there instead: it may be a secret. A name
    with ``.ln`` at its end is that of a symbolic link of CZMQ's own: a text file with another file's name in it.

    C: ``zconfig_t *zconfig_load (const char *filename)``
    """
    path = _text.path(filename)
    return _config.own(C.zconfig_load(path)) if _config.readable(path) else None


def loadf(format: Text, *args: Any) -> Config | None:
    """Return the tree in a file, as `load` does, whose name is a printf format filled in with *args*.

    C: ``zconfig_t *zconfig_loadf (const char *format, ...)``
    """
    return load(_text.cstring(_text.sprintf(format, *args), "filename"))


def destroy(config: Config | None) -> None:
    """Destroy a tree now, given its root; None is let through. Its file stays.

    An item below the root belongs to the tree: a ValueError; see `remove`.

    C: ``void zconfig_destroy (zconfig_t **self_p)``
    """
    if config is not None:
        if _config.inside(_live(config)):
            raise ValueError("config is an item in a tree, which owns it")
        _handles.destroy(config, _CONFIG, _config.free, "config")


def name(config: Config) -> str | None:
    """Return an item's name.

    C: ``char *zconfig_name (zconfig_t *self)``
    """
    return _text.string(C.zconfig_name(_live(config)))


def value(config: Config) -> str | None:
    """Return an item's value, or None; an item that was read from a file and has none there has an empty one.

    C: ``char *zconfig_value (zconfig_t *self)``
    """
    return _text.string(C.zconfig_value(_live(config)))


def put(config: Config, path: Text, value: Text | None) -> None:
    """Set the value of the item at *path* below *config*; it is made, and those above it, if it is not there.

    Raises ValueError for a path with an empty part, such as ``a//b``; only its first character may be a slash.

    C: ``void zconfig_put (zconfig_t *self, const char *path, const char *value)``
    """
    _live(config)
    text = _text.cstring(path, "path")
    content = _config.value(value)
    parts = (text[1:] if text.startswith(b"/") else text).split(b"/")
    if b"" in parts:
        raise ValueError(f"path must not have an empty part, as {_text.decode(text)!r} has")
    item: Any = config
    for number, part in enumerate(parts):
        below = C.zconfig_locate(item, part)
        if not below:
            _config.grow(config, len(parts) - number)
            for missing in parts[number:]:
                item = C.zconfig_new(missing, item)
            break
        item = below
    _set_value(item, content)


def putf(config: Config, path: Text, format: Text, *args: Any) -> None:
    """Set a value, as `put` does, that is a printf format filled in with *args*.

    C: ``void zconfig_putf (zconfig_t *self, const char *path, const char *format, ...)``
    """
    _live(config)
    put(config, path, _text.cstring(_text.sprintf(format, *args), "value"))


def get(config: Config, path: Text, default_value: Text | None = None) -> str | None:
    """Return the value of the item at *path* below *config*, or *default_value* if there is no such item.

    C: ``char *zconfig_get (zconfig_t *self, const char *path, const char *default_value)``
    """
    default = None if default_value is None else _text.decode(_text.cstring(default_value, "default_value"))
    item = C.zconfig_locate(_live(config), _text.cstring(path, "path"))
    return _text.string(C.zconfig_value(item)) if item else default


def set_name(config: Config, name: Text | None) -> None:
    """Set an item's name; only a root can do without one.

    C: ``void zconfig_set_name (zconfig_t *self, const char *name)``
    """
    C.zconfig_set_name(_live(config), _item_name(name) if _config.inside(config) else _text.optional(name, "name"))


def set_value(config: Config, value: Text | None) -> None:
    """Set an item's value, which is never a format; None for no value.

    C: ``void zconfig_set_value (zconfig_t *self, const char *format, ...)``
    """
    _set_value(_live(config), _config.value(value))


def _set_value(item: Config, content: CData | None) -> None:
    if content is None:
        C.zconfig_set_value(item, _NULL)
    else:
        C.zconfig_set_value(item, b"%s", content)


def child(config: Config) -> Config | None:
    """Return the first item below *config*, or None.

    C: ``zconfig_t *zconfig_child (zconfig_t *self)``
    """
    return _lend(config, C.zconfig_child(_live(config)))


def next(config: Config) -> Config | None:
    """Return the item that follows *config* on the same level, or None.

    C: ``zconfig_t *zconfig_next (zconfig_t *self)``
    """
    return _lend(config, C.zconfig_next(_live(config)))


def locate(config: Config, path: Text) -> Config | None:
    """Return the item at *path* below *config*, or None; of several with the same name, the first.

    C: ``zconfig_t *zconfig_locate (zconfig_t *self, const char *path)``
    """
    return _lend(config, C.zconfig_locate(_live(config), _text.cstring(path, "path")))


def at_depth(config: Config, level: int) -> Config | None:
    """Return the last item *level* levels below *config*, going by the last item of each level; None if there is none.

    C: ``zconfig_t *zconfig_at_depth (zconfig_t *self, int level)``
    """
    return _lend(config, C.zconfig_at_depth(_live(config), integer(level, "level", 0)))


def execute(config: Config, handler: Handler, arg: Any = None) -> int:
    """Call ``handler(item, arg, level)`` for *config*, at level 0, and all items below it; return 0, or -1.

    The handler returns None or 0 to go on, -1 to end the walk, which makes this return -1. Its exception comes out of
    here. It may change the tree; but when it destroys the tree or removes an item that the walk stands on, this raises
    ValueError. A callback made with ``ffi.callback`` is a handler too, with a cffi pointer or ``ffi.new_handle(arg)``
    as its argument. See `walk` for the same as an iterator.

    C: ``int zconfig_execute (zconfig_t *self, zconfig_fct handler, void *arg)``
    """
    _live(config)
    if isinstance(handler, ffi.CData):
        _handles.live(handler, _HANDLER, "handler")
        if not isinstance(arg, ffi.CData):
            arg = _NULL if arg is None else ffi.new_handle(arg)
    elif not callable(handler):
        raise TypeError(f"handler must be callable, not {type(handler).__name__}")
    for item, level in _config.walk(config):
        result = handler(item, arg, level)
        if result is not None and not isinstance(result, int):
            raise TypeError(f"a handler must return None or an int, not {type(result).__name__}")
        if result == -1:
            return -1
    return 0


def set_comment(config: Config, comment: Text | None) -> None:
    """Add a comment, one line, to an item, before it is saved; it is never a format. None deletes all its comments.

    C: ``void zconfig_set_comment (zconfig_t *self, const char *format, ...)``
    """
    _live(config)
    line = _config.comment(comment)
    if line is None:
        C.zconfig_set_comment(config, _NULL)
    else:
        C.zconfig_set_comment(config, b"%s", line)


def comments(config: Config) -> list[str]:
    """Return an item's comments, a line each, without the ``#``.

    C: ``zlist_t *zconfig_comments (zconfig_t *self)``
    """
    return [_text.decode(line) for line in _config.comments(_live(config)) or ()]


def save(config: Config, filename: Filename) -> int:
    """Save an item's comments and all that is below it to a file; return 0, or -1 with errno set if that fails.

    A file is written whole or not at all, through a rename: should anything go wrong, what was there before stays. It
    keeps its mode; a new one gets what the umask leaves. Devices and pipes are written to as they are.

    The name ``-`` stands for Python's standard output. Raises ValueError, and leaves the file as it is, for what would
    not be read back as it is now.

    C: ``int zconfig_save (zconfig_t *self, const char *filename)``
    """
    _live(config)
    path = _text.path(filename)
    content = _config.dump(config, True)
    if path == _STDOUT:
        _stdout.write(content)
        return 0
    if not os.path.isfile(path) and os.path.exists(path) and not os.path.isdir(path):
        return C.zconfig_save(config, path)
    try:
        _streams.replace(path, content, None)
    except OSError as error:
        ffi.errno = error.errno or errno.EIO
        return -1
    _config.note_saved(config, path)
    return 0


def savef(config: Config, format: Text, *args: Any) -> int:
    """Save to a file, as `save` does, whose name is a printf format filled in with *args*.

    C: ``int zconfig_savef (zconfig_t *self, const char *format, ...)``
    """
    _live(config)
    return save(config, _text.cstring(_text.sprintf(format, *args), "filename"))


def filename(config: Config) -> str | None:
    """Return the name of the file that a root was loaded from, or None.

    C: ``const char *zconfig_filename (zconfig_t *self)``
    """
    return _text.string(C.zconfig_filename(_live(config)))


def reload(config: Config) -> Config | None:
    """Load a tree again from its file, given its root, and return the new root; the old one is gone then.

    Returns None, and leaves the tree as it is, if it was not loaded from a file, or `load` would return None now. So
    this keeps what there is: ``config = zconfig.reload(config) or config``. All handles for items of the old tree are
    refused afterwards.

    C: ``int zconfig_reload (zconfig_t **self_p)``
    """
    path = C.zconfig_filename(_live(config))
    if not path or not _config.readable(ffi.string(path)):
        return None
    reference = ffi.new("zconfig_t **", config)
    if C.zconfig_reload(reference) != 0:
        return None
    _handles.disown(config, "was reloaded")
    return _config.own(reference[0])


def chunk_load(chunk: Chunk | Buffer) -> Config | None:
    """Return the tree in a chunk, or in anything with the buffer protocol; None if it is not sound.

    C: ``zconfig_t *zconfig_chunk_load (zchunk_t *chunk)``
    """
    if isinstance(chunk, ffi.CData) and ffi.typeof(chunk).kind == "pointer":
        _handles.live(chunk, _CHUNK, "chunk")
        content = ffi.buffer(C.zchunk_data(chunk), C.zchunk_size(chunk))[:]
        return _config.own(C.zconfig_chunk_load(chunk)) if _config.check(content, "chunk") else None
    data = _text.data(chunk, "chunk")  # type: ignore[arg-type]
    content = data if isinstance(data, bytes) else ffi.buffer(data)[:]
    return _config.own(_config.parse(content, "chunk") or _NULL)


def chunk_save(config: Config) -> Chunk:
    """Return an item's comments and all that is below it as a chunk, which the garbage collector owns; see `save`.

    A NUL byte, which does not count, follows the chunk's data.

    C: ``zchunk_t *zconfig_chunk_save (zconfig_t *self)``
    """
    content = _config.dump(_live(config), True)
    chunk = C.zchunk_new(content + b"\0", len(content) + 1)
    if not chunk:
        raise MemoryError("no memory for a chunk")
    C.zchunk_set(chunk, _NULL, len(content))
    return _handles.own(chunk, _free_chunk, fork_safe=True)  # type: ignore[return-value]


def str_load(string: Text) -> Config | None:
    """Return the tree in a text; None if it is not sound.

    C: ``zconfig_t *zconfig_str_load (const char *string)``
    """
    return _config.own(_config.parse(_text.cstring(string), "string") or _NULL)


def str_save(config: Config) -> str:
    """Return an item's comments and all that is below it as text; see `save`.

    C: ``char *zconfig_str_save (zconfig_t *self)``
    """
    return _text.decode(_config.dump(_live(config), True))


def has_changed(config: Config) -> bool:
    """Tell whether the file that a root was loaded from has another time or size since; C takes whole seconds.

    C: ``bool zconfig_has_changed (zconfig_t *self)``
    """
    return _config.has_changed(_live(config))


def fprint(config: Config, file: Any) -> None:
    """Write an item's comments and all that is below it to a Python file, text or binary, whatever it contains.

    C: ``void zconfig_fprint (zconfig_t *self, FILE *file)``
    """
    _streams.write_text(file, _config.dump(_live(config), False))


def print(config: Config) -> None:
    """Write an item's comments and all that is below it to Python's standard output.

    C: ``void zconfig_print (zconfig_t *self)``
    """
    _stdout.write(_config.dump(_live(config), False))


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zconfig_test (bool verbose)``
    """
    from ._selftest import run

    run("zconfig_test", verbose)


# ---------------------------------------------------------------- draft


def dup(config: Config) -> Config:
    """Return a copy of an item and of all that is below it, as a tree of its own, whose root is named "root".

    What could not be saved is a ValueError, as with `save`. Only libraries built with drafts have this.

    C: ``zconfig_t *zconfig_dup (zconfig_t *self)``
    """
    _config.dump(_live(config), True)
    copy = _config.own(C.zconfig_dup(config))
    if copy is None:
        raise MemoryError("no memory for a copy")
    return copy


def remove_subtree(config: Config) -> None:
    """Destroy all items below *config*. Only libraries built with drafts have this.

    C: ``void zconfig_remove_subtree (zconfig_t *self)``
    """
    _live(config)
    remove = C.zconfig_remove_subtree
    _config.retire(config, "was removed", itself=False)
    remove(config)


def remove(config: Config | None) -> None:
    """Destroy an item and all below it; a root with its whole tree. None is let through.

    Only libraries built with drafts have this.

    C: ``void zconfig_remove (zconfig_t **self_p)``
    """
    if config is None:
        return
    _live(config)
    remove = C.zconfig_remove
    if not _config.inside(config):
        destroy(config)
        return
    _config.retire(config, "was removed", itself=True)
    remove(ffi.new("zconfig_t **", config))


# ---------------------------------------------------------------- CZMQ 2


def dump(config: Config) -> None:
    """Write a tree to Python's standard output: the old name of `print`.

    C: ``void zconfig_dump (zconfig_t *self)``
    """
    print(config)


def resolve(config: Config, path: Text, default_value: Text | None = None) -> str | None:
    """Return the value at *path*: the old name of `get`.

    C: ``char *zconfig_resolve (zconfig_t *self, const char *path, const char *default_value)``
    """
    return get(config, path, default_value)


def set_path(config: Config, path: Text, value: Text | None) -> None:
    """Set the value at *path*: the old name of `put`.

    C: ``void zconfig_set_path (zconfig_t *self, const char *path, const char *value)``
    """
    put(config, path, value)


# ---------------------------------------------------------------- not in C


def children(config: Config) -> Iterator[Config]:
    """Yield the items right below *config*; not in C.

    The tree may change meanwhile; but when the item that was yielded last is removed, going on is a ValueError.
    """
    item = child(config)
    while item is not None:
        yield item
        item = next(item)


def walk(config: Config) -> Iterator[tuple[Config, int]]:
    """Yield *config*, with level 0, and all items below it, each with its level, in the order of a file; not in C.

    The tree may change meanwhile; but when the item that was yielded last, or one above it, is removed, going on is a
    ValueError.
    """
    return _config.walk(config)


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zconfig")
