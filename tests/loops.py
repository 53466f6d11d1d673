"""Event loops for tests of `pyczmq.aio`: asyncio's own, and uvloop's where that is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from importlib.util import find_spec
from typing import Any

import pytest

KINDS = [
    "asyncio",
    pytest.param("uvloop", marks=pytest.mark.skipif(find_spec("uvloop") is None, reason="uvloop is not installed")),
]


def new(kind: str = "asyncio") -> asyncio.AbstractEventLoop:
    """Return a new event loop of a kind."""
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def run(main: Coroutine[Any, Any, Any], kind: str = "asyncio", limit: float = 30.0) -> Any:
    """Run a coroutine in a new event loop for at most *limit* seconds; tasks that it leaves are an error."""

    async def limited() -> Any:
        result = await asyncio.wait_for(main, limit)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left
        return result

    loop = new(kind)
    try:
        return loop.run_until_complete(limited())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def until(condition: Any, seconds: float = 10.0) -> None:
    """Let other tasks run until a condition holds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        assert loop.time() < deadline, "it never came about"
        await asyncio.sleep(0.001)
