"""Sequences of calls: create, use, hand over, destroy, use again, in any order, against models of what must come of it.

Hypothesis makes up the sequences (see ``machines``). They are made in child processes, so a crash is a failure that
tells the steps on the way to it and how to repeat it, and so is a hang.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sequences

#: Examples in the short form, which are about as much work for each machine, and all the same in the long one.
EXAMPLES = {
    "messages": 25,
    "message objects": 25,
    "sockets": 20,
    "socket objects": 20,
    "lists": 20,
    "hashes": 20,
    "trees": 15,
    "loops": 15,
    "actors": 15,
    "values": 20,
    "certificates": 15,
}
STEPS = 30

#: The long form: so many runs, each with another seed.
LONG_RUNS, LONG_EXAMPLES, LONG_STEPS = 10, 500, 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sequences.Server]:
    """The process that runs the machines, each in a fork of its own."""
    server = sequences.Server(tmp_path_factory.mktemp("sequences"))
    yield server
    server.close()


@pytest.mark.parametrize("machine", EXAMPLES)
def test_sequences(
    machine: str, server: sequences.Server, amount: Callable[[Any, Any], Any], figure: Callable[[str], None]
) -> None:
    """Nothing that is done in any order ends the process, hangs, or gives another result than the model."""
    runs = amount(1, LONG_RUNS)
    examples, steps = amount((EXAMPLES[machine], STEPS), (LONG_EXAMPLES, LONG_STEPS))
    made = [0, 0]
    seconds = 0.0
    for seed in range(runs):
        run = server.run(sequences.Run(machine, seed, examples, steps))
        if run.status:
            pytest.fail(run.failure(), pytrace=False)
        made = [before + more for before, more in zip(made, run.made)]
        seconds += run.seconds
    seeds = "seed 0" if runs == 1 else f"seeds 0 to {runs - 1}"
    figure(f"{made[0]:,} sequences, {made[1]:,} steps, {seeds}, in {seconds:.1f} s")


CRASHES = """
import ctypes
from machines import Machine, rule

class Crashes(Machine):
    @rule()
    def crash(self):
        {crash}
"""


@pytest.mark.parametrize(
    ("crash", "status", "told"),
    [
        ("ctypes.string_at(0)", -11, "Segmentation fault"),
        ("import os; os.abort()", -6, "Aborted"),
        ("import time; time.sleep(60)", 1, "Timeout"),
        ("raise AssertionError('wrong result')", 1, "wrong result"),
    ],
    ids=["segmentation fault", "abort", "hang", "wrong result"],
)
def test_what_goes_wrong_is_told(crash: str, status: int, told: str, server: sequences.Server, tmp_path: Path) -> None:
    """A machine that dies, hangs or finds something wrong names the steps that it has made, and how to repeat them."""
    (tmp_path / "broken.py").write_text(CRASHES.format(crash=crash))
    run = server.run(sequences.Run("broken:Crashes", 0, 1, 5, 1.0, str(tmp_path)))
    assert run.status == status, run.output
    assert "crash()" in run.journal
    assert told in run.failure() and "--seed 0" in run.failure()
