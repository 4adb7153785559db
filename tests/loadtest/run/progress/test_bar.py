"""What a person sees of a run."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from loadtest.model.trial import Gate
from loadtest.plan.reader import load_all
from loadtest.plan.schedule import schedule
from loadtest.run.progress.bar import Bar, minutes
from tests.loadtest.results.test_trials import trial

PLANNED = schedule([load_all()["blocked-threads"]], seed=1)[:20]


def shown(*, terminal: bool, gates: tuple[Gate, ...] = ()) -> str:
    output = io.StringIO()
    with Bar(Console(file=output, force_terminal=terminal, width=120)) as bar:
        bar.begin(PLANNED)
        for planned in PLANNED:
            bar.trial(planned, 1)
            bar.done(planned, replace(trial(), gates=gates))
    return output.getvalue()


def test_without_a_terminal_each_tenth_is_a_line() -> None:
    lines = [line for line in shown(terminal=False).splitlines() if "of 20 trials" in line]
    assert [line.split()[0] for line in lines] == [str(n) for n in range(2, 21, 2)]
    assert lines[-1].endswith("about 0 seconds left")


def test_a_terminal_has_a_bar_with_the_count() -> None:
    assert "20/20" in shown(terminal=True)


def test_the_question_of_an_experiment_is_told_once() -> None:
    title = PLANNED[0].experiment.title
    assert shown(terminal=False).count(title) == 1


def test_a_trial_that_stays_invalid_is_told_with_its_gate() -> None:
    said = shown(terminal=False, gates=(Gate("error rate", False, 0.5, 0.01, "5 × timeout"),))
    assert "not valid: error rate (5 × timeout)" in said


@pytest.mark.parametrize(
    ("seconds", "told"), [(3, "3 seconds"), (89, "89 seconds"), (600, "10 minutes")]
)
def test_minutes(seconds: float, told: str) -> None:
    assert minutes(seconds) == told
