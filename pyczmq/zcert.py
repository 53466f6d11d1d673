"""zcert: certificates for CURVE security. A certificate is a public and a secret key, with metadata.

A certificate lives in memory, or on disk as two files: one with the public key, to be given to whoever is to know it,
and one with ``_secret`` added to its name that holds both keys and that only its owner can read. Who knows a server's
public key can connect to it, encrypted; whom the server lets in is up to `zauth`.

    >>> from pyczmq import zcert
    >>> cert = zcert.new()
    >>> zcert.set_meta(cert, "name", "Grace Hopper")
    >>> zcert.meta(cert, "name"), zcert.meta(cert, "email")
    ('Grace Hopper', None)
    >>> len(zcert.public_key(cert)), len(zcert.public_txt(cert))
    (32, 40)
    >>> zcert.eq(cert, zcert.dup(cert))
    True

Files are written whole or not at all, through a rename.
"""

from __future__ import annotations

from . import _certificates, _handles, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Union

    from ._types import Buffer, CData, Cert, Socketish, Text

    Filename = Union[str, bytes, PathLike[str], PathLike[bytes]]

_CERT = _certificates.CERT
_KEY_BYTES = 32


def new() -> Cert:
    """Return a new certificate with a fresh key pair; where libzmq has no CURVE, both keys are zeros.

    The garbage collector owns it, and it stays usable in a forked child.

    C: ``zcert_t *zcert_new (void)``
    """
    cert = _certificates.own(C.zcert_new())
    if cert is None:
        raise RuntimeError("libzmq cannot make a key pair")
    return cert


def new_from(public_key: Buffer, secret_key: Buffer | None = None) -> Cert:
    """Return a certificate with the given keys, 32 bytes each; with no secret key that half is zeros.

    C: ``zcert_t *zcert_new_from (const byte *public_key, const byte *secret_key)``
    """
    secret = bytes(_KEY_BYTES) if secret_key is None else _key(secret_key, "secret_key")
    return _certificates.new_from(_key(public_key, "public_key"), secret)


def _key(key: Buffer, name: str) -> bytes | CData:
    data = _text.data(key, name)
    if len(data) != _KEY_BYTES:
        raise ValueError(f"{name} must be {_KEY_BYTES} bytes, not {len(data)}; new_from_txt takes keys as text")
    return data


def load(filename: Filename) -> Cert | None:
    """Return the certificate in a file: with both keys if there is a file with ``_secret`` added, else the public one.

    Returns None if neither file has a sound certificate. A secret key that is not there is all zeros.

    C: ``zcert_t *zcert_load (const char *filename)``
    """
    return _certificates.load(_text.path(filename))


def destroy(cert: Cert | None) -> None:
    """Destroy a certificate now, in memory; None is let through. Its files stay.

    C: ``void zcert_destroy (zcert_t **self_p)``
    """
    _handles.destroy(cert, _CERT, _certificates.free, "cert")


def public_key(cert: Cert) -> bytes:
    """Return the public key, 32 bytes.

    C: ``const byte *zcert_public_key (zcert_t *self)``
    """
    return bytes(ffi.buffer(C.zcert_public_key(_live(cert)), _KEY_BYTES))


def secret_key(cert: Cert) -> bytes:
    """Return the secret key, 32 bytes; zeros if the certificate has none.

    C: ``const byte *zcert_secret_key (zcert_t *self)``
    """
    return bytes(ffi.buffer(C.zcert_secret_key(_live(cert)), _KEY_BYTES))


def public_txt(cert: Cert) -> str:
    """Return the public key as text: 40 characters of Z85.

    C: ``const char *zcert_public_txt (zcert_t *self)``
    """
    return _text.decode(_certificates.public_text(_live(cert)))


def secret_txt(cert: Cert) -> str:
    """Return the secret key as text: 40 characters of Z85.

    C: ``const char *zcert_secret_txt (zcert_t *self)``
    """
    return _text.decode(_certificates.secret_text(_live(cert)))


def set_meta(cert: Cert, name: Text, value: Text) -> None:
    """Give the certificate a value under *name*, which is never a format.

    A name consists of ASCII letters, digits and ``$-_@.&+/`` with no slash at either end, and a value has no double
    quote and no line feed: a file with any other would not be read again (ValueError). C keeps the first value that a
    name was given, so another one replaces it only where libczmq is built with drafts; elsewhere it is a ValueError.

    C: ``void zcert_set_meta (zcert_t *self, const char *name, const char *format, ...)``
    """
    _live(cert)
    key, text = _text.cstring(name, "name"), _text.cstring(value, "value")
    _certificates.check_meta(key, text)
    before = C.zcert_meta(cert, key)
    if before:
        if ffi.string(before) == text:
            return
        if not hasattr(C, "zcert_unset_meta"):
            raise ValueError(f"name {_text.decode(key)!r} has a value, which this libczmq cannot replace")
        C.zcert_unset_meta(cert, key)
    C.zcert_set_meta(cert, key, b"%s", ffi.new("char[]", text))


def meta(cert: Cert, name: Text) -> str | None:
    """Return the value under *name* in the metadata, or None.

    C: ``const char *zcert_meta (zcert_t *self, const char *name)``
    """
    return _text.string(C.zcert_meta(_live(cert), _text.cstring(name, "name")))


def meta_keys(cert: Cert) -> list[str]:
    """Return the names in the metadata, in no order.

    C: ``zlist_t *zcert_meta_keys (zcert_t *self)``
    """
    return [_text.decode(name) for name in _certificates.meta_keys(_live(cert))]


def save(cert: Cert, filename: Filename) -> int:
    """Save the certificate to two files, the public one and that with ``_secret`` added; return 0, or -1.

    See `save_public` and `save_secret`.

    C: ``int zcert_save (zcert_t *self, const char *filename)``
    """
    _live(cert)
    path = _text.path(filename)
    if _certificates.save(cert, path + b"_secret" if path else path, True) != 0:
        return -1
    return _certificates.save(cert, path, False)


def save_public(cert: Cert, filename: Filename) -> int:
    """Save the public half of the certificate to a file; return 0, or -1 if it cannot be written.

    Raises ValueError for more metadata than fits into the 512 bytes that CZMQ's authenticator has for it.

    C: ``int zcert_save_public (zcert_t *self, const char *filename)``
    """
    return _certificates.save(_live(cert), _text.path(filename), False)


def save_secret(cert: Cert, filename: Filename) -> int:
    """Save the certificate with both keys to one file that only its owner can read; return 0, or -1.

    The file gets mode 0600 whatever the umask is, and whatever mode it had before. Nothing is added to its name.

    C: ``int zcert_save_secret (zcert_t *self, const char *filename)``
    """
    return _certificates.save(_live(cert), _text.path(filename), True)


def apply(cert: Cert, socket: Socketish) -> None:
    """Use the certificate's keys for CURVE security on a socket.

    Do it before the socket binds or connects. A client also needs the server's public key
    (`zsocket.set_curve_serverkey`), a server must be told that it is one (`zsocket.set_curve_server`). With a
    certificate that has no secret key no connection comes about.

    C: ``void zcert_apply (zcert_t *self, void *socket)``
    """
    C.zcert_apply(_live(cert), _handles.socket(socket))


def dup(cert: Cert) -> Cert:
    """Return a copy of the certificate, keys and metadata.

    C: ``zcert_t *zcert_dup (zcert_t *self)``
    """
    copy = _certificates.own(C.zcert_dup(_live(cert)))
    if copy is None:
        raise MemoryError("no memory for a certificate")
    return copy


def eq(cert: Cert, compare: Cert) -> bool:
    """Tell whether two certificates have the same keys; the metadata does not matter.

    C: ``bool zcert_eq (zcert_t *self, zcert_t *compare)``
    """
    return C.zcert_eq(_live(cert), _handles.live(compare, _CERT, "compare"))


def print(cert: Cert) -> None:
    """Write the certificate to CZMQ's log, the standard output if not told otherwise; also the secret key.

    C: ``void zcert_print (zcert_t *self)``
    """
    C.zcert_print(_live(cert))


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zcert_test (bool verbose)``
    """
    from ._selftest import run

    run("zcert_test", verbose)


def new_from_txt(public_txt: Text, secret_txt: Text | None = None) -> Cert:
    """Return a certificate with keys given as text, 40 characters of Z85 each; with no secret key that half is zeros.

    Works with every libczmq, although C has it among the drafts.

    C: ``zcert_t *zcert_new_from_txt (const char *public_txt, const char *secret_txt)``
    """
    secret = bytes(_KEY_BYTES) if secret_txt is None else _decode(secret_txt, "secret_txt")
    return _certificates.new_from(_decode(public_txt, "public_txt"), secret)


def _decode(text: Text, name: str) -> bytes:
    key = _certificates.decode(_text.cstring(text, name))
    if key is None:
        raise ValueError(f"{name} must be a key of 40 characters of Z85")
    return key


def unset_meta(cert: Cert, name: Text) -> None:
    """Remove *name* from the metadata, if it is there. Only libraries built with drafts have this.

    C: ``void zcert_unset_meta (zcert_t *self, const char *name)``
    """
    C.zcert_unset_meta(_live(cert), _text.cstring(name, "name"))


def dump(cert: Cert) -> None:
    """Write the certificate to CZMQ's log, as `print` does: the name that CZMQ 2 had for it.

    C: ``void zcert_dump (zcert_t *self)``
    """
    print(cert)


def _live(cert: Cert) -> Cert:
    return _handles.live(cert, _CERT, "cert")


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zcert")
