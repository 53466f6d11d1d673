"""What every test gets: the installed package and not the checkout, a time limit that nothing outlives, two hosts.

The time limit itself is pytest-timeout's (pyproject.toml): a signal, which ends any wait that ZeroMQ lets be
interrupted. The tests of tests/reliability have a short form, for each run, and a long one, for --soak.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib.util
import os
import platform
import signal
from collections.abc import Callable, Iterator
from typing import TypeVar

import netns
import pytest

# Seconds after which a test that not even the signal could end takes the run down, with every thread's traceback.
LAST_RESORT = 300.0

#: Seconds that a test has in its long form.
SOAK = 14_400.0

#: Where scripts/checks.sh wants to find the test that ended the run, and where that was.
LOG = os.environ.get("PYCZMQ_TEST_LOG")

Amount = TypeVar("Amount")

_log = pytest.StashKey[int]()
_figures = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --soak."""
    parser.addoption("--soak", action="store_true", help="run the long forms of the tests of reliability")


def pytest_report_header() -> str:
    """Say which pyczmq is under test."""
    spec = importlib.util.find_spec("pyczmq")
    where = spec.origin if spec else "not installed"
    return f"{platform.python_implementation()} {platform.python_version()}, pyczmq: {where}"


def pytest_configure(config: pytest.Config) -> None:
    """Open the log of a test that hangs; let Ctrl-C get through.

    That is the file that scripts/checks.sh names, or the real standard error, which the capture takes away.
    """
    config.addinivalue_line("markers", "requires_netns: skip where no network namespace can be made")
    config.stash[_log] = os.open(LOG, os.O_WRONLY | os.O_APPEND) if LOG else os.dup(2)
    config.stash[_figures] = []
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what runs in the background so; a child that is to be interrupted would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave the log empty: the run has come to its end."""
    if LOG:
        os.truncate(config.stash[_log], 0)
    os.close(config.stash[_log])


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long argument by its length: pytest 8, which PyPy has, would keep names of megabytes, and log them."""
    if isinstance(val, (str, bytes)) and len(val) > 100:
        return f"{argname} of {len(val)}"
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give long forms the time that they need."""
    if config.getoption("soak"):
        for item in items:
            item.add_marker(pytest.mark.timeout(SOAK), append=False)


def pytest_collection_finish() -> None:
    """Spare the garbage collector, which many tests call by the hundred, the thousands of tests."""
    if hasattr(gc, "freeze"):
        gc.collect()
        gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """End the run where a test hangs inside C; the log tells which test runs, and then where it hangs."""
    limit = SOAK + LAST_RESORT if item.config.getoption("soak") else LAST_RESORT
    log = item.config.stash[_log]
    if LOG:
        os.truncate(log, 0)
        os.write(log, f"{item.nodeid}\n".encode())
    faulthandler.dump_traceback_later(limit, exit=True, file=log)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a network of its own where none can be made."""
    if item.get_closest_marker("requires_netns") and netns.unavailable():
        pytest.skip(netns.unavailable())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what the tests have measured."""
    if config.stash[_figures]:
        terminalreporter.section("figures")
        for line in config.stash[_figures]:
            terminalreporter.line(line)


@pytest.fixture
def amount(request: pytest.FixtureRequest) -> Callable[[Amount, Amount], Amount]:
    """Return what chooses between the amount of a test's short form and that of its long form."""
    soak = request.config.getoption("soak")
    return lambda short, long: long if soak else short


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return what notes a measured figure, to be printed at the end of the run."""
    name = request.node.name
    return lambda text: request.config.stash[_figures].append(f"{name}: {text}")


@pytest.fixture(scope="session", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run the tests in an empty directory: ``python -c`` in a child imports from the current one first."""
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    yield
    os.chdir(before)


@pytest.fixture
def hosts() -> Iterator[tuple[netns.Host, netns.Host]]:
    """Two hosts on a network of their own, for whatever broadcasts (see `netns`)."""
    reason = netns.unavailable()
    if reason:
        pytest.skip(reason)
    with netns.network() as pair:
        yield pair
