"""What disturbed a part of a probe: the load's own loop, the server's processes, the machine."""

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
    """Watches inside the block, while what takes `shortest_s` or more is measured.

    CPU of other programs is not judged here: what the server asks may be among them. A server that
    has started its processes anew is watched as it is now.
    """

    def __init__(self, engine: Engine, serving: Serving | None, shortest_s: float) -> None:
        self._engine = engine
        if serving:
            serving.look_anew()
        pids = serving.pids if serving else ()
        self._watcher = Watcher({"the server": pids}, shortest_s) if pids else None
        self._pauses: tuple[Pause, ...] | None = None
        self._machine = Machine(lasted_s=0.0)

    def __enter__(self) -> Witness:
        if self._watcher:
            self._watcher.start()
        self._before = machine.read((), ())
        self.window_begins()
        return self

    def window_begins(self) -> None:
        """A standstill of the load counts from now on; else from the block's beginning."""
        self._engine.standstill = Standstill()

    def __exit__(self, *_: object) -> None:
        cores = cpus.usable()
        self._machine = machine.between(self._before, machine.read((), ()), Cpus(cores, cores))
        if self._watcher:
            self._pauses = self._watcher.stop()

    def noted(self, step: Step) -> Step:
        """The step with what was seen beside it."""
        still = self._engine.standstill
        return replace(
            step,
            longest_pause_s=still.longest_s,
            stood_still_s=still.in_all_s,
            paused_s=None if self._pauses is None else self._paused_s,
            disturbed=self.disturbance(step.lasted_s),
        )

    def disturbance(self, lasted_s: float) -> str:
        """What took more of the block's `lasted_s` than a gate of a trial allows, or nothing."""
        still_s = self._engine.standstill.in_all_s
        return disturbance(lasted_s, still_s, self._pauses, self._machine)

    def held_up(self, longer_s: float) -> str:
        """What stopped for more than `longer_s`; empty where nothing did."""
        if self._engine.standstill.longest_s > longer_s:
            return LOAD_STOOD
        return SERVER_STOPPED if self._paused_s > longer_s else ""

    @property
    def _paused_s(self) -> float:
        return max((each.lasted_s for each in self._pauses or ()), default=0.0)


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
