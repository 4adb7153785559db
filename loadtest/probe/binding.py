"""What sets the limit of a service: from what was seen to a name, with the evidence. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from loadtest.analysis.amounts import amount, percent
from loadtest.model.counts import number_of
from loadtest.probe import growth
from loadtest.probe.record import Binding, Bound, Sighting, Slots, Step

FULL_CORE, FULL_MACHINE, FULL_LOAD = 0.85, 0.05, 0.85
BUSY_CORE = 0.6  # of a server whose requests wait for nothing: it waits for the load, or for cores
COUNTS_AS_BUSY = 0.3  # cores of a server on a machine that has none left
ANSWER_COSTS_CPU = 0.6  # of the wait is CPU: then more slots on one core give little
CROWDED_COSTS = 0.4  # the same where others made it wait for a core
CROWDED = 0.5  # of the cores: so much makes requests wait that wait for nothing else
LEAST_CPU_S = 0.05  # the kernel counts hundredths: less tells no cost
NEAR = 0.1
Held = Literal["loop", "lock", "worker", "unknown"]
QUICK_S = 0.005
QUICKER_THAN_SLOTS_S = 0.002  # then client and server take turns, and slots are no question
FEW_ASKED = 4  # connections


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
        return tuple(map(max, zip(*known, strict=False))) if known else ()

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
    """The service at its limit; None where the probe did not reach it."""
    known = growth.sound(seen.steps)
    at = growth.plateau(seen.steps)
    if at is not None:
        later = tuple(each for each in known if each.connections >= at.begins)
        return Full(later, at.rps, slots)
    if not slots.at_least and known:
        last = max(known, key=lambda each: each.connections)
        return Full((last,), last.rps, slots)
    return None


def binding(seen: Sighting, slots: Slots) -> Binding:
    """What binds, how that is known, and what it could be as well."""
    at = full(seen, slots)
    if at is None:
        return _unreached(seen, slots)
    found = _binding(seen, slots, at)
    others = _others(at)
    if found.name == "cpu" or slots.waves or others < CROWDED * seen.cores:
        return found
    told = f"other programs, which took {amount(others)} of {number_of(seen.cores, 'core')}"
    return replace(found, could_be=(*found.could_be, told))


def _binding(seen: Sighting, slots: Slots, at: Full) -> Binding:
    evidence = [_grew_until(at)]
    if _load_is_full(at) and not _cpu_is_full(seen, at):
        return Binding("generator", (*evidence, _load_told(at), *_failures(seen)))
    if _cpu_is_full(seen, at):
        return _of_cpu(seen, at, evidence)
    if seen.alone.p50_s < QUICKER_THAN_SLOTS_S and _nothing_left(seen, at):
        return replace(_of_cpu(seen, at, evidence), could_be=("generator",))
    if not seen.glance.kept and seen.alone.p50_s < QUICK_S and not slots.waves:
        evidence += [*_cpu(seen, at), *_closes(seen), *_failures(seen)]
        return Binding("connections", tuple(evidence), ("cpu",))
    if slots.value == 1:
        return _one_at_a_time(seen, at, evidence)
    return _of_slots(seen, at, evidence)


def _of_slots(seen: Sighting, at: Full, evidence: list[str]) -> Binding:
    name, told, could_be = _holders(seen, at)
    evidence += [*_grouped(at.slots), told, *_cpu(seen, at), *_closes(seen), *_failures(seen)]
    return Binding(name, tuple(evidence), could_be)


def held_by(seen: Sighting, at: Full) -> tuple[int, int] | None:
    """Processes and threads of each, where their product is the slots; else None."""
    server, slots = seen.server, at.slots.value
    if server is None or server.passes_on or not server.one_core:
        return None
    for threads in dict.fromkeys((at.threads - 1, at.threads, at.threads - server.threads, 1)):
        if threads == 1 and at.threads > 2:
            continue
        count = server.processes * threads
        if threads > 0 and abs(count - slots) <= max(0.5, NEAR * count):
            return server.processes, round(slots / server.processes)
    return None


def _holders(seen: Sighting, at: Full) -> tuple[Bound, str, tuple[str, ...]]:
    """Whether the server's own workers and threads are the slots, or something behind them."""
    slots, server, taken = at.slots.value, seen.server, at.taken
    if held := held_by(seen, at):
        return "slots", f"{times_told(*held)} make {number_of(held[0] * held[1], 'slot')}", ()
    if taken is not None and taken <= slots + max(1, NEAR * slots):
        told = f"the server had read {number_of(taken, 'request')} at a time, the others waited"
        return "slots", told, ()
    if server is None or taken is None:
        return "slots", "the server's processes are out of sight", ("pool or upstream",)
    told = f"the server had read {number_of(taken, 'request')}, but worked on {slots} at once"
    if server.passes_on:
        return "pool or upstream", f"{told}; {server.program} passes them on", ()
    if at.threads > slots / server.processes * (1 + NEAR) + 1:
        return "pool or upstream", f"{told}; it has {times_told(server.processes, at.threads)}", ()
    if server.loop:
        return "pool or upstream", f"{told}; its event loop takes any number", ("slots",)
    return "pool or upstream", told, ("slots",)


def _one_at_a_time(seen: Sighting, at: Full, evidence: list[str]) -> Binding:
    evidence += ["requests end one after the other", *_cpu(seen, at), *_closes(seen)]
    _, why, could_be = single(seen, at)
    return Binding("one at a time", (*evidence, why, *_failures(seen)), could_be)


def single(seen: Sighting, at: Full) -> tuple[Held, str, tuple[str, ...]]:
    """Why only one request is worked on, as the processes tell; what else it could be."""
    server, unread = seen.server, max((each.unread or 0 for each in at.steps), default=0)
    could_be: tuple[str, ...]
    if server is None or server.passes_on:
        could_be = ("an event loop that blocks", "a lock", "a single worker", "one full core")
        return "unknown", "its processes are out of sight: it is one of several things", could_be
    if at.threads > server.threads + 1:
        told = f"{at.threads} threads are there, but one works at a time: a lock, or a pool of one"
        return "lock", told, ("a lock", "a pool of one")
    if server.processes > 1:
        told = f"{server.processes} processes are there, but one works at a time"
        return "lock", f"{told}: a lock that they share, or an upstream", ("a lock", "an upstream")
    if max(each.connections for each in at.steps) < FEW_ASKED:
        could_be = ("an event loop that blocks", "a lock", "a single worker")
        return "unknown", "too few asked at once to see why", could_be
    if server.loop and unread > 1:
        told = "one process, one event loop, and requests wait unread: something blocks the loop"
        return "loop", told, ()
    if server.loop:
        told = "the event loop reads every request, but ends one at a time"
        return "lock", f"{told}: a lock, or a pool of one", ("a lock", "a pool of one")
    if at.threads <= 1:
        return "worker", "one process with one thread: a single worker", ()
    told = "one process; which of its threads holds the others up can't be seen"
    return "unknown", told, ("a lock", "a single worker")


def _of_cpu(seen: Sighting, at: Full, evidence: list[str]) -> Binding:
    cost = [f"an answer costs {amount(1000 * at.cpu_s)} ms of CPU"] if at.cpu_s else []
    evidence += [*_cpu(seen, at), *cost, *_closes(seen), *_failures(seen)]
    could_be = () if seen.glance.kept else ("connections",)
    return Binding("cpu", tuple(evidence), could_be)


def _unreached(seen: Sighting, slots: Slots) -> Binding:
    """The rate still grew, or failures ended the ramp."""
    last = seen.steps[-1]
    if last.failed > growth.FAILS or not last.answered:
        return Binding("connections", tuple(_failures(seen)))
    told = f"with {last.connections} at once the rate still grew"
    if last.connections < seen.limit:
        told = f"{seen.ended or 'its time was up'}; {told}"
    if last.generator >= FULL_LOAD:
        return Binding("generator", (told, f"the load used {last.generator:.2f} of its core"))
    evidence = [told, *_closes(seen)]
    if slots.waves:
        evidence.append(f"{number_of(slots.value, 'request')} that began together ended together")
    return Binding("nothing yet", tuple(evidence))


def _load_is_full(at: Full) -> bool:
    return max(each.generator for each in at.steps) >= FULL_LOAD


def _cpu_is_full(seen: Sighting, at: Full) -> bool:
    server, used, workers = seen.server, at.server, at.workers
    if server is None or used is None:
        return False
    one_full = server.one_core and max(workers) >= FULL_CORE
    if one_full or used >= FULL_CORE * server.cores:
        return True
    # Of one alone the usual time counts: other programs make a few take far longer.
    crowded = _others(at) >= CROWDED * seen.cores
    if (at.cpu_s or 0.0) < (CROWDED_COSTS if crowded else ANSWER_COSTS_CPU) * seen.alone.p50_s:
        return False
    if server.one_core and max(workers) >= BUSY_CORE:
        return True
    # It computes, and does no more of it: others have the cores, or it may not use them.
    return used >= COUNTS_AS_BUSY and (_nothing_left(seen, at) or not _load_is_full(at))


def _others(at: Full) -> float:
    """Cores that other programs took meanwhile, at most."""
    return max((each.others or 0.0 for each in at.steps), default=0.0)


def _nothing_left(seen: Sighting, at: Full) -> bool:
    """Whether no core of the machine was idle, whoever used them."""
    known = [each.idle for each in at.steps if each.idle is not None]
    return bool(known) and min(known) <= FULL_MACHINE * seen.cores


def _grew_until(at: Full) -> str:
    first, last = at.steps[0], at.steps[-1]
    if first.connections == last.connections:
        return f"{at.rps:,.0f}/s with {first.connections} at once"
    return (
        f"{first.rps:,.0f}/s with {first.connections} at once, "
        f"{last.rps:,.0f}/s with {last.connections}"
    )


def _grouped(slots: Slots) -> Iterator[str]:
    if slots.waves:
        yield f"requests that begin together end in groups of {slots.value}"


def _cpu(seen: Sighting, at: Full) -> Iterator[str]:
    """How much of it the server used, as far as it can be seen."""
    used, server = at.server, seen.server
    if used is None or server is None:
        return
    told = f"{server.program}: {number_of(server.processes, 'process')}, {share(used)} of a core"
    if server.processes > 1 and max(at.workers) > 0.2:
        told += f" (the busiest {percent(max(at.workers))} %)"
    yield told


def share(cores: float) -> str:
    """Of a core: `12 %`."""
    return f"{percent(cores)} %" if cores >= 0.0095 else "less than 1 %"


def _load_told(at: Full) -> str:
    most = share(max(each.generator for each in at.steps))
    return f"the load generator used {most} of its core: the service may do more"


def _closes(seen: Sighting) -> Iterator[str]:
    if not seen.glance.kept:
        yield "it closes each connection: every request opens a new one (no keep-alive)"


def _failures(seen: Sighting) -> Iterator[str]:
    for step in seen.steps:
        if step.failed > growth.FAILS or not step.answered:
            found = Counter(step.errors).most_common(3)
            what = ", ".join(f"{name} × {count}" for name, count in found) or "no answer came"
            yield f"with {step.connections} at once it refuses or fails some: {what}"
            return
    if lost := sum(each.failed for each in seen.waves):
        yield f"{number_of(lost, 'request')} of waves failed"


def times_told(processes: int, threads: int) -> str:
    """`2 processes × 8 threads`."""
    return f"{number_of(processes, 'process')} × {number_of(threads, 'thread')}"
