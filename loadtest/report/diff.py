"""What changed between two runs, and whether they may be compared at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from loadtest.analysis.amounts import amount, times
from loadtest.analysis.observations import by_round
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES
from loadtest.report import report
from loadtest.report.report import Report
from loadtest.results.runs import Run, RunError
from loadtest.stats.inference import ALPHA, Ratio, contrast, holm, log_ratios

_MACHINE = ("cpu", "cores", "memory_bytes", "architecture")
_UNSTABLE = "Unstable: {} found a difference between a service and itself. Trust no change here."
_SAME_SPEED = 1.25  # of Python's loop on one machine, from one hour to the next


@dataclass(frozen=True)
class Change:
    """A service at a level in two runs: its ratio to the reference in each, and how that changed.

    For the reference itself `before` and `after` are its own values: absolute, so that they can be
    compared on one machine only.
    """

    experiment: str
    level: str
    service: str
    absolute: bool
    before: float
    after: float
    ratio: Ratio
    p_adjusted: float = 1.0

    @property
    def word(self) -> str:
        """What may be said of it."""
        if self.ratio.equivalent:
            return "the same within ±5 %"
        if self.p_adjusted >= ALPHA:
            return "can't be told"
        return "higher" if self.ratio.value > 1 else "lower"


def compare(before: Path, after: Path) -> Group:
    """Two runs side by side, for a console.

    Raises RunError where a folder is no run of this version or the runs have nothing in common.
    """
    old, new = report.load(before), report.load(after)
    found = changes(old.run, new.run)
    if not found:
        raise RunError(f"{before} and {after} have no experiment, service and level in common")
    return Group(
        *(Text(line) for line in conditions(old.run, new.run)),
        *(Text(_UNSTABLE.format(each.run.id)) for each in (old, new) if not each.stable),
        _table(old.run, new.run, found),
        *(Text(line) for line in _verdicts(old, new)),
    )


def conditions(old: Run, new: Run) -> list[str]:
    """In plain words: same machine or not, and what else differs."""
    machines = [dict(run.info.get("machine") or {}) for run in (old, new)]
    facts = [{key: machine.get(key) for key in _MACHINE} for machine in machines]
    if not all(machines):
        first = "One of the runs does not say on which machine it was made."
    elif facts[0] == facts[1]:
        first = "Both runs were made on the same kind of machine."
    else:
        named = "; ".join(_differing(facts[0], facts[1]))
        first = f"Not the same machine ({named}): compare ratios only, no absolute figure."
    ratios = "The runs are not paired: what the machine did in between is in every absolute figure."
    settings = [
        {key: run.info.get(key) for key in ("budget", "backend", "plan", "git_commit")}
        | {"python": machine.get("python")}
        | {f"version of {key}": value for key, value in (run.info.get("versions") or {}).items()}
        for run, machine in zip((old, new), machines, strict=True)
    ]
    differing = list(_differing(settings[0], settings[1]))
    also = [f"Also different: {'; '.join(differing)}."] if differing else []
    return [first, ratios, *also, *_python_speed(*machines)]


def _python_speed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """What a version does not tell: whether one interpreter is built to be faster, or held up."""
    was, now = old.get("python_loop_us"), new.get("python_loop_us")
    if was and now and max(was, now) > _SAME_SPEED * min(was, now):
        yield (
            f"Python itself took {was} µs for the same loop, then {now}: another build of it, "
            "another machine or a busier one."
        )


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            was, now = (str(side.get(key) or "unknown")[:40] for side in (old, new))
            yield f"{key.replace('_', ' ')} {was} → {now}"


def changes(old: Run, new: Run) -> list[Change]:
    """Every service at every level that both runs have, Holm over all of them.

    Both in the later run's measure: an experiment may have had another one before.
    """
    found = [
        change
        for name in old.experiments
        if name in new.experiments and not MEASURES[new.experiments[name].measure].growth
        for level in old.experiments[name].levels
        for service in old.experiments[name].services
        if (change := _change(old, new, name, level.label, service))
    ]
    adjusted = holm({str(place): c.ratio.p_different for place, c in enumerate(found)})
    return [
        Change(**{**vars(change), "p_adjusted": adjusted[str(place)]})
        for place, change in enumerate(found)
    ]


def _change(old: Run, new: Run, name: str, level: str, service: str) -> Change | None:
    reference, measure = old.experiments[name].reference, new.experiments[name].measure
    values = [
        _values(run.valid.get(name, []), measure, level, service, reference) for run in (old, new)
    ]
    ratio = contrast(values[1], values[0])
    if ratio is None:
        return None
    before, after = (_geometric_mean(each) for each in values)
    return Change(name, level, service, service == reference, before, after, ratio)


def _values(
    trials: Sequence[Trial], measure: str, level: str, service: str, reference: str
) -> list[float]:
    """Of each round: the service's ratio to the reference, or the reference's own value."""
    own = by_round(trials, measure, level, service)
    if service == reference:
        return list(own.values())
    return [
        exp(each) for each in log_ratios(own, by_round(trials, measure, level, reference)) or ()
    ]


def _geometric_mean(values: list[float]) -> float:
    found = contrast(values, [1.0, 1.0])
    return found.value if found else 0.0


def _table(old: Run, new: Run, found: list[Change]) -> Table:
    shown = Table(box=None)
    for header in ("experiment", "at", "service", old.id, new.id, "change (95 % CI)", "so it is"):
        shown.add_column(header, overflow="fold")
    for change in found:
        ratio = change.ratio
        write = amount if change.absolute else _ratio
        shown.add_row(
            change.experiment,
            change.level,
            change.service,
            write(change.before),
            write(change.after),
            f"× {times(ratio.value)} ({times(ratio.low)}–{times(ratio.high)})",
            change.word,
        )
    return shown


def _ratio(value: float) -> str:
    return f"{amount(value)} × ref."


def _verdicts(old: Report, new: Report) -> Iterator[str]:
    before = {claim.claim: claim.word for claim in old.claims}
    for claim in new.claims:
        was = before.get(claim.claim)
        if was and was != claim.word:
            yield f"{claim.claim}: {was} → {claim.word}"
