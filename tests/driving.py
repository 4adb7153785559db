"""Run the bare engine against a port for a moment, as the tests of the engine do."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

from loadtest.contract import scenarios
from loadtest.engine.engine import Engine
from loadtest.engine.request import Request, Traffic
from loadtest.engine.stream import OpenStream, Stream
from loadtest.engine.tally import Tally
from loadtest.system.sockets import Address, resolve
from tests.lying_servers import Script, serving

T = TypeVar("T")
TICK_S = 0.01
ATTEMPTS = 8  # a busy machine cannot keep a script; a wrong measurement fails every time


class UnstalledClock:
    """Seconds on a machine that never stalls: from one look to the next at most two ticks pass."""

    def __init__(self) -> None:
        self._looked = self._now = time.perf_counter()

    def __call__(self) -> float:
        looked = time.perf_counter()
        self._now += min(looked - self._looked, 2 * TICK_S)
        self._looked = looked
        return self._now


def unstalled() -> Engine:
    """An engine whose windows no stall of the machine eats, and which no stall has time out."""
    engine = Engine()
    engine.now = UnstalledClock()

    def tick(now: float) -> None:
        engine.at(now + TICK_S, tick)

    engine.at(engine.now(), tick)
    return engine


def stalling(after_s: float, lasts_s: float) -> Engine:
    """An engine whose machine stalls once, and at no other time."""
    engine, stalled_s = unstalled(), 0.0
    clock = engine.now

    def stall(_: float) -> None:
        nonlocal stalled_s
        stalled_s = lasts_s

    engine.now = lambda: clock() + stalled_s
    engine.at(engine.now() + after_s, stall)
    return engine


def measured_right(measure: Callable[[], None]) -> None:
    """Once at least, of so many attempts."""
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(AssertionError):
            measure()
            return
    measure()


def long_enough(
    attempt: Callable[[float], T], seen: Callable[[T], bool], first_s: float = 0.1
) -> T:
    """What came of a window in which enough was seen: each is twice as long as the last."""
    for power in range(7):
        found = attempt(first_s * 2**power)
        if seen(found):
            break
    return found


def driven(script: Script, least: int, **options: Any) -> Tally:
    """The tally of a window in which more than `least` answers came, right or wrong ones."""

    def attempt(seconds: float) -> Tally:
        with serving(script) as port:
            return drive(port, seconds=seconds, **options)

    return long_enough(attempt, lambda tally: tally.answered + tally.failed > least)


def uniform(rate_rps: float) -> Iterator[float]:
    """Arrivals that are evenly spaced, in seconds from the start of the load, without end."""
    return (number / rate_rps for number in itertools.count(1))


def drive(
    port: int,
    *,
    connections: int = 1,
    seconds: float = 0.15,
    warmup_s: float = 0.0,
    scenario: str = "json",
    arrivals: Iterator[float] | None = None,
    address: Address | str | None = "",
    engine: Engine | None = None,
    **options: Any,
) -> Tally:
    """One window of load; the tally, after a check that no request is lost."""
    engine = engine or unstalled()
    chosen = scenarios.choose(scenario)
    traffic = chosen.traffic(f"127.0.0.1:{port}", chosen.filled({}), 1)
    common: dict[str, Any] = {
        "service": "scripted",
        "scenario": scenario,
        "address": resolve("127.0.0.1", port) if address == "" else address,
        **options,
        "traffic": unsent(options.get("traffic", traffic)),
    }
    if arrivals is None:
        stream = Stream(engine, **common)
    else:
        stream = OpenStream(engine, arrivals=arrivals, **common)
    return measured(engine, stream, connections, warmup_s, seconds)


def unsent(traffic: Traffic) -> Traffic:
    """The same requests as no load has sent them: one that has counts for that load alone."""

    @cache
    def afresh(request: Request) -> Request:
        return replace(request, verified=None, verified_size=0, hits=0, series=None)

    return lambda: map(afresh, traffic())


def measured(
    engine: Engine, stream: Stream, connections: int, warmup_s: float, seconds: float
) -> Tally:
    """The tally of one window, after a check that no request is lost."""
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
