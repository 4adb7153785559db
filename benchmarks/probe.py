"""How often a probe is right about services of known slots and limit: `make bench-probe`.

Each run probes every service once. `--busy 2` runs two spinning processes beside it, as on a
machine that others use. A wrong answer is shown with what would have been right.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from loadtest.system import environment
from tests.native.probe import probing
from tests.native.probe.judging import wrong
from tests.native.probe.truths import TRUTHS, Truth

GOAL = 0.95  # 19 of 20
SPIN = "while True: pass"


class Tally:
    """What came of the probes of each service."""

    def __init__(self) -> None:
        self.probes: Counter[str] = Counter()
        self.right: Counter[str] = Counter()
        self.mistakes: Counter[tuple[str, str]] = Counter()

    def add(self, truth: Truth, mistakes: Sequence[str]) -> None:
        """Count one probe, right where it made no mistake."""
        self.probes[truth.name] += 1
        self.right[truth.name] += not mistakes
        self.mistakes.update((truth.name, each) for each in mistakes)

    def table(self) -> Table:
        """A line a service: how many of its probes were right, and what the others said."""
        shown = Table("service", "slots", "binds", "right", "mistakes", box=None)
        for truth in TRUTHS:
            if truth.name in self.probes:
                shown.add_row(*self._row(truth))
        total, probes = sum(self.right.values()), sum(self.probes.values())
        shown.caption = f"{total} of {probes} are right" + (
            f", {total / probes:.1%}" * (probes > 0)
        )
        return shown

    def _row(self, truth: Truth) -> tuple[str, ...]:
        said = [
            f"{count} × {what}"
            for (name, what), count in self.mistakes.most_common()
            if name == truth.name
        ]
        right = f"{self.right[truth.name]} of {self.probes[truth.name]}"
        slots = "–" if truth.slots is None else str(truth.slots)
        return truth.name, slots, truth.binds[0], right, "; ".join(said)

    @property
    def reached(self) -> bool:
        """Whether each service reached the goal."""
        return all(self.right[name] >= GOAL * count for name, count in self.probes.items())


@contextlib.contextmanager
def spinning(count: int) -> Iterator[None]:
    """So many processes that compute for ever, until the block ends."""
    running = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(count)]
    try:
        yield
    finally:
        for each in running:
            each.kill()
            each.wait()


def chosen(words: Sequence[str]) -> list[Truth]:
    """Those whose name holds one of `words`; raises SystemExit where none does."""
    for word in words:
        if not any(word in truth.name for truth in TRUTHS):
            names = ", ".join(truth.name for truth in TRUTHS)
            raise SystemExit(f"bench-probe: no service has {word!r} in its name: {names}")
    return [truth for truth in TRUTHS if any(word in truth.name for word in words)]


def main() -> None:
    """Read the command line, then probe; exit code 1 where a service missed the goal."""
    options, console, tally = _options(), Console(highlight=False, markup=False), Tally()
    truths = chosen(options.only)
    try:
        with spinning(options.busy):
            for number in range(1, options.runs + 1):
                began = time.monotonic()
                _run(truths, options, tally, console)
                took = time.monotonic() - began
                console.print(f"run {number} of {options.runs}: {took:.0f} s")
    finally:
        console.print(tally.table())
    sys.exit(0 if tally.reached else 1)


def _run(
    truths: Sequence[Truth], options: argparse.Namespace, tally: Tally, console: Console
) -> None:
    for truth, seen in probing.each(truths, options.seconds, options.beside):
        mistakes = wrong(truth, seen)
        tally.add(truth, mistakes)
        for mistake in mistakes:
            console.print(f"{truth.name}: {mistake}", soft_wrap=True)
        if mistakes:
            console.print(seen.words, soft_wrap=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-probe", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="probes of each service (20)")
    parser.add_argument("--seconds", type=float, default=6, help="of each probe (6)")
    parser.add_argument("--busy", type=int, default=0, help="spinning processes beside it (0)")
    parser.add_argument("--beside", type=int, default=1, help="at a time, of those that wait (1)")
    parser.add_argument("--only", nargs="+", default=[""], help="services whose name holds a word")
    options = parser.parse_args()
    if options.runs < 1 or options.seconds <= 0 or options.beside < 1:
        parser.error("give one run or more, seconds above 0, and one service or more beside others")
    if not 0 <= options.busy <= 64:
        parser.error("give 0 to 64 busy processes")
    return options


if __name__ == "__main__":
    environment.clean("benchmarks.probe")
    main()
