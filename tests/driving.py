"""Run the bare engine against a port for a moment, as the tests of the engine do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from loadtest import scenarios
from loadtest.engine import Engine
from loadtest.stream import Address, OpenStream, Stream, resolve
from loadtest.tally import Tally


def drive(
    port: int,
    *,
    connections: int = 1,
    seconds: float = 0.3,
    warmup_s: float = 0.0,
    scenario: str = "json",
    arrivals: Iterator[float] | None = None,
    address: Address | str | None = "",
    engine: Engine | None = None,
    **options: Any,
) -> Tally:
    """One window of load; the tally, after a check that no request is lost."""
    engine = engine or Engine()
    chosen = scenarios.choose(scenario)
    common: dict[str, Any] = {
        "service": "scripted",
        "scenario": scenario,
        "address": resolve("127.0.0.1", port) if address == "" else address,
        "traffic": chosen.traffic(f"127.0.0.1:{port}", chosen.filled({}), 1),
        **options,
    }
    stream = (
        Stream(engine, **common)
        if arrivals is None
        else OpenStream(engine, arrivals=arrivals, **common)
    )
    engine.add_stream(stream)
    for _ in range(connections):
        engine.add_connection(stream)
    engine.measure(warmup_s, seconds)
    engine.run(lambda: engine.measured)
    tally = engine.tallies[stream]
    engine.close()
    assert tally.sent == tally.answered + tally.failed + tally.unfinished
    assert tally.failed == sum(tally.errors.values())
    assert tally.response.total == tally.service_time.total == tally.answered + tally.failed
    return tally
