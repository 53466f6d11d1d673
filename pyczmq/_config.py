"""Configuration trees behind `zconfig`: the handles of their items, and what a file of them can hold.

An item belongs to its tree. Its handle keeps the root alive, and is refused once the root or the item itself is gone.
C frees a tree by recursion, one level an item, and looks for the last sibling whenever it adds one: so there is a limit
to how many items a tree may have.
"""

from __future__ import annotations

import os
import re
import weakref

from . import _handles, _streams, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Optional

    from ._types import CData, Config

    #: The tree of a handle, and the root that it keeps alive; None for a root.
    Place = tuple["Tree", Optional[Config]]

#: Items that a tree may have, and bytes that are read.
MOST_ITEMS = 10_000
MOST_BYTES = 2**26

#: Bytes of a value from which on C's printf gives up.
_LONGEST = 2**31 - 1

CONFIG = ffi.typeof("zconfig_t *")
_NAME = re.compile(rb"[A-Za-z0-9$_@.&+-](?:[A-Za-z0-9$_@.&+/-]*[A-Za-z0-9$_@.&+-])?")
_NAME_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789$-_@.&+/"
_INDENT = 4
_LINK = b".ln"
_LONGEST_LINK = 255

free = _handles.freer(C.zconfig_destroy, "zconfig_t *")


class Tree:
    """What is known of one tree: how many items it has, once somebody counted, and the handles for them."""

    __slots__ = ("handles", "items")

    def __init__(self) -> None:
        self.items = 0
        self.handles: dict[int, weakref.ref[Any]] = {}


# ---------------------------------------------------------------- handles


def own(pointer: CData) -> Config | None:
    """Return a handle for the root of a tree that the garbage collector cares for; None for NULL."""
    return _handles.own(pointer, free, fork_safe=True)  # type: ignore[return-value]


def live(config: Config, name: str = "config") -> Config:
    """Return *config* if it is an item that is alive, else raise."""
    _handles.live(config, CONFIG, name)
    place = (_handles.find_companions(config) or {}).get(Tree)
    if place is not None and place[1] is not None:
        _handles.live(place[1], CONFIG, f"the root of {name}")
    return config


def _place(config: Config) -> Place:
    companions = _handles.companions(config)
    place: Place = companions.setdefault(Tree, (Tree(), None)) if Tree not in companions else companions[Tree]
    return place


def inside(config: Config) -> bool:
    """Tell whether an item is in a tree, which owns it; a root is not."""
    return _place(config)[1] is not None


def lend(config: Config, pointer: CData) -> Config | None:
    """Return the one handle for an item in the tree of *config*; None for NULL."""
    if not pointer:
        return None
    tree, root = _place(config)
    root = root or config
    if pointer == root:
        return root
    address = int(ffi.cast("uintptr_t", pointer))
    known = tree.handles.get(address)
    handle = None if known is None else known()
    if handle is None:
        handles = tree.handles

        def forget(reference: weakref.ref[Any]) -> None:
            if handles.get(address) is reference:
                del handles[address]

        handle = pointer
        handles[address] = weakref.ref(handle, forget)
        _handles.companions(handle)[Tree] = (tree, root)
    return handle  # type: ignore[return-value]


def retire(config: Config, what: str, itself: bool) -> None:
    """Refuse the handles of all items below *config*, which C is to free, and that of *itself*."""
    tree = _place(config)[0]
    for item, level in list(_traverse(config, _itself)):
        reference = tree.handles.get(int(ffi.cast("uintptr_t", item)))
        handle = None if reference is None else reference()
        if handle is not None and (level or itself):
            tree.handles.pop(int(ffi.cast("uintptr_t", item)), None)
            _handles.kill(handle, what)
    tree.items = 0


def grow(config: Config, count: int) -> None:
    """Note that *count* items are added to the tree of *config*; ValueError if there is no room for them."""
    tree, root = _place(config)
    if not tree.items:
        tree.items = sum(1 for _ in _traverse(root or config, _itself))
    if tree.items + count > MOST_ITEMS:
        raise ValueError(f"config has {tree.items} items, and CZMQ is not made for more than {MOST_ITEMS}")
    tree.items += count


# ---------------------------------------------------------------- walking


def _itself(pointer: Any) -> Any:
    return pointer


def walk(config: Config) -> Iterator[tuple[Config, int]]:
    """Yield an item and all below it, each with its level, in the order of a file."""
    return _traverse(live(config), lambda pointer: lend(config, pointer))


def _traverse(config: Config, take: Callable[[Any], Any]) -> Iterator[tuple[Any, int]]:
    item = config
    parents: list[Any] = []
    while True:
        yield item, len(parents)
        pointer = C.zconfig_child(live(item))
        if pointer:
            parents.append(item)
            item = take(pointer)
            continue
        while parents:
            pointer = C.zconfig_next(live(item))
            if pointer:
                item = take(pointer)
                break
            item = parents.pop()
        else:
            return


# ---------------------------------------------------------------- text


def value(text: str | bytes | None, name: str = "value") -> CData | None:
    """Return an item's new value for a printf of ``%s``; None for no value."""
    if text is None:
        return None
    content = _text.cstring(text, name)
    if len(content) >= _LONGEST:
        raise ValueError(f"{name} is too long")
    pointer: CData = ffi.new("char[]", content)
    return pointer


def comment(text: str | bytes | None) -> CData | None:
    """Return a comment for a printf of ``%s``: one line, or what follows would be no comment; None for none."""
    line = value(text, "comment")
    if line is not None and b"\n" in ffi.string(line):
        raise ValueError("comment must be one line: each has a call of its own")
    return line


def comments(config: Config) -> list[bytes] | None:
    """Return the comments of an item; None if it never had one."""
    found = C.zconfig_comments(config)
    if not found:
        return None
    lines = []
    line = C.zlist_first(found)
    while line:
        lines.append(ffi.string(ffi.cast("char *", line)))
        line = C.zlist_next(found)
    return lines


def _bytes(text: CData) -> bytes | None:
    return ffi.string(text) if text else None


def dump(config: Config, strict: bool) -> bytes:
    """Return what C writes for an item: its comments and all that is below it.

    If *strict*, ValueError for what a file cannot hold: as a whole it could not be read again, or with another meaning.
    """
    lines = []
    for item, level in _traverse(config, _itself):
        remarks = comments(item)
        if remarks is not None:
            if strict and any(b"\n" in remark for remark in remarks):
                raise ValueError("config has a comment with a line feed in it, which a file cannot hold")
            lines += [b"#" + remark for remark in remarks]
            lines.append(b"")
        if level:
            name, content = _bytes(C.zconfig_name(item)), _bytes(C.zconfig_value(item))
            if strict:
                _check(name, content)
            line = b" " * (_INDENT * (level - 1)) + (b"(Unnamed)" if name is None else name)
            lines.append(line if content is None else line + b' = "' + content + b'"')
    lines.append(b"")
    return b"\n".join(lines)


def _check(name: bytes | None, content: bytes | None) -> None:
    if name is None or not _NAME.fullmatch(name):
        shown = None if name is None else _text.decode(name)
        raise ValueError(
            f"config has an item named {shown!r}: in a file, names consist of ASCII letters, digits and $-_@.&+/ with "
            "no slash at either end"
        )
    if content is not None and (b'"' in content or b"\n" in content):
        raise ValueError(
            f"config has a value, that of {_text.decode(name)!r}, with a double quote or a line feed in it, which a "
            "file cannot hold"
        )


def check(content: bytes, name: str) -> bool:
    """Tell whether C may be let near a file's content; ValueError if it is too much."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"{name} has more than {MOST_BYTES} bytes")
    count = 0
    lines = content.split(b"\n")
    for line in lines:
        stripped = line.strip()
        count += bool(stripped) and not stripped.startswith(b"#")
    if count >= MOST_ITEMS:
        raise ValueError(f"{name} has {count} items, and CZMQ is not made for more than {MOST_ITEMS}")
    for number, line in enumerate(lines, 1):
        if is_quoted(line):
            C.zclock_log(b"E (zconfig): (%d) invalid syntax", ffi.cast("int", number))
            return False
    return b"\0" not in content


def is_quoted(line: bytes) -> bool:
    """Tell whether C quotes, on its standard output, what it does not understand in a line: it may be a secret.

    That is what follows a name with no value, or a value in quotes.
    """
    text = line.rstrip().lstrip(b" ")
    after = text.lstrip(_NAME_CHARACTERS)
    rest = after.lstrip()
    if rest.startswith(b"=") and after != text:
        rest = rest[1:].lstrip()
        mark = rest[:1]
        if mark not in (b'"', b"'"):
            return False
        _, closing, rest = rest[1:].partition(mark)
        rest = rest.lstrip() if closing else b""
    return bool(rest) and not rest.startswith(b"#")


def parse(content: bytes, name: str) -> CData | None:
    """Return the raw root of the tree in a file's content; None if that is not sound."""
    root = C.zconfig_str_load(content) if check(content, name) else None
    return root or None


def readable(path: bytes) -> bool:
    """Tell whether C will find a sound tree in a file; without that, C leaks some memory."""
    target = _behind(path)
    content = None if target is None else _content(target)
    root = None if content is None else parse(content, "filename")
    if root is None:
        return False
    free(root)
    return True


def _behind(path: bytes) -> bytes | None:
    """Return the file that C reads: for CZMQ's own symbolic links, another one; None if it must not be let near it."""
    if len(path) <= len(_LINK) or not path.endswith(_LINK) or not os.path.lexists(path):
        return path
    content = _content(path)
    if content is None:
        return None
    line = content[:_LONGEST_LINK].partition(b"\n")[0].partition(b"\0")[0]
    return line or (None if content else path)


def _content(path: bytes) -> bytes | None:
    """Return a regular file's content; None if there is none that can be read."""
    try:
        return _streams.read_regular(path, MOST_BYTES + 1)
    except ValueError:
        return None


# ---------------------------------------------------------------- changes

# Companion of a root: the time and the size of its file, once it was saved there.
_SAVED = "its file as it was saved"


def note_saved(config: Config, path: bytes) -> None:
    """Note that an item was saved: where that is the file that the tree is from, it is no change to it.

    C looks at a file again only when it has written that itself, and C would write over it.
    """
    if _bytes(C.zconfig_filename(config)) == path:
        _handles.companions(config)[_SAVED] = _stamp(path)


def has_changed(config: Config) -> bool:
    """Tell whether the file of a root has changed since it was loaded or saved."""
    saved = (_handles.find_companions(config) or {}).get(_SAVED)
    if saved is None:
        return bool(C.zconfig_has_changed(config))
    found = _stamp(_bytes(C.zconfig_filename(config)) or b"")
    return found is not None and found != saved


def _stamp(path: bytes) -> tuple[int, int] | None:
    """Return what C goes by: a file's time, in whole seconds, and its size; None if there is no file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return int(status.st_mtime), status.st_size
