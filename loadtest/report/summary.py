"""The result of a run as Markdown, for a message or a document: nothing left out that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loadtest.model.counts import number_of
from loadtest.model.marks import MARKS
from loadtest.report.own import outcome

if TYPE_CHECKING:
    from loadtest.report.report import Report


def markdown(report: Report) -> str:
    """Answers, a line for each claim, the conditions, and for what it does not hold."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    for answer in report.answers:
        yield f"- {answer.text}"
    if report.answers:
        yield ""
    for section in report.sections:
        if len(section.sentences) > 1:  # else the answer has said it
            yield from (f"- {line}" for line in section.sentences)
        yield from (f"- {outcome.condition(each)}" for each in section.conditions)
    if report.claims:
        yield from ("| claim | measured | verdict | why |", "| --- | --- | --- | --- |")
    for claim in report.claims:
        verdict = f"{MARKS[claim.word]} {claim.word}"
        yield row(f"{claim.claim}: {claim.statement}", claim.measured, verdict, claim.why or "–")
    yield ""
    yield f"Measured: {measured_where(report)}."
    yield from report.conditions
    for notice in report.notices:
        yield f"{notice.word} {notice.text}"
    yield limits_of(report)


def row(*cells: str) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def measured_where(report: Report) -> str:
    """Trials, machine, budget, versions, commit and seed in one line."""
    run, machine = report.run, report.run.info.get("machine") or {}
    cores = machine.get("cores")
    on = number_of(cores, "core") if isinstance(cores, int) else "? cores"
    commit = str(run.info.get("git_commit") or "unknown")[:12]
    parts = (
        f"{number_of(len(run.trials), 'trial')} on {on} "
        f"({machine.get('cpu', 'unknown processor')})",
        f"budget {run.budget}" if run.budget else "",
        f"Python {machine['python']}" if machine.get("python") else "",
        f"commit {commit}" + (" with changes" if run.info.get("git_dirty") else ""),
        f"seed {run.info.get('seed', '?')}",
        str(run.info.get("started_at") or "")[:10],
    )
    return ", ".join(part for part in parts if part)


def limits_of(report: Report) -> str:
    """For what the figures do not hold."""
    cautions = [each.experiment.caution for each in report.sections if each.experiment.caution]
    return " ".join(
        [
            "Other machines, budgets and versions have other figures; ratios travel further than "
            "requests/s.",
            *cautions,
        ]
    )
