"""Config: trees of items, their files, and what becomes of the items when the tree changes."""

from __future__ import annotations

import copy
import doctest
import errno
import gc
import os
import pickle
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import children
import pytest
from threads import in_use

from pyczmq import C, zconfig
from pyczmq.types import config as module
from pyczmq.types.config import Config

ZPL = """\
#   A comment

context
    iothreads = 1
    verbose = 1
main
    type = zqueue
    frontend
        option
            hwm = 1000
        bind = 'inproc://addr1'
        bind = "ipc://addr2"
"""
ODD_TEXT = ["", " two  spaces ", "100%s %n", "ä€😀", b"\xff\xfe", "\udcff", "#", "x" * 2**20]
DRAFTS = hasattr(C, "zconfig_remove")
needs_drafts = pytest.mark.skipif(not DRAFTS, reason="this libczmq is built without drafts")


@pytest.fixture
def config() -> Config:
    return Config.loads(ZPL)


def find(config: Config, path: str) -> Config:
    item = config.locate(path)
    assert item is not None
    return item


def shape(config: Config) -> list[tuple[str, str | None, int]]:
    """Return names, values and levels of all items."""
    return [(item.name, item.value, level) for item, level in config.walk()]


def test_docstring_examples_run() -> None:
    assert doctest.testmod(module).failed == 0


# ---------------------------------------------------------------- values


def test_values_by_path(config: Config) -> None:
    """Values are found by path from any item; the first of a name counts; an item with no value has an empty one."""
    assert config["context/iothreads"] == config["/context/iothreads"] == "1"
    assert config["main/frontend/bind"] == "inproc://addr1"
    assert find(config, "main/frontend")["option/hwm"] == "1000"
    assert config["main"] == "" and config.get("main", "x") == ""
    assert config.get("none") is None and config.get("none", "x") == "x" and config.get("none", 5) == 5
    assert "main/type" in config and "main/none" not in config and b"main/type" in config
    for path in "none", "main/none", "", "/", "main/", "a//b":
        with pytest.raises(KeyError) as caught:
            config[path]
        assert caught.value.args == (path,)


def test_setting_values() -> None:
    """Setting makes what is missing on the way; None is no value, which only an item in memory can have."""
    config = Config("root")
    config["server/port"] = "5555"
    config["server/port"] = b"5556"
    config["/server/host"] = "localhost"
    config["server"] = None
    assert shape(config) == [("root", None, 0), ("server", None, 1), ("port", "5556", 2), ("host", "localhost", 2)]
    server = find(config, "server")
    server["verbose"] = "true"
    server.value = "x"
    assert config["server"] == "x" and config["server/verbose"] == "true"
    server.value = None
    assert server.value is None and config["server"] == ""


@pytest.mark.parametrize("text", ODD_TEXT, ids=range(len(ODD_TEXT)))
def test_values_of_any_text(text: str | bytes, tmp_path: Path) -> None:
    """Bytes and characters come out as they went in, from memory, text and a file; no value is a format."""
    expected = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    config = Config()
    config["a/b"] = text
    find(config, "a").value = text
    find(config, "a").add("c", text)
    config.save(tmp_path / "file")
    for same in config, config.dup(), Config.loads(config.dumps()), Config.load(tmp_path / "file"):
        assert same["a"] == same["a/b"] == same["a/c"] == expected


def test_names() -> None:
    """A name is set at any time; a root can have none, which is empty."""
    config = Config("config")
    assert config.name == "config"
    config.name = "other"
    item = config.add("a")
    item.name = "b"
    assert config.name == "other" and "b" in config and "a" not in config
    assert Config(None).name == ""  # type: ignore[arg-type]


# ---------------------------------------------------------------- items


def test_items(config: Config) -> None:
    """The items below are iterated, walked, located, and there is one object for each."""
    assert [item.name for item in config] == [item.name for item in config.children] == ["context", "main"]
    main = config.children[1]
    assert main is find(config, "main") is find(config, "/main")
    assert [(item.name, level) for item, level in main.walk()] == [
        ("main", 0),
        ("type", 1),
        ("frontend", 1),
        ("option", 2),
        ("hwm", 3),
        ("bind", 2),
        ("bind", 2),
    ]
    assert config.walk()[0] == (config, 0)
    assert config.at_depth(0) is config and config.at_depth(1) is main and config.at_depth(9) is None
    assert [item.value for item in find(config, "main/frontend") if item.name == "bind"] == [
        "inproc://addr1",
        "ipc://addr2",
    ]
    assert config.locate("none") is None
    assert find(config, "main/type").children == []
    assert all(type(item) is Config for item, _ in config.walk())


def test_adding_items() -> None:
    """Items are added as the last ones, also a second of a name."""
    config = Config()
    server = config.add("server")
    port = server.add("port", "1")
    server.add("port", "2")
    assert port is find(config, "server/port") and server is config.children[0]
    assert [(item.name, item.value) for item in server] == [("port", "1"), ("port", "2")]
    assert server.value is None


def test_many_items() -> None:
    """There is a limit, and what is below it is quick enough to walk and copy."""
    config = Config()
    for number in range(100):
        section = config.add(f"{number}")
        for other in range(98):
            section.add(f"{other}", "x")
    copied = config.dup()
    assert shape(copied) == shape(config)
    assert len(config.walk()) == 1 + 100 * 99
    with pytest.raises(ValueError, match="CZMQ is not made for more than 10000"):
        for _ in range(1000):
            config.add("more")


def test_subclasses() -> None:
    """Items and copies are of the root's class."""

    class Settings(Config):
        pass

    settings = Settings.loads(ZPL)
    assert type(settings.locate("main")) is type(settings.dup()) is Settings
    assert repr(settings).startswith("<Settings")


def test_copies(config: Config) -> None:
    """A copy has the item and all below it, with comments, as a tree of its own."""
    find(config, "main").add_comment(" on main")
    for made in config.dup(), copy.copy(config), copy.deepcopy(config):
        assert shape(made) == shape(config) and str(made) == str(config)
        assert made.comments == ["   A comment"] and find(made, "main").comments == [" on main"]
        made["context/verbose"] = "0"
        made.close()
    assert config["context/verbose"] == "1"
    main = find(config, "main").dup()
    config.close()
    assert main.name == "main" and main["type"] == "zqueue" and main.comments == [" on main"]
    main.close()


def test_comments(config: Config) -> None:
    """Comments are added, a line each, replaced and deleted; each is saved ahead of its item."""
    assert config.comments == ["   A comment"]
    config.add_comment(" more")
    main = find(config, "main")
    main.comments = ["one", b"two"]
    assert config.comments == ["   A comment", " more"] and main.comments == ["one", "two"]
    assert str(config).index("#one\n#two\n") < str(config).index("\nmain")
    config.comments = []
    assert config.comments == [] and main.comments == ["one", "two"]


@pytest.mark.parametrize(
    ("lines", "error", "match"),
    [
        ("text", TypeError, "comments must be a list of lines"),
        (b"text", TypeError, "comments must be a list of lines"),
        (None, TypeError, "not iterable"),
        ([None], TypeError, "comment must be str or bytes"),
        (["fine", 1], TypeError, "comment must be str or bytes"),
        (["fine", "two\nlines"], ValueError, "comment must be one line"),
        (["a\0b"], ValueError, "comment must not contain a NUL"),
        (["\ud800"], ValueError, "surrogates"),
    ],
)
def test_comments_that_are_none(config: Config, lines: Any, error: type[Exception], match: str) -> None:
    """What is no comment is refused, and the comments of before stay, all of them."""
    with pytest.raises(error, match=match):
        config.comments = lines
    if isinstance(lines, list):
        with pytest.raises(error, match=match):
            config.add_comment(lines[-1])
    assert config.comments == ["   A comment"]


# ---------------------------------------------------------------- removing


@needs_drafts
def test_removing(config: Config) -> None:
    """An item goes with all below it: their objects are closed, all others stay as they are."""
    frontend, option, hwm = (find(config, f"main/frontend{rest}") for rest in ("", "/option", "/option/hwm"))
    main = find(config, "main")
    assert option.remove() is None
    for gone in option, hwm:
        assert gone.closed
        with pytest.raises(ValueError, match="the config is closed"):
            gone.value  # noqa: B018
        with pytest.raises(ValueError, match="the config is closed"):
            gone.remove()
        gone.close()
    assert not frontend.closed and [item.name for item in frontend] == ["bind", "bind"]
    del config["main/frontend/bind"]
    assert config["main/frontend/bind"] == "ipc://addr2"
    with pytest.raises(KeyError, match="none"):
        del config["main/none"]
    main.clear()
    assert frontend.closed and not main.closed and main.children == []
    config.clear()
    assert main.closed and config.children == [] and not config.closed
    config["main/type"] = "again"
    assert config["main/type"] == "again" and main.closed


@needs_drafts
def test_removing_what_is_iterated(config: Config) -> None:
    """An iteration goes over the items as they were at its start."""
    for item in config:
        item.remove()
    assert shape(config) == [("root", None, 0)]


def test_removing_a_root(config: Config) -> None:
    with pytest.raises(ValueError, match="a root cannot be removed"):
        config.remove()
    assert config["main/type"] == "zqueue"


@pytest.mark.skipif(DRAFTS, reason="this libczmq has drafts")
def test_removing_where_c_cannot(config: Config) -> None:
    """The error names the function and the library, and nothing has changed."""
    main = find(config, "main")
    before = str(config)
    for call, name in (
        (main.remove, "zconfig_remove"),
        (lambda: config.__delitem__("main"), "zconfig_remove"),
        (main.clear, "zconfig_remove_subtree"),
    ):
        with pytest.raises(AttributeError, match=f"{name} is not in this library"):
            call()
    with pytest.raises(KeyError):
        del config["none"]
    assert str(config) == before and not main.closed


# ---------------------------------------------------------------- files


def test_saving_and_loading(config: Config, tmp_path: Path) -> None:
    """A tree comes back from its file; an item is saved without its own name."""
    file = tmp_path / "file.cfg"
    assert config.save(file) is None
    loaded = Config.load(file)
    assert str(loaded) == str(config) and loaded.filename == str(file)
    assert config.filename is None and find(loaded, "main").filename is None
    find(config, "main").save(file)
    assert Config.load(file)["frontend/option/hwm"] == "1000"
    assert Config.loads(config.dumps().encode()).dumps() == config.dumps() == str(config)
    assert str(Config()) == Config().dumps() == "" and Config.loads("").children == []


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_file_names_of_any_type(config: Config, tmp_path: Path, kind: Callable[[Any], Any]) -> None:
    for name in "plain", "100%s%n", "with space", "ümläut", os.fsdecode(b"\xff"):
        config.save(kind(tmp_path / name))
        loaded = Config.load(kind(tmp_path / name))
        assert loaded["main/type"] == "zqueue" and loaded.filename == str(tmp_path / name)
        loaded.reload()
        assert loaded.filename == str(tmp_path / name)


def test_saving_to_the_standard_output() -> None:
    output = children.check(
        """
        from pyczmq.types.config import Config
        config = Config()
        config["a/b"] = "c"
        config.save("-")
        """
    )
    assert output == 'a\n    b = "c"\n'


@pytest.mark.parametrize("value", ['say "hi"', "two\nlines"])
def test_what_a_file_cannot_hold(config: Config, tmp_path: Path, value: str) -> None:
    """It is refused before anything is written; to look at it is possible."""
    file = tmp_path / "file"
    config.save(file)
    before = file.read_bytes()
    config["main/type"] = value
    for call in config.dumps, lambda: config.save(file):
        with pytest.raises(ValueError, match="config has a value, that of 'type'"):
            call()
    assert file.read_bytes() == before
    assert value in str(config) and value in config.dup()["main/type"]


def test_saving_where_that_is_impossible(config: Config, tmp_path: Path) -> None:
    """Each reason has its own OSError, which names the file."""
    (tmp_path / "folder").mkdir()
    for path, error in (
        (tmp_path / "missing" / "file", FileNotFoundError),
        (tmp_path / "folder", IsADirectoryError),
        (tmp_path / ("n" * 300), OSError),
        ("", FileNotFoundError),
    ):
        with pytest.raises(error) as caught:
            config.save(path)
        assert caught.value.filename == str(path) and caught.value.errno
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_saving_where_there_is_no_room(config: Config, tmp_path: Path) -> None:
    """What has not been written in full is an error."""
    program = """
        import resource, sys
        from signal import SIG_IGN, SIGXFSZ, signal
        from pyczmq.types.config import Config
        signal(SIGXFSZ, SIG_IGN)
        config = Config()
        config["a"] = "x" * 100000
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        try:
            config.save(sys.argv[1])
        except OSError as error:
            print(error.errno)
        """
    assert int(children.check(program, str(tmp_path / "file"))) in (errno.EFBIG, errno.ENOSPC)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Each reason has its own OSError, which names the file."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    for path, error in (
        (tmp_path / "missing", FileNotFoundError),
        (tmp_path / "folder", IsADirectoryError),
        (tmp_path / "loop", OSError),
        (tmp_path / ("n" * 300), OSError),
        ("", FileNotFoundError),
    ):
        with pytest.raises(error) as caught:
            Config.load(path)
        assert caught.value.filename == str(path) and caught.value.errno


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read_or_written(config: Config, tmp_path: Path) -> None:
    file = tmp_path / "file"
    config.save(file)
    file.chmod(0)
    with pytest.raises(PermissionError):
        Config.load(file)
    with pytest.raises(PermissionError):
        config.save(file)


UNSOUND = {
    "indent": b"   a = b\n",
    "level": b"a\n        b\n",
    "quote": b'a = "b\n',
    "name": b"===\n",
    "nul": b"a = b\0\n",
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("content", UNSOUND.values(), ids=list(UNSOUND))
def test_what_is_not_sound(tmp_path: Path, content: bytes) -> None:
    """A ValueError, from a file one that names it."""
    with pytest.raises(ValueError, match="string"):
        Config.loads(content)
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match="file' is not a sound configuration file"):
        Config.load(tmp_path / "file")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs")
def test_what_is_no_regular_file(tmp_path: Path) -> None:
    """Nothing waits for somebody to write into a FIFO."""
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ValueError, match="fifo' is not a sound"):
        Config.load(tmp_path / "fifo")


def test_reloading(config: Config, tmp_path: Path) -> None:
    """The root stays, with the file's items; the objects of the items of before are closed, and new ones are found."""
    file = tmp_path / "file"
    config.save(file)
    loaded = Config.load(file)
    assert not loaded.has_changed()
    main, kind, handle = find(loaded, "main"), find(loaded, "main/type"), loaded.handle
    config["main/type"] = "another, longer than before"
    config.save(file)
    assert loaded.has_changed() and loaded["main/type"] == "zqueue"
    assert loaded.reload() is None
    assert loaded["main/type"] == "another, longer than before" and not loaded.has_changed()
    assert loaded.handle is not handle and loaded.walk()[0][0] is loaded
    for gone in main, kind:
        assert gone.closed and repr(gone) == "<Config closed>"
        with pytest.raises(ValueError, match="the root of config was reloaded"):
            gone.value  # noqa: B018
        with pytest.raises(ValueError, match="config is closed"):
            gone.handle  # noqa: B018
    again = find(loaded, "main")
    assert again is not main and again["type"] == loaded["main/type"]
    main.close()
    assert not loaded.closed and not again.closed


def test_reloading_what_is_gone_or_broken(config: Config, tmp_path: Path) -> None:
    """The tree stays as it is, with the objects of its items."""
    file = tmp_path / "file"
    config.save(file)
    loaded = Config.load(file)
    main = find(loaded, "main")
    file.write_text("   broken\n")
    with pytest.raises(ValueError, match="file' is not a sound"):
        loaded.reload()
    file.unlink()
    with pytest.raises(FileNotFoundError):
        loaded.reload()
    with pytest.raises(ValueError, match="only the root"):
        main.reload()
    with pytest.raises(ValueError, match="was not loaded from a file"):
        config.reload()
    assert main["type"] == loaded["main/type"] == "zqueue"


# ---------------------------------------------------------------- misuse


@pytest.mark.parametrize(
    ("bad", "error", "match"),
    [
        (None, TypeError, "must be str or bytes"),
        (1, TypeError, "must be str or bytes"),
        (2**70, TypeError, "must be str or bytes"),
        (object(), TypeError, "must be str or bytes"),
        (Config(), TypeError, "must be str or bytes"),
        ("a\0b", ValueError, "must not contain a NUL"),
        ("\ud800", ValueError, "surrogates"),
    ],
)
def test_what_is_no_text(config: Config, bad: Any, error: type[Exception], match: str) -> None:
    """Paths, names, values and texts of another type are refused by their names; nothing has changed."""
    before = str(config)
    calls: dict[str, list[Callable[[], Any]]] = {
        "path": [
            lambda: config[bad],
            lambda: config.get(bad, "x"),
            lambda: config.__setitem__(bad, "x"),
            lambda: config.__delitem__(bad),
            lambda: bad in config,
            lambda: config.locate(bad),
        ],
        "name": [lambda: config.add(bad), lambda: setattr(find(config, "main"), "name", bad)],
        "value": [
            lambda: config.__setitem__("a/b", bad),
            lambda: config.add("a", bad),
            lambda: setattr(config, "value", bad),
        ],
        "string": [lambda: Config.loads(bad)],
    }
    for name, uses in calls.items():
        for use in uses:
            if bad is None and name in ("name", "value"):
                continue
            with pytest.raises(error, match=match) as caught:
                use()
            assert "surrogates" in str(caught.value) or str(caught.value).startswith(name)
    assert str(config) == before


def test_further_misuse(config: Config) -> None:
    with pytest.raises(ValueError, match="path must not have an empty part"):
        config["a//b"] = "x"
    with pytest.raises(ValueError, match="name must not be None"):
        config.add(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="name must not be None"):
        find(config, "main").name = None  # type: ignore[assignment]
    for level, error in ((-1, ValueError), (2**70, ValueError), ("1", TypeError), (None, TypeError), (1.5, TypeError)):
        with pytest.raises(error, match="level must be"):
            config.at_depth(level)  # type: ignore[arg-type]
    for bad in None, 1, object(), ["x"]:
        for use in Config.load, config.save:
            with pytest.raises(TypeError, match=r"path must be str, bytes or os\.PathLike"):
                use(bad)
            with pytest.raises(ValueError, match="path must not contain a NUL byte"):
                use("a\0b")
    with pytest.raises(TypeError):
        len(config)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        config.port = "5555"  # type: ignore[attr-defined]
    assert bool(Config())


# ---------------------------------------------------------------- life and death

USES: dict[str, Callable[[Config], Any]] = {
    "name": lambda config: config.name,
    "set name": lambda config: setattr(config, "name", "x"),
    "value": lambda config: config.value,
    "set value": lambda config: setattr(config, "value", "x"),
    "[]": lambda config: config["main"],
    "set []": lambda config: config.__setitem__("main", "x"),
    "del []": lambda config: config.__delitem__("main"),
    "in": lambda config: "main" in config,
    "get": lambda config: config.get("main"),
    "children": lambda config: config.children,
    "iteration": list,
    "walk": lambda config: config.walk(),
    "locate": lambda config: config.locate("main"),
    "at_depth": lambda config: config.at_depth(0),
    "add": lambda config: config.add("a"),
    "clear": lambda config: config.clear(),
    "dup": lambda config: config.dup(),
    "copy": copy.copy,
    "comments": lambda config: config.comments,
    "set comments": lambda config: setattr(config, "comments", []),
    "add_comment": lambda config: config.add_comment("x"),
    "save": lambda config: config.save("file"),
    "dumps": lambda config: config.dumps(),
    "str": str,
    "filename": lambda config: config.filename,
    "has_changed": lambda config: config.has_changed(),
    "reload": lambda config: config.reload(),
}


@pytest.mark.parametrize("use", [*USES.values(), lambda item: item.remove()], ids=[*USES, "remove"])
def test_use_of_what_is_closed(config: Config, use: Callable[[Config], Any]) -> None:
    """After close every method raises, also of an item whose tree was closed or destroyed by other means."""
    item = find(config, "main")
    with config as same:
        assert same is config and not config.closed and not item.closed
    assert config.closed and item.closed
    config.close()
    other = Config.loads(ZPL)
    orphan = find(other, "main")
    zconfig.destroy(other.handle)
    assert other.closed and orphan.closed
    for gone, reason in (
        (config, "the config is closed"),
        (other, "the config is closed"),
        (item, "the root of config was destroyed"),
        (orphan, "the root of config was destroyed"),
    ):
        with pytest.raises(ValueError, match=reason):
            use(gone)
        with pytest.raises(ValueError, match="the config is closed"):
            gone.handle  # noqa: B018
        with pytest.raises(ValueError, match="the config is closed"), gone:
            pass
        assert repr(gone) == "<Config closed>"
    item.close()
    assert not os.path.exists("file")


@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
def test_use_in_two_threads(config: Config, use: Callable[[Config], Any]) -> None:
    """While another thread is in a method of any item of the tree, every method of every item raises."""
    main, context = find(config, "main"), find(config, "context")
    for busy in config, main:
        with in_use(busy):
            for item in config, main, context:
                with pytest.raises(RuntimeError, match="the config is in use in another thread"):
                    use(item)
                with pytest.raises(RuntimeError, match="in use"):
                    item.close()
    assert config["main/type"] == "zqueue"


def test_closing_an_item(config: Config) -> None:
    """That closes the item's object alone; the tree stays, and the item is found again."""
    with find(config, "main") as main:
        kind = find(main, "type")
    assert main.closed and not kind.closed and not config.closed
    with pytest.raises(ValueError, match="the config is closed"):
        main.children  # noqa: B018
    assert kind.value == "zqueue"
    again = find(config, "main")
    assert again is not main and not again.closed and find(again, "type") is kind


def test_items_keep_the_tree_alive() -> None:
    """The tree lives as long as any item's object; then it goes."""
    root = Config.loads(ZPL)
    hwm = find(root, "main/frontend/option/hwm")
    gone = weakref.ref(root)
    del root
    gc.collect()
    assert hwm.value == "1000" and gone() is not None
    del hwm
    for _ in range(3):
        gc.collect()
    assert gone() is None


def test_objects_of_items_come_and_go(config: Config) -> None:
    """An item whose object was dropped has another when it is found again."""
    for _ in range(20):
        for item, _level in config.walk():
            item.comments = []
        del item
        gc.collect()
    assert config.dumps().count("\n") == 10


def test_the_handle_is_the_namespaces(config: Config) -> None:
    """Handles work with zconfig, and what zconfig does shows."""
    main = find(config, "main")
    assert zconfig.name(main.handle) == "main"
    zconfig.put(main.handle, "type", "other")
    assert config["main/type"] == "other"
    assert zconfig.locate(config.handle, "main") is main.handle


def test_repr(config: Config, tmp_path: Path) -> None:
    """It shows the name, the file and how many items there are, but no value: that may be a secret."""
    assert repr(config) == "<Config 'root': 2 items>"
    config["server/password"] = "secret"
    assert repr(find(config, "server")) == "<Config 'server': 1 item>"
    assert "secret" not in repr(find(config, "server/password"))
    config.save(tmp_path / "file")
    assert repr(Config.load(tmp_path / "file")) == f"<Config 'root' from {str(tmp_path / 'file')!r}: 3 items>"
    with in_use(config):
        assert repr(config) == "<Config in use in another thread>"


def test_no_pickling(config: Config) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(config, protocol)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forked_children_and_exit() -> None:
    """A tree is plain memory: a forked child uses it too, and the end of the program finds it alive."""
    output = children.check(
        """
        import os
        from pyczmq.types.config import Config
        config = Config()
        item = config.add("a", "1")
        child = os.fork()
        if not child:
            item.value = "2"
            print(config["a"], flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print(config["a"])
        """
    )
    assert output.split() == ["2", "1"]
