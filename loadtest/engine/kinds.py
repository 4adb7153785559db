"""The kinds of load: how requests arrive. A new kind is one class here, and a name in `KINDS`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from loadtest.engine.stream import OPENING_INTERVAL_S, OpenStream, Stream
from loadtest.errors import LabError
from loadtest.model.load import Load

if TYPE_CHECKING:
    from loadtest.engine.engine import Engine

_BATCH = 4096  # arrivals drawn at a time


class LoadKind(ABC):
    """One way in which requests arrive, and what the rest of the lab has to know of it.

    `sends` and `question` say in words what it does and what it is for. `scheduled`: requests are
    due at moments set beforehand, at the load's rate; response and service time differ. `holds`:
    requests are meant to outlast the window. `paced`: the service's answers alone set the pace, so
    the number of connections decides throughput.
    """

    name: ClassVar[str]
    sends: ClassVar[str]
    question: ClassVar[str]
    scheduled: ClassVar[bool] = False
    holds: ClassVar[bool] = False
    paced: ClassVar[bool] = False

    @abstractmethod
    def stream(self, engine: Engine, load: Load, seed: int, **options: Any) -> Stream:
        """The connections to one service; `options` are those that every `Stream` takes."""


class Closed(LoadKind):
    """Each connection sends as soon as it has its answer, or `think_s` seconds later."""

    name = "closed"
    sends = "N connections, each sends when it has its answer (after `think-ms`)"
    question = "How much can the service do?"
    paced = True

    def stream(self, engine: Engine, load: Load, seed: int, **options: Any) -> Stream:  # noqa: ARG002
        # Clients that pause ask at any time, not all at once and then all together again.
        spread_s = load.think_s / max(load.connections, 1)
        interval_s = max(spread_s, OPENING_INTERVAL_S)
        options |= {"think_s": load.think_s, "opening_interval_s": interval_s}
        return Stream(engine, requests_per_connection=load.requests_per_connection, **options)


class Open(LoadKind):
    """Seeded Poisson arrivals at `rate_rps`, over at most `connections` connections."""

    name = "open"
    sends = "at Poisson times from a seed, whatever the service does"
    question = "How long does a visitor wait?"
    scheduled = True

    def stream(self, engine: Engine, load: Load, seed: int, **options: Any) -> Stream:
        options |= {"arrivals": poisson(load.rate_rps or 1.0, seed)}
        return OpenStream(engine, requests_per_connection=load.requests_per_connection, **options)


class Held(Closed):
    """A closed load of slow requests: one in flight on each connection, all the time."""

    name = "held"
    sends = "N connections, each with one slow request in flight"
    question = "What does a waiting request cost?"
    holds = True
    paced = False


KINDS: Mapping[str, LoadKind] = {kind.name: kind for kind in (Closed(), Open(), Held())}


def poisson(rate_rps: float, seed: int) -> Iterator[float]:
    """Seconds from the start of the load to each arrival of a Poisson process, without end."""
    generator = np.random.default_rng(seed)
    now = 0.0
    while True:
        times = now + generator.exponential(1 / rate_rps, _BATCH).cumsum()
        now = float(times[-1])
        yield from times.tolist()


class LoadKindError(LabError):
    """There is no such kind of load; the message lists what there is."""


def kind_of(load: Load) -> LoadKind:
    """The kind of a load."""
    if load.kind not in KINDS:
        raise LoadKindError(f"unknown load {load.kind!r}; there are: {', '.join(KINDS)}")
    return KINDS[load.kind]
