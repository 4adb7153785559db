"""What the load generator can make on this machine, before it is asked what a service can."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from loadtest.analysis.prediction import predict
from loadtest.model.experiment import Experiment
from loadtest.model.load import Load, LoadResult
from loadtest.run.ceiling import nullserver
from loadtest.run.forkserver import ForkServer
from loadtest.run.gates import GENERATOR_CPU
from loadtest.run.load import run
from loadtest.stats import histogram

CONNECTIONS = (1, 16, 64, 256, 1000)
USUAL = 64  # connections at which answers of other sizes are tried
QUICK = (16, 256)
# Requests a second that no load generator is the limit of: a tenth of what the lab's makes on one
# slow core.
SURE_RPS = 2000


@dataclass(frozen=True)
class Point:
    """One measurement: a scenario over so many connections.

    `answer_bytes` is the mean size of an answer with its head. Where `generator_cpu` is well
    under 1 the null server was the limit and the generator can do more than `rps`.
    """

    scenario: str
    parameters: Mapping[str, int]
    connections: int
    answer_bytes: float
    rps: float
    generator_cpu: float
    cpu_us_per_request: float
    p99_us: int

    @property
    def possible_rps(self) -> float:
        """What the generator makes with as much of a core as a valid trial may take.

        Computed from the generator's CPU time. A null server that had to wait for its core would
        lower the rate, but not this figure.
        """
        if not self.cpu_us_per_request:
            return self.rps
        return round(max(self.rps, GENERATOR_CPU * 1e6 / self.cpu_us_per_request), 1)


def needed(experiment: Experiment, services: Collection[Mapping[str, Any]]) -> bool:
    """Whether the generator could be the limit for one of `services`, each as its /about.

    It can't where every request waits and slots ÷ wait stays below `SURE_RPS`. Of the user's own
    services, `services` are what was seen when each was asked once, over a new connection.
    """
    if experiment.targets:
        most = max(level.load.connections for level in experiment.levels)
        return any(1000 * most / max(each["ms"], 1e-3) > SURE_RPS for each in services)
    foretold = [
        predict(about, level.load, level.scenario, level.parameters)
        for about in services
        for level in experiment.levels
    ]
    return experiment.restarts or any(each is None or each.rps > SURE_RPS for each in foretold)


Setting = tuple[str, dict[str, int], int]


def calibrate(
    *,
    load_cpus: Collection[int] | None = None,
    service_cpus: frozenset[int] | None = None,
    seconds: float = 1.0,
    quick: bool = False,
    forks: ForkServer | None = None,
    progress: Callable[[Point], None] = lambda _: None,
) -> dict[str, Any]:
    """Measure the ceiling by connections and by size of answer; the record for run.json.

    `ceiling_rps` in it is the lowest over the connections, with the small answers of /json. Raises
    LoadError or ProcessError.
    """
    points: list[Point] = []
    with contextlib.ExitStack() as stack:
        server = forks or stack.enter_context(ForkServer())
        folder = tempfile.TemporaryDirectory(prefix="lab-null-", dir=server.folder)
        place = Path(stack.enter_context(folder))
        url = stack.enter_context(nullserver.running(place, cpus=service_cpus))
        for scenario, parameters, connections in plan(quick=quick):
            point = _measure(url, scenario, parameters, connections, seconds, load_cpus, server)
            points.append(point)
            progress(point)
    return {
        "server": "nginx" if shutil.which("nginx") else "the lab's own",
        "ceiling_rps": ceiling(points),
        "points": [asdict(point) for point in points],
    }


def plan(*, quick: bool) -> list[Setting]:
    """Scenario, parameters and connections of each point."""
    if quick:
        return [("json", {}, connections) for connections in QUICK]
    by_connections: list[Setting] = [("json", {}, connections) for connections in CONNECTIONS]
    by_size: list[Setting] = [("plaintext", {}, USUAL)]
    by_size += [("items", {"limit": limit}, USUAL) for limit in nullserver.LIMITS]
    return by_connections + by_size


def ceiling(points: Collection[Point]) -> float:
    """Requests a second that the generator makes at least, over more than one connection.

    One connection measures the round trip and not the generator.
    """
    return min(
        point.possible_rps for point in points if point.scenario == "json" and point.connections > 1
    )


def _measure(
    url: str,
    scenario: str,
    parameters: dict[str, int],
    connections: int,
    seconds: float,
    cpus: Collection[int] | None,
    forks: ForkServer,
) -> Point:
    result = run(
        Load("closed", connections),
        target=url,
        service="null-server",
        scenario=scenario,
        parameters=parameters,
        warmup_s=0.3,
        duration_s=seconds,
        seed=1,
        cpus=cpus,
        forks=forks,
    )
    return _point(result, scenario, parameters, connections)


def _point(
    result: LoadResult, scenario: str, parameters: dict[str, int], connections: int
) -> Point:
    answered = max(result.answered, 1)
    return Point(
        scenario=scenario,
        parameters=parameters,
        connections=connections,
        answer_bytes=round(result.received_bytes / answered, 1),
        rps=round(result.goodput_rps, 1),
        generator_cpu=round(result.generator_cpu, 3),
        cpu_us_per_request=round(1e6 * result.generator_cpu * result.duration_s / answered, 2),
        p99_us=histogram.decode(result.response_us).get_value_at_percentile(99),
    )
