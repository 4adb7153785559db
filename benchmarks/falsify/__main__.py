"""Puts disturbances into trials of a real run and counts what the gates notice: `make falsify`.

Each trial is quiet or has one disturbance, in an order that the seed decides. The table says by how
much a disturbance changed the figure, and in how many of its trials a gate failed.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence

from rich.console import Console

from benchmarks.falsify import disturbances, disturbed, page
from benchmarks.falsify.noticed import Outcome, Series, failed
from benchmarks.falsify.scene import Disturbance
from loadtest.cli import interruptible
from loadtest.errors import LabError
from loadtest.system import environment


def main() -> None:
    """Run, print, and write the page where that is asked for."""
    interruptible()
    options = _options()
    if options.write and options.only != [""]:
        raise SystemExit("--write puts the whole table there; leave out --only")
    wanted = chosen(options.only)
    missing = {each.name: why for each in wanted if (why := each.missing())}
    if options.list:
        print(*(_listed(each, missing) for each in wanted), sep="\n")
        return
    console = Console(highlight=False, markup=False, soft_wrap=True)
    possible = [each for each in wanted if each.name not in missing]
    series = [_series(seed, options.rounds, possible, console) for seed in options.seeds]
    lines = page.lines(series, wanted, missing)
    console.print("", *lines, sep="\n")
    if options.write:
        if busy := [str(each.seed) for each in series if each.deaf]:
            raise SystemExit(
                f"{page.PAGE} stays as it is: a table for it needs a machine that is quiet, and "
                f"most quiet trials of seed {', '.join(busy)} were disturbed"
            )
        page.PAGE.write_text(page.replaced(page.PAGE.read_text(), lines))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make falsify", description=__doc__)
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[1], help="one series of trials for each"
    )
    parser.add_argument("--rounds", type=int, default=3, help="each disturbance comes once in each")
    parser.add_argument(
        "--only", nargs="+", default=[""], help="disturbances whose name holds one of these"
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/trust.md")
    parser.add_argument("--list", action="store_true", help="only tell what would be done")
    return parser.parse_args()


def chosen(words: Sequence[str]) -> list[Disturbance]:
    """The disturbances whose name holds one of `words`; raises SystemExit where none does."""
    for word in words:
        if not any(word in each.name for each in disturbances.ALL):
            raise SystemExit(f"no disturbance has {word!r} in its name: --list shows them all")
    return [each for each in disturbances.ALL if any(word in each.name for word in words)]


def _listed(disturbance: Disturbance, missing: dict[str, str]) -> str:
    why = missing.get(disturbance.name)
    return disturbance.name + (f" (not possible here: {why})" if why else "")


def _series(seed: int, rounds: int, chosen: Sequence[Disturbance], console: Console) -> Series:
    load, began = os.getloadavg()[0], time.monotonic()

    def told(number: int, of: int, outcome: Outcome) -> None:
        console.print(
            f"seed {seed}, {number} of {of}, {outcome.trial.service}: "
            f"{outcome.disturbance or 'quiet'}: {outcome.trial.result.goodput_rps:,.0f} "
            f"requests/s; {', '.join(failed(outcome.trial, ())) or '–'}"
        )
        if not outcome.disturbance:
            for gate in outcome.trial.gates:
                if not gate.passed:
                    console.print(f"    {gate.name}: {gate.detail}")

    outcomes = disturbed.run(seed, rounds, chosen, told) if chosen else []
    return Series(seed, tuple(outcomes), load, time.monotonic() - began)


if __name__ == "__main__":
    environment.clean("benchmarks.falsify")
    try:
        main()
    except LabError as error:
        raise SystemExit(f"falsify: {error}") from None
