"""Files with secrets in them: who may read them, at any moment, and what a crash leaves; files that are none."""

from __future__ import annotations

import os
import random
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import children
import doors
import pytest
from doors import curve
from test_security import FRIEND, KEY, SERVER, STRANGER, certificates

from pyczmq import zcert, zcertstore, zconfig
from pyczmq.types import Cert, CertStore, Config

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files have modes and links on POSIX systems")

#: What a file of a configuration begins with, so that half of it is noticed.
CONTENT = 'password = "{0}"\n' + 'filling = "{0}"\n' * 50


def config(word: str) -> Config:
    """Return a configuration that is large enough to be written in pieces."""
    return Config.loads(CONTENT.format(word))


def words(file: Path) -> set[str]:
    """Return the values in a configuration file, which must be whole."""
    tree = Config.load(file)
    values = {item.value or "" for item in tree}
    assert len(tree.children) == 51
    return values


#: Name -> what saves a secret to a file, whose mode is its own business or 0600.
SAVERS: dict[str, Callable[[Path], object]] = {
    "zcert.save_secret": lambda file: zcert.save_secret(FRIEND.handle, file),
    "zcert.save": lambda file: zcert.save(FRIEND.handle, str(file)[: -len("_secret")]),
    "Cert.save_secret": FRIEND.save_secret,
    "Cert.save": lambda file: FRIEND.save(str(file)[: -len("_secret")]),
}
CONFIGS: dict[str, Callable[[Path], object]] = {
    "zconfig.save": lambda file: zconfig.save(config("new").handle, file),
    "zconfig.savef": lambda file: zconfig.savef(config("new").handle, "%s", str(file)),
    "Config.save": lambda file: config("new").save(file),
}


def mode(path: Path) -> int:
    """Return the mode of a file, or of a link."""
    return stat.S_IMODE(os.lstat(path).st_mode)


def temporaries(folder: Path) -> list[str]:
    """Return the files in a folder that nobody has asked for."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Have another umask."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


# ---------------------------------------------------------------- modes


@pytest.mark.parametrize("before", ["nothing", "loose", "link", "dangling link", "hard link"])
@pytest.mark.parametrize("saver", SAVERS)
def test_mode_of_secrets(saver: str, before: str, tmp_path: Path) -> None:
    """A file with a secret has mode 0600, whatever was there; a loose file elsewhere is replaced, not written to."""
    for mask in 0, 0o022, 0o077, 0o277:
        folder = tmp_path / f"{mask:o}"
        folder.mkdir()
        _check_mode(SAVERS[saver], before, mask, folder)


def _check_mode(save: Callable[[Path], object], before: str, mask: int, tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "cert_secret", tmp_path / "elsewhere"
    if before in ("loose", "hard link"):
        file.write_text("before")
        file.chmod(0o666)
    if before == "hard link":
        os.link(file, elsewhere)
    if "link" in before and before != "hard link":
        if before == "link":
            elsewhere.write_text("before")
            elsewhere.chmod(0o666)
        file.symlink_to(elsewhere)
    with umask(mask):
        save(file)
    target = elsewhere if before in ("link", "dangling link") else file
    assert file.is_symlink() is (target is elsewhere)
    assert mode(target) == 0o600
    assert FRIEND.secret_key is not None
    assert FRIEND.secret_key in target.read_text()
    if before == "hard link":
        assert elsewhere.read_text() == "before"
    assert temporaries(tmp_path) == []


@pytest.mark.parametrize("mask", [0, 0o022])
@pytest.mark.parametrize("before", [None, 0o600, 0o640, 0o644, 0o4755])
@pytest.mark.parametrize("saver", CONFIGS)
def test_mode_of_configurations(saver: str, before: int | None, mask: int, tmp_path: Path) -> None:
    """A configuration keeps its mode, and its owner and group; a new one gets what the umask leaves."""
    file = tmp_path / "config"
    if before is not None:
        file.write_text("before = 1\n")
        if os.geteuid() == 0:
            os.chown(file, 1234, 4321)
        file.chmod(before)
    owners = (os.geteuid(), os.getegid()) if before is None or os.geteuid() else (1234, 4321)
    with umask(mask):
        CONFIGS[saver](file)
    assert mode(file) == (0o666 & ~mask if before is None else before)
    assert (file.stat().st_uid, file.stat().st_gid) == owners
    assert words(file) == {"new"}
    assert temporaries(tmp_path) == []


def test_nothing_is_ever_loose(
    tmp_path: Path, amount: Callable[[int, int], int], figure: Callable[[str], None]
) -> None:
    """While secrets are saved under umask 0, whoever looks all the time sees no file that others could read."""
    private = tmp_path / "config"
    private.touch(0o600)
    stop = threading.Event()
    looks, loose = [0], []

    def look() -> None:
        while not stop.is_set():
            for entry in os.scandir(tmp_path):
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                looks[0] += 1
                if found.st_mode & 0o077:
                    loose.append(entry.name)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        with umask(0):
            for _ in range(amount(30, 2000)):
                FRIEND.save_secret(tmp_path / "cert_secret")
                config("secret").save(private)
    finally:
        stop.set()
        watcher.join()
    assert loose == []
    assert looks[0] > 0
    figure(f"{looks[0]} looks at files that were being written: none was loose")


@pytest.mark.parametrize("saver", ["zcert.save_secret", "Cert.save", "Config.save"])
def test_files_are_private_when_they_are_opened(saver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made by this process alone, with the mode that they keep, and are whole before they have their name."""
    target = tmp_path / "cert_secret"
    target.touch(0o600)
    opened: list[tuple[str, int, int]] = []
    os_open, os_replace = os.open, os.replace

    def watch_open(path: Any, flags: int, created: int = 0o777, **more: Any) -> int:
        if flags & os.O_CREAT:
            opened.append((os.fsdecode(path), flags, created))
        return os_open(path, flags, created, **more)

    def watch_replace(source: Any, destination: Any) -> None:
        if b"secret" in Path(os.fsdecode(source)).read_bytes():
            assert mode(Path(os.fsdecode(source))) == 0o600
        os_replace(source, destination)

    monkeypatch.setattr(os, "open", watch_open)
    monkeypatch.setattr(os, "replace", watch_replace)
    {**SAVERS, **CONFIGS}[saver](target)
    assert opened
    assert all(flags & os.O_EXCL for _, flags, _ in opened)
    assert opened[0][2] == 0o600
    assert str(target) not in [path for path, *_ in opened]


# ---------------------------------------------------------------- whole or not at all

_FULL = """
import os, resource, signal, sys
from pyczmq import zmq
from pyczmq.types import Cert, Config
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = sys.argv[1]
config = Config.loads({content!r}.format("before"))
config.save(folder + "/config")
cert = Cert()
cert.save(folder + "/cert")
before = {{name: open(folder + "/" + name, "rb").read() for name in os.listdir(folder)}}
other = Cert.generate(name="x" * 300)
for limit in 0, 1, 100, 300, 500:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    changed = Config.loads({content!r}.format("changed"))
    for save in other.save, other.save_secret, other.save_public:
        try:
            save(folder + "/cert" + ("_secret" if save == other.save_secret else ""))
        except OSError as error:
            assert error.errno and error.filename, error
        else:
            assert limit == 500 and save == other.save_public, (limit, save)
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            cert.save_public(folder + "/cert")
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        changed.save(folder + "/config")
    except OSError as error:
        assert error.filename == folder + "/config"
    else:
        raise SystemExit("saved")
    assert {{name: open(folder + "/" + name, "rb").read() for name in os.listdir(folder)}} == before
print("whole")
"""


def test_full_disk(tmp_path: Path) -> None:
    """Where a file cannot be written to its end the one of before stays, whole, and nothing else is left there."""
    assert children.check(_FULL.format(content=CONTENT), str(tmp_path)) == "whole\n"


#: A process that forks one child after the other, each of which saves until it is killed.
_KILLED = """
import os, random, signal, stat, sys, time
from pyczmq.types import Cert, Config
folder, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
content = {content!r}
known = [Cert(), Cert()]
configs = [Config.loads(content.format(word)) for word in ("first", "second")]
paths = folder + "/cert", folder + "/config"
known[0].save(paths[0])
configs[0].save(paths[1])
os.chmod(paths[1], 0o600)
os.umask(0)
left = 0
for number in range(count):
    child = os.fork()
    if child == 0:
        while True:
            for cert, config in zip(known, configs):
                cert.save_secret(paths[0] + "_secret")
                config.save(paths[1])
    time.sleep(random.uniform(0.001, 0.02))
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    found = Cert.load(paths[0])
    assert found.has_secret and found in known, (number, seed)
    values = {{item.value for item in Config.load(paths[1])}}
    assert values in ({{"first"}}, {{"second"}}), (number, seed, values)
    for entry in os.scandir(folder):
        assert entry.name == "cert" or stat.S_IMODE(entry.stat().st_mode) == 0o600, (number, seed, entry.name)
        if entry.name.startswith("."):
            left += 1
            # So that the next to save takes it for what it is.
            os.utime(entry.path, (0, 0))
    known[1].save_secret(paths[0] + "_secret")
    assert not [name for name in os.listdir(folder) if name.startswith(".")], (number, seed)
print(left)
"""


def test_killed_while_saving(tmp_path: Path, amount: Callable[[int, int], int], figure: Callable[[str], None]) -> None:
    """kill -9 at any moment leaves the file of before or the new one, whole and private; what else, the next sweeps."""
    count = amount(25, 1000)
    seed = random.SystemRandom().randrange(10**6)
    left = children.check(_KILLED.format(content=CONTENT), str(tmp_path), str(count), str(seed), timeout=3000)
    figure(f"killed {count} times while saving: always whole and 0600, {int(left)} temporary files left and swept")


def test_only_ones_own_old_leftovers_are_swept(tmp_path: Path) -> None:
    """What another process may be writing right now, or has another name, is left alone."""
    names = {".pyczmq-old": 0.0, ".pyczmq-young": None, ".other": 0.0, "pyczmq-": 0.0}
    for name, when in names.items():
        (tmp_path / name).touch()
        if when is not None:
            os.utime(tmp_path / name, (when, when))
    (tmp_path / ".pyczmq-folder").mkdir()
    (tmp_path / ".pyczmq-link").symlink_to("nowhere")
    FRIEND.save_public(tmp_path / "cert")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {".pyczmq-young", ".other", "pyczmq-", ".pyczmq-folder", ".pyczmq-link", "cert"}


@pytest.mark.parametrize("saver", CONFIGS)
def test_what_is_saved_to_its_own_file_has_not_changed(saver: str, tmp_path: Path) -> None:
    """Although C has not written it; what comes after is a change, and after that is reloaded it is none."""
    file = tmp_path / "config"
    file.write_text("a = 1\n")
    os.utime(file, (1e9, 1e9))
    tree = Config.load(file)
    tree["a"] = "more than before"
    if saver == "Config.save":
        tree.save(file)
    elif saver == "zconfig.save":
        assert zconfig.save(tree.handle, file) == 0
    else:
        assert zconfig.savef(tree.handle, "%s", str(file)) == 0
    assert not tree.has_changed()
    tree.save(tmp_path / "copy")
    assert not tree.has_changed()
    file.write_text("a = 2\n")
    assert tree.has_changed()
    tree.reload()
    assert tree["a"] == "2"
    assert not tree.has_changed()
    os.utime(file, (1e9, 1e9))
    assert tree.has_changed()
    file.unlink()
    assert not tree.has_changed()


def test_configurations_go_to_devices_and_pipes(tmp_path: Path) -> None:
    """These are written to, and not replaced; a folder and a place that is not there are refused."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    config("word").save(pipe)
    assert os.read(reader, 100_000).decode().count('"word"') == 51
    os.close(reader)
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)
    config("word").save(os.devnull)
    for path, error in (tmp_path, IsADirectoryError), (tmp_path / "no" / "where", FileNotFoundError):
        with pytest.raises(error):
            config("word").save(path)


# ---------------------------------------------------------------- files that are no certificates


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    made = socket.socket(socket.AF_UNIX)
    before = os.getcwd()
    os.chdir(path.parent)  # such a name may be 108 bytes long
    made.bind(path.name)
    os.chdir(before)
    made.close()


#: Name -> what makes something odd of that name in a folder of certificates, which knows STRANGER by it at most.
ODD: dict[str, Callable[[Path], object]] = {
    "a pipe": fifo,
    "a socket": unix_socket,
    "a folder": lambda path: path.mkdir(),
    "a dangling link": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to a folder above": lambda path: path.symlink_to(".."),
    "an empty file": lambda path: path.touch(),
    "a huge file": lambda path: (path.touch(), os.truncate(path, 2**33)),
    "no text": lambda path: path.write_bytes(bytes(range(256)) * 10),
    "a key that is too short": lambda path: path.write_text(f'curve\n    public-key = "{STRANGER.public_key[:-1]}"\n'),
    "a key with a line feed": lambda path: path.write_text(f'curve\n    public-key = "{STRANGER.public_key[:-1]}\n"\n'),
    "a key at another place": lambda path: path.write_text(f'public-key = "{STRANGER.public_key}"\n'),
    "a key in a comment": lambda path: path.write_text(f'curve\n#    public-key = "{STRANGER.public_key}"\n'),
    "a hidden file": lambda path: STRANGER.save_public(path.with_name(".hidden")),
    "a file that is not whole": lambda path: path.write_bytes(whole(STRANGER)[:-5]),
    "only the secret half": lambda path: STRANGER.save_secret(f"{path}_secret"),
}


def whole(cert: Cert) -> bytes:
    """Return the public file of a certificate."""
    text = f'#   CURVE certificate\n\nmetadata\n    name = "x"\ncurve\n    public-key = "{cert.public_key}"\n'
    return text.encode()


@pytest.mark.parametrize("name", ["zsocket", "process-wide objects"])
@pytest.mark.parametrize("odd", ODD)
def test_odd_file_among_certificates(name: str, odd: str, tmp_path: Path) -> None:
    """It lets nobody in, and hangs and crashes nothing; where it keeps others out as well the error names it."""
    known = certificates(tmp_path / "known", FRIEND)
    ODD[odd](known / "odd.cert")
    assert zcert.load(known / "odd.cert") is None or odd == "only the secret half"
    with doors.open_floor(name) as floor, floor.server(curve(SERVER)) as door:
        try:
            floor.curve(known)
        except ValueError as error:
            assert "odd.cert" in str(error) or "too deep" in str(error)
            assert odd in ("a huge file", "no text", "a link to a folder above", "a key with a line feed")
            assert not door.admits(curve(FRIEND, KEY))
        else:
            assert door.admits(curve(FRIEND, KEY))
        assert door.refuses(curve(STRANGER, KEY))


@pytest.mark.parametrize("make", [zcertstore.new, CertStore])
def test_store_over_a_folder_that_c_cannot_bear(make: Callable[[Path], object], tmp_path: Path) -> None:
    """CZMQ reads the folder when the store is made, and would abort over two files with one key."""
    known = certificates(tmp_path / "known", FRIEND, FRIEND)
    with pytest.raises(ValueError, match=r"\.cert has the same key as .*\.cert"):
        make(known)


def test_certificates_that_are_not_whole(tmp_path: Path, amount: Callable[[int, int], int]) -> None:
    """A file cut off anywhere, or with a bit changed, holds its own key, another sound one, or none."""
    file, content = tmp_path / "cert", whole(STRANGER)
    for end in range(0, len(content), amount(5, 1)):
        file.write_bytes(content[:end])
        found = zcert.load(file)
        assert found is None or zcert.public_txt(found) == STRANGER.public_key
    chance = random.Random(4)
    store = CertStore(tmp_path)
    for _ in range(amount(60, 20_000)):
        changed = bytearray(content)
        changed[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        file.write_bytes(changed)
        found = zcert.load(file)
        try:
            known = [cert.public_key for cert in store]
        except ValueError as error:
            assert str(file) in str(error)
            continue
        assert known == ([] if found is None else [zcert.public_txt(found)])


@pytest.mark.parametrize(
    "key",
    ["../outside", "/etc/passwd", "..", "", "known/../outside", "a\nb", "x" * 1000, "%s%n", "outside\0.cert", "*"],
)
def test_names_that_are_no_keys(key: str, tmp_path: Path) -> None:
    """A store looks up keys, and never a file of that name."""
    STRANGER.save_public(tmp_path / "outside")
    known = certificates(tmp_path / "known", FRIEND)
    store = zcertstore.new(known)
    if "\0" in key:
        with pytest.raises(ValueError, match="NUL byte"):
            zcertstore.lookup(store, key)
    else:
        assert zcertstore.lookup(store, key) is None
    with pytest.raises(ValueError, match="public_key must be a key"):
        CertStore(known).lookup(key)
    assert zcertstore.lookup(store, FRIEND.public_key) is not None


@pytest.mark.parametrize(
    "value",
    ['x"\ncurve\n    public-key = "{key}', "x\ncurve\n    public-key = {key}", 'x" # "{key}', "x\n    role = admin"],
)
@pytest.mark.parametrize("name", ["name", "role"])
def test_forged_entries_of_certificates(name: str, value: str, tmp_path: Path) -> None:
    """Metadata that would become other entries of the file is refused, and no file is written."""
    forged = value.format(key=STRANGER.public_key)
    cert = Cert()
    with pytest.raises(ValueError, match="must not contain a double quote or a line feed"):
        cert.meta[name] = forged
    with pytest.raises(ValueError, match="must not contain a double quote or a line feed"):
        zcert.set_meta(cert.handle, name, forged)
    with pytest.raises(ValueError, match="name must consist of"):
        cert.meta[forged] = name
    cert.save(tmp_path / "cert")
    assert dict(Cert.load(tmp_path / "cert").meta) == {}
    assert STRANGER.public_key not in (tmp_path / "cert").read_text()


def test_any_metadata_stays_what_it_is(tmp_path: Path, amount: Callable[[int, int], int]) -> None:
    """Random bytes as values come back as they were, and the keys with them."""
    chance = random.Random(5)
    for _ in range(amount(20, 2000)):
        value = bytes(byte for byte in chance.choices(range(1, 256), k=100) if byte not in b'"\n')
        cert = Cert()
        cert.meta["name"] = value  # type: ignore[assignment]
        cert.save(tmp_path / "cert")
        found = Cert.load(tmp_path / "cert")
        assert found == cert
        assert {name: os.fsencode(text) for name, text in found.meta.items()} == {"name": value}


@pytest.mark.parametrize("password", ["x\nroot=root", "x\n\nroot=root", "\nroot=root"])
def test_forged_passwords(password: str) -> None:
    """A password that would become another line of the file is refused, and what was known before stays."""
    with doors.open_floor("objects") as floor, floor.server(doors.PLAIN) as door:
        floor.configure("plain", {"admin": "Password"})
        with pytest.raises(ValueError, match="password must not contain a line feed"):
            floor.configure("plain", {"guest": password})
        with pytest.raises(ValueError, match="name must not contain a line feed"):
            floor.configure("plain", {f"guest=x{password}": "x"})
        assert door.admits(doors.plain("admin", "Password"))
        assert not door.admits(doors.plain("root", "root"))
