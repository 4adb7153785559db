"""docs/published.md: every published comparison with what it measured, and what came out here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from loadtest.analysis.amounts import times
from loadtest.inventory import manifest
from loadtest.inventory.manifest import Service
from loadtest.model.experiment import Experiment
from loadtest.plan import reader
from loadtest.report.published import measured
from loadtest.report.published.beside import by_slots
from loadtest.report.published.comparison import ToldComparison
from loadtest.report.published.expected import declared
from loadtest.report.published.measured import MeasuredRun, TakenAgain
from loadtest.report.published.parts import part, table
from loadtest.system.paths import ROOT

TOLD_IN, MEASURED_IN = Path("docs/published.md"), Path("docs/published.json")
WHOLE_PAGE = "published.html"  # of the run, beside the page

_INTRODUCTION = """# Published comparisons, explained

What did other people's figures measure? Each comparison below was published by somebody. The
lab takes eleven of them again, with as many slots, or with slots in the same proportion. What
stands in for something is named.

The figures are what their set-ups give; where a source disagrees with itself, the page says so.
Most differences count [slots](../README.md#how-to-read-the-result): how many requests a service, or
the client, has in hand at once. For requests that wait, throughput can't pass slots ÷ wait,
whatever the framework. So a ratio is *predicted* before anything runs: by slots, or by the clients'
pauses. Where requests only take CPU, nothing is predicted.

A counter-proof changes the one thing that, as explained, made the difference. The verdict is about
this explanation: confirmed where the ratio comes out as published, and the counter-proof
as expected.
In P8 to P11 no ratio is predicted, and the direction is enough. Refuted means that no part of the
explanation holds, conditional that one holds and another fails. A part is open where its interval
lies on both sides of its bound. Ratios within 10 % of each other count as equal.
"""
_NOTHING = """Nothing was measured here yet. The columns for it stay empty until a run is published:

```sh
make compare PLAN=published
make publish
```
"""
_CLOSING = """## Another one

Do you know a figure that belongs here?
[CONTRIBUTING.md](../CONTRIBUTING.md#a-published-comparison) says how to send it.

Written by `make reference` from [experiments/published](../experiments/published).
"""


def written(run: MeasuredRun | None, *, whole: bool) -> str:
    """The page of the lab's own comparisons, with what a run measured of them."""
    experiments = reader.load_published().values()
    return markdown(experiments, manifest.load(variables={}), run, whole=whole)


def of_repository(home: Path = ROOT) -> str:
    """The page as it should stand in the repository, with what was measured last."""
    run = measured.read(home / MEASURED_IN)
    return written(run, whole=(home / "docs" / WHOLE_PAGE).exists())


def markdown(
    experiments: Iterable[Experiment],
    services: Mapping[str, Service],
    run: MeasuredRun | None,
    *,
    whole: bool = False,
) -> str:
    """The page. `whole`: the run's own page stands beside it."""
    told = [
        ToldComparison(each, each.published, declared(each, services), _taken(run, each))
        for each in experiments
        if each.published
    ]
    return "\n".join(
        [_INTRODUCTION, *_state(run, whole=whole), *_overview(told), "", *_parts(told), _CLOSING]
    )


def _taken(run: MeasuredRun | None, experiment: Experiment) -> TakenAgain | None:
    return run.comparisons.get(experiment.claim) if run else None


def _state(run: MeasuredRun | None, *, whole: bool) -> Iterator[str]:
    if run is None:
        yield _NOTHING
        return
    if run.missing:
        yield "The run below is partial:\n"
        yield from (f"- {each}" for each in run.missing)
        yield ""
    yield from (*table(("measured",), [(run.where,)]), "")
    if whole:
        yield f"Charts, intervals and every check: [the page of this run]({WHOLE_PAGE}).\n"


def _overview(told: Sequence[ToldComparison]) -> list[str]:
    headers = ("comparison", "published", "predicted", "measured here", "it measured", "verdict")
    return table(headers, [_line(each) for each in told])


def _line(told: ToldComparison) -> tuple[str, ...]:
    figures = told.figures
    return (
        f"[{told.experiment.claim}](#{_anchor(told.heading)}): {told.published.source}",
        " and ".join(f"{times(each.published)} ×" for each in figures),
        _joined(by_slots(each.predicted) for each in figures),
        _joined(f"{times(each.measured.value)} ×" if each.measured else "–" for each in figures),
        told.published.measured,
        told.verdict,
    )


def _joined(cells: Iterable[str]) -> str:
    """Several cells in one; a single dash where none says anything."""
    found = list(cells)
    return " and ".join(found) if set(found) != {"–"} else "–"


def _parts(told: Sequence[ToldComparison]) -> Iterator[str]:
    for each in told:
        yield from part(each)


def _anchor(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    kept = "".join(each for each in heading.lower() if each.isalnum() or each in " -_")
    return kept.replace(" ", "-")
