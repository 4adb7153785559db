"""Where the panels of a dashboard stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grafana.panels import Panel

GRID_WIDTH = 24
ROW_PX, GAP_PX = 30, 8  # Grafana's: a panel of h units is 38 h - 8 pixels high
CHROME_PX = 130  # what Grafana 9.4 puts above the first panel


@dataclass(frozen=True)
class Section:
    """A stretch of a dashboard, headed where it has a title; its panels share the width.

    `height`: in units of Grafana's grid.
    """

    title: str
    panels: Sequence[Panel]
    height: int = 8


def grid(sections: Sequence[Section]) -> Iterator[Panel]:
    """The panels of `sections` from top to bottom, numbered."""
    y, number = 0, 1
    for section in sections:
        if section.title:
            yield _heading(section.title, y, number)
            y, number = y + 1, number + 1
        width = GRID_WIDTH // len(section.panels)
        for place, panel in enumerate(section.panels):
            position = {"x": place * width, "y": y, "w": width, "h": section.height}
            yield {"id": number, "gridPos": position} | panel
            number += 1
        y += section.height


def bottom_px(panel: Panel) -> int:
    """Where a panel ends on the page, in pixels from the top of the window."""
    place: dict[str, int] = panel["gridPos"]
    return CHROME_PX + (place["y"] + place["h"]) * (ROW_PX + GAP_PX) - GAP_PX


def _heading(title: str, y: int, number: int) -> Panel:
    return {
        "type": "row",
        "id": number,
        "title": title,
        "collapsed": False,
        "gridPos": {"x": 0, "y": y, "w": GRID_WIDTH, "h": 1},
        "panels": [],
    }
