"""What the law of queues says of a wait that no window is long enough to see."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.engine.kinds import kind_of
from loadtest.model.trial import Trial


def mean_wait_ms(trials: Sequence[Trial]) -> float | None:
    """Mean response time in ms by Little's law: requests in hand ÷ answers a second (1961).

    It holds for those that still wait as well. None for a load whose requests don't wait for each
    other's answers, and where nothing was answered.
    """
    results = [trial.result for trial in trials if kind_of(trial.load).paced]
    ended = sum(each.answered + each.failed for each in results)
    in_hand_s = sum(each.mean_in_flight * each.duration_s for each in results)
    return 1000 * in_hand_s / ended if ended else None


def waiting_share(trials: Sequence[Trial]) -> float:
    """The share of the requests that still waited when the windows closed."""
    results = [trial.result for trial in trials]
    waiting = sum(each.unfinished for each in results)
    ended = sum(each.answered + each.failed for each in results)
    return waiting / (waiting + ended) if waiting else 0.0
