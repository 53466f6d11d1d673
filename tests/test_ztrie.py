"""ztrie: routes with parameters. Only libraries built with drafts have the class."""

from __future__ import annotations

import inspect
import time
from typing import Any

import children
import pytest
from common import collect, example

from pyczmq import C, ffi
from pyczmq import ztrie as typed

#: With no types: much of what it is given here is of the wrong one.
ztrie: Any = typed

DRAFTS = hasattr(C, "ztrie_new")
draft = pytest.mark.skipif(not DRAFTS, reason="this libczmq has no drafts")

#: Every function that takes a trie, with what does for the rest.
CALLS: dict[str, tuple[Any, ...]] = {
    "destroy": (),
    "insert_route": ("/a",),
    "remove_route": ("/a",),
    "matches": ("/a",),
    "hit_data": (),
    "hit_parameter_count": (),
    "hit_parameters": (),
    "hit_asterisk_match": (),
    "print": (),
}


@pytest.fixture
def trie() -> Any:
    """An empty trie, where there are some."""
    if not DRAFTS:
        pytest.skip("this libczmq has no drafts")
    return ztrie.new()


@pytest.mark.skipif(DRAFTS, reason="this libczmq has drafts")
def test_class_that_is_not_there() -> None:
    """The class imports, documents itself, and says when it is used that the library lacks it."""
    assert "Only" in (ztrie.__doc__ or "") and "libraries built with drafts" in (ztrie.__doc__ or "")
    assert all(inspect.getdoc(getattr(ztrie, name)) for name in CALLS)
    with pytest.raises(AttributeError, match="ztrie_new is not in this library: libczmq"):
        ztrie.new("/")
    with pytest.raises(AttributeError, match="ztrie_test is not in this library"):
        ztrie.test()


def test_example_of_the_class(trie: Any) -> None:
    """What CZMQ's self-test shows."""
    assert ztrie.insert_route(trie, "/foo/bar", 10) == 0
    assert ztrie.insert_route(trie, "/foo/{[^/]+}", 100) == 0
    assert ztrie.insert_route(trie, "/foo/{[^/]+}/gulp") == 0
    assert ztrie.insert_route(trie, "/foo/") == 0
    assert ztrie.insert_route(trie, "/foo") == -1
    assert ztrie.insert_route(trie, "//foo") == -1
    assert ztrie.insert_route(trie, "foo/bar/baz") == 0
    assert ztrie.insert_route(trie, "/bar/baz") == -1
    assert ztrie.remove_route(trie, "/foo") == 0
    assert ztrie.remove_route(trie, "/foo") == -1
    assert ztrie.remove_route(trie, "/foo/{[^/]+}") == 0
    route = r"/baz/{name:[^/]+}/{id:--(\d+)}/{street:nr:(\a+)(\d+)}"
    assert ztrie.insert_route(trie, route, "Hello World!") == 0
    assert ztrie.insert_route(trie, "/config/bar/*") == 0
    assert ztrie.insert_route(trie, "/config/bar/*/bar") == -1
    assert ztrie.insert_route(trie, "/test/*/bar") == 0
    assert ztrie.insert_route(trie, "/config/bar/foo/glup") == -1

    assert not ztrie.matches(trie, "/bar/foo")
    assert ztrie.hit_data(trie) is None
    assert ztrie.hit_parameters(trie) is None
    assert ztrie.matches(trie, "/foo/bar")
    assert ztrie.hit_data(trie) == 10
    assert not ztrie.matches(trie, "/baz/blub")
    assert ztrie.matches(trie, "/baz/blub/--11/abc23")
    assert ztrie.hit_data(trie) == "Hello World!"
    assert ztrie.hit_parameter_count(trie) == 4
    assert ztrie.hit_parameters(trie) == {"name": "blub", "id": "11", "street": "abc", "nr": "23"}
    assert ztrie.hit_asterisk_match(trie) is None
    assert ztrie.matches(trie, "/config/bar/foo/bar")
    assert ztrie.hit_asterisk_match(trie) == "foo/bar"
    assert ztrie.hit_parameters(trie) == {}


@draft
def test_example_of_the_docstring() -> None:
    """The example in the module's docstring says what happens."""
    exec(example(ztrie.__doc__), {"ztrie": ztrie})


@draft
def test_c_test_passes() -> None:
    """CZMQ's own test of the class runs in a child."""
    ztrie.test()


# ---------------------------------------------------------------- matching


def test_values_have_no_remains_of_earlier_ones(trie: Any) -> None:
    """A shorter value after a longer one is just that: C's own has the longer one's end behind it."""
    ztrie.insert_route(trie, r"/a/{name:[^/]+}/{x:y:(\a+)-(\d*)}")
    for name, x, y in (("longname", "longer", "1000"), ("ab", "x", ""), ("longname", "y", "1")):
        assert ztrie.matches(trie, f"/a/{name}/{x}-{y}")
        assert ztrie.hit_parameters(trie) == {"name": name, "x": x, "y": y}


def test_names_and_groups(trie: Any) -> None:
    """Names without a group are None, one that comes twice has its last value, and each route has its own."""
    assert ztrie.insert_route(trie, r"/one/{a:b:(\d+)}") == 0
    assert ztrie.insert_route(trie, "/two/{a:x+}/{a:y+}") == 0
    assert ztrie.insert_route(trie, "/three/{a:x+}") == 0
    assert ztrie.insert_route(trie, "/three/{b:x+}/end") == 0
    assert ztrie.insert_route(trie, "/four/{a:b:z+}") == 0
    assert ztrie.matches(trie, "/one/42") and ztrie.hit_parameters(trie) == {"a": "42", "b": None}
    assert ztrie.matches(trie, "/two/xx/yy") and ztrie.hit_parameters(trie) == {"a": "yy"}
    assert ztrie.hit_parameter_count(trie) == 2
    assert ztrie.matches(trie, "/three/x/end") and ztrie.hit_parameters(trie) == {"b": "x"}
    assert ztrie.matches(trie, "/four/zz") and ztrie.hit_parameters(trie) == {"a": "zz", "b": None}


@pytest.mark.parametrize("delimiter", ["/", ".", ":", "{", "}", "*", b"\xff"])
def test_delimiters(delimiter: Any) -> None:
    """Any byte can be the delimiter, also those that mean something else otherwise."""
    if not DRAFTS:
        pytest.skip("this libczmq has no drafts")
    trie = ztrie.new(delimiter)
    byte = delimiter if isinstance(delimiter, bytes) else delimiter.encode()
    assert ztrie.insert_route(trie, byte + b"foo" + byte + b"bar", "data") == 0
    assert ztrie.matches(trie, b"ignored" + byte + b"foo" + byte + b"bar" + byte)
    assert ztrie.hit_data(trie) == "data"
    assert not ztrie.matches(trie, b"foo" + byte + b"bar")
    assert ztrie.remove_route(trie, byte + b"foo" + byte + b"bar") == 0


@draft
def test_delimiters_that_are_none() -> None:
    """A delimiter is one byte."""
    for bad in ("", "//", "ä"):
        with pytest.raises(ValueError, match="delimiter must be one byte"):
            ztrie.new(bad)
    with pytest.raises(ValueError, match="delimiter must not contain a NUL byte"):
        ztrie.new("\0")
    for wrong in (None, 47):
        with pytest.raises(TypeError, match="delimiter must be str or bytes"):
            ztrie.new(wrong)


def test_the_root_is_a_route(trie: Any) -> None:
    """The bare delimiter is a route too, which C cannot remove when it is the only one; and so is what has none."""
    gone: list[Any] = []
    for path in ("/", "anything"):
        assert ztrie.insert_route(trie, path, "root", gone.append) == 0
        assert ztrie.insert_route(trie, "/", "again", gone.append) == -1
        assert ztrie.matches(trie, "/") and ztrie.hit_data(trie) == "root"
        assert ztrie.remove_route(trie, path) == 0
        assert ztrie.remove_route(trie, path) == -1
        assert not ztrie.matches(trie, "/")
    ztrie.insert_route(trie, "/*", "all")
    ztrie.insert_route(trie, "/", "root", gone.append)
    assert ztrie.remove_route(trie, "/") == 0
    assert ztrie.matches(trie, "/x") and ztrie.hit_data(trie) == "all"
    assert gone == ["root"] * 3


def test_asterisks(trie: Any) -> None:
    """What an asterisk stands for goes to the path's end; its route cannot be removed."""
    assert ztrie.insert_route(trie, "/a/*", 1) == 0
    assert ztrie.insert_route(trie, "/a/*", 2) == -1
    for rest in ("x", "x/y", "x/y/", "ä", "100%s"):
        assert ztrie.matches(trie, f"/a/{rest}")
        assert ztrie.hit_asterisk_match(trie) == rest
    assert not ztrie.matches(trie, "/a")
    assert ztrie.remove_route(trie, "/a/*") == -1
    gone: list[Any] = []
    assert ztrie.insert_route(trie, "/b/{*}", 3) == 0
    assert ztrie.insert_route(trie, "/c/{name:*}", 3) == 0
    assert ztrie.matches(trie, "/c/x/y")
    assert (ztrie.hit_parameters(trie), ztrie.hit_asterisk_match(trie)) == ({"name": None}, "x/y")
    assert ztrie.insert_route(trie, "/d/*end", 4, gone.append) == 0
    assert ztrie.remove_route(trie, "/d/d") == 0
    assert gone == [4]


@pytest.mark.parametrize("path", ["", "/", "//", "///", "/a//b", "foo", "/nowhere", "/*", "/{x}", "/a/b/", "\udcff"])
def test_odd_paths_match_nothing(trie: Any, path: str) -> None:
    """Paths that are empty or have empty parts are matched by nothing, without a look beyond their ends."""
    ztrie.insert_route(trie, "/a/{x:.+}/c")
    assert not ztrie.matches(trie, path)
    assert ztrie.hit_parameter_count(trie) == 0


@pytest.mark.parametrize("text", ["100%s %n", "ä€😀", b"\xff\xfe", "x" * 2**20])
def test_any_text(trie: Any, text: Any) -> None:
    """Tokens are any text, str or bytes."""
    path = b"/" + (text if isinstance(text, bytes) else text.encode())
    assert ztrie.insert_route(trie, path, "data") == 0
    assert ztrie.matches(trie, path)
    assert ztrie.hit_data(trie) == "data"
    assert ztrie.insert_route(trie, b"/x" + path, "data") == 0
    assert ztrie.remove_route(trie, path) == 0


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("", "path must not be empty"),
        ("/{abc", "a brace that is not closed"),
        ("/{abc/", "a brace that is not closed"),
        ("/a/{b/c}/{d", "a brace that is not closed"),
        ("/{)}", "not a valid expression"),
        ("/{(}", "not a valid expression"),
        ("/{[a}", "not a valid expression"),
        ("/{a\\}", "not a valid expression"),
        ("/{*a}/x", "not a valid expression"),
        ("/{(a*)*}", "not a valid expression"),
        ("/{n:(a)(b)}", "2 groups in '\\(a\\)\\(b\\)', and less names"),
        ("/{(a)|b}", "a group that can be left out"),
        ("/{(a)?b}", "a group that can be left out"),
        ("/{" + "(a)" * 90 + "}", "not a valid expression"),
        ("/" + "a/" * 201, "201 parts"),
        ("/a\0", "path must not contain a NUL byte"),
    ],
)
def test_routes_that_c_must_not_be_given(trie: Any, path: str, text: str) -> None:
    """C would hang, crash, or do so at the next call; nothing is inserted, and no destructor called."""
    gone: list[Any] = []
    with pytest.raises(ValueError, match=text):
        ztrie.insert_route(trie, path, 1, gone.append)
    ztrie.destroy(trie)
    assert gone == []


def test_routes_that_are_not_possible(trie: Any) -> None:
    """Empty tokens are -1, in braces too."""
    for path in ("//", "/a//b", "/{}", "/{a:}", "/{a:}/x"):
        assert ztrie.insert_route(trie, path) == -1
        assert ztrie.remove_route(trie, path) == -1
    for wrong in (None, 1, ffi.NULL):
        for function in (ztrie.insert_route, ztrie.remove_route, ztrie.matches):
            with pytest.raises(TypeError, match="path must be str or bytes"):
                function(trie, wrong)
    with pytest.raises(ValueError, match="a brace that is not closed"):
        ztrie.remove_route(trie, "/{a")
    with pytest.raises(ValueError, match="path must not be empty"):
        ztrie.remove_route(trie, "")


def test_paths_that_take_too_long(trie: Any) -> None:
    """CZMQ's engine may need a time that grows with a power of the length: what could be too much is refused."""
    ztrie.insert_route(trie, "/{a*a*a*a*a*b}")
    ztrie.insert_route(trie, "/plain/path")
    start = time.monotonic()
    with pytest.raises(ValueError, match="a part of 100000 bytes"):
        ztrie.matches(trie, "/" + "a" * 100_000)
    for size in (10, 20, 30, 40, 60):
        try:
            assert not ztrie.matches(trie, "/" + "a" * size)
        except ValueError:
            assert size > 20
    assert time.monotonic() - start < 10
    assert ztrie.matches(trie, "/plain/path")


def test_deepest_routes(trie: Any) -> None:
    """As many tokens as there may be are inserted, matched, printed and freed."""
    path = "/a" * 200
    assert ztrie.insert_route(trie, path, "deep") == 0
    assert ztrie.matches(trie, path) and ztrie.hit_data(trie) == "deep"
    assert not ztrie.matches(trie, "/a" * 100_000)
    assert ztrie.remove_route(trie, path) == 0


@draft
def test_random_routes_and_paths() -> None:
    """Whatever is inserted, matched and removed, in whatever order, C lives on."""
    children.check(
        """
        import random
        from pyczmq import ztrie
        rng = random.Random(3)
        pieces = ["/", "/", "a", "b", "{", "}", ":", "*", "+", "(", ")", "[^/]", "{n:a+}", "{[ab]+}", "/*", "x"]
        for _ in range(150):
            trie = ztrie.new("/")
            paths = []
            for _ in range(60):
                path = "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 9)))
                what = rng.randrange(4)
                try:
                    if what == 0 and ztrie.insert_route(trie, path, path) == 0:
                        paths.append(path)
                    elif what == 1 and paths:
                        ztrie.remove_route(trie, rng.choice(paths))
                    else:
                        ztrie.matches(trie, path)
                except ValueError:
                    pass
                ztrie.hit_data(trie), ztrie.hit_parameters(trie), ztrie.hit_asterisk_match(trie)
                ztrie.hit_parameter_count(trie)
        """
    )


# ---------------------------------------------------------------- data


def test_data_is_any_object(trie: Any) -> None:
    """Data are Python objects, kept as long as their route."""
    data = object()
    ztrie.insert_route(trie, "/a", data)
    ztrie.insert_route(trie, "/b")
    assert ztrie.matches(trie, "/a")
    assert ztrie.hit_data(trie) is data
    assert ztrie.matches(trie, "/b")
    assert ztrie.hit_data(trie) is None


def test_destructors_are_called_once(trie: Any) -> None:
    """A route's destructor is called when it is removed, or with the trie, and never for one that was not inserted."""
    gone: list[Any] = []
    for path, data in (("/a", 1), ("/a/b", 2), ("/c", 3), ("/a", "never")):
        ztrie.insert_route(trie, path, data, gone.append)
    assert ztrie.matches(trie, "/a")
    assert ztrie.remove_route(trie, "/a") == 0
    assert gone == [1]
    assert ztrie.hit_data(trie) is None
    assert ztrie.hit_parameters(trie) is None
    ztrie.insert_route(trie, "/a", 4, gone.append)
    ztrie.destroy(trie)
    assert sorted(gone) == [1, 2, 3, 4]
    collect()
    assert len(gone) == 4


@draft
def test_destructors_are_called_by_the_garbage_collector() -> None:
    """A trie that nobody refers to takes its data with it, also one that is in a cycle with them."""
    gone: list[Any] = []

    def make() -> None:
        plain, cyclic = ztrie.new(), ztrie.new()
        ztrie.insert_route(plain, "/a", 1, gone.append)
        ztrie.insert_route(cyclic, "/a", cyclic, lambda data: gone.append(2))

    make()
    collect()
    assert sorted(gone) == [1, 2]


def test_exceptions_of_destructors_come_out(trie: Any) -> None:
    """What a destructor raises comes out of what called it, after all the others were called."""
    gone: list[Any] = []

    def fails(data: Any) -> None:
        gone.append(data)
        raise ZeroDivisionError(data)

    ztrie.insert_route(trie, "/a", 1, fails)
    with pytest.raises(ZeroDivisionError):
        ztrie.remove_route(trie, "/a")
    assert not ztrie.matches(trie, "/a")
    for path in ("/a", "/b"):
        ztrie.insert_route(trie, path, path, fails)
    with pytest.raises(ZeroDivisionError):
        ztrie.destroy(trie)
    assert gone == [1, "/a", "/b"]
    with pytest.raises(ValueError, match="trie was destroyed"):
        ztrie.destroy(trie)


def test_destructor_that_uses_the_trie(trie: Any) -> None:
    """A destructor may insert and remove routes, and destroy the trie."""

    def removes(data: Any) -> None:
        assert ztrie.remove_route(trie, "/b") == 0
        assert ztrie.insert_route(trie, "/a", "new") == 0

    def destroys(data: Any) -> None:
        ztrie.destroy(trie)

    ztrie.insert_route(trie, "/a", 1, removes)
    ztrie.insert_route(trie, "/b", 2)
    assert ztrie.remove_route(trie, "/a") == 0
    assert ztrie.matches(trie, "/a") and ztrie.hit_data(trie) == "new"
    ztrie.insert_route(trie, "/c", 3, destroys)
    assert ztrie.remove_route(trie, "/c") == 0
    with pytest.raises(ValueError, match="trie was destroyed"):
        ztrie.matches(trie, "/a")


def test_destructors_in_c(trie: Any) -> None:
    """A C function gets a pointer to the data, a void *."""
    seen: list[Any] = []

    @ffi.callback("ztrie_destroy_data_fn")  # type: ignore[untyped-decorator]
    def destructor(data: Any) -> None:
        seen.append(data[0])

    pointer = ffi.cast("void *", 12345)
    ztrie.insert_route(trie, "/a", pointer, destructor)
    assert ztrie.matches(trie, "/a") and ztrie.hit_data(trie) == pointer
    ztrie.remove_route(trie, "/a")
    assert seen == [pointer]
    with pytest.raises(TypeError, match=r"data must be a void \*"):
        ztrie.insert_route(trie, "/a", 1, destructor)
    for bad in (1, "x", ffi.NULL):
        with pytest.raises(TypeError, match="destroy_data_fn must be"):
            ztrie.insert_route(trie, "/a", 1, bad)


# ---------------------------------------------------------------- handles


@draft
@pytest.mark.parametrize("function", CALLS)
def test_handles_that_are_none(function: str) -> None:
    """Every function refuses what is no trie, NULL, and one that was destroyed."""
    call, rest = getattr(ztrie, function), CALLS[function]
    for bad in (1, "x", ffi.NULL, ffi.cast("zcert_t *", 0)):
        with pytest.raises(TypeError, match="trie must be a struct _ztrie_t"):
            call(bad, *rest)
    with pytest.raises(ValueError, match="trie is NULL"):
        call(ffi.cast("ztrie_t *", 0), *rest)
    gone = ztrie.new()
    ztrie.destroy(gone)
    with pytest.raises(ValueError, match="trie was destroyed"):
        call(gone, *rest)
    ztrie.destroy(None)


def test_raw_routes_and_tries(trie: Any) -> None:
    """A route of the raw floor has its own data; a trie of the raw floor has a delimiter that nobody else knows."""
    data = ffi.new("int *")
    assert C.ztrie_insert_route(trie, b"/raw", data, ffi.NULL) == 0
    assert ztrie.matches(trie, "/raw")
    assert ztrie.hit_data(trie) == data
    assert (ztrie.hit_parameters(trie), ztrie.hit_parameter_count(trie)) == ({}, 0)
    assert ztrie.remove_route(trie, "/raw") == 0
    raw = C.ztrie_new(b".")
    for function in (ztrie.insert_route, ztrie.remove_route, ztrie.matches):
        with pytest.raises(ValueError, match=r"trie was not made by ztrie\.new"):
            function(raw, ".a")
    ztrie.destroy(raw)


@draft
def test_print_shows_the_tree() -> None:
    """The tokens are on the standard output, never as a format."""
    output = children.check(
        "from pyczmq import ztrie\nt = ztrie.new()\nztrie.insert_route(t, '/%s/%n')\nztrie.print(t)\n"
    )
    assert "%s (params: 0" in output and "%n (params: 0" in output


@draft
def test_exit_with_tries_alive() -> None:
    """At exit, data are destroyed as by destroy."""
    output = children.check(
        """
        from pyczmq import ztrie
        trie = ztrie.new()
        ztrie.insert_route(trie, "/a", "data", print)
        """
    )
    assert output == "data\n"


@draft
def test_nothing_leaks() -> None:
    """Tries that nobody refers to are freed with their routes; of the names of parameters C forgets some."""
    output = children.check(
        """
        import gc, resource
        from pyczmq import ztrie
        def round():
            for _ in range(60):
                trie = ztrie.new()
                for number in range(10):
                    ztrie.insert_route(trie, "/" + str(number) * 10000, bytes(10000), len)
                    ztrie.matches(trie, "/" + str(number) * 10000)
                ztrie.remove_route(trie, "/" + "5" * 10000)
                ztrie.insert_route(trie, "/asterisk/*")
                for number in range(10):
                    ztrie.matches(trie, "/asterisk/" + str(number) * 10000)
                    assert ztrie.hit_asterisk_match(trie) == str(number) * 10000
            gc.collect(); gc.collect()
        round(); round()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(5):
            round()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        """
    )
    assert int(output) < 20_000
