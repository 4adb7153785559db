"""What goes wrong is told in one line, leaves no process and loses nothing that was finished."""

from __future__ import annotations

import signal
import subprocess

from tests.native.commands.conftest import Shell, of_one
from tests.waiting import eventually

SERVICE = "flask-sync"
EXPERIMENT = of_one(SERVICE).replace("rounds = 2", "rounds = 3")
TRIALS = 6  # the service and its twin, three times


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on standard error with which a command refused."""
    assert done.returncode == 2, done.stdout + done.stderr
    [line] = done.stderr.splitlines()
    return line.removeprefix("loadtest: ")


def stop_after_a_trial(shell: Shell) -> None:
    stopped = shell.start(*shell.compare(EXPERIMENT, [SERVICE]))
    assert eventually(lambda: len(shell.trials()) >= 1, 120), shell.output.read_text()
    stopped.send_signal(signal.SIGINT)
    assert stopped.wait(150) == 130
    assert eventually(lambda: not shell.processes())


def assert_a_cut_line_is_told(shell: Shell) -> None:
    with (shell.latest / "trials.jsonl").open("a") as file:
        file.write('{"run_id": "cut o')
    told = refusal(shell.run("report", str(shell.latest)))
    assert "the last line is cut off" in told
    assert f"RESUME={shell.latest}" in told


def test_a_run_may_be_stopped_and_killed_and_goes_on_where_it_was(shell: Shell) -> None:
    stop_after_a_trial(shell)
    before = shell.trials()
    assert 1 <= len(before) < TRIALS
    assert shell.record()["interrupted"]
    assert "stopped by Ctrl-C" in shell.output.read_text()
    assert "Incomplete" in (shell.latest / "report.html").read_text()

    killed = shell.start("run", "--resume", str(shell.latest))
    assert eventually(lambda: len(shell.trials()) > len(before), 120), shell.output.read_text()
    killed.kill()
    killed.wait()
    assert eventually(lambda: not shell.processes())
    assert shell.trials()[: len(before)] == before
    before = shell.trials()
    assert len(before) < TRIALS
    done = shell.run("report", str(shell.latest))
    assert done.returncode == 0, done.stderr
    assert "Incomplete" in (shell.latest / "report.html").read_text()
    assert_a_cut_line_is_told(shell)

    resumed = shell.run("run", "--resume", str(shell.latest))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    after = shell.trials()
    assert after[: len(before)] == before
    assert [trial["index"] for trial in after if trial["attempt"] == 1] == list(range(TRIALS))
    assert not shell.record()["interrupted"]


def test_a_comparison_beside_a_lab_in_the_same_place_is_refused_and_leaves_no_folder(
    shell: Shell,
) -> None:
    """And Ctrl-C while the services start leaves nothing either."""
    first = shell.start(*shell.compare())
    assert eventually(lambda: (shell.state / "logs" / "fastapi-async.log").exists())
    runs = list((shell.folder / "results").iterdir())
    told = refusal(shell.run(*shell.compare()))
    assert f"a lab runs on {shell.state} already" in told
    assert list((shell.folder / "results").iterdir()) == runs
    first.send_signal(signal.SIGINT)
    assert first.wait(150) == 130
    assert not shell.latest.exists()
