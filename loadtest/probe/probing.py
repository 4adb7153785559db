"""A probe from beginning to end: look, ramp, waves, the light request beside it, look again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from loadtest.model.target import Target
from loadtest.probe import glance, growth, processes, slots
from loadtest.probe.limits import Allowance, ProbeError, most_in_time
from loadtest.probe.moments import Asker
from loadtest.probe.parts import change, light, waves
from loadtest.probe.parts.ramp import Ramp, failing
from loadtest.probe.parts.witness import Witness
from loadtest.probe.progress import Found, Told
from loadtest.probe.record import (
    ALL_SENT,
    STOPPED_ANSWERING,
    Disturbance,
    Glance,
    Sighting,
    Step,
    Wave,
    sent_told,
)
from loadtest.system import urls
from loadtest.system.sockets import Address, resolve

ROOM_BESIDE = 2  # × what it took has to be left, for a measurement to be taken again
AGAIN_S, AGAIN_ANSWERS = 2.0, 20
GONE_S = 2.0  # at least so long is looked whether the service has ended
BY_USER = "stopped by Ctrl-C"
NO_TIME, NOTHING_LEFT = "no time was left", "no time or no request was left"
STILL_IN_HAND = "many requests of the load still had no answer"


def probe(
    target: Target, allowance: Allowance, beside: Target | None = None, told: Told | None = None
) -> Sighting:
    """Everything that can be seen of the target within the allowance.

    Ctrl-C ends it early: what was seen so far is returned, and says so. Raises ProbeError where the
    service cannot be measured at all. Then, too, it is told how often something may have changed.
    """
    if beside:
        allowance.require_one_beside()
    told = told or Told()
    found = Found(target, allowance, address_of(target))
    try:
        _as_far_as_it_gets(found, beside, told)
        return found.seen()
    except (KeyboardInterrupt, ProbeError):
        if line := sent_told(target.method, allowance.sent - found.light):
            told.line(line)
        raise


def _as_far_as_it_gets(found: Found, beside: Target | None, told: Told) -> None:
    """Raises what ends it only where nothing was measured before."""
    asker = Asker(found.allowance)
    try:
        _carry_out(found, asker, beside, told)
    except KeyboardInterrupt:
        found.ended = BY_USER
        if not found.steps:
            told.line(f"{BY_USER} before one step was measured")
            raise
    except ProbeError as error:
        if not growth.sound(found.steps[:1]):
            raise
        found.ended = str(error)
    finally:
        asker.close()


def address_of(target: Target) -> Address:
    """Where the target is; ProbeError where there is no such host."""
    address = resolve(*urls.endpoint(target.url))
    if address is None:
        raise ProbeError(f"{target.url}: there is no host {urls.endpoint(target.url)[0]}")
    return address


def _carry_out(found: Found, asker: Asker, beside: Target | None, told: Told) -> None:
    allowance, target = found.allowance, found.target
    found.glance = glance.look(target, found.address, allowance, told.line)
    told.line(glance.sentence(found.glance))
    if beside:
        _look_beside(found, beside, told)
    _narrow(allowance, found.glance, told)
    serving = processes.serving(found.address)
    found.server = serving.facts() if serving else None
    found.serving = serving if found.server else None
    _load(found, asker, found.glance.took_s, told)
    if beside and not found.ended:
        with _kept_out_of_the_way(found):
            _beside(found, asker, beside)
    if found.ended or allowance.left_s <= 1:
        return
    if asker.behind:
        found.unmeasured.append(
            f"Whether the service has changed was not looked at: {STILL_IN_HAND}."
        )
    else:
        _again(found, asker, told)


def _look_beside(found: Found, target: Target, told: Told) -> None:
    before = found.allowance.sent
    try:
        glance.look(target, address_of(target), found.allowance, told.line)
    finally:
        found.light += found.allowance.sent - before


def _narrow(allowance: Allowance, seen: Glance, told: Told) -> None:
    """No more of large answers than may be; what was stated before is no longer so then."""
    before = allowance.stated()
    allowance.narrow(seen.size)
    if allowance.stated() != before:
        told.line(f"answers are large: {allowance.stated()}")


def _load(found: Found, asker: Asker, guess_s: float, told: Told) -> None:
    """The ramp, and the waves that its result asks for."""
    found.steps.clear()
    found.waves.clear()
    found.disturbances = [each for each in found.disturbances if each.part != "wave"]

    def took(step: Step) -> None:
        found.steps.append(step)
        told.step(step)

    with asker.asking(found.target, found.address) as stream:
        Ramp(asker, stream, found.serving, guess_s, took).climb()
        found.steps.sort(key=lambda each: each.connections)
        asker.drain(stream, found.steps[-1].littles_s)
    if found.allowance.sent >= found.allowance.requests:
        found.ended = f"{found.allowance.requests:,} {ALL_SENT}"
    elif failing(found.steps[-1]):
        found.ended = _dead(found)
    if found.steps[0].answered and not found.ended and not asker.behind:
        _roll(found, asker, told)


def _dead(found: Found) -> str:
    """Whether the service has ended; empty where it lives."""
    allowance = found.allowance
    within_s = min(allowance.timeout_s, max(GONE_S, allowance.left_s))
    why = glance.gone(found.target, found.address, allowance, within_s)
    return f"{STOPPED_ANSWERING} ({why})" if why else ""


def _roll(found: Found, asker: Asker, told: Told) -> None:
    begin_together = slots.begin_together(found.seen())
    wait_s, _ = growth.unhurried(found.steps)
    at = growth.plateau(found.steps)
    likely = slots.likely(at, wait_s)
    rps = at.rps if at else growth.sound(found.steps)[-1].rps
    bears = waves.bearable(found.steps, found.allowance.connections)
    count = waves.size(likely, min(bears, most_in_time(rps, found.allowance.timeout_s)))
    lasts_s = wait_s * max(1.0, count / likely) if likely else wait_s
    if count < 2 or not begin_together:
        return
    told.line(f"waves of {count}: how many of them end together?")

    def blurred() -> bool:
        """Whether others made answers late, and no groups are seen for it."""
        seen = found.seen()
        return growth.others_crowd(seen.steps, seen.cores) and not slots.slots(seen).waves

    def took(wave: Wave, stopped: str, again: bool) -> None:
        if stopped:
            found.disturbances.append(Disturbance("wave", stopped, again))
        if not again:
            found.waves.append(wave)

    expected = waves.Expected(count, lasts_s, wait_s)
    waves.roll(asker, found.probed, expected, took, blurred)
    if not found.waves and not asker.behind:
        waves.at_once(asker, found.probed, expected, took, count / rps)


@contextlib.contextmanager
def _kept_out_of_the_way(found: Found) -> Iterator[None]:
    """An endpoint beside that fails spoils nothing of the rest."""
    try:
        yield
    except ProbeError as error:
        found.changed = f"{error}."


def _beside(found: Found, asker: Asker, target: Target) -> None:
    """What a light request waits, or why that is not known."""
    why = STILL_IN_HAND if asker.behind else ""
    if found.allowance.left_s < light.needs_s(found.steps[0]):
        why = NO_TIME
    if not why:
        _measure_beside(found, asker, target)
        why = "" if found.beside else NOTHING_LEFT
    if why:
        found.unmeasured.append(f"What {target.url} waits meanwhile was not measured: {why}.")


def _measure_beside(found: Found, asker: Asker, target: Target) -> None:
    """Once more where something disturbed it and there is room."""
    allowance = found.allowance
    began_s, before = allowance.spent_s, allowance.sent
    disturbed = _beside_once(found, asker, target)
    if not disturbed or not found.beside:
        return
    first = Disturbance("measurement of the light request", disturbed, again=False)
    found.disturbances.append(first)  # what ends the second measurement leaves the first
    takes_s, sends = allowance.spent_s - began_s, allowance.sent - before
    left = allowance.requests - allowance.sent
    room = ROOM_BESIDE * takes_s <= allowance.left_s and ROOM_BESIDE * sends <= left
    if asker.behind or not room:
        return
    disturbed = _beside_once(found, asker, target)
    found.disturbances.remove(first)
    found.disturbances.append(replace(first, again=True))
    if disturbed:
        found.disturbances.append(replace(first, by=disturbed))


def _beside_once(found: Found, asker: Asker, target: Target) -> str:
    """What disturbed it; how often the light request was sent is counted whatever ends that."""
    full, began = (found.target, found.address), asker.engine.now()
    with asker.asking(target, address_of(target)) as stream:
        try:
            with Witness(asker.engine, found.serving, light.BESIDE_S) as witness:
                seen = light.beside(asker, target.url, stream, full, found.seen())
                found.beside = seen or found.beside
        finally:
            found.light += stream.sent + stream.resent
    return witness.disturbance(asker.engine.now() - began)


def _again(found: Found, asker: Asker, told: Told) -> None:
    """Whether a request alone still takes what it took; else all is measured once more."""
    otherwise = _changed(found, asker)
    if otherwise is None:
        return
    before_s, now_s = otherwise
    how = "faster" if now_s < before_s else "slower"
    became = (
        f"The service became {how} while it was probed: a request alone took {before_s:.2g} s at "
        f"first and {now_s:.2g} s at the end"
    )
    found.changed = f"{became}; probe it again when it is warm."
    share = 1 - found.allowance.spent_s / found.allowance.seconds
    if now_s < before_s and share > 0.4 and found.allowance.sent < found.allowance.requests / 2:
        told.line(f"{became}: measured once more")
        if _once_more(found, asker, now_s, told):
            found.changed = f"{became}. It was measured again then."


def _changed(found: Found, asker: Asker) -> tuple[float, float] | None:
    """What a request alone took and takes, where both differ and no stop explains it."""
    for last in (False, True):
        with Witness(asker.engine, found.serving, found.steps[0].p50_s) as witness:
            took, failed = _alone(found, asker)
        if failed and len(took) < 2:
            found.ended = _dead(found)
        otherwise = change.changed(found.steps[0], took) if len(took) >= 2 else None
        if otherwise is None:
            return None
        before_s, now_s = otherwise
        stopped = witness.held_up(now_s - before_s) if now_s > before_s else ""
        if not stopped:
            return otherwise
        found.disturbances.append(Disturbance("look at the end", stopped, again=not last))
    return None


def _once_more(found: Found, asker: Asker, guess_s: float, told: Told) -> bool:
    """Whether all could be measured again; else what was measured first stays, whatever ends it."""
    before, far = (found.steps[:], found.waves[:], found.disturbances[:]), False
    try:
        _load(found, asker, guess_s, told)
    finally:
        if growth.sound(found.steps[:1]):
            far = len(found.steps) >= len(before[0]) or bool(found.ended)
        if not far:
            found.steps, found.waves, found.disturbances = before
    return far


def _alone(found: Found, asker: Asker) -> tuple[list[float], int]:
    """What each request alone takes now, without the first; and how many failed."""
    wait_s = found.steps[0].p50_s
    at_most_s = min(max(AGAIN_S, 3 * wait_s), found.allowance.left_s / 2)
    with asker.asking(found.target, found.address) as stream:
        asker.open(stream, 1)
        asker.wait_for(stream, AGAIN_ANSWERS + 1, at_most_s)
        return stream.took(1), sum(bool(each.error) for each in stream.moments)
