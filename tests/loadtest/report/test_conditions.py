"""What a reader has to know before any figure, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadtest.report import conditions, page, report
from tests.synthetic import experiment, trials_of, write_run

MACHINE = {"cores": 2, "load_average": 0.1, "python": "3.11.7", "python_loop_us": 640}


def said(tmp_path: Path, noise: float = 0.005, **machine: Any) -> str:
    one = experiment()
    trials = trials_of([one], noise=noise)
    folder = write_run(tmp_path / "run", [one], trials, machine=MACHINE | machine)
    return "\n".join(report.load(folder).conditions)


@pytest.mark.parametrize(
    ("load", "told"),
    [
        (0.1, "at rest before the start (load 0.10 on 2 cores)"),
        (2.0, "busy before the start (load 2.0 on 2 cores)"),
    ],
)
def test_load_before_the_start(tmp_path: Path, load: float, told: str) -> None:
    assert told in said(tmp_path, load_average=load)


def test_a_faster_python_on_the_path(tmp_path: Path) -> None:
    others = {"python3.12": {"python": "3.12.5", "loop_us": 500}}
    assert "takes 1.28 × as long for a loop as python3.12" in said(tmp_path, other_pythons=others)


def test_a_slower_python_on_the_path_is_no_matter(tmp_path: Path) -> None:
    others = {"python3.12": {"python": "3.12.5", "loop_us": 630}}
    assert "python3.12" not in said(tmp_path, other_pythons=others)


def test_on_a_busy_machine_nothing_is_said_of_other_pythons(tmp_path: Path) -> None:
    others = {"python3.12": {"python": "3.12.5", "loop_us": 500}}
    assert "python3.12" not in said(tmp_path, load_average=4.0, other_pythons=others)


def test_a_command_among_the_conditions_is_one_on_the_page(tmp_path: Path) -> None:
    one = experiment()
    others = {"python3.12": {"python": "3.12.5", "loop_us": 500}}
    machine = MACHINE | {"other_pythons": others}
    folder = write_run(tmp_path / "run", [one], trials_of([one]), machine=machine)
    made = report.load(folder)
    written = page.render(made, {chart.name: ("", "") for chart in made.charts})
    assert "<code>make compare PYTHON=python3.12</code>" in written


def test_how_small_a_difference_can_be_seen(tmp_path: Path) -> None:
    assert "5 % of difference can be seen where it runs twice" in said(tmp_path / "quiet")
    noisy = said(tmp_path / "noisy", noise=0.2)
    assert "By the reference against itself, one run in five misses a difference of" in noisy
    assert "% in C1" in noisy or "a factor of" in noisy


def test_a_twin_that_had_but_the_first_rounds_does_not_tell_what_all_of_them_can_see(
    tmp_path: Path,
) -> None:
    one = experiment(rounds=12)
    last = "128 connections"
    trials = [
        each
        for each in trials_of([one], noise=0.2)
        if each.round <= 3 or (each.level == last and not each.arm.startswith(one.reference))
    ]
    folder = write_run(tmp_path / "run", [one], trials)
    assert not any("reference" in each for each in report.load(folder).conditions)


def test_a_run_that_says_nothing_of_its_machine_has_no_words_of_it(tmp_path: Path) -> None:
    one = experiment(rounds=2)
    folder = write_run(tmp_path / "run", [one], trials_of([one]), machine={})
    assert report.load(folder).conditions == []


def test_what_each_start_of_a_run_noticed_anew_is_told_once(tmp_path: Path) -> None:
    one = experiment()
    uneven = [f"flask-gthread: uneven workers: {first}, 60, 78 requests" for first in (6, 30)]
    folder = write_run(
        tmp_path / "run", [one], trials_of([one]), warnings=[*uneven, "flask-sync: no keep-alive"]
    )
    found = conditions.noticed(report.load(folder).run)
    assert found == [uneven[1], "flask-sync: no keep-alive"]


def test_each_trial_that_was_taken_again_is_told(tmp_path: Path) -> None:
    one = experiment()
    again = [f"own, round {n}, flask-sync: taken again, because it did not end" for n in (1, 4)]
    folder = write_run(tmp_path / "run", [one], trials_of([one]), warnings=again)
    assert conditions.noticed(report.load(folder).run) == again
