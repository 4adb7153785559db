"""What the tables of an experiment's file are made of: kinds of values, and how keys are told."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True)
class OneOf:
    """Text that is one of `choices`."""

    choices: Collection[str]

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(list(self.choices))


@dataclass(frozen=True)
class Instead:
    """What holds where a key without a default of its own is left out, in words."""

    words: str


# C: a claim of the lab or of the user; P: a published comparison.
_CLAIM: dict[str, Any] = {"type": "string", "pattern": "^[CP][0-9]+$", "examples": ["C7"]}


def _unlike(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise PydanticCustomError("twice", "names one thing twice: {names}", _named(names))
    return names


def _named(names: list[str]) -> dict[str, Any]:
    return {"names": ", ".join(names)}


def _claim(name: str) -> str:
    if not re.fullmatch(_CLAIM["pattern"], name):
        raise PydanticCustomError(
            "claim", "must be C (or P) and a number, is {name}", {"name": repr(name)}
        )
    return name


def _setting(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise PydanticCustomError(
            "setting", "must be text or a number, is {value}", {"value": repr(value)}
        )
    return str(value)


Finite = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[Finite, Field(gt=0)]
Bound = Annotated[Finite, Field(ge=0)]
ClaimName = Annotated[str, AfterValidator(_claim), WithJsonSchema(_CLAIM)]
NameList = Annotated[
    list[str],
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_unlike),
]
Parameters = dict[str, int]
SettingText = Annotated[
    str, BeforeValidator(_setting), WithJsonSchema({"type": ["string", "number"]})
]
Environment = dict[str, SettingText]
Environments = dict[str, Environment]


class TomlTable(BaseModel):
    """A table whose keys are all known and of exactly the type that they say."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def given(self, *keys: str) -> dict[str, Any]:
        """Those of `keys` that the file has in this table."""
        return {key: getattr(self, key) for key in keys if key in self.model_fields_set}
