"""What pages show of a run: the figure of each service at each level, and the verdicts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadtest.analysis import claims, verdict
from loadtest.model.criterion import Criterion
from loadtest.model.experiment import Experiment
from loadtest.model.marks import MARKS
from loadtest.plan.measures import MEASURES
from loadtest.results.runs import RunError

if TYPE_CHECKING:
    from loadtest.report.report import Report
    from loadtest.report.sections import Section

_ABOVE_CLONE = re.compile(r"/\S*/(?=docs/|experiments/)")  # the machine's own part of a path
_DIGITS = 4  # of a figure in the file; pages show two or three


@dataclass(frozen=True)
class Measured:
    """What a service did at a level, with its 95 % interval; `text` is the figure as it is told.

    Values are in the measure's own unit, shares between 0 and 1. A slope over the levels has none.
    """

    experiment: str
    level: str
    service: str
    measure: str
    value: float
    low: float
    high: float
    rounds: int
    text: str
    predicted: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of a claim, in the words of the report."""

    claim: str
    experiment: str
    statement: str
    word: str
    measured: str
    why: str

    @property
    def sign(self) -> str:
        """`✔ confirmed`."""
        return f"{MARKS.get(self.word, '')} {self.word}".strip()


@dataclass(frozen=True)
class Digest:
    """One run. `page`: where all of it can be read, from docs; empty where nowhere."""

    budget: str
    commit: str = ""
    command: str = ""
    page: str = ""
    figures: tuple[Measured, ...] = ()
    verdicts: tuple[Verdict, ...] = field(default=())

    def of(self, experiment: str) -> list[Measured]:
        """The figures of an experiment, in the order of its levels and services."""
        return [each for each in self.figures if each.experiment == experiment]

    def verdict(self, claim: str) -> Verdict | None:
        """What became of a claim; None where the run has no such claim."""
        return next((each for each in self.verdicts if each.claim == claim), None)


def digest(report: Report, page: str = "") -> Digest:
    """What pages show of a run."""
    info = report.run.info
    return Digest(
        budget=report.run.budget,
        commit=str(info.get("git_commit") or "")[:7],
        command=_ABOVE_CLONE.sub("", str(info.get("command") or "")),
        page=page,
        figures=tuple(each for section in report.sections for each in _figures(section)),
        verdicts=tuple(
            Verdict(each.claim, each.experiment, each.statement, each.word, each.measured, each.why)
            for each in report.claims
        ),
    )


def _figures(section: Section) -> Iterator[Measured]:
    asked = _asked(section.experiment)
    for check in claims.checks(section.experiment, section.trials, criteria=asked):
        found, criterion = check.figure, check.criterion
        if found:
            yield Measured(
                section.experiment.name,
                criterion.level,
                criterion.service,
                criterion.measure,
                _rounded(found.value),
                _rounded(found.low),
                _rounded(found.high),
                found.rounds,
                verdict.figure(check),
                None if check.predicted is None else _rounded(check.predicted),
            )


def _asked(experiment: Experiment) -> Iterator[Criterion]:
    """Each measure that the experiment is about or tells, of each service at each level."""
    decided = (each.measure for each in experiment.criteria)
    names = dict.fromkeys([experiment.measure, *decided, *experiment.tells])
    for measure in (each for each in names if each in MEASURES):
        levels = [""] if MEASURES[measure].growth else [each.label for each in experiment.levels]
        for level in levels:
            for service in experiment.services:
                yield Criterion(experiment.claim, "", service, measure, level, ratio=False)


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def text(digests: Iterable[Digest]) -> str:
    """The digests as JSON lines: a line for each run, then one for each verdict and figure."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(digests))


def _lines(digests: Iterable[Digest]) -> Iterator[Mapping[str, Any]]:
    for each in digests:
        head = {"budget": each.budget, "commit": each.commit}
        yield {"run": head | {"command": each.command, "page": each.page}}
        yield from ({"verdict": asdict(verdict)} for verdict in each.verdicts)
        yield from ({"figure": asdict(figure)} for figure in each.figures)


def read(path: Path) -> list[Digest]:
    """The digests of a file that `text` wrote; none where there is no such file."""
    if not path.exists() or not path.stat().st_size:
        return []
    found: list[Digest] = []
    # Not `splitlines`: a text may have other ends of lines in it.
    for number, line in enumerate(path.read_text(encoding="utf-8").rstrip("\n").split("\n"), 1):
        try:
            _take(found, json.loads(line))
        except (ValueError, TypeError, IndexError, AttributeError):
            raise RunError(f"{path}:{number}: no line of a digest; write the file anew") from None
    return found


def _take(found: list[Digest], line: Mapping[str, Any]) -> None:
    ((kind, content),) = line.items()
    if kind == "run":
        found.append(Digest(**content))
    elif kind == "verdict":
        found[-1] = replace(found[-1], verdicts=(*found[-1].verdicts, Verdict(**content)))
    else:
        found[-1] = replace(found[-1], figures=(*found[-1].figures, Measured(**content)))
