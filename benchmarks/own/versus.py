"""How often `versus` finds a winner between a service and itself, and one that takes 10 % more.

    make bench-versus BENCH="--runs 50 --slower 20"

Both services are benchmarks.own.spinning, started anew for each run. A run is one of `versus`:
three arms a round in random order, the same gates, looks and decisions, 12 rounds at most. Only the
command's own start and its page are left out, and its windows are shorter.

A run compares twice: B with A, and A with itself under its second name. No winner: neither of both
is said to handle more; a run that could not be measured is counted apart. Found: B, whose requests
compute 10 % longer, is said to handle fewer.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from benchmarks.own import busy
from benchmarks.own.pairs import MORE, Compared, Pairs
from loadtest import cli
from loadtest.analysis.findings import Finding
from loadtest.errors import LabError
from loadtest.model.counts import number_of
from loadtest.system import environment

GOAL = 0.95  # 95 of 100, and 19 of 20
WINNER = ("more", "less")


class Outcomes:
    """What the comparisons of one kind came to."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.found: Counter[str] = Counter()

    def add(self, finding: Finding | None) -> None:
        """One comparison; None: it could not be measured."""
        self.found[finding.outcome if finding else "not measured"] += 1

    @property
    def measured(self) -> int:
        """Comparisons with an outcome."""
        return self.found.total() - self.found["not measured"]

    def count(self, names: Sequence[str]) -> int:
        """How many came to one of these."""
        return sum(self.found[each] for each in names)

    def __str__(self) -> str:
        listed = ", ".join(f"{count} × {each}" for each, count in self.found.most_common())
        return f"{self.what}: {listed or 'none'}"


class Summary:
    """All comparisons, and whether they keep what is claimed."""

    def __init__(self) -> None:
        self.again = Outcomes("B is A's program again")
        self.twin = Outcomes("A under its second name")
        self.slower = Outcomes("B computes 10 % longer")

    def add(self, ratio: float, compared: Compared) -> None:
        """One run."""
        (self.again if ratio == 1 else self.slower).add(compared.between)
        self.twin.add(compared.itself)

    def lines(self) -> Iterator[str]:
        """The figures."""
        yield from map(str, (self.again, self.twin, self.slower))
        same = self.again.measured + self.twin.measured
        winners = self.again.count(WINNER) + self.twin.count(WINNER)
        yield f"a service with itself: {winners} of {number_of(same, 'comparison')} found a winner"
        found, measured = self.slower.count(["less"]), self.slower.measured
        yield f"10 % more CPU a request: found in {found} of {number_of(measured, 'run')}"

    @property
    def kept(self) -> bool:
        """Whether a service seldom beats itself, and the slower one is found."""
        same = self.again.measured + self.twin.measured
        winners = self.again.count(WINNER) + self.twin.count(WINNER)
        found = self.slower.count(["less"]) >= GOAL * self.slower.measured
        return winners <= (1 - GOAL) * same and found


def main() -> None:
    """Run them and print what was found, however it ends; exit code 1 where it is not kept."""
    options, summary = _options(), Summary()
    cli.interruptible()
    accepted = "; what other programs disturb counts" * options.accept
    print(f"windows of {options.seconds:g} s; {busy.described(options.busy)}{accepted}", flush=True)
    try:
        with (
            busy.spinning(options.busy) as machine,
            Pairs(options.seconds, options.accept, fresh=options.fresh) as pairs,
        ):
            try:
                _measure(pairs, summary, options)
            finally:
                print(machine.told())
    except KeyboardInterrupt:
        print("stopped early")
    except LabError as error:
        sys.exit(f"bench-versus: {error}")
    finally:
        print(*summary.lines(), sep="\n")
    sys.exit(0 if summary.kept else 1)


def _measure(pairs: Pairs, summary: Summary, options: argparse.Namespace) -> None:
    for number in range(max(options.runs, options.slower)):
        seed = options.first_seed + number
        for ratio, runs in ((1.0, options.runs), (MORE, options.slower)):
            if number < runs:
                began = time.monotonic()
                compared = pairs.compare(ratio, seed)
                summary.add(ratio, compared)
                took = time.monotonic() - began
                print(f"seed {seed}, B × {ratio:g}: {compared} ({took:.1f} s)", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-versus", description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=50, help="of a service and itself (50)")
    parser.add_argument("--slower", type=int, default=20, help="of one that takes 10 %% more (20)")
    parser.add_argument("--seconds", type=float, default=0.3, help="of a measured window (0.3)")
    parser.add_argument("--first-seed", type=int, default=1, help="the others follow it (1)")
    parser.add_argument("--accept", action="store_true", help="count what others disturb")
    parser.add_argument("--fresh", action="store_true", help="start both anew for each trial")
    busy.add_option(parser)
    options = parser.parse_args()
    if options.runs < 0 or options.slower < 0 or options.seconds < 0.1:
        parser.error("give runs from 0, and 0.1 seconds or more")
    options.accept |= options.busy > 0
    return options


if __name__ == "__main__":
    environment.clean("benchmarks.own.versus")
    main()
