"""Each service's ratio to its reference: the interval, and every round's dot beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from loadtest.analysis.amounts import limits, times
from loadtest.analysis.findings import Finding, effect
from loadtest.analysis.observations import by_round
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.report.charts.style import (
    NARROW,
    Chart,
    Listing,
    Records,
    colour,
    data,
    heads,
    shape,
)
from loadtest.stats.inference import INTERVAL_ROUNDS, MARGIN

_FAR = [10.0**power for power in range(-3, 4)]
_WIDE = [round(digit * power, 3) for power in _FAR for digit in (1, 2, 5)]
_NEAR = [round(0.5 + 0.05 * step, 2) for step in range(31)]


def forest(
    experiment: Experiment, trials: Sequence[Trial], findings: Sequence[Finding], title: str
) -> Chart | None:
    """The ratio of each finding with its interval; None where nothing was compared."""
    measured = [finding for finding in findings if finding.ratio]
    if not measured:
        return None
    summary = [_summary(finding) for finding in measured]
    rounds = [dot for finding in measured for dot in _rounds(finding, trials)]
    levels = [level.label for level in experiment.levels]
    return Chart(
        name=f"{experiment.name}-ratios",
        title=title,
        description=(
            f"{experiment.name}: each service ÷ {experiment.reference}. The bar is the 95 % "
            "interval, each small dot one round, the grey band ±5 %. The name with #2 is the "
            "reference measured a second time: it should stand on 1."
        ),
        draw=lambda width: _draw(experiment, summary, rounds, levels, width),
        table=_table(measured),
    )


def _summary(finding: Finding) -> dict[str, Any]:
    ratio = finding.ratio
    assert ratio
    told = ratio.rounds >= INTERVAL_ROUNDS
    low, high = (ratio.low, ratio.high) if told else (ratio.value,) * 2
    return {
        "service": finding.service,
        "level": finding.level,
        "ratio": ratio.value,
        "low": max(low, _FAR[0]),
        "high": min(high, _FAR[-1]),
    }


def _rounds(finding: Finding, trials: Sequence[Trial]) -> Records:
    own = by_round(trials, finding.measure, finding.level, finding.service)
    reference = by_round(trials, finding.measure, finding.level, finding.reference)
    return [
        {"service": finding.service, "level": finding.level, "round": own[each] / reference[each]}
        for each in sorted(own.keys() & reference.keys())
    ]


def _draw(
    experiment: Experiment, summary: Records, rounds: Records, levels: Sequence[str], width: int
) -> Any:
    arms = list(dict.fromkeys(each["service"] for each in summary))
    inner = width - (170 if width > NARROW else 150)
    ratio = alt.X(
        "ratio:Q",
        title=f"Ratio to {experiment.reference}, log scale",
        scale=_scale(summary, rounds),
        axis=alt.Axis(
            values=_ticks(summary, rounds), format="~r", grid=True, labelOverlap="greedy"
        ),
    )
    return (
        alt.layer(*_layers(ratio, arms), data=data([*summary, *rounds]))
        .properties(width=inner, height=alt.Step(26))
        .facet(row=alt.Row("level:N", sort=list(levels), header=heads(levels, inner)), spacing=8)
        .resolve_scale(y="independent")
    )


def _layers(x: Any, arms: list[str]) -> list[Any]:
    """From back to front: the margin, the 1, the rounds, the interval, the mean."""
    y = alt.Y(
        "service:N",
        sort=arms,
        title=None,
        axis=alt.Axis(labelLimit=140, ticks=False),
        scale=alt.Scale(padding=0),
    )
    tint, form = colour(arms, legend=False), shape(arms, legend=False)
    base = alt.Chart().encode(y=y)
    mean = base.transform_filter("isValid(datum.ratio)")
    return [
        mean.transform_calculate(near=str(1 - MARGIN), far=str(1 + MARGIN))
        .mark_bar(color="#e4e7eb", height=alt.RelativeBandSize(1))
        .encode(x=alt.X("near:Q"), x2="far:Q"),
        mean.transform_calculate(one="1")
        .mark_tick(color="#52606d", thickness=1, size=26)
        .encode(x="one:Q"),
        base.transform_filter("isValid(datum.round)")
        .mark_point(size=22, opacity=0.75, yOffset=7, filled=True)
        .encode(x=alt.X("round:Q"), color=tint),
        mean.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q"), x2="high:Q", color=tint),
        mean.mark_point(filled=True, size=80, opacity=1).encode(x=x, color=tint, shape=form),
    ]


def _reach(summary: Records, rounds: Records) -> tuple[float, float]:
    ratios = [each[key] for each in summary for key in ("low", "high")]
    ratios += [each["round"] for each in rounds]
    return max(min([0.9, *ratios]), _FAR[0]), min(max([1.1, *ratios]), _FAR[-1])


def _ticks(summary: Records, rounds: Records) -> list[float]:
    low, high = _reach(summary, rounds)
    if high / low < 1.8:
        return _NEAR
    return _WIDE if high / low < 100 else _FAR


def _scale(summary: Records, rounds: Records) -> alt.Scale:
    """With room at both ends for a mark, which else would cover its service's name."""
    low, high = _reach(summary, rounds)
    room = (high / low) ** 0.03
    return alt.Scale(type="log", domain=[low / room, high * room], nice=False)


def _table(findings: Sequence[Finding]) -> Listing:
    return Listing(
        ("Service", "At", "Ratio", "95 % interval", "Rounds", "p (Holm)", "Detectable", "Verdict"),
        tuple(
            (
                finding.service,
                finding.level,
                times(finding.ratio.value),
                limits(finding.ratio),
                str(finding.ratio.rounds),
                f"{finding.p_adjusted:.3f}" if finding.p_adjusted >= 0.001 else "< 0.001",
                effect(finding.ratio.detectable),
                finding.short,
            )
            for finding in findings
            if finding.ratio
        ),
    )
