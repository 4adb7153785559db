"""Path and query parameters: the contract's strict syntax, FastAPI's declared bounds."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BeforeValidator

from lab.contract import validation
from lab.contract.validation import Number


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


Limit = Annotated[int, _query(validation.LIMIT), _Syntax]
Offset = Annotated[int, _query(validation.OFFSET), _Syntax]
WaitMs = Annotated[int, _query(validation.WAIT_MS), _Syntax]
FanoutN = Annotated[int, _query(validation.FANOUT_N), _Syntax]
FanoutMs = Annotated[int, _query(validation.FANOUT_MS), _Syntax]
StreamN = Annotated[int, _query(validation.STREAM_N), _Syntax]
StreamMs = Annotated[int, _query(validation.STREAM_MS), _Syntax]
CpuN = Annotated[int, _query(validation.CPU_N), _Syntax]
ItemId = Annotated[
    int,
    Path(alias="id", ge=validation.ITEM_ID.minimum, le=validation.ITEM_ID.maximum),
    _Syntax,
]
