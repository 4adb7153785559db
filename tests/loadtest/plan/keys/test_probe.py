"""A probe that is kept as a file: what it says, and every mistake in one line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from loadtest.model.probe import PlannedProbe
from loadtest.model.target import Target
from loadtest.plan import reader
from loadtest.plan.keys.probe import planned_probe
from loadtest.plan.mistakes import ExperimentError
from loadtest.plan.parsing import parse
from loadtest.plan.schema import probe_schema

SCHEMA = Draft202012Validator(probe_schema())
EXAMPLE = """\
seconds = 20
beside = "/healthz"
fail_if = ["slots < 8", "binds == one at a time"]

[targets.items]
url = "http://127.0.0.1:8000/items"
headers = { Authorization = "Bearer x" }
start = "gunicorn shop:app --workers 8 --bind 127.0.0.1:8000"
ready = "/healthz"
"""
ONE = {"url": "http://127.0.0.1:8000/"}


def complaint(changed: dict[str, Any]) -> str:
    with pytest.raises(ExperimentError) as refused:
        planned_probe(changed, where="mine.toml")
    return str(refused.value)


def test_a_file_says_what_is_probed_how_it_starts_and_what_fails(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EXAMPLE)
    found = reader.read_probe(path)
    assert found.start is not None
    assert (found.start.command[0], found.start.folder) == ("gunicorn", str(tmp_path))
    assert found == PlannedProbe(
        where="mine.toml",
        name="items",
        target=Target("http://127.0.0.1:8000/items", headers={"Authorization": "Bearer x"}),
        start=found.start,
        seconds=20,
        connections=256,
        beside="/healthz",
        fail_if=("slots < 8", "binds == one at a time"),
        may_load=False,
    )
    assert SCHEMA.is_valid(tomllib.loads(EXAMPLE))


@pytest.mark.parametrize(
    ("changed", "told", "valid"),
    [
        ({}, "targets is missing; add it", False),
        ({"targets": {}}, "targets is empty; add [targets.NAME]", False),
        ({"targets": {"A": ONE, "B": ONE}}, "run --experiments mine.toml compares", False),
        (
            {"targets": {"A": ONE, "B": ONE}, "rounds": 4},
            "run --experiments mine.toml compares",
            False,
        ),
        ({"targets": {"A": ONE}, "rounds": 4}, "unknown key 'rounds'; there are:", False),
        ({"targets": {"A": {}}}, "targets.A: url is missing", False),
        ({"targets": {"A": ONE | {"speed": 1}}}, "unknown key 'speed'", False),
        ({"targets": {"A": ONE}, "seconds": 0}, "seconds must be above 0, is 0", False),
        ({"targets": {"A": ONE}, "connections": 1.5}, "connections must be a whole", False),
        ({"targets": {"A": {"url": "127.0.0.1:8000"}}}, "write http://127.0.0.1:8000", True),
        ({"targets": {"A": ONE | {"path": "items"}}}, "has to begin with one /", True),
        ({"targets": {"A": ONE | {"ready": "/up"}}}, "ready needs start", True),
        ({"targets": {"A": ONE | {"start": "a 'b"}}}, "No closing quotation", True),
        ({"targets": {"a b": ONE}}, "a name begins with a letter", True),
    ],
)
def test_a_mistake_is_told_in_one_line(changed: dict[str, Any], told: str, valid: bool) -> None:
    said = complaint(changed)
    assert said.startswith("mine.toml: ")
    assert told in said
    assert "\n" not in said
    assert SCHEMA.is_valid(changed) == valid


def test_a_comparison_of_one_says_that_it_is_a_probe() -> None:
    with pytest.raises(ExperimentError, match=r"loadtest probe mine\.toml looks at one alone"):
        parse("mine", {"targets": {"A": ONE}}, where="mine.toml")
