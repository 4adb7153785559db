"""The few kinds of Grafana panels that the lab uses, as classic dashboard JSON.

Plain dictionaries in the schema of Grafana 9.4 (version 38), which every release up to 13 reads.
`empty` is what a panel says instead of "No data": what it means that there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana import overrides
from grafana.queries import DATASOURCE, Query, letters

Panel = dict[str, Any]

NO_LOAD = "No load yet. Open Locust (above), choose services, press Start."
# The least that an axis reaches, by unit: nothing is never drawn as 0 to 100.
_SOFT_MAX = {"short": 1.0, "none": 1.0, "reqps": 1.0, "ops": 1.0, "s": 0.001, "bytes": 1e6}
_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}
MOST_IN_A_ROW = 4


def timeseries(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    limit: float | None = None,
    stacked: bool = False,
    soft_max: float | None = None,
    empty: str = NO_LOAD,
) -> Panel:
    """Lines over time from 0 up; shares up to 100 %, unless `soft_max` says how far at least.

    `limit` draws a red line at that value. Lines that may lie on each other are `stacked`.
    """
    shown = _lines(stacked=stacked, limited=limit is not None)
    panel = _panel("timeseries", title, description, unit, queries, shown, limit, empty)
    defaults = panel["fieldConfig"]["defaults"] | {"min": 0}
    if unit == "percentunit" and soft_max is None:
        defaults["max"] = 1
    else:
        shown["axisSoftMax"] = _SOFT_MAX[unit] if soft_max is None else soft_max
    panel["fieldConfig"] = {"defaults": defaults, "overrides": list(overrides.of_lines(queries))}
    panel["options"] = {
        "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel


def _lines(*, stacked: bool, limited: bool) -> dict[str, Any]:
    lines: dict[str, Any] = {
        "lineWidth": 2,
        "fillOpacity": 30 if stacked else 0,
        "showPoints": "never",
        "axisSoftMin": 0,
    }
    if stacked:
        lines["stacking"] = {"mode": "normal", "group": "A"}
    if limited:
        lines["thresholdsStyle"] = {"mode": "line"}
    return lines


def tile(title: str, description: str, *queries: Query) -> Panel:
    """Figures of one service side by side, in its colour; one such panel for each service."""
    panel = _panel("stat", title, description, "none", queries, empty=NO_LOAD)
    panel["fieldConfig"]["overrides"] = [
        *overrides.colours(),
        *overrides.of_figures(letters(list(queries))),
    ]
    panel["options"] = _figures("vertical", "value")
    return panel | _each_service()


def bar(title: str, description: str, query: Query) -> Panel:
    """How full something of one service is, in its colour; one such panel for each service."""
    panel = _panel("bargauge", title, description, "percentunit", [query], empty=NO_LOAD)
    panel["fieldConfig"]["defaults"] |= {"min": 0, "max": 1}
    panel["fieldConfig"]["overrides"] = [
        *overrides.colours(),
        *overrides.of_figures(letters([query])),
    ]
    panel["options"] = {
        "reduceOptions": _LAST,
        "orientation": "horizontal",
        "displayMode": "basic",
        "showUnfilled": True,
        "text": {"titleSize": 14},
    }
    return panel | _each_service()


def verdicts(title: str, description: str, *queries: Query) -> Panel:
    """A line for each figure: green, or red from its limit on."""
    panel = _panel("stat", title, description, "none", queries, empty="Prometheus knows nothing")
    panel["fieldConfig"]["defaults"]["color"] = {"mode": "thresholds"}
    panel["fieldConfig"]["overrides"] = list(overrides.of_figures(letters(list(queries))))
    panel["options"] = _figures("horizontal", "background")
    return panel


def stat(
    title: str,
    description: str,
    unit: str,
    query: Query,
    limit: float | None = None,
    empty: str = NO_LOAD,
) -> Panel:
    """One big number, red from `limit` on."""
    panel = _panel("stat", title, description, unit, [query], limit=limit, empty=empty)
    if limit is not None:
        panel["fieldConfig"]["defaults"]["color"] = {"mode": "thresholds"}
    panel["options"] = _figures("auto", "none" if limit is None else "value") | {
        "textMode": "value"
    }
    return panel


def words(title: str, description: str, query: Query) -> Panel:
    """The legend of the one series that `query` finds, as a sentence."""
    panel = _panel("stat", title, description, "none", [query], empty="The service isn't there")
    panel["options"] = _figures("auto", "none") | {"textMode": "name"}
    return panel


def heatmap(title: str, description: str, unit: str, query: Query) -> Panel:
    """The buckets of a Prometheus histogram over time, in requests a second."""
    panel = _panel("heatmap", title, description, unit, [query], empty=NO_LOAD)
    panel["options"] = {
        "calculate": False,
        "yAxis": {"unit": unit, "axisPlacement": "left"},
        "cellValues": {"unit": "reqps"},
        "filterValues": {"le": 1e-9},  # an empty cell is the ground
        "color": {"mode": "scheme", "scheme": "Viridis", "steps": 64, "reverse": False},
        "cellGap": 0,
        "legend": {"show": True},
        "tooltip": {"show": True, "yHistogram": False},
    }
    return panel


def table(
    title: str, description: str, query: Query, columns: dict[str, str], empty: str = NO_LOAD
) -> Panel:
    """The series that exist now: `columns` gives labels, and Value, their headings in order."""
    panel = _panel("table", title, description, "none", [query], empty=empty)
    panel["options"] = {"showHeader": True}
    panel["transformations"] = [
        {"id": "filterFieldsByName", "options": {"include": {"names": list(columns)}}},
        {
            "id": "organize",
            "options": {
                "indexByName": {label: place for place, label in enumerate(columns)},
                "renameByName": columns,
            },
        },
    ]
    return panel


def _figures(orientation: str, colour: str) -> dict[str, Any]:
    return {
        "reduceOptions": _LAST,
        "orientation": orientation,
        "textMode": "value_and_name",
        "colorMode": colour,
        "graphMode": "none",
        "justifyMode": "auto",
    }


def _each_service() -> dict[str, Any]:
    return {"repeat": "service", "repeatDirection": "h", "maxPerRow": MOST_IN_A_ROW}


def _panel(
    kind: str,
    title: str,
    description: str,
    unit: str,
    queries: Sequence[Query],
    custom: dict[str, Any] | None = None,
    limit: float | None = None,
    empty: str = "",
) -> Panel:
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": [query.target(letter) for letter, query in letters(list(queries))],
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "noValue": empty,
                "color": {"mode": "palette-classic"},
                "thresholds": overrides.thresholds(limit),
                "custom": custom or {},
            },
            "overrides": [],
        },
    }
