"""zrex: simple regular expressions."""

from __future__ import annotations

import random
import re
import signal
import threading
import time
from typing import Any

import children
import pytest
from common import collect, short

from pyczmq import C, _handles, _slre, ffi, zrex

CALLS: dict[str, Any] = {
    "destroy": zrex.destroy,
    "valid": zrex.valid,
    "strerror": zrex.strerror,
    "matches": lambda rex: zrex.matches(rex, "x"),
    "eq": lambda rex: zrex.eq(rex, "x", "x"),
    "hits": zrex.hits,
    "hit": lambda rex: zrex.hit(rex, 0),
    "fetch": zrex.fetch,
}

#: Expressions over which C hangs, crashes, aborts or reads on, and what is said of them.
REFUSED = {
    ")": "Unbalanced brackets",
    "a)": "Unbalanced brackets",
    "(a))": "Unbalanced brackets",
    "a|b)c": "Unbalanced brackets",
    "*": "Nothing to repeat",
    "+?": "Nothing to repeat",
    "?": "Nothing to repeat",
    "a|*": "Nothing to repeat",
    "a|?b": "Nothing to repeat",
    "(*a)": "Nothing to repeat",
    "^*": "Nothing to repeat",
    "a$+": "Nothing to repeat",
    "a**": "Nothing to repeat",
    "a+*": "Nothing to repeat",
    "a??": "Nothing to repeat",
    "a*??": "Nothing to repeat",
    "()*": "what is repeated can be empty",
    "(^)+": "what is repeated can be empty",
    "(a*)*": "what is repeated can be empty",
    "(a?)+?": "what is repeated can be empty",
    "(a|)*": "what is repeated can be empty",
    "((a*)(b?))+": "what is repeated can be empty",
    "a\\": "No character behind the backslash",
    "[\\": "No character behind the backslash",
    "\\é": "A backslash before a byte that is not ASCII",
    "a++++" + "+" * 500: "Nothing to repeat",
    "(" * 100: "RE is too long",
    "(" * 1_000_000: "RE is too long",
    "()" * 63: "RE is too long",
    "." * 252: "RE is too long",
    "a" * 256: "RE is too long",
    "[" + "a" * 300 + "]": "RE is too long",
    "a|" * 100: "RE is too long",
}


def test_selftest_replayed() -> None:
    """What CZMQ's own test shows: one expression and many texts, hits, and one text and many expressions."""
    rex = zrex.new(r"\d+-\d+-\d+")
    assert zrex.valid(rex)
    assert zrex.matches(rex, "123-456-789")
    assert zrex.hits(rex) == 1
    assert zrex.hit(rex, 0) == "123-456-789"
    assert zrex.hit(rex, 1) is None
    zrex.destroy(rex)

    rex = zrex.new(r"(\d+)-(\d+)-(\d+)")
    assert zrex.valid(rex)
    assert not zrex.matches(rex, "123-456-ABC")
    assert zrex.matches(rex, "123-456-789")
    assert zrex.hits(rex) == 4
    assert [zrex.hit(rex, index) for index in range(4)] == ["123-456-789", "123", "456", "789"]
    zrex.destroy(rex)

    rex = zrex.new()
    text = "Mechanism: CURVE"
    assert not zrex.eq(rex, text, "Version: (.+)")
    assert zrex.hits(rex) == 0
    assert zrex.eq(rex, text, "Mechanism: (.+)")
    assert zrex.hits(rex) == 2
    (mechanism,) = zrex.fetch(rex)
    assert zrex.hit(rex, 1) == mechanism == "CURVE"


def test_czmqs_own_test_passes() -> None:
    zrex.test()


@pytest.mark.parametrize(
    ("expression", "text", "hits"),
    [
        ("abc", "xabcx", ["abc"]),
        ("abc", "xabx", None),
        ("^abc", "xabc", None),
        ("^abc", "abcd", ["abc"]),
        ("abc$", "xabc", ["abc"]),
        ("abc$", "abcx", None),
        ("^$", "", [""]),
        ("", "x", [""]),
        ("", "", None),
        ("a*", "", None),
        ("^a*", "", [""]),
        ("a.c", "xa.cx", ["a.c"]),
        (r"a\.c", "abca.c", ["a.c"]),
        (r"\x\\\*", "x\\*", ["x\\*"]),
        (r"\s\S\d\D\a\A\w\W", " a1aa1a ", [" a1aa1a "]),
        (r"\t\r\n", "\t\r\n", ["\t\r\n"]),
        ("[abc]+", "xxcabxx", ["cab"]),
        ("[^abc]+", "abxyzab", ["xyz"]),
        ("[\\]a]+", "b]a]", ["]a]"]),
        ("a|b", "xb", ["b"]),
        ("ab|cd|ef", "xefx", ["ef"]),
        ("a(b|c)d", "abdacd", ["abd", "b"]),
        ("a(b|c)d", "acd", ["acd", "c"]),
        ("(a|b|)c", "xc", ["c", ""]),
        ("colou?r", "color", ["color"]),
        ("(ab)+c", "xababc", ["ababc", "ab"]),
        ("(ab)*c", "ababc", ["ababc", ""]),
        ("a.*c", "abcbc", ["abcbc"]),
        ("a.*?c", "abcbc", ["abc"]),
        ("a.+?c", "abbcbc", ["abbc"]),
        ("(a)(b)?(c)", "ac", ["ac", "a", "", "c"]),
        ("((a)(b(c)))", "abc", ["abc", "abc", "a", "bc", "c"]),
        ("x+y", "x" * 1000 + "y", ["x" * 1000 + "y"]),
        ("ä+", "xääx", ["ä"]),
        ("^" + "a" * 200 + "$", "a" * 200, ["a" * 200]),
        ("()" * 62, "x", [""] * 63),
        ("." * 251, "x" * 251, ["x" * 251]),
    ],
    ids=short,
)
def test_expressions(expression: str, text: str, hits: list[str] | None) -> None:
    """What an expression matches, and its groups; both ways to match, with text and with bytes."""
    rex, other = zrex.new(expression), zrex.new()
    assert zrex.valid(rex), zrex.strerror(rex)
    assert zrex.strerror(rex) == "No error"
    assert zrex.matches(rex, text) is (hits is not None)
    assert zrex.matches(rex, text.encode()) is (hits is not None)
    assert zrex.eq(other, text.encode(), expression.encode()) is (hits is not None)
    for matcher in (rex, other):
        assert zrex.hits(matcher) == len(hits or [])
        assert [zrex.hit(matcher, index) for index in range(zrex.hits(matcher))] == (hits or [])
        assert zrex.fetch(matcher) == (hits or [])[1:]
        assert zrex.hit(matcher, len(hits or [])) is None


@pytest.mark.parametrize("expression", REFUSED, ids=short)
def test_expressions_that_c_cannot_bear(expression: str) -> None:
    """They are no valid expressions, and it is said why; to match with one is an error, or no match."""
    rex = zrex.new(expression)
    assert zrex.valid(rex) is False
    assert REFUSED[expression] in zrex.strerror(rex)
    with pytest.raises(ValueError, match=re.escape("rex has no valid expression: " + zrex.strerror(rex))):
        zrex.matches(rex, "aaa")
    other = zrex.new("(a)")
    assert zrex.matches(other, "a")
    assert zrex.eq(other, "aaa", expression) is False
    assert zrex.valid(other) is False
    assert REFUSED[expression] in zrex.strerror(other)
    assert (zrex.hits(other), zrex.hit(other, 0), zrex.fetch(other)) == (0, None, [])
    assert zrex.eq(other, "xay", "(a)(y)")
    assert (zrex.valid(other), zrex.strerror(other), zrex.fetch(other)) == (True, "No error", ["a", "y"])


@pytest.mark.parametrize("expression", ["[abc", "(abc", "a(b(c)", "[^", "[", "(", "(a|b", "[]", "[]a"])
def test_brackets(expression: str) -> None:
    """A bracket that is not closed is an error, in C's words; a set may be empty."""
    rex, raw = zrex.new(expression), C.zrex_new(expression.encode())
    assert zrex.valid(rex) == C.zrex_valid(raw)
    assert zrex.strerror(rex).encode() == ffi.string(C.zrex_strerror(raw))
    zrex.destroy(raw)


def test_no_expression() -> None:
    """Without an expression nothing can be matched; there is no error either."""
    rex = zrex.new()
    assert (zrex.valid(rex), zrex.strerror(rex), zrex.hits(rex), zrex.fetch(rex)) == (False, "No error", 0, [])
    with pytest.raises(ValueError, match="rex has no valid expression"):
        zrex.matches(rex, "x")


def test_hits_are_those_of_the_last_match() -> None:
    """Nothing of an earlier, longer match is left in the hits: C writes them over one another, with no end."""
    rex = zrex.new("(x+)y*(z+)")
    for text in ("xxxxxxyyyyzzzz", "xz", "xxyzz", "xxxxxxxxxxxxxxxxz", "xyz"):
        match = re.search("(x+)y*(z+)", text)
        assert match is not None
        assert zrex.matches(rex, text)
        assert [zrex.hit(rex, index) for index in range(3)] == [match[0], match[1], match[2]]
    assert not zrex.matches(rex, "abc")
    assert (zrex.hits(rex), zrex.hit(rex, 0), zrex.fetch(rex)) == (0, None, [])


def test_groups_without_part() -> None:
    """A group that took no part is not what it was in the last text, whose memory is gone."""
    rex = zrex.new("(x+)|(b)")
    assert zrex.matches(rex, "x" * 1_000_000)
    assert zrex.fetch(rex) == ["x" * 1_000_000, ""]
    for _ in range(3):
        assert zrex.matches(rex, "b")
        assert zrex.fetch(rex) == ["", "b"]
    assert zrex.eq(rex, "b", "(x+)|(b)")
    assert zrex.fetch(rex) == ["", "b"]


def test_group_of_an_attempt_that_failed() -> None:
    """C may give a group the length of an earlier attempt: it reads no further than the text."""
    word = "abcdefgh" * 20
    rex = zrex.new(f"({word})q|h")
    for _ in range(10):
        assert zrex.matches(rex, f"{word}h")
        hit, group = zrex.hit(rex, 0), zrex.hit(rex, 1)
        assert hit == "h"
        assert group is not None
        assert len(group) <= len(word)


def test_fetch() -> None:
    """Groups go into variables, as many as are asked for."""
    rex = zrex.new(r"(\d+)\.(\d+)")
    assert zrex.matches(rex, "version 4.2")
    major, minor = zrex.fetch(rex)
    assert (major, minor) == ("4", "2")
    assert zrex.fetch(rex, 0) == []
    assert zrex.fetch(rex, 1) == ["4"]
    assert zrex.fetch(rex, 4) == ["4", "2", None, None]
    for bad in (-1, 101, 2**64, "1", 1.0):
        with pytest.raises((TypeError, ValueError), match="count must be"):
            zrex.fetch(rex, bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [-1, 2**32, 2**64, None, "0", 0.0])
def test_what_is_no_index(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="index must be"):
        zrex.hit(zrex.new("x"), bad)
    assert zrex.hit(zrex.new("x"), 2**32 - 1) is None


@pytest.mark.parametrize("bad", [1, object(), bytearray(b"x"), "a\0b", b"\0"])
def test_what_is_no_text(bad: Any) -> None:
    """Text has no NUL bytes; None is an expression for `new` only."""
    rex = zrex.new("x")
    with pytest.raises((TypeError, ValueError), match="expression must"):
        zrex.new(bad)
    with pytest.raises((TypeError, ValueError), match="text must"):
        zrex.matches(rex, bad)
    with pytest.raises((TypeError, ValueError), match="text must"):
        zrex.eq(rex, bad, "x")
    with pytest.raises((TypeError, ValueError), match="expression must"):
        zrex.eq(rex, "x", bad)
    with pytest.raises(TypeError, match="expression must"):
        zrex.eq(rex, "x", None)  # type: ignore[arg-type]
    assert zrex.matches(rex, "x")


@pytest.mark.parametrize("text", ["ä€😀", b"\xff\xfe\x80", "\udcff", "100%s %n", "x" * (1 << 20)], ids=short)
def test_texts_come_out_as_they_went_in(text: Any) -> None:
    """Text that is not ASCII, and not UTF-8, and long."""
    rex = zrex.new("^(.*)$")
    assert zrex.matches(rex, text)
    assert zrex.fetch(rex) == [text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text]


def test_like_pythons_own() -> None:
    """Where the two mean the same, random expressions and texts match at the same place as with `re`."""
    rnd = random.Random(1)
    atoms = ["a", "b", "ab", ".", "[ab]", "[^a]", r"\d", r"\w", "(a)", "(bc)"]
    for _ in range(1500):
        expression = "".join(rnd.choices(atoms, k=rnd.randrange(1, 6)))
        text = "".join(rnd.choices("abc1 ", k=rnd.randrange(1, 12)))
        rex = zrex.new(expression)
        found = re.search(expression, text)
        assert zrex.matches(rex, text) is (found is not None), (expression, text)
        if found is not None:
            assert [zrex.hit(rex, 0), *zrex.fetch(rex)] == [found[0], *found.groups()], (expression, text)


def test_random_expressions() -> None:
    """Whatever the expression, it is refused, or C takes it too, and it can be matched without end or crash."""
    children.check(
        r"""
        import random
        from pyczmq import _slre, zrex
        rnd = random.Random(7)
        pieces = ["a", "b", "abc", ".", "[ab]", "[^a]", "\\d", "\\.", "(", ")", "(", ")", "|", "*", "+", "?", "*?", "^",
                  "$", "[", "]", "\\", "\\0", "x" * 30, "\u00e9", "()"]
        valid = 0
        for _ in range(2000):
            expression = "".join(rnd.choices(pieces, k=rnd.choice([1, 3, 5, 8, 16])))
            rex = zrex.new(expression)
            try:
                parsed = _slre.Expression(expression.encode())
            except _slre.Refused as refused:
                assert not zrex.valid(rex) and zrex.strerror(rex) == str(refused)
                continue
            assert zrex.valid(rex), expression
            valid += 1
            for text in ("", "a", "aab1bca", "x" * 31 + "ab", "abcabcabc", "\u00e9", "1.2"):
                if parsed.steps(len(text)) < 1e7:
                    zrex.matches(rex, text)
                    zrex.fetch(rex)
        assert 300 < valid < 1900, valid
        """
    )


SLOW = """
import os, signal, sys, threading, time
from pyczmq import zrex
def send(number, *moments):
    def run():
        for moment in moments:
            time.sleep(max(0, start + moment - time.monotonic()))
            os.kill(os.getpid(), number)
    threading.Thread(target=run, daemon=True).start()
rex = zrex.new("a*" * 20 + "b")
start = time.monotonic()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no POSIX signals")
class TestSlowMatches:
    """Expressions that would take years."""

    def test_ctrl_c(self) -> None:
        """Ctrl-C ends the match; the handle is refused from then on, and at exit nothing crashes or hangs."""
        children.check(
            SLOW
            + """
send(signal.SIGINT, 0.3)
try:
    zrex.matches(rex, "a" * 40)
except KeyboardInterrupt:
    took = time.monotonic() - start
    assert 0.2 <= took < 0.7, took
else:
    raise AssertionError("not interrupted")
for call in (zrex.hits, zrex.destroy, zrex.valid, lambda rex: zrex.matches(rex, "x")):
    try:
        call(rex)
    except ValueError as error:
        assert str(error) == "rex is in use: a match is still going on", error
    else:
        raise AssertionError(call)
assert zrex.matches(zrex.new("x"), "x")
"""
        )

    def test_handlers_run(self) -> None:
        """A signal's handler runs meanwhile, and what it raises comes out."""
        children.check(
            SLOW
            + """
seen = []
def handle(*_):
    seen.append(time.monotonic())
    if len(seen) == 3:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        raise KeyError
signal.signal(signal.SIGUSR1, handle)
# Enough of them: on a busy machine two may come as one.
send(signal.SIGUSR1, *(tenth / 10 for tenth in range(2, 100)))
try:
    zrex.eq(rex, "a" * 40, "a*" * 20 + "b")
except KeyError:
    assert time.monotonic() - seen[-1] < 0.6
else:
    raise AssertionError
assert len(seen) == 3
"""
        )


def test_long_match_has_its_result() -> None:
    """A match that takes a while, on this thread or another, is like any other; other threads run meanwhile."""
    expression, text = "(x*)y(z)", "x" * 3000 + "yz"
    assert _slre.Expression(expression.encode()).steps(len(text)) > zrex._STEPS

    def match() -> list[str | None]:
        rex = zrex.new(expression)
        assert zrex.matches(rex, text)
        assert not zrex.matches(rex, text[:-1])
        assert zrex.eq(rex, text, expression)
        return zrex.fetch(rex)

    results: list[list[str | None]] = []
    thread = threading.Thread(target=lambda: results.append(match()))
    thread.start()
    results.append(match())
    thread.join()
    assert results == [["x" * 3000, "z"]] * 2
    assert not zrex._busy


def test_estimate_is_no_less_than_what_it_takes() -> None:
    """What is matched without looking for signals is done in a moment."""
    rnd = random.Random(3)
    pieces = ["a", "a*", "a*?", "a+", "(a)", "(a|ab)", "(a+b)+", "(a|b)*", ".*", "b?", "[ab]*?"]
    longest = 0.0
    for _ in range(300):
        expression = "".join(rnd.choices(pieces, k=rnd.randrange(1, 7))) + "c"
        length = 1
        while length < 1_000_000 and _slre.Expression(expression.encode()).steps(2 * length) <= zrex._STEPS:
            length *= 2
        rex, text = zrex.new(expression), "a" * length
        start = time.process_time()
        zrex.matches(rex, text)
        longest = max(longest, time.process_time() - start)
    assert longest < 0.2


@pytest.mark.parametrize("name", CALLS)
def test_wrong_handles(name: str) -> None:
    """What is no matcher, NULL, or destroyed, is refused."""
    call = CALLS[name]
    for wrong in (1, "x", b"x", object(), ffi.NULL, ffi.new("int *")):
        with pytest.raises(TypeError, match="rex must be a"):
            call(wrong)
    with pytest.raises(ValueError, match="rex is NULL"):
        call(ffi.cast("zrex_t *", 0))
    gone = zrex.new("x")
    zrex.destroy(gone)
    with pytest.raises(ValueError, match="rex was destroyed"):
        call(gone)


def test_destroy_takes_none() -> None:
    """None is let through, as NULL is in C; any other function refuses it."""
    zrex.destroy(None)
    for name, call in CALLS.items():
        if name != "destroy":
            with pytest.raises(TypeError, match="rex must be a"):
                call(None)


def test_arguments_that_destroy_the_matcher() -> None:
    """An argument whose own code destroys the matcher gets it refused."""
    rex = zrex.new("x")

    class Spoiler:
        def __index__(self) -> int:
            zrex.destroy(rex)
            return 0

    with pytest.raises(ValueError, match="rex was destroyed"):
        zrex.hit(rex, Spoiler())  # type: ignore[arg-type]


def test_handles_of_the_raw_floor() -> None:
    """A handle that C returned works, too, and calls of both floors mix."""
    rex = C.zrex_new(b"(a+)b")
    assert zrex.valid(rex)
    assert zrex.matches(rex, "aaab")
    assert zrex.fetch(rex) == ["aaa"]
    assert zrex.eq(rex, "xy", "x(y)")
    assert ffi.string(C.zrex_hit(rex, 1)) == b"y"
    assert C.zrex_hits(rex) == 2
    assert C.zrex_matches(rex, b"xyxy")
    assert (zrex.hit(rex, 0), zrex.matches(rex, "xxy"), zrex.hit(rex, 0)) == ("xy", True, "xy")
    zrex.destroy(rex)
    bad = C.zrex_new(b"[")
    assert (zrex.valid(bad), zrex.strerror(bad)) == (False, "No closing ']' bracket")
    with pytest.raises(ValueError, match="No closing"):
        zrex.matches(bad, "x")
    zrex.destroy(bad)


def test_collected_once() -> None:
    """The garbage collector frees each matcher, once, in any order, with its hits."""
    before = len(_handles._owned)
    matchers = [zrex.new("(a)") for _ in range(50)]
    for rex in matchers[::2]:
        assert zrex.matches(rex, "a" * 10_000)
    zrex.destroy(matchers[7])
    while matchers:
        matchers.pop(len(matchers) // 2)
    del rex
    collect()
    assert len(_handles._owned) <= before
