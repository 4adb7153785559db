"""`size`, as it is called: what it prints, and how it ends."""

from __future__ import annotations

import re
import tomllib

import pytest
from typer.testing import CliRunner

from loadtest.cli import app
from loadtest.errors import LabError
from loadtest.plan.parsing import parse
from loadtest.stats.inference import enough

NEED = ("size", "--rate", "200", "--wait-ms", "80", "--cpu-ms", "3", "--cores", "2")


def ran(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*NEED, *arguments])
    if isinstance(done.exception, LabError):
        raise done.exception
    return done.exit_code, done.output


def test_it_prints_a_command_for_each_way_and_what_checks_them() -> None:
    code, said = ran()
    assert code == 0
    assert "uvicorn app:app --workers 1\n" in said
    [threads] = re.findall(r"gthread --workers 1 --threads (\d+)\n", said)
    assert f"gunicorn app:app --workers {threads}\n" in said
    assert f"pool of each worker: {threads}," in said


def test_what_checks_them_is_a_comparison_at_that_rate() -> None:
    document = tomllib.loads(ran()[1].partition("EXPERIMENTS=mine.toml")[2])
    assert document["load"]["rate_rps"] == 200
    assert document["load"]["connections"] > 16.6
    assert document["targets"].keys() == {"async", "threads"}
    starts = {name: each["start"] for name, each in document["targets"].items()}
    read = parse("mine", document, where="mine.toml")
    assert read.levels[0].load.rate_rps == 200
    assert len(read.criteria) == 2
    assert starts["async"] == "uvicorn app:app --workers 1 --port 8101"
    assert "gthread" in starts["threads"]


@pytest.mark.parametrize(
    ("rate", "measure", "cores"), [(400, "p95_ms", 2), (100, "p95_ms", 1), (2, "mean_ms", 1)]
)
def test_a_window_holds_enough_for_what_checks_them_on_the_cores_it_is_for(
    rate: int, measure: str, cores: int
) -> None:
    said = ran("--rate", str(rate), "--max-connections", "500")[1]
    document = tomllib.loads(said.partition("EXPERIMENTS=mine.toml")[2])
    read = parse("mine", document, where="mine.toml")
    assert read.measure == measure
    assert measure == "mean_ms" or enough(round(0.85 * rate * read.duration_s), 95.0)
    assert read.levels[0].cores == cores


def test_the_margin_can_be_chosen() -> None:
    slots = [
        int(re.findall(r"--threads (\d+)\n", ran("--may-wait", share)[1])[0])
        for share in ("0.01", "1", "50")
    ]
    assert slots == sorted(set(slots), reverse=True)
    assert "--workers 2\n" in ran("--cpu-limit", "40")[1]


def test_a_service_without_a_database_has_no_pool() -> None:
    code, said = ran("--database-ms", "0")
    assert code == 0
    assert "pool" not in said


def test_processes_that_the_database_has_no_room_for_are_not_advised() -> None:
    code, said = ran("--max-connections", "25", "--database-ms", "20")
    assert code == 0
    assert said.count("not here: the database has 22 connections") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--rate", "900"), "cores busy"), (("--max-connections", "20"), "17 for services")],
)
def test_what_is_impossible_is_one_line(arguments: tuple[str, str], told: str) -> None:
    code, said = ran(*arguments)
    assert code == 1
    assert len(said.splitlines()) == 1
    assert told in said


@pytest.mark.parametrize("rate", ["0", "nan", "-1", "1e99"])
def test_a_bad_number_is_refused(rate: str) -> None:
    with pytest.raises(LabError, match=r"--rate is .*: give 0\.001 to 10,000,000 requests"):
        ran("--rate", rate)


def test_forty_threads_of_def_endpoints_may_be_too_few() -> None:
    assert (
        "`def` endpoints have 40 threads"
        in ran("--rate", "230", "--wait-ms", "400", "--max-connections", "200")[1]
    )
