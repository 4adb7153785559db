"""`report`: the page, the files and the verdicts of a run."""

from __future__ import annotations

from pathlib import Path

from loadtest.commands.console import console
from loadtest.report import console as figures
from loadtest.report import files, report
from loadtest.report.probed import page as probed
from loadtest.report.report import Report
from loadtest.results import record

COLUMNS = 80  # of a verdict: more are hard to read, also where output is a pipe


def show(folder: Path) -> None:
    """Write the report of the run in `folder`; show its figures, and where to go from there.

    A folder of a probe gets its page anew, too.
    """
    if (folder / probed.DOCUMENT).exists():
        page = record.outside(probed.write(folder, *probed.read(folder))).absolute().as_uri()
        console.print(f"report: {page}", markup=False, soft_wrap=True)
        return
    written(folder)


def written(folder: Path) -> Report:
    """The report of a run, which is written and shown, with where to go from there."""
    made = report.load(folder)
    path = files.write(made)
    console.print(figures.shown(made), width=min(COLUMNS, console.width))
    page = record.outside(path).absolute().as_uri()
    for line in (f"report: {page}", f"next: {figures.following(made.run)}"):
        console.print(line, markup=False, soft_wrap=True)
    return made
