"""The service's side of a trial: its own metrics, and Postgres's view of it."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
import urllib.error
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from types import TracebackType
from typing import Any, Protocol

import psycopg
from prometheus_client.parser import text_string_to_metric_families

from loadtest.model.trial import Sample
from loadtest.run.presence import Look
from loadtest.system import urls

INTERVAL_S = 1.0
DATABASE_WITHIN_S = 2
METRICS_WITHIN_S = 2.0
_CPU_S, _WORKERS_ENDED = "lab_process_cpu_seconds_total", "lab_workers_ended_total"
_UNREACHABLE = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)
_REQUESTS = "http_server_request_duration_seconds_count"
_OF_WORKER = "lab_worker_requests_total:"
_WANTED = (b"lab_", b"http_server_", b"db_client_")
_NOT_LOAD = ("/healthz", "/readyz", "/about")  # asked by who starts and watches the service
_SAMPLER, _EXPORTER = "lab-sampler", "postgres_exporter"
# Connections of the service, and sessions of other clients that do something now.
_BACKENDS = """
    SELECT count(*) FILTER (WHERE application_name = %s),
           count(*) FILTER (WHERE state = 'active' AND NOT application_name = ANY(%s))
    FROM pg_stat_activity WHERE backend_type = 'client backend'
"""


class ServiceSide(Protocol):
    """What sees a service while a trial goes on, as `Sampler` does."""

    def __enter__(self) -> ServiceSide: ...
    def __exit__(self, *_: Any) -> None: ...
    def look(self, _: str = "") -> None: ...
    def samples(self, started_at: str) -> tuple[Sample, ...]: ...
    def looks(self, started_at: str) -> Sequence[Look]: ...
    def counted(self) -> int | None: ...
    def by_worker(self) -> tuple[int, ...]: ...


@dataclass(frozen=True)
class _Fetched:
    """One look at the service as it came, by the wall clock; `text` None where none came.

    The text is parsed once somebody asks. That holds the interpreter, and what else the lab reads
    as a window begins or ends would be late.
    """

    began: float
    ended: float
    text: bytes | None
    away: bool
    database_connections: int | None
    foreign_sessions: int | None

    @property
    def at(self) -> float:
        return (self.began + self.ended) / 2

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        """Summed by name; empty where the look was in vain, as one is that finds no metrics."""
        try:
            return parse(
                b"\n".join(each for each in (self.text or b"").splitlines() if _wanted(each))
            )
        except (ValueError, IndexError):  # of the parser, for labels that are none
            return {}

    def look(self, start: float) -> Look:
        """What it says of the service's presence, timed from `start`."""
        found = self.metrics.get(_CPU_S), self.metrics.get(_WORKERS_ENDED)
        times = self.began - start, self.ended - start
        return Look(*times, *found, self.away, self.foreign_sessions)


class Sampler:
    """Reads `metrics_url` and pg_stat_activity in a thread while the context is open.

    Once every `interval_s`, and at once when `look` is called: so CPU time, which only grows, can
    be told of exactly the measured window.
    The first look is over when the context is open, the last one comes as it closes. A look that
    fails (a saturated event loop that serves its own metrics) leaves a gap, no error.
    What was seen is best asked for once the context is closed: only then are the texts parsed.
    `database_url` None leaves the connections out. `services` are whose sessions on Postgres are
    expected.
    """

    def __init__(
        self,
        service: str,
        metrics_url: str,
        database_url: str | None,
        interval_s: float = INTERVAL_S,
        *,
        services: Collection[str] = (),
    ) -> None:
        self._known = [*services, service, _SAMPLER, _EXPORTER]
        self._service = service
        self._metrics_url = metrics_url
        self._database_url = database_url
        self._interval_s = interval_s
        self._seen: list[_Fetched] = []
        self._first = threading.Event()
        self._wanted = threading.Event()
        self._done = False
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        self._first.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done = True
        self._wanted.set()
        self._thread.join()

    def look(self, _: str = "") -> None:
        """Read now, not when the next reading is due."""
        self._wanted.set()

    def samples(self, started_at: str) -> tuple[Sample, ...]:
        """What was seen, timed from `started_at` (ISO 8601), the first look left out."""
        start = datetime.fromisoformat(started_at).timestamp()
        return tuple(_sample(before, after, start) for before, after in pairwise(self._told()))

    def looks(self, started_at: str) -> tuple[Look, ...]:
        """Every look, those in vain included, timed from `started_at` (ISO 8601)."""
        start = datetime.fromisoformat(started_at).timestamp()
        return tuple(each.look(start) for each in self._seen)

    def counted(self) -> int | None:
        """How many requests the service has answered from the first look to the last.

        None where one of them failed, or it was another process that counted in the end.
        """
        ends = [each.metrics for each in (*self._seen[:1], *self._seen[-1:])]
        if not ends or any(_CPU_S not in each for each in ends):
            return None
        first, last = (each.get(_REQUESTS) for each in ends)
        begun = first or 0.0  # a service that has just started shows no count before its first
        return None if last is None or last < begun else int(last - begun)

    def by_worker(self) -> tuple[int, ...]:
        """How many of those each worker process has answered, the busiest first."""
        told = self._told()
        if not told:
            return ()
        first, last = told[0].metrics, told[-1].metrics
        found = (
            int(count - first.get(name, 0.0))
            for name, count in last.items()
            if name.startswith(_OF_WORKER)
        )
        return tuple(sorted(found, reverse=True))

    def _told(self) -> list[_Fetched]:
        """The looks that found metrics."""
        return [each for each in self._seen if each.metrics]

    def _run(self) -> None:
        with contextlib.ExitStack() as stack:
            connection = None
            try:
                connection = self._connect(stack)
                due = time.monotonic()
                self._look(connection)
            finally:
                self._first.set()
            last = False
            while not last:
                due = max(due + self._interval_s, time.monotonic())
                if self._wanted.wait(due - time.monotonic()):
                    self._wanted.clear()
                last = self._done  # asked first: a look that has begun does not see the end
                self._look(connection)

    def _look(self, connection: psycopg.Connection | None) -> None:
        # Before and after, as the metrics of a service that is full, or hangs, take their time.
        _, sooner = self._sessions(connection)
        began = time.time()
        text, away = self._fetch()
        ended = time.time()
        ours, later = self._sessions(connection)
        foreign = max((each for each in (sooner, later) if each is not None), default=None)
        self._seen.append(_Fetched(began, ended, text, away, ours, foreign))

    def _fetch(self) -> tuple[bytes | None, bool]:
        """What the service answers, None where it fails; whether nobody listened at all."""
        try:
            return urls.read(self._metrics_url, METRICS_WITHIN_S), False
        except (OSError, ValueError) as error:
            return None, _unreachable(error)

    def _connect(self, stack: contextlib.ExitStack) -> psycopg.Connection | None:
        if self._database_url is None:
            return None
        with contextlib.suppress(psycopg.OperationalError):
            return stack.enter_context(
                psycopg.connect(
                    self._database_url,
                    autocommit=True,
                    application_name=_SAMPLER,
                    connect_timeout=DATABASE_WITHIN_S,
                )
            )
        return None

    def _sessions(self, connection: psycopg.Connection | None) -> tuple[int | None, int | None]:
        if connection is None:
            return None, None
        try:
            found = connection.execute(_BACKENDS, [self._service, self._known]).fetchone()
        except psycopg.OperationalError:
            return None, None
        return (int(found[0]), int(found[1])) if found else (None, None)


def _wanted(line: bytes) -> bool:
    """Whether a line has what a trial tells; most are buckets, which take most of the time."""
    return line.startswith(_WANTED) and b"_bucket{" not in line


def scrape(url: str, timeout_s: float = METRICS_WITHIN_S) -> dict[str, float]:
    """Metrics at `url`, as `parse` sums them.

    Raises OSError where nothing answers and ValueError where the answer is no metrics.
    """
    return parse(urls.read(url, timeout_s))


def parse(text: bytes) -> dict[str, float]:
    """Metrics, summed over their labels by sample name; pool connections by state, and requests
    also by worker.

    Raises ValueError where the text is no metrics.
    """
    totals: dict[str, float] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            name = sample.name
            if "state" in sample.labels:
                name += ":" + sample.labels["state"]
            if sample.labels.get("http_route") in _NOT_LOAD:
                continue
            if "worker" in sample.labels:
                totals[f"{name}:{sample.labels['worker']}"] = sample.value
            if name == "lab_scheduling_lag_seconds":
                totals[name] = max(totals.get(name, 0.0), sample.value)
            else:
                totals[name] = totals.get(name, 0.0) + sample.value
    return totals


def _unreachable(error: Exception) -> bool:
    """Whether nobody listens there; a service that is slow, or answers badly, does."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(reason, socket.gaierror) or (
        isinstance(reason, OSError) and reason.errno in _UNREACHABLE
    )


def _sample(before: _Fetched, after: _Fetched, start: float) -> Sample:
    metrics = after.metrics
    spent = metrics.get(_CPU_S, 0.0) - before.metrics.get(_CPU_S, 0.0)
    return Sample(
        t=round(after.at - start, 3),
        cpu=round(max(0.0, spent) / max(after.at - before.at, 1e-6), 4),
        pss_bytes=int(metrics.get("lab_process_pss_bytes", 0)),
        threads=int(metrics.get("lab_threads", 0)),
        in_flight=metrics.get("http_server_active_requests"),
        scheduling_lag_s=metrics.get("lab_scheduling_lag_seconds"),
        pool_used=metrics.get("db_client_connection_count:used"),
        pool_pending=metrics.get("db_client_connection_pending_requests"),
        database_connections=after.database_connections,
        foreign_sessions=after.foreign_sessions,
    )
