"""A run as it is seen while it goes on: a table that fills, or lines where output is a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from loadtest.analysis import claims
from loadtest.analysis.amounts import amount
from loadtest.analysis.verdict import Claim
from loadtest.model.counts import number_of
from loadtest.model.experiment import Experiment, Looked
from loadtest.model.marks import MARKS, STYLES
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES
from loadtest.plan.schedule import PlannedTrial
from loadtest.run.progress.pace import Pace, minutes
from loadtest.run.progress.standings import standings
from loadtest.run.progress.table import table

_DECIDED = ("confirmed", "refuted", "conditional")


class Screen:
    """Shows a run on `console`.

    It draws between trials alone: nothing of it runs beside a window.
    """

    def __init__(self, console: Console, budget: str) -> None:
        self._console = console
        self._budget = budget
        self._pace = Pace()
        self._trials: dict[str, list[Trial]] = {}
        self._experiment: Experiment | None = None
        self._told: set[str] = set()  # claims
        self._doing = ""
        self._figures = False
        self._table = Group()
        self._live: Live | None = None
        if console.is_terminal:
            self._live = Live(
                console=console, auto_refresh=False, transient=True, vertical_overflow="crop"
            )

    def __enter__(self) -> Screen:
        self._shown.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._shown.__exit__(None, None, None)

    @property
    def _shown(self) -> AbstractContextManager[object]:
        return self._live or nullcontext()

    def say(self, text: str) -> None:
        """One line; a terminal breaks it between words, a pipe has it whole."""
        whole = self._live is None
        self._console.print(text, markup=False, highlight=False, soft_wrap=whole)

    def begin(self, expected: Sequence[PlannedTrial]) -> None:
        """How much there is to do."""
        self._pace.expected = expected

    def trial(self, planned: PlannedTrial, attempt: int) -> None:
        """A trial starts."""
        self._pace.begin()
        self._enter(planned.experiment)
        again = f" (attempt {attempt})" if attempt > 1 else ""
        self._doing = f"round {planned.round} · {planned.arm} · {planned.level.label}{again}"
        self._draw()

    def done(self, planned: PlannedTrial, trial: Trial) -> None:
        """A trial has ended for good; one that no attempt made valid gets a line."""
        self._pace.end(planned)
        self._enter(planned.experiment)
        if trial.valid:
            self._trials.setdefault(planned.experiment.name, []).append(trial)
            self._tell_first(planned)
        else:
            failed = ", ".join(
                f"{gate.name} ({gate.detail})" for gate in trial.gates if not gate.passed
            )
            self.say(f"  {planned.arm} at {planned.level.label}: not valid: {failed}")
        self._fill(planned.experiment)
        self._draw()

    def round(self, experiment: Experiment, number: int) -> None:
        """A round has ended: on a pipe its figures so far are a line."""
        if self._live is None:
            left = minutes(self._pace.left_s)
            self.say(f"  round {number}{self._figures_at(experiment)}; about {left} left")

    def looked(
        self, experiment: Experiment, look: Looked, expected: Sequence[PlannedTrial]
    ) -> None:
        """The figures were looked at: what is decided, and how much there is to do by now."""
        self._pace.expected = expected
        last = look.rounds == experiment.rounds or not look.open
        for claim in claims.judge(experiment, self._trials.get(experiment.name, []), self._budget):
            if (claim.word in _DECIDED or last) and claim.claim not in self._told:
                self._told.add(claim.claim)
                self._verdict(claim, look.rounds)
        if not last:
            left = look.told(experiment.services)
            self.say(f"  open after {number_of(look.rounds, 'round')}: {left}")

    def _verdict(self, claim: Claim, rounds: int) -> None:
        line = Text(f"  {MARKS[claim.word]} {claim.claim} {claim.word}", style=STYLES[claim.word])
        line.append(f" after {number_of(rounds, 'round')}", style="none")
        self._console.print(line, soft_wrap=True)

    def _enter(self, experiment: Experiment) -> None:
        if self._experiment is None or experiment.name != self._experiment.name:
            self._experiment = experiment
            self._fill(experiment)
            self.say(f"{experiment.name}: {experiment.title}")

    def _tell_first(self, planned: PlannedTrial) -> None:
        """On a pipe the first figure of all is told at once, the others round by round."""
        if self._live is None and not self._figures:
            found = self._figures_at(planned.experiment, planned.level.label)
            self._figures = bool(found)  # the twin has none
            if found:
                self.say(f"  first{found}")

    def _figures_at(self, experiment: Experiment, level: str = "") -> str:
        """`, 8 connections: fastapi-async 80, flask-sync 30 requests/s`, of what has a figure."""
        trials = self._trials.get(experiment.name, [])
        place = level or _told(experiment)
        at = [each for each in standings(experiment, trials, place) if each.figure is not None]
        figures = ", ".join(f"{each.service} {amount(each.figure or 0.0)}" for each in at)
        unit = MEASURES[experiment.measure].unit_of_value
        return f", {place}: {figures} {unit}" if figures else ""

    def _fill(self, experiment: Experiment) -> None:
        if self._live is not None:
            self._table = table(experiment, self._trials.get(experiment.name, []))

    def _draw(self) -> None:
        if self._live is not None:
            pace = self._pace
            foot = Text(
                f"{self._doing}\n{pace.done} of {number_of(len(pace.expected), 'trial')}, "
                f"about {minutes(pace.left_s)} left"
            )
            self._live.update(Group(foot, self._table), refresh=True)


def _told(experiment: Experiment) -> str:
    """The level whose figures stand for the experiment: that of its first criterion."""
    named = [each.level for each in experiment.criteria if experiment.level(each.level)]
    return (named or [experiment.levels[-1].label])[0]
