"""Room on Postgres: the connections that services may open together, and who makes way."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from loadtest.inventory.budgets import SPARE_CONNECTIONS, BudgetError, Demand
from loadtest.inventory.manifest import Service
from loadtest.model.experiment import Experiment


def asked(experiment: Experiment, services: Mapping[str, Service]) -> dict[str, int]:
    """The most connections that each service of the experiment may hold at a time.

    It runs as declared while it is checked, then under the settings of each level that it takes.
    """
    return {name: _most(services[name], experiment) for name in experiment.services}


def check(experiment: Experiment, services: Mapping[str, Service], allowed: int) -> None:
    """Raise BudgetError where the experiment's services alone ask for too many connections."""
    found = asked(experiment, services)
    total = sum(found.values()) + SPARE_CONNECTIONS
    if total > allowed:
        largest = sorted(found, key=lambda name: -found[name])[:3]
        raise BudgetError(
            f"{experiment.name}: its services may open {total - SPARE_CONNECTIONS:,} connections "
            f"at once ({', '.join(f'{name} {found[name]:,}' for name in largest)}"
            f"{', …' * (len(found) > len(largest))}) and {SPARE_CONNECTIONS} are kept for the lab, "
            f"but Postgres allows {allowed:,}; choose fewer services, lower POOL_SIZE or WORKERS "
            f"in its file or in the budget, or set POSTGRES_MAX_CONNECTIONS={total}"
        )


def in_the_way(
    experiment: Experiment,
    services: Mapping[str, Service],
    running: Collection[str],
    allowed: int,
) -> list[str]:
    """Those of `running` that have to stop before the experiment: it does not need them, and
    Postgres has no room for all.
    """
    others = [name for name in running if name not in experiment.services]
    beside = sum(Demand.of(services[name]).connections for name in others)
    together = sum(asked(experiment, services).values()) + beside
    return others if together + SPARE_CONNECTIONS > allowed else []


def _most(service: Service, experiment: Experiment) -> int:
    declared = Demand.of(service)
    under = [
        declared.under(level.settings_of(service.name), f"{experiment.name}: {level.label}")
        for level in experiment.levels
        if service.name not in level.without
    ]
    return max(each.connections for each in (declared, *under))
