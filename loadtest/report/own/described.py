"""The user's own services as a table of the page: what was asked, and what they answered."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from loadtest.model.experiment import Experiment
from loadtest.report.charts.style import Listing
from loadtest.results.runs import Run


def services(run: Run) -> Listing:
    """Each service with its request, its first answer and the command that started it."""
    headers = ("Service", "Asked", "Answer", "Bytes", "Server", "Keeps connections", "Started by")
    return Listing(headers, tuple(_row(name, each) for name, each in _own(run)))


def _own(run: Run) -> Iterator[tuple[str, dict[str, object]]]:
    for name, service in dict(run.info.get("services") or {}).items():
        if "url" in service:
            yield name, service


def _row(name: str, service: dict[str, object]) -> tuple[str, ...]:
    found = service.get("observed")
    seen = found if isinstance(found, dict) else {}
    command = service.get("command")
    return (
        name,
        f"{service.get('method', 'GET')} {service.get('url')}",
        str(seen.get("status", "–")),
        str(seen.get("bytes", "–")),
        str(seen.get("server") or "–"),
        "yes" if seen.get("kept") else "no" if seen else "–",
        shlex.join(command) if isinstance(command, list) and command else "somebody else",
    )


def requests(experiment: Experiment) -> str:
    """What each service was asked: `A: GET http://127.0.0.1:8101/items`."""
    found: dict[str, None] = {}
    for level in experiment.levels:
        for name in experiment.services:
            target = level.asked[name]
            found[f"{name}: {target.method} {target.url}"] = None
    return "; ".join(found)
