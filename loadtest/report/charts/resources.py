"""What a held request costs: memory and threads against the number held."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import altair as alt

from loadtest.analysis.claims import UNITS, amount
from loadtest.analysis.observations import points
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.criteria import SLOPES
from loadtest.report.charts.style import Chart, Records, Table, colour, data, shape
from loadtest.stats.inference import Slope, slope

_NAMES = {"pss_kib_per_request": "memory", "threads_per_request": "threads"}
_AXES = {"pss_kib_per_request": "Memory of the service, MiB", "threads_per_request": "Threads"}


def held(experiment: Experiment, trials: Sequence[Trial], measure: str) -> Chart | None:
    """Memory (PSS of the whole process tree) or threads against held requests, with slopes."""
    if experiment.measure not in SLOPES:
        return None
    series = {service: points(trials, measure, service) for service in experiment.services}
    slopes = {service: found for service, (x, y) in series.items() if (found := slope(x, y))}
    if not slopes:
        return None
    unit = 1024 if measure == "pss_kib_per_request" else 1
    marks = [
        {
            "service": service,
            "x": x,
            "y": fmean(y for x_, y in zip(*series[service], strict=True) if x_ == x) / unit,
        }
        for service in slopes
        for x in sorted(set(series[service][0]))
    ]
    lines = [
        {"service": service, "x": x, "y": (found.intercept + found.slope * x) / unit}
        for service, found in slopes.items()
        for x in (min(series[service][0]), max(series[service][0]))
    ]
    return Chart(
        name=f"{experiment.name}-{_NAMES[measure]}",
        title=_title(slopes, measure),
        description=(
            "Marks: mean of the rounds. Lines: Theil–Sen slope. "
            + "; ".join(
                f"{service} {_said(found)} {UNITS[measure]}" for service, found in slopes.items()
            )
            + "."
        ),
        draw=lambda width: _draw(experiment, measure, marks, lines, width),
        table=Table(
            ("Service", UNITS[measure], "95 % interval", "With none held"),
            tuple(
                (
                    service,
                    amount(found.slope),
                    f"{amount(found.low)} to {amount(found.high)}",
                    amount(found.intercept / unit) + (" MiB" if unit > 1 else ""),
                )
                for service, found in slopes.items()
            ),
        ),
    )


def _title(slopes: dict[str, Slope], measure: str) -> str:
    """Services whose interval reaches zero are not said to need anything."""
    sure = {service: found for service, found in slopes.items() if found.low > 0}
    if not sure:
        return f"No service was seen to need more {_NAMES[measure]} for more held requests"
    ranked = sorted(sure.items(), key=lambda item: -item[1].slope)
    unit = "KiB" if measure == "pss_kib_per_request" else "threads"
    told = [f"{service} {amount(found.slope)} {unit}" for service, found in (ranked[0], ranked[-1])]
    return f"Each held request cost {', '.join(dict.fromkeys(told))}"


def _said(found: Slope) -> str:
    return f"{amount(found.slope)} ({amount(found.low)} to {amount(found.high)})"


def _draw(experiment: Experiment, measure: str, marks: Records, lines: Records, width: int) -> Any:
    services = [
        service
        for service in experiment.services
        if any(each["service"] == service for each in marks)
    ]
    x = alt.X("x:Q", title=experiment.axis, axis=alt.Axis(format=",.0f", tickCount=6))
    y = alt.Y("y:Q", title=_AXES[measure], axis=alt.Axis(format=",.0f", tickCount=6))
    return alt.layer(
        alt.Chart(data(lines)).mark_line(strokeWidth=2).encode(x=x, y=y, color=colour(services)),
        alt.Chart(data(marks))
        .mark_point(filled=True, size=90, opacity=1)
        .encode(x=x, y=y, color=colour(services), shape=shape(services)),
    ).properties(width=width, height=280)
