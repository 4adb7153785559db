"""What is said of a light request beside a full endpoint."""

from __future__ import annotations

import pytest

from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.record import Beside
from tests.loadtest.probe.sightings import full, seen, server, waves

URL = "http://127.0.0.1:8000/healthz"


@pytest.mark.parametrize(
    ("answered", "failed", "p50_s", "told"),
    [
        (9, 0, 0.15, "waits 0.15 s (at most 0.20 s); alone it takes 2.0 ms."),
        (0, 12, 0.0, "answered nothing right: 12 requests failed."),
        (0, 1, 0.0, "answered nothing right: 1 request failed."),
        (9, 3, 0.15, "waits 0.15 s (at most 0.20 s); alone it takes 2.0 ms; 3 of 12 failed."),
        (0, 0, 0.3, "gave no answer at all."),
    ],
)
def test_a_light_request_that_failed_is_told_as_such(
    answered: int, failed: int, p50_s: float, told: str
) -> None:
    light = Beside(URL, 10, 0.002, p50_s, 0.2, answered, failed)
    said = conclude(seen(full(4), server=server(), waves=waves(4, 0.1, 14), beside=light))
    assert said.sentences[-1] == f"Meanwhile, with 10 at once, {URL} {told}"
