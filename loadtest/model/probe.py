"""A probe that is kept as a file."""

from __future__ import annotations

from dataclasses import dataclass

from loadtest.model.start import Start
from loadtest.model.target import Target


@dataclass(frozen=True)
class PlannedProbe:
    """What is probed, how far it may go, and what fails it; `start`: how the service is started.

    `beside` is the URL or the path of a light endpoint, or empty. `where` names its origin.
    """

    where: str
    name: str
    target: Target
    start: Start | None
    seconds: float
    connections: int
    beside: str
    fail_if: tuple[str, ...]
    may_load: bool
