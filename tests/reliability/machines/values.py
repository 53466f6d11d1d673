"""Chunks, digests, UUIDs, certificates and stores of them against bytearray, hashlib and dict."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple

from pyczmq import zcert, zcertstore, zchunk, zdigest, zframe, zuuid

from . import CONTENTS, Call, Machine, Named, calls, initialize, made, refused, rule, same

_SIZES = st.sampled_from([0, 1, 5, 40, 300])


class Chunk(Named):
    """The model of a chunk."""

    def __init__(self, name: str, handle: Any, content: bytes, room: int) -> None:
        super().__init__(name)
        self.handle = handle
        self.content = content
        self.room = room
        self.consumed = 0
        self.alive = True


class Digest(Named):
    """The model of a digest, of the data that were added; or of a UUID, of its value."""

    def __init__(self, name: str, handle: Any, content: bytes = b"") -> None:
        super().__init__(name)
        self.handle = handle
        self.content = content
        self.finished = False
        self.alive = True


class Values(Machine):
    chunks: Bundle[Chunk] = Bundle("chunks")
    digests: Bundle[Digest] = Bundle("digests")
    uuids: Bundle[Digest] = Bundle("uuids")

    @initialize(target=chunks, content=CONTENTS)
    def begin(self, content: bytes) -> Chunk:
        return self.chunk(zchunk.new(content), content, len(content))

    def chunk(self, handle: Any, content: bytes, room: int) -> Chunk:
        return Chunk(self.name("chunk"), handle, content, room)

    @rule(target=chunks, content=CONTENTS, room=_SIZES, full=st.booleans())
    def new_chunk(self, content: bytes, room: int, full: bool) -> Chunk:
        if full:
            return self.chunk(zchunk.new(content), content, len(content))
        return self.chunk(zchunk.new(None, room), b"", room)

    @rule(
        target=chunks,
        chunk=chunks,
        call=calls(
            ("set", CONTENTS),
            ("append", CONTENTS),
            ("extend", CONTENTS),
            ("fill", st.integers(0, 255), _SIZES),
            ("resize", _SIZES),
            ("dup",),
            ("pack",),
            ("destroy",),
        ),
    )
    def with_chunk(self, chunk: Chunk, call: Call) -> Any:
        if not chunk.alive:
            for function in zchunk.size, zchunk.data, zchunk.dup, zchunk.pack, zchunk.digest, zchunk.destroy:
                refused(function, chunk.handle)
            refused(zchunk.append, chunk.handle, b"x")
            refused(zchunk.resize, chunk.handle, 5)
            same(zchunk.is_(chunk.handle), False)
            return multiple()
        result = getattr(self, call[0])(chunk, *call[1:])
        self.check(chunk)
        return made(result)

    def check(self, chunk: Chunk) -> None:
        if chunk.alive:
            same(zchunk.data(chunk.handle), chunk.content, f"content of {chunk}")
            same(zchunk.size(chunk.handle), len(chunk.content))
            assert zchunk.max_size(chunk.handle) >= len(chunk.content)
            chunk.room = zchunk.max_size(chunk.handle)
            same(zchunk.digest(chunk.handle), hashlib.sha1(chunk.content).hexdigest().upper())
            same(zchunk.exhausted(chunk.handle), chunk.consumed >= len(chunk.content))

    def set(self, chunk: Chunk, content: bytes) -> None:
        chunk.content = content[: chunk.room]
        same(zchunk.set(chunk.handle, content), len(chunk.content))

    def append(self, chunk: Chunk, content: bytes) -> None:
        chunk.content = (chunk.content + content)[: chunk.room]
        same(zchunk.append(chunk.handle, content), len(chunk.content))

    def extend(self, chunk: Chunk, content: bytes) -> None:
        chunk.content += content
        same(zchunk.extend(chunk.handle, content), len(chunk.content))

    def fill(self, chunk: Chunk, byte: int, size: int) -> None:
        chunk.content = bytes([byte]) * min(size, chunk.room)
        same(zchunk.fill(chunk.handle, byte, size), len(chunk.content))

    def resize(self, chunk: Chunk, size: int) -> None:
        zchunk.resize(chunk.handle, size)
        same(zchunk.max_size(chunk.handle), size)
        chunk.content = b""

    def dup(self, chunk: Chunk) -> Chunk:
        return self.chunk(zchunk.dup(chunk.handle), chunk.content, chunk.room)

    def pack(self, chunk: Chunk) -> Chunk:
        frame = zchunk.pack(chunk.handle)
        same(zframe.data(frame)[:], chunk.content)
        copy = self.chunk(zchunk.unpack(frame), chunk.content, len(chunk.content))
        zframe.destroy(frame)
        return copy

    def destroy(self, chunk: Chunk) -> None:
        zchunk.destroy(chunk.handle)
        chunk.alive = False

    @rule(chunk=chunks, source=chunks)
    def consume(self, chunk: Chunk, source: Chunk) -> None:
        if not chunk.alive or not source.alive:
            refused(zchunk.consume, chunk.handle, source.handle)
            return
        if chunk is source:
            # A chunk that consumes itself reads what it writes.
            return
        taken = source.content[source.consumed :][: chunk.room - len(chunk.content)]
        chunk.content += taken
        same(zchunk.consume(chunk.handle, source.handle), len(chunk.content))
        source.consumed += len(taken)
        self.check(chunk)
        self.check(source)

    # ---------------------------------------------------------------- digests and UUIDs

    @rule(target=digests)
    def new_digest(self) -> Digest:
        return Digest(self.name("digest"), zdigest.new())

    @rule(digest=digests, content=CONTENTS, verb=st.sampled_from(["update", "update", "data", "string", "destroy"]))
    def with_digest(self, digest: Digest, content: bytes, verb: str) -> None:
        wanted = hashlib.sha1(digest.content)
        if not digest.alive:
            for function in zdigest.data, zdigest.string, zdigest.size, zdigest.destroy:
                refused(function, digest.handle)
            refused(zdigest.update, digest.handle, content)
        elif verb == "update" and digest.finished:
            refused(zdigest.update, digest.handle, content)
        elif verb == "update":
            zdigest.update(digest.handle, content)
            digest.content += content
        elif verb == "data":
            same(zdigest.data(digest.handle), wanted.digest())
            digest.finished = True
        elif verb == "string":
            same(zdigest.string(digest.handle), wanted.hexdigest().upper())
            digest.finished = True
        else:
            zdigest.destroy(digest.handle)
            digest.alive = False

    @rule(target=uuids, value=st.binary(min_size=16, max_size=16))
    def new_uuid(self, value: bytes) -> Digest:
        return Digest(self.name("uuid"), zuuid.new_from(value), value)

    @rule(
        target=uuids,
        uuid=uuids,
        other=uuids,
        value=st.binary(min_size=16, max_size=16),
        verb=st.sampled_from(["set", "set_str", "set_from", "eq", "dup", "destroy"]),
    )
    def with_uuid(self, uuid: Digest, other: Digest, value: bytes, verb: str) -> Any:
        if not uuid.alive or not other.alive:
            refused(zuuid.eq, uuid.handle, other.handle)
            refused(zuuid.set, uuid.handle, other.handle)
            refused(zuuid.destroy, (uuid if not uuid.alive else other).handle)
            return multiple()
        if verb == "dup":
            return Digest(self.name("uuid"), zuuid.dup(uuid.handle), uuid.content)
        if verb == "destroy":
            zuuid.destroy(uuid.handle)
            uuid.alive = False
            return multiple()
        if verb == "set":
            zuuid.set(uuid.handle, value)
            uuid.content = value
        elif verb == "set_str":
            same(zuuid.set_str(uuid.handle, value.hex()), 0)
            uuid.content = value
            same(zuuid.set_str(uuid.handle, "no UUID"), -1)
        elif verb == "set_from":
            zuuid.set(uuid.handle, other.handle)
            uuid.content = other.content
        same(zuuid.eq(uuid.handle, other.handle), uuid.content == other.content)
        same(zuuid.data(uuid.handle), uuid.content)
        same(zuuid.str(uuid.handle), uuid.content.hex().upper())
        return multiple()


class Cert(Named):
    """The model of a certificate."""

    def __init__(self, name: str, handle: Any, keys: tuple[str, str], meta: dict[str, str]) -> None:
        super().__init__(name)
        self.handle = handle
        self.keys = keys
        self.meta = meta
        self.alive = True


class Store(Named):
    """The model of a store: certificates by public key."""

    def __init__(self, name: str, handle: Any) -> None:
        super().__init__(name)
        self.handle = handle
        self.certs: dict[str, Cert] = {}
        self.alive = True


class Certs(Machine):
    certs: Bundle[Cert] = Bundle("certs")
    stores: Bundle[Store] = Bundle("stores")

    @initialize(target=certs)
    def begin(self) -> Cert:
        return self.new_cert_of(zcert.new())

    def new_cert_of(self, handle: Any) -> Cert:
        return Cert(self.name("cert"), handle, (zcert.public_txt(handle), zcert.secret_txt(handle)), {})

    @rule(target=stores)
    def new_store(self) -> Store:
        return Store(self.name("store"), zcertstore.new())

    @rule(
        target=certs,
        cert=certs,
        other=certs,
        name=st.sampled_from(["name", "email"]),
        value=st.sampled_from(["", "value", "100%s", "\udcff"]),
        verb=st.sampled_from(["new", "set_meta", "dup", "from_text", "destroy", "eq"]),
    )
    def with_cert(self, cert: Cert, other: Cert, name: str, value: str, verb: str) -> Any:
        if verb == "new":
            return self.new_cert_of(zcert.new())
        if verb == "from_text":
            return self.new_cert_of(zcert.new_from_txt(*cert.keys))
        if not cert.alive:
            for function in zcert.public_txt, zcert.secret_key, zcert.dup, zcert.meta_keys, zcert.destroy:
                refused(function, cert.handle)
            refused(zcert.set_meta, cert.handle, name, value)
            refused(zcert.eq, cert.handle, other.handle)
            return multiple()
        if verb == "dup":
            copy = self.new_cert_of(zcert.dup(cert.handle))
            copy.meta = dict(cert.meta)
            self.check(copy)
            return copy
        if verb == "set_meta" and name not in cert.meta:
            zcert.set_meta(cert.handle, name, value)
            cert.meta[name] = value
        elif verb == "eq" and other.alive:
            same(zcert.eq(cert.handle, other.handle), cert.keys == other.keys)
        elif verb == "destroy":
            zcert.destroy(cert.handle)
            cert.alive = False
        self.check(cert)
        return multiple()

    def check(self, cert: Cert) -> None:
        if cert.alive:
            same((zcert.public_txt(cert.handle), zcert.secret_txt(cert.handle)), cert.keys)
            same({key: zcert.meta(cert.handle, key) for key in zcert.meta_keys(cert.handle)}, cert.meta)

    @rule(target=certs, store=stores, cert=certs, verb=st.sampled_from(["insert", "insert", "lookup", "destroy"]))
    def with_store(self, store: Store, cert: Cert, verb: str) -> Any:
        if not store.alive:
            refused(zcertstore.lookup, store.handle, cert.keys[0])
            refused(zcertstore.insert, store.handle, cert.handle)
            refused(zcertstore.destroy, store.handle)
            return multiple()
        if verb == "destroy":
            zcertstore.destroy(store.handle)
            store.alive = False
            return multiple()
        if verb == "insert":
            if not cert.alive or cert.keys[0] in store.certs:
                refused(zcertstore.insert, store.handle, cert.handle)
                return multiple()
            zcertstore.insert(store.handle, cert.handle)
            store.certs[cert.keys[0]] = cert
            cert.alive = False
        found = zcertstore.lookup(store.handle, cert.keys[0])
        known = store.certs.get(cert.keys[0])
        if known is None:
            same(found, None)
            return multiple()
        copy = self.new_cert_of(found)
        copy.meta = dict(known.meta)
        same(copy.keys, known.keys)
        self.check(copy)
        return copy
