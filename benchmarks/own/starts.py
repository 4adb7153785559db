"""How far several starts of one program differ in speed: `python -m benchmarks.own.starts`.

Each is a process of its own on one core. All compute the same, in turn and in random order, thirty
times. What stays different after that belongs to the start, such as where its memory lies.
"""

from __future__ import annotations

import random
import subprocess
import sys
from contextlib import ExitStack
from statistics import median

from benchmarks.own.pairs import STEPS
from loadtest.system.cpus import allowed
from loadtest.system.processes import pinned

STARTS, ROUNDS, REQUESTS = 8, 30, 40
_PROGRAM = f"""
import sys, time
from benchmarks.own.spinning import spin
for line in sys.stdin:
    began = time.process_time()
    for _ in range({REQUESTS}):
        spin({STEPS})
    print(time.process_time() - began, flush=True)
"""

Program = subprocess.Popen[str]


def main() -> None:
    """Print each start's median time of one computation."""
    one = frozenset(sorted(allowed() or ())[:1]) or None
    with ExitStack() as stack, pinned(one):
        programs = [stack.enter_context(_started()) for _ in range(STARTS)]
        for program in programs:
            stack.callback(program.kill)
        taken: list[list[float]] = [[] for _ in programs]
        for _ in range(ROUNDS):
            for number in random.sample(range(STARTS), STARTS):
                taken[number].append(_asked(programs[number]))
    for number, seconds in enumerate(taken, start=1):
        print(f"start {number}: {1000 * median(seconds) / REQUESTS:.3f} ms")


def _started() -> Program:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", _PROGRAM], stdin=pipe, stdout=pipe, text=True)


def _asked(program: Program) -> float:
    """CPU seconds of so many computations; a program ends as its input does."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write("\n")
    program.stdin.flush()
    return float(program.stdout.readline())


if __name__ == "__main__":
    main()
