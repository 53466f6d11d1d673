"""The alias rule: each C function of a class is in its namespace, under its own name, documented with its prototype."""

from __future__ import annotations

import inspect
from importlib import import_module
from types import ModuleType

import children
import pytest

from pyczmq import C, _coverage, _declarations

NAMESPACES = _declarations.classes()
FUNCTIONS = _declarations.functions()

#: The actors: C functions under a class's own name, which are `actor` in the namespace.
ACTORS = {"zauth", "zbeacon", "zgossip", "zmonitor", "zproxy"}


def cases() -> list[object]:
    """Each declared function of a class, with its namespace."""
    return [
        pytest.param(owner, name, id=name)
        for name in FUNCTIONS
        for owner in [_declarations.class_of(name)]
        if owner is not None and name not in ACTORS
    ]


def namespace(name: str) -> ModuleType:
    return import_module(f"pyczmq.{name}")


@pytest.mark.parametrize(("module", "name"), cases())
def test_function_is_in_its_namespace(module: str, name: str) -> None:
    """The function is there, written for Python, and its docstring ends in its C prototype as it is declared."""
    function = getattr(namespace(module), _coverage.alias(name, module))
    assert callable(function)
    documentation = inspect.getdoc(function)
    assert documentation is not None
    assert documentation.splitlines()[-1] == f"C: ``{FUNCTIONS[name].text}``"
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(parameter.annotation is not inspect.Parameter.empty for parameter in signature.parameters.values())


@pytest.mark.parametrize("name", sorted(ACTORS))
def test_actor_is_in_its_namespace(name: str) -> None:
    """An actor is `actor` in its namespace: the C function, for `zactor.new`."""
    assert namespace(name).actor == getattr(C, name)


@pytest.mark.parametrize("name", NAMESPACES)
def test_namespace_is_documented(name: str) -> None:
    """The module and each of its public functions say what they are for."""
    module = namespace(name)
    assert module.__doc__
    public = [
        function
        for key, function in vars(module).items()
        if inspect.isfunction(function) and not key.startswith("_") and function.__module__ == module.__name__
    ]
    assert public
    assert [function.__name__ for function in public if not function.__doc__] == []


@pytest.mark.parametrize("name", [name for name in NAMESPACES if ">>>" in (namespace(name).__doc__ or "")])
def test_example_runs(name: str) -> None:
    """The example in the module's docstring runs as it stands, in a process of its own."""
    if not any(hasattr(C, function) for function in FUNCTIONS if _declarations.class_of(function) == name):
        pytest.skip(f"this libczmq has no {name}")
    program = "import doctest, pyczmq.{0} as module; print(doctest.testmod(module))"
    assert children.check(program.format(name)).startswith("TestResults(failed=0, ")


@pytest.mark.parametrize("name", NAMESPACES)
def test_functions_are_in_the_headers_order(name: str) -> None:
    """The functions of a namespace come in the order of the C header, then those that only CZMQ 2 had."""
    module = namespace(name)
    declared = [function for function in FUNCTIONS if _declarations.class_of(function) == name]
    declared.sort(key=lambda function: FUNCTIONS[function].header == "renamed.h")
    header = [_coverage.alias(function, name) for function in declared if not function.endswith("_test")]
    rank = {function: number for number, function in enumerate(header)}
    written = [
        (function.__code__.co_firstlineno, rank[key])
        for key, function in vars(module).items()
        if inspect.isfunction(function) and function.__code__.co_filename == module.__file__ and key in rank
    ]
    ranks = [number for _, number in sorted(written)]
    out_of_order = [header[after] for before, after in zip(ranks, ranks[1:]) if after < before]
    assert out_of_order == []


def test_function_that_nobody_wrapped_is_still_reached() -> None:
    """A C function that the module lacks is found by its alias, with the keyword's underscore dropped."""
    from pyczmq import _alias

    find = _alias.aliases("zclock")
    assert find("time") is C.zclock_time
    assert _alias.aliases("zframe")("is_") is C.zframe_is
    with pytest.raises(AttributeError, match=r"pyczmq\.zclock has no 'frobnicate'"):
        find("frobnicate")
    with pytest.raises(AttributeError):
        find("__path__")
