"""How much longer trials take with witnesses than without: `python -m benchmarks.runs.witnesses`.

The same trials of the quick plan, in the same lab, in turn with and without. Without means that
nobody watches machine and processes, and nobody waits for answers after the window.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Collection
from dataclasses import replace

from rich.console import Console

from loadtest.backends.native import Lab
from loadtest.inventory import manifest
from loadtest.model.experiment import Level
from loadtest.plan import reader, schedule
from loadtest.plan.schedule import PlannedTrial
from loadtest.run.forkserver import ForkServer
from loadtest.run.measurement import Measurement
from loadtest.run.witnesses.observer import Observer
from loadtest.stats.inference import interval
from loadtest.system.paths import ROOT
from loadtest.system.processes import pinned

EXPERIMENTS = ("framework-throughput", "blocked-threads")
SERVICES = ("fastapi-async", "flask-gthread")


class Nobody(Observer):
    """Watches nothing."""

    def enter(self, phase: str) -> None:
        """Take no notice."""


class Unwatched(Measurement):
    """Takes trials without witnesses."""

    locustfile = ROOT / "benchmarks" / "runs" / "unwatched_locustfile.py"

    def _observer(self, service: str, level: Level, window_s: float) -> Observer:  # noqa: ARG002
        return Nobody({}, {}, self._backend.cpus, window_s)


def trials(services: Collection[str]) -> list[PlannedTrial]:
    """One round of the quick plan, of two experiments and some services, without twins."""
    chosen = {name: each for name, each in reader.load_all().items() if name in EXPERIMENTS}
    planned = [
        replace(schedule.narrow(each, services), rounds=1)
        for each in schedule.plan(chosen, "quick")
    ]
    return [each for each in schedule.schedule(planned, 1) if each.arm == each.service]


def main() -> None:
    """Take the trials, and print what the witnesses cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    console = Console(highlight=False, markup=False, soft_wrap=True)
    drawn, ratios = random.Random(options.seed), list[float]()
    services, places = manifest.choose(manifest.load(), list(SERVICES)), trials(SERVICES)
    with Lab(services, host_ports="free") as lab, pinned(lab.cpus.load), ForkServer() as forks:
        kinds = {
            kind.__name__: kind(lab, run_id="witnesses", seed=options.seed, forks=forks)
            for kind in (Measurement, Unwatched)
        }
        for number in range(-1, options.rounds):  # the first one is for practice
            spent = dict.fromkeys(kinds, 0.0)
            for planned in places:
                for name in drawn.sample(sorted(kinds), len(kinds)):
                    began = time.perf_counter()
                    kinds[name].take(planned, 1)
                    spent[name] += time.perf_counter() - began
            if number >= 0:
                ratios.append(spent[Measurement.__name__] / spent[Unwatched.__name__])
                seconds = ", ".join(f"{name} {each:.2f} s" for name, each in spent.items())
                console.print(f"round {number + 1}: {seconds}")
    mean, low, high = (each - 1 for each in interval(ratios, logarithmic=True))
    console.print(
        f"{len(places)} trials a round, {options.rounds} rounds: with witnesses they take "
        f"{mean:+.1%} longer ({low:+.1%} to {high:+.1%})"
    )


if __name__ == "__main__":
    main()
