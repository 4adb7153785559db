"""Services of the user's own before their first trial: started, asked, and compared."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from loadtest.analysis.amounts import amount
from loadtest.backends.asking import Heard, NoAnswer, ask
from loadtest.backends.own import (
    NEXT_TRY_S,
    STARTING,
    STARTS_WITHIN_S,
    OwnServiceError,
    OwnServices,
)
from loadtest.model.experiment import Experiment, Level
from loadtest.model.target import Target
from loadtest.run.own import processes
from loadtest.run.own.limit import RequestLimit
from loadtest.run.readiness import Arrival

ANSWERS_A_WINDOW = 10  # one after another; fewer tell little
CHECKED_BODY = 1_000_000  # bytes of a body that each answer is compared with
_SHOWN = 24  # bytes around the first difference of two bodies


class AnswersDiffer(OwnServiceError):
    """The services answer differently, so a comparison of their speed would mislead."""


class Introduction:
    """Makes the services of one experiment ready; `say` tells what each of them answers.

    `bodies`, by level, are what each answer has to be from then on, where that is asked for. What
    it asks counts in `limit`, as does all that is asked later.
    """

    def __init__(
        self, backend: OwnServices, experiment: Experiment, say: Callable[[str], None]
    ) -> None:
        self._backend = backend
        self._experiment = experiment
        self._say = say
        self.window_s = experiment.duration_s
        self.limit = RequestLimit(experiment.requests_at_most)
        self.bodies: dict[str, str | None] = {}

    def of(self, names: Sequence[str]) -> dict[str, Arrival]:
        """All of `names`, ready; raises OwnServiceError or ProcessError where one is not."""
        starting = [name for name in names if self._backend.own[name].start]
        if starting:
            self._say(f"starting {', '.join(starting)}")
        self._backend.start(names)
        seen: dict[str, dict[str, Any]] = {name: {} for name in names}
        for level in self._distinct_levels():
            heard = {name: self._heard(name, level.asked[name]) for name in names}
            self._compare(level, heard)
            for name, each in heard.items():
                found = _described(each)
                quickest = min(found["ms"], seen[name].get("ms", found["ms"]))
                seen[name] = (seen[name] or found) | {"ms": quickest}
            self._say(_told(level, heard))
        if hidden := [name for name in names if not processes.of(self._backend, name)]:
            self._say(f"processes of {', '.join(hidden)} are out of sight: pauses go unnoticed")
        return {name: self._arrival(name, found) for name, found in seen.items()}

    def _arrival(self, name: str, observed: Mapping[str, Any]) -> Arrival:
        """A window that holds only a few answers tells little, and only of the quick ones."""
        takes_s, window_s = observed["ms"] / 1000, self._experiment.duration_s
        if takes_s * ANSWERS_A_WINDOW <= window_s:
            return Arrival(observed=observed)
        warning = (
            f"{name} takes {amount(takes_s)} s for an answer, and a window lasts {window_s:g} s: "
            f"windows of {math.ceil(ANSWERS_A_WINDOW * takes_s)} s tell more"
        )
        self._say(warning)
        return Arrival(observed=observed, warnings=(warning,))

    def _distinct_levels(self) -> Sequence[Level]:
        """A level for each set of requests: most differ in their load alone."""
        found: list[Level] = []
        for level in self._experiment.levels:
            if all(level.asked != each.asked for each in found):
                found.append(level)
        return found

    def body(self, level: Level) -> str | None:
        """What every answer at `level` has to be; None where it may be anything."""
        for each in self._distinct_levels():
            if each.asked == level.asked:
                return self.bodies.get(each.label)
        return None

    def _heard(self, name: str, target: Target) -> Heard:
        """The target's answer, which has to be right. Where bodies count it is asked twice."""
        first = self._ask(name, target)
        _require_right(name, target, first)
        if not self._experiment.same_body:
            return first
        second = self._ask(name, target)
        _require_right(name, target, second)
        if second.body != first.body:
            raise AnswersDiffer(
                f"{name} answers {target.url} with a different body each time; "
                "bodies can't be compared, so leave that out"
            )
        return first

    def _ask(self, name: str, target: Target) -> Heard:
        """One that says 503 may be starting still, and gets some time for it."""
        ends = time.monotonic() + STARTS_WITHIN_S
        try:
            while (found := self._once(target)).status == STARTING != target.status:
                if time.monotonic() > ends:
                    break
                time.sleep(NEXT_TRY_S)
        except NoAnswer as error:
            raise OwnServiceError(f"{name}: {target.url}: {error}") from None
        return found

    def _once(self, target: Target) -> Heard:
        self.limit.take_one()
        return ask(target)

    def _compare(self, level: Level, heard: Mapping[str, Heard]) -> None:
        reference = self._experiment.reference
        first = heard[reference]
        for name, each in heard.items():
            if each.status != first.status:
                raise AnswersDiffer(
                    f"{name} answers {each.status}, {reference} answers {first.status}; "
                    "ask both for the same, or name the status that is right"
                )
            if self._experiment.same_body and each.body != first.body:
                raise AnswersDiffer(
                    f"{name} and {reference} answer with different bodies: "
                    + _difference(name, each.body, reference, first.body)
                )
        if self._experiment.same_body:
            self.bodies[level.label] = body = _as_text(first.body)
            if body is None:
                self._say(f"bodies are compared now only: {_why_now(first.body)} ({_path(level)})")


def _require_right(name: str, target: Target, heard: Heard) -> None:
    status = heard.status
    if status == target.status or (target.status is None and 200 <= status < 300):
        return
    wanted = f", not {target.status}" if target.status else ""
    raise OwnServiceError(
        f"{name}: {target.method} {target.url} is answered {status}{wanted}{_advice(heard)}"
    )


def _advice(heard: Heard) -> str:
    """What to do about a status that is no success."""
    status = heard.status
    expecting = f"if that is right, add --expect {status} (in a file: status = {status})"
    if 300 <= status < 400:
        return (
            f": it leads to {heard.headers.get('location', 'nowhere')}; ask there, or {expecting}"
        )
    if status in (401, 403):
        return f"; send what it asks for with --header (in a file: headers), or {expecting}"
    if status == 405:
        return f"; it allows {heard.headers.get('allow', 'another method')}"
    if status == 429:
        return "; it limits how much it is asked, which would be all that a load shows"
    return f"; {expecting}"


def _described(heard: Heard) -> dict[str, Any]:
    """What the record keeps of an answer."""
    return {
        "status": heard.status,
        "bytes": len(heard.body),
        "ms": round(1000 * heard.took_s, 2),
        "kept": heard.kept,
        "server": heard.headers.get("server", ""),
    }


def _told(level: Level, heard: Mapping[str, Heard]) -> str:
    parts = [
        f"{name} answers {each.status} with {len(each.body):,} bytes in "
        f"{amount(1000 * each.took_s)} ms"
        for name, each in heard.items()
    ]
    return f"{', '.join(parts)} ({_path(level)})"


def _path(level: Level) -> str:
    urls = {target.url for target in level.asked.values()}
    return ", ".join(sorted(urls))


def _as_text(body: bytes) -> str | None:
    """A body that every answer is compared with; None where it is too large, or no text."""
    if len(body) <= CHECKED_BODY:
        with suppress(UnicodeDecodeError):
            return body.decode()
    return None


def _why_now(body: bytes) -> str:
    large = f"they have {len(body):,} bytes, and up to {CHECKED_BODY:,} are compared each time"
    return large if len(body) > CHECKED_BODY else "they are no text"


def _difference(name: str, body: bytes, reference: str, other: bytes) -> str:
    pairs = zip(body, other, strict=False)
    place = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(body), len(other)))
    shown = (repr(each[place : place + _SHOWN])[1:] for each in (body, other))
    return f"from byte {place:,} {name} has {next(shown)}, {reference} {next(shown)}"
