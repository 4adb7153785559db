"""A run that goes on: what it must have in common with its beginning, and what is told if not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loadtest.model.counts import number_of
from loadtest.results.record import Record
from loadtest.results.runs import RunError

_SAME_MACHINE = ("cpu", "cores", "quota_cores", "kernel", "architecture", "python")


@dataclass(frozen=True)
class Now:
    """The conditions under which it goes on, as a Record tells those of its beginning."""

    git_commit: str
    git_dirty: bool
    machine: Mapping[str, Any]
    busy: str


def require_unfinished(folder: Path, known: Record) -> None:
    """Raise RunError where the run came to its end: another one was meant, as a rule."""
    if known.finished_at and not known.interrupted:
        raise RunError(
            f"{folder}: the run {known.run_id} came to its end; name one that ended early, or "
            "begin a new one"
        )


def require_same(known: Record, services: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise RunError where a service is declared otherwise than when the run began."""
    for name, declared in services.items():
        for what, before, now in _differences(known.services.get(name, {}), declared):
            raise RunError(
                f"service {name}: {what} was {before!r} when the run began and is {now!r}; "
                "put it back to go on, or begin a new run"
            )


def _differences(
    before: Mapping[str, Any], now: Mapping[str, Any], within: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """What both tell, and tell otherwise."""
    for name in (each for each in now if each in before):
        one, other = before[name], now[name]
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _differences(one, other, f"{name} ")
        elif one != other:
            yield f"{within}{name}", one, other


def gone_on(folder: Path, known: Record, now: Now) -> Record:
    """The record of the run as it goes on in `folder`; warnings tell what is different now."""
    told = tuple(_told(known, now, _taken(folder)))
    other = now.git_commit != (known.git_commit, *known.resumed_at)[-1]
    return replace(
        known,
        interrupted=False,
        reason="",
        finished_at="",
        resumed=True,
        busy=now.busy,
        git_dirty=known.git_dirty or now.git_dirty,
        resumed_at=(*known.resumed_at, *([now.git_commit] if other else [])),
        warnings=tuple(dict.fromkeys((*known.warnings, *told))),
    )


def _told(known: Record, now: Now, taken: int) -> Iterator[str]:
    resumed = f"The run was resumed after {number_of(taken, 'trial')}"
    if now.git_dirty or now.git_commit != known.git_commit:
        code = f"{now.git_commit[:7]}{' with changes' * now.git_dirty}"
        yield f"{resumed} at {code}; it began at {known.git_commit[:7]}."
    for what in _SAME_MACHINE:
        before, after = known.machine.get(what), now.machine.get(what)
        if what in known.machine and before != after:
            yield f"{resumed} on another machine: {what} was {before}, then {after}."
    if now.busy != known.busy:
        yield f"{resumed} with BUSY={now.busy}."


def _taken(folder: Path) -> int:
    path = folder / "trials.jsonl"
    if not path.exists():
        return 0
    with path.open("rb") as lines:
        return sum(1 for _ in lines)
