"""An endpoint of anybody's service, as a load asks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """An endpoint of anybody's service: what is asked there, and what a right answer is."""

    url: str  # absolute, http or https, with path and query
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    status: int | None = None  # the expected one; None: any of 200 to 299
    content: str | None = None  # the exact body that is expected; None: any
    insecure: bool = False  # certificates are not checked
