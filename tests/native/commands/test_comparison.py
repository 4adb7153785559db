"""A comparison from the command line to its report, amid variables of other programs."""

from __future__ import annotations

import csv
import json
import os
from statistics import geometric_mean

from loadtest.analysis.amounts import amount
from loadtest.analysis.observations import by_round
from loadtest.results import runs
from tests.native.commands.conftest import SERVICES, TRIALS, Shell


def test_every_trial_is_there_once_and_in_its_place(finished: tuple[Shell, str]) -> None:
    shell, _ = finished
    trials = [trial for trial in shell.trials() if trial["attempt"] == 1]
    assert [trial["index"] for trial in trials] == list(range(TRIALS))
    for number in (1, 2):
        arms = sorted(trial["arm"] for trial in trials if trial["round"] == number)
        assert arms == ["fastapi-async", "fastapi-async#2", "flask-sync"]


def test_trials_carry_prediction_gates_and_the_services_side(finished: tuple[Shell, str]) -> None:
    for trial in finished[0].trials():
        slots = {"fastapi-async": (4, "connections"), "flask-sync": (3, "workers")}
        found = trial["prediction"]
        assert (found["slots"], found["bound_by"]) == slots[trial["service"]]
        assert found["rps"] == found["slots"] / 0.02
        assert {gate["name"] for gate in trial["gates"]} >= {"error rate", "Little's law"}
        assert trial["result"]["answered"]
        assert trial["samples"], "no look at the service"
        assert all(sample["pss_bytes"] > 1e6 for sample in trial["samples"])
        assert all(sample["database_connections"] > 0 for sample in trial["samples"])


def test_the_record_says_under_which_conditions(finished: tuple[Shell, str]) -> None:
    record = finished[0].record()
    assert record["seed"] == 7
    assert record["budget"] == "typical"
    assert record["planned"] == TRIALS
    assert not record["interrupted"]
    assert not record["unverified"]
    assert record["machine"]["cores"] == len(os.sched_getaffinity(0))
    assert list(record["services"]) == list(SERVICES)
    assert record["services"]["flask-sync"]["observed"]["slots"] == 3
    burst = record["services"]["flask-sync"]["burst"]
    assert (burst["slots"], len(burst["worker_requests"])) == (3, 3)
    assert "--seed 7" in record["command"]


def test_every_figure_of_the_table_comes_from_trials(finished: tuple[Shell, str]) -> None:
    shell, said = finished
    trials = runs.load(shell.latest).valid["tiny"]
    for service in SERVICES:
        mean = geometric_mean(by_round(trials, "goodput_rps", "4 connections", service).values())
        [line] = [line for line in said.splitlines() if line.split()[:1] == [service]]
        assert amount(mean) in line.split()


def test_the_csv_has_each_trial_with_its_own_figure(finished: tuple[Shell, str]) -> None:
    shell, _ = finished
    with (shell.latest / "results.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [float(line["goodput_rps"]) for line in lines] == [
        trial["result"]["goodput_rps"] for trial in shell.trials()
    ]


def test_the_report_is_one_page_and_its_path_is_told(finished: tuple[Shell, str]) -> None:
    shell, said = finished
    path = shell.latest.resolve() / "report.html"
    assert f"report: {path.as_uri()}" in said
    page = path.read_text()
    assert "A tiny comparison" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_report_rebuilds_the_page_and_runs_nothing(finished: tuple[Shell, str]) -> None:
    shell, _ = finished
    before = (shell.latest / "report.html").read_text()
    kept = (shell.latest / "trials.jsonl").read_bytes()
    (shell.latest / "report.html").unlink()
    done = shell.run("report", str(shell.latest), PATH="/nonexistent")
    assert done.returncode == 0, done.stderr
    assert (shell.latest / "report.html").read_text() == before
    assert (shell.latest / "trials.jsonl").read_bytes() == kept


def test_the_same_service_twice_never_has_a_winner(finished: tuple[Shell, str]) -> None:
    verdicts = json.loads((finished[0].latest / "verdicts.json").read_text())
    assert verdicts["twins"]
    for twin in verdicts["twins"]:
        assert twin["outcome"] in ("equivalent", "inconclusive"), twin


def test_the_plan_and_its_time_are_told_first(finished: tuple[Shell, str]) -> None:
    first = finished[1].splitlines()[0]
    assert first.startswith(f"{TRIALS} trials of 2 services, about ")
    assert first.endswith("seed 7")
