"""A probe that is kept as a file: what it asks for, and its service, started and stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from loadtest.backends.own import OwnServices
from loadtest.commands import fail_if
from loadtest.inventory.own_service import own_services
from loadtest.model.probe import PlannedProbe
from loadtest.plan import reader
from loadtest.plan.mistakes import ExperimentError
from loadtest.system.cpus import Cpus


def read(path: Path, overridden: Sequence[str]) -> PlannedProbe:
    """The probe of a file; raises ExperimentError.

    `overridden`: options of the command line for what stands in the file.
    """
    planned = reader.read_probe(path)
    if overridden:
        raise ExperimentError(f"{overridden[0]}: {path.name} says what is asked; write it there")
    for each in planned.fail_if:
        fail_if.condition(each, f"{path.name}: fail_if")
    return planned


@contextlib.contextmanager
def running(planned: PlannedProbe, logs: Path) -> Iterator[None]:
    """Its service until the block ends, on all cores, where it has a command; else nothing.

    Raises OwnServiceError or ProcessError where it does not come up.
    """
    starts = {planned.name: planned.start} if planned.start else {}
    services = own_services({planned.name: planned.target}, starts)
    with OwnServices(services, logs, Cpus(None, None)) as started:
        started.start(services)
        yield
