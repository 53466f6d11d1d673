"""zdigest: SHA-1 digests, built up from any number of pieces of data.

A digest is good for telling whether two blocks of data, or two files, are the same. It is no protection against anybody
who means harm: SHA-1 is broken for that.

    >>> from pyczmq import zdigest
    >>> digest = zdigest.new()
    >>> zdigest.update(digest, "Hello, ")
    >>> zdigest.update(digest, b"World")
    >>> zdigest.string(digest)
    '907D14FB3AF2B0D4F18C2D46ABE8AEDCE17367BD'
    >>> len(zdigest.data(digest))
    20

Once its result was asked for, a digest is finished: it takes no more data.
"""

from __future__ import annotations

from . import _handles, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._types import Buffer, Digest, Text

_DIGEST = ffi.typeof("zdigest_t *")
_free = _handles.freer(C.zdigest_destroy, "zdigest_t *")


def new() -> Digest:
    """Return a new digest, of no data yet.

    The garbage collector owns it, and it stays usable in a forked child.

    C: ``zdigest_t *zdigest_new (void)``
    """
    digest = _handles.own(C.zdigest_new(), _free, fork_safe=True)
    assert digest is not None
    return digest


def destroy(digest: Digest | None) -> None:
    """Destroy a digest now, and only once; None is let through.

    C: ``void zdigest_destroy (zdigest_t **self_p)``
    """
    _handles.destroy(digest, _DIGEST, _free, "digest")


def update(digest: Digest, buffer: Text | Buffer) -> None:
    """Add data to a digest: anything with the buffer protocol, or str, as UTF-8.

    Raises ValueError for a digest that is finished, by `data` or `string`.

    C: ``void zdigest_update (zdigest_t *self, const byte *buffer, size_t length)``
    """
    content = _text.data(buffer, "buffer")
    if _handles.find_companions(_live(digest)):
        raise ValueError("digest is finished: its data was asked for, so it takes no more")
    C.zdigest_update(digest, content, len(content))


def data(digest: Digest) -> bytes:
    """Return the result, 20 bytes. The digest is finished then: asked again, it gives the same.

    C: ``const byte *zdigest_data (zdigest_t *self)``
    """
    _finish(digest)
    return bytes(ffi.buffer(C.zdigest_data(digest), C.zdigest_size(digest)))


def size(digest: Digest) -> int:
    """Return the size of the result in bytes: 20. It does not finish the digest.

    C: ``size_t zdigest_size (zdigest_t *self)``
    """
    return C.zdigest_size(_live(digest))


def string(digest: Digest) -> str:
    """Return the result as 40 hexadecimal digits, in capitals. The digest is finished then.

    C: ``char *zdigest_string (zdigest_t *self)``
    """
    _finish(digest)
    return _text.decode(ffi.string(C.zdigest_string(digest)))


def test(verbose: bool = False) -> None:
    """Run CZMQ's own self-test of this class in a child process; RuntimeError with its output if it fails.

    C: ``void zdigest_test (bool verbose)``
    """
    from . import _selftest

    _selftest.run("zdigest_test", verbose)


def _live(digest: Digest) -> Digest:
    return _handles.live(digest, _DIGEST, "digest")


def _finish(digest: Digest) -> None:
    """Note that C would abort over more data from now on, and has no way to ask it."""
    _handles.companions(_live(digest))["finished"] = True


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zdigest")
