"""Python's standard output for what C would print to its own, which has a buffer apart and escapes redirection."""

from __future__ import annotations

import sys


def write(text: bytes) -> None:
    """Write text to ``sys.stdout``, if there is one; what its encoding has no room for is escaped."""
    stream = sys.stdout
    if stream is None:
        return
    shown = text.decode("utf-8", "surrogateescape")
    try:
        stream.write(shown)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(shown.encode(encoding, "backslashreplace").decode(encoding))
