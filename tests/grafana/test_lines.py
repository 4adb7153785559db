"""Lines of several services in one panel, as overrides draw them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from loadtest.inventory.palette import COLOURS
from tests.grafana.test_dashboards import panels


def width_of(line: str, panel: dict[str, Any]) -> float:
    """How wide Grafana draws the line with this legend: the last override that matches decides."""
    width: float = panel["fieldConfig"]["defaults"]["custom"]["lineWidth"]
    for override in panel["fieldConfig"]["overrides"]:
        if re.search(override["matcher"]["options"].strip("/"), line):
            for each in override["properties"]:
                width = each["value"] if each["id"] == "custom.lineWidth" else width
    return width


@pytest.mark.parametrize(
    ("below", "above"),
    [
        ("fastapi-async", "flask-sync"),
        ("fastapi-async", "fastapi-blocking"),
        ("fastapi-async", "fastapi-sync"),
        ("fastapi-async", "flask-gthread"),
        ("flask-gthread", "flask-sync"),
        ("fastapi-sync", "flask-sync"),
        ("asgi-raw", "wsgi-raw"),
    ],
)
def test_lines_of_two_services_that_coincide_are_both_seen(below: str, above: str) -> None:
    """Grafana draws lines in the order of their names; one as wide hides what it lies on."""
    drawn = [
        (target["legendFormat"], param.values[0])
        for param in panels()
        if param.values[0]["type"] == "timeseries"
        for target in param.values[0]["targets"]
        if target["legendFormat"].startswith(("{{service}}", "{{application_name}}"))
    ]
    assert len(drawn) > 20
    for legend, panel in drawn:
        if legend.endswith("p99"):
            continue  # thin on its own p50
        rest = re.sub(r"^{{\w+}}", "", legend)
        assert width_of(below + rest, panel) >= width_of(above + rest, panel) + 2, panel["title"]


def test_no_service_is_drawn_wider_than_one_that_it_may_hide() -> None:
    for param in panels():
        if param.values[0]["type"] == "timeseries":
            widths = [width_of(service, param.values[0]) for service in sorted(COLOURS)]
            assert widths == sorted(widths, reverse=True)
