"""How often a probe is right about services of known slots and limit: `make bench-probe`.

Each run probes every service once. `--busy` makes the machine a busy one: a process that computes
all the time for each core. What is not right is shown with what would have been.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.own import busy, kept_probes
from benchmarks.own.tally import Tally
from loadtest.system import environment
from tests.native.probe import probing
from tests.native.probe.judging import Seen, wrong
from tests.native.probe.truths import TRUTHS, Truth

SECONDS, BUSY_SECONDS = 6.0, 12.0


def chosen(words: Sequence[str]) -> list[Truth]:
    """Those whose name holds one of `words`; raises SystemExit where none does."""
    for word in words:
        if not any(word in truth.name for truth in TRUTHS):
            names = ", ".join(truth.name for truth in TRUTHS)
            raise SystemExit(f"bench-probe: no service has {word!r} in its name: {names}")
    return [truth for truth in TRUTHS if any(word in truth.name for word in words)]


class Shown:
    """Prints what is not right, and counts all."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.console = Console(highlight=False, markup=False)

    def one(self, truth: Truth, seen: Seen) -> None:
        """A probe."""
        became = self.tally.add(truth, seen)
        for mistake in wrong(truth, seen):
            self.say(f"{truth.name}: {became}: {mistake}")
        if became != "right":
            self.say(seen.words)

    def say(self, text: str) -> None:
        """A line or more, broken nowhere else."""
        self.console.print(text, soft_wrap=True)


def main() -> None:
    """Read the command line, then probe; exit code 1 where a service missed the goal."""
    options, shown = _options(), Shown()
    truths = chosen(options.only)
    try:
        if options.judge:
            for truth, seen, path in kept_probes.judged_again(options.judge):
                if truth in truths and wrong(truth, seen):
                    shown.say(path.name)
                if truth in truths:
                    shown.one(truth, seen)
        else:
            _measure(truths, options, shown)
    finally:
        shown.console.print(shown.tally.table())
    sys.exit(0 if shown.tally.reached else 1)


def _measure(truths: Sequence[Truth], options: argparse.Namespace, shown: Shown) -> None:
    beside = f", {options.beside} beside each other" * (options.beside > 1)
    shown.say(f"{options.seconds:g} s a probe at most{beside}; {busy.described(options.busy)}")
    with busy.spinning(options.busy) as machine:
        try:
            for number in range(1, options.runs + 1):
                began = time.monotonic()
                for truth, seen in probing.each(truths, options.seconds, options.beside):
                    shown.one(truth, seen)
                    if options.keep:
                        kept_probes.keep(options.keep, number, truth, seen)
                took = time.monotonic() - began
                told = shown.tally.told()
                shown.say(f"run {number} of {options.runs}: {took:.0f} s; so far {told}")
        finally:
            shown.say(machine.told())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-probe", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="probes of each service (20)")
    parser.add_argument("--seconds", type=float, help="of each probe at most (6; 12 if busy)")
    busy.add_option(parser)
    parser.add_argument("--beside", type=int, default=1, help="at a time, of those that wait (1)")
    parser.add_argument("--only", nargs="+", default=[""], help="services whose name holds a word")
    parser.add_argument("--keep", type=Path, help="write every probe to this folder")
    parser.add_argument("--judge", type=Path, help="judge those of this folder; nothing is probed")
    options = parser.parse_args()
    if options.seconds is None:  # where others have the cores, every step takes longer
        options.seconds = BUSY_SECONDS if options.busy else SECONDS
    if options.runs < 1 or options.seconds <= 0 or options.beside < 1:
        parser.error("give one run or more, seconds above 0, and one service or more beside others")
    if options.judge and not options.judge.is_dir():
        parser.error(f"--judge {options.judge}: there is no such folder")
    return options


if __name__ == "__main__":
    environment.clean("benchmarks.probe")
    main()
