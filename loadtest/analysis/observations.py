"""From trials to values: what each service did at each level in each round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from statistics import median

from loadtest.engine.after import NO_ANSWER
from loadtest.engine.kinds import kind_of
from loadtest.model.experiment import Experiment
from loadtest.model.load import LoadResult
from loadtest.model.trial import Sample, Trial
from loadtest.plan import sequential
from loadtest.plan.measures import MEASURES
from loadtest.stats.inference import Slope, looked_at, slope
from loadtest.stats.sequential import Stage

HELD_SHARE = 0.9  # of the requests of a held load: what a service takes up at least


def by_round(trials: Iterable[Trial], name: str, level: str, arm: str) -> dict[int, float]:
    """Round -> value of a measure for one arm at one level; rounds without a value are left out."""
    found = {
        trial.round: MEASURES[name].value(trial)
        for trial in trials
        if trial.level == level and trial.arm == arm
    }
    return {round_: value for round_, value in found.items() if value is not None}


def points(trials: Iterable[Trial], name: str, arm: str) -> tuple[list[float], list[float]]:
    """(connections, value) of every trial of one arm, for a slope over the loads.

    A trial whose service did not take its requests up says nothing of what one costs.
    """
    pairs = [
        (float(trial.load.connections), value)
        for trial in trials
        if trial.arm == arm
        and _took_up(trial)
        and (value := MEASURES[name].value(trial)) is not None
    ]
    return [x for x, _ in pairs], [y for _, y in pairs]


def in_hand(samples: Sequence[Sample]) -> float | None:
    """How many requests the service had in hand, as it counts itself: median of the window."""
    counted = [each.in_flight for each in samples if each.t > 0 and each.in_flight is not None]
    return median(counted) if counted else None


def _took_up(trial: Trial) -> bool:
    found = in_hand(trial.samples) if kind_of(trial.load).holds else None
    return found is None or found >= HELD_SHARE * trial.load.connections


def light(trial: Trial) -> LoadResult:
    """Whose latency is told: of held requests none ends, so that of what is asked beside them."""
    beside = trial.result.beside
    return beside if beside and kind_of(trial.load).holds else trial.result


def growth(trials: Collection[Trial], name: str, arm: str, stage: Stage) -> Slope | None:
    """What each further connection adds to a measure, by every trial of one arm."""
    line = slope(*points(growing(trials, arm), name, arm))
    rounds = list(growth_by_round(trials, name, arm).values())
    if line is None or len(stage.looks) == 1 or len(rounds) < 2:
        return line
    return looked_at(line, rounds, stage)


def growth_by_round(trials: Collection[Trial], name: str, arm: str) -> dict[int, Slope]:
    """The same within each round."""
    rounds: defaultdict[int, list[Trial]] = defaultdict(list)
    for trial in growing(trials, arm):
        rounds[trial.round].append(trial)
    found = {number: slope(*points(each, name, arm)) for number, each in rounds.items()}
    return {number: each for number, each in found.items() if each}


def growing(trials: Collection[Trial], arm: str) -> list[Trial]:
    """An arm's trials up to the last round in which it ran at each of its loads.

    Later rounds have but some of the loads: what else is open there says nothing of the slope.
    """
    own = [trial for trial in trials if trial.arm == arm]
    levels: defaultdict[int, set[str]] = defaultdict(set)
    for trial in own:
        levels[trial.round].add(trial.level)
    every = set[str]().union(*levels.values())
    whole = [number for number, seen in levels.items() if seen == every]
    last = max(whole or levels, default=0)
    return [trial for trial in own if trial.round <= last]


def stage_of(
    experiment: Experiment,
    levels: Collection[str],
    arms: Collection[str],
    trials: Collection[Trial],
) -> Stage:
    """The look that the rounds of `arms` at `levels` stand for, by the experiment's design.

    Of several arms it is that of the one with the fewest: what was decided of it took no more.
    """
    rounds = min(seen_rounds(trials, levels, arm) for arm in arms)
    return sequential.stage(experiment, levels, rounds)


def seen_rounds(trials: Iterable[Trial], levels: Collection[str], arm: str) -> int:
    """The last round in which an arm has a trial at one of `levels`."""
    own = (trial.round for trial in trials if trial.arm == arm and trial.level in levels)
    return max(own, default=0)


def mean_wait_ms(trials: Sequence[Trial]) -> float | None:
    """Mean response time in ms by Little's law: requests in hand ÷ answers a second (1961).

    It holds for those that still wait as well. None for a load whose requests don't wait for each
    other's answers, and where nothing was answered, or some never were.
    """
    if never_answered(trials):
        return None
    results = [trial.result for trial in trials if kind_of(trial.load).paced]
    ended = sum(each.answered + each.failed for each in results)
    in_hand_s = sum(each.mean_in_flight * each.duration_s for each in results)
    return 1000 * in_hand_s / ended if ended else None


def never_answered(trials: Iterable[Trial]) -> int:
    """Requests in hand at the windows' ends that got no answer after them either."""
    return sum(trial.result.failed_after.get(NO_ANSWER, 0) for trial in trials)


def waiting_share(trials: Sequence[Trial]) -> float:
    """The share of the requests that still waited when the windows closed."""
    results = [light(trial) for trial in trials]
    waiting = sum(each.unfinished for each in results)
    ended = sum(each.answered + each.failed for each in results)
    return waiting / (waiting + ended) if waiting else 0.0
