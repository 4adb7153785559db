"""Writes grafana/dashboards/*.json: `python -m grafana.build`, or `make dashboards`."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

from grafana import comparison, postgres, service, validity
from grafana.layout import grid
from grafana.queries import DATASOURCE

DASHBOARDS = Path(__file__).parent / "dashboards"
PAGES: tuple[ModuleType, ...] = (comparison, service, postgres, validity)
SCHEMA_VERSION = 38  # what Grafana 9.4 writes; later ones read it
LINE = 160  # an override and its indent
TAG = "concurrency-lab"


def build(page: ModuleType) -> dict[str, Any]:
    """The dashboard of `page`, a module with UID, TITLE, VARIABLES and SECTIONS.

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
        "templating": {"list": [each.model() for each in page.VARIABLES]},
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
    return _lines(build(page)) + "\n"


def _lines(value: Any, indent: str = "") -> str:
    """JSON whose short parts stand on one line: a diff shows what has changed, and little else."""
    short = json.dumps(value, ensure_ascii=False)
    if len(indent + short) <= LINE:
        return short
    deeper = indent + " "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_lines(each, deeper)}" for key, each in value.items()]
        begin, end = "{}"
    elif isinstance(value, list):
        parts = [_lines(each, deeper) for each in value]
        begin, end = "[]"
    else:
        return short
    return f"{begin}\n" + ",\n".join(deeper + part for part in parts) + f"\n{indent}{end}"


def _phases() -> dict[str, Any]:
    """Where a phase of a load begins: there is a sample now and was none before.

    Two seconds before are left out, and a lost scrape is no beginning.
    """
    phase = "lab_phase_info"
    return {
        "name": "Load begins",
        "enable": True,
        "iconColor": "#56B4E9",
        "datasource": DATASOURCE,
        "expr": (
            f"count by (scenario, phase) ({phase} unless last_over_time({phase}[6s] offset 2s))"
        ),
        "step": "2s",
        "titleFormat": "{{scenario}}: {{phase}}",
        "textFormat": "",
        "tagKeys": "",
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
