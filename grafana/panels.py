"""The few kinds of Grafana panels that the lab uses, as classic dashboard JSON.

Plain dictionaries in the schema of Grafana 9.4 (version 38), which every release up to 13 still
migrates. `grid` places the panels; it gives them their ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from loadtest.inventory.palette import COLOURS

Panel = dict[str, Any]

DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
GRID_WIDTH = 24


@dataclass(frozen=True)
class Query:
    """One PromQL expression; `legend` may hold {{labels}}. `table` asks for the last value only."""

    expr: str
    legend: str = "{{service}}"
    table: bool = False
    heatmap: bool = False

    def target(self, letter: str) -> dict[str, Any]:
        """The query as a panel's target, named `letter`."""
        target: dict[str, Any] = {
            "refId": letter,
            "datasource": DATASOURCE,
            "expr": self.expr,
            "legendFormat": self.legend,
            "range": not self.table,
            "instant": self.table,
        }
        if self.table or self.heatmap:
            target["format"] = "table" if self.table else "heatmap"
        return target


@dataclass(frozen=True)
class Section:
    """A headed stretch of a dashboard; its panels share the width. `height`: units of 30 px."""

    title: str
    panels: Sequence[Panel]
    height: int = 8


def timeseries(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    limit: float | None = None,
    stacked: bool = False,
) -> Panel:
    """Lines over time from 0 up. `limit` draws a red line at that value."""
    custom: dict[str, Any] = {
        "drawStyle": "line",
        "lineWidth": 2,
        "fillOpacity": 30 if stacked else 5,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "off" if limit is None else "line"},
    }
    panel = _panel("timeseries", title, description, unit, queries, custom=custom, limit=limit)
    panel["fieldConfig"]["defaults"]["min"] = 0
    panel["options"] = {
        "legend": {
            "showLegend": True,
            "displayMode": "table",
            "placement": "bottom",
            "calcs": ["lastNotNull", "max"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel


def stat(
    title: str, description: str, unit: str, query: Query, limit: float | None = None
) -> Panel:
    """One big number, red from `limit` on."""
    panel = _panel("stat", title, description, unit, [query], limit=limit)
    panel["options"] = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "none" if limit is None else "value",
        "graphMode": "area",
        "textMode": "auto",
    }
    return panel


def heatmap(title: str, description: str, unit: str, query: Query) -> Panel:
    """The buckets of a Prometheus histogram over time."""
    panel = _panel("heatmap", title, description, unit, [query])
    panel["options"] = {
        "calculate": False,
        "yAxis": {"unit": unit},
        "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
        "cellGap": 1,
        "legend": {"show": True},
        "tooltip": {"show": True, "yHistogram": False},
    }
    return panel


def table(title: str, description: str, query: Query, hidden: Sequence[str]) -> Panel:
    """The labels of the series that exist now, without the columns `hidden`."""
    panel = _panel("table", title, description, "none", [query])
    panel["options"] = {"showHeader": True}
    panel["transformations"] = [
        {"id": "organize", "options": {"excludeByName": dict.fromkeys(hidden, True)}}
    ]
    return panel


def text(title: str, description: str, markdown: str) -> Panel:
    """A panel to read."""
    return {
        "type": "text",
        "title": title,
        "description": description,
        "options": {"mode": "markdown", "content": markdown},
    }


def grid(sections: Sequence[Section]) -> Iterator[Panel]:
    """The panels of `sections` from top to bottom, each section under a heading of its own."""
    y, number = 0, 1
    for section in sections:
        yield {
            "type": "row",
            "id": number,
            "title": section.title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": y, "w": GRID_WIDTH, "h": 1},
            "panels": [],
        }
        y, number = y + 1, number + 1
        width = GRID_WIDTH // len(section.panels)
        for place, panel in enumerate(section.panels):
            position = {"x": place * width, "y": y, "w": width, "h": section.height}
            yield {"id": number, "gridPos": position} | panel
            number += 1
        y += section.height


def _panel(
    kind: str,
    title: str,
    description: str,
    unit: str,
    queries: Sequence[Query],
    *,
    custom: dict[str, Any] | None = None,
    limit: float | None = None,
) -> Panel:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if limit is not None:
        steps.append({"color": "red", "value": limit})
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": [query.target(chr(ord("A") + place)) for place, query in enumerate(queries)],
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "color": {"mode": "palette-classic"},
                "thresholds": {"mode": "absolute", "steps": steps},
                "custom": custom or {},
            },
            "overrides": [*_service_colours(queries), *_dashes(queries)],
        },
    }


def _service_colours(queries: Sequence[Query]) -> Iterator[dict[str, Any]]:
    """A service without a colour here takes one of Grafana's: a new service needs no edit."""
    if not any(
        query.legend.startswith(("{{service}}", "{{application_name}}")) for query in queries
    ):
        return
    for service, colour in COLOURS.items():
        fixed = {"mode": "fixed", "fixedColor": colour}
        yield _override(f"/^{service}( .*)?$/", "color", fixed)


def _dashes(queries: Sequence[Query]) -> Iterator[dict[str, Any]]:
    """A capacity is drawn dashed beside what is used of it."""
    for query in queries:
        _, _, suffix = query.legend.rpartition(" ")
        if suffix in ("slots", "max"):
            dash = {"fill": "dash", "dash": [8, 8]}
            yield _override(f"/(^| ){suffix}$/", "custom.lineStyle", dash)


def _override(pattern: str, name: str, value: object) -> dict[str, Any]:
    return {
        "matcher": {"id": "byRegexp", "options": pattern},
        "properties": [{"id": name, "value": value}],
    }
