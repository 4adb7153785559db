"""Somebody else's figures, and what the lab says of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedFigure:
    """What was published of one service. `level` is where the lab takes it again.

    `was`: what ran there. `value` is in the unit of its comparison.
    """

    service: str
    value: float
    was: str
    level: str = ""


@dataclass(frozen=True)
class Published:
    """A comparison that somebody published, and the one thing that explains its figures.

    `asked`: how it was measured there. `measured`, a kind, and `told`, a sentence: what the figures
    measured. `instead`: what runs here in its place. `inferred`: what no source says.
    `apart`: why a ratio comes out otherwise here. `counter_proof`: the level that changes the one
    thing. `not_run`: why nothing takes it again. `also`: further addresses where it can be read.
    """

    source: str
    url: str
    date: str
    unit: str
    asked: str
    measured: str
    told: str
    figures: tuple[PublishedFigure, ...]
    instead: str = ""
    inferred: str = ""
    apart: str = ""
    counter_proof: str = ""
    not_run: str = ""
    also: tuple[str, ...] = ()

    def at(self, level: str) -> tuple[PublishedFigure, ...]:
        """The figures that a level takes again."""
        return tuple(each for each in self.figures if each.level == level)

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that have a figure, each once."""
        return tuple(dict.fromkeys(each.level for each in self.figures))
