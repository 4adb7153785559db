"""What is said and drawn of something measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loadtest.model.load import Load
from loadtest.model.trial import Prediction, Trial

Value = Callable[[Trial], float | None]


@dataclass(frozen=True)
class Predicted:
    """What slots ÷ wait says of a measure: the figure of a prediction, and its words."""

    figure: Callable[[Prediction, Load], float | None]
    words: str


@dataclass(frozen=True)
class Growth:
    """How a measure is drawn whose figure is a slope: what each further held request adds.

    A value is in `unit`; the axis counts `per_axis` of them as one.
    """

    noun: str
    unit: str
    axis: str
    axis_unit: str = ""
    per_axis: int = 1


@dataclass(frozen=True)
class Measure:
    """Something measured of a service in each trial.

    `meaning` and `scale` are its line in docs/experiments.md. `noun` names it in a ratio of two
    services. `unit` stands behind a figure.
    `more`, `less` and `times` compare {a} with {b} by {x}. `value` is None where a trial has too
    little for it. A `share` is one of a whole: between 0 and 1, maybe 0, shown in percent. All
    else is averaged and drawn by its ratios. With `growth` the figure is the slope of the value
    over the loads. A `percentile` needs windows that are longer than the wait.
    """

    name: str
    meaning: str
    scale: str
    noun: str
    unit: str
    more: str
    less: str
    times: str
    value: Value
    share: bool = False
    predicted: Predicted | None = None
    growth: Growth | None = None
    percentile: bool = False

    @property
    def unit_of_value(self) -> str:
        """The unit of what one trial measures: that of a slope is another."""
        return self.growth.unit if self.growth else self.unit

    def shown(self, figure: float) -> float:
        """A figure in `unit`."""
        return 100 * figure if self.share else figure

    def foretold(self, prediction: Prediction | None, load: Load) -> float | None:
        """The figure that a prediction stands for; None where it says nothing of it."""
        return self.predicted.figure(prediction, load) if self.predicted and prediction else None
