"""CZMQ's containers against Python's own: lists with cursors and handles, hashes, configuration trees."""

from __future__ import annotations

from collections import Counter
from functools import cmp_to_key
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple, precondition

from pyczmq import C, ffi, zconfig, zframe, zhash, zhashx, zlist, zlistx

from . import Call, Machine, Named, calls, initialize, made, refused, rule, same

#: Items: text that is equal whether str or bytes, other objects, and "handle", which stands for a zframe's.
ITEMS = st.sampled_from(["a", "b", "a%s", "", "\udcff", b"a", b"\xff", 7, (1, "x"), "handle"])
KEYS = st.sampled_from(["a", "b", "key", "", "\udcff", "%n", "k" * 300])

#: Whether the library has what only libraries with drafts have.
DRAFTS = hasattr(C, "zconfig_remove")

_UNKNOWN = object()


class Boom(Exception):
    """What comparators and the like raise here."""


def text(item: Any) -> bytes | None:
    if isinstance(item, str):
        return item.encode(errors="surrogateescape")
    return item if isinstance(item, bytes) else None


def equal(one: Any, other: Any) -> bool:
    """Tell whether a list takes two items for the same."""
    if text(one) is not None and text(other) is not None:
        return text(one) == text(other)
    return bool(one == other)


def order(one: Any, other: Any) -> int:
    """Compare any items."""
    ours, theirs = rank(one), rank(other)
    return (ours > theirs) - (ours < theirs)


def rank(item: Any) -> str:
    """Return what `order` compares: text is equal whether str or bytes."""
    return repr(text(item) if text(item) is not None else item)


class Entry:
    """An item, and whether somebody is to be told when it goes."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.told = False
        self.handle: Any = None
        self.alive = True


class Row(Named):
    """The model of a list; *module* is zlist or zlistx."""

    def __init__(self, name: str, module: Any, handle: Any) -> None:
        super().__init__(name)
        self.module = module
        self.handle = handle
        self.entries: list[Entry] = []
        self.alive = True
        self.strings = False
        self.destructor = False
        #: The entry at the cursor, None for no item.
        self.cursor: Any = None
        self.comparator: str | None = None

    @property
    def values(self) -> list[Any]:
        return [entry.value for entry in self.entries]


class Lists(Machine):
    rows: Bundle[Row] = Bundle("rows")

    @initialize(target=rows, module=st.sampled_from([zlist, zlistx]))
    def begin(self, module: Any) -> Row:
        self.frame = zframe.new("an item")
        #: Who was told of items that went, and who should have been.
        self.told: list[Any] = []
        self.to_be_told: list[Any] = []
        self.everything: list[Row] = []
        return self.row(module, module.new())

    @precondition(lambda self: self.may_fork and len(self.everything) > 1)
    @rule(main=True)
    def fork(self) -> None:
        """Lists are memory, which a child has its own copy of."""
        self.fork_for(self.finish)

    def row(self, module: Any, handle: Any) -> Row:
        row = Row(self.name("list"), module, handle)
        self.everything.append(row)
        return row

    def tell(self, item: Any) -> None:
        self.told.append(item)

    def comparator(self, row: Row, kind: str) -> Any:
        """Return a comparator: one that works, one that raises, one that changes the list, and gets an error for it."""

        def compare(one: Any, other: Any) -> int:
            if kind == "raises":
                raise Boom
            if kind == "changes":
                row.module.purge(row.handle)
            return order(one, other)

        return compare

    @rule(target=rows, module=st.sampled_from([zlist, zlistx]))
    def new(self, module: Any) -> Row:
        return self.row(module, module.new())

    @rule(
        target=rows,
        row=rows,
        call=calls(
            ("add", st.booleans(), ITEMS),
            ("add", st.booleans(), ITEMS),
            ("add", st.booleans(), ITEMS),
            ("step", st.sampled_from(["first", "next", "last", "item", "prev"])),
            ("step", st.sampled_from(["first", "next", "last", "item", "prev"])),
            ("take", st.integers(0, 5)),
            ("look_for", ITEMS),
            ("remove", ITEMS, st.integers(0, 5)),
            ("sort", st.sampled_from([None, "works", "raises", "changes"])),
            ("set_comparator", st.sampled_from([None, "works", "raises", "changes"])),
            ("watch", ITEMS, st.booleans()),
            ("move", st.integers(0, 5), st.booleans()),
            ("make_strings",),
            ("purge",),
            ("dup",),
            ("destroy",),
            ("drop",),
        ),
    )
    def with_list(self, row: Row, call: Call) -> Any:
        if row.handle is None:
            return multiple()
        if not row.alive:
            for name in ("first", "next", "last", "item", "size", "purge", "items", "dup", "sort"):
                refused(getattr(row.module, name), row.handle)
            row.handle = None
            return multiple()
        result = getattr(self, call[0])(row, *call[1:])
        self.check(row)
        return made(result)

    def check(self, row: Row) -> None:
        """Check all that a list has, and who was told of what has gone."""
        same(Counter(map(rank, self.told)), Counter(map(rank, self.to_be_told)), "items that somebody was told of")
        if row.alive and row.handle is not None:
            found = row.module.items(row.handle)
            same(found, row.values, f"items of {row}")
            same(row.module.size(row.handle), len(row.entries))
            for entry in row.entries if row.module is zlistx else ():
                same(zlistx.handle_item(entry.handle), entry.value)

    def item(self, item: Any) -> Any:
        return self.frame if item == "handle" else item

    def gone(self, row: Row, entry: Entry, quietly: bool = False) -> None:
        """Note that an item has gone; *quietly*, nobody is to be told."""
        row.entries.remove(entry)
        entry.alive = False
        if row.cursor is entry:
            row.cursor = _UNKNOWN
        if not quietly and (row.destructor or (entry.told and not row.strings)):
            self.to_be_told.append(entry.value)
        if entry.handle is not None:
            refused(zlistx.handle_item, entry.handle)
            refused(zlistx.move_end, row.handle, entry.handle)
            refused(zlistx.delete, row.handle, entry.handle)

    def compares(self, row: Row, kind: str | None, least: int) -> type[BaseException] | None:
        """Return what a comparator of a kind raises, if the list has so many items that it is called."""
        if len(row.entries) < least:
            return None
        return {"raises": Boom, "changes": ValueError}.get(kind or "")

    def add(self, row: Row, at_end: bool, item: Any) -> None:
        value = self.item(item)
        if row.strings and text(value) is None:
            refused(zlist.append if at_end else zlist.push, row.handle, value, error=TypeError)
            return
        entry = Entry(text(value).decode(errors="surrogateescape") if row.strings else value)
        if row.module is zlist:
            same((zlist.append if at_end else zlist.push)(row.handle, value), 0)
        else:
            entry.handle = (zlistx.add_end if at_end else zlistx.add_start)(row.handle, value)
        row.entries.insert(len(row.entries) if at_end else 0, entry)
        row.cursor = None

    def step(self, row: Row, verb: str) -> None:
        if verb == "prev" and row.module is zlist:
            return
        found = getattr(row.module, verb)(row.handle)
        entries, here = row.entries, row.cursor
        if verb in ("first", "last"):
            row.cursor = entries[0 if verb == "first" else -1] if entries else None
        elif here is _UNKNOWN:
            assert found is None or any(equal(found, value) for value in row.values)
            return
        elif verb == "next":
            place = entries.index(here) + 1 if here else 0
            row.cursor = entries[place] if place < len(entries) else None
        elif verb == "prev":
            place = entries.index(here) - 1 if here else len(entries) - 1
            row.cursor = entries[place] if place >= 0 else None
        same(found, row.cursor.value if row.cursor else None, verb)

    def take(self, row: Row, number: int) -> None:
        """Take an item out: the first from a zlist, any from a zlistx."""
        if not row.entries:
            same(zlist.pop(row.handle) if row.module is zlist else zlistx.detach(row.handle), None)
            return
        if row.module is zlist:
            entry = row.entries[0]
            same(zlist.pop(row.handle), entry.value)
        else:
            entry = row.entries[number % len(row.entries)]
            same(zlistx.detach(row.handle, entry.handle), entry.value)
        self.gone(row, entry, True)

    def find(self, row: Row, value: Any) -> Entry | None:
        compare = (lambda one, other: order(one, other) == 0) if row.comparator else equal
        return next((entry for entry in row.entries if compare(entry.value, value)), None)

    def look_for(self, row: Row, item: Any) -> None:
        value = self.item(item)
        raised = self.compares(row, row.comparator, 1)
        search = zlist.exists if row.module is zlist else zlistx.find
        if raised:
            refused(search, row.handle, value, error=raised)
            return
        entry = self.find(row, value)
        found = search(row.handle, value)
        if row.module is zlist:
            same(found, entry is not None)
        else:
            assert found is (entry.handle if entry else None)
            row.cursor = entry or row.cursor

    def remove(self, row: Row, item: Any, number: int) -> None:
        if row.module is zlistx:
            if not row.entries:
                same(zlistx.delete(row.handle), -1)
                return
            entry = row.entries[number % len(row.entries)]
            same(zlistx.delete(row.handle, entry.handle), 0)
            self.gone(row, entry)
            return
        value = self.item(item)
        raised = self.compares(row, row.comparator, 1)
        if raised:
            refused(zlist.remove, row.handle, value, error=raised)
            return
        found = self.find(row, value)
        zlist.remove(row.handle, value)
        if found:
            self.gone(row, found)

    def sort(self, row: Row, kind: str | None) -> None:
        """Sort the list, if it can be sorted: any items with a comparator, else text."""
        if row.module is zlistx or kind is None:
            kind = row.comparator
        if kind is None and not all(text(value) is not None for value in row.values):
            return
        arguments = () if row.module is zlistx or kind is None else (self.comparator(row, kind),)
        raised = self.compares(row, kind, 2)
        if raised:
            refused(row.module.sort, row.handle, *arguments, error=raised)
            return
        row.module.sort(row.handle, *arguments)
        if kind is None:
            row.entries.sort(key=lambda entry: text(entry.value))
        else:
            row.entries.sort(key=cmp_to_key(lambda one, other: order(one.value, other.value)))
        row.cursor = _UNKNOWN

    def set_comparator(self, row: Row, kind: str | None) -> None:
        setter = zlist.comparefn if row.module is zlist else zlistx.set_comparator
        setter(row.handle, None if kind is None else self.comparator(row, kind))
        row.comparator = kind

    def watch(self, row: Row, item: Any, at_tail: bool) -> None:
        """Have somebody told when an item goes; with a zlistx, when any does."""
        if row.module is zlistx:
            zlistx.set_destructor(row.handle, self.tell)
            row.destructor = True
            return
        value = self.item(item)
        entries = row.entries[-1:] if at_tail else row.entries
        entry = next((entry for entry in entries if equal(entry.value, value)), None)
        same(zlist.freefn(row.handle, value, self.tell, at_tail), entry.value if entry else None)
        if entry and not row.strings:
            if isinstance(entry.value, ffi.CData):
                # One handle stands in a list for itself, however often it is in there.
                entry = next(entry for entry in row.entries if equal(entry.value, value))
                if any(other.told for other in row.entries if equal(other.value, value)):
                    return
            entry.told = True

    def move(self, row: Row, number: int, to_end: bool) -> None:
        if row.module is zlistx and row.entries:
            entry = row.entries.pop(number % len(row.entries))
            (zlistx.move_end if to_end else zlistx.move_start)(row.handle, entry.handle)
            row.entries.insert(len(row.entries) if to_end else 0, entry)
            row.cursor = _UNKNOWN

    def make_strings(self, row: Row) -> None:
        if row.module is zlist and row.strings:
            zlist.autofree(row.handle)
        elif row.module is zlist and row.entries:
            refused(zlist.autofree, row.handle)
        elif row.module is zlist:
            zlist.autofree(row.handle)
            row.strings = True

    def purge(self, row: Row) -> None:
        row.module.purge(row.handle)
        self.all_gone(row)
        row.cursor = None

    def all_gone(self, row: Row) -> None:
        for entry in list(row.entries):
            row.entries.remove(entry)
            if row.destructor or (entry.told and not row.strings):
                self.to_be_told.append(entry.value)
            if entry.handle is not None:
                refused(zlistx.handle_item, entry.handle)

    def dup(self, row: Row) -> Row:
        copy = self.row(row.module, row.module.dup(row.handle))
        copy.entries = [Entry(value) for value in row.values]
        copy.strings, copy.destructor, copy.comparator = row.strings, row.destructor, row.comparator
        if copy.comparator:
            # The copy's compares, and changes, the list that it was made for.
            self.set_comparator(copy, copy.comparator)
        if row.module is zlistx:
            for entry in copy.entries:
                zlistx.next(copy.handle)
                entry.handle = zlistx.cursor(copy.handle)
        copy.cursor = _UNKNOWN
        return copy

    def destroy(self, row: Row) -> None:
        row.module.destroy(row.handle)
        row.alive = False
        self.all_gone(row)

    def drop(self, row: Row) -> None:
        """Leave a list to the garbage collector."""
        if not row.destructor and not any(entry.told for entry in row.entries):
            row.handle = None
            row.alive = False

    def finish(self) -> None:
        for row in getattr(self, "everything", []):
            if row.alive and row.handle is not None:
                self.check(row)
                self.destroy(row)
        if hasattr(self, "frame"):
            same(Counter(map(rank, self.told)), Counter(map(rank, self.to_be_told)), "items that somebody was told of")
            zframe.destroy(self.frame)


class Table(Named):
    """The model of a hash; *module* is zhash or zhashx."""

    def __init__(self, name: str, module: Any, handle: Any) -> None:
        super().__init__(name)
        self.module = module
        self.handle = handle
        self.entries: dict[Any, Entry] = {}
        self.alive = True
        self.strings = False
        #: What a hash of its own kind has: any objects as keys, a duplicator that raises.
        self.any_keys = False
        self.duplicator = False


class Hashes(Machine):
    tables: Bundle[Table] = Bundle("tables")

    @initialize(target=tables, module=st.sampled_from([zhash, zhashx]))
    def begin(self, module: Any) -> Table:
        self.frame = zframe.new("an item")
        self.told: list[Any] = []
        self.to_be_told: list[Any] = []
        self.everything: list[Table] = []
        return self.table(module, module.new())

    def table(self, module: Any, handle: Any) -> Table:
        table = Table(self.name("hash"), module, handle)
        self.everything.append(table)
        return table

    def tell(self, item: Any) -> None:
        self.told.append(item)

    def item(self, item: Any) -> Any:
        return self.frame if item == "handle" else item

    @rule(target=tables, module=st.sampled_from([zhash, zhashx]))
    def new(self, module: Any) -> Table:
        return self.table(module, module.new())

    @rule(
        target=tables,
        table=tables,
        call=calls(
            ("put", KEYS, ITEMS, st.booleans()),
            ("put", KEYS, ITEMS, st.booleans()),
            ("put", KEYS, ITEMS, st.booleans()),
            ("lookup", KEYS),
            ("delete", KEYS),
            ("rename", KEYS, KEYS),
            ("watch", KEYS),
            ("walk",),
            ("walk_and_delete", st.integers(0, 3)),
            ("make_strings",),
            ("set_hasher", st.booleans()),
            ("set_duplicator", st.booleans()),
            ("pack",),
            ("purge",),
            ("dup",),
            ("destroy",),
            ("drop",),
        ),
    )
    def with_hash(self, table: Table, call: Call) -> Any:
        if table.handle is None:
            return multiple()
        if not table.alive:
            for name in ("first", "next", "cursor", "size", "keys", "items", "dup", "pack"):
                refused(getattr(table.module, name), table.handle)
            refused(table.module.lookup, table.handle, "a")
            refused(table.module.insert, table.handle, "a", "b")
            table.handle = None
            return multiple()
        result = getattr(self, call[0])(table, *call[1:])
        self.check(table)
        return made(result)

    def check(self, table: Table) -> None:
        same(Counter(map(rank, self.told)), Counter(map(rank, self.to_be_told)), "items that somebody was told of")
        if table.alive and table.handle is not None:
            wanted = {key: entry.value for key, entry in table.entries.items()}
            same(dict(table.module.items(table.handle)), wanted, f"items of {table}")
            same(table.module.size(table.handle), len(wanted))
            same(sorted(table.module.keys(table.handle)), sorted(wanted))

    def gone(self, table: Table, entry: Entry) -> None:
        if entry.told and not table.strings:
            self.to_be_told.append(entry.value)

    def put(self, table: Table, key: str, item: Any, replace: bool) -> None:
        value = self.item(item)
        function = table.module.update if replace else table.module.insert
        old = table.entries.get(key)
        if table.strings and text(value) is None:
            if replace or old is None:
                refused(function, table.handle, key, value, error=TypeError)
            return
        if table.duplicator and (replace or old is None):
            refused(function, table.handle, key, value, error=Boom)
            return
        result = function(table.handle, key, value)
        if old and not replace:
            same(result, -1)
            return
        entry = Entry(text(value).decode(errors="surrogateescape") if table.strings else value)
        table.entries[key] = entry
        if old:
            # What was set for the old item stays with the key.
            entry.told = old.told
            self.gone(table, old)

    def lookup(self, table: Table, key: str) -> None:
        entry = table.entries.get(key)
        same(table.module.lookup(table.handle, key), entry.value if entry else None)

    def delete(self, table: Table, key: str) -> None:
        table.module.delete(table.handle, key)
        entry = table.entries.pop(key, None)
        if entry:
            self.gone(table, entry)

    def rename(self, table: Table, old: str, new: str) -> None:
        possible = old in table.entries and new not in table.entries
        same(table.module.rename(table.handle, old, new), 0 if possible else -1)
        if possible:
            table.entries[new] = table.entries.pop(old)

    def watch(self, table: Table, key: str) -> None:
        entry = table.entries.get(key)
        if entry and isinstance(entry.value, ffi.CData):
            # One handle stands in a hash for itself, under all its keys.
            return
        same(table.module.freefn(table.handle, key, self.tell), entry.value if entry else None)
        if entry:
            entry.told = True

    def walk(self, table: Table) -> None:
        """The cursor comes by each item once."""
        found = []
        item = table.module.first(table.handle)
        while item is not None:
            found.append((table.module.cursor(table.handle), item))
            item = table.module.next(table.handle)
        wanted = {key: entry.value for key, entry in table.entries.items()}
        same((dict(found), len(found)), (wanted, len(wanted)), f"walk through {table}")

    def walk_and_delete(self, table: Table, steps: int) -> None:
        """An item that the cursor is at may be deleted."""
        table.module.first(table.handle)
        for _ in range(steps):
            table.module.next(table.handle)
        key = table.module.cursor(table.handle)
        if key is not None and key in table.entries:
            self.delete(table, key)
            table.module.next(table.handle)
            table.module.cursor(table.handle)

    def make_strings(self, table: Table) -> None:
        if table.module is zhashx:
            return
        if table.entries and not table.strings:
            refused(zhash.autofree, table.handle)
        else:
            zhash.autofree(table.handle)
            table.strings = True

    def set_hasher(self, table: Table, given: bool) -> None:
        """Keys that Python compares instead of C."""
        if table.module is zhash:
            return
        if table.entries:
            refused(zhashx.set_key_hasher, table.handle, hash)
        else:
            zhashx.set_key_hasher(table.handle, hash if given else None)

    def set_duplicator(self, table: Table, given: bool) -> None:
        """A duplicator that raises lets nothing in."""

        def fail(item: Any) -> Any:
            raise Boom

        if table.module is zhashx:
            zhashx.set_duplicator(table.handle, fail if given else None)
            table.duplicator = given

    def pack(self, table: Table) -> Any:
        values = {key: text(entry.value) for key, entry in table.entries.items()}
        errors: list[type[Exception]] = []
        if any(value is None for value in values.values()):
            errors.append(TypeError)
        if any(len(key) > 255 for key in values):
            errors.append(ValueError)
        if errors:
            # Where both are to be said, it is whichever comes first.
            refused(table.module.pack, table.handle, error=tuple(errors))
            return None
        frame = table.module.pack(table.handle)
        copy = self.table(table.module, table.module.unpack(frame))
        zframe.destroy(frame)
        copy.entries = {
            key: Entry(value.decode(errors="surrogateescape")) for key, value in values.items() if value is not None
        }
        return copy

    def purge(self, table: Table) -> None:
        if table.module is zhashx:
            zhashx.purge(table.handle)
            self.all_gone(table)

    def all_gone(self, table: Table) -> None:
        for entry in table.entries.values():
            self.gone(table, entry)
        table.entries.clear()

    def dup(self, table: Table) -> Any:
        if table.duplicator and table.entries:
            refused(table.module.dup, table.handle, error=Boom)
            return None
        copy = self.table(table.module, table.module.dup(table.handle))
        copy.strings, copy.duplicator = table.strings, table.duplicator
        copy.entries = {key: Entry(entry.value) for key, entry in table.entries.items()}
        return copy

    def destroy(self, table: Table) -> None:
        table.module.destroy(table.handle)
        table.alive = False
        self.all_gone(table)

    def drop(self, table: Table) -> None:
        if not any(entry.told for entry in table.entries.values()):
            table.handle = None
            table.alive = False

    def finish(self) -> None:
        for table in getattr(self, "everything", []):
            if table.alive and table.handle is not None:
                self.check(table)
                self.destroy(table)
        if hasattr(self, "frame"):
            same(Counter(map(rank, self.told)), Counter(map(rank, self.to_be_told)), "items that somebody was told of")
            zframe.destroy(self.frame)


class Node(Named):
    """The model of an item in a tree; *handle* is None as long as nobody has asked for it."""

    def __init__(self, name: str, handle: Any, label: str, above: Node | None) -> None:
        super().__init__(name)
        self.handle = handle
        self.label = label
        self.value: str | None = None
        self.above = above
        self.below: list[Node] = []
        self.alive = True

    @property
    def root(self) -> Node:
        return self if self.above is None else self.above.root

    def find(self, path: str) -> Node | None:
        here: Node | None = self
        for label in path.split("/"):
            here = next((node for node in here.below if node.label == label), None) if here else None
        return here

    def bury(self) -> None:
        self.alive = False
        for node in self.below:
            node.bury()

    def shown(self) -> Any:
        return self.label, self.value, [node.shown() for node in self.below]


_LABELS = st.sampled_from(["a", "b", "name"])
_PATHS = st.sampled_from(["a", "b", "name", "a/b", "a/b/name", "b/a"])
_VALUES = st.sampled_from(["", "1", "a value", "%s", "\udcff", "v" * 300])


class Trees(Machine):
    nodes: Bundle[Node] = Bundle("nodes")

    @initialize(target=nodes)
    def begin(self) -> Node:
        self.everything: list[Node] = []
        return self.node(zconfig.new("root"), "root", None)

    def node(self, handle: Any, label: str, above: Node | None) -> Node:
        node = Node(self.name("item"), handle, label, above)
        if above is None:
            self.everything.append(node)
        else:
            above.below.append(node)
        return node

    @rule(target=nodes)
    def new_root(self) -> Node:
        return self.node(zconfig.new("root"), "root", None)

    @rule(
        target=nodes,
        node=nodes,
        call=calls(
            ("new_below", _LABELS),
            ("put", _PATHS, _VALUES),
            ("get", _PATHS),
            ("locate", _PATHS),
            ("set_value", st.none() | _VALUES),
            ("step", st.sampled_from(["child", "next"])),
            *([("remove",), ("dup",)] if DRAFTS else []),
            ("destroy",),
            ("save",),
            ("execute", st.sampled_from(["works", "raises", "destroys"])),
            ("drop",),
        ),
    )
    def with_item(self, node: Node, call: Call) -> Any:
        if node.handle is None:
            return multiple()
        if not node.alive:
            for name in ("name", "value", "child", "next", "destroy", "str_save", "comments"):
                refused(getattr(zconfig, name), node.handle)
            refused(zconfig.put, node.handle, "a", "b")
            refused(zconfig.new, "a", node.handle)
            return multiple()
        return made(getattr(self, call[0])(node, *call[1:]))

    def lent(self, node: Node | None, handle: Any) -> Any:
        """Check which item a handle is for; there is one for each."""
        if node is None:
            assert handle is None
            return None
        assert handle is not None
        if node.handle is None:
            node.handle = handle
            return node
        assert handle is node.handle, f"{node} has a second handle"
        return None

    def new_below(self, node: Node, label: str) -> Node:
        return self.node(zconfig.new(label, node.handle), label, node)

    def put(self, node: Node, path: str, value: str) -> None:
        zconfig.put(node.handle, path, value)
        for label in path.split("/"):
            node = node.find(label) or self.node(None, label, node)
        node.value = value

    def get(self, node: Node, path: str) -> None:
        found = node.find(path)
        wanted = "default" if found is None else found.value
        # C gives an item without a value an empty one here, or none.
        same(zconfig.get(node.handle, path, "default") or "", wanted or "")

    def locate(self, node: Node, path: str) -> Any:
        return self.lent(node.find(path), zconfig.locate(node.handle, path))

    def set_value(self, node: Node, value: str | None) -> None:
        zconfig.set_value(node.handle, value)
        node.value = value
        same(zconfig.value(node.handle), value)

    def step(self, node: Node, verb: str) -> Any:
        if verb == "child":
            return self.lent(node.below[0] if node.below else None, zconfig.child(node.handle))
        level = node.above.below if node.above else [node]
        rest = level[level.index(node) + 1 :]
        return self.lent(rest[0] if rest else None, zconfig.next(node.handle))

    def remove(self, node: Node) -> None:
        zconfig.remove(node.handle)
        node.bury()
        if node.above:
            node.above.below.remove(node)

    def destroy(self, node: Node) -> None:
        if node.above:
            refused(zconfig.destroy, node.handle)
        else:
            zconfig.destroy(node.handle)
            node.bury()

    def dup(self, node: Node) -> Node:
        copy = self.node(zconfig.dup(node.handle), "root", None)
        copy.value = node.value

        def fill(source: Node, target: Node) -> None:
            for below in source.below:
                fresh = self.node(None, below.label, target)
                fresh.value = below.value
                fill(below, fresh)

        fill(node, copy)
        return copy

    def save(self, node: Node) -> Any:
        """A tree that is saved is the same when it is loaded."""
        loaded = zconfig.str_load(zconfig.str_save(node.handle))
        same(self.shown(loaded)[2], [self.with_empty(below) for below in node.below], f"{node} when loaded")

    def with_empty(self, node: Node) -> Any:
        return node.label, node.value or "", [self.with_empty(below) for below in node.below]

    def shown(self, handle: Any) -> Any:
        return (
            zconfig.name(handle),
            zconfig.value(handle) or "",
            [self.shown(below) for below in zconfig.children(handle)],
        )

    def execute(self, node: Node, kind: str) -> None:
        """A handler may raise; one that destroys the tree that the walk stands on gets an error for it."""
        if node.root.handle is None:
            return
        seen = []

        def handler(item: Any, arg: Any, level: int) -> int:
            seen.append((zconfig.name(item), level))
            if kind == "raises":
                raise Boom
            if kind == "destroys":
                zconfig.destroy(node.root.handle)
            return 0

        if kind == "works":
            same(zconfig.execute(node.handle, handler), 0)
            same(seen, list(self.levels(node, 0)))
        else:
            refused(zconfig.execute, node.handle, handler, error=Boom if kind == "raises" else ValueError)
            if kind == "destroys":
                node.root.bury()

    def levels(self, node: Node, level: int) -> Any:
        yield node.label, level
        for below in node.below:
            yield from self.levels(below, level + 1)

    def drop(self, node: Node) -> None:
        """Forget a handle: the tree lives for as long as anybody has one of its."""
        if node.above:
            node.handle = None

    def finish(self) -> None:
        for root in getattr(self, "everything", []):
            if root.alive and root.handle is not None:
                same(self.shown(root.handle), self.with_empty(root), f"tree {root}")
