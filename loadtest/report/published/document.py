"""docs/published.md: every published comparison with what it measured, and what came out here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from loadtest.analysis.amounts import amount, times
from loadtest.inventory import manifest
from loadtest.inventory.manifest import Service
from loadtest.model.experiment import Experiment, Level
from loadtest.model.marks import MARKS
from loadtest.model.published import Published
from loadtest.plan import reader
from loadtest.plan.keys.published import UNEXPLAINED
from loadtest.report.published import measured
from loadtest.report.published.beside import Compared, as_published, by_slots, compared, ratio
from loadtest.report.published.expected import Place, declared
from loadtest.report.published.measured import MeasuredRun, TakenAgain
from loadtest.system.paths import ROOT

TOLD_IN, MEASURED_IN = Path("docs/published.md"), Path("docs/published.json")
ALIKE = 1.1  # × of the published ratio: so much is alike
WHOLE_PAGE = "published.html"  # of the run, beside the page

_INTRODUCTION = """# Published comparisons, explained

What did other people's figures measure? Each comparison below was published by somebody and is
quoted by many. The lab takes it again: with the workers, threads, pools and clients that it had, or
with a stand-in that is named.

Every figure was right for what ran. Most differences count
[slots](../README.md#how-to-read-the-result): how many requests a service, or the client, has in
hand at once. For requests that wait, throughput can't pass slots ÷ wait, whatever the framework. So
a ratio is *predicted* before anything runs: by slots, or by the clients' pauses. Where requests
only take CPU, nothing is predicted.

A counter-proof changes what is held to have made the difference. The verdict is about this
explanation: confirmed where the ratio comes out as published, and the counter-proof as expected.
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
        _Told(each, each.published, declared(each, services), _taken(run, each))
        for each in experiments
        if each.published
    ]
    return "\n".join(
        [_INTRODUCTION, *_state(run, whole=whole), *_overview(told), "", *_parts(told), _CLOSING]
    )


class _Told:
    """One comparison, with what slots predict and what was measured of it."""

    def __init__(
        self,
        experiment: Experiment,
        published: Published,
        predicted: Mapping[Place, float],
        taken: TakenAgain | None,
    ) -> None:
        self.experiment, self.published = experiment, published
        self.predicted, self.taken = predicted, taken
        self.ratios = taken.ratios if taken else {}
        self.figures = compared(experiment, published, predicted, self.ratios)

    @property
    def heading(self) -> str:
        return f"{self.experiment.claim}: {self.experiment.title}"

    @property
    def predicted_everywhere(self) -> bool:
        """Whether slots foretell every published ratio, so that CPU decides none."""
        return all(each.predicted for each in self.figures)

    @property
    def verdict(self) -> str:
        if self.published.not_run:
            return "told, not run"
        return f"{MARKS[self.taken.verdict]} {self.taken.verdict}" if self.taken else "not measured"


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
    yield from (*_table(("measured",), [(run.where,)]), "")
    if whole:
        yield f"Charts, intervals and every check: [the page of this run]({WHOLE_PAGE}).\n"


def _overview(told: Sequence[_Told]) -> list[str]:
    headers = ("comparison", "published", "predicted", "measured here", "it measured", "verdict")
    return _table(headers, [_line(each) for each in told])


def _line(told: _Told) -> tuple[str, ...]:
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


def _parts(told: Sequence[_Told]) -> Iterator[str]:
    for each in told:
        yield from _part(each)


def _part(told: _Told) -> Iterator[str]:
    published, experiment = told.published, told.experiment
    yield f"## {told.heading}\n"
    link = f"[{published.source}]({published.url})"
    also = "".join(f", <{each}>" for each in published.also)
    yield f"{published.asked} Published by {link}{also}, {published.date}.\n"
    yield from _figures(told)
    yield from _agreement(told)
    yield from _apart(told)
    said = "What they measured is" if published.measured == UNEXPLAINED else "The figures measured"
    yield f"\n{said} **{published.measured}**. {published.told}\n"
    if published.not_run:
        yield f"**The lab does not run it.** {published.not_run}\n"
        return
    if published.instead:
        yield f"**What runs here.** {published.instead}\n"
    if published.inferred:
        yield f"**Inferred, as no source says it.** {published.inferred}\n"
    yield from _cpu(told)
    yield from _elsewhere(told)
    path = f"../experiments/published/{experiment.name}.toml"
    yield f"[The experiment]({path}): `make compare EXPERIMENTS={experiment.name}`\n"


def _figures(told: _Told) -> list[str]:
    published = told.published
    others = {(each.figure.level, each.figure.service): each for each in told.figures}
    rows = [
        (
            figure.was,
            f"`{figure.service}`",
            as_published(figure.value),
            *_cells(told, others.get((figure.level, figure.service))),
        )
        for figure in published.figures
    ]
    headers = ("ran there", "stands for it", published.unit, "ratio", "predicted", "measured here")
    return _table(headers, rows)


def _agreement(told: _Told) -> Iterator[str]:
    """How near the measured ratios are to the published and to the predicted ones."""
    for each in told.figures:
        if each.measured and each.published:
            here = each.measured.value
            parts = [f"measured ÷ published {times(here / each.published)}"]
            if each.predicted:
                parts.append(f"predicted ÷ measured {times(each.predicted / here)}")
            yield f"\n`{each.figure.service}`, *{each.figure.level}*: {', '.join(parts)}."


def _apart(told: _Told) -> Iterator[str]:
    """Where a ratio came out otherwise than it was published, and why a verdict stays open."""
    for each in told.figures:
        here = each.measured
        if here is None or not each.published:
            continue
        who = f"`{each.figure.service}`, *{each.figure.level}*"
        if (here.low > 1 > each.published) or (here.high < 1 < each.published):
            yield f"\n**Not so here.** {who}: the other service leads."
        elif not 1 / ALIKE <= here.value / each.published <= ALIKE:
            yield f"\n**Another size here.** {who}: the same service leads, by another ratio."
    if told.taken and told.taken.verdict == "undecided":
        yield "\n**Undecided.** The interval of a ratio reaches past what its criterion allows."


def _cpu(told: _Told) -> Iterator[str]:
    """What CPU a request took, where that decides."""
    if not told.taken or told.predicted_everywhere:
        return
    for level in told.experiment.levels:
        found = [
            f"`{service}` {amount(told.taken.cpu_us[level.label, service])} µs"
            for service in told.experiment.services
            if (level.label, service) in told.taken.cpu_us
        ]
        if found:
            yield f"- CPU a request here, *{level.label}*: {', '.join(found)}."


def _cells(told: _Told, each: Compared | None) -> tuple[str, str, str]:
    if each is None:  # the one that the others are divided by
        return ("1", "1" if told.predicted else "–", "1" if told.ratios else "–")
    here = each.measured.text if each.measured else "–"
    return (f"{times(each.published)} ×", by_slots(each.predicted), here)


def _elsewhere(told: _Told) -> Iterator[str]:
    """What becomes of each service's ratio at the levels that were not published."""
    published = told.published
    for level in told.experiment.levels:
        if level.label not in published.levels:
            proof = level.label == published.counter_proof
            name = f"{'Counter-proof, ' if proof else 'At '}*{level.label}*"
            yield f"- {name}: {'; '.join(_ratios(told, level))}."
    yield ""


def _ratios(told: _Told, level: Level) -> Iterator[str]:
    reference = told.experiment.reference
    for service in told.experiment.services:
        if service in (reference, *level.without):
            continue
        expected = ratio(told.predicted, level.label, service, reference)
        found = told.ratios.get((level.label, service))
        said = [f"{by_slots(expected)} predicted"] if expected else []
        said.append(f"{found.text} measured" if found else "not measured yet")
        yield f"`{service}` ÷ `{reference}` {', '.join(said)}"


def _anchor(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    kept = "".join(each for each in heading.lower() if each.isalnum() or each in " -_")
    return kept.replace(" ", "-")


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [headers, ["---"] * len(headers), *rows]
    return [
        f"| {' | '.join(each.replace('|', chr(92) + '|') for each in line)} |" for line in lines
    ]
