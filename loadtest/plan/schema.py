"""The JSON Schemas of experiments' files, for editors: experiments/schema.json, of the lab's
services, experiments/targets.json and experiments/probe.json, of the user's own.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from loadtest.plan.keys.probe import ProbeTable
from loadtest.plan.keys.targets import ComparisonTable
from loadtest.plan.tables import ExperimentTable

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


class _TomlSchema(GenerateJsonSchema):
    """TOML has no null: what may be left out has no default of that name."""

    def field_title_should_be_set(self, _: Any, /) -> bool:
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if found.get("default") in (None, "", [], {}):
            found.pop("default", None)
        return found


def json_schema() -> dict[str, Any]:
    """The schema of a file that names services of the lab, every table of it in `$defs`."""
    schema = ExperimentTable.model_json_schema(schema_generator=_TomlSchema)
    return {"$schema": _DRAFT, **schema}


def comparison_schema() -> dict[str, Any]:
    """The schema of a file that names targets."""
    schema = ComparisonTable.model_json_schema(schema_generator=_TomlSchema)
    return {"$schema": _DRAFT, **schema}


def probe_schema() -> dict[str, Any]:
    """The schema of a file that names one target, to probe it."""
    schema = ProbeTable.model_json_schema(schema_generator=_TomlSchema)
    return {"$schema": _DRAFT, **schema}


def text(schema: dict[str, Any]) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
