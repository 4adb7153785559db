"""`lesson` on a machine that never rests: how its question is answered all the same."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import typer

from loadtest.commands import lesson, run
from loadtest.run import comparison
from loadtest.run.runner import INTERRUPTED, MACHINE_BUSY


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
