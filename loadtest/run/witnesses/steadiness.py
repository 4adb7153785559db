"""The figure: whether it stayed as it was all through the window."""

from __future__ import annotations

from loadtest.model.load import SLICE_S, LoadResult
from loadtest.model.trial import Gate
from loadtest.stats.trend import trend

STEADY_FIGURE = "steady figure"
# Of the figure, from the window's begin to its end. The mean then lies half of it, 5 %, from what
# the service did at first; up to 5 % the lab calls two figures equivalent.
CHANGED = 0.1
CHANCE = 0.001  # that requests which come in waves look like a change
FEWEST_SLICES = 6


def steady(result: LoadResult) -> Gate:
    """The service got neither slower nor faster in the window."""
    counts = [
        part["answered"]
        for part in result.timeline
        if 0 <= part["t"] <= result.duration_s - SLICE_S + 1e-9
    ]
    if len(counts) < FEWEST_SLICES or not any(counts):
        return Gate(STEADY_FIGURE, True, None, CHANGED, "the window is too short to tell")
    found = trend(counts)
    passed = abs(found.change) <= CHANGED or found.p > CHANCE
    word = "more" if found.change > 0 else "fewer"
    detail = f"at its end {abs(found.change):.1%} {word} answers a second than at its begin"
    if passed and abs(found.change) > CHANGED:
        detail += ", which can be chance"
    return Gate(STEADY_FIGURE, passed, abs(found.change), CHANGED, detail)
