"""The file of trials: nothing that was finished is lost, nothing is read that was not written."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from loadtest.model.load import Load, LoadResult
from loadtest.model.trial import Gate, Prediction, Sample, Trial
from loadtest.results import trials
from loadtest.results.trials import TrialsError

RESULT = LoadResult(
    started_at="2025-01-01T00:00:00+00:00",
    warmup_s=1.0,
    duration_s=2.0,
    sent=11,
    answered=9,
    failed=1,
    unfinished=1,
    errors={"timeout": 1},
    goodput_rps=4.5,
    received_bytes=100,
    reconnects=0,
    response_us="",
    service_us="",
    send_late_us="",
    mean_in_flight=1.0,
    generator_cpu=0.1,
    timeline=({"t": 0.0, "answered": 9.0},),
)


def trial(index: int = 0) -> Trial:
    return Trial(
        run_id="r",
        experiment="e",
        index=index,
        attempt=1,
        round=1,
        order=1,
        arm="a#2",
        service="a",
        level="1 connection",
        scenario="wait",
        parameters={"ms": 100},
        load=Load("closed", 1),
        result=replace(RESULT, beside=RESULT),
        samples=(Sample(0.5, 0.1, 1000, 3, in_flight=1.0),),
        by_worker=(15, 5),
        gates=(Gate("error rate", True, 0.0, 0.01, "none"),),
        prediction=Prediction(10.0, 1, "connections", 0.1),
    )


def written(path: Path, count: int) -> list[Trial]:
    made = [trial(index) for index in range(count)]
    for each in made:
        trials.append(path, each)
    return made


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    made = written(path, 3)
    assert trials.read(path) == made


def test_a_trial_from_before_pauses_were_measured_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    written(path, 1)
    record = json.loads(path.read_text())
    del record["result"]["paused_s"]
    path.write_text(json.dumps(record) + "\n")
    (found,) = trials.read(path)
    assert found.result.paused_s is None


@settings(max_examples=30)
@given(cut=some.integers(min_value=0))
def test_a_file_cut_anywhere_keeps_every_whole_trial(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "trials.jsonl"
    made = written(path, 2)
    content = path.read_bytes()
    kept = cut % len(content)
    path.write_bytes(content[:kept])

    found = trials.recover(path)
    first = content.index(b"\n")
    assert found == made[: (kept >= first) + (kept >= len(content) - 1)]
    trials.append(path, trial(7))
    assert trials.read(path) == [*found, trial(7)]


def test_a_line_that_does_not_fit_on_the_disk_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trials.jsonl"
    made = written(path, 2)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            trials.append(path, trial(2))
    assert trials.read(path) == made


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda line: "{" + line, "line 2 is not a trial"),
        (lambda line: json.dumps({**json.loads(line), "version": 9}), "version 9, this lab reads"),
        (lambda line: json.dumps({**json.loads(line), "mood": "good"}), "mood"),
    ],
)
def test_damage_elsewhere_is_told_with_its_line(
    tmp_path: Path, damage: Callable[[str], str], told: str
) -> None:
    path = tmp_path / "trials.jsonl"
    written(path, 3)
    lines = path.read_text().splitlines()
    lines[1] = damage(lines[1])
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(TrialsError, match=told) as error:
        trials.read(path)
    assert "line 2" in str(error.value)


def test_a_trial_is_valid_where_every_gate_passed() -> None:
    assert trial().valid
