"""A report as a console of eighty columns has it: figures, then the answer and the verdicts."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from loadtest.analysis.verdict import Claim
from loadtest.model.marks import MARKS, STYLES
from loadtest.report.own import outcome
from loadtest.report.report import Report
from loadtest.report.sections import Section
from loadtest.results import record
from loadtest.results.runs import Run
from loadtest.run.progress.table import table


def shown(report: Report) -> Group:
    """A table an experiment; then the answer, a verdict a claim, and what lowers their worth."""
    return Group(*_parts(report))


def _parts(report: Report) -> Iterator[RenderableType]:
    for section in report.sections:
        if section.trials:
            yield from (table(section.experiment, section.trials), "")
    for answer in report.answers:
        yield from (Text(answer.text, style="bold"), "")
    if report.claims:
        yield from (_verdicts(report.claims), "")
    for section in report.sections:
        if section.conditions or len(section.sentences) > 1:
            yield from (Text(line) for line in _own_lines(section))
            yield ""
    yield from (Text(condition) for condition in report.conditions)
    for notice in report.notices:
        yield Text.assemble((notice.word, "bold yellow"), f" {notice.text}")


def _own_lines(section: Section) -> Iterator[str]:
    """Every comparison of the user's own services, where the answer is not all; the conditions."""
    if len(section.sentences) > 1:
        yield from section.sentences
    yield from map(outcome.condition, section.conditions)


def _verdicts(claims: list[Claim]) -> Table:
    found = Table.grid(padding=(0, 1))
    found.add_column(no_wrap=True)
    found.add_column()
    for claim in claims:
        found.add_row(*verdict(claim))
    return found


def verdict(claim: Claim) -> tuple[Text, Text]:
    """A claim and what became of it, then its figure with what the claim needs of it."""
    sign = Text(f"{MARKS[claim.word]} {claim.claim} {claim.word}", style=STYLES[claim.word])
    return sign, Text(claim.measured)


def following(run: Run) -> str:
    """The command that a reader of this run wants next."""
    compare = "make compare"
    if run.info.get("backend") == "compose":
        compare += " BACKEND=compose"
    if run.complete and not (run.valid or run.info.get("checks")):
        command = str(run.info.get("command", compare))
        return command if "…" not in command else "the same command again"
    if run.budget == "" and run.complete:
        return "python -m loadtest history"
    if not run.complete:
        return f"{compare} RESUME={shlex.quote(str(record.outside(run.folder)))}"
    if run.info.get("plan") == "quick":
        return f"{compare} PLAN=full"
    return "make history"
