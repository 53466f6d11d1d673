"""Everything public of pyczmq that can be called, found by looking: a new function or method is there by itself."""

from __future__ import annotations

import copy
import inspect
import pickle
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pyczmq

#: What is not called, and why.
EXCLUDED = {
    "zsys.daemonize": "its job is to leave the terminal and the parent, whose child would be lost to the test",
    "zsys.run_as": "its job is to become another user, who could not go on with the test",
}

#: Attributes of a class that say what it is and do nothing.
_INERT = {
    "__abstractmethods__",
    "__annotations__",
    "__class_getitem__",
    "__dict__",
    "__doc__",
    "__init_subclass__",
    "__module__",
    "__new__",
    "__orig_bases__",
    "__parameters__",
    "__slots__",
    "__subclasshook__",
    "__weakref__",
}

_EMPTY = inspect.Parameter.empty


@dataclass(frozen=True)
class Parameter:
    """One parameter of a target: what is known of what fits."""

    name: str
    annotation: str
    kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
    optional: bool = False


@dataclass(frozen=True)
class Target:
    """Something to be called; `owner` is the class of its first argument, for what belongs to one."""

    name: str
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    owner: type | None = None
    asynchronous: bool = False


def namespaces() -> list[types.ModuleType]:
    """Return the namespace modules."""
    return [import_module(f"pyczmq.{name}") for name in pyczmq.__all__ if name.startswith("z")]


def classes() -> list[tuple[str, type]]:
    """Return the public classes of the objects, with the names that they go by."""
    found = []
    for floor in pyczmq.types, pyczmq.aio:
        for name in floor.__all__:
            thing = getattr(floor, name)
            if isinstance(thing, type):
                found.append((f"{floor.__name__.rpartition('.')[2]}.{name}", thing))
    return found


def targets() -> list[Target]:
    """Return all there is to call, each function once, in an order that is always the same."""
    found: dict[object, Target] = {}
    for target in (*_of_namespaces(), *_of_floors(), *_of_classes()):
        if target.name not in EXCLUDED:
            found.setdefault((target.owner, target.function), target)
    return list(found.values())


def _of_namespaces() -> Iterator[Target]:
    """Yield the functions of the namespaces, those that are made at first use among them."""
    for module in namespaces():
        short = module.__name__.rpartition(".")[2]
        names = sorted({*dir(module), "__getattr__", "__dir__"} & {*dir(module), *vars(module)})
        for name in names:
            if name.startswith("_") and name not in ("__getattr__", "__dir__"):
                continue
            function = getattr(module, name)
            if _is_ours(function):
                yield Target(f"{short}.{name}", function, parameters(function))


def _of_floors() -> Iterator[Target]:
    """Yield the functions of the objects' floors, and of the package."""
    for floor in pyczmq, pyczmq.types, pyczmq.aio:
        short = floor.__name__.rpartition(".")[2]
        for name in (*floor.__all__, "__getattr__", "__dir__"):
            function = vars(floor).get(name) or getattr(floor, name)
            if isinstance(function, types.FunctionType):
                yield Target(f"{short}.{name}", function, parameters(function), None, floor is pyczmq.aio)


def _of_classes() -> Iterator[Target]:
    """Yield constructors, methods, properties and operations of the objects."""
    for short, cls in classes():
        asynchronous = short.startswith("aio.")
        yield Target(short, cls, parameters(cls), None, asynchronous)
        for name in attributes(cls):
            attribute = inspect.getattr_static(cls, name)
            label = f"{short}.{name}"
            me = Parameter("self", short)
            if isinstance(attribute, (property, types.MemberDescriptorType)) or not callable(getattr(cls, name, None)):
                getter, setter = _accessors(name)
                value = Parameter("value", _setter_annotation(attribute))
                yield Target(f"{label}", getter, (me,), cls, asynchronous)
                yield Target(f"{label}=", setter, (me, value), cls, asynchronous)
            elif isinstance(attribute, (classmethod, staticmethod)):
                function = getattr(cls, name)
                yield Target(label, function, parameters(function), None, asynchronous)
            else:
                function = getattr(cls, name)
                given = parameters(function)
                yield Target(label, function, (me, *given[1:]), cls, asynchronous)
        for operation in _OPERATIONS:
            given = (Parameter("self", short), *parameters(operation)[1:])
            yield Target(f"{operation.__name__.strip('_')}({short})", operation, given, cls, asynchronous)


def attributes(cls: type) -> list[str]:
    """Return the public and special attributes of a class that Python itself has not put there."""
    found = []
    for name in dir(cls):
        special = name.startswith("__") and name.endswith("__")
        if (name.startswith("_") and not special) or name in _INERT:
            continue
        where = next((base for base in cls.__mro__ if name in vars(base)), None)
        if where is not None and where.__module__ not in ("builtins", "enum", "typing"):
            found.append(name)
    return found


def _is_ours(thing: object) -> bool:
    """Tell whether something is a Python function or class of pyczmq, or looks like one."""
    if inspect.ismodule(thing) or isinstance(thing, pyczmq.ffi.CData) or not callable(thing):
        return False
    return str(getattr(thing, "__module__", "")).startswith("pyczmq")


def parameters(function: Any) -> tuple[Parameter, ...]:
    """Return the parameters of something that can be called."""
    try:
        given = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return (Parameter("args", "Any", inspect.Parameter.VAR_POSITIONAL),)
    return tuple(
        Parameter(
            each.name,
            "Any" if each.annotation is _EMPTY else str(getattr(each.annotation, "__name__", each.annotation)),
            each.kind,
            each.default is not _EMPTY,
        )
        for each in given
    )


def _setter_annotation(attribute: object) -> str:
    """Return what a property takes, as far as it says."""
    setter = getattr(attribute, "fset", None)
    getter = getattr(attribute, "fget", None)
    if setter is not None and len(parameters(setter)) > 1:
        return parameters(setter)[1].annotation
    return str(getattr(getter, "__annotations__", {}).get("return", "Any"))


def _accessors(name: str) -> tuple[Callable[[Any], Any], Callable[[Any, Any], None]]:
    return (lambda self: getattr(self, name), lambda self, value: setattr(self, name, value))


# ---------------------------------------------------------------- operations that any object may be put to

_FEW = 3


def _iterate(self: Any) -> None:
    for count, _ in enumerate(self):
        if count == _FEW:
            break


def _length(self: Any) -> object:
    return len(self)


def _getitem(self: Any, index: int) -> object:
    return self[index]


def _getslice(self: Any, start: int, stop: int, step: int) -> object:
    return self[start:stop:step]


def _setitem(self: Any, index: int, value: Any) -> None:
    self[index] = value


def _delitem(self: Any, index: int) -> None:
    del self[index]


def _contains(self: Any, value: Any) -> object:
    return value in self


def _with(self: Any) -> None:
    with self:
        pass


def _raise_in_with(self: Any) -> None:
    with self:
        raise ValueError("out of a with block")


async def _async_with(self: Any) -> None:
    async with self:
        pass


async def _async_iterate(self: Any) -> None:
    count = 0
    async for _ in self:
        count += 1
        if count == _FEW:
            break


def _view(self: Any) -> object:
    return memoryview(self)[:4]


def _compare(self: Any, other: Any) -> object:
    return (self == other, self != other, other == self)


def _order(self: Any, other: Any) -> object:
    return self < other


def _add(self: Any, other: Any) -> object:
    return self + other


def _iadd(self: Any, other: Any) -> object:
    self += other
    return self


def _hash(self: Any) -> object:
    return hash(self)


def _repr(self: Any) -> object:
    return repr(self)


def _str(self: Any) -> object:
    return str(self)


def _bytes(self: Any) -> object:
    return bytes(self)


def _format(self: Any, spec: str) -> object:
    return format(self, spec)


def _bool(self: Any) -> object:
    return bool(self)


def _int(self: Any) -> object:
    return int(self)


def _call(self: Any, *args: Any) -> object:
    return self(*args)


def _copy(self: Any) -> object:
    return copy.copy(self)


def _deepcopy(self: Any) -> object:
    return copy.deepcopy(self)


def _pickle(self: Any) -> object:
    return pickle.loads(pickle.dumps(self))


def _dir(self: Any) -> object:
    return dir(self)


def _getattr(self: Any, name: str) -> object:
    return getattr(self, name)


def _setattr(self: Any, name: str, value: Any) -> None:
    setattr(self, name, value)


def _delattr(self: Any, name: str) -> None:
    delattr(self, name)


def _again(self: Any, *args: Any) -> None:
    self.__init__(*args)


_OPERATIONS: tuple[Callable[..., Any], ...] = (
    _iterate,
    _length,
    _getitem,
    _getslice,
    _setitem,
    _delitem,
    _contains,
    _with,
    _raise_in_with,
    _async_with,
    _async_iterate,
    _view,
    _compare,
    _order,
    _add,
    _iadd,
    _hash,
    _repr,
    _str,
    _bytes,
    _format,
    _bool,
    _int,
    _call,
    _copy,
    _deepcopy,
    _pickle,
    _dir,
    _getattr,
    _setattr,
    _delattr,
    _again,
)
