"""Locust's start form: what it refuses, and that the message helps."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.contract.scenarios import SCENARIOS
from loadtest.generator.page import form
from loadtest.generator.page.guide import EXAMPLES, guide
from loadtest.inventory import manifest
from loadtest.model.experiment import Background
from loadtest.model.load import Load
from loadtest.model.target import Target
from loadtest.system.paths import ROOT

GOOD = {
    "user_count": "60",
    "spawn_rate": "60",
    "host": "",
    "scenario": "wait",
    "parameters": "ms=100",
    "load": "closed",
    "rate": "100",
    "think_ms": "0",
    "request_timeout": "30",
    "load_seed": "1",
    "run_time": "",
}


def test_a_sensible_form_is_accepted() -> None:
    assert form.problem(GOOD) == ""


def test_options_that_the_form_does_not_have_are_refused_by_name() -> None:
    options = {"spawn_rate", "run_time", "lab_duration", "web_port"}
    assert form.hidden([*GOOD, "shape_class"], options) == ""
    assert form.hidden([*GOOD, "lab_duration"], options).startswith("lab_duration is not set here")


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_accepted_as_it_comes(name: str) -> None:
    assert form.problem(GOOD | {"scenario": name, "parameters": ""}) == ""


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("user_count", "-1", "Number of users: give a whole number from 1 to 20,000"),
        ("user_count", "0", "Number of users"),
        ("user_count", "9" * 400, "Number of users"),
        ("user_count", "many", "not 'many'"),
        ("user_count", "1.5", "a whole number"),
        ("user_count", "", "Number of users"),
        ("user_count", "nan", "Number of users"),
        ("spawn_rate", "-1", "Ramp up"),
        ("spawn_rate", "nan", "Ramp up"),
        ("spawn_rate", "inf", "Ramp up"),
        ("spawn_rate", "0", "Ramp up"),
        ("rate", "-5", "Rate"),
        ("rate", "", "Rate"),
        ("think_ms", "1e99", "Think ms"),
        ("request_timeout", "soon", "Request timeout"),
        ("requests_per_connection", "-1", "Requests per connection: give a whole number"),
        ("requests_per_connection", "1.5", "Requests per connection"),
        ("load_seed", "0x10", "Load seed"),
        ("beside", "nonsense", "unknown scenario 'nonsense'; there are: nothing, plaintext, json"),
        ("beside", "request", "unknown scenario 'request'"),
        ("beside_rate", "0", "Beside rate: give a number from 0.1"),
        ("scenario", "nonsense", "unknown scenario 'nonsense'"),
        ("scenario", "x" * 5000, "unknown scenario 'xxx"),
        ("parameters", "ms=99999", "give 0 to 10000"),
        ("parameters", "ms=-1", "give 0 to 10000"),
        ("parameters", "ms=fast", "name=number"),
        ("parameters", "lines=3", "it takes: ms"),
        ("parameters", "x" * 5000 + "=3", "it takes: ms"),
        ("parameters", "<script>", "name=number"),
        ("parameters", "ms=nan", "name=number"),
        ("parameters", "ms=", "name=number"),
        ("parameters", "ms=1 ms=2", "ms is there twice"),
        ("parameters", "ms=" + "9" * 5000, "name=number"),
        ("load", "websocket", "unknown load 'websocket'; there are: closed, open, held"),
        ("load", "nonsense", "unknown load 'nonsense'; there are: closed, open"),
        ("run_time", "soon", "Run time: give it as 20s, 3m or 1h20m"),
        ("run_time", "-5", "Run time"),
        ("run_time", "0", "Run time"),
        ("run_time", "9" * 400, "Run time"),
    ],
)
def test_absurd_values_are_refused(field: str, value: str, hint: str) -> None:
    message = form.problem(GOOD | {field: value})
    assert hint in message
    assert "\n" not in message
    assert len(message) < 200


def test_a_second_load_is_an_open_one_of_the_scenario_that_the_form_names() -> None:
    assert form.background_of({"beside": "nothing", "beside_rate": 10.0}) is None
    found = form.background_of({"beside": "json", "beside_rate": 20.0})
    assert found is not None
    assert (found.scenario, found.load.kind, found.load.rate_rps) == ("json", "open", 20.0)


def test_a_second_load_of_the_labs_own_goes_before_the_forms() -> None:
    asked = Background("cpu", {"n": 1000}, Load("closed", 1, think_s=4.0))
    fields = {"beside": "json", "beside_rate": 1.0, "lab_background": json.dumps(asdict(asked))}
    assert form.background_of(fields) == asked


OWN = {
    "scenario": "request",
    "parameters": "",
    "request_method": "POST",
    "request_path": "/search?q=x",
    "request_headers": "X-Key: 1",
    "request_body": '{"a": 1}',
    "request_status": "201",
}


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("request_method", "GET /", "Request method: write GET"),
        ("request_path", "search", "Request path: write it from its first /"),
        ("request_headers", "X-Key", "Request headers: write NAME: VALUE"),
        ("request_headers", "Content-Length: 1", "Content-Length is set by the load itself"),
        ("request_status", "2xx", "Request status: write one from 200 to 599"),
    ],
)
def test_a_request_that_cannot_be_sent_is_refused_by_its_field(
    field: str, value: str, hint: str
) -> None:
    assert form.problem(GOOD | OWN) == ""
    message = form.problem(GOOD | OWN | {field: value})
    assert hint in message
    assert "\n" not in message
    assert form.problem(GOOD | {field: value}) == ""  # another scenario does not ask it


def test_what_the_form_asks_for_goes_before_what_the_variable_says() -> None:
    said = Target("http://h/", headers={"X-Key": "2"}, content="ok", insecure=True)
    asked = form.request_of(OWN, said)
    assert (asked.method, asked.headers, asked.status) == ("POST", {"X-Key": "1"}, 201)
    assert (asked.content, asked.insecure) == ("ok", True)
    assert form.request_of({"request_timeout": "30"}, said) == replace(
        said, url="http://localhost/"
    )


def test_connections_that_last_are_not_ended_after_some_requests() -> None:
    ending = GOOD | {"parameters": "", "requests_per_connection": "1"}
    assert form.problem(ending | {"scenario": "json"}) == ""
    assert "websocket keeps its connections" in form.problem(ending | {"scenario": "websocket"})


def test_names_that_are_not_offered_are_refused_with_those_that_are() -> None:
    known = ["fastapi-async", "flask-sync"]
    assert form.unlisted("service", [], known) == ""
    assert form.unlisted("service", ["flask-sync", "fastapi-async"], known) == ""
    assert form.unlisted("service", ["flask-sync", "flask-snyc"], known) == (
        "unknown service 'flask-snyc'; there are: fastapi-async, flask-sync"
    )
    assert form.unlisted("shape", [""], ["Default"]) == "unknown shape ''; there are: Default"
    assert len(form.unlisted("shape", ["x" * 5000], ["Default"])) < 100


@given(st.sampled_from(sorted(GOOD)), st.text(max_size=60))
def test_whatever_is_typed_the_form_answers(field: str, value: str) -> None:
    assert isinstance(form.problem(GOOD | {field: value}), str)


def test_an_edit_of_the_users_alone_is_checked_too() -> None:
    assert form.problem({"user_count": "10", "spawn_rate": "1"}) == ""
    assert "Number of users" in form.problem({"user_count": "-10", "spawn_rate": "1"})


def test_the_guide_leads_to_grafana_where_there_is_one() -> None:
    html = guide({"LAB_BACKEND": "compose", "GRAFANA_PORT": "3001"})
    for example in EXAMPLES.values():
        assert f"http://127.0.0.1:3001/d/comparison?viewPanel={example.panel_id}" in html


def test_an_example_leads_to_the_panel_of_its_name() -> None:
    home = json.loads((ROOT / "grafana" / "dashboards" / "comparison.json").read_text())
    titles = {panel["id"]: panel["title"] for panel in home["panels"]}
    for example in EXAMPLES.values():
        assert titles[example.panel_id] == example.panel


def test_without_grafana_the_guide_leads_to_prometheus_where_there_is_one() -> None:
    assert "http://127.0.0.1:9090" in guide({})
    assert "http://127.0.0.1:4711" in guide({"LAB_PROMETHEUS": "http://127.0.0.1:4711"})
    alone = guide({"LAB_PROMETHEUS": ""})
    assert "href" not in alone
    assert "Prometheus is not running" in alone


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_is_a_load_that_the_form_accepts(title: str) -> None:
    fields = EXAMPLES[title].fields()
    assert form.problem(GOOD | fields | {"user_count": fields["userCount"]}) == ""
    assert set(EXAMPLES[title].services) <= set(manifest.load(variables={}))


def test_the_guide_names_every_scenario_and_what_it_takes() -> None:
    html = guide({})
    for name, scenario in SCENARIOS.items():
        assert f'"{name}: {scenario.help}.' in html
        assert [each.name for each in scenario.parameters if f"{each.name}=" not in html] == []
