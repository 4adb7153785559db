"""The run that tests of charts draw."""

from __future__ import annotations

import pytest

from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.results.runs import counted
from tests.synthetic import experiment, trials_of


@pytest.fixture(scope="module")
def sweep() -> tuple[Experiment, list[Trial]]:
    """A small experiment, and its trials."""
    one = experiment()
    return one, counted(trials_of([one]))
