from __future__ import annotations

from collections import Counter

import pytest

from loadtest.engine.tally import Batch

with pytest.MonkeyPatch.context() as _patch:
    _patch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")  # the other tests share this process
    from locust.stats import RequestStats, StatsEntry

    from loadtest.generator import locust_stats


def batch(latencies_ms: list[float], *, failed: int = 0, path: str = "/json") -> Batch:
    made = Batch("service", "json", "GET", path)
    made.response.add_seconds([ms / 1000 for ms in latencies_ms])
    made.answered, made.failed = len(latencies_ms) - failed, failed
    made.errors = Counter({"wrong body": failed}) if failed else Counter()
    made.bodies = 27 * len(latencies_ms)
    return made


def written(*batches: Batch) -> RequestStats:
    stats = RequestStats()
    locust_stats.write(stats, list(batches))
    return stats


def test_each_request_is_counted_once_in_its_service_and_once_in_the_total() -> None:
    stats = written(batch([1.0] * 30), batch([2.0] * 12, failed=2), batch([5.0] * 8, path="/wait"))
    assert stats.total.num_requests == 50
    assert stats.total.num_failures == 2
    assert stats.get("service /json", "GET").num_requests == 42
    assert stats.get("service /wait", "GET").num_requests == 8
    assert sum(stats.total.num_reqs_per_sec.values()) == 50
    assert sum(stats.total.response_times.values()) == 50


def test_errors_are_listed_by_kind() -> None:
    stats = written(batch([1.0] * 5, failed=2), batch([1.0] * 5, failed=3))
    (error,) = stats.errors.values()
    assert (error.name, error.error, error.occurrences) == ("service /json", "wrong body", 5)


def entry() -> StatsEntry:
    return written(batch([0.4] * 60 + [3.2] * 30 + [250.0] * 9 + [1400.0])).total


def test_percentiles_and_extremes() -> None:
    found = entry()
    assert found.get_response_time_percentile(0.5) == pytest.approx(0.4, abs=0.05)
    assert found.get_response_time_percentile(0.8) == pytest.approx(3.2, abs=0.05)
    assert found.get_response_time_percentile(0.95) == pytest.approx(250, abs=10)
    assert found.min_response_time == pytest.approx(0.4, rel=0.01)
    assert found.max_response_time == pytest.approx(1400, rel=0.01)
    mean = (0.4 * 60 + 3.2 * 30 + 250 * 9 + 1400) / 100
    assert found.avg_response_time == pytest.approx(mean, rel=0.01)
    assert found.avg_content_length == 27


def test_what_a_worker_reports_is_what_the_master_shows() -> None:
    """Locust's own serialisation and merging keep every count."""
    worker, master = written(batch([0.4] * 9 + [20.0], failed=1)), RequestStats()
    for report in worker.serialize_stats():
        received = StatsEntry.unserialize(report, master)
        master.get(received.name, received.method).extend(received)
        master.total.extend(received)
    assert master.total.num_requests == 10
    assert master.total.get_response_time_percentile(0.5) == pytest.approx(0.4, abs=0.05)
