"""zsock: sockets in the process-wide context, their endpoints, and messages by pictures, as C has them on the wire."""

from __future__ import annotations

import errno
import os
import random
import re
import struct
import time
from collections.abc import Iterator
from typing import Any

import children
import pytest
from common import collect

from pyczmq import (
    C,
    _declarations,
    _handles,
    _zsockopt_table,
    ffi,
    zcert,
    zchunk,
    zctx,
    zframe,
    zhashx,
    zlistx,
    zloop,
    zmq,
    zmsg,
    zpoller,
    zsock,
    zsocket,
    zstr,
    zuuid,
)

DRAFTS = pytest.mark.skipif(not hasattr(C, "zsock_new_server"), reason="this libczmq is built without drafts")

NEXT = iter(range(10**6))


def name() -> str:
    """Return an inproc endpoint of its own."""
    return f"inproc://zsock.test.{next(NEXT)}"


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    """Two PAIR zsocks that are connected."""
    endpoint = name()
    left, right = zsock.new_pair(f"@{endpoint}"), zsock.new_pair(f">{endpoint}")
    for sock in (left, right):
        zsock.set_rcvtimeo(sock, 5000)
        zsock.set_sndtimeo(sock, 5000)
    yield left, right
    for sock in (left, right):
        if _handles.fate(sock) is None:
            zsock.destroy(sock)


def text(data: bytes) -> Any:
    """Return a C string for a variadic call."""
    return ffi.new("char[]", data)


def taken(frame: Any) -> bytes:
    """Return a frame's content, and destroy it."""
    content: bytes = zframe.data(frame)[:]
    zframe.destroy(frame)
    return content


def frames_of(message: Any) -> list[bytes]:
    """Return the frames of a message, and destroy it."""
    found = []
    while zmsg.size(message):
        found.append(taken(zmsg.pop(message)))
    zmsg.destroy(message)
    return found


# ---------------------------------------------------------------- constructors and endpoints


@pytest.mark.parametrize(
    "kind", ["pub", "sub", "req", "rep", "dealer", "router", "push", "pull", "xpub", "xsub", "pair"]
)
def test_constructor(kind: str) -> None:
    """Each makes a socket of its type, and binds or connects by default as C's does."""
    make = getattr(zsock, f"new_{kind}")
    assert zsock.type_str(make()) == zsock.type_str(make(None)) == zsock.type_str(make("")) == kind.upper()
    assert zsock.type(make()) == getattr(zmq, kind.upper())
    raw = getattr(C, f"zsock_new_{kind}")
    mine, theirs = name(), name()
    c_sock = ffi.gc(raw(theirs.encode(), *[ffi.NULL] * (kind == "sub")), _handles.freer(C.zsock_destroy, "zsock_t *"))
    sock = make(mine)
    binds = bool(C.zsock_endpoint(c_sock))
    assert zsock.endpoint(sock) == (mine if binds else None)
    assert binds == (kind in ("pub", "rep", "router", "pull", "xpub"))
    assert zsock.endpoint(make(f"@{name()}")) is not None
    assert zsock.endpoint(make(f">{mine}" if binds else f">{name()}")) is None


def test_stream_constructor() -> None:
    """A STREAM connects by default."""
    stream = zsock.new_stream("@tcp://127.0.0.1:*")
    assert zsock.type_str(stream) == "STREAM"
    assert re.match(r"tcp://127.0.0.1:\d+$", zsock.endpoint(stream))
    assert zsock.endpoint(zsock.new_stream(zsock.endpoint(stream))) is None


def test_new_of_a_type() -> None:
    """new takes libzmq's number of a type; one that there is not is a ValueError, where C aborts."""
    for number, kind in enumerate(("PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB")):
        assert zsock.type_str(zsock.new(number)) == kind
    for wrong in (99, -1, 2**31 - 1, 2**31, -(2**40), zmq.DGRAM):
        with pytest.raises(ValueError, match=r"^type "):
            zsock.new(wrong)
    for other in (None, "PUSH", 1.0, b"x", [], ffi.NULL):
        with pytest.raises(TypeError, match=r"^type must be an int"):
            zsock.new(other)


def test_subscription_of_a_new_sub() -> None:
    """A SUB is subscribed to what its constructor is told, any bytes; with None it gets nothing."""
    endpoint = name()
    pub = zsock.new_xpub(endpoint)
    zsock.set_rcvtimeo(pub, 5000)
    topics = ["", "news", b"\0\xff", bytearray(b"x")]
    subs = [zsock.new_sub(endpoint, topic) for topic in (*topics, None)]
    got = {zsock.recv(pub, "b") for _ in topics}
    assert got == {(b"\1" + (t.encode() if isinstance(t, str) else bytes(t)),) for t in topics}
    zsock.send(pub, "s", "news of today")
    for sub in subs:
        zsock.set_rcvtimeo(sub, 5000)
    assert zsock.recv(subs[0], "s") == zsock.recv(subs[1], "s") == ("news of today",)
    for sub in subs[2:]:
        zsock.set_rcvtimeo(sub, 0)
        assert zsock.recv(sub, "s") is None
    for wrong in (5, [], object()):
        with pytest.raises(TypeError, match=r"^subscribe must be"):
            zsock.new_sub(None, wrong)
    with pytest.raises(ValueError, match="could crash libzmq"):
        zsock.new_sub(None, "x" * 2**20)


ATTACHMENTS = [
    "@inproc://A,>inproc://B",
    "inproc://A,inproc://B",
    "@inproc://A,tcp://127.0.0.1:*,inproc://B",
    "inproc://A,",
    ",",
    ",inproc://A",
    "inproc://A,,inproc://B",
    "@",
    ">",
    ">a,@b, c,, ",
    "@inproc://A, inproc://B",
    "@@inproc://A",
    "@>inproc://A",
    "nonsense",
    "@inproc://A,>nonsense://x",
    "@tcp://127.0.0.1:99999999",
    "%s%s%n",
    "@inproc://100%s%n",
    "",
]


@pytest.mark.parametrize("endpoints", ATTACHMENTS)
@pytest.mark.parametrize("serverish", [True, False])
def test_attach_is_as_in_c(endpoints: str, serverish: bool) -> None:
    """Lists of endpoints, well formed or not, give what C gives, and leave the same endpoint bound."""
    found = []
    for which in range(2):
        mine = endpoints.replace("//A", f"//{name()[9:]}").replace("//B", f"//{name()[9:]}")
        sock = zsock.new_dealer()
        rc = zsock.attach(sock, mine, serverish) if which else C.zsock_attach(sock, mine.encode(), serverish)
        bound = zsock.endpoint(sock)
        found.append((rc, bound and re.sub(r"test\.\d+|:\d+$", "", bound)))
        zsock.destroy(sock)
    if endpoints == "@tcp://127.0.0.1:99999999":
        # libzmq cuts the port to 16 bits: C returns a port that is not the one.
        return
    assert found[0] == found[1]


def test_attach() -> None:
    """None and "" are no endpoints; the default connects; long endpoints, which C refuses, are fine."""
    sock = zsock.new_dealer()
    assert zsock.attach(sock, None) == zsock.attach(sock, "", True) == zsock.attach(sock, b"") == 0
    endpoint = name()
    assert zsock.attach(sock, endpoint) == 0
    assert zsock.endpoint(sock) is None
    assert zsock.attach(sock, f"@{endpoint}{'x' * 1000}") == 0
    assert zsock.last_endpoint(sock) == zsock.endpoint(sock) == f"{endpoint}{'x' * 1000}"
    with pytest.raises(ValueError, match="endpoints must not contain a NUL"):
        zsock.attach(sock, "@inproc://x\0y")
    for wrong in (5, [], object(), bytearray(b"x")):
        with pytest.raises(TypeError, match="endpoints must be str or bytes"):
            zsock.attach(sock, wrong)


def test_constructor_that_fails_leaves_nothing_behind() -> None:
    """Where an endpoint is bad None comes back, errno says why, and what had been bound is free again."""
    endpoint = name()
    assert zsock.new_pull(f"{endpoint},nonsense") is None
    assert zmq.errno() == errno.EINVAL
    for _ in range(200):
        sock = zsock.new_pull(endpoint)
        if sock is not None:
            break
        time.sleep(0.01)
    else:
        pytest.fail("the endpoint was never freed")
    assert zsock.new_pull(endpoint) is None
    assert zmq.errno() == errno.EADDRINUSE
    for make in (zsock.new_pull, zsock.new_pair, zsock.new_xsub):
        with pytest.raises(ValueError, match="endpoint must not contain a NUL"):
            make("inproc://a\0b")
        with pytest.raises(TypeError, match="endpoint must be str or bytes"):
            make(5)


def test_bind_returns_the_port() -> None:
    """Ports, wildcards and ranges are as in C; the endpoint that was bound is known."""
    sock = zsock.new(zmq.ROUTER)
    assert zsock.endpoint(sock) is None
    port = zsock.bind(sock, "tcp://127.0.0.1:*")
    assert 49152 <= port <= 65535
    assert zsock.endpoint(sock) == zsock.last_endpoint(sock) == f"tcp://127.0.0.1:{port}"
    other = zsock.new(zmq.ROUTER)
    assert zsock.bind(other, f"tcp://127.0.0.1:{port}") == -1
    assert zmq.errno() == errno.EADDRINUSE
    assert zsock.endpoint(other) is None
    assert zsock.bind(other, f"tcp://127.0.0.1:*[{port}-{port}]") == -1
    assert zsock.bind(other, b"tcp://127.0.0.1:!") >= 49152
    low = zsock.bind(other, "tcp://127.0.0.1:*[-49999]")
    assert 49152 <= low <= 49999
    assert zsock.endpoint(other) == f"tcp://127.0.0.1:{low}"
    assert 60000 <= zsock.bind(other, "tcp://127.0.0.1:![60000-]") <= 65535
    system = zsock.bind(other, "tcp://127.0.0.1:0")
    assert zsock.last_endpoint(other) == f"tcp://127.0.0.1:{system}"
    assert zsock.bind(other, name()) == 0
    assert zsock.unbind(other, f"tcp://127.0.0.1:{low}") == 0
    assert zsock.unbind(other, f"tcp://127.0.0.1:{low}") == -1
    assert zsock.unbind(sock, "nonsense") == -1


def test_wildcards_of_which_c_makes_endless_searches() -> None:
    """A range that is empty, upside down or beyond all ports fails, and at once."""
    sock = zsock.new(zmq.ROUTER)
    for wild in ("*[5-1]", "![5-1]", "*[99999-]", "*[0-4294967296000]x", "*[", "*[a-b]", "*[99999999999-99999999999]"):
        assert zsock.bind(sock, f"tcp://127.0.0.1:{wild}") == -1
        assert zmq.errno() == errno.EINVAL
    for length in (2000, 2**20):
        assert zsock.bind(sock, "tcp://" + "a:" * length + "1") == -1
    assert zsock.endpoint(sock) is None


def test_endpoint_is_no_format() -> None:
    """An endpoint with a % is the endpoint that it says."""
    endpoint = f"{name()}%s%d%n"
    left, right = zsock.new(zmq.PAIR), zsock.new(zmq.PAIR)
    assert zsock.bind(left, endpoint) == 0
    assert zsock.endpoint(left) == endpoint
    assert zsock.connect(right, endpoint) == 0
    zsock.send(left, "s", "%s")
    assert zsock.recv(right, "s") == ("%s",)
    assert zsock.disconnect(right, endpoint) == 0
    assert zsock.disconnect(right, endpoint) == -1
    assert zsock.connect(right, "nonsense://%s") == -1


@pytest.mark.parametrize("function", ["bind", "connect", "unbind", "disconnect"])
def test_endpoints_of_wrong_types(function: str) -> None:
    """An endpoint is str or bytes without a NUL; one that libzmq would abort over fails."""
    sock = zsock.new(zmq.PUB)
    for wrong in (None, 5, [], sock, bytearray(b"inproc://x")):
        with pytest.raises(TypeError, match="endpoint must be str or bytes"):
            getattr(zsock, function)(sock, wrong)
    with pytest.raises(ValueError, match="NUL"):
        getattr(zsock, function)(sock, "inproc://a\0b")
    for bad in ("norm://127.0.0.1:1/x", "", "x", "tcp://", "ipc://" + "x" * 5000, "udp://127.0.0.1:1", "\udcff"):
        assert getattr(zsock, function)(sock, bad) == -1


def test_checked_constructors() -> None:
    """The functions with a place in a source file do what the others do; the place is checked."""
    endpoint = name()
    pub, sub = zsock.new_pub_checked(endpoint, "x.c", 7), zsock.new_sub_checked(endpoint, "", b"x.c", 8)
    pair = zsock.new_checked(zmq.PAIR, "a name", 0)
    assert [zsock.type_str(each) for each in (pub, sub, pair)] == ["PUB", "SUB", "PAIR"]
    for kind in ("req", "rep", "dealer", "router", "push", "pull", "xpub", "xsub", "pair", "stream"):
        sock = getattr(zsock, f"new_{kind}_checked")(None, None, 2**63 - 1)
        assert zsock.type_str(sock) == kind.upper()
        zsock.destroy_checked(sock, "x.c", 9)
        assert not zsock.is_(sock)
    with pytest.raises(TypeError, match="filename must be"):
        zsock.new_checked(zmq.PAIR, 5, 0)
    with pytest.raises(ValueError, match="line_nbr must be from 0"):
        zsock.new_pair_checked(None, "x", -1)
    with pytest.raises(TypeError, match="line_nbr must be an int"):
        zsock.destroy_checked(pair, "x", None)
    zsock.destroy_checked(pair, "x", 1)
    zsock.destroy_checked(None, "x", 1)
    if not hasattr(C, "zsock_new_dgram"):
        assert zsock.new_dgram_checked("udp://127.0.0.1:*", "x", 1) is None
        assert zmq.errno() == errno.ENOTSUP


def test_no_room_for_a_socket() -> None:
    """Where libzmq can make no more sockets that is an OSError, and C, which would abort, is not called."""
    children.check(
        """
        from pyczmq import zmq, zsock, zsys
        zsys.set_max_sockets(10)
        socks = []
        try:
            for _ in range(100):
                socks.append(zsock.new(zmq.PAIR))
        except OSError as error:
            assert "no room for another socket" in str(error), error
        for make in (zsock.new_pair, zsock.new_pub):
            try:
                make(None)
            except OSError:
                pass
            else:
                raise SystemExit("made")
        assert 5 <= len(socks) <= 10, len(socks)
        # What only the garbage collector can free is freed then.
        loop = [socks.pop()]
        loop.append(loop)
        del loop
        zsock.new(zmq.PAIR)
        """
    )


def test_environment_that_c_aborts_over() -> None:
    """A setting for new sockets that libzmq refuses is a ValueError that names it."""
    children.check(
        """
        import os
        from pyczmq import zmq, zsock
        for variable, value in (("SNDHWM", "-5"), ("RCVHWM", "-1"), ("LINGER", "-7"), ("IPV6", "3"), ("IPV6", " -1x")):
            os.environ["ZSYS_" + variable] = value
            try:
                zsock.new(zmq.PAIR)
            except ValueError as error:
                assert "ZSYS_" + variable in str(error), error
            else:
                raise SystemExit("made")
            os.environ["ZSYS_" + variable] = "0"
        zsock.new(zmq.PAIR)
        """
    )


# ---------------------------------------------------------------- pictures, against C on the other end

NUMBERS = {
    "i": [0, 1, -1, 2**31 - 1, -(2**31)],
    "1": [0, 255],
    "2": [0, 65535],
    "4": [0, 2**32 - 1],
    "8": [0, 2**64 - 1],
    "u": [0, 2**32 - 1],
}
C_TYPES = {"i": "int", "1": "uint8_t", "2": "uint16_t", "4": "uint32_t", "8": "uint64_t", "u": "unsigned int"}


@pytest.mark.parametrize("letter", NUMBERS)
def test_numbers_to_and_from_c(pair: Any, letter: str) -> None:
    """Each number that fits goes to C and back; those that do not are refused with a name."""
    left, right = pair
    ctype = C_TYPES[letter]
    promoted = "int" if letter in "i12" else ctype
    for number in NUMBERS[letter]:
        assert zsock.send(left, letter, number) == 0
        out = ffi.new(f"{ctype} *")
        assert C.zsock_recv(right, letter.encode(), out) == 0
        assert out[0] == number
        assert C.zsock_send(right, letter.encode(), ffi.cast(promoted, number)) == 0
        assert zsock.recv(left, letter) == (number,)
    least, most = min(NUMBERS[letter]), max(NUMBERS[letter])
    for wrong in (least - 1, most + 1, 10**30, -(10**30)):
        with pytest.raises(ValueError, match=rf"argument 1 \('{letter}'\) must be from {least} to {most}"):
            zsock.send(left, letter, wrong)
    for other in ("1", None, 1.0, [], left):
        with pytest.raises(TypeError, match=rf"argument 1 \('{letter}'\) must be an int"):
            zsock.send(left, letter, other)


def test_text_and_bytes_to_and_from_c(pair: Any) -> None:
    """Text and bytes are the same on the wire, as they are in C."""
    left, right = pair
    for sent in ("", "text", "☃", "x" * 2**20, b"bytes", "\udcff"):
        assert zsock.send(left, "s", sent) == 0
        out = ffi.new("char **")
        assert C.zsock_recv(right, b"s", out) == 0
        assert ffi.string(out[0]) == (sent if isinstance(sent, bytes) else sent.encode("utf-8", "surrogateescape"))
        C.zstr_free(out)
    for sent in (b"", b"a\0b", bytearray(b"\xff" * 2**20), memoryview(b"view"), "str"):
        assert zsock.send(left, "b", sent) == 0
        data, size = ffi.new("byte **"), ffi.new("size_t *")
        assert C.zsock_recv(right, b"b", data, size) == 0
        assert ffi.buffer(data[0], size[0])[:] == (sent.encode() if isinstance(sent, str) else bytes(sent))
        C.zstr_free(ffi.cast("char **", data))
    C.zsock_send(right, b"sb", text(b"caf\xff"), ffi.new("byte[]", b"\0\1\2"), ffi.cast("int", 3))
    assert zsock.recv(left, "sb") == ("caf\udcff", b"\0\1\2")
    zsock.send(left, "ss", "a\0b", b"\0")
    assert zsock.recv(right, "sb") == ("a\0b", b"\0")


def test_handles_to_and_from_c(pair: Any) -> None:
    """Chunks, frames, hashes, lists, UUIDs and messages are copied to the other side, C's or Python's."""
    left, right = pair
    chunk, frame, uuid = zchunk.new(b"a chunk"), zframe.new(b"a frame"), zuuid.new()
    packed = frame_of({"key": "value", "": "empty"})
    table = zhashx.unpack(packed)
    zframe.destroy(packed)
    message = zmsg.new()
    for content in ("one", "", "three"):
        zmsg.addstr(message, content)
    for source in (table, {"key": "value", "": "empty"}):
        assert zsock.send(left, "cfhUm", chunk, frame, source, uuid, message) == 0
        out = [ffi.new(f"{kind}_t **") for kind in ("zchunk", "zframe", "zhashx", "zuuid", "zmsg")]
        assert C.zsock_recv(right, b"cfhUm", *out) == 0
        assert ffi.buffer(C.zchunk_data(out[0][0]), C.zchunk_size(out[0][0]))[:] == b"a chunk"
        assert taken(out[1][0]) == b"a frame"
        assert ffi.string(ffi.cast("char *", C.zhashx_lookup(out[2][0], b"key"))) == b"value"
        assert C.zhashx_size(out[2][0]) == 2
        assert zuuid.eq(uuid, out[3][0])
        assert C.zsock_send(right, b"cfUhm", out[0][0], frame, out[3][0], out[2][0], out[4][0]) == 0
        assert frames_of(out[4][0]) == [b"one", b"", b"three"]
        for each, kind in zip(out, ("zchunk", "", "zhashx", "zuuid")):
            if kind:
                getattr(C, f"{kind}_destroy")(each)
        got = zsock.recv(left, "cfUhm")
        assert got is not None
        assert zchunk.data(got[0])[:] == b"a chunk"
        assert taken(got[1]) == b"a frame"
        assert zuuid.eq(got[2], uuid)
        assert zhashx.strings(got[3]) == {"key": "value", "": "empty"}
        assert frames_of(got[4]) == [b"one", b"", b"three"]
    # All that was sent is still the caller's, and as it was.
    assert (zframe.size(frame), zmsg.size(message), zchunk.size(chunk)) == (7, 3, 7)
    assert zsock.send(left, "ll", ["a", b"b"], ()) == 0
    first, second = zsock.recv(right, "ll")
    assert (zlistx.strings(first), zlistx.strings(second)) == (["a", "b"], [])
    assert zsock.send(left, "l", first) == 0
    assert zlistx.strings(zsock.recv(right, "l")[0]) == ["a", "b"]
    zframe.destroy(frame)
    zmsg.destroy(message)


def frame_of(pairs: dict[str, str]) -> Any:
    """Return a frame with a packed hash."""
    parts = [struct.pack("!I", len(pairs))]
    for key, value in pairs.items():
        parts += [bytes([len(key)]), key.encode(), struct.pack("!I", len(value)), value.encode()]
    return zframe.new(b"".join(parts))


def test_pointers(pair: Any) -> None:
    """A pointer goes as its value, NULL as None; what came is a void * that nobody looks at."""
    left, right = pair
    mine = ffi.new("int *", 42)
    assert zsock.send(left, "ppp", mine, None, ffi.NULL) == 0
    out = [ffi.new("void **") for _ in range(3)]
    assert C.zsock_recv(right, b"ppp", *out) == 0
    assert [each[0] for each in out] == [ffi.cast("void *", mine), ffi.NULL, ffi.NULL]
    assert C.zsock_send(right, b"pp", ffi.cast("void *", 0xDEAD), ffi.NULL) == 0
    assert zsock.recv(left, "pp") == (ffi.cast("void *", 0xDEAD), None)
    assert zsock.send(left, "p", ffi.new("char[5]")) == zsock.bsend(left, "p", left) == 0
    assert zsock.recv(right, "p")[0]
    assert zsock.brecv(right, "p") == (ffi.cast("void *", left),)
    for wrong in (5, "x", b"12345678", ffi.cast("int", 5), []):
        with pytest.raises(TypeError, match=r"argument 1 \('p'\) must be a pointer"):
            zsock.send(left, "p", wrong)
    gone = zsock.new(zmq.PAIR)
    zsock.destroy(gone)
    with pytest.raises(ValueError, match=r"argument 1 \('p'\) was destroyed"):
        zsock.send(left, "p", gone)


def test_empty_frames(pair: Any) -> None:
    """A 'z' takes no argument and gives no value, and a message where it is not empty is dropped."""
    left, right = pair
    assert zsock.send(left, "zsz", "body") == 0
    out = ffi.new("char **")
    assert C.zsock_recv(right, b"zsz", out) == 0
    C.zstr_free(out)
    assert C.zsock_send(right, b"zsz", text(b"body")) == 0
    assert zsock.recv(left, "zsz") == ("body",)
    for picture in ("zs", "zf", "zm"):
        zsock.send(left, "ss", "not empty", "body")
        assert zsock.recv(right, picture) is None
        assert zmq.errno() == errno.EBADMSG
    zsock.send(left, "z")
    assert zsock.recv(right, "zz") == ()
    zsock.send(left, "nsn", "body")
    assert C.zsock_recv(right, b"zsz", out) == 0
    C.zstr_free(out)
    zsock.send(left, "zs", "body")
    assert zsock.recv(right, "ns") == ("body",)


def test_frames_that_are_missing_or_too_many(pair: Any) -> None:
    """As in C a missing number is 0 and anything else that is missing None; what is too much is dropped."""
    left, right = pair
    zsock.send(left, "s", "only")
    assert zsock.recv(right, "si1248usbchlUpz") == ("only", 0, 0, 0, 0, 0, 0, *[None] * 7)
    zsock.send(left, "s", "only")
    found = zsock.recv(right, "sifmbUpz")
    assert found[:3] == ("only", 0, None)
    assert frames_of(found[3]) == []
    assert found[4:] == (None, None, None)
    for picture in ("s", "f", ""):
        zsock.send(left, "sss", "1", "2", "3")
        found = zsock.recv(right, picture)
        assert len(found) == len(picture)
        if picture == "f":
            assert taken(found[0]) == b"1"
    # A 'm' takes all that is left, so that nothing is left for what follows.
    zsock.send(left, "sss", "1", "2", "3")
    found = zsock.recv(right, "smsz")
    assert (found[0], frames_of(found[1]), found[2]) == ("1", [b"2", b"3"], None)
    zsock.send(left, "")
    zsock.send(left, "s", "end")
    assert zsock.recv(right, "s") == ("end",)


GARBAGE = [
    *(b"", b"0", b"-0", b"+5", b" \t\n\v\f\r 7", b"- 5", b"--5", b"12abc", b"abc", b"1\x002", b"\0", b"0x10", b"1e5"),
    *(b"255", b"256", b"257", b"-1", b"65536", b"-65537", b"2147483647", b"2147483648", b"-2147483649", b"4294967295"),
    *(b"4294967296", b"-4294967297", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809"),
    *(b"18446744073709551615", b"18446744073709551616", b"-18446744073709551616", b"-18446744073709551615"),
    *(b"9" * 30, b"-" + b"9" * 30, b"0" * 5000 + b"5", b"9" * 5000, b"\xff\xfe", b"5d", "٣".encode()),
]


@pytest.mark.parametrize("letter", NUMBERS)
def test_frames_that_are_no_numbers(pair: Any, letter: str) -> None:
    """Whatever a frame has in it, Python makes the same number of it as C does."""
    left, right = pair
    chance = random.Random(7)
    frames = GARBAGE + [
        bytes(chance.choice(b"0123456789+- \0x") for _ in range(chance.randrange(30))) for _ in range(200)
    ]
    for frame in frames:
        zsock.send(left, "bb", frame, b"")
        out = ffi.new(f"{C_TYPES[letter]} *", 77)
        assert C.zsock_recv(right, letter.encode(), out) == 0
        zsock.send(left, "bb", frame, b"")
        assert zsock.recv(right, letter) == (out[0],), frame


def test_bad_pictures() -> None:
    """A picture with a letter that there is not is refused before anything is sent or received, as are other types."""
    left = zsock.new_pair(f"@{name()}")
    for picture, function in (
        *(("x", zsock.send), ("sx", zsock.send), ("s S", zsock.send), ("%s", zsock.send), ("s\0", zsock.send)),
        *(("i", zsock.bsend), ("h", zsock.bsend), ("U", zsock.bsend), ("z", zsock.bsend), ("b", zsock.bsend)),
    ):
        letter, index = next((c, i) for i, c in enumerate(picture) if c not in "s")
        with pytest.raises(ValueError, match=re.escape(f"picture has {letter!r} at index {index}")):
            function(left, picture, "x", "x", "x")
        receive = zsock.recv if function is zsock.send else zsock.brecv
        with pytest.raises(ValueError, match=re.escape(f"picture has {letter!r} at index {index}")):
            receive(left, picture)
    for function in (zsock.bsend, zsock.brecv):
        with pytest.raises(ValueError, match="picture has 'm' at index 0, where only the last letter may be that"):
            function(left, "m1")
    for function in (zsock.send, zsock.recv, zsock.bsend, zsock.brecv, zsock.vrecv):
        for wrong in (None, 5, [], ["s"], left, bytearray(b"s")):
            with pytest.raises(TypeError, match="picture must be str or bytes"):
                function(left, wrong)
    with pytest.raises(ValueError, match="picture has '☃' at index 0"):
        zsock.recv(left, "☃")


def test_pictures_as_bytes_and_long_ones(pair: Any) -> None:
    """A picture may be bytes, and as long as it likes; many different ones are forgotten again."""
    left, right = pair
    assert zsock.send(left, b"si", "x", 1) == 0
    assert zsock.recv(right, b"si") == ("x", 1)
    long = 5000
    assert zsock.send(left, "i" * long, *range(long)) == 0
    assert zsock.recv(right, "i" * long) == tuple(range(long))
    assert zsock.bsend(left, "2" * long + "m", *range(long), None) == 0
    assert zsock.brecv(right, "2" * long) == tuple(range(long))
    zsock.flush(right)
    for count in range(600):
        assert zsock.send(left, "z" * (count + 1)) == 0
        assert zsock.recv(right, "z" * (count + 1)) == ()


def test_wrong_arguments() -> None:
    """The number of the arguments, and each one, is checked; the error names it, and nothing has been sent."""
    left = zsock.new_pair(f"@{name()}")
    for function, picture in ((zsock.send, "si"), (zsock.bsend, "s4"), (zsock.send, "sizm"), (zsock.bsend, "s4m")):
        count = len(picture.replace("z", ""))
        for args in ((), ("x",), ("x", 1, 2, 3, 4)):
            with pytest.raises(TypeError, match=f"picture {picture!r} takes {count} arguments, not {len(args)}"):
                function(left, picture, *args)
    frame, message = zframe.new("x"), zmsg.new()
    other = {"c": "zchunk_t", "f": "zframe_t", "U": "zuuid_t", "m": "zmsg_t"}
    for letter, kind in other.items():
        for wrong in (None, "x", b"x", 5, [], left, frame if letter != "f" else message):
            with pytest.raises(TypeError, match=rf"argument 2 \('{letter}'\) must be a .*{kind}"):
                zsock.send(left, f"s{letter}", "first", wrong)
        with pytest.raises(ValueError, match=rf"argument 1 \('{letter}'\) is NULL"):
            zsock.send(left, letter, ffi.cast(f"{kind} *", 0))
    for letter, kind in (("h", "a dict or a zhashx_t"), ("l", "a list or a zlistx_t")):
        for wrong in (None, "x", 5):
            with pytest.raises(TypeError, match=rf"argument 1 \('{letter}'\) must be {kind}"):
                zsock.send(left, letter, wrong)
    for wrong in ({1: "x"}, {"x": 1}, {"x": None}):
        with pytest.raises(TypeError, match=r"argument 1 \('h'\): each"):
            zsock.send(left, "h", wrong)
    for bad in ({"x" * 256: "x"}, {"a\0": "x"}, {"a": "x\0"}, {"\ud800": "x"}):
        with pytest.raises(ValueError, match=r"each|surrogates"):
            zsock.send(left, "h", bad)
    with pytest.raises(TypeError, match=r"argument 1 \('l'\): each item"):
        zsock.send(left, "l", [1])
    for letter in "sS":
        with pytest.raises(TypeError, match=rf"argument 1 \('{letter}'\) must be str or bytes"):
            zsock.bsend(left, letter, 5)
    with pytest.raises(ValueError, match=r"argument 1 \('s'\) must be at most 255 bytes long, not 256"):
        zsock.bsend(left, "s", "x" * 256)
    with pytest.raises(TypeError, match=r"argument 1 \('u'\) must be a .*zuuid_t"):
        zsock.bsend(left, "u", None)
    for cls, handle in ((zframe, frame), (zmsg, message)):
        cls.destroy(handle)
        letter = "f" if cls is zframe else "m"
        for function in (zsock.send, zsock.bsend):
            with pytest.raises(ValueError, match=rf"argument 1 \('{letter}'\) was destroyed"):
                function(left, letter, handle)


def test_sequences_of_arguments(pair: Any) -> None:
    """vsend takes the arguments in any sequence; vrecv is recv."""
    left, right = pair
    for args in (["x", 1], ("x", 1), iter(["x", 1])):
        assert zsock.vsend(left, "si", args) == 0
        assert zsock.vrecv(right, "si") == ("x", 1)
    for wrong in ("xy", b"xy"):
        with pytest.raises(TypeError, match="args must be a sequence of arguments"):
            zsock.vsend(left, "ss", wrong)
    with pytest.raises(TypeError):
        zsock.vsend(left, "s", 5)
    assert zsock.vsend(left, "z", ()) == 0


# ---------------------------------------------------------------- packed pictures, against C on the other end


def test_packed_values_to_and_from_c(pair: Any) -> None:
    """What Python packs C unpacks, and the other way round, in the format of zproto."""
    left, right = pair
    uuid, chunk, frame = zuuid.new(), zchunk.new(b"a chunk"), zframe.new(b"a frame")
    message = zmsg.new()
    zmsg.addstr(message, "one")
    zmsg.addstr(message, "two")
    long = "L" * 70_000
    picture = "1248sScupfm"
    values = (255, 65535, 2**32 - 1, 2**64 - 1, "short", long, chunk, uuid, left, frame, message)
    assert zsock.bsend(left, picture, *values) == 0
    kinds = ("uint8_t", "uint16_t", "uint32_t", "uint64_t", "char *", "char *", "zchunk_t *", "zuuid_t *", "void *")
    out = [ffi.new(f"{kind} *") for kind in (*kinds, "zframe_t *", "zmsg_t *")]
    assert C.zsock_brecv(right, picture.encode(), *out) == 0
    assert [each[0] for each in out[:4]] == list(values[:4])
    assert (ffi.string(out[4][0]), ffi.string(out[5][0])) == (b"short", long.encode())
    assert (ffi.cast("void *", left), zuuid.eq(uuid, out[7][0])) == (out[8][0], True)
    integers = [ffi.cast(kind, value) for kind, value in zip(("int", "int", "uint32_t", "uint64_t"), values)]
    assert C.zsock_bsend(right, picture.encode(), *integers, *[each[0] for each in out[4:]]) == 0
    assert taken(out[9][0]) == b"a frame"
    assert frames_of(out[10][0]) == [b"one", b"two"]
    C.zstr_free(out[5])
    C.zchunk_destroy(out[6])
    C.zuuid_destroy(out[7])
    got = zsock.brecv(left, picture)
    assert got[:6] == (255, 65535, 2**32 - 1, 2**64 - 1, "short", long)
    assert zchunk.data(got[6])[:] == b"a chunk"
    assert zuuid.eq(got[7], uuid)
    assert got[8] == ffi.cast("void *", left)
    assert taken(got[9]) == b"a frame"
    assert frames_of(got[10]) == [b"one", b"two"]
    zframe.destroy(frame)
    zmsg.destroy(message)


def test_packed_bytes(pair: Any) -> None:
    """The bytes on the wire are those that zproto wants; None is empty, and an 'm' of None an empty frame."""
    left, right = pair
    zsock.bsend(left, "1248sS", 1, 2, 3, 4, "a\0b", "☃")
    want = b"\1" + b"\0\2" + b"\0\0\0\3" + b"\0" * 7 + b"\4" + b"\3a\0b" + b"\0\0\0\3" + "☃".encode()
    assert zsock.recv(right, "b") == (want,)
    zsock.bsend(left, "sScm", None, None, None, None)
    assert zsock.recv(right, "bbs") == (bytes(9), b"", None)
    zsock.bsend(left, "sSm", None, None, None)
    got = zsock.brecv(right, "sSm")
    assert (got[:2], frames_of(got[2])) == (("", ""), [b""])
    zsock.bsend(left, "")
    assert zsock.brecv(right, "") == ()
    # More frames than C has room for, which would abort there.
    frame = zframe.new("x")
    assert zsock.bsend(left, "f" * 100, *[frame] * 100) == 0
    assert [taken(each) for each in zsock.brecv(right, "f" * 100)] == [b"x"] * 100
    zframe.destroy(frame)
    # 1 MiB is the most that C takes in, but not the most that there is.
    zsock.bsend(left, "S", "x" * 2**21)
    assert zsock.brecv(right, "S") == ("x" * 2**21,)


def test_packed_frames_that_are_left_stay(pair: Any) -> None:
    """As in C, what the picture does not name stays on the socket, for other functions or flush."""
    left, right = pair
    left_over = zframe.new("left")
    zsock.bsend(left, "1ff", 7, left_over, left_over)
    assert zsock.brecv(right, "1") == (7,)
    assert zsock.rcvmore(right)
    assert zsock.recv(right, "ss") == ("left", "left")
    zsock.bsend(left, "1ff", 7, left_over, left_over)
    zframe.destroy(left_over)
    value, frame = zsock.brecv(right, "1f")
    assert (value, taken(frame)) == (7, b"left")
    zsock.flush(right)
    assert not zsock.rcvmore(right)
    zsock.flush(right)
    zsock.send(left, "s", "next")
    assert zsock.recv(right, "s") == ("next",)


def test_packed_messages_that_are_malformed(pair: Any) -> None:
    """A message that has less than its picture is None, with EBADMSG, and is dropped whole; the next one comes."""
    left, right = pair
    cases = [
        *(("1", b""), ("2", b"x"), ("4", b"xxx"), ("8", b"x" * 7), ("p", b"x" * 7), ("u", b"x" * 15)),
        *(("s", b""), ("s", b"\5abcd"), ("S", b"\0\0\0"), ("S", b"\xff\xff\xff\xff"), ("S", b"\0\0\0\5abcd")),
        *(("c", b"\x7f\xff\xff\xff" + b"x" * 100), ("1s", b"\1"), ("c1", b"\0\0\0\0"), ("f", b""), ("m", b"")),
    ]
    for picture, data in cases:
        zsock.send(left, "b", data)
        assert zsock.brecv(right, picture) is None, (picture, data)
        assert zmq.errno() == errno.EBADMSG
        if "f" not in picture and "m" not in picture:
            zsock.send(left, "bss", data, "rest", "rest")
            assert zsock.brecv(right, picture) is None
    zsock.send(left, "bb", b"", b"only")
    assert zsock.brecv(right, "ff") is None
    zsock.send(left, "bb", b"", b"only")
    assert zsock.brecv(right, "fm") is None
    zsock.send(left, "s", "fine")
    assert zsock.recv(right, "s") == ("fine",)


def test_a_peer_may_send_anything() -> None:
    """Random messages, read by random pictures, give values or None; nothing crashes, nothing is left behind."""
    output = children.check(
        """
        import random
        from pyczmq import zframe, zmsg, zsock
        left, right = zsock.new_pair("@inproc://fuzz"), zsock.new_pair(">inproc://fuzz")
        zsock.set_rcvtimeo(right, 5000)
        chance = random.Random(11)
        def noise():
            kind = chance.randrange(6)
            if kind == 0:
                return bytes(chance.choice((0, 1, 8, 16, 300)))
            if kind == 1:
                return bytes([0, 0, 0, *(chance.randrange(6) for _ in range(chance.randrange(40)))])
            if kind == 2:
                return chance.choice((b"-5", b"77", b"99999999999999999999999", b" +", b"\\xff" * 4))
            return bytes(chance.randrange(256) for _ in range(chance.choice((0, 1, 3, 8, 16, 40))))
        seen = none = 0
        for turn in range(3000):
            count = chance.randrange(1, 5)
            zsock.send(left, "b" * count, *[noise() for _ in range(count)])
            if turn % 2:
                picture = "".join(chance.choice("i1248usbcfhlUpmz") for _ in range(chance.randrange(5)))
                got = zsock.recv(right, picture)
                named = picture.replace("z", "")
            else:
                named = picture = "".join(chance.choice("1248sScufp") for _ in range(chance.randrange(5)))
                got = zsock.brecv(right, picture)
                zsock.flush(right)
            assert not zsock.rcvmore(right)
            if got is None:
                none += 1
                continue
            seen += 1
            assert len(got) == len(named)
            for letter, value in zip(named, got):
                if value is not None and letter in "fm":
                    (zframe if letter == "f" else zmsg).destroy(value)
        zsock.set_rcvtimeo(right, 0)
        assert zsock.recv(right, "s") is None
        print(seen > 500 and none > 300)
        """
    )
    assert output == "True\n"


def test_nothing_leaks() -> None:
    """Values that were received and dropped, whole or not, are freed."""
    output = children.check(
        """
        import gc, resource
        from pyczmq import zframe, zmsg, zsock
        left, right = zsock.new_pair("@inproc://leak"), zsock.new_pair(">inproc://leak")
        zsock.set_rcvtimeo(right, 5000)
        big = bytes(100_000)
        def turn():
            zsock.send(left, "bbb", big, big, b"x")
            assert zsock.recv(right, "ffU") is None
            zsock.send(left, "bbb", big, big, big)
            for value in zsock.recv(right, "cb"):
                pass
            zsock.send(left, "hl", {"x": "y" * 100_000}, ["z" * 100_000])
            zsock.recv(right, "hl")
            zsock.send(left, "bb", b"", big)
            assert zsock.brecv(right, "ff") is None
            zsock.send(left, "bbb", big, big, big)
            frame, message = zsock.recv(right, "fm")
            zframe.destroy(frame)
            zmsg.destroy(message)
            zsock.bsend(left, "Ss", "x" * 100_000, "y")
            assert zsock.brecv(right, "c8") is None
        def peak():
            gc.collect()
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        def turns(count):
            for number in range(count):
                turn()
                if number % 4 == 0:
                    gc.collect()
        turns(30)
        before = peak()
        turns(120)
        print(peak() - before)
        """
    )
    # What leaks is 120 times 100 kB at least.
    assert int(output) < 9_000, output


# ---------------------------------------------------------------- blocking, interrupts and whole messages


def test_timeouts(pair: Any) -> None:
    """Where nothing comes, or nothing goes, within the socket's own time, that is None or -1 with EAGAIN."""
    _, right = pair
    zsock.set_rcvtimeo(right, 50)
    for receive, picture in ((zsock.recv, "s"), (zsock.recv, "f"), (zsock.brecv, "s")):
        start = time.monotonic()
        assert receive(right, picture) is None
        assert zmq.errno() == errno.EAGAIN
        assert 0.04 < time.monotonic() - start < 2
    assert zsock.wait(right) == -1
    push = zsock.new_push()
    zsock.set_sndtimeo(push, 30)
    for picture, args in (("s", "x"), ("sss", "xyz"), ("", "")):
        assert zsock.send(push, picture, *args) == (0 if not picture else -1)
        if picture:
            assert zmq.errno() == errno.EAGAIN
    assert zsock.bsend(push, "1m", 1, None) == -1
    assert zsock.signal(push, 1) == -1


def test_message_that_would_have_to_wait_is_sent_whole_or_not_at_all() -> None:
    """At the high-water mark messages of several frames are refused whole; those that were sent come whole."""
    endpoint = name()
    push, pull = zsock.new(zmq.PUSH), zsock.new(zmq.PULL)
    zsock.set_sndhwm(push, 3)
    zsock.set_rcvhwm(pull, 3)
    zsock.bind(pull, endpoint)
    zsock.connect(push, endpoint)
    zsock.set_sndtimeo(push, 0)
    sent = 0
    while zsock.send(push, "iii", sent, sent, sent) == 0:
        sent += 1
        assert sent < 100
    assert sent >= 3
    assert zsock.recv(pull, "iii") == (0, 0, 0)
    zsock.set_sndtimeo(push, 5000)
    for number in range(1, sent):
        assert zsock.recv(pull, "iii") == (number,) * 3
    assert zsock.send(push, "iii", 7, 7, 7) == 0
    assert zsock.recv(pull, "iii") == (7, 7, 7)


def test_message_that_others_began(pair: Any) -> None:
    """What other functions have begun is ended by send, and what they have begun to receive by recv."""
    left, right = pair
    for picture, args in (("s", ["b"]), ("ss", ["b", "c"]), ("sss", ["b", "c", "d"])):
        assert zstr.sendm(left, "a") == 0
        assert zsock.send(left, picture, *args) == 0
        assert zstr.recv(right) == "a"
        assert zsock.recv(right, picture) == tuple(args)
        assert not zsock.rcvmore(right)
    assert zstr.sendm(left, "a") == 0
    assert zsock.bsend(left, "1m", 1, None) == 0
    assert zsock.recv(right, "sbbs") == ("a", b"\1", b"", None)


def test_send_to_a_router_that_must_route() -> None:
    """A message to nobody is -1 with the errno that says so, and the socket goes on."""
    router = zsock.new_router(f"@{name()}")
    zsock.set_router_mandatory(router, 1)
    assert zsock.send(router, "ss", "nobody", "x") == -1
    assert zmq.errno() == errno.EHOSTUNREACH
    dealer = zsock.new(zmq.DEALER)
    zsock.set_identity(dealer, "me")
    zsock.connect(dealer, zsock.endpoint(router))
    zsock.set_rcvtimeo(router, 5000)
    zsock.set_rcvtimeo(dealer, 5000)
    zsock.send(dealer, "s", "hello")
    assert zsock.recv(router, "ss") == ("me", "hello")
    assert zsock.send(router, "ss", "me", "x") == 0
    assert zsock.recv(dealer, "s") == ("x",)


def test_topics_that_would_crash_an_xsub() -> None:
    """A frame by which an XSUB would subscribe to too long a topic is refused, wherever in the message it is."""
    xsub = zsock.new_xsub(f"@{name()}")
    for picture, args in (("b", [b"\1" + b"x" * 20_000]), ("sb", ["x", b"\1" + b"x" * 20_000])):
        with pytest.raises(ValueError, match="no subscription of more than"):
            zsock.send(xsub, picture, *args)


INTERRUPTED = """
import gc, signal
from pyczmq import zsock
left, right = zsock.new_pair("@inproc://interrupted"), zsock.new_pair(">inproc://interrupted")
zsock.set_unbounded(left)
zsock.set_unbounded(right)

class Interrupt(Exception):
    pass

def handler(*_):
    global armed
    if armed:
        armed = False
        raise Interrupt

armed = False
# What is imported at first use is imported now.
zsock.send(left, "ssi", "a", "b", 1)
zsock.recv(right, "ssi")
# What a weak reference's callback raises on PyPy, whenever that is, is printed and no more.
gc.collect()
gc.disable()
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0007, 0.0007)
interrupts = 0
for number in range(%d):
    try:
        armed = True
        %s
        armed = False
    except Interrupt:
        armed = False
        interrupts += 1
    %s
signal.setitimer(signal.ITIMER_REAL, 0)
%s
print(interrupts > 3 or interrupts)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no interval timers here")
def test_interrupts_do_not_cut_a_message_that_is_sent() -> None:
    """Whatever a signal's handler raises, and whenever, a message has all of its frames or was not sent."""
    send = 'zsock.send(left, "sssii", "a", "b", "c", number, -number)'
    check = """
zsock.set_rcvtimeo(right, 0)
last = -1
while True:
    got = zsock.recv(right, "sssiis")
    if got is None:
        break
    assert got[:3] == ("a", "b", "c") and got[5] is None and got[3] == -got[4] > last, got
    last = got[3]
assert last > 0
"""
    assert children.check(INTERRUPTED % (8_000, send, "pass", check)) == "True\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no interval timers here")
def test_interrupts_do_not_cut_a_message_that_is_received() -> None:
    """Whatever a signal's handler raises, and whenever, the next receive begins with a message's first frame."""
    receive = 'got = zsock.recv(right, "ssi")'
    after = """
    else:
        assert got[:2] == ("a", "b") and got[2] <= number, got
    """
    program = INTERRUPTED % (8_000, receive, after, "")
    program = program.replace("    try:\n", '    zsock.send(left, "ssi", "a", "b", number)\n    try:\n')
    assert children.check(program) == "True\n"


def test_ctrl_c_ends_each_wait() -> None:
    """Ctrl-C comes out as KeyboardInterrupt at once; another signal's handler runs, and the wait goes on."""
    children.check(
        """
        import signal, threading, time, os
        from pyczmq import zmq, zsock
        calls = []
        signal.signal(signal.SIGALRM, lambda *_: calls.append(1))
        full, pull = zsock.new(zmq.PUSH), zsock.new(zmq.PULL)
        def block(call, expected):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            start = time.monotonic()
            timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            try:
                call()
            except KeyboardInterrupt:
                pass
            else:
                raise SystemExit("no interrupt")
            timer.join()
            assert 0.08 < time.monotonic() - start < 1, time.monotonic() - start
            assert calls.pop() == 1 and not calls
        for call in (
            lambda: zsock.recv(pull, "s"),
            lambda: zsock.recv(pull, "m"),
            lambda: zsock.brecv(pull, "s"),
            lambda: zsock.wait(pull),
            lambda: zsock.send(full, "s", "x"),
            lambda: zsock.send(full, "ss", "x", "x"),
            lambda: zsock.bsend(full, "1", 1),
            lambda: zsock.signal(full),
        ):
            block(call, None)
        zsock.set_rcvtimeo(pull, 150)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        start = time.monotonic()
        assert zsock.recv(pull, "s") is None
        assert 0.14 < time.monotonic() - start < 1
        """
    )


# ---------------------------------------------------------------- signals and the small ones


def test_signals(pair: Any) -> None:
    """A signal's status goes from 0 to 255, both ways with C; wait drops other messages, recv drops signals."""
    left, right = pair
    for status in (0, 1, 123, 255):
        assert zsock.signal(left, status) == 0
        assert zsock.wait(right) == status
        assert C.zsock_signal(left, status) == 0
        assert zsock.wait(right) == status
        zsock.signal(left, status)
        assert C.zsock_wait(right) == status
    assert zsock.signal(left) == 0
    zsock.send(left, "s", "no signal")
    zsock.send(left, "bb", struct.pack("=q", 0x7766554433221100), b"")
    zsock.signal(left, 7)
    assert [zsock.wait(right), zsock.wait(right)] == [0, 7]
    for picture in ("s", "i", "b", "f", "m", ""):
        zsock.signal(left, 1)
        assert zsock.recv(right, picture) is None
        assert zmq.errno() == errno.EBADMSG
    zsock.signal(left, 1)
    assert zsock.brecv(right, "8") is not None
    for wrong in (-1, 256, 10**10):
        with pytest.raises(ValueError, match="status must be from 0 to 255"):
            zsock.signal(left, wrong)
    with pytest.raises(TypeError, match="status must be an int"):
        zsock.signal(left, "0")


def test_set_unbounded() -> None:
    """An unbounded socket has no high-water marks."""
    sock = zsock.new(zmq.PUSH)
    assert (zsock.sndhwm(sock), zsock.rcvhwm(sock)) == (1000, 1000)
    zsock.set_unbounded(sock)
    assert (zsock.sndhwm(sock), zsock.rcvhwm(sock)) == (0, 0)


def test_is() -> None:
    """Anything may be asked about; only a zsock that is alive is one."""
    sock = zsock.new(zmq.PAIR)
    assert zsock.is_(sock)
    assert zsock.is_(ffi.cast("void *", sock))
    raw = C.zsock_new(zmq.PAIR)
    assert zsock.is_(raw)
    zsock.destroy(raw)
    frame = zframe.new("x")
    ctx = zctx.new()
    others = [None, 5, "x", b"x", [], object(), raw, ffi.NULL, frame, zcert.new(), ctx, zsocket.new(ctx, zmq.PAIR)]
    others += [
        ffi.cast("zsock_t *", 0),
        ffi.cast("void *", 1),
        ffi.cast("int", 5),
        ffi.new("int *"),
        ffi.new("char[4]"),
    ]
    others += [zsock.resolve(sock)]
    assert [other for other in others if zsock.is_(other)] == []
    zsock.destroy(sock)
    assert not zsock.is_(sock)
    zframe.destroy(frame)


def test_resolve() -> None:
    """The libzmq socket behind a zsock is one handle, which keeps the zsock and dies with it."""
    endpoint = name()
    sock = zsock.new_pair(f"@{endpoint}")
    handle = zsock.resolve(sock)
    assert zsock.resolve(sock) is handle
    assert zsock.resolve(handle) is handle
    assert handle == C.zsock_resolve(sock)
    peer = zsock.new_pair(f">{endpoint}")
    zmq.send(handle, b"x", 0)
    assert zsock.recv(peer, "s") == ("x",)
    # The handle alone keeps the zsock.
    del sock
    collect()
    assert zsock.send(handle, "s", "still") == 0
    assert zsock.recv(peer, "s") == ("still",)
    only = zsock.resolve(peer)
    zsock.destroy(peer)
    with pytest.raises(ValueError, match="sock was closed with its zsock"):
        zsock.recv(only, "s")
    with pytest.raises(ValueError, match="socket was closed with its zsock"):
        zsocket.destroy(zctx.new(), only)
    frame = zframe.new("x")
    for wrong in (None, 5, "x", ffi.new("int *"), frame):
        with pytest.raises(TypeError, match="sock must be a zsocket, zsock or zactor handle"):
            zsock.resolve(wrong)
    zframe.destroy(frame)


# ---------------------------------------------------------------- misuse

#: What each function takes beside its socket; those of a zsock_t * alone are in ONLY_ZSOCKS.
CALLS: dict[str, tuple[Any, ...]] = {
    "bind": ("inproc://x",),
    "endpoint": (),
    "unbind": ("inproc://x",),
    "connect": ("inproc://x",),
    "disconnect": ("inproc://x",),
    "attach": (None,),
    "type_str": (),
    "send": ("s", "x"),
    "vsend": ("s", ["x"]),
    "recv": ("s",),
    "vrecv": ("s",),
    "bsend": ("1", 1),
    "brecv": ("1",),
    "set_unbounded": (),
    "signal": (1,),
    "wait": (),
    "flush": (),
    "resolve": (),
    "linger": (),
    "set_linger": (0,),
    "identity": (),
    "set_identity": ("x",),
    "set_routing_id": (1,),
    "routing_id": (),
    "join": ("x",),
    "leave": ("x",),
    "has_in": (),
}
ONLY_ZSOCKS = {
    "bind",
    "endpoint",
    "unbind",
    "connect",
    "disconnect",
    "attach",
    "type_str",
    "routing_id",
    "set_routing_id",
}


@pytest.mark.parametrize("function", CALLS)
def test_misuse(function: str) -> None:
    """A socket that is destroyed, NULL or something else is refused, with the argument's name, by each function."""
    call, args = getattr(zsock, function), CALLS[function]
    raw = f"zsock_{function}"
    if raw in _declarations.functions() and function not in _zsockopt_table.functions("zsock") and not hasattr(C, raw):
        with pytest.raises(AttributeError, match=f"{raw} is not in this library"):
            call(zsock.new(zmq.PAIR), *args)
        return
    gone = zsock.new(zmq.PAIR)
    zsock.destroy(gone)
    with pytest.raises(ValueError, match=r"^sock was destroyed"):
        call(gone, *args)
    with pytest.raises(ValueError, match=r"^sock is NULL"):
        call(ffi.cast("zsock_t *", 0), *args)
    frame = zframe.new("x")
    for wrong in (None, 5, "x", b"x", [], frame, ffi.new("int *"), ffi.cast("int", 1), zctx.new()):
        with pytest.raises(TypeError, match=r"^sock must be a .*zsock"):
            call(wrong, *args)
    zframe.destroy(frame)
    if function in ONLY_ZSOCKS:
        with pytest.raises(TypeError, match=r"^sock must be a .*zsock"):
            call(zsocket.new(zctx.new(), zmq.PAIR), *args)


def test_every_function_is_tested_for_misuse() -> None:
    """The list above has all functions that take a socket, except the options, of which it has some."""
    declared = {name[6:] for name in _declarations.functions() if name.startswith("zsock_")}
    others = {name for name in declared if name.startswith("new")} | {"destroy", "destroy_checked", "is", "test"}
    assert declared - others - set(_zsockopt_table.functions("zsock")) - {"option_test"} <= set(CALLS)


def test_sockets_of_other_classes() -> None:
    """The functions for any kind of socket take a zsocket as well, with the same messages."""
    ctx = zctx.new()
    left, right = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(left, "inproc://zsock.others")
    zsocket.connect(right, "inproc://zsock.others")
    assert zsock.send(left, "si", "x", 1) == 0
    assert zsock.recv(right, "si") == ("x", 1)
    assert zsock.bsend(left, "s4", "x", 1) == 0
    assert zsock.brecv(right, "s4") == ("x", 1)
    assert zsock.signal(left, 3) == 0
    assert zsock.wait(right) == 3
    zsock.set_linger(left, 5)
    assert zsock.linger(left) == 5
    zctx.destroy(ctx)
    with pytest.raises(ValueError, match="sock was closed with its context"):
        zsock.send(left, "s", "x")


def test_actors() -> None:
    """An actor is a socket, too: it gets commands by pictures, answers with signals, and has a libzmq socket."""
    actor = C.zactor_new(C.zproxy, ffi.NULL)
    frontend, backend = name(), name()
    for end, kind, endpoint in (("FRONTEND", "PULL", frontend), ("BACKEND", "PUSH", backend)):
        assert zsock.send(actor, "sss", end, kind, endpoint) == 0
        assert zsock.wait(actor) == 0
    push, pull = zsock.new_push(f">{frontend}"), zsock.new_pull(f">{backend}")
    zsock.set_rcvtimeo(pull, 5000)
    zsock.bsend(push, "s8", "through", 2**63)
    assert zsock.brecv(pull, "s8") == ("through", 2**63)
    handle = zsock.resolve(actor)
    assert zsock.resolve(actor) is handle
    assert zsock.type(handle) == zsock.type(actor) == zmq.PAIR
    with pytest.raises(TypeError, match="sock must be a struct _zsock_t"):
        zsock.bind(actor, name())
    C.zactor_destroy(ffi.new("zactor_t **", actor))


def test_zsocks_elsewhere(pair: Any) -> None:
    """Other namespaces take zsocks: text, frames, messages, polling, loops, certificates."""
    left, right = pair
    zstr.send(left, "text")
    assert zstr.recv(right) == "text"
    zframe.send(zframe.new("frame"), left)
    assert taken(zframe.recv(right)) == b"frame"
    message = zmsg.new()
    zmsg.addstr(message, "message")
    zmsg.send(message, left)
    assert frames_of(zmsg.recv(right)) == [b"message"]
    poller = zpoller.new(right)
    assert zpoller.wait(poller, 0) is None
    assert not zsocket.poll(right, 0)
    zsock.send(left, "s", "polled")
    assert zpoller.wait(poller, 5000) is right
    assert zsocket.poll(right, 0)
    loop = zloop.new()
    got: list[Any] = []

    def reader(_loop: Any, sock: Any, *_: Any) -> int:
        got.append(zsock.recv(sock, "s"))
        return -1

    zloop.reader(loop, right, reader)
    zloop.start(loop)
    assert got == [("polled",)]
    if C.zmq_has(b"curve"):
        cert = zcert.new()
        zcert.apply(cert, left)
        assert zsock.curve_publickey(left) == zcert.public_txt(cert)
    assert zsocket.type_str(left) == zsock.type_str(left) == "PAIR"


# ---------------------------------------------------------------- lifetimes


def test_collected_socket_is_closed() -> None:
    """A zsock that nobody refers to any more is closed, and its endpoint is free again."""
    endpoint = name()
    sock = zsock.new_pair(f"@{endpoint}")
    assert zsock.new_pair(f"@{endpoint}") is None
    del sock
    for _ in range(200):
        collect()
        if zsock.new_pair(f"@{endpoint}") is not None:
            break
        time.sleep(0.01)
    else:
        pytest.fail("the endpoint was never freed")


def test_destroy_once() -> None:
    """destroy closes at once, lets None through, and refuses the second time; others are refused, too."""
    sock = zsock.new(zmq.PAIR)
    zsock.destroy(sock)
    with pytest.raises(ValueError, match="sock was destroyed"):
        zsock.destroy(sock)
    zsock.destroy(None)
    frame = zframe.new("x")
    for wrong in (5, "x", zsocket.new(zctx.new(), zmq.PAIR), frame):
        with pytest.raises(TypeError, match="sock must be a struct _zsock_t"):
            zsock.destroy(wrong)
    zframe.destroy(frame)
    with pytest.raises(ValueError, match="sock is NULL"):
        zsock.destroy(ffi.cast("zsock_t *", 0))
    raw = C.zsock_new(zmq.PAIR)
    zsock.destroy(raw)
    del sock, raw
    collect()


def test_sockets_come_and_go() -> None:
    """More sockets than there is room for at once are made, used and dropped, on PyPy too."""
    children.check(
        """
        from pyczmq import zmq, zsock, zsys
        zsys.set_max_sockets(50)
        for number in range(300):
            left, right = zsock.new_pair(f"@inproc://{number}"), zsock.new_pair(f">inproc://{number}")
            zsock.send(left, "i", number)
            assert zsock.recv(right, "i") == (number,)
        """
    )


def test_sockets_go_with_what_goes_later() -> None:
    """Room is made of sockets that PyPy frees only a few rounds of its garbage collector later, too."""
    children.check(
        """
        from pyczmq import Loop, zmq, zsock, zsys
        class Last:
            def __init__(self, what):
                self.what = what
            def __del__(self):
                pass
        zsys.set_max_sockets(50)
        for _ in range(20):
            link = Last(Last([zsock.new(zmq.PAIR) for _ in range(30)]))
            link.cycle = link
            del link
        def fail(loop, timer, argument):
            raise ZeroDivisionError
        for _ in range(60):
            loop = Loop()
            loop.timer(0, 1, fail, loop)
            try:
                loop.start()
            except ZeroDivisionError:
                continue
            raise SystemExit("it was not raised")
        """
    )


def test_exit_with_everything_open() -> None:
    """At exit nothing dangles and nothing hangs, whatever is open, lingers or was forgotten."""
    start = time.monotonic()
    output = children.check(
        """
        from pyczmq import zsock, zsys
        pull = zsock.new_pull("tcp://127.0.0.1:*")
        pushes = [zsock.new_push(zsock.endpoint(pull)) for _ in range(3)]
        lost = zsock.new_push("tcp://127.0.0.1:1")
        for sock in (*pushes, lost):
            zsock.set_linger(sock, -1)
            zsock.send(sock, "s", "on its way")
        handle = zsock.resolve(pushes[0])
        cycle = [zsock.new_pub("inproc://x")]
        cycle.append(cycle)
        print(zsock.recv(pull, "s"))
        """
    )
    assert output == "('on its way',)\n"
    assert time.monotonic() - start < 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_children_make_their_own() -> None:
    """A forked child refuses its parent's zsocks and makes its own; the parent's go on."""
    output = children.check(
        """
        import gc, os, sys
        from pyczmq import zsock
        left, right = zsock.new_pair("@inproc://fork"), zsock.new_pair(">inproc://fork")
        handle = zsock.resolve(left)
        child = os.fork()
        if not child:
            for sock in (left, right, handle):
                try:
                    zsock.send(sock, "s", "stolen")
                except ValueError as error:
                    assert "belongs to the parent process" in str(error) or "closed with" in str(error), error
                else:
                    os._exit(1)
            assert not zsock.is_(left)
            del left, right, handle, sock
            gc.collect()
            a, b = zsock.new_pair("@inproc://fork"), zsock.new_pair(">inproc://fork")
            assert zsock.send(a, "s", "child") == 0
            assert zsock.recv(b, "s") == ("child",)
            sys.exit(0)
        print(os.waitpid(child, 0)[1])
        zsock.send(left, "s", "parent")
        print(zsock.recv(right, "s"))
        """
    )
    assert output == "0\n('parent',)\n"


# ---------------------------------------------------------------- options


def test_options_are_those_of_the_header() -> None:
    """Each option function that zsock.h declares is there, and no other; dir lists them."""
    declared = {name[6:] for name in _declarations.functions() if name.startswith("zsock_")}
    names = set(_zsockopt_table.functions("zsock"))
    assert len(names) > 170
    assert names <= declared
    assert names <= set(dir(zsock))
    for absent in ("connect_routing_id", "set_busy_poll", "norm_mode", "delay_attach_on_connect", "frobnicate"):
        with pytest.raises(AttributeError, match=f"pyczmq.zsock has no '{absent}'"):
            getattr(zsock, absent)


def test_options() -> None:
    """Options are set and read as with zsocket; a value that libzmq refuses is a ValueError, where C aborts."""
    sock = zsock.new(zmq.DEALER)
    zsock.set_rcvhwm(sock, 77)
    zsock.set_identity(sock, b"me\0\xff")
    zsock.set_ipv6(sock, 1)
    assert (zsock.rcvhwm(sock), zsock.identity(sock), zsock.ipv6(sock)) == (77, "me\0\udcff", True)
    zsock.set_hwm(sock, 5)
    assert (zsock.sndhwm(sock), zsock.rcvhwm(sock), zsock.hwm(sock)) == (5, 5, 5)
    assert zsock.type(sock) == zmq.DEALER
    assert zsock.fd(sock) >= 0
    for setter, value in (("rcvhwm", -1), ("identity", ""), ("ipv6", 7), ("linger", -5), ("plain_username", "")):
        with pytest.raises(ValueError, match=f"option {setter}: "):
            getattr(zsock, f"set_{setter}")(sock, value)
    assert "identity" in zsock.routing_id.__doc__
    assert "Another name" not in zsock.identity.__doc__


# ---------------------------------------------------------------- drafts and self-tests


@pytest.mark.parametrize("kind", ["server", "client", "radio", "dish", "gather", "scatter", "dgram"])
def test_draft_constructors_without_drafts(kind: str) -> None:
    """A library without drafts has no such function, and the error says so when it is called."""
    if hasattr(C, f"zsock_new_{kind}"):
        pytest.skip("this libczmq is built with drafts")
    with pytest.raises(AttributeError, match=f"zsock_new_{kind} is not in this library"):
        getattr(zsock, f"new_{kind}")("inproc://x")
    if kind != "dgram":
        with pytest.raises(AttributeError, match=f"zsock_new_{kind}_checked is not in this library"):
            getattr(zsock, f"new_{kind}_checked")("inproc://x", "x.c", 1)


@DRAFTS
def test_server_answers_its_client() -> None:
    """A SERVER remembers whom it received from, by whatever function, and answers that one."""
    endpoint = name()
    server = zsock.new_server(endpoint)
    clients = [zsock.new_client(endpoint) for _ in range(2)]
    for sock in (server, *clients):
        zsock.set_rcvtimeo(sock, 5000)
    assert zsock.send(server, "s", "nobody") == -1
    ids = set()
    for number, client in enumerate(clients):
        assert zsock.send(client, "i", number) == 0
        assert zsock.recv(server, "i") == (number,)
        ids.add(zsock.routing_id(server))
        assert zsock.send(server, "s", f"answer {number}") == 0
        assert zsock.recv(client, "s") == (f"answer {number}",)
        assert zsock.bsend(client, "4s", number, "packed") == 0
        zsock.set_routing_id(server, 0)
        assert zsock.brecv(server, "4s") == (number, "packed")
        assert zsock.bsend(server, "1", 7) == 0
        assert zsock.brecv(client, "1") == (7,)
        assert zsock.send(client, "s", "frame") == 0
        zsock.set_routing_id(server, 0)
        (frame,) = zsock.recv(server, "f")
        assert zframe.routing_id(frame) == zsock.routing_id(server) in ids
        zframe.destroy(frame)
        assert zsock.send(client, "s", "message") == 0
        (message,) = zsock.recv(server, "m")
        assert zmsg.routing_id(message) == zsock.routing_id(server)
        assert zmsg.send(message, server) == 0
        assert zsock.recv(client, "s") == ("message",)
        assert zsock.signal(server, 9) == 0
        assert zsock.wait(client) == 9
    assert len(ids) == 2
    assert zsock.send(server, "") == 0
    # Neither side can send messages of several frames.
    assert zsock.send(server, "ss", "a", "b") == zsock.send(clients[0], "ss", "a", "b") == -1
    assert zmq.errno() == errno.EINVAL
    for wrong in (-1, 2**32):
        with pytest.raises(ValueError, match="routing_id must be from 0"):
            zsock.set_routing_id(server, wrong)


@DRAFTS
def test_other_draft_sockets() -> None:
    """RADIO and DISH, GATHER and SCATTER, and DGRAM, which must be bound."""
    endpoint = name()
    radio, dish = zsock.new_radio(endpoint), zsock.new_dish(endpoint)
    zsock.set_rcvtimeo(dish, 5000)
    assert [zsock.join(dish, "g"), zsock.join(dish, "g"), zsock.join(dish, "x" * 300)] == [0, -1, -1]
    assert [zsock.leave(dish, "other"), zsock.join(radio, "g")] == [-1, -1]
    frame = zframe.new("on air")
    zframe.set_group(frame, "g")
    zframe.send(frame, radio)
    assert zsock.recv(dish, "s") == ("on air",)
    assert zsock.leave(dish, "g") == 0
    endpoint = name()
    gather, scatter = zsock.new_gather(endpoint), zsock.new_scatter(endpoint)
    zsock.set_rcvtimeo(gather, 5000)
    assert not zsock.has_in(gather)
    assert zsock.send(scatter, "s", "x") == 0
    assert zsock.has_in(gather)
    assert zsock.recv(gather, "s") == ("x",)
    for unbound in (None, "", ",", "inproc://x", ">udp://127.0.0.1:5"):
        with pytest.raises(ValueError, match="libzmq aborts when it sends unbound"):
            zsock.new_dgram(unbound)
    dgram = zsock.new_dgram("udp://127.0.0.1:*")
    assert zsock.type_str(dgram) == "DGRAM"
    with pytest.raises(ValueError, match="libzmq aborts"):
        zsock.unbind(dgram, zsock.endpoint(dgram))
    zsock.send(dgram, "ss", "127.0.0.1:9", "x")


@DRAFTS
def test_draft_checked_constructors() -> None:
    """The draft constructors with a place in a source file make the same sockets."""
    for kind in ("server", "client", "radio", "dish", "gather", "scatter"):
        assert zsock.type_str(getattr(zsock, f"new_{kind}_checked")(None, "x.c", 1)) == kind.upper()
    assert zsock.type_str(zsock.new_dgram_checked("udp://127.0.0.1:*", "x.c", 1)) == "DGRAM"


def test_self_tests() -> None:
    """CZMQ's own tests of the class and of the options pass."""
    zsock.option_test()
    zsock.test()


def test_zsys_settings_reach_new_sockets() -> None:
    """What zsys sets for new sockets is what they have."""
    children.check(
        """
        from pyczmq import zmq, zsock, zsys
        zsys.set_linger(123)
        zsys.set_sndhwm(45)
        sock = zsock.new(zmq.PUSH)
        assert (zsock.linger(sock), zsock.sndhwm(sock)) == (123, 45)
        """
    )
