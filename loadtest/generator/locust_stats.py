"""What the engine did, written into Locust's own tables a batch at a time."""

from __future__ import annotations

import time
from collections import Counter

from locust.stats import RequestStats, StatsEntry, StatsError, bucket_response_time

from loadtest.engine.tally import Batch
from loadtest.stats.histogram import Histogram, value_of
from loadtest.system import internals

internals.check(__name__)


def write(stats: RequestStats, batches: list[Batch]) -> None:
    """Add batches to `stats` the way Locust's master adds the reports of its workers."""
    for batch in batches:
        name = f"{batch.service} {batch.path}"
        entry = _entry(stats, name, batch)
        stats.total.extend(entry)
        stats.get(name, batch.method).extend(entry)
        for error, count in batch.errors.items():
            _add_error(stats, batch.method, name, error, count)


def _entry(stats: RequestStats, name: str, batch: Batch) -> StatsEntry:
    now = time.time()
    requests = batch.answered + batch.failed
    entry = StatsEntry(stats, name, batch.method)
    entry.start_time = stats.start_time
    entry.last_request_timestamp = now
    entry.num_requests = requests
    entry.num_failures = batch.failed
    entry.num_reqs_per_sec[int(now)] = requests
    entry.num_fail_per_sec[int(now)] = batch.failed
    entry.total_content_length = batch.bodies
    _add_latencies(entry, batch.response)
    return entry


def _add_latencies(entry: StatsEntry, histogram: Histogram) -> None:
    latencies = [(value_of(bucket) / 1000, count) for bucket, count in histogram.sparse().items()]
    if not latencies:
        return
    response_times: Counter[float] = Counter()
    for ms, count in latencies:
        response_times[_rounded(ms)] += count
    # Locust declares whole milliseconds; its arithmetic and its tables take fractions as well.
    vars(entry).update(
        min_response_time=latencies[0][0],
        max_response_time=latencies[-1][0],
        total_response_time=sum(ms * count for ms, count in latencies),
        response_times=response_times,
    )


def _rounded(ms: float) -> float:
    """Locust rounds to whole milliseconds, where most answers of a fast service become 0 or 1."""
    return round(ms, 1) if ms < 10 else bucket_response_time(ms)


def _add_error(stats: RequestStats, method: str, name: str, error: str, count: int) -> None:
    key = StatsError.create_key(method, name, error)
    known = stats.errors.setdefault(key, StatsError(method, name, error))
    known.occurred()
    known.occurrences += count - 1
