"""A run that was made when a service was called a row reads as it was."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from loadtest.report import diff, files, history, report
from loadtest.results import record, runs

OLDER = Path(__file__).with_name("older-run")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OLDER, tmp_path / "results" / "older"))


def test_it_reads_in_todays_words(run: Path) -> None:
    found = runs.load(run)
    experiment = found.experiments["blocked-threads"]
    assert experiment.services == ("fastapi-async", "flask-gthread")
    assert {each.service for each in experiment.criteria} == {"flask-gthread", "flask-sync"}
    assert "--services 'fastapi-async flask-gthread'" in found.info["command"]
    assert found.budget == "typical"
    assert "--budget typical" in found.info["command"]
    assert found.complete


def as_version_3(run: Path) -> Path:
    """The same run, as it was written when a service was called a service."""
    info = {**runs.info(run), "version": 3}
    del info["looks"], info["made_as"]
    info["plans"] = {
        name: {key: value for key, value in plan.items() if key != "looks"}
        for name, plan in info["plans"].items()
    }
    (run / "run.json").write_text(json.dumps(info))
    return run


@pytest.mark.parametrize("version", [2, 3])
def test_it_is_judged_by_its_own_rules_and_says_so(run: Path, version: int) -> None:
    found = report.load(as_version_3(run) if version == 3 else run)
    assert {each.experiment.looks for each in found.sections} == {()}
    rules = {each.rule for each in found.sections if each.experiment.levels}
    assert rules == {
        "A fixed number of rounds, 2; nobody looked before the end, as in every run of results "
        f"format {version}"
    }
    assert not any(each.looks for each in found.sections)


@pytest.mark.parametrize("version", [2, 3])
def test_it_goes_on_by_its_own_rules(run: Path, version: int) -> None:
    info = runs.info(as_version_3(run) if version == 3 else run)
    known = record.restore(info)
    assert (known.version, known.made_as, known.looks) == (runs.RUN_VERSION, version, {})
    assert {each.looks for each in known.plans.values()} == {()}


def test_its_report_is_built_anew(run: Path) -> None:
    files.build(run)
    page = (run / "report.html").read_text()
    assert "flask-gthread" in page
    assert "C1" in page


def test_it_is_compared_and_listed(run: Path) -> None:
    assert diff.changes(runs.load(run), runs.load(run))
    assert [entry.name for entry in history.entries(run.parent)] == ["older"]


def test_a_websocket_load_was_a_closed_one(run: Path) -> None:
    for name in ("run.json", "trials.jsonl"):
        text = (run / name).read_text()
        (run / name).write_text(re.sub(r'("kind": ?)"closed"', r'\1"websocket"', text))
    found = runs.load(run)
    loads = [trial.load for trial in found.trials]
    loads += [level.load for each in found.experiments.values() for level in each.levels]
    assert {each.kind for each in loads} == {"closed"}
    files.build(run)
