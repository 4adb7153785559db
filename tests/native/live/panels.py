"""What the dashboards and rules ask Prometheus for."""

from __future__ import annotations

import json

import yaml

from loadtest.system.paths import ROOT

# Nothing happens here; tests/native/live/trouble has incidents.
INCIDENTS = "service:incidents:count"


def expressions(service: str) -> dict[str, str]:
    """Every expression of every panel, annotation and rule but incidents, by where it stands.

    `service` is what a dashboard of one service shows.
    """
    found = {}
    for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json")):
        dashboard = json.loads(path.read_text())
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                where = f"{path.stem}: {panel['title']} {target['refId']}"
                found[where] = target["expr"]
        for annotation in dashboard["annotations"]["list"]:
            found[f"{path.stem}: annotation {annotation['name']}"] = annotation["expr"]
    rules = yaml.safe_load((ROOT / "prometheus" / "rules.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            if rule["record"] != INCIDENTS:
                found[f"rule {rule['record']}"] = rule["expr"]
    return {
        where: expression.replace("$__rate_interval", "8s").replace("$service", service)
        for where, expression in found.items()
        if not expression.startswith(INCIDENTS)
    }
