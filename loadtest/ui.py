"""What the lab adds to Locust's web interface: checks, a way to Grafana, something to try first.

The form is Locust's own. Absurd values are refused before they reach the load, with a message that
the form shows.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from html import escape

from flask import Response, jsonify, request
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.web import WebUI

from loadtest import scenarios
from loadtest.scenarios import ScenarioError

AUTOSTART_VARIABLE = "LAB_AUTOSTART"
AUTOSTART = {
    "autostart": True,
    "num_users": 60,
    "spawn_rate": 60.0,
    "scenario": "wait",
    "user_classes": ["fastapi-async", "flask-sync"],
}

Check = Callable[[str], str]


def attach(environment: Environment, web_ui: WebUI | None) -> None:
    """Make the interface the lab's; without one (headless, a worker) only switch shapes off.

    Locust takes the first shape it finds, headless too: here a shape is used only where it was
    chosen in the interface.
    """
    environment.shape_class = None
    if web_ui is None or web_ui.app is None:
        return
    web_ui.app.before_request(lambda: _refusal(environment))
    web_ui.app.after_request(_guided)


def _refusal(environment: Environment) -> Response | None:
    if request.method != "POST" or not request.path.endswith("/swarm"):
        return None
    options = vars(environment.parsed_options)
    form = {key: str(options.get(key, "")) for key in _NEEDED} | request.form.to_dict()
    message = problem(form)
    return jsonify({"success": False, "message": message}) if message else None


def _guided(response: Response) -> Response:
    if response.mimetype == "text/html":
        html = response.get_data(as_text=True)
        response.set_data(html.replace("</body>", guide(os.environ) + "</body>", 1))
    return response


def apply_autostart(parser: LocustArgumentParser, variables: Mapping[str, str]) -> None:
    """LAB_AUTOSTART=1: the first thing to try starts by itself."""
    if variables.get(AUTOSTART_VARIABLE, "").lower() in ("1", "true", "yes", "on"):
        parser.set_defaults(**AUTOSTART)


def problem(form: Mapping[str, str]) -> str:
    """What is wrong with the form's values, in a sentence; empty where nothing is.

    `form` has the fields of Locust's start form as text; fields that are missing are not checked.
    """
    for field, check in _CHECKS.items():
        if field in form and (message := check(form[field].strip())):
            return message
    if "scenario" not in form:
        return ""
    try:
        scenario = scenarios.choose(form["scenario"])
        scenario.filled(scenarios.parse_parameters(form.get("parameters", "")))
    except ScenarioError as error:
        return str(error)
    if (form.get("load") == "websocket") != scenario.websocket:
        return "load websocket and scenario websocket go together: choose both or neither"
    return ""


def _number(label: str, least: float, most: float, *, whole: bool = False) -> Check:
    kind = "a whole number" if whole else "a number"

    def check(text: str) -> str:
        try:
            value = float(int(text)) if whole else float(text)
        except ValueError:
            value = math.nan
        if least <= value <= most:
            return ""
        return f"{label}: give {kind} from {least:,g} to {most:,g}, not {text[:40]!r}"

    return check


_NEEDED = ("scenario", "parameters", "load")
_CHECKS: dict[str, Check] = {
    "user_count": _number("Number of users", 1, 20_000, whole=True),
    "spawn_rate": _number("Ramp up", 0.1, 20_000),
    "rate": _number("Rate", 0.1, 1_000_000),
    "think_ms": _number("Think ms", 0, 600_000),
    "request_timeout": _number("Request timeout", 0.1, 600),
    "load_seed": _number("Load seed", 0, 2**31 - 1, whole=True),
}


def guide(variables: Mapping[str, str]) -> str:
    """A corner of the page: where to look, and what to try."""
    if variables.get("LAB_BACKEND") == "compose":
        name, url = "Grafana", f"http://127.0.0.1:{variables.get('GRAFANA_PORT') or 3000}"
    else:
        name, url = "Prometheus", f"http://127.0.0.1:{variables.get('PROMETHEUS_PORT') or 9090}"
    ideas = "".join(f"<li>{idea}</li>" for idea in _IDEAS)
    return _GUIDE.format(name=escape(name), url=escape(url), ideas=ideas)


_IDEAS = (
    "<b>Slots.</b> fastapi-async and flask-sync, scenario <i>wait</i>, 60 users.",
    "<b>Threads.</b> flask-gthread beside flask-sync, the same load.",
    "<b>The pool.</b> fastapi-async alone, <i>wait</i>, 400 users.",
    "<b>CPU.</b> fastapi-async, scenario <i>cpu</i>, parameters <i>n=1000000</i>, 10 users.",
    "<b>The knee.</b> One row, shape <i>RampToTheKnee</i>, 500 users.",
)
_GUIDE = """
<style>
  #lab-guide {{ position: fixed; right: 16px; bottom: 48px; z-index: 1000; max-width: 22rem;
    padding: 8px 14px; border-radius: 8px; background: #15803d; color: #fff;
    font: 14px/1.4 Roboto, Helvetica, Arial, sans-serif; box-shadow: 0 2px 8px #0006; }}
  #lab-guide a {{ color: #fff; font-weight: bold; }}
  #lab-guide summary {{ cursor: pointer; }}
  #lab-guide ul {{ margin: 8px 0; padding-left: 18px; }}
</style>
<details id="lab-guide">
  <summary>Try this · <a href="{url}" target="_blank" rel="noopener">{name}</a></summary>
  <ul>{ideas}</ul>
  Scenario and load are under <i>Custom parameters</i>; a change counts from the next start.
</details>
"""
