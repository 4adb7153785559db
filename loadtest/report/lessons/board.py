"""A table of figures on a page: which ones, and how it looks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtest.analysis.amounts import amount
from loadtest.errors import LabError
from loadtest.model.counts import number_of
from loadtest.plan.measures import MEASURES
from loadtest.plan.reader import EXPERIMENTS
from loadtest.report.lessons.digest import Digest, Measured
from loadtest.report.summary import row
from loadtest.stats.inference import INTERVAL_ROUNDS

NOT_YET = "*Not measured yet.*"
NOT_MEASURED = f"{NOT_YET} `make publish` fills in this table from a full run."
# `32.3 ms … (18.0–58.1)`
_AS_TOLD = re.compile(r"(?P<value>\S+) .*\((?P<interval>[^();]+)(?:;[^()]*)?\)")
_KEYS = frozenset({"experiment", "measure", "level", "services", "claim", "budget"})


class PageError(LabError):
    """A page asks for what there is not; the message names page and mark."""


@dataclass(frozen=True)
class Board:
    """Figures of an experiment in one measure: at one level or at all, of some services or all.

    `claims` are told below it.
    """

    experiment: str
    measure: str
    level: str = ""
    services: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    budget: str = "typical"

    @property
    def unit(self) -> str:
        """What stands behind each figure."""
        return MEASURES[self.measure].unit

    def rows(self, digest: Digest) -> list[Measured]:
        """Those of the run's figures that the table has."""
        return [
            each
            for each in digest.of(self.experiment)
            if each.measure == self.measure
            and self.level in ("", each.level)
            and (not self.services or each.service in self.services)
        ]

    def source(self, digests: Sequence[Digest]) -> Digest | None:
        """The first run under the table's budget that has any of its figures."""
        under = (each for each in digests if each.budget == self.budget)
        return next((each for each in under if self.rows(each)), None)


def board(words: dict[str, str], where: str) -> Board:
    """The table that a mark asks for; raises PageError where it asks for what there is not."""
    if unknown := words.keys() - _KEYS:
        raise PageError(f"{where}: unknown {', '.join(sorted(unknown))}= in a mark of figures")
    if "experiment" not in words or words.get("measure") not in MEASURES:
        raise PageError(f"{where}: a mark of figures needs experiment= and a measure that exists")
    lists = {"services": "services", "claims": "claim"}
    split = {name: tuple(words.get(key, "").split()) for name, key in lists.items()}
    plain = {
        key: words[key] for key in ("experiment", "measure", "level", "budget") if key in words
    }
    return Board(**plain, **split)  # type: ignore[arg-type]


def markdown(asked: Board, digests: Sequence[Digest], page: Path) -> str:
    """The table as `page` has it, then the claims, then the run that it is of."""
    found = asked.source(digests)
    return "\n".join(_lines(asked, found, page)) if found else _missing(asked)


def _missing(asked: Board) -> str:
    """What stands in place of the table; a full run has the lab's experiments, as budgeted."""
    full = asked.budget == "typical" and (EXPERIMENTS / f"{asked.experiment}.toml").exists()
    return NOT_MEASURED if full else f"{NOT_YET} The command above measures it here."


def _lines(asked: Board, found: Digest, page: Path) -> Iterator[str]:
    rows = asked.rows(found)
    predicted = any(each.predicted is not None for each in rows)
    levels = len({each.level for each in rows}) > 1
    head = [*(["at"] if levels else []), "service", *(["slots ÷ wait"] if predicted else [])]
    yield row(*head, asked.unit, "95 % interval")
    yield row(*("---" for _ in head), "---:", "---")
    for each in rows:
        own = [*([each.level] if levels else []), f"`{each.service}`"]
        yield row(*own, *([_number(each, each.predicted)] if predicted else []), *_cells(each))
    verdicts = [verdict for claim in asked.claims if (verdict := found.verdict(claim))]
    if verdicts:
        yield from ("", row("claim", "verdict", "measured", "why"), row(*["---"] * 4))
    for verdict in verdicts:
        told = f"{verdict.claim}: {verdict.statement}"
        yield row(told, verdict.sign, verdict.measured, verdict.why or "–")
    yield from ("", _origin(found, page))


def _cells(each: Measured) -> tuple[str, str]:
    return value_of(each), interval_of(each)


def value_of(each: Measured) -> str:
    """The figure as the report tells it; the digest's own number was rounded once already."""
    told = _AS_TOLD.fullmatch(each.text)
    return told["value"] if told else _number(each, each.value)


def interval_of(each: Measured) -> str:
    """The 95 % interval as the report tells it: two rounds that agree have none."""
    if each.rounds < INTERVAL_ROUNDS:
        return f"{number_of(each.rounds, 'round')}, too few"
    if told := _AS_TOLD.fullmatch(each.text):
        return told["interval"]
    low, high = _number(each, each.low), _number(each, each.high)
    return f"{low} to {high}" if low.startswith("−") else f"{low}–{high}"


def _number(each: Measured, value: float | None) -> str:
    return "–" if value is None else amount(MEASURES[each.measure].shown(value))


def _origin(found: Digest, page: Path) -> str:
    """Where the figures are from."""
    commit = f" at commit `{found.commit}`" if found.commit else ""
    if found.page:
        up = "../" * (len(page.parts) - 2)
        return f"Measured{commit}, budget `{found.budget}`: [the whole run]({up}{found.page})."
    return f"Measured{commit} by `{found.command}`."
