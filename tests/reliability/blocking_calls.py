"""Which functions of pyczmq can block: whatever leads, call by call, to one of the few places where the package waits.

It is read off the source: a function leads to those that it names, be it to call them or to hand them on. A method is
known by its name alone, within the modules that its caller's module imports: so this finds some that do not block.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pyczmq

#: Where the package waits, open to signals.
WAITS = {
    *("_blocking.poll", "_threads.call", "_blocking.wait", "_blocking.again", "_blocking.until", "_blocking.receive"),
    *("_blocking.terminate", "_blocking._poll_until"),
}

#: What waits for an actor: to start, to take a command, to answer one, to end.
ACTORS = {
    *("_actor_threads.new", "_actor_threads.start", "_tasks._await_ready", "_actor_threads.end"),
    *("_actor_threads.destroy", "_actor_threads.leave", "_endings.end"),
    *("_actors.command", "_actors.ask", "_actors.has_ended", "_dialogue.Dialogue.ask"),
}

_ROOT = Path(pyczmq.__file__).parent
_SKIPPED = ("_abi", "__main__", "interop", "_selftest")


class _Module:
    """What one module defines, and what the names that it imports stand for."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.is_package = path.name == "__init__.py"
        self.functions: dict[str, ast.AST] = {}
        self.imported: dict[str, str] = {}
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                self._note_import(node)
        for statement in tree.body:
            self._note(statement, "")

    def _note(self, node: ast.stmt, prefix: str) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self.functions[prefix + node.name] = node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                self._note(inner, f"{node.name}.")
        elif isinstance(node, ast.If):
            for inner in [*node.body, *node.orelse]:
                self._note(inner, prefix)
        elif isinstance(node, ast.Assign) and isinstance(node.value, (ast.Attribute, ast.Name)):
            # Another name for a function.
            for target in node.targets:
                if isinstance(target, ast.Name):
                    self.functions[prefix + target.id] = node.value

    def _note_import(self, node: ast.ImportFrom) -> None:
        parts = self.name.split(".") if self.name else []
        here = parts if self.is_package else parts[:-1]
        base = [*here[: len(here) - node.level + 1], *(node.module.split(".") if node.module else [])]
        for alias in node.names:
            self.imported[alias.asname or alias.name] = ".".join([*base, alias.name])

    def leads_to(self, node: ast.AST) -> set[str]:
        """Return what a function names, in full; ``*.name`` for a method."""
        found = set()
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name):
                if inner.id in self.functions:
                    found.add(f"{self.name}.{inner.id}")
                if inner.id in self.imported:
                    found.add(self.imported[inner.id])
            elif isinstance(inner, ast.Attribute):
                owner = inner.value.id if isinstance(inner.value, ast.Name) else ""
                if owner in self.imported:
                    found.add(f"{self.imported[owner]}.{inner.attr}")
                found.add(f"*.{inner.attr}")
        return found


@functools.cache
def _graph() -> dict[str, frozenset[str]]:
    """Return, for each function of the package, what it leads to."""
    modules = {}
    for path in sorted(_ROOT.rglob("*.py")):
        parts = path.relative_to(_ROOT).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if name and not name.startswith(_SKIPPED):
            modules[name] = _Module(name, path)
    methods: dict[str, list[tuple[str, str]]] = {}
    for module in modules.values():
        for name in module.functions:
            owner, _, method = name.rpartition(".")
            if owner:
                methods.setdefault(method, []).append((module.name, f"{module.name}.{name}"))
    found = {}
    for module in modules.values():
        near = {module.name, *module.imported.values(), *[full.rpartition(".")[0] for full in module.imported.values()]}
        for name, node in module.functions.items():
            targets = module.leads_to(node)
            for target in list(targets):
                if target.startswith("*."):
                    targets |= {method for owner, method in methods.get(target[2:], ()) if owner in near}
            found[f"{module.name}.{name}"] = frozenset(targets)
    return found


@functools.cache
def blocking(but_for_actors: bool = False) -> frozenset[str]:
    """Return the functions that can block; those that do so only for an actor may be left out."""
    excluded = ACTORS if but_for_actors else set()
    found = set(WAITS)
    while True:
        more = {
            name for name, targets in _graph().items() if name not in found and name not in excluded and targets & found
        }
        if not more:
            return frozenset(found)
        found |= more


def _key(function: object) -> str:
    """Return what a function is called in the graph."""
    function = inspect.unwrap(function)  # type: ignore[arg-type]
    module = str(getattr(function, "__module__", "")).partition(".")[2]
    return f"{module}.{getattr(function, '__qualname__', '')}"


def functions(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield the public functions of a namespace: its name for each, and the graph's."""
    name = module.__name__.rpartition(".")[2]
    for attribute in sorted(dir(module)):
        # What the loaded library lacks is wrapped all the same, but a raw alias is not there.
        value = getattr(module, attribute, None)
        if not attribute.startswith("_") and inspect.isfunction(value) and _key(value) in _graph():
            yield f"{name}.{attribute}", _key(value)


def methods(kind: type) -> Iterator[tuple[str, str]]:
    """Yield the public methods and properties of a class: its name for each, and the graph's."""
    for attribute in sorted(dir(kind)):
        value = inspect.getattr_static(kind, attribute)
        if isinstance(value, property):
            value = value.fget
        elif isinstance(value, (staticmethod, classmethod)):
            value = value.__func__
        is_public = not attribute.startswith("_") or attribute in ("__init__", "__iter__", "__aiter__")
        if is_public and inspect.isfunction(inspect.unwrap(value)):
            yield f"{kind.__name__}.{attribute}", _key(value)
