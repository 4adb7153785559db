"""The answer that a run gives to a lesson's question, for a console."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from loadtest.analysis.amounts import amount
from loadtest.plan.measures import MEASURES
from loadtest.report.lessons.board import Board, interval_of, value_of
from loadtest.report.lessons.digest import Digest, Measured, digest
from loadtest.report.lessons.lesson import Lesson

if TYPE_CHECKING:
    from loadtest.report.report import Report


NOISY = (
    "What is open was too noisy to decide. Close other programs and run it again, or give the "
    "page's command more rounds: ROUNDS=8."
)


def answered(lesson: Lesson, report: Report, published: Sequence[Digest]) -> Group:
    """The question, the page's figures as this run has them, the answer, and where to read why."""
    return Group(*_told(lesson, report, published))


def _told(lesson: Lesson, report: Report, published: Sequence[Digest]) -> Iterator[RenderableType]:
    own = digest(report)  # what the page shows of another budget stands alone, for the contrast
    yield Text(f"Lesson {lesson.number} asked: {lesson.question}", style="bold")
    yield ""
    for board in lesson.boards:
        yours = own if own.budget == board.budget else None
        theirs = board.source(published)
        if board.rows(own) and (yours or theirs):
            yield from (_figures_of(board, yours, theirs), "")
    found = [section.answer for section in report.sections]
    texts = [each.text for each in found if each]
    yield Text("Answer: " + (" ".join(texts) or "this run has too few rounds to answer it."))
    checks = [check for claim in report.claims for check in claim.checks if check.figure]
    yield from (Text(f"  {check.state}: {check.line}") for check in checks)
    if texts and any(check.state == "open" for check in checks):
        yield Text(NOISY)
    yield ""
    if lesson.stays:
        yield Text(f"What stays: {lesson.stays}")
    yield Text(f"What did you guess? Why it is so, and an exercise: {lesson.page}")


def _figures_of(board: Board, own: Digest | None, published: Digest | None) -> Table:
    """This run's figures beside those that the page shows; `own` and `published` had one budget."""
    yours, theirs = _by_place(board, own), _by_place(board, published)
    rows = list((yours or theirs).values())
    several = len({each.level for each in rows}) > 1
    foretold = any(each.predicted is not None for each in rows)
    head = [*(["at"] if several else []), "service", *(["slots ÷ wait"] if foretold else [])]
    table = Table(*head, box=None, title=f"Budget {board.budget}", title_justify="left")
    columns = {"you": yours, "published": theirs}
    for title in (shown := {name: each for name, each in columns.items() if each}):
        table.add_column(f"{title}, {board.unit}", justify="right")
    for each in rows:
        cells = [*([each.level] if several else []), each.service]
        cells += [_figure(each, each.predicted)] if foretold else []
        found = [column.get((each.level, each.service)) for column in shown.values()]
        table.add_row(*cells, *map(_with_interval, found))
    return table


def _by_place(board: Board, run: Digest | None) -> dict[tuple[str, str], Measured]:
    return {(each.level, each.service): each for each in board.rows(run)} if run else {}


def _with_interval(each: Measured | None) -> str:
    return f"{value_of(each)} ({interval_of(each)})" if each else "–"


def _figure(each: Measured, value: float | None) -> str:
    return "–" if value is None else amount(MEASURES[each.measure].shown(value))
