"""The end of a run on a terminal: answer, verdicts, warnings, in eighty columns."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from loadtest.analysis import claims
from loadtest.plan.reader import load_all
from loadtest.report import console, files, report
from loadtest.report.report import Report
from loadtest.results.runs import counted
from tests.synthetic import experiment, failing, trials_of, write_run

LONG = "C4: taken again, because the load on flask-gthread did not end within ninety seconds"
HOLDS = {
    "says": "threads stop early",
    "service": "flask-gthread",
    "level": "128 connections",
    "ratio_at_most": 0.5,
}
FAILS = {**HOLDS, "ratio_at_most": 0.1}
OPEN = {**HOLDS, "ratio_at_most": 0.301}


def made(folder: Path, **info: Any) -> Report:
    one = experiment()
    return report.load(write_run(folder, [one], trials_of([one]), **info))


def printed(found: Report, **options: Any) -> str:
    output = io.StringIO()
    Console(file=output, width=80, highlight=False, **options).print(console.shown(found))
    return output.getvalue()


def test_the_answer_stands_before_the_verdicts_and_the_warnings_after(tmp_path: Path) -> None:
    said = printed(made(tmp_path, left_out={"go": "go is not on the PATH"}))
    places = [said.index(part) for part in ("128 clients at once", "✔ C1 confirmed", "Left out.")]
    assert places == sorted(places)
    line = " ".join(said[places[1] : places[2]].split())
    assert re.match(r"✔ C1 confirmed \S+ ÷ \S+, 128 connections: \S+ × \(", line)


@pytest.mark.parametrize(
    ("criteria", "word"),
    [
        ([HOLDS], "confirmed"),
        ([FAILS], "refuted"),
        ([HOLDS, FAILS], "conditional"),
        ([HOLDS, OPEN], "undecided"),
        ([], "not measured"),
    ],
)
def test_what_became_of_a_claim_is_said_once(criteria: list[dict[str, Any]], word: str) -> None:
    one = experiment(criteria=criteria)
    [claim] = claims.judge(one, counted(trials_of([one])), "typical")
    sign, said = (part.plain for part in console.verdict(claim))
    assert re.fullmatch(rf"\S C1 {word}", sign)
    assert word not in said
    assert ("; the claim needs at least" in said) == bool(criteria)


@pytest.mark.parametrize("name", ["blocked-threads", "tail-latency", "framework-throughput"])
def test_every_experiment_fits_eighty_columns_and_no_word_is_folded(
    tmp_path: Path, name: str
) -> None:
    one = replace(load_all()[name], rounds=2)
    trials = trials_of([one])
    found = report.load(write_run(tmp_path, [one], trials, left_out={"go": LONG}))
    lines = printed(found).splitlines()
    assert max(len(line) for line in lines) <= 80
    assert "…" not in "".join(line for line in lines if "connections" in line)
    words = set(printed(found).split())
    assert set(one.services) <= words
    assert {word for level in one.levels for word in level.label.split()} <= words
    assert set(LONG.split()) <= words


def test_a_verdict_is_never_told_by_colour_alone(tmp_path: Path) -> None:
    found = made(tmp_path)
    coloured = printed(found, force_terminal=True)
    assert "\x1b[32m✔ C1" in coloured
    sober = printed(found, force_terminal=True, no_color=True)
    assert not re.search(r"\x1b\[3\dm", sober)
    assert "✔ C1" in sober


@pytest.mark.parametrize(
    ("info", "command"),
    [
        ({"plan": "quick"}, "make compare PLAN=full"),
        ({"plan": "full"}, "make history"),
        ({"plan": "quick", "backend": "compose"}, "make compare BACKEND=compose PLAN=full"),
        ({"interrupted": True}, "make compare RESUME='{folder}'"),
    ],
)
def test_the_next_command_follows_from_the_run(
    tmp_path: Path, info: dict[str, Any], command: str
) -> None:
    folder = tmp_path / "a run"
    assert console.following(made(folder, **info).run) == command.format(folder=folder)


@pytest.mark.parametrize("count", [0, 5])
@pytest.mark.parametrize("interrupted", [True, False])
def test_nothing_is_called_sound_where_nothing_was_measured(
    tmp_path: Path, count: int, interrupted: bool
) -> None:
    one = experiment()
    trials = [failing(each) for each in trials_of([one])[:count]]
    write_run(tmp_path, [one], trials, interrupted=interrupted, planned=96, reason="Ctrl-C")
    files.build(tmp_path)
    found = report.load(tmp_path)
    for said in (printed(found), (tmp_path / "report.html").read_text()):
        assert "sound" not in said
        assert "Nothing measured." in said
    assert console.following(found.run) == f"make compare RESUME={tmp_path}"
    gate = "5 of 5 failed the gate" if count else "No trial was finished"
    assert gate in printed(found)


def test_a_run_in_which_nothing_counts_is_made_again(tmp_path: Path) -> None:
    one = experiment()
    trials = [failing(each) for each in trials_of([one])]
    run = report.load(write_run(tmp_path, [one], trials)).run
    assert console.following(run) == "make compare SEED=7"


def test_what_an_interrupted_run_has_measured_is_sound(tmp_path: Path) -> None:
    assert "What is here is sound" in printed(made(tmp_path, interrupted=True, reason="Ctrl-C"))
