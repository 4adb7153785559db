"""One comparison, new or gone on with: its plan, the folder that it writes, and its record."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from loadtest.backends import native
from loadtest.backends.base import Backend
from loadtest.backends.compose import Containers
from loadtest.backends.native import Lab
from loadtest.plan import plans
from loadtest.plan.plans import Options, Plan
from loadtest.results import record, runs
from loadtest.results.record import Record
from loadtest.system import descriptors, machine


@dataclass(frozen=True)
class Comparison:
    """What is needed to run, or to go on."""

    plan: Plan
    folder: Path
    record: Record

    def backend(self) -> AbstractContextManager[Backend]:
        """Services and Postgres for the plan, not yet started."""
        if self.plan.options.backend == "compose":
            return Containers(self.plan.services)
        return Lab(self.plan.services, host_ports="free", begin=())


def begin(options: Options, results: Path) -> Comparison:
    """Plan a new run and make its folder under `results`; a plan that cannot be leaves nothing."""
    plan = plans.prepare(options)
    _require(plan)
    record.require_writable(results)
    commit, dirty = machine.git()
    folder = record.create(results)
    known = Record(
        run_id=folder.name,
        command=options.command,
        plan=options.plan,
        seed=options.seed,
        budget=options.budget,
        backend=options.backend,
        busy=options.busy,
        rounds=options.rounds,
        started_at=record.now(),
        planned=len(plan.trials),
        plans=plan.planned,
        experiments=plan.documents,
        left_out=plan.left_out,
        machine=machine.describe(),
        versions=machine.versions(),
        git_commit=commit,
        git_dirty=dirty,
    )
    record.write(folder, known)
    return Comparison(plan, folder, known)


def _require(plan: Plan) -> None:
    """Raise LabError where it is known now that the plan can't be carried out here."""
    loads = [level.load for each in plan.experiments for level in each.levels]
    descriptors.require(max((load.connections for load in loads), default=0))
    if plan.options.backend == "native":
        native.require(native.state_directory())


def resume(folder: Path) -> Comparison:
    """Take a run up where it ended, with the same schedule."""
    known = record.restore(runs.info(folder))
    record.require_writable(folder)
    options = Options(
        seed=known.seed,
        plan=known.plan,
        budget=known.budget,
        rounds=known.rounds,
        backend=known.backend,
        busy=known.busy,
    )
    plan = plans.restore(options, known.experiments, known.plans)
    _require(plan)
    going_on = replace(known, interrupted=False, reason="", finished_at="", resumed=True)
    return Comparison(replace(plan, left_out=known.left_out), folder, going_on)
