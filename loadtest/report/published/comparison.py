"""One published comparison, with what slots predict and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping

from loadtest.model.experiment import Experiment
from loadtest.model.marks import MARKS
from loadtest.model.published import Published
from loadtest.report.published.beside import compared
from loadtest.report.published.expected import Place
from loadtest.report.published.measured import TakenAgain


class ToldComparison:
    """A comparison as the page has it, with what slots predict and what was measured of it."""

    def __init__(
        self,
        experiment: Experiment,
        published: Published,
        predicted: Mapping[Place, float],
        taken: TakenAgain | None,
    ) -> None:
        self.experiment, self.published = experiment, published
        self.predicted, self.taken = predicted, taken
        self.ratios = taken.ratios if taken else {}
        self.figures = compared(experiment, published, predicted, self.ratios)

    @property
    def heading(self) -> str:
        return f"{self.experiment.claim}: {self.experiment.title}"

    @property
    def predicted_everywhere(self) -> bool:
        """Whether slots foretell every published ratio, so that CPU decides none."""
        return all(each.predicted for each in self.figures)

    @property
    def verdict(self) -> str:
        if self.published.not_run:
            return "told, not run"
        return f"{MARKS[self.taken.verdict]} {self.taken.verdict}" if self.taken else "not measured"
