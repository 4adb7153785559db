"""A probe of a service of the user's own, made of its TOML document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field, ValidationError

from loadtest.model.probe import PlannedProbe
from loadtest.plan.keys import placed
from loadtest.plan.keys.table import Instead, Seconds, TomlTable
from loadtest.plan.keys.targets import REQUEST_KEYS, RequestTable, TargetTable
from loadtest.plan.mistakes import ExperimentError, first_mistake


class ProbeTable(TomlTable):
    """A probe of a service of the user's own."""

    model_config = ConfigDict(title="Probe")

    targets: dict[str, TargetTable] = Field(
        description="the service, under its name",
        json_schema_extra={"minProperties": 1, "maxProperties": 1},
    )
    seconds: Seconds = Field(default=60.0, description="how long it takes at most")
    connections: int = Field(default=256, ge=1, description="how many ask at once at most")
    beside: Annotated[str, Instead("none")] = Field(
        default="",
        description="path or URL of a light endpoint: how long it waits while the target is full",
    )
    fail_if: list[str] = Field(
        default=[],
        description="conditions that end the command with exit code 1, as `slots < 8`",
    )
    i_may_load_this: bool = Field(
        default=False, description="`true`: the target may be outside of private networks"
    )


def planned_probe(document: Mapping[str, Any], where: str) -> PlannedProbe:
    """The probe of a document with one target; raises ExperimentError."""
    try:
        table = ProbeTable.model_validate(dict(document))
    except ValidationError as error:
        several = _several(document, where)
        raise ExperimentError(several or first_mistake(where, ProbeTable, error)) from None
    if several := _several(document, where):
        raise ExperimentError(several)
    [(name, target)] = table.targets.items()
    placed.check_name(where, name)
    asked = RequestTable(**target.given(*REQUEST_KEYS))
    return PlannedProbe(
        where=where,
        name=name,
        target=placed.target(where, name, target.url, asked),
        start=placed.start(where, name, target),
        seconds=table.seconds,
        connections=table.connections,
        beside=table.beside,
        fail_if=tuple(table.fail_if),
        may_load=table.i_may_load_this,
    )


def _several(document: Mapping[str, Any], where: str) -> str:
    """What is wrong where the file is a comparison, whose other keys are unknown here."""
    targets = document.get("targets")
    if not isinstance(targets, Mapping) or len(targets) == 1:
        return ""
    if not targets:
        return f"{where}: targets is empty; add [targets.NAME] with its url"
    return (
        f"{where}: targets has {len(targets)} services, a probe takes one; "
        f"python -m loadtest run --experiments {where} compares them"
    )
