"""What a run of the lab measured of published comparisons, as docs/published.json keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadtest.report.published.beside import MeasuredRatio
from loadtest.report.published.expected import Place


@dataclass(frozen=True)
class TakenAgain:
    """One comparison as it came out here: its verdict, and by place its ratios and CPU a request.

    CPU is that of the service, in µs.
    """

    verdict: str
    ratios: Mapping[Place, MeasuredRatio]
    cpu_us: Mapping[Place, float] = field(default_factory=dict)


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
    comparisons = {
        number: {
            "verdict": each.verdict,
            "ratios": [
                {"level": level, "service": service} | asdict(ratio)
                for (level, service), ratio in each.ratios.items()
            ],
            "cpu_us": [
                {"level": level, "service": service, "value": value}
                for (level, service), value in each.cpu_us.items()
            ],
        }
        for number, each in run.comparisons.items()
    }
    document = {"where": run.where, "missing": [*run.missing], "comparisons": comparisons}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read(path: Path) -> MeasuredRun | None:
    """The run in the file; None where nothing was measured yet."""
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    comparisons = {number: _taken(each) for number, each in found["comparisons"].items()}
    return MeasuredRun(found["where"], found["missing"], comparisons)


def _taken(document: Mapping[str, Any]) -> TakenAgain:
    ratios = {
        (each["level"], each["service"]): MeasuredRatio(
            each["value"], each["low"], each["high"], each["rounds"]
        )
        for each in document["ratios"]
    }
    found = document.get("cpu_us", ())  # none in a file of before
    cpu_us = {(each["level"], each["service"]): each["value"] for each in found}
    return TakenAgain(document["verdict"], ratios, cpu_us)
