"""A probe from beginning to end: look, ramp, waves, the light request beside it, look again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from loadtest.model.target import Target
from loadtest.probe import glance, growth, processes, slots
from loadtest.probe.limits import Allowance, ProbeError
from loadtest.probe.moments import Asker
from loadtest.probe.parts import change, light, waves
from loadtest.probe.parts.ramp import Ramp, failing
from loadtest.probe.processes import Serving
from loadtest.probe.record import (
    ALL_SENT,
    STOPPED_ANSWERING,
    Beside,
    Glance,
    Server,
    Sighting,
    Step,
    Wave,
    sent_told,
)
from loadtest.system import urls
from loadtest.system.sockets import Address, resolve

AGAIN_S, AGAIN_ANSWERS = 2.0, 20
GONE_S = 2.0  # at least so long is looked whether the service has ended
RATE_LIMIT = "; it limits how often it may be asked, so switch that off for the probe"
BY_USER = "stopped by Ctrl-C"


@dataclass
class Told:
    """Who hears what happens meanwhile."""

    line: Callable[[str], None] = lambda _: None
    step: Callable[[Step], None] = lambda _: None


@dataclass
class _Found:
    """What is known so far; a probe that is interrupted ends with it."""

    target: Target
    allowance: Allowance
    address: Address
    glance: Glance | None = None
    server: Server | None = None
    steps: list[Step] = field(default_factory=list)
    waves: list[Wave] = field(default_factory=list)
    beside: Beside | None = None
    light: int = 0  # requests to the endpoint beside it
    ended: str = ""
    changed: str = ""

    def seen(self) -> Sighting:
        """As a record; ProbeError where not a single answer was measured."""
        if self.glance is None or not growth.sound(self.steps[:1]):
            raise ProbeError(self._nothing())
        return Sighting(
            url=self.target.url,
            method=self.target.method,
            glance=replace(self.glance, kept=self.glance.kept and not growth.closes(self.steps)),
            steps=tuple(sorted(self.steps, key=lambda each: each.connections)),
            waves=tuple(self.waves),
            server=self.server,
            beside=self.beside,
            limit=self.allowance.connections,
            cores=processes.usable_cores(),
            sent=self.allowance.sent,
            light=self.light,
            lasted_s=self.allowance.spent_s,
            ended=self.ended,
            changed=self.changed,
        )

    def _nothing(self) -> str:
        if self.steps and self.steps[0].errors:
            name, count = max(self.steps[0].errors.items(), key=lambda each: each[1])
            told = f"{self.target.url}: one request at a time fails already: {name} × {count}"
            return told + RATE_LIMIT * (name == "status 429")
        return f"{self.target.url}: {self.ended or 'no answer was measured'}"


def probe(
    target: Target, allowance: Allowance, beside: Target | None = None, told: Told | None = None
) -> Sighting:
    """Everything that can be seen of the target within the allowance.

    Ctrl-C ends it early: what was seen so far is returned, and says so. Raises ProbeError where the
    service cannot be measured at all. Then, too, it is told how often something may have changed.
    """
    told = told or Told()
    found = _Found(target, allowance, address_of(target))
    try:
        _as_far_as_it_gets(found, beside, told)
        return found.seen()
    except (KeyboardInterrupt, ProbeError):
        if line := sent_told(target.method, allowance.sent - found.light):
            told.line(line)
        raise


def _as_far_as_it_gets(found: _Found, beside: Target | None, told: Told) -> None:
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


def _carry_out(found: _Found, asker: Asker, beside: Target | None, told: Told) -> None:
    allowance, target = found.allowance, found.target
    found.glance = glance.look(target, found.address, allowance, told.line)
    told.line(glance.sentence(found.glance))
    if beside:
        _look_beside(found, beside, told)
    _narrow(allowance, found.glance, told)
    serving = processes.serving(found.address)
    found.server = serving.facts() if serving else None
    serving = serving if found.server else None
    _load(found, asker, serving, found.glance.took_s, told)
    if beside and not found.ended:
        with _kept_out_of_the_way(found):
            _beside(found, asker, beside)
    if not found.ended and allowance.left_s > 1:
        _again(found, asker, serving, told)


def _look_beside(found: _Found, target: Target, told: Told) -> None:
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


def _load(found: _Found, asker: Asker, serving: Serving | None, guess_s: float, told: Told) -> None:
    """The ramp, and the waves that its result asks for."""
    found.steps.clear()
    found.waves.clear()

    def took(step: Step) -> None:
        found.steps.append(step)
        told.step(step)

    with asker.asking(found.target, found.address) as stream:
        Ramp(asker, stream, serving, guess_s, took).climb()
        found.steps.sort(key=lambda each: each.connections)
        asker.drain(stream, min(light.LAST_ANSWERS_S, max(0.0, found.allowance.left_s)))
    if found.allowance.sent >= found.allowance.requests:
        found.ended = f"{found.allowance.requests:,} {ALL_SENT}"
    elif failing(found.steps[-1]):
        found.ended = _dead(found)
    if found.steps[0].answered and not found.ended:
        _roll(found, asker, told)


def _dead(found: _Found) -> str:
    """Whether the service has ended; empty where it lives."""
    allowance = found.allowance
    within_s = min(allowance.timeout_s, max(GONE_S, allowance.left_s))
    why = glance.gone(found.target, found.address, allowance, within_s)
    return f"{STOPPED_ANSWERING} ({why})" if why else ""


def _roll(found: _Found, asker: Asker, told: Told) -> None:
    wait_s, _ = growth.unhurried(found.steps)
    at = growth.plateau(found.steps)
    likely = slots.likely(at, wait_s)
    count = waves.size(likely, found.allowance.connections)
    lasts_s = wait_s * max(1.0, count / likely) if likely else wait_s
    if count < 2 or not slots.begin_together(found.seen()):
        return
    told.line(f"waves of {count}: how many of them end together?")

    def blurred() -> bool:
        """Whether others made answers late, and no groups are seen for it."""
        seen = found.seen()
        return growth.others_crowd(seen.steps, seen.cores) and not slots.slots(seen).waves

    tell = found.waves.append
    waves.roll(asker, found.target, found.address, count, lasts_s, tell, blurred)
    if not found.waves and lasts_s < found.allowance.left_s:
        most_s = 0.8 * found.allowance.left_s
        one = waves.at_once(asker, found.target, found.address, count, most_s)
        found.waves += [one] if one else []


@contextlib.contextmanager
def _kept_out_of_the_way(found: _Found) -> Iterator[None]:
    """An endpoint beside that fails spoils nothing of the rest."""
    try:
        yield
    except ProbeError as error:
        found.changed = f"{error}."


def _beside(found: _Found, asker: Asker, target: Target) -> None:
    """What a light request waits; how often it was sent is counted whatever ends that."""
    full = found.target, found.address
    with asker.asking(target, address_of(target)) as stream:
        try:
            found.beside = light.beside(asker, target.url, stream, full, found.seen())
        finally:
            found.light += stream.sent + stream.resent


def _again(found: _Found, asker: Asker, serving: Serving | None, told: Told) -> None:
    """Whether a request alone still takes what it took; else all is measured once more."""
    took, failed = _alone(found, asker)
    if failed and len(took) < 2:
        found.ended = _dead(found)
    otherwise = change.changed(found.steps[0], took) if len(took) >= 2 else None
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
        if _once_more(found, asker, serving, now_s, told):
            found.changed = f"{became}. It was measured again then."


def _once_more(
    found: _Found, asker: Asker, serving: Serving | None, guess_s: float, told: Told
) -> bool:
    """Whether all could be measured again; else what was measured first stays, whatever ends it."""
    before, far = (found.steps[:], found.waves[:]), False
    try:
        _load(found, asker, serving, guess_s, told)
    finally:
        if growth.sound(found.steps[:1]):
            far = len(found.steps) >= len(before[0]) or bool(found.ended)
        if not far:
            found.steps, found.waves = before
    return far


def _alone(found: _Found, asker: Asker) -> tuple[list[float], int]:
    """What each request alone takes now, without the first; and how many failed."""
    wait_s = found.steps[0].p50_s
    at_most_s = min(max(AGAIN_S, 3 * wait_s), found.allowance.left_s / 2)
    with asker.asking(found.target, found.address) as stream:
        asker.open(stream, 1)
        asker.wait_for(stream, AGAIN_ANSWERS + 1, at_most_s)
        return stream.took(1), sum(bool(each.error) for each in stream.moments)
