"""What to ask for where a probe ended before it saw a limit, and no more than it may. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from loadtest.probe.conclusion import limit
from loadtest.probe.limits import (
    LONGEST_ANSWER_S,
    LONGEST_PROBE_S,
    MOST_CONNECTIONS,
    MOST_REQUESTS,
    most_requests,
)
from loadtest.probe.record import Sighting

USUAL_S = 60


def further(seen: Sighting) -> Iterator[str]:
    """One sentence; none where a probe can't do more."""
    if seen.all_sent:
        yield from _of_requests(seen)
    elif seen.ended:
        yield "Probe it again: this one ended before it saw a limit."
    elif limit.too_late(seen):
        last = seen.steps[-1].connections
        yield f"Look for what {last} at once wait for: a lock, a pool, a service behind it."
    elif seen.steps[-1].connections < seen.limit:
        yield from _longer(seen)
    elif seen.limit < MOST_CONNECTIONS:
        yield f"Ask for more: --connections {min(MOST_CONNECTIONS, 4 * seen.limit)}."


def _of_requests(seen: Sighting) -> Iterator[str]:
    if most_requests(seen.glance.size) < MOST_REQUESTS:
        yield (
            "So many requests are the most of a probe with answers of this size: "
            "probe a smaller one."
        )


def _longer(seen: Sighting) -> Iterator[str]:
    """More than it had: a ramp that lacks time ends when more than half of it has passed."""
    if limit.goes_no_further(seen.steps[-1]):
        yield f"A probe waits {LONGEST_ANSWER_S:g} s for an answer: probe what takes less."
    elif 2 * seen.lasted_s < LONGEST_PROBE_S:
        wanted_s = max(USUAL_S, 10 * round(0.4 * seen.lasted_s))
        yield f"Give it more time: --seconds {min(round(LONGEST_PROBE_S), wanted_s)}."
