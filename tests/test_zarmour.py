"""zarmour: binary data as text and back."""

from __future__ import annotations

import base64
import os
import random
import re
import sys
import time
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, _handles, ffi, zarmour

MODES = {
    "base64": zarmour.MODE_BASE64_STD,
    "base64url": zarmour.MODE_BASE64_URL,
    "base32": zarmour.MODE_BASE32_STD,
    "base32hex": zarmour.MODE_BASE32_HEX,
    "base16": zarmour.MODE_BASE16,
    "z85": zarmour.MODE_Z85,
}

#: The test vectors of RFC 4648, with padding.
VECTORS = {
    "base64": ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"],
    "base64url": ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"],
    "base32": ["", "MY======", "MZXQ====", "MZXW6===", "MZXW6YQ=", "MZXW6YTB", "MZXW6YTBOI======"],
    "base32hex": ["", "CO======", "CPNG====", "CPNMU===", "CPNMUOG=", "CPNMUOJ1", "CPNMUOJ1E8======"],
    "base16": ["", "66", "666F", "666F6F", "666F6F62", "666F6F6261", "666F6F626172"],
}

linux = pytest.mark.skipif(sys.platform != "linux", reason="how much memory a process has is looked up as on Linux")

CALLS: dict[str, Any] = {
    "destroy": zarmour.destroy,
    "encode": lambda armour: zarmour.encode(armour, b"x"),
    "decode": lambda armour: zarmour.decode(armour, "eA=="),
    "mode": zarmour.mode,
    "mode_str": zarmour.mode_str,
    "set_mode": lambda armour: zarmour.set_mode(armour, 0),
    "pad": zarmour.pad,
    "set_pad": lambda armour: zarmour.set_pad(armour, True),
    "pad_char": zarmour.pad_char,
    "set_pad_char": lambda armour: zarmour.set_pad_char(armour, "="),
    "line_breaks": zarmour.line_breaks,
    "set_line_breaks": lambda armour: zarmour.set_line_breaks(armour, True),
    "line_length": zarmour.line_length,
    "set_line_length": lambda armour: zarmour.set_line_length(armour, 1),
    "print": zarmour.print,
}


def make(mode: str) -> Any:
    armour = zarmour.new()
    zarmour.set_mode(armour, MODES[mode])
    return armour


def test_settings_as_in_the_selftest() -> None:
    """What an armour is set to at first, and that it can be changed."""
    armour = zarmour.new()
    assert zarmour.mode(armour) == zarmour.MODE_BASE64_STD
    zarmour.set_mode(armour, zarmour.MODE_BASE64_URL)
    assert zarmour.mode(armour) == zarmour.MODE_BASE64_URL
    assert zarmour.pad(armour)
    zarmour.set_pad(armour, False)
    assert not zarmour.pad(armour)
    assert zarmour.pad_char(armour) == "="
    zarmour.set_pad_char(armour, "!")
    assert zarmour.pad_char(armour) == "!"
    assert not zarmour.line_breaks(armour)
    zarmour.set_line_breaks(armour, True)
    assert zarmour.line_breaks(armour)
    assert zarmour.line_length(armour) == 72
    zarmour.set_line_length(armour, 64)
    assert zarmour.line_length(armour) == 64


@pytest.mark.parametrize("mode", VECTORS)
def test_vectors_of_rfc_4648(mode: str) -> None:
    """What CZMQ's own test shows: the RFC's vectors, with padding and without, both ways."""
    armour = make(mode)
    for size, text in enumerate(VECTORS[mode]):
        content = b"foobar"[:size]
        zarmour.set_pad(armour, True)
        assert zarmour.encode(armour, content) == text
        assert zarmour.decode(armour, text) == content
        zarmour.set_pad(armour, False)
        assert zarmour.encode(armour, content) == text.rstrip("=")
        assert zarmour.decode(armour, text.rstrip("=")) == content
        assert zarmour.decode(armour, text) == content


def test_vector_of_z85() -> None:
    """What CZMQ's own test and the RFC of Z85 show."""
    armour = make("z85")
    content = bytes([0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B])
    assert zarmour.encode(armour, content) == "HelloWorld"
    assert zarmour.decode(armour, "HelloWorld") == content
    assert (zarmour.encode(armour, b""), zarmour.decode(armour, "")) == ("", b"")


def test_czmqs_own_test_passes() -> None:
    zarmour.test()


def test_modes() -> None:
    """Each mode has a name, and the number that C gives it."""
    for name in MODES:
        assert zarmour.mode_str(make(name)) == name
    for name in ("BASE64_STD", "BASE64_URL", "BASE32_STD", "BASE32_HEX", "BASE16", "Z85"):
        assert getattr(zarmour, f"MODE_{name}") == getattr(C, f"ZARMOUR_MODE_{name}")


@pytest.mark.parametrize("mode", MODES)
def test_every_byte_and_size(mode: str) -> None:
    """Whatever is encoded is decoded to the same bytes, in pieces of all sizes, from no byte to a mebibyte."""
    armour = make(mode)
    content = bytes(range(256)) + os.urandom(300)
    step = 4 if mode == "z85" else 1
    for size in [*range(0, 70, step), 256, 556, 1 << 20]:
        piece = (content * (size // len(content) + 1))[:size]
        text = zarmour.encode(armour, piece)
        assert type(text) is str
        assert zarmour.decode(armour, text) == piece
        assert zarmour.decode(armour, text.encode()) == piece


def test_like_pythons_own() -> None:
    """The texts are those of Python's base64."""
    content = os.urandom(1000)
    for mode, function in {
        "base64": base64.b64encode,
        "base64url": base64.urlsafe_b64encode,
        "base32": base64.b32encode,
        "base16": base64.b16encode,
    }.items():
        assert zarmour.encode(make(mode), content) == function(content).decode()


@pytest.mark.parametrize("data", ["ä\udcff", b"\xc3\xa4\xff", bytearray(b"\xc3\xa4\xff"), memoryview(b"\xc3\xa4\xff")])
def test_kinds_of_data(data: Any) -> None:
    """Data is text, as UTF-8, or any buffer."""
    assert zarmour.encode(make("base16"), data) == "C3A4FF"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("length", [1, 2, 7, 72, 100, 2**63 - 1])
def test_lines(mode: str, length: int) -> None:
    """A long text is broken into lines of a length, with no line feed at the end; Z85 never is."""
    armour = make(mode)
    whole = zarmour.encode(armour, bytes(100))
    zarmour.set_line_breaks(armour, True)
    zarmour.set_line_length(armour, length)
    text = zarmour.encode(armour, bytes(100))
    lines = text.split("\n")
    assert "".join(lines) == whole
    if mode != "z85":
        assert all(len(line) == length for line in lines[:-1])
        assert 0 < len(lines[-1]) <= length
    else:
        assert len(lines) == 1
    assert zarmour.line_breaks(armour)
    assert zarmour.decode(armour, text) == bytes(100)
    zarmour.set_line_length(armour, 0)
    assert zarmour.encode(armour, bytes(100)) == whole


def test_lines_are_those_of_c() -> None:
    """C breaks a text at the same places, also where the last line is full."""
    armour = zarmour.new()
    zarmour.set_line_breaks(armour, True)
    for length in (1, 4, 5, 12, 72):
        zarmour.set_line_length(armour, length)
        for size in range(0, 40, 3):
            pointer = C.zarmour_encode(armour, bytes(size), size)
            assert zarmour.encode(armour, bytes(size)).encode() == ffi.string(pointer)
            C.zstr_free(ffi.new("char **", pointer))


def test_lines_take_no_time() -> None:
    """A mebibyte in lines of one character is done at once; C would take minutes."""
    armour = zarmour.new()
    zarmour.set_line_breaks(armour, True)
    zarmour.set_line_length(armour, 1)
    start = time.monotonic()
    text = zarmour.encode(armour, bytes(1 << 20))
    assert zarmour.decode(armour, text) == bytes(1 << 20)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "z85"])
def test_white_space_is_skipped(mode: str) -> None:
    """Line feeds of any kind, wherever they are, and however many: C would write beyond its memory."""
    armour = make(mode)
    text = zarmour.encode(armour, b"Hello, World")
    for white in ("\n", "\r\n", " ", "\t", "\n" * 1000):
        assert zarmour.decode(armour, text + white) == b"Hello, World"
        assert zarmour.decode(armour, white + text) == b"Hello, World"
        assert zarmour.decode(armour, white.join(text)) == b"Hello, World"
        assert zarmour.decode(armour, white) == b""


@pytest.mark.parametrize("mode", ["base32", "base32hex", "base16"])
def test_small_letters(mode: str) -> None:
    """Where an alphabet has only capitals, small letters stand for the same."""
    armour = make(mode)
    text = zarmour.encode(armour, bytes(range(256)))
    assert zarmour.decode(armour, text.lower()) == bytes(range(256))


@pytest.mark.parametrize("character", ["!", "é".encode("latin-1"), "\n", "A", " ", "%", b"\x01", "\udcff"])
def test_pad_characters(character: Any) -> None:
    """Any byte can be the pad character; one of the alphabet's makes a text that means something else, as in C."""
    armour = zarmour.new()
    zarmour.set_pad_char(armour, character)
    text = zarmour.encode(armour, b"f")
    assert text == "Zg" + zarmour.pad_char(armour) * 2
    decoded = zarmour.decode(armour, text)
    assert decoded == (b"f" if character != "A" else b"f\0\0")
    assert zarmour.decode(armour, "Zg==") == b"f"


def test_pad_character_that_is_a_small_letter() -> None:
    """Where small letters stand for capitals, none is taken for padding."""
    armour = make("base32")
    zarmour.set_pad_char(armour, "x")
    assert zarmour.decode(armour, "aaaaaaax") == zarmour.decode(armour, "AAAAAAAX") == b"\0\0\0\0\x17"


@pytest.mark.parametrize("bad", ["", "==", "é", b"", b"==", "\0", None, 1, bytearray(b"=")])
def test_what_is_no_pad_character(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="pad_char must"):
        zarmour.set_pad_char(zarmour.new(), bad)


@pytest.mark.parametrize(
    ("mode", "bad"),
    [
        *[("base64", text) for text in ("A", "AAAAA", "Zg-_", "Zg=Zg", "Z%g=", "=Zg", "Zg==Zg==", "Zg\0", "é")],
        ("base64", b"\xff"),
        *[("base64url", text) for text in ("A", "Zg+/", "Zg!!")],
        *[("base32", text) for text in ("A", "AAA", "AAAAAA", "AAAAAAAAA", "A1", "A8", "=A", "\0")],
        *[("base32hex", text) for text in ("A", "AAA", "AAAAAA", "ZZ")],
        *[("base16", text) for text in ("A", "AAA", "AG", "0x00", "é")],
        *[("z85", text) for text in ("A", "AAAA", "AAAAAA", "AAAA~", "AAAA\n", "AAAA ", 'AAAA"')],
        *[("z85", text) for text in ("AAAA\0", "éAAA", b"\xff" * 5)],
        *[("z85", text) for text in ("#####", "%nSc1", "AAAAA#####")],
    ],
)  # fmt: skip
def test_bad_armour(mode: str, bad: Any) -> None:
    """A text that cannot be is refused; C would skip what it does not know, abort, or write beyond its memory."""
    armour = make(mode)
    with pytest.raises(ValueError, match=f"data must be {mode}"):
        zarmour.decode(armour, bad)


def test_largest_group_of_z85() -> None:
    """Five characters stand for 32 bits at most."""
    armour = make("z85")
    text = zarmour.encode(armour, b"\xff" * 4)
    assert text == "%nSc0"
    assert zarmour.decode(armour, text) == b"\xff" * 4


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1023])
def test_z85_encodes_groups_of_four_bytes(size: int) -> None:
    with pytest.raises(ValueError, match=f"data must be a multiple of 4 bytes for Z85, not {size}"):
        zarmour.encode(make("z85"), bytes(size))


def test_random_texts() -> None:
    """Whatever the text, it is decoded or a ValueError."""
    program = """
    import random
    from pyczmq import zarmour
    rnd = random.Random(1)
    armour = zarmour.new()
    pieces = ["A", "Zg", "=", "==", "\\n", " ", "-", "_", "+", "/", "0", "f", "~", "é", "#####", "AAAAA", "\\n" * 50]
    decoded = 0
    for number in range(8_000):
        zarmour.set_mode(armour, number % 6)
        text = "".join(rnd.choices(pieces, k=rnd.randrange(12)))
        try:
            decoded += zarmour.encode(armour, zarmour.decode(armour, text)) is not None
        except ValueError:
            pass
    assert 500 < decoded < 7_500, decoded
    """
    children.check(program)


@pytest.mark.parametrize("bad", [None, 1, bytearray(b"Zg"), object()])
def test_what_is_no_text(bad: Any) -> None:
    with pytest.raises(TypeError, match="data must be str or bytes"):
        zarmour.decode(zarmour.new(), bad)


@pytest.mark.parametrize("bad", [None, 1, object(), memoryview(b"abcd")[::2]])
def test_what_is_no_data(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="data must be"):
        zarmour.encode(zarmour.new(), bad)


@pytest.mark.parametrize("bad", [-1, 6, 2**31, 2**64, None, "base64", 1.0])
def test_what_is_no_mode(bad: Any) -> None:
    """Over any other number C would look for a name beyond its table."""
    armour = zarmour.new()
    with pytest.raises((TypeError, ValueError), match="mode must be"):
        zarmour.set_mode(armour, bad)
    assert zarmour.mode(armour) == 0


def test_mode_that_the_raw_floor_set() -> None:
    """A mode that does not exist is noticed before C trips over it."""
    armour = zarmour.new()
    C.zarmour_set_mode(armour, 7777777)
    for call in (zarmour.mode, zarmour.mode_str, zarmour.print, CALLS["encode"], CALLS["decode"]):
        with pytest.raises(ValueError, match="armour has mode 7777777"):
            call(armour)


@pytest.mark.parametrize("bad", [-1, 2**63, 2**64, None, "72", 7.2])
def test_what_is_no_line_length(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="line_length must be"):
        zarmour.set_line_length(zarmour.new(), bad)


def test_print() -> None:
    """The settings go to CZMQ's log."""
    output = children.check(
        """
        from pyczmq import zarmour
        armour = zarmour.new()
        zarmour.set_mode(armour, zarmour.MODE_BASE32_HEX)
        zarmour.set_pad_char(armour, "%")
        zarmour.print(armour)
        """
    )
    assert re.findall(r"(\w+): +(\S+)$", output, re.MULTILINE) == [
        ("mode", "base32hex"),
        ("pad", "true"),
        ("pad_char", "'%'"),
        ("line_breaks", "false"),
        ("line_length", "72"),
    ]


@linux
def test_no_memory() -> None:
    """Where there is no memory for the text, that is a MemoryError: C would abort."""
    children.check(
        """
        import mmap, resource
        from pyczmq import zarmour
        armours = [zarmour.new() for mode in range(6)]
        data = mmap.mmap(-1, 1 << 30)
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20), resource.getrlimit(resource.RLIMIT_AS)[1]))
        for mode, armour in enumerate(armours):
            zarmour.set_mode(armour, mode)
            try:
                zarmour.encode(armour, data)
            except MemoryError:
                pass
            else:
                raise AssertionError(mode)
            assert zarmour.encode(armour, b"abcd")
        """
    )


@pytest.mark.parametrize("name", CALLS)
def test_wrong_handles(name: str) -> None:
    """What is no armour, NULL, or destroyed, is refused."""
    call = CALLS[name]
    for wrong in (1, "x", b"x", object(), ffi.NULL, ffi.new("int *")):
        with pytest.raises(TypeError, match="armour must be a"):
            call(wrong)
    with pytest.raises(ValueError, match="armour is NULL"):
        call(ffi.cast("zarmour_t *", 0))
    gone = zarmour.new()
    zarmour.destroy(gone)
    with pytest.raises(ValueError, match="armour was destroyed"):
        call(gone)


def test_destroy_takes_none() -> None:
    """None is let through, as NULL is in C; any other function refuses it."""
    zarmour.destroy(None)
    for name, call in CALLS.items():
        if name != "destroy":
            with pytest.raises(TypeError, match="armour must be a"):
                call(None)


def test_collected_once() -> None:
    """The garbage collector frees each armour, once, in any order."""
    before = len(_handles._owned)
    armours: list[Any] = [zarmour.new() for _ in range(50)]
    random.Random(1).shuffle(armours)
    zarmour.destroy(armours[7])
    raw = C.zarmour_new()
    assert zarmour.decode(raw, zarmour.encode(raw, b"raw")) == b"raw"
    zarmour.destroy(raw)
    while armours:
        armours.pop()
    collect()
    assert len(_handles._owned) <= before


@linux
def test_no_leak() -> None:
    """Memory does not grow with what was encoded and decoded, or refused."""
    children.check(
        """
        import gc, resource
        from pyczmq import zarmour
        armour = zarmour.new()
        zarmour.set_mode(armour, zarmour.MODE_Z85)
        def work(count):
            for _ in range(count):
                zarmour.decode(armour, zarmour.encode(armour, bytes(100_000)))
                try:
                    zarmour.decode(armour, "#" * 100_000)
                except ValueError:
                    pass
            gc.collect()
            return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
        work(30)
        before = work(30)
        grown = work(300) - before
        assert grown < 15_000_000, grown
        """
    )
