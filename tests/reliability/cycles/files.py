"""Cycles that read and write files, in an empty folder of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cycles import both, cycle, optional, prepared
from pyczmq import zcert, zcertstore, zchunk, zconfig, zdir, zdir_patch, zfile, zframe, zhash, zhashx, zmsg, zsys

#: Made before the first cycle is run; the measuring process has changed to an empty folder by then.
TEXT = "root\n    name = value\n"


def _file(name: str = "present", content: str = TEXT) -> str:
    path = Path(name)
    if not path.exists():
        path.write_text(content)
    return name


def _folder() -> str:
    folder = Path("folder")
    if not folder.exists():
        (folder / "below").mkdir(parents=True)
        for name in ("one", "two", "below/three"):
            (folder / name).write_text(name)
    return "folder"


both("zfile.new", lambda: zfile.new(None, _file()), lambda made: zfile.destroy(made))
both("zfile.dup", lambda: zfile.dup(zfile.new(".", _file())), lambda made: zfile.destroy(made))
both("zfile.tmp", lambda: optional(zfile.tmp), lambda made: zfile.destroy(made))
both("zdir.new", lambda: zdir.new(_folder()), lambda made: zdir.destroy(made))
both("zdir_patch.new", lambda: _patch(), lambda made: zdir_patch.destroy(made))
both("zdir_patch.dup", lambda: zdir_patch.dup(_patch()), lambda made: zdir_patch.destroy(made))
both("zconfig.load", lambda: zconfig.load(_file()), lambda made: zconfig.destroy(made))
both("zconfig.loadf", lambda: zconfig.loadf("%s", _file()), lambda made: zconfig.destroy(made))
both("zchunk.slurp", lambda: zchunk.slurp(_file()), lambda made: zchunk.destroy(made))
both("zcertstore.new of a folder", lambda: zcertstore.new(_certificates()), lambda made: zcertstore.destroy(made))
both("zcert.load", lambda: zcert.load(f"{_certificates()}/one"), lambda made: zcert.destroy(made))


def _patch() -> Any:
    return zdir_patch.new(".", zfile.new(".", _file()), 1, "/alias")


def _certificates() -> str:
    if not os.path.exists("certificates"):
        os.mkdir("certificates")
        for name in ("one", "two"):
            zcert.save(zcert.new(), f"certificates/{name}")
    return "certificates"


@cycle("zfile, a tour")
def _zfile() -> None:
    file = zfile.new(".", _file())
    zfile.filename(file)
    zfile.filename(file, ".")
    zfile.restat(file)
    zfile.modified(file)
    zfile.cursize(file)
    zfile.is_directory(file)
    zfile.is_regular(file)
    zfile.is_readable(file)
    zfile.is_writeable(file)
    zfile.is_stable(file)
    zfile.has_changed(file)
    zfile.digest(file)
    assert zfile.input(file) == 0
    zfile.readln(file)
    zfile.read(file, 10)
    zfile.read(file, 100, 10)
    zfile.eof(file)
    zfile.handle(file)
    zfile.close(file)
    # Left open: it is closed when it is destroyed.
    zfile.input(file)
    out = zfile.new(None, "written")
    assert zfile.output(out) == 0
    zfile.write(out, "text")
    zfile.write(out, zchunk.new(b"chunk"), 100)
    zfile.close(out)
    zfile.remove(out)
    zfile.exists("present")
    zfile.size("present")
    zfile.mode("present")
    zfile.stable("present")
    zfile.delete("none")
    zfile.mkdir("made/below")
    zfile.rmdir("made/below")
    zfile.rmdir("made")
    zfile.mode_private()
    zfile.mode_default()
    absent = zfile.new(None, "absent")
    assert zfile.input(absent) == -1


@cycle("zdir, a tour")
def _zdir() -> None:
    older = zdir.new(_folder())
    newer = zdir.new(_folder(), "-")
    zdir.path(newer)
    zdir.modified(newer)
    zdir.cursize(newer)
    zdir.count(newer)
    zdir.list(newer)
    zdir.flatten(newer)
    zdir.flatten_free(zdir.flatten(newer))
    zdir.diff(None, newer, "/alias")
    zdir.diff(older, None)
    zdir.resync(newer, "/alias")
    zdir.cache(newer)
    zdir.print(newer)
    zdir.dump(newer)
    zdir.new("absent")


@cycle("zdir.remove")
def _zdir_remove() -> None:
    os.mkdir("passing")
    Path("passing/file").write_text("text")
    zdir.remove(zdir.new("passing"), True)
    assert not os.path.exists("passing")


@cycle("zdir_patch, a tour")
def _zdir_patch() -> None:
    patch = _patch()
    zdir_patch.path(patch)
    zdir_patch.file(patch)
    zdir_patch.op(patch)
    zdir_patch.vpath(patch)
    zdir_patch.digest_set(patch)
    zdir_patch.digest(patch)


@cycle("certificates are saved and looked up")
def _certificates_tour() -> None:
    cert = zcert.new_from_txt(PUBLIC, SECRET)
    zcert.set_meta(cert, "name", "value")
    assert zcert.save(cert, "saved") == zcert.save_public(cert, "public") == zcert.save_secret(cert, "secret") == 0
    zcert.load("absent")
    store = zcertstore.new(_certificates())
    zcertstore.lookup(store, PUBLIC)
    zcertstore.print(store)


PUBLIC, SECRET = (text(zcert.new()) for text in (zcert.public_txt, zcert.secret_txt))


@prepared("zconfig: files")
def _zconfig() -> Iterator[Any]:
    config = zconfig.load(_file())
    assert config is not None

    def tour() -> None:
        zconfig.save(config, "config")
        zconfig.savef(config, "%s", "config")
        again = zconfig.load("config")
        assert again is not None
        zconfig.has_changed(again)
        zconfig.filename(again)
        zconfig.destroy(zconfig.reload(again))
        zconfig.load("absent")
        zconfig.save(config, "absent/config")
        with open("printed", "w") as file:
            zconfig.fprint(config, file)

    yield tour


@cycle("zhash: files")
def _zhash() -> None:
    table = zhash.new()
    zhash.insert(table, "key", "text")
    zhash.comment(table, "a comment")
    zhash.save(table, "table")
    zhash.load(table, "table")
    zhash.refresh(table)
    zhash.load(table, "absent")
    extended = zhashx.new()
    zhashx.insert(extended, "key", "text")
    zhashx.comment(extended, "a comment")
    zhashx.save(extended, "table")
    zhashx.load(extended, "table")
    zhashx.refresh(extended)
    zhashx.load(extended, "absent")


@cycle("zchunk: files")
def _zchunk() -> None:
    chunk = zchunk.new(b"content")
    with open("chunk", "wb") as file:
        zchunk.write(chunk, file)
    with open("chunk", "rb") as file:
        zchunk.destroy(zchunk.read(file, 100))
    with open("printed", "w") as text:
        zchunk.fprint(chunk, text)
    zchunk.slurp("absent")


@cycle("zmsg and zframe: files")
def _zmsg() -> None:
    message = zmsg.new()
    zmsg.addstr(message, "frame")
    with open("message", "wb") as file:
        zmsg.save(message, file)
    with open("message", "rb") as file:
        zmsg.destroy(zmsg.load(None, file))
    frame = zmsg.first(message)
    with open("printed", "w") as text:
        zmsg.fprint(message, text)
        zmsg.dump_to_stream(message, text)
        zframe.fprint(frame, "prefix", text)
        zframe.print_to_stream(frame, "prefix", text)
    zmsg.destroy(message)


@cycle("zsys: files")
def _zsys() -> None:
    zsys.file_exists(_file())
    zsys.file_size("present")
    zsys.file_modified("present")
    zsys.file_mode("present")
    zsys.file_stable("present")
    zsys.file_delete("absent")
    zsys.dir_create("%s/%s", "made", "below")
    zsys.dir_delete("%s/%s", "made", "below")
    zsys.dir_delete("made")
    zsys.dir_change(".")
    zsys.file_mode_private()
    zsys.file_mode_default()
