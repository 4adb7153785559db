"""Why the figures may be believed: Little's law, and the order in which everything ran."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from statistics import median
from typing import Any

import altair as alt

from loadtest.analysis.amounts import amount
from loadtest.model.counts import number_of
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES
from loadtest.report.charts.style import (
    Chart,
    Listing,
    Records,
    colour,
    data,
    logarithmic,
    service,
    shape,
)
from loadtest.stats.latencies import read

TOLERANCE = 0.05


def little(trials: Sequence[Trial]) -> Chart | None:
    """Requests in hand as counted, against rate × mean response time: they must agree."""
    records = [record for trial in trials if (record := _little(trial))]
    if not records:
        return None
    near = sum(abs(each["y"] / each["x"] - 1) <= TOLERANCE for each in records)
    worst = max(abs(each["y"] / each["x"] - 1) for each in records)
    return Chart(
        name="trust-little",
        title=f"In {near} of {number_of(len(records), 'trial')} the books balance within 5 % "
        "(Little's law)",
        description=(
            "Each mark is a trial. Across: completed requests a second × mean service time. Up: "
            "requests in hand, counted on their own. On the line both agree; a load generator that "
            f"loses or mistimes requests leaves it. Largest gap: {worst:.1%}.".replace("%", " %")
        ),
        draw=lambda width: _draw_little(records, width),
        table=_little_table(records),
    )


def _little(trial: Trial) -> dict[str, Any] | None:
    result = trial.result
    latencies = read(result.service_us)
    recorded = latencies.mean_us * latencies.total / 1e6 + result.boundary_s
    if recorded <= 0 or result.mean_in_flight <= 0:
        return None
    return {"service": trial.service, "x": recorded / result.duration_s, "y": result.mean_in_flight}


def _draw_little(records: Records, width: int) -> Any:
    services = sorted({each["service"] for each in records})
    values = [each[key] for each in records for key in ("x", "y")]
    ends = [{"x": each, "y": each} for each in (min(values), max(values))]
    x = alt.X("x:Q", title="Rate × mean service time, log scale", **logarithmic(values))
    y = alt.Y("y:Q", title="Requests in hand, log scale", **logarithmic(values))
    return alt.layer(
        alt.Chart(data(ends)).mark_line(color="#9aa5b1", strokeWidth=1.5).encode(x=x, y=y),
        alt.Chart(data(records))
        .mark_point(filled=True, size=50, opacity=0.7)
        .encode(x=x, y=y, color=colour(services), shape=shape(services)),
    ).properties(width=width, height=300)


def _little_table(records: Records) -> Listing:
    gaps: defaultdict[str, list[float]] = defaultdict(list)
    for each in records:
        gaps[each["service"]].append(abs(each["y"] / each["x"] - 1))
    return Listing(
        ("Service", "Trials", "Median gap", "Largest gap"),
        tuple(
            (service, str(len(own)), f"{median(own) * 100:.1f} %", f"{max(own) * 100:.1f} %")
            for service, own in sorted(gaps.items())
        ),
    )


def run_order(name: str, trials: Sequence[Trial], what: str) -> Chart | None:
    """Every trial of an experiment in the order it ran, as its distance from its arm's median."""
    records = _deviations(trials, what)
    if len(records) < 2:
        return None
    widest = max(abs(each["y"]) for each in records)
    failed = sum(not each["valid"] for each in records)
    return Chart(
        name=f"{name}-order",
        title=(
            f"{name}: trials strayed up to {amount(100 * widest)} % from their median"
            + (f"; {failed} failed a gate" if failed else "")
        ),
        description=(
            f"{len(records)} trials of {name}. Each mark is a trial, left to right as they ran; "
            "up and down is its distance from the median of the same service at the same level. "
            "A slope would be drift, which the shuffled rounds spread over all services alike. A "
            "cross failed a gate: not counted."
        ),
        draw=lambda width: _draw_order(records, width),
        table=_order_table(records),
    )


def _deviations(trials: Sequence[Trial], what: str) -> Records:
    values = [(trial, value) for trial in trials if (value := MEASURES[what].value(trial))]
    groups: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for trial, value in values:
        groups[trial.service, trial.level].append(value)
    return [
        {
            "service": service(trial.arm),
            "x": place,
            "y": math.expm1(math.log(value / median(groups[trial.service, trial.level]))),
            "round": trial.round,
            "valid": trial.valid,
        }
        for place, (trial, value) in enumerate(values, start=1)
        if value > 0
    ]


def _draw_order(records: Records, width: int) -> Any:
    services = sorted({each["service"] for each in records})
    x = alt.X("x:Q", title="Trial, in the order they ran", axis=alt.Axis(grid=False, tickCount=6))
    y = alt.Y("y:Q", title="From its median", axis=alt.Axis(format="+.1~%", tickCount=5))
    base = alt.Chart(data(records)).encode(x=x, y=y)
    return alt.layer(
        base.transform_filter("datum.valid")
        .mark_point(filled=True, size=32, opacity=0.85)
        .encode(color=colour(services), shape=shape(services)),
        base.transform_filter("!datum.valid").mark_text(
            text="✗", fontSize=15, fontWeight="bold", color="#b00020"
        ),
    ).properties(width=width, height=180)


def _order_table(records: Records) -> Listing:
    rounds: defaultdict[int, list[float]] = defaultdict(list)
    for each in records:
        rounds[each["round"]].append(each["y"])
    return Listing(
        ("Round", "Trials", "Median distance", "Lowest", "Highest"),
        tuple(
            (
                str(number),
                str(len(own)),
                *(f"{100 * each:+.1f} %" for each in (median(own), min(own), max(own))),
            )
            for number, own in sorted(rounds.items())
        ),
    )
