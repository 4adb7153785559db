"""The table of `make falsify`, and its place in docs/trust.md."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from benchmarks.falsify import noticed
from benchmarks.falsify.noticed import Series
from benchmarks.falsify.scene import Disturbance
from loadtest.system import machine
from loadtest.system.paths import ROOT

PAGE = ROOT / "docs" / "trust.md"
BEGIN, END = "<!-- falsify: begin -->", "<!-- falsify: end -->"


def lines(
    series: Sequence[Series], chosen: Sequence[Disturbance], missing: Mapping[str, str]
) -> list[str]:
    """All that stands between the marks, as lines of Markdown."""
    deaf = sorted({name for each in series for name in each.deaf})
    told = (
        "Other programs ran all the time: most quiet trials failed {}. It counts for nothing here."
    )
    return [
        f"On {len(os.sched_getaffinity(0))} cores, at {_commit()}. The load is the load average "
        "before the trials:",
        "",
        "| seed | trials | minutes | load | effect ≥ 10 %: noticed | quiet: called disturbed |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
        *map(_summary, series),
        "",
        *((told.format(", ".join(deaf)), "") if deaf else ()),
        "| disturbance | trials | effect on the figure | noticed | by |",
        "| --- | ---: | ---: | ---: | --- |",
        *(_row(series, each, missing) for each in chosen),
    ]


def _commit() -> str:
    commit, changed = machine.git()
    return f"commit {commit[:7]}{' with changes' * changed}"


def _summary(series: Series) -> str:
    seen, matter = noticed.matters(series)
    alarms = noticed.alarms(series)
    some = alarms.pop("", 0)
    why = ", ".join(f"{count} × {name}" for name, count in alarms.most_common())
    cells = [
        str(series.seed),
        str(len(series.outcomes)),
        f"{series.lasted_s / 60:.0f}",
        f"{series.load:.1f}",
        f"{seen} of {matter}",
        f"{some} of {len(series.quiet)}" + (f" ({why})" if why else ""),
    ]
    return f"| {' | '.join(cells)} |"


def _row(series: Sequence[Series], disturbance: Disturbance, missing: Mapping[str, str]) -> str:
    if why := missing.get(disturbance.name):
        return f"| {disturbance.name} | 0 | could not be done here: {why} | – | – |"
    return f"| {disturbance.name} | {' | '.join(noticed.row(series, disturbance.name))} |"


def replaced(text: str, found: Sequence[str]) -> str:
    """The page with what stands between its marks replaced."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return before + "\n".join([BEGIN, "", *found, "", END]) + after
