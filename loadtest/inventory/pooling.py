"""A connection pooler between services and Postgres: whether there is one, and for how many.

POOLER names it, for every service. POOLER_SIZE is how many connections of Postgres a service can
have through it. A level of an experiment that sets POOLER_SIZE puts the pooler there, or takes it
away with 0. At the pooler a service asks for a database that stands for a pool of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from loadtest.inventory.budgets import BudgetError
from loadtest.model.experiment import Experiment

POOLER_VARIABLE = "POOLER"
PGBOUNCER = "pgbouncer"
SIZE = "POOLER_SIZE"
USUAL_SIZE = 40  # as many as an event loop has in the budget `typical`
LARGEST = 200  # services/pgbouncer/start has a database of each size up to this
CLIENTS = 5000  # connections of services that it accepts

Variables = Mapping[str, str]


def usual(variables: Variables | None = None) -> int:
    """Connections of Postgres for each service through the pooler; 0 where there is none."""
    given = os.environ if variables is None else variables
    name = given.get(POOLER_VARIABLE, "")
    if not name:
        return 0
    if name != PGBOUNCER:
        raise BudgetError(f"{POOLER_VARIABLE} is {name!r}; there is: {PGBOUNCER}")
    return _number("", given.get(SIZE) or str(USUAL_SIZE), least=1)


def size(settings: Variables, where: str = "a level") -> int:
    """The same for a service under the settings of a level."""
    return _number(f"{where}: ", settings[SIZE]) if SIZE in settings else usual()


def database(service: str, settings: Variables) -> str:
    """What the service asks the pooler for: its own pool, or one of the level's size."""
    return settings.get(SIZE, service)


def needed(experiments: Iterable[Experiment]) -> bool:
    """Whether any service of a run is behind the pooler at any time."""
    return bool(usual()) or any(
        size(level.settings_of(service))
        for each in experiments
        for level in each.levels
        for service in each.services
    )


def words(size_now: int | None = None) -> str:
    """The variables that ask for a pooler of that size, before a command; nothing without one."""
    found = usual() if size_now is None else size_now
    return f"{POOLER_VARIABLE}={PGBOUNCER} {SIZE}={found} " if found else ""


def require_same(size_before: int) -> None:
    """Raise BudgetError where a run goes on that began with another pooler, or with none."""
    if size_before != usual():
        before = words(size_before) or f"{POOLER_VARIABLE}= "
        raise BudgetError(
            f"the run began {'with' if size_before else 'without'} a pooler; go on with it so: "
            f"{before}make compare RESUME=…"
        )


def limit(settings: Variables) -> dict[str, int]:
    """What it adds to a service's /about, for who predicts how much it can answer."""
    found = size(settings)
    return {"pooler_size": found} if found else {}


def _number(where: str, text: str, least: int = 0) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= LARGEST):
        raise BudgetError(
            f"{where}{SIZE} is {text!r}; set it to a whole number from {least} to {LARGEST}"
        )
    return int(text)
