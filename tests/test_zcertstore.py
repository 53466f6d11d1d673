"""zcertstore: stores of certificates in memory and over folders."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from pathlib import Path
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, ffi, zcert, zcertstore

#: Where C keeps loaders, zcertstore_certs and zcertstore_empty.
DRAFTS = hasattr(C, "zcertstore_set_loader")
needs_drafts = pytest.mark.skipif(not DRAFTS, reason="this libczmq is built without drafts")


def save(folder: Path, name: str, cert: Any = None) -> str:
    """Save a certificate's public half in a folder, and return its key."""
    cert = cert or zcert.new()
    assert zcert.save_public(cert, folder / name) == 0
    return zcert.public_txt(cert)


def test_replay_of_czmqs_self_test(tmp_path: Path) -> None:
    """A store over a folder finds what is put there, with its metadata, and forgets what is removed."""
    store = zcertstore.new(tmp_path)
    assert zcertstore.lookup(store, "0" * 40) is None
    cert = zcert.new()
    zcert.set_meta(cert, "name", "John Doe")
    key = zcert.public_txt(cert)
    assert zcertstore.lookup(store, key) is None
    assert zcert.save_public(cert, tmp_path / "mycert.txt") == 0
    zcert.destroy(cert)
    found = zcertstore.lookup(store, key)
    assert zcert.meta(found, "name") == "John Doe"
    os.unlink(tmp_path / "mycert.txt")
    assert zcertstore.lookup(store, key) is None
    zcertstore.destroy(store)
    assert zcert.public_txt(found) == key


def test_memory() -> None:
    """A store in memory has what was inserted, and hands out copies that live on without it."""
    store = zcertstore.new()
    certs = [zcert.new() for _ in range(50)]
    keys = [zcert.public_txt(cert) for cert in certs]
    secrets = [zcert.secret_key(cert) for cert in certs]
    for cert in certs:
        zcertstore.insert(store, cert)
    found = [zcertstore.lookup(store, key) for key in keys]
    zcertstore.destroy(store)
    assert [zcert.secret_key(cert) for cert in found] == secrets


def test_copies() -> None:
    """What a look-up returns is the caller's: changing or destroying it changes nothing in the store."""
    store = zcertstore.new()
    cert = zcert.new()
    key = zcert.public_txt(cert)
    zcertstore.insert(store, cert)
    one, other = zcertstore.lookup(store, key), zcertstore.lookup(store, key)
    zcert.set_meta(one, "name", "x")
    zcert.destroy(one)
    assert zcert.meta(other, "name") is None
    assert zcert.eq(zcertstore.lookup(store, key), other)


def test_insert_takes_over() -> None:
    """A certificate that was inserted is refused; so is one that was destroyed, and anything else."""
    store = zcertstore.new()
    cert, gone = zcert.new(), zcert.new()
    zcertstore.insert(store, cert)
    zcert.destroy(gone)
    for refused, match in ((cert, "inserted into a store"), (gone, "destroyed"), (ffi.cast("zcert_t *", 0), "NULL")):
        with pytest.raises(ValueError, match=f"cert .*{match}"):
            zcertstore.insert(store, refused)
    with pytest.raises(ValueError, match="inserted"):
        zcert.public_txt(cert)
    for bad in None, 1, store:
        with pytest.raises(TypeError, match="cert"):
            zcertstore.insert(store, bad)


def test_a_key_is_inserted_once(tmp_path: Path) -> None:
    """A second certificate with a key is refused where C would abort, and still belongs to its owner."""
    key = save(tmp_path, "cert")
    for store in zcertstore.new(), zcertstore.new(tmp_path):
        cert = zcert.new()
        copy = zcert.dup(cert)
        zcertstore.insert(store, cert)
        with pytest.raises(ValueError, match="in the store already"):
            zcertstore.insert(store, copy)
        assert len(zcert.public_key(copy)) == 32
    with pytest.raises(ValueError, match="in the store already"):
        zcertstore.insert(store, zcert.new_from_txt(key))


def test_too_much_metadata() -> None:
    """A certificate that CZMQ's authenticator has no room for is refused: the store may be given to one."""
    store = zcertstore.new()
    cert = zcert.new()
    zcert.set_meta(cert, "name", "x" * 600)
    with pytest.raises(ValueError, match="cert has too much metadata"):
        zcertstore.insert(store, cert)
    assert zcertstore.lookup(store, zcert.public_txt(cert)) is None


def test_what_is_no_key() -> None:
    """Any other text than a key is simply not found; NUL bytes and other types are errors."""
    store = zcertstore.new()
    zcertstore.insert(store, zcert.new())
    for text in "", "x", "x" * 41, "%s%n", b"\xff", "\udcff", "x" * 2**20:
        assert zcertstore.lookup(store, text) is None
    with pytest.raises(ValueError, match="public_key"):
        zcertstore.lookup(store, "x\0")
    with pytest.raises(TypeError, match="public_key"):
        zcertstore.lookup(store, None)


# ---------------------------------------------------------------- folders


def test_folders_in_the_folder(tmp_path: Path) -> None:
    """Certificates are found in folders at any depth; the secret half comes along if it is there."""
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    cert = zcert.new()
    assert zcert.save(cert, deep / "cert") == 0
    found = zcertstore.lookup(zcertstore.new(tmp_path), zcert.public_txt(cert))
    assert zcert.eq(found, cert)


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_locations(tmp_path: Path, kind: type) -> None:
    """A location is str, bytes or PathLike, never a format, and may be made later."""
    folder = tmp_path / "100%s%n"
    store = zcertstore.new(kind(folder))
    assert zcertstore.lookup(store, "0" * 40) is None
    folder.mkdir()
    key = save(folder, "cert")
    assert zcertstore.lookup(store, key) is not None


def test_locations_that_are_none(tmp_path: Path) -> None:
    """An empty location, where C would abort, a file and other types are refused."""
    (tmp_path / "file").write_text("")
    for bad, error in (("", ValueError), (tmp_path / "file", ValueError), ("a\0", ValueError), (1, TypeError)):
        with pytest.raises(error, match="location"):
            zcertstore.new(bad)


def test_files_that_are_no_certificates(tmp_path: Path) -> None:
    """Other files in the folder do not matter."""
    (tmp_path / "README").write_text("Hello, World\n")
    (tmp_path / "config").write_text("server\n    port = 1\n")
    (tmp_path / "empty").write_text("")
    (tmp_path / ".hidden").write_text("x\n" * 100000)
    (tmp_path / "dangling").symlink_to("nowhere")
    key = save(tmp_path, "cert")
    assert zcertstore.lookup(zcertstore.new(tmp_path), key) is not None


def broken(kind: str, folder: Path) -> None:
    """Put something into a folder that C aborts, crashes or hangs at."""
    cert = zcert.new()
    if kind == "copies":
        save(folder, "one", cert)
        save(folder, "other", cert)
    elif kind == "broken keys":
        for name in "one", "other":
            (folder / name).write_text(f'curve\n    public-key = "{"~" * 40}"\n')
    elif kind == "broken secret":
        save(folder, "one", cert)
        (folder / "one_secret").write_text(
            f'curve\n    public-key = "{zcert.public_txt(cert)}"\n    secret-key = "{"~" * 40}"\n'
        )
    elif kind == "lines":
        (folder / "one").write_text("x\n" * 2000000)
    elif kind == "metadata":
        zcert.set_meta(cert, "name", "x")
        save(folder, "one", cert)
        text = (folder / "one").read_text()
        (folder / "one").write_text(text.replace('"x"', '"' + "x" * 600 + '"'))
    elif kind == "name":
        (folder / "one").write_text(
            f'metadata\n    {"n" * 300} = 1\ncurve\n    public-key = "{zcert.public_txt(cert)}"\n'
        )
    elif kind == "loop":
        (folder / "loop").symlink_to(".")
        (folder / "other").symlink_to(".")
    elif kind == "link":
        (folder / "one.ln").write_bytes(b"\0")
    elif kind == "pipe":
        save(folder, "one", cert)
        os.mkfifo(folder / "one_secret")


KINDS = ["copies", "broken keys", "broken secret", "lines", "metadata", "name", "loop", "link", "pipe"]
if not hasattr(os, "mkfifo"):
    KINDS.remove("pipe")


@pytest.mark.parametrize("kind", KINDS)
def test_folders_that_c_cannot_stand(tmp_path: Path, kind: str) -> None:
    """What C would abort, crash or hang at is an error that names the place, until it is mended; others do not mind."""
    store, other = zcertstore.new(tmp_path), zcertstore.new()
    folder = tmp_path / "folder"
    folder.mkdir()
    key = save(tmp_path, "sound")
    assert zcertstore.lookup(store, key) is not None
    broken(kind, folder)
    for _ in range(2):
        with pytest.raises(ValueError, match="folder"):
            zcertstore.lookup(store, key)
    with pytest.raises(ValueError, match="folder"):
        zcertstore.insert(store, zcert.new())
    assert zcertstore.lookup(other, key) is None
    for file in folder.iterdir():
        file.unlink()
    assert zcertstore.lookup(store, key) is not None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    """A folder in the folder that may not be read, where C would abort, is an error that names it."""
    store = zcertstore.new(tmp_path)
    (tmp_path / "closed").mkdir(0o000)
    with pytest.raises(ValueError, match="closed cannot be read"):
        zcertstore.lookup(store, "0" * 40)
    (tmp_path / "closed").chmod(0o700)


def test_many_certificates(tmp_path: Path) -> None:
    """A folder of hundreds is found in full, and looked at again only when it has changed."""
    keys = [save(tmp_path, f"cert{number}") for number in range(300)]
    store = zcertstore.new(tmp_path)
    assert all(zcertstore.lookup(store, key) is not None for key in keys[:20])
    keys.append(save(tmp_path, "one more"))
    assert zcertstore.lookup(store, keys[-1]) is not None


# ---------------------------------------------------------------- loaders, of libraries with drafts


@pytest.mark.skipif(DRAFTS, reason="this libczmq is built with drafts")
def test_drafts_are_named() -> None:
    """Where libczmq has no drafts the error names the function that is missing, and nothing else has happened."""
    store = zcertstore.new()
    for call, name in (
        (lambda: zcertstore.set_loader(store, print), "zcertstore_set_loader"),
        (lambda: zcertstore.empty(store), "zcertstore_empty"),
        (lambda: zcertstore.certs(store), "zcertstore_certs"),
    ):
        with pytest.raises(AttributeError, match=f"{name} is not in this library"):
            call()
    assert zcertstore.state(store) is None
    assert zcertstore.lookup(store, "0" * 40) is None


@needs_drafts
def test_certs_and_empty(tmp_path: Path) -> None:
    """All certificates are listed, as copies, until the store is emptied."""
    store = zcertstore.new()
    keys = set()
    for _ in range(10):
        cert = zcert.new()
        keys.add(zcert.public_txt(cert))
        zcertstore.insert(store, cert)
    copies = zcertstore.certs(store)
    zcertstore.empty(store)
    assert {zcert.public_txt(cert) for cert in copies} == keys
    assert zcertstore.certs(store) == []
    zcertstore.insert(store, copies[0])
    key = save(tmp_path, "cert")
    assert [zcert.public_txt(cert) for cert in zcertstore.certs(zcertstore.new(tmp_path))] == [key]


@needs_drafts
def test_loader() -> None:
    """A loader fills the store at each look-up; it finds its state, which goes to the destructor in the end."""
    cert = zcert.new()
    key = zcert.public_txt(cert)
    state: dict[str, Any] = {"runs": 0}
    ended: list[Any] = []

    def load(given: Any) -> None:
        assert given is store
        state["runs"] += 1
        assert zcertstore.state(given) is state
        zcertstore.empty(given)
        zcertstore.insert(given, zcert.dup(cert))

    store = zcertstore.new()
    zcertstore.set_loader(store, load, ended.append, state)
    assert state["runs"] == 1
    assert zcert.eq(zcertstore.lookup(store, key), cert)
    assert len(zcertstore.certs(store)) == 1
    assert state["runs"] == 3
    assert ended == []
    zcertstore.destroy(store)
    assert ended == [state]


@needs_drafts
def test_loaders_replace_what_was_before(tmp_path: Path) -> None:
    """A loader takes the place of the folder, and of the loader before, whose state is destroyed first."""
    key = save(tmp_path, "cert")
    store = zcertstore.new(tmp_path)
    assert zcertstore.lookup(store, key) is not None
    ended: list[str] = []
    zcertstore.set_loader(store, zcertstore.empty, ended.append, "first")
    assert zcertstore.lookup(store, key) is None
    zcertstore.set_loader(store, lambda store: None, ended.append, "second")
    assert ended == ["first"]
    zcertstore.destroy(store)
    assert ended == ["first", "second"]


@needs_drafts
def test_exceptions_of_loaders() -> None:
    """What a loader raises comes out of the call that ran it."""
    store = zcertstore.new()
    failing = [True]

    def load(store: Any) -> None:
        if failing[0]:
            raise KeyError("no loading today")

    with pytest.raises(KeyError, match="no loading today"):
        zcertstore.set_loader(store, load)
    for call in (
        lambda: zcertstore.lookup(store, "0" * 40),
        lambda: zcertstore.certs(store),
        lambda: zcertstore.insert(store, zcert.new()),
    ):
        with pytest.raises(KeyError, match="no loading today"):
            call()
    failing[0] = False
    assert zcertstore.lookup(store, "0" * 40) is None


@needs_drafts
def test_exception_of_a_destructor() -> None:
    """What a destructor raises comes out of the call that ran it; the store is gone nevertheless."""
    store = zcertstore.new()

    def end(state: Any) -> None:
        raise KeyError(state)

    zcertstore.set_loader(store, lambda store: None, end, "mine")
    with pytest.raises(KeyError, match="mine"):
        zcertstore.destroy(store)
    with pytest.raises(ValueError, match="destroyed"):
        zcertstore.lookup(store, "0" * 40)


@needs_drafts
def test_what_loaders_must_not_do() -> None:
    """From inside its loader a store cannot be searched, destroyed or given another, nor a key be inserted twice."""
    store = zcertstore.new()
    cert = zcert.new()
    calls = [
        lambda: zcertstore.lookup(store, "0" * 40),
        lambda: zcertstore.certs(store),
        lambda: zcertstore.destroy(store),
        lambda: zcertstore.set_loader(store, print),
        lambda: [zcertstore.insert(store, zcert.dup(cert)) for _ in range(2)],
    ]
    for call in calls:
        with pytest.raises(ValueError, match="store"):
            zcertstore.set_loader(store, lambda store, call=call: call())
    zcertstore.set_loader(store, lambda store: None)
    assert zcertstore.lookup(store, zcert.public_txt(cert)) is not None


@needs_drafts
def test_loader_misuse() -> None:
    """What cannot be called is refused by the argument's name."""
    store = zcertstore.new()
    for loader, destructor, name in ((None, None, "loader"), (1, None, "loader"), (print, 1, "destructor")):
        with pytest.raises(TypeError, match=name):
            zcertstore.set_loader(store, loader, destructor)


@needs_drafts
def test_loaders_and_the_garbage_collector() -> None:
    """A loader lives as long as its store, though it refers back to it; then the destructor runs."""

    class Loader:
        def __init__(self) -> None:
            self.store = zcertstore.new()
            zcertstore.set_loader(self.store, self, ended.append, "state")

        def __call__(self, store: Any) -> None:
            pass

    ended: list[str] = []
    loader = Loader()
    store = loader.store
    gone = weakref.ref(loader)
    del loader
    gc.collect()
    assert gone() is not None
    assert zcertstore.lookup(store, "0" * 40) is None
    del store
    for _ in range(5):
        gc.collect()
    assert gone() is None
    assert ended == ["state"]


# ---------------------------------------------------------------- ownership


def test_destroy_once() -> None:
    """A store is destroyed once and refused afterwards by every function; None is let through."""
    store = zcertstore.new()
    assert zcertstore.destroy(None) is None
    assert zcertstore.destroy(store) is None
    calls = [
        lambda: zcertstore.destroy(store),
        lambda: zcertstore.lookup(store, "x"),
        lambda: zcertstore.insert(store, zcert.new()),
        lambda: zcertstore.print(store),
        lambda: zcertstore.dump(store),
        lambda: zcertstore.set_loader(store, print),
        lambda: zcertstore.empty(store),
        lambda: zcertstore.certs(store),
        lambda: zcertstore.state(store),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="store was destroyed"):
            call()


@pytest.mark.parametrize("bad", [None, 1, "store", ffi.cast("void *", 1), ffi.cast("zcert_t *", 1)])
def test_what_is_no_store(bad: Any) -> None:
    """Anything else than a store is a TypeError that names the argument; NULL is a ValueError."""
    with pytest.raises(TypeError, match="store must be"):
        zcertstore.lookup(bad, "x")
    with pytest.raises(ValueError, match="store is NULL"):
        zcertstore.lookup(ffi.cast("zcertstore_t *", 0), "x")


def test_raw_and_namespace_mix(tmp_path: Path) -> None:
    """Stores and certificates of the raw floor are taken; the caller owns them."""
    raw = C.zcertstore_new(ffi.NULL)
    cert = C.zcert_new()
    key = ffi.string(C.zcert_public_txt(cert))
    zcertstore.insert(raw, cert)
    assert C.zcertstore_lookup(raw, key)
    assert zcert.public_txt(zcertstore.lookup(raw, key)).encode() == key
    zcertstore.destroy(raw)
    with pytest.raises(ValueError, match="destroyed"):
        zcertstore.lookup(raw, key)


def test_garbage_collection(tmp_path: Path) -> None:
    """Stores that nobody destroys, with certificates in them, do no harm; copies outlive them."""
    key = save(tmp_path, "cert")
    found = []
    for _ in range(50):
        store = zcertstore.new(tmp_path)
        zcertstore.insert(store, zcert.new())
        found.append(zcertstore.lookup(store, key))
    del store
    collect()
    assert [zcert.public_txt(cert) for cert in found] == [key] * 50


def test_use_in_another_thread() -> None:
    """A store may be handed to another thread."""
    store = zcertstore.new()
    cert = zcert.new()
    key = zcert.public_txt(cert)
    found: list[Any] = []

    def work() -> None:
        zcertstore.insert(store, cert)
        found.append(zcertstore.lookup(store, key))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert zcert.public_txt(found[0]) == key


def test_printing() -> None:
    """The certificates are printed to CZMQ's log."""
    output = children.check(
        """
        from pyczmq import zcert, zcertstore
        store = zcertstore.new()
        cert = zcert.new()
        print(zcert.public_txt(cert), flush=True)
        zcertstore.insert(store, cert)
        zcertstore.print(store)
        zcertstore.dump(store)
        """
    )
    assert output.count("certificates in memory") == 2
    assert output.count(output.split()[0]) == 3


def test_czmqs_own_test() -> None:
    """CZMQ's self-test of the class passes."""
    zcertstore.test()
