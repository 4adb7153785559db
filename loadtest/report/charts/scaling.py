"""Throughput against concurrency, beside the prediction and the Universal Scalability Law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from loadtest.analysis.amounts import amount
from loadtest.analysis.failures import failed_text
from loadtest.analysis.observations import by_round, stage_of
from loadtest.analysis.prediction import PAUSES, TAKEN
from loadtest.model.counts import number_of
from loadtest.model.experiment import Experiment, Level
from loadtest.model.trial import Prediction, Trial
from loadtest.plan.figures.measure import Measure
from loadtest.plan.measures import MEASURES
from loadtest.report.charts import claimed
from loadtest.report.charts.style import (
    NARROW,
    Chart,
    Listing,
    Records,
    capital,
    colour,
    data,
    loads,
    logarithmic,
    present,
    shape,
    wrapped,
)
from loadtest.report.charts.theory import (
    law_curves,
    laws_of,
    limit_labels,
    prediction_curves,
    said,
)
from loadtest.stats.inference import INTERVAL_ROUNDS, interval
from loadtest.stats.scalability import Scalability

_TICK = 26  # pixels
_LABELS = 60  # pixels of the y axis and its title
_NO_SLOTS = {PAUSES: "all that is asked", TAKEN: "all that it accepts"}
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
    laws = laws_of(experiment, trials)
    return Chart(
        name=f"{experiment.name}-scaling",
        title=title,
        description=_description(experiment, records, law=bool(laws)),
        draw=lambda width: _drawn(experiment, records, laws, width),
        table=_table(experiment, records, laws),
    )


def _drawn(
    experiment: Experiment, records: Records, laws: dict[str, Scalability], width: int
) -> Any:
    if experiment.claimed:
        return claimed.draw(experiment, records, MEASURES[experiment.measure].unit, width)
    if _is_curve(records):
        return _draw(experiment, records, laws, width)
    return _draw_kinds(experiment, records, width)


def _is_curve(records: Records) -> bool:
    return len({each["x"] for each in records}) > 2  # two points make none


def _record(
    experiment: Experiment, trials: Sequence[Trial], service: str, level: Level
) -> dict[str, Any] | None:
    measure = MEASURES[experiment.measure]
    values = list(by_round(trials, measure.name, level.label, service).values())
    if not values or min(values) < 0 or (min(values) == 0 and not measure.share):
        return None
    stage = stage_of(experiment, {level.label}, {service}, trials)
    mean, low, high = interval(
        values, logarithmic=not measure.share, share=measure.share, stage=stage
    )
    prediction = _prediction(trials, service, level)
    predicted = measure.foretold(prediction, level.load)
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
        "failed": failed_text(
            [t.result for t in trials if t.arm == service and t.level == level.label]
        ),
    }


def _prediction(trials: Sequence[Trial], service: str, level: Level) -> Prediction | None:
    found = (
        trial.prediction for trial in trials if trial.arm == service and trial.level == level.label
    )
    return next((each for each in found if each), None)


def _limit(prediction: Prediction) -> str:
    if prediction.bound_by in _NO_SLOTS:
        return _NO_SLOTS[prediction.bound_by]
    return f"{number_of(prediction.slots, 'slot')} ({prediction.bound_by})"


def _draw(
    experiment: Experiment, records: Records, laws: dict[str, Scalability], width: int
) -> Any:
    services = present(experiment.services, records)
    x = loads([each["x"] for each in records], experiment.axis, width)
    y = alt.Y("y:Q", title=_title(experiment), **_scale(experiment, records))
    tint = colour(services)
    base = alt.Chart(data(records)).encode(x=x, color=tint)
    predicted = alt.Chart(data(prediction_curves(experiment, records)))
    law = alt.Chart(data(law_curves(records, laws)))
    limit = alt.Chart(data(limit_labels(records))).encode(x=x, y="predicted:Q", text="limit:N")
    layers = [
        predicted.mark_line(strokeDash=[2, 4], strokeWidth=2).encode(x=x, y=y, color=tint),
        law.mark_line(strokeDash=[8, 4], strokeWidth=1).encode(x=x, y=y, color=tint),
        limit.mark_text(**_LIMIT, stroke="white", strokeWidth=4),
        limit.mark_text(**_LIMIT).encode(color=tint),
        base.mark_rule(strokeWidth=3).encode(y="low:Q", y2="high:Q"),
        base.mark_point(filled=True, size=90, opacity=1).encode(y=y, shape=shape(services)),
    ]
    return alt.layer(*layers).properties(width=width, height=320 if width > NARROW else 280)


def _draw_kinds(experiment: Experiment, records: Records, width: int) -> Any:
    """Levels that differ in kind, not in number: side by side, the services in each."""
    services = present(experiment.services, records)
    levels = [level.label for level in experiment.levels]
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
        base.mark_tick(thickness=2, size=_TICK, opacity=1).encode(y="predicted:Q"),
        base.mark_rule(strokeWidth=3).encode(y="low:Q", y2="high:Q"),
        base.mark_point(filled=True, size=90, opacity=1).encode(y=y, shape=shape(services)),
    ).properties(width=width, height=300)


def _title(experiment: Experiment) -> str:
    unit = MEASURES[experiment.measure].unit
    said = unit if unit.startswith(("ms", "µs")) else capital(unit)
    return said if MEASURES[experiment.measure].share else f"{said}, log scale"


def _scale(experiment: Experiment, records: Records) -> dict[str, Any]:
    """Shares start at zero; all else is logarithmic."""
    if MEASURES[experiment.measure].share:
        return {"scale": alt.Scale(zero=True), "axis": alt.Axis(format=".0%", tickCount=6)}
    values = [each[key] for each in records for key in ("low", "high", "predicted")]
    return logarithmic([value for value in values if value])


def _description(experiment: Experiment, records: Records, *, law: bool) -> str:
    order = [level.label for level in experiment.levels]
    top = max(records, key=lambda each: order.index(each["level"]))
    measure = MEASURES[experiment.measure]
    parts = [
        f"{each['service']} {amount(measure.shown(each['y']))}"
        + (f" (predicted {amount(measure.shown(each['predicted']))})" if each["predicted"] else "")
        for each in records
        if each["level"] == top["level"]
    ]
    mean, dotted = "mean" if measure.share else "geometric mean", measure.predicted
    line = "Dotted" if _is_curve(records) else "Short lines"
    return " ".join(
        [
            f"Marks: {mean} of the rounds with its 95 % interval.",
            "Between them nothing was measured.",
            "Hollow: what is claimed, on a machine that nobody names."
            if experiment.claimed
            else "",
            f"{line}: {dotted.words}." if dotted and top["predicted"] else "",
            "Dashed: the Universal Scalability Law, where it fits." if law else "",
            f"{capital(top['level'])}, {measure.unit}: {', '.join(parts)}.",
        ]
    )


def _table(experiment: Experiment, records: Records, laws: dict[str, Scalability]) -> Listing:
    measure = MEASURES[experiment.measure]
    figures = (experiment.axis, measure.unit, "95 % interval", "Rounds", "Predicted", "Limit")
    lines = [_line(each, measure) for each in records]
    # What has nothing to tell has no column.
    beside = {
        "Failed": [each["failed"] or "none" for each in records],
        "USL": [said(laws.get(each["service"])) for each in records],
    }
    told = {"Failed": any(each["failed"] for each in records), "USL": bool(laws)}
    columns = [name for name in beside if told[name]]
    rows = ((*line, *(beside[name][place] for name in columns)) for place, line in enumerate(lines))
    return Listing(("Service", *figures, *columns), tuple(rows))


def _line(record: dict[str, Any], measure: Measure) -> tuple[str, ...]:
    mean, low, high = (amount(measure.shown(record[key])) for key in ("y", "low", "high"))
    return (
        record["service"],
        record["level"],
        mean,
        f"{low}–{high}" if record["rounds"] >= INTERVAL_ROUNDS else "too few rounds",
        str(record["rounds"]),
        amount(measure.shown(record["predicted"])) if record["predicted"] else "–",
        record["limit"] or "–",
    )
