"""Two services that compute, compared as `versus` compares them, again and again."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from unittest.mock import create_autospec

from loadtest.analysis.findings import Finding, against_itself, against_reference
from loadtest.backends.own import OwnServices
from loadtest.inventory.building import Building
from loadtest.plan.own import planning
from loadtest.plan.parsing import parse
from loadtest.plan.plans import Options, Plan
from loadtest.results import record, runs
from loadtest.results.record import Ledger, Record
from loadtest.run.experiments import Experiments
from loadtest.run.forkserver import ForkServer
from loadtest.run.rounds import MachineBusy, Watch
from loadtest.system import ports
from loadtest.system.paths import ROOT
from loadtest.system.processes import pinned

STEPS = 20_000  # about two milliseconds
MORE = 1.1
CONNECTIONS = 4
NAME = "versus"


@dataclass(frozen=True)
class Compared:
    """B beside A, and A beside itself; None where it could not be measured, and why."""

    between: Finding | None
    itself: Finding | None
    why: str = ""

    def __str__(self) -> str:
        if self.between is None:
            return f"not measured: {self.why}"
        itself = self.itself.short if self.itself else "not measured"
        return f"{self.between.sentence}; A beside itself: {itself}"


class Pairs:
    """Compares inside the `with` block, with windows of so many seconds.

    `accept`: trials count although other programs disturbed them. The process that makes the load
    stays for all runs; the services are started anew for each, if `fresh` for each trial of it.
    """

    def __init__(self, seconds: float, accept: bool, *, fresh: bool = False) -> None:
        self._seconds, self._fresh = seconds, fresh
        self._busy = "accept" if accept else "rerun"
        self._forks = ForkServer()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._forks)
        made = tempfile.TemporaryDirectory(prefix="lab-versus-")
        self._results = Path(self._stack.enter_context(made))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def compare(self, ratio: float, seed: int) -> Compared:
        """One run; a request of B has `ratio` times as much to compute as one of A."""
        with ports.held(2) as found:
            own = parse(NAME, self._document(found, ratio), where="bench-versus")
            plan = planning.prepare(Options(seed, "full", busy=self._busy), own)
            folder = record.create(self._results)
            try:
                self._carry_out(plan, folder)
                return _compared(folder)
            except MachineBusy as busy:
                return Compared(None, None, str(busy))
            finally:
                shutil.rmtree(folder)

    def _carry_out(self, plan: Plan, folder: Path) -> None:
        """As the runner does, but for what a record tells of the machine."""
        known = Record(
            run_id=folder.name,
            command="make bench-versus",
            plan=plan.options.plan,
            seed=plan.options.seed,
            budget="",
            backend=plan.options.backend,
            busy=self._busy,
            planned=len(plan.trials),
            plans=plan.planned,
            experiments=plan.documents,
        )
        record.write(folder, known)
        running = OwnServices(plan.own, folder / "logs")
        with running as backend, Building() as building, pinned(backend.cpus.load):
            watch, ledger = create_autospec(Watch, instance=True), Ledger(folder, known)
            Experiments(plan, ledger, watch, backend, building, self._forks).run()

    def _document(self, found: Sequence[int], ratio: float) -> dict[str, Any]:
        """As a file of a comparison has it."""
        targets = {
            name: {
                "url": f"http://127.0.0.1:{port}/",
                "start": f"{sys.executable} -m benchmarks.own.spinning {port} {round(steps)}",
                "folder": str(ROOT),
                "environment": {"PYTHONPATH": str(ROOT)},
            }
            for name, port, steps in zip("AB", found, (STEPS, STEPS * ratio), strict=True)
        }
        return {
            "targets": targets,
            "levels": [{"connections": CONNECTIONS}],
            "duration_s": self._seconds,
            "warmup_s": self._seconds / 6,
            "fresh": self._fresh,
        }


def _compared(folder: Path) -> Compared:
    run = runs.load(folder)
    experiment, trials = run.experiments[NAME], run.valid.get(NAME, [])
    [between] = against_reference(experiment, trials)
    if between.outcome == "not measured":
        failed = {gate.name for each in run.trials for gate in each.gates if not gate.passed}
        return Compared(None, None, f"gates failed: {', '.join(sorted(failed))}")
    return Compared(between, next(iter(against_itself([experiment], run.valid)), None))
