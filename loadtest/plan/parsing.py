"""Experiments made of TOML documents: what the tables say, put together level by level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from loadtest.model.counts import number_of
from loadtest.model.criterion import Criterion
from loadtest.model.experiment import Background, Experiment, Level
from loadtest.plan import consistency
from loadtest.plan.keys.comparison import comparison
from loadtest.plan.keys.shared import LOAD_KEYS, LoadTable
from loadtest.plan.mistakes import ExperimentError, first_mistake
from loadtest.plan.tables import CriterionTable, ExperimentTable, LevelTable


def parse(name: str, document: Mapping[str, Any], *, where: str) -> Experiment:
    """Make an experiment of a TOML document; `where` names its origin in errors."""
    if "targets" in document:
        return comparison(name, document, where)
    try:
        table = ExperimentTable.model_validate(dict(document))
    except ValidationError as error:
        raise ExperimentError(first_mistake(where, ExperimentTable, error)) from None
    consistency.check_table(where, table)
    experiment = Experiment(
        name=name,
        levels=tuple(_level(table, level) for level in table.levels),
        further={each.claim: each.statement for each in table.further},
        criteria=tuple(_criterion(table, each) for each in table.criteria),
        peak=table.peak.load if table.peak else None,
        background=_background(table),
        published=table.published.record if table.published else None,
        services=tuple(table.services),
        full_services=tuple(table.full_services),
        tells=tuple(table.tells),
        passes=tuple(table.passes),
        document=document,
        **{key: getattr(table, key) for key in _AS_THEY_ARE},
    )
    consistency.check_experiment(where, experiment)
    return experiment


_AS_THEY_ARE = (
    *("claim", "title", "statement", "confirms", "refutes", "reference", "measure", "axis"),
    *("rounds", "warmup_s", "duration_s", "headline", "lesson", "fresh", "errors_allowed", "check"),
    *("caution", "claimed", "plan"),
)


def _level(top: ExperimentTable, table: LevelTable) -> Level:
    load = LoadTable(**top.load.given(*LOAD_KEYS) | table.given(*LOAD_KEYS)).load
    return Level(
        label=table.label or number_of(load.connections, "connection"),
        x=float(load.connections) if table.x is None else table.x,
        load=load,
        scenario=table.scenario or top.scenario,
        parameters={**top.parameters, **table.parameters},
        environment={**top.environment, **table.environment},
        share_of_peak=table.share_of_peak,
        quick=table.quick,
        cores=table.cores,
        gil=table.gil,
        without=tuple(table.without),
        environment_of=_by_service(top.environment_of, table.environment_of),
    )


def _by_service(
    top: Mapping[str, Mapping[str, str]], own: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """What overrides the environment of single services; a level's own comes last."""
    return {name: {**top.get(name, {}), **own.get(name, {})} for name in (*top, *own)}


def _background(top: ExperimentTable) -> Background | None:
    table = top.background
    return Background(table.scenario, table.parameters, table.load) if table else None


def _criterion(top: ExperimentTable, table: CriterionTable) -> Criterion:
    ratio = table.ratio_at_least is not None or table.ratio_at_most is not None
    return Criterion(
        claim=table.claim or top.claim,
        says=table.says,
        service=table.service,
        measure=table.measure or top.measure,
        level=table.level,
        reference=table.reference or top.reference,
        ratio=ratio,
        at_least=table.ratio_at_least if ratio else table.value_at_least,
        at_most=table.ratio_at_most if ratio else table.value_at_most,
        reference_level=table.reference_level,
    )
