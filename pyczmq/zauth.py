"""zauth: who may connect. It judges incoming connections by address, PLAIN password, CURVE key.

An authenticator takes over for the contexts that are hooked to it. It is asked by server sockets that use PLAIN or
CURVE, and by those of no security that have a ZAP domain (`zsocket.set_zap_domain`). With nothing configured, NULL
connections are accepted, PLAIN and CURVE connections refused.

    ctx = zctx.new()
    auth = zauth.new(ctx)
    zauth.allow(auth, "127.0.0.1")
    zauth.configure_curve(auth, "*", "certificates")
    server = zsocket.new(ctx, zmq.PULL)
    zcert.apply(zcert.load("server.txt"), server)
    zsocket.set_curve_server(server, True)
    zsocket.bind(server, "tcp://127.0.0.1:*")

These are the calls of CZMQ 2, with one authenticator to a context. CZMQ 4 runs one in a process: a second `new` is a
RuntimeError, and `attach` hooks further contexts to the one that runs. It also answers for all sockets of CZMQ's
process-wide context (`zsock`). The domains of CZMQ 2 are accepted and ignored, as in CZMQ 4: what is configured holds
for all, and what is configured for another domain takes its place (RuntimeWarning).

libzmq asks whoever answers in the context of the server. Where nobody does it refuses PLAIN clients, but lets NULL and
CURVE clients in, these with any key. So make the authenticator and configure it before the servers bind, hook it to
each context that has servers, and end it after them. A server that is to let nobody in then has a ZAP domain, and
enforces it: ``zsocket.set_zap_domain (server, "global")``, then ``zsocket.set_zap_enforce_domain (server, True)``.

`actor` is that authenticator as CZMQ 4 has it: ``zauth (zsock_t *, void *)``, for `zactor`. The functions here take it
as well. It answers for the sockets of the process-wide context, and may be given a certificate store, which it takes
over (no such store has a loader of Python's):

    auth = zactor.new(zauth.actor)
    zauth.allow(auth, "127.0.0.1")
    zauth.configure_curve(auth, "*", "certificates")

Each function returns once the authenticator has acted.
"""

from __future__ import annotations

from functools import partial

from . import _actor_threads, _actors, _authentication, _commands, _handles, _text
from ._certificates import Folder
from ._cffi import C, ffi
from ._czmq2 import zauth as _rebuilt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from ._types import Actor, Auth, CData, Ctx, Text
    from .zcert import Filename

    #: An authenticator: CZMQ 2's, or the actor of CZMQ 4.
    Authenticator = Union[Auth, Actor]

    #: C's authenticator, for zactor.
    actor: CData

#: The location for `configure_curve` that stands for any client that has a key.
CURVE_ALLOW_ANY = "*"

_AUTH = ffi.typeof("zauth_t *")
_ACTOR = ffi.typeof("zactor_t *")
_CTX = ffi.typeof("zctx_t *")

# Companion of an authenticator: the domain that was configured last, for each mechanism.
_DOMAINS = "domains"


def new(ctx: Ctx) -> Auth:
    """Return a new authenticator, hooked to a context.

    The garbage collector owns it, and it keeps the context alive. Where the context is destroyed first, the
    authenticator stays usable for others (`attach`). Raises RuntimeError if the process has an authenticator already.

    C: ``zauth_t *zauth_new (zctx_t *ctx)``
    """
    _handles.live(ctx, _CTX, "ctx")
    pointer = _authentication.first(lambda: C.zauth_new(ctx))
    contexts = [ctx]

    def free(pointer: CData) -> None:
        # It may have been ended at exit, before CZMQ's own context.
        found = _rebuilt.find(pointer)
        if found is not None:
            found.destroy()
        contexts.clear()

    auth = _handles.own(pointer, free)
    if auth is None:
        raise MemoryError("no memory for an authenticator")
    _handles.companions(auth)[_CTX] = contexts
    return auth


def allow(auth: Authenticator, address: Text, *more: Text) -> None:
    """Let clients from these IP addresses go on to authentication, and nobody else; that of NULL clients is done then.

    Once one address is allowed all others are refused, and what `deny` was told does not matter any more.

    C: ``void zauth_allow (zauth_t *self, const char *address)``
    """
    _command(auth, b"ALLOW", *_addresses(auth, address, *more))


def deny(auth: Authenticator, address: Text, *more: Text) -> None:
    """Refuse clients from these IP addresses without any further authentication, unless addresses were allowed.

    C: ``void zauth_deny (zauth_t *self, const char *address)``
    """
    _command(auth, b"DENY", *_addresses(auth, address, *more))


def _addresses(auth: Authenticator, *addresses: Text) -> list[bytes]:
    _live(auth)
    return [_text.cstring(address, "address") for address in addresses]


def _command(auth: Authenticator, *words: bytes) -> None:
    """Give a command to an authenticator of either kind, and wait until it has acted."""
    if ffi.typeof(auth) is _ACTOR:
        _actors.ask(auth, *words)  # type: ignore[arg-type]
    else:
        _rebuilt.authenticator(auth).command(*words)


def _note_domain(auth: Authenticator, mechanism: str, domain: Text) -> None:
    """Warn where somebody takes an authenticator for one that has domains: what is meant for one would open another."""
    domains = _handles.companions(auth).setdefault(_DOMAINS, {})
    text = _text.encode(domain)
    before = domains.setdefault(mechanism, text)
    domains[mechanism] = text
    if before != text:
        import warnings

        warnings.warn(
            f"CZMQ's authenticator has no domains: what is configured for {_text.decode(text)!r} takes the place of "
            f"what was configured for {_text.decode(before)!r}, for {mechanism} clients of all servers",
            RuntimeWarning,
            stacklevel=3,
        )


def configure_plain(auth: Authenticator, domain: Text, filename: Filename) -> None:
    """Let PLAIN clients in whose name and password are in a file, with a line ``name=password`` for each.

    The file is read again some seconds after it has changed, and may be made later; what is no longer in it does not
    count from then on. For sockets of the process-wide context it does until CZMQ has read the file again, which it
    does not where that is gone, or has no later time than before, in whole seconds; so call this again after a change.
    *domain* is ignored.

    C: ``void zauth_configure_plain (zauth_t *self, const char *domain, const char *filename)``
    """
    _live(auth)
    _text.cstring(domain, "domain")
    path = _text.path(filename)
    if path:
        _commands.regular(path, "filename")
    _note_domain(auth, "PLAIN", domain)
    if ffi.typeof(auth) is _AUTH:
        _rebuilt.authenticator(auth).take_passwords(path)
    else:
        _command(auth, b"PLAIN", path)


def configure_curve(auth: Authenticator, domain: Text, location: Filename) -> None:
    """Let CURVE clients in whose public keys are in certificates in the folder *location*, or all (`CURVE_ALLOW_ANY`).

    The folder, with those in it, is read again when it changes, and may be made later. *domain* is ignored. What would
    make C abort is a ValueError that names the file: two certificates with one key, a broken key, more than 512 bytes
    of metadata, a folder that cannot be read. Where such a file is put there later no CURVE client is let in, and
    CZMQ's log says why. A certificate that is no longer there does not count from then on.

    Sockets of the process-wide context do without these checks. For them, CZMQ notices a change if the folder has
    another number of files, of bytes, or a later time; not if it is gone. So call this again after any other change.

    C: ``void zauth_configure_curve (zauth_t *self, const char *domain, const char *location)``
    """
    _live(auth)
    _text.cstring(domain, "domain")
    path = _text.path(location, "location")
    folder = None
    if path != _rebuilt.ALLOW_ANY:
        folder = Folder(path)
        folder.check()
    _note_domain(auth, "CURVE", domain)
    if ffi.typeof(auth) is _AUTH:
        _rebuilt.authenticator(auth).folder = folder
    _command(auth, b"CURVE", path)


def configure_gssapi(auth: Authenticator, domain: Text) -> None:
    """Let GSSAPI clients in; CZMQ 4 lets them all in, with this call or without.

    C: ``void zauth_configure_gssapi (zauth_t *self, char *domain)``
    """
    _live(auth)
    _text.cstring(domain, "domain")
    _command(auth, b"GSSAPI")


def set_verbose(auth: Authenticator, verbose: bool) -> None:
    """Have the authenticator log what it does, passwords too; CZMQ 4 cannot be made quiet again (RuntimeWarning).

    C: ``void zauth_set_verbose (zauth_t *self, bool verbose)``
    """
    _live(auth)
    if ffi.typeof(auth) is _AUTH:
        C.zauth_set_verbose(auth, bool(verbose))
        return
    notes = _actors.state_of(auth).notes  # type: ignore[arg-type]
    if verbose:
        _command(auth, b"VERBOSE")
        notes[set_verbose] = True
    elif set_verbose in notes:
        import warnings

        warnings.warn("CZMQ 4's authenticator cannot be made quiet again", RuntimeWarning, stacklevel=2)


def destroy(auth: Authenticator | None) -> None:
    """End an authenticator now; None is let through.

    Its contexts go on without one: libzmq then refuses PLAIN clients, and lets NULL and CURVE clients in.

    C: ``void zauth_destroy (zauth_t **self_p)``
    """
    if auth is not None and ffi.typeof(_live(auth)) is _ACTOR:
        _actor_threads.destroy(auth)  # type: ignore[arg-type]
    else:
        _handles.destroy(auth, _AUTH, _free_raw, "auth")


def _free_raw(auth: CData) -> None:
    C.zauth_destroy(ffi.new("zauth_t **", auth))


def attach(auth: Auth, ctx: Ctx) -> None:
    """Add a context to those that are hooked to the authenticator, which keeps it alive.

    Raises RuntimeError if the context, or one that it shadows, is hooked already.
    """
    _handles.live(auth, _AUTH, "auth")
    _handles.live(ctx, _CTX, "ctx")
    _rebuilt.authenticator(auth).hook(ctx)
    contexts = _handles.companions(auth).get(_CTX)
    if contexts is not None:
        # Those that were destroyed meanwhile would pile up.
        contexts[:] = [kept for kept in contexts if _handles.fate(kept) is None]
        contexts.append(ctx)


def _vet(state: _actors.State, *words: bytes) -> _commands.Vetted:
    """Vet a command that was typed by hand."""
    command = words[0]
    note = None
    if command in (b"ALLOW", b"DENY"):
        _commands.take(words, 0)
    elif command == b"PLAIN":
        (filename,) = _commands.take(words, 1, 1)
        _commands.regular(filename, "filename")
    elif command == b"CURVE":
        (location,) = _commands.take(words, 1, 1)
        if location != _rebuilt.ALLOW_ANY:
            Folder(location).check()
    elif command == b"VERBOSE":
        note = partial(state.notes.__setitem__, set_verbose, True)
    elif command != b"GSSAPI":
        raise _commands.unknown(state, words)
    return list(words), note


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zauth_test (bool verbose)``
    """
    from ._selftest import run

    run("zauth_test", verbose)


def _live(auth: Authenticator) -> Authenticator:
    """Return an authenticator of either kind that is alive."""
    if isinstance(auth, ffi.CData) and ffi.typeof(auth) is _ACTOR:
        return _actors.running(auth, C.zauth, "auth")
    return _handles.live(auth, _AUTH, "auth")


if not TYPE_CHECKING:
    from ._alias import aliases

    _find = aliases("zauth")

    def __getattr__(name: str) -> Any:
        return C.zauth if name == "actor" else _find(name)
