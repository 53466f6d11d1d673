"""No secret is shown where nobody has asked for it: in a repr, an error, a traceback, a log, on the output."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import children
import doors
import pytest
from test_security import FRIEND, KEY

from pyczmq import aio, zauth, zcert, zconfig, zctx, zmq, zsock, zsocket
from pyczmq.types import Auth, Cert, CertStore, Config, Context, Socket

#: Secrets that are not of the right form, all with this in them.
MARK = "s3cr3t"
SHORT_KEY = (MARK * 7)[:39]
LONG_KEY = (MARK * 7)[:41]
NO_Z85 = "~" * 34 + MARK
NON_ASCII = "ä" + (MARK * 7)[:39]
LONG = MARK * 100
NUL = f"{MARK}\0{MARK}"
FEED = f"{MARK}\n{MARK}"

WRONG_KEYS: list[Any] = [SHORT_KEY, LONG_KEY, NO_Z85, NON_ASCII, NUL, MARK, "\0" * 34 + MARK]
WRONG_KEYS += [key.encode() for key in WRONG_KEYS]
WRONG_PASSWORDS: list[Any] = [LONG, LONG.encode(), NUL, [MARK], {MARK: MARK}, (MARK,)]

CTX = zctx.new()


def sockets() -> list[Any]:
    """Return a socket of each kind."""
    return [zsocket.new(CTX, zmq.PUSH), zsock.new(zmq.PUSH)]


def attempts() -> list[Callable[[], object]]:
    """Return calls that are given secrets of a wrong form."""
    calls: list[Callable[[], object]] = []
    add = calls.append
    public = FRIEND.public_bytes
    for key in WRONG_KEYS:
        add(lambda key=key: zcert.new_from(public, key))
        add(lambda key=key: zcert.new_from_txt(KEY, key))
        add(lambda key=key: Cert(KEY, key))
        add(lambda key=key: Cert(secret_key=key))
        add(lambda key=key: zmq.curve_public(key))
        add(lambda key=key: zmq.z85_decode(key))
        add(lambda key=key: zmq.z85_encode(key))
        add(lambda key=key: Socket(zmq.PUSH, curve_secretkey=key))
        add(lambda key=key: Context().socket(zmq.PUSH, curve_secretkey=key))
        add(lambda key=key: asyncio.run(opened(curve_secretkey=key)))
        add(lambda key=key: setattr(Socket(zmq.PUSH), "curve_secretkey", key))
        add(lambda key=key: setattr(Socket(zmq.PUSH), "curve_secretkey_bin", key))
        for socket in sockets():
            add(lambda key=key, socket=socket: zsocket.set_curve_secretkey(socket, key))
            add(lambda key=key, socket=socket: zsocket.set_curve_secretkey_bin(socket, key))
            add(lambda key=key, socket=socket: zsock.set_curve_secretkey(socket, key))
            add(lambda key=key, socket=socket: zmq.setsockopt(socket, zmq.CURVE_SECRETKEY, key))
    for word in WRONG_PASSWORDS:
        add(lambda word=word: Socket(zmq.PUSH, plain_password=word))
        add(lambda word=word: asyncio.run(opened(plain_password=word)))
        add(lambda word=word: setattr(Socket(zmq.PUSH), "plain_password", word))
        add(lambda word=word: setattr(Socket(zmq.PUSH), "socks_password", word))
        for socket in sockets():
            add(lambda word=word, socket=socket: zsocket.set_plain_password(socket, word))
            add(lambda word=word, socket=socket: zsock.set_plain_password(socket, word))
            add(lambda word=word, socket=socket: zmq.setsockopt(socket, zmq.PLAIN_PASSWORD, word))
    return calls


async def opened(**options: Any) -> None:
    """Make a socket for asyncio."""
    async with aio.Socket(zmq.PUSH, **options):
        pass


def told(call: Callable[[], object]) -> str:
    """Return all that an exception of a call tells, with those behind it; nothing if there is none."""
    try:
        call()
    except Exception as error:
        texts = []
        chain: BaseException | None = error
        while chain is not None:
            texts += [repr(chain), str(chain), repr(chain.args), repr(vars(chain))]
            chain = chain.__cause__ or chain.__context__
        # Without the source's own lines: those of this file have no secret in them, but its name may.
        texts += traceback.format_exception(type(error), error, error.__traceback__)
        return "\n".join(texts)
    return ""


def test_errors_do_not_tell_secrets(capfd: pytest.CaptureFixture[str], figure: Callable[[str], None]) -> None:
    """Whatever is wrong with a key or a password, the error says which argument it is, and no more."""
    calls = attempts()
    errors = 0
    for call in calls:
        text = told(call)
        errors += bool(text)
        assert MARK not in text, text
    output = capfd.readouterr()
    assert MARK not in output.out + output.err
    assert errors > len(calls) / 2
    figure(f"{len(calls)} calls with secrets of a wrong form, {errors} errors: none tells the secret")


def test_errors_of_passwords_do_not_tell_them(capfd: pytest.CaptureFixture[str]) -> None:
    with doors.open_floor("objects") as floor:
        for word in [*WRONG_PASSWORDS, FEED]:
            text = told(lambda word=word: floor.configure("plain", {"admin": word}))
            assert text
            assert MARK not in text
            assert MARK not in told(lambda word=word: floor.configure("plain", {"": MARK, "admin": word}))
    output = capfd.readouterr()
    assert MARK not in output.out + output.err


def test_errors_of_configurations_do_not_tell_values(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither do those of values that no file can hold, nor those of files that are not sound, nor C's own words."""
    tree = Config()
    for value in (NUL, FEED, f'{MARK}"', [MARK], {MARK: 1}):
        text = told(lambda value=value: tree.__setitem__("password", value))
        assert MARK not in text
        for call in (lambda: tree.save(tmp_path / "config"), tree.dumps, lambda: zconfig.chunk_save(tree.handle)):
            assert MARK not in told(call)
    assert MARK not in repr(tree)
    for line in (
        f'password "{MARK}"',
        f'password = "x"{MARK}',
        f"password = 'x' {MARK}",
        f"\tpassword = {MARK}",
        f"  password = {MARK}",
        f'    password = "{MARK}',
        f"password: {MARK}",
        f"pass word = {MARK}",
        f"ä = {MARK}",
        f"/password = {MARK}",
    ):
        (tmp_path / "broken").write_text(f"fine = 1\n{line}\n")
        assert MARK not in told(lambda line=line: Config.loads(line))
        text = told(lambda: Config.load(tmp_path / "broken"))
        assert text, line
        assert MARK not in text
    output = capfd.readouterr()
    assert MARK not in output.out + output.err
    assert "E (zconfig): (2) invalid syntax" in output.out


def test_broken_certificates_do_not_tell_their_keys(tmp_path: Path) -> None:
    """C quotes the line of a file that it does not understand: it does not get to see one with a secret key in it."""
    output = children.run(
        """
        import os, sys
        from pyczmq import zcert, zcertstore
        from pyczmq.types import Auth, Cert, CertStore
        folder, mark = sys.argv[1:]
        lines = ['secret-key "%s"', 'secret-key = "x"%s', "secret-key: %s", "\\tsecret-key = %s", "secret-key = 'a'%s"]
        auth = Auth()
        for line in lines:
            for name in "cert_secret", "cert":
                with open(f"{folder}/cert", "w") as file:
                    file.write("")
                with open(f"{folder}/{name}", "w") as file:
                    file.write(f'curve\\n    public-key = "{Cert().public_key}"\\n    {line % mark}\\n')
                for call in (Cert.load, zcert.load):
                    try:
                        print(call(f"{folder}/cert"))
                    except ValueError as error:
                        print(error)
                for call in (auth.curve, lambda folder: CertStore(folder).lookup("x" * 40)):
                    try:
                        call(folder)
                    except ValueError as error:
                        print(error)
                    else:
                        raise SystemExit(f"{line} {name}")
                for name in os.listdir(folder):
                    os.unlink(f"{folder}/{name}")
        auth.close()
        """,
        str(tmp_path),
        MARK,
    )
    assert output.status == 0, output
    assert "has a secret key, and a line that is none of a certificate's" in output.output
    assert MARK not in output.output + output.errors


def test_representations(tmp_path: Path) -> None:
    """No repr, str, dict, copy or pickle of an object shows a secret, nor does asyncio in its debug mode."""
    secret = FRIEND.secret_key
    assert secret is not None
    FRIEND.save(tmp_path / "cert")
    store = CertStore()
    store.insert(FRIEND)
    tree = Config()
    tree["key"] = secret
    with Socket(zmq.PUSH, plain_username="admin", plain_password=secret) as socket, Auth() as auth:
        FRIEND.apply(socket, server_key=KEY)
        auth.plain({"admin": secret})
        things = [FRIEND, FRIEND.dup(), Cert.load(tmp_path / "cert"), store, tree, auth, socket, FRIEND.meta, *tree]
        things += [thing.handle for thing in (FRIEND, store, tree, auth, socket)]
        things += [CertStore(tmp_path), FRIEND.dup().__deepcopy__({}), copy.copy(FRIEND)]
        for thing in things:
            for text in (repr(thing), f"{thing!r:>10}", ascii(thing), repr(getattr(thing, "__dict__", None))):
                assert secret not in text
            if not isinstance(thing, (Config,)):
                assert secret not in str(thing)
            assert secret not in told(lambda thing=thing: pickle.dumps(thing))
        assert secret not in repr([getattr(FRIEND, name, None) for name in ("__slots__", "_public_key", "_has_secret")])
        assert FRIEND.secret_key == secret
        assert socket.plain_password == secret


def test_asyncio_in_debug_mode(caplog: pytest.LogCaptureFixture) -> None:
    """What asyncio logs of tasks and callbacks that have a socket with secrets in them does not show these."""
    secret = FRIEND.secret_key

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 0
        async with aio.Socket(zmq.PULL, plain_password=MARK) as socket:
            FRIEND.apply(socket, server_key=KEY)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(socket.recv(), 0.02)

            async def fail() -> None:
                await socket.send(MARK.upper())

            task = asyncio.ensure_future(fail())
            await asyncio.wait([task])
            loop.call_exception_handler({"message": "failed", "exception": task.exception(), "task": task})

    with caplog.at_level(logging.DEBUG):
        asyncio.run(main(), debug=True)
    assert "failed" in caplog.text
    assert MARK not in caplog.text
    assert str(secret) not in caplog.text


_TALK = """
import logging, sys
from pyczmq import zmq, zsys
from pyczmq.types import Auth, Cert, Context, Monitor, Socket
verbose, to_logging, folder = sys.argv[1] == "verbose", sys.argv[2] == "logging", sys.argv[3]
if to_logging:
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(message)s")
    zsys.log_to_logging()
server, client, stranger = Cert(), Cert(), Cert()
client.save(folder + "/client")
auth = Auth()
if verbose:
    auth.verbose()
auth.curve(folder)
auth.plain({"admin": "s3cr3t-password"})
context = Context()
for where in None, context:
    for options in ({"plain_server": True},):
        for password in "s3cr3t-password", "s3cr3t-wrong", "s3cr3t-\\nE: 1 forged":
            with Socket(zmq.PULL, context=where, **options) as pull, Monitor(pull) as monitor:
                pull.bind("tcp://127.0.0.1:*")
                with Socket(zmq.PUSH, context=where, plain_username="admin", plain_password=password) as push:
                    push.connect(pull.last_endpoint)
                    while not monitor.recv(timeout=5000).event.startswith("HANDSHAKE"):
                        pass
    for cert in client, stranger:
        with Socket(zmq.PULL, context=where) as pull, Monitor(pull) as monitor:
            server.apply(pull, server=True)
            pull.bind("tcp://127.0.0.1:*")
            with Socket(zmq.PUSH, context=where) as push:
                cert.apply(push, server_key=server)
                push.connect(pull.last_endpoint)
                while not monitor.recv(timeout=5000).event.startswith("HANDSHAKE"):
                    pass
auth.close()
if to_logging:
    zsys.log_to_logging(None)
print(*[cert.secret_key for cert in (server, client, stranger)], file=sys.stderr)
"""


@pytest.mark.parametrize("target", ["logging", "output"])
@pytest.mark.parametrize("verbose", ["quiet", "verbose"])
def test_logs_of_an_authenticator(verbose: str, target: str, tmp_path: Path) -> None:
    """Neither keys nor passwords are logged, but for the passwords of a verbose one in CZMQ's own log: that says so."""
    done = children.run(_TALK, verbose, target, str(tmp_path))
    assert done.status == 0, done
    keys = done.errors.split()
    assert len(keys) == 3
    assert not any(key in done.output for key in keys)
    if verbose == "quiet":
        assert done.output == ""
    else:
        assert "zauth: - allowed (CURVE) client_key=" in done.output
        assert "username=admin password=" in done.output
        assert (MARK in done.output) is (target == "output")
        assert "passwords too" in (zauth.set_verbose.__doc__ or "") and "passwords too" in (Auth.verbose.__doc__ or "")


@pytest.mark.parametrize("program", ["examples/secure_service.py", "examples/wordcount.py"])
def test_examples_do_not_hold_secrets(program: str) -> None:
    """No key and no password stands in an example, for somebody to copy."""
    source = Path(__file__).parents[2] / program
    if not source.exists():
        pytest.skip("only in a checkout")
    text = source.read_text()
    assert 'secret_key="' not in text and "plain_password" not in text


def test_passwords_of_a_dict_are_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are in a private file for a moment only; the child processes of that moment do not get it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Auth() as auth:
        auth.plain({"admin": MARK})
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
        found = subprocess.run(
            [
                sys.executable,
                "-c",
                "import os; print(os.environ, os.listdir('/proc/self/fd') if os.name != 'nt' else '')",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert MARK not in found.stdout
    assert list(tmp_path.iterdir()) == []
