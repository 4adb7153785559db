"""What happens to one row is over by itself, shows in Prometheus, and leaves the rest alone."""

from __future__ import annotations

import contextlib
import json
import threading
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests.containers.stack import Stack, await_that, docker, fetch, unbroken

pytestmark = pytest.mark.container
ROW, OTHER = "fastapi-async", "flask-gthread"


def restarts(stack: Stack) -> int:
    return int(stack.container(ROW)["RestartCount"])


def was_anew(stack: Stack) -> bool:
    """Whether Prometheus has seen the row away, or counting from nothing, in the last minutes."""
    one = f'{{service="{ROW}"}}[2m]'
    query = f"min_over_time(up{one}) == 0 or resets(lab_process_cpu_seconds_total{one}) > 0"
    asked = urllib.parse.urlencode({"query": query})
    answer = json.loads(fetch(f"{stack.url('prometheus', 9090)}/api/v1/query?{asked}"))
    return bool(answer["data"]["result"])


@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_a_row_whose_process_ends_comes_back(stack: Stack, signal: str) -> None:
    before = restarts(stack)
    with unbroken(f"{stack.url(OTHER, 8000)}/items/1"):
        stack.signal(ROW, signal)
        await_that(
            lambda: restarts(stack) > before and stack.ready(ROW),
            within_s=60,
            what=f"{ROW} is back",
        )
    await_that(lambda: was_anew(stack), within_s=15, what="it shows in Prometheus")


def test_a_paused_row_holds_up_nobody_and_goes_on_where_it_was(stack: Stack) -> None:
    before = restarts(stack)
    page = f"{stack.url(ROW, 8000)}/json"
    with unbroken(f"{stack.url(OTHER, 8000)}/items/1"):
        stack.compose("pause", ROW)
        try:
            with pytest.raises(OSError, match="timed out"):
                fetch(page, timeout_s=2)
        finally:
            stack.compose("unpause", ROW)
        await_that(lambda: stack.ready(ROW), within_s=30, what=f"{ROW} answers again")
    assert restarts(stack) == before


def test_a_stopped_row_is_started_by_the_next_up(stack: Stack) -> None:
    with unbroken(f"{stack.url(OTHER, 8000)}/items/1"):
        stack.compose("stop", ROW)
        assert stack.container(ROW)["State"]["ExitCode"] == 0
        stack.up([ROW])
        assert stack.ready(ROW)


def test_a_row_out_of_memory_is_killed_and_comes_back(stack: Stack) -> None:
    stack.up([ROW], "--no-deps", SERVICE_MEMORY="64m")
    assert stack.container(ROW)["HostConfig"]["Memory"] == 64 * 2**20
    try:
        with unbroken(f"{stack.url(OTHER, 8000)}/items/1"):
            await_that(lambda: _overwhelmed(stack), within_s=60, what="the kernel killed it")
            await_that(lambda: stack.ready(ROW), within_s=60, what=f"{ROW} is back")
    finally:
        stack.up([ROW], "--no-deps")


def test_a_lab_whose_password_changes_still_answers(stack: Stack, tmp_path: Path) -> None:
    """As when `docker compose up` follows `make up`: the data volume was made with another one."""
    lab = Stack(f"{stack.name}-password", tmp_path)
    services = ["postgres", "postgres-exporter", "go"]
    try:
        lab.up(services)
        made = lab.container("postgres")["Id"]
        lab.up(
            services,
            POSTGRES_PASSWORD_FILE="./services/postgres/development-password",
            MONITOR_PASSWORD_FILE="./services/postgres/development-monitor-password",
        )
        assert lab.container("postgres")["Id"] != made
        assert lab.ready("go")
    finally:
        lab.close()
    assert lab.leftovers() == ""


def _overwhelmed(stack: Stack) -> bool:
    """Send many large orders at once; whether that was too much."""
    lines = [{"item_id": 1 + n, "quantity": 1} for n in range(500)]
    order = json.dumps({"customer_id": 1, "lines": lines}).encode()
    request = urllib.request.Request(
        f"{stack.url(ROW, 8000)}/orders", order, {"Content-Type": "application/json"}
    )

    def send() -> None:
        for _ in range(10):
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5) as answer:
                answer.read()

    senders = [threading.Thread(target=send) for _ in range(100)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return (
        restarts(stack) > 0
        and docker(
            "inspect", "--format", "{{.State.OOMKilled}}", stack.container(ROW)["Id"]
        ).strip()
        == "true"
    )
