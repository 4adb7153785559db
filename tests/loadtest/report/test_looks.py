"""The page shows how the rounds of a run came about, and tables of what else was measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from loadtest.analysis import decisions
from loadtest.model.experiment import Experiment, Looked, Planned
from loadtest.model.trial import Trial
from loadtest.plan import schedule
from loadtest.report import files, report
from loadtest.report.charts import told
from loadtest.report.report import Report
from tests.synthetic import experiment, trials_of, write_run

ONE = replace(experiment(rounds=12), looks=(3, 4, 6, 8, 12))
NOISY = 0.35  # hides that threads answer less than half


def carried_out(one: Experiment, noise: float) -> tuple[list[Trial], list[Looked]]:
    """What a run would have taken of an experiment, and seen at its looks."""
    places, trials = schedule.schedule([one], 7), trials_of([one], noise=noise)
    looks: list[Looked] = []
    for rounds in one.looks:
        wanted = {each.index for each in schedule.wanted(places, {one.name: looks})}
        trials = [each for each in trials if each.index in wanted]
        if max(each.round for each in trials) >= rounds:
            looks.append(decisions.look(one, trials, rounds, looks[-1] if looks else None))
    return trials, looks


def written(folder: Path, trials: Sequence[Trial], looks: Sequence[Looked]) -> Report:
    planned = Planned(ONE.services, tuple(level.label for level in ONE.levels), 12, ONE.looks)
    run = write_run(
        folder,
        [ONE],
        trials,
        plans={ONE.name: asdict(planned)},
        looks={ONE.name: [asdict(look) for look in looks]},
    )
    return report.load(run)


@pytest.mark.parametrize("noise", [0.02, NOISY])
def test_every_look_is_a_line_with_what_it_spent_and_left_open(
    tmp_path: Path, noise: float
) -> None:
    trials, looks = carried_out(ONE, noise)
    made = written(tmp_path, trials, looks)
    section = made.sections[0]
    assert section.looks
    assert [row[0] for row in section.looks.rows] == [str(look.rounds) for look in looks]
    assert [row[3] for row in section.looks.rows[:-1]] == ["128 connections"] * (len(looks) - 1)
    assert section.looks.rows[0][1:3] == ("1.8 of 5 %", "98.2 %")
    told = "3 rounds" if len(looks) == 1 else f"3 to {looks[-1].rounds} rounds"
    assert any(told in fact for fact in section.facts)
    assert made.rules == [section.rule]


def test_the_page_has_the_looks(tmp_path: Path) -> None:
    made = written(tmp_path, *carried_out(ONE, NOISY))
    page = files.write(made).read_text()
    assert "Looks at blocked-threads" in page
    assert "Looks after 3, 4, 6, 8 and 12 rounds" in page


def test_what_is_still_open_says_what_could_have_been_seen(tmp_path: Path) -> None:
    trials, looks = carried_out(ONE, 1.5)
    claim = written(tmp_path, trials, looks).claims[0]
    assert claim.word == "undecided"
    [check] = claim.checks
    assert check.figure
    assert check.figure.rounds == 12
    assert check.figure.detectable


def test_measures_that_an_experiment_tells_stand_in_a_table() -> None:
    one = experiment(tells=["share_of_prediction", "service_cpu_us", "pss_mib", "p99_ms"])
    table = told.told(one, trials_of([one]))
    assert table
    assert table.headers[2:] == (
        *("requests/s", "share of slots ÷ wait", "CPU a request, µs", "memory, MiB", "p99, ms"),
        "Rounds",
    )
    assert len(table.rows) == len(one.levels) * len(one.services)
    by_place = {row[:2]: row[2:] for row in table.rows}
    *figures, p99, rounds = by_place["fastapi-async", "1 connection"]
    assert all(re.fullmatch(r"[\d.,]+ \([\d.,]+–[\d.,]+\)", each) for each in figures)
    assert rounds == "6"
    assert p99 == "–"  # too few requests for it


def test_nothing_is_told_beside_where_nothing_is_asked() -> None:
    one = experiment()
    assert told.told(one, trials_of([one])) is None
