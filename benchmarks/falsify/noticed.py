"""What the gates noticed of disturbances, counted from the trials of `make falsify`."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.falsify.disturbances import Disturbance
from loadtest.model.trial import Trial

MATTERS = 0.1  # an effect of so much has to be noticed


@dataclass(frozen=True)
class Outcome:
    """One trial: what was done to it (None: nothing) and what came of it."""

    disturbance: str | None
    kind: str  # direct, or through a proxy
    trial: Trial


def effects(outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """By how much each disturbance lowered the figure, beside the median of the quiet trials."""
    quiet: dict[tuple[str, str], list[float]] = {}
    for each in outcomes:
        if each.disturbance is None:
            key = each.trial.service, each.kind
            quiet.setdefault(key, []).append(each.trial.result.goodput_rps)
    found: dict[str, list[float]] = {}
    for each in outcomes:
        usual = quiet.get((each.trial.service, each.kind))
        if each.disturbance and usual:
            change = each.trial.result.goodput_rps / statistics.median(usual) - 1
            found.setdefault(each.disturbance, []).append(change)
    return found


def deaf(outcomes: Sequence[Outcome]) -> set[str]:
    """Gates that most quiet trials fail: here and now they tell a disturbance from nothing.

    So it is where other programs run all the time.
    """
    quiet = [one.trial for one in outcomes if one.disturbance is None]
    count = Counter(gate.name for trial in quiet for gate in trial.gates if not gate.passed)
    return {name for name, times in count.items() if times > len(quiet) / 2}


def failed(trial: Trial, left_out: set[str]) -> list[str]:
    """The gates that a trial failed and that tell something."""
    return [gate.name for gate in trial.gates if not gate.passed and gate.name not in left_out]


def table(outcomes: Sequence[Outcome], chosen: Sequence[Disturbance]) -> list[str]:
    """The table as lines of Markdown."""
    changed, left_out = effects(outcomes), deaf(outcomes)
    lines = ["| disturbance | trials | effect on the figure | noticed | by |"]
    lines.append("| --- | ---: | ---: | ---: | --- |")
    for each in chosen:
        hit = [one.trial for one in outcomes if one.disturbance == each.name]
        if hit:
            effect = statistics.median(changed.get(each.name, [0.0]))
            seen = sum(bool(failed(trial, left_out)) for trial in hit)
            by = Counter(name for trial in hit for name in failed(trial, left_out))
            named = ", ".join(name for name, _ in by.most_common(3)) or "–"
            lines.append(f"| {each.name} | {len(hit)} | {effect:+.0%} | {seen} | {named} |")
    return lines


def summary(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """What was noticed of what matters, and how often quiet trials were called disturbed."""
    left_out = deaf(outcomes)
    quiet = [one for one in outcomes if one.disturbance is None]
    alarms = [one for one in quiet if failed(one.trial, left_out)]
    usual = {
        key: statistics.median(
            one.trial.result.goodput_rps for one in quiet if (one.trial.service, one.kind) == key
        )
        for key in {(one.trial.service, one.kind) for one in quiet}
    }
    matter = [
        one
        for one in outcomes
        if one.disturbance
        and (level := usual.get((one.trial.service, one.kind)))
        and one.trial.result.goodput_rps < (1 - MATTERS) * level
    ]
    noticed = sum(bool(failed(one.trial, left_out)) for one in matter)
    by = Counter(name for one in alarms for name in failed(one.trial, left_out))
    why = f" ({', '.join(f'{count} × {name}' for name, count in by.most_common())})" if by else ""
    return {
        "noticed": f"{noticed} of {len(matter)} trials with an effect of 10 % or more",
        "alarms": f"{len(alarms)} of {len(quiet)} quiet trials{why}",
    }
