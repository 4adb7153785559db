"""`size`: which workers, threads and pool a service needs, and the commands that try it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

import typer

from loadtest.commands.console import console
from loadtest.model.counts import number_of
from loadtest.stats.sizing import (
    KEPT_FOR_ADMINISTRATORS,
    ImpossibleError,
    Need,
    Size,
    Sizes,
    left_for_services,
    sizes,
)

TOKENS = 40  # threads that AnyIO gives the `def` endpoints of one process
EVENT_LOOP = "uvicorn app:app --workers {0.workers}"
THREADS = "gunicorn app:app --worker-class gthread --workers {0.workers} --threads {0.slots}"
PROCESSES = "gunicorn app:app --workers {0.workers}"
USUAL_WINDOW_S, LONGEST_WINDOW_S = 3.0, 60.0
IN_A_WINDOW = 800  # requests; a p95 needs 600, and they come at random


def size(
    rate: Annotated[float, typer.Option(help="Requests a second, at the peak.")],
    wait_ms: Annotated[float, typer.Option(help="What a request waits for others, in ms.")],
    cpu_ms: Annotated[float, typer.Option(help="CPU that a request takes, in ms.")],
    cores: Annotated[float, typer.Option(help="Cores for this service.")] = 1,
    database_ms: Annotated[
        float | None, typer.Option(help="How long it holds a connection; all its time if left out.")
    ] = None,
    max_connections: Annotated[int, typer.Option(help="Of the database.")] = 100,
    may_wait: Annotated[float, typer.Option(help="% of requests that find no slot free.")] = 1,
    cpu_limit: Annotated[float, typer.Option(help="% of each core that is planned.")] = 70,
) -> None:
    """Calculate workers, threads and pools for a rate; measures nothing."""
    need = Need(
        rate,
        wait_ms / 1000,
        cpu_ms / 1000,
        cores,
        None if database_ms is None else database_ms / 1000,
        max_connections,
        may_wait / 100,
        cpu_limit / 100,
    )
    try:
        lines = list(told(need))
    except ImpossibleError as error:
        console.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def told(need: Need) -> Iterator[str]:
    """The lines, from the numbers given to the commands that check them."""
    found = sizes(need)
    yield from _calculation(need, found.shared)
    yield ""
    yield from _deployments(need, found)
    yield ""
    yield from _checks(need, found.shared)


def _calculation(need: Need, size: Size) -> Iterator[str]:
    rate, most = f"{need.rate:,g}/s", f"{need.cpu_limit * 100:g} %"
    yield _line(
        "in hand", f"{rate} × {_ms(need.held_s)} = {need.in_hand:,.3g} requests, on average"
    )
    there = f"{need.cores:g} core{'s'[: need.cores != 1]}"
    yield _line("CPU", f"{rate} × {_ms(need.cpu_s)} = {need.busy_cores:.3g} of {there}")
    if need.cpu_s:
        yield _line(
            "", f"it allows {need.planned_rps:,.0f}/s at {most}, {need.most_rps:,.0f}/s at most"
        )
    yield _line(
        "workers", f"{size.workers}, as one process uses one core: up to {most} are planned"
    )
    if need.wait_s:
        late = f"{need.may_wait * 100:g} %"
        yield _line(
            "slots", f"{size.slots} a worker: with one less, over {late} would find none free"
        )
    if size.pool:
        share = f"max_connections {need.max_connections}, less {KEPT_FOR_ADMINISTRATORS}"
        yield _line("database", f"{size.connections} of {left_for_services(need)} ({share})")


def _deployments(need: Need, found: Sizes) -> Iterator[str]:
    shared = found.shared
    ways = (("async", EVENT_LOOP, shared), ("threads", THREADS, shared))
    for name, command, size in (*ways, ("processes", PROCESSES, found.processes)):
        yield _line(name, command.format(size))
        yield from (_line("", text) for text in _remarks(name, size, need))


def _remarks(name: str, size: Size, need: Need) -> Iterator[str]:
    if size.pool:
        yield f"pool of each worker: {size.pool}, with no overflow beyond it"
    if size.connections > left_for_services(need):
        yield f"not here: the database has {number_of(left_for_services(need), 'connection')}"
    if name == "async" and size.slots > TOKENS:
        yield f"`def` endpoints have {TOKENS} threads a worker: raise AnyIO's limit to {size.slots}"


def _checks(need: Need, size: Size) -> Iterator[str]:
    """A comparison as a file: both ways at the rate that they were sized for."""
    late_ms = f"{max(0.1, 2000 * need.held_s):.1f}"
    yield "In a file such as mine.toml, this checks them: make compare EXPERIMENTS=mine.toml"
    yield ""
    measure, window_s = _measured(need)
    yield f'measure = "{measure}"'
    yield f"duration_s = {window_s:g}"
    yield (
        f'load = {{ kind = "open", rate_rps = {need.rate:.10g}, '
        f"connections = {4 * size.workers * size.slots} }}"
    )
    if size.workers > 1:
        yield f"levels = [{{ cores = {math.ceil(need.cores)} }}]"
    yield f'fail_if = ["async > {late_ms}", "threads > {late_ms}"]  # twice a request alone'
    for name, command, port in (
        ("async", EVENT_LOOP, "--port 8101"),
        ("threads", THREADS, "--bind 127.0.0.1:8102"),
    ):
        yield ""
        yield f"[targets.{name}]"
        yield f'url = "http://127.0.0.1:{port[-4:]}/your/path"'
        yield f'start = "{command.format(size)} {port}"'


def _measured(need: Need) -> tuple[str, float]:
    """The measure, and how long a window has to be for it, in seconds.

    Where requests are too rare for a p95 it is the mean.
    """
    enough_s = math.ceil(IN_A_WINDOW / need.rate)
    measure = "p95_ms" if enough_s <= LONGEST_WINDOW_S else "mean_ms"
    return measure, min(max(USUAL_WINDOW_S, enough_s), LONGEST_WINDOW_S)


def _line(name: str, text: str) -> str:
    return f"{name:<10} {text}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.6g} ms"
