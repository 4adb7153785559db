"""What the answer of an exercise works out of figures, so that it is as new as they are.

<!-- saved experiment=… level=JSON services="fastapi-async starlette" of_us=2000 -->
<!-- again comparison=P4 level="100 clients, 40 threads" service=fastapi-async -->
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from loadtest.analysis.amounts import amount
from loadtest.model.experiment import Experiment
from loadtest.plan import reader
from loadtest.plan.measures import GOODPUT
from loadtest.report.lessons.board import NOT_YET, Board, PageError
from loadtest.report.lessons.digest import Digest
from loadtest.report.summary import row

_SAVED = ("experiment", "level", "services", "of_us")
_AGAIN = ("comparison", "level", "service")


def saved(words: Mapping[str, str], runs: Sequence[Digest], where: str) -> str:
    """What a request takes of a full core in two services, and what the second saves.

    `of_us`: the CPU of a request of somebody's own, in µs, that the saving is a part of.
    """
    experiment, level, services, of_us = _values(words, _SAVED, where)
    asked = Board(experiment, GOODPUT, level, tuple(services.split()))
    found = asked.source(runs)
    costs_us = {each.service: 1e6 / each.value for each in asked.rows(found)} if found else {}
    if set(costs_us) != set(asked.services) or len(costs_us) != 2:
        return NOT_YET
    dearer, cheaper = (costs_us[name] for name in asked.services)
    share = 100 * (dearer - cheaper) / float(of_us)
    lines = [row("service", "1 second ÷ requests a second"), row("---", "---:")]
    lines += [row(f"`{name}`", f"{amount(costs_us[name])} µs") for name in asked.services]
    told = f"{amount(dearer - cheaper)} µs, {amount(share)} % of {float(of_us) / 1000:g} ms"
    return "\n".join([*lines, row("difference", told)])


def again(words: Mapping[str, str], home: Path, where: str) -> str:
    """What a published comparison came out as here: one of its ratios, with its interval."""
    from loadtest.report.published import document, measured  # which draws: `make lesson` doesn't

    comparison, level, service = _values(words, _AGAIN, where)
    experiment = _published(comparison, where)
    if level not in {each.label for each in experiment.levels}:
        raise PageError(f"{where}: {comparison} has no level {level!r}")
    run = measured.read(home / document.MEASURED_IN)
    taken = run.comparisons.get(comparison) if run else None
    ratio = taken.ratios.get((level, service)) if taken else None
    if ratio is None:
        return NOT_YET
    return f"The lab took it again: `{service}` ÷ `{experiment.reference}` {ratio.text}."


def _published(comparison: str, where: str) -> Experiment:
    known = {each.claim: each for each in reader.load_published().values()}
    if comparison not in known:
        raise PageError(f"{where}: there is no comparison {comparison!r}")
    return known[comparison]


def _values(words: Mapping[str, str], keys: Sequence[str], where: str) -> list[str]:
    if set(words) != set(keys):
        raise PageError(f"{where}: give {', '.join(f'{key}=' for key in keys)} and nothing else")
    return [words[key] for key in keys]
