"""Services made ready for their first trial: built, started and checked, no earlier than needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from loadtest.backends.base import Backend
from loadtest.backends.readiness import about
from loadtest.contract.verification import Verified, verify
from loadtest.inventory import room
from loadtest.inventory.building import Building
from loadtest.inventory.builds import BuildError
from loadtest.model.experiment import Experiment


@dataclass(frozen=True)
class Arrival:
    """What became of a service that was needed.

    `wrong`: why it can't be timed; empty where it can. Then it `started`, or not even that.
    `observed`: its /about. `burst`: what its checks saw.
    """

    wrong: str = ""
    started: bool = True
    observed: Mapping[str, Any] = field(default_factory=dict)
    burst: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Readiness:
    """Makes services of `backend` ready; none of them twice. `say` tells what goes on.

    A service of `required` that can't be built is an error: it was asked for by name. `allowed` are
    the connections that Postgres has; without it nobody has to make way. With `accept_busy` a
    service is timed although a busy machine spoiled the check of its slots; a warning says so.
    """

    def __init__(
        self,
        backend: Backend,
        building: Building,
        say: Callable[[str], None],
        required: Sequence[str] = (),
        allowed: int | None = None,
        accept_busy: bool = False,
    ) -> None:
        self._backend = backend
        self._building = building
        self._say = say
        self._required = required
        self._allowed = allowed
        self._accept_busy = accept_busy
        self._known: set[str] = set()
        self._running: list[str] = []

    def of(self, names: Sequence[str]) -> dict[str, Arrival]:
        """Those of `names` that were not asked for before, ready where they can be.

        Raises BuildError for a required service. Who had to make way may run again.
        """
        self._running += [name for name in names if name in self._known - set(self._running)]
        new = [name for name in names if name not in self._known]
        self._known.update(new)
        absent = self._built(new)
        absent |= self._backend.start([name for name in new if name not in absent])
        there = [name for name in new if name not in absent]
        self._running += there
        found = {name: Arrival(reason, started=False) for name, reason in absent.items()}
        return found | self._checked(there)

    def make_way(self, experiment: Experiment) -> None:
        """Stop what the experiment does not need, where Postgres has no room for all.

        Whoever measures it later starts it again.
        """
        if self._allowed is None:
            return
        services = self._backend.services
        leaving = room.in_the_way(experiment, services, self._running, self._allowed)
        if leaving:
            self._say(f"stopping {', '.join(leaving)}: Postgres has no room for all services")
        for name in leaving:
            self._backend.stop(name)
            self._running.remove(name)

    def _built(self, names: Sequence[str]) -> dict[str, str]:
        if self._backend.name != "native":
            return {}
        unbuilt = [self._backend.services[name] for name in names]
        unbuilt = [service for service in unbuilt if service.build]
        if unbuilt:
            self._say(f"building {', '.join(service.name for service in unbuilt)}")
        reasons = self._building.finish(unbuilt)
        for name, reason in reasons.items():
            if name in self._required:
                raise BuildError(f"service {name}: {reason}")
        return reasons

    def _checked(self, names: Sequence[str]) -> dict[str, Arrival]:
        """Check their answers and slots side by side: most of the time they wait.

        One that fails is checked once more with nothing beside it.
        """
        if not names:
            return {}
        self._say(f"checking the answers of {', '.join(names)}")
        with ThreadPoolExecutor(len(names)) as pool:
            found = dict(zip(names, pool.map(self._verified, names), strict=True))
        for name in [each for each in names if found[each].failures and len(names) > 1]:
            found[name] = self._verified(name)
        return {name: self._arrival(name, each) for name, each in found.items()}

    def _verified(self, name: str) -> Verified:
        backend = self._backend
        return verify(backend.services[name], backend.name, backend.database_url)

    def _arrival(self, name: str, found: Verified) -> Arrival:
        if self._accept_busy:
            found = found.accepted(name)
        if found.failures:
            return Arrival(shortened(found.failures), warnings=found.warnings)
        observed = about(self._backend.services[name], self._backend.name)
        return Arrival(observed=observed, burst=found.seen, warnings=found.warnings)


def shortened(failures: Sequence[str], most: int = 3) -> str:
    """The first failures, and how many more there are."""
    more = f"; and {len(failures) - most} more" if len(failures) > most else ""
    return "; ".join(failures[:most]) + more
