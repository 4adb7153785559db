"""How long a trial lasts: long enough for its percentiles, where the plan has room for that."""

from __future__ import annotations

from loadtest.contract import scenarios
from loadtest.engine.kinds import kind_of
from loadtest.inventory.budgets import Demand
from loadtest.inventory.manifest import Service
from loadtest.model.experiment import Experiment, Level
from loadtest.model.load import Load
from loadtest.plan.measures import MEASURES

WAITS = 4  # mean waits; the first of them is the warm-up's
# Of a trial that waits make longer, by plan.
ROOM_S = {"quick": 6.0, "lesson": 6.0, "full": 20.0, "field": 20.0, "published": 0.0}


def lasting(experiment: Experiment, level: Level, mean_wait_s: float | None) -> tuple[float, float]:
    """Warm-up and window in seconds, for a service whose requests take `mean_wait_s` on average.

    A window that is shorter than the wait sees the lucky alone. Where four waits don't fit, nothing
    is gained by three: the trial is as long as the experiment says.
    """
    asked = experiment.warmup_s, experiment.duration_s
    if experiment.published:  # its windows are whole waits, as its figures count them
        return asked
    if mean_wait_s is None or not _tells_percentiles(experiment, level):
        return asked
    needed_s = WAITS * mean_wait_s
    if not sum(asked) < needed_s <= experiment.longest_s:
        return asked
    warmup_s = max(experiment.warmup_s, mean_wait_s)
    return warmup_s, max(experiment.duration_s, needed_s - warmup_s)


def mean_wait_s(load: Load, rps: float) -> float | None:
    """How long a request takes on average where `rps` are answered a second, by Little's law.

    None where the service's answers don't set the pace.
    """
    return load.connections / rps if kind_of(load).paced and not load.think_s else None


def longer_s(experiment: Experiment, level: Level, service: Service) -> float:
    """Seconds that a trial of `service` takes beyond the experiment's own, as far as known before.

    What it declares tells its slots, and those how long a request waits for one.
    """
    scenario = scenarios.choose(level.scenario)
    latency_s = scenario.latency_s(scenario.filled(level.parameters))
    if not latency_s:
        return 0.0
    slots = Demand.of(service).under(level.settings_of(service.name)).slots
    waits_s = mean_wait_s(level.load, min(level.load.connections, slots) / latency_s)
    return sum(lasting(experiment, level, waits_s)) - experiment.warmup_s - experiment.duration_s


def _tells_percentiles(experiment: Experiment, level: Level) -> bool:
    """Percentiles are drawn at the last level, and told at every level where they are measured."""
    measured = {experiment.measure, *(each.measure for each in experiment.criteria)}
    shown = any(MEASURES[each].percentile for each in measured)
    return shown or level.label == experiment.levels[-1].label
