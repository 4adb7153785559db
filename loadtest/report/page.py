"""The page of a run: everything it shows, put into one self-contained HTML file."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loadtest.analysis.amounts import amount
from loadtest.analysis.claims import Check
from loadtest.inventory import palette
from loadtest.report import conditions, evidence
from loadtest.report.charts.style import service
from loadtest.report.report import MARKS, Report
from loadtest.stats.inference import INTERVAL_ROUNDS

_TEMPLATES = Path(__file__).with_name("templates")
_STATE_MARKS = {"holds": "✔", "fails": "✘", "open": "?", "not measured": "–"}


def render(report: Report, pictures: Mapping[str, tuple[str, str]]) -> str:
    """The page as HTML. `pictures`: wide and narrow SVG of each chart by its name."""
    run = report.run
    return (
        _environment(pictures)
        .get_template("report.html.j2")
        .render(
            report=report,
            run=run,
            title=f"Concurrency lab: run {run.id}",
            css=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),
            lead=_lead(report),
            marks=MARKS,
            states=_STATE_MARKS,
            warnings=run.info.get("warnings") or (),
            twins=evidence.twin_table(report.twins),
            twin_sentence=evidence.twin_sentence(report.twins),
            failures=evidence.failures(run),
            gate_sentence=evidence.gate_sentence(run),
            command=run.info.get("command", "python -m loadtest run"),
            conditions=conditions.facts(run),
            services=conditions.services(run),
        )
    )


def _environment(pictures: Mapping[str, tuple[str, str]]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
    )
    environment.filters.update(
        wide=lambda chart: _uri(pictures[chart.name][0]),
        narrow=lambda chart: _uri(pictures[chart.name][1]),
        glyphed=_glyphed,
        figure_text=_figure_text,
        interval_text=_interval_text,
        predicted_text=_predicted_text,
    )
    return environment


def _figure_text(check: Check) -> str:
    """A claim's one figure: `flask-gthread, 128 connections: 0.30 × fastapi-async`."""
    if check.figure is None:
        return "–"
    return f"{check.where}: {check.text(check.figure.value)} {check.unit}"


def _interval_text(check: Check) -> str:
    """The interval of a claim's figure, with its rounds."""
    figure = check.figure
    if figure is None:
        return "–"
    if figure.rounds < INTERVAL_ROUNDS:
        return f"too few rounds ({figure.rounds})"
    return f"{check.text(figure.low)} to {check.text(figure.high)} ({figure.rounds} rounds)"


def _predicted_text(check: Check) -> str:
    """What slots ÷ wait foretells of a claim's figure."""
    if check.predicted is None:
        return "–"
    return f"{amount(check.predicted)}{' ×' if check.criterion.ratio else ''}"


def _uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _glyphed(cell: str) -> str:
    """A service's name with its shape before it, as the charts have it."""
    return f"{palette.glyph(service(cell))} {cell}" if service(cell) in palette.COLOURS else cell


def _lead(report: Report) -> str:
    run = report.run
    services = sorted({trial.service for trial in run.trials})
    if not services:
        return "No trial of this run was finished, so there is nothing to compare yet."
    words = [str(claim.word) for claim in report.claims]
    counts = ", ".join(f"{words.count(word)} {word}" for word in MARKS if words.count(word))
    machine = run.info.get("machine") or {}
    cores = machine.get("cores", "?")
    return (
        f"{len(services)} services ({', '.join(services)}), {len(run.trials):,} trials on {cores} "
        f"cores under the {run.budget} budget, seed {run.info.get('seed', '?')}. "
        f"Of {len(words)} claim{'s'[: len(words) != 1]}: {counts}."
    )
