"""Postgres: whether only the lab's services asked it."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.model.counts import number_of
from loadtest.model.load import LoadResult
from loadtest.model.trial import Gate
from loadtest.run.presence import Look

POSTGRES_TO_ITSELF = "Postgres to itself"
LATE_LOOK_S = 0.25  # a look at the window's end comes a little after it


def to_itself(result: LoadResult, looks: Sequence[Look]) -> Gate:
    """No other client had a query at work at any look in the window."""
    counts = [
        each.foreign_sessions
        for each in looks
        if each.foreign_sessions is not None and 0 <= each.began <= result.duration_s + LATE_LOOK_S
    ]
    if not counts:
        return Gate(
            POSTGRES_TO_ITSELF, True, None, 0, "Postgres could not be looked at in the window"
        )
    most = max(counts)
    others = number_of(most, "session")
    detail = f"{others} of other clients worked at the same time" if most else "it was"
    return Gate(POSTGRES_TO_ITSELF, most == 0, most, 0, detail, disturbance=True)
