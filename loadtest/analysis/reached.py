"""How much of slots ÷ wait each service reached: beside the bound, which nobody passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loadtest.analysis.amounts import percent
from loadtest.analysis.observations import by_round
from loadtest.analysis.prediction import LIMITS_OF_CLIENTS
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.measures import GOODPUT
from loadtest.stats.inference import INTERVAL_ROUNDS, interval

_NEARLY_ALL = 0.95
_UNEVEN = 1.25  # the busiest worker's requests ÷ an equal share


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
