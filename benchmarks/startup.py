"""What a program pays before its first message: the time to import pyczmq and to make two sockets.

    python benchmarks/startup.py [ROUNDS]

It is given over that of a bare interpreter. Bare and measured interpreters alternate, so that what else the machine
does hits both alike, and the medians are compared. Run it with an interpreter that has pyczmq installed: from a plain
checkout each start parses the C declarations.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

PROGRAMS = {
    "import pyczmq": "import pyczmq",
    "zctx, zsocket, zstr": """
from pyczmq import zctx, zmq, zsocket, zstr
ctx = zctx.new()
push, pull = zsocket.new(ctx, zmq.PUSH), zsocket.new(ctx, zmq.PULL)
zsocket.bind(push, "inproc://startup")
zsocket.connect(pull, "inproc://startup")
zstr.send(push, "x")
assert zstr.recv(pull) == "x"
import os
os._exit(0)
""",
}


def seconds(program: str) -> float:
    """Return how long a fresh interpreter takes to run a program."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    times: dict[str, list[float]] = {"bare": [], **{name: [] for name in PROGRAMS}}
    for _ in range(rounds):
        times["bare"].append(seconds("pass"))
        for name, program in PROGRAMS.items():
            times[name].append(seconds(program))
    bare = statistics.median(times.pop("bare"))
    print(f"{'bare interpreter':24}{bare * 1e3:8.1f} ms")
    for name, measured in times.items():
        print(f"{name:24}{(statistics.median(measured) - bare) * 1e3:8.1f} ms over it")


if __name__ == "__main__":
    main()
