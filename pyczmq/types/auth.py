"""Auth: who may connect: it judges incoming connections by address, PLAIN password, CURVE key."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping

from .. import _text, zauth, zctx
from .._czmq2 import zauth as _relays
from . import _registry
from ._base import Object, guarded
from .context import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._types import Ctx, Text
    from ..zcert import Filename

_LONGEST = 255
_DOMAIN = "*"

#: Seconds that a thread may be in a call with a context that another thread's new authenticator is to answer for.
_PATIENCE = 5.0


class Auth(Object):
    """The authenticator: it lets clients in, or refuses them, for servers that use PLAIN or CURVE or a ZAP domain.

    With nothing configured, PLAIN and CURVE clients are refused, and clients of no security accepted::

        with Auth() as auth, Socket(zmq.PULL) as server:
            auth.allow("127.0.0.1")
            auth.curve("certificates")
            cert.apply(server)
            server.curve_server = True
            server.bind("tcp://127.0.0.1:*")

    ``Auth()`` answers for the sockets of CZMQ's process-wide context, and for those of each `Context`, made before or
    after; ``Auth(context, …)`` for the process-wide one and these alone, and their shadows. What is configured holds
    for all of them, and each call returns once the authenticator has acted. A process has one authenticator: a second
    is a RuntimeError.

    It answers until `close`, or the process ends. Before and after that libzmq is by itself: it refuses PLAIN clients,
    and **lets all NULL and CURVE clients in**, these with any key. So configure it before the servers bind, and close
    the servers first. Those that `Cert.apply` has secured while it answered let nobody in after it.
    """

    __slots__ = ("_chosen", "_context", "_hooked", "_remove_folder")
    _noun = "authenticator"

    #: The folder for `curve` that stands for any client that has a key.
    ANY = zauth.CURVE_ALLOW_ANY

    def __init__(self, *contexts: Context | Ctx) -> None:
        """Start the authenticator, for these contexts, or else for all.

        Raises RuntimeError if the process has an authenticator already, or one of the contexts has one.
        """
        with _registry.lock:
            if _registry.find_auth() is not None:
                raise RuntimeError(
                    "this process has an Auth already, and CZMQ can run only one: close that before, or attach to it"
                )
            # CZMQ 2's authenticator begins with a context; this one is for nothing else.
            self._context = zctx.new()
            zctx.set_iothreads(self._context, 0)
            #: The contexts to answer for, None for all; those that ask this one; what removes the passwords' folder.
            self._chosen: weakref.WeakSet[_registry.World] | None = weakref.WeakSet() if contexts else None
            self._hooked: weakref.WeakSet[_registry.World] = weakref.WeakSet()
            self._remove_folder: Any = None
            super().__init__(zauth.new(self._context))
            try:
                for context in contexts:
                    self._attach(context)
                if not contexts:
                    for found in list(_registry.contexts):
                        self._hook_if_begun(found)
                _registry.note_auth(self)
            except BaseException:
                self.close()
                raise

    def _destroy(self, handle: Any) -> None:
        with _registry.lock:
            if _registry.find_auth() is self:
                _registry.note_auth(None)
            zauth.destroy(handle)
            zctx.destroy(self._context)
            if self._remove_folder is not None:
                self._remove_folder()

    @guarded
    def attach(self, context: Context | Ctx) -> None:
        """Answer for the sockets of a context and its shadows, too; for one that it does answer for, this does nothing.

        Besides a `Context` it takes a handle of `zctx`. Raises RuntimeError if the context has another authenticator.
        """
        with _registry.lock:
            self._attach(context)

    def _attach(self, context: Context | Ctx) -> None:
        found = context if isinstance(context, Context) else _find(context)
        if found is None:
            zauth.attach(self._handle, context)  # type: ignore[arg-type]
            return
        found.handle  # noqa: B018
        self._hook_if_begun(found)
        if self._chosen is not None:
            self._chosen.add(found._world)

    def _hook_if_begun(self, context: Context) -> None:
        """Have a context's sockets ask this authenticator, once libzmq's context behind it has begun: see `_answer`.

        The registry's lock must be held.
        """
        # A thread that has the lock for so long is closing the context: no server is left in there.
        if context.closed or not context._lock.acquire(timeout=_PATIENCE):
            return
        try:
            if not context.closed and zctx.underlying(context.handle) is not None:
                self._hook(context)
        finally:
            context._lock.release()

    def _hook(self, context: Context) -> None:
        if context._world not in self._hooked:
            # Not `zauth.attach`, by which the contexts of a long life would pile up.
            _relays.authenticator(self.handle).hook(context.handle)
            self._hooked.add(context._world)

    def _covers(self, context: Context | None) -> bool:
        """Tell whether this is asked by the sockets of a context; None is the process-wide one."""
        return context is None or self._chosen is None or context._world in self._chosen

    def _answer(self, context: Context) -> None:
        """Answer for a context, in which a socket was just made, if that is one to answer for.

        The registry's lock must be held.
        """
        if self._covers(context):
            self._hook(context)

    @guarded
    def allow(self, address: Text, *more: Text) -> None:
        """Let clients from these IP addresses go on to authentication, and nobody else.

        Clients of no security are let in then. Once one address is allowed all others are refused, and what `deny` was
        told does not matter any more.
        """
        zauth.allow(self._handle, address, *more)

    @guarded
    def deny(self, address: Text, *more: Text) -> None:
        """Refuse clients from these IP addresses without any further authentication, unless addresses were allowed."""
        zauth.deny(self._handle, address, *more)

    @guarded
    def plain(self, passwords: Filename | Mapping[Text, Text]) -> None:
        """Let PLAIN clients in whose name and password are these, in place of those before.

        They are in a file with a line ``name=password`` for each, which is read again some seconds after it has
        changed, and may be made later (see `zauth.configure_plain`); or in a dict. No name has an equals sign in it or
        begins with ``#``, and names and passwords have at most 255 bytes, with no line feed or NUL byte among them.
        """
        if isinstance(passwords, Mapping):
            self._plain(b"".join([_line(name, password) for name, password in passwords.items()]))
        else:
            zauth.configure_plain(self._handle, _DOMAIN, passwords)

    def _plain(self, content: bytes) -> None:
        """Hand passwords to C, which takes them from a file.

        C looks out for the file from then on. So the folder, which is nobody else's, stays: nobody else is to put a
        file there.
        """
        import tempfile

        if self._remove_folder is None:
            folder = tempfile.mkdtemp(prefix="pyczmq-")
            self._remove_folder = weakref.finalize(self, _remove_folder, folder, os.getpid())
        folder = self._remove_folder.peek()[2][0]
        path = os.path.join(folder, "passwords")
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
            zauth.configure_plain(self._handle, _DOMAIN, path)
            # The file will be gone, and what C has read of it holds.
            _relays.authenticator(self._handle).passwords = None
        finally:
            os.unlink(path)

    @guarded
    def curve(self, folder: Filename = ANY) -> None:
        """Let CURVE clients in whose public keys are in certificates in a folder; all that have a key with `Auth.ANY`.

        The folder is read again when it changes, and may be made later. Raises ValueError, with the name of the file,
        for one that CZMQ cannot bear: two certificates with one key, a broken key, more than 512 bytes of metadata;
        see `zauth.configure_curve`.
        """
        zauth.configure_curve(self._handle, _DOMAIN, folder)

    @guarded
    def gssapi(self) -> None:
        """Let GSSAPI clients in; CZMQ 4 lets them all in, with this call or without."""
        zauth.configure_gssapi(self._handle, _DOMAIN)

    @guarded
    def verbose(self) -> None:
        """Have CZMQ's log tell what the authenticator does, **passwords too**, for good."""
        zauth.set_verbose(self._handle, True)

    def __repr__(self) -> str:
        name = type(self).__name__
        if self.closed:
            return f"<{name} closed>"
        if self._chosen is None:
            return f"<{name} for all contexts>"
        return f"<{name} for the process-wide context and {len(self._chosen)} more>"


def _find(handle: Any) -> Context | None:
    """Return the context with this handle, if there is one."""
    contexts = (context for context in list(_registry.contexts) if context._handle is not None)
    return next((context for context in contexts if context._handle == handle), None)


def _line(name: Text, password: Text) -> bytes:
    """Return a line of a file of passwords; no error text has the password in it."""
    words = _text.cstring(name, "name"), _text.cstring(password, "password")
    for what, word in zip(("name", "password"), words):
        if len(word) > _LONGEST:
            raise ValueError(f"{what} must be at most {_LONGEST} bytes long, not {len(word)}")
        if b"\n" in word:
            raise ValueError(f"{what} must not contain a line feed")
    if not words[0] or b"=" in words[0] or words[0].startswith(b"#"):
        raise ValueError(f"name must not be empty, contain an equals sign or begin with #, as {name!r} does")
    return b"%s=%s\n" % words


def _remove_folder(folder: str, pid: int) -> None:
    # A forked child's exit is not the end of the parent's folder.
    if os.getpid() == pid:
        os.rmdir(folder)
