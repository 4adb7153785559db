"""The page of a run: everything it shows, put into one self-contained HTML file."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loadtest.analysis import verdicts
from loadtest.analysis.claims import UNITS, Check, amount
from loadtest.analysis.verdicts import Finding, times
from loadtest.inventory import palette
from loadtest.model.trial import Gate, Trial
from loadtest.report import conditions
from loadtest.report.charts import trust
from loadtest.report.charts.style import Chart, Table, service
from loadtest.report.sections import Section, ordered
from loadtest.results.runs import Run
from loadtest.stats.inference import FEWEST_ROUNDS

_TEMPLATES = Path(__file__).with_name("templates")
_MARKS = {
    "confirmed": "✔",
    "refuted": "✘",
    "conditional": "◐",
    "undecided": "?",
    "not measured": "–",
}
_STATES = {"holds": "✔", "fails": "✘", "open": "?", "not measured": "–"}


@dataclass(frozen=True)
class Notice:
    """Something that a reader has to know before any figure."""

    word: str
    text: str


def render(run: Run, sections: Sequence[Section], charts: Mapping[str, tuple[str, str]]) -> str:
    """The page as HTML. `charts`: wide and narrow SVG of each chart by its name."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
    )
    environment.filters.update(
        wide=lambda chart: _uri(charts[chart.name][0]),
        narrow=lambda chart: _uri(charts[chart.name][1]),
        glyphed=_glyphed,
        figure_text=figure_text,
        interval_text=interval_text,
        predicted_text=predicted_text,
    )
    twins = verdicts.twins((section.experiment for section in sections), run.valid)
    return environment.get_template("report.html.j2").render(
        run=run,
        title=f"Concurrency lab: run {run.id}",
        css=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),
        lead=_lead(run, sections),
        notices=notices(run, twins),
        sections=sections,
        claims=ordered(sections),
        marks=_MARKS,
        states=_STATES,
        little=trust_chart(run),
        warnings=run.info.get("warnings") or (),
        twins=_twin_table(twins),
        twin_sentence=_twin_sentence(twins),
        failures=_failures(run),
        gate_sentence=_gate_sentence(run),
        command=run.info.get("command", "python -m loadtest run"),
        conditions=conditions.facts(run),
        services=conditions.services(run),
    )


def trust_chart(run: Run) -> Chart | None:
    """Little's law over every trial that counts."""
    return trust.little([trial for trials in run.valid.values() for trial in trials])


def notices(run: Run, twins: Sequence[Finding]) -> list[Notice]:
    """What lowers the worth of the whole run, worst first."""
    found = []
    if not verdicts.stable(twins):
        found.append(
            Notice(
                "Unstable.",
                "The lab found a difference between a service and itself, so something besides the "
                "services moved the figures. Trust no comparison here; let nothing else run on the "
                "machine and measure again.",
            )
        )
    if not run.complete:
        planned = run.info.get("planned")
        done = len({(trial.experiment, trial.index) for trial in run.trials})
        of = f" of {planned}" if planned else ""
        reason = run.info.get("reason") or "The run ended early"
        found.append(
            Notice("Incomplete.", f"{reason}: {done}{of} trials are here. What is here is sound.")
        )
    for kind, word in (("left_out", "Left out."), ("unverified", "Not timed.")):
        for name, why in dict(run.info.get(kind) or {}).items():
            found.append(Notice(word, f"{name}: {why}"))
    return found


def figure_text(check: Check) -> str:
    """A claim's one figure: `flask-gthread, 128 connections: 0.30 × fastapi-async`."""
    figure, criterion = check.figure, check.criterion
    if figure is None:
        return "–"
    where = f", {criterion.level}" if criterion.level else ""
    unit = f"× {criterion.reference}" if criterion.ratio else UNITS[criterion.measure]
    return f"{criterion.service}{where}: {_scaled(check, figure.value)} {unit}"


def interval_text(check: Check) -> str:
    """The interval of a claim's figure, with its rounds."""
    figure = check.figure
    if figure is None:
        return "–"
    if figure.rounds < FEWEST_ROUNDS:
        return f"too few rounds ({figure.rounds})"
    low, high = _scaled(check, figure.low), _scaled(check, figure.high)
    return f"{low} to {high} ({figure.rounds} rounds)"


def predicted_text(check: Check) -> str:
    """What slots ÷ wait foretells of a claim's figure."""
    if check.predicted is None:
        return "–"
    return f"{amount(check.predicted)}{' ×' if check.criterion.ratio else ''}"


def _scaled(check: Check, value: float) -> str:
    percents = check.criterion.measure == "answered_share" and not check.criterion.ratio
    return amount(100 * value if percents else value)


def _uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _glyphed(cell: str) -> str:
    """A service's name with its shape before it, as the charts have it."""
    return f"{palette.glyph(service(cell))} {cell}" if service(cell) in palette.COLOURS else cell


def _lead(run: Run, sections: Sequence[Section]) -> str:
    services = sorted({trial.service for trial in run.trials})
    if not services:
        return "No trial of this run was finished, so there is nothing to compare yet."
    words = [str(claim.word) for claim in ordered(sections)]
    counts = ", ".join(f"{words.count(word)} {word}" for word in _MARKS if words.count(word))
    machine = run.info.get("machine") or {}
    cores = machine.get("cores", "?")
    return (
        f"{len(services)} services ({', '.join(services)}), {len(run.trials):,} trials on {cores} "
        f"cores under the {run.budget} budget, seed {run.info.get('seed', '?')}. "
        f"Of {len(words)} claim{'s'[: len(words) != 1]}: {counts}."
    )


def _twin_table(twins: Sequence[Finding]) -> Table | None:
    services = tuple(
        (
            finding.reference,
            finding.experiment,
            finding.level,
            f"{times(finding.comparison.ratio)} ({verdicts.limits(finding.comparison)})",
            finding.sentence,
        )
        for finding in twins
        if finding.comparison
    )
    headers = ("Service", "Experiment", "At", "Ratio to itself (95 %)", "Verdict")
    return Table(headers, services) if services else None


def _twin_sentence(twins: Sequence[Finding]) -> str:
    strange = [finding for finding in twins if finding.outcome in ("more", "less")]
    if all(finding.rounds < FEWEST_ROUNDS for finding in twins):
        return "Too few rounds to compare the reference service with itself."
    open_ = sum(finding.outcome == "inconclusive" for finding in twins)
    if strange:
        return (
            f"{len(strange)} of {_counted(len(twins), 'comparison')} of a service with itself "
            "found a difference."
        )
    tail = f", {open_} of them too noisy to be sure within ±5 %" if open_ else ""
    compared = _counted(len(twins), "comparison")
    return f"{compared} of a service with itself found no difference{tail}."


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def _gate_sentence(run: Run) -> str:
    failed = [trial for trial in run.trials if not trial.valid]
    if not failed:
        return f"All {len(run.trials):,} trials passed every check, and none had to be rerun."
    places = {(trial.experiment, trial.index) for trial in failed}
    saved = {(trial.experiment, trial.index) for trials in run.valid.values() for trial in trials}
    lost = len(places - saved)
    told = f"{len(failed)} of {_counted(len(run.trials), 'trial')} failed a check"
    if not lost:
        return f"{told}, and a rerun passed in place of each."
    have = "have" if lost > 1 else "has"
    return (
        f"{told}; {_counted(lost, 'place')} of the schedule {have} no trial that passed, and "
        f"{'count' if lost > 1 else 'counts'} nowhere."
    )


def _failures(run: Run) -> Table:
    saved = {(trial.experiment, trial.index) for trials in run.valid.values() for trial in trials}
    return Table(
        (
            "Service",
            "Experiment",
            "At",
            "Round",
            "Attempt",
            "Check",
            "Value (limit)",
            "What",
            "Then",
        ),
        tuple(_failure(trial, gate, saved) for trial, gate in _failed(run.trials)),
    )


def _failed(trials: Iterable[Trial]) -> list[tuple[Trial, Gate]]:
    return [(trial, gate) for trial in trials for gate in trial.gates if not gate.passed]


def _failure(trial: Trial, gate: Gate, saved: set[tuple[str, int]]) -> tuple[str, ...]:
    value = "–" if gate.value is None else amount(gate.value)
    limit = "" if gate.limit is None else f" ({amount(gate.limit)})"
    then = "a rerun passed" if (trial.experiment, trial.index) in saved else "no rerun passed"
    return (
        trial.arm,
        trial.experiment,
        trial.level,
        str(trial.round),
        str(trial.attempt),
        gate.name,
        value + limit,
        gate.detail,
        then,
    )
