"""The command line: its help texts, and what it refuses before anything starts.

The commands run in this process; tests/native/commands runs each promise from end to end.
"""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadtest import cli
from loadtest.commands import listing

TINY = """\
claim = "C1"
title = "A tiny comparison"
statement = "Two services wait."
confirms = "They do."
refutes = "They do not."
services = ["fastapi-async", "flask-sync"]
reference = "fastapi-async"
rounds = 2
scenario = "wait"
levels = [{ connections = 4 }]
"""
NEED = ("--rate", "200", "--wait-ms", "80", "--cpu-ms", "3", "--cores", "2")
# Each takes from a tenth of a second to a whole one.
HEAVY = {"altair", "gevent", "locust", "scipy.stats"}
# What a comparison is planned with counts as well.
PLAIN = HEAVY | {"numpy", "psutil", "psycopg", "yaml"}
IMPORTS = """
import sys
from loadtest.cli import main
try:
    main()
finally:
    print(*sys.modules, sep="\\n", file=sys.stderr)
"""


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the commands keep what they make; the ways to interrupt pytest are as they were."""
    monkeypatch.setenv("LAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("LAB_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("COLUMNS", "140")
    handlers = {each: signal.getsignal(each) for each in signal.valid_signals()}
    yield tmp_path
    for each, handler in handlers.items():
        if signal.getsignal(each) is not handler:
            signal.signal(each, handler)


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command to its end: exit code, standard output, standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["loadtest", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return run


@pytest.fixture
def refusal(command: Callable[..., tuple[int, str, str]]) -> Callable[..., str]:
    """The one line on standard error with which a command refuses."""

    def refused(*arguments: str) -> str:
        code, out, err = command(*arguments)
        assert code == 2, out + err
        [line] = err.splitlines()
        return line.removeprefix("loadtest: ")

    return refused


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--services", "flask-tornado"], ["unknown service 'flask-tornado'", "flask-gthread"]),
        (["--experiments", "speed"], ["unknown experiment 'speed'", "blocked-threads"]),
        (["--budget", "lavish"], ["unknown budget 'lavish'", "typical"]),
        (["--plan", "slow"], ["unknown plan 'slow'", "quick", "full"]),
        (["--backend", "cloud"], ["unknown backend 'cloud'", "native"]),
        (["--rounds", "1"], ["1 round", "at least 2"]),
        (["--resume", "nowhere"], ["nowhere", "no run.json"]),
        (["--experiments", "nowhere.toml"], ["nowhere.toml", "no such file"]),
    ],
)
def test_what_does_not_exist_is_told_with_what_does(
    refusal: Callable[..., str], world: Path, arguments: list[str], told: list[str]
) -> None:
    line = refusal("run", *arguments)
    for text in told:
        assert text in line
    assert not list(world.iterdir())


def test_a_run_that_goes_on_takes_no_plan_of_another(
    refusal: Callable[..., str], world: Path
) -> None:
    line = refusal("run", "--resume", str(world), "--seed", "3", "--busy", "accept", "--rounds=4")
    assert line.endswith("goes on with the run as it began; leave out --seed and --rounds")


@pytest.mark.parametrize("command_", ["run", "live", "verify"])
@pytest.mark.parametrize("old", [("--rows", "go"), ("--rows=go",)])
def test_the_old_name_of_an_option_is_told_with_the_new(
    refusal: Callable[..., str], command_: str, old: tuple[str, ...]
) -> None:
    assert refusal(command_, *old) == "--rows is called --services now"


def test_the_old_name_of_a_command_is_told_with_the_new(refusal: Callable[..., str]) -> None:
    said = "loadtest up is called loadtest live now; make up starts containers"
    assert refusal("up", "--services", "go") == said


@pytest.mark.parametrize("below", ["", "results"])
def test_results_that_cannot_be_written_are_told_before_anything_starts(
    refusal: Callable[..., str], world: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    (world / "file").touch()
    (world / "tiny.toml").write_text(TINY)
    monkeypatch.setenv("LAB_RESULTS", str(world / "file" / below))
    line = refusal("run", "--experiments", str(world / "tiny.toml"))
    assert f"results can't be written to {world / 'file' / below}: " in line
    assert "LAB_RESULTS=" in line
    assert not (world / "state").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told(
    refusal: Callable[..., str], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*names: str) -> None:
        raise OSError(number, "No space left on device", *names)

    monkeypatch.setattr(listing, "show", full)
    assert refusal("list") == "No space left on device; make room"
    monkeypatch.setattr(listing, "show", lambda: full("/some/file"))
    assert refusal("list") == "/some/file: No space left on device; make room"


def test_an_unknown_key_is_told_with_the_file(refusal: Callable[..., str], world: Path) -> None:
    (world / "tiny.toml").write_text('loud = "warmup"\n' + TINY)
    line = refusal("run", "--experiments", str(world / "tiny.toml"))
    assert "tiny.toml" in line
    assert "loud" in line


def test_report_of_another_folder_or_version_changes_nothing(
    refusal: Callable[..., str], world: Path
) -> None:
    assert "no run.json" in refusal("report", str(world))
    (world / "run.json").write_text('{"version": 0, "experiments": {}}')
    assert "another version" in refusal("report", str(world))
    assert sorted(path.name for path in world.iterdir()) == ["run.json"]


@pytest.mark.parametrize(
    "verb",
    [
        "list",
        "run",
        "lesson",
        "versus",
        "live",
        "verify",
        "calibrate",
        "size",
        "report",
        "publish",
        "diff",
        "history",
    ],
)
def test_each_command_has_a_help_text(
    command: Callable[..., tuple[int, str, str]], verb: str
) -> None:
    code, out, _ = command(verb, "--help")
    assert code == 0
    assert f" {verb} [OPTIONS]" in out


def test_the_command_has_the_name_by_which_it_is_run() -> None:
    line = [sys.executable, "-m", "loadtest", "run", "--help"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage: python -m loadtest run" in done.stdout


def test_lessons_are_listed_with_their_questions(
    command: Callable[..., tuple[int, str, str]],
) -> None:
    code, out, _ = command("lesson")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines() if line[:3].strip().isdigit()] == [
        str(number) for number in range(1, 9)
    ]
    assert "make lesson LESSON=1" in out


@pytest.mark.parametrize("number", ["0", "9", "two", "-1", "1.5", "²"])
def test_a_lesson_that_is_none_is_told_with_those_that_are(
    refusal: Callable[..., str], world: Path, number: str
) -> None:
    assert refusal("lesson", "--", number) == f"there is no lesson {number!r}; there are 1 to 8"
    assert not list(world.iterdir())


def test_list_shows_what_there_is(command: Callable[..., tuple[int, str, str]]) -> None:
    _, out, _ = command("list")
    for text in ("fastapi-async", "go", "blocked-threads", "wait", "typical"):
        assert text in out


def test_list_shows_each_claim_with_its_last_verdict(
    command: Callable[..., tuple[int, str, str]], world: Path
) -> None:
    (world / "results/run").mkdir(parents=True)
    found = '{"claims": [{"claim": "C12", "verdict": "confirmed"}]}'
    (world / "results/run/verdicts.json").write_text(found)
    _, out, _ = command("list")
    [line] = [each for each in out.splitlines() if each.startswith(" C12 ")]
    assert "The database pool is the real limit." in line
    assert "pool-size" in line
    assert "confirmed, run" in line


def imported(*arguments: str) -> set[str]:
    """What a command has imported at its end."""
    line = [sys.executable, "-c", IMPORTS, *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    found = set(done.stderr.splitlines())
    assert "loadtest.cli" in found, done.stderr
    return found


@pytest.mark.parametrize("arguments", [["run", "--help"], ["run", "--rounds", "many"]])
def test_help_and_usage_are_there_at_once(arguments: list[str]) -> None:
    assert not imported(*arguments) & PLAIN


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["run", "--rounds", "1"], ["lesson"], ["size", *NEED], ["versus", "A=x", "B=y"]],
)
def test_what_starts_nothing_neither_measures_nor_draws(arguments: list[str]) -> None:
    assert not imported(*arguments) & HEAVY


A, B = "A=http://127.0.0.1:9/", "B=http://127.0.0.1:9/"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([A], "needs two services or more"),
        (["http://127.0.0.1:9/", B], "write NAME=URL, as A=http://127.0.0.1:8101/items"),
        ([A, A], "the second A"),
        ([A, "B=127.0.0.1:9/"], "write http://127.0.0.1:9/"),
        ([A, "B=http://8.8.8.8/"], "add --i-may-load-this"),
        ([A, B, "--connections", "0"], "--connections '0'"),
        ([A, B, "--connections", "many"], "--connections 'many'"),
        ([A, B, "--seconds", "0"], "--seconds"),
        ([A, B, "--rounds", "1"], "at least 2"),
        ([A, B, "--measure", "speed"], "measure 'speed' is none of: goodput_rps"),
        ([A, B, "--measure", "service_cpu_us"], "do not export"),
        ([A, B, "--header", "x"], "'Name: value'"),
        ([A, B, "--body", "@nowhere"], "no such file"),
        ([A, B, "--expect", "99"], "at least 100"),
        ([A, B, "--fail-if", "B slow"], "'B < 0.95 A'"),
        ([A, B, "--start", "C=serve"], "where does it answer? Add C=http://HOST:PORT"),
        ([A, B, "--ready", "/x"], "--ready is for services that --start starts"),
        ([A, B, "--fresh"], "--fresh is for services that --start starts"),
        ([A, B, "--env", "X=y"], "--env is for services that --start starts"),
        ([A, B, "--busy", "no"], "unknown --busy 'no'"),
    ],
    ids=" ".join,
)
def test_versus_refuses_in_one_line_and_leaves_nothing(
    refusal: Callable[..., str], world: Path, arguments: list[str], told: str
) -> None:
    assert told in refusal("versus", *arguments)
    assert not list(world.iterdir())
