"""The report of services of the user's own: no claim, no budget; sentences and conditions."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from loadtest.inventory import palette
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.parsing import parse
from loadtest.report import console, files, report, summary
from loadtest.report.own import outcome
from loadtest.report.report import Report
from tests.synthetic import Truth, failing, trials_of, write_run

TRUTHS = {"A": Truth(slots=40, cpu_ms=0.2), "B": Truth(slots=40, cpu_ms=0.22)}
SERVICES = {
    name: {"url": f"http://127.0.0.1:{port}/x", "method": "GET", "command": command, "folder": ""}
    for name, port, command in (("A", 8101, ["serve", "a b"]), ("B", 8102, []))
}


def compared(**keys: Any) -> Experiment:
    targets = {name: {"url": each["url"]} for name, each in SERVICES.items()}
    found = parse("versus", {"targets": targets, "rounds": 6, **keys}, where="versus")
    return replace(found, looks=(3, 4, 6))


def made(
    folder: Path,
    one: Experiment,
    *,
    truths: Mapping[str, Truth] = TRUTHS,
    change: Callable[[Trial], Trial] = lambda trial: trial,
) -> Report:
    trials = trials_of([one], truths=truths, noise=0.01, change=change)
    return report.load(write_run(folder, [one], trials, budget="", services=SERVICES))


def printed(found: Report) -> str:
    output = io.StringIO()
    Console(file=output, width=80, highlight=False).print(console.shown(found))
    return " ".join(output.getvalue().split())


def test_a_slower_service_is_told_in_a_sentence_with_its_reason(tmp_path: Path) -> None:
    found = made(tmp_path, compared())
    [answer] = found.answers
    assert answer.text.startswith("16 clients at once: B handled ")
    assert "fewer requests/s than A (95 % CI" in answer.text
    assert re.search(r"Reason: a request takes \d+ µs of CPU in B and \d+ µs in A\.", answer.text)
    said = printed(found)
    assert answer.text in said
    assert "budget" not in said
    assert found.exit_code == 0


@pytest.mark.parametrize(
    ("condition", "became", "code"),
    [
        ("B < 0.95 A", "is so", 1),
        ("B < 0.8 A", "is not so", 0),
        ("B > 0.95 A", "is not so", 0),
        ("B < 0.909 A", "is not decided", 0),
        ("p99_ms: B > 1.0 A", "is so", 1),
    ],
)
def test_a_condition_is_met_where_the_whole_interval_says_so(
    tmp_path: Path, condition: str, became: str, code: int
) -> None:
    found = made(tmp_path, compared(fail_if=[condition]))
    assert f"{condition} {became}: " in printed(found)
    assert found.exit_code == code
    record = files.verdicts(found)["conditions"][0]
    assert record["met"] == {"is so": True, "is not so": False, "is not decided": None}[became]


def test_a_service_that_errs_does_not_win_and_is_told(tmp_path: Path) -> None:
    def erring(trial: Trial) -> Trial:
        return failing(trial, "right status") if trial.service == "B" else trial

    faster = {**TRUTHS, "B": Truth(slots=40, cpu_ms=0.02)}
    one = compared(fail_if=["B < A"])
    found = made(tmp_path, one, truths=faster, change=erring)
    assert found.answers == []
    said = printed(found)
    assert "Not compared. B was not measured: right status" in said
    assert "B < A was not measured" in said
    assert found.exit_code == 2


def test_a_service_that_errs_at_one_load_is_told(tmp_path: Path) -> None:
    def erring(trial: Trial) -> Trial:
        full = trial.service == "B" and trial.level == "64 connections"
        return failing(trial, "error rate") if full else trial

    levels = [{"connections": 4}, {"connections": 64}]
    found = made(tmp_path, compared(levels=levels), change=erring)
    assert "Not compared. B was not measured at 64 connections: error rate" in printed(found)
    assert (len(found.lacking), found.exit_code) == (1, 2)


def test_a_percentile_of_too_few_answers_is_told(tmp_path: Path) -> None:
    few = {name: replace(each, slots=1, cpu_ms=50.0) for name, each in TRUTHS.items()}
    found = made(tmp_path, compared(measure="p99_ms", fail_if=["p99_ms: B > 50"]), truths=few)
    why = "too few answers, or too many waited; make windows longer"
    advice = f"{why} (--seconds, in a file: duration_s)"
    assert f"B has no p99 at 16 connections: {advice}" in printed(found)
    [condition] = found.conditions_unknown
    assert outcome.condition(condition) == f"p99_ms: B > 50 was not measured: {advice}"
    assert found.exit_code == 2


def test_every_load_has_its_sentence_in_page_and_summary(tmp_path: Path) -> None:
    levels = [{"connections": 4}, {"connections": 64}]
    found = made(tmp_path, compared(levels=levels, fail_if=["B < 0.95 A"]))
    page = files.write(found).read_text()
    told = summary.markdown(found)
    for text in (page, told, printed(found)):
        assert "4 connections: B handled" in text
        assert "64 connections: B handled" in text
        assert "B &lt; 0.95 A is so" in text or "B < 0.95 A is so" in text
    assert "GET http://127.0.0.1:8101/x" in page
    assert "serve &#39;a b&#39;" in page
    for absent in ("What is taught", "Confirmed if", "at /about"):
        assert absent not in page
    assert json.loads((tmp_path / "verdicts.json").read_text())["claims"] == []


def test_two_services_never_look_alike() -> None:
    names = [f"service-{number}" for number in range(len(palette.COLOURS))]
    assert len(set(palette.places(names))) == len(names)
    known = palette.places(["go", "mine", "node"])
    assert (known[0], known[2]) == (palette.places(["go"])[0], palette.places(["node"])[0])
    assert len(set(palette.places([*names, "one more"]))) == len(names)
