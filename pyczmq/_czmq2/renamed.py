"""Functions that CZMQ 4 renamed or dropped in classes that it still has, under their old C names."""

from __future__ import annotations

from .._cffi import C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._types import CData


def zloop_ignore_interrupts(self: CData) -> None:
    """C: ``void zloop_ignore_interrupts (zloop_t *self)``."""
    C.zloop_set_nonstop(self, True)


def zpoller_ignore_interrupts(self: CData) -> None:
    """C: ``void zpoller_ignore_interrupts (zpoller_t *self)``."""
    C.zpoller_set_nonstop(self, True)


def zframe_print_to_stream(self: CData, prefix: CData | bytes, file: Any) -> None:
    """C: ``void zframe_print_to_stream (zframe_t *self, const char *prefix, FILE *file)``."""
    C.zframe_fprint(self, prefix, file)


def zhash_foreach(self: CData, callback: CData, argument: CData) -> int:
    """C: ``int zhash_foreach (zhash_t *self, zhash_foreach_fn *callback, void *argument)``."""
    item = C.zhash_first(self)
    while item:
        rc: int = callback(C.zhash_cursor(self), item, argument)
        if rc:
            return rc
        item = C.zhash_next(self)
    return 0


FUNCTIONS = {
    **{
        function.__name__: function
        for function in (
            zloop_ignore_interrupts,
            zpoller_ignore_interrupts,
            zframe_print_to_stream,
            zhash_foreach,
        )
    },
    "zcert_dump": C.zcert_print,
    "zcertstore_dump": C.zcertstore_print,
    "zconfig_dump": C.zconfig_print,
    "zconfig_resolve": C.zconfig_get,
    "zconfig_set_path": C.zconfig_put,
    "zdir_dump": C.zdir_print,
    "zloop_set_tolerant": C.zloop_poller_set_tolerant,
    "zmsg_dump": C.zmsg_print,
    "zmsg_dump_to_stream": C.zmsg_fprint,
}
