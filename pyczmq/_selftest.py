"""CZMQ's own self-tests, run in a child process: one that fails aborts its process."""

from __future__ import annotations


def run(name: str, verbose: bool = False) -> None:
    """Run the C self-test *name* (``zframe_test`` …) in a folder of its own; RuntimeError with its output if it fails.

    *verbose* prints what it says. Some self-tests open ports, and zbeacon's broadcasts.
    """
    import os
    import subprocess
    import sys
    import tempfile

    from ._cffi import C

    getattr(C, name)
    program = f"from pyczmq import C; C.{name}({bool(verbose)})"
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    with tempfile.TemporaryDirectory() as folder:
        # The self-tests write below this folder.
        os.makedirs(os.path.join(folder, "src", "selftest-rw"))
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    if verbose:
        print(done.stdout, end="")
    if done.returncode:
        raise RuntimeError(f"{name} failed with status {done.returncode}:\n{done.stdout}")
