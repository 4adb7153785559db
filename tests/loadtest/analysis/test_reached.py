"""How much of slots ÷ wait a service reached is told beside the bound."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtest.analysis.slots import reached
from loadtest.model.trial import Trial
from loadtest.results.runs import counted
from tests.synthetic import experiment, faster, trials_of


def trials(bound_by: str = "threads", by: float = 1.0) -> list[Trial]:
    def limited(trial: Trial) -> Trial:
        assert trial.prediction
        told = replace(trial, prediction=replace(trial.prediction, bound_by=bound_by))
        return faster(told, by) if trial.arm == "flask-gthread" else told

    return counted(trials_of([experiment()], change=limited))


def test_uneven_workers_are_named_where_slots_stayed_idle() -> None:
    seen = {"flask-gthread": {"burst": {"worker_requests": [12, 60, 72]}}}
    told = "\n".join(reached(experiment(), trials(by=0.8), seen))
    assert "flask-gthread reached 8" in told or "flask-gthread reached 7" in told
    assert "unevenly (12, 60 and 72 of 144 requests in a burst)" in told


@pytest.mark.parametrize(("shares", "by"), [([48, 48, 48], 0.8), ([12, 60, 72], 1.0), ([9], 0.8)])
def test_nothing_is_blamed_without_cause(shares: list[int], by: float) -> None:
    seen = {"flask-gthread": {"burst": {"worker_requests": shares}}}
    told = reached(experiment(), trials(by=by), seen)
    assert len(told) == 3
    assert not any("unevenly" in each for each in told)


@pytest.mark.parametrize("limit", ["connections", "pauses of the clients", "offered rate"])
def test_where_the_clients_are_the_limit_there_is_nothing_to_reach(limit: str) -> None:
    assert reached(experiment(), trials(limit), {}) == []
