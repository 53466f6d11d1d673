"""Runs the state machines in child processes: one process that has everything imported, and a fork of it for each run.

    python tests/reliability/sequences.py NAME [--seed N] [--examples N] [--steps N]

repeats a run, with the steps on the way to a crash or a failure.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Lines of the steps, and of what was printed, that a failure shows.
_SHOWN = 150


@dataclass
class Run:
    """One run of a machine: which, and what came of it."""

    machine: str
    seed: int
    examples: int
    steps: int
    #: Seconds that one example may take.
    limit: float = 25.0
    #: A folder to import the machine from, which is "module:class" then.
    folder: str = ""
    status: int = 0
    seconds: float = 0.0
    #: How many examples and steps were made, in all.
    made: tuple[int, int] = (0, 0)
    output: str = ""
    journal: str = ""

    @property
    def command(self) -> str:
        """What repeats the run."""
        return (
            f"python tests/reliability/sequences.py '{self.machine}' --seed {self.seed} "
            f"--examples {self.examples} --steps {self.steps}"
        )

    def failure(self) -> str:
        """Return what there is to say of a run that has failed."""
        how = f"by signal {-self.status}" if self.status < 0 else f"with status {self.status}"
        steps = self.journal.splitlines()
        output = self.output.splitlines()
        return "\n".join(
            [
                f"{self.machine} ended {how}; to repeat it: {self.command}",
                "the steps of the last example:",
                *(f"    {line}" for line in steps[-_SHOWN:]),
                "what was printed:",
                *(f"    {line}" for line in output[-_SHOWN:]),
            ]
        )


def machines() -> dict[str, Any]:
    """Return all machines by their names."""
    from machines import actors, containers, loops, messages, objects, sockets, values

    return {
        "messages": messages.Messages,
        "message objects": objects.Messages,
        "sockets": sockets.Sockets,
        "socket objects": objects.Sockets,
        "lists": containers.Lists,
        "hashes": containers.Hashes,
        "trees": containers.Trees,
        "loops": loops.Loops,
        "actors": actors.Actors,
        "values": values.Values,
        "certificates": values.Certs,
    }


def _find(run: Run) -> Any:
    """Return the machine of a run."""
    if not run.folder:
        return machines()[run.machine]
    sys.path.append(run.folder)
    module, name = run.machine.split(":")
    return getattr(importlib.import_module(module), name)


def run_machine(run: Run, journal_path: str) -> None:
    """Run a machine in this process, which is a child; what it raises comes out."""
    import hypothesis
    from hypothesis.stateful import run_state_machine_as_test
    from machines import journal, watchdogs

    journal.open(journal_path)
    faulthandler.enable()
    watchdogs.append(lambda: faulthandler.dump_traceback_later(run.limit, exit=True))
    machine = _find(run)
    settings = hypothesis.settings(
        max_examples=run.examples,
        stateful_step_count=run.steps,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
    )
    try:
        run_state_machine_as_test(hypothesis.seed(run.seed)(machine), settings=settings)
    finally:
        print(json.dumps([journal.examples, journal.steps]))


def _fork(run: Run, folder: Path) -> Run:
    """Run a machine in a fork of this process and return what came of it."""
    output, journal = folder / "output", folder / "journal"
    journal.write_bytes(b"")
    start = time.monotonic()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            run_machine(run, str(journal))
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    run.status = -os.WTERMSIG(ended) if os.WIFSIGNALED(ended) else os.WEXITSTATUS(ended)
    run.seconds = time.monotonic() - start
    run.output = output.read_text(errors="backslashreplace")
    run.journal = journal.read_text(errors="backslashreplace")
    lines = [line for line in run.output.splitlines() if line.startswith("[")]
    run.made = tuple(json.loads(lines[-1])) if lines and run.status >= 0 else (0, 0)
    return run


class Server:
    """The process that has everything imported, and forks for each run."""

    def __init__(self, folder: Path) -> None:
        self.errors = open(folder / "errors", "w+b")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def run(self, run: Run) -> Run:
        """Have a machine run, and return what came of it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(vars(run)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            self.errors.seek(0)
            raise RuntimeError(f"the process that runs the machines has ended: {self.errors.read().decode()}")
        return Run(**json.loads(answer))

    def close(self) -> None:
        """End the process."""
        self.process.communicate()
        self.errors.close()


def freeze() -> None:
    """Keep the garbage collector from going through all that was imported, time and again."""
    gc.collect()
    if hasattr(gc, "freeze"):
        gc.freeze()


def _serve(folder: Path) -> None:
    """Run what comes on the standard input, and answer on the standard output."""
    import hypothesis.stateful  # noqa: F401

    machines()
    freeze()
    for line in sys.stdin:
        print(json.dumps(vars(_fork(Run(**json.loads(line)), folder))), flush=True)


def main() -> None:
    # Python 3.12 would warn of forks beside threads.
    warnings.filterwarnings("ignore", "This process", DeprecationWarning)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("machine", nargs="?", choices=list(machines()))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        _serve(arguments.serve)
        return
    if not arguments.machine:
        parser.error("which machine?")
    freeze()
    # No TemporaryDirectory, which the exit of each child of a machine would remove.
    folder = Path(tempfile.mkdtemp())
    try:
        run = _fork(Run(arguments.machine, arguments.seed, arguments.examples, arguments.steps), folder)
    finally:
        shutil.rmtree(folder)
    print(run.failure() if run.status else f"{run.made[0]} examples of {run.made[1]} steps in all: {run.seconds:.1f} s")
    sys.exit(1 if run.status else 0)


if __name__ == "__main__":
    main()
