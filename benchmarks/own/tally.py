"""What came of probes of services of known truth: right, “can't know”, or wrong."""

from __future__ import annotations

from collections import Counter

from rich.table import Table

from tests.native.probe.judging import Seen, Verdict, verdict, wrong
from tests.native.probe.truths import TRUTHS, Truth

GOAL = 0.95  # 19 of 20
VERDICTS: tuple[Verdict, ...] = ("right", "can't know", "wrong")
LEGEND = (
    "can't know: what is not true the probe itself doubts. It names nothing, or names the truth or "
    "other programs as possible too, and its interval holds the true number."
)


class Tally:
    """Counts probes, by service."""

    def __init__(self) -> None:
        self.found: Counter[tuple[str, Verdict]] = Counter()
        self.mistakes: Counter[tuple[str, str]] = Counter()

    def add(self, truth: Truth, seen: Seen) -> Verdict:
        """Count one probe."""
        became = verdict(truth, seen)
        self.found[truth.name, became] += 1
        self.mistakes.update((truth.name, each) for each in wrong(truth, seen))
        return became

    def probes(self, name: str) -> int:
        """How many there were of a service."""
        return sum(self.found[name, each] for each in VERDICTS)

    def table(self) -> Table:
        """A line a service, with what those said that were not right."""
        shown = Table("service", "slots", "binds", *VERDICTS, "not right", box=None)
        for truth in TRUTHS:
            if self.probes(truth.name):
                shown.add_row(*self._row(truth))
        shown.caption = f"{self.told()}\n{LEGEND}"
        return shown

    def told(self) -> str:
        """All probes in one line."""
        total = self.found.total()
        right, unsure, wrong_ones = (
            sum(self.found[one.name, each] for one in TRUTHS) for each in VERDICTS
        )
        share = f" ({right / total:.1%})" if total else ""
        return (
            f"{right} of {total} are right{share}, {unsure} say that they can't know, "
            f"{wrong_ones} are wrong"
        )

    def _row(self, truth: Truth) -> tuple[str, ...]:
        said = [
            f"{count} × {what}"
            for (name, what), count in self.mistakes.most_common()
            if name == truth.name
        ]
        slots = "–" if truth.slots is None else str(truth.slots)
        counts = [str(self.found[truth.name, each] or "–") for each in VERDICTS]
        return truth.name, slots, truth.binds[0], *counts, "; ".join(said)

    @property
    def reached(self) -> bool:
        """Whether the probes of each service reached the goal."""
        return all(
            self.found[truth.name, "right"] >= GOAL * self.probes(truth.name) for truth in TRUTHS
        )
