"""The live lab as a person uses it: start a load in Locust, ask Prometheus."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from loadtest.native import Lab
from tests.waiting import eventually


@dataclass(frozen=True)
class Watch:
    """Base URLs of Locust and Prometheus over a running lab."""

    ui: str
    prometheus: str
    lab: Lab

    def answers(self) -> bool:
        """Whether the interface is up."""
        try:
            return bool(self.statistics())
        except OSError:
            return False

    def start(self, *rows: str, users: int, **fields: str) -> dict[str, Any]:
        """Press Start; the answer of the interface."""
        form = [("user_classes", row) for row in rows]
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
        assert eventually(lambda: self.statistics()["state"] in ("stopped", "ready"))

    def statistics(self) -> dict[str, Any]:
        """What the statistics table shows."""
        answer: dict[str, Any] = self._locust("/stats/requests")
        return answer

    def requests(self, row: str) -> int:
        """Requests to the row in the statistics table."""
        return sum(
            entry["num_requests"]
            for entry in self.statistics()["stats"]
            if entry["name"].startswith(f"{row} ")
        )

    def names(self) -> set[str]:
        """The lines of the statistics table."""
        return {entry["name"] for entry in self.statistics()["stats"]}

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query."""
        parameters = urllib.parse.urlencode({"query": expression})
        answer = _get(f"{self.prometheus}/api/v1/query?{parameters}")
        assert answer["status"] == "success", answer
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def number(self, expression: str) -> float:
        """The one number of a query; 0 where there is no series."""
        found = self.query(f"sum({expression})")
        return float(found[0]["value"][1]) if found else 0.0

    def until_scraped(self) -> None:
        """Wait until every target has been read."""
        expected = len(self.lab.rows)
        assert eventually(
            lambda: self.number('up{job="rows"}') == expected and self.number("pg_up") == 1
        )

    def until_scraped_again(self) -> None:
        """Wait until every target has been read twice from now on, so once as it is now."""
        scrapes = 'min(count_over_time(up{job=~"rows|load"}[1h]))'
        wanted = self.number(scrapes) + 2
        assert eventually(lambda: self.number(scrapes) >= wanted)

    def _locust(self, path: str, data: bytes | None = None) -> Any:
        return _get(f"{self.ui}{path}", data)


def _get(url: str, data: bytes | None = None) -> Any:
    with urllib.request.urlopen(url, data, timeout=10) as response:
        return json.load(response)
