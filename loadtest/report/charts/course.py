"""The course of a trial, its warm-up included: what each quarter of a second saw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import fmean, median
from typing import Any

import altair as alt

from loadtest.analysis.amounts import amount
from loadtest.analysis.observations import light
from loadtest.model.experiment import Experiment
from loadtest.model.load import SLICE_S
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES
from loadtest.report.charts.style import (
    NARROW,
    Chart,
    Listing,
    Records,
    capital,
    colour,
    data,
    logarithmic,
    shape,
)

STEADY = 0.05  # halves of the windows that differ by less were warm
_NOTICEABLE_MS = 100.0
_GREY = "#eef1f4"


def course(experiment: Experiment, trials: Sequence[Trial]) -> Chart | None:
    """Answers a second through the trials of the last level; None where there is no timeline.

    With held requests it shows memory, and with a second load how long the light requests wait.
    """
    last = experiment.levels[-1].label if experiment.levels else ""
    own = [trial for trial in trials if trial.level == last and trial.arm == trial.service]
    if not any(trial.result.timeline for trial in own):
        return None
    if MEASURES[experiment.measure].growth:
        return _memory(experiment, own)
    return _stall(experiment, own) if experiment.background else _rate(experiment, own)


def _services(experiment: Experiment, trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    found = {
        service: [t for t in trials if t.service == service] for service in experiment.services
    }
    return {service: own for service, own in found.items() if own}


def _rate(experiment: Experiment, trials: Sequence[Trial]) -> Chart:
    services = _services(experiment, trials)
    records = [
        {"service": service, "t": t + SLICE_S / 2, "y": share}
        for service, own in services.items()
        for t, share in _shares(own)
    ]
    halves = {service: _halves(own) for service, own in services.items()}
    level = trials[0].level
    return Chart(
        name=f"{experiment.name}-course",
        title=_steadiness(experiment, halves, "throughput"),
        description=(
            f"{experiment.name}, {level}: right answers through a trial, by service. "
            "Each line is the answers of a quarter of a second, as a share of the service's own "
            "mean in the window, mean of the rounds. On grey: the warm-up, which counts nowhere. "
            "Requests that all wait alike are answered in waves."
        ),
        draw=lambda width: _draw_lines(list(services), records, _SHARE, width),
        table=_halves_table(services, halves, "requests/s"),
    )


def _shares(trials: Sequence[Trial]) -> Iterator[tuple[float, float]]:
    """Begin of each slice that every round has, and its answers over the window's mean."""
    slices: defaultdict[float, list[float]] = defaultdict(list)
    for trial in trials:
        for part in trial.result.timeline:
            slices[part["t"]].append(part["answered"])
    means = {t: fmean(found) for t, found in slices.items() if len(found) == len(trials)}
    usual = fmean([mean for t, mean in means.items() if t >= 0] or [0.0])
    yield from ((t, mean / usual) for t, mean in sorted(means.items()) if usual)


def _halves(trials: Sequence[Trial]) -> tuple[float, float]:
    """Answers a second in the first and in the second half of the windows, all rounds together."""
    halves: tuple[list[float], list[float]] = [], []
    for trial in trials:
        for part in trial.result.timeline:
            if part["t"] >= 0:
                middle = part["t"] + SLICE_S / 2
                halves[middle > trial.result.duration_s / 2].append(part["answered"] / SLICE_S)
    return fmean(halves[0] or [0.0]), fmean(halves[1] or [0.0])


def _change(halves: tuple[float, float]) -> float:
    return halves[1] / halves[0] - 1 if halves[0] else 0.0


def _steadiness(experiment: Experiment, halves: dict[str, tuple[float, float]], what: str) -> str:
    service, change = max(
        ((service, _change(found)) for service, found in halves.items()),
        key=lambda each: abs(each[1]),
    )
    by = f"{amount(100 * abs(change))} %"
    if abs(change) <= STEADY:
        return (
            f"{experiment.name}, once warm: {what} held, "
            f"the windows' two halves differ by {by} at most ({service})"
        )
    word = "rose" if change > 0 else "fell"
    return f"{experiment.name} was not steady: {what} {word} by {by} within windows of {service}"


def _halves_table(
    services: dict[str, list[Trial]], halves: dict[str, tuple[float, float]], unit: str
) -> Listing:
    return Listing(
        ("Service", f"First half, {unit}", f"Second half, {unit}", "Change"),
        tuple(
            (
                service,
                *(amount(each) for each in halves[service]),
                f"{100 * _change(halves[service]):+.1f} %".replace("-", "−"),
            )
            for service in services
        ),
    )


def _memory(experiment: Experiment, trials: Sequence[Trial]) -> Chart:
    services = _services(experiment, trials)
    first = {service: min(own, key=lambda each: each.round) for service, own in services.items()}
    records = [
        {"service": service, "t": sample.t, "y": sample.pss_bytes / 2**20}
        for service, trial in first.items()
        for sample in trial.samples
        if sample.t <= trial.result.duration_s + SLICE_S
    ]
    halves = {service: _memory_halves(own) for service, own in services.items()}
    return Chart(
        name=f"{experiment.name}-course",
        title=_steadiness(experiment, halves, "memory"),
        description=(
            f"{capital(trials[0].level)}: memory (PSS) of the whole service through the first "
            "round. On grey: connecting and warm-up, which count nowhere."
        ),
        draw=lambda width: _draw_lines(list(services), records, _MEMORY, width),
        table=_halves_table(services, halves, "MiB"),
    )


def _memory_halves(trials: Sequence[Trial]) -> tuple[float, float]:
    halves: tuple[list[float], list[float]] = [], []
    for trial in trials:
        for sample in trial.samples:
            if 0 < sample.t <= trial.result.duration_s + SLICE_S:
                half = sample.t > trial.result.duration_s / 2
                halves[half].append(sample.pss_bytes / 2**20)
    return fmean(halves[0] or [0.0]), fmean(halves[1] or [0.0])


def _warm_up(records: Records) -> list[alt.Chart]:
    """The grey ground of what came before the window."""
    begin = min(each["t"] for each in records) - SLICE_S / 2
    if begin >= 0:
        return []
    ground = alt.Chart(data([{"t": begin, "end": 0.0, "name": "warm-up"}]))
    return [
        ground.mark_rect(color=_GREY).encode(x="t:Q", x2="end:Q"),
        ground.mark_text(align="left", baseline="bottom", dy=-3, fontSize=11).encode(
            x="t:Q", y=alt.value(0), text="name:N"
        ),
    ]


_SECONDS = "Seconds since the window began"
_SHARE, _MEMORY = "Share of the window's mean", "Memory of the service, MiB"


def _draw_lines(services: Sequence[str], records: Records, title: str, width: int) -> Any:
    ticks = 8 if width > NARROW else 5
    x = alt.X("t:Q", title=_SECONDS, axis=alt.Axis(grid=False, tickCount=ticks, format="~g"))
    axis = alt.Axis(tickCount=5, format=".0%" if title == _SHARE else ",.0f")
    y = alt.Y("y:Q", title=title, scale=alt.Scale(zero=True), axis=axis)
    base = alt.Chart(data(records)).encode(x=x, y=y, color=colour(services))
    return alt.layer(
        *_warm_up(records),
        base.mark_line(strokeWidth=1.5),
        base.mark_point(filled=True, size=45, opacity=1).encode(shape=shape(services)),
    ).properties(width=width, height=240)


def _stall(experiment: Experiment, trials: Sequence[Trial]) -> Chart | None:
    first = min(trial.round for trial in trials)
    services = _services(experiment, [trial for trial in trials if trial.round == first])
    records: Records = [
        {"service": service, "t": part["t"] + SLICE_S / 2, "ms": part["max_ms"]}
        for service, [trial, *_] in services.items()
        for part in light(trial).timeline
        if part["max_ms"] > 0
    ]
    if not records:
        return None
    counted = [each for each in records if each["t"] > 0] or records
    worst = max(counted, key=lambda each: float(each["ms"]))
    return Chart(
        name=f"{experiment.name}-stall",
        title=f"A light request to {worst['service']} waited up to {amount(worst['ms'])} ms",
        description=(
            f"The slowest light request that was answered in each quarter of a second of round "
            f"{first}, a strip a service. On grey: the warm-up, which counts nowhere."
        ),
        draw=lambda width: _draw_strips(list(services), records, width),
        table=_stall_table(list(services), records),
    )


def _stall_table(services: Sequence[str], records: Records) -> Listing:
    found = []
    for service in services:
        waits = [each["ms"] for each in records if each["service"] == service and each["t"] > 0]
        slow = sum(wait > _NOTICEABLE_MS for wait in waits)
        share = f"{100 * slow / len(waits):.0f} %" if waits else "–"
        found.append((service, amount(max(waits, default=0)), amount(median(waits or [0])), share))
    headers = (
        "Service",
        "Longest, ms",
        "Median of the slowest, ms",
        "Quarters with one over 100 ms",
    )
    return Listing(headers, tuple(found))


def _draw_strips(services: Sequence[str], records: Records, width: int) -> Any:
    scale = logarithmic([each["ms"] for each in records])
    scale["axis"] = alt.Axis(
        values=[1, 10, 100, 1_000, 10_000], labelExpr="format(datum.value, ',')"
    )
    x = alt.X("t:Q", title=_SECONDS, axis=alt.Axis(grid=False, tickCount=8))
    base = alt.Chart().encode(x=x)
    begin = min(each["t"] for each in records) - SLICE_S / 2
    ground = base.transform_calculate(zero="0", begin=str(begin)).mark_rect(color=_GREY)
    strip = alt.layer(
        ground.encode(x=alt.X("begin:Q"), x2="zero:Q"),
        base.mark_line(strokeWidth=1.5, interpolate="step").encode(
            y=alt.Y("ms:Q", title="ms", **scale), color=colour(services, legend=False)
        ),
        data=data(records),
    ).properties(width=width - (110 if width > NARROW else 95), height=64)
    header = alt.Header(title=None, labelOrient="top", labelAnchor="start", labelPadding=2)
    return strip.facet(row=alt.Row("service:N", sort=list(services), header=header), spacing=8)
