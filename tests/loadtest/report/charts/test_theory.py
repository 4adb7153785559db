"""What stands beside a throughput: the law that bends it, the requests that failed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.model.experiment import Experiment
from loadtest.model.trial import Prediction, Trial
from loadtest.report.charts import scaling
from loadtest.report.charts.style import Chart
from loadtest.report.charts.theory import laws_of
from loadtest.stats.scalability import Scalability


def drawn(chart: Chart | None) -> Chart:
    assert chart is not None
    return chart


def test_no_law_is_told_where_slots_lie_within_the_sweep(
    sweep: tuple[Experiment, list[Trial]],
) -> None:
    one, trials = sweep
    bound = [replace(t, prediction=_bound(t, "threads")) for t in trials]
    chart = drawn(scaling.scaling(one, bound, "title"))
    assert "USL" not in chart.table.headers
    assert "Scalability" not in chart.description
    assert not laws_of(one, bound)


@given(knee=st.floats(20, 100), at=st.sampled_from(("pool", "threads", "connections taken")))
@settings(max_examples=20, deadline=None)
def test_a_law_is_told_of_a_service_that_nothing_but_contention_bends(
    sweep: tuple[Experiment, list[Trial]], knee: float, at: str
) -> None:
    """A limit of its own at any one level takes it away."""
    one, trials = sweep
    law = Scalability(100.0, 0.01, 0.99 / knee**2, 0.0)

    def bent(trial: Trial) -> Trial:
        rps = law.throughput(trial.load.connections)
        result = replace(trial.result, goodput_rps=rps)
        return replace(trial, result=result, prediction=_bound(trial, "connections"))

    free = [bent(trial) for trial in trials]
    assert laws_of(one, free).keys() == set(one.services)
    last = next(t for t in free if t.arm == "flask-sync" and t.load.connections == 128)
    full = [replace(t, prediction=_bound(t, at)) if t is last else t for t in free]
    assert laws_of(one, full).keys() == set(one.services) - {"flask-sync"}


def test_a_law_has_its_column_where_it_fits(sweep: tuple[Experiment, list[Trial]]) -> None:
    one, trials = sweep
    chart = drawn(scaling.scaling(one, [replace(t, prediction=None) for t in trials], "title"))
    assert "USL" not in chart.table.headers  # made-up services are bent by their slots alone
    law = Scalability(100.0, 0.02, 0.0005, 0.0)
    smooth = [
        replace(
            t,
            prediction=None,
            result=replace(t.result, goodput_rps=law.throughput(t.load.connections)),
        )
        for t in trials
    ]
    chart = drawn(scaling.scaling(one, smooth, "title"))
    assert {row[-1] for row in chart.table.rows} >= {"knee at 44 (44–44)"}


def _bound(trial: Trial, by: str) -> Prediction:
    assert trial.prediction
    return replace(trial.prediction, bound_by=by)


def test_failures_that_are_allowed_stand_beside_the_figure(
    sweep: tuple[Experiment, list[Trial]],
) -> None:
    one, trials = sweep
    assert "Failed" not in drawn(scaling.scaling(one, trials, "title")).table.headers

    def failing_some(trial: Trial) -> Trial:
        changes: dict[str, Any] = {
            "failed": 3,
            "errors": {"reset": 2, "timeout": 1},
            "failed_after": {"reset": 1},
        }
        return replace(trial, result=replace(trial.result, **changes))

    some = [failing_some(t) if t.arm == "flask-sync" else t for t in trials]
    chart = drawn(scaling.scaling(one, some, "title"))
    told = {row[0]: row[-1] for row in chart.table.rows}
    assert chart.table.headers[-1] == "Failed"
    assert told["fastapi-async"] == "none"
    assert re.fullmatch(r"[\d.]+ % \(18 × reset, 6 × timeout\)", told["flask-sync"])
