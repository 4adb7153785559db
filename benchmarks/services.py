"""What metrics cost each service, and what it costs against a minimal server of its framework.

    python -m benchmarks.services [SERVICE…]

Every service runs twice on one pinned core, with metrics and without; the load changes between the
two a hundred times a second, so that a machine that changes its mind hits both alike (at ten times
a second a round's ratio scatters by 5 %, so by 1.5 %). Each round is a new pair of processes: where
memory happens to lie moves a process by some per cent for as long as it lives. It begins when both
are at rest: what they start behind their first answer is no cost of metrics. Every worker holds as
many connections in both, where they are kept. The ratio is of requests per second of the service's
own CPU time, which is requests per second of a core that nobody shares, and stays itself on one
that somebody does; geometric mean and 95 % interval over the rounds. Requests per second by the
clock stand beside it.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import geometric_mean
from typing import TypeVar

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import minimal
from benchmarks.arm import CONNECTIONS, Arm
from loadtest.backends.native import Lab
from loadtest.inventory import builds, manifest
from loadtest.inventory.manifest import Service
from loadtest.stats.inference import compare
from loadtest.system import environment, machine, urls

SLICE_S, CHANGES = 0.01, 120  # a round is 1.2 s of each arm, after its warm-up
WARM_UP, WARM_UP_COMPILED = 40, 300  # slices; V8 compiles what has run for a while
WORKERS = (1, 4)
WIDTH = 110  # of a table that goes to a file
LOADS = ("json", "item")
METRICS_FLOOR = MINIMAL_FLOOR = 0.9


@dataclass(frozen=True)
class Turn:
    """Right answers of an arm in one round: `clock_s` seconds, `cpu_s` of the service's CPU."""

    answered: int
    clock_s: float
    cpu_s: float


Turns = Mapping[int, Turn]
Item = TypeVar("Item")


def measure(
    lab: Lab, names: Sequence[str], loads: Sequence[str], rounds: int
) -> dict[str, list[Turns]]:
    """Each load's turns of the services called `names`, started anew every round."""
    found: dict[str, list[dict[int, Turn]]] = {load: [{} for _ in names] for load in loads}
    for number in range(rounds):
        for name in _in_turn(names, number):
            lab.restart(name)
        for load in loads:
            arms = [Arm(lab.services[name], lab.pid(name), load) for name in names]
            for arm in arms:
                arm.await_rest()
            for turns, turn in zip(found[load], alternate(arms), strict=True):
                turns[number] = turn
    return {load: list(turns) for load, turns in found.items()}


def alternate(arms: Sequence[Arm]) -> list[Turn]:
    """Load the arms in turn, often: what slows the machine for longer slows all."""
    _change(arms, WARM_UP if all(arm.interpreted for arm in arms) else WARM_UP_COMPILED)
    before = [arm.counts() for arm in arms]
    _change(arms, CHANGES)
    turns = [
        Turn(answered - answered_before, CHANGES * SLICE_S, cpu_s - cpu_s_before)
        for (answered, cpu_s), (answered_before, cpu_s_before) in zip(
            [arm.counts() for arm in arms], before, strict=True
        )
    ]
    for arm in arms:
        arm.close()
    return turns


def _change(arms: Sequence[Arm], times: int) -> None:
    for number in range(times):
        for arm in _in_turn(arms, number):
            arm.run(SLICE_S)


def _in_turn(items: Sequence[Item], number: int) -> Sequence[Item]:
    return items[:: 1 if number % 2 else -1]


def variants(services: Mapping[str, Service]) -> dict[str, Service]:
    """Each service with and without metrics."""
    off = {
        f"{service.name}, metrics off": replace(
            service,
            name=f"{service.name}, metrics off",
            environment={**service.environment, "LAB_METRICS": "off"},
        )
        for service in services.values()
    }
    return dict(services) | off


def with_workers(service: Service, workers: int) -> Service:
    """The service with so many worker processes, each with as many connections as could be used."""
    wanted = {"WORKERS": str(workers), "POOL_SIZE": str(CONNECTIONS)}
    return replace(service, environment={**service.environment, **wanted})


def memory(service: Service) -> int:
    """PSS of the service's processes in bytes, from its own metrics."""
    for line in urls.read(service.metrics_url(), 5.0).decode().splitlines():
        if line.startswith("lab_process_pss_bytes "):
            return int(float(line.split()[1]))
    raise SystemExit(f"{service.name}: no lab_process_pss_bytes in its metrics")


def cells(measured: Turns, reference: Turns, floor: float) -> list[str]:
    """Both rates by the clock, the ratio with its interval, and whether the floor is kept."""
    found = compare(_by_cpu(measured), _by_cpu(reference))
    if found is None:
        raise SystemExit("a slice without an answer: nothing to compare")
    verdict = "ok" if found.value >= floor else "below" if found.high < floor else "unclear"
    ratio = f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
    return [_by_clock(measured), _by_clock(reference), ratio, verdict]


def _by_cpu(slices: Turns) -> dict[int, float]:
    return {number: each.answered / each.cpu_s for number, each in slices.items()}


def _by_clock(slices: Turns) -> str:
    return f"{geometric_mean(each.answered / each.clock_s for each in slices.values()):,.0f}"


def table(title: str, columns: Sequence[str]) -> Table:
    """An empty table with right-aligned figures."""
    made = Table(title=title)
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number else "left", no_wrap=True)
    return made


def metrics_cost(service: Service, workers: int, rounds: int) -> Iterator[list[str]]:
    """Lines of the table: a service with metrics against itself without, under each load."""
    with pinned(variants({service.name: with_workers(service, workers)})) as lab:
        size = f"{memory(lab.services[service.name]) / 2**20:.0f}"
        for load, (on, off) in measure(lab, list(lab.services), LOADS, rounds).items():
            yield [service.name, str(workers), load, *cells(on, off, METRICS_FLOOR), size]


def against_minimal(service: Service, rounds: int) -> list[str]:
    """The line of the table: the service, with one worker, against its framework alone."""
    ours = with_workers(service, 1)
    alone = minimal.beside(ours)
    assert alone is not None
    with pinned({ours.name: ours, alone.name: alone}) as lab:
        service_turns, alone_turns = measure(lab, [ours.name, alone.name], ["json"], rounds)["json"]
    return [service.name, *cells(service_turns, alone_turns, MINIMAL_FLOOR)]


@contextmanager
def pinned(services: Mapping[str, Service]) -> Iterator[Lab]:
    """The services on free ports and one core, this process on the others; nothing is left after
    it.
    """
    with (
        tempfile.TemporaryDirectory(prefix="lab-bench-") as state,
        Lab(services, host_ports="free", state=Path(state)) as lab,
    ):
        if lab.cpus.load:
            os.sched_setaffinity(0, lab.cpus.load)
        try:
            yield lab
        finally:
            if lab.cpus.service and lab.cpus.load:
                os.sched_setaffinity(0, lab.cpus.service | lab.cpus.load)


def asked() -> tuple[list[Service], Sequence[int], int]:
    """The services, worker counts and rounds that the command line asks for."""
    services, _ = builds.available(manifest.load())
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=f"of: {', '.join(services)}")
    parser.add_argument("--rounds", type=int, default=8, help="pairs of processes (8)")
    parser.add_argument(
        "--workers",
        type=int,
        nargs="*",
        default=WORKERS,
        help="worker processes a service for metrics on and off (1 4); none: minimal servers alone",
    )
    chosen = parser.parse_args()
    try:
        picked = manifest.choose(services, chosen.services or list(services))
    except manifest.ManifestError as error:
        raise SystemExit(f"bench-services: {error}") from None
    return list(picked.values()), chosen.workers, chosen.rounds


def compare_metrics(
    services: Sequence[Service], workers: Sequence[int], rounds: int, console: Console
) -> None:
    """Metrics on against off, a line as soon as it is measured, and the table at the end."""
    cost = table(
        f"Metrics on against off (floor {METRICS_FLOOR}), Python {platform.python_version()} "
        f"({machine.python_loop_us():.0f} µs for 10,000 squares)",
        ["service", "workers", "load", "on", "off", "ratio", "", "PSS at rest, MiB"],
    )
    pairs = list(itertools.product(services, workers))
    try:
        for service, count in track(pairs, "metrics on and off", console=console):
            for line in metrics_cost(service, count, rounds):
                cost.add_row(*line)
                console.print(f"{service.name}, workers {count}, {line[2]}: {line[5]}")
    finally:
        console.print(cost)


def compare_minimal(services: Sequence[Service], rounds: int, console: Console) -> None:
    """Each service beside a minimal server of its framework, where there is one."""
    alone = table(
        f"/json of a service ÷ a minimal server of its framework (floor {MINIMAL_FLOOR})",
        ["service", "the service", "minimal", "ratio", ""],
    )
    try:
        compared = [each for each in services if minimal.beside(each)]
        for service in track(compared, "minimal servers", console=console):
            alone.add_row(*against_minimal(service, rounds))
    finally:
        console.print(alone)


def main() -> None:
    """Read the command line, then measure."""
    services, workers, rounds = asked()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    compare_metrics(services, workers, rounds, console)
    compare_minimal(services, rounds, console)


if __name__ == "__main__":
    environment.clean("benchmarks.services")
    main()
