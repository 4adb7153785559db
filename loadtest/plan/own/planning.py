"""The plan of a run, whoever runs its services: the user's own are compared alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadtest.inventory.manifest import Service
from loadtest.inventory.own_service import own_services
from loadtest.model.experiment import Experiment, Planned
from loadtest.plan import plans, reader, schedule
from loadtest.plan.parsing import parse
from loadtest.plan.plans import Options, Plan, PlanError


def prepare(options: Options, own: Experiment | None = None) -> Plan:
    """The plan that was asked for; `own`: a comparison of the user's services that is in no file.

    Raises what `plans.prepare` raises, ExperimentError and PlanError.
    """
    own = own or _named(options)
    if own:
        return _of_own(options, own)
    if options.fail_if:
        raise PlanError("--fail-if is for services of your own: name one experiment with targets")
    return plans.prepare(options)


def restore(
    options: Options,
    documents: Mapping[str, Mapping[str, Any]],
    planned: Mapping[str, Planned],
) -> Plan:
    """The plan of an earlier run, from what its run.json says; PlanError where it can't be."""
    plans.check_choices(options)
    for name, document in documents.items():
        if "targets" in document:
            experiment = plans.as_planned(name, document, planned[name])
            return Plan(options, _services_of(experiment), (experiment,), {})
    return plans.restore(options, documents, planned)


def _named(options: Options) -> Experiment | None:
    """The experiment with targets that is named; it can be named alone."""
    for name in options.experiments:
        path = Path(name) if name.endswith(".toml") else reader.EXPERIMENTS / f"{name}.toml"
        if not path.exists():
            continue  # plans.prepare says what there is
        found = reader.read(path)
        if found.targets:
            others = ", ".join(each for each in options.experiments if each != name)
            if others:
                raise PlanError(f"{name} has targets of its own: run it alone, without {others}")
            return found
    return None


def _of_own(options: Options, experiment: Experiment) -> Plan:
    plans.check_choices(options)
    if options.backend != "native":
        raise PlanError("services of your own are not started in containers; use --backend native")
    if unknown := [name for name in options.services if name not in experiment.targets]:
        known = ", ".join(experiment.targets)
        raise PlanError(f"unknown target {unknown[0]!r}; {experiment.name} has: {known}")
    asked = _with_conditions(experiment, options.fail_if)
    [planned] = schedule.plan({asked.name: asked}, "full", options.rounds)
    narrowed = schedule.narrow(planned, options.services or planned.services)
    return Plan(options, _services_of(narrowed), (narrowed,), {})


def _with_conditions(experiment: Experiment, texts: tuple[str, ...]) -> Experiment:
    """With more conditions than its document has."""
    if not texts:
        return experiment
    conditions = [*experiment.document.get("fail_if", ()), *texts]
    document = {**experiment.document, "fail_if": conditions}
    return parse(experiment.name, document, where=experiment.name)


def _services_of(experiment: Experiment) -> Mapping[str, Service]:
    found = own_services(experiment.targets, experiment.starts)
    return {name: found[name] for name in experiment.services}
