"""Auth: the authenticator, as an object, for the sockets of contexts and of the process-wide one."""

from __future__ import annotations

import errno
import os
import stat
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import children
import pytest
from common import collect

from pyczmq import zactor, zauth, zcert, zctx, zmq, zsocket
from pyczmq.types import Auth, Context, Monitor, Socket, ZMQError, _registry

#: Milliseconds for what must happen.
PATIENCE = 5000
LOCAL = "tcp://127.0.0.1:0"
ZAP = "inproc://zeromq.zap.01"

OUTCOMES = (
    "HANDSHAKE_SUCCEEDED",
    "HANDSHAKE_FAILED_AUTH",
    "HANDSHAKE_FAILED_PROTOCOL",
    "HANDSHAKE_FAILED_NO_DETAIL",
)

Options = dict[str, Any]

IN_DOMAIN: Options = {"zap_domain": "global"}
PLAIN: Options = {"plain_server": True}
SERVER = zcert.new()
CURVE: Options = {
    "curve_server": True,
    "curve_publickey": zcert.public_txt(SERVER),
    "curve_secretkey": zcert.secret_txt(SERVER),
}


def plain(name: str = "admin", password: str = "Password") -> Options:
    return {"plain_username": name, "plain_password": password}


def curve(cert: Any) -> Options:
    return {
        "curve_serverkey": zcert.public_txt(SERVER),
        "curve_publickey": zcert.public_txt(cert),
        "curve_secretkey": zcert.secret_txt(cert),
    }


def outcome(context: Context | None, server: Options, client: Options | None = None) -> str:
    """Return what libzmq says of a client's first attempt at a server."""
    with Socket(zmq.PULL, context=context, **server) as pull, Monitor(pull, *OUTCOMES) as monitor:
        pull.bind(LOCAL)
        with Socket(zmq.PUSH, context=context, **(client or {}), connect=pull.last_endpoint):
            return monitor.recv(timeout=PATIENCE).event


def accepts(context: Context | None, server: Options, client: Options | None = None) -> bool:
    """Tell whether a client is let in; it is refused by the authenticator, or by libzmq, and no other way."""
    found = outcome(context, server, client)
    assert found in ("HANDSHAKE_SUCCEEDED", "HANDSHAKE_FAILED_AUTH", "HANDSHAKE_FAILED_NO_DETAIL")
    return found == "HANDSHAKE_SUCCEEDED"


def asks(context: Context | None) -> bool:
    """Tell whether the sockets of a context ask an authenticator, which denies 127.0.0.1."""
    return not accepts(context, IN_DOMAIN)


@pytest.fixture(
    params=["process-wide", "before", "begun before", "after", "shadow", "shadow of later", "chosen", "attached"]
)
def world(request: pytest.FixtureRequest) -> Iterator[tuple[Auth, Context | None]]:
    """An authenticator, and a context that it answers for, of each kind; None is the process-wide one."""
    context: Context | None = Context()
    if request.param == "process-wide":
        context = None
    elif request.param == "begun before":
        kept = context.socket(zmq.PULL)
        assert not kept.closed
    elif request.param == "shadow":
        context = context.shadow()
    auth = Auth(context) if request.param == "chosen" else Auth(Context()) if request.param == "attached" else Auth()
    if request.param == "after":
        context = Context()
    elif request.param == "shadow of later":
        context = Context().shadow()
    elif request.param == "attached":
        auth.attach(context)
    yield auth, context
    auth.close()
    if context is not None:
        context.close()


@pytest.fixture
def auth() -> Iterator[Auth]:
    with Auth() as made:
        yield made


# ---------------------------------------------------------------- who is let in


def test_addresses(world: tuple[Auth, Context | None]) -> None:
    """All may come until one is denied; once one is allowed, no other may."""
    auth, context = world
    assert accepts(context, {})
    assert accepts(context, IN_DOMAIN)
    auth.deny("10.0.0.1", "127.0.0.1")
    assert not accepts(context, IN_DOMAIN)
    assert accepts(context, {}), "one with no domain is not asked for"
    auth.allow("127.0.0.1", b"10.0.0.1")
    assert accepts(context, IN_DOMAIN)


def test_plain(world: tuple[Auth, Context | None], tmp_path: Path) -> None:
    """Nobody is let in until there are passwords, from a file or a dict; the last ones hold."""
    auth, context = world
    assert not accepts(context, PLAIN, plain())
    (tmp_path / "passwords").write_text("admin=Password\n")
    auth.plain(tmp_path / "passwords")
    assert accepts(context, PLAIN, plain())
    assert not accepts(context, PLAIN, plain(password="Bogus"))
    assert not accepts(context, PLAIN, plain(name="root"))
    auth.plain({"root": "Toor", b"\xff": "=# "})
    assert accepts(context, PLAIN, plain("root", "Toor"))
    assert accepts(context, PLAIN, plain("\udcff", "=# "))
    assert not accepts(context, PLAIN, plain())


def test_curve(world: tuple[Auth, Context | None], tmp_path: Path) -> None:
    """Nobody is let in until keys are: any key, or those in a folder."""
    auth, context = world
    known, unknown = zcert.new(), zcert.new()
    assert not accepts(context, CURVE, curve(known))
    auth.curve()
    assert accepts(context, CURVE, curve(unknown))
    zcert.save_public(known, tmp_path / "known.txt")
    auth.curve(tmp_path)
    assert accepts(context, CURVE, curve(known))
    assert not accepts(context, CURVE, curve(unknown))
    auth.curve(Auth.ANY)
    assert accepts(context, CURVE, curve(unknown))


def test_after_close_libzmq_is_by_itself(world: tuple[Auth, Context | None]) -> None:
    """As documented: PLAIN clients are refused then, CURVE clients are let in, and so is who was denied."""
    auth, context = world
    auth.deny("127.0.0.1")
    assert not accepts(context, CURVE, curve(zcert.new()))
    auth.close()
    assert accepts(context, {})
    assert accepts(context, CURVE, curve(zcert.new()))
    assert not accepts(context, PLAIN, plain())


def test_gssapi_changes_nothing(world: tuple[Auth, Context | None]) -> None:
    auth, context = world
    auth.gssapi()
    assert accepts(context, IN_DOMAIN)
    assert not accepts(context, PLAIN, plain())


def test_verbose() -> None:
    """CZMQ's log tells what it does."""
    output = children.check(
        """
        import sys
        sys.path.insert(0, sys.argv[1])
        from test_types_auth import *
        with Auth() as auth:
            auth.verbose()
            assert accepts(Context(), IN_DOMAIN)
        """,
        os.path.dirname(__file__),
    )
    assert "zauth: " in output


# ---------------------------------------------------------------- which contexts


def test_only_the_contexts_that_were_chosen() -> None:
    """With contexts given it answers for these, their shadows and the process-wide one; for others once attached."""
    chosen, other, later = Context(), Context(), Context()
    with Auth(chosen, later.shadow()) as auth:
        auth.deny("127.0.0.1")
        assert [asks(context) for context in (None, chosen, chosen.shadow(), later)] == [True] * 4
        assert [asks(context) for context in (other, Context())] == [False] * 2
        for _ in range(2):
            auth.attach(other)
            auth.attach(chosen)
        assert asks(other)
        assert not asks(Context())
        assert repr(auth) == "<Auth for the process-wide context and 3 more>"
    assert not asks(chosen)


def test_attaching_what_it_answers_for_does_nothing(auth: Auth) -> None:
    context = Context()
    auth.deny("127.0.0.1")
    for _ in range(2):
        auth.attach(context)
        auth.attach(context.shadow())
        auth.attach(context.handle)
        assert asks(context)
    assert repr(auth) == "<Auth for all contexts>"


def test_handles_of_zctx_are_attached(auth: Auth) -> None:
    """A context of the namespaces must be attached; another time is an error of zauth's."""
    ctx = zctx.new()
    auth.attach(ctx)
    with pytest.raises(RuntimeError, match="ctx has an authenticator already"):
        auth.attach(ctx)
    server, client = zsocket.new(ctx, zmq.PULL), zsocket.new(ctx, zmq.PUSH)
    assert server is not None and client is not None
    auth.deny("127.0.0.1")
    zsocket.set_zap_domain(server, "global")
    with Monitor(server, *OUTCOMES) as monitor:
        zsocket.connect(client, f"tcp://127.0.0.1:{zsocket.bind(server, LOCAL)}")
        assert monitor.recv(timeout=PATIENCE).event == "HANDSHAKE_FAILED_AUTH"


def test_iothreads_can_be_set_until_the_first_socket(auth: Auth) -> None:
    """An authenticator does not make libzmq begin a context."""
    context, chosen = Context(), Context()
    auth.attach(chosen)
    for some in context, chosen:
        assert zctx.underlying(some.handle) is None
        some.set_iothreads(2)
        kept = some.socket(zmq.PULL)
        underlying = zctx.underlying(kept.context.handle)
        assert underlying is not None
        assert zmq.ctx_get(underlying, zmq.IO_THREADS) == 2


def test_contexts_are_not_kept_alive(auth: Auth) -> None:
    """A context that nobody refers to is collected, and one that is closed leaves nothing behind."""
    context = Context()
    gone = weakref.ref(context.handle)
    auth.deny("127.0.0.1")
    collect()
    before = len(auth._hooked)
    assert asks(context)
    assert len(auth._hooked) == before + 1
    del context
    collect()
    assert gone() is None
    for _ in range(5):
        with Context() as another:
            assert asks(another)
    del another
    collect()
    assert len(auth._hooked) == before


def test_closed_contexts_are_left_alone() -> None:
    closed = Context()
    closed.socket(zmq.PULL)
    closed.close()
    with Auth():
        pass
    with pytest.raises(ValueError, match="the context is closed"):
        Auth(closed)
    with Auth() as auth, pytest.raises(ValueError, match="the context is closed"):
        auth.attach(closed)


def test_context_with_an_authenticator_of_its_own() -> None:
    """It is a RuntimeError where there is one; where there is ours, no other can be put in its place."""
    context = Context()
    own = context.socket(zmq.REP, bind=ZAP)
    for make in Auth, lambda: Auth(context), lambda: Auth(Context(), context):
        with pytest.raises(RuntimeError, match="ctx has an authenticator already"):
            make()
    with Auth(Context()) as auth:
        with pytest.raises(RuntimeError, match="ctx has an authenticator already"):
            auth.attach(context)
        own.close()
    with Auth():
        with pytest.raises(ZMQError, match=f"bind {ZAP}") as raised:
            context.socket(zmq.REP, bind=ZAP)
        assert raised.value.errno == errno.EADDRINUSE


def test_socket_that_would_not_ask_is_not_made(auth: Auth) -> None:
    """Where a context cannot be made to ask, by what the namespaces have put there, it gets no socket."""
    context = Context()
    own = zsocket.new(context.handle, zmq.REP)
    assert own is not None
    assert zsocket.bind(own, ZAP) == 0
    for _ in range(2):
        with pytest.raises(RuntimeError, match="ctx has an authenticator already"):
            context.socket(zmq.PULL)
    assert repr(context) == "<Context with 0 sockets>"
    zsocket.destroy(context.handle, own)
    auth.deny("127.0.0.1")
    assert asks(context)


def test_contexts_of_other_threads_while_it_begins() -> None:
    """Whatever other threads make at that moment, no context has sockets that do not ask."""

    def work(begin: Any, contexts: list[Context], sockets: list[Socket], failures: list[BaseException]) -> None:
        try:
            begin.wait(PATIENCE)
            for number in range(6):
                context = Context()
                context.set_iothreads(1)
                shadow = context.shadow() if number % 2 else context
                sockets.append(shadow.socket(zmq.PULL))
                contexts.append(context)
        except BaseException as error:
            failures.append(error)

    for _ in range(3):
        contexts: list[Context] = []
        sockets: list[Socket] = []
        failures: list[BaseException] = []
        begin = threading.Barrier(4)
        threads = [threading.Thread(target=work, args=(begin, contexts, sockets, failures)) for _ in range(3)]
        for thread in threads:
            thread.start()
        begin.wait(PATIENCE)
        with Auth() as auth:
            auth.deny("127.0.0.1")
            for thread in threads:
                thread.join()
            assert failures == []
            assert len(contexts) == 18
            assert [asks(context) for context in contexts] == [True] * 18
        for context in contexts:
            context.close()


def test_contexts_of_other_threads_that_end_meanwhile() -> None:
    """Contexts may be closed in other threads while authenticators come and go."""
    failures: list[BaseException] = []
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.is_set():
                with Context() as context:
                    context.socket(zmq.PULL, bind="inproc://here")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            with Auth() as auth:
                auth.allow("127.0.0.1")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


# ---------------------------------------------------------------- one in a process


def test_a_second_one_is_refused(auth: Auth) -> None:
    """It is a RuntimeError that says what to do, and the first goes on."""
    for make in Auth, lambda: Auth(Context()):
        for _ in range(2):
            with pytest.raises(RuntimeError, match=r"has an Auth already.*close that before, or attach to it"):
                make()
    with pytest.raises(RuntimeError, match="an authenticator already"):
        zauth.new(zctx.new())
    auth.deny("127.0.0.1")
    assert asks(None)


def test_one_of_the_namespaces_counts() -> None:
    actor = zactor.new(zauth.actor)
    with pytest.raises(RuntimeError, match="an authenticator already"):
        Auth()
    zactor.destroy(actor)
    Auth().close()


def test_one_after_the_other() -> None:
    """Each begins with nothing configured, and the contexts ask the one that runs."""
    context = Context()
    for _ in range(5):
        with Auth() as auth:
            assert accepts(context, IN_DOMAIN)
            auth.deny("127.0.0.1")
            assert asks(context)
        assert not asks(context)


def test_one_that_nobody_refers_to_goes_on() -> None:
    """Were it collected, the door would be open."""
    context = Context()
    Auth().deny("127.0.0.1")
    collect()
    assert asks(context)
    with pytest.raises(RuntimeError, match="close that before"):
        Auth()
    found = _registry.find_auth()
    assert found is not None
    found.close()
    assert not asks(context)


def test_destroyed_by_other_means() -> None:
    auth = Auth()
    zauth.destroy(auth.handle)
    assert auth.closed
    context = Context()
    assert not asks(context)
    with pytest.raises(ValueError, match="the authenticator is closed"):
        auth.deny("127.0.0.1")
    auth.close()
    with Auth() as another:
        another.deny("127.0.0.1")
        assert asks(context)


# ---------------------------------------------------------------- passwords in a dict


def test_passwords_are_in_a_file_of_the_owners_for_a_moment_only(
    auth: Auth, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody else can read them, nor put a file there later; the folder goes with the authenticator."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen: list[tuple[Path, str]] = []
    configure_plain = zauth.configure_plain

    def look(handle: Any, domain: str, path: str) -> None:
        file = Path(path)
        seen.append((file, file.read_text()))
        assert file.parent.parent == tmp_path
        if sys.platform != "win32":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        configure_plain(handle, domain, path)

    monkeypatch.setattr(zauth, "configure_plain", look)
    for password in "Password", "another":
        auth.plain({"admin": password})
        assert accepts(None, PLAIN, plain(password=password))
        assert not seen[-1][0].exists()
    auth.plain({})
    assert not accepts(None, PLAIN, plain())
    assert [text for _, text in seen] == ["admin=Password\n", "admin=another\n", ""]
    assert len({file for file, _ in seen}) == 1
    assert seen[0][0].parent.exists()
    auth.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ends", ["forgotten", "closed", "forked"])
def test_the_folder_goes_with_the_process(ends: str, tmp_path: Path) -> None:
    """It is gone however the authenticator ends, and not before: a forked child leaves its parent's alone."""
    if ends == "forked" and not hasattr(os, "fork"):
        pytest.skip("no fork here")
    children.check(
        """
        import gc, os, sys
        from pyczmq import Auth, Context, zmq
        context = Context()
        auth = Auth()
        socket = context.socket(zmq.PULL)
        auth.plain({"admin": "Password"})
        assert len(os.listdir(sys.argv[2])) == 1
        if sys.argv[1] == "closed":
            auth.close()
            assert os.listdir(sys.argv[2]) == []
        if sys.argv[1] == "forked":
            child = os.fork()
            if not child:
                assert auth.closed
                with Auth() as own:
                    own.plain({"admin": "Password"})
                    Context().socket(zmq.PULL)
                del auth
                gc.collect()
                sys.exit()
            assert os.waitpid(child, 0)[1] == 0
            assert len(os.listdir(sys.argv[2])) == 1
        """,
        ends,
        str(tmp_path),
        TMPDIR=str(tmp_path),
        TEMP=str(tmp_path),
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "password", "error"),
    [
        ("", "Password", "name must not be empty"),
        ("a=b", "Password", "contain an equals sign"),
        ("#admin", "Password", "begin with #"),
        ("a\nb", "Password", "name must not contain a line feed"),
        ("a\0b", "Password", "name must not contain a NUL byte"),
        ("x" * 256, "Password", "name must be at most 255 bytes long, not 256"),
        ("admin", "Password\nroot=", "password must not contain a line feed"),
        ("admin", "Password\0", "password must not contain a NUL byte"),
        ("admin", "Password" * 32, "password must be at most 255 bytes long, not 256"),
    ],
)
def test_passwords_that_a_file_cannot_hold(auth: Auth, name: str, password: str, error: str) -> None:
    """They are refused with no word of the password, and those before hold."""
    auth.plain({"root": "Toor"})
    with pytest.raises(ValueError, match=error) as raised:
        auth.plain({"other": "one", name: password})
    assert "Password" not in str(raised.value)
    assert accepts(None, PLAIN, plain("root", "Toor"))


@pytest.mark.parametrize("bad", [None, 1, object()])
def test_passwords_of_other_types(auth: Auth, bad: Any) -> None:
    for passwords in ({"admin": bad}, {bad: "Password"}, bad):
        with pytest.raises(TypeError, match=r"password|name"):
            auth.plain(passwords)


# ---------------------------------------------------------------- the object

CALLS: dict[str, Callable[[Auth], object]] = {
    "allow": lambda auth: auth.allow("127.0.0.1"),
    "deny": lambda auth: auth.deny("127.0.0.1"),
    "plain": lambda auth: auth.plain("passwords"),
    "plain with a dict": lambda auth: auth.plain({"admin": "Password"}),
    "curve": lambda auth: auth.curve(),
    "gssapi": lambda auth: auth.gssapi(),
    "verbose": lambda auth: auth.verbose(),
    "attach": lambda auth: auth.attach(Context()),
}


@pytest.mark.parametrize("call", [*CALLS, "handle", "with"])
def test_closed(call: str) -> None:
    """Everything but another close is refused once it is closed."""
    auth = Auth()
    auth.close()
    auth.close()
    assert auth.closed
    assert repr(auth) == "<Auth closed>"
    looks = {"handle": lambda auth: auth.handle, "with": lambda auth: auth.__enter__()}
    with pytest.raises(ValueError, match="the authenticator is closed"):
        {**CALLS, **looks}[call](auth)


@pytest.mark.parametrize("call", [*CALLS, "close"])
def test_two_threads(auth: Auth, call: str) -> None:
    """While one thread is in a call another gets a RuntimeError."""
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with auth._lock:
            inside.set()
            leave.wait(PATIENCE)

    thread = threading.Thread(target=stay)
    thread.start()
    inside.wait(PATIENCE)
    try:
        with pytest.raises(RuntimeError, match="the authenticator is in use in another thread"):
            {**CALLS, "close": Auth.close}[call](auth)
        assert not Context().socket(zmq.PULL).closed
    finally:
        leave.set()
        thread.join()


@pytest.mark.parametrize("bad", [None, 1, -1, 2**70, "ctx", b"", object(), [Context]])
def test_what_is_no_context(auth: Auth, bad: Any) -> None:
    with pytest.raises(TypeError, match="ctx must be"):
        auth.attach(bad)
    auth.close()
    for contexts in (bad,), (Context(), bad):
        with pytest.raises(TypeError, match="ctx must be"):
            Auth(*contexts)
    Auth().close()


@pytest.mark.parametrize(
    ("bad", "error"), [(None, TypeError), (1, TypeError), (object(), TypeError), ([], TypeError), ("a\0b", ValueError)]
)
def test_arguments_that_are_none(auth: Auth, bad: Any, error: type[Exception]) -> None:
    calls: dict[str, Callable[[], object]] = {
        "address": lambda: auth.allow(bad),
        "address ": lambda: auth.allow("127.0.0.1", bad),
        "address  ": lambda: auth.deny(bad),
        "filename": lambda: auth.plain(bad),
        "location": lambda: auth.curve(bad),
    }
    for name, call in calls.items():
        with pytest.raises(error, match=name.strip()):
            call()
    for call in auth.allow, auth.deny:  # type: ignore[assignment]
        with pytest.raises(TypeError, match="address"):
            call()
    assert accepts(None, IN_DOMAIN)


def test_folder_that_czmq_cannot_bear(auth: Auth, tmp_path: Path) -> None:
    """It is a ValueError that names the file, and nobody is let in by it."""
    cert = zcert.new()
    for name in "one", "other":
        zcert.save_public(cert, tmp_path / name)
    with pytest.raises(ValueError, match=r"other has the same key as .*one"):
        auth.curve(tmp_path)
    assert not accepts(Context(), CURVE, curve(cert))


def test_repr_has_no_secrets(auth: Auth) -> None:
    auth.plain({"admin": "Password"})
    assert repr(auth) == "<Auth for all contexts>"
    assert Auth.ANY == zauth.CURVE_ALLOW_ANY


def test_ctrl_c() -> None:
    """An interrupted call comes out as KeyboardInterrupt, and later ones still do what they say."""
    children.check(
        """
        import gc, signal, sys
        sys.path.insert(0, sys.argv[1])
        from test_types_auth import *
        context = Context()
        auth = Auth()
        # What is imported at first use is imported now.
        auth.deny("10.0.0.1")
        # What a weak reference's callback raises on PyPy, whenever that is, is printed and no more.
        gc.collect()
        gc.disable()
        armed = False

        def interrupt(*_):
            global armed
            if armed:
                armed = False
                raise KeyboardInterrupt

        signal.signal(signal.SIGALRM, interrupt)
        interrupts = 0
        for number in range(200):
            signal.setitimer(signal.ITIMER_REAL, 0.00002 * (number % 20) + 0.00001)
            try:
                armed = True
                auth.deny("10.0.0.1")
                armed = False
            except KeyboardInterrupt:
                interrupts += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert interrupts > 10
        auth.deny("127.0.0.1")
        assert asks(context)
        """,
        os.path.dirname(__file__),
    )
