"""Cert: keys, metadata, files, and sockets that are secured with them."""

from __future__ import annotations

import copy
import doctest
import errno
import gc
import os
import pickle
import stat
import sys
import traceback
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import children
import pytest
from threads import in_use

from pyczmq import zcert, zmonitor, zmq, zsock, zsocket
from pyczmq.types import cert as module
from pyczmq.types.cert import Cert
from pyczmq.types.context import Context
from pyczmq.types.errors import ZMQError
from pyczmq.types.socket import Socket

FORMS: list[Callable[[str], Any]] = [
    str,
    str.encode,
    zmq.z85_decode,
    lambda text: bytearray(zmq.z85_decode(text) or b""),
    lambda text: memoryview(text.encode()),
    lambda text: memoryview((zmq.z85_decode(text) or b"")[::-1])[::-1],
]
ODD_TEXT = ["", "ä€😀", b"\xff\xfe", "\udcff", "100%s%n", "x" * 2**20]
NO_KEYS: list[Any] = [
    "",
    "x" * 32,
    "x" * 39,
    "x" * 41,
    "~" * 40,
    "#" * 40,
    "ä" * 40,
    "\ud800" * 40,
    "x" * 39 + "\0",
    b"",
    b"x" * 31,
    b"x" * 33,
    b"\xff" * 40,
]


@pytest.fixture
def cert() -> Cert:
    """A certificate with a fresh key pair."""
    return Cert()


def test_docstring_examples_run() -> None:
    assert doctest.testmod(module).failed == 0


# ---------------------------------------------------------------- keys


def test_new_keys(cert: Cert) -> None:
    """A new certificate has a pair of keys that no other has, as text and as bytes."""
    assert cert.has_secret and cert.secret_key is not None
    assert zmq.curve_public(cert.secret_key) == cert.public_key
    assert zmq.z85_decode(cert.public_key) == cert.public_bytes
    assert zmq.z85_decode(cert.secret_key) == cert.secret_bytes
    assert (type(cert.public_key), type(cert.secret_key), len(cert.public_key)) == (str, str, 40)
    assert (type(cert.public_bytes), type(cert.secret_bytes), len(cert.public_bytes)) == (bytes, bytes, 32)
    assert len(cert.meta) == 0
    assert Cert() != cert


@pytest.mark.parametrize("form", FORMS)
def test_given_keys(cert: Cert, form: Callable[[Any], Any]) -> None:
    """Keys are taken as 32 bytes or 40 characters of Z85, in each type that may hold them."""
    both = Cert(form(cert.public_key), form(cert.secret_key))
    assert both == cert and both.secret_key == cert.secret_key
    public = Cert(form(cert.public_key))
    assert public.public_key == cert.public_key
    assert not public.has_secret
    assert public.secret_key is None and public.secret_bytes is None
    assert Cert(secret_key=form(cert.secret_key)) == cert
    assert not Cert(form(cert.public_key), bytes(32)).has_secret


@pytest.mark.parametrize("key", NO_KEYS)
def test_what_is_no_key(cert: Cert, key: Any) -> None:
    """What has another length or other characters is refused by the argument's name; the key is not in the error."""
    for call, name in (
        (lambda: Cert(key), "public_key"),
        (lambda: Cert(cert.public_key, key), "secret_key"),
        (lambda: Cert(secret_key=key), "secret_key"),
    ):
        with pytest.raises(ValueError, match=f"{name} must be a key: 32 bytes") as caught:
            call()
        assert len(key) == 0 or str(key) not in str(caught.value)
        assert type(caught.value) is ValueError and caught.value.__context__ is None


@pytest.mark.parametrize("key", [1, object(), 2**70, [1] * 32, True])
def test_what_is_of_no_keys_type(cert: Cert, key: Any) -> None:
    with pytest.raises(TypeError, match="public_key must be a key"):
        Cert(key)
    with pytest.raises(TypeError, match="secret_key must be a key"):
        Cert(cert.public_key, key)


def test_keys_that_are_no_pair(cert: Cert, tmp_path: Path) -> None:
    """Two keys that do not go together, with which no connection would come about, are refused, also from a file."""
    with pytest.raises(ValueError, match="secret_key does not go with public_key"):
        Cert(Cert().public_key, cert.secret_key)
    with pytest.raises(ValueError, match="public_key is missing"):
        Cert(secret_key=bytes(32))
    cert.save(tmp_path / "cert")
    mixed = (tmp_path / "cert_secret").read_text().replace(cert.public_key, Cert().public_key)
    (tmp_path / "cert_secret").write_text(mixed)
    with pytest.raises(ValueError, match=r"cert' has a secret key that does not go with its public key"):
        Cert.load(tmp_path / "cert")


def test_a_libzmq_without_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where libzmq can make no keys, C makes zeros of them: an error."""
    monkeypatch.setattr(zcert, "new", lambda: zcert.new_from(bytes(32)))
    with pytest.raises(RuntimeError, match="without CURVE"):
        Cert()


def test_equality(cert: Cert) -> None:
    """Certificates with the same keys are equal, whatever their metadata, and one in a set."""
    same = Cert(cert.public_key, cert.secret_key)
    same.meta["name"] = "x"
    assert cert == same and hash(cert) == hash(same)
    assert len({cert, same, Cert(cert.public_key)}) == 2
    assert cert != Cert(cert.public_key)
    assert cert != cert.public_key and cert != None  # noqa: E711
    held = {cert: "value"}
    cert.close()
    assert held[next(iter(held))] == "value"


def test_copies(cert: Cert) -> None:
    """A copy has the keys and the metadata, and is another's."""
    cert.meta["name"] = "x"
    for made in cert.dup(), copy.copy(cert), copy.deepcopy(cert):
        assert made == cert and made is not cert
        assert made.meta == {"name": "x"}
        made.meta["name"] = "y"
        made.close()
    assert cert.meta == {"name": "x"}


def test_subclasses() -> None:
    """A subclass's constructors and copies are of that class."""

    class Named(Cert):
        pass

    made = Named.generate(name="x")
    assert type(made) is Named and type(made.dup()) is Named
    assert repr(made).startswith("<Named public key")


# ---------------------------------------------------------------- secrecy


def test_repr(cert: Cert) -> None:
    """It shows the public key, never the secret one, and how much metadata there is."""
    assert repr(cert) == f'<Cert public key "{cert.public_key}", with secret key, 0 meta>'
    public = Cert(cert.public_key)
    public.meta.update(a="x", b="y")
    assert repr(public) == f'<Cert public key "{cert.public_key}", without secret key, 2 meta>'
    with in_use(public):
        assert repr(public) == f'<Cert public key "{cert.public_key}", without secret key, in use in another thread>'
    public.close()
    assert repr(public) == f'<Cert public key "{cert.public_key}", closed>'


def test_no_pickling(cert: Cert) -> None:
    """A certificate is not pickled: the secret key would go with it."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(cert, protocol)


def test_errors_do_not_tell_the_secret_key(cert: Cert, tmp_path: Path) -> None:
    """No error has the secret key in its text, its arguments, its traceback or its causes."""
    secret = cert.secret_key
    assert secret is not None
    wrong = Cert().public_key
    (tmp_path / "broken_secret").write_text(f'curve\n    secret-key = "{secret}"\n')
    with Socket(zmq.PUSH) as socket:
        socket.close()
        for call in (
            lambda: Cert(cert.public_key, secret + "x"),
            lambda: Cert(cert.public_key, secret[:-1] + "\ud800"),
            lambda: Cert(cert.public_key, secret[:-1] + "é"),
            lambda: Cert(cert.public_key, (secret + "x").encode()),
            lambda: Cert(wrong, secret),
            lambda: Cert(wrong, cert.secret_bytes),
            lambda: Cert.load(tmp_path / "broken"),
            lambda: cert.save(tmp_path / "none" / "cert"),
            lambda: cert.apply(socket),
            lambda: cert.apply(None),
            lambda: pickle.dumps(cert),
        ):
            with pytest.raises((ValueError, TypeError, OSError)) as caught:
                call()
            error: BaseException | None = caught.value
            told = "".join(traceback.format_exception(type(error), error, error.__traceback__)) if error else ""
            while error is not None:
                told += repr(error) + repr(error.args) + repr(vars(error))
                error = error.__context__
            assert secret[:-1] not in told
            assert repr(cert.secret_bytes) not in told


# ---------------------------------------------------------------- metadata


def test_metadata_is_a_dict(cert: Cert) -> None:
    """Metadata is set, replaced, listed and deleted, whatever C can do."""
    meta = cert.meta
    assert isinstance(meta, MutableMapping)
    meta["name"] = "Grace Hopper"
    meta["email"] = b"grace@example.org"
    meta["a/b"] = ""
    assert meta == {"name": "Grace Hopper", "email": "grace@example.org", "a/b": ""}
    assert list(meta) == ["a/b", "email", "name"] and len(meta) == 3
    assert repr(meta) == "<Meta {'a/b': '', 'email': 'grace@example.org', 'name': 'Grace Hopper'}>"
    keys = cert.public_key, cert.secret_key
    meta["name"] = "Ada"
    meta["name"] = "Ada"
    del meta["a/b"]
    assert dict(cert.meta) == {"name": "Ada", "email": "grace@example.org"}
    assert (cert.public_key, cert.secret_key) == keys
    assert "name" in meta and "none" not in meta and b"name" in meta
    assert meta.get("none") is None and meta.get("none", "x") == "x"
    assert meta.pop("name") == "Ada"
    assert meta.setdefault("name", "Joan") == "Joan"
    meta.clear()
    assert not meta


def test_metadata_from_keywords() -> None:
    cert = Cert.generate(name="Grace Hopper", **{"e-mail": "grace@example.org"})
    assert dict(cert.meta) == {"name": "Grace Hopper", "e-mail": "grace@example.org"}
    assert cert.has_secret


@pytest.mark.parametrize("value", ODD_TEXT, ids=range(len(ODD_TEXT)))
def test_metadata_of_any_text(cert: Cert, value: str | bytes) -> None:
    """Bytes and characters come out as they went in, also when another value is replaced."""
    expected = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
    cert.meta["odd"] = value
    cert.meta["other"] = "1"
    assert cert.meta["odd"] == expected
    handle = cert.handle
    cert.meta["odd"] = value
    assert cert.handle is handle
    cert.meta["other"] = "2"
    assert cert.meta["odd"] == expected


@pytest.mark.parametrize(
    ("name", "value", "error", "match"),
    [
        ("two words", "x", ValueError, "name must consist of"),
        ("", "x", ValueError, "name must consist of"),
        ("a\0", "x", ValueError, "name must not contain a NUL"),
        ("\ud800", "x", ValueError, "surrogates"),
        (None, "x", TypeError, "name must be str or bytes"),
        (1, "x", TypeError, "name must be str or bytes"),
        ("name", 'say "hi"', ValueError, "value must not contain"),
        ("name", "two\nlines", ValueError, "value must not contain"),
        ("name", "x\0", ValueError, "value must not contain a NUL"),
        ("name", "\ud800", ValueError, "surrogates"),
        ("name", None, TypeError, "value must be str or bytes"),
        ("name", 2**70, TypeError, "value must be str or bytes"),
    ],
)
def test_metadata_misuse(cert: Cert, name: Any, value: Any, error: type[Exception], match: str) -> None:
    """What a file cannot hold is refused, for a new value and for one that replaces another, which stays then."""
    with pytest.raises(error, match=match):
        cert.meta[name] = value
    cert.meta["name"] = "before"
    with pytest.raises(error, match=match):
        cert.meta[name] = value
    assert dict(cert.meta) == {"name": "before"}
    assert cert.has_secret


def test_metadata_that_is_not_there(cert: Cert) -> None:
    for call in (
        lambda: cert.meta["no name"],
        lambda: cert.meta.__delitem__("no name"),
        lambda: cert.meta.pop("no name"),
    ):
        with pytest.raises(KeyError, match="no name"):
            call()
    for bad in None, 1:
        with pytest.raises(TypeError, match="name must be"):
            bad in cert.meta  # noqa: B015


# ---------------------------------------------------------------- files


def test_saving_and_loading(cert: Cert, tmp_path: Path) -> None:
    """Two files: with both the certificate is back as it was, with the public one alone it has no secret key."""
    cert.meta["name"] = "Grace Hopper"
    file = tmp_path / "cert"
    assert cert.save(file) is None
    assert sorted(os.listdir(tmp_path)) == ["cert", "cert_secret"]
    assert str(cert.secret_key) not in file.read_text()
    assert str(cert.secret_key) in (tmp_path / "cert_secret").read_text()
    loaded = Cert.load(file)
    assert loaded == cert and dict(loaded.meta) == {"name": "Grace Hopper"}
    os.unlink(tmp_path / "cert_secret")
    assert Cert.load(file) == Cert(cert.public_key)
    cert.save_secret(tmp_path / "alone")
    assert Cert.load(tmp_path / "alone") == cert
    Cert(cert.public_key).save_public(tmp_path / "public")
    assert (tmp_path / "public").read_text() != ""
    assert not Cert.load(tmp_path / "public").has_secret


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_file_names_of_any_type(cert: Cert, tmp_path: Path, kind: Callable[[Any], Any]) -> None:
    for name in "plain", "100%s%n", "with space", "ümläut", "-":
        cert.save(kind(tmp_path / name))
        assert Cert.load(kind(tmp_path / name)) == cert
    assert len(os.listdir(tmp_path)) == 10


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o177])
def test_modes_of_the_files(cert: Cert, tmp_path: Path, umask: int) -> None:
    """The secret file is its owner's alone, whatever the umask is and whatever was there before."""
    (tmp_path / "cert_secret").write_text("readable by all")
    (tmp_path / "cert_secret").chmod(0o666)
    before = os.umask(umask)
    try:
        cert.save(tmp_path / "cert")
        cert.save_secret(tmp_path / "alone")
    finally:
        after = os.umask(before)
    assert after == umask
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in os.listdir(tmp_path)}
    assert modes == {"cert": 0o666 & ~umask, "cert_secret": 0o600, "alone": 0o600}


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_the_secret_is_never_in_a_file_of_another_mode(
    cert: Cert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each step of saving, whatever file there is with the secret key in it is its owner's alone."""
    seen = []

    def look(function: Any) -> Any:
        def call(*args: Any) -> Any:
            for file in tmp_path.iterdir():
                if str(cert.secret_key) in file.read_text():
                    seen.append(stat.S_IMODE(file.stat().st_mode))
            return function(*args)

        return call

    for name in "fsync", "replace":
        monkeypatch.setattr(os, name, look(getattr(os, name)))
    before = os.umask(0)
    try:
        cert.save(tmp_path / "cert")
    finally:
        os.umask(before)
    assert len(seen) >= 5 and set(seen) == {0o600}


def test_saving_through_links(cert: Cert, tmp_path: Path) -> None:
    """A symbolic link stays one: what it points at is replaced."""
    (tmp_path / "vault").mkdir()
    (tmp_path / "cert_secret").symlink_to(tmp_path / "vault" / "key")
    cert.save(tmp_path / "cert")
    assert (tmp_path / "cert_secret").is_symlink()
    assert os.listdir(tmp_path / "vault") == ["key"]
    assert Cert.load(tmp_path / "cert") == cert


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_failed_save_leaves_both_files_before(
    cert: Cert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, count: int
) -> None:
    """Where either file cannot be written the pair of before is untouched, and no other file is left."""
    cert.save(tmp_path / "cert")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    real = getattr(os, step)
    left = [count]

    def fail(*args: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*args)

    with monkeypatch.context() as patched:
        patched.setattr(os, step, fail)
        with pytest.raises(OSError, match="No space left on device") as caught:
            Cert().save(tmp_path / "cert")
    assert caught.value.errno == errno.ENOSPC and left == [0]
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert Cert.load(tmp_path / "cert") == cert


def test_an_interrupted_save_leaves_nothing_behind(cert: Cert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C, too, leaves no half of a certificate."""

    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    for step in "fsync", "replace":
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(os, step, interrupt)
            cert.save(tmp_path / "cert")
        assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("method", ["save", "save_public", "save_secret"])
def test_saving_where_that_is_impossible(cert: Cert, tmp_path: Path, method: str) -> None:
    """A folder that is missing, a folder or a device in the file's place, a name that is too long: an OSError."""
    save = getattr(cert, method)
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileNotFoundError) as caught:
        save(tmp_path / "missing" / "cert")
    assert str(caught.value.filename).startswith(str(tmp_path / "missing" / "cert"))
    for path in tmp_path / ("n" * 300), tmp_path / "folder", os.devnull, "":
        with pytest.raises(OSError, match=r"^\[Errno \d+\]"):
            save(path)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    assert os.listdir(tmp_path) == ["folder"]
    assert not os.path.exists(f"{os.devnull}_secret")


def test_saving_what_files_cannot_hold(cert: Cert, tmp_path: Path) -> None:
    """Without a secret key, or with too much metadata, nothing is written: the files of before stay."""
    cert.save(tmp_path / "cert")
    public = Cert(cert.public_key)
    for save in public.save, public.save_secret:
        with pytest.raises(ValueError, match="no secret key: save_public"):
            save(tmp_path / "cert")
    large = cert.dup()
    large.meta["large"] = "x" * 600
    for save in large.save, large.save_secret, large.save_public:
        with pytest.raises(ValueError, match="too much metadata"):
            save(tmp_path / "cert")
    assert Cert.load(tmp_path / "cert") == cert
    assert len(os.listdir(tmp_path)) == 2


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Each reason has its own OSError, which names the file."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    for name, error in (
        ("missing", FileNotFoundError),
        ("missing/missing", FileNotFoundError),
        ("folder", IsADirectoryError),
        ("file/missing", NotADirectoryError),
        ("loop", OSError),
        ("n" * 250, FileNotFoundError),
        ("n" * 300, OSError),
    ):
        with pytest.raises(error) as caught:
            Cert.load(tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        Cert.load("")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read(cert: Cert, tmp_path: Path) -> None:
    cert.save_secret(tmp_path / "cert_secret")
    (tmp_path / "cert_secret").chmod(0)
    with pytest.raises(PermissionError):
        Cert.load(tmp_path / "cert")


def test_files_that_hold_no_certificate(cert: Cert, tmp_path: Path) -> None:
    """What can be read and is no certificate is a ValueError, which names the file."""
    for name, content in (
        ("empty", b""),
        ("text", b"Hello, World\n"),
        ("nul", b"\0" * 100),
        ("broken", b'curve\n    public-key = "' + b"~" * 40 + b'"\n'),
        ("large", b"#\n" * 2**20),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name}' has no sound certificate"):
            Cert.load(tmp_path / name)
    (tmp_path / "half_secret").write_text("Hello, World\n")
    with pytest.raises(ValueError, match=r"half_secret' has no sound certificate"):
        Cert.load(tmp_path / "half")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "fifo")
        with pytest.raises(ValueError, match="fifo"):
            Cert.load(tmp_path / "fifo")


@pytest.mark.parametrize("bad", [None, 1, object(), ["x"]])
def test_file_names_of_no_type(cert: Cert, bad: Any) -> None:
    for call in Cert.load, cert.save, cert.save_public, cert.save_secret:
        with pytest.raises(TypeError, match=r"path must be str, bytes or os\.PathLike"):
            call(bad)
        with pytest.raises(ValueError, match="path must not contain a NUL byte"):
            call("a\0b")


# ---------------------------------------------------------------- sockets


@pytest.mark.parametrize(
    "form", [lambda cert: cert, *(lambda cert, form=form: form(cert.public_key) for form in FORMS)]
)
def test_a_secure_connection(form: Callable[[Cert], Any]) -> None:
    """A client that has the server's key, in whatever form, gets through."""
    server_cert, client_cert = Cert(), Cert()
    with Context() as context, context.socket(zmq.PULL) as server, context.socket(zmq.PUSH) as client:
        assert server_cert.apply(server, server=True) is None
        client_cert.apply(client, server_key=form(server_cert))
        assert (server.curve_server, client.curve_server) == (True, False)
        assert server.curve_secretkey == server_cert.secret_key
        assert client.curve_publickey == client_cert.public_key
        assert client.curve_serverkey == server_cert.public_key
        server.bind("tcp://127.0.0.1:*")
        client.connect(server.last_endpoint)
        client.send("secret")
        assert server.recv(timeout=10000) == "secret"


def test_the_wrong_server_key() -> None:
    """A client that has another server's key does not get through: the handshake fails."""
    with Socket(zmq.PULL) as server, Socket(zmq.PUSH) as client:
        Cert().apply(server, server=True)
        Cert().apply(client, server_key=Cert())
        monitor = zmonitor.new(server.handle)
        zmonitor.listen(monitor, "HANDSHAKE_SUCCEEDED", "HANDSHAKE_FAILED_PROTOCOL")
        zmonitor.start(monitor)
        server.bind("tcp://127.0.0.1:*")
        client.connect(server.last_endpoint)
        event = zmonitor.recv(monitor, 10000)
        assert event is not None and event.event == "HANDSHAKE_FAILED_PROTOCOL"
        zmonitor.destroy(monitor)


def test_what_a_certificate_is_applied_to(cert: Cert) -> None:
    """Objects with a handle and handles of the namespaces are taken."""

    class Thing:
        handle = zsock.new(zmq.PUSH)

    raw = zsock.new(zmq.PUSH)
    cert.apply(raw)
    cert.apply(Thing())
    assert zsocket.curve_secretkey(raw) == zsocket.curve_secretkey(Thing.handle) == cert.secret_key
    zsock.destroy(raw)
    with pytest.raises(ValueError, match="socket was destroyed"):
        cert.apply(raw)


def test_what_a_certificate_cannot_be_applied_to(cert: Cert) -> None:
    for bad in None, 1, "socket", object(), cert, Context():
        with pytest.raises(TypeError, match="socket must be a zsocket, zsock or zactor handle"):
            cert.apply(bad)
    with Socket(zmq.PUSH) as socket:
        with in_use(socket), pytest.raises(RuntimeError, match="the socket is in use in another thread"):
            cert.apply(socket)
        with pytest.raises(ValueError, match="server_key is for clients"):
            cert.apply(socket, server=True, server_key=cert)
        for key in "x" * 39, b"", "~" * 40:
            with pytest.raises(ValueError, match="server_key must be a key"):
                cert.apply(socket, server_key=key)
        with pytest.raises(TypeError, match="server_key must be a key"):
            cert.apply(socket, server_key=1)
        for server in None, 1, cert, "yes":
            with pytest.raises(TypeError, match="server must be a bool"):
                cert.apply(socket, server=server)
        with pytest.raises(ValueError, match="no secret key: no connection"):
            Cert(cert.public_key).apply(socket)
        assert not socket.curve_server
        assert socket.curve_publickey != cert.public_key
    with pytest.raises(ZMQError) as caught:
        cert.apply(socket)
    assert caught.value.errno == errno.ENOTSOCK


# ---------------------------------------------------------------- life and death

USES: dict[str, Callable[[Cert], Any]] = {
    "public_key": lambda cert: cert.public_key,
    "public_bytes": lambda cert: cert.public_bytes,
    "secret_key": lambda cert: cert.secret_key,
    "secret_bytes": lambda cert: cert.secret_bytes,
    "has_secret": lambda cert: cert.has_secret,
    "meta": lambda cert: cert.meta,
    "save": lambda cert: cert.save("file"),
    "save_public": lambda cert: cert.save_public("file"),
    "save_secret": lambda cert: cert.save_secret("file"),
    "apply": lambda cert: cert.apply(None),
    "dup": lambda cert: cert.dup(),
    "copy": copy.copy,
    "==": lambda cert: cert == Cert(),
    "== other": lambda cert: Cert() == cert,
}


@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
def test_use_of_a_closed_certificate(cert: Cert, use: Callable[[Cert], Any]) -> None:
    """After close every method raises, also where the handle was destroyed by other means; nothing reaches C."""
    with cert as same:
        assert same is cert and not cert.closed
    assert cert.closed
    cert.close()
    destroyed = Cert()
    zcert.destroy(destroyed.handle)
    assert destroyed.closed
    for gone in cert, destroyed:
        with pytest.raises(ValueError, match="the certificate is closed"):
            use(gone)
    with pytest.raises(ValueError, match="closed"), cert:
        pass


@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
def test_use_in_two_threads(cert: Cert, use: Callable[[Cert], Any]) -> None:
    """While another thread is in a method every other raises, and so does close."""
    with in_use(cert):
        with pytest.raises(RuntimeError, match="the certificate is in use in another thread"):
            use(cert)
        with pytest.raises(RuntimeError, match="in use"):
            cert.close()
    assert cert.public_key


def test_metadata_of_a_closed_certificate(cert: Cert) -> None:
    meta = cert.meta
    meta["name"] = "x"
    cert.close()
    for use in len, list, dict, lambda meta: meta["name"], lambda meta: meta.update(a="b"), lambda meta: "a" in meta:
        with pytest.raises(ValueError, match="closed"):
            use(meta)
    assert repr(meta) == "<Meta closed>"


def test_the_handle_is_the_namespaces(cert: Cert) -> None:
    """The handle works with zcert, and is another once a value was replaced: the one of before is refused."""
    handle = cert.handle
    assert zcert.public_txt(handle) == cert.public_key
    zcert.set_meta(handle, "name", "x")
    assert cert.meta["name"] == "x"
    cert.meta["name"] = "y"
    assert zcert.meta(cert.handle, "name") == "y"
    with pytest.raises(ValueError, match="cert was destroyed"):
        zcert.meta(handle, "name")


def test_garbage_collection() -> None:
    """Certificates that nobody closes do no harm; metadata keeps its certificate alive."""
    meta = [Cert.generate(name=f"{number}").meta for number in range(100)]
    gc.collect()
    assert [view["name"] for view in meta] == [f"{number}" for number in range(100)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forked_children_and_exit() -> None:
    """A certificate is plain memory: a forked child uses it too, and the end of the program finds it alive."""
    output = children.check(
        """
        import os
        from pyczmq.types.cert import Cert
        cert = Cert.generate(name="x")
        child = os.fork()
        if not child:
            cert.meta["name"] = "y"
            print(cert == Cert(cert.public_key, cert.secret_key), cert.meta["name"], flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print(cert.meta["name"])
        """
    )
    assert output.split() == ["True", "y", "x"]
