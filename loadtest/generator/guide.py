"""A corner of Locust's page: where to look, what to try, what the scenarios take."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from loadtest.contract.scenarios import SCENARIOS, Scenario
from loadtest.system.ports import PROMETHEUS_VARIABLE


def guide(variables: Mapping[str, str]) -> str:
    """The HTML. `variables` tell whether there is a Grafana or a Prometheus, and where."""
    ideas = "".join(f"<li>{idea}</li>" for idea in _IDEAS)
    known = "".join(map(_scenario, SCENARIOS.values()))
    return _GUIDE.format(where=_where(variables), ideas=ideas, scenarios=known)


def _where(variables: Mapping[str, str]) -> str:
    if variables.get("LAB_BACKEND") == "compose":
        name, url = "Grafana", f"http://127.0.0.1:{variables.get('GRAFANA_PORT') or 3000}"
    else:
        name, url = "Prometheus", variables.get(PROMETHEUS_VARIABLE, "http://127.0.0.1:9090")
    if not url:
        return f"<b>{name} is not running</b>"
    return f'<a href="{escape(url)}" target="_blank" rel="noopener">{name}</a>'


def _scenario(scenario: Scenario) -> str:
    takes = ", ".join(f"{each.name}={each.default}" for each in scenario.parameters)
    return f"<li><b>{scenario.name}</b>: {escape(scenario.help)} <i>{takes}</i></li>"


_IDEAS = (
    "<b>Slots.</b> fastapi-async and flask-sync, scenario <i>wait</i>, 60 users.",
    "<b>Threads.</b> flask-gthread beside flask-sync, the same load.",
    "<b>The pool.</b> fastapi-async alone, <i>wait</i>, 400 users.",
    "<b>CPU.</b> fastapi-async, scenario <i>cpu</i>, parameters <i>n=1000000</i>, 10 users.",
    "<b>The knee.</b> One service, shape <i>RampToTheKnee</i>, 500 users.",
)
_GUIDE = """
<style>
  #lab-guide {{ position: fixed; right: 16px; bottom: 48px; z-index: 1400; max-width: 22rem;
    max-height: 80vh; overflow: auto;
    padding: 8px 14px; border-radius: 8px; background: #15803d; color: #fff;
    font: 14px/1.4 Roboto, Helvetica, Arial, sans-serif; box-shadow: 0 2px 8px #0006; }}
  #lab-guide a {{ color: #fff; font-weight: bold; }}
  #lab-guide summary {{ cursor: pointer; }}
  #lab-guide ul {{ margin: 8px 0; padding-left: 18px; }}
</style>
<aside id="lab-guide">
  {where}
  <details>
    <summary>Try this</summary>
    <ul>{ideas}</ul>
    Scenario and load are under <i>Custom parameters</i>; a change counts from the next start.
    <details><summary>Scenarios and their parameters</summary><ul>{scenarios}</ul></details>
  </details>
</aside>
"""
