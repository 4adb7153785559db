"""The engine among greenlets."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable

import gevent
import pytest

from loadtest.contract import scenarios
from loadtest.engine.tally import Batch
from loadtest.generator import generator
from loadtest.generator.generator import Assignment, Generator
from loadtest.model.load import Load
from loadtest.system.sockets import Address, resolve
from tests.lying_servers import OK, answering, serving


def nowhere() -> Address | None:
    """The address of nobody."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return resolve("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(
    ("before", "error"),
    [(lambda: None, "host not found"), (nowhere, "connection refused")],
    ids=["a name that did not resolve", "an address that has changed"],
)
def test_a_service_that_comes_later_is_found(
    monkeypatch: pytest.MonkeyPatch, before: Callable[[], Address | None], error: str
) -> None:
    batches: list[Batch] = []

    def until(condition: Callable[[Batch], object]) -> None:
        deadline = time.monotonic() + 60
        while not any(condition(batch) for batch in batches):
            assert time.monotonic() < deadline
            gevent.sleep(0.02)

    found = before()
    monkeypatch.setattr(generator, "resolve", lambda _host, _port: found)
    load = Generator(
        Assignment(Load("closed", 2), scenarios.choose("json"), {}, 30, 1), batches.extend
    )
    with serving(answering(OK)) as port, contextlib.ExitStack() as after:
        after.callback(load.stop)
        for _ in range(2):
            load.add("later", f"http://later.invalid:{port}")
        until(lambda batch: batch.errors[error])
        found = resolve("127.0.0.1", port)
        until(lambda batch: batch.answered > 10)
