"""docs/published.md and its figures, from the report of a run of published comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from loadtest.analysis.names import NO_NAMES
from loadtest.analysis.verdict import Check
from loadtest.plan import reader
from loadtest.report.published import document, measured
from loadtest.report.published.beside import measured_ratios, measured_values
from loadtest.report.published.measured import JudgedPart, MeasuredRun, TakenAgain
from loadtest.report.report import Report
from loadtest.report.summary import measured_where


def numbers() -> list[str]:
    """The numbers of the comparisons that can be run."""
    known = reader.load_published().values()
    return [each.claim for each in known if each.published and not each.published.not_run]


def of(report: Report) -> bool:
    """Whether the run is one of published comparisons, and of nothing else."""
    experiments = report.run.experiments.values()
    return bool(experiments) and all(each.published for each in experiments)


def taken(report: Report, missing: Sequence[str]) -> MeasuredRun:
    """What the run measured of each comparison."""
    comparisons = {
        claim.claim: TakenAgain(
            claim.word,
            measured_ratios(section.findings),
            measured_values(section.experiment, section.trials),
            tuple(map(_part, claim.checks)),
        )
        for section in report.sections
        for claim in section.claims
        if claim.word != "not measured"
    }
    return MeasuredRun(measured_where(report), missing, comparisons)


def _part(check: Check) -> JudgedPart:
    """A criterion as it came out. Services have their names, as everywhere on the page."""
    criterion = check.criterion
    line = replace(check, names=NO_NAMES).line
    return JudgedPart(criterion.says, criterion.level, check.state, line)


def documents(report: Report, missing: Sequence[str], page: str, home: Path) -> dict[Path, str]:
    """The files to write: the run's page, its figures, and the page that tells them."""
    run = taken(report, missing)
    return {
        home / "docs" / document.WHOLE_PAGE: page,
        home / document.MEASURED_IN: measured.text(run),
        home / document.TOLD_IN: document.written(run, whole=True),
    }
