"""A run as it is seen on the terminal: a bar with the time left, and a line where one matters."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeRemainingColumn as TimeLeft

from loadtest.model.experiment import Experiment, Looked
from loadtest.model.trial import Trial
from loadtest.plan.schedule import PlannedTrial


class Bar:
    """Shows a run on `console`; the time left follows the pace of the trials so far.

    Where the console is no terminal there is no bar: a line comes with each tenth of the trials.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("trials ·"),
            TimeLeft(compact=True),
            TextColumn("left"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._experiment = ""
        self._total = self._done = 0
        self._began = time.monotonic()

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def begin(self, trials: Sequence[PlannedTrial]) -> None:
        """How much there is to do."""
        self._total = len(trials)
        self._task = self._progress.add_task("starting", total=self._total)

    def trial(self, planned: PlannedTrial, attempt: int) -> None:
        """A trial starts."""
        if planned.experiment.name != self._experiment:
            self._began = self._began if self._experiment else time.monotonic()
            self._experiment = planned.experiment.name
            self.say(f"{planned.experiment.name}: {planned.experiment.title}")
        again = f" (attempt {attempt})" if attempt > 1 else ""
        if self._task is not None:
            self._progress.update(
                self._task,
                description=f"round {planned.round} · {planned.arm} · {planned.level.label}{again}",
            )

    def done(self, planned: PlannedTrial, trial: Trial) -> None:
        """A trial has ended for good; one that no attempt made valid gets a line."""
        self._done += 1
        if self._task is not None:
            self._progress.advance(self._task)
        if not self._console.is_terminal and self._done * 10 % max(self._total, 10) < 10:
            self.say(f"  {self._done} of {self._total} trials, about {minutes(self.left_s())} left")
        if not trial.valid:
            failed = ", ".join(
                f"{gate.name} ({gate.detail})" for gate in trial.gates if not gate.passed
            )
            self.say(f"  {planned.arm} at {planned.level.label}: not valid: {failed}")

    def looked(
        self, experiment: Experiment, look: Looked, expected: Sequence[PlannedTrial]
    ) -> None:
        """The figures were looked at: what is decided, and how much there is to do by now."""
        self._total = len(expected)
        if self._task is not None:
            self._progress.update(self._task, total=self._total)
        found = f"open: {', '.join(look.open)}" if look.open else "decided"
        last = look.rounds == experiment.rounds
        self.say(
            f"  after {look.rounds} rounds{', the last' if look.open and last else ''}: {found}"
        )

    def left_s(self) -> float:
        """Seconds that the rest takes at the pace so far."""
        return (time.monotonic() - self._began) * (self._total / max(self._done, 1) - 1)


def minutes(seconds: float) -> str:
    """A duration in words that fit its length."""
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
