from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from loadtest.contract import scenarios
from loadtest.engine.tally import Tally
from loadtest.run.ceiling import calibrate, nullserver
from loadtest.run.ceiling.calibrate import Point
from tests.driving import drive, long_enough

KINDS = [None, *filter(None, [shutil.which("nginx")])]


@pytest.fixture(scope="module", params=KINDS, ids=["own", "nginx"][: len(KINDS)])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with nullserver.running(tmp_path_factory.mktemp("null"), nginx=request.param) as running:
        yield running


@pytest.mark.parametrize(
    ("scenario", "parameters"),
    [("plaintext", {}), ("json", {}), *(("items", {"limit": n}) for n in nullserver.LIMITS)],
)
def test_its_answers_pass_the_real_checks(
    url: str, scenario: str, parameters: dict[str, int]
) -> None:
    chosen = scenarios.choose(scenario)
    port = urlsplit(url).port or 0
    traffic = chosen.traffic(f"127.0.0.1:{port}", chosen.filled(parameters), 1)

    def attempt(seconds: float) -> tuple[Tally, int]:
        before = nullserver.served(url)
        tally = drive(port, seconds=seconds, connections=4, scenario=scenario, traffic=traffic)
        return tally, nullserver.served(url) - before - 1  # one asks for the count

    tally, answered = long_enough(attempt, lambda found: found[0].answered > 20)
    assert tally.failed == 0
    assert tally.answered > 20
    assert tally.answered <= answered <= tally.sent + tally.sent_before


def test_it_closes_each_connection_after_so_many_answers(tmp_path: Path) -> None:
    with nullserver.running(tmp_path, closes_after=7) as url:
        tally = drive(urlsplit(url).port or 0, connections=3)
    assert tally.failed == 0
    assert tally.reconnects == pytest.approx(tally.answered / 7, abs=4)


def test_a_route_that_it_does_not_have(url: str) -> None:
    port = urlsplit(url).port or 0

    def attempt(seconds: float) -> Tally:
        return drive(port, seconds=seconds, scenario="wait")

    tally = long_enough(attempt, lambda tally: tally.failed > 0)
    assert set(tally.errors) == {"status 404"}


def point(connections: int, rps: float, scenario: str = "json", cpu: float = 1.0) -> Point:
    return Point(scenario, {}, connections, 180.0, rps, cpu, 1e6 * cpu / rps, 100)


def test_the_ceiling_is_the_lowest_over_many_connections() -> None:
    """One connection shows the round trip; larger answers are another matter."""
    points = [point(1, 9_000), point(16, 90_000), point(256, 80_000), point(64, 5_000, "items")]
    assert calibrate.ceiling(points) == 80_000


def test_a_null_server_that_was_kept_waiting_is_not_the_generators_ceiling() -> None:
    """As measured: beside a neighbour 10,800 requests/s, for a tenth of the generator's core."""
    points = [point(16, 10_800, cpu=0.1), point(256, 39_000, cpu=0.33)]
    assert calibrate.ceiling(points) == pytest.approx(10_800 * 0.9 / 0.1)


def test_a_quick_calibration() -> None:
    seen: list[Point] = []
    found = calibrate.calibrate(seconds=0.3, quick=True, progress=seen.append)
    assert [each.connections for each in seen] == [16, 256]
    assert found["ceiling_rps"] == min(each.possible_rps for each in seen) > 0
    assert [each["rps"] for each in found["points"]] == [each.rps for each in seen]
