"""Room on Postgres: the connections that services may open together, and who makes way."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from loadtest.inventory import pooling
from loadtest.inventory.budgets import SPARE_CONNECTIONS, BudgetError, Demand
from loadtest.inventory.manifest import Service
from loadtest.model.experiment import Experiment


def asked(experiment: Experiment, services: Mapping[str, Service]) -> dict[str, int]:
    """The most connections of Postgres that each service of the experiment may hold at a time.

    It runs as declared while it is checked, then under the settings of each level that it takes.
    Those that a pooler has opened for it stay beside those that it opens itself.
    """
    return {name: _most(services[name], experiment) for name in experiment.services}


def check(experiment: Experiment, services: Mapping[str, Service], allowed: int) -> None:
    """Raise BudgetError where the experiment's services alone ask for too many connections."""
    _check_clients(experiment, services)
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


def _check_clients(experiment: Experiment, services: Mapping[str, Service]) -> None:
    """Raise BudgetError where they ask the pooler for more than it accepts."""
    for level in experiment.levels:
        asked_of_it = 0
        for name in experiment.services:
            settings = level.settings_of(name)
            if pooling.size(settings):
                asked_of_it += Demand.of(services[name]).under(settings).connections
        if asked_of_it > pooling.CLIENTS:
            raise BudgetError(
                f"{experiment.name}: {level.label}: its services may open {asked_of_it:,} "
                f"connections to the pooler, which accepts {pooling.CLIENTS:,}; choose fewer "
                "services, or lower POOL_SIZE or WORKERS"
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
    beside = sum(declared(services[name]) for name in others)
    together = sum(asked(experiment, services).values()) + beside
    return others if together + SPARE_CONNECTIONS > allowed else []


def declared(service: Service) -> int:
    """The most connections of Postgres that the service may hold as it is declared."""
    found = Demand.of(service).connections
    return min(found, pooling.usual() or found)


def _most(service: Service, experiment: Experiment) -> int:
    by_pool = {pooling.usual(): declared(service)}  # 0: without a pooler
    for level in experiment.levels:
        if service.name not in level.without:
            where, settings = f"{experiment.name}: {level.label}", level.settings_of(service.name)
            wanted = Demand.of(service).under(settings, where).connections
            size = pooling.size(settings, where)
            by_pool[size] = max(by_pool.get(size, 0), min(wanted, size or wanted))
    return sum(by_pool.values())
