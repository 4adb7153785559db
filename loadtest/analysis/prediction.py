"""What slots allow: for requests that wait L seconds, throughput cannot pass slots / L."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

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


def predict(
    about: Mapping[str, Any], load: Load, scenario: str, parameters: Mapping[str, int]
) -> Prediction | None:
    """The most requests a second that a service can answer, by its /about; None where none waits.

    A request that waits without the database needs what runs it alone: a thread, say.
    A request that fans out at once holds `n` slots together, in turn one after another; its L
    counts them all. The prediction names the limit that binds: the service's own
    (`slots_bound_by`), the client's connections, their pauses (`PAUSES`), the clients that the
    service accepts (`TAKEN`), or the offered rate.
    """
    chosen = scenarios.choose(scenario)
    filled = chosen.filled(parameters)
    held_s = chosen.holds_s(filled)
    latency_s = held_s or chosen.latency_s(filled)
    if latency_s is None:
        return None
    own = _holders(about) if held_s else (int(about["slots"]), str(about["slots_bound_by"]))
    if own is None:
        return None
    at_once = filled.get("n", 1) if about["fanout"] == "at once" and not held_s else 1
    asked = (load.connections * at_once, "connections")
    slots, bound_by = min(asked, own)
    rps = slots / latency_s
    if kind_of(load).scheduled and load.rate_rps is not None and load.rate_rps < rps:
        rps, bound_by = load.rate_rps, OFFERED
    clients = min(load.connections, _taken(about))
    asked_rps = clients / (latency_s / at_once + load.think_s)
    if load.think_s and asked_rps < rps:
        rps, bound_by = asked_rps, PAUSES if clients == load.connections else TAKEN
    return Prediction(rps=rps, slots=slots, bound_by=bound_by, latency_s=latency_s)


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
