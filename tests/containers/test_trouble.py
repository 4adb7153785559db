"""What happens to one service is over by itself, shows in Prometheus, and leaves the rest alone."""

from __future__ import annotations

import contextlib
import json
import math
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from tests.containers.stack import Stack, await_that, docker, fetch, unbroken

pytestmark = pytest.mark.container
SERVICE, OTHER = "fastapi-async", "flask-gthread"
AWAY, AGAIN = "away", "started again"
MEMORY_MIB = 80  # enough to start with (it has 48 at rest), too little for many large orders


def restarts(stack: Stack) -> int:
    return int(stack.container(SERVICE)["RestartCount"])


def marked(stack: Stack, since: float) -> set[str]:
    """What the dashboards mark of the service since a moment (seconds since 1970)."""
    window = f"{math.ceil(time.time() - since)}s"
    query = f'last_over_time(service:incidents:count{{service="{SERVICE}"}}[{window}])'
    asked = urllib.parse.urlencode({"query": query})
    answer = json.loads(fetch(f"{stack.url('prometheus', 9090)}/api/v1/query?{asked}"))
    return {each["metric"]["what"] for each in answer["data"]["result"]}


@contextlib.contextmanager
def told(stack: Stack, *whats: str) -> Iterator[Callable[[], bool]]:
    """Another service goes on answering, and in the end the dashboards mark one of `whats`.

    Yields a function that says whether they do already.
    """
    since = time.time()

    def seen() -> bool:
        return bool(marked(stack, since) & set(whats))

    with unbroken(f"{stack.url(OTHER, 8000)}/items/1"):
        yield seen
    await_that(seen, what=f"the dashboards mark {SERVICE} as {' or '.join(whats)}")


@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_a_service_whose_process_ends_comes_back(stack: Stack, signal: str) -> None:
    before = restarts(stack)
    with told(stack, AWAY, AGAIN):
        stack.signal(SERVICE, signal)
        await_that(
            lambda: restarts(stack) > before and stack.ready(SERVICE),
            what=f"{SERVICE} is back",
        )


def test_a_paused_service_holds_up_nobody_and_goes_on_where_it_was(stack: Stack) -> None:
    before = restarts(stack)
    page = f"{stack.url(SERVICE, 8000)}/json"
    with told(stack, AWAY) as seen:
        stack.send_away(SERVICE, "pause")
        try:
            with pytest.raises(OSError, match="timed out"):
                fetch(page, timeout_s=2)
            await_that(seen, what="its pause shows")
        finally:
            stack.compose("unpause", SERVICE)
        await_that(lambda: stack.ready(SERVICE), what=f"{SERVICE} answers again")
    assert restarts(stack) == before


def test_a_stopped_service_is_started_by_the_next_up(stack: Stack) -> None:
    with told(stack, AWAY) as seen:
        stack.compose("stop", SERVICE)
        assert stack.container(SERVICE)["State"]["ExitCode"] == 0
        await_that(seen, what="its absence shows")
        stack.up([SERVICE])
        assert stack.ready(SERVICE)


def test_a_service_out_of_memory_is_killed_and_comes_back(stack: Stack) -> None:
    stack.up([SERVICE], "--no-deps", SERVICE_MEMORY=f"{MEMORY_MIB}m")
    assert stack.container(SERVICE)["HostConfig"]["Memory"] == MEMORY_MIB * 2**20
    try:
        with told(stack, AWAY, AGAIN):
            await_that(lambda: _overwhelmed(stack), what="the kernel killed it")
            await_that(lambda: stack.ready(SERVICE), what=f"{SERVICE} is back")
    finally:
        stack.up([SERVICE], "--no-deps")


def test_a_lab_whose_passwords_are_lost_draws_others_and_still_answers(stack: Stack) -> None:
    """The data was made with the first ones, and is kept."""
    lab = Stack(f"{stack.name}-password")
    services = ["postgres", "postgres-exporter", "go"]
    try:
        lab.up(services)
        before = [lab.password(role) for role in ("lab", "monitor")]
        ask = ("exec", "-T", "postgres", "psql", "-U", "lab", "-Atc")
        lab.compose(*ask, "CREATE TABLE kept ()")
        lab.compose("down", "--timeout", "5")
        docker("volume", "rm", f"{lab.name}_lab-password", f"{lab.name}_monitor-password")
        lab.up(services)
        after = [lab.password(role) for role in ("lab", "monitor")]
        assert not set(before) & set(after)
        assert "0" in lab.compose(*ask, "SELECT count(*) FROM kept")
        assert lab.ready("go")
    finally:
        lab.close()
    assert lab.leftovers() == ""


def _overwhelmed(stack: Stack) -> bool:
    """Send many large orders at once; whether that was too much."""
    lines = [{"item_id": 1 + n, "quantity": 1} for n in range(500)]
    order = json.dumps({"customer_id": 1, "lines": lines}).encode()
    request = urllib.request.Request(
        f"{stack.url(SERVICE, 8000)}/orders", order, {"Content-Type": "application/json"}
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
            "inspect", "--format", "{{.State.OOMKilled}}", stack.container(SERVICE)["Id"]
        ).strip()
        == "true"
    )
