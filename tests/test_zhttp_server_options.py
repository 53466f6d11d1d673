"""zhttp_server_options: what an HTTP server is to know."""

from __future__ import annotations

import gc
from typing import Any

import pytest
import without_drafts
from http_peers import ODD_TEXT, needs_drafts, text

from pyczmq import C, ffi, zconfig, zhttp_server_options

FAKE = ffi.cast("zhttp_server_options_t *", 8)
#: Every function with arguments that are right, but for the handle.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "new": (),
    "from_config": (ffi.cast("zconfig_t *", 8),),
    "destroy": (FAKE,),
    "port": (FAKE,),
    "set_port": (FAKE, 80),
    "backend_address": (FAKE,),
    "set_backend_address": (FAKE, "inproc://x"),
    "test": (),
}
WITH_HANDLE = [name for name, arguments in ARGUMENTS.items() if arguments and arguments[0] is FAKE]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_without_drafts(name: str) -> None:
    """On a library without drafts each function names itself and the library's version."""
    without_drafts.refuses(zhttp_server_options, ARGUMENTS, name)


@needs_drafts
def test_defaults_and_changes() -> None:
    """New options have port 8080 and an address of their own; both can be set."""
    options, other = zhttp_server_options.new(), zhttp_server_options.new()
    assert zhttp_server_options.port(options) == 8080
    address = zhttp_server_options.backend_address(options)
    assert address.startswith("inproc://")
    assert address != zhttp_server_options.backend_address(other)
    for port in 0, 1, 65535:
        zhttp_server_options.set_port(options, port)
        assert zhttp_server_options.port(options) == port
    for name in [name for name in ODD_TEXT if 0 < len(name) < 200]:
        given = b"inproc://" + (name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape"))
        zhttp_server_options.set_backend_address(options, given)
        assert zhttp_server_options.backend_address(options) == text(given)


@needs_drafts
def test_from_config() -> None:
    """A zconfig's values are taken, and what it lacks is as by default."""
    root: Any = zconfig.new("root", None)
    assert zhttp_server_options.port(zhttp_server_options.from_config(root)) == 8080
    zconfig.put(root, "http_server/port", "1234")
    zconfig.put(root, "http_server/backend_address", "inproc://from-config")
    options = zhttp_server_options.from_config(root)
    assert zhttp_server_options.port(options) == 1234
    assert zhttp_server_options.backend_address(options) == "inproc://from-config"
    zconfig.put(root, "http_server/port", "rubbish")
    assert zhttp_server_options.port(zhttp_server_options.from_config(root)) == 0


@needs_drafts
@pytest.mark.parametrize("port", [-1, 65536, 2**40])
def test_port_out_of_range(port: int) -> None:
    """C would cut a port to 16 bits."""
    with pytest.raises(ValueError, match="port must be from 0 to 65535"):
        zhttp_server_options.set_port(zhttp_server_options.new(), port)


@needs_drafts
@pytest.mark.parametrize("address", ["", "inproc://", "tcp://127.0.0.1:*", "ipc:///tmp/x", "inproc://" + "x" * 2**20])
def test_address_that_would_be_dangerous(address: str) -> None:
    """Pointers go over the backend address, so it can only be inproc."""
    with pytest.raises(ValueError, match="address must be inproc:// and a name"):
        zhttp_server_options.set_backend_address(zhttp_server_options.new(), address)


@needs_drafts
def test_wrong_values() -> None:
    """Anything else than a number or text is a TypeError, and a NUL byte a ValueError."""
    options = zhttp_server_options.new()
    for port in "80", None, 80.0:
        with pytest.raises(TypeError, match="port"):
            zhttp_server_options.set_port(options, port)  # type: ignore[arg-type]
    for address in 80, None, bytearray(b"inproc://x"):
        with pytest.raises(TypeError, match="address"):
            zhttp_server_options.set_backend_address(options, address)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="address must not contain a NUL byte"):
        zhttp_server_options.set_backend_address(options, b"inproc://a\0b")
    with pytest.raises(TypeError, match="config"):
        zhttp_server_options.from_config(options)  # type: ignore[arg-type]


@needs_drafts
@pytest.mark.parametrize("name", WITH_HANDLE)
def test_handles_that_are_refused(name: str) -> None:
    """A handle that is none, NULL, of another type or destroyed never reaches C."""
    gone = zhttp_server_options.new()
    zhttp_server_options.destroy(gone)
    for handle, error in (
        ("options", TypeError),
        (ffi.cast("zhash_t *", 8), TypeError),
        (ffi.cast("zhttp_server_options_t *", 0), ValueError),
        (gone, ValueError),
    ):
        with pytest.raises(error, match="options"):
            getattr(zhttp_server_options, name)(handle, *ARGUMENTS[name][1:])


@needs_drafts
def test_destroyed_once() -> None:
    """Options are freed once, whoever comes first; None is let through."""
    zhttp_server_options.destroy(None)
    options = zhttp_server_options.new()
    zhttp_server_options.destroy(options)
    del options
    raw = C.zhttp_server_options_new()
    zhttp_server_options.set_port(raw, 80)
    zhttp_server_options.destroy(raw)
    for _ in range(100):
        zhttp_server_options.new()
    gc.collect()


@needs_drafts
def test_self_test() -> None:
    """CZMQ's own test passes."""
    zhttp_server_options.test()
