"""`lesson`: run the command of a lesson's page, and answer the page's question."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import typer
from rich.table import Table

from loadtest.commands.console import console
from loadtest.report.lessons import build
from loadtest.report.lessons import lesson as lessons
from loadtest.report.lessons.answer import answered
from loadtest.report.lessons.lesson import Lesson
from loadtest.results import record
from loadtest.run import comparison


def carry_out(number: str, busy: str) -> None:
    """Show the lesson's command, run it, answer its question. Without a number, list the lessons.

    `busy` as in a run. PageError where there is no such lesson.
    """
    found = lessons.read_all()
    if not number:
        _list(found.values())
        return
    lesson = lessons.choose(found, number)
    console.print(f"{lesson.number}. {lesson.title}: {lesson.question}", markup=False)
    console.print(f"$ {lesson.command}", style="bold", markup=False, soft_wrap=True)
    options = replace(lesson.options(random.SystemRandom().randrange(1, 1_000_000)), busy=busy)
    asked = comparison.begin(options, record.results_directory())
    # What measures and draws takes a second to import: later than what refuses.
    from loadtest.commands import run
    from loadtest.report import report
    from loadtest.run.runner import MACHINE_BUSY

    try:
        run.carry_out(asked)
    except typer.Exit as ended:
        if ended.exit_code == MACHINE_BUSY:
            _tell_of_accepting(lesson)
        raise
    console.print()
    console.print(answered(lesson, report.load(asked.folder), build.known()))


def _tell_of_accepting(lesson: Lesson) -> None:
    """A classroom's machine may never be at rest, and figures beside other programs teach, too."""
    again = f"make lesson LESSON={lesson.number} BUSY=accept"
    console.print(
        f"or: {again}  (disturbed trials count, and the report says so)",
        markup=False,
        soft_wrap=True,
    )


def _list(found: Iterable[Lesson]) -> None:
    table = Table("lesson", "title", "question", box=None)
    for each in found:
        table.add_row(str(each.number), each.title, each.question)
    console.print(table)
    console.print("One of them: make lesson LESSON=1", markup=False)
