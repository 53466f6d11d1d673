"""pyczmq: the whole of CZMQ, the high-level C binding of ZeroMQ, through cffi and with no compiler.

`C` is the raw floor: every C function under its own name, exactly as in C. The namespace modules stand on it, one per
class: ``C.zsocket_bind`` is ``zsocket.bind``. Above them are objects, `Socket`, `Context` and the rest of
`pyczmq.types`, and `pyczmq.aio`, the same for asyncio. A module is loaded, and libczmq opened, when it is first used.
"""

from __future__ import annotations

__version__ = "1.0.0.dev0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import (
        aio,
        types,
        zactor,
        zargs,
        zarmour,
        zauth,
        zbeacon,
        zcert,
        zcertstore,
        zchunk,
        zclock,
        zconfig,
        zctx,
        zdigest,
        zdir,
        zdir_patch,
        zfile,
        zframe,
        zgossip,
        zhash,
        zhashx,
        zhttp_client,
        zhttp_request,
        zhttp_response,
        zhttp_server,
        zhttp_server_options,
        ziflist,
        zlist,
        zlistx,
        zloop,
        zmonitor,
        zmq,
        zmsg,
        zosc,
        zpoller,
        zproc,
        zproxy,
        zrex,
        zsock,
        zsocket,
        zstr,
        zsys,
        ztimerset,
        ztrie,
        zuuid,
    )
    from ._cffi import C, ffi
    from .types import (
        Actor,
        Again,
        Auth,
        Beacon,
        Cert,
        CertStore,
        Config,
        Context,
        ContextTerminated,
        Frame,
        Gossip,
        Loop,
        Message,
        Monitor,
        Peers,
        Pipe,
        Poller,
        Proxy,
        Socket,
        SocketType,
        ZMQError,
        actor,
    )

__all__ = [
    "C",
    "ffi",
    "aio",
    "types",
    "Context",
    "Socket",
    "SocketType",
    "Frame",
    "Message",
    "Poller",
    "Loop",
    "Actor",
    "Pipe",
    "actor",
    "Beacon",
    "Peers",
    "Auth",
    "Cert",
    "CertStore",
    "Proxy",
    "Monitor",
    "Gossip",
    "Config",
    "ZMQError",
    "Again",
    "ContextTerminated",
    "zactor",
    "zargs",
    "zarmour",
    "zauth",
    "zbeacon",
    "zcert",
    "zcertstore",
    "zchunk",
    "zclock",
    "zconfig",
    "zctx",
    "zdigest",
    "zdir",
    "zdir_patch",
    "zfile",
    "zframe",
    "zgossip",
    "zhash",
    "zhashx",
    "zhttp_client",
    "zhttp_request",
    "zhttp_response",
    "zhttp_server",
    "zhttp_server_options",
    "ziflist",
    "zlist",
    "zlistx",
    "zloop",
    "zmonitor",
    "zmq",
    "zmsg",
    "zosc",
    "zpoller",
    "zproc",
    "zproxy",
    "zrex",
    "zsock",
    "zsocket",
    "zstr",
    "zsys",
    "ztimerset",
    "ztrie",
    "zuuid",
]


def __getattr__(name: str) -> Any:
    if name in ("C", "ffi"):
        from . import _cffi

        globals().update(C=_cffi.C, ffi=_cffi.ffi)
        return globals()[name]
    if name in __all__:
        if name.islower() and name != "actor":
            from importlib import import_module

            return import_module(f"{__name__}.{name}")
        from . import types

        globals()[name] = getattr(types, name)
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
