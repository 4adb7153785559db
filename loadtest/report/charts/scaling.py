"""Throughput against concurrency, beside the prediction and the Universal Scalability Law."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from loadtest.analysis.claims import UNITS, amount
from loadtest.analysis.observations import by_round
from loadtest.analysis.prediction import PAUSES, TAKEN, foretold
from loadtest.engine.kinds import kind_of
from loadtest.model.experiment import Experiment, Level
from loadtest.model.trial import Prediction, Trial
from loadtest.report.charts.style import (
    NARROW,
    Chart,
    Records,
    Table,
    capital,
    colour,
    data,
    loads,
    logarithmic,
    shape,
    wrapped,
)
from loadtest.stats.inference import FEWEST_ROUNDS, interval
from loadtest.stats.scalability import FITS, Scalability, scalability

_CURVE_POINTS = 60
_LABELS = 60  # pixels of the y axis and its title
_NO_SLOTS = {PAUSES: "all that is asked", TAKEN: "all whom it accepts"}
_LIMIT: dict[str, Any] = {"align": "right", "dy": -9, "dx": 6, "fontSize": 11}


def scaling(experiment: Experiment, trials: Sequence[Trial], title: str) -> Chart | None:
    """The measure of each service at each level; None where nothing was measured."""
    records = [
        record
        for service in experiment.services
        for level in experiment.levels
        if (record := _record(experiment, trials, service, level))
    ]
    if not records:
        return None
    laws = _laws(experiment, trials)
    return Chart(
        name=f"{experiment.name}-scaling",
        title=title,
        description=_description(experiment, records),
        draw=(
            (lambda width: _draw(experiment, records, laws, width))
            if len({each["x"] for each in records}) > 2  # two points make no curve
            else (lambda width: _draw_kinds(experiment, records, width))
        ),
        table=_table(experiment, records, laws),
    )


def _record(
    experiment: Experiment, trials: Sequence[Trial], service: str, level: Level
) -> dict[str, Any] | None:
    values = list(by_round(trials, experiment.measure, level.label, service).values())
    if not values or min(values) < 0 or (min(values) == 0 and "share" not in experiment.measure):
        return None
    mean, low, high = interval(values, logarithmic="share" not in experiment.measure)
    prediction = _prediction(trials, service, level)
    predicted = foretold(prediction, level.load, experiment.measure)
    return {
        "service": service,
        "level": level.label,
        "x": level.x,
        "y": mean,
        "low": low,
        "high": high,
        "rounds": len(values),
        "predicted": predicted,
        "latency_s": prediction.latency_s if prediction else None,
        "think_s": level.load.think_s,
        "limit": _limit(prediction) if predicted and prediction else "",
    }


def _prediction(trials: Sequence[Trial], service: str, level: Level) -> Prediction | None:
    found = (
        trial.prediction for trial in trials if trial.arm == service and trial.level == level.label
    )
    return next((each for each in found if each), None)


def _limit(prediction: Prediction) -> str:
    if prediction.bound_by in _NO_SLOTS:
        return _NO_SLOTS[prediction.bound_by]
    return f"{prediction.slots:,} slot{'s'[: prediction.slots != 1]} ({prediction.bound_by})"


def _laws(experiment: Experiment, trials: Sequence[Trial]) -> dict[str, Scalability]:
    """The law fitted to each service of a sweep over connections."""
    if not _sweep(experiment):
        return {}
    levels = {level.label: level.x for level in experiment.levels}
    laws = {}
    for service in experiment.services:
        own = [trial for trial in trials if trial.arm == service and trial.level in levels]
        n = [levels[trial.level] for trial in own]
        laws[service] = scalability(n, [trial.result.goodput_rps for trial in own])
    return {service: law for service, law in laws.items() if law}


def _sweep(experiment: Experiment) -> bool:
    """Whether the experiment varies the number of closed connections and nothing else."""
    loads_ = [level.load for level in experiment.levels]
    return (
        experiment.measure == "goodput_rps"
        and len({load.connections for load in loads_}) > 1
        and all(kind_of(load).paced for load in loads_)
        and all(level.x == level.load.connections for level in experiment.levels)
    )


def _law_curves(records: Records, laws: dict[str, Scalability]) -> Records:
    """The laws that fit, as curves; one that does not would only draw a bend that is not there."""
    grid = _grid(records)
    return [
        {"service": service, "x": x, "y": law.throughput(x)}
        for service, law in laws.items()
        if law.misfit <= FITS
        for x in grid
    ]


def _predictions(experiment: Experiment, records: Records) -> Records:
    """slots / L as a curve: with fewer connections than slots, the connections are the slots."""
    if not _sweep(experiment):
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


def _draw(
    experiment: Experiment, records: Records, laws: dict[str, Scalability], width: int
) -> Any:
    services = _services(experiment, records)
    x = loads([each["x"] for each in records], experiment.axis, width)
    y = alt.Y("y:Q", title=_title(experiment), **_scale(experiment, records))
    tint = colour(services)
    base = alt.Chart(data(records)).encode(x=x, color=tint)
    predicted = alt.Chart(data(_predictions(experiment, records)))
    law = alt.Chart(data(_law_curves(records, laws)))
    limit = alt.Chart(data(_limits(records))).encode(x=x, y="predicted:Q", text="limit:N")
    layers = [
        predicted.mark_line(strokeDash=[2, 4], strokeWidth=2).encode(x=x, y=y, color=tint),
        law.mark_line(strokeDash=[8, 4], strokeWidth=1).encode(x=x, y=y, color=tint),
        base.mark_line(strokeWidth=1.5).encode(y=y),
        limit.mark_text(**_LIMIT, stroke="white", strokeWidth=4),
        limit.mark_text(**_LIMIT).encode(color=tint),
        base.mark_rule(strokeWidth=3).encode(y="low:Q", y2="high:Q"),
        base.mark_point(filled=True, size=90, opacity=1).encode(y=y, shape=shape(services)),
    ]
    return alt.layer(*layers).properties(width=width, height=320 if width > NARROW else 280)


def _draw_kinds(experiment: Experiment, records: Records, width: int) -> Any:
    """Levels that differ in kind, not in number: side by side, the services in each."""
    services, levels = _services(experiment, records), [level.label for level in experiment.levels]
    x = alt.X(
        "level:N",
        sort=levels,
        title=None,
        axis=alt.Axis(
            labelAngle=0,
            labelLimit=0,
            ticks=False,
            labelExpr=wrapped(levels, (width - _LABELS) / len(levels)),
        ),
    )
    offset = alt.XOffset("service:N", sort=services)
    y = alt.Y("y:Q", title=_title(experiment), **_scale(experiment, records))
    base = alt.Chart(data(records)).encode(x=x, xOffset=offset, color=colour(services))
    return alt.layer(
        base.mark_rule(strokeWidth=3).encode(y="low:Q", y2="high:Q"),
        base.mark_point(filled=True, size=90, opacity=1).encode(y=y, shape=shape(services)),
    ).properties(width=width, height=300)


def _services(experiment: Experiment, records: Records) -> list[str]:
    return [
        service
        for service in experiment.services
        if any(each["service"] == service for each in records)
    ]


def _title(experiment: Experiment) -> str:
    unit = UNITS[experiment.measure]
    return unit if unit.startswith(("ms", "µs")) else capital(unit)


def _scale(experiment: Experiment, records: Records) -> dict[str, Any]:
    """Shares start at zero; all else is logarithmic."""
    if "share" in experiment.measure:
        return {"scale": alt.Scale(zero=True), "axis": alt.Axis(format=".0%", tickCount=6)}
    values = [each[key] for each in records for key in ("low", "high", "predicted")]
    return logarithmic([value for value in values if value])


def _limits(records: Records) -> Records:
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


def _description(experiment: Experiment, records: Records) -> str:
    order = [level.label for level in experiment.levels]
    top = max(records, key=lambda each: order.index(each["level"]))
    parts = [
        f"{each['service']} {amount(each['y'])}"
        + (f" (predicted {amount(each['predicted'])})" if each["predicted"] else "")
        for each in records
        if each["level"] == top["level"]
    ]
    mean = "mean" if "share" in experiment.measure else "geometric mean"
    return " ".join(
        [
            f"Marks: {mean} of the rounds with its 95 % interval.",
            _dotted(experiment) if top["predicted"] else "",
            "Dashed: the Universal Scalability Law, where it fits." if _sweep(experiment) else "",
            f"{capital(top['level'])}, {UNITS[experiment.measure]}: {', '.join(parts)}.",
        ]
    )


def _dotted(experiment: Experiment) -> str:
    if experiment.measure == "goodput_rps":
        return "Dotted: slots ÷ wait, the most that a service's slots allow."
    return "Dotted: the least that a service's slots allow (connections × wait ÷ slots)."


def _table(experiment: Experiment, records: Records, laws: dict[str, Scalability]) -> Table:
    unit = UNITS[experiment.measure]
    return Table(
        ("Service", experiment.axis, unit, "95 % interval", "Rounds", "Predicted", "Limit", "USL"),
        tuple(
            (
                each["service"],
                each["level"],
                amount(each["y"]),
                f"{amount(each['low'])}–{amount(each['high'])}"
                if each["rounds"] >= FEWEST_ROUNDS
                else "too few rounds",
                str(each["rounds"]),
                amount(each["predicted"]) if each["predicted"] else "–",
                each["limit"] or "–",
                _said(laws.get(each["service"])),
            )
            for each in records
        ),
    )


def _said(law: Scalability | None) -> str:
    if law is None:
        return "–"
    if law.misfit > FITS:
        return f"does not fit ({law.misfit:.0%} off)".replace("%", " %")
    if law.knee is None or law.knee_low is None or law.knee_high is None:
        return "fits, no knee in the tested range"
    return f"knee at {law.knee:.0f} ({law.knee_low:.0f}–{law.knee_high:.0f})"
