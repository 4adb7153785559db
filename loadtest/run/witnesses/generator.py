"""The load generator: whether it worked all through the window, and only so long as planned."""

from __future__ import annotations

from loadtest.model.load import LoadResult
from loadtest.model.trial import Gate

KEPT_GOING = "generator kept going"
# Of the planned window. A generator that stands still for a share of it lowers the figure by that
# share at most; up to 5 % the lab calls two figures equivalent.
STOOD_STILL = 0.05


def kept_going(result: LoadResult) -> Gate:
    """Whether the generator's loop ran all the time, and the window ended when it should."""
    if result.planned_s is None or result.stood_still_s is None:
        return Gate(
            KEPT_GOING, True, None, STOOD_STILL, "pauses of the generator were not measured"
        )
    longer_s = max(0.0, result.duration_s - result.planned_s)
    share = max(result.stood_still_s, longer_s) / result.planned_s
    detail = (
        f"its loop stood still for {result.stood_still_s:.2f} s, at most "
        f"{result.longest_pause_s or 0.0:.2f} s at a time; the window of {result.planned_s:g} s "
        f"lasted {result.duration_s:.2f} s"
    )
    return Gate(KEPT_GOING, share <= STOOD_STILL, share, STOOD_STILL, detail, disturbance=True)
