"""A report: all that is said of a run, built once for its page, its files and the console."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from loadtest.analysis.answers import Lead
from loadtest.analysis.findings import Finding, against_itself, stable
from loadtest.analysis.verdict import Check, Claim
from loadtest.model.counts import agree, number_of
from loadtest.plan.reader import by_claim
from loadtest.report import conditions, sections
from loadtest.report.charts import trust
from loadtest.report.charts.style import Chart
from loadtest.report.own import outcome
from loadtest.report.sections import Section
from loadtest.results import runs
from loadtest.results.runs import Run

ANSWERS = 3  # that the page opens with


@dataclass(frozen=True)
class Notice:
    """Something that a reader has to know before any figure."""

    word: str
    text: str


@dataclass(frozen=True, eq=False)
class Report:
    """A run, its experiments in the order of their claims, and its reference against itself."""

    run: Run
    sections: tuple[Section, ...]
    twins: tuple[Finding, ...]

    @cached_property
    def claims(self) -> list[Claim]:
        """Every claim, by its number."""
        found = [claim for section in self.sections for claim in section.claims]
        return sorted(found, key=lambda claim: by_claim(claim.claim))

    @cached_property
    def answers(self) -> list[Lead]:
        """What a reader should know first: three sentences at most, headline experiments first."""
        found = [(each.experiment, each.answer) for each in self.sections if each.answer]
        ranked = sorted(found, key=lambda each: (not each[1].compares, not each[0].headline))
        return [answer for _, answer in ranked][:ANSWERS]

    @property
    def conditions_met(self) -> list[Check]:
        """The user's conditions that must not be met and are."""
        return outcome.met([each for section in self.sections for each in section.conditions])

    @property
    def conditions_unknown(self) -> list[Check]:
        """Those that could not be measured."""
        return outcome.unknown([each for section in self.sections for each in section.conditions])

    @property
    def exit_code(self) -> int:
        """1 where a condition is met, 2 where a service of the user's was not measured, else 0."""
        conditions = [each for section in self.sections for each in section.conditions]
        return outcome.exit_code(conditions, self.lacking)

    @property
    def lacking(self) -> list[str]:
        """Services of the user's own without a figure at one of the loads, each with the reason."""
        return [each for section in self.sections for each in section.lacking]

    @property
    def stable(self) -> bool:
        """Whether no service was found to differ from itself."""
        return stable(self.twins)

    @cached_property
    def little(self) -> Chart | None:
        """Little's law over every trial that counts."""
        return trust.little([trial for trials in self.run.valid.values() for trial in trials])

    @property
    def charts(self) -> list[Chart]:
        """Every chart, in the order of the page."""
        found = [chart for section in self.sections for chart in section.charts]
        return [*found, *([self.little] if self.little else []), *self.grounds]

    @property
    def grounds(self) -> list[Chart]:
        """The charts by which its experiments may be trusted."""
        return [chart for section in self.sections for chart in section.grounds]

    @property
    def rules(self) -> list[str]:
        """What decided how many rounds each experiment has, every rule once."""
        return list(dict.fromkeys(each.rule for each in self.sections if each.trials))

    @property
    def conditions(self) -> list[str]:
        """Under which conditions it was measured, in words."""
        return conditions.words(self.run, self.twins)

    @property
    def notices(self) -> list[Notice]:
        """What lowers the worth of the whole run, worst first."""
        return list(_notices(self))


def load(folder: Path) -> Report:
    """The report of the run in `folder`. Raises RunError where that is none of this version."""
    return of(runs.load(folder))


def of(run: Run) -> Report:
    """The report of a run."""
    seen = [sections.seen(run, experiment) for experiment in run.experiments.values()]
    twins = tuple(against_itself(seen, run.valid))
    made = (sections.of(run, experiment, twins) for experiment in run.experiments.values())
    return Report(run, tuple(made), twins)


def _notices(report: Report) -> Iterator[Notice]:
    if not report.stable:
        yield Notice(
            "Unstable.",
            "The lab found a difference between a service and itself, so something besides the "
            "services moved the figures. Trust no comparison here; let nothing else run on the "
            "machine and measure again.",
        )
    run = report.run
    measured = bool(run.valid or run.info.get("checks"))
    if not measured:
        yield Notice("Nothing measured.", _nothing(run))
    if not run.complete:
        reason = run.info.get("reason") or "The run ended early"
        sound = " What is here is sound." if measured else ""
        yield Notice("Incomplete.", f"{reason}: {_here(run)}.{sound}")
    for line in report.lacking if run.complete else ():
        yield Notice("Not compared.", f"{line}.")
    if accepted := sum(trial.accepted for trial in run.trials):
        yield Notice(
            "Busy machine.",
            f"{accepted} of {number_of(len(run.trials), 'trial')} "
            f"{agree(accepted, 'counts', 'count')} "
            "although other programs disturbed the machine, as was asked for. Figures may be "
            "too low.",
        )
    for kind, word in (("left_out", "Left out."), ("unverified", "Not timed.")):
        for name, why in dict(run.info.get(kind) or {}).items():
            yield Notice(word, f"{name}: {why}")


def _here(run: Run) -> str:
    """How many of its trials a run has that ended early."""
    planned = run.info.get("planned")
    done = len({(trial.experiment, trial.index) for trial in run.trials})
    told = f"{done} of {number_of(planned, 'trial')}" if planned else number_of(done, "trial")
    return f"{told} {agree(done, 'is', 'are')} here"


def _nothing(run: Run) -> str:
    """Why no trial counts."""
    if not run.trials:
        return "No trial was finished."
    gates = Counter(gate.name for trial in run.trials for gate in trial.gates if not gate.passed)
    [(gate, count)] = gates.most_common(1)
    return f"No trial counts: {count} of {len(run.trials)} failed the gate {gate!r}."
