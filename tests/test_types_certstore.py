"""CertStore: certificates found by key, in memory and over folders."""

from __future__ import annotations

import copy
import doctest
import gc
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import children
import pytest
from threads import in_use

from pyczmq import zcert, zcertstore
from pyczmq.types import certstore as module
from pyczmq.types.cert import Cert
from pyczmq.types.certstore import CertStore


def test_docstring_examples_run() -> None:
    assert doctest.testmod(module).failed == 0


def test_a_store_in_memory() -> None:
    """It has what was inserted, found by the key in each form; what comes out are copies."""
    store = CertStore()
    certs = [Cert.generate(name=f"{number}") for number in range(20)]
    for cert in certs:
        assert store.insert(cert) is None
    for cert in certs:
        for key in cert.public_key, cert.public_key.encode(), cert.public_bytes, bytearray(cert.public_bytes), cert:
            found = store.lookup(key)
            assert found == cert and found is not cert
            assert found.meta == cert.meta
            assert key in store
    found = store.lookup(certs[0])
    assert found is not None
    found.meta["name"] = "changed"
    found.close()
    assert [cert.meta["name"] for cert in [store.lookup(certs[0])] if cert] == ["0"]
    assert store.lookup(Cert()) is None and Cert() not in store and "0" * 40 not in store
    assert store.location is None


def test_a_store_over_a_folder(tmp_path: Path) -> None:
    """It finds what is saved there, also in a folder below, and forgets what is removed. The folder may come late."""
    folder = tmp_path / "certs"
    store = CertStore(folder)
    assert store.location == str(folder)
    cert, other = Cert.generate(name="x"), Cert()
    assert cert not in store and list(store) == []
    (folder / "below").mkdir(parents=True)
    cert.save_public(folder / "cert")
    other.save(folder / "below" / "other")
    found = store.lookup(cert)
    assert found == Cert(cert.public_key) and found.meta == {"name": "x"}
    assert store.lookup(other.public_key) == other
    assert {found.public_key for found in store} == {cert.public_key, other.public_key}
    (folder / "cert").unlink()
    assert cert not in store
    assert list(store) == [other]


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_locations_of_any_type(tmp_path: Path, kind: Callable[[Any], Any]) -> None:
    for name in "100%s", "with space", "ümläut", os.fsdecode(b"\xff"):
        folder = tmp_path / name
        folder.mkdir()
        cert = Cert()
        cert.save(folder / "cert")
        store = CertStore(kind(folder))
        assert cert in store and list(store) == [cert]
        assert store.location == str(folder)


def test_a_certificate_stays_the_callers() -> None:
    """What is inserted is a copy: the certificate is used, changed and closed as before, to no effect in the store."""
    store = CertStore()
    cert = Cert.generate(name="x")
    key = cert.public_key
    store.insert(cert)
    cert.meta["name"] = "y"
    assert [found.meta["name"] for found in store] == ["x"]
    cert.close()
    found = store.lookup(key)
    assert found is not None and found.has_secret
    store.close()
    assert found.public_key == key


def test_inserting_twice_or_too_much(tmp_path: Path) -> None:
    """A key that is there already, in memory or in a file, and metadata that C has no room for, are refused."""
    cert = Cert()
    store = CertStore(tmp_path)
    cert.save_public(tmp_path / "cert")
    with pytest.raises(ValueError, match="cert has a public key that is in the store already"):
        store.insert(cert)
    memory = CertStore()
    memory.insert(cert)
    with pytest.raises(ValueError, match="in the store already"):
        memory.insert(Cert(cert.public_key))
    large = Cert.generate(large="x" * 600)
    with pytest.raises(ValueError, match="too much metadata"):
        memory.insert(large)
    assert large.meta["large"] == "x" * 600
    assert list(memory) == [cert]


def test_iteration(tmp_path: Path) -> None:
    """All certificates come once, those of files and those that were inserted, as copies; dot files are none."""
    store = CertStore(tmp_path)
    saved = [Cert.generate(number=f"{number}") for number in range(5)]
    for number, cert in enumerate(saved):
        cert.save(tmp_path / f"cert{number}")
    Cert().save(tmp_path / ".hidden")
    Cert().save_secret(tmp_path / "alone_secret")
    (tmp_path / "text").write_text("Hello, World\n")
    inserted = Cert()
    store.insert(inserted)
    zcertstore.insert(store.handle, zcert.dup(inserted_raw := zcert.new()))
    found = list(store)
    assert set(found) == {*saved, inserted, Cert._of(inserted_raw)}
    assert len(found) == 7
    assert [cert.meta["number"] for cert in found[:5]] == ["0", "1", "2", "3", "4"]
    found[0].close()
    assert len(list(store)) == 7


def test_what_was_inserted_goes_when_the_folder_changes(tmp_path: Path) -> None:
    """C drops it then; neither look-ups nor the iteration have it any more, and it may be inserted again."""
    store = CertStore(tmp_path)
    cert, saved = Cert(), Cert()
    store.insert(cert)
    assert list(store) == [cert]
    saved.save(tmp_path / "saved")
    assert list(store) == [saved] and cert not in store
    store.insert(cert)
    assert set(store) == {saved, cert}


def test_emptying(tmp_path: Path) -> None:
    """What was inserted goes, files stay; the store is used as before, under another handle."""
    memory, folder = CertStore(), CertStore(tmp_path)
    cert, saved = Cert(), Cert()
    saved.save(tmp_path / "saved")
    for store in memory, folder:
        store.insert(cert)
        handle = store.handle
        assert store.empty() is None
        assert cert not in store
        with pytest.raises(ValueError, match="store was destroyed"):
            zcertstore.lookup(handle, cert.public_key)
        store.insert(cert)
        assert cert in store
    memory.empty()
    assert list(memory) == []
    folder.empty()
    assert list(folder) == [saved]


def test_folders_that_c_must_not_read(tmp_path: Path) -> None:
    """Two files with one key would end the process: every look-up names the file, until it is gone."""
    store = CertStore(tmp_path)
    cert = Cert()
    cert.save_public(tmp_path / "one")
    cert.save_public(tmp_path / "two")
    for use in store.lookup, store.insert, store.__contains__, lambda cert: list(store):
        with pytest.raises(ValueError, match=r"two has the same key as .*one"):
            use(cert)
    (tmp_path / "two").unlink()
    assert list(store) == [Cert(cert.public_key)]
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(ValueError, match="too deep"):
        list(store)


@pytest.mark.parametrize(
    ("location", "error", "match"),
    [
        ("", ValueError, "location must not be empty"),
        (__file__, ValueError, "is not a folder"),
        ("a\0b", ValueError, "location must not contain a NUL"),
        (1, TypeError, "location must be str, bytes or os.PathLike"),
        (object(), TypeError, "location must be str, bytes or os.PathLike"),
    ],
)
def test_locations_that_are_none(location: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        CertStore(location)


@pytest.mark.parametrize("key", ["", "x" * 39, "~" * 40, "\ud800" * 40, b"x" * 33, "x" * 39 + "\0"])
def test_what_is_no_key(key: Any) -> None:
    store = CertStore()
    for use in store.lookup, store.__contains__:
        with pytest.raises(ValueError, match="public_key must be a key"):
            use(key)


@pytest.mark.parametrize("bad", [None, 1, object(), 2**70])
def test_what_is_neither_key_nor_certificate(bad: Any) -> None:
    store = CertStore()
    for use in store.lookup, store.__contains__:
        with pytest.raises(TypeError, match="public_key must be a key"):
            use(bad)
    for thing in bad, "x" * 40, store, Cert().handle:
        with pytest.raises(TypeError, match="cert must be a Cert"):
            store.insert(thing)
    closed = Cert()
    closed.close()
    for use in store.lookup, store.insert, store.__contains__:
        with pytest.raises(ValueError, match="the certificate is closed"):
            use(closed)
    assert list(store) == []


# ---------------------------------------------------------------- life and death

USES: dict[str, Callable[[CertStore], Any]] = {
    "lookup": lambda store: store.lookup("0" * 40),
    "insert": lambda store: store.insert(Cert()),
    "in": lambda store: "0" * 40 in store,
    "iteration": list,
    "empty": lambda store: store.empty(),
}


@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
def test_use_of_a_closed_store(use: Callable[[CertStore], Any]) -> None:
    """After close every method raises, also where the handle was destroyed by other means; nothing reaches C."""
    with CertStore() as store:
        assert not store.closed
    assert store.closed
    store.close()
    destroyed = CertStore()
    zcertstore.destroy(destroyed.handle)
    for gone in store, destroyed:
        with pytest.raises(ValueError, match="the certificate store is closed"):
            use(gone)
    assert repr(destroyed) == "<CertStore in memory, closed>"


@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
def test_use_in_two_threads(use: Callable[[CertStore], Any]) -> None:
    """While another thread is in a method every other raises; so does an insertion of a certificate in use."""
    store, cert = CertStore(), Cert()
    with in_use(store):
        with pytest.raises(RuntimeError, match="the certificate store is in use in another thread"):
            use(store)
        with pytest.raises(RuntimeError, match="in use"):
            store.close()
    with in_use(cert), pytest.raises(RuntimeError, match="the certificate is in use in another thread"):
        store.insert(cert)
    use(store)


def test_repr(tmp_path: Path) -> None:
    store = CertStore(tmp_path)
    assert repr(store) == f"<CertStore over {str(tmp_path)!r}>"
    assert repr(CertStore()) == "<CertStore in memory>"
    store.close()
    assert repr(store) == f"<CertStore over {str(tmp_path)!r}, closed>"


def test_no_pickling() -> None:
    """A store is neither pickled nor copied."""
    store = CertStore()
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(store, protocol)
    with pytest.raises(TypeError):
        copy.copy(store)


def test_garbage_collection(tmp_path: Path) -> None:
    """Stores that nobody closes do no harm; what they handed out lives on."""
    found = []
    for _ in range(50):
        store = CertStore(tmp_path)
        store.insert(Cert())
        found += list(store)
    del store
    gc.collect()
    assert len({cert.public_key for cert in found}) == 50


def test_a_loader_of_the_namespace() -> None:
    """Where C has loaders, a store that has one is iterated and refuses to be emptied while it loads."""
    store = CertStore()
    cert = zcert.new()

    def load(handle: Any) -> None:
        zcertstore.empty(handle)
        zcertstore.insert(handle, zcert.dup(cert))

    try:
        zcertstore.set_loader(store.handle, load)
    except AttributeError as error:
        pytest.skip(str(error))
    assert [found.public_key for found in store] == [zcert.public_txt(cert)]
    handle = store.handle
    with pytest.raises(ValueError, match="store is in use"):
        zcertstore.set_loader(handle, lambda handle: store.empty())
    assert store.handle is handle and not store.closed


def test_exit_with_stores_alive() -> None:
    children.check(
        """
        from pyczmq.types.cert import Cert
        from pyczmq.types.certstore import CertStore
        store = CertStore()
        store.insert(Cert())
        other = CertStore("nowhere")
        """
    )
