"""Services as a sentence has them: `FastAPI`, `Flask with threads`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

Names = Mapping[str, str]  # service -> as a sentence has it
NO_NAMES: Names = MappingProxyType({})

# Known by their language rather than by what serves HTTP in it.
_LANGUAGES = {"Fastify": "Node.js", "net/http": "Go"}
_LIGHT = ("async", "goroutines")  # what its framework does anyway needs no word


def spoken(services: Iterable[str], declared: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The framework of each service, with its model where that is not its framework's own.

    `declared` is `services` of run.json. Services that would sound alike keep their names.
    """
    found = {service: _said(service, declared.get(service) or {}) for service in services}
    count = Counter(found.values())
    return {service: said if count[said] == 1 else service for service, said in found.items()}


def framework(service: str, declared: Mapping[str, Any]) -> str:
    """The framework of a service, or the language where that is better known."""
    found = str(declared.get("framework") or service)
    return _LANGUAGES.get(found, found)


def _said(service: str, declared: Mapping[str, Any]) -> str:
    model = declared.get("model")
    if not declared.get("framework") or not model:
        return service
    name = framework(service, declared)
    return name if model in _LIGHT else f"{name} with {model}"
