"""Conditions that a comparison must not meet, as `B < 0.95 A`, made into criteria."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from loadtest.model.criterion import Criterion
from loadtest.plan.measures import GOODPUT
from loadtest.plan.mistakes import ExperimentError

FORM = "write it as 'B < 0.95 A', 'p95_ms: B > 1.2 A' or 'p95_ms: B > 250'"
_SEEN_BY_CLIENTS = (GOODPUT, "mean_ms", "p50_ms", "p95_ms", "p99_ms", "answered_share")
_TARGET = r"[A-Za-z_][A-Za-z0-9_.-]*"
_GRAMMAR = re.compile(
    rf"""(?: (?P<measure>\w+) \s*:\s* )?
    (?P<service>{_TARGET}) \s* (?P<sign>[<>]) \s*
    (?P<bound>\d+(?:\.\d+)?|\.\d+)? \s* (?:[*×]|x(?=\s+(?!\s*at\s)))? \s*
    (?P<reference>{_TARGET})?
    (?: \s+at\s+ (?P<level>\S.*) )?""",
    re.VERBOSE,
)


def criteria(
    where: str,
    texts: Sequence[str],
    services: Sequence[str],
    levels: Sequence[str],
    measures: Sequence[str],
) -> Iterator[Criterion]:
    """What has to be so for none of the conditions to be met: one for each of them and each level.

    The first of `measures` is compared where a condition names none. Raises ExperimentError.
    """
    for text in texts:
        match = _GRAMMAR.fullmatch(text.strip())
        if not match or not (match["bound"] or match["reference"]):
            raise ExperimentError(f"{where}: {text!r}: {FORM}")
        measure = match["measure"] or measures[0]
        _known(where, text, "measure", [measure], measures)
        named = [match["service"], *filter(None, [match["reference"]])]
        _known(where, text, "target", named, services)
        _known(where, text, "level", filter(None, [match["level"]]), levels)
        for level in [match["level"]] if match["level"] else levels:
            yield _criterion(text.strip(), match.groupdict(), measure, level)


def _known(where: str, text: str, kind: str, names: Iterable[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise ExperimentError(
                f"{where}: {text!r}: {name!r} is no {kind}; there are: {', '.join(known)}"
            )


def _criterion(text: str, found: Mapping[str, str | None], measure: str, level: str) -> Criterion:
    bound = float(found["bound"] or 1.0)
    below = found["sign"] == "<"
    return Criterion(
        claim="",
        says=text,
        service=str(found["service"]),
        measure=measure,
        level=level,
        reference=found["reference"] or "",
        ratio=found["reference"] is not None,
        at_least=bound if below else None,
        at_most=None if below else bound,
    )


def comparable(*, started: bool) -> tuple[str, ...]:
    """Measures of a service that exports nothing; its CPU can be seen where the lab started it."""
    return (*_SEEN_BY_CLIENTS, *(("service_cpu_us",) if started else ()))
