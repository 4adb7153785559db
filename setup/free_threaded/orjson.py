"""What the services use of orjson, by json: it has no release for a Python without the GIL."""

from __future__ import annotations

import json
from json import JSONDecodeError

__all__ = ["JSONDecodeError", "dumps", "loads"]


def loads(text: bytes) -> object:
    """The value of a JSON text in UTF-8; raises JSONDecodeError where it is none."""
    try:
        return json.loads(text.decode("utf-8"), parse_constant=_refuse)
    except (UnicodeDecodeError, RecursionError) as error:
        raise JSONDecodeError(str(error), "", 0) from None


def dumps(value: object) -> bytes:
    """A value as JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _refuse(constant: str) -> object:
    raise JSONDecodeError(f"{constant} is not JSON", "", 0)
