"""What a measure makes of one trial."""

from __future__ import annotations

import pytest

from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES
from tests.synthetic import experiment, trials_of


@pytest.fixture(scope="module")
def trial() -> Trial:
    return next(t for t in trials_of([experiment()]) if t.level == "128 connections")


def test_measures_of_a_trial(trial: Trial) -> None:
    assert MEASURES["goodput_rps"].value(trial) == trial.result.goodput_rps
    assert MEASURES["answered_share"].value(trial) == 1.0
    assert trial.prediction is not None
    share = trial.result.goodput_rps / trial.prediction.rps
    assert MEASURES["share_of_prediction"].value(trial) == pytest.approx(share)
    cpu = MEASURES["service_cpu_us"].value(trial)
    assert cpu is not None
    assert cpu > 0


def test_a_trial_without_samples_has_no_service_side(trial: Trial) -> None:
    bare = Trial(**vars(trial) | {"samples": (), "prediction": None})
    assert MEASURES["pss_kib_per_request"].value(bare) is None
    assert MEASURES["service_cpu_us"].value(bare) is None
    assert MEASURES["share_of_prediction"].value(bare) is None
