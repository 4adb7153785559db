"""What slots allow: for requests that wait L seconds, throughput cannot pass slots / L."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from loadtest.contract import scenarios
from loadtest.engine.kinds import kind_of
from loadtest.model.load import Load
from loadtest.model.trial import Prediction

PAUSES = "pauses of the clients"
TAKEN = "connections taken"
OFFERED = "offered rate"
# What runs one request at a time, by the service's model.
_HOLDERS = {"processes": "workers", "threads": "threads", "greenlets": "greenlets"}
LIMITS_OF_CLIENTS = frozenset({"connections", PAUSES, OFFERED})  # all others are the service's own


class Limit(NamedTuple):
    """`slots` of one kind, each of which a request holds for so many seconds."""

    slots: int
    each_s: float
    bound_by: str

    @property
    def rps(self) -> float:
        """The most requests a second that it lets through."""
        return self.slots / self.each_s


def predict(
    about: Mapping[str, Any], load: Load, scenario: str, parameters: Mapping[str, int]
) -> Prediction | None:
    """The most requests a second that a service can answer, by its /about; None where none waits.

    A request that waits without the database needs what runs it alone: a thread, say. An event loop
    takes up as many of those as come.
    A request that fans out at once takes as many of its worker's connections as it can. The
    prediction names the limit that binds: the service's own (`slots_bound_by`), the client's
    connections, their pauses (`PAUSES`), the clients that the service accepts (`TAKEN`), the
    pooler's connections (`pooler_size`), or the offered rate.
    """
    chosen = scenarios.choose(scenario)
    filled = chosen.filled(parameters)
    held_s = chosen.holds_s(filled)
    latency_s = held_s or chosen.latency_s(filled)
    if latency_s is None:
        return None
    if about["fanout"] == "at once" and not held_s:
        alone_s, own = _at_once(about, filled.get("n", 1), latency_s)
    else:
        alone_s, own = latency_s, _in_turn(about, latency_s, lasting=bool(held_s))
    pooler = [] if held_s else _pooler(about, latency_s)
    limits = [Limit(load.connections, alone_s, "connections"), *own, *pooler]
    slots, each_s, bound_by = min(limits, key=lambda limit: limit.rps)
    rps = slots / each_s
    if kind_of(load).scheduled and load.rate_rps is not None and load.rate_rps < rps:
        rps, bound_by = load.rate_rps, OFFERED
    clients = min(load.connections, _taken(about))
    asked_rps = clients / (alone_s + load.think_s)
    if load.think_s and asked_rps < rps:
        rps, bound_by = asked_rps, PAUSES if clients == load.connections else TAKEN
    return Prediction(rps=rps, slots=slots, bound_by=bound_by, latency_s=each_s)


def _pooler(about: Mapping[str, Any], latency_s: float) -> list[Limit]:
    """What a pooler before the service lets through; `latency_s`: of all its waits in turn."""
    return [Limit(about["pooler_size"], latency_s, "pooler")] if "pooler_size" in about else []


def _in_turn(about: Mapping[str, Any], latency_s: float, *, lasting: bool) -> list[Limit]:
    own = _holders(about) if lasting else (int(about["slots"]), str(about["slots_bound_by"]))
    return [Limit(own[0], latency_s, own[1])] if own else []


def _at_once(about: Mapping[str, Any], n: int, latency_s: float) -> tuple[float, list[Limit]]:
    """How long a request with `n` waits takes alone, and the service's own limits.

    `latency_s`: of all its waits in turn. It gets no more connections than its worker has. Each of
    them waits for a part of it; a thread, where that binds, waits for the whole.
    """
    slots, bound_by = int(about["slots"]), str(about["slots_bound_by"])
    workers = int(about.get("workers", 1))
    pool_size = int(about.get("pool_size", slots // workers))
    alone_s = latency_s / n * math.ceil(n / pool_size)
    pool = Limit(workers * pool_size, latency_s, "pool")
    return alone_s, [pool] if bound_by == "pool" else [Limit(slots, alone_s, bound_by), pool]


def _holders(about: Mapping[str, Any]) -> tuple[int, str] | None:
    """How many requests without the database a service runs at once, and what limits it.

    None for an event loop that awaits, which takes up as many as come.
    """
    if about["slots_bound_by"] == "event loop":
        return int(about["slots"]), "event loop"
    if about.get("model") not in _HOLDERS:
        return None
    return int(about["workers"]) * int(about["threads"]), _HOLDERS[about["model"]]


def _taken(about: Mapping[str, Any]) -> float:
    """How many clients a service talks with at once.

    A greenlet keeps its connection, also an idle one. When every greenlet has one, the service
    accepts no further client.
    """
    if about.get("model") == "greenlets":
        return float(about["workers"] * about["threads"])
    return math.inf
