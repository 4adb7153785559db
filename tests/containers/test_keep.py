"""`make keep`: what goes away of a lab comes back by itself, and the rest goes on meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.system.paths import ROOT
from tests.containers.stack import PATIENCE_S, Stack, await_that, fetch, unbroken

pytestmark = pytest.mark.container
KEEP = ROOT / "containers/keep"
SERVICE, OTHER = "fastapi-async", "flask-gthread"


class Keeper:
    """`containers/keep` over a lab, and what it has said."""

    def __init__(self, stack: Stack, log: Path, **variables: str) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [KEEP],
                env=os.environ | stack.variables | variables,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        await_that(lambda: "keeping" in self.said, what="it has looked once")

    @property
    def said(self) -> str:
        """All lines so far."""
        return self._log.read_text()

    def close(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(PATIENCE_S) == 0, self.said


@contextlib.contextmanager
def kept(stack: Stack, log: Path, **variables: str) -> Iterator[Keeper]:
    keeper = Keeper(stack, log, **variables)
    try:
        yield keeper
    finally:
        if keeper.process.poll() is None:
            keeper.close()


@pytest.mark.parametrize(
    ("act", "told"),
    [
        ("stop", "stopped with exit code 0; started"),
        ("kill", "stopped with exit code 137; started"),
        ("pause", "paused; unpaused"),
    ],
)
def test_a_service_that_was_sent_away_comes_back(
    stack: Stack, tmp_path: Path, act: str, told: str
) -> None:
    with kept(stack, tmp_path / "log") as keeper, unbroken(f"{stack.url(OTHER, 8000)}/items/1"):
        stack.send_away(SERVICE, act)
        await_that(lambda: f"{SERVICE}: {told}" in keeper.said, what=told)
        await_that(lambda: stack.ready(SERVICE), what=f"{SERVICE} is back")
    assert keeper.said.count(f" {SERVICE}: ") == 1
    assert len(keeper.said.splitlines()) == 2, keeper.said


def test_a_service_that_hangs_is_restarted(stack: Stack, tmp_path: Path) -> None:
    service = "go"
    with (
        kept(stack, tmp_path / "log", KEEP_FAILURES="3") as keeper,
        unbroken(f"{stack.url(OTHER, 8000)}/items/1"),
    ):
        stack.signal(service, "STOP", to_all=True)
        await_that(lambda: f"{service}: unhealthy" in keeper.said, what="it is noticed")
        await_that(lambda: stack.ready(service), what=f"{service} is back")
    assert f"{service}: unhealthy for 3 checks or more; restarted" in keeper.said


def test_a_lab_that_is_stopped_as_a_whole_stays_so(stack: Stack, tmp_path: Path) -> None:
    """Also where one service takes its time: a request is in hand, and the others are
    down by then.
    """
    lab = Stack(f"{stack.name}-keep")
    services = [SERVICE, "go", "postgres"]
    try:
        lab.up(services)
        lab.compose("stop", "go")
        with kept(lab, tmp_path / "log") as keeper:
            lab.up(["go"])
            slow: list[threading.Thread] = []
            await_that(lambda: _in_hand(lab, slow), what="a request is in hand")
            lab.compose("stop")
            for each in slow:
                each.join()
            assert keeper.process.wait(PATIENCE_S) == 0
        assert {each["State"]["Status"] for each in lab.containers()} == {"exited"}
        assert "keeping 2 containers" in keeper.said
        assert "all of" in keeper.said
        assert len(keeper.said.splitlines()) == 2, keeper.said
    finally:
        lab.close()


def _in_hand(lab: Stack, slow: list[threading.Thread]) -> bool:
    """Whether the service has one of the `slow` requests; another is sent where none is left."""
    if not any(each.is_alive() for each in slow):
        asked = (f"{lab.url(SERVICE, 8000)}/wait?ms=10000", None, PATIENCE_S)
        slow.append(threading.Thread(target=fetch, args=asked))
        slow[-1].start()
    return "http_server_active_requests 1.0" in fetch(f"{lab.url(SERVICE, 9000)}/metrics")


def test_without_a_lab_it_says_how_to_start_one() -> None:
    assert refusal(COMPOSE_PROJECT_NAME="lab-of-nobody").endswith("start it first: make up\n")


def test_without_an_engine_it_says_so(tmp_path: Path) -> None:
    said = refusal(DOCKER_HOST=f"unix://{tmp_path}/none")
    assert f"no engine answers at unix://{tmp_path}/none" in said


def refusal(**variables: str) -> str:
    """The one line on standard error with which it refuses."""
    done = subprocess.run(
        [KEEP],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    return done.stderr
