"""zosc: messages of Open Sound Control. Only libraries built with drafts have the class."""

from __future__ import annotations

import gc
import inspect
import math
import random
from typing import Any

import children
import pytest
from common import example

from pyczmq import C, ffi, zframe, zmsg
from pyczmq import zosc as typed

#: With no types: much of what it is given here is of the wrong one.
zosc: Any = typed

DRAFTS = hasattr(C, "zosc_new")
draft = pytest.mark.skipif(not DRAFTS, reason="this libczmq has no drafts")

PACKET = b"/sample/address\0,iTfs\0\0\0\0\0\0\1\x40\x48\xf5\xc3hello\0\0\0"
OTHER = (
    b"/test\0\0\0,ihTfds\0\0\0\0\2\0\0\1\xad\x7f\x29\xab\xca\x40\x48\xf5\xc3\x40\x09\x21\xfb\x54\x44\x2d\x18hello\0\0\0"
)

#: Every function that takes a message, with what does for the rest.
CALLS: dict[str, tuple[Any, ...]] = {
    "destroy": (),
    "size": (),
    "data": (),
    "address": (),
    "format": (),
    "append": ("i", 1),
    "retr": (),
    "dup": (),
    "pack": (),
    "packx": (),
    "print": (),
    "first": (),
    "next": (),
    "last": (),
    "pop_int32": (),
    "pop_int64": (),
    "pop_float": (),
    "pop_double": (),
    "pop_string": (),
    "pop_char": (),
    "pop_bool": (),
    "pop_midi": (),
}
POPS = {
    "i": zosc.pop_int32,
    "h": zosc.pop_int64,
    "f": zosc.pop_float,
    "d": zosc.pop_double,
    "s": zosc.pop_string,
    "c": zosc.pop_char,
    "T": zosc.pop_bool,
    "F": zosc.pop_bool,
    "m": zosc.pop_midi,
}


@pytest.mark.skipif(DRAFTS, reason="this libczmq has drafts")
def test_class_that_is_not_there() -> None:
    """The class imports, documents itself, and says when it is used that the library lacks it."""
    assert "Only libraries built with drafts" in (zosc.__doc__ or "")
    assert all(inspect.getdoc(getattr(zosc, name)) for name in CALLS)
    frame = zframe.new(PACKET)
    for name, arguments in {
        "new": ("/a",),
        "create": ("/a", "i", 1),
        "frommem": (PACKET,),
        "fromframe": (frame,),
        "test": (),
    }.items():
        with pytest.raises(AttributeError, match=r"zosc_\w+ is not in this library: libczmq"):
            getattr(zosc, name)(*arguments)
    zframe.destroy(frame)


@draft
def test_example_of_the_class() -> None:
    """What CZMQ's self-test shows: reading, making, walking, adding."""
    message = zosc.frommem(PACKET)
    assert message is not None and zosc.is_(message)
    assert (zosc.address(message), zosc.format(message)) == ("/sample/address", "iTfs")
    assert zosc.retr(message, "iTfs") == (1, True, pytest.approx(3.14), "hello")
    assert zosc.data(message) == PACKET and zosc.size(message) == len(PACKET) == 40

    message = zosc.fromframe(zframe.new(OTHER))
    assert message is not None
    copy = zosc.dup(message)
    assert copy is not None
    assert (zosc.address(copy), zosc.format(copy)) == ("/test", "ihTfds")
    assert zosc.retr(copy) == (2, 1844674407370, True, pytest.approx(3.14), math.pi, "hello")
    assert zosc.dup(None) is None

    made = zosc.create("/construct", "iihfdscF", -2, 2, 3, 3.14, 6.283185307179586, "greetings", "q")
    assert zosc.address(made) == "/construct"
    values = (-2, 2, 3, pytest.approx(3.14), 6.283185307179586, "greetings", "q", False)
    assert zosc.retr(made) == values
    item = zosc.first(made)
    number = 0
    while item is not None:
        assert item[1] == values[number]
        for tag, pop in POPS.items():
            if tag == item[0]:
                assert pop(made) == item[1]
            elif {tag, item[0]} != {"T", "F"}:
                assert pop(made) is None
        number += 1
        item = zosc.next(made)
    assert number == 8
    assert zosc.append(made, "ih", -200, -80000) == 0
    assert zosc.retr(made, "iihfdscFih") == (*values, -200, -80000)


@draft
def test_example_of_the_docstring() -> None:
    """The example in the module's docstring says what happens."""
    names: dict[str, Any] = {"zosc": zosc}
    # Before it there is a table.
    exec(example((zosc.__doc__ or "").partition("this class.")[2]), names)


@draft
def test_c_reads_what_is_made_here() -> None:
    """C's own functions read the values of a message that was made here, MIDI packets too."""
    message = zosc.create("/a", "ihfdscm", -1, 2**40, 0.5, 0.25, "text", "x", 0x01020304)
    i, h, f, d = ffi.new("int *"), ffi.new("int64_t *"), ffi.new("float *"), ffi.new("double *")
    s, c, m = ffi.new("char **"), ffi.new("char *"), ffi.new("uint32_t *")
    assert C.zosc_retr(message, b"ihfdscm", i, h, f, d, s, c, m) == 0
    assert (i[0], h[0], f[0], d[0], ffi.string(s[0]), c[0], m[0]) == (-1, 2**40, 0.5, 0.25, b"text", b"x", 0x01020304)
    C.zstr_free(s)
    assert zosc.data(message)[-4:] == b"\1\2\3\4"


@draft
def test_all_types_both_ways() -> None:
    """The extremes of each type, and the constants, come out as they went in, at once and one by one."""
    cases: list[tuple[str, Any]] = [
        *(("i", value) for value in (-(2**31), 0, 2**31 - 1)),
        *(("h", value) for value in (-(2**63), 0, 2**63 - 1)),
        *(("m", value) for value in (0, 0x90403020, 2**32 - 1)),
        *((tag, value) for tag in "fd" for value in (0.0, -1.5, math.inf, 2)),
        *(("s", value) for value in ("", "a", "abc", "abcd", "ä€😀", "100%s %n", "x" * 2**20)),
        *(("c", value) for value in ("x", "\0", "\udcff")),
        ("T", True),
        ("F", False),
        ("N", None),
        ("I", math.inf),
    ]
    for tag, value in cases:
        values = () if tag in "TFNI" else (value,)
        message = zosc.create("/", tag, *values)
        assert zosc.retr(message) == (value,)
        assert zosc.first(message) == zosc.last(message) == (tag, value)
        again = zosc.frommem(zosc.data(message))
        assert again is not None and zosc.retr(again) == (value,)
        if len(zosc.data(message)) < 400:
            zosc.append(message, "s" + tag + "i", "between", *values, 7)
            assert zosc.retr(message) == (value, "between", value, 7)


@draft
def test_new_message_is_empty() -> None:
    """A new message has an address and no values, until something is appended."""
    message = zosc.new("/ä")
    assert (zosc.address(message), zosc.format(message), zosc.retr(message)) == ("/ä", "", ())
    assert zosc.first(message) is None and zosc.last(message) is None and zosc.next(message) is None
    assert not zosc.is_(message)
    assert zosc.append(message, "") == 0
    assert zosc.append(message, "s", b"\xff") == 0
    assert zosc.retr(message) == ("\udcff",)
    assert zosc.is_(message)
    assert zosc.data(zosc.create("/abc", "")) == b"/abc\0\0\0\0,\0\0\0"


@draft
def test_symbols_and_blobs_are_read() -> None:
    """What C cannot write can be read; a type that nobody knows ends what can be."""
    message = zosc.frommem(b"/a\0\0,Sbi\0\0\0\0abc\0\0\0\0\5\0\1\2\3\4\0\0\0\0\0\0\7")
    assert message is not None
    assert zosc.retr(message) == ("abc", b"\0\1\2\3\4", 7)
    strange = zosc.frommem(b"/a\0\0,ixi\0\0\0\0\0\0\0\1\0\0\0\2")
    assert strange is not None
    assert zosc.retr(strange, "i") == (1,)
    with pytest.raises(ValueError, match="osc has the type tag 'x', which is not known"):
        zosc.retr(strange)
    assert zosc.first(strange) == ("i", 1)
    with pytest.raises(ValueError, match="type tag 'x'"):
        zosc.next(strange)


@draft
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"/",
        b"/a",
        b"/a\0",
        b"/a\0\0",
        b"/a\0\0i\0\0\0",
        b"/a\0\0,",
        b"/a\0\0,i",
        b"/a\0\0,i\0",
        b"/a\0\0,i\0\0",
        b"/a\0\0,i\0\0\0\0\0",
        b"/a\0\0,h\0\0\0\0\0\0",
        b"/a\0\0,s\0\0abc",
        b"/a\0\0,b\0\0\0\0\0\5abcd",
        b"/a\0\0,b\0\0\xff\xff\xff\xff",
        b"/a\0\0,sss\0\0\0\0\0\0\0\0",
        b",\0",
        b"\0",
        b"\0" * 100,
        b"x" * 2**20,
    ],
)
def test_data_that_are_no_message(data: bytes) -> None:
    """C would read on behind the end, or abort; the frame stays whose it was."""
    assert zosc.frommem(data) is None
    for unpack in (zosc.fromframe, zosc.unpack):
        frame = zframe.new(data)
        assert unpack(frame) is None
        assert bytes(zframe.data(frame)) == data
        zframe.destroy(frame)


@draft
def test_random_data() -> None:
    """Whatever comes from the network is a message that can be read, or none."""
    rng = random.Random(7)
    found = 0
    for _ in range(3000):
        data = bytearray(rng.choice([PACKET, OTHER]))
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.choice(b"\0,/ihfdscmTFNIbSx\xff")
        message = zosc.frommem(data[: rng.randrange(len(data) + 1)])
        if message is not None:
            found += 1
            for call in (zosc.retr, zosc.last, zosc.dup, zosc.is_, zosc.packx):
                try:
                    result = call(message)
                except ValueError:
                    continue
                if call is zosc.packx:
                    zframe.destroy(result)
    assert found > 50


@draft
def test_formats_and_values_that_do_not_fit() -> None:
    """What C would take from the stack is what the format says, or nothing is done."""
    message = zosc.create("/a", "i", 1)
    for format, values, error, text in (
        ("i", (), TypeError, "takes 1 values, not 0"),
        ("", (1,), TypeError, "takes 0 values, not 1"),
        ("TF", (True, False), TypeError, "takes 0 values, not 2"),
        ("i", ("1",), TypeError, r"value 1 \(i\) must be an int"),
        ("ii", (1, 2**31), ValueError, r"value 2 \(i\) must be from"),
        ("h", (2**63,), ValueError, r"value 1 \(h\) must be from"),
        ("m", (-1,), ValueError, r"value 1 \(m\) must be from 0"),
        ("f", ("1.5",), TypeError, r"value 1 \(f\) must be a float"),
        ("d", (10**400,), TypeError, r"value 1 \(d\) must be a float"),
        ("s", (None,), TypeError, r"value 1 \(s\) must be str or bytes"),
        ("s", ("a\0",), ValueError, r"value 1 \(s\) must not contain a NUL byte"),
        ("c", ("ab",), ValueError, r"value 1 \(c\) must be one byte"),
        ("c", ("ä",), ValueError, r"value 1 \(c\) must be one byte"),
        ("b", (b"",), ValueError, "and has 'b'"),
        ("S", ("",), ValueError, "and has 'S'"),
        ("%s", ("",), ValueError, "and has '%'"),
        ("i\0", (1,), ValueError, "format must not contain a NUL byte"),
        (None, (), TypeError, "format must be str or bytes"),
        ("T" * 5001, (), ValueError, "room for 5000"),
    ):
        with pytest.raises(error, match=text):
            zosc.create("/a", format, *values)
        with pytest.raises(error, match=text):
            zosc.append(message, format, *values)
    assert zosc.retr(message) == (1,)
    for bad in (None, 1):
        with pytest.raises(TypeError, match="address must be str or bytes"):
            zosc.create(bad, "")
        with pytest.raises(TypeError, match="address must be str or bytes"):
            zosc.new(bad)
    with pytest.raises(ValueError, match="address must not contain a NUL byte"):
        zosc.new("/\0")


@draft
def test_many_values() -> None:
    """There may be thousands, but not so many that C's stack overflows; nor too many bytes."""
    message = zosc.create("/a", "i" * 4000, *range(4000))
    assert zosc.retr(message) == tuple(range(4000))
    zosc.append(message, "T" * 1000)
    with pytest.raises(ValueError, match="format is too long"):
        zosc.append(message, "T")
    with pytest.raises(ValueError, match="room for 67108864 bytes"):
        zosc.create("/a", "s", "x" * 2**26)


@draft
def test_retr_with_a_format() -> None:
    """A format must be how the message begins; T and F stand for either."""
    message = zosc.create("/a", "iTFs", 1, "x")
    assert zosc.retr(message, "") == ()
    assert zosc.retr(message, "iF") == (1, True)
    assert zosc.retr(message, b"iTTs") == (1, True, False, "x")
    for bad in ("h", "is", "iTFsi", "T", "ä"):
        with pytest.raises(ValueError, match="is not how the message's begins, which is 'iTFs'"):
            zosc.retr(message, bad)


@draft
def test_the_cursor() -> None:
    """Before the first and behind the last item there is none; it stays where it is when values are added."""
    message = zosc.create("/a", "is", 1, "x")
    assert all(pop(message) is None for pop in POPS.values())
    assert zosc.next(message) == ("i", 1)
    assert zosc.next(message) == ("s", "x")
    assert zosc.next(message) is None
    assert all(pop(message) is None for pop in POPS.values())
    assert zosc.next(message) is None
    zosc.append(message, "T")
    assert zosc.last(message) == ("T", True)
    assert zosc.first(message) == ("i", 1)
    assert zosc.pop_int32(message) == zosc.pop_int32(message) == 1


@draft
def test_frames() -> None:
    """A packed message is a frame's content; packx and unpack leave no message and no frame behind."""
    message = zosc.create("/a", "i", 1)
    data = zosc.data(message)
    frame = zosc.pack(message)
    assert bytes(zframe.data(frame)) == data
    other = zosc.packx(message)
    assert bytes(zframe.data(other)) == data
    with pytest.raises(ValueError, match="osc was packed"):
        zosc.retr(message)
    with pytest.raises(ValueError, match="osc was packed"):
        zosc.destroy(message)
    for each in (frame, other):
        again = zosc.unpack(each)
        assert again is not None and zosc.retr(again) == (1,)
        with pytest.raises(ValueError, match="frame was unpacked"):
            zframe.size(each)
    view = zframe.data(zosc.packx(zosc.create("/a", "s", "still here")))
    gc.collect()
    assert b"still here" in bytes(view)


@draft
def test_frame_with_a_view_is_unpacked() -> None:
    """A view of a frame outlives its being unpacked; a frame in a message is not."""
    frame = zframe.new(PACKET)
    view = zframe.data(frame)
    assert zosc.unpack(frame) is not None
    assert bytes(view) == PACKET
    message = zmsg.new()
    inner = zframe.new(PACKET)
    zmsg.append(message, inner)
    with pytest.raises(ValueError, match="frame is in a message"):
        zosc.unpack(inner)
    zmsg.destroy(message)
    for bad in (None, 1, ffi.NULL):
        with pytest.raises(TypeError, match="frame must be"):
            zosc.fromframe(bad)


@draft
def test_buffers() -> None:
    """Messages are read from any buffer."""
    for kind in (bytes, bytearray, memoryview):
        message = zosc.frommem(kind(PACKET))
        assert message is not None and zosc.data(message) == PACKET
    for bad in (None, 1, "text"):
        with pytest.raises(TypeError, match="data must be"):
            zosc.frommem(bad)
    with pytest.raises(ValueError, match="data must be a contiguous buffer"):
        zosc.frommem(memoryview(PACKET)[::2])


@draft
def test_print(capsys: pytest.CaptureFixture[str]) -> None:
    """A message is printed on a line."""
    zosc.print(zosc.create("/a/%s", "ifsTmN", 1, 0.5, "%n", 0xAB))
    assert capsys.readouterr().out == "/a/%s ifsTmN 1 0.500000 %n True 0x000000ab None\n"


@draft
def test_raw_messages_without_a_format() -> None:
    """A message of the raw zosc_new, over which C itself aborts, is refused."""
    raw = C.zosc_new(b"/a")
    assert not zosc.is_(raw)
    for name in ("address", "format", "retr", "dup", "first", "next", "last", "pop_int32", "print"):
        with pytest.raises(ValueError, match="osc has no sound message in it"):
            getattr(zosc, name)(raw)
    with pytest.raises(ValueError, match="osc has no sound message in it"):
        zosc.append(raw, "i", 1)
    zosc.destroy(raw)


@draft
@pytest.mark.parametrize("function", CALLS)
def test_handles_that_are_none(function: str) -> None:
    """Every function refuses what is no message, NULL, and one that was destroyed."""
    call, rest = getattr(zosc, function), CALLS[function]
    for bad in (1, "x", ffi.NULL, ffi.cast("zcert_t *", 0)):
        with pytest.raises(TypeError, match="osc must be a struct _zosc_t"):
            call(bad, *rest)
        assert not zosc.is_(bad)
    with pytest.raises(ValueError, match="osc is NULL"):
        call(ffi.cast("zosc_t *", 0), *rest)
    gone = zosc.new("/a")
    zosc.destroy(gone)
    assert not zosc.is_(gone)
    with pytest.raises(ValueError, match="osc was destroyed"):
        call(gone, *rest)
    zosc.destroy(None)


@draft
def test_c_test_passes() -> None:
    """CZMQ's own test of the class runs in a child."""
    zosc.test()


@draft
def test_nothing_leaks() -> None:
    """Messages, and the frames that they were packed into or came from, are freed once."""
    output = children.check(
        """
        import gc, resource
        from pyczmq import zframe, zosc
        text = "x" * 20000
        def round():
            for _ in range(300):
                message = zosc.new("/a")
                zosc.append(message, "s", text)
                copy = zosc.dup(message)
                other = zosc.unpack(zosc.pack(copy))
                zframe.destroy(zosc.packx(other))
                zosc.frommem(zosc.data(message))
                zosc.frommem(b"x" * 20000)
                zosc.destroy(copy)
            gc.collect(); gc.collect()
        round(); round()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(5):
            round()
        print("grown", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        """
    )
    assert int(output.rsplit("grown", 1)[1]) < 20_000
