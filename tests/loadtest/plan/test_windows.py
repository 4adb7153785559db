"""How long trials last: four mean waits where percentiles are told and the plan has room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.inventory import budgets, manifest
from loadtest.model.experiment import Experiment
from loadtest.model.load import Load
from loadtest.plan import reader, schedule, windows
from loadtest.plan.schedule import PlanName
from tests.synthetic import experiment


def planned(plan: PlanName = "full", name: str = "blocked-threads") -> Experiment:
    [one] = schedule.plan({name: reader.load_all()[name]}, plan)
    return one


@given(wait_s=st.floats(0.001, 100))
def test_a_trial_lasts_four_waits_or_as_long_as_its_experiment_says(wait_s: float) -> None:
    one = planned()
    warmup_s, duration_s = windows.lasting(one, one.levels[-1], wait_s)
    if (warmup_s, duration_s) != (one.warmup_s, one.duration_s):
        assert warmup_s >= wait_s
        assert warmup_s + duration_s == pytest.approx(max(4 * wait_s, warmup_s + one.duration_s))
        assert warmup_s + duration_s <= windows.ROOM_S["full"]
    else:
        assert 4 * wait_s <= one.warmup_s + one.duration_s or 4 * wait_s > one.longest_s


def test_only_levels_that_tell_percentiles_are_longer() -> None:
    one = planned()
    assert windows.lasting(one, one.levels[0], 4.0) == (one.warmup_s, one.duration_s)
    measured = planned(name="fanout")
    assert windows.lasting(measured, measured.levels[0], 4.0) == (4.0, 12.0)


def test_the_quick_plan_has_less_room() -> None:
    level = experiment().levels[-1]
    assert windows.lasting(planned("quick"), level, 4.27) == (0.5, 2.0)
    assert sum(windows.lasting(planned("quick"), level, 1.07)) == pytest.approx(4.28)


def test_open_loads_and_clients_that_pause_have_no_mean_wait() -> None:
    assert windows.mean_wait_s(Load("closed", 128), 30.0) == pytest.approx(4.27, abs=0.01)
    assert windows.mean_wait_s(Load("open", 128, 30.0), 30.0) is None
    assert windows.mean_wait_s(Load("closed", 128, think_s=1.0), 30.0) is None


def test_the_estimate_knows_what_the_budget_makes_of_it() -> None:
    services = manifest.load(variables=budgets.variables("equal-slots"))
    one = planned()
    at_128 = one.levels[3]
    assert windows.longer_s(one, at_128, services["flask-gthread"]) == 0
    last = one.levels[-1]
    assert windows.longer_s(one, last, services["flask-gthread"]) == pytest.approx(10.0)
