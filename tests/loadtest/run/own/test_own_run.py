"""A comparison of services of the user's own has a folder like any other, and can go on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest.backends.own import OwnServices
from loadtest.inventory.addresses import AddressError
from loadtest.model.experiment import Experiment
from loadtest.plan.parsing import parse
from loadtest.plan.plans import Options
from loadtest.run import comparison
from loadtest.system import machine

WORDS = ("versus", "A=http://127.0.0.1:1/", "B=http://127.0.0.1:2/", "--seed", "7")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine is takes a second to tell."""
    monkeypatch.setattr(machine, "describe", dict)


def compared(host: str = "127.0.0.1", **keys: Any) -> Experiment:
    targets = {name: {"url": f"http://{host}:{port}/"} for name, port in (("A", 1), ("B", 2))}
    return parse("versus", {"targets": targets, "fail_if": ["B < A"], **keys}, where="versus")


def test_it_goes_on_with_the_same_services_schedule_and_conditions(tmp_path: Path) -> None:
    options = Options(7, "full", words=WORDS)
    begun = comparison.begin(options, tmp_path, compared())
    assert (begun.record.budget, begun.record.command) == (
        "",
        f"python -m loadtest {' '.join(WORDS)}",
    )
    again = comparison.resume(begun.folder)
    assert again.plan.own == begun.plan.own
    assert [experiment.conditions for experiment in again.plan.experiments] == [
        experiment.conditions for experiment in begun.plan.experiments
    ]
    places = [
        [replace(each, experiment=begun.plan.experiments[0]) for each in found.plan.trials]
        for found in (begun, again)
    ]
    assert places[0] == places[1]
    assert isinstance(again.backend(), OwnServices)


def test_a_service_that_may_not_be_loaded_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(AddressError, match="--i-may-load-this"):
        comparison.begin(Options(7, "full"), tmp_path / "results", compared("8.8.8.8"))
    assert not (tmp_path / "results").exists()
    permitted = compared("8.8.8.8", i_may_load_this=True)
    assert comparison.begin(Options(7, "full"), tmp_path / "results", permitted).folder.exists()
