"""Socket options: each one of libzmq's is there, with its type, its limits and its documentation."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import children
import pytest

from pyczmq import C, _build, _declarations, _zsockopt, _zsockopt_table, ffi, zctx, zframe, zsocket, zstr

#: The installed package.
FOLDER = Path(_build.HEADERS).parent
OPTIONS = _zsockopt_table.OPTIONS
STABLE = [name for name, row in OPTIONS.items() if "d" not in row[2] and name != "swap"]

#: Options that a libzmq may be built without.
OPTIONAL = re.compile(r"gssapi|vmci|curve|ipc_filter")

#: Options that only some types of sockets have, with one that has them.
SPECIAL = {
    "subscribe": "SUB",
    "unsubscribe": "SUB",
    "router_mandatory": "ROUTER",
    "router_raw": "ROUTER",
    "router_handover": "ROUTER",
    "probe_router": "ROUTER",
    "req_correlate": "REQ",
    "req_relaxed": "REQ",
    "connect_routing_id": "ROUTER",
    "connect_rid_bin": "ROUTER",
    "stream_notify": "STREAM",
    "xpub_verbose": "XPUB",
    "xpub_verboser": "XPUB",
    "xpub_nodrop": "XPUB",
    "xpub_manual": "XPUB",
    "xpub_welcome_msg": "XPUB",
}


def is_built_in(name: str) -> bool:
    """Whether this libzmq has an option that may be missing."""
    return not OPTIONAL.search(name) or bool(C.zmq_has(name.partition("_")[0].encode()))


def good_value(name: str) -> Any:
    """A value that an option takes."""
    kind = OPTIONS[name][1]
    special = {"tcp_accept_filter": "127.0.0.1", "tcp_keepalive": 1, "use_fd": -1}
    if name in special or name.endswith("_nametype"):
        return special.get(name, 1)
    if kind in ("key", "rawkey"):
        public, secret = ffi.new("char[41]"), ffi.new("char[41]")
        C.zmq_curve_keypair(public, secret)
        return ffi.string(public).decode() if kind == "key" else bytes(range(32))
    return {"bool": 1, "int": 200, "int64": 2**40, "uint64": 1, "uint32": 1}.get(kind, "a value")


@pytest.fixture
def ctx() -> Any:
    """A context."""
    return zctx.new()


def socket_for(ctx: Any, name: str) -> Any:
    """A socket that has the option."""
    return zsocket.new(ctx, getattr(zsocket, SPECIAL.get(name, "DEALER")))


# ---------------------------------------------------------------- the table


def test_table_has_every_option_of_libzmq() -> None:
    """Each option that libzmq numbers is in the table, under libzmq's name, or is an alias of such a one."""
    known = {name: int(row.text, 0) for name, row in _declarations.constants().items() if name.startswith("ZMQ_")}
    for option, row in OPTIONS.items():
        if not option.endswith("_bin") and option != "swap":
            assert known[f"ZMQ_{option.upper()}"] == row[0]
    for alias, option in _zsockopt_table.ALIASES.items():
        assert known.get(f"ZMQ_{alias.upper()}", OPTIONS[option][0]) == OPTIONS[option][0]
    header = (FOLDER / "_cdef" / "zmq_constants.h").read_text(encoding="utf-8").splitlines()
    numbered = header[header.index("#define ZMQ_AFFINITY 4") : header.index("#define ZMQ_BINDTODEVICE 92") + 1]
    draft = header[header.index("#define ZMQ_ZAP_ENFORCE_DOMAIN 93") : header.index("#define ZMQ_NORM_PUSH 124") + 1]
    # ZMQ_BLOCKY, which is numbered among them, is a context's option.
    names = {line.split()[1][4:].lower() for line in (*numbered, *draft)} - {"blocky"}
    assert names <= set(OPTIONS)


def test_every_function_is_there_and_documented() -> None:
    """dir lists the functions of all options; each has its name, its types, and ends in its C prototype."""
    declared = _declarations.functions()
    names = _zsockopt_table.functions()
    assert len(names) > 200
    assert set(names) <= set(dir(zsocket))
    folder = FOLDER
    stub = "".join(
        (folder / name).read_text(encoding="utf-8") for name in ("_zsock_functions.pyi", "_zsockopt_functions.pyi")
    )
    for name in names:
        function = getattr(zsocket, name)
        assert (function.__name__, function.__module__) == (name, "pyczmq.zsocket")
        lines = inspect.getdoc(function).splitlines()
        assert lines[0].endswith(".")
        assert len(lines[0]) < 120
        assert lines[-1] == f"C: ``{declared[f'zsocket_{name}'].text}``"
        signature = str(inspect.signature(function)).replace("'", "")
        assert f"def {name}{signature}: ..." in stub
        assert getattr(zsocket, name) is function


def test_the_same_functions_for_zsock() -> None:
    """The table serves the namespace zsock as well, with its own prototypes."""
    function = _zsockopt.function("zsock", "set_rcvhwm")
    assert function.__module__ == "pyczmq.zsock"
    assert function.__doc__.rstrip().endswith("C: ``void zsock_set_rcvhwm (void *self, int rcvhwm)``")
    assert _zsockopt.function("zsock", "frobnicate") is None


def test_options_cost_nothing_at_import() -> None:
    """Importing zsocket and using sockets does not load the table."""
    children.check(
        """
        import sys
        from pyczmq import zctx, zsocket
        ctx = zctx.new()
        socket = zsocket.new(ctx, 8)
        zsocket.bind(socket, "tcp://127.0.0.1:*")
        assert not any("zsockopt" in name for name in sys.modules)
        zsocket.set_rcvhwm(socket, 1)
        assert "pyczmq._zsockopt" in sys.modules
        """
    )


# ---------------------------------------------------------------- every option


@pytest.mark.parametrize("name", [name for name in STABLE if "w" in OPTIONS[name][2]])
def test_option_is_set_and_read_back(ctx: Any, name: str) -> None:
    """Each stable option takes a good value, and gives it back where it can be read."""
    sock = socket_for(ctx, name)
    value = good_value(name)
    set_ = getattr(zsocket, f"set_{name}")
    if not is_built_in(name):
        with pytest.raises(ValueError, match=f"option {name}: "):
            set_(sock, value)
        return
    set_(sock, value)
    # libzmq cannot read its accept filters back.
    if "r" in OPTIONS[name][2] and name != "tcp_accept_filter":
        result = getattr(zsocket, name)(sock)
        assert result == value
        assert type(result) is {"int": int, "bool": bool, "str": str}[_zsockopt_table.KINDS[OPTIONS[name][1]][2]]


@pytest.mark.parametrize("name", [name for name in STABLE if "r" in OPTIONS[name][2]])
def test_option_is_read(ctx: Any, name: str) -> None:
    """Each stable option has a value of its type from the start."""
    sock = socket_for(ctx, name)
    if not is_built_in(name) or name == "tcp_accept_filter":
        with pytest.raises(ValueError, match=f"option {name}: "):
            getattr(zsocket, name)(sock)
        return
    assert isinstance(getattr(zsocket, name)(sock), (int, str))


@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in STABLE])
def test_draft_option(ctx: Any, name: str) -> None:
    """A draft option, or one that is gone, works or is a ValueError that names it; it never crashes."""
    sock = socket_for(ctx, name)
    if name == "zap_enforce_domain":
        zsocket.set_zap_domain(sock, "global")
    if "w" in OPTIONS[name][2]:
        try:
            getattr(zsocket, f"set_{name}")(sock, good_value(name))
        except ValueError as error:
            assert f"option {name}: Invalid argument" in str(error)
            assert name == "swap" or "draft API" in str(error)
    if "r" in OPTIONS[name][2]:
        try:
            getattr(zsocket, name)(sock)
        except ValueError as error:
            assert f"cannot read the socket option {name}" in str(error)


@pytest.mark.parametrize("name", [name for name in OPTIONS if "w" in OPTIONS[name][2]])
def test_value_of_a_wrong_type(ctx: Any, name: str) -> None:
    """A value of another type is a TypeError that names the option; text is no number, and a number no text."""
    sock = socket_for(ctx, name)
    other = "200" if OPTIONS[name][1] in _zsockopt._CTYPES else 200
    for value in (None, 1.5, [], object(), {}, other):
        with pytest.raises(TypeError, match=f"^{name} must be"):
            getattr(zsocket, f"set_{name}")(sock, value)


@pytest.mark.parametrize("name", [name for name in STABLE if OPTIONS[name][1] in _zsockopt._CTYPES])
def test_extreme_numbers(ctx: Any, name: str) -> None:
    """A number is taken or is a ValueError that names the option, however large it is."""
    if "w" not in OPTIONS[name][2]:
        assert not hasattr(zsocket, f"set_{name}")
        return
    for value in (-(2**31), -2, 2**31 - 1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**30):
        try:
            getattr(zsocket, f"set_{name}")(socket_for(ctx, name), value)
        except ValueError as error:
            assert name in str(error)
            assert str(value) in str(error)


@pytest.mark.parametrize("name", [name for name in STABLE if OPTIONS[name][1] in ("text", "clearable", "key")])
def test_nul_in_text(ctx: Any, name: str) -> None:
    """Text that C would cut at a NUL byte is a ValueError."""
    if "w" not in OPTIONS[name][2]:
        return
    with pytest.raises(ValueError, match=f"{name} must not contain a NUL"):
        getattr(zsocket, f"set_{name}")(socket_for(ctx, name), "a\0b")


@pytest.mark.parametrize("name", [name for name in STABLE if OPTIONS[name][1] in ("text", "clearable", "binary")])
def test_long_text(ctx: Any, name: str) -> None:
    """Text that is too long for libzmq is a ValueError that shows no more than its beginning."""
    if "w" not in OPTIONS[name][2] or not is_built_in(name):
        return
    sock = socket_for(ctx, name)
    try:
        getattr(zsocket, f"set_{name}")(sock, "x" * 2**20)
    except ValueError as error:
        assert name in str(error)
        assert len(str(error)) < 300
    else:
        assert name in ("socks_proxy", "xpub_welcome_msg", "connect_routing_id")


# ---------------------------------------------------------------- text, keys and flags


IDENTITIES = [b"a", b"\xff\xfe", "☃".encode(), b"a\0b\0", b"1234", b"x" * 255]


@pytest.mark.parametrize("identity", IDENTITIES)
def test_identity_is_lossless(ctx: Any, identity: bytes) -> None:
    """An identity may hold any bytes; what comes out as str is what went in, and the peer sees it whole."""
    dealer, router = zsocket.new(ctx, zsocket.DEALER), zsocket.new(ctx, zsocket.ROUTER)
    zsocket.set_identity(dealer, identity)
    assert zsocket.routing_id(dealer) == zsocket.identity(dealer) == identity.decode("utf-8", "surrogateescape")
    other = zsocket.new(ctx, zsocket.DEALER)
    zsocket.set_routing_id(other, zsocket.identity(dealer))
    assert zsocket.identity(other) == zsocket.identity(dealer)
    zsocket.set_routing_id(other, bytearray(b"a buffer"))
    assert zsocket.identity(other) == "a buffer"
    zsocket.bind(router, "inproc://zsockopt.identity")
    zsocket.connect(dealer, "inproc://zsockopt.identity")
    zstr.send(dealer, "hello")
    frame = zframe.recv(router)
    assert bytes(zframe.data(frame)) == identity
    zframe.destroy(frame)


@pytest.mark.parametrize("identity", [b"", b"x" * 256])
def test_identity_of_a_wrong_length(ctx: Any, identity: bytes) -> None:
    """An identity has 1 to 255 bytes."""
    with pytest.raises(ValueError, match="option identity: Invalid argument"):
        zsocket.set_identity(zsocket.new(ctx, zsocket.DEALER), identity)


def test_subscriptions(ctx: Any) -> None:
    """Prefixes, of any bytes, select what a SUB socket gets; unsubscribing undoes them."""
    pub, sub = zsocket.new(ctx, zsocket.XPUB), zsocket.new(ctx, zsocket.SUB)
    zsocket.bind(pub, "inproc://zsockopt.sub")
    zsocket.connect(sub, "inproc://zsockopt.sub")

    def passes(topic: bytes) -> bool:
        zsocket.sendmem(pub, topic + b" message")
        zsocket.sendmem(pub, b"end")
        got = [zstr.recv(sub)]
        while got[-1] != "end":
            got.append(zstr.recv(sub))
        return len(got) == 2

    def settle() -> None:
        """Take in the subscription, after which it works."""
        assert zsocket.poll(pub, 5000)
        zstr.recv(pub)

    zsocket.set_subscribe(sub, "end")
    settle()
    for topic in (b"news", b"\0\xff", "☃".encode()):
        assert not passes(topic)
        zsocket.set_subscribe(sub, topic)
        settle()
        assert passes(topic)
        zsocket.set_unsubscribe(sub, topic.decode("utf-8", "surrogateescape"))
        settle()
        assert not passes(topic)
    zsocket.set_subscribe(sub, "")
    settle()
    assert passes(b"anything")


def test_subscription_that_would_overflow_the_stack(ctx: Any) -> None:
    """libzmq recurses once per byte of a subscription: long ones, which crash it, are refused."""
    sub = zsocket.new(ctx, zsocket.SUB)
    longest = b"x" * _zsockopt.LONGEST_TOPIC
    zsocket.set_subscribe(sub, longest)
    zsocket.set_unsubscribe(sub, longest)
    for set_ in (zsocket.set_subscribe, zsocket.set_unsubscribe):
        with pytest.raises(ValueError, match="has 1048576 bytes"):
            set_(sub, b"x" * 2**20)


@pytest.mark.skipif(not C.zmq_has(b"curve"), reason="this libzmq has no CURVE")
def test_curve_keys(ctx: Any) -> None:
    """Keys are 40 characters of Z85 as text or 32 bytes through the _bin functions; both are the same key."""
    sock = zsocket.new(ctx, zsocket.DEALER)
    public, secret = ffi.new("char[41]"), ffi.new("char[41]")
    C.zmq_curve_keypair(public, secret)
    binary = ffi.new("uint8_t[32]")
    C.zmq_z85_decode(binary, public)
    text = ffi.string(public).decode()
    for name in ("curve_publickey", "curve_secretkey", "curve_serverkey"):
        get, set_, set_bin = (getattr(zsocket, each) for each in (name, f"set_{name}", f"set_{name}_bin"))
        assert get(sock) == "0" * 40
        set_(sock, text)
        assert get(sock) == text
        set_bin(sock, bytes(32))
        assert get(sock) == "0" * 40
        set_bin(sock, bytearray(ffi.buffer(binary)))
        assert get(sock) == text
        set_(sock, text.encode())
        assert get(sock) == text
        # Text of 32 characters is no key, nor are 40 bytes.
        for bad in ("", "x" * 32, "x" * 39, "x" * 41, text + "\n"):
            with pytest.raises(ValueError, match=f"{name} must be 40 characters of Z85"):
                set_(sock, bad)
        for wrong in (b"", bytes(31), bytes(33), text):
            with pytest.raises(ValueError, match=f"{name}_bin must be 32 bytes"):
                set_bin(sock, wrong)
        with pytest.raises(ValueError, match=f"option {name}: Invalid argument"):
            set_(sock, "\\" * 40)
    zsocket.set_curve_secret(sock, text)
    assert zsocket.curve_secretkey(sock) == text


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("curve_secretkey", "\\" * 20 + "hush" * 5),
        ("curve_secretkey", "hush"),
        ("curve_secretkey_bin", b"hush"),
        ("curve_secret", "hush" * 10 + "\n"),
        ("plain_password", "hush" * 1000),
        ("socks_password", "hush" * 1000),
        ("wss_key_pem", "hush"),
    ],
)
def test_secrets_are_not_shown(ctx: Any, name: str, secret: Any) -> None:
    """No error text has a secret in it."""
    sock = zsocket.new(ctx, zsocket.DEALER)
    try:
        getattr(zsocket, f"set_{name}")(sock, secret)
    except ValueError as error:
        assert "hush" not in str(error)
        assert name in str(error) or name == "curve_secret"


def test_flags_are_bools_and_take_ints(ctx: Any) -> None:
    """A flag reads as a bool, and is set with one or with C's 0 and 1; others are refused if libzmq does."""
    sock = zsocket.new(ctx, zsocket.DEALER)
    for value in (True, 0, 1, False):
        zsocket.set_ipv6(sock, value)
        assert zsocket.ipv6(sock) is bool(value)
        assert zsocket.ipv4only(sock) is not bool(value)
    with pytest.raises(ValueError, match="refuses 2 for the socket option ipv6"):
        zsocket.set_ipv6(sock, 2)


def test_empty_text_clears(ctx: Any) -> None:
    """Where libzmq can forget a text, an empty one makes it; where it cannot, that is a ValueError and not NULL."""
    sock = zsocket.new(ctx, zsocket.DEALER)
    zsocket.set_socks_proxy(sock, "localhost:1080")
    zsocket.set_socks_proxy(sock, "")
    assert zsocket.socks_proxy(sock) == ""
    zsocket.set_bindtodevice(sock, "lo")
    zsocket.set_bindtodevice(sock, "")
    assert zsocket.bindtodevice(sock) == ""
    zsocket.set_tcp_accept_filter(sock, "127.0.0.1")
    zsocket.set_tcp_accept_filter(sock, "")
    zsocket.set_plain_username(sock, "someone")
    for name in ("plain_username", "plain_password", "zap_domain"):
        with pytest.raises(ValueError, match=name):
            getattr(zsocket, f"set_{name}")(sock, "")
    assert zsocket.mechanism(sock) == C.ZMQ_PLAIN


def test_wide_numbers(ctx: Any) -> None:
    """Numbers of 64 bits are whole, which C's int functions cut."""
    sock = zsocket.new(ctx, zsocket.DEALER)
    for value in (0, 2**64 - 1, 2**63):
        zsocket.set_affinity(sock, value)
        assert zsocket.affinity(sock) == value
    for value in (-(2**63), 2**63 - 1, -1):
        zsocket.set_maxmsgsize(sock, value)
        assert zsocket.maxmsgsize(sock) == value


def test_hwm_sets_both(ctx: Any) -> None:
    """set_hwm is CZMQ 2's: it sets both high-water marks."""
    sock = zsocket.new(ctx, zsocket.DEALER)
    zsocket.set_hwm(sock, 77)
    assert (zsocket.sndhwm(sock), zsocket.rcvhwm(sock), zsocket.hwm(sock)) == (77, 77, 77)
    with pytest.raises(ValueError, match="option hwm"):
        zsocket.set_hwm(sock, -1)


@pytest.mark.parametrize(("alias", "name"), list(_zsockopt_table.ALIASES.items()))
def test_alias(ctx: Any, alias: str, name: str) -> None:
    """An option's other name sets and reads the same."""
    sock = socket_for(ctx, name)
    getattr(zsocket, f"set_{alias}")(sock, good_value(name))
    if "r" in OPTIONS[name][2]:
        assert getattr(zsocket, alias)(sock) == getattr(zsocket, name)(sock) == good_value(name)


def test_long_endpoint_is_read_whole(ctx: Any) -> None:
    """The last endpoint comes whole, however long it is."""
    sock = zsocket.new(ctx, zsocket.PAIR)
    for length in (10, 300, 70_000):
        endpoint = "inproc://" + "x" * length
        assert zsocket.bind(sock, endpoint) == 0
        assert zsocket.last_endpoint(sock) == endpoint


def test_descriptor_and_events(ctx: Any) -> None:
    """events tells what the socket is ready for, and fd is a descriptor of the system."""
    left, right = zsocket.new(ctx, zsocket.PAIR), zsocket.new(ctx, zsocket.PAIR)
    assert zsocket.events(left) == 0
    zsocket.bind(left, "inproc://zsockopt.events")
    zsocket.connect(right, "inproc://zsockopt.events")
    assert zsocket.events(right) == C.ZMQ_POLLOUT
    zstr.send(left, "x")
    assert zsocket.poll(right, 1000)
    assert zsocket.events(right) == C.ZMQ_POLLIN | C.ZMQ_POLLOUT
    assert zsocket.fd(right) >= 0


def test_frames_for_hello_messages(ctx: Any) -> None:
    """Messages for hello and disconnection may be frames, text or buffers; a frame that is gone is refused."""
    sock = zsocket.new(ctx, zsocket.ROUTER)
    frame = zframe.new(b"hello")
    for value in (frame, "hello", b"hello", bytearray(b"hello"), ""):
        try:
            zsocket.set_hello_msg(sock, value)
        except ValueError as error:
            assert "draft" in str(error)
    zframe.destroy(frame)
    with pytest.raises(ValueError, match="hello_msg was destroyed"):
        zsocket.set_hello_msg(sock, frame)
    with pytest.raises(TypeError, match="hello_msg must be"):
        zsocket.set_hello_msg(sock, ctx)


def test_types_for_mypy(tmp_path: Path) -> None:
    """mypy knows the functions through zsocket, with their exact types."""
    pytest.importorskip("mypy", reason="mypy is not installed here")
    program = tmp_path / "program.py"
    program.write_text(
        "from pyczmq import zctx, zsocket\n"
        "sock = zsocket.new(zctx.new(), 8)\n"
        "assert sock is not None\n"
        "reveal_type(zsocket.rcvhwm(sock))\n"
        "reveal_type(zsocket.rcvmore(sock))\n"
        "reveal_type(zsocket.identity(sock))\n"
        "zsocket.set_identity(sock, b'me')\n"
        "zsocket.set_curve_secret(sock, 'x')\n"
        "zsocket.set_rcvhwm(sock, 'x')\n"
        "zsocket.frobnicate(sock)\n",
        encoding="utf-8",
    )
    folder = FOLDER.parent
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--follow-imports=silent",
            "--cache-dir",
            str(tmp_path),
            str(program),
        ],
        # mypy finds an installed package by itself, and refuses to be told of it.
        env=os.environ if "site-packages" in str(folder) else {**os.environ, "MYPYPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    seen = [line.partition(": ")[2].replace("builtins.", "") for line in done.stdout.splitlines() if "program" in line]
    notes = [line for line in seen if line.startswith("note")]
    assert notes == [f'note: Revealed type is "{kind}"' for kind in ("int", "bool", "str")]
    errors = [line for line in seen if line.startswith("error")]
    assert len(errors) == 2
    assert 'incompatible type "str"; expected "int"' in errors[0]
    assert 'no attribute "frobnicate"' in errors[1]


def test_annotations_name_real_types() -> None:
    """The kinds' Python types are those of the stubs that make_stubs.py writes."""
    names = {part for row in _zsockopt_table.KINDS.values() for each in row[2:] for part in each.split(" | ") if part}
    stub = (FOLDER / "_types.pyi").read_text(encoding="utf-8")
    assert {name for name in names if not re.search(rf"^{name}\b", stub, re.M)} == {"int", "bool", "str"}
