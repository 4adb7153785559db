"""Experiments: what a reader can write, and what he is told when it is wrong."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from loadtest.contract import scenarios
from loadtest.inventory import manifest
from loadtest.model.experiment import Experiment
from loadtest.model.load import Load
from loadtest.plan import reader
from loadtest.plan.mistakes import ExperimentError
from loadtest.plan.parsing import parse
from tests.synthetic import document

_ACROSS = {
    "service": "flask-sync",
    "ratio_at_most": 1,
    "level": "1 connection",
    "reference_level": "1 connection",
}


@pytest.fixture(scope="module")
def shipped() -> dict[str, Experiment]:
    return reader.load_all(services=manifest.load(), scenarios=scenarios.SCENARIOS)


def test_every_claim_has_its_trial(shipped: dict[str, Experiment]) -> None:
    found = {claim for each in shipped.values() for claim in (each.claim, *each.further)}
    assert found >= {f"C{number}" for number in range(1, 15)}
    assert all(re.fullmatch(r"C\d+", claim) for claim in found)


def test_what_refutes_a_claim_asks_for_all_that_a_refutation_needs() -> None:
    """Only where every criterion fails is a claim refuted, so a sentence joins them with `and`."""
    every = [*reader.load_all().values(), *reader.load_published().values()]
    assert not [each.name for each in every if re.search(r"[,;] or ", each.refutes)]


def test_no_claim_is_tried_by_two_experiments(shipped: dict[str, Experiment]) -> None:
    tried = Counter(claim for each in shipped.values() for claim in (each.claim, *each.further))
    assert [claim for claim, count in tried.items() if count > 1] == []


def test_every_timed_experiment_can_end_in_a_verdict(
    shipped: dict[str, Experiment],
) -> None:
    for each in shipped.values():
        decided = {criterion.claim for criterion in each.criteria}
        assert each.check or decided == {each.claim, *each.further}, each.name


def test_parameters_are_those_of_the_scenarios(shipped: dict[str, Experiment]) -> None:
    for each in shipped.values():
        for level in each.levels:
            scenarios.choose(level.scenario).filled(level.parameters)


def test_a_level_takes_from_the_top_what_it_does_not_say() -> None:
    experiment = parse(
        "mine",
        document(
            environment={"POOL_SIZE": 8},
            criteria=[],
            levels=[
                {"connections": 4},
                {"label": "slow", "parameters": {"ms": 900}, "environment": {"WORKERS": 2}},
            ],
        ),
        where="mine.toml",
    )
    first, second = experiment.levels
    assert (first.label, first.x, first.scenario) == ("4 connections", 4.0, "wait")
    assert first.load == Load("closed", 4)
    assert second.parameters == {"ms": 900}
    assert second.environment == {"POOL_SIZE": "8", "WORKERS": "2"}


def test_a_share_of_the_peak_becomes_a_rate() -> None:
    experiment = parse(
        "tail",
        document(
            load={"kind": "open", "connections": 64},
            peak={"connections": 16},
            levels=[{"label": "half", "share_of_peak": 0.5}],
            criteria=[],
        ),
        where="tail.toml",
    )
    assert experiment.peak == Load("closed", 16)
    assert experiment.levels[0].at_peak(5000.0) == Load("open", 64, 2500.0)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"rwos": []}, "unknown key 'rwos'; there are: axis, background, caution, check"),
        ({"rounds": "six"}, "rounds must be a whole number, is 'six'"),
        ({"rounds": 0}, "rounds must be above 0, is 0"),
        ({"title": 5}, "title must be text, is 5"),
        ({"headline": 1}, "headline must be true or false, is 1"),
        ({"services": []}, "services must be a list of names"),
        ({"services": ["a", "a"]}, "services names one thing twice: a, a"),
        ({"reference": "node"}, "reference 'node' is none of its services: fastapi-async"),
        ({"measure": "speed"}, "measure 'speed' is none of: goodput_rps"),
        ({"claim": "one"}, "claim must be C (or P) and a number, is 'one'"),
        ({"levels": []}, "levels is empty; name at least one load"),
        ({"levels": [{"connections": 1}, {"connections": 1}]}, "levels need labels that differ"),
        ({"levels": [{"conections": 1}]}, "levels[0]: unknown key 'conections'"),
        ({"levels": ["many"]}, "levels[0]: must be a table, is 'many'"),
        ({"levels": [{"cores": 0}]}, "cores must be at least 1, is 0"),
        ({"levels": [{"gil": "off"}]}, "gil must be true or false, is 'off'"),
        ({"load": {"kind": "sideways"}}, "kind 'sideways' is none of: closed, open"),
        ({"load": {"kind": "open"}}, "levels[0]: kind 'open' needs rate_rps or share_of_peak"),
        ({"levels": [{"share_of_peak": 0.5}]}, "share_of_peak needs [peak]"),
        ({"parameters": {"ms": 1.5}}, "parameters.ms must be a whole number"),
        (
            {"levels": [{"connections": 1, "without": ["fastapi-async"]}]},
            "'1 connection' is without 'fastapi-async', which must be one of its services and ",
        ),
        ({"scenario": ""}, "scenario is missing; add it here or at the top"),
        ({"load": {"requests_per_connection": 0}}, "requests_per_connection must be at least 1"),
        (
            {"scenario": "websocket", "load": {"requests_per_connection": 1}},
            "levels[0]: scenario websocket keeps its connections; leave requests_per_conn",
        ),
        ({"full_services": ["go"]}, "full_services has 'go', which is none of its services"),
        ({"passes": ["go"]}, "passes has 'go', which is none of its services"),
        ({"background": {"kind": "closed"}}, "background: scenario is missing; add it"),
        ({"further": [{"claim": "C2"}]}, "further[0]: statement is missing; add it"),
    ],
)
def test_a_mistake_is_named_with_its_place(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        parse("mine", document(**change), where="mine.toml")
    assert str(caught.value).startswith("mine.toml: ")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("criterion", "complaint"),
    [
        ({"service": "go", "ratio_at_most": 1}, "service 'go' is none of: fastapi-async"),
        ({"service": "flask-sync"}, "give bounds of one sort: ratio_at_least"),
        ({"service": "flask-sync", "ratio_at_most": 1, "value_at_most": 1}, "bounds of one sort"),
        (
            {"service": "flask-sync", "ratio_at_most": 1, "level": "9"},
            "level '9' is none of: 1 conn",
        ),
        ({"service": "flask-sync", "ratio_at_most": 1, "claim": "C9"}, "claim 'C9' is none of: C1"),
        (_ACROSS | {"reference_level": "9"}, "reference_level '9' is none of: 1 conn"),
        (
            _ACROSS | {"reference": "flask-sync"},
            "compares flask-sync at '1 connection' with itself",
        ),
        (
            {"service": "flask-sync", "value_at_most": 1, "reference_level": "1 connection"}
            | {"level": "1 connection"},
            "reference_level is for a ratio of two levels",
        ),
        (
            {"service": "flask-sync", "ratio_at_most": 1, "reference_level": "1 connection"}
            | {"measure": "pss_kib_per_request"},
            "reference_level is for a ratio of two levels",
        ),
    ],
)
def test_a_mistake_in_a_criterion_is_named(criterion: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        parse("mine", document(criteria=[{"says": "x"} | criterion]), where="mine.toml")
    assert str(caught.value).startswith("mine.toml: criteria[0]: ")
    assert complaint in str(caught.value)


def test_a_load_may_end_its_connections_and_a_level_may_do_otherwise() -> None:
    levels = [{"connections": 4}, {"connections": 8, "requests_per_connection": 100}]
    found = parse(
        "mine",
        document(load={"requests_per_connection": 1}, levels=levels, criteria=[]),
        where="mine.toml",
    )
    assert [level.load.requests_per_connection for level in found.levels] == [1, 100]


def test_a_key_that_is_missing_is_named() -> None:
    without = document()
    del without["title"]
    with pytest.raises(ExperimentError, match=r"^mine\.toml: title is missing; add it$"):
        parse("mine", without, where="mine.toml")


def test_a_file_that_is_no_toml_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('claim = "C1"\ntitle = \n')
    with pytest.raises(ExperimentError, match=r"bad\.toml: not valid TOML: .*line 2"):
        reader.load_all(tmp_path)


def test_services_and_scenarios_must_exist(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text((reader.EXPERIMENTS / "blocked-threads.toml").read_text())
    with pytest.raises(
        ExperimentError, match="unknown service 'flask-sync'; there are: fastapi-async"
    ):
        reader.read(path, services=["fastapi-async"])
    with pytest.raises(ExperimentError, match="unknown scenario 'wait'; there are: json"):
        reader.read(path, scenarios=["json"])


def test_an_unknown_name_lists_what_there_is(shipped: dict[str, Experiment]) -> None:
    with pytest.raises(ExperimentError, match="unknown experiment 'speed'; there are: blocked-"):
        reader.choose(shipped, ["speed"])
    assert list(reader.choose(shipped, ["fanout", "pool-size"])) == ["pool-size", "fanout"]


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="holds no experiment"):
        reader.load_all(tmp_path)
