"""Claimed figures, hollow, beside the measured ones: a line a service, the values at the marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from loadtest.analysis.amounts import amount
from loadtest.model.experiment import Experiment
from loadtest.report.charts.style import (
    NARROW,
    Records,
    capital,
    colour,
    data,
    heads,
    logarithmic,
    shape,
)

_LINE = 30  # pixels a service
_NUMBERS: dict[str, Any] = {"fontSize": 11, "baseline": "middle"}


def draw(experiment: Experiment, records: Records, unit: str, width: int) -> Any:
    """Every level as a block, and in it a line for each service that was measured or is claimed."""
    levels = [level.label for level in experiment.levels]
    services = list(dict.fromkeys((*(each["service"] for each in records), *experiment.claimed)))
    inner = width - (190 if width > NARROW else 150)
    marks = [*_claims(experiment, levels, records), *_measured(experiment, records)]
    values = [each["value"] for each in marks]
    scale = logarithmic([*values, 1.6 * max(values), min(values) / 1.6])  # room for the numbers
    x = alt.X("value:Q", title=f"{capital(unit)}, log scale", **scale)
    y = alt.Y("service:N", sort=services, title=None, axis=alt.Axis(labelLimit=140, ticks=False))
    base = alt.Chart().encode(x=x, y=y, color=colour(services, legend=False))
    return (
        alt.layer(*_layers(base, services), data=data(marks))
        .properties(width=inner, height=alt.Step(_LINE))
        .facet(row=alt.Row("level:N", sort=levels, header=heads(levels, inner)), spacing=8)
    )


def _layers(base: Any, services: Sequence[str]) -> list[Any]:
    """Marks with their intervals, and the value beside each."""
    form = shape(services, legend=False)
    hollow, filled = (base.transform_filter(f"datum.claimed == {kind}") for kind in (1, 0))
    return [
        filled.mark_rule(strokeWidth=3).encode(x="low:Q", x2="high:Q"),
        filled.mark_point(filled=True, size=80, opacity=1).encode(shape=form),
        hollow.mark_point(filled=False, size=80, opacity=1, strokeWidth=2).encode(shape=form),
        *(
            base.transform_filter(f"datum.side == '{side}'")
            .mark_text(align=side, dx=9 if side == "left" else -9, **_NUMBERS)
            .encode(x="edge:Q", text="told:N", color=alt.value("#1f2933"))
            for side in ("left", "right")
        ),
    ]


def _claims(experiment: Experiment, levels: Sequence[str], records: Records) -> Records:
    """What is claimed, at each level: it names none."""
    measured = {(each["service"], each["level"]): each["y"] for each in records}
    return [
        {
            "service": service,
            "level": level,
            "value": value,
            "edge": value,
            "claimed": 1,
            "side": "left" if value >= measured.get((service, level), 0) else "right",
            "told": f"{value:,.0f} claimed",
        }
        for level in levels
        for service, value in experiment.claimed.items()
    ]


def _measured(experiment: Experiment, records: Records) -> Records:
    return [
        {
            "service": each["service"],
            "level": each["level"],
            "value": each["y"],
            "low": each["low"],
            "high": each["high"],
            "claimed": 0,
            "told": amount(each["y"]),
        }
        | (
            {"side": "left", "edge": each["high"]}
            if each["y"] > experiment.claimed.get(each["service"], 0)
            else {"side": "right", "edge": each["low"]}
        )
        for each in records
    ]
