"""Whether a server's own processes and threads are its slots, or something behind them. Pure."""

from __future__ import annotations

import math
from dataclasses import replace

from loadtest.model.counts import number_of
from loadtest.probe import growth
from loadtest.probe import slots as how_many
from loadtest.probe.conclusion import limit
from loadtest.probe.conclusion.limit import Full, full
from loadtest.probe.record import Bound, Sighting, Slots

NEAR = 0.1
AS_MANY = 0.05  # of the threads: so near has to be what the server had read


def counted(seen: Sighting, slots: Slots) -> Slots:
    """The slots as the server's processes tell them, where the rate allows for so many.

    Where the processes tell nothing, and other programs have the cores, there may be more than the
    rate shows: each answer waits for a core, too.
    """
    at = full(seen, slots)
    if at is None or slots.at_least:
        return slots
    count, short = _count(seen, at), limit.short(seen, at)
    if count is None:
        most = math.floor(slots.value / (1 - limit.MOST_SHORT))
        return replace(slots, high=max(slots.high, most)) if short and not slots.waves else slots
    product = at.rps * growth.unhurried(seen.steps)[0]
    if slots.waves and not short and abs(slots.value - product) <= abs(count - product):
        return slots
    return Slots(
        count,
        min(slots.low, count),
        max(slots.high, count),
        waves=slots.waves and count == slots.value,
    )


def held_by(seen: Sighting, at: Full) -> tuple[int, int] | None:
    """Processes and threads of each, where their product is the slots; else None."""
    if seen.server is None or _count(seen, at) is None:
        return None
    return seen.server.processes, round(at.slots.value / seen.server.processes)


def _count(seen: Sighting, at: Full) -> int | None:
    """Processes × threads, where these are the slots; else None.

    More has to be asked at once: a server with a thread for each connection has no limit there.
    """
    server, slots = seen.server, at.slots
    if server is None or server.passes_on or not server.one_core:
        return None
    asked = max(each.connections for each in at.steps)
    before = server.threads if server.loop else 1  # an event loop has some for other work
    threads = (at.threads - 1, at.threads, at.threads - before, 1)
    counts = [
        server.processes * each
        for each in dict.fromkeys(threads)
        if each > 0 and not (each == 1 and at.threads > 2) and server.processes * each < asked
    ]
    near = [each for each in counts if abs(each - slots.value) <= max(0.5, NEAR * each)]
    if _idle(seen, at) and limit.crowded(seen, at) and not slots.waves:
        near = []  # the rate falls short there: that it meets their number is chance
    allowed = [each for each in counts if _allows(seen, at, each)]
    return next(iter((*near, *allowed)), None)


def _allows(seen: Sighting, at: Full, count: int) -> bool:
    """Whether the rate may be that of so many slots.

    It may be further off where others have the cores, and where the server had read so many
    requests and no more.
    """
    low, high, plateau = at.slots.low, float(at.slots.high), growth.plateau(seen.steps)
    product = at.rps * growth.unhurried(seen.steps)[0]
    high = max(high, product / (1 - limit.short(seen, at)))
    if plateau and at.taken is not None and abs(at.taken - count) <= max(0.5, AS_MANY * count):
        reach = 2 * how_many.uncertainty(seen, plateau)
        return min(low, product * (1 - reach)) <= count <= max(high, product * (1 + reach))
    return not _idle(seen, at) and at.slots.value <= count <= high


def _idle(seen: Sighting, at: Full) -> bool:
    """Threads that were there before the load say nothing of an event loop."""
    server = seen.server
    return server is not None and server.loop and at.threads <= server.threads


def named(seen: Sighting, at: Full) -> tuple[Bound, str, tuple[str, ...]]:
    """The name of what holds the slots, how that is known, and what it could be as well."""
    slots, server, taken = at.slots.value, seen.server, at.taken
    if held := held_by(seen, at):
        doubt = ("pool or upstream",) if at.slots.low < (1 - NEAR) * slots else ()
        return "slots", f"{times_told(*held)} make {number_of(held[0] * held[1], 'slot')}", doubt
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


def times_told(processes: int, threads: int) -> str:
    """`2 processes × 8 threads`."""
    return f"{number_of(processes, 'process')} × {number_of(threads, 'thread')}"
