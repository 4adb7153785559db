"""Path and query parameters: the contract's strict syntax, FastAPI's declared bounds."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BeforeValidator

from lab import validation
from lab.validation import Number


def _whole_number(text: Any) -> Any:
    """Pydantic would also take `+1`, ` 1` and `1.0`; a default is a number already."""
    if isinstance(text, str) and (number := validation.whole_number(text)) is not None:
        return number
    if isinstance(text, int):
        return text
    raise ValueError("not a whole number")


_Syntax = BeforeValidator(_whole_number)


def _query(parameter: Number) -> Any:
    return Query(ge=parameter.minimum, le=parameter.maximum)


Limit = Annotated[int, _Syntax, _query(validation.LIMIT)]
Offset = Annotated[int, _Syntax, _query(validation.OFFSET)]
WaitMs = Annotated[int, _Syntax, _query(validation.WAIT_MS)]
FanoutN = Annotated[int, _Syntax, _query(validation.FANOUT_N)]
FanoutMs = Annotated[int, _Syntax, _query(validation.FANOUT_MS)]
CpuN = Annotated[int, _Syntax, _query(validation.CPU_N)]
ItemId = Annotated[
    int,
    _Syntax,
    Path(alias="id", ge=validation.ITEM_ID.minimum, le=validation.ITEM_ID.maximum),
]
