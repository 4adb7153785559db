"""What has to be so for a claim to stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Criterion:
    """One thing that has to be so for `claim` to stand: `says`, in words.

    At `level`, `measure` of `service` (as a ratio to `reference` where `ratio`) lies in
    [`at_least`, `at_most`]. With `reference_level` the reference's figure is that of another level.
    It holds where the whole interval does, fails where none of it does,
    and stays open between. Without a claim it is a condition of the user's, whose failing fails the
    command.
    """

    claim: str
    says: str
    service: str
    measure: str
    level: str = ""
    reference: str = ""
    ratio: bool = True
    at_least: float | None = None
    at_most: float | None = None
    reference_level: str = ""

    @property
    def sides(self) -> tuple[tuple[str, str], ...]:
        """Service and level of each figure that it takes: two for a ratio, else one."""
        own, other = (self.service, self.level), (self.reference, self.reference_level)
        return (own, (other[0], other[1] or self.level)) if self.ratio else (own,)
