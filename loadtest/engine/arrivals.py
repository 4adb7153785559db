"""When the requests of an open load are due, made beforehand from a seed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_BATCH = 4096


def poisson(rate_rps: float, seed: int) -> Iterator[float]:
    """Seconds from the start of the load to each arrival of a Poisson process, without end."""
    generator = np.random.default_rng(seed)
    now = 0.0
    while True:
        times = now + generator.exponential(1 / rate_rps, _BATCH).cumsum()
        now = float(times[-1])
        yield from times.tolist()
