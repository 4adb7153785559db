"""What a held request costs: memory and threads against the number held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import altair as alt

from loadtest.analysis.amounts import amount
from loadtest.analysis.observations import growing, growth, points, stage_of
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.figures.measure import Growth, Measure
from loadtest.report.charts.style import Chart, Listing, Records, colour, data, present, shape
from loadtest.stats.inference import Slope


def held(experiment: Experiment, trials: Sequence[Trial], measure: Measure) -> Chart | None:
    """What is held (memory, threads) against held requests, with slopes."""
    drawn = measure.growth
    if drawn is None:
        return None
    series = {service: points(trials, measure.name, service) for service in experiment.services}
    slopes = {
        service: found
        for service in series
        if (found := _slope(experiment, trials, measure, service))
    }
    if not slopes:
        return None
    marks = _marks(series, slopes, drawn)
    lines = [
        {"service": service, "x": x, "y": (found.intercept + found.slope * x) / drawn.per_axis}
        for service, found in slopes.items()
        for x in (min(series[service][0]), max(series[service][0]))
    ]
    said = (f"{service} {_said(found)} {measure.unit}" for service, found in slopes.items())
    return Chart(
        name=f"{experiment.name}-{drawn.noun}",
        title=_title(slopes, drawn),
        description=f"Marks: mean of the rounds. Lines: Theil–Sen slope. {'; '.join(said)}.",
        draw=lambda width: _draw(experiment, drawn, marks, lines, width),
        table=_table(slopes, drawn, measure),
    )


def _slope(
    experiment: Experiment, trials: Sequence[Trial], measure: Measure, service: str
) -> Slope | None:
    levels = {level.label for level in experiment.levels}
    stage = stage_of(experiment, levels, {service}, growing(trials, service))
    return growth(trials, measure.name, service, stage)


def _marks(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    slopes: Mapping[str, Slope],
    drawn: Growth,
) -> Records:
    """The mean of the rounds at each number held."""
    return [
        {
            "service": service,
            "x": x,
            "y": fmean(y for at, y in zip(*series[service], strict=True) if at == x)
            / drawn.per_axis,
        }
        for service in slopes
        for x in sorted(set(series[service][0]))
    ]


def _table(slopes: Mapping[str, Slope], drawn: Growth, measure: Measure) -> Listing:
    return Listing(
        ("Service", measure.unit, "95 % interval", "With none held"),
        tuple(
            (
                service,
                amount(found.slope),
                f"{amount(found.low)} to {amount(found.high)}",
                f"{amount(found.intercept / drawn.per_axis)} {drawn.axis_unit}".rstrip(),
            )
            for service, found in slopes.items()
        ),
    )


def _title(slopes: dict[str, Slope], drawn: Growth) -> str:
    """Services whose interval reaches zero are not said to need anything."""
    sure = {service: found for service, found in slopes.items() if found.low > 0}
    if not sure:
        return f"No service was seen to need more {drawn.noun} for more held requests"
    ranked = sorted(sure.items(), key=lambda item: -item[1].slope)
    told = [
        f"{service} {amount(found.slope)} {drawn.unit}"
        for service, found in (ranked[0], ranked[-1])
    ]
    return f"Each held request cost {', '.join(dict.fromkeys(told))}"


def _said(found: Slope) -> str:
    return f"{amount(found.slope)} ({amount(found.low)} to {amount(found.high)})"


def _draw(experiment: Experiment, drawn: Growth, marks: Records, lines: Records, width: int) -> Any:
    services = present(experiment.services, marks)
    x = alt.X("x:Q", title=experiment.axis, axis=alt.Axis(format=",.0f", tickCount=6))
    y = alt.Y("y:Q", title=drawn.axis, axis=alt.Axis(format=",.0f", tickCount=6))
    return alt.layer(
        alt.Chart(data(lines)).mark_line(strokeWidth=2).encode(x=x, y=y, color=colour(services)),
        alt.Chart(data(marks))
        .mark_point(filled=True, size=90, opacity=1)
        .encode(x=x, y=y, color=colour(services), shape=shape(services)),
    ).properties(width=width, height=280)
