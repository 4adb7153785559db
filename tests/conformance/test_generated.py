"""Requests that nobody thought of, generated from the contract itself."""

from __future__ import annotations

from functools import cache
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from loadtest.inventory.manifest import VALIDATION, Service
from loadtest.system.paths import ROOT
from tests.conformance.conftest import APPLICATIONS

Operation = APIOperation[Any, Any, Any, Any]

SCHEMA = schemathesis.openapi.from_path(ROOT / "services" / "contract.yaml")
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations() if isinstance(result, Ok)]
# What takes nothing can be given nothing wrong.
TAKING = [
    each for each in OPERATIONS if len(each.query) or len(each.path_parameters) or len(each.body)
]
EXAMPLES = 15
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# What a right value may cost: the contract allows ten seconds of waiting and fifty million steps.
AFFORDABLE = {
    "/wait": {"ms": 20},
    "/fanout": {"ms": 10},
    "/stream": {"n": 5, "ms": 5},
    "/cpu": {"n": 2_000},
}


def affordable(case: Case[Any]) -> Case[Any]:
    """The same case with numbers that would take long replaced by small ones."""
    for name, limit in AFFORDABLE.get(case.operation.path, {}).items():
        value: Any = (case.query or {}).get(name)
        if isinstance(value, int) and value > limit:
            case.query[name] = max(1, value % limit)
        elif value is None and case.query is not None:
            case.query[name] = limit
    return case


@cache
def generated(mode: GenerationMode) -> list[Case[Any]]:
    """The same requests in every run and for every service, EXAMPLES an operation at most."""
    cases: list[Case[Any]] = []
    for operation in OPERATIONS if mode == GenerationMode.POSITIVE else TAKING:

        @hypothesis.seed(1)
        @hypothesis.settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode).map(affordable))
        def collect(case: Case[Any]) -> None:
            cases.append(case)

        collect()
    return cases


@pytest.mark.parametrize("service", APPLICATIONS, indirect=True)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_generated_requests_get_answers_of_the_contract(
    service: Service, mode: GenerationMode
) -> None:
    assert len(generated(mode)) > len(OPERATIONS)
    with requests.Session() as session:
        for case in generated(mode):
            if VALIDATION in service.leaves_out and case.operation.path == "/orders":
                continue  # 1.0 is a whole number to the schema and none to the contract
            case.call_and_validate(base_url=service.url(), session=session, checks=CHECKS)
