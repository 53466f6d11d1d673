"""The README: each Python example in it runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import children
import pytest

from pyczmq import _declarations

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = [
    pytest.param(match[1], id=f"{page.name}:{page.read_text().count(chr(10), 0, match.start()) + 2}")
    for page in PAGES
    for match in re.finditer(r"^```python\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_runs(example: str) -> None:
    """The example runs to its end and prints no error."""
    children.check(example)


def test_the_eleven_lines_are_there() -> None:
    """The first example is the program that every supported Python runs."""
    first = EXAMPLES[0].values[0]
    assert first.startswith("from pyczmq import zctx, zsocket, zstr, zmq\n")
    assert len([line for line in first.splitlines() if line]) == 11


def test_every_namespace_is_named() -> None:
    """The README tells what each namespace is for."""
    text = PAGES[0].read_text(encoding="utf-8")
    assert [name for name in _declarations.classes() if f"`{name}`" not in text] == []


def test_links_lead_somewhere() -> None:
    """Each relative link leads to a file of the repository."""
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
