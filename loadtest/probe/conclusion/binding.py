"""What sets the limit of a service: from what was seen to a name, with the evidence. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from loadtest.analysis.amounts import amount, percent
from loadtest.model.counts import number_of
from loadtest.probe import growth
from loadtest.probe.conclusion import holders, limit
from loadtest.probe.conclusion.limit import Full, full
from loadtest.probe.record import Binding, Bound, Server, Sighting, Slots, Step

Held = Literal["loop", "lock", "worker", "unknown"]
QUICK_S = 0.005
QUICKER_THAN_SLOTS_S = 0.002  # then client and server take turns, and slots are no question
FEW_ASKED = 4  # connections
# What binds within the service, or behind it; a machine without CPU looks like one of these.
WITHIN: tuple[Bound, ...] = ("slots", "pool or upstream", "one at a time")
UNSURE = ("an event loop that blocks", "a lock", "a single worker")
# Programs that are an event loop, whatever threads they have for other work.
EVENT_LOOPS = frozenset({"uvicorn", "hypercorn", "daphne", "node"})


def binding(seen: Sighting, slots: Slots) -> Binding:
    """What binds, how that is known, and what it could be as well."""
    at = full(seen, slots)
    if at is None:
        return _unreached(seen, slots)
    found = _binding(seen, slots, at)
    if found.name in WITHIN and limit.one_core_is_full(seen, at):
        found = replace(found, could_be=(*found.could_be, "one full core"))
    if found.name in ("cpu", "nothing yet") or slots.waves or not limit.crowded(seen, at):
        return found
    if found.name in WITHIN and found.could_be and limit.starved(seen, at):
        told = "no core was idle when the rate stopped growing"
        return Binding("nothing yet", (f"{told}: {_others_told(seen, at)}", *found.evidence))
    told = f"other programs, which took {_cores(seen, at)}"
    return replace(found, could_be=(*found.could_be, told))


def _binding(seen: Sighting, slots: Slots, at: Full) -> Binding:
    evidence = [_grew_until(at)]
    if limit.load_is_full(at) and not limit.cpu_is_full(seen, at):
        return Binding("generator", (*evidence, _load_told(at), *_failures(seen)))
    if limit.cpu_is_full(seen, at):
        return _of_cpu(seen, at, evidence)
    if seen.alone.p50_s < QUICKER_THAN_SLOTS_S and limit.nothing_left(seen, at):
        return replace(_of_cpu(seen, at, evidence), could_be=("generator",))
    if not seen.glance.kept and limit.alone_s(seen, at) < QUICK_S and not slots.waves:
        evidence += [*_cpu(seen, at), *_closes(seen), *_failures(seen)]
        return Binding("connections", tuple(evidence), ("cpu",))
    if slots.at_least:
        return _of_no_slots(seen, at, evidence)
    if slots.value == 1:
        return _one_at_a_time(seen, at, evidence)
    return _of_slots(seen, at, evidence)


def _of_no_slots(seen: Sighting, at: Full, evidence: list[str]) -> Binding:
    """The rate stays, though far more requests were seen to be worked on at once."""
    many = number_of(at.slots.value, "request")
    told = f"{many} that began together ended together, but the rate stays"
    if limit.crowded(seen, at):
        told += f": {_others_told(seen, at)}"
        return Binding("nothing yet", (told, *evidence, *_cpu(seen, at)))
    return Binding("nothing yet", (told, *evidence, *_cpu(seen, at)), ("a limit of the rate",))


def _others_told(seen: Sighting, at: Full) -> str:
    return f"other programs took {_cores(seen, at)}"


def _cores(seen: Sighting, at: Full) -> str:
    most = growth.others((seen.alone, *at.steps))
    return f"{amount(most)} of {number_of(seen.cores, 'core')}"


def _of_slots(seen: Sighting, at: Full, evidence: list[str]) -> Binding:
    name, told, could_be = holders.named(seen, at)
    evidence += [*_grouped(at.slots), told, *_cpu(seen, at), *_closes(seen), *_failures(seen)]
    return Binding(name, tuple(evidence), could_be)


def _one_at_a_time(seen: Sighting, at: Full, evidence: list[str]) -> Binding:
    evidence += ["requests end one after the other", *_cpu(seen, at), *_closes(seen)]
    _, why, could_be = single(seen, at)
    return Binding("one at a time", (*evidence, why, *_failures(seen)), could_be)


def single(seen: Sighting, at: Full) -> tuple[Held, str, tuple[str, ...]]:
    """Why only one request is worked on, as the processes tell; what else it could be."""
    server = seen.server
    if server is None or server.passes_on:
        told = "its processes are out of sight: it is one of several things"
        return "unknown", told, (*UNSURE, "one full core")
    if at.threads > server.threads + 1:
        told = f"{at.threads} threads are there, but one works at a time: a lock, or a pool of one"
        return "lock", told, ("a lock", "a pool of one")
    if server.processes > 1:
        return _one_of_several(seen, server, at)
    if max(each.connections for each in at.steps) < FEW_ASKED:
        return "unknown", "too few asked at once to see why", UNSURE
    if server.loop and max((each.unread or 0 for each in at.steps), default=0) > 1:
        return _unread(server, at)
    if server.loop:
        told = "the event loop reads every request, but ends one at a time"
        return "lock", f"{told}: a lock, or a pool of one", ("a lock", "a pool of one")
    if at.threads <= 1:
        return "worker", "one process with one thread: a single worker", ()
    told = "one process; which of its threads holds the others up can't be seen"
    return "unknown", told, ("a lock", "a single worker")


def _one_of_several(seen: Sighting, server: Server, at: Full) -> tuple[Held, str, tuple[str, ...]]:
    """Several processes are there, and one request is worked on at a time."""
    if at.active == 1 and max(at.workers) * seen.alone.lasted_s > 0.02:
        return "unknown", f"all requests fell to one of {server.processes} processes", UNSURE
    told = f"{server.processes} processes are there, but one works at a time"
    return "lock", f"{told}: a lock that they share, or an upstream", ("a lock", "an upstream")


def _unread(server: Server, at: Full) -> tuple[Held, str, tuple[str, ...]]:
    """Requests wait unread though the server watches its connections.

    So does an event loop that something blocks. And so do threads of a server that hands whole
    connections to them: where all of them were there before the load, they look like a loop's own.
    """
    if at.threads <= 1 or server.program in EVENT_LOOPS:
        told = "one process, one event loop, and requests wait unread: something blocks the loop"
        return "loop", told, ()
    there = f"one process, {number_of(at.threads, 'thread')}"
    return "unknown", f"{there}, and requests wait unread while one is worked on", UNSURE


def _of_cpu(seen: Sighting, at: Full, evidence: list[str]) -> Binding:
    cost = [f"an answer costs {amount(1000 * at.cpu_s)} ms of CPU"] if at.cpu_s else []
    evidence += [*_cpu(seen, at), *cost, *_closes(seen), *_failures(seen)]
    could_be = () if seen.glance.kept else ("connections",)
    return Binding("cpu", tuple(evidence), could_be)


def _unreached(seen: Sighting, slots: Slots) -> Binding:
    """The rate still grew, or failures ended the ramp."""
    if seen.died:
        told = f"it was gone with {seen.steps[-1].connections} at once"
        return Binding("nothing yet", (told, *_failures(seen)))
    last = growth.sound(seen.steps)[-1]
    if last is not seen.steps[-1] and not limit.too_late(seen):
        return Binding("connections", tuple(_failures(seen)))
    told = "; ".join(_so_far(seen, last))
    if last.generator >= limit.FULL_LOAD:
        return Binding("generator", (told, f"the load used {last.generator:.2f} of its core"))
    evidence = [told, *_closes(seen)]
    if slots.waves:
        evidence.append(f"{number_of(slots.value, 'request')} that began together ended together")
    return Binding("nothing yet", tuple(evidence))


def _so_far(seen: Sighting, last: Step) -> Iterator[str]:
    """Why the ramp went no further than its last sound step, and what that showed."""
    if limit.too_late(seen):
        yield from _failures(seen)
    elif last.connections < seen.limit:
        slow = "more at once would wait for longer than a probe does"
        yield seen.ended or (slow if limit.goes_no_further(last) else "its time was up")
    if last.connections > 1:
        yield f"with {last.connections} at once the rate still grew"
    elif last is seen.steps[-1]:
        yield "only one at a time was asked"


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
            named = ", ".join(f"{name} × {count}" for name, count in found)
            how = "some had no answer in time" if step.late else "it refuses or fails some"
            told = f"{how}: {named}" if named else "no answer came"
            yield f"with {step.connections} at once {told}"
            return
    if lost := sum(each.failed for each in seen.waves):
        named = (
            f": {names[0]}" if (names := [each.error for each in seen.waves if each.error]) else ""
        )
        yield f"{number_of(lost, 'request')} of those that began together failed{named}"
