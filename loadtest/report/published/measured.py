"""What a run of the lab measured of published comparisons, as docs/published.json keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadtest.report.published.beside import MeasuredRatio, Reading
from loadtest.report.published.expected import Place


@dataclass(frozen=True)
class JudgedPart:
    """A part of a verdict: what has to be so at a level, and what was found.

    `state`: holds, fails, open or not measured. `line`: the figure, and what it has to be.
    """

    says: str
    level: str
    state: str
    line: str


@dataclass(frozen=True)
class TakenAgain:
    """One comparison as it came out here: its verdict, the parts of that, and its figures.

    `ratios` are by place. `values` stand beside them, in the unit of their measure.
    """

    verdict: str
    ratios: Mapping[Place, MeasuredRatio]
    values: Mapping[Reading, float] = field(default_factory=dict)
    parts: Sequence[JudgedPart] = ()


@dataclass(frozen=True)
class MeasuredRun:
    """A run of published comparisons. `where`: machine, versions and commit, in one line.

    `missing`: what it lacks of a whole result. `comparisons` are by number, as `P1`.
    """

    where: str
    missing: Sequence[str]
    comparisons: Mapping[str, TakenAgain]


def text(run: MeasuredRun) -> str:
    """The run as it stands in the file."""
    comparisons = {number: _record(each) for number, each in run.comparisons.items()}
    document = {"where": run.where, "missing": [*run.missing], "comparisons": comparisons}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read(path: Path) -> MeasuredRun | None:
    """The run in the file; None where nothing was measured yet."""
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    comparisons = {number: _taken(each) for number, each in found["comparisons"].items()}
    return MeasuredRun(found["where"], found["missing"], comparisons)


def _record(taken: TakenAgain) -> dict[str, Any]:
    return {
        "verdict": taken.verdict,
        "parts": [asdict(each) for each in taken.parts],
        "ratios": [
            {"level": level, "service": service} | asdict(ratio)
            for (level, service), ratio in taken.ratios.items()
        ],
        "values": [
            {"level": level, "service": service, "measure": measure, "value": value}
            for (level, service, measure), value in taken.values.items()
        ],
    }


def _taken(document: Mapping[str, Any]) -> TakenAgain:
    ratios = {
        (each["level"], each["service"]): MeasuredRatio(
            each["value"], each["low"], each["high"], each["rounds"]
        )
        for each in document["ratios"]
    }
    values = {
        (each["level"], each["service"], each["measure"]): float(each["value"])
        for each in document.get("values", ())  # a file of before has ratios alone
    }
    parts = tuple(JudgedPart(**each) for each in document.get("parts", ()))
    return TakenAgain(document["verdict"], ratios, values, parts)
