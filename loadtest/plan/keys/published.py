"""The tables of a published comparison: where it stands, its figures, what they measured."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from loadtest.model.published import Published, PublishedFigure
from loadtest.plan.keys.table import Bound, Instead, OneOf, TomlTable

UNEXPLAINED = "not explained"
# What a published figure can have measured.
KINDS_OF_FIGURE = (
    "slots",
    "the client's connections",
    "think time",
    "workers",
    "CPU a request",
    "the time of one request",
    "new connections",
    UNEXPLAINED,
)


def _matching(pattern: str, form: str) -> AfterValidator:
    def checked(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise PydanticCustomError(
                "form", "must be {form}, is {text}", {"form": form, "text": repr(text)}
            )
        return text

    return AfterValidator(checked)


Address = Annotated[
    str, _matching(r"https?://[^\s/]+\S*", "a URL such as https://example.org/page")
]
Day = Annotated[str, _matching(r"\d{4}(-\d\d){0,2}", "a date such as 2026-05-14 or 2026-05")]


class PublishedFigureTable(TomlTable):
    """One published figure."""

    service: str = Field(description="the service that stands for what ran there")
    value: Bound = Field(description="the figure, in the comparison's unit")
    was: str = Field(description="what ran there: framework, server, workers")
    level: Annotated[str, Instead("required, but where nothing runs")] = Field(
        default="", description="label of the level that takes it again"
    )


class PublishedTable(TomlTable):
    """A comparison that somebody published."""

    source: str = Field(description="who published it")
    url: Address = Field(description="where it can be read")
    also: list[Address] = Field(default_factory=list, description="where else it can be read")
    date: Day = Field(description="when, as far as known")
    unit: str = Field(default="requests/s", description="unit of its figures")
    asked: str = Field(description="how it was measured there")
    measured: Annotated[str, OneOf(KINDS_OF_FIGURE)] = Field(
        description="what the figures measured"
    )
    told: str = Field(description="the same in a sentence")
    instead: str = Field(default="", description="what runs here in its place, and why")
    inferred: str = Field(default="", description="what no source says")
    apart: str = Field(default="", description="why a ratio comes out otherwise here")
    counter_proof: str = Field(
        default="", description="label of the level that changes what made the difference"
    )
    not_run: str = Field(
        default="", description="why it is told and not run; then there are no levels"
    )
    figures: list[PublishedFigureTable] = Field(description="what was published, of each service")

    @property
    def record(self) -> Published:
        """The comparison that it describes."""
        figures = tuple(PublishedFigure(**dict(each)) for each in self.figures)
        return Published(**dict(self) | {"figures": figures, "also": tuple(self.also)})
