"""What is written of an experiment's file elsewhere: its schema, and the tables of two pages.

`make reference` writes them anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from loadtest.engine.kinds import KINDS
from loadtest.plan import schema, tables
from loadtest.plan.keys import published
from loadtest.plan.keys.probe import ProbeTable
from loadtest.plan.keys.shared import LoadTable
from loadtest.plan.keys.table import Instead, TomlTable
from loadtest.plan.keys.targets import (
    ComparisonTable,
    LoadLevelTable,
    RequestTable,
    TargetTable,
)
from loadtest.plan.measures import MEASURES
from loadtest.plan.sequential import STATED_LOOKS
from loadtest.stats.simulation import simulate
from loadtest.system.paths import ROOT

_TYPE_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_MANY = {"object": "tables", "string": "names", "integer": "whole numbers", "number": "numbers"}


def written() -> dict[Path, str]:
    """The content of each file that is made from the models, wholly or in part."""
    folder = ROOT / "experiments"
    found = {
        folder / "schema.json": schema.text(schema.json_schema()),
        folder / "targets.json": schema.text(schema.comparison_schema()),
        folder / "probe.json": schema.text(schema.probe_schema()),
    }
    for name, made in _PAGES.items():
        path = ROOT / "docs" / name
        found[path] = filled(path.read_text(encoding="utf-8"), made)
    return found


def filled(page: str, made: Mapping[str, Callable[[], str]]) -> str:
    """The page with the first table below each heading in `made` replaced."""
    for heading, table in made.items():
        pattern = re.compile(rf"(^##+ {heading}\n(?:(?!##|\|).*\n)*)(?:\|.*\n)+", re.MULTILINE)
        match = pattern.search(page)
        if match is None:
            raise ValueError(f"no table below the heading {heading!r}")
        page = page[: match.start()] + match[1] + table() + page[match.end() :]
    return page


def _table_of(model: type[TomlTable]) -> str:
    """A line for each key that the model does not share with the one that it extends."""
    known = _schemas()[model.__name__]
    shared = model.__mro__[1]
    inherited = shared.model_fields if issubclass(shared, TomlTable) else {}
    rows = [
        (f"`{key}`", each["description"], _takes(each), _default(model, key))
        for key, each in known["properties"].items()
        if key not in inherited
    ]
    return _markdown(("key", "is", "takes", "default"), rows)


def _schemas() -> dict[str, Any]:
    """The schema of each table, by the name of its model."""
    wholes = {
        "ExperimentTable": schema.json_schema(),
        "ComparisonTable": schema.comparison_schema(),
        "ProbeTable": schema.probe_schema(),
    }
    parts = {name: part for whole in wholes.values() for name, part in whole["$defs"].items()}
    return {**parts, **wholes}


def _takes(value: Mapping[str, Any]) -> str:
    """What a key's value can be, in words."""
    names = [value["const"]] if "const" in value else value.get("enum", ())
    if names:
        return "a [measure](#measures)" if names == list(MEASURES) else _either(names)
    if "$ref" in value:
        return _link(value)
    kind = value["type"]
    if kind == "array":
        items = value["items"]
        if "$ref" in items:
            return f"a list, each {_link(items)}"
        if items.get("enum") == list(MEASURES):
            return "a list of [measures](#measures)"
        return f"a list of {_many(items)}" if value.get("uniqueItems") else "a list of texts"
    if kind == "object" and "$ref" in value["additionalProperties"]:
        return f"a table, each {_link(value['additionalProperties'])}"
    if kind == "object":
        many = _many(value["additionalProperties"])
        return f"a table of {many.replace('names', 'texts')}"
    for key, word in (("minimum", "of at least"), ("exclusiveMinimum", "above")):
        if key in value:
            return f"{_TYPE_NAMES[kind]} {word} {value[key]}"
    return _TYPE_NAMES[kind] + "".join(f", as `{each}`" for each in value.get("examples", ()))


def _either(names: Sequence[str]) -> str:
    *first, last = (f"`{name}`" for name in names)
    return f"{', '.join(first)} or {last}" if first else last


def _link(value: Mapping[str, str]) -> str:
    """A link to the section of the table that `$ref` names."""
    name = value["$ref"].rpartition("/")[2]
    (heading,) = (each for each, model in _TABLES.items() if model.__name__ == name)
    return f"[{heading[0].lower()}{heading[1:]}](#{heading.lower().replace(' ', '-')})"


def _many(value: Mapping[str, Any]) -> str:
    kind = value["type"]
    if isinstance(kind, list):
        return " or ".join("text" if each == "string" else _MANY[each] for each in kind)
    return _MANY[kind]


def _default(model: type[TomlTable], key: str) -> str:
    field = model.model_fields[key]
    for each in field.metadata:
        if isinstance(each, Instead):
            return each.words
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default in (None, "", [], {}):
        return "none"
    return f"`{str(default).lower() if default in (True, False) else default}`"


def _kinds() -> str:
    rows = [(kind.name, kind.sends, kind.question) for kind in KINDS.values()]
    return _markdown(("load", "sends", "answers the question"), rows)


def _measures() -> str:
    rows = [(f"`{each.name}`", each.meaning, each.scale) for each in MEASURES.values()]
    return _markdown(("measure", "is", "unit"), rows)


def _rounds() -> str:
    rows = [
        (f"{scatter:.0%}", f"{difference:.0%}", *_became(difference, scatter))
        for scatter in (0.02, 0.05, 0.15)
        for difference in (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
    ]
    head = ("scatter", "true difference", "rounds on average", "different", "equivalent")
    spaced = [tuple(cell.replace("%", " %") for cell in row) for row in rows]
    return _markdown((*head, "interval covers"), spaced)


def _became(difference: float, scatter: float) -> tuple[str, ...]:
    found = simulate(difference, scatter, STATED_LOOKS)
    shares = (found.different, found.equivalent, found.covered)
    return (f"{found.rounds:.1f}", *(f"{share:.1%}" for share in shares))


def _markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


_TABLES: Mapping[str, type[TomlTable]] = {
    "The experiment": tables.ExperimentTable,
    "A level": tables.LevelTable,
    "A load": LoadTable,
    "A background": tables.BackgroundTable,
    "A further claim": tables.FurtherTable,
    "A published comparison": published.PublishedTable,
    "A published figure": published.PublishedFigureTable,
    "A criterion": tables.CriterionTable,
    "A comparison of your own services": ComparisonTable,
    "A target": TargetTable,
    "A request": RequestTable,
    "A load of your own services": LoadLevelTable,
    "A probe of your own service": ProbeTable,
}
_PAGES: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "experiments.md": {heading: partial(_table_of, model) for heading, model in _TABLES.items()}
    | {"Measures": _measures},
    "load-generator.md": {"Kinds of load": _kinds},
    "verdicts.md": {"How many rounds it takes": _rounds},
}


def main() -> None:
    """Write every file that differs."""
    for path, text in written().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
