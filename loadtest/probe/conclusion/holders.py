"""Whether a server's own processes and threads are its slots, or something behind them. Pure."""

from __future__ import annotations

import math
from dataclasses import replace

from loadtest.model.counts import number_of
from loadtest.probe import growth
from loadtest.probe import slots as how_many
from loadtest.probe.conclusion import limit
from loadtest.probe.conclusion.limit import Full, full
from loadtest.probe.record import Bound, Server, Sighting, Slots

NEAR = 0.1
AS_MANY = 0.05  # of the threads: so near has to be what the server had read
BEHIND = ("pool or upstream",)


def counted(seen: Sighting, slots: Slots) -> Slots:
    """The slots as the server's processes tell them, where the rate allows for so many.

    Where the processes tell nothing, and other programs have the cores, there may be more than the
    rate shows: each answer waits for a core, too.
    """
    at = full(seen, slots)
    if at is None or slots.at_least:
        return slots
    count, short = next(iter(_counts(seen, at)), None), limit.short(seen, at)
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
    """Processes, and threads of each, that are there for the slots; None where others hold them.

    Their product is more than the slots where some of the threads are not used.
    """
    server, counts, value = seen.server, _counts(seen, at), at.slots.value
    if server is None or not counts:
        return None
    whole = (server.processes * each for each in (at.threads - 1, at.threads))
    known = value in whole or (value in counts and not at.slots.waves)
    # What reads no more than it works on has its slots itself; its other threads do other work.
    known = known or (value % server.processes == 0 and not _reads_more(at))
    return server.processes, (value if known else counts[0]) // server.processes


def _reads_more(at: Full) -> bool:
    """Whether the server has read more requests than are worked on, as far as it can be seen."""
    return at.taken is None or at.taken > at.slots.value


def _counts(seen: Sighting, at: Full) -> list[int]:
    """Processes × threads, where these are the slots, the likeliest first; else nothing.

    More has to be asked at once: a server with a thread for each connection has no limit there.
    """
    server, slots = seen.server, at.slots
    if server is None or server.passes_on or not server.threads_hold:
        return []
    asked = max(each.connections for each in at.steps)
    counts = [
        server.processes * each
        for each in _threads(server, at)
        if each > 0 and not (each == 1 and at.threads > 2) and server.processes * each < asked
    ]
    near = [each for each in counts if abs(each - slots.value) <= max(0.5, NEAR * each)]
    if _idle(seen, at) and limit.crowded(seen, at) and not slots.waves:
        near = []  # the rate falls short there: that it meets their number is chance
    allowed = [each for each in counts if _allows(seen, at, each)]
    return [*near, *allowed]


def _threads(server: Server, at: Full) -> dict[int, None]:
    """How many threads of a process may hold a request each, the likeliest first."""
    all_but_one = at.threads - 1
    before = server.threads if server.loop else 1  # an event loop has some for other work
    if _as_many(at, server.processes * all_but_one):
        before = 1  # but each of these has a request: none is for other work
    return dict.fromkeys((all_but_one, at.threads, at.threads - before, 1))


def _as_many(at: Full, count: int) -> bool:
    """Whether the server had read so many requests, and no more."""
    return at.taken is not None and abs(at.taken - count) <= max(0.5, AS_MANY * count)


def _allows(seen: Sighting, at: Full, count: int) -> bool:
    """Whether the rate may be that of so many slots.

    It may be further off where others have the cores, and where the server had read so many
    requests and no more.
    """
    low, high, plateau = at.slots.low, float(at.slots.high), growth.plateau(seen.steps)
    product = at.rps * growth.unhurried(seen.steps)[0]
    high = max(high, product / (1 - limit.short(seen, at)))
    if plateau and _as_many(at, count):
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
        return "slots", _told(held, slots), BEHIND if _doubted(seen, at, held) else ()
    if taken is not None and taken <= slots + max(1, NEAR * slots):
        told = f"the server had read {number_of(taken, 'request')} at a time, the others waited"
        return "slots", told, BEHIND if taken > slots and _trusted(seen, at) else ()
    if server is None or taken is None:
        return "slots", "the server's processes are out of sight", BEHIND
    told = f"the server had read {number_of(taken, 'request')}, but worked on {slots} at once"
    if server.passes_on:
        return "pool or upstream", f"{told}; {server.program} passes them on", ()
    if at.threads > slots / server.processes * (1 + NEAR) + 1:
        return "pool or upstream", f"{told}; it has {times_told(server.processes, at.threads)}", ()
    if server.loop:
        return "pool or upstream", f"{told}; its event loop takes any number", ("slots",)
    return "pool or upstream", told, ("slots",)


def _told(held: tuple[int, int], slots: int) -> str:
    made = held[0] * held[1]
    if made == slots:
        return f"{times_told(*held)} make {number_of(made, 'slot')}"
    return f"{times_told(*held)} are there, and {slots} work at once"


def _doubted(seen: Sighting, at: Full, held: tuple[int, int]) -> bool:
    """Whether a pool may hold the slots that is a little smaller than the threads."""
    slots, made = at.slots, held[0] * held[1]
    if slots.low < (1 - NEAR) * slots.value or _grouped_otherwise(seen, at, made):
        return True
    return held[1] > 1 and _trusted(seen, at) and not slots.waves and _falls_short(seen, at)


def _grouped_otherwise(seen: Sighting, at: Full, made: int) -> bool:
    """Whether requests that began together ended in other groups, though more had been read.

    Where all waited for a core, others made the groups.
    """
    found = how_many.slots(seen)
    value = found.value if found.waves else at.slots.value
    read_more = at.taken is None or at.taken > value
    return value != made and read_more and not limit.starved(seen, at)


def _falls_short(seen: Sighting, at: Full) -> bool:
    """Whether the rate shows fewer slots, by more than chance."""
    found = growth.plateau(seen.steps)
    if found is None:
        return False
    shown = at.rps * growth.unhurried(seen.steps)[0] * (1 + how_many.uncertainty(seen, found))
    return shown < at.slots.value


def _trusted(seen: Sighting, at: Full) -> bool:
    """Whether the slots are those that a pool would have: a crowded machine lowers rates, too."""
    return at.slots.waves or not limit.crowded(seen, at)


def times_told(processes: int, threads: int) -> str:
    """`2 processes × 8 threads`."""
    return f"{number_of(processes, 'process')} × {number_of(threads, 'thread')}"
