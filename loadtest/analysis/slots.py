"""What slots decide: how much of slots ÷ wait was reached, and what another budget would allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtest.analysis.amounts import amount, percent, times
from loadtest.analysis.observations import by_round
from loadtest.analysis.prediction import LIMITS_OF_CLIENTS, predict
from loadtest.inventory.budgets import Demand
from loadtest.model.experiment import Experiment, Level
from loadtest.model.trial import Trial
from loadtest.plan.measures import GOODPUT
from loadtest.stats.inference import INTERVAL_ROUNDS, interval

_NEARLY_ALL = 0.95
_UNEVEN = 1.25  # the busiest worker's requests ÷ an equal share

Demands = Mapping[str, Demand]  # by service


@dataclass(frozen=True)
class Elsewhere:
    """A budget, and the most requests a second that it allows each service at one level."""

    budget: str
    level: str
    rps: Mapping[str, float]


def elsewhere(
    experiment: Experiment, about: Mapping[str, Mapping[str, Any]], budgets: Mapping[str, Demands]
) -> list[Elsewhere]:
    """Each budget at the experiment's last level, as far as slots decide it there.

    `about`: what each service said of itself in the run. Empty where requests don't wait, where the
    load and not the slots sets the pace, and where all budgets allow the same.
    """
    if experiment.measure != GOODPUT or not experiment.levels:
        return []
    level = experiment.levels[-1]
    found = [
        Elsewhere(name, level.label, allowed)
        for name, demands in budgets.items()
        if (allowed := _allowed(level, _services(experiment, about, demands), about, demands))
    ]
    return found if len({tuple(each.rps.items()) for each in found}) > 1 else []


def slots_under(about: Mapping[str, Any], demand: Demand) -> tuple[int, str]:
    """The slots that a service has under `demand`, and what binds them.

    `about` tells what a waiting request holds besides its connection, which no budget changes.
    """
    holders = _holders(about, demand)
    if holders is not None and holders[1] <= demand.pool_size:
        return demand.workers * holders[1], holders[0]
    return demand.workers * demand.pool_size, "pool"


def _holders(about: Mapping[str, Any], demand: Demand) -> tuple[str, int] | None:
    if about.get("slots_bound_by") in ("event loop", "workers"):
        return str(about["slots_bound_by"]), 1
    if about.get("model") == "threads":
        declared = demand.threads if demand.threads > 1 else demand.thread_limit
        return "threads", declared or int(about["threads"])
    return ("greenlets", demand.threads) if about.get("model") == "greenlets" else None


def _services(
    experiment: Experiment, about: Mapping[str, Mapping[str, Any]], demands: Demands
) -> Sequence[str]:
    return [name for name in experiment.services if name in demands and about.get(name)]


def _allowed(
    level: Level,
    services: Sequence[str],
    about: Mapping[str, Mapping[str, Any]],
    demands: Demands,
) -> dict[str, float]:
    found = {}
    for name in services:
        demand = demands[name].under(level.settings_of(name))
        slots, bound_by = slots_under(about[name], demand)
        said = {
            **about[name],
            "slots": slots,
            "slots_bound_by": bound_by,
            "workers": demand.workers,
            "threads": demand.threads,
            "pool_size": demand.pool_size,
        }
        told = predict(said, level.load, level.scenario, level.parameters)
        if told is None:
            return {}
        found[name] = told.rps
    return found


def sentence(found: Sequence[Elsewhere], budget: str, service: str, reference: str) -> str:
    """What each budget but the run's own makes of `service` beside `reference`; empty where none.

    `By slots ÷ wait, at 128 connections: under equal-slots flask-gthread reaches 1.00 ×
    fastapi-async (320 and 320 requests/s).`
    """
    told = [
        f"under {each.budget} {service} reaches {times(each.rps[service] / each.rps[reference])} × "
        f"{reference} ({amount(each.rps[service])} and {amount(each.rps[reference])} requests/s)"
        for each in found
        if each.budget != budget and {service, reference} <= each.rps.keys()
    ]
    return f"By slots ÷ wait, at {found[0].level}: {'; '.join(told)}." if told else ""


def reached(
    experiment: Experiment, trials: Sequence[Trial], services: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """A sentence for each service whose own slots are the limit at the last level.

    `services` are those of run.json: of each, how a burst spread over its workers.
    """
    if experiment.measure != GOODPUT or not experiment.levels:
        return []
    level = experiment.levels[-1].label
    return [
        said
        for name in experiment.services
        for said in _reached(
            name,
            level,
            [trial for trial in trials if trial.arm == name and trial.level == level],
            (services.get(name) or {}).get("burst") or {},
        )
    ]


def _reached(
    name: str, level: str, trials: Sequence[Trial], burst: Mapping[str, Any]
) -> Iterator[str]:
    limits = {trial.prediction.bound_by for trial in trials if trial.prediction}
    shares = list(by_round(trials, "share_of_prediction", level, name).values())
    if not shares or limits & LIMITS_OF_CLIENTS or min(shares) <= 0:
        return
    share, low, high = interval(shares, logarithmic=True)
    told = f" ({percent(low)}–{percent(high)} %)" * (len(shares) >= INTERVAL_ROUNDS)
    why = _uneven(burst.get("worker_requests") or ()) if share < _NEARLY_ALL else ""
    yield f"{name} reached {percent(share)} % of its slots ÷ wait{told}{why}."


def _uneven(by_worker: Sequence[int]) -> str:
    """Why a service of several workers may leave slots idle, where a burst has shown it."""
    total = sum(by_worker)
    if len(by_worker) < 2 or max(by_worker) <= _UNEVEN * total / len(by_worker):
        return ""
    *first, last = map(str, by_worker)
    return (
        f": its workers share kept connections unevenly ({', '.join(first)} and {last} of {total} "
        "requests in a burst), and a worker with few leaves slots idle"
    )
