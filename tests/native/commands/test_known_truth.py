"""Real services with a known truth: one image twice has no winner, a delay is found as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.analysis.findings import Finding, against_reference
from loadtest.backends.native import Lab
from loadtest.inventory import manifest
from loadtest.plan.schedule import schedule
from loadtest.results.runs import counted
from loadtest.run.forkserver import ForkServer
from loadtest.run.measurement import Measurement
from tests.synthetic import experiment

pytestmark = pytest.mark.waits

WAIT_S, DELAY_S = 0.1, 0.02
APPLICATION = """
import asyncio
import sys

sys.path.insert(0, {folder!r})

from fastapi_services.async_app import app as inner


async def app(scope, receive, send):
    if scope["type"] == "http" and scope["path"] == "/wait":
        await asyncio.sleep({delay})
    await inner(scope, receive, send)
"""


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    one = manifest.load()["fastapi-async"]
    folder = tmp_path_factory.mktemp("delayed")
    (folder / "delayed.py").write_text(APPLICATION.format(folder=str(one.folder), delay=DELAY_S))
    same = replace(one, name="same", environment={**one.environment, "SERVICE_NAME": "same"})
    delayed = replace(
        one,
        name="delayed",
        folder=folder,
        environment={
            **one.environment,
            "SERVICE_NAME": "delayed",
            "APPLICATION": "delayed:app",
        },
    )
    services = {service.name: service for service in (one, same, delayed)}
    state: Path = tmp_path_factory.mktemp("lab")
    with Lab(services, host_ports="free", state=state, pin=False) as running:
        yield running


@pytest.fixture(scope="module")
def findings(backend: Lab) -> dict[str, Finding]:
    one = experiment(
        services=["fastapi-async", "same", "delayed"],
        levels=[{"connections": 8}],
        parameters={"ms": round(WAIT_S * 1000)},
        criteria=[],
        rounds=4,
        warmup_s=0.2,
        duration_s=1.0,
    )
    # The truth has to be found beside other programs too, with wider intervals.
    with ForkServer() as forks:
        measurement = Measurement(backend, run_id="truth", seed=1, forks=forks, accept_busy=True)
        # `same` is compared with the reference; the twin would be so once more.
        places = [each for each in schedule([one], seed=1) if each.arm == each.service]
        trials = [measurement.take(planned, 1) for planned in places]
    return {finding.service: finding for finding in against_reference(one, counted(trials))}


def test_the_same_image_under_two_names_has_no_winner(findings: dict[str, Finding]) -> None:
    found = findings["same"]
    # Of runs too noisy for "equivalent" one in twenty has a winner: that is what 95 % means.
    assert found.outcome in ("equivalent", "inconclusive") or found.p_adjusted > 0.001, found


def test_a_delay_of_20_ms_is_found_with_its_true_ratio(findings: dict[str, Finding]) -> None:
    found = findings["delayed"]
    assert found.ratio is not None
    # A machine that is too busy to find a sixth must say so, and nothing else.
    quiet = found.ratio.detectable < 0.1
    assert found.outcome in (("less",) if quiet else ("less", "inconclusive"))
    # What a service adds to the wait itself, at most 30 ms, moves the ratio up to this.
    busiest = (WAIT_S + 0.03) / (WAIT_S + 0.03 + DELAY_S)
    assert found.ratio.low <= busiest
    assert found.ratio.high >= WAIT_S / (WAIT_S + DELAY_S)
