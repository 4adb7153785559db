"""What metrics cost each Python row, and what the lab's FastAPI row costs against a bare one.

    python -m benchmarks.services [ROW…]

Every row runs twice on one pinned core, with metrics and without; the load changes between the two
ten times a second, so that a machine that changes its mind hits both alike (slices of seconds gave
intervals four times as wide). The ratio is of requests per second of the service's own CPU time,
which is requests per second of a core that nobody shares, and stays itself on one that somebody
does; geometric mean and 95 % interval over the rounds. Requests per second by the clock stand
beside it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import geometric_mean
from urllib.parse import urlsplit

import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from loadtest import manifest, scenarios
from loadtest.engine import Engine
from loadtest.manifest import Row
from loadtest.native import Lab
from loadtest.statistics import compare
from loadtest.stream import Stream, resolve
from loadtest.tally import Batch

CONNECTIONS = 16
SLICE_S, CHANGES = 0.1, 15  # a round is 1.5 s of each arm
LOADS = ("json", "item")
METRICS_FLOOR, HELLO_FLOOR = 0.95, 0.9
CENTRAL = "fastapi-async"


@dataclass(frozen=True)
class Turn:
    """Right answers of an arm in one round: `clock_s` seconds, `cpu_s` of the service's CPU."""

    answered: int
    clock_s: float
    cpu_s: float


Turns = Mapping[int, Turn]


class Arm:
    """A running row and the closed load on it, which can be held and go on."""

    def __init__(self, row: Row, root_pid: int, scenario: str) -> None:
        load, address = scenarios.choose(scenario), urlsplit(row.url())
        self._row = row
        self._root = psutil.Process(root_pid)
        self._engine = Engine()
        self._engine.observers.append(self._count)
        self._stream = Stream(
            self._engine,
            service=row.name,
            scenario=scenario,
            address=resolve(address.hostname or "", address.port or 80),
            traffic=load.traffic(address.netloc, load.filled({}), 1),
        )
        self._engine.add_stream(self._stream)
        for _ in range(CONNECTIONS):
            self._engine.add_connection(self._stream)
        self._answered = 0

    def _count(self, batches: list[Batch]) -> None:
        for batch in batches:
            if batch.failed:
                raise SystemExit(f"{self._row.name}: {batch.scenario}: {dict(batch.errors)}")
            self._answered += batch.answered

    def run(self, seconds: float) -> None:
        """Load the row; a wrong answer is an error of the benchmark."""
        end = self._engine.now() + seconds
        self._engine.run(lambda: self._engine.now() >= end)

    def counts(self) -> tuple[int, float]:
        """Right answers and the server's CPU seconds so far, without `lab.serve` above it."""
        self._count(self._stream.take())
        times = [child.cpu_times() for child in self._root.children(recursive=True)]
        return self._answered, float(sum(each.user + each.system for each in times))

    def close(self) -> None:
        """End the load."""
        self._engine.close()


def alternate(lab: Lab, names: Sequence[str], scenario: str, rounds: int) -> list[Turns]:
    """Load two rows in turn; the first round warms up.

    They change places ten times a second: what slows the machine for longer slows both.
    """
    arms = [Arm(lab.rows[name], lab.pid(name), scenario) for name in names]
    turns: list[dict[int, Turn]] = [{} for _ in arms]
    for number in range(rounds + 1):
        before = [arm.counts() for arm in arms]
        for change in range(CHANGES):
            for arm in arms[:: 1 if change % 2 else -1]:
                arm.run(SLICE_S)
        for turn, arm, (answered, cpu_s) in zip(turns, arms, before, strict=True):
            now_answered, now_cpu_s = arm.counts()
            turn[number] = Turn(now_answered - answered, CHANGES * SLICE_S, now_cpu_s - cpu_s)
    for arm in arms:
        arm.close()
    return [{number: each for number, each in turn.items() if number} for turn in turns]


def variants(rows: Mapping[str, Row]) -> dict[str, Row]:
    """Each row with and without metrics, and the bare FastAPI."""
    off = {
        f"{row.name}, metrics off": replace(
            row,
            name=f"{row.name}, metrics off",
            environment={**row.environment, "LAB_METRICS": "off"},
        )
        for row in rows.values()
    }
    return dict(rows) | off


def with_workers(rows: Mapping[str, Row], workers: int | None) -> dict[str, Row]:
    """The rows with so many worker processes; as they ship where None."""
    if workers is None:
        return dict(rows)
    return {
        name: replace(row, environment={**row.environment, "WORKERS": str(workers)})
        for name, row in rows.items()
    }


def hello(row: Row) -> Row:
    """`hello.py` served by the very command of `row`."""
    command = tuple("hello:app" if ":app" in word else word for word in row.command)
    return replace(row, name="bare FastAPI", command=command, folder=Path(__file__).parent)


def memory(row: Row) -> int:
    """PSS of the row's processes in bytes, from its own metrics."""
    with urllib.request.urlopen(row.metrics_url(), timeout=5) as response:
        for line in response.read().decode().splitlines():
            if line.startswith("lab_process_pss_bytes "):
                return int(float(line.split()[1]))
    raise SystemExit(f"{row.name}: no lab_process_pss_bytes in its metrics")


def cells(measured: Turns, reference: Turns, floor: float) -> list[str]:
    """Both rates by the clock, the ratio with its interval, and whether the floor is kept."""
    found = compare(_by_cpu(measured), _by_cpu(reference))
    if found is None:
        raise SystemExit("a slice without an answer: nothing to compare")
    verdict = "ok" if found.ratio >= floor else "below" if found.high < floor else "unclear"
    ratio = f"{found.ratio:.3f} [{found.low:.3f}, {found.high:.3f}]"
    return [_by_clock(measured), _by_clock(reference), ratio, verdict]


def _by_cpu(slices: Turns) -> dict[int, float]:
    return {number: each.answered / each.cpu_s for number, each in slices.items()}


def _by_clock(slices: Turns) -> str:
    return f"{geometric_mean(each.answered / each.clock_s for each in slices.values()):,.0f}"


def table(title: str, columns: Sequence[str]) -> Table:
    """An empty table with right-aligned figures."""
    made = Table(title=title)
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number else "left")
    return made


def metrics_cost(rows: Mapping[str, Row], rounds: int, console: Console) -> Table:
    """Each row with metrics against itself without, under each load."""
    cost = table(
        f"Metrics on against off (floor {METRICS_FLOOR})",
        ["row", "load", "on", "off", "ratio", "", "PSS at rest, MiB"],
    )
    for row in track(list(rows.values()), "metrics on and off", console=console):
        with pinned(variants({row.name: row})) as lab:
            size = f"{memory(lab.rows[row.name]) / 2**20:.0f}"
            for load in LOADS:
                on, off = alternate(lab, list(lab.rows), load, rounds)
                cost.add_row(row.name, load, *cells(on, off, METRICS_FLOOR), size)
    return cost


def against_hello(row: Row, rounds: int) -> Table:
    """The row as it ships against FastAPI alone."""
    shown = table(
        f"{row.name} against FastAPI alone (floor {HELLO_FLOOR})",
        ["load", row.name, "FastAPI alone", "ratio", ""],
    )
    bare = hello(row)
    with pinned({row.name: row, bare.name: bare}) as lab:
        ours, theirs = alternate(lab, list(lab.rows), "json", rounds)
        shown.add_row("json", *cells(ours, theirs, HELLO_FLOOR))
    return shown


@contextmanager
def pinned(rows: Mapping[str, Row]) -> Iterator[Lab]:
    """The rows on free ports and one core, this process on the others; nothing is left after it."""
    with (
        tempfile.TemporaryDirectory(prefix="lab-bench-") as state,
        Lab(rows, host_ports="free", state=Path(state)) as lab,
    ):
        if lab.cpus.load:
            os.sched_setaffinity(0, lab.cpus.load)
        try:
            yield lab
        finally:
            if lab.cpus.service and lab.cpus.load:
                os.sched_setaffinity(0, lab.cpus.service | lab.cpus.load)


def main() -> None:
    """Read the command line, then measure."""
    rows = {n: row for n, row in manifest.load().items() if row.command[0] == "python"}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of: {', '.join(rows)}")
    parser.add_argument("--rounds", type=int, default=8, help="rounds of 1.5 s an arm (8)")
    parser.add_argument("--workers", type=int, help="worker processes a row (as it ships)")
    chosen = parser.parse_args()
    try:
        picked = with_workers(manifest.choose(rows, chosen.rows or list(rows)), chosen.workers)
    except manifest.ManifestError as error:
        raise SystemExit(f"bench-services: {error}") from None
    console = Console()
    console.print(metrics_cost(picked, chosen.rounds, console))
    if CENTRAL in picked:
        console.print(against_hello(picked[CENTRAL], chosen.rounds))


if __name__ == "__main__":
    main()
