"""Latency by percentile, and against the offered rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import altair as alt

from loadtest.analysis.amounts import amount, percent
from loadtest.analysis.observations import light, mean_wait_ms, never_answered, waiting_share
from loadtest.engine.kinds import kind_of
from loadtest.model.experiment import Experiment, Level
from loadtest.model.trial import Trial
from loadtest.report.charts.style import (
    NARROW,
    Chart,
    Listing,
    Records,
    capital,
    colour,
    data,
    logarithmic,
    present,
    shape,
)
from loadtest.stats.latencies import Kind, Latencies, of

# Percentiles that are drawn, as far as there are enough requests for them.
_DRAWN = (10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9)
_MARKED = (50.0, 90.0, 99.0, 99.9)


def percentiles(experiment: Experiment, trials: Sequence[Trial], level: Level) -> Chart | None:
    """Latency by percentile at one level, all rounds together, on HdrHistogram's axis."""
    kinds: tuple[Kind, ...] = ("response",)
    if kind_of(level.load).scheduled:
        kinds = ("response", "service")
    records = [
        record
        for service in experiment.services
        for kind in kinds
        for record in _percentiles(service, kind, [t for t in trials if _is(t, service, level)])
    ]
    if not records:
        return None
    waiting = {
        service: own
        for service in experiment.services
        if _latencies(own := [t for t in trials if _is(t, service, level)], "response").waiting
    }
    return Chart(
        name=f"{experiment.name}-percentiles",
        title=_title(records, level, waiting),
        description=(
            f"{_of_which(trials)}{_RARER}{_unanswered(waiting)}"
            + ("Dashed: service time, from the actual send; " if len(kinds) > 1 else "")
            + ("solid: response time, from the intended send." if len(kinds) > 1 else "")
        ),
        draw=lambda width: _draw_percentiles(experiment, records, width),
        table=_percentile_table(experiment, trials, level, kinds),
    )


_RARER = (
    "Right is rarer: at 99 % one request in a hundred took longer. A percentile is drawn only "
    "where enough requests lie beyond it, and none that still waited could change it. All rounds "
    "of a service are one here, so the limits leave out how much rounds differ. "
)


def _of_which(trials: Sequence[Trial]) -> str:
    beside = any(light(trial) is not trial.result for trial in trials)
    return "The light requests beside those that are held. " * beside


def _unanswered(waiting: Mapping[str, Sequence[Trial]]) -> str:
    """Services with requests that still waited, and what Little's law says of those."""
    return "".join(f"{_waited(service, trials)} " for service, trials in waiting.items())


def _waited(service: str, trials: Sequence[Trial]) -> str:
    share = percent(waiting_share(trials))
    if never_answered(trials):
        return f"{share} % of {service}'s requests had no answer when the window closed."
    told = f"{share} % of {service}'s requests were still waiting when the window closed"
    mean = mean_wait_ms(trials)
    if mean is None:
        return f"{told}."
    return f"{told}, as in any closed load; by Little's law they take {amount(mean)} ms on average."


def _title(records: Records, level: Level, waiting: Mapping[str, Sequence[Trial]]) -> str:
    """Slowest against fastest service, at the highest marked percentile that every service has.

    A service without any has its mean by Little's law behind it.
    """
    services = {each["service"] for each in records}
    means = [
        f"; {service} takes {amount(mean)} ms on average"
        for service, trials in waiting.items()
        if service not in services and (mean := mean_wait_ms(trials))
    ]
    unknown = [
        f"; {service}: {_unknown(trials)}"
        for service, trials in waiting.items()
        if service not in services and not mean_wait_ms(trials)
    ]
    everyone = "every other service" if means or unknown else "every service"
    return _ranking(records, level, everyone) + "".join([*means, *unknown])


def _unknown(trials: Sequence[Trial]) -> str:
    return "some were never answered" if never_answered(trials) else "too many still waited to tell"


def _ranking(records: Records, level: Level, everyone: str) -> str:
    answers = [each for each in records if each["kind"] == "response" and each["marked"]]
    services = {each["service"] for each in records}
    which = max(
        (p for p in _MARKED if {each["service"] for each in answers if each["p"] == p} == services),
        default=50.0,
    )
    ranked = sorted((e for e in answers if e["p"] == which), key=lambda each: float(each["ms"]))
    if not ranked:
        return f"{capital(level.label)}: latency by percentile"
    told = f"{capital(level.label)}: {which:g} % of the requests"
    if ranked[-1]["ms"] < 1.05 * ranked[0]["ms"]:
        most = amount(ranked[-1]["ms"])
        return f"{told} took up to {most} ms on {everyone}"
    parts = [f"{amount(each['ms'])} ms on {each['service']}" for each in (ranked[-1], ranked[0])]
    said = " and up to ".join(dict.fromkeys(parts))
    return f"{told} took up to {said}"


def _is(trial: Trial, service: str, level: Level) -> bool:
    return trial.arm == service and trial.level == level.label


def _latencies(trials: Sequence[Trial], kind: Kind) -> Latencies:
    return of((light(trial) for trial in trials), kind)


def _percentiles(service: str, kind: Kind, trials: Sequence[Trial]) -> Iterator[dict[str, Any]]:
    latencies = _latencies(trials, kind)
    for which in _DRAWN:
        found = latencies.percentile(which) if trials else None
        if found:
            yield {
                "service": service,
                "kind": kind,
                "p": which,
                "x": _rarity(which),
                "ms": found.ms,
                "marked": which in _MARKED,
            }


def _rarity(percentile: float) -> float:
    """One request in so many takes longer."""
    return 1 / (1 - percentile / 100)


def _reach(records: Records) -> list[float]:
    """The ends of the axis; for one percentile alone, those of all that could be drawn."""
    found = {each["x"] for each in records}
    if len(found) == 1:
        found = {_rarity(which) for which in _DRAWN}
    return [min(found), max(found)]


def _draw_percentiles(experiment: Experiment, records: Records, width: int) -> Any:
    services = present(experiment.services, records)
    x = alt.X(
        "x:Q",
        title="Percentile",
        scale=alt.Scale(type="log", nice=False, padding=12, domain=_reach(records)),
        axis=alt.Axis(
            values=[2, 10, 20, 100, 1000] if width > NARROW else [2, 10, 100, 1000],
            labelExpr="format(100 * (1 - 1 / datum.value), '.5~g') + ' %'",
            grid=True,
        ),
    )
    y = alt.Y("ms:Q", title="Milliseconds", **logarithmic([each["ms"] for each in records]))
    dash = alt.StrokeDash(
        "kind:N",
        scale=alt.Scale(domain=["response", "service"], range=[[1, 0], [4, 3]]),
        legend=None,
    )
    base = alt.Chart(data(records)).encode(x=x, y=y, color=colour(services))
    marks = base.transform_filter("datum.marked && datum.kind == 'response'")
    return alt.layer(
        base.mark_line(strokeWidth=2).encode(strokeDash=dash),
        marks.mark_point(filled=True, size=80, opacity=1).encode(shape=shape(services)),
    ).properties(width=width, height=280)


def _percentile_table(
    experiment: Experiment, trials: Sequence[Trial], level: Level, kinds: Sequence[Kind]
) -> Listing:
    services = []
    for service in experiment.services:
        own = [trial for trial in trials if _is(trial, service, level)]
        for kind in kinds if own else ():
            latencies = _latencies(own, kind)
            cells = (_limits(latencies, which) for which in _MARKED)
            mean = mean_wait_ms(own)
            services.append(
                (
                    service,
                    kind,
                    f"{latencies.total:,}",
                    f"{percent(latencies.waiting_share)} %" if latencies.waiting else "none",
                    *cells,
                    amount(mean) if mean else "–",
                )
            )
    headers = (
        *("Service", "Time", "Requests", "Still waiting"),
        *(f"p{which:g}, ms (95 % limits)" for which in _MARKED),
        "Mean by Little's law, ms",
    )
    return Listing(headers, tuple(services))


def _limits(latencies: Latencies, which: float) -> str:
    found = latencies.percentile(which)
    if found is None:
        told = replace(latencies, waiting=0).percentile(which)
        return "too many still waiting" if told else "too few requests"
    if found.low_ms is None or found.high_ms is None:
        return amount(found.ms)
    return f"{amount(found.ms)} ({amount(found.low_ms)}–{amount(found.high_ms)})"


def offered(experiment: Experiment, trials: Sequence[Trial]) -> Chart | None:
    """Offered rate against p99 of the response time; None without two open loads."""
    records: Records = [
        {"service": service, "x": _rate(own), "ms": found.ms, "level": level.label}
        for service in experiment.services
        for level in experiment.levels
        if kind_of(level.load).scheduled
        and (own := [trial for trial in trials if _is(trial, service, level)])
        and (found := _latencies(own, "response").percentile(99.0))
    ]
    if len({each["level"] for each in records}) < 2:
        return None
    worst = max(records, key=lambda each: each["ms"])
    return Chart(
        name=f"{experiment.name}-offered",
        title=(
            f"The slowest hundredth took {amount(worst['ms'])} ms or more on {worst['service']} "
            f"at {amount(worst['x'])} requests/s"
        ),
        description="p99 of the response time, from the intended send, at each offered rate.",
        draw=lambda width: _draw_offered(experiment, records, width),
        table=Listing(
            ("Service", "Level", "Offered requests/s", "p99, ms"),
            tuple((e["service"], e["level"], amount(e["x"]), amount(e["ms"])) for e in records),
        ),
    )


def _rate(trials: Sequence[Trial]) -> float:
    return median(trial.load.rate_rps or 0.0 for trial in trials)


def _draw_offered(experiment: Experiment, records: Records, width: int) -> Any:
    services = present(experiment.services, records)
    base = alt.Chart(data(records)).encode(
        x=alt.X("x:Q", title="Offered requests/s", axis=alt.Axis(format=",.0f", tickCount=6)),
        y=alt.Y("ms:Q", title="p99, milliseconds", **logarithmic([each["ms"] for each in records])),
        color=colour(services),
    )
    marks = base.mark_point(filled=True, size=90, opacity=1).encode(shape=shape(services))
    return marks.properties(width=width, height=260)
