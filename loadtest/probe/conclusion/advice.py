"""What is said of a probe: sentences, and what a change would give by the model. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from loadtest.analysis.amounts import amount
from loadtest.model.counts import agree, number_of
from loadtest.probe import growth
from loadtest.probe import slots as how_many
from loadtest.probe.conclusion import binding as what_binds
from loadtest.probe.conclusion import holders, limit, renewed
from loadtest.probe.conclusion.disturbed import disturbed
from loadtest.probe.conclusion.further import further
from loadtest.probe.conclusion.limit import Full, full
from loadtest.probe.record import LATE, Beside, Binding, Conclusion, Sighting, Slots, sent_told

BUSY_MACHINE = 0.15  # cores of other programs, of each core
IDLE_SLOTS = 0.85  # of the slots were used: less is told
UNSTEADY = 0.3  # spread of the wait, as a share
LARGE_ANSWER = 1_000_000  # bytes
AGAIN = "Probe it again while nothing else runs here: no core was left for more."
COLD = 5.0  # × : the first answer took so much longer
# What binds before slots do: there may be more of them than were needed.
OPEN_ENDED = ("cpu", "generator", "nothing yet", "connections")


def conclude(seen: Sighting) -> Conclusion:
    """Slots, what binds, and the sentences."""
    whole, seen = seen, renewed.in_sight(seen)
    found = holders.counted(seen, how_many.slots(seen))
    bound = what_binds.binding(seen, found)
    if seen is not whole:
        bound = renewed.doubted(bound)
    at = full(seen, found)
    if bound.name in OPEN_ENDED and not _takes_no_more(found, at):
        found = replace(found, at_least=True)
    rps = at.rps if at else max((each.rps for each in growth.sound(seen.steps)), default=0.0)
    advice = tuple(_advice(seen, found, bound, at))
    sentences = (_first(seen, found, bound, rps), _second(seen, bound, at), *advice[:1])
    beside = (_beside(seen.beside),) if seen.beside else ()
    wait_s, _ = growth.unhurried(seen.steps)
    return Conclusion(
        found,
        bound,
        rps,
        wait_s,
        (*sentences, *beside),
        advice,
        tuple(_notes(whole, bound, found, rps)),
    )


def _takes_no_more(slots: Slots, at: Full | None) -> bool:
    """Whether the server was seen to leave all other requests unread."""
    return at is not None and at.taken is not None and abs(at.taken - slots.value) <= 1


def seconds(value: float) -> str:
    """A time in words: `0.10 s`, `8.1 ms`."""
    return f"{value:.2f} s" if value >= 0.0995 else f"{amount(1000 * value)} ms"


def rate(value: float) -> str:
    """Answers a second: `80`, `9.9`, `1,234`."""
    return f"{value:,.0f}" if value >= 19.95 else amount(value)


def _first(seen: Sighting, slots: Slots, bound: Binding, rps: float) -> str:
    wait = seconds(growth.unhurried(seen.steps)[0])
    if bound.name == "one at a time":
        return f"One request at a time, {wait} each: at most {rate(rps)} a second."
    if bound.name == "cpu":
        return f"At most {rate(rps)} a second; a request alone takes {wait}."
    if bound.name in ("nothing yet", "generator", "connections"):
        most = max((each.connections for each in growth.sound(seen.steps)), default=0)
        return (
            f"At least {number_of(slots.value, 'request')} at once, {wait} each: "
            f"{rate(rps)} a second with {number_of(most, 'connection')}."
        )
    told = f"{slots.value}" if slots.low == slots.high else f"About {slots.value}"
    between = "" if slots.low == slots.high else f" ({slots.low}–{slots.high})"
    noun = agree(slots.value, "request", "requests")
    return f"{told}{between} {noun} at once, {wait} each: at most {rate(rps)} a second."


def _second(seen: Sighting, bound: Binding, at: Full | None) -> str:
    details = _details(seen, bound, at)
    others = [each for each in bound.could_be if each not in details]
    also = f" Seen from outside it could also be: {', '.join(others)}." * bool(others)
    if bound.name == "nothing yet":
        return f"What binds: nothing yet; {bound.evidence[0]}.{also}"
    return f"What binds: {_named(bound)}{f' ({details})' if details else ''}.{also}"


def _named(bound: Binding) -> str:
    return {
        "cpu": "CPU",
        "pool or upstream": "a pool or an upstream",
        "connections": "connections that are refused or not kept",
        "generator": "the load generator, not the service",
        "one at a time": "one at a time",
    }.get(bound.name, bound.name)


def _details(seen: Sighting, bound: Binding, at: Full | None) -> str:
    if at is None or bound.name in ("generator", "connections"):
        return "; ".join(bound.evidence[-2:])
    if bound.name == "one at a time":
        cpu = f"; CPU {what_binds.share(at.server)} of a core" if at.server is not None else ""
        return f"{what_binds.single(seen, at)[1]}{cpu}"
    found = []
    if held := holders.held_by(seen, at):
        found.append(holders.times_told(*held))
    elif seen.server and at.threads and bound.name == "pool or upstream":
        found.append(f"{holders.times_told(seen.server.processes, at.threads)} are there")
    if at.server is not None:
        found.append(f"CPU {what_binds.share(at.server)} of a core")
    return "; ".join(found)


def ceiling(seen: Sighting, at: Full, processes: int | None = None) -> float | None:
    """Answers a second at which the CPU is full; None where its cost is out of sight."""
    server, cost = seen.server, at.cpu_s
    if server is None or not cost:
        return None
    most = processes or server.processes
    return limit.cores(server, at, most) / cost


def _advice(seen: Sighting, slots: Slots, bound: Binding, at: Full | None) -> Iterator[str]:
    wait_s = growth.unhurried(seen.steps)[0]
    if bound.name == "slots" and at:
        yield _more_slots(seen, slots, at)
        yield f"A request that takes half of {seconds(wait_s)} would double it, too."
    elif bound.name == "one at a time" and at:
        yield from _out_of_line(seen, at)
    elif bound.name == "pool or upstream" and at:
        yield from _larger_pool(seen, slots, at)
    elif bound.name == "cpu" and at:
        yield from _more_cpu(seen, at)
    elif bound.name == "connections":
        yield _of_connections(seen)
    elif bound.name == "generator":
        yield "Ask from another machine, or from several: this one has no more to give."
    elif seen.died:
        yield "Its log says why it ended: probe it again when it stays."
    elif at is not None:
        yield _of_what_keeps_it_down(seen, at)
    else:
        yield from further(seen)


def _of_connections(seen: Sighting) -> str:
    names = {name for each in seen.steps for name in each.errors if name != LATE}
    if "status 429" in names:
        return "It limits how often it may be asked: switch that off for a probe."
    if any(name.startswith("status ") for name in names):
        return "It answers with errors when much is asked at once: its log says why."
    if names:
        return (
            "Let it take more connections: a longer backlog, more open files, or a proxy in front."
        )
    return "Keep connections (keep-alive): each request pays for a new one now."


def _of_what_keeps_it_down(seen: Sighting, at: Full) -> str:
    if limit.crowded(seen, at):
        return AGAIN
    return "Look for what limits how often it may be asked, and probe it again without that."


def _up_to(rps: float, most: float | None) -> str:
    """So many a second by the model, as far as the CPU goes."""
    if most is None:
        return f"about {rate(rps)}/s, if the CPU allows it"
    if most < rps:
        return f"up to about {rate(most)}/s, where the CPU is full"
    return f"about {rate(rps)}/s, until the CPU is full at about {rate(most)}/s"


def _more_slots(seen: Sighting, slots: Slots, at: Full) -> str:
    held, count, of = holders.held_by(seen, at), slots.value, "slots"
    if held:
        count, of = held[0] * held[1], "threads" if held[1] > 1 else "processes"
    most = ceiling(seen, at, 2 * held[0] if held and held[1] == 1 else None)
    return f"With {2 * count} {of} instead of {count}: {_up_to(2 * at.rps, most)}."


def _out_of_line(seen: Sighting, at: Full) -> Iterator[str]:
    most = ceiling(seen, at)
    held, *_ = what_binds.single(seen, at)
    if held == "loop":
        yield (
            "Await what takes time, or give it to a thread. In FastAPI `def`, not `async def`, has "
            f"40 threads: {_up_to(40 * at.rps, most)}."
        )
    elif held == "lock":
        yield (
            "Hold the lock for less, or make the pool larger: two at once are "
            f"{_up_to(2 * at.rps, most)}."
        )
    yield from _more_workers(seen, at, held)


def _more_workers(seen: Sighting, at: Full, held: what_binds.Held) -> Iterator[str]:
    """What more of them would do, unless several are there already; those of a proxy are none."""
    server = seen.server
    if server is None or server.passes_on or server.processes == 1:
        most = ceiling(seen, at, 4)
        yield f"With 4 workers instead of 1: {_up_to(4 * at.rps, most)}, if nothing is shared."
    elif held == "unknown":
        yield "Probe it again: its connections may fall to other processes then."


def _larger_pool(seen: Sighting, slots: Slots, at: Full) -> Iterator[str]:
    yield (
        f"Look for what holds {slots.value} at once: a pool of connections, a semaphore, a service "
        f"behind it. With {2 * slots.value} there: {_up_to(2 * at.rps, ceiling(seen, at))}."
    )


def _more_cpu(seen: Sighting, at: Full) -> Iterator[str]:
    server = seen.server
    if not seen.glance.kept:
        yield "Keep connections (keep-alive): each request pays for a new one now."
    if "generator" in what_binds.binding(seen, at.slots).could_be:
        yield AGAIN
    elif server and limit.on_one_core(server, at) and server.processes < server.cores:
        most = ceiling(seen, at, server.cores)
        yield (
            f"With {number_of(server.cores, 'process')} instead of {server.processes}: up to about "
            f"{rate(most or 0)}/s, if the load leaves them the cores."
        )
    else:
        yield "Only less work a request, or more cores, makes it faster; more slots do not."


def _beside(beside: Beside) -> str:
    meanwhile = f"Meanwhile, with {beside.connections} at once, {beside.url}"
    failed = number_of(beside.failed, "request")
    if not beside.answered:
        if beside.failed:
            return f"{meanwhile} answered nothing right: {failed} failed."
        return f"{meanwhile} gave no answer at all."
    partly = f"; {beside.failed:,} of {beside.answered + beside.failed:,} failed" * (
        beside.failed > 0
    )
    alone = f"; alone it takes {seconds(beside.alone_s)}" * (beside.alone_s > 0)
    return (
        f"{meanwhile} waits {seconds(beside.p50_s)} (at most {seconds(beside.longest_s)})"
        f"{alone}{partly}."
    )


def _notes(seen: Sighting, bound: Binding, slots: Slots, rps: float) -> Iterator[str]:
    """What lowers the worth of the figures."""
    used = rps * growth.unhurried(seen.steps)[0]
    if slots.waves and bound.name == "slots" and used < IDLE_SLOTS * slots.value:
        several = seen.server is not None and seen.server.processes > 1 and seen.glance.kept
        why = ": kept connections fall unevenly on its processes" if several else ""
        some = f"{used:.0f} {agree(round(used), 'was', 'were')}"
        yield f"Of {number_of(slots.value, 'slot')} {some} in use under load{why}."
    if seen.ended:
        yield f"The probe ended early: {seen.ended}."
    if seen.changed:
        yield seen.changed
    yield from seen.unmeasured
    yield from disturbed(seen)
    yield from renewed.told(seen)
    others = max((each.others or 0.0 for each in seen.steps), default=0.0)
    if others > BUSY_MACHINE * seen.cores:
        yield (
            f"Other programs took up to {amount(others)} of {number_of(seen.cores, 'core')}: "
            "the figures may be too low."
        )
    alone = seen.alone
    late = alone.p95_s > 1.5 * alone.p50_s
    if late and alone.spread_s > UNSTEADY * alone.mean_s and alone.answered > 3:
        yield f"The wait varies: {seconds(alone.p50_s)} as a rule, 5 % took {seconds(alone.p95_s)}."
    if seen.glance.first_s > COLD * seen.glance.took_s and seen.glance.first_s > 0.2:
        yield f"The first answer took {seconds(seen.glance.first_s)}: something had to start."
    yield from _of_answers(seen)
    if bound.name == "slots" and not seen.server:
        yield "Its processes are not on this machine, or not in sight: only answers were judged."


def _of_answers(seen: Sighting) -> Iterator[str]:
    """What was unusual of the answers, and that more than GET was sent."""
    if not seen.glance.same:
        yield "Bodies differ from answer to answer, so only the status was checked."
    if seen.glance.size > LARGE_ANSWER:
        rate = max(each.rps for each in seen.steps) * seen.glance.size / 1e6
        yield f"Answers have {seen.glance.size / 1e6:,.0f} MB: up to {rate:,.0f} MB/s were read."
    if seen.glance.limit:
        yield f"It says that it limits how often it may be asked: {seen.glance.limit}."
    if told := sent_told(seen.method, seen.sent - seen.light):
        yield told
