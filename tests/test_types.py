"""All objects together: what each has in common, where they stand, and what mypy knows of them."""

from __future__ import annotations

import ast
import asyncio
import copy
import doctest
import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import pyczmq
from pyczmq import aio, types, zmq
from pyczmq.types._base import Object

PACKAGES = (types, aio)
MODULES = [
    f"{package.__name__}.{found.name}" for package in PACKAGES for found in pkgutil.iter_modules(package.__path__)
]

#: Each object that needs no network, and how it is made.
MADE = {
    "Context": types.Context,
    "Socket": lambda: types.Socket(zmq.PAIR),
    "Frame": types.Frame,
    "Message": types.Message,
    "Poller": types.Poller,
    "Loop": types.Loop,
    "Actor": lambda: types.Actor(list),
    "Auth": types.Auth,
    "Cert": types.Cert,
    "CertStore": types.CertStore,
    "Proxy": lambda: types.Proxy(("PULL", "inproc://types.a"), ("PUSH", "inproc://types.b")),
    "Monitor": lambda: types.Monitor(types.Socket(zmq.PAIR)),
    "Gossip": types.Gossip,
    "Config": types.Config,
}


@pytest.mark.parametrize("name", MODULES)
def test_no_object_imports_cffi(name: str) -> None:
    source = Path(inspect.getfile(importlib.import_module(name))).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
        module = getattr(node, "module", None) or ""
        assert not {"cffi", "_cffi", "_cffi_backend"} & {*names, *module.split(".")}, ast.dump(node)


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS).failed == 0


@pytest.mark.parametrize("name", [*types.__all__, *(f"aio.{name}" for name in aio.__all__)])
def test_everything_public_is_documented(name: str) -> None:
    found = getattr(aio, name[4:]) if name.startswith("aio.") else getattr(types, name)
    assert inspect.getdoc(found)
    if not inspect.isclass(found) or not issubclass(found, Object):
        return
    for attribute in dir(found):
        if not attribute.startswith("_"):
            assert inspect.getdoc(getattr(found, attribute)), attribute


@pytest.mark.parametrize("name", MADE)
def test_each_is_a_context_manager_that_closes_once(name: str) -> None:
    made = MADE[name]()
    assert type(made).__name__ in repr(made)
    with made as entered:
        assert entered is made
        assert not made.closed
    assert made.closed
    made.close()
    assert "closed" in repr(made)
    with pytest.raises((ValueError, OSError), match="closed"), made:
        pass


@pytest.mark.parametrize("name", MADE)
def test_none_has_room_for_a_misspelt_attribute(name: str) -> None:
    with MADE[name]() as made, pytest.raises(AttributeError):
        made.no_such_attribute = 1


@pytest.mark.parametrize("name", sorted(set(MADE) - {"Frame", "Message", "Cert", "Config"}))
def test_what_stands_for_something_is_neither_copied_nor_pickled(name: str) -> None:
    with MADE[name]() as made:
        for use in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match=r"pickled|copied"):
                use(made)


@pytest.mark.parametrize("value", [object(), 1.5, ("x",)])
def test_an_object_is_not_taken_for_another(value: Any) -> None:
    """Where an object is wanted, another one is a TypeError that says what came."""
    cert, config = types.Cert(), types.Config("root")
    with types.Socket(zmq.PAIR) as socket, types.Context() as context, types.Auth() as auth:
        for wrong in (value, cert, config, context):
            with pytest.raises(TypeError):
                socket.send_frame(wrong)
            with pytest.raises(TypeError):
                types.Monitor(wrong)
            with pytest.raises(TypeError):
                types.Poller(wrong)
            with pytest.raises(TypeError):
                types.Proxy(wrong, wrong)
        for wrong in (value, socket, config):
            with pytest.raises(TypeError):
                auth.attach(wrong)
            with pytest.raises(TypeError):
                cert.apply(value)


def test_the_old_names_of_the_handles() -> None:
    with types.Context() as context, context.socket(zmq.PAIR) as socket, types.Loop() as loop:
        frame = types.Frame("x")
        assert context.ctx is context.handle
        assert socket.sock is socket.handle
        assert loop.loop is loop.handle
        assert frame.frame is frame.handle


PROGRAM = """
from pyczmq import Context, Pipe, actor, aio, zmq

socket = Context().socket(zmq.PULL, bind="tcp://*:*")
reveal_type(socket)
reveal_type(socket.recv())
reveal_type(socket.recv_bytes(timeout=1))
reveal_type(socket.recv_parts())
reveal_type(socket.recv_json())
reveal_type(socket.recv_msg())
reveal_type(socket.recv_frame())
reveal_type(socket.recv_nowait())
reveal_type(socket.bind("x"))
reveal_type(socket.linger)
reveal_type(socket.immediate)
reveal_type(socket.last_endpoint)
for message in socket:
    reveal_type(message)
    for frame in message:
        reveal_type(frame)

@actor
def task(pipe: Pipe, count: int) -> None: ...

with task(3) as running:
    reveal_type(running)
task("three")
socket.no_such_option = 1

async def main() -> None:
    async with aio.Socket(zmq.PULL) as awaited:
        reveal_type(await awaited.recv())
        reveal_type(await awaited.recv_json())
        async for message in awaited:
            reveal_type(message)
"""

REVEALED = [
    "pyczmq.types.socket.Socket",
    "str",
    "bytes",
    "list[bytes]",
    "Any",
    "pyczmq.types.message.Message",
    "pyczmq.types.frame.Frame",
    "str | None",
    "int",
    "int",
    "bool",
    "str",
    "pyczmq.types.message.Message",
    "pyczmq.types.frame.Frame",
    "pyczmq.types._actor.Actor",
    "str",
    "Any",
    "pyczmq.types.message.Message",
]


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_types_flow_through(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "--config-file", "", str(program)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    revealed = [line.partition("is ")[2].strip('"') for line in done.stdout.splitlines() if "Revealed type" in line]
    assert [text.replace("builtins.", "") for text in revealed] == REVEALED, done.stdout
    errors = [line for line in done.stdout.splitlines() if " error: " in line]
    assert len(errors) == 2, done.stdout
    assert '"str"; expected "int"' in errors[0] and "no_such_option" in errors[1]


def test_objects_are_loaded_when_they_are_used() -> None:
    program = "import sys, pyczmq; assert not [n for n in sys.modules if n.startswith('pyczmq.types.')]; pyczmq.Frame"
    subprocess.run([sys.executable, "-c", program + "; assert 'asyncio' not in sys.modules"], check=True, timeout=60)


def test_all_names() -> None:
    for package in PACKAGES:
        for name in package.__all__:
            assert getattr(package, name).__name__ == name
    assert asyncio.iscoroutinefunction(aio.Socket.recv)
    assert set(types.__all__) < set(pyczmq.__all__)
