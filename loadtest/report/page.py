"""The page of a run: everything it shows, put into one self-contained HTML file."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loadtest.analysis.names import framework
from loadtest.inventory import palette
from loadtest.model.counts import number_of
from loadtest.model.marks import MARKS
from loadtest.report import conditions, evidence, summary
from loadtest.report.charts.style import Chart, capital, service
from loadtest.report.own import described, outcome
from loadtest.report.report import Report

_TEMPLATES = Path(__file__).with_name("templates")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_NAMED = 6  # frameworks in the heading
_STATE_MARKS = {"holds": "✔", "fails": "✘", "open": "?", "not measured": "–"}


def render(
    report: Report, pictures: Mapping[str, tuple[str, str]], *, beside: bool = True, note: str = ""
) -> str:
    """The page as HTML. `pictures`: wide and narrow SVG of each chart by its name.

    `beside`: its files stand beside it, so that it can link to them. `note` stands at its top.
    """
    run = report.run
    return (
        _environment(pictures, _told_once(report.charts))
        .get_template("report.html.j2")
        .render(
            report=report,
            run=run,
            beside=beside,
            note=note,
            title=f"Concurrency lab: run {run.id}",
            css=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),
            heading=_heading(report),
            lead=_lead(report),
            counts=_counts(report),
            markdown=summary.markdown(report),
            warnings=conditions.noticed(run),
            twins=evidence.twin_table(report.twins),
            twin_sentence=evidence.twin_sentence(report.twins),
            failures=evidence.failures(run),
            gate_sentence=evidence.gate_sentence(run),
            command=run.info.get("command", "python -m loadtest run"),
            conditions=conditions.facts(run),
            services=conditions.services(run),
            own_services=described.services(run),
        )
    )


def _environment(pictures: Mapping[str, tuple[str, str]], told: Mapping[str, str]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
    )
    environment.globals.update(marks=MARKS, states=_STATE_MARKS)
    environment.filters.update(
        wide=lambda chart: picture(pictures[chart.name][0]),
        narrow=lambda chart: picture(pictures[chart.name][1]),
        told=lambda chart: told[chart.name],
        glyphed=_glyphed,
        capitalised=capital,
        became=outcome.condition,
    )
    return environment


def _told_once(charts: Sequence[Chart]) -> dict[str, str]:
    """What each chart says, without what an earlier one has said: how its kind is read."""
    said: set[str] = set()
    found = {}
    for chart in charts:
        sentences = _SENTENCE.split(chart.description)
        found[chart.name] = " ".join(each for each in sentences if each not in said)
        said.update(sentences)
    return found


def picture(svg: str) -> str:
    """An SVG as the address of an image in the page itself."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _glyphed(cell: str) -> str:
    """A service's name with its shape before it, as the charts have it."""
    return f"{palette.glyph(service(cell))} {cell}" if service(cell) in palette.COLOURS else cell


def _heading(report: Report) -> str:
    """What was compared: `FastAPI, Flask and Go under many requests at once`."""
    declared = report.run.info.get("services") or {}
    measured = {trial.service for trial in report.run.trials}
    planned = [name for each in report.run.experiments.values() for name in each.services]
    services = [each for each in dict.fromkeys(planned) if each in measured]
    names = list(dict.fromkeys(framework(each, declared.get(each) or {}) for each in services))
    if not names:
        return "A run of the concurrency lab"
    *first, last = names if len(names) <= _NAMED else (*names[: _NAMED - 1], "others")
    told = f"{', '.join(first)} and {last}" if first else last
    return f"{told} under many requests at once"


def _lead(report: Report) -> str:
    if not report.run.trials and report.run.info.get("checks"):
        return "Checked: answers alone, without a load."
    if not report.run.trials:
        return "No trial of this run was finished, so there is nothing to compare yet."
    return f"Measured: {summary.measured_where(report)}."


def _counts(report: Report) -> str:
    words = [str(claim.word) for claim in report.claims]
    counts = ", ".join(f"{words.count(word)} {word}" for word in MARKS if words.count(word))
    return f"{number_of(len(words), 'claim')}: {counts}."
