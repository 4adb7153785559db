"""The files of a finished run: report.html, charts, results.csv, verdicts.json. Runs nothing."""

from __future__ import annotations

import csv
import errno
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from loadtest.analysis import verdicts
from loadtest.analysis.observations import measure
from loadtest.model.trial import Trial
from loadtest.report import page, sections
from loadtest.report.charts.style import NARROW, Chart, png, titled
from loadtest.report.sections import Section
from loadtest.results import runs
from loadtest.results.runs import Run, RunError
from loadtest.stats.latencies import read


def build(folder: Path) -> Path:
    """Make every file of the report from run.json and trials.jsonl; returns the page's path.

    Raises RunError where the folder is no run of this version, or the disk is full: what was
    written before stays readable.
    """
    run = runs.load(folder)
    made = sections.of(run)
    charts = [chart for section in made for chart in section.charts]
    little = page.trust_chart(run)
    charts += [little] if little else []
    try:
        return _written(run, made, charts)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise RunError(
            f"{folder}: no space left for the report; make room, then: "
            f"python -m loadtest report {folder}"
        ) from None


def table(folder: Path) -> Group:
    """The figures of the report for a console: one table an experiment, then the verdicts."""
    run = runs.load(folder)
    made = sections.of(run)
    twins = against_itself((section.experiment for section in made), run.valid)
    parts: list[Any] = [_console_table(section) for section in made if section.charts]
    parts += [
        Text(f"{claim.claim} {claim.word}: {claim.sentence}") for claim in sections.ordered(made)
    ]
    parts += [Text(f"{notice.word} {notice.text}") for notice in page.notices(run, twins)]
    return Group(*parts)


def _console_table(section: Section) -> Table:
    figures = section.charts[0].table
    shown = Table(title=section.experiment.title, title_justify="left", box=None)
    for header in figures.headers:
        shown.add_column(header, overflow="fold")
    for row in figures.rows:
        shown.add_row(*row)
    return shown


def _written(run: Run, made: Sequence[Section], charts: Sequence[Chart]) -> Path:
    pictures = {chart.name: (chart.svg(), chart.svg(NARROW)) for chart in charts}
    folder = run.folder / "charts"
    folder.mkdir(exist_ok=True)
    for chart in charts:
        svg = titled(pictures[chart.name][0], chart.title)
        _replace(folder / f"{chart.name}.svg", svg.encode())
        _replace(folder / f"{chart.name}.png", png(svg))
    _replace(run.folder / "results.csv", results_csv(run).encode())
    _replace(run.folder / "verdicts.json", _verdicts(run, made).encode())
    path = run.folder / "report.html"
    _replace(path, page.render(run, made, pictures).encode())
    return path


def _replace(path: Path, content: bytes) -> None:
    """Write beside, then put in place: a reader never sees half a file."""
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _verdicts(run: Run, made: Sequence[Section]) -> str:
    twins = against_itself((section.experiment for section in made), run.valid)
    document = {
        "version": runs.VERSION,
        "run_id": run.id,
        "budget": run.budget,
        "seed": run.info.get("seed"),
        "complete": run.complete,
        "stable": stable(twins),
        "claims": [claim.as_record() for claim in sections.ordered(made)],
        "comparisons": [_comparison(finding) for section in made for finding in section.findings],
        "twins": [_comparison(finding) for finding in twins],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _comparison(finding: Finding) -> dict[str, Any]:
    ratio = finding.ratio
    assert ratio
    return {
        "experiment": finding.experiment,
        "level": finding.level,
        "measure": finding.measure,
        "service": finding.service,
        "reference": finding.reference,
        "outcome": finding.outcome,
        "ratio": ratio.value,
        "interval": [ratio.low, ratio.high],
        "rounds": ratio.rounds,
        "p_holm": finding.p_adjusted,
        "p_equivalent": ratio.p_equivalent,
        "smallest_detectable_effect": ratio.detectable,
        "sentence": finding.sentence,
    }


_OF_TRIAL = (
    "experiment",
    "index",
    "attempt",
    "round",
    "order",
    "arm",
    "service",
    "level",
    "scenario",
)
_OF_LOAD = ("kind", "connections", "rate_rps")
_OF_RESULT = (
    *("duration_s", "sent", "answered", "failed", "unfinished", "unsendable"),
    *("goodput_rps", "mean_in_flight", "generator_cpu"),
)


def results_csv(run: Run) -> str:
    """Every trial as a line of CSV, for people who make their own plots."""
    text = io.StringIO()
    rows = [_csv_row(trial) for trial in run.trials]
    writer = csv.DictWriter(text, list(rows[0]) if rows else list(_OF_TRIAL), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _csv_row(trial: Trial) -> dict[str, Any]:
    latencies = read(trial.result.response_us)
    p50, p99 = latencies.percentile(50.0), latencies.percentile(99.0)
    parts = ((trial, _OF_TRIAL), (trial.load, _OF_LOAD), (trial.result, _OF_RESULT))
    return {name: getattr(part, name) for part, names in parts for name in names} | {
        "parameters": json.dumps(dict(trial.parameters)),
        "p50_ms": p50.ms if p50 else None,
        "p99_ms": p99.ms if p99 else None,
        "service_cpu_us": measure(trial, "service_cpu_us"),
        "pss_kib": measure(trial, "pss_kib_per_request"),
        "threads": measure(trial, "threads_per_request"),
        "predicted_rps": trial.prediction.rps if trial.prediction else None,
        "valid": trial.valid,
        "failed_gates": "; ".join(gate.name for gate in trial.gates if not gate.passed),
        "errors": json.dumps(dict(trial.result.errors)),
    }
