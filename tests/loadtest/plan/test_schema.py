"""The schema that editors use, and the reader: what one takes the other takes."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from jsonschema import Draft202012Validator

from loadtest.plan import reader
from loadtest.plan.mistakes import ExperimentError
from loadtest.plan.parsing import parse
from loadtest.plan.schema import json_schema
from loadtest.plan.tables import ExperimentTable, LevelTable
from tests.synthetic import document

SCHEMA = Draft202012Validator(json_schema())
VALUES = some.recursive(
    some.booleans()  # TOML has no null
    | some.integers(-(10**30), 10**30)
    | some.floats()
    | some.text(max_size=200)
    | some.sampled_from(["C1", "closed", "open", "held", "goodput_rps", "fastapi-async"]),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.sampled_from([*LevelTable.model_fields, "a\nb"]), inner)
    ),
    max_leaves=6,
)


def shipped() -> list[Path]:
    return sorted(reader.EXPERIMENTS.rglob("*.toml"))


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_editors_find_the_schema_and_the_file_keeps_it(path: Path) -> None:
    text = path.read_text()
    directive, _, name = text.partition("\n")[0].rpartition(" ")
    assert directive == "#:schema"
    schema = json.loads((path.parent / name).read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(tomllib.loads(text))


def complaint(changed: dict[str, Any]) -> str:
    """What the reader says of a document; empty where it takes it."""
    try:
        parse("mine", changed, where="mine.toml")
    except ExperimentError as error:
        return str(error)
    return ""


@settings(max_examples=300)
@given(some.sampled_from([*ExperimentTable.model_fields, "nonsense", "two\nlines"]), VALUES)
def test_whatever_is_written_is_taken_as_the_schema_does_or_refused_in_one_line(
    key: str, value: Any
) -> None:
    changed = document(**{key: value})
    said = complaint(changed)
    assert re.fullmatch(r"mine\.toml: [^\n]+", said) or (not said and SCHEMA.is_valid(changed))


@settings(max_examples=200)
@given(some.sampled_from([*LevelTable.model_fields, "nonsense"]), VALUES)
def test_the_same_goes_for_a_level(key: str, value: Any) -> None:
    changed = document(levels=[{"label": "128 connections", key: value}])
    said = complaint(changed)
    assert re.fullmatch(r"mine\.toml: [^\n]+", said) or (not said and SCHEMA.is_valid(changed))


@pytest.mark.parametrize(
    "change",
    [
        {"claim": "one"},
        {"rounds": 0},
        {"services": []},
        {"services": ["a", "a"]},
        {"measure": "speed"},
        {"load": {"kind": "sideways"}},
        {"levels": [{"conections": 1}]},
        {"levels": [{"connections": 0}]},
        {"background": {"kind": "closed"}},
        {"parameters": {"ms": 1.5}},
        {"criteria": [{"says": "x", "service": "flask-sync", "ratio_at_most": -1}]},
    ],
    ids=str,
)
def test_editors_mark_what_the_reader_refuses(change: dict[str, Any]) -> None:
    assert complaint(document(**change))
    assert not SCHEMA.is_valid(document(**change))
