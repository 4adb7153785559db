"""The live lab as a person uses it: start a load in Locust, ask Prometheus."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Any

import yaml

from loadtest.backends import prometheus
from loadtest.backends.native import Lab
from tests.waiting import eventually

# What every service shows to Prometheus, with its labels.
SERIES = {
    "http_server_request_duration_seconds_bucket": {
        *("http_request_method", "http_route", "http_response_status_code", "le"),
    },
    "http_server_request_duration_seconds_count": {
        *("http_request_method", "http_route", "http_response_status_code"),
    },
    "http_server_active_requests": set(),
    "lab_slots": set(),
    "lab_slots_busy": set(),
    "lab_accept_backlog": set(),
    "lab_scheduling_lag_seconds": {"kind"},
    "lab_threads": set(),
    "lab_processes": set(),
    "db_client_connection_count": {"state"},
    "db_client_connection_max": set(),
    "db_client_connection_pending_requests": set(),
    "db_client_connection_wait_time_seconds_bucket": {"le"},
    "lab_recent_request_duration_seconds": {"quantile"},
    "lab_recent_connection_wait_seconds": {"quantile"},
    "lab_process_cpu_seconds_total": set(),
    "lab_process_pss_bytes": set(),
    "lab_worker_requests_total": {"worker"},
    "lab_workers_ended_total": set(),
    "lab_build_info": {"framework", "server", "model", "language", "language_version"},
}

COUNTERS = ("_bucket", "_seconds_count", "_sum", "_total")


@dataclass(frozen=True)
class Series:
    """The raw samples of one series: moments in seconds since 1970, and a value at each."""

    name: str
    labels: dict[str, str]
    times: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Watch:
    """Base URLs of Locust and Prometheus over a running lab; `loaded`: services that had a load."""

    ui: str
    prometheus: str
    lab: Lab
    loaded: set[str] = field(default_factory=set)

    def answers(self) -> bool:
        """Whether the interface is up."""
        try:
            return bool(self.statistics())
        except OSError:
            return False

    def start(self, *services: str, users: int, **fields: str) -> dict[str, Any]:
        """Press Start; the answer of the interface."""
        self.loaded.update(services)
        form = [("user_classes", service) for service in services]
        form += [("user_count", str(users)), ("spawn_rate", "1000"), *fields.items()]
        data = urllib.parse.urlencode(form).encode()
        answer: dict[str, Any] = self._locust("/swarm", data)
        return answer

    def stop(self) -> None:
        """Press Stop, and wait until every user is gone and Prometheus knows."""
        self.press_stop()
        self.until_scraped_again()

    def press_stop(self) -> None:
        """Press Stop, and wait until every user is gone."""
        self._locust("/stop", b"")
        assert eventually(self._stopped)

    def _stopped(self) -> bool:
        """Whether every user is gone; Locust itself waits a minute longer for a dead worker."""
        now = self.statistics()
        died = any(each["state"] == "missing" for each in now.get("workers", ()))
        return not now["user_count"] and (died or now["state"] in ("stopped", "ready"))

    def statistics(self) -> dict[str, Any]:
        """What the statistics table shows."""
        answer: dict[str, Any] = self._locust("/stats/requests")
        return answer

    def requests(self, service: str) -> int:
        """Requests to the service in the statistics table."""
        return sum(
            entry["num_requests"]
            for entry in self.statistics()["stats"]
            if entry["name"].startswith(f"{service} ")
        )

    def names(self) -> set[str]:
        """The lines of the statistics table."""
        return {entry["name"] for entry in self.statistics()["stats"]}

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The series of an instant query, at a moment in seconds since 1970 or now."""
        moment = {} if at is None else {"time": at}
        parameters = urllib.parse.urlencode({"query": expression, **moment})
        answer = _get(f"{self.prometheus}/api/v1/query?{parameters}")
        assert answer["status"] == "success", answer
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def samples(self, selector: str, begin: float, end: float) -> list[Series]:
        """Every sample that was scraped after `begin` and until `end` (seconds since 1970)."""
        window = f"{selector}[{round((end - begin) * 1000)}ms]"
        found = []
        for each in self.query(window, end):
            name = each["metric"].pop("__name__")
            times, values = zip(*each["values"], strict=True)
            found.append(Series(name, each["metric"], times, tuple(map(float, values))))
        return found

    def counters(self, selector: str, begin: float) -> list[Series]:
        """Every sample of a counter since `begin` (seconds since 1970)."""
        found = self.samples(selector, begin, time.time())
        return [series for series in found if series.name.endswith(COUNTERS)]

    def number(self, expression: str) -> float:
        """The one number of a query; 0 where there is no series."""
        found = self.query(f"sum({expression})")
        return float(found[0]["value"][1]) if found else 0.0

    def until_scraped(self) -> None:
        """Wait until every target has been read."""
        expected = len(self.lab.services)
        assert eventually(
            lambda: self.number('up{job="services"}') == expected and self.number("pg_up") == 1
        )

    def until_scraped_again(self) -> None:
        """Wait until every target has been read twice from now on, so once as it is now."""
        scrapes = 'min(sum_over_time(up{job=~"services|load"}[1h]))'
        wanted = self.number(scrapes) + 2
        assert eventually(lambda: self.number(scrapes) >= wanted)

    def _locust(self, path: str, data: bytes | None = None) -> Any:
        return _get(f"{self.ui}{path}", data)


def interval_s() -> float:
    """How often Prometheus is told to scrape."""
    document = yaml.safe_load((prometheus.CONFIGURATION / "prometheus.yml").read_text())
    return float(document["global"]["scrape_interval"].removesuffix("s"))


def _get(url: str, data: bytes | None = None) -> Any:
    with urllib.request.urlopen(url, data, timeout=30) as response:
        return json.load(response)
