"""Sequences of calls: create, use, hand over, destroy, use again, in any order, against models of what must come of it.

Hypothesis makes up the sequences (see ``machines``). They are made in child processes, so a crash is a failure that
tells the steps on the way to it and how to repeat it, and so is a hang.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import children
import pytest
import sequences

MACHINES = list(sequences.machines())

#: The short form: examples for each machine, and steps in each.
EXAMPLES, STEPS = 8, 30

#: The long form: so many runs, each with another seed.
LONG_RUNS, LONG_EXAMPLES, LONG_STEPS = 2, 500, 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sequences.Server]:
    """The process that runs the machines, each in a fork of its own."""
    server = sequences.Server(tmp_path_factory.mktemp("sequences"))
    yield server
    server.close()


@pytest.mark.parametrize("machine", MACHINES)
def test_sequences(
    machine: str, server: sequences.Server, amount: Callable[[Any, Any], Any], figure: Callable[[str], None]
) -> None:
    """Nothing that is done in any order ends the process, hangs, or gives another result than the model."""
    runs = amount(1, LONG_RUNS)
    examples, steps = amount((EXAMPLES, STEPS), (LONG_EXAMPLES, LONG_STEPS))
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


INTERRUPTS = """
import random, signal, sys, time
from collections import Counter
from pyczmq import zctx, zframe, zmq, zmsg, zsocket

class Interrupt(Exception):
    pass

seed, rounds, most = map(int, sys.argv[1:])
rng = random.Random(seed)
hits, hot = 0, False

# What the garbage collector calls: Python ignores, and prints, what is raised there.
COLLECTED = ("collect", "forget", "_forget_contents", "_unpin", "_drop", "<lambda>")

def collects(frame):
    while frame is not None:
        if frame.f_code.co_name in COLLECTED:
            return True
        frame = frame.f_back
    return False

def on_signal(number, frame):
    # Nowhere but in the library, and not for ever: what an interrupt has left behind must be put in order some time.
    global hits
    if hot and hits < most and frame.f_globals.get("__name__", "").startswith("pyczmq") and not collects(frame):
        hits += 1
        raise Interrupt

signal.signal(signal.SIGALRM, on_signal)

def hail(function, *args):
    global hits, hot
    hits, hot = 0, True
    signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, 1.5e-4), 4e-5)
    try:
        return function(*args)
    except Interrupt:
        return "interrupted"
    finally:
        hot = False
        signal.setitimer(signal.ITIMER_REAL, 0)

def refused(function, *args):
    try:
        function(*args)
    except ValueError:
        return True
    return False

def pair():
    ctx = zctx.new()
    zctx.set_iothreads(ctx, 0)
    output, input = zsocket.new(ctx, zmq.PAIR), zsocket.new(ctx, zmq.PAIR)
    zsocket.bind(output, "inproc://interrupts")
    zsocket.connect(input, "inproc://interrupts")
    return ctx, output, input

def received():
    parts = []
    while True:
        frame = zframe.recv_nowait(input)
        if frame is None:
            return parts
        parts.append(zframe.data(frame)[:])
        zframe.destroy(frame)

counts = Counter()

def send_frame(content, viewed):
    frame = zframe.new(content)
    view = zframe.data(frame) if viewed else None
    result = hail(zframe.send, frame, output)
    got = received()
    assert got in ([], [content]), got
    assert view is None or view[:] == content
    if got:
        assert refused(zframe.size, frame) and refused(zframe.destroy, frame)
    elif refused(zframe.size, frame):
        counts["lost"] += 1
    else:
        assert result == "interrupted" and zframe.data(frame)[:] == content
        zframe.destroy(frame)

def send_message(content, viewed):
    global ctx, output, input
    contents = [content, b"2" * rng.randrange(50), b"3"]
    message = zmsg.new()
    for part in contents:
        zmsg.addmem(message, part)
    lent = [zmsg.first(message), zmsg.next(message), zmsg.next(message)]
    views = [zframe.data(frame) for frame in lent if viewed or rng.random() < 0.2]
    result = hail(zmsg.send, message, output)
    got = received()
    if most > 1 and got not in ([], contents) or most > 1 and result == "interrupted" and not got:
        # It may have been begun: with one interrupt it would have been ended.
        zctx.destroy(ctx)
        ctx, output, input = pair()
    else:
        assert got in ([], contents), got
    if got == contents:
        assert all(refused(zframe.size, frame) for frame in lent)
        if not refused(zmsg.size, message):
            # All its frames were sent, one by one, but it was not freed.
            assert most > 1 and zmsg.size(message) == 0
            zmsg.destroy(message)
    elif refused(zmsg.size, message):
        counts["lost"] += 1
    else:
        assert result == "interrupted", (result, zmq.errno(), got, contents)
        for frame in lent:
            refused(zframe.strhex, frame)
        if most == 1:
            found = [zmsg.popstr(message) for _ in range(zmsg.size(message))]
            assert found == [part.decode() for part in contents], found
        zmsg.destroy(message)

def append(content, viewed):
    frame, message = zframe.new(content), zmsg.new()
    hail(rng.choice([zmsg.append, zmsg.prepend]), message, frame)
    inside = zmsg.size(message) == 1
    if inside:
        assert refused(zframe.destroy, frame) and zframe.data(frame)[:] == content
    elif not refused(zframe.destroy, frame):
        frame = None
    hail(zmsg.destroy, message)
    if not refused(zmsg.size, message):
        counts["destroyed later"] += 1
        zmsg.destroy(message)
    assert frame is None or refused(zframe.size, frame)

def pop(content, viewed):
    message = zmsg.new()
    zmsg.addmem(message, content)
    lent = zmsg.first(message)
    frame = hail(zmsg.pop, message)
    if frame != "interrupted":
        assert frame is lent
        hail(zframe.destroy, frame)
        if not refused(zframe.size, frame):
            zframe.destroy(frame)
    zmsg.destroy(message)

ctx, output, input = pair()
interrupted = 0
for _ in range(rounds):
    step = rng.choice([send_frame, send_frame, send_message, send_message, append, pop])
    step(bytes([97 + rng.randrange(26)]) * rng.randrange(300), rng.random() < 0.3)
    interrupted += hits > 0
print(interrupted, counts["lost"])
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no interval timers")
@pytest.mark.parametrize("most", [1, 3])
def test_interrupts_leave_nothing_to_two_owners(
    most: int, amount: Callable[[Any, Any], Any], figure: Callable[[str], None]
) -> None:
    """What a signal's handler raises, anywhere, leaves no frame or message usable that was sent or handed over.

    Freed memory is overwritten, so that a use of it would not pass unnoticed.
    """
    rounds = amount(400, 100_000)
    output = children.check(INTERRUPTS, "0", str(rounds), str(most), timeout=amount(60, 3000), MALLOC_PERTURB_="165")
    interrupted, lost = map(int, output.split())
    assert interrupted > rounds // 50
    figure(f"{rounds:,} calls, {interrupted:,} of them interrupted; {lost} that could not be used again for certain")


CRASHES = """
from machines import Machine, rule

class Crashes(Machine):
    @rule()
    def crash(self):
        {crash}
"""


@pytest.mark.parametrize(
    ("crash", "status", "told"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -11, "Segmentation fault"),
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
