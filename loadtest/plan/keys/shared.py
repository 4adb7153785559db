"""Keys of every experiment, whatever it measures: its loads, and what is compared."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from loadtest.engine.kinds import KINDS, Closed
from loadtest.model.load import Load
from loadtest.plan.keys.table import Bound, Instead, OneOf, Seconds, TomlTable
from loadtest.plan.measures import MEASURES

MeasureName = Annotated[str, OneOf(tuple(MEASURES))]


class LoadTable(TomlTable):
    """How requests arrive."""

    kind: Annotated[str, OneOf(KINDS)] = Field(default=Closed.name, description="the kind of load")
    connections: int = Field(
        default=1, ge=1, description="connections that are open, or at most open"
    )
    rate_rps: Seconds | None = Field(
        default=None, description="arrivals a second, where the kind has a rate"
    )
    think_s: Bound = Field(default=0.0, description="pause after each answer")
    requests_per_connection: Annotated[int | None, Instead("kept as long as the server does")] = (
        Field(
            default=None,
            ge=1,
            description="after so many requests a connection is closed and opened anew",
        )
    )

    @property
    def load(self) -> Load:
        """The load that it describes."""
        return Load(**{key: getattr(self, key) for key in LOAD_KEYS})


LOAD_KEYS = tuple(LoadTable.model_fields)
