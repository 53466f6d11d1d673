"""CertStore: certificates, found by their public keys, in a folder of files or in memory."""

from __future__ import annotations

import os

from .. import _certificates, _text, zcert, zcertstore
from ._base import Object, guarded
from .cert import Cert, public_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn

    from ._filenames import Filename
    from .cert import Key

_NO_KEY = bytes(32)


class CertStore(Object):
    """A store of certificates: over a folder of files, ``CertStore("certs")``, or in memory, ``CertStore()``.

        >>> from pyczmq import Cert, CertStore
        >>> store = CertStore()
        >>> cert = Cert.generate(name="Grace Hopper")
        >>> store.insert(cert)
        >>> store.lookup(cert.public_key).meta["name"], cert in store, Cert() in store
        ('Grace Hopper', True, False)

    A store over a folder looks at the files, and those in the folders below, again at every look-up: certificates can
    be saved there and removed at any time, and the folder may be made later. What it hands out are copies.

    The iteration yields copies of all certificates. Where C must not read the folder as it is now, such as with two
    files of the same key in it, this and every look-up raise ValueError, which names the file.
    """

    __slots__ = ("_location",)
    _noun = "certificate store"

    def __init__(self, location: Filename | None = None) -> None:
        """Make a store over the folder *location*, or in memory.

        Raises ValueError for a location that is a file, or a folder that C must not read as it is now.
        """
        self._location = None if location is None else os.fsdecode(_text.path(location, "location"))
        super().__init__(zcertstore.new(self._location))

    def _destroy(self, handle: Any) -> None:
        zcertstore.destroy(handle)

    @property
    def location(self) -> str | None:
        """The folder, or None for a store in memory."""
        return self._location

    @guarded
    def lookup(self, public_key: Key | Cert) -> Cert | None:
        """Return a copy of the certificate with a public key, or None.

        *public_key*: 40 characters of Z85, 32 bytes, or a certificate with that key.
        """
        found = zcertstore.lookup(self._handle, public_text(public_key, "public_key"))
        return None if found is None else Cert._of(found)

    @guarded
    def insert(self, cert: Cert) -> None:
        """Put a copy of a certificate into the store; the certificate itself stays the caller's.

        It is not saved, and a store over a folder drops it when the folder changes. Raises ValueError if the store has
        a certificate with that public key, or for more metadata than CZMQ's authenticator has room for.
        """
        if not isinstance(cert, Cert):
            raise TypeError(f"cert must be a Cert, not {type(cert).__name__}")
        zcertstore.insert(self._handle, cert.dup().handle)

    @guarded
    def empty(self) -> None:
        """Drop what was inserted; files stay, and are read again. The store has another `handle` afterwards."""
        fresh = zcertstore.new(self._location)
        zcertstore.destroy(self._handle)
        self._handle = fresh

    def __contains__(self, public_key: object) -> bool:
        return self.lookup(public_key) is not None  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Cert]:
        return iter(self._certs())

    @guarded
    def _certs(self) -> list[Cert]:
        """Return copies of all certificates; C itself can do that in drafts only."""
        found: dict[str, Cert | None] = {}
        if self._location is not None:
            # Raises ValueError for a folder that C must not read as it is now.
            self.lookup(_NO_KEY)
            for path, *_ in sorted(_certificates._walk(os.fsencode(self._location))):
                handle = None if path.endswith(b"_secret") else zcert.load(path)
                if handle is not None:
                    found[zcert.public_txt(handle)] = Cert._of(handle)
        for key in sorted(map(_text.decode, zcertstore._find(self._handle).keys)):
            # What was inserted may be gone since the folder has changed.
            found[key] = found.get(key) or self.lookup(key)
        return [cert for cert in found.values() if cert is not None]

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a certificate store cannot be pickled: that would spill its secret keys")

    def __repr__(self) -> str:
        where = "in memory" if self._location is None else f"over {self._location!r}"
        return f"<{type(self).__name__} {where}{', closed' if self.closed else ''}>"
