"""What a dashboard lets its reader choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grafana.queries import DATASOURCE

_NAMES = '/service="([^"]+)"/'


@dataclass(frozen=True)
class Variable:
    """A choice among the services that `query` finds, `several` of them or one.

    `query` is an expression whose series have the label service; its order is that of the list.
    Several begin with all, one begins with the first.
    """

    query: str
    label: str
    several: bool
    name: str = "service"

    def model(self) -> dict[str, Any]:
        """As dashboard JSON."""
        everything = {"text": "All", "value": "$__all"}
        return {
            "type": "query",
            "name": self.name,
            "label": self.label,
            "datasource": DATASOURCE,
            "query": {"query": f"query_result({self.query})", "refId": self.name},
            "regex": _NAMES,
            "refresh": 2,  # whenever the time range moves on: services come and go
            "sort": 1 if self.several else 0,
            "multi": self.several,
            "includeAll": self.several,
            "current": everything if self.several else {},
        }


LOADED = Variable("max_over_time(lab_load_users[$__range]) > 0", "Services under load", True)
BUSIEST = Variable(
    "sort_desc(sum by (service) (lab_load_users) or sum by (service) (lab_slots) * 0)",
    "Service",
    several=False,
)
