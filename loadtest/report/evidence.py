"""Why a run may be trusted: the reference against itself, failed checks and their reruns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from loadtest.analysis.amounts import amount, limits, times
from loadtest.analysis.findings import Finding, stable
from loadtest.model.counts import agree, number_of
from loadtest.model.trial import Gate, Trial
from loadtest.report.charts.style import Listing
from loadtest.results.runs import Run
from loadtest.stats.inference import INTERVAL_ROUNDS


def twin_table(twins: Sequence[Finding]) -> Listing | None:
    """Every comparison of a service with itself; None where there is none."""
    rows = tuple(
        (
            finding.reference,
            finding.experiment,
            finding.level,
            f"{times(finding.ratio.value)} ({limits(finding.ratio)})",
            finding.short,
        )
        for finding in twins
        if finding.ratio
    )
    headers = ("Service", "Experiment", "At", "Ratio to itself (95 %)", "Verdict")
    return Listing(headers, rows) if rows else None


def twin_sentence(twins: Sequence[Finding]) -> str:
    """What the comparisons of a service with itself say together."""
    if all(finding.rounds < INTERVAL_ROUNDS for finding in twins):
        return "Too few rounds to compare the reference service with itself."
    if not stable(twins):
        strange = sum(finding.outcome in ("more", "less") for finding in twins)
        return (
            f"{strange} of {number_of(len(twins), 'comparison')} of a service with itself "
            "found a difference."
        )
    open_ = sum(finding.outcome == "inconclusive" for finding in twins)
    tail = f", {open_} of them too noisy to be sure within ±5 %" if open_ else ""
    compared = number_of(len(twins), "comparison")
    return f"{compared} of a service with itself found no difference{tail}."


def gate_sentence(run: Run) -> str:
    """How many trials failed a check, and whether a rerun passed in place of each."""
    failed = [trial for trial in run.trials if not trial.valid]
    if not run.trials:
        return "No trial was run."
    if not failed:
        count = len(run.trials)
        every = agree(count, "The one trial", f"All {number_of(count, 'trial')}")
        return f"{every} passed every check, and none had to be rerun."
    lost = len({(trial.experiment, trial.index) for trial in failed} - _saved(run))
    trials = number_of(len(run.trials), "trial")
    told = f"{len(failed)} of {trials} failed a check{_disturbed(run)}"
    if not lost:
        return f"{told}, and a rerun passed in place of each."
    have, become = agree(lost, "has", "have"), agree(lost, "counts", "count")
    return (
        f"{told}; {number_of(lost, 'place')} of the schedule {have} no trial that passed, and "
        f"{become} nowhere."
    )


def _disturbed(run: Run) -> str:
    """How many of them something from outside disturbed, and by what."""
    by = Counter(name for trial in run.trials for name in trial.disturbed_by)
    count = sum(bool(trial.disturbed_by) for trial in run.trials)
    named = ", ".join(f"{times} × {name}" for name, times in by.most_common())
    return f" ({count} disturbed from outside: {named})" if count else ""


def failures(run: Run) -> Listing:
    """Every gate that failed, and what became of its trial."""
    saved = _saved(run)
    headers = ("Service", "Experiment", "At", "Round", "Attempt", "Check", "Value (limit)")
    return Listing(
        (*headers, "What", "Then"),
        tuple(
            _failure(trial, gate, saved)
            for trial in run.trials
            for gate in trial.gates
            if not gate.passed
        ),
    )


def _saved(run: Run) -> set[tuple[str, int]]:
    """Places of the schedule that have a trial which counts."""
    return {(trial.experiment, trial.index) for trials in run.valid.values() for trial in trials}


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
