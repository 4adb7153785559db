"""Does a service describe itself? Its own OpenAPI document held against the contract's routes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from loadtest.system import urls
from loadtest.system.paths import ROOT

CONTRACT = ROOT / "services" / "contract.yaml"
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
Operations = frozenset[tuple[str, str]]


def check(base_url: str) -> dict[str, Any]:
    """Whether the service at `base_url` serves a document with every operation of the contract.

    `passed`, and `detail` in words.
    """
    wanted = operations(yaml.safe_load(CONTRACT.read_text(encoding="utf-8")))
    document = _document(f"{base_url}/openapi.json")
    if document is None:
        return {"passed": False, "detail": "serves no OpenAPI document"}
    missing = sorted(f"{method.upper()} {path}" for path, method in wanted - operations(document))
    if missing:
        detail = f"its OpenAPI document leaves out {', '.join(missing)}"
        return {"passed": False, "detail": detail}
    return {
        "passed": True,
        "detail": f"serves an OpenAPI document with all {len(wanted)} operations of the contract",
    }


def operations(document: Mapping[str, Any]) -> Operations:
    """Path and method of each operation; the names of path parameters do not count."""
    return frozenset(
        (re.sub(r"\{[^}]*\}", "{}", path), method)
        for path, methods in document["paths"].items()
        for method in methods
        if method in _METHODS
    )


def _document(url: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(urls.read(url, 10.0))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("paths"), dict) else None
