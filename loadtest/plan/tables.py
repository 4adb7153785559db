"""The tables of an experiment's file: every key, what it is, what it takes, its default.

The errors, the JSON Schema and the page docs/experiments.md are made from these models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from loadtest.backends.base import Backend
from loadtest.contract import openapi
from loadtest.inventory.manifest import Service
from loadtest.plan.keys.published import PublishedTable
from loadtest.plan.keys.shared import LOAD_KEYS, LoadTable, MeasureName
from loadtest.plan.keys.table import (
    Bound,
    ClaimName,
    Environment,
    Environments,
    Finite,
    Instead,
    NameList,
    OneOf,
    Parameters,
    Seconds,
    TomlTable,
)
from loadtest.plan.measures import GOODPUT


def _http2(service: Service, backend: Backend) -> dict[str, Any]:
    from loadtest.contract.http2 import check  # which few commands need

    return check.check(service, backend)


# What an experiment without load may check of a service that runs.
CHECKS: Mapping[str, Callable[[Service, Backend], dict[str, Any]]] = {
    "openapi": lambda service, backend: openapi.check(service.url(backend.name)),
    "http2": _http2,
}


def _inheriting(schema: dict[str, Any]) -> None:
    """What a level leaves out of its load is the experiment's, so it has no default."""
    for key in LOAD_KEYS:
        schema["properties"][key].pop("default", None)


class LevelTable(LoadTable):
    """One setting of what varies."""

    model_config = ConfigDict(json_schema_extra=_inheriting)

    label: Annotated[str | None, Instead("the number of connections")] = Field(
        default=None, description="its name in report and criteria"
    )
    x: Annotated[Bound | None, Instead("the number of connections")] = Field(
        default=None, description="its place on the chart's axis"
    )
    share_of_peak: Seconds | None = Field(
        default=None, description="the rate, as a share of the slowest service's peak"
    )
    cores: int = Field(default=1, ge=1, description="cores that a service has, without Docker")
    gil: Annotated[bool | None, Instead("the lab's Python")] = Field(
        default=None, description="under a free-threaded Python: with or without its lock"
    )
    quick: bool = Field(default=True, description="`false`: only in `PLAN=full`")
    without: NameList = Field(default=[], description="services that cannot take this level")
    scenario: Annotated[str, Instead("the experiment's")] = Field(
        default="", description="what is requested"
    )
    parameters: Parameters = Field(default={}, description="the scenario's parameters")
    environment: Environment = Field(
        default={}, description="variables that override a service's own"
    )
    environment_of: Environments = Field(
        default={}, description="the same for one service alone, by its name"
    )


class BackgroundTable(LoadTable):
    """A second load beside the measured one."""

    scenario: str = Field(description="what it requests")
    parameters: Parameters = Field(default={}, description="the scenario's parameters")


class FurtherTable(TomlTable):
    """One more claim that the same trials decide."""

    claim: ClaimName = Field(description="number of the claim")
    statement: str = Field(description="the claim, as it is taught")


class CriterionTable(TomlTable):
    """What has to be true for a claim."""

    says: str = Field(description="the criterion in words")
    service: str = Field(description="the service")
    level: Annotated[str, Instead("required, but for slopes")] = Field(
        default="", description="the level's label"
    )
    measure: Annotated[MeasureName | None, Instead("the experiment's")] = Field(
        default=None, description="the measure"
    )
    reference: Annotated[str | None, Instead("the experiment's")] = Field(
        default=None, description="what a ratio compares with"
    )
    reference_level: Annotated[str, Instead("the same level")] = Field(
        default="", description="label of the level whose figure a ratio divides by"
    )
    claim: Annotated[ClaimName | None, Instead("the experiment's")] = Field(
        default=None, description="the claim that it decides"
    )
    ratio_at_least: Bound | None = Field(
        default=None, description="lower bound of service ÷ reference"
    )
    ratio_at_most: Bound | None = Field(
        default=None, description="upper bound of service ÷ reference"
    )
    value_at_least: Bound | None = Field(
        default=None, description="lower bound of the service's own value"
    )
    value_at_most: Bound | None = Field(
        default=None, description="upper bound of the service's own value"
    )


BOUNDS = ("ratio_at_least", "ratio_at_most", "value_at_least", "value_at_most")
INSTEAD_OF_LEVELS = ("levels", "check", "published")


class ExperimentTable(TomlTable):
    """An experiment of the concurrency lab."""

    model_config = ConfigDict(
        title="Experiment",
        json_schema_extra={"anyOf": [{"required": [key]} for key in INSTEAD_OF_LEVELS]},
    )

    claim: ClaimName = Field(description="number of the claim")
    title: str = Field(description="the question, as the report's heading")
    statement: str = Field(description="the claim under test, as it is taught")
    confirms: str = Field(description="what would confirm it, in words: every criterion holds")
    refutes: str = Field(description="what would refute it, in words: every criterion fails")
    services: NameList = Field(description="the services")
    reference: str = Field(
        description="the one of them that the others are compared with; it runs twice a round"
    )
    measure: MeasureName = Field(default=GOODPUT, description="what is compared and drawn")
    axis: str = Field(
        default="Connections at once", description="title of the chart's horizontal axis"
    )
    scenario: Annotated[str, Instead("each level's own")] = Field(
        default="", description="what is requested; `python -m loadtest list` shows all"
    )
    parameters: Parameters = Field(default={}, description="the scenario's parameters")
    environment: Environment = Field(
        default={},
        description="variables that override a service's own; it is restarted with them",
    )
    environment_of: Environments = Field(
        default={}, description="the same for one service alone, by its name"
    )
    load: Annotated[LoadTable, Instead("closed, one connection")] = Field(
        default=LoadTable(), description="how requests arrive"
    )
    levels: Annotated[
        list[LevelTable], Instead("required without `check` or `published.not_run`")
    ] = Field(default=[], description="the settings that vary")
    rounds: int = Field(
        default=12, gt=0, description="how often a service runs at a level, as long as it is open"
    )
    warmup_s: Seconds = Field(
        default=1.0, description="length of the warm-up, which counts nowhere"
    )
    duration_s: Seconds = Field(default=3.0, description="length of the measured window")
    headline: bool = Field(default=False, description="`true`: part of `PLAN=quick`")
    plan: Literal["full", "field"] = Field(
        default="full", description="the whole plan that it is part of: `PLAN=full` or `PLAN=field`"
    )
    lesson: int = Field(default=0, ge=0, description="its place in `PLAN=lesson`; 0: no part of it")
    full_services: NameList = Field(default=[], description="services that only `PLAN=full` runs")
    fresh: bool = Field(default=False, description="`true`: every trial has a restarted service")
    errors_allowed: bool = Field(
        default=False,
        description="`true`: requests that fail or are not taken up are a result; no gate fails",
    )
    peak: LoadTable | None = Field(
        default=None, description="a load that finds each service's peak, for `share_of_peak`"
    )
    tells: list[MeasureName] = Field(
        default=[], description="measures that stand in a table beside its own; a slope is drawn"
    )
    background: BackgroundTable | None = Field(
        default=None, description="a second load beside the measured one"
    )
    caution: str = Field(default="", description="what its figures do not say, told beside them")
    claimed: dict[str, Finite] = Field(
        default={},
        description="figures that are commonly quoted, by service, to show beside the measured",
    )
    published: PublishedTable | None = Field(
        default=None, description="somebody else's comparison that it takes again"
    )
    further: list[FurtherTable] = Field(
        default=[], description="more claims that the same trials decide"
    )
    criteria: list[CriterionTable] = Field(
        default=[], description="what has to be true for the claim"
    )
    check: Annotated[str, OneOf(CHECKS), Instead("none")] = Field(
        default="",
        description="what is looked at in each service, without load",
    )
    passes: Annotated[NameList, Instead("the reference")] = Field(
        default=[], description="services that pass the check if the claim holds"
    )
