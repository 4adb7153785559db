"""A service that is killed or paused while it is measured: the report says so, and it is
run again.
"""

from __future__ import annotations

import contextlib
import math
import signal
from collections.abc import Callable

import psutil
import pytest

from loadtest.run.sampler import scrape
from tests.native.commands.conftest import Shell, of_one
from tests.waiting import cmdline_of, eventually

pytestmark = pytest.mark.waits

SERVICE = "flask-sync"
# Long enough for whatever happens at its beginning to be seen before its end.
WINDOW_S = 4
GATES = ("service kept running", "processes kept running")
LOAD = 20  # more requests than the lab makes to see whether a service is idle
EXPERIMENT = of_one(SERVICE).replace("duration_s = 0.5", f"duration_s = {WINDOW_S}")


def first(shell: Shell) -> psutil.Process:
    """The service's first process."""
    [found] = [
        each
        for each in shell.processes()
        if {"lab.serve", "gunicorn"} <= set(cmdline_of(each)) and each.parent() is not None
    ]
    return found


def kill(shell: Shell) -> None:
    first(shell).kill()


def kill_a_worker(shell: Shell) -> None:
    [master] = first(shell).children()
    master.children()[0].kill()


def pause(shell: Shell) -> None:
    """As with `docker compose pause`: all its processes, and for longer than a gate allows."""
    root = first(shell)
    for process in (root, *root.children(recursive=True)):
        process.send_signal(signal.SIGSTOP)


ACTS: tuple[tuple[Callable[[Shell], None], str], ...] = (
    (kill, "its processes ended and it did not come back, seen"),
    (kill_a_worker, "a worker process ended, seen"),
    (pause, "stopped: "),
)


def test_the_report_says_what_happened_and_the_trial_is_run_again(shell: Shell) -> None:
    running = shell.start(*shell.compare(EXPERIMENT, [SERVICE]))
    for number, (act, _) in enumerate(ACTS, start=1):
        assert eventually(lambda count=number: len(valid(shell)) >= count, 150), (  # type: ignore[misc]
            shell.output.read_text()
        )
        assert eventually(loaded(shell), 60), "the next trial has begun"
        act(shell)
    assert running.wait(150) == 0, shell.output.read_text()
    failed = [
        gate["detail"]
        for trial in shell.trials()
        for gate in trial["gates"]
        if gate["name"] in GATES and not gate["passed"]
    ]
    page = (shell.latest / "report.html").read_text()
    assert all(detail in page for detail in failed)
    # A machine that stalls for as long as a gate allows pauses the service too, and that is told.
    details = iter(failed)
    for _, told in ACTS:
        assert any(detail.startswith(told) for detail in details), failed
    assert valid(shell) == {0, 1, 2, 3}


def loaded(shell: Shell) -> Callable[[], bool]:
    """Whether the service has answered a load since now; one that is started again counts anew."""
    fewest = math.inf

    def grown() -> bool:
        nonlocal fewest
        # A comparison gives its services free ports; one that starts again may have another.
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            port = first(shell).environ()["METRICS_PORT"]
            url = f"http://127.0.0.1:{port}/metrics"
            answered = scrape(url).get("lab_worker_requests_total", 0.0)
            fewest = min(fewest, answered)
            return answered > fewest + LOAD
        return False

    return grown


def valid(shell: Shell) -> set[int]:
    """Places of the schedule that have a trial with every gate passed."""
    return {
        trial["index"] for trial in shell.trials() if all(gate["passed"] for gate in trial["gates"])
    }
