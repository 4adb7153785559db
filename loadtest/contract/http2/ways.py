"""The ways in which a service was asked for HTTP/2, what became of each, and that in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

STREAMS, EACH_MS = 100, 50
DEPLOYED, IN_CLEAR, TLS = "as deployed", "in the clear", "over TLS"


@dataclass(frozen=True)
class Way:
    """One way to ask for HTTP/2.

    `speaks` is None where it can't be asked, which `why` explains. `waits_s`: how long as many
    waits as STREAMS took on one connection.
    """

    name: str
    speaks: bool | None
    why: str = ""
    waits_s: float | None = None


def spoken(ways: Sequence[Way]) -> bool | None:
    """Whether any way speaks HTTP/2; None where that is not known."""
    found = {way.speaks for way in ways}
    return True if True in found else None if None in found else False


def told(deployed: Way, switch: str, others: Sequence[Way], slots: int) -> str:
    """What was found as deployed, then in the `others`, which have `switch`, as words.

    `slots`: those of the one worker that has the connection.
    """
    ways = [deployed, *others]
    said = [
        _deployed(deployed),
        _switched(switch, [way for way in others if way.speaks is not None]),
        _waits(ways, slots),
        *_reasons(ways),
    ]
    return "; ".join(filter(None, said))


def _deployed(way: Way) -> str:
    if way.speaks is None:
        return ""
    return f"speaks {'HTTP/2' if way.speaks else 'HTTP/1.1 alone'} {way.name}"


def _switched(switch: str, asked: Sequence[Way]) -> str:
    """`with --http2 HTTP/2 over TLS, not in the clear`."""
    if not asked:
        return ""
    used = [way.name for way in asked if way.speaks]
    refused = [way.name for way in asked if not way.speaks]
    if not used:
        return f"with {switch} no answer in HTTP/2 {' or '.join(refused)}"
    not_used = "".join(f", not {name}" for name in refused)
    return f"with {switch} HTTP/2 {' and '.join(used)}{not_used}"


def _waits(ways: Sequence[Way], slots: int) -> str:
    waits_s = next((way.waits_s for way in ways if way.waits_s is not None), None)
    if waits_s is None:
        return ""
    return (
        f"{STREAMS} waits of {EACH_MS} ms on one connection take {waits_s:.2g} s, where its "
        f"{slots} slot{'s'[: slots != 1]} allow{'s'[: slots == 1]} {_allowed_s(slots):.2g} s "
        f"and one after another takes {STREAMS * EACH_MS / 1000:g} s"
    )


def _allowed_s(slots: int) -> float:
    return math.ceil(STREAMS / slots) * EACH_MS / 1000


def _reasons(ways: Sequence[Way]) -> list[str]:
    """Why a way is as it is: `in the clear and over TLS it does not start: …`."""
    names: dict[str, list[str]] = {}
    for way in ways:
        names.setdefault(way.why, []).append(way.name)
    return [f"{' and '.join(named)} {why}" for why, named in names.items() if why]
