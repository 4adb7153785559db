"""The Universal Scalability Law: found where it is, silent where it is not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loadtest.stats import scalability

LOADS = [1, 2, 4, 8, 16, 32, 64, 128]


def _scaled(contention: float, coherency: float, seed: int = 1) -> list[float]:
    rng = np.random.default_rng(seed)
    return [
        1000
        * n
        / (1 + contention * (n - 1) + coherency * n * (n - 1))
        * math.exp(rng.normal(0, 0.01))
        for n in LOADS
    ]


def test_the_law_is_found_with_its_knee() -> None:
    law = scalability.scalability(LOADS, _scaled(0.03, 0.0005))
    assert law is not None
    assert law.knee_low is not None
    assert law.knee_high is not None
    assert law.knee_low <= math.sqrt(0.97 / 0.0005) <= law.knee_high
    assert law.rate == pytest.approx(1000, rel=0.05)
    assert law.throughput(16) == pytest.approx(_scaled(0.03, 0.0005)[4], rel=0.05)


def test_no_knee_outside_the_tested_range() -> None:
    law = scalability.scalability(LOADS, _scaled(0.02, 1e-6))
    assert law is not None
    assert law.knee is None


def test_no_knee_where_the_law_does_not_fit() -> None:
    slots = scalability.scalability(LOADS, [10.0 * min(n, 12) for n in LOADS])
    assert slots is not None
    assert slots.misfit > scalability.FITS
    assert slots.knee is None


@pytest.mark.parametrize("rates", [[1.0, 2.0, 3.0], [1.0, 0.0, 2.0, 3.0]])
def test_no_law_from_too_little(rates: list[float]) -> None:
    assert scalability.scalability(LOADS[: len(rates)], rates) is None
