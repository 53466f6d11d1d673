"""Cycles of the classes that are memory and nothing else: constructors, destructors, and a tour through each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cycles import both, cycle, has, optional, prepared, simple
from cycles.calls import KIB64, fail, fails, refused
from pyczmq import (
    zargs,
    zarmour,
    zcert,
    zcertstore,
    zchunk,
    zclock,
    zconfig,
    zdigest,
    zframe,
    zhash,
    zhashx,
    ziflist,
    zlist,
    zlistx,
    zmq,
    zosc,
    zrex,
    zstr,
    zsys,
    ztimerset,
    ztrie,
    zuuid,
)

TREE = "root\n    server = one\n        port = 1\n    client = two\n"


# ---------------------------------------------------------------- zarmour, zdigest, zuuid, zrex, zclock

both("zarmour.new", lambda: zarmour.new(), lambda made: zarmour.destroy(made))
both("zdigest.new", lambda: zdigest.new(), lambda made: zdigest.destroy(made))
both("zuuid.new", lambda: zuuid.new(), lambda made: zuuid.destroy(made))
both("zuuid.new_from", lambda: zuuid.new_from(b"0123456789abcdef"), lambda made: zuuid.destroy(made))
both("zuuid.dup", lambda: zuuid.dup(zuuid.new()), lambda made: zuuid.destroy(made))
both("zrex.new", lambda: zrex.new("(a)(b)"), lambda made: zrex.destroy(made))


@prepared("zarmour, a tour")
def _zarmour() -> Iterator[Any]:
    armour = zarmour.new()

    def tour() -> None:
        for mode in range(6):
            zarmour.set_mode(armour, mode)
            zarmour.decode(armour, zarmour.encode(armour, b"0123456789abcdef"))
            zarmour.mode(armour)
            zarmour.mode_str(armour)
        zarmour.set_pad(armour, zarmour.pad(armour))
        zarmour.set_pad_char(armour, zarmour.pad_char(armour))
        zarmour.set_line_breaks(armour, zarmour.line_breaks(armour))
        zarmour.set_line_length(armour, zarmour.line_length(armour))
        zarmour.print(armour)
        refused(zarmour.set_mode, armour, -1)

    yield tour


@cycle("zdigest, a tour")
def _zdigest() -> None:
    digest = zdigest.new()
    zdigest.update(digest, KIB64)
    zdigest.data(digest)
    zdigest.size(digest)
    zdigest.string(digest)
    refused(zdigest.update, digest, None)


@cycle("zuuid, a tour")
def _zuuid() -> None:
    uuid, other = zuuid.new(), zuuid.new_from(b"0123456789abcdef")
    zuuid.set(uuid, other)
    zuuid.set_str(uuid, zuuid.str_canonical(other))
    zuuid.set_str(uuid, "no uuid")
    zuuid.data(uuid)
    zuuid.size(uuid)
    zuuid.str(uuid)
    zuuid.export(uuid)
    zuuid.eq(uuid, other)
    zuuid.neq(uuid, other)
    zuuid.print(uuid)
    refused(zuuid.set, uuid, b"short")


@cycle("zrex, a tour")
def _zrex() -> None:
    rex = zrex.new("(\\d+)-(\\w+)")
    zrex.valid(rex)
    zrex.matches(rex, "12-ab")
    zrex.hits(rex)
    zrex.hit(rex, 1)
    zrex.fetch(rex)
    zrex.eq(rex, "ab", "(a)(b)")
    bad = zrex.new("((")
    zrex.valid(bad)
    zrex.strerror(bad)


@cycle("zclock, a tour")
def _zclock() -> None:
    zclock.time()
    zclock.mono()
    zclock.usecs()
    zclock.timestr()
    zclock.sleep(0)
    zclock.log("%s %d", "text", 1)


# ---------------------------------------------------------------- zcert, zcertstore

both("zcert.new", lambda: zcert.new(), lambda made: zcert.destroy(made))
both("zcert.dup", lambda: zcert.dup(CERT), lambda made: zcert.destroy(made))
both("zcert.new_from", lambda: zcert.new_from(b"p" * 32, b"s" * 32), lambda made: zcert.destroy(made))
both("zcert.new_from_txt", lambda: zcert.new_from_txt(PUBLIC, SECRET), lambda made: zcert.destroy(made))
both("zcertstore.new", lambda: zcertstore.new(), lambda made: zcertstore.destroy(made))

CERT = zcert.new()
PUBLIC, SECRET = zcert.public_txt(CERT), zcert.secret_txt(CERT)


@cycle("zcert, a tour")
def _zcert() -> None:
    cert = zcert.new_from_txt(PUBLIC)
    zcert.public_key(cert)
    zcert.secret_key(cert)
    zcert.public_txt(cert)
    zcert.secret_txt(cert)
    zcert.set_meta(cert, "name", "value")
    if not has("zcert_unset_meta"):
        refused(zcert.set_meta, cert, "name", "another")
    zcert.meta(cert, "name")
    zcert.meta(cert, "none")
    zcert.meta_keys(cert)
    if has("zcert_unset_meta"):
        zcert.unset_meta(cert, "name")
    zcert.eq(cert, CERT)
    zcert.print(cert)
    refused(zcert.new_from, b"short")


@cycle("zcertstore, a tour")
def _zcertstore() -> None:
    store = zcertstore.new()
    cert = zcert.new_from_txt(PUBLIC, SECRET)
    zcertstore.insert(store, cert)
    zcertstore.lookup(store, PUBLIC)
    zcertstore.lookup(store, "none")
    optional(zcertstore.certs, store)
    zcertstore.print(store)
    optional(zcertstore.empty, store)
    refused(zcertstore.insert, store, cert)


@cycle("zcertstore.set_loader")
def _zcertstore_loader() -> None:
    store = zcertstore.new()

    def loader(store: Any) -> None:
        zcertstore.empty(store)
        zcertstore.insert(store, zcert.new_from_txt(PUBLIC))

    zcertstore.set_loader(store, loader, lambda state: None, ["state"])
    zcertstore.lookup(store, PUBLIC)
    zcertstore.state(store)


# ---------------------------------------------------------------- zchunk

both("zchunk.new", lambda: zchunk.new(size=100), lambda made: zchunk.destroy(made))
both("zchunk.new, 64 KiB", lambda: zchunk.new(KIB64), lambda made: zchunk.destroy(made))
both("zchunk.dup", lambda: zchunk.dup(CHUNK), lambda made: zchunk.destroy(made))
both("zchunk.frommem", lambda: zchunk.frommem(bytearray(b"lent")), lambda made: zchunk.destroy(made))
both(
    "zchunk.frommem with a destructor",
    lambda: zchunk.frommem(bytearray(b"lent"), lambda hint: None, ["hint"]),
    lambda made: zchunk.destroy(made),
)
both("zchunk.unpack", lambda: _unpacked(zchunk.unpack, zchunk.pack(CHUNK)), lambda made: zchunk.destroy(made))

CHUNK = zchunk.new(b"content")


def _unpacked(unpack: Any, frame: Any) -> Any:
    """Unpack what is in a frame, and destroy that."""
    try:
        return unpack(frame)
    finally:
        zframe.destroy(frame)


@cycle("zchunk, a tour")
def _zchunk() -> None:
    chunk, source = zchunk.new(size=16), zchunk.new(b"source")
    zchunk.resize(chunk, 64)
    zchunk.size(chunk)
    zchunk.max_size(chunk)
    zchunk.data(chunk)
    zchunk.set(chunk, b"other")
    zchunk.fill(chunk, "x", 8)
    zchunk.set(chunk, b"")
    zchunk.append(chunk, b"more")
    zchunk.extend(chunk, KIB64)
    zchunk.consume(chunk, source)
    zchunk.exhausted(source)
    zchunk.strhex(zchunk.new(b"abc"))
    zchunk.strdup(chunk)
    zchunk.streq(chunk, "text")
    zchunk.digest(chunk)
    zchunk.print(source)
    zchunk.is_(chunk)
    if has("zchunk_packx"):
        zframe.destroy(zchunk.packx(chunk))
        refused(zchunk.data, chunk)
    refused(zchunk.resize, source, -1)


@cycle("zchunk.frommem, a destructor that raises")
def _zchunk_raises() -> None:
    fails(zchunk.destroy, zchunk.frommem(bytearray(b"lent"), fail, None))


# ---------------------------------------------------------------- zconfig

both("zconfig.new", lambda: zconfig.new("root"), lambda made: zconfig.destroy(made))
both("zconfig.dup", lambda: zconfig.dup(zconfig.str_load(TREE)), lambda made: zconfig.destroy(made))
both("zconfig.str_load", lambda: zconfig.str_load(TREE), lambda made: zconfig.destroy(made))
both("zconfig.chunk_load", lambda: zconfig.chunk_load(TREE.encode()), lambda made: zconfig.destroy(made))


@cycle("zconfig, a tour")
def _zconfig() -> None:
    root = zconfig.new("root")
    child = zconfig.new("child", root)
    zconfig.set_value(child, "value")
    zconfig.set_name(child, "other")
    zconfig.name(child)
    zconfig.value(child)
    zconfig.put(root, "a/b/c", "1")
    zconfig.put(root, "a/b/c", "2")
    zconfig.putf(root, "a/b/d", "%s", "3")
    zconfig.get(root, "a/b/c")
    zconfig.get(root, "none", "default")
    zconfig.set_path(root, "a/e", "4")
    zconfig.resolve(root, "a/e")
    zconfig.next(zconfig.child(root))
    zconfig.locate(root, "a/b")
    zconfig.locate(root, "none")
    zconfig.at_depth(root, 2)
    zconfig.execute(root, lambda config, arg, level: 0, ["arg"])
    zconfig.set_comment(root, "a comment")
    zconfig.set_comment(root, "another")
    zconfig.comments(root)
    zconfig.set_comment(root, None)
    zconfig.filename(root)
    zconfig.chunk_save(root)
    zconfig.str_save(root)
    zconfig.has_changed(root)
    zconfig.print(root)
    list(zconfig.children(root))
    list(zconfig.walk(root))
    optional(zconfig.remove, zconfig.locate(root, "a/b/c"))
    optional(zconfig.remove_subtree, zconfig.locate(root, "a"))
    zconfig.str_load("=nonsense")
    refused(zconfig.put, root, "a\0b", "value")


@cycle("zconfig.execute, a handler that raises")
def _zconfig_raises() -> None:
    fails(zconfig.execute, zconfig.str_load(TREE), fail)


# ---------------------------------------------------------------- lists and hashes

both("zlist.new", lambda: zlist.new(), lambda made: zlist.destroy(made))
both("zlist.dup", lambda: zlist.dup(LIST), lambda made: zlist.destroy(made))
both("zlistx.new", lambda: zlistx.new(), lambda made: zlistx.destroy(made))
both("zlistx.dup", lambda: zlistx.dup(LISTX), lambda made: zlistx.destroy(made))
if has("zlistx_unpack"):
    both("zlistx.unpack", lambda: _unpacked(zlistx.unpack, zlistx.pack(LISTX)), lambda made: zlistx.destroy(made))
both("zhash.new", lambda: zhash.new(), lambda made: zhash.destroy(made))
both("zhash.dup", lambda: zhash.dup(HASH), lambda made: zhash.destroy(made))
both("zhash.unpack", lambda: _unpacked(zhash.unpack, zhash.pack(HASH)), lambda made: zhash.destroy(made))
both("zhashx.new", lambda: zhashx.new(), lambda made: zhashx.destroy(made))
both("zhashx.dup", lambda: zhashx.dup(HASHX), lambda made: zhashx.destroy(made))
both("zhashx.dup_v2", lambda: zhashx.dup_v2(HASHX), lambda made: zhashx.destroy(made))
both("zhashx.unpack", lambda: _unpacked(zhashx.unpack, zhashx.pack(HASHX)), lambda made: zhashx.destroy(made))

LIST, LISTX, HASH, HASHX = zlist.new(), zlistx.new(), zhash.new(), zhashx.new()
for _number in range(3):
    zlist.append(LIST, ["object"])
    zlistx.add_end(LISTX, f"text {_number}")
    zhash.insert(HASH, f"key {_number}", f"text {_number}")
    zhashx.insert(HASHX, f"key {_number}", f"text {_number}")


@cycle("zlist, a tour")
def _zlist() -> None:
    items = zlist.new()
    for item in ("text", b"bytes", ["object"], ("other",), "text"):
        zlist.append(items, item)
        zlist.push(items, item)
    zlist.append(items, None)
    zlist.first(items)
    zlist.next(items)
    zlist.last(items)
    zlist.head(items)
    zlist.tail(items)
    zlist.item(items)
    zlist.pop(items)
    zlist.exists(items, ["object"])
    zlist.remove(items, ["object"])
    zlist.remove(items, "none")
    zlist.freefn(items, ["object"], lambda item: None)
    zlist.comparefn(items, lambda one, other: 0)
    zlist.exists(items, "text")
    zlist.sort(items, lambda one, other: (str(one) > str(other)) - (str(one) < str(other)))
    zlist.items(items)
    zlist.size(items)
    zlist.purge(items)


@cycle("zlist of strings")
def _zlist_strings() -> None:
    items = zlist.new()
    zlist.autofree(items)
    for item in ("c", "b", "a", "b"):
        zlist.append(items, item)
    zlist.sort(items)
    zlist.strings(items)
    zlist.pop(items)
    zlist.remove(items, "b")
    zlist.dup(items)
    refused(zlist.append, items, ["object"])


@cycle("zlist.sort, a comparator that raises")
def _zlist_raises() -> None:
    items = zlist.new()
    zlist.append(items, "b")
    zlist.append(items, "a")
    fails(zlist.sort, items, fail)


@cycle("zlistx, a tour")
def _zlistx() -> None:
    items = zlistx.new()
    zlistx.set_comparator(items, lambda one, other: (str(one) > str(other)) - (str(one) < str(other)))
    zlistx.set_duplicator(items, lambda item: [item])
    zlistx.set_destructor(items, lambda item: None)
    for item in ("text", b"bytes", ("object",), "other"):
        zlistx.add_start(items, item)
        zlistx.add_end(items, item)
    zlistx.head(items)
    zlistx.tail(items)
    zlistx.last(items)
    zlistx.prev(items)
    zlistx.next(items)
    zlistx.first(items)
    zlistx.item(items)
    zlistx.cursor(items)
    zlistx.handle_item(zlistx.cursor(items))
    zlistx.find(items, "none")
    zlistx.sort(items)
    handle = zlistx.insert(items, "m")
    zlistx.reorder(items, handle)
    zlistx.move_start(items, handle)
    zlistx.move_end(items, handle)
    zlistx.detach(items, handle)
    zlistx.first(items)
    zlistx.detach_cur(items)
    zlistx.first(items)
    zlistx.delete(items)
    zlistx.dup(items)
    zlistx.items(items)
    zlistx.size(items)
    zlistx.purge(items)
    refused(zlistx.move_start, items, handle)


@cycle("zlistx, strings")
def _zlistx_strings() -> None:
    zlistx.strings(LISTX)
    if has("zlistx_pack"):
        zframe.destroy(zlistx.pack(LISTX))


@cycle("zlistx, callbacks that raise")
def _zlistx_raises() -> None:
    items = zlistx.new()
    zlistx.add_end(items, "b")
    zlistx.add_end(items, "a")
    zlistx.set_comparator(items, fail)
    fails(zlistx.sort, items)
    zlistx.set_comparator(items, None)
    zlistx.set_destructor(items, fail)
    fails(zlistx.purge, items)
    zlistx.set_destructor(items, None)
    zlistx.set_duplicator(items, fail)
    fails(zlistx.add_end, items, "c")


@cycle("zhash, a tour")
def _zhash() -> None:
    table = zhash.new()
    for number, item in enumerate(("text", b"bytes", ["object"], ("other",), "text")):
        zhash.insert(table, f"key {number}", item)
    zhash.insert(table, "key 1", "again")
    zhash.update(table, "key 1", "anew")
    zhash.update(table, "key 9", "anew")
    zhash.lookup(table, "key 1")
    zhash.lookup(table, "none")
    zhash.rename(table, "key 1", "key 7")
    zhash.freefn(table, "key 2", lambda item: None)
    zhash.delete(table, "key 2")
    zhash.delete(table, "none")
    zhash.keys(table)
    zhash.first(table)
    zhash.next(table)
    zhash.cursor(table)
    zhash.comment(table, "a comment")
    zhash.comment(table, "another")
    zhash.comment(table, None)
    zhash.foreach(table, lambda key, item, argument: 0, ["argument"])
    zhash.items(table)
    zhash.size(table)


@cycle("zhash of strings")
def _zhash_strings() -> None:
    table = zhash.new()
    zhash.autofree(table)
    for number in range(100):
        zhash.insert(table, f"key {number}", "text")
    zhash.update(table, "key 1", "other")
    zhash.strings(table)
    zhash.dup(table)
    refused(zhash.insert, table, "object", ["object"])


@cycle("zhash.foreach, a callback that raises")
def _zhash_raises() -> None:
    fails(zhash.foreach, HASH, fail)


@cycle("zhash.unpack, nonsense")
def _zhash_nonsense() -> None:
    for unpack in (zhash.unpack, zhashx.unpack):
        frame = zframe.new(b"\0\0\0\7\3abc")
        unpack(frame)
        zframe.destroy(frame)


@cycle("zhashx, a tour")
def _zhashx() -> None:
    table = zhashx.new()
    zhashx.set_duplicator(table, lambda item: f"<{item}>")
    zhashx.set_destructor(table, lambda item: None)
    zhashx.set_key_duplicator(table, lambda key: f"{key}")
    zhashx.set_key_destructor(table, lambda key: None)
    zhashx.set_key_comparator(table, lambda one, other: (one > other) - (one < other))
    zhashx.set_key_hasher(table, lambda key: len(key))
    for number, item in enumerate(("text", b"bytes", ["object"], ("other",), "text")):
        zhashx.insert(table, f"key {number}", item)
    zhashx.insert(table, "key 1", "again")
    zhashx.update(table, "key 1", "anew")
    zhashx.update(table, "key 9", "anew")
    zhashx.lookup(table, "key 1")
    zhashx.lookup(table, "none")
    zhashx.rename(table, "key 1", "key 7")
    zhashx.freefn(table, "key 3", lambda item: None)
    zhashx.delete(table, "key 2")
    zhashx.delete(table, "none")
    zhashx.keys(table)
    zhashx.values(table)
    zhashx.first(table)
    zhashx.next(table)
    zhashx.cursor(table)
    zhashx.comment(table, "a comment")
    zhashx.comment(table, "another")
    zhashx.comment(table, None)
    zhashx.dup(table)
    zhashx.dup_v2(table)
    zhashx.items(table)
    zhashx.size(table)
    zhashx.purge(table)


@cycle("zhashx of strings")
def _zhashx_strings() -> None:
    zhashx.strings(HASHX)
    if has("zhashx_unpack_own"):
        frame = zhashx.pack_own(HASHX, lambda item: f"<{item}>")
        zhashx.unpack_own(frame, lambda text: [text])
        zframe.destroy(frame)


@cycle("zhashx, callbacks that raise")
def _zhashx_raises() -> None:
    table = zhashx.new()
    zhashx.insert(table, "key", "item")
    zhashx.set_duplicator(table, fail)
    fails(zhashx.insert, table, "other", "item")
    zhashx.set_duplicator(table, None)
    zhashx.set_destructor(table, fail)
    fails(zhashx.purge, table)


# ---------------------------------------------------------------- ziflist, zstr, zsys, zmq: what needs no socket

both("ziflist.new", lambda: ziflist.new(), lambda made: ziflist.destroy(made))
both("ziflist.new_ipv6", lambda: ziflist.new_ipv6(), lambda made: ziflist.destroy(made))


@prepared("ziflist, a tour")
def _ziflist() -> Iterator[Any]:
    interfaces = ziflist.new()

    def tour() -> None:
        ziflist.reload(interfaces)
        optional(ziflist.reload_ipv6, interfaces)
        ziflist.size(interfaces)
        while ziflist.first(interfaces) and ziflist.next(interfaces):
            break
        ziflist.first(interfaces)
        ziflist.address(interfaces)
        ziflist.broadcast(interfaces)
        ziflist.netmask(interfaces)
        optional(ziflist.is_ipv6, interfaces)
        ziflist.print(interfaces)
        ziflist.interfaces()

    yield tour


@cycle("zsys: text and settings")
def _zsys() -> None:
    zsys.sprintf("%s %d", "text", 1)
    zsys.vprintf("%s %d", ["text", 1])
    zsys.sprintf_hint(100, "%s", "text")
    zsys.zprintf("%(key 1)s", HASH)
    zsys.zprintf_error("%(none)s", HASH)
    zsys.zprintf("%(a)s", {"a": "b"})
    zsys.zplprintf("%(server)s", zconfig.str_load(TREE))
    zsys.zplprintf_error("%(none)s", zconfig.str_load(TREE))
    zsys.hostname()
    zsys.version()
    zsys.has_curve()
    zsys.sockname(zmq.PUSH)
    zsys.set_interface(zsys.interface() or "")
    zsys.set_ipv6_address(zsys.ipv6_address() or "")
    zsys.set_ipv6_mcast_address(zsys.ipv6_mcast_address() or "")
    zsys.set_logident("identity")
    zsys.socket_limit()
    zsys.max_msgsz()
    zsys.pipehwm()
    zsys.ipv6()
    zsys.auto_use_fd()
    optional(zsys.ipv6_available)
    zsys.is_interrupted()
    zsys.thread_name_prefix()
    zstr.free(zstr.str("text"))


@cycle("zmq: versions, errors, keys")
def _zmq() -> None:
    zmq.version()
    zmq.errno()
    zmq.strerror(11)
    zmq.has("curve")
    public, secret = zmq.curve_keypair()
    zmq.curve_public(secret)
    zmq.z85_encode(zmq.z85_decode(public))
    assert zmq.z85_decode("\0") is None


# ---------------------------------------------------------------- drafts, where the library has them

if has("zargs_new"):
    both("zargs.new", lambda: zargs.new(["program", "--name=value", "file"]), lambda made: zargs.destroy(made))

    @cycle("zargs, a tour")
    def _zargs() -> None:
        args = zargs.new(["program", "--name=value", "-v", "file"])
        zargs.progname(args)
        zargs.arguments(args)
        zargs.first(args)
        zargs.next(args)
        zargs.param_first(args)
        zargs.param_next(args)
        zargs.param_name(args)
        zargs.get(args, "--name")
        zargs.getx(args, "-n", "--name")
        zargs.has(args, "--name")
        zargs.hasx(args, "-n", "--name")


if has("zosc_new"):
    both("zosc.new", lambda: zosc.new("/address"), lambda made: zosc.destroy(made))
    both("zosc.create", lambda: zosc.create("/address", "is", 1, "text"), lambda made: zosc.destroy(made))
    both("zosc.dup", lambda: zosc.dup(zosc.create("/address", "is", 1, "text")), lambda made: zosc.destroy(made))

    @cycle("zosc, a tour")
    def _zosc() -> None:
        osc = zosc.create("/address", "ihfdscTFNI", 1, 2, 3.0, 4.0, "text", "c")
        zosc.append(osc, "is", 1, "more")
        zosc.retr(osc)
        zosc.first(osc)
        zosc.next(osc)
        zosc.last(osc)
        zosc.unpack(zosc.pack(osc))
        frame = zosc.packx(osc)
        zframe.destroy(frame)


if has("ztrie_new"):
    both("ztrie.new", lambda: ztrie.new(), lambda made: ztrie.destroy(made))

    @cycle("ztrie, a tour")
    def _ztrie() -> None:
        trie = ztrie.new()
        ztrie.insert_route(trie, "/a/{name:[^/]+}", ["data"], lambda data: None)
        ztrie.insert_route(trie, "/b/*")
        ztrie.matches(trie, "/a/one")
        ztrie.hit_data(trie)
        ztrie.hit_parameters(trie)
        ztrie.matches(trie, "/b/one/two")
        ztrie.hit_asterisk_match(trie)
        ztrie.remove_route(trie, "/b/*")


if has("ztimerset_new"):
    both("ztimerset.new", lambda: ztimerset.new(), lambda made: ztimerset.destroy(made))

    @cycle("ztimerset, a tour")
    def _ztimerset() -> None:
        timers = ztimerset.new()
        number = ztimerset.add(timers, 0, lambda number, arg: None, ["arg"])
        ztimerset.timeout(timers)
        ztimerset.execute(timers)
        ztimerset.set_interval(timers, number, 1000)
        ztimerset.reset(timers, number)
        ztimerset.cancel(timers, number)


simple("a handle of another class is refused", lambda: refused(zlist.size, HASH))
