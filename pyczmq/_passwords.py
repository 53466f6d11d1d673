"""Files of passwords, read as C's authenticator reads them: it may have missed that one was changed."""

from __future__ import annotations

import hmac

from . import _streams

#: Bytes that C reads at a time: a longer line is several to it.
_PIECE = 1023

_MOST_BYTES = 2**26


def holds(path: bytes, name: bytes, password: bytes) -> bool:
    """Tell whether a file has, now, a line for *name* and the last such line has this password."""
    try:
        content = _streams.read_regular(path, _MOST_BYTES)
    except ValueError:
        content = None
    found = None
    for line in (content or b"").split(b"\n"):
        for start in range(0, len(line), _PIECE):
            key, equals, value = line[start : start + _PIECE].partition(b"\0")[0].partition(b"=")
            if equals and key == name and key and not key.startswith(b"#"):
                found = value
    return found is not None and hmac.compare_digest(found, password)
