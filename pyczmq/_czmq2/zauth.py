"""zauth: CZMQ 2's authenticator, one per context, over the CZMQ 4 authenticator actor, one per process.

libzmq asks for authentication inside the context of the socket that is being connected to, and CZMQ 4's authenticator
answers only in the process-wide context. So each context that is hooked to it gets a relay: a thread that hands ZAP
requests over and the answers back. What is allowed is decided in C alone; what would make C abort does not reach it.
"""

from __future__ import annotations

import atexit
import errno
import os
import time
from _thread import RLock, allocate_lock, get_ident

from .. import _actor_threads, _blocking, _passwords, _text, _threads
from .._certificates import Folder
from .._cffi import C, ffi
from .zctx import context, set_option
from .zsocket import _format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .._types import Actor, Auth, CData, Socket

ALLOW_ANY = b"*"

_ZAP = b"inproc://zeromq.zap.01"
_LINGER = 17
_PAIR, _REP, _DEALER, _ROUTER = 0, 4, 5, 6
_DONTWAIT, _SNDMORE = 1, 2

#: Where the parts of a request are: after the relay's own two frames come those of ZeroMQ's RFC 27.
_VERSION, _SEQUENCE, _MECHANISM, _CREDENTIALS = 2, 3, 7, 8

#: The credentials that C takes for granted.
_NEEDED = {b"PLAIN": 2, b"CURVE": 1, b"GSSAPI": 1}
_KEY_BYTES = 32

#: Seconds that a thread which is giving a command has to come back before the authenticator is left alone at exit.
_PATIENCE = 1.0

#: Seconds that libzmq has to give back an endpoint that was unbound.
_MOMENT = 0.25


class _Relay:
    """Carries ZAP requests from one libzmq context to the process-wide one, and the answers back."""

    def __init__(self, auth: Authenticator, underlying: CData) -> None:
        self.auth = auth
        self.thread = 0
        self.stopping = False
        self.done = allocate_lock()
        self.message = ffi.new("zmq_msg_t *")
        C.zmq_msg_init(self.message)
        self.router: Socket = C.zmq_socket(underlying, _ROUTER)
        if not self.router:
            raise _failure()
        set_option(self.router, _LINGER, 0)
        if not self._bind():
            taken = ffi.errno == errno.EADDRINUSE
            failure = RuntimeError("ctx has an authenticator already") if taken else _failure()
            C.zmq_close(self.router)
            raise failure
        inside = [C.zsys_socket(kind, ffi.NULL, 0) for kind in (_DEALER, _PAIR, _PAIR)]
        self.dealer, self.stop_here, self.stop_there = inside
        try:
            if not all(inside):
                raise _failure()
            endpoint = b"inproc://pyczmq.zauth.%d" % id(self)
            C.zmq_connect(self.dealer, _ZAP)
            C.zmq_bind(self.stop_here, endpoint)
            C.zmq_connect(self.stop_there, endpoint)
            self.done.acquire()
            _threads.start_helper(self._run)
        except BaseException:
            self._close()
            _close_inside(self.stop_here)
            raise

    def ended(self) -> bool:
        """Tell whether the relay has ended because its context has."""
        return not self.done.locked()

    def stop(self) -> None:
        """End the relay, unless its context has ended it already, and wait for that."""
        self.stopping = True
        C.zmq_send(self.stop_here, b"", 0, _DONTWAIT)
        try:
            # The garbage collector may have come by while the relay itself was at work.
            if get_ident() != self.thread:
                with self.done:
                    pass
        finally:
            _close_inside(self.stop_here)

    def _bind(self) -> bool:
        """Bind to ZAP's endpoint; libzmq takes a moment to give it back where the relay before has just ended."""
        deadline = time.monotonic() + _MOMENT
        while C.zmq_bind(self.router, _ZAP) != 0:
            if ffi.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    def _run(self) -> None:
        self.thread = get_ident()
        sockets = (self.router, self.dealer, self.stop_there)
        items = ffi.new("zmq_pollitem_t[3]", [{"socket": socket, "events": _blocking.POLLIN} for socket in sockets])
        try:
            while not self.stopping and (C.zmq_poll(items, 3, -1) >= 0 or _alive(items)):
                if items[2].revents:
                    break
                try:
                    if items[0].revents:
                        self._ask()
                    if items[1].revents:
                        self._send(self.router, self._receive(self.dealer))
                except Exception as error:
                    # With nobody to ask libzmq would let clients in, so a relay must not end; this one is not answered.
                    _complain(f"a request was dropped: {error!r}")
        finally:
            self._close()
            self.done.release()

    def _ask(self) -> None:
        """Hand one request over, if C can stand it."""
        request = self._receive(self.router)
        if not _is_sound(request):
            return
        if not self.auth.may_pass(request):
            self._send(self.router, [*request[: _SEQUENCE + 1], b"400", b"No access", b"", b""])
        else:
            self._send(self.dealer, request)

    def _receive(self, source: Socket) -> list[bytes]:
        """Return the frames of the next message; none if there is none, or the context has ended."""
        frames: list[bytes] = []
        more = 1
        while more:
            while C.zmq_msg_recv(self.message, source, _DONTWAIT) < 0:
                if not _interrupted(bool(frames)):
                    return []
            frames.append(bytes(ffi.buffer(C.zmq_msg_data(self.message), C.zmq_msg_size(self.message))))
            more = C.zmq_msg_more(self.message)
        return frames

    def _send(self, target: Socket, frames: list[bytes]) -> None:
        """Send a message, or drop it where that is not possible now: libzmq asks again at the client's next attempt."""
        for number, frame in enumerate(frames, 1):
            more = _SNDMORE if number < len(frames) else 0
            while C.zmq_send(target, frame, len(frame), _DONTWAIT | more) < 0:
                if not _interrupted(number > 1):
                    return

    def _close(self) -> None:
        C.zmq_msg_close(self.message)
        # Closing alone would free the endpoint some time later.
        C.zmq_unbind(self.router, _ZAP)
        C.zmq_close(self.router)
        _close_inside(self.dealer)
        _close_inside(self.stop_there)


def _close_inside(socket: CData) -> None:
    """Close a socket of the process-wide context."""
    if socket:
        C.zsys_close(socket, ffi.NULL, 0)


def _failure() -> OSError:
    return OSError(ffi.errno, _text.string(C.zmq_strerror(ffi.errno)))


def _complain(text: str) -> None:
    """Write to CZMQ's log."""
    C.zsys_error(b"%s", ffi.new("char[]", b"zauth: " + _text.encode(text)))


def _interrupted(halfway: bool) -> bool:
    """After a call that failed, tell whether to try again: a signal ended it, or the message is not to be torn."""
    return ffi.errno == errno.EINTR or (halfway and ffi.errno != _blocking.ETERM)


def _alive(items: CData) -> bool:
    """After a poll that failed, tell whether a signal was all that ended it."""
    return C.zmq_poll(items, 3, 0) >= 0 or ffi.errno == errno.EINTR


def _mechanism(request: list[bytes]) -> bytes:
    """Return the security mechanism that a request is about, as C reads it."""
    return request[_MECHANISM].partition(b"\0")[0]


def _is_sound(request: list[bytes]) -> bool:
    """Tell whether a request is one that C does not abort at: any socket of the context could have sent it."""
    if len(request) < _CREDENTIALS or request[_VERSION - 1] or request[_VERSION] != b"1.0":
        return False
    credentials = request[_CREDENTIALS:]
    mechanism = _mechanism(request)
    return len(credentials) >= _NEEDED.get(mechanism, 0) and (
        mechanism != b"CURVE" or len(credentials[0]) == _KEY_BYTES
    )


class Authenticator:
    """What a ``zauth_t *`` stands for: the C actor and the relays of the contexts that are hooked to it."""

    def __init__(self) -> None:
        with _starting:
            refuse_second()
            self.actor: Actor | None = _actor_threads.start(C.zauth)
        self.relays: list[_Relay] = []
        self.folder: Folder | None = None
        #: The file of passwords, where what is in it later counts, too.
        self.passwords: bytes | None = None
        self.complaint = ""
        self.verbose = False
        #: What C has returned for commands that were sent, and for waiting for their answers: 0 for each that worked.
        self.ledger: tuple[list[int], list[int]] = ([], [])
        self.giving_command = RLock()
        self.handle = ffi.new_handle(self)
        self.pointer: Auth = ffi.cast("zauth_t *", self.handle)
        _authenticators[self.pointer] = self
        _actor_threads.taken(self.actor)

    def hook(self, ctx: CData) -> None:
        """Have the sockets of a context ask this authenticator."""
        underlying = context(ctx).start()
        if underlying is None:
            raise ValueError("ctx is a shadow of a context that was destroyed")
        relay = _Relay(self, underlying)
        for ended in [before for before in self.relays if before.ended()]:
            self.relays.remove(ended)
            ended.stop()
        self.relays.append(relay)

    def may_pass(self, request: list[bytes]) -> bool:
        """Tell whether a request is to be put to C at all: C may have missed that what would let it in is gone."""
        mechanism, credentials = _mechanism(request), request[_CREDENTIALS:]
        if mechanism == b"CURVE":
            return self._trusts_folder() and (self.folder is None or self.folder.has(credentials[0]))
        if mechanism == b"PLAIN" and self.passwords is not None:
            return _passwords.holds(self.passwords, *(word.partition(b"\0")[0] for word in credentials[:2]))
        return True

    def _trusts_folder(self) -> bool:
        """Tell whether C can read the folder of certificates as it is now; complain in CZMQ's log if it cannot."""
        folder = self.folder
        if folder is None:
            return True
        try:
            folder.check()
        except Exception as error:
            complaint = str(error) or type(error).__name__
        else:
            complaint = ""
        if complaint != self.complaint:
            self.complaint = complaint
            if complaint:
                _complain(f"no CURVE client is let in: {complaint}")
        return not complaint

    def take_passwords(self, path: bytes) -> None:
        """Let PLAIN clients in by a file, which C reads now, and of which counts what is in it when they come."""
        self.passwords = path
        self.command(b"PLAIN", path)

    def command(self, *words: bytes) -> None:
        """Send a command and return once the authenticator has acted on it.

        A signal's handler may raise at any moment, so what C returns goes into the ledger with no moment in between. An
        answer that nobody has waited for is read by the next command.
        """
        frames = [ffi.new("char[]", word) for word in words]
        with self.giving_command:
            actor = self.actor
            if actor is None:
                raise ValueError("auth was destroyed")
            sent, received = self.ledger
            if sent.count(0) == received.count(0):
                sent, received = self.ledger = ([], [])
            before = sent.count(0)
            while sent.count(0) == before:
                sent.extend(_call(C.zstr_sendx, actor, *frames, ffi.NULL))
                self._check(sent)
            while received.count(0) < sent.count(0):
                _blocking.wait(C.zsock_resolve(actor), _blocking.POLLIN, -1)
                received.extend(_call(C.zsock_wait, actor))
                self._check(received)

    @staticmethod
    def _check(results: list[int]) -> None:
        if results[-1] != 0 and ffi.errno == _blocking.ETERM:
            raise RuntimeError("the authenticator has gone: CZMQ's process-wide context has ended")

    def destroy(self) -> None:
        """Unhook the contexts, then end the actor."""
        if _authenticators.pop(self.pointer, None) is None:
            return
        try:
            for relay in self.relays:
                relay.stop()
        finally:
            if self.giving_command.acquire(timeout=_PATIENCE):
                actor, self.actor = self.actor, None
                if actor is not None:
                    _actor_threads.end(actor)
                self.giving_command.release()


def _call(function: Any, *args: Any) -> Iterator[int]:
    """Return what calls a function once: a list that is extended by it has the result before Python does more."""
    return map(function, *zip(args))


_authenticators: dict[CData, Authenticator] = {}
_starting = allocate_lock()


def _after_fork() -> None:
    global _starting
    _starting = allocate_lock()
    _authenticators.clear()


def _at_exit() -> None:
    """End what runs before CZMQ's process-wide context may: C's authenticator asserts that it can still answer."""
    for auth in list(_authenticators.values()):
        auth.destroy()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)


def find(pointer: CData) -> Authenticator | None:
    """Return the authenticator behind a ``zauth_t *``; None if it is not one of ours that is alive."""
    return _authenticators.get(pointer)


def authenticator(pointer: CData) -> Authenticator:
    """Return the authenticator behind a ``zauth_t *``; ValueError for any other pointer, where C would crash."""
    found = _authenticators.get(pointer)
    if found is None:
        raise ValueError("not a zauth_t that is alive")
    return found


def refuse_second() -> None:
    """Raise where a second authenticator would be made: C asserts that it is the first."""
    probe = C.zsys_socket(_REP, ffi.NULL, 0)
    if not probe:
        raise _failure()
    taken = C.zmq_bind(probe, _ZAP) != 0
    # Closing alone would free the endpoint some time later.
    C.zmq_unbind(probe, _ZAP)
    C.zsys_close(probe, ffi.NULL, 0)
    if taken:
        raise RuntimeError(
            "this process has an authenticator already, and CZMQ can run only one; hook further contexts to it with "
            "zauth.attach (auth, ctx)"
        )


def zauth_new(ctx: CData) -> Auth:
    """C: ``zauth_t *zauth_new (zctx_t *ctx)``; a second one in the process is a RuntimeError, where C would abort."""
    context(ctx)
    auth = Authenticator()
    try:
        auth.hook(ctx)
    except BaseException:
        auth.destroy()
        raise
    return auth.pointer


def zauth_destroy(self_p: CData) -> None:
    """C: ``void zauth_destroy (zauth_t **self_p)``."""
    if self_p[0]:
        authenticator(self_p[0]).destroy()
        self_p[0] = ffi.NULL


def zauth_allow(self: CData, address: CData | bytes) -> None:
    """C: ``void zauth_allow (zauth_t *self, const char *address)``."""
    authenticator(self).command(b"ALLOW", _bytes(address))


def zauth_deny(self: CData, address: CData | bytes) -> None:
    """C: ``void zauth_deny (zauth_t *self, const char *address)``."""
    authenticator(self).command(b"DENY", _bytes(address))


def zauth_configure_plain(self: CData, domain: CData | bytes, filename: CData | bytes, *args: Any) -> None:
    """C: ``void zauth_configure_plain (zauth_t *self, const char *domain, const char *filename, ...)``."""
    authenticator(self).take_passwords(_format(filename, args))


def zauth_configure_curve(self: CData, domain: CData | bytes, location: CData | bytes, *args: Any) -> None:
    """C: ``void zauth_configure_curve (zauth_t *self, const char *domain, const char *location, ...)``."""
    auth, text = authenticator(self), _format(location, args)
    auth.folder = None if text == ALLOW_ANY else Folder(text)
    auth.command(b"CURVE", text)


def zauth_configure_gssapi(self: CData, domain: CData | bytes) -> None:
    """C: ``void zauth_configure_gssapi (zauth_t *self, char *domain)``; CZMQ 4 lets every GSSAPI client in."""
    authenticator(self).command(b"GSSAPI")


def zauth_set_verbose(self: CData, verbose: bool) -> None:
    """C: ``void zauth_set_verbose (zauth_t *self, bool verbose)``; CZMQ 4 can be made verbose, but not quiet again."""
    auth = authenticator(self)
    if verbose and not auth.verbose:
        auth.command(b"VERBOSE")
        auth.verbose = True
    elif auth.verbose and not verbose:
        import warnings

        warnings.warn("CZMQ 4's authenticator cannot be made quiet again", RuntimeWarning, stacklevel=2)


def _bytes(text: CData | bytes) -> bytes:
    return text if isinstance(text, bytes) else ffi.string(text)


FUNCTIONS = {
    function.__name__: function
    for function in (
        zauth_new,
        zauth_destroy,
        zauth_allow,
        zauth_deny,
        zauth_configure_plain,
        zauth_configure_curve,
        zauth_configure_gssapi,
        zauth_set_verbose,
    )
}
