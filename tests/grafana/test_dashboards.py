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
from loadtest.inventory import manifest
from loadtest.inventory.palette import COLOURS
from loadtest.system.paths import ROOT

FOLDER = build.DASHBOARDS
FILES = sorted(FOLDER.glob("*.json"))
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
    return of_panels + [
        pytest.param(annotation["expr"], id=f"{dashboard['uid']}: {annotation['name']}")
        for dashboard in dashboards()
        for annotation in dashboard["annotations"]["list"]
    ]


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
def test_every_supported_grafana_loads_it(dashboard: dict[str, Any]) -> None:
    assert dashboard["schemaVersion"] <= 39
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24


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
    if panel["type"] != "text":
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "prometheus"


@pytest.mark.parametrize("expression", expressions())
def test_every_expression_parses(expression: str) -> None:
    promql_parser.parse(expression.replace("$__rate_interval", "4s").replace("$service", "flask"))


def test_recorded_series_exist() -> None:
    rules = yaml.safe_load((ROOT / "prometheus" / "rules.yml").read_text())
    recorded = {rule["record"] for group in rules["groups"] for rule in group["rules"]}
    asked = {
        name for param in expressions() for name in metric_names(param.values[0]) if ":" in name
    }
    assert asked <= recorded


def metric_names(expression: str) -> set[str]:
    names: set[str] = set()
    words = expression.replace("$__rate_interval", "4s").replace("$service", "flask")
    for word in words.replace("(", " ").replace("{", " ").replace("[", " ").split():
        if word[0].isalpha() and word.replace("_", "").replace(":", "").isalnum():
            names.add(word)
    return names


def test_services_have_the_report_s_colours() -> None:
    assert set(COLOURS) <= set(manifest.load(variables={}))
    assert len(set(COLOURS.values())) == len(COLOURS)
    comparison = json.loads((FOLDER / "comparison.json").read_text())
    goodput = next(panel for panel in comparison["panels"] if panel["title"] == "Goodput")
    drawn = {
        override["matcher"]["options"]: override["properties"][0]["value"]["fixedColor"]
        for override in goodput["fieldConfig"]["overrides"]
    }
    assert drawn == {f"/^{service}( .*)?$/": colour for service, colour in COLOURS.items()}


def test_dashboards_link_to_each_other_and_draw_phases_and_incidents() -> None:
    for dashboard in dashboards():
        assert dashboard["tags"] == [build.TAG]
        assert [link["tags"] for link in dashboard["links"] if link["type"] == "dashboards"] == [
            [build.TAG]
        ]
        phases, incidents = (each["expr"] for each in dashboard["annotations"]["list"])
        assert phases == "lab_phase_info"
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
