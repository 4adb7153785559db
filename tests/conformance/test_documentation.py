"""FastAPI's own OpenAPI document says what the contract says."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from loadtest.contract.conformance import Client
from loadtest.inventory.manifest import Service
from loadtest.system.paths import ROOT
from tests.conformance.conftest import APPLICATIONS

CONTRACT: dict[str, Any] = yaml.safe_load((ROOT / "services" / "contract.yaml").read_text())
OPERATIONS = [(path, method) for path, methods in CONTRACT["paths"].items() for method in methods]
DOCUMENTED = [name for name in APPLICATIONS if name.startswith("fastapi")]
BOUNDS = ("type", "minimum", "maximum", "default")


def fetch(service: Service, path: str) -> bytes:
    with Client(service.url()) as client:
        answer = client.send("GET", path)
    assert answer.status == 200
    return answer.body


def parameters(operation: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Place and name of each parameter, with the bounds of its value (cookies are security)."""
    return {
        (each["in"], each["name"]): {key: each["schema"].get(key) for key in BOUNDS}
        for each in operation.get("parameters", ())
        if each["in"] != "cookie"
    }


@pytest.mark.parametrize("service", DOCUMENTED, indirect=True)
def test_document_has_every_operation_with_its_parameters_and_statuses(service: Service) -> None:
    paths = json.loads(fetch(service, "/openapi.json"))["paths"]
    for path, method in OPERATIONS:
        ours, theirs = CONTRACT["paths"][path][method], paths[path][method]
        assert parameters(theirs) == parameters(ours), (path, method)
        assert set(theirs["responses"]) >= set(ours["responses"]), (path, method)


@pytest.mark.parametrize("service", DOCUMENTED, indirect=True)
@pytest.mark.parametrize("name", ["NewOrder", "OrderLine", "Login"])
def test_models_are_the_schemas_of_the_contract(service: Service, name: str) -> None:
    ours = CONTRACT["components"]["schemas"][name]
    theirs = json.loads(fetch(service, "/openapi.json"))["components"]["schemas"][name]
    assert theirs["required"] == ours["required"]
    assert theirs["additionalProperties"] is False
    assert set(theirs["properties"]) == set(ours["properties"])
    for member, schema in ours["properties"].items():
        limits = {key: value for key, value in schema.items() if key.startswith(("min", "max"))}
        assert limits.items() <= theirs["properties"][member].items(), member


@pytest.mark.parametrize("service", DOCUMENTED, indirect=True)
def test_documentation_can_be_read(service: Service) -> None:
    assert b"swagger" in fetch(service, "/docs").lower()
