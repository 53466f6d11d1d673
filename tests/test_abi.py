"""The C declarations are those of the installed CZMQ and libzmq.

ABI mode has no compiler to catch a wrong prototype: a call through one would crash or, worse, not crash. So these tests
let a compiler read the libraries' own headers and then ours in one file. C refuses a redeclaration that conflicts, and
static assertions compare what it cannot redeclare: constants, structs, and the sizes of integer types.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cffi import FFI

from pyczmq import _build, _declarations

FOLDER = Path(_build.HEADERS)

#: The headers of draft classes, which a stable installation lacks though its ``czmq_library.h`` includes them.
DRAFT_CLASSES = (
    "zargs",
    "zhttp_client",
    "zhttp_request",
    "zhttp_response",
    "zhttp_server",
    "zhttp_server_options",
    "zosc",
    "zproc",
    "ztimerset",
    "ztrie",
)

#: Read by cffi only, since the C library has these types: their sizes are compared.
CFFI_ONLY = ("libc.h", "posix.h", "windows.h")

STRUCTS = ("zmq_msg_t", "zmq_pollitem_t", "zmq_poller_event_t")

#: Constants whose value changed, with the libzmq that has ours.
CHANGED = {"ZMQ_RECONNECT_STOP_AFTER_DISCONNECT": 40305}

#: A Mac's mode_t is an unsigned short. It is only ever returned, and comes back widened.
NARROWER = ("mode_t",)


def compiler() -> str:
    """Return the C compiler, or skip the test."""
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        if name and shutil.which(name.split()[0]):
            return name
    pytest.skip("no C compiler is installed")


def check(source: str, where: Path) -> subprocess.CompletedProcess[str]:
    """Let the compiler read *source*; nothing is generated."""
    path = where / "abi.c"
    path.write_text(source, encoding="utf-8")
    stubs = where / "stubs"
    stubs.mkdir(exist_ok=True)
    for name in DRAFT_CLASSES:
        (stubs / f"{name}.h").touch()
    flags = ["-fsyntax-only", "-std=gnu11", "-Wall", "-Werror", *os.environ.get("CFLAGS", "").split()]
    # The stubs stand in for headers that are found nowhere else.
    command = [*compiler().split(), *flags, *pkg_config(), "-idirafter", str(stubs), str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def pkg_config() -> list[str]:
    """Return the compiler flags for headers that are installed in an unusual place."""
    try:
        asked = subprocess.run(["pkg-config", "--cflags", "libczmq"], capture_output=True, text=True, check=False)
    except OSError:
        return []
    return asked.stdout.split() if asked.returncode == 0 else []


def parse(where: Path) -> FFI:
    """Return a cffi.FFI that has read the headers in *where*."""
    ffi = FFI()
    for path in _declarations.headers(where):
        ffi.cdef(path.read_text(encoding="utf-8"))
    return ffi


def fields(ffi: FFI, ctype: FFI.CType) -> list[tuple[str, int, int]]:
    """Return (name, offset, size) of a struct's fields; those of a nameless union count as the struct's own."""
    found = []
    for name, field in ctype.fields:
        if name:
            found.append((name, field.offset, ffi.sizeof(field.type)))
        else:
            found += [(inner, field.offset + offset, size) for inner, offset, size in fields(ffi, field.type)]
    return found


def compare_struct(ffi: FFI, name: str) -> list[str]:
    """Return assertions that C lays a struct out as cffi does."""
    lines = [
        f'_Static_assert (sizeof ({name}) == {ffi.sizeof(name)}, "size of {name}");',
        f'_Static_assert (_Alignof ({name}) == {ffi.alignof(name)}, "alignment of {name}");',
    ]
    for field, offset, size in fields(ffi, ffi.typeof(name)):
        if field == "alignment":  # ours alone
            continue
        lines.append(f'_Static_assert (offsetof ({name}, {field}) == {offset}, "offset of {name}.{field}");')
        lines.append(f'_Static_assert (sizeof ((({name} *) 0)->{field}) == {size}, "size of {name}.{field}");')
    return lines


def compare_integer(ffi: FFI, name: str) -> list[str]:
    """Return assertions that an integer type of the C library has the size and sign that cffi gives it."""
    signed = int(ffi.cast(name, -1)) < 0
    wider = ">=" if name in NARROWER and sys.platform == "darwin" else "=="
    return [
        f'_Static_assert ({ffi.sizeof(name)} {wider} sizeof ({name}), "size of {name}");',
        f'_Static_assert ((({name}) -1 < 0) == {int(signed)}, "sign of {name}");',
    ]


def program(where: Path) -> str:
    """Return the C file that includes the installed headers, compares, and then includes the headers in *where*."""
    ffi = parse(where)
    lines = [
        "#define ZMQ_BUILD_DRAFT_API 1",
        "#define CZMQ_BUILD_DRAFT_API 1",
        "#include <czmq.h>",
        "#include <stddef.h>",
        "#include <stdarg.h>",
    ]
    if os.name != "nt":
        lines += ["#include <signal.h>", "#include <sys/uio.h>", *compare_struct(ffi, "struct iovec")]
    for name in STRUCTS:
        lines += compare_struct(ffi, name)
    for name, declaration in _declarations.typedefs(where).items():
        if declaration.header in CFFI_ONLY and ffi.typeof(name).kind == "primitive":
            lines += compare_integer(ffi, name)
    for name, declaration in _declarations.constants(where).items():
        known = f"defined {name}"
        if name in CHANGED:
            known += f" && ZMQ_VERSION >= {CHANGED[name]}"
        lines += [f"#if {known}", f'_Static_assert ({name} == {declaration.text}, "{name}");', "#endif"]
    # Constants would be defined twice, and czmq.h has macros of the names of functions.
    lines += [f"#undef {name}" for name in (*_declarations.constants(where), *_declarations.functions(where))]
    for path in _declarations.headers(where):
        if path.name in CFFI_ONLY:
            continue
        # C refuses a struct that is defined twice, even alike.
        hide = STRUCTS if path.name == "zmq_types.h" else ()
        lines += [f"#define {name} our_{name}" for name in hide]
        lines.append(f'#include "{path.resolve().as_posix()}"')
        lines += [f"#undef {name}" for name in hide]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip the tests of a machine that has no headers of CZMQ."""
    asked = check("#include <czmq.h>\n", tmp_path_factory.mktemp("headers"))
    if asked.returncode and re.search(r"czmq\.h.*(not found|No such file)|Cannot open", asked.stderr):
        pytest.skip("the headers of CZMQ are not installed")
    assert asked.returncode == 0, asked.stderr


@pytest.mark.usefixtures("installed")
def test_the_compiler_finds_no_difference(tmp_path: Path) -> None:
    """Every prototype, struct, constant and integer type is what the installed headers say."""
    asked = check(program(FOLDER), tmp_path)
    assert asked.returncode == 0, asked.stderr


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("header", "right", "wrong", "complaint"),
    [
        ("zframe.h", "size_t zframe_size (zframe_t *self)", "int zframe_size (zframe_t *self)", "zframe_size"),
        ("zmsg.h", "int zmsg_send (zmsg_t **self_p,", "int zmsg_send (zmsg_t *self_p,", "zmsg_send"),
        ("zframe.h", "zframe_routing_id (zframe_t *self)", "zframe_routing_id (zmsg_t *self)", "zframe_routing_id"),
        ("zmq.h", "zmq_poll (zmq_pollitem_t *items,", "zmq_poll (void *items,", "zmq_poll"),
        ("zloop.h", "(zloop_timer_fn) (zloop_t *loop, int", "(zloop_timer_fn) (zloop_t *loop, long", "zloop_timer_fn"),
        ("zsys.h", "volatile int zsys_interrupted", "volatile long zsys_interrupted", "zsys_interrupted"),
        ("zmq_types.h", "    short events;\n    short revents;", "    int events;\n    int revents;", "zmq_pollitem_t"),
        ("zmq_types.h", "_[64];", "_[63];", "zmq_msg_t"),
        ("zmq_constants.h", "ZMQ_PUSH 8", "ZMQ_PUSH 7", "ZMQ_PUSH"),
        ("libc.h", "size_t iov_len;", "char iov_len;", "iovec.iov_len"),
    ],
)
def test_the_compiler_finds_a_mistake(tmp_path: Path, header: str, right: str, wrong: str, complaint: str) -> None:
    """One wrong declaration makes that very compilation fail, so that the test above is able to."""
    where = tmp_path / "_cdef"
    shutil.copytree(FOLDER, where)
    path = where / header
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    asked = check(program(where), tmp_path)
    assert asked.returncode != 0
    assert complaint in asked.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows opens no library without a name")
def test_cffi_and_the_light_parser_read_the_same(tmp_path: Path) -> None:
    """The tests' parser misses no name that cffi finds in the headers, and makes none up."""
    ffi = parse(FOLDER)
    ffi.set_source("declared_names", None)
    path = tmp_path / "declared_names.py"
    ffi.emit_python_code(str(path))
    names: dict[str, FFI] = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    read = {*_declarations.functions(), *_declarations.variables(), *_declarations.constants()}
    assert set(dir(names["ffi"].dlopen(None))) == read


def test_no_name_is_declared_twice() -> None:
    """Each function is declared in one header, on one line."""
    lines = [
        line
        for path in _declarations.headers()
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.endswith(");") and not line.startswith("typedef")
    ]
    assert len(lines) == len(_declarations.functions())


def test_what_was_added_and_dropped_is_marked() -> None:
    """Each function is known to be stable, draft, newer or retired."""
    known = _declarations.functions()
    states = {
        "zframe_size": "stable",
        "zframe_routing_id": "draft",
        "ztrie_new": "draft",
        "zmq_msg_send": "stable",
        "zmq_poller_new": "draft",
        "zmq_disconnect_peer": "newer",
        "zctx_new": "retired",
        "zsocket_set_curve_serverkey_bin": "retired",
        "zpoller_ignore_interrupts": "retired",
    }
    assert {name: known[name].state for name in states} == states
    assert known["zpoller_wait"] == ("void *zpoller_wait (zpoller_t *self, int timeout)", "zpoller.h", "stable")


def test_every_option_of_zsock_is_one_of_zsocket() -> None:
    """Each getter and setter of zsock has its counterpart in the CZMQ 2 class, with the same C types."""
    known = _declarations.functions()
    option = re.compile(r"(?:int|SOCKET|char \*|void) ?zsock_(?:set_\w+ \(void \*self, [^,]+\)|\w+ \(void \*self\))$")
    others = ("zsock_wait", "zsock_flush", "zsock_set_unbounded")
    checked = 0
    for name, declaration in known.items():
        if option.match(declaration.text) and name not in others:
            theirs = known[name.replace("zsock_", "zsocket_")].text
            assert theirs == declaration.text.replace("zsock_", "zsocket_").replace("*self", "*zocket")
            checked += 1
    assert checked > 150
