"""The coverage page: all that the libraries export is declared, and all that is declared is in a namespace."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pyczmq
from pyczmq import C, _coverage, _declarations, zmq, zsys

ROOT = Path(__file__).resolve().parents[1]

#: What docs/coverage.md was written with.
PAGE_VERSIONS = ((4, 2, 1), (4, 3, 4))


@pytest.fixture(scope="module")
def coverage() -> _coverage.Coverage:
    return _coverage.count()


def test_nothing_that_is_exported_is_undeclared(coverage: _coverage.Coverage) -> None:
    """Each symbol of the loaded libraries is declared."""
    if coverage.undeclared is None:
        pytest.skip("nothing here lists a library's symbols")
    assert coverage.undeclared == []


def test_nothing_that_is_declared_lacks_an_alias(coverage: _coverage.Coverage) -> None:
    """Each declared function of a class is in its namespace, draft or not; few are of no class."""
    assert coverage.unaliased == []
    assert {name.partition("_")[0] for name in coverage.internal} == {"czmq", "header", "sha1", "slre", "write"}


def test_counts_fit_together(coverage: _coverage.Coverage) -> None:
    """Each class has a row, and its counts are what they say they are."""
    assert [row.name for row in coverage.rows] == list(_declarations.classes())
    functions = _declarations.functions()
    for row in coverage.rows:
        assert row.wrapped <= row.aliased == row.declared, row.name
        assert row.draft <= row.declared, row.name
        assert row.missing <= row.declared, row.name
        assert row.exported > 0 or row.draft or row.name == "zsocket", row.name
    declared = [name for name in functions if _declarations.class_of(name)]
    assert sum(row.declared for row in coverage.rows) == len(declared) + len(_declarations.variables())
    rows = {row.name: row for row in coverage.rows}
    missing = [name for name in functions if name.startswith("zframe_") and not hasattr(C, name)]
    assert rows["zframe"].missing == len(missing)
    assert rows["zsocket"].exported == 0 < rows["zsocket"].wrapped == rows["zsocket"].declared


def test_each_class_is_exported() -> None:
    """The package offers a namespace for each class, in alphabetical order."""
    assert [name for name in pyczmq.__all__ if name.startswith("z")] == sorted(_declarations.classes())


def test_where_no_symbols_can_be_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With no nm at hand the page says so, counts what the libraries answer for, and does not claim 0."""
    monkeypatch.setenv("PATH", "")
    found = _coverage.count()
    assert found.undeclared is None
    assert "Exported and not declared: unknown" in _coverage.text(found)
    row = next(row for row in found.rows if row.name == "zstr")
    assert row.exported == sum(hasattr(C, name) for name in _declarations.functions() if name.startswith("zstr_"))


def test_names_that_are_missing_are_told(coverage: _coverage.Coverage) -> None:
    """What is not covered is listed by name."""
    poor = coverage._replace(undeclared=["zfoo_new"], unaliased=["zbar_new", "zbar_destroy"])
    assert "Exported and not declared: 1: zfoo_new" in _coverage.text(poor)
    assert "without a namespace alias: 2: zbar_new, zbar_destroy" in _coverage.markdown(poor)


def test_command(coverage: _coverage.Coverage) -> None:
    """``python -m pyczmq coverage`` prints the table."""
    done = subprocess.run([sys.executable, "-m", "pyczmq", "coverage"], capture_output=True, text=True, check=True)
    assert done.stdout == _coverage.text(coverage) + "\n"
    assert done.stderr == ""
    wrong = subprocess.run([sys.executable, "-m", "pyczmq"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "usage: python -m pyczmq" in wrong.stderr


def test_page_is_up_to_date(coverage: _coverage.Coverage) -> None:
    """docs/coverage.md is what ``python -m pyczmq coverage --markdown`` prints."""
    if (zsys.version(), zmq.version()) != PAGE_VERSIONS or coverage.undeclared is None:
        pytest.skip("the page was written with other libraries")
    if hasattr(C, "zstr_str"):
        pytest.skip("the page was written with libraries that have no drafts")
    assert (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8") == _coverage.markdown(coverage)
