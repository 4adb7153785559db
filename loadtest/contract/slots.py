"""Check that a service handles as many requests at once as it declares."""

from __future__ import annotations

import contextlib
import http.client
import json
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg
from prometheus_client.parser import text_string_to_metric_families

from loadtest.contract.crowd import clients
from loadtest.contract.crowd.activity import Activity
from loadtest.errors import LabError
from loadtest.inventory import pooling
from loadtest.model.counts import number_of
from loadtest.system import urls

LOAD_TIMEOUT_S = 30.0
# The longer ones for a machine without idle CPU, on which a service takes its time to begin them.
SHORT_MS, LONG_MS = 400, 1600
SHORTEST_WAITS, LONGEST_BURST_S = 3, 15.0
ANSWERED_S = 90.0  # after a burst's last wave: a queue of short waits on a machine without CPU
CANARY_LIMIT_MS, DELAYED_MS = 5.0, 35.0
CANARY_GOES, CANARY_REQUESTS, CANARY_S = 8, 30, 20.0
SKEW_LIMIT = 1.5
_CONNECTIONS_A_WORKER, _REQUESTS_A_CONNECTION = 8, 6


class SlotError(LabError):
    """A service or its database gave no answer; the message says which and why."""


@dataclass(frozen=True)
class SlotReport:
    """What a service declares and what was seen.

    `observed`: the most queries of /wait that ran at once, under more requests than slots.
    `backends`: the most database sessions of the service. `keep_alive_p50_ms` is None where the
    service closes after each answer. `worker_requests`: of each worker process, under an even load.
    """

    service: str
    declared: int
    bound_by: str
    observed: int
    backends: int
    backends_allowed: int
    keep_alive_p50_ms: float | None
    worker_requests: Mapping[str, int] = field(default_factory=dict)

    @property
    def skew(self) -> float:
        """Busiest over idlest worker (none counts as one); 1 where there is but one worker."""
        counts = self.worker_requests.values()
        return max(counts) / max(1, min(counts)) if counts else 1.0

    @property
    def seen(self) -> dict[str, Any]:
        """What was seen, as run.json keeps it."""
        return {
            "slots": self.observed,
            "sessions": self.backends,
            "keep_alive_p50_ms": self.keep_alive_p50_ms,
            "worker_requests": sorted(self.worker_requests.values()),
        }

    @property
    def failures(self) -> tuple[str, ...]:
        """Why the service must not be timed."""
        return self.certain + self.doubtful

    @property
    def certain(self) -> tuple[str, ...]:
        """Failures that no lack of CPU explains: more at once than there may be."""
        found = []
        if self.observed > self.declared:
            found.append(self._other_slots)
        if self.backends > self.backends_allowed:
            found.append(
                f"{number_of(self.backends, 'database session')}, "
                f"but workers × pool is {self.backends_allowed}"
            )
        return tuple(found)

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Failures that a machine without idle CPU may cause as well: too few, too slow."""
        found = []
        if self.observed < self.declared:
            found.append(self._other_slots)
        if self.keep_alive_p50_ms is not None and self.keep_alive_p50_ms >= CANARY_LIMIT_MS:
            # Linux acknowledges 40 ms late what a server without TCP_NODELAY waits for.
            blame = ": is TCP_NODELAY off?" if self.keep_alive_p50_ms >= DELAYED_MS else ""
            found.append(
                f"a kept-alive /plaintext takes {self.keep_alive_p50_ms:.0f} ms (p50;"
                f" below {CANARY_LIMIT_MS:.0f} expected){blame}"
            )
        return tuple(found)

    @property
    def _other_slots(self) -> str:
        return (
            f"/about declares {number_of(self.declared, 'slot')} ({self.bound_by}),"
            f" but {number_of(self.observed, 'request')} waited at once"
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth knowing when reading the service's figures."""
        found = []
        if self.keep_alive_p50_ms is None:
            found.append("no keep-alive: every request opens a connection")
        if self.skew > SKEW_LIMIT:
            shares = ", ".join(map(str, self.seen["worker_requests"]))
            found.append(f"uneven workers: {shares} requests (at most {SKEW_LIMIT}× expected)")
        return tuple(found)


def observe(service_url: str, metrics_url: str, database_url: str, service: str) -> SlotReport:
    """Load a running service for a few seconds and see what it does; raises SlotError.

    With fewer slots than declared it takes a minute or two. No silence is waited out for longer
    than ANSWERED_S, so it ends within eight minutes where the service is silent.
    """
    try:
        about = json.loads(urls.read(f"{service_url}/about", LOAD_TIMEOUT_S))
        declared, bound_by = _declared(about)
        observed, backends = _at_once(service_url, database_url, service, declared)
        return SlotReport(
            service=service,
            declared=declared,
            bound_by=bound_by,
            observed=observed,
            backends=backends,
            backends_allowed=int(about["workers"]) * int(about["pool_size"]),
            keep_alive_p50_ms=canary_ms(service_url),
            worker_requests=_shares(service_url, metrics_url, about),
        )
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise SlotError(f"service {service}: {error or type(error).__name__}") from None
    except psycopg.Error as error:
        raise SlotError(f"service {service}: Postgres: {' '.join(str(error).split())}") from None


def _declared(about: Mapping[str, Any]) -> tuple[int, str]:
    """The service's slots and what binds them: what it says, or the pooler before it."""
    own = int(about["slots"]), str(about["slots_bound_by"])
    return min(own, (pooling.usual(), "pooler")) if pooling.usual() else own


def canary_ms(service_url: str) -> float | None:
    """Median time of /plaintext on one connection, from the first go that is below the limit.

    None without keep-alive. A server without TCP_NODELAY waits for the client's delayed
    acknowledgement: 40 ms in every go (github.com/Kludex/uvicorn, 3149). A busy machine is slow
    in some.
    """
    goes: list[float] = []
    until = time.monotonic() + CANARY_S
    while len(goes) < CANARY_GOES and min(goes, default=CANARY_LIMIT_MS) >= CANARY_LIMIT_MS:
        if goes and time.monotonic() > until:
            break
        go = _canary_go(service_url)
        if go is None:
            return None
        goes.append(go)
    return min(goes)


def _canary_go(service_url: str) -> float | None:
    until = time.monotonic() + LOAD_TIMEOUT_S
    took = []
    with contextlib.closing(http.client.HTTPConnection(urlsplit(service_url).netloc)) as connection:
        for _ in range(CANARY_REQUESTS):
            began = time.perf_counter()
            response = clients.answer(connection, "/plaintext", until)
            took.append(1000 * (time.perf_counter() - began))
            if response.will_close:
                return None
    return statistics.median(took)


def _at_once(service_url: str, database_url: str, service: str, slots: int) -> tuple[int, int]:
    """The most /wait queries and sessions ever seen at once, under far more requests than slots.

    Where short waits have not filled all slots at once, longer ones follow. What the short ones
    have shown stands without an answer to the others: a service with far fewer slots than it
    declares has a queue that is too long for it.
    """
    with Activity(database_url, service) as activity:
        _burst(service_url, SHORT_MS, activity, slots)
        if activity.waiting < slots:
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                _burst(service_url, LONG_MS, activity, slots)
    return activity.waiting, activity.sessions


def _burst(service_url: str, wait_ms: int, activity: Activity, slots: int) -> None:
    """Ask for waits until all slots have been full at once, at most LONGEST_BURST_S seconds.

    Every request has a new connection, because workers take connections unevenly.
    """
    began = time.monotonic()
    shortest_s = SHORTEST_WAITS * wait_ms / 1000

    def enough() -> bool:
        lasted = time.monotonic() - began
        return lasted > (LONGEST_BURST_S if activity.waiting < slots else shortest_s)

    clients.load(
        f"{service_url}/wait?ms={wait_ms}",
        clients=3 * slots + 4,
        enough=enough,
        requests=1,
        until=began + LONGEST_BURST_S + ANSWERED_S,
    )


def _shares(service_url: str, metrics_url: str, about: Mapping[str, Any]) -> dict[str, int]:
    """Requests of each worker while many connections, opened one by one, ask the same."""
    workers = int(about["workers"])
    if workers == 1:
        return {}
    before = _worker_requests(metrics_url)
    clients.load(
        f"{service_url}/wait?ms=10",
        clients=_CONNECTIONS_A_WORKER * workers,
        enough=lambda: True,
        requests=_REQUESTS_A_CONNECTION,
        until=time.monotonic() + ANSWERED_S,
    )
    after = _worker_requests(metrics_url)
    return {worker: count - before.get(worker, 0) for worker, count in after.items()}


def _worker_requests(metrics_url: str) -> dict[str, int]:
    metrics = urls.read(metrics_url, LOAD_TIMEOUT_S).decode()
    return {
        sample.labels["worker"]: int(sample.value)
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == "lab_worker_requests_total"
    }
