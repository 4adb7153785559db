"""A run goes on only as it began; what is different nevertheless is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest.results import record, resumed
from loadtest.results.resumed import Now
from loadtest.results.runs import RunError
from tests.loadtest.results.test_record import RECORD

MACHINE = {"cpu": "Fast", "cores": 2, "load_average": 0.1}
FLASK: dict[str, Any] = {"framework": "Flask", "environment": {"WORKERS": "5", "THREADS": "1"}}
BEGUN = replace(
    RECORD,
    interrupted=True,
    reason="stopped by Ctrl-C",
    git_commit="aaaaaaaaaa",
    machine=MACHINE,
    services={"flask-sync": {**FLASK, "observed": {"slots": 5}}},
)
SAME = Now("aaaaaaaaaa", False, {**MACHINE, "load_average": 3.0}, "rerun")


def test_a_run_that_came_to_its_end_is_not_gone_on_with(tmp_path: Path) -> None:
    ended = replace(BEGUN, interrupted=False, finished_at=record.now())
    with pytest.raises(RunError, match=f"{tmp_path}: the run r came to its end"):
        resumed.require_unfinished(tmp_path, ended)
    for killed in (BEGUN, replace(ended, finished_at="")):
        resumed.require_unfinished(tmp_path, killed)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"environment": {"WORKERS": "3", "THREADS": "1"}}, "environment WORKERS was '5' when"),
        ({"framework": "Django"}, "framework was 'Flask' when the run began and is 'Django'"),
    ],
)
def test_a_service_that_is_declared_otherwise_ends_it(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(RunError, match=f"service flask-sync: {told}"):
        resumed.require_same(BEGUN, {"flask-sync": FLASK | changed})


def test_a_service_that_had_not_begun_may_be_as_it_is_now() -> None:
    resumed.require_same(BEGUN, {"flask-sync": FLASK, "go": {"framework": "net/http"}})


def test_where_nothing_is_different_nothing_is_told(tmp_path: Path) -> None:
    found = resumed.gone_on(tmp_path, BEGUN, SAME)
    assert (found.warnings, found.resumed, found.resumed_at) == (BEGUN.warnings, True, ())
    assert (found.interrupted, found.reason) == (False, "")


def test_a_commit_is_named_again_only_where_another_came_between(tmp_path: Path) -> None:
    found = BEGUN
    for commit in ("b", "b", "aaaaaaaaaa", "b"):
        found = resumed.gone_on(tmp_path, found, replace(SAME, git_commit=commit))
    assert found.resumed_at == ("b", "aaaaaaaaaa", "b")


def test_the_same_code_is_no_difference_after_changes_between(tmp_path: Path) -> None:
    changed = resumed.gone_on(tmp_path, BEGUN, replace(SAME, git_dirty=True))
    assert resumed.gone_on(tmp_path, changed, SAME).warnings == changed.warnings


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (
            replace(SAME, git_commit="bbbbbbbbbb"),
            "The run was resumed after 2 trials at bbbbbbb; it began at aaaaaaa.",
        ),
        (
            replace(SAME, git_dirty=True),
            "The run was resumed after 2 trials at aaaaaaa with changes; it began at aaaaaaa.",
        ),
        (
            replace(SAME, machine={**MACHINE, "cores": 8}),
            "The run was resumed after 2 trials on another machine: cores was 2, then 8.",
        ),
        (replace(SAME, busy="accept"), "The run was resumed after 2 trials with BUSY=accept."),
    ],
    ids=["commit", "changes", "machine", "busy"],
)
def test_what_is_different_is_told(tmp_path: Path, now: Now, told: str) -> None:
    (tmp_path / "trials.jsonl").write_text("{}\n{}\n")
    found = resumed.gone_on(tmp_path, BEGUN, now)
    assert found.warnings == (*BEGUN.warnings, told)
    assert (found.busy, found.git_dirty) == (now.busy, now.git_dirty)
    assert found.git_commit == BEGUN.git_commit
    assert found.resumed_at == (() if now.git_commit == "aaaaaaaaaa" else (now.git_commit,))
