"""A lesson's command in tenths of seconds, and the report that it would end with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hdrh.histogram import HdrHistogram

from loadtest.analysis.observations import HELD_SHARE
from loadtest.backends.native import Lab
from loadtest.backends.readiness import about
from loadtest.engine.kinds import kind_of
from loadtest.inventory.manifest import Service
from loadtest.model.experiment import Background, Experiment, Level
from loadtest.model.load import Load, LoadResult
from loadtest.model.trial import Sample, Trial
from loadtest.plan.plans import Plan
from loadtest.plan.schedule import PlannedTrial, schedule
from loadtest.report import report
from loadtest.report.report import Report
from loadtest.run.witnesses.requests import CONTENT, STATUS
from loadtest.stats.histogram import DIGITS, HIGHEST_US, LOWEST_US, decode
from tests.synthetic import write_run

WARMUP_S = 0.1
WINDOWS_S = (0.3, 1.0, 3.0)  # the first does, but where a machine is late by tenths
SHORTER = 10  # times: what a request waits or computes, and what a client pauses
MOST_CONNECTIONS = 64
ROUNDS, LONGER = 3, 50  # times: what one round's trials stand for, so that there are percentiles
# The gates of right answers. Others judge figures, and there are none here.
RIGHT = ("answers checked", "error rate", CONTENT, STATUS)


def shortened(plan: Plan, running: Mapping[str, Service], window_s: float) -> Experiment:
    """The experiment of a lesson's plan: one round, at the level that answers the question.

    That is the level of the first criterion that compares two services, else every level.
    `running` may have another budget than the plan.
    """
    [whole] = plan.experiments
    at = next((each.level for each in whole.criteria if each.ratio), "")
    settings = {name: differing(plan.services[name], running[name]) for name in whole.services}
    levels = [_level(each, settings) for each in whole.levels if at in ("", each.label)]
    return replace(
        whole,
        levels=tuple(levels),
        background=_beside(whole.background),
        rounds=1,
        warmup_s=WARMUP_S,
        duration_s=window_s,
        longest_s=0.0,
        fresh=False,
    )


def places(experiment: Experiment) -> list[PlannedTrial]:
    """The trials of its one round, without the twin: nothing is compared with itself."""
    return [each for each in schedule([experiment], 1) if each.arm == each.service]


def differing(asked: Service, running: Service) -> dict[str, str]:
    """What of the environment that is asked for the running service does not have."""
    known = running.environment
    return {name: value for name, value in asked.environment.items() if known.get(name) != value}


def _level(level: Level, settings: Mapping[str, Mapping[str, str]]) -> Level:
    own = {name: {**level.environment_of.get(name, {}), **each} for name, each in settings.items()}
    return replace(
        level,
        load=_load(level.load),
        # What is held has to outlast the window.
        parameters=level.parameters if kind_of(level.load).holds else _parameters(level.parameters),
        environment_of={name: each for name, each in own.items() if each},
    )


def _beside(background: Background | None) -> Background | None:
    if background is None:
        return None
    parameters, load = _parameters(background.parameters), _load(background.load)
    return replace(background, parameters=parameters, load=load)


def _load(load: Load) -> Load:
    return replace(
        load,
        connections=min(load.connections, MOST_CONNECTIONS),
        think_s=load.think_s / SHORTER,
    )


def _parameters(parameters: Mapping[str, int]) -> dict[str, int]:
    return {name: max(1, value // SHORTER) for name, value in parameters.items()}


def reported(
    folder: Path, plan: Plan, experiment: Experiment, trials: Sequence[Trial], backend: Lab
) -> Report:
    """The report of the command, as if each trial had run to its end and in several rounds."""
    made = [
        replace(
            trial,
            index=len(trials) * number + place,
            round=number + 1,
            result=_lasting(trial.result),
            samples=_during(trial),
            gates=tuple(each for each in trial.gates if each.name in RIGHT),
        )
        for number in range(ROUNDS)
        for place, trial in enumerate(trials)
    ]
    told = {name: about(backend.services[name], backend.name) for name in experiment.services}
    services = {
        name: {**plan.services[name].described, "observed": each} for name, each in told.items()
    }
    options = plan.options
    write_run(
        folder,
        [experiment],
        made,
        services=services,
        budget=options.budget,
        plans={name: _planned(experiment, each.looks) for name, each in plan.planned.items()},
    )
    return report.load(folder)


def _planned(experiment: Experiment, looks: Sequence[int]) -> dict[str, Any]:
    labels = [each.label for each in experiment.levels]
    return {
        "services": list(experiment.services),
        "levels": labels,
        "rounds": ROUNDS,
        "looks": list(looks),
    }


def _during(trial: Trial) -> tuple[Sample, ...]:
    """The samples of the window; most of so short a trial's are taken after it."""
    if not kind_of(trial.load).holds:
        return trial.samples
    held = HELD_SHARE * trial.load.connections
    return tuple(each for each in trial.samples if (each.in_flight or 0) >= held)


def _lasting(result: LoadResult) -> LoadResult:
    """The same window so many times: every count of what ended is as many times as large."""
    answered, failed = result.answered * LONGER, result.failed * LONGER
    return replace(
        result,
        answered=answered,
        failed=failed,
        sent=answered + failed + result.unfinished,
        duration_s=result.duration_s * LONGER,
        response_us=_often(result.response_us),
        service_us=_often(result.service_us),
    )


def _often(encoded: str) -> str:
    more = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
    for each in decode(encoded).get_recorded_iterator():
        more.record_value(each.value_iterated_to, each.count_added_in_this_iter_step * LONGER)
    text: bytes = more.encode()
    return text.decode("ascii")
