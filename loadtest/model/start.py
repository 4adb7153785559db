"""How somebody's own service is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Start:
    """A command that starts a service in `folder`; `ready`: a path that answers once it is up.

    `environment` comes on top of what every program gets.
    """

    command: tuple[str, ...]
    folder: str
    ready: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
