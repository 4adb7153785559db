"""What a run will do: options made into services, experiments and a schedule, before any start."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

from loadtest.backends.pooler import pgbouncer
from loadtest.contract import scenarios
from loadtest.errors import LabError, reason
from loadtest.inventory import budgets, builds, free_threaded, manifest, room
from loadtest.inventory.budgets import BudgetError
from loadtest.inventory.manifest import Service
from loadtest.inventory.own_service import OwnService
from loadtest.model.experiment import Experiment, Planned
from loadtest.plan import reader, schedule, windows
from loadtest.plan.mistakes import ExperimentError
from loadtest.plan.parsing import parse
from loadtest.plan.schedule import PlanName, PlannedTrial

# As measured on two cores: from the command to the first check and, at the end of the quick plan,
# the report; then each service's start with its checks. Its first build is apart.
SETUP_S, SERVICE_SETUP_S = 12.0, 1.5
BACKENDS = ("native", "compose")
BUSY_CHOICES = ("rerun", "accept")  # what to do with a trial that a busy machine disturbed


class PlanError(LabError):
    """What was asked for cannot be run; the message says why."""


@dataclass(frozen=True)
class Options:
    """What the user asked for; empty names mean everything that the plan has."""

    seed: int
    plan: str = "quick"
    experiments: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    budget: str = "typical"
    rounds: int | None = None
    backend: str = "native"
    busy: str = "rerun"
    fail_if: tuple[str, ...] = ()  # conditions beside those of the experiment's file
    words: tuple[str, ...] = ()  # of another command that asks for this, as `versus`

    @property
    def command(self) -> str:
        """The command that asks for the same."""
        if self.words:
            return shlex.join(["python", "-m", "loadtest", *self.words])
        chosen = {
            "--plan": self.plan,
            "--experiments": " ".join(self.experiments),
            "--services": " ".join(self.services),
            "--budget": self.budget,
            "--rounds": str(self.rounds or ""),
            "--seed": str(self.seed),
            "--backend": self.backend if self.backend != "native" else "",
            "--busy": self.busy if self.busy != "rerun" else "",
        }
        given = [part for name, value in chosen.items() if value for part in (name, value)]
        given += [part for text in self.fail_if for part in ("--fail-if", text)]
        return shlex.join(["python", "-m", "loadtest", "run", *given])


@dataclass(frozen=True)
class Plan:
    """Services to start, experiments to run with them, and what had to be left out, with the
    reason.
    """

    options: Options
    services: Mapping[str, Service]
    experiments: tuple[Experiment, ...]
    left_out: Mapping[str, str]

    @property
    def own(self) -> Mapping[str, OwnService]:
        """The services, where they are the user's own; else none."""
        return {name: each for name, each in self.services.items() if isinstance(each, OwnService)}

    @property
    def trials(self) -> list[PlannedTrial]:
        """Every trial in its order, up to each limit; the same for the same options."""
        timed = [each for each in self.experiments if each.levels]
        return schedule.schedule(timed, self.options.seed)

    def experiment(self, name: str) -> Experiment | None:
        """The experiment called `name`; None where the plan had to drop it."""
        return next((each for each in self.experiments if each.name == name), None)

    @property
    def seconds(self) -> float:
        """Estimated time of the whole run: set-up, checks of the services, trials and report."""
        return self._seconds(schedule.expected(self.trials, {}))

    @property
    def most_seconds(self) -> float:
        """The same where nothing is decided before the last round."""
        return self._seconds(self.trials)

    def _seconds(self, trials: Sequence[PlannedTrial]) -> float:
        longer_s = sum(
            windows.longer_s(each.experiment, each.level, self.services[each.service])
            for each in trials
        )
        setup_s = SETUP_S + SERVICE_SETUP_S * len(self.services)
        checks_s = schedule.checks_s(self.experiments)
        return setup_s + checks_s + schedule.estimate_s(trials) + longer_s

    @property
    def planned(self) -> dict[str, Planned]:
        """What of each experiment is in the plan, as run.json keeps it."""
        return {
            each.name: Planned(
                each.services,
                tuple(level.label for level in each.levels),
                each.rounds,
                each.looks,
            )
            for each in self.experiments
        }

    @property
    def documents(self) -> dict[str, Mapping[str, Any]]:
        """The TOML document of each experiment."""
        return {each.name: each.document for each in self.experiments}

    def without(self, services: Collection[str]) -> Plan:
        """The plan without `services`, and without the experiments that cannot do without them."""
        kept = {name: service for name, service in self.services.items() if name not in services}
        fitting, reasons = _narrowed(self.experiments, kept)
        return replace(
            self,
            services=kept,
            experiments=tuple(fitting),
            left_out=dict(self.left_out) | reasons,
        )


def check_choices(options: Options) -> None:
    """Raise PlanError for a backend, or a way with a busy machine, that there is not."""
    if options.backend not in BACKENDS:
        raise PlanError(f"unknown backend {options.backend!r}; there are: {', '.join(BACKENDS)}")
    if options.busy not in BUSY_CHOICES:
        raise PlanError(f"unknown --busy {options.busy!r}; there are: {', '.join(BUSY_CHOICES)}")


def prepare(options: Options) -> Plan:
    """Read manifest, budget and experiments, and narrow them to what was asked and what can run.

    Raises ManifestError, BudgetError or ExperimentError for what does not exist. A service or an
    experiment that was asked for by name and cannot run is an error too; others are left out.
    """
    check_choices(options)
    plan = _plan_name(options.plan)
    variables = budgets.variables(options.budget)
    services = manifest.load(variables=variables)
    wanted = manifest.choose(services, list(options.services) or list(services))
    usable, reasons = builds.available(wanted) if options.backend == "native" else (wanted, {})
    if options.services and reasons:
        raise PlanError("; ".join(f"service {name}: {why}" for name, why in reasons.items()))
    chosen = _with(_newcomers(options, wanted), _chosen(options.experiments, plan, services))
    planned = schedule.plan(chosen, plan, options.rounds)
    planned, lacks = free_threaded.split(planned, options.backend)
    planned, unpooled = pgbouncer.split(planned, options.backend)
    needed = {name for each in planned for name in each.services}
    budgets.check_each(each for each in usable.values() if each.name in needed)
    fitting, misfits = _narrowed(planned, usable, budgets.max_connections(variables))
    misfits |= lacks | unpooled
    if misfits and (options.experiments or not fitting):
        raise ExperimentError("; ".join(f"{name}: {why}" for name, why in misfits.items()))
    needed = {name for each in fitting for name in each.services}
    kept = {name: service for name, service in usable.items() if name in needed}
    return Plan(options, kept, tuple(fitting), reasons | misfits)


def _chosen(
    names: Collection[str], plan: PlanName, services: Collection[str]
) -> dict[str, Experiment]:
    """The experiments called `names`, or all; a name that ends in .toml is a file of the user's.

    One that was asked for by name runs in every plan. Published comparisons run in theirs alone.
    """
    there = scenarios.SCENARIOS
    known = (
        {}
        if plan == "published" and not names
        else reader.load_all(services=services, scenarios=there)
    )
    if names or plan == "published":
        known |= reader.load_published(services=services, scenarios=there)
    for name in names:
        if name.endswith(".toml"):
            known[name] = reader.read(Path(name), services=services, scenarios=there)
    if not names:
        return {name: each for name, each in known.items() if _run(each)}
    asked = reader.choose(known, names).values()
    for each in asked:
        if each.published and not _run(each):
            raise ExperimentError(f"{each.name} is told, not run: {each.published.not_run}")
    return {
        each.name: replace(each, headline=True, lesson=each.lesson or 99, plan=plan)
        for each in asked
    }


def _run(experiment: Experiment) -> bool:
    return not (experiment.published and experiment.published.not_run)


def _newcomers(options: Options, wanted: Collection[str]) -> list[str]:
    """Services that join experiments whose files do not name them.

    A service that no file names (somebody's own) joins every experiment. Where both services and
    experiments are asked for by name, those services join those experiments.
    """
    if options.services and options.experiments:
        return list(options.services)
    known = (*reader.load_all().values(), *reader.load_published().values())
    named = {service for each in known for service in each.services}
    return [service for service in wanted if service not in named]


def _with(services: Collection[str], chosen: Mapping[str, Experiment]) -> dict[str, Experiment]:
    """The experiments with `services` in them; a published comparison keeps its arms."""
    return {
        name: each
        if each.published
        else replace(
            each,
            services=tuple(dict.fromkeys((*each.services, *services))),
            full_services=tuple(
                service for service in each.full_services if service not in services
            ),
        )
        for name, each in chosen.items()
    }


def restore(
    options: Options,
    documents: Mapping[str, Mapping[str, Any]],
    planned: Mapping[str, Planned],
) -> Plan:
    """The plan of an earlier run, by its run.json; PlanError where services are missing."""
    services = manifest.load(variables=budgets.variables(options.budget))
    usable, reasons = builds.available(services) if options.backend == "native" else (services, {})
    needed = {name: None for each in planned.values() for name in each.services}
    for name in needed:
        if name not in usable:
            raise PlanError(f"service {name}: {reasons.get(name, 'is not in docker-compose.yml')}")
    longest_s = windows.ROOM_S[_plan_name(options.plan)]
    restored = [
        replace(as_planned(name, documents[name], each), longest_s=longest_s)
        for name, each in planned.items()
    ]
    for each in restored:
        room.check(each, usable, budgets.allowed(options.budget))
    return Plan(options, {name: usable[name] for name in needed}, tuple(restored), {})


def as_planned(name: str, document: Mapping[str, Any], planned: Planned) -> Experiment:
    """The experiment of a document, with what an earlier run had planned of it."""
    read = parse(name, document, where=f"run.json: experiments.{name}")
    levels = tuple(level for level in read.levels if level.label in planned.levels)
    return replace(
        read, services=planned.services, levels=levels, rounds=planned.rounds, looks=planned.looks
    )


def _plan_name(name: str) -> PlanName:
    for known in get_args(PlanName):
        if name == known:
            return cast(PlanName, known)
    raise PlanError(f"unknown plan {name!r}; there are: {', '.join(get_args(PlanName))}")


def _narrowed(
    chosen: Collection[Experiment], services: Mapping[str, Service], allowed: int | None = None
) -> tuple[list[Experiment], dict[str, str]]:
    """The experiments with those of their services that are here, and why others can't be.

    Nor can one whose services ask Postgres for more than `allowed` connections.
    """
    fitting, misfits = [], {}
    for each in chosen:
        try:
            narrowed = schedule.narrow(each, services)
            if allowed is not None:
                room.check(narrowed, services, allowed)
            fitting.append(narrowed)
        except (ExperimentError, BudgetError) as error:
            misfits[each.name] = reason(error, each.name)
    return fitting, misfits
