"""Writes grafana/dashboards/*.json: `python -m grafana.build`, or `make dashboards`."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

from grafana import comparison, postgres, service, validity
from grafana.panels import DATASOURCE, grid

DASHBOARDS = Path(__file__).parent / "dashboards"
PAGES: tuple[ModuleType, ...] = (comparison, service, postgres, validity)
SCHEMA_VERSION = 38  # what Grafana 9.4 writes; later ones read it
TAG = "concurrency-lab"


def build(page: ModuleType) -> dict[str, Any]:
    """The dashboard of `page`, a module with UID, TITLE, SECTIONS and perhaps VARIABLES.

    A page about one service selects it by SERVICE.
    """
    return {
        "uid": page.UID,
        "title": page.TITLE,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "2s",
        "time": {"from": "now-5m", "to": "now"},
        "timepicker": {"refresh_intervals": ["2s", "5s", "10s", "30s", "1m"]},
        "timezone": "browser",
        "templating": {"list": [_variable(*each) for each in getattr(page, "VARIABLES", ())]},
        "annotations": {"list": [_phases(), _incidents(getattr(page, "SERVICE", ""))]},
        "links": [_dashboards(), _locust()],
        "panels": list(grid(page.SECTIONS)),
    }


def write(folder: Path = DASHBOARDS) -> None:
    """Write every page as JSON, named after its uid."""
    for page in PAGES:
        (folder / f"{page.UID}.json").write_text(render(page))


def render(page: ModuleType) -> str:
    """The file's text, the same on every machine."""
    return json.dumps(build(page), indent=1, ensure_ascii=False) + "\n"


def _variable(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,  # whenever the time range changes: services come and go
        "sort": 1,
    }


def _phases() -> dict[str, Any]:
    """Where a run's phases begin and end; neighbouring samples make one stretch."""
    return {
        "name": "Phases of a run",
        "enable": True,
        "iconColor": "#56B4E9",
        "datasource": DATASOURCE,
        "expr": "lab_phase_info",
        "step": "2s",
        "titleFormat": "{{phase}}",
        "textFormat": "{{service}} · {{scenario}}",
        "tagKeys": "run_id",
    }


def _incidents(service: str) -> dict[str, Any]:
    """When a service was away, was started again or lost a worker."""
    return {
        "name": "Services away, started again, or a worker short",
        "enable": True,
        "iconColor": "#D55E00",
        "datasource": DATASOURCE,
        "expr": f"service:incidents:count{service}",
        "step": "2s",
        "titleFormat": "{{service}} {{what}}",
        "textFormat": "",
        "tagKeys": "",
    }


def _dashboards() -> dict[str, Any]:
    return {
        "type": "dashboards",
        "title": "Lab",
        "tags": [TAG],
        "asDropdown": False,
        "keepTime": True,
        "includeVars": False,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }


def _locust() -> dict[str, Any]:
    return {
        "type": "link",
        "title": "Locust",
        "tags": [],
        "asDropdown": False,
        "keepTime": False,
        "includeVars": False,
        "targetBlank": True,
        "icon": "bolt",
        "tooltip": "Start and stop the load",
        "url": "http://127.0.0.1:8089",
    }


if __name__ == "__main__":
    write()
