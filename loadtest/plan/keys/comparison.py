"""A comparison of services of the user's own, made of its TOML document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from loadtest.contract.scenarios import OWN
from loadtest.engine.kinds import kind_of
from loadtest.inventory import addresses
from loadtest.model.counts import number_of
from loadtest.model.criterion import Criterion
from loadtest.model.experiment import Experiment, Level
from loadtest.model.target import Target
from loadtest.plan.keys import conditions, placed
from loadtest.plan.keys.shared import LOAD_KEYS, LoadTable
from loadtest.plan.keys.targets import (
    REQUEST_KEYS,
    ComparisonTable,
    LoadLevelTable,
    RequestTable,
)
from loadtest.plan.mistakes import ExperimentError, first_mistake


def comparison(name: str, document: Mapping[str, Any], where: str) -> Experiment:
    """The experiment of a document with `[targets]`; raises ExperimentError."""
    try:
        table = ComparisonTable.model_validate(dict(document))
    except ValidationError as error:
        raise ExperimentError(first_mistake(where, ComparisonTable, error)) from None
    names = tuple(table.targets)
    _check_names(where, names)
    reference = table.reference or names[0]
    if reference not in names:
        raise ExperimentError(f"{where}: reference {reference!r} is none of: {', '.join(names)}")
    targets = {each: _target(where, table, each) for each in names}
    levels = _levels(where, table)
    started = {each: placed.start(where, each, target) for each, target in table.targets.items()}
    _check_places(where, table)
    return Experiment(
        name=name,
        **_NO_CLAIM,
        title=table.title or _title(reference, names),
        services=names,
        reference=reference,
        levels=levels,
        criteria=_criteria(where, table, names, levels),
        headline=True,
        may_load=table.i_may_load_this,
        targets=targets,
        starts={each: start for each, start in started.items() if start},
        document=document,
        **{key: getattr(table, key) for key in _UNCHANGED},
    )


_NO_CLAIM: Mapping[str, Any] = dict.fromkeys(("claim", "statement", "confirms", "refutes"), "")
_UNCHANGED = (
    *("measure", "axis", "rounds", "warmup_s", "duration_s", "same_body", "errors_allowed"),
    *("requests_at_most", "fresh"),
)


def _check_names(where: str, names: Sequence[str]) -> None:
    if len(names) < 2:
        what = where if where.endswith(".toml") else "URL"
        probed = f"; python -m loadtest probe {what} looks at one alone" * len(names)
        raise ExperimentError(
            f"{where}: targets needs two services or more, has {len(names)}{probed}"
        )
    for each in names:
        placed.check_name(where, each)


def _check_places(where: str, table: ComparisonTable) -> None:
    """Each service that is started has an address of its own."""
    there: dict[tuple[str, int], str] = {}
    for name, each in table.targets.items():
        host, port = addresses.place(each.url)
        other = there.setdefault((host, port), name) if each.start else name
        if other != name:
            raise ExperimentError(
                f"{where}: {other} and {name} are both started at {host}:{port}; "
                "give each a port of its own"
            )


def _title(reference: str, names: Sequence[str]) -> str:
    others = [each for each in names if each != reference]
    return f"{', '.join(others)} beside {reference}"


def _levels(where: str, top: ComparisonTable) -> tuple[Level, ...]:
    tables = top.levels or [LoadLevelTable()]
    found = tuple(_level(f"{where}: levels[{n}]", top, each) for n, each in enumerate(tables))
    labels = [level.label for level in found]
    if len(set(labels)) < len(labels):
        raise ExperimentError(f"{where}: levels need labels that differ, has: {', '.join(labels)}")
    return found


def _level(where: str, top: ComparisonTable, table: LoadLevelTable) -> Level:
    # A load that names its kind alone has as many connections as any other.
    usual = ComparisonTable.model_fields["load"].default
    given = usual.given(*LOAD_KEYS) | top.load.given(*LOAD_KEYS) | table.given(*LOAD_KEYS)
    load = LoadTable(**given).load
    if kind_of(load).scheduled and not load.rate_rps:
        raise ExperimentError(f"{where}: kind {load.kind!r} needs rate_rps")
    inherited = "kind" in table.model_fields_set and table.rate_rps is None
    if load.rate_rps and not (kind_of(load).scheduled or inherited):
        raise ExperimentError(f'{where}: rate_rps is for requests at a rate: add kind = "open"')
    return Level(
        label=table.label or number_of(load.connections, "connection"),
        x=float(load.connections) if table.x is None else table.x,
        load=load,
        scenario=OWN,
        parameters={},
        environment={},
        asked={each: _target(where, top, each, table.path) for each in top.targets},
        cores=_cores(where, top, table),
    )


def _cores(where: str, top: ComparisonTable, table: LoadLevelTable) -> int:
    """On how many cores the services run; nobody says that of those that run already."""
    running = next((name for name, each in top.targets.items() if not each.start), "")
    if table.cores > 1 and running:
        raise ExperimentError(f"{where}: cores needs start, the command of targets.{running}")
    return table.cores


def _target(where: str, top: ComparisonTable, name: str, path: str = "") -> Target:
    table = top.targets[name]
    asked = RequestTable(**top.request.given(*REQUEST_KEYS) | table.given(*REQUEST_KEYS))
    return placed.target(where, name, table.url, asked, path)


def _criteria(
    where: str, table: ComparisonTable, names: Sequence[str], levels: Sequence[Level]
) -> tuple[Criterion, ...]:
    measures = conditions.comparable(started=all(each.start for each in table.targets.values()))
    if table.measure not in measures:
        raise ExperimentError(
            f"{where}: measure {table.measure!r} needs what these services do not export; "
            f"there are: {', '.join(measures)}"
        )
    ordered = [table.measure, *(each for each in measures if each != table.measure)]
    labels = [level.label for level in levels]
    return tuple(conditions.criteria(f"{where}: fail_if", table.fail_if, names, labels, ordered))
