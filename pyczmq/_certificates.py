"""Certificate files: read, written and vetted in Python, since CZMQ's own code trips over what it does not expect.

What is checked here would otherwise end the process: CZMQ frees a parsed file by recursion, one level a line; a folder
of certificates may hold no two with the same key, no folder that cannot be read, no broken key twice; and its
authenticator copies metadata into 512 bytes without a look at whether they fit.
"""

from __future__ import annotations

import errno
import os
import stat

from . import _config, _handles, _streams, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._types import CData, Cert

    #: A file, and what tells that it has changed.
    Entry = tuple[bytes, int, int, int]

#: Bytes that the authenticator has for a certificate's metadata, each with five more.
ROOM = 512
_LONGEST_NAME = 255
_PER_ITEM = 5

_KEY_BYTES = 32
_KEY_TEXT = 40

_MOST_LINES = 1000
_MOST_BYTES = 2**20
_DEEPEST = 20
_LONGEST_PATH = 1000

_NAME_CHARACTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789$-_@.&+/")

CERT = ffi.typeof("zcert_t *")
free = _handles.freer(C.zcert_destroy, "zcert_t *")
_free_config = _handles.freer(C.zconfig_destroy, "zconfig_t *")
_free_list = _handles.freer(C.zlist_destroy, "zlist_t *")


def own(pointer: CData) -> Cert | None:
    """Return a handle for a certificate that the garbage collector cares for; None for NULL."""
    return _handles.own(pointer, free, fork_safe=True)  # type: ignore[return-value]


def new_from(public_key: bytes | CData, secret_key: bytes | CData) -> Cert:
    """Return a handle for a certificate with the two keys, 32 bytes each."""
    cert = own(C.zcert_new_from(public_key, secret_key))
    if cert is None:
        raise MemoryError("no memory for a certificate")
    return cert


def decode(text: bytes) -> bytes | None:
    """Return the 32 bytes of a key that is written as 40 characters of Z85; None if it is not."""
    key = ffi.new("uint8_t[]", _KEY_BYTES)
    if len(text) != _KEY_TEXT or b"\0" in text or not C.zmq_z85_decode(key, text):
        return None
    return bytes(key)


def public_text(cert: CData) -> bytes:
    """Return a certificate's public key as Z85."""
    return _bytes(C.zcert_public_txt(cert))


def secret_text(cert: CData) -> bytes:
    """Return a certificate's secret key as Z85."""
    return _bytes(C.zcert_secret_txt(cert))


def _bytes(text: CData) -> bytes:
    """Return the bytes of a ``char *``."""
    content: bytes = ffi.string(text)
    return content


# ---------------------------------------------------------------- metadata


def meta_keys(cert: CData) -> list[bytes]:
    """Return the names in a certificate's metadata."""
    names = C.zcert_meta_keys(cert)
    try:
        found: list[bytes] = []
        name = C.zlist_first(names)
        while name:
            found.append(_bytes(ffi.cast("char *", name)))
            name = C.zlist_next(names)
        return found
    finally:
        _free_list(names)


def meta(cert: CData) -> dict[bytes, bytes]:
    """Return a certificate's metadata."""
    return {name: _bytes(C.zcert_meta(cert, name)) for name in meta_keys(cert)}


def check_meta(name: bytes, value: bytes) -> None:
    """Raise ValueError for metadata that a certificate file cannot hold: the whole file could not be read again."""
    if not name or not _NAME_CHARACTERS.issuperset(name) or name.startswith(b"/") or name.endswith(b"/"):
        raise ValueError(
            f"name must consist of ASCII letters, digits and $-_@.&+/ with no slash at either end, "
            f"not {_text.decode(name)!r}"
        )
    if b'"' in value or b"\n" in value:
        raise ValueError("value must not contain a double quote or a line feed: a certificate file cannot hold them")


def check_room(cert: CData) -> None:
    """Raise ValueError for metadata that CZMQ's authenticator has no room for."""
    items = meta(cert)
    size = sum(_PER_ITEM + len(name) + len(value) for name, value in items.items())
    if size > ROOM or any(len(name) > _LONGEST_NAME for name in items):
        raise ValueError(
            f"has too much metadata: CZMQ's authenticator has room for {ROOM} bytes, {_PER_ITEM} more for each value, "
            f"and {_LONGEST_NAME} for a name"
        )


# ---------------------------------------------------------------- reading


def load(path: bytes) -> Cert | None:
    """Return the certificate in a file, or in that with ``_secret`` added; None where there is no sound one."""
    for candidate in (path + b"_secret", path):
        try:
            cert = _read(candidate)
        except ValueError:
            continue
        if cert is not None:
            return cert
    return None


def _vet(path: bytes) -> Cert | None:
    """Return the certificate that C will find; ValueError if C must not be let near the file."""
    return _read(path + b"_secret") or _read(path)


def _read(path: bytes) -> Cert | None:
    """Return the certificate in one file; None if there is none, ValueError if C must not be let near it."""
    content = _streams.read_regular(path, _MOST_BYTES + 1)
    if content is None:
        return None
    if len(content) > _MOST_BYTES or content.count(b"\n") >= _MOST_LINES:
        raise ValueError("is too long for a certificate")
    if b"\0" in content:
        raise ValueError("is not a text file")
    is_secret = path.endswith(b"_secret") or b"secret-key" in content
    if is_secret and any(map(_config.is_quoted, content.split(b"\n"))):
        # On the standard output: it may be the key.
        raise ValueError("has a secret key, and a line that is none of a certificate's")
    root = C.zconfig_str_load(content)
    if not root:
        return None
    try:
        return _from_config(root)
    finally:
        _free_config(root)


def _from_config(root: CData) -> Cert | None:
    public_key = _key(root, b"/curve/public-key")
    if public_key is None:
        return None
    cert = new_from(public_key, _key(root, b"/curve/secret-key") or bytes(_KEY_BYTES))
    section = C.zconfig_locate(root, b"/metadata")
    item = C.zconfig_child(section) if section else section
    while item:
        C.zcert_set_meta(cert, C.zconfig_name(item), b"%s", C.zconfig_value(item))
        item = C.zconfig_next(item)
    return cert


def _key(root: CData, path: bytes) -> bytes | None:
    """Return a key from a parsed file; None where C sees none either, ValueError where it would take a broken one."""
    text = C.zconfig_get(root, path, ffi.NULL)
    if not text or len(_bytes(text)) != _KEY_TEXT:
        return None
    key = decode(_bytes(text))
    if key is None:
        raise ValueError(f"has a broken {path.decode()[len('/curve/') :]}")
    return key


# ---------------------------------------------------------------- writing


def save(cert: Cert, path: bytes, secret: bool) -> int:
    """Write a certificate to a file, whole or not at all; return 0, or -1 with errno set.

    The *secret* half comes with it if asked for, in a file that only its owner can read. ValueError for metadata that
    could not be read again or that an authenticator would choke on.
    """
    note = b"both keys, keep this file to yourself" if secret else b"the public key"
    lines = [b"#   CURVE certificate: " + note, b"", b"metadata"]
    for name, value in meta(cert).items():
        check_meta(name, value)
        lines.append(b'    %s = "%s"' % (name, value))
    try:
        check_room(cert)
    except ValueError as error:
        raise ValueError(f"cert {error}") from None
    lines += [b"curve", b'    public-key = "%s"' % public_text(cert)]
    if secret:
        lines.append(b'    secret-key = "%s"' % secret_text(cert))
    try:
        _streams.replace(path, b"\n".join([*lines, b""]), _streams.PRIVATE if secret else 0o666)
    except OSError as error:
        ffi.errno = error.errno or errno.EIO
        return -1
    return 0


# ---------------------------------------------------------------- folders


class Folder:
    """A folder of certificates that C reads again at each look-up, and dies of what it does not expect there."""

    def __init__(self, location: Any) -> None:
        self.path = _text.path(location, "location")
        if not self.path:
            raise ValueError("location must not be empty")
        if os.path.exists(self.path) and not os.path.isdir(self.path):
            raise ValueError(f"location {os.fsdecode(self.path)!r} is not a folder")
        self._seen: list[Entry] | None = None
        self._problem: str | None = None
        self._owners: dict[bytes, str] = {}

    def check(self) -> None:
        """Raise ValueError, which names the file, if C must not be let near this folder as it is now."""
        files = sorted(_walk(self.path))
        if files != self._seen:
            owners: dict[bytes, str] = {}
            self._problem = _find_problem(files, owners)
            self._owners = owners
            self._seen = files
        if self._problem is not None:
            raise ValueError(self._problem)

    def has(self, key: bytes) -> bool:
        """Tell whether there was a certificate with a public key, as 32 bytes, in the folder when it was checked last.

        C does not see that one is gone if the folder has as many files, as many bytes, and as late a change as before,
        or is gone itself.
        """
        text = ffi.new("char[]", _KEY_TEXT + 1)
        C.zmq_z85_encode(text, key, _KEY_BYTES)
        return _bytes(text) in self._owners


def _walk(folder: bytes, depth: int = 0) -> Iterator[Entry]:
    """Yield the files that C looks at, with what tells that they have changed."""
    if depth > _DEEPEST or len(folder) > _LONGEST_PATH:
        raise ValueError(f"{os.fsdecode(folder)} is too deep for CZMQ")
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        if depth == 0:
            # C finds no certificates there, yet.
            return
        raise ValueError(f"{os.fsdecode(folder)} cannot be read: {error.strerror}") from None
    for entry in entries:
        if entry.name.startswith(b"."):
            continue
        try:
            status = entry.stat()
        except OSError:
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from _walk(entry.path, depth + 1)
        elif entry.name.endswith(b".ln"):
            raise ValueError(f"{os.fsdecode(entry.path)} is one of CZMQ's own links: no certificate can be behind it")
        elif stat.S_ISREG(status.st_mode):
            yield entry.path, status.st_mtime_ns, status.st_size, status.st_ino


def _find_problem(files: list[Entry], owners: dict[bytes, str]) -> str | None:
    """Return what is wrong with the files of a folder; *owners* is told which certificate has which public key."""
    for path, *_ in files:
        if path.endswith(b"_secret"):
            continue
        name = os.fsdecode(path)
        try:
            cert = _vet(path)
            if cert is None:
                continue
            check_room(cert)
        except ValueError as error:
            return f"{name} {error}"
        key = public_text(cert)
        if key in owners:
            return f"{name} has the same key as {owners[key]}: CZMQ takes a key only once"
        owners[key] = name
    return None
