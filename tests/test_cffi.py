"""The dlopen layer: what `C` answers for, what it says when it cannot, and where it looks for libczmq."""

from __future__ import annotations

from pathlib import Path

import children
import pytest

from pyczmq import C, _coverage, _declarations, ffi, zstr

ROOT = Path(__file__).resolve().parents[1]


def library_file() -> str:
    """The path of the libczmq that is loaded, as the system's linker found it."""
    path = _coverage.file("czmq")
    if path is None:
        pytest.skip("only Linux tells which libraries a process has loaded")
    return path


def test_every_exported_symbol_is_reachable() -> None:
    """Each public symbol of the libraries that are loaded is reached through C under its own name."""
    symbols = _coverage.exported()
    if symbols is None:
        pytest.skip("nm (binutils) is not installed")
    assert len(symbols) > 700
    assert sorted(name for name in symbols if not hasattr(C, name)) == []


def test_retired_functions_are_reachable() -> None:
    """Each CZMQ 2 function that is declared is reached through C, although libczmq 4 has none of them."""
    retired = [name for name, declaration in _declarations.functions().items() if declaration.state == "retired"]
    assert len(retired) > 100
    assert [name for name in retired if not callable(getattr(C, name, None))] == []


def test_missing_function_names_itself_and_the_library() -> None:
    """A declared function that the library lacks is an AttributeError at use, with its name and the version."""
    lacking = [name for name in ("zargs_new", "zproc_new", "ztrie_new", "zhttp_client_new") if not hasattr(C, name)]
    if not lacking:
        pytest.skip("this libczmq was built with all draft classes")
    major, minor, patch = (ffi.new("int *") for _ in range(3))
    C.zsys_version(major, minor, patch)
    with pytest.raises(AttributeError, match=rf"{lacking[0]} .*libczmq {major[0]}\.{minor[0]}\.{patch[0]}"):
        getattr(C, lacking[0])


def test_unknown_name_is_an_attribute_error() -> None:
    """A name that nobody declares is said to be that."""
    with pytest.raises(AttributeError, match=r"'zctx_frobnicate'.*declares"):
        _ = C.zctx_frobnicate


def test_names_are_resolved_once() -> None:
    """After its first use a function is an attribute of C, so that the second use costs one look-up."""
    first = C.zclock_time
    assert vars(C)["zclock_time"] is first
    assert C.zclock_time is first


def test_variables_are_live() -> None:
    """C's variables are read and written in place, and never remembered."""
    assert C.zsys_interrupted == 0
    C.zsys_interrupted = 1
    try:
        assert C.zsys_interrupted == 1
    finally:
        C.zsys_interrupted = 0
    assert C.zsys_interrupted == 0


def test_constants_and_functions_of_libzmq() -> None:
    """C answers for libzmq too: the copy that libczmq runs on."""
    assert C.ZMQ_PUSH == 8
    context = C.zmq_ctx_new()
    assert C.zmq_ctx_term(context) == 0


def test_dir_lists_all() -> None:
    """dir(C) has every declared function, and the retired ones."""
    assert set(_declarations.functions()) <= set(dir(C))


def test_repr_tells_the_libraries() -> None:
    """repr(C) tells which libraries are open."""
    assert "libczmq" in repr(C)
    assert "libzmq" in repr(C)


def test_null_signal_handling() -> None:
    """Opening the library leaves Python's handlers in place when the first socket is made."""
    output = children.check(
        """
        import signal
        from pyczmq import C, ffi
        C.zsock_destroy_checked(ffi.new("zsock_t **", C.zsock_new(8)), b"", 0)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        signal.signal(signal.SIGTERM, lambda *_: print("python"))
        C.zsock_destroy_checked(ffi.new("zsock_t **", C.zsock_new(8)), b"", 0)
        signal.raise_signal(signal.SIGTERM)
        """
    )
    assert output == "python\n"


SHOW = "from pyczmq import C; print(C._path)"


def test_library_variable_is_honoured() -> None:
    """PYCZMQ_LIBRARY names the library to open: an absolute path, or a name for the system's linker."""
    path = library_file()
    assert children.check(SHOW, PYCZMQ_LIBRARY=path).strip() == path
    assert children.check(SHOW, PYCZMQ_LIBRARY=Path(path).name).strip() == Path(path).name


def test_library_variable_is_not_passed_over() -> None:
    """A PYCZMQ_LIBRARY that cannot be opened is an error; the system's library does not step in unasked."""
    done = children.run(SHOW, PYCZMQ_LIBRARY="/nonexistent/libczmq.so.4")
    assert done.status == 1
    assert "ImportError" in done.errors
    assert "/nonexistent/libczmq.so.4" in done.errors


def test_relative_library_is_refused() -> None:
    """A relative path would open another file in each working directory."""
    done = children.run(SHOW, PYCZMQ_LIBRARY="lib/libczmq.so.4")
    assert done.status == 1
    assert "'lib/libczmq.so.4'; give an absolute path" in done.errors


def test_no_library_says_what_was_tried(tmp_path: Path) -> None:
    """Where no libczmq can be opened, the error lists each name, why it failed, and how to install one."""
    for name in ("libczmq.so.4", "libczmq.so.3", "libczmq.so"):
        # The linker looks here first, and an empty file ends its search.
        (tmp_path / name).touch()
    done = children.run(SHOW, LD_LIBRARY_PATH=str(tmp_path), PYCZMQ_LIBRARY="")
    assert done.status == 1
    for text in ("libczmq.so.4: ", "file too short", "apt install", "dnf", "brew", "conda", "PYCZMQ_LIBRARY"):
        assert text in done.errors


def test_plain_checkout_gives_the_same() -> None:
    """From a checkout with nothing built the headers are parsed at import, with the same result."""
    program = """
        import pyczmq, sys
        from pyczmq import C, ffi
        print(pyczmq.__file__)
        print(sorted(set(dir(C))))
        print(ffi.sizeof("zmq_msg_t"), ffi.sizeof("zmq_pollitem_t"), ffi.typeof("zloop_fn *").cname)
    """
    here, *installed = children.check(program).splitlines()
    there, *checkout = children.check(program, PYTHONPATH=str(ROOT)).splitlines()
    assert Path(there).parent == ROOT / "pyczmq"
    assert here != there or not Path(here).with_name("_abi.py").exists()
    assert installed == checkout


def test_import_is_lazy_and_light() -> None:
    """Importing pyczmq opens no library; the first use of zctx, zsocket, zstr imports nothing heavy."""
    output = children.check(
        """
        import sys, threading
        before = set(sys.modules)
        import pyczmq
        assert "pyczmq._cffi" not in sys.modules
        from pyczmq import zctx, zsocket, zstr, zmq
        ctx = zctx.new()
        push = zsocket.new(ctx, zmq.PUSH)
        pull = zsocket.new(ctx, zmq.PULL)
        zsocket.bind(push, "inproc://light")
        zsocket.connect(pull, "inproc://light")
        zstr.send(push, "x")
        assert zstr.recv(pull) == "x"
        print(sorted(set(sys.modules) - before))
        """
    )
    heavy = {"cffi", "pycparser", "typing", "asyncio", "inspect", "logging", "dataclasses", "subprocess", "enum"}
    loaded = set(eval(output))
    if "pyczmq._abi" in loaded:
        assert loaded & heavy == set()


def test_unknown_namespace() -> None:
    """A name that is no namespace is an AttributeError of the package."""
    import pyczmq

    with pytest.raises(AttributeError, match="zfrobnicate"):
        _ = pyczmq.zfrobnicate


def test_surrogates_are_no_names() -> None:
    """A name with a lone surrogate is an AttributeError like any other that is not there."""
    for name in "zstr_\ud800", "zstr_\udc80", "zstr_é":
        with pytest.raises(AttributeError):
            getattr(C, name)
        with pytest.raises(AttributeError):
            getattr(zstr, name)
