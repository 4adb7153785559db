"""What goes wrong is told in one line, leaves no process and loses nothing that was finished."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.native.commands.conftest import TRIALS, Shell
from tests.waiting import eventually


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on standard error with which a command refused."""
    assert done.returncode == 2, done.stdout + done.stderr
    [line] = done.stderr.splitlines()
    return line.removeprefix("loadtest: ")


def test_ctrl_c_keeps_finished_trials_and_resume_does_the_rest(shell: Shell) -> None:
    running = shell.start(*shell.compare())
    assert eventually(lambda: len(shell.trials()) >= 2, 120), shell.output.read_text()
    running.send_signal(signal.SIGINT)
    assert running.wait(150) == 130
    assert eventually(lambda: not shell.processes())
    before = shell.trials()
    assert 2 <= len(before) < TRIALS
    assert shell.record()["interrupted"]
    assert "stopped by Ctrl-C" in shell.output.read_text()
    assert "Incomplete" in (shell.latest / "report.html").read_text()

    resumed = shell.run("run", "--resume", str(shell.latest))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    after = shell.trials()
    assert after[: len(before)] == before
    assert [trial["index"] for trial in after if trial["attempt"] == 1] == list(range(TRIALS))
    assert not shell.record()["interrupted"]


def test_ctrl_c_while_the_services_start_leaves_nothing(shell: Shell) -> None:
    running = shell.start(*shell.compare())
    assert eventually(lambda: (shell.state / "logs" / "fastapi-async.log").exists())
    running.send_signal(signal.SIGINT)
    assert running.wait(150) == 130
    assert not shell.trials()


def test_a_killed_run_leaves_no_process_and_a_readable_report_and_goes_on(shell: Shell) -> None:
    running = shell.start(*shell.compare())
    assert eventually(lambda: len(shell.trials()) >= 1, 120), shell.output.read_text()
    running.kill()
    running.wait()
    assert eventually(lambda: not shell.processes())
    before = shell.trials()
    done = shell.run("report", str(shell.latest))
    assert done.returncode == 0, done.stderr
    assert "Incomplete" in (shell.latest / "report.html").read_text()
    with (shell.latest / "trials.jsonl").open("a") as file:
        file.write('{"run_id": "cut o')
    told = refusal(shell.run("report", str(shell.latest)))
    assert "the last line is cut off" in told
    assert f"RESUME={shell.latest}" in told
    resumed = shell.run("run", "--resume", str(shell.latest))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert shell.trials()[: len(before)] == before
    firsts = [trial["index"] for trial in shell.trials() if trial["attempt"] == 1]
    assert firsts == list(range(TRIALS))


def test_a_taken_port_is_told_with_service_and_variable(shell: Shell) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        done = shell.run(*shell.compare(), FLASK_SYNC_PORT=port)
    line = refusal(done)
    assert f"port {port}" in line
    assert "service flask-sync" in line
    assert "FLASK_SYNC_PORT" in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--services", "flask-async"], ["unknown service 'flask-async'", "flask-gthread"]),
        (["--experiments", "speed"], ["unknown experiment 'speed'", "blocked-threads"]),
        (["--budget", "lavish"], ["unknown budget 'lavish'", "as-shipped"]),
        (["--plan", "slow"], ["unknown plan 'slow'", "quick", "full"]),
        (["--backend", "cloud"], ["unknown backend 'cloud'", "native"]),
        (["--rounds", "1"], ["1 round", "at least 2"]),
        (["--resume", "nowhere"], ["nowhere", "no run.json"]),
        (["--experiments", "nowhere.toml"], ["nowhere.toml", "no such file"]),
    ],
)
def test_what_does_not_exist_is_told_with_what_does(
    shell: Shell, arguments: list[str], told: list[str]
) -> None:
    line = refusal(shell.run("run", *arguments))
    for text in told:
        assert text in line
    assert not (shell.folder / "results").exists()


@pytest.mark.parametrize("command", ["run", "up", "verify"])
@pytest.mark.parametrize("old", [("--rows", "go"), ("--rows=go",)])
def test_the_old_name_of_an_option_is_told_with_the_new(
    shell: Shell, command: str, old: tuple[str, ...]
) -> None:
    assert refusal(shell.run(command, *old)) == "--rows is called --services now"


@pytest.mark.parametrize("below", ["", "results"])
def test_results_that_cannot_be_written_are_told_before_anything_starts(
    shell: Shell, below: str
) -> None:
    shell.folder.joinpath("file").touch()
    results = shell.folder / "file" / below
    line = refusal(shell.run(*shell.compare(), LAB_RESULTS=str(results)))
    assert f"results can't be written to {results}: " in line
    assert "LAB_RESULTS=" in line
    assert not shell.state.exists()


def test_an_unknown_key_is_told_with_the_file(shell: Shell) -> None:
    arguments = shell.compare()
    path = Path(arguments[2])
    path.write_text('loud = "warmup"\n' + path.read_text())
    line = refusal(shell.run(*arguments))
    assert "tiny.toml" in line
    assert "loud" in line


def test_report_of_another_folder_or_version_changes_nothing(shell: Shell) -> None:
    folder = shell.folder / "old"
    folder.mkdir()
    assert "no run.json" in refusal(shell.run("report", str(folder)))
    (folder / "run.json").write_text('{"version": 0, "experiments": {}}')
    assert "another version" in refusal(shell.run("report", str(folder)))
    assert sorted(path.name for path in folder.iterdir()) == ["run.json"]


@pytest.mark.parametrize(
    "command", ["list", "run", "up", "verify", "calibrate", "report", "diff", "history"]
)
def test_each_command_has_a_help_text(shell: Shell, command: str) -> None:
    done = shell.run(command, "--help")
    assert done.returncode == 0
    assert "Usage: python -m loadtest" in done.stdout


def test_list_shows_what_there_is(shell: Shell) -> None:
    said = shell.run("list").stdout
    for text in ("fastapi-async", "go", "blocked-threads", "wait", "as-shipped"):
        assert text in said
