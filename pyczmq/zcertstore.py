"""zcertstore: stores of CURVE certificates, found by public key: a folder of files, or memory.

A store over a folder looks at the files again at every look-up, so that certificates can be added and removed at any
time; the folder may even be made later. A store in memory has what was inserted into it.

    >>> from pyczmq import zcert, zcertstore
    >>> store = zcertstore.new()
    >>> cert = zcert.new()
    >>> key = zcert.public_txt(cert)
    >>> zcertstore.insert(store, cert)
    >>> zcert.public_txt(zcertstore.lookup(store, key)) == key
    True

The store belongs to one thread at a time. What it hands out are copies: its own certificates come and go as it reads
its folder. What is in that folder is checked first, since C ends the process over, say, two files with one key; a
look-up raises ValueError then, and names the file.
"""

from __future__ import annotations

import weakref
from _thread import get_ident

from . import _certificates, _handles, _keeper, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from ._types import CData, Cert, CertStore, Text
    from .zcert import Filename

    State = TypeVar("State")

_STORE = ffi.typeof("zcertstore_t *")
_free = _handles.freer(C.zcertstore_destroy, "zcertstore_t *")
_free_list = _handles.freer(C.zlistx_destroy, "zlistx_t *")

#: Stores with a loader of Python's, by their pointers.
_loading: weakref.WeakValueDictionary[CData, _Store] = weakref.WeakValueDictionary()


class _Store(_keeper.Keeper):
    """What goes with one store: its folder, or the loader that it was given."""

    __slots__ = ("destructor", "error", "folder", "keys", "loader", "state")

    def __init__(self) -> None:
        super().__init__()
        self.folder: _certificates.Folder | None = None
        self.loader: Callable[[CertStore], object] | None = None
        self.destructor: Callable[[Any], object] | None = None
        self.state: Any = None
        self.error: BaseException | None = None
        #: The public keys that were inserted and are still there, as far as is known.
        self.keys: set[bytes] = set()

    def __call__(self, pointer: CData) -> None:
        """Let go of the loader's state: the store is gone."""
        self.set_loader(None, None, None)

    def set_loader(self, loader: Any, destructor: Any, state: Any) -> None:
        """Note the loader, after the destructor of the one before."""
        before, self.destructor = self.destructor, None
        old, self.state = self.state, None
        self.loader = None
        if before is not None:
            before(old)
        self.loader, self.destructor, self.state = loader, destructor, state

    def load(self) -> None:
        """Run the loader, for C; an exception waits for the call that C was in."""
        try:
            if self.loader is not None:
                self.loader(self.handle())
        except BaseException as error:
            self.error = error

    def call(self, function: Any, *args: Any) -> Any:
        """Call a C function that may load, and raise what the loader raised."""
        if self.busy:
            raise ValueError("store is loading: its loader may only empty it and insert into it")
        if self.folder is not None:
            self.folder.check()
        self.busy = get_ident()
        try:
            result = function(*args)
        finally:
            self.busy = 0
        error, self.error = self.error, None
        if error is not None:
            raise error
        return result


def new(location: Filename | None = None) -> CertStore:
    """Return a new store over the folder *location* and those in it, or in memory.

    The garbage collector owns it. Raises ValueError for a location that is something else than a folder, and for a
    folder that C must not read as it is now, with the name of the file.

    C: ``zcertstore_t *zcertstore_new (const char *location)``
    """
    keeper = _Store()
    if location is not None:
        keeper.folder = _certificates.Folder(location)
        # C reads it at once.
        keeper.folder.check()
    pointer = C.zcertstore_new(ffi.NULL if keeper.folder is None else keeper.folder.path)
    store = _keeper.own(pointer, _free, keeper)
    if store is None:
        raise MemoryError("no memory for a certificate store")
    return store


def destroy(store: CertStore | None) -> None:
    """Destroy a store now, with the certificates in it; None is let through. Files stay.

    C: ``void zcertstore_destroy (zcertstore_t **self_p)``
    """
    if store is not None:
        keeper = _find(store)
        _keeper.destroy(store, _STORE, _free, "store", _Store)
        keeper.set_loader(None, None, None)


def lookup(store: CertStore, public_key: Text) -> Cert | None:
    """Return a copy of the certificate with a public key, given as 40 characters of Z85; None if there is none.

    C: ``zcert_t *zcertstore_lookup (zcertstore_t *self, const char *public_key)``
    """
    found = _find(store).call(C.zcertstore_lookup, store, _text.cstring(public_key, "public_key"))
    return _certificates.own(C.zcert_dup(found)) if found else None


def insert(store: CertStore, cert: Cert) -> None:
    """Hand a certificate over to the store; its handle is refused from now on.

    It is not saved, and a store over a folder drops it when the folder changes. Raises ValueError if the store has a
    certificate with that public key, or if the metadata is more than CZMQ's authenticator has room for.

    C: ``void zcertstore_insert (zcertstore_t *self, zcert_t **cert_p)``
    """
    keeper = _find(store)
    _handles.live(cert, _certificates.CERT, "cert")
    try:
        _certificates.check_room(cert)
    except ValueError as error:
        raise ValueError(f"cert {error}") from None
    key = _certificates.public_text(cert)
    if key in keeper.keys if keeper.busy else keeper.call(C.zcertstore_lookup, store, key):
        raise ValueError("cert has a public key that is in the store already")
    # First, or what the handler of a signal raises could leave the certificate to two owners.
    _handles.disown(cert, "was inserted into a store")
    C.zcertstore_insert(store, ffi.new("zcert_t **", cert))
    keeper.keys.add(key)


def print(store: CertStore) -> None:
    """Write the certificates in the store to CZMQ's log, the standard output if not told otherwise; secret keys, too.

    C: ``void zcertstore_print (zcertstore_t *self)``
    """
    C.zcertstore_print(_live(store))


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zcertstore_test (bool verbose)``
    """
    from ._selftest import run

    run("zcertstore_test", verbose)


def set_loader(
    store: CertStore,
    loader: Callable[[CertStore], object],
    destructor: Callable[[State], object] | None = None,
    state: State | None = None,
) -> None:
    """Have *loader* fill the store, in place of its folder; only libraries built with drafts have this.

    ``loader(store)`` is called now and at every look-up: it may leave the store alone, or `empty` it and `insert`
    certificates. It finds *state* with `state`. ``destructor(state)`` is called once the store is gone or gets another
    loader. What the loader raises comes out of the call that ran it.

    C: ``void zcertstore_set_loader (zcertstore_t *self, zcertstore_loader loader, zcertstore_destructor destructor, void *state)``
    """  # noqa: E501
    for name, function in ("loader", loader), ("destructor", destructor):
        if not callable(function) and (function is not None or name == "loader"):
            raise TypeError(f"{name} must be callable, not {type(function).__name__}")
    keeper = _find(store)
    set_loader = C.zcertstore_set_loader
    if keeper.busy:
        raise ValueError("store is loading: its loader cannot be replaced now")
    if keeper.loader is None:
        # C ends the process over a key that is inserted twice.
        keeper.keys = {_certificates.public_text(cert) for cert in certs(store)}
    keeper.folder = None
    keeper.set_loader(loader, destructor, state)
    # Without the handle in it, which would then live for ever.
    _loading[ffi.cast(_STORE, store)] = keeper
    keeper.call(set_loader, store, _c_loader(), ffi.NULL, ffi.NULL)


def empty(store: CertStore) -> None:
    """Remove all certificates from the store in memory, for loaders; only libraries built with drafts have this.

    C: ``void zcertstore_empty (zcertstore_t *self)``
    """
    keeper = _find(store)
    C.zcertstore_empty(store)
    keeper.keys.clear()


def certs(store: CertStore) -> list[Cert]:
    """Return copies of all certificates in the store; only libraries built with drafts have this.

    C: ``zlistx_t *zcertstore_certs (zcertstore_t *self)``
    """
    found = _find(store).call(C.zcertstore_certs, store)
    copies: list[Cert] = []
    try:
        item = C.zlistx_first(found)
        while item:
            copy = _certificates.own(C.zcert_dup(ffi.cast("zcert_t *", item)))
            if copy is None:
                raise MemoryError("no memory for a certificate")
            copies.append(copy)
            item = C.zlistx_next(found)
    finally:
        _free_list(found)
    return copies


def state(store: CertStore) -> Any:
    """Return the state that `set_loader` was given; None if it was not called.

    C: ``void *zcertstore_state (zcertstore_t *self)``
    """
    return _find(store).state


def dump(store: CertStore) -> None:
    """Write the certificates in the store to CZMQ's log, as `print` does: the name that CZMQ 2 had for it.

    C: ``void zcertstore_dump (zcertstore_t *self)``
    """
    print(store)


def _live(store: CertStore) -> CertStore:
    return _handles.live(store, _STORE, "store")


def _find(store: CertStore) -> _Store:
    return _keeper.find(store, _STORE, "store", _Store)


_callback: CData | None = None


def _c_loader() -> CData:
    """Return the C function that runs Python's loaders."""
    global _callback
    if _callback is None:
        _callback = ffi.callback("void(zcertstore_t *)", _load)
    return _callback


def _load(pointer: CData) -> None:
    keeper = _loading.get(pointer)
    if keeper is not None:
        keeper.load()


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zcertstore")
