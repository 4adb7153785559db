"""The tables of a comparison of services of the user's own: what is asked, and how they start."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from loadtest.plan.keys.shared import LOAD_KEYS, LoadTable, MeasureName
from loadtest.plan.keys.table import Bound, Environment, Instead, Seconds, TomlTable
from loadtest.plan.measures import GOODPUT

USUAL_CONNECTIONS = 16
Headers = dict[str, str]
Status = Annotated[int, Field(ge=100, le=599)]


class RequestTable(TomlTable):
    """What is asked, and what a right answer is."""

    path: Annotated[str, Instead("as the target's URL has it")] = Field(
        default="", description="path and query, in place of those of the URL"
    )
    method: str = Field(default="GET", description="the method")
    headers: Headers = Field(default={}, description="headers")
    body: str = Field(default="", description="the body, sent as JSON where it is JSON")
    status: Annotated[Status | None, Instead("any of 200 to 299")] = Field(
        default=None, description="the status of a right answer"
    )
    insecure: bool = Field(default=False, description="`true`: certificates are not checked")


REQUEST_KEYS = tuple(RequestTable.model_fields)


def _leaving_out(keys: tuple[str, ...], schema: dict[str, Any]) -> None:
    for key in keys:
        schema["properties"][key].pop("default", None)


class TargetTable(RequestTable):
    """A service: where it answers, and how it is started where the lab starts it."""

    model_config = ConfigDict(json_schema_extra=lambda schema: _leaving_out(REQUEST_KEYS, schema))

    url: str = Field(description="what is asked: `http` or `https`, host, port, path")
    start: Annotated[str, Instead("it runs already")] = Field(
        default="", description="a command that starts it, without a shell"
    )
    ready: Annotated[str, Instead("a connection to its port")] = Field(
        default="", description="a path that answers 200 once it is ready"
    )
    folder: Annotated[str, Instead("that of the file")] = Field(
        default="", description="where the command runs"
    )
    environment: Environment = Field(default={}, description="variables for the command")


class LoadLevelTable(LoadTable):
    """One load of the comparison."""

    model_config = ConfigDict(json_schema_extra=lambda schema: _leaving_out(LOAD_KEYS, schema))

    label: Annotated[str | None, Instead("the number of connections")] = Field(
        default=None, description="its name in the report and in `fail_if`"
    )
    x: Annotated[Bound | None, Instead("the number of connections")] = Field(
        default=None, description="its place on the chart's axis"
    )
    path: Annotated[str, Instead("the target's")] = Field(
        default="", description="path and query that are asked at this load"
    )
    cores: int = Field(
        default=1, gt=0, description="cores for each service that is started; the load has the rest"
    )


class ComparisonTable(TomlTable):
    """A comparison of services of the user's own."""

    model_config = ConfigDict(title="Comparison")

    title: Annotated[str, Instead("the targets' names")] = Field(
        default="", description="the question, as the report's heading"
    )
    targets: dict[str, TargetTable] = Field(
        description="the services, each under its name", json_schema_extra={"minProperties": 2}
    )
    request: Annotated[RequestTable, Instead("GET")] = Field(
        default=RequestTable(), description="what all of them are asked"
    )
    reference: Annotated[str, Instead("the first target")] = Field(
        default="", description="the one that the others are compared with; it runs twice a round"
    )
    measure: MeasureName = Field(default=GOODPUT, description="what is compared and drawn")
    load: Annotated[LoadTable, Instead(f"closed, {USUAL_CONNECTIONS} connections")] = Field(
        default=LoadTable(connections=USUAL_CONNECTIONS), description="how requests arrive"
    )
    levels: Annotated[list[LoadLevelTable], Instead("the load alone")] = Field(
        default=[], description="loads that vary"
    )
    axis: str = Field(
        default="Connections at once", description="title of the chart's horizontal axis"
    )
    rounds: int = Field(
        default=12, gt=1, description="how often a service runs at a load, as long as it is open"
    )
    warmup_s: Seconds = Field(
        default=1.0, description="length of the warm-up, which counts nowhere"
    )
    duration_s: Seconds = Field(default=3.0, description="length of the measured window")
    same_body: bool = Field(
        default=False,
        description="`true`: all have to answer the same body: text up to 1 MB each time, any "
        "other before the first trial",
    )
    fresh: bool = Field(
        default=False,
        description="`true`: what it starts is started anew for every trial, as two starts of one "
        "program are not equally fast",
    )
    errors_allowed: bool = Field(
        default=False, description="`true`: failed requests are a result and fail no gate"
    )
    fail_if: list[str] = Field(
        default=[], description="conditions that end the command with exit code 1"
    )
    requests_at_most: int = Field(
        default=10_000_000, gt=0, description="requests in all, after which it ends early"
    )
    i_may_load_this: bool = Field(
        default=False, description="`true`: targets may be outside of private networks"
    )
