"""What a probe saw and what it concludes: records, in seconds and requests a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from loadtest.backends.asking import SAFE
from loadtest.model.counts import were

PROBE_VERSION = 1
STOPPED_ANSWERING = "the service stopped answering"
ALL_SENT = "requests were sent"
LATE = "timeout"  # the engine's name of an answer that did not come in time
Bound = Literal[
    "slots", "cpu", "one at a time", "pool or upstream", "connections", "generator", "nothing yet"
]
Part = Literal["step", "wave", "measurement of the light request", "look at the end"]


@dataclass(frozen=True)
class Glance:
    """An answer seen before the load. `kept`: connections outlive answers. `size`: of the body.

    `connect_s` is for connection and TLS, `first_s` for the very first answer. `same`: two bodies
    were equal. `limit` is what the server says of a rate that it allows.
    """

    status: int
    version: str
    server: str
    size: int
    took_s: float
    first_s: float
    connect_s: float
    kept: bool
    same: bool
    limit: str = ""


@dataclass(frozen=True)
class Server:
    """What the operating system knows of the program that listens.

    `processes` take requests; `loop`: they wait in an event loop. `cores`: so many it may use.
    `one_core`: a process of it computes on one core at a time. `passes_on`: a proxy.
    `free_threaded`: a Python without a GIL.
    """

    program: str
    processes: int
    threads: int  # of one process before the load
    loop: bool
    cores: int
    one_core: bool = True
    passes_on: bool = False
    free_threaded: bool = False

    @property
    def threads_hold(self) -> bool:
        """Whether a thread of it holds one request at a time, as those of any Python do."""
        return self.one_core or self.free_threaded


@dataclass(frozen=True)
class Step:
    """What came back while `connections` asked, each as soon as it had its answer.

    `error` is the standard error of `rps` as a share. `least_s`: of the quickest answer, 0 where it
    is not known. `median_s` is None where requests that still waited
    could change it: then most of them queued, and `p50_s` and `p95_s` are of those that ended.
    `workers`: cores used by each of the server's processes, `generator` by the load, `others` by
    other programs; None or empty where that is out of sight, or one of its processes ended
    meanwhile. `threads`: of one process, at most, 0 where it is not known.
    `ready`: processes of it that computed or waited for a core, on average.
    `longest_pause_s`: the load's own loop stood still, at most, and `stood_still_s`, all in all.
    `paused_s`: a process of the server was stopped, None out of sight. `disturbed`: by what, beyond
    what a trial allows; `retaken`: what disturbed the measurements before this one.
    `taken`: requests that the server had read, in the median of looks. `unread`: those that waited
    unread, at the look with most of them.
    """

    connections: int
    lasted_s: float
    answered: int
    rps: float
    error: float
    mean_s: float
    spread_s: float
    p50_s: float
    p95_s: float
    median_s: float | None = None
    errors: Mapping[str, int] = field(default_factory=dict)
    reconnects: int = 0
    generator: float = 0.0
    workers: tuple[float, ...] = ()
    idle: float | None = None
    others: float | None = None
    threads: int = 0
    taken: int | None = None
    unread: int | None = None
    least_s: float = 0.0
    ready: float | None = None
    longest_pause_s: float = 0.0
    stood_still_s: float = 0.0
    paused_s: float | None = None
    disturbed: str = ""
    retaken: str = ""

    @property
    def failed(self) -> float:
        """The share of answers that were none, or wrong."""
        count = sum(self.errors.values())
        return count / (count + self.answered) if count else 0.0

    @property
    def late(self) -> bool:
        """Whether answers are missing for want of time alone: requests queue, or hang."""
        return set(self.errors) == {LATE} or not (self.answered or self.errors)

    @property
    def littles_s(self) -> float:
        """What a request takes on average where each connection always has one (Little's law)."""
        return self.connections / self.rps if self.rps else 0.0

    @property
    def server(self) -> float:
        """Cores that the server used."""
        return sum(self.workers)


@dataclass(frozen=True)
class Wave:
    """Requests that began together: how long each took that was answered; how many failed, why."""

    took_s: tuple[float, ...]
    failed: int = 0
    error: str = ""  # the most common one


@dataclass(frozen=True)
class Beside:
    """What a request to `url` waits: alone, and while the probed endpoint is full."""

    url: str
    connections: int  # on the probed endpoint
    alone_s: float
    p50_s: float
    longest_s: float
    answered: int
    failed: int


@dataclass(frozen=True)
class Disturbance:
    """A part of a probe that is no step, and what disturbed it. `again`: it was taken again."""

    part: Part
    by: str
    again: bool


@dataclass(frozen=True)
class Slots:
    """How many requests the server works on at once. `at_least`: it may be more.

    `waves`: requests that began together ended in groups of this size.
    """

    value: int
    low: int
    high: int
    at_least: bool = False
    waves: bool = False


@dataclass(frozen=True)
class Binding:
    """What sets the limit, and how that is known. `could_be`: what the same would look like."""

    name: Bound
    evidence: tuple[str, ...]
    could_be: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sighting:
    """Everything that was measured. `alone` is the first of `steps`: one request at a time."""

    url: str
    method: str
    glance: Glance
    steps: tuple[Step, ...]
    waves: tuple[Wave, ...] = ()
    server: Server | None = None
    beside: Beside | None = None
    limit: int = 0  # of connections
    cores: int = 1  # of this machine, on which the load or the server may run
    sent: int = 0
    light: int = 0  # of those that were sent: to the endpoint beside it
    lasted_s: float = 0.0
    ended: str = ""  # why it ended before its time
    changed: str = ""  # what was no longer so at the end
    unmeasured: tuple[str, ...] = ()  # parts that were left out, and why
    disturbances: tuple[Disturbance, ...] = ()
    processes_ended: int = 0  # of the server meanwhile, at least

    @property
    def alone(self) -> Step:
        """One request at a time."""
        return self.steps[0]

    @property
    def died(self) -> bool:
        """Whether the service was gone at the end."""
        return self.ended.startswith(STOPPED_ANSWERING)

    @property
    def all_sent(self) -> bool:
        """Whether it sent as many requests as a probe may."""
        return self.ended.endswith(ALL_SENT)


def sent_told(method: str, count: int) -> str:
    """How often something was changed: `1 POST request was sent.`; empty for what only reads."""
    return "" if method in SAFE else f"{were(count, f'{method} request')} sent."


@dataclass(frozen=True)
class Conclusion:
    """What is said of what was seen."""

    slots: Slots
    binding: Binding
    plateau_rps: float
    wait_s: float  # of a request that waits for no other
    sentences: tuple[str, ...]
    advice: tuple[str, ...]
    notes: tuple[str, ...] = ()


def document(seen: Sighting, said: Conclusion) -> dict[str, Any]:
    """The probe as JSON has it."""
    slots = asdict(said.slots)
    return {
        "url": seen.url,
        "method": seen.method,
        "wait_s": said.wait_s,
        "plateau_rps": said.plateau_rps,
        "slots": {name: slots[name] for name in ("value", "low", "high", "at_least")},
        "binds": said.binding.name,
        "could_be": list(said.binding.could_be),
        "evidence": list(said.binding.evidence),
        "advice": list(said.advice),
        "requests_sent": seen.sent,
        "sentences": list(said.sentences),
        "notes": list(said.notes),
        "beside": asdict(seen.beside) if seen.beside else None,
        "seen": asdict(seen),
        "version": PROBE_VERSION,
    }


def restored(found: Mapping[str, Any]) -> Sighting:
    """What was seen, out of a document; ValueError where it is none of this version."""
    if found.get("version") != PROBE_VERSION or not isinstance(found.get("seen"), dict):
        raise ValueError("it is no probe of this version")
    seen = dict(found["seen"])
    try:
        return Sighting(
            **seen
            | {
                "glance": Glance(**seen["glance"]),
                "steps": tuple(
                    Step(**each | {"workers": tuple(each["workers"])}) for each in seen["steps"]
                ),
                "waves": tuple(
                    Wave(**each | {"took_s": tuple(each["took_s"])}) for each in seen["waves"]
                ),
                "server": Server(**seen["server"]) if seen["server"] else None,
                "beside": Beside(**seen["beside"]) if seen["beside"] else None,
                "unmeasured": tuple(seen.get("unmeasured", ())),
                "disturbances": tuple(Disturbance(**each) for each in seen.get("disturbances", ())),
            }
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{error} is missing or wrong") from None
