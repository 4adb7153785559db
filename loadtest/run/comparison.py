"""One comparison, new or gone on with: its plan, the folder that it writes, and its record."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loadtest.backends import native
from loadtest.backends.base import POOLER, Backend
from loadtest.backends.compose import Containers
from loadtest.backends.native import Lab
from loadtest.backends.own import OwnServices
from loadtest.backends.pooler import pgbouncer
from loadtest.inventory import addresses, budgets, free_threaded, pooling
from loadtest.model.experiment import Experiment
from loadtest.plan.own import planning
from loadtest.plan.plans import Options, Plan
from loadtest.results import record, resumed, runs
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
        if self.plan.own:
            return OwnServices(self.plan.own, self.folder / "logs")
        if self.plan.options.backend == "compose":
            return Containers(self.plan.services)
        connections = budgets.allowed(self.plan.options.budget)
        return Lab(self.plan.services, host_ports="free", begin=(), connections=connections)


def begin(options: Options, results: Path, own: Experiment | None = None) -> Comparison:
    """Plan a new run and make its folder under `results`; a plan that cannot be leaves nothing.

    `own`: a comparison of the user's own services that is in no file.
    """
    plan = planning.prepare(options, own)
    _require(plan)
    record.require_writable(results)
    commit, dirty = machine.git()
    folder = record.create(results)
    known = Record(
        run_id=folder.name,
        command=f"{pooling.words()}{options.command}",
        plan=options.plan,
        seed=options.seed,
        budget="" if plan.own else options.budget,
        backend=options.backend,
        pooler=_pooler(plan),
        busy=options.busy,
        rounds=options.rounds,
        started_at=record.now(),
        planned=len(plan.trials),
        plans=plan.planned,
        experiments=plan.documents,
        left_out=plan.left_out,
        machine=machine.describe(),
        versions=machine.versions() | free_threaded.versions(),
        git_commit=commit,
        git_dirty=dirty,
    )
    record.write(folder, known)
    return Comparison(plan, folder, known)


def _pooler(plan: Plan) -> dict[str, Any]:
    """What the record tells of a pooler. `size` is of every service; 0: where a level says so."""
    if plan.own or not pooling.needed(plan.experiments):
        return {}
    version = pgbouncer.require() if plan.options.backend == "native" else ""
    return {"name": POOLER, "version": version, "size": pooling.usual()}


def _require(plan: Plan) -> None:
    """Raise LabError where it is known now that the plan can't be carried out here."""
    loads = [level.load for each in plan.experiments for level in each.levels]
    descriptors.require(max((load.connections for load in loads), default=0))
    if plan.own:
        _require_permission(plan)
    elif plan.options.backend == "native":
        native.require(native.state_directory(), pooled=pooling.needed(plan.experiments))


def _require_permission(plan: Plan) -> None:
    """Raise AddressError for a target that may not be loaded, or whose host does not exist."""
    for experiment in plan.experiments:
        for name in experiment.services:
            url = experiment.targets[name].url
            addresses.require_permission(url, may_load=experiment.may_load)


def resume(folder: Path, busy: str | None = None) -> Comparison:
    """Take a run up where it ended, with the same schedule.

    `busy`: what becomes of disturbed trials from now on; None leaves it as it was.
    """
    known = record.restore(runs.info(folder))
    resumed.require_unfinished(folder, known)
    record.require_writable(folder)
    options = Options(
        seed=known.seed,
        plan=known.plan,
        budget=known.budget,
        rounds=known.rounds,
        backend=known.backend,
        busy=busy or known.busy,
    )
    pooling.require_same(int(known.pooler.get("size", 0)))
    plan = planning.restore(options, known.experiments, known.plans)
    _require(plan)
    resumed.require_same(known, {name: each.described for name, each in plan.services.items()})
    now = resumed.Now(*machine.git(), machine.describe(), options.busy)
    plan = replace(plan, left_out=known.left_out)
    return Comparison(plan, folder, resumed.gone_on(folder, known, now))
