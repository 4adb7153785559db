"""What a page says of trials that something from outside disturbed."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.model.load import Load
from loadtest.model.trial import Gate, Trial
from loadtest.report import evidence
from loadtest.results.runs import Run
from tests.loadtest.results.test_trials import RESULT


def trial(index: int, attempt: int = 1, *, failed: tuple[str, ...] = ()) -> Trial:
    gates = tuple(Gate(name, False, 0.3, 0.05, "x", disturbance=True) for name in failed)
    return Trial(
        run_id="r",
        experiment="own",
        index=index,
        attempt=attempt,
        round=1,
        order=1,
        arm="go",
        service="go",
        level="1",
        scenario="json",
        parameters={},
        load=Load("closed", 1),
        result=RESULT,
        gates=(Gate("error rate", True, 0.0, 0.01, "none"), *gates),
    )


@pytest.mark.parametrize(
    ("trials", "told"),
    [
        ([trial(0), trial(1)], "All 2 trials passed every check, and none had to be rerun."),
        (
            [trial(0, failed=("machine to itself",)), trial(0, 2)],
            "1 of 2 trials failed a check (1 disturbed from outside: 1 × machine to itself), "
            "and a rerun passed in place of each.",
        ),
        (
            [
                trial(0, failed=("machine to itself", "generator kept going")),
                trial(1, failed=("machine to itself",)),
            ],
            "2 of 2 trials failed a check (2 disturbed from outside: 2 × machine to itself, "
            "1 × generator kept going); 2 places of the schedule have no trial that passed, and "
            "count nowhere.",
        ),
    ],
)
def test_how_many_were_disturbed_and_by_what(
    trials: list[Trial], told: str, tmp_path: Path
) -> None:
    assert evidence.gate_sentence(Run(tmp_path, {}, {}, tuple(trials))) == told
