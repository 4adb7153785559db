"""A service of the user's own against itself: seldom a winner, though it looks up to five times."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest

from loadtest.analysis import decisions
from loadtest.analysis.findings import against_reference
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan import schedule
from loadtest.plan.own import planning
from loadtest.plan.parsing import parse
from loadtest.plan.plans import Options
from loadtest.plan.schedule import PlannedTrial
from tests.loadtest.run.on_paper import taken

RUNS = 100
DRIFT = 0.01  # from one trial to the next, in the logarithm


def compared() -> Experiment:
    targets = {name: {"url": f"http://127.0.0.1:{port}/"} for name, port in (("A", 1), ("B", 2))}
    own = parse("versus", {"targets": targets}, where="versus")
    [experiment] = planning.prepare(Options(1, "full"), own).experiments
    return experiment


def measured(
    plan: list[PlannedTrial], difference: float, scatter: float, seed: int
) -> Iterator[Trial]:
    """Trials of two services of which B is slower by `difference`; the machine's speed wanders."""
    rng = np.random.default_rng(seed)
    speed = 0.0
    for planned in plan:
        speed += rng.normal(0, DRIFT)
        slower = math.log1p(-difference) if planned.service == "B" else 0.0
        rps = 1000 * math.exp(speed + slower + rng.normal(0, scatter))
        trial = taken(planned, 1)
        yield replace(trial, result=replace(trial.result, goodput_rps=rps))


def outcome(experiment: Experiment, difference: float, scatter: float, seed: int) -> str:
    """What a run finds that stops at the look at which everything is decided."""
    plan = schedule.schedule([experiment], seed)
    seen: list[Trial] = []
    trials = measured(plan, difference, scatter, seed)
    for number, block in groupby(trials, lambda trial: trial.round):
        seen += block
        if number in experiment.looks and not decisions.look(experiment, seen, number).open:
            break
    [found] = against_reference(experiment, seen)
    return found.outcome


@pytest.mark.parametrize("scatter", [0.01, 0.05])
def test_a_service_beside_itself_wins_in_at_most_five_of_a_hundred_runs(scatter: float) -> None:
    experiment = compared()
    found = [outcome(experiment, 0.0, scatter, seed) for seed in range(RUNS)]
    assert sum(each in ("more", "less") for each in found) <= 5


def test_ten_percent_less_is_found() -> None:
    experiment = compared()
    found = [outcome(experiment, 0.1, 0.01, seed) for seed in range(20)]
    assert found.count("less") >= 19
