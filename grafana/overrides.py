"""What is said of single lines of a panel: their colour, their dashes, their unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from grafana.queries import Query
from loadtest.inventory.palette import COLOURS

Override = dict[str, Any]

GOOD, BAD, UNKNOWN = "green", "red", "#6E7077"
CAPACITY = ("slots", "max", "wait")  # the last word of a legend that names what there could be
_WIDTHS = {"p99": 1, "flight": 6}  # what is busy lies on what is in flight
_OF_SERVICES = ("{{service}}", "{{application_name}}")
# Lines are drawn in the order of their names, so a later one is narrower: what it lies on shows at
# its sides. Each width holds up to and with the service named.
_LAST_OF_WIDTH = {6: "fastapi-async", 4: "flask-gthread"}


def of_lines(queries: Iterable[Query]) -> Iterator[Override]:
    """Colours and widths of services; a capacity is dashed beside what is used, a p99 thin."""
    legends = [query.legend for query in queries]
    if any(legend.startswith(_OF_SERVICES) for legend in legends):
        yield from colours()
        yield from _widths_of_services()
    for suffix in dict.fromkeys(legend.rpartition(" ")[2] for legend in legends):
        if suffix in CAPACITY:
            yield _named(suffix, "custom.lineStyle", {"fill": "dash", "dash": [8, 8]})
        if suffix in _WIDTHS:
            yield _named(suffix, "custom.lineWidth", _WIDTHS[suffix])


def colours() -> Iterator[Override]:
    """A service without a colour here takes one of Grafana's: a new service needs no edit."""
    for service, colour in COLOURS.items():
        fixed = {"mode": "fixed", "fixedColor": colour}
        yield _override("byRegexp", f"/^{service}(:? .*)?$/", color=fixed)


def _widths_of_services() -> Iterator[Override]:
    """Services whose lines may lie on each other can be told apart by their widths."""
    narrower = sorted(COLOURS)
    for width, last in _LAST_OF_WIDTH.items():
        wide = [name for name in narrower if name <= last]
        narrower = narrower[len(wide) :]
        yield _override("byRegexp", f"/^({'|'.join(wide)})( .*)?$/", **{"custom.lineWidth": width})


def of_figures(queries: Iterable[tuple[str, Query]]) -> Iterator[Override]:
    """The name, unit, limit and meaning of each figure in a panel of several."""
    for letter, query in queries:
        said: dict[str, Any] = {}
        if query.label:
            said["displayName"] = query.label
        if query.unit:
            said["unit"] = query.unit
        if query.limit is not None:
            said["thresholds"] = thresholds(query.limit)
        if query.empty:
            said["mappings"] = [unknown(query.empty)]
        if said:
            yield _override("byFrameRefID", letter, **said)


def thresholds(limit: float | None) -> dict[str, Any]:
    """Good below `limit`, bad from there on."""
    steps: list[dict[str, Any]] = [{"color": GOOD, "value": None}]
    if limit is not None:
        steps.append({"color": BAD, "value": limit})
    return {"mode": "absolute", "steps": steps}


def unknown(text: str) -> dict[str, Any]:
    """What stands where there is no number."""
    result = {"text": text, "color": UNKNOWN, "index": 0}
    return {"type": "special", "options": {"match": "null+nan", "result": result}}


def _named(suffix: str, name: str, value: object) -> Override:
    return _override("byRegexp", f"/(^| ){suffix}$/", **{name: value})


def _override(matcher: str, options: str, **properties: object) -> Override:
    return {
        "matcher": {"id": matcher, "options": options},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }
