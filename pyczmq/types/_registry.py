"""Which contexts there are, and the authenticator that answers for them: see `Context` and `Auth`."""

from __future__ import annotations

import os
import weakref
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .auth import Auth
    from .context import Context

#: Held while contexts, their sockets and authenticators come and go, so that none misses another. A thread that has it
#: may wait for a context's lock, and not the other way round.
lock = RLock()

#: Contexts that are alive.
contexts: weakref.WeakSet[Context] = weakref.WeakSet()

#: The authenticator, which nobody else need refer to: were it collected, everybody would be let in.
_auth: Auth | None = None


class World:
    """Stands for a context of libzmq's: what a context and its shadows share."""

    __slots__ = ("__weakref__",)


def note_auth(auth: Auth | None) -> None:
    """Note the authenticator that runs from now on, or that there is none."""
    global _auth
    _auth = auth


def find_auth() -> Auth | None:
    """Return the authenticator that runs, if there is one."""
    return None if _auth is None or _auth.closed else _auth


def _after_fork() -> None:
    """Start fresh in the child: another thread of the parent's may have had the lock."""
    global lock
    lock = RLock()
    note_auth(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
