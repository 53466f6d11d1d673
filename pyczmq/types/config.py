"""Config: a configuration tree, in memory and in files, written in ZPL (rfc.zeromq.org/spec:4)."""

from __future__ import annotations

import os
import weakref

from .. import _config, _handles, _text, zconfig, zmq
from ._base import Object, guarded
from ._filenames import unreadable, unwritten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, NoReturn, TypeVar, overload

    from typing_extensions import Self

    from .._types import Text
    from ._filenames import Filename

    Default = TypeVar("Default")

_new = Object.__new__


class Config(Object):
    """A configuration tree, or an item in one. An item has a name, and a value or items of its own below it, or both.

        >>> from pyczmq import Config
        >>> config = Config()
        >>> config["server/port"] = "5555"
        >>> config["server/verbose"] = "true"
        >>> config["server/port"], config.get("server/host", "localhost"), "server/host" in config
        ('5555', 'localhost', False)
        >>> [item.name for item in config.locate("server")]
        ['port', 'verbose']
        >>> print(config, end="")
        server
            port = "5555"
            verbose = "true"

    A path such as ``server/port`` names an item below this one, the first of that name; it may begin with a slash.
    Values are text. The iteration yields the items right below.

    An item belongs to its tree, and there is one object for each. It keeps the tree alive. Once the root is closed or
    reloaded, or the item removed, it is closed, too; to close it does nothing to the tree. A tree belongs to one thread
    at a time, with all its items.

    A tree has 10000 items at most. In a file, names consist of ASCII letters, digits and ``$-_@.&+/`` with no slash at
    either end, and values have neither a double quote nor a line feed: a tree with any other can be used, but not be
    saved (ValueError).
    """

    __slots__ = ("_root",)
    _noun = "config"

    #: The root that an item keeps alive; None for a root.
    _root: Config | None

    def __init__(self, name: Text = "root") -> None:
        """Make an empty tree; the root's name does not matter."""
        self._own(zconfig.new(name))

    def _own(self, handle: Any) -> None:
        """Begin as the root of a tree."""
        super().__init__(handle)
        self._root = None
        self._register()

    @classmethod
    def _of(cls, handle: Any) -> Self:
        """Return the root for a handle that nobody else uses."""
        config = _new(cls)
        config._own(handle)
        return config

    def _item(self, handle: Any) -> Self:
        """Return the one object for an item in this tree."""
        known = _handles.companions(handle).get(Config)
        item = None if known is None else known()
        if item is None or item._handle is not handle:
            item = _new(type(self))
            item._lock = self._lock
            item._handle = handle
            item._root = self._root or self
            item._register()
        return item

    def _register(self) -> None:
        """Become the object for the handle."""
        _handles.companions(self._handle)[Config] = weakref.ref(self)

    @property
    def handle(self) -> Any:
        """The ``zconfig_t *``, for the functions of the namespaces; an error once the object is closed."""
        if self.closed:
            raise self._closed_error()
        return self._handle

    @property
    def closed(self) -> bool:
        """Whether this was closed, or its tree was, or it was removed."""
        handle = self._handle
        if handle is None:
            return True
        try:
            _config.live(handle)
        except ValueError:
            return True
        return False

    def _destroy(self, handle: Any) -> None:
        if self._root is None:
            zconfig.destroy(handle)

    # ---------------------------------------------------------------- values

    @property
    @guarded
    def name(self) -> str:
        """The item's name."""
        return zconfig.name(self._handle) or ""

    @name.setter
    @guarded
    def name(self, name: Text) -> None:
        zconfig.set_name(self._handle, name)

    @property
    @guarded
    def value(self) -> str | None:
        """The item's value; None if it has none, though one that was read from a file has an empty one then."""
        return zconfig.value(self._handle)

    @value.setter
    @guarded
    def value(self, value: Text | None) -> None:
        zconfig.set_value(self._handle, value)

    @guarded
    def __getitem__(self, path: Text) -> str:
        """Return the value of the item at *path*, empty if it has none; KeyError if there is no such item."""
        return zconfig.value(self._find(path)) or ""

    @guarded
    def __setitem__(self, path: Text, value: Text | None) -> None:
        """Set the value of the item at *path*; it is made, and those above it, if it is not there."""
        zconfig.put(self._handle, path, value)

    @guarded
    def __delitem__(self, path: Text) -> None:
        """Remove the item at *path*, as `remove` does; KeyError if there is no such item."""
        zconfig.remove(self._find(path))

    def _find(self, path: Text) -> Any:
        found = zconfig.locate(self._handle, path)
        if found is None:
            raise KeyError(_text.decode(_text.encode(path)))
        return found

    @guarded
    def __contains__(self, path: object) -> bool:
        """Tell whether there is an item at *path*."""
        return zconfig.locate(self._handle, path) is not None  # type: ignore[arg-type]

    if TYPE_CHECKING:

        @overload
        def get(self, path: Text) -> str | None: ...

        @overload
        def get(self, path: Text, default: Default) -> str | Default: ...

    def get(self, path: Text, default: Any = None) -> Any:
        """Return the value of the item at *path*, empty if it has none; *default* if there is no such item."""
        try:
            return self[path]
        except KeyError:
            return default

    # ---------------------------------------------------------------- items

    @property
    @guarded
    def children(self) -> list[Self]:
        """The items right below this one, as they are now."""
        return [self._item(handle) for handle in zconfig.children(self._handle)]

    def __iter__(self) -> Iterator[Self]:
        return iter(self.children)

    @guarded
    def walk(self) -> list[tuple[Self, int]]:
        """Return this item, with level 0, and all below it, each with its level, in the order of a file."""
        return [(self._item(handle), level) for handle, level in zconfig.walk(self._handle)]

    @guarded
    def locate(self, path: Text) -> Self | None:
        """Return the item at *path*, or None."""
        handle = zconfig.locate(self._handle, path)
        return None if handle is None else self._item(handle)

    @guarded
    def at_depth(self, level: int) -> Self | None:
        """Return the last item *level* levels below this one, going by the last item of each level, or None."""
        handle = zconfig.at_depth(self._handle, level)
        return None if handle is None else self._item(handle)

    @guarded
    def add(self, name: Text, value: Text | None = None) -> Self:
        """Add an item as the last one right below this one, whether there is one of that name or not, and return it."""
        parent = _config.live(self._handle)
        # What is wrong with the value must show before the item is there.
        _config.value(value)
        handle = zconfig.new(name, parent)
        zconfig.set_value(handle, value)
        return self._item(handle)

    @guarded
    def remove(self) -> None:
        """Remove the item, and all below it, from the tree; ValueError for a root.

        Only libraries built with drafts can do this and `clear`; with any other, both are an AttributeError.
        """
        if self._root is None:
            raise ValueError("a root cannot be removed: close it")
        zconfig.remove(self._handle)

    @guarded
    def clear(self) -> None:
        """Remove all items below this one; see `remove`."""
        zconfig.remove_subtree(self._handle)

    @guarded
    def dup(self) -> Self:
        """Return a copy of the item, and of all below it, as a tree of its own."""
        copies: list[Any] = []
        for item, level in zconfig.walk(self._handle):
            del copies[level:]
            copy = zconfig.new(zconfig.name(item), copies[-1] if copies else None)
            zconfig.set_value(copy, zconfig.value(item))
            for line in zconfig.comments(item):
                zconfig.set_comment(copy, line)
            copies.append(copy)
        return self._of(copies[0])

    __copy__ = dup

    def __deepcopy__(self, memo: Any) -> Self:
        return self.dup()

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a config cannot be pickled: pickle what dumps returns")

    # ---------------------------------------------------------------- comments

    @property
    @guarded
    def comments(self) -> list[str]:
        """The item's comments, a line each, without the ``#``; set all of them, or `add_comment`."""
        return zconfig.comments(self._handle)

    @comments.setter
    @guarded
    def comments(self, lines: Iterable[Text]) -> None:
        if isinstance(lines, (str, bytes)):
            raise TypeError(f"comments must be a list of lines, not {type(lines).__name__}")
        checked = list(lines)
        for line in checked:
            _text.encode(line, "comment")
            _config.comment(line)
        zconfig.set_comment(self._handle, None)
        for line in checked:
            zconfig.set_comment(self._handle, line)

    @guarded
    def add_comment(self, line: Text) -> None:
        """Add a comment, one line, which is saved ahead of the item."""
        zconfig.set_comment(self._handle, _text.encode(line, "comment"))

    # ---------------------------------------------------------------- files

    @guarded
    def save(self, path: Filename) -> None:
        """Save the item's comments and all below it to a file; ``-`` stands for Python's standard output.

        The file is written whole or not at all, and keeps its mode; see `zconfig.save`.

        Raises OSError if that fails, and ValueError for what would not be read back as it is now.
        """
        name = _text.path(path, "path")
        if zconfig.save(self._handle, name) != 0:
            raise unwritten(zmq.errno(), name)

    @guarded
    def dumps(self) -> str:
        """Return the item's comments and all below it as text; see `save`."""
        return zconfig.str_save(self._handle)

    @guarded
    def __str__(self) -> str:
        """Return the same text as `dumps`, also where it could not be read back."""
        return _text.decode(_config.dump(_config.live(self._handle), False))

    @classmethod
    def load(cls, path: Filename) -> Self:
        """Return the tree in a file.

        Comments that have a line of their own, with no indentation, are kept, all of them as the root's. Raises OSError
        for what cannot be read, such as FileNotFoundError, and ValueError for what is not sound; what is wrong with it,
        C says on its standard output.
        """
        name = _text.path(path, "path")
        handle = zconfig.load(name)
        if handle is None:
            raise _not_loaded(name)
        return cls._of(handle)

    @classmethod
    def loads(cls, text: Text) -> Self:
        """Return the tree in a text; ValueError if it is not sound."""
        handle = zconfig.str_load(text)
        if handle is None:
            raise ValueError("string is not a sound configuration")
        return cls._of(handle)

    @property
    @guarded
    def filename(self) -> str | None:
        """The name of the file that a root was loaded from, or None."""
        return zconfig.filename(self._handle)

    @guarded
    def has_changed(self) -> bool:
        """Tell whether the file that a root was loaded from has another time, in whole seconds, or size since."""
        return zconfig.has_changed(self._handle)

    @guarded
    def reload(self) -> None:
        """Load a tree again from its file, given its root; all items of before are closed, the root stays.

        Raises what `load` does, and leaves the tree as it is then; ValueError also for a tree that is not from a file.
        """
        name = zconfig.filename(self._handle)
        if self._root is not None:
            raise ValueError("an item cannot be reloaded, only the root of its tree")
        if name is None:
            raise ValueError("the config was not loaded from a file")
        handle = zconfig.reload(self._handle)
        if handle is None:
            raise _not_loaded(_text.encode(name))
        self._handle = handle
        self._register()

    def __repr__(self) -> str:
        # Without values: there may be secrets among them.
        kind = type(self).__name__
        if self.closed:
            return f"<{kind} closed>"
        try:
            name, filename, count = self.name, self.filename, len(self.children)
        except RuntimeError:
            return f"<{kind} in use in another thread>"
        source = "" if filename is None else f" from {filename!r}"
        return f"<{kind} {name!r}{source}: {count} item{'s' * (count != 1)}>"


def _not_loaded(filename: bytes) -> Exception:
    """Return the error for a file with no tree in it."""
    return unreadable(filename) or ValueError(f"{os.fsdecode(filename)!r} is not a sound configuration file")
