"""Figures as a table of a terminal: eighty columns, and no word is folded."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from loadtest.analysis.amounts import amount
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES
from loadtest.run.progress.standings import standings

_HEADERS = ("service", "level", "slots ÷ wait", "rounds")


def table(experiment: Experiment, trials: Sequence[Trial]) -> Group:
    """Each service at each level: the figure so far, what slots ÷ wait foretells, the rounds."""
    found = Table(box=None, pad_edge=False)
    service, level, foretold, rounds = _HEADERS
    found.add_column(service, no_wrap=True)
    found.add_column(level)  # a long one takes two lines, so that no unit is cut off
    # Of services of the user's own nothing is foretold.
    told = [foretold] if not experiment.targets else []
    for header in (MEASURES[experiment.measure].unit_of_value, *told, rounds):
        found.add_column(header, justify="right", min_width=max(map(len, header.split())))
    for each in standings(experiment, trials):
        figure = "…" if each.figure is None else amount(each.figure)
        prediction = "–" if each.foretold is None else amount(each.foretold)
        cells = [figure, *([prediction] if told else []), str(each.rounds)]
        found.add_row(each.service, each.level, *cells)
    return Group(Text(experiment.title, style="italic"), found)
