"""docs/experiments.md: its example can be read, and its tables have every key and measure."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from loadtest.contract.scenarios import SCENARIOS
from loadtest.engine.kinds import KINDS
from loadtest.inventory import manifest
from loadtest.plan import reader
from loadtest.plan.criteria import MEASURES
from loadtest.plan.mistakes import ExperimentError
from loadtest.plan.parsing import parse
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "experiments.md").read_text()
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
LOAD = {"kind", "connections", "rate_rps", "think_s"}
SHARED = {"scenario", "parameters", "environment"}  # by the experiment and its levels


def table(heading: str) -> set[str]:
    """The first column of the table under a heading."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def accepted(change: dict[str, Any]) -> set[str]:
    """The keys that the reader names where the example has one that it does not know."""
    with pytest.raises(ExperimentError, match="unknown key 'nonsense'") as raised:
        parse("mine", tomllib.loads(EXAMPLE) | change, where="mine.toml")
    return set(str(raised.value).partition("there are: ")[2].split(", "))


def test_the_example_is_an_experiment(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EXAMPLE)
    found = reader.read(path, services=manifest.load(variables={}), scenarios=SCENARIOS)
    assert len(found.levels) == 2
    assert len(found.criteria) == 1


def test_every_key_of_an_experiment_is_there() -> None:
    assert table("The experiment") == accepted({"nonsense": 1})


def test_every_key_of_a_level_is_there() -> None:
    level = {"label": "one", "nonsense": 1}
    assert table("A level") | LOAD | SHARED == accepted({"levels": [level]})


def test_every_key_of_a_load_is_there() -> None:
    assert table("A load") == LOAD
    load = {"kind": "closed", "connections": 1, "nonsense": 1}
    assert accepted({"peak": load}) == LOAD


def test_every_key_of_a_criterion_is_there() -> None:
    (criterion,) = tomllib.loads(EXAMPLE)["criteria"]
    assert table("A criterion") == accepted({"criteria": [criterion | {"nonsense": 1}]})


def test_every_measure_and_kind_of_load_is_there() -> None:
    assert table("Measures") == set(MEASURES)
    kinds = " ".join(re.findall(r"^\| `kind` \|.*$", TEXT, re.MULTILINE))
    assert set(KINDS) <= set(re.findall(r"`(\w+)`", kinds))
