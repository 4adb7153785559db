"""Published comparisons: what a file says of them, and the plan that takes them again."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.contract import scenarios
from loadtest.inventory import manifest
from loadtest.model.experiment import Experiment
from loadtest.plan import plans, reader, schedule, windows
from loadtest.plan.keys.published import KINDS_OF_FIGURE
from loadtest.plan.mistakes import ExperimentError
from loadtest.plan.parsing import parse
from loadtest.plan.plans import Options
from loadtest.report.published.beside import compared
from loadtest.report.published.expected import declared
from tests.synthetic import document

PUBLISHED = reader.load_published(services=manifest.load(), scenarios=scenarios.SCENARIOS)
RUN = {name: each for name, each in PUBLISHED.items() if each.levels}
FIGURES = [
    {"level": "8 connections", "service": "fastapi-async", "value": 80, "was": "async"},
    {"level": "8 connections", "service": "flask-sync", "value": 30, "was": "sync"},
]


def published(**changes: Any) -> dict[str, Any]:
    return {
        "source": "somebody",
        "url": "https://example.org/figures",
        "date": "2024-05",
        "asked": "Each request slept.",
        "measured": "slots",
        "told": "3 slots against 8 clients.",
        "figures": FIGURES,
    } | changes


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"urll": "x"}, "published: unknown key 'urll'; there are: also, apart, asked, counter_"),
        ({"url": "example.org"}, "url must be a URL such as https://example.org/page"),
        ({"date": "May 2024"}, "date must be a date such as 2026-05-14 or 2026-05, is 'May 2024'"),
        ({"measured": "speed"}, f"measured 'speed' is none of: {', '.join(KINDS_OF_FIGURE)}"),
        ({"figures": []}, "published: figures is empty; name what was published"),
        ({"figures": [{"service": "go"}]}, "published.figures[0]: value is missing; add it"),
        ({"figures": FIGURES[1:]}, "'8 connections' has no figure of the reference"),
        ({"figures": FIGURES + FIGURES[:1]}, "figures name one service twice at level '8 conn"),
        ({"figures": [FIGURES[0] | {"service": "go"}]}, "figures[0]: service 'go' is none of: "),
        ({"figures": [FIGURES[0] | {"level": "9"}]}, "figures[0]: level '9' is none of: 1 conn"),
        ({"figures": [FIGURES[0] | {"value": -1}]}, "figures[0]: value must be at least 0, is -1"),
        ({"counter_proof": "9"}, "published: counter_proof '9' is none of: 1 connection"),
        ({"not_run": "too old"}, "has levels and published.not_run; keep one of them"),
    ],
)
def test_a_mistake_is_named_with_its_place(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        parse("mine", document(published=published(**change)), where="mine.toml")
    assert str(caught.value).startswith("mine.toml: ")
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_comparison_without_levels_says_why_it_is_not_run() -> None:
    bare = [{key: each[key] for key in ("service", "value", "was")} for each in FIGURES]
    told = published(not_run="It takes an old release.", figures=bare)
    one = parse("mine", document(levels=[], criteria=[], published=told), where="mine.toml")
    assert one.levels == ()
    with pytest.raises(ExperimentError, match="levels is empty; name at least one load"):
        parse("mine", document(levels=[], published=published(figures=bare)), where="mine.toml")


def test_a_service_has_an_environment_of_its_own() -> None:
    one = experiment(
        environment={"POOL_SIZE": 8},
        environment_of={"flask-sync": {"WORKERS": 4}, "flask-gthread": {"THREADS": 2}},
        levels=[
            {"connections": 8},
            {
                "connections": 9,
                "environment": {"WORKERS": 2},
                "environment_of": {"flask-sync": {"POOL_SIZE": 1}},
            },
        ],
    )
    first, second = one.levels
    assert first.settings_of("fastapi-async") == {"POOL_SIZE": "8"}
    assert first.settings_of("flask-sync") == {"POOL_SIZE": "8", "WORKERS": "4"}
    assert second.settings_of("flask-sync") == {"POOL_SIZE": "1", "WORKERS": "4"}
    assert second.settings_of("flask-gthread") == {
        "POOL_SIZE": "8",
        "WORKERS": "2",
        "THREADS": "2",
    }


def test_only_an_environment_that_changes_restarts_a_service() -> None:
    own = {"flask-sync": {"WORKERS": 4}}
    assert not experiment(environment_of=own).restarts
    levels = [{"connections": 1}, {"connections": 2, "environment_of": own}]
    assert experiment(levels=levels).restarts


def test_an_environment_of_a_service_that_is_not_there_is_named() -> None:
    with pytest.raises(ExperimentError, match=r"levels\[0\]: environment_of 'go' is none of: fast"):
        experiment(environment_of={"go": {"WORKERS": 1}})


def experiment(**changes: Any) -> Experiment:
    return parse("mine", document(criteria=[], **changes), where="mine.toml")


def test_every_comparison_has_its_number_and_its_kind() -> None:
    assert [each.claim for each in PUBLISHED.values()] == sorted(
        {each.claim for each in PUBLISHED.values()}, key=reader.by_claim
    )
    assert all(each.published for each in PUBLISHED.values())


@pytest.mark.parametrize("name", RUN)
def test_every_published_ratio_and_every_counter_proof_is_decided(name: str) -> None:
    one = RUN[name]
    assert one.published
    decided = {criterion.level for criterion in one.criteria}
    assert one.published.counter_proof in decided
    assert decided.intersection(one.published.levels)


@pytest.mark.parametrize("name", RUN)
def test_what_slots_predict_is_what_was_published(name: str) -> None:
    one = RUN[name]
    assert one.published
    predicted = declared(one, manifest.load(variables={}))
    for each in compared(one, one.published, predicted, {}):
        if each.predicted:
            assert each.predicted == pytest.approx(each.published, rel=0.2), each.figure


@pytest.mark.parametrize("name", RUN)
def test_windows_hold_whole_waits(name: str) -> None:
    one = RUN[name]
    for level in one.levels:
        scenario = scenarios.choose(level.scenario)
        wait_s = scenario.latency_s(scenario.filled(level.parameters))
        if wait_s:
            waits = one.duration_s / wait_s
            assert waits == pytest.approx(round(waits))
            assert windows.lasting(one, level, 60.0) == (one.warmup_s, one.duration_s)


def test_the_plan_has_what_can_be_run_and_no_other_plan_has_any() -> None:
    plan = plans.prepare(Options(seed=1, plan="published"))
    assert {each.name for each in plan.experiments} | set(plan.left_out) >= set(RUN)
    assert all(each.published for each in plan.experiments)
    for other in ("quick", "lesson", "full"):
        planned = plans.prepare(Options(seed=1, plan=other)).experiments
        assert not any(each.published for each in planned)


def test_one_is_run_by_name_in_any_plan() -> None:
    name = next(iter(RUN))
    plan = plans.prepare(Options(seed=1, experiments=(name, "blocked-threads")))
    assert [each.name for each in plan.experiments] == ["blocked-threads", name]


def test_a_service_that_nobody_names_joins_no_published_comparison() -> None:
    one = RUN["p01-threads-and-pool"]
    joined = plans._with(["mine"], {"one": one, "other": experiment()})
    assert joined["one"].services == one.services
    assert "mine" in joined["other"].services


def test_what_is_told_alone_is_refused_with_its_reason() -> None:
    told = next(name for name in PUBLISHED if name not in RUN)
    with pytest.raises(ExperimentError, match=f"{told} is told, not run: .*older than"):
        plans.prepare(Options(seed=1, experiments=(told,)))


def test_without_a_folder_of_them_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "COMPARISONS", reader.EXPERIMENTS / "nowhere")
    assert reader.load_published() == {}
    assert schedule.plan({}, "published") == []
