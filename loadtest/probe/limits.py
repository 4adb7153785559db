"""How much a probe may do: so many requests, connections and seconds, and no more."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from loadtest.errors import LabError
from loadtest.model.counts import number_of
from loadtest.system import descriptors

MOST_REQUESTS = 100_000
MOST_BYTES = 8_000_000_000  # of answers
SHORTEST_PROBE_S, LONGEST_PROBE_S = 5.0, 3600.0
MOST_CONNECTIONS = 10_000
LONGEST_ANSWER_S = 30.0
WARM_UP_S = 15.0  # so long a service may say 503 at first
IN_TIME = 0.8  # of the longest wait for an answer: so much of it a queue may take, as waits vary


class ProbeError(LabError):
    """The service can't be probed; the message says why, and what to do."""


@dataclass
class Allowance:
    """What a probe may spend, and what it has spent. It runs from when it is made."""

    seconds: float = 60.0
    connections: int = 256
    requests: int = MOST_REQUESTS
    sent: int = 0
    began: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        if not SHORTEST_PROBE_S <= self.seconds <= LONGEST_PROBE_S:
            raise ProbeError(
                f"--seconds {self.seconds:g}: give {SHORTEST_PROBE_S:g} to {LONGEST_PROBE_S:g}"
            )
        if not 1 <= self.connections <= MOST_CONNECTIONS:
            raise ProbeError(f"--connections {self.connections}: give 1 to {MOST_CONNECTIONS:,}")
        descriptors.require(self.connections)

    @property
    def timeout_s(self) -> float:
        """For one request."""
        return min(LONGEST_ANSWER_S, self.seconds / 2)

    @property
    def left_s(self) -> float:
        """Seconds to the end."""
        return self.seconds - self.spent_s

    @property
    def spent_s(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.began

    @property
    def used_up(self) -> bool:
        """Whether nothing more may be sent."""
        return self.left_s <= 0 or self.sent >= self.requests

    def narrow(self, size: int) -> None:
        """Answers have `size` bytes: no more of them than `MOST_BYTES` hold."""
        self.requests = min(self.requests, most_requests(size))

    def require_one_beside(self) -> None:
        """Raise ProbeError where no connection is left for a light request beside the others."""
        if self.connections < 2:
            raise ProbeError("what is asked beside needs a connection of its own: --connections 2")

    def stated(self) -> str:
        """What it is at most, as the user is told before it starts."""
        return (
            f"at most {number_of(self.requests, 'request')}, "
            f"{number_of(self.connections, 'connection')}, {self.seconds:g} s"
        )


def most_in_time(rps: float, timeout_s: float = LONGEST_ANSWER_S) -> int:
    """How many at once have their answers in time, where `rps` are answered a second."""
    return int(IN_TIME * timeout_s * rps)


def most_requests(size: int) -> int:
    """Requests of a probe at most, where answers have so many bytes."""
    return min(MOST_REQUESTS, max(20, MOST_BYTES // max(size, 1)))
