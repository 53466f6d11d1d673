"""The exceptions of the objects: libzmq's errno and text, and what was being done."""

from __future__ import annotations

import errno

from .. import zmq

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ETERM = zmq.ETERM


class ZMQError(OSError):
    """What libzmq refused: *errno* and *strerror* are libzmq's, *what* says what was being done.

    ``str(error)`` is both: ``bind tcp://127.0.0.1:5555: Address already in use``.
    """

    errno: int
    strerror: str

    def __init__(self, code: int, what: str = "", text: str | None = None) -> None:
        super().__init__(code, zmq.strerror(code) if text is None else text)
        self.what = what

    def __str__(self) -> str:
        return f"{self.what}: {self.strerror}" if self.what else self.strerror

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.errno, self.what, self.strerror)


class Again(ZMQError, TimeoutError):
    """The time has passed, and nothing could be sent or received (EAGAIN)."""


class ContextTerminated(ZMQError):
    """The context has ended, by which every wait in it ends (ETERM)."""


_CLASSES: dict[int, type[ZMQError]] = {errno.EAGAIN: Again, ETERM: ContextTerminated}


def error(what: str, code: int | None = None) -> ZMQError:
    """Return the exception for the errno that the last call has left, or for *code*."""
    number = zmq.errno() if code is None else code
    return _CLASSES.get(number, ZMQError)(number, what)
