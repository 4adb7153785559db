"""What slots, or the clients' pauses, make of a published comparison: requests/s by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loadtest.analysis.prediction import predict
from loadtest.inventory.budgets import Demand
from loadtest.inventory.manifest import Service
from loadtest.model.experiment import Experiment, Level
from loadtest.model.load import Load
from loadtest.model.trial import Trial

Place = tuple[str, str]  # label of a level, name of a service

_FANNING_OUT = ("async", "goroutines")  # models that send the queries of one request together
_HELD_BY = {"processes": "workers", "threads": "threads"}


def declared(experiment: Experiment, services: Mapping[str, Service]) -> dict[Place, float]:
    """By what docker-compose.yml and the experiment say; what is not decided so is left out."""
    found = {
        (level.label, name): _rps(_about(services[name], level), level)
        for level in experiment.levels
        for name in experiment.services
        if name in services and name not in level.without
    }
    return {place: rps for place, rps in found.items() if rps}


def observed(trials: Sequence[Trial]) -> dict[Place, float]:
    """By what the services said of themselves in a run."""
    found = {
        (trial.level, trial.arm): (
            trial.prediction.rps if trial.prediction else _by_pauses(trial.load)
        )
        for trial in trials
    }
    return {place: rps for place, rps in found.items() if rps}


def _rps(about: Mapping[str, Any], level: Level) -> float | None:
    told = predict(about, level.load, level.scenario, level.parameters)
    return told.rps if told else _by_pauses(level.load)


def _by_pauses(load: Load) -> float | None:
    """Where requests don't wait, clients that pause can't ask more often than this."""
    return load.connections / load.think_s if load.think_s else None


def _about(service: Service, level: Level) -> dict[str, Any]:
    """What the service will say of its slots at /about, as far as its declaration tells."""
    demand = Demand.of(service).under(level.settings_of(service.name))
    by_pool = demand.slots == demand.workers * demand.pool_size
    return {
        "slots": demand.slots,
        "slots_bound_by": "pool" if by_pool else _HELD_BY.get(service.model, "pool"),
        "model": service.model,
        "workers": demand.workers,
        "threads": demand.threads,
        "pool_size": demand.pool_size,
        "fanout": "at once" if service.model in _FANNING_OUT else "in turn",
    }
