"""What has to be so for a claim to stand: a measure, a service, and bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, get_args

from loadtest.model.criterion import Criterion
from loadtest.plan.document import DocumentError, Table

Measure = Literal[
    "goodput_rps",
    "p50_ms",
    "p99_ms",
    "answered_share",
    "service_cpu_us",
    "share_of_prediction",
    "pss_kib_per_request",
    "threads_per_request",
]
MEASURES: tuple[str, ...] = get_args(Measure)
SLOPES = ("pss_kib_per_request", "threads_per_request")  # over the loads, not at one of them

_BOUNDS = ("ratio_at_least", "ratio_at_most", "value_at_least", "value_at_most")


class _Level(Protocol):
    @property
    def label(self) -> str: ...


class _Experiment(Protocol):
    """What a criterion needs to know of its experiment."""

    @property
    def claim(self) -> str: ...
    @property
    def further(self) -> Mapping[str, str]: ...
    @property
    def services(self) -> Sequence[str]: ...
    @property
    def reference(self) -> str: ...
    @property
    def measure(self) -> str: ...
    @property
    def levels(self) -> Sequence[_Level]: ...


def criterion(table: Table, experiment: _Experiment) -> Criterion:
    """Read one criterion of an experiment."""
    bounds = {key: table.number(key, None, least=0) for key in _BOUNDS}
    given = [key for key, value in bounds.items() if value is not None]
    if len({key.partition("_")[0] for key in given}) != 1:
        raise DocumentError(f"{table.where}: give bounds of one sort: {', '.join(_BOUNDS)}")
    kind = given[0].partition("_")[0]
    found = Criterion(
        claim=table.one_of("claim", (experiment.claim, *experiment.further), experiment.claim),
        says=table.take("says", str),
        service=table.one_of("service", experiment.services),
        measure=table.one_of("measure", MEASURES, experiment.measure),
        level=table.take("level", str, ""),
        reference=table.one_of("reference", experiment.services, experiment.reference),
        ratio=kind == "ratio",
        at_least=bounds[f"{kind}_at_least"],
        at_most=bounds[f"{kind}_at_most"],
    )
    table.done()
    labels = [level.label for level in experiment.levels]
    if found.measure not in SLOPES and found.level not in labels:
        raise DocumentError(f"{table.where}: level {found.level!r} is none of: {', '.join(labels)}")
    return found
