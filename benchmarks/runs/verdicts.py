"""Whether runs in a row give the same verdicts, and how long they take.

    make bench-verdicts BENCH="--runs 10 --seed 1"
    make bench-verdicts BENCH="--experiments blocked-threads framework-throughput"

Each run is one of the quick plan with a seed of its own, in a new process. One that ends because
the machine stays busy is counted apart. Exit code 1 where a claim had two verdicts, or none.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from loadtest.system.paths import ROOT

MACHINE_BUSY = 75
MOST_RUNS = 100


@dataclass(frozen=True)
class Done:
    """A run: its verdicts by claim with their rounds, seconds to the first figure and to the end.

    `trouble`: why it has no verdicts.
    """

    seed: int
    lasted_s: float
    first_s: float | None
    verdicts: Mapping[str, tuple[str, int]]
    trouble: str = ""

    def __str__(self) -> str:
        first = f", first figure after {self.first_s:.0f} s" if self.first_s is not None else ""
        took = f"seed {self.seed}: {self.lasted_s:.0f} s{first}"
        if self.trouble:
            return f"{took}; {self.trouble}"
        said = (f"{claim} {word} ({rounds})" for claim, (word, rounds) in self.verdicts.items())
        return f"{took}; {', '.join(said)}"


def compare(seed: int, experiments: str) -> Done:
    """One run from beginning to end, in a folder that is removed."""
    narrowed = ["--experiments", experiments] if experiments else []
    command = [sys.executable, "-m", "loadtest", "run", "--plan", "quick", "--seed", str(seed)]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lab-verdicts-") as made:
        first_s, trouble = _heard([*command, *narrowed], os.environ | {"LAB_RESULTS": made})
        lasted_s, found = time.monotonic() - began, _verdicts(Path(made))
    return Done(seed, lasted_s, first_s, {} if trouble else found, trouble)


def _heard(command: Sequence[str], variables: Mapping[str, str]) -> tuple[float | None, str]:
    """Seconds until a run tells its first figure, and why it failed; empty where it did not."""
    began, first_s, line = time.monotonic(), None, ""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=variables
    ) as running:
        assert running.stdout
        for line in running.stdout:
            if first_s is None and line.strip().startswith("first, "):
                first_s = time.monotonic() - began
    if running.returncode == MACHINE_BUSY:
        return first_s, "the machine stayed busy"
    failed = f"exit code {running.returncode}: {line.strip()}"
    return first_s, failed if running.returncode else ""


def _verdicts(results: Path) -> dict[str, tuple[str, int]]:
    """Claim -> verdict and rounds, of the one run in the folder."""
    for path in sorted(results.glob("*/verdicts.json")):
        claims = json.loads(path.read_text(encoding="utf-8"))["claims"]
        return {each["claim"]: (each["verdict"], each["rounds"]) for each in claims}
    return {}


def agreement(done: Sequence[Done]) -> dict[str, Counter[str]]:
    """Claim -> how often each verdict was given."""
    found: dict[str, Counter[str]] = {}
    for run in done:
        for claim, (word, _) in run.verdicts.items():
            found.setdefault(claim, Counter())[word] += 1
    return found


def agreed(done: Sequence[Done]) -> bool:
    """Whether every run that had verdicts had the same ones, and one had some."""
    counts = agreement(done)
    measured = sum(bool(run.verdicts) for run in done)
    return bool(counts) and all(set(each.values()) == {measured} for each in counts.values())


def main() -> int:
    """Run, and tell of each run as it ends."""
    parser = argparse.ArgumentParser(
        prog="make bench-verdicts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=_count, default=10, help=f"1 to {MOST_RUNS}; 10 by default")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; each adds one")
    parser.add_argument("--experiments", nargs="+", default=[], metavar="NAME")
    options = parser.parse_args()
    console, done = Console(highlight=False, markup=False, soft_wrap=True), list[Done]()
    for number in range(options.runs):
        done.append(compare(options.seed + number, " ".join(options.experiments)))
        console.print(f"{number + 1} of {options.runs}, {done[-1]}")
    for claim, counts in sorted(agreement(done).items()):
        console.print(f"{claim}: {', '.join(f'{n} × {word}' for word, n in counts.items())}")
    if times := sorted(run.lasted_s for run in done if run.verdicts):
        console.print(f"the middle one of {len(times)} took {times[len(times) // 2]:.0f} s")
    return 0 if agreed(done) else 1


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_RUNS:
        raise argparse.ArgumentTypeError(f"{text!r}: give 1 to {MOST_RUNS} runs")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
