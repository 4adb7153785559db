"""Verdicts of checks, which take no load."""

from __future__ import annotations

from loadtest.analysis import claims
from tests.synthetic import experiment


def test_a_check_holds_for_the_reference_and_against_the_others() -> None:
    one = experiment(check="openapi", levels=[], criteria=[])
    found = {
        "fastapi-async": {"passed": True, "detail": "serves all 14 operations"},
        "flask-sync": {"passed": False, "detail": "serves no document"},
    }
    claim = claims.checked(one, found, "typical")[0]
    assert claim.word == "confirmed"
    told = (claim.measured, claim.checks[1].criterion.says)
    assert told == ("fastapi-async: serves all 14 operations", "flask-sync: serves no document")
    found["flask-sync"]["passed"] = True
    assert claims.checked(one, found, "typical")[0].word == "conditional"


def test_a_check_may_be_passed_by_several() -> None:
    passing = {"passes": ["fastapi-async", "flask-sync"]}
    one = experiment(check="http2", levels=[], criteria=[], **passing)
    found = {name: {"passed": name != "flask-gthread"} for name in one.services}
    assert "flask-gthread" not in passing["passes"]
    assert claims.checked(one, found, "typical")[0].word == "confirmed"
    found["flask-sync"]["passed"] = False
    assert claims.checked(one, found, "typical")[0].word == "conditional"


def test_what_could_not_be_asked_speaks_for_nobody_and_against_nobody() -> None:
    one = experiment(check="http2", levels=[], criteria=[], passes=["fastapi-async"])
    found: dict[str, dict[str, bool | None]] = {name: {"passed": None} for name in one.services}
    claim = claims.checked(one, found, "typical")[0]
    assert {check.state for check in claim.checks} == {"not measured"}
    assert claim.word == "not measured"
    found["fastapi-async"]["passed"] = True
    assert claims.checked(one, found, "typical")[0].word == "undecided"


def test_a_check_whose_first_part_fails_names_one_that_holds() -> None:
    one = experiment(check="http2", levels=[], criteria=[], passes=["fastapi-async", "flask-sync"])
    found = {name: {"passed": name == "flask-sync", "detail": "as it is"} for name in one.services}
    claim = claims.checked(one, found, "typical")[0]
    assert claim.measured == "fastapi-async: as it is"
    assert claim.why == "2 of 3 parts hold; one that holds: flask-sync: as it is."
