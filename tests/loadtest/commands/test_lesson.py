"""`lesson` from its command to its answer, and on a machine that never rests."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from loadtest.commands import lesson, run
from loadtest.model.trial import Trial
from loadtest.plan.schedule import PlannedTrial
from loadtest.report.lessons import lesson as lessons
from loadtest.run import comparison, readiness
from loadtest.run.comparison import Comparison
from loadtest.run.runner import INTERRUPTED, MACHINE_BUSY
from loadtest.system import machine
from tests.loadtest.run.on_paper import Services, Takes
from tests.loadtest.run.test_runner import unreal
from tests.synthetic import trials_of

__all__ = ["unreal"]  # a fixture

PAGE = """# 1. A service waits

**Question.** How long?

```sh
make compare EXPERIMENTS={experiment} SERVICES=fastapi-async ROUNDS=3
```

<!-- figures experiment=tiny measure=goodput_rps -->
<!-- end -->
"""
EXPERIMENT = """\
claim = "C1"
title = "A tiny comparison"
statement = "A service waits."
confirms = "It does."
refutes = "It does not."
services = ["fastapi-async"]
reference = "fastapi-async"
rounds = 2
scenario = "wait"
parameters = { ms = 20 }
levels = [{ connections = 4 }]

[[criteria]]
says = "it answers at all"
service = "fastapi-async"
level = "4 connections"
value_at_least = 1.0
"""

ABOUT = {"slots": 40, "slots_bound_by": "pool", "fanout": "at once", "model": "async"}


def taken(planned: PlannedTrial, attempt: int) -> Trial:
    """As the made-up service has it that is called so."""
    trials = trials_of([planned.experiment])
    [found] = [each for each in trials if (each.arm, each.round) == (planned.arm, planned.round)]
    return replace(found, index=planned.index, order=planned.order, attempt=attempt)


def test_a_lesson_shows_its_command_runs_it_and_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is measured exists on paper only."""
    tiny = tmp_path / "tiny.toml"
    tiny.write_text(EXPERIMENT)
    (tmp_path / "1-one.md").write_text(PAGE.format(experiment=tiny))
    monkeypatch.setattr(lessons, "LESSONS", tmp_path)
    monkeypatch.setenv("LAB_RESULTS", str(tmp_path / "results"))
    monkeypatch.setattr(machine, "describe", lambda: {"cores": 2})
    monkeypatch.setattr(
        Comparison, "backend", lambda asked: contextlib.nullcontext(Services(asked))
    )
    monkeypatch.setattr(Takes, "take", lambda _, *trial: taken(*trial))
    monkeypatch.setattr(readiness, "about", lambda *_: ABOUT)
    lesson.carry_out("1", "accept")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "1. A service waits: How long?",
        f"$ make compare EXPERIMENTS={tiny} SERVICES=fastapi-async ROUNDS=3",
    ]
    end = lines[lines.index("Lesson 1 asked: How long?") :]
    assert any(line.split()[:1] == ["fastapi-async"] for line in end)
    [answer] = [line for line in end if line.startswith("Answer: ")]
    assert answer.startswith("Answer: 4 clients at once, each waits 20 ms in Postgres: measured")
    record = json.loads((tmp_path / "results" / "latest" / "run.json").read_text())
    assert (record["rounds"], record["busy"]) == (3, "accept")


@pytest.mark.parametrize(("code", "told"), [(MACHINE_BUSY, True), (INTERRUPTED, False)])
def test_a_machine_that_stays_busy_is_answered_with_another_command(
    code: int, told: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(*_: object) -> None:
        raise typer.Exit(code)

    monkeypatch.setattr(comparison, "begin", lambda *_: SimpleNamespace())
    monkeypatch.setattr(run, "carry_out", ended)
    with pytest.raises(typer.Exit) as exit_:
        lesson.carry_out("2", "rerun")
    assert exit_.value.exit_code == code
    assert ("or: make lesson LESSON=2 BUSY=accept" in capsys.readouterr().out) == told
