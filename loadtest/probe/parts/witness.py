"""What disturbed a step: the load's own loop, the server's processes, the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from loadtest.engine.engine import Engine
from loadtest.engine.reactor import Standstill
from loadtest.model.witness import Machine, Pause
from loadtest.probe.processes import Serving
from loadtest.probe.record import Step
from loadtest.run.witnesses import generator, machine, service
from loadtest.run.witnesses.service import Watcher
from loadtest.system import cpus
from loadtest.system.cpus import Cpus

LOAD_STOOD, SERVER_STOPPED = "a load that stood still", "stopped processes of the server"


class Witness:
    """Watches inside the block, while a step of `shortest_s` or more is measured.

    CPU of other programs is not judged here: what the server asks may be among them.
    """

    def __init__(self, engine: Engine, serving: Serving | None, shortest_s: float) -> None:
        self._engine = engine
        self._watcher = Watcher({"the server": serving.pids}, shortest_s) if serving else None
        self._pauses: tuple[Pause, ...] | None = None
        self._machine = Machine(lasted_s=0.0)

    def __enter__(self) -> Witness:
        if self._watcher:
            self._watcher.start()
        self._before = machine.read((), ())
        return self

    def window_begins(self) -> None:
        """Only now does a standstill of the load count."""
        self._engine.standstill = Standstill()

    def __exit__(self, *_: object) -> None:
        cores = cpus.usable()
        self._machine = machine.between(self._before, machine.read((), ()), Cpus(cores, cores))
        if self._watcher:
            self._pauses = self._watcher.stop()

    def noted(self, step: Step) -> Step:
        """The step with what was seen beside it."""
        still, pauses = self._engine.standstill, self._pauses
        paused_s = max((each.lasted_s for each in pauses or ()), default=0.0)
        return replace(
            step,
            longest_pause_s=still.longest_s,
            stood_still_s=still.in_all_s,
            paused_s=None if pauses is None else paused_s,
            disturbed=disturbance(step.lasted_s, still.in_all_s, pauses, self._machine),
        )


def disturbance(
    lasted_s: float, stood_still_s: float, pauses: Sequence[Pause] | None, seen: Machine
) -> str:
    """What took more of a step than a gate of a trial allows; empty where nothing did."""
    if stood_still_s > generator.STOOD_STILL * lasted_s:
        return LOAD_STOOD
    if not service.kept_running(pauses, lasted_s).passed:
        return SERVER_STOPPED
    if not machine.to_itself(seen).passed:
        lost = machine.losses(seen)
        return max(lost, key=lost.__getitem__)
    return ""
