"""A claim's verdict: its checks with their figures, and what is said of them.

The measured figure comes first, then what the claim needs. The page, verdicts.json and the console
all have these words from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from loadtest.analysis.amounts import amount, number, percent
from loadtest.analysis.names import Names
from loadtest.model.counts import agree, number_of
from loadtest.model.criterion import Criterion
from loadtest.plan.measures import GOODPUT, MEASURES
from loadtest.stats.inference import INTERVAL_ROUNDS

State = Literal["holds", "fails", "open", "not measured"]
Word = Literal["confirmed", "refuted", "conditional", "undecided", "not measured"]

_OPENING: Mapping[Word, str] = {
    "confirmed": "Confirmed under the {budget} budget",
    "refuted": "Refuted under the {budget} budget",
    "conditional": "Partly true under the {budget} budget",
    "undecided": "Undecided under the {budget} budget",
    "not measured": "Not measured in this run",
}
_TOO_FEW = "too few rounds, or too few requests, for a figure"
_STATES: Mapping[State, str] = {
    "holds": "Holds",
    "fails": "Fails",
    "open": "Open",
    "not measured": "Not measured",
}


@dataclass(frozen=True)
class Figure:
    """A measured value, or a ratio of two services, with its 95 % interval."""

    value: float
    low: float
    high: float
    rounds: int
    detectable: float | None = None


@dataclass(frozen=True)
class Check:
    """A criterion and what was measured of it. `predicted`: the same figure by `slots / L`.

    `reason`: why the figure is as it is. `names`: services as a sentence has them. `lacking`:
    those of its services that have no trial. `ran`: rounds with trials of all; 0: unknown.
    """

    criterion: Criterion
    state: State
    figure: Figure | None
    predicted: float | None = None
    reason: str = ""
    names: Names = field(default_factory=dict)
    lacking: tuple[str, ...] = ()
    ran: int = 0

    @property
    def unit(self) -> str:
        """What stands behind the figure."""
        return "×" if self.criterion.ratio else MEASURES[self.criterion.measure].unit

    def text(self, value: float) -> str:
        """A value of the figure as text, in its unit; no rounding puts it beyond a bound."""
        shown, side = self._shown(value), self._within(self._shown(value))
        texts = [amount(shown), *(f"{shown:,.{n}f}" for n in range(3 if shown < 10 else 1, 9))]
        return next((each for each in texts if self._within(number(each)) == side), texts[0])

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The least and the most that the figure may be, from the side that it is told from."""
        least, most = self.criterion.at_least, self.criterion.at_most
        return (1 / most, None) if inverted(self.criterion) and most else (least, most)

    def _shown(self, value: float) -> float:
        return value if self.criterion.ratio else MEASURES[self.criterion.measure].shown(value)

    def _within(self, shown: float) -> tuple[bool, bool]:
        least, most = (None if each is None else self._shown(each) for each in self.bounds)
        return least is None or shown >= least, most is None or shown <= most

    @property
    def measured(self) -> str:
        """The measured figure with its interval, and what it is of."""
        return f"{subject(self)}: {figure(self)}"

    @property
    def line(self) -> str:
        """The measured figure with its interval, and what the claim needs."""
        return line(self)


@dataclass(frozen=True)
class Claim:
    """A claim and its verdict. `checks` are in the order of the file; the first is its headline."""

    claim: str
    experiment: str
    statement: str
    word: Word
    budget: str
    checks: tuple[Check, ...]

    @property
    def sentence(self) -> str:
        """The verdict with its conditions."""
        return sentence(self.word, self.budget, self.checks)

    @property
    def why(self) -> str:
        """The reason of the verdict: slots, CPU, and what else it rests on."""
        return why(self)

    @property
    def headline(self) -> Check | None:
        """The check whose figure stands for the claim: the first that was measured."""
        return next((check for check in self.checks if check.figure), None)

    @property
    def measured(self) -> str:
        """Its first line with a figure; of a check, which has none, its first line."""
        checks = [check for check in self.checks if check.state != "not measured"]
        first = self.headline or next(iter(checks), None)
        return first.line if first else "–"

    def as_record(self) -> dict[str, Any]:
        """The claim as verdicts.json has it."""
        check = self.headline
        found = check.figure if check else None
        return {
            "claim": self.claim,
            "experiment": self.experiment,
            "verdict": self.word,
            "sentence": self.sentence,
            "budget": self.budget,
            "figure": check.criterion.says if check else None,
            "told": figure(check) if check else None,
            "ratio": found.value if found and check and check.criterion.ratio else None,
            "value": found.value if found else None,
            "interval": [found.low, found.high] if found else None,
            "rounds": found.rounds if found else 0,
            "smallest_detectable_effect": found.detectable if found else None,
            "predicted": check.predicted if check else None,
            "checks": [
                {"says": each.criterion.says, "state": each.state, "observed": each.line}
                for each in self.checks
            ],
        }


def line(check: Check) -> str:
    """`FastAPI ÷ Flask, JSON: 4.1 × (3.3–5.1); the claim needs at least 10 ×`.

    A criterion of a check, which has no figure, says itself what was found.
    """
    if check.criterion.measure not in MEASURES:
        return check.criterion.says
    said = check.measured if check.figure else subject(check)
    return f"{said}; the claim needs {need(check)}"


def inverted(criterion: Criterion) -> bool:
    """Whether its ratio is told from the other side, so that `at most 0.1` reads `at least 10`."""
    most = criterion.at_most
    return criterion.ratio and criterion.at_least is None and most is not None and 0 < most < 1


def subject(check: Check) -> str:
    """What was measured of what, and where: `FastAPI ÷ Flask, JSON`."""
    criterion = check.criterion
    level = "" if criterion.reference_level else criterion.level
    return ", ".join(filter(None, (who(check), level)))


def who(check: Check) -> str:
    """What was measured of what: `FastAPI ÷ Flask`, `Flask: 4 threads ÷ 1 thread`."""
    criterion = check.criterion
    told = sides(criterion, check.names)
    if inverted(criterion):
        told = told[::-1]
    noun = "" if criterion.measure == GOODPUT else MEASURES[criterion.measure].noun
    if not criterion.ratio:
        return told[0]
    own = f"{check.names.get(criterion.service, criterion.service)}: " * _alone(criterion)
    return own + ", ".join(filter(None, (" ÷ ".join(told), noun)))


def sides(criterion: Criterion, names: Names) -> tuple[str, ...]:
    """What a criterion sets beside each other: services, one service's levels, or both."""
    said = [(names.get(service, service), level) for service, level in criterion.sides]
    if _alone(criterion):
        return tuple(level for _, level in said)
    if criterion.reference_level:
        return tuple(f"{name} at {level}" for name, level in said)
    return tuple(name for name, _ in said)


def _alone(criterion: Criterion) -> bool:
    """Whether one service is compared with itself at another level."""
    return bool(criterion.reference_level) and criterion.service == criterion.reference


def figure(check: Check) -> str:
    """The measured figure with its interval: `4.1 × (3.3–5.1)`."""
    found = check.figure
    if found is None:
        return "not measured"
    value, low, high = (check.text(each) for each in (found.value, found.low, found.high))
    if inverted(check.criterion):
        value, high, low = (check.text(1 / each) for each in (found.value, found.low, found.high))
    if found.rounds < INTERVAL_ROUNDS:
        return f"{value} {check.unit} ({number_of(found.rounds, 'round')}, too few for an interval)"
    joined = f"{low} to {high}" if low.startswith("−") else f"{low}–{high}"
    some = f"; in {found.rounds} of {number_of(check.ran, 'round')}" * (check.ran > found.rounds)
    return f"{value} {check.unit} ({joined}{some})"


def need(check: Check) -> str:
    """What the figure has to be: `at least 10 ×`, `0.95 to 1.05 ×`."""
    least, most = check.bounds
    unit = " ×" if check.criterion.ratio else ""
    if least is None or most is None:
        bound, word = (most, "at most") if least is None else (least, "at least")
        return f"{word} {_short(check, bound or 0.0)}{unit}"
    return f"{_short(check, least)} to {_short(check, most)}{unit}"


def _short(check: Check, bound: float) -> str:
    """A bound with the digits that a person writes: `10`, `1.34`, `1,024`."""
    shown = bound if check.criterion.ratio else MEASURES[check.criterion.measure].shown(bound)
    return f"{shown:,.0f}" if shown >= 100 else f"{shown:.3g}"


def sentence(found: Word, budget: str, checks: Sequence[Check]) -> str:
    """The verdict, then each of its figures under what became of it."""
    if found == "not measured":
        return _OPENING[found] + "."
    parts = [
        f"{state}: {'; '.join(said)}."
        for each, state in _STATES.items()
        if (said := [line(check) for check in checks if check.state == each])
    ]
    return " ".join([_OPENING[found].format(budget=budget) + ".", *parts])


def why(claim: Claim) -> str:
    """What stands behind the verdict: the reason of its figure, then what else it rests on."""
    headline = claim.headline
    parts = [headline.reason if headline else "", _rest(claim)]
    return " ".join(f"{part[:1].upper()}{part[1:]}." for part in parts if part)


def _rest(claim: Claim) -> str:
    checks = claim.checks
    if claim.word == "not measured":
        missing = dict.fromkeys(check.names.get(s, s) for check in checks for s in check.lacking)
        few = _TOO_FEW * any(check.criterion.measure in MEASURES for check in checks)
        told = f"without a trial: {', '.join(missing)}" * bool(missing)
        return told or few or "no trial of it counts"
    if claim.word == "undecided":
        return next(filter(None, map(_left_open, checks)), "")
    if claim.word == "conditional":
        return _parts(claim)
    measured = [check for check in checks if check.state != "not measured"]
    became = "hold" if claim.word == "confirmed" else "fail"
    left = len(checks) - len(measured)
    told = f", {left} not measured" if left else ""
    return f"{len(measured)} of {len(checks)} parts {became}{told}" if len(checks) > 1 else ""


def _parts(claim: Claim) -> str:
    """How many parts hold, and one that became what the part that is shown did not."""
    checks = claim.checks
    shown = claim.headline or next(each for each in checks if each.state != "not measured")
    other: State = "holds" if shown.state == "fails" else "fails"
    found = next(check for check in checks if check.state == other)
    held = sum(check.state == "holds" for check in checks)
    said = f"{held} of {len(checks)} parts {agree(held, 'holds', 'hold')}"
    return f"{said}; one that {other}: {line(found)}"


def _left_open(check: Check) -> str:
    if check.state == "holds":
        return ""
    found = check.figure
    if check.state != "open" or found is None:
        return f"{_STATES[check.state].lower()}: {line(check)}"
    told = found.detectable if found.rounds >= INTERVAL_ROUNDS else None
    seen = f", this run could see {percent(told)} %" if told else ""
    return f"open after {number_of(found.rounds, 'round')}{seen}: {line(check)}"
