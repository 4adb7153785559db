"""Charts: what they show, in words and in pictures that stand alone."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from loadtest.analysis.findings import against_reference
from loadtest.inventory import palette
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES
from loadtest.report import report
from loadtest.report.charts import course, forest, latency, resources, scaling, style, told, trust
from loadtest.report.charts.style import Chart
from loadtest.report.takeaways import takeaway
from loadtest.results.runs import counted
from loadtest.stats.histogram import Histogram
from tests.synthetic import TRUTHS, experiment, failing, trials_of, write_run

OPEN = {
    "claim": "C14",
    "measure": "p99_ms",
    "load": {"kind": "open", "connections": 256},
    "peak": {"connections": 64},
    "duration_s": 40.0,
    "parameters": {"ms": 10},
    "criteria": [],
    "background": {"scenario": "cpu", "kind": "closed", "connections": 1},
    "levels": [{"label": f"{p} %", "x": p, "share_of_peak": p / 100} for p in (80, 95)],
    "rounds": 3,
}
HELD = {
    "claim": "C2",
    "measure": "pss_kib_per_request",
    "load": {"kind": "held"},
    "criteria": [],
    "levels": [{"connections": n} for n in (1, 500, 1000)],
}


def _drawn(chart: Chart | None) -> Chart:
    assert chart is not None
    for width in (style.WIDE, style.NARROW):
        picture = ElementTree.fromstring(chart.svg(width))
        assert float(picture.attrib["width"]) <= width + 30
        assert not picture.findall(".//{*}script")
    assert chart.title
    assert chart.description
    assert all(len(row) == len(chart.table.headers) for row in chart.table.rows)
    return chart


def test_throughput_stands_beside_its_prediction_with_the_limit_named(
    sweep: tuple[Experiment, list[Trial]],
) -> None:
    chart = _drawn(scaling.scaling(*sweep, "title"))
    assert re.search(r"flask-sync 2\d\.\d \(predicted 29\.9\)", chart.description)
    assert "3 slots (threads)" in chart.svg()
    top = next(row for row in chart.table.rows if row[:2] == ("flask-sync", "128 connections"))
    assert top[5:7] == ("29.9", "3 slots (threads)")


def test_two_loads_have_their_predictions_too() -> None:
    one = experiment(levels=[{"connections": n} for n in (1, 128)])
    chart = _drawn(scaling.scaling(one, counted(trials_of([one])), "title"))
    ticks = re.findall(r'd="M[\d.,]+h26v2h-26Z"', chart.svg())
    assert len(ticks) == len(chart.table.rows) == 2 * len(one.services)
    assert "Short lines: slots ÷ wait" in chart.description
    assert "Dotted" not in chart.description


def test_a_share_is_shown_in_the_unit_that_stands_above_it() -> None:
    one = experiment(measure="answered_share", criteria=[])
    chart = _drawn(scaling.scaling(one, counted(trials_of([one])), "title"))
    assert chart.table.headers[2] == "% right answers"
    assert {row[2] for row in chart.table.rows} == {"100"}
    assert "fastapi-async 100" in chart.description


def test_what_was_reached_of_a_prediction_is_drawn_as_a_ratio() -> None:
    one = experiment(measure="share_of_prediction", criteria=[])
    chart = _drawn(scaling.scaling(one, counted(trials_of([one])), "title"))
    assert chart.description.startswith("Marks: geometric mean")
    assert {row[5] for row in chart.table.rows} == {"1.00"}


def test_every_round_has_its_dot_beside_the_interval(
    sweep: tuple[Experiment, list[Trial]],
) -> None:
    one, trials = sweep
    chart = _drawn(forest.forest(one, trials, against_reference(one, trials), "title"))
    assert len(chart.table.rows) == 8
    assert chart.table.rows[-1][-1] == "less"


def test_latency_is_drawn_as_far_as_there_are_requests(
    sweep: tuple[Experiment, list[Trial]],
) -> None:
    one, trials = sweep
    chart = _drawn(latency.percentiles(one, trials, one.levels[-1]))
    threads = next(row for row in chart.table.rows if row[0] == "flask-gthread")
    assert threads[-2] == "too few requests"
    assert "(" in threads[4]


def test_a_service_that_leaves_most_requests_waiting_is_not_called_fast(
    sweep: tuple[Experiment, list[Trial]],
) -> None:
    """Of those that it never took the wait is not known, but for its mean."""
    one, trials = sweep
    level = one.levels[-1]
    chart = _drawn(latency.percentiles(one, trials, level))
    assert re.search(r"; flask-sync takes 4,\d{3} ms on average$", chart.title)
    told = r"6\d % of flask-sync's requests were still waiting when the window closed, as in any"
    assert re.search(told, chart.description)
    sync = next(row for row in chart.table.rows if row[0] == "flask-sync")
    assert set(sync[4:7]) <= {"too many still waiting", "too few requests"}
    assert sync[-1].startswith("4,")


def test_what_ended_after_the_window_is_known(sweep: tuple[Experiment, list[Trial]]) -> None:
    one, trials = sweep

    def read_on(trial: Trial) -> Trial:
        seconds = [trial.result.unfinished / trial.result.goodput_rps] * trial.result.unfinished
        after = Histogram()
        after.add_seconds(seconds)
        changes: dict[str, Any] = {
            "response_after_us": after.encode(),
            "answered_after": trial.result.unfinished,
        }
        return replace(trial, result=replace(trial.result, **changes))

    chart = _drawn(latency.percentiles(one, [read_on(trial) for trial in trials], one.levels[-1]))
    assert "still waiting when" not in chart.description
    assert {row[3] for row in chart.table.rows} == {"none"}
    assert "ms on flask-sync" in chart.title


@pytest.mark.parametrize("width", [style.WIDE, style.NARROW])
def test_one_percentile_alone_has_an_axis_whose_labels_can_be_read(
    sweep: tuple[Experiment, list[Trial]], width: int
) -> None:
    """Of 160 requests 60 still wait: the median is known, and no other percentile."""
    one, trials = sweep

    def halfway(trial: Trial) -> Trial:
        latencies = Histogram()
        latencies.add_seconds([0.1] * 100)
        changes: dict[str, Any] = {
            "response_us": latencies.encode(),
            "response_after_us": "",
            **{"sent": 160, "answered": 100, "failed": 0, "unfinished": 60},
        }
        return replace(trial, result=replace(trial.result, **changes))

    chart = _drawn(latency.percentiles(one, [halfway(t) for t in trials], one.levels[0]))
    unknown = {cell[:3] for row in chart.table.rows for cell in row[5:8]}
    assert unknown == {"too"}
    labels = re.findall(r'translate\(([\d.]+),[\d.]+\)"[^>]*>[\d.]+ %<', chart.svg(width))
    places = sorted(map(float, labels))
    assert len(places) > 2
    assert all(after - before > 35 for before, after in pairwise(places))


@pytest.mark.parametrize("value", [1.0, 100.0, 123.0])
def test_the_axis_of_one_value_has_a_length(value: float) -> None:
    low, high = style.logarithmic([value])["scale"].domain
    assert low <= value <= high
    assert low < high


def test_open_loads_have_their_own_charts() -> None:
    one = experiment(**OPEN)
    trials = counted(trials_of([one]))
    offered = _drawn(latency.offered(one, trials))
    assert {row[2] for row in offered.table.rows} == {"80.0", "95.0"}
    stall = _drawn(course.course(one, trials))
    assert [row[0] for row in stall.table.rows] == list(one.services)
    assert "warm-up" in stall.description
    both = _drawn(latency.percentiles(one, trials, one.levels[0]))
    assert {row[1] for row in both.table.rows} == {"response", "service"}


def test_the_warm_up_is_drawn_and_a_steady_window_said_so(
    sweep: tuple[Experiment, list[Trial]],
) -> None:
    one, trials = sweep
    chart = _drawn(course.course(one, trials))
    assert chart.title.startswith(f"{one.name}, once warm: throughput held")
    assert "warm-up" in chart.svg()


def test_a_window_that_was_not_warm_is_named(sweep: tuple[Experiment, list[Trial]]) -> None:
    one, trials = sweep
    chart = _drawn(
        course.course(one, [cold(t) if t.service == "flask-sync" else t for t in trials])
    )
    assert (
        chart.title
        == f"{one.name} was not steady: throughput rose by 50.0 % within windows of flask-sync"
    )


def cold(trial: Trial) -> Trial:
    """The trial with two thirds of its rate in the first half of its window."""
    half = trial.result.duration_s / 2
    timeline = [
        {**part, "answered": part["answered"] * (2 / 3 if part["t"] < half else 1)}
        for part in trial.result.timeline
    ]
    return replace(trial, result=replace(trial.result, timeline=tuple(timeline)))


def test_memory_is_told_as_a_slope() -> None:
    one = experiment(**HELD)
    trials = counted(trials_of([one]))
    chart = _drawn(resources.held(one, trials, MEASURES["pss_kib_per_request"]))
    assert chart.title.startswith("Each held request cost flask-gthread ")
    slopes = {row[0]: float(row[1]) for row in chart.table.rows}
    for service, slope in slopes.items():
        assert slope == pytest.approx(TRUTHS[service].kib_per_request, abs=1)
    assert _drawn(course.course(one, trials)).title.startswith(
        f"{one.name}, once warm: memory held"
    )
    threads = _drawn(resources.held(one, trials, MEASURES["threads_per_request"]))
    assert "fastapi-async" not in threads.title


def test_a_slope_that_is_told_has_a_chart_and_no_column(tmp_path: Path) -> None:
    """At one level there is no slope, only the memory of all that is held there."""
    one = experiment(**HELD | {"measure": "pss_mib", "tells": ["goodput_rps", HELD["measure"]]})
    [section] = report.load(write_run(tmp_path, [one], trials_of([one]))).sections
    assert [chart.name for chart in section.charts].count(f"{one.name}-memory") == 1
    assert section.told is not None
    assert section.told.headers == ("Service", "At", "memory, MiB", "requests/s", "Rounds")
    assert told.told(replace(one, tells=("threads_per_request",)), section.trials) is None


def test_the_books_balance(sweep: tuple[Experiment, list[Trial]]) -> None:
    chart = _drawn(trust.little(sweep[1]))
    assert re.match(r"In \d+ of 96 trials the books balance", chart.title)


def test_the_run_order_shows_what_failed(sweep: tuple[Experiment, list[Trial]]) -> None:
    trials = [failing(trial) if trial.index == 3 else trial for trial in sweep[1]]
    chart = _drawn(trust.run_order("x", trials, "goodput_rps"))
    assert chart.title.endswith("; 1 failed a gate")
    assert "✗" in chart.svg()


def test_nothing_measured_draws_nothing() -> None:
    one = experiment()
    assert scaling.scaling(one, [], "title") is None
    assert forest.forest(one, [], [], "title") is None
    assert latency.percentiles(one, [], one.levels[0]) is None
    assert course.course(one, []) is None
    assert trust.little([]) is None
    assert trust.run_order("x", [], "goodput_rps") is None


def test_a_takeaway_names_no_difference_that_was_not_found(
    sweep: tuple[Experiment, list[Trial]],
) -> None:
    one, trials = sweep
    assert takeaway(against_reference(one, trials), one).startswith("128 connections: fastapi-")
    alike = trials_of([one], truths=dict.fromkeys(one.services, TRUTHS["fastapi-async"]), noise=0.1)
    said = takeaway(against_reference(one, counted(alike)), one)
    assert said == "128 connections: this run cannot tell the services apart"


def test_a_service_looks_the_same_everywhere_and_unlike_every_other() -> None:
    looks = {
        service: (palette.colour(service), palette.shape(service)) for service in palette.COLOURS
    }
    assert len({colour for colour, _ in looks.values()}) == len(looks)
    assert len({shape for _, shape in looks.values()}) == len(looks)
    assert palette.colour("mine") == palette.colour("mine")
    assert palette.glyph("fastapi-async") == "●"


def _luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("service", palette.COLOURS)
def test_each_colour_stands_out_from_white(service: str) -> None:
    """WCAG 2.2, 1.4.11: 3:1 for graphics."""
    assert 1.05 / (_luminance(palette.colour(service)) + 0.05) >= 3
