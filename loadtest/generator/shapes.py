"""Loads that change by themselves, for the shape list of Locust's UI.

The form's number of users is the most they go to; they begin with one user a service.
"""

from __future__ import annotations

from typing import Any

from locust import LoadTestShape

from loadtest.generator import ramps
from loadtest.system import internals

internals.check(__name__)

SPAWN_RATE = 1000.0  # users a second: a step is meant to be steep


class _Ramp(LoadTestShape):
    abstract = True
    use_common_options = True

    runner: Any
    kind: type[ramps.Steps] | type[ramps.KneeSearch]

    def reset_time(self) -> None:
        """The test begins."""
        super().reset_time()  # type: ignore[no-untyped-call]
        environment = self.runner.environment
        most = int(environment.parsed_options.num_users or 1)
        self._ramp = self.kind(len(environment.user_classes), most)

    def tick(self) -> tuple[int, float] | None:
        """The number of users now; None ends the test."""
        total = self.runner.stats.total
        answered = int(total.num_requests - total.num_failures)
        users = self._ramp.users(self.get_run_time(), answered)  # type: ignore[no-untyped-call]
        return None if users is None else (users, SPAWN_RATE)


class StepUp(_Ramp):
    """Half as many users again every ten seconds, then the end."""

    abstract = False
    kind = ramps.Steps


class RampToTheKnee(_Ramp):
    """More users while that brings more right answers; then it holds them."""

    abstract = False
    kind = ramps.KneeSearch
