"""zargs: command line arguments. Only libraries built with drafts have the class."""

from __future__ import annotations

import gc
import inspect
from typing import Any

import children
import pytest
from common import example

from pyczmq import C, ffi
from pyczmq import zargs as typed

#: With no types: much of what it is given here is of the wrong one.
zargs: Any = typed

DRAFTS = hasattr(C, "zargs_new")
draft = pytest.mark.skipif(not DRAFTS, reason="this libczmq has no drafts")

ARGV = [
    "progname",
    "--named1",
    "-n1",
    "val1",
    "positional1",
    "--with",
    "value",
    "--with2=value2",
    "-W3value3",
    "--",
    "--thisis",
    "considered",
    "positional",
]

#: Every function that takes arguments, with what does for the rest.
CALLS: dict[str, tuple[Any, ...]] = {
    "destroy": (),
    "progname": (),
    "arguments": (),
    "first": (),
    "next": (),
    "param_first": (),
    "param_next": (),
    "param_name": (),
    "get": ("a",),
    "getx": ("a", "b"),
    "has": ("a",),
    "hasx": ("a", "b"),
    "print": (),
}


@pytest.mark.skipif(DRAFTS, reason="this libczmq has drafts")
def test_class_that_is_not_there() -> None:
    """The class imports, documents itself, and says when it is used that the library lacks it."""
    assert "Only libraries built with drafts" in (zargs.__doc__ or "")
    assert all(inspect.getdoc(getattr(zargs, name)) for name in CALLS)
    with pytest.raises(AttributeError, match="zargs_new is not in this library: libczmq"):
        zargs.new(["tool"])
    with pytest.raises(AttributeError, match="zargs_test is not in this library"):
        zargs.test()
    with pytest.raises(AttributeError, match="zargs_arguments is not in this library"):
        zargs.arguments(ffi.cast("zargs_t *", ffi.new("char[]", 8)))


@draft
def test_example_of_the_class() -> None:
    """What CZMQ's self-test shows."""
    args = zargs.new(ARGV)
    assert zargs.progname(args) == "progname"
    assert zargs.arguments(args) == 4
    assert zargs.first(args) == "positional1"
    assert [zargs.next(args) for _ in range(4)] == ["--thisis", "considered", "positional", None]
    assert zargs.has(args, "--named1")
    assert zargs.has(args, "-n1")
    assert not zargs.has(args, "--not at all")
    assert zargs.get(args, "--named1") is None
    assert zargs.get(args, "-n1") == "val1"
    assert not zargs.hasx(args, "--help", "-h")
    assert zargs.hasx(args, "--help", "-h", "-n1")
    assert zargs.getx(args, "--help", "--named1", "-n1", "--with") == "val1"
    assert zargs.getx(args, "--help", "--named1") is None


@draft
def test_example_of_the_docstring() -> None:
    """The example in the module's docstring says what happens."""
    exec(example(zargs.__doc__), {"zargs": zargs})


@draft
def test_c_test_passes() -> None:
    """CZMQ's own test of the class runs in a child."""
    zargs.test()


@draft
def test_parameters_one_by_one() -> None:
    """Values come in no order, "" for those that have none, and the names with them."""
    args = zargs.new(ARGV)
    assert zargs.param_name(args) is None
    found = {}
    value = zargs.param_first(args)
    while value is not None:
        found[zargs.param_name(args)] = value
        value = zargs.param_next(args)
    assert found == {"--named1": "", "-n1": "val1", "--with": "value", "--with2=value2": "", "-W3value3": ""}
    assert zargs.param_next(args) is None
    bare = zargs.new(["tool"])
    assert (zargs.first(bare), zargs.next(bare), zargs.param_first(bare), zargs.param_next(bare)) == (None,) * 4


@draft
@pytest.mark.parametrize("text", ["", "100%s %n", "ä€😀", b"\xff\xfe", "\udcff", "x" * 2**20])
def test_any_text(text: Any) -> None:
    """Arguments are any text, str or bytes, and come out unchanged, also after the garbage collector's work."""
    wanted = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    args = zargs.new([text, text, "-p", text])
    gc.collect()
    junk = [bytes(1000) for _ in range(1000)]
    assert zargs.progname(args) == zargs.first(args) == zargs.get(args, b"-p") == wanted
    assert not zargs.has(args, text)
    del junk


@draft
def test_odd_arguments() -> None:
    """A hyphen alone, a second --, one name twice, and very many."""
    args = zargs.new(["tool", "-", "x", "-", "y", "--", "--", "--"])
    assert zargs.get(args, "-") == "x"
    assert [zargs.first(args), zargs.next(args), zargs.next(args)] == ["--", "--", None]
    args = zargs.new(["tool", *["--a"] * 1000, *map(str, range(100_000))])
    assert zargs.arguments(args) == 99_999
    assert zargs.getx(args, *["b"] * 100_000, "--a") is None
    assert zargs.hasx(args, *["b"] * 100_000, "--a")


def test_what_is_no_argv() -> None:
    """An argv is a sequence of texts, with the program's name at least."""
    for bad in ("tool -a", b"tool", None, 1, [1], [None], ["tool", 1]):
        with pytest.raises(TypeError, match="argv must be a sequence of str or bytes"):
            zargs.new(bad)
    with pytest.raises(ValueError, match="argv must begin with the program's name"):
        zargs.new([])
    with pytest.raises(ValueError, match="an item of argv must not contain a NUL byte"):
        zargs.new(["tool", "a\0b"])


@draft
def test_names_that_are_none() -> None:
    """Names are text."""
    args = zargs.new(["tool"])
    for function in (zargs.get, zargs.has, zargs.getx, zargs.hasx):
        for bad in (None, 1, ffi.NULL):
            with pytest.raises(TypeError, match="name must be str or bytes"):
                function(args, bad)
        with pytest.raises(ValueError, match="name must not contain a NUL byte"):
            function(args, "a\0")
    with pytest.raises(TypeError, match="name must be str or bytes"):
        zargs.hasx(args, "a", None)


@draft
@pytest.mark.parametrize("function", CALLS)
def test_handles_that_are_none(function: str) -> None:
    """Every function refuses what are no arguments, NULL, and those that were destroyed."""
    call, rest = getattr(zargs, function), CALLS[function]
    for bad in (1, "x", ffi.NULL, ffi.cast("zcert_t *", 0)):
        with pytest.raises(TypeError, match="args must be a struct _zargs_t"):
            call(bad, *rest)
    with pytest.raises(ValueError, match="args is NULL"):
        call(ffi.cast("zargs_t *", 0), *rest)
    gone = zargs.new(["tool"])
    zargs.destroy(gone)
    with pytest.raises(ValueError, match="args was destroyed"):
        call(gone, *rest)
    zargs.destroy(None)


@draft
def test_print_goes_to_standard_error() -> None:
    """The arguments are on the standard error, as they are."""
    done = children.run("import sys\nfrom pyczmq import zargs\nzargs.print(zargs.new(['%s', '%n', '-a', '%d']))\n")
    assert (done.status, done.errors) == (0, "%s -a : %d , %n ")


@draft
def test_nothing_leaks() -> None:
    """Arguments that nobody refers to are freed, with their texts."""
    output = children.check(
        """
        import gc, resource
        from pyczmq import zargs
        def round():
            for number in range(300):
                args = zargs.new(["tool", "x" * 20000, "-a", "y" * 20000])
                if number % 2:
                    zargs.destroy(args)
            gc.collect(); gc.collect()
        round(); round()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(8):
            round()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        """
    )
    assert int(output) < 20_000
