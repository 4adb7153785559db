"""The machine: whether the cores were the lab's own, and nothing held them back."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from loadtest.model.trial import Gate
from loadtest.model.witness import CoreTime, Machine
from loadtest.run.witnesses import procfs
from loadtest.run.witnesses.procfs import Core, Stat
from loadtest.system.cpus import Cpus, throttled_s

MACHINE_TO_ITSELF = "machine to itself"
# Of the window: by what share the figure may be too low. Up to 5 % the lab calls two figures
# equivalent.
LOST = 0.05
WATCHED = 0.8  # of the window: the lab itself may have been stopped meanwhile
LATE_S = 0.1  # what a reading may be late, on a busy machine, however short the window
SWAP_S = 0.001  # a page from swap takes at least a part of a millisecond, of a disk ten


@dataclass(frozen=True)
class Own:
    """CPU seconds of the lab's own processes so far: those on the services' cores, and the rest."""

    service_s: float
    load_s: float


@dataclass(frozen=True)
class Reading:
    """Counters at one moment, each growing for ever; `own` None where not all of it is in sight.

    `strangers`: CPU seconds of each program that is not the lab's, by its id; None where some of
    the machine's programs are out of sight.
    """

    at: float
    wall: float
    boot: float
    cores: Mapping[int, Core]
    own: Own | None
    throttled_s: float | None
    swapped_in: int | None
    memory_s: float | None
    cpu_s: float | None
    resent: int | None = None
    strangers: Mapping[int, float] | None = None
    begun: int | None = 0  # processes and threads, on the whole machine


def read(lab: Collection[int], services: Collection[int]) -> Reading:
    """Read everything now. All of the lab's processes descend from `lab` and `services`.

    Without `services` they run where the lab can't see them.
    """
    in_sight = bool(services) and procfs.all_in_sight()
    # One look at all: trees one after another take longer, and the cores go on meanwhile.
    seen = procfs.everything() if services else {}
    service, ours = procfs.below(services, seen), procfs.below(lab, seen)
    return Reading(
        at=time.monotonic(),
        wall=time.time(),
        boot=time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else 0.0,
        cores=procfs.cores(),
        own=_own(service, ours) if services else None,
        throttled_s=throttled_s(),
        swapped_in=procfs.swapped_in(),
        memory_s=procfs.pressure_s("memory"),
        cpu_s=procfs.pressure_s("cpu"),
        resent=procfs.resent(),
        strangers=_strangers(seen, {*service, *ours}) if in_sight else None,
        begun=procfs.begun(),
    )


def _strangers(seen: Mapping[int, Stat], own: Collection[int]) -> dict[int, float]:
    """But for threads of the kernel that work for whoever runs: that is the lab, as a rule."""
    return {pid: stat.cpu_s for pid, stat in seen.items() if pid not in own and not stat.serves}


def _own(service: Mapping[int, Stat], ours: Mapping[int, Stat]) -> Own:
    return Own(
        sum(stat.cpu_s for stat in service.values()),
        sum(stat.cpu_s for pid, stat in ours.items() if pid not in service),
    )


def between(
    before: Reading,
    after: Reading,
    cpus: Cpus,
    *,
    overslept_s: float = 0.0,
) -> Machine:
    """What happened from one reading to the next."""
    lasted_s = max(after.at - before.at, 1e-6)
    asleep_s = (after.boot - before.boot) - lasted_s if before.boot else 0.0
    own = _spent(before.own, after.own)
    used = _times(before, after, cpus.service, own.service_s if own else None)
    load = _times(before, after, cpus.load, own.load_s if own else None)
    if cpus.service == cpus.load:
        used = load = _times(before, after, cpus.load, own.service_s + own.load_s if own else None)
    ran_s = _ran_s(before.strangers, after.strangers, _counted(before.begun, after.begun))
    used, load = _at_most(used, ran_s), _at_most(load, ran_s)
    return Machine(
        lasted_s=lasted_s,
        service=used,
        load=load,
        throttled_s=_grown(before.throttled_s, after.throttled_s),
        swapped_in=_counted(before.swapped_in, after.swapped_in) or 0,
        memory_s=_grown(before.memory_s, after.memory_s),
        cpu_s=_grown(before.cpu_s, after.cpu_s),
        overslept_s=overslept_s,
        clock_s=abs((after.wall - before.wall) - lasted_s - asleep_s),
        asleep_s=asleep_s,
        resent=_counted(before.resent, after.resent),
    )


def _spent(before: Own | None, after: Own | None) -> Own | None:
    if before is None or after is None:
        return None
    return Own(after.service_s - before.service_s, after.load_s - before.load_s)


def _ran_s(
    before: Mapping[int, float] | None, after: Mapping[int, float] | None, begun: int | None
) -> float | None:
    """CPU seconds of other programs meanwhile, on whatever core; None where that is not known.

    A program that ends takes its time with it where its parent does not ask for it. Of those that
    were `begun` meanwhile, all have to be there still.
    """
    if before is None or after is None or before.keys() - after.keys():
        return None
    if begun is None or begun > len(after.keys() - before.keys()):
        return None
    return sum(max(0.0, cpu_s - before.get(pid, 0.0)) for pid, cpu_s in after.items())


def _at_most(times: CoreTime | None, ran_s: float | None) -> CoreTime | None:
    """Others took no more than they ran.

    What is left of a core's time beyond that is spent between programs: a core that falls asleep
    and is woken thousands of times a second is neither idle meanwhile nor anybody's.
    """
    if times is None or times.others_s is None or ran_s is None:
        return times
    return replace(times, others_s=min(times.others_s, ran_s))


def _grown(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else max(0.0, after - before)


def _counted(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else max(0, after - before)


def _times(
    before: Reading, after: Reading, cpus: frozenset[int] | None, own_s: float | None
) -> CoreTime | None:
    """The cores `cpus`, or all of them.

    An interrupt counts as the program's that it interrupts. One that comes while the core is idle
    is the lab's own traffic, as a rule: it is nobody's.
    """
    numbers = [each for each in (cpus or before.cores) if each in before.cores]
    if not numbers or not after.cores.keys() >= set(numbers):
        return None
    total_s = (after.at - before.at) * len(numbers)
    idle_s, interrupts_s, stolen_s = (
        sum(
            getattr(after.cores[each], name) - getattr(before.cores[each], name) for each in numbers
        )
        for name in ("idle_s", "interrupts_s", "stolen_s")
    )
    used_s = total_s - idle_s - stolen_s - interrupts_s * min(1.0, idle_s / total_s)
    others_s = None if own_s is None else max(0.0, used_s - own_s)
    return CoreTime(len(numbers), idle_s, stolen_s, others_s)


def lost(times: CoreTime | None, lasted_s: float) -> float:
    """By what share others can have lowered a figure that these cores limit.

    What they took of a core that had nothing left is lost. Of one that was idle for a time, the
    lab would have got it at another moment: the loss shrinks with the idle time, and a whole idle
    core leaves none.
    """
    if times is None or lasted_s <= 0:
        return 0.0
    wanted = max(0.0, 1.0 - times.idle_s / lasted_s)
    taken_s = (times.others_s or 0.0) * wanted + times.stolen_s
    return taken_s / (lasted_s * times.cores)


def losses(machine: Machine) -> dict[str, float]:
    """By what share of the window each thing can have lowered the figure."""
    lasted_s = machine.lasted_s
    cores = max((each.cores for each in (machine.service, machine.load) if each), default=1)
    waits_s = machine.memory_s or 0.0
    if machine.memory_s is None:
        waits_s = (machine.swapped_in or 0) * SWAP_S
    return {
        f"{_takers(machine.service)} on the services' core": lost(machine.service, lasted_s),
        f"{_takers(machine.load)} on the load's cores": lost(machine.load, lasted_s),
        "a quota of CPU": (machine.throttled_s or 0.0) / (lasted_s * cores),
        "waits for memory": waits_s / lasted_s,
        "a machine that stood still": machine.overslept_s / lasted_s,
        "a machine that slept": max(0.0, machine.asleep_s) / lasted_s,
        "a wall clock that was set": machine.clock_s / lasted_s,
    }


def _takers(times: CoreTime | None) -> str:
    """Who can have taken CPU: of programs that can't be told apart from the lab's, none counts."""
    return "a hypervisor" if times and times.others_s is None else "other programs"


def to_itself(machine: Machine | None, window_s: float = 0.0) -> Gate:
    """Whether nothing outside can have moved the figure by more than `LOST`.

    `window_s`: how long the window was; most of it has to have been watched.
    """
    if machine is None or not machine.lasted_s:
        return Gate(MACHINE_TO_ITSELF, True, None, LOST, "the machine was not watched")
    if window_s - machine.lasted_s > max((1 - WATCHED) * window_s, LATE_S):
        detail = f"only {machine.lasted_s:.2f} of {window_s:.2f} s of the window were watched"
        share = 1 - machine.lasted_s / window_s
        return Gate(MACHINE_TO_ITSELF, False, share, 1 - WATCHED, detail, disturbance=True)
    found = losses(machine)
    worst = max(found, key=lambda name: found[name])
    detail = f"{worst} took up to {found[worst]:.1%} of the window"
    if machine.culprits:
        named = (f"{name} {seconds:.1f} s" for name, seconds in machine.culprits.items())
        detail += f"; CPU of other programs since the trial began: {', '.join(named)}"
    return Gate(
        MACHINE_TO_ITSELF, found[worst] <= LOST, found[worst], LOST, detail, disturbance=True
    )
