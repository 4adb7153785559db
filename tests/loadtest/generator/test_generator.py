"""The engine among greenlets."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import gevent
import pytest

from loadtest.contract import scenarios
from loadtest.engine.tally import Batch
from loadtest.generator import generator
from loadtest.generator.generator import Assignment, Generator
from loadtest.model.load import Load
from loadtest.system.ports import held
from loadtest.system.sockets import Address, resolve
from tests.lying_servers import OK, answering, serving


@pytest.mark.parametrize(
    ("known", "error"),
    [(False, "host not found"), (True, "connection refused")],
    ids=["a name that did not resolve", "an address that has changed"],
)
def test_a_service_that_comes_later_is_found(
    monkeypatch: pytest.MonkeyPatch, known: bool, error: str
) -> None:
    batches: list[Batch] = []

    def until(condition: Callable[[Batch], object]) -> None:
        deadline = time.monotonic() + 60
        while not any(condition(batch) for batch in batches):
            assert time.monotonic() < deadline
            gevent.sleep(0.02)

    found: Address | None = None
    monkeypatch.setattr(generator, "resolve", lambda _host, _port: found)
    load = Generator(
        Assignment(Load("closed", 2), scenarios.choose("json"), {}, 30, 1), batches.extend
    )
    with (
        held(1) as [nobody],
        serving(answering(OK)) as port,
        contextlib.ExitStack() as after,
    ):
        if known:
            found = resolve("127.0.0.1", nobody)
        after.callback(load.stop)
        for _ in range(2):
            load.add("later", f"http://later.invalid:{port}")
        until(lambda batch: batch.errors[error])
        found = resolve("127.0.0.1", port)
        until(lambda batch: batch.answered > 10)
