"""The engine without Locust: `python -m benchmarks.bare_engine URL CONNECTIONS SECONDS`."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from loadtest.contract import scenarios
from loadtest.engine.engine import Engine
from loadtest.engine.stream import Stream
from loadtest.system.sockets import resolve


def main(url: str, connections: int, seconds: float) -> None:
    """Load `/json` and print the p99 response time."""
    parts, json = urlsplit(url), scenarios.choose("json")
    engine = Engine()
    stream = Stream(
        engine,
        service="null-server",
        scenario="json",
        address=resolve(parts.hostname or "", parts.port or 80),
        traffic=json.traffic(parts.netloc, {}, 1),
    )
    engine.add_stream(stream)
    for _ in range(connections):
        engine.add_connection(stream)
    engine.measure(0.2, seconds)
    engine.run(lambda: engine.measured)
    print(engine.tallies[stream].response.percentile_us(99) / 1000)
    engine.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
