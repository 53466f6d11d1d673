"""zhttp_server_options: what an HTTP server is to know: the port to listen on, and the address for its workers.

    >>> from pyczmq import zhttp_server_options
    >>> options = zhttp_server_options.new()
    >>> zhttp_server_options.port(options)
    8080
    >>> zhttp_server_options.set_port(options, 0)
    >>> zhttp_server_options.backend_address(options)[:22]
    'inproc://zhttp_server-'

Only libraries built with drafts have this class.
"""

from __future__ import annotations

from . import _handles, _http, _text
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import CData, Config, HttpServerOptions, Text

_CONFIG = ffi.typeof("zconfig_t *")
_MOST_PORT = 65535


def new() -> HttpServerOptions:
    """Return new options: port 8080, and a backend address that nobody else has, as far as chance goes.

    The garbage collector owns them, and they stay usable in a forked child. Only libraries built with drafts have this.

    C: ``zhttp_server_options_t *zhttp_server_options_new (void)``
    """
    return _own(C.zhttp_server_options_new())


def from_config(config: Config) -> HttpServerOptions:
    """Return options as a zconfig has them, under ``http_server/port`` and ``http_server/backend_address``.

    What is not there is as in `new`. C takes a port that is no number for 0; `zhttp_server.new` refuses what cannot be.
    Only libraries built with drafts have this.

    C: ``zhttp_server_options_t *zhttp_server_options_from_config (zconfig_t *config)``
    """
    function = C.zhttp_server_options_from_config
    return _own(function(_handles.live(config, _CONFIG, "config")))


def _own(pointer: HttpServerOptions) -> HttpServerOptions:
    options = _handles.own(pointer, _free, fork_safe=True)
    if options is None:
        raise MemoryError("no memory for options")
    return options


def _free(pointer: CData) -> None:
    C.zhttp_server_options_destroy(ffi.new("zhttp_server_options_t **", pointer))


def destroy(options: HttpServerOptions | None) -> None:
    """Destroy the options now; None is let through. Servers keep what they were told.

    Only libraries built with drafts have this.

    C: ``void zhttp_server_options_destroy (zhttp_server_options_t **self_p)``
    """
    if options is not None:
        _handles.destroy(options, _http.OPTIONS, _free, "options")


def port(options: HttpServerOptions) -> int:
    """Return the port to listen on; 0 leaves the choice to the system, and `zhttp_server.port` tells it.

    Only libraries built with drafts have this.

    C: ``int zhttp_server_options_port (zhttp_server_options_t *self)``
    """
    return C.zhttp_server_options_port(_live(options))


def set_port(options: HttpServerOptions, port: int) -> None:
    """Set the port to listen on, from 0 to 65535. Only libraries built with drafts have this.

    C: ``void zhttp_server_options_set_port (zhttp_server_options_t *self, int port)``
    """
    function = C.zhttp_server_options_set_port
    function(_live(options), integer(port, "port", 0, _MOST_PORT))


def backend_address(options: HttpServerOptions) -> str:
    """Return the address that workers connect to. Only libraries built with drafts have this.

    C: ``const char *zhttp_server_options_backend_address (zhttp_server_options_t *self)``
    """
    return _text.string(C.zhttp_server_options_backend_address(_live(options))) or ""


def set_backend_address(options: HttpServerOptions, address: Text) -> None:
    """Set the address that workers connect to: ``inproc://`` and a name, since pointers go over it.

    C never frees the one before. Only libraries built with drafts have this.

    C: ``void zhttp_server_options_set_backend_address (zhttp_server_options_t *self, const char *address)``
    """
    function = C.zhttp_server_options_set_backend_address
    function(_live(options), _http.check_address(_text.cstring(address, "address"), "address"))


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process, of which there is nothing in CZMQ 4.2.

    Only libraries built with drafts have this.

    C: ``void zhttp_server_options_test (bool verbose)``
    """
    from ._selftest import run

    run("zhttp_server_options_test", verbose)


def _live(options: HttpServerOptions) -> HttpServerOptions:
    return _handles.live(options, _http.OPTIONS, "options")


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zhttp_server_options")
