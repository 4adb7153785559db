"""Runs that earlier versions of the lab wrote, in today's words.

Before version 4 the number of rounds was fixed: nobody looked at the figures before the end. Such
runs are judged so. Loads were once of the kind "websocket". It was a closed load; what it asked
was the scenario's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from loadtest.inventory.budgets import RENAMED

# Version 2 called a service under test a row.
_WORDS = {"rows": "services", "full_rows": "full_services", "row": "service"}


def renamed_budget(info: Mapping[str, Any]) -> dict[str, Any]:
    """A run.json with its budget by the name that it has today."""
    name = info.get("budget")
    found = dict(info)
    if name in RENAMED:
        found["budget"] = RENAMED[name]
    if isinstance(info.get("command"), str):
        for old, new in RENAMED.items():
            found["command"] = re.sub(rf"--budget {old}\b", f"--budget {new}", found["command"])
    return found


def modern(info: Mapping[str, Any]) -> dict[str, Any]:
    """A run.json of version 2 or 3 as version 4 writes it."""
    found = _renamed(info) | {"version": 4, "made_as": info["version"], "looks": {}}
    found["plans"] = {
        name: _renamed(plan) | {"looks": []} for name, plan in info.get("plans", {}).items()
    }
    found["experiments"] = {
        name: _experiment(document) for name, document in info.get("experiments", {}).items()
    }
    if isinstance(found.get("command"), str):
        found["command"] = found["command"].replace(" --rows ", " --services ")
    return found


def _experiment(document: object) -> object:
    if not isinstance(document, dict):
        return document
    found = _renamed(document)
    if isinstance(found.get("criteria"), list):
        found["criteria"] = [
            _renamed(each) if isinstance(each, dict) else each for each in found["criteria"]
        ]
    for key in ("load", "peak", "background"):
        if isinstance(found.get(key), dict):
            found[key] = load(found[key])
    if isinstance(found.get("levels"), list):
        found["levels"] = [
            load(each) if isinstance(each, dict) else each for each in found["levels"]
        ]
    return found


def load(table: Mapping[str, Any]) -> dict[str, Any]:
    """A load, or what holds its keys, of a kind that there is today."""
    return {**table, "kind": "closed"} if table.get("kind") == "websocket" else dict(table)


def _renamed(table: Mapping[str, Any]) -> dict[str, Any]:
    return {_WORDS.get(key, key): value for key, value in table.items()}
