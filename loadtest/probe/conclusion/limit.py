"""A service at its limit: the steps that show it, and whether the CPU is what it lacks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from loadtest.probe import growth
from loadtest.probe.limits import most_in_time
from loadtest.probe.record import Server, Sighting, Slots, Step

FULL_CORE, FULL_MACHINE, FULL_LOAD = 0.85, 0.05, 0.85
ONE_CORE = 1.1  # cores: more than that no process uses whose threads compute in turn
BUSY_CORE = 0.6  # of a server whose requests wait for nothing: it waits for the load, or for cores
COUNTS_AS_BUSY = 0.3  # cores of a server on a machine that has none left
ANSWER_COSTS_CPU = 0.6  # of the wait is CPU: then more slots on one core give little
CROWDED_COSTS = 0.4  # the same where others made it wait for a core
STARVED_COSTS = 0.2  # the same of a server that never waits for anything but a core
ACTIVE = 0.1  # of the busiest process: less than that had nothing to do
SHORT, MOST_SHORT = 0.25, 0.5  # of the slots: by so much a rate may miss them on a crowded machine
LEAST_CPU_S = 0.05  # the kernel counts hundredths: less tells no cost
FEW_THREADS = 2  # with one that only watches the others: one computes at a time, GIL or not


@dataclass(frozen=True)
class Full:
    """The steps at which the service could do no more; `rps` is then its rate."""

    steps: tuple[Step, ...]
    rps: float
    slots: Slots

    @property
    def workers(self) -> tuple[float, ...]:
        """Cores used by each process of the server, at most."""
        known = [each.workers for each in self.steps if each.workers]
        return tuple(map(max, zip_longest(*known, fillvalue=0.0)))

    @property
    def server(self) -> float | None:
        """Cores used by the server, by the steps' answers."""
        known = [each for each in self.steps if each.workers]
        answers = sum(each.answered for each in known)
        return sum(each.server * each.answered for each in known) / answers if answers else None

    @property
    def cpu_s(self) -> float | None:
        """CPU seconds of the server for one answer."""
        used = self.server
        seen_s = sum(each.server * each.lasted_s for each in self.steps)
        return None if used is None or not self.rps or seen_s < LEAST_CPU_S else used / self.rps

    @property
    def ready(self) -> float | None:
        """Processes of the server that computed or waited for a core, by the steps' time."""
        known = [each for each in self.steps if each.ready is not None]
        lasted_s = sum(each.lasted_s for each in known)
        return (
            sum((each.ready or 0.0) * each.lasted_s for each in known) / lasted_s if known else None
        )

    @property
    def active(self) -> int:
        """Processes that had something to do: kept connections may all fall to one of them."""
        return sum(each >= ACTIVE * max(self.workers) > 0 for each in self.workers)

    @property
    def threads(self) -> int:
        """Of one process."""
        return max((each.threads for each in self.steps), default=0)

    @property
    def taken(self) -> int | None:
        """Requests that the server had read while far more were there for it."""
        known = [
            each.taken
            for each in self.steps
            if each.taken is not None and each.connections > self.slots.value
        ]
        return max(known) if known else None


def full(seen: Sighting, slots: Slots) -> Full | None:
    """The service at its limit; None where the probe did not reach it.

    A rate that was not seen to stop is at its limit, too, where the CPU for more is not there.
    """
    known = growth.sound(seen.steps)
    at = growth.plateau(seen.steps)
    if at is not None:
        later = tuple(each for each in known if each.connections >= at.begins)
        return Full(later, at.rps, slots)
    if not known:
        return None
    last = max(known, key=lambda each: each.connections)
    ending = Full((last,), last.rps, slots)
    return ending if not slots.at_least or _used_up(seen, ending) else None


def too_late(seen: Sighting) -> bool:
    """Whether the ramp ended because answers did not come in time: a queue, or all of them hang."""
    last = seen.steps[-1]
    return last.late and not growth.sound([last])


def goes_no_further(last: Step) -> bool:
    """Whether more at once than at this step could wait for longer than a probe does."""
    return 1 < last.connections >= most_in_time(last.rps)


def load_is_full(at: Full) -> bool:
    """Whether the load generator used its core up."""
    return max(each.generator for each in at.steps) >= FULL_LOAD


def cpu_is_full(seen: Sighting, at: Full) -> bool:
    """Whether the server used all the CPU that it can, or that others left it."""
    server, used, workers = seen.server, at.server, at.workers
    if server is None or used is None:
        return False
    one_core = on_one_core(server, at)
    if (one_core and max(workers) >= FULL_CORE) or used >= FULL_CORE * server.cores:
        return True
    if _wants_cores(seen, server, at, at.active):
        return True
    if not _computes(seen, at):
        return False
    if one_core and max(workers) >= BUSY_CORE:
        return True
    # It computes, and does no more of it: others have the cores, or it may not use them.
    return used >= COUNTS_AS_BUSY and (nothing_left(seen, at) or not load_is_full(at))


def on_one_core(server: Server, at: Full) -> bool:
    """Whether a process computes on one core at a time; without a GIL, where one thread works."""
    return server.one_core or (server.free_threaded and at.threads <= FEW_THREADS)


def one_core_is_full(seen: Sighting, at: Full) -> bool:
    """Whether a Python whose threads can use several cores used just one.

    A module may have put its GIL on, or one of its threads does all the work.
    """
    server = seen.server
    free = server is not None and server.free_threaded
    return free and FULL_CORE <= max(at.workers, default=0.0) <= ONE_CORE


def _wants_cores(seen: Sighting, server: Server, at: Full, processes: int) -> bool:
    """Whether so many processes computed all the time, or would have with a core.

    Of threads without a GIL one or another always computes, long before all cores are used.
    """
    if server.free_threaded and not on_one_core(server, at) and not nothing_left(seen, at):
        return False
    costly = (at.cpu_s or 0.0) >= STARVED_COSTS * seen.alone.p50_s
    return costly and always_ready(at, processes)


def _used_up(seen: Sighting, ending: Full) -> bool:
    """Whether requests of the last step waited for one another, and all its processes for CPU.

    One full process of several does not count: more connections reach the others.
    """
    server, used = seen.server, ending.server
    wait_s, _ = growth.unhurried(seen.steps)
    if server is None or used is None:
        return False
    if ending.steps[-1].littles_s < growth.QUEUES * wait_s:
        return False
    usable = cores(server, ending, server.processes)
    if used >= FULL_CORE * usable:
        return True
    busy = used >= BUSY_CORE * usable
    few_left = used >= COUNTS_AS_BUSY and nothing_left(seen, ending)
    if _computes(seen, ending) and (busy or few_left):
        return True
    return _wants_cores(seen, server, ending, server.processes)


def cores(server: Server, at: Full, processes: int) -> int:
    """How many cores so many processes of it can use."""
    return min(server.cores, processes) if on_one_core(server, at) else server.cores


def _computes(seen: Sighting, at: Full) -> bool:
    """Whether CPU is most of what a request takes alone.

    Of one alone the usual time counts, and on a crowded machine the quickest: other programs
    make all the others wait for a core.
    """
    cost_s, alone = at.cpu_s or 0.0, seen.alone
    if crowded(seen, at):
        quickest = 0 < ANSWER_COSTS_CPU * alone.least_s <= cost_s
        return quickest or cost_s >= CROWDED_COSTS * alone.p50_s
    return cost_s >= ANSWER_COSTS_CPU * alone.p50_s


def crowded(seen: Sighting, at: Full) -> bool:
    """Whether other programs took so much CPU that requests wait for a core."""
    return growth.others_crowd((seen.alone, *at.steps), seen.cores)


def alone_s(seen: Sighting, at: Full) -> float:
    """What a request alone takes: the usual time, on a crowded machine the quickest."""
    quickest = seen.alone.least_s
    return quickest if quickest and crowded(seen, at) else seen.alone.p50_s


def always_ready(at: Full, processes: int) -> bool:
    """Whether so many of its processes computed all the time, or would have with a core."""
    return at.ready is not None and at.ready >= FULL_CORE * processes > 0


def short(seen: Sighting, at: Full) -> float:
    """By what share a rate may miss the slots, as others have the cores; 0 where they have not.

    A request that waits w beside a server that waits for a core, or computes, for a share r of the
    time is in hand for w ÷ (1 − r) at most.
    """
    if not crowded(seen, at):
        return 0.0
    share = (at.ready or 0.0) / max(1, at.active)
    return min(MOST_SHORT, max(SHORT, share))


def starved(seen: Sighting, at: Full) -> bool:
    """Whether the server waited for nothing but a core, and others had the cores."""
    return crowded(seen, at) and nothing_left(seen, at) and always_ready(at, at.active)


def nothing_left(seen: Sighting, at: Full) -> bool:
    """Whether no core of the machine was idle, whoever used them."""
    known = [each.idle for each in at.steps if each.idle is not None]
    return bool(known) and min(known) <= FULL_MACHINE * seen.cores
