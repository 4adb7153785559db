"""Puts disturbances into trials of a real run and counts what the gates notice: `make falsify`.

Each trial is quiet or has one disturbance, in an order that the seed decides. The table says by how
much a disturbance changed the figure, and in how many of its trials a gate failed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.falsify import disturbances
from benchmarks.falsify.disturbances import Disturbance, Scene
from benchmarks.falsify.noticed import Outcome, deaf, failed, summary, table
from loadtest.backends.native import Lab
from loadtest.inventory import manifest
from loadtest.plan import reader, schedule
from loadtest.plan.schedule import PlannedTrial
from loadtest.run import calibrate
from loadtest.run.forkserver import ForkServer
from loadtest.run.measurement import Measurement
from loadtest.system import ports
from loadtest.system.paths import ROOT
from loadtest.system.processes import Processes, pinned, wait_until

EXPERIMENT, LEVEL = "framework-throughput", "JSON"
SERVICES = ("fastapi-async", "flask-sync")
PAGE = ROOT / "docs" / "trust.md"
BEGIN, END = "<!-- falsify: begin -->", "<!-- falsify: end -->"


class Disturbed(Measurement):
    """Takes trials, and does something to their windows."""

    through = 0  # the port of a proxy; 0: straight to the service
    act: Callable[[], object] | None = None

    def _target(self, service: str) -> str:
        straight = super()._target(service)
        return f"http://{ports.LOOPBACK}:{self.through}" if self.through else straight

    def _run(self, *arguments: Any, **options: Any) -> Any:
        take: Any = super()._run
        *rest, entered = arguments
        if self.act is None or not callable(entered):  # it practises, or finds a peak
            return take(*arguments, **options)
        acting = threading.Thread(target=self.act)

        def begun(phase: str) -> None:
            entered(phase)
            if phase == "measured":
                acting.start()

        result = take(*rest, begun, **options)
        acting.join()
        return result


def planned_trials() -> dict[str, PlannedTrial]:
    """A trial of each service, as the quick plan has it."""
    chosen = reader.load_all()[EXPERIMENT]
    level = chosen.level(LEVEL)
    assert level is not None
    experiment = replace(chosen, services=SERVICES, levels=(level,), rounds=1)
    return {each.arm: each for each in schedule.schedule([experiment], 1)}


def order(seed: int, rounds: int, chosen: Sequence[Disturbance]) -> list[tuple[str, str, int]]:
    """Service, disturbance (empty: none) and a number for each trial, in the order of the seed.

    In a round each disturbance comes once, and as many trials are quiet.
    """
    drawn = random.Random(seed)
    trials = []
    for number in range(rounds):
        block = [(drawn.choice(each.services or SERVICES), each.name, number) for each in chosen]
        block += [(SERVICES[place % len(SERVICES)], "", number) for place in range(len(chosen))]
        drawn.shuffle(block)
        trials += block
    return trials


@contextlib.contextmanager
def proxied(port: int, fault: str, one_in: int, cpus: frozenset[int] | None) -> Iterator[int]:
    """A proxy before the service at `port`; yields its own port."""
    with (
        tempfile.TemporaryDirectory(prefix="lab-proxy-") as folder,
        ports.held(1) as (own,),
        Processes() as processes,
    ):
        arguments = [str(own), str(port), fault, str(one_in)]
        process = processes.start(
            "proxy",
            [sys.executable, "-m", "benchmarks.falsify.faulty_proxy", *arguments],
            log=Path(folder) / "log",
            cwd=ROOT,
            environment=os.environ,
            cpus=cpus,
        )
        wait_until(process, lambda: not _free(own), timeout_s=30, waiting_for="connection")
        yield own


def _free(port: int) -> bool:
    try:
        ports.require(port, "proxy", "")
    except ports.PortError:
        return False
    return True


def run(
    seed: int, rounds: int, chosen: Sequence[Disturbance], say: Callable[[str], None]
) -> list[Outcome]:
    """Every trial of the plan, disturbed or not."""
    by_name = {each.name: each for each in chosen}
    planned, outcomes = planned_trials(), list[Outcome]()
    services = manifest.choose(manifest.load(), list(SERVICES))
    with (
        Lab(services, host_ports="free") as lab,
        pinned(lab.cpus.load),
        ForkServer() as forks,
    ):
        found = calibrate.calibrate(
            load_cpus=lab.cpus.load, service_cpus=lab.cpus.service, quick=True, forks=forks
        )
        measuring = Disturbed(
            lab, run_id="falsify", seed=seed, ceiling_rps=found["ceiling_rps"], forks=forks
        )
        trials = order(seed, rounds, chosen)
        for number, (service, name, _) in enumerate(trials, start=1):
            disturbance = by_name.get(name)
            # Some of the quiet trials go through the proxy too, to compare with.
            fault = disturbance.fault if disturbance else ("nothing" if number % 6 == 0 else "")
            outcome = _one(measuring, lab, forks, planned[service], disturbance, fault)
            outcomes.append(outcome)
            gates = failed(outcome.trial, set())
            say(
                f"{number} of {len(trials)} {service}: {name or 'quiet'}: "
                f"{outcome.trial.result.goodput_rps:,.0f} requests/s; {', '.join(gates) or '–'}"
            )
    return outcomes


def _one(
    measuring: Disturbed,
    lab: Lab,
    forks: ForkServer,
    planned: PlannedTrial,
    disturbance: Disturbance | None,
    fault: str,
) -> Outcome:
    with contextlib.ExitStack() as stack:
        measuring.through, measuring.act = 0, None
        if fault:
            one_in = disturbance.one_in if disturbance else 1000
            port = lab.services[planned.service].port
            measuring.through = stack.enter_context(proxied(port, fault, one_in, lab.cpus.load))
        if disturbance and disturbance.act:
            act = disturbance.act

            def begin() -> None:
                root = forks.pid
                assert root
                act(Scene(lab, root, planned.service, planned.experiment.duration_s))

            measuring.act = begin
        trial = measuring.take(planned, 1)
    return Outcome(disturbance.name if disturbance else None, "proxy" if fault else "direct", trial)


def page(text: str, lines: Sequence[str], told: Mapping[str, str], how: str) -> str:
    """The page with what stands between its marks replaced."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    parts = [BEGIN, "", how, "", *lines, "", f"Noticed: {told['noticed']}.", ""]
    parts += [f"Called disturbed without a disturbance: {told['alarms']}.", "", END]
    return before + "\n".join(parts) + after


def main() -> None:
    """Run, print, and write the page where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="each disturbance comes once in each")
    parser.add_argument("--only", default="", help="disturbances whose name holds one of these, …")
    parser.add_argument("--write", action="store_true", help="put the table into docs/trust.md")
    options = parser.parse_args()
    words = options.only.split(",")
    chosen = [
        each
        for each in disturbances.ALL
        if each.possible() and any(word in each.name for word in words)
    ]
    console = Console(highlight=False, markup=False, soft_wrap=True)
    before = os.getloadavg()[0]
    outcomes = run(options.seed, options.rounds, chosen, console.print)
    lines, told = table(outcomes, chosen), summary(outcomes)
    how = (
        f"Seed {options.seed}, {len(outcomes)} trials, {len(os.sched_getaffinity(0))} cores; "
        f"load average before the run: {before:.1f}."
    )
    if left_out := deaf(outcomes):
        how += (
            f" Other programs ran all the time. Most quiet trials failed {', '.join(left_out)}, so "
            "the table leaves that out: what only this gate sees counts as not noticed."
        )
    console.print(how, *lines, *told.values(), sep="\n")
    if options.write and left_out:
        raise SystemExit(f"{PAGE} stays as it is: a table for it needs a machine that is quiet")
    if options.write:
        PAGE.write_text(page(PAGE.read_text(), lines, told, how))
