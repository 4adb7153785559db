"""The dashboards as committed: in step with their builder, readable, and asking for what exists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana import build
from grafana.layout import bottom_px
from loadtest.inventory import manifest
from loadtest.inventory.palette import COLOURS
from loadtest.system.paths import ROOT

FOLDER = build.DASHBOARDS
FILES = sorted(FOLDER.glob("*.json"))
SCREEN_PX = 900
PROVISIONING = FOLDER.parent / "provisioning"


def dashboards() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in FILES]


def panels() -> list[Any]:
    return [
        pytest.param(panel, id=f"{dashboard['uid']}: {panel['title']}")
        for dashboard in dashboards()
        for panel in dashboard["panels"]
        if panel["type"] != "row"
    ]


def expressions() -> list[Any]:
    of_panels = [
        pytest.param(target["expr"], id=f"{param.id} {target['refId']}")
        for param in panels()
        for target in param.values[0].get("targets", ())
    ]
    annotations = [
        pytest.param(annotation["expr"], id=f"{dashboard['uid']}: {annotation['name']}")
        for dashboard in dashboards()
        for annotation in dashboard["annotations"]["list"]
    ]
    variables = [
        pytest.param(query_of(variable), id=f"{dashboard['uid']}: {variable['name']}")
        for dashboard in dashboards()
        for variable in dashboard["templating"]["list"]
    ]
    return of_panels + annotations + variables


def query_of(variable: dict[str, Any]) -> str:
    query = str(variable["query"]["query"])
    return query.removeprefix("query_result(").removesuffix(")")


def test_the_files_are_what_the_builder_writes() -> None:
    committed = {path.stem: path.read_text() for path in FILES}
    built = {page.UID: build.render(page) for page in build.PAGES}
    assert committed == built, "run `make dashboards` and commit grafana/dashboards"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_grafanas_own_model_knows_every_key(path: Path) -> None:
    """What the model doesn't know it drops, so that a misspelt key does not come back."""
    original = json.loads(path.read_text())
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(original)))
    assert set(lost(original, read)) == {
        # These belong to Prometheus' annotations, not to annotations of every kind.
        f".annotations.list[{place}].{key}"
        for place in range(len(original["annotations"]["list"]))
        for key in ("step", "titleFormat", "textFormat", "tagKeys")
    }


def lost(original: Any, read: Any, where: str = "") -> list[str]:
    if isinstance(original, dict):
        return [
            problem
            for key, value in original.items()
            for problem in (
                lost(value, read[key], f"{where}.{key}") if key in read else [f"{where}.{key}"]
            )
        ]
    if isinstance(original, list):
        return [
            problem
            for place, (one, other) in enumerate(zip(original, read, strict=True))
            for problem in lost(one, other, f"{where}[{place}]")
        ]
    return [] if original == read else [f"{where}: {original!r} became {read!r}"]


@pytest.mark.parametrize("dashboard", dashboards(), ids=lambda dashboard: dashboard["uid"])
def test_no_grafana_from_9_4_to_13_has_to_migrate_anything(dashboard: dict[str, Any]) -> None:
    """Schema 38 is what 9.4 knows. Each line is what a later one changes (apps/dashboard/pkg/
    migration/schemaversion of Grafana, 39 to 43).
    """
    assert dashboard["schemaVersion"] == 38
    transformed = {
        each["id"] for panel in dashboard["panels"] for each in panel.get("transformations", ())
    }
    assert "timeSeriesTable" not in transformed  # 39
    assert isinstance(dashboard["refresh"], str)  # 40
    assert "time_options" not in dashboard["timepicker"]  # 41
    assert "hideFrom" not in json.dumps(dashboard)  # 42
    assert "formatTime" not in transformed  # 43
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def test_the_first_screen_tells_the_story() -> None:
    """At 1600 × 900, below what Grafana puts above the panels."""
    seen = [
        panel["title"]
        for panel in json.loads((FOLDER / "comparison.json").read_text())["panels"]
        if bottom_px(panel) <= SCREEN_PX and panel["type"] != "row"
    ]
    assert seen == [
        "$service",
        "$service: slots busy",
        "Goodput against slots ÷ wait",
        "Client latency",
    ]


@pytest.mark.parametrize("uid", ["service", "postgres", "validity"])
def test_the_first_screen_of_the_other_pages_has_their_first_charts(uid: str) -> None:
    panels = json.loads((FOLDER / f"{uid}.json").read_text())["panels"]
    seen = [panel for panel in panels if bottom_px(panel) <= SCREEN_PX and panel["type"] != "row"]
    assert len(seen) >= 4, [panel["title"] for panel in seen]


@pytest.mark.parametrize("panel", panels())
def test_no_axis_is_absurd_and_no_chart_too_narrow_for_its_times(panel: dict[str, Any]) -> None:
    place, defaults = panel["gridPos"], panel["fieldConfig"]["defaults"]
    assert place["x"] + place["w"] <= 24
    assert defaults["noValue"], "what it means that there is nothing to see"
    if panel["type"] != "timeseries":
        return
    assert place["w"] >= 8
    assert defaults["min"] == 0
    assert defaults.get("max") == 1 or defaults["custom"]["axisSoftMax"] > 0
    if defaults["unit"] in ("short", "none", "reqps", "ops"):
        assert defaults["custom"]["axisSoftMax"] >= 1


def test_only_services_under_load_take_lines() -> None:
    """Every panel about services asks for those that are chosen, by default those under load."""
    for dashboard in dashboards():
        (variable,) = dashboard["templating"]["list"]
        several = dashboard["uid"] != "service"
        assert variable["multi"] is variable["includeAll"] is several
        for panel in dashboard["panels"]:
            if panel["title"] in ("Targets that are gone", "What happened to services"):
                continue
            for target in panel.get("targets", ()):
                if "{{service}}" in target["legendFormat"]:
                    assert '=~"$service"' in target["expr"].replace("|", ""), panel["title"]


def test_pages_have_no_more_lines_than_somebody_can_review() -> None:
    assert sum(len(path.read_text().splitlines()) for path in FILES) < 5000


def test_panels_do_not_overlap() -> None:
    for dashboard in dashboards():
        cells: set[tuple[int, int]] = set()
        for panel in dashboard["panels"]:
            place = panel["gridPos"]
            taken = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, f"{dashboard['uid']}: {panel['title']}"
            cells |= taken


@pytest.mark.parametrize("panel", panels())
def test_every_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith((".", "?"))
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["uid"] == "prometheus"


@pytest.mark.parametrize("expression", expressions())
def test_every_expression_parses(expression: str) -> None:
    promql_parser.parse(filled(expression))


def filled(expression: str) -> str:
    """As Grafana asks it."""
    expression = expression.replace("$__rate_interval", "4s").replace("$__range", "300s")
    return expression.replace("$service", "flask")


def test_recorded_series_exist() -> None:
    rules = yaml.safe_load((ROOT / "prometheus" / "rules.yml").read_text())
    recorded = {rule["record"] for group in rules["groups"] for rule in group["rules"]}
    asked = {
        name for param in expressions() for name in metric_names(param.values[0]) if ":" in name
    }
    assert asked <= recorded


def metric_names(expression: str) -> set[str]:
    names: set[str] = set()
    for word in filled(expression).replace("(", " ").replace("{", " ").replace("[", " ").split():
        if word[0].isalpha() and word.replace("_", "").replace(":", "").isalnum():
            names.add(word)
    return names


def test_services_have_the_report_s_colours() -> None:
    assert set(COLOURS) <= set(manifest.load(variables={}))
    assert len(set(COLOURS.values())) == len(COLOURS)
    comparison = json.loads((FOLDER / "comparison.json").read_text())
    for panel in comparison["panels"]:
        if panel["type"] == "row":
            continue
        drawn = {
            override["matcher"]["options"]: override["properties"][0]["value"]["fixedColor"]
            for override in panel["fieldConfig"]["overrides"]
            if override["properties"][0]["id"] == "color"
        }
        assert drawn == {f"/^{service}(:? .*)?$/": colour for service, colour in COLOURS.items()}


def test_dashboards_link_to_each_other_and_draw_phases_and_incidents() -> None:
    for dashboard in dashboards():
        assert dashboard["tags"] == [build.TAG]
        assert [link["tags"] for link in dashboard["links"] if link["type"] == "dashboards"] == [
            [build.TAG]
        ]
        phases, incidents = (each["expr"] for each in dashboard["annotations"]["list"])
        assert "lab_phase_info" in phases
        of_its_service = '{service="$service"}' if dashboard["uid"] == "service" else ""
        assert incidents == f"service:incidents:count{of_its_service}"


def test_provisioning_fits_the_dashboards_and_the_compose_file() -> None:
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    assert source["uid"] == "prometheus"
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "lab.yml").read_text())["providers"]
    assert provider["allowUiUpdates"] is False
    service = manifest.read_compose(manifest.COMPOSE_FILE, {})["services"]["grafana"]
    home = Path(service["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert (FOLDER / home.name).exists()
