"""How a published comparison came out here: how near, where otherwise and why, and what failed."""

from __future__ import annotations

from collections.abc import Iterator

from loadtest.analysis.amounts import times
from loadtest.report.published.beside import ratio
from loadtest.report.published.comparison import ToldComparison

ALIKE = 1.1  # × of another ratio: so much is alike
UNTOLD = "Not explained."


def came_out(told: ToldComparison) -> Iterator[str]:
    """The lines below the figures of a comparison, each a paragraph."""
    yield from _near(told)
    otherwise = [*_apart(told), *_unforeseen(told)]
    yield from otherwise
    if otherwise:
        yield f"**Why otherwise.** {told.published.apart or UNTOLD}"
    yield from _unmet(told)


def _near(told: ToldComparison) -> Iterator[str]:
    """How near the measured ratios are to the published and to the predicted ones."""
    for each in told.figures:
        if each.measured and each.published:
            here = each.measured.value
            parts = [f"measured ÷ published {times(here / each.published)}"]
            if each.predicted:
                parts.append(f"predicted ÷ measured {times(each.predicted / here)}")
            yield f"`{each.figure.service}`, *{each.figure.level}*: {', '.join(parts)}."


def _apart(told: ToldComparison) -> Iterator[str]:
    """Where a ratio came out otherwise than it was published."""
    for each in told.figures:
        here = each.measured
        if here is None or not each.published:
            continue
        who = f"`{each.figure.service}`, *{each.figure.level}*"
        if (here.low > 1 > each.published) or (here.high < 1 < each.published):
            yield f"**Not so here.** {who}: the other service leads."
        elif not _alike(here.value, each.published):
            yield f"**Another size here.** {who}: the same service leads, by another ratio."


def _unforeseen(told: ToldComparison) -> Iterator[str]:
    """Where a ratio came out otherwise than it was predicted, at whatever level."""
    for (level, service), here in told.ratios.items():
        expected = ratio(told.predicted, level, service, told.experiment.reference)
        if expected and not _alike(here.value, expected):
            said = f"{times(expected)} × predicted, {here.text} measured"
            yield f"**Not as predicted.** `{service}`, *{level}*: {said}."


def _unmet(told: ToldComparison) -> Iterator[str]:
    """The parts of the verdict that don't hold, each with its figure."""
    for each in told.taken.parts if told.taken else ():
        if each.state != "holds":
            said = f"**{each.state.capitalize()}.** {each.says[:1].upper()}{each.says[1:]}."
            yield f"{said} Found: {each.line}."


def _alike(one: float, other: float) -> bool:
    return 1 / ALIKE <= one / other <= ALIKE
