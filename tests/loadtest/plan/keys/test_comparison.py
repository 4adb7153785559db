"""A comparison of services of the user's own: its file, its conditions, and every mistake."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from jsonschema import Draft202012Validator

from loadtest.model.experiment import CORES, Experiment
from loadtest.model.target import Target
from loadtest.plan import reader
from loadtest.plan.keys.targets import ComparisonTable, LoadLevelTable, TargetTable
from loadtest.plan.mistakes import ExperimentError
from loadtest.plan.own import planning
from loadtest.plan.parsing import parse
from loadtest.plan.plans import Options, PlanError
from loadtest.plan.schema import comparison_schema
from tests.loadtest.plan.test_schema import VALUES

SCHEMA = Draft202012Validator(comparison_schema())
EXAMPLE = """\
fail_if = ["new < 0.95 old", "p95_ms: new > 250 at 8 connections"]
levels = [{ connections = 8 }, { connections = 64, path = "/items?limit=20" }]

[request]
headers = { Authorization = "Bearer x" }

[targets.old]
url = "http://127.0.0.1:8101/items"

[targets.new]
url = "http://127.0.0.1:8102/items"
start = "uvicorn app:app --port 8102"
ready = "/healthz"
folder = "service"
environment = { WORKERS = 2 }
"""


def document(**changes: Any) -> dict[str, Any]:
    targets = {name: {"url": f"http://127.0.0.1:{port}/"} for name, port in (("A", 1), ("B", 2))}
    return {"targets": targets} | changes


def started(*ports: int, **keys: Any) -> dict[str, Any]:
    places = zip("AB", ports, strict=True)
    starts = {name: {"url": f"http://127.0.0.1:{at}/", "start": "serve"} for name, at in places}
    return {"targets": {name: each | keys for name, each in starts.items()}}


def read(**changes: Any) -> Experiment:
    return parse("mine", document(**changes), where="mine.toml")


def complaint(changed: dict[str, Any]) -> str:
    try:
        parse("mine", changed, where="mine.toml")
    except ExperimentError as error:
        return str(error)
    return ""


def test_a_file_says_what_is_asked_how_it_starts_and_what_fails(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EXAMPLE)
    found = reader.read(path)
    assert (found.services, found.reference) == (("old", "new"), "old")
    headers = {"Authorization": "Bearer x"}
    assert found.targets["old"] == Target("http://127.0.0.1:8101/items", headers=headers)
    few, many = found.levels
    assert few.asked == found.targets
    assert many.asked["new"].url == "http://127.0.0.1:8102/items?limit=20"
    [start] = found.starts.values()
    assert start.command == ("uvicorn", "app:app", "--port", "8102")
    assert (start.folder, start.ready) == (str(tmp_path / "service"), "/healthz")
    assert start.environment == {"WORKERS": "2"}
    slower, late, again = sorted(found.conditions, key=lambda each: each.measure)
    assert {slower.level, late.level} == {few.label, many.label}
    assert (slower.at_least, slower.reference, again.at_most) == (0.95, "old", 250.0)
    assert SCHEMA.is_valid(tomllib.loads(EXAMPLE))


@pytest.mark.parametrize("fresh", [False, True])
def test_what_it_starts_is_started_anew_for_every_trial_where_asked(fresh: bool) -> None:
    experiment = parse("versus", document(fresh=fresh), where="versus")
    assert experiment.fresh == experiment.restarts == fresh


def test_what_a_file_leaves_out_is_usual() -> None:
    found = read()
    assert found.title == "B beside A"
    [level] = found.levels
    assert (level.load.kind, level.load.connections) == ("closed", 16)
    assert (found.claim, found.of_claims, found.conditions) == ("", (), ())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"targets": {}}, "needs two services or more, has 0"),
        ({"targets": {"A": {"url": "http://a/"}}}, "needs two services or more, has 1"),
        ({"targets": {"A": "http://a/", "B": "http://b/"}}, "targets: A must be a table"),
        ({"targets": document()["targets"] | {"B": {"urll": "x"}}}, "targets.B: unknown key"),
        ({"targets": document()["targets"] | {"B": {}}}, "targets.B: url is missing"),
        ({"targets": document()["targets"] | {"B": {"url": "b:1"}}}, "write http://b:1"),
        ({"targets": document()["targets"] | {"B b": {"url": "http://b"}}}, "begins with a letter"),
        ({"reference": "C"}, "reference 'C' is none of: A, B"),
        ({"services": ["A"]}, "unknown key 'services'"),
        ({"claim": "C1"}, "unknown key 'claim'"),
        ({"measure": "service_cpu_us"}, "do not export; there are: goodput_rps"),
        ({"measure": "pss_kib_per_request"}, "do not export"),
        ({"request": {"method": "G T"}}, "targets.A: method: write GET"),
        ({"request": {"path": "items"}}, "path 'items' has to begin with one /"),
        ({"request": {"status": 700}}, "request: status must be at most 599, is 700"),
        ({"request": {"headers": {"X": "a\r\nb"}}}, "X needs text on one line"),
        ({"levels": [{"connections": 0}]}, "levels[0]: connections must be at least 1"),
        ({"levels": [{"connections": 4}, {"connections": 4}]}, "labels that differ"),
        ({"load": {"kind": "open"}}, "needs rate_rps"),
        ({"load": {"rate_rps": 200}}, 'requests at a rate: add kind = "open"'),
        ({"request": {"path": "//elsewhere/x"}}, "path '//elsewhere/x' has to begin with one /"),
        ({"levels": [{"cores": 2}]}, "levels[0]: cores needs start, the command of targets.A"),
        (started(8101, 8101), "A and B are both started at 127.0.0.1:8101"),
        (started(8101, 8102, ready="//x"), "ready '//x' has to begin with one /"),
        (started(8101, 8102, ready="/a b"), "ready '/a b': path: has a blank"),
        ({"rounds": 1}, "rounds must be above 1"),
        ({"fail_if": ["B is slow"]}, "fail_if: 'B is slow': write it as 'B < 0.95 A'"),
        ({"fail_if": ["B < "]}, "write it as"),
        ({"fail_if": ["C < 0.9 A"]}, "'C' is no target; there are: A, B"),
        ({"fail_if": ["B < 0.9 C"]}, "'C' is no target"),
        ({"fail_if": ["speed: B < A"]}, "'speed' is no measure; there are: goodput_rps"),
        ({"fail_if": ["B < A at 9 connections"]}, "'9 connections' is no level"),
    ],
    ids=str,
)
def test_every_mistake_is_one_line_that_says_what_to_write(
    change: dict[str, Any], told: str
) -> None:
    said = complaint(document(**change))
    assert re.fullmatch(r"mine\.toml: [^\n]+", said)
    assert told in said


def test_a_path_that_tells_when_it_is_ready_may_have_any_letter() -> None:
    found = read(**started(8101, 8102, ready="/health–z"))
    assert {start.ready for start in found.starts.values()} == {"/health%E2%80%93z"}


def test_cores_are_for_the_services_of_a_level() -> None:
    found = read(**started(8101, 8102), levels=[{"cores": 2}])
    assert found.levels[0].settings_of("A") == {CORES: "2"}


def test_a_target_may_be_called_x() -> None:
    targets = {"x": {"url": "http://a/"}, "B": {"url": "http://b/"}}
    conditions = ["B < 2 x at 16 connections", "B < 2 x x", "B < x at 16 connections", "B < 2 x"]
    found = parse("mine", {"targets": targets, "fail_if": conditions}, where="mine.toml")
    seen = {each.says: (each.at_least, each.reference) for each in found.conditions}
    assert seen == dict.fromkeys(conditions, (2.0, "x")) | {conditions[2]: (1.0, "x")}


@pytest.mark.parametrize("key", ["ready", "folder", "environment"])
def test_what_is_for_a_command_needs_one(key: str) -> None:
    value: Any = {"A": "b"} if key == "environment" else "/x"
    targets = document()["targets"]
    said = complaint({"targets": targets | {"B": targets["B"] | {key: value}}})
    assert said == f"mine.toml: targets.B: {key} needs start, the command that it is for"


@pytest.mark.parametrize("start", ["'", "  ", "''"])
def test_a_command_that_is_none_is_told(start: str) -> None:
    targets = document()["targets"]
    said = complaint({"targets": targets | {"B": targets["B"] | {"start": start}}})
    assert not said or said.startswith("mine.toml: targets.B: start ")


def test_the_cpu_of_services_is_compared_where_all_are_started() -> None:
    targets = {name: each | {"start": "serve"} for name, each in document()["targets"].items()}
    assert read(targets=targets, measure="service_cpu_us").measure == "service_cpu_us"


@settings(max_examples=200)
@given(some.sampled_from([*ComparisonTable.model_fields, "nonsense", "two\nlines"]), VALUES)
def test_whatever_is_written_is_taken_as_the_schema_does_or_refused_in_one_line(
    key: str, value: Any
) -> None:
    changed = document(**{key: value})
    said = complaint(changed)
    assert re.fullmatch(r"mine\.toml: [^\n]+", said) or (not said and SCHEMA.is_valid(changed))


@settings(max_examples=100)
@given(
    some.sampled_from([*TargetTable.model_fields, *LoadLevelTable.model_fields, "nonsense"]), VALUES
)
def test_the_same_goes_for_a_target_and_a_level(key: str, value: Any) -> None:
    targets = document()["targets"]
    for changed in (
        document(targets=targets | {"B": targets["B"] | {key: value}}),
        document(levels=[{"label": "few", key: value}]),
    ):
        said = complaint(changed)
        assert re.fullmatch(r"mine\.toml: [^\n]+", said) or (not said and SCHEMA.is_valid(changed))


@pytest.mark.parametrize(
    ("text", "ratio", "at_least", "at_most"),
    [
        ("B < 0.95 A", True, 0.95, None),
        ("B<0.95*A", True, 0.95, None),
        ("B > 1.2 × A", True, None, 1.2),
        ("B > 1.2 x A", True, None, 1.2),
        ("B < A", True, 1.0, None),
        ("mean_ms: B > 250", False, None, 250.0),
        ("p99_ms : B>.5", False, None, 0.5),
    ],
)
def test_a_condition_says_what_must_not_be(
    text: str, ratio: bool, at_least: float | None, at_most: float | None
) -> None:
    [found] = read(fail_if=[text]).conditions
    assert (found.says, found.service) == (text, "B")
    assert (found.ratio, found.at_least, found.at_most) == (ratio, at_least, at_most)


def test_a_comparison_runs_alone_and_with_its_own_services(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EXAMPLE)
    found = planning.prepare(Options(1, experiments=(str(path),), fail_if=("new < old",)))
    assert list(found.services) == ["old", "new"]
    assert found.experiments[0].conditions[-1].says == "new < old"
    assert found.experiments[0].looks == (3, 4, 6, 8, 12)
    for names, more, told in (
        ((str(path), "fanout"), {}, "run it alone, without fanout"),
        ((str(path),), {"services": ("go",)}, "unknown target 'go'"),
        ((str(path),), {"backend": "compose"}, "native"),
        (("fanout",), {"fail_if": ("go < node",)}, "--fail-if is for services of your own"),
    ):
        with pytest.raises(PlanError, match=told):
            planning.prepare(Options(1, experiments=names, **more))


def test_one_beside_the_labs_own_experiments_runs_where_it_is_named_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text(EXAMPLE)
    (tmp_path / "fanout.toml").write_text((reader.EXPERIMENTS / "fanout.toml").read_text())
    assert list(reader.load_all(tmp_path)) == ["fanout"]
    monkeypatch.setattr(reader, "EXPERIMENTS", tmp_path)
    found = planning.prepare(Options(1, experiments=("mine",)))
    assert list(found.services) == ["old", "new"]
