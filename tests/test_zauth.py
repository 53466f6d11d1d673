"""zauth: the authenticator of CZMQ 2, one to a context, over the one that CZMQ 4 runs in a process."""

from __future__ import annotations

import _thread
import gc
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, ffi, zactor, zauth, zcert, zcertstore, zctx, zframe, zmq, zproxy, zsocket, zstr
from pyczmq._czmq2 import zauth as _rebuilt

CPYTHON = sys.implementation.name == "cpython"

#: Milliseconds to wait for what must happen, and for what must not.
PATIENCE = 5000
GLANCE = 150

Setup = Callable[[Any], object]


def nothing(socket: Any) -> None:
    """Leave a socket as it is."""


def in_domain(socket: Any) -> None:
    """Make a server of no security ask the authenticator."""
    zsocket.set_zap_domain(socket, "global")


def plain_server(socket: Any) -> None:
    """Make a server that asks for name and password."""
    zsocket.set_plain_server(socket, True)


def plain_client(password: str = "Password", name: str = "admin") -> Setup:
    """Return what gives a client name and password."""

    def setup(socket: Any) -> None:
        zsocket.set_plain_username(socket, name)
        zsocket.set_plain_password(socket, password)

    return setup


SERVER = zcert.new()


def curve_server(socket: Any) -> None:
    """Make a server that asks for a key."""
    zcert.apply(SERVER, socket)
    zsocket.set_curve_server(socket, True)


def curve_client(cert: Any) -> Setup:
    """Return what gives a client a key."""

    def setup(socket: Any) -> None:
        zcert.apply(cert, socket)
        zsocket.set_curve_serverkey(socket, zcert.public_txt(SERVER))

    return setup


class World:
    """Somewhere to make sockets in: a context, or the process-wide one if there is none."""

    def __init__(self, ctx: Any = None) -> None:
        self.ctx = ctx
        self.socks: list[Any] = []

    def new(self, kind: int) -> Any:
        if self.ctx is not None:
            return zsocket.new(self.ctx, kind)
        self.socks.append(C.zsock_new(kind))
        return C.zsock_resolve(self.socks[-1])

    def close(self, *sockets: Any) -> None:
        for socket in sockets:
            if self.ctx is not None:
                zsocket.destroy(self.ctx, socket)
        for sock in self.socks:
            C.zsock_destroy(ffi.new("zsock_t **", sock))
        self.socks.clear()

    def receive(self, server: Setup, client: Setup, patience: int = PATIENCE) -> Any:
        """Have a server send one message to a client; return it, or None if no connection came about."""
        push, pull = self.new(zmq.PUSH), self.new(zmq.PULL)
        try:
            server(push)
            client(pull)
            zsocket.set_sndtimeo(push, patience)
            port = zsocket.bind(push, "tcp://127.0.0.1:*")
            assert zsocket.connect(pull, f"tcp://127.0.0.1:{port}") == 0
            if zstr.send(push, "Hello, World") != 0:
                return None
            return zframe.recv(pull) if zsocket.poll(pull, patience) else None
        finally:
            self.close(push, pull)

    def accepts(self, server: Setup, client: Setup = nothing) -> bool:
        """Tell whether a client gets through to a server, with all the time that it may need."""
        frame = self.receive(server, client)
        if frame is None:
            return False
        zframe.destroy(frame)
        return True

    def refuses(self, server: Setup, client: Setup = nothing) -> bool:
        """Tell whether a client is kept out, as far as a short wait can tell."""
        return self.receive(server, client, GLANCE) is None


@pytest.fixture
def ctx() -> Iterator[Any]:
    made = zctx.new()
    yield made
    if made is not None:
        try:
            zctx.destroy(made)
        except ValueError:
            pass  # the test destroyed it


@pytest.fixture
def auth(ctx: Any) -> Iterator[Any]:
    made = zauth.new(ctx)
    yield made
    try:
        zauth.destroy(made)
    except ValueError:
        pass  # the test destroyed it


@pytest.fixture
def world(ctx: Any) -> World:
    return World(ctx)


@pytest.fixture(params=["own", "attached", "process-wide"])
def somewhere(request: pytest.FixtureRequest, ctx: Any, auth: Any) -> Iterator[World]:
    """Each kind of place that the authenticator answers for."""
    if request.param == "attached":
        other = zctx.new()
        zauth.attach(auth, other)
        yield World(other)
        zctx.destroy(other)
    else:
        yield World(ctx if request.param == "own" else None)


def password_file(folder: Path, content: str = "admin=Password\n") -> Path:
    file = folder / "passwords"
    file.write_text(content)
    return file


# ---------------------------------------------------------------- what is let in


def test_replay_of_the_old_test(somewhere: World, auth: Any, tmp_path: Path) -> None:
    """Addresses, passwords and keys, in the order of the old pyczmq's own test, wherever the sockets are."""
    world = somewhere
    assert world.accepts(nothing), "no authentication without a domain"
    assert world.accepts(in_domain), "no policies"
    zauth.deny(auth, "127.0.0.1")
    assert world.refuses(in_domain), "denied"
    assert world.accepts(nothing), "not asked"
    zauth.allow(auth, "127.0.0.1")
    assert world.accepts(in_domain), "allowed after all"

    assert world.refuses(plain_server, plain_client()), "no password file"
    zauth.configure_plain(auth, "*", password_file(tmp_path))
    assert world.accepts(plain_server, plain_client()), "right password"
    assert world.refuses(plain_server, plain_client("Bogus")), "wrong password"
    assert world.refuses(plain_server, plain_client(name="root")), "unknown name"

    client = zcert.new()
    assert world.refuses(curve_server, curve_client(client)), "no certificates"
    zauth.configure_curve(auth, "*", zauth.CURVE_ALLOW_ANY)
    assert world.accepts(curve_server, curve_client(client)), "any key"
    folder = tmp_path / "certificates"
    folder.mkdir()
    zauth.configure_curve(auth, "*", folder)
    assert world.refuses(curve_server, curve_client(client)), "not among the certificates"
    assert zcert.save_public(client, folder / "mycert.txt") == 0
    assert world.accepts(curve_server, curve_client(client)), "certificate is there"
    assert world.refuses(curve_server, curve_client(zcert.new())), "another key"

    zauth.destroy(auth)
    assert world.accepts(nothing), "no authenticator any more"
    assert world.refuses(plain_server, plain_client()), "libzmq refuses PLAIN by itself"
    assert world.accepts(curve_server, curve_client(client)), "libzmq lets CURVE in by itself"


def test_two_contexts(auth: Any, world: World) -> None:
    """A context that is not hooked is not asked for; once it is, what was configured before holds there too."""
    other = World(zctx.new())
    zauth.deny(auth, "127.0.0.1")
    assert world.refuses(in_domain)
    assert other.accepts(in_domain)
    zauth.attach(auth, other.ctx)
    assert other.refuses(in_domain)
    zauth.allow(auth, "127.0.0.1")
    assert world.accepts(in_domain)
    assert other.accepts(in_domain)
    zctx.destroy(other.ctx)
    assert world.accepts(in_domain)


def test_contexts_that_are_destroyed_are_forgotten(auth: Any) -> None:
    """Of contexts that were attached to a long-lived authenticator and then destroyed nothing is kept."""
    gone = []
    for _ in range(3):
        ctx = zctx.new()
        gone.append(weakref.ref(ctx))
        zauth.attach(auth, ctx)
        zctx.destroy(ctx)
        del ctx
    zauth.attach(auth, zctx.new())
    collect()
    assert [reference() for reference in gone] == [None] * 3


def test_shadows_are_in_the_same_context(auth: Any, ctx: Any) -> None:
    """The sockets of a context's shadow ask the same authenticator; hooking the shadow as well is refused."""
    shadow = zctx.shadow(ctx)
    zauth.deny(auth, "127.0.0.1")
    assert World(shadow).refuses(in_domain)
    with pytest.raises(RuntimeError, match="ctx has an authenticator already"):
        zauth.attach(auth, shadow)


def test_several_addresses(auth: Any, world: World) -> None:
    """Many addresses go in one call; one that is not among those allowed is refused, denied or not."""
    zauth.allow(auth, "10.0.0.1", b"10.0.0.2")
    assert world.refuses(in_domain)
    zauth.allow(auth, "10.0.0.3", "127.0.0.1", "10.0.0.4")
    zauth.deny(auth, "10.0.0.1", "127.0.0.1")
    assert world.accepts(in_domain)


def test_odd_addresses(auth: Any, world: World) -> None:
    """An address is any text, never a format: one that no client has changes nothing for the others."""
    for address in "", "%s%n", "x" * 2**20, b"\xff", "\udcff", "127.0.0.1 ", "::1":
        zauth.deny(auth, address)
    assert world.accepts(in_domain)
    zauth.deny(auth, "127.0.0.1")
    assert world.refuses(in_domain)


def test_names_and_passwords(auth: Any, world: World, tmp_path: Path) -> None:
    """Odd lines in the password file do no harm, and what is sound among them holds."""
    lines = ["# admin=comment", "", "no equals sign", "=nobody", "x" * 5000, "%s=%n", "ä=ö", "admin=Password", "a=b=c"]
    zauth.configure_plain(auth, "*", password_file(tmp_path, "\n".join(lines)))
    for name, password in ("admin", "Password"), ("%s", "%n"), ("ä", "ö"), ("a", "b=c"):
        assert world.accepts(plain_server, plain_client(password, name)), name
    for name, password in ("admin", "comment"), ("# admin", "comment"), ("no equals sign", "x"), ("x", "x"):
        assert world.refuses(plain_server, plain_client(password, name)), name
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 100 + b"=" * 3000 + b"\0\n" * 100)
    zauth.configure_plain(auth, "*", os.fsencode(tmp_path / "binary"))
    assert world.refuses(plain_server, plain_client())


def test_password_file_of_later() -> None:
    """A password file may be made later; CZMQ reads it once it has not changed for a while."""
    children.check(
        """
        import sys, time, tempfile, os
        sys.path.insert(0, sys.argv[1])
        from test_zauth import World, plain_client, plain_server, zauth, zctx
        folder = tempfile.mkdtemp()
        world = World(zctx.new())
        auth = zauth.new(world.ctx)
        zauth.configure_plain(auth, "*", os.path.join(folder, "later"))
        assert world.refuses(plain_server, plain_client())
        with open(os.path.join(folder, "later"), "w") as file:
            file.write("admin=Password\\n")
        deadline = time.monotonic() + 20
        while world.refuses(plain_server, plain_client()):
            assert time.monotonic() < deadline
        """,
        os.path.dirname(__file__),
        ZSYS_FILE_STABLE_AGE_MSEC="10",
    )


def test_metadata_reaches_the_server(auth: Any, world: World, tmp_path: Path) -> None:
    """A message carries its sender's name or key, and the metadata of the certificate, as much as there is room for."""
    zauth.configure_plain(auth, "*", password_file(tmp_path))
    certs = tmp_path / "certs"
    certs.mkdir()
    zauth.configure_curve(auth, "*", certs)
    cert = zcert.new()
    zcert.set_meta(cert, "Colour", "blue")
    zcert.set_meta(cert, "Long", "x" * (512 - 5 - 4 - 5 - 6 - 4))
    assert zcert.save_public(cert, certs / "cert") == 0
    push, pull = zsocket.new(world.ctx, zmq.PUSH), zsocket.new(world.ctx, zmq.PULL)
    curve_server(pull)
    curve_client(cert)(push)
    port = zsocket.bind(pull, "tcp://127.0.0.1:*")
    zsocket.connect(push, f"tcp://127.0.0.1:{port}")
    zstr.send(push, "Hello, World")
    assert zsocket.poll(pull, PATIENCE)
    frame = zframe.recv(pull)
    assert zframe.meta(frame, "User-Id") == zcert.public_txt(cert)
    assert zframe.meta(frame, "Colour") == "blue"
    assert len(zframe.meta(frame, "Long") or "") == 488
    zframe.destroy(frame)


def test_gssapi(auth: Any, world: World) -> None:
    """The call for GSSAPI is acknowledged and changes nothing for others."""
    zauth.configure_gssapi(auth, "*")
    assert world.accepts(in_domain)


# ---------------------------------------------------------------- folders of certificates


def test_locations(auth: Any, world: World, tmp_path: Path) -> None:
    """A location may be made later; an empty one, a file and a FIFO are refused before C aborts or hangs."""
    cert = zcert.new()
    folder = tmp_path / "100%s%n"
    zauth.configure_curve(auth, "*", folder)
    assert world.refuses(curve_server, curve_client(cert))
    folder.mkdir()
    zcert.save_public(cert, folder / "cert")
    assert world.accepts(curve_server, curve_client(cert))
    for bad in "", folder / "cert":
        with pytest.raises(ValueError, match="location"):
            zauth.configure_curve(auth, "*", bad)
    assert world.accepts(curve_server, curve_client(cert))


def test_folder_that_c_cannot_stand(auth: Any, world: World, tmp_path: Path) -> None:
    """A folder that C would abort at is refused, by the name of the file."""
    cert = zcert.new()
    for name in "one", "other":
        zcert.save_public(cert, tmp_path / name)
    with pytest.raises(ValueError, match=r"other has the same key as .*one"):
        zauth.configure_curve(auth, "*", tmp_path)
    assert world.refuses(curve_server, curve_client(cert))


def test_folder_that_breaks_later(auth: Any, world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A file that C would abort at, put there later, keeps all out until it is mended, and the log says why."""
    cert = zcert.new()
    zcert.save_public(cert, tmp_path / "cert")
    zauth.configure_curve(auth, "*", tmp_path)
    assert world.accepts(curve_server, curve_client(cert))
    (tmp_path / "100%n").write_text((tmp_path / "cert").read_text())
    for _ in range(2):
        assert world.refuses(curve_server, curve_client(cert))
    log = capfd.readouterr().out
    assert log.count("no CURVE client is let in") == 1
    assert "has the same key as" in log and "100%n" in log
    (tmp_path / "100%n").unlink()
    assert world.accepts(curve_server, curve_client(cert))
    assert zauth.allow(auth, "127.0.0.1") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_password_pipe(auth: Any, world: World, tmp_path: Path) -> None:
    """A named pipe or a folder in place of the password file is refused: C would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    for bad in tmp_path / "pipe", tmp_path:
        with pytest.raises(ValueError, match=r"filename .* is not a file"):
            zauth.configure_plain(auth, "*", bad)
    assert world.accepts(in_domain)


def test_no_failure_opens_the_door(
    auth: Any, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever goes wrong in a relay, a client is refused, and the next one is looked at again."""
    cert = zcert.new()
    zcert.save_public(cert, tmp_path / "cert")
    zauth.configure_curve(auth, "*", tmp_path)

    def fail(*args: Any) -> None:
        raise MemoryError("none left")

    for place, name in (_rebuilt.Folder, "check"), (_rebuilt, "_is_sound"):
        with monkeypatch.context() as broken:
            broken.setattr(place, name, fail)
            assert world.refuses(curve_server, curve_client(cert))
        assert "none left" in capfd.readouterr().out
        assert world.accepts(curve_server, curve_client(cert))


# ---------------------------------------------------------------- one in a process


def test_a_second_one_is_refused(auth: Any, ctx: Any) -> None:
    """A second authenticator is a RuntimeError that says what to do, in the same context or another."""
    for another in ctx, zctx.new():
        for _ in range(3):
            with pytest.raises(RuntimeError, match=r"an authenticator already.*zauth\.attach"):
                zauth.new(another)
    zauth.deny(auth, "127.0.0.1")
    assert World(ctx).refuses(in_domain)
    zauth.destroy(auth)
    successor = zauth.new(ctx)
    assert World(ctx).accepts(in_domain)
    zauth.destroy(successor)


def test_c_actor_counts(ctx: Any) -> None:
    """An authenticator that was made with CZMQ 4's own actor counts, too; `actor` is that actor."""
    assert zauth.actor == C.zauth
    actor = C.zactor_new(zauth.actor, ffi.NULL)
    try:
        with pytest.raises(RuntimeError, match="an authenticator already"):
            zauth.new(ctx)
    finally:
        C.zactor_destroy(ffi.new("zactor_t **", actor))
    zauth.destroy(zauth.new(ctx))


def test_a_context_is_hooked_once(auth: Any, ctx: Any) -> None:
    """A context that has an authenticator, ours or another, is not hooked again."""
    with pytest.raises(RuntimeError, match="ctx has an authenticator already"):
        zauth.attach(auth, ctx)
    other = zctx.new()
    mine = zsocket.new(other, zmq.REP)
    assert zsocket.bind(mine, "inproc://zeromq.zap.01") == 0
    with pytest.raises(RuntimeError, match="ctx has an authenticator already"):
        zauth.attach(auth, other)
    zauth.destroy(auth)
    with pytest.raises(RuntimeError, match="ctx has an authenticator already"):
        zauth.new(other)
    zauth.destroy(zauth.new(ctx))


def test_twenty_in_a_row(ctx: Any) -> None:
    """Authenticators come and go at once, and leave no thread, and no socket, behind."""
    zauth.destroy(zauth.new(ctx))
    threads = _thread._count()
    descriptors = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    start = time.monotonic()
    for number in range(20):
        auth = zauth.new(ctx)
        if number % 2:
            zauth.allow(auth, "127.0.0.1")
        zauth.destroy(auth)
    assert time.monotonic() - start < 2
    deadline = time.monotonic() + 5
    while _thread._count() > threads or (descriptors and len(os.listdir("/proc/self/fd")) > descriptors):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert World(ctx).accepts(in_domain)


# ---------------------------------------------------------------- lifetimes


def test_the_context_goes_first(auth: Any, ctx: Any) -> None:
    """Where the context is destroyed first the authenticator goes on, for others and for the process-wide one."""
    zauth.deny(auth, "127.0.0.1")
    zctx.destroy(ctx)
    assert World().refuses(in_domain)
    zauth.deny(auth, "10.0.0.1")
    for _ in range(3):
        other = zctx.new()
        zauth.attach(auth, other)
        assert World(other).refuses(in_domain)
        zctx.destroy(other)
    with pytest.raises(ValueError, match="ctx was destroyed"):
        zauth.attach(auth, ctx)
    zauth.destroy(auth)


def test_it_keeps_its_contexts() -> None:
    """The contexts live as long as the authenticator, whoever else has forgotten them, and no longer."""
    ctx, other = zctx.new(), zctx.new()
    auth = zauth.new(ctx)
    zauth.attach(auth, other)
    gone = [weakref.ref(ctx), weakref.ref(other)]
    del ctx, other
    collect()
    assert all(reference() is not None for reference in gone)
    zauth.destroy(auth)
    collect()
    assert all(reference() is None for reference in gone)


def test_it_is_collected(ctx: Any) -> None:
    """An authenticator that nobody refers to is ended by the garbage collector, alone, in a cycle, with its context."""
    zauth.new(ctx)
    collect()
    auth = zauth.new(ctx)
    cycle: list[Any] = [auth]
    cycle.append(cycle)
    del auth, cycle
    collect()
    forgotten = zctx.new()
    auth = zauth.new(forgotten)
    del forgotten, auth
    collect()
    auth = zauth.new(ctx)
    zauth.destroy(auth)


def test_new_collects_the_one_before(ctx: Any) -> None:
    """A new authenticator can be made though the one before is garbage that was not collected yet."""
    for _ in range(3):
        cycle: list[Any] = [zauth.new(ctx)]
        cycle.append(cycle)
        del cycle


def test_collected_by_its_own_relay(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The garbage collector may run in the relay's own thread: nobody waits for himself there."""
    ask = _rebuilt._Relay._ask
    asked: list[bool] = []
    relays: list[Any] = []

    def collecting_ask(relay: Any) -> None:
        relays.append(relay)
        collect()
        asked.append(relay.stopping)
        ask(relay)

    monkeypatch.setattr(_rebuilt._Relay, "_ask", collecting_ask)
    try:
        for _ in range(3):
            if CPYTHON:
                # PyPy's would keep finalizers from running.
                gc.disable()
            cycle: list[Any] = [zauth.new(world.ctx)]
            cycle.append(cycle)
            del cycle
            world.receive(in_domain, nothing, GLANCE)
            # It closes its sockets after that.
            deadline = time.monotonic() + PATIENCE / 1000
            while not relays[-1].ended() and time.monotonic() < deadline:
                if not CPYTHON:
                    collect()
                time.sleep(0.001)
    finally:
        if CPYTHON:
            gc.enable()
    assert asked == [True] * 3 or not CPYTHON
    auth = zauth.new(world.ctx)
    assert world.accepts(in_domain)
    zauth.destroy(auth)


@pytest.mark.parametrize("first", ["context", "authenticator"])
def test_destroyed_in_full_swing(first: str) -> None:
    """Requests that are on their way when the context or the authenticator ends do no harm."""
    for _ in range(15):
        ctx = zctx.new()
        auth = zauth.new(ctx)
        server = zsocket.new(ctx, zmq.PULL)
        in_domain(server)
        port = zsocket.bind(server, "tcp://127.0.0.1:*")
        for _ in range(20):
            zsocket.connect(zsocket.new(ctx, zmq.PUSH), f"tcp://127.0.0.1:{port}")
        if first == "context":
            zctx.destroy(ctx)
            zauth.destroy(auth)
        else:
            zauth.destroy(auth)
            zctx.destroy(ctx)


def test_destroy_once(auth: Any, ctx: Any) -> None:
    """An authenticator is destroyed once and refused afterwards by every function; None is let through."""
    assert zauth.destroy(None) is None
    assert zauth.destroy(auth) is None
    calls = [
        lambda: zauth.destroy(auth),
        lambda: zauth.allow(auth, "x"),
        lambda: zauth.deny(auth, "x"),
        lambda: zauth.configure_plain(auth, "*", "x"),
        lambda: zauth.configure_curve(auth, "*", "x"),
        lambda: zauth.configure_gssapi(auth, "*"),
        lambda: zauth.set_verbose(auth, True),
        lambda: zauth.attach(auth, ctx),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="auth was destroyed"):
            call()


@pytest.mark.parametrize("alive", ["owned", "raw", "busy", "both dropped"])
def test_the_interpreter_ends(alive: str) -> None:
    """A program that forgets its authenticator ends at once, in silence and with status 0."""
    done = children.run(
        """
        import sys
        from pyczmq import C, zauth, zctx, zmq, zsocket
        ctx = zctx.new()
        auth = C.zauth_new(ctx) if sys.argv[1] == "raw" else zauth.new(ctx)
        other = zctx.new()
        if sys.argv[1] != "raw":
            zauth.attach(auth, other)
        if sys.argv[1] == "busy":
            server = zsocket.new(ctx, zmq.PULL)
            zsocket.set_zap_domain(server, "global")
            port = zsocket.bind(server, "tcp://127.0.0.1:*")
            clients = [zsocket.new(ctx, zmq.PUSH) for _ in range(50)]
            for client in clients:
                zsocket.connect(client, f"tcp://127.0.0.1:{port}")
        if sys.argv[1] == "both dropped":
            cycle = [ctx, auth, other]
            cycle.append(cycle)
            del ctx, auth, other, cycle
        import time
        print(time.time())
        """,
        alive,
    )
    assert (done.status, done.errors) == (0, ""), done
    end = time.time()
    assert len(done.output.splitlines()) == 1, done.output
    assert end - float(done.output) < 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_children_make_their_own() -> None:
    """A forked child refuses its parent's authenticator and makes one of its own; the parent's goes on."""
    output = children.check(
        """
        import os, sys
        sys.path.insert(0, sys.argv[1])
        from test_zauth import World, in_domain, nothing, zauth, zctx
        world = World(zctx.new())
        auth = zauth.new(world.ctx)
        zauth.deny(auth, "127.0.0.1")
        assert world.refuses(in_domain)
        child = os.fork()
        if not child:
            try:
                zauth.deny(auth, "127.0.0.1")
            except ValueError as error:
                assert "belongs to the parent" in str(error)
            else:
                raise AssertionError("not refused")
            mine = World(zctx.new())
            own = zauth.new(mine.ctx)
            assert mine.accepts(in_domain)
            zauth.deny(own, "127.0.0.1")
            assert mine.refuses(in_domain)
            print("child")
            sys.exit()
        assert os.waitpid(child, 0)[1] == 0
        assert world.refuses(in_domain)
        zauth.allow(auth, "127.0.0.1")
        assert world.accepts(in_domain)
        print("parent")
        """,
        os.path.dirname(__file__),
    )
    assert output.split() == ["child", "parent"]


# ---------------------------------------------------------------- misuse


def test_what_is_no_authenticator(ctx: Any) -> None:
    """Anything else than an authenticator, or a context, is an error that names the argument."""
    for bad in None, 1, "auth", ctx, ffi.cast("void *", 1):
        with pytest.raises(TypeError, match="auth must be"):
            zauth.allow(bad, "x")
    with pytest.raises(ValueError, match="auth is NULL"):
        zauth.allow(ffi.cast("zauth_t *", 0), "x")
    with pytest.raises(ValueError, match="not a zauth_t"):
        zauth.allow(ffi.cast("zauth_t *", 4096), "x")
    for bad in None, 1, ffi.cast("void *", 1):
        with pytest.raises(TypeError, match="ctx must be"):
            zauth.new(bad)
    zctx.destroy(ctx)
    with pytest.raises(ValueError, match="ctx was destroyed"):
        zauth.new(ctx)


def test_arguments_that_are_none(auth: Any) -> None:
    """NUL bytes and other types are refused by the argument's name; nothing has reached C then."""
    for bad, error in ((None, TypeError), (1, TypeError), ("a\0b", ValueError)):
        for call, match in (
            (lambda bad=bad: zauth.allow(auth, bad), "address"),
            (lambda bad=bad: zauth.allow(auth, "127.0.0.1", bad), "address"),
            (lambda bad=bad: zauth.deny(auth, bad), "address"),
            (lambda bad=bad: zauth.configure_plain(auth, bad, "x"), "domain"),
            (lambda bad=bad: zauth.configure_plain(auth, "*", bad), "filename"),
            (lambda bad=bad: zauth.configure_curve(auth, bad, "x"), "domain"),
            (lambda bad=bad: zauth.configure_curve(auth, "*", bad), "location"),
            (lambda bad=bad: zauth.configure_gssapi(auth, bad), "domain"),
            (lambda bad=bad: zauth.attach(auth, bad), "ctx"),
        ):
            if match == "ctx" and error is ValueError:
                continue
            with pytest.raises(error, match=match):
                call()


def test_junk_requests(auth: Any, world: World) -> None:
    """What any socket of the context sends to the authenticator's address cannot harm it: C would abort."""
    dealer = zsocket.new(world.ctx, zmq.DEALER)
    assert zsocket.connect(dealer, "inproc://zeromq.zap.01") == 0
    head = [b"", b"1.0", b"1", b"", b"127.0.0.1", b""]
    junk: list[list[bytes]] = [
        [b""],
        [b"x"],
        [b"", b""],
        [b"", b"2.0", b"1", b"", b"", b"", b"NULL"],
        [b"", b"1.0\0", b"1", b"", b"", b"", b"NULL"],
        head,
        [*head[1:], b"NULL", b""],
        [*head, b"PLAIN"],
        [*head, b"PLAIN", b"admin"],
        [*head, b"PLAIN\0", b"admin"],
        [*head, b"CURVE"],
        [*head, b"CURVE", b"x" * 31],
        [*head, b"CURVE\0junk", b"x" * 33],
        [*head, b"GSSAPI"],
        [b"x" * 1000] * 1000,
        [b"x" * 2**20],
    ]
    for frames in junk:
        for number, frame in enumerate(frames, 1):
            assert C.zmq_send(dealer, frame, len(frame), zmq.SNDMORE if number < len(frames) else 0) == len(frame)
    assert world.accepts(in_domain)
    assert not zsocket.poll(dealer, 0)
    for request, status in (([*head, b"NULL"], "200"), ([*head, b"CURVE", b"x" * 32], "400")):
        for number, frame in enumerate(request, 1):
            C.zmq_send(dealer, frame, len(frame), zmq.SNDMORE if number < len(request) else 0)
        assert zsocket.poll(dealer, PATIENCE)
        answer = zstr.recvx(dealer)
        assert answer is not None
        assert answer[:4] == ["", "1.0", "1", status]


def test_the_raw_floor(ctx: Any) -> None:
    """The raw functions work as in CZMQ 2, formats included, and their handles mix with the namespace."""
    raw = C.zauth_new(ctx)
    C.zauth_deny(raw, b"127.0.0.1")
    assert World(ctx).refuses(in_domain)
    zauth.allow(raw, "127.0.0.1")
    assert World(ctx).accepts(in_domain)
    C.zauth_configure_plain(raw, b"*", b"/%s/%d", ffi.new("char[]", b"nowhere"), ffi.cast("int", 1))
    C.zauth_configure_curve(raw, b"*", b"*")
    C.zauth_configure_gssapi(raw, b"*")
    C.zauth_set_verbose(raw, False)
    other = zctx.new()
    zauth.attach(raw, other)
    assert World(other).accepts(curve_server, curve_client(zcert.new()))
    pointer = ffi.new("zauth_t **", raw)
    C.zauth_destroy(pointer)
    assert not pointer[0]
    C.zauth_destroy(pointer)
    with pytest.raises(ValueError, match="not a zauth_t that is alive"):
        C.zauth_allow(raw, b"x")
    again = C.zauth_new(ctx)
    zauth.destroy(again)
    with pytest.raises(ValueError, match="destroyed"):
        zauth.destroy(again)


def test_commands_from_many_threads(auth: Any, world: World) -> None:
    """Threads may give commands at the same time: each is done when its call comes back."""
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for step in range(50):
                zauth.deny(auth, f"10.0.{number}.{step}")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert world.accepts(in_domain)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_interrupted_commands() -> None:
    """Ctrl-C at any moment of a command is a KeyboardInterrupt, and later commands are still answered one by one."""
    done = children.run(
        """
        import signal, time
        from pyczmq import zauth, zctx
        from pyczmq._czmq2.zauth import find
        ctx = zctx.new()
        auth = zauth.new(ctx)
        armed = False
        interrupts = 0

        def interrupt(number, frame):
            global armed
            if armed:
                armed = False
                raise KeyboardInterrupt

        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0007)
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            # Twice: one that comes at the very edge of a block is not caught by it on every Python.
            try:
                try:
                    armed = True
                    while armed:
                        zauth.deny(auth, "10.0.0.1")
                except KeyboardInterrupt:
                    interrupts += 1
            except KeyboardInterrupt:
                interrupts += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        for _ in range(10):
            zauth.deny(auth, "10.0.0.1")
        sent, answered = find(auth).ledger
        assert sent.count(0) == answered.count(0)
        zauth.destroy(auth)
        print(interrupts)
        """
    )
    # Python itself may complain of an interrupt that came in the middle of an import.
    assert done.status == 0, done
    assert int(done.output) > 10


def test_verbose() -> None:
    """What the authenticator does is logged, with no format in it; it cannot be made quiet again, which is said."""
    output = children.check(
        """
        import warnings
        from pyczmq import zauth, zctx
        auth = zauth.new(zctx.new())
        zauth.set_verbose(auth, False)
        zauth.deny(auth, "quiet")
        zauth.set_verbose(auth, True)
        zauth.set_verbose(auth, True)
        zauth.deny(auth, "100%s%n")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            zauth.set_verbose(auth, False)
        assert [warning.category for warning in caught] == [RuntimeWarning]
        assert "quiet" in str(caught[0].message)
        zauth.deny(auth, "still")
        """
    )
    assert "ipaddress=100%s%n" in output
    assert "ipaddress=still" in output
    assert "quiet" not in output


# ---------------------------------------------------------------- the actor of CZMQ 4


@pytest.fixture
def actor() -> Iterator[Any]:
    made = zactor.new(zauth.actor)
    yield made
    if zactor.is_(made):
        zactor.destroy(made)


def test_replay_of_the_self_test(actor: Any, tmp_path: Path) -> None:
    """CZMQ 4's own test: the actor answers for the process-wide context, and takes each function's command."""
    world = World()
    zauth.set_verbose(actor, False)
    zauth.configure_gssapi(actor, "*")
    assert world.accepts(nothing), "no authentication without a domain"
    assert world.accepts(in_domain), "no policies"
    zauth.deny(actor, "127.0.0.1")
    assert world.refuses(in_domain), "denied"
    assert world.accepts(nothing), "not asked"
    zauth.allow(actor, "10.0.0.1", b"127.0.0.1")
    assert world.accepts(in_domain), "allowed after all"

    assert world.refuses(plain_server, plain_client()), "no password file"
    zauth.configure_plain(actor, "*", password_file(tmp_path))
    assert world.accepts(plain_server, plain_client()), "right password"
    assert world.refuses(plain_server, plain_client("Bogus")), "wrong password"

    client = zcert.new()
    assert world.refuses(curve_server, curve_client(client)), "no certificates"
    zauth.configure_curve(actor, "*", zauth.CURVE_ALLOW_ANY)
    assert world.accepts(curve_server, curve_client(client)), "any key"
    folder = tmp_path / "certificates"
    folder.mkdir()
    assert zcert.save_public(client, folder / "mycert.txt") == 0
    zauth.configure_curve(actor, "*", folder)
    assert world.accepts(curve_server, curve_client(client)), "certificate is there"
    assert world.refuses(curve_server, curve_client(zcert.new())), "another key"

    zauth.destroy(actor)
    assert world.accepts(nothing), "no authenticator any more"
    assert world.refuses(plain_server, plain_client()), "libzmq refuses PLAIN by itself"


@pytest.mark.parametrize("location", ["memory", "folder"])
def test_certificate_store(location: str, tmp_path: Path) -> None:
    """The actor takes over a certificate store, in memory or over a folder, and lets those in that it holds."""
    client = zcert.new()
    if location == "memory":
        store = zcertstore.new()
        zcertstore.insert(store, zcert.dup(client))
    else:
        store = zcertstore.new(tmp_path)
        assert zcert.save_public(client, tmp_path / "mycert.txt") == 0
    actor = zactor.new(zauth.actor, store)
    with pytest.raises(ValueError, match="store was handed over to an authenticator"):
        zcertstore.lookup(store, zcert.public_txt(client))
    del store
    collect()
    world = World()
    assert world.accepts(curve_server, curve_client(client))
    assert world.refuses(curve_server, curve_client(zcert.new()))
    zauth.configure_curve(actor, "*", zauth.CURVE_ALLOW_ANY)
    assert world.accepts(curve_server, curve_client(zcert.new()))
    zauth.destroy(actor)


def test_wrong_certificate_stores(tmp_path: Path) -> None:
    """What is no store, or one that C would abort over, is refused, and stays whose it was."""
    for wrong in (1, "store", zcert.new(), ffi.new("int *")):
        with pytest.raises(TypeError, match="store must be a"):
            zactor.new(zauth.actor, wrong)
    with pytest.raises(ValueError, match="store is NULL"):
        zactor.new(zauth.actor, ffi.cast("zcertstore_t *", 0))
    store = zcertstore.new(tmp_path)
    cert = zcert.new()
    for name in "one.txt", "two.txt":
        assert zcert.save_public(cert, tmp_path / name) == 0
    with pytest.raises(ValueError, match="has the same key"):
        zactor.new(zauth.actor, store)
    (tmp_path / "two.txt").unlink()
    assert zcertstore.lookup(store, zcert.public_txt(cert)) is not None
    zcertstore.destroy(store)
    with pytest.raises(ValueError, match="store was destroyed"):
        zactor.new(zauth.actor, store)


@pytest.mark.skipif(not hasattr(C, "zcertstore_set_loader"), reason="libczmq is built without drafts")
def test_certificate_store_with_a_loader() -> None:
    """A loader of Python's cannot run in the actor."""
    store = zcertstore.new()
    zcertstore.set_loader(store, lambda store: None)
    with pytest.raises(ValueError, match="the store has a loader of Python's"):
        zactor.new(zauth.actor, store)


def test_one_authenticator_of_either_kind(actor: Any, ctx: Any) -> None:
    """A second actor is a RuntimeError, as a second authenticator is, until the first is gone, if only as garbage."""
    store = zcertstore.new()
    for arguments in (), (store,):
        with pytest.raises(RuntimeError, match="an authenticator already"):
            zactor.new(zauth.actor, *arguments)
    assert zcertstore.lookup(store, "x" * 40) is None
    with pytest.raises(RuntimeError, match="an authenticator already"):
        zauth.new(ctx)
    zactor.destroy(actor)
    for _ in range(3):
        zactor.new(zauth.actor)
    collect()
    auth = zauth.new(ctx)
    with pytest.raises(RuntimeError, match="an authenticator already"):
        zactor.new(zauth.actor)
    zauth.destroy(auth)


def test_actor_checks_what_it_is_told(actor: Any, tmp_path: Path) -> None:
    """The arguments are checked as those of the other kind are."""
    for wrong in (None, 1):
        for function in zauth.allow, zauth.deny:
            with pytest.raises(TypeError, match="address must be str or bytes"):
                function(actor, wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="address must not contain a NUL byte"):
        zauth.allow(actor, "127.0.0.1\0")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is not a file"):
        zauth.configure_plain(actor, "*", tmp_path / "pipe")
    with pytest.raises(ValueError, match="is not a folder"):
        zauth.configure_curve(actor, "*", password_file(tmp_path))
    cert = zcert.new()
    for name in "one.txt", "two.txt":
        assert zcert.save_public(cert, tmp_path / name) == 0
    with pytest.raises(ValueError, match="has the same key"):
        zauth.configure_curve(actor, "*", tmp_path)
    assert World().accepts(in_domain)


def test_actor_can_be_made_verbose(actor: Any) -> None:
    """The log tells that the actor is verbose; quiet again it cannot be."""
    output = children.check(
        """
        import warnings
        from pyczmq import zactor, zauth

        actor = zactor.new(zauth.actor)
        zauth.set_verbose(actor, True)
        zauth.allow(actor, "127.0.0.1")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            zauth.set_verbose(actor, False)
        assert "cannot be made quiet again" in str(caught[0].message)
        """
    )
    assert "API command=ALLOW" in output


COMMANDS = {
    "allow": lambda auth: zauth.allow(auth, "127.0.0.1"),
    "deny": lambda auth: zauth.deny(auth, "127.0.0.1"),
    "configure_plain": lambda auth: zauth.configure_plain(auth, "*", "nosuchfile"),
    "configure_curve": lambda auth: zauth.configure_curve(auth, "*", "*"),
    "configure_gssapi": lambda auth: zauth.configure_gssapi(auth, "*"),
    "set_verbose": lambda auth: zauth.set_verbose(auth, True),
    "destroy": zauth.destroy,
}


@pytest.mark.parametrize("name", COMMANDS)
def test_misuse_of_actors(name: str, actor: Any) -> None:
    """Each function refuses actors of another kind, and those that have ended or are destroyed."""
    command: Any = COMMANDS[name]
    other = zactor.new(zproxy.actor)
    with pytest.raises(TypeError, match="auth is another kind of actor"):
        command(other)
    zactor.destroy(other)
    with pytest.raises(ValueError, match="auth is NULL"):
        command(ffi.cast("zactor_t *", 0))
    if name != "destroy":
        zstr.send(actor, "$TERM")
        assert zsocket.wait(actor) == 0
        with pytest.raises(RuntimeError, match="the actor has ended"):
            command(actor)
    zactor.destroy(actor)
    with pytest.raises(ValueError, match="auth was destroyed"):
        command(actor)


def test_contexts_are_not_hooked_to_an_actor(actor: Any, ctx: Any) -> None:
    """attach is for authenticators of CZMQ 2."""
    with pytest.raises(TypeError, match="auth must be a"):
        zauth.attach(actor, ctx)


def test_aliases_of_other_functions() -> None:
    """What C does not have is an AttributeError."""
    with pytest.raises(AttributeError, match="nonsense"):
        zauth.nonsense  # noqa: B018


@pytest.mark.skipif(not CPYTHON, reason="it is all C, and runs under CPython")
def test_czmqs_own_test() -> None:
    """CZMQ's self-test of its actor passes."""
    zauth.test()
