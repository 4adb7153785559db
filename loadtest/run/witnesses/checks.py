"""The gates of what was seen beside a trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from loadtest.model.load import LoadResult
from loadtest.model.trial import Gate
from loadtest.run.presence import Look
from loadtest.run.witnesses import database, generator, machine, network, requests, service
from loadtest.run.witnesses.observer import Seen

_OF_A_BUSY_MACHINE = (machine.MACHINE_TO_ITSELF, generator.KEPT_GOING)


def accepted(found: Sequence[Gate]) -> tuple[Gate, ...]:
    """The gates where a busy machine is accepted: what it disturbs passes, and says so."""
    return tuple(
        replace(each, passed=True, accepted=True)
        if each.name in _OF_A_BUSY_MACHINE and not each.passed
        else each
        for each in found
    )


def check(
    seen: Seen, loads: Sequence[LoadResult], counted: int | None, looks: Sequence[Look]
) -> tuple[Gate, ...]:
    """Whether anything from outside took part in the trial.

    `loads` are all that were put on the service, the measured one first; `counted` are the requests
    that it answered meanwhile.
    """
    measured = loads[0]
    window_s = measured.planned_s or measured.duration_s
    return (
        machine.to_itself(seen.machine, window_s),
        service.kept_running(seen.pauses, window_s),
        requests.only_ours(loads, counted),
        database.to_itself(measured, looks),
        network.arrived(seen.machine, measured),
    )
