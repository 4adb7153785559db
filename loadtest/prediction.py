"""What slots allow: for requests that wait L seconds, throughput cannot pass slots / L."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loadtest.load import Load
from loadtest.trials import Prediction


def predict(
    about: Mapping[str, Any], load: Load, scenario: str, parameters: Mapping[str, int]
) -> Prediction | None:
    """The most that a row, as its /about declares it, can answer; None where nothing waits.

    `wait` holds one slot for `ms`. `fanout` makes `n` waits of `ms` in each request: the slots that
    one request holds at once are `n` where the row runs them at once, else one. What binds is the
    row's own limit (`slots_bound_by`), or the client's connections, or the offered rate.
    """
    waits = parameters.get("n", 1) if scenario == "fanout" else 1
    wait_s = parameters.get("ms", 0) / 1000
    if scenario not in ("wait", "fanout") or wait_s <= 0:
        return None
    at_once = waits if about["fanout"] == "at once" else 1
    asked = load.connections * at_once
    slots, bound_by = min((asked, "connections"), (int(about["slots"]), about["slots_bound_by"]))
    rps = slots / (waits * wait_s)
    if load.kind == "open" and load.rate_rps is not None and load.rate_rps < rps:
        rps, bound_by = load.rate_rps, "offered rate"
    return Prediction(rps=rps, slots=slots, bound_by=bound_by, latency_s=waits * wait_s)
