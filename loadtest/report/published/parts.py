"""What the page tells of one published comparison: its figures, and what came out here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from loadtest.analysis.amounts import amount, times
from loadtest.model.experiment import Level
from loadtest.plan.keys.published import UNEXPLAINED
from loadtest.report.published.beside import Compared, as_published, by_slots, ratio
from loadtest.report.published.comparison import ToldComparison

ALIKE = 1.1  # × of the published ratio: so much is alike


def part(told: ToldComparison) -> Iterator[str]:
    """The lines of its section."""
    published, experiment = told.published, told.experiment
    yield f"## {told.heading}\n"
    link = f"[{published.source}]({published.url})"
    also = "".join(f", <{each}>" for each in published.also)
    yield f"{published.asked} Published by {link}{also}, {published.date}.\n"
    yield from _figures(told)
    yield from _agreement(told)
    yield from _apart(told)
    said = "What they measured is" if published.measured == UNEXPLAINED else "The figures measured"
    yield f"\n{said} **{published.measured}**. {published.told}\n"
    if published.not_run:
        yield f"**The lab does not run it.** {published.not_run}\n"
        return
    if published.instead:
        yield f"**What runs here.** {published.instead}\n"
    if published.inferred:
        yield f"**Inferred, as no source says it.** {published.inferred}\n"
    yield from _cpu(told)
    yield from _elsewhere(told)
    path = f"../experiments/published/{experiment.name}.toml"
    yield f"[The experiment]({path}): `make compare EXPERIMENTS={experiment.name}`\n"


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


def _agreement(told: ToldComparison) -> Iterator[str]:
    """How near the measured ratios are to the published and to the predicted ones."""
    for each in told.figures:
        if each.measured and each.published:
            here = each.measured.value
            parts = [f"measured ÷ published {times(here / each.published)}"]
            if each.predicted:
                parts.append(f"predicted ÷ measured {times(each.predicted / here)}")
            yield f"\n`{each.figure.service}`, *{each.figure.level}*: {', '.join(parts)}."


def _apart(told: ToldComparison) -> Iterator[str]:
    """Where a ratio came out otherwise than it was published, and why a verdict stays open."""
    for each in told.figures:
        here = each.measured
        if here is None or not each.published:
            continue
        who = f"`{each.figure.service}`, *{each.figure.level}*"
        if (here.low > 1 > each.published) or (here.high < 1 < each.published):
            yield f"\n**Not so here.** {who}: the other service leads."
        elif not 1 / ALIKE <= here.value / each.published <= ALIKE:
            yield f"\n**Another size here.** {who}: the same service leads, by another ratio."
    if told.taken and told.taken.verdict == "undecided":
        yield "\n**Undecided.** The interval of a ratio reaches past what its criterion allows."


def _cpu(told: ToldComparison) -> Iterator[str]:
    """What CPU a request took, where that decides."""
    if not told.taken or told.predicted_everywhere:
        return
    for level in told.experiment.levels:
        found = [
            f"`{service}` {amount(told.taken.cpu_us[level.label, service])} µs"
            for service in told.experiment.services
            if (level.label, service) in told.taken.cpu_us
        ]
        if found:
            yield f"- CPU a request here, *{level.label}*: {', '.join(found)}."


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
            yield f"- {name}: {'; '.join(_ratios(told, level))}."
    yield ""


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
