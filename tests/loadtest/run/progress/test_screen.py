"""What a person sees of a run while it goes on."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from loadtest.analysis.amounts import amount
from loadtest.model.experiment import Experiment, Looked
from loadtest.model.trial import Gate, Prediction, Trial
from loadtest.plan.measures import MEASURES
from loadtest.plan.reader import load_all
from loadtest.plan.schedule import PlannedTrial, schedule
from loadtest.run.progress.screen import Screen
from loadtest.run.progress.table import table
from tests.loadtest.results.test_trials import RESULT, trial

EXPERIMENT = replace(load_all()["blocked-threads"], rounds=2)
PLANNED = schedule([EXPERIMENT], seed=1)
FIRST = PLANNED[0]
SLOTS = {"fastapi-async": 40, "flask-sync": 3, "flask-gthread": 12}


def shown(
    *,
    terminal: bool = False,
    gates: tuple[Gate, ...] = (),
    looks: Sequence[Looked] = (),
    no_color: bool = False,
) -> str:
    """What is said of a run whose services answer as their slots allow."""
    output = io.StringIO()
    console = Console(
        file=output,
        force_terminal=terminal,
        width=80,
        height=40,
        highlight=False,
        no_color=no_color,
    )
    with Screen(console, "typical") as screen:
        screen.begin(PLANNED)
        for number in (1, 2):
            for planned in (each for each in PLANNED if each.round == number):
                screen.trial(planned, 1)
                screen.done(planned, replace(taken(planned), gates=gates))
            screen.round(EXPERIMENT, number)
            for look in looks:
                if look.rounds == number:
                    screen.looked(EXPERIMENT, look, PLANNED)
    return output.getvalue()


def taken(planned: PlannedTrial) -> Trial:
    slots = min(SLOTS[planned.service], planned.level.load.connections)
    return replace(
        trial(),
        experiment=planned.experiment.name,
        arm=planned.arm,
        service=planned.service,
        level=planned.level.label,
        round=planned.round,
        load=planned.level.load,
        result=replace(RESULT, goodput_rps=slots * 9.9),
        prediction=Prediction(slots * 10.0, slots, "slots", 0.1),
    )


def test_the_first_figure_is_told_at_once_and_then_each_round() -> None:
    lines = shown().splitlines()
    first, rounds = lines[1], [line for line in lines if line.startswith("  round")]
    figure = amount(taken(FIRST).result.goodput_rps)
    assert first == f"  first, {FIRST.level.label}: {FIRST.service} {figure} requests/s"
    assert [line.split(",")[0] for line in rounds] == ["  round 1", "  round 2"]
    for line in rounds:
        assert "128 connections: fastapi-async 396, flask-sync 29.7, flask-gthread 119" in line
    assert rounds[-1].endswith("; about 0 seconds left")


def test_a_terminal_has_a_table_that_fills_beside_slots_over_wait() -> None:
    said = plain(shown(terminal=True))
    last = said[said.rindex("service  ") :]
    assert re.search(r"flask-gthread +128 connections +119 +120 +2\n", last)
    assert re.search(r"flask-sync +1 connection +9.9 +10.0 +2\n", last)
    assert f"{len(PLANNED)} of {len(PLANNED)} trials, about 0 seconds left" in said


def test_a_table_begins_with_what_is_not_measured_yet() -> None:
    said = plain(shown(terminal=True))
    assert re.search(r"flask-gthread +128 connections +… +– +0\n", said)


@pytest.mark.parametrize("terminal", [True, False])
def test_no_line_of_figures_is_longer_than_eighty_columns(terminal: bool) -> None:
    said = plain(shown(terminal=terminal))
    table = [line for line in said.splitlines() if re.match(r"(flask|fastapi)-", line)]
    assert bool(table) == terminal
    assert all(len(line) <= 80 for line in table)


def test_the_question_of_an_experiment_is_told_once() -> None:
    assert shown().count(f"{EXPERIMENT.name}: {EXPERIMENT.title}") == 1


def test_a_trial_that_stays_invalid_is_told_with_its_gate_and_has_no_figure() -> None:
    said = shown(gates=(Gate("error rate", False, 0.5, 0.01, "5 × timeout"),))
    assert "not valid: error rate (5 × timeout)" in said
    assert "requests/s" not in said


def test_a_look_tells_what_is_open_and_then_each_verdict_once() -> None:
    said = shown(looks=[Looked(1, 0.01, {"128 connections": ("flask-sync",)}), Looked(2, 0.05, {})])
    assert "  open after 1 round: 128 connections (flask-sync)" in said
    assert len(re.findall(r"  . C1 \w+ after 2 rounds", said)) == 1


def test_a_verdict_has_a_sign_beside_its_colour_and_no_colour_where_none_is_wanted() -> None:
    looks = [Looked(2, 0.05, {})]
    coloured = shown(terminal=True, looks=looks)
    assert re.search(r"\x1b\[\d+m  [✔✘◐?–] C1 \w+", coloured)
    sober = shown(terminal=True, looks=looks, no_color=True)
    assert re.search(r"  [✔✘◐?–] C1 \w+", plain(sober))
    assert not re.search(r"\x1b\[3\dm", sober)


def plain(said: str) -> str:
    """Without colours; a frame that is drawn over another begins on a line of its own."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.replace("\r", "\n"))


def test_levels_are_shown_in_the_unit_of_their_values_not_of_the_slope_over_them() -> None:
    output = io.StringIO()
    held = load_all()["memory-per-request"]
    Console(file=output, width=100).print(table(held, []))
    assert MEASURES[held.measure].unit == "KiB a held request"
    assert re.search(r"level +KiB +slots ÷ wait", output.getvalue())


@pytest.mark.parametrize(
    "experiment", [each for each in load_all().values() if each.levels], ids=lambda each: each.name
)
def test_eighty_columns_hold_every_word_of_a_table(experiment: Experiment) -> None:
    output = io.StringIO()
    Console(file=output, width=80).print(table(experiment, []))
    shown = output.getvalue().split()
    words = {*MEASURES[experiment.measure].unit_of_value.split(), *experiment.services}
    words |= {word for level in experiment.levels for word in level.label.split()}
    assert words <= set(shown)
