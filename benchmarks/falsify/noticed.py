"""What the gates noticed of disturbances, counted from the trials of `make falsify`."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from loadtest.model.trial import Trial

MATTERS = 0.1  # an effect of so much has to be noticed


@dataclass(frozen=True)
class Outcome:
    """One trial: what was done to it (None: nothing) and what came of it.

    Trials of one service and `kind` can be compared.
    """

    disturbance: str | None
    kind: str
    trial: Trial

    @property
    def like(self) -> tuple[str, str]:
        """What it can be compared with."""
        return self.trial.service, self.kind


@dataclass(frozen=True)
class Series:
    """The trials of one seed; the machine's load average before them, and how long they took."""

    seed: int
    outcomes: tuple[Outcome, ...]
    load: float = 0.0
    lasted_s: float = 0.0

    @property
    def quiet(self) -> list[Outcome]:
        """Trials to which nothing was done."""
        return [one for one in self.outcomes if one.disturbance is None]

    @cached_property
    def deaf(self) -> frozenset[str]:
        """Gates that most quiet trials fail: here and now they tell a disturbance from nothing.

        So it is where other programs run all the time.
        """
        count = Counter(name for one in self.quiet for name in failed(one.trial, ()))
        return frozenset(name for name, times in count.items() if times > len(self.quiet) / 2)

    @cached_property
    def usual(self) -> dict[tuple[str, str], float]:
        """Median figure of quiet trials that can be compared with each other, in requests/s."""
        figures: dict[tuple[str, str], list[float]] = {}
        for one in self.quiet:
            figures.setdefault(one.like, []).append(one.trial.result.goodput_rps)
        return {like: statistics.median(found) for like, found in figures.items()}

    def effect(self, outcome: Outcome) -> float | None:
        """By what share the figure differs from the usual one; None where there is none."""
        usual = self.usual.get(outcome.like)
        return outcome.trial.result.goodput_rps / usual - 1 if usual else None

    def noticed(self, outcome: Outcome) -> list[str]:
        """The gates that the trial failed and that tell something."""
        return failed(outcome.trial, self.deaf)


def failed(trial: Trial, left_out: Collection[str]) -> list[str]:
    """The gates that a trial failed, less those that are left out."""
    return [gate.name for gate in trial.gates if not gate.passed and gate.name not in left_out]


def row(series: Sequence[Series], name: str) -> list[str]:
    """Trials, effect, how many were noticed, and by which gates."""
    hit = [(each, one) for each in series for one in each.outcomes if one.disturbance == name]
    found = [effect for each, one in hit if (effect := each.effect(one)) is not None]
    gates = [each.noticed(one) for each, one in hit]
    by = Counter(gate for names in gates for gate in names)
    return [
        str(len(hit)),
        _effect(found),
        str(sum(map(bool, gates))),
        ", ".join(gate for gate, _ in by.most_common(3)) or "–",
    ]


def _effect(found: Sequence[float]) -> str:
    """Median, and lowest to highest."""
    if not found:
        return "–"
    ends = f" ({min(found):+.0%} to {max(found):+.0%})" if len(found) > 1 else ""
    return f"{statistics.median(found):+.0%}{ends}".replace("-", "−")


def matters(series: Series) -> tuple[int, int]:
    """Of how many trials with an effect of `MATTERS` how many were noticed."""
    hit = [
        one
        for one in series.outcomes
        if one.disturbance and (effect := series.effect(one)) is not None and effect < -MATTERS
    ]
    return sum(bool(series.noticed(one)) for one in hit), len(hit)


def alarms(series: Series) -> Counter[str]:
    """How many quiet trials failed each gate; "" counts the trials that failed any."""
    names = [series.noticed(one) for one in series.quiet]
    found = Counter(name for each in names for name in each)
    found[""] = sum(map(bool, names))
    return found
