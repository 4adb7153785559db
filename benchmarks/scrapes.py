"""How long each Python service's metrics take while all its slots are full: `make bench-scrapes`.

One service at a time, on one core with its Postgres and the load on the others: far more clients
than slots ask for /wait without a pause, and METRICS_PORT is asked once a second, on a connection
of its own as by Prometheus. The time is from connecting to the last byte.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import inf, nan
from statistics import mean, median, quantiles
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.progress import track

from benchmarks.services import WIDTH, pinned, table
from loadtest.contract import scenarios
from loadtest.engine.engine import Engine
from loadtest.engine.stream import Stream
from loadtest.inventory import manifest
from loadtest.inventory.manifest import Service
from loadtest.system import environment, urls
from loadtest.system.sockets import resolve

LIMIT_S = 0.1
TIMEOUT_S = 10.0
WAIT_MS = 100
USERS_A_SLOT = 4
FILLING_S = 10.0
FULL = 0.95  # on average: between two requests a slot is free for a moment
P99_NEEDS = 100  # scrapes


@dataclass(frozen=True)
class Scrape:
    """One look at a service's metrics: how long it took, and the share of the slots that it saw
    taken.

    One that failed took for ever, and saw nothing.
    """

    seconds: float
    busy: float


def scrape(url: str) -> Scrape:
    """Ask for the metrics once."""
    begin = time.perf_counter()
    try:
        text = urls.read(url, TIMEOUT_S).decode()
    except OSError:
        return Scrape(inf, nan)
    return Scrape(time.perf_counter() - begin, busy(text))


def busy(metrics: str) -> float:
    """Share of the slots that are taken; 1 where somebody waits for one."""
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            found[sample.name] += sample.value  # type: ignore[assignment]
    waiting = found["lab_accept_backlog"] + found["db_client_connection_pending_requests"]
    if waiting or not found["lab_slots"]:
        return float(waiting > 0)
    return found["lab_slots_busy"] / found["lab_slots"]


def watch(url: str, seconds: float) -> list[Scrape]:
    """Wait until the service is full, then ask once a second."""
    begin = time.monotonic()
    while not scrape(url).busy >= FULL and time.monotonic() < begin + FILLING_S:
        time.sleep(0.1)
    begin, found = time.monotonic(), []
    for number in range(1, round(seconds) + 1):
        time.sleep(max(0.0, begin + number - time.monotonic()))
        found.append(scrape(url))
    return found


def measure(service: Service, seconds: float) -> list[Scrape]:
    """The scrapes of a service that runs for this alone."""
    with pinned({service.name: service}) as lab, ThreadPoolExecutor(1) as threads:
        running = lab.services[service.name]
        engine = Engine()
        stream = wait_at(engine, running)
        for _ in range(USERS_A_SLOT * slots(running)):
            engine.add_connection(stream)
        watching = threads.submit(watch, running.metrics_url(), seconds)
        engine.run(watching.done)
        engine.close()
        if failed := sum(batch.failed for batch in stream.take()):
            raise SystemExit(f"bench-scrapes: {service.name}: {failed} requests failed")
        return watching.result()


def in_one_process(service: Service) -> Service:
    """The service's threads in one worker: kept connections stay with the worker that took them,
    and
    one that got fewer than it has threads would never be full."""
    workers, threads = (service.environment.get(name, "") for name in ("WORKERS", "THREADS"))
    if workers == "1" or threads in ("", "1"):
        return service
    pool = int(workers) * int(service.environment["POOL_SIZE"])
    slots = int(workers) * int(threads)
    wanted = {"WORKERS": "1", "THREADS": str(slots), "POOL_SIZE": str(pool)}
    return replace(service, environment={**service.environment, **wanted})


def wait_at(engine: Engine, service: Service) -> Stream:
    """A closed load of /wait on the service, without a connection yet."""
    load, address = scenarios.choose("wait"), urlsplit(service.url())
    stream = Stream(
        engine,
        service=service.name,
        scenario="wait",
        address=resolve(address.hostname or "", address.port or 80),
        traffic=load.traffic(address.netloc, load.filled({"ms": WAIT_MS}), 1),
    )
    engine.add_stream(stream)
    return stream


def slots(service: Service) -> int:
    """What the service says it can have in hand at once."""
    return int(json.loads(urls.read(f"{service.url()}/about", TIMEOUT_S))["slots"])


def cells(scrapes: Sequence[Scrape]) -> list[str]:
    """Number; median, p99 (of enough) and worst in ms; mean share of slots taken; verdict."""
    times = [each.seconds for each in scrapes]
    p99 = quantiles(times, n=100)[98] if len(times) >= P99_NEEDS else None
    seen = [each.busy for each in scrapes if each.seconds < inf]
    taken = mean(seen) if seen else 0.0
    figures = [median(times), p99, max(times)]
    return [str(len(times)), *map(_ms, figures), f"{taken:.0%}", verdict(times, taken)]


def verdict(times: Sequence[float], taken: float) -> str:
    """Whether each scrape kept the limit, told only of a service whose slots were taken."""
    if taken < FULL:
        return "not full"
    late = sum(each >= LIMIT_S for each in times)
    return f"{late} too late" if late else "ok"


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else "failed" if seconds == inf else f"{seconds * 1000:.1f}"


def main() -> None:
    """Read the command line, then measure."""
    services = {
        n: service for n, service in manifest.load().items() if service.command[0] == "python"
    }
    parser = argparse.ArgumentParser(prog="bench-scrapes", description=__doc__)
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=f"of: {', '.join(services)}")
    parser.add_argument(
        "--seconds", type=int, default=60, help="of each service, a scrape each (60; p99 needs 100)"
    )
    chosen = parser.parse_args()
    if chosen.seconds < 1:
        parser.error("--seconds: give 1 or more")
    try:
        picked = manifest.choose(services, chosen.services or list(services))
    except manifest.ManifestError as error:
        raise SystemExit(f"bench-scrapes: {error}") from None
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    found = table(
        f"Scrapes of full services (goal: each below {LIMIT_S * 1000:.0f} ms)",
        ["service", "scrapes", "median, ms", "p99, ms", "worst, ms", "slots busy", ""],
    )
    try:
        for service in track(list(picked.values()), "full services, scraped", console=console):
            found.add_row(service.name, *cells(measure(in_one_process(service), chosen.seconds)))
    finally:
        console.print(found)


if __name__ == "__main__":
    environment.clean("benchmarks.scrapes")
    main()
