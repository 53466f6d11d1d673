"""Attempts to get into a server: none does, and whoever may does right after, at the same server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import doors
import pytest
from doors import HOST, NULL, PLAIN, Floor, Security, curve, plain

from pyczmq import zstr
from pyczmq.types import Cert

ELSEWHERE = "127.0.0.2"

SERVER, FRIEND, STRANGER = Cert(), Cert(), Cert()
CURVE = curve(SERVER)
KEY = SERVER.public_key
NOBODY = Security()
MIXED = Security(
    {
        "curve_serverkey": KEY,
        "curve_publickey": FRIEND.public_key,
        "curve_secretkey": STRANGER.secret_key,
    }
)

Step = tuple[Any, ...]

KNOWN: Step = ("curve",)
PASSWORDS: Step = ("plain",)

#: Name -> what the authenticator is told, the server, the intruder, who gets in; each of these may have an address.
ATTEMPTS: dict[str, tuple[list[Step], Security, Any, Any]] = {
    "wrong server key": ([KNOWN], CURVE, curve(FRIEND, STRANGER.public_key), curve(FRIEND, KEY)),
    "unknown client key": ([KNOWN], CURVE, curve(STRANGER, KEY), curve(FRIEND, KEY)),
    "the public key of another": ([KNOWN], CURVE, MIXED, curve(FRIEND, KEY)),
    "the server's own keys": ([KNOWN], CURVE, curve(SERVER, KEY), curve(FRIEND, KEY)),
    "a key where only passwords are known": ([PASSWORDS], CURVE, curve(FRIEND, KEY), None),
    "a key where nothing is configured": ([], CURVE, curve(FRIEND, KEY), None),
    "a known key from a denied address": (
        [KNOWN, ("deny", ELSEWHERE)],
        CURVE,
        (curve(FRIEND, KEY), ELSEWHERE),
        curve(FRIEND, KEY),
    ),
    "a known key from an address that is not allowed": (
        [KNOWN, ("allow", HOST)],
        CURVE,
        (curve(FRIEND, KEY), ELSEWHERE),
        curve(FRIEND, KEY),
    ),
    "an unknown key from an allowed address": (
        [KNOWN, ("allow", HOST)],
        CURVE,
        curve(STRANGER, KEY),
        curve(FRIEND, KEY),
    ),
    "wrong password": ([PASSWORDS], PLAIN, plain("admin", "wrong"), plain("admin", "Password")),
    "wrong name": ([PASSWORDS], PLAIN, plain("nobody", "Password"), plain("admin", "Password")),
    "the password of another": ([PASSWORDS], PLAIN, plain("admin", "guest"), plain("admin", "Password")),
    "a part of the password": ([PASSWORDS], PLAIN, plain("admin", "Passwor"), plain("admin", "Password")),
    "more than the password": ([PASSWORDS], PLAIN, plain("admin", "Password\n"), plain("admin", "Password")),
    "a line of the file as name": ([PASSWORDS], PLAIN, plain("admin=Password", "x"), plain("admin", "Password")),
    "a comment as name": ([PASSWORDS], PLAIN, plain("# root", "toor"), plain("admin", "Password")),
    "a password where only keys are known": ([KNOWN], PLAIN, plain("admin", "Password"), None),
    "a password where nothing is configured": ([], PLAIN, plain("admin", "Password"), None),
    "a password from a denied address": (
        [PASSWORDS, ("deny", ELSEWHERE)],
        PLAIN,
        (plain("admin", "Password"), ELSEWHERE),
        plain("admin", "Password"),
    ),
    "a password from an address that is not allowed": (
        [PASSWORDS, ("allow", HOST)],
        PLAIN,
        (plain("admin", "Password"), ELSEWHERE),
        plain("admin", "Password"),
    ),
    "denied address": ([("deny", ELSEWHERE)], NULL, (NOBODY, ELSEWHERE), NOBODY),
    "address that is not allowed": ([("allow", HOST)], NULL, (NOBODY, ELSEWHERE), NOBODY),
    "NULL client, CURVE server": ([KNOWN], CURVE, NOBODY, curve(FRIEND, KEY)),
    "NULL client, PLAIN server": ([PASSWORDS], PLAIN, NOBODY, plain("admin", "Password")),
    "PLAIN client, CURVE server": ([KNOWN, PASSWORDS], CURVE, plain("admin", "Password"), curve(FRIEND, KEY)),
    "CURVE client, PLAIN server": ([KNOWN, PASSWORDS], PLAIN, curve(FRIEND, KEY), plain("admin", "Password")),
    "PLAIN client, NULL server": ([PASSWORDS], NULL, plain("admin", "Password"), NOBODY),
    "CURVE client, NULL server": ([KNOWN], NULL, curve(FRIEND, KEY), NOBODY),
}


def certificates(folder: Path, *certs: Cert) -> Path:
    """Make a folder that knows some certificates."""
    folder.mkdir(exist_ok=True)
    for number, cert in enumerate(certs):
        cert.save_public(folder / f"{number}.cert")
    return folder


def passwords(folder: Path, content: str = "# root=toor\nadmin=Password\nguest=guest\n") -> Path:
    """Make a file of passwords."""
    file = folder / "passwords"
    file.write_text(content)
    return file


@pytest.fixture(params=list(doors.FLOORS))
def floor(request: pytest.FixtureRequest) -> Iterator[Floor]:
    """Each floor, with an authenticator."""
    with doors.open_floor(request.param) as made:
        yield made


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_attempt(floor: Floor, attempt: str, tmp_path: Path) -> None:
    """The intruder does not get in; whoever may does, before and after."""
    steps, server, *others = ATTEMPTS[attempt]
    intruder, friend = (one if isinstance(one, tuple) else (one, HOST) for one in others)
    for what, *args in steps:
        if what == "curve":
            args = [certificates(tmp_path / "known", FRIEND)]
        elif what == "plain":
            args = [passwords(tmp_path)]
        floor.configure(what, *args)
    with floor.server(server) as door:
        if friend[0] is not None:
            assert door.admits(*friend)
        assert not door.admits(*intruder)
        if friend[0] is not None:
            assert door.comes_to_admit(*friend)


# ---------------------------------------------------------------- what is taken away while it runs


def test_removed_certificate(floor: Floor, tmp_path: Path, amount: Callable[[int, int], int]) -> None:
    """A client whose certificate is removed is refused at once; a connection that is there stays, as ZeroMQ has it."""
    known = certificates(tmp_path / "known", FRIEND)
    floor.curve(known)
    with floor.server(CURVE) as door:
        for _ in range(amount(1, 200)):
            STRANGER.save_public(known / "stranger.cert")
            with door.client(curve(STRANGER, KEY), "first") as client:
                assert floor.receive(door.socket, doors.PATIENCE) == "first"
                (known / "stranger.cert").unlink()
                assert not door.admits(curve(STRANGER, KEY))
                assert zstr.send(doors.handle_of(client), "second") == 0
                assert floor.receive(door.socket, doors.PATIENCE) == "second"
            assert door.comes_to_admit(curve(FRIEND, KEY))


#: What CZMQ does not notice by itself: it goes by the number of files, of bytes, and by the last change.
UNNOTICED = {
    "the folder is gone": lambda known: known.rename(known.with_name("gone")),
    "another certificate has taken its place": lambda known: exchange(known),
}


def exchange(known: Path) -> None:
    """Put another certificate in a file, which looks as it did."""
    before = os.stat(known / "0.cert")
    FRIEND.save_public(known / "0.cert")
    os.utime(known / "0.cert", ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", UNNOTICED)
def test_removed_certificate_that_czmq_does_not_miss(floor: Floor, change: str, tmp_path: Path) -> None:
    """It is refused at once, or, in the process-wide context, once the authenticator is told of the folder again."""
    known = certificates(tmp_path / "known", STRANGER)
    floor.curve(known)
    with floor.server(CURVE) as door:
        assert door.admits(curve(STRANGER, KEY))
        UNNOTICED[change](known)
        if not floor.relayed:
            floor.curve(known)
        assert not door.admits(curve(STRANGER, KEY))


#: A file of passwords, later.
LATER: dict[str, Callable[[Path], object]] = {
    "another password": lambda file: file.write_text("admin=newPassword\n"),
    "no such name": lambda file: file.write_text("guest=guest\n"),
    "empty": lambda file: file.write_text(""),
    "gone": lambda file: file.unlink(),
    "half written": lambda file: file.write_text("admin=Passw"),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "an older file": lambda file: (file.write_text("guest=guest\n"), os.utime(file, (1e9, 1e9))),
}


@pytest.mark.parametrize("change", LATER)
def test_removed_password(floor: Floor, change: str, tmp_path: Path) -> None:
    """A password that is changed or removed is refused at once, or, process-wide, once the authenticator is told."""
    file = passwords(tmp_path)
    floor.plain(file)
    with floor.server(PLAIN) as door:
        assert door.admits(plain("admin", "Password"))
        LATER[change](file)
        if not floor.relayed:
            if file.is_dir():
                with pytest.raises(ValueError, match="is not a file"):
                    floor.plain(file)
                return
            floor.plain(file)
        assert not door.admits(plain("admin", "Password"))
        assert door.refuses(plain("guest", "Password"))


def test_dictionary_of_passwords_is_replaced_whole() -> None:
    """Passwords of a dict hold until there is another."""
    with doors.open_floor("objects") as floor, floor.server(PLAIN) as door:
        floor.configure("plain", {"admin": "Password", "guest": "guest"})
        assert door.admits(plain("admin", "Password"))
        assert door.admits(plain("guest", "guest"))
        floor.configure("plain", {"admin": "other"})
        assert not door.admits(plain("guest", "guest"))
        assert door.comes_to_admit(plain("admin", "other"))


def test_configuration_holds_once_it_returns(floor: Floor, tmp_path: Path, amount: Callable[[int, int], int]) -> None:
    """A client that tries all the while does not slip in; what was configured holds for the very next one."""
    file = passwords(tmp_path)
    with floor.server(CURVE) as door, floor.server(PLAIN) as other:
        with door.client(curve(STRANGER, KEY), "intrusion"), other.client(plain("admin", "wrong"), "intrusion"):
            for number in range(amount(3, 300)):
                floor.curve(certificates(tmp_path / f"known{number % 3}", FRIEND))
                assert door.comes_to_admit(curve(FRIEND, KEY))
                floor.plain(file)
                assert other.comes_to_admit(plain("admin", "Password"))
                floor.curve(tmp_path / "nothing")
                assert door.refuses(curve(FRIEND, KEY))
                floor.plain(tmp_path / "nothing")
                assert other.refuses(plain("admin", "Password"))
        floor.configure("deny", ELSEWHERE)
        floor.plain(file)
        assert other.refuses(plain("admin", "Password"), ELSEWHERE)
