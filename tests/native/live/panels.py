"""What the dashboards and rules ask Prometheus for, and what a tile says with it."""

from __future__ import annotations

import json
import re

import yaml

from loadtest.system.paths import ROOT

# Nothing happens here; tests/native/live/trouble has incidents.
INCIDENTS, GONE = "service:incidents:count", "(1 - target:up:seen) > 0"


def expressions(service: str, *others: str) -> dict[str, str]:
    """Every expression of every panel, annotation and rule but incidents, by where it stands.

    `service` is what a dashboard of one service shows; those of several show the `others` too.
    """
    found = {}
    for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json")):
        dashboard = json.loads(path.read_text())
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                where = f"{path.stem}: {panel['title']} {target['refId']}"
                found[where] = target["expr"]
        for annotation in dashboard["annotations"]["list"]:
            # A mark is there for a moment: look for it where a chart does.
            lately = f"last_over_time(({annotation['expr']})[1m:2s])"
            if INCIDENTS not in lately:
                found[f"{path.stem}: annotation {annotation['name']}"] = lately
    rules = yaml.safe_load((ROOT / "prometheus" / "rules.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            if rule["record"] != INCIDENTS:
                found[f"rule {rule['record']}"] = rule["expr"]
    return {
        where: expression.replace("$__rate_interval", "8s")
        .replace('="$service"', f'="{service}"')
        .replace("$service", "|".join((service, *others)))
        for where, expression in found.items()
        if not expression.startswith((INCIDENTS, GONE))
    }


def sentence(labels: dict[str, str]) -> str:
    """What the bar of a service is called, as Grafana puts its name together."""
    dashboard = json.loads((ROOT / "grafana" / "dashboards" / "comparison.json").read_text())
    bar = next(panel for panel in dashboard["panels"] if panel["type"] == "bargauge")
    template = next(
        str(each["value"])
        for override in bar["fieldConfig"]["overrides"]
        for each in override["properties"]
        if each["id"] == "displayName"
    )
    return re.sub(r"\$\{__field\.labels\.(\w+)\}", lambda found: labels[found[1]], template)
