"""Puts one load on a service: a Locust of its own, and the window that it measured."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path

from loadtest.contract import own, scenarios
from loadtest.contract.own import REQUEST_VARIABLE
from loadtest.engine.kinds import kind_of
from loadtest.errors import LabError
from loadtest.model.experiment import Background
from loadtest.model.load import Load, LoadResult, restored
from loadtest.model.target import Target
from loadtest.run.forkserver import Fork, ForkServer, Order
from loadtest.system import descriptors, environment, ports
from loadtest.system.descriptors import DescriptorError
from loadtest.system.paths import LOCUSTFILE


class LoadError(LabError):
    """The load could not be made; the message says why."""


SPAWN_AT_ONCE = 1_000_000
LOAD_GRACE_S = 90.0
RESULT_POLL_S = 0.01
RESULT = "result.json"


def run(
    load: Load,
    *,
    target: str,
    service: str,
    scenario: str,
    parameters: Mapping[str, int],
    warmup_s: float,
    duration_s: float,
    seed: int,
    cpus: Collection[int] | None = None,
    ceiling_rps: float | None = None,
    backend: str = "native",
    timeout_s: float = 30.0,
    processes: int = 1,
    run_id: str = "",
    locustfile: Path = LOCUSTFILE,
    forks: ForkServer | None = None,
    entered: Callable[[str], None] = lambda _: None,
    request: Target | None = None,
    background: Background | None = None,
    requests_at_most: int | None = None,
) -> LoadResult:
    """Put `load` on `service` at `target` (base URL) in a Locust of its own and measure one window.

    With `request` (scenario "request") that is what is asked: scheme, host and port are of
    `target`, all else of `request`. With `background` a second load runs beside it, from the first
    connection to the end of the window; what it saw is the result's `beside`.

    Opening the connections and `warmup_s` seconds come first and are discarded. `cpus` pins the
    generator, `timeout_s` is for one request, `processes` shares connections and rate out.
    `ceiling_rps` and `run_id` go to the live metrics. `forks` makes the Locust; without it one is
    started for this load alone, which takes a second. `entered` is told "measured" and "done" as
    the window begins and ends, within `RESULT_POLL_S`. Nothing is sent after `requests_at_most`, in
    which a second load's count, and those that are sent again. Raises LoadError, ScenarioError for
    a scenario or parameter that does not exist, OwnRequestError for a request that can't be sent,
    or ProcessError.
    """
    asked = _asked(scenario, parameters, load, processes, background)
    asked |= _of_the_lab(warmup_s, duration_s, seed, timeout_s, requests_at_most)
    variables = _variables(f"{service}={target}", backend, run_id, ceiling_rps, request)
    forking: AbstractContextManager[ForkServer] = nullcontext(forks) if forks else ForkServer()
    with forking as server, _shared_out(processes) as shared:
        arguments = [*_arguments(locustfile, load, asked), *shared, service]
        return _carried_out(server, arguments, variables, cpus, warmup_s + duration_s, entered)


def _carried_out(
    server: ForkServer,
    arguments: list[str],
    variables: Mapping[str, str],
    cpus: Collection[int] | None,
    lasts_s: float,
    entered: Callable[[str], None],
) -> LoadResult:
    """The result of a Locust with these arguments and variables; the last argument names the
    service.
    """
    with tempfile.TemporaryDirectory(prefix="lab-load-", dir=server.folder) as folder:
        path = Path(folder) / RESULT
        order = Order(
            [f"--lab-result={path}", *arguments],
            environment.locust(path.parent) | dict(variables),
            str(path.with_name("locust.log")),
            sorted(cpus) if cpus else None,
        )
        with server.start(order) as fork:
            _await(fork, order, path, lasts_s + LOAD_GRACE_S, entered)
        return _read(path)


def _asked(
    name: str,
    parameters: Mapping[str, int],
    load: Load,
    processes: int,
    background: Background | None,
) -> dict[str, object]:
    """What is asked, if it can be asked by such loads."""
    chosen = scenarios.choose(name)
    values = chosen.filled(parameters)
    chosen.check(load)
    second = _second(background)
    _check(load, processes)
    return {"scenario": name, "parameters": _listed(values), "lab-background": second}


def _of_the_lab(
    warmup_s: float, duration_s: float, seed: int, timeout_s: float, requests_at_most: int | None
) -> dict[str, object]:
    return {
        "load-seed": seed,
        "request-timeout": timeout_s,
        "lab-warmup": warmup_s,
        "lab-duration": duration_s,
        "lab-requests": -1 if requests_at_most is None else requests_at_most,
    }


def _second(background: Background | None) -> str:
    """The second load as Locust's option has it, if it can be made; empty where there is none."""
    if background is None:
        return ""
    chosen = scenarios.choose(background.scenario)
    chosen.filled(background.parameters)
    chosen.check(background.load)
    _check(background.load, 1)
    return json.dumps(asdict(background))


def _variables(
    target: str, backend: str, run_id: str, ceiling_rps: float | None, request: Target | None
) -> dict[str, str]:
    own_request = {REQUEST_VARIABLE: own.as_variable(own.checked(request))} if request else {}
    return own_request | {
        "LAB_AUTOSTART": "",
        "LAB_BACKEND": backend,
        "LAB_TARGET": target,
        "LAB_RUN_ID": run_id,
        "LAB_CEILING_RPS": "" if ceiling_rps is None else str(ceiling_rps),
    }


def _listed(parameters: Mapping[str, int]) -> str:
    return ",".join(f"{name}={value}" for name, value in parameters.items())


def _arguments(locustfile: Path, load: Load, asked: Mapping[str, object]) -> list[str]:
    """Locust's arguments for the load, and for what is `asked` beside it."""
    options = {
        "users": load.connections,
        "spawn-rate": SPAWN_AT_ONCE,
        "load": load.kind,
        "rate": load.rate_rps or 0.0,
        "think-ms": load.think_s * 1000,
        "requests-per-connection": load.requests_per_connection or 0,
        **asked,
    }
    plain = ["--headless", "--only-summary", "--loglevel", "ERROR", "--exit-code-on-error", "0"]
    return [
        "-f",
        str(locustfile),
        *plain,
        *(f"--{name}={value}" for name, value in options.items()),
    ]


@contextmanager
def _shared_out(processes: int) -> Iterator[list[str]]:
    """The arguments for a master and its workers, whose port is held meanwhile."""
    if processes <= 1:
        yield []
        return
    with ports.held(1) as (port,):
        bind = ["--master-bind-host", ports.LOOPBACK, f"--master-bind-port={port}"]
        yield [f"--processes={processes}", f"--master-port={port}", *bind]


def _check(load: Load, processes: int) -> None:
    if load.connections < 1:
        raise LoadError(f"a load needs at least 1 connection, has {load.connections}")
    if load.requests_per_connection is not None and load.requests_per_connection < 1:
        raise LoadError("a connection has at least 1 request; leave requests_per_connection out")
    if load.connections < processes:
        raise LoadError(f"{processes} processes need at least {processes} connections")
    if kind_of(load).scheduled and not (load.rate_rps and load.rate_rps > 0):
        raise LoadError(f"load {load.kind} needs a rate_rps above 0")
    try:
        descriptors.require(load.connections)
    except DescriptorError as error:
        raise LoadError(str(error)) from None


def _await(
    fork: Fork, order: Order, result: Path, at_most_s: float, entered: Callable[[str], None]
) -> None:
    """Wait for the result; Locust's own leave-taking after it is of no use."""
    deadline = time.monotonic() + at_most_s
    phases = ["measured", "done"]
    while (code := fork.code()) is None and not result.exists():
        while phases and result.with_name(phases[0]).exists():
            entered(phases.pop(0))
        if time.monotonic() > deadline:
            raise LoadError(
                f"the load on {order.arguments[-1]} did not end within {at_most_s:.0f} s: "
                f"{_said(order)}"
            )
        time.sleep(RESULT_POLL_S)
    for phase in phases:  # the result may have come between two looks
        if result.with_name(phase).exists():
            entered(phase)
    if code:
        raise LoadError(f"the load on {order.arguments[-1]} failed: {_said(order)}")


def _said(order: Order) -> str:
    """The last line of its log."""
    log = Path(order.log)
    said = log.read_text(errors="replace") if log.exists() else ""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1].rpartition("/ERROR/")[2] if lines else "no message"


def _read(path: Path) -> LoadResult:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        raise LoadError("the load ended without a result") from None
    return restored(found)
