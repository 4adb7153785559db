"""What a panel asks Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DATASOURCE = {"type": "prometheus", "uid": "prometheus"}


@dataclass(frozen=True)
class Query:
    """One PromQL expression; `legend` may hold {{labels}}.

    now:    the last value alone, and no history
    table:  likewise, its labels as columns
    label:  what the figure is called in a panel of several figures, with its `unit`
    limit:  from which value on that figure is bad
    empty:  what stands there where Prometheus has no figure, NaN
    """

    expr: str
    legend: str = "{{service}}"
    now: bool = False
    table: bool = False
    heatmap: bool = False
    label: str = ""
    unit: str = ""
    limit: float | None = None
    empty: str = ""

    def target(self, letter: str) -> dict[str, Any]:
        """The query as a panel's target, named `letter`."""
        once = self.now or self.table
        target: dict[str, Any] = {
            "refId": letter,
            "datasource": DATASOURCE,
            "expr": self.expr,
            "legendFormat": self.legend,
            "range": not once,
            "instant": once,
        }
        if self.table or self.heatmap:
            target["format"] = "table" if self.table else "heatmap"
        if self.heatmap:
            target["interval"] = "10s"  # narrower cells are stripes
        return target


def letters(queries: list[Query]) -> list[tuple[str, Query]]:
    """Each query with the letter that its panel knows it by."""
    return [(chr(ord("A") + place), query) for place, query in enumerate(queries)]
