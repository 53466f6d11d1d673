"""zargs: command line arguments, sorted into positional ones and parameters.

What begins with a hyphen is a parameter, and the argument behind it is its value, unless that begins with a hyphen too;
all other arguments are positional, and so is everything behind ``--``. A parameter that is given twice keeps its first
value. Only libraries built with drafts have this class.

    args = zargs.new(["tool", "--verbose", "-n", "3", "file", "--", "--odd"])
    assert zargs.progname(args) == "tool"
    assert zargs.get(args, "-n") == "3" and zargs.has(args, "--verbose")
    assert zargs.first(args) == "file" and zargs.next(args) == "--odd"

A flag takes the argument behind it for its value: that of ``--verbose file`` is "file".
"""

from __future__ import annotations

from . import _handles, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._types import Args, CData, Text

_ARGS = ffi.typeof("zargs_t *")


def _free(pointer: CData) -> None:
    C.zargs_destroy(ffi.new("zargs_t **", pointer))


def new(argv: Sequence[Text]) -> Args:
    """Return new arguments, sorted; *argv* is a sequence like ``sys.argv``, with the program's name first.

    The garbage collector owns them.

    C: ``zargs_t *zargs_new (int argc, char **argv)``
    """
    if isinstance(argv, (str, bytes)):
        raise TypeError(f"argv must be a sequence of str or bytes, not {type(argv).__name__}")
    try:
        texts = [ffi.new("char[]", _text.cstring(text, "an item of argv")) for text in argv]
    except TypeError as error:
        raise TypeError(f"argv must be a sequence of str or bytes: {error}") from None
    if not texts:
        raise ValueError("argv must begin with the program's name, not be empty")
    pointers = ffi.new("char *[]", [*texts, ffi.NULL])
    args = _handles.own(C.zargs_new(len(texts), pointers), _free, fork_safe=True)
    assert args is not None
    # C keeps pointers into it.
    _handles.companions(args)[new] = texts
    return args


def destroy(args: Args | None) -> None:
    """Destroy arguments now; None is let through.

    C: ``void zargs_destroy (zargs_t **self_p)``
    """
    _handles.destroy(args, _ARGS, _free, "args")


def progname(args: Args) -> str:
    """Return the program's name: the first of all arguments.

    C: ``const char *zargs_progname (zargs_t *self)``
    """
    return _text.string(C.zargs_progname(_live(args))) or ""


def arguments(args: Args) -> int:
    """Return the number of positional arguments.

    C: ``size_t zargs_arguments (zargs_t *self)``
    """
    return C.zargs_arguments(_live(args))


def first(args: Args) -> str | None:
    """Return the first positional argument, or None.

    C: ``const char *zargs_first (zargs_t *self)``
    """
    return _text.string(C.zargs_first(_live(args)))


def next(args: Args) -> str | None:
    """Return the next positional argument; None after the last.

    C: ``const char *zargs_next (zargs_t *self)``
    """
    return _text.string(C.zargs_next(_live(args)))


def param_first(args: Args) -> str | None:
    """Return the value of the first parameter, in no order; "" if it has none; None if there are no parameters.

    C: ``const char *zargs_param_first (zargs_t *self)``
    """
    return _text.string(C.zargs_param_first(_live(args)))


def param_next(args: Args) -> str | None:
    """Return the value of the next parameter; "" if it has none; None after the last parameter.

    C: ``const char *zargs_param_next (zargs_t *self)``
    """
    return _text.string(C.zargs_param_next(_live(args)))


def param_name(args: Args) -> str | None:
    """Return the name of the parameter whose value `param_first` or `param_next` returned last; None before.

    C: ``const char *zargs_param_name (zargs_t *self)``
    """
    return _text.string(C.zargs_param_name(_live(args)))


def get(args: Args, name: Text) -> str | None:
    """Return the value of a parameter; None if it has none or was not given.

    C: ``const char *zargs_get (zargs_t *self, const char *name)``
    """
    return _text.string(C.zargs_get(_live(args), _text.cstring(name, "name")))


def getx(args: Args, name: Text, *names: Text) -> str | None:
    """Return the value of the first parameter of several that has one, or None.

    C: ``const char *zargs_getx (zargs_t *self, const char *name, ...)``
    """
    # One by one: C's stack has no room for any number of names.
    values = [get(args, each) for each in (name, *names)]
    for value in values:
        if value is not None:
            return value
    return None


def has(args: Args, name: Text) -> bool:
    """Tell whether a parameter was given, be it with a value or without.

    C: ``bool zargs_has (zargs_t *self, const char *name)``
    """
    return C.zargs_has(_live(args), _text.cstring(name, "name"))


def hasx(args: Args, name: Text, *names: Text) -> bool:
    """Tell whether any of several parameters was given.

    C: ``bool zargs_hasx (zargs_t *self, const char *name, ...)``
    """
    found = [has(args, each) for each in (name, *names)]
    return any(found)


def print(args: Args) -> None:
    """Write the arguments to the standard error, on one line that does not end.

    C: ``void zargs_print (zargs_t *self)``
    """
    C.zargs_print(_live(args))


def test(verbose: bool = False) -> None:
    """Run CZMQ's own test of the class in a child process; RuntimeError if it fails.

    C: ``void zargs_test (bool verbose)``
    """
    from ._selftest import run

    run("zargs_test", verbose)


def _live(args: Args) -> Args:
    return _handles.live(args, _ARGS, "args")


if not TYPE_CHECKING:
    from ._alias import aliases

    __getattr__ = aliases("zargs")
