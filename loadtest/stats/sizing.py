"""Workers, threads and pools from a rate, a wait, and CPU a request."""

from __future__ import annotations

import math
from dataclasses import dataclass

from loadtest.errors import LabError
from loadtest.model.counts import number_of
from loadtest.stats.queueing import slots_for

MOST_IN_HAND = 100_000  # more is a mistaken unit
KEPT_FOR_ADMINISTRATORS = 3  # superuser_reserved_connections, as Postgres has it by default
_SLACK = 1e-9  # what is lost where decimal fractions are multiplied


class SizingError(LabError):
    """A number makes no sense; the message names its option."""


class ImpossibleError(LabError):
    """No such service can do it here; the message says what is short, and what would do."""


@dataclass(frozen=True)
class Bounds:
    """From where to where a number makes sense, as its option has it."""

    option: str
    least: float
    most: float
    unit: str
    scale: float = 1  # of the option to the record: 1000 for milliseconds

    def check(self, value: float) -> None:
        """SizingError where `value`, in the record's unit, lies outside."""
        given = value * self.scale
        if not self.least - _SLACK <= given <= self.most + _SLACK:
            raise SizingError(
                f"{self.option} is {given:,.6g}: give {self.least:,} to {self.most:,} {self.unit}"
            )


_HOUR_MS = 3_600_000
_SENSIBLE = {
    "rate": Bounds("--rate", 0.001, 10_000_000, "requests a second"),
    "wait_s": Bounds("--wait-ms", 0, _HOUR_MS, "milliseconds", 1000),
    "cpu_s": Bounds("--cpu-ms", 0, _HOUR_MS, "milliseconds", 1000),
    "cores": Bounds("--cores", 0.01, 10_000, "cores"),
    "database_s": Bounds("--database-ms", 0, 2 * _HOUR_MS, "milliseconds", 1000),
    "max_connections": Bounds("--max-connections", 4, 1_000_000, "connections"),
    "may_wait": Bounds("--may-wait", 0.01, 50, "per cent", 100),
    "cpu_limit": Bounds("--cpu-limit", 1, 100, "per cent", 100),
}


@dataclass(frozen=True)
class Need:
    """What is asked of a service, and what it may use. Times in seconds, shares from 0 to 1."""

    rate: float  # requests a second, at the peak
    wait_s: float  # of one request, for a database or another service
    cpu_s: float  # of one request
    cores: float
    database_s: float | None = None  # how long it holds a connection; None: all its time
    max_connections: int = 100  # Postgres's default
    may_wait: float = 0.01  # share of requests that may find all slots taken
    cpu_limit: float = 0.7  # share of each core that is planned

    @property
    def held_s(self) -> float:
        """How long a request holds its slot."""
        return self.wait_s + self.cpu_s

    @property
    def in_hand(self) -> float:
        """Requests in hand at once, on average (Little's law)."""
        return self.rate * self.held_s

    @property
    def busy_cores(self) -> float:
        """Cores that the work keeps busy."""
        return self.rate * self.cpu_s

    @property
    def most_rps(self) -> float:
        """What the CPU allows at most, with every core full."""
        return self.cores / self.cpu_s if self.cpu_s else math.inf

    @property
    def planned_rps(self) -> float:
        """What the CPU allows within its limit."""
        return self.most_rps * self.cpu_limit


@dataclass(frozen=True)
class Size:
    """Workers, and what each of them has."""

    workers: int
    slots: int  # a worker
    pool: int  # connections of a worker; 0 where no database is asked

    @property
    def connections(self) -> int:
        """Database connections of all workers."""
        return self.workers * self.pool


@dataclass(frozen=True)
class Sizes:
    """One need, met in two ways: few workers of many slots, or many processes of one."""

    shared: Size
    processes: Size


def sizes(need: Need) -> Sizes:
    """What `need` takes. SizingError for a bad number, ImpossibleError where it can't be met."""
    _check(need)
    if need.busy_cores > need.cores * need.cpu_limit + _SLACK:
        raise ImpossibleError(_short_of_cpu(need))
    workers = max(1, math.ceil(need.busy_cores / need.cpu_limit - _SLACK))
    shared = _shared(need, workers)
    slots = _slots(need, need.in_hand)
    processes = Size(max(workers, slots), 1, 0 if need.database_s == 0 else 1)
    if _too_many(shared, need):
        raise ImpossibleError(_short_of_connections(need, shared))
    return Sizes(shared, processes)


def within_database(size: Size, need: Need) -> bool:
    """Whether the database takes all its connections."""
    return not _too_many(size, need)


def left_for_services(need: Need) -> int:
    """Connections that the database gives to others than its administrators."""
    return need.max_connections - KEPT_FOR_ADMINISTRATORS


def _shared(need: Need, workers: int) -> Size:
    """Each worker is sized by itself: it has its share of the requests and no other's slots."""
    slots = _slots(need, need.in_hand / workers)
    if need.database_s is None:
        return Size(workers, slots, slots)
    if not need.database_s:
        return Size(workers, slots, 0)
    pool = slots_for(need.rate * need.database_s / workers, need.may_wait)
    return Size(workers, slots, min(slots, pool))


def _slots(need: Need, in_hand: float) -> int:
    """Where nothing waits, a second slot in one process only shares its core."""
    return slots_for(in_hand, need.may_wait) if need.wait_s else 1


def _too_many(size: Size, need: Need) -> bool:
    return size.connections > left_for_services(need)


def _short_of_cpu(need: Need) -> str:
    cores = math.ceil(need.busy_cores / need.cpu_limit - _SLACK)
    return (
        f"impossible: {need.rate:,.6g} requests/s of {need.cpu_s * 1000:.3g} ms CPU keep "
        f"{need.busy_cores:.3g} cores busy, and {need.cpu_limit:.0%} of {need.cores:g} "
        f"are {need.cores * need.cpu_limit:.3g}; plan at most {need.planned_rps:,.3g} requests/s, "
        f"or {number_of(cores, 'core')}, or less CPU a request"
    )


def _short_of_connections(need: Need, size: Size) -> str:
    left = left_for_services(need)
    return (
        f"impossible: {size.workers} × {size.pool} connections (workers × pool) are "
        f"{size.connections}, and the database has {left} for services "
        f"(max_connections {need.max_connections}, {KEPT_FOR_ADMINISTRATORS} kept for "
        "administrators); hold connections for less time (--database-ms), or raise "
        "--max-connections"
    )


def _check(need: Need) -> None:
    for name, bounds in _SENSIBLE.items():
        value = getattr(need, name)
        if value is not None:
            bounds.check(value)
    if not need.held_s:
        raise SizingError("--wait-ms and --cpu-ms are both 0; measure one of them first")
    if need.database_s is not None and need.database_s > need.held_s + _SLACK:
        raise SizingError("--database-ms is more than --wait-ms and --cpu-ms together")
    if need.in_hand > MOST_IN_HAND:
        raise SizingError(
            f"--rate × --wait-ms is {need.in_hand:,.0f} requests in hand, more than "
            f"{MOST_IN_HAND:,}; is a unit wrong?"
        )
