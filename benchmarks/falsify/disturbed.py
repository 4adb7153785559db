"""Takes trials of a real lab, and does something to them."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.falsify import limits
from benchmarks.falsify.noticed import Outcome
from benchmarks.falsify.order import SERVICES, Place, order, planned
from benchmarks.falsify.scene import Disturbance, Scene
from loadtest.backends.native import Lab
from loadtest.inventory import manifest
from loadtest.model.experiment import Background, Level
from loadtest.model.load import Load, LoadResult
from loadtest.run.ceiling import calibrate
from loadtest.run.forkserver import ForkServer
from loadtest.run.measurement import Measurement
from loadtest.system import ports
from loadtest.system.paths import ROOT
from loadtest.system.processes import Processes, pinned, wait_until

Told = Callable[[int, int, Outcome], None]


class Disturbed(Measurement):
    """Takes trials, and does something to their windows."""

    through = 0  # the port of a proxy; 0: straight to the service
    act: Callable[[], object] | None = None

    def _target(self, service: str) -> str:
        straight = super()._target(service)
        return f"http://{ports.LOOPBACK}:{self.through}" if self.through else straight

    def _run(
        self,
        service: str,
        asked: Load,
        level: Level,
        warmup_s: float,
        duration_s: float,
        seed: int,
        entered: Callable[[str], None] | None = None,
        background: Background | None = None,
    ) -> LoadResult:
        take = partial(super()._run, service, asked, level, warmup_s, duration_s, seed)
        if entered is None:  # it practises
            return take(background=background)
        if self.act is None:
            return take(entered, background)
        act, acting = self.act, list[Future[object]]()

        def begun(phase: str) -> None:
            entered(phase)
            if phase == "measured":
                acting.append(beside.submit(act))

        with ThreadPoolExecutor(1) as beside:
            result = take(begun, background)
        for each in acting:
            each.result()  # raises what went wrong
        return result


def run(seed: int, rounds: int, chosen: Sequence[Disturbance], told: Told) -> list[Outcome]:
    """Every trial of the order, disturbed or not; each is `told` with its number and how many."""
    by_name: dict[str | None, Disturbance] = {each.name: each for each in chosen}
    places, outcomes = order(seed, rounds, chosen), list[Outcome]()
    while len(outcomes) < len(places):
        with _lab() as lab, pinned(lab.cpus.load), ForkServer() as forks:
            measuring = _measuring(lab, forks, seed)
            for place in places[len(outcomes) :]:
                disturbance = by_name.get(place.disturbance)
                outcomes.append(_one(measuring, lab, forks, place, disturbance))
                told(len(outcomes), len(places), outcomes[-1])
                if disturbance and disturbance.spoils:
                    break
    return outcomes


def _measuring(lab: Lab, forks: ForkServer, seed: int) -> Disturbed:
    found = calibrate.calibrate(
        load_cpus=lab.cpus.load, service_cpus=lab.cpus.service, quick=True, forks=forks
    )
    ceiling_rps = found["ceiling_rps"]
    return Disturbed(lab, run_id="falsify", seed=seed, ceiling_rps=ceiling_rps, forks=forks)


@contextlib.contextmanager
def _lab() -> Iterator[Lab]:
    """The lab's data lies on a small disk of its own where one can be made, so that it can fill."""
    services = manifest.choose(manifest.load(), list(SERVICES))
    with contextlib.ExitStack() as stack:
        state = None if limits.no_disk() else stack.enter_context(limits.small_disk())
        yield stack.enter_context(Lab(services, host_ports="free", state=state))


def _one(
    measuring: Disturbed,
    lab: Lab,
    forks: ForkServer,
    place: Place,
    disturbance: Disturbance | None,
) -> Outcome:
    taken = planned(place, disturbance.window_s if disturbance else None)
    assert forks.pid
    scene = Scene(lab, forks.pid, place.service, taken.experiment.duration_s)
    with contextlib.ExitStack() as stack:
        measuring.through, measuring.act = 0, None
        if place.proxied:
            fault = (disturbance.fault, disturbance.one_in) if disturbance else ("nothing", 1)
            measuring.through = stack.enter_context(proxied(scene.port, *fault, lab.cpus.load))
        if disturbance and disturbance.around:
            stack.enter_context(disturbance.around(scene))
        if disturbance and (act := disturbance.act):
            measuring.act = lambda: act(scene)
        trial = measuring.take(taken, 1)
    return Outcome(place.disturbance, f"{place.level} {place.proxied}", trial)


@contextlib.contextmanager
def proxied(port: int, fault: str, one_in: int, cpus: frozenset[int] | None) -> Iterator[int]:
    """A proxy before the service at `port`; yields its own port."""
    with (
        tempfile.TemporaryDirectory(prefix="lab-proxy-") as folder,
        ports.held(1) as (own,),
        Processes() as processes,
    ):
        arguments = [str(own), str(port), fault, str(one_in)]
        process = processes.start(
            "proxy",
            [sys.executable, "-m", "benchmarks.falsify.faulty_proxy", *arguments],
            log=Path(folder) / "log",
            cwd=ROOT,
            environment=os.environ,
            cpus=cpus,
        )
        wait_until(process, lambda: not _free(own), timeout_s=30, waiting_for="connection")
        yield own


def _free(port: int) -> bool:
    try:
        ports.require(port, "proxy", "")
    except ports.PortError:
        return False
    return True
