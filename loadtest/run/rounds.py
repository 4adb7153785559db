"""The trials of an experiment, round after round; each finished one is on disk before the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, takewhile
from typing import Protocol

from loadtest.analysis import decisions
from loadtest.errors import LabError
from loadtest.model.experiment import Experiment, Looked
from loadtest.model.trial import Trial
from loadtest.plan import schedule
from loadtest.plan.schedule import PlannedTrial
from loadtest.results import runs, trials
from loadtest.results.record import Ledger
from loadtest.run.ceiling import peaks
from loadtest.run.load import LoadError
from loadtest.run.measurement import Measurement

MAX_ATTEMPTS = 3
BUSY_AFTER = 8  # disturbed attempts in a row


class MachineBusy(LabError):
    """Attempt after attempt was disturbed from outside."""


class Watch(Protocol):
    """What a person sees of a run."""

    def say(self, text: str) -> None:
        """One line about what goes on, or went wrong."""

    def trial(self, planned: PlannedTrial, attempt: int) -> None:
        """A trial starts."""

    def done(self, planned: PlannedTrial, trial: Trial) -> None:
        """A trial has ended for good."""

    def round(self, experiment: Experiment, number: int) -> None:
        """A round has ended."""

    def looked(
        self, experiment: Experiment, look: Looked, expected: Sequence[PlannedTrial]
    ) -> None:
        """The figures were looked at; `expected` are the trials that the run will have, by now."""


class Rounds:
    """Takes the trials of one run. `before`: the last of each place, from an earlier part of it."""

    def __init__(self, measurement: Measurement, ledger: Ledger, watch: Watch) -> None:
        self._measurement = measurement
        self._ledger = ledger
        self._watch = watch
        self._disturbed = 0  # attempts in a row, up to now
        self._path = ledger.folder / "trials.jsonl"
        found = trials.recover(self._path) if self._path.exists() else []
        self.before: Mapping[tuple[str, int], Trial] = {
            (each.experiment, each.index): each for each in found
        }
        # What a busy machine spoilt, trial after trial, until the run ended.
        ended = takewhile(lambda each: each.disturbed_by, reversed(found))
        self._spoilt = {(each.experiment, each.index) for each in ended}

    def run(self, experiment: Experiment, places: Sequence[PlannedTrial]) -> None:
        """Take every trial of `experiment` that is not done yet, until it is decided.

        `places` are those of the whole run. Raises PeakError where its loads can't be told.
        """
        own = [each for each in places if each.experiment.name == experiment.name]
        self._find_peaks(experiment, schedule.wanted(own, self._ledger.record.looks))
        for number, block in groupby(own, lambda each: each.round):
            if wanted := schedule.wanted(list(block), self._ledger.record.looks):
                self._block(wanted)
                self._watch.round(experiment, number)
                self._look(experiment, number, places)

    def _look(self, experiment: Experiment, rounds: int, places: Sequence[PlannedTrial]) -> None:
        """Look at the experiment's figures, where its design says so.

        A look that an earlier part of the run has taken stands, whatever was run again since.
        """
        looks = self._ledger.record.looks
        known = looks.get(experiment.name, ())
        if rounds not in experiment.looks or any(each.rounds == rounds for each in known):
            return
        done = trials.recover(self._path) if self._path.exists() else []
        seen = [each for each in runs.counted(done) if each.experiment == experiment.name]
        look = decisions.look(experiment, seen, rounds, known[-1] if known else None)
        looks = {**looks, experiment.name: (*known, look)}
        self._ledger.update(looks=looks, planned=len(schedule.wanted(places, looks)))
        self._watch.looked(experiment, look, schedule.expected(places, looks))

    def _block(self, block: Sequence[PlannedTrial]) -> None:
        """Take each trial of a round; those that are not valid again at its end."""
        before = [self.before.get((each.experiment.name, each.index)) for each in block]
        # That has all its attempts again. What came before stands: taken anew, it would be far in
        # time from those that it is compared with.
        spoilt = [
            trial.attempt if trial and (trial.experiment, trial.index) in self._spoilt else 0
            for trial in before
        ]
        waiting = list(zip(block, before, spoilt, strict=True))
        while waiting:
            taken = []
            for planned, known, free in waiting:
                trial = known
                if trial is None or not over(trial, free):
                    trial = self._take(planned, trial.attempt + 1 if trial else 1)
                if over(trial, free):
                    self._watch.done(planned, trial)
                else:
                    taken.append((planned, trial, free))
            waiting = list(taken)

    def _find_peaks(self, experiment: Experiment, places: Sequence[PlannedTrial]) -> None:
        """Each service's, before the first trial that is a share of the slowest one's."""
        known = self._measurement.peaks.get(experiment.name, {})
        unknown = {name: each for name, each in peaks.wanted(places).items() if name not in known}
        if unknown:
            taken = {name: self._peak(planned) for name, planned in unknown.items()}
            self._measurement.peaks[experiment.name] = peaks.found(taken, known)
            self._ledger.update(peaks={**self._ledger.record.peaks, **self._measurement.peaks})

    def _peak(self, planned: PlannedTrial) -> Trial:
        """The first attempt whose gates all pass, else the one with the most answers."""
        taken: list[Trial] = []
        while not taken or not over(taken[-1]):
            if taken:
                place, why = f"{planned.experiment.name}, {planned.arm}", peaks.failed(taken[-1])
                self._watch.say(f"{place}: the peak is measured again: {why}")
            taken.append(self._made(planned, len(taken) + 1))
            self._require_rest(taken[-1])
        return max(taken, key=lambda each: (each.valid, each.result.goodput_rps))

    def _take(self, planned: PlannedTrial, attempt: int) -> Trial:
        trial = self._made(planned, attempt)
        trials.append(self._path, trial)
        if trial.valid:
            self._ledger.measured()
        self._require_rest(trial)
        return trial

    def _made(self, planned: PlannedTrial, attempt: int) -> Trial:
        self._watch.trial(planned, attempt)
        try:
            return self._measurement.take(planned, attempt)
        except LoadError as error:
            return self._again(planned, attempt, error)

    def _require_rest(self, trial: Trial) -> None:
        """Raise MachineBusy where this was one disturbed attempt too many."""
        self._disturbed = self._disturbed + 1 if trial.disturbed_by else 0
        if self._disturbed >= BUSY_AFTER:
            last = next(gate for gate in trial.gates if gate.name in trial.disturbed_by)
            raise MachineBusy(
                f"the machine stays busy: {self._disturbed} trials in a row were disturbed, the "
                f"last by {last.name} ({last.detail}); let nothing else run, then resume"
            )

    def _again(self, planned: PlannedTrial, attempt: int, error: LoadError) -> Trial:
        """Take a trial whose load could not be made once more, and say so in the record."""
        place = f"{planned.experiment.name}, round {planned.round}, {planned.arm}"
        warning = f"{place}: taken again, because {error}"
        self._watch.say(warning)
        self._ledger.update(warnings=(*self._ledger.record.warnings, warning))
        return self._measurement.take(planned, attempt)


def over(trial: Trial, free: int = 0) -> bool:
    """Whether a place of the schedule has its last trial; `free` attempts don't count."""
    return trial.valid or trial.attempt - free >= MAX_ATTEMPTS
