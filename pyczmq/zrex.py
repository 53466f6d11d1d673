r"""zrex: simple regular expressions, those of the SLRE library inside CZMQ.

    ^  $          the beginning and the end of the text
    .             any byte
    [...] [^...]  any of these bytes, any but these; there are no ranges or classes in it
    ( )           a group, whose match can be asked for
    |             alternatives
    * + ?         any number of times, once or more, at most once; with a ? behind them * and + take less
    \s \d \a \w   white space, a digit, a letter, a letter or digit; \S \D \A \W any other byte
    \r \n \t      carriage return, line feed, tab; with a backslash, other characters stand for themselves

An expression is matched against many texts, or a text against many expressions:

    >>> from pyczmq import zrex
    >>> rex = zrex.new(r"(\d+)-(\d+)-(\d+)")
    >>> zrex.matches(rex, "123-456-ABC")
    False
    >>> zrex.matches(rex, "123-456-789")
    True
    >>> zrex.hits(rex), zrex.hit(rex, 0), zrex.hit(rex, 3)
    (4, '123-456-789', '789')
    >>> zrex.eq(rex, "Mechanism: CURVE", "Version: (.+)")
    False
    >>> zrex.eq(rex, "Mechanism: CURVE", "Mechanism: (.+)")
    True
    >>> zrex.fetch(rex)
    ['CURVE']

Texts are bytes to it: a character outside ASCII is several. Python's own `re` does far more.
"""

from __future__ import annotations

from _thread import allocate_lock

from . import _handles, _slre, _text, _threads
from ._cffi import C, ffi
from ._numbers import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import CData, Rex, Text

_REX = ffi.typeof("zrex_t *")
_destroy = _handles.freer(C.zrex_destroy, "zrex_t *")

#: An expression that C says is none, in the place of those over which it would hang or crash.
_INVALID = b"["

#: An expression with as many groups as there can be, each of them empty.
_EMPTY_GROUPS = b"()" * _slre.MOST_GROUPS

#: Steps that C may take in one call; more of them, and Ctrl-C would have to wait.
_STEPS = 3e6

#: Most hits that there are.
_MOST_HITS = 100

#: Handles whose match goes on in C, on a thread of its own.
_busy: set[CData] = set()


class _Known:
    """What is known of a handle beside what C knows."""

    __slots__ = ("error", "expression")

    def __init__(self) -> None:
        self.expression: _slre.Expression | None = None
        self.error: str | None = None


def new(expression: Text | None = None) -> Rex:
    """Return a new matcher for an expression, or for none yet, which is for `eq`.

    If the expression has an error, `valid` is false, and `strerror` says which. The garbage collector owns the handle,
    and it stays usable in a forked child.

    C: ``zrex_t *zrex_new (const char *expression)``
    """
    if expression is None:
        return _own(C.zrex_new(ffi.NULL), _Known())
    text = _text.cstring(expression, "expression")
    known = _Known()
    return _own(C.zrex_new(_checked(text, known)), known)


def _own(pointer: Rex, known: _Known) -> Rex:
    rex = _handles.own(pointer, _free, fork_safe=True)
    assert rex is not None
    _handles.companions(rex)[_Known] = known
    return rex


def _free(pointer: CData) -> None:
    # At exit a match may still be going on.
    if pointer not in _busy:
        _destroy(pointer)


def _checked(text: bytes, known: _Known) -> bytes:
    """Return an expression for C, in whose place one comes that it says is none if it could not bear it."""
    known.expression = known.error = None
    try:
        known.expression = _slre.Expression(text)
    except _slre.Refused as refused:
        known.error = str(refused)
        return _INVALID
    return text


def destroy(rex: Rex | None) -> None:
    """Destroy a matcher now, and only once; None is let through.

    C: ``void zrex_destroy (zrex_t **self_p)``
    """
    if rex is not None:
        _live(rex)
    _handles.destroy(rex, _REX, _destroy, "rex")


def valid(rex: Rex) -> bool:
    """Tell whether there is an expression, without an error.

    C: ``bool zrex_valid (zrex_t *self)``
    """
    return C.zrex_valid(_live(rex))


def strerror(rex: Rex) -> str:
    """Return what is wrong with the expression; "No error" if nothing is.

    C: ``const char *zrex_strerror (zrex_t *self)``
    """
    if C.zrex_valid(_live(rex)):
        return "No error"
    known = _known(rex)
    return _text.string(C.zrex_strerror(rex)) or "No error" if known.error is None else known.error


def matches(rex: Rex, text: Text) -> bool:
    """Tell whether a part of a text matches the expression: any part, unless the expression begins with ``^``.

    Nothing matches an empty text, but an expression that begins with ``^``. Raises ValueError if there is no valid
    expression. Ctrl-C ends a match that takes long; C goes on with it for itself, and the handle is refused until it
    has finished.

    C: ``bool zrex_matches (zrex_t *self, const char *text)``
    """
    content = _text.cstring(text, "text")
    if not C.zrex_valid(_live(rex)):
        raise ValueError(f"rex has no valid expression: {strerror(rex)}")
    known = _known(rex)
    if known.expression is None:
        # It was made on the raw floor.
        return C.zrex_matches(rex, content)
    return _match(rex, known.expression, content)


def eq(rex: Rex, text: Text, expression: Text) -> bool:
    """Tell whether a part of a text matches another expression, which is the matcher's from now on.

    An expression with an error matches nothing: `valid` and `strerror` tell.

    C: ``bool zrex_eq (zrex_t *self, const char *text, const char *expression)``
    """
    content = _text.cstring(text, "text")
    wanted = _text.cstring(expression, "expression")
    known = _known(_live(rex))
    compiled = _checked(wanted, known)
    if known.expression is None:
        _wipe(rex)
        C.zrex_eq(rex, b"", compiled)
        # The hits of the last match would stay.
        return C.zrex_matches(rex, b"")
    return _match(rex, known.expression, content)


def _match(rex: Rex, expression: _slre.Expression, text: bytes) -> bool:
    """Match a text with nothing left of the match before, which C mixes up with this one's.

    It takes a group that has no part in the match to be where it was in the last text, or of the length that it had in
    an earlier attempt; and it writes hits over the old ones with no NUL byte behind.
    """
    _wipe(rex)
    C.zrex_eq(rex, b" ", _EMPTY_GROUPS)
    # A length that is too great leads no further than into these NUL bytes.
    return _run(rex, text + bytes(len(text)), expression.text, expression.steps(len(text)))


def _wipe(rex: Rex) -> None:
    """Overwrite the hits of the last match with NUL bytes."""
    count = C.zrex_hits(rex)
    if count:
        first, last = C.zrex_hit(rex, 0), C.zrex_hit(rex, count - 1)
        used = last - first + len(ffi.string(last))
        ffi.memmove(ffi.cast("char *", first), bytes(used), used)


def _run(rex: Rex, text: bytes, expression: bytes, steps: float) -> bool:
    """Call C; on the main thread, what may take long is called on another, so that signals get through."""
    if steps <= _STEPS:
        return C.zrex_eq(rex, text, expression)
    result: list[bool] = []
    done = allocate_lock()
    done.acquire()

    def work() -> None:
        try:
            result.append(C.zrex_eq(rex, text, expression))
        finally:
            _busy.discard(rex)
            done.release()

    _busy.add(rex)
    started = False
    if _threads.on_main_thread():
        try:
            _threads.start_helper(work)
            started = True
        except RuntimeError:
            # No thread can be had.
            pass
    if not started:
        work()
    _threads.await_release(done)
    return result[0]


def hits(rex: Rex) -> int:
    """Return the number of hits of the last match: the groups of the expression and one more; 0 if it did not match.

    C: ``int zrex_hits (zrex_t *self)``
    """
    return C.zrex_hits(_live(rex))


def hit(rex: Rex, index: int) -> str | None:
    """Return a hit of the last match: 0 is all that matched, 1 the first group's part, and so on; None beyond.

    A group that took no part in the match is "", or what it matched in an attempt that came to nothing. One that is
    repeated with ``+`` has its first part, with ``*`` none.

    C: ``const char *zrex_hit (zrex_t *self, unsigned int index)``
    """
    number = integer(index, "index", 0, 2**32 - 1)
    return _text.string(C.zrex_hit(_live(rex), number))


def fetch(rex: Rex, count: int | None = None) -> list[str | None]:
    """Return what the groups matched, from the first on: all, or *count* of them, with None where there is no group.

    So they go into variables: ``major, minor = zrex.fetch(rex, 2)``.

    C: ``int zrex_fetch (zrex_t *self, const char **string_p, ...)``
    """
    wanted = None if count is None else integer(count, "count", 0, _MOST_HITS)
    if wanted is None:
        wanted = max(0, C.zrex_hits(_live(rex)) - 1)
    return [hit(_live(rex), number + 1) for number in range(wanted)]


def test(verbose: bool = False) -> None:
    """Run CZMQ's own self-test of this class in a child process; RuntimeError with its output if it fails.

    C: ``void zrex_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zrex_test", verbose)


def _live(rex: Rex) -> Rex:
    _handles.live(rex, _REX, "rex")
    if _busy and rex in _busy:
        raise ValueError("rex is in use: a match is still going on")
    return rex


def _known(rex: Rex) -> _Known:
    """Return what is known of a handle; nothing of one that the raw floor made."""
    known: _Known = _handles.companions(rex).setdefault(_Known, _Known())
    return known


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zrex")
