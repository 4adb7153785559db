"""What the lab adds to Locust's page: the load in sight, examples to fill in, where to look."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from loadtest.contract.scenarios import SCENARIOS, Scenario
from loadtest.system.ports import PROMETHEUS_VARIABLE

_PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Example:
    """A load worth seeing, and the panel of the home dashboard that shows its effect.

    `expr` is what that panel asks Prometheus.
    """

    services: tuple[str, ...]
    scenario: str
    parameters: str
    users: int
    panel: str
    panel_id: int
    expr: str

    @property
    def said(self) -> str:
        """The load in a sentence."""
        services = " and ".join(self.services)
        return f"{services}, {self.scenario} with {self.parameters}, {self.users} users."

    def fields(self) -> dict[str, str]:
        """The form's fields as Locust's page calls them; those of another example are set back."""
        return {
            "scenario": self.scenario,
            "parameters": self.parameters,
            "load": "closed",
            "thinkMs": "0",
            "requestsPerConnection": "0",
            "beside": "nothing",
            "userCount": str(self.users),
            "spawnRate": "60",
            "shapeClass": "Default",
        }


EXAMPLES: Mapping[str, Example] = {
    "Slots": Example(
        services=("fastapi-async", "flask-sync"),
        scenario="wait",
        parameters="ms=100",
        users=60,
        panel="Goodput against slots ÷ wait",
        panel_id=3,
        expr="service:load_goodput:rate10s",
    ),
    "The pool": Example(
        services=("fastapi-async",),
        scenario="wait",
        parameters="ms=100",
        users=400,
        panel="Wait for a database connection, p95",
        panel_id=11,
        expr="service:db_client_connection_wait_time_seconds:p95_10s",
    ),
    "CPU": Example(
        services=("fastapi-async",),
        scenario="cpu",
        parameters="n=1000000",
        users=10,
        panel="Scheduling lag",
        panel_id=12,
        expr="max by (service, kind) (lab_scheduling_lag_seconds)",
    ),
}
_IDEAS = (
    "<b>Threads.</b> flask-gthread beside flask-sync, the same load as <i>Slots</i>.",
    "<b>The knee.</b> One service, shape <i>RampToTheKnee</i>, 500 users.",
    "<b>No wait.</b> Two services, scenario <i>item</i>, 60 users: the CPU decides.",
)


def guide(variables: Mapping[str, str]) -> str:
    """The HTML. `variables` tell whether there is a Grafana or a Prometheus, and where."""
    name, url = _watcher(variables)
    examples = {
        title: {
            "services": each.services,
            "fields": each.fields(),
            "said": each.said,
            "look": _link(each.panel, _panel_url(name, url, each)) if url else "its latency",
        }
        for title, each in EXAMPLES.items()
    }
    hints = {each.name: _hint(each) for each in SCENARIOS.values()}
    return _PAGE.substitute(
        where=_link(name, url) if url else f"<b>{name} is not running</b>",
        buttons=" ".join(f'<button type="button">{title}</button>' for title in EXAMPLES),
        ideas="".join(f"<li>{idea}</li>" for idea in _IDEAS),
        examples=_script(examples),
        scenarios=_script(hints),
    )


def _watcher(variables: Mapping[str, str]) -> tuple[str, str]:
    if variables.get("LAB_BACKEND") == "compose":
        return "Grafana", f"http://127.0.0.1:{variables.get('GRAFANA_PORT') or 3000}"
    return "Prometheus", variables.get(PROMETHEUS_VARIABLE, "http://127.0.0.1:9090")


def _panel_url(name: str, url: str, example: Example) -> str:
    if name == "Grafana":
        return f"{url}/d/comparison?viewPanel={example.panel_id}"
    return f"{url}/graph?g0.expr={quote(example.expr)}&g0.tab=0&g0.range_input=5m"


def _link(name: str, url: str) -> str:
    return f'<a href="{escape(url)}" target="_blank" rel="noopener">{escape(name)}</a>'


def _hint(scenario: Scenario) -> str:
    takes = ", ".join(f"{each.name}={each.default}" for each in scenario.parameters)
    return f"{scenario.name}: {scenario.help}." + (f" Parameters: {takes}." if takes else "")


def _script(value: object) -> str:
    """JSON that no text in it can end the script."""
    return json.dumps(value).replace("</", "<\\/")
