"""What each service can answer at most, for loads that are a share of the slowest one's peak."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from loadtest.errors import LabError
from loadtest.model.load import Load
from loadtest.model.trial import Trial
from loadtest.plan.schedule import PlannedTrial


class PeakError(LabError):
    """The slowest service's peak could not be measured; the message says which and why."""


def wanted(places: Iterable[PlannedTrial]) -> dict[str, PlannedTrial]:
    """By service, the trial that finds its peak, where one of `places` is a share of it."""
    first: dict[str, PlannedTrial] = {}
    for each in places:
        if each.level.share_of_peak is not None and each.experiment.peak is not None:
            first.setdefault(each.service, _finding(each, each.experiment.peak))
    return first


def _finding(planned: PlannedTrial, peak: Load) -> PlannedTrial:
    level = replace(planned.level, label="peak", load=peak, share_of_peak=None)
    alone = replace(planned.experiment, background=None)
    return replace(planned, experiment=alone, arm=planned.service, level=level)


def found(taken: Mapping[str, Trial], known: Mapping[str, float]) -> dict[str, float]:
    """Every service's peak in requests/s: those of `taken`, and those `known` before.

    What disturbs a load lowers its figure, so a trial that failed a gate tells the least that the
    peak can be. That will do where another service is slower. Raises PeakError where none is.
    """
    peaks = {**known, **{service: each.result.goodput_rps for service, each in taken.items()}}
    slowest = min(peaks, key=lambda service: peaks[service])
    if slowest in taken and not taken[slowest].valid:
        raise PeakError(f"the peak of {slowest} was not measured: {failed(taken[slowest])}")
    return peaks


def failed(trial: Trial) -> str:
    """The gates that a trial failed, with what they saw."""
    return ", ".join(f"{gate.name} ({gate.detail})" for gate in trial.gates if not gate.passed)
