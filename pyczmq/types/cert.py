"""Cert: a CURVE certificate, a pair of keys with metadata, in memory and in files."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

from .. import _streams, _text, zcert, zmq, zsocket
from . import _registry
from ._base import Object, guarded
from ._filenames import unreadable, unwritten
from ._socket import BaseSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn, Union

    from typing_extensions import Self

    from .._types import Buffer, Socketish, Text
    from ._filenames import Filename

    #: A key as 32 bytes, or as 40 characters of Z85.
    Key = Union[Text, Buffer]

_KEY_BYTES = 32
_KEY_TEXT = 40
_SECRET = b"_secret"
_DOMAIN = "global"


class Cert(Object):
    """A certificate: a public key, mostly the secret one that goes with it, and metadata.

        >>> from pyczmq import Cert
        >>> cert = Cert.generate(name="Grace Hopper")
        >>> cert.meta["name"], len(cert.public_key), cert.has_secret
        ('Grace Hopper', 40, True)
        >>> friend = Cert(cert.public_key)
        >>> friend.has_secret, friend == cert
        (False, False)

    ``Cert()`` makes a new pair of keys, ``Cert(public_key)`` and ``Cert(public_key, secret_key)`` take given ones: 32
    bytes, or 40 characters of Z85 as str or bytes. ``Cert(secret_key=key)`` finds the public key that goes with it.

    Keys never change, so certificates can be in sets and dicts: equal ones have the same keys, whatever their metadata.
    The secret key is shown by no `repr` and in no error text, and a certificate cannot be pickled: `save` it.
    """

    __slots__ = ("_has_secret", "_public_key")
    _noun = "certificate"

    def __init__(self, public_key: Key | None = None, secret_key: Key | None = None) -> None:
        """Make a certificate with a new pair of keys, or with those given.

        Raises ValueError for keys of another form, and for two that are no pair: no connection would come about.
        """
        if public_key is None and secret_key is None:
            self._own(zcert.new())
            if not any(zcert.public_key(self._handle)):
                raise RuntimeError("this libzmq is built without CURVE, and cannot make keys")
            return
        secret = None if secret_key is None else _key(secret_key, "secret_key")
        public = _public_key(secret) if public_key is None else _key(public_key, "public_key")
        if public is None:
            raise ValueError("public_key is missing: secret_key does not tell")
        if not _is_pair(public, secret):
            raise ValueError("secret_key does not go with public_key")
        self._own(zcert.new_from(public, secret))

    def _own(self, handle: Any) -> None:
        super().__init__(handle)
        self._public_key = zcert.public_txt(handle)
        self._has_secret = any(zcert.secret_key(handle))

    @classmethod
    def _of(cls, handle: Any) -> Self:
        """Return the certificate for a handle that nobody else uses."""
        cert = cls.__new__(cls)
        cert._own(handle)
        return cert

    @classmethod
    def generate(cls, /, **meta: Text) -> Self:
        """Return a certificate with a new pair of keys, and the given metadata."""
        cert = cls()
        for name, value in meta.items():
            cert._set_meta(name, value)
        return cert

    @classmethod
    def load(cls, path: Filename) -> Self:
        """Return the certificate in a file: with both keys if there is one with ``_secret`` added, else the public one.

        Raises OSError for what cannot be read, such as FileNotFoundError where there is neither file, and ValueError
        for what is no certificate.
        """
        name = _text.path(path, "path")
        handle = zcert.load(name)
        if handle is not None:
            if not _is_pair(zcert.public_key(handle), zcert.secret_key(handle)):
                raise ValueError(f"{os.fsdecode(name)!r} has a secret key that does not go with its public key")
            return cls._of(handle)
        error = unreadable(name)
        if isinstance(error, FileNotFoundError) and os.path.lexists(name + _SECRET):
            name += _SECRET
            error = unreadable(name)
        raise error or ValueError(f"{os.fsdecode(name)!r} has no sound certificate in it")

    def _destroy(self, handle: Any) -> None:
        zcert.destroy(handle)

    # ---------------------------------------------------------------- keys

    @property
    @guarded
    def public_key(self) -> str:
        """The public key as text, 40 characters of Z85, to be given to whoever is to know it."""
        return self._public_key

    @property
    @guarded
    def public_bytes(self) -> bytes:
        """The public key, 32 bytes."""
        return zcert.public_key(self._handle)

    @property
    @guarded
    def secret_key(self) -> str | None:
        """The secret key as text, 40 characters of Z85; None if there is none."""
        return zcert.secret_txt(self._handle) if self._has_secret else None

    @property
    @guarded
    def secret_bytes(self) -> bytes | None:
        """The secret key, 32 bytes; None if there is none."""
        return zcert.secret_key(self._handle) if self._has_secret else None

    @property
    @guarded
    def has_secret(self) -> bool:
        """Whether the certificate has the secret key."""
        return self._has_secret

    # ---------------------------------------------------------------- metadata

    @property
    @guarded
    def meta(self) -> Meta:
        """The metadata, as a dict of text that is the certificate's own: ``cert.meta["name"] = "Grace Hopper"``.

        Names consist of ASCII letters, digits and ``$-_@.&+/`` with no slash at either end, and a value has no double
        quote and no line feed (ValueError). All of it, with five bytes for each value, must fit into 512 bytes when the
        certificate is saved or inserted into a store.
        """
        return Meta(self)

    @guarded
    def _get_meta(self, name: Text) -> str:
        value = zcert.meta(self._handle, name)
        if value is None:
            raise KeyError(_text.decode(_text.encode(name)))
        return value

    @guarded
    def _meta_names(self) -> list[str]:
        return sorted(zcert.meta_keys(self._handle))

    @guarded
    def _set_meta(self, name: Text, value: Text) -> None:
        before = zcert.meta(self._handle, name)
        if before is None:
            zcert.set_meta(self._handle, name, value)
        elif _text.encode(before) != _text.encode(value, "value"):
            self._remake(name, value)

    @guarded
    def _del_meta(self, name: Text) -> None:
        self._get_meta(name)
        self._remake(name, None)

    def _remake(self, name: Text, value: Text | None) -> None:
        """Replace C's certificate by one with another value, or none: C itself can do that in drafts only."""
        before = self._handle
        changed = _text.decode(_text.encode(name))
        handle = zcert.new_from(zcert.public_key(before), zcert.secret_key(before))
        for other in zcert.meta_keys(before):
            if other != changed:
                zcert.set_meta(handle, other, zcert.meta(before, other) or "")
        if value is not None:
            zcert.set_meta(handle, name, value)
        self._handle = handle
        zcert.destroy(before)

    # ---------------------------------------------------------------- files

    @guarded
    def save(self, path: Filename) -> None:
        """Save the certificate to two files: the public half, and both keys with ``_secret`` added to the name.

        The secret file has mode 0600 whatever the umask is. Both are written whole or not at all: should anything go
        wrong, what was there before stays. Raises OSError for that, and ValueError for a certificate with no secret key
        (see `save_public`) or with more metadata than fits.
        """
        self._need_secret("save_public saves the rest")
        public = _text.path(path, "path")
        halves = ((zcert.save_secret, public + _SECRET), (zcert.save_public, public))
        written: list[tuple[bytes, bytes]] = []
        try:
            for write, name in halves:
                target = _target(name)
                temporary = _streams.temporary(os.path.dirname(target))
                written.append((temporary, target))
                self._write(write, temporary, name)
            for temporary, target in written:
                os.replace(temporary, target)
        finally:
            for temporary, _ in written:
                if os.path.exists(temporary):
                    os.unlink(temporary)

    @guarded
    def save_public(self, path: Filename) -> None:
        """Save the public half of the certificate to a file, whole or not at all; OSError if that fails."""
        self._write(zcert.save_public, _text.path(path, "path"), path)

    @guarded
    def save_secret(self, path: Filename) -> None:
        """Save the certificate with both keys to one file, whole or not at all; OSError if that fails.

        The file has mode 0600, whatever the umask is and whatever was there before. Nothing is added to its name.
        """
        self._need_secret("save_public saves the rest")
        self._write(zcert.save_secret, _text.path(path, "path"), path)

    def _write(self, write: Callable[[Any, bytes], int], path: bytes, name: Filename) -> None:
        if write(self._handle, path) != 0:
            raise unwritten(zmq.errno(), name)

    def _need_secret(self, hint: str) -> None:
        if not self._has_secret:
            raise ValueError(f"the certificate has no secret key: {hint}")

    # ---------------------------------------------------------------- use

    @guarded
    def apply(self, socket: Object | Socketish, *, server: bool = False, server_key: Key | Cert | None = None) -> None:
        """Secure a socket with the certificate's keys, before it binds or connects.

        With *server* the socket becomes a server, which encrypts what it sends and takes encrypted connections only;
        with *server_key*, the server's public key, a client. Whom a server lets in is up to `Auth`; with none, **it is
        everyone who knows its key**. *socket*: an object with a ``handle``, or a handle of the namespaces::

            cert.apply(server, server=True)
            friend.apply(client, server_key=cert.public_key)

        An object for which an `Auth` answers at this moment lets nobody in any more once that is closed: it enforces
        its ``zap_domain``, "global" if it has none.

        Raises ValueError for a certificate with no secret key, and for both *server* and *server_key*.
        """
        self._need_secret("no connection would come about")
        if not isinstance(server, bool):
            raise TypeError(f"server must be a bool, not {type(server).__name__}")
        if server and server_key is not None:
            raise ValueError("server_key is for clients: a server has none")
        key = None if server_key is None else public_text(server_key, "server_key")
        if isinstance(socket, Object):
            _secure_object(socket, self._handle, server, key)
        else:
            _secure(getattr(socket, "handle", socket), self._handle, server, key)

    @guarded
    def dup(self) -> Self:
        """Return a copy, keys and metadata."""
        return self._of(zcert.dup(self._handle))

    __copy__ = dup

    def __deepcopy__(self, memo: Any) -> Self:
        return self.dup()

    def __eq__(self, other: object) -> bool:
        return self._is(other) if isinstance(other, Cert) else NotImplemented

    @guarded
    def _is(self, other: Cert) -> bool:
        return other._has_keys_of(self._handle)

    @guarded
    def _has_keys_of(self, handle: Any) -> bool:
        return zcert.eq(handle, self._handle)

    def __hash__(self) -> int:
        return hash(self._public_key)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a certificate cannot be pickled: that would spill its secret key")

    def __repr__(self) -> str:
        name = f'<{type(self).__name__} public key "{self._public_key}"'
        if self.closed:
            return f"{name}, closed>"
        secret = f"with{'' if self._has_secret else 'out'} secret key"
        try:
            return f"{name}, {secret}, {len(self._meta_names())} meta>"
        except RuntimeError:
            return f"{name}, {secret}, in use in another thread>"


class Meta(MutableMapping[str, str]):
    """A certificate's metadata, as a dict that changes the certificate; names come in alphabetical order."""

    __slots__ = ("_cert",)

    def __init__(self, cert: Cert) -> None:
        self._cert = cert

    def __getitem__(self, name: Text) -> str:
        return self._cert._get_meta(name)

    def __setitem__(self, name: Text, value: Text) -> None:
        self._cert._set_meta(name, value)

    def __delitem__(self, name: Text) -> None:
        self._cert._del_meta(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._cert._meta_names())

    def __len__(self) -> int:
        return len(self._cert._meta_names())

    def __repr__(self) -> str:
        return f"<Meta {'closed' if self._cert.closed else dict(self)}>"


def public_text(key: Key | Cert, name: str) -> str:
    """Return a public key, given in any form, or the certificate's, as text."""
    if isinstance(key, Cert):
        return key.public_key
    return zmq.z85_encode(_key(key, name)) or ""


def _key(key: Key, name: str) -> bytes:
    """Return the 32 bytes of a key; no error has the key in its text, or in its arguments."""
    wrong = f"{name} must be a key: {_KEY_BYTES} bytes, or {_KEY_TEXT} characters of Z85"
    if isinstance(key, str):
        if len(key) != _KEY_TEXT or not key.isascii():
            raise ValueError(wrong)
        data = key.encode()
    else:
        try:
            data = memoryview(key).tobytes()
        except TypeError:
            raise TypeError(f"{wrong}, not {type(key).__name__}") from None
        if len(data) == _KEY_BYTES:
            return data
    decoded = zmq.z85_decode(data) if len(data) == _KEY_TEXT else None
    if decoded is None:
        raise ValueError(wrong)
    return decoded


def _public_key(secret: bytes | None) -> bytes | None:
    """Return the public key that goes with a secret one; None if there is none, or libzmq has no CURVE."""
    if secret is None or not any(secret):
        return None
    public = zmq.curve_public(zmq.z85_encode(secret) or "")
    return None if public is None else zmq.z85_decode(public)


def _is_pair(public: bytes, secret: bytes | None) -> bool:
    """Tell whether two keys go together, as far as can be known."""
    return _public_key(secret) in (None, public)


def _target(path: bytes) -> bytes:
    """Return where a file is to be, behind links; OSError if there is something else than a file."""
    try:
        return _streams.target(path)
    except OSError as error:
        raise unwritten(error.errno or 0, path) from None


def _secure(socket: Any, cert: Any, server: bool, server_key: str | None) -> None:
    zcert.apply(cert, socket)
    if server:
        zsocket.set_curve_server(socket, True)
    if server_key is not None:
        zsocket.set_curve_serverkey(socket, server_key)


@guarded
def _secure_object(socket: Object, cert: Any, server: bool, server_key: str | None) -> None:
    _secure(socket._handle, cert, server, server_key)
    auth = _registry.find_auth() if server else None
    if auth is not None and isinstance(socket, BaseSocket) and auth._covers(socket._context):
        if not zsocket.zap_domain(socket._handle):
            zsocket.set_zap_domain(socket._handle, _DOMAIN)
        try:
            zsocket.set_zap_enforce_domain(socket._handle, True)
        except ValueError:
            # A libzmq before 4.3 cannot do that; with it as without, the server asks for as long as somebody answers.
            return
