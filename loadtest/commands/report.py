"""`report`: the page, the files and the table of a run."""

from __future__ import annotations

from pathlib import Path

from loadtest.commands.console import console
from loadtest.report import console as figures
from loadtest.report import files, report
from loadtest.results import record


def show(folder: Path) -> None:
    """Write the report of the run in `folder`, and show its table."""
    made = report.load(folder)
    path = files.write(made)
    console.print(figures.shown(made))
    console.print(f"report: {record.outside(path)}", markup=False, soft_wrap=True)
