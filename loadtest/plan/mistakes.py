"""What is wrong with an experiment's file, in one line: the place, the fault, the remedy."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from loadtest.errors import LabError

_UNKNOWN = "extra_forbidden"
_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "too_short": "a list of names",
}


_LIMITED = reprlib.Repr()
_LIMITED.maxstring = _LIMITED.maxother = 80


class ExperimentError(LabError):
    """An experiment cannot be used; the message names file, key and remedy in one line."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def first_mistake(where: str, model: type[BaseModel], error: ValidationError) -> str:
    """One line about the first mistake in a table of `model`; `where` names its origin.

    A mistyped key comes first: what it leaves missing follows from it.
    """
    found = error.errors(include_url=False)
    chosen = next((each for each in found if each["type"] == _UNKNOWN), found[0])
    return _line(where, model, chosen)


def _line(where: str, model: type[BaseModel], mistake: ErrorDetails) -> str:
    *above, last = mistake["loc"] or ("",)
    if isinstance(last, int):
        above, last = [*above, last], ""
    table = _table_at(model, above)
    if table is None and last:  # a key of the user's own, as in parameters
        above, last = above[:-1], f"{above[-1]}.{last}"
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in above)
    known = sorted((table or model).model_fields)
    parts = (where, place.lstrip("."), _said(mistake, str(last), known))
    return ": ".join(part for part in parts if part)


def _said(mistake: ErrorDetails, key: str, known: Sequence[str]) -> str:
    kind, value, context = mistake["type"], _LIMITED.repr(mistake["input"]), mistake.get("ctx", {})
    if kind == _UNKNOWN:
        return f"unknown key {key!r}; there are: {', '.join(known)}"
    if kind == "missing":
        return f"{key} is missing; add it"
    if kind == "literal_error":
        return f"{key} {value} is none of: {_choices(context)}".lstrip()
    if kind in _TYPES:
        return f"{key} must be {_TYPES[kind]}, is {value}".lstrip()
    if kind in ("greater_than", "greater_than_equal"):
        bound = f"above {context['gt']:g}" if "gt" in context else f"at least {context['ge']:g}"
        return f"{key} must be {bound}, is {value}".lstrip()
    if kind == "less_than_equal":
        return f"{key} must be at most {context['le']:g}, is {value}".lstrip()
    return f"{key} {mistake['msg'][:1].lower()}{mistake['msg'][1:]}".lstrip()


def _choices(context: Mapping[str, Any]) -> str:
    """Pydantic says 'a', "b's" or 'c'."""
    found = re.findall(r"""'([^']*)'|"([^"]*)\"""", str(context["expected"]))
    return ", ".join(single or double for single, double in found)


def _table_at(model: type[BaseModel], place: Sequence[int | str]) -> type[BaseModel] | None:
    """The model of the table at `place`; None where the keys are the user's own."""
    parts = iter(place)
    for part in parts:
        if isinstance(part, str):
            field = model.model_fields.get(part)
            inner = next(_models(field.annotation), None) if field else None
            if field is None or inner is None:
                return None
            if get_origin(field.annotation) is dict:
                next(parts, None)  # a name of the user's own
            model = inner
    return model


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
