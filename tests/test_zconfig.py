"""zconfig: configuration trees in memory and in files."""

from __future__ import annotations

import errno
import gc
import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import children
import pytest
from common import collect

from pyczmq import C, ffi
from pyczmq import zconfig as typed

#: With no types: much of what it is given here is of the wrong one.
zconfig: Any = typed

DRAFTS = hasattr(C, "zconfig_remove")
draft = pytest.mark.skipif(not DRAFTS, reason="this libczmq has no drafts")

ZPL = """\
malamute
    endpoint = ipc://@/malamute
    producer = STREAM
    consumer
        STREAM2 = .*
        STREAM3 = HAM
server
    verbose = true
"""

#: Every function that takes a tree, with arguments that do for the rest.
CALLS: dict[str, tuple[Any, ...]] = {
    "destroy": (),
    "name": (),
    "value": (),
    "put": ("a", "b"),
    "putf": ("a", "%d", 1),
    "get": ("a",),
    "set_name": ("a",),
    "set_value": ("a",),
    "child": (),
    "next": (),
    "locate": ("a",),
    "at_depth": (0,),
    "execute": (lambda *_: 0,),
    "set_comment": ("a",),
    "comments": (),
    "save": ("-",),
    "savef": ("-",),
    "filename": (),
    "reload": (),
    "chunk_save": (),
    "str_save": (),
    "has_changed": (),
    "fprint": (io.BytesIO(),),
    "print": (),
    "dup": (),
    "remove_subtree": (),
    "remove": (),
    "dump": (),
    "resolve": ("a",),
    "set_path": ("a", "b"),
}
NONE_IS_FINE = {"destroy", "remove"}
ODD_TEXT = [
    "",
    " two  spaces ",
    "100%s %n",
    "ä€😀",
    b"\xff\xfe\x80",
    "\udcff",
    "# no comment",
    "a=b\tc\rd",
    "x" * 2**20,
]


@pytest.fixture
def config() -> Any:
    """The tree that CZMQ's self-test has."""
    config = zconfig.str_load(ZPL)
    assert config is not None
    return config


def names(config: Any) -> list[Any]:
    """The names of all items, with their levels."""
    return [(zconfig.name(item), level) for item, level in zconfig.walk(config)]


def chunk_of(content: bytes) -> Any:
    return ffi.gc(C.zchunk_new(content, len(content)), lambda chunk: C.zchunk_destroy(ffi.new("zchunk_t **", chunk)))


def content_of(chunk: Any) -> bytes:
    return bytes(ffi.buffer(C.zchunk_data(chunk), C.zchunk_size(chunk)))


# ---------------------------------------------------------------- what CZMQ's self-test shows


def test_example_of_the_class(tmp_path: Path) -> None:
    """Items, comments, saving, loading, reloading."""
    root = zconfig.new("root")
    section = zconfig.new("headers", root)
    zconfig.set_value(zconfig.new("email", section), "some@random.com")
    zconfig.set_value(zconfig.new("name", section), "Justin Kayce")
    zconfig.putf(root, "/curve/secret-key", "%s", "Top Secret")
    zconfig.set_comment(root, "   CURVE certificate")
    zconfig.set_comment(root, "   -----------------")
    assert zconfig.comments(root) == ["   CURVE certificate", "   -----------------"]
    file = str(tmp_path / "test.cfg")
    assert zconfig.save(root, file) == 0
    zconfig.destroy(root)

    loaded = zconfig.load(file)
    assert loaded is not None
    assert zconfig.filename(loaded) == file
    assert zconfig.get(loaded, "/headers/email") == "some@random.com"
    assert zconfig.get(loaded, "/curve/secret-key") == "Top Secret"
    assert zconfig.comments(loaded) == ["   CURVE certificate", "   -----------------"]
    assert zconfig.savef(loaded, "%s/%s", tmp_path, "test.cfg") == 0
    assert not zconfig.has_changed(loaded)
    again = zconfig.reload(loaded)
    assert again is not None
    assert not zconfig.has_changed(again)
    assert zconfig.savef(again, "%s/path/that/doesnt/exist/%s", tmp_path, "test.cfg") == -1


def test_chunks_and_strings() -> None:
    """What is saved to a chunk is what is saved to a string, and comes back."""
    root = zconfig.new("root")
    item = zconfig.new("value", zconfig.new("section", root))
    zconfig.set_value(item, "somevalue")
    assert zconfig.locate(root, "section/value") is item
    chunk = zconfig.chunk_save(root)
    assert C.zchunk_size(chunk) == 32
    assert C.zchunk_data(chunk)[32] == 0
    assert zconfig.str_save(root).encode() == content_of(chunk)
    again = zconfig.chunk_load(chunk)
    assert again is not None
    assert zconfig.get(again, "/section/value") == "somevalue"


def test_items_of_a_string(config: Any) -> None:
    """Items are found by path, and one after the other."""
    assert zconfig.get(config, "malamute/endpoint") == "ipc://@/malamute"
    assert zconfig.get(config, "/malamute/producer") == "STREAM"
    consumer = zconfig.locate(config, "malamute/consumer")
    assert consumer is not None
    item = zconfig.child(consumer)
    assert item is not None and (zconfig.name(item), zconfig.value(item)) == ("STREAM2", ".*")
    item = zconfig.next(item)
    assert item is not None and (zconfig.name(item), zconfig.value(item)) == ("STREAM3", "HAM")
    assert zconfig.next(item) is None
    assert zconfig.child(item) is None
    assert zconfig.get(config, "server/verbose") == "true"


@draft
def test_copies_and_removed_subtrees(config: Any) -> None:
    """Drafts: a copy is a tree of its own; below an item everything goes, the item stays."""
    copy = zconfig.dup(config)
    zconfig.put(copy, "server/verbose", "false")
    assert (zconfig.get(copy, "server/verbose"), zconfig.get(config, "server/verbose")) == ("false", "true")
    zconfig.remove_subtree(zconfig.locate(config, "malamute/consumer"))
    assert zconfig.locate(config, "malamute/consumer/STREAM2") is None
    zconfig.remove(zconfig.locate(config, "malamute/endpoint"))
    assert names(config)[1:] == [("malamute", 1), ("producer", 2), ("consumer", 2), ("server", 1), ("verbose", 2)]
    zconfig.remove(zconfig.locate(config, "malamute"))
    zconfig.remove(zconfig.locate(config, "server"))
    assert zconfig.child(config) is None
    zconfig.remove(config)
    with pytest.raises(ValueError, match="config was destroyed"):
        zconfig.child(config)


def test_c_test_passes() -> None:
    """CZMQ's own test of the class runs in a child."""
    zconfig.test()


# ---------------------------------------------------------------- values and names


@pytest.mark.parametrize("text", ODD_TEXT)
def test_text_goes_in_and_out_unchanged(text: Any) -> None:
    """Values, names and comments are any text, and never a format."""
    root = zconfig.new(text)
    item = zconfig.new(text, root)
    zconfig.set_value(item, text)
    zconfig.set_comment(item, text)
    wanted = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    assert (zconfig.name(root), zconfig.name(item), zconfig.value(item)) == (wanted, wanted, wanted)
    assert zconfig.comments(item) == [wanted]
    zconfig.put(root, "a/b", text)
    assert zconfig.get(root, "a/b") == wanted
    assert zconfig.get(root, "nowhere", text) == wanted
    if text:
        zconfig.set_name(item, "")
        zconfig.put(root, text, "found")
        assert zconfig.value(zconfig.locate(root, text)) == "found"


@pytest.mark.parametrize("text", ODD_TEXT)
def test_values_survive_a_file(tmp_path: Path, text: Any) -> None:
    """Any value without a double quote or a line feed is read as it was written."""
    root = zconfig.new("root")
    zconfig.put(root, "a/b", text)
    file = tmp_path / "file"
    assert zconfig.save(root, file) == 0
    loaded = zconfig.load(file)
    assert loaded is not None
    assert zconfig.get(loaded, "a/b") == zconfig.get(root, "a/b")
    again = zconfig.str_load(zconfig.str_save(root))
    assert again is not None
    assert zconfig.get(again, "a/b") == zconfig.get(root, "a/b")


def test_no_value_at_all() -> None:
    """None is no value; a file has it as an empty one."""
    root = zconfig.new(None)
    assert (zconfig.name(root), zconfig.value(root)) == (None, None)
    zconfig.put(root, "a", "b")
    zconfig.put(root, "a", None)
    assert zconfig.value(zconfig.child(root)) is None
    assert zconfig.get(root, "a", "default") is None
    assert zconfig.str_save(root) == "a\n"
    again = zconfig.str_load("a\n")
    assert again is not None
    assert zconfig.get(again, "a", "default") == ""


def test_only_a_root_has_no_name(config: Any) -> None:
    """A name of None is for roots: C crashes when it looks for an item among such."""
    zconfig.set_name(config, None)
    assert zconfig.name(config) is None
    with pytest.raises(ValueError, match="name must not be None"):
        zconfig.new(None, config)
    with pytest.raises(ValueError, match="name must not be None"):
        zconfig.set_name(zconfig.child(config), None)


def test_formats_are_filled_in() -> None:
    """The functions whose names end in f take a format and its values, which may be anything."""
    root = zconfig.new("root")
    zconfig.putf(root, "a", "%05d-%s", 42, "%n%s")
    assert zconfig.get(root, "a") == "00042-%n%s"
    with pytest.raises(ValueError, match="%n"):
        zconfig.putf(root, "a", "%n")
    with pytest.raises(TypeError):
        zconfig.putf(root, "a", "%d")


@pytest.mark.parametrize("path", ["a/b", "/a/b"])
def test_paths(path: str) -> None:
    """A slash in front may be left out, whether the items are there or not."""
    root = zconfig.new("root")
    for value in ("1", "2"):
        zconfig.put(root, path, value)
        assert names(root) == [("root", 0), ("a", 1), ("b", 2)]
        assert zconfig.get(root, "a/b") == value == zconfig.get(root, "/a/b")


@pytest.mark.parametrize("path", ["", "/", "//", "a/", "a//b", "//a", "/a/b/"])
def test_odd_paths(config: Any, path: str) -> None:
    """Paths with empty parts name nothing, and nothing is put there."""
    before = names(config)
    with pytest.raises(ValueError, match="path must not have an empty part"):
        zconfig.put(config, path, "x")
    assert zconfig.get(config, path) is None
    assert zconfig.locate(config, path) is None
    assert names(config) == before


def test_very_deep_paths() -> None:
    """A path may be as deep as a tree may; one beyond it adds nothing."""
    root = zconfig.new("root")
    with pytest.raises(ValueError, match="1 items, and CZMQ is not made for more than 10000"):
        zconfig.put(root, "a/" * 500_000 + "a", "x")
    assert zconfig.child(root) is None
    path = "/".join(["a"] * 9999)
    zconfig.put(root, path, "x")
    assert zconfig.get(root, path) == "x"
    assert zconfig.get(root, path + "/a" * 100_000) is None
    assert sum(1 for _ in zconfig.walk(root)) == 10_000
    with pytest.raises(ValueError, match="10000 items"):
        zconfig.new("a", root)
    zconfig.destroy(root)


def test_at_depth(config: Any) -> None:
    """The last item of each level, down to the level that is asked for."""
    assert zconfig.at_depth(config, 0) is config
    assert [zconfig.name(zconfig.at_depth(config, level)) for level in (1, 2)] == ["server", "verbose"]
    assert zconfig.at_depth(config, 3) is None
    assert zconfig.at_depth(config, 2**31 - 1) is None
    for bad in (-1, 2**31, -(2**100)):
        with pytest.raises(ValueError, match="level must be from 0"):
            zconfig.at_depth(config, bad)
    with pytest.raises(TypeError, match="level must be an int"):
        zconfig.at_depth(config, "1")


def test_several_items_with_one_name() -> None:
    """The first of them is found; the others are reached by walking."""
    root = zconfig.str_load("bind = 'inproc://one'\nbind = \"inproc://two\"  # with a comment\n")
    assert zconfig.get(root, "bind") == "inproc://one"
    assert [zconfig.value(item) for item in zconfig.children(root)] == ["inproc://one", "inproc://two"]


# ---------------------------------------------------------------- walking


def test_walk_is_in_the_order_of_the_file(config: Any) -> None:
    """All items come, each with its level, from any item on; children are those of one level."""
    assert names(config) == [
        ("root", 0),
        ("malamute", 1),
        ("endpoint", 2),
        ("producer", 2),
        ("consumer", 2),
        ("STREAM2", 3),
        ("STREAM3", 3),
        ("server", 1),
        ("verbose", 2),
    ]
    assert names(zconfig.locate(config, "malamute/consumer")) == [("consumer", 0), ("STREAM2", 1), ("STREAM3", 1)]
    assert names(zconfig.locate(config, "server/verbose")) == [("verbose", 0)]
    assert [zconfig.name(item) for item in zconfig.children(config)] == ["malamute", "server"]


def test_execute_calls_for_each_item(config: Any) -> None:
    """The handler gets the item, the argument and the level."""
    seen: list[Any] = []
    assert zconfig.execute(config, lambda item, arg, level: arg.append((zconfig.name(item), level)), seen) == 0
    assert seen == names(config)


def test_execute_ends_at_minus_one(config: Any) -> None:
    """A handler that returns -1 ends the walk; what is no int is refused."""
    seen: list[Any] = []

    def handler(item: Any, arg: Any, level: int) -> int:
        seen.append(item)
        return -1 if len(seen) == 3 else level

    assert zconfig.execute(config, handler) == -1
    assert len(seen) == 3
    with pytest.raises(TypeError, match="a handler must return None or an int, not str"):
        zconfig.execute(config, lambda *_: "x")


def test_exception_comes_out_of_execute(config: Any) -> None:
    """An exception ends the walk."""
    with pytest.raises(ZeroDivisionError):
        zconfig.execute(config, lambda *_: 1 // 0)
    assert zconfig.execute(config, lambda *_: None) == 0


def test_execute_with_a_callback_in_c(config: Any) -> None:
    """A cffi callback gets the item and a pointer for its argument."""
    seen: list[Any] = []

    @ffi.callback("zconfig_fct")  # type: ignore[untyped-decorator]
    def handler(item: Any, arg: Any, level: int) -> int:
        seen.append((ffi.string(C.zconfig_name(item)).decode(), level))
        assert ffi.from_handle(arg) is seen
        return 0

    assert zconfig.execute(config, handler, seen) == 0
    assert seen == names(config)
    for bad in (None, 1, ffi.NULL, ffi.cast("zconfig_fct *", 0)):
        with pytest.raises((TypeError, ValueError), match="handler"):
            zconfig.execute(config, bad)


def test_handler_destroys_the_tree(config: Any) -> None:
    """A handler that destroys the tree under the walk is told so."""
    with pytest.raises(ValueError, match=r"(the root of )?config was destroyed"):
        zconfig.execute(config, lambda *_: zconfig.destroy(config))


def test_handler_adds_items_for_ever(config: Any) -> None:
    """A handler that makes the walk longer with each step comes to an end."""
    with pytest.raises(ValueError, match="10000 items"):
        zconfig.execute(config, lambda item, *_: zconfig.new("more", config) and 0)


@draft
def test_items_are_removed_while_walking(config: Any) -> None:
    """Removing the item that a walk stands on ends it with an error; other items may go."""
    with pytest.raises(ValueError, match="config was removed"):
        for item in zconfig.children(config):
            zconfig.remove(item)
    for item, _ in zconfig.walk(config):
        if zconfig.name(item) == "server":
            zconfig.remove_subtree(item)
    for item in list(zconfig.children(config)):
        zconfig.remove(item)
    assert names(config) == [("root", 0)]


# ---------------------------------------------------------------- comments


def test_comments() -> None:
    """Each call adds a line, None deletes them all; those of all items come back as the root's."""
    root = zconfig.new("root")
    assert zconfig.comments(root) == []
    zconfig.set_comment(root, "one %s")
    zconfig.set_comment(root, "")
    zconfig.put(root, "a", "1")
    zconfig.set_comment(zconfig.child(root), "three")
    assert zconfig.comments(root) == ["one %s", ""]
    assert zconfig.str_save(root) == '#one %s\n#\n\n#three\n\na = "1"\n'
    again = zconfig.str_load(zconfig.str_save(root))
    assert again is not None
    assert zconfig.comments(again) == ["one %s", "", "three"]
    zconfig.set_comment(root, None)
    zconfig.set_comment(root, None)
    assert zconfig.comments(root) == []


def test_comment_is_one_line(config: Any) -> None:
    """A line feed would end the comment, and begin with an item."""
    with pytest.raises(ValueError, match="comment must be one line"):
        zconfig.set_comment(config, "harmless\nverbose = false")
    C.zconfig_set_comment(config, b"harmless\nverbose = false")
    with pytest.raises(ValueError, match="a comment with a line feed"):
        zconfig.str_save(config)


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("name", ["", " ", "a b", "a=b", "#", "ä", "/a", "a/", '"', "a\nb", "a:b"])
def test_names_that_a_file_cannot_hold(tmp_path: Path, name: str) -> None:
    """A name that would be read as something else is not saved, by no way, and the file stays."""
    root = zconfig.new("root")
    zconfig.new(name, root)
    file = tmp_path / "file"
    file.write_text("before = 1\n")
    for save in (zconfig.str_save, zconfig.chunk_save, lambda config: zconfig.save(config, file)):
        with pytest.raises(ValueError, match="config has an item named"):
            save(root)
    assert file.read_text() == "before = 1\n"


@pytest.mark.parametrize("name", ["a", "A.b-c_d$@&+", "a/b", "1", "-"])
def test_names_that_a_file_can_hold(name: str) -> None:
    """Such names are read as they were written."""
    root = zconfig.new("root")
    zconfig.set_value(zconfig.new(name, root), "x")
    again = zconfig.str_load(zconfig.str_save(root))
    assert again is not None
    assert names(again) == [("root", 0), (name, 1)]


@pytest.mark.parametrize("value", ['"', 'say "x"', "a\nb = c", "\n"])
def test_values_that_a_file_cannot_hold(value: str) -> None:
    """C would write half a value, or an item more; printing shows it nevertheless."""
    root = zconfig.new("root")
    zconfig.put(root, "a", value)
    with pytest.raises(ValueError, match="config has a value, that of 'a'"):
        zconfig.str_save(root)
    file = io.BytesIO()
    zconfig.fprint(root, file)
    assert file.getvalue() == f'a = "{value}"\n'.encode()


@pytest.mark.parametrize(
    "text",
    [
        " a = 1\n",
        "   a\n",
        "\ta\n",
        "a\n        b\n",
        "    a\n",
        "a b\n",
        "a = 'x\n",
        'a = "x\n',
        'a = "x" y\n',
        "/a = 1\n",
        "a/ = 1\n",
        "ä = 1\n",
        "= 1\n",
        "x" * 5000 + "\n!\n",
    ],
)
def test_unsound_text(tmp_path: Path, text: str) -> None:
    """What is not ZPL is None, from a string, a chunk and a file; C says why on its standard output."""
    assert zconfig.str_load(text) is None
    assert zconfig.chunk_load(text.encode()) is None
    assert zconfig.chunk_load(chunk_of(text.encode())) is None
    file = tmp_path / "file"
    file.write_bytes(text.encode())
    assert zconfig.load(file) is None


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", []),
        ("\n\n   \n", []),
        ("# only this", []),
        ("    # indented\n", []),
        ("a", [("a", "")]),
        ("a\r\nb = 1\r\n", [("a", ""), ("b", "1")]),
        ("a = x # y", [("a", "x")]),
        ("a = 'x # y' # z", [("a", "x # y")]),
        ("a =", [("a", "")]),
        ("a = " + "x" * 100_000, [("a", "x" * 100_000)]),
        ("x" * 3000 + " = 1", [("x" * 3000, "1")]),
        ("x" * 1024 + "\n" + "y" * 1025, [("x" * 1024, ""), ("y" * 1025, "")]),
    ],
)
def test_sound_text(text: str, items: list[Any]) -> None:
    """Empty files, comments, line ends of all kinds and long lines are read."""
    config = zconfig.str_load(text)
    assert config is not None
    assert [(zconfig.name(item), zconfig.value(item)) for item in zconfig.children(config)] == items


def test_nul_bytes(tmp_path: Path, config: Any) -> None:
    """Nothing is cut at a NUL byte: an argument with one is refused, and a file with one is not sound."""
    with pytest.raises(ValueError, match="string must not contain a NUL byte"):
        zconfig.str_load("a = 1\0")
    assert zconfig.chunk_load(b"a = 1\0\n") is None
    file = tmp_path / "file"
    file.write_bytes(b"a = 1\0\n")
    assert zconfig.load(file) is None
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: zconfig.new("a\0"), "name"),
        (lambda: zconfig.set_name(config, "a\0"), "name"),
        (lambda: zconfig.set_value(config, "a\0"), "value"),
        (lambda: zconfig.set_comment(config, "a\0"), "comment"),
        (lambda: zconfig.put(config, "a\0", ""), "path"),
        (lambda: zconfig.put(config, "a", "\0"), "value"),
        (lambda: zconfig.get(config, "a\0"), "path"),
        (lambda: zconfig.get(config, "a", "\0"), "default_value"),
        (lambda: zconfig.locate(config, "\0"), "path"),
        (lambda: zconfig.save(config, "a\0"), "filename"),
        (lambda: zconfig.load("a\0"), "filename"),
        (lambda: zconfig.loadf("%s", "\0"), "filename"),
    ]
    for call, name in calls:
        with pytest.raises(ValueError, match=f"{name} must not contain a NUL byte"):
            call()


def test_files_that_are_none(tmp_path: Path) -> None:
    """What is not there, a folder, a FIFO and a file that must not be read are None, without waiting for anybody."""
    os.mkfifo(tmp_path / "fifo")
    os.mkfifo(tmp_path / "fifo.ln")
    for name in ("nothing", ".", "fifo", "fifo.ln", ""):
        assert zconfig.load(tmp_path / name if name else name) is None
    assert zconfig.load("/dev/null") is None


def test_names_of_files(tmp_path: Path) -> None:
    """A file's name is str, bytes or a path, of any bytes, and never a format."""
    for name in (
        str(tmp_path / "a%s%n"),
        os.fsencode(tmp_path / "b"),
        tmp_path / "c",
        os.fsencode(tmp_path) + b"/\xff",
    ):
        root = zconfig.new("root")
        zconfig.put(root, "a", "1")
        assert zconfig.save(root, name) == 0
        loaded = zconfig.load(name)
        assert loaded is not None
        assert zconfig.filename(loaded) == os.fsdecode(name)
    assert zconfig.loadf("%s/%c", tmp_path, "c") is not None
    for bad in (None, 1, object()):
        with pytest.raises(TypeError, match=r"filename must be str, bytes or os\.PathLike"):
            zconfig.load(bad)
        with pytest.raises(TypeError, match=r"filename must be str, bytes or os\.PathLike"):
            zconfig.save(zconfig.new("root"), bad)


def test_symbolic_links_of_czmq(tmp_path: Path) -> None:
    """A file whose name ends in .ln has another one's name in it; one without is no file."""
    (tmp_path / "real").write_text("a = 1\n")
    link = tmp_path / "link.ln"
    link.write_text(f"{tmp_path / 'real'}\n")
    loaded = zconfig.load(link)
    assert loaded is not None
    assert zconfig.get(loaded, "a") == "1"
    for content in (b"\0", b"\n", b"/nowhere\n", b"x" * 5000):
        link.write_bytes(content)
        assert zconfig.load(link) is None


def test_save_fails(tmp_path: Path, config: Any) -> None:
    """What cannot be written is -1, with errno set."""
    assert zconfig.save(config, tmp_path) == -1
    assert ffi.errno == errno.EISDIR
    assert zconfig.save(config, tmp_path / "no" / "folder") == -1
    assert zconfig.save(config, "") == -1


def test_save_to_standard_output(config: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A hyphen is Python's standard output, as it is for print and its old name."""
    assert zconfig.save(config, "-") == 0
    text = capsys.readouterr().out
    assert text == zconfig.str_save(config)
    zconfig.print(config)
    zconfig.dump(config)
    assert capsys.readouterr().out == text * 2
    zconfig.print(zconfig.locate(config, "server"))
    assert capsys.readouterr().out == 'verbose = "true"\n'


def test_print_what_the_standard_output_cannot_show() -> None:
    """Printing never fails for what is printed, nor without a standard output."""
    output = children.check(
        """
        import sys
        from pyczmq import zconfig
        config = zconfig.str_load(b"a = \\xff\\xc3\\xa4")
        zconfig.print(config)
        sys.stdout = None
        zconfig.print(config)
        """,
        PYTHONIOENCODING="ascii",
    )
    assert output == 'a = "\\udcff\\xe4"\n'


def test_fprint(config: Any) -> None:
    """It writes to text and binary files, and to nothing else."""
    text, binary = io.StringIO(), io.BytesIO()
    zconfig.fprint(config, text)
    zconfig.fprint(config, binary)
    assert text.getvalue().encode() == binary.getvalue() == zconfig.str_save(config).encode()
    for bad in (None, 1, ffi.NULL):
        with pytest.raises((TypeError, AttributeError)):
            zconfig.fprint(config, bad)


def test_too_many_items_in_a_file(tmp_path: Path) -> None:
    """CZMQ needs a time that grows with the square of their number, and recursion to free them."""
    file = tmp_path / "file"
    for text in ("a\n" * 100_000, "".join(" " * 4 * level + "a\n" for level in range(2000)) * 5):
        file.write_text(text)
        for load, given in ((zconfig.str_load, text), (zconfig.load, file)):
            with pytest.raises(ValueError, match=r"(string|filename) has \d+ items"):
                load(given)
        with pytest.raises(ValueError, match=r"chunk has \d+ items"):
            zconfig.chunk_load(chunk_of(text.encode()))
    config = zconfig.str_load("a\n" * 9999 + "# more\n" * 20_000)
    assert config is not None
    assert len(zconfig.comments(config)) == 20_000
    with pytest.raises(ValueError, match="10000 items"):
        zconfig.put(config, "b", "1")
    zconfig.put(config, "a", "1")


def test_raw_tree_with_too_many_items() -> None:
    """A tree of the raw floor is counted before anything is added to it."""
    root = C.zconfig_new(b"root", ffi.NULL)
    item = root
    for _ in range(10_100):
        item = C.zconfig_new(b"a", item)
    with pytest.raises(ValueError, match="10101 items"):
        zconfig.put(root, "b", "1")
    zconfig.destroy(root)


@pytest.mark.parametrize("bad", [None, 1, object(), [1], ffi.NULL])
def test_what_is_no_text_or_chunk(bad: Any) -> None:
    """Wrong types are refused by name."""
    with pytest.raises(TypeError, match="string must be str or bytes"):
        zconfig.str_load(bad)
    with pytest.raises(TypeError, match="chunk must be"):
        zconfig.chunk_load(bad)


def test_null_and_odd_chunks() -> None:
    """A NULL chunk is refused, buffers of all kinds are read."""
    with pytest.raises(ValueError, match="chunk is NULL"):
        zconfig.chunk_load(ffi.cast("zchunk_t *", 0))
    for kind in (bytes, bytearray, memoryview):
        config = zconfig.chunk_load(kind(b"a = 1"))
        assert config is not None
        assert zconfig.get(config, "a") == "1"
    assert names(zconfig.chunk_load(b"")) == [("root", 0)]
    assert content_of(zconfig.chunk_save(zconfig.new("root"))) == b""


# ---------------------------------------------------------------- changed and reloaded


def test_changed_and_reloaded(tmp_path: Path) -> None:
    """A file that was changed is noticed; reloading gives a new root, and the old handles are refused."""
    file = tmp_path / "file"
    file.write_text("a\n    b = 1\n")
    config = zconfig.load(file)
    assert config is not None
    item = zconfig.locate(config, "a/b")
    assert not zconfig.has_changed(config)
    file.write_text("a\n    b = 1000\n")
    assert zconfig.has_changed(config)
    assert not zconfig.has_changed(item)
    fresh = zconfig.reload(config)
    assert fresh is not None
    assert not zconfig.has_changed(fresh)
    assert zconfig.get(fresh, "a/b") == "1000"
    with pytest.raises(ValueError, match="config was reloaded"):
        zconfig.get(config, "a/b")
    with pytest.raises(ValueError, match="the root of config was reloaded"):
        zconfig.value(item)
    with pytest.raises(ValueError, match="config was reloaded"):
        zconfig.reload(config)


def test_reload_fails(tmp_path: Path) -> None:
    """A tree that cannot be reloaded stays as it is."""
    assert zconfig.reload(zconfig.new("root")) is None
    file = tmp_path / "file"
    file.write_text("a = 1\n")
    config = zconfig.load(file)
    assert config is not None
    assert zconfig.reload(zconfig.child(config)) is None
    for content in (" a = broken\n", "a = 1\0"):
        file.write_text(content)
        assert zconfig.reload(config) is None
    file.write_text("a\n" * 20_000)
    with pytest.raises(ValueError, match="20000 items"):
        zconfig.reload(config)
    file.unlink()
    assert zconfig.reload(config) is None
    assert not zconfig.has_changed(config)
    assert zconfig.get(config, "a") == "1"


def test_saving_to_its_own_file_is_no_change(tmp_path: Path) -> None:
    """A tree that was saved where it came from has not changed; C's clock takes whole seconds."""
    file = tmp_path / "file"
    file.write_text("a = 1\n")
    os.utime(file, (time.time() - 100,) * 2)
    config = zconfig.load(str(file))
    assert config is not None
    zconfig.put(config, "a", "more than before")
    assert zconfig.save(config, str(file)) == 0
    assert not zconfig.has_changed(config)
    os.utime(file, (time.time() - 50,) * 2)
    assert zconfig.has_changed(config)


# ---------------------------------------------------------------- handles


@pytest.mark.parametrize("function", CALLS)
def test_handles_that_are_none(function: str) -> None:
    """Every function refuses what is no tree, NULL, and a tree that was destroyed or whose root was."""
    if function in ("dup", "remove", "remove_subtree") and not DRAFTS:
        pytest.skip("this libczmq has no drafts")
    call, rest = getattr(zconfig, function), CALLS[function]
    for bad in (1, "x", object(), ffi.NULL, ffi.new("int *"), ffi.cast("zcert_t *", 0)):
        with pytest.raises(TypeError, match="config must be a struct _zconfig_t"):
            call(bad, *rest)
    if function in NONE_IS_FINE:
        call(None)
    else:
        with pytest.raises(TypeError, match="config must be a struct _zconfig_t"):
            call(None, *rest)
    with pytest.raises(ValueError, match="config is NULL"):
        call(ffi.cast("zconfig_t *", 0), *rest)
    root = zconfig.new("root")
    item = zconfig.new("item", root)
    zconfig.destroy(root)
    with pytest.raises(ValueError, match="config was destroyed"):
        call(root, *rest)
    with pytest.raises(ValueError, match="the root of config was destroyed"):
        call(item, *rest)


def test_helpers_refuse_what_is_no_tree() -> None:
    """The iterators do so at their first step at the latest."""
    root = zconfig.new("root")
    zconfig.destroy(root)
    for helper in (zconfig.walk, zconfig.children):
        for bad in (None, ffi.cast("zconfig_t *", 0), root):
            with pytest.raises((TypeError, ValueError), match="config"):
                list(helper(bad))
    with pytest.raises(TypeError, match="parent must be a struct _zconfig_t"):
        zconfig.new("a", 1)
    with pytest.raises(ValueError, match="parent was destroyed"):
        zconfig.new("a", root)


def test_an_item_is_not_destroyed(config: Any) -> None:
    """C would free its siblings too, and leave the tree with a pointer to them."""
    item = zconfig.child(config)
    with pytest.raises(ValueError, match="config is an item in a tree, which owns it"):
        zconfig.destroy(item)
    zconfig.destroy(config)
    with pytest.raises(ValueError, match="config was destroyed"):
        zconfig.destroy(config)


def test_an_item_has_one_handle(config: Any) -> None:
    """However an item is reached, its handle is the same one."""
    item = zconfig.child(config)
    assert item is zconfig.locate(config, "malamute")
    assert item is next(iter(zconfig.children(config)))
    assert item is [found for found, _ in zconfig.walk(config)][1]
    assert zconfig.at_depth(item, 0) is item
    assert zconfig.child(item) is zconfig.locate(config, "malamute/endpoint")


def test_an_item_keeps_the_tree(config: Any) -> None:
    """A tree lives as long as there is a handle for any of its items, in whichever order they go."""
    item = zconfig.locate(config, "malamute/consumer/STREAM3")
    other = zconfig.locate(config, "server")
    del config
    collect()
    assert zconfig.value(item) == "HAM"
    del item
    gc.collect()
    assert zconfig.get(other, "verbose") == "true"


@draft
def test_handles_of_removed_items(config: Any) -> None:
    """Drafts: an item that was removed is refused, with all below it; the rest stays usable."""
    malamute, consumer = zconfig.locate(config, "malamute"), zconfig.locate(config, "malamute/consumer")
    stream = zconfig.child(consumer)
    zconfig.remove_subtree(consumer)
    with pytest.raises(ValueError, match="config was removed"):
        zconfig.value(stream)
    assert zconfig.name(consumer) == "consumer"
    zconfig.remove(malamute)
    for gone in (malamute, consumer):
        with pytest.raises(ValueError, match="config was removed"):
            zconfig.name(gone)
    zconfig.put(config, "malamute/consumer", "again")
    assert names(config)[1:] == [("server", 1), ("verbose", 2), ("malamute", 1), ("consumer", 2)]


@pytest.mark.skipif(DRAFTS, reason="this libczmq has drafts")
@pytest.mark.parametrize("function", ["dup", "remove", "remove_subtree"])
def test_drafts_that_are_not_there(config: Any, function: str) -> None:
    """A draft that the library lacks is documented, and says so when it is used, which changes nothing."""
    assert "Only libraries built with drafts" in getattr(zconfig, function).__doc__
    item = zconfig.child(config)
    with pytest.raises(AttributeError, match=f"zconfig_{function} is not in this library"):
        getattr(zconfig, function)(item)
    assert zconfig.name(item) == "malamute"


def test_raw_trees_mix_freely() -> None:
    """A tree of the raw floor can be used here, and is its owner's to destroy, here or there."""
    root = C.zconfig_new(b"root", ffi.NULL)
    zconfig.put(root, "a/b", "1")
    assert zconfig.name(C.zconfig_locate(root, b"a/b")) == "b"
    item = zconfig.locate(root, "a")
    zconfig.destroy(root)
    with pytest.raises(ValueError, match="the root of config was destroyed"):
        zconfig.name(item)
    ours = zconfig.new("root")
    C.zconfig_put(ours, b"a", b"1")
    assert zconfig.get(ours, "a") == "1"


def test_nothing_leaks() -> None:
    """Trees, chunks and handles that nobody refers to are freed, once."""
    output = children.check(
        """
        import gc, resource
        from pyczmq import zconfig
        text = "a\\n    b = " + "x" * 60000 + "\\n"
        def round():
            for _ in range(100):
                config = zconfig.str_load(text)
                item = zconfig.locate(config, "a/b")
                chunk = zconfig.chunk_save(config)
                del config
                other = zconfig.chunk_load(chunk)
                zconfig.put(other, "a/b", None)
                zconfig.destroy(other)
            gc.collect(); gc.collect()
        round(); round()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(8):
            round()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        """
    )
    assert int(output) < 20_000


def test_exit_with_trees_alive() -> None:
    """The interpreter ends well with trees, walks and items left over; an exit handler that comes later is told."""
    children.check(
        """
        import atexit
        def late():
            try:
                zconfig.name(item)
            except ValueError as error:
                assert "destroyed at exit" in str(error)
            else:
                raise SystemExit("still there")
        atexit.register(late)
        from pyczmq import zconfig
        config = zconfig.str_load("a\\n    b = 1\\n")
        item = zconfig.child(config)
        walk = zconfig.walk(config)
        next(walk), next(walk)
        cycle = [config, item]
        cycle.append(cycle)
        """
    )
