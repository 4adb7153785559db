"""What the page tells of one published comparison: its figures, and what came out here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from loadtest.analysis.amounts import amount, times
from loadtest.model.experiment import Level
from loadtest.plan.keys.published import UNEXPLAINED
from loadtest.plan.measures import MEASURES
from loadtest.report.published.agreement import came_out
from loadtest.report.published.beside import CPU, Compared, as_published, by_slots, ratio
from loadtest.report.published.comparison import ToldComparison


def part(told: ToldComparison) -> Iterator[str]:
    """The lines of its section."""
    published, experiment = told.published, told.experiment
    yield f"## {told.heading}\n"
    link = f"[{published.source}]({published.url})"
    also = "".join(f", [{_short(each)}]({each})" for each in published.also)
    yield f"{published.asked} Published by {link}{also}, {published.date}.\n"
    yield from _figures(told)
    yield from (f"\n{each}" for each in came_out(told))
    said = "What they measured is" if published.measured == UNEXPLAINED else "The figures measured"
    yield f"\n{said} **{published.measured}**. {published.told}\n"
    if published.not_run:
        yield f"**The lab does not run it.** {published.not_run}\n"
        return
    if published.instead:
        yield f"**What runs here.** {published.instead}\n"
    if published.inferred:
        yield f"**Inferred, as no source says it.** {published.inferred}\n"
    yield from _beside(told)
    yield from _elsewhere(told)
    path = f"../experiments/published/{experiment.name}.toml"
    yield f"[The experiment]({path}): `make compare EXPERIMENTS={experiment.name}`\n"


def _short(address: str) -> str:
    """An address as a reader takes it in: `github.com/…/RESULTS.md`."""
    first, *rest = address.partition("://")[2].rstrip("/").split("/")
    return "/".join((first, *(["…"] if len(rest) > 1 else []), *rest[-1:]))


def _figures(told: ToldComparison) -> list[str]:
    published = told.published
    others = {(each.figure.level, each.figure.service): each for each in told.figures}
    rows = [
        (
            figure.was,
            f"`{figure.service}`",
            as_published(figure.value),
            *_cells(told, others.get((figure.level, figure.service))),
        )
        for figure in published.figures
    ]
    headers = ("ran there", "stands for it", published.unit, "ratio", "predicted", "measured here")
    return table(headers, rows)


def _beside(told: ToldComparison) -> Iterator[str]:
    """What stands beside the ratios: CPU a request where that decides, and what is told."""
    if told.taken is None:
        return
    for name in (*(() if told.predicted_everywhere else (CPU,)), *told.experiment.tells):
        measure = MEASURES[name]
        noun = measure.noun if name == CPU else measure.meaning
        for level in told.experiment.levels:
            found = [
                f"`{service}` {amount(measure.shown(value))} {measure.scale}"
                for service in told.experiment.services
                if (value := told.taken.values.get((level.label, service, name))) is not None
            ]
            if found:
                yield f"- {noun[:1].upper()}{noun[1:]} here, *{level.label}*: {', '.join(found)}."


def _cells(told: ToldComparison, each: Compared | None) -> tuple[str, str, str]:
    if each is None:  # the one that the others are divided by
        return ("1", "1" if told.predicted else "–", "1" if told.ratios else "–")
    here = each.measured.text if each.measured else "–"
    return (f"{times(each.published)} ×", by_slots(each.predicted), here)


def _elsewhere(told: ToldComparison) -> Iterator[str]:
    """What becomes of each service's ratio at the levels that were not published."""
    published = told.published
    for level in told.experiment.levels:
        if level.label not in published.levels:
            proof = level.label == published.counter_proof
            name = f"{'Counter-proof, ' if proof else 'At '}*{level.label}*"
            became = _became(told, level) if proof else ""
            yield f"- {name}{became}: {'. '.join(_ratios(told, level))}."
    yield ""


def _became(told: ToldComparison, level: Level) -> str:
    """Whether a level came out as its parts of the verdict need it."""
    parts = told.taken.parts if told.taken else ()
    states = {each.state for each in parts if each.level == level.label}
    if not states:
        return ""
    if "fails" in states:
        return ", not as expected"
    return ", as expected" if states == {"holds"} else ", undecided"


def _ratios(told: ToldComparison, level: Level) -> Iterator[str]:
    reference = told.experiment.reference
    for service in told.experiment.services:
        if service in (reference, *level.without):
            continue
        expected = ratio(told.predicted, level.label, service, reference)
        found = told.ratios.get((level.label, service))
        said = [f"{by_slots(expected)} predicted"] if expected else []
        said.append(f"{found.text} measured" if found else "not measured yet")
        yield f"`{service}` ÷ `{reference}` {', '.join(said)}"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    lines = [headers, ["---"] * len(headers), *rows]
    return [
        f"| {' | '.join(each.replace('|', chr(92) + '|') for each in line)} |" for line in lines
    ]
