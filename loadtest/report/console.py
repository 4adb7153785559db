"""A report as a console has it: the figures of each experiment, then the verdicts."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from loadtest.analysis.claims import Claim
from loadtest.report.report import Report
from loadtest.report.sections import Section


def shown(report: Report) -> Group:
    """The conditions, one table an experiment, then a line for each claim and each notice."""
    return Group(
        *map(Text, report.conditions),
        *(_table(section) for section in report.sections if section.charts),
        *(Text(verdict(claim)) for claim in report.claims),
        *(Text(f"{notice.word} {notice.text}") for notice in report.notices),
    )


def verdict(claim: Claim) -> str:
    """The claim and what became of it, in a line."""
    return f"{claim.claim}: {claim.sentence}"


def _table(section: Section) -> Table:
    figures = section.charts[0].table
    shown = Table(title=section.experiment.title, title_justify="left", box=None)
    for header in figures.headers:
        shown.add_column(header, overflow="fold")
    for row in figures.rows:
        shown.add_row(*row)
    return shown
