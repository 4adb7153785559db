"""The files of a finished run: report.html, charts, results.csv, verdicts.json. Runs nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from loadtest.analysis.failures import failed_share
from loadtest.analysis.findings import Finding
from loadtest.analysis.observations import mean_wait_ms, waiting_share
from loadtest.analysis.verdict import Claim
from loadtest.errors import DISK_FULL
from loadtest.model.marks import MARKS
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES
from loadtest.report import page, report, summary
from loadtest.report.charts.poster import poster
from loadtest.report.charts.style import NARROW, Chart, png, titled
from loadtest.report.own import outcome
from loadtest.report.report import Report
from loadtest.results import runs
from loadtest.results.runs import Run, RunError


def build(folder: Path) -> Path:
    """Make every file of the report of the run in `folder`; returns the page's path."""
    return write(report.load(folder))


def write(made: Report) -> Path:
    """Write every file of a report beside run.json; returns the page's path.

    Raises RunError where the disk is full: what was written before stays readable.
    """
    try:
        return _written(made)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        folder = made.run.folder
        raise RunError(
            f"{folder}: no space left for the report; make room, then: "
            f"python -m loadtest report {folder}"
        ) from None


def _written(made: Report) -> Path:
    home = made.run.folder
    pictures = {chart.name: (chart.svg(), chart.svg(NARROW)) for chart in made.charts}
    (home / "charts").mkdir(exist_ok=True)
    for chart in made.charts:
        svg = titled(pictures[chart.name][0], chart.title)
        replace(home / f"charts/{chart.name}.svg", svg.encode())
        replace(home / f"charts/{chart.name}.png", png(svg))
    for claim, svg in posters(made, pictures):
        replace(home / f"charts/{claim.claim}-wall.svg", svg.encode())
        replace(home / f"charts/{claim.claim}-wall.png", png(svg, scale=1.2))
    replace(home / "results.csv", results_csv(made.run).encode())
    document = json.dumps(verdicts(made), indent=2, ensure_ascii=False) + "\n"
    replace(home / "verdicts.json", document.encode())
    path = home / "report.html"
    replace(path, page.render(made, pictures).encode())
    return path


def posters(made: Report, pictures: Mapping[str, tuple[str, str]]) -> Iterator[tuple[Claim, str]]:
    """A picture for a wall for each claim that was measured."""
    conditions = f"Concurrency lab · {summary.measured_where(made)}"
    for section in made.sections:
        for claim in section.claims:
            if claim.word != "not measured":
                drawn = _drawn(section.wall(claim), pictures)
                yield claim, poster(claim, MARKS[claim.word], drawn, conditions)


def _drawn(chart: Chart | None, pictures: Mapping[str, tuple[str, str]]) -> str:
    if chart is None:
        return ""
    known = pictures.get(chart.name)
    return known[0] if known else chart.svg()


def replace(path: Path, content: bytes) -> None:
    """Write beside, then put in place: a reader never sees half a file."""
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def verdicts(made: Report) -> dict[str, Any]:
    """The content of verdicts.json."""
    findings = [finding for section in made.sections for finding in section.findings]
    return {
        "version": runs.RUN_VERSION,
        "run_id": made.run.id,
        "budget": made.run.budget,
        "seed": made.run.info.get("seed"),
        "complete": made.run.complete,
        "stable": made.stable,
        "conditions": outcome.as_records(
            [check for section in made.sections for check in section.conditions]
        ),
        "claims": [claim.as_record() for claim in made.claims],
        "comparisons": [_comparison(finding) for finding in findings],
        "twins": [_comparison(finding) for finding in made.twins],
    }


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


_MEASURED = {
    "p50_ms": "p50_ms",
    "p99_ms": "p99_ms",
    "service_cpu_us": "service_cpu_us",
    "pss_kib": "pss_kib_per_request",
    "threads": "threads_per_request",
}


def _csv_row(trial: Trial) -> dict[str, Any]:
    parts = ((trial, _OF_TRIAL), (trial.load, _OF_LOAD), (trial.result, _OF_RESULT))
    return (
        {name: getattr(part, name) for part, names in parts for name in names}
        | {"parameters": json.dumps(dict(trial.parameters))}
        | {column: MEASURES[name].value(trial) for column, name in _MEASURED.items()}
        | {"waiting_share": waiting_share([trial]), "littles_mean_ms": mean_wait_ms([trial])}
        | {
            "predicted_rps": trial.prediction.rps if trial.prediction else None,
            "valid": trial.valid,
            "failed_gates": "; ".join(gate.name for gate in trial.gates if not gate.passed),
            "failed_share": failed_share([trial.result]),
            "errors": json.dumps(dict(trial.result.errors)),
            "errors_after": json.dumps(dict(trial.result.failed_after)),
        }
    )
