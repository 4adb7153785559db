"""What theory allows: slots ÷ wait and the Universal Scalability Law, as curves and labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from loadtest.analysis.prediction import LIMITS_OF_CLIENTS
from loadtest.engine.kinds import kind_of
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.measures import GOODPUT
from loadtest.report.charts.style import Records
from loadtest.stats.scalability import FITS, Scalability, scalability

_CURVE_POINTS = 60


def laws_of(experiment: Experiment, trials: Sequence[Trial]) -> dict[str, Scalability]:
    """The law of each service of a sweep over connections that it fits.

    None for a service whose slots lie within the sweep: what bends there is a queue, no contention.
    """
    if not is_sweep(experiment):
        return {}
    levels = {level.label: level.x for level in experiment.levels}
    laws = {}
    for service in experiment.services:
        own = [trial for trial in trials if trial.arm == service and trial.level in levels]
        if any(_full(trial) for trial in own):
            continue
        n = [levels[trial.level] for trial in own]
        laws[service] = scalability(n, [trial.result.goodput_rps for trial in own])
    return {service: law for service, law in laws.items() if law and law.misfit <= FITS}


def _full(trial: Trial) -> bool:
    """Whether the service's own limit holds its figure, and not what the clients ask for."""
    told = trial.prediction
    return told is not None and told.bound_by not in LIMITS_OF_CLIENTS


def is_sweep(experiment: Experiment) -> bool:
    """Whether the experiment varies the number of closed connections and nothing else."""
    loads_ = [level.load for level in experiment.levels]
    return (
        experiment.measure == GOODPUT
        and len({load.connections for load in loads_}) > 1
        and all(kind_of(load).paced for load in loads_)
        and all(level.x == level.load.connections for level in experiment.levels)
    )


def law_curves(records: Records, laws: dict[str, Scalability]) -> Records:
    """The laws as curves."""
    grid = _grid(records)
    return [
        {"service": service, "x": x, "y": law.throughput(x)}
        for service, law in laws.items()
        for x in grid
    ]


def prediction_curves(experiment: Experiment, records: Records) -> Records:
    """slots / L as a curve: with fewer connections than slots, the connections are the slots."""
    if not is_sweep(experiment):
        return [
            {"service": each["service"], "x": each["x"], "y": each["predicted"]}
            for each in records
            if each["predicted"]
        ]
    return [
        {"service": each["service"], "x": x, "y": _allowed(each, x)}
        for each in _last(records)
        for x in _grid(records)
    ]


def _allowed(record: dict[str, Any], connections: float) -> float:
    """Requests a second that so many connections can ask for, up to the most that was foretold."""
    asked = connections / (float(record["latency_s"]) + float(record["think_s"]))
    return min(asked, float(record["predicted"]))


def _grid(records: Records) -> list[float]:
    loads_ = [each["x"] for each in records]
    return [float(x) for x in np.geomspace(min(loads_), max(loads_), _CURVE_POINTS)]


def limit_labels(records: Records) -> Records:
    """A label for each limit; services that are predicted alike share one."""
    found: dict[float, dict[str, Any]] = {}
    for each in _last(records):
        shared = found.setdefault(round(math.log(each["predicted"]), 1), dict(each))
        if each["limit"] not in shared["limit"]:
            shared["limit"] += f", {each['limit']}"
    return list(found.values())


def _last(records: Records) -> Records:
    """Each service's record at its highest load, to carry the name of its limit."""
    last = {each["service"]: each for each in records}
    return [each for each in last.values() if each["limit"]]


def said(law: Scalability | None) -> str:
    """The law of a service as a table has it."""
    if law is None:
        return "–"
    if law.knee is None or law.knee_low is None or law.knee_high is None:
        return "fits, no knee in the tested range"
    return f"knee at {law.knee:.0f} ({law.knee_low:.0f}–{law.knee_high:.0f})"
