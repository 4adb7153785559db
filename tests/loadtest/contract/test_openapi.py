"""A service's own description against the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from loadtest.backends.native import Lab
from loadtest.contract import openapi

CONTRACT: dict[str, Any] = yaml.safe_load(openapi.CONTRACT.read_text())


def test_names_of_path_parameters_do_not_count() -> None:
    one: dict[str, Any] = {"paths": {"/items/{id}": {"get": {}, "parameters": []}}}
    other: dict[str, Any] = {"paths": {"/items/{item_id}": {"get": {}}}}
    assert openapi.operations(one) == openapi.operations(other) == {("/items/{}", "get")}


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the service serves at /openapi.json."""
    document: dict[str, Any] = json.loads(json.dumps(CONTRACT))
    monkeypatch.setattr(openapi, "_document", lambda _: document)
    return document


def test_the_contract_itself_passes(serving: dict[str, Any]) -> None:
    assert serving
    assert openapi.check("http://service")["passed"]


def test_a_missing_operation_is_named(serving: dict[str, Any]) -> None:
    del serving["paths"]["/orders"]
    found = openapi.check("http://service")
    assert not found["passed"]
    assert found["detail"] == "its OpenAPI document leaves out POST /orders"


def test_fastapi_describes_itself_and_flask_does_not(lab: Lab) -> None:
    assert openapi.check(lab.services["fastapi-async"].url())["passed"]
    found = openapi.check(lab.services["flask-gthread"].url())
    assert found == {"passed": False, "detail": "serves no OpenAPI document"}
