"""zcert: certificates in memory and on disk."""

from __future__ import annotations

import gc
import os
import random
import stat
import sys
from pathlib import Path
from typing import Any

import children
import pytest

from pyczmq import C, ffi, zcert, zctx, zmq, zsocket

NO_SECRET = "0" * 40
DRAFTS = hasattr(C, "zcert_unset_meta")
ODD_TEXT = [
    "",
    " two  spaces ",
    "100%s %n",
    "ä€😀",
    b"\xff\xfe\x80",
    "\udcff",
    "it's # no comment",
    "a=b\tc\rd",
    "x" * 400,
]
PIECES = ["curve", "metadata", "public-key", "secret-key", "=", '"', "'", "#", "\n", "    ", " ", "\t", "/", "x"]


@pytest.fixture
def cert() -> Any:
    """A certificate with a fresh key pair."""
    return zcert.new()


def test_example_of_the_class(tmp_path: Path) -> None:
    """What CZMQ's self-test and the old pyczmq's show: metadata, copies, saving and loading both halves."""
    cert = zcert.new()
    zcert.set_meta(cert, "email", "grace@example.org")
    zcert.set_meta(cert, "name", "Grace Hopper")
    zcert.set_meta(cert, "organization", "US Navy")
    zcert.set_meta(cert, "version", "1")
    assert zcert.meta(cert, "email") == "grace@example.org"
    assert sorted(zcert.meta_keys(cert)) == ["email", "name", "organization", "version"]
    shadow = zcert.dup(cert)
    assert zcert.eq(cert, shadow)
    zcert.destroy(shadow)

    file = tmp_path / "mycert.txt"
    assert zcert.save(cert, file) == 0
    assert sorted(os.listdir(tmp_path)) == ["mycert.txt", "mycert.txt_secret"]
    loaded = zcert.load(file)
    assert loaded is not None
    assert zcert.eq(cert, loaded)
    assert zcert.meta(loaded, "name") == "Grace Hopper"

    os.unlink(f"{file}_secret")
    public = zcert.load(file)
    assert public is not None
    assert zcert.public_txt(public) == zcert.public_txt(cert)
    assert zcert.secret_txt(public) == NO_SECRET
    assert not zcert.eq(cert, public)


# ---------------------------------------------------------------- keys


def test_keys_as_bytes_and_as_text(cert: Any) -> None:
    """Keys are 32 bytes, or 40 characters of Z85 that stand for the same bytes; the public one goes with the secret."""
    assert (len(zcert.public_key(cert)), len(zcert.secret_key(cert))) == (32, 32)
    for key, text in (
        (zcert.public_key(cert), zcert.public_txt(cert)),
        (zcert.secret_key(cert), zcert.secret_txt(cert)),
    ):
        assert type(key) is bytes and type(text) is str
        decoded = ffi.new("uint8_t[32]")
        assert C.zmq_z85_decode(decoded, text.encode())
        assert bytes(decoded) == key
    derived = ffi.new("char[41]")
    assert C.zmq_curve_public(derived, zcert.secret_txt(cert).encode()) == 0
    assert ffi.string(derived).decode() == zcert.public_txt(cert)


def test_every_certificate_is_another() -> None:
    """Two new certificates have nothing in common."""
    one, other = zcert.new(), zcert.new()
    assert not zcert.eq(one, other)
    assert zcert.secret_key(one) != zcert.secret_key(other)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_new_from_binary_keys(cert: Any, kind: type) -> None:
    """A certificate is made from two keys in any buffer, NUL bytes and all, or from a public key alone."""
    public, secret = zcert.public_key(cert), zcert.secret_key(cert)
    assert zcert.eq(cert, zcert.new_from(kind(public), kind(secret)))
    alone = zcert.new_from(kind(public))
    assert (zcert.public_key(alone), zcert.secret_key(alone)) == (public, bytes(32))
    pattern = bytes(range(32))
    assert zcert.public_key(zcert.new_from(pattern, pattern[::-1])) == pattern
    assert zcert.secret_key(zcert.new_from(pattern, pattern[::-1])) == pattern[::-1]


@pytest.mark.parametrize("bad", [b"", b"x" * 31, b"x" * 33, "x" * 40, b"x" * 2**20])
def test_binary_keys_of_another_length(bad: bytes) -> None:
    """Keys that are not 32 bytes long are refused: C would read on in memory."""
    with pytest.raises(ValueError, match="public_key must be 32 bytes"):
        zcert.new_from(bad, bytes(32))
    with pytest.raises(ValueError, match="secret_key must be 32 bytes"):
        zcert.new_from(bytes(32), bad)


@pytest.mark.parametrize("bad", [None, 1, object(), [1] * 32])
def test_binary_keys_of_another_type(bad: object) -> None:
    """What is no buffer is refused by the argument's name."""
    with pytest.raises(TypeError, match="public_key"):
        zcert.new_from(bad, bytes(32))


def test_new_from_text_keys(cert: Any) -> None:
    """A certificate is made from keys as text, with or without a secret one, also where C has it in drafts only."""
    public, secret = zcert.public_txt(cert), zcert.secret_txt(cert)
    assert zcert.eq(cert, zcert.new_from_txt(public, secret))
    assert zcert.eq(cert, zcert.new_from_txt(public.encode(), secret.encode()))
    assert zcert.secret_txt(zcert.new_from_txt(public)) == NO_SECRET


@pytest.mark.parametrize(
    "bad",
    ["", "x" * 39, "x" * 41, "x" * 40 + "yyyyy", "~" * 40, " " * 40, "#" * 40, "ä" * 20, b"\xff" * 40, "x" * 2**20],
)
def test_text_keys_that_are_none(cert: Any, bad: str) -> None:
    """Text that is not 40 characters of Z85, or a number too large for it, is refused: C would take half of it."""
    with pytest.raises(ValueError, match="public_txt must be a key"):
        zcert.new_from_txt(bad, NO_SECRET)
    with pytest.raises(ValueError, match="secret_txt must be a key"):
        zcert.new_from_txt(zcert.public_txt(cert), bad)


def test_text_keys_of_another_type() -> None:
    """Text with a NUL byte and what is no text at all are refused by the argument's name."""
    with pytest.raises(ValueError, match="public_txt"):
        zcert.new_from_txt("x" * 39 + "\0")
    with pytest.raises(TypeError, match="public_txt"):
        zcert.new_from_txt(None)
    with pytest.raises(TypeError, match="secret_txt"):
        zcert.new_from_txt(NO_SECRET, 1)


# ---------------------------------------------------------------- metadata


@pytest.mark.parametrize("value", ODD_TEXT)
def test_metadata_survives_disk(cert: Any, tmp_path: Path, value: str | bytes) -> None:
    """What can be set can be read again, byte for byte, from memory, a copy, and either file; no value is a format."""
    zcert.set_meta(cert, "odd", value)
    expected = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
    assert zcert.meta(cert, "odd") == expected
    assert zcert.meta(zcert.dup(cert), "odd") == expected
    for save, name in (zcert.save_public, "public"), (zcert.save_secret, "secret"):
        assert save(cert, tmp_path / name) == 0
        loaded = zcert.load(tmp_path / name)
        assert loaded is not None
        assert zcert.meta(loaded, "odd") == expected
        assert zcert.meta_keys(loaded) == ["odd"]
        by_c = C.zcert_load(os.fsencode(tmp_path / name))
        assert by_c, "C itself cannot read it"
        C.zcert_destroy(ffi.new("zcert_t **", by_c))


def test_metadata_of_a_mebibyte(cert: Any, tmp_path: Path) -> None:
    """A value may be long in memory; saving it is refused, since an authenticator would write past its buffer."""
    zcert.set_meta(cert, "long", "x" * 2**20)
    value = zcert.meta(cert, "long")
    assert value is not None
    assert len(value) == 2**20
    for save in zcert.save, zcert.save_public, zcert.save_secret:
        with pytest.raises(ValueError, match="too much metadata"):
            save(cert, tmp_path / "file")
    assert os.listdir(tmp_path) == []


def test_metadata_just_fits(cert: Any, tmp_path: Path) -> None:
    """512 bytes of metadata are saved, with five for each value, one more byte is not; nor is a name of 256."""
    zcert.set_meta(cert, "a", "x" * (256 - 6))
    zcert.set_meta(cert, "b", "x" * (256 - 6))
    assert zcert.save(cert, tmp_path / "fits") == 0
    zcert.set_meta(cert, "c", "")
    with pytest.raises(ValueError, match="512 bytes"):
        zcert.save(cert, tmp_path / "more")
    other = zcert.new()
    zcert.set_meta(other, "n" * 256, "")
    with pytest.raises(ValueError, match="255 for a name"):
        zcert.save_public(other, tmp_path / "more")
    assert sorted(os.listdir(tmp_path)) == ["fits", "fits_secret"]


@pytest.mark.parametrize("name", ["x", "X-Y_z", "$@.&+1", "a/b/c", "0", "n" * 255])
def test_names_that_files_can_hold(cert: Any, tmp_path: Path, name: str) -> None:
    """Names of the format's letters are saved and loaded."""
    zcert.set_meta(cert, name, "value")
    assert zcert.save(cert, tmp_path / "file") == 0
    loaded = zcert.load(tmp_path / "file")
    assert loaded is not None
    assert zcert.meta_keys(loaded) == [name]
    assert zcert.meta(loaded, name) == "value"


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a=b", "a:b", "#a", "a\n", "/a", "a/", "/", 'a"', "ä", b"\xff", "%s", "a'b"]
)
def test_names_that_files_cannot_hold(cert: Any, name: str) -> None:
    """A name that would make the whole file unreadable is refused."""
    with pytest.raises(ValueError, match="name must consist of"):
        zcert.set_meta(cert, name, "value")
    assert zcert.meta_keys(cert) == []


@pytest.mark.parametrize("value", ['say "hi"', '"', "two\nlines", "\n"])
def test_values_that_files_cannot_hold(cert: Any, value: str) -> None:
    """A value that would make the whole file unreadable is refused."""
    with pytest.raises(ValueError, match="value must not contain"):
        zcert.set_meta(cert, "name", value)
    assert zcert.meta(cert, "name") is None


def test_metadata_misuse(cert: Any) -> None:
    """NUL bytes and other types are refused by the argument's name."""
    for name, value, error, match in (
        ("a\0", "x", ValueError, "name"),
        ("a", "x\0", ValueError, "value"),
        (None, "x", TypeError, "name"),
        ("a", None, TypeError, "value"),
        ("a", 1, TypeError, "value"),
    ):
        with pytest.raises(error, match=match):
            zcert.set_meta(cert, name, value)
    with pytest.raises(TypeError, match="name"):
        zcert.meta(cert, None)
    with pytest.raises(ValueError, match="name"):
        zcert.meta(cert, "\0")
    assert zcert.meta(cert, "") is None
    assert zcert.meta(cert, "any thing") is None


def test_a_second_value_for_a_name(cert: Any) -> None:
    """Another value replaces the first where libczmq can do that, and is refused where C would drop it silently."""
    zcert.set_meta(cert, "name", "first")
    zcert.set_meta(cert, "name", "first")
    if DRAFTS:
        zcert.set_meta(cert, "name", "second")
        assert zcert.meta(cert, "name") == "second"
    else:
        with pytest.raises(ValueError, match="'name' has a value"):
            zcert.set_meta(cert, "name", "second")
        assert zcert.meta(cert, "name") == "first"


def test_unset_meta(cert: Any) -> None:
    """A name is removed, where libczmq is built with drafts; elsewhere the error names the function."""
    zcert.set_meta(cert, "name", "value")
    if DRAFTS:
        zcert.unset_meta(cert, "name")
        zcert.unset_meta(cert, "never there")
        assert zcert.meta_keys(cert) == []
    else:
        with pytest.raises(AttributeError, match="zcert_unset_meta is not in this library"):
            zcert.unset_meta(cert, "name")


def test_a_hundred_values(cert: Any) -> None:
    """All names are listed, however many there are."""
    names = [f"n{number}" for number in range(100)]
    for name in names:
        zcert.set_meta(cert, name, name * 2)
    assert sorted(zcert.meta_keys(cert)) == sorted(names)
    assert all(zcert.meta(cert, name) == name * 2 for name in names)


# ---------------------------------------------------------------- files


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_of_the_files(cert: Any, tmp_path: Path, umask: int) -> None:
    """The secret file is its owner's alone, whatever the umask is and whatever was there before; the umask stays."""
    file = tmp_path / "cert"
    secret = tmp_path / "cert_secret"
    secret.write_text("readable by all")
    secret.chmod(0o666)
    before = os.umask(umask)
    try:
        assert zcert.save(cert, file) == 0
        assert zcert.save_secret(cert, tmp_path / "alone") == 0
    finally:
        after = os.umask(before)
    assert after == umask
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "alone").stat().st_mode) == 0o600
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_file_names_of_any_type(cert: Any, tmp_path: Path, kind: type) -> None:
    """File names are str, bytes or PathLike, with any characters in them; none is ever a format."""
    for name in "plain", "100%s%n", "with space", "ümläut", "-":
        file = tmp_path / name
        assert zcert.save(cert, kind(file)) == 0
        loaded = zcert.load(kind(file))
        assert loaded is not None
        assert zcert.eq(cert, loaded)
    assert len(os.listdir(tmp_path)) == 10


def test_long_file_names(cert: Any, tmp_path: Path) -> None:
    """No secret lands in the public file where the path is longer than C's buffer for it."""
    folder = tmp_path / ("d" * 120) / ("e" * 120)
    folder.mkdir(parents=True)
    for length in 1, 20, 100, 240:
        file = folder / ("n" * length)
        assert zcert.save(cert, file) == 0
        assert zcert.secret_txt(cert) not in file.read_text()
        assert zcert.secret_txt(cert) in Path(f"{file}_secret").read_text()
        loaded = zcert.load(file)
        assert loaded is not None
        assert zcert.eq(cert, loaded)


def test_saving_replaces_whole_files(cert: Any, tmp_path: Path) -> None:
    """Saving again replaces the file and leaves nothing else behind."""
    file = tmp_path / "cert"
    file.write_text("x" * 10000)
    assert zcert.save_public(cert, file) == 0
    first = file.stat().st_ino
    assert zcert.save_public(zcert.new(), file) == 0
    assert file.stat().st_ino != first
    assert os.listdir(tmp_path) == ["cert"]
    assert len(file.read_text()) < 300


def test_saving_through_a_link(cert: Any, tmp_path: Path) -> None:
    """A symbolic link stays one: what it points at is replaced."""
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    assert zcert.save_public(cert, tmp_path / "link") == 0
    assert (tmp_path / "link").is_symlink()
    assert zcert.public_txt(cert) in (tmp_path / "real").read_text()


def test_saving_where_that_is_impossible(cert: Any, tmp_path: Path) -> None:
    """A folder that is missing, a folder as the file, an empty name, a device: -1, and nothing is left behind."""
    (tmp_path / "folder").mkdir()
    for save in zcert.save, zcert.save_public, zcert.save_secret:
        assert save(cert, tmp_path / "missing" / "file") == -1
        assert save(cert, "") == -1
        assert save(cert, tmp_path / ("n" * 300)) == -1
    assert zcert.save_public(cert, tmp_path / "folder") == -1
    assert zcert.save_public(cert, os.devnull) == -1
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    assert os.listdir(tmp_path) == ["folder"]
    assert os.listdir(tmp_path / "folder") == []


def test_a_failed_save_leaves_the_file_before(cert: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where writing fails half-way the old file is untouched, no other is left, and errno says why."""
    file = tmp_path / "cert"
    assert zcert.save_public(cert, file) == 0
    before = file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert zcert.save_public(zcert.new(), file) == -1
    assert ffi.errno == 28
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["cert"]


@pytest.mark.parametrize("bad", [None, 1, object()])
def test_file_names_of_no_type(cert: Any, bad: object) -> None:
    """What is no file name is refused by the argument's name."""
    for call in (lambda: zcert.load(bad), lambda: zcert.save(cert, bad), lambda: zcert.save_secret(cert, bad)):
        with pytest.raises(TypeError, match="filename"):
            call()
    with pytest.raises(ValueError, match="filename"):
        zcert.load("a\0b")


def curve(public: str, more: str = "") -> str:
    """Return the text of a certificate file."""
    return f'metadata\n    name = "x"\ncurve\n    public-key = "{public}"\n{more}'


def test_files_that_hold_no_certificate(tmp_path: Path) -> None:
    """What is missing, empty, cut, hostile or no file comes back as None."""
    key = zcert.public_txt(zcert.new())
    broken = {
        "empty": b"",
        "text": b"Hello, World\n",
        "binary": bytes(range(256)) * 10,
        "nul": b"\0" * 100,
        "hidden": b"x\0" + curve(key).encode(),
        "cut": curve(key).encode()[:-5],
        "short": curve("x" * 39).encode(),
        "long": curve("x" * 41).encode(),
        "z85": curve("~" * 40).encode(),
        "secret": curve(key, f'    secret-key = "{"~" * 40}"\n').encode(),
        "indent": b"   curve\n",
        "level": b"                            curve\n",
        "slash": b"/curve\n",
        "quote": b'curve\n    public-key = "\n',
        "flat": f'public-key = "{key}"\n'.encode(),
        "lines": curve(key).encode() + b"x\n" * 2000000,
        "line": curve(key).encode() + b"x" * 2**21,
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
        assert zcert.load(tmp_path / name) is None, name
    assert zcert.load(tmp_path / "missing") is None
    assert zcert.load(tmp_path) is None
    assert zcert.load("") is None
    assert zcert.load(os.devnull) is None
    assert zcert.load(tmp_path / ("n" * 5000)) is None


def test_files_in_other_shapes(tmp_path: Path) -> None:
    """Certificates need no metadata, and may have comments, other quotes, other sections, long lines."""
    key = zcert.public_txt(zcert.new())
    shapes = [
        f"curve\n    public-key = '{key}'\n",
        f'# a comment\n\nother = 1 # comment\ncurve # comment\n    public-key = "{key}" # comment\n',
        curve(key) + "other\n    deep\n        deeper = 1\n",
        curve(key) + f'comment = "{"x" * 100000}"\n',
        curve(key, "    secret-key = too-short\n"),
        curve(key).replace("\n", "\r\n"),
    ]
    for shape in shapes:
        (tmp_path / "cert").write_text(shape)
        cert = zcert.load(tmp_path / "cert")
        assert cert is not None, shape[:200]
        assert (zcert.public_txt(cert), zcert.secret_txt(cert)) == (key, NO_SECRET)


def test_a_broken_secret_file(cert: Any, tmp_path: Path) -> None:
    """Where the secret file cannot be used the public one is."""
    assert zcert.save(cert, tmp_path / "cert") == 0
    (tmp_path / "cert_secret").write_text("curve\n  broken")
    loaded = zcert.load(tmp_path / "cert")
    assert loaded is not None
    assert zcert.secret_txt(loaded) == NO_SECRET


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_no_certificate(cert: Any, tmp_path: Path) -> None:
    """Nobody waits for ever at a pipe, in either place."""
    os.mkfifo(tmp_path / "pipe")
    assert zcert.load(tmp_path / "pipe") is None
    assert zcert.save_public(cert, tmp_path / "pipe") == -1
    os.mkfifo(tmp_path / "cert_secret")
    assert zcert.save_public(cert, tmp_path / "cert") == 0
    assert zcert.load(tmp_path / "cert") is not None


def test_random_files(tmp_path: Path) -> None:
    """Files made of the format's own pieces, in any order, never do any harm."""
    dice = random.Random(4711)
    pieces = [*PIECES, zcert.public_txt(zcert.new())]
    for _ in range(500):
        (tmp_path / "file").write_text("".join(dice.choices(pieces, k=dice.randrange(40))))
        zcert.load(tmp_path / "file")


# ---------------------------------------------------------------- sockets


def test_apply(cert: Any) -> None:
    """The keys of the certificate become those of the socket, of a zsocket and of a zsock."""
    ctx = zctx.new()
    socket = zsocket.new(ctx, zmq.PULL)
    zcert.apply(cert, socket)
    assert zsocket.curve_publickey(socket) == zcert.public_txt(cert)
    assert zsocket.curve_secretkey(socket) == zcert.secret_txt(cert)
    sock = C.zsock_new(zmq.PULL)
    try:
        zcert.apply(cert, sock)
        assert zsocket.curve_publickey(C.zsock_resolve(sock)) == zcert.public_txt(cert)
    finally:
        C.zsock_destroy(ffi.new("zsock_t **", sock))


@pytest.mark.parametrize("whose", ["nobody", "client", "server"])
def test_encrypted_connections(whose: str) -> None:
    """Two sockets with certificates get through to each other; they do not where one has half a certificate."""
    ctx = zctx.new()
    push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
    client, server = zcert.new(), zcert.new()
    zsocket.set_curve_serverkey(push, zcert.public_txt(server))
    zsocket.set_curve_server(pull, True)
    zcert.apply(zcert.new_from(zcert.public_key(server)) if whose == "server" else server, pull)
    zcert.apply(zcert.new_from(zcert.public_key(client)) if whose == "client" else client, push)
    port = zsocket.bind(pull, "tcp://127.0.0.1:*")
    assert zsocket.connect(push, f"tcp://127.0.0.1:{port}") == 0
    zsocket.set_sndtimeo(push, 0)
    assert C.zmq_send(push, b"x", 1, 0) == 1
    assert zsocket.poll(pull, 5000 if whose == "nobody" else 150) is (whose == "nobody")


def test_apply_misuse(cert: Any) -> None:
    """A socket that is none, is gone, or whose context has ended does no harm."""
    for bad, error in ((None, TypeError), (1, TypeError), (ffi.cast("void *", 0), ValueError), (cert, TypeError)):
        with pytest.raises(error, match="socket"):
            zcert.apply(cert, bad)
    ctx = zctx.new()
    socket = zsocket.new(ctx, zmq.PULL)
    zctx.destroy(ctx)
    with pytest.raises(ValueError, match="socket"):
        zcert.apply(cert, socket)
    ended = C.zmq_ctx_new()
    raw = C.zmq_socket(ended, zmq.PULL)
    C.zmq_ctx_shutdown(ended)
    zcert.apply(cert, raw)
    C.zmq_close(raw)
    C.zmq_ctx_term(ended)


# ---------------------------------------------------------------- ownership


def test_destroy_once(cert: Any) -> None:
    """A certificate is destroyed once and refused afterwards by every function; None is let through."""
    other = zcert.new()
    zcert.destroy(None)
    assert zcert.destroy(cert) is None
    calls = [
        lambda: zcert.destroy(cert),
        lambda: zcert.public_key(cert),
        lambda: zcert.secret_key(cert),
        lambda: zcert.public_txt(cert),
        lambda: zcert.secret_txt(cert),
        lambda: zcert.set_meta(cert, "a", "b"),
        lambda: zcert.meta(cert, "a"),
        lambda: zcert.meta_keys(cert),
        lambda: zcert.save(cert, "x"),
        lambda: zcert.save_public(cert, "x"),
        lambda: zcert.save_secret(cert, "x"),
        lambda: zcert.apply(cert, ffi.cast("void *", 1)),
        lambda: zcert.dup(cert),
        lambda: zcert.eq(cert, other),
        lambda: zcert.print(cert),
        lambda: zcert.dump(cert),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="cert was destroyed"):
            call()
    with pytest.raises(ValueError, match="compare was destroyed"):
        zcert.eq(other, cert)


@pytest.mark.parametrize("bad", [None, 1, "cert", ffi.cast("void *", 1), ffi.cast("zframe_t *", 1)])
def test_what_is_no_certificate(bad: object) -> None:
    """Anything else than a certificate is a TypeError that names the argument; NULL is a ValueError."""
    with pytest.raises(TypeError, match="cert must be"):
        zcert.public_txt(bad)
    with pytest.raises(ValueError, match="cert is NULL"):
        zcert.public_txt(ffi.cast("zcert_t *", 0))


def test_raw_and_namespace_mix() -> None:
    """Certificates of the raw floor are taken, and belong to their caller."""
    raw = C.zcert_new()
    assert len(zcert.public_txt(raw)) == 40
    assert zcert.eq(raw, zcert.dup(raw))
    zcert.destroy(raw)
    with pytest.raises(ValueError, match="destroyed"):
        zcert.public_txt(raw)
    mine = zcert.new()
    assert ffi.string(C.zcert_public_txt(mine)).decode() == zcert.public_txt(mine)


def test_garbage_collection() -> None:
    """Thousands of certificates that nobody destroys do no harm."""
    for _ in range(3):
        for _ in range(200):
            zcert.set_meta(zcert.new_from(bytes(32)), "name", "x" * 1000)
        gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_children_share_them() -> None:
    """A certificate is memory and no more: a forked child uses and destroys its copy."""
    children.check(
        """
        import os
        from pyczmq import zcert
        cert = zcert.new()
        key = zcert.public_txt(cert)
        child = os.fork()
        assert zcert.public_txt(cert) == key
        zcert.destroy(cert)
        if child:
            assert os.waitpid(child, 0)[1] == 0
        """
    )


def test_printing() -> None:
    """What is printed goes to CZMQ's log: keys and metadata, which are no formats."""
    output = children.check(
        """
        from pyczmq import zcert
        cert = zcert.new()
        zcert.set_meta(cert, "name", "100%s%n")
        print(zcert.public_txt(cert), flush=True)
        zcert.print(cert)
        zcert.dump(cert)
        """
    )
    key = output.split()[0]
    assert output.count(f'public-key = "{key}"') == 2
    assert output.count('name = "100%s%n"') == 2


def test_aliases_of_other_functions() -> None:
    """A function that nobody wrapped is still found under its alias, and what C does not have is an AttributeError."""
    with pytest.raises(AttributeError, match="nonsense"):
        zcert.nonsense  # noqa: B018


def test_czmqs_own_test() -> None:
    """CZMQ's self-test of the class passes."""
    zcert.test()
